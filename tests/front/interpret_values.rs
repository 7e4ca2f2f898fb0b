//! Values: of some events, of others, of both; and what of a customer is asked in a `where`.

use segue::language::calendar::{Zone, parse_moment};
use segue::language::catalog::{AttributeId, EventId};
use segue::language::interpret::history::{Datum, EventRow, History, ProfileRow};
use segue::language::interpret::scalar::Scalar;
use segue::language::ir::*;
use segue::language::num::Num;

use crate::interpret_support::*;

const POINTS: AttributeId = AttributeId(2);

fn aggregate(function: Aggregate, behaviour: Behaviour) -> Value {
    Value::Aggregate { function, behaviour }
}

fn viewed(before: i64, product: &str, seconds: Option<i64>) -> EventRow {
    let mut row = view(before, product);
    row.properties[SECONDS.index()] = seconds.map(Datum::Integer);
    row
}

fn text(text: &str) -> Option<Scalar> {
    Some(Scalar::Text(text.into()))
}

fn exact(units: i128, scale: u8) -> Option<Scalar> {
    Some(Scalar::Num(Num::Exact { units, scale }))
}

fn float(x: f64) -> Option<Scalar> {
    Num::float(x).map(Scalar::Num)
}

#[test]
fn percentiles_lie_between_the_two_nearest() {
    let of_seconds = |all: &[Option<i64>], millionths| {
        let rows = all.iter().map(|s| viewed(5, "a", *s)).collect();
        value(aggregate(Aggregate::Percentile(SECONDS, millionths), ever(VIEW, None)), &of(rows))
    };
    assert_eq!(of_seconds(&[], 500_000), None);
    assert_eq!(of_seconds(&[None], 500_000), None);
    assert_eq!(of_seconds(&[Some(7), None], 500_000), num(7));
    assert_eq!(of_seconds(&[Some(10), Some(-1), Some(4)], 500_000), num(4));
    assert_eq!(of_seconds(&[Some(10), Some(4), None, Some(1), Some(2)], 500_000), exact(3, 0));
    assert_eq!(of_seconds(&[Some(3), Some(4)], 500_000), exact(35, 1));
    // 0, 10, 20, 30, 40: the way to 90 % is 3.6 steps.
    let five: Vec<Option<i64>> = [40, 0, 30, 10, 20].map(Some).to_vec();
    for (millionths, expected) in [(0, 0), (250_000, 10), (900_000, 36), (1_000_000, 40)] {
        assert_eq!(of_seconds(&five, millionths), num(expected), "{millionths}");
    }
    // Exact where the values are: half a cent.
    let bought = of(vec![buy(1, 10, "x"), buy(1, 11, "x")]);
    assert_eq!(value(aggregate(Aggregate::Percentile(AMOUNT, 500_000), ever(BUY, None)), &bought), exact(105, 3));
}

#[test]
fn the_first_and_the_last_may_be_missing() {
    let first = |rows: &[EventRow]| value(aggregate(Aggregate::First(PRODUCT), ever(VIEW, None)), &of(rows.to_vec()));
    let last = |rows: &[EventRow]| value(aggregate(Aggregate::Last(PRODUCT), ever(VIEW, None)), &of(rows.to_vec()));
    let rows = [view(9, "b"), view(8, "z"), view(5, "a"), view(0, "q")];
    assert_eq!((first(&rows), last(&rows)), (text("b"), text("a")));
    // They skip nothing: missing there is missing.
    let holes = [view(9, ""), view(7, "z"), view(5, "")];
    assert_eq!((first(&holes), last(&holes)), (None, None));
    // Of several at that instant the greatest known.
    let ties = [view(9, ""), view(9, "a"), view(9, "c"), view(9, "b"), view(5, "x"), view(5, ""), view(5, "y")];
    assert_eq!((first(&ties), last(&ties)), (text("c"), text("y")));
    assert_eq!((first(&[]), last(&[])), (None, None));
    // In the window, and not of all that was ever done.
    let in_window = Behaviour { window: last_days(VIEW, 7).window, ..ever(VIEW, None) };
    let rows = of(vec![view(9 * DAY, "b"), view(7 * DAY, "c"), view(DAY, "d")]);
    assert_eq!(value(aggregate(Aggregate::First(PRODUCT), in_window), &rows), text("c"));
    let seconds = of(vec![viewed(5, "a", Some(9)), viewed(5, "a", Some(10)), viewed(5, "a", None)]);
    assert_eq!(value(aggregate(Aggregate::Last(SECONDS), ever(VIEW, None)), &seconds), num(10));
}

#[test]
fn of_the_most_frequent_the_smallest() {
    let most = |products: &[&str]| {
        let rows = products.iter().map(|p| view(5, p)).collect();
        value(aggregate(Aggregate::MostFrequent(PRODUCT), ever(VIEW, None)), &of(rows))
    };
    assert_eq!(most(&["b", "a", "b"]), text("b"));
    assert_eq!(most(&["c", "b", "a", "b", "c"]), text("b"));
    assert_eq!(most(&["", "", "", "c", "b"]), text("b"));
    assert_eq!(most(&["", ""]), None);
    assert_eq!(most(&[]), None);
}

#[test]
fn calculations() {
    let literal = |n: i64| Box::new(Value::Literal(Literal::Num(Num::int(n))));
    let nothing = || Box::new(Value::Attribute(POINTS));
    let bought = || Box::new(aggregate(Aggregate::Sum(AMOUNT), ever(BUY, None)));
    let calculated = |op, left, right| value(Value::Arithmetic { op, left, right }, &of(vec![buy(5, 1_050, "x")]));
    assert_eq!(calculated(Arithmetic::Add, literal(2), literal(3)), num(5));
    assert_eq!(calculated(Arithmetic::Subtract, bought(), literal(1)), exact(950, 2));
    assert_eq!(calculated(Arithmetic::Multiply, bought(), literal(2)), exact(21, 0));
    assert_eq!(calculated(Arithmetic::Divide, literal(1), literal(4)), float(0.25));
    assert_eq!(calculated(Arithmetic::Divide, literal(1), literal(0)), None);
    assert_eq!(calculated(Arithmetic::Divide, literal(0), literal(0)), None);
    for op in [Arithmetic::Add, Arithmetic::Subtract, Arithmetic::Multiply, Arithmetic::Divide] {
        assert_eq!(calculated(op, nothing(), literal(0)), None);
        assert_eq!(calculated(op, literal(0), nothing()), None);
    }
    // An average of nothing is missing, a sum of nothing is not.
    let of_nothing = |function| Box::new(aggregate(function, ever(VIEW, None)));
    assert_eq!(calculated(Arithmetic::Add, literal(1), of_nothing(Aggregate::Avg(SECONDS))), None);
    assert_eq!(calculated(Arithmetic::Add, literal(1), of_nothing(Aggregate::Sum(SECONDS))), num(1));
}

#[test]
fn rates() {
    let rate = |rows: Vec<EventRow>| {
        let per = last_days(OPEN, 7);
        value(Value::Rate { of: Behaviour { window: per.window, ..ever(BUY, None) }, per }, &of(rows))
    };
    assert_eq!(rate(vec![]), None);
    assert_eq!(rate(vec![buy(5, 1, "x")]), None);
    assert_eq!(rate(vec![open(5)]), float(0.0));
    assert_eq!(rate(vec![open(5), open(4), open(8 * DAY), buy(3, 1, "x"), buy(8 * DAY, 1, "x")]), float(0.5));
    assert_eq!(rate(vec![open(5), buy(3, 1, "x"), buy(2, 1, "x"), buy(0, 1, "x")]), float(2.0));
}

#[test]
fn without_an_anchor_every_value_is_missing() {
    let since = |event: EventId| Some(Box::new(Anchor { end: End::Last, back: 1, matching: any(event) }));
    let behaviour = || Behaviour { since: since(OPEN), ..ever(BUY, None) };
    let all = [
        Aggregate::Count,
        Aggregate::Sum(AMOUNT),
        Aggregate::Distinct(AMOUNT),
        Aggregate::Max(AMOUNT),
        Aggregate::Percentile(AMOUNT, 500_000),
        Aggregate::First(AMOUNT),
        Aggregate::Last(AMOUNT),
        Aggregate::MostFrequent(AMOUNT),
    ];
    let bought = [buy(5, 100, "x"), buy(3, 100, "x")];
    let with = |row: EventRow| of(bought.iter().cloned().chain([row]).collect());
    for function in all {
        assert_eq!(value(aggregate(function, behaviour()), &of(bought.to_vec())), None, "{function:?}");
        let expected = if matches!(function, Aggregate::Count | Aggregate::Distinct(_)) { num(1) } else { exact(1, 0) };
        assert_eq!(value(aggregate(function, behaviour()), &with(open(5))), expected, "{function:?}");
    }
    let rate = |of, per| Value::Rate { of, per };
    assert_eq!(value(rate(behaviour(), ever(BUY, None)), &of(bought.to_vec())), None);
    assert_eq!(value(rate(behaviour(), ever(BUY, None)), &with(open(5))), float(0.5));
}

#[test]
fn a_where_may_ask_for_the_customer() {
    let points = |n: Option<i64>| {
        let attributes = vec![None, None, n.map(Datum::Integer)];
        Some(ProfileRow { created: None, attributes })
    };
    let more = |than: Value| {
        let (left, right) = (Operand::Property(SECONDS), Operand::Customer(Box::new(than)));
        Some(Pred::Test(Test::Compare { left, op: Op::Ge, right }))
    };
    let rows = vec![viewed(9, "a", Some(3)), viewed(8, "b", Some(5)), viewed(7, "c", None)];
    let than_points = |n| count(ever(VIEW, more(Value::Attribute(POINTS))), Op::Eq, n);
    for (has, n) in [(Some(3), 2), (Some(4), 1), (Some(6), 0), (None, 0)] {
        let history = History { profile: points(has), ..of(rows.clone()) };
        assert!(holds(than_points(n), &history), "{has:?}");
    }
    // Of all that the customer did, also from inside a stretch of time or a visit: the average is 4.
    let average = || more(aggregate(Aggregate::Avg(SECONDS), ever(VIEW, None)));
    assert!(holds(count(ever(VIEW, average()), Op::Eq, 1), &of(rows)));
    let far = vec![viewed(9 * DAY, "a", Some(10)), viewed(8, "b", Some(5)), viewed(7, "b", Some(1))];
    let inside = Box::new(count(ever(VIEW, average()), Op::Ge, 1));
    let visit = |window| Cond::InSession { inside: inside.clone(), window, since: None };
    assert!(holds(visit(Window::EVER), &of(far.clone())));
    assert!(!holds(visit(last_days(VIEW, 7).window), &of(far)));
    // Missing makes `≠` true.
    let (left, right) =
        (Operand::Customer(Box::new(Value::Attribute(POINTS))), Operand::Literal(Literal::Num(Num::int(3))));
    let other = Pred::Test(Test::Compare { left, op: Op::Ne, right });
    assert!(holds(count(ever(VIEW, Some(other)), Op::Eq, 1), &of(vec![view(5, "a")])));
}

#[test]
fn forward_windows_and_periods() {
    let zone = Zone::utc();
    let at = |text: &str| parse_moment(text, &zone).unwrap();
    let window = |start, end| Window { start: Some(start), end: Some(end) };
    let period = |offset| Edge::Period { unit: PeriodUnit::Month, offset };
    // The as-of instant is 2026-11-21T00:00.
    let of_events = |window, day: &str, expected: bool| {
        let row = EventRow { time: at(day), ..open(0) };
        let behaviour = Behaviour { window, ..ever(OPEN, None) };
        assert_eq!(holds(count(behaviour, Op::Ge, 1), &of(vec![row])), expected, "{day} {window:?}");
    };
    let this = window(period(0), Edge::AsOf);
    for (day, inside) in
        [("2026-10-31T23:59:59.999999", false), ("2026-11-01", true), ("2026-11-20T23:59", true), ("2026-11-21", false)]
    {
        of_events(this, day, inside);
    }
    let previous = window(period(-2), period(0));
    for (day, inside) in
        [("2026-08-31T23:59", false), ("2026-09-01", true), ("2026-10-31T23:59", true), ("2026-11-01", false)]
    {
        of_events(previous, day, inside);
    }
    let signup = |window, days: i64| {
        let attributes = vec![None, Some(Datum::Date((clock().as_of / DAY + days) as i32)), None];
        let value = Value::Attribute(AttributeId(1));
        let history = History { profile: Some(ProfileRow { created: None, attributes }), ..of(vec![]) };
        (
            holds(Cond::Test(Test::During { value: value.clone(), window }), &history),
            holds(Cond::Test(Test::Anniversary { value, window }), &history),
        )
    };
    let within = window(Edge::AsOf, Edge::Ahead { amount: 7, unit: Unit::Day });
    for (days, inside) in [(-1, false), (0, true), (7, true), (8, false)] {
        assert_eq!(signup(within, days), (inside, false), "{days}");
    }
    // A year ago and a day: it came back yesterday.
    for (days, inside) in [(-366, false), (-365, true), (-358, true), (-357, false), (-730, true)] {
        assert_eq!(signup(within, days), (false, inside), "{days}");
    }
    let missing = Cond::Test(Test::During { value: Value::Attribute(AttributeId(1)), window: within });
    assert!(!holds(missing, &of(vec![open(1)])));
}
