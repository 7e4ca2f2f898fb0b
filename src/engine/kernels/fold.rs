//! Folds: one value of some of a customer's deeds.
//!
//! Owns: the aggregates of stories. Promises: missing values are left out; sums and ties depend on no order.
//! Must not know: which deeds they are.

use std::cmp::Ordering;

use super::convert::ordered;
use super::hash::Map;
use super::life::{Datum, Life};
use crate::engine::plan::program::Ty;
use crate::engine::plan::story::Fold;
use crate::language::ir::PeriodUnit;
use crate::language::num::Num;

/// The value; `None` is missing.
pub fn fold(life: &Life<'_>, entries: &[u32], fold: Fold) -> Option<Datum> {
    let whole = |n: usize| Some(Datum::Num(Num::int(n as i64)));
    let since = |entry: Option<&u32>| Some(Datum::Num(Num::int(life.clock.days_since(life.time(*entry?)))));
    match fold {
        Fold::Count => whole(entries.len()),
        Fold::Periods(unit) => whole(periods(life, entries, unit.into())),
        Fold::DaysSinceFirst => since(entries.first()),
        Fold::DaysSinceLast => since(entries.last()),
        Fold::Distinct(read) => {
            let mut all = words(life, entries, read);
            all.sort_unstable();
            all.dedup();
            whole(all.len())
        }
        Fold::Sum(read) => sum(words(life, entries, read), life.ty(read)).map(Datum::Num),
        Fold::Average(read) => {
            let all = words(life, entries, read);
            let count = all.len() as f64;
            if all.is_empty() {
                return None;
            }
            let total = match sum(all, life.ty(read))? {
                Num::Exact { units, scale } => units as f64 / 10f64.powi(i32::from(scale)),
                Num::Float(total) => total,
            };
            Num::float(total / count).map(Datum::Num)
        }
        Fold::Min(read) => best(life, words(life, entries, read), read, Ordering::Less),
        Fold::Max(read) => best(life, words(life, entries, read), read, Ordering::Greater),
        Fold::Percentile(read, millionths) => {
            let ty = life.ty(read);
            let mut all = words(life, entries, read);
            all.sort_unstable_by(|a, b| life.order(*a, *b, ty));
            let all: Vec<Num> = all.into_iter().filter_map(|word| number(word, ty)).collect();
            Num::interpolate(&all, millionths).map(Datum::Num)
        }
        Fold::First(read) => {
            let at = life.time(*entries.first()?);
            let to = entries.partition_point(|&e| life.time(e) <= at);
            best(life, words(life, entries.get(..to)?, read), read, Ordering::Greater)
        }
        Fold::Last(read) => {
            let at = life.time(*entries.last()?);
            let from = entries.partition_point(|&e| life.time(e) < at);
            best(life, words(life, entries.get(from..)?, read), read, Ordering::Greater)
        }
        Fold::MostFrequent(read) => {
            let mut counts: Map<i64, usize> = Map::default();
            for word in words(life, entries, read) {
                *counts.entry(word).or_default() += 1;
            }
            let most = counts.values().copied().max()?;
            let of_those = counts.into_iter().filter(|(_, n)| *n == most).map(|(word, _)| word).collect();
            best(life, of_those, read, Ordering::Less)
        }
    }
}

/// In how many calendar periods the entries lie.
pub fn periods(life: &Life<'_>, entries: &[u32], unit: PeriodUnit) -> usize {
    let mut all: Vec<i64> = entries.iter().map(|&e| life.clock.zone.period(unit, life.time(e))).collect();
    all.sort_unstable();
    all.dedup();
    all.len()
}

fn words(life: &Life<'_>, entries: &[u32], read: u32) -> Vec<i64> {
    entries.iter().filter_map(|&e| life.word(e, read)).collect()
}

fn best(life: &Life<'_>, words: Vec<i64>, read: u32, wanted: Ordering) -> Option<Datum> {
    let ty = life.ty(read);
    let better = |a: i64, b: i64| if life.order(b, a, ty) == wanted { b } else { a };
    Datum::of(words.into_iter().reduce(better)?, ty)
}

fn number(word: i64, ty: Ty) -> Option<Num> {
    match Datum::of(word, ty)? {
        Datum::Num(n) => Some(n),
        _ => None,
    }
}

/// Exact, or of floats in ascending order.
fn sum(mut words: Vec<i64>, ty: Ty) -> Option<Num> {
    let units = |words: &[i64]| words.iter().map(|&w| i128::from(w)).sum();
    match ty {
        Ty::Integer => Some(Num::Exact { units: units(&words), scale: 0 }),
        Ty::Money(scale) => Some(Num::Exact { units: units(&words), scale }),
        _ => {
            words.sort_unstable_by_key(|w| ordered(*w));
            Num::float(words.iter().fold(0.0, |sum, w| sum + f64::from_bits(*w as u64)))
        }
    }
}
