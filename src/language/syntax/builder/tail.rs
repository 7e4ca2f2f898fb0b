//! What follows a name or value: `where`, counts, tests and windows, in whatever order they were written.

use super::*;

#[derive(Default)]
pub(super) struct Tails {
    pub filter: Option<Expr>,
    pub test: Option<Test>,
    pub same: Option<(Name, Span)>,
    pub window: Option<Window>,
    pub without: Option<(Phrase, Span)>,
    /// What is added to what stands before, and so on.
    pub calculation: Vec<(Arithmetic, Expr)>,
    pub after: Option<(Duration, Span)>,
    pub all_within: Option<(Duration, Span)>,
    pub with_same: Option<(Name, Span)>,
    pub then: Vec<Then>,
    /// What they follow.
    pub follow: Follow,
    /// Something was said that leaves no meaning.
    pub broken: bool,
    filter_span: Option<Span>,
}

#[derive(Default, PartialEq, Eq, Clone, Copy)]
pub(super) enum Follow {
    #[default]
    Name,
    /// Something that is no name.
    Value,
    /// A later step of a sequence.
    Step,
}

impl Builder<'_> {
    /// Reads tails; `before` is what they follow.
    pub(super) fn tails<'p>(&mut self, pairs: impl Iterator<Item = Pair<'p>>, before: Option<Span>) -> Tails {
        self.tails_of(pairs, before, Follow::Name)
    }

    pub(super) fn tails_of<'p>(
        &mut self,
        pairs: impl Iterator<Item = Pair<'p>>,
        mut before: Option<Span>,
        follow: Follow,
    ) -> Tails {
        let mut out = Tails { follow, ..Tails::default() };
        let mut steps: Vec<Vec<Pair<'p>>> = Vec::new();
        for p in pairs {
            if p.as_rule() == Rule::then_step {
                steps.push(vec![p]);
                continue;
            }
            if let Some(step) = steps.last_mut() {
                step.push(p);
                continue;
            }
            let span = self.span(&p);
            match p.as_rule() {
                Rule::where_clause => {
                    let filter = self.where_clause(p);
                    self.set_filter(&mut out, filter, span);
                }
                // `2 (a + b)`
                Rule::where_wrong
                    if self.slice(span).starts_with('(')
                        && (follow == Follow::Value || out.test.is_some() || out.broken) =>
                {
                    if !out.broken {
                        let d = self
                            .error(codes::LOOSE, span, "the parentheses stand loose")
                            .label("nothing joins them to what stands before")
                            .help("`*` multiplies; conditions are joined by `and` or `or`");
                        self.say(d);
                    }
                    out.broken = true;
                }
                Rule::where_wrong => {
                    let filter = self.where_wrong(p, span);
                    self.set_filter(&mut out, filter, span);
                }
                Rule::of_same | Rule::with_same => self.set_same(p, span, &mut out),
                Rule::without => self.set_without(p, span, &mut out),
                Rule::step_after | Rule::all_within => self.set_length(p, span, &mut out),
                Rule::window_in
                | Rule::window_over
                | Rule::window_since
                | Rule::window_before
                | Rule::window_on
                | Rule::window_period
                | Rule::window_within
                | Rule::since_event
                | Rule::kw_ever => {
                    let kind = self.window(p, span);
                    self.set_window(&mut out, kind, span);
                }
                Rule::between => self.between(p, span, &mut out),
                Rule::calculation => {
                    let steps = self.calculation(p.into_inner());
                    self.set_calculation(&mut out, steps, span, before);
                }
                Rule::in_wrong
                | Rule::last_wrong
                | Rule::period_wrong
                | Rule::since_wrong
                | Rule::for_wrong
                | Rule::more_wrong
                | Rule::older_wrong
                | Rule::after_wrong
                | Rule::then_wrong
                | Rule::not_wrong
                | Rule::count_wrong
                | Rule::ago_wrong => {
                    // One answer a phrase.
                    if !out.broken {
                        self.tail_wrong(p, span, &mut out, before);
                    }
                }
                Rule::stray_wrong => self.stray(p, span, &mut out, before),
                _ => {
                    let kind = self.test(p, span);
                    self.set_test(&mut out, kind, span);
                }
            }
            before = Some(span);
        }
        if !steps.is_empty() {
            self.steps(steps, &mut out);
        }
        out
    }

    pub(super) fn set_filter(&mut self, out: &mut Tails, filter: Expr, span: Span) {
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

    fn set_calculation(&mut self, out: &mut Tails, steps: Vec<(Arithmetic, Expr)>, span: Span, before: Option<Span>) {
        let behind = out.test.as_ref().map(|t| ("a comparison", t.span));
        let behind = behind.or(out.window.as_ref().map(|w| ("a window", w.span)));
        let behind = behind.or(out.filter_span.map(|f| ("a `where`", f)));
        if let (Some((what, first)), false) = (behind, out.broken) {
            let shown = before.map_or("", |b| self.slice(b));
            let mut d = self
                .error(codes::ARITHMETIC, span, format!("nothing can be calculated behind {what}"))
                .label("expected `and`, `or`, or the end of the condition")
                .also(first, format!("this is {what}"));
            if out.follow != Follow::Value && !shown.is_empty() {
                d = d.help("`count(…)` makes a number of an event: `count(purchased in 30d) / 3`");
            }
            self.say(d);
            out.broken = true;
        }
        out.calculation = steps;
    }

    pub(super) fn set_window(&mut self, out: &mut Tails, kind: Option<WindowKind>, span: Span) {
        let Some(kind) = kind else {
            out.broken = true;
            return;
        };
        if out.follow == Follow::Step && !matches!(kind, WindowKind::Within(_)) {
            return self.step_window(out, &kind, span);
        }
        if let Some((_, first)) = &out.without {
            self.behind_without(*first, span, "the window");
        }
        if let Some(first) = &out.window
            && !out.broken
        {
            let anchor = match &first.kind {
                WindowKind::SinceEvent(s) => Some(s.of.name.text.clone()),
                _ => None,
            };
            let first = first.span;
            let d = self
                .error(codes::TWICE, span, "a behaviour has one window")
                .label("the second one")
                .also(first, "the first one");
            let d = match anchor {
                Some(anchor) => d.help(format!(
                    "the event behind `since` has no window of its own; a condition of its own can say it: `and {anchor} {}`",
                    self.slice(span)
                )),
                None => d.help("`between 60d and 30d ago` bounds both sides; for two periods the event is named twice, joined by `and`"),
            };
            self.say(d);
            return;
        }
        out.window = Some(Window { kind, span });
    }

    pub(super) fn set_test(&mut self, out: &mut Tails, kind: Option<TestKind>, span: Span) {
        let Some(kind) = kind else {
            out.broken = true;
            return;
        };
        if out.follow == Follow::Step {
            return self.step_test(out, span);
        }
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
            && out.follow == Follow::Name
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
                    phrase = Some(Phrase::bare(qualifier, name));
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
}
