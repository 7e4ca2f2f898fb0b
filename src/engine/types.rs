//! Columns of any Arrow type as values of the catalog's types.
//!
//! Owns: what type a column may have for what the catalog calls it, and the conversion. Promises: never guesses; a value that
//! does not fit is an error that names its column. Must not know: plans, files.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, StringViewArray, StringViewBuilder, UInt32Array,
};
use arrow::buffer::ScalarBuffer;
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Decimal256Type, Float64Type, Int32Type, Int64Type, TimeUnit,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt32Type,
    UInt64Type, i256,
};
use datafusion::error::DataFusionError;

use crate::engine::plan::program::{ColumnSpec, Ty};
use crate::error::Error;
use crate::language::calendar::Zone;
use crate::language::text;

const DAY: i64 = 86_400_000_000;

/// A converted column.
#[derive(Debug)]
pub enum Column {
    /// Texts as the file has them; `keys` where several rows share one text.
    Text {
        values: StringViewArray,
        keys: Option<UInt32Array>,
    },
    /// Whole numbers, money in units, dates in days, instants in microseconds.
    Int(Int64Array),
    Number(Float64Array),
    YesNo(BooleanArray),
    List(Vec<Option<Vec<String>>>),
}

/// What the catalog's type wants, in words.
pub fn wanted(ty: Ty) -> &'static str {
    match ty {
        Ty::Text => "text",
        Ty::Integer => "a whole number",
        Ty::Money(_) => "a decimal or another number",
        Ty::Number => "a number",
        Ty::YesNo => "a boolean, 0 and 1, or the texts `true` and `false`",
        Ty::Date => "a date",
        Ty::Instant => "a timestamp or a date",
        Ty::List => "a list of texts",
    }
}

/// Whether a column of this type can be read as the catalog's type.
pub fn fits(found: &DataType, ty: Ty) -> bool {
    use DataType as D;
    let found = flat(found);
    match ty {
        Ty::Text => {
            is_text(found)
                || found.is_integer()
                || matches!(found, D::Boolean | D::Date32 | D::Date64 | D::FixedSizeBinary(16) | D::Null)
                || found.is_floating()
                || matches!(
                    found,
                    D::Decimal128(..) | D::Decimal256(..) | D::Decimal32(..) | D::Decimal64(..) | D::Timestamp(..)
                )
        }
        Ty::Integer => found.is_integer() || *found == D::Null,
        Ty::Money(_) | Ty::Number => {
            found.is_integer()
                || found.is_floating()
                || matches!(
                    found,
                    D::Decimal128(..) | D::Decimal256(..) | D::Decimal32(..) | D::Decimal64(..) | D::Null
                )
        }
        Ty::YesNo => matches!(found, D::Boolean | D::Null) || found.is_integer() || is_text(found),
        Ty::Date | Ty::Instant => matches!(found, D::Date32 | D::Date64 | D::Timestamp(..) | D::Null),
        Ty::List => match found {
            D::List(f) | D::LargeList(f) | D::ListView(f) | D::LargeListView(f) | D::FixedSizeList(f, _) => {
                is_text(flat(f.data_type()))
            }
            D::Null => true,
            _ => false,
        },
    }
}

/// Whether a column of this type can hold customer ids.
pub fn fits_id(found: &DataType) -> bool {
    let found = flat(found);
    is_text(found) || found.is_integer() || *found == DataType::FixedSizeBinary(16)
}

/// Whether a column of this type can hold the time of an event.
pub fn fits_time(found: &DataType, has_unit: bool) -> bool {
    let found = flat(found);
    matches!(found, DataType::Date32 | DataType::Date64 | DataType::Timestamp(..)) || (has_unit && found.is_integer())
}

/// The type behind a dictionary.
pub fn flat(found: &DataType) -> &DataType {
    match found {
        DataType::Dictionary(_, values) => flat(values),
        other => other,
    }
}

/// A type as people call it.
pub fn called(found: &DataType) -> String {
    if is_text(found) { "text".to_owned() } else { found.to_string() }
}

fn is_text(found: &DataType) -> bool {
    matches!(found, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

/// An error of ours inside DataFusion.
pub fn fail(message: impl Into<String>) -> DataFusionError {
    DataFusionError::External(Box::new(Error::data(message)))
}

/// Converts a column.
pub fn convert(array: &ArrayRef, spec: &ColumnSpec) -> Result<Column, DataFusionError> {
    let array = if spec.ty == Ty::Text { Arc::clone(array) } else { plain(array)? };
    let misfit = || {
        let found = called(flat(array.data_type()));
        fail(format!("{} holds {found}, but {} is wanted", spec.label, wanted(spec.ty)))
    };
    let counted = spec.unit.is_some() && array.data_type().is_integer();
    if !counted && !fits(array.data_type(), spec.ty) {
        return Err(misfit());
    }
    Ok(match spec.ty {
        Ty::Text => texts(&array)?,
        Ty::Integer => Column::Int(whole(&array, spec)?),
        Ty::Money(scale) => Column::Int(money(&array, scale, spec)?),
        Ty::Number => Column::Number(number(&array)?),
        Ty::YesNo => Column::YesNo(yes_no(&array, spec)?),
        Ty::Date => Column::Int(dates(&array, spec)?),
        Ty::Instant => Column::Int(instants(&array, spec)?),
        Ty::List => Column::List(lists(&array, spec)?),
    })
}

/// The text as conditions see it; `None` is missing.
pub fn normal<'a>(text: &'a str, spec: &ColumnSpec) -> Option<Cow<'a, str>> {
    if text.is_empty() && !spec.empty_is_value {
        return None;
    }
    if spec.fold {
        if text.bytes().all(|b| b.is_ascii() && !b.is_ascii_uppercase()) {
            return Some(Cow::Borrowed(text));
        }
        return Some(Cow::Owned(text::fold(text)));
    }
    Some(if text.is_ascii() { Cow::Borrowed(text) } else { Cow::Owned(text::nfc(text)) })
}

fn plain(array: &ArrayRef) -> Result<ArrayRef, DataFusionError> {
    match array.data_type() {
        DataType::Dictionary(..) => Ok(cast(array, flat(array.data_type()))?),
        _ => Ok(Arc::clone(array)),
    }
}

/// Any id or text column as text, without a change to its characters.
pub fn texts(array: &ArrayRef) -> Result<Column, DataFusionError> {
    if let DataType::Dictionary(..) = array.data_type() {
        let dictionary = array.as_any_dictionary();
        let Column::Text { values, keys: None } = texts(dictionary.values())? else {
            return texts(&cast(array, flat(array.data_type()))?);
        };
        return Ok(Column::Text { values, keys: Some(unsigned(dictionary.keys())?) });
    }
    let values = match array.data_type() {
        DataType::Utf8View => array.as_string_view().clone(),
        DataType::FixedSizeBinary(16) => {
            let ids = array.as_fixed_size_binary();
            let mut out = StringViewBuilder::with_capacity(ids.len());
            for id in ids.iter() {
                match id {
                    Some(bytes) => out.append_value(uuid(bytes)),
                    None => out.append_null(),
                }
            }
            out.finish()
        }
        DataType::Null => StringViewArray::new_null(array.len()),
        _ => cast(&cast(array, &DataType::Utf8)?, &DataType::Utf8View)?.as_string_view().clone(),
    };
    Ok(Column::Text { values, keys: None })
}

/// The keys of a dictionary, none of which is negative.
fn unsigned(keys: &dyn Array) -> Result<UInt32Array, DataFusionError> {
    if let Some(keys) = keys.as_primitive_opt::<Int32Type>() {
        let bytes = keys.values().inner().clone();
        return Ok(UInt32Array::new(ScalarBuffer::new(bytes, 0, keys.len()), keys.nulls().cloned()));
    }
    Ok(cast(keys, &DataType::UInt32)?.as_primitive::<UInt32Type>().clone())
}

/// Lower-case hexadecimal with hyphens.
fn uuid(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(36);
    for (i, byte) in bytes.iter().enumerate() {
        if matches!(i, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        for digit in [byte >> 4, byte & 15] {
            out.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
        }
    }
    out
}

/// A whole-number column as i64.
pub fn whole(array: &ArrayRef, spec: &ColumnSpec) -> Result<Int64Array, DataFusionError> {
    let array = plain(array)?;
    if let Some(values) = array.as_primitive_opt::<Int64Type>() {
        return Ok(values.clone());
    }
    if let DataType::UInt64 = array.data_type() {
        let values = array.as_primitive::<UInt64Type>();
        if let Some(big) = values.iter().flatten().find(|&v| i64::try_from(v).is_err()) {
            return Err(fail(format!("{} holds {big}, which is more than a whole number can be here", spec.label)));
        }
    }
    Ok(cast(&array, &DataType::Int64)?.as_primitive::<Int64Type>().clone())
}

fn money(array: &ArrayRef, scale: u8, spec: &ColumnSpec) -> Result<Int64Array, DataFusionError> {
    let too_big = |value: &dyn std::fmt::Display| {
        fail(format!("{} holds {value}, which is too big for money with {scale} decimal places", spec.label))
    };
    let one = 10i128.pow(u32::from(scale.min(18)));
    match array.data_type() {
        DataType::Decimal32(..) | DataType::Decimal64(..) => {
            let (precision, from) = match array.data_type() {
                DataType::Decimal32(p, s) | DataType::Decimal64(p, s) => (*p, *s),
                _ => (18, 0),
            };
            money(&cast(array, &DataType::Decimal128(precision, from))?, scale, spec)
        }
        DataType::Decimal128(_, from) => {
            let units = |v: i128| rescale(v, *from, scale).and_then(|v| i64::try_from(v).ok());
            array.as_primitive::<Decimal128Type>().try_unary(|v| units(v).ok_or_else(|| too_big(&v)))
        }
        DataType::Decimal256(_, from) => array
            .as_primitive::<Decimal256Type>()
            .iter()
            .map(|v| {
                v.map(|v| shrink(v, *from, scale).and_then(|v| i64::try_from(v).ok()).ok_or_else(|| too_big(&v)))
                    .transpose()
            })
            .collect(),
        found if found.is_floating() => {
            let one = 10f64.powi(i32::from(scale));
            number(array)?.try_unary(|v| {
                // `round` rounds half away from zero. The bound is 2^63, which no i64 reaches.
                let units = (v * one).round();
                if units.abs() < 9_223_372_036_854_775_808.0 { Ok(units as i64) } else { Err(too_big(&v)) }
            })
        }
        _ => whole(array, spec)?.try_unary(|v| i64::try_from(i128::from(v) * one).map_err(|_| too_big(&v))),
    }
}

/// Units of 10^-from as units of 10^-to, half away from zero.
fn rescale(units: i128, from: i8, to: u8) -> Option<i128> {
    let by = i32::from(from) - i32::from(to);
    if by == 0 {
        return Some(units);
    }
    if by < 0 {
        return units.checked_mul(10i128.checked_pow(by.unsigned_abs())?);
    }
    let Some(divisor) = 10i128.checked_pow(by.unsigned_abs()) else { return Some(0) };
    let (quotient, rest) = (units / divisor, units % divisor);
    let away = if rest.unsigned_abs() >= divisor.unsigned_abs().div_ceil(2) { units.signum() } else { 0 };
    Some(quotient + away)
}

/// The same for 256 bits.
fn shrink(units: i256, from: i8, to: u8) -> Option<i128> {
    if let Some(small) = units.to_i128() {
        return rescale(small, from, to);
    }
    let by = i32::from(from) - i32::from(to);
    if by <= 0 {
        return None;
    }
    let divisor = i256::from_i128(10).checked_pow(by.unsigned_abs())?;
    let two = i256::from_i128(2);
    let (quotient, rest) = (units.checked_div(divisor)?, units.checked_rem(divisor)?);
    let rest = if rest.is_negative() { rest.checked_neg()? } else { rest };
    let away = if rest.checked_mul(two)? >= divisor { if units.is_negative() { -1 } else { 1 } } else { 0 };
    quotient.to_i128()?.checked_add(away)
}

fn number(array: &ArrayRef) -> Result<Float64Array, DataFusionError> {
    let values = cast(array, &DataType::Float64)?;
    let values = values.as_primitive::<Float64Type>();
    if values.values().iter().any(|v| v.is_nan()) {
        return Ok(values.iter().map(|v| v.filter(|v| !v.is_nan())).collect());
    }
    Ok(values.clone())
}

fn yes_no(array: &ArrayRef, spec: &ColumnSpec) -> Result<BooleanArray, DataFusionError> {
    match array.data_type() {
        DataType::Boolean => Ok(array.as_boolean().clone()),
        DataType::Null => Ok(BooleanArray::new_null(array.len())),
        found if found.is_integer() => whole(array, spec)?
            .iter()
            .map(|v| match v {
                None => Ok(None),
                Some(0) => Ok(Some(false)),
                Some(1) => Ok(Some(true)),
                Some(other) => Err(fail(format!("{} holds {other}, but yes/no is 0 or 1", spec.label))),
            })
            .collect(),
        _ => {
            let values = cast(array, &DataType::Utf8View)?;
            values
                .as_string_view()
                .iter()
                .map(|v| match v {
                    None | Some("") => Ok(None),
                    Some(v) if v.eq_ignore_ascii_case("true") => Ok(Some(true)),
                    Some(v) if v.eq_ignore_ascii_case("false") => Ok(Some(false)),
                    Some(v) => Err(fail(format!("{} holds `{v}`, but yes/no is `true` or `false`", spec.label))),
                })
                .collect()
        }
    }
}

/// A named zone; the catalog has proved that it exists. Kept, because its table of transitions is long and every batch asks.
pub fn zone(name: &str) -> Zone {
    static KNOWN: Mutex<BTreeMap<String, Zone>> = Mutex::new(BTreeMap::new());
    let make = || Zone::new(name).unwrap_or_else(Zone::utc);
    match KNOWN.lock() {
        Ok(mut known) => match known.get(name) {
            Some(zone) => zone.clone(),
            None => known.entry(name.to_owned()).or_insert_with(make).clone(),
        },
        Err(_) => make(),
    }
}

/// Timestamps as microseconds without a look at their zone, with whether they have one. Finer units round down.
fn micros(array: &ArrayRef, spec: &ColumnSpec) -> Result<(Int64Array, bool), DataFusionError> {
    let DataType::Timestamp(unit, zone) = array.data_type() else {
        let days = match array.data_type() {
            DataType::Date32 => Arc::clone(array),
            _ => cast(array, &DataType::Date32)?,
        };
        return Ok((days.as_primitive::<Date32Type>().unary(|d| i64::from(d).saturating_mul(DAY)), false));
    };
    let out_of_range = || fail(format!("{} holds a time out of range", spec.label));
    let scaled = |v: i64, by: i64| v.checked_mul(by).ok_or_else(out_of_range);
    let values = match unit {
        TimeUnit::Second => array.as_primitive::<TimestampSecondType>().try_unary(|v| scaled(v, 1_000_000))?,
        TimeUnit::Millisecond => array.as_primitive::<TimestampMillisecondType>().try_unary(|v| scaled(v, 1_000))?,
        TimeUnit::Microsecond => array.as_primitive::<TimestampMicrosecondType>().reinterpret_cast(),
        TimeUnit::Nanosecond => array.as_primitive::<TimestampNanosecondType>().unary(|v| v.div_euclid(1_000)),
    };
    Ok((values, zone.is_some()))
}

/// Instants: as they are with a zone, in the source's zone without.
pub fn instants(array: &ArrayRef, spec: &ColumnSpec) -> Result<Int64Array, DataFusionError> {
    let array = plain(array)?;
    if *array.data_type() == DataType::Null {
        return Ok(Int64Array::new_null(array.len()));
    }
    if let (true, Some((times, per))) = (array.data_type().is_integer(), spec.unit) {
        let values = whole(&array, spec)?;
        if (times, per) == (1, 1) {
            return Ok(values);
        }
        let out_of_range = || fail(format!("{} holds a time out of range", spec.label));
        return values.try_unary(|v| v.checked_mul(times).map(|v| v.div_euclid(per)).ok_or_else(out_of_range));
    }
    if !fits(array.data_type(), Ty::Instant) {
        let found = flat(array.data_type());
        let cure = if found.is_integer() { "; `time_unit` says what an integer time counts" } else { "" };
        return Err(fail(format!("{} holds {found}, but {} is wanted{cure}", spec.label, wanted(Ty::Instant))));
    }
    let (local, zoned) = micros(&array, spec)?;
    if zoned || spec.zone == "UTC" {
        return Ok(local);
    }
    let zone = zone(&spec.zone);
    Ok(local.unary(|v| zone.instant_of_local(v)))
}

/// Plain dates: of a timestamp with a zone the date in the project's zone, of one without its own.
fn dates(array: &ArrayRef, spec: &ColumnSpec) -> Result<Int64Array, DataFusionError> {
    match array.data_type() {
        DataType::Null => Ok(Int64Array::new_null(array.len())),
        DataType::Date32 => Ok(array.as_primitive::<Date32Type>().unary(i64::from)),
        _ => {
            let (values, zoned) = micros(array, spec)?;
            let zone = zone(&spec.project_zone);
            let day = |v: i64| if zoned { i64::from(zone.date(v)) } else { v.div_euclid(DAY) };
            Ok(values.unary(day))
        }
    }
}

fn lists(array: &ArrayRef, spec: &ColumnSpec) -> Result<Vec<Option<Vec<String>>>, DataFusionError> {
    let DataType::List(_) = array.data_type() else {
        let item = Arc::new(arrow::datatypes::Field::new_list_field(DataType::Utf8, true));
        if *array.data_type() == DataType::Null {
            return Ok(vec![None; array.len()]);
        }
        return lists(&cast(array, &DataType::List(item))?, spec);
    };
    let list = array.as_list::<i32>();
    (0..list.len())
        .map(|row| {
            if list.is_null(row) {
                return Ok(None);
            }
            let Column::Text { values, keys } = texts(&list.value(row))? else { return Ok(None) };
            let item = |i: usize| match &keys {
                Some(keys) => keys.is_valid(i).then(|| keys.value(i) as usize),
                None => Some(i),
            };
            let length = keys.as_ref().map_or(values.len(), Array::len);
            let texts = (0..length)
                .filter_map(item)
                .filter(|&i| values.is_valid(i))
                .filter_map(|i| normal(values.value(i), spec).map(Cow::into_owned));
            Ok(Some(texts.collect()))
        })
        .collect()
}
