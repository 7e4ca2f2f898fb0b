//! The store of results as what was published, and as the place of the states.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Field, Fields, Schema};
use async_trait::async_trait;
use object_store::path::Path;

use super::state::{self, Shelf, State};
use super::{Published, Reach, rows};
use crate::audience::campaign::SENT;
use crate::audience::store::{Chain, Draft, Entry, EntryKind, FileRef, Kind, PII, Store};
use crate::error::Error;
use crate::language::catalog::{Catalog, Destination};

#[async_trait]
impl Published for Store {
    async fn rows(&self, audience: &str, version: u64) -> Result<Option<Vec<RecordBatch>>, Error> {
        let chain = self.chain().await?;
        if !chain.is_kept(version) {
            return Ok(None);
        }
        match file(&chain, audience, &chain.version(version)?.draft) {
            Some(file) => Ok(Some(marked(self.read(file).await?, file)?)),
            None => Ok(None),
        }
    }

    async fn manifest(&self, version: u64) -> Result<String, Error> {
        Ok(self.chain().await?.version(version)?.sha256.clone())
    }

    async fn erasure(&self) -> Result<u64, Error> {
        let chain = self.chain().await?;
        let last = chain.versions().iter().rfind(|version| version.draft.kind == Kind::Erase);
        Ok(last.map_or(0, |version| version.version))
    }

    async fn reach(&self, audience: &str, version: u64) -> Result<Option<Reach>, Error> {
        let chain = self.chain().await?;
        let mut reach: Option<Reach> = None;
        let mut seen: Option<&str> = None;
        // A run takes out of a decision's audience whoever withdrew consent, was suppressed or erased since.
        let standing = standing(&chain, known_as(&chain, audience));
        let later = chain.versions().iter().zip(standing).filter(|(v, of)| v.version > version && *of == Some(version));
        for (later, _) in later.filter(|(later, _)| chain.is_kept(later.version)) {
            let Some(file) = file(&chain, audience, &later.draft) else { continue };
            if seen.replace(chain.resolve(file)) == Some(chain.resolve(file)) {
                continue;
            }
            let now = Reach::of(&self.read(file).await?);
            reach = Some(match reach {
                Some(before) => before.and(&now),
                None => now,
            });
        }
        Ok(reach)
    }
}

/// The rows of a file with the marks of its personal columns.
fn marked(batches: Vec<RecordBatch>, file: &FileRef) -> Result<Vec<RecordBatch>, Error> {
    let mark = |field: &Arc<Field>| match file.personal.contains(field.name()) {
        true => Arc::new(field.as_ref().clone().with_metadata([(PII.to_owned(), true.to_string())].into())),
        false => Arc::clone(field),
    };
    let with_marks = |batch: RecordBatch| {
        let fields: Fields = batch.schema().fields().iter().map(mark).collect();
        batch.with_schema(Arc::new(Schema::new(fields))).map_err(|e| rows::odd(&e))
    };
    batches.into_iter().map(with_marks).collect()
}

/// The file of an audience in a version, where it may stand under an earlier name.
fn file<'a>(chain: &Chain, audience: &str, draft: &'a Draft) -> Option<&'a FileRef> {
    let former = chain.former(audience).iter().rev().map(String::as_str);
    std::iter::once(audience).chain(former).find_map(|name| draft.audience(name))
}

/// By version, the one that decided what stands there of a campaign. The audiences of a version that was brought back are those of then.
fn standing(chain: &Chain, key: &str) -> Vec<Option<u64>> {
    let mut all: Vec<Option<u64>> = Vec::with_capacity(chain.versions().len());
    for version in chain.versions() {
        let then = match version.draft.restored {
            Some(then) => usize::try_from(then).ok().and_then(|then| then.checked_sub(1)),
            None => all.len().checked_sub(1),
        };
        let before = then.and_then(|then| all.get(then).copied()).flatten();
        all.push(if decides(&version.draft, key) { Some(version.version) } else { before });
    }
    all
}

/// Whether a version decided a campaign, by its first name.
fn decides(draft: &Draft, key: &str) -> bool {
    draft.decided.iter().any(|decided| decided.key == key)
}

/// The states of one audience at one destination, in a store of results. `known_as` is the first name that the audience had.
pub fn shelf(store: &Store, destination: &str, known_as: &str) -> Shelf {
    Shelf::new(store.objects(), &Path::default(), destination, known_as)
}

/// The first name of an audience, by which deliveries know it.
pub fn known_as<'a>(chain: &'a Chain, audience: &'a str) -> &'a str {
    chain.former(audience).first().map_or(audience, String::as_str)
}

/// The versions of an audience that are there to be delivered, ascending: of members the newest, of contacts those in which its
/// campaign was decided. Empty where there is none.
pub fn versions(chain: &Chain, audience: &str) -> Vec<u64> {
    let Some(latest) = chain.latest().filter(|latest| latest.draft.audience(audience).is_some()) else {
        return Vec::new();
    };
    if !is_contacts(chain, audience) {
        return vec![latest.version];
    }
    let key = known_as(chain, audience);
    let kept = chain.versions().iter().filter(|v| decides(&v.draft, key) && chain.is_kept(v.version));
    kept.map(|version| version.version).collect()
}

/// The versions that a destination waits for: decisions of campaigns of the newest version that it takes and does not have. Without a
/// catalog every destination counts that anything was delivered to.
pub async fn waiting(store: &Store, chain: &Chain, catalog: Option<&Catalog>) -> Result<BTreeSet<u64>, Error> {
    let states = state::all(&store.objects(), &Path::default()).await?;
    let mut waiting = BTreeSet::new();
    let entries = chain.latest().map_or(&[][..], |latest| latest.draft.program.as_slice());
    for Entry { name, .. } in entries.iter().filter(|entry| entry.kind == EntryKind::Campaign) {
        let key = known_as(chain, name);
        let mut decided = versions(chain, name);
        decided.retain(|n| chain.version(*n).is_ok_and(|version| sends(chain, name, &version.draft)));
        let has = |destination: &str| {
            states.iter().find(|(to, audience, _)| to == destination && audience == key).map(|(.., state)| state)
        };
        let all: Vec<&str> = match catalog {
            Some(catalog) => {
                catalog.destinations.iter().filter(|d| d.takes(name)).map(|d| d.name.name.as_str()).collect()
            }
            None => states.iter().filter(|(_, audience, _)| audience == key).map(|(to, ..)| to.as_str()).collect(),
        };
        for destination in all {
            let from = has(destination).and_then(State::wants);
            let last = decided.last().copied().filter(|_| from.is_none());
            let newer = decided.iter().copied().filter(|n| from.is_some_and(|from| *n >= from));
            waiting.extend(newer.chain(last));
        }
    }
    Ok(waiting)
}

/// Campaigns that the newest version does not have any more, with decisions since the last delivery to a destination: names and versions.
/// Nobody knows any longer whom of those contacts a channel may reach, so that they are not delivered.
pub async fn left_behind(
    store: &Store,
    chain: &Chain,
    destination: &Destination,
) -> Result<BTreeMap<String, Vec<u64>>, Error> {
    let states = state::all(&store.objects(), &Path::default()).await?;
    let to = states.iter().filter(|(to, ..)| *to == destination.name.name);
    let newest = to.filter_map(|(.., state)| Some(state.confirmed.as_ref()?.which.version)).max().unwrap_or(0);
    let entries = chain.latest().map_or(&[][..], |latest| latest.draft.program.as_slice());
    let there: BTreeSet<&str> = entries.iter().map(|entry| known_as(chain, &entry.name)).collect();
    let mut left: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for version in chain.versions().iter().filter(|version| version.version > newest) {
        let draft = &version.draft;
        for key in draft.decided.iter().map(|decided| &decided.key).filter(|key| !there.contains(key.as_str())) {
            let is = |former: &Vec<String>| former.first() == Some(key);
            let then = draft.names.iter().find(|(name, former)| is(former) && draft.audience(name).is_some());
            let name = then.map_or(key, |(name, _)| name);
            if destination.takes(name) && sends(chain, name, draft) {
                left.entry(name.clone()).or_default().push(version.version);
            }
        }
    }
    Ok(left)
}

/// Whether a decision contacted anybody who can be reached at all; where nothing is counted, it may have.
fn sends(chain: &Chain, audience: &str, draft: &Draft) -> bool {
    let count = file(chain, audience, draft).and_then(|file| draft.counts.get(&file.name));
    count.is_none_or(|count| count.outcomes.is_empty() || count.outcomes.contains_key(SENT))
}

/// Whether an audience is a campaign's.
pub fn is_contacts(chain: &Chain, audience: &str) -> bool {
    let entry = chain.latest().and_then(|latest| latest.draft.entry(audience));
    entry.is_some_and(|entry| entry.kind == EntryKind::Campaign)
}
