//! Tests: what follows a value and makes it a condition. Counts are tests too.

use super::window::{only, unit_word};
use super::*;

impl Builder<'_> {
    pub(super) fn test(&mut self, pair: Pair, span: Span) -> Option<TestKind> {
        match pair.as_rule() {
            Rule::compare => self.compare(pair, span),
            Rule::at_least | Rule::exactly => self.at_least(pair),
            Rule::on_periods => self.on_periods(pair, span),
            Rule::one_of => {
                let mut negated = false;
                let mut words = Vec::new();
                for p in pair.into_inner() {
                    match p.as_rule() {
                        Rule::kw_not => {
                            self.lower(&p);
                            negated = true;
                        }
                        Rule::kw_in => self.lower(&p),
                        Rule::subject_comma => {}
                        Rule::kw_or => {
                            let place = self.span(&p);
                            let d = self
                                .error(codes::LIST, place, "the values behind `in` are parted by commas")
                                .label("expected `,`")
                                .fix("write `,`", vec![(self.blank_before(place), ",".to_string())]);
                            self.say(d);
                        }
                        _ => words.push(self.value(p)),
                    }
                }
                Some(TestKind::OneOf { words, negated })
            }
            Rule::contains => self.text_test(pair, TextTest::Contains),
            Rule::starts => self.text_test(pair, TextTest::StartsWith),
            Rule::ends => self.text_test(pair, TextTest::EndsWith),
            Rule::matches => {
                if let Some(p) = pair.clone().into_inner().next()
                    && p.as_str() == "like"
                {
                    let place = self.span(&p);
                    let d = self
                        .error(codes::SPELLING, place, "`like` is written `matches`")
                        .label("expected `matches`, with `*` for any text")
                        .help("`contains` finds a text anywhere, without signs");
                    self.say(d);
                    return None;
                }
                self.text_test(pair, TextTest::Matches)
            }
            Rule::has => self.searched(pair).map(TestKind::Has),
            Rule::is_known => self.is_known(pair, span),
            _ => None,
        }
    }

    fn op(&mut self, pair: &Pair) -> Op {
        let (op, should) = match pair.as_str() {
            "=" => (Op::Eq, None),
            "≠" | "!=" => (Op::Ne, None),
            "<" => (Op::Lt, None),
            "≤" | "<=" => (Op::Le, None),
            ">" => (Op::Gt, None),
            "≥" | ">=" => (Op::Ge, None),
            "==" => (Op::Eq, Some("=")),
            "=<" => (Op::Le, Some("<=")),
            "=>" => (Op::Ge, Some(">=")),
            _ => (Op::Ne, Some("!=")),
        };
        if let Some(should) = should {
            self.spelt(self.span(pair), should);
        }
        op
    }

    fn compare(&mut self, pair: Pair, span: Span) -> Option<TestKind> {
        let mut op = Op::Eq;
        let mut right = None;
        for p in pair.into_inner() {
            let p = match p.as_rule() {
                Rule::value => only(&p).filter(|p| p.as_rule() == Rule::duration).unwrap_or(p),
                _ => p,
            };
            match p.as_rule() {
                Rule::op => {
                    op = self.op(&p);
                }
                Rule::kw_times => self.times(&p),
                Rule::value_list_wrong => {
                    let place = self.span(&p);
                    let values: Vec<Expr> = p
                        .into_inner()
                        .filter(|p| !matches!(p.as_rule(), Rule::subject_comma | Rule::kw_or | Rule::kw_and))
                        .map(|p| self.value(p))
                        .collect();
                    let shown: Vec<&str> = values.iter().map(|v| self.slice(v.span)).collect();
                    let word = match op {
                        Op::Eq => "in",
                        Op::Ne => "not in",
                        _ => {
                            let d = self
                                .error(codes::LIST, place, "a comparison takes one value")
                                .label("parentheses hold the values of `in`");
                            self.say(d);
                            return None;
                        }
                    };
                    let should = format!("{word} ({})", shown.join(", "));
                    let d = self
                        .error(codes::LIST, span, "several values stand behind `in`, parted by commas")
                        .label(format!("expected `{should}`"))
                        .fix(format!("write `{should}`"), vec![(span, should.clone())]);
                    self.say(d);
                    return Some(TestKind::OneOf { words: values, negated: op == Op::Ne });
                }
                Rule::duration => {
                    let duration = self.duration(&p);
                    if self.diagnostics.last().is_some_and(|d| d.primary.span == duration.span) {
                        return None;
                    }
                    if p.as_str().contains(char::is_whitespace)
                        && matches!(duration.unit, Unit::Day | Unit::Week | Unit::Month)
                    {
                        let d = self
                            .error(codes::COUNT, span, "`on` is missing before a count of days")
                            .label(format!(
                                "counts the {}s that have the event, if that is meant",
                                unit_word(duration.unit)
                            ))
                            .help(format!(
                                "`on {}`; a window is written `in {}{}`, and `days since …` is compared with a number: `{}`",
                                self.slice(span),
                                duration.amount,
                                duration.unit.short(),
                                duration.amount
                            ));
                        self.say(d);
                        return None;
                    }
                    self.no_duration(duration);
                    return None;
                }
                _ => right = Some(self.value(p)),
            }
        }
        let right = right?;
        // `= (FR)`
        if let (ExprKind::Paren(inner), Op::Eq | Op::Ne) = (&right.kind, op)
            && (matches!(inner.kind, ExprKind::Text(_))
                || matches!(&inner.kind, ExprKind::Phrase(p) if p.qualifier.is_none() && p.name.span == inner.span))
        {
            let should = format!("{}in {}", if op == Op::Eq { "" } else { "not " }, self.slice(right.span));
            let d = self
                .error(codes::LIST, span, "parentheses hold the values of `in`")
                .label(format!("expected `{should}`"))
                .fix(format!("write `{should}`"), vec![(span, should)]);
            self.say(d);
        }
        Some(TestKind::Compare { op, right })
    }

    fn times(&mut self, pair: &Pair) {
        let place = self.span(pair);
        let d = self
            .error(codes::COUNT, place, format!("`{}` is not written", pair.as_str()))
            .label("the number alone is the count")
            .fix(format!("remove `{}`", pair.as_str()), vec![(self.blank_before(place), String::new())]);
        self.say(d);
    }

    /// `at least 3`, `at most twice`, `exactly 3`
    fn at_least(&mut self, pair: Pair) -> Option<TestKind> {
        let mut op = Op::Eq;
        let mut right = None;
        for p in pair.into_inner() {
            match p.as_rule() {
                Rule::kw_least => op = if p.as_str() == "least" { Op::Ge } else { Op::Le },
                Rule::kw_twice => {
                    let n = if p.as_str() == "once" { 1 } else { 2 };
                    let span = self.span(&p);
                    right = Some(Expr { kind: ExprKind::Number(crate::language::num::Num::int(n)), span });
                }
                Rule::kw_times => self.times(&p),
                Rule::kw_at | Rule::kw_exactly => {}
                _ => right = Some(self.literal_value(&p)),
            }
        }
        right.map(|right| TestKind::Compare { op, right })
    }

    /// `on ≥ 3 days`
    fn on_periods(&mut self, pair: Pair, span: Span) -> Option<TestKind> {
        let mut op = None;
        let mut count = None;
        let mut unit = None;
        for p in pair.into_inner() {
            let place = self.span(&p);
            match p.as_rule() {
                Rule::op => op = Some(self.op(&p)),
                Rule::kw_least => op = Some(if p.as_str() == "least" { Op::Ge } else { Op::Le }),
                Rule::kw_exactly => op = Some(Op::Eq),
                Rule::whole => {
                    let n = self.small(p.as_str(), place)?;
                    count = Some(Expr {
                        kind: ExprKind::Number(crate::language::num::Num::int(i64::from(n))),
                        span: place,
                    });
                }
                Rule::unit => {
                    unit = match p.as_str() {
                        "day" | "days" => Some(PeriodUnit::Day),
                        "week" | "weeks" => Some(PeriodUnit::Week),
                        "month" | "months" => Some(PeriodUnit::Month),
                        other => {
                            let d = self
                                .error(codes::COUNT, place, format!("{other} can't be counted behind `on`"))
                                .label("expected `days`, `weeks` or `months`");
                            self.say(d);
                            return None;
                        }
                    }
                }
                _ => {}
            }
        }
        let (count, unit) = (count?, unit?);
        let Some(op) = op else {
            let rest = self.slice(count.span.to(span));
            let d = self
                .error(codes::COUNT, count.span, "a sign is missing before the count")
                .label("at least so many, or exactly so many")
                .help(format!("`on ≥ {rest}` or `on = {rest}`"));
            self.say(d);
            return None;
        };
        Some(TestKind::OnPeriods { op, count, unit })
    }

    fn text_test(&mut self, pair: Pair, how: TextTest) -> Option<TestKind> {
        self.searched(pair).map(|word| TestKind::Text { how, word })
    }

    /// The word behind `contains`, `has` and their like: always text.
    fn searched(&mut self, pair: Pair) -> Option<Word> {
        let p = pair.into_inner().last()?;
        match p.as_rule() {
            Rule::text | Rule::text_wrong | Rule::name => Some(self.word(&p)),
            _ => {
                let span = self.span(&p);
                let text = self.slice(span);
                let should = words::quoted(text);
                let d = self
                    .error(codes::QUOTATION, span, format!("`{text}` is quoted where text is expected"))
                    .label("expected text")
                    .fix(format!("write {should}"), vec![(span, should)]);
                self.say(d);
                Some(Word { text: text.to_string(), quoted: true, span })
            }
        }
    }

    fn is_known(&mut self, pair: Pair, span: Span) -> Option<TestKind> {
        let mut not = false;
        let mut state = None;
        let mut value = None;
        for p in pair.into_inner() {
            match p.as_rule() {
                Rule::kw_is => {}
                Rule::kw_not => not = true,
                Rule::kw_known_not => state = Some(p.as_str()),
                _ => value = Some(self.span(&p)),
            }
        }
        if let Some(value) = value {
            let text = self.slice(value);
            if matches!(text, "true" | "false" | "yes" | "no") {
                let d = self
                    .error(codes::SPELLING, span, format!("`{}` is not written", self.slice(span)))
                    .label("what is yes or no stands by itself")
                    .help(if (text == "true" || text == "yes") != not {
                        "write the name alone"
                    } else {
                        "write `not` before the name"
                    });
                self.say(d);
                return None;
            }
            let should = format!("{} {text}", if not { "≠" } else { "=" });
            let d = self
                .error(codes::SPELLING, span, format!("`{}` is written `{should}`", self.slice(span)))
                .label("`is` stands before `known` and `unknown` only")
                .fix(format!("write `{should}`"), vec![(span, should)]);
            self.say(d);
            return None;
        }
        let negated = (state? != "known") != not;
        if not || !matches!(state, Some("known" | "unknown")) {
            let should = if negated { "is unknown" } else { "is known" };
            self.spelt(span, should);
        }
        Some(TestKind::Known { negated })
    }
}
