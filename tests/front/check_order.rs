//! Windows, order and what belongs together: what the checker understands, and what it refuses.

use crate::check_support::{check, meaning, means, says};

/// The window of the last rule, which has one.
#[track_caller]
fn window(source: &str) -> String {
    let text = meaning(source);
    let from = text.find("window: Window { ").expect("a window") + "window: Window { ".len();
    let rest = text.get(from..).expect("inside");
    rest.get(..rest.find(" }, since").or(rest.rfind(" } })")).unwrap_or(rest.len())).expect("its end").to_owned()
}

/// The text after the first fix of the first finding.
#[track_caller]
fn fixed(source: &str) -> String {
    let said = check(source);
    let fix = said.diagnostics.iter().find_map(|d| d.fix.as_ref()).unwrap_or_else(|| panic!("no fix: {source}"));
    let mut edits = fix.edits.clone();
    edits.sort_by_key(|(span, _)| std::cmp::Reverse(span.start));
    let mut text = source.to_owned();
    for (span, new) in edits {
        text.replace_range(span.start as usize..span.end as usize, &new);
    }
    text
}

#[test]
fn windows_of_events() {
    for (source, expected) in [
        ("purchased in this month", "start: Some(Period { unit: Month, offset: 0 }), end: Some(AsOf)"),
        (
            "purchased in previous 3 weeks",
            "start: Some(Period { unit: Week, offset: -3 }), end: Some(Period { unit: Week, offset: 0 })",
        ),
        (
            "purchased in previous quarter",
            "start: Some(Period { unit: Quarter, offset: -1 }), end: Some(Period { unit: Quarter, offset: 0 })",
        ),
        (
            "purchased between 30d and 1mo ago",
            "start: Some(Back { amount: 1, unit: Month }), end: Some(Back { amount: 30, unit: Day })",
        ),
        (
            "purchased between 1mo and 30d ago",
            "start: Some(Back { amount: 1, unit: Month }), end: Some(Back { amount: 30, unit: Day })",
        ),
    ] {
        assert_eq!(window(source), expected, "{source}");
    }
    means(&[(
        "visited ≥ 2 in each of previous 2 months",
        "And([Count { behaviour: Behaviour { matching: Matching { event: EventId(2), pred: None }, window: Window { start: Some(Period { unit: Month, offset: -2 }), end: Some(Period { unit: Month, offset: -1 }) }, since: None }, op: Ge, n: Exact { units: 2, scale: 0 } }, Count { behaviour: Behaviour { matching: Matching { event: EventId(2), pred: None }, window: Window { start: Some(Period { unit: Month, offset: -1 }), end: Some(Period { unit: Month, offset: 0 }) }, since: None }, op: Ge, n: Exact { units: 2, scale: 0 } }])",
    )]);
}

#[test]
fn windows_of_dates() {
    let month = "start: Some(Period { unit: Month, offset: 0 }), end: Some(Period { unit: Month, offset: 1 })";
    for (source, expected) in [
        ("renewal_date within 30d", "start: Some(AsOf), end: Some(Ahead { amount: 30, unit: Day })"),
        ("joined within 2h", "start: Some(AsOf), end: Some(Ahead { amount: 7200, unit: Second })"),
        ("renewal_date in this month", month),
        ("joined in this month", month),
        (
            "renewal_date in next 3 months",
            "start: Some(Period { unit: Month, offset: 1 }), end: Some(Period { unit: Month, offset: 4 })",
        ),
        (
            "joined in previous year",
            "start: Some(Period { unit: Year, offset: -1 }), end: Some(Period { unit: Year, offset: 0 })",
        ),
    ] {
        assert_eq!(window(source), expected, "{source}");
    }
    means(&[(
        "purchased where (shipped within 3d)",
        "Count { behaviour: Behaviour { matching: Matching { event: EventId(0), pred: Some(Test(During { value: Property(PropertyId(11)), window: Window { start: Some(AsOf), end: Some(Ahead { amount: 3, unit: Day }) } })) }, window: Window { start: None, end: None }, since: None }, op: Ge, n: Exact { units: 1, scale: 0 } }",
    )]);
    says(&[
        ("renewal_date within 3h", &["E0408 3h"]),
        ("renewal_date in 3h", &["E0408 3h"]),
        ("renewal_date since last purchased", &["E0421 since last purchased"]),
        ("purchased where (shipped since first open)", &["E0421 since first open"]),
        ("joined in each of previous 3 months", &["E0421 in each of previous 3 months"]),
        ("age within 3d", &["E0407 within 3d"]),
    ]);
}

#[test]
fn windows_that_look_forward() {
    says(&[
        ("purchased within 30d", &["E0420 within 30d"]),
        ("no purchased in next month", &["E0420 in next month"]),
        ("sum(amount of purchased in next 2 weeks) > 3", &["E0420 in next 2 weeks"]),
    ]);
    assert_eq!(fixed("purchased within 30d"), "purchased in 30d");
    assert_eq!(fixed("purchased in next 2 weeks"), "purchased in previous 2 weeks");
    assert_eq!(fixed("purchased in next month"), "purchased in previous month");
}

#[test]
fn each_of_several_periods() {
    says(&[
        ("purchased in each of previous 366 days", &[]),
        ("no purchased in each of previous 3 months", &["W0506 no purchased in each of previous 3 months"]),
        ("purchased on ≥ 2 days in each of previous 3 weeks", &[]),
        ("purchased between 2 and 5 in each of previous 3 quarters", &[]),
        ("purchased in each of previous 367 days", &["E0421 in each of previous 367 days"]),
        ("first purchased in each of previous 3 months", &["E0421 in each of previous 3 months"]),
        ("sum(amount of purchased in each of previous 3 months) > 3", &["E0421 in each of previous 3 months"]),
        ("rate(open per sent in each of previous 3 months) > 3", &["E0421 in each of previous 3 months"]),
    ]);
}

#[test]
fn since_an_event() {
    means(&[
        (
            "no open since last sent",
            "Count { behaviour: Behaviour { matching: Matching { event: EventId(1), pred: None }, window: Window { start: None, end: None }, since: Some(Anchor { end: Last, back: 1, matching: Matching { event: EventId(3), pred: None } }) }, op: Eq, n: Exact { units: 0, scale: 0 } }",
        ),
        (
            "open ≥ 2 since last 3 sent",
            "Count { behaviour: Behaviour { matching: Matching { event: EventId(1), pred: None }, window: Window { start: None, end: None }, since: Some(Anchor { end: Last, back: 3, matching: Matching { event: EventId(3), pred: None } }) }, op: Ge, n: Exact { units: 2, scale: 0 } }",
        ),
        (
            "last open since first sent",
            "Pick { end: Last, matching: Matching { event: EventId(1), pred: None }, window: Window { start: None, end: None }, since: Some(Anchor { end: First, back: 1, matching: Matching { event: EventId(3), pred: None } }) }",
        ),
    ]);
    says(&[
        ("sum(amount of purchased since last open spring) > 20", &[]),
        ("count(purchased since last sent) = 0", &[]),
        ("rate(open per sent since first purchased) > 20%", &[]),
        ("no open since last country", &["E0406 country"]),
        ("no open since last snt", &["E0301 snt"]),
        ("no open since last open where (campagn = spring)", &["E0309 campagn"]),
        // Since an event that never happened, neither this nor its opposite holds.
        ("open since last sent or no open since last sent", &[]),
        ("open since last sent and no open since last sent", &["E0501 no open since last sent"]),
        ("open ≥ 2 since last sent and open", &[]),
        ("not (open ≥ 2 since last sent) and no open", &["W0506 not (open ≥ 2 since last sent) and no open"]),
    ]);
}

#[test]
fn proofs_about_periods() {
    says(&[
        ("purchased in this month and no purchased in 1mo", &["E0501 no purchased in 1mo"]),
        ("purchased in 1mo and no purchased in this month", &[]),
        ("purchased in this month and purchased in this year", &["W0505 purchased in this year"]),
        (
            "purchased in previous month and no purchased in previous 3 months",
            &["E0501 no purchased in previous 3 months"],
        ),
        ("purchased in previous week and no purchased in this month", &[]),
        ("renewal_date within 7d and renewal_date within 30d", &["W0505 renewal_date within 30d"]),
        ("renewal_date in 7d and renewal_date within 7d", &[]),
        ("renewal_date in 7d and renewal_date in next month", &["E0501 renewal_date in next month"]),
        ("renewal_date over 7d ago and renewal_date within 7d", &["E0501 renewal_date within 7d"]),
        // A month may be longer or shorter than 30 days.
        ("purchased between 30d and 1mo ago and no purchased in 30d", &[]),
        ("purchased between 30d and 1mo ago and no purchased in 31d", &["E0501 no purchased in 31d"]),
        ("joined between 30d and 1mo ago and joined in 28d", &["E0501 joined in 28d"]),
        ("joined between 30d and 1mo ago and joined in 29d", &[]),
    ]);
}

#[test]
fn values_of_the_customer() {
    let pred = |source: &str| {
        let text = meaning(source);
        let from = text.find("pred: Some(").expect("a predicate") + "pred: Some(".len();
        let to = text.find(") }, window").expect("its end");
        text.get(from..to).expect("inside").to_owned()
    };
    for (source, expected) in [
        ("purchased where (country = customer.country)", ""),
        (
            "purchased where (amount > balance)",
            "Test(Compare { left: Property(PropertyId(2)), op: Gt, right: Customer(Attribute(AttributeId(5))) })",
        ),
        (
            "purchased where (customer.balance < amount)",
            "Test(Compare { left: Customer(Attribute(AttributeId(5))), op: Lt, right: Property(PropertyId(2)) })",
        ),
        ("purchased where (is_member)", "Test(Yes(Customer(Attribute(AttributeId(8)))))"),
        (
            "purchased where (not is_member and age ≥ 18)",
            "And([Not(Test(Yes(Customer(Attribute(AttributeId(8)))))), Test(Compare { left: Customer(Attribute(AttributeId(3))), op: Ge, right: Literal(Num(Exact { units: 18, scale: 0 })) })])",
        ),
        (
            "purchased where (joined in 30d)",
            "Test(During { value: Customer(Attribute(AttributeId(7))), window: Window { start: Some(Back { amount: 30, unit: Day }), end: Some(AsOf) } })",
        ),
        (
            "purchased where (origin = home)",
            "Test(Compare { left: Property(PropertyId(9)), op: Eq, right: Customer(Attribute(AttributeId(12))) })",
        ),
    ] {
        if expected.is_empty() {
            continue;
        }
        assert_eq!(pred(source), expected, "{source}");
    }
    let usual = "trait usual: avg(amount of purchased)\nsegment s: purchased where (amount > usual)";
    assert!(pred(usual).contains("right: Customer(Aggregate { function: Avg(PropertyId(2))"), "{}", pred(usual));
    says(&[
        ("purchased where (purchased.country = customer.country)", &[]),
        ("purchased where (amount > city)", &["E0403 amount > city"]),
        ("purchased where (note = age)", &["E0403 note = age"]),
        ("purchased where (tags = vip)", &["E0410 vip"]),
        ("purchased where (customer.nothing > 3)", &["E0301 nothing"]),
        ("purchased where (staff)", &["E0415 staff"]),
        ("purchased where (open)", &["E0415 open"]),
        ("purchased where (count(open) > 3)", &["E0415 count(open)"]),
        ("purchased where (age)", &["E0401 age"]),
        ("purchased where (joined in 3h and renewal_date in 3h)", &["E0408 3h"]),
    ]);
}

#[test]
fn a_filter_of_the_catalog_knows_no_customer() {
    use segue::language::catalog::load;
    use segue::language::check::{Options, check_files};
    use segue::language::source::Sources;

    for (filter, expected) in [
        ("machine", vec![]),
        ("kind = active", vec![]),
        ("active", vec!["E0415 active"]),
        ("amount > customer.age", vec!["E0415 age"]),
        ("amount > age", vec!["E0415 age"]),
        ("joined in 30d", vec!["E0415 joined"]),
    ] {
        let text = format!(
            "sources:\n  all: {{path: data, customer: id, time: ts, event: event}}\nevents:\n  open:\n    source: all\n    filter: {filter}\n    properties:\n      machine: {{type: yes/no}}\n      kind: {{type: text}}\n      amount: {{type: number}}\nprofiles:\n  path: profiles.parquet\n  customer: id\n  attributes:\n    age: {{type: integer}}\n    active: {{type: yes/no}}\n    joined: {{type: instant}}\n"
        );
        let mut sources = Sources::default();
        let id = sources.add("catalog.yaml", text.as_str());
        let (catalog, diagnostics) = load::catalog(&mut sources, id);
        assert!(diagnostics.is_empty(), "{diagnostics:#?}");
        let checked = check_files(&catalog.expect("a catalog"), &Options::default(), &[]);
        let found: Vec<String> = checked
            .diagnostics
            .iter()
            .map(|d| {
                format!("{} {}", d.code, sources.get(d.primary.span.source).expect("a source").slice(d.primary.span))
            })
            .collect();
        assert_eq!(found, expected, "{filter}");
    }
}

/// `not E` is `no E` only where one of the two always holds.
#[test]
fn no_and_not_differ_where_both_may_be_false() {
    says(&[
        ("visited and not purchased in 30d", &["W0420 not purchased in 30d"]),
        ("visited and not purchased since last open", &[]),
        ("visited and not purchased since first open", &[]),
        ("visited and not purchased in each of previous 2 months", &[]),
    ]);
}

#[test]
fn subjects_in_a_row_are_one_list() {
    assert_eq!(fixed("purchased anti-aging or cleanser or serum"), "purchased (anti-aging or cleanser or serum)");
    says(&[
        ("purchased anti-aging or cleanser or serum", &["E0402 cleanser"]),
        ("no purchased anti-aging and cleanser", &["E0402 cleanser"]),
    ]);
    let said = check("no purchased anti-aging and cleanser");
    assert!(said.diagnostics.iter().all(|d| d.fix.is_none()), "neither, or not both: only who wrote it knows");
}

#[test]
fn what_is_recorded_is_of_a_name() {
    says(&[
        ("visited since last contacted c", &["E0301 c"]),
        ("visited then entered vip", &["E0301 vip"]),
        ("contacted", &["E0427 contacted"]),
        ("in any 3d (visited and member of vip)", &["E0425 member of vip"]),
    ]);
}

/// Known values are listed in an order, and texts are compared in another.
#[test]
fn known_texts_have_no_order() {
    says(&[
        ("country > FR", &["W0519 country > FR"]),
        ("purchased where (channel ≥ store)", &["W0519 channel ≥ store"]),
        ("city > \"M\"", &[]),
    ]);
}
