//! `segue fmt`: the canonical text of `.seg` files.

use std::path::PathBuf;

use super::output::{Failure, Out};
use super::{Exit, Global};
use crate::error::Error;

/// Write `.seg` files in their canonical form
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  segue fmt                      all rules of the project
  segue fmt --check              exit 1 if a file would change
  segue fmt --diff rules/a.seg   show what would change
  segue fmt - < draft.seg        standard input to standard output")]
pub struct Args {
    /// Files, or `-` for standard input; without any, all rules of the project.
    files: Vec<PathBuf>,
    /// Change nothing; list the files that would change and exit 1 if there are any.
    #[arg(long)]
    check: bool,
    /// Change nothing; show the differences and exit 1 if there are any.
    #[arg(long)]
    diff: bool,
}

pub fn run(args: &Args, global: &Global, _out: &Out) -> Result<Exit, Failure> {
    let _ = (&args.files, args.check, args.diff, &global.project);
    Err(Error::usage("`fmt` is not wired yet").into())
}
