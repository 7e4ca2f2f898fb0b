//! `segue init`: a first project from a folder of Parquet files.

use std::path::PathBuf;

use super::output::{Failure, Form, Out};
use super::{Exit, Global};

#[cfg(feature = "engine")]
mod questions;
#[cfg(feature = "engine")]
mod show;
#[cfg(feature = "engine")]
mod work;

/// Write a first catalog, project and rule from Parquet files, and say why each guess was made
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  segue init                                         from the Parquet files below this folder
  segue init shop --data /lake/events --data /lake/customers.parquet
  segue init shop --customer household_id --time users.joined_at --yes

A column is COLUMN, or TABLE.COLUMN where tables differ. On a terminal init asks; elsewhere the flags answer.
Exit code: 0 written · 2 wrong call · 4 data that can't be read · 5 there is a project already")]
pub struct Args {
    /// The folder of the new project; `.` where unsaid. Without --data, the Parquet files below it are read.
    dir: Option<PathBuf>,
    /// A Parquet file or a folder of them; may be given several times.
    #[arg(long, value_name = "PATH")]
    data: Vec<PathBuf>,
    /// The column of the customer's id.
    #[arg(long, value_name = "COLUMN")]
    customer: Vec<String>,
    /// The column of the event's time.
    #[arg(long, value_name = "COLUMN")]
    time: Vec<String>,
    /// The column of the event's name; `none` where every table is one kind of event.
    #[arg(long, value_name = "COLUMN")]
    event: Vec<String>,
    /// The time zone in which days begin, such as Europe/Paris.
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,
    /// The currency of amounts, such as EUR.
    #[arg(long, value_name = "CODE")]
    currency: Option<String>,
    /// The project's name; the folder's where unsaid.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Ask nothing: take every guess.
    #[arg(long, short = 'y')]
    yes: bool,
    /// Overwrite a project that is there.
    #[arg(long)]
    force: bool,
    /// How the guesses are shown.
    #[arg(long, value_name = "FORM", default_value = "text")]
    format: Form,
}

#[cfg(feature = "engine")]
pub fn run(args: &Args, global: &Global, out: &Out) -> Result<Exit, Failure> {
    work::run(args, global, out)
}

#[cfg(not(feature = "engine"))]
pub fn run(args: &Args, global: &Global, _out: &Out) -> Result<Exit, Failure> {
    let _ = (args, global);
    Err(crate::error::Error::usage("this build has no engine, and `init` reads Parquet with it")
        .with_help("build without `--no-default-features`")
        .into())
}
