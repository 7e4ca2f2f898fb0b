//! Compacted stores: what is kept, in what order, and what happens when something goes wrong.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{
    Array, ArrayRef, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, FixedSizeBinaryArray, Float64Array,
    Int32Array, Int64Array, LargeStringArray, ListBuilder, RecordBatch, StringArray, StringBuilder, StringViewArray,
    TimestampMillisecondArray, TimestampNanosecondArray, UInt32Array,
};
use arrow::compute::{cast, concat_batches, sort_to_indices, take_record_batch};
use arrow::datatypes::{DataType, Int8Type, TimeUnit};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use segue::engine::Limits;
use segue::engine::compact::{Compacted, Options, Step, check, compact};
use segue::error::{Error, Exit};

use super::engine_support::{DAY, NOW, PLAIN, Shop, ago, all, parquet, some_events, texts};

pub fn options(to: &Path) -> Options {
    Options { source: None, from: None, to: to.to_path_buf(), buckets: 4, full: false, threads: Some(2), memory: None }
}

pub fn block<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(work)
}

pub fn compacted(shop: &Shop, options: &Options) -> Result<Vec<Compacted>, Error> {
    let project = segue::project::load(shop.dir.path()).unwrap();
    block(compact(&project.catalog, &project.root, options, None))
}

fn sound(folder: &Path) -> usize {
    let checked = block(check(folder, 2, None)).unwrap();
    for one in &checked {
        assert!(one.problems.is_empty(), "{:#?}", one.problems);
    }
    checked.iter().map(|one| one.files).sum()
}

/// What is wrong, as text.
fn wrong(folder: &Path) -> String {
    let checked = block(check(folder, 2, None)).unwrap();
    checked.iter().flat_map(|one| &one.problems).map(|p| format!("{}: {}\n", p.file, p.what)).collect()
}

/// Every file below a folder with its bytes.
fn bytes(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(bytes(&path));
        } else {
            found.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
    found.sort();
    let start = folder.display().to_string();
    found.into_iter().map(|(name, bytes)| (name.trim_start_matches(&start).to_owned(), bytes)).collect()
}

fn read(path: &Path) -> RecordBatch {
    let builder = ParquetRecordBatchReaderBuilder::try_new(std::fs::File::open(path).unwrap()).unwrap();
    let schema = builder.schema().clone();
    let batches: Vec<RecordBatch> = builder.build().unwrap().map(|b| b.unwrap()).collect();
    concat_batches(&schema, &batches).unwrap()
}

/// All rows of a store, in the order of its files.
fn rows(store: &Path) -> RecordBatch {
    let mut paths: Vec<_> = super::support::files(store, "parquet");
    paths.sort();
    let all: Vec<RecordBatch> = paths.iter().map(|p| read(p)).collect();
    concat_batches(&all[0].schema(), &all).unwrap()
}

/// Many customers with several events each, in several files.
fn many(shop: &Shop, files: std::ops::Range<i64>, rows: i64) {
    for file in files {
        let customer = |i: i64| format!("c{:05}", (i * 7919 + file * 31) % 997);
        let ids: Vec<String> = (0..rows).map(customer).collect();
        shop.parquet(
            &format!("data/events/dt=2026-10-{:02}/part.parquet", file + 1),
            vec![
                ("customer", Arc::new(StringArray::from(ids)) as ArrayRef),
                ("time", ago(&(0..rows).map(|i| (i * 13 + file) % 90).collect::<Vec<_>>())),
                ("event", all(&vec!["buy"; rows as usize])),
                ("item", Arc::new((0..rows).map(|i| Some(format!("item {}", i % 17))).collect::<StringArray>())),
                ("row", Arc::new((0..rows).map(|i| Some(file * 1_000_000 + i)).collect::<Int64Array>())),
            ],
        );
    }
}

#[test]
fn every_row_is_there_once_and_in_order() {
    let shop = Shop::plain();
    many(&shop, 0..3, 2_000);
    let to = shop.path("store");
    let done = compacted(&shop, &options(&to)).unwrap();
    assert_eq!((done[0].part, done[0].rows, done[0].input_files, done[0].files), (Some(1), 6_000, 3, 4));
    assert_eq!(sound(&to), 4);
    let rows = rows(&to.join("shop"));
    assert_eq!(rows.num_rows(), 6_000);
    // All columns, those of the folders and those that the catalog does not name too.
    let names: Vec<&str> = rows.schema_ref().fields().iter().map(|f| f.name().as_str()).collect();
    assert_eq!(names, ["customer", "time", "event", "item", "row", "dt"]);
    let column = |name: &str| cast(rows.column_by_name(name).unwrap(), &DataType::Int64).unwrap();
    let ids = column("row");
    let ids = ids.as_any().downcast_ref::<Int64Array>().unwrap();
    let distinct: std::collections::BTreeSet<i64> = ids.values().iter().copied().collect();
    assert_eq!(distinct.len(), 6_000);
    for row in 0..rows.num_rows() {
        let text = |name: &str| {
            let column = rows.column_by_name(name).unwrap();
            column.as_any().downcast_ref::<StringArray>().unwrap().value(row).to_owned()
        };
        let (file, i) = (ids.value(row) / 1_000_000, ids.value(row) % 1_000_000);
        assert_eq!(text("customer"), format!("c{:05}", (i * 7919 + file * 31) % 997));
        assert_eq!(text("dt"), format!("2026-10-{:02}", file + 1));
    }
    // The original is as it was, and nothing else is left behind.
    assert_eq!(super::support::files(&shop.path("data"), "parquet").len(), 3);
    let left: Vec<_> = std::fs::read_dir(&to).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["shop"]);
}

#[test]
fn the_same_bytes_whatever_threads_memory_and_row_groups() {
    let shop = Shop::plain();
    many(&shop, 0..3, 3_000);
    let mut all = Vec::new();
    for (threads, memory) in [(1, None), (3, Some(64 << 20)), (2, Some(1 << 30))] {
        let to = shop.path(&format!("store{}", all.len()));
        let options = Options { threads: Some(threads), memory, ..options(&to) };
        compacted(&shop, &options).unwrap();
        all.push(bytes(&to));
    }
    assert!(all[0] == all[1] && all[1] == all[2]);
}

#[test]
fn a_call_that_was_stopped_goes_on() {
    let shop = Shop::plain();
    many(&shop, 0..3, 3_000);
    let whole = shop.path("whole");
    compacted(&shop, &options(&whole)).unwrap();
    let expected = bytes(&whole);
    let project = segue::project::load(shop.dir.path()).unwrap();
    let mut went_on = 0;
    // Rows are told twice over: while they are dealt, and while they are merged.
    for stop in [1, 4_000, 9_000, 12_000, 15_000, 17_000, 18_000] {
        let to = shop.path(&format!("stopped{stop}"));
        let options = Options { threads: Some(1), ..options(&to) };
        let (told, tell) = tokio::sync::oneshot::channel();
        let told = std::sync::Mutex::new(Some(told));
        let most = Arc::new(AtomicU64::new(0));
        let seen = Arc::clone(&most);
        let watch = move |step: &Step| {
            seen.fetch_max(step.rows, Ordering::Relaxed);
            if step.rows >= stop
                && let Some(told) = told.lock().unwrap().take()
            {
                told.send(()).unwrap();
                // Until the call has been let go.
                std::thread::sleep(std::time::Duration::from_millis(50));
            }
        };
        block(async {
            tokio::select! {
                biased;
                _ = tell => {}
                done = compact(&project.catalog, &project.root, &options, Some(Arc::new(watch))) => { done.unwrap(); }
            }
        });
        let begun = to.join("_work-shop").exists();
        assert!(begun != to.join("shop").exists(), "half of it under its final name");
        let done = compacted(&shop, &options).unwrap();
        went_on += done[0].resumed;
        assert!(bytes(&to) == expected, "stopped at {stop}");
        assert!(most.load(Ordering::Relaxed) >= stop);
    }
    assert!(went_on > 0, "nothing was ever kept");
}

#[test]
fn killed_at_any_moment() {
    let shop = Shop::plain();
    many(&shop, 0..4, 3_000);
    let whole = shop.path("whole");
    compacted(&shop, &options(&whole)).unwrap();
    let to = shop.path("killed");
    let call = |wait: Option<u64>| {
        let mut child = super::support::segue()
            .args(["store", "compact", "-q", "--buckets", "4", "--to"])
            .arg(&to)
            .arg(shop.dir.path())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        if let Some(wait) = wait {
            std::thread::sleep(std::time::Duration::from_millis(wait));
            let _ = child.kill();
        }
        child.wait().unwrap().success()
    };
    for wait in [20, 60, 100, 150, 200, 300, 450] {
        call(Some(wait));
        let there = to.join("shop").exists();
        assert!(!there || bytes(&to.join("shop")) == bytes(&whole.join("shop")), "half of it under its final name");
    }
    assert!(call(None));
    assert!(bytes(&to) == bytes(&whole));
}

#[test]
fn memory_is_bounded() {
    let shop = Shop::plain();
    // Rows that are wide: 160 MB of text in little room.
    let wide = |file: i64| {
        let text = |i: i64| format!("{}{:08}", "wide ".repeat(4_000), i + file * 1_000);
        vec![
            (
                "customer",
                Arc::new((0..1_000).map(|i| Some(format!("c{}", i % 91))).collect::<StringArray>()) as ArrayRef,
            ),
            ("time", ago(&(0..1_000).map(|i| (i * 7 + file) % 90).collect::<Vec<_>>())),
            ("event", all(&vec!["buy"; 1_000])),
            ("item", Arc::new((0..1_000).map(|i| Some(text(i))).collect::<StringArray>())),
        ]
    };
    for file in 0..8 {
        shop.parquet(&format!("data/events/{file:02}.parquet"), wide(file));
    }
    let to = shop.path("store");
    let mut child = super::support::segue()
        .args(["store", "compact", "-q", "--buckets", "2", "--memory-limit", "64MB", "--to"])
        .arg(&to)
        .arg(shop.dir.path())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap_or_default();
        let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().unwrap_or(0);
        peak = peak.max(kilobytes);
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert!(child.wait().unwrap().success());
    // The limit, and what a program has anyhow.
    assert!(peak < 180 << 10, "{} MB", peak >> 10);
    assert_eq!(sound(&to), 2);
}

#[test]
fn every_type_of_column_is_kept() {
    let shop = Shop::plain();
    let n = 40usize;
    let every = |null: usize| move |i: usize| !i.is_multiple_of(null);
    let some = |null| (0..n).map(every(null)).collect::<Vec<bool>>();
    let list = {
        let mut out = ListBuilder::new(StringBuilder::new());
        for i in 0..n {
            (0..i % 3).for_each(|j| out.values().append_value(format!("{i}-{j}")));
            out.append(i % 5 != 0);
        }
        out.finish()
    };
    let dictionary: DictionaryArray<Int8Type> =
        (0..n).map(|i| (i % 7 != 0).then_some(["a", "b", "é"][i % 3])).collect();
    let opt = |null: usize| some(null).into_iter().enumerate().map(|(i, is)| is.then_some(i as i64));
    let columns: Vec<(&str, ArrayRef)> = vec![
        (
            "customer",
            Arc::new((0..n).map(|i| (i % 6 != 0).then(|| format!("c{}", i % 11))).collect::<LargeStringArray>()),
        ),
        ("time", Arc::new(TimestampNanosecondArray::from_iter(opt(9).map(|v| v.map(|v| (NOW - v * DAY) * 1_000 + v))))),
        ("event", all(&vec!["buy"; n])),
        ("item", Arc::new(dictionary)),
        ("row", Arc::new(UInt32Array::from_iter_values(0..n as u32))),
        (
            "money",
            Arc::new(
                opt(4).map(|v| v.map(i128::from)).collect::<Decimal128Array>().with_precision_and_scale(20, 4).unwrap(),
            ),
        ),
        ("local", Arc::new(TimestampMillisecondArray::from_iter(opt(8)).with_timezone("Europe/Paris"))),
        (
            "view",
            Arc::new(
                opt(5).map(|v| v.map(|v| format!("a longer text than twelve bytes {v}"))).collect::<StringViewArray>(),
            ),
        ),
        ("day", Arc::new(opt(3).map(|v| v.map(|v| v as i32)).collect::<Date32Array>())),
        (
            "float",
            Arc::new(
                opt(2).map(|v| v.map(|v| if v == 3 { f64::NAN } else { v as f64 / 3.0 })).collect::<Float64Array>(),
            ),
        ),
        ("small", Arc::new(opt(7).map(|v| v.map(|v| v as i32)).collect::<Int32Array>())),
        ("yes", Arc::new(opt(4).map(|v| v.map(|v| v % 2 == 0)).collect::<BooleanArray>())),
        ("uuid", Arc::new(FixedSizeBinaryArray::try_from_iter((0..n).map(|i| vec![i as u8; 16])).unwrap())),
        ("list", Arc::new(list)),
    ];
    shop.parquet("data/events/all.parquet", columns.clone());
    let to = shop.path("store");
    compacted(&shop, &options(&to)).unwrap();
    sound(&to);
    let found = rows(&to.join("shop"));
    let order = sort_to_indices(found.column_by_name("row").unwrap(), None, None).unwrap();
    let found = take_record_batch(&found, &order).unwrap();
    assert_eq!(found.num_columns(), columns.len());
    for (name, column) in columns {
        let there = found.column_by_name(name).unwrap();
        match column.data_type() {
            // More values meet in a bucket than in a file.
            DataType::Dictionary(_, values) => {
                assert_eq!(
                    *there.data_type(),
                    DataType::Dictionary(Box::new(DataType::Int32), values.clone()),
                    "{name}"
                );
                assert_eq!(&cast(there, values).unwrap(), &cast(&column, values).unwrap(), "{name}");
            }
            ty => {
                assert_eq!(there.data_type(), ty, "{name}");
                assert_eq!(there, &column, "{name}");
            }
        }
    }
    assert!(matches!(
        found.column_by_name("time").unwrap().data_type(),
        DataType::Timestamp(TimeUnit::Nanosecond, None)
    ));
}

#[test]
fn files_that_differ_in_columns() {
    let shop = Shop::plain();
    let with = |name: &'static str, more: ArrayRef| some_events().into_iter().chain([(name, more)]).collect::<Vec<_>>();
    shop.parquet("data/events/a.parquet", with("more", Arc::new(Int32Array::from(vec![1, 2, 3]))));
    shop.parquet("data/events/b.parquet", with("more", Arc::new(Int64Array::from(vec![4, 5, 6]))));
    shop.parquet("data/events/c.parquet", with("other", all(&["x", "y", "z"])));
    let to = shop.path("store");
    compacted(&shop, &options(&to)).unwrap();
    let found = rows(&to.join("shop"));
    assert_eq!(found.num_rows(), 9);
    let more = found.column_by_name("more").unwrap();
    assert_eq!((more.data_type(), more.null_count()), (&DataType::Int64, 3));
    assert_eq!(found.column_by_name("other").unwrap().null_count(), 6);
    // Nothing can be both of these.
    shop.parquet("data/events/d.parquet", with("more", all(&["x", "y", "z"])));
    let error = compacted(&shop, &Options { full: true, ..options(&to) }).unwrap_err();
    assert!(
        error.to_string().contains("column `more` holds Int64 in") && error.to_string().contains("d.parquet"),
        "{error}"
    );
    assert_eq!(sound(&to), 4, "the store is as it was");
}

#[test]
fn ids_as_numbers() {
    let shop = Shop::plain();
    let ids: Vec<Option<i64>> = (-20..20).map(|i| (i != 0).then_some(i * 1_000)).collect();
    let rows_of = ids.len();
    shop.parquet(
        "data/events/a.parquet",
        vec![
            ("customer", Arc::new(Int64Array::from(ids)) as ArrayRef),
            ("time", ago(&vec![1; rows_of])),
            ("event", all(&vec!["buy"; rows_of])),
            ("item", texts(&vec![Some("serum"); rows_of])),
        ],
    );
    let to = shop.path("store");
    compacted(&shop, &Options { buckets: 1, ..options(&to) }).unwrap();
    sound(&to);
    let found = rows(&to.join("shop"));
    let found = found.column(0).as_any().downcast_ref::<Int64Array>().unwrap();
    // Missing first, then as numbers.
    assert!(found.is_null(0));
    assert!(found.iter().flatten().collect::<Vec<_>>().is_sorted());
}

#[test]
fn a_source_without_rows() {
    let shop = Shop::plain();
    let none: ArrayRef = Arc::new(StringArray::from(Vec::<&str>::new()));
    let columns = vec![("customer", none.clone()), ("time", ago(&[])), ("event", none.clone()), ("item", none)];
    shop.parquet("data/events/a.parquet", columns);
    let to = shop.path("store");
    let done = compacted(&shop, &options(&to)).unwrap();
    assert_eq!((done[0].rows, done[0].files), (0, 4));
    assert_eq!(sound(&to), 4);
}

#[test]
fn new_files_become_a_further_part() {
    let shop = Shop::plain();
    many(&shop, 0..2, 500);
    let to = shop.path("store");
    compacted(&shop, &options(&to)).unwrap();
    let before = bytes(&to.join("shop/part-0001"));
    assert_eq!(compacted(&shop, &options(&to)).unwrap()[0].part, None, "nothing new");
    many(&shop, 2..3, 500);
    let done = compacted(&shop, &options(&to)).unwrap();
    assert_eq!((done[0].part, done[0].rows, done[0].input_files), (Some(2), 500, 1));
    assert!(bytes(&to.join("shop/part-0001")) == before);
    assert_eq!(rows(&to.join("shop")).num_rows(), 1_500);
    assert_eq!(sound(&to), 8);
    // A file with the same bytes and another time is the same file.
    let file = shop.path("data/events/dt=2026-10-01/part.parquet");
    let same = std::fs::read(&file).unwrap();
    std::fs::write(&file, &same).unwrap();
    assert_eq!(compacted(&shop, &options(&to)).unwrap()[0].part, None);
    // Rewritten and gone files are noticed; only `--full` takes them in.
    many(&shop, 0..1, 400);
    std::fs::remove_file(shop.path("data/events/dt=2026-10-02/part.parquet")).unwrap();
    let error = compacted(&shop, &options(&to)).unwrap_err();
    assert_eq!(error.exit(), Exit::Refused);
    let said = error.to_string();
    assert!(
        said.contains("`dt=2026-10-01/part.parquet` was rewritten, `dt=2026-10-02/part.parquet` is gone"),
        "{said}"
    );
    assert_eq!(sound(&to), 8);
    let done = compacted(&shop, &Options { full: true, ..options(&to) }).unwrap();
    assert_eq!((done[0].part, done[0].rows), (Some(1), 900));
    assert_eq!(sound(&to), 4);
}

#[test]
fn places_that_a_store_may_not_be_in() {
    let shop = Shop::plain();
    many(&shop, 0..1, 10);
    let refused = |options: &Options| {
        let error = compacted(&shop, options).unwrap_err();
        format!("{:?} {error}", error.exit())
    };
    let inside = shop.path("data/events/store");
    let said = refused(&options(&inside));
    assert!(said.starts_with("Usage") && said.contains("lies in the folder of its own files"), "{said}");
    assert!(!inside.exists());
    let said = refused(&options(Path::new("s3://bucket/store")));
    assert!(said.starts_with("Usage") && said.contains("local disk only"), "{said}");
    for buckets in [0, 3, 8_192] {
        assert!(refused(&Options { buckets, ..options(&shop.path("store")) }).contains("no number of files"));
    }
    let little = Options { memory: Some(1 << 20), ..options(&shop.path("store")) };
    assert!(refused(&little).contains("too little memory"));
    let other = Options { source: Some("other".into()), ..options(&shop.path("store")) };
    assert!(refused(&other).contains("no source `other`"));
    // A folder of somebody else's.
    std::fs::create_dir_all(shop.path("store/shop")).unwrap();
    for full in [false, true] {
        let said = refused(&Options { full, ..options(&shop.path("store")) });
        assert!(said.starts_with("Refused") && said.contains("is no compacted store"), "{said}");
    }
    assert!(!shop.path("store/_work-shop").exists());
    // A store is not made of a store.
    let to = shop.path("stores");
    compacted(&shop, &options(&to)).unwrap();
    std::fs::write(shop.path("catalog.yaml"), PLAIN.replace("data/events", "stores/shop")).unwrap();
    let said = refused(&options(&shop.path("again")));
    assert!(said.contains("is compacted already"), "{said}");
    // Unless the original is named: then what is new is added.
    many(&shop, 1..2, 10);
    let from = Options { from: Some("data/events".into()), ..options(&to) };
    assert_eq!(compacted(&shop, &from).unwrap()[0].part, Some(2));
}

#[test]
fn a_damaged_file_is_named_and_nothing_is_taken_for_done() {
    let shop = Shop::plain();
    many(&shop, 0..2, 2_000);
    let bad = shop.path("data/events/dt=2026-10-02/part.parquet");
    let mut bytes = std::fs::read(&bad).unwrap();
    bytes[8..600].fill(0xA5);
    std::fs::write(&bad, bytes).unwrap();
    let to = shop.path("store");
    let error = compacted(&shop, &options(&to)).unwrap_err();
    assert_eq!(error.exit(), Exit::Environment);
    assert!(error.to_string().contains("dt=2026-10-02/part.parquet` is damaged"), "{error}");
    assert!(!to.join("shop").exists());
    // Mended, it goes on.
    many(&shop, 1..2, 2_000);
    compacted(&shop, &options(&to)).unwrap();
    assert_eq!(sound(&to), 4);
}

#[test]
fn a_store_that_is_not_what_it_says() {
    let shop = Shop::plain();
    many(&shop, 0..1, 2_000);
    let to = shop.path("store");
    compacted(&shop, &options(&to)).unwrap();
    let part = to.join("shop/part-0001");
    let (first, second) = (part.join("bucket-0000-of-0004.parquet"), part.join("bucket-0001-of-0004.parquet"));
    let (whole, other) = (std::fs::read(&first).unwrap(), std::fs::read(&second).unwrap());
    // Another file in its place.
    std::fs::write(&first, &other).unwrap();
    let said = wrong(&to);
    assert!(said.contains("part-0001/bucket-0000-of-0004.parquet: it "), "{said}");
    // A byte in the middle.
    let mut flipped = whole.clone();
    flipped[whole.len() / 3] ^= 0x40;
    std::fs::write(&first, &flipped).unwrap();
    assert!(wrong(&to).contains("its bytes have changed"), "{}", wrong(&to));
    // Gone, and one that nobody knows.
    std::fs::remove_file(&first).unwrap();
    parquet(&part.join("more.parquet"), some_events());
    let said = wrong(&to);
    assert!(said.contains("bucket-0000-of-0004.parquet: it is not there"), "{said}");
    assert!(said.contains("more.parquet: no manifest knows it"), "{said}");
    std::fs::write(&first, &whole).unwrap();
    std::fs::remove_file(part.join("more.parquet")).unwrap();
    assert_eq!(sound(&to), 4);
}

#[test]
fn runs_over_a_store_answer_as_over_its_files() {
    let shop = Shop::plain();
    many(&shop, 0..3, 2_000);
    let to = shop.path("store");
    compacted(&shop, &Options { buckets: 8, ..options(&to) }).unwrap();
    many(&shop, 3..4, 700);
    compacted(&shop, &Options { buckets: 2, ..options(&to) }).unwrap();
    let rule = "buy ≥ 5 in 60d";
    let expected = shop.members(rule);
    assert!(expected.len() > 20 && expected.len() < 990, "{}", expected.len());
    std::fs::write(shop.path("catalog.yaml"), PLAIN.replace("data/events", "store/shop")).unwrap();
    for (threads, memory) in [(1, None), (3, None), (2, Some(64 << 20))] {
        let limits = Limits { threads: Some(threads), memory, ..Limits::default() };
        let found = shop.run_with(rule, limits).unwrap();
        assert!(found.member_ids(0) == expected, "{threads} {memory:?}");
        // Two threads have a pass each, and the coarser part has two files.
        assert_eq!(found.passes, threads.min(2), "{threads} {memory:?}");
    }
}

#[test]
fn a_run_over_files_that_lie() {
    let shop = Shop::plain();
    many(&shop, 0..1, 2_000);
    let to = shop.path("store");
    compacted(&shop, &options(&to)).unwrap();
    let part = to.join("shop/part-0001");
    std::fs::write(shop.path("catalog.yaml"), PLAIN.replace("data/events", "store/shop")).unwrap();
    let file = part.join("bucket-0002-of-0004.parquet");
    let whole = std::fs::read(&file).unwrap();
    let (own, other) = (read(&file), read(&part.join("bucket-0003-of-0004.parquet")));
    let kept = ParquetRecordBatchReaderBuilder::try_new(std::fs::File::open(&file).unwrap()).unwrap();
    let lie = |rows: &RecordBatch| {
        let declared = kept.metadata().file_metadata().key_value_metadata().cloned();
        let properties = ::parquet::file::properties::WriterProperties::builder().set_key_value_metadata(declared);
        let out = std::fs::File::create(&file).unwrap();
        let mut writer = ::parquet::arrow::ArrowWriter::try_new(out, rows.schema(), Some(properties.build())).unwrap();
        writer.write(rows).unwrap();
        writer.close().unwrap();
        // With memory that is limited, a pass is one file.
        let limits = Limits { threads: Some(2), memory: Some(64 << 20), ..Limits::default() };
        let error = shop.run_with("buy ≥ 7 in 60d", limits).unwrap_err();
        assert_eq!(error.exit(), Exit::Environment);
        error.to_string()
    };
    // Rows of another bucket, and rows that are not in order.
    let said = lie(&concat_batches(&own.schema(), &[own.clone(), other]).unwrap());
    assert!(said.contains("bucket-0002-of-0004.parquet` is not what it declares: customer"), "{said}");
    let turned = concat_batches(&own.schema(), &[own.slice(own.num_rows() / 2, 50), own.slice(0, 50)]).unwrap();
    let said = lie(&turned);
    assert!(
        said.contains("bucket-0002-of-0004.parquet` is not what it declares: customer")
            && said.contains("stands before"),
        "{said}"
    );
    // A file that is gone: half a store is no store.
    std::fs::remove_file(&file).unwrap();
    let said = shop.error("buy ≥ 7 in 60d");
    assert!(said.contains("part 1 of the compacted store has no file of buckets 2048 to 3072"), "{said}");
    std::fs::write(&file, &whole).unwrap();
    assert!(shop.run("buy ≥ 7 in 60d").is_ok());
}
