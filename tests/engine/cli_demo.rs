//! `segue demo`: what it says, what it refuses, and that an interrupted one leaves nothing.

use crate::support::segue;

#[test]
fn a_shop_is_written_and_checks() {
    let folder = tempfile::tempdir().expect("folder");
    let write = |extra: &[&str]| {
        let mut command = segue();
        command.current_dir(folder.path()).args(["demo", "shop", "--customers", "40", "--days", "20"]).args(extra);
        command.output().expect("runs")
    };
    let output = write(&[]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.starts_with("wrote `shop`: ") && said.contains("segue run shop"), "{said}");
    let again = write(&[]);
    assert_eq!(again.status.code(), Some(2), "a folder in use");
    assert!(String::from_utf8_lossy(&again.stderr).contains("`shop` is not empty"));
    assert!(write(&["--replace"]).status.success());
    let check = segue().current_dir(folder.path()).args(["check", "shop"]).output().expect("runs");
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stdout));
}

#[test]
fn whole_numbers_only() {
    for bad in ["0", "-1", "1.5", "many", "5000000000"] {
        let output = segue().args(["demo", "x", "--customers", bad]).output().expect("runs");
        assert_eq!(output.status.code(), Some(2), "{bad}");
    }
}

#[cfg(unix)]
#[test]
fn an_interrupted_demo_leaves_nothing() {
    use std::process::{Command, Stdio};
    let folder = tempfile::tempdir().expect("folder");
    let mut child = segue()
        .current_dir(folder.path())
        .args(["demo", "big", "--customers", "100_000", "--days", "400"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    // Long enough to be at work, far too short to be done.
    std::thread::sleep(std::time::Duration::from_millis(1500));
    let told = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
    assert!(told.success() && child.try_wait().expect("waits").is_none(), "still at work");
    let output = child.wait_with_output().expect("ends");
    assert_eq!(output.status.code(), Some(130));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "error: interrupted; nothing is left half done\n");
    assert_eq!(std::fs::read_dir(folder.path()).expect("folder").count(), 0);
}
