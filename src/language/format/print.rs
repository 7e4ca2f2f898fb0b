//! Tree to text.

mod campaign;
mod expr;
mod phrase;

use super::Style;
use crate::language::source::{SourceFile, Span};
use crate::language::syntax::ast::*;
use crate::language::syntax::{Comment, Parsed};

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

/// The word of a declaration, its place, its name, its old name and its title.
type Head<'a> = (&'a str, Span, &'a Name, Option<&'a Name>, Option<&'a Word>);

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
        Item::Stages(s) => s.span,
        Item::Policy(p) => p.span,
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
            // An item begins a line of its own: how long the line before it is does not matter.
            let (gap, column) = (self.gap, self.column);
            (self.gap, self.column) = (Gap::Tight, 0);
            let one_line = self.fits(start, |p| p.item(item, true));
            (self.gap, self.column) = (gap, column);
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
                self.declaration(head, &s.condition, one_line);
            }
            Item::Trait(t) => {
                self.declaration(("trait", t.span, &t.name, None, t.title.as_ref()), &t.value, one_line);
            }
            Item::Campaign(c) => {
                let head = ("campaign", c.span, &c.name, c.was.as_ref(), c.title.as_ref());
                self.declaration(head, &c.condition, one_line);
                self.arms(&c.condition, &c.arms, 2, one_line);
                self.clauses(&c.clauses, 2);
            }
            Item::Bare(b) => {
                self.expr(&b.condition, 0);
                self.arms(&b.condition, &b.arms, 0, one_line);
                self.clauses(&b.clauses, 0);
            }
            Item::Stages(s) => self.stages(s),
            Item::Policy(p) => self.policy(p, one_line),
            Item::Error { .. } => self.wide = true,
        }
    }

    fn declaration(&mut self, head: Head, condition: &Expr, one_line: bool) {
        let end = self.head(head);
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
    }

    /// `segment NAME was OLD "Title":`, and what stands last before the colon.
    fn head(&mut self, (word, span, name, was, title): Head) -> Span {
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
        end
    }

    /// One stage a line. What is broken inside a line stands further in, its arrow too.
    fn stages(&mut self, stages: &Stages) {
        if self.measuring {
            self.wide = true;
            return;
        }
        self.head(("stages", stages.span, &stages.name, None, stages.title.as_ref()));
        for line in &stages.lines {
            self.line(2);
            let Some(condition) = &line.condition else {
                self.token(line.span.start as usize, "otherwise");
                self.blank();
                self.arrow(self.next_token(line.span.start as usize + "otherwise".len()));
                self.name(&line.stage);
                continue;
            };
            let start = condition.span.start as usize;
            let arrow = self.next_token(condition.span.end as usize);
            let flat = |p: &mut Self| {
                p.expr(condition, 4);
                if p.measuring {
                    p.wide |= p.broken_between(condition.span, line.stage.span);
                }
                p.blank();
                p.arrow(arrow);
                p.name(&line.stage);
            };
            if self.fits(start, flat) {
                flat(self);
            } else {
                self.expr(condition, 4);
                self.line(4);
                self.arrow(arrow);
                self.name(&line.stage);
            }
        }
    }

    fn arrow(&mut self, at: usize) {
        self.token(at, if self.style.ascii { "->" } else { "→" });
    }
}
