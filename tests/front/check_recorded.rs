//! What earlier runs left behind, in rules.

use segue::language::catalog::load;
use segue::language::check::{CheckFile, check as check_project};
use segue::language::diagnostic::Diagnostic;
use segue::language::source::Sources;
use segue::language::syntax::parse;

use crate::check_support::{catalog, check, meaning};

/// A catalog of six events.
const ENTERED: &str = "EventId(6)";
const LEFT: &str = "EventId(7)";
const CONTACTED: &str = "EventId(8)";
const HELD_OUT: &str = "EventId(9)";

fn with(rule: &str) -> String {
    format!("segment vip was gold: purchased ≥ 9\ncampaign winback: open → offer\nsegment z: {rule}")
}

/// The events of a name, as the program has them.
fn events(id: &str, names: &[&str]) -> String {
    let among: Vec<String> = names.iter().map(|name| format!("Text({name:?})")).collect();
    let among = among.join(", ");
    format!(
        "Matching {{ event: {id}, pred: Some(Test(OneOf {{ value: Property(PropertyId(0)), among: [{among}], negated: false }})) }}"
    )
}

#[test]
fn they_are_behaviours() {
    let vip = events(ENTERED, &["vip", "gold"]);
    let winback = events(CONTACTED, &["winback"]);
    let days = |n| format!("Window {{ start: Some(Back {{ amount: {n}, unit: Day }}), end: Some(AsOf) }}");
    let ever = "Window { start: None, end: None }";
    let counted = |of: &str, window: &str, op: &str, n: u32| {
        format!(
            "Count {{ behaviour: Behaviour {{ matching: {of}, window: {window}, since: None }}, op: {op}, n: Exact {{ units: {n}, scale: 0 }} }}"
        )
    };
    for (rule, expected) in [
        ("entered vip in 7d", counted(&vip, &days(7), "Ge", 1)),
        ("no entered vip in 7d", counted(&vip, &days(7), "Eq", 0)),
        ("never left vip", counted(&events(LEFT, &["vip", "gold"]), ever, "Eq", 0)),
        ("contacted winback ≤ 2", counted(&winback, ever, "Le", 2)),
        ("held out winback in 30d", counted(&events(HELD_OUT, &["winback"]), &days(30), "Ge", 1)),
        ("held   out winback in 30d", counted(&events(HELD_OUT, &["winback"]), &days(30), "Ge", 1)),
        (
            "last contacted winback in 7d",
            format!("Pick {{ end: Last, matching: {winback}, window: {}, since: None }}", days(7)),
        ),
        (
            "contacted winback on ≥ 2 days",
            format!(
                "Periods {{ behaviour: Behaviour {{ matching: {winback}, window: {ever}, since: None }}, unit: Day, op: Ge, n: Exact {{ units: 2, scale: 0 }} }}"
            ),
        ),
    ] {
        assert_eq!(meaning(&with(rule)), expected, "{rule}");
    }
    // Members have entered and not left since, at the edge included.
    let stayed = format!(
        "Count {{ behaviour: Behaviour {{ matching: {}, window: {ever}, since: Some(Anchor {{ end: Last, back: 1, matching: {vip} }}) }}, op: Eq, n: Exact {{ units: 0, scale: 0 }} }}",
        events(LEFT, &["vip", "gold"])
    );
    assert_eq!(meaning(&with("member of vip")), stayed);
    let early = format!(
        "Pick {{ end: Last, matching: {vip}, window: Window {{ start: None, end: Some(Through {{ amount: 14, unit: Day }}) }}, since: None }}"
    );
    assert_eq!(meaning(&with("member of vip for 2w")), format!("And([{early}, {stayed}])"));
    for (rule, part) in [
        (
            "purchased since last contacted winback",
            format!("since: Some(Anchor {{ end: Last, back: 1, matching: {winback} }})"),
        ),
        ("no open since last 2 held out winback", format!("back: 2, matching: {}", events(HELD_OUT, &["winback"]))),
        ("contacted winback then purchased within 7d", format!("steps: [Step {{ pick: None, matching: {winback}")),
        (
            "last contacted winback then no purchased within 7d",
            format!("steps: [Step {{ pick: Some(Last), matching: {winback}"),
        ),
        ("purchased then held out winback within 3d", format!("matching: {}", events(HELD_OUT, &["winback"]))),
        (
            "purchased then last held out winback",
            format!("Step {{ pick: Some(Last), matching: {}", events(HELD_OUT, &["winback"])),
        ),
        (
            "purchased then no held out winback within 3d",
            format!("absence: Some(Absence {{ matching: {}", events(HELD_OUT, &["winback"])),
        ),
        ("purchased then no entered vip within 7d", format!("absence: Some(Absence {{ matching: {vip}")),
        (
            "count(contacted winback in 30d) ≥ 2",
            format!("function: Count, behaviour: Behaviour {{ matching: {winback}"),
        ),
        ("count(held out winback) ≥ 2", format!("matching: {}", events(HELD_OUT, &["winback"]))),
        ("days since last entered vip < 3", format!("DaysSinceEvent {{ end: Last, matching: {vip}")),
    ] {
        let found = meaning(&with(rule));
        assert!(found.contains(&part), "{rule}: {found}");
    }
}

#[test]
fn mistakes() {
    for (rule, expected) in [
        ("entered vip in 7d", vec!["W0514 entered vip"]),
        ("member of vip", vec!["W0514 member of vip"]),
        ("purchased since last contacted winback", vec!["W0514 contacted winback"]),
        ("entered winback in 7d", vec!["E0427 winback"]),
        ("member of winback", vec!["E0427 winback"]),
        ("entered country", vec!["E0427 country"]),
        ("entered gold", vec!["E0301 gold"]),
        ("contacted vip", vec!["E0427 vip"]),
        ("held out purchased", vec!["E0427 purchased"]),
        ("contacted winbak", vec!["E0301 winbak"]),
        ("entered vipp", vec!["E0301 vipp"]),
        ("entered vip within 7d", vec!["E0420 within 7d"]),
        ("entered vip ≥ 2.5", vec!["E0404 2.5"]),
        ("purchased where (entered vip)", vec!["E0415 entered vip"]),
        ("purchased since last contacted", vec!["E0427 contacted"]),
        ("purchased since last contacted (winback or vip)", vec!["E0427 (winback or vip)"]),
        ("purchased since last contacted winback where (name = winback)", vec!["E0427 name = winback"]),
        ("sum(cost of contacted winback) > 3", vec!["E0309 cost", "W0514 contacted winback"]),
        ("days since contacted winback > 3", vec!["E0405 contacted"]),
        (
            "contacted winback ≥ 3 in 7d and no contacted winback in 1y",
            vec!["W0514 contacted winback", "E0501 no contacted winback in 1y", "W0514 contacted winback"],
        ),
        ("in any 3d (purchased then no held out winback)", vec!["W0514 held out winback"]),
        ("in any 3d (contacted winback and purchased)", vec!["W0514 contacted winback"]),
        ("in any 3d (viewed ≥ 2 and not (held out winback ≥ 3))", vec!["W0514 held out winback"]),
        ("in any 3d (no contacted winback)", vec!["E0425 no contacted winback", "W0514 contacted winback"]),
        ("in any 3d (last contacted winback)", vec!["E0425 last"]),
        ("in any 3d (contacted winback in 30d)", vec!["E0425 in 30d"]),
        ("in any 3d (purchased and member of vip)", vec!["E0425 member of vip"]),
        ("in one session (viewed and contacted winback)", vec!["E0425 contacted winback"]),
        ("in one session (viewed then contacted winback)", vec!["E0425 contacted", "W0514 contacted winback"]),
        (
            "in one session (viewed then viewed without held out winback)",
            vec!["E0425 held out", "W0514 held out winback"],
        ),
        ("in one session (viewed then no entered vip)", vec!["E0425 entered", "W0514 entered vip"]),
        ("entered vip and left vip", vec!["W0514 entered vip", "W0514 left vip"]),
        ("entered vip and entered vip", vec!["W0514 entered vip", "W0505 entered vip", "W0514 entered vip"]),
    ] {
        assert_eq!(check(&with(rule)).findings(), expected, "{rule}");
    }
}

/// Whoever remembers what runs decide is not told that nobody does.
#[test]
fn a_store_keeps_a_history() {
    let findings = |more: &str, text: &str| {
        let mut sources = Sources::default();
        let catalog = catalog(&mut sources);
        let id = sources.add("segue.yaml", format!("name: p\nedition: \"2026\"\ntimezone: UTC\n{more}"));
        let (project, said) = load::project(sources.get(id).expect("added"));
        assert!(said.is_empty(), "{said:#?}");
        let id = sources.add("z.seg", with(text));
        let parsed = parse(sources.get(id).expect("added"));
        let files = [CheckFile { stem: "z", parsed: &parsed.file }];
        let checked = check_project(&sources, &catalog, &project.expect("a project"), &files);
        let code = |d: &Diagnostic| d.code.as_str().to_owned();
        checked.diagnostics.iter().map(code).collect::<Vec<_>>()
    };
    for text in [
        "entered vip in 7d and no contacted winback in 30d",
        "purchased\ncampaign c: visited → offer at most 1 in 30d budget 9 cost 1",
    ] {
        assert_eq!(findings("", text), ["W0514", "W0514"], "{text}");
        assert_eq!(findings("store: published\n", text), Vec::<String>::new(), "{text}");
    }
}
