//! Runs by standard aggregates: the outcome of the kernel, or a refusal that says why.

use std::path::Path;
use std::sync::Arc;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use segue::engine::sql::script;
use segue::engine::{Choice, Engine, Keep, Limits, Outcome, Request, run};
use segue::error::Error;
use segue::language::calendar::{Clock, Zone, parse_moment};
use segue::language::catalog::Catalog;
use segue::language::ir::Program;

use super::differential_files::write;
use super::engine_answers::checked;
use super::engine_support::{Heard, NOW, Shop, some_events};
use crate::generate::{Size, cases, sized};
use crate::support::{copy, files, root, segue};

/// What a run is about.
struct Job<'a> {
    catalog: &'a Catalog,
    program: &'a Program,
    clock: &'a Clock,
    root: &'a Path,
    population: bool,
}

impl Job<'_> {
    fn of<'b>(&'b self, program: &'b Program, population: bool) -> Job<'b> {
        Job { program, population, ..*self }
    }

    fn run(&self, engine: Engine) -> Result<Outcome, Error> {
        let Job { catalog, program, clock, root, population } = *self;
        let limits = Limits { threads: Some(2), engine: Choice::Only(engine), ..Limits::default() };
        let request = Request {
            catalog,
            program,
            clock,
            root,
            population,
            keep: Keep::Off,
            history: None,
            limits,
            progress: None,
        };
        tokio::runtime::Runtime::new().unwrap().block_on(run(request))
    }

    /// The rules that SQL can say.
    fn said(&self) -> Program {
        let script = script(self.catalog, self.program, self.clock, self.root);
        let script = tokio::runtime::Runtime::new().unwrap().block_on(script).unwrap();
        let not: Vec<&str> =
            script.portable.reasons.iter().map(|reason| self.program.rules[reason.rule].name.as_str()).collect();
        // A campaign brings its parts along.
        let part = |name: &str, rule: &str| name.strip_prefix(rule).is_some_and(|rest| rest.starts_with('.'));
        self.program.keep(|rule| !not.iter().any(|name| *name == rule.name || part(name, &rule.name)))
    }

    /// Both engines tell the same.
    fn same(&self) -> Outcome {
        let names: Vec<&str> = self.program.rules.iter().map(|rule| rule.name.as_str()).collect();
        let what = format!("{names:?}, population {}", self.population);
        let (kernel, standard) = (self.run(Engine::Kernel), self.run(Engine::Standard));
        let kernel = kernel.unwrap_or_else(|error| panic!("{what}: {error}"));
        let standard = standard.unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(kernel.report, standard.report, "{what}");
        assert_eq!(kernel.customers.as_ref(), standard.customers.as_ref(), "{what}");
        assert_eq!(kernel.members, standard.members, "{what}");
        assert_eq!(kernel.population(), standard.population(), "{what}");
        standard
    }
}

#[test]
fn the_example_by_standard_aggregates() {
    let root = root().join("examples/cosmetics");
    let (project, program) = checked(&root, None);
    let zone = Zone::new(&project.file.timezone).unwrap();
    let as_of = project.file.as_of.as_ref().map(|a| a.name.clone()).unwrap();
    let clock = Clock { as_of: parse_moment(&as_of, &zone).unwrap(), zone };
    let all = Job { catalog: &project.catalog, program: &program, clock: &clock, root: &root, population: false };
    let said = all.said();
    assert!(said.rules.len() * 2 > program.rules.len() && said.rules.len() < program.rules.len());
    assert!(all.of(&said, true).same().population().is_some());
    // Alone, so that for most nobody else is counted.
    let mut uncounted = 0;
    for rule in said.rules.iter().step_by(4) {
        let alone = said.keep(|other| other.name == rule.name);
        uncounted += usize::from(all.of(&alone, false).same().population().is_none());
    }
    assert!(uncounted > 2, "{uncounted}");
    // All rules, of which some can't be said.
    let error = all.run(Engine::Standard).unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, Error::Usage { .. }), "{text}");
    for rule in &program.rules {
        let named = text.contains(&format!("\n  `{}`: ", rule.name));
        assert_eq!(named, !said.rules.iter().any(|other| other.name == rule.name), "{}: {text}", rule.name);
    }
}

/// Through files of every kind; population or not.
#[test]
fn random_projects_by_standard_aggregates() {
    let (mut rules, mut members) = (0, 0);
    for seed in 0..(cases(10_000) / 1_000).max(4) as u64 {
        let batch = sized(11_000_000 + seed, Size { rules: 8, customers: 30 });
        let program = batch.compile().program;
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let root = tempfile::tempdir().unwrap();
        write(&batch, root.path(), &mut rng, seed % 2 == 0);
        let (catalog, clock, root) = (&batch.catalog, &batch.clock, root.path());
        let all = Job { catalog, program: &program, clock, root, population: false };
        let said = all.said();
        if said.rules.is_empty() {
            continue;
        }
        let everybody = rng.random_bool(0.5);
        if let Err(error) = all.of(&said, everybody).run(Engine::Standard) {
            // Who the customers are is not said where an event's filter is not.
            assert!(error.to_string().contains("the population: "), "{error}");
            continue;
        }
        let outcome = all.of(&said, everybody).same();
        rules += said.rules.len();
        members += (0..said.rules.len()).map(|rule| outcome.size(rule)).sum::<usize>();
        let one = &said.rules[rng.random_range(0..said.rules.len())].name;
        all.of(&said.keep(|rule| rule.name == *one), false).same();
    }
    println!("{rules} rules, {members} members");
    assert!(rules > 10 && members > rules, "{rules} rules, {members} members");
}

/// Who waits sees what is read, and `--analyze` what that took.
#[test]
fn what_is_read_is_told() {
    let shop = Shop::plain();
    for name in ["1", "2"] {
        shop.parquet(&format!("data/events/{name}.parquet"), some_events());
    }
    let (project, program) = checked(shop.dir.path(), Some("buy in 30d"));
    let heard = Arc::new(Heard::default());
    let request = Request {
        catalog: &project.catalog,
        program: &program,
        clock: &Clock { as_of: NOW, zone: Zone::utc() },
        root: shop.dir.path(),
        population: false,
        history: None,
        limits: Limits { threads: Some(2), engine: Choice::Only(Engine::Standard), ..Limits::default() },
        keep: Keep::Off,
        progress: Some(heard.clone()),
    };
    tokio::runtime::Runtime::new().unwrap().block_on(run(request)).unwrap();
    let heard = std::mem::take(&mut *heard.0.lock().unwrap());
    assert_eq!(heard.first().map(String::as_str), Some("6 rows, , 2 files"), "{heard:?}");
    assert!(heard.iter().any(|told| told.contains(" rows of ")), "{heard:?}");
    assert_eq!(heard.last().map(String::as_str), Some("finished"));

    std::fs::write(shop.path("rules/one.seg"), "segment one: buy in 30d").unwrap();
    let mut call = segue();
    call.current_dir(shop.dir.path()).args(["plan", "--analyze", "--engine", "standard", "--format", "json"]);
    let told: serde_json::Value = serde_json::from_slice(&call.output().unwrap().stdout).unwrap();
    let measured = &told["measured"];
    assert!(measured["rows"].as_u64() >= Some(6) && measured["passes"].as_u64() == Some(1), "{measured}");
}

/// What is printed and written is the same, too.
#[test]
fn the_same_bytes_on_the_command_line() {
    let of = |engine: &str| {
        let folder = tempfile::tempdir().unwrap();
        copy(&root().join("examples/cosmetics"), &folder.path().join("shop"));
        let mut call = segue();
        let only = ["--only", "winback", "--only", "dormant", "--only", "heavy_users"];
        call.current_dir(folder.path()).args(["run", "shop", "--write", "parquet,csv,jsonl", "--engine", engine]);
        let output = call.args(only).output().unwrap();
        assert!(output.status.success(), "{engine}: {}", String::from_utf8_lossy(&output.stderr));
        let out = folder.path().join("shop/out");
        let written = files(&out, "csv").into_iter().chain(files(&out, "parquet")).chain(files(&out, "jsonl"));
        let written: Vec<_> = written.map(|file| std::fs::read(file).unwrap()).collect();
        assert!(written.len() >= 9, "{}", written.len());
        (output.stdout, output.stderr, written)
    };
    let auto = of("auto");
    assert!(auto == of("kernel") && auto == of("standard"));
}
