//! Parse tree to syntax tree.
//!
//! Owns: the walk over pest's pairs, and the answers to forms that the grammar reads although they are not the language.
//! Promises: one diagnostic a mistake; where the meaning is plain, the tree holds what was meant, so that the checker can go on.
//! Must not know: the catalog.

mod arms;
mod call;
mod clause;
mod expr;
mod item;
mod later;
mod literal;
mod often;
mod phrase;
mod sequence;
mod special;
mod stages;
mod tail;
mod test;
mod timeline;
mod value;
mod window;

use super::ast::*;
use super::grammar::Rule;
use super::scan::Scan;
use super::words;
use crate::language::diagnostic::{Code, Diagnostic, code::syntax as codes};
use crate::language::source::{SourceId, Span};
use crate::language::text::nfc;

pub(super) type Pair<'a> = pest::iterators::Pair<'a, Rule>;
pub(super) type Pairs<'a> = pest::iterators::Pairs<'a, Rule>;

pub(super) struct Builder<'a> {
    pub source: SourceId,
    /// The whole text.
    pub text: &'a str,
    pub scan: &'a Scan,
    /// Where the piece that was parsed begins in the text.
    pub base: usize,
    pub diagnostics: Vec<Diagnostic>,
}

impl<'a> Builder<'a> {
    pub fn new(source: SourceId, text: &'a str, scan: &'a Scan) -> Self {
        Builder { source, text, scan, base: 0, diagnostics: Vec::new() }
    }

    /// The place of a pair, without the white space and comments that a rule may end in.
    pub fn span(&self, pair: &Pair) -> Span {
        let span = pair.as_span();
        let start = self.base + span.start();
        Span::new(self.source, start, self.scan.trim(start, self.base + span.end()))
    }

    pub fn at(&self, start: usize, end: usize) -> Span {
        Span::new(self.source, start, end)
    }

    /// An empty place right behind `span`.
    pub fn behind(&self, span: Span) -> Span {
        Span { start: span.end, ..span }
    }

    /// An empty place right before `span`.
    pub fn before(&self, span: Span) -> Span {
        Span { end: span.start, ..span }
    }

    pub fn slice(&self, span: Span) -> &'a str {
        self.text.get(span.range()).unwrap_or("")
    }

    pub fn say(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    pub fn error(&self, code: Code, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(code, span, message)
    }

    /// A sign or word of another language, with what stands for it here.
    pub fn spelt(&mut self, span: Span, should: &str) {
        let found = self.slice(span);
        let mut d = self.error(codes::SPELLING, span, format!("`{found}` is written `{should}`"));
        d = if found.eq_ignore_ascii_case(should) {
            d.label("keywords are in lower case")
        } else {
            d.label(format!("expected `{should}`"))
        };
        self.say(d.fix(format!("write `{should}`"), vec![(span, should.to_string())]));
    }

    /// Checks that a keyword is written in lower case.
    pub fn lower(&mut self, pair: &Pair) {
        let text = pair.as_str();
        if text.bytes().any(|b| b.is_ascii_uppercase()) {
            self.spelt(self.span(pair), &text.to_ascii_lowercase());
        }
    }

    /// A name as it is compared: NFC. Letters of two scripts that look alike are reported.
    pub fn name_of(&mut self, text: &str, span: Span) -> Name {
        if let Some((i, c)) = words::foreign_letter(text) {
            let at = span.start as usize + i;
            let letter = self.at(at, at + c.len_utf8());
            let d = self
                .error(codes::MIXED_SCRIPTS, span, format!("`{text}` mixes letters of two scripts that look alike"))
                .label(format!("reads as `{}`", words::skeleton(text)))
                .also(letter, format!("U+{:04X} is of another script than the letters before it", u32::from(c)))
                .help("type the name again in one script, or quote it if the data has it so");
            self.say(d);
        }
        Name { text: nfc(text), span }
    }

    pub fn name(&mut self, pair: &Pair) -> Name {
        let span = self.span(pair);
        self.name_of(pair.as_str(), span)
    }

    /// A bare or quoted word.
    pub fn word(&mut self, pair: &Pair) -> Word {
        let span = self.span(pair);
        match pair.as_rule() {
            Rule::text | Rule::text_wrong => Word { text: self.unquote(pair), quoted: true, span },
            _ => {
                let name = self.name_of(pair.as_str(), span);
                Word { text: name.text, quoted: false, span }
            }
        }
    }

    /// The text between quotation marks.
    pub fn unquote(&mut self, pair: &Pair) -> String {
        let raw = pair.as_str();
        if pair.as_rule() == Rule::text {
            let inner = raw.get(1..raw.len().saturating_sub(1)).unwrap_or("");
            if !inner.contains('\\') {
                return nfc(inner);
            }
            let mut out = String::with_capacity(inner.len());
            let mut chars = inner.char_indices();
            while let Some((i, c)) = chars.next() {
                if c != '\\' {
                    out.push(c);
                    continue;
                }
                match chars.next() {
                    Some((_, d @ ('"' | '\\'))) => out.push(d),
                    other => {
                        let start = self.base + pair.as_span().start() + 1 + i;
                        let end = start + 1 + other.map_or(0, |(_, d)| d.len_utf8());
                        let span = self.at(start, end);
                        let d = self
                            .error(
                                codes::QUOTATION,
                                span,
                                format!("`{}` has no meaning in quoted text", self.slice(span)),
                            )
                            .label("a backslash stands before `\"` or `\\` only")
                            .help("a backslash itself is written `\\\\`")
                            .fix("write `\\\\`", vec![(self.at(start, start + 1), "\\\\".to_string())]);
                        self.say(d);
                        out.push('\\');
                        out.extend(other.map(|o| o.1));
                    }
                }
            }
            return nfc(&out);
        }
        let mut chars = raw.chars();
        chars.next();
        chars.next_back();
        let inner = chars.as_str();
        let span = self.span(pair);
        let should = words::quoted(inner);
        let d = self
            .error(codes::QUOTATION, span, format!("text is quoted with straight double quotation marks: {should}"))
            .label("other quotation marks")
            .fix(format!("write {should}"), vec![(span, should)]);
        self.say(d);
        nfc(inner)
    }

    /// An expression that could not be read.
    pub fn hole(&self, span: Span) -> Expr {
        Expr { kind: ExprKind::Error, span }
    }
}
