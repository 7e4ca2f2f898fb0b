//! Workflow commands that GitHub shows beside the changed line.

use std::fmt::Write as _;

use super::{Diagnostic, Sources, details, disk_place, level, visible};

/// `::error file=rules/a.seg,line=3,col=5,…::message`
pub fn github(sources: &Sources, diagnostics: &[Diagnostic]) -> String {
    let mut out = String::new();
    for d in diagnostics {
        let at = disk_place(sources, d.primary.span);
        let mut message = visible(&d.message);
        for detail in details(d) {
            message.push('\n');
            message.push_str(&detail);
        }
        let _ = writeln!(
            out,
            "::{} file={},line={},col={},endLine={},endColumn={},title={}::{}",
            level(d),
            property(&at.file),
            at.line,
            at.column,
            at.end_line,
            at.end_column,
            d.code,
            data(&message)
        );
    }
    out
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
