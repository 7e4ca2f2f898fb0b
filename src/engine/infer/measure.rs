//! A closer look at the few columns that matter.
//!
//! Owns: counts by customer and kind of event, unique keys, the values of sets that may be closed.
//! Promises: what was seen in part says so. Must not know: names of columns.

use std::collections::{BTreeMap, HashMap, HashSet};

use arrow::array::{Array, ArrayRef};

use super::scan::{FULL_ROWS, VALUES, decimals, picks, read, thousands};
use super::table::{Cells, Table};
use crate::error::Error;
use crate::language::catalog::TimeUnit;

/// What the closer look should look at; columns by index.
#[derive(Debug, Clone, Default)]
pub struct Ask {
    pub customer: Option<usize>,
    pub time: Option<(usize, Option<TimeUnit>)>,
    pub event: Option<usize>,
    /// Is every value there only once?
    pub keys: Vec<usize>,
    /// Which texts are there, for each kind of event?
    pub values: Vec<usize>,
    /// How many decimal places have these numbers?
    pub numbers: Vec<usize>,
}

/// What the closer look saw.
#[derive(Debug, Clone, Default)]
pub struct Measured {
    pub read: u64,
    pub total: u64,
    pub no_customer: u64,
    pub no_time: u64,
    pub customers: u64,
    /// Most frequent first.
    pub kinds: Vec<KindFacts>,
    pub no_kind: u64,
    pub keys: BTreeMap<usize, KeyFacts>,
    /// The most decimal places of the asked numbers.
    pub decimals: BTreeMap<usize, u8>,
}

impl Measured {
    pub fn whole(&self) -> bool {
        self.read == self.total
    }

    /// `… of 1,469,307 rows`, or of which part.
    pub fn of_rows(&self) -> String {
        match self.whole() {
            true => format!("of {} rows", thousands(self.total)),
            false => format!("in a sample of {} of {} rows", thousands(self.read), thousands(self.total)),
        }
    }
}

/// One kind of event.
#[derive(Debug, Clone, Default)]
pub struct KindFacts {
    /// The raw event name; `None` where the table has no event column.
    pub raw: Option<String>,
    pub rows: u64,
    /// Rows with a customer and a time, and the first and last of those times in microseconds UTC.
    pub usable: u64,
    pub first: i64,
    pub last: i64,
    pub customers: u64,
    /// Customers with at least 2, 3, 5 and 10 usable rows.
    pub at_least: [u64; 4],
    /// Texts of the asked columns with their counts; a column with too many is left out.
    pub values: BTreeMap<usize, BTreeMap<String, u64>>,
    /// For each column of the table, in how many of the sampled rows of this kind it has a value; and those rows.
    pub filled: Vec<u64>,
    pub sampled: u64,
}

/// The numbers of rows that [`KindFacts::at_least`] speaks of.
pub const STEPS: [u32; 4] = [2, 3, 5, 10];

#[derive(Debug, Clone, Default)]
pub struct KeyFacts {
    pub hashes: HashSet<u64>,
    pub present: u64,
    pub missing: u64,
}

impl KeyFacts {
    pub fn is_unique(&self) -> bool {
        self.present > 0 && self.hashes.len() as u64 == self.present
    }
}

/// Raw event names that are kept apart; an event column has far fewer.
const KINDS: usize = 2_000;

struct Kinds {
    index: HashMap<String, usize>,
    facts: Vec<KindFacts>,
    /// Rows by customer and kind, both as hashes.
    counts: HashMap<(u64, u32), u32>,
    /// Columns with too many values.
    crowded: HashSet<usize>,
}

/// Looks closely at a few columns of a table.
pub fn measure(table: &Table, ask: &Ask) -> Result<Measured, Error> {
    let mut columns: Vec<usize> = ask.keys.iter().chain(&ask.values).chain(&ask.numbers).copied().collect();
    columns.extend(ask.customer.iter().chain(ask.event.iter()).copied().chain(ask.time.map(|t| t.0)));
    columns.sort_unstable();
    columns.dedup();
    let mut seen = Measured { total: table.rows, ..Measured::default() };
    let mut kinds = Kinds { index: HashMap::new(), facts: Vec::new(), counts: HashMap::new(), crowded: HashSet::new() };
    if table.sample_is_all {
        for batch in &table.sample {
            let picked: Vec<ArrayRef> = columns.iter().filter_map(|at| batch.get(*at)).cloned().collect();
            take(table, ask, &columns, &picked, &mut seen, &mut kinds);
        }
    } else {
        for (file, group, limit) in picks(table, FULL_ROWS, usize::MAX) {
            let Some(part) = table.files.get(file) else { continue };
            read(table, part, group, limit, &columns, &mut |arrays| {
                take(table, ask, &columns, &arrays, &mut seen, &mut kinds);
            })?;
        }
    }
    finish(table, ask, seen, kinds)
}

fn finish(table: &Table, ask: &Ask, mut seen: Measured, kinds: Kinds) -> Result<Measured, Error> {
    let mut facts = kinds.facts;
    let mut customers: HashSet<u64> = HashSet::new();
    for ((customer, kind), n) in &kinds.counts {
        customers.insert(*customer);
        if let Some(kind) = facts.get_mut(*kind as usize) {
            kind.customers += 1;
            for (step, reached) in STEPS.iter().zip(kind.at_least.iter_mut()) {
                *reached += u64::from(n >= step);
            }
        }
    }
    seen.customers = customers.len() as u64;
    for kind in &mut facts {
        kind.values.retain(|column, _| !kinds.crowded.contains(column));
        kind.filled = vec![0; table.columns.len()];
    }
    for batch in &table.sample {
        let rows = batch.first().map_or(0, |a| a.len());
        let names = ask.event.and_then(|at| Some(Cells::of(batch.get(at)?, &table.columns.get(at)?.kind)));
        let of_row: Vec<Option<usize>> = (0..rows)
            .map(|i| match &names {
                None => Some(0),
                Some(Cells::Text(a)) if a.is_valid(i) => kinds.index.get(a.value(i)).copied(),
                Some(_) => None,
            })
            .collect();
        for kind in of_row.iter().flatten() {
            if let Some(facts) = facts.get_mut(*kind) {
                facts.sampled += 1;
            }
        }
        for ((at, column), array) in table.columns.iter().enumerate().zip(batch) {
            let cells = Cells::of(array, &column.kind);
            for (i, kind) in of_row.iter().enumerate() {
                let filled = kind.and_then(|k| facts.get_mut(k)).and_then(|f| f.filled.get_mut(at));
                if let Some(filled) = filled {
                    *filled += u64::from(cells.has(i));
                }
            }
        }
    }
    facts.sort_by(|a, b| b.rows.cmp(&a.rows).then_with(|| a.raw.cmp(&b.raw)));
    seen.kinds = facts;
    Ok(seen)
}

fn take(table: &Table, ask: &Ask, columns: &[usize], arrays: &[ArrayRef], seen: &mut Measured, kinds: &mut Kinds) {
    let rows = arrays.first().map_or(0, |a| a.len());
    let cells_of = |at: usize| {
        let array = columns.iter().position(|c| *c == at).and_then(|i| arrays.get(i))?;
        Some(Cells::of(array, &table.columns.get(at)?.kind))
    };
    seen.read += rows as u64;
    let customer = ask.customer.and_then(cells_of);
    let time = ask.time.and_then(|(at, unit)| Some((cells_of(at)?, unit)));
    let event = ask.event.and_then(cells_of);
    let values: Vec<(usize, Cells)> = ask
        .values
        .iter()
        .filter(|at| !kinds.crowded.contains(at))
        .filter_map(|at| Some((*at, cells_of(*at)?)))
        .collect();
    for i in 0..rows {
        let kind = match &event {
            None if kinds.facts.is_empty() => {
                kinds.facts.push(KindFacts { first: i64::MAX, last: i64::MIN, ..KindFacts::default() });
                Some(0)
            }
            None => Some(0),
            Some(Cells::Text(a)) if a.is_valid(i) && !a.value(i).is_empty() => kind_of(a.value(i), kinds),
            Some(_) => None,
        };
        let who = customer.as_ref().filter(|c| c.has(i)).map(|c| c.hash(i));
        let when = time.as_ref().and_then(|(cells, unit)| micros(cells, *unit, i));
        seen.no_customer += u64::from(customer.is_some() && who.is_none());
        seen.no_time += u64::from(time.is_some() && when.is_none());
        let Some(kind) = kind else {
            seen.no_kind += 1;
            continue;
        };
        if let Some(who) = who {
            *kinds.counts.entry((who, u32::try_from(kind).unwrap_or(u32::MAX))).or_insert(0) +=
                u32::from(when.is_some() || time.is_none());
        }
        let Some(facts) = kinds.facts.get_mut(kind) else { continue };
        facts.rows += 1;
        if let (Some(_), Some(when)) = (who, when) {
            facts.usable += 1;
            facts.first = facts.first.min(when);
            facts.last = facts.last.max(when);
        }
        for (at, cells) in &values {
            if let Cells::Text(a) = cells
                && cells.has(i)
            {
                let counts = facts.values.entry(*at).or_default();
                match counts.get_mut(a.value(i)) {
                    Some(n) => *n += 1,
                    None => {
                        counts.insert(a.value(i).to_owned(), 1);
                    }
                }
                if counts.len() > VALUES {
                    kinds.crowded.insert(*at);
                }
            }
        }
    }
    for at in &ask.numbers {
        let most = seen.decimals.entry(*at).or_insert(0);
        if let Some(Cells::Float(a)) = cells_of(*at) {
            // More than six places are no money; nothing is left to find out.
            for n in a.iter().flatten() {
                if *most <= 6 {
                    *most = decimals(n).max(*most);
                }
            }
        }
    }
    for at in &ask.keys {
        let Some(cells) = cells_of(*at) else { continue };
        let key = seen.keys.entry(*at).or_default();
        for i in 0..rows {
            if cells.has(i) {
                key.present += 1;
                key.hashes.insert(cells.hash(i));
            } else {
                key.missing += 1;
            }
        }
    }
}

fn kind_of(raw: &str, kinds: &mut Kinds) -> Option<usize> {
    if let Some(at) = kinds.index.get(raw) {
        return Some(*at);
    }
    let at = kinds.facts.len();
    if at >= KINDS {
        return None;
    }
    kinds.index.insert(raw.to_owned(), at);
    kinds.facts.push(KindFacts { raw: Some(raw.to_owned()), first: i64::MAX, last: i64::MIN, ..KindFacts::default() });
    Some(at)
}

fn micros(cells: &Cells, unit: Option<TimeUnit>, i: usize) -> Option<i64> {
    if !cells.has(i) {
        return None;
    }
    match cells {
        Cells::Instant(a) => Some(a.value(i)),
        Cells::Date(a) => i64::from(a.value(i)).checked_mul(86_400_000_000),
        Cells::Integer(a) => match unit? {
            TimeUnit::Second => a.value(i).checked_mul(1_000_000),
            TimeUnit::Millisecond => a.value(i).checked_mul(1_000),
            TimeUnit::Microsecond => Some(a.value(i)),
            TimeUnit::Nanosecond => Some(a.value(i).div_euclid(1_000)),
        },
        _ => None,
    }
}
