//! Who is touched: the customers of a state with entries that are looked for.
//!
//! Owns: intervals of time by pattern, and the search. Promises: whoever has an entry in an interval of one of its patterns is found;
//! what lies in no interval costs nothing. Must not know: why somebody is looked for.

use datafusion::common::Result;

use super::ids::{Ids, Wanted, hash_of};
use super::interned::{Slots, broken};
use super::join::Piece;
use super::segment::Segment;
use crate::engine::plan::program::Rows;

/// Intervals `[lo, hi)` of time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spans(Vec<(i64, i64)>);

impl Spans {
    /// Adds an interval; one that ends before it begins is none.
    pub fn add(&mut self, (lo, hi): (i64, i64)) {
        if lo < hi {
            self.0.push((lo, hi));
            self.0.sort_unstable();
            let mut joined: Vec<(i64, i64)> = Vec::with_capacity(self.0.len());
            for &(lo, hi) in &self.0 {
                match joined.last_mut() {
                    Some((_, end)) if lo <= *end => *end = hi.max(*end),
                    _ => joined.push((lo, hi)),
                }
            }
            self.0 = joined;
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The intervals that meet the times from `first` to `last`.
    fn meeting(&self, (first, last): (i64, i64)) -> impl Iterator<Item = (i64, i64)> + '_ {
        self.0.iter().copied().filter(move |(lo, hi)| *lo <= last && first < *hi)
    }

    pub fn hold(&self, time: i64) -> bool {
        within(&self.0, time)
    }
}

#[inline]
fn within(spans: &[(i64, i64)], time: i64) -> bool {
    spans.iter().any(|(lo, hi)| *lo <= time && time < *hi)
}

/// What is looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bands {
    pub by_pattern: Vec<Spans>,
    /// For all events, whichever patterns they have, and those without any.
    pub events: Spans,
}

impl Bands {
    /// Whether anything between two times may be looked for.
    pub fn meet(&self, times: (i64, i64)) -> bool {
        self.by_pattern.iter().chain([&self.events]).any(|spans| spans.meeting(times).next().is_some())
    }
}

/// How the entries of a run are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    No,
    /// All of them are looked for.
    All,
    /// Those in bands; all have times from the first to the last.
    Within(i64, i64),
}

/// Enters the customers of a state who are looked for; `look` is asked for each run.
pub fn touched(
    piece: &Piece,
    look: impl Fn(u32) -> Look,
    bands: &Bands,
    slots: &mut Slots,
    numbers: bool,
    found: &mut Ids,
) -> Result<()> {
    let (segment, runs) = piece.parts();
    let lists: Vec<u32> = segment.lists().map(|list| slots.number(list)).collect::<Result<_>>()?;
    let mut hit = vec![false; segment.customers()];
    let mut from = 0;
    for run in runs {
        match look(run.number) {
            Look::No => {}
            Look::All => {
                segment.part(from, run.entries).for_each(|(_, who, _)| mark(&mut hit, who));
                run.traces.iter().for_each(|(who, _)| mark(&mut hit, *who));
            }
            Look::Within(first, last) => {
                banded(segment, (from, run.entries), (first, last), (bands, slots, &lists), &mut hit);
                let traces = run.traces.iter().filter(|(_, time)| bands.events.hold(*time));
                traces.for_each(|(who, _)| mark(&mut hit, *who));
            }
        }
        from = from.checked_add(run.entries).ok_or_else(broken)?;
    }
    let mut scratch = Vec::new();
    for ((key, tail), _) in segment.ids().zip(hit).filter(|(_, hit)| *hit) {
        let hash = hash_of(key, tail, numbers, &mut scratch) as u32;
        found.number(found.guess(hash), Wanted { key, tail, hash });
    }
    Ok(())
}

#[inline]
fn mark(hit: &mut [bool], who: u32) {
    if let Some(hit) = hit.get_mut(who as usize) {
        *hit = true;
    }
}

/// Marks the customers of those entries of a run that are in bands.
fn banded(
    segment: &Segment,
    (from, count): (usize, usize),
    times: (i64, i64),
    (bands, slots, lists): (&Bands, &Slots, &[u32]),
    hit: &mut [bool],
) {
    // By list of patterns which of all spans are its own.
    let mut spans: Vec<(i64, i64)> = Vec::new();
    let own: Vec<(usize, usize)> = lists
        .iter()
        .map(|&list| {
            let start = spans.len();
            if let Some(slot) = slots.get(list) {
                let patterns = slot.patterns.iter().filter_map(|&p| bands.by_pattern.get(p as usize));
                let events = (slot.rows == Rows::Event as u8).then_some(&bands.events);
                spans.extend(patterns.chain(events).flat_map(|of| of.meeting(times)));
            }
            (start, spans.len())
        })
        .collect();
    if spans.is_empty() {
        return;
    }
    for (time, who, what) in segment.part(from, count) {
        let (start, end) = own.get(what as usize).copied().unwrap_or_default();
        if start < end && within(spans.get(start..end).unwrap_or_default(), time) {
            mark(hit, who);
        }
    }
}
