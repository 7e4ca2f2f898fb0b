//! Compacted stores read customer by customer: more customers than a chunk has, with others beside them in every place.

use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Decimal128Array, Int64Array, RecordBatch, StringArray};
use arrow::compute::concat_batches;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use segue::engine::compact::Options;
use segue::engine::{Limits, Outcome};

use super::compact::{compacted, options};
use super::engine_answers::run_project;
use super::engine_support::{Shop, ago, all};

const CATALOG: &str = "
sources:
  shop: {path: data/shop, customer: customer, time: time, event: event}
  app: {path: data/app, customer: customer, time: time, event: event}
lookups:
  goods: {path: data/goods.parquet, key: sku}
events:
  buy:
    source: shop
    properties:
      sku: {type: text}
      price: {type: money}
      kind: {type: text, lookup: goods, on: sku}
  view: {source: shop, properties: {sku: {type: text}}}
  visit: {source: app, session: true}
profiles: {path: data/profiles.parquet, customer: customer, attributes: {country: {type: text}, born: {type: date}}}
lists:
  staff: {path: data/staff.txt}
";

/// Enough terms that a chunk has a few hundred customers.
fn rules() -> String {
    let mut rules = String::new();
    for d in 1..=60 {
        let _ = writeln!(rules, "segment n{d}: buy ≥ 2 in {d}d and no view in {}d", d % 7 + 1);
        let _ = writeln!(rules, "segment s{d}: sum(price of buy in {d}d) ≥ {}", d * 3);
    }
    for rule in [
        "kinds: distinct(kind of buy in 60d) ≥ 3",
        "skus: distinct(sku of view) ≥ 2 or country = FR",
        "serum: buy where (kind = kind-1) ≥ 2 in 50d",
        "path: view in 60d then buy within 5d",
        "busy: visit on ≥ 3 days in 40d",
        "lost: last buy over 30d ago and not staff",
        "quiet: never buy and never visit",
        "old: born < 1980-01-01 and buy in 60d",
        "often: most frequent(sku of view) = sku-3",
    ] {
        let _ = writeln!(rules, "segment {rule}");
    }
    rules
}

/// Short and long ids, some of which share their beginning.
fn id(n: i64) -> String {
    match n % 4 {
        0 => format!("c{n:05}"),
        1 => format!("customer-with-a-long-name-{n}"),
        2 => format!("customer-with-a-long-name-{}-x", n - 1),
        _ => format!("é{n}"),
    }
}

struct Dice(ChaCha8Rng);

impl Dice {
    fn few(&mut self, n: usize, most: i64) -> Vec<i64> {
        // The low numbers are customers with many rows.
        let mut one = || {
            let top = self.0.random_range(0..most);
            self.0.random_range(0..=top)
        };
        (0..n).map(|_| one()).collect()
    }

    fn events(&mut self, shop: &Shop, name: &str, rows: usize, people: i64, kinds: &[&str]) {
        let ids: Vec<String> = self.few(rows, people).into_iter().map(id).collect();
        let days: Vec<i64> = (0..rows).map(|_| self.0.random_range(0..70)).collect();
        let events: Vec<&str> = (0..rows).map(|_| kinds[self.0.random_range(0..kinds.len())]).collect();
        let skus: Vec<Option<String>> =
            (0..rows).map(|_| self.0.random_bool(0.9).then(|| format!("sku-{}", self.0.random_range(0..20)))).collect();
        let prices = (0..rows).map(|_| self.0.random_bool(0.9).then(|| self.0.random_range(0..9_999)));
        let prices: Decimal128Array = prices.collect::<Decimal128Array>().with_precision_and_scale(12, 2).unwrap();
        shop.parquet(
            name,
            vec![
                ("customer", Arc::new(StringArray::from(ids)) as ArrayRef),
                ("time", ago(&days)),
                ("event", all(&events)),
                ("sku", Arc::new(StringArray::from(skus))),
                ("price", Arc::new(prices)),
            ],
        );
    }
}

/// A shop with two sources, profiles and a list: most customers have rows in some of them only.
fn shop() -> Shop {
    let shop = Shop::new(CATALOG);
    std::fs::write(shop.path("rules/all.seg"), rules()).unwrap();
    let mut dice = Dice(ChaCha8Rng::seed_from_u64(7));
    dice.events(&shop, "data/shop/1.parquet", 40_000, 9_000, &["buy", "view", "view", "other"]);
    dice.events(&shop, "data/app/1.parquet", 6_000, 14_000, &["visit"]);
    let goods: Vec<String> = (0..15).map(|n| format!("sku-{n}")).collect();
    let kinds: Vec<String> = (0..15).map(|n| format!("kind-{}", n % 5)).collect();
    let goods: Vec<(&str, ArrayRef)> =
        vec![("sku", Arc::new(StringArray::from(goods))), ("kind", Arc::new(StringArray::from(kinds)))];
    shop.parquet("data/goods.parquet", goods);
    let people: Vec<i64> = (0..12_000).step_by(3).collect();
    let countries: Vec<&str> = people.iter().map(|n| if n % 5 == 0 { "FR" } else { "DE" }).collect();
    shop.parquet(
        "data/profiles.parquet",
        vec![
            ("customer", Arc::new(people.iter().map(|&n| Some(id(n))).collect::<StringArray>()) as ArrayRef),
            ("country", all(&countries)),
            ("born", Arc::new(people.iter().map(|n| Some((n % 20_000) as i32)).collect::<Date32Array>())),
        ],
    );
    let staff: Vec<String> = (0..16_000).step_by(97).map(id).collect();
    std::fs::write(shop.path("data/staff.txt"), staff.join("\n")).unwrap();
    shop
}

fn answer(shop: &Shop, limits: Limits) -> Outcome {
    run_project(shop.dir.path(), None, None, limits).unwrap().1
}

fn limits(threads: usize, memory: Option<usize>, batch_rows: usize) -> Limits {
    Limits { threads: Some(threads), memory, batch_rows: Some(batch_rows), ..Limits::default() }
}

#[test]
fn many_customers_answer_as_in_files_as_they_lie() {
    let shop = shop();
    let expected = answer(&shop, limits(2, None, 8_192));
    let sizes: Vec<usize> = (0..expected.members.len()).map(|rule| expected.size(rule)).collect();
    assert!(sizes.iter().all(|size| *size > 0), "{sizes:?}");
    let to = shop.path("store");
    compacted(&shop, &Options { buckets: 2, ..options(&to) }).unwrap();
    let catalog = CATALOG.replace("data/shop", "store/shop").replace("data/app", "store/app");
    std::fs::write(shop.path("catalog.yaml"), &catalog).unwrap();
    let same = |shop: &Shop, expected: &Outcome, limits: Limits| {
        let found = answer(shop, limits);
        assert_eq!(found.members, expected.members, "{limits:?}");
        assert_eq!(&found.customers, &expected.customers, "{limits:?}");
        assert_eq!(found.report.population, expected.report.population, "{limits:?}");
    };
    for limits in [limits(2, None, 8_192), limits(1, None, 100), limits(2, Some(48 << 20), 1_000)] {
        same(&shop, &expected, limits);
    }
    // Further parts of the store, one of them the larger.
    for (part, rows) in [(2, 3_000), (3, 90_000)] {
        std::fs::write(shop.path("catalog.yaml"), CATALOG).unwrap();
        let mut dice = Dice(ChaCha8Rng::seed_from_u64(part));
        dice.events(&shop, &format!("data/shop/{part}.parquet"), rows, 9_000, &["buy", "view"]);
        let expected = answer(&shop, limits(2, None, 8_192));
        compacted(&shop, &Options { buckets: 2, ..options(&to) }).unwrap();
        std::fs::write(shop.path("catalog.yaml"), &catalog).unwrap();
        same(&shop, &expected, limits(2, None, 1_000));
    }
}

/// Customers in order within each batch and not from one to the next: only who reads customer by customer has to mind.
#[test]
fn a_file_out_of_order_between_batches_is_named() {
    const ROWS: usize = 100;
    for look_up in [false, true] {
        let shop = shop();
        let to = shop.path("store");
        compacted(&shop, &Options { buckets: 1, ..options(&to) }).unwrap();
        let catalog = CATALOG.replace("data/shop", "store/shop").replace("data/app", "store/app");
        std::fs::write(shop.path("catalog.yaml"), &catalog).unwrap();
        std::fs::write(shop.path("rules/all.seg"), if look_up { rules() } else { "segment a: buy in 9d".into() })
            .unwrap();
        let file = to.join("shop/part-0001/bucket-0000-of-0001.parquet");
        let reader = ParquetRecordBatchReaderBuilder::try_new(std::fs::File::open(&file).unwrap()).unwrap();
        let declared = reader.metadata().file_metadata().key_value_metadata().cloned();
        let schema = reader.schema().clone();
        let batches: Vec<RecordBatch> = reader.build().unwrap().map(|batch| batch.unwrap()).collect();
        let rows = concat_batches(&schema, &batches).unwrap();
        let turned = [rows.slice(20_000, 20_000), rows.slice(0, 20_000)];
        let properties = parquet::file::properties::WriterProperties::builder().set_key_value_metadata(declared);
        let out = std::fs::File::create(&file).unwrap();
        let mut writer = ArrowWriter::try_new(out, schema, Some(properties.build())).unwrap();
        turned.iter().for_each(|rows| writer.write(rows).unwrap());
        writer.close().unwrap();
        let error = run_project(shop.dir.path(), None, None, limits(1, None, ROWS)).unwrap_err().to_string();
        assert!(error.contains("part-0001/bucket-0000-of-0001.parquet` is not what it declares: customer"), "{error}");
        assert!(error.contains("stands before"), "{error}");
    }
}

#[test]
fn ids_that_are_numbers() {
    let shop = Shop::new(&CATALOG.replace("data/staff.txt", "data/staff.parquet, column: id"));
    std::fs::write(shop.path("rules/all.seg"), "segment a: buy ≥ 2 in 9d or view in 3d\nsegment b: not staff").unwrap();
    let ids = |ids: Vec<i64>| Arc::new(Int64Array::from(ids)) as ArrayRef;
    let people: Vec<i64> = (0..3_000).map(|n| (n * 7_919) % 1_009 - 500).collect();
    let days: Vec<i64> = (0..3_000).map(|n| n % 40).collect();
    let events: Vec<&str> = (0..3_000).map(|n| if n % 3 == 0 { "buy" } else { "view" }).collect();
    let text = |text: &str| all(&vec![text; 3_000]);
    let price: Decimal128Array = vec![Some(100); 3_000].into_iter().collect();
    let price = Arc::new(price.with_precision_and_scale(12, 2).unwrap()) as ArrayRef;
    shop.parquet(
        "data/shop/1.parquet",
        vec![
            ("customer", ids(people)),
            ("time", ago(&days)),
            ("event", all(&events)),
            ("sku", text("sku-1")),
            ("price", price),
        ],
    );
    shop.parquet(
        "data/app/1.parquet",
        vec![("customer", ids(vec![-501, 0, 99_999])), ("time", ago(&[1, 2, 3])), ("event", all(&["visit"; 3]))],
    );
    shop.parquet("data/goods.parquet", vec![("sku", all(&["sku-1"])), ("kind", all(&["kind-1"]))]);
    let one: Vec<(&str, ArrayRef)> = vec![
        ("customer", ids(vec![-7, 7, 70_000])),
        ("country", all(&["FR"; 3])),
        ("born", Arc::new(Date32Array::from(vec![1, 2, 3]))),
    ];
    shop.parquet("data/profiles.parquet", one);
    shop.parquet("data/staff.parquet", vec![("id", ids(vec![-501, 3, 4, 5]))]);
    let expected = answer(&shop, limits(2, None, 8_192));
    assert!(expected.size(0) > 100 && expected.size(1) > 100);
    let to = shop.path("store");
    compacted(&shop, &Options { buckets: 2, ..options(&to) }).unwrap();
    let catalog = CATALOG.replace("data/staff.txt", "data/staff.parquet, column: id");
    std::fs::write(
        shop.path("catalog.yaml"),
        catalog.replace("data/shop", "store/shop").replace("data/app", "store/app"),
    )
    .unwrap();
    let found = answer(&shop, limits(2, None, 100));
    assert_eq!((found.members, &found.customers), (expected.members, &expected.customers));
}

/// What a store has lost is not read as a smaller store, nor added once more.
#[test]
fn a_part_that_is_gone() {
    let shop = shop();
    let to = shop.path("store");
    let options = Options { buckets: 1, ..options(&to) };
    compacted(&shop, &options).unwrap();
    Dice(ChaCha8Rng::seed_from_u64(2)).events(&shop, "data/shop/2.parquet", 100, 50, &["buy"]);
    compacted(&shop, &options).unwrap();
    let first = to.join("shop/part-0001");
    // Without its manifest.
    let manifest = std::fs::read(first.join("_manifest.json")).unwrap();
    std::fs::remove_file(first.join("_manifest.json")).unwrap();
    let error = compacted(&shop, &options).unwrap_err();
    assert!(error.to_string().contains("part-0001` has no manifest"), "{error}");
    std::fs::write(first.join("_manifest.json"), manifest).unwrap();
    compacted(&shop, &options).unwrap();
    // All of it.
    std::fs::rename(&first, shop.path("aside")).unwrap();
    let error = compacted(&shop, &options).unwrap_err();
    assert!(error.to_string().contains("part-0002` is part 2, and part 1 is missing"), "{error}");
    let catalog = CATALOG.replace("data/shop", "store/shop").replace("data/app", "store/app");
    std::fs::write(shop.path("catalog.yaml"), &catalog).unwrap();
    let error = run_project(shop.dir.path(), None, None, limits(2, None, 8_192)).unwrap_err();
    assert!(error.to_string().contains("part 1 of the compacted store is missing"), "{error}");
    std::fs::rename(shop.path("aside"), &first).unwrap();
    assert!(run_project(shop.dir.path(), None, None, limits(2, None, 8_192)).is_ok());
}

/// A page that does not read, of a file whose footer does.
#[test]
fn a_damaged_page_is_made_anew() {
    let shop = shop();
    let to = shop.path("store");
    compacted(&shop, &Options { buckets: 1, ..options(&to) }).unwrap();
    let catalog = CATALOG.replace("data/shop", "store/shop").replace("data/app", "store/app");
    std::fs::write(shop.path("catalog.yaml"), &catalog).unwrap();
    let file = to.join("shop/part-0001/bucket-0000-of-0001.parquet");
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[4..4_000].fill(0xff);
    std::fs::write(&file, bytes).unwrap();
    let error = run_project(shop.dir.path(), None, None, limits(2, None, 8_192)).unwrap_err();
    assert!(error.to_string().contains("bucket-0000-of-0001.parquet` is damaged"), "{error}");
    assert_eq!(error.help(), Some("`segue store compact --full` makes the store anew"));
}
