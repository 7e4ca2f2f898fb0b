//! Before the plan is made: what is held of each source, what is added, what is left to read.
//!
//! Owns: the order of these steps, and what is said about them. Promises: whatever goes wrong with the cache, the run goes on
//! without it. Must not know: how states are made of rows.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use futures::StreamExt;

use super::again::Whole;
use super::answers;
use super::digest::{Digest, Digests, Input};
use super::folder::Folder;
use super::key::{self, Makings, Why, timeless};
use super::log::Logger;
use super::logs::Gathering;
use super::manifest::Seen;
use super::shelf::{self, Rows, Shelf, Want, told_apart};
use super::table::{self, States};
use super::told::{Amount, OfSource, Told};
use crate::engine::bucket::Share;
use crate::engine::identities::Resolution;
use crate::engine::kernels::join::Joiner;
use crate::engine::plan::build::Instead;
use crate::engine::plan::lower::{self, Lowered, Parts, Table};
use crate::engine::plan::program;
use crate::engine::report::Counters;
use crate::engine::run::{Limits, Progress, SoFar};
use crate::engine::tables::prune::{Asked, Extent};
use crate::engine::tables::{Inputs, Tables};
use crate::error::Error;
use crate::language::calendar::Clock;
use crate::language::catalog::{Catalog, SourceTable};
use crate::language::ir;

/// Whether a run keeps what later ones can use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Keep {
    /// Neither kept nor used.
    #[default]
    Off,
    On,
}

/// What is prepared for.
pub struct Job<'a> {
    pub catalog: &'a Catalog,
    pub program: &'a ir::Program,
    pub clock: &'a Clock,
    pub root: &'a Path,
    pub tables: &'a Tables,
    pub parts: &'a Parts,
    pub links: Option<&'a Arc<Resolution>>,
    pub limits: Limits,
    pub asked: lower::Asked,
    /// Told while files are added.
    pub progress: Option<&'a dyn Progress>,
}

/// What a run takes from the cache.
#[derive(Debug, Default)]
pub struct Kept {
    /// By branch of the program.
    branches: Vec<Branch>,
    told: Told,
    /// Whether a run with it failed.
    doubted: bool,
    /// None where nothing is kept.
    folder: Option<Folder>,
    keys: Vec<Digest>,
    /// All rows, if they are held.
    whole: Option<Arc<Whole>>,
}

/// How the rows of a branch are read.
#[derive(Debug, Default)]
struct Branch {
    held: Option<Held>,
}

/// Rows of a branch that are held.
#[derive(Debug)]
struct Held {
    states: Arc<shelf::Kept>,
    /// The files that are read themselves.
    rest: Vec<usize>,
    seen: Vec<Seen>,
}

impl Kept {
    /// Nothing, and why.
    pub fn nothing(parts: &Parts, why: Why) -> Kept {
        let of_source = |lowered: &&Lowered| matches!(lowered.table, Table::Source(_));
        let sources = parts.branches.iter().filter(of_source);
        let sources = sources.map(|b| OfSource { why: Some(why), ..OfSource::of(&b.branch.label) });
        Kept { told: Told { sources: sources.collect(), ..Told::default() }, ..Kept::default() }
    }

    /// Counts the rows that are not read.
    pub fn count(&self, parts: &Parts, counters: &Counters) {
        for (held, lowered) in self.branches.iter().zip(&parts.branches) {
            let (Some(held), true) = (&held.held, lowered.branch.counts) else { continue };
            for seen in &held.seen {
                counters.add(lowered.branch.counter, seen.tally());
                counters.link(lowered.branch.counter, seen.linked, seen.unlinked);
            }
        }
    }

    /// What is read instead of the files of each branch, of the customers of a share and by so many readers.
    pub fn instead(&self, share: Share, readers: usize) -> datafusion::common::Result<Vec<Option<Instead>>> {
        let of_branch = |branch: &Branch| {
            let Some(held) = &branch.held else { return Ok(None) };
            let states: Arc<dyn States> = held.states.clone();
            let states = table::table(&states, share, readers)?;
            Ok(Some(Instead { states: Some(states), rest: held.rest.clone() }))
        };
        self.branches.iter().map(of_branch).collect()
    }

    /// What answers for all customers without any file, if that is so.
    pub fn whole(&self) -> Option<&Arc<Whole>> {
        self.whole.as_ref()
    }

    /// Whether anything is read instead of files.
    pub fn is_used(&self) -> bool {
        self.branches.iter().any(|branch| branch.held.is_some())
    }

    /// What is held is read in several passes, by plans.
    pub fn in_passes(&mut self) {
        self.whole = None;
    }

    fn made_again(&mut self) {
        let note = format!("what `{}` held did not read, and was made again", super::FOLDER);
        if !self.told.notes.contains(&note) {
            self.told.notes.push(note);
        }
    }

    /// All rows, if no file is left to read; the answers have a key of their own.
    fn all(&mut self, job: &Job<'_>, folder: &Folder) -> Option<Arc<Whole>> {
        let held = |branch: &Branch| Some(Arc::clone(&branch.held.as_ref().filter(|h| h.rest.is_empty())?.states));
        let branches: Vec<_> = self.branches.iter().map(held).collect::<Option<_>>()?;
        let program = &job.parts.program;
        // Values are not kept.
        let key = if program.exports.is_empty() { answers::key(&self.keys, program) } else { None };
        let whole = Whole::new(program, job.tables.number_ids, branches, key.clone(), folder);
        self.keys.extend(key);
        Some(Arc::new(whole))
    }

    /// A run failed: the next is without what was kept, and shows whether that was why.
    pub fn doubt(&mut self) {
        self.branches.clear();
        self.whole = None;
        self.told.sources.iter_mut().for_each(OfSource::all_read);
        self.doubted = true;
    }

    /// What was used, when the run is done. What was in doubt is thrown away, since the run did well without it.
    pub fn told(mut self) -> Told {
        if self.doubted {
            if let Some(folder) = self.folder.filter(Folder::writes) {
                self.keys.iter().for_each(|key| folder.forget(key));
            }
            self.told.notes.push(format!("what `{}` held did not read, and was thrown away", super::FOLDER));
        } else if let (Some(whole), Some(folder)) = (self.whole.take(), self.folder.take()) {
            self.told.again = whole.again();
            // Whoever must not write leaves it to who may.
            if whole.is_broken() && folder.writes() {
                self.made_again();
            }
            if let Err(why) = whole.keep(&folder) {
                self.told.notes.push(format!("the answers are not kept for later runs in `{}`: {why}", super::FOLDER));
            }
        }
        self.told
    }
}

/// Whether what was written does not come back.
fn is_damage(why: &std::io::Error) -> bool {
    use std::io::ErrorKind;
    matches!(why.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof | ErrorKind::NotFound)
}

/// Why nothing is taken from the cache, beside errors of data, which the run itself will meet.
enum Trouble {
    Disk(std::io::Error),
    Run(Error),
}

impl From<std::io::Error> for Trouble {
    fn from(why: std::io::Error) -> Trouble {
        Trouble::Disk(why)
    }
}

/// Makes ready what a run can use, and keeps what later runs can.
pub async fn prepare(job: &Job<'_>) -> Result<Kept, Error> {
    let bytes: u64 = job.tables.sources.iter().flatten().map(|t| t.bytes).sum();
    let opened = Folder::open(job.root).and_then(|folder| Ok((Digests::open(&folder.path)?, folder)));
    let (digests, folder) = match opened {
        Ok(opened) => opened,
        // A project that can't be written to may have been run by somebody who could.
        Err(_) if Folder::is_there(job.root) => {
            let folder = Folder::as_it_is(job.root);
            (Digests::as_they_are(&folder.path), folder)
        }
        Err(why) => return Ok(nothing(&why)),
    };
    match held(job, folder, digests, bytes).await {
        Ok(kept) => Ok(kept),
        Err(Trouble::Disk(why)) => Ok(nothing(&why)),
        Err(Trouble::Run(Error::Interrupted)) => Err(Error::Interrupted),
        // The run meets it, too, and knows better what to say.
        Err(Trouble::Run(_)) => Ok(Kept::default()),
    }
}

/// What a run would use, with nothing read and nothing written.
pub async fn foresee(job: &Job<'_>) -> Told {
    let folder = Folder::as_it_is(job.root);
    let digests = Digests::as_they_are(&folder.path).reading_none();
    match held(job, folder, digests, 0).await {
        Ok(kept) => kept.told,
        Err(_) => Told::default(),
    }
}

fn nothing(why: &std::io::Error) -> Kept {
    let mut kept = Kept::default();
    kept.told.notes.push(format!("nothing is kept for later runs in `{}`: {why}", super::FOLDER));
    kept
}

/// Far enough from now that dates differ in year, month, day and hour.
const ELSEWHEN: i64 = 431 * 86_400_000_000 + 5 * 3_600_000_000 + 1;

async fn held(job: &Job<'_>, folder: Folder, mut digests: Digests, bytes: u64) -> Result<Kept, Trouble> {
    let elsewhen = Clock { as_of: job.clock.as_of.saturating_sub(ELSEWHEN), zone: job.clock.zone.clone() };
    let other = lower::lower(job.catalog, job.program, &elsewhen, job.asked);
    let makings = Makings { catalog: job.catalog, tables: job.tables, parts: job.parts, other: &other };
    let mut kept = Kept::default();
    let mut rebuilt = false;
    for (b, lowered) in job.parts.branches.iter().enumerate() {
        let (branch, told) = match inputs(job, lowered) {
            None => (Branch::default(), None),
            Some((source, inputs)) => {
                let at = At { job, b, asked: Asked { source, lowered }, inputs };
                let mut told = OfSource::of(&lowered.branch.label);
                let branch = match makings.key(b, &mut digests) {
                    _ if lowered.branch.rows == program::Rows::Recorded => {
                        told.why = Some(key::RECORDED);
                        at.read_all(&mut told)
                    }
                    Err(why) => {
                        // Who looks into no file can't know whether it has changed.
                        told.why = Some(why).filter(|why| *why != key::UNKNOWN || !digests.is_blind());
                        at.read_all(&mut told)
                    }
                    Ok(key) => {
                        let mut shelf = Shelf::open(&folder, &key);
                        rebuilt |= shelf.broken && folder.writes();
                        let branch = at.branch(&folder, &mut shelf, &mut digests, &mut told).await;
                        let branch = match branch {
                            Err(Trouble::Disk(why)) if is_damage(&why) => {
                                // Whoever must not write leaves it to who may: perhaps it is being written.
                                if folder.writes() {
                                    rebuilt = true;
                                    folder.forget(&key);
                                }
                                told = OfSource::of(&lowered.branch.label);
                                at.read_all(&mut told)
                            }
                            other => other?,
                        };
                        kept.keys.push(key);
                        branch
                    }
                };
                (branch, Some(told))
            }
        };
        kept.branches.push(branch);
        kept.told.sources.extend(told);
    }
    if rebuilt {
        kept.made_again();
    }
    kept.whole = if digests.is_blind() { None } else { kept.all(job, &folder) };
    if folder.writes() {
        digests.save()?;
        folder.tidy(&kept.keys, (4 * bytes).max(1 << 30));
    }
    kept.folder = Some(folder);
    Ok(kept)
}

/// The source of a branch and its files.
fn inputs<'a>(job: &Job<'a>, lowered: &Lowered) -> Option<(&'a SourceTable, &'a Inputs)> {
    let Table::Source(source) = lowered.table else { return None };
    let opened = job.tables.sources.get(source as usize)?.as_ref()?;
    Some((job.catalog.sources.get(source as usize)?, opened.inputs.as_ref()?))
}

/// A branch at work.
struct At<'a> {
    job: &'a Job<'a>,
    b: usize,
    asked: Asked<'a>,
    inputs: &'a Inputs,
}

impl At<'_> {
    /// All files are read themselves.
    fn read_all(&self, told: &mut OfSource) -> Branch {
        let reading = self.inputs.asked(&self.asked, None, None).1;
        told.read = Amount { files: reading.files.read, rows: reading.rows.read };
        Branch::default()
    }

    async fn branch(
        &self,
        folder: &Folder,
        shelf: &mut Shelf,
        digests: &mut Digests,
        told: &mut OfSource,
    ) -> Result<Branch, Trouble> {
        let At { job, asked, inputs, .. } = self;
        let ever = Lowered { branch: timeless(&asked.lowered.branch), ..asked.lowered.clone() };
        let ever = Asked { lowered: &ever, ..*asked };
        let wanted: Vec<Rows> = (0..inputs.files.len()).map(|f| rows(asked, &ever, inputs, f)).collect();
        let some = || inputs.files.iter().zip(&wanted).filter(|(_, rows)| **rows == Rows::All).map(|(f, _)| f);
        digests.take_ahead(some().filter_map(|f| f.disk.as_deref()), threads(job.limits));
        let mut find = |(f, rows): (usize, &Rows)| match rows {
            Rows::All => digests.input(inputs, f),
            // Nobody wants its rows; they are left where they are, if it is known that they are its rows.
            Rows::None => digests.known_input(inputs, f),
            Rows::Some => None,
        };
        let found: Vec<Option<Input>> = wanted.iter().enumerate().map(&mut find).collect();
        let files = told_apart(found.iter().map(|f| f.as_ref().map(|f| f.id.clone())).collect());
        let wants: Vec<Want> = files.into_iter().zip(wanted).map(|(file, rows)| Want { file, rows }).collect();
        let mut added = Amount::default();
        if folder.writes() {
            added = self.fill(shelf, &found, &wants).await?;
            shelf.save(folder)?;
        }
        let joiner = Joiner::new(&job.parts.program, job.tables.number_ids);
        let usable = shelf.usable(&wants, job.clock.as_of, joiner, threads(job.limits))?;
        if usable.seen.is_empty() {
            // Without any file that is held the branch is read as ever.
            return Ok(self.read_all(told));
        }
        let reading = inputs.asked(asked, Some(&usable.rest), None).1;
        told.read = Amount { files: reading.files.read, rows: reading.rows.read };
        usable.seen.iter().for_each(|seen| told.held.add(seen.rows));
        // What was read just now was not there before.
        told.held.files = told.held.files.saturating_sub(added.files);
        told.held.rows = told.held.rows.saturating_sub(added.rows);
        told.added = added;
        Ok(Branch { held: Some(Held { states: Arc::new(usable.states), rest: usable.rest, seen: usable.seen }) })
    }

    /// Adds the files that the shelf does not hold.
    async fn fill(&self, shelf: &mut Shelf, found: &[Option<Input>], wants: &[Want]) -> Result<Amount, Trouble> {
        let job = self.job;
        let missing: Vec<usize> = {
            let held = shelf.manifest.files();
            let there = |file: &str| held.contains_key(file);
            let all = wants.iter().enumerate();
            all.filter(|(_, want)| want.read().is_some_and(|file| !there(file))).map(|(f, _)| f).collect()
        };
        let logger = Logger::new(job, self.b).map_err(Trouble::Run)?;
        let room = job.limits.memory.unwrap_or(1 << 30) / 4;
        let (mut added, mut so_far) = (Amount::default(), SoFar::default());
        if let Some(progress) = job.progress.filter(|_| !missing.is_empty()) {
            let reading = self.inputs.asked(&self.asked, Some(&missing), None).1;
            progress.start(reading.rows.read, reading.bytes.read, missing.len());
        }
        let mut gathering = Gathering::new(&job.parts.program, job.tables.number_ids);
        let logs = missing.iter().map(|&f| logger.log(f));
        // Side by side, where memory is not counted.
        let at_once = if job.limits.memory.is_some() { 1 } else { threads(job.limits) };
        let mut logs = futures::stream::iter(logs).buffered(at_once);
        let mut at = missing.iter();
        while let Some(logged) = logs.next().await {
            let (seen, states) = logged.map_err(Trouble::Run)?;
            let Some(&f) = at.next() else { break };
            if let Some(progress) = job.progress {
                let bytes = self.inputs.files.get(f).map_or(0, |file| file.meta.size);
                so_far = SoFar {
                    rows: so_far.rows + seen.rows,
                    bytes: so_far.bytes + bytes,
                    files: so_far.files + 1,
                    ..so_far
                };
                progress.at(&so_far);
            }
            let (Some(Some(input)), Some(file)) = (found.get(f), wants.get(f).and_then(Want::read)) else { continue };
            // A file that was written meanwhile may be anything by now.
            if !input.holds() {
                continue;
            }
            if seen.before(job.clock.as_of) {
                added.add(seen.rows);
            }
            gathering.add(file, seen, states);
            if gathering.bytes() > room {
                shelf.add(&mut gathering)?;
            }
        }
        drop(logs);
        shelf.add(&mut gathering)?;
        // What is too new for this run will be wanted by later ones; what is too old will not.
        let later: Vec<&str> = {
            let held = shelf.manifest.files();
            let run = |file: &str| held.get(file).and_then(|(s, r)| shelf.manifest.segments.get(*s)?.runs.get(*r));
            let new = |file: &str| run(file).is_some_and(|run| !run.seen.before(job.clock.as_of));
            wants.iter().filter_map(|want| want.file.as_deref()).filter(|file| new(file)).collect()
        };
        let wanted: BTreeSet<&str> = wants.iter().filter_map(Want::read).chain(later).collect();
        let mut joiner = Joiner::new(&job.parts.program, job.tables.number_ids);
        shelf.merge(&mut joiner, |file| wanted.contains(file))?;
        Ok(added)
    }
}

fn threads(limits: Limits) -> usize {
    limits.threads.or_else(|| std::thread::available_parallelism().ok().map(usize::from)).unwrap_or(1).max(1)
}

/// What a run without cache would read of a file, compared with what a run at any time would.
fn rows(asked: &Asked<'_>, ever: &Asked<'_>, inputs: &Inputs, at: usize) -> Rows {
    let now = inputs.extents(asked, at);
    if now.iter().all(|extent| *extent == Extent::Nothing) {
        return if now.is_empty() { Rows::All } else { Rows::None };
    }
    if now == inputs.extents(ever, at) { Rows::All } else { Rows::Some }
}
