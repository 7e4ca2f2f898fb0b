//! Anchors, visits, stretches of time, and one value several times, on histories whose answers can be told by hand.

use segue::language::catalog::{Catalog, EventId};
use segue::language::interpret::history::{CustomerId, EventRow};
use segue::language::interpret::{self};
use segue::language::ir::*;
use segue::language::num::Num;

use crate::interpret_support::*;

fn since(end: End, back: u32, event: EventId) -> Option<Box<Anchor>> {
    Some(Box::new(Anchor { end, back, matching: any(event) }))
}

fn bought_since(anchor: Option<Box<Anchor>>) -> Behaviour {
    Behaviour { since: anchor, ..ever(BUY, None) }
}

#[test]
fn what_came_after_the_anchor() {
    let events =
        vec![open(9), open(6), open(3), buy(8, 1, "x"), buy(6, 1, "x"), buy(3, 1, "x"), buy(2, 1, "x"), buy(0, 1, "x")];
    for (end, back, counted) in [
        (End::Last, 1, Some(1)),
        (End::Last, 2, Some(2)),
        (End::Last, 3, Some(4)),
        (End::Last, 4, None),
        (End::First, 1, Some(4)),
    ] {
        let anchor = since(end, back, OPEN);
        let history = of(events.clone());
        for n in 0..6 {
            let equal = count(bought_since(anchor.clone()), Op::Eq, n);
            // Without an anchor even `no` is false; `not` is the plain complement.
            assert_eq!(holds(equal.clone(), &history), counted == Some(n), "{end:?} {back} = {n}");
            assert_eq!(holds(Cond::Not(Box::new(equal)), &history), counted != Some(n));
        }
        assert_eq!(holds(count(bought_since(anchor), Op::Ge, 0), &history), counted.is_some());
    }
    // At one instant there are several.
    let twice = of(vec![open(5), open(5), buy(4, 1, "x")]);
    assert!(holds(count(bought_since(since(End::Last, 2, OPEN)), Op::Eq, 1), &twice));
    // At the as-of instant there is no anchor yet.
    assert!(!holds(count(bought_since(since(End::Last, 1, OPEN)), Op::Eq, 0), &of(vec![open(0), buy(5, 1, "x")])));
}

#[test]
fn everything_that_takes_an_anchor_is_false_without_one() {
    let anchor = || since(End::Last, 1, OPEN);
    let all: Vec<Cond> = vec![
        count(bought_since(anchor()), Op::Ge, 0),
        Cond::Periods { behaviour: bought_since(anchor()), unit: PeriodUnit::Day, op: Op::Ge, n: Num::int(0) },
        Cond::Same {
            behaviour: Behaviour { since: anchor(), ..ever(VIEW, None) },
            property: PRODUCT,
            n: 1,
            without: None,
        },
        Cond::Pick { end: End::Last, matching: any(BUY), window: Window::EVER, since: anchor() },
        Cond::InSession { inside: Box::new(Cond::Const(true)), window: Window::EVER, since: anchor() },
        Cond::InAny {
            length: Length { amount: 1, unit: Unit::Day },
            inside: Box::new(Cond::Const(true)),
            starts: vec![any(BUY)],
            window: Window::EVER,
            since: anchor(),
        },
    ];
    let did = vec![buy(5, 1, "x"), view(5, "a")];
    for cond in all {
        assert!(!holds(cond.clone(), &of(did.clone())), "{cond:?}");
        let after = did.iter().cloned().chain([open(6)]).collect();
        assert!(holds(cond.clone(), &of(after)), "{cond:?}");
        // Nothing of it lies after the anchor; `≥ 0` holds all the same.
        let before = of(did.iter().cloned().chain([open(5)]).collect());
        let of_nothing = matches!(cond, Cond::Count { .. } | Cond::Periods { .. });
        assert_eq!(holds(cond.clone(), &before), of_nothing, "{cond:?}");
    }
}

fn same(n: u64, without: Option<(Matching, segue::language::catalog::PropertyId)>, window: Window) -> Cond {
    let behaviour = Behaviour { window, ..ever(VIEW, None) };
    Cond::Same { behaviour, property: PRODUCT, n, without }
}

#[test]
fn one_value_reaches_the_count() {
    let thrice = |events: Vec<EventRow>| holds(same(3, None, Window::EVER), &of(events));
    assert!(thrice(vec![view(3, "a"), view(2, "b"), view(2, "a"), view(1, "a")]));
    assert!(!thrice(vec![view(3, "a"), view(2, "a"), view(1, "b"), view(4, "b")]));
    assert!(!thrice(vec![view(3, ""), view(2, ""), view(1, "")]));
    assert!(!thrice(vec![view(3, "a"), view(2, "a"), view(0, "a")]));
    // A purchase of the value rules it out, before or after; another value may do, and so may the same outside the window.
    let week = last_days(VIEW, 7).window;
    let bare = |events: Vec<EventRow>| holds(same(2, Some((any(CART), PRODUCT)), week), &of(events));
    let two = |product| [view(5 * DAY, product), view(4 * DAY, product)];
    let with = |rows: &[EventRow]| bare([two("a").as_slice(), rows].concat());
    assert!(with(&[]));
    assert!(!with(&[cart(6 * DAY, "a")]));
    assert!(!with(&[cart(1, "a")]));
    assert!(!with(&[cart(7 * DAY, "a")]));
    assert!(with(&[cart(7 * DAY + 1, "a")]));
    assert!(with(&[cart(0, "a")]));
    assert!(with(&[cart(6 * DAY, "b"), cart(5 * DAY, "")]));
    assert!(with(&[&two("b")[..], &[cart(1, "a")]].concat()));
    assert!(!with(&[&two("b")[..], &[cart(1, "a"), cart(1, "b")]].concat()));
}

#[test]
fn the_picked_has_to_lie_in_the_window_and_after_the_anchor() {
    let pick = |end, since| Cond::Pick { end, matching: any(BUY), window: last_days(BUY, 7).window, since };
    let bought = [buy(9 * DAY, 1, "x"), buy(5 * DAY, 1, "x")];
    let with = |row: EventRow| of(bought.iter().cloned().chain([row]).collect());
    assert!(!holds(pick(End::First, None), &with(open(1))));
    assert!(holds(pick(End::Last, None), &with(open(1))));
    assert!(!holds(pick(End::Last, since(End::Last, 1, OPEN)), &with(open(1))));
    assert!(!holds(pick(End::Last, since(End::Last, 1, OPEN)), &with(open(5 * DAY))));
    assert!(holds(pick(End::Last, since(End::Last, 1, OPEN)), &with(open(5 * DAY + 1))));
    // The first lies before the window, though it is after the anchor.
    assert!(!holds(pick(End::First, since(End::Last, 1, OPEN)), &with(open(10 * DAY))));
}

fn in_visit(inside: Cond, window: Window) -> Cond {
    Cond::InSession { inside: Box::new(inside), window, since: None }
}

#[test]
fn a_visit_is_a_run_without_a_long_gap() {
    let thrice = in_visit(count(ever(VIEW, None), Op::Ge, 3), Window::EVER);
    let gap = 30 * MINUTE;
    for (second, expected) in [(gap, true), (gap + 1, false)] {
        let start = 5 * HOUR;
        let events = vec![view(start, "a"), view(start - second, "a"), view(start - second - gap, "a")];
        assert_eq!(holds(thrice.clone(), &of(events)), expected);
    }
    // Other kinds that are marked hold a visit together; those that are not do not, and are not in it.
    let around = |row: EventRow| vec![view(2 * HOUR, "a"), row, view(HOUR, "a"), view(HOUR, "b")];
    assert!(holds(thrice.clone(), &of(around(cart(90 * MINUTE, "a")))));
    assert!(!holds(thrice.clone(), &of(around(open(90 * MINUTE)))));
    let opened = in_visit(count(ever(OPEN, None), Op::Ge, 1), Window::EVER);
    assert!(!holds(opened, &of(around(open(90 * MINUTE)))));
    // The catalog's gap.
    let wide = Catalog { session_gap: Some(HOUR), ..catalog() };
    let customers = [(CustomerId::Number(1), of(around(open(90 * MINUTE))))];
    assert_eq!(interpret::evaluate(&rule(thrice), &wide, &clock(), &customers)[0].members, [true]);
}

#[test]
fn a_visit_is_judged_by_itself() {
    let hunting = Cond::And(vec![
        count(ever(VIEW, None), Op::Ge, 2),
        count(ever(CART, None), Op::Ge, 1),
        Cond::Not(Box::new(count(ever(BUY, None), Op::Ge, 1))),
    ]);
    let one = [view(50 * HOUR, "a"), view(50 * HOUR - 1, "a")];
    let other = [view(9 * HOUR, "a"), cart(9 * HOUR - 1, "a")];
    let cond = in_visit(hunting, Window::EVER);
    assert!(!holds(cond.clone(), &of([one.as_slice(), &other].concat())));
    assert!(holds(cond.clone(), &of([one.as_slice(), &other, &[view(9 * HOUR - 2, "a")]].concat())));
    // A purchase is no kind of a visit here, so that it can't spoil one.
    let with_purchase = [one.as_slice(), &[cart(50 * HOUR - 2, "a"), buy(50 * HOUR - 2, 1, "x")]].concat();
    assert!(holds(cond, &of(with_purchase)));
    // Nothing but no visit has no visit.
    assert!(!holds(in_visit(Cond::Const(true), Window::EVER), &of(vec![buy(1, 1, "x")])));
    // `not` inside is about the visit: it ends with the second view.
    let calm = in_visit(Cond::Not(Box::new(count(ever(CART, None), Op::Ge, 1))), Window::EVER);
    assert!(holds(calm.clone(), &of([one.as_slice(), &other].concat())));
    assert!(!holds(calm, &of(other.to_vec())));
}

#[test]
fn a_visit_counts_from_its_beginning_and_as_it_stands() {
    let cond = in_visit(count(ever(CART, None), Op::Ge, 1), last_days(VIEW, 7).window);
    for (begun, expected) in [(7 * DAY, true), (7 * DAY + 1, false)] {
        assert_eq!(holds(cond.clone(), &of(vec![view(begun, "a"), cart(begun - 10 * MINUTE, "a")])), expected);
    }
    // Open at the as-of instant: what comes at or after it is not there yet.
    assert!(holds(cond.clone(), &of(vec![view(10 * MINUTE, "a"), cart(1, "a")])));
    assert!(!holds(cond, &of(vec![view(10 * MINUTE, "a"), cart(0, "a")])));
    // A chain in a visit has all its events there.
    let two = |event| Step { pick: None, matching: any(event), after: None, within: None, without: None, same: None };
    let steps = vec![two(VIEW), two(CART)];
    let sequence = Sequence { steps, window: Window::EVER, since: None, all_within: None, absence: None };
    let chain = in_visit(Cond::Sequence(Box::new(sequence)), Window::EVER);
    assert!(holds(chain.clone(), &of(vec![view(5 * HOUR, "a"), cart(5 * HOUR, "a")])));
    assert!(!holds(chain, &of(vec![view(5 * HOUR, "a"), cart(3 * HOUR, "a")])));
    // And so has one value several times, and the days that are counted.
    let twice = in_visit(same(2, None, Window::EVER), Window::EVER);
    assert!(!holds(twice, &of(vec![view(5 * HOUR, "a"), view(3 * HOUR, "a")])));
    let days = Cond::Periods { behaviour: ever(VIEW, None), unit: PeriodUnit::Day, op: Op::Ge, n: Num::int(2) };
    let over_midnight = vec![view(DAY + 5 * MINUTE, "a"), view(DAY - 5 * MINUTE, "a")];
    assert!(holds(in_visit(days.clone(), Window::EVER), &of(over_midnight)));
    assert!(!holds(in_visit(days, Window::EVER), &of(vec![view(DAY + HOUR, "a"), view(DAY - HOUR, "a")])));
}

fn in_any(starts: Vec<Matching>, window: Window) -> Cond {
    let both =
        vec![count(ever(VIEW, None), Op::Ge, 2), count(ever(CART, None), Op::Ge, 1), count(ever(BUY, None), Op::Eq, 0)];
    let length = Length { amount: 14, unit: Unit::Day };
    Cond::InAny { length, inside: Box::new(Cond::And(both)), starts, window, since: None }
}

#[test]
fn a_stretch_begins_with_an_event_and_takes_its_end_in() {
    let starts = || vec![any(VIEW), any(CART)];
    let cond = in_any(starts(), Window::EVER);
    let from = 20 * DAY;
    for (apart, expected) in [(14 * DAY, true), (14 * DAY + 1, false), (0, true)] {
        // In any order.
        for rows in [
            vec![cart(from, "a"), view(from, "a"), view(from - apart, "a")],
            vec![view(from, "a"), view(from, "b"), cart(from - apart, "a")],
            vec![view(from, "a"), cart(from, "a"), view(from - apart, "b")],
        ] {
            assert_eq!(holds(cond.clone(), &of(rows.clone())), expected, "{apart} {rows:?}");
        }
    }
    let rows = |bought| vec![view(from, "a"), cart(from - DAY, "a"), view(from - 2 * DAY, "a"), buy(bought, 1, "x")];
    assert!(holds(cond.clone(), &of(rows(from + 1))));
    assert!(!holds(cond.clone(), &of(rows(from))));
    assert!(!holds(cond.clone(), &of(rows(from - 14 * DAY))));
    assert!(holds(cond.clone(), &of(rows(from - 14 * DAY - 1))));
    // What comes at the as-of instant or later is not there yet.
    assert!(!holds(cond.clone(), &of(vec![view(DAY, "a"), view(DAY, "a"), cart(0, "a")])));
    assert!(holds(cond, &of(vec![view(DAY, "a"), view(DAY, "a"), cart(1, "a")])));
    // Only a start begins one: from the cart on there would be two views and no purchase.
    let rows =
        vec![view(from + 1, "a"), buy(from + 1, 1, "x"), cart(from, "a"), view(from - 1, "a"), view(from - 2, "b")];
    assert!(holds(in_any(starts(), Window::EVER), &of(rows.clone())));
    assert!(!holds(in_any(vec![any(VIEW)], Window::EVER), &of(rows)));
}

#[test]
fn the_window_is_that_of_the_start() {
    let cond = in_any(vec![any(VIEW), any(CART)], last_days(VIEW, 7).window);
    for (begun, expected) in [(7 * DAY, true), (7 * DAY + 1, false)] {
        let rows = vec![cart(begun, "a"), view(6 * DAY, "a"), view(6 * DAY, "b")];
        assert_eq!(holds(cond.clone(), &of(rows)), expected);
    }
    // What lies before its start does not count, in the window or not.
    assert!(!holds(cond, &of(vec![view(8 * DAY, "a"), view(6 * DAY, "a"), cart(5 * DAY, "a")])));
}
