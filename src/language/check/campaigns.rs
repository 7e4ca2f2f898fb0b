//! Campaigns: what is done with whom a condition names, and what stands between a customer and a contact.

use crate::language::catalog::{ListId, Type};
use crate::language::diagnostic::{Diagnostic, code};
use crate::language::ir::{
    Action, Arm, Campaign, Cond, Gate, Program, Rule, RuleId, RuleKind, Take, Test, Trait, Value,
};
use crate::language::source::Span;
use crate::language::syntax::ast;
use crate::language::text::nfc;

use super::Checker;
use super::items::RuleItem;
use super::rules::Built;
use super::suggest::some_of;

impl<'a> Checker<'a> {
    /// Puts what is done with the members of a rule into the program.
    pub(super) fn campaign(&self, rule: RuleId, item: &RuleItem<'a>, actions: Vec<Action>, built: &mut Built<'a>) {
        let arm = |(i, action): (usize, Action)| Arm { name: (i + 1).to_string(), take: Take::All, action };
        built.program.campaigns.push(Campaign {
            rule,
            was: item.was.map(|was| was.text.clone()),
            except: Vec::new(),
            arms: actions.into_iter().enumerate().map(arm).collect(),
            hold_out: None,
            priority: 0,
            at_most: None,
            limit: None,
            with: Vec::new(),
            goal: None,
            every: None,
            from: None,
            until: None,
            cost: None,
            budget: None,
            quiet: None,
        });
    }

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
            program.traits.push(hidden("customer.zone".to_owned(), of, Type::Text, attribute.name.span));
        }
    }

    /// `offer serum-15 by email`
    pub(super) fn action(&self, action: &ast::Action) -> Option<Action> {
        let verb = &action.verb.text;
        let def = self.catalog.actions.iter().find(|a| a.name.name == *verb);
        let mut failed = false;
        if def.is_none() && verb != "offer" {
            failed = true;
            let known: Vec<&str> = self
                .catalog
                .actions
                .iter()
                .map(|a| a.name.name.as_str())
                .filter(|n| *n != "offer")
                .chain(["offer"])
                .collect();
            let d =
                Diagnostic::new(code::check::UNKNOWN_ACTION, action.verb.span, format!("there is no action `{verb}`"))
                    .label("not an action of this project");
            self.report(match self.nearest(verb, known.iter().copied()) {
                Some(near) => d
                    .help(format!("did you mean `{near}`?"))
                    .fix(format!("write `{near}`"), vec![(action.verb.span, near.to_owned())]),
                None => d.help(format!(
                    "actions are {}; add others under `actions:` in `{}`",
                    some_of(known.iter().copied()),
                    self.options.catalog
                )),
            });
        }
        if verb == "offer" && !self.catalog.offers.is_empty() {
            for w in &action.arguments {
                let offers = self.catalog.offers.iter().map(|o| o.name.as_str());
                if offers.clone().any(|o| o == w.text) {
                    continue;
                }
                failed = true;
                let d = Diagnostic::new(code::check::UNKNOWN_OFFER, w.span, format!("there is no offer `{}`", w.text))
                    .label("not an offer of this project");
                self.report(match self.nearest(&w.text, offers.clone()) {
                    Some(near) => d
                        .help(format!("did you mean `{near}`?"))
                        .fix(format!("write `{near}`"), vec![(w.span, near.to_owned())]),
                    None => d.help(format!(
                        "offers are {}; add others under `offers:` in `{}`",
                        some_of(offers),
                        self.options.catalog
                    )),
                });
            }
        }
        let channels = || self.catalog.channels.iter().map(|c| c.name.name.as_str());
        let channel = match &action.by {
            Some(by) if channels().any(|c| c == by.text) => Some(by.text.clone()),
            Some(by) => {
                failed = true;
                let d = Diagnostic::new(
                    code::check::UNKNOWN_CHANNEL,
                    by.span,
                    format!("there is no channel `{}`", by.text),
                )
                .label("not a channel of this project");
                self.report(match self.nearest(&by.text, channels()) {
                    Some(near) => d
                        .help(format!("did you mean `{near}`?"))
                        .fix(format!("write `{near}`"), vec![(by.span, near.to_owned())]),
                    None if self.catalog.channels.is_empty() => {
                        d.help(format!("add it under `channels:` in `{}`", self.options.catalog))
                    }
                    None => d.help(format!(
                        "channels are {}; add others under `channels:` in `{}`",
                        some_of(channels()),
                        self.options.catalog
                    )),
                });
                None
            }
            None => def.and_then(|d| d.channel).and_then(|i| self.catalog.channels.get(i)).map(|c| c.name.name.clone()),
        };
        (!failed).then(|| Action {
            verb: verb.clone(),
            arguments: action.arguments.iter().map(|w| nfc(&w.text)).collect(),
            channel,
        })
    }
}

/// A value that is evaluated for a campaign's sake.
fn hidden(name: String, value: Value, ty: Type, span: Span) -> Trait {
    Trait { name, title: None, description: None, value, ty, hidden: true, span }
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
