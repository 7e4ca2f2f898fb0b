//! Diagnostics on screen and in files: one format a file.
//!
//! Owns: every form in which a diagnostic is shown. Promises: the forms say the same; text that could disturb a terminal or mislead
//! the eye (control and bidirectional characters) is shown, never obeyed; a long line is cut around the place.
//! Must not know: where the text goes, or whether it is a terminal.

mod github;
mod json;
mod pretty;
mod sarif;
mod short;

pub use github::github;
pub use json::{json, one as json_one};
pub use pretty::{Paint, pretty};
pub use sarif::sarif;
pub use short::short;

use super::super::source::{SourceFile, Sources, Span};
use super::Diagnostic;

/// A place as people and tools count it: lines and columns from 1, columns in characters, the end exclusive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub file: String,
    pub line: usize,
    pub column: usize,
    pub end_line: usize,
    pub end_column: usize,
}

/// Where a span is, or the beginning of nowhere for a span that is not ours.
pub fn place(sources: &Sources, span: Span) -> Place {
    let Some(file) = sources.get(span.source) else {
        return Place { file: String::new(), line: 1, column: 1, end_line: 1, end_column: 1 };
    };
    let range = span.range();
    let (line, column) = file.line_column(range.start);
    let (end_line, end_column) = file.line_column(range.end.max(range.start));
    Place { file: file.name.clone(), line, column, end_line, end_column }
}

/// The file on disk behind a source's name: a text inside a file is named `catalog.yaml: filter of open`.
fn disk_file(name: &str) -> &str {
    name.split_once(": ").map_or(name, |(file, _)| file)
}

/// The place of a span in a file that exists on disk; a text inside a file stands for the file's beginning.
fn disk_place(sources: &Sources, span: Span) -> Place {
    let at = place(sources, span);
    let file = disk_file(&at.file).to_owned();
    if file == at.file { at } else { Place { file, line: 1, column: 1, end_line: 1, end_column: 1 } }
}

/// The text with every character that a terminal obeys, or that reorders what is read, written as an escape.
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if disturbs(c) && c != '\n' && c != '\t' {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

/// Control characters and the twelve bidirectional controls.
fn disturbs(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// What a diagnostic adds to its message on one line: the label, then the cure.
fn details(d: &Diagnostic) -> Vec<String> {
    let mut out = Vec::new();
    if !d.primary.text.is_empty() {
        out.push(visible(&d.primary.text));
    }
    if let Some(help) = cure(d) {
        out.push(format!("help: {}", visible(help)));
    }
    out
}

/// The cure in words: the help, or the title of the fix.
fn cure(d: &Diagnostic) -> Option<&str> {
    d.help.as_deref().or(d.fix.as_ref().map(|f| f.title.as_str()))
}

/// How a severity is called everywhere.
fn level(d: &Diagnostic) -> &'static str {
    if d.is_error() { "error" } else { "warning" }
}
