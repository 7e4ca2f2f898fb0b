//! `segue explain`: what a diagnostic code means, why, and what to do.

use super::Exit;
use super::output::{Failure, Out};
use crate::error::Error;

/// The page of each code, by code.
const PAGES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/code_pages.rs"));

/// Explain a diagnostic code
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  segue explain            all codes, one a line
  segue explain E0301      what the code means, an example, the cure")]
pub struct Args {
    /// A code such as E0301; without one, all codes are listed.
    code: Option<String>,
}

pub fn run(args: &Args, out: &Out) -> Result<Exit, Failure> {
    let Some(wanted) = &args.code else {
        let lines = PAGES.iter().map(|(code, page)| format!("{code}  {}\n", title(page)));
        out.print(&lines.collect::<String>())?;
        return Ok(Exit::Ok);
    };
    if let Some((_, page)) = PAGES.iter().find(|(code, _)| code.eq_ignore_ascii_case(wanted)) {
        out.print(page)?;
        return Ok(Exit::Ok);
    }
    let near = PAGES
        .iter()
        .map(|(code, _)| (strsim::osa_distance(code, &wanted.to_uppercase()), *code))
        .min()
        .filter(|(distance, _)| *distance <= 2);
    let help = match near {
        Some((_, code)) => format!("did you mean `{code}`? `segue explain` lists all codes"),
        None => "`segue explain` lists all codes".to_owned(),
    };
    Err(Error::usage(format!("there is no code `{wanted}`")).with_help(help).into())
}

/// The heading of a page without its code.
fn title(page: &str) -> &str {
    let heading = page.lines().next().unwrap_or("").trim_start_matches('#').trim();
    heading.split_once(": ").map_or(heading, |(_, title)| title)
}
