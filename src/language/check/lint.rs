//! What is allowed and probably not meant.

use crate::language::diagnostic::{Diagnostic, code};
use crate::language::ir::{Aggregate, Cond, Literal, Op, Test, Value};
use crate::language::num::Num;
use crate::language::source::Span;
use crate::language::syntax::ast::{Expr, ExprKind, Phrase, Quantifier};

use super::Checker;
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
            ExprKind::Phrase(p) => p.filter.iter().for_each(|f| self.form(f, asked)),
            ExprKind::Test { left, .. } => self.form(left, asked),
            ExprKind::Aggregate(a) => a.behaviour.filter.iter().for_each(|f| self.form(f, asked)),
            ExprKind::DaysSince(d) => d.of.filter.iter().for_each(|f| self.form(f, asked)),
            _ => {}
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
        let idle = Idle {
            inside: fulfilled(condition, true, false, earlier),
            outside: fulfilled(condition, false, true, earlier),
            outside_anyway: fulfilled(condition, false, false, earlier),
        };
        if let Some(span) = span
            && !idle.inside
            && fulfilled(condition, true, true, earlier)
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

/// What someone without any event may be, whose attributes and lists nobody knows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Idle {
    /// In the rule, for what he is and not for what he did not do. (For that, the rule has its own warning.)
    inside: bool,
    /// Out of the rule.
    outside: bool,
    /// Out of the rule, for what he is.
    outside_anyway: bool,
}

impl Idle {
    /// Of a rule that is not understood.
    pub const ANY: Idle = Idle { inside: true, outside: true, outside_anyway: true };
}

/// An empty place, for an insertion.
fn point(at: u32, span: Span) -> Span {
    Span { start: at, end: at, ..span }
}

/// Whether someone without any event may fulfil a condition. `absence`: what holds because something never happened counts.
fn fulfilled(condition: &Cond, positive: bool, absence: bool, earlier: &dyn Fn(u32) -> Idle) -> bool {
    let by_absence = |holds: bool| absence && holds == positive;
    match condition {
        Cond::Const(holds) => *holds == positive,
        Cond::And(parts) if positive => parts.iter().all(|p| fulfilled(p, true, absence, earlier)),
        Cond::Or(parts) if !positive => parts.iter().all(|p| fulfilled(p, false, absence, earlier)),
        Cond::And(parts) | Cond::Or(parts) => parts.iter().any(|p| fulfilled(p, positive, absence, earlier)),
        Cond::Not(inner) => fulfilled(inner, !positive, absence, earlier),
        Cond::Rule(id) => {
            let idle = earlier(id.0);
            if positive { idle.inside } else { idle.outside_anyway || absence && idle.outside }
        }
        Cond::List(_) | Cond::KnownSince(_) => true,
        Cond::Count { op, n, .. } | Cond::Periods { op, n, .. } => by_absence(op.holds(Num::int(0).compare(*n))),
        // A share of everyone, active or not.
        Cond::Sample { .. } => true,
        Cond::Ranked { .. } => true,
        Cond::Pick { .. } | Cond::Same { .. } | Cond::Sequence(_) | Cond::InSession { .. } | Cond::InAny { .. } => {
            by_absence(false)
        }
        Cond::Test(test) => match without_events(test) {
            Some(holds) => by_absence(holds),
            None => true,
        },
    }
}

/// What a test says of someone without events; nothing where it asks for something else.
fn without_events(test: &Test<Value>) -> Option<bool> {
    // The value over no events: zero, or missing.
    let value = |v: &Value| match v {
        Value::Aggregate { function: Aggregate::Count | Aggregate::Sum(_) | Aggregate::Distinct(_), .. } => {
            Some(Some(Num::int(0)))
        }
        Value::Aggregate { .. } | Value::Rate { .. } | Value::DaysSinceEvent { .. } => Some(None),
        Value::Rank { .. }
        | Value::Arithmetic { .. }
        | Value::Literal(_)
        | Value::Attribute(_)
        | Value::DaysSinceAttribute(_) => None,
    };
    let constant = |v: &Value| match v {
        Value::Literal(Literal::Num(n)) => Some(Some(*n)),
        Value::Literal(_) => Some(None),
        _ => value(v),
    };
    match test {
        Test::Compare { left, op, right } => match (value(left)?, constant(right)?) {
            (Some(a), Some(b)) => Some(op.holds(a.compare(b))),
            _ => Some(*op == Op::Ne),
        },
        Test::OneOf { value: v, among, negated } => {
            let zero = value(v)?.is_some_and(|n| among.contains(&Literal::Num(n)));
            Some(zero != *negated)
        }
        Test::Known(v) => Some(value(v)?.is_some()),
        Test::During { value: v, .. }
        | Test::Text { value: v, .. }
        | Test::Has { value: v, .. }
        | Test::Anniversary { value: v, .. }
        | Test::Yes(v) => value(v).map(|_| false),
    }
}
