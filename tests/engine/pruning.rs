//! Rows that nobody asks for are not read, and their absence never shows.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray, TimestampNanosecondArray,
    TimestampSecondArray,
};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use segue::engine::plan::lower::{Asked, Table, lower};
use segue::engine::plan::reading::readings;
use segue::engine::tables::prune::{self, Reading};
use segue::engine::{Keep, Limits, Outcome, Request, run, tables};
use segue::language::calendar::{Clock, Zone};
use segue::language::catalog::Catalog;
use segue::language::ir::Program;

use super::differential::{Difference, judge};
use super::differential_files::{run_over, write};
use super::engine_answers::checked;
use super::engine_support::{DAY, NOW, Shop};
use crate::generate::{Size, sized};

/// Every rule alone, so that most depend on a few events, over files that tell when and of what their rows are.
#[test]
fn pruned_is_unpruned() {
    let (mut rules, mut uncounted, mut sifted, mut skipped) = (0, 0, 0, 0);
    for seed in 0..4 {
        let batch = sized(9_000_000 + seed, Size { rules: 12, customers: 25 });
        let program = batch.compile().program;
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let root = tempfile::tempdir().unwrap();
        write(&batch, root.path(), &mut rng, seed % 4 != 3);
        for at in 0..program.rules.len() {
            let alone = program.keep(|rule| rule.name == program.rules[at].name);
            let population = rng.random_bool(0.2);
            sifted += usize::from(is_sifted(&batch.catalog, &alone, &batch.clock, population));
            let outcome = run_over(&batch, &batch.catalog, &alone, root.path(), population, &mut rng);
            match judge(outcome, &batch.catalog, &alone, &batch.clock, &batch.histories) {
                Ok(outcome) => {
                    rules += 1;
                    uncounted += usize::from(outcome.population().is_none());
                    skipped += outcome.report.sources.iter().map(|s| s.skipped).sum::<u64>();
                }
                Err(Difference { rule, customer, what }) => panic!("{}", batch.explain(&rule, &customer, &what)),
            }
        }
    }
    println!("{rules} rules, {uncounted} of them without population, {sifted} sifted, {skipped} rows not read");
    assert!(uncounted * 4 > rules && sifted > 0 && skipped > 100, "{rules} {uncounted} {sifted} {skipped}");
}

/// Whether the reader looks at raw names before it decodes the rest of a row.
fn is_sifted(catalog: &Catalog, program: &Program, clock: &Clock, population: bool) -> bool {
    let parts = lower(catalog, program, clock, Asked { population, ..Asked::default() });
    parts.branches.iter().any(|lowered| {
        let Table::Source(s) = lowered.table else { return false };
        prune::Asked { source: &catalog.sources[s as usize], lowered }.few_names()
    })
}

/// The reader sifts in every pass; how much it let go is told once.
#[test]
fn sifted_in_passes() {
    let catalog = format!("{SHOP}events:\n")
        + &["buy", "look", "visit", "open", "click", "send"]
            .map(|e| format!("  {e}: {{source: shop, raw: [{e}]}}\n"))
            .concat();
    let shop = Shop::new(&catalog);
    for file in 0..4 {
        let rows = || 0..6_000i64;
        let of = |value: &dyn Fn(i64) -> String| -> ArrayRef {
            Arc::new(rows().map(|i| Some(value(i * 7 + file))).collect::<StringArray>())
        };
        let times = rows().map(|i| NOW - (i * 13 % 90 + 1) * DAY).collect::<Vec<_>>();
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("customer", of(&|i| format!("customer-{}", i % 2_311))),
            ("time", Arc::new(TimestampMicrosecondArray::from(times).with_timezone("UTC"))),
            ("event", of(&|i| ["buy", "look", "visit", "open", "click", "send", "other"][i as usize % 7].to_owned())),
        ];
        groups(&shop.path(&format!("data/events/{file}.parquet")), columns, 1_500, EnabledStatistics::Chunk);
    }
    let rule = "buy ≥ 2 in 60d";
    let (project, program) = checked(shop.dir.path(), Some(rule));
    assert!(is_sifted(&project.catalog, &program, &clock(), false));
    let free = answer(&shop, rule, false);
    let limits = Limits { threads: Some(2), memory: Some(100_000), batch_rows: Some(1_024), ..Limits::default() };
    let limited = answer_within(&shop, rule, false, limits);
    println!("{} members, {} passes, {:?}", free.size(0), limited.passes, free.report.sources);
    assert!(free.passes == 1 && limited.passes > 1 && free.size(0) > 100);
    assert_eq!(limited.member_ids(0), free.member_ids(0));
    assert_eq!(format!("{:?}", limited.report), format!("{:?}", free.report));
}

const SHOP: &str = "
sources:
  shop: {path: data/events, customer: customer, time: time, event: event}
";

const DAILY: &str = "
sources:
  shop: {path: data/events, customer: customer, time: time, event: event}
events:
  buy: {source: shop, properties: {item: {type: text}}}
  look: {source: shop}
  basket: {source: shop, raw: [basket, {prefix: cart_}]}
  visit: {source: shop, raw: [visit], event_id: id}
";

/// 40 files of a day, each with 50 row groups of one event, of three customers.
fn daily(shop: &Shop) {
    for day in 0..40 {
        let hours: Vec<i64> = (0..50).collect();
        let times: Vec<i64> = hours.iter().map(|h| NOW - (40 - day) * DAY + h * DAY / 50).collect();
        let of = |names: &[&str]| -> ArrayRef {
            Arc::new(hours.iter().map(|h| Some(names[*h as usize % names.len()].to_owned())).collect::<StringArray>())
        };
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("customer", of(&["ana", "bob", "eve"])),
            ("time", Arc::new(TimestampMicrosecondArray::from(times).with_timezone("UTC"))),
            ("event", of(&["buy", "look", "cart_add", "visit", "other"])),
            ("item", of(&["cream", "serum"])),
            ("id", of(&["1", "2", "3", "4", "5", "6", "7"])),
            ("unused", of(&["a long text that nobody asks for"])),
        ];
        groups(&shop.path(&format!("data/events/dt={day}/part.parquet")), columns, 1, EnabledStatistics::Chunk);
    }
}

fn groups(path: &Path, columns: Vec<(&str, ArrayRef)>, rows: usize, statistics: EnabledStatistics) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(rows))
        .set_statistics_truncate_length(Some(2))
        .set_statistics_enabled(statistics)
        .build();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

/// One row group in the order of time: pages of ten rows, of which names and texts end at other rows than times.
fn pages(path: &Path, columns: Vec<(&str, ArrayRef)>, statistics: EnabledStatistics) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let properties = WriterProperties::builder()
        .set_data_page_row_count_limit(10)
        .set_write_batch_size(5)
        .set_dictionary_enabled(false)
        .set_data_page_size_limit(64)
        .set_statistics_enabled(statistics)
        .set_column_index_truncate_length(Some(2))
        .build();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

/// Of one row group only the pages are read that can hold what is asked for; without their index, all of them.
#[test]
fn pages_of_one_row_group() {
    // An event an hour for 100 days; every 1,000 hours another is the usual one.
    let hours: Vec<i64> = (0..2_400).collect();
    let of = |value: &dyn Fn(i64) -> String| -> ArrayRef {
        Arc::new(hours.iter().map(|h| Some(value(*h))).collect::<StringArray>())
    };
    let names = ["buy", "look", "visit"];
    let time = |h: &i64| (h % 50 != 7).then_some(NOW - (2_400 - h) * DAY / 24);
    let columns = || -> Vec<(&str, ArrayRef)> {
        vec![
            ("customer", of(&|h| format!("c{:02}", h * 7 % 60))),
            ("time", Arc::new(hours.iter().map(time).collect::<TimestampMicrosecondArray>().with_timezone("UTC"))),
            ("event", of(&|h| names[(h / 1_000) as usize].to_owned())),
            ("item", of(&|h| ["cream", "serum"][(h % 2) as usize].to_owned())),
            ("id", of(&|h| h.to_string())),
        ]
    };
    let shop = |statistics| {
        let shop = Shop::new(DAILY);
        pages(&shop.path("data/events/all.parquet"), columns(), statistics);
        shop
    };
    let (paged, plain) = (shop(EnabledStatistics::Page), shop(EnabledStatistics::Chunk));
    for (rule, rows) in [
        // A day, and what stands beside it on the same pages.
        ("look between 2026-10-10 and 2026-10-10", 30),
        ("look between 2026-10-10 and 2026-10-10 or buy between 2026-08-20 and 2026-08-21", 90),
        // Told by the names alone.
        ("buy", 1_000),
        ("look or basket", 1_000),
        // From the first to the last time that anybody asks for.
        ("look between 2026-10-10 and 2026-10-12 or look between 2026-09-28 and 2026-09-28", 370),
        ("buy where (item = cream) between 2026-08-20 and 2026-08-20", 40),
        ("basket", 0),
        // Everybody is asked for.
        ("not look in 10d", 2_400),
    ] {
        let outcome = answer(&paged, rule, false);
        let same = answer(&plain, rule, false);
        assert_eq!(outcome.member_ids(0), same.member_ids(0), "{rule}");
        assert_eq!(outcome.member_ids(0), answer(&paged, rule, true).member_ids(0), "{rule}");
        assert_eq!(outcome.size(0) > 0, rule != "basket", "{rule}");
        let source = &outcome.report.sources[0];
        assert_eq!((source.rows, source.skipped), (rows, 2_400 - rows), "{rule}");
        // What is said beforehand is what is read.
        let reading = reads(&paged, rule).remove(0);
        assert_eq!((reading.rows.read, reading.rows.all), (rows, 2_400), "{rule}");
        assert_eq!(reading.pages.skipped() > 0, rows < 2_400, "{rule}: {reading:?}");
        assert!(reading.bytes.read * 2_400 < reading.bytes.all * (rows + 100), "{rule}: {reading:?}");
        assert_eq!(reads(&plain, rule).remove(0).rows.read, 2_400, "{rule}");
    }
}

fn clock() -> Clock {
    Clock { as_of: NOW, zone: Zone::utc() }
}

/// What a rule reads.
fn reads(shop: &Shop, rule: &str) -> Vec<Reading> {
    let (project, program) = checked(shop.dir.path(), Some(rule));
    let parts = lower(&project.catalog, &program, &clock(), Asked::default());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let tables = runtime.block_on(tables::open(&project.catalog, &project.root)).unwrap();
    readings(&project.catalog, &tables, &parts)
}

fn answer(shop: &Shop, rule: &str, population: bool) -> Outcome {
    answer_within(shop, rule, population, Limits { threads: Some(2), ..Limits::default() })
}

fn answer_within(shop: &Shop, rule: &str, population: bool, limits: Limits) -> Outcome {
    let (project, program) = checked(shop.dir.path(), Some(rule));
    let request = Request {
        catalog: &project.catalog,
        program: &program,
        clock: &clock(),
        root: &project.root,
        population,
        history: None,
        limits,
        keep: Keep::Off,
        progress: None,
    };
    tokio::runtime::Runtime::new().unwrap().block_on(run(request)).unwrap()
}

/// The rows that a run has really read are those that the footers promise.
#[test]
fn a_window_is_what_is_read() {
    let shop = Shop::new(DAILY);
    daily(&shop);
    for (rule, files, rows) in [
        // 10 of the 50 rows of a day are of the event; names and times are told by each row group.
        ("buy in 5d", 5, 50),
        ("buy where (item = cream) in 3h", 1, 1),
        ("look between 2026-11-01 and 2026-11-03", 3, 30),
        ("basket in 2d", 2, 20),
        ("buy in 3d then look within 1d", 3, 60),
        ("buy in 5d or basket in 1d", 5, 60),
        ("buy", 40, 400),
        // Of repeats the earliest counts, so all that was before matters.
        ("visit in 3d", 40, 400),
        ("visit between 2026-10-20 and 2026-10-21", 10, 100),
        // Somebody of whom no event matches may be meant.
        ("not buy in 5d", 40, 2_000),
        ("buy = 0 in 5d", 40, 2_000),
        ("buy in 5d and known for 3d", 40, 2_000),
        ("buy in 5d or never look", 40, 2_000),
        ("buy in 5d and not look in 2d", 5, 70),
    ] {
        let outcome = answer(&shop, rule, false);
        let counted = answer(&shop, rule, true);
        assert_eq!(outcome.member_ids(0), counted.member_ids(0), "{rule}");
        assert_eq!((counted.population(), counted.report.sources[0].rows), (Some(3), 2_000), "{rule}");
        assert_eq!(outcome.population().is_some(), rows == 2_000, "{rule}");
        let all = reads(&shop, rule);
        let read: u64 = all.iter().map(|r| r.files.read).max().unwrap();
        // Who counts the population has the repeats of an event in a branch of their own.
        let sum: u64 = all.iter().map(|r| r.rows.read).sum();
        assert_eq!((read, sum), (files, if rows == 2_000 { 4_000 } else { rows }), "{rule}");
        // Of repeats alone nothing is counted.
        for source in &outcome.report.sources {
            assert_eq!((source.rows, source.skipped), (rows, 2_000 - rows), "{rule}");
        }
        assert!(outcome.report.missing_events.is_empty(), "{rule} {:?}", outcome.report);
    }
    let reading = reads(&shop, "buy in 5d").remove(0);
    assert_eq!(reading.columns, ["customer", "event", "time"]);
    assert_eq!((reading.row_groups.read, reading.row_groups.all), (50, 2_000));
    assert!(reading.bytes.read * 30 < reading.bytes.all, "{reading:?}");
    assert_eq!(reading.events.iter().map(|(_, lo, hi)| (*lo, *hi)).collect::<Vec<_>>(), [(NOW - 5 * DAY, NOW)]);
}

/// Times of every kind, around the hour at which the clock is set back: each row in a row group of its own.
#[test]
fn times_of_every_kind() {
    let hour = DAY / 24;
    let instants: Vec<i64> = (0..120).map(|h| NOW - 29 * DAY + h * hour + (h % 3 - 1)).collect();
    let paris = Zone::new("Europe/Paris").unwrap();
    let local = |instants: &[i64]| instants.iter().map(|&t| paris.local(t)).collect::<Vec<i64>>();
    let array = |times: &[i64], per: fn(i64) -> i64| times.iter().map(|&t| per(t)).collect::<Vec<i64>>();
    let seconds: Vec<i64> = array(&local(&instants), |t| t.div_euclid(1_000_000));
    let days = TimestampMicrosecondArray::from(local(&instants));
    for (settings, column) in [
        ("", Arc::new(TimestampMicrosecondArray::from(instants.clone()).with_timezone("UTC")) as ArrayRef),
        ("", Arc::new(TimestampNanosecondArray::from(array(&instants, |t| t * 1_000 + 999)).with_timezone("+02:00"))),
        (", timezone: Europe/Paris", Arc::new(TimestampMicrosecondArray::from(local(&instants)))),
        (", timezone: Europe/Paris", Arc::new(TimestampSecondArray::from(seconds))),
        (", timezone: Europe/Paris", cast(&days, &DataType::Date32).unwrap()),
        (", timezone: America/New_York", cast(&days, &DataType::Date64).unwrap()),
        (", time_unit: ms", Arc::new(Int64Array::from(array(&instants, |t| t.div_euclid(1_000))))),
        (", time_unit: s", cast(&Int64Array::from(array(&instants, |t| t / 1_000_000)), &DataType::UInt32).unwrap()),
    ] {
        let catalog = DAILY.replace("event: event}", &format!("event: event{settings}}}"));
        let shop = Shop::new(&catalog);
        let ids: Vec<String> = (0..instants.len()).map(|i| format!("c{i:03}")).collect();
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("customer", Arc::new(StringArray::from(ids))),
            ("time", Arc::clone(&column)),
            ("event", Arc::new(StringArray::from(vec!["buy"; instants.len()]))),
            ("item", Arc::new(StringArray::from(vec!["cream"; instants.len()]))),
            ("id", Arc::new(StringArray::from(vec!["1"; instants.len()]))),
        ];
        groups(&shop.path("data/events/a.parquet"), columns, 1, EnabledStatistics::Page);
        let mut skipped = 0;
        for rule in ["buy in 27d", "buy between 2026-10-25 and 2026-10-25", "buy before 2026-10-25T01:00Z"] {
            let (outcome, counted) = (answer(&shop, rule, false), answer(&shop, rule, true));
            assert_eq!(outcome.member_ids(0), counted.member_ids(0), "{rule} {settings} {:?}", column.data_type());
            let members = outcome.size(0);
            assert!(0 < members && members < instants.len(), "{rule} {settings} {:?}", column.data_type());
            skipped += outcome.report.sources[0].skipped;
        }
        // What the statistics of these types mean is not relied on.
        let plain = !matches!(column.data_type(), DataType::Date64 | DataType::UInt32);
        assert_eq!(skipped > 0, plain, "{settings} {:?}: {skipped}", column.data_type());
    }
}
