//! Conditions and values.

use super::tail::{Follow, Tails};
use super::value::calculated;
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
                let mut inner = pair.into_inner().peekable();
                let Some(first) = inner.next() else { return self.hole(span) };
                let mut left = self.value(first);
                if let Some(window) = inner.next_if(|p| p.as_rule() == Rule::outside_wrong) {
                    self.outside(&mut left, window);
                }
                let tails = self.tails_of(inner, Some(left.span), Follow::Value);
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
            Rule::gathered
            | Rule::ranked
            | Rule::sample
            | Rule::anniversary
            | Rule::member
            | Rule::recorded
            | Rule::predicted_later => self.special(pair),
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
        (first, self.tails_of(inner, before, Follow::Value))
    }

    pub(super) fn paren(&mut self, pair: Pair) -> Expr {
        let span = self.span(&pair);
        match pair.into_inner().next() {
            Some(p) => Expr { kind: ExprKind::Paren(Box::new(self.expr(p))), span },
            None => self.hole(span),
        }
    }

    /// A value and what follows it.
    pub(super) fn tested(&mut self, left: Expr, mut tails: Tails, span: Span) -> Expr {
        if tails.broken {
            return self.hole(span);
        }
        let left = calculated(left, std::mem::take(&mut tails.calculation));
        if let Some(test) = tails.window.as_ref().and_then(|w| between_dates(&left, w))
            && tails.test.is_none()
        {
            tails.window = None;
            tails.test = Some(test);
        }
        if let Some(window) = &tails.window {
            let what = match left.kind {
                ExprKind::Paren(_) => "a window belongs to one behaviour, not to a group",
                ExprKind::Aggregate(_) => "the window of a value stands inside its parentheses",
                ExprKind::Arithmetic { .. } => "a window belongs to one behaviour, not to a calculation",
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
        let event = tails.same.as_ref().map(|s| ("of same", s.1));
        let event = event.or(tails.with_same.as_ref().map(|s| ("with same", s.1)));
        let event = event.or(tails.without.as_ref().map(|w| ("without", w.1)));
        let event = event.or(tails.after.map(|a| ("after", a.1))).or(tails.all_within.map(|a| ("all within", a.1)));
        if let Some((word, place)) = event {
            let d = self
                .error(codes::ORDER, place, format!("`{word}` belongs to an event"))
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
}

/// `max(delivery of purchased) between 2026-01-01 and 2026-03-31`: a comparison, if the value may be a date.
fn between_dates(left: &Expr, window: &Window) -> Option<Test> {
    let WindowKind::Between(a, b) = &window.kind else { return None };
    if let ExprKind::Aggregate(a) = &left.kind
        && !matches!(
            a.function,
            Function::First | Function::Last | Function::Min | Function::Max | Function::MostFrequent
        )
    {
        return None;
    }
    let end = |m: &Moment| match m.kind {
        MomentKind::Date(d) => Expr { kind: ExprKind::Date(d), span: m.span },
        MomentKind::Instant(i) => Expr { kind: ExprKind::Instant(i), span: m.span },
    };
    Some(Test { kind: TestKind::Between { low: end(a), high: end(b) }, span: window.span })
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
