//! From declarations to the program: traits, rules, arms, the catalog's event filters.

use std::collections::{BTreeMap, HashMap};

use crate::language::catalog::EventId;
use crate::language::diagnostic::{Diagnostic, code};
use crate::language::ir::{Action, Cond, Program, Rule, RuleId, RuleKind, Trait, Value};
use crate::language::source::Span;
use crate::language::syntax::ast::{self, ExprKind};
use crate::language::text::nfc;

use super::Checker;
use super::items::{Items, RuleItem};
use super::lint::Idle;
use super::names::Meaning;
use super::suggest::some_of;
use super::values::{Side, Typed};

impl<'a> Checker<'a> {
    pub(super) fn program(&self, items: &Items<'a>) -> Program {
        let event_filters = self
            .catalog
            .events
            .iter()
            .enumerate()
            .map(|(i, e)| {
                let filter = e.filter.as_ref()?;
                self.lint_form(filter);
                let tree = self.predicate(filter, EventId(i as u32))?;
                self.prove(&tree);
                Some(tree.into_formula())
            })
            .collect();
        let (order, used) = {
            let mut found = Vec::new();
            let (trait_order, mut used) = items.trait_order(&self.names, &mut found);
            let rule_order = items.rule_order(&self.names, &mut used, &mut found);
            self.diagnostics.borrow_mut().append(&mut found);
            ((trait_order, rule_order), used)
        };
        let mut traits = Vec::new();
        for i in order.0 {
            let Some(item) = items.traits.get(i) else { continue };
            let value = self.trait_value(item);
            if let Some(value) = &value {
                traits.push(Trait {
                    name: item.name.text.clone(),
                    title: item.title.as_ref().map(|t| t.text.clone()),
                    description: item.description.clone(),
                    value: value.value.clone(),
                    ty: value.ty,
                    span: item.span,
                });
            }
            if let Some(place) = self.traits.borrow_mut().get_mut(i) {
                *place = value;
            }
        }
        for (item, used) in items.traits.iter().zip(used) {
            if !used {
                self.report(
                    Diagnostic::new(
                        code::check::UNUSED_TRAIT,
                        item.name.span,
                        format!("nothing uses the trait `{}`", item.name.text),
                    )
                    .label("declared and never used")
                    .help("use it in a segment, or take it out"),
                );
            }
        }
        let mut placed: BTreeMap<u32, RuleId> = BTreeMap::new();
        let mut meanings: HashMap<u32, (&'a str, Span)> = HashMap::new();
        let mut inactive: BTreeMap<u32, Idle> = BTreeMap::new();
        let mut rules = Vec::new();
        for i in order.1 {
            let Some(item) = items.rules.get(i) else { continue };
            self.was(item);
            let arm = item.arms.first().map(|arm| self.action(&arm.action));
            let asked = self.lint_form(item.condition);
            let Some(tree) = self.condition(item.condition) else { continue };
            self.lint_missing(&tree);
            let (meaning, open) = self.prove(&tree);
            let kind = match arm {
                None => RuleKind::Segment,
                Some(Some(arm)) => RuleKind::Campaign { arm },
                Some(None) => continue,
            };
            if !item.is_campaign() {
                self.same_meaning(item, meaning, &mut meanings);
            }
            let mut condition = tree.into_formula();
            let span = item.condition.span;
            let earlier = |rule: u32| inactive.get(&rule).copied().unwrap_or(Idle::ANY);
            let idle = self.lint_inactive(&condition, &earlier, (open && !asked).then_some(span));
            inactive.insert(i as u32, idle);
            // A rule that uses one with a mistake is left out as that one is.
            if !place_rules(&mut condition, &placed) {
                continue;
            }
            placed.insert(i as u32, RuleId(rules.len() as u32));
            rules.push(Rule {
                name: item.name.to_owned(),
                title: item.title.map(str::to_owned),
                description: item.description.map(str::to_owned),
                kind,
                condition,
                span: item.span,
            });
        }
        Program { rules, traits, stages: Vec::new(), event_filters }
    }

    /// The value of a trait.
    fn trait_value(&self, item: &ast::Trait) -> Option<Typed<'a, Value>> {
        let name = &item.name.text;
        let condition = |d: Diagnostic| {
            d.label("this is yes or no")
                .also(item.name.span, "a trait is a value")
                .help(format!("declare it as a segment: `segment {name}: …`"))
        };
        let mut expr = &item.value;
        while let ExprKind::Paren(inner) = &expr.kind {
            expr = inner;
        }
        let not_value = match &expr.kind {
            ExprKind::Or(_)
            | ExprKind::And(_)
            | ExprKind::Not(_)
            | ExprKind::Everyone
            | ExprKind::Test { .. }
            | ExprKind::KnownFor(_) => true,
            ExprKind::Phrase(p) => {
                p.quantifier.is_some()
                    || p.test.is_some()
                    || p.window.is_some()
                    || p.subject.is_some()
                    || p.filter.is_some()
                    || matches!(
                        self.names.get(&p.name.text),
                        Some(Meaning::Event(_) | Meaning::Segment(_) | Meaning::List(_))
                    ) && p.qualifier.is_none()
            }
            _ => false,
        };
        if not_value {
            self.report(condition(Diagnostic::new(
                code::check::NOT_A_VALUE,
                expr.span,
                format!("the trait `{name}` is a condition"),
            )));
            return None;
        }
        let value = match self.side::<Cond>((), expr)? {
            Side::Value(v) => v,
            Side::Word(word) => self.value_named_here::<Cond>((), &word)?,
            Side::Constant(_) => {
                self.report(
                    Diagnostic::new(code::check::CONSTANTS, expr.span, format!("the trait `{name}` is a constant"))
                        .label("the same for everyone")
                        .help("write the constant where it is needed"),
                );
                return None;
            }
        };
        let mut value = value;
        value.about.says.clone_from(name);
        Some(value)
    }

    /// Two segments that no data can tell apart.
    fn same_meaning(&self, item: &RuleItem<'a>, meaning: u32, meanings: &mut HashMap<u32, (&'a str, Span)>) {
        match meanings.get(&meaning) {
            None => {
                meanings.insert(meaning, (item.name, item.name_span));
            }
            Some((other, place)) => self.report(
                Diagnostic::new(
                    code::check::SAME_MEANING,
                    item.name_span,
                    format!("`{}` means the same as `{other}`", item.name),
                )
                .label("the same people")
                .also(*place, format!("`{other}` is declared here"))
                .help(format!("use `{other}`, or take one of them out")),
            ),
        }
    }

    /// `was` names what the segment was called before.
    fn was(&self, item: &RuleItem<'_>) {
        let Some(was) = item.was else { return };
        let d = if was.text == item.name {
            Diagnostic::new(code::check::WAS_DECLARED, was.span, format!("`{}` was always called so", was.text))
                .label("the same name")
                .help("leave out `was`")
        } else if let Some(place) = self.names.place(&was.text).or_else(|| self.names.campaign(&was.text)) {
            Diagnostic::new(code::check::WAS_DECLARED, was.span, format!("`{}` is still in use", was.text))
                .label("its history can't belong to two")
                .also(place, "declared here")
                .help("`was` takes the former name of what is declared, which nothing else may have")
        } else {
            return;
        };
        self.report(d);
    }

    /// `offer serum-15 by email`
    fn action(&self, action: &ast::Action) -> Option<Action> {
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

/// Turns the numbers of declarations into numbers of the program; false where one is not in it.
fn place_rules(condition: &mut Cond, placed: &BTreeMap<u32, RuleId>) -> bool {
    let mut all = true;
    condition.rules(&mut |id| match placed.get(&id.0) {
        Some(found) => *id = *found,
        None => all = false,
    });
    all
}
