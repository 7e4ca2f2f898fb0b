//! A publisher that is killed: at random moments, and at every step of its work.
//!
//! This binary starts itself as the publisher: the test `publisher` alone, told by the environment where to publish.
//! SEGUE_KILLS is how many random moments there are.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use rand::{RngExt, SeedableRng};

use crate::results_support::*;
use crate::results_troubled::{Trouble, Troubled};

const FOLDER: &str = "SEGUE_TEST_PUBLISH_TO";
const DAYS: &str = "SEGUE_TEST_PUBLISH_DAYS";
const STEP: &str = "SEGUE_TEST_PUBLISH_STEP";
const READY: &str = "publishes now";

fn said(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// What a process that is killed does; without anybody who tells it where, it publishes two days and looks at them.
#[test]
fn publisher() {
    let aside = tempfile::tempdir().expect("a folder");
    let folder = said(FOLDER).map_or_else(|| aside.path().to_owned(), PathBuf::from);
    let days = said(DAYS).map_or(2, |days| days.parse().expect("a number"));
    let trouble = said(STEP).map_or(Trouble::Never, |step| {
        let (when, at) = step.split_once(' ').expect("when and where");
        let at = at.parse().expect("a number");
        if when == "before" { Trouble::EndsBefore(at) } else { Trouble::EndsBehind(at) }
    });
    println!("{READY}");
    let (store, _) = Troubled::store(&folder, trouble);
    run(catch_up(&store, days)).expect("published");
    assert_eq!(run(store.chain()).expect("whole").versions().len() as u64, days);
}

fn start(folder: &Path, days: u64, step: Option<String>) -> Child {
    let mut command = Command::new(std::env::current_exe().expect("this binary"));
    command.args(["results_kill::publisher", "--exact", "--nocapture", "--test-threads=1"]);
    command.env(FOLDER, folder).env(DAYS, days.to_string());
    command.envs(step.map(|step| (STEP, step)));
    command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("starts")
}

/// What is there after a death: whole files of an undisturbed run, each version readable, none missing between.
fn intact(folder: &Path, undisturbed: &BTreeMap<String, String>) -> u64 {
    let there = contents(folder);
    for (name, sum) in &there {
        assert_eq!(undisturbed.get(name), Some(sum), "{name}");
    }
    run(async {
        let store = open(folder);
        let chain = store.chain().await.expect("whole");
        for version in chain.versions().iter().rev().take(2) {
            sound(&store, version).await;
        }
        let manifests = there.keys().filter(|name| name.starts_with("manifests/")).count();
        assert_eq!(chain.versions().len(), manifests);
        manifests as u64
    })
}

fn undisturbed(days: u64) -> BTreeMap<String, String> {
    let folder = quick();
    run(catch_up(&open(folder.path()), days)).expect("published");
    contents(folder.path())
}

#[test]
fn killed_at_random_moments() {
    let days = 12;
    let begun = Instant::now();
    let expected = undisturbed(days);
    // As long as some days take, so that a run dies in any of its steps, and all of them together get on.
    let longest = begun.elapsed() / 4;
    let kills: usize = said("SEGUE_KILLS").map_or(200, |n| n.parse().expect("a number"));
    let (left, halfway, finished) = (AtomicUsize::new(kills), AtomicUsize::new(0), AtomicUsize::new(0));
    let chain = |seed: u64| {
        let mut dice = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        let mut folder = quick();
        while left.try_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok() {
            let mut child = start(folder.path(), days, None);
            let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
            assert!(lines.any(|line| line.is_ok_and(|line| line.contains(READY))), "it starts");
            std::thread::sleep(longest.mul_f64(dice.random_range(0.0..1.0)));
            let ended = child.try_wait().expect("asked").is_some();
            child.kill().expect("killed");
            child.wait().expect("gone");
            halfway.fetch_add(usize::from(!ended), Ordering::SeqCst);
            if intact(folder.path(), &expected) == days {
                // Many runs, each of which went on where the one before was killed, made what one run makes.
                assert_eq!(contents(folder.path()), expected);
                finished.fetch_add(1, Ordering::SeqCst);
                folder = quick();
            }
        }
        // Whoever comes next ends it.
        run(catch_up(&open(folder.path()), days)).expect("published");
        assert_eq!(contents(folder.path()), expected);
    };
    std::thread::scope(|scope| {
        for seed in 0..2 {
            let chain = &chain;
            scope.spawn(move || chain(seed));
        }
    });
    let (halfway, finished) = (halfway.into_inner(), finished.into_inner());
    eprintln!("{halfway} of {kills} killed at work; {finished} stores of {days} versions were finished on the way");
}

#[test]
fn killed_at_every_step() {
    let days = 2;
    let expected = undisturbed(days);
    let folder = quick();
    let (store, troubled) = Troubled::store(folder.path(), Trouble::Never);
    run(catch_up(&store, days)).expect("published");
    let steps = troubled.asked.lock().expect("no panic").clone();
    assert!(steps.iter().filter(|what| **what == "put").count() as u64 >= days * 4, "{steps:?}");
    for (at, &step) in steps.iter().enumerate() {
        // Behind a list or a get nothing is else than before it.
        let whens: &[&str] = if step == "put" { &["before", "behind"] } else { &["before"] };
        for when in whens {
            let folder = quick();
            let mut child = start(folder.path(), days, Some(format!("{when} {at}")));
            let ended = child.wait().expect("ends");
            assert!(!ended.success(), "it dies {when} step {at}");
            intact(folder.path(), &expected);
            run(catch_up(&open(folder.path()), days)).expect("published");
            assert_eq!(contents(folder.path()), expected, "{when} step {at}");
        }
    }
}
