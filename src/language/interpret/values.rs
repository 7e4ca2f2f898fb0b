//! The values of one customer.
//!
//! Owns: attributes, aggregates, arithmetic and days since. Promises: missing values are skipped by aggregates; sums do not depend on order.
//! Must not know: conditions.

use super::ask::Answers;
use super::conditions::View;
use super::events::Seen;
use super::scalar::{Reading, Scalar};
use super::whole;
use crate::language::calendar::Clock;
use crate::language::catalog::{AttributeId, PropertyId, Type};
use crate::language::ir::{Aggregate, Arithmetic, Behaviour, Value};
use crate::language::num::Num;

impl Answers<Value> for View<'_> {
    fn value(&self, of: &Value) -> Option<Scalar> {
        self.value_of(of)
    }

    fn clock(&self) -> &Clock {
        self.population.clock
    }
}

impl View<'_> {
    /// A value of this customer; `None` is missing.
    pub fn value_of(&self, value: &Value) -> Option<Scalar> {
        match value {
            Value::Literal(literal) => Some(Scalar::literal(literal)),
            Value::Attribute(id) => self.attribute(*id),
            Value::Aggregate { function, behaviour } => self.aggregate(*function, behaviour),
            Value::Rate { of, per } => {
                let (of, per) = (self.during(of)?.len(), self.during(per)?.len());
                whole(of).combine(Arithmetic::Divide, whole(per)).map(Scalar::Num)
            }
            Value::Arithmetic { op, left, right } => match (self.value_of(left)?, self.value_of(right)?) {
                (Scalar::Num(left), Scalar::Num(right)) => left.combine(*op, right).map(Scalar::Num),
                _ => None,
            },
            Value::Rank { rank, scale } => self.population.ranking(rank).on(*scale, self.at).map(Scalar::Num),
            Value::DaysSinceEvent { end, matching } => {
                let event = self.pick(*end, matching)?;
                Some(Scalar::Num(Num::int(self.clock().days_since(event.time))))
            }
            Value::DaysSinceAttribute(id) => match self.attribute(*id)? {
                Scalar::Date(days) => Some(Scalar::Num(Num::int(self.clock().days_since_date(days)))),
                Scalar::Instant(at) => Some(Scalar::Num(Num::int(self.clock().days_since(at)))),
                _ => None,
            },
        }
    }

    fn attribute(&self, id: AttributeId) -> Option<Scalar> {
        let attribute = self.population.catalog.attributes().get(id.index())?;
        let reading = Reading { ty: attribute.ty, fold: attribute.fold, empty_is_value: attribute.empty_is_value };
        reading.read(self.customer.history.profile.as_ref()?.attributes.get(id.index())?.as_ref()?)
    }

    fn aggregate(&self, function: Aggregate, behaviour: &Behaviour) -> Option<Scalar> {
        let events = self.during(behaviour)?;
        let known = |id| known(&events, id);
        let ty = |id: PropertyId| {
            let event = self.population.catalog.event(behaviour.matching.event)?;
            event.properties.get(id.index()).map(|p| p.ty)
        };
        match function {
            Aggregate::Count => Some(Scalar::Num(whole(events.len()))),
            Aggregate::Sum(id) => sum(&known(id), ty(id)?).map(Scalar::Num),
            Aggregate::Avg(id) => average(&known(id), ty(id)?).map(Scalar::Num),
            Aggregate::Min(id) => known(id).into_iter().min_by(Scalar::compare),
            Aggregate::Max(id) => known(id).into_iter().max_by(Scalar::compare),
            Aggregate::Distinct(id) => Some(Scalar::Num(whole(each_once(known(id)).len()))),
            Aggregate::Percentile(id, millionths) => {
                let mut numbers: Vec<Num> = known(id).iter().filter_map(number).collect();
                numbers.sort_by(|a, b| a.compare(*b));
                Num::interpolate(&numbers, millionths).map(Scalar::Num)
            }
            Aggregate::First(id) => greatest_at(&events, events.first()?.time, id),
            Aggregate::Last(id) => greatest_at(&events, events.last()?.time, id),
            Aggregate::MostFrequent(id) => {
                let all = known(id);
                let times = |value: &Scalar| all.iter().filter(|other| *other == value).count();
                // Of several the last is taken, and that is the smallest.
                each_once(all.clone()).into_iter().rev().max_by_key(times)
            }
        }
    }
}

/// The values that are not missing, one an event.
fn known(events: &[&Seen], id: PropertyId) -> Vec<Scalar> {
    events.iter().filter_map(|e| e.value(id).cloned()).collect()
}

/// Each value once.
fn each_once(mut values: Vec<Scalar>) -> Vec<Scalar> {
    values.sort_by(Scalar::compare);
    values.dedup();
    values
}

/// The value of the event at an instant, missing if missing there; of several events the greatest known one.
fn greatest_at(events: &[&Seen], instant: i64, id: PropertyId) -> Option<Scalar> {
    let there: Vec<&Seen> = events.iter().copied().filter(|e| e.time == instant).collect();
    known(&there, id).into_iter().max_by(Scalar::compare)
}

/// Exact for integers and money; numbers are added in ascending order, so that the order of events changes nothing.
fn sum(values: &[Scalar], ty: Type) -> Option<Num> {
    match ty {
        Type::Integer => Some(Num::Exact { units: units(values), scale: 0 }),
        Type::Money { scale } => Some(Num::Exact { units: units(values), scale }),
        _ => {
            let mut floats: Vec<f64> = values.iter().filter_map(number).map(Num::to_f64).collect();
            floats.sort_by(f64::total_cmp);
            Num::float(floats.iter().fold(0.0, |sum, x| sum + x))
        }
    }
}

fn average(values: &[Scalar], ty: Type) -> Option<Num> {
    let count = values.len() as f64;
    let sum = match ty {
        Type::Integer => units(values) as f64,
        Type::Money { scale } => units(values) as f64 / 10f64.powi(i32::from(scale)),
        _ => sum(values, ty)?.to_f64(),
    };
    if values.is_empty() { None } else { Num::float(sum / count) }
}

fn units(values: &[Scalar]) -> i128 {
    let exact = |v: &Scalar| match v {
        Scalar::Num(Num::Exact { units, .. }) => *units,
        _ => 0,
    };
    values.iter().map(exact).fold(0, i128::saturating_add)
}

fn number(value: &Scalar) -> Option<Num> {
    match value {
        Scalar::Num(n) => Some(*n),
        _ => None,
    }
}
