//! Behaviours: what a customer did, how often, when.

use crate::language::catalog::{EventId, PropertyId};
use crate::language::diagnostic::{Diagnostic, code};
use crate::language::ir::{Behaviour, Cond, End, Matching, Op};
use crate::language::num::Num;
use crate::language::source::Span;
use crate::language::syntax::ast::{self, Expr, ExprKind, Phrase, Quantifier, TestKind};

use super::Checker;
use super::compare::moment;
use super::conditions::quantifier_word;
use super::facts::{Domain, Fact, Set};
use super::names::Meaning;
use super::tree::{Node, Tree};
use super::values::plainest;
use super::window::{On, Since};

impl Checker<'_> {
    /// `[no|never|first|last] EVENT [SUBJECT] [where (…)] [COUNT [of same PROPERTY]] [WINDOW] [without E]`
    pub(super) fn behaviour(&self, p: &Phrase, event: EventId, span: Span) -> Option<Tree<Cond>> {
        let matching = self.matching(p, event);
        let windows = self.behaviour_windows(p);
        let allowed = self.quantifier_fits(p);
        let same = self.same_fits(p, event);
        // `between` with dates is a window, `= 2026-01-01` is meant as one: both are told apart here.
        let count = match (&p.quantifier, &p.test) {
            (_, Some(test)) if allowed.is_some() => Some(self.count(p, test)),
            _ => None,
        };
        let (matching, windows) = (matching?, windows?);
        allowed?;
        let same = same?;
        let asked = match (p.quantifier, count) {
            (Some((Quantifier::No | Quantifier::Never, _)), _) => Asked::Count(Count::Is(Op::Eq, Num::int(0))),
            (Some((Quantifier::First, _)), _) => Asked::Pick(End::First),
            (Some((Quantifier::Last, _)), _) => Asked::Pick(End::Last),
            (None, None | Some(Some(Count::Window))) => Asked::Count(Count::Is(Op::Ge, Num::int(1))),
            (None, Some(None)) => return None,
            (None, Some(Some(count))) => match same {
                Some(same) => self.same_count(p, same, &count)?,
                None => Asked::Count(count),
            },
        };
        let each = windows.into_iter().map(|(window, since)| {
            let behaviour = Behaviour { matching: matching.clone(), window, since };
            self.asked(p, behaviour, &asked, span)
        });
        let mut trees = each.collect::<Option<Vec<_>>>()?;
        if trees.len() == 1 { trees.pop() } else { Some(Tree { node: Node::And(trees), span }) }
    }

    /// What is asked of a behaviour in one window.
    pub(super) fn asked(&self, p: &Phrase, behaviour: Behaviour, asked: &Asked, span: Span) -> Option<Tree<Cond>> {
        Some(match asked {
            Asked::Pick(end) => {
                let Behaviour { matching, window, since } = behaviour;
                Tree::opaque(Cond::Pick { end: *end, matching, window, since }, span)
            }
            Asked::Same { property, n, without } => {
                let (property, n, without) = (*property, *n, without.clone());
                Tree::opaque(Cond::Same { behaviour, property, n, without }, span)
            }
            Asked::Count(Count::Window) => counted(behaviour, Op::Ge, Num::int(1), span),
            Asked::Count(Count::Is(op, n)) => counted(behaviour, *op, *n, span),
            Asked::Count(Count::Between(low, high)) => {
                let from = counted(behaviour.clone(), Op::Ge, *low, span);
                let to = counted(behaviour, Op::Le, *high, span);
                return self.joined(p.name.text.clone(), from, to, span);
            }
            Asked::Count(Count::Periods(unit, op, n)) => {
                let family = format!("{behaviour:?} by {unit:?}");
                let fact = number_of(&behaviour, *op, *n).map(|(domain, set)| Fact {
                    family,
                    domain,
                    set,
                    count: None,
                    during: None,
                });
                let formula = Cond::Periods { behaviour, unit: *unit, op: *op, n: *n };
                match fact {
                    Some(fact) => Tree::leaf(formula, fact, span),
                    None => Tree::opaque(formula, span),
                }
            }
        })
    }

    /// The event that a phrase inside an aggregate is about.
    pub(super) fn event_of(&self, p: &Phrase) -> Option<EventId> {
        match self.names.get(&p.name.text) {
            Some(Meaning::Event(event)) => Some(event),
            Some(Meaning::Broken) => None,
            Some(other) => {
                self.report(
                    Diagnostic::new(
                        code::check::NOT_A_VALUE,
                        p.name.span,
                        format!("`{}` is {}, and only events can be counted or added up", p.name.text, other.noun()),
                    )
                    .label("not an event")
                    .help("put an event here"),
                );
                None
            }
            None if p.qualifier.is_none() && self.recorded_event(&p.name.text).is_some() => {
                self.recorded_event(&p.name.text)
            }
            None => {
                self.unknown_name(&p.name, |m| matches!(m, Meaning::Event(_)));
                None
            }
        }
    }

    /// Subject and `where` together.
    pub(super) fn matching(&self, p: &Phrase, event: EventId) -> Option<Matching> {
        if self.catalog.is_recorded(event) {
            return self.recorded_matching(p);
        }
        let subject = p.subject.as_ref().map(|s| self.subject(s, event));
        let filter = p.filter.as_ref().map(|f| self.predicate(f, event));
        let pred = match (subject, filter) {
            (None, None) => None,
            (Some(one), None) | (None, Some(one)) => Some(one?),
            (Some(subject), Some(filter)) => {
                let (subject, filter) = (subject?, filter?);
                let span = subject.span.to(filter.span);
                let mut parts = Vec::new();
                for tree in [subject, filter] {
                    match tree.node {
                        Node::And(inner) => parts.extend(inner),
                        _ => parts.push(tree),
                    }
                }
                Some(Tree { node: Node::And(parts), span })
            }
        };
        let pred = match pred {
            None => None,
            Some(tree) => {
                self.prove(&tree);
                Some(tree.into_formula())
            }
        };
        Some(Matching { event, pred })
    }

    /// The written window; a `between` of dates where a COUNT would stand is one, too.
    pub(super) fn behaviour_windows(&self, p: &Phrase) -> Option<Vec<Since>> {
        if p.window.is_none()
            && let Some(ast::Test { kind: TestKind::Between { low, high }, .. }) = &p.test
            && let (Some(a), Some(b)) = (moment(low), moment(high))
        {
            return Some(vec![(self.between_moments(&a, &b, On::Events)?, None)]);
        }
        match p.quantifier {
            Some((Quantifier::First | Quantifier::Last, _)) => Some(vec![self.event_window(p.window.as_ref())?]),
            _ => self.count_windows(p.window.as_ref()),
        }
    }

    /// `no`, `never`, `first`, `last` take no COUNT; `never` takes no WINDOW.
    pub(super) fn quantifier_fits(&self, p: &Phrase) -> Option<()> {
        let Some((quantifier, place)) = p.quantifier else { return Some(()) };
        let word = quantifier_word(quantifier);
        let name = &p.name.text;
        let dates = matches!(&p.test, Some(ast::Test { kind: TestKind::Between { low, high }, .. })
            if moment(low).is_some() && moment(high).is_some());
        if let Some(test) = p.test.as_ref().filter(|_| !dates) {
            let help = match quantifier {
                Quantifier::No | Quantifier::Never => {
                    format!(
                        "leave out `{word}` and turn the count round: fewer than 3 is `{name} ≤ 2`, or write `not ({name} ≥ 3)`"
                    )
                }
                Quantifier::First | Quantifier::Last => {
                    format!("leave out `{word}`, or the count: there is one {word} `{name}`")
                }
            };
            self.report(
                Diagnostic::new(code::check::QUANTIFIER_FORM, test.span, format!("a count behind `{word}`"))
                    .label(format!("`{word} {name}` says how many already"))
                    .help(help),
            );
            return None;
        }
        if quantifier == Quantifier::Never
            && let Some(window) = p.window.as_ref().map(|w| w.span).or(p.test.as_ref().map(|t| t.span))
        {
            self.report(
                Diagnostic::new(code::check::QUANTIFIER_FORM, place, "`never` with a window")
                    .label("`never` means: at no time at all")
                    .also(window, "the window")
                    .help(format!("write `no {name} …` for none in the window"))
                    .fix("write `no`", vec![(place, "no".to_owned())]),
            );
            return None;
        }
        if matches!(quantifier, Quantifier::First | Quantifier::Last) && p.window.is_none() && !dates {
            self.report(
                Diagnostic::new(code::check::ADDS_NOTHING, place, format!("`{word}` changes nothing without a window"))
                    .label("whoever has one at all has such a one")
                    .help(format!("leave it out, or say when the {word} one was: `{word} {name} in 30d`")),
            );
        }
        Some(())
    }

    /// What stands where a COUNT is expected.
    pub(super) fn count(&self, p: &Phrase, test: &ast::Test) -> Option<Count> {
        let name = &p.name.text;
        match &test.kind {
            TestKind::Compare { op, right } => Some(Count::Is(*op, self.whole(p, right, *op)?)),
            TestKind::Between { low, high } => {
                if moment(low).is_some() && moment(high).is_some() {
                    if p.window.is_some() {
                        self.report(
                            Diagnostic::new(code::check::COUNT_FORM, test.span, "two windows on one behaviour")
                                .label("one window too many")
                                .help("leave one of them out, or join two behaviours with `and`"),
                        );
                        return None;
                    }
                    return Some(Count::Window);
                }
                let (low, high) = (self.whole(p, low, Op::Ge), self.whole(p, high, Op::Le));
                Some(Count::Between(low?, high?))
            }
            TestKind::OnPeriods { op, count, unit } => Some(Count::Periods(*unit, *op, self.whole(p, count, *op)?)),
            TestKind::OneOf { .. } | TestKind::Text { .. } | TestKind::Has(_) => {
                self.report(
                    Diagnostic::new(
                        code::check::COUNT_FORM,
                        test.span,
                        format!("`{name}` is an event, not a text or list"),
                    )
                    .label("a test of a value")
                    .help(format!("ask it of a property: `{name} where (PROPERTY …)`")),
                );
                None
            }
            TestKind::Known { negated } => {
                let cure = if *negated { format!("no {name}") } else { name.clone() };
                self.report(
                    Diagnostic::new(code::check::COUNT_FORM, test.span, format!("`{name}` is an event, not a value"))
                        .label("events happen or not")
                        .help(format!("write `{cure}`")),
                );
                None
            }
        }
    }

    /// A whole number, zero or more.
    fn whole(&self, p: &Phrase, expr: &Expr, op: Op) -> Option<Num> {
        let name = &p.name.text;
        let d = Diagnostic::new(code::check::COUNT_FORM, expr.span, "a count is a whole number, zero or more");
        let d = match &expr.kind {
            ExprKind::Paren(inner) => return self.whole(p, inner, op),
            ExprKind::Error => return None,
            ExprKind::Number(n) => match plainest(*n) {
                n @ Num::Exact { units, scale: 0 } if units >= 0 => return Some(n),
                _ => d.label("not a whole number, zero or more").help(format!("write for example `{name} ≥ 3`")),
            },
            ExprKind::Percent(_) => {
                d.label("a percentage").help("a count has no hundred to be a part of; write a whole number")
            }
            ExprKind::Date(_) | ExprKind::Instant(_) => {
                let word = match op {
                    Op::Eq => "on",
                    Op::Lt | Op::Le => "before",
                    _ => "since",
                };
                d.label("a date").help(format!("for a window write `{name} {word} 2026-01-01`"))
            }
            ExprKind::Text(t) => d.label("a text").help(format!("for a subject write `{name} \"{t}\"`")),
            ExprKind::Phrase(right) => {
                let w = &right.name.text;
                d.label("not a number").help(match self.names.get(w) {
                    Some(Meaning::Event(_)) => {
                        format!("to compare two numbers of events write `count({name}) {} count({w})`", sign(op))
                    }
                    Some(_) => format!("to compare with a value write `count({name}) {} {w}`", sign(op)),
                    None => format!("for a subject write `{name} {w}`, for a property `{name} where (PROPERTY = {w})`"),
                })
            }
            ExprKind::Aggregate(_)
            | ExprKind::Rate(_)
            | ExprKind::RankOf(_)
            | ExprKind::DaysSince(_)
            | ExprKind::Arithmetic { .. } => {
                d.label("a value").help(format!("to compare two values write `count({name}) {} …`", sign(op)))
            }
            _ => d.label("not a number").help(format!("write for example `{name} ≥ 3`")),
        };
        self.report(d);
        None
    }
}

/// What is asked of the events of a behaviour.
#[derive(Debug)]
pub(super) enum Asked {
    Count(Count),
    Pick(End),
    Same { property: PropertyId, n: u64, without: Option<(Matching, PropertyId)> },
}

#[derive(Debug)]
pub(super) enum Count {
    Is(Op, Num),
    Between(Num, Num),
    Periods(ast::PeriodUnit, Op, Num),
    /// Not a count: a window of dates.
    Window,
}

pub(super) fn sign(op: Op) -> &'static str {
    match op {
        Op::Eq => "=",
        Op::Ne => "≠",
        Op::Lt => "<",
        Op::Le => "≤",
        Op::Gt => ">",
        Op::Ge => "≥",
    }
}

/// A leaf that counts.
pub(super) fn counted(behaviour: Behaviour, op: Op, n: Num, span: Span) -> Tree<Cond> {
    let found = number_of(&behaviour, op, n);
    let formula = Cond::Count { behaviour: behaviour.clone(), op, n };
    match found {
        Some((domain, set)) => {
            let family = format!("{behaviour:?}");
            // Two windows from an anchor say nothing about each other: either may be missing.
            let count = behaviour.since.is_none().then(|| Box::new(behaviour));
            Tree::leaf(formula, Fact { family, domain, set, count, during: None }, span)
        }
        None => Tree::opaque(formula, span),
    }
}

/// The numbers that fulfil a count. Since an event that never happened there is no number, which fulfils none.
fn number_of(behaviour: &Behaviour, op: Op, n: Num) -> Option<(Domain, Set)> {
    let mut domain = Domain::COUNT;
    domain.missing = behaviour.since.is_some();
    let mut set = domain.compare(op, n)?;
    set.missing = false;
    Some((domain, set))
}
