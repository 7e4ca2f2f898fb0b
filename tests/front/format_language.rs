//! The canonical spelling of every construct of the language of conditions, and where long ones break.

use crate::syntax_support::{check_promises, fmt};

/// Each text with its canonical form, in the order of the tree.
fn canonical(table: &[(&str, &str)]) {
    let mut wrong = String::new();
    for (text, expected) in table {
        check_promises(text);
        match fmt(text, false) {
            Ok(got) if got.trim_end() == *expected => {}
            got => wrong += &format!("{text:?}\n  is       {got:?}\n  expected {expected:?}\n"),
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn windows() {
    canonical(&[
        ("renewal_date  within 30 days", "renewal_date within 30d"),
        ("a in this   month", "a in this month"),
        ("a in previous month", "a in previous month"),
        ("a in previous 3 weeks", "a in previous 3 weeks"),
        ("a >= 2 in each of previous 3 months", "a ≥ 2 in each of previous 3 months"),
        ("d in next quarter", "d in next quarter"),
        ("d in next 3 months", "d in next 3 months"),
        ("no a since  last b", "no a since last b"),
        ("a since first b (x or y)", "a since first b (x or y)"),
        ("a since last 3 b where (x=1 and y>=2)", "a since last 3 b where (x = 1 and y ≥ 2)"),
        ("count(a since last b where (x = 1)) > 3", "count(a since last b where (x = 1)) > 3"),
    ]);
}

#[test]
fn counts_of_same() {
    canonical(&[
        ("a >= 3 of  same product in 14 days", "a ≥ 3 of same product in 14d"),
        (
            "a b where (c=1) ≥ 3 of same d in 14d without  e f where (g=2)",
            "a b where (c = 1) ≥ 3 of same d in 14d without e f where (g = 2)",
        ),
        ("a ≥ 3 of same b # why\nwithout c", "a ≥ 3 of same b  # why\n    without c"),
    ]);
}

#[test]
fn sequences() {
    canonical(&[
        ("a  then b", "a then b"),
        ("a then\nb within 7 days", "a then b within 7d"),
        (
            "a in 3d then first b after 1d within 7d without c d then no e within 1h all within 14d with same p",
            "a in 3d then first b after 1d within 7d without c d then no e within 1h all within 14d with same p",
        ),
        ("a\nthen b\nthen c", "a\n  then b\n  then c"),
        ("a then b\nthen c and d", "a\n  then b\n  then c\nand d"),
        ("segment x: last a over 30d ago\nthen b", "segment x:\n  last a over 30d ago\n    then b"),
        ("a then b then c\nall within 14d with same p", "a\n  then b\n  then c\n  all within 14d with same p"),
        ("not a then b where (c=1\nor d)", "not a\n  then b where (\n    c = 1\n    or d\n  )"),
        ("a # one\nthen b # two\n", "a  # one\n  then b  # two"),
        ("a then b without # why\nc", "a\n  then b without  # why\n      c"),
    ]);
    let long = "viewed (aaaaaaaaaaaaaaaa or bbbbbbbbbbbbbbbbbb) in 30d then added_to_cart within 7d \
                then purchased within 7d with same category";
    let broken = "viewed (aaaaaaaaaaaaaaaa or bbbbbbbbbbbbbbbbbb) in 30d\n  then added_to_cart within 7d\n  \
                  then purchased within 7d\n  with same category";
    canonical(&[(long, broken)]);
}

#[test]
fn gathered() {
    canonical(&[
        ("in one   session ( a >= 3 and no b ) in 7 days", "in one session (a ≥ 3 and no b) in 7d"),
        ("in any 14 days (a then b)", "in any 14d (a then b)"),
        ("not in any 14d (a\nand b) in 30d", "not in any 14d (\n  a\n  and b\n) in 30d"),
        ("in one # c\nsession (a)", "in one session  # c\n    (a)"),
        ("segment x: in one session (a\nand b)", "segment x:\n  in one session (\n    a\n    and b\n  )"),
    ]);
}

#[test]
fn ranks_and_samples() {
    canonical(&[
        ("top  10% by  spend", "top 10% by spend"),
        ("bottom 1_000 by sum(a of b) + 2 among  vip", "bottom 1_000 by sum(a of b) + 2 among vip"),
        ("sample 2.5% of \"salt\" and sample 10%", "sample 2.5% of \"salt\" and sample 10%"),
        ("not top 5 by customer.age", "not top 5 by customer.age"),
    ]);
}

#[test]
fn anniversaries_and_records() {
    canonical(&[
        ("anniversary of customer.birth_date within 7 days", "anniversary of customer.birth_date within 7d"),
        ("member of vip for 30 days or member of vip", "member of vip for 30d or member of vip"),
        ("no entered vip in 7d and left vip >= 2", "no entered vip in 7d and left vip ≥ 2"),
        ("first contacted x in 7d and held  out y", "first contacted x in 7d and held out y"),
        (
            "a then held  out x within 3d without held out y then last held\nout x then no held out z within 1h",
            "a then held out x within 3d without held out y then last held out x then no held out z within 1h",
        ),
    ]);
}

#[test]
fn values() {
    canonical(&[
        ("percentile( 90 ,amount of a) > 5", "percentile(90, amount of a) > 5"),
        ("median(x of a) = 1 and most  frequent(x of a) = b", "median(x of a) = 1 and most frequent(x of a) = b"),
        (
            "first(x of a) = b and last(x of a b in 30 days) in (c,d)",
            "first(x of a) = b and last(x of a b in 30d) in (c, d)",
        ),
        ("rate(a where (b=1) per c in 90 days) >= 20%", "rate(a where (b = 1) per c in 90d) ≥ 20%"),
        (
            "quintile( a among b ) = 5 or percentile_rank(a) > 0.5",
            "quintile(a among b) = 5 or percentile_rank(a) > 0.5",
        ),
        ("decile(sum(a of b)) != 1", "decile(sum(a of b)) ≠ 1"),
    ]);
}

#[test]
fn calculations() {
    canonical(&[
        ("a + b*2 > 3", "a + b * 2 > 3"),
        ("( a + b ) / 2 - -3 = c * 2", "(a + b) / 2 - -3 = c * 2"),
        ("trait x: a\n+ b\n* c - d", "trait x:\n  a\n    + b\n      * c\n    - d"),
        ("a between b + 1 and c - 1", "a between b + 1 and c - 1"),
    ]);
}

#[test]
fn stages() {
    canonical(&[
        (
            "# d\nstages  journey \"T\":  a in 7d  and no b -> decision  otherwise → unaware",
            "# d\nstages journey \"T\":\n  a in 7d and no b → decision\n  otherwise → unaware",
        ),
        (
            "stages j: a\nand b → one\nc # why\n→ two\n\nd → three",
            "stages j:\n  a\n    and b\n    → one\n  c  # why\n    → two\n  d → three",
        ),
        (
            "stages j:\n  # first\n  a → one # behind\n  # last\n  otherwise → two\nsegment x: a",
            "stages j:\n  # first\n  a → one  # behind\n  # last\n  otherwise → two\n\nsegment x: a",
        ),
    ]);
    let got = fmt("stages j:\n a >= 3 → one\n otherwise → two", true);
    assert_eq!(got.as_deref(), Ok("stages j:\n  a >= 3 -> one\n  otherwise -> two\n"));
}
