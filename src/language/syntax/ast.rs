//! The syntax tree: what was written, with places, before any name is looked up.
//!
//! Conditions, values and `where` predicates are one expression type; the checker tells them apart.
//! Equality of trees (spans aside) is what the formatter proves: see [`super::dump::file`].

pub use crate::language::num::Arithmetic;
use crate::language::num::Num;
use crate::language::source::{SourceId, Span};

mod campaign;
mod time;

pub use campaign::{
    Action, Arm, ArmKind, Bare, Campaign, Clause, ClauseKind, ClockTime, Day, Figure, Frequency, Goal, GoalValue,
    Payload, Policy, PolicyRule, Weekday,
};
pub use time::{
    Date, Duration, Instant, Moment, MomentKind, PeriodUnit, SinceEvent, Unit, WEEKDAYS, Window, WindowKind,
};

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
    Stages(Stages),
    Policy(Policy),
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

/// `stages NAME ["Title"]: (CONDITION → STAGE)+ [otherwise → STAGE]`
#[derive(Debug, Clone)]
pub struct Stages {
    pub description: Option<String>,
    pub name: Name,
    pub title: Option<Word>,
    /// One at least; `otherwise`, where it is written, stands last.
    pub lines: Vec<StageLine>,
    pub span: Span,
}

/// `CONDITION → STAGE`, `otherwise → STAGE`
#[derive(Debug, Clone)]
pub struct StageLine {
    /// `None` is `otherwise`.
    pub condition: Option<Expr>,
    pub stage: Name,
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
    /// `A then B within 7d then C`
    Sequence(Box<Sequence>),
    /// `in one session (…) [WINDOW]`, `in any 14d (…) [WINDOW]`
    Gathered(Box<Gathered>),
    /// `top 10% by spend_12mo among vip`
    Ranked(Box<Ranked>),
    /// `sample 10% of "salt"`
    Sample(Box<Sample>),
    /// `anniversary of birth_date within 7d`
    Anniversary(Box<Anniversary>),
    /// `member of vip for 30d`
    Member(Box<Member>),
    /// `entered vip in 7d`, `no contacted winback in 30d`
    Recorded(Box<Recorded>),
    /// `sum(amount of purchased anti-aging in 12mo)`
    Aggregate(Box<Aggregate>),
    /// `rate(open per sent in 90d)`
    Rate(Box<Rate>),
    /// `quintile(spend_12mo)`, `percentile_rank(spend_12mo among vip)`
    RankOf(Box<RankOf>),
    /// `a + b`, `2 * b`: `*` and `/` bind tighter, and both go from the left.
    Arithmetic {
        op: Arithmetic,
        left: Box<Expr>,
        right: Box<Expr>,
    },
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

/// `[no|never|first|last] NAME [SUBJECT] [where (…)] [TEST [of same PROPERTY]] [WINDOW] [without E]`, in this order.
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
    /// `product` in `≥ 3 of same product`.
    pub same: Option<Name>,
    pub window: Option<Window>,
    /// The event behind `without`: name, subject and filter only.
    pub without: Option<Box<Phrase>>,
}

impl Phrase {
    /// Nothing but a name.
    pub fn bare(qualifier: Option<Name>, name: Name) -> Phrase {
        Phrase {
            quantifier: None,
            qualifier,
            name,
            subject: None,
            filter: None,
            test: None,
            same: None,
            window: None,
            without: None,
        }
    }
}

/// `A [WINDOW] then B … [all within 14d] [with same product]`
#[derive(Debug, Clone)]
pub struct Sequence {
    /// Quantifier (`first`, `last`), name, subject, filter and window only.
    pub first: Phrase,
    /// One at least.
    pub then: Vec<Then>,
    pub all_within: Option<Duration>,
    pub same: Option<Name>,
}

/// `then B [after 1d] [within 7d] [without C]`, `then no D [within 1h]`
#[derive(Debug, Clone)]
pub struct Then {
    /// Quantifier (`first`, `last`, `no`), name, subject and filter only.
    pub event: Phrase,
    pub after: Option<Duration>,
    pub within: Option<Duration>,
    /// Name, subject and filter only.
    pub without: Option<Phrase>,
    pub span: Span,
}

/// Conditions on the events of one visit or of one stretch of time.
#[derive(Debug, Clone)]
pub struct Gathered {
    pub by: GatheredBy,
    /// Without its parentheses.
    pub inside: Expr,
    pub window: Option<Window>,
}

#[derive(Debug, Clone)]
pub enum GatheredBy {
    /// `in one session (…)`
    Session,
    /// `in any 14d (…)`
    Any(Duration),
}

/// `top 10% by VALUE [among NAME]`
#[derive(Debug, Clone)]
pub struct Ranked {
    pub end: RankEnd,
    pub size: RankSize,
    pub size_span: Span,
    pub by: Expr,
    pub among: Option<Name>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RankEnd {
    Top,
    Bottom,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RankSize {
    /// `10%`, as the number 0.1.
    Share(Num),
    /// `1_000`
    Number(Num),
}

/// `quintile(VALUE [among NAME])`
#[derive(Debug, Clone)]
pub struct RankOf {
    pub scale: RankScale,
    pub scale_span: Span,
    pub by: Expr,
    pub among: Option<Name>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RankScale {
    /// 1 to 5, 5 is the highest.
    Quintile,
    /// 1 to 10, 10 is the highest.
    Decile,
    /// The share of the ranked with a smaller value.
    PercentileRank,
}

/// `sample 10% [of "salt"]`
#[derive(Debug, Clone)]
pub struct Sample {
    /// `10%` is 0.1.
    pub share: Num,
    pub share_span: Span,
    pub salt: Option<Word>,
}

/// `anniversary of NAME WINDOW`
#[derive(Debug, Clone)]
pub struct Anniversary {
    /// `customer` in `customer.birth_date`.
    pub qualifier: Option<Name>,
    pub name: Name,
    pub window: Option<Window>,
}

/// `member of NAME [for 30d]`
#[derive(Debug, Clone)]
pub struct Member {
    pub segment: Name,
    pub long: Option<Duration>,
}

/// `[no|never|first|last] entered NAME [COUNT] [WINDOW]`
#[derive(Debug, Clone)]
pub struct Recorded {
    pub quantifier: Option<(Quantifier, Span)>,
    pub what: RecordedWhat,
    pub what_span: Span,
    /// The segment or campaign.
    pub name: Name,
    pub test: Option<Test>,
    pub window: Option<Window>,
}

/// What the history of published memberships and the contact ledger record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RecordedWhat {
    Entered,
    Left,
    Contacted,
    HeldOut,
}

impl RecordedWhat {
    /// As it is written.
    pub fn words(self) -> &'static str {
        match self {
            RecordedWhat::Entered => "entered",
            RecordedWhat::Left => "left",
            RecordedWhat::Contacted => "contacted",
            RecordedWhat::HeldOut => "held out",
        }
    }

    /// What is written like that.
    pub fn parse(words: &str) -> Option<RecordedWhat> {
        use RecordedWhat::{Contacted, Entered, HeldOut, Left};
        [Entered, Left, Contacted, HeldOut].into_iter().find(|what| what.words() == words)
    }
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

/// `FUNCTION([PERCENT,] [PROPERTY of] EVENT [SUBJECT] [where (…)] [WINDOW])`
#[derive(Debug, Clone)]
pub struct Aggregate {
    pub function: Function,
    pub function_span: Span,
    /// 90 in `percentile(90, amount of purchased)`; only with `percentile`.
    pub percent: Option<(Num, Span)>,
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
    Median,
    Percentile,
    First,
    Last,
    MostFrequent,
}

impl Function {
    /// As it is written.
    pub fn word(self) -> &'static str {
        match self {
            Function::Count => "count",
            Function::Sum => "sum",
            Function::Avg => "avg",
            Function::Min => "min",
            Function::Max => "max",
            Function::Distinct => "distinct",
            Function::Median => "median",
            Function::Percentile => "percentile",
            Function::First => "first",
            Function::Last => "last",
            Function::MostFrequent => "most frequent",
        }
    }
}

/// `rate(E per E [WINDOW])`
#[derive(Debug, Clone)]
pub struct Rate {
    /// Name, subject and filter only.
    pub of: Phrase,
    /// Name, subject and filter only.
    pub per: Phrase,
    /// One window for both.
    pub window: Option<Window>,
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
