//! What was written about campaigns: arms, clauses, policies.

use super::{Date, Duration, Expr, Function, Name, Num, Phrase, Span, Word};

/// `campaign NAME [was OLD] ["Title"]: CONDITION ARM+ CLAUSE*`
#[derive(Debug, Clone)]
pub struct Campaign {
    pub description: Option<String>,
    pub name: Name,
    pub was: Option<Name>,
    pub title: Option<Word>,
    pub condition: Expr,
    /// One at least.
    pub arms: Vec<Arm>,
    /// In the order of the text, each kind once.
    pub clauses: Vec<Clause>,
    pub span: Span,
}

/// `CONDITION ARM* CLAUSE*`, named after the file: a campaign with arms, a segment without.
#[derive(Debug, Clone)]
pub struct Bare {
    pub description: Option<String>,
    pub condition: Expr,
    pub arms: Vec<Arm>,
    /// Only where there are arms.
    pub clauses: Vec<Clause>,
    pub span: Span,
}

/// `policy NAME: at most 3 contacts in 7d by email, sms; …`
#[derive(Debug, Clone)]
pub struct Policy {
    pub description: Option<String>,
    pub name: Name,
    /// One at least.
    pub rules: Vec<PolicyRule>,
    pub span: Span,
}

/// `at most 3 contacts in 7d [by email, sms]`
#[derive(Debug, Clone)]
pub struct PolicyRule {
    pub at_most: Frequency,
    /// None is all.
    pub channels: Vec<Name>,
    pub span: Span,
}

/// `→ …`
#[derive(Debug, Clone)]
pub struct Arm {
    pub kind: ArmKind,
    /// From the arrow on.
    pub span: Span,
}

#[derive(Debug, Clone)]
pub enum ArmKind {
    /// `→ ACTION`
    All(Action),
    /// `→ when CONDITION: ACTION`
    When { condition: Expr, action: Action },
    /// `→ otherwise: ACTION`
    Otherwise(Action),
    /// `→ NAME 45%: ACTION`, the share as the number 0.45.
    Share { name: Name, share: Figure, action: Action },
    /// `→ hold out 10%`
    HoldOut(Figure),
}

impl Arm {
    /// What is done; nothing with whom is held out.
    pub fn action(&self) -> Option<&Action> {
        match &self.kind {
            ArmKind::All(action)
            | ArmKind::When { action, .. }
            | ArmKind::Otherwise(action)
            | ArmKind::Share { action, .. } => Some(action),
            ArmKind::HoldOut(_) => None,
        }
    }
}

/// `VERB ARGUMENT* [by CHANNEL]`: `offer serum-15 by email`
#[derive(Debug, Clone)]
pub struct Action {
    pub verb: Name,
    pub arguments: Vec<Word>,
    pub by: Option<Name>,
    pub span: Span,
}

/// A number and its place.
#[derive(Debug, Clone, Copy)]
pub struct Figure {
    pub n: Num,
    pub span: Span,
}

/// What a campaign says behind its arms.
#[derive(Debug, Clone)]
pub struct Clause {
    pub kind: ClauseKind,
    pub span: Span,
}

#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "a campaign has a handful of clauses")]
pub enum ClauseKind {
    /// `priority 80`
    Priority(Figure),
    /// `at most 1 in 30d`
    AtMost(Frequency),
    /// `limit 50_000 [by VALUE]`
    Limit { n: Figure, by: Option<Expr> },
    /// `with VALUE as name, …`
    With(Vec<Payload>),
    /// `goal BEHAVIOUR within 14d [, value …]`
    Goal(Goal),
    /// `every monday, thursday at 09:00`
    Every { days: Vec<Weekday>, at: ClockTime },
    /// `from 2026-10-01 until 2026-12-31`, one of them at least.
    Dates { from: Option<Day>, until: Option<Day> },
    /// `cost 0.05`
    Cost(Figure),
    /// `budget 5_000`
    Budget(Figure),
    /// `except vip, staff`; one at least.
    Except(Vec<Name>),
    /// `quiet 21:00 to 08:00`
    Quiet { from: ClockTime, to: ClockTime },
}

impl ClauseKind {
    /// The words that it begins with.
    pub fn word(&self) -> &'static str {
        match self {
            ClauseKind::Priority(_) => "priority",
            ClauseKind::AtMost(_) => "at most",
            ClauseKind::Limit { .. } => "limit",
            ClauseKind::With(_) => "with",
            ClauseKind::Goal(_) => "goal",
            ClauseKind::Every { .. } => "every",
            ClauseKind::Dates { from: Some(_), .. } => "from",
            ClauseKind::Dates { .. } => "until",
            ClauseKind::Cost(_) => "cost",
            ClauseKind::Budget(_) => "budget",
            ClauseKind::Except(_) => "except",
            ClauseKind::Quiet { .. } => "quiet",
        }
    }
}

/// `at most 1 in 30d`
#[derive(Debug, Clone, Copy)]
pub struct Frequency {
    /// A whole number.
    pub times: Figure,
    pub within: Duration,
}

/// `VALUE [as NAME]`
#[derive(Debug, Clone)]
pub struct Payload {
    /// In parentheses, a condition.
    pub value: Expr,
    pub name: Option<Name>,
}

#[derive(Debug, Clone)]
pub struct Goal {
    /// Name, subject and filter only.
    pub event: Phrase,
    pub within: Duration,
    pub values: Vec<GoalValue>,
}

/// `sum(amount)`, of the goal's events.
#[derive(Debug, Clone)]
pub struct GoalValue {
    pub function: Function,
    pub function_span: Span,
    /// 90 in `percentile(90, amount)`; only with `percentile`.
    pub percent: Option<(Num, Span)>,
    pub property: Name,
    pub span: Span,
}

/// A day of the week; Monday is 1, Sunday 7, and 0 is every day.
#[derive(Debug, Clone, Copy)]
pub struct Weekday {
    pub number: u8,
    pub span: Span,
}

/// A time of day in minutes after midnight.
#[derive(Debug, Clone, Copy)]
pub struct ClockTime {
    pub minutes: u16,
    pub span: Span,
}

#[derive(Debug, Clone, Copy)]
pub struct Day {
    pub date: Date,
    pub span: Span,
}
