//! Ranks and samples: what needs everybody.

use segue::language::catalog::{AttributeId, ListId};
use segue::language::interpret;
use segue::language::interpret::history::{CustomerId, Datum, History, ProfileRow};
use segue::language::interpret::scalar::Scalar;
use segue::language::ir::*;
use segue::language::num::Num;
use segue::language::sample;

use crate::generate::dice::Dice;
use crate::interpret_support::*;

const POINTS: AttributeId = AttributeId(2);

/// Customers 1, 2, 3 … with so many points.
fn with_points(points: &[Option<i64>]) -> Vec<(CustomerId, History)> {
    let customer = |(i, n): (usize, &Option<i64>)| {
        let attributes = vec![None, None, n.map(Datum::Integer)];
        let profile = Some(ProfileRow { created: None, attributes });
        (CustomerId::Number(i as i64 + 1), History { profile, ..History::default() })
    };
    points.iter().enumerate().map(customer).collect()
}

fn by_points(among: Option<Among>) -> Rank {
    Rank { by: Box::new(Value::Attribute(POINTS)), among }
}

fn percent(units: i128) -> RankSize {
    RankSize::Share(Num::Exact { units, scale: 2 })
}

fn ranked(end: RankEnd, size: RankSize) -> Cond {
    Cond::Ranked { rank: by_points(None), end, size }
}

/// The numbers of those for whom it holds.
fn who(condition: Cond, customers: &[(CustomerId, History)]) -> Vec<String> {
    let answers = among(condition, customers);
    customers.iter().zip(answers).filter(|(_, is)| *is).map(|((id, _), _)| id.to_string()).collect()
}

fn on(scale: RankScale, customers: &[(CustomerId, History)]) -> Vec<Option<Num>> {
    let value = Value::Rank { rank: by_points(None), scale };
    let shown = Trait {
        name: "t".into(),
        title: None,
        description: None,
        value,
        ty: segue::language::catalog::Type::Number,
        hidden: false,
        span: SPAN,
    };
    let program = Program { traits: vec![shown], ..Program::default() };
    let answers = interpret::evaluate(&program, &catalog(), &clock(), customers);
    let num = |scalar: &Option<Scalar>| match scalar {
        Some(Scalar::Num(n)) => Some(*n),
        _ => None,
    };
    answers.iter().map(|a| num(&a.traits[0])).collect()
}

#[test]
fn the_share_is_rounded_half_up_and_at_least_one() {
    for (customers, share, expected) in [
        (10, 10, 1),
        (10, 14, 1),
        (10, 15, 2),
        (10, 25, 3),
        (5, 50, 3),
        (4, 50, 2),
        (3, 1, 1),
        (1, 1, 1),
        (7, 100, 7),
        (0, 10, 0),
    ] {
        let points: Vec<Option<i64>> = (0..customers).map(|i| Some(i * 3)).collect();
        let all = with_points(&points);
        let top = who(ranked(RankEnd::Top, percent(share)), &all);
        assert_eq!(top.len(), expected, "{share} % of {customers}");
        // The highest numbers have the highest points.
        assert!(top.iter().all(|id| id.parse::<i64>().unwrap() > customers - expected as i64));
        // The bottom is what the rest leaves.
        let bottom = who(ranked(RankEnd::Bottom, percent(100 - share)), &all);
        let left = if share == 100 { 0 } else { customers as usize - expected };
        if share < 100 {
            assert_eq!(bottom.len(), left, "bottom {} % of {customers}", 100 - share);
            assert!(bottom.iter().all(|id| !top.contains(id)));
        }
    }
    // The bottom of all is everyone ranked, and what the top takes for being one is not in the bottom.
    let three = with_points(&[Some(1), Some(2), None, Some(3)]);
    assert_eq!(who(ranked(RankEnd::Bottom, percent(100)), &three), ["1", "2", "4"]);
    assert_eq!(who(ranked(RankEnd::Bottom, percent(99)), &three), ["1", "2"]);
    assert_eq!(who(ranked(RankEnd::Bottom, percent(10)), &three), Vec::<String>::new());
}

#[test]
fn numbers_are_that_many() {
    let all = with_points(&[Some(5), None, Some(9), Some(1)]);
    for (n, top, bottom) in [
        (1, vec!["3"], vec!["4"]),
        (2, vec!["1", "3"], vec!["1", "4"]),
        (3, vec!["1", "3", "4"], vec!["1", "3", "4"]),
        (1_000, vec!["1", "3", "4"], vec!["1", "3", "4"]),
    ] {
        assert_eq!(who(ranked(RankEnd::Top, RankSize::Number(n)), &all), top, "{n}");
        assert_eq!(who(ranked(RankEnd::Bottom, RankSize::Number(n)), &all), bottom, "{n}");
    }
    // Who is not ranked is in neither.
    assert!(who(Cond::Not(Box::new(ranked(RankEnd::Top, RankSize::Number(9)))), &all) == ["2"]);
}

#[test]
fn of_equals_the_smaller_id_is_higher() {
    let number = |n: i64| CustomerId::Number(n);
    let text = |t: &str| CustomerId::Text(t.into());
    for (ids, expected) in [
        ([number(10), number(9), number(-1)], "-1"),
        ([text("10"), text("9"), text("a")], "10"),
        ([text("é"), text("z"), text("f")], "f"),
        ([text("B"), text("a"), text("b")], "B"),
    ] {
        let mut all = with_points(&[Some(1), Some(1), Some(1)]);
        for ((id, _), own) in all.iter_mut().zip(ids) {
            *id = own;
        }
        for _ in 0..3 {
            all.rotate_left(1);
            assert_eq!(who(ranked(RankEnd::Top, RankSize::Number(1)), &all), [expected]);
        }
    }
}

#[test]
fn quintiles_are_tops() {
    for customers in 0..=23 {
        let mut dice = Dice::new(customers);
        let points: Vec<Option<i64>> = (0..customers).map(|_| dice.chance(80).then(|| dice.between(0, 9))).collect();
        let all = with_points(&points);
        for (scale, parts) in [(RankScale::Quintile, 5), (RankScale::Decile, 10)] {
            let found = on(scale, &all);
            for n in 2..=parts {
                let top = among(ranked(RankEnd::Top, percent(i128::from((parts + 1 - n) * 100 / parts))), &all);
                let at_least: Vec<bool> =
                    found.iter().map(|v| v.is_some_and(|v| Op::Ge.holds(v.compare(Num::int(n))))).collect();
                assert_eq!(top, at_least, "{scale:?} ≥ {n} of {points:?}");
            }
            let known: Vec<bool> = points.iter().map(Option::is_some).collect();
            assert_eq!(found.iter().map(Option::is_some).collect::<Vec<_>>(), known);
        }
    }
}

#[test]
fn the_percentile_rank_is_the_share_with_less() {
    let found = on(RankScale::PercentileRank, &with_points(&[Some(5), None, Some(1), Some(5), Some(9)]));
    assert_eq!(found, [Some(0.25), None, Some(0.0), Some(0.25), Some(0.75)].map(|x| x.and_then(Num::float)));
}

#[test]
fn who_is_ranked() {
    let mut all = with_points(&[Some(9), Some(8), Some(7), Some(6)]);
    // The first is not there yet, the second is in no list.
    all[0].1.profile.as_mut().unwrap().created = Some(clock().as_of);
    for (_, history) in &mut all[2..] {
        history.lists.insert(ListId(0));
    }
    let top = |among| Cond::Ranked { rank: by_points(among), end: RankEnd::Top, size: RankSize::Number(1) };
    assert_eq!(who(top(None), &all), ["2"]);
    assert_eq!(who(top(Some(Among::List(ListId(0)))), &all), ["3"]);
    // Whatever else the condition says: the rank is among all.
    let listed = Cond::And(vec![Cond::List(ListId(0)), top(None)]);
    assert_eq!(who(listed, &all), Vec::<String>::new());
    // Among the members of a rule.
    let kind = RuleKind::Segment;
    let segment = |condition| Rule { name: "s".into(), title: None, description: None, kind, condition, span: SPAN };
    let rules = vec![segment(Cond::Not(Box::new(top(None)))), segment(top(Some(Among::Rule(RuleId(0)))))];
    let program = Program { rules, ..Program::default() };
    let answers = interpret::evaluate(&program, &catalog(), &clock(), &all);
    assert_eq!(answers.iter().map(|a| a.members[1]).collect::<Vec<_>>(), [false, false, true, false]);
    assert_eq!(answers.iter().map(|a| a.members[0]).collect::<Vec<_>>(), [false, false, true, true]);
}

#[test]
fn a_sum_over_nothing_is_ranked_and_an_average_is_not() {
    let bought = |units| of(vec![buy(5, units, "x")]);
    let history = |i: i64, history| (CustomerId::Number(i), history);
    let all = [history(1, bought(100)), history(2, of(vec![open(1)])), history(3, bought(-100))];
    let bottom = |function| {
        let by = Box::new(Value::Aggregate { function, behaviour: ever(BUY, None) });
        Cond::Ranked { rank: Rank { by, among: None }, end: RankEnd::Bottom, size: RankSize::Number(2) }
    };
    assert_eq!(who(bottom(Aggregate::Sum(AMOUNT)), &all), ["2", "3"]);
    assert_eq!(who(bottom(Aggregate::Avg(AMOUNT)), &all), ["1", "3"]);
}

#[test]
fn dates_are_ranked_too() {
    let signup = |i: i64, days: Option<i32>| {
        let attributes = vec![None, days.map(Datum::Date), None];
        (CustomerId::Number(i), History { profile: Some(ProfileRow { created: None, attributes }), ..of(vec![]) })
    };
    let all = [signup(1, Some(20_000)), signup(2, Some(20_100)), signup(3, None)];
    let latest = Rank { by: Box::new(Value::Attribute(AttributeId(1))), among: None };
    assert_eq!(who(Cond::Ranked { rank: latest, end: RankEnd::Top, size: RankSize::Number(1) }, &all), ["2"]);
}

#[test]
fn a_sample_is_drawn_by_salt_and_id() {
    let all: Vec<(CustomerId, History)> = (0..400).map(|i| (CustomerId::Number(i), of(vec![open(1)]))).collect();
    let drawn =
        |salt: &str, units| who(Cond::Sample { salt: salt.into(), share: Num::Exact { units, scale: 2 } }, &all);
    let tenth = drawn("a", 10);
    assert!((20..70).contains(&tenth.len()), "{}", tenth.len());
    assert_eq!(tenth, drawn("a", 10));
    assert_ne!(tenth, drawn("b", 10));
    let half = drawn("a", 50);
    assert!(tenth.iter().all(|id| half.contains(id)));
    assert_eq!(drawn("a", 100).len(), all.len());
    for id in &half {
        assert!(sample::holds("a", Num::Exact { units: 50, scale: 2 }, id));
    }
    // A number is drawn as its digits are.
    let named: Vec<(CustomerId, History)> =
        all.iter().map(|(id, history)| (CustomerId::Text(id.to_string()), history.clone())).collect();
    assert_eq!(who(Cond::Sample { salt: "a".into(), share: Num::Exact { units: 10, scale: 2 } }, &named), tenth);
}
