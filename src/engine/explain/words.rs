//! Values, tests and windows in the words of the language.
//!
//! Owns: how data is spelt. Promises: the same text for the same data; what could be written is spelt as it would be written.
//! Must not know: patterns and terms.

use crate::engine::plan::program::{Cmp, How, Lit, Scalar, Test};
use crate::engine::plan::story::{Length, Unit as Of};
use crate::language::calendar::{Zone, date_of};
use crate::language::ir::{Edge, PeriodUnit, Unit, Window};

/// Microseconds.
const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// `2026-08-23`, `2026-08-23T08:30`, in the zone; nothing at all for the ends of time.
pub fn instant(at: i64, zone: &Zone) -> String {
    let local = zone.local(at);
    let of_day = local.rem_euclid(DAY);
    let mut out = date(i32::try_from(local.div_euclid(DAY)).unwrap_or(0));
    if of_day == 0 {
        return out;
    }
    let (seconds, micros) = (of_day / SECOND, of_day % SECOND);
    out.push_str(&format!("T{:02}:{:02}", seconds / 3600, seconds / 60 % 60));
    if seconds % 60 > 0 || micros > 0 {
        out.push_str(&format!(":{:02}", seconds % 60));
    }
    if micros > 0 {
        out.push_str(&format!(".{micros:06}"));
    }
    out
}

/// `2026-08-23` of the days since 1970.
pub fn date(days: i32) -> String {
    let date = date_of(days);
    format!("{:04}-{:02}-{:02}", date.year, date.month, date.day)
}

pub fn literal(lit: &Lit, zone: &Zone) -> String {
    match lit.scalar() {
        Scalar::Num(num) => num.to_string(),
        Scalar::Text(text) => quote(text),
        Scalar::YesNo(yes) => if yes { "yes" } else { "no" }.into(),
        Scalar::Date(days) => date(days),
        Scalar::Instant(at) => instant(at, zone),
        Scalar::List(texts) => texts.join(", "),
    }
}

fn sign(op: Cmp) -> &'static str {
    match op {
        Cmp::Eq => "=",
        Cmp::Ne => "≠",
        Cmp::Lt => "<",
        Cmp::Le => "≤",
        Cmp::Gt => ">",
        Cmp::Ge => "≥",
    }
}

/// `≥ 3`
pub fn compared(op: Cmp, to: &str) -> String {
    format!("{} {to}", sign(op))
}

/// A test on values that are spelt by `value`, or the contrary of it.
pub fn test<V>(test: &Test<V>, not: bool, zone: &Zone, value: &dyn Fn(&V) -> String) -> String {
    let words = match test {
        Test::Known(v) => return format!("{} is {}", value(v), if not { "unknown" } else { "known" }),
        Test::OneOf { value: v, among, negated } => {
            let negated = *negated != not;
            let words: Vec<String> = among.iter().map(|lit| literal(lit, zone)).collect();
            return match (words.as_slice(), negated) {
                ([one], false) => format!("{} = {one}", value(v)),
                ([one], true) => format!("{} ≠ {one}", value(v)),
                (_, false) => format!("{} in ({})", value(v), words.join(", ")),
                (_, true) => format!("{} not in ({})", value(v), words.join(", ")),
            };
        }
        Test::Yes(v) => value(v),
        Test::Compare { left, op, right } => format!("{} {} {}", value(left), sign(*op), value(right)),
        Test::Text { value: v, how, pattern, .. } => {
            let how = match how {
                How::Contains => "contains",
                How::StartsWith => "starts with",
                How::EndsWith => "ends with",
                How::Matches => "matches",
            };
            format!("{} {how} {}", value(v), quote(pattern))
        }
        Test::Has { value: v, among } => match among.as_slice() {
            [one] => format!("{} has {}", value(v), quote(one)),
            _ => {
                let words: Vec<String> = among.iter().map(|text| quote(text)).collect();
                format!("{} has one of ({})", value(v), words.join(", "))
            }
        },
        Test::During { value: v, dates, .. } => format!("{} {}", value(v), days(*dates)),
        Test::Anniversary { value: v, dates } => format!("anniversary of {} {}", value(v), days(*dates)),
    };
    match (not, test) {
        (false, _) => words,
        (true, Test::Yes(_)) => format!("not {words}"),
        (true, _) => format!("not ({words})"),
    }
}

/// Plain dates, both ends in; the ends of time are open.
fn days((lo, hi): (i32, i32)) -> String {
    match (lo, hi) {
        (i32::MIN, i32::MAX) => "at any time".into(),
        (lo, i32::MAX) => format!("since {}", date(lo)),
        (i32::MIN, hi) => format!("before {}", date(hi.saturating_add(1))),
        (lo, hi) if lo == hi => format!("on {}", date(lo)),
        (lo, hi) if lo > hi => "never".into(),
        (lo, hi) => format!("between {} and {}", date(lo), date(hi)),
    }
}

/// A window as it could be written, nothing where it is ever. What has no spelling is told by its instants.
pub fn window(written: Option<&Window>, (lo, hi): (i64, i64), as_of: i64, zone: &Zone) -> String {
    if let Some(words) = written.and_then(spelt) {
        return words;
    }
    match (lo, hi) {
        (lo, hi) if lo >= hi => "never".into(),
        (i64::MIN, hi) if hi >= as_of => String::new(),
        (i64::MIN, hi) => format!("before {}", instant(hi, zone)),
        (lo, hi) if hi >= as_of => format!("since {}", instant(lo, zone)),
        (lo, hi) => format!("from {} to {}", instant(lo, zone), instant(hi, zone)),
    }
}

fn spelt(window: &Window) -> Option<String> {
    let day = |d| date(crate::language::calendar::days_of(d));
    Some(match (window.start, window.end) {
        (Some(Edge::Back { amount, unit }), Some(Edge::AsOf)) => format!("in {}", back(amount, unit)),
        (None, Some(Edge::Back { amount, unit })) => format!("over {} ago", back(amount, unit)),
        (Some(Edge::Back { amount: a, unit: u }), Some(Edge::Back { amount: b, unit: v })) => {
            format!("between {} and {} ago", back(a, u), back(b, v))
        }
        (Some(Edge::StartOfDay(d)), None) => format!("since {}", day(d)),
        (None, Some(Edge::StartOfDay(d))) => format!("before {}", day(d)),
        (Some(Edge::StartOfDay(a)), Some(Edge::EndOfDay(b))) if a == b => format!("on {}", day(a)),
        (Some(Edge::StartOfDay(a)), Some(Edge::EndOfDay(b))) => format!("between {} and {}", day(a), day(b)),
        (Some(Edge::Period { unit, offset: 0 }), Some(Edge::AsOf)) => format!("in this {}", period(unit)),
        (Some(Edge::Period { unit, offset: -1 }), Some(Edge::Period { offset: 0, .. })) => {
            format!("in previous {}", period(unit))
        }
        (Some(Edge::Period { unit, offset }), Some(Edge::Period { offset: 0, .. })) => {
            format!("in previous {} {}s", offset.unsigned_abs(), period(unit))
        }
        _ => return None,
    })
}

/// `text` bare where it is plainly a word, else in quotation marks.
fn quote(text: &str) -> String {
    let word = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    if text.starts_with(char::is_alphabetic) && text.chars().all(word) {
        return text.to_owned();
    }
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// `90d`; the checker has made seconds of hours and months of years.
fn back(amount: u32, unit: Unit) -> String {
    let (amount, unit) = match unit {
        Unit::Second if amount.is_multiple_of(3600) => (amount / 3600, "h"),
        Unit::Second if amount.is_multiple_of(60) => (amount / 60, "min"),
        Unit::Second => (amount, "s"),
        Unit::Minute => (amount, "min"),
        Unit::Hour => (amount, "h"),
        Unit::Day => (amount, "d"),
        Unit::Week => (amount, "w"),
        Unit::Month => (amount, "mo"),
        Unit::Year => (amount, "y"),
    };
    format!("{amount}{unit}")
}

/// `90d`
pub fn length(length: Length) -> String {
    let unit = match length.unit {
        Of::Second => Unit::Second,
        Of::Minute => Unit::Minute,
        Of::Hour => Unit::Hour,
        Of::Day => Unit::Day,
        Of::Week => Unit::Week,
        Of::Month => Unit::Month,
        Of::Year => Unit::Year,
    };
    back(length.amount, unit)
}

pub fn period(unit: PeriodUnit) -> &'static str {
    match unit {
        PeriodUnit::Day => "day",
        PeriodUnit::Week => "week",
        PeriodUnit::Month => "month",
        PeriodUnit::Quarter => "quarter",
        PeriodUnit::Year => "year",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::ir::Date;

    #[test]
    fn windows_are_spelt_as_they_could_be_written() {
        let utc = Zone::utc();
        let date = |day| Date { year: 2026, month: 11, day };
        let some = |start, end| Window { start, end };
        let back = |amount, unit| Some(Edge::Back { amount, unit });
        let period = |offset| Some(Edge::Period { unit: PeriodUnit::Month, offset });
        for (window_, words) in [
            (some(back(90, Unit::Day), Some(Edge::AsOf)), "in 90d"),
            (some(back(7200, Unit::Second), Some(Edge::AsOf)), "in 2h"),
            (some(back(90, Unit::Second), Some(Edge::AsOf)), "in 90s"),
            (some(None, back(12, Unit::Month)), "over 12mo ago"),
            (some(back(60, Unit::Day), back(30, Unit::Day)), "between 60d and 30d ago"),
            (some(Some(Edge::StartOfDay(date(1))), None), "since 2026-11-01"),
            (some(Some(Edge::StartOfDay(date(1))), Some(Edge::EndOfDay(date(1)))), "on 2026-11-01"),
            (some(Some(Edge::StartOfDay(date(1))), Some(Edge::EndOfDay(date(3)))), "between 2026-11-01 and 2026-11-03"),
            (some(period(0), Some(Edge::AsOf)), "in this month"),
            (some(period(-1), period(0)), "in previous month"),
            (some(period(-3), period(0)), "in previous 3 months"),
            (some(period(-3), period(-2)), "from 1970-01-01 to 1970-01-01T00:00:03.000001"),
        ] {
            assert_eq!(window(Some(&window_), (0, 3 * SECOND + 1), DAY, &utc), words);
        }
        assert_eq!(window(Some(&Window::EVER), (i64::MIN, DAY), DAY, &utc), "");
        assert_eq!(window(None, (DAY, DAY), 2 * DAY, &utc), "never");
    }

    #[test]
    fn tests_and_their_contraries() {
        let utc = Zone::utc();
        let name = |v: &&str| (*v).to_owned();
        let text = |t: &str| Lit::Text(t.into());
        let one_of = |among: &[&str], negated| Test::OneOf {
            value: "category",
            among: among.iter().map(|t| text(t)).collect(),
            negated,
        };
        for (data, yes, no) in [
            (one_of(&["anti-aging"], false), "category = anti-aging", "category ≠ anti-aging"),
            (one_of(&["a b", "c"], false), "category in (\"a b\", c)", "category not in (\"a b\", c)"),
            (one_of(&["a", "c"], true), "category not in (a, c)", "category in (a, c)"),
            (Test::Known("x"), "x is known", "x is unknown"),
            (Test::Yes("vegan"), "vegan", "not vegan"),
            (Test::Has { value: "tags", among: vec!["vip".into()] }, "tags has vip", "not (tags has vip)"),
            (
                Test::During { value: "joined", instants: (0, 0), dates: (0, i32::MAX) },
                "joined since 1970-01-01",
                "not (joined since 1970-01-01)",
            ),
        ] {
            assert_eq!(test(&data, false, &utc, &name), yes);
            assert_eq!(test(&data, true, &utc, &name), no);
        }
    }
}
