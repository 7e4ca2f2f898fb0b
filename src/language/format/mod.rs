//! The canonical text of a file.
//!
//! Owns: the formatter. Promises: idempotent, keeps every comment, never changes the tree (it parses its own output and compares).
//! Must not know: the catalog.
//!
//! The layout:
//! - Where the author broke a line that can be broken, it stays broken; what is wider than 100 columns is broken; all else is on
//!   one line. Lines can be broken behind the `:` of a declaration, before `and`, `but`, `or`, `then` and `→`, before an operator
//!   of arithmetic, and inside parentheses.
//! - A broken conjunction has one condition a line, each beginning with its `and`, `but` or `or`; what binds tighter than the `or`
//!   around it is indented. What is broken inside parentheses stands between the two parentheses on lines of its own.
//! - A broken sequence has one `then` a line, each further in than its first event, and what is said of the whole of it (`all
//!   within`, `with same`) on the last; broken arithmetic has one operator a line.
//! - Each line of stages is a line; what is broken inside it, its arrow included, is further in.
//! - Lists of words flow: they are broken only where they reach 100 columns.
//! - One blank line between declarations; two declarations of one line each may stand without, as the author had them. Blank
//!   lines around comments stay, several become one.
//! - Signs are `≥ ≤ ≠ →`, or `>= <= != ->` in ASCII style; durations have short units; comments follow the token they followed.

mod print;

use super::diagnostic::has_errors;
use super::source::SourceFile;
use super::syntax::{self, Parsed, dump};

/// How signs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Style {
    /// `>= <= != ->` and not `≥ ≤ ≠ →`.
    pub ascii: bool,
}

/// Why a file was not formatted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// Text that is not understood is not touched.
    #[error("the file has syntax errors")]
    Syntax,
    /// The output would say something else. A fault of the formatter, found before anything was written.
    #[error("formatting would change the meaning of the file; it is left as it is")]
    TreeChanged,
}

/// The canonical text of a parsed file.
pub fn format(source: &SourceFile, parsed: &Parsed, style: Style) -> Result<String, FormatError> {
    if has_errors(&parsed.diagnostics) {
        return Err(FormatError::Syntax);
    }
    let mut text = print::print(source, parsed, style);
    prove(source, parsed, &text)?;
    if source.text.split_once('\n').is_some_and(|(line, _)| line.ends_with('\r')) {
        text = text.replace('\n', "\r\n");
    }
    Ok(text)
}

/// The output says what the input said, and has its comments.
fn prove(source: &SourceFile, parsed: &Parsed, text: &str) -> Result<(), FormatError> {
    let again = SourceFile::new(source.id, source.name.clone(), text);
    let again = syntax::parse(&again);
    let comments = |p: &Parsed| p.comments.iter().map(|c| c.text.trim().to_string()).collect::<Vec<_>>();
    let same = !has_errors(&again.diagnostics)
        && dump::file(&parsed.file) == dump::file(&again.file)
        && comments(parsed) == comments(&again);
    if same { Ok(()) } else { Err(FormatError::TreeChanged) }
}
