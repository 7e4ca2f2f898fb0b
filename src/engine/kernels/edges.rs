//! Comparisons as intervals: a sum or a number of days against a constant, without a comparison of numbers a customer.
//!
//! Owns: finding the interval. Promises: the edges are found by the comparison itself, which is monotone in what the bank holds, so
//! that an interval says of each customer what the comparison says. Must not know: how the bank is filled.

use std::cmp::Ordering;

use super::bank::Bank;
use super::bits::pack_between;
use super::replay::scale;
use crate::engine::plan::program::{Cmp, Node, Scalar, Test, Val};
use crate::language::calendar::Clock;
use crate::language::num::Num;

/// The instants of the years 1 to 9999, in microseconds; what lies outside is compared as ever.
pub const TIMES: (i64, i64) = (-62_135_596_800_000_000, 253_402_300_799_999_999);

/// No sum of 64-bit numbers is beyond these.
const SUMS: (i128, i128) = (-(1 << 120), 1 << 120);

/// A comparison that is an interval `[from, to)`, or all outside of it.
#[derive(Debug, Clone, Copy)]
pub struct Edges {
    held: Held,
    from: i128,
    to: i128,
    negated: bool,
}

/// What the bank holds of the compared value.
#[derive(Debug, Clone, Copy)]
enum Held {
    Sum(u32),
    Instant(u32),
}

impl Edges {
    /// The interval of a node, if it is such a comparison; `sums` says which terms are exact sums.
    pub fn of(node: &Node, clock: &Clock, sums: impl Fn(u32) -> bool) -> Option<Edges> {
        let Node::Test(Test::Compare { left, op, right: Val::Literal(literal) }) = node else { return None };
        let Scalar::Num(bound) = literal.scalar() else { return None };
        match left {
            Val::Term { term, ty } if sums(*term) => {
                let scale = scale(*ty);
                let order = |units| Num::Exact { units, scale }.compare(bound);
                Some(Edges::new(Held::Sum(*term), SUMS, *op, order))
            }
            // The later the instant, the fewer days; turned round, so that the order ascends.
            Val::DaysSince(term) => {
                let order =
                    |at| Num::int(clock.days_since(i64::try_from(at).unwrap_or(TIMES.1))).compare(bound).reverse();
                Some(Edges::new(Held::Instant(*term), (TIMES.0.into(), TIMES.1.into()), mirrored(*op), order))
            }
            _ => None,
        }
    }

    fn new(held: Held, (lo, hi): (i128, i128), op: Cmp, order: impl Fn(i128) -> Ordering) -> Edges {
        let same = first(lo, hi, |key| order(key) != Ordering::Less);
        let above = first(lo, hi, |key| order(key) == Ordering::Greater);
        let (from, to) = match op {
            Cmp::Eq | Cmp::Ne => (same, above),
            Cmp::Lt => (i128::MIN, same),
            Cmp::Le => (i128::MIN, above),
            Cmp::Gt => (above, i128::MAX),
            Cmp::Ge => (same, i128::MAX),
        };
        Edges { held, from, to, negated: op == Cmp::Ne }
    }

    /// Of a comparison of days: the term, and the interval `[lo, hi)` of instants for which it says yes, or of those for which it
    /// says no. Instants outside of the years 1 to 9999 are in neither.
    pub fn instants(&self) -> Option<(u32, (i64, i64))> {
        let Held::Instant(term) = self.held else { return None };
        let bound = |at: i128| i64::try_from(at.clamp(TIMES.0.into(), i128::from(TIMES.1) + 1)).unwrap_or(TIMES.1);
        Some((term, (bound(self.from), bound(self.to))))
    }

    /// Answers for all customers of a chunk; whether it could.
    pub fn answer(&self, bank: &Bank, out: &mut [u64]) -> bool {
        let (lo, hi) = self.bounds();
        match self.held {
            Held::Sum(term) => {
                let Some(sums) = bank.sums(term) else { return false };
                pack_between(sums, lo, hi, out);
            }
            Held::Instant(term) => {
                let Some(best) = bank.best(term) else { return false };
                if best.values().any(|at| at < TIMES.0 || TIMES.1 < at) {
                    return false;
                }
                best.pack_between(lo, hi, out);
            }
        }
        // What is missing passes no comparison but `≠`.
        if self.negated {
            out.iter_mut().for_each(|word| *word = !*word);
        }
        true
    }

    /// The interval among numbers of 64 bits as `[lo, hi]`, with `hi` less where there is none.
    fn bounds(&self) -> (i64, i64) {
        let whole = |bound: i128| i64::try_from(bound.clamp(i64::MIN.into(), i64::MAX.into())).unwrap_or(0);
        if self.to <= i64::MIN.into() || self.from > i64::MAX.into() {
            return (0, -1);
        }
        (whole(self.from), whole(self.to.saturating_sub(1)))
    }
}

/// The operator between the two sides, each turned round.
fn mirrored(op: Cmp) -> Cmp {
    match op {
        Cmp::Eq => Cmp::Eq,
        Cmp::Ne => Cmp::Ne,
        Cmp::Lt => Cmp::Gt,
        Cmp::Le => Cmp::Ge,
        Cmp::Gt => Cmp::Lt,
        Cmp::Ge => Cmp::Le,
    }
}

/// The first key in `[lo, hi]` from which on it is so, or the one behind.
fn first(lo: i128, hi: i128, is: impl Fn(i128) -> bool) -> i128 {
    let (mut lo, mut hi) = (lo, hi + 1);
    while lo < hi {
        let middle = lo + (hi - lo) / 2;
        if is(middle) {
            hi = middle;
        } else {
            lo = middle + 1;
        }
    }
    lo
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::plan::program::{Lit, Ty};
    use crate::engine::types;

    const OPS: [Cmp; 6] = [Cmp::Eq, Cmp::Ne, Cmp::Lt, Cmp::Le, Cmp::Gt, Cmp::Ge];

    fn says(op: Cmp, order: Ordering) -> bool {
        match op {
            Cmp::Eq => order.is_eq(),
            Cmp::Ne => order.is_ne(),
            Cmp::Lt => order.is_lt(),
            Cmp::Le => order.is_le(),
            Cmp::Gt => order.is_gt(),
            Cmp::Ge => order.is_ge(),
        }
    }

    fn holds(edges: &Edges, value: i128) -> bool {
        let (lo, hi) = edges.bounds();
        (i128::from(lo) <= value && value <= i128::from(hi)) != edges.negated
    }

    fn edges(left: Val, op: Cmp, bound: Num, clock: &Clock) -> Edges {
        let node = Node::Test(Test::Compare { left, op, right: Val::Literal(Lit::num(bound)) });
        Edges::of(&node, clock, |_| true).unwrap()
    }

    #[test]
    fn a_sum_lies_where_the_comparison_says() {
        let clock = Clock { as_of: 0, zone: types::zone("UTC") };
        let bounds = [
            Num::int(20),
            Num::int(0),
            Num::Exact { units: -1_995, scale: 3 },
            Num::Float(19.99),
            Num::Float(f64::INFINITY),
        ];
        for bound in bounds {
            for op in OPS {
                let edges = edges(Val::Term { term: 0, ty: Ty::Money(2) }, op, bound, &clock);
                let near =
                    (-210..=-190).chain(-3..3).chain(1_990..2_010).chain([i128::from(i64::MAX), i128::from(i64::MIN)]);
                for units in near {
                    let expected = says(op, Num::Exact { units, scale: 2 }.compare(bound));
                    assert_eq!(holds(&edges, units), expected, "{units} {op:?} {bound:?}");
                }
            }
        }
    }

    #[test]
    fn an_instant_lies_where_the_comparison_says() {
        const HOUR: i64 = 3_600_000_000;
        // Two days after the clock was set back in Paris.
        let clock = Clock { as_of: 1_793_059_200_000_000, zone: types::zone("Europe/Paris") };
        for bound in [Num::int(0), Num::int(1), Num::int(2), Num::int(-1), Num::Exact { units: 15, scale: 1 }] {
            for op in OPS {
                let edges = edges(Val::DaysSince(0), op, bound, &clock);
                for minutes in (-80 * 60..40 * 60).step_by(30) {
                    for at in [0, -1, 1].map(|off| clock.as_of + minutes * HOUR / 60 + off) {
                        let expected = says(op, Num::int(clock.days_since(at)).compare(bound));
                        assert_eq!(holds(&edges, at.into()), expected, "{minutes} {op:?} {bound:?}");
                    }
                }
            }
        }
    }
}
