//! What of a table need not be read.
//!
//! Owns: the comparison of what is asked with what footers and folders say of a file's rows. Promises: a row group, or a page of
//! it, is left out only if none of its rows can be asked for; what statistics do not say, or say in a way that is not understood, is
//! read. Must not know: how a scan is planned.

mod pages;

use std::ops::Range;

use ::parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};
use ::parquet::file::statistics::Statistics;
use arrow::datatypes::{DataType, Schema, TimeUnit};

use crate::engine::kernels::test::test;
use crate::engine::plan::lower::{Lowered, micros};
use crate::engine::plan::program::{Kind, Operand, Pred, Scalar, Ty};
use crate::engine::types::{self, flat, normal};
use crate::language::catalog::{ColumnRef, SourceTable};

const DAY: i64 = 86_400_000_000;
/// More than any two offsets of one zone differ.
const SHIFT: i64 = 27 * DAY / 24;

/// At most one of so many kinds of events is few. Decoding only some rows costs more a row.
const FEW: usize = 3;

/// What a branch asks of the rows of a source.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    pub source: &'a SourceTable,
    pub lowered: &'a Lowered,
}

/// How much of something is read, of how much.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Part {
    pub read: u64,
    pub all: u64,
}

impl Part {
    pub fn add(&mut self, read: u64, all: u64) {
        self.read += read;
        self.all += all;
    }

    pub fn skipped(self) -> u64 {
        self.all.saturating_sub(self.read)
    }
}

/// What a branch reads of its table, as far as footers tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// The source's name, or `profiles`, or the list's name.
    pub table: String,
    /// Index of the counters, by which branches of one source are known.
    pub counter: u32,
    pub files: Part,
    pub row_groups: Part,
    /// Of the columns that are read, in the files that tell where their pages are.
    pub pages: Part,
    pub rows: Part,
    /// Compressed, of the columns that are read and of all.
    pub bytes: Part,
    pub columns: Vec<String>,
    /// For each event that is asked for when its rows matter: `[from, to)` in microseconds, open where it is the end of the range.
    pub events: Vec<(u32, i64, i64)>,
}

/// What is known of a file, or of one of its row groups.
pub struct Facts<'a> {
    pub schema: &'a Schema,
    /// With the index of pages, where the file has one.
    pub metadata: &'a ParquetMetaData,
    /// Columns that are folders: names and values.
    pub folders: Vec<(&'a str, Option<&'a str>)>,
}

/// What of a row group is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extent {
    Nothing,
    All,
    /// These rows, in order: neither none nor all.
    Rows(Vec<Range<usize>>),
}

impl Extent {
    /// How many rows that is, of all rows of the row group.
    pub fn rows(&self, all: u64) -> u64 {
        match self {
            Extent::Nothing => 0,
            Extent::All => all,
            Extent::Rows(rows) => rows.iter().map(|rows| rows.len() as u64).sum(),
        }
    }
}

/// What statistics say of the raw names of some rows.
#[derive(Clone, Copy)]
enum Names<'a> {
    Any,
    One(Option<&'a str>),
    Between(&'a [u8], &'a [u8]),
}

impl<'a> Asked<'a> {
    /// The columns that are read, each once.
    pub fn columns(&self) -> Vec<&'a str> {
        let mut columns: Vec<&str> = vec![&self.source.customer, &self.source.time];
        columns.extend(self.names());
        columns.extend(self.lowered.refs.iter().map(|at| match at {
            ColumnRef::Own(column) => column.as_str(),
            ColumnRef::Lookup { on, .. } => on.as_str(),
        }));
        columns.sort_unstable();
        columns.dedup();
        columns
    }

    /// The column of raw names, where any is asked for.
    fn names(&self) -> Option<&'a str> {
        let asked = self.lowered.branch.kinds.iter().any(|k| k.exact.is_some());
        self.source.event.as_deref().filter(|_| asked)
    }

    /// When rows of a kind matter: `None` is never.
    fn window(&self, kind: &Kind, possible: impl Fn(&Pred) -> bool) -> Option<(i64, i64)> {
        let all = kind.patterns.iter().enumerate().filter(|(_, (_, pred))| possible(pred)).map(|(p, _)| kind.window(p));
        let (lo, hi) = all.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))?;
        let hi = hi.min(self.lowered.branch.as_of);
        // Of the repeats of an event the earliest counts: whatever was before decides which of the later ones do.
        let lo = if self.lowered.collapse.is_some() { i64::MIN } else { lo };
        (lo < hi).then_some((lo, hi))
    }

    /// When rows of a kind matter, as `[from, to)` in microseconds; `None` is never.
    pub fn when(&self, kind: &Kind) -> Option<(i64, i64)> {
        self.window(kind, |_| true)
    }

    /// Whether every row matters.
    fn everything(&self) -> bool {
        self.lowered.branch.keep_all || !self.lowered.branch.rows.happens()
    }

    /// Whether so few of the names are asked for that it pays to look at them before the rest of a row is decoded.
    pub fn few_names(&self) -> bool {
        if self.everything() || self.lowered.collapse.is_some() {
            return false;
        }
        let kinds = &self.lowered.branch.kinds;
        let asked = kinds.iter().filter(|kind| kind.is_asked()).count();
        kinds.iter().all(|kind| kind.exact.is_some()) && asked * FEW <= kinds.len()
    }

    /// The events that are asked for, and when.
    pub fn events(&self) -> Vec<(u32, i64, i64)> {
        let kinds = self.lowered.branch.kinds.iter().filter(|k| !k.foreign);
        let everything = self.everything();
        kinds
            .filter_map(|kind| {
                let window = if everything { Some((i64::MIN, i64::MAX)) } else { self.when(kind) };
                window.zip(kind.event).map(|((lo, hi), event)| (event, lo, hi))
            })
            .collect()
    }

    /// By row group, which of its rows can be asked for.
    pub fn extents(&self, facts: &Facts<'_>) -> Vec<Extent> {
        let groups = facts.metadata.row_groups();
        if self.everything() {
            return vec![Extent::All; groups.len()];
        }
        let (time, name) = (facts.leaf(&self.source.time), self.names().and_then(|column| facts.leaf(column)));
        let in_folder = self.names().and_then(|column| facts.folder(column));
        let wanted = |(g, group): (usize, &RowGroupMetaData)| {
            let times = time.and_then(|(leaf, ty)| self.times(ty, bounds(statistics(group, leaf)?)?));
            let names = match (in_folder, name) {
                (Some(value), _) => Names::One(value),
                (None, Some((leaf, ty))) => names(ty, statistics(group, leaf)),
                (None, None) => Names::Any,
            };
            let wants = |times, names: &Names<'_>| {
                self.lowered.branch.kinds.iter().any(|kind| self.wants(kind, times, names, facts))
            };
            if !wants(times, &names) {
                return Extent::Nothing;
            }
            // Pages tell more of what the row group's statistics tell at all.
            let time = time.filter(|_| times.is_some()).and_then(|(leaf, ty)| Some((facts.pages(g, leaf)?, ty)));
            let name = name.filter(|_| matches!(names, Names::Between(..))).and_then(|(leaf, _)| facts.pages(g, leaf));
            pages::extent(group, [time.as_ref().map(|(pages, _)| pages), name.as_ref()], |[in_time, in_name]| {
                let times = match (&time, in_time) {
                    (Some((pages, ty)), Some(page)) => pages.numbers(page).and_then(|range| self.times(ty, range)),
                    _ => times,
                };
                let names = match (&name, in_name) {
                    (Some(pages), Some(page)) => pages.texts(page).map_or(Names::Any, |(a, b)| Names::Between(a, b)),
                    _ => names,
                };
                wants(times, &names)
            })
        };
        groups.iter().enumerate().map(wanted).collect()
    }

    fn wants(&self, kind: &Kind, times: Option<(i64, i64)>, names: &Names<'_>, facts: &Facts<'_>) -> bool {
        let possible = |pred: &Pred| self.holds(pred, facts) != Some(false);
        if kind.foreign || !may_take(kind, names) || kind.filter.as_ref().is_some_and(|filter| !possible(filter)) {
            return false;
        }
        // Repeats of an event may lie in other folders.
        let window = match self.lowered.collapse {
            None => self.window(kind, possible),
            Some(_) => self.when(kind),
        };
        match (window, times) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some((lo, hi)), Some((first, last))) => first < hi && lo <= last,
        }
    }

    /// What a predicate says of all rows of a file, if its folders tell.
    fn holds(&self, pred: &Pred, facts: &Facts<'_>) -> Option<bool> {
        match pred {
            Pred::Const(yes) => Some(*yes),
            Pred::Not(inner) => self.holds(inner, facts).map(|yes| !yes),
            Pred::And(all) => {
                let all: Vec<Option<bool>> = all.iter().map(|p| self.holds(p, facts)).collect();
                if all.contains(&Some(false)) { Some(false) } else { all.into_iter().min().unwrap_or(Some(true)) }
            }
            Pred::Or(any) => {
                let any: Vec<Option<bool>> = any.iter().map(|p| self.holds(p, facts)).collect();
                if any.contains(&Some(true)) { Some(true) } else { any.into_iter().min().unwrap_or(Some(false)) }
            }
            Pred::Test(asked) => {
                // Folders are texts; they are kept beside the test, which borrows them.
                let mut texts = Vec::new();
                for operand in asked.values() {
                    match operand {
                        Operand::Literal(_) => {}
                        Operand::Column(c) => texts.push((*c, self.folder(*c, facts)?)),
                        Operand::Hour | Operand::Weekday | Operand::Date => return None,
                    }
                }
                let text = |c: &u32| texts.iter().find(|(at, _)| at == c)?.1.as_deref();
                Some(test(asked, &types::zone("UTC"), &|operand| match operand {
                    Operand::Literal(literal) => Some(literal.scalar()),
                    Operand::Column(c) => text(c).map(Scalar::Text),
                    Operand::Hour | Operand::Weekday | Operand::Date => None,
                }))
            }
        }
    }

    /// The value of a column that is a text and a folder, as conditions see it.
    fn folder(&self, column: u32, facts: &Facts<'_>) -> Option<Option<String>> {
        let spec = self.lowered.branch.columns.get(column as usize).filter(|spec| spec.ty == Ty::Text)?;
        let ColumnRef::Own(name) = self.lowered.refs.get(column as usize)? else { return None };
        let value = facts.folder(name)?;
        Some(value.and_then(|text| normal(text, spec)).map(std::borrow::Cow::into_owned))
    }

    /// The first and the last instant that statistics of the time's column allow.
    fn times(&self, ty: &DataType, (min, max): (i64, i64)) -> Option<(i64, i64)> {
        // Whatever was rounded on the way: a microsecond to either side.
        let scaled = |times: i64, per: i64| {
            let micros = |v: i64| v.saturating_mul(times).div_euclid(per);
            (micros(min).saturating_sub(1), micros(max).saturating_add(1))
        };
        let (range, zoned) = match ty {
            DataType::Timestamp(unit, zone) => {
                let (times, per) = match unit {
                    TimeUnit::Second => (1_000_000, 1),
                    TimeUnit::Millisecond => (1_000, 1),
                    TimeUnit::Microsecond => (1, 1),
                    TimeUnit::Nanosecond => (1, 1_000),
                };
                (scaled(times, per), zone.is_some())
            }
            DataType::Date32 => (scaled(DAY, 1), false),
            DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => {
                let (times, per) = micros(self.source.time_unit?);
                (scaled(times, per), true)
            }
            _ => return None,
        };
        let (first, last) = range;
        if min > max {
            return None;
        }
        match self.source.timezone.as_deref() {
            Some(zone) if !zoned && zone != "UTC" => {
                // The clock is set back now and then, so that a later local time may be an earlier instant.
                let zone = types::zone(zone);
                let instant = |local: i64| zone.instant_of_local(local);
                Some((instant(first).saturating_sub(SHIFT), instant(last).saturating_add(SHIFT)))
            }
            _ => Some((first, last)),
        }
    }
}

impl<'a> Facts<'a> {
    fn folder(&self, column: &str) -> Option<Option<&'a str>> {
        self.folders.iter().find(|(name, _)| *name == column).map(|(_, value)| *value)
    }

    /// The number and the type of a column in the file.
    fn leaf(&self, column: &str) -> Option<(usize, &'a DataType)> {
        let leaves = self.metadata.file_metadata().schema_descr().columns();
        let leaf = leaves.iter().position(|c| matches!(c.path().parts(), [only] if only == column))?;
        Some((leaf, flat(self.schema.field_with_name(column).ok()?.data_type())))
    }

    /// Adds up what is read of these columns: compressed bytes, of those of all columns, and pages.
    pub fn add(&self, columns: &[&str], extents: &[Extent], bytes: &mut Part, pages: &mut Part) {
        for (g, (group, extent)) in self.metadata.row_groups().iter().zip(extents).enumerate() {
            for (leaf, column) in group.columns().iter().enumerate() {
                let size = u64::try_from(column.compressed_size()).unwrap_or(0);
                let first = column.column_path().parts().first().map_or("", String::as_str);
                if !columns.contains(&first) {
                    bytes.add(0, size);
                    continue;
                }
                let index = self.pages(g, leaf);
                let of_pages = index.map(|index| index.read(group, extent)).unwrap_or_default();
                pages.add(of_pages.pages.read, of_pages.pages.all);
                let left = if *extent == Extent::Nothing { size } else { of_pages.bytes.skipped() };
                bytes.add(size.saturating_sub(left), size);
            }
        }
    }
}

fn statistics(group: &RowGroupMetaData, leaf: usize) -> Option<&Statistics> {
    group.columns().get(leaf)?.statistics()
}

/// The least and the greatest number.
fn bounds(statistics: &Statistics) -> Option<(i64, i64)> {
    match statistics {
        Statistics::Int64(s) => Some((*s.min_opt()?, *s.max_opt()?)),
        Statistics::Int32(s) => Some((i64::from(*s.min_opt()?), i64::from(*s.max_opt()?))),
        _ => None,
    }
}

/// Texts are in the order of their bytes, unless they were written before that was settled.
fn names<'a>(ty: &DataType, statistics: Option<&'a Statistics>) -> Names<'a> {
    let text = matches!(ty, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    match statistics {
        Some(of @ Statistics::ByteArray(_)) if text && !of.is_min_max_deprecated() => {
            match (of.min_bytes_opt(), of.max_bytes_opt()) {
                (Some(min), Some(max)) if min <= max => Names::Between(min, max),
                _ => Names::Any,
            }
        }
        _ => Names::Any,
    }
}

/// Whether some row of these names may be of the kind.
fn may_take(kind: &Kind, names: &Names<'_>) -> bool {
    let Some(exact) = &kind.exact else { return true };
    match names {
        Names::Any => true,
        Names::One(name) => kind.takes(*name),
        Names::Between(min, max) => {
            let within = |name: &String| *min <= name.as_bytes() && name.as_bytes() <= *max;
            let begins = |prefix: &String| {
                let prefix = prefix.as_bytes();
                prefix <= *max && (*min <= prefix || min.starts_with(prefix))
            };
            exact.iter().any(within) || kind.prefixes.iter().any(begins)
        }
    }
}
