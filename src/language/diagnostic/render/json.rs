//! Findings as JSON. The form is stable: fields are only ever added.

use serde_json::{Value, json};

use super::{Diagnostic, Sources, Span, level, place};

/// An array of findings.
pub fn json(sources: &Sources, diagnostics: &[Diagnostic]) -> Value {
    Value::Array(diagnostics.iter().map(|d| one(sources, d)).collect())
}

/// One finding.
pub fn one(sources: &Sources, d: &Diagnostic) -> Value {
    json!({
        "code": d.code.as_str(),
        "severity": level(d),
        "message": d.message,
        "place": span(sources, d.primary.span),
        "label": (!d.primary.text.is_empty()).then_some(&d.primary.text),
        "also": d.secondary.iter()
            .map(|l| json!({ "place": span(sources, l.span), "label": l.text }))
            .collect::<Vec<_>>(),
        "help": d.help,
        "fix": d.fix.as_ref().map(|fix| json!({
            "title": fix.title,
            "edits": fix.edits.iter()
                .map(|(at, text)| json!({ "place": span(sources, *at), "text": text }))
                .collect::<Vec<_>>(),
        })),
    })
}

fn span(sources: &Sources, span: Span) -> Value {
    let at = place(sources, span);
    json!({
        "file": at.file,
        "line": at.line,
        "column": at.column,
        "end_line": at.end_line,
        "end_column": at.end_column,
        "start_byte": span.start,
        "end_byte": span.end,
    })
}
