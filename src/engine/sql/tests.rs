//! Tests on values.
//!
//! Owns: what `=`, `in`, `contains` … are in SQL. Promises: a missing value makes every test untrue but `≠` and `not in`;
//! exact numbers are compared exactly. Must not know: where values come from.

use super::read::{Kind, Said, not};
use super::text::{self, DAY};
use super::{Bool, Val, Writer};
use crate::language::calendar::days_of;
use crate::language::ir::{Length, Literal, Op, Test, TextTest, Unit};
use crate::language::num::Num;

impl Writer<'_> {
    /// A test, given how a value is written.
    pub fn test<V>(&mut self, test: &Test<V>, value: &mut dyn FnMut(&mut Self, &V) -> Said<Val>) -> Said<Bool> {
        match test {
            Test::Compare { left, op, right } => {
                let (left, right) = (value(self, left)?, value(self, right)?);
                self.compare(&left, *op, &right)
            }
            Test::OneOf { value: of, among, negated } => {
                let of = value(self, of)?;
                let any = self.one_of(&of, among)?;
                Ok(if *negated { any.negated() } else { any })
            }
            Test::Text { value: of, how, pattern, fold } => {
                let of = value(self, of)?;
                if *fold {
                    return not("text whose case is folded");
                }
                let pattern = crate::language::text::nfc(pattern);
                let exact = text::literally(&pattern);
                let pattern = match how {
                    TextTest::Contains => format!("%{exact}%"),
                    TextTest::StartsWith => format!("{exact}%"),
                    TextTest::EndsWith => format!("%{exact}"),
                    TextTest::Matches => exact.replace('*', "%").replace('?', "_"),
                };
                Ok(Bool::new(format!("{} LIKE {} ESCAPE '\\'", of.text, text::text(&pattern)), false, of.reads))
            }
            Test::Has { .. } => not("lists of texts"),
            Test::Known(of) => {
                let of = value(self, of)?;
                Ok(Bool::new(format!("({} IS NOT NULL)", of.text), true, of.reads))
            }
            Test::During { value: of, window } => {
                let of = value(self, of)?;
                let parts = match of.kind {
                    Kind::Instant => {
                        let interval = self.clock.instants(window);
                        text::between(&of.text, interval.lo, interval.hi)
                    }
                    Kind::Date => {
                        let dates = self.clock.dates(window);
                        let (lo, hi) = (i64::from(dates.lo), i64::from(dates.hi));
                        let lo = if dates.lo == i32::MIN { i64::MIN } else { lo * DAY };
                        // The last day is in.
                        let hi = if dates.hi == i32::MAX { i64::MAX } else { (hi + 1) * DAY };
                        text::between(&of.text, lo, hi)
                    }
                    _ => return not("a window on what is no date"),
                };
                if parts.is_empty() {
                    return Ok(Bool::new(format!("({} IS NOT NULL)", of.text), true, of.reads));
                }
                Ok(Bool::new(format!("({})", text::all(&parts)), false, of.reads))
            }
            Test::Anniversary { .. } => not("anniversaries"),
            Test::Yes(of) => {
                let of = value(self, of)?;
                Ok(Bool::new(of.text, false, of.reads))
            }
        }
    }

    fn one_of(&mut self, of: &Val, among: &[Literal]) -> Said<Bool> {
        if of.kind == Kind::Text {
            let texts: Vec<String> = among
                .iter()
                .filter_map(|l| match l {
                    Literal::Text(t) => Some(text::text(t)),
                    _ => None,
                })
                .collect();
            if !texts.is_empty() && texts.len() == among.len() {
                return Ok(Bool::new(format!("{} IN ({})", of.text, texts.join(", ")), false, of.reads));
            }
        }
        let mut any = Vec::new();
        for literal in among {
            let literal = literal_value(literal);
            any.push(self.compare(of, Op::Eq, &literal)?);
        }
        Ok(Bool::joined(any, " OR ", "FALSE"))
    }

    /// Two values of one kind.
    pub fn compare(&mut self, left: &Val, op: Op, right: &Val) -> Said<Bool> {
        if left.literal.is_some() && right.literal.is_none() {
            return self.compare(right, turned(op), left);
        }
        let reads = left.reads.max(right.reads);
        let sides = match (left.kind, right.kind, right.literal) {
            (Kind::DaysSince, _, Some(n)) => return self.days_since(left, op, n),
            (Kind::DaysSince, ..) | (_, Kind::DaysSince, _) => {
                let (left, right) = (self.number(left)?, self.number(right)?);
                return self.compare(&left, op, &right);
            }
            (Kind::Exact { scale, digits }, Kind::Exact { .. }, Some(n)) => {
                return exact(left, scale, digits, op, n);
            }
            (Kind::Float, Kind::Exact { .. }, Some(n)) => (left.text.clone(), text::float(n.to_f64() + 0.0)),
            (Kind::Exact { .. }, Kind::Float, _) => (to_float(left), right.text.clone()),
            (Kind::Float, Kind::Exact { .. }, _) => (left.text.clone(), to_float(right)),
            (Kind::Exact { scale: a, .. }, Kind::Exact { scale: b, .. }, None) if a != b => {
                let wide = |v: &Val| format!("CAST({} AS DECIMAL(38, {}))", v.text, a.max(b));
                (wide(left), wide(right))
            }
            (a, b, _) if std::mem::discriminant(&a) == std::mem::discriminant(&b) => {
                (left.text.clone(), right.text.clone())
            }
            _ => return not("two kinds of values compared"),
        };
        Ok(with_sign(&sides.0, op, &sides.1, reads))
    }

    /// Whole days, of which the instants are compared: n days ago or more is at or before that edge.
    fn days_since(&mut self, of: &Val, op: Op, n: Num) -> Said<Bool> {
        let Num::Exact { units, scale } = n else { return not("days compared with a float") };
        let one = 10i128.pow(u32::from(scale.min(18)));
        let (floor, whole) = (units.div_euclid(one), units.rem_euclid(one) == 0);
        let ceil = if whole { floor } else { floor + 1 };
        let edge = |days: i128| {
            let amount = u32::try_from(days.unsigned_abs()).unwrap_or(u32::MAX);
            match days >= 0 {
                true => self.clock.back(amount, Unit::Day),
                false => self.clock.later(self.clock.as_of, Length { amount, unit: Unit::Day }),
            }
        };
        let at_least = |days: i128| format!("{} <= {}", of.text, text::instant(edge(days)));
        let under = |days: i128| format!("{} > {}", of.text, text::instant(edge(days)));
        let text = match op {
            Op::Ge => at_least(ceil),
            Op::Gt => at_least(floor + 1),
            Op::Lt => under(ceil),
            Op::Le => under(floor + 1),
            Op::Eq if whole => format!("({} AND {})", at_least(floor), under(floor + 1)),
            Op::Eq => "FALSE".to_owned(),
            Op::Ne if whole => {
                let is = format!("{} AND {}", at_least(floor), under(floor + 1));
                return Ok(Bool::new(format!("NOT COALESCE({is}, FALSE)"), true, of.reads));
            }
            Op::Ne => return Ok(Bool::new("TRUE", true, of.reads)),
        };
        Ok(Bool::new(text, false, of.reads))
    }
}

/// `a op b`, true of missing values if it is `≠`.
fn with_sign(left: &str, op: Op, right: &str, reads: usize) -> Bool {
    let sign = match op {
        Op::Eq => "=",
        Op::Ne => return Bool::new(format!("COALESCE({left} <> {right}, TRUE)"), true, reads),
        Op::Lt => "<",
        Op::Le => "<=",
        Op::Gt => ">",
        Op::Ge => ">=",
    };
    Bool::new(format!("{left} {sign} {right}"), false, reads)
}

fn turned(op: Op) -> Op {
    match op {
        Op::Lt => Op::Gt,
        Op::Le => Op::Ge,
        Op::Gt => Op::Lt,
        Op::Ge => Op::Le,
        same => same,
    }
}

/// An exact value against a number, brought to the value's own decimal places.
fn exact(left: &Val, scale: u8, digits: u8, op: Op, n: Num) -> Said<Bool> {
    let Num::Exact { units, scale: of } = n else {
        return Ok(with_sign(&to_float(left), op, &text::float(n.to_f64() + 0.0), left.reads));
    };
    let (floor, whole) = if of > scale {
        let by = 10i128.pow(u32::from((of - scale).min(36)));
        (units.div_euclid(by), units.rem_euclid(by) == 0)
    } else {
        let Some(up) = units.checked_mul(10i128.pow(u32::from(scale - of))) else { return not("so long a number") };
        (up, true)
    };
    let (op, bound) = match (op, whole) {
        (op, true) => (op, floor),
        // Between two steps: nothing is equal.
        (Op::Eq, false) => return Ok(Bool::new("FALSE", true, left.reads)),
        (Op::Ne, false) => return Ok(Bool::new("TRUE", true, left.reads)),
        (Op::Lt | Op::Le, false) => (Op::Le, floor),
        (Op::Gt | Op::Ge, false) => (Op::Gt, floor),
    };
    if bound.unsigned_abs() >= 10u128.pow(37) {
        return not("so long a number");
    }
    let _ = digits;
    Ok(with_sign(&left.text, op, &decimal(bound, scale), left.reads))
}

/// An exact number in a type that holds it.
pub fn decimal(units: i128, scale: u8) -> String {
    match (scale, i64::try_from(units)) {
        (0, Ok(n)) if n > i64::MIN => n.to_string(),
        _ => format!("CAST('{}' AS DECIMAL(38, {scale}))", Num::Exact { units, scale }),
    }
}

pub fn to_float(value: &Val) -> String {
    match value.literal {
        Some(n) => text::float(n.to_f64() + 0.0),
        None => format!("CAST({} AS DOUBLE)", value.text),
    }
}

/// A constant.
pub fn literal_value(literal: &Literal) -> Val {
    let of = |text: String, kind: Kind| Val { text, kind, reads: 0, literal: None };
    match literal {
        Literal::Num(n) => {
            let (text, kind) = match *n {
                Num::Exact { units, scale } => {
                    let digits = units.unsigned_abs().checked_ilog10().map_or(1, |d| d as u8 + 1);
                    (decimal(units, scale), Kind::Exact { scale, digits })
                }
                Num::Float(x) => (text::float(x + 0.0), Kind::Float),
            };
            Val { text, kind, reads: 0, literal: Some(*n) }
        }
        Literal::Text(t) => of(text::text(t), Kind::Text),
        Literal::YesNo(yes) => of(if *yes { "TRUE" } else { "FALSE" }.to_owned(), Kind::YesNo),
        Literal::Date(date) => of(text::date(days_of(*date)), Kind::Date),
        Literal::Instant(at) => of(text::instant(*at), Kind::Instant),
    }
}
