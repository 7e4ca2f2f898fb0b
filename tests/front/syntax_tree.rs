//! What is written, as a tree. Every text here is free of diagnostics.

use segue::language::syntax::{ast::Item, dump};

use crate::syntax_support::{check_promises, parse};

fn check(table: &[(&str, &str)]) {
    let mut wrong = String::new();
    for (text, expected) in table {
        let (_, parsed) = parse(text);
        let tree = dump::file(&parsed.file);
        let tree = tree.trim_end().strip_prefix("(bare ").and_then(|t| t.strip_suffix(')')).unwrap_or(tree.trim_end());
        if tree != *expected || !parsed.diagnostics.is_empty() {
            wrong += &format!("{text}\n  is       {tree}\n  expected {expected}\n  {:?}\n", parsed.diagnostics);
        }
        check_promises(text);
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn behaviours() {
    check(&[
        ("purchased", "purchased"),
        ("purchased anti-aging", "(purchased about:anti-aging)"),
        ("purchased \"New York\"", "(purchased about:\"New York\")"),
        ("purchased (anti-aging or serum)", "(purchased about:(anti-aging|serum))"),
        ("purchased other than serum in 3d", "(purchased other:serum @in:3Day)"),
        ("purchased other than (serum or cream)", "(purchased other:(serum|cream))"),
        ("purchased where (amount > 20)", "(purchased where:(amount Gt 20))"),
        (
            "purchased serum where (amount > 20) ≥ 3 in 90d",
            "(purchased about:serum where:(amount Gt 20) Ge 3 @in:90Day)",
        ),
        ("purchased between 2 and 5 between 60d and 30d ago", "(purchased between 2 5 @ago:60Day:30Day)"),
        (
            "purchased >= 3 and purchased <= 3 and purchased != 3",
            "(and (purchased Ge 3) (purchased Le 3) (purchased Ne 3))",
        ),
        ("viewed on ≥ 4 days in 14d", "(viewed on:Day Ge 4 @in:14Day)"),
        ("viewed on = 1 week", "(viewed on:Week Eq 1)"),
        ("viewed on at least 2 months", "(viewed on:Month Ge 2)"),
        ("no open in 30d", "(No open @in:30Day)"),
        ("never open", "(Never open)"),
        ("first purchased in 30d", "(First purchased @in:30Day)"),
        ("last purchased serum over 60d ago", "(Last purchased about:serum @over:60Day)"),
        ("purchased at least 3", "(purchased Ge 3)"),
        ("purchased at most twice", "(purchased Le 2)"),
        ("purchased exactly once in 30d", "(purchased Eq 1 @in:30Day)"),
    ]);
}

#[test]
fn windows() {
    check(&[
        ("a in 30s or a in 30min", "(or (a @in:30Second) (a @in:30Minute))"),
        ("a in 12h and a in 6w", "(and (a @in:12Hour) (a @in:6Week))"),
        ("a in 3mo and a in 1y", "(and (a @in:3Month) (a @in:1Year))"),
        ("a in 90 days and a in 1 month", "(and (a @in:90Day) (a @in:1Month))"),
        ("a in the last 30 days", "(a @in:30Day)"),
        ("a in 1_000 days", "(a @in:1000Day)"),
        ("a between 30 and 60 days ago", "(a @ago:30Day:60Day)"),
        ("a between 1y and 30d ago", "(a @ago:1Year:30Day)"),
        ("a over 30d ago", "(a @over:30Day)"),
        ("a since 2026-01-01", "(a @since:2026-01-01)"),
        ("a before 2026-01-01T08:00", "(a @before:2026-01-01T08:00:00.000000)"),
        ("a on 2024-02-29", "(a @on:2024-02-29)"),
        ("a between 2026-01-01 and 2026-03-31", "(a @between:2026-01-01:2026-03-31)"),
        (
            "a between 2026-01-01T08:00:01.5Z and 2026-01-01T08:00:02+02:00",
            "(a @between:2026-01-01T08:00:01.500000+0:2026-01-01T08:00:02.000000+120)",
        ),
        ("a ever", "(a @ever)"),
        ("a in this month and a in this day", "(and (a @this:Month) (a @this:Day))"),
        ("no a in previous month", "(No a @previous:1Month)"),
        ("a in previous 3 weeks or a in previous 1 quarter", "(or (a @previous:3Week) (a @previous:1Quarter))"),
        ("a ≥ 2 in each of previous 3 months", "(a Ge 2 @each-previous:3Month)"),
        ("a in each of previous 2 years", "(a @each-previous:2Year)"),
        (
            "trial_end in next month and trial_end in next 2 quarters",
            "(and (trial_end @next:1Month) (trial_end @next:2Quarter))",
        ),
        ("renewal_date within 30d", "(renewal_date @within:30Day)"),
        ("a within 2 weeks", "(a @within:2Week)"),
        ("no open since last sent", "(No open @since:Last:sent)"),
        ("no open since last 3 sent", "(No open @since:Last3:sent)"),
        (
            "open ≥ 2 since first sent (a or b) where (channel = email) and c",
            "(and (open Ge 2 @since:First:(sent about:(a|b) where:(channel Eq email))) c)",
        ),
        ("a since last month-end", "(a @since:Last:month-end)"),
        ("a where (d in this week and e within 3d) in 3d", "(a where:(and (d @this:Week) (e @within:3Day)) @in:3Day)"),
        ("in-this = 3 and this = 2 and next in 3d", "(and (in-this Eq 3) (this Eq 2) (next @in:3Day))"),
    ]);
}

#[test]
fn values_and_tests() {
    check(&[
        ("count(purchased) = 0", "(test (Count purchased) Eq 0)"),
        (
            "sum(amount of purchased anti-aging in 12mo) ≥ 500",
            "(test (Sum amount of (purchased about:anti-aging @in:12Month)) Ge 500)",
        ),
        (
            "avg(amount of a where (b = 1)) between 1 and 2.50",
            "(test (Avg amount of (a where:(b Eq 1))) between 1 2.50)",
        ),
        ("500 < max(amount of a)", "(test 500 Lt (Max amount of a))"),
        (
            "distinct(product of viewed in 30d) > min(x of b)",
            "(test (Distinct product of (viewed @in:30Day)) Gt (Min x of b))",
        ),
        ("days since last purchased > 60", "(test (days-since Last purchased) Gt 60)"),
        ("days since first open (a or b) < 3", "(test (days-since First (open about:(a|b))) Lt 3)"),
        ("days since signup_date ≥ 30", "(test (days-since signup_date) Ge 30)"),
        ("days since last = 3", "(test (days-since last) Eq 3)"),
        ("country = FR", "(country Eq FR)"),
        ("country = \"New York\"", "(country Eq \"New York\")"),
        ("customer.country ≠ FR", "(customer.country Ne FR)"),
        ("age between 30 and 45", "(age between 30 45)"),
        ("country in (FR, \"New York\", 3,)", "(country (in FR \"New York\" 3))"),
        ("country not in (FR)", "(country (not-in FR))"),
        ("a contains \"x\" and a starts with y", "(and (a Contains \"x\") (a StartsWith y))"),
        ("a ends with y and a matches \"x*\"", "(and (a EndsWith y) (a Matches \"x*\"))"),
        ("tags has vip", "(tags has vip)"),
        ("a is known or a is unknown", "(or (a known) (a unknown))"),
        ("balance > -5 and share = 20% and x = 0.5%", "(and (balance Gt -5) (share Eq %0.2) (x Eq %0.005))"),
        ("x = 1_000.50 and y = 00", "(and (x Eq 1000.50) (y Eq 0))"),
        (
            "x > 2026-01-01 and y = 2026-01-01T00:00-05:30",
            "(and (x Gt 2026-01-01) (y Eq 2026-01-01T00:00:00.000000-330))",
        ),
        ("known for 30d", "(known-for 30Day)"),
        ("is_member but not opted_out", "(and is_member but:(not opted_out))"),
        (
            "weekday in (mon, tue) and hour between 9 and 17 and date = 2026-11-01",
            "(and (weekday (in mon tue)) (hour between 9 17) (date Eq 2026-11-01))",
        ),
        ("a \"q\\\"u\\\\o\"", "(a about:\"q\\\"u\\\\o\")"),
    ]);
}

#[test]
fn calculations() {
    check(&[
        ("a + b * c - d / e > 3", "(test (- (+ a (* b c)) (/ d e)) Gt 3)"),
        ("a - b - c = 0", "(test (- (- a b) c) Eq 0)"),
        ("a / b / c * d = 0", "(test (* (/ (/ a b) c) d) Eq 0)"),
        ("(a + b) * 2 ≥ c.d", "(test (* (paren (+ a b)) 2) Ge c.d)"),
        ("a > b + 1 and c", "(and (a Gt (+ b 1)) c)"),
        ("a > (b + 1) * -2", "(a Gt (* (paren (+ b 1)) -2))"),
        ("2 * count(a) < b", "(test (* 2 (Count a)) Lt b)"),
        ("a between b - 1 and b + 1", "(a between (- b 1) (+ b 1))"),
        ("customer.age - 10% > days since last a / 7", "(test (- customer.age %0.1) Gt (/ (days-since Last a) 7))"),
        ("((a + 1)) > ((2))", "(test (paren (paren (+ a 1))) Gt (paren (paren 2)))"),
        ("10/4/5 < a", "(test (/ (/ 10 4) 5) Lt a)"),
        ("a*b+c>d", "(test (+ (* a b) c) Gt d)"),
        (
            "sum(x of a in 90d) > 2 * sum(x of a between 180d and 90d ago)",
            "(test (Sum x of (a @in:90Day)) Gt (* 2 (Sum x of (a @ago:180Day:90Day))))",
        ),
        ("trait t: sum(x of a) / count(a)", "(trait t (/ (Sum x of a) (Count a)))"),
        ("a where (b * c > 5 + d)", "(a where:(test (* b c) Gt (+ 5 d)))"),
        ("top-x + a-b - c-d > 0", "(test (- (+ top-x a-b) c-d) Gt 0)"),
    ]);
}

#[test]
fn functions() {
    check(&[
        ("median(x of a in 3d) > 3", "(test (Median x of (a @in:3Day)) Gt 3)"),
        (
            "percentile(90, x of a) > percentile(99.5, x of a b)",
            "(test (Percentile 90 x of a) Gt (Percentile 99.5 x of (a about:b)))",
        ),
        (
            "first(x of a) = y or last(x of a in 3d) in (y, z)",
            "(or (test (First x of a) Eq y) (test (Last x of (a @in:3Day)) (in y z)))",
        ),
        ("most frequent(x of a where (b = 1)) is known", "(test (MostFrequent x of (a where:(b Eq 1))) known)"),
        ("most\nfrequent (x of a) contains y", "(test (MostFrequent x of a) Contains y)"),
        ("rate(open per sent in 90d) ≥ 20%", "(test (rate open per sent @in:90Day) Ge %0.2)"),
        (
            "rate(open x where (a = b) per sent y since last c) < 1",
            "(test (rate (open about:x where:(a Eq b)) per (sent about:y) @since:Last:c) Lt 1)",
        ),
        ("quintile(spend) = 5", "(test (Quintile spend) Eq 5)"),
        (
            "decile(a / b among vip) > percentile_rank(count(a))",
            "(test (Decile (/ a b) among:vip) Gt (PercentileRank (Count a)))",
        ),
        ("last(d of a) between 2026-01-01 and 2026-03-31", "(test (Last d of a) between 2026-01-01 2026-03-31)"),
        // Without what they need, they are names.
        ("rate > 3 and median in 3d and first = x", "(and (rate Gt 3) (median @in:3Day) (first Eq x))"),
        ("most > 3 and most frequent", "(and (most Gt 3) (most about:frequent))"),
        ("sum(rate of rated) > max(first of a)", "(test (Sum rate of rated) Gt (Max first of a))"),
        (
            "a where (rate ≥ 3 and percentile = 2 and last is known)",
            "(a where:(and (rate Ge 3) (percentile Eq 2) (last known)))",
        ),
    ]);
}

#[test]
fn sequences() {
    check(&[
        ("a then b", "(sequence a then:b)"),
        (
            "a in 3d then b x after 1d within 7d without c y then no d within 1h all within 14d with same product",
            "(sequence (a @in:3Day) then:(b about:x) after:1Day within:7Day without:(c about:y) then:(No d) within:1Hour all-within:14Day same:product)",
        ),
        (
            "first a where (x = 1) since last c then last b (y or z) where (u > 2) within 2 weeks then b then b",
            "(sequence (First a where:(x Eq 1) @since:Last:c) then:(Last b about:(y|z) where:(u Gt 2)) within:2Week then:b then:b)",
        ),
        ("not a then b and c or a then no b", "(or (and (not (sequence a then:b)) c) (sequence a then:(No b)))"),
        (
            "a then b within 7d after 1d with same p all within 3d",
            "(sequence a then:b after:1Day within:7Day all-within:3Day same:p)",
        ),
        ("(a then b) and c", "(and (paren (sequence a then:b)) c)"),
        ("a then first then last in-x", "(sequence a then:first then:(Last in-x))"),
        ("a without-b then then-c", "(sequence (a about:without-b) then:then-c)"),
        (
            "viewed ≥ 3 of same product in 14d without purchased serum where (x = 1)",
            "(viewed Ge 3 same:product @in:14Day without:(purchased about:serum where:(x Eq 1)))",
        ),
        ("viewed > 2 of same product", "(viewed Gt 2 same:product)"),
        ("same > 3 and followed in 3d", "(and (same Gt 3) (followed @in:3Day))"),
        ("a then b → offer", "(sequence a then:b) (do offer)"),
    ]);
}

#[test]
fn sessions_ranks_and_records() {
    check(&[
        (
            "in one session (viewed ≥ 3 and no purchased) in 3d and c",
            "(and (session (and (viewed Ge 3) (No purchased)) @in:3Day) c)",
        ),
        ("in any 14d (a and b then c)", "(any:14Day (and a (sequence b then:c)))"),
        ("not in any 2 weeks (a) since last b", "(not (any:2Week a @since:Last:b))"),
        ("top 10% by spend", "(Top %0.1 spend)"),
        (
            "bottom 1_000 by sum(x of a in 3d) / count(a) among vip or b",
            "(or (Bottom 1000 (/ (Sum x of (a @in:3Day)) (Count a)) among:vip) b)",
        ),
        ("sample 10% and sample 0.5% of \"a b\"", "(and (sample %0.1) (sample %0.005 \"a b\"))"),
        ("anniversary of customer.birth_date within 7d", "(anniversary customer.birth_date @within:7Day)"),
        ("anniversary of signup in next month or b", "(or (anniversary signup @next:1Month) b)"),
        ("member of vip and member of vip for 30d", "(and (member vip) (member vip for:30Day))"),
        ("entered vip in 7d and left vip ≥ 2", "(and (Entered:vip @in:7Day) (Left:vip Ge 2))"),
        (
            "no contacted winback in 30d or never held out winback or first entered vip since 2026-01-01",
            "(or (No Contacted:winback @in:30Day) (Never HeldOut:winback) (First Entered:vip @since:2026-01-01))",
        ),
        // Without what they need, they are names.
        ("top = 3 and bottom in 3d and sample > 1", "(and (top Eq 3) (bottom @in:3Day) (sample Gt 1))"),
        ("left = x and entered is known and contacted in 3d", "(and (left Eq x) (entered known) (contacted @in:3Day))"),
        ("member in 3d or anniversary = 3 or held > 3", "(or (member @in:3Day) (anniversary Eq 3) (held Gt 3))"),
        (
            "a where (rate = 3 and left ≥ 1 and top = b and member is known)",
            "(a where:(and (rate Eq 3) (left Ge 1) (top Eq b) (member known)))",
        ),
        ("any in 3d and one in 3d and session in 3d", "(and (any @in:3Day) (one @in:3Day) (session @in:3Day))"),
    ]);
}

#[test]
fn stages() {
    check(&[
        (
            "stages buying_journey \"T\":\n  added_to_cart in 7d and no purchased in 7d → decision\n  viewed ≥ 3 in 14d -> consideration\n  otherwise → unaware",
            "(stages buying_journey title:\"T\" (stage decision (and (added_to_cart @in:7Day) (No purchased @in:7Day))) (stage consideration (viewed Ge 3 @in:14Day)) (stage unaware otherwise))",
        ),
        ("stages j: a → b c → d", "(stages j (stage b a) (stage d c))"),
        (
            "stages j: a then b → first (c) → last not d → e in any 3d (f) → g",
            "(stages j (stage first (sequence a then:b)) (stage last (paren c)) (stage e (not d)) (stage g (any:3Day f)))",
        ),
        ("stages j: a → b segment x: j = b", "(stages j (stage b a))\n(segment x (j Eq b))"),
        ("# One.\nstages j: a → b", "(stages j description:\"One.\" (stage b a))"),
        ("stages in 3d and model = 3", "(and (stages @in:3Day) (model Eq 3))"),
    ]);
}

#[test]
fn connectives() {
    check(&[
        ("a and b or c and not d", "(or (and a b) (and c (not d)))"),
        ("a or b and c", "(or a (and b c))"),
        ("(a or b) and not not c", "(and (paren (or a b)) (not (not c)))"),
        ("everyone but not (a)", "(and everyone but:(not (paren a)))"),
        ("no a or b", "(or (No a) b)"),
        ("a # here\n and # there\n b", "(and a b)"),
    ]);
}

#[test]
fn declarations() {
    check(&[
        (
            "purchased anti-aging ≥3 in 90d and no open in 30d → offer",
            "(and (purchased about:anti-aging Ge 3 @in:90Day) (No open @in:30Day)) (do offer)",
        ),
        ("a -> offer serum-15 \"20 off\" by email", "a (do offer serum-15 \"20 off\" by:email)"),
        ("segment x was y \"T\": a", "(segment x was:y title:\"T\" a)"),
        ("trait x \"T\": sum(a of b)", "(trait x title:\"T\" (Sum a of b))"),
        ("campaign x: a → call", "(campaign x a (do call))"),
        (
            "campaign x: a\n→ when b and c: call\n→ otherwise: offer b20 by d\n→ hold out 10%",
            "(campaign x a (when (and b c) do call) (otherwise do offer b20 by:d) (hold-out %0.1))",
        ),
        ("trait x: a segment y: b\nsegment segment: c", "(trait x a)\n(segment y b)\n(segment segment c)"),
        ("segment x:\n  purchased\nsegment y: open", "(segment x purchased)\n(segment y open)"),
        ("", ""),
        ("# nothing\n", ""),
    ]);
}

#[test]
fn descriptions() {
    let text = "# header\n\n# One.\n#  Two.\nsegment a: x # no\nsegment b: y\n# b's end\n\ntrait c: z\n  # indented\n  trait d: z\n#\n# e\n\n#f\ntrait g: z";
    let (_, parsed) = parse(text);
    let found: Vec<Option<&str>> = parsed
        .file
        .items
        .iter()
        .map(|i| match i {
            Item::Segment(s) => s.description.as_deref(),
            Item::Trait(t) => t.description.as_deref(),
            _ => None,
        })
        .collect();
    assert_eq!(found, [Some("One.\n Two."), None, None, Some("indented"), Some("f")]);
    check_promises(text);
}

#[test]
fn places_are_exact() {
    let text = "segment é:  purchased ( a or b )  ≥ 3 # c\n in 90d   # d\n  and  open\n";
    let (source, parsed) = parse(text);
    let Item::Segment(s) = &parsed.file.items[0] else { panic!("{parsed:?}") };
    assert_eq!(source.slice(s.span), text.trim_end());
    assert_eq!(source.slice(s.name.span), "é");
    let tree = format!("{:?}", s.condition);
    assert!(tree.contains("And"));
    let segue::language::syntax::ast::ExprKind::And(parts) = &s.condition.kind else { panic!("{tree}") };
    let places: Vec<&str> = parts.iter().map(|p| source.slice(p.expr.span)).collect();
    assert_eq!(places, ["purchased ( a or b )  ≥ 3 # c\n in 90d", "open"]);
}
