//! Tests on values, with two truth values only.
//!
//! Owns: what `=`, `in`, `contains` … say about a value that may be missing, for rows and for customers alike.
//! Promises: a missing value makes every test false but `≠` and `not in`.

use std::cmp::Ordering;

use crate::engine::plan::program::{Cmp, How, Operand, Pred, Scalar, Test};
use crate::language::calendar::{DateRange, Zone, returns};
use crate::language::text::fold;

/// Evaluates a predicate, given how an operand is read.
pub fn pred<'a>(pred: &'a Pred, test: &impl Fn(&'a Test<Operand>) -> bool) -> bool {
    match pred {
        Pred::Const(yes) => *yes,
        Pred::And(all) => all.iter().all(|p| self::pred(p, test)),
        Pred::Or(any) => any.iter().any(|p| self::pred(p, test)),
        Pred::Not(inner) => !self::pred(inner, test),
        Pred::Test(t) => test(t),
    }
}

/// Evaluates a test, given the project's zone and how a value is read.
pub fn test<'a, V>(test: &'a Test<V>, zone: &Zone, read: &impl Fn(&'a V) -> Option<Scalar<'a>>) -> bool {
    match test {
        Test::Compare { left, op, right } => {
            let order = match (read(left), read(right)) {
                (Some(left), Some(right)) => compare(left, right),
                _ => None,
            };
            match (op, order) {
                (Cmp::Ne, order) => order != Some(Ordering::Equal),
                (_, None) => false,
                (Cmp::Eq, Some(order)) => order.is_eq(),
                (Cmp::Lt, Some(order)) => order.is_lt(),
                (Cmp::Le, Some(order)) => order.is_le(),
                (Cmp::Gt, Some(order)) => order.is_gt(),
                (Cmp::Ge, Some(order)) => order.is_ge(),
            }
        }
        Test::OneOf { value, among, negated } => {
            let found = read(value)
                .is_some_and(|value| among.iter().any(|l| compare(value, l.scalar()) == Some(Ordering::Equal)));
            found != *negated
        }
        Test::Text { value, how, pattern, fold: folds } => match read(value) {
            Some(Scalar::Text(text)) if *folds => text_test(*how, &fold(text), &fold(pattern)),
            Some(Scalar::Text(text)) => text_test(*how, text, pattern),
            _ => false,
        },
        Test::Has { value, among } => match read(value) {
            Some(Scalar::List(items)) => items.iter().any(|item| among.contains(item)),
            _ => false,
        },
        Test::Known(value) => read(value).is_some(),
        Test::During { value, instants, dates } => match read(value) {
            Some(Scalar::Instant(at)) => instants.0 <= at && at < instants.1,
            Some(Scalar::Date(day)) => dates.0 <= day && day <= dates.1,
            _ => false,
        },
        Test::Anniversary { value, dates } => match read(value) {
            Some(Scalar::Date(day)) => returns(day, DateRange { lo: dates.0, hi: dates.1 }),
            Some(Scalar::Instant(at)) => returns(zone.date(at), DateRange { lo: dates.0, hi: dates.1 }),
            _ => false,
        },
        Test::Yes(value) => matches!(read(value), Some(Scalar::YesNo(true))),
    }
}

/// The order of two values of one kind.
pub fn compare(left: Scalar<'_>, right: Scalar<'_>) -> Option<Ordering> {
    match (left, right) {
        (Scalar::Num(a), Scalar::Num(b)) => Some(a.compare(b)),
        (Scalar::Text(a), Scalar::Text(b)) => Some(a.cmp(b)),
        (Scalar::YesNo(a), Scalar::YesNo(b)) => Some(a.cmp(&b)),
        (Scalar::Date(a), Scalar::Date(b)) => Some(a.cmp(&b)),
        (Scalar::Instant(a), Scalar::Instant(b)) => Some(a.cmp(&b)),
        _ => None,
    }
}

/// One text test; both sides folded already where that is asked.
pub fn text_test(how: How, text: &str, pattern: &str) -> bool {
    match how {
        How::Contains => text.contains(pattern),
        How::StartsWith => text.starts_with(pattern),
        How::EndsWith => text.ends_with(pattern),
        How::Matches => glob(text, pattern),
    }
}

/// `*` is any run of characters, `?` is one.
fn glob(text: &str, pattern: &str) -> bool {
    let (mut text, mut pattern) = (text.chars(), pattern.chars());
    // Where to go on when the present try fails: behind the last star, one character further in the text.
    let mut retry: Option<(std::str::Chars<'_>, std::str::Chars<'_>)> = None;
    loop {
        let (before, mut ahead) = (text.clone(), pattern.clone());
        match ahead.next() {
            Some('*') => {
                retry = Some((before, ahead.clone()));
                pattern = ahead;
                continue;
            }
            Some(wanted) => {
                if let Some(found) = text.next()
                    && (wanted == '?' || wanted == found)
                {
                    pattern = ahead;
                    continue;
                }
            }
            None if text.as_str().is_empty() => return true,
            None => {}
        }
        let Some((from, behind)) = &mut retry else { return false };
        if from.next().is_none() {
            return false;
        }
        text = from.clone();
        pattern = behind.clone();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs() {
        for (text, pattern, expected) in [
            ("serum-15", "serum*", true),
            ("serum-15", "*15", true),
            ("serum-15", "s?rum-*5", true),
            ("serum-15", "serum", false),
            ("", "*", true),
            ("", "?", false),
            ("aab", "*ab", true),
            ("abcabd", "*abd", true),
        ] {
            assert_eq!(glob(text, pattern), expected, "{text} {pattern}");
        }
    }
}
