//! Conditions and values to text.

use super::{Gap, Printer, WIDTH};
use crate::language::syntax::ast::*;
use crate::language::syntax::{is_name, quoted};

impl Printer<'_> {
    pub(super) fn name(&mut self, name: &Name) {
        self.word(name.span.start as usize, &name.text);
    }

    pub(super) fn value_word(&mut self, word: &Word) {
        let text = spelt(word);
        self.word(word.span.start as usize, &text);
    }

    pub(super) fn expr(&mut self, expr: &Expr, indent: usize) {
        let at = expr.span.start as usize;
        match &expr.kind {
            ExprKind::Or(parts) => {
                let parts: Vec<(&str, &Expr)> = parts.iter().map(|e| ("or", e)).collect();
                self.chain(&parts, indent);
            }
            ExprKind::And(parts) => {
                let parts: Vec<(&str, &Expr)> =
                    parts.iter().map(|p| (if p.but { "but" } else { "and" }, &p.expr)).collect();
                self.chain(&parts, indent);
            }
            ExprKind::Not(inner) => {
                self.word(at, "not");
                self.expr(inner, indent);
            }
            ExprKind::Paren(inner) => {
                self.blank();
                self.paren(at, inner, indent);
            }
            ExprKind::Everyone => self.word(at, "everyone"),
            ExprKind::Phrase(phrase) => self.phrase(phrase, at, indent),
            ExprKind::Test { left, test } => {
                self.expr(left, indent);
                self.test(test, indent);
            }
            ExprKind::KnownFor(d) => {
                self.word(at, "known");
                self.word(at, "for");
                self.word(d.span.start as usize, &d.to_string());
            }
            ExprKind::Aggregate(a) => {
                let function = match a.function {
                    Function::Count => "count",
                    Function::Sum => "sum",
                    Function::Avg => "avg",
                    Function::Min => "min",
                    Function::Max => "max",
                    Function::Distinct => "distinct",
                    // SOON
                    _ => "",
                };
                self.word(a.function_span.start as usize, function);
                let open = self.next_token(a.function_span.end as usize);
                self.open(open);
                let mut start = open + 1;
                if let Some(property) = &a.property {
                    self.token(property.span.start as usize, &property.text);
                    let of = self.next_token(property.span.end as usize);
                    self.word(of, "of");
                    start = of + 2;
                }
                let start = self.next_token(start);
                self.phrase(&a.behaviour, start, indent);
                self.token(expr.span.end.saturating_sub(1) as usize, ")");
            }
            ExprKind::DaysSince(d) => {
                self.word(at, "days");
                self.word(at, "since");
                match d.which {
                    Some(Quantifier::First) => self.word(at, "first"),
                    Some(_) => self.word(at, "last"),
                    None => {}
                }
                self.phrase(&d.of, d.of.name.span.start as usize, indent);
            }
            ExprKind::Number(n) => {
                let text = self.source.slice(expr.span);
                let digits = text.trim_start_matches('-').starts_with(|c: char| c.is_ascii_digit());
                let text = if digits { text.to_string() } else { n.to_string() };
                self.word(at, &text);
            }
            ExprKind::Text(text) => self.word(at, &quoted(text)),
            ExprKind::Percent(_) | ExprKind::Date(_) | ExprKind::Instant(_) => {
                let text = self.source.slice(expr.span).to_string();
                self.word(at, &text);
            }
            // SOON
            ExprKind::Sequence(_)
            | ExprKind::Gathered(_)
            | ExprKind::Ranked(_)
            | ExprKind::Sample(_)
            | ExprKind::Anniversary(_)
            | ExprKind::Member(_)
            | ExprKind::Recorded(_)
            | ExprKind::Rate(_)
            | ExprKind::RankOf(_)
            | ExprKind::Arithmetic { .. } => {}
            ExprKind::Error => self.wide = true,
        }
    }

    /// Parts joined by connectives.
    pub(super) fn chain(&mut self, parts: &[(&str, &Expr)], indent: usize) {
        let flat = |p: &mut Self| {
            for (i, (joint, part)) in parts.iter().enumerate() {
                if let Some((_, before)) = i.checked_sub(1).and_then(|k| parts.get(k)) {
                    if p.measuring {
                        p.wide |= p.broken_between(before.span, part.span);
                    }
                    let at = p.next_token(before.span.end as usize);
                    p.word(at, joint);
                }
                if p.wide {
                    return;
                }
                p.expr(part, indent);
            }
        };
        let start = parts.first().map_or(0, |p| p.1.span.start as usize);
        if self.fits(start, flat) {
            flat(self);
            return;
        }
        for (i, (joint, part)) in parts.iter().enumerate() {
            if let Some((_, before)) = i.checked_sub(1).and_then(|k| parts.get(k)) {
                self.line(indent);
                self.token(self.next_token(before.span.end as usize), joint);
            }
            let inner = if matches!(part.kind, ExprKind::And(_) | ExprKind::Or(_)) { indent + 2 } else { indent };
            self.expr(part, inner);
        }
    }

    /// `( expr )`, the first at `at`; the gap before is the caller's.
    pub(super) fn paren(&mut self, at: usize, inner: &Expr, indent: usize) {
        let end = self.next_token(inner.span.end as usize);
        let flat = |p: &mut Self| {
            p.open(at);
            p.expr(inner, indent);
            p.token(end, ")");
        };
        if self.fits(at, flat) {
            flat(self);
            return;
        }
        self.open(at);
        self.line(indent + 2);
        self.expr(inner, indent + 2);
        self.line(indent);
        self.token(end, ")");
    }

    pub(super) fn phrase(&mut self, phrase: &Phrase, at: usize, indent: usize) {
        if let Some((q, span)) = phrase.quantifier {
            let word = match q {
                Quantifier::No => "no",
                Quantifier::Never => "never",
                Quantifier::First => "first",
                Quantifier::Last => "last",
            };
            self.word(span.start as usize, word);
        }
        match &phrase.qualifier {
            Some(q) => self.word(at, &format!("{}.{}", q.text, phrase.name.text)),
            None => self.name(&phrase.name),
        }
        let mut end = phrase.name.span.end as usize;
        if let Some(subject) = &phrase.subject {
            self.subject(subject, indent);
            end = subject.span.end as usize;
        }
        if let Some(filter) = &phrase.filter {
            let at = self.next_token(end);
            self.word(at, "where");
            self.blank();
            let open = self.next_token(at + "where".len());
            self.paren(open, filter, indent);
        }
        if let Some(test) = &phrase.test {
            self.test(test, indent);
        }
        if let Some(window) = &phrase.window {
            let text = self.window(window);
            self.word(window.span.start as usize, &text);
        }
    }

    pub(super) fn subject(&mut self, subject: &Subject, indent: usize) {
        let at = subject.span.start as usize;
        if subject.other_than {
            self.word(at, "other");
            self.word(at, "than");
        }
        let words: Vec<(usize, String)> = subject.words.iter().map(|w| (w.span.start as usize, spelt(w))).collect();
        if subject.parenthesised {
            let end = subject.span.end.saturating_sub(1) as usize;
            self.flowing(&words, " or", end, indent);
        } else if let Some((at, text)) = words.first() {
            self.word(*at, text);
        }
    }

    /// Words in parentheses, broken only where the line ends.
    pub(super) fn flowing(&mut self, words: &[(usize, String)], joint: &str, end: usize, indent: usize) {
        self.blank();
        let open = words.first().map_or(end, |w| w.0);
        self.open(open);
        for (i, (at, text)) in words.iter().enumerate() {
            let last = i + 1 == words.len();
            let text = if last { text.clone() } else { format!("{text}{joint}") };
            if i > 0 {
                let width = text.chars().count() + 1 + usize::from(last);
                if !self.measuring && self.column + width > WIDTH {
                    self.gap = Gap::Line(indent + 4);
                }
                self.blank();
            }
            self.token(*at, &text);
        }
        self.token(end, ")");
    }

    pub(super) fn test(&mut self, test: &Test, indent: usize) {
        let at = test.span.start as usize;
        match &test.kind {
            TestKind::Compare { op, right } => {
                self.word(at, self.sign(*op));
                self.expr(right, indent);
            }
            TestKind::Between { low, high } => {
                self.word(at, "between");
                self.expr(low, indent);
                self.word(self.next_token(low.span.end as usize), "and");
                self.expr(high, indent);
            }
            TestKind::OnPeriods { op, count, unit } => {
                self.word(at, "on");
                self.word(at, self.sign(*op));
                self.expr(count, indent);
                let unit = match unit {
                    PeriodUnit::Day => "days",
                    PeriodUnit::Week => "weeks",
                    PeriodUnit::Month => "months",
                    PeriodUnit::Quarter => "quarters",
                    PeriodUnit::Year => "years",
                };
                self.word(test.span.end as usize, unit);
            }
            TestKind::OneOf { words, negated } => {
                self.word(at, if *negated { "not in" } else { "in" });
                let words: Vec<(usize, String)> =
                    words.iter().map(|w| (w.span.start as usize, self.entry(w))).collect();
                self.flowing(&words, ",", test.span.end.saturating_sub(1) as usize, indent);
            }
            TestKind::Text { how, word } => {
                let how = match how {
                    TextTest::Contains => "contains",
                    TextTest::StartsWith => "starts with",
                    TextTest::EndsWith => "ends with",
                    TextTest::Matches => "matches",
                };
                self.word(at, how);
                self.value_word(word);
            }
            TestKind::Has(word) => {
                self.word(at, "has");
                self.value_word(word);
            }
            TestKind::Known { negated } => self.word(at, if *negated { "is unknown" } else { "is known" }),
        }
    }

    /// An entry of a value list.
    pub(super) fn entry(&self, expr: &Expr) -> String {
        match &expr.kind {
            ExprKind::Phrase(p) => p.name.text.clone(),
            ExprKind::Text(t) => quoted(t),
            _ => self.source.slice(expr.span).to_string(),
        }
    }

    pub(super) fn sign(&self, op: Op) -> &'static str {
        match (op, self.style.ascii) {
            (Op::Eq, _) => "=",
            (Op::Lt, _) => "<",
            (Op::Gt, _) => ">",
            (Op::Ne, false) => "≠",
            (Op::Le, false) => "≤",
            (Op::Ge, false) => "≥",
            (Op::Ne, true) => "!=",
            (Op::Le, true) => "<=",
            (Op::Ge, true) => ">=",
        }
    }

    pub(super) fn window(&self, window: &Window) -> String {
        let moment = |m: &Moment| self.source.slice(m.span).to_string();
        match &window.kind {
            WindowKind::In(d) => format!("in {}", d),
            WindowKind::BetweenAgo(a, b) => format!("between {} and {} ago", a, b),
            WindowKind::OverAgo(d) => format!("over {} ago", d),
            WindowKind::Since(m) => format!("since {}", moment(m)),
            WindowKind::Before(m) => format!("before {}", moment(m)),
            WindowKind::On(d) => format!("on {:04}-{:02}-{:02}", d.year, d.month, d.day),
            WindowKind::Between(a, b) => format!("between {} and {}", moment(a), moment(b)),
            WindowKind::Ever => "ever".to_string(),
            // SOON
            _ => String::new(),
        }
    }
}

fn spelt(word: &Word) -> String {
    if word.quoted || !is_name(&word.text) { quoted(&word.text) } else { word.text.clone() }
}
