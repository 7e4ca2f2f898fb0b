//! The canonical layout.

use segue::language::format::FormatError;

use crate::syntax_support::fmt;

#[test]
fn layout() {
    let long = "purchased (aaaaaaaaaaaaaaaaaaaa or bbbbbbbbbbbbbbbbbbbbbbb or cccccccccccccccccccc or ddddddddddddddd or eeeeeeeeeeeee) in 3d";
    let mut wrong = String::new();
    for (text, expected) in [
        ("", ""),
        ("\n\n# a\n\n\n\n#b\n", "# a\n\n# b\n"),
        (
            "purchased anti-aging >=3 in 90 days and   no open in the last 30 days -> offer",
            "purchased anti-aging ≥ 3 in 90d and no open in 30d → offer\n",
        ),
        ("a at least 3 and b exactly twice and c!=1", "a ≥ 3 and b = 2 and c ≠ 1\n"),
        ("a\nand b", "a\nand b\n"),
        ("a and\nb but c", "a\nand b\nbut c\n"),
        ("a\nor b and c", "a\nor b and c\n"),
        ("a or b\nand c", "a\nor b\n  and c\n"),
        ("segment x : a", "segment x: a\n"),
        ("segment x \"T\":\na and b", "segment x \"T\":\n  a and b\n"),
        ("segment x: a\nand b", "segment x:\n  a\n  and b\n"),
        ("campaign x: a\n-> offer b by c", "campaign x:\n  a\n  → offer b by c\n"),
        ("trait a: x\ntrait b: y\n\n\ntrait c: z", "trait a: x\ntrait b: y\n\ntrait c: z\n"),
        ("trait a: x\nsegment b:\ny\ntrait c: z", "trait a: x\n\nsegment b:\n  y\n\ntrait c: z\n"),
        (
            "# d\nsegment b:\n# inside\ny # behind\nand z\n# for c\ntrait c: z",
            "# d\nsegment b:\n  # inside\n  y  # behind\n  and z\n\n# for c\ntrait c: z\n",
        ),
        ("a and (b\nor c)", "a\nand (\n  b\n  or c\n)\n"),
        ("a where ( x=1 ) and sum( y  of b ) > -1", "a where (x = 1) and sum(y of b) > -1\n"),
        ("not  ( a ) or not not b", "not (a) or not not b\n"),
        (
            long,
            "purchased (aaaaaaaaaaaaaaaaaaaa or bbbbbbbbbbbbbbbbbbbbbbb or cccccccccccccccccccc or\n    ddddddddddddddd or eeeeeeeeeeeee) in 3d\n",
        ),
        ("a in (b ,\"c d\",) # last", "a in (b, \"c d\")  # last\n"),
        ("a # one\nin # two\n3d # three\nand b", "a  # one\n    in 3d  # two\n# three\nand b\n"),
        ("\u{FEFF}a\r\nand b\r\n", "a\r\nand b\r\n"),
        ("segment se\u{301}: a\n", "segment sé: a\n"),
        ("a on at least 3 days between 30 and 60 days ago", "a on ≥ 3 days between 30d and 60d ago\n"),
    ] {
        let got = fmt(text, false).expect(text);
        if got != expected {
            wrong += &format!("{text:?}\n  is       {got:?}\n  expected {expected:?}\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn ascii_style() {
    let text = "a ≥ 3 and b ≤ 3 and c ≠ 3 → offer";
    assert_eq!(fmt(text, true).as_deref(), Ok("a >= 3 and b <= 3 and c != 3 -> offer\n"));
}

#[test]
fn a_line_that_is_too_long_is_broken() {
    let part = "purchased anti-aging ≥ 3 in 90d";
    let text = [part; 4].join(" and ");
    let broken = format!("{}\n", [part; 4].join("\nand "));
    assert_eq!(fmt(&text, false), Ok(broken));
    let got = fmt(&format!("segment x: {text}"), false).expect("formatted");
    assert_eq!(got, format!("segment x:\n  {}\n", [part; 4].join("\n  and ")));
}

#[test]
fn what_is_not_understood_is_not_touched() {
    assert_eq!(fmt("segment x: a in 90 day", false), Err(FormatError::Syntax));
    assert_eq!(fmt("a and", false), Err(FormatError::Syntax));
}
