//! The form of the history: what runs leave behind of whom they met.
//!
//! Owns: its columns. Must not know: who writes or reads them.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

use crate::language::num::PLACES;

/// The columns of the history; `customer` is as the project's ids are. Its rows are in the order of `at`, `event`, `name`, `customer`.
pub fn history_schema(ids: &DataType) -> SchemaRef {
    let text = |name: &str, may_be_missing| Field::new(name, DataType::Utf8, may_be_missing);
    Arc::new(Schema::new(vec![
        Field::new("customer", ids.clone(), false),
        Field::new("at", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), false),
        text("event", false),
        text("name", false),
        text("arm", true),
        text("channel", true),
        text("action", true),
        Field::new("cost", DataType::Decimal128(38, PLACES as i8), true),
    ]))
}
