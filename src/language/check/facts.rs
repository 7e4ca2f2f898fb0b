//! What a single test says about the value it tests: the set of values for which it holds.
//!
//! A test is *value ∈ set*; the sets form an algebra (complement, intersection, inclusion), which is all that proofs need.
//! A set is exact, or the test is opaque (yes or no, equal to itself): so proofs are sound for a test and for its complement.

use std::collections::BTreeSet;

use crate::language::calendar::days_of;
use crate::language::catalog::Type;
use crate::language::ir::{Behaviour, Date, Op, Window};
use crate::language::num::Num;

/// One test as the prover sees it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fact {
    /// Which value is tested: equal texts are the same value.
    pub family: String,
    pub domain: Domain,
    /// Where the test holds.
    pub set: Set,
    /// The behaviour, where the value is the number of its events.
    pub count: Option<Box<Behaviour>>,
    /// The date that is tested and the window that it lies in.
    pub during: Option<(String, Window)>,
}

impl Fact {
    /// A condition of which nothing is known but its own text.
    pub fn opaque(family: String) -> Fact {
        let set = Set { missing: false, present: Present::Steps(vec![(1, 1)]) };
        Fact { family, domain: Domain::TRUTH, set, count: None, during: None }
    }

    pub fn constant(holds: bool) -> Fact {
        Fact {
            family: String::new(),
            domain: Domain::TRUTH,
            set: if holds { Domain::TRUTH.all() } else { Set::EMPTY },
            count: None,
            during: None,
        }
    }

    pub fn negated(&self) -> Fact {
        Fact { set: self.domain.complement(&self.set), ..self.clone() }
    }

    pub fn never(&self) -> bool {
        self.set.is_empty()
    }
}

/// How a number becomes a step: on the grid of 10^-scale, or between any two steps of 10^-18 there is always another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Grid {
    Decimal(u8),
    Dense,
}

const DENSE_SCALE: u8 = 12;

/// All values that there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Domain {
    pub missing: bool,
    text: bool,
    grid: Grid,
    low: i128,
    high: i128,
}

impl Domain {
    /// Yes or no.
    pub const TRUTH: Domain = Domain { missing: false, text: false, grid: Grid::Decimal(0), low: 0, high: 1 };
    /// The number of events.
    pub const COUNT: Domain = Domain { missing: false, text: false, grid: Grid::Decimal(0), low: 0, high: i128::MAX };

    /// The values of a type.
    pub fn of(ty: Type, missing: bool) -> Domain {
        let any = Domain { missing, text: false, grid: Grid::Decimal(0), low: i128::MIN, high: i128::MAX };
        match ty {
            Type::Integer | Type::Date | Type::Instant => any,
            Type::Money { scale } => Domain { grid: Grid::Decimal(scale), ..any },
            Type::Number => Domain { grid: Grid::Dense, ..any },
            Type::YesNo => Domain { low: 0, high: 1, ..any },
            Type::Text | Type::TextList => Domain { text: true, ..any },
        }
    }

    pub fn between(self, low: i128, high: i128) -> Domain {
        Domain { low, high, ..self }
    }

    /// Numbers of more than 0, at most 1; or missing.
    pub fn above_zero() -> Domain {
        Domain::of(Type::Number, true).between(1, 2 * 10i128.pow(u32::from(DENSE_SCALE)))
    }

    /// Numbers from 0, less than 1; or missing.
    pub fn below_one() -> Domain {
        Domain::of(Type::Number, true).between(0, 2 * 10i128.pow(u32::from(DENSE_SCALE)) - 1)
    }

    /// Without what is less than zero.
    pub fn at_least_zero(self) -> Domain {
        Domain { low: 0, ..self }
    }

    /// Everything, missing included where that is possible.
    pub fn all(&self) -> Set {
        Set { missing: self.missing, present: self.present() }
    }

    /// Everything that is not missing.
    pub fn known(&self) -> Set {
        Set { missing: false, present: self.present() }
    }

    fn present(&self) -> Present {
        if self.text {
            Present::Texts { except: true, texts: BTreeSet::new() }
        } else {
            Present::Steps(vec![(self.low, self.high)])
        }
    }

    pub fn complement(&self, set: &Set) -> Set {
        let present = match &set.present {
            Present::Texts { except, texts } => Present::Texts { except: !except, texts: texts.clone() },
            Present::Steps(parts) => {
                let mut rest = Vec::new();
                let mut from = Some(self.low);
                for &(low, high) in parts {
                    if let Some(start) = from
                        && start < low
                    {
                        rest.push((start, low.saturating_sub(1)));
                    }
                    from = high.checked_add(1);
                }
                if let Some(start) = from
                    && start <= self.high
                {
                    rest.push((start, self.high));
                }
                Present::Steps(rest)
            }
        };
        Set { missing: self.missing && !set.missing, present }
    }

    /// The numbers `x` with `x op n`; `None` where that can't be said exactly.
    pub fn compare(&self, op: Op, n: Num) -> Option<Set> {
        let Num::Exact { units, scale } = n else { return None };
        let (below, above) = match self.grid {
            Grid::Decimal(grid) => {
                let (floor, exact) = rescale(units, scale, grid)?;
                (floor, if exact { floor } else { floor.checked_add(1)? })
            }
            // Of 15 digits, different decimals are different floats.
            Grid::Dense if units.unsigned_abs() >= 1_000_000_000_000_000 => return None,
            Grid::Dense => {
                let (floor, exact) = rescale(units, scale, DENSE_SCALE)?;
                if !exact {
                    return None;
                }
                let at = floor.checked_mul(2)?;
                (at, at)
            }
        };
        // On the grid the number lies at `below == above`, or strictly between the two.
        let on = below == above;
        let parts = match op {
            Op::Eq if on => vec![(below, below)],
            Op::Eq => vec![],
            Op::Ne => return Some(self.complement(&self.compare(Op::Eq, n)?)),
            Op::Lt if on => vec![(self.low, below.checked_sub(1)?)],
            Op::Lt | Op::Le => vec![(self.low, below)],
            Op::Gt if on => vec![(above.checked_add(1)?, self.high)],
            Op::Gt | Op::Ge => vec![(above, self.high)],
        };
        let clipped = parts.into_iter().map(|(l, h)| (l.max(self.low), h.min(self.high))).filter(|(l, h)| l <= h);
        Some(Set { missing: false, present: Present::Steps(clipped.collect()) })
    }

    /// One of these texts.
    pub fn texts(&self, texts: impl IntoIterator<Item = String>) -> Set {
        Set { missing: false, present: Present::Texts { except: false, texts: texts.into_iter().collect() } }
    }
}

/// A number on another grid, rounded down, and whether it was on it.
fn rescale(units: i128, from: u8, to: u8) -> Option<(i128, bool)> {
    if to >= from {
        return Some((units.checked_mul(10i128.checked_pow(u32::from(to - from))?)?, true));
    }
    let step = 10i128.checked_pow(u32::from(from - to))?;
    Some((units.div_euclid(step), units.rem_euclid(step) == 0))
}

/// The number of a date.
pub(super) fn date_step(date: Date) -> Num {
    Num::int(i64::from(days_of(date)))
}

fn overlap(a: &[(i128, i128)], b: &[(i128, i128)]) -> Vec<(i128, i128)> {
    let (mut left, mut right) = (a.iter().copied().peekable(), b.iter().copied().peekable());
    let mut both = Vec::new();
    while let (Some(&(al, ah)), Some(&(bl, bh))) = (left.peek(), right.peek()) {
        if al.max(bl) <= ah.min(bh) {
            both.push((al.max(bl), ah.min(bh)));
        }
        if ah <= bh {
            left.next();
        } else {
            right.next();
        }
    }
    both
}

/// A set of values, *missing* among them or not.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Set {
    pub missing: bool,
    present: Present,
}

#[derive(Debug, Clone, PartialEq)]
enum Present {
    /// Disjoint, ascending, both ends included.
    Steps(Vec<(i128, i128)>),
    /// These texts, or all except these.
    Texts { except: bool, texts: BTreeSet<String> },
}

impl Set {
    pub const EMPTY: Set = Set { missing: false, present: Present::Steps(Vec::new()) };

    /// What lies in both. Sets of different kinds have nothing in common but *missing*.
    pub fn intersect(&self, other: &Set) -> Set {
        let present = match (&self.present, &other.present) {
            (Present::Steps(a), Present::Steps(b)) => Present::Steps(overlap(a, b)),
            (Present::Texts { except: false, texts: a }, Present::Texts { except, texts: b })
            | (Present::Texts { except, texts: b }, Present::Texts { except: false, texts: a }) => Present::Texts {
                except: false,
                texts: a.iter().filter(|t| b.contains(*t) != *except).cloned().collect(),
            },
            (Present::Texts { texts: a, .. }, Present::Texts { texts: b, .. }) => {
                Present::Texts { except: true, texts: a.union(b).cloned().collect() }
            }
            _ => Present::Steps(Vec::new()),
        };
        Set { missing: self.missing && other.missing, present }
    }

    /// The smallest and the largest step, for counts.
    pub fn bounds(&self) -> Option<(i128, i128)> {
        match &self.present {
            Present::Steps(parts) => Some((parts.first()?.0, parts.last()?.1)),
            Present::Texts { .. } => None,
        }
    }

    pub fn is_empty(&self) -> bool {
        !self.missing
            && match &self.present {
                Present::Steps(parts) => parts.is_empty(),
                Present::Texts { except, texts } => !except && texts.is_empty(),
            }
    }
}
