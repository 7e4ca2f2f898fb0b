//! What rows are sorted by.
//!
//! Owns: ids and instants of a batch. Promises: the ids and instants that the plan sees, in the order that it wants; missing
//! first.

use std::cmp::Ordering;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringViewArray};
use arrow::datatypes::Int64Type;

use super::manifest::Time;
use crate::engine::bucket;
use crate::engine::kernels::convert::{Recipe, apply};
use crate::engine::plan::program::{ColumnSpec, Ty};
use crate::engine::run::translate;
use crate::error::Error;

/// How keys are made of a batch.
#[derive(Debug, Clone)]
pub struct Maker {
    customer: String,
    time: String,
    id: Recipe,
    instant: Recipe,
}

impl Maker {
    pub fn new(source: &str, customer: &str, numbers: bool, time: &Time) -> Maker {
        let label = |column: &str| format!("column `{column}` of source `{source}`");
        let spec = ColumnSpec {
            ty: Ty::Instant,
            fold: false,
            empty_is_value: false,
            zone: time.zone.clone().unwrap_or_else(|| "UTC".into()),
            project_zone: "UTC".into(),
            unit: time.unit,
            label: label(&time.column),
        };
        Maker {
            customer: customer.to_owned(),
            time: time.column.clone(),
            id: Recipe::Id { number: numbers, label: label(customer) },
            instant: Recipe::Value(spec),
        }
    }

    pub fn keys(&self, batch: &RecordBatch) -> Result<Keys, Error> {
        let column = |name: &str, recipe: &Recipe| -> Result<ArrayRef, Error> {
            let array = batch.column_by_name(name);
            let array = array.ok_or_else(|| Error::data(format!("column `{name}` is missing")))?;
            apply(recipe, array).map_err(|e| translate(&e))
        };
        let odd = || Error::Engine { message: "an id or a time is of no known type".into(), help: None };
        let ids = column(&self.customer, &self.id)?;
        let ids = match (ids.as_primitive_opt::<Int64Type>(), ids.as_string_view_opt()) {
            (Some(numbers), _) => Ids::Numbers(numbers.clone()),
            (_, Some(texts)) => Ids::Texts(texts.clone()),
            _ => return Err(odd()),
        };
        let times = column(&self.time, &self.instant)?;
        let times = times.as_primitive_opt::<Int64Type>().ok_or_else(odd)?.clone();
        Ok(Keys { ids, times })
    }
}

#[derive(Debug, Clone)]
enum Ids {
    Numbers(Int64Array),
    Texts(StringViewArray),
}

/// The keys of a batch, row by row.
#[derive(Debug, Clone)]
pub struct Keys {
    ids: Ids,
    times: Int64Array,
}

impl Keys {
    /// The bucket of a row's customer; rows without one are in the first.
    pub fn bucket(&self, row: usize) -> u32 {
        match &self.ids {
            Ids::Numbers(ids) if ids.is_valid(row) => bucket::bucket(bucket::of_number(ids.value(row))),
            Ids::Texts(ids) if ids.is_valid(row) => bucket::bucket(bucket::of_text(ids.value(row).as_bytes())),
            _ => 0,
        }
    }

    /// Whether two rows are of one customer.
    pub fn same(&self, row: usize, other: &Keys, there: usize) -> bool {
        self.customers(row, other, there) == Ordering::Equal
    }

    fn customers(&self, row: usize, other: &Keys, there: usize) -> Ordering {
        match (&self.ids, &other.ids) {
            (Ids::Numbers(a), Ids::Numbers(b)) => {
                let at = |ids: &Int64Array, row: usize| ids.is_valid(row).then(|| ids.value(row));
                at(a, row).cmp(&at(b, there))
            }
            (Ids::Texts(a), Ids::Texts(b)) => {
                fn at(ids: &StringViewArray, row: usize) -> Option<&str> {
                    ids.is_valid(row).then(|| ids.value(row))
                }
                at(a, row).cmp(&at(b, there))
            }
            (Ids::Numbers(_), Ids::Texts(_)) => Ordering::Less,
            (Ids::Texts(_), Ids::Numbers(_)) => Ordering::Greater,
        }
    }

    /// By customer, then time.
    pub fn order(&self, row: usize, other: &Keys, there: usize) -> Ordering {
        let at = |times: &Int64Array, row: usize| times.is_valid(row).then(|| times.value(row));
        self.customers(row, other, there).then_with(|| at(&self.times, row).cmp(&at(&other.times, there)))
    }

    /// The id of a row, for messages.
    pub fn shown(&self, row: usize) -> String {
        match &self.ids {
            Ids::Numbers(ids) if ids.is_valid(row) => ids.value(row).to_string(),
            Ids::Texts(ids) if ids.is_valid(row) => ids.value(row).to_owned(),
            _ => "none".to_owned(),
        }
    }

    pub fn size(&self) -> usize {
        let ids = match &self.ids {
            Ids::Numbers(ids) => ids.get_array_memory_size(),
            Ids::Texts(ids) => ids.get_array_memory_size(),
        };
        ids + self.times.get_array_memory_size()
    }
}
