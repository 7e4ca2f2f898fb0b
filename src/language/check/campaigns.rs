//! Campaigns: what is done with whom a condition names.
//!
//! A campaign is drafted with places of its own: what it asks beside its condition is a list of rules and a list of values, by whose
//! order its fields refer to them. They come into the program together with it, or not at all.

use crate::language::catalog::Type;
use crate::language::diagnostic::{Diagnostic, code};
use crate::language::ir::{Campaign, Cond, Rule, RuleId, RuleKind, Trait, Value};
use crate::language::num::Num;
use crate::language::source::Span;
use crate::language::syntax::ast::{ClauseKind, Expr, ExprKind, Name, Phrase};

use super::Checker;
use super::cover::covered;
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
        for clause in item.clauses {
            sound &= match &clause.kind {
                ClauseKind::Except(names) => self.except(item, names, condition, &mut draft),
                ClauseKind::With(payloads) => self.payloads(item, payloads, &mut draft, built),
                _ => self.clause(item, clause, &mut draft),
            };
        }
        if let Some(condition) = condition.filter(|_| sound) {
            self.equal_priority(item, draft.campaign.priority, condition, built);
        }
        if let (true, Some(budget)) = (sound, &draft.campaign.budget) {
            self.free_budget(item, &draft.campaign, *budget);
        }
        sound.then_some(draft)
    }

    /// `except vip, staff`
    fn except(&self, item: &RuleItem<'a>, names: &[Name], condition: Option<&Tree<Cond>>, draft: &mut Draft) -> bool {
        let mut sound = true;
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
                let both = Tree { node: Node::And(vec![condition.clone(), tree.clone()]), span: name.span };
                if covered(condition, &tree) {
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
                } else if !self.never_holds(condition) && self.never_holds(&both) {
                    let d = Diagnostic::new(
                        code::check::ADDS_NOTHING,
                        name.span,
                        format!("`except {}` changes nothing", name.text),
                    );
                    self.report(d.label("nobody who meets the condition is in it").help("take it out"));
                }
            }
            let rule = draft.part(format!("{}.except.{}", item.name, name.text), tree.into_formula(), name.span);
            draft.campaign.except.push((name.text.clone(), rule));
        }
        sound
    }

    /// Two campaigns of one priority of which one is for some of the other's people.
    fn equal_priority(&self, item: &RuleItem<'a>, priority: i64, condition: &Tree<Cond>, built: &mut Built<'a>) {
        let equals = || built.served.iter().filter(|other| other.priority == priority);
        if equals().count() < COMPARED
            && let Some(other) = equals().find(|o| covered(condition, &o.condition) || covered(&o.condition, condition))
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
        let (name, span) = (item.name, item.name_span);
        built.served.push(Served { name, span, priority, condition: condition.clone() });
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
