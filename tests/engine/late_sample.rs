//! Samples in the plan: by the customer's id alone, whatever else the rule says.

use segue::language::interpret::history::History;
use segue::language::ir::*;
use segue::language::num::Num;
use segue::language::sample::holds;

use super::late_support::*;

fn sample(salt: &str, percent: i128) -> Cond {
    Cond::Sample { salt: salt.into(), share: Num::Exact { units: percent, scale: 2 } }
}

#[test]
fn customers_are_drawn_by_their_ids() {
    let ids: Vec<String> = (0..400).map(|n| format!("{}", n * 37 - 500)).collect();
    let customers: Vec<(&str, History)> = ids.iter().map(|id| (id.as_str(), person(Some(1), None))).collect();
    for numbers in [false, true] {
        let asked = program(
            vec![
                sample("winback", 10),
                sample("winback", 30),
                sample("other", 30),
                sample("winback", 100),
                sample("winback", 0),
                Cond::And(vec![rule(1), not(rule(0))]),
                Cond::Or(vec![Cond::And(vec![sample("other", 30), sample("winback", 30)]), Cond::Const(false)]),
            ],
            Vec::new(),
        );
        let outcome = run(&asked, &customers, numbers);
        for (rule, (salt, percent)) in
            [("winback", 10), ("winback", 30), ("other", 30), ("winback", 100), ("winback", 0)].into_iter().enumerate()
        {
            let share = Num::Exact { units: percent, scale: 2 };
            let mut wanted: Vec<&str> = ids.iter().map(String::as_str).filter(|id| holds(salt, share, id)).collect();
            let mut found = outcome.member_ids(rule);
            wanted.sort_unstable();
            found.sort();
            assert_eq!(found, wanted, "{salt} {percent}");
        }
        assert_eq!(outcome.size(5), outcome.size(1) - outcome.size(0));
        let both = outcome.members[1].set_indices().filter(|&row| outcome.members[2].value(row)).count();
        assert!(both > 0 && outcome.size(6) == both);
    }
}

#[test]
fn a_sample_is_of_the_population() {
    let customers = [("a", person(Some(3), None)), ("b", person(Some(2), None)), ("c", History::default())];
    let among = Rank { by: Box::new(score()), among: Some(Among::Rule(RuleId(0))) };
    let asked = program(vec![sample("s", 100), bottom(RankSize::Number(1), among), not(sample("s", 100))], Vec::new());
    let outcome = run(&asked, &customers, false);
    assert_eq!(members(&outcome), ["a b", "b", ""]);
}
