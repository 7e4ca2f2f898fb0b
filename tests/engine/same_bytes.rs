//! The same inputs and instant are the same version, whatever a run may use and wherever it was stopped before.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

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
