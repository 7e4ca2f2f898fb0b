//! One schema for all files of a source.
//!
//! Owns: the columns of a store. Promises: every column of every file is kept under its name and with its type; columns that
//! stand in folder names become ordinary text columns; two types that nothing is lost between become one, all others are an error.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, StringArray, new_null_array};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};

use crate::engine::tables::parquet::common;
use crate::engine::types::{called, flat};
use crate::error::Error;

/// The columns of a store.
#[derive(Debug, Clone)]
pub struct Shape {
    /// As rows are held while they are moved: without views and dictionaries, whose values would have to be gathered each time.
    pub work: SchemaRef,
    /// As the files say it.
    pub shown: SchemaRef,
}

/// A file's name, columns, and the columns in its folders' names.
pub type Seen<'a> = (&'a str, &'a Schema, &'a [(String, Option<String>)]);

pub fn unify(what: &str, files: &[Seen<'_>]) -> Result<Shape, Error> {
    let mut fields: Vec<(FieldRef, &str)> = Vec::new();
    for (name, schema, _) in files {
        for (f, field) in schema.fields().iter().enumerate() {
            if schema.fields().iter().skip(f + 1).any(|other| other.name() == field.name()) {
                return Err(Error::data(format!("{what}: `{name}` has two columns `{}`", field.name()))
                    .with_help("write the file with each name once"));
            }
            match fields.iter_mut().find(|(known, _)| known.name() == field.name()) {
                None => fields.push((Arc::clone(field), name)),
                Some((known, first)) => {
                    let ty = one(known.data_type(), field.data_type()).ok_or_else(|| {
                        Error::data(format!(
                            "{what}: column `{}` holds {} in `{first}` and {} in `{name}`",
                            field.name(),
                            called(flat(known.data_type())),
                            called(flat(field.data_type()))
                        ))
                        .with_help("a store has one type a column; write the files with one")
                    })?;
                    let nullable = known.is_nullable() || field.is_nullable();
                    *known = Arc::new(Field::clone(known).with_data_type(ty).with_nullable(nullable));
                }
            }
        }
    }
    for (field, _) in &mut fields {
        if !field.is_nullable() && files.iter().any(|(_, schema, _)| schema.field_with_name(field.name()).is_err()) {
            *field = Arc::new(Field::clone(field).with_nullable(true));
        }
    }
    for (name, _, hive) in files {
        for (key, _) in *hive {
            if !fields.iter().any(|(known, _)| known.name() == key) {
                fields.push((Arc::new(Field::new(key, DataType::Utf8, true)), name));
            }
        }
    }
    let with = |ty: &dyn Fn(&DataType) -> DataType| {
        let retyped = |f: &FieldRef| Arc::new(Field::clone(f).with_data_type(ty(f.data_type())));
        Arc::new(Schema::new(fields.iter().map(|(f, _)| retyped(f)).collect::<Vec<_>>()))
    };
    Ok(Shape { work: with(&held), shown: with(&written) })
}

fn one(a: &DataType, b: &DataType) -> Option<DataType> {
    if a == b {
        return Some(a.clone());
    }
    match common(a, b)? {
        DataType::Utf8View => match (flat(a), flat(b)) {
            (DataType::LargeUtf8, _) | (_, DataType::LargeUtf8) => Some(DataType::LargeUtf8),
            _ => Some(DataType::Utf8),
        },
        other => Some(other),
    }
}

/// How a column is held while rows are moved.
fn held(ty: &DataType) -> DataType {
    match ty {
        DataType::Dictionary(_, values) => held(values),
        DataType::Utf8View => DataType::Utf8,
        DataType::BinaryView => DataType::Binary,
        other => other.clone(),
    }
}

/// What a file says of a column: more distinct values meet in a bucket than in a file, so keys of dictionaries are wide.
fn written(ty: &DataType) -> DataType {
    match ty {
        DataType::Dictionary(_, values) => match values.as_ref() {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Binary | DataType::LargeBinary => {
                DataType::Dictionary(Box::new(DataType::Int32), values.clone())
            }
            other => written(other),
        },
        other => other.clone(),
    }
}

impl Shape {
    /// A file's rows with the columns of the store.
    pub fn adapt(&self, batch: &RecordBatch, hive: &[(String, Option<String>)]) -> Result<RecordBatch, String> {
        let column = |field: &FieldRef| -> Result<ArrayRef, String> {
            let own = batch.column_by_name(field.name());
            let array: ArrayRef = match (own, hive.iter().find(|(key, _)| key == field.name())) {
                (Some(array), _) => Arc::clone(array),
                (None, Some((_, Some(value)))) => {
                    Arc::new(StringArray::from_iter_values(std::iter::repeat_n(value, batch.num_rows())))
                }
                (None, _) => return Ok(new_null_array(field.data_type(), batch.num_rows())),
            };
            if array.data_type() == field.data_type() {
                return Ok(array);
            }
            let options = CastOptions { safe: false, ..CastOptions::default() };
            cast_with_options(&array, field.data_type(), &options)
                .map_err(|e| format!("column `{}`: {e}", field.name()))
        };
        let columns = self.work.fields().iter().map(column).collect::<Result<Vec<_>, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        RecordBatch::try_new_with_options(Arc::clone(&self.work), columns, &options).map_err(|e| e.to_string())
    }

    /// The columns as text, to tell whether they are the same.
    pub fn text(&self) -> String {
        let column = |f: &FieldRef| format!("{} {} {}", f.name(), f.data_type(), f.is_nullable());
        self.shown.fields().iter().map(column).collect::<Vec<_>>().join("\n")
    }
}
