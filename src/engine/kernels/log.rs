//! The log: what a group of customers did, as compactly as it can be held.
//!
//! Owns: the log in memory, by chunks of customers, and its form as bytes (one state a customer, which carries everything with it).
//! Promises: merging states is appending; the order of entries never matters to whoever reads them.
//! Must not know: what the entries mean.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, LargeBinaryArray, LargeBinaryBuilder, StringViewArray};
use arrow::datatypes::{Int64Type, UInt32Type};
use datafusion::common::Result;
use datafusion::error::DataFusionError;

use super::hash::Map;
use crate::engine::plan::program::{Program, Rows};

/// Has an event before the as-of instant.
pub const EVENT: u8 = 1;
/// Has a profile.
pub const PROFILE: u8 = 2;
/// Has more than one.
pub const TWICE: u8 = 4;
/// The profile was created at or after the as-of instant.
pub const LATE: u8 = 8;

/// The time of entries that have none: inside of "any time", outside of every window.
pub const TIMELESS: i64 = i64::MAX - 1;

/// Which measures each pattern's terms and stories read.
#[derive(Debug)]
pub struct Shape {
    /// Sorted measures by pattern.
    pub measures: Vec<Vec<u32>>,
    pub ints: u32,
    pub texts: u32,
}

impl Shape {
    pub fn new(program: &Program) -> Shape {
        let mut measures = vec![Vec::new(); program.patterns as usize];
        for term in &program.terms {
            if let (Some(channel), Some(all)) = (term.agg.channel(), measures.get_mut(term.pattern as usize)) {
                all.push(channel);
            }
        }
        for read in &program.reads {
            if let Some(all) = measures.get_mut(read.pattern as usize) {
                all.push(read.channel);
            }
        }
        for all in &mut measures {
            all.sort_unstable();
            all.dedup();
        }
        Shape { measures, ints: program.int_channels, texts: program.text_channels }
    }
}

/// A distinct list of patterns.
#[derive(Debug)]
pub struct Slot {
    pub bytes: Box<[u8]>,
    pub rows: u8,
    pub patterns: Vec<u32>,
    /// Measures that an entry carries: a mask of presence (a word for 64 of them), then one word each.
    pub measures: Vec<u32>,
}

impl Slot {
    fn masks(&self) -> usize {
        self.measures.len().div_ceil(64)
    }

    /// Words of an entry in the pool.
    pub fn width(&self) -> usize {
        self.masks() + self.measures.len()
    }

    /// The measure's value in an entry's words.
    pub fn read(&self, words: &[i64], at: usize) -> Option<i64> {
        let mask = *words.get(at / 64)?;
        if mask >> (at % 64) & 1 == 0 {
            return None;
        }
        words.get(self.masks() + at).copied()
    }
}

/// Texts and lists of patterns by number.
#[derive(Debug, Default)]
pub struct Interned {
    pub slots: Vec<Slot>,
    slot_numbers: Map<Box<[u8]>, u32>,
    pub texts: Vec<Arc<str>>,
    text_numbers: Map<Arc<str>, i64>,
    bytes: usize,
}

impl Interned {
    fn slot(&mut self, bytes: &[u8], shape: &Shape) -> Result<u32> {
        if let Some(&number) = self.slot_numbers.get(bytes) {
            return Ok(number);
        }
        let (&rows, mut rest) = bytes.split_first().ok_or_else(broken)?;
        let mut patterns = Vec::new();
        while !rest.is_empty() {
            patterns.push(u32::try_from(take_varint(&mut rest).ok_or_else(broken)?).map_err(|_| broken())?);
        }
        let mut measures: Vec<u32> =
            patterns.iter().filter_map(|&p| shape.measures.get(p as usize)).flatten().copied().collect();
        measures.sort_unstable();
        measures.dedup();
        self.bytes += 2 * bytes.len() + 96 + 4 * (patterns.len() + measures.len());
        let number = self.slots.len() as u32;
        self.slots.push(Slot { bytes: bytes.into(), rows, patterns, measures });
        self.slot_numbers.insert(bytes.into(), number);
        Ok(number)
    }

    fn text(&mut self, text: &str) -> i64 {
        if let Some(&number) = self.text_numbers.get(text) {
            return number;
        }
        let number = self.texts.len() as i64;
        let shared: Arc<str> = text.into();
        self.bytes += text.len() + 64;
        self.texts.push(Arc::clone(&shared));
        self.text_numbers.insert(shared, number);
        number
    }
}

/// The entries of a chunk of customers.
#[derive(Debug, Default)]
pub struct Chunk {
    /// Number of the customer within the chunk.
    pub local: Vec<u16>,
    pub slot: Vec<u32>,
    pub time: Vec<i64>,
    /// The measures of the entries, one entry behind the other.
    pub pool: Vec<i64>,
}

impl Chunk {
    fn capacity(&self) -> usize {
        2 * self.local.capacity() + 4 * self.slot.capacity() + 8 * (self.time.capacity() + self.pool.capacity())
    }
}

/// The entries of all customers.
#[derive(Debug, Default)]
pub struct Body {
    pub chunks: Vec<Chunk>,
    /// First trace; `i64::MAX` is none.
    pub first: Vec<i64>,
    pub flags: Vec<u8>,
}

/// A log that grows.
#[derive(Debug)]
pub struct Log {
    pub shape: Shape,
    /// Customers of a chunk, as a power of two.
    pub bits: u32,
    pub interned: Interned,
    pub body: Body,
    /// Bytes of the chunks, kept as they grow.
    bytes: usize,
    words: Vec<i64>,
}

fn broken() -> DataFusionError {
    DataFusionError::Internal("a history's state does not read".into())
}

impl Log {
    pub fn new(program: &Program, bits: u32) -> Log {
        Log {
            shape: Shape::new(program),
            bits,
            interned: Interned::default(),
            body: Body::default(),
            bytes: 0,
            words: Vec::new(),
        }
    }

    /// Makes room for so many customers.
    pub fn grow(&mut self, groups: usize) {
        if groups > self.body.first.len() {
            self.body.first.resize(groups, i64::MAX);
            self.body.flags.resize(groups, 0);
            let chunks = groups.div_ceil(1 << self.bits);
            self.body.chunks.resize_with(chunks.max(self.body.chunks.len()), Chunk::default);
        }
    }

    /// Appends rows: slots, times, measures.
    pub fn append(&mut self, values: &[ArrayRef], groups: &[usize], keep: impl Fn(usize) -> bool) -> Result<()> {
        let input = Input::new(values, &self.shape)?;
        let slots = input.slots(&mut self.interned, &self.shape)?;
        for (row, &group) in groups.iter().enumerate() {
            if !keep(row) {
                continue;
            }
            let Some(slot) = input.slot(row).and_then(|s| slots.get(s)).copied() else { continue };
            let mut words = std::mem::take(&mut self.words);
            input.measures(row, slot, &mut self.interned, &self.shape, &mut words);
            self.push(group, slot, input.time(row), &words);
            self.words = words;
        }
        Ok(())
    }

    fn push(&mut self, group: usize, slot: u32, time: Option<i64>, words: &[i64]) {
        let Some(info) = self.interned.slots.get(slot as usize) else { return };
        let (Some(first), Some(flags)) = (self.body.first.get_mut(group), self.body.flags.get_mut(group)) else {
            return;
        };
        let trace = mark(info.rows, flags);
        if let (true, Some(time)) = (trace, time) {
            *first = (*first).min(time);
        }
        if info.patterns.is_empty() {
            return;
        }
        let Some(chunk) = self.body.chunks.get_mut(group >> self.bits) else { return };
        let before = chunk.capacity();
        chunk.local.push((group & ((1 << self.bits) - 1)) as u16);
        chunk.slot.push(slot);
        chunk.time.push(if info.rows == Rows::Event as u8 { time.unwrap_or(TIMELESS) } else { TIMELESS });
        chunk.pool.extend_from_slice(words);
        self.bytes += chunk.capacity() - before;
    }

    /// Appends states.
    pub fn merge(&mut self, states: &LargeBinaryArray, groups: &[usize]) -> Result<()> {
        for (row, &group) in groups.iter().enumerate() {
            if states.is_null(row) {
                continue;
            }
            let mut bytes = states.value(row);
            let (&flags, rest) = bytes.split_first().ok_or_else(broken)?;
            bytes = rest;
            let first = take_i64(&mut bytes).ok_or_else(broken)?;
            if let (Some(mine), Some(all)) = (self.body.flags.get_mut(group), self.body.first.get_mut(group)) {
                if *mine & flags & PROFILE != 0 {
                    *mine |= TWICE;
                }
                *mine |= flags;
                *all = (*all).min(first);
            }
            while !bytes.is_empty() {
                let length = take_varint(&mut bytes).ok_or_else(broken)? as usize;
                let (list, rest) = bytes.split_at_checked(length).ok_or_else(broken)?;
                bytes = rest;
                let slot = self.interned.slot(list, &self.shape)?;
                let time = take_i64(&mut bytes).ok_or_else(broken)?;
                let mut words = std::mem::take(&mut self.words);
                self.take_measures(slot, &mut bytes, &mut words)?;
                self.entry(group, slot, time, &words);
                self.words = words;
            }
        }
        Ok(())
    }

    fn take_measures(&mut self, slot: u32, bytes: &mut &[u8], words: &mut Vec<i64>) -> Result<()> {
        words.clear();
        let Some(info) = self.interned.slots.get(slot as usize) else { return Err(broken()) };
        let measures = info.measures.clone();
        for _ in 0..info.masks() {
            words.push(take_i64(bytes).ok_or_else(broken)?);
        }
        for (at, &measure) in measures.iter().enumerate() {
            let present = words.get(at / 64).is_some_and(|mask| mask >> (at % 64) & 1 == 1);
            let word = if !present {
                0
            } else if measure < self.shape.ints {
                take_i64(bytes).ok_or_else(broken)?
            } else {
                let length = take_varint(bytes).ok_or_else(broken)? as usize;
                let (text, rest) = bytes.split_at_checked(length).ok_or_else(broken)?;
                *bytes = rest;
                self.interned.text(std::str::from_utf8(text).map_err(|_| broken())?)
            };
            words.push(word);
        }
        Ok(())
    }

    fn entry(&mut self, group: usize, slot: u32, time: i64, words: &[i64]) {
        let Some(chunk) = self.body.chunks.get_mut(group >> self.bits) else { return };
        let before = chunk.capacity();
        chunk.local.push((group & ((1 << self.bits) - 1)) as u16);
        chunk.slot.push(slot);
        chunk.time.push(time);
        chunk.pool.extend_from_slice(words);
        self.bytes += chunk.capacity() - before;
    }

    /// Takes everything out, or the first `n` customers.
    pub fn take(&mut self, n: Option<usize>) -> Body {
        let Some(n) = n.filter(|&n| n < self.body.first.len()) else {
            self.bytes = 0;
            return std::mem::take(&mut self.body);
        };
        let mut all = std::mem::take(&mut self.body);
        self.bytes = 0;
        self.grow(all.first.len() - n);
        self.body.first.copy_from_slice(all.first.get(n..).unwrap_or_default());
        self.body.flags.copy_from_slice(all.flags.get(n..).unwrap_or_default());
        all.first.truncate(n);
        all.flags.truncate(n);
        let chunks = std::mem::take(&mut all.chunks);
        let rest = std::mem::take(&mut self.body);
        self.body = Body { chunks: Vec::new(), first: all.first, flags: all.flags };
        self.body.chunks.resize_with(n.div_ceil(1 << self.bits), Chunk::default);
        // The head is built in place of the log, then changes places with the rest.
        let mut tail = rest;
        for (c, chunk) in chunks.into_iter().enumerate() {
            let mut at = 0;
            for i in 0..chunk.local.len() {
                let (Some(&local), Some(&slot), Some(&time)) =
                    (chunk.local.get(i), chunk.slot.get(i), chunk.time.get(i))
                else {
                    break;
                };
                let width = self.interned.slots.get(slot as usize).map_or(0, Slot::width);
                let words = chunk.pool.get(at..at + width).unwrap_or_default();
                at += width;
                let group = (c << self.bits) + usize::from(local);
                if group >= n {
                    std::mem::swap(&mut self.body, &mut tail);
                    self.entry(group - n, slot, time, words);
                    std::mem::swap(&mut self.body, &mut tail);
                } else {
                    self.entry(group, slot, time, words);
                }
            }
        }
        std::mem::swap(&mut self.body, &mut tail);
        self.bytes = self.body.chunks.iter().map(Chunk::capacity).sum();
        tail
    }

    /// One state a customer.
    pub fn states(&self, body: &Body) -> LargeBinaryArray {
        let mut out = LargeBinaryBuilder::new();
        let mut state = Vec::new();
        for (c, chunk) in body.chunks.iter().enumerate() {
            let base = c << self.bits;
            let here = body.first.len().saturating_sub(base).min(1 << self.bits);
            let (order, pools) = self.by_customer(chunk, here);
            let mut entries = order.into_iter().peekable();
            for local in 0..here {
                state.clear();
                state.push(body.flags.get(base + local).copied().unwrap_or(0));
                state.extend_from_slice(&body.first.get(base + local).copied().unwrap_or(i64::MAX).to_le_bytes());
                while let Some(i) = entries.next_if(|&i| chunk.local.get(i as usize) == Some(&(local as u16))) {
                    let i = i as usize;
                    let (Some(&slot), Some(&time)) = (chunk.slot.get(i), chunk.time.get(i)) else { break };
                    let Some(info) = self.interned.slots.get(slot as usize) else { break };
                    let from = pools.get(i).copied().unwrap_or(0) as usize;
                    let words = chunk.pool.get(from..from + info.width()).unwrap_or_default();
                    self.put_entry(info, time, words, &mut state);
                }
                out.append_value(&state);
            }
        }
        out.finish()
    }

    fn put_entry(&self, info: &Slot, time: i64, words: &[i64], state: &mut Vec<u8>) {
        put_varint(state, info.bytes.len() as u64);
        state.extend_from_slice(&info.bytes);
        state.extend_from_slice(&time.to_le_bytes());
        for mask in words.iter().take(info.masks()) {
            state.extend_from_slice(&mask.to_le_bytes());
        }
        for (at, &measure) in info.measures.iter().enumerate() {
            let Some(word) = info.read(words, at) else { continue };
            if measure < self.shape.ints {
                state.extend_from_slice(&word.to_le_bytes());
            } else {
                let text = usize::try_from(word).ok().and_then(|w| self.interned.texts.get(w));
                let text = text.map_or("", |t| t.as_ref());
                put_varint(state, text.len() as u64);
                state.extend_from_slice(text.as_bytes());
            }
        }
    }

    /// Entries in the order of customers, and where each entry's measures begin.
    pub fn by_customer(&self, chunk: &Chunk, customers: usize) -> (Vec<u32>, Vec<u32>) {
        let mut starts = vec![0u32; customers + 1];
        for &local in &chunk.local {
            if let Some(start) = starts.get_mut(usize::from(local) + 1) {
                *start += 1;
            }
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let mut order = vec![0u32; chunk.local.len()];
        let mut pools = Vec::with_capacity(chunk.local.len());
        let mut at = 0u32;
        for (i, (&local, &slot)) in chunk.local.iter().zip(&chunk.slot).enumerate() {
            pools.push(at);
            at += self.interned.slots.get(slot as usize).map_or(0, Slot::width) as u32;
            if let Some(start) = starts.get_mut(usize::from(local)) {
                if let Some(to) = order.get_mut(*start as usize) {
                    *to = i as u32;
                }
                *start += 1;
            }
        }
        (order, pools)
    }

    /// Bytes in use.
    pub fn size(&self) -> usize {
        self.bytes
            + self.interned.bytes
            + 9 * self.body.first.capacity()
            + std::mem::size_of::<Chunk>() * self.body.chunks.capacity()
    }
}

/// What a row says about its customer; whether its time is a trace.
fn mark(rows: u8, flags: &mut u8) -> bool {
    if rows == Rows::Event as u8 {
        *flags |= EVENT;
        return true;
    }
    if rows == Rows::Profile as u8 || rows == Rows::Late as u8 {
        *flags |= if *flags & PROFILE != 0 { TWICE } else { PROFILE };
        if rows == Rows::Late as u8 {
            *flags |= LATE;
        }
        return true;
    }
    false
}

/// The columns of a batch.
struct Input<'a> {
    keys: &'a arrow::array::UInt32Array,
    lists: &'a arrow::array::BinaryArray,
    times: &'a Int64Array,
    ints: Vec<&'a Int64Array>,
    texts: Vec<&'a StringViewArray>,
}

impl<'a> Input<'a> {
    fn new(values: &'a [ArrayRef], shape: &Shape) -> Result<Input<'a>> {
        let odd = || DataFusionError::Internal("history got other columns than it was planned with".into());
        let [times, slots, measures @ ..] = values else { return Err(odd()) };
        let slots = slots.as_dictionary_opt::<UInt32Type>().ok_or_else(odd)?;
        let (ints, texts) = measures.split_at_checked(shape.ints as usize).ok_or_else(odd)?;
        Ok(Input {
            keys: slots.keys(),
            lists: slots.values().as_binary_opt::<i32>().ok_or_else(odd)?,
            times: times.as_primitive_opt::<Int64Type>().ok_or_else(odd)?,
            ints: ints.iter().map(|a| a.as_primitive_opt::<Int64Type>().ok_or_else(odd)).collect::<Result<_>>()?,
            texts: texts.iter().map(|a| a.as_string_view_opt().ok_or_else(odd)).collect::<Result<_>>()?,
        })
    }

    fn slots(&self, interned: &mut Interned, shape: &Shape) -> Result<Vec<u32>> {
        (0..self.lists.len()).map(|i| interned.slot(self.lists.value(i), shape)).collect()
    }

    fn slot(&self, row: usize) -> Option<usize> {
        self.keys.is_valid(row).then(|| self.keys.value(row) as usize)
    }

    fn time(&self, row: usize) -> Option<i64> {
        self.times.is_valid(row).then(|| self.times.value(row))
    }

    fn measures(&self, row: usize, slot: u32, interned: &mut Interned, shape: &Shape, words: &mut Vec<i64>) {
        words.clear();
        let Some(info) = interned.slots.get(slot as usize) else { return };
        if info.measures.is_empty() {
            return;
        }
        let (masks, measures) = (info.masks(), info.measures.clone());
        words.resize(masks + measures.len(), 0);
        for (at, measure) in measures.into_iter().enumerate() {
            let value = match self.ints.get(measure as usize) {
                Some(ints) => ints.is_valid(row).then(|| ints.value(row)),
                None => {
                    let texts = measure.checked_sub(shape.ints).and_then(|t| self.texts.get(t as usize));
                    texts.filter(|t| t.is_valid(row)).map(|t| interned.text(t.value(row)))
                }
            };
            let Some(value) = value else { continue };
            if let Some(mask) = words.get_mut(at / 64) {
                *mask |= 1 << (at % 64);
            }
            if let Some(word) = words.get_mut(masks + at) {
                *word = value;
            }
        }
    }
}

/// Seven bits a byte, lowest first.
pub fn put_varint(out: &mut Vec<u8>, mut n: u64) {
    while n >= 128 {
        out.push(n as u8 | 128);
        n >>= 7;
    }
    out.push(n as u8);
}

fn take_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut n = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        n |= u64::from(byte & 127) << shift;
        if byte < 128 {
            return Some(n);
        }
    }
    None
}

fn take_i64(bytes: &mut &[u8]) -> Option<i64> {
    let (word, rest) = bytes.split_first_chunk::<8>()?;
    *bytes = rest;
    Some(i64::from_le_bytes(*word))
}
