//! Visits, stretches of time and anniversaries.

use crate::check_support::{meaning, means, says};

#[test]
fn visits() {
    means(&[(
        "in one session (viewed ≥ 3 and no added_to_cart) in 30d",
        "InSession { inside: And([Count { behaviour: Behaviour { matching: Matching { event: EventId(4), pred: None }, window: Window { start: None, end: None }, since: None }, op: Ge, n: Exact { units: 3, scale: 0 } }, Count { behaviour: Behaviour { matching: Matching { event: EventId(5), pred: None }, window: Window { start: None, end: None }, since: None }, op: Eq, n: Exact { units: 0, scale: 0 } }]), window: Window { start: Some(Back { amount: 30, unit: Day }), end: Some(AsOf) }, since: None }",
    )]);
    says(&[
        ("in one session (viewed then added_to_cart within 5min)", &[]),
        ("in one session (not (viewed then added_to_cart) or viewed ≥ 9)", &[]),
        ("in one session (viewed on ≥ 2 days) since last sent", &[]),
        ("in one session (viewed and purchased)", &["E0425 purchased"]),
        ("in one session (viewed then purchased)", &["E0425 purchased"]),
        ("in one session (viewed ≥ 2 of same product without purchased)", &["E0425 purchased"]),
        ("in one session (no viewed)", &[]),
    ]);
}

#[test]
fn stretches_of_time() {
    means(&[(
        "in any 2w (purchased and (open spring or open = 0) but viewed ≥ 2 of same product) in 1y",
        "InAny { length: Length { amount: 14, unit: Day }, inside: And([Count { behaviour: Behaviour { matching: Matching { event: EventId(0), pred: None }, window: Window { start: None, end: None }, since: None }, op: Ge, n: Exact { units: 1, scale: 0 } }, Or([Count { behaviour: Behaviour { matching: Matching { event: EventId(1), pred: Some(Test(Compare { left: Property(PropertyId(0)), op: Eq, right: Literal(Text(\"spring\")) })) }, window: Window { start: None, end: None }, since: None }, op: Ge, n: Exact { units: 1, scale: 0 } }, Count { behaviour: Behaviour { matching: Matching { event: EventId(1), pred: None }, window: Window { start: None, end: None }, since: None }, op: Eq, n: Exact { units: 0, scale: 0 } }]), Same { behaviour: Behaviour { matching: Matching { event: EventId(4), pred: None }, window: Window { start: None, end: None }, since: None }, property: PropertyId(0), n: 2, without: None }]), starts: [Matching { event: EventId(0), pred: None }, Matching { event: EventId(1), pred: Some(Test(Compare { left: Property(PropertyId(0)), op: Eq, right: Literal(Text(\"spring\")) })) }, Matching { event: EventId(4), pred: None }], window: Window { start: Some(Back { amount: 12, unit: Month }), end: Some(AsOf) }, since: None }",
    )]);
    let starts = |source: &str| {
        let text = meaning(source);
        let from = text.find("starts: [").expect("starts") + "starts: [".len();
        let rest = text.get(from..).expect("inside");
        rest.get(..rest.find("], window").expect("their end")).expect("inside").matches("event:").count()
    };
    assert_eq!(starts("in any 3d (purchased between 2 and 5 and purchased on ≥ 2 days)"), 1);
    assert_eq!(starts("in any 3d (viewed then purchased without sent then no open within 1h)"), 2);
    assert_eq!(starts("in any 3d (purchased and open ≤ 0 and sent < 1)"), 1);
    says(&[
        ("in any 12h (purchased ≥ 2)", &[]),
        ("in any 14d (no purchased)", &["E0425 no purchased"]),
        ("in any 14d (purchased = 0 and no open)", &["E0425 purchased = 0 and no open"]),
        ("in any 14d (purchased in 3d and open)", &["E0425 in 3d"]),
        ("in any 14d (first purchased and last open)", &["E0425 first", "E0425 last"]),
        ("in any 14d (first viewed then purchased)", &["E0425 first"]),
        ("in any 14d (viewed in 3d then purchased)", &["E0425 in 3d"]),
        ("in any 14d (viewed and country = FR)", &["E0425 country"]),
        ("in any 14d (viewed and staff)", &["E0425 staff"]),
        ("in any 14d (viewed and everyone)", &["E0425 everyone"]),
        ("in any 14d (viewed and count(open) > 3)", &["E0425 count(open) > 3"]),
        ("in any 14d (viewed and in any 3d (open))", &["E0425 in any 3d (open)"]),
        ("in any 14d (viewed and opne)", &["E0301 opne"]),
        ("in any 14d (purchased serum or cleanser)", &["E0402 cleanser"]),
        ("in any 14d (purchased and no purchased)", &["E0501 no purchased"]),
        ("in any 14d (purchased) within 3d", &["E0420 within 3d"]),
        ("in any 14d (purchased) in each of previous 2 weeks", &["E0421 in each of previous 2 weeks"]),
        ("purchased where (in any 14d (open))", &["E0415 in any 14d (open)"]),
    ]);
}

#[test]
fn anniversaries() {
    means(&[
        (
            "anniversary of birth_date within 7d",
            "Test(Anniversary { value: Attribute(AttributeId(6)), window: Window { start: Some(AsOf), end: Some(Ahead { amount: 7, unit: Day }) } })",
        ),
        (
            "anniversary of joined in this month",
            "Test(Anniversary { value: Attribute(AttributeId(7)), window: Window { start: Some(Period { unit: Month, offset: 0 }), end: Some(Period { unit: Month, offset: 1 }) } })",
        ),
    ]);
    let property = meaning("purchased where (anniversary of shipped in 30d)");
    assert!(property.contains("Test(Anniversary { value: Property(PropertyId(11))"), "{property}");
    let customer = meaning("purchased where (anniversary of birth_date in 30d)");
    assert!(customer.contains("Test(Anniversary { value: Customer(Attribute(AttributeId(6)))"), "{customer}");
    says(&[
        ("anniversary of birth_date on 2026-03-01", &[]),
        ("anniversary of birth_date between 2026-03-01 and 2026-03-05", &[]),
        ("anniversary of birth_date in next 2 weeks", &[]),
        ("anniversary of customer.birth_date in previous year", &[]),
        ("anniversary of birth_date", &["E0426 anniversary of birth_date"]),
        ("anniversary of birth_date since 2026-01-01", &["E0426 since 2026-01-01"]),
        ("anniversary of birth_date over 3d ago", &["E0426 over 3d ago"]),
        ("anniversary of birth_date ever", &["E0426 ever"]),
        ("anniversary of age within 3d", &["E0426 age"]),
        ("anniversary of birth_date within 3h", &["E0408 3h"]),
        ("anniversary of joined within 3h", &["E0408 3h"]),
        ("anniversary of brith_date within 3d", &["E0301 brith_date"]),
        ("anniversary of purchased within 3d", &["E0413 purchased"]),
    ]);
}
