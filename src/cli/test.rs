//! `segue test`: the executable examples of a project.

use std::path::PathBuf;

use clap::ValueEnum;

use super::output::{Failure, Out};
use super::{Exit, Global};
use crate::error::Error;

/// Evaluate every spec, by interpreter and by plan; both must agree and match
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  segue test
  segue test examples/cosmetics --format json

Exit code: 0 all hold · 1 some do not · 3 the project or a spec has errors")]
pub struct Args {
    /// The project's folder or its segue.yaml.
    path: Option<PathBuf>,
    #[arg(long, value_name = "FORM", default_value = "pretty")]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Pretty,
    Json,
}

pub fn run(args: &Args, global: &Global, _out: &Out) -> Result<Exit, Failure> {
    let _ = (args, global);
    Err(Error::usage("`test` is not wired yet").into())
}
