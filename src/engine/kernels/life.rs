//! A life: the entries of one customer in the order of time.
//!
//! Owns: the order, the deeds, and the measures that entries carry. Promises: entries at one instant stand in any order, and
//! nobody's answer may depend on it. Must not know: what is made of the deeds.

use std::cmp::Ordering;

use super::convert::ordered;
use super::interned::{Slot, Texts};
use super::replay::Known;
use super::roster::Chunk;
use super::test;
use crate::engine::plan::program::{Program, Scalar, Ty};
use crate::engine::plan::story::{Anchor, Frame};
use crate::language::calendar::Clock;
use crate::language::num::Num;

/// A value that holds no text but its number in the log.
#[derive(Debug, Clone, Copy)]
pub enum Datum {
    Num(Num),
    YesNo(bool),
    Date(i32),
    Instant(i64),
    Text(i64),
}

impl Datum {
    /// The value of a measure.
    pub fn of(word: i64, ty: Ty) -> Option<Datum> {
        Some(match ty {
            Ty::Integer => Datum::Num(Num::int(word)),
            Ty::Money(scale) => Datum::Num(Num::Exact { units: i128::from(word), scale }),
            Ty::Number => Datum::Num(Num::float(f64::from_bits(word as u64))?),
            Ty::YesNo => Datum::YesNo(word == 1),
            Ty::Date => Datum::Date(i32::try_from(word).ok()?),
            Ty::Instant => Datum::Instant(word),
            Ty::Text => Datum::Text(word),
            Ty::List => return None,
        })
    }

    pub fn scalar(self, texts: &Texts) -> Option<Scalar<'_>> {
        Some(match self {
            Datum::Num(n) => Scalar::Num(n),
            Datum::YesNo(yes) => Scalar::YesNo(yes),
            Datum::Date(days) => Scalar::Date(days),
            Datum::Instant(at) => Scalar::Instant(at),
            Datum::Text(number) => Scalar::Text(texts.get(number)?),
        })
    }
}

/// What tells the known values of a measure apart, also between measures of several events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Key {
    /// Units and scale, without noughts at the end.
    Exact(i64, u8),
    Float(i64),
    Other(i64),
}

impl Key {
    fn of(word: i64, ty: Ty) -> Key {
        match ty {
            Ty::Integer => Key::Exact(word, 0),
            Ty::Money(scale) => {
                let (mut units, mut scale) = (word, scale);
                while scale > 0 && units % 10 == 0 {
                    (units, scale) = (units / 10, scale - 1);
                }
                Key::Exact(units, scale)
            }
            Ty::Number => Key::Float(word),
            _ => Key::Other(word),
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    time: i64,
    slot: u32,
    /// Its place in the chunk.
    at: u32,
}

/// One customer after the other.
#[derive(Debug)]
pub struct Life<'a> {
    pub program: &'a Program,
    pub clock: &'a Clock,
    pub texts: &'a Texts,
    slots: &'a [Slot],
    chunk: Chunk<'a>,
    /// By pattern, whether a story asks for it; and those that are asked for.
    wanted: Vec<bool>,
    asked: Vec<u32>,
    entries: Vec<Entry>,
    /// Entries by pattern.
    patterns: Vec<Vec<u32>>,
    /// Of the deeds that ask for more than a pattern.
    picked: Vec<Vec<u32>>,
}

impl<'a> Life<'a> {
    pub fn new(program: &'a Program, clock: &'a Clock, known: &Known<'a>, wanted: Vec<bool>) -> Life<'a> {
        let patterns = vec![Vec::new(); wanted.len()];
        let asked = wanted.iter().zip(0..).filter(|(wanted, _)| **wanted).map(|(_, pattern)| pattern).collect();
        Life {
            program,
            clock,
            texts: known.texts,
            slots: known.slots.all(),
            chunk: known.chunk,
            wanted,
            asked,
            entries: Vec::new(),
            patterns,
            picked: Vec::new(),
        }
    }

    /// Begins with the next customer, whose entries of the chunk these are.
    pub fn begin(&mut self, entries: &[u32]) {
        self.entries.clear();
        self.picked.clear();
        for &pattern in &self.asked {
            if let Some(list) = self.patterns.get_mut(pattern as usize) {
                list.clear();
            }
        }
        let all = entries.iter().filter_map(|&at| Some((at, self.chunk.entries.get(at as usize)?)));
        self.entries.extend(all.map(|(at, entry)| Entry { time: entry.time, slot: entry.slot, at }));
        self.entries.sort_unstable_by_key(|e| e.time);
        for (i, entry) in self.entries.iter().enumerate() {
            let Some(slot) = self.slots.get(entry.slot as usize) else { continue };
            for &p in &slot.patterns {
                if self.wanted.get(p as usize).copied().unwrap_or(false)
                    && let Some(list) = self.patterns.get_mut(p as usize)
                {
                    list.push(i as u32);
                }
            }
        }
    }

    /// How many deeds have been picked for this customer.
    pub fn deeds(&self) -> usize {
        self.picked.len()
    }

    /// Settles the next deed: of its pattern's entries those that pass.
    pub fn pick(&mut self, passes: Option<impl Fn(&Self, u32) -> bool>) {
        let pattern = self.program.deeds.get(self.picked.len()).map_or(u32::MAX, |d| d.pattern);
        let list = match passes {
            None => Vec::new(),
            Some(passes) => self.entries_of(pattern).iter().copied().filter(|&e| passes(self, e)).collect(),
        };
        self.picked.push(list);
    }

    /// The entries of a deed.
    pub fn deed(&self, deed: u32) -> &[u32] {
        match self.program.deeds.get(deed as usize) {
            Some(d) if d.rest.is_none() => self.entries_of(d.pattern),
            Some(_) => self.picked.get(deed as usize).map_or(&[], Vec::as_slice),
            None => &[],
        }
    }

    /// The entries of a deed at the instants `[lo, hi)`.
    pub fn during(&self, deed: u32, (lo, hi): (i64, i64)) -> &[u32] {
        let all = self.deed(deed);
        let from = all.partition_point(|&e| self.time(e) < lo);
        let to = all.partition_point(|&e| self.time(e) < hi);
        all.get(from..to).unwrap_or_default()
    }

    /// The event that a deed is about.
    pub fn event(&self, deed: u32) -> u32 {
        self.program.deeds.get(deed as usize).map_or(u32::MAX, |d| d.event)
    }

    /// The entries with a pattern.
    pub fn entries_of(&self, pattern: u32) -> &[u32] {
        self.patterns.get(pattern as usize).map_or(&[], Vec::as_slice)
    }

    pub fn time(&self, entry: u32) -> i64 {
        self.entries.get(entry as usize).map_or(i64::MAX, |e| e.time)
    }

    pub fn has(&self, entry: u32, pattern: u32) -> bool {
        let slot = self.entries.get(entry as usize).and_then(|e| self.slots.get(e.slot as usize));
        slot.is_some_and(|s| s.patterns.binary_search(&pattern).is_ok())
    }

    /// The word of a measure, where it is known.
    pub fn word(&self, entry: u32, read: u32) -> Option<i64> {
        let channel = self.program.reads.get(read as usize)?.channel;
        let entry = self.entries.get(entry as usize)?;
        let slot = self.slots.get(entry.slot as usize)?;
        let at = slot.measures.binary_search(&channel).ok()?;
        slot.read(self.chunk.words(entry.at as usize, slot.width()), at)
    }

    pub fn ty(&self, read: u32) -> Ty {
        self.program.reads.get(read as usize).map_or(Ty::List, |r| r.ty)
    }

    pub fn datum(&self, entry: u32, read: u32) -> Option<Datum> {
        Datum::of(self.word(entry, read)?, self.ty(read))
    }

    pub fn key(&self, entry: u32, read: u32) -> Option<Key> {
        Some(Key::of(self.word(entry, read)?, self.ty(read)))
    }

    /// The order of two words of a measure.
    pub fn order(&self, a: i64, b: i64, ty: Ty) -> Ordering {
        match ty {
            Ty::Number => ordered(a).cmp(&ordered(b)),
            Ty::Text => {
                let text = |word| Datum::Text(word).scalar(self.texts);
                text(a).zip(text(b)).and_then(|(a, b)| test::compare(a, b)).unwrap_or_else(|| a.cmp(&b))
            }
            _ => a.cmp(&b),
        }
    }

    /// The instants of a frame; `None` where its anchor never happened.
    pub fn frame(&self, frame: &Frame) -> Option<(i64, i64)> {
        match &frame.since {
            None => Some((frame.lo, frame.hi)),
            Some(anchor) => Some((frame.lo.max(self.anchor(anchor)?.saturating_add(1)), frame.hi)),
        }
    }

    fn anchor(&self, anchor: &Anchor) -> Option<i64> {
        let all = self.deed(anchor.deed);
        let back = (anchor.back as usize).max(1);
        let at = if anchor.last { all.len().checked_sub(back)? } else { back - 1 };
        all.get(at).map(|&e| self.time(e))
    }
}
