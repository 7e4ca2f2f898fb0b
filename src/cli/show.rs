//! Audiences as a table and as JSON.
//!
//! Owns: the two forms of what a run found. The JSON is stable: `schema` counts its versions, fields are only ever added.

use comfy_table::{CellAlignment, ContentArrangement, Table};
use serde_json::{Value, json};

use crate::language::ir::{Action, Arithmetic, Arm, Campaign, Rule, Stages, Take};
use crate::language::num::Num;

/// The version of the JSON.
pub const SCHEMA: u32 = 1;

/// A line below the head and nothing else.
const LINES: &str = "    ────           ";

/// A table of that form; as wide as it must be where no width is known.
pub(super) fn lined(width: Option<u16>) -> Table {
    let mut table = Table::new();
    table.load_preset(LINES);
    match width {
        Some(width) => table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width),
        None => table.set_content_arrangement(ContentArrangement::Disabled),
    };
    table
}

/// The members of a segment or campaign, or the customers in stages.
#[derive(Debug)]
pub struct Audience<'a> {
    pub of: Of<'a>,
    /// Of stages, how many customers are in one.
    pub size: usize,
    /// What was written, as paths.
    pub files: Vec<String>,
}

/// What an audience is of.
#[derive(Debug)]
pub enum Of<'a> {
    Rule {
        rule: &'a Rule,
        /// What is done with its members, of a campaign.
        campaign: Option<&'a Campaign>,
        /// The first ids, if they were asked for.
        customers: Option<Vec<String>>,
    },
    Stages {
        stages: &'a Stages,
        /// In the order of the text.
        lines: Vec<Stage<'a>>,
    },
}

/// The customers in one stage.
#[derive(Debug)]
pub struct Stage<'a> {
    pub name: &'a str,
    pub size: usize,
    /// The first ids, if they were asked for.
    pub customers: Option<Vec<String>>,
}

impl Audience<'_> {
    fn name(&self) -> &str {
        match &self.of {
            Of::Rule { rule, .. } => &rule.name,
            Of::Stages { stages, .. } => &stages.name,
        }
    }

    fn title(&self) -> Option<&str> {
        match &self.of {
            Of::Rule { rule, .. } => rule.title.as_deref(),
            Of::Stages { stages, .. } => stages.title.as_deref(),
        }
    }

    fn description(&self) -> Option<&str> {
        match &self.of {
            Of::Rule { rule, .. } => rule.description.as_deref(),
            Of::Stages { stages, .. } => stages.description.as_deref(),
        }
    }
}

/// A whole run.
#[derive(Debug)]
pub struct Shown<'a> {
    pub project: &'a str,
    /// With the zone's offset at that instant.
    pub as_of: String,
    pub zone: &'a str,
    /// `None` where only the members of rules were counted.
    pub population: Option<usize>,
    /// By name.
    pub audiences: Vec<Audience<'a>>,
    pub notices: Vec<String>,
}

/// For people. `width` is the terminal's, if there is one.
pub fn table(shown: &Shown, width: Option<u16>) -> String {
    let population = match shown.population {
        Some(1) => "1 customer".to_owned(),
        Some(n) => format!("{} customers", grouped(n)),
        None => "the population was not counted".to_owned(),
    };
    let mut out = format!("{} as of {} ({}): {population}\n\n", shown.project, shown.as_of, shown.zone);
    if shown.audiences.is_empty() {
        out.push_str("no rules\n");
        return out;
    }
    let mut table = lined(width);
    table.set_header(["audience", "title", "size", "share", "arm"]);
    for audience in &shown.audiences {
        let (arm, stages) = match &audience.of {
            Of::Rule { campaign, .. } => (campaign.map_or(String::new(), arms), [].as_slice()),
            Of::Stages { lines, .. } => (String::new(), lines.as_slice()),
        };
        let row = |name: String, title: &str, size: usize, arm: String| {
            [name, title.to_owned(), grouped(size), percent(size, shown.population), arm]
        };
        table.add_row(row(audience.name().to_owned(), audience.title().unwrap_or_default(), audience.size, arm));
        for stage in stages {
            table.add_row(row(format!("  {}", stage.name), "", stage.size, String::new()));
        }
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
        match &audience.of {
            Of::Rule { rule, customers, .. } => out.push_str(&listed(&rule.name, audience.size, customers.as_deref())),
            Of::Stages { stages, lines } => lines.iter().for_each(|line| {
                let name = format!("{}.{}", stages.name, line.name);
                out.push_str(&listed(&name, line.size, line.customers.as_deref()));
            }),
        }
    }
    out
}

/// The first ids below a name, where they were asked for.
fn listed(name: &str, size: usize, ids: Option<&[String]>) -> String {
    let Some(ids) = ids else { return String::new() };
    let mut out = format!("\n{name}:\n");
    for id in ids {
        out.push_str(&format!("  {}\n", crate::language::diagnostic::render::visible(id)));
    }
    let more = size.saturating_sub(ids.len());
    if more > 0 {
        out.push_str(&format!("  … and {} more\n", grouped(more)));
    }
    out
}

/// For programs.
pub fn json(shown: &Shown) -> Value {
    let audiences = shown.audiences.iter().map(|a| {
        let (kind, arm, customers, stages) = match &a.of {
            Of::Rule { campaign: None, customers, .. } => ("segment", Value::Null, json!(customers), None),
            Of::Rule { campaign: Some(campaign), customers, .. } => {
                let arm = match campaign.arms.as_slice() {
                    [Arm { take: Take::All, action, .. }] => {
                        json!({ "action": action.verb, "arguments": action.arguments, "channel": action.channel })
                    }
                    _ => Value::Null,
                };
                ("campaign", arm, json!(customers), None)
            }
            Of::Stages { lines, .. } => {
                let line = |line: &Stage| {
                    json!({
                        "stage": line.name,
                        "size": line.size,
                        "share": share(line.size, shown.population),
                        "customers": line.customers,
                    })
                };
                ("stages", Value::Null, Value::Null, Some(lines.iter().map(line).collect::<Vec<_>>()))
            }
        };
        let mut audience = json!({
            "name": a.name(),
            "kind": kind,
            "title": a.title(),
            "description": a.description(),
            "size": a.size,
            "share": share(a.size, shown.population),
            "arm": arm,
            "customers": customers,
            "files": a.files,
        });
        if let (Some(stages), Some(fields)) = (stages, audience.as_object_mut()) {
            fields.insert("stages".to_owned(), json!(stages));
        }
        audience
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

/// `offer serum-15 by email`, `a 45%: offer serum-15 by email; b 45%: offer serum-20 by email; hold out 10%`
pub fn arms(campaign: &Campaign) -> String {
    let share = |share: Num| {
        let text = share.combine(Arithmetic::Multiply, Num::int(100)).unwrap_or(share).to_string();
        let short = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
        format!("{short}%")
    };
    let arm = |arm: &Arm| match arm.take {
        Take::All => action(&arm.action),
        Take::When(_) => format!("{} when …: {}", arm.name, action(&arm.action)),
        Take::Otherwise => format!("{} otherwise: {}", arm.name, action(&arm.action)),
        Take::Share(of) => format!("{} {}: {}", arm.name, share(of), action(&arm.action)),
    };
    let mut said: Vec<String> = campaign.arms.iter().map(arm).collect();
    said.extend(campaign.hold_out.map(|of| format!("hold out {}", share(of))));
    said.join("; ")
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

/// `None` where it is not known of how many.
fn share(size: usize, population: Option<usize>) -> Option<f64> {
    population.map(|all| if all == 0 { 0.0 } else { size as f64 / all as f64 })
}

fn percent(size: usize, population: Option<usize>) -> String {
    share(size, population).map_or(String::new(), |share| format!("{:.1}%", share * 100.0))
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
    use crate::language::ir::{Cond, RuleId, RuleKind};
    use crate::language::source::{SourceId, Span};

    fn rule(name: &str, title: Option<&str>) -> Rule {
        let span = Span::new(SourceId(0), 0, 0);
        Rule {
            name: name.into(),
            title: title.map(Into::into),
            description: None,
            kind: RuleKind::Segment,
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
        let action = Action { verb: "offer".into(), arguments: vec!["serum-15".into()], channel: Some("email".into()) };
        let arms = vec![Arm { name: "1".into(), take: Take::All, action }];
        let campaign = Campaign::of(RuleId(1), arms);
        let rules = [rule("all", Some("Everyone")), rule("win", None)];
        let stages = Stages {
            name: "journey".into(),
            title: Some("How far".into()),
            description: None,
            lines: Vec::new(),
            span: Span::new(SourceId(0), 0, 0),
        };
        let audience = |rule, campaign, size, customers| Audience {
            of: Of::Rule { rule, campaign, customers },
            size,
            files: Vec::new(),
        };
        let stage = |name, size, customers| Stage { name, size, customers };
        let lines = vec![stage("decision", 2, Some(vec!["c".into()])), stage("unaware", 0, Some(Vec::new()))];
        let shown = Shown {
            project: "shop",
            as_of: "2026-11-21T00:00:00+01:00".into(),
            zone: "Europe/Paris",
            population: Some(1200),
            audiences: vec![
                audience(&rules[0], None, 1200, None),
                Audience { of: Of::Stages { stages: &stages, lines }, size: 2, files: Vec::new() },
                audience(&rules[1], Some(&campaign), 3, Some(vec!["a\u{1b}".into(), "b".into()])),
            ],
            notices: Vec::new(),
        };
        let expected = "\
shop as of 2026-11-21T00:00:00+01:00 (Europe/Paris): 1,200 customers

  audience     title       size    share   arm
────────────────────────────────────────────────────────────────────
  all          Everyone   1,200   100.0%
  journey      How far        2     0.2%
    decision                  2     0.2%
    unaware                   0     0.0%
  win                         3     0.2%   offer serum-15 by email

journey.decision:
  c
  … and 1 more

journey.unaware:

win:
  a\\u{1b}
  b
  … and 1 more
";
        assert_eq!(table(&shown, None), expected);
        let value = json(&shown);
        assert_eq!(value["audiences"][2]["arm"]["channel"], "email");
        assert_eq!(value["audiences"][0]["share"], 1.0);
        assert!(value["audiences"][0].get("stages").is_none());
        let uncounted = Shown { population: None, ..shown };
        assert!(table(&uncounted, None).starts_with(
            "shop as of 2026-11-21T00:00:00+01:00 (Europe/Paris): the population was not counted\n\n  audience     title       size   share"
        ));
        let nothing = json(&uncounted);
        assert_eq!((&nothing["population"], &nothing["audiences"][0]["share"]), (&Value::Null, &Value::Null));
        let stages = &value["audiences"][1];
        assert_eq!((&stages["kind"], &stages["size"]), (&json!("stages"), &json!(2)));
        assert_eq!(
            stages["stages"][0],
            json!({ "stage": "decision", "size": 2, "share": 2.0 / 1200.0, "customers": ["c"] })
        );
    }
}
