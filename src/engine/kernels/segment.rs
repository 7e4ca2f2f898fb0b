//! A segment: the log of a bucket as bytes that carry everything with them.
//!
//! Owns: the form of states and of cached logs. Promises: segments stand one behind the other, so merging states is appending their
//! bytes; whatever the bytes, reading them ends in segments or in an error. Must not know: what entries mean.
//!
//! A head of words of eight bytes, lowest first: the version, then the length in bytes of each column. Then the columns, each filled
//! up to eight bytes: keys, tails, first traces and flags of the customers; the ends and bytes of the texts; the ends and
//! bytes of the lists of patterns; times, customers, lists and measures of the entries. Numbers of customers and lists take two bytes each where
//! that is enough, else four.

use arrow::buffer::Buffer;
use datafusion::common::Result;

use super::ids::{Key, tail_len};
use super::interned::{Slots, Texts, broken};
use super::log::{Log, NEVER, Page};

/// Changes with the form.
pub const VERSION: u64 = 1;

const KEYS: usize = 0;
const TAILS: usize = 1;
const FIRST: usize = 2;
const FLAGS: usize = 3;
const TEXT_ENDS: usize = 4;
const TEXTS: usize = 5;
const LIST_ENDS: usize = 6;
const LISTS: usize = 7;
const WHEN: usize = 8;
const WHO: usize = 9;
const WHAT: usize = 10;
const POOL: usize = 11;
const COLUMNS: usize = 12;

/// Appends a log without its states. The pending rows are none.
pub fn put(mut log: Log, slots: &Slots, texts: &Texts, out: &mut Vec<u8>) {
    if log.ids.is_empty() {
        return;
    }
    let head = out.len();
    out.resize(head + 8 * (1 + COLUMNS), 0);
    let mut lengths = [0; COLUMNS];
    let mut column = |at: usize, bytes: usize, out: &mut Vec<u8>, put: &mut dyn FnMut(&mut Vec<u8>)| {
        out.reserve(bytes);
        let start = out.len();
        put(out);
        if let Some(length) = lengths.get_mut(at) {
            *length = out.len() - start;
        }
        out.resize(head + (out.len() - head).next_multiple_of(8), 0);
    };
    let mut pages = log.pages();
    let Log { ids, traces, .. } = log;
    let (who_wide, keys) = (ids.len() > 1 << 16, ids.keys());
    column(KEYS, 16 * keys.len(), out, &mut |out| put_keys(keys, out));
    column(TAILS, ids.tails().len(), out, &mut |out| out.extend_from_slice(ids.tails()));
    // Mostly there are none.
    if traces.flags.iter().any(|&flags| flags != 0) {
        let first = &traces.first;
        column(FIRST, 8 * first.len(), out, &mut |out| out.extend(first.iter().flat_map(|t| t.to_le_bytes())));
        column(FLAGS, traces.flags.len(), out, &mut |out| out.extend_from_slice(&traces.flags));
    }
    drop((ids, traces));
    if slots.shape.texts > 0 {
        let used = renumber_texts(&mut pages, slots, texts);
        put_list(used.iter().filter_map(|&t| texts.get(t)).map(str::as_bytes), TEXT_ENDS, TEXTS, out, &mut column);
    }
    let used = renumber(&mut pages, slots.all().len());
    let lists = used.iter().filter_map(|&s| slots.get(s)).map(|s| &*s.bytes);
    put_list(lists, LIST_ENDS, LISTS, out, &mut column);
    let (entries, words) = pages.iter().fold((0, 0), |sum, page| (sum.0 + page.who.len(), sum.1 + page.pool.len()));
    let what_wide = used.len() > 1 << 16;
    let width = |wide| if wide { 4 } else { 2 };
    out.reserve(entries * (8 + width(who_wide) + width(what_wide)) + 8 * words + 32);
    // What is written is let go at once.
    let mut each = |at, put: &dyn Fn(&mut Page, &mut Vec<u8>)| {
        column(at, 0, out, &mut |out| pages.iter_mut().for_each(|page| put(page, out)));
    };
    each(WHEN, &|page, out| put_words(&std::mem::take(&mut page.when), out));
    each(WHO, &|page, out| put_numbers(&std::mem::take(&mut page.who), who_wide, out));
    each(WHAT, &|page, out| put_numbers(&std::mem::take(&mut page.what), what_wide, out));
    each(POOL, &|page, out| put_words(&std::mem::take(&mut page.pool), out));
    let words = [VERSION].into_iter().chain(lengths.into_iter().map(|l| l as u64));
    for (place, word) in out.get_mut(head..).unwrap_or_default().chunks_exact_mut(8).zip(words) {
        place.copy_from_slice(&word.to_le_bytes());
    }
}

type Column<'a> = dyn FnMut(usize, usize, &mut Vec<u8>, &mut dyn FnMut(&mut Vec<u8>)) + 'a;

fn put_list<'a>(
    all: impl Iterator<Item = &'a [u8]> + Clone,
    ends: usize,
    bytes: usize,
    out: &mut Vec<u8>,
    column: &mut Column<'_>,
) {
    let mut end = 0u32;
    column(ends, 0, out, &mut |out| {
        for item in all.clone() {
            end += item.len() as u32;
            out.extend_from_slice(&end.to_le_bytes());
        }
    });
    column(bytes, end as usize, out, &mut |out| all.clone().for_each(|item| out.extend_from_slice(item)));
}

fn put_keys(keys: &[Key], out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + 16 * keys.len(), 0);
    let places = out.get_mut(start..).unwrap_or_default().as_chunks_mut::<16>().0;
    places.iter_mut().zip(keys).for_each(|(place, key)| *place = key.to_le_bytes());
}

fn put_words(words: &[i64], out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + 8 * words.len(), 0);
    let places = out.get_mut(start..).unwrap_or_default().as_chunks_mut::<8>().0;
    places.iter_mut().zip(words).for_each(|(place, word)| *place = word.to_le_bytes());
}

fn put_numbers(numbers: &[u32], wide: bool, out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + numbers.len() * if wide { 4 } else { 2 }, 0);
    let places = out.get_mut(start..).unwrap_or_default();
    if wide {
        places.as_chunks_mut::<4>().0.iter_mut().zip(numbers).for_each(|(place, n)| *place = n.to_le_bytes());
    } else {
        let places = places.as_chunks_mut::<2>().0;
        places.iter_mut().zip(numbers).for_each(|(place, n)| *place = (*n as u16).to_le_bytes());
    }
}

/// Numbers that are used, and the others' new ones in place.
fn renumber(pages: &mut [Page], all: usize) -> Vec<u32> {
    let (mut new, mut used) = (vec![u32::MAX; all], Vec::new());
    for old in pages.iter_mut().flat_map(|page| &mut page.what) {
        let Some(new) = new.get_mut(*old as usize) else { continue };
        if *new == u32::MAX {
            *new = used.len() as u32;
            used.push(*old);
        }
        *old = *new;
    }
    used
}

/// The same for the texts among the measures.
fn renumber_texts(pages: &mut [Page], slots: &Slots, texts: &Texts) -> Vec<i64> {
    let (mut new, mut used) = (vec![-1i64; texts.count()], Vec::new());
    for page in pages {
        let mut rest = page.pool.as_mut_slice();
        for slot in page.what.iter().filter_map(|&s| slots.get(s)) {
            let Some((words, others)) = rest.split_at_mut_checked(slot.width()) else { break };
            rest = others;
            slot.renumber(slots.shape.ints, words, |word| {
                let Some(new) = usize::try_from(word).ok().and_then(|w| new.get_mut(w)) else { return word };
                if *new < 0 {
                    *new = used.len() as i64;
                    used.push(word);
                }
                *new
            });
        }
    }
    used
}

/// A segment that was read, its bytes still where they came from.
#[derive(Debug, Clone)]
pub struct Segment {
    bytes: Buffer,
    /// Where each column begins, and how long it is.
    columns: [(usize, usize); COLUMNS],
}

impl Segment {
    /// All segments that stand in the bytes.
    pub fn all(bytes: &Buffer, found: &mut Vec<Segment>) -> Result<()> {
        let mut at = 0;
        while at < bytes.len() {
            let segment = Segment::read(bytes.slice(at)).ok_or_else(broken)?;
            at += segment.end();
            found.push(segment);
        }
        Ok(())
    }

    fn read(bytes: Buffer) -> Option<Segment> {
        let mut head = bytes.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word));
        if head.next()? != VERSION {
            return None;
        }
        let mut columns = [(0, 0); COLUMNS];
        let mut at = 8 * (1 + COLUMNS);
        for column in &mut columns {
            let length = usize::try_from(head.next()?).ok()?;
            *column = (at, length);
            at = at.checked_add(length)?.checked_next_multiple_of(8)?;
        }
        (at <= bytes.len()).then_some(Segment { bytes, columns })
    }

    fn end(&self) -> usize {
        self.columns.last().map_or(0, |(at, length)| (at + length).next_multiple_of(8))
    }

    fn column(&self, at: usize) -> &[u8] {
        let (start, length) = self.columns.get(at).copied().unwrap_or_default();
        self.bytes.get(start..start + length).unwrap_or_default()
    }

    fn words(&self, at: usize) -> impl ExactSizeIterator<Item = i64> + '_ {
        self.column(at).as_chunks::<8>().0.iter().map(|word| i64::from_le_bytes(*word))
    }

    /// How many customers there are.
    pub fn customers(&self) -> usize {
        self.column(KEYS).len() / 16
    }

    /// Their ids, in the order of their numbers.
    pub fn ids(&self) -> impl Iterator<Item = (Key, &[u8])> + '_ {
        let mut tails = self.column(TAILS);
        self.column(KEYS).as_chunks::<16>().0.iter().map(move |key| {
            let key = Key::from_le_bytes(*key);
            let (tail, rest) = tails.split_at_checked(tail_len(key)).unwrap_or_default();
            tails = rest;
            (key, tail)
        })
    }

    /// What is known of customers beside their entries: number, first trace, flags.
    pub fn traces(&self) -> impl Iterator<Item = (u32, i64, u8)> + '_ {
        let all = self.words(FIRST).zip(self.column(FLAGS)).zip(0u32..);
        all.map(|((first, &flags), number)| (number, first, flags))
            .filter(|(_, first, flags)| (*first, *flags) != (NEVER, 0))
    }

    /// The lists of patterns.
    pub fn lists(&self) -> impl Iterator<Item = &[u8]> + '_ {
        self.list(LIST_ENDS, LISTS)
    }

    /// The texts.
    pub fn texts(&self) -> impl Iterator<Item = Option<&str>> + '_ {
        self.list(TEXT_ENDS, TEXTS).map(|text| std::str::from_utf8(text).ok())
    }

    fn list(&self, ends: usize, bytes: usize) -> impl Iterator<Item = &[u8]> + '_ {
        let (mut start, bytes) = (0, self.column(bytes));
        self.column(ends).as_chunks::<4>().0.iter().map(move |end| {
            let end = u32::from_le_bytes(*end) as usize;
            let item = bytes.get(start..end).unwrap_or_default();
            start = end;
            item
        })
    }

    /// How many entries there are.
    pub fn entries(&self) -> usize {
        self.column(WHEN).len() / 8
    }

    /// Their times.
    pub fn when(&self) -> impl ExactSizeIterator<Item = i64> + '_ {
        self.words(WHEN)
    }

    /// Some of them, in order: time, customer's number and list's number.
    pub fn part(&self, from: usize, count: usize) -> impl Iterator<Item = (i64, u32, u32)> + '_ {
        let (who, what) = (self.who(), self.what());
        let all = from..from.saturating_add(count).min(self.entries());
        let times = self.column(WHEN).as_chunks::<8>().0.get(all.clone()).unwrap_or_default();
        let times = times.iter().map(|time| i64::from_le_bytes(*time));
        all.zip(times).map(move |(at, time)| (time, who.at(at), what.at(at)))
    }

    /// Their customers' numbers.
    pub fn who(&self) -> Numbers<'_> {
        self.numbers(WHO)
    }

    /// Their lists' numbers.
    pub fn what(&self) -> Numbers<'_> {
        self.numbers(WHAT)
    }

    /// Their measures, one entry behind the other: words, lowest byte first.
    pub fn pool(&self) -> &[[u8; 8]] {
        self.column(POOL).as_chunks().0
    }

    fn numbers(&self, at: usize) -> Numbers<'_> {
        let bytes = self.column(at);
        match bytes.len() / self.entries().max(1) {
            2 => Numbers::Narrow(bytes.as_chunks::<2>().0),
            _ => Numbers::Wide(bytes.as_chunks::<4>().0),
        }
    }
}

/// Numbers of two or four bytes.
#[derive(Debug, Clone, Copy)]
pub enum Numbers<'a> {
    Narrow(&'a [[u8; 2]]),
    Wide(&'a [[u8; 4]]),
}

impl Numbers<'_> {
    /// One of them; no number at all where there are fewer.
    #[inline]
    pub fn at(&self, at: usize) -> u32 {
        match self {
            Numbers::Narrow(all) => all.get(at).map_or(u32::MAX, |n| u32::from(u16::from_le_bytes(*n))),
            Numbers::Wide(all) => all.get(at).map_or(u32::MAX, |n| u32::from_le_bytes(*n)),
        }
    }
}

/// Calls a function with the iterator over numbers, whichever width they have.
macro_rules! with_numbers {
    ($numbers:expr, |$all:ident| $body:expr) => {
        match $numbers {
            Numbers::Narrow(all) => {
                let $all = all.iter().map(|n| u32::from(u16::from_le_bytes(*n)));
                $body
            }
            Numbers::Wide(all) => {
                let $all = all.iter().map(|n| u32::from_le_bytes(*n));
                $body
            }
        }
    };
}

pub(super) use with_numbers;

#[cfg(test)]
mod tests {
    use super::super::ids::{hash_of, tail_of, text_key};
    use super::super::log::{EVENT, PROFILE, Row};
    use super::*;
    use crate::engine::plan::program::{Agg, Program, Rows, Term};

    /// Pattern 0 counts, pattern 1 knows the distinct texts of a column.
    fn program() -> Program {
        let term = |pattern, agg| Term { pattern, lo: 0, hi: 100, agg };
        let terms = vec![term(0, Agg::Count), term(1, Agg::Distinct(1))];
        Program { patterns: 2, int_channels: 1, text_channels: 1, terms, ..Program::default() }
    }

    #[test]
    fn what_is_put_is_read() {
        let (mut slots, mut texts) = (Slots::new(&program()), Texts::default());
        let (event, profile) = (Rows::Event as u8, Rows::Profile as u8);
        let lists: [&[u8]; 4] = [&[event], &[event, 0], &[event, 0, 1], &[profile, 0]];
        let numbers: Vec<u32> = lists.iter().map(|list| slots.number(list).unwrap()).collect();
        texts.number("unused");
        let word = texts.number("worn");
        let mut log = Log::default();
        let rows = [("a", 0, 7), ("a customer with a tail", 1, 8), ("a", 2, 9), ("b", 3, 3), ("a", 1, 5)];
        for (id, slot, time) in rows {
            let (key, tail) = (text_key(id.as_bytes()), tail_of(id.as_bytes()));
            let hash = hash_of(key, tail, false, &mut Vec::new()) as u32;
            log.push(Row { key, time, slot: numbers[slot], hash }, tail);
            if slot == 2 {
                log.measure_words(&[1, word]);
            }
        }
        log.flush(&slots).unwrap();
        let mut bytes = Vec::new();
        put(log, &slots, &texts, &mut bytes);
        put(Log::default(), &slots, &texts, &mut bytes);
        let one = bytes.len();
        bytes.extend_from_within(..);
        let mut segments = Vec::new();
        Segment::all(&Buffer::from_vec(bytes.clone()), &mut segments).unwrap();
        assert_eq!(segments.len(), 2);
        for segment in segments {
            let ids = segment.ids().map(|(key, tail)| {
                let mut text = Vec::new();
                super::super::ids::put_text(key, tail, &mut text);
                String::from_utf8(text).unwrap()
            });
            assert_eq!(ids.collect::<Vec<_>>(), ["a", "a customer with a tail", "b"]);
            assert_eq!(segment.traces().collect::<Vec<_>>(), [(0, 7, EVENT), (2, 3, PROFILE)]);
            assert_eq!(segment.lists().collect::<Vec<_>>(), [lists[1], lists[2], lists[3]]);
            assert_eq!(segment.texts().collect::<Vec<_>>(), [Some("worn")]);
            assert_eq!(segment.when().collect::<Vec<_>>(), [8, 9, super::super::log::TIMELESS, 5]);
            assert_eq!(with_numbers!(segment.who(), |who| who.collect::<Vec<_>>()), [1, 0, 2, 0]);
            assert_eq!(with_numbers!(segment.what(), |what| what.collect::<Vec<_>>()), [0, 1, 2, 0]);
            assert_eq!(segment.pool(), [1i64.to_le_bytes(), [0; 8]]);
        }
        let cut = |n: usize| Segment::all(&Buffer::from_vec(bytes[..n].to_vec()), &mut Vec::new());
        assert!((1..bytes.len()).filter(|n| *n != one).all(|n| cut(n).is_err()));
    }
}
