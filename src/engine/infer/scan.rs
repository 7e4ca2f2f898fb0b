//! Reading rows, in bounded memory and time.
//!
//! Owns: the sample of every table, facts about its columns, and the closer look at the few columns that matter.
//! Promises: never more than [`SAMPLE_ROWS`] rows in memory, never more than [`FULL_ROWS`] rows of a table read; what was
//! seen in part says so. The same files give the same facts.
//! Must not know: names of columns.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow::array::{Array, ArrayRef, AsArray};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use unicode_normalization::UnicodeNormalization;

use super::table::{Cells, FilePart, Kind, Table, arrays};
use crate::error::Error;
use crate::language::catalog::TimeUnit;

/// Rows of a table that are kept to look at.
pub const SAMPLE_ROWS: u64 = 200_000;
/// Rows of a table that are read through for the columns that matter.
pub const FULL_ROWS: u64 = 3_000_000;
/// Row groups that a sample is taken from.
const SPREAD: usize = 24;
/// Bytes that a sample may take.
const SAMPLE_BYTES: usize = 192 << 20;
/// Distinct texts that are kept with their counts.
const VALUES: usize = 3_000;

/// What the sample shows of a column.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    pub rows: u64,
    pub missing: u64,
    /// Hashes of the distinct values.
    pub hashes: HashSet<u64>,
    /// Texts with their counts; `None` where there are too many, or the column is no text.
    pub values: Option<BTreeMap<String, u64>>,
    pub min: Option<f64>,
    pub max: Option<f64>,
    /// The most decimal places of a number; above 6 it is not written in decimals.
    pub decimals: u8,
    /// How many of the texts that were looked at (`looked`) have this look.
    pub looked: u32,
    pub emails: u32,
    pub phones: u32,
    pub dates: u32,
}

impl Facts {
    pub fn present(&self) -> u64 {
        self.rows.saturating_sub(self.missing)
    }

    pub fn distinct(&self) -> u64 {
        self.hashes.len() as u64
    }

    /// Whether most of the texts have a look that `count` of them have.
    pub fn mostly(&self, count: u32) -> bool {
        self.looked > 0 && count.saturating_mul(10) >= self.looked.saturating_mul(8)
    }
}

/// Takes the sample of a table and the facts of its columns.
pub fn sample(table: &mut Table) -> Result<(), Error> {
    let all: Vec<usize> = (0..table.columns.len()).collect();
    let picks = picks(table, SAMPLE_ROWS, SPREAD);
    let mut kept: Vec<Vec<ArrayRef>> = Vec::new();
    let mut rows = 0u64;
    let mut bytes = 0usize;
    for (file, group, limit) in picks {
        let Some(part) = table.files.get(file) else { continue };
        read(table, part, group, limit, &all, &mut |arrays| {
            if bytes > SAMPLE_BYTES {
                return;
            }
            rows += arrays.first().map_or(0, |a| a.len() as u64);
            bytes += arrays.iter().map(|a| a.get_array_memory_size()).sum::<usize>();
            kept.push(arrays);
        })?;
    }
    table.sample_is_all = rows == table.rows;
    for at in all {
        let Some(column) = table.columns.get_mut(at) else { continue };
        let mut facts = Facts { values: (column.kind == Kind::Text).then(BTreeMap::new), ..Facts::default() };
        for batch in &kept {
            if let Some(array) = batch.get(at) {
                look(&mut facts, &Cells::of(array, &column.kind), array.len());
            }
        }
        column.facts = facts;
    }
    table.sample = kept;
    Ok(())
}

fn look(facts: &mut Facts, cells: &Cells, rows: usize) {
    facts.rows += rows as u64;
    for i in 0..rows {
        if !cells.has(i) {
            facts.missing += 1;
            continue;
        }
        match cells {
            Cells::Text(a) => {
                let text = a.value(i);
                if let Some(values) = &mut facts.values {
                    match values.get_mut(text) {
                        Some(n) => *n += 1,
                        None => {
                            values.insert(text.to_owned(), 1);
                        }
                    }
                    if values.len() > VALUES {
                        facts.values = None;
                    }
                }
                if facts.hashes.insert(cells.hash(i)) && facts.looked < 1_000 {
                    facts.looked += 1;
                    facts.emails += u32::from(is_email(text));
                    facts.phones += u32::from(is_phone(text));
                    facts.dates += u32::from(is_date(text));
                }
                continue;
            }
            Cells::Integer(a) => number(facts, a.value(i) as f64),
            Cells::Float(a) => {
                let n = a.value(i);
                number(facts, n);
                facts.decimals = facts.decimals.max(decimals(n));
            }
            _ => {}
        }
        facts.hashes.insert(cells.hash(i));
    }
}

fn number(facts: &mut Facts, n: f64) {
    facts.min = Some(facts.min.map_or(n, |m| m.min(n)));
    facts.max = Some(facts.max.map_or(n, |m| m.max(n)));
}

/// Decimal places that a number is written with; 9 where it is more than six.
fn decimals(n: f64) -> u8 {
    let mut scale = 1.0;
    for places in 0..=6u8 {
        let scaled = n * scale;
        if (scaled - scaled.round()).abs() <= 1e-9 * scaled.abs().max(1.0) {
            return places;
        }
        scale *= 10.0;
    }
    9
}

fn is_email(text: &str) -> bool {
    text.split_once('@').is_some_and(|(name, host)| {
        !name.is_empty() && host.contains('.') && !host.starts_with('.') && !text.contains(char::is_whitespace)
    })
}

fn is_phone(text: &str) -> bool {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let dressed = text.starts_with('+') || text.starts_with("00") || text.contains([' ', '-', '(', '/']);
    (7..=15).contains(&digits)
        && dressed
        && !is_date(text)
        && text.chars().all(|c| c.is_ascii_digit() || "+-() ./".contains(c))
}

fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digit = |i: usize| bytes.get(i).is_some_and(u8::is_ascii_digit);
    let dash = |i: usize| matches!(bytes.get(i), Some(b'-' | b'/'));
    [0, 1, 2, 3, 5, 6, 8, 9].into_iter().all(digit) && dash(4) && dash(7)
}

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

/// Which row groups to read, and how many rows of each: all, or evenly spread over the table.
fn picks(table: &Table, rows: u64, spread: usize) -> Vec<(usize, usize, Option<u64>)> {
    let groups: Vec<(usize, usize, u64)> = table
        .files
        .iter()
        .enumerate()
        .flat_map(|(f, file)| file.groups.iter().enumerate().map(move |(g, n)| (f, g, *n)))
        .filter(|(_, _, n)| *n > 0)
        .collect();
    if table.rows <= rows {
        return groups.into_iter().map(|(f, g, _)| (f, g, None)).collect();
    }
    // Whole groups where some fit in, else the beginning of each.
    let average = table.rows.div_ceil(groups.len().max(1) as u64).max(1);
    let fit = usize::try_from(rows.div_ceil(average)).unwrap_or(usize::MAX).min(groups.len());
    let wanted = if spread == usize::MAX { fit } else { spread.min(groups.len()) }.max(1);
    let each = rows.div_ceil(wanted as u64);
    let mut picked = Vec::new();
    for n in 0..wanted {
        // The middle of the n-th of `wanted` equal stretches.
        let at = (2 * n + 1).saturating_mul(groups.len()) / (2 * wanted);
        if let Some((f, g, _)) = groups.get(at) {
            picked.push((*f, *g, Some(each)));
        }
    }
    picked
}

/// Reads columns of a row group and hands them over batch by batch.
fn read(
    table: &Table,
    part: &FilePart,
    group: usize,
    limit: Option<u64>,
    columns: &[usize],
    each: &mut dyn FnMut(Vec<ArrayRef>),
) -> Result<(), Error> {
    let failed = |why: String| {
        Error::io("can't read the Parquet file", part.path.clone(), why)
            .with_help("the file may be damaged; write it again")
    };
    let mut work = || -> Result<(), String> {
        let file = File::open(&part.path).map_err(|e| e.to_string())?;
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| e.to_string())?;
        let wanted: Vec<usize> = columns
            .iter()
            .filter_map(|at| table.columns.get(*at))
            .filter_map(|c| part.schema.fields().iter().position(|f| *f.name() == c.name))
            .collect();
        let mask = ProjectionMask::roots(builder.parquet_schema(), wanted);
        let mut builder = builder.with_row_groups(vec![group]).with_projection(mask).with_batch_size(8_192);
        if let Some(limit) = limit {
            builder = builder.with_limit(usize::try_from(limit).unwrap_or(usize::MAX));
        }
        for batch in builder.build().map_err(|e| e.to_string())? {
            let batch = batch.map_err(|e| e.to_string())?;
            each(arrays(table, part, columns, &batch));
        }
        Ok(())
    };
    // The reader has panicked on damaged files; whatever it does, the file is named.
    match catch_unwind(AssertUnwindSafe(&mut work)) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(why)) => Err(failed(why)),
        Err(_) => Err(failed("the file is damaged".to_owned())),
    }
}

/// `1,469,307`
pub fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (at, c) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// The texts of a list column in the sample, with counts.
pub fn list_values(table: &Table, at: usize) -> Option<BTreeMap<String, u64>> {
    let column = table.columns.get(at)?;
    let mut counts = BTreeMap::new();
    for batch in &table.sample {
        let Cells::List(lists) = Cells::of(batch.get(at)?, &column.kind) else { return None };
        let texts = lists.values().as_string_opt::<i32>()?.clone();
        for i in 0..texts.len() {
            if texts.is_valid(i) && !texts.value(i).is_empty() {
                *counts.entry(texts.value(i).nfc().collect::<String>()).or_insert(0) += 1;
                if counts.len() > VALUES {
                    return None;
                }
            }
        }
    }
    Some(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks() {
        assert!(is_email("a.b@c.org") && !is_email("a b@c.org") && !is_email("@c.org"));
        assert!(is_phone("+33 1 42 68 53 00") && !is_phone("2026-11-21") && !is_phone("12345678"));
        assert!(is_date("2026-11-21") && is_date("2026/11/21T10:00") && !is_date("21.11.2026"));
    }

    #[test]
    fn decimal_places() {
        for (n, places) in [(1.0, 0), (0.1, 1), (19.99, 2), (1.0 / 3.0, 9), (-5.25, 2), (0.0, 0)] {
            assert_eq!(decimals(n), places, "{n}");
        }
    }

    #[test]
    fn counts_are_readable() {
        for (n, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_469_307, "1,469,307")] {
            assert_eq!(thousands(n), text);
        }
    }
}
