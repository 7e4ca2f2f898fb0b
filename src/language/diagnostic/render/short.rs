//! One line a finding, as compilers and editors read it.

use std::fmt::Write as _;

use super::{Diagnostic, Sources, cure, level, place, visible};

/// `rules/a.seg:3:5: error[E0301]: message (help: cure)`
pub fn short(sources: &Sources, diagnostics: &[Diagnostic]) -> String {
    let mut out = String::new();
    for d in diagnostics {
        let at = place(sources, d.primary.span);
        let one_line = |text: &str| visible(text).split_whitespace().collect::<Vec<_>>().join(" ");
        let (file, message) = (visible(&at.file), one_line(&d.message));
        let _ = write!(out, "{file}:{}:{}: {}[{}]: {message}", at.line, at.column, level(d), d.code);
        if let Some(help) = cure(d) {
            let _ = write!(out, " (help: {})", one_line(help));
        }
        out.push('\n');
    }
    out
}
