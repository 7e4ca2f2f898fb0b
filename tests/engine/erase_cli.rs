//! `segue erase` on the example: what it prints, and what the next run makes of it.

use std::path::Path;
use std::process::Output;

use serde_json::Value;

use super::erase_steps::{places, tables};
use super::results_support::{open, quick};
use super::support::{copy, root, segue};

fn call(folder: &Path, arguments: &[&str]) -> Output {
    segue().current_dir(folder).args(arguments).output().expect("runs")
}

fn done(folder: &Path, arguments: &[&str]) -> String {
    let output = call(folder, arguments);
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {err}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn the_next_run_goes_on_without_them() {
    let folder = quick();
    let (shop, control) = (folder.path().join("shop"), folder.path().join("control"));
    copy(&root().join("examples/cosmetics"), &shop);
    for day in ["2026-11-19", "2026-11-20"] {
        done(&shop, &["run", "--as-of", day, "--quiet"]);
    }
    copy(&shop, &control);
    let store = open(&shop.join("published"));
    let before = tables(&store);
    // Somebody who was contacted. A run decides every instant that is due, so that there may be more versions than runs.
    let newest = before.keys().map(|(version, _)| *version).max().expect("a version");
    let winback = &before[&(newest, "Audience winback".to_owned())];
    let gone = winback[winback.len() / 2][0].clone();
    let of = |rows: &[Vec<String>]| rows.iter().filter(|row| row[0] == gone).count();
    assert!(before.values().map(|rows| of(rows)).sum::<usize>() > 3, "{gone}");

    let said = done(&shop, &["erase", &gone]);
    assert!(said.contains("1 new entry in the file of erased ids") && said.contains(" 0 hold them\n"), "{said}");
    let without = |rows: &[Vec<String>]| rows.iter().filter(|row| row[0] != gone).cloned().collect::<Vec<_>>();
    let after = tables(&open(&shop.join("published")));
    for (what, rows) in &before {
        assert_eq!(after[what], without(rows), "{what:?}");
    }
    let json: Value = serde_json::from_str(&done(&shop, &["erase", &gone, "--format", "json"])).expect("JSON");
    assert_eq!((&json["state"], &json["entries"], &json["removed"]["rows"]), (&"done".into(), &0.into(), &0.into()));
    assert!(!json.to_string().contains(&gone));

    // The events still hold them, and nobody else's answers are others.
    done(&shop, &["run", "--as-of", "2026-11-21", "--quiet"]);
    done(&control, &["run", "--as-of", "2026-11-21", "--quiet"]);
    let (now, else_) = (tables(&open(&shop.join("published"))), tables(&open(&control.join("published"))));
    let mut compared = 0;
    for ((version, what), rows) in &else_ {
        // The version of the erasure comes between.
        let after = &now[&(if *version > newest { version + 1 } else { *version }, what.clone())];
        assert_eq!(of(after), 0, "{what}");
        // Nobody takes their place in what has no limit.
        let of_it = |rows: &[Vec<String>]| match what.as_str() {
            "Audience winback" => without(rows),
            what if what.starts_with("History") => {
                without(rows).into_iter().filter(|row| row[3] == "winback").collect()
            }
            _ => Vec::new(),
        };
        assert_eq!(of_it(after), of_it(rows), "{what} of version {version}");
        compared += if *version > newest { of_it(rows).len() } else { 0 };
    }
    assert!(compared > 5, "{compared}");
    if gone.len() > 5 {
        assert_eq!(places(&shop.join("published"), &gone), Vec::<String>::new());
    }
}

#[test]
fn wrong_calls() {
    let folder = quick();
    let shop = folder.path().join("shop");
    copy(&root().join("examples/cosmetics"), &shop);
    assert_eq!(call(&shop, &["erase"]).status.code(), Some(2));
    std::fs::write(shop.join("ids.txt"), "# nobody\n\n").expect("written");
    assert_eq!(call(&shop, &["erase", "--file", "ids.txt"]).status.code(), Some(2));
    assert_eq!(call(&shop, &["erase", "--file", "none.txt"]).status.code(), Some(4));
    // A dry run of somebody who is nowhere.
    let said = done(&shop, &["erase", "nobody-1", "--dry-run"]);
    assert!(said.starts_with("1 person with 1 id: 1 entry to come in the file of erased ids\n"), "{said}");
    assert!(!shop.join("erased.txt").exists() && !shop.join("published").exists());
}

#[test]
fn all_that_is_known_of_one() {
    let folder = quick();
    let shop = folder.path().join("shop");
    copy(&root().join("examples/cosmetics"), &shop);
    done(&shop, &["run", "--as-of", "2026-11-20", "--quiet"]);
    let winback = &tables(&open(&shop.join("published")))[&(1, "Audience winback".to_owned())];
    let id = winback[0][0].clone();
    let text = done(&shop, &["person", &id, "--format", "json"]);
    let json: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((&json["schema"], &json["known"], &json["erased"]), (&1.into(), &true.into(), &false.into()));
    let list = |name: &str| json[name].as_array().expect(name).clone();
    let profile = &list("profiles")[0];
    assert!(profile["country"].is_string() && profile.get("birth_date").is_some(), "{profile}");
    let events = list("events");
    assert!(events.len() > 3 && events.iter().all(|event| event["row"]["event"].is_string()), "{events:?}");
    let times: Vec<&str> = events.iter().map(|event| event["time"].as_str().expect("an instant")).collect();
    assert!(times.is_sorted() && times[0].ends_with('Z'), "{times:?}");
    // What was decided about this campaign, and why about others.
    let decisions = list("decisions");
    let of = |campaign: &str| decisions.iter().find(|one| one["row"]["campaign"] == campaign).expect("decided").clone();
    assert_eq!((&of("winback")["row"]["outcome"], &of("winback")["version"]), (&"sent".into(), &1.into()));
    assert!(list("history").iter().any(|row| row["event"] == "contacted" && row["name"] == "winback"));
    assert!(list("campaigns").iter().any(|one| one["audience"] == "winback" && one["row"]["channel"] == "email"));
    assert!(list("audiences").iter().any(|one| one["kind"] == "segment"));
    assert_eq!(done(&shop, &["person", &id, "--format", "json"]), text, "the same every time");
    let table = done(&shop, &["person", &id]);
    assert!(table.contains("\nevents (") && table.contains("\ndecisions ("), "{table}");
    // Nobody.
    let nobody = call(&shop, &["person", "nobody-1", "--format", "json"]);
    assert_eq!(nobody.status.code(), Some(0));
    let json: Value = serde_json::from_slice(&nobody.stdout).expect("JSON");
    assert_eq!(json["known"], false);
    assert!(String::from_utf8_lossy(&nobody.stderr).contains("nothing is known of `nobody-1`"));
    std::fs::write(shop.join("data/profiles.parquet"), "no Parquet").expect("written");
    assert_eq!(call(&shop, &["person", &id]).status.code(), Some(4));
}
