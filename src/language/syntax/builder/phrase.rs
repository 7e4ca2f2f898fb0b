//! Phrases: a name with its quantifier, subject and tails.

use super::tail::Tails;
use super::*;

impl Builder<'_> {
    pub(super) fn phrase(&mut self, pair: Pair) -> Expr {
        let span = self.span(&pair);
        let mut quantifiers: Vec<(Quantifier, Span)> = Vec::new();
        let mut phrase = None;
        let mut inner = pair.into_inner().peekable();
        let mut last = None;
        while let Some(p) = inner.next_if(|p| !is_tail(p.as_rule())) {
            match p.as_rule() {
                Rule::quantifier => quantifiers.extend(self.quantifier(p)),
                Rule::head => {
                    last = Some(self.span(&p));
                    let (qualifier, name) = self.head(&p);
                    phrase = Some(Phrase::bare(qualifier, name));
                }
                Rule::held_out => {
                    last = Some(self.span(&p));
                    phrase = Some(Phrase::bare(None, self.held_out(&p)));
                }
                Rule::subject => {
                    last = Some(self.span(&p));
                    let subject = self.subject(p);
                    if let Some(phrase) = &mut phrase {
                        phrase.subject = subject;
                    }
                }
                _ => {}
            }
        }
        let Some(mut phrase) = phrase else { return self.hole(span) };
        let tails = self.tails(inner, last);
        if tails.broken {
            return self.hole(span);
        }
        if !tails.calculation.is_empty() {
            return self.calculated_phrase(phrase, &quantifiers, tails, span);
        }
        if !tails.then.is_empty() {
            return self.sequence(phrase, &quantifiers, tails, span);
        }
        self.no_sequence(&phrase, &tails);
        let same = tails.same.is_some();
        phrase.filter = tails.filter.map(Box::new);
        phrase.test = tails.test;
        phrase.same = tails.same.map(|s| s.0);
        phrase.window = tails.window;
        phrase.without = tails.without.map(|w| Box::new(w.0)).filter(|_| same);
        phrase.quantifier = self.one_quantifier(&quantifiers, Some(span));
        if let Some((q, place)) = phrase.quantifier {
            self.check_quantifier(q, place, &mut phrase);
        }
        Expr { kind: ExprKind::Phrase(Box::new(phrase)), span }
    }

    /// `spend / 12 > 5`: the name is a value.
    fn calculated_phrase(
        &mut self,
        phrase: Phrase,
        quantifiers: &[(Quantifier, Span)],
        tails: Tails,
        span: Span,
    ) -> Expr {
        let start = phrase.qualifier.as_ref().map_or(phrase.name.span, |q| q.span);
        let head = start.to(phrase.name.span);
        if let Some(extra) = quantifiers.first().map(|q| q.1).or(phrase.subject.as_ref().map(|s| s.span)) {
            let whole = if extra.start < head.start { extra.to(head) } else { head.to(extra) };
            let written = self.slice(whole);
            let d = self.error(codes::ARITHMETIC, whole, format!("`{written}` is no number")).label("an event");
            let d = match quantifiers {
                [] => d.fix(format!("write `count({written})`"), vec![(whole, format!("count({written})"))]),
                _ => d.help(format!("`count({} …)` makes a number of an event", phrase.name.text)),
            };
            self.say(d);
            return self.hole(span);
        }
        let left = Expr { kind: ExprKind::Phrase(Box::new(phrase)), span: head };
        self.tested(left, tails, span)
    }

    pub(super) fn quantifier(&mut self, pair: Pair) -> Option<(Quantifier, Span)> {
        let p = pair.into_inner().next()?;
        if p.as_rule() == Rule::no_shouted {
            self.lower(&p);
        }
        let q = match p.as_str().to_ascii_lowercase().as_str() {
            "no" => Quantifier::No,
            "never" => Quantifier::Never,
            "first" => Quantifier::First,
            _ => Quantifier::Last,
        };
        Some((q, self.span(&p)))
    }

    /// Several are an error; the last one is kept.
    pub(super) fn one_quantifier(
        &mut self,
        all: &[(Quantifier, Span)],
        whole: Option<Span>,
    ) -> Option<(Quantifier, Span)> {
        let (first, last) = (*all.first()?, *all.last()?);
        if all.len() > 1 {
            let (a, b) = (self.slice(first.1), self.slice(last.1));
            let d = self
                .error(codes::QUANTIFIER, first.1.to(last.1), format!("`{a}` and `{b}` can't stand together"))
                .label("one of them is enough");
            let d = if matches!(first.0, Quantifier::No | Quantifier::Never)
                && !matches!(last.0, Quantifier::No | Quantifier::Never)
            {
                let d = d.help(format!("`not ({b} …)` says that the {b} one is not so"));
                match whole {
                    Some(whole) => d.fix(
                        format!("write `not ({b} …)`"),
                        vec![
                            (first.1, "not (".to_string()),
                            (self.gap_behind(first.1), String::new()),
                            (self.behind(whole), ")".to_string()),
                        ],
                    ),
                    None => d,
                }
            } else {
                d
            };
            self.say(d);
        }
        Some(last)
    }

    pub(super) fn check_quantifier(&mut self, q: Quantifier, place: Span, phrase: &mut Phrase) {
        let word = self.slice(place).to_ascii_lowercase();
        if let Some(test) = &phrase.test {
            let counted =
                matches!(test.kind, TestKind::Compare { .. } | TestKind::Between { .. } | TestKind::OnPeriods { .. });
            let mut d = self.error(
                codes::QUANTIFIER,
                place,
                format!("`{word}` takes no {}", if counted { "count" } else { "test" }),
            );
            d = d.also(test.span, if counted { "the count" } else { "the test" });
            d = match q {
                Quantifier::No | Quantifier::Never => {
                    d.label(format!("`{word}` means that there is none")).help("`not …` denies the whole of it")
                }
                _ => d.label(format!("`{word}` picks one event")),
            };
            self.say(d);
            phrase.test = None;
        }
        if let (Quantifier::Never, Some(window)) = (q, &phrase.window)
            && !matches!(window.kind, WindowKind::Ever)
        {
            let d = self
                .error(codes::QUANTIFIER, place, "`never` takes no window")
                .label("`never` is about all time")
                .also(window.span, "the window")
                .fix("write `no`", vec![(place, "no".to_string())]);
            self.say(d);
            phrase.quantifier = Some((Quantifier::No, place));
        }
    }

    /// `anti-aging`, `(anti-aging or serum)`, `other than serum`
    pub(super) fn subject(&mut self, pair: Pair) -> Option<Subject> {
        let span = self.span(&pair);
        let mut other_than = false;
        let mut words = Vec::new();
        let mut parenthesised = false;
        let mut more = None;
        for p in pair.into_inner() {
            match p.as_rule() {
                Rule::kw_other => other_than = true,
                Rule::kw_than => {}
                Rule::subject_list => {
                    parenthesised = true;
                    for p in p.into_inner() {
                        match p.as_rule() {
                            Rule::kw_or if p.as_str() == "or" => {}
                            Rule::kw_or | Rule::kw_and | Rule::subject_comma => self.joined(&p, words.len()),
                            _ => words.push(self.word(&p)),
                        }
                    }
                }
                Rule::subject_more => {
                    more = more.or(Some(self.span(&p)));
                    let w = p.into_inner().next().map(|p| self.word(&p));
                    words.extend(w);
                }
                _ => words.push(self.word(&p)),
            }
        }
        if more.is_some() {
            let list = words.first()?.span.to(words.last()?.span);
            let shown: Vec<&str> = words.iter().map(|w| self.slice(w.span)).collect();
            let should = format!("({})", shown.join(" or "));
            let whole = if parenthesised { self.at(span.start as usize, span.end as usize) } else { list };
            let d = self
                .error(codes::LIST, whole, "several subjects are joined by `or`, in parentheses")
                .label("a comma can't join them");
            let d = if other_than { d } else { d.fix(format!("write `{should}`"), vec![(whole, should)]) };
            self.say(d);
            parenthesised = true;
        }
        (!words.is_empty()).then_some(Subject { other_than, words, parenthesised, span })
    }

    /// What joins two subjects and is not `or`.
    fn joined(&mut self, pair: &Pair, words: usize) {
        let span = self.span(pair);
        let text = pair.as_str();
        let d = match pair.as_rule() {
            Rule::subject_comma => {
                let rest = self.text.get(span.end as usize..).unwrap_or("").trim_start();
                let or = rest.strip_prefix("or").is_some_and(|t| !t.starts_with(words::is_continue));
                if rest.starts_with(')') || or {
                    self.error(codes::LIST, span, "a comma too many")
                        .label("subjects are joined by `or`")
                        .fix("remove it", vec![(span, String::new())])
                } else {
                    self.error(codes::LIST, span, "subjects are joined by `or`")
                        .label("commas part the values behind `in`")
                        .fix("write `or`", vec![(span, " or".to_string())])
                }
            }
            Rule::kw_and if words > 0 && matches!(text, "and" | "but") => self
                .error(codes::LIST, span, format!("subjects can't be joined by `{text}`"))
                .label("one event has one subject")
                .help("`or` if either will do; for both, the event is named twice: `purchased a and purchased b`"),
            _ => {
                self.spelt(span, "or");
                return;
            }
        };
        self.say(d);
    }

    pub(super) fn where_clause(&mut self, pair: Pair) -> Expr {
        let span = self.span(&pair);
        let mut filter = None;
        for p in pair.into_inner() {
            match p.as_rule() {
                Rule::kw_where => self.lower(&p),
                Rule::expr => filter = Some(self.expr(p)),
                _ => {}
            }
        }
        filter.unwrap_or_else(|| self.hole(span))
    }
}

fn is_tail(rule: Rule) -> bool {
    !matches!(rule, Rule::quantifier | Rule::head | Rule::held_out | Rule::subject)
}
