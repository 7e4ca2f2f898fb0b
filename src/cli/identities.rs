//! `segue identities`: which ids are one customer, and why.

use super::output::{Failure, Form, Out};
use super::{Exit, Global};

#[cfg(feature = "engine")]
mod show;
#[cfg(feature = "engine")]
mod work;

/// Show which ids are one customer: merges, conflicts and orphans, or how one id was resolved
#[derive(Debug, clap::Args)]
#[cfg_attr(not(feature = "engine"), allow(dead_code))]
#[command(after_help = "\
Examples:
  segue identities                merges, chains, conflicts, orphans of all ids
  segue identities c-4711         who that is, link by link
  segue identities -- -17         an id that begins with a hyphen
  segue identities --limit 100 --format json | jq '.conflicts.ids[]'

Exit code: 0 done · 1 a conflict that the catalog calls an error · 2 wrong call or no such id
3 the project has errors · 4 files, data (such as a loop of links) or engine · 130 interrupted")]
pub struct Args {
    /// The id to explain, as the files have it; a report on all ids where unsaid.
    id: Option<String>,
    /// So many of each kind are named; all are counted.
    #[arg(long, value_name = "N", default_value_t = 10)]
    limit: usize,
    #[arg(long, value_name = "FORM", default_value = "text")]
    format: Form,
    /// Worker threads; otherwise one a processor.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
}

#[cfg(feature = "engine")]
pub fn run(args: &Args, global: &Global, out: &Out) -> Result<Exit, Failure> {
    work::run(args, global, out)
}

#[cfg(not(feature = "engine"))]
pub fn run(_: &Args, global: &Global, out: &Out) -> Result<Exit, Failure> {
    // A broken project is the same answer in every build.
    let mut project = super::workspace::load(None, global)?;
    let found = project.check(None).diagnostics;
    if super::workspace::complain(&project.sources, &found, out) {
        return Ok(Exit::Project);
    }
    Err(super::output::no_engine("identities"))
}
