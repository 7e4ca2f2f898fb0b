//! What was written about time: windows, moments, dates, durations.

use super::{Phrase, Quantifier};
use crate::language::source::Span;

/// Calendar periods. Weeks begin on Monday. `on ≥ n …` counts days, weeks and months only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PeriodUnit {
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

#[derive(Debug, Clone)]
pub struct Window {
    pub kind: WindowKind,
    pub span: Span,
}

#[derive(Debug, Clone)]
pub enum WindowKind {
    /// `in 90d` (also read: `in the last 90 days`)
    In(Duration),
    /// `between 180d and 90d ago`, in either order
    BetweenAgo(Duration, Duration),
    /// `over 30d ago`
    OverAgo(Duration),
    /// `since 2026-01-01`
    Since(Moment),
    /// `before 2026-01-01`
    Before(Moment),
    /// `on 2026-01-01`
    On(Date),
    /// `between 2026-01-01 and 2026-03-31`
    Between(Moment, Moment),
    /// `ever`
    Ever,
    /// `within 30d`: forward, for dates only
    Within(Duration),
    /// `in this month`
    This(PeriodUnit),
    /// `in previous month`, `in previous 3 weeks`
    Previous(u32, PeriodUnit),
    /// `in each of previous 3 months`
    EachOfPrevious(u32, PeriodUnit),
    /// `in next month`, `in next 3 months`: forward, for dates only
    Next(u32, PeriodUnit),
    /// `since last sent where (channel = email)`
    SinceEvent(Box<SinceEvent>),
}

/// `since last E`, `since first E`, `since last 3 E`
#[derive(Debug, Clone)]
pub struct SinceEvent {
    /// `first` or `last`.
    pub which: Quantifier,
    /// 3 in `since last 3 sent`; only with `last`.
    pub back: Option<u32>,
    /// Name, subject and filter only.
    pub of: Phrase,
}

/// A date or an instant with its place.
#[derive(Debug, Clone)]
pub struct Moment {
    pub kind: MomentKind,
    pub span: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MomentKind {
    Date(Date),
    Instant(Instant),
}

/// A calendar date; the parser has proved that it exists. Years 1 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Date {
    pub year: i16,
    pub month: u8,
    pub day: u8,
}

/// A written instant. Without an offset it is in the project's zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Instant {
    pub date: Date,
    pub hour: u8,
    pub minute: u8,
    pub second: u8,
    pub micros: u32,
    /// Minutes east of UTC (`Z` is 0).
    pub offset: Option<i16>,
}

/// A written duration: `90d`, `90 days`. Amount ≥ 1.
#[derive(Debug, Clone, Copy)]
pub struct Duration {
    pub amount: u32,
    pub unit: Unit,
    pub span: Span,
}

impl std::fmt::Display for Duration {
    /// The canonical spelling: `90d`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.amount, self.unit.short())
    }
}

/// The days of a week, the first one first.
pub const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

impl Unit {
    /// As it stands behind an amount: `d`.
    pub fn short(self) -> &'static str {
        match self {
            Unit::Second => "s",
            Unit::Minute => "min",
            Unit::Hour => "h",
            Unit::Day => "d",
            Unit::Week => "w",
            Unit::Month => "mo",
            Unit::Year => "y",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unit {
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Year,
}
