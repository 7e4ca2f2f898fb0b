//! Kept states joined into one, and cut: of the files whose entries they hold some may go, and of the customers.
//!
//! Owns: the runs of a state, which say whose entries are where. Promises: entries stay in the order of their runs; what goes leaves
//! no trace. Must not know: where states are kept.

use arrow::buffer::Buffer;
use datafusion::common::Result;

use super::ids::{Wanted, hash_of};
use super::interned::{Slots, Texts, broken};
use super::log::{EVENT, Log};
use super::segment::{self, Numbers, Segment, with_numbers};
use crate::engine::plan::program::Program;

/// The entries of a state that belong together, in the order of the state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Whatever the caller tells runs apart by.
    pub number: u32,
    pub entries: usize,
    /// Customers with rows that are no entries: number in the state, and the first time of those rows.
    pub traces: Vec<(u32, i64)>,
}

/// A state with its runs.
#[derive(Debug, Default)]
pub struct Joined {
    pub state: Vec<u8>,
    pub runs: Vec<Run>,
}

/// Joins states of one program.
#[derive(Debug)]
pub struct Joiner {
    slots: Slots,
    /// Ids are whole numbers.
    numbers: bool,
}

/// A state on its way into another.
#[derive(Debug)]
pub struct Piece {
    segment: Segment,
    runs: Vec<Run>,
}

impl Piece {
    /// A state whose runs are told.
    pub fn new(state: Buffer, runs: Vec<Run>) -> Result<Option<Piece>> {
        let mut segments = Vec::new();
        Segment::all(&state, &mut segments)?;
        match segments.pop() {
            None => Ok(None),
            Some(segment) if segments.is_empty() => Ok(Some(Piece { segment, runs })),
            Some(_) => Err(broken()),
        }
    }

    /// A state all of which is one run of events.
    pub fn whole(state: &Buffer, number: u32) -> Result<Vec<Piece>> {
        let mut segments = Vec::new();
        Segment::all(state, &mut segments)?;
        let piece = |segment: Segment| {
            let traces = segment.traces().map(|(number, first, _)| (number, first)).collect();
            let run = Run { number, entries: segment.entries(), traces };
            Piece { segment, runs: vec![run] }
        };
        Ok(segments.into_iter().map(piece).collect())
    }

    /// The state, and where whose entries are.
    pub fn parts(&self) -> (&Segment, &[Run]) {
        (&self.segment, &self.runs)
    }
}

impl Joiner {
    pub fn new(program: &Program, numbers: bool) -> Joiner {
        Joiner { slots: Slots::new(program), numbers }
    }

    /// One state of all; `keep` gives each run of a piece its new number, or none; `who` says which customers stay, by hash.
    pub fn join(
        &mut self,
        pieces: &[Piece],
        keep: impl Fn(usize, u32) -> Option<u32>,
        who: impl Fn(u64) -> bool,
    ) -> Result<Joined> {
        let (mut log, mut texts) = (Log::default(), Texts::default());
        let mut runs = Vec::new();
        let mut scratch = Vec::new();
        for (p, piece) in pieces.iter().enumerate() {
            let kept: Vec<Option<u32>> = piece.runs.iter().map(|run| keep(p, run.number)).collect();
            let asked = used(piece, &kept);
            let mut places = Vec::with_capacity(asked.len());
            for ((key, tail), asked) in piece.segment.ids().zip(asked) {
                let hash = if asked { hash_of(key, tail, self.numbers, &mut scratch) } else { 0 };
                places.push((asked && who(hash)).then(|| {
                    let hash = hash as u32;
                    log.ids.number(log.ids.guess(hash), Wanted { key, tail, hash })
                }));
            }
            let lists: Vec<u32> = piece.segment.lists().map(|list| self.slots.number(list)).collect::<Result<_>>()?;
            let words: Vec<i64> = piece
                .segment
                .texts()
                .map(|text| text.map(|text| texts.number(text)).ok_or_else(broken))
                .collect::<Result<_>>()?;
            let from = From { places, lists, words };
            with_numbers!(piece.segment.who(), |who| with_numbers!(piece.segment.what(), |what| {
                let entries = who.zip(what).zip(piece.segment.when()).map(|((who, what), when)| (who, what, when));
                self.take(entries, piece, &kept, &from, &mut log, &mut runs)?;
            }));
        }
        log.traces.resize(log.ids.len());
        for (number, first) in runs.iter().flat_map(|run: &Run| &run.traces) {
            log.traces.add(*number, *first, EVENT);
        }
        let mut state = Vec::new();
        segment::put(log, &self.slots, &texts, &mut state);
        Ok(Joined { state, runs })
    }

    fn take(
        &self,
        mut entries: impl Iterator<Item = (u32, u32, i64)>,
        piece: &Piece,
        kept: &[Option<u32>],
        from: &From,
        log: &mut Log,
        runs: &mut Vec<Run>,
    ) -> Result<()> {
        let mut pool = piece.segment.pool();
        let measured = !pool.is_empty();
        for (run, kept) in piece.runs.iter().zip(kept) {
            let mut taken = 0;
            for _ in 0..run.entries {
                let (who, what, when) = entries.next().ok_or_else(broken)?;
                let number = from.lists.get(what as usize).copied().ok_or_else(broken)?;
                let place = if kept.is_some() { from.places.get(who as usize).copied().flatten() } else { None };
                let width = if measured { self.slots.get(number).ok_or_else(broken)?.width() } else { 0 };
                let (measures, rest) = pool.split_at_checked(width).ok_or_else(broken)?;
                pool = rest;
                let Some(place) = place else { continue };
                taken += 1;
                let page = log.page();
                page.who.push(place);
                page.what.push(number);
                page.when.push(when);
                if width > 0 {
                    let at = page.pool.len();
                    page.pool.extend(measures.iter().map(|word| i64::from_le_bytes(*word)));
                    let slot = self.slots.get(number).ok_or_else(broken)?;
                    if let Some(words) = page.pool.get_mut(at..) {
                        let mut known = true;
                        slot.renumber(self.slots.shape.ints, words, |word| {
                            let text = usize::try_from(word).ok().and_then(|w| from.words.get(w)).copied();
                            known &= text.is_some();
                            text.unwrap_or(-1)
                        });
                        if !known {
                            return Err(broken());
                        }
                    }
                }
            }
            let Some(number) = *kept else { continue };
            let place = |who: u32| from.places.get(who as usize).copied().flatten();
            let traces = run.traces.iter().filter_map(|(who, first)| Some((place(*who)?, *first))).collect();
            runs.push(Run { number, entries: taken, traces });
        }
        Ok(())
    }
}

/// How a piece's numbers translate; customers that go have none.
struct From {
    places: Vec<Option<u32>>,
    lists: Vec<u32>,
    words: Vec<i64>,
}

/// Which customers the runs that are kept speak of.
fn used(piece: &Piece, kept: &[Option<u32>]) -> Vec<bool> {
    let mut used = vec![false; piece.segment.customers()];
    let mut mark = |who: u32| {
        if let Some(used) = used.get_mut(who as usize) {
            *used = true;
        }
    };
    with_numbers!(piece.segment.who(), |who| {
        let mut who = who;
        for (run, kept) in piece.runs.iter().zip(kept) {
            let some = who.by_ref().take(run.entries);
            if kept.is_some() {
                some.for_each(&mut mark);
                run.traces.iter().for_each(|(who, _)| mark(*who));
            } else {
                some.for_each(drop);
            }
        }
    });
    used
}
