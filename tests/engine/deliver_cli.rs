//! `segue deliver`: what it takes, what it says, what it returns; and that nobody ever reads a secret in it.

use std::path::Path;
use std::process::Output;

use segue::language::catalog::Mode;
use serde_json::Value;

use crate::results_support::{open, publish, run};
use crate::support::segue;

const SECRET: &str = "hunter2hunter2";

/// A project with these destinations, and versions of `loyal`, `recent` and `vip` in its store.
pub fn project(destinations: &str, days: u64) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("written");
    std::fs::create_dir(folder.path().join("rules")).expect("a folder");
    write("segue.yaml", "name: shop\nedition: \"2026\"\ntimezone: UTC\nstore: results\n");
    let catalog = "sources:\n  s: {path: data, customer: c, time: t}\nevents:\n  purchased: {source: s}\n";
    write("catalog.yaml", &format!("{catalog}{destinations}"));
    write("rules/vip.seg", "segment vip: purchased ≥ 3 in 90d\nsegment loyal: purchased in 30d\n");
    let store = open(&folder.path().join("results"));
    run(async {
        for day in 1..=days {
            publish(&store, day).await.expect("staged").published().expect("published");
        }
    });
    folder
}

fn deliver(folder: &Path, arguments: &[&str]) -> Output {
    segue().current_dir(folder).env("CRM_URL", "").arg("deliver").args(arguments).output().expect("runs")
}

fn text(output: &Output) -> (String, String, Option<i32>) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr), output.status.code())
}

const DROP: &str = "destinations:\n  drop: {kind: csv, path: out/drop, audiences: [vip, loyal]}\n  lines: {kind: jsonl, path: out/lines, mode: delta}\n";

#[test]
fn from_the_store_to_files() {
    let folder = project(DROP, 1);
    let (out, err, code) = text(&deliver(folder.path(), &["--dry-run"]));
    assert_eq!(code, Some(0), "{err}");
    assert_eq!(out.lines().count(), 5, "{out}");
    assert!(out.contains("vip → drop: would be version 1, 24 rows\n"), "{out}");
    assert!(!folder.path().join("out").exists() && !folder.path().join("results/deliveries").exists());

    let (out, err, code) = text(&deliver(folder.path(), &[]));
    assert_eq!(code, Some(0), "{err}");
    assert_eq!(
        out,
        "loyal → drop: version 1, 24 rows\nvip → drop: version 1, 24 rows\n\
         loyal → lines: version 1, 24 rows, the first ones\nrecent → lines: version 1, 24 rows, the first ones\n\
         vip → lines: version 1, 24 rows, the first ones\n"
    );
    let csv = std::fs::read_to_string(folder.path().join("out/drop/vip.csv")).expect("written");
    assert_eq!(csv.lines().count(), 25);
    assert!(!folder.path().join("out/drop/recent.csv").exists());

    let store = open(&folder.path().join("results"));
    run(publish(&store, 2)).expect("staged").published().expect("published");
    let (out, _, code) = text(&deliver(folder.path(), &["vip", "--to", "lines", "--format", "json"]));
    assert_eq!(code, Some(0));
    let said: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((&said["schema"], &said["version"]), (&Value::from(1), &Value::from(2)));
    let one = &said["deliveries"][0];
    assert_eq!((&one["state"], &one["mode"], &one["base"]), (&"delivered".into(), &"delta".into(), &Value::from(1)));
    // The number of a version means another one in another store.
    let manifest = run(store.manifest(2)).expect("read").sha256.clone();
    let key = segue::audience::deliver::key("shop", &manifest, "vip", "lines", Mode::Delta, Some(1));
    assert_eq!(one["idempotency_key"], Value::from(key));
    let changes = one["upserts"].as_u64().expect("rows") + one["deletes"].as_u64().expect("rows");
    let lines = folder.path().join("out/lines/vip.delta-00000001-00000002.jsonl");
    assert_eq!(std::fs::read_to_string(lines).expect("written").lines().count() as u64, changes);
    let (out, _, code) = text(&deliver(folder.path(), &["vip", "--to", "lines"]));
    assert_eq!((out.as_str(), code), ("vip → lines: nothing to do, it has version 2\n", Some(0)));
    let (out, _, _) = text(&deliver(folder.path(), &["vip", "--to", "lines", "--again"]));
    assert!(out.starts_with("vip → lines: version 2, "), "{out}");
    let (out, _, code) = text(&deliver(folder.path(), &["vip", "--resume"]));
    assert_eq!(code, Some(0));
    assert!(out.contains("vip → drop: nothing to do, it has version 1\n"), "{out}");
}

/// A campaign that is not decided anew has been delivered: its contacts are not brought again, whatever is published besides.
#[test]
fn decisions_are_delivered_once() {
    use segue::audience::store::{Decided, EntryKind};

    use crate::results_support::{bare, draft};
    let folder = project("destinations:\n  lines: {kind: jsonl, path: out}\n", 0);
    let store = open(&folder.path().join("results"));
    // What was decided last stands until it is decided anew.
    let of = std::cell::Cell::new(1);
    let publish = |day: u64, decided: bool, name: &str| {
        run(async {
            let last = if decided { day } else { of.get() };
            of.set(last);
            let mut draft = draft(&store, last).await.expect("staged");
            draft.as_of = bare(day).as_of;
            for entry in draft.program.iter_mut().filter(|entry| entry.name == "vip") {
                (entry.kind, entry.name) = (EntryKind::Campaign, name.to_owned());
            }
            for file in draft.files.iter_mut().filter(|file| file.name == "vip") {
                file.name = name.to_owned();
            }
            if name != "vip" {
                draft.names.insert(name.to_owned(), vec!["vip".to_owned()]);
            }
            if decided {
                draft.decided = vec![Decided { key: "vip".to_owned(), at: draft.as_of }];
            }
            let base = store.latest().await.expect("read").map(|latest| latest.version);
            store.commit(draft, base).await.expect("answered").published().expect("published");
        });
    };
    let say = |name: &str| text(&deliver(folder.path(), &[name])).0;
    publish(1, true, "vip");
    publish(2, false, "vip");
    assert_eq!(say("vip"), "vip → lines: version 1, 24 rows\n", "the version in which it was decided");
    publish(3, false, "vip");
    assert_eq!(say("vip"), "vip → lines: nothing to do, it has version 1\n");
    publish(4, true, "vip");
    publish(5, true, "best");
    publish(6, false, "best");
    // Under another name it is the same campaign: what is new since then, and nothing twice.
    assert_eq!(say("best"), "best → lines: version 4, 24 rows\nbest → lines: version 5, 24 rows\n");
    assert_eq!(say("best"), "best → lines: nothing to do, it has version 5\n");
}

/// Publishes a campaign's audience of a day: as it is decided, as it stands, or as it is brought back.
fn campaign(folder: &Path, day: u64, decided: bool, name: &str, ids: &[&str], restored: Option<u64>) {
    use segue::audience::store::{Decided, EntryKind, Kind, Table};

    use crate::results_support::{bare, entry, table};
    let store = open(&folder.join("results"));
    run(async {
        let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
        let mut draft = bare(day);
        draft.program.push(entry(name));
        draft.program[0].kind = EntryKind::Campaign;
        draft.files.push(store.stage(Table::Audience, name, &[table(&ids)]).await.expect("staged"));
        if name != "vip" {
            draft.names.insert(name.to_owned(), vec!["vip".to_owned()]);
        }
        if decided {
            draft.decided = vec![Decided { key: "vip".to_owned(), at: draft.as_of }];
        }
        if restored.is_some() {
            (draft.kind, draft.restored) = (Kind::Restore, restored);
        }
        let base = store.latest().await.expect("read").map(|latest| latest.version);
        store.commit(draft, base).await.expect("answered").published().expect("published");
    });
}

/// Whom later versions took out of the audience that stands, under whatever name, is not delivered; who is decided anew is.
#[test]
fn later_versions_take_people_out() {
    let folder = project("destinations:\n  lines: {kind: jsonl, path: out}\n", 0);
    let publish =
        |day, decided, name, ids: &[&str], restored| campaign(folder.path(), day, decided, name, ids, restored);
    let said = |name: &str| text(&deliver(folder.path(), &[name])).0;
    publish(1, true, "vip", &["a", "b"], None);
    assert_eq!(said("vip"), "vip → lines: version 1, 2 rows\n");
    publish(2, true, "vip", &["a", "b", "c", "d"], None);
    publish(3, false, "vip", &["a", "b", "c"], None);
    publish(4, false, "best", &["b", "c"], None);
    publish(5, true, "best", &["x", "y"], None);
    publish(6, false, "best", &["x"], None);
    // What is brought back stands for what it was then, and takes nobody back in.
    publish(7, false, "vip", &["b", "c", "d"], Some(2));
    publish(8, true, "best", &["z"], None);
    assert_eq!(
        said("best"),
        "best → lines: version 2, 2 rows, 2 left out who may not be reached any more\n\
         best → lines: version 5, 1 rows, 1 left out who may not be reached any more\n\
         best → lines: version 8, 1 rows\n"
    );
    let lines = std::fs::read_to_string(folder.path().join("out/best.00000002.jsonl")).expect("written");
    assert_eq!(lines, "{\"customer\":\"b\"}\n{\"customer\":\"c\"}\n");
}

/// What a destination waits for is not cleared away, and goes when it has it.
#[test]
fn old_decisions_wait_for_their_delivery() {
    let folder = project("destinations:\n  lines: {kind: jsonl, path: out}\n  other: {kind: csv, path: other}\n", 0);
    let publish = |day, ids: &[&str]| campaign(folder.path(), day, true, "vip", ids, None);
    publish(1, &["a"]);
    assert_eq!(text(&deliver(folder.path(), &["--to", "lines"])).0, "vip → lines: version 1, 1 rows\n");
    (2..=4).for_each(|day| publish(day, &["b"]));
    let vacuum = |arguments: &[&str]| {
        let output = segue().current_dir(folder.path()).arg("vacuum").args(arguments).output().expect("runs");
        let (out, err, code) = text(&output);
        assert_eq!(code, Some(0), "{err}");
        out
    };
    let all = ["--keep", "0d", "--grace", "0d"];
    let said: Value = serde_json::from_str(&vacuum(&[&all[..], &["--format", "json"]].concat())).expect("JSON");
    assert_eq!((&said["versions"], &said["waiting"]), (&serde_json::json!([1]), &serde_json::json!([2, 3])));
    let said = vacuum(&[&all[..], &["--apply"]].concat());
    assert!(said.starts_with("cleared away 1 version (1)"), "{said}");
    assert!(
        said.ends_with("\n2 old versions stay: a destination has not got their contacts (`segue deliver`)\n"),
        "{said}"
    );
    // Somewhere else than the project is, deliveries tell.
    let store = folder.path().join("results").display().to_string();
    let elsewhere = tempfile::tempdir().expect("a folder");
    let output = segue().current_dir(elsewhere.path()).args(["vacuum", "--store", &store]).args(all).output();
    assert!(text(&output.expect("runs")).0.contains("3 old versions stay"));
    assert_eq!(
        text(&deliver(folder.path(), &[])).0,
        "vip → lines: version 2, 1 rows\nvip → lines: version 3, 1 rows\nvip → lines: version 4, 1 rows\n\
         vip → other: version 4, 1 rows\n"
    );
    assert!(vacuum(&all).starts_with("would clear away 3 versions (2 to 4)"));
}

/// What was personal when it was published is personal, whatever the rules and the catalog say by now.
#[test]
fn personal_columns_stay_personal() {
    use arrow::array::{RecordBatch, StringArray};
    use arrow::datatypes::{DataType, Field, Schema};
    use segue::audience::store::{Decided, EntryKind, Table};

    use crate::results_support::{bare, entry};
    let folder = project("channels: {email: {}}\ndestinations:\n  lines: {kind: jsonl, path: out}\n", 0);
    let store = open(&folder.path().join("results"));
    run(async {
        let text = |name: &str| Field::new(name, DataType::Utf8, name != "customer");
        let marked = text("address").with_metadata([("pii".to_owned(), "true".to_owned())].into());
        let schema = Schema::new(vec![text("customer"), text("channel"), marked]);
        let columns = ["a", "email", "a@x"].map(|cell| std::sync::Arc::new(StringArray::from(vec![cell])) as _);
        let rows = RecordBatch::try_new(schema.into(), columns.to_vec()).expect("a batch");
        let mut draft = bare(1);
        draft.program.push(entry("vip"));
        draft.program[0].kind = EntryKind::Campaign;
        draft.files.push(store.stage(Table::Audience, "vip", &[rows]).await.expect("staged"));
        draft.decided = vec![Decided { key: "vip".to_owned(), at: draft.as_of }];
        store.commit(draft, None).await.expect("answered").published().expect("published");
    });
    let (_, err, code) = text(&deliver(folder.path(), &[]));
    assert_eq!(code, Some(5), "{err}");
    assert!(err.contains("`address` of audience `vip` is personal, and channel `email` may not have that"), "{err}");
    assert!(!folder.path().join("out").exists());
}

/// A campaign that is taken out takes its contacts with it, and that is said once.
#[test]
fn who_leaves_is_told() {
    let folder = project("destinations:\n  lines: {kind: jsonl, path: out}\n", 0);
    (1..=2).for_each(|day| campaign(folder.path(), day, true, "vip", &["a"], None));
    let store = open(&folder.path().join("results"));
    run(async {
        let mut draft = crate::results_support::draft(&store, 3).await.expect("staged");
        draft.program.retain(|entry| entry.name != "vip");
        draft.files.retain(|file| file.name != "vip");
        store.commit(draft, Some(2)).await.expect("answered").published().expect("published");
    });
    let told =
        "campaign `vip` is not in the newest version any more: 2 decisions of it that `lines` has not got will not";
    let (out, err, code) = text(&deliver(folder.path(), &[]));
    assert_eq!(
        (out.as_str(), code),
        ("loyal → lines: version 3, 24 rows\nrecent → lines: version 3, 24 rows\n", Some(0))
    );
    assert!(err.contains(told), "{err}");
    let (_, err, _) = text(&deliver(folder.path(), &[]));
    assert!(!err.contains("vip"), "{err}");
}

#[test]
fn what_makes_no_sense() {
    let folder = project(DROP, 1);
    for (arguments, words, code) in [
        (&["vipp"][..], "version 1 has no audience `vipp`", 2),
        (&["--to", "drip"], "the catalog has no destination `drip`", 2),
        (&["recent", "--to", "drop"], "no destination takes any of these audiences", 2),
        (&["--full", "--delta"], "cannot be used with", 2),
        (&["--resume", "--again"], "cannot be used with", 2),
    ] {
        let (_, err, got) = text(&deliver(folder.path(), arguments));
        assert_eq!(got, Some(code), "{err}");
        assert!(err.contains(words), "{words}: {err}");
    }
    let (_, err, code) = text(&deliver(project(DROP, 0).path(), &[]));
    assert_eq!(code, Some(2));
    assert!(err.contains("nothing was published"), "{err}");
    let (_, err, code) = text(&deliver(project("", 1).path(), &[]));
    assert_eq!(code, Some(2));
    assert!(err.contains("no `destinations`"), "{err}");
    let forgetful = project(DROP, 1);
    std::fs::write(forgetful.path().join("segue.yaml"), "name: shop\nedition: \"2026\"\ntimezone: UTC\n")
        .expect("written");
    let (_, err, code) = text(&deliver(forgetful.path(), &[]));
    assert_eq!(code, Some(2));
    assert!(err.contains("has no store of results"), "{err}");
    // Among the files that the next run reads.
    let inside = project("destinations: {drop: {kind: parquet, path: data/more}}\n", 1);
    std::fs::create_dir(inside.path().join("data")).expect("a folder");
    let (_, err, code) = text(&deliver(inside.path(), &["vip"]));
    assert_eq!(code, Some(2), "{err}");
    assert!(err.contains("one of the files of the source `s`"), "{err}");
    assert!(!inside.path().join("data/more").exists());
}

#[test]
fn one_that_fails_keeps_no_other_waiting() {
    let folder = project(
        "destinations:\n  aaa: {kind: postgres, url: 'postgres://127.0.0.1:1/x'}\n  drop: {kind: csv, path: out/drop}\n",
        1,
    );
    let (out, err, code) = text(&deliver(folder.path(), &["vip", "--format", "json"]));
    assert_eq!(code, Some(4), "{err}");
    let said: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(said["deliveries"][0]["state"], "failed");
    assert_eq!(said["deliveries"][1]["state"], "delivered");
    assert!(folder.path().join("out/drop/vip.csv").exists());
}

/// All files of a folder whose bytes hold the text.
fn holding(folder: &Path, text: &str, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            holding(&path, text, found);
        } else {
            let bytes = std::fs::read(&path).expect("bytes");
            if bytes.windows(text.len()).any(|part| part == text.as_bytes()) {
                found.push(path.display().to_string());
            }
        }
    }
}

#[test]
fn secrets_never_appear() {
    let folder = project(
        "destinations:\n\
         \x20 crm: {kind: postgres, url: {env: CRM_URL}}\n\
         \x20 other:\n    kind: postgres\n    url: ${env:OTHER_URL}\n\
         \x20 broken: {kind: postgres, url: {env: BROKEN_URL}}\n\
         \x20 hook: {kind: webhook, url: {env: HOOK_URL}, secret: {env: HOOK_SECRET}, timeout: 1s}\n\
         \x20 unset: {kind: webhook, url: 'https://x.invalid', secret: {env: NOBODY_SETS_THIS}}\n\
         \x20 drop: {kind: csv, path: out/drop}\n",
        1,
    );
    let said = |arguments: &[&str]| {
        let output = segue()
            .current_dir(folder.path())
            .env("CRM_URL", format!("postgres://segue:{SECRET}@127.0.0.1:1/crm"))
            .env("OTHER_URL", format!("postgres://segue:{SECRET}@127.0.0.1:1/crm?sslmode=require"))
            .env("BROKEN_URL", format!("host=127.0.0.1 port={SECRET} password={SECRET} what={SECRET}"))
            // Not a URL at all, so that nothing is sent and nobody waits.
            .env("HOOK_URL", format!("no url {SECRET}"))
            .env("HOOK_SECRET", SECRET)
            .env("RUST_LOG", "trace")
            .env("RUST_BACKTRACE", "1")
            .arg("deliver")
            .args(arguments)
            .output()
            .expect("runs");
        let (out, err, code) = text(&output);
        assert_eq!(code, Some(4), "{err}");
        format!("{out}{err}")
    };
    for arguments in [&["vip"][..], &["vip", "--format", "json"], &["vip", "-vv"], &["vip", "--resume", "-vv"]] {
        let said = said(arguments);
        assert!(said.contains("destination `crm`: cannot connect"), "{said}");
        assert!(said.contains("asks for TLS"), "{said}");
        // To go on, nothing is asked of what never began.
        let began = cfg!(feature = "cloud") && !arguments.contains(&"--resume");
        assert!(said.contains("NOBODY_SETS_THIS") || !began, "{said}");
        assert!(!said.contains(SECRET), "{said}");
    }
    assert!(folder.path().join("out/drop/vip.csv").exists());
    let mut found = Vec::new();
    holding(folder.path(), SECRET, &mut found);
    assert!(found.is_empty(), "{found:?}");
}
