//! Clearing away, or telling what would go.

use std::time::Duration;

use indicatif::HumanBytes;
use serde_json::json;

use super::super::output::{Failure, Form, Out, plural};
use super::super::run::block_on;
use super::super::show::SCHEMA;
use super::super::vacuum::Args;
use super::super::{Exit, Global, keeper, moment};
use super::Found;
use crate::audience::deliver::waiting;
use crate::audience::store::{Keep, Sweep, Tool};

const SECOND: i64 = 1_000_000;

pub(in crate::cli) fn run(args: &Args, global: &Global, out: &Out) -> Result<Exit, Failure> {
    let Some(Found { store, project, catalog }) = args.place.find(global, out)? else { return Ok(Exit::Project) };
    let retention = project.and_then(|project| project.retention).map(|days| u64::from(days) * 86_400);
    let now = moment::now();
    let from = |seconds: u64| now.saturating_sub(i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(SECOND));
    let chain = block_on(None, store.chain())?;
    let waiting = block_on(None, waiting(&store, &chain, catalog.as_ref()))?;
    let grace = Duration::from_secs(args.grace);
    let keep = Keep { from: args.keep.or(retention).map(from), waiting, now, grace };
    let sweep = match args.apply {
        false => block_on(None, store.sweep(&keep)),
        true => keeper::locked(None, &store, "vacuum", store.vacuum(&keep, Tool::this())),
    }?;
    match args.format {
        Form::Json => {
            let Sweep { versions, waiting, files, bytes } = &sweep;
            let value = json!({
                "schema": SCHEMA, "applied": args.apply, "versions": versions, "waiting": waiting, "files": files, "bytes": bytes,
            });
            out.print(&format!("{value:#}\n"))?;
        }
        Form::Text => out.print(&told(&sweep, args.apply))?,
    }
    Ok(Exit::Ok)
}

fn told(sweep: &Sweep, applied: bool) -> String {
    let waiting = match sweep.waiting.len() {
        0 => String::new(),
        n => format!("{} stay: a destination has not got their contacts (`segue deliver`)\n", plural(n, "old version")),
    };
    if sweep.versions.is_empty() && sweep.files.is_empty() {
        return format!("nothing to clear away\n{waiting}");
    }
    let (versions, files) = (plural(sweep.versions.len(), "version"), plural(sweep.files.len(), "file"));
    let bytes = HumanBytes(sweep.bytes);
    let which = match (sweep.versions.first(), sweep.versions.last()) {
        (Some(first), Some(last)) if first != last => format!(" ({first} to {last})"),
        (Some(only), _) => format!(" ({only})"),
        _ => String::new(),
    };
    match applied {
        true => format!("cleared away {versions}{which}: {files}, {bytes}\n{waiting}"),
        false => format!("would clear away {versions}{which}: {files}, {bytes}; `--apply` does it\n{waiting}"),
    }
}
