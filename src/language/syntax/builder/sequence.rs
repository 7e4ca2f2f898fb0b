//! Sequences: steps, what stands between them, and what must be the same.

use super::tail::{Follow, Tails};
use super::*;

impl Builder<'_> {
    /// `of same product`, `with same product`
    pub(super) fn set_same(&mut self, pair: Pair, span: Span, out: &mut Tails) {
        let of = pair.as_rule() == Rule::of_same;
        let mut the = false;
        let mut name = None;
        for p in pair.into_inner() {
            match p.as_rule() {
                Rule::kw_the => the = true,
                Rule::name => name = Some(self.name(&p)),
                _ => {}
            }
        }
        let Some(name) = name else { return };
        let word = if of { "of" } else { "with" };
        if the {
            let should = format!("{word} same {}", name.text);
            self.spelt(span, &should);
        }
        let slot = if of { &mut out.same } else { &mut out.with_same };
        if let Some((_, first)) = slot {
            let first = *first;
            let d = self
                .error(codes::TWICE, span, format!("`{word} same` is given twice"))
                .label("the second one")
                .also(first, "the first one")
                .help("one property can be the same");
            self.say(d);
            return;
        }
        *slot = Some((name, span));
        if !of || out.broken {
            return;
        }
        if out.follow == Follow::Step {
            let should = format!("with{}", self.slice(span).strip_prefix("of").unwrap_or(""));
            let d = self
                .error(codes::SAME, span, "what is the same in a sequence is written `with same`")
                .label("`of same` belongs to a count")
                .fix(format!("write `{should}`"), vec![(span, should)]);
            self.say(d);
            out.with_same = out.same.take();
        } else if let Some(window) = &out.window {
            let place = window.span;
            let written = self.slice(span).to_string();
            let d = self
                .error(codes::ORDER, span, "`of same` stands right behind the count")
                .label("it says what is counted")
                .also(place, "the window comes behind it")
                .fix(
                    "move it",
                    vec![(self.before(place), format!("{written} ")), (self.blank_before(span), String::new())],
                );
            self.say(d);
        }
    }

    /// `without purchased serum`
    pub(super) fn set_without(&mut self, pair: Pair, span: Span, out: &mut Tails) {
        let mut of = None;
        for p in pair.into_inner() {
            match p.as_rule() {
                Rule::about => of = self.about(p),
                Rule::no => {
                    let place = self.span(&p);
                    let d = self
                        .error(codes::QUANTIFIER, place, format!("`{}` behind `without` denies twice", p.as_str()))
                        .label("`without` alone says that there is none")
                        .fix("remove it", vec![(self.blank_before(place), String::new())]);
                    self.say(d);
                }
                Rule::paren => {
                    let place = self.span(&p);
                    let d = self
                        .error(codes::SAME, place, "`without` takes one event")
                        .label("expected an event, its subject and its `where`")
                        .help(
                            "several subjects of one event stand in parentheses: `without purchased (serum or cream)`",
                        );
                    self.say(d);
                    out.broken = true;
                }
                _ => {}
            }
        }
        let Some(of) = of else { return };
        if let Some((_, first)) = &out.without {
            let first = *first;
            let d = self
                .error(codes::TWICE, span, "`without` is given twice")
                .label("the second one")
                .also(first, "the first one")
                .help("one event can be left out; name a segment for more");
            self.say(d);
            return;
        }
        out.without = Some((of, span));
    }

    /// `after 1d`, `all within 14d`
    pub(super) fn set_length(&mut self, pair: Pair, span: Span, out: &mut Tails) {
        let all = pair.as_rule() == Rule::all_within;
        let Some(p) = pair.into_inner().find(|p| p.as_rule() == Rule::duration) else { return };
        let duration = self.duration(&p);
        if !all && let Some((_, first)) = &out.without {
            self.behind_without(*first, span, "`after`");
        }
        let slot = if all { &mut out.all_within } else { &mut out.after };
        match slot {
            None => *slot = Some((duration, span)),
            Some((_, first)) => {
                let first = *first;
                let word = if all { "all within" } else { "after" };
                let d = self
                    .error(codes::TWICE, span, format!("`{word}` is given twice"))
                    .label("the second one")
                    .also(first, "the first one");
                self.say(d);
            }
        }
    }

    /// A window or bound behind `without`.
    pub(super) fn behind_without(&mut self, without: Span, span: Span, what: &str) {
        let written = self.slice(span).to_string();
        let d = self
            .error(codes::ORDER, span, format!("{what} stands before `without`"))
            .label("the event behind `without` has none of its own")
            .also(without, "this comes behind it")
            .fix(
                "move it",
                vec![(self.before(without), format!("{written} ")), (self.blank_before(span), String::new())],
            );
        self.say(d);
    }

    /// `A then B in 7d`
    pub(super) fn step_window(&mut self, out: &mut Tails, kind: &WindowKind, span: Span) {
        if out.broken {
            return;
        }
        let written = self.slice(span);
        let d = self
            .error(codes::SEQUENCE, span, "only the first event of a sequence has a window")
            .label("a later step is measured from the step before");
        let d = match kind {
            WindowKind::In(length) => {
                let d_text = self.slice(length.span);
                d.help(format!(
                    "`within {d_text}` is at most {d_text} after the step before; behind the first event, `{written}` says when the \
                     sequence begins"
                ))
            }
            _ => d.help(format!("`within 7d` bounds the step; put `{written}` behind the first event")),
        };
        self.say(d);
        out.broken = true;
    }

    /// `A then B ≥ 3`
    pub(super) fn step_test(&mut self, out: &mut Tails, span: Span) {
        if !out.broken {
            self.no_count(span);
        }
        out.broken = true;
    }

    fn no_count(&mut self, span: Span) {
        let d = self
            .error(codes::SEQUENCE, span, "a step of a sequence is one event and can't be counted")
            .label("nothing is counted here")
            .help(
                "name the step again for each time, `viewed then viewed then purchased`, or join the count with `and`",
            );
        self.say(d);
    }

    /// The steps behind the first, each with its tails.
    pub(super) fn steps(&mut self, steps: Vec<Vec<Pair>>, out: &mut Tails) {
        if out.follow == Follow::Value {
            if let Some(p) = steps.first().and_then(|s| s.first()).filter(|_| !out.broken) {
                let place = self.span(p);
                let d = self
                    .error(codes::SEQUENCE, place, "each step of a sequence is one event")
                    .label("what stands before `then` is no event")
                    .help("such as `added_to_cart then purchased within 7d`");
                self.say(d);
            }
            out.broken = true;
            return;
        }
        let last = steps.len().saturating_sub(1);
        let mut ended: Option<Span> = None;
        let mut events: Vec<Span> = Vec::new();
        for (i, step) in steps.into_iter().enumerate() {
            let mut pairs = step.into_iter();
            let Some(head) = pairs.next() else { continue };
            let place = self.span(&head);
            let (phrase, event) = self.step_head(head);
            let Some(mut phrase) = phrase else {
                out.broken = true;
                continue;
            };
            let tails = self.tails_of(pairs, Some(place), Follow::Step);
            let end = [
                tails.filter.as_ref().map(|f| f.span),
                tails.window.as_ref().map(|w| w.span),
                tails.after.as_ref().map(|a| a.1),
                tails.without.as_ref().map(|w| w.1),
            ];
            let mut span = end.into_iter().flatten().fold(place, |a, b| if b.end > a.end { a.to(b) } else { a });
            if tails.filter.is_some() {
                span.end = self.closing(span.end);
            }
            out.broken |= tails.broken || !tails.calculation.is_empty();
            phrase.filter = tails.filter.map(Box::new);
            let within = match tails.window {
                Some(Window { kind: WindowKind::Within(d), .. }) => Some(d),
                _ => None,
            };
            let absent = matches!(phrase.quantifier, Some((Quantifier::No, _)));
            if let Some(no) = ended {
                self.no_then(no, &events, event);
                out.broken = true;
                return;
            }
            if absent {
                ended = Some(place);
                let extra = tails.after.as_ref().map(|a| ("after", a.1));
                if let Some((word, at)) = extra.or(tails.without.as_ref().map(|w| ("without", w.1))) {
                    let d = self
                        .error(codes::SEQUENCE, at, format!("`then no` takes no `{word}`"))
                        .label("it is about all the time from the step before on")
                        .help(format!(
                            "`then no {}` or, for an end, `then no {} within 1h`",
                            phrase.name.text, phrase.name.text
                        ));
                    self.say(d);
                }
            }
            events.push(event);
            for (set, of) in
                [(tails.all_within.map(|a| a.1), "all within"), (tails.with_same.as_ref().map(|a| a.1), "with same")]
            {
                if let Some(at) = set.filter(|_| i < last && !out.broken) {
                    let d = self
                        .error(codes::ORDER, at, format!("`{of}` stands behind the last step"))
                        .label("it is about the whole sequence")
                        .also(self.behind(place), "more steps follow");
                    self.say(d);
                }
            }
            if tails.all_within.is_some() {
                out.all_within = tails.all_within;
            }
            if tails.with_same.is_some() {
                out.with_same = tails.with_same;
            }
            out.then.push(Then {
                event: phrase,
                after: tails.after.map(|a| a.0),
                within,
                without: tails.without.map(|w| w.0),
                span,
            });
        }
    }

    /// The event of a step, and the place of what it is about.
    fn step_head(&mut self, pair: Pair) -> (Option<Phrase>, Span) {
        let mut phrase = None;
        let mut quantifiers = Vec::new();
        let mut place = self.span(&pair);
        for p in pair.into_inner() {
            match p.as_rule() {
                Rule::kw_then_wrong => self.spelt(self.span(&p), "then"),
                Rule::quantifier => quantifiers.extend(self.quantifier(p)),
                Rule::head => {
                    place = self.span(&p);
                    let (qualifier, name) = self.head(&p);
                    phrase = Some(Phrase::bare(qualifier, name));
                }
                Rule::held_out => {
                    place = self.span(&p);
                    phrase = Some(Phrase::bare(None, self.held_out(&p)));
                }
                Rule::subject => {
                    place = place.to(self.span(&p));
                    let subject = self.subject(p);
                    if let Some(phrase) = &mut phrase {
                        phrase.subject = subject;
                    }
                }
                _ => {}
            }
        }
        let mut quantifier = self.one_quantifier(&quantifiers, None);
        if let Some((Quantifier::Never, at)) = quantifier {
            let d = self
                .error(codes::QUANTIFIER, at, "`then never` is written `then no`")
                .label("`never` is about all time")
                .fix("write `no`", vec![(at, "no".to_string())]);
            self.say(d);
            quantifier = Some((Quantifier::No, at));
        }
        if let Some(phrase) = &mut phrase {
            phrase.quantifier = quantifier;
        }
        (phrase, place)
    }

    /// `A then no B then C`
    fn no_then(&mut self, no: Span, events: &[Span], next: Span) {
        let absent = events.last().map_or("", |e| self.slice(*e));
        let d = self
            .error(codes::SEQUENCE, no, "`then no` ends a sequence")
            .label("a step follows it")
            .also(next, "this step")
            .help(format!(
                "what must not come between two steps stands behind the later one: `then {} without {absent}`",
                self.slice(next)
            ));
        self.say(d);
    }

    /// The end of a `where (…)` whose condition ends at `end`.
    fn closing(&self, end: u32) -> u32 {
        let i = self.scan.token_at(end as usize);
        match self.scan.tokens.get(i) {
            Some(t) if self.text.get(t.start as usize..t.end as usize) == Some(")") => t.end,
            _ => end,
        }
    }

    /// `A in 3d then B within 7d`; the first event is `phrase`.
    pub(super) fn sequence(
        &mut self,
        mut phrase: Phrase,
        quantifiers: &[(Quantifier, Span)],
        tails: Tails,
        span: Span,
    ) -> Expr {
        if let Some(test) = &tails.test {
            self.no_count(test.span);
        } else if let Some((_, at)) = &tails.same {
            let should = format!("with{}", self.slice(*at).strip_prefix("of").unwrap_or(""));
            let d = self
                .error(codes::SAME, *at, "what is the same in a sequence is written `with same`, behind the last step")
                .label("`of same` belongs to a count")
                .help(format!("write `{should}` at the end"));
            self.say(d);
        } else if let Some((_, at)) = &tails.without {
            let d = self
                .error(codes::SEQUENCE, *at, "`without` stands behind the step that it leads to")
                .label("the first event has nothing before it")
                .help(format!("such as `then {} {}`", self.then_name(&tails), self.slice(*at)));
            self.say(d);
        } else if let Some((_, at)) = &tails.after {
            let d = self
                .error(codes::SEQUENCE, *at, "`after` stands behind the step that it delays")
                .label("the first event has nothing before it")
                .help(format!("such as `then {} {}`", self.then_name(&tails), self.slice(*at)));
            self.say(d);
        } else if let Some(Window { kind: WindowKind::Within(d), span: at }) = &tails.window {
            let d = self
                .error(codes::SEQUENCE, *at, "`within` stands behind the step that it bounds")
                .label("the first event has nothing before it")
                .help(format!(
                    "`in {}` says when the sequence begins; `then {} {}` bounds the second step",
                    self.slice(d.span),
                    self.then_name(&tails),
                    self.slice(*at)
                ));
            self.say(d);
        }
        phrase.filter = tails.filter.map(Box::new);
        phrase.window = tails.window;
        phrase.quantifier = self.one_quantifier(quantifiers, Some(span));
        let no = match phrase.quantifier {
            Some((q @ (Quantifier::No | Quantifier::Never), place)) if quantifiers.len() == 1 => {
                phrase.quantifier = None;
                Some((q, place))
            }
            _ => None,
        };
        let sequence = Sequence {
            first: phrase,
            then: tails.then,
            all_within: tails.all_within.map(|a| a.0),
            same: tails.with_same.map(|s| s.0),
        };
        let expr = Expr { kind: ExprKind::Sequence(Box::new(sequence)), span };
        let Some((_, place)) = no else { return expr };
        let word = self.slice(place).to_ascii_lowercase();
        let d = self
            .error(codes::QUANTIFIER, place, format!("`{word}` can't stand before a sequence"))
            .label("it reaches one event, and the sequence needs it")
            .help(format!("`not ({} then …)` says that there is no such sequence", self.first_name(&expr)))
            .fix(
                "write `not (…)`",
                vec![
                    (place, "not (".to_string()),
                    (self.gap_behind(place), String::new()),
                    (self.behind(span), ")".to_string()),
                ],
            );
        self.say(d);
        Expr { kind: ExprKind::Not(Box::new(expr)), span }
    }

    fn then_name(&self, tails: &Tails) -> String {
        tails.then.first().map_or(String::new(), |t| t.event.name.text.clone())
    }

    fn first_name(&self, expr: &Expr) -> String {
        match &expr.kind {
            ExprKind::Sequence(s) => s.first.name.text.clone(),
            _ => String::new(),
        }
    }

    /// The blanks behind a place.
    pub(super) fn gap_behind(&self, span: Span) -> Span {
        let rest = self.text.get(span.end as usize..).unwrap_or("");
        let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        Span { start: span.end, end: span.end + u32::try_from(blanks).unwrap_or(0), ..span }
    }

    /// Parts of a sequence, or `of same` and `without`, where they have no meaning.
    pub(super) fn no_sequence(&mut self, phrase: &Phrase, tails: &Tails) {
        if let Some((_, at)) = &tails.all_within {
            let d = self
                .error(codes::SEQUENCE, *at, "`all within` belongs to a sequence")
                .label("no `then` stands before it")
                .help("`in 14d` bounds one event; `in any 14d (A and B)` several in any order");
            self.say(d);
        } else if let Some((_, at)) = &tails.after {
            let d = self
                .error(codes::SEQUENCE, *at, "`after` belongs to a step of a sequence")
                .label("no `then` stands before it")
                .help("`over 30d ago` is older than 30 days");
            self.say(d);
        } else if let Some((name, at)) = &tails.with_same {
            let d =
                self.error(codes::SAME, *at, "`with same` belongs to a sequence").label("no `then` stands before it");
            let should = format!("of same {}", name.text);
            let d = match &tails.test {
                Some(_) => d.fix(format!("write `{should}`"), vec![(*at, should)]),
                None => d.help(format!("behind a count it is `{should}`: `{} ≥ 2 {should}`", phrase.name.text)),
            };
            self.say(d);
        } else if let (Some((_, at)), None) = (&tails.same, &tails.test) {
            let d = self
                .error(codes::SAME, *at, "`of same` needs a count before it")
                .label("the same how many times?")
                .help(format!("such as `≥ 2 {}`", self.slice(*at)));
            self.say(d);
        } else if let (Some((_, at)), None) = (&tails.without, &tails.same) {
            let window = tails.window.as_ref().map_or(String::new(), |w| format!(" {}", self.slice(w.span)));
            let rest = self.slice(*at).get("without".len()..).unwrap_or("").trim();
            let d = self
                .error(codes::SAME, *at, "`without` needs `of same` or a step before it")
                .label("without which one?")
                .help(format!("where order and values do not matter: `and no {rest}{window}`"));
            self.say(d);
        }
    }
}
