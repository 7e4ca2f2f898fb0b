//! Laws between constructs: what two texts say of the same people, whatever the people did. `SEGUE_SEED` repeats one seed.

use segue::language::calendar::{Clock, Zone, parse_moment};
use segue::language::interpret::evaluate;
use segue::language::interpret::history::{CustomerId, History};

use crate::generate::dice::Dice;
use crate::generate::laws::Law::{Apart, Equal, Within};
use crate::generate::laws::{Texts, Writer, compiled, declared, history};

#[test]
fn constructs_agree_with_each_other() {
    let zone = Zone::new("Europe/Paris").expect("a zone");
    let mut asked: Vec<(usize, usize)> = Vec::new();
    for seed in crate::generate::seeds(crate::generate::cases(16)) {
        let mut dice = Dice::new(seed ^ 0x1a35);
        let as_of = dice.word(&["2026-11-21", "2026-11-21T12:00"]);
        let clock = Clock { as_of: parse_moment(as_of, &zone).expect("an instant"), zone: zone.clone() };
        let laws = Writer { dice: &mut dice }.laws();
        asked.resize(laws.len(), (0, 0));
        let texts: Vec<(String, String)> = laws
            .iter()
            .enumerate()
            .flat_map(|(i, (left, _, right))| [(format!("l{i}"), left.clone()), (format!("r{i}"), right.clone())])
            .collect();
        let (program, catalog, said) = compiled(&texts);
        let people: Vec<(CustomerId, History)> =
            (0..50).map(|i| (CustomerId::Number(i), history(&mut dice, &clock))).collect();
        let answers = evaluate(&program, &catalog, &clock, &people);
        let place = |name: String| program.rules.iter().position(|r| r.name == name);
        for (i, (left, law, right)) in laws.iter().enumerate() {
            let (Some(l), Some(r)) = (place(format!("l{i}")), place(format!("r{i}"))) else { continue };
            asked[i].0 += 1;
            for (answer, person) in answers.iter().zip(&people) {
                let (l, r) = (answer.members[l], answer.members[r]);
                let holds = match law {
                    Equal => l == r,
                    Within => !l || r,
                    Apart => l != r,
                };
                asked[i].1 += usize::from(l);
                assert!(holds, "seed {seed}: {left} ({l})\nshould be {law:?}\n{right} ({r})\nfor {person:#?}");
            }
        }
        if std::env::var_os("SEGUE_SEED").is_some() {
            println!("{}", said.join("\n"));
        }
    }
    // Each law was asked, and holds of somebody.
    let laws = Writer { dice: &mut Dice::new(0) }.laws();
    let is_idle = |i: &usize| asked[*i].0 == 0 || asked[*i].1 == 0;
    let idle: Vec<&Texts> = (0..laws.len()).filter(is_idle).map(|i| &laws[i]).collect();
    let alone = std::env::var_os("SEGUE_SEED").is_some();
    assert!(alone || idle.is_empty(), "{idle:#?}");
}

#[test]
fn everyone_is_at_one_stage() {
    let zone = Zone::new("Europe/Paris").expect("a zone");
    let clock = Clock { as_of: parse_moment("2026-11-21", &zone).expect("an instant"), zone };
    let mut sizes = [0; 4];
    for seed in crate::generate::seeds(8) {
        let mut dice = Dice::new(seed ^ 0x57a6e);
        let mut writer = Writer { dice: &mut dice };
        let [k, l, _] = writer.kinds();
        let (a, b) = (writer.of(k), writer.of(l));
        let open = seed % 2 == 0;
        let last = if open { "" } else { "  otherwise → rest\n" };
        let text = format!("stages journey:\n  {a} then {b} → both\n  {a} → one\n  {b} in 2d → two\n{last}");
        let conditions = [
            ("both", "journey = both".to_owned()),
            ("not_one", "journey ≠ one".to_owned()),
            ("either", "journey in (one, two)".to_owned()),
            ("neither", "journey not in (one, two)".to_owned()),
            ("chain", format!("{a} then {b}")),
            ("a", a),
            ("b", format!("{b} in 2d")),
        ];
        let mut texts = vec![("journey".to_owned(), text.clone())];
        texts.extend(conditions.iter().map(|(n, c)| ((*n).to_owned(), format!("segment {n}: {c}\n"))));
        let (program, catalog, said) = declared(&texts);
        assert!(said.is_empty(), "{said:#?}");
        let people: Vec<(CustomerId, History)> =
            (0..50).map(|i| (CustomerId::Number(i), history(&mut dice, &clock))).collect();
        let stages: Vec<usize> = program.stages[0].lines.iter().map(|line| line.rule.0 as usize).collect();
        for answer in evaluate(&program, &catalog, &clock, &people) {
            let is = |name: &str| answer.members[program.rules.iter().position(|r| r.name == name).expect("a rule")];
            let expected = [is("chain"), is("a") && !is("chain"), is("b") && !is("a") && !is("chain")];
            let found: Vec<bool> = stages.iter().map(|rule| answer.members[*rule]).collect();
            assert_eq!(found[..3], expected, "seed {seed}: {text}");
            if !open {
                assert_eq!(found[3], !expected.contains(&true), "seed {seed}: {text}");
            }
            let at = |stage: &str| is(&format!("journey.{stage}"));
            assert_eq!((is("both"), is("not_one")), (at("both"), !at("one")), "seed {seed}: {text}");
            assert_eq!(is("either"), at("one") || at("two"), "seed {seed}: {text}");
            assert_eq!(is("neither"), !is("either"), "seed {seed}: {text}");
            for (size, is) in sizes.iter_mut().zip(found) {
                *size += usize::from(is);
            }
        }
    }
    assert!(!sizes.contains(&0), "{sizes:?}");
}
