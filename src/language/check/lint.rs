//! What is allowed and probably not meant.

use crate::language::diagnostic::{Diagnostic, code};
use crate::language::ir::{Cond, Op, Test, Value};
use crate::language::source::Span;
use crate::language::syntax::ast::{Expr, ExprKind, Phrase, Quantifier, TestKind, Window, WindowKind};

use super::Checker;
use super::idle::{Idle, by_absence};
use super::names::Meaning;
use super::tree::{Node, Tree};

impl Checker<'_> {
    /// What the written form of a condition makes doubtful. Whether it was asked what `no` reaches.
    pub(super) fn lint_form(&self, expr: &Expr) -> bool {
        let mut asked = false;
        self.form(expr, &mut asked);
        asked
    }

    fn form(&self, expr: &Expr, asked: &mut bool) {
        match &expr.kind {
            ExprKind::Or(parts) => {
                for part in parts {
                    if let ExprKind::And(_) = part.kind {
                        let edits = vec![
                            (point(part.span.start, part.span), "(".to_owned()),
                            (point(part.span.end, part.span), ")".to_owned()),
                        ];
                        self.report(
                            Diagnostic::new(code::check::MIXED, part.span, "`and` and `or` side by side")
                                .label("`and` binds tighter, so this is one part of the `or`")
                                .help("put it into parentheses if it is meant so, or the parts around `or` if not")
                                .fix("put it into parentheses", edits),
                        );
                    }
                    self.form(part, asked);
                }
                for pair in parts.windows(2) {
                    if let [a, b] = pair {
                        *asked |= self.no_reaches_one(a, b);
                    }
                }
            }
            ExprKind::And(parts) => parts.iter().for_each(|p| self.form(&p.expr, asked)),
            ExprKind::Not(inner) | ExprKind::Paren(inner) => self.form(inner, asked),
            ExprKind::Phrase(p) => self.phrase_form(p, asked),
            ExprKind::Test { left, test } => {
                self.form(left, asked);
                match &test.kind {
                    TestKind::Compare { right, .. } => self.form(right, asked),
                    TestKind::Between { low, high } => {
                        self.form(low, asked);
                        self.form(high, asked);
                    }
                    _ => {}
                }
            }
            ExprKind::Sequence(s) => {
                self.phrase_form(&s.first, asked);
                for then in &s.then {
                    self.phrase_form(&then.event, asked);
                    then.without.iter().for_each(|p| self.phrase_form(p, asked));
                }
            }
            ExprKind::Gathered(g) => {
                self.form(&g.inside, asked);
                self.window_form(g.window.as_ref(), asked);
            }
            ExprKind::Ranked(r) => self.form(&r.by, asked),
            ExprKind::Aggregate(a) => self.phrase_form(&a.behaviour, asked),
            ExprKind::Rate(r) => {
                self.phrase_form(&r.of, asked);
                self.phrase_form(&r.per, asked);
                self.window_form(r.window.as_ref(), asked);
            }
            ExprKind::RankOf(r) => self.form(&r.by, asked),
            ExprKind::Arithmetic { left, right, .. } => {
                self.form(left, asked);
                self.form(right, asked);
            }
            ExprKind::DaysSince(d) => self.phrase_form(&d.of, asked),
            _ => {}
        }
    }

    fn phrase_form(&self, p: &Phrase, asked: &mut bool) {
        p.filter.iter().for_each(|f| self.form(f, asked));
        self.window_form(p.window.as_ref(), asked);
        p.without.iter().for_each(|w| self.phrase_form(w, asked));
    }

    fn window_form(&self, window: Option<&Window>, asked: &mut bool) {
        if let Some(Window { kind: WindowKind::SinceEvent(anchor), .. }) = window {
            self.phrase_form(&anchor.of, asked);
        }
    }

    /// `no A or B`
    fn no_reaches_one(&self, a: &Expr, b: &Expr) -> bool {
        let event = |p: &Phrase| matches!(self.names.get(&p.name.text), Some(Meaning::Event(_)));
        let (ExprKind::Phrase(none), ExprKind::Phrase(other)) = (&a.kind, &b.kind) else { return false };
        let Some((quantifier @ (Quantifier::No | Quantifier::Never), _)) = none.quantifier else { return false };
        if other.quantifier.is_some() || !event(none) || !event(other) {
            return false;
        }
        let (word, name) = (super::conditions::quantifier_word(quantifier), &other.name.text);
        self.report(
            Diagnostic::new(code::check::NO_REACHES_ONE, a.span, format!("`{word}` reaches this behaviour only"))
                .label(format!("`{word}` ends here"))
                .also(b.span, "this one is asked for")
                .help(format!(
                    "for neither of them write `and no {name}`; if it is meant so, put the first part into parentheses"
                ))
                .fix(
                    "keep the meaning, in parentheses",
                    vec![(point(a.span.start, a.span), "(".to_owned()), (point(a.span.end, a.span), ")".to_owned())],
                ),
        );
        true
    }

    /// `country ≠ FR` holds for those whose country nobody knows.
    pub(super) fn lint_missing(&self, tree: &Tree<Cond>) {
        self.missing(tree, &[], true);
    }

    fn missing(&self, tree: &Tree<Cond>, known: &[String], plain: bool) {
        match &tree.node {
            Node::And(parts) => {
                let mut known = known.to_vec();
                for part in parts {
                    if let Node::Leaf(_, fact) = &part.node {
                        if let Some((value, _)) = &fact.during {
                            known.push(value.clone());
                        } else if fact.domain.missing && !fact.set.missing {
                            known.push(fact.family.clone());
                        }
                    }
                }
                parts.iter().for_each(|p| self.missing(p, &known, plain));
            }
            Node::Or(parts) => parts.iter().for_each(|p| self.missing(p, known, false)),
            // Below a `not` the complement is asked for, which is another question.
            Node::Not(_) => {}
            Node::Leaf(formula, fact) => {
                let (value, sign) = match formula {
                    Cond::Test(Test::Compare { left, op: Op::Ne, .. }) => (left, "≠"),
                    Cond::Test(Test::OneOf { value, negated: true, .. }) => (value, "not in"),
                    // Only `≠` and `not in` of stages are leaves of this form.
                    Cond::Not(_) => return self.missing_stage(fact, tree.span),
                    _ => return,
                };
                let id = match value {
                    Value::Attribute(id) | Value::DaysSinceAttribute(id) => *id,
                    _ => return,
                };
                if known.contains(&fact.family) || known.contains(&format!("{value:?}")) {
                    return;
                }
                let Some(attribute) = self.catalog.attributes().get(id.index()) else { return };
                let name = &attribute.name.name;
                let span = tree.span;
                let mut edits = vec![(
                    point(span.start, span),
                    if plain { format!("{name} is known and ") } else { format!("({name} is known and ") },
                )];
                if !plain {
                    edits.push((point(span.end, span), ")".to_owned()));
                }
                self.report(
                    Diagnostic::new(
                        code::check::MISSING_COUNTS,
                        span,
                        format!("`{sign}` also holds where `{name}` is missing"),
                    )
                    .label("true for everyone without a value, too")
                    .help(format!("to leave those out, write `{name} is known and …`"))
                    .fix(format!("ask that `{name}` is known"), edits),
                );
            }
        }
    }

    /// A whole rule that people fulfil who never did anything, because of what they did not do. `earlier` is what this said about
    /// the rules before; `span` is where to say it, if it is to be said.
    pub(super) fn lint_inactive(&self, condition: &Cond, earlier: &dyn Fn(u32) -> Idle, span: Option<Span>) -> Idle {
        let idle = Idle::of(condition, earlier);
        if let Some(span) = span
            && !idle.inside()
            && by_absence(condition, earlier)
        {
            // What belongs to a visit, or whatever stands first.
            let events = &self.catalog.events;
            let active = events.iter().find(|e| e.session).or(events.first()).map_or("EVENT", |e| e.name.name.as_str());
            self.report(
                Diagnostic::new(code::check::INACTIVE, span, "people who never did anything fulfil this")
                    .label("nothing here asks for any activity")
                    .help(format!(
                        "if only active people are meant, ask for something that they did: `and {active} …`"
                    )),
            );
        }
        idle
    }
}

/// An empty place, for an insertion.
fn point(at: u32, span: Span) -> Span {
    Span { start: at, end: at, ..span }
}
