//! Several instants by one pass: each as by a run of its own.

use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use segue::engine::{Layout, Limits, Outcome, run_histories, run_histories_each};
use segue::error::Error;
use segue::language::calendar::Clock;
use segue::language::ir::Program;

use super::differential::{Difference, judge, layout, sweep, sweep_of, tell};
use super::differential_files::Files;
use crate::generate::{Batch, cases, recorded, seeds};

const DAY: i64 = 86_400_000_000;

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(work)
}

/// The seeds of a test of its own, or the one that is asked for.
fn own(count: usize, from: u64) -> Vec<u64> {
    let asked = std::env::var_os("SEGUE_SEED").is_some();
    seeds(count).into_iter().map(|seed| if asked { seed } else { seed + from }).collect()
}

/// Instants around that of a batch, ascending: days that follow each other, moments of its events, one before anything happened.
fn clocks(batch: &Batch, rng: &mut ChaCha8Rng) -> Vec<Clock> {
    let Clock { as_of, zone } = &batch.clock;
    let today = i64::from(zone.date(*as_of));
    let mut moments: Vec<i64> = batch.histories.iter().flat_map(|(_, h)| h.events.iter().map(|e| e.time)).collect();
    moments.extend(batch.histories.iter().filter_map(|(_, h)| h.profile.as_ref()?.created));
    moments.shuffle(rng);
    let mut instants: Vec<i64> = moments.iter().take(3).map(|at| at + rng.random_range(0..=1)).collect();
    instants.extend((0..3).map(|days| zone.start_of_day(today - days)));
    instants.push(*as_of);
    instants.push(as_of - 9_000 * DAY);
    instants.push(as_of - rng.random_range(0..400 * DAY));
    instants.shuffle(rng);
    instants.truncate(rng.random_range(1..=instants.len()));
    instants.sort_unstable();
    instants.dedup();
    instants.into_iter().map(|as_of| Clock { as_of, zone: zone.clone() }).collect()
}

/// Each outcome is that of the interpreter at its instant; the last one is answered.
fn judged(
    outcomes: Result<Vec<Outcome>, Error>,
    batch: &Batch,
    program: &Program,
    clocks: &[Clock],
    what: &str,
) -> Result<Vec<Outcome>, Difference> {
    let at = |clock: &Clock| format!("at {} of {:?}, {what}: ", clock.as_of, clocks);
    let outcomes = match outcomes {
        Ok(outcomes) if outcomes.len() == clocks.len() => outcomes,
        Ok(outcomes) => panic!("seed {}: {} outcomes of {} instants", batch.seed, outcomes.len(), clocks.len()),
        Err(error) => {
            let what = format!("{what}: the plan failed: {error}");
            return Err(Difference { rule: String::new(), customer: String::new(), what });
        }
    };
    let one = |(outcome, clock): (Outcome, &Clock)| {
        judge(Ok(outcome), &batch.catalog, program, clock, &batch.histories)
            .map_err(|why| Difference { what: at(clock) + &why.what, ..why })
    };
    outcomes.into_iter().zip(clocks).map(one).collect()
}

#[test]
fn random_projects_at_several_instants() {
    let wanted = cases(10_000).div_ceil(4);
    let outcomes = sweep(wanted, usize::MAX, &own(wanted / 60 + 2, 4_000_000), |batch, program| {
        let mut rng = ChaCha8Rng::seed_from_u64(batch.seed);
        let clocks = clocks(batch, &mut rng);
        let (layout, limits) = layout(&mut rng);
        let layout = Layout { number_ids: batch.integer_ids, ..layout };
        let each = run_histories_each(&batch.catalog, program, &clocks, &batch.histories, layout, limits);
        let what = format!("{layout:?} {limits:?}");
        let mut outcomes = judged(run(each), batch, program, &clocks, &what)?;
        // Values are told too.
        let at = rng.random_range(0..clocks.len());
        let alone = run_histories(&batch.catalog, program, &clocks[at], &batch.histories, layout, limits);
        let alone = run(alone).expect("a run of its own");
        let (found, expected) = (format!("{:?}", outcomes[at].traits), format!("{:?}", alone.traits));
        assert_eq!(found, expected, "seed {} at {:?}", batch.seed, clocks[at]);
        Ok(outcomes.swap_remove(at))
    });
    tell(&outcomes);
}

#[test]
fn random_histories_of_runs_at_several_instants() {
    let wanted = cases(10_000).div_ceil(10);
    sweep_of(recorded, wanted, usize::MAX, &own(wanted / 60 + 2, 5_000_000), |batch, program| {
        let mut rng = ChaCha8Rng::seed_from_u64(batch.seed);
        let clocks = clocks(batch, &mut rng);
        let (layout, limits) = layout(&mut rng);
        let layout = Layout { number_ids: batch.integer_ids, ..layout };
        let each = run_histories_each(&batch.catalog, program, &clocks, &batch.histories, layout, limits);
        judged(run(each), batch, program, &clocks, &format!("{layout:?} {limits:?}"))
    });
}

/// Through files, where the population is counted for some: rows that matter at none of the instants are not read.
#[test]
fn random_projects_in_files_at_several_instants() {
    let wanted = cases(10_000).div_ceil(40);
    sweep(wanted, 60, &own(wanted / 30 + 2, 6_000_000), |batch, program| {
        let mut rng = ChaCha8Rng::seed_from_u64(batch.seed);
        let files = Files::write(batch, &mut rng);
        let clocks = clocks(batch, &mut rng);
        let limits = Limits { threads: Some(rng.random_range(1..4)), ..Limits::default() };
        let some = program.keep(|rule| rule.name.ends_with(['1', '5', '8']));
        for (program, population) in [(&some, false), (program, true)] {
            let outcomes = files.run_each(program, &clocks, population, limits);
            judged(outcomes, batch, program, &clocks, &format!("{limits:?} {population}"))?;
        }
        Ok(())
    });
}
