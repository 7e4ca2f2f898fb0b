//! `session_gap`: how long a visit lasts without an event.

use super::Loader;
use crate::language::diagnostic::{Diagnostic, code};
use crate::language::yaml::read::{At, Literal};

const SECOND: i64 = 1_000_000;

impl Loader<'_> {
    pub(super) fn session_gap(&mut self, gap: Option<&Literal>) {
        let Some(Literal(gap)) = gap else { return };
        match micros(&gap.value) {
            Ok(micros) => self.catalog.session_gap = Some(micros),
            Err(why) => self.report(problem(gap, &why)),
        }
    }
}

/// Why a gap can't be read.
enum Why {
    /// Another spelling of something that can be read.
    Write(String),
    /// Whole days have other lengths when clocks change.
    Calendar(Option<String>),
    Nothing,
    Unreadable,
}

/// `30min`, `30 minutes`; a visit has no time zone, so that only exact units count.
fn micros(text: &str) -> Result<i64, Why> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '_').unwrap_or(text.len());
    let (amount, unit) = text.split_at_checked(digits).ok_or(Why::Unreadable)?;
    let amount = amount.replace('_', "");
    let Ok(n) = amount.parse::<u32>() else { return Err(Why::Unreadable) };
    let unit = unit.trim_start();
    let factor = match unit {
        "s" | "second" | "seconds" => 1,
        "min" | "minute" | "minutes" => 60,
        "h" | "hour" | "hours" => 3_600,
        "" | "m" | "mins" => return Err(Why::Write(format!("{amount}min"))),
        "sec" | "secs" => return Err(Why::Write(format!("{amount}s"))),
        "hr" | "hrs" => return Err(Why::Write(format!("{amount}h"))),
        "d" | "day" | "days" => return Err(Why::Calendar(n.checked_mul(24).map(|h| format!("{h}h")))),
        "w" | "week" | "weeks" | "mo" | "month" | "months" | "y" | "year" | "years" => return Err(Why::Calendar(None)),
        _ => return Err(Why::Unreadable),
    };
    if n == 0 {
        return Err(Why::Nothing);
    }
    i64::from(n).checked_mul(factor * SECOND).ok_or(Why::Unreadable)
}

fn problem(gap: &At<String>, why: &Why) -> Diagnostic {
    let message = format!("`{}` is no gap between visits", gap.value.escape_debug());
    let d = Diagnostic::new(code::yaml::GAP, gap.span, message);
    let write = |d: Diagnostic, text: &str| d.fix(format!("write `{text}`"), vec![(gap.span, text.to_owned())]);
    match why {
        Why::Write(text) => write(d.label(format!("did you mean `{text}`?")), text),
        Why::Calendar(hours) => {
            let d = d.label("days and longer units have no fixed length");
            match hours {
                Some(hours) => write(d.help(format!("write hours, minutes or seconds: `{hours}`")), hours),
                None => d.help("write hours, minutes or seconds, such as `30min`"),
            }
        }
        Why::Nothing => d.label("every event would be a visit").help("write a longer gap, such as `30min`"),
        Why::Unreadable => d.help("write a whole number of hours, minutes or seconds, such as `30min`"),
    }
}
