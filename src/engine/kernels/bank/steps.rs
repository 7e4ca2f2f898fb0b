//! The steps: what an entry does to the bank.
//!
//! Owns: working that out. Between two edges of the windows that a slot's terms have, all entries of the slot do the same: that is
//! worked out once a slot and stretch. Promises: the steps that are kept are bounded, whatever the windows; where they are is found by
//! four bytes a slot and edge. Must not know: customers.

use super::super::interned::Slot;
use super::{Bank, Chain, Place, Turn};
use crate::engine::plan::program::{Agg, Period, Program, Rows, Term};
use crate::language::calendar::Zone;

/// So many steps are kept; beyond them all are worked out again.
const MANY: usize = 1 << 18;

/// What entries of each slot do to the bank.
#[derive(Debug, Default)]
pub struct Steps {
    slots: Vec<SlotSteps>,
    /// The edges of the windows of all terms, ascending.
    edges: Vec<i64>,
    /// For each slot by number of edges before a time the stretch that the time is in.
    places: Vec<u32>,
    /// For each slot one more than its own terms have edges.
    stretches: Vec<Stretch>,
    /// Where the columns begin in which an entry is counted.
    counts: Vec<usize>,
    times: Vec<TimeStep>,
    sums: Vec<SumStep>,
    others: Vec<OtherStep>,
}

/// What is known of a slot.
#[derive(Debug, Clone, Copy)]
pub(super) struct SlotSteps {
    /// Where its places begin.
    places: usize,
    pub width: u32,
    pub event: bool,
}

/// Times between two neighbouring edges of all; entries of a customer or of a file often come in the order of time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Between {
    from: i64,
    to: i64,
    /// How many edges there are before.
    edges: usize,
}

impl Between {
    /// No time is in it.
    pub const NOTHING: Between = Between { from: i64::MAX, to: i64::MIN, edges: 0 };
}

/// Where the steps are of entries between two edges; the beginnings and ends in the four lists.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Stretch {
    known: bool,
    counts: (u32, u32),
    times: (u32, u32),
    sums: (u32, u32),
    others: (u32, u32),
}

/// The time may be the first or the last.
#[derive(Debug, Clone, Copy)]
pub(super) struct TimeStep {
    pub column: usize,
    pub turn: Turn,
}

/// A measure is added.
#[derive(Debug, Clone, Copy)]
pub(super) struct SumStep {
    pub column: usize,
    pub measure: Measure,
}

/// Whatever else an entry does, with a measure or with its time.
#[derive(Debug, Clone, Copy)]
pub(super) struct OtherStep {
    pub does: Other,
    pub measure: Option<Measure>,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Other {
    Count(usize),
    Best { column: usize, turn: Turn, float: bool },
    Set(usize, Option<Period>),
    Float(usize),
}

/// Where a measure is among an entry's words.
#[derive(Debug, Clone, Copy)]
pub(super) struct Measure {
    mask: usize,
    bit: u32,
    word: usize,
}

impl Measure {
    #[inline]
    pub fn read(self, words: &[i64]) -> Option<i64> {
        let there = words.get(self.mask)? >> self.bit & 1 == 1;
        words.get(self.word).copied().filter(|_| there)
    }
}

impl Stretch {
    /// Whether entries do anything for which their measures are asked, or more than is counted.
    #[inline]
    pub fn is_measured(&self) -> bool {
        self.sums.0 < self.sums.1 || self.others.0 < self.others.1
    }
}

/// The terms, as a bank is asked to fill them.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    pub program: &'a Program,
    /// The terms of each pattern.
    pub by_pattern: &'a [Vec<u32>],
    pub slots: &'a [Slot],
    pub zone: &'a Zone,
}

impl<'a> Asked<'a> {
    /// The terms of a slot and their numbers.
    fn terms_of(self, slot: &'a Slot) -> impl Iterator<Item = (u32, &'a Term)> {
        let all = slot.patterns.iter().filter_map(move |&p| self.by_pattern.get(p as usize)).flatten();
        all.filter_map(move |&t| Some((t, self.program.terms.get(t as usize)?)))
    }
}

/// Where windows begin and end, ascending.
fn edges<'a>(terms: impl Iterator<Item = &'a Term>) -> Vec<i64> {
    let mut edges: Vec<i64> = terms.flat_map(|term| [term.lo, term.hi]).collect();
    edges.sort_unstable();
    edges.dedup();
    edges
}

fn part<T>(all: &[T], (from, to): (u32, u32)) -> &[T] {
    all.get(from as usize..to as usize).unwrap_or_default()
}

impl Steps {
    /// Takes in the slots from the last known one on.
    pub(super) fn learn(&mut self, asked: Asked<'_>) {
        if self.edges.is_empty() {
            self.edges = edges(asked.program.terms.iter());
        }
        for slot in asked.slots.iter().skip(self.slots.len()) {
            self.slots.push(SlotSteps {
                places: self.places.len(),
                width: slot.width() as u32,
                event: slot.rows == Rows::Event as u8,
            });
            let own = edges(asked.terms_of(slot).map(|(_, term)| term));
            let (first, mut before) = (self.stretches.len() as u32, 0);
            self.places.push(first);
            for edge in &self.edges {
                before += u32::from(own.get(before as usize) == Some(edge));
                self.places.push(first + before);
            }
            self.stretches.resize(self.stretches.len() + own.len() + 1, Stretch::default());
        }
    }

    #[inline]
    pub(super) fn slot(&self, slot: u32) -> Option<SlotSteps> {
        self.slots.get(slot as usize).copied()
    }

    /// The number of the stretch in which a time is.
    #[inline]
    pub(super) fn stretch(&self, slot: SlotSteps, time: i64, last: &mut Between) -> usize {
        if time < last.from || last.to <= time {
            *last = self.between(time);
        }
        self.places.get(slot.places + last.edges).map_or(usize::MAX, |&place| place as usize)
    }

    #[inline(never)]
    fn between(&self, time: i64) -> Between {
        let edges = self.edges.partition_point(|edge| *edge <= time);
        let from = edges.checked_sub(1).and_then(|before| self.edges.get(before));
        let to = self.edges.get(edges);
        // The last instant of all is behind every stretch: it is looked for each time.
        Between { from: from.copied().unwrap_or(i64::MIN), to: to.copied().unwrap_or(i64::MAX), edges }
    }

    /// What is known of a stretch.
    #[inline]
    pub(super) fn known(&self, stretch: usize) -> Option<&Stretch> {
        self.stretches.get(stretch).filter(|stretch| stretch.known)
    }

    #[inline]
    pub(super) fn counts(&self, stretch: &Stretch) -> &[usize] {
        part(&self.counts, stretch.counts)
    }

    #[inline]
    pub(super) fn times(&self, stretch: &Stretch) -> &[TimeStep] {
        part(&self.times, stretch.times)
    }

    #[inline]
    pub(super) fn sums(&self, stretch: &Stretch) -> &[SumStep] {
        part(&self.sums, stretch.sums)
    }

    #[inline]
    pub(super) fn others(&self, stretch: &Stretch) -> &[OtherStep] {
        part(&self.others, stretch.others)
    }

    fn ends(&self) -> [u32; 4] {
        [self.counts.len(), self.times.len(), self.sums.len(), self.others.len()].map(|n| n as u32)
    }

    fn forget(&mut self) {
        self.counts.clear();
        self.times.clear();
        self.sums.clear();
        self.others.clear();
        self.stretches.fill(Stretch::default());
    }
}

impl Bank {
    /// What entries of a slot do about that time.
    #[cold]
    pub(super) fn work_out(&self, stretch: usize, slot: u32, time: i64, asked: Asked<'_>, steps: &mut Steps) {
        if steps.ends().iter().sum::<u32>() as usize > MANY {
            steps.forget();
        }
        let from = steps.ends();
        if let Some(slot) = asked.slots.get(slot as usize) {
            let chains = slot.patterns.iter().filter_map(|&p| self.by_pattern.get(p as usize)).flatten();
            steps.counts.extend(chains.filter_map(|&chain| self.chains.get(chain as usize)?.column(time, self.size)));
            for (number, term) in asked.terms_of(slot).filter(|(_, term)| term.lo <= time && time < term.hi) {
                let measure = match term.agg.channel() {
                    None => None,
                    Some(channel) => match slot.measures.binary_search(&channel) {
                        Ok(at) => Some(Measure { mask: at / 64, bit: at as u32 % 64, word: slot.masks() + at }),
                        // No entry of the slot has it.
                        Err(_) => continue,
                    },
                };
                let does = match (self.place(number), measure) {
                    (Some(Place::Best(column, turn)), None) => {
                        steps.times.push(TimeStep { column, turn });
                        continue;
                    }
                    (Some(Place::Sum(column)), Some(measure)) => {
                        steps.sums.push(SumStep { column, measure });
                        continue;
                    }
                    (Some(Place::Best(column, turn)), Some(_)) => {
                        let float = matches!(term.agg, Agg::MinFloat(_) | Agg::MaxFloat(_));
                        Other::Best { column, turn, float }
                    }
                    (Some(Place::Count(column)), Some(_)) => Other::Count(column),
                    (Some(Place::Set(at, _)), _) => {
                        Other::Set(at, if let Agg::Periods(unit) = term.agg { Some(unit) } else { None })
                    }
                    (Some(Place::Float(at)), _) => Other::Float(at),
                    // Counted by a chain.
                    (Some(Place::Count(_)), None) => continue,
                    (Some(Place::Sum(_)), None) | (None, _) => continue,
                };
                steps.others.push(OtherStep { does, measure });
            }
        }
        let to = steps.ends();
        let between = |list: usize| (from.get(list).copied().unwrap_or(0), to.get(list).copied().unwrap_or(0));
        if let Some(place) = steps.stretches.get_mut(stretch) {
            *place =
                Stretch { known: true, counts: between(0), times: between(1), sums: between(2), others: between(3) };
        }
    }
}

impl Chain {
    /// Where the column begins in which an entry of that time is counted.
    fn column(&self, time: i64, size: usize) -> Option<usize> {
        let window = self.los.iter().position(|lo| *lo <= time)?;
        (time < self.hi).then_some(self.column + window * size)
    }
}
