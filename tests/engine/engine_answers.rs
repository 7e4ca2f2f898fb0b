//! The plan on real data with known answers (where `SEGUE_DATA` says that there is some) and on the examples.

use std::path::Path;

use segue::engine::{Keep, Limits, Outcome, Request, run};
use segue::language::calendar::{Clock, Zone, parse_moment};
use segue::language::check::{CheckFile, check};
use segue::language::diagnostic::has_errors;
use segue::language::ir::Program;
use segue::language::syntax::parse;
use segue::project::{self, Project};

/// A project and its checked rules, or one rule instead of them.
pub fn checked(root: &Path, rule: Option<&str>) -> (Project, Program) {
    let mut project = project::load(root).unwrap();
    assert!(!has_errors(&project.diagnostics), "{:#?}", project.diagnostics);
    let sources = match rule {
        Some(text) => vec![("rule".to_owned(), project.sources.add("rule", text))],
        None => project.rules.iter().map(|f| (f.stem.clone(), f.source)).collect(),
    };
    let parsed: Vec<_> = sources.iter().map(|(stem, id)| (stem, parse(project.sources.get(*id).unwrap()))).collect();
    for (_, parsed) in &parsed {
        assert!(!has_errors(&parsed.diagnostics), "{:#?}", parsed.diagnostics);
    }
    let files: Vec<_> = parsed.iter().map(|(stem, p)| CheckFile { stem, parsed: &p.file }).collect();
    let checked = check(&project.sources, &project.catalog, &project.file, &files);
    assert!(!has_errors(&checked.diagnostics), "{:#?}", checked.diagnostics);
    (project, checked.program)
}

/// Runs the rules of a project, or one rule instead of them, at the project's as-of instant or the one given.
pub fn run_project(
    root: &Path,
    rule: Option<&str>,
    as_of: Option<&str>,
    limits: Limits,
) -> Result<(Vec<String>, Outcome), segue::error::Error> {
    let (project, program) = checked(root, rule);
    let start = std::time::Instant::now();
    let zone = Zone::new(&project.file.timezone).unwrap();
    let as_of = as_of.map(str::to_owned).or(project.file.as_of.as_ref().map(|a| a.name.clone())).unwrap();
    let clock = Clock { as_of: parse_moment(&as_of, &zone).unwrap(), zone };
    let names = program.rules.iter().map(|r| r.name.clone()).collect();
    let request = Request {
        catalog: &project.catalog,
        program: &program,
        clock: &clock,
        root: &project.root,
        population: true,
        history: None,
        limits,
        keep: Keep::Off,
        progress: None,
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let outcome = runtime.block_on(run(request))?;
    println!("the engine took {:?}", start.elapsed());
    Ok((names, outcome))
}

#[test]
fn the_cosmetics_example_has_members() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/cosmetics");
    let (names, outcome) = run_project(&root, None, Some("2026-11-21"), Limits::default()).unwrap();
    for (rule, name) in names.iter().enumerate() {
        println!("{name}: {} of {}", outcome.size(rule), outcome.customers.len());
    }
    println!("{:?}", outcome.report);
    assert!(!outcome.customers.is_empty());
}
