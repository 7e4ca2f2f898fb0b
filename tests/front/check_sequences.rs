//! Sequences, and what is the same in several events.

use crate::check_support::{check, meaning, means, says};

#[test]
fn steps() {
    means(&[
        (
            "viewed in 7d then added_to_cart after 1h within 2d without sent then purchased all within 1w",
            "Sequence(Sequence { steps: [Step { pick: None, matching: Matching { event: EventId(4), pred: None }, after: None, within: None, without: None, same: None }, Step { pick: None, matching: Matching { event: EventId(5), pred: None }, after: Some(Length { amount: 3600, unit: Second }), within: Some(Length { amount: 2, unit: Day }), without: Some((Matching { event: EventId(3), pred: None }, None)), same: None }, Step { pick: None, matching: Matching { event: EventId(0), pred: None }, after: None, within: None, without: None, same: None }], window: Window { start: Some(Back { amount: 7, unit: Day }), end: Some(AsOf) }, since: None, all_within: Some(Length { amount: 7, unit: Day }), absence: None })",
        ),
        (
            "first viewed then last purchased then no open within 1h",
            "Sequence(Sequence { steps: [Step { pick: Some(First), matching: Matching { event: EventId(4), pred: None }, after: None, within: None, without: None, same: None }, Step { pick: Some(Last), matching: Matching { event: EventId(0), pred: None }, after: None, within: None, without: None, same: None }], window: Window { start: None, end: None }, since: None, all_within: None, absence: Some(Absence { matching: Matching { event: EventId(1), pred: None }, within: Some(Length { amount: 3600, unit: Second }), same: None }) })",
        ),
        (
            "viewed then added_to_cart without purchased then no purchased with same product",
            "Sequence(Sequence { steps: [Step { pick: None, matching: Matching { event: EventId(4), pred: None }, after: None, within: None, without: None, same: Some(PropertyId(0)) }, Step { pick: None, matching: Matching { event: EventId(5), pred: None }, after: None, within: None, without: Some((Matching { event: EventId(0), pred: None }, Some(PropertyId(1)))), same: Some(PropertyId(0)) }], window: Window { start: None, end: None }, since: None, all_within: None, absence: Some(Absence { matching: Matching { event: EventId(0), pred: None }, within: None, same: Some(PropertyId(1)) }) })",
        ),
    ]);
    assert!(meaning("viewed since last sent then purchased").contains("since: Some(Anchor { end: Last, back: 1"));
    assert!(meaning("not (viewed then viewed)").starts_with("Not(Sequence("));
    says(&[
        ("viewed then viewed then viewed", &[]),
        ("bought serum where (amount > 20) in 30d then bought (retinol or serum) within 7d", &[]),
        ("viewed in this month then purchased", &[]),
        ("viewed between 2026-01-01 and 2026-01-31 then purchased", &[]),
        ("viewed then purchased and country = FR", &[]),
    ]);
}

#[test]
fn what_no_step_has() {
    says(&[
        ("viewed in each of previous 3 months then purchased", &["E0421 in each of previous 3 months"]),
        ("viewed then purchased after 7d within 7d", &["E0428 7d"]),
        ("viewed then purchased after 1mo within 30d", &[]),
        ("viewed then purchased after 1mo within 28d", &["E0428 1mo"]),
        ("viewed then purchased after 2d then open all within 1d", &["E0428 2d"]),
        ("country then purchased", &["E0406 country"]),
        ("viewed then no open all within 3d", &["E0424 3d"]),
        ("viewed within 7d then open", &["E0123 within 7d"]),
        ("viewed then staff", &["E0406 staff"]),
        ("viewed then purchsed then opne", &["E0301 purchsed", "E0301 opne"]),
        ("viewed then purchased where (amout > 3)", &["E0309 amout"]),
        (
            "segment s: viewed then purchased\ntrait t: viewed then purchased",
            &["W0511 t", "E0413 viewed then purchased"],
        ),
        ("purchased where (viewed then open)", &["E0415 viewed then open"]),
    ]);
}

#[test]
fn one_clean_start_is_enough() {
    let cart = "added_to_cart in 3d then no purchased within 1h";
    says(&[
        (cart, &["W0513 added_to_cart in 3d then no purchased within 1h"]),
        ("last added_to_cart in 3d then no purchased within 1h", &[]),
        ("added_to_cart in 3d then no purchased", &[]),
        ("added_to_cart in 3d then no purchased within 1h with same product", &[]),
        ("viewed then added_to_cart then no purchased within 1h", &[]),
    ]);
    let said = check(cart);
    let fix = said.diagnostics.iter().find_map(|d| d.fix.as_ref()).expect("a fix");
    assert_eq!(
        fix.edits.iter().map(|(span, text)| (span.start, span.end, text.as_str())).collect::<Vec<_>>(),
        [(0, 0, "last ")]
    );
}

#[test]
fn the_same_property() {
    means(&[
        (
            "viewed ≥ 3 of same product in 14d without purchased",
            "Same { behaviour: Behaviour { matching: Matching { event: EventId(4), pred: None }, window: Window { start: Some(Back { amount: 14, unit: Day }), end: Some(AsOf) }, since: None }, property: PropertyId(0), n: 3, without: Some((Matching { event: EventId(0), pred: None }, PropertyId(1))) }",
        ),
        (
            "viewed ≥ 2 of same product",
            "Same { behaviour: Behaviour { matching: Matching { event: EventId(4), pred: None }, window: Window { start: None, end: None }, since: None }, property: PropertyId(0), n: 2, without: None }",
        ),
    ]);
    assert!(meaning("viewed ≥ 2 of same product in each of previous 2 weeks").starts_with("And([Same {"));
    assert!(meaning("viewed ≥ 2 of same product since last purchased").contains("since: Some("));
    says(&[
        ("viewed of same product", &["E0124 of same product"]),
        ("viewed > 3 of same product", &["E0423 > 3"]),
        ("viewed = 3 of same product", &["E0423 = 3"]),
        ("viewed ≤ 3 of same product", &["E0423 ≤ 3"]),
        ("viewed ≥ 0 of same product", &["E0423 ≥ 0"]),
        ("viewed ≥ 2.5 of same product", &["E0404 2.5"]),
        ("viewed between 2 and 3 of same product", &["E0423 between 2 and 3"]),
        ("viewed on ≥ 3 days of same product", &["E0423 on ≥ 3 days"]),
        ("viewed ≥ 3 of same prodct", &["E0309 prodct"]),
        ("added_to_cart ≥ 3 of same labels", &["E0423 labels"]),
        ("viewed ≥ 3 of same product in 14d without sent", &["E0309 product"]),
        ("viewed ≥ 3 of same quantity without purchased", &["E0423 quantity"]),
        ("viewed ≥ 3 of same amount without purchased", &["E0423 amount"]),
        ("viewed ≥ 3 of same note without purchased", &["E0423 note"]),
        ("viewed in 14d without purchased", &["E0124 without purchased"]),
        ("viewed ≥ 3 without purchased", &["E0124 without purchased"]),
        ("viewed ≥ 3 of same product without staff", &["E0406 staff"]),
        ("viewed then purchased with same quantity", &["E0423 quantity"]),
        ("viewed then sent with same product", &["E0309 product"]),
        ("viewed then added_to_cart then no sent with same product", &["E0309 product"]),
        ("viewed then added_to_cart with same labels", &["E0309 labels", "E0423 labels"]),
    ]);
}
