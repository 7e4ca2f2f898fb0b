//! `country = FR or DE`: a comparison reaches one value, and whoever writes two means a list of them.

use crate::language::catalog::EventId;
use crate::language::diagnostic::{Diagnostic, code};
use crate::language::ir::Pred;
use crate::language::source::Span;
use crate::language::syntax::ast::{Expr, ExprKind, Op, Phrase, TestKind};

use super::Checker;
use super::names::Meaning;
use super::values::{Scope, alone};
use super::words::word;

impl Checker<'_> {
    /// The same in a `where`, where a name is first a property of the event.
    pub(super) fn values_apart_in(&self, parts: &[&Expr], or: bool, event: EventId) -> Vec<bool> {
        let mut told = Vec::new();
        let properties = Pred::value_names(self, event);
        self.values_apart(parts, or, |n| properties.contains(&n) || self.names.get(n).is_some(), &mut told);
        told
    }

    /// Marks the parts of a row that are values of the comparison before them, and says so once a comparison. `names` tells
    /// what has a meaning of its own where the row stands.
    pub(super) fn values_apart(&self, parts: &[&Expr], or: bool, names: impl Fn(&str) -> bool, told: &mut Vec<bool>) {
        told.resize(parts.len(), false);
        let mut i = 0;
        while let Some(part) = parts.get(i) {
            i += 1;
            let Some((left, first)) = compared(part, or) else { continue };
            if matches!(self.names.get(&left.name.text), Some(Meaning::Event(_))) {
                continue;
            }
            let mut values = vec![first];
            let mut span: Span = part.span;
            while let Some(next) = parts.get(i).filter(|p| loose(p).is_some_and(|w| !names(&w) || is_text(p))) {
                values.extend(shown(next));
                span = part.span.to(next.span);
                if let Some(t) = told.get_mut(i) {
                    *t = true;
                }
                i += 1;
            }
            if values.len() < 2 {
                continue;
            }
            let qualifier = left.qualifier.as_ref().map_or(String::new(), |q| format!("{}.", q.text));
            let sign = if or { "in" } else { "not in" };
            let should = format!("{qualifier}{} {sign} ({})", left.name.text, values.join(", "));
            self.report(
                Diagnostic::new(
                    code::syntax::LIST,
                    span,
                    format!("`{}` is compared with several values", left.name.text),
                )
                .label(format!("expected `{should}`"))
                .fix(format!("write `{should}`"), vec![(span, should)]),
            );
        }
    }
}

/// `country = FR` in a row of `or`, `country ≠ FR` in one of `and`.
fn compared(part: &Expr, or: bool) -> Option<(&Phrase, String)> {
    let ExprKind::Phrase(p) = &part.kind else { return None };
    if p.quantifier.is_some() || p.subject.is_some() || p.filter.is_some() || p.window.is_some() {
        return None;
    }
    match &p.test.as_ref()?.kind {
        TestKind::Compare { op, right } if *op == if or { Op::Eq } else { Op::Ne } => Some((p, shown(right)?)),
        _ => None,
    }
}

/// A part that is one word and nothing else.
fn loose(part: &Expr) -> Option<String> {
    match &part.kind {
        ExprKind::Text(text) => Some(text.clone()),
        ExprKind::Phrase(p) => (alone(p) && p.qualifier.is_none()).then(|| p.name.text.clone()),
        _ => None,
    }
}

fn is_text(part: &Expr) -> bool {
    matches!(part.kind, ExprKind::Text(_))
}

fn shown(value: &Expr) -> Option<String> {
    match &value.kind {
        ExprKind::Text(text) => Some(crate::language::syntax::quoted(text)),
        _ => loose(value).map(|w| word(&w)),
    }
}
