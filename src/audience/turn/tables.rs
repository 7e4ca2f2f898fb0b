//! What is kept of a turn, as tables.
//!
//! Owns: the audiences of segments and stages, and the order of the history. Promises: rows are in the order of the table. Must not
//! know: files.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, StringArray};
use arrow::buffer::BooleanBuffer;
use arrow::compute::filter;
use arrow::datatypes::{DataType, Field, Schema};

use super::Turn;
use crate::error::Error;
use crate::language::ir::Stages;

fn odd(why: impl std::fmt::Display) -> Error {
    Error::Engine { message: format!("an audience can't be written: {why}"), help: None }
}

/// The members of a rule: `customer`.
pub(super) fn members(turn: &Turn, rule: usize) -> Result<RecordBatch, Error> {
    let bits = turn.outcome.members.get(rule).ok_or_else(|| odd("it has no rule"))?;
    batch(turn, bits, None)
}

/// Who is in a stage, and in which: `customer`, `stage`.
pub(super) fn stages(turn: &Turn, stages: &Stages) -> Result<RecordBatch, Error> {
    let line = |line: &crate::language::ir::StageLine| turn.outcome.members.get(line.rule.0 as usize);
    let lines: Vec<(&str, &BooleanBuffer)> =
        stages.lines.iter().filter_map(|l| Some((l.stage.as_str(), line(l)?))).collect();
    let nobody = BooleanBuffer::new_unset(turn.outcome.customers.len());
    let inside = lines.iter().fold(nobody, |all, (_, bits)| &all | *bits);
    let stage = |row| lines.iter().find(|(_, bits)| bits.value(row)).map_or("", |(stage, _)| *stage);
    let texts: StringArray = inside.set_indices().map(|row| Some(stage(row))).collect();
    batch(turn, &inside, Some(("stage", Arc::new(texts))))
}

fn batch(turn: &Turn, inside: &BooleanBuffer, second: Option<(&str, ArrayRef)>) -> Result<RecordBatch, Error> {
    let customers = filter(&turn.outcome.customers, &BooleanArray::new(inside.clone(), None)).map_err(odd)?;
    let mut fields = vec![Field::new("customer", customers.data_type().clone(), false)];
    let mut columns = vec![customers];
    if let Some((name, column)) = second {
        fields.push(Field::new(name, DataType::Utf8, false));
        columns.push(column);
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(odd)
}

/// The history of one instant in its order: by event, name and customer. Each batch is of one event and name already.
pub(super) fn in_order(mut batches: Vec<RecordBatch>) -> Vec<RecordBatch> {
    let first = |batch: &RecordBatch, name: &str| {
        let column = batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
        column.filter(|column| !column.is_empty()).map(|column| column.value(0).to_owned())
    };
    batches.retain(|batch| batch.num_rows() > 0);
    batches.sort_by_cached_key(|batch| (first(batch, "event"), first(batch, "name")));
    batches
}

/// Batches of one event and name each.
pub(super) fn split(batches: Vec<RecordBatch>) -> Vec<RecordBatch> {
    let mut parts = Vec::new();
    for batch in batches {
        let text = |name: &str| batch.column_by_name(name).and_then(|c| c.as_string_opt::<i32>()).cloned();
        let (Some(events), Some(names)) = (text("event"), text("name")) else { continue };
        let mut from = 0;
        for row in 1..=batch.num_rows() {
            let ends = row == batch.num_rows()
                || events.value(row) != events.value(from)
                || names.value(row) != names.value(from);
            if ends {
                parts.push(batch.slice(from, row - from));
                from = row;
            }
        }
    }
    parts
}

/// Customers as an audience.
pub(super) fn of(customers: &ArrayRef) -> Result<RecordBatch, Error> {
    let schema = Schema::new(vec![Field::new("customer", customers.data_type().clone(), false)]);
    RecordBatch::try_new(Arc::new(schema), vec![Arc::clone(customers)]).map_err(odd)
}
