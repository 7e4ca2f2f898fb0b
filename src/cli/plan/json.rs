//! A plan as JSON.
//!
//! Owns: the form for programs. Promises: everything; `schema` counts its versions, fields are only ever added.

use serde_json::{Value, json};

use super::super::moment;
use super::show::{ids, what};
use super::work::Planned;
use crate::engine::explain::Explanation;
use crate::language::calendar::Clock;

/// The version of the JSON.
const SCHEMA: u32 = 1;

pub fn json(planned: &Planned) -> Value {
    let explained = planned.explained;
    let clock = &planned.prepared.clock;
    let zone = &clock.zone;
    let instant = |at: i64| moment::shown(&Clock { as_of: at, zone: zone.clone() });
    let names = |rules: &[usize]| -> Vec<&str> {
        rules.iter().filter_map(|&r| explained.rules.get(r)).map(|rule| rule.name.as_str()).collect()
    };
    let patterns = explained.patterns.iter().enumerate().map(|(p, pattern)| {
        json!({
            "id": format!("p{}", p + 1),
            "text": pattern.words,
            "of": pattern.matched.of,
            "where": pattern.matched.condition,
            "rules": names(&pattern.rules),
        })
    });
    let terms = explained.terms.iter().enumerate().map(|(t, term)| {
        json!({
            "id": format!("t{}", t + 1),
            "text": term.words,
            "aggregate": term.aggregate,
            "pattern": format!("p{}", term.pattern + 1),
            "window": {
                "text": (!term.window.is_empty()).then_some(&term.window),
                "from": (term.from != i64::MIN).then(|| instant(term.from)),
                "to": instant(term.to.min(clock.as_of)),
            },
            "rules": names(&term.rules),
        })
    });
    let stories = explained.stories.iter().enumerate().map(|(s, story)| {
        json!({
            "id": format!("s{}", s + 1),
            "text": story.words,
            "kind": story.kind,
            "rules": names(&story.rules),
        })
    });
    let sharing = explained.sharing;
    let mut plan = json!({
        "schema": SCHEMA,
        "segue": env!("CARGO_PKG_VERSION"),
        "project": planned.project,
        "as_of": planned.as_of,
        "timezone": planned.prepared.project.file.timezone,
        "engine": { "name": "history", "passes": explained.passes, "at_once": explained.at_once, "memory_limit": planned.memory },
        "tables": tables(explained),
        "sharing": {
            "references": sharing.references,
            "terms": sharing.terms,
            "stories": sharing.stories,
            "patterns": sharing.patterns,
        },
        "patterns": patterns.collect::<Vec<_>>(),
        "terms": terms.collect::<Vec<_>>(),
        "stories": stories.collect::<Vec<_>>(),
        "rules": rules(explained),
    });
    // What was measured differs from run to run, and stands apart.
    if let (Some(analysis), Some(fields)) = (planned.analysis, plan.as_object_mut()) {
        fields.insert("measured".to_owned(), super::analysis::json(explained, analysis));
    }
    plan
}

fn tables(explained: &Explanation) -> Vec<Value> {
    let table = |table: &crate::engine::explain::TableRead| {
        let events =
            table.events.iter().map(|event| json!({ "name": event.name, "raw": event.raw, "filter": event.filter }));
        json!({
            "name": table.name,
            "kind": what(table.what),
            "columns": table.columns,
            "events": events.collect::<Vec<_>>(),
            "all_rows": table.everyone,
            "files": table.files,
            "rows": table.rows,
            "bytes": table.bytes,
        })
    };
    explained.tables.iter().map(table).collect()
}

fn rules(explained: &Explanation) -> Vec<Value> {
    let rule = |rule: &crate::engine::explain::RuleUse| {
        json!({
            "name": rule.name,
            "asked": !rule.helper,
            "uses": ids(rule),
            "rows": { "alone": rule.cost.alone, "only": rule.cost.only, "share": rule.cost.share },
            "ranks": rule.uses.ranks,
            "samples": rule.uses.samples,
            "first_trace": rule.uses.trace,
        })
    };
    explained.rules.iter().map(rule).collect()
}
