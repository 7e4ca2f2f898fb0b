//! The bank: what is kept of each term for each customer of a chunk.
//!
//! Owns: accumulating entries into terms. Windows over one pattern that end together are counted at once: an entry is counted in the
//! narrowest that takes it, and in the end each window takes in what the narrower ones have. Promises: no result depends on the order of entries (sums are exact, floats are added in
//! ascending order); what it has allocated stays for the next chunk. Must not know: conditions over terms.

use super::convert::ordered;
use super::interned::Slot;
use super::log::EVENT;
use super::roster::Chunk;
use crate::engine::plan::program::{Agg, Program, Rows};
use crate::language::calendar::Zone;
use crate::language::ir::PeriodUnit;

/// What is kept of all terms.
#[derive(Debug)]
pub struct Bank {
    /// Customers of a chunk.
    size: usize,
    terms: Vec<Place>,
    /// One column a term that counts.
    counts: Vec<u32>,
    chains: Vec<Chain>,
    /// By pattern its chains.
    by_pattern: Vec<Vec<u32>>,
    others: Vec<Other>,
    /// By customer what his entries say of him.
    flags: Vec<u8>,
    /// By customer the earliest of his entries that are events.
    first: Vec<i64>,
}

/// Windows of one pattern that end together.
#[derive(Debug, Clone)]
struct Chain {
    hi: i64,
    /// Where they begin, the narrowest first.
    los: Vec<i64>,
    /// Where the column of the first begins; the others' follow.
    column: usize,
}

/// Where a term is kept.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// Where its column of counts begins.
    Count(usize),
    Other(usize),
    /// A set, and where the column begins that counts what is in it.
    Set(usize, usize),
}

#[derive(Debug)]
enum Other {
    Sum(Vec<i128>),
    /// The best so far, by the order of [`ordered`] for floats.
    Best(Vec<Option<i64>>),
    /// Customer and value; what they amount to is known at the end.
    Set(Vec<(u32, i64)>),
    FloatSum(Vec<(u32, i64)>, Vec<f64>),
}

/// What entries of each slot do to the bank.
#[derive(Debug, Default)]
pub struct Steps {
    slots: Vec<SlotSteps>,
    /// Numbers of chains.
    counts: Vec<u32>,
    others: Vec<OtherStep>,
}

#[derive(Debug, Clone, Copy)]
struct SlotSteps {
    /// Ends in the two lists; the beginnings are the ends of the slot before.
    counts: (u32, u32),
    others: (u32, u32),
    width: u32,
    flags: u8,
}

#[derive(Debug, Clone, Copy)]
struct OtherStep {
    lo: i64,
    hi: i64,
    agg: Agg,
    place: Place,
    /// Place of the measure in the entry.
    at: usize,
}

impl Bank {
    pub fn new(program: &Program, size: usize) -> Bank {
        let (mut columns, mut others) = (0, Vec::new());
        let mut column = || {
            columns += size;
            columns - size
        };
        let mut by_pattern = vec![Vec::new(); program.patterns as usize];
        let (chains, chained) = chains(program, &mut by_pattern, size, &mut column);
        let terms = program.terms.iter().zip(chained).map(|(term, chained)| {
            let other = match term.agg {
                Agg::Count => return Place::Count(chained),
                Agg::CountKnown(_) => return Place::Count(column()),
                Agg::Periods(_) | Agg::Distinct(_) => {
                    others.push(Other::Set(Vec::new()));
                    return Place::Set(others.len() - 1, column());
                }
                Agg::Sum(_) => Other::Sum(Vec::new()),
                Agg::SumFloat(_) => Other::FloatSum(Vec::new(), Vec::new()),
                Agg::Min(_) | Agg::Max(_) | Agg::MinFloat(_) | Agg::MaxFloat(_) | Agg::First | Agg::Last => {
                    Other::Best(Vec::new())
                }
            };
            others.push(other);
            Place::Other(others.len() - 1)
        });
        let terms = terms.collect();
        let counts = vec![0; columns];
        Bank { size, terms, counts, chains, by_pattern, others, flags: Vec::new(), first: Vec::new() }
    }

    /// Adds what the slots from the last known one on do.
    pub fn learn(&self, program: &Program, by_pattern: &[Vec<u32>], slots: &[Slot], steps: &mut Steps) {
        for slot in slots.iter().skip(steps.slots.len()) {
            let (counts, others) = (steps.counts.len() as u32, steps.others.len() as u32);
            let chains = slot.patterns.iter().filter_map(|&p| self.by_pattern.get(p as usize)).flatten();
            steps.counts.extend(chains);
            let terms = slot.patterns.iter().filter_map(|&p| by_pattern.get(p as usize)).flatten();
            for (&t, term) in terms.filter_map(|t| Some((t, program.terms.get(*t as usize)?))) {
                let Some(&place) = self.terms.get(t as usize) else { continue };
                let (lo, hi) = (term.lo, term.hi);
                match (place, term.agg.channel()) {
                    (Place::Count(_), None) => {}
                    (_, None) => steps.others.push(OtherStep { lo, hi, agg: term.agg, place, at: 0 }),
                    (_, Some(channel)) => {
                        let Ok(at) = slot.measures.binary_search(&channel) else { continue };
                        steps.others.push(OtherStep { lo, hi, agg: term.agg, place, at });
                    }
                }
            }
            steps.slots.push(SlotSteps {
                counts: (counts, steps.counts.len() as u32),
                others: (others, steps.others.len() as u32),
                width: slot.width() as u32,
                flags: if slot.rows == Rows::Event as u8 { EVENT } else { 0 },
            });
        }
    }

    /// Takes the entries of a chunk of `here` customers.
    pub fn fill(&mut self, chunk: Chunk<'_>, here: usize, slots: &[Slot], steps: &Steps, zone: &Zone) {
        self.clear(here);
        for (i, entry) in chunk.entries.iter().enumerate() {
            let Some(&SlotSteps { counts, others, width, flags }) = steps.slots.get(entry.slot as usize) else {
                continue;
            };
            let (local, time) = (entry.local as usize, entry.time);
            if let (Some(mine), Some(first)) = (self.flags.get_mut(local), self.first.get_mut(local)) {
                *mine |= flags;
                if flags & EVENT != 0 {
                    *first = time.min(*first);
                }
            }
            for &chain in steps.counts.get(counts.0 as usize..counts.1 as usize).unwrap_or_default() {
                let Some(Chain { hi, los, column }) = self.chains.get(chain as usize) else { continue };
                let window = los.iter().map(|lo| usize::from(time < *lo)).sum::<usize>();
                if time < *hi
                    && window < los.len()
                    && let Some(count) = self.counts.get_mut(column + window * self.size + local)
                {
                    *count = count.wrapping_add(1);
                }
            }
            if others.0 == others.1 {
                continue;
            }
            let words = chunk.words(i, width as usize);
            let Some(slot) = slots.get(entry.slot as usize) else { continue };
            let some = steps.others.get(others.0 as usize..others.1 as usize).unwrap_or_default();
            for step in some.iter().filter(|step| step.lo <= time && time < step.hi) {
                let value = if step.agg.channel().is_some() { slot.read(words, step.at) } else { Some(time) };
                if let Some(value) = value {
                    self.step(step, entry.local, value, zone);
                }
            }
        }
        self.settle(here);
    }

    fn clear(&mut self, here: usize) {
        self.counts.fill(0);
        self.flags.clear();
        self.flags.resize(here, 0);
        self.first.clear();
        self.first.resize(here, i64::MAX);
        for other in &mut self.others {
            match other {
                Other::Sum(sums) => {
                    sums.clear();
                    sums.resize(here, 0);
                }
                Other::Best(best) => {
                    best.clear();
                    best.resize(here, None);
                }
                Other::Set(pairs) => pairs.clear(),
                Other::FloatSum(pairs, sums) => {
                    pairs.clear();
                    sums.clear();
                    sums.resize(here, 0.0);
                }
            }
        }
    }

    fn step(&mut self, step: &OtherStep, local: u32, value: i64, zone: &Zone) {
        let other = match step.place {
            Place::Count(column) => {
                if let Some(count) = self.counts.get_mut(column + local as usize) {
                    *count = count.wrapping_add(1);
                }
                return;
            }
            Place::Other(at) | Place::Set(at, _) => self.others.get_mut(at),
        };
        match other {
            Some(Other::Sum(sums)) => {
                if let Some(sum) = sums.get_mut(local as usize) {
                    *sum += i128::from(value);
                }
            }
            Some(Other::Best(best)) => {
                let Some(best) = best.get_mut(local as usize) else { return };
                let float = matches!(step.agg, Agg::MinFloat(_) | Agg::MaxFloat(_));
                let value = if float { ordered(value) } else { value };
                let greatest = matches!(step.agg, Agg::Max(_) | Agg::MaxFloat(_) | Agg::Last);
                if best.is_none_or(|old| if greatest { value > old } else { value < old }) {
                    *best = Some(value);
                }
            }
            Some(Other::Set(pairs)) => {
                let value = match step.agg {
                    Agg::Periods(unit) => zone.period(PeriodUnit::from(unit), value),
                    _ => value,
                };
                pairs.push((local, value));
            }
            Some(Other::FloatSum(pairs, _)) => pairs.push((local, ordered(value))),
            None => {}
        }
    }

    /// Counts or sums what was gathered.
    fn settle(&mut self, here: usize) {
        for chain in self.chains.iter().filter(|chain| chain.los.len() > 1) {
            let columns = self.counts.get_mut(chain.column..).unwrap_or_default();
            for wider in 1..chain.los.len() {
                let (narrow, wide) = columns.split_at_mut_checked(wider * self.size).unwrap_or_default();
                let narrow = narrow.get((wider - 1) * self.size..).unwrap_or_default();
                for (wide, narrow) in wide.iter_mut().zip(narrow).take(here) {
                    *wide = wide.wrapping_add(*narrow);
                }
            }
        }
        for place in &self.terms {
            let (at, column) = match *place {
                Place::Count(_) => continue,
                Place::Other(at) => (at, 0),
                Place::Set(at, column) => (at, column),
            };
            match self.others.get_mut(at) {
                Some(Other::Set(pairs)) => {
                    pairs.sort_unstable();
                    pairs.dedup();
                    let counts = self.counts.get_mut(column..column + here).unwrap_or_default();
                    for &(local, _) in pairs.iter() {
                        if let Some(count) = counts.get_mut(local as usize) {
                            *count += 1;
                        }
                    }
                }
                Some(Other::FloatSum(pairs, sums)) => {
                    pairs.sort_unstable();
                    for &(local, value) in pairs.iter() {
                        if let Some(sum) = sums.get_mut(local as usize) {
                            *sum += f64::from_bits(ordered(value) as u64);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    /// A term's counts, for all customers of the chunk.
    pub fn counts(&self, term: u32) -> Option<&[u32]> {
        match *self.terms.get(term as usize)? {
            Place::Count(column) | Place::Set(_, column) => self.counts.get(column..column + self.size),
            Place::Other(_) => None,
        }
    }

    /// A term's count of one customer.
    pub fn count(&self, term: u32, row: usize) -> Option<u32> {
        self.counts(term)?.get(row).copied()
    }

    /// A term's exact sums, for all customers of the chunk.
    pub fn sums(&self, term: u32) -> Option<&[i128]> {
        match self.other(term)? {
            Other::Sum(sums) => Some(sums),
            _ => None,
        }
    }

    /// A term's exact sum.
    pub fn sum(&self, term: u32, row: usize) -> Option<i128> {
        self.sums(term)?.get(row).copied()
    }

    /// A term's sum of floats.
    pub fn float(&self, term: u32, row: usize) -> Option<f64> {
        match self.other(term)? {
            Other::FloatSum(_, sums) => sums.get(row).copied(),
            _ => None,
        }
    }

    /// A term's best, for all customers of the chunk.
    pub fn best(&self, term: u32) -> Option<&[Option<i64>]> {
        match self.other(term)? {
            Other::Best(best) => Some(best),
            _ => None,
        }
    }

    fn other(&self, term: u32) -> Option<&Other> {
        match *self.terms.get(term as usize)? {
            Place::Other(at) => self.others.get(at),
            _ => None,
        }
    }

    /// What the customers' entries say of them.
    pub fn flags(&self) -> &[u8] {
        &self.flags
    }

    /// The customers' earliest entries that are events.
    pub fn first(&self) -> &[i64] {
        &self.first
    }
}

/// The chains of the terms that count entries, and by term where its column begins.
fn chains(
    program: &Program,
    by_pattern: &mut [Vec<u32>],
    size: usize,
    column: &mut impl FnMut() -> usize,
) -> (Vec<Chain>, Vec<usize>) {
    let counting = program.terms.iter().enumerate().filter(|(_, term)| matches!(term.agg, Agg::Count));
    let mut all: Vec<(u32, i64, i64, usize)> = counting.map(|(t, term)| (term.pattern, term.hi, term.lo, t)).collect();
    all.sort_unstable_by_key(|&(pattern, hi, lo, t)| (pattern, hi, std::cmp::Reverse(lo), t));
    let (mut chains, mut columns) = (Vec::new(), vec![0; program.terms.len()]);
    for together in all.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
        let Some(&(pattern, hi, ..)) = together.first() else { continue };
        let mut los: Vec<i64> = together.iter().map(|&(_, _, lo, _)| lo).collect();
        los.dedup();
        let first = los.iter().map(|_| column()).min().unwrap_or(0);
        for &(_, _, lo, t) in together {
            if let (Some(to), Some(at)) = (columns.get_mut(t), los.iter().position(|l| *l == lo)) {
                *to = first + at * size;
            }
        }
        if let Some(of) = by_pattern.get_mut(pattern as usize) {
            of.push(chains.len() as u32);
        }
        chains.push(Chain { hi, los, column: first });
    }
    (chains, columns)
}
