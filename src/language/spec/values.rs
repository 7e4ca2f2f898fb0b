//! Written values to the data they stand for.
//!
//! Owns: the reading of one property or attribute value, by its type.
//! Promises: money is exact; a value of a closed set is written as the catalog knows it. Must not know: YAML.

use crate::language::calendar::{Zone, days_of, parse_date, parse_moment};
use crate::language::catalog::{KnownValues, Type};
use crate::language::diagnostic::{Diagnostic, code, nearest};
use crate::language::interpret::history::Datum;
use crate::language::source::Span;
use crate::language::syntax::ast::{Expr, ExprKind};
use crate::language::text::plain;

/// A property or attribute.
pub struct Field<'a> {
    pub name: &'a str,
    pub ty: Type,
    pub known: Option<&'a KnownValues>,
}

/// What is wrong with a value.
pub type Wrong = Box<Diagnostic>;

impl Field<'_> {
    /// The value of one text, as YAML or a quoted or bare word gives it.
    pub fn one(&self, text: &str, span: Span, zone: &Zone) -> Result<Datum, Wrong> {
        let read = match self.ty {
            Type::Text => return self.word(text, span).map(Datum::Text),
            Type::TextList => return self.word(text, span).map(|word| Datum::TextList(vec![word])),
            Type::Integer => text.replace('_', "").parse().ok().map(Datum::Integer),
            Type::Money { scale } => units(text, scale).map(Datum::Money),
            Type::Number => number(text).map(Datum::Number),
            Type::YesNo => match text {
                "yes" | "true" => Some(Datum::YesNo(true)),
                "no" | "false" => Some(Datum::YesNo(false)),
                _ => None,
            },
            Type::Date => parse_date(text).map(|d| Datum::Date(days_of(d))),
            Type::Instant => parse_moment(text, zone).map(Datum::Instant),
        };
        read.ok_or_else(|| self.wrong(text, span))
    }

    /// The value of several texts, which only a list takes.
    pub fn many(&self, texts: &[(String, Span)], span: Span) -> Result<Datum, Wrong> {
        if self.ty != Type::TextList {
            return Err(self.wrong("a list", span));
        }
        let words: Result<Vec<String>, Wrong> = texts.iter().map(|(t, s)| self.word(t, *s)).collect();
        words.map(Datum::TextList)
    }

    /// The value of an expression in a timeline; its places are those of `span`.
    pub fn expression(&self, expr: &Expr, span: Span, zone: &Zone) -> Result<Datum, Wrong> {
        match &expr.kind {
            ExprKind::Paren(inner) => self.expression(inner, span, zone),
            ExprKind::Phrase(phrase) => self.one(&phrase.name.text, span, zone),
            ExprKind::Text(text) => self.one(text, span, zone),
            ExprKind::Number(n) | ExprKind::Percent(n) => self.one(&n.to_string(), span, zone),
            ExprKind::Date(date) => match self.ty {
                Type::Date => Ok(Datum::Date(days_of(*date))),
                Type::Instant => Ok(Datum::Instant(zone.start_of_date(*date))),
                _ => Err(self.wrong("a date", span)),
            },
            ExprKind::Instant(instant) => match self.ty {
                Type::Instant => Ok(Datum::Instant(zone.instant(*instant))),
                _ => Err(self.wrong("an instant", span)),
            },
            _ => Err(self.wrong("this", span)),
        }
    }

    /// A known value as the catalog writes it; any text where the set is open.
    fn word(&self, text: &str, span: Span) -> Result<String, Wrong> {
        let Some(known) = self.known else {
            return Ok(text.to_owned());
        };
        if let Some(value) = find(known, text) {
            return Ok(value.to_owned());
        }
        if !known.closed {
            return Ok(text.to_owned());
        }
        let message = format!("`{text}` is no value of `{}`", self.name);
        let d = Diagnostic::new(code::spec::VALUE, span, message);
        let all = || known.values.iter().map(|v| v.text.as_str());
        Err(Box::new(match nearest(text, all()) {
            Some(meant) => d
                .label(format!("did you mean `{meant}`?"))
                .help(format!("`{}` has a closed set of values in the catalog", self.name)),
            None => {
                let list = all().take(8).map(|v| format!("`{v}`")).collect::<Vec<_>>().join(", ");
                d.label("the catalog does not know it").help(format!("values of `{}` are {list}", self.name))
            }
        }))
    }

    fn wrong(&self, found: &str, span: Span) -> Wrong {
        let (what, example) = match self.ty {
            Type::Text => ("text", "serum"),
            Type::TextList => ("a list of texts", "[vip, new]"),
            Type::Integer => ("a whole number", "3"),
            Type::Money { scale: 0 } => ("an amount without decimals", "12"),
            Type::Money { .. } => ("an amount", "12.50"),
            Type::Number => ("a number", "0.5"),
            Type::YesNo => ("yes or no", "true"),
            Type::Date => ("a date", "2026-11-21"),
            Type::Instant => ("a date or an instant", "2026-11-21T08:00"),
        };
        let found = if found.starts_with("a list") || matches!(found, "a date" | "an instant" | "this") {
            found.to_owned()
        } else {
            format!("`{found}`")
        };
        let mut help = format!("write it like `{example}`");
        if let Type::Money { scale } = self.ty {
            help = format!("{help}, with {scale} decimal places at most");
        }
        Box::new(
            Diagnostic::new(code::spec::VALUE, span, format!("`{}` takes {what}, not {found}", self.name))
                .label(format!("{what} is expected here"))
                .help(help),
        )
    }
}

/// The known value that a word stands for: exactly, as an alias, or alone up to case and accents.
pub fn find<'a>(known: &'a KnownValues, word: &str) -> Option<&'a str> {
    let exact = known.values.iter().find(|v| v.text == word);
    let alias = || known.values.iter().find(|v| v.aliases.iter().any(|a| a == word));
    if let Some(value) = exact.or_else(alias) {
        return Some(&value.text);
    }
    let form = plain(word);
    let mut alike =
        known.values.iter().filter(|v| plain(&v.text) == form || v.aliases.iter().any(|a| plain(a) == form));
    match (alike.next(), alike.next()) {
        (Some(one), None) => Some(&one.text),
        _ => None,
    }
}

/// `12.50` in units of 10^-scale, exactly.
pub fn units(text: &str, scale: u8) -> Option<i64> {
    let text = text.replace('_', "");
    let (negative, digits) = text.strip_prefix('-').map_or((false, text.as_str()), |t| (true, t));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let part = part.trim_end_matches('0');
    let all_digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || !all_digits(part) || part.len() > usize::from(scale) {
        return None;
    }
    let sign = if negative { "-" } else { "" };
    format!("{sign}{whole}{part:0<width$}", width = usize::from(scale)).parse().ok()
}

fn number(text: &str) -> Option<f64> {
    if text == ".nan" {
        return Some(f64::NAN);
    }
    let sound = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e' | b'E' | b'_'));
    if sound { text.replace('_', "").parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact() {
        for (text, scale, expected) in [
            ("12.50", 2, Some(1250)),
            ("12.5", 2, Some(1250)),
            ("12", 2, Some(1200)),
            ("12.500", 2, Some(1250)),
            ("12.501", 2, None),
            ("-0.05", 2, Some(-5)),
            ("1_000", 0, Some(1000)),
            ("1.0", 0, Some(1)),
            (".5", 2, None),
            ("", 2, None),
            ("-", 2, None),
            ("9223372036854775808", 0, None),
            ("1e3", 2, None),
        ] {
            assert_eq!(units(text, scale), expected, "{text} {scale}");
        }
    }
}
