//! Sequences on histories whose answers can be told by hand, and against a search that tries every chain there is.

use segue::language::calendar::Clock;
use segue::language::catalog::{EventId, PropertyId};
use segue::language::interpret::history::{Datum, EventRow, History};
use segue::language::ir::*;

use crate::generate::dice::Dice;
use crate::interpret_support::*;

fn step(event: EventId) -> Step {
    Step { pick: None, matching: any(event), after: None, within: None, without: None, same: None }
}

fn length(amount: u32, unit: Unit) -> Option<Length> {
    Some(Length { amount, unit })
}

fn days(amount: u32) -> Option<Length> {
    length(amount, Unit::Day)
}

fn chain(steps: Vec<Step>) -> Sequence {
    Sequence { steps, window: Window::EVER, since: None, all_within: None, absence: None }
}

fn has(sequence: &Sequence, events: &[EventRow]) -> bool {
    holds(Cond::Sequence(Box::new(sequence.clone())), &of(events.to_vec()))
}

fn absent(event: EventId, within: Option<Length>) -> Option<Absence> {
    Some(Absence { matching: any(event), within, same: None })
}

/// The same with `with same product`.
fn same(mut sequence: Sequence) -> Sequence {
    for step in &mut sequence.steps {
        step.same = Some(PRODUCT);
        if let Some((_, property)) = &mut step.without {
            *property = Some(PRODUCT);
        }
    }
    if let Some(absence) = &mut sequence.absence {
        absence.same = Some(PRODUCT);
    }
    sequence
}

#[test]
fn each_at_or_after_the_one_before() {
    let view_then_cart = chain(vec![step(VIEW), step(CART)]);
    for (events, expected) in [
        (vec![view(5, "a"), cart(4, "a")], true),
        (vec![view(4, "a"), cart(5, "a")], false),
        (vec![view(5, "a"), cart(5, "a")], true),
        (vec![cart(5, "a"), view(5, "a")], true),
        (vec![view(5, "a"), cart(0, "a")], false),
        (vec![view(5, "a")], false),
        (vec![], false),
    ] {
        assert_eq!(has(&view_then_cart, &events), expected, "{events:?}");
    }
}

#[test]
fn a_chain_takes_no_event_twice() {
    let thrice = chain(vec![step(VIEW), step(VIEW), step(VIEW)]);
    assert!(!has(&thrice, &[view(5, "a"), view(4, "a")]));
    assert!(has(&thrice, &[view(5, "a"), view(4, "a"), view(3, "a")]));
    // Equal rows are events of their own, at one instant too.
    assert!(has(&thrice, &[view(5, "a"), view(5, "a"), view(5, "a")]));
    assert!(!has(&thrice, &[view(5, "a"), view(5, "a")]));
    // Of the two at one instant one must be left for the step that takes nothing else.
    let where_a = Matching { event: VIEW, pred: Some(product(Op::Eq, "a")) };
    let any_then_a = chain(vec![step(VIEW), Step { matching: where_a.clone(), ..step(VIEW) }]);
    assert!(has(&any_then_a, &[view(5, "a"), view(5, "b")]));
    assert!(has(&any_then_a, &[view(5, "b"), view(5, "a")]));
    let a_then_any = chain(vec![Step { matching: where_a, ..step(VIEW) }, step(VIEW)]);
    assert!(has(&a_then_any, &[view(5, "b"), view(5, "a")]));
    assert!(!has(&a_then_any, &[view(6, "b"), view(5, "a")]));
}

fn product(op: Op, text: &str) -> Pred {
    let right = Operand::Literal(Literal::Text(text.into()));
    Pred::Test(Test::Compare { left: Operand::Property(PRODUCT), op, right })
}

#[test]
fn more_than_after_and_at_most_within() {
    let within = chain(vec![step(VIEW), Step { within: days(7), ..step(CART) }]);
    let after = chain(vec![step(VIEW), Step { after: days(1), ..step(CART) }]);
    for (apart, in_time, late_enough) in
        [(0, true, false), (DAY, true, false), (DAY + 1, true, true), (7 * DAY, true, true), (7 * DAY + 1, false, true)]
    {
        let events = [view(10 * DAY, "a"), cart(10 * DAY - apart, "a")];
        assert_eq!(has(&within, &events), in_time, "within: {apart}");
        assert_eq!(has(&after, &events), late_enough, "after: {apart}");
    }
    // Another first event may be near enough.
    assert!(has(&within, &[view(20 * DAY, "a"), view(10 * DAY, "a"), cart(5 * DAY, "a")]));
    assert!(has(&within, &[view(20 * DAY, "a"), cart(15 * DAY, "a"), cart(5 * DAY, "a")]));
}

#[test]
fn days_are_those_of_the_calendar() {
    // On 25 October 2026 the day has 25 hours in Paris.
    let zone = segue::language::calendar::Zone::new("Europe/Paris").unwrap();
    let at = |text: &str| segue::language::calendar::parse_moment(text, &zone).unwrap();
    let clock = Clock { as_of: at("2026-11-21"), zone: zone.clone() };
    for (bound, unit, second, expected) in [
        (1, Unit::Day, "2026-10-25T12:00", true),
        (1, Unit::Day, "2026-10-25T12:00:00.000001", false),
        (24, Unit::Hour, "2026-10-25T11:00", true),
        (24, Unit::Hour, "2026-10-25T11:00:00.000001", false),
        (1, Unit::Month, "2026-11-24T12:00", false),
        (1, Unit::Month, "2026-11-20T12:00", true),
    ] {
        let sequence = chain(vec![step(VIEW), Step { within: length(bound, unit), ..step(CART) }]);
        let row = |row: EventRow, time: &str| EventRow { time: at(time), ..row };
        let events = vec![row(view(0, "a"), "2026-10-24T12:00"), row(cart(0, "a"), second)];
        let found = holds_at(Cond::Sequence(Box::new(sequence)), &clock, &of(events));
        assert_eq!(found, expected, "{bound} {unit:?} {second}");
    }
}

#[test]
fn without_is_strictly_between() {
    let sequence = chain(vec![step(VIEW), Step { without: Some((any(OPEN), None)), ..step(CART) }]);
    for (opened, expected) in [(11, true), (10, true), (9, false), (6, false), (5, true), (4, true)] {
        assert_eq!(has(&sequence, &[view(10, "a"), cart(5, "a"), open(opened)]), expected, "{opened}");
    }
    // The event after the barrier may begin a chain of its own.
    assert!(has(&sequence, &[view(10, "a"), open(8), view(7, "a"), cart(5, "a")]));
    assert!(has(&sequence, &[view(10, "a"), cart(9, "a"), open(8), cart(5, "a")]));
    // What is unwanted may be of the kind of the steps themselves: nothing of it between.
    let next_one = chain(vec![step(VIEW), Step { without: Some((any(VIEW), None)), ..step(CART) }]);
    assert!(has(&next_one, &[view(10, "a"), view(8, "a"), cart(5, "a")]));
    let neither = chain(vec![
        step(VIEW),
        Step { without: Some((any(CART), None)), after: length(3, Unit::Second), ..step(CART) },
    ]);
    let seconds = |n: i64| n * 1_000_000;
    assert!(!has(&neither, &[view(seconds(9), "a"), cart(seconds(8), "a"), cart(seconds(2), "a")]));
    assert!(has(&neither, &[view(seconds(9), "a"), cart(seconds(9), "a"), cart(seconds(2), "a")]));
}

#[test]
fn nothing_follows_and_the_time_is_over() {
    let hour = length(1, Unit::Hour);
    let abandoned = Sequence { absence: absent(BUY, hour), ..chain(vec![step(CART)]) };
    for (carted, bought, expected) in [
        // The edge of the hour is still in, and has to lie before the as-of instant.
        (HOUR, None, false),
        (HOUR + 1, None, true),
        (5 * HOUR, Some(4 * HOUR), false),
        (5 * HOUR, Some(4 * HOUR - 1), true),
        (5 * HOUR, Some(5 * HOUR), false),
        (5 * HOUR, Some(5 * HOUR + 1), true),
        (5 * HOUR, Some(0), true),
    ] {
        let mut events = vec![cart(carted, "a")];
        events.extend(bought.map(|before| buy(before, 1, "x")));
        assert_eq!(has(&abandoned, &events), expected, "{carted} {bought:?}");
    }
    // One clean start is enough; `last` judges the last only.
    let events = [cart(9 * HOUR, "a"), cart(5 * HOUR, "a"), buy(5 * HOUR - 1, 1, "x")];
    assert!(has(&abandoned, &events));
    let last = Step { pick: Some(End::Last), ..step(CART) };
    assert!(!has(&Sequence { steps: vec![last], ..abandoned.clone() }, &events));
    // Without `within` nothing follows up to the as-of instant, and nothing has to be over.
    let never = Sequence { absence: absent(BUY, None), ..chain(vec![step(CART)]) };
    assert!(has(&never, &[cart(1, "a")]));
    assert!(has(&never, &[cart(2, "a"), buy(0, 1, "x")]));
    assert!(!has(&never, &[cart(2, "a"), buy(1, 1, "x")]));
}

#[test]
fn what_must_not_follow_is_another_event_than_the_last_itself() {
    let alone = Sequence { absence: absent(VIEW, length(1, Unit::Hour)), ..chain(vec![step(VIEW)]) };
    assert!(has(&alone, &[view(5 * HOUR, "a")]));
    assert!(!has(&alone, &[view(5 * HOUR, "a"), view(5 * HOUR, "a")]));
    assert!(has(&alone, &[view(5 * HOUR, "a"), view(4 * HOUR - 1, "a")]));
    // The event before the last, at its instant, is another one.
    let twice = Sequence { absence: absent(VIEW, length(1, Unit::Hour)), ..chain(vec![step(VIEW), step(VIEW)]) };
    assert!(!has(&twice, &[view(5 * HOUR, "a"), view(5 * HOUR, "a")]));
    assert!(has(&twice, &[view(5 * HOUR + 1, "a"), view(5 * HOUR, "a")]));
}

#[test]
fn all_within_runs_from_the_first_to_the_last() {
    let steps = vec![step(VIEW), step(OPEN), step(CART)];
    let sequence = Sequence { all_within: days(14), ..chain(steps) };
    for (first, expected) in [(14 * DAY + 1, true), (14 * DAY + 2, false), (DAY, true)] {
        assert_eq!(has(&sequence, &[view(first, "a"), open(5), cart(1, "a")]), expected, "{first}");
    }
    // From a later first event it may fit.
    assert!(has(&sequence, &[view(20 * DAY, "a"), open(19 * DAY), view(9 * DAY, "a"), open(8 * DAY), cart(1, "a")]));
    assert!(!has(&sequence, &[view(20 * DAY, "a"), open(19 * DAY), view(7 * DAY, "a"), cart(1, "a")]));
    // A single step is no time.
    assert!(has(&Sequence { all_within: days(14), ..chain(vec![step(VIEW)]) }, &[view(1, "a")]));
}

#[test]
fn the_same_value_along_the_chain() {
    let sequence = same(chain(vec![step(VIEW), step(CART)]));
    assert!(has(&sequence, &[view(5, "a"), cart(4, "a")]));
    assert!(!has(&sequence, &[view(5, "a"), cart(4, "b")]));
    assert!(has(&sequence, &[view(5, "a"), view(5, "b"), cart(4, "b")]));
    // Missing equals nothing, not even missing.
    assert!(!has(&sequence, &[view(5, ""), cart(4, "")]));
    assert!(!has(&sequence, &[view(5, "a"), cart(4, "")]));
    // Only a C or D of that value counts.
    let without = |event| Some((any(event), None));
    let clean = same(chain(vec![step(VIEW), Step { without: without(VIEW), ..step(CART) }]));
    assert!(has(&clean, &[view(9, "a"), view(7, "b"), view(6, ""), cart(4, "a")]));
    assert!(has(&clean, &[view(9, "a"), view(7, "a"), cart(4, "a")]));
    let bound = same(chain(vec![
        Step { matching: Matching { event: VIEW, pred: None }, ..step(VIEW) },
        Step { without: without(CART), after: length(3, Unit::Second), ..step(CART) },
    ]));
    let second = 1_000_000;
    assert!(!has(&bound, &[view(9 * second, "a"), cart(8 * second, "a"), cart(second, "a")]));
    assert!(has(&bound, &[view(9 * second, "a"), cart(8 * second, "b"), cart(second, "a")]));
    let left = same(Sequence { absence: absent(CART, None), ..chain(vec![step(VIEW)]) });
    assert!(has(&left, &[view(5, "a"), cart(4, "b"), cart(4, "")]));
    assert!(!has(&left, &[view(5, "a"), cart(4, "a")]));
    assert!(!has(&left, &[view(5, "")]));
}

#[test]
fn first_and_last_pick_and_are_tested_then() {
    let first = Step { pick: Some(End::First), ..step(VIEW) };
    let last = Step { pick: Some(End::Last), ..step(VIEW) };
    let week = last_days(VIEW, 7).window;
    let events = [view(9 * DAY, "a"), cart(8 * DAY, "a"), view(3 * DAY, "a"), cart(2 * DAY, "a")];
    let from = |step: &Step| chain(vec![step.clone(), Step { within: days(2), ..self::step(CART) }]);
    assert!(has(&from(&first), &events));
    assert!(has(&from(&last), &events));
    // The very first lies before the window, and no other is taken for it.
    assert!(!has(&Sequence { window: week, ..from(&first) }, &events));
    assert!(has(&Sequence { window: week, ..from(&last) }, &events));
    // The window is that of the first event alone, and picks nothing.
    let into_last = chain(vec![step(CART), last.clone()]);
    assert!(has(&into_last, &events));
    assert!(!has(&Sequence { window: week, ..into_last }, &events));
    assert!(!has(&chain(vec![step(CART), first.clone()]), &events));
    // Of several at the first instant any may be meant.
    let ties = [view(9, "a"), view(9, "b"), view(5, "c"), cart(4, "b")];
    assert!(has(&same(chain(vec![first.clone(), step(CART)])), &ties));
    assert!(!has(&same(chain(vec![last.clone(), step(CART)])), &ties));
    // What picks twice takes two events.
    assert!(has(&chain(vec![first.clone(), first.clone()]), &ties));
    assert!(!has(&chain(vec![last.clone(), last]), &ties));
}

#[test]
fn the_window_and_the_anchor_are_of_the_first_event() {
    let since = Some(Box::new(Anchor { end: End::Last, back: 1, matching: any(OPEN) }));
    let sequence = Sequence { since, ..chain(vec![step(VIEW), step(CART)]) };
    assert!(!has(&sequence, &[view(9, "a"), cart(8, "a")]));
    assert!(!has(&sequence, &[view(9, "a"), cart(8, "a"), open(9)]));
    assert!(has(&sequence, &[view(9, "a"), cart(8, "a"), open(10)]));
    assert!(!has(&sequence, &[view(9, "a"), cart(8, "a"), open(10), open(1)]));
    let week = Sequence { window: last_days(VIEW, 7).window, ..chain(vec![step(VIEW), step(CART)]) };
    for (first, expected) in [(7 * DAY, true), (7 * DAY + 1, false)] {
        assert_eq!(has(&week, &[view(first, "a"), cart(1, "a")]), expected);
    }
}

#[test]
fn many_events_are_no_trap() {
    // Two hundred views at one instant, each with values of its own, and a chain that comes to nothing at its end.
    let many: Vec<EventRow> = (0..200).map(|i| timed(view(9 * DAY, &format!("p{i}")), i)).collect();
    let mut steps = vec![step(VIEW); 8];
    steps.push(step(CART));
    assert!(!has(&chain(steps.clone()), &many));
    // The same one after the other, and for one value.
    let row: Vec<EventRow> = (0..200).map(|i| view(9 * DAY - i, "a")).collect();
    assert!(!has(&chain(steps.clone()), &row));
    assert!(!has(&same(Sequence { all_within: days(2), ..chain(steps.clone()) }), &row));
    let ended: Vec<EventRow> = row.iter().cloned().chain([cart(5, "a")]).collect();
    assert!(has(&chain(steps.clone()), &ended));
    assert!(!has(&Sequence { all_within: days(2), ..chain(steps) }, &ended));
}

fn timed(mut row: EventRow, seconds: i64) -> EventRow {
    row.properties[SECONDS.index()] = Some(Datum::Integer(seconds));
    row
}

/// Every chain there is, tried one by one: an event for each step, and then the words of the language for each chain.
fn by_force(sequence: &Sequence, history: &History, clock: &Clock) -> bool {
    let events: Vec<&EventRow> = history.events.iter().filter(|e| e.time < clock.as_of).collect();
    let mut chains: Vec<Vec<usize>> = vec![Vec::new()];
    for _ in &sequence.steps {
        let longer = chains.iter().flat_map(|chain| (0..events.len()).map(|e| [chain.as_slice(), &[e]].concat()));
        chains = longer.collect();
    }
    let anchor = sequence.since.as_deref().map(|anchor| {
        let mut times: Vec<i64> = events.iter().filter(|e| is(&anchor.matching, e)).map(|e| e.time).collect();
        times.sort();
        if anchor.end == End::Last {
            times.reverse();
        }
        times.get(anchor.back as usize - 1).copied()
    });
    chains.iter().any(|chain| fulfils(sequence, &events, chain, anchor, clock))
}

fn is(matching: &Matching, event: &EventRow) -> bool {
    let passes = match &matching.pred {
        None => true,
        Some(Pred::Test(Test::Compare { op, right: Operand::Literal(Literal::Text(text)), .. })) => {
            (value(event, PRODUCT) == Some(text.clone())) == (*op == Op::Eq)
        }
        Some(other) => panic!("{other:?}"),
    };
    event.event == matching.event && passes
}

fn value(event: &EventRow, property: PropertyId) -> Option<String> {
    match event.properties.get(property.index()) {
        Some(Some(Datum::Text(text))) if !text.is_empty() => Some(text.clone()),
        _ => None,
    }
}

fn fulfils(
    sequence: &Sequence,
    events: &[&EventRow],
    chain: &[usize],
    anchor: Option<Option<i64>>,
    clock: &Clock,
) -> bool {
    let time = |i: usize| events[chain[i]].time;
    let (first, last) = (time(0), time(chain.len() - 1));
    if (0..chain.len()).any(|i| chain[..i].contains(&chain[i])) {
        return false;
    }
    if !clock.interval(&sequence.window).contains(first) || anchor.is_some_and(|at| at.is_none_or(|at| first <= at)) {
        return false;
    }
    if sequence.all_within.is_some_and(|l| last > clock.later(first, l)) {
        return false;
    }
    let wanted = sequence.steps[0].same.map(|property| value(events[chain[0]], property));
    let valued = |event: &EventRow, property: Option<PropertyId>| {
        property.is_none_or(|p| value(event, p).is_some() && Some(value(event, p)) == wanted)
    };
    for (i, step) in sequence.steps.iter().enumerate() {
        let event = events[chain[i]];
        let all = || events.iter().filter(|e| is(&step.matching, e)).map(|e| e.time);
        let picked = match step.pick {
            None => true,
            Some(End::First) => all().min() == Some(event.time),
            Some(End::Last) => all().max() == Some(event.time),
        };
        if !is(&step.matching, event) || !picked || !valued(event, step.same) {
            return false;
        }
        if i == 0 {
            continue;
        }
        let before = time(i - 1);
        let between = |e: &&&EventRow| before < e.time && e.time < event.time;
        let unwanted = step.without.as_ref().is_some_and(|(matching, property)| {
            events.iter().filter(between).any(|e| is(matching, e) && valued(e, *property))
        });
        let in_order = event.time >= before
            && step.after.is_none_or(|l| event.time > clock.later(before, l))
            && step.within.is_none_or(|l| event.time <= clock.later(before, l));
        if !in_order || unwanted {
            return false;
        }
    }
    let Some(absence) = &sequence.absence else { return true };
    let until = absence.within.map_or(clock.as_of, |l| clock.later(last, l));
    let follows = |(at, e): (usize, &&EventRow)| {
        let in_time = last <= e.time && e.time <= until;
        at != chain[chain.len() - 1] && in_time && is(&absence.matching, e) && valued(e, absence.same)
    };
    (absence.within.is_none() || until < clock.as_of) && !events.iter().enumerate().any(follows)
}

/// A sequence of views, carts and openings.
fn random(dice: &mut Dice) -> Sequence {
    let kinds = [VIEW, CART, VIEW, OPEN];
    let matching = |dice: &mut Dice, kind: EventId| {
        let op = *dice.pick(&[Op::Eq, Op::Ne]);
        let pred = (kind != OPEN && dice.chance(25)).then(|| product(op, dice.pick::<&str>(&["a", "b"])));
        Matching { event: kind, pred }
    };
    let span = |dice: &mut Dice, percent| {
        let unit = *dice.pick(&[Unit::Hour, Unit::Day]);
        let amount = 1 + dice.below(3) as u32;
        if dice.chance(percent) { length(amount, unit) } else { None }
    };
    let is_same = dice.chance(35);
    // What has to be the same has to be a property.
    let of = if is_same { 3 } else { 4 };
    let valued = is_same.then_some(PRODUCT);
    let steps = (0..=dice.below(3)).map(|i| {
        let kind = kinds[dice.below(of)];
        let pick = dice.chance(15).then(|| *dice.pick(&[End::First, End::Last]));
        let own = Step { pick, matching: matching(dice, kind), same: valued, ..step(kind) };
        if i == 0 {
            return own;
        }
        let unwanted = kinds[dice.below(of)];
        let without = dice.chance(30).then(|| (matching(dice, unwanted), valued));
        Step { after: span(dice, 20), within: span(dice, 40), without, ..own }
    });
    let mut sequence = chain(steps.collect());
    sequence.all_within = span(dice, 25);
    if dice.chance(30) {
        sequence.window = last_days(VIEW, 3).window;
    }
    if dice.chance(20) {
        let end = *dice.pick(&[End::First, End::Last]);
        let back = if end == End::First { 1 } else { 1 + dice.below(2) as u32 };
        sequence.since = Some(Box::new(Anchor { end, back, matching: any(OPEN) }));
    }
    if dice.chance(35) {
        let kind = kinds[dice.below(of)];
        sequence.absence = Some(Absence { matching: matching(dice, kind), within: span(dice, 60), same: valued });
    }
    sequence
}

#[test]
fn the_search_finds_what_trying_every_chain_finds() {
    let (mut yes, mut no) = (0, 0);
    let seeds = crate::generate::seeds(crate::generate::cases(2_000));
    for seed in seeds {
        let mut dice = Dice::new(seed ^ 0xc4a1);
        // Few instants, so that many events lie at one of them and at edges.
        let instants: Vec<i64> = (0..4).map(|_| dice.below(5) as i64 * DAY + dice.below(3) as i64 * HOUR).collect();
        let events = (0..dice.below(8)).map(|_| {
            let before = *dice.pick(&instants) + *dice.pick(&[0, 0, 0, 1]);
            let product = *dice.pick(&["a", "a", "b", ""]);
            match dice.below(5) {
                0 => open(before),
                1 | 2 => cart(before, product),
                _ => view(before, product),
            }
        });
        let history = of(events.collect());
        for _ in 0..4 {
            let sequence = random(&mut dice);
            let expected = by_force(&sequence, &history, &clock());
            let found = holds(Cond::Sequence(Box::new(sequence.clone())), &history);
            assert_eq!(found, expected, "seed {seed}: {sequence:#?}\n{history:#?}");
            if expected { yes += 1 } else { no += 1 }
        }
    }
    assert!(yes * 10 > no, "{yes} of {}", yes + no);
}
