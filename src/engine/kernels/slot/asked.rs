//! `event_asked`: whether anybody asks for rows of a raw name.
//!
//! Owns: the scalar function. Promises: what it lets pass is no less than what `event_slot` finds a pattern for; rows and names are
//! counted here, where the reader evaluates it before it decodes what else a row has. Must not know: patterns.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::BooleanArray;
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};

use super::Memories;
use crate::engine::plan::program::Kind;
use crate::engine::report::{Counters, Tally};

/// `event_asked(branch, raw name)`
#[derive(Debug)]
pub struct EventAsked {
    signature: Signature,
    counters: Arc<Counters>,
    memories: Memories,
}

impl EventAsked {
    pub fn new(counters: Arc<Counters>) -> EventAsked {
        // Volatile, so that no optimiser evaluates it twice: it counts.
        EventAsked { signature: Signature::any(2, Volatility::Volatile), counters, memories: Memories::default() }
    }
}

impl PartialEq for EventAsked {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.counters, &other.counters)
    }
}

impl Eq for EventAsked {}

impl Hash for EventAsked {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name().hash(state);
    }
}

impl ScalarUDFImpl for EventAsked {
    fn name(&self) -> &str {
        "event_asked"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    /// Without the program, which is long.
    fn schema_name(&self, _: &[Expr]) -> Result<String> {
        Ok("event_asked".into())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [ColumnarValue::Scalar(program), names] = args.args.as_slice() else {
            return Err(DataFusionError::Internal("event_asked wants a literal and a name".into()));
        };
        let mut memory = self.memories.take(program)?;
        memory.forget()?;
        let names = memory.raw_classes(&names.to_array(args.number_rows)?)?;
        if memory.branch.counts {
            let mut tally = Tally { rows: args.number_rows as u64, ..Tally::default() };
            memory.count(&names, &mut tally);
            self.counters.add(memory.branch.counter, tally);
        }
        let asked = |(_, kinds): &(Option<String>, Vec<usize>)| {
            kinds.iter().filter_map(|&k| memory.branch.kinds.get(k)).any(Kind::is_asked)
        };
        let asked: Vec<bool> = memory.raw_kinds.iter().map(asked).collect();
        let pass = |row: usize| names.get(row).and_then(|&name| asked.get(name as usize)).is_some_and(|asked| *asked);
        let pass = BooleanBuffer::collect_bool(args.number_rows, pass);
        self.memories.give(memory);
        Ok(ColumnarValue::Array(Arc::new(BooleanArray::new(pass, None))))
    }
}
