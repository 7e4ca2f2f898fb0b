//! A program at several instants, in one pass over the files.
//!
//! Owns: which instants are told together, and when they can't be. Promises: at each instant the customers and members of [`run`]. Must
//! not know: what the instants are for.

use std::path::Path;
use std::sync::Arc;

use super::cache::Kept;
use super::decide::{Facts, Passes};
use super::gathered::Ran;
use super::history;
use super::plan::lower::{Asked, Parts, Values, lower_each};
use super::run::{self, Limits, Outcome, Plans, Progress, Request, Spills, Wish};
use super::tables::{self, Layout, Tables};
use crate::error::Error;
use crate::language::calendar::Clock;
use crate::language::catalog::Catalog;
use crate::language::interpret::history::History;
use crate::language::ir::Program;

/// So many instants are told in one pass: the bits of all its instants are held until it ends.
pub const TOGETHER: usize = 64;

/// A run for several instants that is asked for. What earlier runs left behind never happened here, and nothing is kept.
#[derive(Clone)]
pub struct Instants<'a> {
    pub catalog: &'a Catalog,
    pub program: &'a Program,
    /// In ascending order, all of one zone.
    pub clocks: &'a [Clock],
    /// The project's folder.
    pub root: &'a Path,
    /// Whether all customers are wanted, also where no rule depends on who they are.
    pub population: bool,
    pub limits: Limits,
    pub progress: Option<Arc<dyn Progress>>,
}

/// Evaluates a program at each of some instants, tells the outcomes in their order, and answers how many rows of sources it read. Up to
/// [`TOGETHER`] instants read the files once: what their reports say of rows is what that pass saw. An error of whoever is told ends the
/// run.
pub async fn run_each(
    request: Instants<'_>,
    told: &mut dyn FnMut(&Clock, Outcome) -> Result<(), Error>,
) -> Result<u64, Error> {
    let Instants { catalog, program, clocks, root, population, limits, progress } = request;
    let Some(clock) = clocks.last() else { return Ok(0) };
    let keep = super::Keep::Off;
    let one = Request { catalog, program, clock, root, population, keep, history: None, limits, progress };
    let with = history::resolve(&one);
    let tables = tables::open_with(&with.catalog, root, with.files).await?;
    let each = Each {
        catalog: &with.catalog,
        program: &with.program,
        tables: &tables,
        asked: Asked { values: Values::None, population },
        limits,
        progress: one.progress.clone(),
    };
    let mut rows = 0;
    for clocks in clocks.chunks(TOGETHER) {
        rows += each.tell(clocks, told).await?;
    }
    Ok(rows)
}

/// The same with all traits over histories, as if they were files, counting the population.
pub async fn run_histories_each(
    catalog: &Catalog,
    program: &Program,
    clocks: &[Clock],
    customers: &[(String, History)],
    layout: Layout,
    limits: Limits,
) -> Result<Vec<Outcome>, Error> {
    let with_history = program.asks_history(catalog).then(|| catalog.with_history());
    let (catalog, tables) = tables::in_memory(with_history.as_ref().unwrap_or(catalog), customers, layout)?;
    let asked = Asked { values: Values::All, population: true };
    let each = Each { catalog: &catalog, program, tables: &tables, asked, limits, progress: None };
    let mut outcomes = Vec::with_capacity(clocks.len());
    let told = &mut |_: &Clock, outcome| {
        outcomes.push(outcome);
        Ok(())
    };
    each.tell(clocks, told).await?;
    Ok(outcomes)
}

struct Each<'a> {
    catalog: &'a Catalog,
    program: &'a Program,
    tables: &'a Tables,
    asked: Asked,
    limits: Limits,
    progress: Option<Arc<dyn Progress>>,
}

impl Each<'_> {
    async fn tell(
        &self,
        clocks: &[Clock],
        told: &mut dyn FnMut(&Clock, Outcome) -> Result<(), Error>,
    ) -> Result<u64, Error> {
        match lower_each(self.catalog, self.program, clocks, self.asked) {
            Some(parts) => self.together(clocks, &parts, told).await,
            None => self.one_by_one(clocks, told).await,
        }
    }

    /// In one pass, or in as many over shares of the customers as memory asks for. Files of a compacted store are read like others.
    async fn together(
        &self,
        clocks: &[Clock],
        parts: &Parts,
        told: &mut dyn FnMut(&Clock, Outcome) -> Result<(), Error>,
    ) -> Result<u64, Error> {
        let Each { catalog, tables, limits, .. } = *self;
        let context = run::session(tables, limits, Spills::Yes)?;
        let linked = run::linked(&context, catalog, tables, parts).await?;
        let links = linked.as_ref().map(|held| &held.resolution);
        let facts = Facts::new(catalog, tables, parts, links.is_some());
        let passes = Passes::plain(&facts, &parts.program, limits);
        let plans = Plans { catalog, tables, parts, links };
        let mut nothing = Kept::default();
        let work = run::gather(&plans, &mut nothing, passes, limits, None, self.progress.as_deref());
        let (gathered, counters, passes) = match work.await {
            Ok(done) => done,
            Err(error) => return Err(run::blame(&context, tables, error).await),
        };
        let ran = Ran { catalog, tables, parts, counters: &counters, threads: run::threads(limits) };
        let mut rows = 0;
        for (clock, outcome) in clocks.iter().zip(gathered.each(&ran)) {
            let mut outcome = outcome?;
            // Each tells of the one pass.
            rows = read(&outcome);
            outcome.passes = passes;
            outcome.report.identities = links.map(|links| links.report());
            told(clock, outcome)?;
        }
        Ok(rows)
    }

    /// Each with a pass of its own.
    async fn one_by_one(
        &self,
        clocks: &[Clock],
        told: &mut dyn FnMut(&Clock, Outcome) -> Result<(), Error>,
    ) -> Result<u64, Error> {
        let mut rows = 0;
        for clock in clocks {
            let wish = Wish { asked: self.asked, limits: self.limits, patterns: None, keep: None };
            let work = run::evaluate(self.catalog, self.program, clock, self.tables, wish, self.progress.clone());
            let outcome = work.await?.0;
            rows += read(&outcome);
            told(clock, outcome)?;
        }
        Ok(rows)
    }
}

/// Rows of sources that were read.
fn read(outcome: &Outcome) -> u64 {
    outcome.report.sources.iter().map(|source| source.rows).sum()
}
