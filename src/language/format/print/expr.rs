//! Conditions and values to text.

use super::Printer;
use crate::language::source::Span;
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
            ExprKind::Phrase(phrase) => self.phrase(phrase, indent),
            ExprKind::Test { left, test } => {
                self.expr(left, indent);
                self.test(test, indent);
            }
            ExprKind::KnownFor(d) => {
                self.word(at, "known");
                self.word(at, "for");
                self.word(d.span.start as usize, &d.to_string());
            }
            ExprKind::Sequence(sequence) => self.sequence(sequence, indent),
            ExprKind::Gathered(g) => {
                let open = match g.by {
                    GatheredBy::Session => {
                        self.word(at, "in one session");
                        self.behind(at, &["in", "one", "session"])
                    }
                    GatheredBy::Any(length) => {
                        self.word(at, "in any");
                        self.word(length.span.start as usize, &length.to_string());
                        self.next_token(length.span.end as usize)
                    }
                };
                self.blank();
                self.paren(open, &g.inside, indent);
                if let Some(window) = &g.window {
                    self.window(window, indent);
                }
            }
            ExprKind::Ranked(r) => {
                self.word(at, if r.end == RankEnd::Top { "top" } else { "bottom" });
                self.number(r.size_span);
                self.word(self.next_token(r.size_span.end as usize), "by");
                self.ranked(&r.by, r.among.as_ref(), indent);
            }
            ExprKind::Sample(s) => {
                self.word(at, "sample");
                self.number(s.share_span);
                if let Some(salt) = &s.salt {
                    self.word(self.next_token(s.share_span.end as usize), "of");
                    self.value_word(salt);
                }
            }
            ExprKind::Anniversary(a) => {
                self.word(at, "anniversary of");
                self.qualified(a.qualifier.as_ref(), &a.name);
                if let Some(window) = &a.window {
                    self.window(window, indent);
                }
            }
            ExprKind::Member(m) => {
                self.word(at, "member of");
                self.name(&m.segment);
                if let Some(long) = m.long {
                    self.word(self.next_token(m.segment.span.end as usize), &format!("for {long}"));
                }
            }
            ExprKind::Recorded(r) => {
                self.quantifier(r.quantifier);
                self.word(r.what_span.start as usize, r.what.words());
                self.name(&r.name);
                if let Some(test) = &r.test {
                    self.test(test, indent);
                }
                if let Some(window) = &r.window {
                    self.window(window, indent);
                }
            }
            ExprKind::Aggregate(a) => self.aggregate(a, expr.span, indent),
            ExprKind::Rate(r) => {
                self.word(at, "rate");
                self.open(self.behind(at, &["rate"]));
                self.phrase(&r.of, indent);
                self.word(self.next_token(self.phrase_end(&r.of)), "per");
                self.phrase(&r.per, indent);
                if let Some(window) = &r.window {
                    self.window(window, indent);
                }
                self.token(expr.span.end.saturating_sub(1) as usize, ")");
            }
            ExprKind::RankOf(r) => {
                let scale = match r.scale {
                    RankScale::Quintile => "quintile",
                    RankScale::Decile => "decile",
                    RankScale::PercentileRank => "percentile_rank",
                };
                self.word(r.scale_span.start as usize, scale);
                self.open(self.next_token(r.scale_span.end as usize));
                self.ranked(&r.by, r.among.as_ref(), indent);
                self.token(expr.span.end.saturating_sub(1) as usize, ")");
            }
            ExprKind::Arithmetic { .. } => self.arithmetic(expr, indent),
            ExprKind::DaysSince(d) => {
                self.word(at, "days");
                self.word(at, "since");
                match d.which {
                    Some(Quantifier::First) => self.word(at, "first"),
                    Some(_) => self.word(at, "last"),
                    None => {}
                }
                self.phrase(&d.of, indent);
            }
            ExprKind::Number(n) => {
                let text = self.source.slice(expr.span);
                let digits = text.trim_start_matches('-').starts_with(|c: char| c.is_ascii_digit());
                let text = if digits { text.to_string() } else { n.to_string() };
                self.word(at, &text);
            }
            ExprKind::Percent(_) => self.number(expr.span),
            ExprKind::Text(text) => self.word(at, &quoted(text)),
            ExprKind::Date(_) | ExprKind::Instant(_) => {
                let text = self.source.slice(expr.span).to_string();
                self.word(at, &text);
            }
            ExprKind::Error => self.wide = true,
        }
    }

    /// `sum(amount of purchased)`
    fn aggregate(&mut self, a: &Aggregate, span: Span, indent: usize) {
        self.word(a.function_span.start as usize, a.function.word());
        self.open(self.next_token(a.function_span.end as usize));
        if let Some((_, span)) = a.percent {
            self.number(span);
            self.token(self.next_token(span.end as usize), ",");
        }
        if let Some(property) = &a.property {
            self.name(property);
            self.word(self.next_token(property.span.end as usize), "of");
        }
        self.phrase(&a.behaviour, indent);
        self.token(span.end.saturating_sub(1) as usize, ")");
    }

    /// A value and whom it is ranked among.
    fn ranked(&mut self, by: &Expr, among: Option<&Name>, indent: usize) {
        self.expr(by, indent);
        if let Some(among) = among {
            self.word(self.next_token(by.span.end as usize), "among");
            self.name(among);
        }
    }

    /// Operators that bind alike, on one line or each beginning a line.
    fn arithmetic(&mut self, expr: &Expr, indent: usize) {
        let (first, rest) = operands(expr);
        let flat = |p: &mut Self| {
            p.expr(first, indent);
            let mut before = first;
            for (op, right) in &rest {
                if p.measuring {
                    p.wide |= p.broken_between(before.span, right.span);
                }
                p.word(p.next_token(before.span.end as usize), sign_of(*op));
                if p.wide {
                    return;
                }
                p.expr(right, indent);
                before = right;
            }
        };
        if self.fits(first.span.start as usize, flat) {
            flat(self);
            return;
        }
        self.expr(first, indent + 2);
        let mut before = first;
        for (op, right) in &rest {
            self.line(indent + 2);
            self.token(self.next_token(before.span.end as usize), sign_of(*op));
            self.expr(right, indent + 2);
            before = right;
        }
    }

    /// A number or a percentage as it is written, without blanks.
    pub(super) fn number(&mut self, span: Span) {
        let text: String = self.source.slice(span).split_whitespace().collect();
        self.word(span.start as usize, &text);
    }

    /// Where the token behind these words is, the first of which stands at `at`.
    fn behind(&self, at: usize, words: &[&str]) -> usize {
        words.iter().fold(at, |at, word| self.next_token(at + word.len()))
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
}

pub(super) fn spelt(word: &Word) -> String {
    if word.quoted || !is_name(&word.text) { quoted(&word.text) } else { word.text.clone() }
}

fn sign_of(op: Arithmetic) -> &'static str {
    match op {
        Arithmetic::Add => "+",
        Arithmetic::Subtract => "-",
        Arithmetic::Multiply => "*",
        Arithmetic::Divide => "/",
    }
}

/// `a + b - c` as its first operand and the others with their operators, all of which bind alike.
fn operands(mut expr: &Expr) -> (&Expr, Vec<(Arithmetic, &Expr)>) {
    let adds = |op: Arithmetic| matches!(op, Arithmetic::Add | Arithmetic::Subtract);
    let mut rest = Vec::new();
    let mut wanted = None;
    while let ExprKind::Arithmetic { op, left, right } = &expr.kind {
        if *wanted.get_or_insert(adds(*op)) != adds(*op) {
            break;
        }
        rest.push((*op, &**right));
        expr = left;
    }
    rest.reverse();
    (expr, rest)
}
