//! The steps: what an entry does to the bank.
//!
//! Owns: working that out. Between two edges of the windows that a slot's terms have, all entries of the slot do the same: that is
//! worked out once a slot and stretch. Promises: the steps that are kept are bounded, whatever the windows. Must not know: customers.

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
    /// The edges of the windows of each slot's terms, ascending, one slot behind the other.
    edges: Vec<i64>,
    /// For each slot one more than it has edges.
    stretches: Vec<Option<Stretch>>,
    /// Where the columns begin in which an entry is counted.
    counts: Vec<usize>,
    times: Vec<TimeStep>,
    sums: Vec<SumStep>,
    others: Vec<OtherStep>,
}

/// What is known of a slot.
#[derive(Debug, Clone, Copy)]
pub(super) struct SlotSteps {
    edges: (u32, u32),
    /// The first of its stretches.
    first: u32,
    pub width: u32,
    pub event: bool,
}

/// Where the steps are of entries between two edges; the beginnings and ends in the four lists.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stretch {
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
    pub fn is_measured(self) -> bool {
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

fn part<T>(all: &[T], (from, to): (u32, u32)) -> &[T] {
    all.get(from as usize..to as usize).unwrap_or_default()
}

impl Steps {
    /// Takes in the slots from the last known one on.
    pub(super) fn learn(&mut self, asked: Asked<'_>) {
        for slot in asked.slots.iter().skip(self.slots.len()) {
            let mut edges: Vec<i64> = asked.terms_of(slot).flat_map(|(_, term)| [term.lo, term.hi]).collect();
            edges.sort_unstable();
            edges.dedup();
            let first = self.edges.len();
            self.edges.extend(&edges);
            self.slots.push(SlotSteps {
                edges: (first as u32, self.edges.len() as u32),
                first: self.stretches.len() as u32,
                width: slot.width() as u32,
                event: slot.rows == Rows::Event as u8,
            });
            self.stretches.resize(self.stretches.len() + edges.len() + 1, None);
        }
    }

    #[inline]
    pub(super) fn slot(&self, slot: u32) -> Option<SlotSteps> {
        self.slots.get(slot as usize).copied()
    }

    /// The number of the stretch in which a time is.
    #[inline]
    pub(super) fn stretch(&self, slot: SlotSteps, time: i64) -> usize {
        slot.first as usize + part(&self.edges, slot.edges).partition_point(|edge| *edge <= time)
    }

    /// What is known of a stretch.
    #[inline]
    pub(super) fn known(&self, stretch: usize) -> Option<Stretch> {
        self.stretches.get(stretch).copied().flatten()
    }

    #[inline]
    pub(super) fn counts(&self, stretch: Stretch) -> &[usize] {
        part(&self.counts, stretch.counts)
    }

    #[inline]
    pub(super) fn times(&self, stretch: Stretch) -> &[TimeStep] {
        part(&self.times, stretch.times)
    }

    #[inline]
    pub(super) fn sums(&self, stretch: Stretch) -> &[SumStep] {
        part(&self.sums, stretch.sums)
    }

    #[inline]
    pub(super) fn others(&self, stretch: Stretch) -> &[OtherStep] {
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
        self.stretches.fill(None);
    }
}

impl Bank {
    /// What entries of a slot do about that time.
    #[cold]
    pub(super) fn work_out(
        &self,
        stretch: usize,
        slot: u32,
        time: i64,
        asked: Asked<'_>,
        steps: &mut Steps,
    ) -> Stretch {
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
        let known = Stretch { counts: between(0), times: between(1), sums: between(2), others: between(3) };
        if let Some(place) = steps.stretches.get_mut(stretch) {
            *place = Some(known);
        }
        known
    }
}

impl Chain {
    /// Where the column begins in which an entry of that time is counted.
    fn column(&self, time: i64, size: usize) -> Option<usize> {
        let window = self.los.iter().position(|lo| *lo <= time)?;
        (time < self.hi).then_some(self.column + window * size)
    }
}
