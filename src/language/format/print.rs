//! Tree to text.

use super::Style;
use crate::language::source::{SourceFile, Span};
use crate::language::syntax::ast::*;
use crate::language::syntax::{Comment, Parsed, is_name, quoted};

/// No line that can be broken is wider.
const WIDTH: usize = 100;

/// What stands between the last token and the next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gap {
    None,
    /// Nothing, even before a word: behind `(` and at the start.
    Tight,
    Blank,
    /// A new line with this indent.
    Line(usize),
}

pub(super) struct Printer<'a> {
    source: &'a SourceFile,
    style: Style,
    comments: &'a [Comment],
    /// The first comment that is not written yet.
    next: usize,
    out: String,
    column: usize,
    gap: Gap,
    /// The indent of a line that only a comment broke.
    hanging: usize,
    /// Nothing is written, only measured: everything on one line.
    measuring: bool,
    /// What was measured is too wide, or the author broke it, or it has a comment inside.
    wide: bool,
    /// While measuring: the first comment that may be inside.
    inner: usize,
    /// The last thing written is a comment: nothing may follow on its line.
    after_comment: bool,
}

pub(super) fn print(source: &SourceFile, parsed: &Parsed, style: Style) -> String {
    let mut p = Printer {
        source,
        style,
        comments: &parsed.comments,
        next: 0,
        out: String::with_capacity(source.text.len() + 64),
        column: 0,
        gap: Gap::Tight,
        hanging: 0,
        measuring: false,
        wide: false,
        inner: 0,
        after_comment: false,
    };
    p.file(&parsed.file);
    p.out
}

fn span_of(item: &Item) -> Span {
    match item {
        Item::Segment(s) => s.span,
        Item::Trait(t) => t.span,
        Item::Campaign(c) => c.span,
        Item::Bare(b) => b.span,
        Item::Error { span, .. } => *span,
    }
}

impl Printer<'_> {
    // ------------------------------------------------------------------------------------------------------------- text

    /// Writes a token that stands at `at` in the source, and the comments before it.
    fn token(&mut self, at: usize, text: &str) {
        if self.measuring {
            self.column += text.chars().count() + usize::from(self.gap == Gap::Blank);
            self.gap = Gap::None;
            self.wide |=
                self.column > WIDTH || self.comments.get(self.inner).is_some_and(|c| (c.span.start as usize) < at);
            return;
        }
        self.comments_before(at);
        if self.after_comment && !matches!(self.gap, Gap::Line(_)) {
            self.gap = Gap::Line(self.hanging);
        }
        self.fill_gap();
        self.out.push_str(text);
        self.column += text.chars().count();
        self.after_comment = false;
    }

    fn fill_gap(&mut self) {
        match self.gap {
            Gap::None | Gap::Tight => {}
            Gap::Blank => {
                self.out.push(' ');
                self.column += 1;
            }
            Gap::Line(indent) => {
                if !self.out.is_empty() {
                    self.out.push('\n');
                }
                self.out.extend(std::iter::repeat_n(' ', indent));
                self.column = indent;
            }
        }
        self.gap = Gap::None;
    }

    fn comments_before(&mut self, at: usize) {
        while let Some(comment) = self.comments.get(self.next).filter(|c| (c.span.start as usize) < at) {
            self.next += 1;
            if comment.own_line || self.after_comment || self.out.is_empty() {
                let indent = match self.gap {
                    Gap::Line(indent) => indent,
                    _ => self.hanging,
                };
                self.gap = Gap::Line(indent);
                self.fill_gap();
                self.gap = Gap::Line(indent);
            } else {
                self.out.push_str("  ");
                if !matches!(self.gap, Gap::Line(_)) {
                    self.gap = Gap::Line(self.hanging);
                }
            }
            self.comment(comment);
        }
    }

    fn comment(&mut self, comment: &Comment) {
        let text = comment.text.trim_end();
        self.out.push('#');
        if text.starts_with(|c: char| c.is_alphanumeric()) {
            self.out.push(' ');
        }
        self.out.push_str(text);
        self.after_comment = true;
    }

    fn blank(&mut self) {
        if self.gap == Gap::None {
            self.gap = Gap::Blank;
        }
    }

    /// `(`, with nothing behind it.
    fn open(&mut self, at: usize) {
        self.token(at, "(");
        self.gap = Gap::Tight;
    }

    fn line(&mut self, indent: usize) {
        self.gap = Gap::Line(indent);
        self.hanging = indent + 4;
    }

    /// A token behind a blank.
    fn word(&mut self, at: usize, text: &str) {
        self.blank();
        self.token(at, text);
    }

    /// The offset of the first token at or after `at`.
    fn next_token(&self, mut at: usize) -> usize {
        loop {
            let rest = self.source.text.get(at..).unwrap_or("");
            at += rest.len() - rest.trim_start().len();
            let i = self.comments.partition_point(|c| (c.span.end as usize) <= at);
            match self.comments.get(i) {
                Some(c) if c.span.start as usize <= at => at = c.span.end as usize,
                _ => return at,
            }
        }
    }

    fn broken_between(&self, a: Span, b: Span) -> bool {
        self.source.text.get(a.end as usize..b.start as usize).is_some_and(|t| t.contains('\n'))
    }

    /// Whether `write`, which begins at `at`, stays on this line: it fits, and the author broke none of it.
    fn fits(&mut self, at: usize, write: impl Fn(&mut Self)) -> bool {
        if self.measuring {
            return true;
        }
        let (gap, column) = (self.gap, self.column);
        if let Gap::Line(indent) = gap {
            (self.gap, self.column) = (Gap::Tight, indent);
        }
        (self.measuring, self.wide) = (true, false);
        self.inner = self.comments.partition_point(|c| (c.span.start as usize) < at);
        write(self);
        let fits = !self.wide;
        (self.measuring, self.wide, self.gap, self.column) = (false, false, gap, column);
        fits
    }

    // ------------------------------------------------------------------------------------------------------------ items

    fn file(&mut self, file: &File) {
        let mut end: Option<usize> = None;
        let mut last_block = false;
        for item in &file.items {
            let span = span_of(item);
            let start = span.start as usize;
            let one_line = self.fits(start, |p| p.item(item, true));
            self.between(end, start, end.is_some() && (last_block || !one_line), true);
            self.item(item, one_line);
            end = Some(span.end as usize);
            last_block = !one_line;
        }
        self.between(end, self.source.text.len() + 1, false, false);
        if !self.out.is_empty() {
            self.out.push('\n');
        }
    }

    /// The comments between two items, and the blank lines.
    fn between(&mut self, end: Option<usize>, start: usize, mut blank: bool, item: bool) {
        let mut done = end.unwrap_or(0);
        let text = self.source.text.clone();
        let apart = |a: usize, b: usize| {
            text.get(a..b.min(text.len())).is_some_and(|t| t.bytes().filter(|b| *b == b'\n').count() > 1)
        };
        // A blank line that is wanted stands before the comments that belong to the next item.
        let mut places: Vec<(usize, usize)> = Vec::new();
        let from = self.next;
        for c in self.comments.iter().skip(from).take_while(|c| (c.span.start as usize) < start) {
            places.push((c.span.start as usize, c.span.end as usize));
        }
        let mut ends = vec![done];
        ends.extend(places.iter().map(|p| p.1));
        let mut starts: Vec<usize> = places.iter().map(|p| p.0).collect();
        starts.push(start);
        if ends.iter().zip(&starts).any(|(a, b)| apart(*a, *b)) {
            blank = false;
        }
        // A comment that comes to stand on a line of its own must not become the description of what follows.
        let mut detach = false;
        for (from, to) in places {
            let Some(comment) = self.comments.get(self.next) else { break };
            self.next += 1;
            if comment.own_line || self.after_comment || self.out.is_empty() {
                self.break_line(apart(done, from) || std::mem::take(&mut blank) || std::mem::take(&mut detach));
                detach = !comment.own_line || end.is_some_and(|end| from < end);
            } else {
                self.out.push_str("  ");
            }
            self.comment(comment);
            done = to;
        }
        if item {
            self.break_line(apart(done, start) || blank || detach);
        }
        self.gap = Gap::Tight;
        self.hanging = 4;
        self.after_comment = false;
    }

    fn break_line(&mut self, blank: bool) {
        if self.out.is_empty() {
            return;
        }
        self.out.push_str(if blank { "\n\n" } else { "\n" });
        self.column = 0;
    }

    fn item(&mut self, item: &Item, one_line: bool) {
        match item {
            Item::Segment(s) => {
                let head = ("segment", s.span, &s.name, s.was.as_ref(), s.title.as_ref());
                self.declaration(head, &s.condition, &[], one_line);
            }
            Item::Trait(t) => {
                self.declaration(("trait", t.span, &t.name, None, t.title.as_ref()), &t.value, &[], one_line);
            }
            Item::Campaign(c) => {
                let head = ("campaign", c.span, &c.name, c.was.as_ref(), c.title.as_ref());
                self.declaration(head, &c.condition, &c.arms, one_line);
            }
            Item::Bare(b) => {
                self.expr(&b.condition, 0);
                self.arms(&b.condition, &b.arms, 0, one_line);
            }
            Item::Error { .. } => self.wide = true,
        }
    }

    fn declaration(
        &mut self,
        (word, span, name, was, title): (&str, Span, &Name, Option<&Name>, Option<&Word>),
        condition: &Expr,
        arms: &[Arm],
        one_line: bool,
    ) {
        self.token(span.start as usize, word);
        self.name(name);
        let mut end = name.span;
        if let Some(was) = was {
            self.word(self.next_token(end.end as usize), "was");
            self.name(was);
            end = was.span;
        }
        if let Some(title) = title {
            self.value_word(title);
            end = title.span;
        }
        self.token(self.next_token(end.end as usize), ":");
        if self.measuring {
            self.wide |= self.broken_between(end, condition.span);
        }
        if one_line {
            self.blank();
            self.hanging = 4;
        } else {
            self.line(2);
        }
        self.expr(condition, if one_line { 0 } else { 2 });
        self.arms(condition, arms, 2, one_line);
    }

    fn arms(&mut self, condition: &Expr, arms: &[Arm], indent: usize, one_line: bool) {
        for arm in arms {
            if one_line {
                if self.measuring {
                    self.wide |= self.broken_between(condition.span, arm.span);
                }
                self.blank();
            } else {
                self.line(indent);
            }
            self.token(arm.span.start as usize, if self.style.ascii { "->" } else { "→" });
            self.name(&arm.action.verb);
            for argument in &arm.action.arguments {
                self.value_word(argument);
            }
            if let Some(by) = &arm.action.by {
                let before = arm.action.arguments.last().map_or(arm.action.verb.span, |a| a.span);
                self.word(self.next_token(before.end as usize), "by");
                self.name(by);
            }
        }
    }

    // ------------------------------------------------------------------------------------------------------ expressions

    fn name(&mut self, name: &Name) {
        self.word(name.span.start as usize, &name.text);
    }

    fn value_word(&mut self, word: &Word) {
        let text = spelt(word);
        self.word(word.span.start as usize, &text);
    }

    fn expr(&mut self, expr: &Expr, indent: usize) {
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
                self.word(d.span.start as usize, &duration(*d));
            }
            ExprKind::Aggregate(a) => {
                let function = match a.function {
                    Function::Count => "count",
                    Function::Sum => "sum",
                    Function::Avg => "avg",
                    Function::Min => "min",
                    Function::Max => "max",
                    Function::Distinct => "distinct",
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
            ExprKind::Error => self.wide = true,
        }
    }

    /// Parts joined by connectives.
    fn chain(&mut self, parts: &[(&str, &Expr)], indent: usize) {
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
    fn paren(&mut self, at: usize, inner: &Expr, indent: usize) {
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

    fn phrase(&mut self, phrase: &Phrase, at: usize, indent: usize) {
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

    fn subject(&mut self, subject: &Subject, indent: usize) {
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
    fn flowing(&mut self, words: &[(usize, String)], joint: &str, end: usize, indent: usize) {
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

    fn test(&mut self, test: &Test, indent: usize) {
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
    fn entry(&self, expr: &Expr) -> String {
        match &expr.kind {
            ExprKind::Phrase(p) => p.name.text.clone(),
            ExprKind::Text(t) => quoted(t),
            _ => self.source.slice(expr.span).to_string(),
        }
    }

    fn sign(&self, op: Op) -> &'static str {
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

    fn window(&self, window: &Window) -> String {
        let moment = |m: &Moment| self.source.slice(m.span).to_string();
        match &window.kind {
            WindowKind::In(d) => format!("in {}", duration(*d)),
            WindowKind::BetweenAgo(a, b) => format!("between {} and {} ago", duration(*a), duration(*b)),
            WindowKind::OverAgo(d) => format!("over {} ago", duration(*d)),
            WindowKind::Since(m) => format!("since {}", moment(m)),
            WindowKind::Before(m) => format!("before {}", moment(m)),
            WindowKind::On(d) => format!("on {:04}-{:02}-{:02}", d.year, d.month, d.day),
            WindowKind::Between(a, b) => format!("between {} and {}", moment(a), moment(b)),
            WindowKind::Ever => "ever".to_string(),
        }
    }
}

fn spelt(word: &Word) -> String {
    if word.quoted || !is_name(&word.text) { quoted(&word.text) } else { word.text.clone() }
}

fn duration(d: Duration) -> String {
    let unit = match d.unit {
        Unit::Second => "s",
        Unit::Minute => "min",
        Unit::Hour => "h",
        Unit::Day => "d",
        Unit::Week => "w",
        Unit::Month => "mo",
        Unit::Year => "y",
    };
    format!("{}{unit}", d.amount)
}
