//! Numbers: exact decimals and, where exactness is impossible, floating point.
//!
//! Owns: the number type that literals, properties and aggregates share, and its total comparison.
//! Promises: [`Num::Exact`] never rounds when compared with another exact number.
//! Must not know: where a number comes from.

use std::cmp::Ordering;

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
