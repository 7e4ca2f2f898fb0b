//! `segue backfill`: one pass over the events tells all days.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Date32Array, RecordBatch, TimestampMicrosecondArray};
use arrow::compute::filter;
use segue::audience::store::{Changes, Store, Table, changes, membership};
use segue::audience::turn::{Backfilled, Base, Job, backfill};
use segue::engine::{self, Instants, Keep, Limits, Outcome, Request, TOGETHER, run_each};
use segue::error::Error;
use segue::language::calendar::{Clock, Zone, parse_moment};
use segue::language::ir::{Program, RuleKind};
use segue::project::Project;

use super::engine_answers::checked;
use super::engine_support::{DAY, Heard, NOW, Shop, ago, all};
use super::results_support::{open, quick};
use crate::support::{copy, root, segue};

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(work)
}

/// The first moments of some days up to one, ascending.
fn days(last: &str, count: i64, zone: &Zone) -> Vec<Clock> {
    let last = i64::from(zone.date(parse_moment(last, zone).unwrap()));
    let day = |back: i64| Clock { as_of: zone.start_of_day(last - back), zone: zone.clone() };
    (0..count).rev().map(day).collect()
}

fn one(project: &Project, program: &Program, clock: &Clock, population: bool) -> Outcome {
    let (catalog, root) = (&project.catalog, project.root.as_path());
    let (limits, history, progress) = (Limits::default(), None, None);
    run(engine::run(Request { catalog, program, clock, root, population, keep: Keep::Off, history, limits, progress }))
        .unwrap()
}

fn each(
    project: &Project,
    program: &Program,
    clocks: &[Clock],
    population: bool,
    limits: Limits,
) -> Result<(Vec<Outcome>, u64), Error> {
    let (catalog, root) = (&project.catalog, project.root.as_path());
    let mut outcomes = Vec::new();
    let told = &mut |_: &Clock, outcome| {
        outcomes.push(outcome);
        Ok(())
    };
    let rows = run(run_each(Instants { catalog, program, clocks, root, population, limits, progress: None }, told))?;
    Ok((outcomes, rows))
}

fn same(found: &Outcome, expected: &Outcome, what: &str) {
    assert_eq!(&found.customers, &expected.customers, "{what}");
    assert_eq!(found.members, expected.members, "{what}");
    assert_eq!(found.report.population, expected.report.population, "{what}");
}

async fn filled(project: &Project, program: &Program, store: &Store, clocks: &[Clock]) -> Result<Backfilled, Error> {
    let limits = Limits { threads: Some(2), ..Limits::default() };
    let job = Job { project, program, keep: Keep::Off, limits, population: false, progress: None };
    backfill(&job, store, &Base::default(), clocks).await
}

/// The history is the same file as that of days evaluated one after the other, and every row was read once.
#[test]
fn the_example_day_by_day_and_at_once() {
    let folder = quick();
    copy(&root().join("examples/cosmetics"), folder.path());
    let (project, program) = checked(folder.path(), None);
    let zone = Zone::new(&project.file.timezone).unwrap();
    // The clock is set back in these days.
    let clocks = days("2026-11-04", 16, &zone);
    let mut history = Vec::new();
    let segments: Vec<(usize, &str)> = program
        .rules
        .iter()
        .enumerate()
        .filter(|(_, rule)| matches!(rule.kind, RuleKind::Segment))
        .filter(|(_, rule)| !program.keep(|other| other.name == rule.name).asks_history(&project.catalog))
        .map(|(at, rule)| (at, rule.name.as_str()))
        .collect();
    let mut before: Vec<Option<ArrayRef>> = vec![None; segments.len()];
    let mut most = 0;
    for clock in &clocks {
        let outcome = one(&project, &program, clock, false);
        let moved: Vec<(&str, Changes)> = segments
            .iter()
            .zip(&mut before)
            .map(|((rule, name), before)| {
                let bits = BooleanArray::new(outcome.members[*rule].clone(), None);
                let now = filter(&outcome.customers, &bits).unwrap();
                let was = before.take().unwrap_or_else(|| now.slice(0, 0));
                let moved = changes(&was, &now).unwrap();
                *before = Some(now);
                (*name, moved)
            })
            .collect();
        history.push(membership(outcome.customers.data_type(), clock.as_of, &moved).unwrap());
        most = outcome.report.sources.iter().map(|source| source.rows + source.skipped).sum();
    }
    history.retain(|batch: &RecordBatch| batch.num_rows() > 0);
    let store = open(&folder.path().join("results"));
    let filled = run(filled(&project, &program, &store, &clocks)).unwrap();
    let expected = run(store.stage(Table::History, "", &history)).unwrap();
    let found: Vec<_> = filled.draft.of(Table::History).collect();
    assert_eq!((found.len(), &found[0].sha256, found[0].rows), (1, &expected.sha256, expected.rows));
    assert!(filled.entered > 100 && filled.left > 10 && filled.days == 16, "{} {}", filled.entered, filled.left);
    assert!(0 < filled.read && filled.read <= most, "{} of {most}", filled.read);
}

/// Beyond some instants there is another pass.
#[test]
fn very_many_days() {
    let shop = Shop::plain();
    shop.parquet("data/events/a.parquet", super::engine_support::some_events());
    let (project, program) = checked(shop.dir.path(), Some("buy ≥ 1 in 10d"));
    let clocks = days("2026-11-21", TOGETHER as i64 + 2, &Zone::utc());
    let (outcomes, rows) = each(&project, &program, &clocks, true, Limits::default()).unwrap();
    assert_eq!((outcomes.len(), rows), (clocks.len(), 6));
    let sizes: Vec<usize> = outcomes.iter().map(|outcome| outcome.size(0)).collect();
    // Bob bought 50 days ago, Ana one and two.
    assert_eq!(sizes.iter().sum::<usize>(), 10 + 2);
    assert_eq!((sizes[clocks.len() - 1], outcomes[0].population(), outcomes[65].population()), (1, Some(0), Some(2)));
    assert!(each(&project, &program, &[], true, Limits::default()).unwrap().0.is_empty());
}

/// In passes over shares of the customers, with any number of threads.
#[test]
fn memory_is_limited() {
    let shop = Shop::plain();
    for file in 0..8 {
        let ids: Vec<String> = (0..4_000).map(|i| format!("customer-{}", (i * 7 + file * 13) % 6_000)).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let days: Vec<i64> = (0..4_000).map(|i| (i + file) % 100 + 1).collect();
        let (events, items) = (all(&["buy"; 4_000]), all(&["x"; 4_000]));
        let columns = vec![("customer", all(&ids)), ("time", ago(&days)), ("event", events), ("item", items)];
        shop.parquet(&format!("data/events/{file}.parquet"), columns);
    }
    let (project, program) = checked(shop.dir.path(), Some("buy ≥ 4 in 60d and distinct(item of buy) = 1"));
    let clocks = days("2026-11-21", 5, &Zone::utc());
    let expected: Vec<Outcome> = clocks.iter().map(|clock| one(&project, &program, clock, false)).collect();
    let mut most = 0;
    for (threads, memory) in [(1, None), (2, None), (2, Some(400_000)), (1, Some(2_000_000)), (2, Some(4_000_000))] {
        let limits = Limits { threads: Some(threads), memory, batch_rows: Some(1_024), ..Limits::default() };
        let what = format!("{threads} {memory:?}");
        match each(&project, &program, &clocks, false, limits) {
            Ok((outcomes, _)) => {
                most = most.max(outcomes[0].passes);
                outcomes.iter().zip(&expected).for_each(|(found, expected)| same(found, expected, &what));
            }
            Err(error) => assert!(memory.is_some() && error.to_string().contains("memory limit"), "{what}: {error}"),
        }
    }
    assert!(most > 1 && expected[4].size(0) > 100);
}

/// Profiles that came in between, of a population of profiles and events, and of events alone; repeats that came again.
#[test]
fn customers_and_repeats_that_come_later() {
    for population in ["all", "events", "profiles"] {
        let shop = Shop::new(&format!(
            "
sources:
  shop: {{path: data/events, customer: customer, time: time, event: event}}
profiles: {{path: data/people.parquet, customer: customer, created: created}}
population: {population}
events:
  buy:
    source: shop
    event_id: line
    properties:
      item: {{type: text}}
  see: {{source: shop}}
"
        ));
        // Ana's line comes again, and Eve's; Bob's profile is there before he does anything, Cid's after, Dan has none.
        let events = vec![
            ("customer", all(&["ana", "ana", "bob", "cid", "dan", "eve", "eve"])),
            ("time", ago(&[9, 3, 3, 9, 3, 3, 5])),
            ("event", all(&["buy", "buy", "see", "see", "see", "buy", "buy"])),
            ("line", all(&["1", "1", "2", "3", "4", "5", "5"])),
            ("item", all(&["new", "old", "", "", "", "late", "soon"])),
        ];
        shop.parquet("data/events/a.parquet", events);
        let created = [Some(8), Some(8), Some(6), None].map(|days: Option<i64>| days.map(|days| NOW - days * DAY));
        let created = TimestampMicrosecondArray::from(created.to_vec()).with_timezone("UTC");
        shop.parquet(
            "data/people.parquet",
            vec![("customer", all(&["ana", "bob", "cid", "fay"])), ("created", Arc::new(created))],
        );
        for rule in
            ["buy where (item = old)", "buy where (item = soon)", "no buy in 4d", "known for 2d", "buy ≥ 1 in 2d"]
        {
            let (project, program) = checked(shop.dir.path(), Some(rule));
            let clocks = days("2026-11-21", 12, &Zone::utc());
            let (outcomes, _) = each(&project, &program, &clocks, true, Limits::default()).unwrap();
            for (found, clock) in outcomes.iter().zip(&clocks).skip(2).step_by(3) {
                let expected = one(&project, &program, clock, true);
                same(found, &expected, &format!("{population}, {rule}, {} days before", (NOW - clock.as_of) / DAY));
            }
            let sizes: Vec<usize> = outcomes.iter().filter_map(Outcome::population).collect();
            assert!(sizes[11] > sizes[5] && sizes[5] > sizes[1], "{population} {sizes:?}");
        }
    }
}

/// Where an event's own filter depends on the day, each has a pass of its own.
#[test]
fn filters_that_depend_on_the_day() {
    let shop = Shop::new(
        "
sources:
  shop: {path: data/events, customer: customer, time: time, event: event}
events:
  buy:
    source: shop
    filter: due in 3d
    properties:
      due: {type: date}
",
    );
    let due = Date32Array::from_iter_values([9, 3, 2].map(|days| ((NOW - days * DAY) / DAY) as i32));
    let events = vec![
        ("customer", all(&["ana", "bob", "cid"])),
        ("time", ago(&[10, 10, 10])),
        ("event", all(&["buy"; 3])),
        ("due", Arc::new(due)),
    ];
    shop.parquet("data/events/a.parquet", events);
    let (project, program) = checked(shop.dir.path(), Some("buy"));
    let clocks = days("2026-11-21", 9, &Zone::utc());
    let (outcomes, rows) = each(&project, &program, &clocks, true, Limits::default()).unwrap();
    for (found, clock) in outcomes.iter().zip(&clocks) {
        same(found, &one(&project, &program, clock, true), &format!("{clock:?}"));
    }
    assert_eq!((outcomes.len(), rows), (9, 27));
    assert!(outcomes[0].size(0) == 1 && outcomes[8].size(0) == 2);
}

/// What the command says, and that the bar has an end.
#[test]
fn past_days_are_told() {
    let folder = quick();
    copy(&root().join("examples/cosmetics"), folder.path());
    let call = |arguments: &[&str]| segue().current_dir(folder.path()).args(arguments).output().expect("runs");
    let output = call(&["backfill", "--from", "2026-10-01", "--to", "2026-11-12", "--every", "week"]);
    let (said, noted) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.starts_with("7 days: "), "{said}{noted}");
    assert!(noted.contains(" rows of events were read\n") && noted.contains(": version 1"), "{noted}");
    let again = call(&["backfill", "--from", "2026-10-01", "--to", "2026-11-12"]);
    assert_eq!(again.status.code(), Some(5));
    // Nothing is kept beside the store.
    assert!(!Path::new(&folder.path().join(".segue/cache")).exists());

    let (project, program) = checked(folder.path(), Some("purchased ≥ 1 in 7d"));
    let clocks = days("2026-11-12", 3, &Zone::utc());
    let heard = Arc::new(Heard::default());
    let (catalog, root) = (&project.catalog, project.root.as_path());
    let progress: Option<Arc<dyn engine::Progress>> = Some(heard.clone());
    let (clocks, limits) = (clocks.as_slice(), Limits::default());
    let request = Instants { catalog, program: &program, clocks, root, population: false, limits, progress };
    let stops = &mut |_: &Clock, _: Outcome| Err(Error::usage("enough"));
    assert!(run(run_each(request, stops)).unwrap_err().to_string().contains("enough"));
    let heard = heard.0.lock().unwrap();
    assert_eq!(heard.iter().filter(|said| said.contains("rows, ")).count(), 1, "{heard:?}");
    assert_eq!(heard.last().map(String::as_str), Some("finished"));
}
