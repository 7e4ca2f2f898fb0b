//! Whether a condition holds for one customer.
//!
//! Owns: conditions, and which events they see. Promises: a condition inside a visit or a stretch of time sees the events of
//! that visit or stretch and no others. Must not know: how visits, chains and rankings are found.

use std::collections::BTreeSet;

use super::events::{Seen, passes};
use super::scalar::Scalar;
use super::{Customer, Population, ask, whole};
use crate::language::calendar::{Clock, Interval};
use crate::language::catalog::PropertyId;
use crate::language::ir::{Anchor, Behaviour, Cond, End, Matching, Window};
use crate::language::sample;

/// One customer, and the events that a condition sees.
#[derive(Clone)]
pub(super) struct View<'a> {
    pub population: &'a Population<'a>,
    /// The customer's place in the population.
    pub at: usize,
    pub customer: &'a Customer<'a>,
    /// By time.
    pub events: Vec<&'a Seen>,
}

impl<'a> View<'a> {
    pub fn clock(&self) -> &'a Clock {
        self.population.clock
    }

    /// The same customer, seeing all events.
    pub fn whole(&self) -> View<'a> {
        View { events: self.customer.events.iter().collect(), ..*self }
    }

    /// The same customer, seeing these events only.
    pub fn seeing(&self, events: Vec<&'a Seen>) -> View<'a> {
        View { events, ..*self }
    }

    pub fn holds(&self, cond: &Cond) -> bool {
        match cond {
            Cond::Const(b) => *b,
            Cond::And(parts) => parts.iter().all(|c| self.holds(c)),
            Cond::Or(parts) => parts.iter().any(|c| self.holds(c)),
            Cond::Not(part) => !self.holds(part),
            Cond::Rule(id) => self.population.is_member(self.at, *id),
            Cond::List(id) => self.customer.history.lists.contains(id),
            Cond::Count { behaviour, op, n } => {
                self.during(behaviour).is_some_and(|events| op.holds(whole(events.len()).compare(*n)))
            }
            Cond::Periods { behaviour, unit, op, n } => self.during(behaviour).is_some_and(|events| {
                let periods: BTreeSet<i64> = events.iter().map(|e| self.clock().zone.period(*unit, e.time)).collect();
                op.holds(whole(periods.len()).compare(*n))
            }),
            Cond::Same { behaviour, property, n, without } => self.has_same(behaviour, *property, *n, without.as_ref()),
            Cond::Pick { end, matching, window, since } => {
                let open = self.open(window, since.as_deref());
                let picked = self.pick(*end, matching);
                open.zip(picked).is_some_and(|(open, event)| open.contains(event.time))
            }
            Cond::Sequence(sequence) => self.has_chain(sequence),
            Cond::InSession { inside, window, since } => self
                .open(window, since.as_deref())
                .is_some_and(|open| self.visits(open).into_iter().any(|visit| self.seeing(visit).holds(inside))),
            Cond::InAny { length, inside, starts, window, since } => self
                .open(window, since.as_deref())
                .is_some_and(|o| self.stretches(starts, o, *length).into_iter().any(|s| self.seeing(s).holds(inside))),
            Cond::Ranked { rank, end, size } => self.population.ranking(rank).has(self.at, *end, *size),
            Cond::Sample { salt, share } => sample::holds(salt, *share, &self.customer.id.to_string()),
            Cond::KnownSince(edge) => {
                let created = self.customer.history.profile.as_ref().and_then(|p| p.created);
                created
                    .into_iter()
                    .chain(self.customer.first)
                    .min()
                    .is_some_and(|trace| trace <= self.clock().edge(*edge))
            }
            Cond::Test(test) => ask::holds_test(test, self),
        }
    }

    /// Whether an event is one of those.
    pub fn matches(&self, matching: &Matching, event: &Seen) -> bool {
        let passes = |pred| passes(pred, event, self.clock(), Some(self));
        event.event == matching.event && matching.pred.as_ref().is_none_or(passes)
    }

    /// The matching events, whenever they were, by time.
    pub fn matching(&self, matching: &Matching) -> Vec<&'a Seen> {
        self.events.iter().copied().filter(|e| self.matches(matching, e)).collect()
    }

    /// The matching events in the window and after the anchor, by time; `None` where there is no anchor.
    pub fn during(&self, behaviour: &Behaviour) -> Option<Vec<&'a Seen>> {
        let open = self.open(&behaviour.window, behaviour.since.as_deref())?;
        Some(self.matching(&behaviour.matching).into_iter().filter(|e| open.contains(e.time)).collect())
    }

    /// The instants of a window, after the anchor if there has to be one; `None` where there is none.
    pub fn open(&self, window: &Window, since: Option<&Anchor>) -> Option<Interval> {
        let interval = self.clock().interval(window);
        let Some(anchor) = since else { return Some(interval) };
        let events = self.matching(&anchor.matching);
        let skipped = (anchor.back as usize).saturating_sub(1);
        let event = match anchor.end {
            End::First => events.get(skipped),
            End::Last => events.iter().nth_back(skipped),
        };
        // The anchor's own instant is left out.
        event.map(|e| Interval { lo: interval.lo.max(e.time.saturating_add(1)), hi: interval.hi })
    }

    /// The first or last matching event.
    pub fn pick(&self, end: End, matching: &Matching) -> Option<&'a Seen> {
        let events = self.matching(matching);
        match end {
            End::First => events.first().copied(),
            End::Last => events.last().copied(),
        }
    }

    /// Whether some known value of the property has `n` events in the window, and no event of `without` has that value there.
    fn has_same(
        &self,
        behaviour: &Behaviour,
        property: PropertyId,
        n: u64,
        without: Option<&(Matching, PropertyId)>,
    ) -> bool {
        let values = |behaviour: &Behaviour, of: PropertyId| -> Option<Vec<&Scalar>> {
            Some(self.during(behaviour)?.into_iter().filter_map(|e| e.value(of)).collect())
        };
        let Some(had) = values(behaviour, property) else { return false };
        let ruled_out = without.and_then(|(matching, of)| {
            let Behaviour { window, since, .. } = behaviour.clone();
            values(&Behaviour { matching: matching.clone(), window, since }, *of)
        });
        let ruled_out = ruled_out.unwrap_or_default();
        let often = |value: &&Scalar| had.iter().filter(|v| v == &value).count() as u64 >= n;
        had.iter().any(|value| often(value) && !ruled_out.contains(value))
    }
}
