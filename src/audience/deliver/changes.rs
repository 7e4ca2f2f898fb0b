//! What a delivery brings: all rows of an audience, or those that are new, changed or gone.
//!
//! Owns: the comparison of two versions. Promises: rows in the order of customers, each customer once, so that the batches of a
//! delivery are the same whenever they are made.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, StringArray, UInt32Array, new_null_array};
use arrow::compute::{cast, concat, take};
use arrow::datatypes::{DataType, Field};
use arrow::row::{RowConverter, Rows as Keys, SortField};

use super::rows::{self, DELETE, OPERATION, Rows, UPSERT, batch_of, odd};
use crate::error::Error;

/// The rows of a delivery: `operation` first, then the columns of the audience. In a row that deletes only the customer is said.
#[derive(Debug, Clone)]
pub struct Changes {
    pub batch: RecordBatch,
    pub upserts: u64,
    pub deletes: u64,
    /// Rows of the audience that are as they were.
    pub unchanged: u64,
}

impl Changes {
    /// All rows.
    pub fn full(new: &Rows) -> Result<Changes, Error> {
        Changes::delta(new, None, &HashSet::new())
    }

    /// The rows that are not as in `base`, and all those of customers whose delivery failed then (`doubtful`).
    pub fn delta(new: &Rows, base: Option<&Rows>, doubtful: &HashSet<String>) -> Result<Changes, Error> {
        let empty = new.batch.slice(0, 0);
        let base_batch = base.map_or(&empty, |base| &base.batch);
        let before = alike(base_batch.column(0), new.customers().data_type())?;
        let both = Sides { old: &before, new: new.customers() };
        let (old_keys, new_keys) = both.keys()?;
        let same = Same::of(base_batch, &new.batch)?;
        // A place in the customers of both, the new ones behind the old ones.
        let behind = base_batch.num_rows();
        let (mut picked, mut operations): (Vec<Option<u32>>, Vec<&str>) = (Vec::new(), Vec::new());
        let mut customers: Vec<u32> = Vec::new();
        let (mut at_old, mut at_new, mut unchanged) = (0, 0, 0);
        while at_old < behind || at_new < new.batch.num_rows() {
            let order = match (at_old < behind, at_new < new.batch.num_rows()) {
                (true, true) => old_keys.row(at_old).cmp(&new_keys.row(at_new)),
                (true, false) => std::cmp::Ordering::Less,
                _ => std::cmp::Ordering::Greater,
            };
            if order.is_lt() {
                picked.push(None);
                operations.push(DELETE);
                customers.push(at_old as u32);
                at_old += 1;
                continue;
            }
            let again = || rows::text(new.customers(), at_new).is_some_and(|id| doubtful.contains(&id));
            if order.is_eq() && same.is(at_old, at_new) && !again() {
                unchanged += 1;
            } else {
                picked.push(Some(at_new as u32));
                operations.push(UPSERT);
                customers.push((behind + at_new) as u32);
            }
            at_new += 1;
            at_old += usize::from(order.is_eq());
        }
        let deletes = operations.iter().filter(|o| **o == DELETE).count() as u64;
        let upserts = operations.len() as u64 - deletes;
        let made = made(new, &both, &customers, &picked, operations)?;
        let gone = gone(new, base_batch, doubtful)?;
        match gone {
            gone if gone.is_empty() => Ok(Changes { batch: made, upserts, deletes, unchanged }),
            gone => {
                let deletes = deletes + gone.len() as u64;
                Ok(Changes { batch: with_gone(&made, &gone)?, upserts, deletes, unchanged })
            }
        }
    }
}

/// The customers of the one and the other version, of one type.
struct Sides<'a> {
    old: &'a ArrayRef,
    new: &'a ArrayRef,
}

impl Sides<'_> {
    fn keys(&self) -> Result<(Keys, Keys), Error> {
        let fields = vec![SortField::new(self.new.data_type().clone())];
        let converter = RowConverter::new(fields).map_err(|e| odd(&e))?;
        let of = |array: &ArrayRef| converter.convert_columns(&[Arc::clone(array)]).map_err(|e| odd(&e));
        Ok((of(self.old)?, of(self.new)?))
    }
}

/// Ids of another version in the type of this one.
fn alike(ids: &ArrayRef, ty: &DataType) -> Result<ArrayRef, Error> {
    if ids.data_type() == ty {
        return Ok(Arc::clone(ids));
    }
    // In another type they have another order, too.
    Err(Error::data("the ids of customers were of another type in the version that was delivered before")
        .with_help("deliver everything once: `--full`"))
}

/// Whether the other columns of a row are the same in both versions.
enum Same {
    /// The versions have other columns.
    Never,
    /// There are no others.
    Always,
    Compared(Keys, Keys),
}

impl Same {
    fn of(old: &RecordBatch, new: &RecordBatch) -> Result<Same, Error> {
        let shape = |batch: &RecordBatch| -> Vec<(String, DataType)> {
            batch.schema_ref().fields().iter().skip(1).map(|f| (f.name().clone(), f.data_type().clone())).collect()
        };
        match shape(new) {
            columns if columns != shape(old) => Ok(Same::Never),
            columns if columns.is_empty() => Ok(Same::Always),
            columns => {
                let fields = columns.into_iter().map(|(_, ty)| SortField::new(ty)).collect();
                let converter = RowConverter::new(fields).map_err(|e| odd(&e))?;
                let of = |batch: &RecordBatch| {
                    converter.convert_columns(batch.columns().get(1..).unwrap_or_default()).map_err(|e| odd(&e))
                };
                Ok(Same::Compared(of(old)?, of(new)?))
            }
        }
    }

    fn is(&self, old: usize, new: usize) -> bool {
        match self {
            Same::Never => false,
            Same::Always => true,
            Same::Compared(a, b) => a.row(old) == b.row(new),
        }
    }
}

fn made(
    new: &Rows,
    both: &Sides<'_>,
    customers: &[u32],
    picked: &[Option<u32>],
    operations: Vec<&str>,
) -> Result<RecordBatch, Error> {
    let ids = concat(&[both.old.as_ref(), both.new.as_ref()]).map_err(|e| odd(&e))?;
    let ids = take(&ids, &UInt32Array::from(customers.to_vec()), None).map_err(|e| odd(&e))?;
    let places = UInt32Array::from(picked.to_vec());
    let mut fields = vec![Field::new(OPERATION, DataType::Utf8, false)];
    let mut columns: Vec<ArrayRef> = vec![Arc::new(StringArray::from(operations)), ids];
    for (at, field) in new.batch.schema_ref().fields().iter().enumerate() {
        fields.push(field.as_ref().clone());
        if at > 0 {
            columns.push(take(new.batch.column(at), &places, None).map_err(|e| odd(&e))?);
        }
    }
    batch_of(fields, columns, picked.len())
}

/// Customers whose delivery failed, who are in neither version: that they are gone was never told.
fn gone(new: &Rows, old: &RecordBatch, doubtful: &HashSet<String>) -> Result<Vec<String>, Error> {
    if doubtful.is_empty() {
        return Ok(Vec::new());
    }
    let mut known = HashSet::new();
    for ids in [new.customers(), old.column(0)] {
        known.extend((0..ids.len()).filter_map(|row| rows::text(ids, row)).filter(|id| doubtful.contains(id)));
    }
    let mut gone: Vec<String> = doubtful.difference(&known).cloned().collect();
    gone.sort();
    Ok(gone)
}

fn with_gone(made: &RecordBatch, gone: &[String]) -> Result<RecordBatch, Error> {
    let schema = made.schema();
    let ids = cast(&StringArray::from(gone.to_vec()), made.column(1).data_type()).map_err(|e| odd(&e))?;
    let mut columns: Vec<ArrayRef> = vec![Arc::new(StringArray::from(vec![DELETE; gone.len()])), ids];
    columns.extend(schema.fields().iter().skip(2).map(|field| new_null_array(field.data_type(), gone.len())));
    let more = RecordBatch::try_new(schema.clone(), columns).map_err(|e| odd(&e))?;
    arrow::compute::concat_batches(&schema, [made, &more]).map_err(|e| odd(&e))
}
