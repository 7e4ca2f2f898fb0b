//! `segue plan`: what a run would do.

use std::path::PathBuf;

use super::asked::{Asked, Limits, prepare};
use super::output::{Failure, Form, Out};
use super::run::CatchUp;
use super::{Exit, Global};

#[cfg(feature = "engine")]
mod analysis;
#[cfg(feature = "engine")]
mod changes;
#[cfg(feature = "engine")]
mod json;
#[cfg(feature = "engine")]
mod show;
#[cfg(feature = "engine")]
mod work;

/// Show what a run would change, or what it would read and compute
#[derive(Debug, clap::Args)]
#[cfg_attr(not(feature = "engine"), allow(dead_code))]
#[command(after_help = "\
Examples:
  segue plan                          who would come and go, whom campaigns would contact, at what cost
  segue plan --out monday.plan        the same, to be published by `segue apply monday.plan`
  segue plan --reads                  tables, shared terms, rules
  segue plan --reads --only winback   one rule and what it needs
  segue plan --rule 'purchased ≥ 3 in 90d'
  segue plan --analyze                run it, and measure what each rule takes; nothing is written
  segue plan --sql > plan.sql         the rules as SQL, for DuckDB and others
  segue plan --format json | jq '.terms[] | select(.rules | length > 5)'

In a project with a `store`, everything is computed and compared with what is published; nothing is
published. With `--reads` (and where a project has no store, or with `--rule`, `--only`, `--analyze`)
nothing is read but the footers of the files, unless `--analyze` says so.

Exit code: 0 done · 1 `--sql` can't say every rule; with `--exit-code`, something would change · 2 wrong call · 3 the project has errors · 4 files, data or engine · 5 refused by an audit, or since a later instant was decided · 130 interrupted")]
pub struct Args {
    #[command(flatten)]
    asked: Asked,
    /// Show what would be read and computed, and not what would change.
    #[arg(long)]
    reads: bool,
    /// Write what would change to a file, for `segue apply`.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["reads", "analyze", "sql", "all"])]
    out: Option<PathBuf>,
    /// End with 1 where something would change.
    #[arg(long, conflicts_with_all = ["reads", "analyze", "sql", "all"])]
    exit_code: bool,
    /// What becomes of instants of campaigns at which no run decided.
    #[arg(long, value_name = "WHICH", default_value = "last")]
    catch_up: CatchUp,
    /// Where decisions are kept; otherwise the project's `store`.
    #[arg(long, value_name = "ADDRESS")]
    store: Option<String>,
    /// Run it as well, write nothing, and show what was measured.
    #[arg(long)]
    analyze: bool,
    /// The rules as SQL with standard aggregates over the raw tables, for other engines; what SQL can't say is named with its reason.
    #[arg(long, conflicts_with_all = ["analyze", "all", "format"])]
    sql: bool,
    /// All terms and rules; otherwise the table is cut after twenty of each. JSON has everything.
    #[arg(long)]
    all: bool,
    #[arg(long, value_name = "FORM", default_value = "text")]
    format: Form,
    #[command(flatten)]
    limits: Limits,
}

#[cfg(feature = "engine")]
pub fn run(args: &Args, global: &Global, out: &Out) -> Result<Exit, Failure> {
    super::interrupt::watch();
    match prepare(&args.asked, "plan", global, out)? {
        Some(prepared) => {
            let asked = &args.asked;
            let reads =
                args.reads || args.analyze || args.sql || args.all || asked.rule.is_some() || !asked.only.is_empty();
            match super::keeper::store(args.store.as_deref(), &prepared.project)? {
                _ if reads && (args.out.is_some() || args.exit_code) => Err(crate::error::Error::usage(
                    "what would change is a matter of the whole project, and only some of it was asked for",
                )
                .with_help("leave out `--only` or `--rule`, or `--out` and `--exit-code`")
                .into()),
                Some(store) if !reads => changes::run(args, &prepared, &store, out),
                None if args.out.is_some() || args.exit_code => Err(super::keeper::none().into()),
                _ => work::run(args, &prepared, out),
            }
        }
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
