//! Functions: aggregates, rates and places in a rank.

use super::window::Ends;
use super::*;
use crate::language::num::Num;

impl Builder<'_> {
    pub(super) fn aggregate(&mut self, pair: Pair) -> Expr {
        let span = self.span(&pair);
        let mut function = None;
        let mut property: Option<Name> = None;
        let mut behaviour = None;
        let mut percent: Option<(Num, Span)> = None;
        for p in pair.into_inner() {
            match p.as_rule() {
                Rule::number | Rule::percent => percent = self.share_of_100(&p),
                Rule::share_behind_wrong => {
                    let place = self.span(&p);
                    let share = p.into_inner().next();
                    percent = share.as_ref().and_then(|p| self.share_of_100(p));
                    let shown = share.map_or("90", |p| p.as_str()).to_string();
                    let open = self.at(span.start as usize, span.start as usize);
                    let open = function.map_or(open, |(_, s, _): (Function, Span, &str)| s);
                    let at = self.text.get(open.end as usize..).and_then(|t| t.find('(')).unwrap_or(0) as u32;
                    let first = Span { start: open.end + at + 1, end: open.end + at + 1, ..open };
                    let d = self
                        .error(codes::ORDER, place, "the percentage stands before the property")
                        .label("it stands behind it")
                        .fix("move it", vec![(first, format!("{shown}, ")), (place, String::new())]);
                    self.say(d);
                }
                Rule::function => function = Some((self.function(&p), self.span(&p), p.as_str())),
                Rule::head => {
                    let (qualifier, name) = self.head(&p);
                    if let Some(q) = qualifier {
                        let place = q.span.to(name.span);
                        let d = self
                            .error(codes::ORDER, place, "a property stands before `of` by its own name")
                            .label(format!("`{}` stands behind `of`", q.text))
                            .fix(format!("write `{}`", name.text), vec![(place, name.text.clone())]);
                        self.say(d);
                    }
                    property = Some(name);
                }
                Rule::phrase => behaviour = Some(self.phrase(p)),
                _ => {}
            }
        }
        let (Some((function, function_span, written)), Some(behaviour)) = (function, behaviour) else {
            return self.hole(span);
        };
        let place = behaviour.span;
        let Some(mut phrase) = self.only_behaviour(behaviour, &format!("{written}(…)")) else {
            return self.hole(span);
        };
        match (function, percent) {
            (Function::Percentile, None) => {
                let inside = property.as_ref().map_or(place, |p| p.span).start;
                let d = self
                    .error(codes::FUNCTION, function_span, "`percentile` needs a percentage")
                    .label("which one of 0 to 100?")
                    .help(format!(
                        "such as `percentile(90, {}`",
                        self.slice(Span { start: inside, ..span }).trim_end()
                    ));
                self.say(d);
                return self.hole(span);
            }
            (Function::Percentile, Some(_)) | (_, None) => {}
            (_, Some((_, at))) => {
                let d = self
                    .error(codes::FUNCTION, at, format!("`{written}` takes no number"))
                    .label("only `percentile` does")
                    .help("such as `percentile(90, amount of purchased)`");
                self.say(d);
                return self.hole(span);
            }
        }
        if let Some((_, q)) = phrase.quantifier.take() {
            let word = self.slice(q).to_string();
            let mut d = self
                .error(codes::QUANTIFIER, q, format!("`{word}` can't stand inside `{written}(…)`"))
                .label("all events that match are taken");
            if let (Some(property), "first" | "last") = (&property, word.as_str()) {
                d = d.help(format!("`{word}({} of {})` is the value of one event", property.text, phrase.name.text));
            }
            self.say(d);
        }
        if let Some(test) = phrase.test.take() {
            let mut d = self
                .error(codes::ORDER, test.span, format!("a count can't stand inside `{written}(…)`"))
                .label("the parentheses hold an event, its subject, its `where` and its window");
            let text = self.slice(test.span).to_string();
            d = d.fix(
                "compare the value instead",
                vec![(self.blank_before(test.span), String::new()), (self.behind(span), format!(" {text}"))],
            );
            self.say(d);
        }
        match (&property, function) {
            (None, Function::Count) => {}
            (None, _) => {
                let d = self.error(codes::ORDER, place, format!("`{written}` needs a property of the event"));
                let d = match phrase.qualifier.take() {
                    Some(event) => {
                        let should = format!("{} of {}", phrase.name.text, event.text);
                        let whole = event.span.to(phrase.name.span);
                        d.label("the property stands before the event")
                            .fix(format!("write `{should}`"), vec![(whole, should)])
                    }
                    None => d
                        .label("expected a property, `of` and an event")
                        .help(format!("such as `{written}(amount of purchased in 90d)`")),
                };
                self.say(d);
                return self.hole(span);
            }
            (Some(name), Function::Count) => {
                let d = self
                    .error(codes::ORDER, name.span, "`count` counts events and takes no property")
                    .label("nothing but an event is counted")
                    .help(format!("`distinct({} of …)` counts different values", name.text));
                self.say(d);
                return self.hole(span);
            }
            (Some(_), _) => {}
        }
        let aggregate = Aggregate { function, function_span, percent, property, behaviour: phrase };
        Expr { kind: ExprKind::Aggregate(Box::new(aggregate)), span }
    }

    pub(super) fn function(&mut self, pair: &Pair) -> Function {
        let (function, should) = match pair.as_str() {
            "count" | "number" => (Function::Count, "count"),
            "sum" | "total" => (Function::Sum, "sum"),
            "avg" | "average" | "mean" => (Function::Avg, "avg"),
            "min" | "minimum" => (Function::Min, "min"),
            "max" | "maximum" => (Function::Max, "max"),
            "median" => (Function::Median, "median"),
            "percentile" => (Function::Percentile, "percentile"),
            "first" => (Function::First, "first"),
            "last" => (Function::Last, "last"),
            "distinct" | "unique" => (Function::Distinct, "distinct"),
            _ => (Function::MostFrequent, "most frequent"),
        };
        let written = pair.as_str().split_whitespace().collect::<Vec<_>>().join(" ");
        if written != should {
            self.spelt(self.span(pair), should);
        }
        function
    }
    /// `90` or `90%`, as 90.
    pub(super) fn share_of_100(&mut self, pair: &Pair) -> Option<(Num, Span)> {
        let span = self.span(pair);
        let bare = pair.as_str().trim_end_matches('%').trim_end();
        if bare.len() != pair.as_str().len() {
            // Everywhere else `90%` is 0.9, and that is another percentile.
            let d = self
                .error(codes::FUNCTION, span, "a percentile is a number from 0 to 100")
                .label("a percentage is a number between 0 and 1")
                .fix(format!("write `{bare}`"), vec![(span, bare.to_owned())]);
            self.say(d);
        }
        self.number(bare, span).map(|n| (n, span))
    }

    /// The event of a function, if nothing else stands there.
    fn only_behaviour(&mut self, expr: Expr, what: &str) -> Option<Phrase> {
        match expr.kind {
            ExprKind::Phrase(phrase) => Some(*phrase),
            ExprKind::Error => None,
            _ => {
                let d = self
                    .error(codes::FUNCTION, expr.span, format!("`{what}` takes one event"))
                    .label("expected an event, its subject, its `where` and its window")
                    .help("values are calculated with outside the parentheses: `sum(amount of purchased) / 2`");
                self.say(d);
                None
            }
        }
    }

    /// `rate(open per sent in 90d)`
    pub(super) fn rate(&mut self, pair: Pair) -> Expr {
        let span = self.span(&pair);
        let mut sides = Vec::new();
        for p in pair.into_inner().filter(|p| p.as_rule() == Rule::phrase) {
            let place = self.span(&p);
            let side = self.phrase(p);
            if let ExprKind::Arithmetic { op: Arithmetic::Divide, left, right } = &side.kind {
                let slash = Span { start: left.span.end, end: right.span.start, ..place };
                let d = self
                    .error(codes::FUNCTION, place, "the two events of a rate are joined by `per`")
                    .label("expected `per`")
                    .fix("write `per`", vec![(slash, " per ".to_string())]);
                self.say(d);
                return self.hole(span);
            }
            let Some(mut side) = self.only_behaviour(side, "rate(…)") else { return self.hole(span) };
            if let Some((_, q)) = side.quantifier.take() {
                let d = self
                    .error(codes::QUANTIFIER, q, format!("`{}` can't stand inside `rate(…)`", self.slice(q)))
                    .label("all events that match are counted");
                self.say(d);
            }
            if let Some(test) = side.test.take() {
                let d = self
                    .error(codes::ORDER, test.span, "a count can't stand inside `rate(…)`")
                    .label("all events that match are counted")
                    .help("the rate itself is compared: `rate(open per sent in 90d) ≥ 20%`");
                self.say(d);
            }
            sides.push(side);
        }
        let (per, of) = (sides.pop(), sides.pop());
        let (Some(mut of), Some(mut per)) = (of, per) else {
            let d = self
                .error(codes::FUNCTION, span, "`rate` needs two events")
                .label("how many of one for each of the other")
                .help("such as `rate(open per sent in 90d)`");
            self.say(d);
            return self.hole(span);
        };
        let mut window = per.window.take();
        if let Some(first) = of.window.take() {
            let written = self.slice(first.span).to_string();
            let mut d = self
                .error(codes::ORDER, first.span, "a rate has one window for both events")
                .label("it stands behind the second");
            if window.is_none() {
                let end = Span { start: span.end.saturating_sub(1), end: span.end.saturating_sub(1), ..span };
                d = d
                    .fix("move it", vec![(self.blank_before(first.span), String::new()), (end, format!(" {written}"))]);
            }
            self.say(d);
            window = window.or(Some(first));
        }
        Expr { kind: ExprKind::Rate(Box::new(Rate { of, per, window })), span }
    }

    /// `quintile(spend_12mo)`, `percentile_rank(spend_12mo among vip)`
    pub(super) fn rank_of(&mut self, pair: Pair) -> Expr {
        let span = self.span(&pair);
        let mut scale = (RankScale::Quintile, span);
        let mut by = None;
        let mut among = None;
        for p in pair.into_inner() {
            match p.as_rule() {
                Rule::scale => {
                    let which = match p.as_str() {
                        "quintile" => RankScale::Quintile,
                        "decile" => RankScale::Decile,
                        _ => RankScale::PercentileRank,
                    };
                    scale = (which, self.span(&p));
                }
                Rule::value => by = Some(self.value(p)),
                Rule::name => among = Some(self.name(&p)),
                _ => {}
            }
        }
        match by {
            Some(by) => {
                let rank = RankOf { scale: scale.0, scale_span: scale.1, by, among };
                Expr { kind: ExprKind::RankOf(Box::new(rank)), span }
            }
            None => self.hole(span),
        }
    }

    /// `sum(amount of purchased) in 90d`: a window behind the parentheses of a value.
    pub(super) fn outside(&mut self, value: &mut Expr, pair: Pair) {
        let place = self.span(&pair);
        let Some(p) = pair.into_inner().next() else { return };
        let kind = if p.as_rule() == Rule::window_between_wrong {
            match self.ends(p, place) {
                Some(Ends::Window(kind)) => Some(kind),
                _ => None,
            }
        } else {
            self.window(p, place)
        };
        let Some(kind) = kind else {
            value.kind = ExprKind::Error;
            return;
        };
        let written = self.slice(place).to_string();
        let mut d = self.error(codes::ORDER, place, "the window of a value stands inside its parentheses");
        let end = value.span.end.saturating_sub(1);
        let inside = Span { start: end, end, ..value.span };
        let gap = self.blank_before(place);
        let edits = vec![(inside, format!(" {written}")), (gap, String::new())];
        let slot = match &mut value.kind {
            ExprKind::Aggregate(a) => Some(&mut a.behaviour.window),
            ExprKind::Rate(r) => Some(&mut r.window),
            _ => None,
        };
        match slot {
            Some(slot @ None) => {
                d = d.label("nothing here that this window could bound").fix("move it into the parentheses", edits);
                *slot = Some(Window { kind, span: place });
            }
            Some(Some(first)) => d = d.label("a second window").also(first.span, "the first one"),
            None => d = d.label("what is ranked has its own window"),
        }
        self.say(d);
    }
}
