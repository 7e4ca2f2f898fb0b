//! Publishing an earlier version again.

use comfy_table::CellAlignment;
use serde_json::{Value, json};

use super::super::output::{Failure, Form, Out};
use super::super::restore::Args;
use super::super::show::{SCHEMA, lined};
use super::super::{Exit, Global, keeper, moment};
use super::log::{lines, moved, number};
use super::{Found, instant};
use crate::audience::store::{Manifest, Store, Tool};
use crate::error::Error;
use crate::language::calendar::{Clock, Zone, parse_moment};
use crate::language::catalog::ProjectFile;
use crate::language::diagnostic::render::visible;

pub(in crate::cli) fn run(args: &Args, global: &Global, out: &Out) -> Result<Exit, Failure> {
    let Some(Found { store, project, .. }) = args.place.find(global, out)? else { return Ok(Exit::Project) };
    let published = keeper::locked(None, &store, "restore", restore(args, &store, project.as_ref()))?;
    match args.format {
        Form::Json => {
            let audiences = published.draft.counts.iter();
            let audiences: Vec<Value> = audiences
                .map(|(name, c)| json!({"name": name, "size": c.members, "entered": c.entered, "left": c.left}))
                .collect();
            let (version, of) = (published.version, published.draft.restored);
            out.print(&format!(
                "{:#}\n",
                json!({"schema": SCHEMA, "version": version, "restored": of, "audiences": audiences})
            ))?;
        }
        Form::Text => out.print(&table(&published, args.version, out.table_width()))?,
    }
    Ok(Exit::Ok)
}

async fn restore(args: &Args, store: &Store, project: Option<&ProjectFile>) -> Result<std::sync::Arc<Manifest>, Error> {
    let chain = store.chain().await?;
    let latest =
        chain.version(args.version).and(chain.latest().ok_or_else(|| Error::usage("nothing was published")))?;
    let zone = Zone::new(&latest.draft.zone).unwrap_or_else(Zone::utc);
    let as_of = match &args.as_of {
        Some(written) => parse_moment(written, &zone).ok_or_else(|| {
            Error::usage(format!("`{written}` is no instant"))
                .with_help("write a date such as 2026-11-21, or an instant such as 2026-11-21T08:00")
        })?,
        // Of a project that is pinned to an instant, a restore is, too: else no run would come after it.
        None => project.map_or_else(|| Ok(moment::now()), |project| moment::clock(None, project).map(|c| c.as_of))?,
    };
    moment::in_time(&Clock { as_of, zone })?;
    if as_of <= latest.draft.as_of {
        let newest = instant(latest.draft.as_of, &latest.draft.zone);
        return Err(Error::usage(format!("version {} is as of {newest}, which is not before", latest.version))
            .with_help("a restore comes after what it takes back: name a later moment with `--as-of`"));
    }
    let draft = store.restored(&chain, args.version, as_of, Tool::this()).await?;
    store.commit(draft, Some(latest.version)).await?.published()
}

fn table(published: &Manifest, of: u64, width: Option<u16>) -> String {
    let mut table = lined(width);
    table.set_header(["audience", "size", "change"]);
    for (name, count) in &published.draft.counts {
        table.add_row([visible(name), number(count.members), moved(count)]);
    }
    if let Some(column) = table.column_mut(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    format!("version {} has the audiences of version {of}\n\n{}", published.version, lines(&table))
}
