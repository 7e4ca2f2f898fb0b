//! The rows of a published file as plain values.
//!
//! Owns: how a cell is told to whoever knows nothing of columns. Promises: numbers and truth values as such, everything else as text.
//! Must not know: how it is shown.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Int64Type};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use serde_json::Value;

use super::Store;
use super::manifest::FileRef;
use crate::error::Error;

/// The first rows of a file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rows {
    pub columns: Vec<String>,
    /// A value a column; missing values are `null`.
    pub rows: Vec<Vec<Value>>,
}

impl Store {
    /// The first `limit` rows of a file, all of them without.
    pub async fn rows(&self, file: &FileRef, limit: Option<usize>) -> Result<Rows, Error> {
        let odd = |e: ArrowError| Error::Engine { message: e.to_string(), help: None };
        let mut out = Rows::default();
        for batch in self.read(file).await? {
            let left = limit.map_or(usize::MAX, |limit| limit - out.rows.len());
            out.columns = batch.schema().fields().iter().map(|field| field.name().clone()).collect();
            let options = FormatOptions::default();
            let texts = batch.columns().iter().map(|column| ArrayFormatter::try_new(column.as_ref(), &options));
            let texts = texts.collect::<Result<Vec<_>, _>>().map_err(odd)?;
            for row in 0..batch.num_rows().min(left) {
                let cells = batch.columns().iter().zip(&texts);
                let cells = cells.map(|(column, text)| match column.data_type() {
                    _ if column.is_null(row) => Value::Null,
                    DataType::Int64 => Value::from(column.as_primitive::<Int64Type>().value(row)),
                    DataType::Boolean => Value::from(column.as_boolean().value(row)),
                    _ => Value::from(text.value(row).to_string()),
                });
                out.rows.push(cells.collect());
            }
        }
        Ok(out)
    }
}
