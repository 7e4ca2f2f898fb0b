//! Tests on values, the same for an event's properties and a customer's values.
//!
//! Owns: what each test says, missing values included. Promises: exactly `≠` and `not in` are true of a missing value.
//! Must not know: where a value comes from.

use super::scalar::{Scalar, fits};
use crate::language::calendar::{Clock, returns};
use crate::language::ir::{Op, Test, TextTest};
use crate::language::text::{fold, nfc};

/// Somebody who knows the values that a test speaks of.
pub trait Answers<V> {
    /// The value; `None` is missing.
    fn value(&self, of: &V) -> Option<Scalar>;
    fn clock(&self) -> &Clock;
}

/// Whether a test holds.
pub fn holds_test<V>(test: &Test<V>, answers: &impl Answers<V>) -> bool {
    match test {
        Test::Compare { left, op, right } => match (answers.value(left), answers.value(right)) {
            (Some(left), Some(right)) => op.holds(left.compare(&right)),
            _ => *op == Op::Ne,
        },
        Test::OneOf { value, among, negated } => {
            let value = answers.value(value);
            let is_in = value.is_some_and(|v| among.iter().any(|literal| v == Scalar::literal(literal)));
            is_in != *negated
        }
        Test::Text { value, how, pattern, fold: folded } => match answers.value(value) {
            Some(Scalar::Text(text)) => {
                let like = |t: &str| if *folded { fold(t) } else { nfc(t) };
                let (text, pattern) = (like(&text), like(pattern));
                match how {
                    TextTest::Contains => text.contains(&pattern),
                    TextTest::StartsWith => text.starts_with(&pattern),
                    TextTest::EndsWith => text.ends_with(&pattern),
                    TextTest::Matches => fits(&text, &pattern),
                }
            }
            _ => false,
        },
        Test::Has { value, among } => match answers.value(value) {
            Some(Scalar::Texts(texts)) => texts.iter().any(|t| among.contains(t)),
            _ => false,
        },
        Test::Known(value) => answers.value(value).is_some(),
        Test::During { value, window } => match answers.value(value) {
            Some(Scalar::Date(days)) => answers.clock().dates(window).contains(days),
            Some(Scalar::Instant(at)) => answers.clock().instants(window).contains(at),
            _ => false,
        },
        Test::Anniversary { value, window } => {
            let clock = answers.clock();
            let days = match answers.value(value) {
                Some(Scalar::Date(days)) => days,
                Some(Scalar::Instant(at)) => clock.zone.date(at),
                _ => return false,
            };
            returns(days, clock.dates(window))
        }
        Test::Yes(value) => matches!(answers.value(value), Some(Scalar::YesNo(true))),
    }
}
