//! Walking a program: which events it asks for.

use std::collections::BTreeMap;

use super::{Anchor, Behaviour, Cond, Literal, Matching, Operand, Pred, Program, Sequence, Test, Value};
use crate::language::catalog::Catalog;
use crate::language::catalog::history::NAME;

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
        self.rules.iter_mut().for_each(|rule| rule.condition.matchings(found));
        self.traits.iter_mut().for_each(|named| named.value.matchings(found));
    }
}

impl Cond {
    fn matchings(&mut self, found: &mut dyn FnMut(&mut Matching)) {
        match self {
            Cond::And(parts) | Cond::Or(parts) => parts.iter_mut().for_each(|c| c.matchings(found)),
            Cond::Not(part) => part.matchings(found),
            Cond::Count { behaviour, .. } | Cond::Periods { behaviour, .. } => behaviour.matchings(found),
            Cond::Same { behaviour, without, .. } => {
                behaviour.matchings(found);
                without.iter_mut().for_each(|(matching, _)| matching.matchings(found));
            }
            Cond::Pick { matching, since, .. } => {
                matching.matchings(found);
                anchored(since, found);
            }
            Cond::Sequence(sequence) => sequence.matchings(found),
            Cond::InSession { inside, since, .. } => {
                inside.matchings(found);
                anchored(since, found);
            }
            Cond::InAny { inside, starts, since, .. } => {
                inside.matchings(found);
                starts.iter_mut().for_each(|matching| matching.matchings(found));
                anchored(since, found);
            }
            Cond::Ranked { rank, .. } => rank.by.matchings(found),
            Cond::Test(test) => test.values(&mut |value| value.matchings(found)),
            Cond::Const(_) | Cond::Rule(_) | Cond::List(_) | Cond::Sample { .. } | Cond::KnownSince(_) => {}
        }
    }
}

impl Value {
    fn matchings(&mut self, found: &mut dyn FnMut(&mut Matching)) {
        match self {
            Value::Aggregate { behaviour, .. } => behaviour.matchings(found),
            Value::Rate { of, per } => {
                of.matchings(found);
                per.matchings(found);
            }
            Value::Arithmetic { left, right, .. } => {
                left.matchings(found);
                right.matchings(found);
            }
            Value::Rank { rank, .. } => rank.by.matchings(found),
            Value::DaysSinceEvent { matching, .. } => matching.matchings(found),
            Value::Literal(_) | Value::Attribute(_) | Value::DaysSinceAttribute(_) => {}
        }
    }
}

impl Matching {
    fn matchings(&mut self, found: &mut dyn FnMut(&mut Matching)) {
        found(self);
        self.pred.iter_mut().for_each(|pred| pred.matchings(found));
    }
}

impl Behaviour {
    fn matchings(&mut self, found: &mut dyn FnMut(&mut Matching)) {
        self.matching.matchings(found);
        anchored(&mut self.since, found);
    }
}

impl Sequence {
    fn matchings(&mut self, found: &mut dyn FnMut(&mut Matching)) {
        for step in &mut self.steps {
            step.matching.matchings(found);
            step.without.iter_mut().for_each(|(matching, _)| matching.matchings(found));
        }
        anchored(&mut self.since, found);
        self.absence.iter_mut().for_each(|absence| absence.matching.matchings(found));
    }
}

impl Pred {
    fn matchings(&mut self, found: &mut dyn FnMut(&mut Matching)) {
        match self {
            Pred::Const(_) => {}
            Pred::And(parts) | Pred::Or(parts) => parts.iter_mut().for_each(|part| part.matchings(found)),
            Pred::Not(part) => part.matchings(found),
            Pred::Test(test) => test.values(&mut |operand| {
                if let Operand::Customer(value) = operand {
                    value.matchings(found);
                }
            }),
        }
    }
}

fn anchored(anchor: &mut Option<Box<Anchor>>, found: &mut dyn FnMut(&mut Matching)) {
    anchor.iter_mut().for_each(|anchor| anchor.matching.matchings(found));
}
