//! The versions of a store without some customers.
//!
//! Owns: which data files hold them, and the version that says what stands for these now. Promises: first the files without them, then
//! the version, then the files with them go for good: whoever reads at any moment reads whole tables, and a call that broke off is
//! completed by the next. Must not know: why they are erased.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::RecordBatch;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path as Key;

use super::ids::{Held, Ids};
use crate::audience::store::{
    Chain, Count, Draft, FileRef, Kind, Manifest, Micros, Store, Table, Tool, data_key, decoded, sha256,
};
use crate::error::Error;

/// Files that are decoded at once.
const AT_ONCE: usize = 4;

/// What data files hold.
#[derive(Debug, Default)]
pub(in crate::audience) struct Looked {
    pub chain: Chain,
    /// By the checksum of the file.
    pub files: BTreeMap<String, Held>,
    /// Files that no kept version has.
    idle: BTreeSet<String>,
}

impl Looked {
    /// Files that hold somebody.
    pub fn holding(&self) -> impl Iterator<Item = (&String, &Held)> {
        self.files.iter().filter(|(_, held)| held.any())
    }

    /// What a file of a version holds, where it is kept.
    pub fn of(&self, file: &FileRef) -> Option<&Held> {
        self.files.get(self.chain.resolve(file))
    }
}

/// Looks into every data file.
pub(in crate::audience) async fn look(store: &Store, ids: &Ids) -> Result<Looked, Error> {
    let chain = store.chain().await?;
    let needed: BTreeSet<String> = chain.needed(&[]).into_iter().map(str::to_owned).collect();
    let sums: BTreeSet<String> = store.data_files().await?.into_iter().collect();
    if let Some(lost) = needed.difference(&sums).next() {
        return Err(Error::data(format!("`{}` is missing", store.shown(&data_key(lost))))
            .with_help("bring the file back from a backup first: nobody knows who is in it"));
    }
    let mut looked = Looked { idle: sums.difference(&needed).cloned().collect(), chain, ..Looked::default() };
    let one = |sum: String| {
        let idle = looked.idle.contains(&sum);
        async move {
            match rows(store, &sum).await {
                Ok(batches) => {
                    let mut held = Held::default();
                    for batch in &batches {
                        held.add(ids.held(batch)?);
                    }
                    Ok((sum, held))
                }
                // What nobody reads and nobody can read may hold anybody.
                Err(_) if idle => Ok((sum, Held { cells: 1, ..Held::default() })),
                Err(error) => Err(error),
            }
        }
    };
    let all: Vec<(String, Held)> = futures::stream::iter(sums).map(one).buffered(AT_ONCE).try_collect().await?;
    looked.files.extend(all);
    Ok(looked)
}

/// The rows of a data file, compared with its name.
async fn rows(store: &Store, sum: &str) -> Result<Vec<RecordBatch>, Error> {
    let key = data_key(sum);
    let wrong = |why: &str| {
        Error::data(format!("`{}` {why}", store.shown(&key))).with_help("bring the file back from a backup first")
    };
    let bytes = store.get(&key).await?.ok_or_else(|| wrong("is missing"))?;
    let sum = sum.to_owned();
    let read = tokio::task::spawn_blocking(move || {
        if sha256(&bytes) != sum { Err("is damaged: its checksum differs".to_owned()) } else { decoded(bytes) }
    });
    read.await.map_err(|e| e.to_string()).and_then(|read| read).map_err(|why| wrong(&why))
}

/// Publishes a version without them, if a version has them, and takes the files away that have. The version, if there is a new one.
pub(in crate::audience) async fn rewrite(
    store: &Store,
    ids: &Ids,
    looked: &Looked,
    tool: &Tool,
) -> Result<Option<Arc<Manifest>>, Error> {
    let chain = &looked.chain;
    let mut new: BTreeMap<String, FileRef> = BTreeMap::new();
    for (sum, _) in looked.holding().filter(|(sum, _)| !looked.idle.contains(*sum)) {
        let left = rows(store, sum).await?.iter().map(|batch| ids.without(batch)).collect::<Result<Vec<_>, _>>()?;
        new.insert(sum.clone(), store.stage(Table::Audience, "", &left).await?);
    }
    let mut version = None;
    if let Some(latest) = chain.latest().filter(|_| !new.is_empty()) {
        let draft = draft(store, looked, latest, &new, tool).await?;
        version = Some(store.commit(draft, Some(latest.version)).await?.published()?);
    }
    // What somebody published meanwhile must not lose its files: the search tells of it.
    let chain = store.chain().await?;
    let needed = chain.needed(&[]);
    for (sum, _) in looked.holding().filter(|(sum, _)| !needed.contains(sum.as_str())) {
        store.delete(&data_key(sum)).await?;
    }
    Ok(version)
}

/// The version that says what stands for the files: with the audiences of the version before, without them.
async fn draft(
    store: &Store,
    looked: &Looked,
    latest: &Manifest,
    new: &BTreeMap<String, FileRef>,
    tool: &Tool,
) -> Result<Draft, Error> {
    let mut files = Vec::new();
    for file in latest.draft.standing() {
        let file = store.current(&looked.chain, file).await?;
        files.push(match new.get(&file.sha256) {
            Some(now) => FileRef { sha256: now.sha256.clone(), bytes: now.bytes, rows: now.rows, ..file },
            None => file,
        });
    }
    let mut counts = BTreeMap::new();
    for (name, before) in &latest.draft.counts {
        let mut count = Count { entered: 0, left: 0, ..before.clone() };
        if let Some(file) = files.iter().find(|file| file.table == Table::Audience && file.name == *name) {
            count.members = file.rows;
        }
        for outcome in looked.verdicts(latest, name) {
            if let Some(n) = count.outcomes.get_mut(&outcome) {
                *n = n.saturating_sub(1);
            }
        }
        count.outcomes.retain(|_, n| *n > 0);
        counts.insert(name.clone(), count);
    }
    Ok(Draft {
        kind: Kind::Erase,
        tool: tool.clone(),
        files,
        counts,
        replaced: new.iter().map(|(old, now)| (old.clone(), now.sha256.clone())).collect(),
        decided: Vec::new(),
        vacuumed: Vec::new(),
        restored: None,
        spent: looked.spent(),
        ..latest.draft.clone()
    })
}

impl Looked {
    /// What their contacts had cost.
    fn spent(&self) -> BTreeMap<String, Micros> {
        let mut all = Held::default();
        for file in self.chain.history() {
            let spent = self.of(&file).map(|held| held.spent.clone()).unwrap_or_default();
            all.add(Held { spent, ..Held::default() });
        }
        all.spent.into_iter().map(|(campaign, cost)| (campaign, Micros(cost))).collect()
    }

    /// What was decided about them when a campaign was decided last, before `latest`.
    fn verdicts(&self, latest: &Manifest, name: &str) -> Vec<String> {
        let names: Vec<&str> = latest.draft.names_of(name).collect();
        let key = names.last().copied().unwrap_or(name);
        let is = |campaign: &str| names.contains(&campaign);
        let mut n = latest.version;
        while let Ok(version) = self.chain.version(n) {
            let draft = &version.draft;
            if draft.decided.iter().any(|decided| decided.key == key) {
                let held = draft.of(Table::Decisions).filter_map(|file| self.of(file));
                let verdicts = held.flat_map(|held| &held.verdicts).filter(|(campaign, _)| is(campaign));
                return verdicts.map(|(_, outcome)| outcome.clone()).collect();
            }
            // The audiences of a version that was brought back are those of then.
            n = draft.restored.filter(|then| *then < n).unwrap_or(n - 1);
        }
        Vec::new()
    }

    /// In which versions up to this one an audience would have taken them to a destination: in that one, or perhaps in one before.
    pub fn reached(&self, audience: &str, version: u64) -> Option<bool> {
        // Deliveries know an audience by its first name; versions have it under the name that it had then.
        let all = self.chain.latest().map(|latest| &latest.draft.names);
        let later =
            all.into_iter().flatten().filter(|(_, former)| former.first().is_some_and(|first| first == audience));
        let names: BTreeSet<&str> = later
            .flat_map(|(name, former)| std::iter::once(name).chain(former))
            .map(String::as_str)
            .chain([audience])
            .collect();
        let in_version = |n: u64| {
            let draft = &self.chain.version(n).ok()?.draft;
            let file = names.iter().find_map(|name| draft.audience(name))?;
            // Of what is not kept any longer nobody can tell.
            Some(if self.chain.is_kept(n) { self.of(file).is_none_or(|held| held.sent) } else { true })
        };
        if self.chain.is_kept(version) && in_version(version) == Some(true) {
            return Some(true);
        }
        (1..=version).any(|n| in_version(n) == Some(true)).then_some(false)
    }
}

/// Looks into every object of a store: how many there are, how many rows tables have, and the names of those that hold somebody.
pub(in crate::audience) async fn search(store: &Store, ids: &Ids) -> Result<(u64, u64, Vec<String>), Error> {
    let keys: Vec<Key> = store.objects_below(None).await?;
    let one = |key: Key| async move {
        let Some(bytes) = store.get(&key).await? else { return Ok((0, 0, None)) };
        let table = key.filename().is_some_and(|name| name.ends_with(".parquet"));
        // A manifest has the rules as they are written.
        let ids = if key.as_ref().starts_with("manifests/") { ids.in_rules() } else { ids.clone() };
        let found = tokio::task::spawn_blocking(move || searched(&ids, table, bytes)).await;
        let (rows, holds) = found.map_err(|e| Error::Engine { message: e.to_string(), help: None })??;
        Ok::<_, Error>((1, rows, holds.then(|| store.shown(&key))))
    };
    let all: Vec<(u64, u64, Option<String>)> =
        futures::stream::iter(keys).map(one).buffered(AT_ONCE).try_collect().await?;
    let objects = all.iter().map(|(objects, ..)| objects).sum();
    let rows = all.iter().map(|(_, rows, _)| rows).sum();
    Ok((objects, rows, all.into_iter().filter_map(|(.., holding)| holding).collect()))
}

/// The rows of a file, and whether it holds somebody. What can't be read as a table is searched as it is.
pub(in crate::audience) fn searched(ids: &Ids, table: bool, bytes: bytes::Bytes) -> Result<(u64, bool), Error> {
    let read = if table { decoded(bytes.clone()).ok() } else { None };
    let Some(batches) = read else { return Ok((0, ids.in_bytes(&bytes))) };
    let (mut rows, mut holds) = (0, false);
    for batch in &batches {
        rows += batch.num_rows() as u64;
        holds |= ids.held(batch)?.any();
    }
    Ok((rows, holds))
}
