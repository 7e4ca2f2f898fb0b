//! Findings as SARIF 2.1.0, the form that code scanners exchange.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Diagnostic, Sources, Span, details, disk_place, level};

/// A whole SARIF log with one run.
pub fn sarif(sources: &Sources, diagnostics: &[Diagnostic]) -> Value {
    let rules: BTreeSet<&str> = diagnostics.iter().map(|d| d.code.as_str()).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "segue",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules.iter().map(|id| json!({ "id": id })).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": diagnostics.iter().map(|d| result(sources, d)).collect::<Vec<_>>(),
        }],
    })
}

fn result(sources: &Sources, d: &Diagnostic) -> Value {
    let mut text = d.message.clone();
    for detail in details(d) {
        text.push('\n');
        text.push_str(&detail);
    }
    let mut out = json!({
        "ruleId": d.code.as_str(),
        "level": level(d),
        "message": { "text": text },
        "locations": [{ "physicalLocation": location(sources, d.primary.span) }],
    });
    if let Some(map) = out.as_object_mut() {
        if !d.secondary.is_empty() {
            let related = d.secondary.iter().enumerate().map(|(id, l)| {
                json!({
                    "id": id,
                    "physicalLocation": location(sources, l.span),
                    "message": { "text": l.text },
                })
            });
            map.insert("relatedLocations".to_owned(), related.collect());
        }
        if let Some(fix) = &d.fix {
            let changes = fix.edits.iter().map(|(at, text)| {
                let place = location(sources, *at);
                json!({
                    "artifactLocation": place.get("artifactLocation"),
                    "replacements": [{
                        "deletedRegion": place.get("region"),
                        "insertedContent": { "text": text },
                    }],
                })
            });
            let fixes = json!([{
                "description": { "text": fix.title },
                "artifactChanges": changes.collect::<Vec<_>>(),
            }]);
            map.insert("fixes".to_owned(), fixes);
        }
    }
    out
}

fn location(sources: &Sources, span: Span) -> Value {
    let at = disk_place(sources, span);
    json!({
        "artifactLocation": { "uri": uri(&at.file) },
        "region": {
            "startLine": at.line,
            "startColumn": at.column,
            "endLine": at.end_line,
            "endColumn": at.end_column,
        },
    })
}

/// A relative path as a URI: everything but unreserved characters and `/` is percent-encoded.
fn uri(path: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
