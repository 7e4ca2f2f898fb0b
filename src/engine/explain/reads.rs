//! What is read of each table, and who needs it.
//!
//! Owns: columns, events, times, files and rows that a run reads and leaves. Promises: as footers and folders tell; no row is read.
//! Must not know: how it is shown.

use std::collections::{BTreeMap, BTreeSet};

use super::cost::Piece;
use super::narrate::Narrator;
use super::{Decision, Engine, Way};
use crate::engine::plan::lower::{self, Lowered, Parts, Table, lower};
use crate::engine::run::Request;
use crate::engine::tables::prune::{Asked, Part, Reading};
use crate::engine::tables::{Opened, Tables};
use crate::language::catalog::{Catalog, ColumnRef, RawMatch};

/// What is read of one table.
#[derive(Debug, Clone)]
pub struct TableRead {
    pub what: What,
    pub name: String,
    /// The columns that are needed, sorted.
    pub columns: Vec<String>,
    /// How many columns its files have, folders included.
    pub width: usize,
    /// The events that rules ask for, in the order of the catalog.
    pub events: Vec<EventRead>,
    /// All rows matter, whatever the rules ask: they say who the customers are.
    pub everyone: bool,
    /// How the rows of a source come.
    pub way: Option<Way>,
    /// How often a pass reads it: a source once, and once more for each event whose repeats collapse.
    pub scans: usize,
    /// Rows and files there are, and the files' bytes.
    pub rows: u64,
    pub files: usize,
    pub bytes: u64,
    /// What all scans together read.
    pub read: Read,
}

/// What is read, of what there is, scan by scan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Read {
    pub files: Part,
    /// None where the files are no Parquet files.
    pub row_groups: Part,
    /// Of the columns that are needed, in the files that tell where their pages are.
    pub pages: Part,
    pub rows: Part,
    /// Compressed, of the columns that are needed and of all.
    pub bytes: Part,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    Source,
    Profile,
    List,
    Lookup,
    Links,
}

/// An event that rules ask for.
#[derive(Debug, Clone)]
pub struct EventRead {
    pub name: String,
    /// The raw names as the files have them; a prefix ends in `*`. Empty where every row is this event.
    pub raw: Vec<String>,
    /// What the catalog asks of the rows.
    pub filter: Option<String>,
    /// The widest time that is asked for, `[from, to)` in microseconds; `i64::MIN` is from the beginning.
    pub from: i64,
    pub to: i64,
}

impl Read {
    fn scan(&mut self, reading: &Reading) {
        let sums = [
            (&mut self.files, reading.files),
            (&mut self.row_groups, reading.row_groups),
            (&mut self.pages, reading.pages),
            (&mut self.rows, reading.rows),
            (&mut self.bytes, reading.bytes),
        ];
        sums.into_iter().for_each(|(sum, part)| sum.add(part.read, part.all));
    }
}

/// What is read of each table.
pub fn reads(
    catalog: &Catalog,
    tables: &Tables,
    parts: &Parts,
    narrator: &Narrator<'_>,
    decision: &Decision,
) -> Vec<TableRead> {
    let mut out: Vec<TableRead> = Vec::new();
    let mut lookups: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    for (b, lowered) in parts.branches.iter().enumerate() {
        let Some((what, opened)) = table(tables, lowered.table) else { continue };
        let mut columns = keys(catalog, opened, lowered);
        for at in &lowered.refs {
            match at {
                ColumnRef::Own(column) => {
                    columns.insert(column.clone());
                }
                ColumnRef::Lookup { lookup, on, column } => {
                    columns.insert(on.clone());
                    lookups.entry(lookup.index()).or_default().insert(column.clone());
                }
            }
        }
        let asked = asked(catalog, lowered);
        let events = events(catalog, lowered, b, narrator);
        let scan = match (&asked, &opened.inputs) {
            // Standard aggregates read all rows.
            (Some(asked), Some(inputs)) if decision.engine == Engine::Kernel => Some(inputs.asked(asked, None, None).1),
            _ => None,
        };
        // A source has more branches where repeats of an event collapse; it is one table.
        let known = out.iter_mut().find(|read| read.what == what && read.name == lowered.branch.label);
        let read = match known {
            Some(known) => {
                columns.extend(std::mem::take(&mut known.columns));
                known.columns = columns.into_iter().collect();
                known
            }
            None => {
                let way = decision.sources.iter().find(|(name, _)| *name == lowered.branch.label);
                let way = way.filter(|_| what == What::Source).map(|(_, way)| way.clone());
                let whole = whole(what, &lowered.branch.label, columns, opened);
                let nothing = if scan.is_some() { Read::default() } else { whole.read };
                out.push(TableRead { way, scans: 0, read: nothing, ..whole });
                let Some(last) = out.last_mut() else { continue };
                last
            }
        };
        read.events.extend(events);
        read.everyone |= lowered.branch.keep_all;
        read.scans += 1;
        if let Some(scan) = scan {
            read.read.scan(&scan);
        }
    }
    for (l, mut columns) in lookups {
        let (Some(lookup), Some(Some(opened))) = (catalog.lookups.get(l), tables.lookups.get(l)) else { continue };
        columns.insert(lookup.key.clone());
        out.push(whole(What::Lookup, &lookup.name.name, columns, opened));
    }
    let links = catalog.identities.iter().flat_map(|i| &i.links);
    out.extend(links.zip(&tables.links).map(|(table, opened)| {
        let columns = [Some(&table.from), Some(&table.to), table.time.as_ref()];
        whole(What::Links, &table.name.name, columns.into_iter().flatten().cloned().collect(), opened)
    }));
    out
}

/// The rows that are read, by who needs them: each rule is lowered alone, and says what it would read.
pub fn pieces(request: &Request<'_>, tables: &Tables, rules: &[usize]) -> Vec<Piece> {
    // Of each table its row groups: the rules that ask for rows of it, and of how many at the most.
    let mut groups: BTreeMap<Table, Vec<(Vec<usize>, u64)>> = BTreeMap::new();
    for &rule in rules {
        let Some(name) = request.program.rules.get(rule).map(|rule| &rule.name) else { continue };
        let alone = request.program.keep(|rule| rule.name == *name);
        let parts = lower(request.catalog, &alone, request.clock, lower::Asked::default());
        for lowered in &parts.branches {
            let Some((_, opened)) = table(tables, lowered.table) else { continue };
            let needed = match (asked(request.catalog, lowered), &opened.inputs) {
                (Some(asked), Some(inputs)) => inputs.row_groups(&asked),
                _ => vec![all(opened.rows)],
            };
            let known = groups.entry(lowered.table).or_insert_with(|| vec![(Vec::new(), 0); needed.len()]);
            for ((rules, rows), needed) in known.iter_mut().zip(needed).filter(|(_, needed)| needed.read > 0) {
                *rows = needed.read.max(*rows);
                if rules.last() != Some(&rule) {
                    rules.push(rule);
                }
            }
        }
    }
    let mut pieces: BTreeMap<Vec<usize>, u64> = BTreeMap::new();
    for (rules, rows) in groups.into_values().flatten().filter(|(rules, _)| !rules.is_empty()) {
        *pieces.entry(rules).or_default() += rows;
    }
    pieces.into_iter().map(|(rules, rows)| Piece { weight: rows as f64, rules }).collect()
}

fn asked<'a>(catalog: &'a Catalog, lowered: &'a Lowered) -> Option<Asked<'a>> {
    let Table::Source(s) = lowered.table else { return None };
    Some(Asked { source: catalog.sources.get(s as usize)?, lowered })
}

fn table(tables: &Tables, of: Table) -> Option<(What, &Opened)> {
    Some(match of {
        Table::Source(s) => (What::Source, tables.sources.get(s as usize)?.as_ref()?),
        Table::Profile => (What::Profile, tables.profile.as_ref()?),
        Table::List(l) => (What::List, tables.lists.get(l as usize)?.as_ref()?),
    })
}

fn all(n: u64) -> Part {
    Part { read: n, all: n }
}

/// A table of which every row is read, once.
fn whole(what: What, name: &str, columns: BTreeSet<String>, opened: &Opened) -> TableRead {
    let names: Vec<&str> = columns.iter().map(String::as_str).collect();
    let inputs = opened.inputs.as_ref();
    let nothing = Part::default();
    let whole = inputs.map_or((nothing, nothing, all(opened.bytes)), |inputs| inputs.whole(&names));
    let (row_groups, pages, bytes) = whole;
    TableRead {
        what,
        name: name.to_owned(),
        width: inputs.map_or(columns.len(), |inputs| inputs.columns().len()),
        columns: columns.into_iter().collect(),
        events: Vec::new(),
        everyone: false,
        way: None,
        scans: 1,
        rows: opened.rows,
        files: opened.files,
        bytes: opened.bytes,
        read: Read { files: all(opened.files as u64), row_groups, pages, rows: all(opened.rows), bytes },
    }
}

/// The columns that say whose row it is, when, and what.
fn keys(catalog: &Catalog, opened: &Opened, lowered: &Lowered) -> BTreeSet<String> {
    let columns: Vec<&String> = match lowered.table {
        Table::Source(s) => catalog.sources.get(s as usize).map_or_else(Vec::new, |source| {
            let named = lowered.branch.kinds.iter().any(|kind| kind.exact.is_some());
            [Some(&source.customer), Some(&source.time), source.event.as_ref().filter(|_| named)]
                .into_iter()
                .flatten()
                .collect()
        }),
        Table::Profile => catalog.profile.as_ref().map_or_else(Vec::new, |profile| {
            [Some(&profile.customer), profile.created.as_ref(), profile.updated_at.as_ref()]
                .into_iter()
                .flatten()
                .collect()
        }),
        Table::List(_) => opened.schema.fields().first().map(|f| f.name()).into_iter().collect(),
    };
    columns.into_iter().cloned().collect()
}

/// The events of a branch that some pattern asks for.
fn events(catalog: &Catalog, lowered: &Lowered, b: usize, narrator: &Narrator<'_>) -> Vec<EventRead> {
    let asked = asked(catalog, lowered);
    let kinds = lowered.branch.kinds.iter().enumerate();
    let wanted = kinds.filter(|(_, kind)| lowered.branch.rows.happens() && !kind.patterns.is_empty());
    wanted
        .map(|(k, kind)| {
            let raw = kind.event.and_then(|e| catalog.events.get(e as usize)).map(|event| &event.raw);
            let raw = match raw {
                Some(RawMatch::Names { exact, prefixes }) => {
                    exact.iter().cloned().chain(prefixes.iter().map(|p| format!("{p}*"))).collect()
                }
                _ => Vec::new(),
            };
            let (from, to) = asked.and_then(|asked| asked.when(kind)).unwrap_or((i64::MIN, lowered.branch.as_of));
            EventRead { name: narrator.kind(b, k), raw, filter: narrator.filter(b, k), from, to }
        })
        .collect()
}
