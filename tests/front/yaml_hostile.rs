//! Texts that are made to hurt: each gives findings, quickly, and never a panic.

use segue::language::catalog::load;
use segue::language::diagnostic::Diagnostic;
use segue::language::source::Sources;

fn both(text: &str) -> Vec<Vec<String>> {
    let show = |found: Vec<Diagnostic>| found.iter().map(|d| d.code.to_string()).collect::<Vec<_>>();
    let mut sources = Sources::default();
    let id = sources.add("x.yaml", text);
    let project = load::project(sources.get(id).expect("added")).1;
    let catalog = load::catalog(&mut sources, id).1;
    for d in project.iter().chain(&catalog) {
        let file = sources.get(d.primary.span.source).expect("a source");
        let range = d.primary.span.range();
        assert!(range.start <= range.end && file.text.get(range).is_some(), "a span inside the text: {d:?}");
    }
    vec![show(project), show(catalog)]
}

#[track_caller]
fn only(text: &str, code: &str) {
    for found in both(text) {
        assert_eq!(found, [code], "{}", text.chars().take(80).collect::<String>());
    }
}

#[test]
fn nothing_at_all() {
    for text in ["", " ", "\n\n", "# only a comment\n", "\u{feff}", "---\n", "~\n"] {
        only(text, "E0205");
    }
}

#[test]
fn deep_nesting() {
    for text in ["[".repeat(100_000), "{a: ".repeat(100_000), "- ".repeat(100_000), "? ".repeat(100_000)] {
        only(&text, "E0203");
    }
    let mut stairs = String::new();
    for depth in 0..2_000 {
        stairs.push_str(&" ".repeat(depth));
        stairs.push_str("a:\n");
    }
    only(&stairs, "E0203");
    let nested = format!("taxonomies: {{t: {}a{}}}", "[{x: ".repeat(20), "}]".repeat(20));
    assert!(!both(&nested).is_empty());
}

#[test]
fn bombs() {
    let mut bomb = String::from("a: &a [x, x, x, x, x, x, x, x, x]\n");
    for (i, pair) in ["ab", "bc", "cd", "de", "ef", "fg", "gh", "hi"].iter().enumerate() {
        let (from, to) = pair.split_at(1);
        assert!(i < 8);
        bomb.push_str(&format!(
            "{to}: &{to} [*{from}, *{from}, *{from}, *{from}, *{from}, *{from}, *{from}, *{from}]\n"
        ));
    }
    for found in both(&bomb) {
        assert!(found.iter().all(|c| c == "E0202" || c == "E0207" || c == "E0208"), "{found:?}");
        assert!(found.iter().filter(|c| *c == "E0202").count() >= 9, "{found:?}");
    }
    // An anchor that holds itself.
    for found in both("sources: &s {a: *s}\n") {
        assert!(found.iter().filter(|c| *c == "E0202").count() == 2, "{found:?}");
    }
    for found in both("sources: {a: !!binary x, <<: {b: 1}}\n") {
        assert!(found.contains(&"E0202".to_owned()), "{found:?}");
    }
    only("%YAML 1.2\n---\nsources: {}\n", "E0202");
    only(&format!("offers: [{}]", "a,".repeat(200_000)), "E0203");
    only(&"x".repeat(9 << 20), "E0203");
}

#[test]
fn a_second_document() {
    only("sources: {}\n---\nsources: {}\n", "E0202");
}

#[test]
fn every_direction_control() {
    let controls = "\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}";
    assert_eq!(controls.chars().count(), 12);
    for c in controls.chars() {
        for text in [format!("# {c}\noffers: []\n"), format!("offers: [\"a{c}b\"]\n"), format!("offers: [a{c}b]\n")] {
            let found = both(&text).pop().expect("two");
            assert_eq!(found, ["E0204"], "U+{:04X}", u32::from(c));
        }
    }
    let all = both(&format!("offers: [a{controls}]\n")).pop().expect("two");
    assert_eq!(all.len(), 12);
}

#[test]
fn malformed() {
    for text in [
        "a:\n\tb: 1\n",
        "sources: {a: 1\n",
        "sources: [a, b\n",
        "sources: \"never closed\n",
        "sources: 'never closed\n",
        "a: b: c\n",
        "a: \"\\q\"\n",
        "a: @x\n",
        "]\n",
        "a: 1\n b: 2\n",
        "a: |\n\tx\n",
        "sources: {a: [}\n",
    ] {
        only(text, "E0201");
    }
}

#[test]
fn odd_bytes_and_line_ends() {
    for text in [
        "\0",
        "a\0b: 1",
        "sources: \u{1}\n",
        "\u{feff}offers: []\n",
        "offers: []\r\n",
        "a: \u{2028}\u{2029}\u{85}\n",
        "? [a, b]\n: c\n",
        "{}: {}\n",
        "&a",
        "*a",
        "!",
        "- - - -",
        ": :",
        "?",
        "!!str",
        "|",
        ">",
        "\"",
        "{",
        "}",
        "[}",
        "---\n---",
        "...",
        "a: &",
        "a: *",
    ] {
        both(text);
    }
    assert_eq!(both("\u{feff}offers: [a]\r\n").pop().expect("two"), Vec::<String>::new());
}

/// Whatever is cut out of, doubled in or put into a good file, the reader answers. `SEGUE_SEED` and `SEGUE_CASES` try others.
#[test]
fn mutations() {
    let good = include_str!("../../examples/cosmetics/catalog.yaml");
    let setting = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seed = setting("SEGUE_SEED").unwrap_or(1);
    println!("SEGUE_SEED={seed}");
    let mut state = 0x9e37_79b9_7f4a_7c15_u64 ^ (seed << 7);
    let mut next = |n: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % (n as u64)).expect("small")
    };
    let pieces = [
        "[", "]", "{", "}", ":", "- ", "\n", "\t", "\"", "'", "&a ", "*a", "!x ", "|", ">", "#", "null", "\u{202e}",
        "é", "? ",
    ];
    for _ in 0..setting("SEGUE_CASES").unwrap_or(150) {
        let mut text: Vec<char> = good.chars().collect();
        for _ in 0..=next(3) {
            let (at, n) = (next(text.len()), next(30));
            let end = (at + n).min(text.len());
            match next(3) {
                0 => drop(text.drain(at..end)),
                1 => drop(text.splice(at..at, pieces.get(next(pieces.len())).copied().unwrap_or("").chars())),
                _ => {
                    let copy: Vec<char> = text.get(at..end).map(<[char]>::to_vec).unwrap_or_default();
                    drop(text.splice(at..at, copy));
                }
            }
        }
        both(&text.into_iter().collect::<String>());
    }
}
