//! Names, quoting and the keyword sets of the grammar.

use segue::language::syntax::{dump, is_name, quote};

use crate::support::root;
use crate::syntax_support::parse;

#[test]
fn names_and_quoting() {
    for name in ["anti-aging", "_x", "anti-âge", "a1", "segment", "last", "a-1", "NO", "數據"] {
        assert!(is_name(name), "{name}");
    }
    for name in ["", "-a", "a-", "a--b", "7up", "no", "in", "New York", "a.b", "a\u{302}", "é!"] {
        assert!(!is_name(name), "{name}");
    }
    for (text, written) in [
        ("serum", "serum"),
        ("New York", "\"New York\""),
        ("no", "\"no\""),
        ("NO", "NO"),
        ("segment", "\"segment\""),
        ("AND", "\"AND\""),
        ("a\"b\\c", "\"a\\\"b\\\\c\""),
        ("7up", "\"7up\""),
        ("", "\"\""),
    ] {
        assert_eq!(quote(text), written);
    }
    // What is quoted is read back as it was.
    for text in ["serum", "New York", "no", "a\"b\\c", "IN", "times", "last", "7up", "l'été", "a\tb"] {
        let (_, parsed) = parse(&format!("purchased {} in 90d", quote(text)));
        assert_eq!(parsed.diagnostics, [], "{text}");
        let tree = dump::file(&parsed.file);
        assert!(tree.contains(&format!("about:{text} ")) || tree.contains(&format!("about:{text:?} ")), "{tree}");
    }
}

/// In a choice between literal words, no word may stand before a longer one that begins with it.
#[test]
fn keyword_sets_stand_longest_first() {
    let text = std::fs::read_to_string(root().join("grammar/segue.pest")).expect("the grammar");
    let code: String = text.lines().filter(|l| !l.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let mut rule = String::new();
    let mut run: Vec<String> = Vec::new();
    let mut sets = 0;
    // A quotation mark as a word of the grammar would confuse the walk.
    let code = code.replace("\"\\\"\"", "QUOTE").replace("\"\\\\\"", "BACKSLASH");
    let mut rest = code.as_str();
    while let Some(at) = rest.find('"') {
        let (between, after) = (&rest[..at], &rest[at + 1..]);
        if let Some(line) = between.lines().rfind(|l| l.contains(" = ")) {
            rule = line.trim().to_string();
        }
        let end = after.find('"').unwrap_or(after.len());
        let word = after[..end].to_string();
        if between.trim() != "|" {
            run.clear();
        }
        for earlier in &run {
            // A look ahead does not take what it finds.
            let prefix = word.starts_with(earlier.as_str()) && word != *earlier && !rule.contains("_{ &(");
            assert!(!prefix, "`{earlier}` stands before `{word}` in `{rule}`: the longer word is never reached");
        }
        sets += usize::from(run.len() == 1);
        run.push(word);
        rest = &after[(end + 1).min(after.len())..];
    }
    assert!(sets > 20, "only {sets} sets were found");
}

#[test]
fn words_end_where_names_end() {
    for (text, tree) in [
        ("within-store", "(bare within-store)\n"),
        ("no-show in 3d", "(bare (no-show @in:3Day))\n"),
        ("in-store and not-yet", "(bare (and in-store not-yet))\n"),
        ("a->offer", "(bare a (do offer))\n"),
        ("inbound or android", "(bare (or inbound android))\n"),
        ("first in 3d", "(bare (first @in:3Day))\n"),
        ("last = 3", "(bare (last Eq 3))\n"),
        ("days > 3 and sample in 3d and top = a", "(bare (and (days Gt 3) (sample @in:3Day) (top Eq a)))\n"),
        ("open where (campaign = winback)", "(bare (open where:(campaign Eq winback)))\n"),
        ("segment in 30d", "(bare (segment @in:30Day))\n"),
        ("country = NO or state = OR", "(bare (or (country Eq NO) (state Eq OR)))\n"),
        ("x = limit and y = segment", "(bare (and (x Eq limit) (y Eq segment)))\n"),
    ] {
        let (_, parsed) = parse(text);
        assert_eq!(parsed.diagnostics, [], "{text}");
        assert_eq!(dump::file(&parsed.file), tree, "{text}");
    }
}

#[test]
fn hard_words_are_never_names() {
    let hard = "and or but not no never in on at by of as is has then where within without with between over since before ever exactly \
                after contains starts ends matches all per among for from until when otherwise once twice";
    for word in hard.split_whitespace() {
        assert!(!is_name(word), "{word}");
        for text in [format!("segment {word}: a"), format!("a = {word}"), format!("{word} = 3")] {
            assert_ne!(parse(&text).1.diagnostics, [], "{text}");
        }
        // A longer word is another word.
        let longer = format!("{word}x = {word}-y");
        assert!(is_name(&format!("{word}x")));
        assert_eq!(parse(&longer).1.diagnostics, [], "{longer}");
    }
}
