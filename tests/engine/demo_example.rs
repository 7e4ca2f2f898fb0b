//! The demo: the committed example is what the generator writes, and folders are left alone.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use segue::engine::demo::{self, Grain, Options};
use segue::engine::{self, Keep, Limits};
use segue::error::Error;
use segue::language::calendar::{Clock, Zone, parse_moment};
use segue::project;

/// How `examples/cosmetics` was made: `segue demo examples/cosmetics --customers 1200 --days 400 --seed 7 --files month`.
fn example() -> Options {
    Options { customers: 1200, days: 400, seed: 7, grain: Grain::Month, ..Options::default() }
}

fn small() -> Options {
    Options { customers: 40, days: 20, ..Options::default() }
}

fn committed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/cosmetics")
}

/// All files below a folder, by their path from there.
fn files(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut todo = vec![root.to_owned()];
    while let Some(folder) = todo.pop() {
        for entry in fs::read_dir(&folder).expect("readable") {
            let path = entry.expect("readable").path();
            match path.is_dir() {
                true => todo.push(path),
                false => {
                    let bytes = fs::read(&path).expect("readable");
                    found.insert(path.strip_prefix(root).expect("below").to_owned(), bytes);
                }
            }
        }
    }
    found
}

#[test]
fn the_committed_example_is_what_the_generator_writes() {
    let folder = tempfile::tempdir().expect("a folder");
    let fresh = folder.path().join("cosmetics");
    demo::write(&fresh, &example(), &|_| true).expect("written");
    let fresh = files(&fresh);
    let generated = |path: &Path| !path.starts_with("out") && path.extension().is_none_or(|e| e != "md");
    let there: BTreeMap<_, _> = files(&committed()).into_iter().filter(|(path, _)| generated(path)).collect();
    if std::env::var_os("SEGUE_UPDATE").is_some() {
        for (path, bytes) in &fresh {
            let path = committed().join(path);
            fs::create_dir_all(path.parent().expect("below")).expect("a folder");
            fs::write(path, bytes).expect("written");
        }
        return;
    }
    assert_eq!(
        fresh.keys().collect::<Vec<_>>(),
        there.keys().collect::<Vec<_>>(),
        "run with SEGUE_UPDATE=1 to write them"
    );
    for (path, bytes) in &fresh {
        assert!(there.get(path) == Some(bytes), "{} has drifted: run with SEGUE_UPDATE=1", path.display());
    }
    let size: usize = there.values().map(Vec::len).sum();
    assert!(size < 3_000_000, "{size} bytes are too many for an example");
}

#[test]
fn bytes_do_not_depend_on_threads() {
    let folder = tempfile::tempdir().expect("a folder");
    let written = |name: &str, threads: usize| {
        let dir = folder.path().join(name);
        let summary = demo::write(&dir, &Options { threads: Some(threads), ..small() }, &|_| true).expect("written");
        (summary, files(&dir))
    };
    let one = written("one", 1);
    assert!(one.0.events > 0 && one.0.files == 22, "{:?}", one.0);
    assert!(one == written("three", 3));
}

#[test]
fn other_seeds_tell_other_stories() {
    let folder = tempfile::tempdir().expect("a folder");
    let events = |name: &str, options: &Options| {
        demo::write(&folder.path().join(name), options, &|_| true).expect("written").events
    };
    assert_ne!(events("a", &small()), events("b", &Options { seed: 2, ..small() }));
}

#[test]
fn a_folder_in_use_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().join("mine");
    fs::create_dir(&dir).expect("a folder");
    fs::write(dir.join("thesis.txt"), "precious").expect("written");
    for replace in [false, true] {
        let refused = demo::write(&dir, &Options { replace, ..small() }, &|_| true).expect_err("refused");
        assert!(matches!(refused, Error::Usage { .. }), "{refused}");
        assert!(refused.help().is_some());
    }
    assert_eq!(fs::read(dir.join("thesis.txt")).expect("there"), b"precious");
    assert_eq!(fs::read_dir(folder.path()).expect("readable").count(), 1, "nothing lies about");

    // An empty folder is as good as none; a project is replaced when that is asked for.
    fs::remove_file(dir.join("thesis.txt")).expect("removed");
    demo::write(&dir, &small(), &|_| true).expect("written");
    fs::write(dir.join("old.txt"), "").expect("written");
    demo::write(&dir, &small(), &|_| true).expect_err("in use now");
    demo::write(&dir, &Options { replace: true, ..small() }, &|_| true).expect("replaced");
    assert!(!dir.join("old.txt").exists());
    assert_eq!(fs::read_dir(folder.path()).expect("readable").count(), 1, "nothing lies about");
}

#[test]
fn who_stops_it_finds_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let stopped = demo::write(&folder.path().join("shop"), &small(), &|step| step.days < 5).expect_err("stopped");
    assert!(matches!(stopped, Error::Interrupted), "{stopped}");
    assert_eq!(fs::read_dir(folder.path()).expect("readable").count(), 0);
}

#[test]
fn options_out_of_range_are_usage_errors() {
    let folder = tempfile::tempdir().expect("a folder");
    let end = segue::language::ir::Date { year: 3000, month: 1, day: 1 };
    let wrong = [
        Options { customers: 0, ..small() },
        Options { customers: 100_000_000, ..small() },
        Options { days: 0, ..small() },
        Options { days: 4000, ..small() },
        Options { end, ..small() },
    ];
    for options in wrong {
        let refused = demo::write(&folder.path().join("shop"), &options, &|_| true).expect_err("refused");
        assert!(matches!(refused, Error::Usage { .. }), "{refused}");
    }
}

/// Every rule of the example finds some customers and not all, and the checker has nothing to say about any.
#[test]
fn the_example_tells_its_stories() {
    let root = committed();
    let mut project = project::load(&root).expect("readable");
    let checked = project.check(None);
    assert!(project.diagnostics.is_empty(), "{:#?}", project.diagnostics);
    assert!(checked.diagnostics.is_empty(), "{:#?}", checked.diagnostics);
    let zone = Zone::new(&project.file.timezone).expect("a zone");
    let as_of = project.file.as_of.as_ref().and_then(|as_of| parse_moment(&as_of.name, &zone)).expect("an as-of");
    let clock = Clock { as_of, zone };
    let (catalog, program) = (&project.catalog, &checked.program);
    let limits = Limits::default();
    let request = engine::Request {
        catalog,
        program,
        clock: &clock,
        root: &root,
        population: true,
        history: None,
        limits,
        keep: Keep::Off,
        progress: None,
    };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let outcome = runtime.block_on(engine::run(request)).unwrap_or_else(|e| panic!("{e}"));
    for (index, rule) in program.rules.iter().enumerate().filter(|(_, rule)| !rule.is_hidden()) {
        let (size, all) = (outcome.size(index), outcome.customers.len());
        assert!((3..all * 2 / 3).contains(&size), "`{}` has {size} of {all}", rule.name);
    }
    assert!(outcome.report.missing_events.is_empty(), "{:?}", outcome.report.missing_events);
    for source in &outcome.report.sources {
        assert!(source.unknown.is_empty() && source.no_customer == 0 && source.no_time == 0, "{source:?}");
    }
}
