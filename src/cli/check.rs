//! `segue check`: every mistake of the project, in one go.

use std::path::PathBuf;

use clap::ValueEnum;

use super::output::{Failure, Out};
use super::{Exit, Global};
use crate::error::Error;

/// Check the project and show every mistake at once; reads no data
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  segue check
  segue check examples/cosmetics --deny warnings
  segue check --format github        annotations beside the changed lines
  segue check --format sarif > segue.sarif

Exit code: 0 nothing found · 1 errors (or warnings with --deny warnings) · 2 no project there")]
pub struct Args {
    /// The project's folder, its segue.yaml, or one file of it (then only that file's findings are shown).
    path: Option<PathBuf>,
    #[arg(long, value_name = "FORM", default_value = "pretty")]
    format: Format,
    /// Make warnings count as errors.
    #[arg(long, value_name = "WHAT")]
    deny: Option<Deny>,
}

/// The forms in which findings are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Pretty,
    /// One line a finding.
    Short,
    /// For programs.
    Json,
    /// GitHub workflow annotations.
    Github,
    /// SARIF 2.1.0, for code scanners.
    Sarif,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Deny {
    Warnings,
}

pub fn run(args: &Args, global: &Global, _out: &Out) -> Result<Exit, Failure> {
    let _ = (&args.path, args.format, args.deny, &global.project);
    Err(Error::usage("`check` is not wired yet").into())
}
