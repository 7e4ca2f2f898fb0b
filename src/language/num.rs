//! Numbers: exact decimals and, where exactness is impossible, floating point.
//!
//! Owns: the number type that literals, properties and aggregates share, its total comparison and its arithmetic.
//! Promises: [`Num::Exact`] never rounds when compared with another exact number.
//! Must not know: where a number comes from.

use std::cmp::Ordering;

/// Decimal places of money: what the ledger of contacts keeps of a cost.
pub const PLACES: u8 = 6;

/// What combines two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
}

/// A number without NaN: not a number is *missing*, which is `None` around this type.
#[derive(Debug, Clone, Copy)]
pub enum Num {
    /// `units` × 10^-`scale`; `scale` ≤ 18.
    Exact { units: i128, scale: u8 },
    /// The result of a division, or a property of type `number`. Finite or infinite, never NaN.
    Float(f64),
}

impl Num {
    /// A whole number.
    pub const fn int(n: i64) -> Num {
        Num::Exact { units: n as i128, scale: 0 }
    }

    /// A float, or `None` for NaN.
    pub fn float(x: f64) -> Option<Num> {
        (!x.is_nan()).then_some(Num::Float(x))
    }

    /// The nearest float: the decimal text read as a float, so equal decimals give equal floats.
    pub fn to_f64(self) -> f64 {
        match self {
            Num::Float(x) => x,
            Num::Exact { units, scale: 0 } => units as f64,
            // Both operands are exact up to 2^53 and 10^22, and division is correctly rounded; beyond that the text decides.
            Num::Exact { units, scale } if units.unsigned_abs() <= 1 << 53 => {
                units as f64 / 10f64.powi(i32::from(scale))
            }
            Num::Exact { units, scale } => format!("{units}e-{scale}").parse().unwrap_or(f64::INFINITY),
        }
    }

    /// A calculation. Sums, differences and products of exact numbers are exact as long as they fit 128 bits and 18 decimals; all
    /// else, and every quotient, is calculated in floats. A division by zero and what is no number are missing.
    pub fn combine(self, op: Arithmetic, other: Num) -> Option<Num> {
        let exact = match (self, other) {
            (Num::Exact { units: a, scale: s }, Num::Exact { units: b, scale: t }) => match op {
                Arithmetic::Add | Arithmetic::Subtract => {
                    let scale = s.max(t);
                    let up = |units: i128, from: u8| units.checked_mul(10i128.checked_pow(u32::from(scale - from))?);
                    up(a, s).zip(up(b, t)).and_then(|(a, b)| {
                        let units = if op == Arithmetic::Add { a.checked_add(b) } else { a.checked_sub(b) };
                        units.map(|units| Num::Exact { units, scale })
                    })
                }
                Arithmetic::Multiply => {
                    let scale = s.saturating_add(t);
                    a.checked_mul(b).filter(|_| scale <= 18).map(|units| Num::Exact { units, scale })
                }
                Arithmetic::Divide => None,
            },
            _ => None,
        };
        let (a, b) = (self.to_f64(), other.to_f64());
        exact.or_else(|| match op {
            Arithmetic::Add => Num::float(a + b),
            Arithmetic::Subtract => Num::float(a - b),
            Arithmetic::Multiply => Num::float(a * b),
            Arithmetic::Divide if b == 0.0 => None,
            Arithmetic::Divide => Num::float(a / b),
        })
    }

    /// The value that lies `millionths` of the way from the first to the last of ascending values, between two of them linearly
    /// (Hyndman and Fan's type 7, as in NumPy and DuckDB's `quantile_cont`). Exact where the values are. `None` of nothing.
    pub fn interpolate(ascending: &[Num], millionths: u32) -> Option<Num> {
        const ONE: u64 = 1_000_000;
        let steps = ascending.len().checked_sub(1)? as u64;
        let way = steps.saturating_mul(u64::from(millionths.min(ONE as u32)));
        let (at, part) = ((way / ONE) as usize, way % ONE);
        let low = *ascending.get(at)?;
        let Some(&high) = ascending.get(at + 1).filter(|_| part > 0) else { return Some(low) };
        if low == high {
            return Some(low);
        }
        let part = Num::Exact { units: i128::from(part), scale: 6 };
        let between = high.combine(Arithmetic::Subtract, low)?.combine(Arithmetic::Multiply, part)?;
        low.combine(Arithmetic::Add, between)
    }

    /// Total order by value. Exact against exact is exact; otherwise both are compared as floats.
    pub fn compare(self, other: Num) -> Ordering {
        match (self, other) {
            (Num::Exact { units: a, scale: s }, Num::Exact { units: b, scale: t }) => {
                let (up_a, up_b) =
                    (10i128.pow(u32::from(t.saturating_sub(s))), 10i128.pow(u32::from(s.saturating_sub(t))));
                match (a.checked_mul(up_a), b.checked_mul(up_b)) {
                    (Some(a), Some(b)) => a.cmp(&b),
                    _ => self.to_f64().total_cmp(&other.to_f64()),
                }
            }
            // `+ 0.0` makes -0.0 equal to 0.0.
            _ => (self.to_f64() + 0.0).total_cmp(&(other.to_f64() + 0.0)),
        }
    }
}

impl PartialEq for Num {
    fn eq(&self, other: &Num) -> bool {
        self.compare(*other) == Ordering::Equal
    }
}

impl std::fmt::Display for Num {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {
            Num::Float(x) => write!(f, "{x}"),
            Num::Exact { units, scale: 0 } => write!(f, "{units}"),
            Num::Exact { units, scale } => {
                let sign = if units < 0 { "-" } else { "" };
                let digits = format!("{:0>width$}", units.unsigned_abs(), width = usize::from(scale) + 1);
                let (whole, part) = digits.split_at(digits.len() - usize::from(scale));
                write!(f, "{sign}{whole}.{part}")
            }
        }
    }
}
