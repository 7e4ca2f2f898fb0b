//! The portable plan: a program as SQL text with standard aggregates, over the raw tables.
//!
//! Owns: the lowering of the checked program to SQL, and a run of that text by DataFusion's own SQL. Promises: what it says is
//! exact, and what it can't say it names with a reason; one text for DataFusion and DuckDB. It lowers by itself, so that a mistake of
//! the kernel's lowering shows. Must not know: the kernel and its program, syntax, the command line.
//!
//! `text` are pieces of SQL, `read` are columns of files as values, `streams` are events as rows, `tests` `values` `conditions` `chains`
//! `ranks` say what the program says, `write` puts the statement together, `run` runs it, `outcome` and `report` make a run's outcome
//! of it, `export` a script.
//!
//! A statement has one row a customer, levels of columns for each (`c0`, `c1`, …: a column reads columns of the levels before)
//! and one boolean a rule. Beyond the standard it asks for two functions that DuckDB has and that `run` gives DataFusion: `epoch_us`
//! (microseconds of a timestamp) and `nfc_normalize`.

use std::collections::HashMap;

use crate::engine::tables::Tables;
use crate::language::calendar::Clock;
use crate::language::catalog::Catalog;
use crate::language::ir::{Program, RuleId};

mod chains;

mod conditions;

mod export;

mod outcome;

mod ranks;

mod read;

mod report;

mod run;

mod streams;

mod tests;

mod text;

mod values;

mod write;

pub use export::{Script, script};
pub(super) use outcome::{outcome, refused, unsaid};
use read::{Said, Why, not};
pub use run::{Answer, answers, answers_of_histories};
use streams::Stream;

/// So many rules stand in one statement; a plan with very many aggregates takes engines long to make.
pub const RULES: usize = 50;

/// So many parts has a statement once each stands where it is read: engines put them there, and plan each.
const HEAVIEST: usize = 250;

/// A program as SQL.
#[derive(Debug, Clone, Default)]
pub struct Portable {
    pub statements: Vec<Statement>,
    /// The tables that the statements name.
    pub tables: Vec<Table>,
    pub reasons: Vec<Reason>,
}

/// One statement: a row a customer (`customer`), a boolean a rule by its name.
#[derive(Debug, Clone)]
pub struct Statement {
    /// Places in the program's rules, in the order of the columns.
    pub rules: Vec<usize>,
    pub text: String,
}

/// A table of the catalog and what the statements call it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    pub name: String,
    pub which: Which,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    Source(usize),
    Lookup(usize),
    Profiles,
    List(usize),
}

/// A rule that can't be said in SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// Its place in the program's rules.
    pub rule: usize,
    /// What stands in the way, in words: `a sample`.
    pub why: String,
}

/// The program as SQL over the tables, judged at an instant.
pub fn portable(catalog: &Catalog, program: &Program, clock: &Clock, tables: &Tables) -> Portable {
    let names = Names::new(catalog);
    let mut refused: Vec<Option<Why>> = Vec::with_capacity(program.rules.len());
    for rule in 0..program.rules.len() {
        let said = Writer::new(catalog, program, clock, tables, &refused, &names).statement(&[rule]);
        refused.push(match said {
            Ok((_, weight)) if weight > HEAVIEST => Some(Why("values that build on each other many times".into())),
            said => said.err(),
        });
    }
    let sayable: Vec<usize> = (0..program.rules.len()).filter(|&r| matches!(refused.get(r), Some(None))).collect();
    let mut said = Portable { tables: names.tables(), ..Portable::default() };
    let mut left: Vec<Vec<usize>> = sayable.chunks(RULES).rev().map(<[usize]>::to_vec).collect();
    while let Some(rules) = left.pop() {
        match Writer::new(catalog, program, clock, tables, &refused, &names).statement(&rules) {
            Ok((text, weight)) if weight <= HEAVIEST || rules.len() == 1 => {
                said.statements.push(Statement { rules, text });
            }
            Ok(_) => {
                let (one, other) = rules.split_at(rules.len() / 2);
                left.extend([other.to_vec(), one.to_vec()]);
            }
            // What can be said alone can be said together; if not, nothing is said.
            Err(why) => {
                for rule in rules {
                    if let Some(place) = refused.get_mut(rule) {
                        *place = Some(why.clone());
                    }
                }
            }
        }
    }
    let reasons = refused.into_iter().enumerate().filter_map(|(rule, why)| Some(Reason { rule, why: why?.0 }));
    said.reasons = reasons.collect();
    said
}

/// What the statements call the catalog's tables.
#[derive(Debug)]
struct Names {
    all: Vec<Table>,
}

impl Names {
    fn new(catalog: &Catalog) -> Names {
        let sources = catalog.sources.iter().enumerate().map(|(i, s)| (s.name.name.clone(), Which::Source(i)));
        let lookups = catalog.lookups.iter().enumerate().map(|(i, l)| (l.name.name.clone(), Which::Lookup(i)));
        let profiles = catalog.profile.iter().map(|_| ("profiles".to_owned(), Which::Profiles));
        let lists = catalog.lists.iter().enumerate().map(|(i, l)| (l.name.name.clone(), Which::List(i)));
        let mut all: Vec<Table> = Vec::new();
        for (mut name, which) in sources.chain(lookups).chain(profiles).chain(lists) {
            // Engines tell names apart by their letters only.
            while all.iter().any(|t| t.name.eq_ignore_ascii_case(&name)) {
                name.push('_');
            }
            all.push(Table { name, which });
        }
        Names { all }
    }

    fn tables(&self) -> Vec<Table> {
        self.all.clone()
    }

    fn of(&self, which: Which) -> &str {
        self.all.iter().find(|t| t.which == which).map_or("", |t| t.name.as_str())
    }

    fn source(&self, source: usize) -> &str {
        self.of(Which::Source(source))
    }

    fn lookup(&self, lookup: usize) -> &str {
        self.of(Which::Lookup(lookup))
    }
}

/// Writes one statement.
struct Writer<'a> {
    catalog: &'a Catalog,
    program: &'a Program,
    clock: &'a Clock,
    tables: &'a Tables,
    /// Of the rules so far, which can't be said.
    refused: &'a [Option<Why>],
    names: &'a Names,
    streams: Vec<Stream>,
    columns: Vec<Column>,
    shared: HashMap<String, usize>,
    /// The whole population has a row, not only who did something that the rules ask for.
    everybody: bool,
    /// The instant of each customer's first event is asked for.
    trace: bool,
}

/// A column of each customer: `c."t3"`.
#[derive(Debug)]
struct Column {
    level: usize,
    made: Made,
    /// What stands for nothing: `0` for counts and sums.
    otherwise: Option<String>,
}

/// How a column comes about.
#[derive(Debug)]
enum Made {
    /// From the customer's profile `a`.
    Profile(String),
    /// Whether the customer is in the list.
    List(usize),
    /// The instant of the first event.
    Trace,
    /// An aggregate over a stream `e`; it reads columns of the customer if the flag is set.
    Aggregate { stream: usize, call: String, reads: bool },
    /// A query of `customer` and `value`, one row a customer at the most.
    Query(String),
    /// From other columns.
    From(String),
}

/// A condition: true, or not true (false or unknown, unless `total`).
#[derive(Debug, Clone)]
struct Bool {
    text: String,
    total: bool,
    /// 0 if it reads no column of customers, else 1 more than the level that it reads.
    reads: usize,
}

/// A value; unknown is missing.
#[derive(Debug, Clone)]
struct Val {
    text: String,
    kind: read::Kind,
    reads: usize,
    literal: Option<crate::language::num::Num>,
}

impl Bool {
    fn new(text: impl Into<String>, total: bool, reads: usize) -> Bool {
        Bool { text: text.into(), total, reads }
    }

    /// Never unknown.
    fn sure(self) -> Bool {
        if self.total { self } else { Bool::new(format!("COALESCE({}, FALSE)", self.text), true, self.reads) }
    }

    fn negated(self) -> Bool {
        let sure = self.sure();
        Bool::new(format!("NOT ({})", sure.text), true, sure.reads)
    }

    fn joined(parts: Vec<Bool>, word: &str, nothing: &str) -> Bool {
        let reads = parts.iter().map(|p| p.reads).max().unwrap_or(0);
        let total = parts.iter().all(|p| p.total);
        let texts: Vec<String> = parts.into_iter().map(|p| p.text).collect();
        match texts.as_slice() {
            [] => Bool::new(nothing, true, 0),
            [one] => Bool::new(one.clone(), total, reads),
            many => Bool::new(format!("({})", many.join(word)), total, reads),
        }
    }
}

impl<'a> Writer<'a> {
    fn new(
        catalog: &'a Catalog,
        program: &'a Program,
        clock: &'a Clock,
        tables: &'a Tables,
        refused: &'a [Option<Why>],
        names: &'a Names,
    ) -> Writer<'a> {
        Writer {
            catalog,
            program,
            clock,
            tables,
            refused,
            names,
            streams: Vec::new(),
            columns: Vec::new(),
            shared: HashMap::new(),
            everybody: false,
            trace: false,
        }
    }

    /// A column, made once however often it is asked for. The answer is its text and what it reads.
    fn column(&mut self, level: usize, made: Made, otherwise: Option<&str>) -> (String, usize) {
        let key = format!("{made:?} {otherwise:?}");
        let next = self.columns.len();
        let at = *self.shared.entry(key).or_insert(next);
        if at == next {
            self.columns.push(Column { level, made, otherwise: otherwise.map(str::to_owned) });
        }
        let level = self.columns.get(at).map_or(level, |c| c.level);
        (format!("c.\"t{at}\""), level + 1)
    }

    /// A column made of other columns.
    fn over_columns(&mut self, text: String, reads: usize) -> (String, usize) {
        self.column(reads.max(1), Made::From(text), None)
    }

    /// Whether a customer is a member of an earlier rule.
    fn rule(&mut self, id: RuleId) -> Said<Bool> {
        if let Some(Some(_)) = self.refused.get(id.0 as usize) {
            let name = self.program.rules.get(id.0 as usize).map_or("", |r| r.name.as_str());
            return not(format!("`{name}`, which can't be said"));
        }
        let Some(rule) = self.program.rules.get(id.0 as usize) else { return not("an unknown rule") };
        let holds = self.cond(&rule.condition)?.sure();
        if holds.reads == 0 {
            return Ok(holds);
        }
        let (text, reads) = self.over_columns(holds.text, holds.reads);
        Ok(Bool::new(text, true, reads))
    }
}
