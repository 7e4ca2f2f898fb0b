//! The shape of the tree, as a test: who may import whom, who may know which library, who may print.

use std::path::{Path, PathBuf};

use crate::support::{files, root};

/// Rooms from the bottom up: each may import itself and what stands above it in this list, never what stands below.
const ORDER: &[&str] = &[
    "error",
    "language::source",
    "language::diagnostic",
    "language::num",
    "language::text",
    "language::sample",
    "language::yaml",
    "language::syntax",
    "language::catalog",
    "language::ir",
    "language::calendar",
    "language::check",
    "language::format",
    "language::interpret",
    "language::spec",
    "project",
    "engine",
    "audience",
    "insight",
    "cli",
];

/// Libraries that only some files may name: the words that give them away, and where they may stand.
const LIBRARIES: &[(&[&str], &[&str])] = &[
    (&["pest::", "pest_derive", "use pest"], &["language/syntax/"]),
    (&["serde_yaml"], &["language/yaml/", "language/catalog/load", "language/spec/"]),
    (&["datafusion::", "arrow::", "parquet::", "object_store::"], &["engine/", "audience/"]),
    (&["miette::"], &["language/diagnostic/render/"]),
    (&["clap::", "comfy_table::", "indicatif::", "anstream::"], &["cli/"]),
    (&["println!", "print!(", "dbg!(", "io::stdout", "io::stderr"], &["cli/"]),
    (&["SystemTime::now", "Timestamp::now", "Zoned::now"], &["cli/"]),
];

/// No file of the sources is longer.
const MAX_LINES: usize = 600;

fn sources() -> Vec<(String, String)> {
    let src = root().join("src");
    let read = |path: PathBuf| {
        let name = path.strip_prefix(&src).expect("below src").to_string_lossy().replace('\\', "/");
        (name, std::fs::read_to_string(&path).expect("text"))
    };
    files(&src, "rs").into_iter().map(read).collect()
}

/// The code of a file without comments and without the unit tests at its foot.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .take_while(|(_, line)| line.trim() != "#[cfg(test)]")
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .map(|(i, line)| (i + 1, line))
}

/// `language/check/mod.rs` is the module `language::check`.
fn module(name: &str) -> Vec<String> {
    let stem = name.trim_end_matches(".rs");
    let mut parts: Vec<String> = stem.split('/').map(str::to_owned).collect();
    if parts.last().is_some_and(|p| p == "mod" || p == "lib" || p == "main") {
        parts.pop();
    }
    parts
}

/// The room that a module path lies in, as an index of [`ORDER`].
fn room(path: &[String]) -> Option<usize> {
    let joined = path.join("::");
    ORDER.iter().position(|room| joined == *room || joined.starts_with(&format!("{room}::")))
}

/// All module paths that one line names through `crate::` or `super::`.
fn imports(line: &str, here: &[String]) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    for (at, _) in line.match_indices("crate::").chain(line.match_indices("super::")) {
        let before = line.get(..at).unwrap_or("");
        if before.ends_with("::") || before.chars().next_back().is_some_and(is_word) || before.ends_with('$') {
            continue;
        }
        let mut rest = line.get(at..).unwrap_or("");
        let mut base = here.to_vec();
        if let Some(after) = rest.strip_prefix("crate::") {
            (base, rest) = (Vec::new(), after);
        }
        while let Some(after) = rest.strip_prefix("super::") {
            base.pop();
            rest = after;
        }
        expand(base, rest, &mut found);
    }
    found
}

/// `a::{b, c::d}` below a base names two paths.
fn expand(mut base: Vec<String>, text: &str, found: &mut Vec<Vec<String>>) {
    let mut rest = text.trim_start();
    loop {
        if let Some(group) = rest.strip_prefix('{') {
            let (mut depth, mut start) = (0, 0);
            for (i, c) in group.char_indices() {
                match c {
                    '{' => depth += 1,
                    ',' | '}' if depth == 0 => {
                        expand(base.clone(), group.get(start..i).unwrap_or(""), found);
                        start = i + 1;
                        if c == '}' {
                            return;
                        }
                    }
                    '}' => depth -= 1,
                    _ => {}
                }
            }
            return;
        }
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        if !word.is_empty() {
            base.push(word.to_owned());
        }
        match after.strip_prefix("::") {
            Some(more) if !word.is_empty() => rest = more,
            _ => break,
        }
    }
    found.push(base);
}

#[test]
fn imports_go_one_way() {
    let mut wrong = Vec::new();
    for (name, text) in sources() {
        let here = module(&name);
        let Some(mine) = room(&here) else { continue };
        // A `use` may run over several lines.
        let joined: Vec<(usize, &str)> = code(&text).collect();
        let mut at = 0;
        while let Some(&(line, first)) = joined.get(at) {
            let mut statement = first.to_owned();
            at += 1;
            let opens = |s: &str| s.matches('{').count() > s.matches('}').count();
            if first.trim_start().starts_with("use ") || first.trim_start().starts_with("pub use ") {
                while opens(&statement) {
                    let Some(&(_, next)) = joined.get(at) else { break };
                    statement.push_str(next.trim());
                    at += 1;
                }
            }
            for path in imports(&statement, &here) {
                if room(&path).is_some_and(|theirs| theirs > mine) {
                    wrong.push(format!("src/{name}:{line}: {} may not know {}", here.join("::"), path.join("::")));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "imports against the order:\n{}", wrong.join("\n"));
}

#[test]
fn every_room_has_its_place_in_the_order() {
    for (name, _) in sources() {
        let path = module(&name);
        let wing = path.is_empty() || path == ["language"];
        assert!(wing || room(&path).is_some(), "src/{name} is in no room of the order");
    }
}

#[test]
fn libraries_stay_in_their_rooms() {
    let mut wrong = Vec::new();
    for (name, text) in sources() {
        for (words, allowed) in LIBRARIES {
            if allowed.iter().any(|place| name.starts_with(place)) {
                continue;
            }
            for (line, code) in code(&text) {
                if let Some(word) = words.iter().find(|word| code.contains(**word)) {
                    wrong.push(format!("src/{name}:{line}: `{word}` belongs in {}", allowed.join(" or ")));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "out of place:\n{}", wrong.join("\n"));
}

#[test]
fn features_are_named_in_few_places() {
    for (name, text) in sources() {
        if name == "lib.rs" || name.starts_with("cli/") {
            continue;
        }
        for (line, code) in code(&text) {
            assert!(
                !code.contains("cfg(feature") || code.contains("cloud"),
                "src/{name}:{line}: features belong to lib.rs and cli"
            );
        }
    }
}

#[test]
fn every_module_says_what_it_is() {
    for (name, text) in sources() {
        assert!(text.starts_with("//!"), "src/{name} begins without a module header");
    }
}

#[test]
fn files_stay_readable() {
    let long: Vec<String> = sources()
        .into_iter()
        .filter(|(_, text)| text.lines().count() > MAX_LINES)
        .map(|(name, text)| format!("src/{name}: {} lines", text.lines().count()))
        .collect();
    assert!(long.is_empty(), "longer than {MAX_LINES} lines:\n{}", long.join("\n"));
}

#[test]
fn nothing_is_left_undone() {
    for (name, text) in sources() {
        for (i, line) in text.lines().enumerate() {
            for word in ["todo!", "unimplemented!", "TODO", "FIXME", "#[ignore", "unsafe "] {
                let doubtful = line.contains(word) && !line.trim_start().starts_with("//");
                assert!(!doubtful, "src/{name}:{}: {word}", i + 1);
            }
        }
    }
}

#[test]
fn every_test_file_runs() {
    let tests = root().join("tests");
    for path in files(&tests, "rs") {
        let name = path.strip_prefix(&tests).expect("below tests").to_string_lossy().into_owned();
        let stem = path.file_stem().expect("named").to_string_lossy().into_owned();
        let folder = path.parent().expect("in a folder");
        // A target of its own, such as a benchmark.
        let manifest = std::fs::read_to_string(root().join("Cargo.toml")).expect("a manifest");
        if stem == "main" || manifest.contains(&format!("path = \"tests/{name}\"")) {
            continue;
        }
        let parent = if stem == "mod" { folder.parent().expect("in tests") } else { folder };
        let module =
            if stem == "mod" { folder.file_name().expect("named").to_string_lossy().into_owned() } else { stem };
        let runner = |file: &str| std::fs::read_to_string(parent.join(file)).unwrap_or_default();
        let above = parent.with_extension("rs");
        let text = runner("main.rs") + &runner("mod.rs") + &std::fs::read_to_string(above).unwrap_or_default();
        let included =
            text.lines().any(|l| l.trim() == format!("mod {module};") || l.trim() == format!("pub mod {module};"));
        assert!(included || by_path(parent, &name), "tests/{name} is in no runner");
    }
}

/// Included by `#[path = "…"]` from the other runner.
fn by_path(folder: &Path, name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name);
    files(folder.parent().unwrap_or(folder), "rs")
        .iter()
        .any(|p| std::fs::read_to_string(p).unwrap_or_default().contains(&format!("/{file}\"]")))
}

#[test]
fn the_import_reader_reads() {
    let here = vec!["language".to_owned(), "check".to_owned(), "types".to_owned()];
    let paths = |line| imports(line, &here).into_iter().map(|p| p.join("::")).collect::<Vec<_>>();
    assert_eq!(paths("use crate::language::{ir, syntax::ast};"), ["language::ir", "language::syntax::ast"]);
    assert_eq!(paths("use super::super::catalog::Catalog;"), ["language::catalog::Catalog"]);
    assert_eq!(paths("    let x = crate::engine::run(y);"), ["engine::run"]);
    assert!(paths("$crate::engine").is_empty());
}
