//! Tests that are no comparison: value lists, tests of text, `has`, windows on dates.

use crate::language::catalog::Type;
use crate::language::diagnostic::{Diagnostic, code};
use crate::language::ir::{Edge, Literal, Op, Test, TextTest, Window};
use crate::language::source::Span;
use crate::language::syntax::ast::{self, Expr, ExprKind, Word};
use crate::language::text::{fold, nfc};

use super::Checker;
use super::compare::{fact, sample_test};
use super::facts::Fact;
use super::tree::{Node, Tree};
use super::values::{Scope, Typed, Written, plainest, type_noun};
use super::window::On;
use super::words::word_of;

impl<'a> Checker<'a> {
    pub(super) fn one_of<F: Scope>(
        &self,
        left: Typed<'a, F::Value>,
        words: &[Expr],
        negated: bool,
        span: Span,
    ) -> Option<Tree<F>> {
        if left.ty == Type::TextList {
            let cure = words.iter().filter_map(listed_word).map(|w| format!("{} has {w}", left.about.says));
            let cure: Vec<String> = cure.take(3).collect();
            self.report(
                Diagnostic::new(code::check::LIST_TEST, span, format!("`{}` is a list of its own", left.about.says))
                    .label("a list is not in a list")
                    .help(format!("write `{}`", cure.join(" or "))),
            );
            return None;
        }
        let mut literals: Vec<Literal> = Vec::new();
        let mut days: Vec<Tree<F>> = Vec::new();
        let mut texts: Vec<String> = Vec::new();
        let mut failed = false;
        for expr in words {
            let mut inner = expr;
            while let ExprKind::Paren(e) = &inner.kind {
                inner = e;
            }
            let (written, quoted) = match &inner.kind {
                ExprKind::Phrase(p) => (Written::Text(p.name.text.clone()), false),
                ExprKind::Text(t) => (Written::Text(nfc(t)), true),
                ExprKind::Number(n) => (Written::Num(plainest(*n)), true),
                ExprKind::Percent(n) => (Written::Percent(plainest(*n)), true),
                ExprKind::Date(d) => (Written::Date(*d), true),
                ExprKind::Instant(i) => (Written::Instant(*i), true),
                ExprKind::Error => {
                    failed = true;
                    continue;
                }
                _ => {
                    self.report(
                        Diagnostic::new(
                            code::check::NOT_A_VALUE,
                            expr.span,
                            "only constants can stand in a list of values",
                        )
                        .label("not a constant")
                        .help("compare it by `=`, joined with `or`"),
                    );
                    failed = true;
                    continue;
                }
            };
            match (left.ty, &written) {
                (Type::Text, Written::Text(t)) => match self.texts(&left, t, quoted, expr.span) {
                    Some(found) => {
                        for t in found {
                            if !texts.contains(&t) {
                                texts.push(t);
                            }
                        }
                    }
                    None => failed = true,
                },
                (Type::Instant, Written::Date(d)) => {
                    let day = Window { start: Some(Edge::StartOfDay(*d)), end: Some(Edge::EndOfDay(*d)) };
                    days.push(during(left.clone(), day, expr.span));
                }
                _ => match self.fit(&left, &written, expr.span) {
                    Some(literal) => {
                        if !literals.contains(&literal) {
                            literals.push(literal);
                        }
                    }
                    None => failed = true,
                },
            }
        }
        if failed {
            return None;
        }
        if left.ty == Type::Text {
            return Some(among_texts(left, texts, negated, span));
        }
        if !days.is_empty() {
            if !literals.is_empty() {
                days.push(Tree::opaque(
                    F::test(Test::OneOf { value: left.value, among: literals, negated: false }),
                    span,
                ));
            }
            let any = Tree { node: Node::Or(days), span };
            return Some(if negated { any.not(span) } else { any });
        }
        let value = left.value.clone();
        Some(Tree::opaque(F::test(Test::OneOf { value, among: literals, negated }), span))
    }

    pub(super) fn text_test<F: Scope>(
        &self,
        left: Typed<'a, F::Value>,
        how: TextTest,
        word: &Word,
        span: Span,
    ) -> Option<Tree<F>> {
        let says = &left.about.says;
        if left.ty != Type::Text {
            let d = Diagnostic::new(
                if left.ty == Type::TextList { code::check::LIST_TEST } else { code::check::TEXT_TEST },
                span,
                format!("`{says}` is {}, not text", type_noun(left.ty)),
            );
            self.report(if left.ty == Type::TextList {
                d.label("a list has things").help(format!("write `{says} has {}`", word_of(word)))
            } else {
                d.label("a test of text").help(format!("compare it, for example `{says} {}`", sample_test(left.ty)))
            });
            return None;
        }
        if word.text.is_empty() {
            self.report(
                Diagnostic::new(code::check::EMPTY_TEXT, word.span, "every text contains empty text")
                    .label("nothing is asked")
                    .help(format!("write `{says} is known`")),
            );
            return None;
        }
        let pattern = if left.about.fold { fold(&word.text) } else { nfc(&word.text) };
        let fold = left.about.fold;
        Some(Tree::opaque(F::test(Test::Text { value: left.value, how, pattern, fold }), span))
    }

    pub(super) fn has<F: Scope>(&self, left: Typed<'a, F::Value>, word: &Word, span: Span) -> Option<Tree<F>> {
        if left.ty != Type::TextList {
            let says = &left.about.says;
            let cure = if left.ty == Type::Text {
                format!("write `{says} = {0}` or `{says} contains {0}`", word_of(word))
            } else {
                format!("compare it, for example `{says} {}`", sample_test(left.ty))
            };
            self.report(
                Diagnostic::new(
                    code::check::LIST_TEST,
                    span,
                    format!("`{says}` is {}, not a list", type_noun(left.ty)),
                )
                .label("only a list has things")
                .help(cure),
            );
            return None;
        }
        let among = self.texts(&left, &nfc(&word.text), word.quoted, word.span)?;
        Some(Tree::opaque(F::test(Test::Has { value: left.value, among }), span))
    }

    /// A window laid on a value.
    pub(super) fn windowed<F: Scope>(
        &self,
        left: Typed<'a, F::Value>,
        window: &ast::Window,
        span: Span,
    ) -> Option<Tree<F>> {
        let on = match left.ty {
            Type::Date => On::Dates,
            Type::Instant => On::Instants,
            ty => {
                self.report(
                    Diagnostic::new(
                        code::check::WINDOW_TYPE,
                        window.span,
                        format!("a window on `{}`, which is {}", left.about.says, type_noun(ty)),
                    )
                    .label("only events, dates and instants take a window")
                    .help("put the window behind the event that it is about, or leave it out"),
                );
                return None;
            }
        };
        if let ast::WindowKind::Ever = window.kind {
            self.report(
                Diagnostic::new(code::check::WINDOW_TYPE, window.span, "`ever` asks nothing of a date")
                    .label("every known date is ever")
                    .help(format!("write `{} is known`", left.about.says))
                    .fix("write `is known`", vec![(window.span, "is known".to_owned())]),
            );
            return None;
        }
        let edges = self.window(window, on)?;
        Some(during(left, edges, span))
    }

    /// `anniversary of birth_date within 7d`
    pub(super) fn anniversary<F: Scope>(&self, place: F::Place, a: &ast::Anniversary, span: Span) -> Option<Tree<F>> {
        let value = match &a.qualifier {
            Some(qualifier) => F::qualified(self, place, qualifier, &a.name),
            None => self.value_named_here::<F>(place, &a.name),
        };
        // It falls on a day, whatever the time of day of the first.
        let window = match &a.window {
            Some(written) => Some((self.window(written, On::Dates)?, written.span)),
            None => None,
        };
        let value = value?;
        let says = &value.about.says;
        if !matches!(value.ty, Type::Date | Type::Instant) {
            self.report(
                Diagnostic::new(
                    code::check::ANNIVERSARY,
                    a.name.span,
                    format!("`{says}` is {}, which has no anniversary", type_noun(value.ty)),
                )
                .label("not a date")
                .help("use a date or an instant"),
            );
            return None;
        }
        match window {
            Some((window, _)) if window.start.is_some() && window.end.is_some() => {
                Some(Tree::opaque(F::test(Test::Anniversary { value: value.value, window }), span))
            }
            other => {
                let (place, label) = match other {
                    Some((_, place)) => (place, "a time without end has them all"),
                    None => (span, "in which time?"),
                };
                self.report(
                    Diagnostic::new(code::check::ANNIVERSARY, place, "an anniversary comes every year")
                        .label(label)
                        .help(format!(
                            "write `anniversary of {says} within 7d`, or another window with a beginning and an end"
                        )),
                );
                None
            }
        }
    }
}

/// `value = one of these texts`
pub(super) fn among_texts<F: Scope>(
    left: Typed<'_, F::Value>,
    texts: Vec<String>,
    negated: bool,
    span: Span,
) -> Tree<F> {
    let domain = left.about.domain;
    let set = domain.texts(texts.iter().cloned());
    let set = if negated { domain.complement(&set) } else { set };
    let fact = fact(&left, set);
    let test = match <[String; 1]>::try_from(texts) {
        Ok([text]) => Test::Compare {
            left: left.value,
            op: if negated { Op::Ne } else { Op::Eq },
            right: F::literal(Literal::Text(text)),
        },
        Err(texts) => Test::OneOf { value: left.value, among: texts.into_iter().map(Literal::Text).collect(), negated },
    };
    Tree::leaf(F::test(test), fact, span)
}

pub(super) fn during<F: Scope>(left: Typed<'_, F::Value>, window: Window, span: Span) -> Tree<F> {
    let family = format!("{:?} in {window:?}", left.value);
    let fact = Fact { during: Some((format!("{:?}", left.value), window)), ..Fact::opaque(family) };
    Tree::leaf(F::test(Test::During { value: left.value, window }), fact, span)
}

pub(super) fn listed_word(expr: &Expr) -> Option<String> {
    match &expr.kind {
        ExprKind::Phrase(p) => Some(p.name.text.clone()),
        ExprKind::Text(t) => Some(format!("\"{t}\"")),
        _ => None,
    }
}
