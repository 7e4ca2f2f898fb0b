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
pub use super::syntax::ast::{Date, Op, PeriodUnit, TextTest, Unit};

/// Index into [`Program::rules`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuleId(pub u32);

/// Everything that one run evaluates.
#[derive(Debug, Clone, Default)]
pub struct Program {
    /// Segments and campaigns. A rule refers only to rules that stand before it ([`Cond::Rule`]).
    pub rules: Vec<Rule>,
    /// Named values. Uses of a trait are replaced by its value; they stand here to be shown.
    pub traits: Vec<Trait>,
    /// For each event of the catalog, the filter that a row must pass to be that event.
    pub event_filters: Vec<Option<Pred>>,
}

impl Program {
    /// The program of some rules only, and of what they refer to. Traits stay: they are shown, not evaluated.
    pub fn keep(&self, wanted: impl Fn(&Rule) -> bool) -> Program {
        let mut needed: Vec<bool> = self.rules.iter().map(wanted).collect();
        // A rule refers only to rules before it, so one walk from the end finds all.
        for (i, rule) in self.rules.iter().enumerate().rev() {
            if needed.get(i).copied().unwrap_or(false) {
                rule.condition.each_rule(&mut |id| {
                    if let Some(n) = needed.get_mut(id.0 as usize) {
                        *n = true;
                    }
                });
            }
        }
        let mut places = Vec::with_capacity(needed.len());
        let mut next = 0;
        for &n in &needed {
            places.push(RuleId(next));
            next += u32::from(n);
        }
        let kept = self.rules.iter().zip(&needed).filter(|(_, n)| **n).map(|(rule, _)| {
            let mut rule = rule.clone();
            rule.condition.renumber(&places);
            rule
        });
        Program { rules: kept.collect(), traits: self.traits.clone(), event_filters: self.event_filters.clone() }
    }
}

impl Cond {
    /// Calls back for every rule that is referred to.
    fn each_rule(&self, found: &mut dyn FnMut(RuleId)) {
        match self {
            Cond::And(parts) | Cond::Or(parts) => parts.iter().for_each(|c| c.each_rule(found)),
            Cond::Not(part) => part.each_rule(found),
            Cond::Rule(id) => found(*id),
            _ => {}
        }
    }

    fn renumber(&mut self, places: &[RuleId]) {
        match self {
            Cond::And(parts) | Cond::Or(parts) => parts.iter_mut().for_each(|c| c.renumber(places)),
            Cond::Not(part) => part.renumber(places),
            Cond::Rule(id) => *id = places.get(id.0 as usize).copied().unwrap_or(*id),
            _ => {}
        }
    }
}

/// A segment or a campaign.
#[derive(Debug, Clone)]
pub struct Rule {
    pub name: String,
    pub title: Option<String>,
    pub description: Option<String>,
    pub kind: RuleKind,
    pub condition: Cond,
    pub span: Span,
}

#[derive(Debug, Clone)]
pub enum RuleKind {
    Segment,
    /// With one arm.
    Campaign {
        arm: Action,
    },
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
    pub span: Span,
}

/// Yes or no for one customer at the as-of instant.
#[derive(Debug, Clone)]
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
    /// The first (or last) of all matching events before the as-of instant exists and lies in the window. The window filters
    /// after the event has been picked.
    Pick {
        end: End,
        matching: Matching,
        window: Window,
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
}

/// Start inclusive, end exclusive. Events at or after the as-of instant never count, whatever the window.
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
/// take its day in, `StartOfDay(d)` as a start takes `d` in and as an end does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Edge {
    AsOf,
    /// The as-of instant minus a calendar duration in the project's zone.
    Back {
        amount: u32,
        unit: Unit,
    },
    /// The first instant of the date in the project's zone.
    StartOfDay(Date),
    /// The first instant of the day after the date.
    EndOfDay(Date),
    /// Microseconds since 1970-01-01T00:00Z.
    Instant(i64),
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::source::SourceId;

    #[test]
    fn keeping_some_rules_keeps_what_they_need() {
        let rule = |name: &str, condition| Rule {
            name: name.into(),
            title: None,
            description: None,
            kind: RuleKind::Segment,
            condition,
            span: Span::new(SourceId(0), 0, 0),
        };
        let uses = |n| Cond::And(vec![Cond::Not(Box::new(Cond::Rule(RuleId(n)))), Cond::Const(true)]);
        let rules = vec![
            rule("a", Cond::Const(true)),
            rule("b", Cond::Const(false)),
            rule("c", uses(1)),
            rule("d", uses(0)),
            rule("e", uses(2)),
        ];
        let program = Program { rules, ..Program::default() };
        let kept = program.keep(|r| r.name == "e");
        let names: Vec<&str> = kept.rules.iter().map(|r| r.name.as_str()).collect();
        assert_eq!(names, ["b", "c", "e"]);
        let mut seen = Vec::new();
        kept.rules.iter().for_each(|r| r.condition.each_rule(&mut |id| seen.push(id.0)));
        assert_eq!(seen, [0, 1]);
    }
}
