//! `segue_value`: a raw column as a measure, an instant or a customer's id.
//!
//! Owns: the scalar function by which every column enters the plan. Promises: found by name, its recipe is a literal.

use std::borrow::Cow;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex};

use arrow::array::{Array, ArrayRef, Int64Array, StringViewArray, StringViewBuilder, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use datafusion::common::{Result, ScalarValue};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, lit,
};
use serde::{Deserialize, Serialize};

use crate::engine::plan::program::{ColumnSpec, Ty};
use crate::engine::types::{self, Column, fail};

/// What to make of a column.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Recipe {
    /// Text stays text; everything else becomes an i64 (floats by their bits).
    Value(ColumnSpec),
    /// A customer's id: a number, or text (empty is missing).
    Id { number: bool, label: String },
    /// Text as the file has it; empty is missing.
    Raw(ColumnSpec),
    /// Something that sorts as the values do.
    Sort(ColumnSpec),
}

impl Recipe {
    fn output(&self) -> DataType {
        match self {
            Recipe::Value(spec) if spec.ty == Ty::Text => DataType::Utf8View,
            Recipe::Sort(spec) if matches!(spec.ty, Ty::Text | Ty::List) => DataType::Utf8View,
            Recipe::Id { number: false, .. } | Recipe::Raw(_) => DataType::Utf8View,
            _ => DataType::Int64,
        }
    }
}

/// The call.
pub fn value(recipe: &Recipe, column: Expr) -> Result<Expr> {
    Ok(ScalarUDF::from(Value::default()).call(vec![literal(recipe)?, column]))
}

/// Anything serialisable as a literal.
pub fn literal(what: &impl Serialize) -> Result<Expr> {
    Ok(lit(ScalarValue::LargeUtf8(Some(text(what)?))))
}

/// Anything serialisable as text: DataFusion prints expressions often, and bytes print slowly.
pub fn text(what: &impl Serialize) -> Result<String> {
    serde_json::to_string(what).map_err(|e| DataFusionError::Internal(format!("a program does not serialise: {e}")))
}

/// The bytes of a literal, dictionary or not.
pub fn literal_bytes(value: &ScalarValue) -> Option<&[u8]> {
    match value {
        ScalarValue::LargeUtf8(Some(text)) | ScalarValue::Utf8(Some(text)) => Some(text.as_bytes()),
        ScalarValue::Dictionary(_, inner) => literal_bytes(inner),
        _ => None,
    }
}

/// Reads what [`text`] wrote.
pub fn read<'a, T: Deserialize<'a>>(value: Option<&'a [u8]>) -> Result<T> {
    let bytes = value.ok_or_else(|| DataFusionError::Internal("the first argument is no program".into()))?;
    serde_json::from_slice(bytes).map_err(|e| DataFusionError::Internal(format!("a program does not read: {e}")))
}

#[derive(Debug)]
pub struct Value {
    signature: Signature,
    /// The recipe that was read last: a call has one literal, and every batch asks.
    last: Mutex<Option<(Vec<u8>, Arc<Recipe>)>>,
}

impl Default for Value {
    fn default() -> Self {
        Value { signature: Signature::any(2, Volatility::Immutable), last: Mutex::new(None) }
    }
}

impl PartialEq for Value {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Value {}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        "segue_value".hash(state);
    }
}

impl Value {
    fn recipe(&self, literal: Option<&[u8]>) -> Result<Arc<Recipe>> {
        let Ok(mut last) = self.last.lock() else { return Ok(Arc::new(read(literal)?)) };
        if let (Some((text, recipe)), Some(literal)) = (last.as_ref(), literal)
            && text == literal
        {
            return Ok(Arc::clone(recipe));
        }
        let recipe: Arc<Recipe> = Arc::new(read(literal)?);
        *last = literal.map(|literal| (literal.to_vec(), Arc::clone(&recipe)));
        Ok(recipe)
    }
}

impl ScalarUDFImpl for Value {
    fn name(&self) -> &str {
        "segue_value"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Err(DataFusionError::Internal("segue_value is typed by its literal".into()))
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let first = args.scalar_arguments.first().copied().flatten();
        let recipe: Recipe = read(first.and_then(literal_bytes))?;
        Ok(Arc::new(Field::new(self.name(), recipe.output(), true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [ColumnarValue::Scalar(program), column] = args.args.as_slice() else {
            return Err(DataFusionError::Internal("segue_value wants a literal and a column".into()));
        };
        let recipe = self.recipe(literal_bytes(program))?;
        let array = column.to_array(args.number_rows)?;
        Ok(ColumnarValue::Array(apply(&recipe, &array)?))
    }
}

pub(crate) fn apply(recipe: &Recipe, array: &ArrayRef) -> Result<ArrayRef> {
    match recipe {
        Recipe::Id { number: true, label } => Ok(Arc::new(types::whole(array, &id_spec(label))?)),
        Recipe::Id { number: false, label } => {
            if !types::fits_id(array.data_type()) {
                let found = types::flat(array.data_type());
                return Err(fail(format!("{label} holds {found}, but an id is text, a whole number or a UUID")));
            }
            let Column::Text { values, keys } = types::texts(array)? else { return unexpected() };
            // The length is the lower half of a view's lower half.
            if keys.is_none() && values.null_count() == 0 && values.views().iter().all(|view| *view as u32 != 0) {
                return Ok(Arc::new(values));
            }
            rows(&values, keys.as_ref(), |text| (!text.is_empty()).then_some(text.into()))
        }
        Recipe::Raw(spec) => {
            let Column::Text { values, keys } = types::convert(array, spec)? else { return unexpected() };
            rows(&values, keys.as_ref(), |text| (!text.is_empty()).then_some(text.into()))
        }
        Recipe::Value(spec) | Recipe::Sort(spec) if spec.ty == Ty::Text => {
            let Column::Text { values, keys } = types::convert(array, spec)? else { return unexpected() };
            let same = |text: &str| matches!(types::normal(text, spec), Some(Cow::Borrowed(_)));
            if keys.is_none() && values.iter().all(|text| text.is_none_or(same)) {
                return Ok(Arc::new(values));
            }
            rows(&values, keys.as_ref(), |text| types::normal(text, spec))
        }
        Recipe::Value(spec) | Recipe::Sort(spec) => match types::convert(array, spec)? {
            Column::Int(values) => Ok(Arc::new(values)),
            Column::Number(values) => {
                let order = matches!(recipe, Recipe::Sort(_));
                let bits = |x: f64| {
                    // -0.0 is 0.0.
                    let bits = (x + 0.0).to_bits() as i64;
                    if order { ordered(bits) } else { bits }
                };
                Ok(Arc::new(values.unary::<_, Int64Type>(bits)))
            }
            Column::YesNo(values) => Ok(Arc::new(values.iter().map(|v| v.map(i64::from)).collect::<Int64Array>())),
            Column::List(values) => {
                let texts = values
                    .into_iter()
                    .map(|v| v.map(|items| items.into_iter().fold(String::new(), |all, item| all + &item + "\0")));
                Ok(Arc::new(texts.collect::<StringViewArray>()))
            }
            Column::Text { .. } => unexpected(),
        },
    }
}

/// The bits of a float as a number that sorts as the float does; its own inverse.
pub fn ordered(bits: i64) -> i64 {
    bits ^ (((bits >> 63) as u64) >> 1) as i64
}

fn unexpected<T>() -> Result<T> {
    Err(DataFusionError::Internal("a text column did not stay one".into()))
}

fn id_spec(label: &str) -> ColumnSpec {
    ColumnSpec {
        ty: Ty::Integer,
        fold: false,
        empty_is_value: false,
        zone: String::new(),
        project_zone: String::new(),
        unit: None,
        label: label.into(),
    }
}

/// The texts of rows; each text of a dictionary is looked at once.
fn rows<'a>(
    values: &'a StringViewArray,
    keys: Option<&UInt32Array>,
    normal: impl Fn(&'a str) -> Option<Cow<'a, str>>,
) -> Result<ArrayRef> {
    let mut out = StringViewBuilder::with_capacity(values.len());
    for text in values {
        out.append_option(text.and_then(&normal));
    }
    let texts = out.finish();
    Ok(match keys {
        None => Arc::new(texts),
        Some(keys) => take(&texts, keys, None)?,
    })
}
