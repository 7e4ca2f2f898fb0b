//! Texts that nobody writes by accident: any bytes, deep nesting, characters that can't be seen, names that look alike.

use segue::language::diagnostic::code::syntax as codes;
use segue::language::syntax::{self, ast::Item, dump};

use crate::support::{files, root};
use crate::syntax_support::{CORPUS, Dice, check_places, check_promises, parse, rounds, seed, source};

/// All `.seg` texts of the tree.
pub fn tree() -> Vec<String> {
    files(&root(), "seg").iter().filter_map(|p| std::fs::read_to_string(p).ok()).collect()
}

#[test]
fn promises_hold_for_every_file_of_the_tree() {
    tree().iter().map(String::as_str).chain(CORPUS.iter().copied()).for_each(check_promises);
}

#[test]
fn any_text_is_answered() {
    const SNIPPETS: &[&str] = &[
        " ",
        "\n",
        "#",
        "\"",
        "(",
        ")",
        "→",
        "->",
        "=>",
        "≥ 3",
        "in 90d",
        "and",
        "or",
        "not",
        "no",
        "segment x:",
        "trait",
        ":",
        ",",
        ";",
        "é",
        "\u{202E}",
        "\u{0}",
        "\r",
        "between",
        "where (",
        "of",
        "count(",
        "“",
        "'",
        "3m",
        "2026-02-30",
        "90 day",
        "1,000",
        "-",
        "%",
        ".",
        "last",
        "→ a 45%: x",
        "within 7d",
        "then",
        "\u{FEFF}",
        "數",
        "a.b",
        "\\",
        "|",
        "&&",
        "!",
        "=",
        "x3",
        "20 %",
        "priority 3",
        "IN",
        "AND",
        "\t",
    ];
    let mut dice = Dice(seed("any_text_is_answered"));
    let tree = tree();
    let mut corpus: Vec<&str> = CORPUS.to_vec();
    corpus.extend(tree.iter().map(String::as_str));
    for _ in 0..rounds(600) {
        let mut text: Vec<char> = dice.pick(&corpus).chars().take(1500).collect();
        for _ in 0..=dice.below(6) {
            let at = dice.below(text.len() + 1);
            match dice.below(5) {
                0 => {
                    text.splice(at..at, dice.pick(SNIPPETS).chars());
                }
                1 => {
                    let end = (at + dice.below(8)).min(text.len());
                    text.drain(at..end);
                }
                2 => {
                    let other: Vec<char> = dice.pick(&corpus).chars().collect();
                    let from = dice.below(other.len());
                    let to = (from + dice.below(40)).min(other.len());
                    text.splice(at..at, other[from..to].iter().copied());
                }
                3 => text.truncate(at),
                _ => {
                    if let Some(c) = char::from_u32(dice.below(0x3000) as u32) {
                        text.insert(at, c);
                    }
                }
            }
        }
        let text: String = text.into_iter().collect();
        check_promises(&text);
        let file = source(&text);
        check_places(&text, &syntax::parse_condition(&file).1);
        check_places(&text, &syntax::parse_timeline(&file).1);
    }
}

#[test]
fn nesting_is_bounded() {
    let deep = |n: usize| format!("{}purchased{}", "(".repeat(n), ")".repeat(n));
    check_promises(&deep(64));
    for text in [
        deep(65),
        deep(100_000),
        "(".repeat(100_000),
        format!("{}purchased", "not ".repeat(100_000)),
        format!("{}purchased", "!".repeat(100_000)),
        format!("{}a{}", "not (".repeat(50_000), ")".repeat(50_000)),
        format!("{}a{}", "x where (".repeat(50_000), ")".repeat(50_000)),
        format!("{}a{}", "a > (".repeat(50_000), ")".repeat(50_000)),
        format!("{}a{}", "quintile(".repeat(50_000), ")".repeat(50_000)),
        format!("a > {}", "1 + ".repeat(100_000) + "1"),
        format!("{}a{} > 3", "(".repeat(60), " * 2 - 1)".repeat(60)),
    ] {
        let (_, parsed) = parse(&text);
        assert_eq!(parsed.diagnostics.len(), 1, "{:?}", parsed.diagnostics);
        assert_eq!(parsed.diagnostics[0].code, codes::TOO_DEEP);
    }
    // What repeats without parentheses does not nest.
    for (unit, end) in [
        ("a then ", "b"),
        ("a where ", "b"),
        ("a and ", "b"),
        ("a or ", "b"),
        ("a without ", "b"),
        ("no ", "b"),
        ("a ≥ ", "3"),
        ("a in ", "b"),
        ("days since last ", "b"),
        ("≥ 3 ", "a"),
        ("→ ", "a"),
        ("segment ", "x: y"),
        ("in any 3d ", "b"),
        ("a not ", "b"),
        ("a.", "b"),
        ("a between ", "b"),
        ("sum ", "a"),
        ("\"", ""),
        ("segment a: b ", ""),
    ] {
        let t = std::time::Instant::now();
        check_promises(&format!("{}{end}", unit.repeat(3000)));
        eprintln!("{unit:?} {:?}", t.elapsed());
    }
    // On a stack as large as the main thread's: unoptimised frames are large.
    let deepest = std::thread::Builder::new().stack_size(8 << 20).spawn(what_is_just_not_too_deep).expect("a thread");
    assert!(deepest.join().is_ok());
    let (_, parsed) = parse(&format!("segment a: {}\nsegment b: purchased", deep(100)));
    assert!(matches!(parsed.file.items[..], [Item::Error { .. }, Item::Segment(_)]));
}

fn what_is_just_not_too_deep() {
    let within = std::time::Instant::now();
    for text in [
        format!("{}a{} > 3", "(".repeat(64), " + 1)".repeat(64)),
        format!("a > {}1{}", "2 * (".repeat(63), ")".repeat(63)),
        format!("{}a{} = 1", "quintile(".repeat(60), ")".repeat(60)),
        format!("a > {}", "1 + ".repeat(120) + "1"),
        format!("{}a{}", "(a then b where (".repeat(32), ") within 3d)".repeat(32)),
        format!("{}a{}", "a ≥ 3 of same b without c where (".repeat(64), ")".repeat(64)),
        format!("{}a{}", "in one session (b and ".repeat(64), ") in 3d".repeat(64)),
        format!("{}a{}", "in any 3d (not (".repeat(21), "))".repeat(21)),
        format!("top 10% by {}a{} among b", "(1 - ".repeat(60), ")".repeat(60)),
        format!("stages x: {}a{} → y", "(b or ".repeat(64), ")".repeat(64)),
    ] {
        assert_eq!(parse(&text).1.diagnostics, [], "{text}");
        check_promises(&text);
        // Broken at the end, where every choice has been tried.
        check_promises(&format!("{text} ≥ ≥"));
        check_promises(&text.replacen(')', "", 1));
    }
    assert!(within.elapsed().as_secs() < 200, "{:?}", within.elapsed());
}

#[test]
fn unseen_characters_are_reported_wherever_they_stand() {
    let bidi = [
        '\u{061C}', '\u{200E}', '\u{200F}', '\u{202A}', '\u{202B}', '\u{202C}', '\u{202D}', '\u{202E}', '\u{2066}',
        '\u{2067}', '\u{2068}', '\u{2069}',
    ];
    for c in bidi.into_iter().chain(['\0', '\u{1B}', '\u{7F}', '\u{85}', '\u{200B}', '\u{2060}', '\u{2028}']) {
        for text in [
            format!("segment a: purchased{c} in 90d\nsegment b: open"),
            format!("# a {c} comment\nsegment a: purchased\nsegment b: open"),
            format!("segment a \"Ti{c}tle\": purchased\nsegment b: open"),
            format!("segment a{c}: purchased\nsegment b: open"),
            format!("segment a: pur{c}chased\nsegment b: open"),
        ] {
            let (_, parsed) = parse(&text);
            let found: Vec<_> = parsed.diagnostics.iter().filter(|d| d.code == codes::HIDDEN_CHARACTER).collect();
            assert_eq!(found.len(), 1, "{text:?} {:?}", parsed.diagnostics);
            assert_eq!(text.get(found[0].primary.span.range()), Some(c.to_string().as_str()));
            assert!(found[0].message.contains(&format!("U+{:04X}", u32::from(c))));
            assert!(dump::file(&parsed.file).contains("(segment b open)"), "{text:?}");
            check_promises(&text);
        }
    }
    let (_, parsed) = parse(&"\u{202E}".repeat(10_000));
    assert!(parsed.diagnostics.len() <= 60);
    for text in
        ["purchased\r\nand open\r\n", "\u{FEFF}purchased", "purchased \"👩\u{200D}🚀\"", "purchased\u{A0}in\u{A0}90d"]
    {
        let (_, parsed) = parse(text);
        assert_eq!(parsed.diagnostics, [], "{text:?}");
    }
    let (_, parsed) = parse("purchased\rand open");
    assert_eq!(parsed.diagnostics[0].code, codes::HIDDEN_CHARACTER);
}

#[test]
fn letters_of_two_scripts_are_reported() {
    // The second letter is Cyrillic.
    let (_, parsed) = parse("segment p\u{430}ypal: purchased");
    assert_eq!(parsed.diagnostics.len(), 1);
    assert_eq!(parsed.diagnostics[0].code, codes::MIXED_SCRIPTS);
    assert!(parsed.diagnostics[0].primary.text.contains("paypal"));
    for name in ["покупка", "anti-âge", "顧客リスト", "高い人", "Ελλάδα", "vip顧客", "größe_2", "고객", "ग्राहक"]
    {
        let (_, parsed) = parse(&format!("segment {name}: purchased"));
        assert_eq!(parsed.diagnostics, [], "{name}");
    }
    assert_eq!(syntax::skeleton("p\u{430}ypal"), syntax::skeleton("paypal"));
    assert_ne!(syntax::skeleton("open"), syntax::skeleton("opened"));
}

#[test]
fn names_are_compared_in_composed_form() {
    let (_, parsed) = parse("segment anti-a\u{302}ge: purchased \"e\u{301}\"");
    let Item::Segment(s) = &parsed.file.items[0] else { panic!("{parsed:?}") };
    assert_eq!(s.name.text, "anti-âge");
    assert!(dump::file(&parsed.file).contains("\"é\""));
}

#[test]
fn one_broken_declaration_hides_nothing() {
    let text = "segment a: purchased in in 90d\nsegment b: purchased ≥\ntrait c: sum(amount of purchased\n\nsegment d: open\ncampaign e: \"x → offer\nsegment f: sent )\nsegment g: open and\n";
    let (source, parsed) = parse(text);
    let tree = dump::file(&parsed.file);
    assert_eq!(tree, "(error a)\n(error b)\n(error c)\n(segment d open)\n(error e)\n(error f)\n(error g)\n");
    let said: Vec<_> = parsed
        .diagnostics
        .iter()
        .map(|d| (d.code.as_str(), source.line_column(d.primary.span.start as usize)))
        .collect();
    assert_eq!(
        said,
        [
            ("E0101", (1, 25)),
            ("E0101", (2, 23)),
            ("E0104", (3, 13)),
            ("E0103", (6, 13)),
            ("E0104", (7, 17)),
            ("E0101", (8, 20)),
        ]
    );
    // Two mistakes in one condition are two diagnostics.
    let (_, parsed) = parse("segment a: purchased in in 90d and open @ and x ≥ 3 times");
    assert_eq!(parsed.diagnostics.len(), 3, "{:?}", parsed.diagnostics);
}
