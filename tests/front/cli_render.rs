//! How diagnostics look, in every form.

use std::path::Path;

use segue::language::diagnostic::{Diagnostic, code, render};
use segue::language::source::{Sources, Span};

use crate::support::snapshot;

/// A program and what a checker might say about it: one label, several, several files, a long line, hostile characters.
fn samples() -> (Sources, Vec<Diagnostic>) {
    let mut sources = Sources::default();
    let text =
        "# Regular buyers.\nsegment regulars:\n  purchsed ≥ 3 in 90d\n  and no open in 30d\n\nsegment regulars: open\n";
    let a = sources.add("rules/a.seg", text);
    let b = sources.add("catalog.yaml", "events:\n  purchased:\n    aliases: [bought]\n");
    let long = format!("segment long: {} and nowhere\n", "purchased and ".repeat(200));
    let c = sources.add("rules/long.seg", long.clone());
    let evil = "segment evil\u{202e}: \u{1b}[31mnowhere\n";
    let d = sources.add("rules/evil.seg", evil);
    let at = |id, text: &str, word: &str| {
        let start = text.find(word).expect("there");
        Span::new(id, start, start + word.len())
    };
    let code = code::check::UNKNOWN_NAME;
    let second = text.rfind("regulars").expect("there");
    let mut warning = Diagnostic::new(code, Span::new(a, second, second + 8), "a second `regulars`")
        .label("declared again here")
        .also(at(a, text, "regulars"), "first declared here")
        .also(Span::new(b, 10, 19), "and an event has nearly the name");
    warning.severity = segue::language::diagnostic::Severity::Warning;
    let diagnostics = vec![
        Diagnostic::new(code, at(a, text, "purchsed"), "no event, attribute, segment or list is called `purchsed`")
            .label("not in the catalog")
            .help("did you mean `purchased`?")
            .fix("write `purchased`", vec![(at(a, text, "purchsed"), "purchased".to_owned())]),
        warning,
        Diagnostic::new(code, at(c, &long, "nowhere"), "no event, attribute, segment or list is called `nowhere`")
            .label("at the end of a long line"),
        Diagnostic::new(code, at(d, evil, "nowhere"), "hostile \u{202e}\u{1b}[31m text is shown, never obeyed")
            .label("here"),
    ];
    (sources, diagnostics)
}

#[test]
fn every_form() {
    let (sources, diagnostics) = samples();
    let paint = render::Paint::default();
    let folder = Path::new("tests/snapshots/render");
    snapshot(&folder.join("pretty.txt"), &render::pretty(&sources, &diagnostics, paint));
    let ascii = render::Paint { ascii: true, width: 60, ..paint };
    snapshot(&folder.join("ascii.txt"), &render::pretty(&sources, &diagnostics, ascii));
    snapshot(&folder.join("short.txt"), &render::short(&sources, &diagnostics));
    snapshot(&folder.join("github.txt"), &render::github(&sources, &diagnostics));
    let json = serde_json::to_string_pretty(&render::json(&sources, &diagnostics)).expect("json");
    snapshot(&folder.join("findings.json"), &(json + "\n"));
    let sarif = serde_json::to_string_pretty(&render::sarif(&sources, &diagnostics)).expect("json");
    snapshot(&folder.join("findings.sarif"), &(sarif.replace(env!("CARGO_PKG_VERSION"), "VERSION") + "\n"));
}

#[test]
fn any_span_is_shown_without_panic() {
    let texts = ["", "\n", "a", "é\r\nü\n", "→→→\n\n→", "no end"];
    let mut sources = Sources::default();
    let ids: Vec<_> = texts.iter().map(|t| sources.add("x.seg", *t)).collect();
    let code = code::check::UNKNOWN_NAME;
    for (&id, text) in ids.iter().zip(texts) {
        for start in 0..text.len() + 3 {
            for end in [0, start, start + 1, text.len(), usize::MAX] {
                let span = Span::new(id, start, end);
                let d = Diagnostic::new(code, span, "m").label("l").also(Span::new(id, end, start), "s");
                let all = std::slice::from_ref(&d);
                let _ = render::pretty(&sources, all, render::Paint::default());
                let _ = render::short(&sources, all);
                let _ = render::github(&sources, all);
                let _ = render::json(&sources, all);
                let _ = render::sarif(&sources, all);
            }
        }
    }
    let lost = Diagnostic::new(code, Span { source: segue::language::source::SourceId(99), start: 1, end: 2 }, "m");
    assert_eq!(render::short(&sources, std::slice::from_ref(&lost)), ":1:1: error[E0301]: m\n");
    assert!(render::pretty(&sources, &[lost], render::Paint::default()).contains("error[E0301]: m"));
}

#[test]
fn many_findings_in_a_big_file_take_no_time() {
    let mut sources = Sources::default();
    let text = "segment a: nowhere\n".repeat(20_000);
    let id = sources.add("big.seg", text);
    let code = code::check::UNKNOWN_NAME;
    let all: Vec<Diagnostic> =
        (0..2_000).map(|i| Diagnostic::new(code, Span::new(id, i * 190 + 11, i * 190 + 18), "m").label("l")).collect();
    let shown = render::pretty(&sources, &all, render::Paint::default());
    assert_eq!(shown.matches("error[E0301]").count(), 2_000);
}
