//! `segue deliver`: published audiences to their destinations.

use super::output::{Failure, Form, Out};
use super::{Exit, Global};

#[cfg(feature = "engine")]
mod work;

/// Take published audiences to the catalog's destinations
#[derive(Debug, clap::Args)]
#[cfg_attr(not(feature = "engine"), allow(dead_code))]
#[command(after_help = "\
Examples:
  segue deliver                        all audiences to all destinations that take them
  segue deliver winback --to crm       one audience to one destination
  segue deliver --to drop --full       all rows, not only the changes since the last delivery
  segue deliver --dry-run              what would be delivered; nothing is read of secrets
  segue deliver --resume               finish what broke off and send dead letters again, nothing else

Of segments and stages, the newest version of the store of results is delivered. A destination's
`mode` says whether that is all rows (files, where unsaid) or the changes since the version that it
has (PostgreSQL and webhooks). Of campaigns, each decision since the last delivery is delivered
once, with all its contacts but those whom a run since then took out (consent withdrawn, suppressed,
erased). A delivery that broke off goes on at the batch that failed, before anything newer is
delivered; every repeat carries the same idempotency keys, so that nothing counts twice.

Secrets are named in the catalog (`{env: NAME}`, `{file: PATH}`) and read when they are needed.
PostgreSQL is spoken to without TLS; webhooks and s3:// need a build with the feature `cloud`.

Exit code: 0 delivered, or nothing new · 1 some batches are dead letters · 2 wrong call
3 the project has errors · 4 a destination, the store or the network failed · 5 refused
130 interrupted")]
pub struct Args {
    /// Segments, campaigns or stages; all that the newest version has, where none is named.
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Only to this destination of the catalog; may stand several times.
    #[arg(long, value_name = "DESTINATION")]
    to: Vec<String>,
    /// All rows.
    #[arg(long, conflicts_with_all = ["delta", "resume"])]
    full: bool,
    /// The changes since the version that the destination has.
    #[arg(long, conflicts_with = "resume")]
    delta: bool,
    /// Say what would be delivered, and deliver nothing.
    #[arg(long)]
    dry_run: bool,
    /// Only finish deliveries that broke off, and send dead letters again.
    #[arg(long)]
    resume: bool,
    /// Make a complete delivery once more, with the same idempotency keys.
    #[arg(long, conflicts_with = "resume")]
    again: bool,
    /// Where decisions are kept; otherwise the project's `store`.
    #[arg(long, value_name = "ADDRESS")]
    store: Option<String>,
    #[arg(long, value_name = "FORM", default_value = "text")]
    format: Form,
}

#[cfg(feature = "engine")]
pub fn run(args: &Args, global: &Global, out: &Out) -> Result<Exit, Failure> {
    super::interrupt::watch();
    work::run(args, global, out)
}

#[cfg(not(feature = "engine"))]
pub fn run(_: &Args, global: &Global, out: &Out) -> Result<Exit, Failure> {
    // A broken project is the same answer in every build.
    let mut project = super::workspace::load(None, global)?;
    let found = project.check(None).diagnostics;
    if super::workspace::complain(&project.sources, &found, out) {
        return Ok(Exit::Project);
    }
    Err(super::output::no_engine("deliver"))
}
