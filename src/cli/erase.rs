//! `segue erase`: take a person out of everything that Segue keeps.

use std::path::PathBuf;

use super::output::{Failure, Form, Out};
use super::{Exit, Global};

#[cfg(feature = "engine")]
mod work;

/// Take persons out of all that was published and kept, and out of every later run
#[derive(Debug, clap::Args)]
#[cfg_attr(not(feature = "engine"), allow(dead_code))]
#[command(after_help = "\
Examples:
  segue erase c-4711 --dry-run        what would be taken out, and who was told
  segue erase c-4711 cookie-17
  segue erase --file asked.txt --format json

Every id stands for the customer and all ids that are linked to him. They are entered as hashes in the
project's file of erased ids: no later run has them. All versions of the store of results are rewritten
without them, dead letters, reports, the cache and files in `output` too; then everything is searched, and a
receipt is kept and printed. Called again after it broke off, it completes.

Not Segue's, and to be erased there: the files of events, profiles, lists and links; compacted stores
(compact anew with `--full`); backups and old versions of a bucket. Destinations that were told of the
person are named, and must be told.

Exit code: 0 nothing is left · 2 wrong call · 3 the catalog has errors · 4 files or store, or something is left
5 refused: a run is at work · 130 interrupted")]
pub struct Args {
    /// Ids, as the files have them.
    #[arg(required_unless_present = "file")]
    ids: Vec<String>,
    /// A file of ids, one a line; empty lines and those that begin with `#` are none.
    #[arg(long, value_name = "IDS")]
    file: Option<PathBuf>,
    /// Change nothing; say what would be taken out.
    #[arg(long)]
    dry_run: bool,
    /// Where decisions are kept; otherwise the project's `store`.
    #[arg(long, value_name = "ADDRESS")]
    store: Option<String>,
    #[arg(long, value_name = "FORM", default_value = "text")]
    format: Form,
}

#[cfg(feature = "engine")]
pub fn run(args: &Args, global: &Global, out: &Out) -> Result<Exit, Failure> {
    work::run(args, global, out)
}

#[cfg(not(feature = "engine"))]
pub fn run(_: &Args, _: &Global, _: &Out) -> Result<Exit, Failure> {
    Err(super::output::no_engine("erase"))
}
