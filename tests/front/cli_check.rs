//! `segue check` on projects that are wrong in many ways: what is printed, where, and how it ends.

use std::path::Path;

use crate::support::{root, segue, snapshot, transcript};

fn check(name: &str, calls: &[&[&str]]) {
    let text: Vec<String> = calls.iter().map(|arguments| transcript(arguments, "")).collect();
    snapshot(&Path::new("tests/snapshots/cli").join(name), &text.join("\n"));
}

#[test]
fn no_project() {
    let empty = tempfile::tempdir().expect("folder");
    let output = segue().arg("check").current_dir(empty.path()).output().expect("runs");
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.starts_with("error: there is no `segue.yaml` in ") && said.contains("segue init"), "{said}");
    for verb in ["run", "test", "fmt"] {
        let output = segue().arg(verb).current_dir(empty.path()).output().expect("runs");
        assert_eq!(output.status.code(), Some(2), "{verb}");
    }
    check("no-project.txt", &[&["check", "nowhere"], &["check", "src"], &["check", "--project", "nowhere"]]);
}

#[test]
fn broken_yaml() {
    check(
        "broken-yaml.txt",
        &[
            &["check", "tests/projects/broken-yaml"],
            &["check", "tests/projects/broken-catalog"],
            &["check", "tests/projects/broken-catalog", "--format", "short"],
            &["run", "tests/projects/broken-yaml"],
            &["test", "tests/projects/broken-yaml"],
        ],
    );
}

#[test]
fn mistakes_in_rules() {
    check(
        "mistakes.txt",
        &[
            &["check", "tests/projects/mistakes"],
            &["check", "tests/projects/mistakes", "--format", "short"],
            &["check", "tests/projects/mistakes", "--format", "github"],
            &["check", "tests/projects/mistakes/catalog.yaml"],
            &["run", "tests/projects/mistakes"],
        ],
    );
}

#[test]
fn the_project_is_found_upwards() {
    let from = root().join("tests/projects/mistakes/rules");
    let up = segue().args(["check", "--format", "short"]).current_dir(from).output().expect("runs");
    let named = segue().args(["check", "--format", "short", "tests/projects/mistakes"]).output().expect("runs");
    assert_eq!(String::from_utf8_lossy(&up.stdout), String::from_utf8_lossy(&named.stdout));
    let variable = segue()
        .args(["check", "--format", "short"])
        .env("SEGUE_PROJECT", "tests/projects/mistakes")
        .output()
        .expect("runs");
    assert_eq!(variable.stdout, named.stdout);
}

#[test]
fn json_and_sarif_are_json() {
    for (form, key) in [("json", "findings"), ("sarif", "runs")] {
        let output = segue().args(["check", "tests/projects/mistakes", "--format", form]).output().expect("runs");
        let value: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert!(value[key].as_array().is_some_and(|a| !a.is_empty()), "{form}");
        assert_eq!(output.status.code(), Some(1));
        assert!(output.stderr.is_empty());
    }
}
