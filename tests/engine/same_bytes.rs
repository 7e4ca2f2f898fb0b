//! The same inputs and instant are the same version, whatever a run may use and wherever it was stopped before.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use segue::audience::schedule::CatchUp;
use segue::audience::turn::{Job, Then, turns};
use segue::engine::{Keep, Limits};
use segue::language::calendar::{Clock, Zone, parse_moment};
use segue::project;
use serde_json::Value;

use crate::results_support::open;
use crate::support::{copy, files, root, segue};

/// A copy of the example that may be written into.
fn example() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("folder");
    copy(&root().join("examples/cosmetics"), &folder.path().join("shop"));
    folder
}

fn published(folder: &Path, arguments: &[&str]) -> String {
    let mut call = segue();
    call.current_dir(folder).args(["run", "shop", "--format", "json", "--as-of", "2026-11-16T09:00"]).args(arguments);
    let output = call.output().expect("runs");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    let value: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let versions = value["published"].as_array().expect("versions");
    assert_eq!(versions.len(), 1, "{arguments:?}");
    versions[0]["sha256"].as_str().expect("a checksum").to_owned()
}

/// The checksum of a manifest covers those of all its files.
#[test]
fn one_checksum_over_threads_memory_and_names_of_files() {
    let folder = example();
    let first = published(folder.path(), &["--store", "one"]);
    let ways: [&[&str]; 6] = [
        &["--threads", "1"],
        &["--threads", "2"],
        &["--threads", "8"],
        &["--memory-limit", "96MB"],
        &["--threads", "8", "--memory-limit", "128MB"],
        &["--cache"],
    ];
    for (n, way) in ways.iter().enumerate() {
        let store = format!("way{n}");
        let arguments: Vec<&str> = ["--store", &store].into_iter().chain(way.iter().copied()).collect();
        assert_eq!(published(folder.path(), &arguments), first, "{way:?}");
    }
    // The same rows, found in another order.
    let mut months = files(&folder.path().join("shop/data/events"), "parquet");
    months.sort();
    for (n, file) in months.iter().enumerate() {
        let aside = file.with_file_name(format!("{}.parquet", 99 - n));
        std::fs::rename(file, aside).expect("renamed");
    }
    assert_eq!(published(folder.path(), &["--store", "renamed"]), first);
    // Something else is another checksum.
    std::fs::write(folder.path().join("shop/lists/suppressed.txt"), "c1\n").expect("written");
    assert_ne!(published(folder.path(), &["--store", "other"]), first);
}

/// The same over what the command line does not set: how many rows are worked on at a time, by how many partitions.
#[test]
fn one_checksum_over_batch_sizes_and_partitions() {
    let folder = example();
    let first = published(folder.path(), &["--store", "one"]);
    let mut project = project::load(&folder.path().join("shop")).expect("loads");
    let program = project.check(None).program;
    let zone = Zone::new(&project.file.timezone).expect("a zone");
    let clock = Clock { as_of: parse_moment("2026-11-16T09:00", &zone).expect("an instant"), zone };
    for (threads, batch_rows) in [(1, 100), (3, 1_000), (5, 100_000)] {
        let limits = Limits { threads: Some(threads), batch_rows: Some(batch_rows), ..Limits::default() };
        let job =
            Job { project: &project, program: &program, keep: Keep::Off, limits, population: false, progress: None };
        let store = open(&folder.path().join(format!("batches{batch_rows}")));
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads");
        let done = runtime.block_on(turns(&job, &store, &clock, CatchUp::Last, Then::Publish)).expect("decided");
        let sums: Vec<&str> = done.versions.iter().map(|version| version.sha256.as_str()).collect();
        assert_eq!(sums, [first.as_str()], "{threads} partitions, {batch_rows} rows");
    }
}

/// A run that is killed at any moment has published a version or nothing, and the next one ends in the same bytes.
#[test]
fn killed_runs_end_in_the_same_version() {
    let folder = example();
    let expected = published(folder.path(), &["--store", "whole"]);
    let since = Instant::now();
    assert_eq!(published(folder.path(), &["--store", "timed"]), expected);
    let usual = since.elapsed();
    let mut unfinished = 0;
    for tenth in 0..12u32 {
        let store = format!("killed{tenth}");
        let mut call = segue();
        call.current_dir(folder.path()).args(["run", "shop", "--as-of", "2026-11-16T09:00", "--store", &store]);
        let mut child = call.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
        std::thread::sleep(usual * tenth / 11 + Duration::from_millis(5));
        let _ = child.kill();
        child.wait().expect("ends");
        let manifests = folder.path().join(&store).join("manifests");
        unfinished += u32::from(files(&manifests, "json").is_empty());
        assert_eq!(published(folder.path(), &["--store", &store]), expected, "{tenth}");
        assert_eq!(files(&manifests, "json").len(), 1, "{tenth}");
    }
    assert!(unfinished > 0, "no run was slow enough to be killed");
}
