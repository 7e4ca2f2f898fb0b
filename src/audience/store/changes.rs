//! Who came and who went.
//!
//! Owns: comparing members, the history's rows of membership. Promises: one pass over both, in the order of ids.
//! Must not know: stores, rules.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray, new_null_array,
};
use arrow::compute::concat;
use arrow::datatypes::{DataType, Int64Type};

use crate::audience::history::history_schema;
use crate::error::Error;
use crate::language::num::PLACES;

/// The difference between two audiences; both sides in the order of ids.
#[derive(Debug, Clone)]
pub struct Changes {
    pub entered: ArrayRef,
    pub left: ArrayRef,
}

/// Compares the ids (text or whole numbers, ascending, each once) of an audience before and now.
pub fn changes(before: &ArrayRef, now: &ArrayRef) -> Result<Changes, Error> {
    match (before.as_string_opt::<i32>(), now.as_string_opt::<i32>()) {
        (Some(before), Some(now)) => {
            let (entered, left) = merge(&values(before.iter())?, &values(now.iter())?)?;
            let array = |ids: Vec<&str>| Arc::new(StringArray::from_iter_values(ids)) as ArrayRef;
            return Ok(Changes { entered: array(entered), left: array(left) });
        }
        // An audience that was empty has no ids of another kind.
        (None, Some(_)) if before.is_empty() => return Ok(Changes { entered: Arc::clone(now), left: now.slice(0, 0) }),
        (Some(_), None) if now.is_empty() => {
            return Ok(Changes { entered: before.slice(0, 0), left: Arc::clone(before) });
        }
        _ => {}
    }
    let numbers = |ids: &ArrayRef| match ids.as_primitive_opt::<Int64Type>() {
        Some(numbers) => values(numbers.iter()),
        None if ids.is_empty() => Ok(Vec::new()),
        None => Err(no_ids(ids.data_type())),
    };
    if before.data_type() != now.data_type() && !before.is_empty() && !now.is_empty() {
        let (was, is) = (before.data_type(), now.data_type());
        return Err(Error::data(format!("the ids of customers were {was} and are {is}: nobody can be found again"))
            .with_help("let the catalog read the ids as before, or name a new store"));
    }
    let (entered, left) = merge(&numbers(before)?, &numbers(now)?)?;
    let array = |ids: Vec<i64>| Arc::new(Int64Array::from(ids)) as ArrayRef;
    Ok(Changes { entered: array(entered), left: array(left) })
}

pub(super) fn no_ids(of: &DataType) -> Error {
    Error::Engine { message: format!("ids of customers are text or whole numbers, not {of}"), help: None }
}

fn values<T>(ids: impl Iterator<Item = Option<T>>) -> Result<Vec<T>, Error> {
    let none = || Error::data("a customer without id stands in an audience").with_help("was the file changed by hand?");
    ids.map(|id| id.ok_or_else(none)).collect()
}

fn merge<T: Ord + Copy>(before: &[T], now: &[T]) -> Result<(Vec<T>, Vec<T>), Error> {
    if ![before, now].iter().all(|ids| ids.is_sorted_by(|a, b| a < b)) {
        return Err(Error::data("the customers of an audience are out of order, or stand there twice")
            .with_help("was the file changed by hand?"));
    }
    let (mut entered, mut left) = (Vec::new(), Vec::new());
    let (mut before, mut now) = (before.iter().peekable(), now.iter().peekable());
    loop {
        let order = match (before.peek(), now.peek()) {
            (None, None) => return Ok((entered, left)),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(a), Some(b)) => a.cmp(b),
        };
        if order.is_eq() {
            before.next();
            now.next();
        } else if order.is_lt() {
            left.extend(before.next());
        } else {
            entered.extend(now.next());
        }
    }
}

/// The rows `entered` and `left` of segments at an instant (microseconds since 1970), in the order of the history. Names with
/// their changes; each name once.
pub fn membership(ids: &DataType, at: i64, segments: &[(&str, Changes)]) -> Result<RecordBatch, Error> {
    let odd = |e: arrow::error::ArrowError| Error::Engine { message: e.to_string(), help: None };
    let mut segments: Vec<_> = segments.iter().collect();
    segments.sort_by_key(|(name, _)| *name);
    let entered = segments.iter().map(|(name, changes)| ("entered", *name, &changes.entered));
    let left = segments.iter().map(|(name, changes)| ("left", *name, &changes.left));
    let parts: Vec<_> = entered.chain(left).filter(|(.., ids)| !ids.is_empty()).collect();
    let schema = history_schema(ids);
    if parts.is_empty() {
        return Ok(RecordBatch::new_empty(schema));
    }
    let customers: Vec<&dyn Array> = parts.iter().map(|(.., ids)| ids.as_ref()).collect();
    let customers = concat(&customers).map_err(odd)?;
    let rows = customers.len();
    let events = parts.iter().flat_map(|(event, _, ids)| std::iter::repeat_n(Some(*event), ids.len()));
    let names = parts.iter().flat_map(|(_, name, ids)| std::iter::repeat_n(Some(*name), ids.len()));
    let columns: Vec<ArrayRef> = vec![
        customers,
        Arc::new(TimestampMicrosecondArray::from(vec![at; rows]).with_timezone("UTC")),
        Arc::new(events.collect::<StringArray>()),
        Arc::new(names.collect::<StringArray>()),
        new_null_array(&DataType::Utf8, rows),
        new_null_array(&DataType::Utf8, rows),
        new_null_array(&DataType::Utf8, rows),
        new_null_array(&DataType::Decimal128(38, PLACES as i8), rows),
    ];
    RecordBatch::try_new(schema, columns).map_err(odd)
}
