//! Membership history of past days.
//!
//! Owns: who was in which segment on days before the first run, and what that makes of the first run's history. Promises: what the rules
//! say of those days now, not what was published then, for nothing was; no contact is made. Must not know: the machine's clock.
//!
//! All days are told by one pass over the data, see [`engine::run_each`]; days and segments are then taken in order.

use std::collections::BTreeMap;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::compute::{filter, filter_record_batch};
use arrow::datatypes::DataType;

use super::{Base, Job, entries, tables};
use crate::audience::store::{Changes, Draft, FileRef, Kind, Manifest, Store, Table, Tool, changes, membership};
use crate::engine;
use crate::error::Error;
use crate::language::calendar::{Clock, tzdb_version};
use crate::language::ir::{Rule, RuleKind};

/// What came of it.
pub struct Backfilled {
    pub draft: Draft,
    /// How many days there were.
    pub days: usize,
    /// Customers that entered and left, over all segments and days.
    pub entered: u64,
    pub left: u64,
    /// Rows of sources that were read.
    pub read: u64,
}

/// The draft of a backfill over instants, in ascending order, all of them before the first run.
pub async fn backfill(job: &Job<'_>, store: &Store, base: &Base, instants: &[Clock]) -> Result<Backfilled, Error> {
    let runs = base.chain.versions().iter().filter(|version| version.draft.kind == Kind::Run);
    let first = runs.min_by_key(|version| version.version);
    let (Some(from), Some(to)) = (instants.first(), instants.last()) else {
        return Err(Error::usage("there is no day between the two").with_help("`--from` is the earlier one"));
    };
    if first.is_some_and(|first| to.as_of >= first.draft.as_of) {
        return Err(Error::Refused {
            message: "runs have recorded some of these days".to_owned(),
            help: Some("a backfill ends before the first run: what runs recorded stays as it is".to_owned()),
        });
    }
    if base.chain.versions().iter().any(|version| version.draft.kind == Kind::Backfill) {
        return Err(Error::Refused {
            message: format!("days before {} were filled in before", shown(from)),
            help: Some("there is one backfill a store; a new store takes another".to_owned()),
        });
    }
    let is_segment = |rule: &Rule| matches!(rule.kind, RuleKind::Segment);
    // What asks for the history of others can't be told before there is one.
    let asks = |rule: &Rule| job.program.keep(|other| other.name == rule.name).asks_history(&job.project.catalog);
    let program = job.program.keep(|rule| is_segment(rule) && !asks(rule));
    let segments = || program.rules.iter().enumerate().filter(|(_, rule)| is_segment(rule));
    let mut members: BTreeMap<&str, ArrayRef> = BTreeMap::new();
    let mut history: Vec<RecordBatch> = Vec::new();
    let (mut entered, mut left) = (0, 0);
    let mut ids = DataType::Utf8;
    let request = engine::Instants {
        catalog: &job.project.catalog,
        program: &program,
        clocks: instants,
        root: &job.project.root,
        population: job.population,
        limits: job.limits,
        progress: job.progress.clone(),
    };
    let each = &mut |clock: &Clock, outcome: engine::Outcome| {
        ids = outcome.customers.data_type().clone();
        let mut moved: Vec<(&str, Changes)> = Vec::new();
        for (rule, Rule { name, .. }) in segments() {
            let Some(bits) = outcome.members.get(rule) else { continue };
            let now = filter(&outcome.customers, &BooleanArray::new(bits.clone(), None)).map_err(odd)?;
            let was = members.get(name.as_str()).cloned().unwrap_or_else(|| now.slice(0, 0));
            let found = changes(&was, &now)?;
            entered += found.entered.len() as u64;
            left += found.left.len() as u64;
            moved.push((name, found));
            members.insert(name, now);
        }
        history.push(membership(&ids, clock.as_of, &moved)?);
        Ok(())
    };
    let read = engine::run_each(request, each).await?;
    history.retain(|batch| batch.num_rows() > 0);
    let mut draft = match base.latest() {
        // What is published stays, and so does its place: only the history is longer.
        Some(latest) => {
            let files = latest.files.iter().filter(|file| file.table != Table::History).cloned().collect();
            Draft {
                kind: Kind::Backfill,
                files,
                decided: Vec::new(),
                restored: None,
                vacuumed: Vec::new(),
                replaced: BTreeMap::new(),
                spent: BTreeMap::new(),
                ..latest.clone()
            }
        }
        None => Draft {
            kind: Kind::Backfill,
            as_of: to.as_of,
            zone: to.zone.name().to_owned(),
            project: job.project.file.name.name.clone(),
            edition: job.project.file.edition.clone(),
            tool: Tool { version: env!("CARGO_PKG_VERSION").to_owned(), tzdb: tzdb_version().to_owned() },
            program: entries(job.project),
            ..Draft::default()
        },
    };
    if !history.is_empty() {
        draft.files.push(store.stage(Table::History, "", &history).await?);
    }
    match first {
        // Whoever was in on the last of the days did not enter with the first version that had the segment.
        Some(_) => {
            for (version, segments) in firsts(base, &members) {
                for file in version.draft.of(Table::History) {
                    let now = again(store, file, version.draft.as_of, &ids, &segments).await?;
                    // Perhaps an erasure has replaced it before.
                    let was = base.chain.resolve(file);
                    if now.sha256 != was {
                        draft.replaced.insert(was.to_owned(), now.sha256);
                    }
                }
            }
        }
        // The first run compares with the last of the days.
        None => {
            for (name, now) in &members {
                let file = store.stage(Table::Audience, name, &[tables::of(now)?]).await?;
                draft.files.push(file);
            }
        }
    }
    Ok(Backfilled { draft, days: instants.len(), entered, left, read })
}

/// A segment of the backfill in the first version that had it.
struct Met<'a> {
    /// As it was called then.
    name: &'a str,
    file: &'a FileRef,
    /// Its members on the last of the days.
    was: &'a ArrayRef,
}

/// The versions that had a segment of the backfill first, each with those segments, by the names of then.
fn firsts<'a>(base: &'a Base, members: &'a BTreeMap<&str, ArrayRef>) -> Vec<(&'a Manifest, Vec<Met<'a>>)> {
    let mut found: BTreeMap<u64, (&Manifest, Vec<Met<'_>>)> = BTreeMap::new();
    for (name, was) in members {
        let former = base.chain.former(name);
        let names = || std::iter::once(*name).chain(former.iter().map(String::as_str));
        let mut runs = base.chain.versions().iter().filter(|version| version.draft.kind == Kind::Run);
        let first = runs.find_map(|version| Some((version, names().find_map(|name| version.draft.audience(name))?)));
        if let Some((version, file)) = first {
            let met = Met { name: &file.name, file, was };
            found.entry(version.version).or_insert_with(|| (version, Vec::new())).1.push(met);
        }
    }
    found.into_values().collect()
}

/// The history of a version, of whose segments some are compared with the last of the days.
async fn again(store: &Store, file: &FileRef, at: i64, ids: &DataType, segments: &[Met<'_>]) -> Result<FileRef, Error> {
    let mut rows = Vec::new();
    for batch in store.read(file).await? {
        let text = |name: &str| batch.column_by_name(name).and_then(|c| c.as_string_opt::<i32>());
        let (events, names) = text("event").zip(text("name")).ok_or_else(|| odd("the history lacks columns"))?;
        let stays = |event: Option<&str>, name: Option<&str>| {
            let moved = matches!(event, Some("entered" | "left"));
            Some(!(moved && segments.iter().any(|segment| Some(segment.name) == name)))
        };
        let kept = BooleanArray::from_iter(events.iter().zip(names).map(|(event, name)| stays(event, name)));
        rows.push(filter_record_batch(&batch, &kept).map_err(odd)?);
    }
    let mut moved = Vec::new();
    for Met { name, file, was } in segments {
        moved.push((*name, changes(was, &store.customers(file).await?)?));
    }
    rows.push(membership(ids, at, &moved)?);
    let schema = rows.first().map(RecordBatch::schema);
    let mut parts = tables::in_order(tables::split(rows));
    if let (true, Some(schema)) = (parts.is_empty(), schema) {
        parts.push(RecordBatch::new_empty(schema));
    }
    store.stage(Table::History, "", &parts).await
}

fn odd(why: impl std::fmt::Display) -> Error {
    Error::Engine { message: format!("past days can't be filled in: {why}"), help: None }
}

fn shown(clock: &Clock) -> String {
    let date = crate::language::calendar::date_of(clock.zone.date(clock.as_of));
    format!("{:04}-{:02}-{:02}", date.year, date.month, date.day)
}
