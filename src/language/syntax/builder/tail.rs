//! What follows a name or value: `where`, counts, tests and windows, in whatever order they were written.

use super::expr::bare_phrase;
use super::literal::Literal;
use super::*;

#[derive(Default)]
pub(super) struct Tails {
    pub filter: Option<Expr>,
    pub test: Option<Test>,
    pub window: Option<Window>,
    /// Something was said that leaves no meaning.
    pub broken: bool,
    filter_span: Option<Span>,
    later: bool,
}

impl Builder<'_> {
    /// Reads tails; `before` is what they follow.
    pub(super) fn tails<'p>(&mut self, pairs: impl Iterator<Item = Pair<'p>>, mut before: Option<Span>) -> Tails {
        let mut out = Tails::default();
        for p in pairs {
            let span = self.span(&p);
            match p.as_rule() {
                Rule::where_clause => {
                    let filter = self.where_clause(p);
                    self.set_filter(&mut out, filter, span);
                }
                Rule::where_wrong => {
                    let filter = self.where_wrong(p, span);
                    self.set_filter(&mut out, filter, span);
                }
                Rule::in_later
                | Rule::since_later
                | Rule::then_later
                | Rule::without_later
                | Rule::same_later
                | Rule::within_later
                | Rule::after_later
                | Rule::arithmetic_later => {
                    if !out.later {
                        self.tail_later(p, span);
                    }
                    (out.later, out.broken) = (true, true);
                }
                Rule::window_in
                | Rule::window_over
                | Rule::window_since
                | Rule::window_before
                | Rule::window_on
                | Rule::kw_ever => {
                    let kind = self.window(p, span);
                    self.set_window(&mut out, kind, span);
                }
                Rule::between => self.between(p, span, &mut out),
                Rule::in_wrong
                | Rule::last_wrong
                | Rule::more_wrong
                | Rule::older_wrong
                | Rule::after_wrong
                | Rule::not_wrong
                | Rule::count_wrong
                | Rule::ago_wrong
                    if out.broken => {} // one answer a phrase
                Rule::in_wrong
                | Rule::last_wrong
                | Rule::more_wrong
                | Rule::older_wrong
                | Rule::after_wrong
                | Rule::not_wrong
                | Rule::count_wrong
                | Rule::ago_wrong => self.tail_wrong(p, span, &mut out, before),
                Rule::stray_wrong => self.stray(p, span, &mut out, before),
                _ => {
                    let kind = self.test(p, span);
                    self.set_test(&mut out, kind, span);
                }
            }
            before = Some(span);
        }
        out
    }

    fn set_filter(&mut self, out: &mut Tails, filter: Expr, span: Span) {
        if let Some(first) = out.filter_span {
            let d = self
                .error(codes::TWICE, span, "`where` is given twice")
                .label("the second one")
                .also(first, "the first one")
                .help("join them with `and` in one pair of parentheses");
            self.say(d);
            return;
        }
        let first = match (&out.test, &out.window) {
            (Some(t), Some(w)) => Some(if t.span.start < w.span.start { t.span } else { w.span }),
            (Some(t), None) => Some(t.span),
            (None, Some(w)) => Some(w.span),
            (None, None) => None,
        };
        if let Some(first) = first
            && !out.broken
        {
            let text = self.slice(span).to_string();
            let d = self
                .error(codes::ORDER, span, "`where` stands before the count and the window")
                .label("it filters the events before they are counted")
                .also(first, "this comes behind it")
                .fix(
                    "move it",
                    vec![(self.before(first), format!("{text} ")), (self.blank_before(span), String::new())],
                );
            self.say(d);
        }
        out.filter = Some(filter);
        out.filter_span = Some(span);
    }

    fn set_window(&mut self, out: &mut Tails, kind: Option<WindowKind>, span: Span) {
        let Some(kind) = kind else {
            out.broken = true;
            return;
        };
        if let Some(first) = &out.window
            && !out.broken
        {
            let first = first.span;
            let d = self
                .error(codes::TWICE, span, "a behaviour has one window")
                .label("the second one")
                .also(first, "the first one")
                .help("`between 60d and 30d ago` bounds both sides; for two periods the event is named twice, joined by `and`");
            self.say(d);
            return;
        }
        out.window = Some(Window { kind, span });
    }

    fn set_test(&mut self, out: &mut Tails, kind: Option<TestKind>, span: Span) {
        let Some(kind) = kind else {
            out.broken = true;
            return;
        };
        if let Some(first) = &out.test
            && !out.broken
        {
            let first = first.span;
            let d = self
                .error(codes::TWICE, span, "a second comparison of the same thing")
                .label("the second one")
                .also(first, "the first one")
                .help("`between 2 and 5` bounds both sides; else join two conditions with `and`");
            self.say(d);
            return;
        }
        if let Some(window) = &out.window
            && !out.broken
        {
            let (w, count) = (window.span, self.slice(span).to_string());
            let text = self.slice(w).to_string();
            let d = self
                .error(codes::ORDER, span, "the count stands before the window")
                .label("the count")
                .also(w, "the window")
                .fix(format!("write `{count} {text}`"), vec![(w, count), (span, text)]);
            self.say(d);
        }
        out.test = Some(Test { kind, span });
    }

    /// `where category = x`, or parentheses without `where`.
    fn where_wrong(&mut self, pair: Pair, span: Span) -> Expr {
        let mut kw = None;
        let mut nots = 0;
        let mut phrase: Option<Phrase> = None;
        let mut tails = None;
        let inner: Vec<Pair> = pair.into_inner().collect();
        for p in inner {
            match p.as_rule() {
                Rule::kw_where => kw = Some(self.span(&p)),
                Rule::not_op => nots += 1,
                Rule::head => {
                    let (qualifier, name) = self.head(&p);
                    phrase = Some(bare_phrase(qualifier, name));
                }
                Rule::paren => {
                    let d = self
                        .error(codes::WHERE, span, "`where` is missing before the parentheses")
                        .label("a condition on the event's properties")
                        .fix("write `where`", vec![(self.before(span), "where ".to_string())]);
                    self.say(d);
                    let filter = self.paren(p);
                    return match filter.kind {
                        ExprKind::Paren(inner) => *inner,
                        _ => filter,
                    };
                }
                _ => tails = Some(self.tails(std::iter::once(p), None)),
            }
        }
        let Some(mut phrase) = phrase else { return self.hole(span) };
        if let Some(tails) = tails {
            phrase.test = tails.test;
            phrase.window = tails.window;
        }
        let start = kw.map_or(span.start, |k| k.end);
        let body = Span { start, ..span };
        let text = self.slice(body).trim();
        let should = format!("where ({text})");
        let d = self
            .error(codes::WHERE, span, "the condition behind `where` stands in parentheses")
            .label("without them nobody sees where it ends")
            .fix(format!("write `{should}`"), vec![(span, should)]);
        self.say(d);
        let mut expr = Expr { kind: ExprKind::Phrase(Box::new(phrase)), span: body };
        for _ in 0..nots {
            expr = Expr { kind: ExprKind::Not(Box::new(expr)), span: body };
        }
        expr
    }

    // ---------------------------------------------------------------------------------------------------------- windows

    fn window(&mut self, pair: Pair, span: Span) -> Option<WindowKind> {
        let rule = pair.as_rule();
        if rule == Rule::kw_ever {
            self.lower(&pair);
            return Some(WindowKind::Ever);
        }
        let mut the = false;
        let mut last = None;
        let mut ago = false;
        let mut duration = None;
        let mut moment = None;
        let mut wrong_moment = false;
        let mut keyword = "";
        for p in pair.into_inner() {
            match p.as_rule() {
                Rule::kw_the => the = true,
                Rule::kw_last => last = Some(p.as_str()),
                Rule::kw_ago => ago = true,
                Rule::duration => duration = Some(self.duration(&p)),
                Rule::date | Rule::instant | Rule::date_wrong | Rule::instant_wrong => {
                    moment = self.moment(&p);
                    wrong_moment = moment.is_none();
                }
                _ => {
                    keyword = p.as_str();
                    self.lower(&p);
                }
            }
        }
        if wrong_moment {
            return None;
        }
        let shown = duration.map_or("", |d: Duration| self.slice(d.span));
        match (rule, duration, moment) {
            (Rule::window_in, Some(d), _) => {
                if last.is_some_and(|l| l == "past" || !the) {
                    self.window_spelt(span, &format!("in {shown}"));
                }
                Some(WindowKind::In(d))
            }
            (Rule::window_over, Some(d), _) => {
                if !ago {
                    let d = self
                        .error(codes::WINDOW, self.behind(span), "`ago` is missing")
                        .label(format!("`over {shown}` looks back"))
                        .fix("write `ago`", vec![(self.behind(span), " ago".to_string())]);
                    self.say(d);
                }
                Some(WindowKind::OverAgo(d))
            }
            (Rule::window_since, _, Some(m)) => Some(WindowKind::Since(m)),
            (Rule::window_before, _, Some(m)) => Some(WindowKind::Before(m)),
            (Rule::window_on, _, Some(Moment { kind: MomentKind::Date(d), .. })) => Some(WindowKind::On(d)),
            (Rule::window_on, _, Some(m)) => {
                let day = self.slice(m.span).get(..10).unwrap_or("");
                let d = self
                    .error(codes::WINDOW, span, format!("`{}` takes a date", keyword.to_lowercase()))
                    .label("an instant has no length")
                    .help(format!("the whole day is `on {day}`; two instants are joined by `between … and …`"));
                self.say(d);
                None
            }
            (Rule::window_since, Some(d), _) => {
                self.window_spelt(span, &format!("in {shown}"));
                Some(WindowKind::In(d))
            }
            (Rule::window_before, Some(d), _) => {
                self.window_spelt(span, &format!("over {shown} ago"));
                Some(WindowKind::OverAgo(d))
            }
            _ => None,
        }
    }

    pub(super) fn window_spelt(&mut self, span: Span, should: &str) {
        let found = self.slice(span).split_whitespace().collect::<Vec<_>>().join(" ");
        let d = self
            .error(codes::WINDOW, span, format!("`{found}` is written `{should}`"))
            .label(format!("expected `{should}`"))
            .fix(format!("write `{should}`"), vec![(span, should.to_string())]);
        self.say(d);
    }

    /// `between`: a window if its ends are durations or dates, else a test.
    fn between(&mut self, pair: Pair, span: Span, out: &mut Tails) {
        let mut ends = Vec::new();
        let mut ago = false;
        for p in pair.into_inner() {
            match p.as_rule() {
                Rule::kw_between => self.lower(&p),
                Rule::kw_and if p.as_str() == "and" => {}
                Rule::kw_and => self.spelt(self.span(&p), "and"),
                Rule::kw_ago => ago = true,
                Rule::head | Rule::days_since | Rule::aggregate | Rule::call_later => {
                    ends.push(Literal::Expr(self.value(p)))
                }
                _ => {
                    let end = self.literal(&p);
                    ends.push(end);
                }
            }
        }
        let (Some(b), Some(a)) = (ends.pop(), ends.pop()) else {
            out.broken = true;
            return;
        };
        let (a, b) = match (a, b) {
            (Literal::Duration(a), Literal::Duration(b)) => (a, b),
            // `between 30 and 60 days ago`
            (Literal::Expr(Expr { kind: ExprKind::Number(_), span: s }), Literal::Duration(b)) => {
                let n = self.small(self.slice(s), s).unwrap_or(1).max(1);
                (Duration { amount: n, unit: b.unit, span: s }, b)
            }
            (Literal::Duration(a), Literal::Expr(_)) => {
                self.no_duration(a);
                out.broken = true;
                return;
            }
            (Literal::Expr(_), Literal::Duration(b)) => {
                self.no_duration(b);
                out.broken = true;
                return;
            }
            (Literal::Expr(a), Literal::Expr(b)) => {
                if ago {
                    let d = self
                        .error(codes::DURATION, span, "a unit is missing before `ago`")
                        .label("expected durations")
                        .help("such as `between 60d and 30d ago`");
                    self.say(d);
                    out.broken = true;
                    return;
                }
                if let (Some(a), Some(b)) = (moment_of(&a), moment_of(&b)) {
                    self.set_window(out, Some(WindowKind::Between(a, b)), span);
                } else {
                    self.set_test(out, Some(TestKind::Between { low: a, high: b }), span);
                }
                return;
            }
        };
        if !ago {
            let d = self
                .error(codes::WINDOW, self.behind(span), "`ago` is missing")
                .label("the two durations look back")
                .fix("write `ago`", vec![(self.behind(span), " ago".to_string())]);
            self.say(d);
        }
        self.set_window(out, Some(WindowKind::BetweenAgo(a, b)), span);
    }
}

pub(super) fn unit_word(unit: Unit) -> &'static str {
    match unit {
        Unit::Second => "second",
        Unit::Minute => "minute",
        Unit::Hour => "hour",
        Unit::Day => "day",
        Unit::Week => "week",
        Unit::Month => "month",
        Unit::Year => "year",
    }
}

pub(super) fn short(unit: Unit) -> &'static str {
    match unit {
        Unit::Second => "s",
        Unit::Minute => "min",
        Unit::Hour => "h",
        Unit::Day => "d",
        Unit::Week => "w",
        Unit::Month => "mo",
        Unit::Year => "y",
    }
}

fn moment_of(expr: &Expr) -> Option<Moment> {
    let kind = match expr.kind {
        ExprKind::Date(d) => MomentKind::Date(d),
        ExprKind::Instant(i) => MomentKind::Instant(i),
        _ => return None,
    };
    Some(Moment { kind, span: expr.span })
}
