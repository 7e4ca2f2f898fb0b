//! Conditions and predicates: the expression grammar, told apart by where it stands.

use crate::language::catalog::{EventId, Type};
use crate::language::diagnostic::{Diagnostic, code};
use crate::language::ir::{Cond, Op, Pred, RuleId, Test};
use crate::language::num::Num;
use crate::language::source::Span;
use crate::language::syntax::ast::{self, Expr, ExprKind, Phrase, Quantifier, TestKind, WindowKind};

use super::Checker;
use super::compare::sample_test;
use super::facts::Fact;
use super::known::Found;
use super::names::Meaning;
use super::tree::{Node, Tree};
use super::values::{Resolved, Scope, Side, Typed, type_noun};
use super::window::On;
use super::words::word;

impl<'a> Checker<'a> {
    /// A condition on a customer. Nothing where a mistake has been reported.
    pub(super) fn condition(&self, expr: &Expr) -> Option<Tree<Cond>> {
        let span = expr.span;
        match &expr.kind {
            ExprKind::Or(parts) => {
                let parts: Vec<&Expr> = parts.iter().collect();
                let mut told = self.subjects_apart(&parts, true);
                self.values_apart(&parts, true, |n| self.names.get(n).is_some(), &mut told);
                let trees = self.parts(&parts, &told, |c, e| c.condition(e))?;
                Some(Tree { node: Node::Or(trees), span })
            }
            ExprKind::And(parts) => {
                let parts: Vec<&Expr> = parts.iter().map(|p| &p.expr).collect();
                let mut told = self.subjects_apart(&parts, false);
                self.values_apart(&parts, false, |n| self.names.get(n).is_some(), &mut told);
                let trees = self.parts(&parts, &told, |c, e| c.condition(e))?;
                Some(Tree { node: Node::And(trees), span })
            }
            ExprKind::Not(inner) => {
                self.not_for_no(inner, span);
                Some(self.condition(inner)?.not(span))
            }
            ExprKind::Paren(inner) => self.condition(inner),
            ExprKind::Everyone => Some(Tree::leaf(Cond::Const(true), Fact::constant(true), span)),
            ExprKind::Phrase(p) => self.phrase(p, span),
            ExprKind::KnownFor(d) => {
                let edge = self.back(d, On::Instants)?;
                Some(Tree::opaque(Cond::KnownSince(edge), span))
            }
            ExprKind::Ranked(r) => self.ranked(r, span),
            ExprKind::Sample(s) => self.sample(s, span),
            ExprKind::Test { left, test } => self.value_test::<Cond>((), left, test, span),
            ExprKind::Sequence(s) => self.sequence(s, span),
            ExprKind::Gathered(g) => self.gathered(g, span),
            ExprKind::Anniversary(a) => self.anniversary::<Cond>((), a, span),
            ExprKind::Member(m) => self.member(m, span),
            ExprKind::Recorded(r) => self.recorded(r, span),
            _ => self.bare_value::<Cond>((), expr),
        }
    }

    /// A predicate on one event.
    pub(super) fn predicate(&self, expr: &Expr, event: EventId) -> Option<Tree<Pred>> {
        let span = expr.span;
        match &expr.kind {
            ExprKind::Or(parts) => {
                let parts: Vec<&Expr> = parts.iter().collect();
                let told = self.values_apart_in(&parts, true, event);
                Some(Tree { node: Node::Or(self.parts(&parts, &told, |c, e| c.predicate(e, event))?), span })
            }
            ExprKind::And(parts) => {
                let parts: Vec<&Expr> = parts.iter().map(|p| &p.expr).collect();
                let told = self.values_apart_in(&parts, false, event);
                Some(Tree { node: Node::And(self.parts(&parts, &told, |c, e| c.predicate(e, event))?), span })
            }
            ExprKind::Not(inner) => Some(self.predicate(inner, event)?.not(span)),
            ExprKind::Paren(inner) => self.predicate(inner, event),
            ExprKind::Everyone => {
                self.not_in_where(span, "`everyone`");
                None
            }
            ExprKind::KnownFor(_)
            | ExprKind::Sequence(_)
            | ExprKind::Gathered(_)
            | ExprKind::Ranked(_)
            | ExprKind::Sample(_)
            | ExprKind::Member(_)
            | ExprKind::Recorded(_) => {
                self.not_in_where(span, of_customers(&expr.kind));
                None
            }
            ExprKind::Anniversary(a) => self.anniversary::<Pred>(event, a, span),
            ExprKind::Phrase(p) => self.property_phrase(p, event, span),
            ExprKind::Test { left, test } => self.value_test::<Pred>(event, left, test, span),
            _ => self.bare_value::<Pred>(event, expr),
        }
    }

    /// All parts, so that every mistake is found; nothing if one has any.
    fn parts<F>(
        &self,
        parts: &[&Expr],
        told: &[bool],
        read: impl Fn(&Self, &Expr) -> Option<Tree<F>>,
    ) -> Option<Vec<Tree<F>>> {
        let mut trees = Vec::with_capacity(parts.len());
        for (i, part) in parts.iter().enumerate() {
            if told.get(i) != Some(&true) {
                trees.extend(read(self, part));
            }
        }
        (trees.len() == parts.len()).then_some(trees)
    }

    /// A test of something that is no name.
    fn value_test<F: Scope>(&self, place: F::Place, left: &Expr, test: &ast::Test, span: Span) -> Option<Tree<F>> {
        match self.side::<F>(place, left)? {
            Side::Constant(written) => self.compare_reversed(place, &written, left.span, test, span),
            Side::Value(value) => self.test(place, value, test, span),
            Side::Word(name) => {
                let value = self.value_named_here::<F>(place, &name)?;
                self.test(place, value, test, span)
            }
        }
    }

    /// A value where a condition is expected.
    fn bare_value<F: Scope>(&self, place: F::Place, expr: &Expr) -> Option<Tree<F>> {
        match self.side::<F>(place, expr)? {
            Side::Constant(_) => {
                self.report(
                    Diagnostic::new(
                        code::check::NOT_A_CONDITION,
                        expr.span,
                        "a constant where a condition is expected",
                    )
                    .label("this is neither yes nor no")
                    .help("a condition says what a customer did or is: `purchased in 30d`, `country = FR`"),
                );
            }
            Side::Value(value) if value.ty == Type::YesNo => return Some(yes(value, expr.span)),
            Side::Value(value) => self.not_a_condition(&value),
            Side::Word(_) => {}
        }
        None
    }

    fn not_a_condition<V>(&self, value: &Typed<'a, V>) {
        let says = &value.about.says;
        self.report(
            Diagnostic::new(
                code::check::NOT_A_CONDITION,
                value.span,
                format!("`{says}` is {}, not a condition", type_noun(value.ty)),
            )
            .label("this is neither yes nor no")
            .help(match value.ty {
                // Only a name takes a window.
                Type::Date | Type::Instant if !crate::language::syntax::is_name(says) => {
                    "compare it, for example `… ≥ 2026-01-01`, or declare a trait of it, and ask `TRAIT in 30d`"
                        .to_owned()
                }
                ty => format!("say what is asked of it, for example `{says} {}`", sample_test(ty)),
            }),
        );
    }

    /// Whatever begins with a name.
    fn phrase(&self, p: &Phrase, span: Span) -> Option<Tree<Cond>> {
        if let Some(qualifier) = &p.qualifier {
            let value = Cond::qualified(self, (), qualifier, &p.name)?;
            return self.value_phrase::<Cond>((), value, p, span);
        }
        match self.names.get(&p.name.text) {
            Some(Meaning::Event(event)) => self.behaviour(p, event, span),
            Some(Meaning::Attribute(_) | Meaning::Trait(_)) => match Cond::resolve(self, (), &p.name) {
                Resolved::Value(value) => self.value_phrase::<Cond>((), value, p, span),
                _ => None,
            },
            Some(Meaning::Segment(i)) => {
                self.stands_alone(p, "segment")?;
                Some(Tree::opaque(Cond::Rule(RuleId(i as u32)), span))
            }
            Some(Meaning::Stages(i)) => {
                self.events_only(p, "a set of stages")?;
                self.stage_phrase(self.names.stages(i)?, p, span)
            }
            Some(Meaning::List(id)) => {
                self.stands_alone(p, "list")?;
                Some(Tree::opaque(Cond::List(id), span))
            }
            Some(Meaning::Broken) => None,
            Some(Meaning::Campaign) | None => {
                if let Some(place) = self.names.campaign(&p.name.text) {
                    self.report(
                        Diagnostic::new(
                            code::check::CAMPAIGN_AS_CONDITION,
                            p.name.span,
                            format!("`{}` is a campaign, not a condition", p.name.text),
                        )
                        .label("a campaign acts on people; it does not say who they are")
                        .also(place, "declared here")
                        .help("put its condition into a segment, and use the segment in both"),
                    );
                } else {
                    self.unknown_name(&p.name, |_| true);
                }
                None
            }
        }
    }

    /// Refuses what can't follow a name that is yes or no by itself.
    fn stands_alone(&self, p: &Phrase, noun: &str) -> Option<()> {
        let name = &p.name.text;
        self.events_only(p, &format!("a {noun}"))?;
        let (place, help) = match (&p.test, &p.window) {
            (None, None) => return Some(()),
            (Some(t), _) => (t.span, format!("write `{name}` or `not {name}`")),
            (None, Some(w)) => (
                w.span,
                if noun == "segment" {
                    format!("write `{name}` alone; who came in lately is `entered {name} in 30d`")
                } else {
                    format!("write `{name}` alone: a list has no dates")
                },
            ),
        };
        self.report(
            Diagnostic::new(code::check::NO_TEST, place, format!("`{name}` is a {noun}, which is yes or no by itself"))
                .label("nothing can follow it")
                .help(help),
        );
        None
    }

    /// Refuses what belongs to events, on another name.
    fn events_only(&self, p: &Phrase, noun: &str) -> Option<()> {
        let name = &p.name.text;
        if let Some((quantifier, place)) = p.quantifier {
            let word = quantifier_word(quantifier);
            let d = Diagnostic::new(
                code::check::QUANTIFIER_FORM,
                place,
                format!("`{word}` belongs to events, and `{name}` is {noun}"),
            )
            .label("only what happens can be counted or put in order");
            self.report(match quantifier {
                Quantifier::No | Quantifier::Never => {
                    let d = d.help(format!("write `not {name}`"));
                    if noun == "a segment" || noun == "a list" || p.test.is_none() {
                        d.fix("write `not`", vec![(place, "not".to_owned())])
                    } else {
                        d
                    }
                }
                Quantifier::First | Quantifier::Last => d.help(format!("leave out `{word}`")),
            });
            return None;
        }
        if let Some(subject) = &p.subject {
            let d = Diagnostic::new(
                code::check::EVENTS_ONLY,
                subject.span,
                format!("`{name}` is {noun}, which is about nothing further"),
            )
            .label("a subject belongs to an event");
            let one = subject.words.first().map(|w| if w.quoted { format!("\"{}\"", w.text) } else { w.text.clone() });
            self.report(match one {
                Some(w) if noun != "a segment" && noun != "a list" => d.help(format!("did you mean `{name} = {w}`?")),
                _ => d.help(format!("write `{name}` alone, and join more with `and`")),
            });
            return None;
        }
        if let Some((place, word)) =
            p.same.as_ref().map(|s| (s.span, "of same")).or(p.without.as_ref().map(|w| (w.name.span, "without")))
        {
            self.report(
                Diagnostic::new(
                    code::check::EVENTS_ONLY,
                    place,
                    format!("`{word}` belongs to events, and `{name}` is {noun}"),
                )
                .label("compares several events")
                .help("leave it out, or put it behind an event and its count"),
            );
            return None;
        }
        if let Some(filter) = &p.filter {
            self.report(
                Diagnostic::new(
                    code::check::EVENTS_ONLY,
                    filter.span,
                    format!("`where` belongs to events, and `{name}` is {noun}"),
                )
                .label("asks about one event")
                .help("join it with `and`"),
            );
            return None;
        }
        Some(())
    }

    /// An attribute, trait or property with what follows it.
    fn value_phrase<F: Scope>(
        &self,
        place: F::Place,
        value: Typed<'a, F::Value>,
        p: &Phrase,
        span: Span,
    ) -> Option<Tree<F>> {
        self.events_only(p, &format!("{} of a customer or an event", type_noun(value.ty)))?;
        match (&p.test, &p.window) {
            (Some(test), Some(window)) => {
                self.report(
                    Diagnostic::new(
                        code::check::WINDOW_TYPE,
                        window.span,
                        format!("a window behind a comparison of `{}`", value.about.says),
                    )
                    .label("what is compared has no window")
                    .also(test.span, "the comparison")
                    .help("join a second test with `and`, or put the window into the event that it is about"),
                );
                None
            }
            (Some(test), None) => self.test(place, value, test, span),
            (None, Some(window)) => self.windowed(value, window, span),
            (None, None) if value.ty == Type::YesNo => Some(yes(value, span)),
            (None, None) => {
                self.not_a_condition(&value);
                None
            }
        }
    }

    /// A name in a `where`.
    fn property_phrase(&self, p: &Phrase, event: EventId, span: Span) -> Option<Tree<Pred>> {
        if let Some(qualifier) = &p.qualifier {
            let value = Pred::qualified(self, event, qualifier, &p.name)?;
            return self.value_phrase::<Pred>(event, value, p, span);
        }
        match Pred::resolve(self, event, &p.name) {
            Resolved::Value(value) => self.value_phrase::<Pred>(event, value, p, span),
            Resolved::Broken | Resolved::Reported => None,
            Resolved::Other(Meaning::Attribute(_) | Meaning::Trait(_)) => {
                self.customer_in_filter(&p.name);
                None
            }
            Resolved::Other(meaning) => {
                self.not_in_where(span, &format!("{} (`{}`)", meaning.noun(), p.name.text));
                None
            }
            Resolved::Unknown => {
                self.unknown_property(event, &p.name, Pred::value_names(self, event));
                None
            }
        }
    }

    /// `purchased serum or cream`, `purchased serum but not cream`: the last word is a subject and no condition. Gives the parts
    /// that have been reported.
    pub(super) fn subjects_apart(&self, parts: &[&Expr], or: bool) -> Vec<bool> {
        let mut told = vec![false; parts.len()];
        let mut behind: Option<(&Phrase, EventId, usize)> = None;
        for (i, part) in parts.iter().enumerate() {
            if told.get(i) == Some(&true) {
                continue;
            }
            let (negated, inner) = match &part.kind {
                ExprKind::Not(inner) => (true, inner.as_ref()),
                _ => (false, *part),
            };
            let ExprKind::Phrase(p) = &inner.kind else {
                behind = None;
                continue;
            };
            if let Some(Meaning::Event(event)) = self.names.get(&p.name.text) {
                behind = (!negated).then_some((p, event, i));
                continue;
            }
            let Some((before, event, _)) = behind else { continue };
            let alone = p.quantifier.is_none() && p.qualifier.is_none() && p.subject.is_none() && p.filter.is_none();
            // A COUNT may follow a subject; any other test is that of an attribute.
            let compared = p.test.as_ref().is_some_and(|t| {
                !matches!(t.kind, TestKind::Compare { .. } | TestKind::Between { .. } | TestKind::OnPeriods { .. })
            });
            if !alone || compared || !self.is_subject(event, &p.name.text) {
                behind = None;
                continue;
            }
            // Several in a row are one list, and one mistake.
            let rest = parts.get(i + 1..).unwrap_or_default();
            let more = rest.iter().map_while(|e| self.lone_subject(e, event)).collect::<Vec<&str>>();
            for t in told.iter_mut().skip(i + 1).take(if or { more.len() } else { 0 }) {
                *t = true;
            }
            let (event_word, last) = (&before.name.text, &p.name.text);
            let first = before.subject.as_ref().and_then(|s| s.words.first()).map(|w| word(&w.text));
            let d = Diagnostic::new(
                code::check::SUBJECT_LIST,
                inner.span,
                format!("`{last}` is a subject of `{event_word}`, not a condition of its own"),
            )
            .label("no event stands before it")
            .also(before.name.span, "it was probably meant for this event");
            let written = |from: &Phrase| from.filter.is_some() || from.test.is_some() || from.window.is_some();
            self.report(match (or, negated, first) {
                (true, false, Some(first)) => {
                    let all: Vec<String> =
                        std::iter::once(last.as_str()).chain(more.iter().copied()).map(word).collect();
                    let list = format!("({first} or {})", all.join(" or "));
                    let d = d.help(format!("write `{event_word} {list}`"));
                    let end = rest.get(more.len().wrapping_sub(1)).map_or(p.name.span, |e| e.span);
                    match &before.subject {
                        Some(s) if s.words.len() == 1 && !s.parenthesised && !s.other_than && !written(before) => {
                            d.fix("put them into parentheses", vec![(s.span.to(end), list)])
                        }
                        _ => d,
                    }
                }
                (_, true, _) => {
                    let cure = format!("no {event_word} {}", word(last));
                    let joint = if or { "or" } else { "but" };
                    d.help(format!("write `{joint} {cure}`"))
                        .fix(format!("write `{cure}`"), vec![(Span { end: p.name.span.end, ..part.span }, cure)])
                }
                (_, false, _) => {
                    let cure = format!("{event_word} {}", word(last));
                    match before.quantifier {
                        // Neither, not both, or one of them: only who wrote it knows.
                        Some((q @ (Quantifier::No | Quantifier::Never), _)) => {
                            let no = quantifier_word(q);
                            d.help(format!("write `and {no} {cure}` if neither is meant, `and {cure}` otherwise"))
                        }
                        _ => d
                            .help(format!("write `{} {cure}`", if or { "or" } else { "and" }))
                            .fix(format!("write `{cure}`"), vec![(p.name.span, cure)]),
                    }
                }
            });
            if let Some(t) = told.get_mut(i) {
                *t = true;
            }
        }
        told
    }

    /// A word that is nothing but a subject of the event.
    fn lone_subject<'e>(&self, part: &'e Expr, event: EventId) -> Option<&'e str> {
        let ExprKind::Phrase(p) = &part.kind else { return None };
        let alone = p.quantifier.is_none()
            && p.qualifier.is_none()
            && p.subject.is_none()
            && p.filter.is_none()
            && p.test.is_none()
            && p.window.is_none();
        let text = p.name.text.as_str();
        (alone && self.names.get(text).is_none() && self.is_subject(event, text)).then_some(text)
    }

    fn is_subject(&self, event: EventId, word: &str) -> bool {
        self.catalog.event(event).is_some_and(|e| {
            e.subject
                .iter()
                .any(|p| self.known.property(event, *p).is_some_and(|k| k.find(word, false) != Found::Nothing))
        })
    }

    /// `not purchased in 30d` has a word of its own.
    pub(super) fn not_for_no(&self, inner: &Expr, span: Span) {
        let ExprKind::Phrase(p) = &inner.kind else { return };
        let event = matches!(self.names.get(&p.name.text), Some(Meaning::Event(_))) && p.qualifier.is_none();
        // Where the anchor or one of the periods is missing, neither `E …` nor `no E …` holds: they are no complements.
        let window = p.window.as_ref().map(|w| &w.kind);
        let both_false = matches!(window, Some(WindowKind::SinceEvent(_) | WindowKind::EachOfPrevious(..)));
        if !event || p.quantifier.is_some() || p.test.is_some() || both_false {
            return;
        }
        let not = Span { end: inner.span.start, ..span };
        self.report(
            Diagnostic::new(code::check::NOT_FOR_NO, span, format!("`not {0}` is written `no {0}`", p.name.text))
                .label("means that there is none")
                .help(format!("write `no {}`", p.name.text))
                .fix("write `no`", vec![(not, "no ".to_owned())]),
        );
    }
}

/// A yes/no value, which is a condition by itself.
fn yes<F: Scope>(value: Typed<'_, F::Value>, span: Span) -> Tree<F> {
    let domain = value.about.domain;
    let family = format!("{:?}", value.value);
    let formula = F::test(Test::Yes(value.value));
    match domain.compare(Op::Eq, Num::int(1)) {
        Some(set) => Tree::leaf(formula, Fact { family, domain, set, count: None, during: None }, span),
        None => Tree::opaque(formula, span),
    }
}

/// What is asked of a customer, and of no event.
fn of_customers(kind: &ExprKind) -> &'static str {
    match kind {
        ExprKind::Sequence(_) => "a sequence",
        ExprKind::Gathered(_) => "a stretch of time",
        ExprKind::Ranked(_) => "a rank",
        ExprKind::Sample(_) => "`sample`",
        ExprKind::Member(_) | ExprKind::Recorded(_) => "a history",
        _ => "`known for`",
    }
}

pub(super) fn quantifier_word(q: Quantifier) -> &'static str {
    match q {
        Quantifier::No => "no",
        Quantifier::Never => "never",
        Quantifier::First => "first",
        Quantifier::Last => "last",
    }
}
