//! `history`: the one aggregate of the plan. It keeps the matching rows of a bucket's customers and answers for all rules at once.
//!
//! Owns: the aggregate as DataFusion sees it. Promises: found by name, its program is a literal; its state is self-contained bytes,
//! so partial results travel; the answer depends on the rows alone, not on their order or partition.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryViewArray, BooleanArray, LargeBinaryArray, make_view};
use arrow::buffer::Buffer;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::Result;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::expr::AggregateFunctionParams;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, Volatility};
use datafusion::physical_expr::expressions::Literal;

use super::convert::{literal_bytes, read};
use super::input::Input;
use super::interned::{Slots, Texts};
use super::log::Log;
use super::moments::Moments;
use super::segment::{self, Segment};
use crate::engine::plan::program::Program;

/// `history(programs, customer, time, slot, state, measures…)`, grouped by bucket: a [`super::block`] of the bucket's customers, with
/// one bit a wanted node, one a list, [`super::replay::MARKS`], and the exported values; of several programs, by ascending instants, what
/// [`super::moments`] makes of as many blocks. `state` is null, or a state of the group that
/// was kept; such a row is nothing else. The sister `history_log` answers with the state.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct History {
    signature: Signature,
    replays: bool,
}

impl History {
    /// `history`
    pub fn answer() -> History {
        History { signature: Signature::variadic_any(Volatility::Immutable), replays: true }
    }

    /// `history_log`
    pub fn log() -> History {
        History { replays: false, ..History::answer() }
    }
}

impl AggregateUDFImpl for History {
    fn name(&self) -> &str {
        if self.replays { "history" } else { "history_log" }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(if self.replays { DataType::LargeBinary } else { DataType::BinaryView })
    }

    /// Without the program, which is long.
    fn schema_name(&self, _: &AggregateFunctionParams) -> Result<String> {
        Ok(self.name().into())
    }

    fn display_name(&self, _: &AggregateFunctionParams) -> Result<String> {
        Ok(self.name().into())
    }

    fn human_display(&self, _: &AggregateFunctionParams) -> Result<String> {
        Ok(self.name().into())
    }

    fn accumulator(&self, _: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Err(DataFusionError::NotImplemented(format!("{} is an aggregate of groups only", self.name())))
    }

    /// A view array, so that dealing states to partitions copies none.
    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new(format_state_name(args.name, "log"), DataType::BinaryView, true))])
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        let literal = args.exprs.first().and_then(|e| e.downcast_ref::<Literal>());
        let programs: Vec<Program> = read(literal.and_then(|l| literal_bytes(l.value())))?;
        let numbers = args.expr_fields.get(1).is_some_and(|field| field.data_type() == &DataType::Int64);
        let moments = Moments::new(programs);
        let slots = moments.slots();
        Ok(Box::new(Groups {
            replays: self.replays,
            moments,
            numbers,
            slots,
            texts: Texts::default(),
            logs: Vec::new(),
        }))
    }
}

#[derive(Debug)]
struct Groups {
    replays: bool,
    moments: Moments,
    /// Ids are whole numbers.
    numbers: bool,
    slots: Slots,
    texts: Texts,
    /// By group.
    logs: Vec<Log>,
}

impl Groups {
    /// The logs of the first groups leave; the others move up.
    fn take(&mut self, emit: EmitTo) -> Vec<Log> {
        match emit {
            EmitTo::All => std::mem::take(&mut self.logs),
            EmitTo::First(n) => {
                let rest = self.logs.split_off(n.min(self.logs.len()));
                std::mem::replace(&mut self.logs, rest)
            }
        }
    }

    fn grow(&mut self, groups: usize) {
        self.logs.resize_with(groups.max(self.logs.len()), Log::default);
    }

    /// All that a log holds as states; the log itself is gone.
    fn states_of(&self, mut log: Log) -> Result<Vec<Buffer>> {
        log.flush(&self.slots)?;
        let mut states = std::mem::take(&mut log.states);
        let mut bytes = Vec::new();
        segment::put(log, &self.slots, &self.texts, &mut bytes);
        if !bytes.is_empty() {
            states.push(Buffer::from_vec(bytes));
        }
        Ok(states)
    }

    /// The same as one state.
    fn state_of(&self, log: Log) -> Result<Buffer> {
        let states = self.states_of(log)?;
        Ok(match states.as_slice() {
            [one] => one.clone(),
            several => {
                let mut bytes = Vec::with_capacity(several.iter().map(Buffer::len).sum());
                several.iter().for_each(|state| bytes.extend_from_slice(state));
                Buffer::from_vec(bytes)
            }
        })
    }

    /// The same as segments.
    fn segments(&self, log: Log) -> Result<Vec<Segment>> {
        let mut segments = Vec::new();
        for state in self.states_of(log)? {
            Segment::all(&state, &mut segments)?;
        }
        Ok(segments)
    }

    /// States as an array, each where it is.
    fn states(&self, logs: Vec<Log>) -> Result<ArrayRef> {
        let (mut views, mut buffers) = (Vec::with_capacity(logs.len()), Vec::with_capacity(logs.len()));
        for log in logs {
            let state = self.state_of(log)?;
            if state.len() > i32::MAX as usize {
                return Err(DataFusionError::ResourcesExhausted("a bucket of more than two gigabytes".into()));
            }
            views.push(make_view(&state, buffers.len() as u32, 0));
            buffers.push(state);
        }
        Ok(Arc::new(BinaryViewArray::try_new(views.into(), buffers, None)?))
    }

    /// Keeps states as they come.
    fn keep(&mut self, states: &ArrayRef, groups: &[usize]) -> Result<()> {
        let odd = || DataFusionError::Internal("history merges its own states only".into());
        let views = states.as_binary_view_opt();
        let large = states.as_binary_opt::<i64>();
        for (row, &group) in groups.iter().enumerate().filter(|(row, _)| states.is_valid(*row)) {
            let Some(log) = self.logs.get_mut(group) else { continue };
            let state = match (views, large) {
                (Some(views), _) => state_at(views, row),
                (_, Some(large)) => Buffer::from(large.value(row)),
                _ => return Err(odd()),
            };
            if !state.is_empty() {
                log.states.push(state);
            }
        }
        Ok(())
    }
}

/// The states that `history_log` answered with.
pub fn states_of(answers: &ArrayRef) -> Result<Vec<Buffer>> {
    let odd = || DataFusionError::Internal("history_log answers with states".into());
    let views = answers.as_binary_view_opt().ok_or_else(odd)?;
    Ok((0..views.len()).filter(|row| views.is_valid(*row)).map(|row| state_at(views, row)).collect())
}

/// The bytes of a view, where they are.
fn state_at(views: &BinaryViewArray, row: usize) -> Buffer {
    let value = views.value(row);
    for buffer in views.data_buffers() {
        let (start, end) = (buffer.as_ptr() as usize, buffer.as_ptr() as usize + buffer.len());
        let at = value.as_ptr() as usize;
        if start <= at && at + value.len() <= end {
            return buffer.slice_with_length(at - start, value.len());
        }
    }
    Buffer::from(value)
}

impl GroupsAccumulator for Groups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        self.grow(total);
        let [_, customers, times, slots, states, measures @ ..] = values else {
            return Err(DataFusionError::Internal("history got other columns than it was planned with".into()));
        };
        if states.data_type() != &DataType::Null && states.null_count() < states.len() {
            self.keep(states, groups)?;
        }
        let input = Input::new([customers, times, slots], measures, &self.slots)?;
        input.deal(groups, filter, &mut self.logs, &mut self.slots, &mut self.texts)
    }

    fn evaluate(&mut self, emit: EmitTo) -> Result<ArrayRef> {
        let logs = self.take(emit);
        if !self.replays {
            return self.states(logs);
        }
        let mut desk = self.moments.desk();
        let mut blocks = Vec::with_capacity(logs.len());
        for log in logs {
            let segments = self.segments(log)?;
            blocks.push(self.moments.run(&segments, self.numbers, &mut self.slots, &mut desk)?);
        }
        Ok(Arc::new(LargeBinaryArray::from_iter_values(blocks)))
    }

    fn state(&mut self, emit: EmitTo) -> Result<Vec<ArrayRef>> {
        let logs = self.take(emit);
        Ok(vec![self.states(logs)?])
    }

    fn merge_batch(&mut self, values: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        self.grow(total);
        let states = values.first().ok_or_else(|| DataFusionError::Internal("history has one state".into()))?;
        self.keep(states, groups)
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let rows = values.get(1).map_or(0, Array::len);
        let groups: Vec<usize> = (0..rows).collect();
        let moments = Moments::new(self.moments.programs().cloned().collect());
        let slots = moments.slots();
        let mut one =
            Groups { replays: true, moments, numbers: self.numbers, slots, texts: Texts::default(), logs: Vec::new() };
        one.update_batch(values, &groups, filter, rows)?;
        one.state(EmitTo::All)
    }

    fn size(&self) -> usize {
        let logs: usize = self.logs.iter().map(|log| log.size() + size_of::<Log>()).sum();
        logs + self.slots.size() + self.texts.size() + size_of::<Self>()
    }
}
