//! The third voice: the same rules as SQL text with standard aggregates, run by DataFusion's own SQL.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use segue::engine::sql::{Answer, answers, answers_of_histories, script};
use segue::engine::{Layout, Limits};
use segue::error::Error;
use segue::language::calendar::{Clock, Zone, parse_moment};
use segue::language::catalog::Catalog;
use segue::language::interpret::evaluate;
use segue::language::interpret::history::History;
use segue::language::ir::Program;

use super::differential::{Difference, sweep};
use super::differential_files::write;
use super::engine_answers::{checked, run_project};
use crate::generate::{cases, seeds};

/// How much could be said.
#[derive(Debug, Default)]
pub struct Tally {
    pub rules: usize,
    pub said: usize,
    pub members: usize,
    pub reasons: BTreeMap<String, usize>,
}

impl Tally {
    fn add(&mut self, other: Tally) {
        self.rules += other.rules;
        self.said += other.said;
        self.members += other.members;
        for (why, n) in other.reasons {
            *self.reasons.entry(why).or_default() += n;
        }
    }
}

/// Compares the members that SQL finds with those of the interpreter.
pub fn judge(
    answer: Result<Answer, Error>,
    catalog: &Catalog,
    program: &Program,
    clock: &Clock,
    customers: &[(String, History)],
    integer_ids: bool,
) -> Result<Tally, Difference> {
    let differ =
        |rule: &str, customer: &str, what: String| Difference { rule: rule.into(), customer: customer.into(), what };
    let answer = answer.map_err(|e| differ("", "", format!("the statement failed: {e}")))?;
    let sorted = crate::generate::customers(customers, integer_ids);
    let expected = evaluate(program, catalog, clock, &sorted);
    let mut tally = Tally { rules: program.rules.len(), ..Tally::default() };
    for (r, found) in answer.members.iter().enumerate() {
        let Some(found) = found else { continue };
        tally.said += 1;
        let mut wanted: Vec<String> = sorted
            .iter()
            .zip(&expected)
            .filter(|(_, e)| e.in_population && e.members[r])
            .map(|((id, _), _)| id.to_string())
            .collect();
        wanted.sort_unstable();
        tally.members += wanted.len();
        if *found == wanted {
            continue;
        }
        let rule = &program.rules[r];
        let odd = found.iter().find(|id| !wanted.contains(id)).or_else(|| wanted.iter().find(|id| !found.contains(id)));
        let odd = odd.cloned().unwrap_or_default();
        let is = wanted.contains(&odd);
        let statement = answer.portable.statements.iter().find(|s| s.rules.contains(&r)).expect("said");
        let alone = if std::env::var_os("SEGUE_SEED").is_some() { statement.text.as_str() } else { "" };
        return Err(differ(
            &rule.name,
            &odd,
            format!("{is} for the interpreter, not for SQL, {:#?}\n{alone}", rule.condition),
        ));
    }
    for reason in &answer.portable.reasons {
        // What is quoted differs from project to project.
        let why = reason.why.split('`').next_back().unwrap_or_default();
        *tally.reasons.entry(why.trim().to_owned()).or_default() += 1;
    }
    Ok(tally)
}

/// Runs histories through the portable plan and compares.
pub fn compare(
    catalog: &Catalog,
    program: &Program,
    clock: &Clock,
    customers: &[(String, History)],
    layout: Layout,
    limits: Limits,
) -> Result<Tally, Difference> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let answer = runtime.block_on(answers_of_histories(catalog, program, clock, customers, layout, limits));
    judge(answer, catalog, program, clock, customers, layout.number_ids)
}

/// Adds up what was found in each project.
fn tell(tallies: Vec<Tally>) -> Tally {
    let mut all = Tally::default();
    tallies.into_iter().for_each(|tally| all.add(tally));
    println!("{} of {} rules, {} members; not said: {:#?}", all.said, all.rules, all.members, all.reasons);
    all
}

/// A part of the cases of the differential test, as a statement is planned longer than it runs.
#[test]
fn random_projects_in_sql() {
    let wanted = cases(10_000).div_ceil(40);
    let all = tell(sweep(wanted, 60, &seeds(wanted / 20 + 2), |batch, program| {
        // How rows are dealt out is the other tests' matter; here many partitions and small batches only cost time.
        let layout = Layout { number_ids: batch.integer_ids, ..Layout::default() };
        let limits = Limits { threads: Some(1), ..Limits::default() };
        compare(&batch.catalog, program, &batch.clock, &batch.histories, layout, limits)
    }));
    // Nearly half of what is generated can be said; lists of texts and folded text are most of the rest.
    assert!(all.said * 3 > all.rules || all.rules < 100, "{all:#?}");
    assert!(all.members > all.said, "{all:#?}");
}

/// Through files: raw names and their prefixes, look-ups, folders that are columns.
#[test]
fn random_projects_in_files_in_sql() {
    let wanted = cases(10_000).div_ceil(400);
    let asked = std::env::var_os("SEGUE_SEED").is_some();
    let own = |seed| if asked { seed } else { seed + 2_000_000 };
    let seeds: Vec<u64> = seeds(wanted / 2 + 2).into_iter().map(own).collect();
    // Few rules a project: what is planned over files in a debug build takes seconds a rule.
    let all = tell(sweep(wanted, 10, &seeds, |batch, program| {
        let root = tempfile::tempdir().unwrap();
        write(batch, root.path(), &mut ChaCha8Rng::seed_from_u64(batch.seed), false);
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let limits = Limits { threads: Some(1), ..Limits::default() };
        let answer = runtime.block_on(answers(&batch.catalog, program, &batch.clock, root.path(), limits));
        judge(answer, &batch.catalog, program, &batch.clock, &batch.histories, batch.integer_ids)
    }));
    assert!(all.said > 0, "{all:#?}");
}

/// What `--sql` writes, run by DuckDB over the example: the members that the engine finds.
#[test]
fn the_script_of_the_example_in_duckdb() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/cosmetics");
    let (project, program) = checked(&root, None);
    let zone = Zone::new(&project.file.timezone).unwrap();
    let as_of = project.file.as_of.as_ref().map(|a| a.name.clone()).unwrap();
    let clock = Clock { as_of: parse_moment(&as_of, &zone).unwrap(), zone };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let written = runtime.block_on(script(&project.catalog, &program, &clock, &project.root)).unwrap();
    println!("{} of {} rules: {:#?}", written.said, program.rules.len(), written.portable.reasons);
    assert!(written.said * 2 > program.rules.len(), "{:#?}", written.portable.reasons);
    let (_, outcome) = run_project(&root, None, None, Limits::default()).unwrap();
    let answer = answers(&project.catalog, &program, &clock, &project.root, Limits::default());
    let answer = runtime.block_on(answer).unwrap();
    let sizes = |rule: usize| (program.rules[rule].name.clone(), outcome.size(rule));
    for (rule, found) in answer.members.iter().enumerate() {
        let Some(found) = found else { continue };
        let mut wanted = outcome.member_ids(rule);
        wanted.sort_unstable();
        assert_eq!(*found, wanted, "{}", program.rules[rule].name);
    }
    let Some(python) = python() else {
        println!("skipped the run in DuckDB: no Python with the module `duckdb` (SEGUE_PYTHON names one)");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plan.sql");
    std::fs::write(&file, &written.text).unwrap();
    let ran = Command::new(python).args(["-c", DUCKDB]).arg(&file).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let found: BTreeMap<String, usize> = serde_json::from_slice(&ran.stdout).unwrap();
    let said = written.portable.statements.iter().flat_map(|s| &s.rules);
    let wanted: BTreeMap<String, usize> = said.map(|rule| sizes(*rule)).collect();
    assert_eq!(found, wanted);
}

/// Runs a script and prints how many customers each of its rules has.
const DUCKDB: &str = r#"
import json, sys, duckdb
found = {}
con = duckdb.connect()
con.execute("SET enable_progress_bar = false")
con.execute("SET TimeZone = 'America/New_York'")
for statement in duckdb.extract_statements(open(sys.argv[1], encoding="utf-8").read()):
    answer = con.execute(statement)
    names = [c[0] for c in answer.description or []]
    if names[:1] == ["customer"]:
        rows = answer.fetchall()
        for at, name in enumerate(names[1:], 1):
            found[name] = sum(1 for row in rows if row[at])
print(json.dumps(found))
"#;

/// A Python that has DuckDB.
fn python() -> Option<String> {
    let named = std::env::var("SEGUE_PYTHON").ok();
    named.into_iter().chain(["python3".to_owned(), "python".to_owned()]).find(|python| {
        let ran = Command::new(python).args(["-c", "import duckdb"]).output();
        ran.is_ok_and(|ran| ran.status.success())
    })
}
