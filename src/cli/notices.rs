//! What a run has to say beside its answer: rows that were left out, words that data and catalog do not share.

use super::show::grouped;
use crate::engine::identities::LinkReport;
use crate::engine::report::{Report, SourceReport};
use crate::language::catalog::{Catalog, Conflicts};

/// So many raw names of a source are named; the others are counted.
const MOST_NAMES: usize = 10;

/// One line each, in the order of the catalog.
pub fn notices(report: &Report, catalog: &Catalog) -> Vec<String> {
    let mut out = Vec::new();
    if let Some(links) = &report.identities {
        identities(links, catalog, &mut out);
    }
    for source in report.sources.iter().chain(&report.profiles) {
        rows(source, &mut out);
    }
    let missing: Vec<String> = report
        .missing_events
        .iter()
        .filter_map(|id| catalog.event(*id))
        .map(|event| format!("`{}`", event.name.name))
        .collect();
    if !missing.is_empty() {
        out.push(format!("the data has no {}, which the catalog names", missing.join(", ")));
    }
    for list in &report.lists {
        if list.linked > 0 {
            out.push(linked(&format!("list `{}`", list.name), list.linked));
        }
        if list.no_customer > 0 {
            out.push(format!("list `{}`: {} without customer left out", list.name, count(list.no_customer, "row")));
        }
        if list.orphans > 0 {
            out.push(format!(
                "list `{}`: {} not in the population left out",
                list.name,
                count(list.orphans, "customer")
            ));
        }
    }
    out
}

fn identities(links: &LinkReport, catalog: &Catalog, out: &mut Vec<String>) {
    for table in links.tables.iter().filter(|table| table.incomplete > 0) {
        out.push(format!("link table `{}`: {} without id left out", table.name, count(table.incomplete, "row")));
    }
    let word = match catalog.identities.as_ref().map(|i| i.conflicts) {
        Some(Conflicts::Earliest) => "earliest",
        _ => "latest",
    };
    if links.conflicts > 0 {
        let verb = if links.conflicts == 1 { "leads" } else { "lead" };
        out.push(format!(
            "{} {verb} to several customers, and the {word} link counts (`segue identities` shows them)",
            count(links.conflicts, "id")
        ));
    }
}

/// What links made of the ids of a table.
fn linked(of: &str, rows: u64) -> String {
    format!("{of}: {} linked to a customer of another id", count(rows, "row"))
}

fn rows(source: &SourceReport, out: &mut Vec<String>) {
    let name = &source.name;
    if source.rows == 0 && source.skipped == 0 {
        out.push(format!("`{name}` has no rows"));
    }
    if source.linked > 0 {
        out.push(linked(&format!("`{name}`"), source.linked));
    }
    if source.unlinked > 0 {
        let rows = count(source.unlinked, "row");
        out.push(format!("`{name}`: {rows} left out, with ids that no link and no profile knows"));
    }
    if source.no_customer > 0 {
        out.push(format!("`{name}`: {} without customer left out", count(source.no_customer, "row")));
    }
    if source.no_time > 0 {
        out.push(format!("`{name}`: {} without time left out", count(source.no_time, "row")));
    }
    if !source.unknown.is_empty() {
        // The most frequent first; the names decide between equals.
        let mut unknown: Vec<&(Option<String>, u64)> = source.unknown.iter().collect();
        unknown.sort_by_key(|(name, rows)| (std::cmp::Reverse(*rows), name.clone()));
        let shown: Vec<String> = unknown
            .iter()
            .take(MOST_NAMES)
            .map(|(name, rows)| match name {
                Some(name) => format!("`{name}` ({})", count(*rows, "row")),
                None => format!("no name ({})", count(*rows, "row")),
            })
            .collect();
        let more = unknown.len().saturating_sub(MOST_NAMES);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        out.push(format!("`{name}` has events that the catalog does not name: {}{more}", shown.join(", ")));
    }
}

fn count(n: u64, word: &str) -> String {
    let number = grouped(usize::try_from(n).unwrap_or(usize::MAX));
    if n == 1 { format!("{number} {word}") } else { format!("{number} {word}s") }
}
