//! Stages: what their lines mean, what may be asked of them, and which lines take no one.

use crate::check_support::{check, check_all, means, same, says};

const JOURNEY: &str =
    "stages journey:\n  purchased in 30d → buyer\n  visited ≥ 3 in 30d → Curious\n  otherwise → stranger\n";
const PARTIAL: &str = "stages journey:\n  purchased in 30d → buyer\n  visited in 30d → curious\n";

/// The stages, and a segment of this condition behind them.
fn with(stages: &str, condition: &str) -> String {
    format!("{stages}segment a: {condition}")
}

#[track_caller]
fn asked(stages: &str, cases: &[(&str, &[&str])]) {
    let sources: Vec<String> = cases.iter().map(|(condition, _)| with(stages, condition)).collect();
    let cases: Vec<(&str, &[&str])> = sources.iter().zip(cases).map(|(s, (_, found))| (s.as_str(), *found)).collect();
    says(&cases);
}

#[test]
fn lines_become_rules() {
    let said = check(&with(JOURNEY, "journey = buyer and open"));
    assert!(said.diagnostics.is_empty(), "{:?}", said.findings());
    let program = &said.checked.program;
    let names: Vec<&str> = program.rules.iter().map(|r| r.name.as_str()).collect();
    assert_eq!(names, ["journey.buyer", "journey.Curious", "journey.stranger", "a"]);
    let conditions: Vec<String> = program.rules.iter().map(|r| format!("{:?}", r.condition)).collect();
    assert!(conditions[0].starts_with("Count {"), "{}", conditions[0]);
    assert!(
        conditions[1].starts_with("And([Count {") && conditions[1].ends_with("Not(Rule(RuleId(0)))])"),
        "{}",
        conditions[1]
    );
    assert_eq!(conditions[2], "And([Not(Rule(RuleId(0))), Not(Rule(RuleId(1)))])");
    assert!(conditions[3].starts_with("And([Rule(RuleId(0)), Count {"), "{}", conditions[3]);
    let [stages] = program.stages.as_slice() else { panic!("{:?}", program.stages) };
    let lines: Vec<(&str, u32)> = stages.lines.iter().map(|l| (l.stage.as_str(), l.rule.0)).collect();
    assert_eq!((stages.name.as_str(), lines), ("journey", vec![("buyer", 0), ("Curious", 1), ("stranger", 2)]));
    for rule in &program.rules[..3] {
        assert_eq!(format!("{:?}", rule.kind), "Stage { stages: 0 }");
    }
}

#[test]
fn only_an_otherwise() {
    let said = check("stages s:\n  otherwise → each\nsegment a: s = each and purchased");
    let rules = &said.checked.program.rules;
    assert_eq!(format!("{:?}", rules.first().map(|r| &r.condition)), "Some(Const(true))");
}

#[test]
fn what_may_be_asked() {
    let (one, none, several) = (
        with(JOURNEY, "journey = buyer"),
        with(JOURNEY, "journey ≠ buyer"),
        with(JOURNEY, "journey in (stranger, buyer)"),
    );
    means(&[
        (&one, "Rule(RuleId(0))"),
        (&none, "Not(Rule(RuleId(0)))"),
        (&several, "Or([Rule(RuleId(0)), Rule(RuleId(2))])"),
        (&with(JOURNEY, "journey not in (buyer, curious)"), "Not(Or([Rule(RuleId(0)), Rule(RuleId(1))]))"),
    ]);
    same(&[
        (&with(JOURNEY, "journey = curious"), &with(JOURNEY, "journey = \"Curious\"")),
        (&with(JOURNEY, "journey in (buyer, buyer)"), &one),
        (&with(JOURNEY, "journey in (buyer, stranger)"), &several),
    ]);
}

#[test]
fn what_may_not() {
    asked(
        JOURNEY,
        &[
            ("journey", &["E0432 journey"]),
            ("not journey", &["E0432 journey"]),
            ("journey > buyer", &["E0432 > buyer"]),
            ("journey between buyer and stranger", &["E0432 between buyer and stranger"]),
            ("journey contains buy", &["E0432 contains buy"]),
            ("journey has buyer", &["E0432 has buyer"]),
            ("journey is known", &["E0432 is known"]),
            ("journey = 3", &["E0432 3"]),
            ("journey = buyr", &["E0307 buyr"]),
            ("journey = \"curious\"", &["E0307 \"curious\""]),
            ("journey in (buyer, strangr)", &["E0307 strangr"]),
            ("journey.buyer", &["E0432 journey.buyer"]),
            ("journey in 30d", &["E0432 in 30d"]),
            ("no journey", &["E0405 no"]),
            ("journey buyer", &["E0406 buyer"]),
            ("journey where (age > 3) = buyer", &["E0406 age > 3"]),
            ("age + journey > 3", &["E0432 journey"]),
            ("age > journey", &["E0432 journey"]),
            ("purchased where (journey = buyer)", &["E0415 journey = buyer"]),
            ("count(journey) > 3", &["E0413 journey"]),
            ("days since journey > 3", &["E0412 journey"]),
            ("buyer", &["E0301 buyer"]),
            ("journey = buyer or curious", &["E0114 journey = buyer or curious"]),
        ],
    );
    says(&[
        (&format!("{JOURNEY}trait t: journey\nsegment a: t = buyer"), &["E0432 journey"]),
        (&format!("{JOURNEY}trait t: journey = buyer\nsegment a: t"), &["E0413 journey = buyer"]),
    ]);
}

#[test]
fn names() {
    says(&[
        ("stages s:\n  purchased → a\n  visited → a", &["E0433 a"]),
        ("stages s:\n  purchased → Segment\n  otherwise → b", &["E0433 Segment"]),
        ("stages s:\n  purchased → a\n  otherwise → b\nsegment s: open", &["E0302 s"]),
        ("stages purchased:\n  visited → a\n  otherwise → b", &["E0302 purchased"]),
        ("stages s:\n  purchsed → a\n  opn → b", &["E0301 purchsed", "E0301 opn"]),
        ("stages s:\n  purchsed → a\n  open → b\nsegment x: s = a\nsegment y: s = c", &["E0301 purchsed", "E0307 c"]),
        // One stage may be called like anything else.
        ("stages s:\n  purchased → open\n  otherwise → country\nsegment a: s = open and visited", &[]),
    ]);
}

#[test]
fn lines_that_take_no_one() {
    says(&[
        (JOURNEY, &[]),
        (PARTIAL, &[]),
        ("stages s:\n  visited in 30d → light\n  visited ≥ 10 in 30d → heavy\n  otherwise → none", &["W0517 heavy"]),
        ("stages s:\n  visited ≥ 10 in 30d → heavy\n  visited in 30d → light\n  otherwise → none", &[]),
        (
            "stages s:\n  visited and open → both\n  visited and open and purchased → three\n  otherwise → none",
            &["W0517 three"],
        ),
        (
            "stages s:\n  visited or open → any\n  (visited ≥ 3) or (open ≥ 2) → more\n  otherwise → none",
            &["W0517 more"],
        ),
        (
            "stages s:\n  purchased → a\n  no purchased → b\n  visited → c\n  otherwise → d",
            &["W0506 no purchased", "W0517 c"],
        ),
        ("stages s:\n  everyone → a\n  visited → b\n  otherwise → c", &["W0517 b"]),
        (
            "stages s:\n  purchased ≥ 3 → a\n  purchased ≤ 1 → b\n  purchased = 2 → c\n  open → d",
            &["W0506 purchased ≤ 1", "W0517 d"],
        ),
        ("stages s:\n  visited → a\n  age > 5 and age < 3 → b\n  otherwise → c", &["E0501 age < 3"]),
        ("stages s:\n  country = FR → a\n  country in (FR, DE) → b\n  country = DE → c\n  otherwise → d", &["W0517 c"]),
    ]);
}

#[test]
fn doubts() {
    asked(
        PARTIAL,
        &[
            ("journey ≠ buyer and open", &["W0507 journey ≠ buyer"]),
            ("journey not in (buyer) and open", &["W0507 journey not in (buyer)"]),
            ("journey = buyer and journey = curious", &["E0501 journey = curious"]),
            ("journey in (buyer, curious)", &[]),
        ],
    );
    asked(
        JOURNEY,
        &[
            ("journey ≠ buyer and open", &[]),
            ("journey in (buyer, curious, stranger)", &["W0504 journey in (buyer, curious, stranger)"]),
            ("journey = buyer or journey in (buyer, curious)", &["W0505 journey = buyer"]),
            ("journey = stranger", &[]),
            ("journey ≠ buyer", &["W0506 journey ≠ buyer"]),
        ],
    );
    says(&[("stages s:\n  no purchased in 30d → dormant\n  otherwise → b", &["W0506 no purchased in 30d"])]);
}

#[test]
fn stages_stand_behind_what_they_use() {
    let said = check_all(&[
        ("b", "segment z: journey = buyer and last_buy > 3\ntrait last_buy: days since last purchased"),
        ("a", "stages journey:\n  vip → buyer\n  usage = heavy → curious\n  otherwise → none"),
        ("c", "segment vip: purchased ≥ 9\nstages usage:\n  visited ≥ 9 → heavy\n  otherwise → light"),
    ]);
    assert!(said.diagnostics.is_empty(), "{:?}", said.findings());
    let names: Vec<&str> = said.checked.program.rules.iter().map(|r| r.name.as_str()).collect();
    assert_eq!(names, ["usage.heavy", "usage.light", "vip", "journey.buyer", "journey.curious", "journey.none", "z"]);
    let kinds: Vec<String> = said.checked.program.rules.iter().map(|r| format!("{:?}", r.kind)).collect();
    assert_eq!(kinds[3], "Stage { stages: 1 }");
    says(&[
        ("stages s:\n  s = b → a\n  otherwise → b", &["E0310 s"]),
        ("stages s:\n  vip → a\n  otherwise → b\nsegment vip: s = b and open", &["E0310 vip"]),
        (
            "stages s:\n  purchased → a\n  otherwise → b\nsegment broken: opn\nstages t:\n  broken → c\n  visited → d\nsegment e: t = d",
            &["E0301 opn"],
        ),
    ]);
}

#[test]
fn stages_with_a_mistake_are_left_out_whole() {
    let said = check(
        "segment broken: opn\nstages s:\n  visited → a\n  broken → b\n  otherwise → c\nsegment d: s = a\nsegment e: open",
    );
    assert_eq!(said.findings(), ["E0301 opn"]);
    let names: Vec<&str> = said.checked.program.rules.iter().map(|r| r.name.as_str()).collect();
    assert_eq!(names, ["e"]);
    assert!(said.checked.program.stages.is_empty());
}
