//! What the verbs print and how they exit, without data.

use std::path::Path;

use crate::support::{segue, snapshot, transcript};

fn check(name: &str, calls: &[&[&str]]) {
    let text: Vec<String> = calls.iter().map(|arguments| transcript(arguments, "")).collect();
    snapshot(&Path::new("tests/snapshots/cli").join(name), &text.join("\n"));
}

const VERBS: [&str; 20] = [
    "check",
    "fmt",
    "run",
    "plan",
    "log",
    "show",
    "restore",
    "vacuum",
    "test",
    "identities",
    "init",
    "demo",
    "store",
    "schedule",
    "erase",
    "person",
    "explain",
    "schema",
    "completions",
    "man",
];

#[test]
fn help() {
    check("help.txt", &[&["--help"]]);
    for verb in VERBS {
        check(&format!("help-{verb}.txt"), &[&[verb, "--help"]]);
    }
    for verb in ["compact", "check"] {
        check(&format!("help-store-{verb}.txt"), &[&["store", verb, "--help"]]);
    }
}

#[test]
fn wrong_calls() {
    check(
        "usage.txt",
        &[
            &["frobnicate"],
            &["chek"],
            &["check", "--format", "xml"],
            &["run", "--memory-limit", "lots"],
            &["run", "--threads", "0"],
            &["run", "--only", "a", "--rule", "purchased"],
            &["explain", "E9999"],
            &["completions", "basic"],
            &["man", "frobnicate"],
            &["schema", "segment"],
        ],
    );
}

#[test]
fn explain_takes_any_case() {
    let upper = segue().args(["explain", "E0301"]).output().expect("runs");
    let lower = segue().args(["explain", "e0301"]).output().expect("runs");
    assert!(upper.status.success() && upper.stdout == lower.stdout && !upper.stdout.is_empty());
}

#[test]
fn completions_and_manual() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = segue().args(["completions", shell]).output().expect("runs");
        let script = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && script.contains("memory-limit"), "{shell}");
    }
    for verb in VERBS {
        let output = segue().args(["man", verb]).output().expect("runs");
        let page = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && page.contains(".SH SYNOPSIS"), "{verb}");
    }
}

#[test]
fn a_reader_who_goes_away_is_no_error() {
    use std::process::Stdio;
    let mut child =
        segue().args(["completions", "zsh"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("ends");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn colour_is_a_choice() {
    let coloured = |variable: Option<(&str, &str)>, arguments: &[&str]| {
        let mut command = segue();
        command.args(["explain", "E9999"]).args(arguments).envs(variable);
        String::from_utf8_lossy(&command.output().expect("runs").stderr).contains('\u{1b}')
    };
    let forced = Some(("CLICOLOR_FORCE", "1"));
    assert!(!coloured(None, &[]), "a pipe takes no colour");
    assert!(coloured(forced, &[]));
    assert!(coloured(None, &["--color", "always"]));
    assert!(!coloured(forced, &["--color", "never"]));
    assert!(!coloured(Some(("NO_COLOR", "1")), &[]));
}
