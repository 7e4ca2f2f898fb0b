//! Text to syntax tree.
//!
//! Owns: the grammar (`grammar/segue.pest`), the tree and its builder. The only room that knows pest.
//! Promises: parsing never fails and never panics, whatever the bytes; a broken declaration becomes [`ast::Item::Error`] and its
//! neighbours still parse; every mistake of the file is in `diagnostics`.
//! Must not know: the catalog, or what any name means.
//!
//! The way: [`scan`] looks over the text (deceiving characters, depth, parentheses, quotation marks) and cuts it into pieces, one
//! a declaration. A sound text is given to the grammar whole. Only where that fails, each piece is parsed by itself, and for a
//! piece that fails [`recover`] says why. The grammar accepts many forms that are not the language; [`builder`] answers those.

pub mod ast;
mod builder;
pub mod dump;
mod grammar;
mod hints;
mod recover;
mod scan;
mod words;

use super::diagnostic::{self, Diagnostic};
use super::source::{SourceFile, Span};
use builder::Builder;
use grammar::Rule;

pub use words::{HARD as CONNECTIVES, declares as begins_declaration, is_name, quote, quoted, skeleton};

/// How deep parentheses and `not` may be nested.
pub const MAX_DEPTH: usize = 64;

/// What a text says.
#[derive(Debug, Clone)]
pub struct Parsed {
    pub file: ast::File,
    /// In the order of the text.
    pub comments: Vec<Comment>,
    /// Sorted by place.
    pub diagnostics: Vec<Diagnostic>,
}

/// A comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// Without `#`, with the blanks behind it.
    pub text: String,
    /// From `#` to the end of the line.
    pub span: Span,
    /// Nothing else stands on its line.
    pub own_line: bool,
}

/// Reads a `.seg` file.
pub fn parse(source: &SourceFile) -> Parsed {
    let mut scan = scan::scan(source);
    let mut diagnostics = std::mem::take(&mut scan.diagnostics);
    let cleaned = scan.cleaned.take();
    let text: &str = cleaned.as_deref().unwrap_or(&source.text);
    let start = if text.starts_with('\u{FEFF}') { 3 } else { 0 };
    let mut builder = Builder::new(source.id, text, &scan);
    let mut items = Vec::new();
    let whole = text.get(start..).unwrap_or("");
    match if cleaned.is_none() && scan.sound() { grammar::run(Rule::file, whole) } else { Err(0) } {
        Ok(pairs) => builder.items(pairs, start, &mut items),
        Err(_) => recover::pieces(&mut builder, &mut items),
    }
    builder.loose_items(&mut items);
    diagnostics.append(&mut builder.diagnostics);
    diagnostic::sort(&mut diagnostics);
    Parsed { file: ast::File { source: source.id, items }, comments: scan.comments, diagnostics }
}

/// Reads one condition and nothing else, such as the filter of an event.
pub fn parse_condition(source: &SourceFile) -> (ast::Expr, Vec<Diagnostic>) {
    let mut scan = scan::scan(source);
    let mut diagnostics = std::mem::take(&mut scan.diagnostics);
    let cleaned = scan.cleaned.take();
    let text: &str = cleaned.as_deref().unwrap_or(&source.text);
    let mut builder = Builder::new(source.id, text, &scan);
    let expr = match if cleaned.is_none() && scan.sound() { grammar::run(Rule::condition, text) } else { Err(0) } {
        Ok(pairs) => builder.condition(pairs, 0),
        Err(_) => recover::condition(&mut builder),
    };
    diagnostics.append(&mut builder.diagnostics);
    diagnostic::sort(&mut diagnostics);
    (expr, diagnostics)
}

/// Reads the timeline of one customer of a spec.
pub fn parse_timeline(source: &SourceFile) -> (Vec<ast::TimelineEntry>, Vec<Diagnostic>) {
    let mut scan = scan::scan(source);
    let mut diagnostics = std::mem::take(&mut scan.diagnostics);
    let cleaned = scan.cleaned.take();
    let text: &str = cleaned.as_deref().unwrap_or(&source.text);
    let mut builder = Builder::new(source.id, text, &scan);
    let mut entries = Vec::new();
    match if cleaned.is_none() && scan.sound() { grammar::run(Rule::timeline, text) } else { Err(0) } {
        Ok(pairs) => builder.timeline(pairs, &mut entries),
        Err(at) => recover::timeline(&mut builder, at),
    }
    diagnostics.append(&mut builder.diagnostics);
    diagnostic::sort(&mut diagnostics);
    (entries, diagnostics)
}
