//! Known answers on real data, each reached a second time by a plain loop over the same files.
//!
//! `SEGUE_DATA` names the folder of the data sets; without it there is nothing to test.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use segue::engine::{self, Outcome};
use segue::language::calendar::{Clock, Zone, parse_moment};
use segue::language::ir::Program;
use segue::project;

type Members = BTreeSet<String>;

const DAY: i64 = 86_400_000_000;

/// The folder of a data set; says so if there is none.
pub fn data(set: &str) -> Option<PathBuf> {
    let Some(root) = std::env::var_os("SEGUE_DATA") else {
        println!("skipped: SEGUE_DATA names no folder with `{set}`");
        return None;
    };
    let folder = Path::new(&root).join(set);
    assert!(folder.is_dir(), "SEGUE_DATA has no `{set}`");
    Some(folder)
}

struct Ran {
    program: Program,
    outcome: Outcome,
}

impl Ran {
    fn members(&self, rule: &str) -> Members {
        let index = self.program.rules.iter().position(|r| r.name == rule);
        self.outcome.member_ids(index.unwrap_or_else(|| panic!("a rule `{rule}`"))).into_iter().collect()
    }
}

/// Runs a project whose `data/` is elsewhere, at the instant that its project file names.
fn run(at: &str, data: &Path) -> Ran {
    let given = Path::new(env!("CARGO_MANIFEST_DIR")).join(at);
    let folder = tempfile::tempdir().expect("a folder");
    let read = |name: &str| fs::read_to_string(given.join(name)).expect("readable");
    let catalog = read("catalog.yaml").replace("path: data/", &format!("path: {}/", data.display()));
    fs::write(folder.path().join("catalog.yaml"), catalog).expect("written");
    fs::write(folder.path().join("segue.yaml"), read("segue.yaml") + "allow_outside: true\n").expect("written");
    fs::create_dir(folder.path().join("rules")).expect("a folder");
    for entry in fs::read_dir(given.join("rules")).expect("readable") {
        let path = entry.expect("readable").path();
        fs::copy(&path, folder.path().join("rules").join(path.file_name().expect("named"))).expect("copied");
    }
    let mut project = project::load(folder.path()).expect("readable");
    let checked = project.check(None);
    assert!(project.diagnostics.is_empty(), "{:#?}", project.diagnostics);
    assert!(checked.diagnostics.is_empty(), "{:#?}", checked.diagnostics);
    let zone = Zone::new(&project.file.timezone).expect("a zone");
    let as_of = project.file.as_of.as_ref().and_then(|as_of| parse_moment(&as_of.name, &zone)).expect("an as-of");
    let clock = Clock { as_of, zone };
    let request = engine::Request {
        catalog: &project.catalog,
        program: &checked.program,
        clock: &clock,
        root: folder.path(),
        population: true,
        history: None,
        limits: engine::Limits::default(),
        keep: Default::default(),
        progress: None,
    };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let outcome = runtime.block_on(engine::run(request)).unwrap_or_else(|e| panic!("{e}"));
    // The same rules as SQL text: a third way to the answer.
    let (catalog, program) = (&project.catalog, &checked.program);
    let said = engine::sql::answers(catalog, program, &clock, folder.path(), engine::Limits::default());
    let said = runtime.block_on(said).unwrap_or_else(|e| panic!("{e}"));
    assert!(said.members.iter().any(Option::is_some), "{:#?}", said.portable.reasons);
    for (rule, found) in said.members.iter().enumerate().filter_map(|(rule, found)| Some((rule, found.as_ref()?))) {
        let mut wanted = outcome.member_ids(rule);
        wanted.sort_unstable();
        assert_eq!(*found, wanted, "{} in SQL", program.rules[rule].name);
    }
    Ran { program: checked.program, outcome }
}

/// Some columns of a file, as whole numbers, numbers, instants or text.
fn table(path: &Path, columns: &[(&str, DataType)]) -> Vec<ArrayRef> {
    let file = File::open(path).expect("readable");
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).expect("Parquet").build().expect("Parquet");
    let batches: Vec<RecordBatch> = reader.map(|batch| batch.expect("readable")).collect();
    let column = |name: &str, ty: &DataType| {
        let parts: Vec<ArrayRef> =
            batches.iter().map(|b| cast(b.column_by_name(name).expect(name), ty).expect(name)).collect();
        arrow::compute::concat(&parts.iter().map(AsRef::as_ref).collect::<Vec<_>>()).expect("one type")
    };
    columns.iter().map(|(name, ty)| column(name, ty)).collect()
}

fn instants() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, None)
}

fn whole(array: &ArrayRef) -> &[i64] {
    assert_eq!(array.null_count(), 0);
    array.as_primitive::<Int64Type>().values()
}

fn times(array: &ArrayRef) -> &[i64] {
    assert_eq!(array.null_count(), 0);
    array.as_primitive::<TimestampMicrosecondType>().values()
}

fn texts<'a>(ids: impl IntoIterator<Item = &'a i64>) -> Members {
    ids.into_iter().map(i64::to_string).collect()
}

#[test]
fn complete_journey() {
    let Some(folder) = data("complete_journey") else { return };
    let ran = run("examples/complete-journey", &folder);
    let as_of = 1_514_678_400_000_000; // 2017-12-31T00:00Z
    let since = |days: i64| as_of - days * DAY;

    let lines = table(
        &folder.join("transactions.parquet"),
        &[
            ("household_id", DataType::Int64),
            ("basket_id", DataType::Int64),
            ("product_id", DataType::Int64),
            ("sales_value", DataType::Float64),
            ("transaction_timestamp", instants()),
        ],
    );
    let [households, baskets, products, sales, when] = lines.as_slice() else { panic!("five columns") };
    let sales = sales.as_primitive::<Float64Type>().values();
    let catalog =
        table(&folder.join("products.parquet"), &[("product_id", DataType::Int64), ("department", DataType::Utf8)]);
    let departments = catalog[1].as_string::<i32>();
    let cosmetics: BTreeSet<i64> = whole(&catalog[0])
        .iter()
        .enumerate()
        .filter(|&(row, _)| departments.is_valid(row) && departments.value(row) == "COSMETICS")
        .map(|(_, &id)| id)
        .collect();
    let coupons = table(
        &folder.join("coupon_redemptions.parquet"),
        &[("household_id", DataType::Int64), ("redemption_date", instants())],
    );
    let redeemed: BTreeSet<i64> = (whole(&coupons[0]).iter().zip(times(&coupons[1])))
        .filter(|&(_, &at)| since(30) <= at && at < as_of)
        .map(|(&household, _)| household)
        .collect();

    let mut trips: BTreeMap<i64, BTreeSet<i64>> = BTreeMap::new();
    let mut spent: BTreeMap<i64, i64> = BTreeMap::new();
    let (mut recent, mut earlier) = (BTreeSet::new(), BTreeSet::new());
    for (row, &at) in times(when).iter().enumerate() {
        let household = whole(households)[row];
        if since(90) <= at && at < as_of {
            *spent.entry(household).or_default() += (sales[row] * 100.0).round() as i64;
            if cosmetics.contains(&whole(products)[row]) {
                trips.entry(household).or_default().insert(whole(baskets)[row]);
            }
        }
        if since(60) <= at && at < since(30) {
            earlier.insert(household);
        }
        if since(30) <= at && at < as_of {
            recent.insert(household);
        }
    }

    let wanted =
        texts(trips.iter().filter(|(id, trips)| trips.len() >= 3 && !redeemed.contains(*id)).map(|(id, _)| id));
    assert_eq!(wanted.len(), 60);
    assert_eq!(wanted.iter().take(5).collect::<Vec<_>>(), ["1023", "1042", "1070", "113", "1216"]);
    assert_eq!(ran.members("cosmetics_without_coupons"), wanted);
    assert_eq!(ran.members("cosmetics_coupon"), wanted);

    let wanted = texts(earlier.difference(&recent));
    assert_eq!(wanted.len(), 205);
    assert_eq!(ran.members("lapsing"), wanted);

    let wanted = texts(spent.iter().filter(|(_, cents)| **cents >= 100_000).map(|(id, _)| id));
    assert_eq!(wanted.len(), 332);
    assert_eq!(ran.members("big_spenders"), wanted);
    assert_eq!(ran.outcome.report.population, Some(2_469));
}

#[test]
fn cdnow() {
    let Some(folder) = data("cdnow") else { return };
    let ran = run("tests/engine/fixtures/cdnow", &folder);
    let as_of = 875_664_000_000_000; // 1997-10-01T00:00Z
    let rows = table(&folder.join("master.parquet"), &[("customer_id", DataType::Utf8), ("date", instants())]);
    let customers = rows[0].as_string::<i32>();
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for (row, &at) in times(&rows[1]).iter().enumerate() {
        if as_of - 90 * DAY <= at && at < as_of {
            *counts.entry(customers.value(row)).or_default() += 1;
        }
    }
    let wanted: Members = counts.iter().filter(|(_, n)| **n >= 3).map(|(id, _)| (*id).to_owned()).collect();
    assert_eq!(wanted.len(), 674);
    assert_eq!(ran.members("frequent"), wanted);
}

#[test]
fn online_retail() {
    let Some(folder) = data("online_retail_ii") else { return };
    let ran = run("tests/engine/fixtures/online_retail", &folder);
    let as_of = 1_323_475_200_000_000; // 2011-12-10T00:00Z
    let rows = table(
        &folder.join("year_2010_2011.parquet"),
        &[("customer_id", DataType::Int64), ("quantity", DataType::Int64), ("invoice_date", instants())],
    );
    let customers = rows[0].as_primitive::<Int64Type>();
    let (mut before, mut lately) = (BTreeSet::new(), BTreeSet::new());
    for (row, &at) in times(&rows[2]).iter().enumerate() {
        if customers.is_valid(row) && whole(&rows[1])[row] > 0 && at < as_of {
            before.insert(customers.value(row));
            if at >= as_of - 180 * DAY {
                lately.insert(customers.value(row));
            }
        }
    }
    let wanted = texts(before.difference(&lately));
    assert_eq!(wanted.len(), 861);
    assert_eq!(ran.members("dormant"), wanted);
    assert_eq!(ran.members("silent"), wanted);

    assert_eq!(customers.null_count(), 135_080);
    let missing: u64 = ran.outcome.report.sources.iter().map(|source| source.no_customer).sum();
    assert_eq!(missing, 135_080, "lines without a customer are counted and left out");
}
