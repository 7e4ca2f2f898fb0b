//! A file of a store.
//!
//! Owns: how the Parquet is written. Promises: the same rows are the same bytes.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use ::parquet::arrow::arrow_writer::{ArrowWriter, ArrowWriterOptions};
use ::parquet::arrow::{ARROW_SCHEMA_META_KEY, encode_arrow_schema};
use ::parquet::basic::{Compression, Encoding};
use ::parquet::file::metadata::{KeyValue, SortingColumn};
use ::parquet::file::properties::WriterProperties;
use ::parquet::schema::types::ColumnPath;
use arrow::array::RecordBatch;
use arrow::datatypes::DataType;
use sha2::{Digest, Sha256};

use super::job::Job;
use super::manifest::{Output, hex};
use crate::engine::tables::layout::KEY;

/// Rows of a row group.
const GROUP_ROWS: usize = 1 << 18;
/// Bytes of a row group on its way into the file; wide rows make smaller groups.
const GROUP_BYTES: usize = 16 << 20;

/// Counts and digests what goes through.
struct Told {
    out: BufWriter<File>,
    hasher: Sha256,
    bytes: u64,
}

impl Write for Told {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.hasher.update(bytes.get(..written).unwrap_or_default());
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

pub struct Writer {
    writer: ArrowWriter<Told>,
    rows: u64,
}

impl Writer {
    pub fn new(job: &Job, file: usize, path: &Path) -> Result<Writer, String> {
        let text = |e: &dyn std::fmt::Display| e.to_string();
        let shown = job.shape.shown.as_ref();
        let keys = vec![
            KeyValue::new(ARROW_SCHEMA_META_KEY.to_owned(), encode_arrow_schema(shown)),
            KeyValue::new(KEY.to_owned(), job.declared(file).text()),
        ];
        let mut properties = WriterProperties::builder()
            .set_created_by("segue".into())
            .set_max_row_group_row_count(Some(GROUP_ROWS))
            .set_compression(Compression::SNAPPY)
            .set_key_value_metadata(Some(keys));
        for field in job.shape.work.fields() {
            // Instants hardly repeat; as differences they are small, and as fast to read as any.
            if field.name() == &job.time.column && matches!(field.data_type(), DataType::Timestamp(..)) {
                let path = ColumnPath::new(vec![field.name().clone()]);
                properties = properties
                    .set_column_dictionary_enabled(path.clone(), false)
                    .set_column_encoding(path, Encoding::PLAIN);
            }
        }
        let leaf = |name: &str| {
            // Sorted by columns that are leaves; Parquet orders by what lies in the file.
            let flat = job.shape.work.fields().iter().all(|f| !f.data_type().is_nested());
            let at = job.shape.work.fields().iter().position(|f| f.name() == name);
            at.filter(|_| flat).and_then(|at| i32::try_from(at).ok())
        };
        if let Some(column_idx) = leaf(&job.customer) {
            // Of the time nothing is said here: it is sorted as instants, which a zone may turn about.
            let customer = SortingColumn { column_idx, descending: false, nulls_first: true };
            properties = properties.set_sorting_columns(Some(vec![customer]));
        }
        let out = File::create(path).map_err(|e| text(&e))?;
        let told = Told { out: BufWriter::with_capacity(1 << 20, out), hasher: Sha256::new(), bytes: 0 };
        let options = ArrowWriterOptions::new().with_properties(properties.build()).with_skip_arrow_metadata(true);
        let writer = ArrowWriter::try_new_with_options(told, Arc::clone(&job.shape.work), options);
        Ok(Writer { writer: writer.map_err(|e| text(&e))?, rows: 0 })
    }

    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), String> {
        self.rows += batch.num_rows() as u64;
        self.writer.write(batch).map_err(|e| e.to_string())?;
        if self.writer.in_progress_size() >= GROUP_BYTES {
            self.writer.flush().map_err(|e| e.to_string())?;
        }
        Ok(())
    }

    /// Ends the file; what it has become.
    pub fn finish(self, path: String, buckets: [u32; 2]) -> Result<Output, String> {
        let mut told = self.writer.into_inner().map_err(|e| e.to_string())?;
        told.flush().map_err(|e| e.to_string())?;
        told.out.get_ref().sync_all().map_err(|e| e.to_string())?;
        let sha256 = hex(&told.hasher.finalize());
        Ok(Output { path, buckets, rows: self.rows, bytes: told.bytes, sha256 })
    }
}
