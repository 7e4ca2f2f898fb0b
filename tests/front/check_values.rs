//! Calculations, functions over events, rates and lists: what they mean, and what is refused or doubted.

use crate::check_support::{check, meaning, means, same, says};

const COUNT: &str = "Behaviour { matching: Matching { event: EventId(0), pred: None }, window: Window { start: None, end: None }, since: None }";

#[test]
fn fine() {
    says(&[
        ("count(purchased) > 2 * count(open) + 1", &[]),
        ("sum(amount of purchased in 90d) > 2 * sum(amount of purchased between 180d and 90d ago)", &[]),
        ("sum(amount of purchased in 30d) - sum(amount of purchased between 60d and 30d ago) ≥ 49.90", &[]),
        ("age * 2 > 60 and 60 < age * 3", &[]),
        ("balance / age between 10 and 20", &[]),
        ("(balance - 5) / (age + 1) ≥ 20%", &[]),
        ("median(amount of purchased) > 50", &[]),
        ("percentile(90, amount of purchased in 12mo) > 2 * median(amount of purchased in 12mo)", &[]),
        ("percentile(99.5, quantity of purchased) > 3", &[]),
        ("first(product of purchased) = vcs", &[]),
        ("last(category of purchased) in (serum, lipstick)", &[]),
        ("last(note of purchased) contains gift", &[]),
        ("last(gift of purchased)", &[]),
        ("purchased but not first(gift of purchased)", &[]),
        ("last(shipped of purchased) ≥ 2026-01-01", &[]),
        ("trait sent_out: last(shipped of purchased)\nsegment a: sent_out in 30d", &[]),
        ("most frequent(category of purchased in 12mo) = skincare", &[]),
        ("last(product of purchased) = first(product of purchased)", &[]),
        ("rate(open per sent in 90d) ≥ 20%", &[]),
        ("rate(open spring per sent) > 150%", &[]),
        ("rate(open spring per sent) - rate(open winback per sent) > 120%", &[]),
        ("days since first purchased > 2 * days since last purchased", &[]),
        ("trait gap: days since last purchased - days since last open\nsegment a: gap > 30", &[]),
        ("tags has vip and not tags has \"new one\"", &[]),
        ("purchased where (labels has gift or not labels has sale)", &[]),
        ("purchased where (amount > 2 * 50)", &[]),
    ]);
}

#[test]
fn types() {
    says(&[
        ("joined + 3 > 5", &["E0412 joined"]),
        ("city + 3 > 5", &["E0412 city"]),
        ("is_member * 2 > 1", &["E0412 is_member"]),
        ("tags / 2 > 1", &["E0412 tags"]),
        ("age - \"3\" > 5", &["E0412 \"3\""]),
        ("age - 2026-01-01 > 5", &["E0412 2026-01-01"]),
        ("age + country > 5 and city * 2 > 1", &["E0412 country", "E0412 city"]),
        ("last(product of purchased) + 1 > 5", &["E0412 last(product of purchased)"]),
        ("age / 0 > 5", &["E0430 0"]),
        ("age / (3 - 3) > 5", &["E0430 (3 - 3)"]),
        ("2 * 3 > 5", &["E0417 2 * 3 > 5"]),
        ("age + 1 = age + 1", &["E0417 age + 1 = age + 1"]),
        ("trait t: 3 * 4\nsegment a: t > 3", &["E0417 3 * 4"]),
        ("purchased + 1 > 5", &["E0413 purchased"]),
        ("count(purchased) + staff > 5", &["E0413 staff"]),
        ("count(purchased) + agee > 5", &["E0301 agee"]),
        ("age + 1", &["E0401 age + 1"]),
        ("age + 1 = old", &["E0403 old"]),
        ("sum(amount of purchased) > country", &["E0403 sum(amount of purchased) > country"]),
        ("sum(amount of purchased) = \"50\"", &["E0403 \"50\""]),
        ("median(amount of purchased) > 2026-01-01", &["E0403 2026-01-01"]),
        ("count(purchased) ≥ 20%", &["E0403 20%"]),
        ("score * 2 > 120%", &["W0419 120%"]),
        ("first(product of purchased) > 3", &["E0403 3"]),
        ("last(country of purchased) = 3", &["E0403 3"]),
        ("last(category of purchased) = skinare", &["E0307 skinare"]),
        ("last(product of purchased) = lipstik", &["W0316 lipstik"]),
        ("last(shipped of purchased) contains x", &["E0409 last(shipped of purchased) contains x"]),
        ("last(product of purchased) has serum", &["E0410 last(product of purchased) has serum"]),
        ("last(gift of purchased) = yes", &["E0411 yes"]),
        (
            "last(gift of purchased) > first(gift of purchased)",
            &["E0411 last(gift of purchased) > first(gift of purchased)"],
        ),
        ("median(product of purchased) > 3", &["E0412 product"]),
        ("median(shipped of purchased) > 3", &["E0412 shipped"]),
        ("percentile(50, channel of purchased) > 3", &["E0412 channel"]),
        ("last(labels of purchased) = gift", &["E0412 labels"]),
        ("most frequent(labels of purchased) = gift", &["E0412 labels"]),
        ("percentile(101, amount of purchased) > 3", &["E0431 101"]),
        ("percentile(99.99999, amount of purchased) > 3", &["E0431 99.99999"]),
        ("last(prise of purchased) > 3", &["E0309 prise"]),
        ("rate(country per sent) > 10%", &["E0413 country"]),
        ("rate(open per snt) > 10%", &["E0301 snt"]),
        ("rate(open per open in 90d) > 10%", &["E0417 rate(open per open in 90d)"]),
        ("rate(open per sent) = many", &["E0403 many"]),
        ("rate(open per sent)", &["E0401 rate(open per sent)"]),
        ("tags ≠ vip", &["E0410 vip"]),
        ("tags in (vip, new)", &["E0410 tags in (vip, new)"]),
        ("tags + 1 has vip", &["E0412 tags"]),
        ("age has vip", &["E0410 age has vip"]),
        ("purchased where (amount * 2 > 5)", &["E0415 amount * 2"]),
        ("purchased where (amount > median(amount of purchased))", &["E0415 median(amount of purchased)"]),
        ("purchased where (amount > rate(open per sent))", &["E0415 rate(open per sent)"]),
        ("purchased ≥ count(open) + 1", &["E0404 count(open) + 1"]),
    ]);
}

#[test]
fn meaning_of_constants() {
    says(&[
        ("age * 2 > 5 and age * 2 < 3", &["E0501 age * 2 < 3"]),
        ("count(purchased) + 1 = 2.5", &["E0501 count(purchased) + 1 = 2.5"]),
        ("age / 2 = 2.5", &[]),
        ("rate(open per sent) < 0", &["E0501 rate(open per sent) < 0"]),
        (
            "last(category of purchased) = serum and last(category of purchased) = makeup",
            &["E0501 last(category of purchased) = makeup"],
        ),
        (
            "median(amount of purchased) > 5 and median(amount of purchased) > 3",
            &["W0505 median(amount of purchased) > 3"],
        ),
        ("count(purchased) + count(open) is known", &["W0504 count(purchased) + count(open) is known"]),
        ("count(purchased) / count(open) is known", &[]),
        ("count(purchased) - 3 < 0", &["W0506 count(purchased) - 3 < 0"]),
        ("2 * count(purchased) < 3", &["W0506 2 * count(purchased) < 3"]),
        ("3 / count(purchased) < 3", &[]),
        ("rate(open per sent) < 10%", &[]),
        ("rate(open per sent) is unknown", &["W0506 rate(open per sent) is unknown"]),
        ("last(product of purchased) ≠ lipstick", &["W0506 last(product of purchased) ≠ lipstick"]),
        ("median(amount of purchased) > count(open)", &[]),
        ("age < median(amount of purchased)", &[]),
    ]);
}

#[test]
fn spellings_of_one_meaning() {
    same(&[
        ("age > 2 * 3", "age > 6"),
        ("age > 10 - 2 - 3", "age > 5"),
        ("age > (1 + 2) * 3", "age > 9"),
        ("age > 1 + 2 * 3", "age > 7"),
        ("score > 10% + 5%", "score > 15%"),
        ("score > 2 * 20%", "score > 0.4"),
        ("10 < age + 1", "age + 1 > 10"),
        ("median(amount of purchased) > 5", "percentile(50, amount of purchased) > 5"),
        ("percentile(50.0, amount of purchased) > 5", "median(amount of bought) > 5.0"),
        ("last(category of purchased) = serum", "last(category of purchased) in (serum, vitamin-c, retinol)"),
        ("last(product of purchased) = vcs", "last(product of purchased) = \"vitamin-c-serum\""),
        ("last(note of purchased) = STRASSE", "last(note of purchased) = \"strasse\""),
        ("trait a: age + 1\ntrait b: a * 2\nsegment s: b > 3", "(age + 1) * 2 > 3"),
        ("trait a: b + 1\ntrait b: customer.age\nsegment s: a > 3", "age + 1 > 3"),
    ]);
}

#[test]
fn values() {
    let at_least_one = "op: Ge, right: Literal(Num(Exact { units: 1, scale: 0 })) })";
    means(&[
        (
            "2 * age - score ≥ 1",
            &format!(
                "Test(Compare {{ left: Arithmetic {{ op: Subtract, left: Arithmetic {{ op: Multiply, left: Literal(Num(Exact {{ units: 2, scale: 0 }})), right: Attribute(AttributeId(3)) }}, right: Attribute(AttributeId(4)) }}, {at_least_one}"
            ),
        ),
        (
            "percentile(99.5, amount of purchased) ≥ 1",
            &format!(
                "Test(Compare {{ left: Aggregate {{ function: Percentile(PropertyId(2), 995000), behaviour: {COUNT} }}, {at_least_one}"
            ),
        ),
        (
            "last(quantity of purchased) ≥ 1",
            &format!(
                "Test(Compare {{ left: Aggregate {{ function: Last(PropertyId(3)), behaviour: {COUNT} }}, {at_least_one}"
            ),
        ),
        (
            "most frequent(quantity of purchased) ≥ 1",
            &format!(
                "Test(Compare {{ left: Aggregate {{ function: MostFrequent(PropertyId(3)), behaviour: {COUNT} }}, {at_least_one}"
            ),
        ),
        (
            "rate(purchased per sent) ≥ 1",
            &format!(
                "Test(Compare {{ left: Rate {{ of: {COUNT}, per: {} }}, {at_least_one}",
                COUNT.replace("EventId(0)", "EventId(3)")
            ),
        ),
        (
            "last(gift of purchased)",
            &format!("Test(Yes(Aggregate {{ function: Last(PropertyId(5)), behaviour: {COUNT} }}))"),
        ),
    ]);
}

#[test]
fn types_of_traits() {
    for (value, expected) in [
        ("age + 1", "Integer"),
        ("age * age", "Integer"),
        ("age / 2", "Number"),
        ("age * 1.5", "Number"),
        ("balance - sum(amount of purchased)", "Money { scale: 2 }"),
        ("balance * 2", "Number"),
        ("balance + 1", "Number"),
        ("median(quantity of purchased)", "Number"),
        ("last(amount of purchased)", "Money { scale: 2 }"),
        ("last(product of purchased)", "Text"),
        ("most frequent(shipped of purchased)", "Date"),
        ("rate(open per sent)", "Number"),
        ("days since first purchased", "Integer"),
    ] {
        let said = check(&format!("trait t: {value}"));
        let traits = &said.checked.program.traits;
        let found: Vec<String> = traits.iter().map(|t| format!("{:?}", t.ty)).collect();
        assert_eq!(found, [expected], "{value}: {:?}", said.diagnostics);
    }
}

/// Whatever is used in a `where`, a rank, an anchor or a calculation is used, and understood before.
#[test]
fn uses_are_found_wherever_they_stand() {
    for rule in ["2 * t > 5", "5 < t - 1", "age / t > 5", "age between 1 and t + 5", "customer.t > 5"] {
        let source = format!("segment a: {rule}\ntrait t: u + 1\ntrait u: sum(quantity of purchased)");
        let said = check(&source);
        assert!(said.findings().is_empty(), "{rule}: {:?}", said.findings());
        assert!(meaning(&source).contains("Sum"), "{rule}");
    }
    says(&[
        ("trait t: 2 * t\nsegment a: t > 3", &["E0310 t"]),
        ("trait t: u - 1\ntrait u: 1 + t\nsegment a: t > 3", &["E0310 t"]),
    ]);
}

/// The cures that a few mistakes get.
#[test]
fn cures() {
    for (source, cure) in [
        ("joined - 3 > 5", "write `days since joined` for its age in days, which is a number"),
        ("is_member + 1 > 5", "ask it by itself: `is_member` or `not is_member`"),
        ("tags ≠ vip", "write `not tags has vip`"),
        ("age / 0 > 3", "divide by something that is not zero"),
        ("purchased + 1 > 5", "write `count(purchased)` for their number, `days since last purchased` for their age"),
        ("purchased ≥ 2 * age", "to compare two values write `count(purchased) ≥ …`"),
    ] {
        let said = check(source);
        let helps: Vec<&String> = said.diagnostics.iter().flat_map(|d| &d.help).collect();
        assert!(helps.iter().any(|h| *h == cure), "{source}: {helps:?}");
    }
}

/// A long row is no deep nesting for whoever writes it; the stack bears it, or the parser says where it ends.
#[test]
fn long_calculations() {
    let long = format!("age{} > 3", " + age".repeat(3000));
    let said = check(&long);
    assert!(said.findings().iter().all(|f| f.starts_with("E0107")), "{:?}", said.findings().first());
    assert_eq!(meaning(&format!("age > 1{}", " + 1".repeat(50))), meaning("age > 51"));
}
