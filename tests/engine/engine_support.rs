//! Small projects on disk for tests.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use arrow::array::{ArrayRef, RecordBatch, StringArray, TimestampMicrosecondArray};
use parquet::arrow::ArrowWriter;
use segue::engine::{Limits, Outcome, Progress, SoFar};
use segue::error::Error;

use super::engine_answers::run_project;

pub const DAY: i64 = 86_400_000_000;
/// 2026-11-21T00:00Z.
pub const NOW: i64 = 20_778 * DAY;

/// A project in a folder of its own.
pub struct Shop {
    pub dir: tempfile::TempDir,
}

impl Shop {
    pub fn new(catalog: &str) -> Shop {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::create_dir_all(at("rules")).unwrap();
        std::fs::create_dir_all(at("data")).unwrap();
        std::fs::write(at("catalog.yaml"), catalog).unwrap();
        std::fs::write(
            at("segue.yaml"),
            "name: shop\nedition: \"2026\"\ntimezone: UTC\nas_of: 2026-11-21\ncatalog: catalog.yaml\nrules: rules\noutput: out\n",
        )
        .unwrap();
        Shop { dir }
    }

    /// Events `buy` of a column layout that most tests share.
    pub fn plain() -> Shop {
        Shop::new(PLAIN)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn parquet(&self, name: &str, columns: Vec<(&str, ArrayRef)>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        parquet(&path, columns);
        path
    }

    pub fn run(&self, rule: &str) -> Result<Outcome, Error> {
        self.run_with(rule, Limits { threads: Some(2), ..Limits::default() })
    }

    pub fn run_with(&self, rule: &str, limits: Limits) -> Result<Outcome, Error> {
        run_project(self.dir.path(), Some(rule), None, limits).map(|(_, outcome)| outcome)
    }

    /// The members of a rule.
    pub fn members(&self, rule: &str) -> Vec<String> {
        self.run(rule).unwrap().member_ids(0)
    }

    /// The error, with its cure.
    pub fn error(&self, rule: &str) -> String {
        match self.run(rule) {
            Ok(outcome) => panic!("no error but {outcome:?}"),
            Err(e) => {
                assert_eq!(e.exit(), segue::error::Exit::Environment, "{e}");
                let help = e.help().map(|h| format!("\n  = {h}")).unwrap_or_default();
                format!("{e}{help}").replace(&self.dir.path().display().to_string(), "DIR")
            }
        }
    }
}

pub const PLAIN: &str = "
sources:
  shop: {path: data/events, customer: customer, time: time, event: event}
events:
  buy:
    source: shop
    properties:
      item: {type: text}
";

pub fn parquet(path: &Path, columns: Vec<(&str, ArrayRef)>) {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = ArrowWriter::try_new(std::fs::File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

pub fn texts(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

pub fn all(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

/// Instants so many days ago.
pub fn ago(days: &[i64]) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from_iter_values(days.iter().map(|d| NOW - d * DAY)).with_timezone("UTC"))
}

/// Writes down what it is told.
#[derive(Default)]
pub struct Heard(pub Mutex<Vec<String>>);

impl Progress for Heard {
    fn start(&self, rows: u64, bytes: u64, files: usize) {
        self.0.lock().unwrap().push(format!("{rows} rows, {}, {files} files", if bytes > 0 { "bytes" } else { "" }));
    }

    fn at(&self, so_far: &SoFar) {
        if so_far.bytes > 0 {
            self.0.lock().unwrap().push(format!("{} rows of {} files", so_far.rows, so_far.files));
        }
    }

    fn finish(&self) {
        self.0.lock().unwrap().push("finished".into());
    }
}

/// Three purchases of two customers.
pub fn some_events() -> Vec<(&'static str, ArrayRef)> {
    vec![
        ("customer", all(&["ana", "bob", "ana"])),
        ("time", ago(&[1, 50, 2])),
        ("event", all(&["buy", "buy", "buy"])),
        ("item", all(&["serum", "cream", "cream"])),
    ]
}
