//! Two implementations of the meaning, one answer: the interpreter, customer by customer, and the plan.

use crate::generate::{Batch, Size, cases, rules, seeds, sized};
use arrow::datatypes::DataType;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use segue::engine::plan::lower::{Asked, lower};
use segue::engine::{Layout, Limits, Outcome, run_histories};
use segue::error::Error;
use segue::language::calendar::{Clock, Zone, parse_moment};
use segue::language::catalog::{Catalog, EventId, KnownValues, ListId, Type};
use segue::language::interpret::evaluate;
use segue::language::interpret::history::{Datum, EventRow, History, ProfileRow};
use segue::language::ir::Program;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Where the two differ.
pub struct Difference {
    pub rule: String,
    pub customer: String,
    pub what: String,
}

/// Runs both and compares every customer.
pub fn compare(
    catalog: &Catalog,
    program: &Program,
    clock: &Clock,
    customers: &[(String, History)],
    layout: Layout,
    limits: Limits,
) -> Result<Outcome, Difference> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let outcome = runtime.block_on(run_histories(catalog, program, clock, customers, layout, limits));
    judge(outcome, catalog, program, clock, customers)
}

/// Compares what the plan says with the interpreter.
pub fn judge(
    outcome: Result<Outcome, Error>,
    catalog: &Catalog,
    program: &Program,
    clock: &Clock,
    customers: &[(String, History)],
) -> Result<Outcome, Difference> {
    let differ = |rule: &str, customer: &str, what: String| {
        Err(Difference { rule: rule.to_owned(), customer: customer.to_owned(), what })
    };
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(e) => return differ("", "", format!("the plan failed: {e}")),
    };
    let mut sorted = crate::generate::customers(customers, *outcome.customers.data_type() == DataType::Int64);
    sorted.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut row = 0;
    for (expected, (id, _)) in evaluate(program, catalog, clock, &sorted).into_iter().zip(&sorted) {
        let id = id.to_string();
        let found = row < outcome.customers.len() && outcome.customer(row) == id;
        // Where the population was not counted the plan tells of the members of rules.
        let counted = outcome.population().is_some() || expected.members.contains(&true);
        let wanted = expected.in_population && counted;
        if found != wanted {
            return differ("", &id, format!("population: plan {found}, interpreter {wanted}"));
        }
        if !found {
            continue;
        }
        for (rule, member) in expected.members.iter().enumerate() {
            if outcome.members[rule].value(row) != *member {
                let rule = &program.rules[rule];
                return differ(&rule.name, &id, format!("{member} for the interpreter, {:#?}", rule.condition));
            }
        }
        row += 1;
    }
    if row != outcome.customers.len() {
        return differ("", "", format!("the plan has {} customers, expected {row}", outcome.customers.len()));
    }
    Ok(outcome)
}

const DAY: i64 = 86_400_000_000;

/// A history full of edges: whole days before the as-of instant, give or take a microsecond, repeats, nulls.
pub fn history(rng: &mut ChaCha8Rng, catalog: &Catalog, clock: &Clock) -> History {
    let mut history = History::default();
    let events = if rng.random_bool(0.1) { 0 } else { rng.random_range(0..30) };
    for _ in 0..events {
        if catalog.events.is_empty() {
            break;
        }
        let event = EventId(rng.random_range(0..catalog.events.len()) as u32);
        let row = EventRow {
            event,
            time: instant(rng, clock),
            properties: catalog.events[event.index()]
                .properties
                .iter()
                .map(|p| datum(rng, p.ty, p.known.as_ref(), clock))
                .collect(),
            event_id: rng.random_bool(0.8).then(|| format!("id{}", rng.random_range(0..4))),
        };
        for _ in 0..if rng.random_bool(0.1) { 2 } else { 1 } {
            history.events.push(row.clone());
        }
    }
    if let Some(profile) = catalog.profile.as_ref().filter(|_| rng.random_bool(0.8)) {
        history.profile = Some(ProfileRow {
            created: (profile.created.is_some() && rng.random_bool(0.8)).then(|| instant(rng, clock)),
            attributes: profile.attributes.iter().map(|a| datum(rng, a.ty, a.known.as_ref(), clock)).collect(),
        });
    }
    for list in 0..catalog.lists.len() {
        if rng.random_bool(0.2) {
            history.lists.insert(ListId(list as u32));
        }
    }
    history
}

fn instant(rng: &mut ChaCha8Rng, clock: &Clock) -> i64 {
    let days = [0, 1, 2, 3, 6, 7, 14, 29, 30, 31, 60, 89, 90, 91, 180, 364, 365, 366];
    match rng.random_range(0..10) {
        0 => clock.as_of + rng.random_range(0..3) * DAY,
        1..=4 => clock.as_of - days[rng.random_range(0..days.len())] * DAY + rng.random_range(-1..=1),
        _ => clock.as_of - rng.random_range(0..200 * DAY),
    }
}

fn datum(rng: &mut ChaCha8Rng, ty: Type, known: Option<&KnownValues>, clock: &Clock) -> Option<Datum> {
    if rng.random_bool(0.1) {
        return None;
    }
    let text = |rng: &mut ChaCha8Rng| match known.filter(|k| !k.values.is_empty() && rng.random_bool(0.9)) {
        Some(known) => known.values[rng.random_range(0..known.values.len())].text.clone(),
        None => ["", "serum", "Éclat", "e\u{301}clat", "a b", "x"][rng.random_range(0..6)].to_owned(),
    };
    Some(match ty {
        Type::Text => Datum::Text(text(rng)),
        Type::Integer => Datum::Integer(rng.random_range(-2..8)),
        Type::Money { .. } => Datum::Money(rng.random_range(-500..20_000)),
        Type::Number => Datum::Number([0.0, -0.0, 0.1, 0.2, 0.3, 1e300, -1.5, f64::NAN, 3.0][rng.random_range(0..9)]),
        Type::YesNo => Datum::YesNo(rng.random_bool(0.5)),
        Type::Date => Datum::Date(clock.zone.date(clock.as_of) - rng.random_range(-40..400)),
        Type::Instant => Datum::Instant(instant(rng, clock)),
        Type::TextList => Datum::TextList((0..rng.random_range(0..3)).map(|_| text(rng)).collect()),
    })
}

/// How a case is dealt out.
pub fn layout(rng: &mut ChaCha8Rng) -> (Layout, Limits) {
    let layout = Layout {
        partitions: rng.random_range(1..5),
        batch_rows: [1, 3, 17, 8_192][rng.random_range(0..4)],
        shuffle: rng.random(),
        dictionaries: rng.random_bool(0.3),
        number_ids: false,
    };
    let limits = Limits {
        threads: Some(rng.random_range(1..4)),
        memory: None,
        batch_rows: Some([1, 2, 64, 8_192][rng.random_range(0..4)]),
        ..Limits::default()
    };
    (layout, limits)
}

#[test]
fn the_rules_of_the_example_on_random_histories() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/cosmetics");
    let (project, program) = super::engine_answers::checked(&root, None);
    let seed: u64 = std::env::var("SEGUE_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or_else(rand::random);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    for round in 0..3 {
        let zone = Zone::new(["Europe/Paris", "UTC", "America/New_York"][rng.random_range(0..3)]).unwrap();
        let as_of = ["2026-11-21", "2026-03-29T12:00", "2026-10-25T02:30", "2024-02-29"][rng.random_range(0..4)];
        let clock = Clock { as_of: parse_moment(as_of, &zone).unwrap(), zone };
        let customers: Vec<(String, History)> =
            (0..200).map(|i| (format!("c{i}"), history(&mut rng, &project.catalog, &clock))).collect();
        let (layout, limits) = layout(&mut rng);
        if let Err(why) = compare(&project.catalog, &program, &clock, &customers, layout, limits) {
            let Difference { rule, customer, what } = why;
            panic!("SEGUE_SEED={seed}, round {round}, {layout:?}, {limits:?}, as of {as_of}: {rule} {customer} {what}");
        }
    }
}

/// A case is one generated rule with its catalog, a base of customers with their events, and an as-of instant.
#[test]
fn random_projects() {
    let wanted = cases(10_000);
    let outcomes = sweep(wanted, usize::MAX, &seeds(wanted / 60 + 2), in_memory);
    tell(&outcomes);
}

/// A batch in memory, in some layout and within some limits.
pub fn in_memory(batch: &Batch, program: &Program) -> Result<Outcome, Difference> {
    let (layout, limits) = layout(&mut ChaCha8Rng::seed_from_u64(batch.seed));
    let layout = Layout { number_ids: batch.integer_ids, ..layout };
    compare(&batch.catalog, program, &batch.clock, &batch.histories, layout, limits).map_err(|mut difference| {
        difference.what = format!("{layout:?} {limits:?} {}", difference.what);
        difference
    })
}

/// Some of them through files: raw names, look-ups, folders that are columns, row groups.
#[test]
fn random_projects_in_files() {
    let wanted = cases(10_000).div_ceil(20);
    // Not the seeds of the other test, but those that `SEGUE_SEED` asks for.
    let asked = std::env::var_os("SEGUE_SEED").is_some();
    let own = |seed| if asked { seed } else { seed + 1_000_000 };
    let seeds: Vec<u64> = seeds(wanted / 60 + 2).into_iter().map(own).collect();
    let uncounted = AtomicUsize::new(0);
    let outcomes = sweep(wanted, usize::MAX, &seeds, |batch, program| {
        let mut rng = ChaCha8Rng::seed_from_u64(batch.seed);
        let files = super::differential_files::Files::write(batch, &mut rng);
        let mut judged = |program: &Program, population| {
            let outcome = files.run(batch, program, population, &mut rng);
            judge(outcome, &batch.catalog, program, &batch.clock, &batch.histories)
        };
        // Rules that hold for nobody without events, together: the population is not counted.
        let few = program.keep(|rule| {
            let alone = program.keep(|other| other.name == rule.name);
            lower(&batch.catalog, &alone, &batch.clock, Asked::default()).program.members_only
        });
        uncounted.fetch_add(few.rules.len(), Ordering::Relaxed);
        if !few.rules.is_empty() {
            let outcome = judged(&few, false)?;
            assert_eq!(outcome.population(), None, "seed {}", batch.seed);
        }
        judged(program, true)
    });
    tell(&outcomes);
    assert!(asked || uncounted.into_inner() * 20 > wanted);
}

/// Judges generated projects of at most so many rules on two threads until there are as many rules as wanted, and returns what was
/// found in each.
pub fn sweep<T: Send>(
    wanted: usize,
    most: usize,
    seeds: &[u64],
    judged: impl Fn(&Batch, &Program) -> Result<T, Difference> + Sync,
) -> Vec<T> {
    sweep_of(sized, wanted, most, seeds, judged)
}

/// The same of projects that are made like this.
pub fn sweep_of<T: Send>(
    made: fn(u64, Size) -> Batch,
    wanted: usize,
    most: usize,
    seeds: &[u64],
    judged: impl Fn(&Batch, &Program) -> Result<T, Difference> + Sync,
) -> Vec<T> {
    let (next, compared) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let (failed, all) = (Mutex::new(None), Mutex::new(Vec::new()));
    let work = || {
        while compared.load(Ordering::Relaxed) < wanted && failed.lock().unwrap().is_none() {
            let Some(&seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed)) else { break };
            let batch = made(seed, Size { rules: rules().min(most), customers: 30 });
            let program = batch.compile().program;
            match judged(&batch, &program) {
                Ok(found) => {
                    compared.fetch_add(program.rules.len(), Ordering::Relaxed);
                    all.lock().unwrap().push(found);
                }
                Err(Difference { rule, customer, what }) => {
                    *failed.lock().unwrap() = Some(batch.explain(&rule, &customer, &what));
                }
            }
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(work);
        scope.spawn(work);
    });
    if let Some(why) = failed.into_inner().unwrap() {
        panic!("{why}");
    }
    let compared = compared.into_inner();
    assert!(compared >= wanted || seeds.len() == 1, "{compared} rules of {wanted}");
    all.into_inner().unwrap()
}

/// The outcomes of a sweep hold neither for all nor for nobody: the cases say something.
pub fn tell(outcomes: &[Outcome]) {
    let rules: usize = outcomes.iter().map(|o| o.members.len()).sum();
    let asked: usize = outcomes.iter().map(|o| o.members.len() * o.customers.len()).sum();
    let members: usize = outcomes.iter().flat_map(|o| &o.members).map(|m| m.count_set_bits()).sum();
    println!("{rules} cases in {} projects, {asked} answers, {members} members", outcomes.len());
    assert!(members * 20 > asked && members * 20 < asked * 19);
}
