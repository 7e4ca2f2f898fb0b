//! `history_stream`: what `history` answers, where rows come customer by customer.
//!
//! Owns: the aggregate as DataFusion sees it, and the customers whose rows are just coming in. Promises: nobody is looked up; memory is
//! that of a chunk of customers, of what was found beside the rows, and of the answer; rows that do not come in the order of customers
//! are an error that names the file. Must not know: files.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use arrow::array::ArrayRef;
use arrow::buffer::Buffer;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::expr::AggregateFunctionParams;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, Signature, Volatility};
use datafusion::physical_expr::expressions::Literal;

use super::block::Builder;
use super::convert::{literal_bytes, read};
use super::ids::{Key, order, put_text, tail_len};
use super::input::{Id, Input, Row};
use super::interned::{Slots, Texts};
use super::log::{TIMELESS, Traces};
use super::replay::{Bench, Crowd, Replay};
use super::roster::{Chunk, Entry, Roster};
use super::segment::Segment;
use crate::engine::plan::program::{Program, Rows};
use crate::engine::report::Counters;
use crate::engine::types::fail;

/// States of `history` with what other tables and files have of the same customers; they are there before the first row is.
pub type Beside = Arc<OnceLock<Vec<Buffer>>>;

/// `history_stream(programs, customer, time, slot, measures…)` over all rows of a file that is sorted by customer: one
/// [`super::block`], as `history` answers it.
#[derive(Debug)]
pub struct HistoryStream {
    signature: Signature,
    beside: Beside,
    /// The file, as it is called in messages.
    label: String,
    counters: Arc<Counters>,
}

impl HistoryStream {
    pub fn new(beside: Beside, label: String, counters: Arc<Counters>) -> HistoryStream {
        HistoryStream { signature: Signature::variadic_any(Volatility::Immutable), beside, label, counters }
    }
}

impl PartialEq for HistoryStream {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.counters, &other.counters) && self.label == other.label
    }
}

impl Eq for HistoryStream {}

impl Hash for HistoryStream {
    fn hash<H: Hasher>(&self, state: &mut H) {
        ("history_stream", &self.label).hash(state);
    }
}

impl AggregateUDFImpl for HistoryStream {
    fn name(&self) -> &str {
        "history_stream"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::LargeBinary)
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

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new(format_state_name(args.name, "block"), DataType::LargeBinary, true))])
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let literal = args.exprs.first().and_then(|e| e.downcast_ref::<Literal>());
        let mut programs: Vec<Program> = read(literal.and_then(|l| literal_bytes(l.value())))?;
        let Some(program) = programs.pop().filter(|_| programs.is_empty()) else {
            return Err(DataFusionError::Internal("history_stream wants one program".into()));
        };
        let numbers = args.expr_fields.get(1).is_some_and(|field| field.data_type() == &DataType::Int64);
        let mut slots = Slots::new(&program);
        let replay = Replay::new(program);
        let mut segments = Vec::new();
        let found = self.beside.get().map_or(&[][..], Vec::as_slice);
        found.iter().try_for_each(|states| Segment::all(states, &mut segments))?;
        let mut beside = Found::default();
        beside.roster.fill(&segments, None, &mut slots, numbers, 0)?;
        let (bench, out) = (replay.bench(), replay.block());
        let desk =
            Desk { replay, bench, out, numbers, label: self.label.clone(), counters: Arc::clone(&self.counters) };
        Ok(Box::new(Stream { desk, slots, coming: Coming::default(), beside }))
    }
}

#[derive(Debug)]
struct Stream {
    desk: Desk,
    slots: Slots,
    coming: Coming,
    beside: Found,
}

/// What answers are made with, and what there is of them.
#[derive(Debug)]
struct Desk {
    replay: Replay,
    bench: Bench,
    out: Builder,
    /// Ids are whole numbers.
    numbers: bool,
    label: String,
    counters: Arc<Counters>,
}

/// The customers of a chunk in the making; the last one's rows may go on.
#[derive(Debug, Default)]
struct Coming {
    keys: Vec<Key>,
    /// What the keys leave out, one tail behind the other.
    tails: Vec<u8>,
    traces: Traces,
    entries: Vec<Entry>,
    /// Where each entry's measures begin, if there are measures.
    pools: Vec<u32>,
    pool: Vec<i64>,
    texts: Texts,
}

/// The customers that were found beside the rows, each a chunk of his own, and who of them comes next.
#[derive(Debug, Default)]
struct Found {
    roster: Roster,
    next: usize,
}

/// A chunk with so many entries takes no further customer.
const MANY: usize = 1 << 15;

impl Coming {
    fn last(&self) -> Option<(Key, &[u8])> {
        let &key = self.keys.last()?;
        Some((key, self.tails.get(self.tails.len() - tail_len(key).min(self.tails.len())..)?))
    }

    #[inline]
    fn is_last(&self, id: &Id<'_>) -> bool {
        self.keys.last() == Some(&id.key) && (id.tail.is_empty() || self.last() == Some((id.key, id.tail)))
    }

    fn begin(&mut self, (key, tail): (Key, &[u8])) {
        self.keys.push(key);
        self.tails.extend_from_slice(tail);
        self.traces.resize(self.keys.len());
    }

    #[inline]
    fn local(&self) -> u32 {
        (self.keys.len() as u32).wrapping_sub(1)
    }

    fn clear(&mut self) {
        self.keys.clear();
        self.tails.clear();
        self.traces.first.clear();
        self.traces.flags.clear();
        self.entries.clear();
        self.pools.clear();
        self.pool.clear();
        if self.texts.count() > 0 {
            self.texts = Texts::default();
        }
    }

    /// The ids in order.
    fn ids(&self) -> impl Iterator<Item = (Key, &[u8])> {
        let mut tails = self.tails.as_slice();
        self.keys.iter().map(move |&key| {
            let (tail, rest) = tails.split_at_checked(tail_len(key)).unwrap_or_default();
            tails = rest;
            (key, tail)
        })
    }

    fn size(&self) -> usize {
        let traces = 8 * self.traces.first.capacity() + self.traces.flags.capacity();
        let entries = size_of::<Entry>() * self.entries.capacity() + 4 * self.pools.capacity();
        16 * self.keys.capacity()
            + self.tails.capacity()
            + traces
            + entries
            + 8 * self.pool.capacity()
            + self.texts.size()
    }
}

impl Found {
    fn next(&self) -> Option<(Key, &[u8])> {
        self.roster.ids(self.next, self.next + 1).next()
    }

    /// Gives the next one's entries to the customer who came last.
    fn give(&mut self, coming: &mut Coming, slots: &Slots) {
        let (local, traces) = (coming.local(), &self.roster.traces);
        if let (Some(&first), Some(&flags)) = (traces.first.get(self.next), traces.flags.get(self.next)) {
            coming.traces.add(local, first, flags);
        }
        let chunk = self.roster.chunk(self.next);
        let (ints, measured) = (slots.shape.ints, slots.shape.ints + slots.shape.texts > 0);
        for (at, entry) in chunk.entries.iter().enumerate() {
            coming.entries.push(Entry { local, ..*entry });
            if !measured {
                continue;
            }
            let start = coming.pool.len();
            coming.pools.push(start as u32);
            let Some(slot) = slots.get(entry.slot) else { continue };
            coming.pool.extend_from_slice(chunk.words(at, slot.width()));
            let texts = &mut coming.texts;
            let own = |word| self.roster.texts.get(word).map_or(-1, |text| texts.number(text));
            slot.renumber(ints, coming.pool.get_mut(start..).unwrap_or_default(), own);
        }
        self.next += 1;
    }
}

impl Desk {
    /// Answers for the customers who came.
    fn answer(&mut self, coming: &mut Coming, slots: &Slots) {
        if coming.keys.is_empty() {
            return;
        }
        let since = Instant::now();
        let crowd = Crowd {
            chunk: Chunk { entries: &coming.entries, pools: &coming.pools, pool: &coming.pool },
            first: &coming.traces.first,
            flags: &coming.traces.flags,
            texts: &coming.texts,
        };
        self.replay.answer(crowd, coming.ids(), slots, &mut self.bench, &mut self.out);
        self.counters.meter.evaluated(since.elapsed());
        coming.clear();
    }

    /// Makes room for one more customer.
    fn room(&mut self, coming: &mut Coming, slots: &Slots) {
        if coming.keys.len() >= self.replay.size() || coming.entries.len() >= MANY {
            self.answer(coming, slots);
        }
    }

    /// Those beside come before whom they stand.
    fn until(&mut self, id: (Key, &[u8]), beside: &mut Found, coming: &mut Coming, slots: &Slots) {
        while let Some(next) = beside.next().filter(|next| order(*next, id).is_lt()) {
            self.room(coming, slots);
            coming.begin(next);
            beside.give(coming, slots);
        }
    }

    /// The first row of a customer.
    #[cold]
    #[inline(never)]
    fn next(&mut self, id: &Id<'_>, beside: &mut Found, coming: &mut Coming, slots: &Slots) -> Result<()> {
        let id = (id.key, id.tail);
        if let Some(last) = coming.last().filter(|last| order(*last, id).is_gt()) {
            let (last, id) = (self.text(last), self.text(id));
            return Err(fail(format!(
                "{} is not what it declares: customer `{last}` stands before `{id}`; `segue store check` tells more, \
                 `segue store compact --full` makes it anew",
                self.label
            )));
        }
        self.until(id, beside, coming, slots);
        self.room(coming, slots);
        coming.begin(id);
        if beside.next() == Some(id) {
            beside.give(coming, slots);
        }
        Ok(())
    }

    fn text(&self, (key, tail): (Key, &[u8])) -> String {
        if self.numbers {
            return super::ids::key_number(key).to_string();
        }
        let mut text = Vec::new();
        put_text(key, tail, &mut text);
        String::from_utf8_lossy(&text).into_owned()
    }
}

impl Accumulator for Stream {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let [_, customers, times, slots, measures @ ..] = values else {
            return Err(DataFusionError::Internal("history_stream got other columns than it was planned with".into()));
        };
        let input = Input::new([customers, times, slots], measures, &self.slots)?;
        let numbers = self.slots.numbers(input.lists())?;
        let Stream { desk, slots, coming, beside } = self;
        let measured = input.is_measured();
        input.each(&numbers, None, |Row { at, slot: number, time, id }| {
            if !coming.is_last(id) {
                desk.next(id, beside, coming, slots)?;
            }
            let local = coming.local();
            let mut entry = Entry { time, slot: number, local };
            if !slots.is_plain(number) {
                let Some(slot) = slots.get(number) else { return Ok(()) };
                coming.traces.see(local, slot, time);
                if slot.patterns.is_empty() {
                    return Ok(());
                }
                entry.time = if Rows::is_timed(slot.rows) { time } else { TIMELESS };
            }
            coming.entries.push(entry);
            if measured && let Some(slot) = slots.get(number) {
                coming.pools.push(coming.pool.len() as u32);
                input.measures(at, slot, &mut coming.texts, &mut coming.pool);
            }
            Ok(())
        })
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let Stream { desk, slots, coming, beside } = self;
        while let Some(next) = beside.next() {
            desk.room(coming, slots);
            coming.begin(next);
            beside.give(coming, slots);
        }
        desk.answer(coming, slots);
        Ok(ScalarValue::LargeBinary(Some(desk.out.finish())))
    }

    fn size(&self) -> usize {
        let Stream { desk, slots, coming, beside: _ } = self;
        // What was found beside was there before, and is counted by whoever found it.
        desk.out.size() + slots.size() + coming.size() + size_of::<Self>()
    }

    /// Rows in the order of customers are of one partition, so that nothing is ever merged.
    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Err(DataFusionError::NotImplemented("history_stream is an aggregate of one stage".into()))
    }

    fn merge_batch(&mut self, _: &[ArrayRef]) -> Result<()> {
        Err(DataFusionError::NotImplemented("history_stream is an aggregate of one stage".into()))
    }
}
