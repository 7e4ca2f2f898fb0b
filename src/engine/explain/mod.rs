//! What a run would do, before it does it.
//!
//! Owns: the description of a run as plain data: what is read of which table, the terms that rules share, who uses what.
//! Promises: only footers are read; the same project and files give the same description. Must not know: how it is shown.

mod analyze;

mod cost;

mod narrate;

mod uses;

mod words;

use std::collections::{BTreeMap, BTreeSet};

use super::plan::lower::{Asked, Lowered, Parts, Table, lower};
use super::plan::program::{Rows, Term};
use super::run::{Request, passes};
use super::tables::{self, Opened, Tables};
use crate::error::Error;
use crate::language::catalog::{Catalog, ColumnRef, RawMatch};
pub use narrate::Matched;
use narrate::Narrator;

pub use analyze::{Analysis, analyze};
pub use cost::{Cost, Piece};
pub use uses::Uses;
pub use words::instant;

/// A run, described.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// In the order of the catalog: sources, profile, lists, look-ups, link tables.
    pub tables: Vec<TableRead>,
    pub patterns: Vec<PatternUse>,
    /// What is counted, summed or picked over one pattern and one window.
    pub terms: Vec<TermUse>,
    /// What needs a customer's events in the order of time.
    pub stories: Vec<StoryUse>,
    /// In the order of the program.
    pub rules: Vec<RuleUse>,
    pub sharing: Sharing,
    /// Rows to be read, and the rules that need them.
    pub pieces: Vec<Piece>,
    /// Over how many shares of the customers the files are read, one after the other.
    pub passes: usize,
    /// So many at a time, where the store is compacted and a pass reads files of its own.
    pub at_once: Option<usize>,
}

impl Explanation {
    /// The rules that were asked for.
    pub fn asked(&self) -> Vec<usize> {
        self.rules.iter().enumerate().filter(|(_, rule)| !rule.helper).map(|(i, _)| i).collect()
    }
}

/// What is read of one table.
#[derive(Debug, Clone)]
pub struct TableRead {
    pub what: What,
    pub name: String,
    /// The columns that are needed, sorted.
    pub columns: Vec<String>,
    /// The events that rules ask for, in the order of the catalog.
    pub events: Vec<EventRead>,
    /// All rows matter, whatever the rules ask: they say who the customers are.
    pub everyone: bool,
    /// Rows, files and bytes there are.
    pub rows: u64,
    pub files: usize,
    pub bytes: u64,
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
}

/// Rows that are told apart from all others.
#[derive(Debug, Clone)]
pub struct PatternUse {
    pub matched: Matched,
    pub words: String,
    /// Indices of rules.
    pub rules: Vec<usize>,
}

#[derive(Debug, Clone)]
pub struct TermUse {
    pub words: String,
    pub pattern: u32,
    /// `count`, `sum`, …
    pub aggregate: &'static str,
    /// As it is written, where it is.
    pub window: String,
    /// Microseconds; `i64::MIN` is from the beginning.
    pub from: i64,
    pub to: i64,
    /// Indices of rules.
    pub rules: Vec<usize>,
}

#[derive(Debug, Clone)]
pub struct StoryUse {
    pub words: String,
    /// `sequence`, `session`, …
    pub kind: &'static str,
    /// Indices of rules.
    pub rules: Vec<usize>,
}

#[derive(Debug, Clone)]
pub struct RuleUse {
    pub name: String,
    /// Another rule needs it; nobody asked for it.
    pub helper: bool,
    pub uses: Uses,
    /// Rows to be read.
    pub cost: Cost,
}

/// How much the rules have in common.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sharing {
    /// The terms and stories that the rules would need one by one.
    pub references: usize,
    /// What they need together.
    pub terms: usize,
    pub stories: usize,
    pub patterns: usize,
}

/// Describes a run. `asked` says of a rule's number whether it was asked for or is only needed by others.
pub async fn explain(request: &Request<'_>, asked: &(dyn Fn(usize) -> bool + Sync)) -> Result<Explanation, Error> {
    let tables = tables::open(request.catalog, request.root).await?;
    let wanted = Asked { traits: false, population: request.population };
    let parts = lower(request.catalog, request.program, request.clock, wanted);
    Ok(describe(request, &tables, &parts, asked))
}

fn describe(request: &Request<'_>, tables: &Tables, parts: &Parts, asked: &dyn Fn(usize) -> bool) -> Explanation {
    let narrator = Narrator::new(request.catalog, parts, request.clock);
    let rules: Vec<RuleUse> = request
        .program
        .rules
        .iter()
        .enumerate()
        .map(|(i, rule)| RuleUse {
            name: rule.name.clone(),
            helper: !asked(i),
            uses: uses::of_rule(parts, i),
            cost: Cost::default(),
        })
        .collect();
    let users = |of: &dyn Fn(&Uses) -> bool| -> Vec<usize> {
        let users = rules.iter().enumerate().filter(|(_, rule)| !rule.helper && of(&rule.uses));
        users.map(|(i, _)| i).collect()
    };
    let patterns: Vec<PatternUse> = (0..parts.program.patterns)
        .map(|p| {
            let matched = narrator.pattern(p);
            PatternUse { words: matched.words(), matched, rules: users(&|uses| uses.patterns.contains(&p)) }
        })
        .collect();
    let term = |(t, term): (usize, &Term)| TermUse {
        words: narrator.term(t as u32),
        pattern: term.pattern,
        aggregate: narrate::aggregate(term.agg),
        window: narrator.window(term.lo, term.hi),
        from: term.lo,
        to: term.hi,
        rules: users(&|uses| uses.terms.contains(&(t as u32))),
    };
    let terms: Vec<TermUse> = parts.program.terms.iter().enumerate().map(term).collect();
    let stories: Vec<StoryUse> = parts
        .program
        .stories
        .iter()
        .enumerate()
        .map(|(s, story)| StoryUse {
            words: narrator.story(s as u32),
            kind: narrate::kind(story),
            rules: users(&|uses| uses.stories.contains(&(s as u32))),
        })
        .collect();
    let alone = rules.iter().filter(|rule| !rule.helper);
    let sharing = Sharing {
        references: alone.map(|rule| rule.uses.terms.len() + rule.uses.stories.len()).sum(),
        terms: terms.iter().filter(|t| !t.rules.is_empty()).count(),
        stories: stories.iter().filter(|s| !s.rules.is_empty()).count(),
        patterns: patterns.iter().filter(|p| !p.rules.is_empty()).count(),
    };
    let tables_read = reads(request.catalog, tables, parts, &narrator);
    let mut explanation = Explanation {
        tables: tables_read,
        patterns,
        terms,
        stories,
        rules,
        sharing,
        pieces: Vec::new(),
        passes: 0,
        at_once: None,
    };
    let passes = passes(request.catalog, tables, parts, request.catalog.identities.is_some(), request.limits);
    (explanation.passes, explanation.at_once) = (passes.shares().len(), passes.at_once());
    explanation.pieces = pieces(request, tables, &explanation);
    let costs = cost::deal(&explanation.pieces, explanation.rules.len(), &explanation.asked());
    explanation.rules.iter_mut().zip(costs).for_each(|(rule, cost)| rule.cost = cost);
    explanation
}

/// The rows that are read, by who needs them: each rule is lowered alone, and says what it would read.
fn pieces(request: &Request<'_>, tables: &Tables, explanation: &Explanation) -> Vec<Piece> {
    let mut pieces: BTreeMap<Table, Piece> = BTreeMap::new();
    for rule in explanation.asked() {
        let Some(name) = request.program.rules.get(rule).map(|rule| &rule.name) else { continue };
        let alone = request.program.keep(|rule| rule.name == *name);
        let parts = lower(request.catalog, &alone, request.clock, Asked::default());
        let mut read: Vec<Table> = parts.branches.iter().map(|lowered| lowered.table).collect();
        read.sort_unstable();
        read.dedup();
        for at in read {
            let rows = table(tables, at).map_or(0, |(_, opened)| opened.rows);
            let piece = pieces.entry(at).or_insert(Piece { weight: rows as f64, rules: Vec::new() });
            piece.rules.push(rule);
        }
    }
    pieces.into_values().collect()
}

/// What is read of each table.
fn reads(catalog: &Catalog, tables: &Tables, parts: &Parts, narrator: &Narrator<'_>) -> Vec<TableRead> {
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
        let events = events(catalog, lowered, b, narrator);
        // A source has more branches where repeats of an event collapse; it is one table.
        let known = out.iter_mut().find(|read| read.what == what && read.name == lowered.branch.label);
        if let Some(read) = known {
            columns.extend(std::mem::take(&mut read.columns));
            read.columns = columns.into_iter().collect();
            read.events.extend(events);
            read.everyone |= lowered.branch.keep_all;
            continue;
        }
        out.push(TableRead {
            everyone: lowered.branch.keep_all,
            events,
            ..read(what, &lowered.branch.label, columns, opened)
        });
    }
    for (l, mut columns) in lookups {
        let (Some(lookup), Some(Some(opened))) = (catalog.lookups.get(l), tables.lookups.get(l)) else { continue };
        columns.insert(lookup.key.clone());
        out.push(read(What::Lookup, &lookup.name.name, columns, opened));
    }
    let links = catalog.identities.iter().flat_map(|i| &i.links);
    out.extend(links.zip(&tables.links).map(|(table, opened)| {
        let columns = [Some(&table.from), Some(&table.to), table.time.as_ref()];
        read(What::Links, &table.name.name, columns.into_iter().flatten().cloned().collect(), opened)
    }));
    out
}

fn table(tables: &Tables, of: Table) -> Option<(What, &Opened)> {
    Some(match of {
        Table::Source(s) => (What::Source, tables.sources.get(s as usize)?.as_ref()?),
        Table::Profile => (What::Profile, tables.profile.as_ref()?),
        Table::List(l) => (What::List, tables.lists.get(l as usize)?.as_ref()?),
    })
}

fn read(what: What, name: &str, columns: BTreeSet<String>, opened: &Opened) -> TableRead {
    TableRead {
        what,
        name: name.to_owned(),
        columns: columns.into_iter().collect(),
        events: Vec::new(),
        everyone: false,
        rows: opened.rows,
        files: opened.files,
        bytes: opened.bytes,
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
    let kinds = lowered.branch.kinds.iter().enumerate();
    let asked = kinds.filter(|(_, kind)| lowered.branch.rows == Rows::Event && !kind.patterns.is_empty());
    asked
        .map(|(k, kind)| {
            let raw = kind.event.and_then(|e| catalog.events.get(e as usize)).map(|event| &event.raw);
            let raw = match raw {
                Some(RawMatch::Names { exact, prefixes }) => {
                    exact.iter().cloned().chain(prefixes.iter().map(|p| format!("{p}*"))).collect()
                }
                _ => Vec::new(),
            };
            EventRead { name: narrator.kind(b, k), raw, filter: narrator.filter(b, k) }
        })
        .collect()
}
