//! What init found, for people and for programs.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use comfy_table::{ContentArrangement, Table as Grid, presets};
use serde_json::{Value, json};

use super::super::output::plural;
use crate::engine::infer::draft::{Event, Property};
use crate::engine::infer::roles::Role;
use crate::engine::infer::write::type_name;
use crate::engine::infer::{Findings, ProjectDraft, Survey, thousands};
use crate::language::diagnostic::render::visible;

/// Names listed in a cell.
const SHOWN: usize = 8;

/// For people.
pub fn table(survey: &Survey, findings: &Findings, project: &ProjectDraft, root: &Path, written: &[PathBuf]) -> String {
    let mut out = String::new();
    let mut grid = grid(&["table", "rows", "is", "because"]);
    for (table, role) in survey.tables.iter().zip(&findings.roles) {
        let (is, because) = role_words(findings, &table.name, role);
        grid.add_row([table.name.clone(), thousands(table.rows), is.to_owned(), visible(&because)]);
    }
    let _ = writeln!(out, "{grid}");
    if !findings.draft.events.is_empty() {
        let mut grid = self::grid(&["event", "rows", "customers", "also called", "subject", "properties"]);
        for event in &findings.draft.events {
            let properties: Vec<&str> = event.properties.iter().map(|p| p.name.as_str()).collect();
            let aliases: Vec<&str> = event.aliases.iter().map(String::as_str).collect();
            let subject: Vec<&str> = event.subject.iter().map(String::as_str).collect();
            grid.add_row([
                event.name.clone(),
                thousands(event.rows),
                thousands(event.customers),
                some(&aliases),
                some(&subject),
                some(&properties),
            ]);
        }
        let _ = writeln!(out, "\n{grid}");
    }
    if let Some(profile) = &findings.draft.profile {
        let names: Vec<&str> = profile.attributes.iter().map(|a| a.name.as_str()).collect();
        let _ = writeln!(out, "\nProfiles: {} with {}", plural(names.len(), "attribute"), some(&names));
        let personal: Vec<&str> = profile.attributes.iter().filter(|a| a.pii).map(|a| a.name.as_str()).collect();
        if !personal.is_empty() {
            let _ = writeln!(out, "Personal data: {}", some(&personal));
        }
    }
    let zone = match project.timezone_why.as_str() {
        "" => String::new(),
        why => format!(" ({why})"),
    };
    let currency = project.currency.as_deref().unwrap_or("unsaid");
    let _ = writeln!(out, "Time zone: {}{zone}. Currency: {currency}.", project.timezone);
    let files: Vec<String> = written.iter().map(|p| format!("`{}`", p.display())).collect();
    let _ = writeln!(out, "\nWritten: {}. The catalog says why each guess was made.", files.join(", "));
    let shown = root.display();
    let at = if root == Path::new(".") { String::new() } else { format!(" -p {shown}") };
    let _ = writeln!(out, "Next: segue check{at}, then segue run{at}");
    out
}

fn grid(head: &[&str]) -> Grid {
    let mut grid = Grid::new();
    grid.load_preset(presets::UTF8_HORIZONTAL_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(head);
    if grid.width().is_none() {
        grid.set_width(120);
    }
    grid
}

fn some(names: &[&str]) -> String {
    let mut text = names.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        let _ = write!(text, ", … {} more", names.len() - SHOWN);
    }
    text
}

/// What a table is, and why.
fn role_words(findings: &Findings, name: &str, role: &Role) -> (&'static str, String) {
    match role {
        Role::Events => {
            let source = findings.draft.sources.iter().find(|s| s.name == name);
            let because = source.map(|s| {
                let event = s.event.as_ref().map(|e| format!("; event `{e}`: {}", s.event_why)).unwrap_or_default();
                format!("customer `{}`: {}; time `{}`: {}{event}", s.customer, s.customer_why, s.time, s.time_why)
            });
            ("events", because.unwrap_or_default())
        }
        Role::Profile { why, .. } => ("profiles", why.clone()),
        Role::Lookup { why, .. } => ("look-up", why.clone()),
        Role::LeftOut { why } => ("not used", why.clone()),
    }
}

/// For programs.
pub fn json(survey: &Survey, findings: &Findings, project: &ProjectDraft, written: &[PathBuf]) -> String {
    let tables: Vec<Value> = survey
        .tables
        .iter()
        .zip(&findings.roles)
        .map(|(table, role)| {
            let (is, because) = role_words(findings, &table.name, role);
            let source = findings.draft.sources.iter().find(|s| s.name == table.name);
            json!({
                "name": table.name,
                "path": table.path,
                "files": table.files.len(),
                "rows": table.rows,
                "is": is,
                "because": because,
                "customer": source.map(|s| &s.customer),
                "time": source.map(|s| &s.time),
                "event": source.and_then(|s| s.event.as_ref()),
            })
        })
        .collect();
    let draft = &findings.draft;
    let all = json!({
        "project": {"name": project.name, "timezone": project.timezone, "currency": project.currency},
        "written": written.iter().map(|p| p.display().to_string()).collect::<Vec<_>>(),
        "tables": tables,
        "events": draft.events.iter().map(event).collect::<Vec<_>>(),
        "profiles": draft.profile.as_ref().map(|p| json!({
            "table": p.name,
            "customer": p.customer,
            "created": p.created,
            "because": p.why,
            "attributes": p.attributes.iter().map(property).collect::<Vec<_>>(),
        })),
    });
    format!("{all:#}\n")
}

fn event(event: &Event) -> Value {
    json!({
        "name": event.name,
        "table": event.source,
        "raw": event.raw,
        "aliases": event.aliases,
        "rows": event.rows,
        "customers": event.customers,
        "exact": event.whole,
        "subject": event.subject,
        "properties": event.properties.iter().map(property).collect::<Vec<_>>(),
    })
}

fn property(property: &Property) -> Value {
    json!({
        "name": property.name,
        "type": type_name(property.ty),
        "column": property.column,
        "lookup": property.lookup.as_ref().map(|(lookup, _)| lookup),
        "known": property.known.as_ref().map(|k| &k.values),
        "closed": property.known.as_ref().is_some_and(|k| k.closed),
        "pii": property.pii,
        "because": property.why,
    })
}
