//! Walking a program: what of the data it asks for.

use std::collections::BTreeMap;

use super::{
    Aggregate, Anchor, Behaviour, Cond, Literal, Matching, Operand, Pred, Program, Sequence, Step, Test, Value,
};
use crate::language::catalog::history::NAME;
use crate::language::catalog::{AttributeId, Catalog, EventId, PropertyId};

impl Program {
    /// Whether some rule or trait asks for what runs left behind.
    pub fn asks_history(&self, catalog: &Catalog) -> bool {
        let mut asks = false;
        self.clone().matchings(&mut |matching| asks |= catalog.is_recorded(matching.event));
        asks
    }

    /// The program in which a segment or campaign is known by the names, too, that it had before: for each name its former ones.
    pub fn with_former_names(&self, catalog: &Catalog, former: &BTreeMap<String, Vec<String>>) -> Program {
        let mut program = self.clone();
        program.matchings(&mut |matching| {
            let Some(pred) = matching.pred.as_mut().filter(|_| catalog.is_recorded(matching.event)) else { return };
            let Pred::Test(Test::OneOf { value: Operand::Property(NAME), among, .. }) = pred else { return };
            let names = among.iter().filter_map(|name| match name {
                Literal::Text(name) => former.get(name),
                _ => None,
            });
            let more: Vec<Literal> = names.flatten().cloned().map(Literal::Text).collect();
            for name in more {
                if !among.contains(&name) {
                    among.push(name);
                }
            }
        });
        program
    }

    /// Calls back for all events that a rule or trait asks for.
    fn matchings(&mut self, found: &mut dyn FnMut(&mut Matching)) {
        let mut events = |asked: Asked<'_>| {
            if let Asked::Events(matching) = asked {
                found(matching);
            }
        };
        self.rules.iter_mut().for_each(|rule| rule.condition.asked(&mut events));
        self.traits.iter_mut().for_each(|named| named.value.asked(&mut events));
    }
}

/// Something in the data that a condition or value is made of.
#[derive(Debug)]
pub enum Asked<'a> {
    /// Whether and when these were. Its properties are called back for themselves.
    Events(&'a mut Matching),
    Property(EventId, PropertyId),
    Attribute(AttributeId),
}

type Found<'f> = &'f mut dyn FnMut(Asked<'_>);

impl Cond {
    /// Calls back for all that the condition is made of, but for the rules that it refers to: see [`Cond::rules`].
    pub fn asked(&mut self, found: Found<'_>) {
        match self {
            Cond::And(parts) | Cond::Or(parts) => parts.iter_mut().for_each(|c| c.asked(found)),
            Cond::Not(part) => part.asked(found),
            Cond::Count { behaviour, .. } | Cond::Periods { behaviour, .. } => behaviour.asked(found),
            Cond::Same { behaviour, property, n: _, without } => {
                found(Asked::Property(behaviour.matching.event, *property));
                behaviour.asked(found);
                without.iter_mut().for_each(|(matching, property)| matching.asked_by(Some(*property), found));
            }
            Cond::Pick { matching, since, .. } => {
                matching.asked(found);
                anchored(since, found);
            }
            Cond::Sequence(sequence) => sequence.asked(found),
            Cond::InSession { inside, since, window: _ } => {
                inside.asked(found);
                anchored(since, found);
            }
            Cond::InAny { inside, starts, since, length: _, window: _ } => {
                inside.asked(found);
                starts.iter_mut().for_each(|matching| matching.asked(found));
                anchored(since, found);
            }
            Cond::Ranked { rank, .. } => rank.by.asked(found),
            Cond::Test(test) => test.values(&mut |value| value.asked(found)),
            Cond::Const(_) | Cond::Rule(_) | Cond::List(_) | Cond::Sample { .. } | Cond::KnownSince(_) => {}
        }
    }
}

impl Value {
    /// Calls back for all that the value is made of, but for the rules that it refers to: see [`Value::rules`].
    pub fn asked(&mut self, found: Found<'_>) {
        match self {
            Value::Aggregate { function, behaviour } => {
                if let Some(property) = function.property() {
                    found(Asked::Property(behaviour.matching.event, property));
                }
                behaviour.asked(found);
            }
            Value::Rate { of, per } => {
                of.asked(found);
                per.asked(found);
            }
            Value::Arithmetic { left, right, .. } => {
                left.asked(found);
                right.asked(found);
            }
            Value::Rank { rank, .. } => rank.by.asked(found),
            Value::DaysSinceEvent { matching, .. } => matching.asked(found),
            Value::Attribute(id) | Value::DaysSinceAttribute(id) => found(Asked::Attribute(*id)),
            Value::Literal(_) => {}
        }
    }
}

impl Aggregate {
    /// The property that it is made from.
    fn property(self) -> Option<PropertyId> {
        match self {
            Aggregate::Count => None,
            Aggregate::Sum(p)
            | Aggregate::Avg(p)
            | Aggregate::Min(p)
            | Aggregate::Max(p)
            | Aggregate::Distinct(p)
            | Aggregate::Percentile(p, _)
            | Aggregate::First(p)
            | Aggregate::Last(p)
            | Aggregate::MostFrequent(p) => Some(p),
        }
    }
}

impl Matching {
    fn asked(&mut self, found: Found<'_>) {
        self.asked_by(None, found);
    }

    /// Events that are asked for one of their properties, too.
    fn asked_by(&mut self, property: Option<PropertyId>, found: Found<'_>) {
        let event = self.event;
        if let Some(property) = property {
            found(Asked::Property(event, property));
        }
        found(Asked::Events(self));
        self.pred.iter_mut().for_each(|pred| pred.asked(event, found));
    }
}

impl Behaviour {
    fn asked(&mut self, found: Found<'_>) {
        self.matching.asked(found);
        anchored(&mut self.since, found);
    }
}

impl Sequence {
    fn asked(&mut self, found: Found<'_>) {
        for Step { matching, without, same, pick: _, after: _, within: _ } in &mut self.steps {
            matching.asked_by(*same, found);
            without.iter_mut().for_each(|(matching, same)| matching.asked_by(*same, found));
        }
        anchored(&mut self.since, found);
        self.absence.iter_mut().for_each(|absence| absence.matching.asked_by(absence.same, found));
    }
}

impl Pred {
    fn asked(&mut self, event: EventId, found: Found<'_>) {
        match self {
            Pred::Const(_) => {}
            Pred::And(parts) | Pred::Or(parts) => parts.iter_mut().for_each(|part| part.asked(event, found)),
            Pred::Not(part) => part.asked(event, found),
            Pred::Test(test) => test.values(&mut |operand| match operand {
                Operand::Property(property) => found(Asked::Property(event, *property)),
                Operand::Customer(value) => value.asked(found),
                Operand::Literal(_) | Operand::Hour | Operand::Weekday | Operand::Date => {}
            }),
        }
    }
}

fn anchored(anchor: &mut Option<Box<Anchor>>, found: Found<'_>) {
    anchor.iter_mut().for_each(|anchor| anchor.matching.asked(found));
}
