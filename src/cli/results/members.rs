//! A published audience as a table, JSON and CSV.

use serde_json::{Map, Value, json};

use super::super::output::{Failure, Out};
use super::super::run::block_on;
use super::super::show::{SCHEMA, lined};
use super::super::show_audience::{Args, Format};
use super::super::{Exit, Global};
use super::log::{known, lines, named, number};
use super::{Found, instant};
use crate::audience::store::{Chain, FileRef, Manifest, Rows};
use crate::engine::write;
use crate::error::Error;
use crate::language::calendar::{Zone, parse_moment};
use crate::language::diagnostic::render::visible;

/// Rows of a table where nobody says how many.
const LIMIT: usize = 20;

pub(in crate::cli) fn run(args: &Args, global: &Global, out: &Out) -> Result<Exit, Failure> {
    let Some(Found { store, project, .. }) = args.place.find(global, out)? else { return Ok(Exit::Project) };
    let chain = block_on(None, store.chain())?;
    let zone = project.map(|project| project.timezone);
    let version = version(args, &chain, zone.as_deref())?;
    let names = known(&chain, &args.name)?;
    let file = named(version, &names).and_then(|name| version.draft.audience(name)).ok_or_else(|| {
        Error::usage(format!("version {} has no audience `{}`", version.version, args.name))
            .with_help(format!("`segue log {}` shows which have it", args.name))
    })?;
    if let Some(by) = chain.vacuumed(version.version) {
        return Err(Error::data(format!(
            "the audiences of version {} were cleared away (version {by})",
            version.version
        ))
        .with_help("`segue log` shows which versions are kept")
        .into());
    }
    let limit = args.limit.or((args.format == Format::Table).then_some(LIMIT));
    let (file, rows) = block_on(None, async {
        // Of what was replaced since, as it is now.
        let file = store.current(&chain, file.clone()).await?;
        let rows = store.rows(&file, limit).await?;
        Ok((file, rows))
    })?;
    let file = &file;
    out.print(&match args.format {
        Format::Table => table(version, file, &rows, out.table_width()),
        Format::Json => format!("{:#}\n", value(version, file, &rows)),
        Format::Csv => csv(&rows),
    })?;
    Ok(Exit::Ok)
}

/// The version that is asked for.
fn version<'a>(args: &Args, chain: &'a Chain, zone: Option<&str>) -> Result<&'a Manifest, Error> {
    let nothing = || {
        Error::usage("nothing was published yet").with_help("`segue run` publishes where the project names a `store`")
    };
    let latest = chain.latest().ok_or_else(nothing)?;
    if let Some(n) = args.version {
        return Ok(chain.version(n)?);
    }
    let Some(written) = &args.as_of else { return Ok(latest) };
    let zone = Zone::new(zone.unwrap_or(&latest.draft.zone)).unwrap_or_else(Zone::utc);
    let as_of = parse_moment(written, &zone).ok_or_else(|| {
        Error::usage(format!("`{written}` is no instant"))
            .with_help("write a date such as 2026-11-21, or an instant such as 2026-11-21T08:00")
    })?;
    chain.at(as_of).map(AsRef::as_ref).ok_or_else(|| {
        let first = chain.versions().iter().map(|version| &version.draft).min_by_key(|draft| draft.as_of);
        let error = Error::usage(format!("nothing was published at or before {written}"));
        match first {
            Some(first) => error.with_help(format!("the first is as of {}", instant(first.as_of, &first.zone))),
            None => error,
        }
    })
}

fn text(cell: &Value) -> String {
    match cell {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn table(version: &Manifest, file: &FileRef, rows: &Rows, width: Option<u16>) -> String {
    let customers = if file.rows == 1 { "customer" } else { "customers" };
    let as_of = instant(version.draft.as_of, &version.draft.zone);
    let (name, all) = (visible(&file.name), number(file.rows));
    let mut said = format!("{name} as of {as_of}, version {}: {all} {customers}\n", version.version);
    if rows.rows.is_empty() {
        return said;
    }
    let mut table = lined(width);
    table.set_header(rows.columns.iter().map(|name| visible(name)));
    for row in &rows.rows {
        table.add_row(row.iter().map(|cell| visible(&text(cell))));
    }
    said.push_str(&format!("\n{}", lines(&table)));
    let left = file.rows.saturating_sub(rows.rows.len() as u64);
    if left > 0 {
        said.push_str(&format!("… and {} more (`--limit`)\n", number(left)));
    }
    said
}

fn value(version: &Manifest, file: &FileRef, rows: &Rows) -> Value {
    let row =
        |row: &Vec<Value>| -> Map<String, Value> { rows.columns.iter().cloned().zip(row.iter().cloned()).collect() };
    let customers: Vec<Map<String, Value>> = rows.rows.iter().map(row).collect();
    json!({
        "schema": SCHEMA,
        "name": file.name,
        "version": version.version,
        "as_of": instant(version.draft.as_of, &version.draft.zone),
        "size": file.rows,
        "sha256": file.sha256,
        "customers": customers,
    })
}

fn csv(rows: &Rows) -> String {
    let line = |cells: Vec<String>| format!("{}\n", cells.join(","));
    let head = line(rows.columns.iter().map(|name| write::csv(name)).collect());
    // Numbers may begin with a sign; a text that does is none of a spreadsheet's business.
    let cell = |cell: &Value| match cell {
        Value::String(text) => write::csv(&write::plain(text.clone())),
        other => write::csv(&text(other)),
    };
    let body = rows.rows.iter().map(|row| line(row.iter().map(cell).collect()));
    std::iter::once(head).chain(body).collect()
}
