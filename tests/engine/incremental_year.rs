//! A year of daily runs over a small store that changes in every way: what is kept between runs never shows, and is used.

use rand::RngExt;
use segue::engine::{Again, Keep, Limits};

use super::engine_support::{DAY, NOW};
use super::incremental_support::{PROGRAMS, World, outcome, runtime, same};

/// As many as-of instants, one a day.
const DAYS: i64 = 368;
/// The first of them.
const START: i64 = NOW - 200 * DAY;

#[test]
fn a_year_of_daily_runs() {
    let seed = std::env::var("SEGUE_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(1);
    let mut world = World::new(seed);
    let programs = PROGRAMS.map(|text| world.rules(text));
    let runtimes = [1, 2].map(runtime);
    let (mut ordinary, mut noticed, mut members) = (0, 0, 0);
    let (mut read, mut all) = (0, 0);
    // Runs that took answers of the day before, customers whose answers they took, and those whom they evaluated again.
    let (mut reused, mut taken, mut again) = ([0; PROGRAMS.len()], 0, 0);
    // Accidents that nobody has noticed: not all that is kept is read every day.
    let mut harmed = 0u32;
    let (mut last, mut settled, mut missed) = (usize::MAX, true, 0);
    for day in 0..DAYS {
        let mut as_of = START + day * DAY;
        let mut as_ever = world.pass_night(day, as_of);
        if world.rng.random_bool(0.08) {
            as_ever = false;
            world.damage();
            harmed += 1;
        }
        if missed == 0 && world.rng.random_bool(0.02) {
            missed = world.rng.random_range(1..4);
        }
        if missed > 0 {
            // Nobody runs anything.
            (missed, settled) = (missed - 1, false);
            continue;
        }
        // A month with each set of rules, so that some come back; now and then a run for some day before.
        let now = (day / 31 % 5) as usize;
        // What did not read is made again by the run after.
        as_ever &= settled && now == std::mem::replace(&mut last, now);
        let back = world.rng.random_bool(0.03);
        if back {
            as_of -= world.rng.random_range(0..60 * DAY);
            as_ever = false;
        }
        let program = &programs[now];
        let limits = [0, 1].map(|_| Limits {
            threads: Some(world.rng.random_range(1..4)),
            memory: None,
            batch_rows: Some([16, 64, 8_192][world.rng.random_range(0..3)]),
            ..Limits::default()
        });
        let (full, kept) = std::thread::scope(|scope| {
            let kept = scope.spawn(|| outcome(&runtimes[0], program, as_of, limits[0], Keep::On));
            (outcome(&runtimes[1], program, as_of, limits[1], Keep::Off), kept.join().unwrap())
        });
        let what = format!("SEGUE_SEED={seed}, day {day}");
        let healthy = kept.kept.notes.is_empty();
        noticed += usize::from(!healthy);
        // What came yesterday was of no use to a run for some day before.
        settled = healthy && !back;
        same(&full, &kept, &what);
        if let Some(Again { evaluated, as_before }) = kept.kept.again {
            reused[now] += usize::from(as_before > 0);
            taken += as_before;
            again += evaluated;
        }
        if world.rng.random_bool(0.1) {
            let twice = outcome(&runtimes[0], program, as_of, limits[0], Keep::On);
            same(&full, &twice, &format!("{what}, the second time"));
            if let (Some(_), Some(twice)) = (kept.kept.again, twice.kept.again) {
                assert_eq!(twice.evaluated, 0, "{what}");
            }
        }
        members += full.members.iter().map(|m| m.count_set_bits()).sum::<usize>();
        let [source] = kept.kept.sources.as_slice() else { panic!("{what}: {:?}", kept.kept) };
        assert_eq!(source.why, None, "{what}");
        let here = source.read.rows + source.added.rows;
        assert_eq!(here + source.held.rows, full.report.sources[0].rows, "{what}: {source:?}");
        if !healthy {
            assert!(harmed > 0, "{what}: {:?}", kept.kept.notes);
            harmed -= 1;
            continue;
        }
        if as_ever {
            ordinary += 1;
            // Files with rows of the future are read until it is there.
            let early: usize =
                world.files.values().filter(|rows| rows.iter().any(|r| r.1 >= as_of)).map(Vec::len).sum();
            assert!(here <= (world.written + early) as u64, "{what}: {source:?}, {} rows written", world.written);
            read += here;
            all += full.report.sources[0].rows;
        }
    }
    println!("{ordinary} ordinary days, {read} of {all} rows read, {noticed} accidents, {members} members");
    assert!(ordinary > DAYS / 4 && noticed > 0 && members > 5_000, "{ordinary} {noticed} {members}");
    println!("{reused:?} runs took {taken} answers and worked out {again}");
    assert!(reused[1] > 30 && reused[3] > 20 && taken > 3_000, "{reused:?} {taken} {again}");
    assert!(read * 20 < all, "{read} of {all} rows were read");
}
