//! The interpreter and the plan on random projects: one answer, whatever the catalog, the rules, the events and the clock.

use segue::engine::{Layout, Limits, run_histories};
use segue::language::interpret::evaluate;

use crate::generate::dice::Dice;
use crate::generate::{Batch, Compiled, Size, cases, seeds, sized};

/// Rules of one batch. They share a catalog, histories and a clock; each of them with those is one case.
const RULES: usize = 125;
const CUSTOMERS: usize = 30;
/// Cases of a plain `cargo test`; `SEGUE_CASES` asks for more.
const CASES: usize = 10_000;

#[test]
fn interpreter_and_plan_agree_on_random_projects() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let wanted = cases(CASES);
    // Some rules do not get through the checker: a few batches more than the division says.
    let mut compared = 0;
    for seed in seeds(wanted / (RULES / 2) + 2) {
        if compared >= wanted {
            break;
        }
        let batch = sized(seed, Size { rules: RULES, customers: CUSTOMERS });
        let compiled = batch.compile();
        compared += compiled.program.rules.len();
        let (layout, limits) = dealt(&mut Dice::new(seed ^ 0xdea1));
        if let Err(why) = runtime.block_on(compare(&batch, &compiled, layout, limits)) {
            panic!("{layout:?}, {limits:?}\n{why}");
        }
    }
    assert!(compared >= wanted || std::env::var_os("SEGUE_SEED").is_some(), "{compared} of {wanted}");
}

/// How the rows are dealt out and who works on them; no choice may show.
fn dealt(dice: &mut Dice) -> (Layout, Limits) {
    let layout = Layout {
        partitions: 1 + dice.below(4),
        batch_rows: *dice.pick(&[1, 3, 17, 8_192]),
        shuffle: dice.next(),
        dictionaries: dice.chance(30),
    };
    let limits =
        Limits { threads: Some(1 + dice.below(3)), memory: None, batch_rows: Some(*dice.pick(&[1, 2, 64, 8_192])) };
    (layout, limits)
}

/// Asks both about every customer and rule.
async fn compare(batch: &Batch, compiled: &Compiled, layout: Layout, limits: Limits) -> Result<(), String> {
    let (catalog, program, clock) = (&batch.catalog, &compiled.program, &batch.clock);
    let outcome = run_histories(catalog, program, clock, &batch.histories, layout, limits)
        .await
        .map_err(|e| format!("SEGUE_SEED={}: the plan failed: {e}\n{}", batch.seed, batch.catalog_yaml))?;
    let mut sorted: Vec<_> = batch.histories.iter().collect();
    sorted.sort_by(|a, b| a.0.cmp(&b.0));
    let mut row = 0;
    for (id, history) in sorted {
        let expected = evaluate(program, catalog, clock, history);
        let found = row < outcome.customers.len() && outcome.customer(row) == *id;
        if found != expected.in_population {
            let what =
                format!("in the population for the plan: {found}, for the interpreter: {}", expected.in_population);
            return Err(batch.explain("", id, &what));
        }
        if !found {
            continue;
        }
        for (rule, member) in program.rules.iter().zip(expected.members.iter().enumerate()) {
            let (at, &expected) = member;
            let found = outcome.members[at].value(row);
            if found != expected {
                let what = format!("member for the plan: {found}, for the interpreter: {expected}");
                return Err(format!("{}\n{:#?}", batch.explain(&rule.name, id, &what), rule.condition));
            }
        }
        row += 1;
    }
    if row != outcome.customers.len() {
        return Err(format!(
            "SEGUE_SEED={}: the plan has {} customers, not {row}",
            batch.seed,
            outcome.customers.len()
        ));
    }
    Ok(())
}
