//! `segue_bucket` and `segue_share`: buckets of ids in a plan.
//!
//! Owns: the two scalar functions. Promises: functions of the ids alone. Must not know: what buckets are for.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, UInt32Array};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::{Result, ScalarValue};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, lit,
};

use crate::engine::bucket::{Share, of_number, of_text, of_view};

/// The number of the group of a customer among so many of a share; null without customer.
pub fn group(share: Share, groups: u32, customer: Expr) -> Expr {
    ScalarUDF::from(Bucket::default()).call(vec![lit(share.shift(groups)), customer])
}

/// Whether a customer belongs to a share; rows without customer belong to the first.
pub fn belongs(share: Share, customer: Expr) -> Expr {
    ScalarUDF::from(Belongs::default()).call(vec![lit(share.lo), lit(share.hi), customer])
}

/// `segue_bucket(shift, customer)`
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Bucket {
    signature: Signature,
}

impl Default for Bucket {
    fn default() -> Self {
        Bucket { signature: Signature::any(2, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Bucket {
    fn name(&self) -> &str {
        "segue_bucket"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::UInt32)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [shift, customers] = args.args.as_slice() else { return Err(unexpected()) };
        let shift = whole(shift)?.min(63);
        let customers = customers.to_array(args.number_rows)?;
        let groups: Vec<u32> = hashes(&customers, |hash| (hash >> shift) as u32)?;
        Ok(ColumnarValue::Array(Arc::new(UInt32Array::new(groups.into(), customers.nulls().cloned()))))
    }
}

/// `segue_share(lo, hi, customer)`
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Belongs {
    signature: Signature,
}

impl Default for Belongs {
    fn default() -> Self {
        Belongs { signature: Signature::any(3, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Belongs {
    fn name(&self) -> &str {
        "segue_share"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [lo, hi, customers] = args.args.as_slice() else { return Err(unexpected()) };
        let share = Share { lo: whole(lo)?, hi: whole(hi)? };
        let customers = customers.to_array(args.number_rows)?;
        let inside: Vec<bool> = hashes(&customers, |hash| share.holds(hash))?;
        let mut inside = BooleanBuffer::from(inside);
        if let Some(nulls) = customers.nulls() {
            inside = &inside & nulls.inner();
            if share.is_first() {
                inside = &inside | &!nulls.inner();
            }
        }
        Ok(ColumnarValue::Array(Arc::new(BooleanArray::new(inside, None))))
    }
}

fn whole(value: &ColumnarValue) -> Result<u32> {
    match value {
        ColumnarValue::Scalar(ScalarValue::UInt32(Some(n))) => Ok(*n),
        _ => Err(unexpected()),
    }
}

/// What is made of the hash of each id; of a row without, of some hash.
fn hashes<T>(customers: &ArrayRef, made: impl Fn(u64) -> T) -> Result<Vec<T>> {
    if let Some(ids) = customers.as_primitive_opt::<Int64Type>() {
        return Ok(ids.values().iter().map(|&id| made(of_number(id))).collect());
    }
    let ids = customers.as_string_view_opt().ok_or_else(unexpected)?;
    let hash = |(row, view): (usize, &u128)| of_view(*view).unwrap_or_else(|| of_text(ids.value(row).as_bytes()));
    Ok(ids.views().iter().enumerate().map(|at| made(hash(at))).collect())
}

fn unexpected() -> DataFusionError {
    DataFusionError::Internal("buckets are made of literals and a column of ids".into())
}
