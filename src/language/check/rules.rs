//! From declarations to the program: traits, rules, arms, the catalog's event filters.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::language::catalog::EventId;
use crate::language::diagnostic::{Diagnostic, code};
use crate::language::ir::{Cond, Program, Rule, RuleId, RuleKind, StageLine, Trait, Value};
use crate::language::source::Span;
use crate::language::syntax::ast::{self, ExprKind};

use super::Checker;
use super::campaigns::{Draft, Held, Served};
use super::idle::Idle;
use super::items::{Declaration, Items, RuleItem};
use super::names::Meaning;
use super::tree::Tree;
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
        self.destinations(items);
        built.program.former = items.rules.iter().filter_map(|rule| Some(rule.was?.text.clone())).collect();
        built.program.policies = self.policies(items);
        self.gates(&mut built.program);
        built.program
    }

    /// A segment, a campaign or a bare rule.
    fn rule(&self, id: RuleId, item: &RuleItem<'a>, built: &mut Built<'a>) {
        item.name.clone_into(&mut self.declared.borrow_mut());
        self.was(item);
        let asked = self.lint_form(item.condition);
        let tree = self.condition(item.condition);
        let proved = tree.as_ref().map(|tree| {
            self.lint_missing(tree);
            self.prove(tree)
        });
        // Its mistakes are told even where the condition has some.
        let draft = item.is_campaign().then(|| self.campaign(item, tree.as_ref(), built));
        let (Some(tree), Some((meaning, open))) = (tree, proved) else { return };
        if draft.is_none() {
            self.same_meaning(item, meaning, &mut built.meanings);
            built.segments.insert(id, tree.clone());
        }
        let condition = tree.into_formula();
        built.idle(self, id, &condition, (open && !asked).then_some(item.condition.span));
        let rule = Rule {
            name: item.name.to_owned(),
            title: item.title.map(str::to_owned),
            description: item.description.map(str::to_owned),
            kind: RuleKind::Segment,
            condition,
            span: item.span,
        };
        match draft {
            None => _ = built.place_rule(id, rule),
            Some(Some(draft)) => built.place_campaign(id, rule, draft),
            Some(None) => {}
        }
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
        if self.is_condition(expr) {
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

    /// Whether an expression without parentheses around it is yes or no by its form, and no value.
    pub(super) fn is_condition(&self, expr: &ast::Expr) -> bool {
        match &expr.kind {
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
        }
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

    /// `was` names what the segment or campaign was called before, and nothing else goes on with that history.
    fn was(&self, item: &RuleItem<'_>) {
        let Some(was) = item.was else { return };
        let name = &was.text;
        if name == item.name {
            self.report(
                Diagnostic::new(code::check::WAS_ITSELF, was.span, format!("`{name}` was always called so"))
                    .label("the same name")
                    .help("leave out `was`"),
            );
            return;
        }
        let shared = |message: String, also: Span, says: &str| {
            Diagnostic::new(code::check::WAS_ANOTHER, was.span, message)
                .label("what was recorded under this name can't belong to two")
                .also(also, says.to_owned())
        };
        if let Some(place) = self.names.audience(name) {
            self.report(shared(format!("`{name}` is still in use"), place, "declared here").help(
                "`was` takes a name that no segment or campaign has any more; leave out `was`, or rename the other one",
            ));
        } else if let Some(first) = self.names.formerly(name).filter(|first| *first != was.span) {
            self.report(
                shared(format!("two declarations were `{name}`"), first, "the first one")
                    .help("leave `was` with the one that goes on with its history"),
            );
        }
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
    /// What the segments so far mean, by their declarations.
    pub segments: BTreeMap<RuleId, Tree<Cond>>,
    /// The campaigns so far: for whom, and with which priority.
    pub served: Vec<Served<'a>>,
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

    /// The conditions of these declarations and of all rules of the program that they refer to, each once.
    pub fn all_of(&self, declared: Vec<RuleId>) -> Vec<Cond> {
        let mut open: Vec<RuleId> = declared.iter().filter_map(|id| self.placed.get(id).copied()).collect();
        let mut seen = BTreeSet::new();
        let mut all = Vec::new();
        while let Some(id) = open.pop() {
            let Some(rule) = self.program.rules.get(id.0 as usize).filter(|_| seen.insert(id)) else { continue };
            let mut condition = rule.condition.clone();
            condition.rules(&mut |id| open.push(*id));
            all.push(condition);
        }
        all
    }

    /// Puts a campaign into the program with all that it asks, unless something of it uses a mistake.
    pub fn place_campaign(&mut self, id: RuleId, mut rule: Rule, mut draft: Draft) {
        let mut all = true;
        for part in &mut draft.parts {
            part.condition.rules(&mut |id| all &= place(&self.placed, id));
        }
        let mut places = Vec::with_capacity(draft.values.len());
        let mut own = Vec::new();
        for value in draft.values {
            match value {
                Held::Declared(name) => {
                    let place = self.program.traits.iter().position(|t| !t.hidden && t.name == name);
                    all &= place.is_some();
                    places.extend(place);
                }
                Held::Own(mut value) => {
                    value.value.rules(&mut |id| all &= place(&self.placed, id));
                    places.push(self.program.traits.len() + own.len());
                    own.push(*value);
                }
            }
        }
        rule.kind = RuleKind::Campaign { campaign: self.program.campaigns.len() as u32 };
        if !all {
            return;
        }
        let Some(here) = self.place_rule(id, rule) else { return };
        let mut campaign = draft.campaign;
        campaign.rules(&mut |part| part.0 += here.0 + 1);
        campaign.traits(&mut |value| *value = places.get(*value).copied().unwrap_or(*value));
        campaign.rule = here;
        self.program.rules.append(&mut draft.parts);
        self.program.traits.append(&mut own);
        self.program.campaigns.push(campaign);
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
            hidden: false,
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
