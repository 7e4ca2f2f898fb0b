//! The versions of a store as a table and as JSON.

use comfy_table::CellAlignment;
use serde_json::{Value, json};

use super::super::log::Args;
use super::super::output::{Failure, Form, Out};
use super::super::run::block_on;
use super::super::show::{SCHEMA, grouped, lined};
use super::super::{Exit, Global};
use super::{Found, instant};
use crate::audience::store::{Chain, Count, Manifest, Table};
use crate::error::Error;
use crate::language::diagnostic::nearest;
use crate::language::diagnostic::render::visible;

pub(in crate::cli) fn run(args: &Args, global: &Global, out: &Out) -> Result<Exit, Failure> {
    let Some(Found { store, .. }) = args.place.find(global, out)? else { return Ok(Exit::Project) };
    let chain = block_on(None, store.chain())?;
    let names = match &args.name {
        Some(name) => known(&chain, name)?,
        None => Vec::new(),
    };
    let of_it = |version: &&Manifest| names.is_empty() || named(version, &names).is_some();
    let limit = args.limit.unwrap_or(usize::MAX);
    let versions = chain.versions().iter().rev().map(AsRef::as_ref).filter(of_it).take(limit);
    let versions: Vec<&Manifest> = versions.collect();
    let text = match args.format {
        Form::Json => {
            let versions: Vec<Value> = versions.iter().map(|version| value(&chain, version, &names)).collect();
            format!("{:#}\n", json!({"schema": SCHEMA, "store": store.address(), "versions": versions}))
        }
        Form::Text if versions.is_empty() => format!("nothing was published yet in `{}`\n", store.address()),
        Form::Text => table(&chain, &versions, &names, out.table_width()),
    };
    out.print(&text)?;
    Ok(Exit::Ok)
}

/// A name with those that it had before; refused where no version has any of them.
pub(super) fn known(chain: &Chain, name: &str) -> Result<Vec<String>, Error> {
    let names: Vec<String> = match chain.latest() {
        Some(latest) => latest.draft.names_of(name).map(str::to_owned).collect(),
        None => Vec::new(),
    };
    let published = || chain.versions().iter().flat_map(|version| version.draft.of(Table::Audience));
    if published().any(|file| names.contains(&file.name)) {
        return Ok(names);
    }
    let help = match nearest(name, published().map(|file| file.name.as_str())) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`segue log` shows what was published".to_owned(),
    };
    Err(Error::usage(format!("nothing called `{name}` was published")).with_help(help))
}

/// The name that a version has of these.
pub(super) fn named<'a>(version: &Manifest, names: &'a [String]) -> Option<&'a str> {
    names.iter().map(String::as_str).find(|name| version.draft.audience(name).is_some())
}

/// The audiences of a version that are asked for.
fn audiences<'a>(version: &'a Manifest, names: &[String]) -> Vec<(&'a str, Count)> {
    let asked = |name: &str| names.is_empty() || named(version, names) == Some(name);
    let files = version.draft.of(Table::Audience).filter(|file| asked(&file.name));
    let counted = |name: &str, rows: u64| {
        version.draft.counts.get(name).cloned().unwrap_or(Count { members: rows, ..Count::default() })
    };
    files.map(|file| (file.name.as_str(), counted(&file.name, file.rows))).collect()
}

/// `run`, `restore of 3`, `run, cleared away`
fn kind(chain: &Chain, version: &Manifest) -> String {
    let mut text = version.draft.kind.text().to_owned();
    if let Some(of) = version.draft.restored {
        text.push_str(&format!(" of {of}"));
    }
    if !chain.is_kept(version.version) {
        text.push_str(", cleared away");
    }
    text
}

pub(super) fn moved(count: &Count) -> String {
    let part = |sign: &str, n: u64| if n > 0 { format!("{sign}{}", number(n)) } else { String::new() };
    format!("{} {}", part("+", count.entered), part("−", count.left)).trim().to_owned()
}

pub(super) fn number(n: u64) -> String {
    grouped(usize::try_from(n).unwrap_or(usize::MAX))
}

/// So many audiences of a version are named; JSON has all.
const MOST: usize = 6;

fn table(chain: &Chain, versions: &[&Manifest], names: &[String], width: Option<u16>) -> String {
    let mut table = lined(width);
    let counted = !names.is_empty();
    match counted {
        true => table.set_header(["version", "as of", "kind", "audience", "size", "change"]),
        false => table.set_header(["version", "as of", "kind", "audiences", "change"]),
    };
    for version in versions {
        let audiences = audiences(version, names);
        let start =
            [version.version.to_string(), instant(version.draft.as_of, &version.draft.zone), kind(chain, version)];
        let rest = match audiences.first() {
            Some((name, count)) if counted => vec![visible(name), number(count.members), moved(count)],
            _ => {
                let changed = audiences.iter().filter(|(_, count)| count.entered + count.left > 0);
                let mut changed: Vec<String> =
                    changed.map(|(name, count)| format!("{} {}", visible(name), moved(count))).collect();
                let more = changed.len().saturating_sub(MOST);
                changed.truncate(MOST);
                changed.extend((more > 0).then(|| format!("and {more} more")));
                let changed = if changed.is_empty() { "none".to_owned() } else { changed.join(", ") };
                vec![audiences.len().to_string(), changed]
            }
        };
        table.add_row(start.into_iter().chain(rest));
    }
    for right in [Some(0), counted.then_some(4), (!counted).then_some(3)].into_iter().flatten() {
        if let Some(column) = table.column_mut(right) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    lines(&table)
}

/// The table without spaces at the ends of lines.
pub(super) fn lines(table: &comfy_table::Table) -> String {
    table.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

fn value(chain: &Chain, version: &Manifest, names: &[String]) -> Value {
    let audiences = audiences(version, names);
    let audiences: Vec<Value> = audiences
        .iter()
        .map(|(name, c)| json!({"name": name, "size": c.members, "entered": c.entered, "left": c.left, "outcomes": c.outcomes}))
        .collect();
    json!({
        "version": version.version,
        "as_of": instant(version.draft.as_of, &version.draft.zone),
        "kind": version.draft.kind.text(),
        "restored": version.draft.restored,
        "kept": chain.is_kept(version.version),
        "tool": version.draft.tool.version,
        "sha256": version.sha256,
        "audiences": audiences,
    })
}
