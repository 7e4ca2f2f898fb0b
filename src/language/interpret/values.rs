//! The values of one customer.
//!
//! Owns: attributes, aggregates and days since. Promises: missing values are skipped by aggregates; sums do not depend on order.
//! Must not know: conditions.

use super::ask::Answers;
use super::scalar::{Reading, Scalar};
use super::{Customer, whole};
use crate::language::calendar::Clock;
use crate::language::catalog::{AttributeId, PropertyId, Type};
use crate::language::ir::{Aggregate, Behaviour, Value};
use crate::language::num::Num;

impl Answers<Value> for Customer<'_> {
    fn value(&self, of: &Value) -> Option<Scalar> {
        self.value_of(of)
    }

    fn clock(&self) -> &Clock {
        self.clock
    }
}

impl Customer<'_> {
    /// A value of this customer; `None` is missing.
    pub(super) fn value_of(&self, value: &Value) -> Option<Scalar> {
        match value {
            Value::Literal(literal) => Some(Scalar::literal(literal)),
            Value::Attribute(id) => self.attribute(*id),
            Value::Aggregate { function, behaviour } => self.aggregate(*function, behaviour),
            // SOON
            Value::Rate { .. } | Value::Arithmetic { .. } | Value::Rank { .. } => None,
            Value::DaysSinceEvent { end, matching } => {
                let event = self.pick(*end, matching)?;
                Some(Scalar::Num(Num::int(self.clock.days_since(event.time))))
            }
            Value::DaysSinceAttribute(id) => match self.attribute(*id)? {
                Scalar::Date(days) => Some(Scalar::Num(Num::int(self.clock.days_since_date(days)))),
                Scalar::Instant(at) => Some(Scalar::Num(Num::int(self.clock.days_since(at)))),
                _ => None,
            },
        }
    }

    fn attribute(&self, id: AttributeId) -> Option<Scalar> {
        let attribute = self.catalog.attributes().get(id.index())?;
        let reading = Reading { ty: attribute.ty, fold: attribute.fold, empty_is_value: attribute.empty_is_value };
        reading.read(self.history.profile.as_ref()?.attributes.get(id.index())?.as_ref()?)
    }

    fn aggregate(&self, function: Aggregate, behaviour: &Behaviour) -> Option<Scalar> {
        let known = |id: PropertyId| -> Vec<Scalar> {
            self.during(behaviour).filter_map(|e| e.properties.get(id.index()).cloned().flatten()).collect()
        };
        let ty = |id: PropertyId| {
            let event = self.catalog.event(behaviour.matching.event)?;
            event.properties.get(id.index()).map(|p| p.ty)
        };
        match function {
            Aggregate::Count => Some(Scalar::Num(whole(self.during(behaviour).count()))),
            Aggregate::Sum(id) => sum(&known(id), ty(id)?).map(Scalar::Num),
            Aggregate::Avg(id) => average(&known(id), ty(id)?).map(Scalar::Num),
            Aggregate::Min(id) => known(id).into_iter().min_by(Scalar::compare),
            Aggregate::Max(id) => known(id).into_iter().max_by(Scalar::compare),
            // SOON
            Aggregate::Percentile(..) | Aggregate::First(_) | Aggregate::Last(_) | Aggregate::MostFrequent(_) => None,
            Aggregate::Distinct(id) => {
                let mut values = known(id);
                values.sort_by(Scalar::compare);
                values.dedup();
                Some(Scalar::Num(whole(values.len())))
            }
        }
    }
}

/// Exact for integers and money; numbers are added in ascending order, so that the order of events changes nothing.
fn sum(values: &[Scalar], ty: Type) -> Option<Num> {
    match ty {
        Type::Integer => Some(Num::Exact { units: units(values), scale: 0 }),
        Type::Money { scale } => Some(Num::Exact { units: units(values), scale }),
        _ => {
            let mut floats: Vec<f64> = values.iter().filter_map(float).collect();
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

fn float(value: &Scalar) -> Option<f64> {
    match value {
        Scalar::Num(n) => Some(n.to_f64()),
        _ => None,
    }
}
