//! `segue run` and `segue test` on the example: what they print, write and refuse.

use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::support::{copy, root, segue};

/// A copy of the example that may be written into.
fn example() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("folder");
    copy(&root().join("examples/cosmetics"), &folder.path().join("shop"));
    folder
}

fn call(folder: &Path, arguments: &[&str]) -> Output {
    segue().current_dir(folder).args(arguments).output().expect("runs")
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found: Vec<_> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .map(|e| e.expect("entry"))
        .map(|e| (e.file_name().to_string_lossy().into_owned(), std::fs::read(e.path()).expect("bytes")))
        .collect();
    found.sort();
    found
}

#[test]
fn audiences_as_json_and_files() {
    let folder = example();
    let run = |threads: &str| {
        let arguments =
            ["run", "shop", "--format", "json", "--write", "parquet,csv,jsonl", "--limit", "3", "--threads", threads];
        let output = call(folder.path(), &arguments);
        assert!(output.status.success(), "{}", err(&output));
        (output.stdout, files(&folder.path().join("shop/out")))
    };
    let (first, written) = run("1");
    let value: Value = serde_json::from_slice(&first).expect("JSON");
    assert_eq!(value["schema"], 1);
    assert_eq!(value["as_of"], "2026-11-21T00:00:00+01:00");
    let audiences = value["audiences"].as_array().expect("audiences");
    assert!(audiences.windows(2).all(|w| w[0]["name"].as_str() < w[1]["name"].as_str()), "by name");
    let winback = audiences.iter().find(|a| a["name"] == "winback").expect("the bare rule");
    assert_eq!(winback["kind"], "campaign");
    assert_eq!(winback["arm"]["action"], "offer");
    let files_of = winback["files"].as_array().expect("files");
    assert_eq!(files_of.len(), 3);
    // The JSON Lines file has a line a customer who is contacted.
    let lines = std::fs::read_to_string(folder.path().join("shop/out/winback.jsonl")).expect("written");
    let decided = value["decisions"][0]["campaigns"].as_array().expect("campaigns");
    let decided = decided.iter().find(|c| c["name"] == "winback").expect("decided");
    assert_eq!(decided["met"], winback["size"]);
    // Whoever did not agree is not in it.
    let sent = decided["sent"].as_u64().expect("a number");
    assert_eq!(
        sent + decided["stopped"]["no consent"].as_u64().expect("a number"),
        winback["size"].as_u64().expect("a size")
    );
    assert!(lines.lines().count() as u64 == sent && sent > 0 && lines.contains("\"channel\":\"email\""), "{lines}");
    assert!(written.len() >= audiences.len() * 3);
    let (again, rewritten) = run("3");
    assert!(first == again && written == rewritten, "the same bytes from run to run");
}

#[test]
fn a_rule_from_the_command_line() {
    let folder = example();
    let output = call(folder.path(), &["run", "shop", "--rule", "purchased anti-aging ≥ 3 in 90d", "--limit", "2"]);
    let said = out(&output);
    assert!(output.status.success(), "{}", err(&output));
    assert!(said.contains("\n  rule "), "{said}");
    assert!(said.contains("\nrule:\n  ") && said.contains(" more\n"), "{said}");
    // Who has bought is found without a look at anybody else; asked for, everybody is counted.
    assert!(said.contains("the population was not counted\n") && !said.contains('%'), "{said}");
    let typed = ["run", "shop", "--rule", "purchased anti-aging ≥ 3 in 90d", "--format", "json"];
    let json = |more: &[&str]| -> Value {
        let output = call(folder.path(), &[&typed, more].concat());
        serde_json::from_slice(&output.stdout).expect("JSON")
    };
    let (few, all) = (json(&[]), json(&["--population"]));
    assert_eq!((&few["population"], &few["audiences"][0]["share"]), (&Value::Null, &Value::Null));
    assert!(all["population"].as_u64() > all["audiences"][0]["size"].as_u64());
    assert_eq!(few["audiences"][0]["size"], all["audiences"][0]["size"]);
    assert!(!folder.path().join("shop/out").exists(), "nothing is written");
    let wrong = call(folder.path(), &["run", "shop", "--rule", "purchsed"]);
    assert_eq!(wrong.status.code(), Some(3));
    assert!(
        err(&wrong).contains("[--rule:1:1]") && err(&wrong).contains("did you mean `purchased`?"),
        "{}",
        err(&wrong)
    );
}

#[test]
fn what_is_doubtful_in_a_typed_rule_is_shown() {
    let folder = example();
    let doubtful = call(folder.path(), &["run", "shop", "--rule", "purchased ≥ 0"]);
    assert!(doubtful.status.success());
    assert!(err(&doubtful).contains("[--rule:1:"), "{}", err(&doubtful));
    let empty = call(folder.path(), &["run", "shop", "--rule", "# nothing"]);
    assert_eq!(empty.status.code(), Some(2));
    assert!(err(&empty).contains("holds no segment and no campaign"), "{}", err(&empty));
    let property = call(folder.path(), &["run", "shop", "--rule", "amount > 5"]);
    assert!(err(&property).contains("this is a property of `"), "{}", err(&property));
}

#[test]
fn only_some() {
    let folder = example();
    let output = call(folder.path(), &["run", "shop", "--only", "lost", "--only", "winback", "--write", "csv"]);
    assert!(output.status.success(), "{}", err(&output));
    let said = out(&output);
    assert!(said.contains("\n  lost ") && said.contains("\n  winback ") && !said.contains("dormant"), "{said}");
    let names: Vec<String> = files(&folder.path().join("shop/out")).into_iter().map(|f| f.0).collect();
    assert!(names.contains(&"lost.csv".to_owned()) && !names.contains(&"dormant.csv".to_owned()), "{names:?}");
    let wrong = call(folder.path(), &["run", "shop", "--only", "winbak"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert_eq!(
        err(&wrong).lines().filter(|l| !l.contains("warning")).collect::<Vec<_>>(),
        ["error: no segment, campaign or stages are called `winbak`", "  help: did you mean `winback`?"]
    );
}

/// Stages are one audience: a row with its lines below, one file with a column for the stage.
#[test]
fn stages_are_shown_together() {
    let folder = example();
    let rules = "\
# How far somebody is.
stages standing \"How good\":
  top 10 by count(purchased) → best
  purchased → buyer
  otherwise → visitor

segment lucky: standing = buyer and sample 20%
";
    std::fs::write(folder.path().join("shop/rules/standing.seg"), rules).expect("written");
    let output = call(folder.path(), &["run", "shop", "--only", "standing", "--write", "csv"]);
    assert!(output.status.success(), "{}", err(&output));
    let said = out(&output);
    assert!(said.contains("\n  standing ") && said.contains("\n    best ") && !said.contains("lucky"), "{said}");
    let names: Vec<String> = files(&folder.path().join("shop/out")).into_iter().map(|f| f.0).collect();
    assert_eq!(names.iter().filter(|n| n.ends_with(".csv")).collect::<Vec<_>>(), ["standing.csv"], "{names:?}");
    let lines = std::fs::read_to_string(folder.path().join("shop/out/standing.csv")).expect("written");
    assert_eq!(lines.lines().next(), Some("customer,stage"));
    let of = |stage: &str| lines.lines().filter(|l| l.ends_with(&format!(",{stage}"))).count() as u64;

    let output = call(folder.path(), &["run", "shop", "--no-write", "--limit", "2", "--format", "json"]);
    let value: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let audiences = value["audiences"].as_array().expect("audiences");
    let named = |name: &str| audiences.iter().find(|a| a["name"] == name).expect("an audience");
    let standing = named("standing");
    assert_eq!((&standing["kind"], &standing["title"]), (&Value::from("stages"), &Value::from("How good")));
    assert_eq!(
        (&standing["size"], &standing["share"]),
        (&value["population"], &Value::from(1.0)),
        "`otherwise` takes the rest"
    );
    let stages = standing["stages"].as_array().expect("stages");
    assert_eq!(
        stages.iter().map(|s| s["stage"].as_str().unwrap_or("")).collect::<Vec<_>>(),
        ["best", "buyer", "visitor"]
    );
    for stage in stages {
        assert_eq!(stage["size"], of(stage["stage"].as_str().expect("text")), "{stage}");
    }
    assert_eq!((of("best"), stages[0]["customers"].as_array().map(Vec::len)), (10, Some(2)));
    let lucky = named("lucky")["size"].as_u64().expect("a size");
    assert!(lucky > 0 && lucky < of("buyer"), "a fifth of the buyers: {lucky} of {}", of("buyer"));
    assert!(audiences.iter().all(|a| a["name"] != "standing.best"), "a line is no audience of its own");

    let typed = call(folder.path(), &["run", "shop", "--rule", "stages s: visited in 7d → new otherwise → old"]);
    assert!(typed.status.success(), "{}", err(&typed));
    assert!(out(&typed).contains("\n  s ") && out(&typed).contains("\n    old "), "{}", out(&typed));
    let line = call(folder.path(), &["run", "shop", "--only", "standing.best"]);
    assert_eq!(line.status.code(), Some(2));
    assert!(err(&line).contains("no segment, campaign or stages are called `standing.best`"), "{}", err(&line));
}

#[test]
fn what_can_not_be_done_is_said() {
    let folder = example();
    let cases: [(&[&str], i32, &str); 4] = [
        (&["run", "shop", "--as-of", "yesterday"], 2, "`yesterday` is no instant"),
        (&["run", "nowhere"], 2, "there is no `nowhere`"),
        (
            &["run", "shop", "--output", "shop/data/events/out"],
            2,
            ".parquet` would be one of the files of the source `activity`",
        ),
        (&["run", "shop", "--output", "shop/segue.yaml"], 4, "it is a file, and a folder is wanted"),
    ];
    for (arguments, code, text) in cases {
        let output = call(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", err(&output));
        assert!(err(&output).contains(text), "{}", err(&output));
        assert!(output.stdout.is_empty());
    }
    std::fs::remove_dir_all(folder.path().join("shop/data/events")).expect("gone");
    let output = call(folder.path(), &["run", "shop"]);
    assert_eq!(output.status.code(), Some(4), "{}", err(&output));
    assert!(!folder.path().join("shop/out").exists(), "nothing half-written");
}

#[test]
#[cfg(not(feature = "cloud"))]
fn an_object_store_needs_its_feature() {
    let folder = example();
    let catalog = folder.path().join("shop/catalog.yaml");
    let text = std::fs::read_to_string(&catalog).expect("catalog");
    std::fs::write(&catalog, text.replace("path: data/events ", "path: s3://bucket/events ")).expect("written");
    let output = call(folder.path(), &["run", "shop"]);
    assert_eq!(output.status.code(), Some(4), "{}", err(&output));
    assert!(err(&output).contains("`s3://bucket/events`") && err(&output).contains("cargo build --features cloud"));
    assert!(!folder.path().join("shop/out").exists(), "nothing is written");
}

#[test]
fn a_reader_who_goes_away_is_no_error() {
    let folder = example();
    let mut child = segue()
        .current_dir(folder.path())
        .args(["run", "shop", "--only", "lost", "--no-write", "--quiet"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("ends");
    assert_eq!((output.status.code(), err(&output).as_str()), (Some(0), ""));
}

#[test]
fn specs_are_judged_twice() {
    let folder = example();
    let good = call(folder.path(), &["test", "shop"]);
    assert!(good.status.success(), "{}{}", out(&good), err(&good));
    assert!(out(&good).contains("ok    specs/winback.yaml"), "{}", out(&good));
    let spec = "as_of: 2026-11-21\ncustomers:\n  ana: purchased anti-aging 3d ago\n  bob: nothing\nexpect:\n  winback: [ana]\n";
    std::fs::write(folder.path().join("shop/specs/wrong.yaml"), spec).expect("written");
    let bad = call(folder.path(), &["test", "shop"]);
    assert_eq!(bad.status.code(), Some(1));
    assert!(out(&bad).contains("specs/wrong.yaml:6: `winback`: without ana, who should be in it"), "{}", out(&bad));
    let json: Value =
        serde_json::from_slice(&call(folder.path(), &["test", "shop", "--format", "json"]).stdout).expect("JSON");
    assert_eq!((&json["holds"], &json["specs"][1]["plan"]), (&Value::Bool(false), &Value::Bool(true)));
    std::fs::write(folder.path().join("shop/specs/wrong.yaml"), spec.replace("winback", "winbak")).expect("written");
    for verb in ["test", "check"] {
        let broken = call(folder.path(), &[verb, "shop", "--quiet"]);
        assert_eq!(broken.status.code(), Some(if verb == "test" { 3 } else { 1 }), "{verb}");
        let said = out(&broken) + &err(&broken);
        assert!(said.contains("specs/wrong.yaml:6:3") && said.contains("`winbak`"), "{said}");
    }
}

/// Interpreter and plan both say what the suite and the guide expect; they have no data, and none is asked for.
#[test]
fn the_conformance_suite_and_the_guide_hold() {
    for project in ["specs", "examples/idioms"] {
        let output = call(&root(), &["test", project]);
        assert!(output.status.success(), "{}{}", out(&output), err(&output));
    }
}

/// A decoder may panic on a damaged page; that is told as our error alone.
#[test]
fn damaged_pages_are_told_in_our_words() {
    let shop = super::engine_support::Shop::plain();
    let path = shop.parquet("data/events/a.parquet", super::engine_support::some_events());
    let whole = std::fs::read(&path).expect("bytes");
    let mut told = 0;
    for at in (4..whole.len() - 8).step_by(93) {
        let mut bytes = whole.clone();
        bytes[at..at + 3].iter_mut().for_each(|byte| *byte ^= 0xA5);
        std::fs::write(&path, &bytes).expect("writes");
        let output = call(shop.dir.path(), &["run", "--rule", "buy where (item = serum)"]);
        let err = err(&output);
        assert!(!err.contains("panicked"), "{at}: {err}");
        if !output.status.success() {
            told += 1;
            assert!(err.starts_with("error: ") && err.contains("a.parquet"), "{at}: {err}");
        }
    }
    assert!(told > 0);
}
