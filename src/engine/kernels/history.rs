//! `history`: the one aggregate of the plan. It keeps a customer's matching rows and answers for all rules at once.
//!
//! Owns: the aggregate as DataFusion sees it. Promises: found by name, its program is a literal; its state is self-contained bytes,
//! so partial results travel and spill; the answer depends on the rows alone, not on their order or partition.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, LargeBinaryBuilder};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::Result;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::expr::AggregateFunctionParams;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, Volatility};
use datafusion::physical_expr::expressions::Literal;

use super::convert::{literal_bytes, read};
use super::log::Log;
use super::replay::Replay;
use crate::engine::plan::program::Program;

/// `history(program, customer, time, slot, state, measures…)`: one bit a wanted node, one a list, [`super::replay::MARKS`], and the exported values.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct History {
    signature: Signature,
}

impl Default for History {
    fn default() -> Self {
        History { signature: Signature::variadic_any(Volatility::Immutable) }
    }
}

impl AggregateUDFImpl for History {
    fn name(&self) -> &str {
        "history"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::LargeBinary)
    }

    /// Without the program, which is long.
    fn schema_name(&self, _: &AggregateFunctionParams) -> Result<String> {
        Ok("history".into())
    }

    fn display_name(&self, _: &AggregateFunctionParams) -> Result<String> {
        Ok("history".into())
    }

    fn human_display(&self, _: &AggregateFunctionParams) -> Result<String> {
        Ok("history".into())
    }

    fn accumulator(&self, _: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Err(DataFusionError::NotImplemented("history is an aggregate of groups only".into()))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new(format_state_name(args.name, "log"), DataType::LargeBinary, true))])
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        let literal = args.exprs.first().and_then(|e| e.downcast_ref::<Literal>());
        let program: Program = read(literal.and_then(|l| literal_bytes(l.value())))?;
        let replay = Replay::new(program);
        let log = Log::new(replay.program(), replay.bits());
        Ok(Box::new(Groups { replay, log }))
    }
}

#[derive(Debug)]
struct Groups {
    replay: Replay,
    log: Log,
}

fn first(emit: EmitTo) -> Option<usize> {
    match emit {
        EmitTo::All => None,
        EmitTo::First(n) => Some(n),
    }
}

/// Times, slots and measures.
fn columns(values: &[ArrayRef]) -> Vec<ArrayRef> {
    let [_, _, times, slots, _, measures @ ..] = values else { return Vec::new() };
    [times, slots].into_iter().chain(measures).cloned().collect()
}

fn kept(filter: Option<&BooleanArray>) -> impl Fn(usize) -> bool + '_ {
    move |row| filter.is_none_or(|f| f.is_valid(row) && f.value(row))
}

impl GroupsAccumulator for Groups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        self.log.grow(total);
        self.log.append(&columns(values), groups, kept(filter))
    }

    fn evaluate(&mut self, emit: EmitTo) -> Result<ArrayRef> {
        let body = self.log.take(first(emit));
        let width = self.replay.width();
        let mut out = LargeBinaryBuilder::with_capacity(body.first.len(), body.first.len() * width);
        self.replay.run(&self.log, &body, &mut out);
        Ok(Arc::new(out.finish()))
    }

    fn state(&mut self, emit: EmitTo) -> Result<Vec<ArrayRef>> {
        let body = self.log.take(first(emit));
        Ok(vec![Arc::new(self.log.states(&body))])
    }

    fn merge_batch(&mut self, values: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        self.log.grow(total);
        let states = values.first().and_then(|v| v.as_binary_opt::<i64>());
        let states = states.ok_or_else(|| DataFusionError::Internal("history merges its own states only".into()))?;
        self.log.merge(states, groups)
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let rows = values.get(1).map_or(0, Array::len);
        let mut log = Log::new(self.replay.program(), self.replay.bits());
        log.grow(rows);
        let groups: Vec<usize> = (0..rows).collect();
        log.append(&columns(values), &groups, kept(filter))?;
        let body = log.take(None);
        Ok(vec![Arc::new(log.states(&body))])
    }

    fn size(&self) -> usize {
        self.log.size() + std::mem::size_of::<Self>()
    }
}
