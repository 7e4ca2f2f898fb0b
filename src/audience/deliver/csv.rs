//! Rows as CSV (RFC 4180, UTF-8, a header) that no spreadsheet calculates with.
//!
//! Owns: quoting, and what happens to texts that would be formulas. Promises: what is neutralised can be told from what is not and
//! taken back: such a text has exactly one `'` more at its beginning.

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::DataType;

use super::rows;
pub use crate::engine::write::is_formula;

/// Writes the rows; the answer is how many cells were neutralised. Nothing is an empty cell, empty text a quoted one.
pub fn write(out: &mut dyn Write, batch: &RecordBatch, keep_formulas: bool) -> std::io::Result<u64> {
    let mut neutralised = 0;
    let mut line = String::new();
    for (at, field) in batch.schema_ref().fields().iter().enumerate() {
        line.push_str(if at > 0 { "," } else { "" });
        quote(&mut line, field.name());
    }
    line.push_str("\r\n");
    out.write_all(line.as_bytes())?;
    for row in 0..batch.num_rows() {
        line.clear();
        for (at, column) in batch.columns().iter().enumerate() {
            line.push_str(if at > 0 { "," } else { "" });
            let Some(text) = rows::text(column, row) else { continue };
            // Numbers are numbers; only what others wrote can be a formula.
            if !keep_formulas && column.data_type() == &DataType::Utf8 && is_formula(&text) {
                neutralised += 1;
                quote(&mut line, &format!("'{text}"));
            } else {
                quote(&mut line, &text);
            }
        }
        line.push_str("\r\n");
        out.write_all(line.as_bytes())?;
    }
    Ok(neutralised)
}

fn quote(line: &mut String, text: &str) {
    let plain = !text.is_empty() && !text.contains([',', '"', '\r', '\n']) && text.trim() == text;
    if plain {
        line.push_str(text);
        return;
    }
    line.push('"');
    line.push_str(&text.replace('"', "\"\""));
    line.push('"');
}
