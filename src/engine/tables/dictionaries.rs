//! Columns of few texts, read as numbers into a dictionary.
//!
//! Owns: which columns those are, and telling the reader. Promises: footers alone decide; what is read is the same. Must not know:
//! what columns are for.

use std::sync::Arc;

use ::parquet::arrow::{ARROW_SCHEMA_META_KEY, encode_arrow_schema};
use ::parquet::basic::ConvertedType;
use ::parquet::file::metadata::{ColumnChunkMetaData, FileMetaData, KeyValue, ParquetMetaData, ParquetMetaDataBuilder};
use arrow::datatypes::{DataType, Field, Schema};

use super::parquet::Footer;

/// Compressed bytes of a dictionary that is small.
const SMALL: i64 = 4 << 10;

/// The type by which such a column is read.
pub fn keyed() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

/// Whether a column has a small dictionary of texts wherever it has rows.
pub fn is_small(column: &str, footers: &[Footer]) -> bool {
    let text = |footer: &Footer| {
        let found = footer.schema.field_with_name(column).map(Field::data_type);
        matches!(found, Ok(DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View))
    };
    let chunks = |footer: &Footer| {
        let leaves = footer.metadata.file_metadata().schema_descr().columns();
        let at = leaves.iter().position(|leaf| matches!(leaf.path().parts(), [name] if name == column));
        // Of bytes that are text by another name the reader makes a dictionary of bytes.
        let is_text = |at: &usize| leaves.get(*at).is_some_and(|leaf| leaf.converted_type() == ConvertedType::UTF8);
        let Some(at) = at.filter(is_text) else { return false };
        let mut groups = footer.metadata.row_groups().iter().filter(|group| group.num_rows() > 0);
        groups.all(|group| group.columns().get(at).is_some_and(has_small_dictionary))
    };
    footers.iter().all(|footer| text(footer) && chunks(footer))
}

fn has_small_dictionary(chunk: &ColumnChunkMetaData) -> bool {
    let bytes = chunk.dictionary_page_offset().map(|at| chunk.data_page_offset().saturating_sub(at));
    bytes.is_some_and(|bytes| (1..=SMALL).contains(&bytes))
}

impl Footer {
    /// Tells the reader, by the schema that a file carries, to read columns by their dictionaries.
    pub(super) fn tell(&mut self, columns: &[&str]) {
        let of = |field: &Field| {
            let small = columns.contains(&field.name().as_str());
            if small { field.clone().with_data_type(keyed()) } else { field.clone() }
        };
        let fields: Vec<Field> = self.schema.fields().iter().map(|field| of(field)).collect();
        let schema = encode_arrow_schema(&Schema::new(fields));
        self.metadata = with_schema(&self.metadata, &schema);
        self.indexed = self.indexed.as_deref().map(|metadata| with_schema(metadata, &schema));
    }
}

fn with_schema(metadata: &ParquetMetaData, schema: &str) -> Arc<ParquetMetaData> {
    let file = metadata.file_metadata();
    let others = file.key_value_metadata().into_iter().flatten().filter(|pair| pair.key != ARROW_SCHEMA_META_KEY);
    let own = KeyValue::new(ARROW_SCHEMA_META_KEY.to_owned(), schema.to_owned());
    let pairs = others.cloned().chain([own]).collect();
    let file = FileMetaData::new(
        file.version(),
        file.num_rows(),
        file.created_by().map(str::to_owned),
        Some(pairs),
        file.schema_descr_ptr(),
        file.column_orders().cloned(),
    );
    let again = ParquetMetaDataBuilder::new(file)
        .set_row_groups(metadata.row_groups().to_vec())
        .set_column_index(metadata.column_index().cloned())
        .set_offset_index(metadata.offset_index().cloned());
    Arc::new(again.build())
}
