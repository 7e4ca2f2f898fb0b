//! Deliveries that break off: they go on where they were, and nothing counts twice.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use segue::audience::deliver::{Delivered, key};
use segue::language::catalog::Mode;

use crate::deliver_support::{Ask, Mood, Place, Receiver, Versions, manifest, scored, version, wanted};

const HOOK: &str = "destinations: {hook: {kind: webhook, url: 'https://crm.example.org', secret: {env: HOOK}}}";

fn numbered(from: i64, to: i64, plus: i64) -> arrow::array::RecordBatch {
    let ids: Vec<String> = (from..to).map(|n| format!("c{n:03}")).collect();
    let rows: Vec<(&str, i64)> = ids.iter().zip(from..).map(|(id, n)| (id.as_str(), n + plus * (n % 3))).collect();
    scored(&rows)
}

fn told(delivered: Delivered) -> Vec<(u64, u64, u64, u64, u64)> {
    let Delivered::Done(told) = delivered else { panic!("{delivered:?}") };
    told.iter().map(|t| (t.which.version, t.batches, t.resumed, t.counts.upserts, t.counts.deletes)).collect()
}

#[test]
fn a_break_at_every_batch() {
    let (one, two) = (numbered(0, 30, 0), numbered(5, 40, 7));
    let versions = Versions::default().with("vip", 1, one.clone()).with("vip", 2, two.clone());
    for mood in [Mood::FailsBefore, Mood::FailsAfter] {
        for broken in 0..8 {
            for mode in [Mode::Delta, Mode::Full] {
                let place = Place::new(HOOK);
                let receiver = Receiver::new(Some(5));
                let ask = Ask { mode: Some(mode), ..version(1) };
                assert_eq!(told(place.deliver_to("vip", &versions, ask, &receiver).expect("taken")).len(), 1);
                assert_eq!(receiver.table(), wanted(&one));

                let mut moods = vec![Mood::Takes; broken];
                moods.push(mood);
                receiver.moods(&moods);
                let ask = Ask { mode: Some(mode), ..version(2) };
                let batches = match mode {
                    // 5 go, 10 come, 17 of 25 have another score.
                    Mode::Delta => 32_u64.div_ceil(5),
                    Mode::Full => 7,
                };
                let first = place.deliver_to("vip", &versions, ask, &receiver);
                if broken as u64 >= batches {
                    first.expect("nothing broke");
                    continue;
                }
                let error = first.expect_err("broken").to_string();
                assert!(error.contains("away") || error.contains("lost"), "{error}");
                let underway = place.state("vip").underway.expect("underway");
                assert_eq!((underway.done, underway.batches), (broken as u64, batches), "{mode:?}");

                let again = place.deliver_to("vip", &versions, ask, &receiver).expect("taken");
                let told = told(again);
                assert_eq!(told.len(), 1);
                assert_eq!((told[0].1, told[0].2), (batches, broken as u64), "it went on where it was");
                assert_eq!(receiver.table(), wanted(&two), "{mode:?} broken at {broken}");
                let got = receiver.got.lock().expect("sound");
                let once = got.tries.values().filter(|tries| **tries > 1).count();
                assert_eq!(once, 1, "only the batch that broke was sent twice");
                let rows: u64 = got.keys.values().sum();
                assert_eq!(rows, 30 + if mode == Mode::Delta { told[0].3 + told[0].4 } else { 35 }, "counted once");
            }
        }
    }
}

#[test]
fn a_complete_one_is_not_repeated() {
    let place = Place::new(HOOK);
    let receiver = Receiver::new(Some(10));
    let versions = Versions::default().with("vip", 7, numbered(0, 25, 0));
    assert_eq!(told(place.deliver_to("vip", &versions, version(7), &receiver).expect("taken")), [(7, 3, 0, 25, 0)]);
    let before = place.kept();
    assert_eq!(
        place.deliver_to("vip", &versions, version(7), &receiver).expect("nothing"),
        Delivered::Nothing { version: 7, dead: 0 }
    );
    assert_eq!(place.kept(), before);
    assert_eq!(receiver.got.lock().expect("sound").tries.values().sum::<u64>(), 3);
    // Asked for, it is sent once more with the same keys: a receiver that heeds them counts nothing twice.
    let again = Ask { again: true, ..version(7) };
    assert_eq!(told(place.deliver_to("vip", &versions, again, &receiver).expect("taken")), [(7, 3, 0, 25, 0)]);
    let got = receiver.got.lock().expect("sound");
    assert_eq!(got.tries.values().copied().collect::<Vec<u64>>(), [2, 2, 2]);
    assert_eq!(got.keys.values().sum::<u64>(), 25);
    let whole = key("shop", &manifest(7), "vip", "hook", Mode::Delta, None);
    assert_eq!(
        got.keys.keys().cloned().collect::<Vec<_>>(),
        (0..3).map(|n| format!("{whole}-{n}")).collect::<Vec<_>>()
    );
}

#[test]
fn keys_are_published() {
    let of = |base| key("shop", &manifest(8), "vip", "crm", Mode::Delta, base);
    // python3: sha256(b"".join(len(p).to_bytes(8, "little") + p for p in parts))
    assert_eq!(of(Some(7)), "98ff18a794d974ff2b7550864f9df7aae222c5c782a92a33e6ba124de419ad38");
    assert_eq!(of(None), "ce61b5469d3644c7829f8edbf7785b8d280f6329c7f645ea6653a573715c5beb");
}

#[test]
fn what_broke_off_is_finished_before_a_newer_version() {
    // What version 2 changed and version 3 changed back would stay changed, if version 2 were only left lying.
    let (one, two, three) =
        (scored(&[("a", 1), ("b", 1)]), scored(&[("a", 2), ("b", 2)]), scored(&[("a", 1), ("b", 3)]));
    let versions = Versions::default().with("v", 1, one).with("v", 2, two).with("v", 3, three.clone());
    let place = Place::new(HOOK);
    let receiver = Receiver::new(Some(1));
    place.deliver_to("v", &versions, version(1), &receiver).expect("taken");
    receiver.moods(&[Mood::Takes, Mood::FailsBefore]);
    place.deliver_to("v", &versions, version(2), &receiver).expect_err("broken");
    let told = told(place.deliver_to("v", &versions, version(3), &receiver).expect("taken"));
    assert_eq!(told, [(2, 2, 1, 2, 0), (3, 2, 0, 2, 0)]);
    assert_eq!(receiver.table(), wanted(&three));
    assert_eq!(place.state("v").confirmed.expect("confirmed").which.base, Some(2));

    // All rows need nothing of what is there: what broke off is left, even where its version is gone.
    receiver.moods(&[Mood::FailsAfter]);
    let four = versions.clone().with("v", 4, scored(&[("a", 9)]));
    place.deliver_to("v", &four, version(4), &receiver).expect_err("broken");
    let five = scored(&[("c", 1)]);
    let five_only = Versions::default().with("v", 5, five.clone());
    let error = place.deliver_to("v", &five_only, version(5), &receiver).expect_err("gone");
    assert_eq!(error.to_string(), "version 4 of audience `v` is not in the store of results");
    let full = Ask { mode: Some(Mode::Full), ..version(5) };
    place.deliver_to("v", &five_only, full, &receiver).expect("taken");
    assert_eq!(receiver.table(), wanted(&five));
    assert!(place.state("v").underway.is_none());
}

#[test]
fn resume_starts_nothing() {
    let versions = Versions::default().with("v", 1, numbered(0, 4, 0)).with("v", 2, numbered(0, 6, 0));
    let place = Place::new(HOOK);
    let receiver = Receiver::new(Some(2));
    let resume = |version| Ask { version, resume: true, ..Ask::default() };
    let nothing = place.deliver_to("v", &versions, resume(1), &receiver).expect("nothing");
    assert_eq!(nothing, Delivered::Nothing { version: 0, dead: 0 });
    receiver.moods(&[Mood::Takes, Mood::FailsBefore]);
    place.deliver_to("v", &versions, version(1), &receiver).expect_err("broken");
    assert_eq!(told(place.deliver_to("v", &versions, resume(2), &receiver).expect("taken")), [(1, 2, 1, 4, 0)]);
    assert_eq!(receiver.table(), wanted(&numbered(0, 4, 0)));
}

#[test]
fn dry_runs_touch_nothing() {
    let versions = Versions::default().with("v", 1, numbered(0, 4, 0)).with("v", 2, numbered(1, 6, 0));
    // Its secret is not set, and nobody asks for it.
    let place = Place::new(HOOK);
    let dry = |version| Ask { version, dry_run: true, ..Ask::default() };
    let Delivered::Would(told) = place.deliver("v", &versions, dry(1)).expect("told") else { panic!("would") };
    assert_eq!((told[0].counts.upserts, told[0].batches), (4, 1));
    assert!(place.kept().is_empty());
    let receiver = Receiver::new(Some(1));
    place.deliver_to("v", &versions, version(1), &receiver).expect("taken");
    let before = place.kept();
    let Delivered::Would(told) = place.deliver("v", &versions, dry(2)).expect("told") else { panic!("would") };
    assert_eq!((told[0].counts.upserts, told[0].counts.deletes, told[0].counts.unchanged), (2, 1, 3));
    assert_eq!(told[0].which.base, Some(1));
    assert_eq!(place.kept(), before);
}

#[test]
fn dead_letters_come_again() {
    let (one, two) = (numbered(0, 10, 0), numbered(2, 12, 0));
    let versions = Versions::default().with("v", 1, one.clone()).with("v", 2, two.clone());
    let place = Place::new(HOOK);
    let receiver = Receiver::new(Some(4));
    receiver.moods(&[Mood::Refuses]);
    let Delivered::Done(told) = place.deliver_to("v", &versions, version(1), &receiver).expect("taken") else {
        panic!("done")
    };
    assert_eq!(told[0].dead.len(), 1);
    assert_eq!(
        (told[0].dead[0].batch, told[0].dead[0].rows, told[0].dead[0].reason.as_str()),
        (0, 4, "400 Bad Request")
    );
    assert_eq!(receiver.table().len(), 6);
    let letters = || place.kept().into_iter().filter(|(path, _)| path.contains("/dead/")).count();
    assert_eq!(letters(), 1);
    assert_eq!(
        place.deliver_to("v", &versions, version(1), &receiver).expect("nothing"),
        Delivered::Nothing { version: 1, dead: 1 }
    );
    // Refused again, it stays; taken, it goes.
    let resume = Ask { resume: true, ..version(1) };
    receiver.moods(&[Mood::Refuses]);
    place.deliver_to("v", &versions, resume, &receiver).expect("tried");
    assert_eq!(letters(), 1);
    let same = Place { catalog: crate::deliver_support::catalog(HOOK), ..Place::new(HOOK) };
    let receiver_two = Receiver::new(Some(4));
    receiver_two.moods(&[Mood::Refuses]);
    same.deliver_to("v", &versions, version(1), &receiver_two).expect("taken");

    place.deliver_to("v", &versions, resume, &receiver).expect("taken");
    assert_eq!(letters(), 0);
    assert_eq!(receiver.table(), wanted(&one));

    // A newer version brings all that was refused, changed or not, also whoever is gone by now.
    same.deliver_to("v", &versions, version(2), &receiver_two).expect("taken");
    assert_eq!(receiver_two.table(), wanted(&two));
    assert!(same.kept().iter().all(|(path, _)| !path.contains("/dead/")));
}

#[test]
fn a_thousand_days() {
    let mut dice = ChaCha8Rng::seed_from_u64(19);
    for round in 0..60 {
        let place = Place::new(HOOK);
        let size = dice.random_range(1..6);
        let receiver = Receiver::new(Some(size));
        let mut versions = Versions::default();
        let mut last = None;
        for day in 1..18 {
            let mut rows: Vec<(String, i64)> = Vec::new();
            for n in 0..12 {
                if dice.random_bool(0.6) {
                    rows.push((format!("c{n:02}"), dice.random_range(0..3)));
                }
            }
            let rows: Vec<(&str, i64)> = rows.iter().map(|(id, n)| (id.as_str(), *n)).collect();
            let batch = scored(&rows);
            versions = versions.with("v", day, batch.clone());
            let moods: Vec<Mood> = (0..dice.random_range(0..6))
                .map(|_| match dice.random_range(0..6) {
                    0 => Mood::FailsBefore,
                    1 => Mood::FailsAfter,
                    2 => Mood::Refuses,
                    _ => Mood::Takes,
                })
                .collect();
            receiver.moods(&moods);
            let mode = dice.random_bool(0.15).then_some(Mode::Full);
            let done = place.deliver_to("v", &versions, Ask { mode, ..version(day) }, &receiver);
            receiver.moods(&[]);
            if done.is_ok_and(|done| clean(&done)) {
                assert_eq!(receiver.table(), wanted(&batch), "round {round}, day {day}");
            }
            last = Some((day, batch));
        }
        // In the end everything is there, whatever went before.
        let (day, batch) = last.expect("a day");
        place.deliver_to("v", &versions, version(day), &receiver).expect("taken");
        place.deliver_to("v", &versions, Ask { resume: true, ..version(day) }, &receiver).expect("taken");
        assert_eq!(receiver.table(), wanted(&batch), "round {round}");
        let states = place.kept();
        assert_eq!(states.len(), 1, "one state and no letters are left: {states:#?}");
    }
}

fn clean(delivered: &Delivered) -> bool {
    match delivered {
        Delivered::Done(told) => told.last().is_some_and(|told| told.dead.is_empty()),
        Delivered::Nothing { dead, .. } => *dead == 0,
        Delivered::Would(_) => false,
    }
}

/// Who is contacted in two decisions is contacted twice: no decision is left out, none is brought twice.
#[test]
fn contacts_are_brought_once_each() {
    let of = |ids: &[&str]| scored(&ids.iter().map(|id| (*id, 1)).collect::<Vec<_>>());
    let versions = Versions::default()
        .with("c", 1, of(&["a", "b"]))
        .with("c", 2, of(&["b", "c"]))
        .with("c", 3, of(&["b"]))
        .with("c", 4, of(&["b", "d"]));
    let place = Place::new(HOOK);
    let receiver = Receiver::new(Some(1));
    let contacts = |version| Ask { version, contacts: true, ..Ask::default() };
    // A new destination gets the last decision, not all that ever were.
    assert_eq!(told(place.deliver_to("c", &versions, contacts(2), &receiver).expect("taken")), [(2, 2, 0, 2, 0)]);
    receiver.moods(&[Mood::Takes, Mood::Takes, Mood::FailsAfter]);
    place.deliver_to("c", &versions, contacts(4), &receiver).expect_err("broken");
    let rest = told(place.deliver_to("c", &versions, contacts(4), &receiver).expect("taken"));
    assert_eq!(rest, [(4, 2, 1, 2, 0)]);
    assert_eq!(
        place.deliver_to("c", &versions, contacts(4), &receiver).expect("nothing"),
        Delivered::Nothing { version: 4, dead: 0 }
    );
    let got = receiver.got.lock().expect("sound");
    assert_eq!(got.keys.values().sum::<u64>(), 2 + 1 + 2, "b counts in each decision");
}

/// Contacts that a receiver refused are in no later decision, so their letters wait.
#[test]
fn refused_contacts_wait_through_later_decisions() {
    let of = |ids: &[&str]| scored(&ids.iter().map(|id| (*id, 1)).collect::<Vec<_>>());
    let versions =
        Versions::default().with("c", 1, of(&["a", "b"])).with("c", 2, of(&["c"])).with("c", 3, of(&["d", "e"]));
    let place = Place::new(HOOK);
    let receiver = Receiver::new(Some(1));
    let contacts = |version| Ask { version, contacts: true, ..Ask::default() };
    let letters = |delivered: Delivered| match delivered {
        Delivered::Done(told) => told.last().map_or(0, |told| told.dead.len() as u64),
        Delivered::Nothing { dead, .. } => dead,
        Delivered::Would(_) => 0,
    };
    receiver.moods(&[Mood::Refuses]);
    assert_eq!(letters(place.deliver_to("c", &versions, contacts(1), &receiver).expect("taken")), 1);
    receiver.moods(&[Mood::Takes, Mood::Takes, Mood::Refuses]);
    assert_eq!(letters(place.deliver_to("c", &versions, contacts(3), &receiver).expect("taken")), 2);
    assert_eq!(letters(place.deliver_to("c", &versions, contacts(3), &receiver).expect("nothing")), 2);
    let resume = Ask { resume: true, ..contacts(3) };
    assert_eq!(letters(place.deliver_to("c", &versions, resume, &receiver).expect("taken")), 0);
    assert_eq!(receiver.got.lock().expect("sound").keys.values().sum::<u64>(), 2 + 1 + 2, "everybody once");
    assert!(place.kept().iter().all(|(path, _)| !path.contains("/dead/")));
}

/// Who may not be reached any more is left out of what goes on and of what comes again; the batches stay those that they were.
#[test]
fn contacts_that_wait_are_asked_once_more() {
    let of = |ids: &[&str]| scored(&ids.iter().map(|id| (*id, 1)).collect::<Vec<_>>());
    let before = Versions::default().with("c", 1, of(&["a", "b", "c", "d", "e", "f"]));
    let place = Place::new(HOOK);
    let receiver = Receiver::new(Some(2));
    let contacts = Ask { contacts: true, ..version(1) };
    receiver.moods(&[Mood::Refuses, Mood::FailsAfter]);
    place.deliver_to("c", &before, contacts, &receiver).expect_err("broken");
    // By now `a` of the letter, `c` of what was sent, `e` and `f` of what was not are out of the audience.
    let now = before.still("c", 1, of(&["b", "d"]));
    receiver.moods(&[Mood::Takes, Mood::Takes]);
    let Delivered::Done(done) = place.deliver_to("c", &now, contacts, &receiver).expect("taken") else { panic!() };
    assert_eq!((done[0].batches, done[0].resumed, done[0].dead.len()), (3, 1, 1));
    assert_eq!((done[0].counts.upserts, done[0].counts.refused), (3, 3), "`a` waits in the letter");
    let resume = Ask { resume: true, ..contacts };
    receiver.moods(&[Mood::Refuses]);
    let Delivered::Done(done) = place.deliver_to("c", &now, resume, &receiver).expect("told") else { panic!() };
    assert_eq!((done[0].counts.refused, done[0].dead[0].rows), (4, 1));
    assert!(!place.kept().iter().any(|(_, text)| text.contains("\"a\"")), "he is in no letter any more");
    place.deliver_to("c", &now, resume, &receiver).expect("taken");
    assert_eq!(receiver.table().keys().cloned().collect::<Vec<_>>(), ["b", "c", "d"], "`c` was there before");
    // A letter of which nobody is left is not sent.
    let place = Place::new(HOOK);
    receiver.moods(&[Mood::Refuses]);
    let one = Versions::default().with("c", 1, of(&["x"]));
    place.deliver_to("c", &one, contacts, &receiver).expect("refused");
    let one = one.still("c", 1, of(&[]));
    let Delivered::Done(done) = place.deliver_to("c", &one, resume, &receiver).expect("told") else { panic!() };
    assert_eq!((done[0].counts.refused, done[0].dead.len()), (1, 0));
    assert!(!receiver.table().contains_key("x"));
}

/// All rows: of contacts every decision that is not there, also the one that broke off; of what is there once more, with the same keys.
#[test]
fn all_rows_of_all_that_wait() {
    let of = |ids: &[&str]| scored(&ids.iter().map(|id| (*id, 1)).collect::<Vec<_>>());
    let versions = Versions::default()
        .with("c", 1, of(&["a"]))
        .with("c", 2, of(&["b", "c"]))
        .with("c", 3, of(&["d"]))
        .with("c", 4, of(&["e"]));
    let place = Place::new(HOOK);
    let receiver = Receiver::new(Some(1));
    let full = |version| Ask { version, contacts: true, mode: Some(Mode::Full), ..Ask::default() };
    let keys = || receiver.got.lock().expect("sound").keys.values().sum::<u64>();
    let versions_of = |done: Delivered| told(done).iter().map(|told| told.0).collect::<Vec<_>>();
    // The first delivery breaks off; another decision follows.
    receiver.moods(&[Mood::FailsBefore]);
    place.deliver_to("c", &versions, full(1), &receiver).expect_err("broken");
    receiver.moods(&[Mood::Takes, Mood::Takes, Mood::FailsBefore]);
    place.deliver_to("c", &versions, full(2), &receiver).expect_err("broken");
    assert_eq!(versions_of(place.deliver_to("c", &versions, full(4), &receiver).expect("taken")), [2, 3, 4]);
    assert_eq!(keys(), 5, "everybody once");
    assert_eq!(
        versions_of(place.deliver_to("c", &versions, full(4), &receiver).expect("taken")),
        [4],
        "as it was asked"
    );
    assert_eq!(keys(), 5, "and a receiver that heeds keys counts nothing twice");
    // Members: what is there in whole comes in whole once more.
    let full = Ask { mode: Some(Mode::Full), ..version(1) };
    let versions = Versions::default().with("v", 1, of(&["a"]));
    for _ in 0..2 {
        assert_eq!(told(place.deliver_to("v", &versions, full, &receiver).expect("taken")), [(1, 1, 0, 1, 0)]);
    }
    let got = receiver.got.lock().expect("sound");
    let key = format!("{}-0", key("shop", &manifest(1), "v", "hook", Mode::Full, None));
    assert_eq!(got.tries[&key], 2);
}

/// Somebody is erased while a delivery goes on: nothing that it has read goes anywhere after that, and no letter keeps it.
#[test]
fn nobody_comes_back_in_a_letter() {
    use std::sync::{Arc, Mutex};
    let versions = Versions::default().with("v", 1, scored(&[("a", 1), ("b", 1), ("c", 1)]));
    // It is asked when a delivery begins, before each batch, and after each letter.
    for asked in 2..=6 {
        let place = Place::new(HOOK);
        let receiver = Receiver::new(Some(1));
        receiver.moods(&[Mood::Takes, Mood::Refuses, Mood::Takes]);
        let during = Versions { erased: Some(Arc::new(Mutex::new(asked))), ..versions.clone() };
        let done = place.deliver_to("v", &during, version(1), &receiver);
        let letters = place.kept().iter().filter(|(path, _)| path.contains("/dead/")).count();
        if asked == 6 {
            assert_eq!((done.is_ok(), letters), (true, 1), "too late for this delivery; the erasure finds the letter");
            continue;
        }
        let error = done.expect_err("refused");
        assert!(error.to_string().contains("was erased while `v` was delivered"), "{error}");
        assert_eq!(letters, usize::from(asked == 5), "after {asked}");
        let done = told(place.deliver_to("v", &versions, version(1), &receiver).expect("taken"));
        assert_eq!(done[0].1, 3);
    }
}

#[test]
fn two_at_once() {
    let place = Place::new(HOOK);
    let (mut one, mut two) = (place.shelf("v"), place.shelf("v"));
    let state = crate::deliver_support::block_on(one.read()).expect("read");
    crate::deliver_support::block_on(two.read()).expect("read");
    crate::deliver_support::block_on(one.write(&state)).expect("written");
    for _ in 0..2 {
        let error = crate::deliver_support::block_on(two.write(&state)).expect_err("the other was first");
        assert_eq!(error.exit(), segue::error::Exit::Refused, "{error}");
        // Further on, the number that the second one would take is free again; it must not take it.
        crate::deliver_support::block_on(one.write(&state)).expect("written");
        crate::deliver_support::block_on(one.write(&state)).expect("written");
    }
}
