//! The bank: what is kept of each term for each customer of a chunk.
//!
//! Owns: accumulating entries into terms. Promises: no result depends on the order of entries (sums are exact, floats are added in
//! ascending order); what it has allocated stays for the next chunk. Must not know: conditions over terms.
//!
//! Each term has a column with a place a customer. Windows over one pattern that end together are counted at once: an entry is counted
//! in the narrowest that takes it, and in the end each window takes in what the narrower ones have. `steps` knows what an entry does.

use std::collections::BTreeMap;

use super::bits::{keep, pack_between};
use super::convert::ordered;
use super::log::NEVER;
use super::roster::Chunk;
use crate::engine::plan::program::{Agg, Program};
use crate::language::ir::PeriodUnit;

mod steps;

pub use steps::{Asked, Steps};
use steps::{Between, Other, OtherStep, SumStep, TimeStep};

/// What is kept of all terms.
#[derive(Debug)]
pub struct Bank {
    /// Customers of a chunk.
    size: usize,
    terms: Vec<Place>,
    counts: Vec<u32>,
    sums: Vec<i64>,
    /// What sums could not hold, by their place.
    carried: BTreeMap<usize, i128>,
    best: Vec<i64>,
    /// Whether there is a best.
    known: Vec<bool>,
    /// What they amount to is known at the end.
    sets: Vec<Pairs>,
    floats: Vec<(Pairs, Vec<f64>)>,
    chains: Vec<Chain>,
    /// By pattern its chains.
    by_pattern: Vec<Vec<u32>>,
    /// By customer the earliest of his entries that are events; [`NEVER`] is none.
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

/// Where a term is kept: where its column begins, or which set or sum of floats it is.
#[derive(Debug, Clone, Copy)]
enum Place {
    Count(usize),
    Sum(usize),
    Best(usize, Turn),
    /// A set, and the column of counts for what is in it.
    Set(usize, usize),
    Float(usize),
}

/// Customer and value.
type Pairs = Vec<(u32, i64)>;

/// What turns values so that the best is the greatest: a least value is kept with all its bits turned.
type Turn = i64;

/// A term's best values, for all customers of a chunk.
#[derive(Debug, Clone, Copy)]
pub struct Best<'a> {
    known: &'a [bool],
    turned: &'a [i64],
    turn: Turn,
}

impl Bank {
    pub fn new(program: &Program, size: usize) -> Bank {
        let (mut columns, mut sums, mut best) = (0, 0, 0);
        let (mut sets, mut floats) = (Vec::new(), Vec::new());
        let next = |columns: &mut usize| {
            *columns += size;
            *columns - size
        };
        let mut by_pattern = vec![Vec::new(); program.patterns as usize];
        let (chains, chained) = chains(program, &mut by_pattern, size, &mut || next(&mut columns));
        let mut place = |agg, chained| match agg {
            Agg::Count => Place::Count(chained),
            Agg::CountKnown(_) => Place::Count(next(&mut columns)),
            Agg::Periods(_) | Agg::Distinct(_) => {
                sets.push(Vec::new());
                Place::Set(sets.len() - 1, next(&mut columns))
            }
            Agg::Sum(_) => Place::Sum(next(&mut sums)),
            Agg::SumFloat(_) => {
                floats.push((Vec::new(), Vec::new()));
                Place::Float(floats.len() - 1)
            }
            Agg::Max(_) | Agg::MaxFloat(_) | Agg::Last => Place::Best(next(&mut best), 0),
            Agg::Min(_) | Agg::MinFloat(_) | Agg::First => Place::Best(next(&mut best), !0),
        };
        let terms = program.terms.iter().zip(chained).map(|(term, chained)| place(term.agg, chained)).collect();
        Bank {
            size,
            terms,
            counts: vec![0; columns],
            sums: vec![0; sums],
            carried: BTreeMap::new(),
            best: vec![0; best],
            known: vec![false; best],
            sets,
            floats,
            chains,
            by_pattern,
            first: Vec::new(),
        }
    }

    /// Bytes that a term has for each customer.
    pub fn bytes(agg: &Agg) -> usize {
        match agg {
            Agg::Count | Agg::CountKnown(_) | Agg::Periods(_) | Agg::Distinct(_) => size_of::<u32>(),
            Agg::Sum(_) | Agg::SumFloat(_) => size_of::<i64>(),
            _ => size_of::<i64>() + size_of::<bool>(),
        }
    }

    /// Takes the entries of a chunk of `here` customers.
    pub fn fill(&mut self, chunk: Chunk<'_>, here: usize, asked: Asked<'_>, steps: &mut Steps) {
        steps.learn(asked);
        self.clear(here);
        let mut last = Between::NOTHING;
        for (i, entry) in chunk.entries.iter().enumerate() {
            let Some(slot) = steps.slot(entry.slot) else { continue };
            let (local, time) = (entry.local as usize, entry.time);
            if slot.event
                && let Some(first) = self.first.get_mut(local)
            {
                *first = time.min(*first);
            }
            let at = steps.stretch(slot, time, &mut last);
            if steps.known(at).is_none() {
                self.work_out(at, entry.slot, time, asked, steps);
            }
            let Some(stretch) = steps.known(at) else { continue };
            for column in steps.counts(stretch) {
                if let Some(count) = self.counts.get_mut(column + local) {
                    *count = count.wrapping_add(1);
                }
            }
            for &TimeStep { column, turn } in steps.times(stretch) {
                self.better(column + local, time ^ turn);
            }
            if !stretch.is_measured() {
                continue;
            }
            let words = chunk.words(i, slot.width as usize);
            for SumStep { column, measure } in steps.sums(stretch) {
                if let Some(value) = measure.read(words) {
                    self.add(column + local, value);
                }
            }
            for step in steps.others(stretch) {
                self.step(step, entry.local, time, words, asked);
            }
        }
        self.settle();
    }

    fn clear(&mut self, here: usize) {
        self.counts.fill(0);
        self.sums.fill(0);
        self.carried.clear();
        self.best.fill(i64::MIN);
        self.known.fill(false);
        self.first.clear();
        self.first.resize(here, NEVER);
        self.sets.iter_mut().for_each(Vec::clear);
        for (pairs, sums) in &mut self.floats {
            pairs.clear();
            sums.clear();
            sums.resize(here, 0.0);
        }
    }

    #[inline]
    fn better(&mut self, at: usize, turned: i64) {
        if let (Some(best), Some(known)) = (self.best.get_mut(at), self.known.get_mut(at)) {
            *best = turned.max(*best);
            *known = true;
        }
    }

    #[inline]
    fn add(&mut self, at: usize, value: i64) {
        let Some(sum) = self.sums.get_mut(at) else { return };
        match sum.checked_add(value) {
            Some(more) => *sum = more,
            None => {
                *self.carried.entry(at).or_default() += i128::from(*sum);
                *sum = value;
            }
        }
    }

    fn step(&mut self, step: &OtherStep, local: u32, time: i64, words: &[i64], asked: Asked<'_>) {
        let Some(value) = step.measure.map_or(Some(time), |measure| measure.read(words)) else { return };
        match step.does {
            Other::Count(column) => {
                if let Some(count) = self.counts.get_mut(column + local as usize) {
                    *count = count.wrapping_add(1);
                }
            }
            Other::Best { column, turn, float } => {
                let value = if float { ordered(value) } else { value };
                self.better(column + local as usize, value ^ turn);
            }
            Other::Set(at, unit) => {
                let value = unit.map_or(value, |unit| asked.zone.period(PeriodUnit::from(unit), value));
                if let Some(pairs) = self.sets.get_mut(at) {
                    pairs.push((local, value));
                }
            }
            Other::Float(at) => {
                if let Some((pairs, _)) = self.floats.get_mut(at) {
                    pairs.push((local, ordered(value)));
                }
            }
        }
    }

    /// Counts or sums what was gathered.
    fn settle(&mut self) {
        for chain in self.chains.iter().filter(|chain| chain.los.len() > 1) {
            let columns = self.counts.get_mut(chain.column..).unwrap_or_default();
            for wider in 1..chain.los.len() {
                let (narrow, wide) = columns.split_at_mut_checked(wider * self.size).unwrap_or_default();
                let narrow = narrow.get((wider - 1) * self.size..).unwrap_or_default();
                for (wide, narrow) in wide.iter_mut().zip(narrow) {
                    *wide = wide.wrapping_add(*narrow);
                }
            }
        }
        for place in &self.terms {
            let Place::Set(at, column) = *place else { continue };
            let Some(pairs) = self.sets.get_mut(at) else { continue };
            pairs.sort_unstable();
            pairs.dedup();
            for &(local, _) in pairs.iter() {
                if let Some(count) = self.counts.get_mut(column + local as usize) {
                    *count += 1;
                }
            }
        }
        for (pairs, sums) in &mut self.floats {
            pairs.sort_unstable();
            for &(local, value) in pairs.iter() {
                if let Some(sum) = sums.get_mut(local as usize) {
                    *sum += f64::from_bits(ordered(value) as u64);
                }
            }
        }
    }

    fn place(&self, term: u32) -> Option<Place> {
        self.terms.get(term as usize).copied()
    }

    /// A term's counts, for all customers of the chunk.
    pub fn counts(&self, term: u32) -> Option<&[u32]> {
        match self.place(term)? {
            Place::Count(column) | Place::Set(_, column) => self.counts.get(column..column + self.size),
            _ => None,
        }
    }

    /// A term's count of one customer.
    pub fn count(&self, term: u32, row: usize) -> Option<u32> {
        self.counts(term)?.get(row).copied()
    }

    /// A term's exact sums, for all customers of the chunk, if all of them fit.
    pub fn sums(&self, term: u32) -> Option<&[i64]> {
        let Place::Sum(column) = self.place(term)? else { return None };
        let all = column..column + self.size;
        if self.carried.range(all.clone()).next().is_some() { None } else { self.sums.get(all) }
    }

    /// A term's exact sum.
    pub fn sum(&self, term: u32, row: usize) -> Option<i128> {
        let Place::Sum(column) = self.place(term)? else { return None };
        let carried = self.carried.get(&(column + row)).copied().unwrap_or(0);
        Some(carried + i128::from(*self.sums.get(column + row)?))
    }

    /// A term's sum of floats.
    pub fn float(&self, term: u32, row: usize) -> Option<f64> {
        let Place::Float(at) = self.place(term)? else { return None };
        self.floats.get(at)?.1.get(row).copied()
    }

    /// A term's best, by the order of [`ordered`] for floats.
    pub fn best(&self, term: u32) -> Option<Best<'_>> {
        let Place::Best(column, turn) = self.place(term)? else { return None };
        let all = column..column + self.size;
        Some(Best { known: self.known.get(all.clone())?, turned: self.best.get(all)?, turn })
    }

    /// The customers' earliest entries that are events; [`NEVER`] is none.
    pub fn first(&self) -> &[i64] {
        &self.first
    }
}

impl Best<'_> {
    /// The value of one customer.
    pub fn get(self, row: usize) -> Option<i64> {
        let value = self.turned.get(row)? ^ self.turn;
        self.known.get(row)?.then_some(value)
    }

    /// The values of all customers who have one.
    pub fn values(self) -> impl Iterator<Item = i64> {
        self.turned.iter().zip(self.known).filter(|(_, known)| **known).map(move |(turned, _)| turned ^ self.turn)
    }

    /// Whose value lies in `[lo, hi]`.
    pub fn pack_between(self, lo: i64, hi: i64, out: &mut [u64]) {
        let (lo, hi) = if self.turn == 0 { (lo, hi) } else { (!hi, !lo) };
        pack_between(self.turned, lo, hi, out);
        keep(self.known, out);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::kernels::interned::Slots;
    use crate::engine::kernels::roster::Entry;
    use crate::engine::plan::program::{Rows, Term};
    use crate::language::calendar::Zone;

    /// Entries of one customer, each with a measure, in every order.
    #[test]
    fn sums_beyond_64_bits_and_both_ends() {
        let term = |lo, agg| Term { pattern: 0, lo, hi: 100, agg };
        let aggs = [Agg::Sum(0), Agg::Min(0), Agg::Max(0), Agg::First, Agg::Last, Agg::Count, Agg::CountKnown(0)];
        let terms = aggs.iter().map(|agg| term(0, *agg)).chain([term(50, Agg::Sum(0)), term(50, Agg::Count)]).collect();
        let program = Program { patterns: 1, int_channels: 1, terms, ..Program::default() };
        let mut slots = Slots::new(&program);
        let slot = slots.number(&[Rows::Event as u8, 0]).unwrap();
        let all: Vec<u32> = (0..program.terms.len() as u32).collect();
        let zone = Zone::utc();
        let asked = Asked { program: &program, by_pattern: &[all], slots: slots.all(), zone: &zone };
        let (mut bank, mut steps) = (Bank::new(&program, 2), Steps::default());
        let values = [(60, i64::MAX), (10, i64::MAX), (70, i64::MIN), (99, i64::MAX), (100, 7), (-1, 7), (80, -3)];
        for turn in 0..2 * values.len() {
            let mut some = values.to_vec();
            some.rotate_left(turn / 2);
            if turn % 2 == 1 {
                some.reverse();
            }
            let entry = |&(time, _): &(i64, i64)| Entry { time, slot, local: 1 };
            let entries: Vec<Entry> = some.iter().map(entry).collect();
            let pools: Vec<u32> = (0..some.len() as u32).map(|at| 2 * at).collect();
            let pool: Vec<i64> = some.iter().flat_map(|(_, value)| [1, *value]).collect();
            bank.fill(Chunk { entries: &entries, pools: &pools, pool: &pool }, 2, asked, &mut steps);
            let most = i128::from(i64::MAX);
            assert_eq!(bank.sum(0, 1), Some(3 * most + i128::from(i64::MIN) - 3));
            assert_eq!(bank.sum(7, 1), Some(2 * most + i128::from(i64::MIN) - 3));
            assert_eq!((bank.sum(0, 0), bank.sums(0)), (Some(0), None));
            let best = [1, 2, 3, 4].map(|term| bank.best(term).and_then(|best| best.get(1)));
            assert_eq!(best, [Some(i64::MIN), Some(i64::MAX), Some(10), Some(99)]);
            assert_eq!(bank.best(1).and_then(|best| best.get(0)), None);
            assert_eq!([5, 6, 8].map(|term| bank.count(term, 1)), [Some(5), Some(5), Some(4)]);
            let mut bits = [0];
            bank.best(3).unwrap().pack_between(10, 10, &mut bits);
            assert_eq!(bits, [0b10]);
            bank.best(4).unwrap().pack_between(i64::MIN, 98, &mut bits);
            assert_eq!(bits, [0]);
        }
    }
}
