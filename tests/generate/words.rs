//! Texts, numbers and moments as a rule spells them.

use segue::language::calendar::{Clock, date_of, parse_moment};
use segue::language::catalog::{KnownValues, Type};
use segue::language::ir::{Edge, Unit};
use segue::language::text::plain;

use super::dice::Dice;
use super::vocabulary::WORDS;

/// Words that never stand bare.
const RESERVED: &[&str] = &[
    "and",
    "or",
    "but",
    "not",
    "no",
    "never",
    "in",
    "on",
    "at",
    "by",
    "of",
    "as",
    "is",
    "has",
    "then",
    "where",
    "within",
    "without",
    "with",
    "between",
    "over",
    "since",
    "before",
    "ever",
    "exactly",
    "after",
    "contains",
    "starts",
    "ends",
    "matches",
    "all",
    "per",
    "among",
    "for",
    "from",
    "until",
    "when",
    "otherwise",
    "once",
    "twice",
];

/// In quotes.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn may_stand_bare(text: &str) -> bool {
    let first = text.chars().next().is_some_and(|c| c.is_ascii_alphabetic());
    first
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        && !text.ends_with('-')
        && !RESERVED.contains(&text)
}

/// A known value: bare where possible, sometimes in another case.
pub fn known_word(dice: &mut Dice, known: &KnownValues, text: &str) -> String {
    if !may_stand_bare(text) || dice.chance(25) {
        return quoted(text);
    }
    let shouted = text.to_uppercase();
    let alike = known.values.iter().filter(|v| plain(&v.text) == plain(text)).count();
    if dice.chance(10) && alike == 1 && !RESERVED.contains(&shouted.as_str()) { shouted } else { text.to_owned() }
}

/// A text that a property may be compared with.
pub fn text_value(dice: &mut Dice, known: Option<&KnownValues>, empty_is_value: bool) -> String {
    match known {
        Some(known) if !known.values.is_empty() && (known.closed || dice.chance(60)) => {
            let value = &known.values[dice.below(known.values.len())];
            match value.aliases.first() {
                Some(alias) if dice.chance(30) => alias.clone(),
                _ => known_word(dice, known, &value.text),
            }
        }
        _ if empty_is_value && dice.chance(20) => quoted(""),
        _ => quoted(dice.word(WORDS)),
    }
}

/// The amounts that rules and data share, as text.
pub const AMOUNTS: &[&str] = &["0", "1", "2", "3", "10", "-1", "-5", "20", "100"];
/// Those that are no whole numbers.
pub const FRACTIONS: &[&str] = &["0.1", "0.5", "2.5", "12.50", "19.99", "-0.3"];

/// A number that a value of this type may be compared with.
pub fn number(dice: &mut Dice, ty: Type) -> String {
    let whole = match ty {
        Type::Integer => dice.chance(93),
        Type::Money { scale: 0 } => true,
        _ => dice.chance(50),
    };
    match (whole, ty) {
        (true, _) => dice.word(AMOUNTS).to_owned(),
        (false, Type::Number) if dice.chance(20) => "50%".to_owned(),
        (false, _) => dice.word(FRACTIONS).to_owned(),
    }
}

pub fn sign(dice: &mut Dice) -> &'static str {
    dice.word(&["=", "≠", "<", "≤", ">", "≥", ">=", "<=", "!=", "="])
}

/// A comparison sign for counts, in one of its spellings, and how likely people are to write it.
pub fn count_sign(dice: &mut Dice) -> &'static str {
    dice.weighed(&[
        (40, "≥"),
        (10, "="),
        (10, "≤"),
        (8, ">"),
        (8, "<"),
        (5, "≠"),
        (10, ">="),
        (3, "at least"),
        (3, "at most"),
        (3, "exactly"),
    ])
}

const UNITS: &[(&str, &str, Unit)] = &[
    ("s", "second", Unit::Second),
    ("min", "minute", Unit::Minute),
    ("h", "hour", Unit::Hour),
    ("d", "day", Unit::Day),
    ("w", "week", Unit::Week),
    ("mo", "month", Unit::Month),
    ("y", "year", Unit::Year),
];

/// A duration and its edge. `days`: no unit shorter than a day.
pub fn duration(dice: &mut Dice, days: bool) -> (String, Edge) {
    let unit =
        if days { 3 + dice.below(4) } else { dice.weighed(&[(1, 0), (2, 1), (4, 2), (14, 3), (4, 4), (7, 5), (2, 6)]) };
    let (short, long, unit) = UNITS[unit];
    let amounts: &[u32] = match unit {
        Unit::Second => &[1, 45, 86_400],
        Unit::Minute => &[1, 30, 90],
        Unit::Hour => &[1, 12, 24, 36, 720],
        Unit::Day => &[1, 2, 3, 7, 14, 30, 31, 60, 90, 365],
        Unit::Week => &[1, 2, 6],
        Unit::Month => &[1, 2, 3, 6, 12, 13],
        Unit::Year => &[1, 2, 3],
    };
    let amount = *dice.pick(amounts);
    let text = match dice.below(6) {
        0 => format!("{amount} {long}{}", if amount == 1 { "" } else { "s" }),
        _ => format!("{amount}{short}"),
    };
    (text, Edge::Back { amount, unit })
}

/// Two durations of which it is plain which is longer, in either order.
pub fn two_durations(dice: &mut Dice, days: bool) -> ((String, Edge), (String, Edge)) {
    // Days and months, or days and hours, may be longer or shorter than one another.
    let length = |edge: Edge| match edge {
        Edge::Back { amount, unit: Unit::Second } => (0, amount),
        Edge::Back { amount, unit: Unit::Minute } => (0, amount * 60),
        Edge::Back { amount, unit: Unit::Hour } => (0, amount * 3_600),
        Edge::Back { amount, unit: Unit::Day } => (1, amount),
        Edge::Back { amount, unit: Unit::Week } => (1, amount * 7),
        Edge::Back { amount, unit: Unit::Month } => (2, amount),
        Edge::Back { amount, unit: Unit::Year } => (2, amount * 12),
        _ => (3, 0),
    };
    loop {
        let (a, b) = (duration(dice, days), duration(dice, days));
        let (long, short) = (length(a.1), length(b.1));
        if long.0 == short.0 && long.1 != short.1 {
            return (a, b);
        }
    }
}

/// A date near the as-of instant, and its edges.
pub fn date(dice: &mut Dice, clock: &Clock) -> (String, i32) {
    let today = clock.zone.date(clock.as_of);
    let back = match dice.below(4) {
        0 => dice.between(-3, 3),
        1 => dice.between(0, 40),
        _ => dice.between(0, 400),
    };
    let days = today - back as i32;
    let date = date_of(days);
    (format!("{:04}-{:02}-{:02}", date.year, date.month, date.day), days)
}

/// A written instant near the as-of instant.
pub fn instant(dice: &mut Dice, clock: &Clock) -> (String, i64) {
    let (mut text, _) = date(dice, clock);
    text += dice.word(&["T00:00", "T02:30", "T12:00:00", "T23:59:59", "T08:15:30.250", "T01:59:59.999999"]);
    text += dice.word(&["", "", "Z", "+02:00", "-05:30"]);
    let at = parse_moment(&text, &clock.zone).unwrap_or_else(|| panic!("{text} is an instant"));
    (text, at)
}
