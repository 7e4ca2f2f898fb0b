//! Every diagnostic code has its page and a test that names it.

use std::collections::BTreeMap;

use segue::language::diagnostic::code;

use crate::support::{files, root, segue};

/// Where a test may name a code: test files, the unit tests of the sources, the language reference.
fn test_texts() -> String {
    let mut texts = String::new();
    for path in files(&root().join("tests"), "rs") {
        if path.file_name().is_none_or(|n| n != "codes.rs") {
            texts.push_str(&std::fs::read_to_string(path).expect("text"));
        }
    }
    for extension in ["txt", "seg", "yaml", "snap", "md"] {
        for path in files(&root().join("tests"), extension) {
            texts.push_str(&std::fs::read_to_string(path).unwrap_or_default());
        }
    }
    for path in files(&root().join("src"), "rs") {
        let text = std::fs::read_to_string(path).expect("text");
        texts.push_str(text.split_once("#[cfg(test)]").map_or("", |(_, tests)| tests));
    }
    texts + &std::fs::read_to_string(root().join("grammar/README.md")).unwrap_or_default()
}

/// The constant of each code, as tests may spell it.
fn constants() -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(root().join("src/language/diagnostic/code.rs")).expect("text");
    let mut found = BTreeMap::new();
    for line in text.lines() {
        if let Some((name, rest)) = line.trim().split_once(" = \"")
            && let Some((code, _)) = rest.split_once('"')
        {
            found.insert(code.to_owned(), name.to_owned());
        }
    }
    found
}

#[test]
fn every_code_has_a_page() {
    let mut missing = Vec::new();
    for code in code::all() {
        let path = root().join(format!("grammar/codes/{code}.md"));
        match std::fs::read_to_string(&path) {
            Ok(page) if page.starts_with(&format!("# {code}: ")) => {}
            Ok(_) => missing.push(format!("{code}: its page does not begin with `# {code}: `")),
            Err(_) => missing.push(format!("{code}: no page")),
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn every_page_has_a_code() {
    for path in files(&root().join("grammar/codes"), "md") {
        let stem = path.file_stem().expect("named").to_string_lossy().into_owned();
        assert!(code::Code::parse(&stem).is_some(), "grammar/codes/{stem}.md explains no code");
    }
}

#[test]
fn every_code_is_tested() {
    let (texts, constants) = (test_texts(), constants());
    let named = |code: &code::Code| {
        texts.contains(code.as_str())
            || constants.get(code.as_str()).is_some_and(|name| texts.contains(&format!("::{name}")))
    };
    let missing: Vec<String> = code::all().filter(|c| !named(c)).map(|c| c.to_string()).collect();
    assert!(missing.is_empty(), "no test names {}", missing.join(", "));
}

#[test]
fn codes_are_unique_and_well_formed() {
    let mut seen = std::collections::BTreeSet::new();
    for code in code::all() {
        let text = code.as_str();
        assert!(seen.insert(text), "{text} twice");
        let well_formed = text.len() == 5
            && matches!(text.as_bytes().first(), Some(b'E' | b'W'))
            && text.bytes().skip(1).all(|b| b.is_ascii_digit());
        assert!(well_formed, "{text}");
    }
}

#[test]
fn explain_shows_every_page() {
    let output = segue().arg("explain").output().expect("runs");
    let list = String::from_utf8_lossy(&output.stdout).into_owned();
    for code in code::all() {
        assert!(list.contains(code.as_str()), "`segue explain` does not list {code}");
    }
}
