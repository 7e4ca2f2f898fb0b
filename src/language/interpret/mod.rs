//! The reference interpreter: one customer's history, plain loops, no DataFusion.
//!
//! Owns: the first of the two independent implementations of the meaning.
//! Promises: as simple as the language reference reads; speed is no aim.
//! Must not know: how the engine does it.

mod ask;
mod events;
pub mod history;
pub mod scalar;
mod values;

use std::collections::BTreeSet;

use super::calendar::Clock;
use super::catalog::Catalog;
use super::ir::{Behaviour, Cond, End, Matching, Program};
use super::num::Num;
use events::Seen;
use history::History;
use scalar::Scalar;

/// What holds for one customer at the as-of instant.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// Whether the customer counts at all; if not, no rule holds.
    pub in_population: bool,
    /// One entry a rule, in the program's order.
    pub members: Vec<bool>,
    /// One entry a trait, in the program's order; `None` is missing.
    pub traits: Vec<Option<Scalar>>,
}

/// Evaluates every rule and trait for one customer.
pub fn evaluate(program: &Program, catalog: &Catalog, clock: &Clock, history: &History) -> Evaluation {
    let customer = Customer { catalog, clock, history, events: events::counting(program, catalog, clock, history) };
    let in_population = customer.in_population();
    let mut members = Vec::with_capacity(program.rules.len());
    for rule in &program.rules {
        let holds = in_population && customer.holds(&rule.condition, &members);
        members.push(holds);
    }
    let traits = program.traits.iter().map(|t| customer.value_of(&t.value)).collect();
    Evaluation { in_population, members, traits }
}

/// One customer with the events that count.
struct Customer<'a> {
    catalog: &'a Catalog,
    clock: &'a Clock,
    history: &'a History,
    /// Before the as-of instant, by time.
    events: Vec<Seen>,
}

impl Customer<'_> {
    fn in_population(&self) -> bool {
        let profile = self.history.profile.as_ref();
        if profile.and_then(|p| p.created).is_some_and(|created| created >= self.clock.as_of) {
            return false;
        }
        let population = self.catalog.population;
        (population.profiles && profile.is_some()) || (population.events && !self.events.is_empty())
    }

    /// Whether a condition holds; `before` says which earlier rules do.
    fn holds(&self, cond: &Cond, before: &[bool]) -> bool {
        match cond {
            Cond::Const(b) => *b,
            Cond::And(parts) => parts.iter().all(|c| self.holds(c, before)),
            Cond::Or(parts) => parts.iter().any(|c| self.holds(c, before)),
            Cond::Not(part) => !self.holds(part, before),
            Cond::Rule(id) => before.get(id.0 as usize).copied().unwrap_or(false),
            Cond::List(id) => self.history.lists.contains(id),
            Cond::Count { behaviour, op, n } => {
                let count = self.during(behaviour).count();
                op.holds(whole(count).compare(*n))
            }
            Cond::Periods { behaviour, unit, op, n } => {
                let zone = &self.clock.zone;
                let periods: BTreeSet<i64> = self.during(behaviour).map(|e| zone.period(*unit, e.time)).collect();
                op.holds(whole(periods.len()).compare(*n))
            }
            Cond::Pick { end, matching, window, .. } => {
                let picked = self.pick(*end, matching);
                picked.is_some_and(|e| self.clock.interval(window).contains(e.time))
            }
            Cond::KnownSince(edge) => {
                let created = self.history.profile.as_ref().and_then(|p| p.created);
                let first = self.events.first().map(|e| e.time);
                created.into_iter().chain(first).min().is_some_and(|trace| trace <= self.clock.edge(*edge))
            }
            Cond::Test(test) => ask::holds_test(test, self),
            // SOON
            _ => false,
        }
    }

    /// The matching events, whenever they were, by time.
    fn matching<'b>(&'b self, matching: &'b Matching) -> impl DoubleEndedIterator<Item = &'b Seen> {
        let passes = |e: &&Seen| matching.pred.as_ref().is_none_or(|p| events::passes(p, e, self.clock));
        self.events.iter().filter(|e| e.event == matching.event).filter(passes)
    }

    /// The matching events in the window, by time.
    fn during<'b>(&'b self, behaviour: &'b Behaviour) -> impl Iterator<Item = &'b Seen> {
        let interval = self.clock.interval(&behaviour.window);
        self.matching(&behaviour.matching).filter(move |e| interval.contains(e.time))
    }

    fn pick<'b>(&'b self, end: End, matching: &'b Matching) -> Option<&'b Seen> {
        match end {
            End::First => self.matching(matching).next(),
            End::Last => self.matching(matching).next_back(),
        }
    }
}

fn whole(n: usize) -> Num {
    Num::int(i64::try_from(n).unwrap_or(i64::MAX))
}
