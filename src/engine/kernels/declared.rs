//! `segue_declared`: customers from a file of a compacted store, compared with what the file declares.
//!
//! Owns: the check. Promises: a customer of another bucket, or one before a greater one, is an error that names the file; the
//! column comes out as it went in. Must not know: files.

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringViewArray};
use arrow::compute::SortOptions;
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use datafusion::common::{Result, ScalarValue};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::sort_properties::{ExprProperties, SortProperties};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use serde::{Deserialize, Serialize};

use super::convert::{literal, literal_bytes, read};
use crate::engine::bucket::{Share, bucket, of_number, of_text};
use crate::engine::types::fail;

/// What is declared.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Claim {
    pub lo: u32,
    pub hi: u32,
    /// The rows come in the order of customers: all of them are of one file.
    pub sorted: bool,
    /// The file, or the source where there are several.
    pub label: String,
}

/// The customers, once they have been compared with the claim.
pub fn declared(claim: &Claim, customer: Expr) -> Result<Expr> {
    let signature = Signature::any(2, Volatility::Immutable);
    Ok(ScalarUDF::from(Check { signature, sorted: claim.sorted }).call(vec![literal(claim)?, customer]))
}

#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Check {
    signature: Signature,
    /// Whether the claim says so.
    sorted: bool,
}

/// How the rows of a file stand.
pub const ORDER: SortOptions = SortOptions { descending: false, nulls_first: true };

impl ScalarUDFImpl for Check {
    fn name(&self) -> &str {
        "segue_declared"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        types.get(1).cloned().ok_or_else(unexpected)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let column = args.arg_fields.get(1).ok_or_else(unexpected)?;
        Ok(Field::new(self.name(), column.data_type().clone(), true).into())
    }

    /// What comes out is sorted, or it is an error.
    fn output_ordering(&self, _: &[ExprProperties]) -> Result<SortProperties> {
        Ok(if self.sorted { SortProperties::Ordered(ORDER) } else { SortProperties::Unordered })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [ColumnarValue::Scalar(claim), customers] = args.args.as_slice() else { return Err(unexpected()) };
        let claim: Claim = claim_of(claim)?;
        let customers = customers.to_array(args.number_rows)?;
        check(&claim, &customers)?;
        Ok(ColumnarValue::Array(customers))
    }
}

fn claim_of(claim: &ScalarValue) -> Result<Claim> {
    read(literal_bytes(claim))
}

fn check(claim: &Claim, customers: &ArrayRef) -> Result<()> {
    if let Some(ids) = customers.as_primitive_opt::<Int64Type>() {
        let at = |ids: &Int64Array, row: usize| ids.value(row);
        let same = |a, b| at(ids, a) == at(ids, b);
        return rows(claim, customers, |row| at(ids, row), same, |a, b| at(ids, a).cmp(&at(ids, b)), of_number);
    }
    let ids = customers.as_string_view_opt().ok_or_else(unexpected)?;
    fn at(ids: &StringViewArray, row: usize) -> &str {
        ids.value(row)
    }
    // One view is one text; texts too long for a view may be one and have several.
    let same = |a: usize, b: usize| ids.views().get(a) == ids.views().get(b);
    rows(claim, customers, |row| at(ids, row), same, |a, b| at(ids, a).cmp(at(ids, b)), |id| of_text(id.as_bytes()))
}

fn rows<T: std::fmt::Display>(
    claim: &Claim,
    customers: &ArrayRef,
    id: impl Fn(usize) -> T,
    same: impl Fn(usize, usize) -> bool,
    order: impl Fn(usize, usize) -> std::cmp::Ordering,
    hash: impl Fn(T) -> u64,
) -> Result<()> {
    let share = Share { lo: claim.lo, hi: claim.hi };
    let lies = |why: String| {
        Err(fail(format!(
            "{} is not what it declares: {why}; `segue store check` tells more, `segue store compact --full` makes it anew",
            claim.label
        )))
    };
    let nulls = customers.nulls().filter(|nulls| nulls.null_count() > 0);
    let mut before: Option<usize> = None;
    for row in 0..customers.len() {
        if nulls.is_some_and(|nulls| nulls.is_null(row)) {
            if !share.is_first() {
                return lies(format!("it holds a row without customer, and buckets {} to {}", claim.lo, claim.hi));
            }
            if before.is_some() && claim.sorted {
                return lies(format!("a row without customer stands behind customer `{}`", id(row - 1)));
            }
            continue;
        }
        // Neighbours are one customer nearly always.
        if let Some(last) = before.replace(row) {
            if same(last, row) {
                continue;
            }
            match order(last, row) {
                std::cmp::Ordering::Equal => continue,
                std::cmp::Ordering::Greater if claim.sorted => {
                    return lies(format!("customer `{}` stands before `{}`", id(last), id(row)));
                }
                _ => {}
            }
        }
        let hash = hash(id(row));
        if !share.holds(hash) {
            let (id, of) = (id(row), bucket(hash));
            return lies(format!("customer `{id}` is of bucket {of}, and it holds {} to {}", claim.lo, claim.hi));
        }
    }
    Ok(())
}

fn unexpected() -> DataFusionError {
    DataFusionError::Internal("segue_declared takes a claim and a column of ids".into())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn said(claim: &Claim, ids: Vec<Option<i64>>) -> String {
        let column: ArrayRef = Arc::new(Int64Array::from(ids.clone()));
        let texts: StringViewArray = ids.iter().map(|id| id.map(|id| id.to_string())).collect();
        let texts: ArrayRef = Arc::new(texts);
        // Texts have other buckets; only what all of them hold is compared for both.
        if (claim.lo, claim.hi) == (Share::ALL.lo, Share::ALL.hi) {
            assert_eq!(check(claim, &column).is_ok(), check(claim, &texts).is_ok(), "{ids:?}");
        }
        check(claim, &column).err().map_or(String::new(), |e| e.to_string())
    }

    #[test]
    fn lies_are_found() {
        let all = Claim { lo: 0, hi: Share::ALL.hi, sorted: true, label: "`a.parquet`".into() };
        assert_eq!(said(&all, vec![None, None, Some(1), Some(1), Some(2)]), "");
        assert!(
            said(&all, vec![Some(1), None]).contains("`a.parquet` is not what it declares: a row without customer")
        );
        assert!(said(&all, vec![Some(2), Some(1)]).contains("customer `2` stands before `1`"));
        assert_eq!(said(&Claim { sorted: false, ..all.clone() }, vec![Some(2), None, Some(1)]), "");
        let own = bucket(of_number(7));
        let one = Claim { lo: own, hi: own + 1, ..all };
        assert_eq!(said(&one, vec![Some(7), Some(7)]), "");
        let other = (8..).find(|&n| bucket(of_number(n)) != own).unwrap();
        assert!(said(&one, vec![Some(7), Some(other)]).contains(&format!("customer `{other}` is of bucket")));
        assert_eq!(said(&one, vec![None]).is_empty(), own == 0);
    }
}
