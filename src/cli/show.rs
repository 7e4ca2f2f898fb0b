//! Audiences as a table and as JSON.
//!
//! Owns: the two forms of what a run found. The JSON is stable: `schema` counts its versions, fields are only ever added.

use comfy_table::{CellAlignment, ContentArrangement, Table};
use serde_json::{Value, json};

use crate::language::ir::{Action, Rule, RuleKind};

/// The version of the JSON.
pub const SCHEMA: u32 = 1;

/// A line below the head and nothing else.
const LINES: &str = "    ────           ";

/// One rule's members.
#[derive(Debug)]
pub struct Audience<'a> {
    pub rule: &'a Rule,
    pub size: usize,
    /// The first ids, if they were asked for.
    pub customers: Option<Vec<String>>,
    /// What was written, as paths.
    pub files: Vec<String>,
}

/// A whole run.
#[derive(Debug)]
pub struct Shown<'a> {
    pub project: &'a str,
    /// With the zone's offset at that instant.
    pub as_of: String,
    pub zone: &'a str,
    pub population: usize,
    /// By name.
    pub audiences: Vec<Audience<'a>>,
    pub notices: Vec<String>,
}

/// For people. `width` is the terminal's, if there is one.
pub fn table(shown: &Shown, width: Option<u16>) -> String {
    let customers = if shown.population == 1 { "customer" } else { "customers" };
    let mut out = format!(
        "{} as of {} ({}): {} {customers}\n\n",
        shown.project,
        shown.as_of,
        shown.zone,
        grouped(shown.population)
    );
    if shown.audiences.is_empty() {
        out.push_str("no rules\n");
        return out;
    }
    let mut table = Table::new();
    table.load_preset(LINES);
    match width {
        Some(width) => {
            table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
        }
        None => {
            table.set_content_arrangement(ContentArrangement::Disabled);
        }
    }
    table.set_header(["audience", "title", "size", "share", "arm"]);
    for audience in &shown.audiences {
        table.add_row([
            audience.rule.name.clone(),
            audience.rule.title.clone().unwrap_or_default(),
            grouped(audience.size),
            percent(audience.size, shown.population),
            arm(audience.rule),
        ]);
    }
    for right in [2, 3] {
        if let Some(column) = table.column_mut(right) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    for line in table.to_string().lines() {
        out.push_str(line.trim_end());
        out.push('\n');
    }
    for audience in &shown.audiences {
        let Some(ids) = &audience.customers else { continue };
        let more = audience.size.saturating_sub(ids.len());
        out.push_str(&format!("\n{}:\n", audience.rule.name));
        for id in ids {
            out.push_str(&format!("  {}\n", crate::language::diagnostic::render::visible(id)));
        }
        if more > 0 {
            out.push_str(&format!("  … and {} more\n", grouped(more)));
        }
    }
    out
}

/// For programs.
pub fn json(shown: &Shown) -> Value {
    let audiences = shown.audiences.iter().map(|a| {
        json!({
            "name": a.rule.name,
            "kind": match &a.rule.kind { RuleKind::Segment => "segment", RuleKind::Campaign { .. } => "campaign", RuleKind::Stage { .. } => "stage" },
            "title": a.rule.title,
            "description": a.rule.description,
            "size": a.size,
            "share": share(a.size, shown.population),
            "arm": match &a.rule.kind {
                RuleKind::Segment | RuleKind::Stage { .. } => Value::Null,
                RuleKind::Campaign { arm } => json!({
                    "action": arm.verb,
                    "arguments": arm.arguments,
                    "channel": arm.channel,
                }),
            },
            "customers": a.customers,
            "files": a.files,
        })
    });
    json!({
        "schema": SCHEMA,
        "segue": env!("CARGO_PKG_VERSION"),
        "project": shown.project,
        "as_of": shown.as_of,
        "timezone": shown.zone,
        "population": shown.population,
        "audiences": audiences.collect::<Vec<_>>(),
        "notices": shown.notices,
    })
}

/// `offer serum-15 by email`; a campaign without a channel says so.
fn arm(rule: &Rule) -> String {
    match &rule.kind {
        RuleKind::Segment | RuleKind::Stage { .. } => String::new(),
        RuleKind::Campaign { arm } => action(arm),
    }
}

/// An action as it could be written, with the channel that the catalog gives it.
pub fn action(arm: &Action) -> String {
    let mut text = arm.verb.clone();
    for argument in &arm.arguments {
        text.push(' ');
        text.push_str(argument);
    }
    match &arm.channel {
        Some(channel) => format!("{text} by {channel}"),
        None => format!("{text} (no channel)"),
    }
}

fn share(size: usize, population: usize) -> f64 {
    if population == 0 { 0.0 } else { size as f64 / population as f64 }
}

fn percent(size: usize, population: usize) -> String {
    format!("{:.1}%", share(size, population) * 100.0)
}

/// `1234567` as `1,234,567`.
pub fn grouped(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::ir::Cond;
    use crate::language::source::{SourceId, Span};

    fn rule(name: &str, title: Option<&str>, kind: RuleKind) -> Rule {
        let span = Span::new(SourceId(0), 0, 0);
        Rule {
            name: name.into(),
            title: title.map(Into::into),
            description: None,
            kind,
            condition: Cond::Const(true),
            span,
        }
    }

    #[test]
    fn numbers_are_grouped() {
        for (n, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(n), text);
        }
    }

    #[test]
    fn a_run_is_shown() {
        let arm = Action { verb: "offer".into(), arguments: vec!["serum-15".into()], channel: Some("email".into()) };
        let rules = [rule("all", Some("Everyone"), RuleKind::Segment), rule("win", None, RuleKind::Campaign { arm })];
        let audience = |rule, size, customers| Audience { rule, size, customers, files: Vec::new() };
        let shown = Shown {
            project: "shop",
            as_of: "2026-11-21T00:00:00+01:00".into(),
            zone: "Europe/Paris",
            population: 1200,
            audiences: vec![
                audience(&rules[0], 1200, None),
                audience(&rules[1], 3, Some(vec!["a\u{1b}".into(), "b".into()])),
            ],
            notices: Vec::new(),
        };
        let expected = "\
shop as of 2026-11-21T00:00:00+01:00 (Europe/Paris): 1,200 customers

  audience   title       size    share   arm
──────────────────────────────────────────────────────────────────
  all        Everyone   1,200   100.0%
  win                       3     0.2%   offer serum-15 by email

win:
  a\\u{1b}
  b
  … and 1 more
";
        assert_eq!(table(&shown, None), expected);
        let value = json(&shown);
        assert_eq!(value["audiences"][1]["arm"]["channel"], "email");
        assert_eq!(value["audiences"][0]["share"], 1.0);
    }
}
