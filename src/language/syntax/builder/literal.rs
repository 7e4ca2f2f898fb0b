//! Numbers, durations, dates and instants.

use super::*;
use crate::language::num::Num;

/// A value, or a duration where a value may stand.
pub(super) enum Literal {
    Expr(Expr),
    Duration(Duration),
}

/// Digits before the decimal point, and behind it. Sums of such numbers stay exact.
const MAX_WHOLE: usize = 18;
const MAX_PART: usize = 9;

impl Builder<'_> {
    pub(super) fn literal(&mut self, pair: &Pair) -> Literal {
        let span = self.span(pair);
        let kind = match pair.as_rule() {
            Rule::duration => return Literal::Duration(self.duration(pair)),
            Rule::text | Rule::text_wrong => ExprKind::Text(self.unquote(pair)),
            Rule::number => self.number(pair.as_str(), span).map_or(ExprKind::Error, ExprKind::Number),
            Rule::number_wrong => {
                let plain = pair.as_str().replace(',', "_");
                let d = self
                    .error(codes::NUMBER, span, format!("`{}` is written `{plain}`", pair.as_str()))
                    .label("a comma parts the entries of a list")
                    .fix(format!("write `{plain}`"), vec![(span, plain.clone())]);
                self.say(d);
                self.number(&plain, span).map_or(ExprKind::Error, ExprKind::Number)
            }
            Rule::percent => self.percent(pair, span),
            Rule::glued_wrong => {
                self.glued(pair.as_str(), span);
                ExprKind::Error
            }
            _ => match self.moment(pair) {
                Some(Moment { kind: MomentKind::Date(d), .. }) => ExprKind::Date(d),
                Some(Moment { kind: MomentKind::Instant(i), .. }) => ExprKind::Instant(i),
                None => ExprKind::Error,
            },
        };
        Literal::Expr(Expr { kind, span })
    }

    /// `3in`: a number that touches a letter.
    pub(super) fn glued(&mut self, text: &str, span: Span) {
        let digits = text.bytes().take_while(|b| !b.is_ascii_alphabetic()).count().min(text.len());
        let (number, word) = (text.get(..digits).unwrap_or(text), text.get(digits..).unwrap_or(""));
        let mut d = self.error(codes::NUMBER, span, format!("`{text}` is neither a number nor a name"));
        if word.is_empty() || number.is_empty() {
            d = d
                .label("a name begins with a letter")
                .help(format!("as a value it is quoted: {}", words::quoted(text)));
        } else {
            d = d.label("a number must not touch a letter").help(format!(
                "a blank between them, `{number} {word}`, or quotation marks if it is one value, {}",
                words::quoted(text)
            ));
        }
        self.say(d);
    }

    pub(super) fn number(&mut self, text: &str, span: Span) -> Option<Num> {
        let digits: String = text.chars().filter(|c| *c != '_').collect();
        let (negative, digits) = match digits.strip_prefix('-') {
            Some(rest) => (true, rest.to_string()),
            None => (false, digits),
        };
        let (whole, part) = digits.split_once('.').unwrap_or((&digits, ""));
        let whole = whole.trim_start_matches('0');
        if whole.len() > MAX_WHOLE || part.len() > MAX_PART {
            let (what, limit) = if whole.len() > MAX_WHOLE { ("before", MAX_WHOLE) } else { ("behind", MAX_PART) };
            let d = self
                .error(codes::NUMBER, span, "the number has too many digits")
                .label(format!("at most {limit} digits stand {what} the decimal point"));
            self.say(d);
            return None;
        }
        let units: i128 = format!("{whole}{part}").parse().unwrap_or(0);
        let scale = u8::try_from(part.len()).unwrap_or(0);
        Some(Num::Exact { units: if negative { -units } else { units }, scale })
    }

    fn percent(&mut self, pair: &Pair, span: Span) -> ExprKind {
        let text = pair.as_str();
        let number = text.trim_end_matches('%');
        let bare = number.trim_end();
        if bare.len() != number.len() {
            self.spelt(span, &format!("{bare}%"));
        }
        match self.number(bare, span) {
            Some(Num::Exact { units, scale }) => {
                // 20% is 0.2: as few digits as the number needs.
                let (mut units, mut scale) = (units, scale + 2);
                while scale > 0 && units % 10 == 0 {
                    units /= 10;
                    scale -= 1;
                }
                ExprKind::Percent(Num::Exact { units, scale })
            }
            _ => ExprKind::Error,
        }
    }

    /// A whole number that fits 32 bits.
    pub(super) fn small(&mut self, text: &str, span: Span) -> Option<u32> {
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        match digits.parse::<u32>() {
            Ok(n) => Some(n),
            Err(_) => {
                let d = self.error(codes::NUMBER, span, "the number is too large").label("at most 4294967295");
                self.say(d);
                None
            }
        }
    }

    /// A duration; a mistake is reported and something near it is given.
    pub(super) fn duration(&mut self, pair: &Pair) -> Duration {
        let (text, span) = (pair.as_str(), self.span(pair));
        self.duration_of(text, span)
    }

    pub(super) fn duration_of(&mut self, text: &str, span: Span) -> Duration {
        let split = text.bytes().take_while(|b| b.is_ascii_digit() || *b == b'_').count();
        let (digits, rest) = (text.get(..split).unwrap_or(""), text.get(split..).unwrap_or(""));
        let word = rest.trim_start();
        let apart = word.len() != rest.len();
        let plain: String = digits.chars().filter(|c| *c != '_').collect();
        let mut amount = self.small(digits, span).unwrap_or(1);
        let unit = match word {
            "s" => Unit::Second,
            "min" => Unit::Minute,
            "h" => Unit::Hour,
            "d" => Unit::Day,
            "w" => Unit::Week,
            "mo" => Unit::Month,
            "y" => Unit::Year,
            _ => return self.long_duration(digits, word, amount, span),
        };
        if apart {
            let should = format!("{plain}{word}");
            let d = self
                .error(codes::DURATION, span, format!("`{text}` is written `{should}`"))
                .label("a short unit touches its number")
                .fix(format!("write `{should}`"), vec![(span, should)]);
            self.say(d);
        }
        if amount == 0 {
            amount = self.zero(span);
        }
        Duration { amount, unit, span }
    }

    fn zero(&mut self, span: Span) -> u32 {
        let d = self.error(codes::DURATION, span, "a duration is at least 1").label("no time at all");
        self.say(d);
        1
    }

    fn long_duration(&mut self, digits: &str, word: &str, mut amount: u32, span: Span) -> Duration {
        let plain: String = digits.chars().filter(|c| *c != '_').collect();
        let text = self.slice(span);
        let many = [
            ("second", Unit::Second, "s"),
            ("minute", Unit::Minute, "min"),
            ("hour", Unit::Hour, "h"),
            ("day", Unit::Day, "d"),
            ("week", Unit::Week, "w"),
            ("month", Unit::Month, "mo"),
            ("year", Unit::Year, "y"),
        ];
        if amount == 0 {
            amount = self.zero(span);
        }
        for (one, unit, short) in many {
            if word.strip_suffix('s') == Some(one) || word == one && amount == 1 {
                return Duration { amount, unit, span };
            }
            if word == one {
                let should = format!("{plain}{short}");
                let d = self
                    .error(codes::DURATION, span, format!("`{text}` is written `{should}`"))
                    .label(format!("`{one}` is one {one} only"))
                    .help(format!("`{plain} {one}s` is read as well"))
                    .fix(format!("write `{should}`"), vec![(span, should)]);
                self.say(d);
                return Duration { amount, unit, span };
            }
        }
        let folded = word.to_lowercase();
        let meant = match folded.as_str() {
            "s" | "sec" | "secs" | "second" | "seconds" => Some((Unit::Second, "s")),
            "min" | "mins" | "minute" | "minutes" => Some((Unit::Minute, "min")),
            "h" | "hr" | "hrs" | "hour" | "hours" => Some((Unit::Hour, "h")),
            "d" | "day" | "days" => Some((Unit::Day, "d")),
            "w" | "wk" | "wks" | "week" | "weeks" => Some((Unit::Week, "w")),
            "mo" | "mos" | "mon" | "mth" | "mths" | "month" | "months" => Some((Unit::Month, "mo")),
            "y" | "yr" | "yrs" | "year" | "years" => Some((Unit::Year, "y")),
            _ => None,
        };
        let d = if let Some((unit, short)) = meant {
            let should = format!("{plain}{short}");
            let d = self
                .error(codes::DURATION, span, format!("`{text}` is written `{should}`"))
                .label(format!("`{word}` is no unit"))
                .fix(format!("write `{should}`"), vec![(span, should)]);
            self.say(d);
            return Duration { amount, unit, span };
        } else if folded == "m" {
            self.error(codes::DURATION, span, format!("`{text}` may be minutes or months"))
                .label("`m` is no unit")
                .help(format!("`{plain}min` for minutes, `{plain}mo` for months"))
        } else if folded.starts_with('q') {
            let months = amount.saturating_mul(3);
            self.error(codes::DURATION, span, format!("`{word}` is no unit of a duration"))
                .label("the units are `s min h d w mo y`")
                .fix(format!("write `{months}mo`"), vec![(span, format!("{months}mo"))])
        } else if ["in", "and", "or", "but", "on", "times", "time", "x", "over", "since"].contains(&word) {
            let should = format!("{digits} {word}");
            self.error(codes::NUMBER, span, format!("a blank is missing in `{text}`"))
                .label("a number must not touch a letter")
                .help(format!("write `{should}`"))
        } else {
            self.error(codes::DURATION, span, format!("`{text}` is neither a number nor a duration"))
                .label(format!("`{word}` is no unit; the units are `s min h d w mo y`"))
                .help(format!("a value that begins with a digit is quoted: {}", words::quoted(text)))
        };
        self.say(d);
        Duration { amount, unit: Unit::Day, span }
    }

    /// A date or an instant, if it exists.
    pub(super) fn moment(&mut self, pair: &Pair) -> Option<Moment> {
        let (text, span) = (pair.as_str(), self.span(pair));
        let kind = match pair.as_rule() {
            Rule::date => MomentKind::Date(self.date_of(text, span)?),
            Rule::instant => MomentKind::Instant(self.instant_of(text, span)?),
            Rule::instant_wrong => {
                let date = text.get(..10).unwrap_or("");
                let clock =
                    text.get(10..).unwrap_or("").trim_start_matches(['t', ' ', '\t', '\u{A0}', '\u{202F}', '\u{3000}']);
                let should = format!("{date}T{clock}");
                let d = self
                    .error(codes::DATE, span, format!("an instant is written `{should}`"))
                    .label("`T` stands between the date and the time of day")
                    .fix(format!("write `{should}`"), vec![(span, should.clone())]);
                self.say(d);
                MomentKind::Instant(self.instant_of(&should, span)?)
            }
            _ => {
                self.date_wrong(text, span);
                return None;
            }
        };
        Some(Moment { kind, span })
    }

    fn date_wrong(&mut self, text: &str, span: Span) {
        let parts: Vec<u32> = text.split(['-', '/', '.']).map(|p| p.parse().unwrap_or(0)).collect();
        let mut d = self
            .error(codes::DATE, span, format!("`{text}` is no date"))
            .label("a date is written year, month, day: `2026-11-21`");
        // Day and month can be told apart only where the year leads or one of them is above 12.
        let (year, a, b) = match parts.as_slice() {
            [y, a, b] if *y >= 1000 => (*y, *a, *b),
            [d, m, y] if *y >= 1000 && (text.contains('.') || *d > 12) => (*y, *m, *d),
            [m, d, y] if *y >= 1000 && *d > 12 => (*y, *m, *d),
            _ => (0, 0, 0),
        };
        if exists(year, a, b) {
            let should = format!("{year:04}-{a:02}-{b:02}");
            d = d.fix(format!("write `{should}`"), vec![(span, should)]);
        }
        self.say(d);
    }

    fn date_of(&mut self, text: &str, span: Span) -> Option<Date> {
        let part = |range| text.get(range).and_then(|t: &str| t.parse::<u32>().ok()).unwrap_or(0);
        let (year, month, day) = (part(0..4), part(5..7), part(8..10));
        if exists(year, month, day) {
            return Some(Date {
                year: i16::try_from(year).ok()?,
                month: u8::try_from(month).ok()?,
                day: u8::try_from(day).ok()?,
            });
        }
        let shown = text.get(..10).unwrap_or(text);
        let d = self.error(codes::DATE, span, format!("there is no {shown}"));
        let d = if year == 0 {
            d.label("years run from 0001 to 9999")
        } else if !(1..=12).contains(&month) {
            d.label("months run from 01 to 12")
        } else {
            let last = days_in(year, month);
            let nearest = format!("{year:04}-{month:02}-{:02}", day.clamp(1, last));
            d.label(format!("{year:04}-{month:02} has {last} days")).help(format!("the nearest day is `{nearest}`"))
        };
        self.say(d);
        None
    }

    fn instant_of(&mut self, text: &str, span: Span) -> Option<Instant> {
        let date = self.date_of(text, span)?;
        let part = |range| text.get(range).and_then(|t: &str| t.parse::<u8>().ok());
        let (hour, minute) = (part(11..13).unwrap_or(0), part(14..16).unwrap_or(0));
        let mut rest = text.get(16..).unwrap_or("");
        let mut second = 0;
        let mut micros = 0;
        if let Some(tail) = rest.strip_prefix(':') {
            second = tail.get(..2).and_then(|t| t.parse().ok()).unwrap_or(0);
            rest = tail.get(2..).unwrap_or("");
            if let Some(tail) = rest.strip_prefix('.') {
                let n = tail.bytes().take_while(u8::is_ascii_digit).count();
                let digits = tail.get(..n).unwrap_or("");
                rest = tail.get(n..).unwrap_or("");
                if n > 6 {
                    let d = self
                        .error(codes::DATE, span, "an instant is exact to the microsecond")
                        .label("at most six digits stand behind the point");
                    self.say(d);
                    return None;
                }
                micros = format!("{digits:0<6}").parse().unwrap_or(0);
            }
        }
        let mut offset = None;
        let mut far = false;
        if rest == "Z" {
            offset = Some(0);
        } else if rest.len() == 6 {
            let hours: i16 = rest.get(1..3).and_then(|t| t.parse().ok()).unwrap_or(0);
            let minutes: i16 = rest.get(4..6).and_then(|t| t.parse().ok()).unwrap_or(0);
            far = hours * 60 + minutes > 18 * 60 || minutes > 59;
            let east = hours * 60 + minutes;
            offset = Some(if rest.starts_with('-') { -east } else { east });
        }
        if hour > 23 || minute > 59 || second > 59 || far {
            let label = if hour == 24 {
                "a day ends with the next day's 00:00"
            } else if far {
                "offsets run from -18:00 to +18:00"
            } else {
                "times of day run from 00:00:00 to 23:59:59"
            };
            let d = self.error(codes::DATE, span, format!("there is no `{text}`")).label(label);
            self.say(d);
            return None;
        }
        Some(Instant { date, hour, minute, second, micros, offset })
    }
}

fn days_in(year: u32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 31,
    }
}

fn exists(year: u32, month: u32, day: u32) -> bool {
    (1..=9999).contains(&year) && (1..=12).contains(&month) && (1..=days_in(year, month)).contains(&day)
}
