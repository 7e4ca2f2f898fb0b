//! `segue plan`: what a run would do.

use clap::ValueEnum;

use super::asked::{Asked, Limits, prepare};
use super::output::{Failure, Out};
use super::{Exit, Global};

#[cfg(feature = "engine")]
mod analysis;
#[cfg(feature = "engine")]
mod json;
#[cfg(feature = "engine")]
mod show;
#[cfg(feature = "engine")]
mod work;

/// Show what a run would read and compute, what its rules share and what each costs
#[derive(Debug, clap::Args)]
#[cfg_attr(not(feature = "engine"), allow(dead_code))]
#[command(after_help = "\
Examples:
  segue plan                          tables, shared terms, rules
  segue plan --only winback           one rule and what it needs
  segue plan --rule 'purchased ≥ 3 in 90d'
  segue plan --analyze                run it, and measure what each rule takes; nothing is written
  segue plan --sql > plan.sql         the rules as SQL, for DuckDB and others
  segue plan --format json | jq '.terms[] | select(.rules | length > 5)'

Nothing is read but the footers of the files, unless `--analyze` says so.

Exit code: 0 done · 1 `--sql` can't say every rule · 2 wrong call · 3 the project has errors · 4 files, data or engine · 130 interrupted")]
pub struct Args {
    #[command(flatten)]
    asked: Asked,
    /// Run it as well, write nothing, and show what was measured.
    #[arg(long)]
    analyze: bool,
    /// The rules as SQL with standard aggregates over the raw tables, for other engines; what SQL can't say is named with its reason.
    #[arg(long, conflicts_with_all = ["analyze", "all", "format"])]
    sql: bool,
    /// All terms and rules; otherwise the table is cut after twenty of each. JSON has everything.
    #[arg(long)]
    all: bool,
    #[arg(long, value_name = "FORM", default_value = "table")]
    format: Format,
    #[command(flatten)]
    limits: Limits,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Table,
    /// For programs.
    Json,
}

#[cfg(feature = "engine")]
pub fn run(args: &Args, global: &Global, out: &Out) -> Result<Exit, Failure> {
    super::interrupt::watch();
    match prepare(&args.asked, "plan", global, out)? {
        Some(prepared) => work::run(args, &prepared, out),
        None => Ok(Exit::Project),
    }
}

#[cfg(not(feature = "engine"))]
pub fn run(args: &Args, global: &Global, out: &Out) -> Result<Exit, Failure> {
    // A broken project is the same answer in every build.
    match prepare(&args.asked, "plan", global, out)? {
        Some(_) => Err(super::output::no_engine("plan")),
        None => Ok(Exit::Project),
    }
}
