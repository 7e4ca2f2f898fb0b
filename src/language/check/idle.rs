//! What someone without any event may be, whose attributes and lists nobody knows.

use crate::language::ir::{Aggregate, Among, Cond, Literal, Op, Rank, Test, Value};
use crate::language::num::Num;

/// What such a person may be with regard to a rule.
#[derive(Debug, Clone, Copy)]
pub(super) struct Idle {
    /// In the rule, for what he is and not for what he did not do. (For that, the rule has its own warning.)
    inside: bool,
    /// Out of the rule.
    outside: bool,
    /// Out of the rule, for what he is.
    outside_anyway: bool,
}

impl Idle {
    /// Of a rule that is not understood.
    pub const ANY: Idle = Idle { inside: true, outside: true, outside_anyway: true };

    /// Of a rule with this condition. `earlier` knows the rules before.
    pub fn of(condition: &Cond, earlier: &dyn Fn(u32) -> Idle) -> Idle {
        Idle {
            inside: fulfilled(condition, true, false, earlier),
            outside: fulfilled(condition, false, true, earlier),
            outside_anyway: fulfilled(condition, false, false, earlier),
        }
    }

    pub fn inside(self) -> bool {
        self.inside
    }
}

/// Whether such a person may fulfil a condition because of what he did not do, too.
pub(super) fn by_absence(condition: &Cond, earlier: &dyn Fn(u32) -> Idle) -> bool {
    fulfilled(condition, true, true, earlier)
}

/// Whether the value of people who never did anything is a number.
pub(super) fn zero_over_nothing(value: &Value) -> bool {
    !matches!(value, Value::Literal(_)) && matches!(over_nothing(value, &|_| Idle::ANY), Some(Some(_)))
}

/// `absence`: what holds because something never happened counts.
fn fulfilled(condition: &Cond, positive: bool, absence: bool, earlier: &dyn Fn(u32) -> Idle) -> bool {
    let by_absence = |holds: bool| absence && holds == positive;
    match condition {
        Cond::Const(holds) => *holds == positive,
        Cond::And(parts) if positive => parts.iter().all(|p| fulfilled(p, true, absence, earlier)),
        Cond::Or(parts) if !positive => parts.iter().all(|p| fulfilled(p, false, absence, earlier)),
        Cond::And(parts) | Cond::Or(parts) => parts.iter().any(|p| fulfilled(p, positive, absence, earlier)),
        Cond::Not(inner) => fulfilled(inner, !positive, absence, earlier),
        Cond::Rule(id) => {
            let idle = earlier(id.0);
            if positive { idle.inside } else { idle.outside_anyway || absence && idle.outside }
        }
        // A share of everyone, active or not.
        Cond::List(_) | Cond::KnownSince(_) | Cond::Sample { .. } => true,
        // Without the event since which is counted, nothing of it holds, not even `= 0`.
        Cond::Count { behaviour, op, n } | Cond::Periods { behaviour, op, n, .. } => {
            by_absence(behaviour.since.is_none() && op.holds(Num::int(0).compare(*n)))
        }
        Cond::Ranked { rank, .. } => !unranked(rank, earlier) || by_absence(false),
        Cond::Pick { .. } | Cond::Same { .. } | Cond::Sequence(_) | Cond::InSession { .. } | Cond::InAny { .. } => {
            by_absence(false)
        }
        Cond::Test(test) => match without_events(test, earlier) {
            Some(holds) => by_absence(holds),
            None => true,
        },
    }
}

/// Whether he is certainly not among the ranked.
fn unranked(rank: &Rank, earlier: &dyn Fn(u32) -> Idle) -> bool {
    let outside = match rank.among {
        Some(Among::Rule(id)) => !earlier(id.0).inside,
        Some(Among::List(_)) | None => false,
    };
    outside || over_nothing(&rank.by, earlier) == Some(None)
}

/// The value over no events: a number, or missing; nothing where it is made from something else.
fn over_nothing(value: &Value, earlier: &dyn Fn(u32) -> Idle) -> Option<Option<Num>> {
    match value {
        Value::Literal(Literal::Num(n)) => Some(Some(*n)),
        Value::Aggregate { function, behaviour } => Some(match function {
            Aggregate::Count | Aggregate::Sum(_) | Aggregate::Distinct(_) if behaviour.since.is_none() => {
                Some(Num::int(0))
            }
            _ => None,
        }),
        Value::Rate { .. } | Value::DaysSinceEvent { .. } => Some(None),
        Value::Arithmetic { op, left, right } => match (over_nothing(left, earlier), over_nothing(right, earlier)) {
            (Some(None), _) | (_, Some(None)) => Some(None),
            (Some(Some(a)), Some(Some(b))) => Some(a.combine(*op, b)),
            _ => None,
        },
        Value::Rank { rank, .. } => unranked(rank, earlier).then_some(None),
        Value::Literal(_) | Value::Attribute(_) | Value::DaysSinceAttribute(_) => None,
    }
}

/// What a test says of someone without events; nothing where it asks for something else.
fn without_events(test: &Test<Value>, earlier: &dyn Fn(u32) -> Idle) -> Option<bool> {
    let value = |v: &Value| over_nothing(v, earlier);
    match test {
        Test::Compare { left, op, right } => match (value(left), value(right)) {
            (Some(None), _) | (_, Some(None)) => Some(*op == Op::Ne),
            (Some(Some(a)), Some(Some(b))) => Some(op.holds(a.compare(b))),
            _ => None,
        },
        Test::OneOf { value: v, among, negated } => {
            let found = value(v)?.is_some_and(|n| among.contains(&Literal::Num(n)));
            Some(found != *negated)
        }
        Test::Known(v) => Some(value(v)?.is_some()),
        Test::During { value: v, .. }
        | Test::Text { value: v, .. }
        | Test::Has { value: v, .. }
        | Test::Anniversary { value: v, .. }
        | Test::Yes(v) => value(v).map(|_| false),
    }
}
