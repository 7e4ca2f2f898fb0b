//! Files that are missing, broken, foreign or other than the catalog says: each is an error that names its place.

use std::fs::File;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int32Array, Int64Array};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaDataReader, ParquetMetaDataWriter};
use segue::engine::write::{NEVER, Output, write};
use segue::engine::{Choice, Engine, Limits, Outcome};

use super::engine_support::{DAY, NOW, Shop, ago, all, parquet, some_events, texts};
use super::engine_write::{ALL, audience, files};

#[test]
fn nothing_there() {
    let shop = Shop::plain();
    assert_eq!(
        shop.error("buy"),
        "source `shop`: no `.parquet` file in `DIR/data/events`\n  = the folder is searched with all folders below it"
            .replace("no `.parquet` file in", "nothing at")
            .replace(
                "the folder is searched with all folders below it",
                "the path in the catalog is relative to the project's folder"
            )
    );
    std::fs::create_dir_all(shop.path("data/events/deep")).unwrap();
    std::fs::write(shop.path("data/events/README.md"), "hello").unwrap();
    assert!(shop.error("buy").starts_with("source `shop`: no `.parquet` file in `DIR/data/events`"));
    let glob = Shop::new(&super::engine_support::PLAIN.replace("data/events", "data/events/*/x-*.parquet"));
    glob.parquet("data/events/a/y.parquet", some_events());
    assert!(glob.error("buy").starts_with("source `shop`: no file matches `DIR/data/events/*/x-*.parquet`"));
    glob.parquet("data/events/a/x-1.parquet", some_events());
    assert_eq!(glob.members("buy"), ["ana", "bob"]);
}

#[test]
fn broken_footers() {
    for (bytes, expected) in [
        (&b""[..], "source `shop`: `data/events/b.parquet` is empty"),
        (b"hello, I am a text", "source `shop`: `data/events/b.parquet` is no Parquet file"),
        (b"PAR1", "source `shop`: `data/events/b.parquet`"),
        (b"PAR1PAR1", "source `shop`: `data/events/b.parquet`"),
        (b"PAR1\xff\xff\xff\x7fPAR1", "source `shop`: `data/events/b.parquet`"),
        (b"PAR1abcdefgh\x08\0\0\0PAR1", "source `shop`: `data/events/b.parquet`"),
    ] {
        let shop = Shop::plain();
        shop.parquet("data/events/a.parquet", some_events());
        std::fs::write(shop.path("data/events/b.parquet"), bytes).unwrap();
        let error = shop.error("buy");
        assert!(error.starts_with(expected), "{error}");
    }
}

/// A footer that is well-formed and lies about how long a column is, or where it begins.
#[test]
fn footers_that_lie() {
    let shop = Shop::plain();
    let path = shop.parquet("data/events/a.parquet", some_events());
    let whole = std::fs::read(&path).unwrap();
    let metadata = ParquetMetaDataReader::new().parse_and_finish(&File::open(&path).unwrap()).unwrap();
    for (length, at) in
        [(1 << 20, 4), (1 << 50, 4), (1 << 60, 4), (-1, 4), (100, 1 << 50), (100, i64::MAX - 100), (100, -7)]
    {
        let lie = |column: &ColumnChunkMetaData| {
            let column = column.clone().into_builder().set_total_compressed_size(length);
            column.set_dictionary_page_offset(None).set_data_page_offset(at).build().unwrap()
        };
        let group = &metadata.row_groups()[0];
        let columns = group.columns().iter().map(lie).collect();
        let group = group.clone().into_builder().set_column_metadata(columns).build().unwrap();
        let metadata = metadata.clone().into_builder().set_row_groups(vec![group]).build();
        let mut bytes = whole.clone();
        ParquetMetaDataWriter::new(&mut bytes, &metadata).finish().unwrap();
        std::fs::write(&path, &bytes).unwrap();
        let error = shop.error("buy where (item = serum)");
        assert!(error.contains("`data/events/a.parquet`"), "{length} {at}: {error}");
    }
}

#[test]
fn cut_anywhere_and_scratched_anywhere() {
    let shop = Shop::plain();
    let path = shop.parquet("data/events/a.parquet", some_events());
    let whole = std::fs::read(&path).unwrap();
    for length in (0..whole.len()).step_by(97) {
        std::fs::write(&path, &whole[..length]).unwrap();
        let error = shop.error("buy where (item = serum)");
        assert!(error.contains("`data/events/a.parquet`"), "{length}: {error}");
    }
    // Whoever evaluates, the file is named, and no library.
    let mut bytes = whole.clone();
    bytes[4..20].fill(0xA5);
    std::fs::write(&path, &bytes).unwrap();
    for engine in [Choice::Only(Engine::Kernel), Choice::Only(Engine::Standard)] {
        let limits = Limits { engine, ..Limits::default() };
        let error = shop.run_with("buy where (item = serum)", limits).unwrap_err().to_string();
        assert!(error.contains("data/events/a.parquet` is damaged: "), "{engine:?} {error}");
        assert!(!error.contains("Arrow error") && !error.contains("External"), "{engine:?} {error}");
    }
    // A scratch in a page may go unseen or change a value, but it neither stops the process nor hides which file it is in.
    for at in (4..whole.len() - 8).step_by(31) {
        let mut bytes = whole.clone();
        for byte in &mut bytes[at..at + 3] {
            *byte ^= 0xA5;
        }
        std::fs::write(&path, &bytes).unwrap();
        if let Err(error) = shop.run("buy where (item = serum)") {
            assert!(error.to_string().contains("data/events/a.parquet"), "{at}: {error}");
        }
    }
}

#[test]
fn columns_that_are_not_as_said() {
    let shop = Shop::plain();
    let mut columns = some_events();
    columns[3].0 = "Item_";
    shop.parquet("data/events/a.parquet", columns);
    assert_eq!(
        shop.error("buy"),
        "source `shop`: `data/events/a.parquet` has no column `item`\n  = `Item_` is near; it has: customer, time, event, Item_"
    );
    let shop = Shop::plain();
    shop.parquet("data/events/a.parquet", some_events());
    shop.parquet("data/events/b.parquet", some_events().into_iter().take(3).collect());
    assert_eq!(
        shop.error("buy"),
        "source `shop`: `data/events/b.parquet` has no column `item`, which `data/events/a.parquet` has\n  = it has: customer, time, event"
    );
    let shop = Shop::plain();
    let mut columns = some_events();
    columns[1].1 = all(&["2026-01-01", "x", "y"]);
    shop.parquet("data/events/a.parquet", columns);
    assert_eq!(
        shop.error("buy"),
        "source `shop`: column `time` of `data/events/a.parquet` holds text, but a timestamp or a date is wanted\n  = write the files with that type, or correct what the catalog says of the column"
    );
    let shop = Shop::plain();
    shop.parquet("data/events/a.parquet", some_events());
    let mut columns = some_events();
    columns[0].1 = Arc::new(Int32Array::from(vec![1, 2, 3]));
    shop.parquet("data/events/b.parquet", columns);
    assert_eq!(
        shop.error("buy"),
        "source `shop`: column `customer` holds Int32 in `data/events/b.parquet` and text in `data/events/a.parquet`"
    );
    let shop = Shop::plain();
    let mut columns = some_events();
    columns[0].1 = Arc::new(Float64Array::from(vec![1.0, 2.0, 3.0]));
    shop.parquet("data/events/b.parquet", columns);
    assert_eq!(
        shop.error("buy"),
        "source `shop`: column `customer` of `data/events/b.parquet` holds Float64, but an id (text, a whole number or a UUID) is wanted\n  = write the files with that type, or correct what the catalog says of the column"
    );
}

#[test]
fn what_is_left_out_is_counted() {
    let shop = Shop::plain();
    let times = vec![Some(NOW - DAY), None, Some(NOW - DAY), Some(NOW), Some(NOW - DAY), Some(NOW - 1), Some(NOW - 1)];
    let times = arrow::array::TimestampMicrosecondArray::from(times).with_timezone("UTC");
    shop.parquet(
        "data/events/a.parquet",
        vec![
            ("customer", texts(&[Some("ana"), Some("bob"), None, Some("cid"), Some("dan"), Some(""), Some("eve")])),
            ("time", Arc::new(times) as ArrayRef),
            ("event", texts(&[Some("buy"), Some("buy"), Some("buy"), Some("buy"), Some("sell"), Some("buy"), None])),
            ("item", texts(&[None; 7])),
        ],
    );
    let outcome = shop.run("buy").unwrap();
    assert_eq!(outcome.member_ids(0), ["ana"]);
    assert_eq!(outcome.customers.len(), 1);
    let source = &outcome.report.sources[0];
    assert_eq!((source.rows, source.no_customer, source.no_time, source.not_yet), (7, 2, 1, 1));
    assert_eq!(source.unknown, [(None, 1), (Some("sell".into()), 1)]);
    let shop = Shop::new(&format!("{}  sell:\n    source: shop\n", super::engine_support::PLAIN));
    shop.parquet("data/events/a.parquet", some_events());
    let outcome = shop.run("buy").unwrap();
    assert_eq!(outcome.report.missing_events.len(), 1);
}

const PROFILES: &str = "
sources:
  shop: {path: data/events, customer: customer, time: time, event: event}
events:
  buy: {source: shop}
profiles:
  path: data/profiles.parquet
  customer: id
  attributes:
    age: {type: integer}
lists:
  staff: {path: data/staff.csv, column: id}
";

#[test]
fn profiles_twice() {
    let ages = |ages: &[i64]| Arc::new(Int64Array::from(ages.to_vec())) as ArrayRef;
    let shop = Shop::new(PROFILES);
    shop.parquet("data/events/a.parquet", some_events());
    shop.parquet("data/profiles.parquet", vec![("id", all(&["ana", "eve", "ana"])), ("age", ages(&[1, 2, 3]))]);
    std::fs::write(shop.path("data/staff.csv"), "id,name\nana,x\nzoe,y\n,z\n").unwrap();
    assert_eq!(
        shop.error("age > 2"),
        "the profiles have several rows of customer `ana`\n  = name the column that tells the latest: `updated_at: …`"
    );
    let shop2 = Shop::new(&PROFILES.replace("  customer: id\n", "  customer: id\n  updated_at: at\n"));
    shop2.parquet("data/events/a.parquet", some_events());
    std::fs::write(shop2.path("data/staff.csv"), "id,name\nana,x\nzoe,y\n,z\n").unwrap();
    let rows = |days: &[i64]| vec![("id", all(&["ana", "eve", "ana"])), ("age", ages(&[1, 2, 3])), ("at", ago(days))];
    shop2.parquet("data/profiles.parquet", rows(&[5, 5, 6]));
    assert_eq!(shop2.members("age < 2"), ["ana"]);
    shop2.parquet("data/profiles.parquet", rows(&[6, 5, 5]));
    assert_eq!(shop2.members("age > 2"), ["ana"]);
    let outcome = shop2.run("staff").unwrap();
    assert_eq!(outcome.member_ids(0), ["ana"]);
    assert_eq!((outcome.report.lists[0].rows, outcome.report.lists[0].orphans), (2, 1));
    shop2.parquet("data/profiles.parquet", rows(&[5, 5, 5]));
    assert!(shop2.error("age > 2").contains("with the same `at`"));
    std::fs::remove_file(shop2.path("data/staff.csv")).unwrap();
    assert!(shop2.error("staff").starts_with("list `staff`: cannot read `data/staff.csv`"));
    std::fs::write(shop2.path("data/staff.csv"), "name\nx\n").unwrap();
    assert!(shop2.error("staff").starts_with("list `staff`: `data/staff.csv` has no column `id`"));
}

#[test]
fn look_ups_with_repeated_keys() {
    let shop = Shop::new(
        "
sources:
  shop: {path: data/events, customer: customer, time: time, event: event}
lookups:
  items: {path: data/items.parquet, key: item}
events:
  buy:
    source: shop
    properties:
      group: {type: text, lookup: items, on: item}
",
    );
    shop.parquet("data/events/a.parquet", some_events());
    let groups = |items: &[Option<&str>]| vec![("item", texts(items)), ("group", all(&["skin", "hair", "hair"]))];
    shop.parquet("data/items.parquet", groups(&[Some("serum"), Some("cream"), None]));
    assert_eq!(shop.members("buy where (group = skin)"), ["ana"]);
    assert_eq!(shop.members("buy where (group is unknown)"), [""; 0]);
    shop.parquet("data/items.parquet", groups(&[Some("serum"), Some("cream"), Some("cream")]));
    assert_eq!(
        shop.error("buy where (group = skin)"),
        "look-up `items`: several rows have the key `cream` in `item`\n  = a look-up has one row a key; name another key, or clean the table"
    );
}

#[test]
fn values_that_do_not_fit() {
    let shop = Shop::new(
        "
sources:
  shop: {path: data/events, customer: customer, time: time, event: event}
events:
  buy:
    source: shop
    properties:
      amount: {type: money}
",
    );
    let path = shop.path("data/events/a.parquet");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut columns = some_events();
    columns[3] = ("amount", Arc::new(Float64Array::from(vec![1.0, 1e300, f64::NAN])));
    parquet(&path, columns);
    let error = shop.error("sum(amount of buy) > 1");
    assert!(error.starts_with("column `amount` of source `shop` holds 1000000"), "{error}");
    assert!(error.contains("too big for money"), "{error}");
}

#[test]
fn a_tiny_memory_limit_takes_passes_or_says_so() {
    let shop = Shop::plain();
    for file in 0..8 {
        let ids: Vec<String> = (0..4_000).map(|i| format!("customer-{}", (i * 7 + file * 13) % 6_000)).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let days: Vec<i64> = (0..4_000).map(|i| (i + file) % 100 + 1).collect();
        let columns = vec![
            ("customer", all(&ids)),
            ("time", ago(&days)),
            ("event", all(&["buy"; 4_000])),
            ("item", all(&["x"; 4_000])),
        ];
        shop.parquet(&format!("data/events/{file}.parquet"), columns);
    }
    let rule = "buy ≥ 4 in 60d and distinct(item of buy) = 1";
    let written = |outcome: &Outcome| {
        let dir = tempfile::tempdir().unwrap();
        let output = Output { folder: dir.path(), kinds: ALL, whole: true, stop: &NEVER };
        write(outcome, &[audience("a", None)], &output).unwrap();
        files(dir.path())
    };
    let free = shop.run(rule).unwrap();
    assert_eq!(free.passes, 1);
    let bytes = written(&free);
    let mut most = 0;
    for memory in [200_000, 400_000, 800_000, 2_000_000, 4_000_000, 16_000_000] {
        let limits = Limits { threads: Some(2), memory: Some(memory), batch_rows: Some(1_024), ..Limits::default() };
        match shop.run_with(rule, limits) {
            Ok(outcome) => {
                println!("{memory}: {} passes", outcome.passes);
                most = most.max(outcome.passes);
                assert_eq!(written(&outcome), bytes, "{memory}");
                assert_eq!(outcome.members, free.members, "{memory}");
                assert_eq!(&outcome.customers, &free.customers, "{memory}");
            }
            Err(error) => {
                println!("{memory}: {error}");
                let text = error.to_string();
                assert!(text.contains("memory limit"), "{memory}: {text}");
            }
        }
    }
    assert!(most > 1);
}
