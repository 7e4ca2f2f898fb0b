//! `segue demo`: a whole sample project.

use std::path::PathBuf;

use super::output::{Failure, Out};
use super::{Exit, Global};
use crate::error::Error;

/// Write a sample project of a cosmetics shop, with data
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  segue demo shop && segue run shop
  segue demo big --customers 2_000_000 --days 400 --seed 7")]
pub struct Args {
    /// A folder that is empty or does not exist yet.
    dir: PathBuf,
    #[arg(long, value_name = "N", default_value_t = 1000)]
    customers: u64,
    #[arg(long, value_name = "D", default_value_t = 365)]
    days: u32,
    /// The same seed writes the same project.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
}

pub fn run(args: &Args, global: &Global, _out: &Out) -> Result<Exit, Failure> {
    let _ = (args, global);
    Err(Error::usage("`demo` is not wired yet").into())
}
