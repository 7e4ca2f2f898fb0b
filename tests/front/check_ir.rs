//! What conditions mean: source, then the program it becomes.

use crate::check_support::{check, check_all, meaning, means, same};

#[test]
fn spellings_of_one_meaning() {
    same(&[
        ("purchased", "bought ≥ 1"),
        ("purchased", "purchased ever"),
        ("no purchased in 30d", "purchased = 0 in 30d"),
        ("never purchased", "no purchased"),
        ("purchased in 2w", "purchased in 14d"),
        ("purchased in 1y", "purchased in 12mo"),
        ("purchased in 2h", "purchased in 120min"),
        ("purchased between 30d and 60d ago", "purchased between 60d and 30d ago"),
        ("purchased anti-aging", "purchased where (category = anti-aging)"),
        ("purchased Anti-Aging", "purchased anti-aging"),
        ("purchased vcs", "purchased where (product = \"vitamin-c-serum\")"),
        ("purchased serum", "purchased where (category in (serum, vitamin-c, retinol))"),
        ("purchased (retinol or serum)", "purchased where (category in (retinol, serum))"),
        ("country = italy", "country = IT"),
        ("country = it", "country = \"IT\""),
        ("3 < age", "age > 3"),
        ("2026-01-01 ≤ joined", "joined since 2026-01-01"),
        ("joined = 2026-01-01", "joined on 2026-01-01"),
        ("joined < 2026-01-02", "joined before 2026-01-02"),
        ("trait a: age\nsegment s: a > 3", "segment s: age > 3"),
        ("trait b: a\ntrait a: sum(amount of purchased)\nsegment s: b > 3", "segment s: sum(amount of bought) > 3.0"),
        ("(customer.age) > 3", "age > 3"),
        ("purchased where (weekday = Monday)", "purchased where (weekday = mon)"),
        ("purchased where (note = STRASSE)", "purchased where (note = \"strasse\")"),
    ]);
}

#[test]
fn leaves() {
    means(&[
        ("everyone", "Const(true)"),
        ("staff", "List(ListId(0))"),
        (
            "purchased ≥ 3 in 90d",
            "Count { behaviour: Behaviour { matching: Matching { event: EventId(0), pred: None }, window: Window { start: Some(Back { amount: 90, unit: Day }), end: Some(AsOf) }, since: None }, op: Ge, n: Exact { units: 3, scale: 0 } }",
        ),
        (
            "last open over 60d ago",
            "Pick { end: Last, matching: Matching { event: EventId(1), pred: None }, window: Window { start: None, end: Some(Back { amount: 60, unit: Day }) }, since: None }",
        ),
        (
            "visited on ≥ 4 weeks",
            "Periods { behaviour: Behaviour { matching: Matching { event: EventId(2), pred: None }, window: Window { start: None, end: None }, since: None }, unit: Week, op: Ge, n: Exact { units: 4, scale: 0 } }",
        ),
        ("known for 30d", "KnownSince(Back { amount: 30, unit: Day })"),
        ("is_member", "Test(Yes(Attribute(AttributeId(8))))"),
        ("not is_member", "Not(Test(Yes(Attribute(AttributeId(8)))))"),
        ("age is unknown", "Not(Test(Known(Attribute(AttributeId(3)))))"),
        ("tags has vip", "Test(Has { value: Attribute(AttributeId(10)), among: [\"vip\"] })"),
        ("country ≠ FR", "Test(Compare { left: Attribute(AttributeId(0)), op: Ne, right: Literal(Text(\"FR\")) })"),
        (
            "city contains \"Par\"",
            "Test(Text { value: Attribute(AttributeId(1)), how: Contains, pattern: \"Par\", fold: false })",
        ),
        (
            "age between 30 and 45",
            "And([Test(Compare { left: Attribute(AttributeId(3)), op: Ge, right: Literal(Num(Exact { units: 30, scale: 0 })) }), Test(Compare { left: Attribute(AttributeId(3)), op: Le, right: Literal(Num(Exact { units: 45, scale: 0 })) })])",
        ),
        (
            "birth_date in 3d",
            "Test(During { value: Attribute(AttributeId(6)), window: Window { start: Some(Back { amount: 3, unit: Day }), end: Some(AsOf) } })",
        ),
        (
            "joined ≠ 2026-01-01",
            "Not(Test(During { value: Attribute(AttributeId(7)), window: Window { start: Some(StartOfDay(Date { year: 2026, month: 1, day: 1 })), end: Some(EndOfDay(Date { year: 2026, month: 1, day: 1 })) } }))",
        ),
        (
            "joined between 2026-01-01T00:00 and 2026-01-01T01:00Z",
            "Test(During { value: Attribute(AttributeId(7)), window: Window { start: Some(Instant(1767225600000000)), end: Some(Instant(1767229200000000)) } })",
        ),
        (
            "days since last purchased ≥ 60",
            "Test(Compare { left: DaysSinceEvent { end: Last, matching: Matching { event: EventId(0), pred: None } }, op: Ge, right: Literal(Num(Exact { units: 60, scale: 0 })) })",
        ),
    ]);
}

#[test]
fn predicates() {
    let pred = |source: &str| {
        let text = meaning(source);
        let from = text.find("pred: Some(").expect("a predicate") + "pred: Some(".len();
        let to = text.find(") }, window").expect("its end");
        text.get(from..to).expect("inside").to_owned()
    };
    for (source, expected) in [
        (
            "purchased anti-aging",
            "Test(Compare { left: Property(PropertyId(0)), op: Eq, right: Literal(Text(\"anti-aging\")) })",
        ),
        (
            "purchased other than anti-aging",
            "And([Test(Known(Property(PropertyId(0)))), Test(Compare { left: Property(PropertyId(0)), op: Ne, right: Literal(Text(\"anti-aging\")) })])",
        ),
        (
            "purchased (anti-aging or night-cream)",
            "Or([Test(Compare { left: Property(PropertyId(0)), op: Eq, right: Literal(Text(\"anti-aging\")) }), Test(Compare { left: Property(PropertyId(1)), op: Eq, right: Literal(Text(\"night-cream\")) })])",
        ),
        (
            "purchased anti-aging where (amount > 5.50 and gift)",
            "And([Test(Compare { left: Property(PropertyId(0)), op: Eq, right: Literal(Text(\"anti-aging\")) }), Test(Compare { left: Property(PropertyId(2)), op: Gt, right: Literal(Num(Exact { units: 55, scale: 1 })) }), Test(Yes(Property(PropertyId(5))))])",
        ),
        (
            "purchased where (hour < 5)",
            "Test(Compare { left: Hour, op: Lt, right: Literal(Num(Exact { units: 5, scale: 0 })) })",
        ),
        (
            "purchased where (date = 2026-01-01)",
            "Test(Compare { left: Date, op: Eq, right: Literal(Date(Date { year: 2026, month: 1, day: 1 })) })",
        ),
        (
            "purchased where (note starts with \"ÄB\")",
            "Test(Text { value: Property(PropertyId(8)), how: StartsWith, pattern: \"äb\", fold: true })",
        ),
        (
            "purchased where (quantity = amount)",
            "Test(Compare { left: Property(PropertyId(3)), op: Eq, right: Property(PropertyId(2)) })",
        ),
    ] {
        assert_eq!(pred(source), expected, "{source}");
    }
}

#[test]
fn filters_of_events_are_checked() {
    let said = check("open");
    let filter = format!("{:?}", said.checked.program.event_filters);
    assert_eq!(filter, "[None, Some(Not(Test(Yes(Property(PropertyId(1)))))), None, None, None, None]");
}

#[test]
fn rules_stand_behind_what_they_use() {
    let said = check_all(&[
        ("b", "segment z: a and country = FR\nsegment c: z or d"),
        ("a", "segment d: open\nsegment a: purchased\ncampaign first: c → send welcome"),
        ("bare", "visited in 7d → call"),
    ]);
    assert!(said.diagnostics.is_empty(), "{:#?}", said.diagnostics);
    let program = &said.checked.program;
    let names: Vec<&str> = program.rules.iter().map(|r| r.name.as_str()).collect();
    assert_eq!(names, ["a", "bare", "d", "z", "c", "first", "email.consent", "email.suppressed"]);
    let last = &program.rules[5];
    assert_eq!(format!("{:?}", last.condition), "Rule(RuleId(4))");
    let campaign = program.campaign(last).expect("a campaign");
    assert_eq!(campaign.rule, segue::language::ir::RuleId(5));
    assert_eq!(
        format!("{:?}", campaign.arms),
        "[Arm { name: \"1\", take: All, action: Action { verb: \"send\", arguments: [\"welcome\"], channel: Some(\"email\") } }]"
    );
}

#[test]
fn a_rule_with_a_mistake_takes_its_users_with_it_silently() {
    let said = check("segment a: purchsed\nsegment b: a and open\nsegment c: visited");
    assert_eq!(said.findings(), ["E0301 purchsed"]);
    let names: Vec<&str> = said.checked.program.rules.iter().map(|r| r.name.as_str()).collect();
    assert_eq!(names, ["c"]);
}

#[test]
fn projects_set_severities() {
    use segue::language::check::{CheckFile, Options, check_files};
    use segue::language::diagnostic::{Severity, code};
    let mut sources = segue::language::source::Sources::default();
    let catalog = crate::check_support::catalog(&mut sources);
    let id = sources.add("a.seg", "segment a: purchased and open or visited\nsegment b: no open\nsegment c: purchsed\nsegment d: age between 3 and 2");
    let parsed = segue::language::syntax::parse(sources.get(id).expect("added"));
    let files = [CheckFile { stem: "a", parsed: &parsed.file }];
    let mut options = Options::default();
    options.severities.insert(code::check::MIXED, Some(Severity::Error));
    options.severities.insert(code::check::INACTIVE, None);
    options.severities.insert(code::check::UNKNOWN_NAME, None);
    options.severities.insert(code::check::NEVER_HOLDS, Some(Severity::Warning));
    let said = check_files(&catalog, &options, &files).diagnostics;
    let told: Vec<String> = said.iter().map(|d| format!("{} {:?}", d.code, d.severity)).collect();
    assert_eq!(told, ["W0508 Error", "E0301 Error", "E0501 Warning"]);
}

/// By its file, too: what can be run and reaches nobody is for the project to judge.
#[test]
fn project_files_set_severities() {
    use segue::language::check::{CheckFile, Options, check_files};
    let mut sources = segue::language::source::Sources::default();
    let catalog = crate::check_support::catalog(&mut sources);
    let text = "segment vip: purchased\ncampaign c: vip and open → offer except vip\nsegment d: age between 3 and 2\n\
                segment ace: purchased ≥ 9\nsegment асе: open";
    let rules = sources.add("a.seg", text);
    let parsed = segue::language::syntax::parse(sources.get(rules).expect("added"));
    let files = [CheckFile { stem: "a", parsed: &parsed.file }];
    let mut told = |lints: &str| -> Vec<String> {
        let head = "name: p\nedition: \"2026\"\ntimezone: UTC\n";
        let id = sources.add("segue.yaml", format!("{head}lints: {lints}\n"));
        let (project, found) = segue::language::catalog::load::project(sources.get(id).expect("added"));
        assert!(found.is_empty(), "{found:#?}");
        let said = check_files(&catalog, &Options::of(&project.expect("a project")), &files).diagnostics;
        said.iter().map(|d| format!("{} {:?}", d.code, d.severity)).collect()
    };
    assert_eq!(told("{}"), ["E0523 Error", "E0501 Error", "E0303 Error"]);
    assert_eq!(told("{E0523: warn, E0501: warn, E0303: warn}"), ["E0523 Warning", "E0501 Warning", "E0303 Warning"]);
    assert_eq!(told("{E0523: allow, e0501: allow, E0303: error}"), ["E0303 Error"]);
}

#[test]
fn many_rules_and_long_chains() {
    let mut text = String::new();
    for i in 0..500 {
        text.push_str(&format!(
            "segment s{i}: purchased anti-aging ≥ {} in {}d and no open in {}d and country = FR and age > {i}\n",
            1 + i % 97,
            400 + i % 30,
            i % 30 + 1
        ));
    }
    let said = check(&text);
    assert!(said.diagnostics.is_empty(), "{:#?}", said.diagnostics.first());
    assert_eq!(said.checked.program.rules.len(), 500);

    // Each uses the one before: neither the stack nor time runs out.
    let mut chain = "segment c0: purchased\ntrait t0: age\n".to_owned();
    for i in 1..500 {
        chain.push_str(&format!("segment c{i}: c{} and t{i} > {i}\ntrait t{i}: t{}\n", i - 1, i - 1));
    }
    let said = check(&chain);
    assert!(said.diagnostics.is_empty(), "{:#?}", said.diagnostics.first());
    let ring = chain.replacen("segment c0: purchased", "segment c0: c499", 1);
    assert_eq!(check(&ring).findings(), ["E0310 c0"]);
}
