//! `segue store`: event files rewritten for speed.

use std::path::PathBuf;

use clap::Subcommand;

use super::asked::parse_size;
use super::output::{Failure, Form, Out};
use super::{Exit, Global};

#[cfg(feature = "engine")]
mod work;

/// Rewrite event files clustered by customer, and check such stores
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A compacted store holds all rows and columns of a source in other files: customers are dealt to
4,096 buckets by a published hash of their id, each file holds a range of buckets, sorted by
customer and time. Runs over it go customer by customer, sooner and in little memory. Point the
catalog's `path` at it to use it; the original files stay as they are.

Exit code: see the verbs below")]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Compact(CompactArgs),
    Check(CheckArgs),
}

/// Rewrite the files of one or all sources into a store
#[derive(Debug, clap::Args)]
#[cfg_attr(not(feature = "engine"), allow(dead_code))]
#[command(after_help = "\
Examples:
  segue store compact --to /data/compacted
  segue store compact --source events --to /data/compacted --memory-limit 512MB
  segue store compact --from data/events --to /data/compacted    (the catalog names the store)

Each source's store is a folder of its name in DIR; name that folder in the catalog to use it.
Stopped at any moment (Ctrl-C, kill, a full disk), the same call goes on where it was, and ends
in the same bytes. Called again, it adds the files that have come since as a further part of the
store; files that were rewritten or are gone make it refuse, and `--full` rewrites the whole
store, which is worth its while after many parts too. Local files only; a store may be copied to
an object store as it is.

Where the catalog links identities, or ids are numbers in one table and text in another than
before, a store is read like any files.

Exit code: 0 done, or nothing new · 2 wrong call · 3 the project has errors · 4 files or data
5 refused · 130 interrupted")]
struct CompactArgs {
    /// The project's folder or its segue.yaml.
    path: Option<PathBuf>,
    /// Only this source of the catalog.
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// The original files (a folder, glob or file as in the catalog), where the catalog names others.
    #[arg(long, value_name = "PATH")]
    from: Option<String>,
    /// The folder of the stores, outside of the sources' own folders.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// Files a part, a power of two; a run holds one file's customers a thread.
    #[arg(long, value_name = "N", default_value_t = 64)]
    buckets: u32,
    /// Rewrite everything, not only new files.
    #[arg(long)]
    full: bool,
    /// Worker threads; otherwise one a processor.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// How much memory to take (512MB, 4GiB); otherwise the project's `memory_limit`, else 1 GiB.
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    memory_limit: Option<u64>,
    #[arg(long, value_name = "FORM", default_value = "text")]
    format: Form,
}

/// Read a store to its end and compare it with what its files declare
#[derive(Debug, clap::Args)]
#[cfg_attr(not(feature = "engine"), allow(dead_code))]
#[command(after_help = "\
Examples:
  segue store check /data/compacted
  segue store check shop --format json

Checksums, rows, the bucket of every customer, the order of rows, missing and unknown files.

Exit code: 0 sound · 1 something is wrong · 2 wrong call · 3 the project has errors
4 no store there · 130 interrupted")]
struct CheckArgs {
    /// A store, a folder of stores, or a project whose catalog names stores; otherwise the project here.
    path: Option<PathBuf>,
    /// Worker threads; otherwise one a processor.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    #[arg(long, value_name = "FORM", default_value = "text")]
    format: Form,
}

#[cfg(feature = "engine")]
pub fn run(args: &Args, global: &Global, out: &Out) -> Result<Exit, Failure> {
    match &args.verb {
        Verb::Compact(args) => work::compact(args, global, out),
        Verb::Check(args) => work::check(args, global, out),
    }
}

#[cfg(not(feature = "engine"))]
pub fn run(args: &Args, global: &Global, out: &Out) -> Result<Exit, Failure> {
    // A broken project is the same answer in every build.
    if let Verb::Compact(args) = &args.verb {
        let mut project = super::workspace::load(args.path.as_deref(), global)?;
        let found = project.check(None).diagnostics;
        if super::workspace::complain(&project.sources, &found, out) {
            return Ok(Exit::Project);
        }
    }
    Err(super::output::no_engine("store"))
}
