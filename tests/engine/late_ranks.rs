//! Ranks: tops, bottoms, quintiles, among whom, and what is built upon them; each answer told by hand and by the interpreter.

use segue::language::interpret::history::{Datum, History, ProfileRow};
use segue::language::ir::*;
use segue::language::num::Num;

use super::late_support::*;

/// Customers `a`, `b` … with falling scores.
fn falling(n: usize) -> Vec<(&'static str, History)> {
    const NAMES: [&str; 26] = [
        "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s", "t", "u", "v",
        "w", "x", "y", "z",
    ];
    let person = |(i, name): (usize, &&'static str)| (*name, person(Some(1_000 - i as i64), None));
    NAMES.iter().take(n).enumerate().map(person).collect()
}

#[test]
fn ties_go_to_the_smaller_id() {
    let customers = [
        ("10", person(Some(100), None)),
        ("9", person(Some(100), None)),
        ("2", person(Some(50), None)),
        ("-3", person(Some(100), None)),
    ];
    let asked = || {
        program(
            vec![top(RankSize::Number(1), by(score())), top(RankSize::Number(2), by(score()))],
            vec![quintile(by(score()))],
        )
    };
    // As text `-3` < `10` < `2` < `9`.
    let texts = run(&asked(), &customers, false);
    assert_eq!(members(&texts), ["-3", "-3 10"]);
    assert_eq!(values(&texts, 0), "5 4 1 2");
    let numbers = run(&asked(), &customers, true);
    assert_eq!(members(&numbers), ["-3", "-3 9"]);
    assert_eq!(values(&numbers, 0), "5 1 4 2");
}

#[test]
fn shares_of_the_ranked() {
    let conditions = || {
        vec![
            top(share(10), by(score())),
            bottom(share(20), by(score())),
            top(share(100), by(score())),
            bottom(share(100), by(score())),
            top(RankSize::Number(3), by(score())),
            bottom(RankSize::Number(3), by(score())),
            not(top(share(50), by(score()))),
        ]
    };
    let sizes = |n| -> Vec<usize> {
        let outcome = run(&program(conditions(), Vec::new()), &falling(n), false);
        (0..7).map(|rule| outcome.size(rule)).collect()
    };
    assert_eq!(sizes(0), [0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(sizes(1), [1, 0, 1, 1, 1, 1, 0]);
    assert_eq!(sizes(2), [1, 0, 2, 2, 2, 2, 1]);
    assert_eq!(sizes(3), [1, 1, 3, 3, 3, 3, 1]);
    assert_eq!(sizes(14), [1, 3, 14, 14, 3, 3, 7]);
    assert_eq!(sizes(15), [2, 3, 15, 15, 3, 3, 7]);
    assert_eq!(sizes(25), [3, 5, 25, 25, 3, 3, 12]);
    let outcome = run(&program(conditions(), Vec::new()), &falling(5), false);
    assert_eq!(members(&outcome), ["a", "e", "a b c d e", "a b c d e", "a b c", "c d e", "d e"]);
}

#[test]
fn who_has_no_value_is_nowhere() {
    let customers = [
        ("a", person(None, Some(1.0))),
        ("b", person(Some(5), Some(f64::NAN))),
        ("c", person(None, None)),
        ("d", buyer(&[(3, 100)])),
    ];
    let level = || Value::Attribute(LEVEL);
    let asked = program(
        vec![
            top(share(100), by(score())),
            bottom(share(100), by(score())),
            not(top(share(100), by(score()))),
            compare(quintile(by(score())), Op::Ne, number(5)),
            compare(quintile(by(score())), Op::Le, number(5)),
            Cond::Test(Test::Known(quintile(by(level())))),
            // Nobody at all.
            top(share(100), by(Value::DaysSinceAttribute(JOINED))),
            not(bottom(RankSize::Number(1), by(Value::DaysSinceAttribute(JOINED)))),
        ],
        vec![quintile(by(level())), Value::Rank { rank: by(level()), scale: RankScale::PercentileRank }],
    );
    let outcome = run(&asked, &customers, false);
    assert_eq!(members(&outcome), ["b", "b", "a c d", "a c d", "b", "a", "", "a b c d"]);
    assert_eq!((values(&outcome, 0), values(&outcome, 1)), ("5 - - -".into(), "0 - - -".into()));
}

#[test]
fn nothing_bought_is_a_sum_of_zero() {
    let customers = [("a", buyer(&[])), ("b", buyer(&[(1, 50), (2, 25)])), ("c", buyer(&[(9, 60)])), ("d", buyer(&[]))];
    let among = |rule| Rank { by: Box::new(spend()), among: Some(Among::Rule(RuleId(rule))) };
    let average = {
        let behaviour = Behaviour { matching: Matching { event: BUY, pred: None }, window: Window::EVER, since: None };
        Value::Aggregate { function: Aggregate::Avg(segue::language::catalog::PropertyId(0)), behaviour }
    };
    let asked = program(
        vec![
            bought(1),
            top(share(75), by(spend())),
            top(share(75), among(0)),
            bottom(share(50), among(0)),
            top(share(100), by(average)),
            top(RankSize::Number(1), among(3)),
        ],
        vec![quintile(by(spend())), quintile(among(0))],
    );
    let outcome = run(&asked, &customers, false);
    assert_eq!(members(&outcome), ["b c", "a b c", "b c", "c", "b c", "c"]);
    assert_eq!(values(&outcome, 0), "2 5 4 1");
    assert_eq!(values(&outcome, 1), "- 5 2 -");
}

#[test]
fn among_a_list_only_the_population() {
    let vip = |mut history: History| {
        history.lists.insert(VIPS);
        history
    };
    let customers = [
        ("a", person(Some(9), None)),
        ("b", vip(person(Some(5), None))),
        ("c", vip(person(None, None))),
        ("d", vip(person(Some(7), None))),
        // On the list and nowhere else: in no population.
        ("e", vip(History::default())),
    ];
    let rank = || Rank { by: Box::new(score()), among: Some(Among::List(VIPS)) };
    let asked = program(
        vec![top(RankSize::Number(1), rank()), bottom(RankSize::Number(9), rank()), top(share(50), rank())],
        vec![quintile(rank())],
    );
    let outcome = run(&asked, &customers, false);
    assert_eq!(members(&outcome), ["d", "b d", "d"]);
    assert_eq!(values(&outcome, 0), "- 2 - 5");
    assert_eq!(outcome.report.lists[0].orphans, 1);
}

#[test]
fn percentile_ranks_and_deciles() {
    let customers: Vec<(&str, History)> =
        [("a", 5), ("b", 1), ("c", 5), ("d", 3), ("e", 1)].map(|(id, n)| (id, person(Some(n), None))).into();
    let rank = |scale| Value::Rank { rank: by(score()), scale };
    let asked = program(
        vec![compare(
            rank(RankScale::PercentileRank),
            Op::Ge,
            Value::Literal(Literal::Num(Num::Exact { units: 4, scale: 1 })),
        )],
        vec![rank(RankScale::PercentileRank), rank(RankScale::Decile)],
    );
    let outcome = run(&asked, &customers, false);
    assert_eq!(members(&outcome), ["a c d"]);
    assert_eq!(values(&outcome, 0), "0.6 0 0.6 0.4 0");
    // Of five each tenth is rounded half up: 1, 1, 2, 2, 3, 3, 4, 4, 5, 5.
    assert_eq!(values(&outcome, 1), "10 4 8 6 2");
}

#[test]
fn dates_and_instants() {
    let person = |date: Option<i32>, seen: Option<i64>| History {
        profile: Some(ProfileRow {
            created: None,
            attributes: vec![None, None, date.map(Datum::Date), seen.map(Datum::Instant)],
        }),
        ..History::default()
    };
    let customers = [("a", person(Some(-5), Some(7))), ("b", person(Some(9), None)), ("c", person(None, Some(8)))];
    let (joined, seen) = (|| Value::Attribute(JOINED), || Value::Attribute(SEEN));
    let asked = program(
        vec![
            top(RankSize::Number(1), by(joined())),
            bottom(RankSize::Number(1), by(joined())),
            top(RankSize::Number(1), by(seen())),
        ],
        vec![joined(), seen(), quintile(by(seen()))],
    );
    let outcome = run(&asked, &customers, false);
    assert_eq!(members(&outcome), ["b", "a", "c"]);
    assert_eq!(values(&outcome, 2), "2 - 5");
}

/// Ranks by ranks, among ranks, in arithmetic, in rules that other rules name.
#[test]
fn ranks_upon_ranks() {
    let level = || Value::Attribute(LEVEL);
    let sum = |left, right| Value::Arithmetic { op: Arithmetic::Add, left: Box::new(left), right: Box::new(right) };
    let times =
        |left, right| Value::Arithmetic { op: Arithmetic::Multiply, left: Box::new(left), right: Box::new(right) };
    let levels = [3.0, 1.5, 2.0, 7.0, 0.5, 9.0];
    let customers: Vec<(&str, History)> = falling(6)
        .into_iter()
        .zip(levels)
        .map(|((id, mut h), level)| {
            h.profile.as_mut().expect("a profile").attributes[1] = Some(Datum::Number(level));
            (id, h)
        })
        .collect();
    // a b c d e f by score: quintiles 5 4 3 3 2 1.
    let upon = |rank: Value| by(sum(times(rank, number(100)), level()));
    let half = |rule| Rank { by: Box::new(level()), among: Some(Among::Rule(RuleId(rule))) };
    let asked = program(
        vec![
            // r0: a b c
            top(share(50), by(score())),
            // Among them by level: a 3, c 2, b 1.5.
            top(share(60), half(0)),
            // Quintile × 100 + level: a 503, b 401.5, d 307, c 302, e 200.5, f 109.
            top(RankSize::Number(3), upon(quintile(by(score())))),
            Cond::And(vec![rule(0), not(rule(1)), Cond::Const(true)]),
            Cond::Or(vec![rule(3), Cond::And(vec![rule(2), compare(score(), Op::Lt, number(10))])]),
            compare(times(quintile(by(score())), number(2)), Op::Gt, level()),
            // A rank by a rank among a segment that is the top of another rank.
            bottom(RankSize::Number(1), Rank { by: Box::new(quintile(half(2))), among: Some(Among::Rule(RuleId(2))) }),
            top(share(50), half(3)),
        ],
        vec![quintile(half(0)), sum(quintile(by(score())), quintile(half(2)))],
    );
    let outcome = run(&asked, &customers, false);
    // r4: who is in r3, or in r2 with a score below 10 euros (all but a).
    assert_eq!(members(&outcome), ["a b c", "a c", "a b d", "b", "b d", "a b c e", "b", "b"]);
    assert_eq!(values(&outcome, 0), "5 1 3 - - -");
    // Among a b d by level: d 7, a 3, b 1.5.
    assert_eq!(values(&outcome, 1), "8 5 - 8 - -");
}

/// Equal rankings are one, and parts that need no rank stay with the kernel.
#[test]
fn what_is_shared() {
    use segue::engine::plan::late::Step;
    use segue::engine::plan::lower::{Asked, Values, lower};
    let early = |n| Cond::And(vec![bought(n), Cond::List(VIPS)]);
    let asked = program(
        vec![
            early(1),
            Cond::And(vec![bought(2), top(share(10), by(spend())), Cond::List(VIPS)]),
            top(share(20), by(spend())),
            Cond::And(vec![rule(0), bottom(share(10), by(spend()))]),
            compare(quintile(by(spend())), Op::Eq, number(5)),
        ],
        vec![spend()],
    );
    let parts = lower(&catalog(), &asked, &clock(), Asked::default());
    assert_eq!(parts.late.steps.iter().filter(|s| matches!(s, Step::Ranking { .. })).count(), 1);
    assert_eq!(parts.program.exports.len(), 1);
    // The first rule, and what two others ask beside their ranks.
    assert_eq!(parts.program.wanted.len(), 2);
    assert!(parts.late.traits.is_empty());
    assert_eq!(
        lower(&catalog(), &asked, &clock(), Asked { values: Values::All, population: false }).program.exports.len(),
        1
    );
}

/// Many customers, few values: a plain loop says who is where.
#[test]
fn many_ties() {
    let ids: Vec<String> = (0..700i64).map(|n| (n * 7_919 % 5_003).to_string()).collect();
    let scores: Vec<Option<i64>> = (0..700i64).map(|n| (n % 11 != 0).then_some(n * n % 13)).collect();
    let customers: Vec<(&str, History)> =
        ids.iter().zip(&scores).map(|(id, score)| (id.as_str(), person(*score, None))).collect();
    for numbers in [false, true] {
        let mut ranked: Vec<(&str, i64)> =
            ids.iter().zip(&scores).filter_map(|(id, s)| Some((id.as_str(), (*s)?))).collect();
        ranked.sort_by(|a, b| {
            let ids = if numbers { a.0.parse::<i64>().unwrap().cmp(&b.0.parse().unwrap()) } else { a.0.cmp(b.0) };
            b.1.cmp(&a.1).then(ids)
        });
        let asked = program(
            vec![top(share(13), by(score())), bottom(share(13), by(score())), top(RankSize::Number(100), by(score()))],
            vec![Value::Rank { rank: by(score()), scale: RankScale::PercentileRank }],
        );
        let outcome = run(&asked, &customers, numbers);
        let n = ranked.len();
        let sizes = [(0, (n * 13 + 50) / 100), ((n * 87 + 50) / 100, n), (0, 100)];
        for (rule, (from, to)) in sizes.into_iter().enumerate() {
            let mut wanted: Vec<String> = ranked[from..to].iter().map(|(id, _)| (*id).to_owned()).collect();
            let mut found = outcome.member_ids(rule);
            wanted.sort();
            found.sort();
            assert_eq!(found, wanted, "{numbers} {rule}");
        }
    }
}
