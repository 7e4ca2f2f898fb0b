//! Which rows of a history are events that count.
//!
//! Owns: filters, the collapse of repeated ids, the as-of cut, and the tests on one event.
//! Promises: nothing depends on the order of the rows. Must not know: conditions on customers.

use std::cmp::Ordering;

use super::ask::{Answers, holds_test};
use super::conditions::View;
use super::history::{EventRow, History};
use super::scalar::{Reading, Scalar, compare_missing_first};
use crate::language::calendar::Clock;
use crate::language::catalog::{Catalog, Event, EventId, Property, PropertyId};
use crate::language::ir::{Operand, Pred, Program};
use crate::language::num::Num;

/// One event as conditions see it.
#[derive(Debug, Clone)]
pub struct Seen {
    pub event: EventId,
    pub time: i64,
    /// One entry a property, in the catalog's order.
    pub properties: Vec<Option<Scalar>>,
}

impl Seen {
    /// The value of a property; `None` is missing.
    pub fn value(&self, of: PropertyId) -> Option<&Scalar> {
        self.properties.get(of.index())?.as_ref()
    }
}

/// The events of a customer before the as-of instant, by time.
pub fn counting(program: &Program, catalog: &Catalog, clock: &Clock, history: &History) -> Vec<Seen> {
    let mut kept: Vec<(Seen, Option<&str>)> = Vec::new();
    for row in &history.events {
        let Some(event) = catalog.event(row.event) else {
            continue;
        };
        let seen = see(event, row);
        let filter = program.event_filters.get(row.event.index()).and_then(Option::as_ref);
        if seen.time >= clock.as_of || !filter.is_none_or(|pred| passes(pred, &seen, clock, None)) {
            continue;
        }
        // Of the rows with one id, only the first in order of time and then of properties counts.
        let id = row.event_id.as_deref().filter(|id| !id.is_empty() && event.event_id.is_some());
        let same =
            kept.iter_mut().find(|(other, other_id)| id.is_some() && other.event == seen.event && *other_id == id);
        match same {
            Some((other, _)) if order(&seen, other).is_lt() => *other = seen,
            Some(_) => {}
            None => kept.push((seen, id)),
        }
    }
    let mut events: Vec<Seen> = kept.into_iter().map(|(seen, _)| seen).collect();
    events.sort_by_key(|e| e.time);
    events
}

fn see(event: &Event, row: &EventRow) -> Seen {
    let read = |(i, property): (usize, &Property)| {
        let reading = Reading { ty: property.ty, fold: property.fold, empty_is_value: property.empty_is_value };
        row.properties.get(i).and_then(Option::as_ref).and_then(|datum| reading.read(datum))
    };
    Seen { event: row.event, time: row.time, properties: event.properties.iter().enumerate().map(read).collect() }
}

fn order(a: &Seen, b: &Seen) -> Ordering {
    let properties = a.properties.iter().zip(&b.properties);
    let by_value = properties.map(|(a, b)| compare_missing_first(a.as_ref(), b.as_ref()));
    a.time.cmp(&b.time).then(by_value.fold(Ordering::Equal, Ordering::then))
}

/// Whether an event fulfils a predicate. A catalog's filter knows no customer; a `where` does.
pub fn passes(pred: &Pred, event: &Seen, clock: &Clock, customer: Option<&View>) -> bool {
    match pred {
        Pred::Const(b) => *b,
        Pred::And(parts) => parts.iter().all(|p| passes(p, event, clock, customer)),
        Pred::Or(parts) => parts.iter().any(|p| passes(p, event, clock, customer)),
        Pred::Not(part) => !passes(part, event, clock, customer),
        Pred::Test(test) => holds_test(test, &OfEvent { event, clock, customer }),
    }
}

struct OfEvent<'a> {
    event: &'a Seen,
    clock: &'a Clock,
    customer: Option<&'a View<'a>>,
}

impl Answers<Operand> for OfEvent<'_> {
    fn value(&self, of: &Operand) -> Option<Scalar> {
        let zone = &self.clock.zone;
        match of {
            Operand::Literal(literal) => Some(Scalar::literal(literal)),
            Operand::Property(id) => self.event.value(*id).cloned(),
            Operand::Hour => Some(Scalar::Num(Num::int(i64::from(zone.hour(self.event.time))))),
            Operand::Weekday => {
                let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
                names.get(usize::from(zone.weekday(self.event.time))).map(|&n| Scalar::Text(n.to_owned()))
            }
            Operand::Date => Some(Scalar::Date(zone.date(self.event.time))),
            // Of all that the customer did, also where the condition around sees a part of it.
            Operand::Customer(value) => self.customer?.whole().value_of(value),
        }
    }

    fn clock(&self) -> &Clock {
        self.clock
    }
}
