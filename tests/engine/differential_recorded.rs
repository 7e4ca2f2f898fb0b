//! Rules that ask what earlier runs left behind: two implementations, one answer.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use segue::engine::plan::lower::{Asked, lower};
use segue::language::ir::Program;

use super::differential::{in_memory, judge, sweep_of, tell};
use super::differential_files::Files;
use crate::generate::{cases, recorded, seeds};

/// The seeds of a test of its own, or the one that is asked for.
fn own(count: usize, from: u64) -> Vec<u64> {
    let asked = std::env::var_os("SEGUE_SEED").is_some();
    seeds(count).into_iter().map(|seed| if asked { seed } else { seed + from }).collect()
}

#[test]
fn random_histories_of_runs() {
    let wanted = cases(10_000).div_ceil(4);
    let outcomes = sweep_of(recorded, wanted, usize::MAX, &own(wanted / 60 + 2, 2_000_000), |batch, program| {
        assert!(program.asks_history(&batch.catalog), "seed {}", batch.seed);
        in_memory(batch, program)
    });
    tell(&outcomes);
}

/// The same through files, whose names the caller knows to have changed.
#[test]
fn random_histories_of_runs_in_files() {
    let wanted = cases(10_000).div_ceil(40);
    let outcomes = sweep_of(recorded, wanted, 60, &own(wanted / 30 + 2, 3_000_000), |batch, program| {
        let mut rng = ChaCha8Rng::seed_from_u64(batch.seed);
        let files = Files::write(batch, &mut rng);
        let catalog = batch.catalog.with_history();
        // Rules that hold for nobody without events of his own, together: the population is not counted.
        let few = program.keep(|rule| {
            let alone = program.keep(|other| other.name == rule.name);
            lower(&catalog, &alone, &batch.clock, Asked::default()).program.members_only
        });
        let mut judged = |program: &Program, population| {
            let outcome = files.run(batch, program, population, &mut rng);
            judge(outcome, &batch.catalog, program, &batch.clock, &batch.histories)
        };
        judged(&few, false)?;
        judged(program, true)
    });
    tell(&outcomes);
}
