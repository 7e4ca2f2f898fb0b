//! Lists of patterns and texts by number.
//!
//! Owns: what a slot says about its entries, and the two tables. Promises: numbers are given in the order of appearance; nothing that
//! leaves the kernel depends on them. Must not know: customers.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray};
use datafusion::common::Result;
use datafusion::error::DataFusionError;

use super::hash::Map;
use crate::engine::plan::program::{Program, Rows};

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
        Shape::of([program])
    }

    /// What any of some programs over the same patterns and measures reads.
    pub fn of<'a>(programs: impl IntoIterator<Item = &'a Program>) -> Shape {
        let mut shape = Shape { measures: Vec::new(), ints: 0, texts: 0 };
        for program in programs {
            (shape.ints, shape.texts) = (program.int_channels, program.text_channels);
            shape.measures.resize(program.patterns as usize, Vec::new());
            let of_terms = program.terms.iter().filter_map(|term| Some((term.pattern, term.agg.channel()?)));
            for (pattern, channel) in of_terms.chain(program.reads.iter().map(|read| (read.pattern, read.channel))) {
                if let Some(all) = shape.measures.get_mut(pattern as usize) {
                    all.push(channel);
                }
            }
        }
        for all in &mut shape.measures {
            all.sort_unstable();
            all.dedup();
        }
        shape
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
    pub fn masks(&self) -> usize {
        self.measures.len().div_ceil(64)
    }

    /// Words of an entry in the pool.
    #[inline]
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

    /// Gives each text among an entry's words another number.
    pub fn renumber(&self, ints: u32, words: &mut [i64], mut number: impl FnMut(i64) -> i64) {
        for (at, _) in self.measures.iter().enumerate().filter(|(_, measure)| **measure >= ints) {
            if self.read(words, at).is_some()
                && let Some(word) = words.get_mut(self.masks() + at)
            {
                *word = number(*word);
            }
        }
    }
}

/// Lists of patterns by number.
#[derive(Debug)]
pub struct Slots {
    pub shape: Shape,
    all: Vec<Slot>,
    /// Whether each is an event with patterns.
    plain: Vec<bool>,
    numbers: Map<Box<[u8]>, u32>,
    /// The last arrays of lists and their numbers: batches share them.
    recent: Vec<(ArrayRef, Arc<[u32]>)>,
    bytes: usize,
}

/// So many arrays of lists are remembered.
const RECENT: usize = 8;

impl Slots {
    pub fn new(program: &Program) -> Slots {
        Slots::of([program])
    }

    /// Of some programs over the same patterns and measures.
    pub fn of<'a>(programs: impl IntoIterator<Item = &'a Program>) -> Slots {
        Slots {
            shape: Shape::of(programs),
            all: Vec::new(),
            plain: Vec::new(),
            numbers: Map::default(),
            recent: Vec::new(),
            bytes: 0,
        }
    }

    /// The numbers of an array of lists.
    pub fn numbers(&mut self, lists: &ArrayRef) -> Result<Arc<[u32]>> {
        if let Some((_, numbers)) = self.recent.iter().find(|(known, _)| Arc::ptr_eq(known, lists)) {
            return Ok(Arc::clone(numbers));
        }
        let bytes = lists.as_binary_opt::<i32>().ok_or_else(broken)?;
        // Nobody refers to an absent list.
        let mut number = |list: Option<&[u8]>| list.map_or(Ok(u32::MAX), |list| self.number(list));
        let numbers: Arc<[u32]> = bytes.iter().map(&mut number).collect::<Result<_>>()?;
        if self.recent.len() == RECENT {
            self.recent.remove(0);
        }
        self.recent.push((Arc::clone(lists), Arc::clone(&numbers)));
        Ok(numbers)
    }

    #[inline]
    pub fn get(&self, number: u32) -> Option<&Slot> {
        self.all.get(number as usize)
    }

    pub fn all(&self) -> &[Slot] {
        &self.all
    }

    #[inline]
    pub fn is_plain(&self, number: u32) -> bool {
        self.plain.get(number as usize).copied().unwrap_or(false)
    }

    /// The number of a list, as `event_slot` writes it.
    pub fn number(&mut self, bytes: &[u8]) -> Result<u32> {
        if let Some(&number) = self.numbers.get(bytes) {
            return Ok(number);
        }
        let (&rows, mut rest) = bytes.split_first().ok_or_else(broken)?;
        let mut patterns = Vec::new();
        while !rest.is_empty() {
            patterns.push(u32::try_from(take_varint(&mut rest).ok_or_else(broken)?).map_err(|_| broken())?);
        }
        let of = |&p: &u32| self.shape.measures.get(p as usize);
        let mut measures: Vec<u32> = patterns.iter().filter_map(of).flatten().copied().collect();
        measures.sort_unstable();
        measures.dedup();
        self.bytes += 2 * bytes.len() + 96 + 4 * (patterns.len() + measures.len());
        let number = self.all.len() as u32;
        self.plain.push(rows == Rows::Event as u8 && !patterns.is_empty());
        self.all.push(Slot { bytes: bytes.into(), rows, patterns, measures });
        self.numbers.insert(bytes.into(), number);
        Ok(number)
    }

    pub fn size(&self) -> usize {
        self.bytes
    }
}

/// Texts by number.
#[derive(Debug, Default)]
pub struct Texts {
    all: Vec<Arc<str>>,
    numbers: Map<Arc<str>, i64>,
    bytes: usize,
}

impl Texts {
    pub fn get(&self, number: i64) -> Option<&str> {
        self.all.get(usize::try_from(number).ok()?).map(|t| &**t)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.all.len()
    }

    pub fn number(&mut self, text: &str) -> i64 {
        if let Some(&number) = self.numbers.get(text) {
            return number;
        }
        let number = self.all.len() as i64;
        let shared: Arc<str> = text.into();
        self.bytes += text.len() + 64;
        self.all.push(Arc::clone(&shared));
        self.numbers.insert(shared, number);
        number
    }

    pub fn size(&self) -> usize {
        self.bytes
    }
}

/// What does not read.
pub fn broken() -> DataFusionError {
    DataFusionError::Internal("a history's state does not read".into())
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
