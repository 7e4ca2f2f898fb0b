//! `segue plan`: what it tells, and that it stays the same.

use std::path::Path;

use serde_json::Value;

use crate::support::{segue, snapshot, transcript};

const ONE: [&str; 4] = ["plan", "examples/cosmetics", "--rule", "purchased anti-aging ≥ 3 in 90d and no open in 30d"];

fn check(name: &str, calls: &[&[&str]]) {
    let text: Vec<String> = calls.iter().map(|arguments| transcript(arguments, "")).collect();
    snapshot(&Path::new("tests/snapshots/plan").join(name), &text.join("\n"));
}

fn json(arguments: &[&str]) -> Value {
    let output = segue().args(arguments).args(["--format", "json"]).output().expect("runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[test]
fn plans_as_tables() {
    check("cosmetics.txt", &[&["plan", "examples/cosmetics", "--reads"]]);
    check("one.txt", &[&ONE]);
    check(
        "stories.txt",
        &[
            &["plan", "examples/cosmetics", "--rule", "viewed serum in 90d then purchased serum within 7d"],
            &["plan", "examples/cosmetics", "--rule", "purchased since last sent"],
            &[
                "plan",
                "examples/cosmetics",
                "--rule",
                "median(amount of purchased in 12mo) > 20 and top 10% by count(visited in 30d)",
            ],
        ],
    );
}

#[test]
fn plans_as_json() {
    let one: Vec<&str> = ONE.into_iter().chain(["--format", "json"]).collect();
    check("one.json.txt", &[&one]);
    let all = json(&["plan", "examples/cosmetics", "--reads"]);
    let (terms, rules) = (all["terms"].as_array().expect("terms"), all["rules"].as_array().expect("rules"));
    // A term leads to its rules, and a rule to its terms.
    for rule in rules.iter().filter(|rule| rule["asked"] == true) {
        for id in rule["uses"].as_array().expect("uses") {
            let Some(term) = terms.iter().find(|term| term["id"] == *id) else {
                assert!(id.as_str().expect("text").starts_with('s'), "{id}");
                continue;
            };
            assert!(term["rules"].as_array().expect("rules").contains(&rule["name"]), "{id} of {rule}");
        }
    }
    let asked = rules.iter().filter(|rule| rule["asked"] == true);
    let references: usize = asked.map(|rule| rule["uses"].as_array().map_or(0, Vec::len)).sum();
    assert_eq!(all["sharing"]["references"], references as u64);
}

/// Of each table what is read and what is left sums to what there is, and the rows of the rules to what is read.
#[test]
fn what_is_read_and_left() {
    for arguments in [&ONE[..], &["plan", "examples/cosmetics", "--reads"]] {
        let plan = json(arguments);
        let number = |value: &Value| value.as_u64().expect("a number");
        let mut read = 0;
        for table in plan["tables"].as_array().expect("tables") {
            for (what, all) in [("files", &table["files"]), ("rows", &table["rows"])] {
                let sum = number(&table["read"][what]) + number(&table["skipped"][what]);
                assert_eq!(sum, number(all) * number(&table["scans"]), "{what} of {table}");
            }
            if ["source", "profile", "list"].iter().any(|kind| table["kind"] == *kind) {
                read += number(&table["read"]["rows"]);
            }
            let declared = table["kind"] == "source" && table["name"] != "history of runs";
            assert_eq!(table["layout"].is_object(), declared, "{table}");
        }
        let rules = plan["rules"].as_array().expect("rules").iter().filter(|rule| rule["asked"] == true);
        let shares: f64 = rules.filter_map(|rule| rule["rows"]["share"].as_f64()).sum();
        assert!((shares - read as f64).abs() < 0.01, "{shares} of {read}");
    }
}

#[test]
fn refusals() {
    check(
        "refused.txt",
        &[
            &["plan", "examples/cosmetics", "--only", "winbak"],
            &["plan", "examples/cosmetics", "--rule", "purchsed"],
            &["plan", "examples/nowhere"],
            &["plan", "examples/cosmetics", "--reads", "--engine", "standard"],
        ],
    );
}

/// Whatever is measured, the shares of the rules sum to the whole, and what does not depend on time is what it was.
#[test]
fn a_measured_plan() {
    let plain = json(&["plan", "examples/cosmetics", "--reads"]);
    let mut measured = json(&["plan", "examples/cosmetics", "--analyze"]);
    let taken = measured.as_object_mut().expect("an object").remove("measured").expect("measured");
    assert_eq!(plain, measured);
    let work: f64 = taken["stages"].as_object().expect("stages").values().filter_map(Value::as_f64).sum();
    let dealt: f64 = taken["rules"].as_array().expect("rules").iter().filter_map(|rule| rule["seconds"].as_f64()).sum();
    assert!(work > 0.0 && (work - dealt).abs() < 1e-6 * work.max(1.0), "{work} and {dealt}");
    assert!(taken["rows"].as_u64() > Some(0) && taken["bytes"].as_u64() > Some(0));
    // What was read is what was said beforehand.
    let one: Vec<&str> = ONE.into_iter().chain(["--analyze"]).collect();
    for plan in [json(&one), json(&["plan", "examples/cosmetics", "--analyze"])] {
        let tables = plan["tables"].as_array().expect("tables").iter().filter(|table| table["kind"] != "list");
        let rows: u64 = tables.map(|table| table["read"]["rows"].as_u64().expect("a number")).sum();
        let lists = plan["measured"]["rows"].as_u64().expect("a number") - rows;
        assert!(lists < 100, "{lists} rows more were read than was said");
    }
    // The rows of a pattern are those that a run counts.
    let pattern = |text: &str| {
        let all = plain["patterns"].as_array().expect("patterns");
        let id = &all.iter().find(|pattern| pattern["text"] == text).expect("a pattern")["id"];
        let rows = taken["patterns"].as_array().expect("patterns").iter().find(|p| p["id"] == *id).expect("rows");
        rows["rows"].as_u64().expect("a number")
    };
    assert!(pattern("purchased") > pattern("purchased where (category = anti-aging)"));
    let text = segue().args(ONE).arg("--analyze").output().expect("runs");
    let said = String::from_utf8_lossy(&text.stdout).into_owned();
    assert!(said.contains("\nmeasured: ") && said.contains("\n  evaluate "), "{said}");
}
