//! From declarations to the program: traits, rules, arms, the catalog's event filters.

use std::collections::{BTreeMap, HashMap};

use crate::language::catalog::EventId;
use crate::language::diagnostic::{Diagnostic, code};
use crate::language::ir::{Action, Cond, Program, Rule, RuleId, RuleKind, StageLine, Trait, Value};
use crate::language::source::Span;
use crate::language::syntax::ast::{self, ExprKind};
use crate::language::text::nfc;

use super::Checker;
use super::idle::Idle;
use super::items::{Declaration, Items, RuleItem};
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
                self.filtering.set(true);
                let tree = self.predicate(filter, EventId(i as u32));
                self.filtering.set(false);
                let tree = tree?;
                self.prove(&tree);
                Some(tree.into_formula())
            })
            .collect();
        let mut found = Vec::new();
        let order = items.order(self.catalog, &self.names, &mut found);
        self.diagnostics.borrow_mut().append(&mut found);
        let mut built = Built::default();
        built.program.event_filters = event_filters;
        for declaration in order.declarations {
            match declaration {
                Declaration::Trait(i) => {
                    let Some(item) = items.traits.get(i) else { continue };
                    let value = self.trait_value(item);
                    built.program.traits.extend(value.as_ref().and_then(|v| built.place_trait(item, v)));
                    if let Some(place) = self.traits.borrow_mut().get_mut(i) {
                        *place = value;
                    }
                }
                Declaration::Rule(i) => {
                    if let Some(item) = items.rules.get(i) {
                        self.rule(RuleId(i as u32), item, &mut built);
                    }
                }
                Declaration::Stages(i) => {
                    if let Some(stages) = self.names.stages(i) {
                        self.stages(stages, &mut built);
                    }
                }
            }
        }
        for (item, used) in items.traits.iter().zip(order.used) {
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
        built.program
    }

    /// A segment, a campaign or a bare rule.
    fn rule(&self, id: RuleId, item: &RuleItem<'a>, built: &mut Built<'a>) {
        item.name.clone_into(&mut self.declared.borrow_mut());
        self.was(item);
        let arm = item.arms.first().map(|arm| self.action(&arm.action));
        let asked = self.lint_form(item.condition);
        let Some(tree) = self.condition(item.condition) else { return };
        self.lint_missing(&tree);
        let (meaning, open) = self.prove(&tree);
        let kind = match arm {
            None => RuleKind::Segment,
            Some(Some(arm)) => RuleKind::Campaign { arm },
            Some(None) => return,
        };
        if !item.is_campaign() {
            self.same_meaning(item, meaning, &mut built.meanings);
        }
        let condition = tree.into_formula();
        built.idle(self, id, &condition, (open && !asked).then_some(item.condition.span));
        built.place_rule(
            id,
            Rule {
                name: item.name.to_owned(),
                title: item.title.map(str::to_owned),
                description: item.description.map(str::to_owned),
                kind,
                condition,
                span: item.span,
            },
        );
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
            | ExprKind::KnownFor(_)
            | ExprKind::Sequence(_)
            | ExprKind::Gathered(_)
            | ExprKind::Ranked(_)
            | ExprKind::Sample(_)
            | ExprKind::Anniversary(_)
            | ExprKind::Member(_)
            | ExprKind::Recorded(_) => true,
            ExprKind::Phrase(p) => {
                p.quantifier.is_some()
                    || p.test.is_some()
                    || p.window.is_some()
                    || p.subject.is_some()
                    || p.filter.is_some()
                    || p.same.is_some()
                    || p.without.is_some()
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

/// The program so far.
///
/// While it is built, a rule has two numbers: that of its declaration, by which conditions refer to it, and its place in the
/// program.
#[derive(Debug, Default)]
pub(super) struct Built<'a> {
    pub program: Program,
    placed: BTreeMap<RuleId, RuleId>,
    meanings: HashMap<u32, (&'a str, Span)>,
    inactive: BTreeMap<RuleId, Idle>,
}

impl<'a> Built<'a> {
    /// Says whether people who never did anything fulfil a rule (at `span`, if it is to be said), and keeps it for its users.
    pub fn idle(&mut self, checker: &Checker<'a>, id: RuleId, condition: &Cond, span: Option<Span>) {
        let earlier = |rule: u32| self.inactive.get(&RuleId(rule)).copied().unwrap_or(Idle::ANY);
        // Of what uses a mistake nothing is said.
        let mut known = true;
        condition.clone().rules(&mut |rule| known &= self.inactive.contains_key(rule));
        let idle = checker.lint_inactive(condition, &earlier, span.filter(|_| known));
        self.inactive.insert(id, idle);
    }

    /// Puts a rule into the program, unless it uses one that is not in it: whatever uses a mistake is left out as that is.
    pub fn place_rule(&mut self, id: RuleId, mut rule: Rule) -> Option<RuleId> {
        let mut all = true;
        rule.condition.rules(&mut |id| all &= place(&self.placed, id));
        if !all {
            return None;
        }
        let here = RuleId(self.program.rules.len() as u32);
        self.placed.insert(id, here);
        self.program.rules.push(rule);
        Some(here)
    }

    /// Takes the last so many rules out again, those of stages that are left out.
    pub fn take_back(&mut self, lines: &[StageLine]) {
        let rules = &mut self.program.rules;
        rules.truncate(rules.len().saturating_sub(lines.len()));
        self.placed.retain(|_, here| (here.0 as usize) < self.program.rules.len());
    }

    /// A trait with the places of the rules among whose people it ranks, if they are all in the program.
    fn place_trait(&self, item: &ast::Trait, typed: &Typed<'_, Value>) -> Option<Trait> {
        let mut value = typed.value.clone();
        let mut all = true;
        value.rules(&mut |id| all &= place(&self.placed, id));
        all.then(|| Trait {
            name: item.name.text.clone(),
            title: item.title.as_ref().map(|t| t.text.clone()),
            description: item.description.clone(),
            value,
            ty: typed.ty,
            span: item.span,
        })
    }
}

/// Turns the number of a declaration into its place in the program; false where it has none.
fn place(placed: &BTreeMap<RuleId, RuleId>, id: &mut RuleId) -> bool {
    match placed.get(id) {
        Some(found) => {
            *id = *found;
            true
        }
        None => false,
    }
}
