//! Tests: what may be compared with what, and what it means.

use crate::language::catalog::Type;
use crate::language::diagnostic::{Diagnostic, code};
use crate::language::ir::{Edge, Literal, Op, Test, Window};
use crate::language::num::Num;
use crate::language::source::Span;
use crate::language::syntax::ast::{self, Expr, ExprKind, TestKind};
use crate::language::text::fold;

use super::Checker;
use super::facts::{Fact, date_step};
use super::sets::{among_texts, during};
use super::tree::Tree;
use super::values::{Part, Scope, Side, Typed, Written, type_noun};
use super::window::{On, date_text};
use super::words::shown;

impl<'a> Checker<'a> {
    /// A value and what is asked of it.
    pub(super) fn test<F: Scope>(
        &self,
        place: F::Place,
        left: Typed<'a, F::Value>,
        test: &ast::Test,
        span: Span,
    ) -> Option<Tree<F>> {
        match &test.kind {
            TestKind::Compare { op, right } => self.compare(place, left, *op, right, span),
            TestKind::Between { low, high } => self.between(place, left, low, high, span),
            TestKind::OneOf { words, negated } => self.one_of(left, words, *negated, span),
            TestKind::Text { how, word } => self.text_test(left, *how, word, span),
            TestKind::Has(word) => self.has(left, word, span),
            TestKind::Known { negated } => {
                let fact = fact(&left, left.about.domain.known());
                let known = Tree::leaf(F::test(Test::Known(left.value)), fact, span);
                Some(if *negated { known.not(span) } else { known })
            }
            TestKind::OnPeriods { .. } => {
                self.report(
                    Diagnostic::new(
                        code::check::EVENTS_ONLY,
                        test.span,
                        "days, weeks and months are counted for events only",
                    )
                    .label(format!("`{}` is no event", left.about.says))
                    .help("write `EVENT on ≥ 3 days`, or compare the value"),
                );
                None
            }
        }
    }

    fn compare<F: Scope>(
        &self,
        place: F::Place,
        left: Typed<'a, F::Value>,
        op: Op,
        right: &Expr,
        span: Span,
    ) -> Option<Tree<F>> {
        match self.side::<F>(place, right)? {
            Side::Word(name) => match self.word::<F>(place, &left, op, &name)? {
                Side::Value(right) => self.compare_values(left, op, right, span),
                Side::Constant(written) => self.compare_constant(left, op, &written, false, right.span, span),
                Side::Word(_) => None,
            },
            Side::Value(right) => self.compare_values(left, op, right, span),
            Side::Constant(written) => self.compare_constant(left, op, &written, true, right.span, span),
        }
    }

    /// A constant left of a comparison: the comparison is turned round.
    pub(super) fn compare_reversed<F: Scope>(
        &self,
        place: F::Place,
        left: &Written,
        left_span: Span,
        test: &ast::Test,
        span: Span,
    ) -> Option<Tree<F>> {
        let TestKind::Compare { op, right } = &test.kind else {
            self.report(
                Diagnostic::new(code::check::CONSTANTS, span, "a constant is tested")
                    .label("this never changes")
                    .help("put an attribute, a trait or a calculation left of the test"),
            );
            return None;
        };
        let mirrored = match op {
            Op::Lt => Op::Gt,
            Op::Le => Op::Ge,
            Op::Gt => Op::Lt,
            Op::Ge => Op::Le,
            same => *same,
        };
        let value = match self.side::<F>(place, right)? {
            Side::Value(value) => value,
            Side::Word(name) => self.value_named_here::<F>(place, &name)?,
            Side::Constant(_) => {
                self.report(
                    Diagnostic::new(code::check::CONSTANTS, span, "two constants are compared")
                        .label("this never changes")
                        .help("put an attribute, a trait or a calculation on one side"),
                );
                return None;
            }
        };
        self.compare_constant(value, mirrored, left, true, left_span, span)
    }

    pub(super) fn list_compared<V>(&self, left: &Typed<'a, V>, cure: &str, not: bool, span: Span) {
        let not = if not { "not " } else { "" };
        self.report(
            Diagnostic::new(
                code::check::LIST_TEST,
                span,
                format!("`{}` is a list, which can't be compared", left.about.says),
            )
            .label("a list has things")
            .help(format!("write `{not}{} {cure}`", left.about.says)),
        );
    }

    /// Two values.
    fn compare_values<F: Scope>(
        &self,
        left: Typed<'a, F::Value>,
        op: Op,
        right: Typed<'a, F::Value>,
        span: Span,
    ) -> Option<Tree<F>> {
        let alike = (left.is_number() && right.is_number())
            || (left.ty == right.ty && !matches!(left.ty, Type::TextList))
            || (left.ty == right.ty && left.ty == Type::YesNo);
        let d = if left.ty == Type::TextList || right.ty == Type::TextList {
            let list = if left.ty == Type::TextList { &left } else { &right };
            self.list_compared(list, "has …", op == Op::Ne, span);
            return None;
        } else if !alike {
            Diagnostic::new(
                code::check::TYPE_MISMATCH,
                span,
                format!("{} is compared with {}", type_noun(left.ty), type_noun(right.ty)),
            )
            .label(format!(
                "`{}` is {}, `{}` is {}",
                left.about.says,
                type_noun(left.ty),
                right.about.says,
                type_noun(right.ty)
            ))
            .help("compare two values of one type")
        } else if left.ty == Type::YesNo && !matches!(op, Op::Eq | Op::Ne) {
            Diagnostic::new(code::check::YES_NO_TEST, span, "yes and no have no order")
                .label("compared by size")
                .help("use `=` or `≠`")
        } else if left.value == right.value {
            Diagnostic::new(code::check::CONSTANTS, span, format!("`{}` is compared with itself", left.about.says))
                .label("this never changes")
                .help("put something else on one side")
        } else {
            let formula = F::test(Test::Compare { left: left.value, op, right: right.value });
            return Some(Tree::opaque(formula, span));
        };
        self.report(d);
        None
    }

    /// A value and a constant. `fixed`: quoted or otherwise no bare word.
    fn compare_constant<F: Scope>(
        &self,
        left: Typed<'a, F::Value>,
        op: Op,
        written: &Written,
        fixed: bool,
        right_span: Span,
        span: Span,
    ) -> Option<Tree<F>> {
        if left.ty == Type::TextList {
            let cure = format!("has {}", shown(written));
            self.list_compared(&left, &cure, op == Op::Ne, right_span);
            return None;
        }
        match (left.ty, written) {
            (Type::Text, Written::Text(text)) => {
                if !matches!(op, Op::Eq | Op::Ne) {
                    self.order_of_texts(&left, span);
                    let text = if left.about.fold { fold(text) } else { text.clone() };
                    let right = F::literal(Literal::Text(text));
                    return Some(Tree::opaque(F::test(Test::Compare { left: left.value, op, right }), span));
                }
                let among = self.texts(&left, text, fixed, right_span)?;
                Some(among_texts(left, among, op == Op::Ne, span))
            }
            (Type::Instant, Written::Date(d)) => {
                let (start, end) = match op {
                    Op::Eq | Op::Ne => (Some(Edge::StartOfDay(*d)), Some(Edge::EndOfDay(*d))),
                    Op::Lt => (None, Some(Edge::StartOfDay(*d))),
                    Op::Le => (None, Some(Edge::EndOfDay(*d))),
                    Op::Gt => (Some(Edge::EndOfDay(*d)), None),
                    Op::Ge => (Some(Edge::StartOfDay(*d)), None),
                };
                let tree = during(left, Window { start, end }, span);
                Some(if op == Op::Ne { tree.not(span) } else { tree })
            }
            _ => {
                let literal = self.fit(&left, written, right_span)?;
                let set = match &literal {
                    Literal::Num(n) => left.about.domain.compare(op, *n),
                    Literal::Date(d) => left.about.domain.compare(op, date_step(*d)),
                    Literal::Instant(i) => left.about.domain.compare(op, Num::int(*i)),
                    _ => None,
                };
                let family = set.map(|set| fact(&left, set));
                let formula = F::test(Test::Compare { left: left.value, op, right: F::literal(literal) });
                Some(match family {
                    Some(fact) => Tree::leaf(formula, fact, span),
                    None => Tree::opaque(formula, span),
                })
            }
        }
    }

    /// A constant as a literal of the left side's type.
    pub(super) fn fit<V>(&self, left: &Typed<'a, V>, written: &Written, span: Span) -> Option<Literal> {
        let says = &left.about.says;
        let literal = match (left.ty, written) {
            (Type::Integer | Type::Money { .. } | Type::Number, Written::Num(n)) => {
                if left.about.part == Part::Share && n.compare(Num::int(1)).is_gt() {
                    self.report(
                        Diagnostic::new(
                            code::check::TYPE_MISMATCH,
                            span,
                            format!("`{says}` is a share, from 0% to 100%"),
                        )
                        .label("the number 1 is `100%`")
                        .help(format!("write `{n}%`"))
                        .fix(format!("write `{n}%`"), vec![(span, format!("{n}%"))]),
                    );
                    return None;
                }
                Literal::Num(*n)
            }
            (Type::Number, Written::Percent(n)) => {
                if left.about.part == Part::No && n.compare(Num::int(1)).is_gt() {
                    self.report(
                        Diagnostic::new(code::check::SHARE_OVER_100, span, "a percentage over 100")
                            .label("`100%` is the number 1")
                            .help("if it is meant so, write the number without `%`"),
                    );
                }
                Literal::Num(*n)
            }
            (Type::Date, Written::Date(d)) => Literal::Date(*d),
            (Type::Instant, Written::Instant(i)) => Literal::Instant(self.zone.instant(*i)),
            (Type::Text, Written::Text(t)) => Literal::Text(t.clone()),
            _ => {
                self.report(self.mismatch(left, written, span));
                return None;
            }
        };
        if left.about.hour_or_weekday
            && let Literal::Num(n) = &literal
            && left.about.domain.compare(Op::Eq, *n).is_none_or(|s| s.is_empty())
        {
            self.report(
                Diagnostic::new(code::check::HOUR_OR_WEEKDAY, span, format!("`{says}` is a whole number from 0 to 23"))
                    .label("no hour of the day")
                    .help("hours begin at 0: one in the afternoon is 13"),
            );
            return None;
        }
        Some(literal)
    }

    /// What to say where the types do not meet.
    fn mismatch<V>(&self, left: &Typed<'a, V>, written: &Written, span: Span) -> Diagnostic {
        let says = &left.about.says;
        if left.ty == Type::YesNo {
            return Diagnostic::new(code::check::YES_NO_TEST, span, format!("`{says}` is yes or no by itself"))
                .label("nothing to compare with")
                .help(format!("write `{says}` or `not {says}`"));
        }
        let what = match written {
            Written::Num(_) => "a number",
            Written::Percent(_) => "a percentage",
            Written::Text(_) => "a text",
            Written::Date(_) => "a date",
            Written::Instant(_) => "an instant",
        };
        let d = Diagnostic::new(
            code::check::TYPE_MISMATCH,
            span,
            format!("`{says}` is {}, and this is {what}", type_noun(left.ty)),
        )
        .label(format!("{what} here"));
        let replace = |d: Diagnostic, text: String| {
            d.help(format!("write `{text}`")).fix(format!("write `{text}`"), vec![(span, text)])
        };
        match (left.ty, written) {
            (Type::Text, Written::Num(_) | Written::Date(_)) => {
                let text = format!("\"{}\"", shown(written));
                replace(d, text.clone())
                    .help(format!("write `{text}` if this very text is meant; a text is never more or less"))
            }
            (Type::Date, Written::Instant(i)) => replace(d, date_text(i.date)),
            (Type::Integer | Type::Money { .. } | Type::Number, Written::Text(t)) if t.parse::<f64>().is_ok() => {
                replace(d, t.clone())
            }
            (Type::Date | Type::Instant, Written::Text(t)) if crate::language::calendar::parse_date(t).is_some() => {
                replace(d, t.clone())
            }
            (ty, _) => d.help(format!("compare it with {}, for example {}", type_noun(ty), example(ty))),
        }
    }

    /// `tier ≥ silver`: whoever listed the values in an order meant that order, and it is not what is compared.
    fn order_of_texts<V>(&self, left: &Typed<'a, V>, span: Span) {
        if left.about.known.is_none() {
            return;
        }
        let says = &left.about.says;
        self.report(
            Diagnostic::new(
                code::check::ORDER_OF_TEXTS,
                span,
                format!("`{says}` is compared letter by letter, not in the order of its known values"),
            )
            .label("`gold` comes before `silver`")
            .help(format!("name the values: `{says} in (…)`")),
        );
    }

    fn between<F: Scope>(
        &self,
        place: F::Place,
        left: Typed<'a, F::Value>,
        low: &Expr,
        high: &Expr,
        span: Span,
    ) -> Option<Tree<F>> {
        if let (Type::Date | Type::Instant, Some(a), Some(b)) = (left.ty, moment(low), moment(high)) {
            let on = if left.ty == Type::Date { On::Dates } else { On::Instants };
            let window = self.between_moments(&a, &b, on)?;
            return Some(during(left, window, span));
        }
        let errors = self.diagnostics.borrow().len();
        let from = self.compare::<F>(place, left.clone(), Op::Ge, low, span);
        let to = if self.diagnostics.borrow().len() == errors || from.is_some() {
            self.compare::<F>(place, left.clone(), Op::Le, high, span)
        } else {
            None
        };
        let (from, to) = (from?, to?);
        self.joined(left.about.says, from, to, span)
    }

    /// Both ends of a `between` as one test.
    pub(super) fn joined<F: Scope>(&self, says: String, from: Tree<F>, to: Tree<F>, span: Span) -> Option<Tree<F>> {
        use super::tree::Node::Leaf;
        let (Leaf(a, fact_a), Leaf(b, fact_b)) = (from.node, to.node) else { return None };
        let fact = if fact_a.family == fact_b.family && fact_a.domain == fact_b.domain {
            let set = fact_a.set.intersect(&fact_b.set);
            if set.is_empty() && !fact_a.never() && !fact_b.never() {
                self.report(
                    Diagnostic::new(code::check::NEVER_HOLDS, span, format!("`{says}` is never between these two"))
                        .label("nothing is at least the first and at most the second")
                        .help("write the smaller one first"),
                );
                // It has been told; the prover need not know.
                Fact::opaque(format!("{a:?}&{b:?}"))
            } else {
                Fact { set, ..fact_a }
            }
        } else {
            Fact::opaque(format!("{a:?}&{b:?}"))
        };
        Some(Tree::leaf(F::and(vec![a, b]), fact, span))
    }
}

/// The tests of one value share a family.
pub(super) fn fact<V: std::fmt::Debug>(left: &Typed<'_, V>, set: super::facts::Set) -> Fact {
    Fact { family: format!("{:?}", left.value), domain: left.about.domain, set, count: None, during: None }
}

/// A date or instant that is written as an expression.
pub(super) fn moment(expr: &Expr) -> Option<ast::Moment> {
    let kind = match &expr.kind {
        ExprKind::Date(d) => ast::MomentKind::Date(*d),
        ExprKind::Instant(i) => ast::MomentKind::Instant(*i),
        ExprKind::Paren(inner) => return moment(inner),
        _ => return None,
    };
    Some(ast::Moment { kind, span: expr.span })
}

pub(super) fn example(ty: Type) -> &'static str {
    match ty {
        Type::Text => "`\"some text\"`",
        Type::Integer => "`3`",
        Type::Money { .. } => "`49.90`",
        Type::Number => "`2.5`",
        Type::YesNo => "another yes/no value",
        Type::Date => "`2026-11-21`",
        Type::Instant => "`2026-11-21T08:00`",
        Type::TextList => "`has vip`",
    }
}

pub(super) fn sample_test(ty: Type) -> &'static str {
    match ty {
        Type::Text => "= \"…\"",
        Type::Integer => "≥ 3",
        Type::Money { .. } => "≥ 49.90",
        Type::Number => "≥ 2.5",
        Type::YesNo => "",
        Type::Date | Type::Instant => "in 30d",
        Type::TextList => "has …",
    }
}
