//! The declarations of all files, and the order in which they can be understood.

use std::collections::BTreeMap;

use crate::language::catalog::Catalog;
use crate::language::diagnostic::{Diagnostic, code};
use crate::language::source::Span;
use crate::language::syntax::ast::{self, Expr, Item};

use super::CheckFile;
use super::names::Names;
use super::uses::{Part, Uses};

/// A segment, campaign or bare rule.
#[derive(Debug)]
pub(super) struct RuleItem<'a> {
    pub name: &'a str,
    pub name_span: Span,
    pub title: Option<&'a str>,
    pub description: Option<&'a str>,
    pub was: Option<&'a ast::Name>,
    pub condition: &'a Expr,
    pub arms: &'a [ast::Arm],
    pub clauses: &'a [ast::Clause],
    pub span: Span,
}

impl<'a> RuleItem<'a> {
    pub fn is_campaign(&self) -> bool {
        !self.arms.is_empty()
    }

    /// What it is made of.
    fn parts(&self) -> Vec<Part<'a>> {
        let mut parts = vec![Part::Expr(self.condition)];
        for arm in self.arms {
            if let ast::ArmKind::When { condition, .. } = &arm.kind {
                parts.push(Part::Expr(condition));
            }
        }
        for clause in self.clauses {
            match &clause.kind {
                ast::ClauseKind::Limit { by, .. } => parts.extend(by.iter().map(Part::Expr)),
                ast::ClauseKind::With(payloads) => parts.extend(payloads.iter().map(|p| Part::Expr(&p.value))),
                ast::ClauseKind::Goal(goal) => parts.push(Part::Phrase(&goal.event)),
                ast::ClauseKind::Except(names) => parts.extend(names.iter().map(Part::Name)),
                ast::ClauseKind::Priority(_)
                | ast::ClauseKind::AtMost(_)
                | ast::ClauseKind::Every { .. }
                | ast::ClauseKind::Dates { .. }
                | ast::ClauseKind::Cost(_)
                | ast::ClauseKind::Budget(_)
                | ast::ClauseKind::Quiet { .. } => {}
            }
        }
        parts
    }
}

/// Everything that is declared in `.seg` files.
#[derive(Debug, Default)]
pub(super) struct Items<'a> {
    pub rules: Vec<RuleItem<'a>>,
    pub traits: Vec<&'a ast::Trait>,
    pub stages: Vec<&'a ast::Stages>,
    pub policies: Vec<&'a ast::Policy>,
    pub broken: Vec<&'a ast::Name>,
    /// Something could not be read, not even what it declares.
    pub nameless: bool,
}

/// A declaration by its place in [`Items`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Declaration {
    Trait(usize),
    Rule(usize),
    Stages(usize),
}

/// In which order declarations can be understood.
#[derive(Debug)]
pub(super) struct Order {
    /// Each stands behind those that it uses. Those that are made of themselves, and those that use such, are left out.
    pub declarations: Vec<Declaration>,
    /// The traits that something uses.
    pub used: Vec<bool>,
}

impl<'a> Items<'a> {
    pub fn collect(files: &[CheckFile<'a>]) -> Items<'a> {
        let mut items = Items::default();
        for file in files {
            for item in &file.parsed.items {
                match item {
                    Item::Segment(s) => items.rules.push(RuleItem {
                        name: &s.name.text,
                        name_span: s.name.span,
                        title: s.title.as_ref().map(|t| t.text.as_str()),
                        description: s.description.as_deref(),
                        was: s.was.as_ref(),
                        condition: &s.condition,
                        arms: &[],
                        clauses: &[],
                        span: s.span,
                    }),
                    Item::Campaign(c) => items.rules.push(RuleItem {
                        name: &c.name.text,
                        name_span: c.name.span,
                        title: c.title.as_ref().map(|t| t.text.as_str()),
                        description: c.description.as_deref(),
                        was: c.was.as_ref(),
                        condition: &c.condition,
                        arms: &c.arms,
                        clauses: &c.clauses,
                        span: c.span,
                    }),
                    Item::Bare(b) => items.rules.push(RuleItem {
                        name: file.stem,
                        name_span: b.span,
                        title: None,
                        description: b.description.as_deref(),
                        was: None,
                        condition: &b.condition,
                        arms: &b.arms,
                        clauses: &b.clauses,
                        span: b.span,
                    }),
                    Item::Trait(t) => items.traits.push(t),
                    Item::Stages(s) => items.stages.push(s),
                    Item::Policy(p) => items.policies.push(p),
                    Item::Error { name, .. } => {
                        items.broken.extend(name);
                        items.nameless |= name.is_none();
                    }
                }
            }
        }
        items
    }

    /// The order of all declarations; where it is free, traits come first, then all by name. What is made of itself is reported.
    pub fn order(&self, catalog: &Catalog, names: &Names<'_>, diagnostics: &mut Vec<Diagnostic>) -> Order {
        let traits = (0..self.traits.len()).map(Declaration::Trait);
        let rules = (0..self.rules.len()).map(Declaration::Rule);
        let stages = (0..self.stages.len()).map(Declaration::Stages);
        let all: Vec<Declaration> = traits.chain(rules).chain(stages).collect();
        let place = |declaration| match declaration {
            Declaration::Trait(i) => i,
            Declaration::Rule(i) => self.traits.len() + i,
            Declaration::Stages(i) => self.traits.len() + self.rules.len() + i,
        };
        let mut used = vec![false; self.traits.len()];
        let uses: Vec<Vec<usize>> = all
            .iter()
            .map(|declaration| {
                let found = Uses::of(catalog, names, self.parts(*declaration));
                for declaration in &found {
                    if let Declaration::Trait(i) = declaration
                        && let Some(used) = used.get_mut(*i)
                    {
                        *used = true;
                    }
                }
                found.into_iter().map(place).collect()
            })
            .collect();
        let about: Vec<About<'_>> = all.iter().filter_map(|d| self.about(*d)).collect();
        let sorted = order(&uses, &about, diagnostics);
        Order { declarations: sorted.into_iter().filter_map(|i| all.get(i).copied()).collect(), used }
    }

    /// What a declaration is made of.
    fn parts(&self, declaration: Declaration) -> Vec<Part<'a>> {
        match declaration {
            Declaration::Trait(i) => self.traits.get(i).map(|t| Part::Expr(&t.value)).into_iter().collect(),
            Declaration::Rule(i) => self.rules.get(i).map(RuleItem::parts).unwrap_or_default(),
            Declaration::Stages(i) => {
                let lines = self.stages.get(i).map_or(&[][..], |s| &s.lines);
                lines.iter().filter_map(|l| l.condition.as_ref()).map(Part::Expr).collect()
            }
        }
    }

    fn about(&self, declaration: Declaration) -> Option<About<'_>> {
        Some(match declaration {
            Declaration::Trait(i) => {
                let name = &self.traits.get(i)?.name;
                About { rank: 0, name: &name.text, span: name.span, noun: "trait" }
            }
            Declaration::Rule(i) => {
                let rule = self.rules.get(i)?;
                About { rank: 1, name: rule.name, span: rule.name_span, noun: "segment" }
            }
            Declaration::Stages(i) => {
                let name = &self.stages.get(i)?.name;
                About { rank: 1, name: &name.text, span: name.span, noun: "set of stages" }
            }
        })
    }
}

/// What the order and its messages need of a declaration.
#[derive(Debug)]
struct About<'i> {
    /// What is ready comes in this order, then by name.
    rank: u8,
    name: &'i str,
    span: Span,
    noun: &'static str,
}

/// Topological order, then by rank and name; loops are reported once each.
fn order(uses: &[Vec<usize>], about: &[About<'_>], diagnostics: &mut Vec<Diagnostic>) -> Vec<usize> {
    let name = |i: usize| about.get(i).map_or("", |a| a.name);
    let turn = |i: usize| (about.get(i).map_or(0, |a| a.rank), name(i), i);
    let mut waits: Vec<usize> = Vec::with_capacity(uses.len());
    let mut users: Vec<Vec<usize>> = vec![Vec::new(); uses.len()];
    for (i, needed) in uses.iter().enumerate() {
        let mut needed = needed.clone();
        needed.sort_unstable();
        needed.dedup();
        waits.push(needed.len());
        for n in needed {
            if let Some(u) = users.get_mut(n) {
                u.push(i);
            }
        }
    }
    let mut ready: BTreeMap<(u8, &str, usize), ()> =
        waits.iter().enumerate().filter(|(_, w)| **w == 0).map(|(i, _)| (turn(i), ())).collect();
    let mut sorted = Vec::with_capacity(uses.len());
    while let Some(((_, _, i), ())) = ready.pop_first() {
        sorted.push(i);
        for &user in users.get(i).map_or(&[][..], Vec::as_slice) {
            if let Some(w) = waits.get_mut(user) {
                *w = w.saturating_sub(1);
                if *w == 0 {
                    ready.insert(turn(user), ());
                }
            }
        }
    }
    // What still waits is in a loop or uses one. Walking from use to use ends in a loop; each is told once.
    let mut state = vec![0usize; uses.len()];
    for start in 0..uses.len() {
        let mut path: Vec<usize> = Vec::new();
        let mut at = start;
        while waits.get(at).is_some_and(|w| *w > 0) && state.get(at) == Some(&0) {
            if let Some(s) = state.get_mut(at) {
                *s = start + 1;
            }
            path.push(at);
            let next = uses.get(at).and_then(|u| u.iter().find(|n| waits.get(**n).is_some_and(|w| *w > 0)));
            match next {
                Some(&n) => at = n,
                None => break,
            }
        }
        if let Some(from) = path.iter().position(|p| *p == at)
            && state.get(at) == Some(&(start + 1))
        {
            let ring = path.get(from..).unwrap_or_default();
            let shown: Vec<String> = ring.iter().chain([&at]).map(|i| format!("`{}`", name(*i))).collect();
            if let Some(About { span, noun, .. }) = about.get(at) {
                let mut d = Diagnostic::new(
                    code::check::CYCLE,
                    *span,
                    format!("{noun} `{}` is made of itself: {}", name(at), shown.join(" → ")),
                )
                .label("the loop begins here")
                .help("take one of these names out of the condition of another");
                for i in ring.iter().skip(1) {
                    if let Some(part) = about.get(*i) {
                        d = d.also(part.span, format!("`{}` is part of the loop", part.name));
                    }
                }
                diagnostics.push(d);
            }
        }
    }
    sorted
}
