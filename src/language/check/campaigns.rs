//! Campaigns: what is done with whom a condition names.
//!
//! A campaign is drafted with places of its own: what it asks beside its condition is a list of rules and a list of values, by whose
//! order its fields refer to them. They come into the program together with it, or not at all.

use crate::language::catalog::Type;
use crate::language::diagnostic::{Diagnostic, code};
use crate::language::ir::{Campaign, Cond, Rule, RuleId, RuleKind, Trait, Value};
use crate::language::num::Num;
use crate::language::source::Span;
use crate::language::syntax::ast::{ClauseKind, Date, Expr, ExprKind, Name, Phrase};

use super::Checker;
use super::cover::{covered, opened};
use super::items::RuleItem;
use super::people::Where;
use super::rules::Built;
use super::tree::{Node, Tree};

/// With more campaigns of one priority than this it is not asked whom they share.
const COMPARED: usize = 64;

/// A campaign on its way into the program.
#[derive(Debug)]
pub(super) struct Draft {
    pub campaign: Campaign,
    /// What [`RuleId`]s in `campaign` count; rules inside go by their declarations.
    pub parts: Vec<Rule>,
    /// What places of traits in `campaign` count.
    pub values: Vec<Held>,
}

/// A value that a campaign uses.
#[derive(Debug)]
pub(super) enum Held {
    /// A trait by its name.
    Declared(String),
    Own(Box<Trait>),
}

/// For whom a campaign is, beside others.
#[derive(Debug)]
pub(super) struct Served<'a> {
    name: &'a str,
    span: Span,
    priority: i64,
    from: Option<Date>,
    until: Option<Date>,
    /// The condition without those who are excepted.
    condition: Tree<Cond>,
}

const EXCEPT: Where =
    Where { code: code::check::EXCEPT, needs: "the people of a segment or list are excepted", then: "except that" };

impl Draft {
    /// Keeps a rule of the campaign's own.
    pub fn part(&mut self, name: String, condition: Cond, span: Span) -> RuleId {
        let id = RuleId(self.parts.len() as u32);
        self.parts.push(Rule { name, title: None, description: None, kind: RuleKind::Part, condition, span });
        id
    }

    /// Keeps a value of the campaign's own.
    pub fn value(&mut self, name: String, value: Value, ty: Type, span: Span) -> usize {
        let of = Trait { name, title: None, description: None, value, ty, hidden: true, span };
        self.values.push(Held::Own(Box::new(of)));
        self.values.len() - 1
    }

    /// Keeps a declared trait.
    pub fn declared(&mut self, name: &str) -> usize {
        self.values.push(Held::Declared(name.to_owned()));
        self.values.len() - 1
    }
}

impl Served<'_> {
    /// Whether there is no day on which both are decided.
    fn apart(&self, other: &Served<'_>) -> bool {
        let before =
            |until: Option<Date>, from: Option<Date>| until.zip(from).is_some_and(|(until, from)| until < from);
        before(self.until, other.from) || before(other.until, self.from)
    }

    /// Whether whoever is in one of them is in the other, too.
    fn shares(&self, other: &Served<'_>) -> bool {
        covered(&self.condition, &other.condition) || covered(&other.condition, &self.condition)
    }
}

impl<'a> Checker<'a> {
    /// Understands what is done with the members of a rule. `condition` is missing where it has a mistake.
    pub(super) fn campaign(
        &self,
        item: &RuleItem<'a>,
        condition: Option<&Tree<Cond>>,
        built: &mut Built<'a>,
    ) -> Option<Draft> {
        let campaign = Campaign { was: item.was.map(|was| was.text.clone()), ..Campaign::of(RuleId(0), Vec::new()) };
        let mut draft = Draft { campaign, parts: Vec::new(), values: Vec::new() };
        let mut sound = self.arms(item, condition, &mut draft);
        let mut excepted = Vec::new();
        for clause in item.clauses {
            sound &= match &clause.kind {
                ClauseKind::Except(names) => {
                    let found = self.except(item, names, condition, &mut draft, built);
                    found.map(|trees| excepted = trees).is_some()
                }
                ClauseKind::With(payloads) => self.payloads(item, payloads, &mut draft, built),
                _ => self.clause(item, clause, &mut draft),
            };
        }
        if let Some(condition) = condition.filter(|_| sound) {
            self.equal_priority(item, &draft.campaign, without(condition, excepted), built);
        }
        if let (true, Some(budget)) = (sound, &draft.campaign.budget) {
            self.free_budget(item, &draft.campaign, *budget);
        }
        sound.then_some(draft)
    }

    /// `except vip, staff`: who is excepted, if all of it can be meant.
    fn except(
        &self,
        item: &RuleItem<'a>,
        names: &[Name],
        condition: Option<&Tree<Cond>>,
        draft: &mut Draft,
        built: &Built<'a>,
    ) -> Option<Vec<Tree<Cond>>> {
        let mut sound = true;
        let mut excepted = Vec::with_capacity(names.len());
        for (i, name) in names.iter().enumerate() {
            if let Some(before) = names.iter().take(i).find(|n| n.text == name.text) {
                let d = Diagnostic::new(code::check::EXCEPT, name.span, format!("`{}` is excepted twice", name.text));
                self.report(
                    d.label("the second time").also(before.span, "the first time").help("take one of them out"),
                );
                sound = false;
                continue;
            }
            let Some(tree) = self.people(name, &EXCEPT).and_then(|_| self.condition(&bare(name))) else {
                sound = false;
                continue;
            };
            if let Some(condition) = condition {
                let segments = &built.segments;
                let asked = opened(condition, true, segments);
                let both =
                    Tree { node: Node::And(vec![asked.clone(), opened(&tree, true, segments)]), span: name.span };
                if covered(&asked, &opened(&tree, false, segments)) {
                    let d = Diagnostic::new(
                        code::check::EXCEPTS_ALL,
                        name.span,
                        format!("`except {}` leaves nobody", name.text),
                    );
                    self.report(
                        d.label("whoever meets the condition is in it")
                            .also(condition.span, "the condition")
                            .help("take it out, or ask for other people"),
                    );
                } else if !self.never_holds(&asked) && self.never_holds(&both) {
                    let d = Diagnostic::new(
                        code::check::ADDS_NOTHING,
                        name.span,
                        format!("`except {}` changes nothing", name.text),
                    );
                    self.report(d.label("nobody who meets the condition is in it").help("take it out"));
                }
            }
            excepted.push(tree.clone());
            let rule = draft.part(format!("{}.except.{}", item.name, name.text), tree.into_formula(), name.span);
            draft.campaign.except.push((name.text.clone(), rule));
        }
        sound.then_some(excepted)
    }

    /// Two campaigns of one priority of which one is for some of the other's people, on days that they share.
    fn equal_priority(&self, item: &RuleItem<'a>, campaign: &Campaign, served: Tree<Cond>, built: &mut Built<'a>) {
        let (name, span) = (item.name, item.name_span);
        let Campaign { priority, from, until, .. } = *campaign;
        let this = Served { name, span, priority, from, until, condition: served };
        let equals = || built.served.iter().filter(|other| other.priority == priority);
        if equals().count() < COMPARED
            && let Some(other) = equals().find(|other| !this.apart(other) && this.shares(other))
        {
            let (first, second) =
                if other.name < item.name { (other.name, item.name) } else { (item.name, other.name) };
            self.report(
                Diagnostic::new(
                    code::check::EQUAL_PRIORITY,
                    item.name_span,
                    format!("`{}` and `{}` are for the same people, with one priority", item.name, other.name),
                )
                .label(format!("where a policy admits only one of them, `{first}` goes before `{second}` for its name"))
                .also(other.span, format!("`{}` is declared here", other.name))
                .help("say which goes first: `priority 80`; the higher one is served before"),
            );
        }
        built.served.push(this);
    }

    /// A budget that nothing uses up.
    fn free_budget(&self, item: &RuleItem<'a>, campaign: &Campaign, budget: Num) {
        let costs = |name: &str| {
            let channel = self.catalog.channels.iter().find(|c| c.name.name == name);
            channel.and_then(|c| c.cost).is_some_and(|cost| cost.compare(Num::int(0)).is_gt())
        };
        let own = campaign.cost.map(|cost| cost.compare(Num::int(0)).is_gt());
        if own.unwrap_or_else(|| campaign.channels().any(costs)) {
            return;
        }
        let place = item.clauses.iter().find(|c| matches!(c.kind, ClauseKind::Budget(_))).map_or(item.span, |c| c.span);
        self.report(
            Diagnostic::new(
                code::check::FREE_BUDGET,
                place,
                format!("a contact costs nothing, and the budget is {budget}"),
            )
            .label("it bounds nothing")
            .help(format!(
                "say what a contact costs, `cost 0.05`, or give its channel a `cost:` in `{}`",
                self.options.catalog
            )),
        );
    }
}

/// An expression of nothing but a name.
fn bare(name: &Name) -> Expr {
    Expr { kind: ExprKind::Phrase(Box::new(Phrase::bare(None, name.clone()))), span: name.span }
}

/// Whom a condition leaves without some.
fn without(condition: &Tree<Cond>, excepted: Vec<Tree<Cond>>) -> Tree<Cond> {
    let others = excepted.into_iter().map(|tree| {
        let span = tree.span;
        tree.not(span)
    });
    Tree { node: Node::And(std::iter::once(condition.clone()).chain(others).collect()), span: condition.span }
}
