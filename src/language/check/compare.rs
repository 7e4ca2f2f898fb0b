//! Tests: what may be compared with what, and what it means.

use crate::language::catalog::Type;
use crate::language::diagnostic::{Diagnostic, code};
use crate::language::ir::{Edge, Literal, Op, Test, TextTest, Window};
use crate::language::source::Span;
use crate::language::syntax::ast::{self, Expr, ExprKind, Name, TestKind, Word};
use crate::language::text::{fold, nfc};

use super::Checker;
use super::facts::{Fact, date_step};
use super::known::Found;
use super::names::Meaning;
use super::suggest::{alternatives, some_of};
use super::tree::Tree;
use super::values::{Resolved, Scope, Side, Typed, Written, type_noun};
use super::window::{On, date_text};

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

    /// A bare name that must be a value.
    pub(super) fn value_named_here<F: Scope>(&self, place: F::Place, name: &Name) -> Option<Typed<'a, F::Value>> {
        match F::resolve(self, place, name) {
            Resolved::Value(v) => Some(v),
            Resolved::Broken | Resolved::Reported => None,
            Resolved::Other(meaning) => {
                self.other_than_value(name, meaning);
                None
            }
            Resolved::Unknown => {
                self.unknown_name(name, |m| matches!(m, Meaning::Attribute(_) | Meaning::Trait(_)));
                None
            }
        }
    }

    fn other_than_value(&self, name: &Name, meaning: Meaning) {
        let text = &name.text;
        let d = Diagnostic::new(
            code::check::NOT_A_VALUE,
            name.span,
            format!("`{text}` is {}, not a value", meaning.noun()),
        );
        self.report(match meaning {
            Meaning::Event(_) => d
                .label("a value is compared with this")
                .help(format!("write `count({text})` for their number, `days since last {text}` for their age")),
            _ => d
                .label("a value is compared with this")
                .help("compare with a number, a date, a text, an attribute or a trait"),
        });
    }

    /// A bare word right of a comparison: a known value of the left side, else a value's name, else text.
    fn word<F: Scope>(
        &self,
        place: F::Place,
        left: &Typed<'a, F::Value>,
        op: Op,
        name: &Name,
    ) -> Option<Side<'a, F::Value>> {
        let text = &name.text;
        let named = F::resolve(self, place, name);
        if let Resolved::Reported = named {
            return None;
        }
        if left.ty == Type::Text {
            let found = left.about.known.map_or(Found::Nothing, |k| k.find(text, false));
            return match (found, named) {
                (Found::One(_) | Found::Several(_), Resolved::Value(_)) => {
                    self.report(
                        Diagnostic::new(
                            code::check::VALUE_OR_NAME,
                            name.span,
                            format!("`{text}` is a known value of `{}` and a name of this project", left.about.says),
                        )
                        .label("it could be either")
                        .help(format!("write `\"{text}\"` for the value, or `customer.{text}` for the name"))
                        .fix("take the value", vec![(name.span, format!("\"{text}\""))]),
                    );
                    None
                }
                (Found::Nothing, Resolved::Value(v)) => Some(Side::Value(v)),
                (Found::Nothing, Resolved::Broken) => None,
                _ => Some(Side::Constant(Written::Text(text.clone()))),
            };
        }
        match named {
            Resolved::Value(v) => Some(Side::Value(v)),
            Resolved::Broken | Resolved::Reported => None,
            Resolved::Other(meaning) => {
                self.other_than_value(name, meaning);
                None
            }
            Resolved::Unknown if left.ty == Type::YesNo => {
                let says = &left.about.says;
                let yes = matches!(text.to_lowercase().as_str(), "yes" | "true" | "y");
                let cure = if yes == (op == Op::Eq) { says.clone() } else { format!("not {says}") };
                self.report(
                    Diagnostic::new(code::check::YES_NO_TEST, name.span, format!("`{says}` is yes or no by itself"))
                        .label("nothing to compare with")
                        .help(format!("write `{cure}`")),
                );
                None
            }
            Resolved::Unknown if left.ty == Type::TextList => {
                self.list_compared(left, &format!("has {text}"), name.span);
                None
            }
            Resolved::Unknown => {
                let d = Diagnostic::new(
                    code::check::TYPE_MISMATCH,
                    name.span,
                    format!("`{}` is {}, and `{text}` is none", left.about.says, type_noun(left.ty)),
                )
                .label("neither a constant of this type nor a name");
                let near = self.nearest(text, F::value_names(self, place)).map(str::to_owned);
                self.report(match near {
                    Some(near) => d
                        .help(format!("did you mean `{near}`?"))
                        .fix(format!("write `{near}`"), vec![(name.span, near)]),
                    None => d.help(format!("compare it with {}, for example {}", type_noun(left.ty), example(left.ty))),
                });
                None
            }
        }
    }

    fn list_compared<V>(&self, left: &Typed<'a, V>, cure: &str, span: Span) {
        self.report(
            Diagnostic::new(
                code::check::LIST_TEST,
                span,
                format!("`{}` is a list, which can't be compared", left.about.says),
            )
            .label("a list has things")
            .help(format!("write `{} {cure}`", left.about.says)),
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
            self.list_compared(list, "has …", span);
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
            self.list_compared(&left, &format!("has {}", shown(written)), right_span);
            return None;
        }
        match (left.ty, written) {
            (Type::Text, Written::Text(text)) => {
                if !matches!(op, Op::Eq | Op::Ne) {
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
                    Literal::Instant(i) => left.about.domain.compare(op, crate::language::num::Num::int(*i)),
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
    fn fit<V>(&self, left: &Typed<'a, V>, written: &Written, span: Span) -> Option<Literal> {
        let says = &left.about.says;
        let literal = match (left.ty, written) {
            (Type::Integer | Type::Money { .. } | Type::Number, Written::Num(n)) => Literal::Num(*n),
            (Type::Number, Written::Percent(n)) => {
                if n.compare(crate::language::num::Num::int(1)).is_gt() {
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
            (Type::Text, Written::Num(_) | Written::Date(_)) => replace(d, format!("\"{}\"", shown(written))),
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

    /// The texts that a word or quoted text stands for: a known value with what nests inside it, or the text itself.
    fn texts<V>(&self, left: &Typed<'a, V>, text: &str, quoted: bool, span: Span) -> Option<Vec<String>> {
        let about = &left.about;
        if text.is_empty() && !about.empty_is_value {
            self.report(
                Diagnostic::new(
                    code::check::EMPTY_TEXT,
                    span,
                    format!("empty text in `{}` counts as missing", about.says),
                )
                .label("nothing is ever equal to this")
                .help(format!("write `{0} is unknown` or `{0} is known`", about.says)),
            );
            return None;
        }
        let fitted = |texts: Vec<&str>| {
            let mut all: Vec<String> = Vec::with_capacity(texts.len());
            for t in texts {
                let t = if about.fold { fold(t) } else { nfc(t) };
                if !all.contains(&t) {
                    all.push(t);
                }
            }
            all
        };
        let Some(known) = about.known else { return Some(fitted(vec![text])) };
        let mut found = known.find(text, quoted);
        if found == Found::Nothing && about.fold {
            found = match known.find(&fold(text), false) {
                Found::One(i) if fold(known.text(i)) == fold(text) => Found::One(i),
                _ => Found::Nothing,
            };
        }
        match found {
            Found::One(i) => Some(fitted(known.expand(i))),
            Found::Several(several) => {
                let names: Vec<String> = several.iter().map(|i| format!("\"{}\"", known.text(*i))).collect();
                self.report(
                    Diagnostic::new(
                        code::check::AMBIGUOUS_SPELLING,
                        span,
                        format!("`{text}` could be any of several known values of `{}`", about.says),
                    )
                    .label("differs from each of them in case or accents only")
                    .help(format!("write {}", alternatives(&names))),
                );
                None
            }
            Found::Nothing if known.closed() => {
                if about.hour_or_weekday {
                    let days = some_of(known.texts());
                    let d = Diagnostic::new(code::check::HOUR_OR_WEEKDAY, span, format!("`{text}` is no weekday"));
                    self.report(d.label("not a day of the week").help(format!("weekdays are {days}")));
                    return None;
                }
                let d = Diagnostic::new(
                    code::check::UNKNOWN_VALUE,
                    span,
                    format!("`{}` has no value `{text}`", about.says),
                )
                .label("not one of its known values");
                self.report(match self.nearest(text, known.words()) {
                    Some(near) => d
                        .help(format!("did you mean `{near}`?"))
                        .fix(format!("write `{near}`"), vec![(span, word(near))]),
                    None => {
                        d.help(format!("it has {}; add others in `{}`", some_of(known.texts()), self.options.catalog))
                    }
                });
                None
            }
            Found::Nothing => {
                let d = Diagnostic::new(
                    code::check::UNSEEN_VALUE,
                    span,
                    format!("`{text}` is not among the known values of `{}`", about.says),
                )
                .label("taken as it is written");
                self.report(match self.nearest(text, known.words()) {
                    Some(near) => d
                        .help(format!("did you mean `{near}`?"))
                        .fix(format!("write `{near}`"), vec![(span, word(near))]),
                    None => d.help(format!("if it is right, add it in `{}`", self.options.catalog)),
                });
                Some(fitted(vec![text]))
            }
        }
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
                return None;
            }
            Fact { set, ..fact_a }
        } else {
            Fact::opaque(format!("{a:?}&{b:?}"))
        };
        Some(Tree::leaf(F::and(vec![a, b]), fact, span))
    }

    fn one_of<F: Scope>(
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
                ExprKind::Number(n) => (Written::Num(super::values::plainest(*n)), true),
                ExprKind::Percent(n) => (Written::Percent(super::values::plainest(*n)), true),
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
            let any = Tree { node: super::tree::Node::Or(days), span };
            return Some(if negated { any.not(span) } else { any });
        }
        let value = left.value.clone();
        Some(Tree::opaque(F::test(Test::OneOf { value, among: literals, negated }), span))
    }

    fn text_test<F: Scope>(
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

    fn has<F: Scope>(&self, left: Typed<'a, F::Value>, word: &Word, span: Span) -> Option<Tree<F>> {
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
}

/// The tests of one value share a family.
fn fact<V: std::fmt::Debug>(left: &Typed<'_, V>, set: super::facts::Set) -> Fact {
    Fact { family: format!("{:?}", left.value), domain: left.about.domain, set, count: None, during: None }
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

fn during<F: Scope>(left: Typed<'_, F::Value>, window: Window, span: Span) -> Tree<F> {
    let family = format!("{:?} in {window:?}", left.value);
    let fact = Fact { during: Some((format!("{:?}", left.value), window)), ..Fact::opaque(family) };
    Tree::leaf(F::test(Test::During { value: left.value, window }), fact, span)
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

fn listed_word(expr: &Expr) -> Option<String> {
    match &expr.kind {
        ExprKind::Phrase(p) => Some(p.name.text.clone()),
        ExprKind::Text(t) => Some(format!("\"{t}\"")),
        _ => None,
    }
}

/// A text as it would be written as a value.
pub(super) fn word(text: &str) -> String {
    crate::language::syntax::quote(text)
}

fn word_of(w: &Word) -> String {
    if w.quoted { format!("\"{}\"", w.text) } else { w.text.clone() }
}

fn shown(written: &Written) -> String {
    match written {
        Written::Num(n) => n.to_string(),
        Written::Percent(n) => format!("{}%", n.to_f64() * 100.0),
        Written::Text(t) => word(t),
        Written::Date(d) => date_text(*d),
        Written::Instant(i) => format!("{}T{:02}:{:02}", date_text(i.date), i.hour, i.minute),
    }
}

fn example(ty: Type) -> &'static str {
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
