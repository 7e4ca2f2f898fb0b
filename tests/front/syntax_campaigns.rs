//! Arms, clauses and policies: trees, layout, and what is said to other forms.

use crate::syntax_support::{check_promises, fmt, parse};

/// Every construct of campaigns at once.
const WHOLE: &str = "\
# Customers who buy anti-ageing often and stopped opening our mail.
campaign antiage_winback \"Win back anti-ageing buyers\":
  lapsed_antiage and not vip
  → a 45%: offer serum-15 by email
  → b 45%: offer serum-20 by email
  → hold out 10%
  priority 80
  at most 1 in 30d
  limit 50_000 by spend_12mo
  with last(product of purchased) as favourite, spend_12mo
  goal purchased anti-aging within 14d, value sum(amount)
  every monday at 09:00
  from 2026-10-01 until 2026-12-31
";

#[track_caller]
fn tree(text: &str) -> String {
    let (_, parsed) = parse(text);
    assert!(parsed.diagnostics.is_empty(), "{text}: {:#?}", parsed.diagnostics);
    check_promises(text);
    segue::language::syntax::dump::file(&parsed.file)
}

#[test]
fn a_whole_campaign() {
    let expected = "(campaign antiage_winback title:\"Win back anti-ageing buyers\" description:\"Customers who buy anti-ageing \
        often and stopped opening our mail.\" (and lapsed_antiage (not vip)) (a %0.45 do offer serum-15 by:email) \
        (b %0.45 do offer serum-20 by:email) (hold-out %0.1) (priority 80) (at most 1 in:30Day) (limit 50000 by:spend_12mo) \
        (with (Last product of purchased) as:favourite spend_12mo) \
        (goal (purchased about:anti-aging) within:14Day value:sum:amount) (every 1 at:540) \
        (from from:2026-10-01until:2026-12-31))\n";
    let squeeze = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(squeeze(&tree(WHOLE)), squeeze(expected));
    assert_eq!(fmt(WHOLE, false).as_deref(), Ok(WHOLE));
}

#[test]
fn clauses() {
    for (text, expected) in [
        ("a → b every day at 00:00", "a (do b) (every 0 at:0)"),
        ("a → b every monday, friday at 23:59", "a (do b) (every 1 5 at:1439)"),
        ("a → b until 2026-12-31", "a (do b) (until until:2026-12-31)"),
        ("a → b except c, d", "a (do b) (except c d )"),
        ("a → b quiet 21:00 to 08:00 cost 0.05 budget 5_000", "a (do b) (quiet 1260 480) (cost 0.05) (budget 5000)"),
        ("a → b limit 5", "a (do b) (limit 5)"),
        ("a → b with (c in 3d) as d,", "a (do b) (with (paren (c @in:3Day)) as:d)"),
        ("a → b goal c where (d = 1) within 2h", "a (do b) (goal (c where:(d Eq 1)) within:2Hour)"),
        (
            "a → b goal c within 1d, value sum(d), percentile(90, e)",
            "a (do b) (goal c within:1Day value:sum:d value:percentile:90:e)",
        ),
        ("a → b at most 2 in the last 30 days", "a (do b) (at most 2 in:30Day)"),
        ("priority = 3 and goal in 3d → cost", "(and (priority Eq 3) (goal @in:3Day)) (do cost)"),
    ] {
        let found = tree(text);
        assert_eq!(found.trim_end(), format!("(bare {expected})"), "{text}");
    }
    assert_eq!(
        tree("policy p: at most 3 contacts in 7d by email, sms; at most 1 contact in 1d"),
        "(policy p 3 in:7Day by:email by:sms 1 in:1Day)\n"
    );
}

#[test]
fn layout() {
    for (text, expected) in [
        ("a → b priority 3", "a\n→ b\npriority 3\n"),
        ("campaign x: a → b priority 3", "campaign x:\n  a\n  → b\n  priority 3\n"),
        ("campaign x: a → when b: c → otherwise: d", "campaign x:\n  a\n  → when b: c\n  → otherwise: d\n"),
        ("campaign x: a -> hold   out 10% -> b", "campaign x:\n  a\n  → hold out 10%\n  → b\n"),
        ("policy p:at most 1 contact in 7 days", "policy p: at most 1 contact in 7d\n"),
        (
            "policy p: at most 3 contacts in 7d by email,sms;at most 1 contacts in 1d;",
            "policy p:\n  at most 3 contacts in 7d by email, sms;\n  at most 1 contact in 1d\n",
        ),
        (
            "a → b # one\n# two\npriority 3 # three\n every monday , # four\n friday at 09:00 # five\n",
            "a\n→ b  # one\n# two\npriority 3  # three\nevery monday,  # four\n    friday at 09:00  # five\n",
        ),
        ("a → b with c,d as e # last\n", "a\n→ b\nwith c, d as e  # last\n"),
    ] {
        let got = fmt(text, false).expect(text);
        assert_eq!(got, expected, "{text}");
        assert_eq!(fmt(&got, false).as_deref(), Ok(got.as_str()), "{text}");
    }
    let many = "with first(aaaaaaaaaaaaaaaaaaa of bbbbbbbbbbbbbbb) as cccccccccccccccc, last(aaaaaaaaaaaaaaaaaaa of bbbbbbbbbbb) as dddddddddd";
    let got = fmt(&format!("a → b {many}"), false).expect("formatted");
    assert_eq!(got.lines().count(), 4, "{got}");
    assert_eq!(fmt(&got, false).as_deref(), Ok(got.as_str()));
    assert_eq!(fmt("a → hold out 10% → b", true).as_deref(), Ok("a\n-> hold out 10%\n-> b\n"));
}

/// Text, code, what is underlined, and what the help or the fixed text (`=> …`) says.
#[test]
fn other_forms() {
    let mut wrong = String::new();
    for (text, code, place, cure) in [
        ("a → hold out: 10% → b", "E0102", "hold out: 10%", "=> a → hold out 10% → b"),
        ("a → holdout 10% → b", "E0102", "holdout 10%", "=> a → hold out 10% → b"),
        ("a → hold out → b", "E0127", "→ hold out", "hold out 10%"),
        ("a → c 45: b → d 55%: b", "E0127", "45", "=> a → c 45%: b → d 55%: b"),
        ("a → 45% c: b → d 55%: b", "E0127", "45%", "=> a → c 45%: b → d 55%: b"),
        ("a → 45%: b → d 55%: b", "E0127", "45%", "→ a 45%: b"),
        ("a → c: b → d: b", "E0127", "c", "→ c 45%"),
        ("a → c 45% b", "E0127", "", "=> a → c 45%: b"),
        ("a → offer 20%", "E0127", "offer 20%", "offer \"20%\""),
        ("a → when b: c → else: d", "E0102", "else", "=> a → when b: c → otherwise: d"),
        ("a → when b: c → default: d", "E0127", "default", "=> a → when b: c → otherwise: d"),
        ("a → if b: c → otherwise d", "E0102", "if", "=> a → when b: c → otherwise d"),
        ("a → b at most once in 30d", "E0102", "once", "=> a → b at most 1 in 30d"),
        ("a → b at most 1 per 30d", "E0102", "per", "=> a → b at most 1 in 30d"),
        ("a → b at most 1 per week", "E0128", "per week", "=> a → b at most 1 in 1w"),
        ("a → b at most 1 time in 30d", "E0128", "time", "=> a → b at most 1 in 30d"),
        ("a → b at most 1 contact in 30d", "E0128", "contact", "=> a → b at most 1 in 30d"),
        ("a → b at most 1", "E0128", "at most 1", "at most 1 in 30d"),
        ("a → b at most 0 in 30d", "E0128", "0", ""),
        ("a → b at least 1 in 30d", "E0128", "least", "=> a → b at most 1 in 30d"),
        ("a → b limit 1000 by", "E0128", "limit 1000 by", "limit 1_000 by spend_12mo"),
        ("a → b limit by c", "E0128", "limit by c", "limit 1_000 by spend_12mo"),
        ("a → b limit 10%", "E0128", "10%", "limit 1_000 by spend_12mo"),
        ("a → b limit 1,000", "E0108", "1,000", "=> a → b limit 1_000"),
        ("a → b every Monday at 09:00", "E0102", "Monday", "=> a → b every monday at 09:00"),
        ("a → b every mon at 09:00", "E0102", "mon", "=> a → b every monday at 09:00"),
        ("a → b every monday and friday at 09:00", "E0102", "and", "=> a → b every monday , friday at 09:00"),
        ("a → b every week at 09:00", "E0128", "week", "at most 1 in 30d"),
        ("a → b every monday", "E0128", "every monday", "every monday at 09:00"),
        ("a → b every monday at 9am", "E0128", "9am", "=> a → b every monday at 09:00"),
        ("a → b every monday at 9:00 pm", "E0128", "every monday at 9:00 pm", ""),
        ("a → b every monday at noon", "E0128", "noon", "=> a → b every monday at 12:00"),
        ("a → b every monday at 24:00", "E0128", "24:00", ""),
        ("a → b from 2026-01-01 to 2026-02-01", "E0102", "to", "=> a → b from 2026-01-01 until 2026-02-01"),
        ("a → b from 2026-01-01T08:00", "E0128", "2026-01-01T08:00", "=> a → b from 2026-01-01"),
        ("a → b quiet 21:00-08:00", "E0102", "quiet 21:00-08:00", "=> a → b quiet 21:00 to 08:00"),
        ("a → b quiet from 21:00 to 08:00", "E0128", "from", "=> a → b quiet 21:00 to 08:00"),
        ("a → b goal c", "E0128", "goal c", "goal c within 14d"),
        ("a → b goal c ≥ 2 within 14d", "E0128", "≥ 2", "goal purchased within 14d"),
        ("a → b goal c in 30d within 14d", "E0128", "in 30d", "goal purchased within 14d"),
        ("a → b goal no c within 14d", "E0128", "no", "goal purchased within 14d"),
        ("a → b goal c within 14d, value d", "E0128", "d", "value sum(d)"),
        ("a → b goal c within 14d, sum(d)", "E0128", "", "=> a → b goal c within 14d, value sum(d)"),
        ("a → b goal c within 14d, sum(d), max(d)", "E0128", "", "=> a → b goal c within 14d, value sum(d), max(d)"),
        ("a → b priority: 5", "E0128", "priority: 5", "such as `priority 80`"),
        ("a → b at most: 5", "E0128", "at most: 5", "such as `at most 1 in 30d`"),
        ("a → b goal c within 14d, value sum(d of c)", "E0128", " of c", "=> a → b goal c within 14d, value sum(d)"),
        ("a → b goal c within 14d, value count(d)", "E0128", "count", "value sum(amount)"),
        ("a → b priority high", "E0128", "priority high", ""),
        ("a → b cost 5%", "E0128", "5%", "cost 0.05"),
        ("a → b except c and d", "E0102", "and", "=> a → b except c , d"),
        ("a → b except not c", "E0128", "except not c", ""),
        ("a → b priority 1 priority 2", "E0113", "priority 2", ""),
        ("a → b except c except d", "E0113", "except d", "except vip, staff"),
        ("a priority 1 → b", "E0101", "priority 1", "comes first"),
        ("a → hold out 5% priority 1 → b", "E0112", "→ b", ""),
        ("segment x: a priority 1", "E0101", "priority 1", ""),
        ("policy p: at most 3 in 7d", "E0128", "", "=> policy p: at most 3 contacts in 7d"),
        ("policy p: at most 3 messages in 7d", "E0102", "messages", "=> policy p: at most 3 contacts in 7d"),
        (
            "policy p: at most 3 contacts in 7d, at most 1 contact in 1d",
            "E0102",
            ",",
            "=> policy p: at most 3 contacts in 7d; at most 1 contact in 1d",
        ),
        ("policy p was q: at most 3 contacts in 7d", "E0117", "q", ""),
        ("policy p: 3 contacts in 7d", "E0101", "3", ""),
    ] {
        let (source, parsed) = parse(text);
        let Some(d) = parsed.diagnostics.first() else {
            wrong += &format!("{text}\n  nothing is said\n");
            continue;
        };
        let underlined = source.slice(d.primary.span);
        let mut fixed = text.to_owned();
        let mut edits = d.fix.as_ref().map_or(Vec::new(), |f| f.edits.clone());
        edits.sort_by_key(|(span, _)| std::cmp::Reverse(span.start));
        for (span, new) in edits {
            fixed.replace_range(span.start as usize..span.end as usize, &new);
        }
        let cured = match cure.strip_prefix("=> ") {
            Some(should) => fixed == should,
            None => d.help.as_deref().unwrap_or("").contains(cure),
        };
        if d.code.as_str() != code || underlined != place || !cured || parsed.diagnostics.len() > 2 {
            wrong += &format!(
                "{text}\n  {} `{underlined}` {} / {} / {:?} / {fixed}\n",
                d.code, d.message, d.primary.text, d.help
            );
        }
        check_promises(text);
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn what_a_goal_has_none_of() {
    let (_, said) = parse("a → b goal first  c within 14d");
    assert_eq!(said.diagnostics[0].message, "a goal has no `first`");
}
