//! The rows of an audience in one form: few types, one row a customer, in the order of customers.
//!
//! Owns: which types can be delivered and what is said of the others; what a cell is as text and as JSON.
//! Promises: whatever a number, an amount, an instant or a list is here, it is in every destination.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow::compute::{cast, concat_batches, take_record_batch};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Field, Float64Type, Int64Type, Schema, TimeUnit, TimestampMicrosecondType,
};
use arrow::row::{RowConverter, SortField};
use serde_json::Value;

use crate::error::Error;
use crate::language::calendar::date_of;

/// The column of the customer's id, the first of every audience.
pub const CUSTOMER: &str = "customer";
/// The column of a delivery that says what becomes of a row: [`UPSERT`] or [`DELETE`].
pub const OPERATION: &str = "operation";
pub const UPSERT: &str = "upsert";
pub const DELETE: &str = "delete";

/// The rows of an audience that may be delivered.
#[derive(Debug, Clone)]
pub struct Rows {
    /// `customer` first (Utf8 or Int64, ascending, none twice), types as [`plain`] makes them.
    pub batch: RecordBatch,
}

pub(super) fn odd(why: &dyn std::fmt::Display) -> Error {
    Error::Engine { message: why.to_string(), help: None }
}

impl Rows {
    /// What a version published of an audience. `what` names both: ``audience `vip` of version 7``.
    pub fn new(batches: &[RecordBatch], what: &str) -> Result<Rows, Error> {
        let schema =
            batches.first().map(|b| b.schema()).ok_or_else(|| Error::data(format!("{what} has no columns")))?;
        let whole = concat_batches(&schema, batches).map_err(|e| odd(&e))?;
        let mut fields = Vec::new();
        let mut columns = Vec::new();
        for (field, column) in schema.fields().iter().zip(whole.columns()) {
            if field.name() == OPERATION || fields.iter().any(|f: &Field| f.name() == field.name()) {
                return Err(Error::data(format!("{what} has a column `{}`, which means something else", field.name()))
                    .with_help("call the value something else: `with … as other_name`"));
            }
            let column = plain(field.name(), column, what)?;
            fields.push(
                Field::new(field.name(), column.data_type().clone(), field.name() != CUSTOMER)
                    .with_metadata(field.metadata().clone()),
            );
            columns.push(column);
        }
        let first = fields.iter().position(|f| f.name() == CUSTOMER);
        let first = first.ok_or_else(|| Error::data(format!("{what} has no column `{CUSTOMER}`")))?;
        if first > 0 {
            let (field, column) = (fields.remove(first), columns.remove(first));
            fields.insert(0, field);
            columns.insert(0, column);
        }
        let customers = columns.first().ok_or_else(|| odd(&"no columns"))?;
        if !matches!(customers.data_type(), DataType::Utf8 | DataType::Int64) || customers.null_count() > 0 {
            return Err(Error::data(format!(
                "{what} has customers without an id, or ids that are no text and no number"
            )));
        }
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(|e| odd(&e))?;
        Ok(Rows { batch: sorted(batch, what)? })
    }

    pub fn customers(&self) -> &ArrayRef {
        self.batch.column(0)
    }
}

fn sorted(batch: RecordBatch, what: &str) -> Result<RecordBatch, Error> {
    let customers = batch.column(0);
    let converter = RowConverter::new(vec![SortField::new(customers.data_type().clone())]).map_err(|e| odd(&e))?;
    let keys = converter.convert_columns(&[Arc::clone(customers)]).map_err(|e| odd(&e))?;
    let mut order: Vec<u32> = (0..batch.num_rows()).map(|row| row as u32).collect();
    let key = |row: &u32| keys.row(*row as usize);
    if !order.is_sorted_by_key(key) {
        order.sort_by_key(key);
    }
    if let Some([one, _]) = order.array_windows::<2>().find(|[a, b]| key(a) == key(b)) {
        let id = text(customers, *one as usize).unwrap_or_default();
        return Err(Error::data(format!("{what} has customer `{id}` twice")));
    }
    take_record_batch(&batch, &UInt32Array::from(order)).map_err(|e| odd(&e))
}

/// One of the few types: Boolean, Int64, Float64, Decimal128, Date32, Timestamp(µs, UTC), Utf8, List(Utf8).
fn plain(name: &str, column: &ArrayRef, what: &str) -> Result<ArrayRef, Error> {
    use DataType as D;
    let to = match column.data_type() {
        D::Boolean | D::Int64 | D::Float64 | D::Decimal128(..) | D::Date32 | D::Utf8 => return Ok(Arc::clone(column)),
        D::Null | D::LargeUtf8 | D::Utf8View => D::Utf8,
        D::Int8 | D::Int16 | D::Int32 | D::UInt8 | D::UInt16 | D::UInt32 => D::Int64,
        D::UInt64 => D::Decimal128(20, 0),
        D::Float16 | D::Float32 => D::Float64,
        D::Date64 => D::Date32,
        D::Timestamp(..) => D::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        D::Dictionary(_, values) => {
            let column = cast(column, values).map_err(|e| odd(&e))?;
            return plain(name, &column, what);
        }
        D::List(item) | D::LargeList(item) if is_text(item.data_type()) => {
            D::List(Arc::new(Field::new("item", D::Utf8, true)))
        }
        other => {
            return Err(Error::data(format!("{what}: column `{name}` of type {other} can't be delivered"))
                .with_help("values are text, numbers, money, yes or no, dates, instants and lists of texts"));
        }
    };
    // A time without a zone is one of UTC.
    cast(column, &to).map_err(|e| Error::data(format!("{what}: column `{name}`: {e}")))
}

/// A table in types that [`object`] can show; what has no such type is text, and so is a time without a zone.
pub fn readable(batch: &RecordBatch) -> Result<RecordBatch, Error> {
    let (mut fields, mut columns) = (Vec::new(), Vec::new());
    for (field, column) in batch.schema_ref().fields().iter().zip(batch.columns()) {
        let known = match column.data_type() {
            DataType::Timestamp(_, None) => None,
            _ => plain(field.name(), column, "").ok(),
        };
        let column = match known {
            Some(known) => known,
            None => {
                let shown = |row| arrow::util::display::array_value_to_string(column, row).ok();
                let texts = (0..column.len()).map(|row| if column.is_null(row) { None } else { shown(row) });
                Arc::new(texts.collect::<arrow::array::StringArray>()) as ArrayRef
            }
        };
        fields.push(Field::new(field.name(), column.data_type().clone(), true));
        columns.push(column);
    }
    batch_of(fields, columns, batch.num_rows())
}

fn is_text(ty: &DataType) -> bool {
    match ty {
        DataType::Dictionary(_, values) => is_text(values),
        ty => matches!(ty, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View),
    }
}

/// The cell as text; `None` where there is nothing. Money has all its decimal places, an instant is RFC 3339 in UTC, a list is
/// JSON.
pub fn text(column: &ArrayRef, row: usize) -> Option<String> {
    if column.is_null(row) {
        return None;
    }
    Some(match column.data_type() {
        DataType::Boolean => column.as_boolean().value(row).to_string(),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Float64 => {
            let number = column.as_primitive::<Float64Type>().value(row);
            if number.is_nan() {
                return None;
            }
            number.to_string()
        }
        DataType::Decimal128(..) => column.as_primitive::<Decimal128Type>().value_as_string(row),
        DataType::Date32 => day(column.as_primitive::<Date32Type>().value(row)),
        DataType::Timestamp(..) => instant(column.as_primitive::<TimestampMicrosecondType>().value(row)),
        DataType::List(_) => Value::from(texts(column, row)).to_string(),
        _ => column.as_string_opt::<i32>()?.value(row).to_owned(),
    })
}

/// The texts of a list; a missing one in it is left out.
pub fn texts(column: &ArrayRef, row: usize) -> Vec<String> {
    let Some(list) = column.as_list_opt::<i32>() else { return Vec::new() };
    let items = list.value(row);
    items.as_string_opt::<i32>().map(|all| all.iter().flatten().map(str::to_owned).collect()).unwrap_or_default()
}

/// The cell as JSON: amounts are text, so that no reader rounds them; what is no number in JSON is `null`.
pub fn json(column: &ArrayRef, row: usize) -> Value {
    if column.is_null(row) {
        return Value::Null;
    }
    match column.data_type() {
        DataType::Boolean => Value::from(column.as_boolean().value(row)),
        DataType::Int64 => Value::from(column.as_primitive::<Int64Type>().value(row)),
        DataType::Float64 => Value::from(column.as_primitive::<Float64Type>().value(row)),
        DataType::List(_) => Value::from(texts(column, row)),
        _ => text(column, row).map_or(Value::Null, Value::from),
    }
}

/// A row as a JSON object, in the order of the columns.
pub fn object(batch: &RecordBatch, row: usize) -> Value {
    let cells = batch.schema_ref().fields().iter().zip(batch.columns());
    Value::Object(cells.map(|(field, column)| (field.name().clone(), json(column, row))).collect())
}

/// `2026-11-21`
fn day(days: i32) -> String {
    let date = date_of(days);
    format!("{:04}-{:02}-{:02}", date.year, date.month, date.day)
}

/// `2026-11-21T07:00:00Z`, with a fraction only where there is one.
pub fn instant(micros: i64) -> String {
    const SECOND: i64 = 1_000_000;
    const DAY: i64 = 86_400 * SECOND;
    let (days, of_day) = (micros.div_euclid(DAY), micros.rem_euclid(DAY));
    let (seconds, fraction) = (of_day / SECOND, of_day % SECOND);
    let date = day(i32::try_from(days).unwrap_or_default());
    let fraction = if fraction > 0 { format!(".{fraction:06}") } else { String::new() };
    format!("{date}T{:02}:{:02}:{:02}{fraction}Z", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// A batch of those columns.
pub(super) fn batch_of(fields: Vec<Field>, columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch, Error> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options).map_err(|e| odd(&e))
}
