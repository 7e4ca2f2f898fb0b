//! All that is known of one person.
//!
//! Owns: the access export: what the files hold, and what runs left. Promises: whole rows of every id that is linked; events in the order of
//! time, all else in the order of versions; an audience or a decision that several versions share is told once, of the first. Must not
//! know: how it is shown.

use std::collections::BTreeSet;

use arrow::array::RecordBatch;
use arrow::compute::filter_record_batch;
use serde::Serialize;
use serde_json::Value;

use super::deliver::rows;
use super::erase::ids::Ids;
use super::erase::versions::{self, Looked};
use super::erase::{Destination, destinations};
use super::store::{EntryKind, FileRef, Store, Table};
use crate::engine::Limits;
use crate::engine::identities::kin;
use crate::engine::person::{self, Kind};
use crate::engine::tables::erased::Erased;
use crate::error::Error;
use crate::project::Project;

/// The version of the JSON; fields are only ever added.
const SCHEMA: u32 = 1;

/// Everything about one person. Instants are RFC 3339 in UTC, amounts are text.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Person {
    pub schema: u32,
    pub project: String,
    /// The id that was asked for.
    pub id: String,
    pub customer: String,
    /// All ids of that customer.
    pub ids: Vec<String>,
    /// Whether anything at all is known.
    pub known: bool,
    /// No run has this customer any more.
    pub erased: bool,
    /// Rows of the profiles, with all columns.
    pub profiles: Vec<Value>,
    /// Rows of link tables.
    pub links: Vec<OfTable>,
    /// Names of lists.
    pub lists: Vec<String>,
    /// In the order of time; those without a time first.
    pub events: Vec<Event>,
    /// Audiences of the newest version.
    pub audiences: Vec<Membership>,
    /// Entered and left, contacted and held out.
    pub history: Vec<Value>,
    pub decisions: Vec<Published>,
    /// What campaigns said of them, payload and all.
    pub campaigns: Vec<Published>,
    /// Destinations that were told of them.
    pub deliveries: Vec<Destination>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OfTable {
    pub table: String,
    pub row: Value,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    pub source: String,
    /// As the catalog reads it.
    pub time: Option<String>,
    /// All columns of the file.
    pub row: Value,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Membership {
    pub audience: String,
    /// `segment`, `campaign`, `stages`.
    pub kind: Option<EntryKind>,
    pub row: Value,
}

/// A row of a version.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Published {
    pub version: u64,
    pub as_of: String,
    /// Of an audience its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    pub row: Value,
}

/// Finds everything about the person of an id.
pub async fn person(project: &Project, limits: Limits, id: &str, store: Option<&Store>) -> Result<Person, Error> {
    let asked = [id.to_owned()];
    let kin = kin(&project.catalog, &project.root, limits, &asked).await?.into_iter().next();
    let (customer, ids) = kin.map_or_else(|| (id.to_owned(), asked.to_vec()), |kin| (kin.customer, kin.ids));
    let erased = Erased::read(&project.root, &project.file.erased.name)?;
    let mut person = Person {
        schema: SCHEMA,
        project: project.file.name.name.clone(),
        id: id.to_owned(),
        erased: erased.has(&customer),
        customer,
        ids,
        known: false,
        profiles: Vec::new(),
        links: Vec::new(),
        lists: Vec::new(),
        events: Vec::new(),
        audiences: Vec::new(),
        history: Vec::new(),
        decisions: Vec::new(),
        campaigns: Vec::new(),
        deliveries: Vec::new(),
    };
    in_files(project, limits, &mut person).await?;
    if let Some(store) = store {
        in_store(store, &mut person).await?;
    }
    let lists = [person.profiles.len(), person.links.len(), person.lists.len(), person.events.len()];
    let kept = [person.history.len(), person.decisions.len(), person.campaigns.len(), person.audiences.len()];
    person.known = lists.iter().chain(&kept).any(|&rows| rows > 0);
    Ok(person)
}

async fn in_files(project: &Project, limits: Limits, person: &mut Person) -> Result<(), Error> {
    let mut events: Vec<(Option<i64>, Event)> = Vec::new();
    for found in person::rows(&project.catalog, &project.root, limits, &person.ids).await? {
        if found.kind == Kind::List {
            person.lists.push(found.name);
            continue;
        }
        let mut times = found.times.into_iter();
        for row in objects(&found.rows)? {
            match found.kind {
                Kind::Profile => person.profiles.push(row),
                Kind::Link => person.links.push(OfTable { table: found.name.clone(), row }),
                _ => {
                    let time = times.next().flatten();
                    let event = Event { source: found.name.clone(), time: time.map(rows::instant), row };
                    events.push((time, event));
                }
            }
        }
    }
    // Of the same instant by their text, so that neither files nor threads decide.
    events.sort_by_cached_key(|(time, event)| (*time, event.source.clone(), event.row.to_string()));
    person.events = events.into_iter().map(|(_, event)| event).collect();
    person.profiles.sort_by_cached_key(Value::to_string);
    person.links.sort_by_cached_key(|link| (link.table.clone(), link.row.to_string()));
    Ok(())
}

fn objects(batches: &[RecordBatch]) -> Result<Vec<Value>, Error> {
    let mut all = Vec::new();
    for batch in batches {
        let batch = rows::readable(batch)?;
        all.extend((0..batch.num_rows()).map(|row| rows::object(&batch, row)));
    }
    Ok(all)
}

async fn in_store(store: &Store, person: &mut Person) -> Result<(), Error> {
    let ids = Ids::new(person.ids.iter().cloned());
    let looked = versions::look(store, &ids).await?;
    let chain = &looked.chain;
    for file in chain.history() {
        person.history.extend(theirs(store, &ids, &looked, &file).await?);
    }
    let mut seen = BTreeSet::new();
    for version in chain.versions().iter().filter(|version| chain.is_kept(version.version)) {
        let (n, as_of) = (version.version, rows::instant(version.draft.as_of));
        for file in &version.draft.files {
            let campaign = version.draft.entry(&file.name).is_some_and(|entry| entry.kind == EntryKind::Campaign);
            let told = match file.table {
                Table::Decisions => &mut person.decisions,
                Table::Audience if campaign => &mut person.campaigns,
                _ => continue,
            };
            if !seen.insert((file.name.clone(), chain.resolve(file).to_owned())) {
                continue;
            }
            let audience = Some(file.name.clone()).filter(|_| campaign);
            for row in theirs(store, &ids, &looked, file).await? {
                told.push(Published { version: n, as_of: as_of.clone(), audience: audience.clone(), row });
            }
        }
    }
    if let Some(version) = chain.latest() {
        for file in version.draft.of(Table::Audience) {
            let kind = version.draft.entry(&file.name).map(|entry| entry.kind);
            for row in theirs(store, &ids, &looked, file).await? {
                person.audiences.push(Membership { audience: file.name.clone(), kind, row });
            }
        }
    }
    person.deliveries = destinations(store, &looked).await?.into_iter().collect();
    Ok(())
}

/// The person's rows of a file.
async fn theirs(store: &Store, ids: &Ids, looked: &Looked, file: &FileRef) -> Result<Vec<Value>, Error> {
    if looked.of(file).is_none_or(|held| held.rows == 0) {
        return Ok(Vec::new());
    }
    let odd = |e: arrow::error::ArrowError| Error::Engine { message: e.to_string(), help: None };
    let mut found = Vec::new();
    for batch in store.read(file).await? {
        found.push(filter_record_batch(&batch, &ids.theirs(&batch)?).map_err(odd)?);
    }
    objects(&found)
}
