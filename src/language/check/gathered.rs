//! `in one session (…)` and `in any 14d (…)`: conditions on the events of one visit or of one stretch of time.

use crate::language::diagnostic::{Diagnostic, code};
use crate::language::ir::{Cond, Length, Matching};
use crate::language::source::Span;
use crate::language::syntax::ast::{self, Expr, ExprKind, GatheredBy, Name, Phrase, Quantifier};

use super::Checker;
use super::conditions::quantifier_word;
use super::names::Meaning;
use super::tree::{Node, Tree};
use super::window::plain;

/// What gathers the events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gathering {
    Session,
    Any,
}

impl Gathering {
    fn words(self) -> &'static str {
        match self {
            Gathering::Session => "in one session",
            Gathering::Any => "in any",
        }
    }
}

impl Checker<'_> {
    /// `in one session (…) [WINDOW]`, `in any 14d (…) [WINDOW]`
    pub(super) fn gathered(&self, g: &ast::Gathered, span: Span) -> Option<Tree<Cond>> {
        let window = self.event_window(g.window.as_ref());
        let by = match g.by {
            GatheredBy::Session => Gathering::Session,
            GatheredBy::Any(_) => Gathering::Any,
        };
        let mut starts = Vec::new();
        let inside = self.inside(&g.inside, by, &mut starts);
        let (inside, (window, since)) = (inside?, window?);
        self.prove(&inside);
        let inside = Box::new(inside.into_formula());
        let formula = match g.by {
            GatheredBy::Session => Cond::InSession { inside, window, since },
            GatheredBy::Any(long) => {
                if starts.is_empty() {
                    self.report(
                        Diagnostic::new(code::check::GATHERED_FORM, g.inside.span, "nothing here happens")
                            .label(format!("the {long} begin with an event that is named without `no`"))
                            .help("ask for one event at least; for a time without any write `no … between 30d and 16d ago`"),
                    );
                    return None;
                }
                let (amount, unit) = plain(&long);
                Cond::InAny { length: Length { amount, unit }, inside, starts, window, since }
            }
        };
        Some(Tree::opaque(formula, span))
    }

    fn inside(&self, expr: &Expr, by: Gathering, starts: &mut Vec<Matching>) -> Option<Tree<Cond>> {
        let span = expr.span;
        match &expr.kind {
            ExprKind::Or(parts) => {
                let parts: Vec<&Expr> = parts.iter().collect();
                let told = self.subjects_apart(&parts, true);
                Some(Tree { node: Node::Or(self.parts_inside(&parts, &told, by, starts)?), span })
            }
            ExprKind::And(parts) => {
                let parts: Vec<&Expr> = parts.iter().map(|p| &p.expr).collect();
                let told = self.subjects_apart(&parts, false);
                Some(Tree { node: Node::And(self.parts_inside(&parts, &told, by, starts)?), span })
            }
            ExprKind::Not(inner) => {
                self.not_for_no(inner, span);
                Some(self.inside(inner, by, starts)?.not(span))
            }
            ExprKind::Paren(inner) => self.inside(inner, by, starts),
            ExprKind::Phrase(p) => self.phrase_inside(p, by, starts, span),
            ExprKind::Sequence(s) => {
                for p in std::iter::once(&s.first)
                    .chain(s.then.iter().flat_map(|t| [Some(&t.event), t.without.as_ref()].into_iter().flatten()))
                {
                    self.of_a_visit(by, &p.name);
                }
                let sequence = self.chain(s, Some(by))?;
                for step in &sequence.steps {
                    add(starts, &step.matching);
                }
                Some(Tree::opaque(Cond::Sequence(Box::new(sequence)), span))
            }
            ExprKind::Recorded(r) => self.recorded_inside(r, by, starts, span),
            ExprKind::Error => None,
            _ => {
                let words = by.words();
                self.report(
                    Diagnostic::new(code::check::GATHERED_FORM, span, format!("this can't stand in `{words} (…)`"))
                        .label("only what was done can be asked of a stretch of time")
                        .help("put events with their counts, or a sequence, into the parentheses, and join the rest outside with `and`"),
                );
                None
            }
        }
    }

    fn parts_inside(
        &self,
        parts: &[&Expr],
        told: &[bool],
        by: Gathering,
        starts: &mut Vec<Matching>,
    ) -> Option<Vec<Tree<Cond>>> {
        let mut trees = Vec::with_capacity(parts.len());
        for (i, part) in parts.iter().enumerate() {
            if told.get(i) != Some(&true) {
                trees.extend(self.inside(part, by, starts));
            }
        }
        (trees.len() == parts.len()).then_some(trees)
    }

    fn phrase_inside(&self, p: &Phrase, by: Gathering, starts: &mut Vec<Matching>, span: Span) -> Option<Tree<Cond>> {
        let event = match self.names.get(&p.name.text) {
            Some(Meaning::Event(event)) if p.qualifier.is_none() => event,
            Some(Meaning::Broken) => return None,
            Some(other) => {
                let words = by.words();
                self.report(
                    Diagnostic::new(
                        code::check::GATHERED_FORM,
                        p.name.span,
                        format!("`{}` is {}, which can't stand in `{words} (…)`", p.name.text, other.noun()),
                    )
                    .label("only what was done can be asked of a stretch of time")
                    .help("join it outside the parentheses with `and`"),
                );
                return None;
            }
            None => {
                self.unknown_name(&p.name, |m| matches!(m, Meaning::Event(_)));
                return None;
            }
        };
        let mut fine = self.of_a_visit(by, &p.name);
        if let Some(without) = &p.without {
            fine &= self.of_a_visit(by, &without.name);
        }
        fine &= self.bare_inside(by, p.quantifier, p.window.as_ref());
        if !fine {
            return None;
        }
        let tree = self.behaviour(p, event, span)?;
        started(&tree, starts);
        Some(tree)
    }

    /// `contacted winback ≥ 2`
    fn recorded_inside(
        &self,
        r: &ast::Recorded,
        by: Gathering,
        starts: &mut Vec<Matching>,
        span: Span,
    ) -> Option<Tree<Cond>> {
        if by == Gathering::Session {
            self.never_of_a_visit(r.what_span.to(r.name.span));
            return None;
        }
        if !self.bare_inside(by, r.quantifier, r.window.as_ref()) {
            return None;
        }
        let tree = self.recorded(r, span)?;
        started(&tree, starts);
        Some(tree)
    }

    /// Nothing in the parentheses picks of all events or says when.
    fn bare_inside(&self, by: Gathering, quantifier: Option<(Quantifier, Span)>, window: Option<&ast::Window>) -> bool {
        let mut fine = true;
        if let Some((q @ (Quantifier::First | Quantifier::Last), place)) = quantifier {
            self.no_pick_inside(by, q, place);
            fine = false;
        }
        if let Some(window) = window {
            self.no_window_inside(by, window.span);
            fine = false;
        }
        fine
    }

    /// A visit is made of the events that the catalog marks.
    fn of_a_visit(&self, by: Gathering, name: &Name) -> bool {
        if by == Gathering::Any {
            return true;
        }
        let event = match self.names.get(&name.text) {
            Some(Meaning::Event(event)) => event,
            _ if self.recorded_event(&name.text).is_some() => {
                self.never_of_a_visit(name.span);
                return false;
            }
            _ => return true,
        };
        if self.catalog.event(event).is_none_or(|def| def.session) {
            return true;
        }
        let Name { text, span } = name;
        let marked: Vec<&str> =
            self.catalog.events.iter().filter(|e| e.session).map(|e| e.name.name.as_str()).collect();
        let catalog = &self.options.catalog;
        let d = Diagnostic::new(code::check::GATHERED_FORM, *span, format!("`{text}` is no part of a visit"))
            .label("a visit is a run of the events that the catalog marks");
        self.report(if marked.is_empty() {
            d.help(format!("mark the events of a visit with `session: true` in `{catalog}`"))
        } else {
            d.help(format!(
                "mark it with `session: true` in `{catalog}`, or ask for it outside the parentheses; marked are {}",
                super::suggest::some_of(marked)
            ))
        });
        false
    }

    fn never_of_a_visit(&self, span: Span) {
        self.report(
            Diagnostic::new(code::check::GATHERED_FORM, span, "what is recorded is no part of a visit")
                .label("a run left it behind, whatever the customer was doing")
                .help("ask for it outside the parentheses, or in a stretch of time: `in any 14d (…)`"),
        );
    }

    pub(super) fn no_window_inside(&self, by: Gathering, span: Span) {
        let words = by.words();
        self.report(
            Diagnostic::new(code::check::GATHERED_FORM, span, format!("a window inside `{words} (…)`"))
                .label("the parentheses say when already")
                .help(match by {
                    Gathering::Session => "write the window behind the parentheses: it says when the visit began",
                    Gathering::Any => "write the window behind the parentheses: it says when the stretch began",
                }),
        );
    }

    pub(super) fn no_pick_inside(&self, by: Gathering, q: Quantifier, span: Span) {
        let (words, word) = (by.words(), quantifier_word(q));
        self.report(
            Diagnostic::new(code::check::GATHERED_FORM, span, format!("`{word}` inside `{words} (…)`"))
                .label(format!("the {word} of a customer's events, not of these"))
                .help(format!("leave out `{word}`, or ask for it outside the parentheses")),
        );
    }
}

/// A stretch may begin with the events of a behaviour, unless there must be none.
fn started(tree: &Tree<Cond>, starts: &mut Vec<Matching>) {
    let zero = matches!(&tree.node, Node::Leaf(Cond::Count { .. } | Cond::Periods { .. } | Cond::And(_), fact)
        if fact.set.bounds() == Some((0, 0)));
    if !zero && let Some(matching) = matching_of(tree) {
        add(starts, matching);
    }
}

/// The events of a behaviour without windows.
fn matching_of(tree: &Tree<Cond>) -> Option<&Matching> {
    match &tree.node {
        Node::Leaf(cond, _) => matching_in(cond),
        _ => None,
    }
}

fn matching_in(cond: &Cond) -> Option<&Matching> {
    match cond {
        Cond::Count { behaviour, .. } | Cond::Periods { behaviour, .. } | Cond::Same { behaviour, .. } => {
            Some(&behaviour.matching)
        }
        // `between 2 and 5`
        Cond::And(parts) => parts.iter().find_map(matching_in),
        _ => None,
    }
}

fn add(starts: &mut Vec<Matching>, matching: &Matching) {
    if !starts.contains(matching) {
        starts.push(matching.clone());
    }
}
