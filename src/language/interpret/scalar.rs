//! Values as conditions see them.
//!
//! Owns: the step from what a file holds to what is compared (NFC, folding, what counts as missing), and the comparison.
//! Promises: comparison is total and by value. Must not know: events, windows, customers.

use std::cmp::Ordering;

use super::history::Datum;
use crate::language::calendar::days_of;
use crate::language::catalog::Type;
use crate::language::ir::Literal;
use crate::language::num::Num;
use crate::language::text::{fold, nfc};

/// A value that is there. Missing is `None` around this type.
#[derive(Debug, Clone)]
pub enum Scalar {
    Num(Num),
    /// NFC, and folded where the property says so.
    Text(String),
    YesNo(bool),
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds since 1970-01-01T00:00Z.
    Instant(i64),
    Texts(Vec<String>),
}

/// What the catalog says about a property or attribute, as far as its values are concerned.
#[derive(Debug, Clone, Copy)]
pub struct Reading {
    pub ty: Type,
    pub fold: bool,
    pub empty_is_value: bool,
}

impl Reading {
    /// The value that a file's datum stands for; empty text (unless it is a value) and NaN are missing.
    pub fn read(self, datum: &Datum) -> Option<Scalar> {
        let text = |t: &str| if self.fold { fold(t) } else { nfc(t) };
        match datum {
            Datum::Text(t) if t.is_empty() && !self.empty_is_value => None,
            Datum::Text(t) => Some(Scalar::Text(text(t))),
            Datum::Integer(n) => Some(Scalar::Num(Num::int(*n))),
            Datum::Money(units) => match self.ty {
                Type::Money { scale } => Some(Scalar::Num(Num::Exact { units: i128::from(*units), scale })),
                _ => None,
            },
            Datum::Number(x) => Num::float(*x).map(Scalar::Num),
            Datum::YesNo(b) => Some(Scalar::YesNo(*b)),
            Datum::Date(days) => Some(Scalar::Date(*days)),
            Datum::Instant(at) => Some(Scalar::Instant(*at)),
            Datum::TextList(list) => Some(Scalar::Texts(list.iter().map(|t| text(t)).collect())),
        }
    }
}

impl Scalar {
    pub fn literal(literal: &Literal) -> Scalar {
        match literal {
            Literal::Num(n) => Scalar::Num(*n),
            Literal::Text(t) => Scalar::Text(t.clone()),
            Literal::YesNo(b) => Scalar::YesNo(*b),
            Literal::Date(d) => Scalar::Date(days_of(*d)),
            Literal::Instant(at) => Scalar::Instant(*at),
        }
    }

    /// The order of two values of one kind. The checker lets no two kinds meet; if they did, their kinds would be ordered.
    pub fn compare(&self, other: &Scalar) -> Ordering {
        match (self, other) {
            (Scalar::Num(a), Scalar::Num(b)) => a.compare(*b),
            (Scalar::Text(a), Scalar::Text(b)) => a.cmp(b),
            (Scalar::YesNo(a), Scalar::YesNo(b)) => a.cmp(b),
            (Scalar::Date(a), Scalar::Date(b)) => a.cmp(b),
            (Scalar::Instant(a), Scalar::Instant(b)) => a.cmp(b),
            (Scalar::Texts(a), Scalar::Texts(b)) => a.cmp(b),
            _ => self.kind().cmp(&other.kind()),
        }
    }

    fn kind(&self) -> u8 {
        match self {
            Scalar::Num(_) => 0,
            Scalar::Text(_) => 1,
            Scalar::YesNo(_) => 2,
            Scalar::Date(_) => 3,
            Scalar::Instant(_) => 4,
            Scalar::Texts(_) => 5,
        }
    }
}

impl PartialEq for Scalar {
    fn eq(&self, other: &Scalar) -> bool {
        self.compare(other) == Ordering::Equal
    }
}

/// Missing before everything else.
pub fn compare_missing_first(a: Option<&Scalar>, b: Option<&Scalar>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => a.compare(b),
        _ => a.is_some().cmp(&b.is_some()),
    }
}

/// Whether a whole text fits a pattern of `*` (any run, none included) and `?` (any one character).
pub fn fits(text: &str, pattern: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    // `reach[i]`: the pattern so far can have taken the first `i` characters.
    let mut reach = vec![false; text.len() + 1];
    if let Some(start) = reach.first_mut() {
        *start = true;
    }
    for p in pattern.chars() {
        let before = reach.clone();
        let mut any = false;
        for (i, here) in reach.iter_mut().enumerate() {
            let was = before.get(i).copied().unwrap_or(false);
            any |= was;
            let previous = i.checked_sub(1);
            let step = previous.and_then(|j| before.get(j)).copied().unwrap_or(false);
            let taken = previous.and_then(|j| text.get(j));
            *here = match p {
                '*' => any,
                '?' => step,
                c => step && taken == Some(&c),
            };
        }
    }
    reach.last().copied().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (text, pattern, expected) in [
            ("", "", true),
            ("", "*", true),
            ("", "?", false),
            ("a", "?", true),
            ("serum-15", "serum*", true),
            ("serum", "serum*", true),
            ("a serum", "serum*", false),
            ("abcabc", "*abc", true),
            ("abcabd", "*abc", false),
            ("abc", "a*c*", true),
            ("âb", "?b", true),
            ("a\nb", "a*b", true),
            ("a", "A", false),
        ] {
            assert_eq!(fits(text, pattern), expected, "{text} {pattern}");
        }
    }

    #[test]
    fn what_is_missing() {
        let text = Reading { ty: Type::Text, fold: true, empty_is_value: false };
        assert_eq!(text.read(&Datum::Text(String::new())), None);
        assert_eq!(text.read(&Datum::Text("A\u{302}".into())), Some(Scalar::Text("â".into())));
        assert_eq!(text.read(&Datum::Number(f64::NAN)), None);
        let kept = Reading { empty_is_value: true, ..text };
        assert_eq!(kept.read(&Datum::Text(String::new())), Some(Scalar::Text(String::new())));
    }
}
