//! Decisions over random projects and growing histories: equal to the reference's, and within the laws.

use segue::audience::campaign::decide;

use super::decide_laws::{of_day, of_history};
use super::decide_reference;
use super::decide_world::{Day, Told, World, rows, told};

/// The reference does not spell out clauses.
fn without_clauses(mut told: Told) -> Told {
    for (outcome, _, detail) in told.values_mut().flat_map(|customers| customers.values_mut()) {
        if ["not due", "capped", "over limit", "over budget"].contains(&outcome.as_str()) {
            *detail = None;
        }
    }
    told
}

#[test]
fn a_million_decisions_are_the_references_and_within_the_laws() {
    let mut decisions_made = 0;
    let mut outcomes = std::collections::BTreeMap::<String, usize>::new();
    let mut seed = 0;
    while decisions_made < 1_000_000 {
        seed += 1;
        let world = World::new(seed, 300 + (seed as usize * 37) % 900, 4 + (seed as usize) % 9);
        let mut days: Vec<Day> = Vec::new();
        let history = world.simulate(7, &decide, &mut |day, history, decisions| {
            let before = rows(history);
            let expected = decide_reference::decide(&world, day, &before);
            let found = without_clauses(told(&world, decisions));
            for (campaign, customers) in &expected {
                for (customer, verdict) in customers {
                    let found = found.get(campaign).and_then(|customers| customers.get(customer));
                    assert_eq!(found, Some(verdict), "project {seed}, {campaign}, {customer}");
                    *outcomes.entry(verdict.0.clone()).or_default() += 1;
                    decisions_made += 1;
                }
            }
            assert_eq!(found, expected, "project {seed}");
            of_day(&world, day, &before, decisions).unwrap_or_else(|law| panic!("project {seed}: {law}"));
            days.push(world.day(days.len() as u64));
        });
        of_history(&world, &rows(&history), &days).unwrap_or_else(|law| panic!("project {seed}: {law}"));
    }
    // None of them is so rare that nothing was compared.
    for outcome in ["sent", "held out"].into_iter().chain(segue::audience::campaign::Reason::ALL.map(|r| r.word())) {
        assert!(outcomes.get(outcome).is_some_and(|&n| n > 3_000), "{outcome}: {outcomes:?}");
    }
}

#[test]
fn the_order_of_campaigns_in_the_text_changes_nothing() {
    for seed in 1_000..1_012 {
        let world = World::new(seed, 250, 8);
        let mut turned = World::new(seed, 250, 8);
        turned.program.campaigns.reverse();
        turned.program.campaigns.rotate_left(seed as usize % 5);
        let (mut one, mut other) = (Vec::new(), Vec::new());
        let a = world.simulate(4, &decide, &mut |_, _, decisions| one.push(told(&world, decisions)));
        let b = turned.simulate(4, &decide, &mut |_, _, decisions| other.push(told(&turned, decisions)));
        assert_eq!(one, other, "project {seed}");
        assert_eq!(rows(&a), rows(&b), "project {seed}");
    }
}

#[test]
fn a_campaign_more_changes_none_above_it_and_breaks_no_cap() {
    let mut changed = 0;
    for seed in 2_000..2_016 {
        let world = World::new(seed, 250, 6);
        let mut more = World::new(seed, 250, 6);
        let place = more.add_campaign("new", seed * 31);
        more.program.campaigns[place].priority = -9;
        // On the same day with the same history, below all others: theirs is theirs.
        world.simulate(4, &decide, &mut |day, history, decisions| {
            let mut wider = more.day(0);
            for number in 0..4 {
                if more.day(number).clock == day.clock {
                    wider = more.day(number);
                }
            }
            let ledger = more.ledger(&wider, history).expect("a ledger");
            let with = decide(&more.input(&wider, &ledger)).expect("decided");
            let mut with = told(&more, &with);
            assert!(with.remove("new").is_some());
            assert_eq!(with, told(&world, decisions), "project {seed}");
        });
        // Above all others it takes places of theirs, and no cap is exceeded.
        more.program.campaigns[place].priority = 9;
        let mut days = Vec::new();
        let history = more.simulate(5, &decide, &mut |day, history, decisions| {
            of_day(&more, day, &rows(history), decisions).unwrap_or_else(|law| panic!("project {seed}: {law}"));
            days.push(more.day(days.len() as u64));
        });
        let all = rows(&history);
        of_history(&more, &all, &days).unwrap_or_else(|law| panic!("project {seed}: {law}"));
        changed += all.iter().filter(|row| row.name.contains("new")).count();
    }
    assert!(changed > 500, "the new campaigns do nothing");
}

#[test]
fn run_again_it_is_the_same_run() {
    for seed in 3_000..3_010 {
        let world = World::new(seed, 200, 6);
        world.simulate(4, &decide, &mut |day, history, decisions| {
            let ledger = world.ledger(day, history).expect("a ledger");
            let input = world.input(day, &ledger);
            let mut after = history.to_vec();
            after.extend(decisions.history(&input).expect("tables"));
            let ledger = world.ledger(day, &after).expect("a ledger");
            let again = decide(&world.input(day, &ledger)).expect("decided");
            assert_eq!(told(&world, &again), told(&world, decisions), "project {seed}");
            // What came later has no say.
            let mut later = world.day(9);
            later.clock.as_of += 9_000_000_000;
            let ledger = world.ledger(&later, &after).expect("a ledger");
            let then = decide(&world.input(&later, &ledger)).expect("decided");
            after.extend(then.history(&world.input(&later, &ledger)).expect("tables"));
            let ledger = world.ledger(day, &after).expect("a ledger");
            let again = decide(&world.input(day, &ledger)).expect("decided");
            assert_eq!(told(&world, &again), told(&world, decisions), "project {seed}");
        });
    }
}
