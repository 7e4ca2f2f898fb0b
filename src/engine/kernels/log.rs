//! The log: what the customers of a bucket did, as compactly as it can be held.
//!
//! Owns: rows on their way into a bucket and the entries in it. Promises: the order of rows never matters to whoever reads the log.
//! Must not know: what the entries mean.
//!
//! Rows are first dealt to the bucket's pending rows. When those are many, their customers are looked up together, so that the
//! processor waits for many places of a table that fits no cache at once; then they become entries, column by column.

use arrow::buffer::Buffer;
use datafusion::common::Result;
use datafusion::error::DataFusionError;

use super::ids::{Ids, Key, Wanted, tail_len};
use super::input::Input;
use super::interned::{Slot, Slots, Texts};
use crate::engine::plan::program::Rows;

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

/// No first trace, no time.
pub const NEVER: i64 = i64::MAX;

/// So many rows are looked up together.
const FULL: usize = 1_024;

/// At most so many entries are in a page, some times [`FULL`]; a log begins with smaller ones.
const PAGE: usize = 8 * FULL;

/// A row on its way.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    pub key: Key,
    pub time: i64,
    pub slot: u32,
    /// The lower half of the id's hash.
    pub hash: u32,
}

/// Rows that wait to be looked up.
#[derive(Debug, Default)]
struct Pending {
    rows: Vec<Row>,
    /// What the keys leave out, one tail behind the other.
    tails: Vec<u8>,
    /// The measures, one row behind the other.
    pool: Vec<i64>,
    /// The customers' numbers, when they are looked up.
    who: Vec<u32>,
    /// Whether the key of the guessed number is the row's.
    same: Vec<bool>,
}

/// Some entries: the customer's number, the list of patterns, the time, and the measures, one entry behind the other. A log keeps
/// its entries page by page, so that nothing moves and little is left empty while it grows.
#[derive(Debug, Default)]
pub struct Page {
    pub who: Vec<u32>,
    pub what: Vec<u32>,
    pub when: Vec<i64>,
    pub pool: Vec<i64>,
}

impl Page {
    /// A page with room for some entries.
    fn of(room: usize) -> Page {
        let (who, what, when) = (Vec::with_capacity(room), Vec::with_capacity(room), Vec::with_capacity(room));
        Page { who, what, when, pool: Vec::new() }
    }

    fn size(&self) -> usize {
        4 * (self.who.capacity() + self.what.capacity()) + 8 * (self.when.capacity() + self.pool.capacity())
    }
}

/// What is kept of rows that are no entries, by customer.
#[derive(Debug, Default)]
pub struct Traces {
    /// First trace; [`NEVER`] is none.
    pub first: Vec<i64>,
    pub flags: Vec<u8>,
}

impl Traces {
    pub fn resize(&mut self, customers: usize) {
        self.first.resize(customers, NEVER);
        self.flags.resize(customers, 0);
    }

    /// Adds what else is known of a customer.
    pub fn add(&mut self, number: u32, first: i64, flags: u8) {
        let number = number as usize;
        if let (Some(mine), Some(all)) = (self.flags.get_mut(number), self.first.get_mut(number)) {
            if *mine & flags & PROFILE != 0 {
                *mine |= TWICE;
            }
            *mine |= flags;
            *all = (*all).min(first);
        }
    }

    /// Adds what a row says of a customer that its entry does not.
    pub fn see(&mut self, number: u32, slot: &Slot, time: i64) {
        let event = slot.rows == Rows::Event as u8;
        if event && !slot.patterns.is_empty() {
            return;
        }
        let (flags, first) = match slot.rows {
            _ if event => (EVENT, time),
            rows if rows == Rows::Profile as u8 => (PROFILE, time),
            rows if rows == Rows::Late as u8 => (PROFILE | LATE, time),
            _ => (0, NEVER),
        };
        self.add(number, first, flags);
    }
}

/// The customers and entries of a bucket.
#[derive(Debug, Default)]
pub struct Log {
    pending: Pending,
    pub ids: Ids,
    /// Events that are entries are not among them: the entry says as much.
    pub traces: Traces,
    full: Vec<Page>,
    open: Page,
    /// States that were brought, as they came.
    pub states: Vec<Buffer>,
}

impl Log {
    /// Takes a row, with its tail in the row's batch.
    #[inline]
    pub fn push(&mut self, row: Row, tail: &[u8]) {
        self.pending.rows.push(row);
        if !tail.is_empty() {
            self.pending.tails.extend_from_slice(tail);
        }
    }

    /// Takes the measures of the row that was pushed last.
    pub fn measure(&mut self, input: &Input<'_>, row: usize, slot: &Slot, texts: &mut Texts) {
        input.measures(row, slot, texts, &mut self.pending.pool);
    }

    #[cfg(test)]
    pub fn measure_words(&mut self, words: &[i64]) {
        self.pending.pool.extend_from_slice(words);
    }

    #[inline]
    pub fn is_full(&self) -> bool {
        self.pending.rows.len() >= FULL
    }

    /// Makes entries of the pending rows.
    pub fn flush(&mut self, slots: &Slots) -> Result<()> {
        let Pending { rows, tails, pool, who, same } = &mut self.pending;
        // Each in a loop of its own, so that the processor waits for many places at once.
        who.clear();
        who.extend(rows.iter().map(|row| self.ids.guess(row.hash)));
        same.clear();
        same.extend(rows.iter().zip(who.iter()).map(|(row, guess)| self.ids.is_key(*guess, row.key)));
        let (mut last, mut tails) = (None, tails.as_slice());
        for ((row, who), same) in rows.iter().zip(who.iter_mut()).zip(same.iter()) {
            let (tail, rest) = tails.split_at_checked(tail_len(row.key)).unwrap_or_default();
            tails = rest;
            *who = match last {
                _ if *same && tail.is_empty() => *who - 1,
                Some((key, number)) if key == row.key && tail.is_empty() => number,
                _ => self.ids.number(*who, Wanted { key: row.key, tail, hash: row.hash }),
            };
            last = Some((row.key, *who));
        }
        if self.ids.tails().len() > u32::MAX as usize / 2 {
            return Err(DataFusionError::ResourcesExhausted("ids of more than two gigabytes in a bucket".into()));
        }
        self.traces.resize(self.ids.len());
        if rows.iter().all(|row| slots.is_plain(row.slot)) {
            let page = room(&mut self.full, &mut self.open, rows.len());
            page.who.extend_from_slice(who);
            page.what.extend(rows.iter().map(|row| row.slot));
            page.when.extend(rows.iter().map(|row| row.time));
            page.pool.extend_from_slice(pool);
        } else {
            self.flush_mixed(slots);
        }
        self.pending.rows.clear();
        self.pending.tails.clear();
        self.pending.pool.clear();
        Ok(())
    }

    /// The same where some rows are no entries, or more than entries.
    fn flush_mixed(&mut self, slots: &Slots) {
        let mut measures = self.pending.pool.as_slice();
        let page = room(&mut self.full, &mut self.open, self.pending.rows.len());
        for (row, &number) in self.pending.rows.iter().zip(&self.pending.who) {
            let Some(slot) = slots.get(row.slot) else { continue };
            let (words, rest) = measures.split_at_checked(slot.width()).unwrap_or_default();
            measures = rest;
            self.traces.see(number, slot, row.time);
            if slot.patterns.is_empty() {
                continue;
            }
            page.who.push(number);
            page.what.push(row.slot);
            page.when.push(if Rows::is_timed(slot.rows) { row.time } else { TIMELESS });
            page.pool.extend_from_slice(words);
        }
    }

    /// The page for one more entry.
    pub fn page(&mut self) -> &mut Page {
        room(&mut self.full, &mut self.open, 1)
    }

    /// The entries of a log that takes no more.
    pub fn pages(&mut self) -> Vec<Page> {
        let mut pages = std::mem::take(&mut self.full);
        pages.push(std::mem::take(&mut self.open));
        pages
    }

    /// Bytes in use.
    pub fn size(&self) -> usize {
        let Pending { rows, tails, pool, who, same } = &self.pending;
        let pending = size_of::<Row>() * rows.capacity()
            + tails.capacity()
            + 8 * pool.capacity()
            + 4 * who.capacity()
            + same.capacity();
        let traces = 8 * self.traces.first.capacity() + self.traces.flags.capacity();
        let entries: usize = self.full.iter().chain([&self.open]).map(Page::size).sum();
        let states: usize = self.states.iter().map(Buffer::len).sum();
        pending + self.ids.size() + traces + entries + states
    }
}

/// The open page, with room for some more entries.
fn room<'a>(full: &mut Vec<Page>, open: &'a mut Page, more: usize) -> &'a mut Page {
    let size = open.who.capacity();
    if open.who.len() + more > size {
        let mut last = std::mem::replace(open, Page::of((2 * size).min(PAGE).max(more)));
        last.pool.shrink_to_fit();
        full.push(last);
    }
    open
}
