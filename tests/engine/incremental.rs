//! What is kept between runs: what may befall it, and who else may use it.

use std::process::Stdio;
use std::time::Duration;

use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use segue::engine::{Choice, Keep, Limits, Request, run};
use segue::language::calendar::Clock;

use super::differential::{Difference, judge};
use super::differential_files::{write, write_history};
use super::engine_support::{DAY, NOW};
use super::incremental_support::{PROGRAMS, World, cached, outcome, runtime, same};
use crate::generate::{Size, recorded, sized};
use crate::support::{files, segue};

/// A store of some days, and what a run for the last of them kept.
fn settled(seed: u64) -> World {
    let mut world = World::new(seed);
    for day in 0..12 {
        world.pass_night(day, NOW - (11 - day) * DAY);
    }
    world
}

const LIMITS: Limits = Limits { threads: Some(2), memory: None, batch_rows: None, engine: Choice::Auto };

/// Projects and rules as they come, whose files were partly there when some earlier run kept what it read.
#[test]
fn random_projects_with_files_kept_by_an_earlier_run() {
    let runtime = runtime(2);
    let rng_of = |seed| ChaCha8Rng::seed_from_u64(seed);
    let (mut cases, mut used) = (0, 0);
    for seed in 0..5 {
        let made = if seed < 4 { sized } else { recorded };
        let batch = made(7_000_000 + seed, Size { rules: 16, customers: 25 });
        let all = batch.compile().program;
        let mut rng = rng_of(seed);
        let root = tempfile::tempdir().unwrap();
        write(&batch, root.path(), &mut rng, seed % 3 != 0);
        let history = write_history(&batch, &root.path().join("history"), &mut rng);
        for _ in 0..7 {
            let names: Vec<&str> =
                (0..3).map(|_| all.rules[rng.random_range(0..all.rules.len())].name.as_str()).collect();
            let program = all.clone().keep(|rule| names.contains(&rule.name.as_str()));
            let population = rng.random_bool(0.3);
            let mut at = |back: i64| {
                let clock = Clock { as_of: batch.clock.as_of - back, zone: batch.clock.zone.clone() };
                let limits = Limits {
                    threads: Some(rng.random_range(1..4)),
                    memory: None,
                    batch_rows: Some(64),
                    ..Limits::default()
                };
                let (catalog, program, root) = (&batch.catalog, &program, root.path());
                let request = Request {
                    catalog,
                    program,
                    clock: &clock,
                    root,
                    population,
                    history: history.clone(),
                    limits,
                    keep: Keep::On,
                    progress: None,
                };
                runtime.block_on(run(request))
            };
            let mut some: Vec<_> = batch
                .catalog
                .sources
                .iter()
                .flat_map(|source| {
                    let mut there = files(&root.path().join(&source.path), "parquet");
                    there.sort();
                    there.split_off(1.min(there.len()))
                })
                .collect();
            some.shuffle(&mut rng_of(seed));
            some.truncate(some.len() / 2);
            let aside = |file: &std::path::Path| file.with_extension("later");
            some.iter().for_each(|file| std::fs::rename(file, aside(file)).unwrap());
            at(seed as i64 * 9 * DAY).unwrap();
            some.iter().for_each(|file| std::fs::rename(aside(file), file).unwrap());
            // From one instant to the next all rows are known. Generated projects have profiles and lists, so that
            // everybody is evaluated: `some_customers` is where answers of an earlier run are taken.
            let later = rng_of(seed).random_range(20..60) * DAY;
            let steps = [0, later, later + DAY, later + DAY + 1, later + 9 * DAY];
            let outcomes: Vec<_> = steps.iter().map(|step| at(-step)).collect();
            for (step, outcome) in steps.into_iter().zip(outcomes) {
                used += outcome.iter().flat_map(|o| &o.kept.sources).map(|s| s.held.rows).sum::<u64>();
                cases += program.rules.len();
                let clock = Clock { as_of: batch.clock.as_of + step, zone: batch.clock.zone.clone() };
                if let Err(Difference { rule, customer, what }) =
                    judge(outcome, &batch.catalog, &program, &clock, &batch.histories)
                {
                    panic!("{step} later: {}", batch.explain(&rule, &customer, &what));
                }
            }
        }
    }
    println!("{cases} rules, {used} rows from the cache");
    assert!(cases > 300 && used > 10_000, "{cases} {used}");
}

#[test]
fn two_runs_at_once() {
    let world = settled(4);
    let rules = world.rules(PROGRAMS[0]);
    let (one, other) = (runtime(1), runtime(1));
    let full = outcome(&one, &rules, NOW, LIMITS, Keep::Off);
    for round in 0..6 {
        let (a, b) = std::thread::scope(|scope| {
            let a = scope.spawn(|| outcome(&one, &rules, NOW, LIMITS, Keep::On));
            (outcome(&other, &rules, NOW, LIMITS, Keep::On), a.join().unwrap())
        });
        same(&full, &a, &format!("round {round}"));
        same(&full, &b, &format!("round {round}"));
        // Next time there is something to be done.
        let files = cached(&world.shop);
        std::fs::remove_file(&files[round % files.len()]).unwrap();
    }
}

/// Other rules that are run in between leave what is there, and a small memory limit what is true.
#[test]
fn other_rules_and_small_memory() {
    let world = settled(7);
    let (one, other) = (world.rules(PROGRAMS[0]), world.rules(PROGRAMS[2]));
    let runtime = runtime(2);
    let first = outcome(&runtime, &one, NOW, LIMITS, Keep::On);
    assert_eq!((first.kept.sources[0].held.rows, first.kept.sources[0].read.rows), (0, 0), "{:?}", first.kept);
    outcome(&runtime, &other, NOW, LIMITS, Keep::On);
    for (memory, as_of) in [(1 << 30, NOW), (8_000, NOW), (1 << 30, NOW - 3 * DAY), (8_000, NOW - 3 * DAY)] {
        for rules in [&one, &other] {
            let limits = Limits { memory: Some(memory), ..LIMITS };
            let kept = outcome(&runtime, rules, as_of, limits, Keep::On);
            let what = format!("{memory} bytes, {as_of}");
            same(&outcome(&runtime, rules, as_of, LIMITS, Keep::Off), &kept, &what);
            assert!(kept.kept.sources[0].held.rows > 0 && kept.kept.sources[0].added.rows == 0, "{:?}", kept.kept);
            // Files of later days are read themselves, with all that is held.
            assert_eq!(kept.passes > 1, memory < 1 << 20 && as_of < NOW, "{what}");
        }
    }
}

/// Whoever can't write runs as ever, and is told so if he asked for it; what somebody else kept is used.
#[test]
fn a_folder_that_can_not_be_written() {
    let world = settled(9);
    let rules = world.rules(PROGRAMS[1]);
    let runtime = runtime(2);
    let full = outcome(&runtime, &rules, NOW, LIMITS, Keep::Off);
    assert!(cached(&world.shop).is_empty() && full.kept.sources.is_empty());
    std::fs::write(world.shop.path(".segue"), "").unwrap();
    let kept = outcome(&runtime, &rules, NOW, LIMITS, Keep::On);
    same(&full, &kept, "nowhere to write");
    assert!(kept.kept.notes[0].starts_with("nothing is kept for later runs"), "{:?}", kept.kept);
    std::fs::remove_file(world.shop.path(".segue")).unwrap();
    outcome(&runtime, &rules, NOW, LIMITS, Keep::On);
    assert_eq!(std::fs::read_to_string(world.shop.path(".segue/cache/.gitignore")).unwrap(), "*\n");
    // A lock that is no file is a folder that can't be written to.
    std::fs::remove_file(world.shop.path(".segue/cache/lock")).unwrap();
    std::fs::create_dir(world.shop.path(".segue/cache/lock")).unwrap();
    let kept = outcome(&runtime, &rules, NOW, LIMITS, Keep::On);
    same(&full, &kept, "only to be read");
    assert!(kept.kept.sources[0].held.rows > 0, "{:?}", kept.kept);
}

/// A run that is killed at any moment leaves what the next one can live with; what a run would use is told beforehand.
#[test]
fn killed_runs_leave_nothing_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let at = |words: &[&str]| {
        let mut command = segue();
        command.current_dir(folder.path()).args(words);
        command
    };
    let said = |words: &[&str]| {
        let output = at(words).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    said(&["demo", "shop", "--customers", "150", "--days", "60"]);
    let run = |cache: &[&str]| {
        said(&[&["run", "shop", "--format", "json", "--as-of", "2026-11-21", "--no-write"], cache].concat())
    };
    let plan = || said(&["plan", "shop", "--reads", "--as-of", "2026-11-21"]);
    assert!(plan().contains("nothing is kept of earlier runs"), "{}", plan());
    let full = run(&[]);
    for round in 0..4 {
        let mut child = at(&["run", "shop", "--as-of", "2026-11-21", "--no-write", "--cache"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(100 + 300 * round));
        let _ = child.kill();
        child.wait().unwrap();
        assert!(run(&["--cache"]) == full, "round {round}");
    }
    assert!(plan().contains("need not be read again"), "{}", plan());
}

/// Answers that were kept and do not read are worked out again, all or those of some groups of customers, and are then kept anew.
#[test]
fn kept_answers_that_do_not_read() {
    let mut world = World::new(13);
    for day in 0..8 {
        world.pass_night(day, NOW - (7 - day) * DAY);
    }
    world.write("0000-more.parquet", vec![(50, NOW, "buy", None, 500), (50, NOW, "buy", None, 500)]);
    let rules = world.rules(PROGRAMS[3]);
    let runtime = runtime(2);
    // Not today, when this month is as long as another window, so that both are one term.
    let run = |day: i64, what: &str| {
        let as_of = NOW + (day + 1) * DAY;
        let kept = outcome(&runtime, &rules, as_of, LIMITS, Keep::On);
        same(&outcome(&runtime, &rules, as_of, LIMITS, Keep::Off), &kept, what);
        kept.kept
    };
    assert_eq!(run(0, "the first").again, None);
    let again = run(0, "the second").again.unwrap();
    assert!(again.evaluated == 0 && again.as_before > 20, "{again:?}");
    let answers = cached(&world.shop).into_iter().find(|file| file.ends_with("answers.json")).unwrap();
    let blocks = || files(answers.parent().unwrap(), "log").remove(0);
    let one = std::fs::read(&answers).unwrap();
    let mut bytes = std::fs::read(blocks()).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..].iter_mut().for_each(|byte| *byte ^= 1);
    std::fs::write(blocks(), bytes).unwrap();
    let made = |told: &segue::engine::Told| told.notes.iter().any(|note| note.ends_with("was made again"));
    let told = run(0, "groups that do not read");
    assert!(made(&told) && told.again.is_some_and(|again| again.evaluated > 0 && again.as_before > 0), "{told:?}");
    let told = run(0, "after it was thrown away");
    assert!(told.notes.is_empty() && told.again.is_none(), "{told:?}");
    world.write("0008.parquet", vec![(3, NOW + 2 * DAY - 1, "buy", Some("cream"), 500)]);
    let told = run(1, "a day later");
    assert!(told.notes.is_empty() && told.again.is_some_and(|again| again.as_before > 0), "{told:?}");
    // A file that goes takes its customers' answers with it, and nobody else's.
    world.remove("0000-more.parquet");
    let told = run(1, "two rows less");
    assert!(told.again.is_some_and(|again| again.evaluated == 1 && again.as_before > 20), "{told:?}");
    // Names other blocks than are there: as if a run had ended between the two.
    std::fs::write(&answers, one).unwrap();
    let told = run(1, "other blocks");
    assert!(made(&told) && told.again.is_none(), "{told:?}");
    let told = run(1, "kept anew");
    assert!(told.notes.is_empty() && told.again.is_some_and(|again| again.evaluated == 0), "{told:?}");
}

/// Whose answers are those of an earlier run is said.
#[test]
fn whose_answers_are_taken_is_told() {
    let world = settled(12);
    world.rules(PROGRAMS[3]);
    let told = || {
        let words = ["run", "--as-of", "2026-11-21", "--no-write", "--cache"];
        let output = segue().current_dir(world.shop.dir.path()).args(words).output().unwrap();
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(!told().contains("evaluated again"));
    let told = told();
    assert!(
        told.contains("cache: 0 customers were evaluated again, ") && told.contains(" of an earlier run"),
        "{told}"
    );
}

/// A compacted store is read in its own way, in every run.
#[test]
fn a_compacted_store_is_not_kept() {
    let world = settled(11);
    let done =
        segue().current_dir(world.shop.dir.path()).args(["store", "compact", "--to", "stores"]).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let catalog = std::fs::read_to_string(world.shop.path("catalog.yaml")).unwrap();
    std::fs::write(world.shop.path("catalog.yaml"), catalog.replace("data/events", "stores/shop")).unwrap();
    let rules = world.rules(PROGRAMS[2]);
    let runtime = runtime(2);
    let full = outcome(&runtime, &rules, NOW, LIMITS, Keep::Off);
    let kept = outcome(&runtime, &rules, NOW, LIMITS, Keep::On);
    same(&full, &kept, "compacted");
    let why = kept.kept.sources[0].why.unwrap();
    assert!(why.contains("clustered by customer") && cached(&world.shop).is_empty(), "{why}");
}
