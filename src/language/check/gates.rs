//! What a customer must pass to be reached on a channel.

use crate::language::catalog::{ListId, Type};
use crate::language::ir::{Cond, Gate, Program, Rule, RuleId, RuleKind, Test, Trait, Value};

use super::Checker;

impl Checker<'_> {
    /// Consent and suppression of every channel that a campaign uses, and the customers' zones. No text has a say in it.
    pub(super) fn gates(&self, program: &mut Program) {
        for channel in &self.catalog.channels {
            let name = &channel.name.name;
            if !program.campaigns.iter().any(|c| c.channels().any(|used| used == name)) {
                continue;
            }
            let mut gate = |what: &str, condition| {
                let (name, span) = (format!("{name}.{what}"), channel.name.span);
                program.rules.push(Rule {
                    name,
                    title: None,
                    description: None,
                    kind: RuleKind::Gate,
                    condition,
                    span,
                });
                RuleId((program.rules.len() - 1) as u32)
            };
            let agreed = |attribute| Cond::Test(Test::Yes(Value::Attribute(attribute)));
            let consent = gate("consent", channel.consent.map_or(Cond::Const(true), agreed));
            let mut lists: Vec<ListId> = self.catalog.suppression.iter().chain(&channel.suppression).copied().collect();
            lists.sort_unstable();
            lists.dedup();
            let suppressed = gate("suppressed", any(lists.into_iter().map(Cond::List).collect()));
            program.gates.push(Gate { channel: name.clone(), consent, suppressed });
        }
        let zone = self.catalog.zone.filter(|_| !program.campaigns.is_empty());
        let zone = zone.and_then(|id| Some((id, self.catalog.attributes().get(id.index())?)));
        if let Some((id, attribute)) = zone {
            program.zone = Some(program.traits.len());
            let of = Value::Attribute(id);
            let (name, span) = ("customer.zone".to_owned(), attribute.name.span);
            let (title, description) = (None, None);
            program.traits.push(Trait { name, title, description, value: of, ty: Type::Text, hidden: true, span });
        }
    }
}

/// One of these holds.
fn any(mut conditions: Vec<Cond>) -> Cond {
    match (conditions.pop(), conditions.is_empty()) {
        (None, _) => Cond::Const(false),
        (Some(only), true) => only,
        (Some(last), false) => {
            conditions.push(last);
            Cond::Or(conditions)
        }
    }
}
