//! The replay: from a log of rows to one bit a wanted node, and the values that are asked for.
//!
//! Owns: the bank of terms and the nodes over it. Promises: a chunk of customers at a time, so that the bank stays near the
//! processor; no result depends on the order of entries (sums are exact, floats are added in ascending order).

use arrow::array::LargeBinaryBuilder;

use super::convert::ordered;
use super::life::Datum;
use super::log::{Body, Chunk, EVENT, LATE, Log, PROFILE, Slot, TWICE};
use super::{export, story, test};
use crate::engine::plan::program::{Agg, Node, Program, Scalar, Ty, Val};
use crate::engine::types;
use crate::language::calendar::Clock;
use crate::language::ir::PeriodUnit;
use crate::language::num::Num;

/// Bits behind those of the wanted nodes and lists: in the population, has two profiles.
pub const MARKS: usize = 2;

/// What is kept of a term for each customer of a chunk.
#[derive(Debug)]
pub enum Bank {
    Count(Vec<u32>),
    Sum(Vec<i128>),
    /// The best so far, by the order of [`ordered`] for floats.
    Best(Vec<Option<i64>>),
    /// Customer and value; what they amount to is known at the end.
    Set(Vec<(u16, i64)>),
    Float(Vec<f64>),
}

/// What an entry does to a term.
#[derive(Debug, Clone, Copy)]
struct Step {
    term: u32,
    lo: i64,
    hi: i64,
    agg: Agg,
    /// Place of the measure in the entry.
    at: usize,
}

/// What is known of the customers of a chunk.
#[derive(Debug)]
pub struct Known<'a> {
    pub log: &'a Log,
    /// By term.
    pub banks: Vec<Bank>,
    /// By story and customer.
    pub told: Vec<Vec<Option<Datum>>>,
}

/// A program ready to run.
#[derive(Debug)]
pub struct Replay {
    program: Program,
    clock: Clock,
    by_pattern: Vec<Vec<u32>>,
    bits: u32,
}

impl Replay {
    pub fn new(program: Program) -> Replay {
        let mut by_pattern = vec![Vec::new(); program.patterns as usize];
        for (t, term) in program.terms.iter().enumerate() {
            if let Some(terms) = by_pattern.get_mut(term.pattern as usize) {
                terms.push(t as u32);
            }
        }
        // As many customers as let the counts stay in about two megabytes, between 64 and 8,192.
        let room = (1usize << 19) / (program.terms.len() + 12 * program.stories.len()).max(1);
        let bits = room.clamp(64, 8_192).ilog2();
        let clock = Clock { as_of: program.as_of, zone: types::zone(&program.zone) };
        Replay { program, clock, by_pattern, bits }
    }

    pub fn program(&self) -> &Program {
        &self.program
    }

    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    pub fn bits(&self) -> u32 {
        self.bits
    }

    /// Bytes of one answer's bits.
    pub fn width(&self) -> usize {
        width(&self.program)
    }

    /// Appends one answer a customer.
    pub fn run(&self, log: &Log, body: &Body, out: &mut LargeBinaryBuilder) {
        let steps: Vec<Vec<Step>> = log.interned.slots.iter().map(|slot| self.steps(slot)).collect();
        for (c, chunk) in body.chunks.iter().enumerate() {
            let base = c << self.bits;
            let here = body.first.len().saturating_sub(base).min(1 << self.bits);
            if here == 0 {
                continue;
            }
            let banks = self.replay(log, chunk, &steps, here);
            let mut known = Known { log, banks, told: Vec::new() };
            story::tell(self, chunk, here, &mut known);
            let first = body.first.get(base..base + here).unwrap_or_default();
            let flags = body.flags.get(base..base + here).unwrap_or_default();
            self.answer(&known, first, flags, out);
        }
    }

    fn steps(&self, slot: &Slot) -> Vec<Step> {
        let terms = slot.patterns.iter().filter_map(|&p| self.by_pattern.get(p as usize)).flatten();
        terms
            .filter_map(|&t| {
                let term = self.program.terms.get(t as usize)?;
                let at = match term.agg.channel() {
                    Some(channel) => slot.measures.binary_search(&channel).ok()?,
                    None => 0,
                };
                Some(Step { term: t, lo: term.lo, hi: term.hi, agg: term.agg, at })
            })
            .collect()
    }

    fn replay(&self, log: &Log, chunk: &Chunk, steps: &[Vec<Step>], here: usize) -> Vec<Bank> {
        let mut banks: Vec<Bank> = self
            .program
            .terms
            .iter()
            .map(|term| match term.agg {
                Agg::Count | Agg::CountKnown(_) => Bank::Count(vec![0; here]),
                Agg::Sum(_) => Bank::Sum(vec![0; here]),
                Agg::Periods(_) | Agg::Distinct(_) | Agg::SumFloat(_) => Bank::Set(Vec::new()),
                Agg::Min(_) | Agg::Max(_) | Agg::MinFloat(_) | Agg::MaxFloat(_) | Agg::First | Agg::Last => {
                    Bank::Best(vec![None; here])
                }
            })
            .collect();
        let mut at = 0;
        for ((&local, &slot), &time) in chunk.local.iter().zip(&chunk.slot).zip(&chunk.time) {
            let (Some(info), Some(steps)) = (log.interned.slots.get(slot as usize), steps.get(slot as usize)) else {
                continue;
            };
            let words = chunk.pool.get(at..at + info.width()).unwrap_or_default();
            at += info.width();
            for step in steps.iter().filter(|s| s.lo <= time && time < s.hi) {
                let Some(bank) = banks.get_mut(step.term as usize) else { continue };
                let value = if step.agg.channel().is_some() {
                    match info.read(words, step.at) {
                        Some(value) => value,
                        None => continue,
                    }
                } else {
                    time
                };
                self.step(bank, local, step.agg, value);
            }
        }
        for (bank, term) in banks.iter_mut().zip(&self.program.terms) {
            if let Bank::Set(pairs) = bank {
                let pairs = std::mem::take(pairs);
                *bank = settle(pairs, term.agg, here);
            }
        }
        banks
    }

    fn step(&self, bank: &mut Bank, local: u16, agg: Agg, value: i64) {
        match bank {
            Bank::Count(counts) => {
                if let Some(count) = counts.get_mut(usize::from(local)) {
                    *count = count.saturating_add(1);
                }
            }
            Bank::Sum(sums) => {
                if let Some(sum) = sums.get_mut(usize::from(local)) {
                    *sum += i128::from(value);
                }
            }
            Bank::Best(best) => {
                let Some(best) = best.get_mut(usize::from(local)) else { return };
                let value = if matches!(agg, Agg::MinFloat(_) | Agg::MaxFloat(_)) { ordered(value) } else { value };
                let better = match (*best, agg) {
                    (None, _) => true,
                    (Some(old), Agg::Max(_) | Agg::MaxFloat(_) | Agg::Last) => value > old,
                    (Some(old), _) => value < old,
                };
                if better {
                    *best = Some(value);
                }
            }
            Bank::Set(pairs) => {
                let value = match agg {
                    Agg::Periods(unit) => self.clock.zone.period(PeriodUnit::from(unit), value),
                    Agg::SumFloat(_) => ordered(value),
                    _ => value,
                };
                pairs.push((local, value));
            }
            Bank::Float(_) => {}
        }
    }

    fn answer(&self, known: &Known<'_>, first: &[i64], flags: &[u8], out: &mut LargeBinaryBuilder) {
        let here = flags.len();
        let words = here.div_ceil(64);
        let mut nodes: Vec<Vec<u64>> = Vec::with_capacity(self.program.nodes.len());
        for node in &self.program.nodes {
            let bits = self.node(node, &nodes, known, first, words, here);
            nodes.push(bits);
        }
        let width = self.width();
        let mut answers = vec![0u8; here * width];
        let mut set = |row: usize, bit: usize| {
            if let Some(byte) = answers.get_mut(row * width + bit / 8) {
                *byte |= 1 << (bit % 8);
            }
        };
        for (bit, &node) in self.program.wanted.iter().chain(&self.program.lists).enumerate() {
            let Some(words) = nodes.get(node as usize) else { continue };
            for (w, &word) in words.iter().enumerate() {
                let mut word = word;
                while word != 0 {
                    let row = w * 64 + word.trailing_zeros() as usize;
                    word &= word - 1;
                    if row < here {
                        set(row, bit);
                    }
                }
            }
        }
        let marks = self.program.wanted.len() + self.program.lists.len();
        for (row, &flags) in flags.iter().enumerate() {
            let counted = (self.program.events_count && flags & EVENT != 0)
                || (self.program.profiles_count && flags & PROFILE != 0);
            if counted && flags & LATE == 0 {
                set(row, marks);
            }
            if flags & TWICE != 0 {
                set(row, marks + 1);
            }
        }
        if self.program.exports.is_empty() {
            answers.chunks(width).for_each(|answer| out.append_value(answer));
            return;
        }
        let mut whole = Vec::with_capacity(width + 16 * self.program.exports.len());
        for (row, answer) in answers.chunks(width).enumerate() {
            whole.clear();
            whole.extend_from_slice(answer);
            for value in &self.program.exports {
                export::put(&mut whole, self.value(value, known, row));
            }
            out.append_value(&whole);
        }
    }

    fn node(
        &self,
        node: &Node,
        nodes: &[Vec<u64>],
        known: &Known<'_>,
        first: &[i64],
        words: usize,
        here: usize,
    ) -> Vec<u64> {
        let fold = |all: &[u32], start: u64, join: fn(u64, u64) -> u64| {
            let mut bits = vec![start; words];
            for other in all.iter().filter_map(|&n| nodes.get(n as usize)) {
                for (bit, other) in bits.iter_mut().zip(other) {
                    *bit = join(*bit, *other);
                }
            }
            bits
        };
        match node {
            Node::Const(yes) => vec![if *yes { u64::MAX } else { 0 }; words],
            Node::And(all) => fold(all, u64::MAX, |a, b| a & b),
            Node::Or(any) => fold(any, 0, |a, b| a | b),
            Node::Not(inner) => fold(std::slice::from_ref(inner), u64::MAX, |a, b| a & !b),
            Node::Range { term, lo, hi } => match known.banks.get(*term as usize) {
                Some(Bank::Count(counts)) => {
                    let lo = (*lo).max(0);
                    if lo > *hi || lo > i64::from(u32::MAX) {
                        return vec![0; words];
                    }
                    let (lo, hi) = (lo as u32, (*hi).min(i64::from(u32::MAX)) as u32);
                    pack(counts.iter().map(|&c| lo <= c && c <= hi), words)
                }
                _ => vec![0; words],
            },
            Node::Time { term, lo, hi } => match known.banks.get(*term as usize) {
                Some(Bank::Best(best)) => pack(best.iter().map(|t| t.is_some_and(|t| *lo <= t && t < *hi)), words),
                _ => vec![0; words],
            },
            Node::Trace(by) => pack(first.iter().map(|&t| t != i64::MAX && t <= *by), words),
            Node::Story(story) => {
                let told = known.told.get(*story as usize).map_or(&[] as &[Option<Datum>], Vec::as_slice);
                pack(told.iter().map(|t| matches!(t, Some(Datum::YesNo(true)))), words)
            }
            Node::Test(test) => {
                pack((0..here).map(|row| test::test(test, &self.clock.zone, &|val| self.value(val, known, row))), words)
            }
        }
    }

    /// A value of one customer of the chunk.
    pub fn value<'a>(&'a self, val: &'a Val, known: &'a Known<'_>, row: usize) -> Option<Scalar<'a>> {
        let banks = &known.banks;
        match val {
            Val::Literal(literal) => Some(literal.scalar()),
            Val::Term { term, ty } => match banks.get(*term as usize)? {
                Bank::Count(counts) => counts.get(row).map(|&c| Scalar::Num(Num::int(i64::from(c)))),
                Bank::Sum(sums) => sums.get(row).map(|&units| Scalar::Num(Num::Exact { units, scale: scale(*ty) })),
                Bank::Float(sums) => Num::float(*sums.get(row)?).map(Scalar::Num),
                Bank::Best(best) => {
                    let word = (*best.get(row)?)?;
                    typed(word, *ty, known.log)
                }
                Bank::Set(_) => None,
            },
            Val::Average { sum, known, ty } => {
                let Bank::Count(counts) = banks.get(*known as usize)? else { return None };
                let count = f64::from(*counts.get(row)?);
                if count == 0.0 {
                    return None;
                }
                let total = match banks.get(*sum as usize)? {
                    Bank::Sum(sums) => {
                        let units = *sums.get(row)? as f64;
                        units / 10f64.powi(i32::from(scale(*ty)))
                    }
                    Bank::Float(sums) => *sums.get(row)?,
                    _ => return None,
                };
                Num::float(total / count).map(Scalar::Num)
            }
            Val::DaysSince(term) => {
                let Bank::Best(best) = banks.get(*term as usize)? else { return None };
                Some(Scalar::Num(Num::int(self.clock.days_since((*best.get(row)?)?))))
            }
            Val::DaysSinceDate(term) => {
                let Bank::Best(best) = banks.get(*term as usize)? else { return None };
                let days = i32::try_from((*best.get(row)?)?).ok()?;
                Some(Scalar::Num(Num::int(self.clock.days_since_date(days))))
            }
            Val::Story(story) => known.told.get(*story as usize)?.get(row).copied()??.scalar(known.log),
            Val::Combine { op, left, right } => {
                let (left, right) = (self.value(left, known, row)?, self.value(right, known, row)?);
                match (left, right) {
                    (Scalar::Num(left), Scalar::Num(right)) => left.combine((*op).into(), right).map(Scalar::Num),
                    _ => None,
                }
            }
        }
    }
}

/// Bytes of one answer's bits.
pub fn width(program: &Program) -> usize {
    (program.wanted.len() + program.lists.len() + MARKS).div_ceil(8)
}

fn scale(ty: Ty) -> u8 {
    match ty {
        Ty::Money(scale) => scale,
        _ => 0,
    }
}

fn typed(word: i64, ty: Ty, log: &Log) -> Option<Scalar<'_>> {
    Some(match ty {
        Ty::Integer | Ty::Money(_) => Scalar::Num(Num::Exact { units: i128::from(word), scale: scale(ty) }),
        Ty::Number => Scalar::Num(Num::float(f64::from_bits(ordered(word) as u64))?),
        Ty::YesNo => Scalar::YesNo(word == 1),
        Ty::Date => Scalar::Date(i32::try_from(word).ok()?),
        Ty::Instant => Scalar::Instant(word),
        Ty::Text => Scalar::Text(log.interned.texts.get(usize::try_from(word).ok()?)?),
        Ty::List => return None,
    })
}

/// Counts or sums what a set holds for each customer.
fn settle(mut pairs: Vec<(u16, i64)>, agg: Agg, here: usize) -> Bank {
    pairs.sort_unstable();
    if let Agg::SumFloat(_) = agg {
        let mut sums = vec![0.0; here];
        for (local, value) in pairs {
            if let Some(sum) = sums.get_mut(usize::from(local)) {
                *sum += f64::from_bits(ordered(value) as u64);
            }
        }
        return Bank::Float(sums);
    }
    pairs.dedup();
    let mut counts = vec![0u32; here];
    for (local, _) in pairs {
        if let Some(count) = counts.get_mut(usize::from(local)) {
            *count += 1;
        }
    }
    Bank::Count(counts)
}

fn pack(bits: impl Iterator<Item = bool>, words: usize) -> Vec<u64> {
    let mut out = vec![0; words];
    for (i, bit) in bits.enumerate() {
        if let Some(word) = out.get_mut(i / 64) {
            *word |= u64::from(bit) << (i % 64);
        }
    }
    out
}
