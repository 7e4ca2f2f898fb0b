//! The store of results: versions, reading back, audits, restore, vacuum, locks.

use std::time::Duration;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::DataType;
use segue::audience::store::{
    Audience, Committed, Draft, Keep, Kind, Owner, Store, Table, Tool, audit, changes, membership, sha256,
};
use segue::language::catalog::Audits;
use segue::language::num::Num;
use std::sync::Arc;

use crate::results_support::*;

fn tool() -> Tool {
    Tool { version: "0.1.0".to_owned(), tzdb: "2026a".to_owned() }
}

#[test]
fn versions_are_published_and_read_back() {
    let folder = quick();
    run(async {
        let store = open(&folder.path().join("results"));
        assert!(store.latest().await.expect("an empty store").is_none());
        catch_up(&store, 3).await.expect("published");
        // Another reader, which knows nothing yet.
        let reader = open(&folder.path().join("results"));
        let chain = reader.chain().await.expect("whole");
        assert_eq!(chain.versions().len(), 3);
        for version in chain.versions() {
            sound(&reader, version).await;
        }
        assert_eq!(chain.history().len(), 3);
        assert_eq!(chain.at(2 * DAY).map(|v| v.version), Some(2));
        assert_eq!(chain.at(3 * DAY - 1).map(|v| v.version), Some(2));
        assert_eq!(chain.at(DAY - 1).map(|v| v.version), None);
        let path = reader.url_or_path(&chain.history()[0]).await.expect("a path");
        assert!(std::path::Path::new(&path).is_file(), "{path}");
        assert!(chain.version(4).expect_err("none").help().expect("a cure").contains("newest is 3"));
    });
}

#[test]
fn the_same_drafts_are_the_same_bytes() {
    let (one, two) = (quick(), quick());
    run(async {
        catch_up(&open(one.path()), 3).await.expect("published");
        let store = open(two.path());
        for day in 1..=3 {
            let base = store.latest().await.expect("whole").map(|v| v.version);
            let mut draft = draft(&store, day).await.expect("staged");
            draft.files.reverse();
            draft.program.reverse();
            assert!(matches!(store.commit(draft.clone(), base).await, Ok(Committed::Published(_))));
            // Once more, it is there.
            assert!(matches!(store.commit(draft, base).await, Ok(Committed::Already(_))));
        }
    });
    assert_eq!(contents(one.path()), contents(two.path()));
    assert_eq!(contents(one.path()).keys().filter(|name| name.starts_with("manifests")).count(), 3);
    // The batches that rows come in are no part of them.
    run(async {
        let store = open(one.path());
        let (all, half) = (members("vip", 1), members("vip", 1).len() / 2);
        let whole = store.stage(Table::Audience, "vip", &[table(&all)]).await.expect("staged");
        let parts = [table(&all[..half]), table(&[]), table(&all[half..])];
        assert_eq!(store.stage(Table::Audience, "vip", &parts).await.expect("staged"), whole);
        let nobody = store.stage(Table::Audience, "none", &[table(&[])]).await.expect("staged");
        assert_eq!((nobody.rows, ids(&store, &nobody).await.expect("readable").len()), (0, 0));
        assert_eq!(nobody.schema, "customer Utf8");
    });
}

#[test]
fn who_is_overtaken_is_told() {
    let folder = quick();
    run(async {
        let (fast, slow) = (open(folder.path()), open(folder.path()));
        catch_up(&fast, 1).await.expect("published");
        let late = draft(&slow, 7).await.expect("staged");
        catch_up(&fast, 2).await.expect("published");
        let overtaken = slow.commit(late.clone(), Some(1)).await.expect("answered");
        assert!(matches!(&overtaken, Committed::Overtaken(by) if by.version == 2));
        let error = overtaken.published().expect_err("refused");
        assert_eq!(error.exit(), segue::error::Exit::Refused);
        assert_eq!(slow.chain().await.expect("whole").versions().len(), 2);
        assert_eq!(slow.commit(late, Some(2)).await.expect("answered").published().expect("published").version, 3);
    });
}

#[test]
fn members_are_compared() {
    let texts = |ids: &[&str]| Arc::new(StringArray::from_iter_values(ids)) as ArrayRef;
    let found = changes(&texts(&["a", "b", "d"]), &texts(&["b", "c", "d", "e"])).expect("compared");
    assert_eq!(found.entered.as_ref(), texts(&["c", "e"]).as_ref());
    assert_eq!(found.left.as_ref(), texts(&["a"]).as_ref());
    let numbers = |ids: &[i64]| Arc::new(Int64Array::from(ids.to_vec())) as ArrayRef;
    let found = changes(&numbers(&[-5, 2, 10]), &numbers(&[2, 9, 10])).expect("compared");
    assert_eq!(found.entered.as_ref(), numbers(&[9]).as_ref());
    assert_eq!(found.left.as_ref(), numbers(&[-5]).as_ref());
    // Nobody has no kind of ids.
    assert_eq!(changes(&texts(&[]), &numbers(&[1])).expect("compared").entered.len(), 1);
    assert_eq!(changes(&numbers(&[]), &texts(&["a"])).expect("compared").entered.len(), 1);
    assert_eq!(changes(&texts(&["a"]), &numbers(&[])).expect("compared").left.len(), 1);
    let error = changes(&texts(&["a"]), &numbers(&[1])).expect_err("other ids");
    assert!(error.to_string().contains("nobody can be found again"), "{error}");
    assert!(changes(&texts(&["b", "a"]), &texts(&[])).is_err() && changes(&texts(&["a", "a"]), &texts(&[])).is_err());

    let one = changes(&texts(&["a"]), &texts(&["b", "c"])).expect("compared");
    let two = changes(&texts(&[]), &texts(&["z"])).expect("compared");
    let rows = membership(&DataType::Utf8, 5, &[("vip", one), ("loyal", two)]).expect("rows");
    let column = |at: usize| rows.column(at).as_string::<i32>().iter().map(|v| v.expect("a value").to_owned());
    let rows: Vec<(String, String, String)> =
        column(2).zip(column(3)).zip(column(0)).map(|((e, n), c)| (e, n, c)).collect();
    let row = |e: &str, n: &str, c: &str| (e.to_owned(), n.to_owned(), c.to_owned());
    assert_eq!(
        rows,
        [row("entered", "loyal", "z"), row("entered", "vip", "b"), row("entered", "vip", "c"), row("left", "vip", "a")]
    );
}

/// The findings of an audience of these customers behind one of `before` customers.
fn findings(before: usize, now: &[String], audits: &Audits, consented: Option<Vec<bool>>) -> Vec<(String, String)> {
    let folder = quick();
    run(async {
        let store = open(folder.path());
        let of = async |day: u64, rows: &RecordBatch| {
            let file = store.stage(Table::Audience, "vip", std::slice::from_ref(rows)).await.expect("staged");
            Draft { files: vec![file], program: vec![entry("vip")], ..bare(day) }
        };
        let ids: Vec<String> = (0..before).map(|n| format!("c{n:05}")).collect();
        let first =
            store.commit(of(1, &table(&ids)).await, None).await.expect("answered").published().expect("published");
        let rows = table(now);
        let consented = consented.map(BooleanArray::from);
        let audience = Audience { name: "vip", rows: std::slice::from_ref(&rows), consented: consented.as_ref() };
        let draft = of(2, &rows).await;
        let found = audit(Some(&first.draft), &draft, &[audience], audits).expect("audited");
        let accepted = store.accept(&draft, &found).await;
        assert_eq!(accepted.is_ok(), found.is_empty());
        if let Err(error) = accepted {
            assert_eq!(error.exit(), segue::error::Exit::Refused);
            for finding in &found {
                assert!(error.to_string().contains(&finding.message), "{error}");
            }
            let reports: Vec<_> =
                std::fs::read_dir(folder.path().join("reports")).expect("reports").flatten().collect();
            assert_eq!(reports.len(), 1);
            assert!(std::fs::read_to_string(reports[0].path()).expect("text").contains(found[0].audit));
        }
        found.into_iter().map(|f| (f.audit.to_owned(), f.message)).collect()
    })
}

#[test]
fn audits_stop_what_must_not_be_published() {
    let many = |n: usize| (0..n).map(|n| format!("c{n:05}")).collect::<Vec<_>>();
    let half = Audits { change: Some(Num::Exact { units: 5, scale: 1 }), small: 10 };
    assert_eq!(findings(100, &many(150), &half, None), []);
    assert_eq!(findings(100, &many(50), &half, None), []);
    assert_eq!(findings(1, &many(9), &half, None), [], "small before and after");
    let told = |before: usize, now: usize| findings(before, &many(now), &half, None).remove(0).1;
    assert_eq!(told(100, 151), "it grew from 100 to 151 customers; `audits` admits a change of 50 %");
    assert_eq!(told(100, 49), "it shrank from 100 to 49 customers; `audits` admits a change of 50 %");
    assert_eq!(told(100, 0), "it shrank from 100 to 0 customers; `audits` admits a change of 50 %");
    assert_eq!(told(0, 10), "it grew from 0 to 10 customers; `audits` admits a change of 50 %");
    assert_eq!(findings(100, &many(9_000), &Audits::default(), None), [], "nothing was asked");

    let twice = ["a", "b", "a", "c", "b", "a"].map(str::to_owned);
    let found = findings(0, &twice, &Audits::default(), Some(vec![true, true, false, true, true, false]));
    assert_eq!(
        found,
        [
            ("duplicate".to_owned(), "customer `a` stands in it more than once, and 1 more".to_owned()),
            ("consent".to_owned(), "2 of 6 rows would be contacted without consent".to_owned()),
        ]
    );
    assert_eq!(findings(0, &many(2), &Audits::default(), Some(vec![true, true])), []);
    assert_eq!(findings(0, &many(2), &Audits::default(), Some(vec![true])).len(), 1, "not everybody was asked");
}

#[test]
fn columns_that_change_below_a_rule_are_told() {
    let folder = quick();
    run(async {
        let store = open(folder.path());
        let stage = async |rows: &RecordBatch| {
            store.stage(Table::Audience, "vip", std::slice::from_ref(rows)).await.expect("staged")
        };
        let texts = table(&["1".to_owned()]);
        let numbers = RecordBatch::try_from_iter([("customer", Arc::new(Int64Array::from(vec![1])) as ArrayRef)])
            .expect("a table");
        let draft = Draft { files: vec![stage(&texts).await], program: vec![entry("vip")], ..bare(1) };
        let first = store.commit(draft, None).await.expect("answered").published().expect("published");
        let mut draft = Draft { files: vec![stage(&numbers).await], program: vec![entry("vip")], ..bare(2) };
        let audience = Audience { name: "vip", rows: std::slice::from_ref(&numbers), consented: None };
        let audit = |draft: &Draft| audit(Some(&first.draft), draft, &[audience], &Audits::default()).expect("audited");
        let found = audit(&draft);
        assert_eq!((found.len(), found[0].audit), (1, "schema"));
        assert!(found[0].message.contains("`customer Utf8` and are `customer Int64"), "{}", found[0].message);
        // Who edits the rule means it.
        draft.program[0].sha256 = sha256(b"another rule");
        assert_eq!(audit(&draft), []);
    });
}

#[test]
fn back_to_an_earlier_version() {
    let folder = quick();
    run(async {
        let store = open(folder.path());
        catch_up(&store, 3).await.expect("published");
        let chain = store.chain().await.expect("whole");
        let draft = store.restored(&chain, 1, 9 * DAY, tool()).await.expect("staged");
        let restored = store.commit(draft, Some(3)).await.expect("answered").published().expect("published");
        assert_eq!((restored.version, restored.draft.kind, restored.draft.restored), (4, Kind::Restore, Some(1)));
        for name in NAMES {
            let file = restored.draft.audience(name).expect("the audience");
            assert_eq!(ids(&store, file).await.expect("readable"), members(name, 1));
            let moved = changes(&array(&members(name, 3)), &array(&members(name, 1))).expect("compared");
            let count = &restored.draft.counts[name];
            assert_eq!((count.entered, count.left), (moved.entered.len() as u64, moved.left.len() as u64));
        }
        // The history says who came back, at the moment of the restore; what it said before stays.
        let chain = store.chain().await.expect("whole");
        assert_eq!(chain.history().len(), 4);
        let rows = store.read(&chain.history()[3]).await.expect("readable");
        let moved: u64 = restored.draft.counts.values().map(|c| c.entered + c.left).sum();
        assert_eq!(rows.iter().map(|r| r.num_rows() as u64).sum::<u64>(), moved);
        assert!(store.restored(&chain, 9, 9 * DAY, tool()).await.is_err());
    });
}

#[test]
fn a_renamed_segment_is_the_same_when_it_is_restored() {
    let folder = quick();
    run(async {
        let store = open(folder.path());
        let of = async |day: u64, name: &str| {
            let file = store.stage(Table::Audience, name, &[table(&members("vip", day))]).await.expect("staged");
            Draft { files: vec![file], program: vec![entry(name)], ..bare(day) }
        };
        store.commit(of(1, "best").await, None).await.expect("answered").published().expect("published");
        let mut renamed = of(2, "vip").await;
        renamed.names.insert("vip".to_owned(), vec!["best".to_owned()]);
        store.commit(renamed, Some(1)).await.expect("answered").published().expect("published");
        let chain = store.chain().await.expect("whole");
        assert_eq!(chain.former("vip"), ["best"]);
        let draft = store.restored(&chain, 1, 3 * DAY, tool()).await.expect("staged");
        let moved = changes(&array(&members("vip", 2)), &array(&members("vip", 1))).expect("compared");
        assert_eq!(draft.counts["best"].entered, moved.entered.len() as u64);
        assert_eq!(draft.counts["best"].left, moved.left.len() as u64);
        assert_eq!(draft.counts.len(), 1);
    });
}

#[test]
fn clearing_away() {
    let folder = quick();
    let now = || {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
        i64::try_from(since.as_micros()).expect("fits")
    };
    run(async {
        let store = open(folder.path());
        catch_up(&store, 4).await.expect("published");
        let orphan = store.stage(Table::Audience, "draft", &[table(&["z".to_owned()])]).await.expect("staged");
        std::fs::write(folder.path().join(".aside/.tmpxyz"), "begun").expect("written");
        let chain = store.chain().await.expect("whole");
        let held: Vec<_> = chain.versions().to_vec();
        let before = contents(folder.path());

        // What is young stays, whatever it is.
        let young = Keep { from: Some(3 * DAY), now: now(), grace: Duration::from_secs(3_600), ..Keep::default() };
        let sweep = store.sweep(&young).await.expect("swept");
        assert_eq!((sweep.versions.as_slice(), sweep.files.len()), (&[1, 2][..], 0));
        let keep = Keep { from: Some(3 * DAY), now: now() + 1_000_000, grace: Duration::ZERO, ..Keep::default() };
        let sweep = store.sweep(&keep).await.expect("swept");
        assert_eq!(contents(folder.path()), before, "asking changes nothing");
        assert!(sweep.files.contains(&format!("data/{}.parquet", orphan.sha256)) && sweep.bytes > 0);
        assert!(sweep.files.iter().any(|name| name.contains(".tmpxyz")));
        assert_eq!(store.vacuum(&keep, tool()).await.expect("cleared"), sweep);

        let chain = store.chain().await.expect("whole");
        let latest = chain.latest().expect("a version");
        assert_eq!((latest.version, latest.draft.kind), (5, Kind::Vacuum));
        for version in &chain.versions()[2..] {
            sound(&store, version).await;
        }
        for file in chain.history() {
            store.read(&file).await.expect("the history stays");
        }
        assert_eq!(chain.history().len(), 4);
        // Who still holds an old version is told; what it shares with a kept one is there.
        let mut told = 0;
        for version in &held[..2] {
            for file in version.draft.of(Table::Audience) {
                if let Err(error) = store.read(file).await {
                    assert!(error.to_string().contains("not kept any longer (version 5)"), "{error}");
                    told += 1;
                }
            }
        }
        assert!(told > 0);
        assert!(store.restored(&chain, 1, 9 * DAY, tool()).await.expect_err("gone").to_string().contains("version 5"));
        // Nothing is left to do, and the newest version stays however old it is.
        assert_eq!(store.vacuum(&keep, tool()).await.expect("cleared"), Default::default());
        let all = Keep { from: Some(i64::MAX), now: now() + 1_000_000, grace: Duration::ZERO, ..Keep::default() };
        assert_eq!(store.vacuum(&all, tool()).await.expect("cleared").versions, [3, 4]);
        let latest = store.latest().await.expect("whole").expect("a version");
        assert_eq!(latest.version, 6);
        sound(&store, &latest).await;
        // A run goes on as ever.
        publish(&store, 6).await.expect("answered").published().expect("published");
    });
}

#[test]
fn erased_files_are_replaced_for_readers_of_every_version() {
    let folder = quick();
    run(async {
        let store = open(folder.path());
        catch_up(&store, 2).await.expect("published");
        let old = store.manifest(1).await.expect("a version");
        let file = old.draft.audience("vip").expect("the audience").clone();
        let replace = async |from: &str, without: &str, version: u64| {
            let left: Vec<String> = members("vip", 1).into_iter().filter(|id| !without.contains(id.as_str())).collect();
            let new = store.stage(Table::Audience, "vip", &[table(&left)]).await.expect("staged");
            let latest = store.latest().await.expect("whole").expect("a version");
            let mut draft = Draft { kind: Kind::Erase, ..latest.draft.clone() };
            draft.replaced = [(from.to_owned(), new.sha256.clone())].into();
            store.commit(draft, Some(version)).await.expect("answered").published().expect("published");
            new
        };
        let all = members("vip", 1);
        let once = replace(&file.sha256, &all[0], 2).await;
        assert_eq!(ids(&store, &file).await.expect("readable"), all[1..]);
        let twice = replace(&once.sha256, &format!("{} {}", all[0], all[1]), 3).await;
        assert_eq!(ids(&store, &file).await.expect("readable"), all[2..]);
        assert!(store.url_or_path(&file).await.expect("a path").contains(&twice.sha256));
        // What was replaced is needed by nobody.
        let keep = Keep { from: None, now: i64::MAX, grace: Duration::ZERO, ..Keep::default() };
        let sweep = store.vacuum(&keep, tool()).await.expect("cleared");
        assert!([&file.sha256, &once.sha256].iter().all(|sum| sweep.files.contains(&format!("data/{sum}.parquet"))));
        assert_eq!(ids(&open(folder.path()), &file).await.expect("readable"), all[2..]);
    });
}

#[test]
fn what_is_published_once_more_is_not_replaced() {
    let folder = quick();
    run(async {
        let store = open(folder.path());
        catch_up(&store, 2).await.expect("published");
        let file = async |n| store.manifest(n).await.expect("a version").draft.audience("vip").expect("it").clone();
        let (first, all) = (file(1).await, members("vip", 1));
        let without = store.stage(Table::Audience, "vip", &[table(&all[1..])]).await.expect("staged");
        let latest = store.latest().await.expect("whole").expect("a version");
        let replaced = [(first.sha256.clone(), without.sha256.clone())].into();
        let draft = Draft { kind: Kind::Erase, replaced, ..latest.draft.clone() };
        store.commit(draft, Some(2)).await.expect("answered").published().expect("published");
        let keep = Keep { from: None, now: i64::MAX, grace: Duration::ZERO, ..Keep::default() };
        store.vacuum(&keep, tool()).await.expect("cleared");
        // The rows of the first day come back.
        let again = store.stage(Table::Audience, "vip", &[table(&all)]).await.expect("staged");
        assert_eq!(again.sha256, first.sha256);
        let mut draft = bare(3);
        draft.files.push(again);
        store.commit(draft, Some(3)).await.expect("answered").published().expect("published");
        for store in [store.clone(), open(folder.path())] {
            let chain = store.chain().await.expect("whole");
            let of = |n: u64| chain.version(n).expect("there").draft.audience("vip").expect("it").clone();
            assert_eq!(ids(&store, &of(4)).await.expect("readable"), all);
            assert_eq!(ids(&store, &of(1)).await.expect("readable"), all[1..]);
            // Both are needed.
            store.vacuum(&keep, tool()).await.expect("cleared");
            assert_eq!(ids(&store, &of(4)).await.expect("readable"), all);
            assert_eq!(ids(&store, &of(1)).await.expect("readable"), all[1..]);
            // Of a version that is brought back it is the same.
            let draft = store.restored(&chain, 1, 9 * DAY, tool()).await.expect("staged");
            assert_eq!(draft.audience("vip").map(|file| file.rows), Some(all.len() as u64 - 1));
        }
    });
}

fn owner(pid: u32, nonce: &str, since: i64) -> Owner {
    Owner { verb: "run".to_owned(), host: "here".to_owned(), pid, nonce: nonce.to_owned(), since }
}

#[test]
fn locks_are_held_released_and_taken_over() {
    let folder = quick();
    let bound = Duration::from_secs(60);
    let mine = std::process::id();
    run(async {
        let store = open(folder.path());
        let lock = store.lock(&owner(mine, "a", 0), bound).await.expect("free");
        let error = store.lock(&owner(mine, "b", 1), bound).await.expect_err("held");
        assert_eq!(error.exit(), segue::error::Exit::Refused);
        assert!(error.to_string().contains(&format!("process {mine} on `here`")), "{error}");
        store.release(lock).await.expect("released");
        // Left behind by a process that is gone.
        let mut child = std::process::Command::new("true").spawn().expect("starts");
        let gone = child.id();
        child.wait().expect("ends");
        let _left = store.lock(&owner(gone, "c", 0), bound).await.expect("free");
        let lock = store.lock(&owner(mine, "d", 1), bound).await.expect("taken over");
        store.release(lock).await.expect("released");
        // Of another machine nobody knows; there time tells.
        let elsewhere = Owner { host: "there".to_owned(), ..owner(gone, "e", 0) };
        let _left = store.lock(&elsewhere, bound).await.expect("free");
        assert!(store.lock(&owner(mine, "f", 60_000_000), bound).await.is_err());
        let lock = store.lock(&owner(mine, "g", 60_000_001), bound).await.expect("taken over");
        store.release(lock).await.expect("released");
        // Whatever is no lock holds nobody up.
        std::fs::write(folder.path().join("locks/00000001.json"), "{").expect("written");
        let lock = store.lock(&owner(mine, "h", 0), bound).await.expect("taken over");
        store.release(lock).await.expect("released");
        assert_eq!(std::fs::read_dir(folder.path().join("locks")).expect("a folder").count(), 0);
    });
}

#[test]
fn a_place_that_can_be_no_store() {
    let folder = quick();
    let file = folder.path().join("file");
    std::fs::write(&file, "").expect("written");
    let error = Store::open("file", folder.path()).expect_err("a file");
    assert!(error.to_string().contains("it is a file") && error.help().is_some(), "{error}");
    for address in ["s3://", "s3:///prefix", "s3://bucket/*/x", "gs://bucket"] {
        let error = Store::open(address, folder.path()).expect_err(address);
        assert!(error.help().is_some(), "{error}");
    }
}
