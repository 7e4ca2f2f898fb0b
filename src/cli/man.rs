//! `segue man`: the manual page.

use clap::CommandFactory as _;

use super::output::{Failure, Out};
use super::{Cli, Exit};
use crate::error::Error;

/// Write the manual page, of segue or of one of its verbs
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  segue man | man -l -
  segue man run > segue-run.1")]
pub struct Args {
    /// A verb; without one, the page of segue itself.
    verb: Option<String>,
}

pub fn run(args: &Args, out: &Out) -> Result<Exit, Failure> {
    let mut command = Cli::command();
    // Global options reach the verbs only in a built command.
    command.build();
    let command = match &args.verb {
        None => command,
        Some(verb) => match command.find_subcommand(verb) {
            Some(found) => found.clone(),
            None => {
                return Err(Error::usage(format!("there is no verb `{verb}`"))
                    .with_help("`segue help` lists them")
                    .into());
            }
        },
    };
    let mut page = Vec::new();
    clap_mangen::Man::new(command)
        .render(&mut page)
        .map_err(|why| Error::io("could not write", "the manual page", why))?;
    out.print(&String::from_utf8_lossy(&page))?;
    Ok(Exit::Ok)
}
