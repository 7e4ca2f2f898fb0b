//! Whom of a decision's contacts nothing speaks against by now.
//!
//! Owns: how contacts are told apart: by customer and channel. Promises: who is in no later version of an audience that stands is
//! not among them. Must not know: why somebody may not be reached any more.

use std::collections::HashSet;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use serde_json::Value;

use super::rows::{self, CUSTOMER};
use crate::error::Error;

const CHANNEL: &str = "channel";

/// Customers with the channels by which they may be contacted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach(HashSet<(String, Option<String>)>);

impl Reach {
    /// Everybody in these rows.
    pub fn of(batches: &[RecordBatch]) -> Reach {
        Reach(batches.iter().flat_map(|batch| (0..batch.num_rows()).filter_map(|row| contact(batch, row))).collect())
    }

    /// Who is in both.
    pub fn and(self, other: &Reach) -> Reach {
        Reach(self.0.into_iter().filter(|contact| other.0.contains(contact)).collect())
    }

    /// Those of some rows who are among them.
    pub fn only(&self, batch: &RecordBatch) -> Result<RecordBatch, Error> {
        let among = |row| contact(batch, row).is_some_and(|contact| self.0.contains(&contact));
        let among: BooleanArray = (0..batch.num_rows()).map(|row| Some(among(row))).collect();
        filter_record_batch(batch, &among).map_err(|e| rows::odd(&e))
    }

    /// Takes the other rows out of a letter; how many those were.
    pub fn keep(&self, letter: &mut Value) -> u64 {
        let Some(Value::Array(all)) = letter.get_mut("rows") else { return 0 };
        let before = all.len();
        all.retain(|row| {
            let channel = row.get(CHANNEL).and_then(Value::as_str).map(str::to_owned);
            super::state::customer(row).is_some_and(|customer| self.0.contains(&(customer, channel)))
        });
        before.saturating_sub(all.len()) as u64
    }
}

/// Customer and channel of a row.
fn contact(batch: &RecordBatch, row: usize) -> Option<(String, Option<String>)> {
    let text = |name| batch.column_by_name(name).and_then(|column| rows::text(column, row));
    Some((text(CUSTOMER)?, text(CHANNEL)))
}
