//! Columns of files as values, in SQL.
//!
//! Owns: which column of which type can be read exactly with nothing but casts. Promises: texts in NFC, money to its scale, instants
//! as microseconds, plain dates as the microseconds of their midnight; what is missing is NULL. Must not know: rules.

use arrow::datatypes::{DataType, TimeUnit};

use super::text::{self, DAY};
use crate::engine::types::flat;
use crate::language::calendar::Zone;
use crate::language::catalog::{self, Type};

/// Why something can't be said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why(pub String);

pub type Said<T> = Result<T, Why>;

/// Can't be said.
pub fn not<T>(why: impl Into<String>) -> Said<T> {
    Err(Why(why.into()))
}

/// What an expression gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An exact number with so many decimal places and at most so many digits.
    Exact {
        scale: u8,
        digits: u8,
    },
    Float,
    Text,
    YesNo,
    /// Microseconds of midnight.
    Date,
    /// Microseconds.
    Instant,
    /// An instant of which it is asked how many days ago it was.
    DaysSince,
}

impl Kind {
    pub const COUNT: Kind = Kind::Exact { scale: 0, digits: 12 };
}

/// What the catalog says about a property or an attribute.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading<'a> {
    pub ty: Type,
    pub fold: bool,
    pub empty_is_value: bool,
    /// Of times that carry none.
    pub zone: Option<&'a str>,
}

fn is_text(found: &DataType) -> bool {
    matches!(found, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

/// An id as a number, or as text of which empty is missing.
pub fn id(column: &str, found: &DataType, number: bool) -> Said<String> {
    let found = flat(found);
    if number {
        return Ok(format!("CAST({column} AS BIGINT)"));
    }
    if is_text(found) {
        return Ok(format!("NULLIF(CAST({column} AS VARCHAR), '')"));
    }
    if found.is_integer() {
        return Ok(format!("CAST({column} AS VARCHAR)"));
    }
    not("ids that are no text and no whole numbers")
}

/// Text as the file has it.
pub fn raw(column: &str, found: &DataType) -> Said<String> {
    match flat(found) {
        found if is_text(found) => Ok(format!("CAST({column} AS VARCHAR)")),
        found if found.is_integer() => Ok(format!("CAST({column} AS VARCHAR)")),
        DataType::Null => Ok("CAST(NULL AS VARCHAR)".to_owned()),
        _ => not("names or repeated ids of events that are no text"),
    }
}

/// The time of an event.
pub fn time(column: &str, found: &DataType, unit: Option<catalog::TimeUnit>, zone: Option<&str>) -> Said<String> {
    match (unit, flat(found).is_integer()) {
        (Some(catalog::TimeUnit::Second), true) => Ok(format!("CAST({column} AS BIGINT) * 1000000")),
        (Some(catalog::TimeUnit::Millisecond), true) => Ok(format!("CAST({column} AS BIGINT) * 1000")),
        (Some(catalog::TimeUnit::Microsecond), true) => Ok(format!("CAST({column} AS BIGINT)")),
        (Some(catalog::TimeUnit::Nanosecond), true) => not("times in whole nanoseconds"),
        _ => instant(column, found, zone),
    }
}

fn instant(column: &str, found: &DataType, zone: Option<&str>) -> Said<String> {
    let micros = format!("epoch_us({column})");
    match flat(found) {
        DataType::Timestamp(TimeUnit::Nanosecond, _) => not("timestamps in nanoseconds"),
        DataType::Timestamp(_, Some(_)) => Ok(micros),
        DataType::Timestamp(_, None) | DataType::Date32 => match zone.filter(|z| *z != "UTC") {
            None => Ok(micros),
            Some(zone) => Zone::new(zone).map_or_else(|| not("an unknown zone"), |zone| of_local(&micros, &zone)),
        },
        DataType::Null => Ok("CAST(NULL AS BIGINT)".to_owned()),
        _ => not("times that are no timestamps"),
    }
}

/// So late that every zone is tabulated and nothing real lies beyond.
const FAR: i64 = 4_070_908_800_000_000; // 2099-01-01T00:00Z

/// Local time of an instant.
pub fn local(of: &str, zone: &Zone, until: i64) -> Said<String> {
    let Some(offsets) = zone.offsets_before(until) else { return not("a zone's clock after the year 2099") };
    match offsets.as_slice() {
        [(_, 0)] => Ok(of.to_owned()),
        offsets => {
            let steps: Vec<(i64, String)> = offsets.iter().map(|(start, by)| (*start, by.to_string())).collect();
            Ok(format!("({of} + {})", text::step(of, &steps)))
        }
    }
}

/// The instant of a local time: one that the clock skips moves on by the gap, one that comes twice is the first.
pub fn of_local(of: &str, zone: &Zone) -> Said<String> {
    let Some(offsets) = zone.offsets_before(FAR) else { return not("a zone's clock after the year 2099") };
    let mut steps: Vec<(i64, String)> = Vec::new();
    let mut before = 0;
    for (i, (start, by)) in offsets.iter().enumerate() {
        let edge = if i == 0 { i64::MIN } else { start.saturating_add(before.max(*by)) };
        steps.push((edge, by.to_string()));
        before = *by;
    }
    match steps.as_slice() {
        [(_, by)] if by == "0" => Ok(of.to_owned()),
        steps => Ok(format!("({of} - {})", text::step(of, steps))),
    }
}

/// A float that is a number; negative zero is zero.
pub fn finite(of: &str) -> String {
    format!(
        "CASE WHEN {of} >= CAST('-Infinity' AS DOUBLE) AND {of} <= CAST('Infinity' AS DOUBLE) THEN {of} + 0.0e0 END"
    )
}

/// The value of a property or attribute.
pub fn value(column: &str, found: &DataType, how: Reading<'_>, project: &Zone) -> Said<(String, Kind)> {
    let found = flat(found);
    Ok(match how.ty {
        Type::Text if how.fold => return not("text whose case is folded"),
        Type::Text => {
            let plain = is_text(found)
                || found.is_integer()
                || matches!(found, DataType::Boolean | DataType::Date32 | DataType::Null);
            if !plain {
                return not("text made of floats, decimals, times or bytes");
            }
            let text = format!("CAST({column} AS VARCHAR)");
            let text = if is_text(found) { format!("nfc_normalize({text})") } else { text };
            (if how.empty_is_value { text } else { format!("NULLIF({text}, '')") }, Kind::Text)
        }
        Type::Integer => (format!("CAST({column} AS BIGINT)"), Kind::Exact { scale: 0, digits: 19 }),
        Type::Money { scale } => {
            let kind = Kind::Exact { scale, digits: 19 };
            let cast = format!("CAST({column} AS DECIMAL(38, {scale}))");
            if found.is_floating() {
                let column = format!("CAST({column} AS DOUBLE)");
                let least = format!("{column} > CAST('-Infinity' AS DOUBLE)");
                (format!("CASE WHEN {least} AND {column} < CAST('Infinity' AS DOUBLE) THEN {cast} END"), kind)
            } else {
                (cast, kind)
            }
        }
        Type::Number => (finite(&format!("CAST({column} AS DOUBLE)")), Kind::Float),
        Type::YesNo if *found == DataType::Boolean => (column.to_owned(), Kind::YesNo),
        Type::YesNo if found.is_integer() => (format!("({column} = 1)"), Kind::YesNo),
        Type::YesNo => return not("yes and no written as text"),
        Type::Date => {
            let micros = format!("epoch_us({column})");
            match found {
                DataType::Date32 => (micros, Kind::Date),
                DataType::Timestamp(TimeUnit::Nanosecond, _) => return not("timestamps in nanoseconds"),
                DataType::Timestamp(_, None) => (text::floor(&micros, DAY), Kind::Date),
                DataType::Timestamp(_, Some(_)) => (text::floor(&local(&micros, project, FAR)?, DAY), Kind::Date),
                _ => return not("dates of another type"),
            }
        }
        Type::Instant => (instant(column, found, how.zone)?, Kind::Instant),
        Type::TextList => return not("lists of texts"),
    })
}
