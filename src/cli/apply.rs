//! `segue apply`: publish a plan.

use std::path::PathBuf;

use super::output::{Failure, Out};
use super::{Exit, Global};

/// Publish what `segue plan --out FILE` has found, exactly that
#[derive(Debug, clap::Args)]
#[cfg_attr(not(feature = "engine"), allow(dead_code))]
#[command(after_help = "\
Examples:
  segue plan --out monday.plan        look at it, have it reviewed
  segue apply monday.plan

Nothing is evaluated again: the files of the plan are staged already. Where the rules, the data or what is
published have changed since, the plan is refused.

Exit code: 0 published, or published before · 2 wrong call · 3 the project has errors · 4 files, data or store
5 refused: the plan is stale, or another run is at work · 130 interrupted")]
pub struct Args {
    /// The plan file.
    plan: PathBuf,
    /// Where decisions are kept; otherwise the project's `store`.
    #[arg(long, value_name = "ADDRESS")]
    store: Option<String>,
}

#[cfg(not(feature = "engine"))]
pub fn run(args: &Args, _: &Global, _: &Out) -> Result<Exit, Failure> {
    let _ = (&args.plan, &args.store);
    Err(super::output::no_engine("apply"))
}

#[cfg(feature = "engine")]
pub fn run(args: &Args, global: &Global, out: &Out) -> Result<Exit, Failure> {
    use super::output::plural;
    use super::{keeper, workspace};
    use crate::audience::turn::Proposal;
    use crate::error::Error;

    super::interrupt::watch();
    let name = args.plan.display().to_string();
    let text = std::fs::read_to_string(&args.plan).map_err(|why| Error::io("cannot read", &args.plan, why))?;
    let proposal = Proposal::read(&text, &name)?;
    let mut project = workspace::load(None, global)?;
    let checked = project.check(None);
    if workspace::complain(&project.sources, &checked.diagnostics, out) {
        return Ok(Exit::Project);
    }
    let store = keeper::needed(args.store.as_deref(), &project)?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let versions = keeper::locked(None, &store, "apply", proposal.apply(&project, &store, threads))?;
    let address = store.address();
    for version in &versions {
        out.print(&format!("published version {} in `{address}`\n", version.version))?;
    }
    let before = proposal.drafts.len() - versions.len();
    if before > 0 || proposal.drafts.is_empty() {
        out.print(&format!("{} of the plan {} published before\n", plural(before, "version"), was(before)))?;
    }
    Ok(Exit::Ok)
}

#[cfg(feature = "engine")]
fn was(n: usize) -> &'static str {
    if n == 1 { "was" } else { "were" }
}
