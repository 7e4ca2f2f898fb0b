//! The README shows what the program really prints.

use crate::support::{copy, root, segue, updating};

/// Replaces what follows each `$ …` line of a `console` block by what the command prints.
fn rerun(page: &str) -> (String, usize) {
    let folder = tempfile::tempdir().expect("folder");
    copy(&root().join("examples/cosmetics"), &folder.path().join("examples/cosmetics"));
    let mut out = String::new();
    let mut commands = 0;
    let mut inside = false;
    for line in page.lines() {
        let fence = line.starts_with("```");
        if inside && !fence && !line.starts_with("$ ") {
            continue;
        }
        out.push_str(line);
        out.push('\n');
        if fence {
            inside = line == "```console";
        }
        let Some(command) = line.strip_prefix("$ ").filter(|_| inside) else { continue };
        let arguments =
            command.strip_prefix("cargo run -- ").or(command.strip_prefix("segue ")).expect("a call of segue");
        let output = segue().current_dir(folder.path()).args(words(arguments)).output().expect("runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{command}: {said}");
        out.push_str(&String::from_utf8_lossy(&output.stdout));
        commands += 1;
    }
    (out, commands)
}

/// The words of a command line with single quotes.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            _ => words.last_mut().expect("one").push(c),
        }
    }
    words.retain(|w| !w.is_empty());
    words
}

#[test]
fn the_readme_shows_real_output() {
    let path = root().join("README.md");
    let page = std::fs::read_to_string(&path).expect("the README");
    let (now, commands) = rerun(&page);
    assert!(commands >= 1, "the README begins with a command");
    if updating() {
        std::fs::write(path, now).expect("written");
    } else {
        let diff = similar::TextDiff::from_lines(page.as_str(), now.as_str());
        assert!(page == now, "SEGUE_UPDATE=1 rewrites it:\n{}", diff.unified_diff());
    }
}

#[test]
fn its_links_lead_somewhere() {
    let page = std::fs::read_to_string(root().join("README.md")).expect("the README");
    for (at, _) in page.match_indices("](") {
        let link: String = page[at + 2..].chars().take_while(|c| *c != ')').collect();
        assert!(root().join(&link).exists(), "{link}");
    }
}
