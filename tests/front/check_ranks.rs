//! Ranks and samples: what they mean, what is refused, what is doubted.

use crate::check_support::{check, meaning, means, same, says};

#[test]
fn fine() {
    says(&[
        ("top 10% by age", &[]),
        ("bottom 20% by balance among staff", &[]),
        ("top 1_000 by joined", &[]),
        ("top 10% by days since last purchased", &[]),
        ("quintile(age) = 5", &[]),
        ("decile(age among staff) ≥ 9", &[]),
        ("percentile_rank(balance) > 90%", &[]),
        ("percentile_rank(balance) between 0.1 and 0.5", &[]),
        ("segment buyers: purchased\nsegment best: top 10% by sum(amount of purchased) among buyers", &[]),
        (
            "trait r: quintile(balance)\ntrait f: quintile(count(purchased in 12mo) among staff)\nsegment best: 10 * r + f ≥ 55",
            &[],
        ),
        ("trait rfm: 10 * quintile(balance) + quintile(age)\nsegment best: top 5% by rfm", &[]),
        ("sample 10%", &[]),
        ("sample 10% of \"salt\" and purchased", &[]),
        ("not top 10% by age", &[]),
    ]);
}

#[test]
fn mistakes() {
    says(&[
        ("top 0% by age", &["E0434 0%"]),
        ("top 120% by age", &["E0434 120%"]),
        ("bottom 101% by age", &["E0434 101%"]),
        ("top 0 by age", &["E0434 0"]),
        ("top 2.5 by age", &["E0434 2.5"]),
        ("sample 0%", &["E0434 0%"]),
        ("sample 150%", &["E0434 150%"]),
        ("top 10% by country", &["E0435 country"]),
        ("top 10% by is_member", &["E0435 is_member"]),
        ("top 10% by tags", &["E0435 tags"]),
        ("quintile(city) = 5", &["E0435 city"]),
        ("top 10% by 3", &["E0417 3"]),
        ("top 10% by staff", &["E0413 staff"]),
        ("top 10% by purchased", &["E0413 purchased"]),
        ("top 10% by agee", &["E0301 agee"]),
        ("top 10% by age among purchased", &["E0436 purchased"]),
        ("top 10% by age among country", &["E0436 country"]),
        ("top 10% by age among stafff", &["E0301 stafff"]),
        ("campaign c: purchased → offer\nsegment a: top 10% by age among c", &["E0436 c"]),
        ("stages s:\n  purchased → a\n  otherwise → b\nsegment x: top 10% by age among s", &["E0436 s"]),
        ("stages s:\n  purchased → a\n  otherwise → b\nsegment x: top 10% by s", &["E0432 s"]),
        ("top 120% by country among purchased", &["E0434 120%", "E0435 country", "E0436 purchased"]),
        ("quintile(age) = 6", &["E0501 quintile(age) = 6"]),
        ("decile(age) > 10", &["E0501 decile(age) > 10"]),
        ("percentile_rank(age) ≥ 90", &["E0403 90"]),
        ("percentile_rank(age) = 100%", &["E0501 percentile_rank(age) = 100%"]),
        ("quintile(age) = 20%", &["E0403 20%"]),
        ("quintile(age) = top", &["E0403 top"]),
        ("quintile(age)", &["E0401 quintile(age)"]),
        ("trait t: top 10% by age\nsegment a: t", &["E0413 top 10% by age"]),
        ("trait t: sample 10%\nsegment a: t", &["E0413 sample 10%"]),
        ("purchased where (top 10% by age)", &["E0415 top 10% by age"]),
        ("purchased where (sample 10%)", &["E0415 sample 10%"]),
        ("purchased where (amount > quintile(age))", &["E0415 quintile(age)"]),
        ("trait t: quintile(age)\nsegment a: purchased where (quantity > t)", &["E0415 t"]),
        ("trait t: quintile(age) + 1\nsegment a: purchased where (quantity > t)", &["E0415 t"]),
    ]);
}

#[test]
fn cycles() {
    says(&[
        ("segment a: top 10% by age among a", &["E0310 a"]),
        ("segment a: top 10% by age among b\nsegment b: a or purchased", &["E0310 a"]),
        ("segment a: t = 5\ntrait t: quintile(age among a)", &["E0310 t"]),
        ("segment a: b and open\nsegment b: u > 3\ntrait t: decile(age among a)\ntrait u: t + 1", &["E0310 t"]),
        ("stages s:\n  top 10% by age among a → x\n  otherwise → y\nsegment a: s = y and open", &["E0310 a"]),
    ]);
}

#[test]
fn ranks_stand_behind_those_among_whom_they_are() {
    let said =
        check("segment a: t = 5 and open\ntrait t: quintile(age among z)\nsegment z: purchased\nsegment y: top 5 by t");
    assert!(said.diagnostics.is_empty(), "{:?}", said.findings());
    let program = &said.checked.program;
    let names: Vec<&str> = program.rules.iter().map(|r| r.name.as_str()).collect();
    assert_eq!(names, ["z", "a", "y"]);
    let values: Vec<String> = program.traits.iter().map(|t| format!("{:?}", t.value)).collect();
    assert_eq!(
        values,
        ["Rank { rank: Rank { by: Attribute(AttributeId(3)), among: Some(Rule(RuleId(0))) }, scale: Quintile }"]
    );
    // Of one rule the program keeps those among whom it ranks; a trait whose people are gone is gone.
    let kept = program.keep(|r| r.name == "y");
    assert_eq!((kept.rules.len(), kept.traits.len()), (2, 1));
    let kept = said.checked.program.keep(|r| r.name == "z");
    assert_eq!((kept.rules.len(), kept.traits.len()), (1, 1));

    let said = check("segment a: t = 5 and open\ntrait t: quintile(age among z)\nsegment z: purchsed\nsegment y: open");
    assert_eq!(said.findings(), ["E0301 purchsed"]);
    let program = &said.checked.program;
    let names: Vec<&str> = program.rules.iter().map(|r| r.name.as_str()).collect();
    assert_eq!((names, program.traits.len()), (vec!["y"], 0));
}

#[test]
fn leaves() {
    let age = "Rank { by: Attribute(AttributeId(3)), among: None }";
    means(&[
        ("top 10% by age", &format!("Ranked {{ rank: {age}, end: Top, size: Share(Exact {{ units: 1, scale: 1 }}) }}")),
        ("bottom 1_000 by age", &format!("Ranked {{ rank: {age}, end: Bottom, size: Number(1000) }}")),
        (
            "top 5 by age among staff",
            "Ranked { rank: Rank { by: Attribute(AttributeId(3)), among: Some(List(ListId(0))) }, end: Top, size: Number(5) }",
        ),
        ("sample 25%", "Sample { salt: \"rule\", share: Exact { units: 25, scale: 2 } }"),
        ("segment half: sample 50%", "Sample { salt: \"half\", share: Exact { units: 5, scale: 1 } }"),
        ("segment half: sample 50% of \"x\"", "Sample { salt: \"x\", share: Exact { units: 5, scale: 1 } }"),
        (
            "segment half: not sample 50% of \"half\" and purchased where (amount > 3) ≥ 1",
            &meaning("segment half: not sample 50% and purchased where (amount > 3)"),
        ),
    ]);
    let said = check("stages s:\n  sample 50% → a\n  sample 50% → b\n  otherwise → c");
    let salts: Vec<bool> =
        said.checked.program.rules.iter().map(|r| format!("{:?}", r.condition).contains("\"s\"")).collect();
    assert_eq!(salts, [true, true, false]);
    assert_eq!(said.findings(), ["W0517 b"]);
}

#[test]
fn meaning_of_parts() {
    says(&[
        ("top 10% by age and not top 20% by age", &["E0501 not top 20% by age"]),
        ("top 10% by age or top 20% by age", &["W0505 top 10% by age"]),
        ("top 10% by age and top 20% by age", &["W0505 top 20% by age"]),
        ("top 10% by age and bottom 10% by age", &["E0501 bottom 10% by age"]),
        ("top 60% by age and bottom 60% by age", &[]),
        ("top 50% by age and bottom 50% by age", &["E0501 bottom 50% by age"]),
        ("top 10% by age or not top 10% by age", &["W0504 not top 10% by age"]),
        ("top 50% by age or bottom 50% by age", &[]),
        ("top 10 by age and not top 20 by age", &["E0501 not top 20 by age"]),
        ("top 10 by age and bottom 10 by age", &[]),
        ("top 10% by age and not top 20% by balance", &[]),
        ("top 10% by age and not top 20% by age among staff", &[]),
        ("sample 10% and not sample 20%", &["E0501 not sample 20%"]),
        ("sample 10% and not sample 20% of \"other\"", &[]),
        ("sample 10% or sample 20%", &["W0505 sample 10%"]),
        ("sample 100%", &["W0504 sample 100%"]),
        ("top 100% by age", &[]),
        ("quintile(age) ≥ 4 and quintile(age) < 3", &["E0501 quintile(age) < 3"]),
        ("quintile(age) ≥ 1 or quintile(age) is unknown", &["W0504 quintile(age) is unknown"]),
    ]);
    same(&[("top 10.0% by age", "top 10% by age"), ("top 1_000 by age", "top 1000 by age")]);
}

#[test]
fn doubts() {
    says(&[
        ("top 10% by sum(amount of purchased)", &["W0518 sum(amount of purchased)"]),
        ("top 10 by count(purchased)", &["W0518 count(purchased)"]),
        ("quintile(count(purchased) + 2 * count(open)) = 5", &["W0518 count(purchased) + 2 * count(open)"]),
        ("trait spend: sum(amount of purchased)\nsegment a: top 10% by spend", &["W0518 spend"]),
        ("top 10% by sum(amount of purchased) among staff", &[]),
        ("top 10% by avg(amount of purchased)", &[]),
        ("top 10% by count(purchased) / count(open)", &[]),
        ("top 10% by balance + count(purchased)", &[]),
        // Whoever has no activity is not ranked, and so not at the top of it.
        ("not top 10% by days since last purchased", &["W0506 not top 10% by days since last purchased"]),
        ("quintile(days since last purchased) is unknown", &["W0506 quintile(days since last purchased) is unknown"]),
        (
            "segment buyers: purchased\nsegment a: not top 10% by age among buyers",
            &["W0506 not top 10% by age among buyers"],
        ),
        ("sample 10% and no purchased", &["W0506 sample 10% and no purchased"]),
    ]);
}
