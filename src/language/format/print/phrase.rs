//! Behaviours and what belongs to them to text: subjects, counts, windows, sequences.

use super::expr::spelt;
use super::{Gap, Printer, WIDTH};
use crate::language::source::Span;
use crate::language::syntax::ast::*;
use crate::language::syntax::quoted;

impl Printer<'_> {
    pub(super) fn phrase(&mut self, phrase: &Phrase, indent: usize) {
        self.quantifier(phrase.quantifier);
        self.qualified(phrase.qualifier.as_ref(), &phrase.name);
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
            end = self.next_token(filter.span.end as usize) + 1;
        }
        if let Some(test) = &phrase.test {
            self.test(test, indent);
            end = test.span.end as usize;
        }
        if let Some(same) = &phrase.same {
            self.word(self.next_token(end), "of same");
            self.name(same);
            end = same.span.end as usize;
        }
        if let Some(window) = &phrase.window {
            self.window(window, indent);
            end = window.span.end as usize;
        }
        if let Some(without) = &phrase.without {
            self.word(self.next_token(end), "without");
            self.phrase(without, indent);
        }
    }

    pub(super) fn quantifier(&mut self, quantifier: Option<(Quantifier, Span)>) {
        if let Some((quantifier, span)) = quantifier {
            self.word(span.start as usize, quantifier_word(quantifier));
        }
    }

    /// `birth_date`, `customer.birth_date`
    pub(super) fn qualified(&mut self, qualifier: Option<&Name>, name: &Name) {
        match qualifier {
            Some(q) => self.word(q.span.start as usize, &format!("{}.{}", q.text, name.text)),
            None => self.name(name),
        }
    }

    /// Where the phrase ends, which no span says.
    pub(super) fn phrase_end(&self, phrase: &Phrase) -> usize {
        let mut end = phrase.name.span.end as usize;
        if let Some(subject) = &phrase.subject {
            end = end.max(subject.span.end as usize);
        }
        if let Some(filter) = &phrase.filter {
            end = end.max(self.next_token(filter.span.end as usize) + 1);
        }
        for span in [
            phrase.test.as_ref().map(|t| t.span),
            phrase.same.as_ref().map(|n| n.span),
            phrase.window.as_ref().map(|w| w.span),
        ]
        .into_iter()
        .flatten()
        {
            end = end.max(span.end as usize);
        }
        phrase.without.as_ref().map_or(end, |without| end.max(self.phrase_end(without)))
    }

    // -------------------------------------------------------------------------------------------------------- sequences

    /// A sequence breaks before each `then`, and before what is said of the whole of it.
    pub(super) fn sequence(&mut self, sequence: &Sequence, indent: usize) {
        let flat = |p: &mut Self| p.sequence_by(sequence, indent, None);
        if self.fits(phrase_start(&sequence.first), flat) {
            flat(self);
        } else {
            self.sequence_by(sequence, indent, Some(indent + 2));
        }
    }

    /// With the lines behind the first at `line`; on one line without.
    fn sequence_by(&mut self, sequence: &Sequence, indent: usize, line: Option<usize>) {
        let inner = line.unwrap_or(indent);
        self.phrase(&sequence.first, indent);
        let mut end = self.phrase_end(&sequence.first);
        for then in &sequence.then {
            let at = self.break_or_blank(end, line);
            self.token(at, "then");
            end = self.then(then, inner);
        }
        if sequence.all_within.is_some() || sequence.same.is_some() {
            self.break_or_blank(end, line);
        }
        if let Some(length) = sequence.all_within {
            self.word(self.next_token(end), &format!("all within {length}"));
            end = end.max(length.span.end as usize);
        }
        if let Some(same) = &sequence.same {
            self.word(self.next_token(end), "with same");
            self.name(same);
        }
    }

    /// The gap before a token that may begin a line of its own, and where that token is.
    fn break_or_blank(&mut self, end: usize, line: Option<usize>) -> usize {
        let at = self.next_token(end);
        if self.measuring {
            self.wide |= self.source.text.get(end..at).is_some_and(|t| t.contains('\n'));
        }
        match line {
            Some(indent) => self.line(indent),
            None => self.blank(),
        }
        at
    }

    /// What stands behind `then`; the end of it.
    fn then(&mut self, then: &Then, indent: usize) -> usize {
        self.phrase(&then.event, indent);
        let mut end = self.phrase_end(&then.event);
        for (word, length) in [("after", then.after), ("within", then.within)] {
            if let Some(length) = length {
                self.word(self.next_token(end), &format!("{word} {length}"));
                end = end.max(length.span.end as usize);
            }
        }
        if let Some(without) = &then.without {
            self.word(self.next_token(end), "without");
            self.phrase(without, indent);
            end = end.max(self.phrase_end(without));
        }
        end
    }

    // ------------------------------------------------------------------------------------------------ subjects and tests

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
                self.word(test.span.end as usize, periods(*unit));
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

    // ---------------------------------------------------------------------------------------------------------- windows

    pub(super) fn window(&mut self, window: &Window, indent: usize) {
        let at = window.span.start as usize;
        let moment = |m: &Moment| self.source.slice(m.span).to_string();
        let text = match &window.kind {
            WindowKind::In(d) => format!("in {d}"),
            WindowKind::BetweenAgo(a, b) => format!("between {a} and {b} ago"),
            WindowKind::OverAgo(d) => format!("over {d} ago"),
            WindowKind::Since(m) => format!("since {}", moment(m)),
            WindowKind::Before(m) => format!("before {}", moment(m)),
            WindowKind::On(d) => format!("on {:04}-{:02}-{:02}", d.year, d.month, d.day),
            WindowKind::Between(a, b) => format!("between {} and {}", moment(a), moment(b)),
            WindowKind::Ever => "ever".to_string(),
            WindowKind::Within(d) => format!("within {d}"),
            WindowKind::This(unit) => format!("in this {}", period(*unit)),
            WindowKind::Previous(1, unit) => format!("in previous {}", period(*unit)),
            WindowKind::Previous(n, unit) => format!("in previous {n} {}", periods(*unit)),
            WindowKind::EachOfPrevious(1, unit) => format!("in each of previous 1 {}", period(*unit)),
            WindowKind::EachOfPrevious(n, unit) => format!("in each of previous {n} {}", periods(*unit)),
            WindowKind::Next(1, unit) => format!("in next {}", period(*unit)),
            WindowKind::Next(n, unit) => format!("in next {n} {}", periods(*unit)),
            WindowKind::SinceEvent(since) => {
                self.word(at, "since");
                self.word(at, quantifier_word(since.which));
                if let Some(back) = since.back {
                    self.word(at, &back.to_string());
                }
                return self.phrase(&since.of, indent);
            }
        };
        self.word(at, &text);
    }
}

/// Where the phrase begins.
pub(super) fn phrase_start(phrase: &Phrase) -> usize {
    let first = phrase.qualifier.as_ref().map_or(phrase.name.span, |q| q.span);
    phrase.quantifier.map_or(first, |(_, span)| span).start as usize
}

fn quantifier_word(quantifier: Quantifier) -> &'static str {
    match quantifier {
        Quantifier::No => "no",
        Quantifier::Never => "never",
        Quantifier::First => "first",
        Quantifier::Last => "last",
    }
}

fn period(unit: PeriodUnit) -> &'static str {
    match unit {
        PeriodUnit::Day => "day",
        PeriodUnit::Week => "week",
        PeriodUnit::Month => "month",
        PeriodUnit::Quarter => "quarter",
        PeriodUnit::Year => "year",
    }
}

fn periods(unit: PeriodUnit) -> &'static str {
    match unit {
        PeriodUnit::Day => "days",
        PeriodUnit::Week => "weeks",
        PeriodUnit::Month => "months",
        PeriodUnit::Quarter => "quarters",
        PeriodUnit::Year => "years",
    }
}
