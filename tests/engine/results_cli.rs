//! `segue log`, `show`, `restore`, `vacuum` over a store of three days.

use std::path::Path;
use std::process::Output;

use crate::results_support::*;
use crate::support::{segue, snapshot};

/// A project that keeps results, with three days of them.
fn shop() -> tempfile::TempDir {
    let folder = quick();
    let project = "name: shop\ntimezone: Europe/Paris\nstore: published\nretention: 30\n";
    std::fs::write(folder.path().join("segue.yaml"), project).expect("written");
    run(catch_up(&open(&folder.path().join("published")), 3)).expect("published");
    folder
}

fn call(folder: &Path, arguments: &[&str]) -> Output {
    segue().current_dir(folder).args(arguments).output().expect("runs")
}

/// What the calls say, one behind the other.
fn transcript(folder: &Path, name: &str, calls: &[&[&str]]) {
    let mut text = String::new();
    for arguments in calls {
        let output = call(folder, arguments);
        let code = output.status.code().expect("ends by itself");
        text.push_str(&format!("$ segue {}\nexit code: {code}\n", arguments.join(" ")));
        for (name, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
            if !bytes.is_empty() {
                let said = String::from_utf8_lossy(bytes).replace(&*folder.to_string_lossy(), "SHOP");
                text.push_str(&format!("--- {name}\n{said}"));
            }
        }
        text.push('\n');
    }
    snapshot(&Path::new("tests/snapshots/results").join(name), &format!("{}\n", text.trim_end()));
}

fn json(folder: &Path, arguments: &[&str]) -> serde_json::Value {
    let output = call(folder, arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[test]
fn versions_and_members_are_shown() {
    let shop = shop();
    transcript(
        shop.path(),
        "shown.txt",
        &[
            &["log"],
            &["log", "vip", "--limit", "2"],
            &["show", "vip"],
            &["show", "vip", "--as-of", "1970-01-03", "--limit", "2"],
            &["show", "recent", "--version", "1", "--limit", "3", "--format", "csv"],
            &["show", "recent", "--limit", "1", "--format", "json"],
        ],
    );
    let log = json(shop.path(), &["log", "--format", "json"]);
    assert_eq!(log["versions"].as_array().expect("versions").len(), 3);
    assert_eq!((&log["versions"][0]["version"], &log["versions"][0]["kept"]), (&3.into(), &true.into()));
    let all = json(shop.path(), &["show", "vip", "--format", "json"]);
    assert_eq!(all["customers"].as_array().expect("customers").len(), members("vip", 3).len());
    // Without a project, the store is named.
    let elsewhere = quick();
    let address = shop.path().join("published");
    let address = address.to_string_lossy();
    let said = call(elsewhere.path(), &["show", "vip", "--store", &address, "--as-of", "1970-01-03T01:00"]);
    assert!(String::from_utf8_lossy(&said.stdout).contains("version 2"), "{said:?}");
}

#[test]
fn wrong_questions() {
    let shop = shop();
    transcript(
        shop.path(),
        "wrong.txt",
        &[
            &["log", "vpi"],
            &["show", "vpi"],
            &["show", "vip", "--as-of", "1970-01-01"],
            &["show", "vip", "--as-of", "soon"],
            &["show", "vip", "--version", "9"],
            &["show", "vip", "--version", "1", "--as-of", "1970-01-03"],
            &["restore", "9", "--as-of", "1970-02-01"],
            &["restore", "1", "--as-of", "1970-01-02"],
            &["vacuum", "--keep", "long"],
            &["log", "--store", "nowhere"],
            &["show", "vip", "--store", "nowhere"],
            &["log", "--store", "segue.yaml"],
        ],
    );
    std::fs::write(shop.path().join("segue.yaml"), "name: shop\n").expect("written");
    let said = call(shop.path(), &["log"]);
    assert_eq!(said.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&said.stderr).contains("has no store of results"), "{said:?}");
    std::fs::write(shop.path().join("segue.yaml"), "name: [\n").expect("written");
    assert_eq!(call(shop.path(), &["log"]).status.code(), Some(3));
}

#[test]
fn an_earlier_version_comes_back() {
    let shop = shop();
    transcript(
        shop.path(),
        "restored.txt",
        &[&["restore", "1", "--as-of", "1970-02-01"], &["log", "--limit", "2"], &["show", "vip", "--limit", "1"]],
    );
    let locks = shop.path().join("published/locks");
    assert_eq!(std::fs::read_dir(&locks).expect("a folder").count(), 0, "the lock is given back");
    // Another run is at work, on a machine of which nobody here knows.
    let lock = r#"{"verb": "run", "host": "elsewhere", "pid": 7, "nonce": "x", "since": 9000000000000000}"#;
    std::fs::write(locks.join("00000001.json"), lock).expect("written");
    let said = call(shop.path(), &["restore", "1"]);
    assert_eq!(said.status.code(), Some(5));
    assert!(String::from_utf8_lossy(&said.stderr).contains("(process 7 on `elsewhere`)"), "{said:?}");
    assert_eq!(json(shop.path(), &["log", "--format", "json"])["versions"].as_array().expect("versions").len(), 4);
}

#[test]
fn old_versions_go() {
    let shop = shop();
    let young = json(shop.path(), &["vacuum", "--format", "json"]);
    assert_eq!(young["versions"], serde_json::json!([1, 2]), "the project keeps 30 days");
    assert_eq!((&young["files"], &young["applied"]), (&serde_json::json!([]), &false.into()), "what is young stays");
    let asked = json(shop.path(), &["vacuum", "--grace", "0d", "--format", "json"]);
    assert!(!asked["files"].as_array().expect("files").is_empty());
    let before = contents(&shop.path().join("published"));
    let said = call(shop.path(), &["vacuum", "--grace", "0d"]);
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.starts_with("would clear away 2 versions (1 to 2): ") && said.contains("`--apply` does it"), "{said}");
    assert_eq!(contents(&shop.path().join("published")), before);
    let done = json(shop.path(), &["vacuum", "--grace", "0d", "--apply", "--format", "json"]);
    assert_eq!(
        (&done["versions"], &done["files"], &done["bytes"]),
        (&asked["versions"], &asked["files"], &asked["bytes"])
    );
    transcript(shop.path(), "cleared.txt", &[&["log"], &["show", "vip", "--version", "1"], &["restore", "2"]]);
    let said = call(shop.path(), &["vacuum", "--keep", "0d", "--grace", "0d", "--apply"]);
    assert!(String::from_utf8_lossy(&said.stdout).starts_with("cleared away 1 version (3): 0 files"), "{said:?}");
    let said = call(shop.path(), &["vacuum", "--keep", "99999d"]);
    assert_eq!(String::from_utf8_lossy(&said.stdout), "nothing to clear away\n");
}
