//! Every gate is held: a pipeline without one, or with two in the other order, breaks a law or differs from the reference.

#[path = "../../../tests/engine/decide_laws.rs"]
mod decide_laws;
#[path = "../../../tests/engine/decide_reference.rs"]
mod decide_reference;
#[path = "../../../tests/engine/decide_world.rs"]
#[allow(dead_code)]
mod decide_world;

use decide_world::{Day, World, rows, told};

use super::{Decisions, Gate, Input, ORDER, decide_with};
use crate::error::Error;

/// The first project of a fixed few in which some law does not hold.
fn broken_law(gates: &[Gate]) -> Option<String> {
    (1..40).find_map(|seed| {
        let world = World::new(seed, 60, 6);
        let mut broken: Option<String> = None;
        let mut days: Vec<Day> = Vec::new();
        let decide = |input: &Input| -> Result<Decisions, Error> { decide_with(input, gates) };
        let history = world.simulate(3, &decide, &mut |day, history, decisions| {
            if broken.is_none() {
                broken = decide_laws::of_day(&world, day, &rows(history), decisions).err();
            }
            days.push(world.day(days.len() as u64));
        });
        broken.or_else(|| decide_laws::of_history(&world, &rows(&history), &days).err())
    })
}

/// Whether some of the same projects is decided in another way than the reference has it.
fn differs(gates: &[Gate]) -> bool {
    (1..40).any(|seed| {
        let world = World::new(seed, 60, 6);
        let mut differs = false;
        let decide = |input: &Input| -> Result<Decisions, Error> { decide_with(input, gates) };
        world.simulate(3, &decide, &mut |day, history, decisions| {
            // Clauses are spelt by the one and not by the other.
            let plain = |mut told: decide_world::Told| {
                told.values_mut()
                    .flat_map(|customers| customers.values_mut())
                    .for_each(|(_, _, detail)| *detail = None);
                told
            };
            let expected = decide_reference::decide(&world, day, &rows(history));
            differs = differs || plain(told(&world, decisions)) != plain(expected);
        });
        differs
    })
}

fn without(gate: Gate) -> Vec<Gate> {
    ORDER.iter().copied().filter(|other| *other != gate).collect()
}

#[test]
fn the_whole_pipeline_is_sound() {
    assert_eq!(broken_law(ORDER), None);
    assert!(!differs(ORDER));
}

#[test]
fn no_gate_can_be_left_out() {
    for &gate in ORDER {
        assert!(differs(&without(gate)), "nobody misses {gate:?}");
    }
    // The laws alone catch whatever keeps somebody from being contacted for good.
    for (gate, law) in [
        (Gate::Due, "not due"),
        (Gate::Except, "excepted"),
        (Gate::Channel, "channel"),
        (Gate::Consent, "consent"),
        (Gate::Suppression, "suppression"),
        (Gate::Frequency, "touches"),
        (Gate::Policies, "policy"),
        (Gate::Limit, "limit"),
        (Gate::Budget, "budget"),
    ] {
        let broken = broken_law(&without(gate));
        assert!(broken.as_ref().is_some_and(|told| told.contains(law)), "without {gate:?}: {broken:?}");
    }
}

#[test]
fn no_two_gates_can_change_places() {
    for place in 1..ORDER.len() {
        let mut turned = ORDER.to_vec();
        turned.swap(place - 1, place);
        assert!(differs(&turned), "{:?} and {:?} in either order", turned[place - 1], turned[place]);
    }
}
