//! Erasure of a person from a store of results with everything that can lie there, broken off at every step.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use segue::audience::erase::{Destination, Receipt, Request, State, erase};
use segue::audience::store::{
    Changes, Count, Decided, Draft, Entry, EntryKind, FileRef, Kind, Store, Table, Tool, changes, membership, sha256,
};
use segue::engine::Limits;
use segue::engine::tables::erased::{Erased, entry};
use segue::error::Error;

use super::results_support::{DAY, array, bare, contents, open, quick, run, table};
use super::results_troubled::{Trouble, Troubled};
use super::support::copy;

/// Who is erased, and one whose id begins in the same way.
const GONE: &str = "person-0007";
const LIKE: &str = "person-00071";

fn people() -> Vec<String> {
    let mut all: Vec<String> = (0..20).map(|n| format!("person-{n:04}")).collect();
    all.push(LIKE.to_owned());
    all.sort();
    all
}

/// Members of the segment on a day.
fn members(day: u64) -> Vec<String> {
    people().into_iter().enumerate().filter(|(n, _)| !(*n as u64 + day).is_multiple_of(4)).map(|(_, id)| id).collect()
}

fn texts(all: Vec<Option<&str>>) -> ArrayRef {
    Arc::new(StringArray::from(all))
}

/// The audience of the campaign: who is contacted, and who sent them.
fn contacted(day: u64) -> RecordBatch {
    let ids: Vec<String> = people().into_iter().filter(|id| id.len() == GONE.len()).take(8 + day as usize).collect();
    let friends = ids.iter().map(|id| if id.ends_with("0003") { Some(GONE) } else { None }).collect();
    let n = ids.len();
    RecordBatch::try_from_iter_with_nullable([
        ("customer", array(&ids), false),
        ("channel", texts(vec![Some("email"); n]), true),
        ("friend", texts(friends), true),
        ("score", Arc::new(Int64Array::from_iter_values(0..n as i64)) as ArrayRef, true),
    ])
    .expect("a table")
}

fn decisions(day: u64) -> RecordBatch {
    let ids = people();
    let sent = contacted(day).num_rows();
    let outcome = |n: usize| Some(if n < sent { "sent" } else { "capped" });
    RecordBatch::try_from_iter_with_nullable([
        ("customer", array(&ids), false),
        ("campaign", texts(vec![Some("winback"); ids.len()]), false),
        ("outcome", texts((0..ids.len()).map(outcome).collect()), false),
    ])
    .expect("a table")
}

fn named(name: &str, kind: EntryKind) -> Entry {
    Entry { name: name.to_owned(), kind, title: None, was: None, rule: format!("rule of {name}"), sha256: sha256(b"") }
}

/// Publishes a day; on the third the campaign is not decided.
async fn publish(store: &Store, day: u64) -> Result<(), Error> {
    let latest = store.latest().await?;
    let mut draft = bare(day);
    draft.program = vec![named("vip", EntryKind::Segment), named("winback", EntryKind::Campaign)];
    let now = members(day);
    let before = if day == 1 { Vec::new() } else { members(day - 1) };
    let found: Changes = changes(&array(&before), &array(&now))?;
    let (entered, left) = (found.entered.len() as u64, found.left.len() as u64);
    draft.counts.insert("vip".into(), Count { members: now.len() as u64, entered, left, outcomes: BTreeMap::new() });
    draft.files.push(store.stage(Table::Audience, "vip", &[table(&now)]).await?);
    draft
        .files
        .push(store.stage(Table::History, "", &[membership(&DataType::Utf8, draft.as_of, &[("vip", found)])?]).await?);
    if day == 3 {
        let before = latest.as_ref().expect("a version");
        draft.files.push(before.draft.audience("winback").expect("the audience").clone());
        draft.counts.insert("winback".into(), before.draft.counts["winback"].clone());
    } else {
        let rows = contacted(day);
        let sent = rows.num_rows() as u64;
        let outcomes = [("sent".to_owned(), sent), ("capped".to_owned(), people().len() as u64 - sent)].into();
        draft.decided.push(Decided { key: "winback".into(), at: draft.as_of });
        draft.counts.insert("winback".into(), Count { members: sent, entered: sent, left: 0, outcomes });
        draft.files.push(store.stage(Table::Audience, "winback", &[rows]).await?);
        draft.files.push(store.stage(Table::Decisions, "", &[decisions(day)]).await?);
    }
    store.commit(draft, latest.map(|latest| latest.version)).await?.published()?;
    Ok(())
}

const CATALOG: &str = "
sources:
  shop: {path: data/events, customer: customer, time: time, event: event}
events:
  buy: {source: shop}
";

/// A project with three versions, deliveries, a report, what was begun, a cache and files; its store is in `kept`.
fn project(root: &Path) {
    let write = |name: &str, text: &str| {
        let path = root.join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, text).expect("written");
    };
    write(
        "segue.yaml",
        "name: shop\nedition: \"2026\"\ntimezone: UTC\ncatalog: catalog.yaml\nrules: rules\noutput: out\nstore: kept\n",
    );
    write("catalog.yaml", CATALOG);
    write("rules/vip.seg", "bought ≥ 1 in 90d this is a mistake\n");
    let store = open(&root.join("kept"));
    run(async {
        for day in 1..=3 {
            publish(&store, day).await.expect("published");
        }
        // Staged by a plan that was never applied.
        store.stage(Table::Audience, "draft", &[table(&[GONE.to_owned()])]).await.expect("staged");
    });
    let state = |version: u64, dead: &str| {
        format!(
            r#"{{"schema": 1, "confirmed": {{"version": {version}, "mode": "delta", "base": null, "key": "k", "batches": 1,
            "dead": [{dead}], "upserts": 9, "deletes": 0, "unchanged": 0, "refused": 0, "neutralised": null}}, "underway": null}}"#
        )
    };
    let dead = r#"{"batch": 0, "key": "k-0", "rows": 3, "reason": "400 Bad Request"}"#;
    write("kept/deliveries/crm/winback/00000002.json", &state(3, dead));
    write("kept/deliveries/drop/vip/00000001.json", &state(2, ""));
    write(
        "kept/deliveries/crm/winback/dead/k-0.json",
        &format!(
            r#"{{"schema": 1, "key": "k-0", "batch": 0, "reason": "400", "answer": "no {GONE} here", "body": {{"rows": [
            {{"operation": "upsert", "customer": "{GONE}"}}, {{"operation": "upsert", "customer": "{LIKE}"}},
            {{"operation": "upsert", "customer": "person-0003", "friend": "{GONE}"}}]}}}}"#
        ),
    );
    write(
        "kept/reports/1-a.json",
        &format!(r#"{{"findings": [{{"message": "customer `{GONE}` stands in it more than once"}}]}}"#),
    );
    write(
        "kept/reports/2-b.json",
        &format!(r#"{{"findings": [{{"message": "customer `{LIKE}` stands in it more than once"}}]}}"#),
    );
    write("kept/.aside/.tmpabc", GONE);
    write(".segue/cache/shelf/segment", GONE);
    write("out/.segue-audiences", "vip.csv\nwinback.jsonl\n");
    write("out/vip.csv", &format!("customer\n{LIKE}\n{GONE}\n"));
    write("out/winback.jsonl", &format!("{{\"customer\":\"{GONE}\",\"n\":1}}\n{{\"customer\":\"{LIKE}\",\"n\":2}}\n"));
    write("out/.segue-a1B2c3/vip.csv", GONE);
    write("out/mine.txt", "of somebody else");
}

fn erased(root: &Path, store: &Store, dry_run: bool) -> Result<Receipt, Error> {
    let project = segue::project::load(root).expect("loads");
    let ids = [GONE.to_owned()];
    let tool = Tool { version: "0.1.0".to_owned(), tzdb: "2026a".to_owned() };
    let request = Request {
        project: &project,
        ids: &ids,
        limits: Limits::default(),
        tool,
        at: "2026-11-22T08:00:00+00:00",
        dry_run,
    };
    run(erase(&request, Some(store), &|_| {}))
}

/// Files below a folder.
pub fn walk(folder: &Path) -> Vec<std::path::PathBuf> {
    let (mut found, mut open) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
            if entry.path().is_dir() { open.push(entry.path()) } else { found.push(entry.path()) }
        }
    }
    found.sort();
    found
}

/// Every cell of a Parquet file as text.
pub fn cells(path: &Path) -> Vec<Vec<String>> {
    let file = std::fs::File::open(path).expect("opened");
    let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file).expect("Parquet");
    let mut rows = Vec::new();
    for batch in reader.build().expect("reads") {
        rows.extend(shown(&batch.expect("reads")));
    }
    rows
}

pub fn shown(batch: &RecordBatch) -> Vec<Vec<String>> {
    let show = |column: &ArrayRef, row| arrow::util::display::array_value_to_string(column, row).expect("shown");
    (0..batch.num_rows()).map(|row| batch.columns().iter().map(|column| show(column, row)).collect()).collect()
}

/// Where an id still stands, looked for in the bytes of all files and in all cells of tables.
pub fn places(root: &Path, id: &str) -> Vec<String> {
    let names = |text: &str| {
        text.match_indices(id).any(|(at, _)| !text[at + id.len()..].starts_with(|c: char| c.is_ascii_digit()))
    };
    let mut found = Vec::new();
    for path in walk(root) {
        let table = path.extension().is_some_and(|e| e == "parquet");
        let cells = table && cells(&path).iter().flatten().any(|cell| names(cell));
        if cells || names(&String::from_utf8_lossy(&std::fs::read(&path).expect("bytes"))) {
            found.push(path.strip_prefix(root).expect("below").display().to_string());
        }
    }
    found
}

/// All tables of all versions as they read now: by version, table and name.
pub fn tables(store: &Store) -> BTreeMap<(u64, String), Vec<Vec<String>>> {
    run(async {
        let chain = store.chain().await.expect("whole");
        let mut all = BTreeMap::new();
        for version in chain.versions() {
            for file in &version.draft.files {
                let rows = store.read(file).await.expect("readable");
                let rows = rows.iter().flat_map(shown).collect();
                all.insert((version.version, format!("{:?} {}", file.table, file.name)), rows);
            }
        }
        all
    })
}

fn copied(from: &Path) -> tempfile::TempDir {
    let folder = quick();
    copy(&from.join("kept"), &folder.path().join("kept"));
    for path in walk(from).iter().filter(|path| !path.starts_with(from.join("kept"))) {
        let to = folder.path().join(path.strip_prefix(from).expect("below"));
        std::fs::create_dir_all(to.parent().expect("a folder")).expect("made");
        std::fs::copy(path, to).expect("copied");
    }
    folder
}

#[test]
fn a_person_is_nowhere_any_more() {
    let folder = quick();
    project(folder.path());
    let kept = folder.path().join("kept");
    let store = open(&kept);
    let (before, files) = (tables(&store), places(folder.path(), GONE));
    assert!(files.len() > 12, "{files:?}");
    // Asking changes nothing.
    let asked = erased(folder.path(), &store, true).expect("asked");
    assert_eq!((asked.state, asked.removed.cache, asked.entries), (State::Asked, true, 1));
    assert_eq!(places(folder.path(), GONE), files);
    assert!(!folder.path().join("erased.txt").exists());

    let receipt = erased(folder.path(), &store, false).expect("erased");
    assert_eq!(places(folder.path(), GONE), Vec::<String>::new());
    assert_eq!(
        std::fs::read_to_string(folder.path().join("erased.txt")).expect("a text"),
        format!("{}\n", entry(GONE))
    );
    let left = |mut rows: Vec<Vec<String>>| {
        rows.retain(|row| row[0] != GONE);
        for cell in rows.iter_mut().flatten().filter(|cell| *cell == GONE) {
            cell.clear();
        }
        rows
    };
    let after = tables(&open(&kept));
    for (what, rows) in before {
        assert_eq!(after[&what], left(rows), "{what:?}");
    }
    // The newest version says what the next run builds on.
    run(async {
        let chain = open(&kept).chain().await.expect("whole");
        let (old, new) = (chain.version(3).expect("there"), chain.latest().expect("a version"));
        assert_eq!((new.version, new.draft.kind, receipt.version), (4, Kind::Erase, Some(4)));
        assert_eq!(
            (new.draft.as_of, &new.draft.names, &new.draft.program),
            (old.draft.as_of, &old.draft.names, &old.draft.program)
        );
        assert!(new.draft.decided.is_empty() && new.draft.of(Table::History).next().is_none());
        let counts = |draft: &Draft, name: &str| draft.counts[name].clone();
        let (was, is) = (counts(&old.draft, "winback"), counts(&new.draft, "winback"));
        // The verdict of the day on which it was decided last.
        assert_eq!(
            (is.members, is.outcomes["sent"], is.outcomes["capped"]),
            (was.members - 1, was.outcomes["sent"] - 1, was.outcomes["capped"])
        );
        for file in &new.draft.files {
            let rows: usize = store.read(file).await.expect("readable").iter().map(RecordBatch::num_rows).sum();
            assert_eq!(rows as u64, file.rows);
            if file.table == Table::Audience {
                assert_eq!(new.draft.counts[&file.name].members, file.rows);
            }
        }
        // What was before can be brought back, without them.
        let draft = store.restored(&chain, 2, 9 * DAY, Tool::default()).await.expect("staged");
        let restored = store.commit(draft, Some(4)).await.expect("answered").published().expect("published");
        let vip: &FileRef = restored.draft.audience("vip").expect("the audience");
        assert_eq!(vip.rows as usize, members(2).iter().filter(|id| *id != GONE).count());
    });
    assert_eq!(places(folder.path(), GONE), Vec::<String>::new());
    // Who was told of them.
    let told = |destination: &str, audience: &str, version, in_it| Destination {
        destination: destination.to_owned(),
        audience: audience.to_owned(),
        version,
        in_it,
    };
    assert_eq!(
        receipt.destinations,
        [told("crm", "winback", 3, true), told("drop", "vip", 2, members(2).contains(&GONE.to_owned()))]
    );
    let removed = receipt.removed;
    assert_eq!((removed.letters, removed.reports, removed.unfinished, removed.cache), (1, 1, 1, true));
    assert_eq!((removed.output_files, removed.output_rows), (2, 2));
    assert!(removed.data_files >= 8 && removed.rows >= removed.data_files && receipt.searched.rows > 100);
    assert_eq!((receipt.state, receipt.searched.holding), (State::Done, 0));
    // What is of others stays.
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).expect(name);
    assert_eq!(read("out/vip.csv"), format!("customer\n{LIKE}\n"));
    assert_eq!(read("out/winback.jsonl"), format!("{{\"customer\":\"{LIKE}\",\"n\":2}}\n"));
    assert_eq!(read("out/mine.txt"), "of somebody else");
    let letter: serde_json::Value =
        serde_json::from_str(&read("kept/deliveries/crm/winback/dead/k-0.json")).expect("JSON");
    assert_eq!(letter["body"]["rows"].as_array().expect("rows").len(), 2);
    assert!(letter["answer"].is_null() && read("kept/reports/2-b.json").contains(LIKE));
    // The receipt that is kept is the one that was told, and names nobody.
    let kept: Receipt = serde_json::from_str(&read(&format!("kept/{}", receipt.name()))).expect("a receipt");
    assert_eq!(kept, receipt);
    assert_eq!(receipt.people[0].ids, [entry(GONE)]);
}

#[test]
fn an_id_that_is_nowhere_has_its_entry_and_its_receipt() {
    let folder = quick();
    project(folder.path());
    let store = open(&folder.path().join("kept"));
    let request = |ids: &[&str]| {
        let project = segue::project::load(folder.path()).expect("loads");
        let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
        let (limits, tool) = (Limits::default(), Tool::default());
        run(erase(
            &Request { project: &project, ids: &ids, limits, tool, at: "then", dry_run: false },
            Some(&store),
            &|_| {},
        ))
    };
    let before = contents(&folder.path().join("kept"));
    let receipt = request(&["nobody-1", "17"]).expect("erased");
    assert_eq!((receipt.entries, receipt.removed.rows, receipt.version, receipt.destinations.len()), (2, 0, None, 0));
    assert_eq!(contents(&folder.path().join("kept")), before);
    assert!(folder.path().join("kept").join(receipt.name()).is_file());
    let known = Erased::read(folder.path(), "erased.txt").expect("reads");
    assert!(known.has("nobody-1") && known.has("17") && !known.has(GONE));
    // Once more adds nothing.
    assert_eq!(request(&["17", "nobody-1"]).expect("erased").entries, 0);
    assert_eq!(std::fs::read_to_string(folder.path().join("erased.txt")).expect("a text").lines().count(), 2);
    // What can't be taken out is told: a report that names somebody who is not there else.
    let rule = run(async {
        let latest = store.latest().await.expect("whole").expect("a version");
        let mut draft = latest.draft.clone();
        draft.program[0].rule = "customer is secret-name-9".to_owned();
        store.commit(draft, Some(latest.version)).await.expect("answered").published().expect("published")
    });
    let error = request(&["secret-name-9"]).expect_err("it stays").to_string();
    assert!(
        error.contains(&format!("manifests/{:08}.json", rule.version)) && !error.contains("secret-name-9"),
        "{error}"
    );
}

#[test]
fn broken_off_at_every_step() {
    let template = quick();
    project(template.path());
    let whole = copied(template.path());
    let (store, watch) = Troubled::store(&whole.path().join("kept"), Trouble::Never);
    let receipt = erased(whole.path(), &store, false).expect("erased");
    let asked = watch.asked.lock().expect("no panic").clone();
    let expected = contents(&whole.path().join("kept"));
    let mut ends = BTreeSet::new();
    for (step, what) in asked.iter().enumerate() {
        let changes = matches!(*what, "put" | "delete");
        // What only reads is tried now and then.
        let troubles: &[Trouble] = match changes {
            true => &[Trouble::Forever(step), Trouble::Unheard(step)],
            false if step % 5 == 0 => &[Trouble::Forever(step)],
            false => &[],
        };
        for &trouble in troubles {
            let folder = copied(template.path());
            let kept = folder.path().join("kept");
            let first = erased(folder.path(), &Troubled::store(&kept, trouble).0, false);
            ends.insert(first.is_err());
            // Between the two every version reads, whoever asks.
            tables(&open(&kept));
            let second = erased(folder.path(), &open(&kept), false).expect("completed");
            assert_eq!(places(folder.path(), GONE), Vec::<String>::new(), "{what} {step}");
            assert_eq!(contents(&kept), expected, "{what} {step}");
            assert_eq!(second.destinations, receipt.destinations, "{what} {step}");
            let removed = (second.removed.rows, second.removed.letters, second.removed.reports);
            if first.is_err() && trouble == Trouble::Forever(step) {
                assert_eq!(
                    removed,
                    (receipt.removed.rows, receipt.removed.letters, receipt.removed.reports),
                    "{what} {step}"
                );
            }
        }
    }
    assert!(ends.contains(&true), "some calls broke off");
    assert!(asked.iter().filter(|what| **what == "delete").count() > 8);
}

#[test]
fn ids_that_are_numbers() {
    let folder = quick();
    project(folder.path());
    let kept = folder.path().join("kept");
    std::fs::remove_dir_all(&kept).expect("removed");
    let store = open(&kept);
    let numbers = |ids: &[i64]| {
        let ids = Arc::new(Int64Array::from(ids.to_vec())) as ArrayRef;
        let scores = cast(&ids, &DataType::Int64).expect("the same");
        RecordBatch::try_from_iter_with_nullable([("customer", ids, false), ("score", scores, true)]).expect("a table")
    };
    run(async {
        let mut draft = bare(1);
        draft.files.push(store.stage(Table::Audience, "vip", &[numbers(&[7, 17, 71])]).await.expect("staged"));
        draft.counts.insert("vip".to_owned(), Count { members: 3, ..Count::default() });
        store.commit(draft, None).await.expect("answered").published().expect("published");
    });
    let project = segue::project::load(folder.path()).expect("loads");
    let ids = ["17".to_owned()];
    let (limits, tool) = (Limits::default(), Tool::default());
    let request = Request { project: &project, ids: &ids, limits, tool, at: "then", dry_run: false };
    let receipt = run(erase(&request, Some(&store), &|_| {})).expect("erased");
    assert_eq!((receipt.removed.rows, receipt.version), (1, Some(2)));
    let rows: Vec<_> = tables(&store).into_values().collect();
    assert_eq!(rows[0], [["7", "7"], ["71", "71"]]);
}

#[test]
fn any_id_stands_for_all_that_are_linked() {
    use super::engine_support::{Shop, all, some_events};
    let catalog = "
sources:
  shop: {path: data/events, customer: customer, time: time, event: event}
events:
  buy: {source: shop}
identities:
  links:
    cookie: {path: data/cookies.parquet, from: cookie, to: customer}
";
    let shop = Shop::new(catalog);
    shop.parquet("data/events/a.parquet", some_events());
    shop.parquet(
        "data/cookies.parquet",
        vec![("cookie", all(&["cookie-1", "cookie-2", "cookie-3"])), ("customer", all(&["ana", "ana", "bob"]))],
    );
    assert_eq!(shop.members("buy in 90d"), ["ana", "bob"]);
    let project = segue::project::load(shop.dir.path()).expect("loads");
    let ids = ["cookie-2".to_owned()];
    let (limits, tool) = (Limits { threads: Some(2), ..Limits::default() }, Tool::default());
    let found = run(segue::audience::person::person(&project, limits, "cookie-2", None)).expect("found");
    assert_eq!((found.customer.as_str(), found.events.len(), found.links.len()), ("ana", 2, 2));
    assert_eq!(found.ids, ["ana", "cookie-1", "cookie-2"]);
    let request = Request { project: &project, ids: &ids, limits, tool, at: "then", dry_run: false };
    let receipt = run(erase(&request, None, &|_| {})).expect("erased");
    assert_eq!((receipt.entries, receipt.people[0].ids.len(), &receipt.people[0].asked), (3, 3, &entry("cookie-2")));
    // No run has them any more, by whichever id the events know them.
    assert_eq!(shop.members("buy in 90d"), ["bob"]);
}
