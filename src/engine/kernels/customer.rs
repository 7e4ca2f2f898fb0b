//! `segue_customer`: the customer that an id leads to.
//!
//! Owns: the scalar function by which links enter the plan. Promises: a look-up in memory, row by row, so that partitions do not matter;
//! what it changes and leaves out is counted once.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringViewBuilder};
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::Result;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::engine::bucket::{Share, of_number, of_text};
use crate::engine::identities::{Id, Resolution};
use crate::engine::report::Counters;

/// `segue_customer(id)`
#[derive(Debug)]
pub struct Customer {
    signature: Signature,
    links: Arc<Resolution>,
    counters: Arc<Counters>,
    /// Where to count, if this branch counts.
    counter: Option<u32>,
    /// Ids that neither links nor profiles know are none.
    drop: bool,
    /// Only rows of these customers are counted.
    share: Share,
}

/// The call.
pub fn customer(
    links: &Arc<Resolution>,
    counters: &Arc<Counters>,
    counter: Option<u32>,
    drop: bool,
    share: Share,
    id: Expr,
) -> Expr {
    // Volatile, so that no optimiser evaluates it twice: it counts.
    let signature = Signature::any(1, Volatility::Volatile);
    let (links, counters) = (Arc::clone(links), Arc::clone(counters));
    ScalarUDF::from(Customer { signature, links, counters, counter, drop, share }).call(vec![id])
}

impl PartialEq for Customer {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.links, &other.links)
            && (self.counter, self.drop, self.share) == (other.counter, other.drop, other.share)
    }
}

impl Eq for Customer {}

impl Hash for Customer {
    fn hash<H: Hasher>(&self, state: &mut H) {
        ("segue_customer", self.counter, self.drop, self.share).hash(state);
    }
}

/// What becomes of an id.
enum Fate<'a> {
    Same,
    Other(Id<'a>),
    /// Nobody knows it.
    Left,
}

impl Customer {
    fn counts(&self, customer: Id<'_>) -> bool {
        self.share.holds(match customer {
            Id::Number(n) => of_number(n),
            Id::Text(text) => of_text(text.as_bytes()),
        })
    }

    fn fate(&self, id: Id<'_>) -> Fate<'_> {
        match self.links.ids.find(id) {
            Some(at) => {
                let end = self.links.end(at);
                match self.links.ids.get(end).filter(|_| end != at) {
                    Some(customer) => Fate::Other(customer),
                    None => Fate::Same,
                }
            }
            None if self.drop && self.links.profiles.as_ref().is_none_or(|known| known.find(id).is_none()) => {
                Fate::Left
            }
            None => Fate::Same,
        }
    }
}

impl ScalarUDFImpl for Customer {
    fn name(&self) -> &str {
        "segue_customer"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        types.first().cloned().ok_or_else(unexpected)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let ids = args.args.first().ok_or_else(unexpected)?.to_array(args.number_rows)?;
        let (mut linked, mut left) = (0, 0);
        let made: ArrayRef = match ids.as_primitive_opt::<Int64Type>() {
            Some(ids) => {
                let customer = |id: Option<i64>| match self.fate(Id::Number(id?)) {
                    Fate::Same => id,
                    Fate::Other(customer) => {
                        linked += u64::from(self.counts(customer));
                        match customer {
                            Id::Number(n) => Some(n),
                            Id::Text(_) => None,
                        }
                    }
                    Fate::Left => {
                        left += u64::from(self.share.is_first());
                        None
                    }
                };
                Arc::new(ids.iter().map(customer).collect::<Int64Array>())
            }
            None => {
                let ids = ids.as_string_view_opt().ok_or_else(unexpected)?;
                let mut out = StringViewBuilder::with_capacity(ids.len());
                for id in ids {
                    match id.map(|id| (id, self.fate(Id::Text(id)))) {
                        None => out.append_null(),
                        Some((id, Fate::Same)) => out.append_value(id),
                        Some((_, Fate::Other(customer))) => {
                            linked += u64::from(self.counts(customer));
                            match customer {
                                Id::Text(text) => out.append_value(text),
                                Id::Number(_) => out.append_null(),
                            }
                        }
                        Some((_, Fate::Left)) => {
                            left += u64::from(self.share.is_first());
                            out.append_null();
                        }
                    }
                }
                Arc::new(out.finish())
            }
        };
        if let Some(counter) = self.counter {
            self.counters.link(counter, linked, left);
        }
        Ok(ColumnarValue::Array(made))
    }
}

fn unexpected() -> DataFusionError {
    DataFusionError::Internal("segue_customer wants one column of ids".into())
}
