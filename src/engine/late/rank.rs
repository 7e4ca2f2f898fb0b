//! Customers in order of a value.
//!
//! Owns: the order, its parts and its scales. Promises: a total order, whatever the values; ties stand in the order of rows, which
//! is that of ids. Must not know: where the values come from.

use std::ops::Range;

use crate::engine::plan::program::Scalar;
use crate::language::ir::{RankEnd, RankScale, RankSize};
use crate::language::num::Num;

/// In no ranking.
const NOWHERE: u32 = u32::MAX;

/// Everybody's place.
#[derive(Debug)]
pub struct Ranked {
    /// Of each row, from 0 for the highest value.
    places: Vec<u32>,
    /// Of each row how many of the ranked have a smaller value, if that is asked for.
    smaller: Vec<u32>,
    total: usize,
}

impl Ranked {
    /// Ranks those rows (ascending) that have a value.
    pub fn new<'a>(values: impl Iterator<Item = (usize, Scalar<'a>)>, rows: usize, percentiles: bool) -> Ranked {
        match keys(values) {
            Keys::Narrow(keys) => Ranked::of(keys, rows, percentiles),
            Keys::Wide(keys) => Ranked::of(keys, rows, percentiles),
        }
    }

    fn of<K: Ord + Copy>(mut keys: Vec<(K, u32)>, rows: usize, percentiles: bool) -> Ranked {
        keys.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        let total = keys.len();
        let mut places = vec![NOWHERE; rows];
        for (place, (_, row)) in keys.iter().enumerate() {
            if let Some(at) = places.get_mut(*row as usize) {
                *at = place as u32;
            }
        }
        let mut smaller = Vec::new();
        if percentiles {
            smaller = vec![0; rows];
            // From the lowest up: whoever has the value of the one before has as many below.
            let (mut last, mut below) = (None, 0);
            for (i, &(key, row)) in keys.iter().rev().enumerate() {
                if last != Some(key) {
                    (last, below) = (Some(key), i as u32);
                }
                if let Some(at) = smaller.get_mut(row as usize) {
                    *at = below;
                }
            }
        }
        Ranked { places, smaller, total }
    }

    /// Where a customer stands, the highest at 0.
    pub fn place(&self, row: usize) -> Option<usize> {
        self.places.get(row).filter(|p| **p != NOWHERE).map(|p| *p as usize)
    }

    /// The places of a part.
    pub fn part(&self, end: RankEnd, size: RankSize) -> Range<usize> {
        let number = |n: u64| usize::try_from(n).unwrap_or(usize::MAX).min(self.total);
        match (end, size) {
            (RankEnd::Top, RankSize::Share(share)) => 0..top(share, self.total),
            (RankEnd::Top, RankSize::Number(n)) => 0..number(n),
            (RankEnd::Bottom, RankSize::Share(share)) => match rest(share) {
                Some(others) => top(others, self.total)..self.total,
                None => 0..self.total,
            },
            (RankEnd::Bottom, RankSize::Number(n)) => self.total - number(n)..self.total,
        }
    }

    /// A customer's quintile and so on.
    pub fn scaled(&self, row: usize, scale: RankScale) -> Option<Num> {
        let place = self.place(row)?;
        let parts: u32 = match scale {
            RankScale::Quintile => 5,
            RankScale::Decile => 10,
            RankScale::PercentileRank => {
                let smaller = f64::from(*self.smaller.get(row)?);
                return Num::float(smaller / self.total as f64);
            }
        };
        // Quintile 5 is the top fifth, 4 is who else is in the top two fifths, and so on.
        let fits = |part: &u32| place < rounded(u128::from(*part), u128::from(parts), self.total);
        let above = (1..parts).find(fits).unwrap_or(parts);
        Some(Num::int(i64::from(parts + 1 - above)))
    }
}

/// The size of the top share.
fn top(share: Num, total: usize) -> usize {
    match share {
        Num::Exact { units, scale } => {
            let one = 10u128.pow(u32::from(scale.min(18)));
            rounded(u128::try_from(units).unwrap_or(0).min(one), one, total)
        }
        Num::Float(share) => {
            let size = (share.clamp(0.0, 1.0) * total as f64 + 0.5).floor() as usize;
            size.clamp(usize::from(total > 0), total)
        }
    }
}

/// What the share leaves; nothing of the whole.
fn rest(share: Num) -> Option<Num> {
    let others = match share {
        Num::Exact { units, scale } => {
            Num::Exact { units: 10i128.pow(u32::from(scale.min(18))).saturating_sub(units), scale }
        }
        Num::Float(share) => Num::Float(1.0 - share),
    };
    (others.to_f64() > 0.0).then_some(others)
}

/// So many parts of `of` parts of the total, rounded half up, at least 1 where there is one.
fn rounded(parts: u128, of: u128, total: usize) -> usize {
    // parts ≤ of ≤ 10^18 and the total is below 2^64: no product overflows.
    let size = (2 * parts * total as u128 + of) / (2 * of);
    usize::try_from(size).unwrap_or(total).clamp(usize::from(total > 0), total)
}

/// Values that order as whole numbers do.
enum Keys {
    Narrow(Vec<(i64, u32)>),
    Wide(Vec<(i128, u32)>),
}

/// Exact numbers are compared exactly, brought to one scale; where one of them is a float, or too large for that, all are floats.
/// That is a total order, which comparing each pair on its own is not.
fn keys<'a>(values: impl Iterator<Item = (usize, Scalar<'a>)>) -> Keys {
    let mut numbers: Vec<(Num, u32)> = Vec::new();
    let mut moments: Vec<(i64, u32)> = Vec::new();
    for (row, value) in values {
        // A population has less than 2^32 customers.
        let Ok(row) = u32::try_from(row) else { break };
        match value {
            Scalar::Num(num) => numbers.push((num, row)),
            Scalar::Date(days) => moments.push((i64::from(days), row)),
            Scalar::Instant(at) => moments.push((at, row)),
            Scalar::Text(_) | Scalar::YesNo(_) | Scalar::List(_) => {}
        }
    }
    if numbers.is_empty() {
        return Keys::Narrow(moments);
    }
    let scales = numbers.iter().map(|(num, _)| match num {
        Num::Exact { scale, .. } => Some(*scale),
        Num::Float(_) => None,
    });
    // `None` where one is a float.
    let scale = scales.collect::<Option<Vec<u8>>>().and_then(|all| all.into_iter().max());
    let narrow =
        |wanted: u8| numbers.iter().map(move |(num, row)| Some((i64::try_from(units(*num, wanted)?).ok()?, *row)));
    let wide = |wanted: u8| numbers.iter().map(move |(num, row)| Some((units(*num, wanted)?, *row)));
    if let Some(scale) = scale {
        if let Some(keys) = narrow(scale).collect() {
            return Keys::Narrow(keys);
        }
        if let Some(keys) = wide(scale).collect() {
            return Keys::Wide(keys);
        }
    }
    Keys::Narrow(numbers.iter().map(|(num, row)| (ordered(num.to_f64()), *row)).collect())
}

fn units(num: Num, wanted: u8) -> Option<i128> {
    match num {
        Num::Exact { units, scale } => units.checked_mul(10i128.checked_pow(u32::from(wanted.checked_sub(scale)?))?),
        Num::Float(_) => None,
    }
}

/// A word with the float's order; both zeros are one.
fn ordered(x: f64) -> i64 {
    let bits = (x + 0.0).to_bits() as i64;
    if bits < 0 { bits ^ i64::MAX } else { bits }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranked(values: &[Option<Num>]) -> Ranked {
        let known = values.iter().enumerate().filter_map(|(row, v)| Some((row, Scalar::Num((*v)?))));
        Ranked::new(known, values.len(), true)
    }

    fn many(n: usize) -> Ranked {
        ranked(&(0..n).map(|i| Some(Num::int(-(i as i64)))).collect::<Vec<_>>())
    }

    fn percent(n: i128) -> RankSize {
        RankSize::Share(Num::Exact { units: n, scale: 2 })
    }

    #[test]
    fn ties_stand_in_the_order_of_rows() {
        let one = Some(Num::int(1));
        let ranked = ranked(&[one, Some(Num::int(2)), None, one, Some(Num::Exact { units: 10, scale: 1 })]);
        let places: Vec<_> = (0..5).map(|row| ranked.place(row)).collect();
        assert_eq!(places, [Some(1), Some(0), None, Some(2), Some(3)]);
        let percentiles: Vec<_> = (0..5).map(|row| ranked.scaled(row, RankScale::PercentileRank)).collect();
        let quarters = |n: f64| Num::float(n / 4.0);
        assert_eq!(percentiles, [quarters(0.0), quarters(3.0), None, quarters(0.0), quarters(0.0)]);
    }

    #[test]
    fn shares_are_rounded_half_up_and_never_nobody() {
        for (share, total, size) in
            [(10, 0, 0), (10, 1, 1), (10, 4, 1), (10, 14, 1), (10, 15, 2), (10, 25, 3), (50, 3, 2), (100, 7, 7)]
        {
            assert_eq!(many(total).part(RankEnd::Top, percent(share)), 0..size, "{share}% of {total}");
        }
        // The bottom is what the top of the rest leaves: of one customer, nobody.
        for (share, total, from) in
            [(20, 0, 0), (20, 1, 1), (20, 2, 2), (20, 3, 2), (20, 10, 8), (100, 3, 0), (100, 0, 0)]
        {
            assert_eq!(many(total).part(RankEnd::Bottom, percent(share)), from..total, "bottom {share}% of {total}");
        }
    }

    #[test]
    fn numbers_of_customers() {
        for (n, top, bottom) in [(1, 0..1, 2..3), (3, 0..3, 0..3), (1_000, 0..3, 0..3)] {
            assert_eq!(many(3).part(RankEnd::Top, RankSize::Number(n)), top);
            assert_eq!(many(3).part(RankEnd::Bottom, RankSize::Number(n)), bottom);
        }
    }

    #[test]
    fn quintiles_are_tops() {
        let quintiles = |n: usize| -> Vec<String> {
            let ranked = many(n);
            (0..n).map(|row| ranked.scaled(row, RankScale::Quintile).map_or("?".into(), |q| q.to_string())).collect()
        };
        assert_eq!(quintiles(1), ["5"]);
        assert_eq!(quintiles(2), ["5", "2"]);
        assert_eq!(quintiles(3), ["5", "3", "1"]);
        assert_eq!(quintiles(4), ["5", "4", "2", "1"]);
        assert_eq!(quintiles(5), ["5", "4", "3", "2", "1"]);
        assert_eq!(quintiles(6), ["5", "4", "3", "3", "2", "1"]);
        assert_eq!(quintiles(7), ["5", "4", "4", "3", "2", "2", "1"]);
        for n in 0..40 {
            let ranked = many(n);
            for row in 0..n {
                for (scale, parts) in [(RankScale::Quintile, 5), (RankScale::Decile, 10)] {
                    let at = ranked.scaled(row, scale).unwrap();
                    for part in 1..=parts {
                        let top = ranked.part(RankEnd::Top, percent((parts + 1 - part) * 100 / parts));
                        assert_eq!(at.compare(Num::int(part as i64)).is_ge(), top.contains(&row), "{n} {row} {part}");
                    }
                }
            }
        }
    }

    #[test]
    fn orders_are_total() {
        let exact = |units, scale| Some(Num::Exact { units, scale });
        let big = i128::MAX;
        // Two numbers that are one float, and that float: pairs would go round in a circle.
        let found = ranked(&[exact((1 << 53) + 1, 0), exact(1 << 53, 0), Some(Num::Float((1u64 << 53) as f64))]);
        assert_eq!((0..3).map(|row| found.place(row)).collect::<Vec<_>>(), [Some(0), Some(1), Some(2)]);
        let found = ranked(&[exact(1 << 53, 0), exact((1 << 53) + 1, 0), exact(big, 0)]);
        assert_eq!((0..3).map(|row| found.place(row)).collect::<Vec<_>>(), [Some(2), Some(1), Some(0)]);
        let found = ranked(&[exact(big - 1, 18), exact(big, 18), exact(big, 0), Some(Num::Float(f64::NEG_INFINITY))]);
        assert_eq!((0..4).map(|row| found.place(row)).collect::<Vec<_>>(), [Some(1), Some(2), Some(0), Some(3)]);
        let found = ranked(&[Some(Num::Float(-0.0)), Some(Num::Float(0.0)), Some(Num::Float(-1.0))]);
        assert_eq!((0..3).map(|row| found.place(row)).collect::<Vec<_>>(), [Some(0), Some(1), Some(2)]);
    }
}
