//! Runs the plan and makes an outcome of its answer.
//!
//! Owns: sessions, limits, progress, and the translation of what the engine says. Promises: the outcome is in the order of
//! customers and the same for any number of threads, any batch size, any order of files; a panic below is an error here.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::Int64Type;
use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::execute_stream;
use datafusion::prelude::{SessionConfig, SessionContext};
use futures::StreamExt;

use super::bucket::Share;
use super::cache::{self, Job, Keep, Kept};
use super::decide::{Choice, Engine, Facts, Passes, decide};
use super::gathered::{Gathered, Ran};
use super::history::{self, HistoryFiles};
use super::identities::{self, Resolution};
use super::meter::Meter;
use super::plan::lower::{Asked, Parts, Values, lower};
use super::plan::{build, reading};
use super::report::{Counters, Report};
use super::sql;
use super::tables::{self, Layout, Tables};
use crate::error::Error;
use crate::language::calendar::Clock;
use crate::language::catalog::{Catalog, LookupId};
use crate::language::interpret::history::History;
use crate::language::interpret::scalar;
use crate::language::ir::Program;

/// Told how far a run is, from another thread.
pub trait Progress: Send + Sync {
    /// What there is to read.
    fn start(&self, rows: u64, bytes: u64, files: usize);
    /// How far it is by now.
    fn at(&self, so_far: &SoFar);
    /// No more calls follow.
    fn finish(&self);
}

/// What a run has done by now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SoFar {
    /// Rows, bytes and files read.
    pub rows: u64,
    pub bytes: u64,
    pub files: u64,
    /// Customers answered for.
    pub customers: u64,
}

/// A run that is asked for.
#[derive(Clone)]
pub struct Request<'a> {
    pub catalog: &'a Catalog,
    pub program: &'a Program,
    pub clock: &'a Clock,
    /// The project's folder.
    pub root: &'a Path,
    /// Whether all customers are wanted, also where no rule depends on who they are: then every row is read.
    pub population: bool,
    /// Whether what later runs need not read again is kept, and used.
    pub keep: Keep,
    /// What earlier runs left behind; without it, what rules ask of it never happened.
    pub history: Option<HistoryFiles>,
    pub limits: Limits,
    pub progress: Option<Arc<dyn Progress>>,
}

/// What a run may use. None of it shows in the outcome.
#[derive(Debug, Clone, Copy, Default)]
pub struct Limits {
    /// All cores where unsaid.
    pub threads: Option<usize>,
    /// Bytes; where that is too little for all customers at once, the engine reads the files several times, each time for some.
    pub memory: Option<usize>,
    /// Rows that are worked on at a time; for tests.
    pub batch_rows: Option<usize>,
    pub engine: Choice,
}

/// The answer of a run.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The population, or the members of rules where nobody else was counted; sorted. `Int64` where all ids of the project are whole
    /// numbers, else `Utf8`.
    pub customers: ArrayRef,
    /// For each rule of the program who is a member, in the order of `customers`.
    pub members: Vec<BooleanBuffer>,
    /// For each trait of the program its values, one a customer, where they were asked for (else nothing); `None` is missing. Lists
    /// are missing here.
    pub traits: Vec<Vec<Option<scalar::Scalar>>>,
    pub report: Report,
    /// How many passes over shares of the customers the memory limit asked for.
    pub passes: usize,
    /// What of earlier runs was used, and what there is to say about that.
    pub kept: cache::Told,
}

impl Outcome {
    /// How many customers there are; `None` where only the members of rules were counted.
    pub fn population(&self) -> Option<usize> {
        self.report.population.map(|_| self.customers.len())
    }

    /// How many members a rule has.
    pub fn size(&self, rule: usize) -> usize {
        self.members.get(rule).map_or(0, BooleanBuffer::count_set_bits)
    }

    /// The ids of a rule's members.
    pub fn member_ids(&self, rule: usize) -> Vec<String> {
        let Some(bits) = self.members.get(rule) else { return Vec::new() };
        bits.set_indices().map(|row| self.customer(row)).collect()
    }

    /// A customer's id as text.
    pub fn customer(&self, row: usize) -> String {
        match self.customers.as_primitive_opt::<Int64Type>() {
            Some(ids) if row < ids.len() => ids.value(row).to_string(),
            Some(_) => String::new(),
            None => match self.customers.as_string_opt::<i32>() {
                Some(ids) if row < ids.len() => ids.value(row).to_owned(),
                _ => String::new(),
            },
        }
    }
}

/// Evaluates a program over the files of a project.
pub async fn run(request: Request<'_>) -> Result<Outcome, Error> {
    run_for(request, Values::None).await
}

/// The same, and the values that campaigns ask for: see [`Outcome::traits`].
pub async fn run_campaigns(request: Request<'_>) -> Result<Outcome, Error> {
    let values = Values::of(request.program);
    run_for(request, values).await
}

async fn run_for(request: Request<'_>, values: Values) -> Result<Outcome, Error> {
    let with = history::resolve(&request);
    let tables = tables::open_with(&with.catalog, request.root, with.files).await?;
    let asked = Asked { values, population: request.population };
    let keep = Some((request.keep, request.root));
    let wish = Wish { asked, limits: request.limits, patterns: None, keep };
    let progress = request.progress.clone();
    Ok(evaluate(&with.catalog, &with.program, request.clock, &tables, wish, progress).await?.0)
}

/// The same, with what it took, from the files themselves; `patterns` is how many the program has.
pub async fn measured(request: Request<'_>, patterns: u32) -> Result<(Outcome, Arc<Meter>), Error> {
    let with = history::resolve(&request);
    let tables = tables::open_with(&with.catalog, request.root, with.files).await?;
    let asked = Asked { values: Values::of(request.program), population: request.population };
    let wish = Wish { asked, limits: request.limits, patterns: Some(patterns), keep: None };
    let progress = request.progress.clone();
    evaluate(&with.catalog, &with.program, request.clock, &tables, wish, progress).await
}

/// Evaluates a program and its traits over histories, as if they were files, and counts the population. A customer without event and
/// profile is in none.
pub async fn run_histories(
    catalog: &Catalog,
    program: &Program,
    clock: &Clock,
    customers: &[(String, History)],
    layout: Layout,
    limits: Limits,
) -> Result<Outcome, Error> {
    let with_history = program.asks_history(catalog).then(|| catalog.with_history());
    let catalog = with_history.as_ref().unwrap_or(catalog);
    let (catalog, tables) = tables::in_memory(catalog, customers, layout)?;
    let wish = Wish { asked: Asked { values: Values::All, population: true }, limits, patterns: None, keep: None };
    Ok(evaluate(&catalog, program, clock, &tables, wish, None).await?.0)
}

/// What is asked for, and with what.
pub(super) struct Wish<'a> {
    pub asked: Asked,
    pub limits: Limits,
    /// How many patterns there are whose rows are counted.
    pub patterns: Option<u32>,
    /// Whether something is kept for later runs, and the project's folder.
    pub keep: Option<(Keep, &'a Path)>,
}

/// Evaluates a program over tables.
pub(super) async fn evaluate(
    catalog: &Catalog,
    program: &Program,
    clock: &Clock,
    tables: &Tables,
    Wish { asked, limits, patterns, keep }: Wish<'_>,
    progress: Option<Arc<dyn Progress>>,
) -> Result<(Outcome, Arc<Meter>), Error> {
    let parts = lower(catalog, program, clock, asked);
    let context = session(tables, limits, Spills::Yes)?;
    let linked = linked(&context, catalog, tables, &parts).await?;
    let links = linked.as_ref().map(|held| &held.resolution);
    let decision = decide(&Facts::new(catalog, tables, &parts, links.is_some()), &parts.program, limits);
    // Values and erased customers are the kernel's.
    if decision.engine == Engine::Standard && asked.values == Values::None && tables.erased.is_empty() {
        let counters = Counters::new(0, 0);
        let start = |rows, files| {
            if let Some(progress) = &progress {
                progress.start(rows, 0, files);
            }
        };
        let work = sql::outcome((catalog, program, clock), tables, &parts, limits, &counters.meter, start);
        let done = told(work, &counters, progress.as_deref()).await;
        if let Some(progress) = &progress {
            progress.finish();
        }
        let mut outcome = match done {
            Ok(outcome) => outcome,
            Err(error) => return Err(blame(&context, tables, error).await),
        };
        if keep.is_some_and(|(keep, _)| keep == Keep::On) {
            outcome.kept = Kept::nothing(&parts, cache::STANDARD).told();
        }
        return Ok((outcome, counters.meter));
    }
    let passes = decision.passes;
    let mut kept = match keep.filter(|(keep, _)| *keep != Keep::Off) {
        None => Kept::default(),
        Some(_) if passes.at_once().is_some() => Kept::nothing(&parts, cache::CLUSTERED),
        Some((_, root)) => {
            let progress = progress.as_deref();
            let job = Job { catalog, program, clock, root, tables, parts: &parts, links, limits, asked, progress };
            cache::prepare(&job).await?
        }
    };
    let plans = Plans { catalog, tables, parts: &parts, links };
    let work = gather(&plans, &mut kept, passes, limits, patterns, progress.as_deref());
    let (gathered, counters, passes) = match work.await {
        Ok(done) => done,
        Err(error) => return Err(blame(&context, tables, error).await),
    };
    let since = Instant::now();
    let ran = Ran { catalog, tables, parts: &parts, counters: &counters, threads: threads(limits) };
    let mut outcome = gathered.finish(&ran)?;
    counters.meter.gathered(since.elapsed());
    outcome.passes = passes;
    outcome.report.identities = links.map(|links| links.report());
    outcome.kept = kept.told();
    Ok((outcome, Arc::clone(&counters.meter)))
}

/// The links of ids, when every look-up is found to be one.
pub(super) async fn linked(
    context: &SessionContext,
    catalog: &Catalog,
    tables: &Tables,
    parts: &Parts,
) -> Result<Option<identities::Held>, Error> {
    let read = async {
        for lookup in parts.lookups() {
            unique(context, catalog, tables, lookup).await?;
        }
        identities::read(context, catalog, tables).await
    };
    match read.await {
        Ok(linked) => Ok(linked),
        Err(error) => Err(blame(context, tables, error).await),
    }
}

/// The answers of all passes, what was counted, and how many passes there were; more than at first where memory was refused.
pub(super) async fn gather(
    plans: &Plans<'_>,
    kept: &mut Kept,
    mut passes: Passes,
    limits: Limits,
    patterns: Option<u32>,
    progress: Option<&dyn Progress>,
) -> Result<(Gathered, Arc<Counters>, usize), Error> {
    let Plans { catalog, tables, parts, links: _ } = plans;
    let (rows, bytes, files) = reading::to_read(catalog, tables, parts);
    loop {
        if let Some(progress) = progress {
            progress.start(rows, bytes, files);
        }
        // A run that starts again is measured anew.
        let meter = patterns.map_or_else(Meter::default, Meter::counting);
        let counters = Arc::new(Counters::new(parts.counters, catalog.events.len()).with(meter));
        let done = all_passes(plans, kept, &passes, limits, &counters, progress).await;
        if let Some(progress) = progress {
            progress.finish();
        }
        let error = match done {
            Ok(gathered) => return Ok((gathered, counters, passes.shares().len())),
            Err(error) => error,
        };
        // What is kept is never worth a run: whatever is wrong, once more without it.
        if !matches!(error, Error::Interrupted) && !is_limit(&error) && kept.is_used() {
            kept.doubt();
            continue;
        }
        let Some(more) = passes.more().filter(|_| is_limit(&error)) else { return Err(error) };
        passes = more;
        kept.in_passes();
    }
}

/// What the plans of all passes have in common.
pub(super) struct Plans<'a> {
    pub catalog: &'a Catalog,
    pub tables: &'a Tables,
    pub parts: &'a Parts,
    pub links: Option<&'a Arc<Resolution>>,
}

/// One pass after the other.
async fn all_passes(
    plans: &Plans<'_>,
    kept: &Kept,
    passes: &Passes,
    limits: Limits,
    counters: &Arc<Counters>,
    progress: Option<&dyn Progress>,
) -> Result<Gathered, Error> {
    if let Some(at_once) = passes.at_once() {
        let context = session(plans.tables, Limits { threads: Some(1), ..limits }, Spills::No)?;
        // Rows that a look-up is joined to keep their order, whichever of the two is larger.
        context.state_ref().write().config_mut().options_mut().optimizer.join_reordering = false;
        return super::passes::clustered(&context, plans, passes.shares(), at_once, counters, progress).await;
    }
    let context = session(plans.tables, limits, Spills::No)?;
    let mut gathered = Gathered::new(1 + plans.parts.earlier.len());
    kept.count(plans.parts, counters);
    if let (Some(whole), [Share::ALL]) = (kept.whole(), passes.shares()) {
        let (whole, meter, pool) = (Arc::clone(whole), Arc::clone(&counters.meter), context.runtime_env());
        let blocks = caught(async move { whole.blocks(threads(limits), &pool.memory_pool, &meter).await });
        return Ok(Gathered::of(told(blocks, counters, progress).await?));
    }
    let readers = context.state().config().target_partitions();
    for &share in passes.shares() {
        let Plans { catalog, tables, parts, links } = plans;
        let instead = kept.instead(share, readers).map_err(|e| translate(&e))?;
        let plan = build::plan(catalog, tables, parts, counters, *links, share, &instead).map_err(|e| translate(&e))?;
        if let Some(plan) = plan {
            gathered = drive(&context, plan, gathered, counters, progress).await?;
            counters.meter.passed();
        }
    }
    Ok(gathered)
}

/// Whether operators may write to temporary files where they are refused memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spills {
    Yes,
    /// Refusals are errors: more passes are cheaper than spilled logs.
    No,
}

/// How many threads a run may use.
pub(super) fn threads(limits: Limits) -> usize {
    limits.threads.or_else(|| std::thread::available_parallelism().ok().map(usize::from)).unwrap_or(1).max(1)
}

pub(super) fn session(tables: &Tables, limits: Limits, spills: Spills) -> Result<SessionContext, Error> {
    let mut config = SessionConfig::new()
        .with_target_partitions(threads(limits))
        .with_batch_size(limits.batch_rows.unwrap_or(8_192).max(1))
        .with_information_schema(false);
    let options = config.options_mut();
    // A look-up is held in memory once, not dealt out with the rows of the source.
    options.optimizer.hash_join_single_partition_threshold = usize::MAX;
    options.optimizer.hash_join_single_partition_threshold_rows = usize::MAX;
    let mut runtime = RuntimeEnvBuilder::new();
    if spills == Spills::No {
        runtime = runtime.with_disk_manager_builder(DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled));
    }
    if let Some(bytes) = limits.memory {
        runtime = runtime.with_memory_pool(Arc::new(super::memory::Limited::new(bytes)));
        // The reservation for merging spilled runs must fit the limit.
        options.execution.sort_spill_reservation_bytes = options.execution.sort_spill_reservation_bytes.min(bytes / 16);
    }
    let runtime = runtime.build_arc().map_err(|e| translate(&e))?;
    for (address, store) in tables.stores.iter() {
        if let Ok(url) = url::Url::parse(address) {
            runtime.register_object_store(&url, Arc::clone(store));
        }
    }
    Ok(SessionContext::new_with_config_rt(config, runtime))
}

/// A look-up has one row a key; anything else would multiply events.
async fn unique(context: &SessionContext, catalog: &Catalog, tables: &Tables, lookup: LookupId) -> Result<(), Error> {
    let plan = build::repeated_keys(catalog, tables, lookup).map_err(|e| translate(&e))?;
    let (Some(plan), Some(table)) = (plan, catalog.lookups.get(lookup.index())) else { return Ok(()) };
    let frame = context.execute_logical_plan(plan).await.map_err(|e| translate(&e))?;
    let batches = caught(frame.collect()).await?;
    let Some(batch) = batches.iter().find(|b| b.num_rows() > 0) else { return Ok(()) };
    let key = batch.column(0).as_string_view_opt().map_or(String::new(), |keys| keys.value(0).to_owned());
    let message = format!("look-up `{}`: several rows have the key `{key}` in `{}`", table.name.name, table.key);
    Err(Error::data(message).with_help("a look-up has one row a key; name another key, or clean the table"))
}

/// The engine does not say which file it could not read: reads them one by one to find out.
pub(super) async fn blame(context: &SessionContext, tables: &Tables, error: Error) -> Error {
    match &error {
        Error::Engine { .. } if !is_limit(&error) => {}
        _ => return error,
    }
    for (table, (name, file)) in tables.iter().flat_map(|table| table.each.iter().map(move |file| (table, file))) {
        let Ok(frame) = context.read_table(Arc::clone(file)) else { continue };
        let reading = caught(async move {
            let mut stream = frame.execute_stream().await?;
            while let Some(batch) = stream.next().await {
                batch?;
            }
            Ok(())
        });
        match reading.await {
            Ok(()) => {}
            Err(Error::Engine { message, .. }) => {
                return Error::data(format!("{name} is damaged: {}", innermost(&message))).with_help(
                    match table.clustered {
                        Some(_) => "`segue store compact --full` makes the store anew",
                        None => "write the file again, or take it out of the folder",
                    },
                );
            }
            Err(other) => return other,
        }
    }
    error
}

/// What a reader says of a file, without the names of the libraries that hand it on.
fn innermost(mut message: &str) -> &str {
    let names = ["Arrow error: ", "Parquet error: ", "Parquet argument error: ", "External error: ", "External: "];
    while let Some(inner) = names.iter().find_map(|name| message.strip_prefix(name)) {
        message = inner;
    }
    message
}

/// Awaits in a task, so that a panic is an error.
pub(super) async fn caught<T: Send + 'static>(
    work: impl Future<Output = Result<T, DataFusionError>> + Send + 'static,
) -> Result<T, Error> {
    let task = AbortOnDrop(tokio::spawn(work));
    let mut task = task;
    match (&mut task.0).await {
        Ok(done) => done.map_err(|e| translate(&e)),
        Err(stopped) if stopped.is_cancelled() => Err(Error::Interrupted),
        Err(_) => Err(Error::Engine {
            message: "a file could not be decoded".into(),
            help: Some("a Parquet file is damaged behind its footer; write it again".into()),
        }),
    }
}

/// Work ends with whoever waits for it.
struct AbortOnDrop<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn drive(
    context: &SessionContext,
    plan: LogicalPlan,
    mut gathered: Gathered,
    counters: &Arc<Counters>,
    progress: Option<&dyn Progress>,
) -> Result<Gathered, Error> {
    let state = context.state();
    let task: Arc<TaskContext> = context.task_ctx();
    let meter = Arc::clone(&counters.meter);
    let work = caught(async move {
        let physical = state.create_physical_plan(&plan).await?;
        meter.begin(&physical);
        let mut stream = execute_stream(Arc::clone(&physical), task)?;
        while let Some(batch) = stream.next().await {
            let batch = batch?;
            let since = Instant::now();
            meter.answered(gathered.take(batch.column(1))?);
            meter.gathered(since.elapsed());
        }
        meter.end(&physical);
        Ok(gathered)
    });
    told(work, counters, progress).await
}

/// Awaits work, and tells how far it is while it goes on.
pub(super) async fn told<T>(work: impl Future<Output = T>, counters: &Counters, progress: Option<&dyn Progress>) -> T {
    let Some(progress) = progress else { return work.await };
    let mut work = std::pin::pin!(work);
    let mut tick = tokio::time::interval(Duration::from_millis(100));
    loop {
        tokio::select! {
            done = &mut work => {
                progress.at(&so_far(counters));
                return done;
            }
            _ = tick.tick() => progress.at(&so_far(counters)),
        }
    }
}

fn so_far(counters: &Counters) -> SoFar {
    let totals = counters.meter.totals();
    let customers = counters.meter.customers();
    // What reads without the kernel's functions is counted by the scans alone.
    let rows = if counters.counts() { counters.rows() } else { totals.rows };
    SoFar { rows, bytes: totals.bytes, files: totals.files, customers }
}

const LIMIT: &str = "the memory limit is too small";

fn is_limit(error: &Error) -> bool {
    matches!(error, Error::Engine { message, .. } if message.starts_with(LIMIT))
}

/// An error of ours that went through DataFusion, or DataFusion's own in our words.
pub(crate) fn translate(error: &DataFusionError) -> Error {
    let root = error.find_root();
    match root {
        DataFusionError::External(inner) => match inner.downcast_ref::<Error>() {
            Some(ours) => {
                let again = Error::data(ours.to_string());
                match ours.help() {
                    Some(help) => again.with_help(help),
                    None => again,
                }
            }
            None => match tables::remote::of_a_store(&**inner) {
                Some(why) => tables::remote::trouble("a file could not be read to its end", why),
                None => Error::Engine { message: inner.to_string(), help: None },
            },
        },
        DataFusionError::ResourcesExhausted(why) => Error::Engine {
            message: format!("{LIMIT}: {}", why.lines().next().unwrap_or_default()),
            help: Some("raise the limit, or use fewer threads".into()),
        },
        DataFusionError::ParquetError(why) => match tables::remote::of_a_store(&**why) {
            Some(why) => tables::remote::trouble("a file could not be read to its end", why),
            None => Error::Engine { message: why.to_string(), help: None },
        },
        DataFusionError::ObjectStore(why) => match tables::remote::of_a_store(&**why) {
            Some(why) => tables::remote::trouble("a file could not be read to its end", why),
            None => Error::Engine { message: why.to_string(), help: None },
        },
        other => {
            Error::Engine { message: other.strip_backtrace().lines().next().unwrap_or_default().into(), help: None }
        }
    }
}
