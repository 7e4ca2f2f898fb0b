//! A run with the engine: evaluate, write, show.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::super::asked::{Prepared, Shown};
use super::super::output::{Failure, Out, plural};
use super::super::{Exit, interrupt, moment, notices, progress, show};
use super::{Args, FileKind, Format};
use crate::engine::{self, Again, Keep, OfSource, Outcome, Request, write};
use crate::error::Error;

pub(super) fn run(args: &Args, prepared: &Prepared, out: &Out) -> Result<Exit, Failure> {
    let folder = folder(args, prepared);
    if let Some(folder) = &folder {
        let name = |shown: &Shown| match *shown {
            Shown::Rule(rule) => Some(prepared.program.rules.get(rule)?.name.as_str()),
            Shown::Stages(stages) => Some(prepared.program.stages.get(stages)?.name.as_str()),
        };
        let files = |name: &str| args.write.iter().map(|kind| kind.kind().file(name)).collect::<Vec<_>>();
        let names: Vec<String> = prepared.shown.iter().filter_map(name).flat_map(files).collect();
        write::apart(&prepared.project.catalog, &prepared.project.root, folder, &names)?;
    }
    let outcome = evaluate(args, prepared, out)?;
    let writing = progress::stage(out, "writing");
    let files = match &folder {
        Some(folder) => files(args, prepared, &outcome, folder)?,
        None => Vec::new(),
    };
    writing.finish_and_clear();
    let shown = shown(args, prepared, &outcome, &files);
    match args.format {
        Format::Table => {
            for notice in &shown.notices {
                out.note(&format!("note: {notice}"));
            }
            out.print(&show::table(&shown, out.table_width()))?;
            if let Some(folder) = files.first().and_then(|f| f.parent()) {
                out.note(&format!("\nwrote {} to `{}`", plural(files.len(), "file"), folder.display()));
            }
        }
        Format::Json => out.print(&format!("{:#}\n", show::json(&shown)))?,
    }
    Ok(Exit::Ok)
}

fn evaluate(args: &Args, prepared: &Prepared, out: &Out) -> Result<Outcome, Failure> {
    let request = Request {
        catalog: &prepared.project.catalog,
        program: &prepared.program,
        clock: &prepared.clock,
        root: &prepared.project.root,
        population: args.population,
        keep: if args.cache { Keep::On } else { Keep::Off },
        history: None,
        limits: args.limits.of(&prepared.project),
        progress: progress::of_run(out),
    };
    let outcome = block_on(args.limits.threads, engine::run(request))?;
    outcome.kept.notes.iter().for_each(|note| out.note(&format!("note: {note}")));
    if args.cache && args.format == Format::Table {
        outcome.kept.sources.iter().for_each(|source| out.note(&format!("cache: {}", used(source))));
        outcome.kept.again.iter().for_each(|again| out.note(&format!("cache: {}", answered(*again))));
    }
    Ok(outcome)
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
    // Nothing that is driven here leaves anything behind; whoever writes, writes afterwards.
    let expendable = interrupt::expendable();
    let done = runtime.block_on(async {
        tokio::select! {
            biased;
            () = interrupt::interrupted() => Err(Error::Interrupted),
            done = work => done,
        }
    });
    match done {
        // What still runs may take its temporary files with it, if that is soon done.
        Err(Error::Interrupted) => runtime.shutdown_timeout(Duration::from_millis(500)),
        _ => runtime.shutdown_background(),
    }
    drop(expendable);
    Ok(done?)
}

/// Where audiences are written, if they are.
fn folder(args: &Args, prepared: &Prepared) -> Option<PathBuf> {
    if args.no_write || args.asked.rule.is_some() || prepared.shown.is_empty() {
        return None;
    }
    let own = || prepared.project.root.join(Path::new(&prepared.project.file.output.name));
    Some(args.output.clone().unwrap_or_else(own))
}

/// Writes the audiences, each in every kind that was asked for.
fn files(args: &Args, prepared: &Prepared, outcome: &Outcome, folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let kinds: Vec<write::Kind> = args.write.iter().map(|kind| kind.kind()).collect();
    let program = &prepared.program;
    let audience = |shown: &Shown| match *shown {
        Shown::Rule(rule) => {
            let meaning = program.rules.get(rule)?;
            let who = match program.campaign(meaning) {
                Some(campaign) => write::Who::Campaign { rule, arm: show::arms(campaign) },
                None => write::Who::Rule(rule),
            };
            Some(write::Audience { name: &meaning.name, who })
        }
        Shown::Stages(stages) => {
            let stages = program.stages.get(stages)?;
            let lines = stages.lines.iter().map(|line| (line.stage.as_str(), line.rule.0 as usize));
            Some(write::Audience { name: &stages.name, who: write::Who::Stages(lines.collect()) })
        }
    };
    let audiences: Vec<write::Audience> = prepared.shown.iter().filter_map(audience).collect();
    let output = write::Output { folder, kinds: &kinds, whole: args.asked.only.is_empty(), stop: &interrupt::watch() };
    Ok(write::write(outcome, &audiences, &output)?)
}

fn shown<'a>(args: &Args, prepared: &'a Prepared, outcome: &Outcome, files: &[PathBuf]) -> show::Shown<'a> {
    let mut files = files.chunks(args.write.len().max(1));
    let customers = |rule: usize| args.limit.map(|limit| first(outcome, rule, limit));
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

/// The first members, in the order of ids.
fn first(outcome: &Outcome, rule: usize, limit: usize) -> Vec<String> {
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
