//! A run with the engine: evaluate, write, show.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::super::asked::{Prepared, Shown};
use super::super::output::{Failure, Form, Out, plural};
use super::super::{Exit, interrupt, keeper, moment, notices, progress, show};
use super::{Args, FileKind, campaigns};
use crate::audience::campaign::Verdict;
use crate::audience::store::{Kind, Manifest, Store};
use crate::audience::turn::{self, Base, Job, Summary, Then, Turn, turns};
use crate::engine::{Again, Keep, OfSource, Outcome, write};
use crate::error::Error;
use crate::language::calendar::Clock;
use crate::language::ir::Campaign;

/// What a run did.
struct Ran {
    /// The turn at the as-of instant; `None` where that was decided before.
    turn: Option<Turn>,
    /// Of every turn, the as-of instant's last.
    summaries: Vec<Summary>,
    /// What was published, now or when that instant was decided before.
    versions: Vec<Arc<Manifest>>,
    /// Now.
    anew: bool,
}

pub(super) fn run(args: &Args, prepared: &Prepared, out: &Out) -> Result<Exit, Failure> {
    let store = keeper::store(args.store.as_deref(), &prepared.project)?;
    let publishes = store.is_some() && !args.no_write && args.asked.only.is_empty() && args.asked.rule.is_none();
    let folder = folder(args, prepared, store.is_some());
    if let Some(folder) = &folder {
        let files = |name: &str| args.kinds().map(|kind| kind.kind().file(name)).collect::<Vec<_>>();
        let names = prepared.shown.iter().filter_map(|shown| shown.name(&prepared.program));
        let names: Vec<String> = names.flat_map(files).collect();
        write::apart(&prepared.project.catalog, &prepared.project.root, folder, &names)?;
    }
    let forgets = |campaign: &Campaign| campaign.at_most.is_some() || campaign.budget.is_some();
    let program = &prepared.program;
    if store.is_none() && (!program.policies.is_empty() || program.campaigns.iter().any(forgets)) {
        out.note("note: without a `store` in `segue.yaml` nothing is remembered: `at most`, `policy` and `budget` hold within this run only");
    }
    let ran = match (&store, publishes) {
        (Some(store), true) => publish(args, prepared, store, out)?,
        _ => look(args, prepared, store.as_ref(), out)?,
    };
    // The same instant again is the same run: it is shown once more, and what was published stays.
    let ran = match ran.turn {
        Some(_) => ran,
        None => Ran { versions: ran.versions, anew: false, ..look(args, prepared, store.as_ref(), out)? },
    };
    let Some(turn) = &ran.turn else { return Ok(Exit::Ok) };
    told(args, &turn.outcome, out);
    // Said before anything else can go wrong.
    for version in &ran.versions {
        let address = store.as_ref().map_or("", |store| store.address());
        let (is, n) = (if ran.anew { "published" } else { "was published before" }, version.version);
        out.note(&format!("{is} in `{address}`: version {n}"));
    }
    let writing = progress::stage(out, "writing");
    let files = match &folder {
        Some(folder) => {
            let standing = match &store {
                Some(store) if !ran.versions.is_empty() => {
                    block_on(args.limits.threads, turn::standing(&prepared.program, store))?
                }
                _ => turn::Standing::new(),
            };
            files(args, prepared, turn, &standing, folder, out)?
        }
        None => Vec::new(),
    };
    writing.finish_and_clear();
    let shown = shown(args, prepared, turn, &files);
    // The campaigns that nobody asked about were decided only since they take places.
    let asked = |name: &str| prepared.shown.iter().any(|shown| shown.name(&prepared.program) == Some(name));
    let mut summaries = ran.summaries;
    summaries.iter_mut().for_each(|summary| summary.campaigns.retain(|campaign| asked(&campaign.name)));
    match args.format {
        Form::Text => {
            for notice in &shown.notices {
                out.note(&format!("note: {notice}"));
            }
            out.print(&show::table(&shown, out.table_width()))?;
            for summary in summaries.iter().filter(|summary| !summary.campaigns.is_empty()) {
                let at = Clock { as_of: summary.at, zone: prepared.clock.zone.clone() };
                out.print(&format!("\ncampaigns at {}\n\n", moment::shown(&at)))?;
                out.print(&campaigns::table(summary, out.table_width()))?;
            }
            if let Some(folder) = files.first().and_then(|f| f.parent()) {
                out.note(&format!("\nwrote {} to `{}`", plural(files.len(), "file"), folder.display()));
            }
        }
        Form::Json => {
            let mut json = show::json(&shown);
            if let Some(object) = json.as_object_mut() {
                let at = |summary: &Summary| {
                    let at = Clock { as_of: summary.at, zone: prepared.clock.zone.clone() };
                    serde_json::json!({ "at": moment::shown(&at), "campaigns": campaigns::json(summary) })
                };
                object.insert("decisions".to_owned(), summaries.iter().map(at).collect());
                let version = |v: &Arc<Manifest>| serde_json::json!({ "version": v.version, "sha256": v.sha256 });
                object.insert("published".to_owned(), ran.versions.iter().map(version).collect());
            }
            out.print(&format!("{json:#}\n"))?;
        }
    }
    Ok(Exit::Ok)
}

fn job<'a>(args: &Args, prepared: &'a Prepared, out: &Out) -> Job<'a> {
    Job {
        project: &prepared.project,
        program: &prepared.program,
        keep: if args.cache { Keep::On } else { Keep::Off },
        limits: args.limits.of(&prepared.project),
        population: args.population,
        progress: progress::of_run(out),
    }
}

/// Decides what is due, and publishes it.
fn publish(args: &Args, prepared: &Prepared, store: &Store, out: &Out) -> Result<Ran, Failure> {
    moment::in_time(&prepared.clock)?;
    let job = job(args, prepared, out);
    let work = async {
        let mut done = turns(&job, store, &prepared.clock, args.catch_up.of(), Then::Publish).await?;
        if done.last.is_none() {
            let chain = store.chain().await?;
            let is = |v: &&Arc<Manifest>| v.draft.as_of == prepared.clock.as_of && v.draft.kind == Kind::Run;
            done.versions = chain.versions().iter().filter(is).cloned().collect();
        }
        Ok(done)
    };
    let done = keeper::locked(args.limits.threads, store, "run", work)?;
    Ok(Ran { turn: done.last, summaries: done.summaries, versions: done.versions, anew: true })
}

/// Evaluates at the as-of instant, with what was published before, and leaves nothing behind.
fn look(args: &Args, prepared: &Prepared, store: Option<&Store>, out: &Out) -> Result<Ran, Failure> {
    let job = job(args, prepared, out);
    let work = async {
        let base = match store {
            Some(store) => Base::of(store, &prepared.project).await?,
            None => Base::default(),
        };
        turn::at(&job, &prepared.clock, store.map(|store| (store, &base))).await
    };
    let (turn, summary) = block_on(args.limits.threads, work)?;
    Ok(Ran { turn: Some(turn), summaries: vec![summary], versions: Vec::new(), anew: false })
}

/// What there is to say of what earlier runs kept.
fn told(args: &Args, outcome: &Outcome, out: &Out) {
    outcome.kept.notes.iter().for_each(|note| out.note(&format!("note: {note}")));
    if args.cache && args.format == Form::Text {
        outcome.kept.sources.iter().for_each(|source| out.note(&format!("cache: {}", used(source))));
        outcome.kept.again.iter().for_each(|again| out.note(&format!("cache: {}", answered(*again))));
    }
}

/// `activity: 398 files were not read again, 2 files were read`
fn used(source: &OfSource) -> String {
    let OfSource { name, held, added, read, why } = source;
    let files = |n: u64| plural(usize::try_from(n).unwrap_or(usize::MAX), "file");
    match why {
        Some(why) => format!("{name}: read in every run, for {why}"),
        None => format!("{name}: {} kept by earlier runs, {} read", files(held.files), files(added.files + read.files)),
    }
}

/// `120 customers were evaluated again, 1,880 answers are of an earlier run`
fn answered(Again { evaluated, as_before }: Again) -> String {
    let count = |n: u64, what: &str| plural(usize::try_from(n).unwrap_or(usize::MAX), what);
    let (was, are) = (if evaluated == 1 { "was" } else { "were" }, if as_before == 1 { "is" } else { "are" });
    let (evaluated, answers) = (count(evaluated, "customer"), count(as_before, "answer"));
    format!("{evaluated} {was} evaluated again, {answers} {are} of an earlier run")
}

/// The name of the engine's threads.
const WORKER: &str = "segue-worker";

/// A decoder that panics on a damaged file is caught and told as an error that names the file; the runtime's own words about it
/// would only hide that. They are kept for `RUST_BACKTRACE`, and on every other thread.
fn quiet_workers() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        let backtrace = std::env::var_os("RUST_BACKTRACE").is_some_and(|v| v != "0");
        std::panic::set_hook(Box::new(move |info| {
            if backtrace || std::thread::current().name() != Some(WORKER) {
                before(info);
            } else {
                tracing::debug!("{info}");
            }
        }));
    });
}

/// Drives a future to its end, or until the user interrupts.
pub(in crate::cli) fn block_on<T>(
    threads: Option<u16>,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Failure> {
    drive(threads, or_interrupted(work))
}

/// What comes of work, or that the user interrupted it.
pub(in crate::cli) async fn or_interrupted<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    tokio::select! {
        biased;
        () = interrupt::interrupted() => Err(Error::Interrupted),
        done = work => done,
    }
}

/// Drives a future to its end; it looks for interruptions by itself.
pub(in crate::cli) fn drive<T>(
    threads: Option<u16>,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Failure> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    if let Some(threads) = threads {
        builder.worker_threads(usize::from(threads));
    }
    quiet_workers();
    let runtime = builder
        .thread_name(WORKER)
        .enable_all()
        .build()
        .map_err(|why| Error::Engine { message: format!("no threads: {why}"), help: None })?;
    // Nothing that is driven here leaves anything behind that is half done: a version is published in one step.
    let expendable = interrupt::expendable();
    let done = runtime.block_on(work);
    match done {
        // What still runs may take its temporary files with it, if that is soon done.
        Err(Error::Interrupted) => runtime.shutdown_timeout(Duration::from_millis(500)),
        _ => runtime.shutdown_background(),
    }
    drop(expendable);
    Ok(done?)
}

/// Where audiences are written, if they are.
fn folder(args: &Args, prepared: &Prepared, keeps: bool) -> Option<PathBuf> {
    // What is published is in the store; files beside it are written where they were asked for.
    let unasked = keeps && args.output.is_none() && args.write.is_none();
    if unasked || args.no_write || args.asked.rule.is_some() || prepared.shown.is_empty() {
        return None;
    }
    let own = || prepared.project.root.join(Path::new(&prepared.project.file.output.name));
    Some(args.output.clone().unwrap_or_else(own))
}

/// Writes the audiences, each in every kind that was asked for; campaigns as they stand, where that is known.
fn files(
    args: &Args,
    prepared: &Prepared,
    turn: &Turn,
    standing: &turn::Standing,
    folder: &Path,
    out: &Out,
) -> Result<Vec<PathBuf>, Failure> {
    let kinds: Vec<write::Kind> = args.kinds().map(|kind| kind.kind()).collect();
    let program = &prepared.program;
    let job = job(args, prepared, out);
    let audience = |shown: &Shown| match *shown {
        Shown::Rule(rule) => {
            let name = &program.rules.get(rule)?.name;
            let who = match standing.get(&rule).map(|rows| Ok(rows.clone())).or_else(|| turn.campaign(&job, rule)) {
                Some(rows) => rows.map(write::Who::Rows),
                None => Ok(write::Who::Rule(rule)),
            };
            Some(who.map(|who| write::Audience { name, who }))
        }
        Shown::Stages(stages) => {
            let stages = program.stages.get(stages)?;
            let lines = stages.lines.iter().map(|line| (line.stage.as_str(), line.rule.0 as usize));
            Some(Ok(write::Audience { name: &stages.name, who: write::Who::Stages(lines.collect()) }))
        }
    };
    let audiences = prepared.shown.iter().filter_map(audience).collect::<Result<Vec<_>, Error>>()?;
    let output = write::Output { folder, kinds: &kinds, whole: args.asked.only.is_empty(), stop: &interrupt::watch() };
    Ok(write::write(&turn.outcome, &audiences, &output)?)
}

fn shown<'a>(args: &Args, prepared: &'a Prepared, turn: &Turn, files: &[PathBuf]) -> show::Shown<'a> {
    let outcome = &turn.outcome;
    let mut files = files.chunks(args.kinds().count().max(1));
    let customers = |rule: usize| args.limit.map(|limit| first(prepared, turn, rule, limit));
    let audience = |shown: &Shown| {
        let (of, size) = match *shown {
            Shown::Rule(rule) => {
                let meaning = prepared.program.rules.get(rule)?;
                (
                    show::Of::Rule {
                        rule: meaning,
                        campaign: prepared.program.campaign(meaning),
                        customers: customers(rule),
                    },
                    outcome.size(rule),
                )
            }
            Shown::Stages(stages) => {
                let stages = prepared.program.stages.get(stages)?;
                let lines = stages.lines.iter().map(|line| {
                    let rule = line.rule.0 as usize;
                    show::Stage { name: &line.stage, size: outcome.size(rule), customers: customers(rule) }
                });
                let lines: Vec<show::Stage> = lines.collect();
                // A customer is in one stage at most.
                let size = lines.iter().map(|line| line.size).sum();
                (show::Of::Stages { stages, lines }, size)
            }
        };
        let files = files.next().unwrap_or(&[]).iter().map(|f| f.display().to_string()).collect();
        Some(show::Audience { of, size, files })
    };
    let audiences = prepared.shown.iter().filter_map(audience);
    show::Shown {
        project: &prepared.project.file.name.name,
        as_of: moment::shown(&prepared.clock),
        zone: &prepared.project.file.timezone,
        population: outcome.population(),
        audiences: audiences.collect(),
        notices: notices::notices(&outcome.report, &prepared.project.catalog),
    }
}

/// The first members, in the order of ids; of a campaign, the first who are contacted.
fn first(prepared: &Prepared, turn: &Turn, rule: usize, limit: usize) -> Vec<String> {
    let outcome = &turn.outcome;
    let campaign = prepared.program.campaigns.iter().position(|campaign| campaign.rule.0 as usize == rule);
    if let Some(campaign) = campaign {
        let decided = turn.decisions.campaigns.iter().filter(|decided| decided.campaign == campaign);
        let sent = decided.flat_map(|decided| decided.pairs()).filter(|(_, v)| matches!(v, Verdict::Sent { .. }));
        return sent.take(limit).map(|(row, _)| outcome.customer(row as usize)).collect();
    }
    let Some(members) = outcome.members.get(rule) else { return Vec::new() };
    members.set_indices().take(limit).map(|row| outcome.customer(row)).collect()
}

impl FileKind {
    fn kind(self) -> write::Kind {
        match self {
            FileKind::Parquet => write::Kind::Parquet,
            FileKind::Csv => write::Kind::Csv,
            FileKind::Jsonl => write::Kind::Jsonl,
        }
    }
}
