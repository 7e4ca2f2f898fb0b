//! Erasure: a person is taken out of everything that Segue keeps.
//!
//! Owns: the order of the steps, and the receipt. Promises: called again after it broke off at any point it completes; a receipt says that
//! nothing is left only after everything was searched once more; neither the receipt nor the file of erased ids names anybody. Must not
//! know: the machine's clock, where secrets are; what is in the files of events and profiles, which are not Segue's.
//!
//! `ids` says where an id stands, `versions` takes it out of the store of results, `files` out of the project's folders.
//!
//! The steps: the file of erased ids (from here on no run has them), a receipt that is begun (who was told of them), the versions,
//! what deliveries keep, reports, what was begun and not ended, cache and files, the search, the receipt.

mod files;

pub(super) mod ids;

pub(super) mod versions;

use std::collections::BTreeSet;

use object_store::path::Path as Key;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::ids::Ids;
use self::versions::Looked;
use super::deliver::state;
use super::store::{ASIDE, Store, Tool, sha256};
use crate::engine::Limits;
use crate::engine::identities::kin;
use crate::engine::tables::erased::{self, Erased};
use crate::error::Error;
use crate::project::Project;

const SCHEMA: u32 = 1;
/// The folder of receipts in the store.
pub(super) const RECEIPTS: &str = "erasures";

/// Whom to erase, and where.
pub struct Request<'a> {
    pub project: &'a Project,
    /// Any ids of theirs.
    pub ids: &'a [String],
    pub limits: Limits,
    pub tool: Tool,
    /// The instant, as the receipt says it.
    pub at: &'a str,
    /// Only say what would be done.
    pub dry_run: bool,
}

/// What was done. It is JSON in the store of results, and names nobody.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    pub schema: u32,
    pub project: String,
    pub state: State,
    /// The instant of the call that said so.
    pub at: String,
    pub people: Vec<Person>,
    /// Entries that the file of erased ids did not have.
    pub entries: u64,
    /// The version without them, where there is a new one.
    pub version: Option<u64>,
    pub removed: Removed,
    /// Who was told of them, and must be told to forget them.
    pub destinations: Vec<Destination>,
    pub searched: Searched,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nothing was changed: a dry run.
    Asked,
    /// A call broke off; the next completes it.
    Begun,
    /// Nothing is left.
    Done,
}

/// One who is erased, by entries as the file of erased ids has them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub asked: String,
    /// All ids that are linked, the one that was asked for included.
    pub ids: Vec<String>,
}

/// What was taken out, by this call and by those before that broke off.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    /// Data files of the store of results, with rows of theirs.
    pub data_files: u64,
    pub rows: u64,
    /// Cells of others' rows that named them.
    #[serde(default)]
    pub cells: u64,
    /// Rows in dead letters of deliveries.
    pub letters: u64,
    /// Reports of audits that named them.
    pub reports: u64,
    /// Objects that somebody began to write and did not end.
    pub unfinished: u64,
    pub cache: bool,
    /// Files of audiences in the project's `output`.
    pub output_files: u64,
    pub output_rows: u64,
    #[serde(default)]
    pub output_cells: u64,
    /// Those that went as a whole: they could not be read, or what their columns are called names somebody.
    #[serde(default)]
    pub output_whole: u64,
}

/// A destination that confirmed what held them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Destination {
    pub destination: String,
    pub audience: String,
    /// What it has.
    pub version: u64,
    /// They are in that version; otherwise they were in one before, or nobody knows any more.
    pub in_it: bool,
}

/// What was looked into at the end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Searched {
    pub objects: u64,
    pub rows: u64,
    /// How many of them hold somebody.
    pub holding: u64,
}

/// Erases. `told` hears who was told of them before anything is taken away.
pub async fn erase(
    request: &Request<'_>,
    store: Option<&Store>,
    told: &(dyn Fn(&[Destination]) + Send + Sync),
) -> Result<Receipt, Error> {
    let Request { project, dry_run, .. } = *request;
    let kin = kin(&project.catalog, &project.root, request.limits, request.ids).await?;
    let all: BTreeSet<String> = kin.iter().flat_map(|kin| kin.ids.iter().cloned()).collect();
    let ids = Ids::new(all.iter().cloned());
    let mut people: Vec<Person> = kin
        .iter()
        .map(|kin| Person {
            asked: erased::entry(&kin.asked),
            ids: kin.ids.iter().map(|id| erased::entry(id)).collect(),
        })
        .collect();
    people.sort_by(|a, b| a.asked.cmp(&b.asked));
    people.dedup();
    let mut receipt = Receipt {
        schema: SCHEMA,
        project: project.file.name.name.clone(),
        state: if dry_run { State::Asked } else { State::Begun },
        at: request.at.to_owned(),
        people,
        entries: 0,
        version: None,
        removed: Removed::default(),
        destinations: Vec::new(),
        searched: Searched::default(),
    };
    let list = &project.file.erased.name;
    if dry_run {
        let known = Erased::read(&project.root, list)?;
        receipt.entries = all.iter().filter(|id| !known.has(id)).count() as u64;
    } else {
        receipt.entries = erased::add(&project.root, list, &all)?;
    }
    if let Some(store) = store {
        in_store(request, store, &ids, &mut receipt, told).await?;
    }
    let cleared = files::clear(project, &ids, dry_run)?;
    receipt.removed.cache |= cleared.cache;
    receipt.removed.output_files = receipt.removed.output_files.max(cleared.files);
    receipt.removed.output_rows = receipt.removed.output_rows.max(cleared.rows);
    receipt.removed.output_cells = receipt.removed.output_cells.max(cleared.cells);
    receipt.removed.output_whole = receipt.removed.output_whole.max(cleared.whole);
    if dry_run {
        return Ok(receipt);
    }
    finish(request, store, &ids, &all, &mut receipt).await?;
    Ok(receipt)
}

/// Everything in the store of results, from the receipt that is begun on.
async fn in_store(
    request: &Request<'_>,
    store: &Store,
    ids: &Ids,
    receipt: &mut Receipt,
    told: &(dyn Fn(&[Destination]) + Send + Sync),
) -> Result<(), Error> {
    let looked = versions::look(store, ids).await?;
    let mut found = destinations(store, &looked).await?;
    let letters = letters(store, ids).await?;
    let reports = naming(store, ids, "reports").await?;
    let unfinished = store.objects_below(Some(ASIDE)).await?;
    receipt.removed = Removed {
        data_files: looked.holding().count() as u64,
        rows: looked.holding().map(|(_, held)| held.rows).sum(),
        cells: looked.holding().map(|(_, held)| held.cells).sum(),
        letters: letters.iter().map(|(_, rows, _)| rows).sum(),
        reports: reports.len() as u64,
        unfinished: unfinished.len() as u64,
        ..Removed::default()
    };
    // What an earlier call found and did not get round to saying.
    if let Some(before) = read(store, receipt).await? {
        found.extend(before.destinations);
        if before.state == State::Begun {
            receipt.removed = receipt.removed.with(before.removed);
            receipt.entries = receipt.entries.max(before.entries);
            receipt.version = before.version;
        }
    }
    receipt.destinations = found.into_iter().collect();
    told(&receipt.destinations);
    if request.dry_run {
        return Ok(());
    }
    write(store, receipt).await?;
    if let Some(version) = versions::rewrite(store, ids, &looked, &request.tool).await? {
        receipt.version = Some(version.version);
        write(store, receipt).await?;
    }
    for (key, _, bytes) in letters {
        store.put(&key, bytes).await?;
    }
    for key in reports.iter().chain(&unfinished) {
        store.delete(key).await?;
    }
    Ok(())
}

/// Who was told of them, as far as the versions tell.
pub(super) async fn destinations(store: &Store, looked: &Looked) -> Result<BTreeSet<Destination>, Error> {
    let mut found = BTreeSet::new();
    for (destination, audience, state) in state::all(&store.objects(), &Key::default()).await? {
        // Of what is underway some batches may be there.
        let underway = state.underway.as_ref().map(|underway| underway.which.version);
        let versions = state.confirmed.as_ref().map(|done| done.which.version).into_iter().chain(underway);
        for version in versions {
            if let Some(in_it) = looked.reached(&audience, version) {
                let (destination, audience) = (destination.clone(), audience.clone());
                found.insert(Destination { destination, audience, version, in_it });
            }
        }
    }
    Ok(found)
}

/// Searches everything, and says so.
async fn finish(
    request: &Request<'_>,
    store: Option<&Store>,
    ids: &Ids,
    all: &BTreeSet<String>,
    receipt: &mut Receipt,
) -> Result<(), Error> {
    let project = request.project;
    let (mut objects, mut rows, mut holding) = files::search(project, ids)?;
    if let Some(store) = store {
        let (more, more_rows, still) = versions::search(store, ids).await?;
        objects += more;
        rows += more_rows;
        holding.extend(still);
    }
    // Two that write it at once: the later one may have taken the entries of the other away.
    let known = Erased::read(&project.root, &project.file.erased.name)?;
    if !all.iter().all(|id| known.has(id)) {
        return Err(Error::data(format!("`{}` was written by somebody else meanwhile", project.file.erased.name))
            .with_help("call it again: the entries are not all there"));
    }
    receipt.searched = Searched { objects, rows, holding: holding.len() as u64 };
    if !holding.is_empty() {
        let told: String = holding.iter().take(20).map(|name| format!("\n  {name}")).collect();
        return Err(Error::data(format!("{} still hold somebody who was to be erased:{told}", holding.len())).with_help(
            "what a run that was at work meanwhile has left goes when it is called again; a manifest is never written anew: where \
             a rule names a person, take that out and begin a new store",
        ));
    }
    receipt.state = State::Done;
    match store {
        Some(store) => write(store, receipt).await,
        None => Ok(()),
    }
}

impl Removed {
    /// What was found, where an earlier call may have taken a part of it away.
    fn with(self, before: Removed) -> Removed {
        Removed {
            data_files: self.data_files.max(before.data_files),
            rows: self.rows.max(before.rows),
            cells: self.cells.max(before.cells),
            letters: self.letters.max(before.letters),
            reports: self.reports.max(before.reports),
            unfinished: self.unfinished.max(before.unfinished),
            cache: self.cache || before.cache,
            output_files: self.output_files.max(before.output_files),
            output_rows: self.output_rows.max(before.output_rows),
            output_cells: self.output_cells.max(before.output_cells),
            output_whole: self.output_whole.max(before.output_whole),
        }
    }
}

/// What the receipt is called: the same for the same people.
fn key(receipt: &Receipt) -> Key {
    let asked: Vec<&str> = receipt.people.iter().map(|person| person.asked.as_str()).collect();
    let sum = sha256(asked.join("\n").as_bytes());
    Key::from(format!("{RECEIPTS}/{}.json", sum.get(..16).unwrap_or_default()))
}

impl Receipt {
    /// Its name in the store of results.
    pub fn name(&self) -> String {
        key(self).to_string()
    }
}

async fn read(store: &Store, receipt: &Receipt) -> Result<Option<Receipt>, Error> {
    let bytes = store.get(&key(receipt)).await?;
    // One that does not read is written anew.
    Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).filter(|before: &Receipt| before.schema == SCHEMA))
}

async fn write(store: &Store, receipt: &Receipt) -> Result<(), Error> {
    let text =
        serde_json::to_string_pretty(receipt).map_err(|e| Error::Engine { message: e.to_string(), help: None })?;
    store.put(&key(receipt), (text + "\n").into_bytes()).await
}

/// The dead letters that hold them: names, rows of theirs, and what the letters are without these.
async fn letters(store: &Store, ids: &Ids) -> Result<Vec<(Key, u64, Vec<u8>)>, Error> {
    let mut found = Vec::new();
    for key in state::letters(&store.objects(), &Key::default()).await? {
        let Some(bytes) = store.get(&key).await? else { continue };
        let mut letter: Value = serde_json::from_slice(&bytes).map_err(|why| {
            Error::data(format!("`{}` can't be read: {why}", store.shown(&key)))
                .with_help("a dead letter is JSON; deliver everything once (`--full`), which takes it away")
        })?;
        if !ids.in_json(&letter) {
            continue;
        }
        let rows = ids.scrub(&mut letter).rows;
        // Nobody knows whom the receiver spoke of.
        if let Some(answer) = letter.get_mut("answer") {
            *answer = Value::Null;
        }
        found.push((key, rows, format!("{letter:#}\n").into_bytes()));
    }
    Ok(found)
}

/// The objects of a folder that name them.
async fn naming(store: &Store, ids: &Ids, folder: &str) -> Result<Vec<Key>, Error> {
    let mut found = Vec::new();
    for key in store.objects_below(Some(folder)).await? {
        let bytes = store.get(&key).await?;
        if bytes.is_some_and(|bytes| ids.in_bytes(&bytes)) {
            found.push(key);
        }
    }
    Ok(found)
}
