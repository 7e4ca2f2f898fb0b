//! `segue run`: the audiences of a project.

use std::path::PathBuf;

use clap::ValueEnum;

#[cfg(not(feature = "engine"))]
use super::asked::Shown;
use super::asked::{Asked, Limits, prepare};
use super::output::{Failure, Form, Out};
use super::{Exit, Global};

#[cfg(feature = "engine")]
pub(super) mod campaigns;
#[cfg(feature = "engine")]
mod work;
#[cfg(feature = "engine")]
pub(super) use work::{block_on, drive, or_interrupted};

/// Evaluate the rules, decide the campaigns that are due, show it and publish it
#[derive(Debug, clap::Args)]
#[cfg_attr(not(feature = "engine"), allow(dead_code))]
#[command(after_help = "\
Examples:
  segue run examples/cosmetics
  segue run --as-of 2026-11-21 --only winback
  segue run --rule 'purchased anti-aging ≥ 3 in 90d' --limit 20
  segue run --write parquet,csv --output out/monday
  segue run --format json | jq '.audiences[].size'

In a project with a `store`, a run decides what is due since the last one and publishes it: audiences,
who is contacted and why the others are not. Once more as of the same instant does nothing.
`--no-write`, `--only` and `--rule` only look. Without a store, audiences are written as files.

Built with the feature `cloud`, the catalog's paths may be s3://bucket/…; access comes from
AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL, AWS_ALLOW_HTTP.

Exit code: 0 done · 2 wrong call · 3 the project has errors · 4 files, data or engine · 5 refused: by an audit, by another run at work, or since a later instant was decided · 130 interrupted")]
pub struct Args {
    #[command(flatten)]
    asked: Asked,
    /// Show the first N customer ids of each audience.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    #[arg(long, value_name = "FORM", default_value = "text")]
    format: Form,
    /// What becomes of instants of campaigns at which no run decided.
    #[arg(long, value_name = "WHICH", default_value = "last")]
    catch_up: CatchUp,
    /// Where decisions are kept: a folder, or s3://…; otherwise the project's `store`.
    #[arg(long, value_name = "ADDRESS")]
    store: Option<String>,
    /// The kinds of files to write, separated by commas; parquet where a project without a store says nothing.
    #[arg(long, value_name = "KINDS", value_delimiter = ',', conflicts_with_all = ["no_write", "rule"])]
    write: Option<Vec<FileKind>>,
    /// Look only, at the as-of instant: write no files and publish nothing. `segue plan` shows all that a run would publish, missed
    /// instants included.
    #[arg(long)]
    no_write: bool,
    /// Where the files go; otherwise the project's `output`.
    #[arg(long, short = 'o', value_name = "DIR", conflicts_with_all = ["no_write", "rule"])]
    output: Option<PathBuf>,
    /// Count the population also where no rule depends on it; every row is read for that.
    #[arg(long)]
    population: bool,
    #[command(flatten)]
    limits: Limits,
    /// Keep in the project's `.segue/cache` what later runs of the same rules need not read again, and use what earlier ones kept.
    #[arg(long, conflicts_with = "rule")]
    cache: bool,
}

/// What becomes of missed instants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum CatchUp {
    /// Those of earlier days are gone.
    None,
    /// The newest of each campaign is decided.
    Last,
    /// All are decided, in order.
    All,
}

#[cfg(feature = "engine")]
impl CatchUp {
    pub(in crate::cli) fn of(self) -> crate::audience::schedule::CatchUp {
        use crate::audience::schedule;
        match self {
            CatchUp::None => schedule::CatchUp::None,
            CatchUp::Last => schedule::CatchUp::Last,
            CatchUp::All => schedule::CatchUp::All,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FileKind {
    Parquet,
    Csv,
    Jsonl,
}

#[cfg(feature = "engine")]
impl Args {
    /// The kinds of files to write.
    fn kinds(&self) -> impl Iterator<Item = FileKind> + '_ {
        self.write.as_deref().unwrap_or(&[FileKind::Parquet]).iter().copied()
    }
}

#[cfg(feature = "engine")]
pub fn run(args: &Args, global: &Global, out: &Out) -> Result<Exit, Failure> {
    super::interrupt::watch();
    match prepare(&args.asked, "run", global, out)? {
        Some(prepared) => work::run(args, &prepared, out),
        None => Ok(Exit::Project),
    }
}

#[cfg(not(feature = "engine"))]
pub fn run(args: &Args, global: &Global, out: &Out) -> Result<Exit, Failure> {
    // What can be said without the engine is said first: a broken project is the same answer in every build.
    let Some(prepared) = prepare(&args.asked, "run", global, out)? else { return Ok(Exit::Project) };
    let _ = (prepared.project.root, prepared.program.rules, prepared.clock);
    for Shown::Rule(at) | Shown::Stages(at) in prepared.shown {
        let _ = at;
    }
    Err(super::output::no_engine("run"))
}
