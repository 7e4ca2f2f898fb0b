//! Compacted stores: the files of a source rewritten, clustered by bucket of the customer, sorted by customer and time.
//!
//! Owns: `compact` and `check`. Promises: memory stays within a budget whatever the size; the same input makes the same bytes,
//! however often it was stopped and started; the original is only read; a part of a store appears whole, by one rename, or not
//! at all. Must not know: rules.
//!
//! `job` says what is to be done, `deal` sorts the input piece by piece into runs, `merge` makes one file of the runs of each
//! range of buckets, `commit` puts them in their place. All but the last write into a hidden folder beside the store.

mod check;
mod commit;
mod deal;
mod job;
mod keys;
mod manifest;
mod merge;
mod output;
mod schema;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

pub use check::{Checked, Problem, check, named};

use crate::engine::bucket::BUCKETS;
use crate::engine::tables::{self, files};
use crate::error::Error;
use crate::language::catalog::Catalog;
use job::Job;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Options {
    /// All sources with events where unsaid.
    pub source: Option<String>,
    /// The original files, where the catalog names others.
    pub from: Option<String>,
    /// Each source's store is a folder of its name in here.
    pub to: PathBuf,
    /// Files a part: a power of two.
    pub buckets: u32,
    /// Rewrite everything, not only what is new.
    pub full: bool,
    pub threads: Option<usize>,
    /// Bytes.
    pub memory: Option<u64>,
}

/// What was done for one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compacted {
    pub source: String,
    /// What the catalog is to name.
    pub folder: PathBuf,
    /// The part that was written; `None` if there was nothing new.
    pub part: Option<u32>,
    pub input_files: usize,
    pub input_bytes: u64,
    pub files: usize,
    pub bytes: u64,
    pub rows: u64,
    /// Pieces of work that an earlier call, which was stopped, had done already.
    pub resumed: usize,
}

/// How far it is.
#[derive(Debug, Clone, Default)]
pub struct Step {
    pub source: String,
    /// Input files begun, of how many.
    pub files: usize,
    pub of_files: usize,
    /// Every row is dealt once and merged once: steps are twice the rows.
    pub rows: u64,
    pub of_rows: u64,
    /// Bytes of the store written so far.
    pub bytes: u64,
}

/// Told now and then how far it is, from any thread.
pub type Watch = Arc<dyn Fn(&Step) + Send + Sync>;

/// The least that work can be done in.
pub const LEAST_MEMORY: u64 = 64 << 20;
const DEFAULT_MEMORY: u64 = 1 << 30;
/// What a thread should have, if the limit allows it.
const A_THREAD: u64 = 64 << 20;

/// What the threads of a call share.
struct Shared {
    stop: AtomicBool,
    files: AtomicUsize,
    rows: AtomicU64,
    bytes: AtomicU64,
    resumed: AtomicUsize,
    step: Step,
    watch: Option<Watch>,
}

impl Shared {
    fn tell(&self) {
        if let Some(watch) = &self.watch {
            watch(&Step {
                files: self.files.load(Ordering::Relaxed),
                rows: self.rows.load(Ordering::Relaxed),
                bytes: self.bytes.load(Ordering::Relaxed),
                ..self.step.clone()
            });
        }
    }

    fn rows(&self, more: usize) -> Result<(), Error> {
        self.rows.fetch_add(more as u64, Ordering::Relaxed);
        self.tell();
        if self.stop.load(Ordering::Relaxed) { Err(Error::Interrupted) } else { Ok(()) }
    }
}

/// Ends the work of all threads when the call goes away.
struct Stop(Arc<Shared>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.stop.store(true, Ordering::Relaxed);
    }
}

/// Compacts one or all sources of a project.
pub async fn compact(
    catalog: &Catalog,
    root: &Path,
    options: &Options,
    watch: Option<Watch>,
) -> Result<Vec<Compacted>, Error> {
    if !options.buckets.is_power_of_two() || options.buckets > BUCKETS {
        return Err(Error::usage(format!("{} is no number of files for a store", options.buckets))
            .with_help(format!("it is a power of two, {BUCKETS} at most")));
    }
    let memory = options.memory.unwrap_or(DEFAULT_MEMORY);
    if memory < LEAST_MEMORY {
        return Err(Error::usage("that is too little memory to compact a store in")
            .with_help(format!("give it at least {} MB", LEAST_MEMORY >> 20)));
    }
    if files::is_remote(&options.to.to_string_lossy()) {
        return Err(Error::usage("a store can be compacted on the local disk only").with_help(
            "compact it here, then copy the folder to the object store as it is: it is read there as here",
        ));
    }
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    let threads = options.threads.unwrap_or_else(cores).max(1);
    let threads = threads.min(usize::try_from(memory / A_THREAD).unwrap_or(1)).max(1);
    let chosen = chosen(catalog, options)?;
    let mut catalog = catalog.clone();
    if let (Some(from), [only]) = (&options.from, chosen.as_slice())
        && let Some(source) = catalog.sources.get_mut(*only)
    {
        source.path = from.clone();
    }
    // All tables are opened: whether ids are numbers is a question to all of them.
    let tables = tables::open(&catalog, root).await?;
    let mut done = Vec::new();
    for source in chosen {
        let job = Job::new(&catalog, root, source, &tables, options).await?;
        done.push(one(job, threads, memory, watch.clone()).await?);
    }
    Ok(done)
}

/// The sources to compact, as indices.
fn chosen(catalog: &Catalog, options: &Options) -> Result<Vec<usize>, Error> {
    let names: Vec<&str> = catalog.sources.iter().map(|s| s.name.name.as_str()).collect();
    let used = |s: &usize| catalog.events.iter().any(|event| event.source.index() == *s);
    let all: Vec<usize> = match &options.source {
        Some(name) => match names.iter().position(|n| n == name) {
            Some(at) if used(&at) => vec![at],
            Some(_) => {
                return Err(Error::usage(format!("no event of the catalog is in the source `{name}`"))
                    .with_help("only what is read can be compacted; declare its events in the catalog"));
            }
            None => {
                return Err(Error::usage(format!("the catalog has no source `{name}`"))
                    .with_help(format!("it has: {}", names.join(", "))));
            }
        },
        None => (0..names.len()).filter(used).collect(),
    };
    if options.from.is_some() && all.len() != 1 {
        return Err(Error::usage("`--from` is of one source, and the catalog has several")
            .with_help("say which one with `--source`"));
    }
    if all.is_empty() {
        return Err(Error::usage("the catalog has no source with events; there is nothing to compact"));
    }
    Ok(all)
}

/// One source from the beginning to the end.
async fn one(job: Job, threads: usize, memory: u64, watch: Option<Watch>) -> Result<Compacted, Error> {
    if job.inputs.is_empty() && !job.first() {
        job.forget()?;
        return Ok(job.nothing());
    }
    let rows = job.inputs.iter().map(|i| i.rows).sum::<u64>();
    let shared = Arc::new(Shared {
        stop: AtomicBool::new(false),
        files: AtomicUsize::new(0),
        rows: AtomicU64::new(0),
        bytes: AtomicU64::new(0),
        resumed: AtomicUsize::new(0),
        step: Step {
            source: job.source.clone(),
            of_files: job.inputs.len(),
            of_rows: rows.saturating_mul(2),
            ..Step::default()
        },
        watch,
    });
    let _stop = Stop(Arc::clone(&shared));
    let budget = usize::try_from(memory / threads as u64).unwrap_or(usize::MAX);
    let job = Arc::new(job);
    job.begin()?;
    let (units, buckets) = (job.units.len(), job.buckets as usize);
    each(threads, units, &job, &shared, move |job, shared, unit| deal::deal(job, shared, unit, budget)).await?;
    let index = Arc::new(deal::index(&job)?);
    each(threads, buckets, &job, &shared, move |job, shared, bucket| merge::merge(job, shared, &index, bucket, budget))
        .await?;
    let resumed = shared.resumed.load(Ordering::Relaxed);
    blocking(move || commit::commit(&job, resumed)).await
}

/// Does pieces of work on so many threads; the first failure ends them all.
async fn each(
    threads: usize,
    pieces: usize,
    job: &Arc<Job>,
    shared: &Arc<Shared>,
    work: impl Fn(&Job, &Shared, usize) -> Result<(), Error> + Clone + Send + 'static,
) -> Result<(), Error> {
    let next = Arc::new(AtomicUsize::new(0));
    let tasks: Vec<_> = (0..threads.min(pieces))
        .map(|_| {
            let (next, job, shared, work) = (Arc::clone(&next), Arc::clone(job), Arc::clone(shared), work.clone());
            blocking(move || {
                loop {
                    let piece = next.fetch_add(1, Ordering::Relaxed);
                    if piece >= pieces || shared.stop.load(Ordering::Relaxed) {
                        return Ok(());
                    }
                    if let Err(error) = work(&job, &shared, piece) {
                        shared.stop.store(true, Ordering::Relaxed);
                        return Err(error);
                    }
                }
            })
        })
        .collect();
    let mut first = Ok(());
    for done in futures::future::join_all(tasks).await {
        // Those that were stopped because another failed have nothing to say.
        if let (Ok(()) | Err(Error::Interrupted), Err(error)) = (&first, done) {
            first = Err(error);
        }
    }
    first
}

/// Work that blocks, in a thread of its own; a panic of a decoder is an error.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(_) => Err(Error::Engine {
            message: "a file could not be decoded".into(),
            help: Some("a Parquet file is damaged behind its footer; write it again".into()),
        }),
    }
}
