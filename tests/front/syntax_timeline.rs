//! Timelines of specs, and conditions that stand alone.

use segue::language::syntax::{self, dump};

use crate::syntax_support::source;

#[test]
fn timelines() {
    for (text, tree) in [
        ("nothing", ""),
        ("", ""),
        ("purchased 80d ago", "(entry purchased ago:80Dayx1)\n"),
        (
            "purchased anti-aging 80d ago, 50d ago x3; open at 2026-11-01T10:00; nothing",
            "(entry purchased anti-aging ago:80Dayx1 ago:50Dayx3)\n(entry open at:2026-11-01T10:00:00.000000x1)\n",
        ),
        ("open 2026-11-01, on 2026-11-02 x2;", "(entry open at:2026-11-01x1 at:2026-11-02x2)\n"),
        (
            "purchased \"New York\" where (category = x and amount = 20.5) 2 weeks ago",
            "(entry purchased \"New York\" category=x amount=20.5 ago:2Weekx1)\n",
        ),
    ] {
        let (entries, said) = syntax::parse_timeline(&source(text));
        assert_eq!(said, [], "{text}");
        assert_eq!(dump::timeline(&entries), tree, "{text}");
    }
}

#[test]
fn broken_timelines() {
    for (text, code, place) in [
        ("purchased", "E0601", ""),
        ("purchased 80d", "E0601", ""),
        ("purchased 80d ago open 3d ago", "E0601", "open"),
        ("purchased 2026-02-30", "E0110", "2026-02-30"),
        ("purchased 3m ago", "E0109", "3m"),
        ("purchased (3d ago", "E0104", "("),
        ("purchased where (amount > 3) 3d ago", "E0601", "amount > 3"),
    ] {
        let file = source(text);
        let (_, said) = syntax::parse_timeline(&file);
        let short: Vec<_> = said.iter().map(|d| (d.code.as_str(), file.slice(d.primary.span))).collect();
        assert_eq!(short, [(code, place)], "{text}");
    }
}

#[test]
fn one_condition() {
    for (text, tree) in [
        ("not machine", "(not machine)"),
        ("quantity > 0 and category in (a, b)", "(and (quantity Gt 0) (category (in a b)))"),
    ] {
        let (expr, said) = syntax::parse_condition(&source(text));
        assert_eq!(said, [], "{text}");
        assert_eq!(dump::expr(&expr), tree);
    }
    for (text, code, place) in [
        ("", "E0101", ""),
        ("quantity >", "E0101", ""),
        ("a → offer", "E0101", "→"),
        ("segment x: a", "E0101", ":"),
        ("a segment x: b", "E0101", "segment x: b"),
        ("(a", "E0104", "("),
    ] {
        let file = source(text);
        let (expr, said) = syntax::parse_condition(&file);
        assert_eq!(dump::expr(&expr), "(?)");
        let short: Vec<_> = said.iter().map(|d| (d.code.as_str(), file.slice(d.primary.span))).collect();
        assert_eq!(short, [(code, place)], "{text}");
    }
}
