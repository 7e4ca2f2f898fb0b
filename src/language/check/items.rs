//! The declarations of all files, and the order in which they can be understood.

use std::collections::BTreeMap;

use crate::language::diagnostic::{Diagnostic, code};
use crate::language::source::Span;
use crate::language::syntax::ast::{self, Expr, ExprKind, Item, TestKind};

use super::CheckFile;
use super::names::{Meaning, Names};

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
    pub span: Span,
}

impl RuleItem<'_> {
    pub fn is_campaign(&self) -> bool {
        !self.arms.is_empty()
    }
}

/// Everything that is declared in `.seg` files.
#[derive(Debug, Default)]
pub(super) struct Items<'a> {
    pub rules: Vec<RuleItem<'a>>,
    pub traits: Vec<&'a ast::Trait>,
    pub broken: Vec<&'a ast::Name>,
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
                        span: b.span,
                    }),
                    Item::Trait(t) => items.traits.push(t),
                    // SOON: stages
                    Item::Stages(_) => {}
                    Item::Error { name, .. } => items.broken.extend(name),
                }
            }
        }
        items
    }

    /// Traits in an order in which each stands behind those that it uses. Those that are made of themselves are left out and
    /// reported; so are, silently, those that use such a trait.
    pub fn trait_order(&self, names: &Names<'_>, diagnostics: &mut Vec<Diagnostic>) -> (Vec<usize>, Vec<bool>) {
        let mut used = vec![false; self.traits.len()];
        let uses: Vec<Vec<usize>> = self
            .traits
            .iter()
            .map(|t| {
                let mut found = Vec::new();
                references(&t.value, &mut |name, right| match names.get(name) {
                    Some(Meaning::Trait(i)) if !right => found.push(i),
                    _ => {}
                });
                found
            })
            .collect();
        for i in uses.iter().flatten() {
            if let Some(u) = used.get_mut(*i) {
                *u = true;
            }
        }
        let about: Vec<(&str, Span)> = self.traits.iter().map(|t| (t.name.text.as_str(), t.name.span)).collect();
        (order(&uses, &about, "trait", diagnostics), used)
    }

    /// Segments and campaigns, likewise; where the order is free, by name.
    pub fn rule_order(&self, names: &Names<'_>, used: &mut [bool], diagnostics: &mut Vec<Diagnostic>) -> Vec<usize> {
        let uses: Vec<Vec<usize>> = self
            .rules
            .iter()
            .map(|r| {
                let mut found = Vec::new();
                references(r.condition, &mut |name, right| match names.get(name) {
                    Some(Meaning::Segment(i)) if !right => found.push(i),
                    Some(Meaning::Trait(i)) => {
                        if let Some(u) = used.get_mut(i) {
                            *u = true;
                        }
                    }
                    _ => {}
                });
                found
            })
            .collect();
        let about: Vec<(&str, Span)> = self.rules.iter().map(|r| (r.name, r.name_span)).collect();
        order(&uses, &about, "segment", diagnostics)
    }
}

/// Topological order, then by name; loops are reported once each.
fn order(uses: &[Vec<usize>], about: &[(&str, Span)], noun: &str, diagnostics: &mut Vec<Diagnostic>) -> Vec<usize> {
    let name = |i: usize| about.get(i).map_or("", |a| a.0);
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
    let mut ready: BTreeMap<(&str, usize), ()> =
        waits.iter().enumerate().filter(|(_, w)| **w == 0).map(|(i, _)| ((name(i), i), ())).collect();
    let mut sorted = Vec::with_capacity(uses.len());
    while let Some(((_, i), ())) = ready.pop_first() {
        sorted.push(i);
        for &user in users.get(i).map_or(&[][..], Vec::as_slice) {
            if let Some(w) = waits.get_mut(user) {
                *w = w.saturating_sub(1);
                if *w == 0 {
                    ready.insert((name(user), user), ());
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
            let span = about.get(at).map(|a| a.1);
            if let Some(span) = span {
                let mut d = Diagnostic::new(
                    code::check::CYCLE,
                    span,
                    format!("{noun} `{}` is made of itself: {}", name(at), shown.join(" → ")),
                )
                .label("the loop begins here")
                .help("take one of these names out of the condition of another");
                for i in ring.iter().skip(1) {
                    if let Some((n, s)) = about.get(*i) {
                        d = d.also(*s, format!("`{n}` is part of the loop"));
                    }
                }
                diagnostics.push(d);
            }
        }
    }
    sorted
}

/// Calls `found` with every name that may be a trait or a segment, and whether it stands right of a comparison, where it may
/// as well be text and is no segment.
fn references<'e>(expr: &'e Expr, found: &mut dyn FnMut(&'e str, bool)) {
    match &expr.kind {
        ExprKind::Or(parts) => parts.iter().for_each(|p| references(p, found)),
        ExprKind::And(parts) => parts.iter().for_each(|p| references(&p.expr, found)),
        ExprKind::Not(inner) | ExprKind::Paren(inner) => references(inner, found),
        ExprKind::Phrase(p) => {
            if p.qualifier.is_none() {
                found(&p.name.text, false);
            }
            if let Some(test) = &p.test {
                in_test(&test.kind, found);
            }
        }
        ExprKind::Test { left, test } => {
            references(left, found);
            in_test(&test.kind, found);
        }
        _ => {}
    }
}

fn in_test<'e>(test: &'e TestKind, found: &mut dyn FnMut(&'e str, bool)) {
    let mut right = |name, _| found(name, true);
    match test {
        TestKind::Compare { right: value, .. } => references(value, &mut right),
        TestKind::Between { low, high } => {
            references(low, &mut right);
            references(high, &mut right);
        }
        _ => {}
    }
}
