//! A small store that changes from day to day in every way.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, Decimal128Array, StringArray, TimestampMicrosecondArray};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use segue::engine::{Keep, Limits, Outcome, Request, run};
use segue::language::calendar::{Clock, Zone};
use segue::language::ir::Program;
use segue::project::Project;
use tokio::runtime::Runtime;

use super::engine_answers::checked;
use super::engine_support::{DAY, Shop, parquet};

/// So many files of a source; beyond, the oldest are made one.
const FILES: usize = 12;

const CATALOG: &str = "
sources:
  shop: {path: data/events, customer: customer, time: time, event: event}
events:
  visit: {source: shop, session: true}
  buy:
    source: shop
    properties:
      item: {type: text}
      price: {type: money}
  mail: {source: shop, raw: [{prefix: mail_}]}
";

/// Sets of rules: one about those who did something, the same with one rule changed, one about everybody, and one of all that can be
/// worked out again for some customers alone, and one that asks the clock about everybody.
pub const PROGRAMS: [&str; 5] = [
    "
segment often: buy ≥ 2 in 30d
segment dear: sum(price of buy in 60d) ≥ 120
segment many: distinct(item of buy in 90d) ≥ 2
segment fresh: first buy in 14d
segment followed: visit in 30d then buy within 3d
segment busy: visit on ≥ 3 days in 28d
segment quiet: buy in 90d and no mail in 21d
segment long: buy in 7d then no visit within 2d
",
    "
segment often: buy ≥ 2 in 31d
segment dear: sum(price of buy in 60d) ≥ 120
segment months: buy on ≥ 2 months in 6mo
segment creams: buy where (item = cream) in 45d
segment seen: visit ≥ 2 between 2026-05-10 and 2026-08-01
segment gone: last visit over 10d ago
",
    "
segment lost: no buy in 30d
segment known: known for 20d and never mail
segment best: top 30% by sum(price of buy in 90d)
segment middle: median(price of buy in 120d) ≥ 40
segment drawn: sample 40% and visit in 14d
",
    "
segment often: buy ≥ 2 in 30d
segment band: buy between 2 and 5 in 20d
segment dear: sum(price of buy in 10d) ≥ 120
segment mean: avg(price of buy where (item = cream) in 25d) > 40
segment many: distinct(item of buy in 13d) ≥ 2
segment peak: max(price of buy in 9d) ≥ 80
segment fresh: first buy in 14d
segment back: last visit between 3d and 9d ago
segment idle: days since last buy > 6
segment precise: days since first visit = 30
segment other: days since last buy where (item = mask) ≠ 4
segment known: known for 20d and never mail
segment lately: visit and not known for 45d
segment current: buy in this month
segment earlier: visit ≥ 2 in previous month
segment steady: buy on ≥ 2 weeks in 4w
segment spring: visit ≥ 2 between 2026-05-10 and 2026-08-01
segment plenty: buy ≥ 5
segment rising: count(buy in 7d) > count(buy in 14d) - count(buy in 7d)
",
    "
segment sooner: days since last buy - days since last visit < 0 - days since first mail / 2
",
];

/// A row: customer, time, raw name, item, price in cents.
pub type Row = (u32, i64, &'static str, Option<&'static str>, i128);

pub struct World {
    pub shop: Shop,
    pub rng: ChaCha8Rng,
    /// Files by name, oldest first.
    pub files: BTreeMap<String, Vec<Row>>,
    /// Rows of files that were written today.
    pub written: usize,
}

impl World {
    pub fn new(seed: u64) -> World {
        let rng = ChaCha8Rng::seed_from_u64(seed);
        World { shop: Shop::new(CATALOG), rng, files: BTreeMap::new(), written: 0 }
    }

    pub fn write(&mut self, name: &str, rows: Vec<Row>) {
        let texts = |of: &dyn Fn(&Row) -> Option<String>| -> ArrayRef {
            Arc::new(rows.iter().map(of).collect::<StringArray>())
        };
        let prices = rows.iter().map(|r| (r.2 == "buy").then_some(r.4)).collect::<Decimal128Array>();
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("customer", texts(&|r| (r.0 != 9).then(|| format!("a customer with a long id {}", r.0 * 7 % 97)))),
            (
                "time",
                Arc::new(TimestampMicrosecondArray::from_iter_values(rows.iter().map(|r| r.1)).with_timezone("UTC")),
            ),
            ("event", texts(&|r| Some(r.2.to_owned()))),
            ("item", texts(&|r| r.3.map(str::to_owned))),
            ("price", Arc::new(prices.with_precision_and_scale(12, 2).unwrap())),
        ];
        let path = self.shop.path(&format!("data/events/{name}"));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        parquet(&path, columns);
        self.written += rows.len();
        self.files.insert(name.to_owned(), rows);
    }

    pub fn remove(&mut self, name: &str) -> Vec<Row> {
        std::fs::remove_file(self.shop.path(&format!("data/events/{name}"))).unwrap();
        self.files.remove(name).unwrap()
    }

    fn row(&mut self, time: i64) -> Row {
        let rng = &mut self.rng;
        // Some are there every day, some once in a while.
        let customer = if rng.random_bool(0.4) { rng.random_range(0..8) } else { rng.random_range(0..97) };
        let (name, item) = match rng.random_range(0..10) {
            0..=3 => ("visit", None),
            4..=6 => ("buy", [Some("cream"), Some("serum"), Some("mask"), None][rng.random_range(0..4)]),
            7 => ("mail_a", None),
            8 => ("mail_b", None),
            _ => ("nobody knows this", None),
        };
        (customer, time, name, item, rng.random_range(0..9_000))
    }

    fn some_file(&mut self) -> String {
        let all: Vec<&String> = self.files.keys().collect();
        all[self.rng.random_range(0..all.len())].clone()
    }

    /// The rules of a text.
    pub fn rules(&self, text: &str) -> (Project, Program) {
        std::fs::write(self.shop.path("rules/all.seg"), text).unwrap();
        checked(self.shop.dir.path(), None)
    }

    /// What arrives in the night before an as-of instant, and whatever else befalls the files; whether it was a day as any other.
    pub fn pass_night(&mut self, day: i64, as_of: i64) -> bool {
        self.written = 0;
        let mut ordinary = true;
        let mut rows = Vec::new();
        for _ in 0..self.rng.random_range(4..9) {
            // Many happen on the edge of a window of some later run.
            let time = match self.rng.random_range(0..4) {
                0 => as_of - DAY + self.rng.random_range(0..2),
                1 => as_of - 1,
                _ => as_of - 1 - self.rng.random_range(0..DAY),
            };
            rows.push(self.row(time));
        }
        if self.rng.random_bool(0.05) {
            // Of tomorrow, or of never.
            let time = as_of + self.rng.random_range(0..2 * DAY);
            rows.push(self.row(time));
            ordinary = false;
        }
        self.write(&format!("{day:04}.parquet"), rows);
        if self.files.len() > FILES {
            let old: Vec<String> = self.files.keys().take(FILES / 2).cloned().collect();
            let rows = old.iter().flat_map(|name| self.remove(name)).collect();
            self.write(old.last().unwrap(), rows);
            ordinary = false;
        }
        if self.rng.random_bool(0.1) {
            // Late: a file of its own, or more rows in one that is there.
            ordinary = false;
            let time = as_of - self.rng.random_range(1..100) * DAY + self.rng.random_range(-1..=1);
            let late = vec![self.row(time), self.row(time)];
            let name = self.some_file();
            match self.rng.random_bool(0.5) {
                true => self.write(&format!("{day:04}-late.parquet"), late),
                false => {
                    let rows = self.files[&name].iter().cloned().chain(late).collect();
                    self.write(&name, rows);
                }
            }
        }
        if self.rng.random_bool(0.08) {
            ordinary = false;
            let name = self.some_file();
            let mut rows = self.files[&name].clone();
            rows.shuffle(&mut self.rng);
            match self.rng.random_range(0..3) {
                0 => rows.truncate(rows.len() / 2),
                1 => rows.extend_from_within(..1),
                _ => {}
            }
            if !rows.is_empty() {
                self.write(&name, rows);
            }
        }
        if self.files.len() > 4 && self.rng.random_bool(0.03) {
            ordinary = false;
            let name = self.some_file();
            self.remove(&name);
        }
        if self.rng.random_bool(0.03) {
            // The same content twice: every row counts twice.
            ordinary = false;
            let name = self.some_file();
            let rows = self.files[&name].clone();
            self.write(&format!("{day:04}-again.parquet"), rows);
        }
        ordinary
    }

    /// Changes some file of the cache as an accident would.
    pub fn damage(&mut self) {
        let files = cached(&self.shop);
        if files.is_empty() {
            return;
        }
        let file = &files[self.rng.random_range(0..files.len())];
        let mut bytes = std::fs::read(file).unwrap();
        match self.rng.random_range(0..4) {
            0 => bytes.truncate(bytes.len() / 2),
            1 => return std::fs::remove_file(file).unwrap(),
            _ => {
                let at = self.rng.random_range(0..bytes.len().max(1));
                bytes.get_mut(at).into_iter().for_each(|byte| *byte ^= 1 << (at % 8));
            }
        }
        std::fs::write(file, bytes).unwrap();
    }
}

/// The files of a cache that hold something.
pub fn cached(shop: &Shop) -> Vec<PathBuf> {
    let folder = shop.path(".segue");
    let all = ["json", "log"].iter().flat_map(|kind| crate::support::files(&folder, kind));
    all.filter(|file| std::fs::metadata(file).is_ok_and(|meta| meta.len() > 0)).collect()
}

/// Everything that an outcome tells of customers and files.
pub fn same(full: &Outcome, kept: &Outcome, what: &str) {
    assert_eq!(&full.customers, &kept.customers, "{what}: customers");
    assert_eq!(full.members.len(), kept.members.len(), "{what}");
    for (rule, (full, kept)) in full.members.iter().zip(&kept.members).enumerate() {
        assert_eq!(full, kept, "{what}: members of rule {rule}");
    }
    assert_eq!(full.traits, kept.traits, "{what}: traits");
    assert_eq!(full.report, kept.report, "{what}: report");
}

pub fn outcome(
    runtime: &Runtime,
    (project, program): &(Project, Program),
    as_of: i64,
    limits: Limits,
    keep: Keep,
) -> Outcome {
    let clock = Clock { as_of, zone: Zone::utc() };
    let request = Request {
        catalog: &project.catalog,
        program,
        clock: &clock,
        root: &project.root,
        population: false,
        history: None,
        limits,
        keep,
        progress: None,
    };
    runtime.block_on(run(request)).unwrap()
}

/// A runtime with so many threads.
pub fn runtime(threads: usize) -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build().unwrap()
}
