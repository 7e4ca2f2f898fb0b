//! How long the engine takes, in the process and with files that the system holds in memory.
//!
//! `run.py` beside this file calls it, once for each number, so that the peak of memory is that number's own. Each call prints one
//! line of JSON.
//!
//! ```text
//! engine decode FOLDER [--from DATE] [--threads N] [--repeat N] COLUMN…
//! engine run PROJECT [--memory-limit BYTES] [--threads N] [--repeat N] [--as-of WHEN] [--digests] [--cache]
//! ```

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use arrow::datatypes::{DataType, Field, Schema};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use segue::engine::{self, Keep, Limits, Outcome, Request};
use segue::language::calendar::{Clock, Zone, parse_moment};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

fn main() {
    let mut args = Args::read();
    let line = match args.command.as_str() {
        "decode" => decode(&mut args),
        "run" => run(&args),
        // `cargo bench` and `cargo test --benches` call every harness without a word.
        _ => json!({"usage": "engine decode FOLDER COLUMN… | engine run PROJECT; see run.py"}),
    };
    println!("{line}");
}

/// What the call says.
struct Args {
    command: String,
    rest: Vec<String>,
    threads: usize,
    repeat: usize,
    memory: Option<usize>,
    from: Option<String>,
    as_of: Option<String>,
    digests: bool,
    /// Keep what later runs need not read again, and use it.
    cache: bool,
}

impl Args {
    fn read() -> Args {
        let mut args = Args {
            command: String::new(),
            rest: Vec::new(),
            threads: 2,
            repeat: 3,
            memory: None,
            from: None,
            as_of: None,
            digests: false,
            cache: false,
        };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let mut value = || words.next().expect("an option has a value");
            match word.as_str() {
                "--threads" => args.threads = value().parse().expect("a number"),
                "--repeat" => args.repeat = value().parse().expect("a number"),
                "--memory-limit" => args.memory = Some(value().parse().expect("bytes")),
                "--from" => args.from = Some(value()),
                "--as-of" => args.as_of = Some(value()),
                "--digests" => args.digests = true,
                "--cache" => args.cache = true,
                "--bench" => {}
                _ if word.starts_with("--") => panic!("there is no option {word}"),
                _ if args.command.is_empty() => args.command = word,
                _ => args.rest.push(word),
            }
        }
        args
    }
}

/// Runs a project through the façade, from its texts to the audiences.
fn run(args: &Args) -> Value {
    let root = PathBuf::from(args.rest.first().expect("a project"));
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(args.threads).enable_all().build().expect("threads");
    let (mut seconds, mut processor, mut last) = (Vec::new(), Vec::new(), None);
    for _ in 0..args.repeat.max(1) {
        drop(last.take());
        let (start, before) = (Instant::now(), on_processor());
        let mut project = segue::project::load(&root).expect("a project");
        let checked = project.check(None);
        let error = checked.diagnostics.iter().find(|d| d.is_error());
        assert!(error.is_none(), "every rule checks: {error:?}");
        let zone = Zone::new(&project.file.timezone).expect("a zone");
        let written = args.as_of.as_deref().or(project.file.as_of.as_ref().map(|at| at.name.as_str()));
        let as_of = written.and_then(|text| parse_moment(text, &zone)).expect("a fixed instant");
        let clock = Clock { as_of, zone };
        let limits = Limits { threads: Some(args.threads), memory: args.memory, batch_rows: None, ..Limits::default() };
        let request = Request {
            catalog: &project.catalog,
            program: &checked.program,
            clock: &clock,
            root: &project.root,
            population: false,
            history: None,
            limits,
            keep: if args.cache { Keep::On } else { Keep::Off },
            progress: None,
        };
        let outcome = runtime.block_on(engine::run(request)).expect("an outcome");
        seconds.push(start.elapsed().as_secs_f64());
        processor.push(on_processor() - before);
        let names: Vec<String> = checked.program.rules.iter().map(|rule| rule.name.clone()).collect();
        last = Some((names, outcome));
    }
    let peak = peak();
    let (names, outcome) = last.expect("one run at least");
    let rules = names.iter().enumerate().map(|(at, name)| {
        let digest = args.digests.then(|| digest(&outcome, at));
        (name.clone(), json!([outcome.size(at), digest]))
    });
    let rules: serde_json::Map<String, Value> = rules.collect();
    json!({"seconds": seconds, "cpu": processor, "peak_mb": peak, "rules": rules})
}

/// SHA-256 of the sorted ids of a rule's members, a line each.
fn digest(outcome: &Outcome, rule: usize) -> String {
    let mut ids = outcome.member_ids(rule);
    ids.sort_unstable();
    let mut hash = Sha256::new();
    for id in ids {
        hash.update(id.as_bytes());
        hash.update(b"\n");
    }
    hash.finalize().iter().take(12).map(|byte| format!("{byte:02x}")).collect()
}

/// Merely decodes columns of all files, texts as views, as many files at a time as there are threads.
fn decode(args: &mut Args) -> Value {
    let columns = args.rest.split_off(1);
    let folder = PathBuf::from(args.rest.first().expect("a folder"));
    let from = args.from.as_ref().map(|date| format!("dt={date}"));
    let mut files = Vec::new();
    parquet_files(&folder, &mut files);
    files.retain(|file| {
        let day = file.parent().and_then(Path::file_name).and_then(|name| name.to_str()).unwrap_or_default();
        from.as_deref().is_none_or(|from| !day.starts_with("dt=") || day >= from)
    });
    files.sort();
    let (mut seconds, mut processor, mut rows) = (Vec::new(), Vec::new(), 0);
    // The first round warms up.
    for round in 0..=args.repeat.max(1) {
        let (start, before) = (Instant::now(), on_processor());
        rows = pass(&files, &columns, args.threads);
        if round > 0 {
            seconds.push(start.elapsed().as_secs_f64());
            processor.push(on_processor() - before);
        }
    }
    json!({"seconds": seconds, "cpu": processor, "peak_mb": peak(), "rows": rows, "files": files.len()})
}

fn parquet_files(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            parquet_files(&path, out);
        } else if path.extension().is_some_and(|e| e == "parquet") {
            out.push(path);
        }
    }
}

fn pass(files: &[PathBuf], columns: &[String], threads: usize) -> u64 {
    let (next, rows) = (AtomicUsize::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(path) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    rows.fetch_add(read(path, columns), Ordering::Relaxed);
                }
            });
        }
    });
    rows.into_inner()
}

fn read(path: &Path, columns: &[String]) -> u64 {
    let file = std::fs::File::open(path).expect("a file");
    let found = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()).expect("a footer");
    let fields = found.schema().fields().iter().map(|field| match field.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 => {
            Arc::new(Field::new(field.name(), DataType::Utf8View, field.is_nullable()))
        }
        _ => Arc::clone(field),
    });
    let views = ArrowReaderOptions::new().with_schema(Arc::new(Schema::new(fields.collect::<Vec<_>>())));
    let metadata = ArrowReaderMetadata::try_new(Arc::clone(found.metadata()), views).expect("texts as views");
    let schema = metadata.metadata().file_metadata().schema_descr_ptr();
    let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata);
    let mask = ProjectionMask::columns(&schema, columns.iter().map(String::as_str));
    let reader = builder.with_projection(mask).with_batch_size(8_192).build().expect("a reader");
    reader.map(|batch| batch.expect("a batch").num_rows() as u64).sum()
}

/// Seconds that this process has had a processor; Linux tells it in hundredths.
fn on_processor() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = text.rsplit(')').next().unwrap_or_default();
    let ticks: u64 = fields.split_whitespace().skip(11).take(2).filter_map(|n| n.parse::<u64>().ok()).sum();
    ticks as f64 / 100.0
}

/// The most memory that this process has had, in MB.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kb| kb >> 10)
}
