//! `segue completions`: a completion script for a shell.

use clap::CommandFactory as _;

use super::output::{Failure, Out};
use super::{Cli, Exit};

/// Write a completion script for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  segue completions bash > ~/.local/share/bash-completion/completions/segue")]
pub struct Args {
    shell: clap_complete::Shell,
}

pub fn run(args: &Args, out: &Out) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "segue", &mut script);
    out.print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Ok)
}
