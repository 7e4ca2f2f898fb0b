//! Reading rows, in bounded memory and time.
//!
//! Owns: the sample of every table, facts about its columns, and reading row groups.
//! Promises: never more than [`SAMPLE_ROWS`] rows in memory, never more than [`FULL_ROWS`] rows of a table read; what was
//! seen in part says so. The same files give the same facts.
//! Must not know: names of columns.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow::array::{Array, ArrayRef, AsArray};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use unicode_normalization::UnicodeNormalization;

use super::table::{Cells, FilePart, Kind, Table, arrays};
use crate::error::Error;

/// Rows of a table that are kept to look at.
pub const SAMPLE_ROWS: u64 = 200_000;
/// Rows of a table that are read through for the columns that matter.
pub const FULL_ROWS: u64 = 3_000_000;
/// Row groups that a sample is taken from.
const SPREAD: usize = 24;
/// Bytes that a sample may take.
const SAMPLE_BYTES: usize = 192 << 20;
/// Distinct texts that are kept with their counts.
pub(super) const VALUES: usize = 3_000;

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
pub(super) fn decimals(n: f64) -> u8 {
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

/// Which row groups to read, and how many rows of each: all, or evenly spread over the table.
pub(super) fn picks(table: &Table, rows: u64, spread: usize) -> Vec<(usize, usize, Option<u64>)> {
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
pub(super) fn read(
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
