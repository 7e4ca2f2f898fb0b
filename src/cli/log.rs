//! `segue log`: what was published.

use super::output::{Failure, Form, Out};
use super::results::Place;
use super::{Exit, Global};

/// Show the published versions, the newest first
#[derive(Debug, clap::Args)]
#[cfg_attr(not(feature = "engine"), allow(dead_code))]
#[command(after_help = "\
Examples:
  segue log
  segue log vip --limit 10
  segue log --store s3://bucket/results --format json

Each version says how many customers entered (+) and left (−) its audiences since the version that
it was compared with. With NAME, versions before a `was` are shown under the name of then.

Exit code: 0 done · 2 wrong call · 3 the project has errors · 4 no such store, or it is damaged")]
pub struct Args {
    /// Only this segment, campaign or these stages.
    pub(super) name: Option<String>,
    #[command(flatten)]
    pub(super) place: Place,
    /// The newest N versions.
    #[arg(long, value_name = "N")]
    pub(super) limit: Option<usize>,
    #[arg(long, value_name = "FORM", default_value = "text")]
    pub(super) format: Form,
}

#[cfg(feature = "engine")]
pub fn run(args: &Args, global: &Global, out: &Out) -> Result<Exit, Failure> {
    super::results::log::run(args, global, out)
}

#[cfg(not(feature = "engine"))]
pub fn run(_: &Args, _: &Global, _: &Out) -> Result<Exit, Failure> {
    Err(super::output::no_engine("log"))
}
