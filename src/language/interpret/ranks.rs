//! Who stands where among the customers.
//!
//! Owns: the order by a value, and the parts of it. Promises: the same order whatever the order of the customers.
//! Must not know: how a value comes about.

use std::cmp::Ordering;

use super::scalar::Scalar;
use super::{Population, whole};
use crate::language::ir::{Among, Arithmetic, Rank, RankEnd, RankScale, RankSize};
use crate::language::num::Num;

/// The ranked customers.
pub struct Ranking {
    /// Place in the population and value: the highest value first, then the smaller id.
    order: Vec<(usize, Scalar)>,
}

impl Ranking {
    /// Those of the population (and of `among`) of whom the value is known.
    pub fn new(population: &Population, rank: &Rank) -> Ranking {
        let mut order = Vec::new();
        for view in population.views() {
            let is_among = match rank.among {
                None => true,
                Some(Among::Rule(id)) => population.is_member(view.at, id),
                Some(Among::List(id)) => view.customer.history.lists.contains(&id),
            };
            if !view.customer.in_population || !is_among {
                continue;
            }
            if let Some(value) = view.value_of(&rank.by) {
                order.push((view.at, value, view.customer.id));
            }
        }
        alike(&mut order);
        order.sort_by(|(_, a, one), (_, b, other)| b.compare(a).then_with(|| one.cmp(other)));
        Ranking { order: order.into_iter().map(|(at, value, _)| (at, value)).collect() }
    }

    /// Whether a customer is in the part.
    pub fn has(&self, customer: usize, end: RankEnd, size: RankSize) -> bool {
        let (Some(place), ranked) = (self.place(customer), self.order.len()) else { return false };
        match (end, size) {
            (RankEnd::Top, RankSize::Number(n)) => (place as u64) < n,
            (RankEnd::Bottom, RankSize::Number(n)) => ((ranked - place) as u64) <= n,
            (RankEnd::Top, RankSize::Share(share)) => place < self.top(share),
            (RankEnd::Bottom, RankSize::Share(share)) => {
                // Whoever the rest leaves; where there is no rest, everyone.
                let rest = Num::int(1).combine(Arithmetic::Subtract, share).unwrap_or(Num::int(0));
                rest.compare(Num::int(0)) != Ordering::Greater || place >= self.top(rest)
            }
        }
    }

    /// The customer's value on a scale; `None` for whom is not ranked.
    pub fn on(&self, scale: RankScale, customer: usize) -> Option<Num> {
        let place = self.place(customer)?;
        match scale {
            RankScale::Quintile => Some(self.part(place, 5)),
            RankScale::Decile => Some(self.part(place, 10)),
            RankScale::PercentileRank => {
                let (_, value) = self.order.get(place)?;
                let smaller = self.order.iter().filter(|(_, other)| other.compare(value) == Ordering::Less).count();
                whole(smaller).combine(Arithmetic::Divide, whole(self.order.len()))
            }
        }
    }

    /// Of so many parts the highest n for which the customer is in the top of the parts from n on: a quintile of 4 or 5 is
    /// exactly the top 40 %.
    fn part(&self, place: usize, parts: i64) -> Num {
        let in_top = |n: &i64| {
            let share = Num::Exact { units: i128::from((parts + 1 - n) * (100 / parts)), scale: 2 };
            place < self.top(share)
        };
        Num::int((1..=parts).rev().find(in_top).unwrap_or(1))
    }

    /// How many are in the top: the share of the ranked, rounded half up, at least 1.
    fn top(&self, share: Num) -> usize {
        let ranked = self.order.len();
        let rounded = match share {
            Num::Exact { units, scale } => {
                let one = 10i128.pow(u32::from(scale.min(18)));
                let doubled = units.saturating_mul(2).saturating_mul(ranked as i128).saturating_add(one);
                usize::try_from(doubled.div_euclid(2 * one)).unwrap_or(0)
            }
            Num::Float(share) => (share * ranked as f64 + 0.5).floor() as usize,
        };
        rounded.max(1)
    }

    fn place(&self, customer: usize) -> Option<usize> {
        self.order.iter().position(|(at, _)| *at == customer)
    }
}

/// One way to compare all values of a ranking: exactly where all are exact and fit one scale, else all as floats. Pair by pair,
/// large exact numbers and floats would be in no order.
fn alike<T>(ranked: &mut [(usize, Scalar, T)]) {
    let numbers = || ranked.iter().filter_map(|(_, value, _)| if let Scalar::Num(n) = value { Some(*n) } else { None });
    let scale = |n: Num| if let Num::Exact { scale, .. } = n { scale } else { 0 };
    let widest = numbers().map(scale).max().unwrap_or(0);
    let fits = |n: Num| match n {
        Num::Exact { units, scale } => units.checked_mul(10i128.pow(u32::from(widest - scale))).is_some(),
        Num::Float(_) => false,
    };
    if numbers().all(fits) {
        return;
    }
    for (_, value, _) in ranked {
        if let Scalar::Num(n) = value {
            *n = Num::Float(n.to_f64());
        }
    }
}
