//! Conditions and values.

use super::literal::Literal;
use super::tail::Tails;
use super::*;

impl Builder<'_> {
    pub fn condition(&mut self, pairs: Pairs, base: usize) -> Expr {
        self.base = base;
        let end = self.at(base, base);
        match pairs.flat_map(Pair::into_inner).find(|p| p.as_rule() == Rule::expr) {
            Some(p) => self.expr(p),
            None => self.hole(end),
        }
    }

    /// `a or b and c`: `and` binds tighter.
    pub(super) fn expr(&mut self, pair: Pair) -> Expr {
        let mut alternatives: Vec<Vec<AndPart>> = vec![Vec::new()];
        let mut but = false;
        for p in pair.into_inner() {
            match p.as_rule() {
                Rule::kw_or => {
                    if p.as_str() != "or" {
                        self.spelt(self.span(&p), "or");
                    }
                    alternatives.push(Vec::new());
                    but = false;
                }
                Rule::kw_and => {
                    but = p.as_str() == "but";
                    self.and(&p);
                }
                _ => {
                    let expr = self.unary(p);
                    if let Some(parts) = alternatives.last_mut() {
                        parts.push(AndPart { but, expr });
                    }
                }
            }
        }
        let mut branches: Vec<Expr> = alternatives.into_iter().filter_map(conjunction).collect();
        match (branches.len(), branches.pop()) {
            (1, Some(only)) => only,
            (_, Some(last)) => {
                let span = branches.first().map_or(last.span, |f| f.span.to(last.span));
                branches.push(last);
                Expr { kind: ExprKind::Or(branches), span }
            }
            (_, None) => self.hole(self.at(self.base, self.base)),
        }
    }

    pub(super) fn and(&mut self, pair: &Pair) {
        match pair.as_str() {
            "and" | "but" => {}
            text if text.eq_ignore_ascii_case("but") => self.spelt(self.span(pair), "but"),
            _ => self.spelt(self.span(pair), "and"),
        }
    }

    fn unary(&mut self, pair: Pair) -> Expr {
        if pair.as_rule() != Rule::not_expr {
            return self.primary(pair);
        }
        let mut nots = Vec::new();
        let mut expr = None;
        for p in pair.into_inner() {
            if p.as_rule() == Rule::not_op {
                nots.push(self.not(&p));
            } else {
                expr = Some(self.primary(p));
            }
        }
        let mut expr = expr.unwrap_or_else(|| self.hole(self.at(self.base, self.base)));
        for span in nots.into_iter().rev() {
            let whole = span.to(expr.span);
            expr = Expr { kind: ExprKind::Not(Box::new(expr)), span: whole };
        }
        expr
    }

    fn not(&mut self, pair: &Pair) -> Span {
        let span = self.span(pair);
        if pair.as_str() != "not" {
            let found = pair.as_str();
            let blank = self.text.get(span.end as usize..).is_some_and(|t| t.starts_with(words::is_start));
            let should = if blank { "not " } else { "not" };
            let d = self
                .error(codes::SPELLING, span, format!("`{found}` is written `not`"))
                .label("expected `not`")
                .fix("write `not`", vec![(span, should.to_string())]);
            self.say(d);
        }
        span
    }

    fn primary(&mut self, pair: Pair) -> Expr {
        let span = self.span(&pair);
        match pair.as_rule() {
            Rule::phrase => self.phrase(pair),
            Rule::group => {
                let (first, tails) = self.head_and_tails(pair);
                let Some(paren) = first else { return self.hole(span) };
                let inner = self.paren(paren);
                self.tested(inner, tails, span)
            }
            Rule::literal_first => {
                let (first, tails) = self.head_and_tails(pair);
                let Some(first) = first else { return self.hole(span) };
                let left = self.literal_value(&first);
                self.tested(left, tails, span)
            }
            Rule::days_since_first | Rule::call_first => {
                let (first, tails) = self.head_and_tails(pair);
                let Some(first) = first else { return self.hole(span) };
                let left = self.value(first);
                self.tested(left, tails, span)
            }
            Rule::known_for => {
                let duration = pair.into_inner().find(|p| p.as_rule() == Rule::duration).map(|p| self.duration(&p));
                match duration {
                    Some(duration) => Expr { kind: ExprKind::KnownFor(duration), span },
                    None => self.hole(span),
                }
            }
            Rule::kw_everyone => {
                if pair.as_str() != "everyone" {
                    self.spelt(span, "everyone");
                }
                Expr { kind: ExprKind::Everyone, span }
            }
            Rule::primary_later => self.primary_later(pair),
            Rule::no_group_wrong => self.no_group(pair),
            Rule::count_first_wrong => self.count_first(pair),
            _ => self.hole(span),
        }
    }

    /// The first pair inside, and what the others say.
    fn head_and_tails<'p>(&mut self, pair: Pair<'p>) -> (Option<Pair<'p>>, Tails) {
        let mut inner = pair.into_inner();
        let first = inner.next();
        let before = first.as_ref().map(|p| self.span(p));
        (first, self.tails(inner, before))
    }

    pub(super) fn paren(&mut self, pair: Pair) -> Expr {
        let span = self.span(&pair);
        match pair.into_inner().next() {
            Some(p) => Expr { kind: ExprKind::Paren(Box::new(self.expr(p))), span },
            None => self.hole(span),
        }
    }

    /// A value and what follows it.
    fn tested(&mut self, left: Expr, tails: Tails, span: Span) -> Expr {
        if tails.broken {
            return self.hole(span);
        }
        if let Some(window) = &tails.window {
            let what = match left.kind {
                ExprKind::Paren(_) => "a window belongs to one behaviour, not to a group",
                ExprKind::Aggregate(_) => "the window of a value stands inside its parentheses",
                _ => "a window can't stand here",
            };
            let place = window.span;
            let written = self.slice(place).to_string();
            let mut d = self.error(codes::ORDER, place, what).label("nothing that this window could bound");
            match &left.kind {
                ExprKind::Aggregate(a) if a.behaviour.window.is_none() => {
                    let inside = Span {
                        start: left.span.end.saturating_sub(1),
                        end: left.span.end.saturating_sub(1),
                        ..left.span
                    };
                    d = d.fix(
                        "move it into the parentheses",
                        vec![(inside, format!(" {written}")), (self.blank_before(place), String::new())],
                    );
                }
                ExprKind::Paren(_) => d = d.help(format!("write `{written}` behind each behaviour inside")),
                _ => {}
            }
            self.say(d);
        }
        if let Some(filter) = &tails.filter {
            let d = self
                .error(codes::ORDER, filter.span, "a `where` belongs to one behaviour")
                .label("it stands behind no event");
            self.say(d);
        }
        match tails.test {
            Some(test) => {
                let span = left.span.to(test.span);
                Expr { kind: ExprKind::Test { left: Box::new(left), test: Box::new(test) }, span }
            }
            None => left,
        }
    }

    /// The place with the blank before it.
    pub(super) fn blank_before(&self, span: Span) -> Span {
        let before = self.text.get(..span.start as usize).unwrap_or("");
        let blanks = before.len() - before.trim_end_matches([' ', '\t']).len();
        Span { start: span.start.saturating_sub(u32::try_from(blanks).unwrap_or(0)), ..span }
    }

    /// `no (…)`
    fn no_group(&mut self, pair: Pair) -> Expr {
        let span = self.span(&pair);
        let mut inner = pair.into_inner();
        let (Some(no), Some(group)) = (inner.next(), inner.next()) else { return self.hole(span) };
        let place = self.span(&no);
        let d = self
            .error(codes::QUANTIFIER, place, format!("`{}` reaches one behaviour, not a group", no.as_str()))
            .label("a group follows")
            .help("`not (…)` negates a group")
            .fix("write `not`", vec![(place, "not".to_string())]);
        self.say(d);
        let expr = self.primary(group);
        Expr { kind: ExprKind::Not(Box::new(expr)), span }
    }

    /// `≥ 3 purchased`
    fn count_first(&mut self, pair: Pair) -> Expr {
        let mut inner = pair.into_inner();
        let (Some(count), Some(phrase)) = (inner.next(), inner.next()) else { return self.hole(self.at(0, 0)) };
        let place = self.span(&count);
        let test = self.tails(std::iter::once(count), None).test;
        let mut expr = self.phrase(phrase);
        if let ExprKind::Phrase(p) = &mut expr.kind {
            let mut d =
                self.error(codes::ORDER, place, "the count stands behind the event").label("nothing is counted yet");
            if p.test.is_none() && p.quantifier.is_none() {
                let end = p.filter.as_ref().map(|f| f.span.end).or(p.subject.as_ref().map(|s| s.span.end));
                let mut end = end.unwrap_or(p.name.span.end);
                if p.filter.is_some() {
                    // Behind the parenthesis that closes the `where`.
                    end = self.text.get(end as usize..).and_then(|t| t.find(')')).map_or(end, |i| end + i as u32 + 1);
                }
                let behind = Span { start: end, end, ..place };
                let gap = Span { end: expr.span.start, ..place };
                let written = self.slice(place).to_string();
                d = d.fix("move it", vec![(gap, String::new()), (behind, format!(" {written}"))]);
                p.test = test;
            }
            self.say(d);
        }
        expr
    }

    pub(super) fn literal_value(&mut self, pair: &Pair) -> Expr {
        match self.literal(pair) {
            Literal::Expr(expr) => expr,
            Literal::Duration(d) => {
                self.no_duration(d);
                self.hole(d.span)
            }
        }
    }

    /// A duration stands where only a value can.
    pub(super) fn no_duration(&mut self, duration: Duration) {
        if self.diagnostics.last().is_some_and(|d| d.primary.span == duration.span) {
            return; // what is wrong with it has been said
        }
        let n = duration.amount;
        let d = self
            .error(codes::WINDOW, duration.span, "a duration can't be compared")
            .label("expected a number or another value")
            .help(format!(
                "`in {}` bounds an event in time; `days since last … ≥ {n}` counts days with a plain number; `on ≥ {n} days` counts the days that have the event",
                self.slice(duration.span)
            ));
        self.say(d);
    }

    /// A value: a literal, `days since …`, an aggregate or a name.
    pub(super) fn value(&mut self, pair: Pair) -> Expr {
        let span = self.span(&pair);
        match pair.as_rule() {
            Rule::head => {
                let (qualifier, name) = self.head(&pair);
                Expr { kind: ExprKind::Phrase(Box::new(bare_phrase(qualifier, name))), span }
            }
            Rule::name => {
                let name = self.name(&pair);
                Expr { kind: ExprKind::Phrase(Box::new(bare_phrase(None, name))), span }
            }
            Rule::days_since => self.days_since(pair),
            Rule::aggregate => self.aggregate(pair),
            Rule::call_later => {
                let what = pair.into_inner().next().map_or(String::new(), |p| p.as_str().to_string());
                let what = what.split_whitespace().collect::<Vec<_>>().join(" ");
                self.not_yet(span, &format!("`{what}(…)`"), None);
                self.hole(span)
            }
            _ => self.literal_value(&pair),
        }
    }

    /// `country`, `customer.country`
    pub(super) fn head(&mut self, pair: &Pair) -> (Option<Name>, Name) {
        let span = self.span(pair);
        match pair.as_str().split_once('.') {
            None => (None, self.name_of(pair.as_str(), span)),
            Some((left, right)) => {
                let dot = span.start as usize + left.len();
                let qualifier = self.name_of(left, self.at(span.start as usize, dot));
                (Some(qualifier), self.name_of(right, self.at(dot + 1, span.end as usize)))
            }
        }
    }

    fn days_since(&mut self, pair: Pair) -> Expr {
        let span = self.span(&pair);
        let mut which = None;
        let mut of = None;
        for p in pair.into_inner() {
            match p.as_rule() {
                Rule::kw_span => {
                    let place = self.span(&p);
                    let d = self
                        .error(codes::SPELLING, place, format!("`{} since` is not available", p.as_str()))
                        .label("time since an event is counted in days")
                        .fix("write `days`", vec![(place, "days".to_string())]);
                    self.say(d);
                }
                Rule::which => which = Some(if p.as_str() == "first" { Quantifier::First } else { Quantifier::Last }),
                Rule::about => of = self.about(p),
                _ => {}
            }
        }
        match of {
            Some(of) => Expr { kind: ExprKind::DaysSince(Box::new(DaysSince { which, of })), span },
            None => self.hole(span),
        }
    }

    pub(super) fn about(&mut self, pair: Pair) -> Option<Phrase> {
        let mut phrase = None;
        for p in pair.into_inner() {
            match p.as_rule() {
                Rule::head => {
                    let (qualifier, name) = self.head(&p);
                    phrase = Some(bare_phrase(qualifier, name));
                }
                Rule::subject => {
                    let subject = self.subject(p);
                    if let Some(phrase) = &mut phrase {
                        phrase.subject = subject;
                    }
                }
                Rule::where_clause => {
                    let filter = self.where_clause(p);
                    if let Some(phrase) = &mut phrase {
                        phrase.filter = Some(Box::new(filter));
                    }
                }
                _ => {}
            }
        }
        phrase
    }

    fn aggregate(&mut self, pair: Pair) -> Expr {
        let span = self.span(&pair);
        let mut function = None;
        let mut property: Option<Name> = None;
        let mut behaviour = None;
        for p in pair.into_inner() {
            match p.as_rule() {
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
        let ExprKind::Phrase(phrase) = behaviour.kind else { return self.hole(span) };
        let mut phrase = *phrase;
        if let Some((_, q)) = phrase.quantifier.take() {
            let d = self
                .error(codes::QUANTIFIER, q, format!("`{}` can't stand inside `{written}(…)`", self.slice(q)))
                .label("all events that match are taken");
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
        let aggregate = Aggregate { function, function_span, percent: None, property, behaviour: phrase };
        Expr { kind: ExprKind::Aggregate(Box::new(aggregate)), span }
    }

    fn function(&mut self, pair: &Pair) -> Function {
        let (function, should) = match pair.as_str() {
            "count" | "number" => (Function::Count, "count"),
            "sum" | "total" => (Function::Sum, "sum"),
            "avg" | "average" | "mean" => (Function::Avg, "avg"),
            "min" | "minimum" => (Function::Min, "min"),
            "max" | "maximum" => (Function::Max, "max"),
            _ => (Function::Distinct, "distinct"),
        };
        if pair.as_str() != should {
            self.spelt(self.span(pair), should);
        }
        function
    }
}

/// A name and nothing else.
pub(super) fn bare_phrase(qualifier: Option<Name>, name: Name) -> Phrase {
    Phrase {
        quantifier: None,
        qualifier,
        name,
        subject: None,
        filter: None,
        test: None,
        same: None,
        window: None,
        without: None,
    }
}

fn conjunction(mut parts: Vec<AndPart>) -> Option<Expr> {
    if let Some(first) = parts.first_mut() {
        first.but = false;
    }
    let last = parts.pop()?;
    let Some(first) = parts.first() else { return Some(last.expr) };
    let span = first.expr.span.to(last.expr.span);
    parts.push(last);
    Some(Expr { kind: ExprKind::And(parts), span })
}
