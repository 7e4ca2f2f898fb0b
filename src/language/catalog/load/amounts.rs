//! Amounts of money, percentages and quiet hours, as YAML writes them.

use crate::language::diagnostic::{Code, Diagnostic, code};
use crate::language::num::{Num, PLACES};
use crate::language::yaml::read::At;

/// What was read, or the finding.
type Read<T> = Result<T, Box<Diagnostic>>;

/// What a contact costs: not negative, exact.
pub(super) fn cost(text: &At<String>) -> Read<Num> {
    if let Some(cost) = number(&text.value) {
        return Ok(cost);
    }
    let shape = "write a number such as `0.05`; its currency is the project's";
    let d = unread(code::yaml::AMOUNT, text, "what a contact costs").help(shape);
    Err(meant(d, text, without_currency(&text.value)))
}

/// `€ 0,05` or `0.05 EUR` as `0.05`. What is said of cents is left to whoever said it.
fn without_currency(text: &str) -> Option<String> {
    let sign = |c: char| c.is_whitespace() || matches!(c, '€' | '$' | '£' | '¥') || c.is_ascii_uppercase();
    let bare = text.trim_matches(sign);
    let bare = match bare.split_once(',') {
        Some((whole, places)) if places.len() == 2 => format!("{whole}.{places}"),
        _ => bare.to_owned(),
    };
    Some(bare).filter(|bare| number(bare).is_some())
}

/// A share of the customers from 0 to less than all, as 0 to 1.
pub(super) fn holdout(text: &At<String>) -> Read<Num> {
    let share = percent(text, "`5%`")?;
    if share.compare(Num::int(1)).is_lt() {
        return Ok(share);
    }
    let d = unread(code::yaml::SHARE, text, "a share that is held out");
    Err(Box::new(d.label("nobody would ever be contacted").help("write less than `100%`")))
}

/// A percentage as a share: `50%` is 0.5.
pub(super) fn percent(text: &At<String>, such_as: &str) -> Read<Num> {
    let share = |text: &str| match number(text.strip_suffix('%')?.trim_end())? {
        Num::Exact { units, scale } => Some(Num::Exact { units, scale: scale + 2 }),
        Num::Float(_) => None,
    };
    if let Some(share) = share(&text.value) {
        return Ok(share);
    }
    let d = unread(code::yaml::SHARE, text, "a percentage").help(format!("write one such as {such_as}"));
    // A bare number may be either, and only one of the two is sensible.
    let guess = match number(text.value.trim()) {
        Some(n) if n.compare(Num::int(1)).is_lt() => percent_of(n),
        Some(_) => Some(format!("{}%", text.value.trim())),
        None => None,
    };
    Err(meant(d, text, guess.filter(|g| share(g).is_some())))
}

/// `0.05` as `5%`.
fn percent_of(n: Num) -> Option<String> {
    let Num::Exact { units, scale } = n else { return None };
    let (units, scale) = if scale >= 2 { (units, scale - 2) } else { (units.checked_mul(100)?, scale) };
    let text = Num::Exact { units, scale }.to_string();
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    Some(format!("{text}%"))
}

/// `21:00 to 08:00`, as minutes after midnight.
pub(super) fn quiet(text: &At<String>) -> Read<(u16, u16)> {
    let clock = |text: &str| match text.split_once(':') {
        Some((hour, minute)) if hour.len() == 2 && minute.len() == 2 => minutes(hour, minute),
        _ => None,
    };
    let read = text.value.split_once(" to ").and_then(|(from, to)| clock(from.trim()).zip(clock(to.trim())));
    let d = |what: &str| unread(code::yaml::QUIET, text, what);
    match read {
        Some((from, to)) if from == to => Err(Box::new(
            d("a time of some hours")
                .label("it begins when it ends")
                .help("write when it begins and when it ends, such as `21:00 to 08:00`, or leave `quiet:` out"),
        )),
        Some(hours) => Ok(hours),
        None => {
            let d = d("a time of quiet").help("write two times of the day, such as `21:00 to 08:00`");
            Err(meant(d, text, likely_hours(&text.value)))
        }
    }
}

/// `21-8`, `21:00-8:00` or `21:00 - 08:00` in the spelling that is read.
fn likely_hours(text: &str) -> Option<String> {
    let (from, to) = ["-", "–", "to", "until"].iter().find_map(|sign| text.split_once(sign))?;
    let clock = |text: &str| {
        let (hour, minute) = text.trim().split_once(':').unwrap_or((text.trim(), "00"));
        (hour.len() <= 2).then(|| minutes(hour, minute)).flatten()
    };
    let (from, to) = clock(from).zip(clock(to)).filter(|(from, to)| from != to)?;
    Some(format!("{:02}:{:02} to {:02}:{:02}", from / 60, from % 60, to / 60, to % 60))
}

fn minutes(hour: &str, minute: &str) -> Option<u16> {
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<u16>().ok()).flatten();
    let (hour, minute) = digits(hour).filter(|h| *h < 24).zip(digits(minute).filter(|m| *m < 60))?;
    Some(hour * 60 + minute)
}

/// A number without sign: digits, `_` between them, a point and some places.
fn number(text: &str) -> Option<Num> {
    let (whole, places) = match text.split_once('.') {
        Some((whole, places)) => (whole.replace('_', ""), places),
        None => (text.replace('_', ""), ""),
    };
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let whole_fits = (1..=15).contains(&whole.len()) && digits(&whole) && !text.starts_with('_');
    if !whole_fits || !digits(places) || places.len() > usize::from(PLACES) || text.ends_with(['.', '_']) {
        return None;
    }
    Some(Num::Exact { units: format!("{whole}{places}").parse().ok()?, scale: u8::try_from(places.len()).ok()? })
}

fn unread(code: Code, text: &At<String>, what: &str) -> Diagnostic {
    Diagnostic::new(code, text.span, format!("`{}` is not {what}", text.value.escape_debug()))
}

fn meant(d: Diagnostic, text: &At<String>, meant: Option<String>) -> Box<Diagnostic> {
    Box::new(match meant {
        Some(meant) => {
            d.label(format!("did you mean `{meant}`?")).fix(format!("write `{meant}`"), vec![(text.span, meant)])
        }
        None => d,
    })
}
