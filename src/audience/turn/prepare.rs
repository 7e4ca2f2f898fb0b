//! From a turn to a draft.
//!
//! Owns: which files a version has, its counts and its audits. Promises: what a campaign sends passed consent and suppression, asked once
//! more of the finished audience; a campaign that is not due keeps the audience of its last decision. Must not know: how a draft is
//! published.

use std::collections::BTreeMap;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::Int64Type;

use super::{Base, Job, Turn, digest, entries, tables};
use crate::audience::campaign::{Input, SENT};
use crate::audience::store::{
    self, Audience, Changes, Count, Decided, Draft, Entry, EntryKind, FileRef, Finding, Kind, Store, Table, Tool,
    changes,
};
use crate::engine;
use crate::error::Error;
use crate::language::calendar::tzdb_version;
use crate::language::ir::{RuleId, RuleKind};

/// A draft whose files are staged.
#[derive(Debug, Clone)]
pub struct Prepared {
    pub draft: Draft,
    /// What speaks against it; with any of these it is not published.
    pub findings: Vec<Finding>,
}

/// An audience on its way.
struct Kept {
    name: String,
    rows: RecordBatch,
    consented: Option<BooleanArray>,
    outcomes: BTreeMap<String, u64>,
    /// Its changes are history.
    segment: bool,
}

/// Stages what a turn decided, behind what it builds on.
pub async fn prepare(
    job: &Job<'_>,
    turn: &Turn,
    inputs: &[engine::inputs::Input],
    store: &Store,
    base: &Base,
) -> Result<Prepared, Error> {
    let input = turn.input(job);
    let before = base.latest();
    let declared = entries(job.project);
    let names = names(before, &declared);
    let mut draft = Draft {
        kind: Kind::Run,
        as_of: turn.clock.as_of,
        zone: turn.clock.zone.name().to_owned(),
        project: job.project.file.name.name.clone(),
        edition: job.project.file.edition.clone(),
        tool: Tool { version: env!("CARGO_PKG_VERSION").to_owned(), tzdb: tzdb_version().to_owned() },
        program: declared,
        rules: digest(job.project),
        inputs: inputs.iter().map(kept_input).collect(),
        names,
        ..Draft::default()
    };
    for decided in &turn.decisions.campaigns {
        if turn.due.get(decided.campaign).copied().unwrap_or(false) {
            draft.decided.push(Decided { key: decided.key.clone(), at: turn.clock.as_of });
        }
    }
    let audiences = audiences(job, turn, &input)?;
    let mut history = turn.decisions.history(&input)?;
    let mut moved: Vec<(&str, Changes)> = Vec::new();
    // Who was in a segment that is declared no longer is in it no longer: should it come back, nobody is a member since then.
    for file in before.into_iter().flat_map(|before| gone(before, &draft)) {
        let left = store.customers(file).await?;
        moved.push((&file.name, Changes { entered: left.slice(0, 0), left }));
    }
    for kept in &audiences {
        let file = store.stage(Table::Audience, &kept.name, std::slice::from_ref(&kept.rows)).await?;
        let now = column(&kept.rows)?;
        let was = match before.and_then(|draft_before| of_then(draft_before, &draft, &kept.name)) {
            Some(file) => store.customers(file).await?,
            None => now.slice(0, 0),
        };
        let found = changes(&was, now)?;
        let count = Count {
            members: now.len() as u64,
            entered: found.entered.len() as u64,
            left: found.left.len() as u64,
            outcomes: kept.outcomes.clone(),
        };
        draft.counts.insert(kept.name.clone(), count);
        draft.files.push(file);
        if kept.segment {
            moved.push((&kept.name, found));
        }
    }
    for (name, file, count) in standing(job, turn, before, &draft) {
        // Whoever withdrew consent, was suppressed or erased since is in it no more.
        let mut rows = Vec::new();
        for batch in store.read(&file).await? {
            let may = match count.outcomes.contains_key(SENT) {
                true => consented(&input, &batch)?,
                false => known(&input, &batch)?,
            };
            rows.push(filter_record_batch(&batch, &may).map_err(|why| odd(&why.to_string()))?);
        }
        let members = rows.iter().map(|batch| batch.num_rows() as u64).sum();
        draft.files.push(store.stage(Table::Audience, &name, &rows).await?);
        draft.counts.insert(name, Count { members, ..count });
    }
    let ids = turn.outcome.customers.data_type();
    history.push(store::membership(ids, turn.clock.as_of, &moved)?);
    let history = tables::in_order(tables::split(history));
    if !history.is_empty() {
        draft.files.push(store.stage(Table::History, "", &history).await?);
    }
    let decisions = turn.decisions.table(&input)?;
    if !decisions.is_empty() {
        draft.files.push(store.stage(Table::Decisions, "", &decisions).await?);
    }
    let asked: Vec<Audience<'_>> = audiences.iter().map(Kept::asked).collect();
    let findings = store::audit(before, &draft, &asked, &job.project.file.audits)?;
    Ok(Prepared { draft: draft.settled(), findings })
}

impl Kept {
    fn asked(&self) -> Audience<'_> {
        Audience { name: &self.name, rows: std::slice::from_ref(&self.rows), consented: self.consented.as_ref() }
    }
}

/// Every audience that was decided at this instant, by name.
fn audiences(job: &Job<'_>, turn: &Turn, input: &Input<'_>) -> Result<Vec<Kept>, Error> {
    let mut all = Vec::new();
    for (at, rule) in job.program.rules.iter().enumerate() {
        if matches!(rule.kind, RuleKind::Segment) {
            let (rows, name) = (tables::members(turn, at)?, rule.name.clone());
            all.push(Kept { name, rows, consented: None, outcomes: BTreeMap::new(), segment: true });
        }
    }
    for stages in &job.program.stages {
        let (rows, name) = (tables::stages(turn, stages)?, stages.name.clone());
        all.push(Kept { name, rows, consented: None, outcomes: BTreeMap::new(), segment: false });
    }
    for decided in &turn.decisions.campaigns {
        if !turn.due.get(decided.campaign).copied().unwrap_or(false) {
            continue;
        }
        let mut outcomes: BTreeMap<String, u64> = BTreeMap::new();
        for (_, verdict) in decided.pairs() {
            *outcomes.entry(verdict.outcome().to_owned()).or_default() += 1;
        }
        let rows = decided.audience(input)?;
        // Of what can't be delivered nobody is contacted, and nobody's consent is asked.
        let sends = outcomes.contains_key(SENT);
        let consented = sends.then(|| consented(input, &rows)).transpose()?;
        all.push(Kept { name: decided.name.clone(), rows, consented, outcomes, segment: false });
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(all)
}

/// Of each row of a campaign's audience, whether the customer may be reached on its channel. It is asked of the gates of the program by
/// the customer's id, not of what the decision found out.
fn consented(input: &Input<'_>, rows: &RecordBatch) -> Result<BooleanArray, Error> {
    let channels = rows.column_by_name("channel").and_then(|c| c.as_string_opt::<i32>());
    let channels = channels.ok_or_else(|| odd("the audience has no channels"))?;
    let mut found = Vec::with_capacity(rows.num_rows());
    for (row, at) in places(input.customers, column(rows)?).into_iter().enumerate() {
        let gate = channels.is_valid(row).then(|| channels.value(row));
        let gate = gate.and_then(|channel| input.program.gates.iter().find(|gate| gate.channel == channel));
        let holds = |rule: RuleId| {
            let bits = input.members.get(rule.0 as usize);
            bits.zip(at).is_some_and(|(bits, at)| at < bits.len() && bits.value(at))
        };
        found.push(at.is_some() && gate.is_some_and(|gate| holds(gate.consent) && !holds(gate.suppressed)));
    }
    Ok(BooleanArray::from(found))
}

/// Of each row, whether the customer is still one.
fn known(input: &Input<'_>, rows: &RecordBatch) -> Result<BooleanArray, Error> {
    Ok(places(input.customers, column(rows)?).into_iter().map(|at| Some(at.is_some())).collect())
}

/// Where each of some customers stands among all; both are in the order of ids.
fn places(all: &ArrayRef, some: &ArrayRef) -> Vec<Option<usize>> {
    fn merged<T: Ord>(all: impl Iterator<Item = T>, some: impl Iterator<Item = T>) -> Vec<Option<usize>> {
        let mut all = all.enumerate().peekable();
        let place = |id: T| {
            while all.next_if(|(_, other)| *other < id).is_some() {}
            all.peek().filter(|(_, other)| *other == id).map(|(at, _)| *at)
        };
        some.map(place).collect()
    }
    match (all.as_string_opt::<i32>(), some.as_string_opt::<i32>()) {
        (Some(all), Some(some)) => merged(all.iter(), some.iter()),
        _ => match (all.as_primitive_opt::<Int64Type>(), some.as_primitive_opt::<Int64Type>()) {
            (Some(all), Some(some)) => merged(all.iter(), some.iter()),
            _ => vec![None; some.len()],
        },
    }
}

fn odd(what: &str) -> Error {
    Error::Engine { message: format!("consent can't be asked: {what}"), help: None }
}

fn column(rows: &RecordBatch) -> Result<&ArrayRef, Error> {
    rows.columns().first().ok_or_else(|| Error::Engine { message: "an audience has no customers".into(), help: None })
}

/// Campaigns that are not decided now: what was published of them last.
fn standing(job: &Job<'_>, turn: &Turn, before: Option<&Draft>, draft: &Draft) -> Vec<(String, FileRef, Count)> {
    let Some(before) = before else { return Vec::new() };
    let waits = turn.decisions.campaigns.iter().filter(|d| !turn.due.get(d.campaign).copied().unwrap_or(false));
    let found = waits.filter_map(|decided| {
        let file = of_then(before, draft, &decided.name)?;
        let count = before.counts.get(&file.name).cloned().unwrap_or_default();
        Some((decided.name.clone(), file.clone(), Count { entered: 0, left: 0, ..count }))
    });
    let declared = |name: &str| job.program.rules.iter().any(|rule| rule.name == name);
    found.filter(|(name, ..)| declared(name)).collect()
}

/// Segments that were published and are declared no longer, under this or another name.
fn gone<'a>(before: &'a Draft, draft: &Draft) -> impl Iterator<Item = &'a FileRef> {
    let stays = |name: &str| {
        draft.program.iter().any(|entry| of_then(before, draft, &entry.name).is_some_and(|f| f.name == name))
    };
    let segment = |name: &str| before.entry(name).is_some_and(|entry| entry.kind == EntryKind::Segment);
    before.of(Table::Audience).filter(move |file| segment(&file.name) && !stays(&file.name))
}

/// The file of an audience as it was, perhaps under an earlier name.
fn of_then<'a>(before: &'a Draft, draft: &Draft, name: &str) -> Option<&'a FileRef> {
    draft.names_of(name).find_map(|name| before.audience(name))
}

/// All names that were ever had: those of before, and what `was` adds.
pub(super) fn names(before: Option<&Draft>, declared: &[Entry]) -> BTreeMap<String, Vec<String>> {
    let mut names = before.map(|draft| draft.names.clone()).unwrap_or_default();
    for entry in declared {
        if let Some(was) = &entry.was {
            let mut former = names.get(was).cloned().unwrap_or_default();
            former.push(was.clone());
            let mine = names.entry(entry.name.clone()).or_default();
            for name in former {
                // Its own name is among them where it was given back: the first one is what the history and the draws go by.
                if !mine.contains(&name) {
                    mine.push(name);
                }
            }
        }
    }
    names
}

fn kept_input(input: &engine::inputs::Input) -> store::Input {
    store::Input {
        source: input.name.clone(),
        files: input.files as u64,
        bytes: input.bytes,
        digest: input.digest.clone(),
    }
}
