//! The syntax tree: what was written, with places, before any name is looked up.
//!
//! Conditions, values and `where` predicates are one expression type; the checker tells them apart.
//! Equality of trees (spans aside) is what the formatter proves: see [`File::same_as`] in the formatter.

use crate::language::num::Num;
use crate::language::source::{SourceId, Span};

/// A whole file.
#[derive(Debug, Clone)]
pub struct File {
    pub source: SourceId,
    pub items: Vec<Item>,
}

#[derive(Debug, Clone)]
pub enum Item {
    Segment(Segment),
    Trait(Trait),
    Campaign(Campaign),
    /// A bare condition or rule; it is named after its file.
    Bare(Bare),
    /// A declaration that could not be read; its diagnostics say why. `name` is kept if it could be read, so that uses of the
    /// name elsewhere do not become errors of their own.
    Error {
        name: Option<Name>,
        span: Span,
    },
}

/// A bare word: NFC, unquoted.
#[derive(Debug, Clone)]
pub struct Name {
    pub text: String,
    pub span: Span,
}

/// A word that stands for a value: bare (`FR`) or quoted (`"New York"`).
#[derive(Debug, Clone)]
pub struct Word {
    pub text: String,
    pub quoted: bool,
    pub span: Span,
}

/// `segment NAME [was OLD] ["Title"]: CONDITION`
#[derive(Debug, Clone)]
pub struct Segment {
    /// The comment block right above the declaration, without `#` and without the first blank of each line.
    pub description: Option<String>,
    pub name: Name,
    pub was: Option<Name>,
    pub title: Option<Word>,
    pub condition: Expr,
    pub span: Span,
}

/// `trait NAME ["Title"]: VALUE`
#[derive(Debug, Clone)]
pub struct Trait {
    pub description: Option<String>,
    pub name: Name,
    pub title: Option<Word>,
    pub value: Expr,
    pub span: Span,
}

/// `campaign NAME [was OLD] ["Title"]: CONDITION ARM+`
#[derive(Debug, Clone)]
pub struct Campaign {
    pub description: Option<String>,
    pub name: Name,
    pub was: Option<Name>,
    pub title: Option<Word>,
    pub condition: Expr,
    pub arms: Vec<Arm>,
    pub span: Span,
}

/// `CONDITION ARM*`, named after the file: a campaign with arms, a segment without.
#[derive(Debug, Clone)]
pub struct Bare {
    pub description: Option<String>,
    pub condition: Expr,
    pub arms: Vec<Arm>,
    pub span: Span,
}

/// `→ ACTION`
#[derive(Debug, Clone)]
pub struct Arm {
    pub action: Action,
    pub span: Span,
}

/// `VERB ARGUMENT* [by CHANNEL]`: `offer serum-15 by email`
#[derive(Debug, Clone)]
pub struct Action {
    pub verb: Name,
    pub arguments: Vec<Word>,
    pub by: Option<Name>,
    pub span: Span,
}

#[derive(Debug, Clone)]
pub struct Expr {
    pub kind: ExprKind,
    pub span: Span,
}

#[derive(Debug, Clone)]
pub enum ExprKind {
    /// `a or b or c`, two parts at least.
    Or(Vec<Expr>),
    /// `a and b but c`, two parts at least.
    And(Vec<AndPart>),
    Not(Box<Expr>),
    /// Parentheses, kept for the formatter and the linter.
    Paren(Box<Expr>),
    Everyone,
    /// Whatever begins with a name: a behaviour, an attribute, a trait, a segment, a list, a property, with what follows it.
    Phrase(Box<Phrase>),
    /// A value that is no name, and its test: `sum(amount of purchased) ≥ 500`.
    Test {
        left: Box<Expr>,
        test: Box<Test>,
    },
    /// `known for 30d`
    KnownFor(Duration),
    /// `sum(amount of purchased anti-aging in 12mo)`
    Aggregate(Box<Aggregate>),
    /// `days since last purchased`, `days since signup_date`
    DaysSince(Box<DaysSince>),
    Number(Num),
    /// `20%`, as the number 0.2.
    Percent(Num),
    /// Quoted text.
    Text(String),
    Date(Date),
    Instant(Instant),
    /// Something that could not be read; a diagnostic has been given.
    Error,
}

/// One part of a conjunction and the word before it.
#[derive(Debug, Clone)]
pub struct AndPart {
    /// Written `but` and not `and` (never on the first part).
    pub but: bool,
    pub expr: Expr,
}

/// `[no|never|first|last] NAME [SUBJECT] [where (…)] [TEST] [WINDOW]`, in this order.
///
/// For an event this is a behaviour and `test` its COUNT; for any other name, `test` compares the value and `window` (if any)
/// is a window on a date.
#[derive(Debug, Clone)]
pub struct Phrase {
    pub quantifier: Option<(Quantifier, Span)>,
    /// `customer` in `customer.country`.
    pub qualifier: Option<Name>,
    pub name: Name,
    pub subject: Option<Subject>,
    pub filter: Option<Box<Expr>>,
    pub test: Option<Test>,
    pub window: Option<Window>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantifier {
    No,
    Never,
    First,
    Last,
}

/// What a behaviour was about: `anti-aging`, `(anti-aging or serum)`, `other than serum`.
#[derive(Debug, Clone)]
pub struct Subject {
    pub other_than: bool,
    /// One at least.
    pub words: Vec<Word>,
    /// Written in parentheses (always so when there are several).
    pub parenthesised: bool,
    pub span: Span,
}

/// What follows a value and makes it a condition.
#[derive(Debug, Clone)]
pub struct Test {
    pub kind: TestKind,
    pub span: Span,
}

#[derive(Debug, Clone)]
pub enum TestKind {
    /// `≥ 3`, `= FR`. A bare word on the right is a [`Phrase`] of nothing but a name.
    Compare { op: Op, right: Expr },
    /// `between 2 and 5`, both ends included.
    Between { low: Expr, high: Expr },
    /// `on ≥ 3 days`
    OnPeriods { op: Op, count: Expr, unit: PeriodUnit },
    /// `in (FR, "New York")`, `not in (…)`
    OneOf { words: Vec<Expr>, negated: bool },
    /// `contains "serum"`
    Text { how: TextTest, word: Word },
    /// `has vip`
    Has(Word),
    /// `is known`, `is unknown`
    Known { negated: bool },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

impl Op {
    /// Whether an order of left and right is what the sign asks for.
    pub fn holds(self, order: std::cmp::Ordering) -> bool {
        match self {
            Op::Eq => order.is_eq(),
            Op::Ne => order.is_ne(),
            Op::Lt => order.is_lt(),
            Op::Le => order.is_le(),
            Op::Gt => order.is_gt(),
            Op::Ge => order.is_ge(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TextTest {
    Contains,
    StartsWith,
    EndsWith,
    /// The whole text fits a pattern: `*` is any run of characters, none included, `?` is any one character (of the NFC form).
    Matches,
}

/// The calendar periods that `on ≥ n …` counts. Weeks begin on Monday.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PeriodUnit {
    Day,
    Week,
    Month,
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
        let unit = match self.unit {
            Unit::Second => "s",
            Unit::Minute => "min",
            Unit::Hour => "h",
            Unit::Day => "d",
            Unit::Week => "w",
            Unit::Month => "mo",
            Unit::Year => "y",
        };
        write!(f, "{}{unit}", self.amount)
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

/// `FUNCTION([PROPERTY of] EVENT [SUBJECT] [where (…)] [WINDOW])`
#[derive(Debug, Clone)]
pub struct Aggregate {
    pub function: Function,
    pub function_span: Span,
    /// The property; `count` has none.
    pub property: Option<Name>,
    /// Without quantifier and test.
    pub behaviour: Phrase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Function {
    Count,
    Sum,
    Avg,
    Min,
    Max,
    Distinct,
}

/// `days since last E`, `days since first E`, `days since ATTRIBUTE`
#[derive(Debug, Clone)]
pub struct DaysSince {
    /// `first` or `last` before an event; nothing before a date attribute.
    pub which: Option<Quantifier>,
    /// Without quantifier, test and window.
    pub of: Phrase,
}

/// One entry of a spec's timeline: `purchased anti-aging where (amount = 20) 80d ago, 50d ago x3`
#[derive(Debug, Clone)]
pub struct TimelineEntry {
    pub event: Name,
    pub subject: Option<Word>,
    /// `property = value`; a bare word is a [`Phrase`] of nothing but a name.
    pub properties: Vec<(Name, Expr)>,
    /// One at least.
    pub occurrences: Vec<Occurrence>,
    pub span: Span,
}

/// When an event of a timeline happened, and how often at that time.
#[derive(Debug, Clone)]
pub struct Occurrence {
    pub when: When,
    /// 1 unless `x3` says otherwise.
    pub times: u32,
    pub span: Span,
}

#[derive(Debug, Clone)]
pub enum When {
    /// `80d ago`
    Ago(Duration),
    /// `at 2026-11-01T10:00`, `on 2026-11-01`
    At(Moment),
}
