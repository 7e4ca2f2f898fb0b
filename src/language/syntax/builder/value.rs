//! Values: literals, names, functions, and calculations with them.

use super::literal::Literal;
use super::*;

impl Builder<'_> {
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

    /// A value: a literal, `days since …`, an aggregate, a name, parentheses, or a calculation with them.
    pub(super) fn value(&mut self, pair: Pair) -> Expr {
        let span = self.span(&pair);
        match pair.as_rule() {
            Rule::value => {
                let mut inner = pair.into_inner();
                let Some(first) = inner.next() else { return self.hole(span) };
                let calculates = inner.clone().any(|p| p.as_rule() == Rule::arithmetic);
                let mut left = self.operand(first, calculates);
                if let Some(window) = inner.peek().filter(|p| p.as_rule() == Rule::outside_wrong) {
                    inner.next();
                    self.outside(&mut left, window);
                }
                let steps = self.calculation(inner);
                calculated(left, steps)
            }
            Rule::paren => self.paren(pair),
            Rule::rate => self.rate(pair),
            Rule::rank_of => self.rank_of(pair),
            Rule::head => {
                let (qualifier, name) = self.head(&pair);
                Expr { kind: ExprKind::Phrase(Box::new(Phrase::bare(qualifier, name))), span }
            }
            Rule::name => {
                let name = self.name(&pair);
                Expr { kind: ExprKind::Phrase(Box::new(Phrase::bare(None, name))), span }
            }
            Rule::days_since => self.days_since(pair),
            Rule::aggregate => self.aggregate(pair),
            _ => self.literal_value(&pair),
        }
    }

    /// One value of a calculation.
    fn operand(&mut self, pair: Pair, calculates: bool) -> Expr {
        if !calculates || pair.as_rule() != Rule::duration {
            return self.value(pair);
        }
        let duration = self.duration(&pair);
        if self.diagnostics.last().is_none_or(|d| d.primary.span != duration.span) {
            let n = duration.amount;
            let d = self
                .error(codes::ARITHMETIC, duration.span, "a duration can't be calculated with")
                .label("expected a number or another value")
                .help(format!("`days since …` counts days, and a plain number, such as {n}, may be added to it"));
            self.say(d);
        }
        self.hole(duration.span)
    }

    /// `+ a * 3`: signs and values in turn, a window behind a value in between.
    pub(super) fn calculation<'p>(&mut self, pairs: impl Iterator<Item = Pair<'p>>) -> Vec<(Arithmetic, Expr)> {
        let mut steps: Vec<(Arithmetic, Expr)> = Vec::new();
        let mut op = Arithmetic::Add;
        for p in pairs {
            match p.as_rule() {
                Rule::arithmetic => op = self.arithmetic(&p),
                Rule::outside_wrong => {
                    if let Some((_, value)) = steps.last_mut() {
                        self.outside(value, p);
                    }
                }
                _ => {
                    let value = self.operand(p, true);
                    steps.push((op, value));
                }
            }
        }
        steps
    }

    fn arithmetic(&mut self, pair: &Pair) -> Arithmetic {
        let span = self.span(pair);
        let (op, should) = match pair.as_str() {
            "+" => (Arithmetic::Add, None),
            "*" => (Arithmetic::Multiply, None),
            "/" => (Arithmetic::Divide, None),
            "×" | "·" => (Arithmetic::Multiply, Some("*")),
            "÷" => (Arithmetic::Divide, Some("/")),
            "-" => (Arithmetic::Subtract, None),
            _ => (Arithmetic::Subtract, Some("-")),
        };
        if let Some(should) = should {
            self.spelt(span, should);
        } else if op == Arithmetic::Subtract {
            let before = self.text.get(..span.start as usize).is_none_or(|t| t.ends_with(char::is_whitespace));
            let behind = self.text.get(span.end as usize..).is_none_or(|t| t.starts_with(char::is_whitespace));
            if !before || !behind {
                let should = format!("{}-{}", if before { "" } else { " " }, if behind { "" } else { " " });
                let d = self
                    .error(codes::ARITHMETIC, span, "a minus stands between blanks")
                    .label("without them `-` belongs to a name or to a negative number")
                    .fix("write ` - `", vec![(span, should)]);
                self.say(d);
            }
        }
        op
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

    /// Two words that are one event's.
    pub(super) fn held_out(&mut self, pair: &Pair) -> Name {
        Name { text: RecordedWhat::HeldOut.words().to_owned(), span: self.span(pair) }
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
                    phrase = Some(Phrase::bare(qualifier, name));
                }
                Rule::held_out => phrase = Some(Phrase::bare(None, self.held_out(&p))),
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
}

/// Multiplications and divisions first, and both from the left.
pub(super) fn calculated(left: Expr, steps: Vec<(Arithmetic, Expr)>) -> Expr {
    let join = |left: Expr, op: Arithmetic, right: Expr| {
        let span = left.span.to(right.span);
        Expr { kind: ExprKind::Arithmetic { op, left: Box::new(left), right: Box::new(right) }, span }
    };
    let mut sum: Option<(Expr, Arithmetic)> = None;
    let mut term = left;
    for (op, value) in steps {
        if matches!(op, Arithmetic::Multiply | Arithmetic::Divide) {
            term = join(term, op, value);
            continue;
        }
        let so_far = match sum.take() {
            Some((left, before)) => join(left, before, term),
            None => term,
        };
        sum = Some((so_far, op));
        term = value;
    }
    match sum {
        Some((left, op)) => join(left, op, term),
        None => term,
    }
}
