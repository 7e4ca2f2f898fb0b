//! A turn: everything that a project decides at one instant.
//!
//! Owns: the way from a project and what was published before to a draft that can be published. Promises: the same project, data,
//! store and instant give the same files and the same draft; nothing is published here. Must not know: the command line, the machine's
//! clock.
//!
//! `evaluate` asks the engine and decides, `tables` makes what is kept of that, `prepare` stages and audits it, `entries` tells the
//! rules as they were written, `due` does all of it for every instant since the last run.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;

use crate::engine::tables::files;
use crate::engine::{self, Keep, Limits, Outcome, Progress};
use crate::error::Error;
use crate::language::calendar::Clock;
use crate::language::ir::Program;
use crate::project::Project;

use super::campaign::{Decided, Decisions, Input, Ledger, LedgerBuilder, decide};
use super::erase;
use super::store::{Chain, Draft, EntryKind, FileRef, Kind, Store, Table};

mod backfill;

mod due;

mod entries;

mod prepare;

mod proposal;

mod summary;

mod tables;

pub use backfill::{Backfilled, backfill};
pub use due::{Done, Then, at, turns};
pub use entries::{digest, entries};
use prepare::names;
pub use prepare::{Prepared, prepare};
pub use proposal::Proposal;
pub use summary::{Reached, Summary};

/// A project that is to be evaluated.
#[derive(Clone)]
pub struct Job<'a> {
    pub project: &'a Project,
    /// All of it, or what was asked for.
    pub program: &'a Program,
    pub keep: Keep,
    pub limits: Limits,
    /// All customers are counted, also where no rule depends on who they are.
    pub population: bool,
    pub progress: Option<Arc<dyn Progress>>,
}

/// What a turn builds on: the versions of a store, and drafts that are to be published before it.
#[derive(Debug, Clone, Default)]
pub struct Base {
    /// What is published.
    pub chain: Chain,
    /// What is prepared besides, in order.
    pub pending: Vec<Draft>,
}

impl Base {
    /// What a store holds, for a project to build on; refused where it is another project's.
    pub async fn of(store: &Store, project: &Project) -> Result<Base, Error> {
        let chain = store.chain().await?;
        let mine = &project.file.name.name;
        if let Some(latest) = chain.latest().filter(|latest| latest.draft.project != *mine) {
            return Err(Error::Refused {
                message: format!("`{}` holds what the project `{}` published", store.address(), latest.draft.project),
                help: Some(format!("a store is of one project: name another one for `{mine}`")),
            });
        }
        // Whoever was erased must not come back since a file was not checked out.
        let gone = project.catalog.erased.as_ref().filter(|path| !files::local(&project.root, path).exists());
        if let Some(path) = gone
            && !store.objects_below(Some(erase::RECEIPTS)).await?.is_empty()
        {
            return Err(Error::Refused {
                message: format!("`{path}` is not there, and `{}` has receipts of erasures", store.address()),
                help: Some("bring the file of erased ids back: without it a run has those people again".to_owned()),
            });
        }
        Ok(Base { chain, pending: Vec::new() })
    }

    /// The state that a turn follows.
    pub fn latest(&self) -> Option<&Draft> {
        self.pending.last().or_else(|| self.chain.latest().map(|version| &version.draft))
    }

    /// The files of the history, in order.
    pub fn history(&self) -> Vec<FileRef> {
        let pending = self.pending.iter().flat_map(|draft| draft.of(Table::History));
        self.chain.history().into_iter().chain(pending.cloned()).collect()
    }

    /// Up to which instant runs have looked after each campaign, by its key.
    pub fn seen(&self) -> BTreeMap<String, i64> {
        let mut seen = BTreeMap::new();
        let drafts = self.chain.versions().iter().map(|version| &version.draft).chain(&self.pending);
        for draft in drafts.filter(|draft| draft.kind == Kind::Run) {
            for entry in draft.program.iter().filter(|entry| entry.kind == EntryKind::Campaign) {
                let first = draft.names.get(&entry.name).and_then(|former| former.first()).unwrap_or(&entry.name);
                let at = seen.entry(first.clone()).or_insert(draft.as_of);
                *at = (*at).max(draft.as_of);
            }
        }
        seen
    }

    /// The latest instant that is published, of runs and restores.
    pub fn last_run(&self) -> Option<i64> {
        let decided = self.chain.versions().iter().map(|version| &version.draft).chain(&self.pending);
        decided.filter(|draft| matches!(draft.kind, Kind::Run | Kind::Restore)).map(|draft| draft.as_of).max()
    }
}

/// What was found out at an instant.
pub struct Turn {
    pub clock: Clock,
    /// By campaign of the program.
    pub due: Vec<bool>,
    pub outcome: Outcome,
    /// What of the contacts and holdouts before counts.
    pub ledger: Ledger,
    pub decisions: Decisions,
}

impl Turn {
    /// The decisions with all that they were made of.
    pub fn input<'a>(&'a self, job: &Job<'a>) -> Input<'a> {
        Input {
            project: &job.project.file.name.name,
            holdout: job.project.file.holdout,
            program: job.program,
            catalog: &job.project.catalog,
            clock: &self.clock,
            customers: &self.outcome.customers,
            members: &self.outcome.members,
            traits: &self.outcome.traits,
            due: &self.due,
            ledger: &self.ledger,
        }
    }

    /// The audience of a campaign, by its place in the program's rules; nothing where the rule is no campaign's.
    pub fn campaign(&self, job: &Job<'_>, rule: usize) -> Option<Result<RecordBatch, Error>> {
        let is = |decided: &&Decided| {
            job.program.campaigns.get(decided.campaign).is_some_and(|campaign| campaign.rule.0 as usize == rule)
        };
        Some(self.decisions.campaigns.iter().find(is)?.audience(&self.input(job)))
    }
}

/// Evaluates the program and decides its campaigns, with the history that is kept in a store.
pub async fn evaluate(
    job: &Job<'_>,
    clock: &Clock,
    due: Vec<bool>,
    store: Option<(&Store, &Base)>,
) -> Result<Turn, Error> {
    let files = store.map(|(_, base)| base.history()).unwrap_or_default();
    let history = match store {
        Some((store, base)) => Some(history_files(store, base, &files).await?),
        None => None,
    };
    let request = engine::Request {
        catalog: &job.project.catalog,
        program: job.program,
        clock,
        root: &job.project.root,
        population: job.population || lists(job.program, &due),
        keep: job.keep,
        limits: job.limits,
        progress: job.progress.clone(),
        history,
    };
    let outcome = engine::run_campaigns(request).await?;
    // What `was` says for the first time is true of what was recorded before it did.
    let former = names(store.and_then(|(_, base)| base.latest()), &entries(job.project));
    let mut builder = LedgerBuilder::new(job.program, &former, &job.project.catalog, clock, &outcome.customers, &due)?;
    if let (Some((store, base)), Some(_)) = (store, builder.since()) {
        for (campaign, cost) in base.chain.spent() {
            builder.spent(campaign, cost)?;
        }
        for file in &files {
            for batch in store.read(file).await? {
                builder.add(&batch)?;
            }
        }
    }
    let ledger = builder.finish();
    let decisions = Decisions { campaigns: Vec::new() };
    let mut turn = Turn { clock: clock.clone(), due, outcome, ledger, decisions };
    turn.decisions = decide(&turn.input(job))?;
    Ok(turn)
}

/// Audiences of campaigns, by rule of the program.
pub type Standing = BTreeMap<usize, RecordBatch>;

/// The audiences of campaigns as they are published: one that is not due now has that of its own last instant.
pub async fn standing(program: &Program, store: &Store) -> Result<Standing, Error> {
    let chain = store.chain().await?;
    let mut found = Standing::new();
    for campaign in &program.campaigns {
        let rule = campaign.rule.0 as usize;
        let name = program.rules.get(rule).map_or("", |rule| rule.name.as_str());
        let Some(file) = chain.latest().and_then(|latest| latest.draft.audience(name)) else { continue };
        let rows = store.read(file).await?;
        let Some(schema) = rows.first().map(RecordBatch::schema) else { continue };
        let rows = concat_batches(&schema, &rows);
        found.insert(rule, rows.map_err(|why| Error::Engine { message: why.to_string(), help: None })?);
    }
    Ok(found)
}

/// Whether a campaign waits that goes by no channel: of those on its list it must be known who is still a customer.
fn lists(program: &Program, due: &[bool]) -> bool {
    let waits = program.campaigns.iter().zip(due).filter(|(_, due)| !**due);
    waits.flat_map(|(campaign, _)| &campaign.arms).any(|arm| arm.action.channel.is_none())
}

/// The history as the engine reads it: in place.
async fn history_files(store: &Store, base: &Base, files: &[FileRef]) -> Result<engine::HistoryFiles, Error> {
    let mut paths = Vec::with_capacity(files.len());
    for file in files.iter().filter(|file| file.rows > 0) {
        paths.push(store.url_or_path(file).await?);
    }
    let former = base.latest().map(|draft| draft.names.clone()).unwrap_or_default();
    Ok(engine::HistoryFiles { files: paths, former })
}
