//! What several test files share.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of the checkout.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The segue binary, in the checkout, untouched by the caller's settings.
pub fn segue() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_segue"));
    command.current_dir(root());
    for name in ["SEGUE_PROJECT", "RUST_LOG", "CLICOLOR_FORCE", "CLICOLOR", "NO_COLOR"] {
        command.env_remove(name);
    }
    command
}

/// What a command line does, in one text: arguments, exit code, both streams.
pub fn transcript(arguments: &[&str], input: &str) -> String {
    use std::io::Write as _;
    use std::process::Stdio;
    let mut child = segue()
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("segue starts");
    // A verb that reads nothing may be gone already.
    let _ = child.stdin.take().expect("piped").write_all(input.as_bytes());
    let output = child.wait_with_output().expect("segue ends");
    let mut text = format!("$ segue {}\n", arguments.join(" "));
    let code = output.status.code().map_or("none".to_owned(), |c| c.to_string());
    text.push_str(&format!("exit code: {code}\n"));
    for (name, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
        if !bytes.is_empty() {
            text.push_str(&format!("--- {name}\n{}", String::from_utf8_lossy(bytes)));
            if !text.ends_with('\n') {
                text.push('\n');
            }
        }
    }
    text
}

/// Whether this run rewrites what it would compare (`SEGUE_UPDATE=1`).
pub fn updating() -> bool {
    std::env::var_os("SEGUE_UPDATE").is_some_and(|v| v == "1")
}

/// Compares with a committed text, or writes it.
pub fn snapshot(path: &Path, actual: &str) {
    let path = root().join(path);
    if updating() {
        std::fs::create_dir_all(path.parent().expect("in a folder")).expect("folder");
        std::fs::write(&path, actual).expect("written");
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    if expected != actual {
        let diff = similar::TextDiff::from_lines(expected.as_str(), actual);
        panic!(
            "{} differs (SEGUE_UPDATE=1 rewrites it):\n{}",
            path.display(),
            diff.unified_diff().header("committed", "now")
        );
    }
}

/// All files below a folder with this extension, sorted.
pub fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Copies a folder, for tests that write into it.
#[allow(dead_code)] // used by the other runner
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("folder");
    for entry in std::fs::read_dir(from).expect("folder") {
        let entry = entry.expect("entry");
        // Whoever follows the README has run the example before the tests: what that wrote is no part of it.
        if entry.file_name() == "out" {
            continue;
        }
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("copied");
        }
    }
}
