//! Ctrl-C in the midst of a run.

#![cfg(unix)]

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::support::segue;

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.expect("entry"));
    entries
        .map(|e| (e.file_name().to_string_lossy().into_owned(), std::fs::read(e.path()).unwrap_or_default()))
        .collect()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = files(folder).into_keys().collect();
    names.sort();
    names
}

#[test]
fn an_interrupted_run_leaves_what_was_there() {
    let folder = tempfile::tempdir().expect("folder");
    let shop = folder.path().join("shop");
    let shop = shop.to_str().expect("text");
    let made = segue().args(["demo", shop, "--customers", "1000", "--days", "100", "-q"]).output().expect("runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let run = |out: &Path| {
        let mut command = segue();
        command.args(["run", shop, "-q", "--as-of", "2026-11-21", "--write", "parquet,csv", "--output"]).arg(out);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        command
    };
    let whole = folder.path().join("whole");
    let since = std::time::Instant::now();
    assert!(run(&whole).status().expect("runs").success());
    let usual = since.elapsed();
    let expected = files(&whole);
    assert!(expected.len() > 10, "{:?}", names(&whole));
    let out = folder.path().join("out");
    let beside = names(folder.path());
    let mut broken = 0;
    // From the first moment to the last, and a little beyond.
    for tenth in 0..12u32 {
        let child = run(&out).spawn().expect("starts");
        std::thread::sleep(usual * tenth / 10 + Duration::from_millis(5));
        let _ = Command::new("kill").args(["-INT", &child.id().to_string()]).stderr(Stdio::null()).status();
        let ended = child.wait_with_output().expect("ends");
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        // Before anything listens, the signal itself ends the program; a shell calls that 130, too.
        let interrupted = ended.status.code() == Some(130) || ended.status.signal() == Some(2);
        assert!(interrupted || ended.status.success(), "{:?}: {said}", ended.status);
        broken += u32::from(interrupted);
        let now = files(&out);
        assert!(now.is_empty() || now == expected, "{tenth}: {:?}", names(&out));
        let leftover: Vec<String> =
            names(folder.path()).into_iter().filter(|name| !beside.contains(name) && name != "out").collect();
        assert!(leftover.is_empty(), "{tenth}: {leftover:?}");
        if ended.status.success() {
            // So that the next one may be seen to write nothing.
            std::fs::remove_dir_all(&out).expect("removed");
        }
    }
    assert!(broken > 0, "no run was slow enough to be interrupted");
    assert!(run(&out).status().expect("runs").success());
    assert_eq!(files(&out), expected);
}
