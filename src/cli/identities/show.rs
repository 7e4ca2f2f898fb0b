//! Identities as text and as JSON.
//!
//! Owns: the two forms of the reports. The JSON is stable: `schema` counts its versions, fields are only ever added.

use serde_json::{Value, json};

use super::super::moment;
use super::super::show::grouped;
use crate::engine::identities::{Audit, Conflict, Lead, Several, Trace};
use crate::language::calendar::{Clock, Zone};
use crate::language::catalog::{Conflicts, Unknown};
use crate::language::diagnostic::render::visible;

/// The version of the JSON.
const SCHEMA: u32 = 1;

fn count(n: u64, word: &str) -> String {
    let number = grouped(usize::try_from(n).unwrap_or(usize::MAX));
    if n == 1 { format!("{number} {word}") } else { format!("{number} {word}s") }
}

fn instant(at: i64, zone: &Zone) -> String {
    moment::shown(&Clock { as_of: at, zone: zone.clone() })
}

/// `7 (by cookie, 2026-11-02T00:00:00+01:00)`
fn customer(lead: &Lead, zone: &Zone) -> String {
    format!("{} ({})", visible(&lead.customer), by(lead, zone))
}

fn by(lead: &Lead, zone: &Zone) -> String {
    let at = lead.time.map(|at| format!(", {}", instant(at, zone))).unwrap_or_default();
    format!("by {}{at}", visible(&lead.table))
}

/// A headline, and what was named below it.
fn part<T>(out: &mut String, headline: &str, named: &Several<T>, line: impl Fn(&T) -> String) {
    out.push_str(&format!("\n{headline}\n"));
    for one in &named.first {
        out.push_str(&format!("  {}\n", line(one)));
    }
    let more = named.count.saturating_sub(named.first.len() as u64);
    if more > 0 && !named.first.is_empty() {
        out.push_str(&format!("  … and {} more\n", grouped(usize::try_from(more).unwrap_or(usize::MAX))));
    }
}

/// The report on all ids, for people.
pub fn audit(audit: &Audit, project: &str, unknown: Unknown, zone: &Zone) -> String {
    let links = &audit.links;
    let mut out = format!(
        "{}: {} lead to {} by {}\n",
        visible(project),
        count(links.linked, "id"),
        count(links.customers, "customer"),
        count(links.tables.len() as u64, "link table")
    );
    for table in &links.tables {
        let left = match table.incomplete {
            0 => String::new(),
            n => format!(", {} of them without id left out", grouped(usize::try_from(n).unwrap_or(usize::MAX))),
        };
        out.push_str(&format!("  {}: {}{left}\n", visible(&table.name), count(table.rows, "row")));
    }
    let merges = format!("merges: {} made of several ids", count(audit.merges.count, "customer"));
    part(&mut out, &merges, &audit.merges, |m| format!("{}: {}", visible(&m.customer), count(m.ids, "id")));
    if !audit.chains.is_empty() {
        out.push_str("\nchains: links between an id and its customer\n");
        for (steps, ids) in &audit.chains {
            out.push_str(&format!("  {}: {}\n", count(u64::from(*steps), "link"), count(*ids, "id")));
        }
    }
    let decided = match (audit.conflicts.count, audit.policy) {
        (0, _) => "",
        (_, Conflicts::Earliest) => "; the earliest link counts",
        (_, Conflicts::Latest) => "; the latest link counts",
        (_, Conflicts::Error) => "; the catalog calls that an error, and no rule is evaluated",
    };
    let verb = if audit.conflicts.count == 1 { "leads" } else { "lead" };
    let conflicts = format!("conflicts: {} {verb} to several customers{decided}", count(audit.conflicts.count, "id"));
    part(&mut out, &conflicts, &audit.conflicts, |c| conflict(c, zone));
    let fate = match (audit.orphans.count, unknown) {
        (0, _) => String::new(),
        (_, Unknown::Customer) => format!(" ({}); each is a customer of its own", count(audit.orphan_rows, "row")),
        (_, Unknown::Drop) => format!(" ({}); they are left out", count(audit.orphan_rows, "row")),
    };
    let orphans =
        format!("orphans: {} of events that no link and no profile knows{fate}", count(audit.orphans.count, "id"));
    part(&mut out, &orphans, &audit.orphans, |(id, rows)| format!("{}: {}", visible(id), count(*rows, "row")));
    let idle = format!("idle: {} in links and in no event, profile or list", count(audit.idle.count, "raw id"));
    part(&mut out, &idle, &audit.idle, |id| visible(id));
    out
}

/// `c12 → 7 (by cookie), not 9 (by email)`
fn conflict(conflict: &Conflict, zone: &Zone) -> String {
    let leads: Vec<String> = conflict.leads.first.iter().map(|lead| customer(lead, zone)).collect();
    let more = match conflict.leads.count.saturating_sub(leads.len() as u64) {
        0 => String::new(),
        more => format!(", and {} more", grouped(usize::try_from(more).unwrap_or(usize::MAX))),
    };
    match (&conflict.customer, leads.split_first()) {
        (Some(_), Some((winner, others))) => {
            format!("{} → {winner}, not {}{more}", visible(&conflict.id), others.join(", not "))
        }
        _ => format!("{} → {}{more}", visible(&conflict.id), leads.join(" or ")),
    }
}

/// The report on one id, for people.
pub fn trace(trace: &Trace, zone: &Zone) -> String {
    let (id, who) = (visible(&trace.id), visible(&trace.customer));
    let mut out = match (trace.steps.len() as u64, trace.in_doubt) {
        (0, _) => format!("{id} is a customer; no link leads from it\n"),
        (_, true) => format!("{id} leads to several customers, which the catalog calls an error\n"),
        (steps, false) => format!("{id} is customer {who}, over {}\n", count(steps, "link")),
    };
    if !trace.steps.is_empty() {
        out.push('\n');
    }
    for step in &trace.steps {
        let from = visible(&step.from);
        out.push_str(&format!("  {from} → {} ({})\n", visible(&step.lead.to), by(&step.lead, zone)));
        for other in &step.others.first {
            // What leads to the same customer in the end is no other choice.
            let word = match other.customer == step.lead.customer {
                true => "also",
                false if trace.in_doubt => "or",
                false => "not",
            };
            let end =
                if other.customer == other.to { String::new() } else { format!(" → {}", visible(&other.customer)) };
            out.push_str(&format!("    {word} → {}{end} ({})\n", visible(&other.to), by(other, zone)));
        }
        let more = step.others.count.saturating_sub(step.others.first.len() as u64);
        if more > 0 {
            out.push_str(&format!("    … and {} more\n", grouped(usize::try_from(more).unwrap_or(usize::MAX))));
        }
    }
    if trace.same.count > 1 {
        part(&mut out, &format!("customer {who} has {}:", count(trace.same.count, "id")), &trace.same, |id| {
            visible(id)
        });
    }
    if trace.places.is_empty() {
        out.push_str(&format!("\n{id} is in no event, profile or list\n"));
    } else {
        out.push_str(&format!("\n{id} is in\n"));
        for (place, rows) in &trace.places {
            out.push_str(&format!("  {}: {}\n", visible(place), count(*rows, "row")));
        }
    }
    out
}

fn lead_json(lead: &Lead, zone: &Zone) -> Value {
    json!({
        "customer": lead.customer,
        "to": lead.to,
        "table": lead.table,
        "time": lead.time.map(|at| instant(at, zone)),
    })
}

fn leads_json(leads: &[Lead], zone: &Zone) -> Vec<Value> {
    leads.iter().map(|lead| lead_json(lead, zone)).collect()
}

/// The report on all ids, for programs.
pub fn audit_json(audit: &Audit, project: &str, zone: &Zone) -> Value {
    let conflict = |c: &Conflict| {
        json!({
            "id": c.id, "customer": c.customer, "customers": c.leads.count, "leads": leads_json(&c.leads.first, zone),
        })
    };
    json!({
        "schema": SCHEMA,
        "segue": env!("CARGO_PKG_VERSION"),
        "project": project,
        "ids": audit.links.linked,
        "customers": audit.links.customers,
        "tables": audit.links.tables.iter().map(|t| json!({
            "name": t.name, "files": t.files, "rows": t.rows, "without_id": t.incomplete,
        })).collect::<Vec<_>>(),
        "merges": {
            "count": audit.merges.count,
            "customers": audit.merges.first.iter().map(|m| json!({"customer": m.customer, "ids": m.ids})).collect::<Vec<_>>(),
        },
        "chains": audit.chains.iter().map(|(links, ids)| json!({"links": links, "ids": ids})).collect::<Vec<_>>(),
        "conflicts": {
            "count": audit.conflicts.count,
            "decided_by": match audit.policy {
                Conflicts::Earliest => "earliest",
                Conflicts::Latest => "latest",
                Conflicts::Error => "error",
            },
            "ids": audit.conflicts.first.iter().map(conflict).collect::<Vec<_>>(),
        },
        "orphans": {
            "count": audit.orphans.count,
            "rows": audit.orphan_rows,
            "ids": audit.orphans.first.iter().map(|(id, rows)| json!({"id": id, "rows": rows})).collect::<Vec<_>>(),
        },
        "idle": {"count": audit.idle.count, "ids": audit.idle.first},
    })
}

/// The report on one id, for programs.
pub fn trace_json(trace: &Trace, project: &str, zone: &Zone) -> Value {
    json!({
        "schema": SCHEMA,
        "segue": env!("CARGO_PKG_VERSION"),
        "project": project,
        "id": trace.id,
        "customer": if trace.in_doubt { None } else { Some(&trace.customer) },
        "steps": trace.steps.iter().map(|step| json!({
            "from": step.from,
            "to": step.lead.to,
            "table": step.lead.table,
            "time": step.lead.time.map(|at| instant(at, zone)),
            "others": {"count": step.others.count, "links": leads_json(&step.others.first, zone)},
        })).collect::<Vec<_>>(),
        "same": {"count": trace.same.count, "ids": trace.same.first},
        "places": trace.places.iter().map(|(place, rows)| json!({"place": place, "rows": rows})).collect::<Vec<_>>(),
    })
}
