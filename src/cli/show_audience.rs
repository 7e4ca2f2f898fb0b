//! `segue show`: who is in a published audience.

use clap::ValueEnum;

use super::output::{Failure, Out};
use super::results::Place;
use super::{Exit, Global};

/// Show who is in a published audience, now or on an earlier day
#[derive(Debug, clap::Args)]
#[cfg_attr(not(feature = "engine"), allow(dead_code))]
#[command(after_help = "\
Examples:
  segue show vip
  segue show vip --as-of 2026-11-21 --limit 5
  segue show winback --version 12 --format csv > winback.csv

The audience is read as it was published; nothing is evaluated. `--as-of` takes the last version
at or before that instant.

Exit code: 0 done · 2 wrong call · 3 the project has errors · 4 no such store, or it is damaged")]
pub struct Args {
    /// A segment, campaign or stages.
    pub(super) name: String,
    #[command(flatten)]
    pub(super) place: Place,
    /// As published at or before this date (its first moment in the project's zone) or instant.
    #[arg(long, value_name = "WHEN", conflicts_with = "version")]
    pub(super) as_of: Option<String>,
    /// As of this version; otherwise the newest.
    #[arg(long, value_name = "N")]
    pub(super) version: Option<u64>,
    /// The first N customers; otherwise all, and 20 in a table.
    #[arg(long, value_name = "N")]
    pub(super) limit: Option<usize>,
    #[arg(long, value_name = "FORM", default_value = "table")]
    pub(super) format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Table,
    Json,
    Csv,
}

#[cfg(feature = "engine")]
pub fn run(args: &Args, global: &Global, out: &Out) -> Result<Exit, Failure> {
    super::results::members::run(args, global, out)
}

#[cfg(not(feature = "engine"))]
pub fn run(_: &Args, _: &Global, _: &Out) -> Result<Exit, Failure> {
    Err(super::output::no_engine("show"))
}
