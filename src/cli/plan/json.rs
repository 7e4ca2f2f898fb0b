//! A plan as JSON.
//!
//! Owns: the form for programs. Promises: everything; `schema` counts its versions, fields are only ever added.

use serde_json::{Value, json};

use super::super::moment;
use super::show::{ids, what};
use super::work::Planned;
use crate::engine::explain::{Explanation, Part, TableRead, Way};
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
    let (sharing, decision) = (explained.sharing, &explained.decision);
    let mut plan = json!({
        "schema": SCHEMA,
        "segue": env!("CARGO_PKG_VERSION"),
        "project": planned.project,
        "as_of": planned.as_of,
        "timezone": planned.prepared.project.file.timezone,
        "engine": {
            "name": decision.engine.name(),
            "why": decision.why_engine,
            "passes": decision.passes.shares().len(),
            "at_once": decision.passes.at_once(),
            "why_passes": decision.why_passes,
            "memory_limit": planned.memory,
        },
        "tables": tables(planned, &instant),
        "cache": explained.kept.sources.iter().map(|source| json!({
            "source": source.name,
            "kept": { "files": source.held.files, "rows": source.held.rows },
            "to_read": { "files": source.read.files, "rows": source.read.rows },
            "why_not": source.why,
        })).collect::<Vec<_>>(),
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

fn tables(planned: &Planned, instant: &dyn Fn(i64) -> String) -> Vec<Value> {
    let as_of = planned.prepared.clock.as_of;
    let table = |table: &TableRead| {
        let events = table.events.iter().map(|event| {
            json!({
                "name": event.name,
                "raw": event.raw,
                "filter": event.filter,
                "from": (event.from != i64::MIN).then(|| instant(event.from)),
                "to": instant(event.to.min(as_of)),
            })
        });
        let way = table.way.as_ref().map(|way| match way {
            Way::ByBucket => json!({ "by_bucket": true, "why": null }),
            Way::AsItLies(why) => json!({ "by_bucket": false, "why": why }),
        });
        let read = &table.read;
        let parts = |of: fn(Part) -> u64| {
            json!({
                "files": of(read.files),
                "row_groups": of(read.row_groups),
                "pages": of(read.pages),
                "rows": of(read.rows),
                "bytes": of(read.bytes),
            })
        };
        json!({
            "name": table.name,
            "kind": what(table.what),
            "columns": table.columns,
            "columns_left_out": table.width.saturating_sub(table.columns.len()),
            "events": events.collect::<Vec<_>>(),
            "all_rows": table.everyone,
            "layout": way,
            "files": table.files,
            "rows": table.rows,
            "bytes": table.bytes,
            "scans": table.scans,
            "read": parts(|part| part.read),
            "skipped": parts(Part::skipped),
        })
    };
    planned.explained.tables.iter().map(table).collect()
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
