//! Erasure in small projects that run before and after it: budgets, ids that are numbers, what names them in others' rows.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use serde_json::Value;

use super::engine_support::{Shop, ago};
use super::support::segue;

const CATALOG: &str = "
sources:
  shop: {path: data/events, customer: customer, time: time, event: event}
events:
  bought:
    source: shop
    raw: buy
    properties:
      friend: {type: TYPE, column: friend}
profiles:
  path: data/profiles.parquet
  customer: customer
  attributes:
    consent: {type: yes/no}
lists:
  suppressed: {path: suppressed.txt}
suppression: [suppressed]
channels:
  email: {consent: consent, cost: 0.5}
actions:
  offer: {channel: email}
";

fn shop(id: &str, rules: &str, ids: ArrayRef, friends: ArrayRef) -> Shop {
    let shop = Shop::new(&CATALOG.replace("TYPE", id));
    let project = "name: shop\nedition: \"2026\"\ntimezone: UTC\ncurrency: EUR\ncatalog: catalog.yaml\nrules: rules\n\
                   output: out\nstore: published\n";
    std::fs::write(shop.path("segue.yaml"), project).expect("written");
    std::fs::write(shop.path("rules/a.seg"), rules).expect("written");
    std::fs::write(shop.path("suppressed.txt"), "").expect("written");
    let n = ids.len();
    let yes = Arc::new(arrow::array::BooleanArray::from(vec![true; n])) as ArrayRef;
    shop.parquet("data/profiles.parquet", vec![("customer", ids.clone()), ("consent", yes)]);
    let events = Arc::new(StringArray::from(vec!["buy"; n])) as ArrayRef;
    shop.parquet(
        "data/events/a.parquet",
        vec![("customer", ids), ("time", ago(&vec![40; n])), ("event", events), ("friend", friends)],
    );
    shop
}

/// Ten people who bought once; all of them were sent by the first.
fn texts(rules: &str) -> Shop {
    let ids: Vec<String> = (1..=10).map(|n| format!("cust-{n:02}")).collect();
    let friends = Arc::new(StringArray::from(vec!["cust-01"; ids.len()])) as ArrayRef;
    shop("text", rules, Arc::new(StringArray::from(ids)), friends)
}

fn numbers(rules: &str) -> Shop {
    let ids = Arc::new(Int64Array::from_iter_values(100_001..=100_010)) as ArrayRef;
    shop("integer", rules, ids, Arc::new(Int64Array::from(vec![100_001; 10])))
}

fn call(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = segue().current_dir(folder).args(arguments).output().expect("runs");
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    (output.status.code(), said.concat())
}

fn done(shop: &Shop, arguments: &[&str]) -> String {
    let (code, said) = call(shop.dir.path(), arguments);
    assert_eq!(code, Some(0), "{arguments:?}: {said}");
    said
}

fn run(shop: &Shop, day: &str) {
    done(shop, &["run", "--as-of", day, "--quiet"]);
}

fn shown(shop: &Shop, arguments: &[&str]) -> Value {
    let text = done(shop, &[&["show", "--format", "json"], arguments].concat());
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn a_budget_is_spent_whoever_is_forgotten() {
    // Six of ten, and no more ever.
    let rules = "campaign a:\n  bought\n  → offer by email\n  budget 3\n  at most 1 in 1d\n\
                 campaign b:\n  bought\n  → offer by email\n  at most 1 in 1d\n";
    let shop = texts(rules);
    run(&shop, "2026-11-01");
    let sent: Vec<String> = {
        let json = shown(&shop, &["a"]);
        let customers = json["customers"].as_array().expect("customers");
        customers.iter().map(|row| row["customer"].as_str().expect("an id").to_owned()).collect()
    };
    assert_eq!(sent.len(), 6);
    // One by one, and several.
    done(&shop, &["erase", &sent[0]]);
    done(&shop, &["erase", &sent[1], &sent[2], &sent[3]]);
    done(&shop, &["erase", &sent[3]]);
    // Others come between.
    run(&shop, "2026-11-03");
    assert_eq!(shown(&shop, &["a"])["size"], 0, "nothing is left of the budget");
    done(&shop, &["restore", "2", "--as-of", "2026-11-04"]);
    done(&shop, &["vacuum", "--keep", "1d", "--apply"]);
    // A longer budget, under another name, is longer by what was added.
    let rules = rules.replace("campaign a:", "campaign c was a:").replace("budget 3", "budget 3.5");
    std::fs::write(shop.path("rules/a.seg"), rules).expect("written");
    run(&shop, "2026-11-05");
    assert_eq!(shown(&shop, &["c"])["size"], 1);
    let manifest = std::fs::read_to_string(shop.path("published/manifests/00000002.json")).expect("a manifest");
    let json: Value = serde_json::from_str(&manifest).expect("JSON");
    assert_eq!(json["draft"]["spent"], serde_json::json!({"a": "500000", "b": "500000"}));
}

#[test]
fn ids_that_are_numbers_stand_in_cells_and_not_in_rules() {
    let rules = "campaign a:\n  bought\n  → offer by email\n  limit 100002\n  with last(friend of bought) as friend\n\
                 segment s: bought\n";
    let shop = numbers(rules);
    done(&shop, &["run", "--as-of", "2026-11-01", "--quiet", "--write", "csv,jsonl,parquet"]);
    assert_eq!(shown(&shop, &["a"])["customers"][1]["friend"], 100_001);
    let said = done(&shop, &["erase", "100001"]);
    assert!(said.contains(" 0 hold them\n") && said.contains("taken out: 36 cells of others\n"), "{said}");
    // What is shown of it is what is left.
    let json = shown(&shop, &["a", "--version", "1"]);
    let customers = json["customers"].as_array().expect("customers");
    assert_eq!((&json["size"], customers.len()), (&9.into(), 9));
    assert!(customers.iter().all(|row| row["friend"].is_null() && row["customer"] != 100_001), "{json}");
    let file = shop.path(&format!("published/data/{}.parquet", json["sha256"].as_str().expect("a checksum")));
    assert!(file.is_file());
    assert!(!done(&shop, &["show", "s", "--version", "1", "--limit", "12"]).contains("more"));
    // A rule that says the number names nobody.
    assert!(done(&shop, &["erase", "100002"]).contains(" 0 hold them\n"));
    assert_eq!(shown(&shop, &["s"])["size"], 8);
}

#[test]
fn files_lose_rows_and_cells() {
    let rules = "campaign a:\n  bought\n  → offer by email\n  with last(friend of bought) as friend\n";
    let shop = texts(rules);
    done(&shop, &["run", "--as-of", "2026-11-01", "--quiet", "--write", "csv,jsonl,parquet"]);
    let read = |name: &str| std::fs::read_to_string(shop.path(name)).expect(name);
    let (csv, jsonl) = (read("out/a.csv"), read("out/a.jsonl"));
    let json: Value = serde_json::from_str(&done(&shop, &["erase", "cust-01", "--format", "json"])).expect("JSON");
    let removed = |name: &str| json["removed"][name].as_u64().expect(name);
    let counts = ["output_files", "output_rows", "output_cells", "output_whole", "rows", "cells"].map(removed);
    assert_eq!(counts[..4], [3, 3, 27, 0], "{json}");
    assert_eq!(counts[5], 9, "{json}");
    let without = |text: &str, from: &str, to: &str| {
        let lines =
            text.lines().filter(|line| !line.starts_with("cust-01,") && !line.contains("\"customer\":\"cust-01\""));
        lines.map(|line| line.replace(from, to) + "\n").collect::<String>()
    };
    assert_eq!(read("out/a.csv"), without(&csv, ",cust-01", ","));
    assert_eq!(read("out/a.jsonl"), without(&jsonl, "\"friend\":\"cust-01\"", "\"friend\":null"));
    assert!(shop.path("out/a.parquet").is_file());
}

#[test]
fn whoever_is_no_longer_erased_comes_back_once() {
    let shop = texts("segment s: bought\n");
    run(&shop, "2026-11-01");
    done(&shop, &["erase", "cust-01"]);
    run(&shop, "2026-11-02");
    // Without the file nothing is run; an entry may get lost.
    std::fs::write(shop.path("erased.txt"), "").expect("written");
    run(&shop, "2026-11-03");
    run(&shop, "2026-11-04");
    let sizes = |version: &str| shown(&shop, &["s", "--version", version])["size"].clone();
    assert_eq!(["1", "3", "4", "5"].map(sizes), [9, 9, 10, 10].map(Value::from));
    let log: Value = serde_json::from_str(&done(&shop, &["log", "s", "--format", "json"])).expect("JSON");
    let entered = |n: usize| &log["versions"][n]["audiences"][0]["entered"];
    assert_eq!((entered(0), entered(1)), (&0.into(), &1.into()));
}
