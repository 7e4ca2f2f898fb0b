//! `segue restore`: the audiences of an earlier version.

use super::output::{Failure, Form, Out};
use super::results::Place;
use super::{Exit, Global};

/// Publish the audiences of an earlier version again
#[derive(Debug, clap::Args)]
#[cfg_attr(not(feature = "engine"), allow(dead_code))]
#[command(after_help = "\
Examples:
  segue log
  segue restore 12
  segue restore 12 --format json

Nothing is taken away: a restore is a new version with the audiences of an earlier one. The history
records who entered and left by it, at the moment of the restore; who was contacted stays recorded.

Exit code: 0 done · 2 wrong call · 3 the project has errors · 4 no such store, or it is damaged
5 another run is at work")]
pub struct Args {
    /// The number of the version, as `segue log` shows it.
    pub(super) version: u64,
    #[command(flatten)]
    pub(super) place: Place,
    /// The moment of the restore; otherwise now.
    #[arg(long, value_name = "WHEN")]
    pub(super) as_of: Option<String>,
    #[arg(long, value_name = "FORM", default_value = "text")]
    pub(super) format: Form,
}

#[cfg(feature = "engine")]
pub fn run(args: &Args, global: &Global, out: &Out) -> Result<Exit, Failure> {
    super::results::restore::run(args, global, out)
}

#[cfg(not(feature = "engine"))]
pub fn run(_: &Args, _: &Global, _: &Out) -> Result<Exit, Failure> {
    Err(super::output::no_engine("restore"))
}
