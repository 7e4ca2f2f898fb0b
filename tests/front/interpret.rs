//! The interpreter on small programs whose answers can be told by hand.

use std::collections::BTreeSet;

use segue::language::calendar::parse_date;
use segue::language::catalog::{AttributeId, ListId};
use segue::language::interpret::history::{Datum, EventRow, History, ProfileRow};
use segue::language::interpret::scalar::Scalar;
use segue::language::ir::*;
use segue::language::num::Num;

use crate::interpret_support::*;

#[test]
fn a_window_takes_its_start_in_and_the_as_of_instant_not() {
    for (before, inside) in
        [(7 * DAY + 1, false), (7 * DAY, true), (7 * DAY - 1, true), (1, true), (0, false), (-1, false)]
    {
        assert_eq!(holds(count(last_days(OPEN, 7), Op::Ge, 1), &of(vec![open(before)])), inside, "{before}");
    }
}

#[test]
fn who_is_there() {
    let late = clock().as_of;
    let profile = |created| Some(ProfileRow { created, attributes: Vec::new() });
    for (history, there) in [
        (of(vec![]), false),
        (of(vec![open(0)]), false),
        (of(vec![open(1)]), true),
        (History { profile: profile(None), ..of(vec![]) }, true),
        (History { profile: profile(Some(late - 1)), ..of(vec![]) }, true),
        (History { profile: profile(Some(late)), ..of(vec![open(1)]) }, false),
        (History { lists: BTreeSet::from([ListId(0)]), ..of(vec![]) }, false),
    ] {
        let found = evaluate(&rule(Cond::Const(true)), &history);
        assert_eq!(found.in_population, there, "{history:?}");
        assert_eq!(found.members, [there]);
    }
    let filtered = Program { event_filters: vec![None, Some(Pred::Const(false))], ..rule(Cond::Const(true)) };
    assert!(!evaluate(&filtered, &of(vec![open(1)])).in_population);
}

#[test]
fn repeats_with_one_id_are_one_event_the_earliest() {
    let with = |id: &str, row: EventRow| EventRow { event_id: Some(id.into()), ..row };
    let all = Value::Aggregate { function: Aggregate::Sum(AMOUNT), behaviour: ever(BUY, None) };
    let rows = vec![
        with("a", buy(5, 300, "x")),
        with("a", buy(9, 200, "x")),
        with("a", buy(9, 100, "y")),
        with("b", buy(9, 1_000, "x")),
        with("", buy(1, 10_000, "x")),
        with("", buy(1, 10_000, "x")),
        buy(1, 100_000, "x"),
        buy(1, 100_000, "x"),
    ];
    let mut rows = of(rows);
    for _ in 0..rows.events.len() {
        rows.events.rotate_left(1);
        assert_eq!(value(all.clone(), &rows), Some(Scalar::Num(Num::Exact { units: 221_100, scale: 2 })));
    }
}

#[test]
fn missing_is_false_but_for_the_complements() {
    let history = of(vec![buy(1, 1, "")]);
    let literal = || vec![Literal::Text("x".into())];
    let property = || Operand::Property(WHAT);
    let text = |how| Test::Text { value: property(), how, pattern: String::new(), fold: true };
    for (test, expected) in [
        (what(Op::Eq, "x"), false),
        (what(Op::Ne, "x"), true),
        (what(Op::Lt, "x"), false),
        (what(Op::Ge, "x"), false),
        (Pred::Test(Test::OneOf { value: property(), among: literal(), negated: false }), false),
        (Pred::Test(Test::OneOf { value: property(), among: literal(), negated: true }), true),
        (Pred::Test(text(TextTest::Contains)), false),
        (Pred::Test(text(TextTest::Matches)), false),
        (Pred::Test(Test::Known(property())), false),
        (Pred::Test(Test::Known(Operand::Property(RATIO))), false),
        (Pred::Not(Box::new(what(Op::Eq, "x"))), true),
    ] {
        assert_eq!(holds(count(ever(BUY, Some(test.clone())), Op::Eq, 1), &history), expected, "{test:?}");
    }
}

#[test]
fn folded_text_is_one_value() {
    let history = of(vec![buy(1, 1, "ÂGE"), buy(2, 1, "a\u{302}ge"), buy(3, 1, "age")]);
    assert!(holds(count(ever(BUY, Some(what(Op::Eq, "âge"))), Op::Eq, 2), &history));
    let distinct = Value::Aggregate { function: Aggregate::Distinct(WHAT), behaviour: ever(BUY, None) };
    assert_eq!(value(distinct, &history), num(2));
}

#[test]
fn aggregates_over_nothing() {
    let aggregate = |function| value(Value::Aggregate { function, behaviour: ever(BUY, None) }, &of(vec![]));
    assert_eq!(aggregate(Aggregate::Count), num(0));
    assert_eq!(aggregate(Aggregate::Distinct(WHAT)), num(0));
    assert_eq!(aggregate(Aggregate::Sum(AMOUNT)), num(0));
    assert_eq!(aggregate(Aggregate::Sum(RATIO)), num(0));
    for function in [Aggregate::Avg(AMOUNT), Aggregate::Min(AMOUNT), Aggregate::Max(AMOUNT), Aggregate::Avg(RATIO)] {
        assert_eq!(aggregate(function), None);
    }
}

#[test]
fn aggregates() {
    let history = of(vec![buy(3, 10, "x"), buy(2, 25, "x"), buy(1, 30, "x")]);
    let aggregate = |function| value(Value::Aggregate { function, behaviour: ever(BUY, None) }, &history);
    let cents = |units| Some(Scalar::Num(Num::Exact { units, scale: 2 }));
    assert_eq!(aggregate(Aggregate::Sum(AMOUNT)), cents(65));
    assert_eq!(aggregate(Aggregate::Min(AMOUNT)), cents(10));
    assert_eq!(aggregate(Aggregate::Max(AMOUNT)), cents(30));
    assert_eq!(aggregate(Aggregate::Avg(AMOUNT)), Some(Scalar::Num(Num::Float(0.65 / 3.0))));
    assert_eq!(aggregate(Aggregate::Sum(RATIO)), num(0));
}

#[test]
fn first_and_last_are_picked_before_the_window_tests_them() {
    let history = of(vec![open(100 * DAY), open(2 * DAY), open(0)]);
    let window = last_days(OPEN, 7).window;
    let pick = |end| Cond::Pick { end, matching: Matching { event: OPEN, pred: None }, window, since: None };
    assert!(!holds(pick(End::First), &history));
    assert!(holds(pick(End::Last), &history));
    assert!(!holds(pick(End::Last), &of(vec![buy(1, 1, "x")])));
}

#[test]
fn distinct_periods() {
    let history = of(vec![open(1), open(2), open(DAY + 1), open(3 * DAY)]);
    let periods = |unit, n| Cond::Periods { behaviour: ever(OPEN, None), unit, op: Op::Eq, n: Num::int(n) };
    assert!(holds(periods(PeriodUnit::Day, 3), &history));
    // The as-of day is a Saturday.
    assert!(holds(periods(PeriodUnit::Week, 1), &history));
    assert!(holds(periods(PeriodUnit::Month, 1), &history));
}

#[test]
fn the_first_trace_is_the_profile_or_the_first_event() {
    let known = |days| Cond::KnownSince(Edge::Back { amount: days, unit: Unit::Day });
    let profile = |days: i64| Some(ProfileRow { created: Some(clock().as_of - days * DAY), attributes: Vec::new() });
    assert!(holds(known(30), &of(vec![open(30 * DAY)])));
    assert!(!holds(known(30), &of(vec![open(30 * DAY - 1)])));
    assert!(holds(known(30), &History { profile: profile(30), ..of(vec![open(1)]) }));
    assert!(holds(known(30), &History { profile: profile(3), ..of(vec![open(30 * DAY)]) }));
    assert!(!holds(
        known(1),
        &History { profile: Some(ProfileRow { created: None, attributes: vec![] }), ..of(vec![]) }
    ));
}

#[test]
fn days_since_counts_whole_days() {
    let since = |end| Value::DaysSinceEvent { end, matching: Matching { event: OPEN, pred: None } };
    let history = of(vec![open(2 * DAY), open(3 * DAY - 1), open(9 * DAY + 5)]);
    assert_eq!(value(since(End::Last), &history), num(2));
    assert_eq!(value(since(End::First), &history), num(9));
    assert_eq!(value(since(End::First), &of(vec![])), None);
    let signup = |date: &str| {
        let days = segue::language::calendar::days_of(parse_date(date).unwrap());
        let attributes = vec![None, Some(Datum::Date(days))];
        History { profile: Some(ProfileRow { created: None, attributes }), ..of(vec![]) }
    };
    let since = Value::DaysSinceAttribute(AttributeId(1));
    assert_eq!(value(since.clone(), &signup("2026-11-20")), num(1));
    assert_eq!(value(since, &signup("2026-11-22")), num(-1));
}

#[test]
fn rules_of_rules_and_lists() {
    let mut program = rule(Cond::List(ListId(0)));
    let mut second = rule(Cond::Not(Box::new(Cond::Rule(RuleId(0)))));
    program.rules.append(&mut second.rules);
    for (lists, expected) in [(BTreeSet::new(), [false, true]), (BTreeSet::from([ListId(0)]), [true, false])] {
        let history = History { lists, ..of(vec![open(1)]) };
        assert_eq!(evaluate(&program, &history).members, expected);
    }
}
