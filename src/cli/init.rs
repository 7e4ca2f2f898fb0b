//! `segue init`: a first project from a folder of Parquet files.

use std::path::PathBuf;

use super::output::{Failure, Out};
use super::{Exit, Global};
use crate::error::Error;

/// Write a first catalog, project and rule from a folder of Parquet files
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  segue init data/ --project shop")]
pub struct Args {
    /// A folder of Parquet files.
    data: PathBuf,
}

pub fn run(args: &Args, global: &Global, _out: &Out) -> Result<Exit, Failure> {
    let _ = (args, global);
    Err(Error::usage("`init` is not wired yet").into())
}
