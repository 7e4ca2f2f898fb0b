//! Synthetic versions for the tests of the store of results.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use segue::audience::store::{
    Changes, Committed, Count, Draft, Entry, EntryKind, FileRef, Manifest, Store, Table, Tool, changes, membership,
    sha256,
};
use segue::error::Error;

pub const DAY: i64 = 86_400_000_000;
pub const NAMES: [&str; 3] = ["loyal", "recent", "vip"];

/// Drives a future on this thread, blocking work aside.
pub fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(work)
}

pub fn open(folder: &Path) -> Store {
    Store::open(&folder.to_string_lossy(), Path::new("/")).expect("a store")
}

/// A folder in memory where there is one: what is asked of a disk there is soon done.
pub fn quick() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.expect("a folder")
}

/// The customers of an audience on a day: some come, some go.
pub fn members(name: &str, day: u64) -> Vec<String> {
    let salt = name.len() as u64;
    let inside = |n: &u64| (n * 7 + day * salt) % 5 < 3;
    (0..40).filter(inside).map(|n| format!("c{n:03}")).collect()
}

pub fn table(ids: &[String]) -> RecordBatch {
    let schema = Arc::new(Schema::new(vec![Field::new("customer", DataType::Utf8, false)]));
    RecordBatch::try_new(schema, vec![array(ids)]).expect("a table")
}

pub fn array(ids: &[String]) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(ids))
}

pub fn entry(name: &str) -> Entry {
    let rule = format!("segment {name}: purchased ≥ 3 in 90d");
    Entry {
        name: name.to_owned(),
        kind: EntryKind::Segment,
        title: None,
        was: None,
        sha256: sha256(rule.as_bytes()),
        rule,
    }
}

/// A draft of nothing.
pub fn bare(day: u64) -> Draft {
    Draft {
        as_of: i64::try_from(day).expect("small") * DAY,
        zone: "Europe/Paris".to_owned(),
        project: "shop".to_owned(),
        edition: "2026".to_owned(),
        tool: Tool { version: "0.1.0".to_owned(), tzdb: "2026a".to_owned() },
        ..Draft::default()
    }
}

/// What a run of a day stages, behind the day before.
pub async fn draft(store: &Store, day: u64) -> Result<Draft, Error> {
    let mut draft = bare(day);
    let mut moved: Vec<(&str, Changes)> = Vec::new();
    for name in NAMES {
        let now = members(name, day);
        let before = if day == 1 { Vec::new() } else { members(name, day - 1) };
        let found = changes(&array(&before), &array(&now))?;
        let (entered, left) = (found.entered.len() as u64, found.left.len() as u64);
        draft
            .counts
            .insert(name.to_owned(), Count { members: now.len() as u64, entered, left, outcomes: BTreeMap::new() });
        draft.program.push(entry(name));
        draft.files.push(store.stage(Table::Audience, name, &[table(&now)]).await?);
        moved.push((name, found));
    }
    let history = membership(&DataType::Utf8, draft.as_of, &moved)?;
    draft.files.push(store.stage(Table::History, "", &[history]).await?);
    Ok(draft)
}

/// Publishes a day behind the one before.
pub async fn publish(store: &Store, day: u64) -> Result<Committed, Error> {
    let base = store.latest().await?.map(|latest| latest.version);
    let draft = draft(store, day).await?;
    store.commit(draft, base).await
}

/// Publishes what is missing of the days up to this one.
pub async fn catch_up(store: &Store, days: u64) -> Result<(), Error> {
    let done = store.latest().await?.map_or(0, |latest| latest.version);
    for day in done + 1..=days {
        publish(store, day).await?.published()?;
    }
    Ok(())
}

/// The ids in a file.
pub async fn ids(store: &Store, file: &FileRef) -> Result<Vec<String>, Error> {
    use arrow::array::AsArray;
    let ids = store.customers(file).await?;
    Ok(ids.as_string::<i32>().iter().map(|id| id.expect("an id").to_owned()).collect())
}

/// Every audience of a version reads as on its day.
pub async fn sound(store: &Store, version: &Manifest) {
    let day = u64::try_from(version.draft.as_of / DAY).expect("after 1970");
    for name in NAMES {
        let file = version.draft.audience(name).expect("the audience");
        assert_eq!(
            ids(store, file).await.expect("readable"),
            members(name, day),
            "{name} of version {}",
            version.version
        );
    }
}

/// What lies in a store, apart from locks and what was begun: names with the digests of contents.
pub fn contents(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for part in ["data", "manifests"] {
        for entry in std::fs::read_dir(folder.join(part)).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            found.insert(format!("{part}/{name}"), sha256(&std::fs::read(entry.path()).expect("bytes")));
        }
    }
    found
}
