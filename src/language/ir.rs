//! Meaning: what the checker proves and both implementations evaluate.
//!
//! Owns: the well-typed program. Ids, not names; literals, not spellings; windows as edges, resolved to instants by `calendar`.
//! Promises: whatever the checker puts here can be evaluated without a type error; conditions form no cycle.
//! Must not know: syntax, files, DataFusion.
//!
//! Missing: every test on a missing value is false, except [`Test::Compare`] with [`Op::Ne`] and a negated
//! [`Test::OneOf`], which are the complements of `=` and `in` and hence true. `not` is plain complement.

use super::catalog::{AttributeId, EventId, ListId, PropertyId};
use super::num::Num;
use super::source::Span;
pub use super::syntax::ast::{Arithmetic, Date, Op, PeriodUnit, RankEnd, RankScale, TextTest, Unit, WEEKDAYS};

mod campaign;
mod matchings;
mod walk;

pub use campaign::{
    Arm, Campaign, Every, Frequency, Gate, Goal, Limit, Payload, PayloadOf, Policy, PolicyRule, Quiet, Take,
};
pub use matchings::Asked;

/// Index into [`Program::rules`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuleId(pub u32);

/// Everything that one run evaluates.
#[derive(Debug, Clone, Default)]
pub struct Program {
    /// Segments, campaigns, stages and what campaigns ask. A rule refers only to rules that stand before it ([`Cond::Rule`]).
    pub rules: Vec<Rule>,
    /// Named values. Uses of a trait are replaced by its value; they stand here to be shown.
    pub traits: Vec<Trait>,
    /// Stages; each of their lines is a rule.
    pub stages: Vec<Stages>,
    /// What segments and campaigns were called before (`was`).
    pub former: Vec<String>,
    /// For each event of the catalog, the filter that a row must pass to be that event.
    pub event_filters: Vec<Option<Pred>>,
    /// What is done with the members of the campaigns' rules.
    pub campaigns: Vec<Campaign>,
    /// In the order of names.
    pub policies: Vec<Policy>,
    /// One a channel that some campaign of the program uses, in the order of the catalog.
    pub gates: Vec<Gate>,
    /// The trait that is the customer's own time zone (an IANA name), where the catalog names the attribute.
    pub zone: Option<usize>,
}

/// A segment, a campaign, a line of stages, or what a campaign needs to be decided.
#[derive(Debug, Clone)]
pub struct Rule {
    /// For a line of stages `buying_journey.decision`, which is nobody else's name but perhaps a hidden rule's.
    pub name: String,
    pub title: Option<String>,
    pub description: Option<String>,
    pub kind: RuleKind,
    pub condition: Cond,
    pub span: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleKind {
    Segment,
    /// Who meets a campaign's condition. The number is a place in [`Program::campaigns`].
    Campaign {
        campaign: u32,
    },
    /// One stage; its condition says already that none of the lines before holds. The number is a place in
    /// [`Program::stages`] of the whole program.
    Stage {
        stages: u32,
    },
    /// What a campaign asks beside its condition: `winback.except.staff`, `winback.arm.2`, `winback.with.member`. Nobody's audience.
    Part,
    /// Whether a customer may be reached on a channel: `email.consent`, `email.suppressed`. Nobody's audience.
    Gate,
}

impl Rule {
    /// Evaluated for a campaign's sake, and shown to nobody as an audience.
    pub fn is_hidden(&self) -> bool {
        matches!(self.kind, RuleKind::Part | RuleKind::Gate)
    }
}

/// `stages NAME: …`. At most one of its lines holds for a customer; if none does, the stage is missing.
#[derive(Debug, Clone)]
pub struct Stages {
    pub name: String,
    pub title: Option<String>,
    pub description: Option<String>,
    /// In the order of the text; `otherwise` is the last.
    pub lines: Vec<StageLine>,
    pub span: Span,
}

/// A stage and the rule that says who is in it.
#[derive(Debug, Clone)]
pub struct StageLine {
    pub stage: String,
    pub rule: RuleId,
}

/// `offer serum-15 by email`, resolved.
#[derive(Debug, Clone)]
pub struct Action {
    pub verb: String,
    pub arguments: Vec<String>,
    /// The channel that was written or that the catalog gives the action.
    pub channel: Option<String>,
}

#[derive(Debug, Clone)]
pub struct Trait {
    pub name: String,
    pub title: Option<String>,
    pub description: Option<String>,
    pub value: Value,
    pub ty: super::catalog::Type,
    /// Made for a campaign (`winback.limit`, `winback.with.favourite`, `customer.zone`), and shown to nobody.
    pub hidden: bool,
    pub span: Span,
}

/// Yes or no for one customer at the as-of instant.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "a program has few conditions, and moves none of them about")]
pub enum Cond {
    /// `everyone` is `Const(true)`.
    Const(bool),
    And(Vec<Cond>),
    Or(Vec<Cond>),
    Not(Box<Cond>),
    /// Membership in a rule that stands before this one.
    Rule(RuleId),
    /// The customer's id is in a list.
    List(ListId),
    /// The number of matching events fulfils `op n`. Bare behaviours are `≥ 1`, `no` and `never` are `= 0`.
    Count {
        behaviour: Behaviour,
        op: Op,
        n: Num,
    },
    /// The number of distinct calendar periods with a matching event fulfils `op n`.
    Periods {
        behaviour: Behaviour,
        unit: PeriodUnit,
        op: Op,
        n: Num,
    },
    /// Some known value of the property has at least `n` events, and none of `without` (by its own property) in the same window.
    Same {
        behaviour: Behaviour,
        property: PropertyId,
        n: u64,
        without: Option<(Matching, PropertyId)>,
    },
    /// The first (or last) of all matching events before the as-of instant exists and lies in the window (and after the anchor).
    /// The window filters after the event has been picked.
    Pick {
        end: End,
        matching: Matching,
        window: Window,
        since: Option<Box<Anchor>>,
    },
    Sequence(Box<Sequence>),
    /// Some visit begun in the window (and after the anchor) fulfils the condition, of which only the visit's own events are
    /// seen. A visit is a run of events of the kinds that the catalog marks, with no gap longer than its `session_gap`.
    /// Inside: `Const And Or Not Count Periods Same Sequence`, all windows [`Window::EVER`], no anchor.
    InSession {
        inside: Box<Cond>,
        window: Window,
        since: Option<Box<Anchor>>,
    },
    /// For some event of `starts` in the window (and after the anchor), what lies in [its time, + length] and before the as-of
    /// instant fulfils the condition. Inside: as in [`Cond::InSession`].
    InAny {
        length: Length,
        inside: Box<Cond>,
        starts: Vec<Matching>,
        window: Window,
        since: Option<Box<Anchor>>,
    },
    /// The customer is in this part of the ranked.
    Ranked {
        rank: Rank,
        end: RankEnd,
        size: RankSize,
    },
    /// [`super::sample::holds`] of the salt, the share (0 to 1) and the customer's id.
    Sample {
        salt: String,
        share: Num,
    },
    /// The first trace of the customer (profile creation or first event of any kind, the earlier) is at or before the edge.
    KnownSince(Edge),
    Test(Test<Value>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum End {
    First,
    Last,
}

/// Events of one kind that fulfil a predicate, whenever they were.
#[derive(Debug, Clone, PartialEq)]
pub struct Matching {
    pub event: EventId,
    /// Subject and `where` together; `None` is no restriction.
    pub pred: Option<Pred>,
}

/// Matching events in a window.
#[derive(Debug, Clone, PartialEq)]
pub struct Behaviour {
    pub matching: Matching,
    pub window: Window,
    /// `since last sent`: only events *after* the anchor's instant count. Where there is no anchor, every condition on the
    /// behaviour is false (`no` and `= 0` as well) and every value of it is missing.
    pub since: Option<Box<Anchor>>,
}

/// The event from which a window begins, its instant left out: the first matching event before the as-of instant, or the
/// last but `back − 1`.
#[derive(Debug, Clone, PartialEq)]
pub struct Anchor {
    pub end: End,
    /// 1 is the very last (or first); 3 is `since last 3 sent`.
    pub back: u32,
    pub matching: Matching,
}

/// Some chain of distinct events before the as-of instant, one a step, each at or after the one before.
///
/// Events at one instant may follow each other either way. A step that picks takes any of the events that match at the first
/// (last) instant with a match. With `same`, all events of the chain have one and the same known value there, and `without`
/// and `absence` see only events with that value.
#[derive(Debug, Clone, PartialEq)]
pub struct Sequence {
    /// One at least.
    pub steps: Vec<Step>,
    /// Of the first event alone.
    pub window: Window,
    pub since: Option<Box<Anchor>>,
    /// The last event is at most this later than the first.
    pub all_within: Option<Length>,
    /// `then no D within 1h`: no D other than the last event itself from its instant to `within` later, edge included, and that
    /// edge lies before the as-of instant; without `within`, none up to the as-of instant.
    pub absence: Option<Absence>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    pub pick: Option<End>,
    pub matching: Matching,
    /// More than this later than the event before. The first step has none of the three.
    pub after: Option<Length>,
    /// At most this later than the event before.
    pub within: Option<Length>,
    /// No such event strictly after the event before and strictly before this one.
    pub without: Option<(Matching, Option<PropertyId>)>,
    /// The property of `with same`.
    pub same: Option<PropertyId>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Absence {
    pub matching: Matching,
    pub within: Option<Length>,
    pub same: Option<PropertyId>,
}

/// A calendar duration from some instant on: see [`super::calendar::Clock::later`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Length {
    pub amount: u32,
    pub unit: Unit,
}

/// The customers of the population (and of `among`) for whom the value is known, highest value first, then the smaller id.
#[derive(Debug, Clone, PartialEq)]
pub struct Rank {
    /// A number, a date or an instant.
    pub by: Box<Value>,
    pub among: Option<Among>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Among {
    /// A rule that stands before.
    Rule(RuleId),
    List(ListId),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RankSize {
    /// More than 0, at most 1. The top is `share × ranked`, rounded half up, at least 1. `bottom 20%` is whoever of the ranked
    /// `top 80%` leaves; `bottom 100%` is everyone ranked.
    Share(Num),
    /// The first (last) so many.
    Number(u64),
}

/// Start inclusive, end exclusive. Events at or after the as-of instant never count, whatever the window. Two [`Edge::Back`] may
/// stand in either order (`between 30d and 1mo ago`): [`super::calendar::Clock`] takes the earlier one as the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Window {
    /// `None`: from the beginning.
    pub start: Option<Edge>,
    /// `None`: no end (for events that is the as-of instant).
    pub end: Option<Edge>,
}

impl Window {
    pub const EVER: Window = Window { start: None, end: None };
}

/// One end of a window. On a *plain date* an edge falls on a day: `AsOf` as an end takes today in, `Back` as an end does not
/// take its day in, `StartOfDay(d)` as a start takes `d` in and as an end does not; `Ahead` (only an end) takes its day in,
/// `Period` as a start takes its first day in and as an end does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Edge {
    AsOf,
    /// The as-of instant minus a calendar duration in the project's zone.
    Back {
        amount: u32,
        unit: Unit,
    },
    /// The same instant, itself included: `member of vip for 30d` takes whoever came in just then. Only an end, for events.
    Through {
        amount: u32,
        unit: Unit,
    },
    /// The first instant of the date in the project's zone.
    StartOfDay(Date),
    /// The first instant of the day after the date.
    EndOfDay(Date),
    /// Microseconds since 1970-01-01T00:00Z.
    Instant(i64),
    /// The as-of instant plus a calendar duration, that instant included: `within 30d`. Never an end for events.
    Ahead {
        amount: u32,
        unit: Unit,
    },
    /// The first instant of the calendar period that lies `offset` periods after the one of the as-of instant.
    Period {
        unit: PeriodUnit,
        offset: i32,
    },
}

/// A value of one customer; missing is possible everywhere.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Literal(Literal),
    Attribute(AttributeId),
    Aggregate {
        function: Aggregate,
        behaviour: Behaviour,
    },
    /// The number of the first by that of the second, missing where the second is 0.
    Rate {
        of: Behaviour,
        per: Behaviour,
    },
    /// See [`Num::combine`]; missing where a side is missing. Both sides are numbers.
    Arithmetic {
        op: Arithmetic,
        left: Box<Value>,
        right: Box<Value>,
    },
    /// Missing for whom is not ranked. A quintile of n ≥ 4 is exactly the top 40 %, and so on; the percentile rank is the float
    /// quotient of the number of ranked with a smaller value and the number of ranked.
    Rank {
        rank: Rank,
        scale: RankScale,
    },
    /// The largest whole n such that the first (last) matching event is at or before as-of − n days.
    DaysSinceEvent {
        end: End,
        matching: Matching,
    },
    /// The same for a date or instant attribute; negative for the future.
    DaysSinceAttribute(AttributeId),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Aggregate {
    Count,
    Sum(PropertyId),
    Avg(PropertyId),
    Min(PropertyId),
    Max(PropertyId),
    Distinct(PropertyId),
    /// Interpolated linearly between the two nearest ([`Num::interpolate`]), in millionths: the median is 500,000. Known values
    /// only, in ascending order.
    Percentile(PropertyId, u32),
    /// Of the first event, missing if missing there; of several at that instant the greatest known value.
    First(PropertyId),
    /// Of the last event, likewise.
    Last(PropertyId),
    /// Of the known values the most frequent, of several the smallest.
    MostFrequent(PropertyId),
}

/// A constant. Text is NFC and, for a `case: fold` property, already folded.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    Num(Num),
    Text(String),
    YesNo(bool),
    Date(Date),
    /// Microseconds since 1970-01-01T00:00Z.
    Instant(i64),
}

/// A test on values `V`: [`Value`] of a customer or [`Operand`] of an event.
#[derive(Debug, Clone, PartialEq)]
pub enum Test<V> {
    /// Both sides have one kind: numbers, text, yes/no (only `= ≠`), plain dates, instants. An instant against a written
    /// *date* never gets here: the checker turns it into [`Test::During`].
    Compare {
        left: V,
        op: Op,
        right: V,
    },
    /// Taxonomy children are already among the literals.
    OneOf {
        value: V,
        among: Vec<Literal>,
        negated: bool,
    },
    Text {
        value: V,
        how: TextTest,
        pattern: String,
        fold: bool,
    },
    /// A list has one of the texts (several, where a taxonomy's parent was asked for).
    Has {
        value: V,
        among: Vec<String>,
    },
    Known(V),
    /// A plain date or an instant lies in the window.
    During {
        value: V,
        window: Window,
    },
    /// Some yearly return of the date (of an instant's date in the project's zone), the first a year after it, lies in the
    /// window by dates; 29 February returns on the 28th. The window has both ends.
    Anniversary {
        value: V,
        window: Window,
    },
    /// A yes/no value is yes.
    Yes(V),
}

/// A condition on one event.
#[derive(Debug, Clone, PartialEq)]
pub enum Pred {
    Const(bool),
    And(Vec<Pred>),
    Or(Vec<Pred>),
    Not(Box<Pred>),
    Test(Test<Operand>),
}

/// A value of one event.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    Literal(Literal),
    Property(PropertyId),
    /// 0 to 23 in the project's zone.
    Hour,
    /// `mon` … `sun` as text, in the project's zone.
    Weekday,
    /// The plain date in the project's zone.
    Date,
    /// A value of the customer: an attribute or a trait, without a rank.
    Customer(Box<Value>),
}
