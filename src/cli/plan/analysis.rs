//! What was measured, as tables and as JSON.
//!
//! Owns: the forms of an analysis. It differs from run to run, and stands behind all that does not.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::show::grouped;
use super::show::{bytes, cut, grid, percent};
use crate::engine::explain::{Analysis, Explanation};
use crate::engine::meter::Stage;

/// For people.
pub fn table(explained: &Explanation, analysis: &Analysis, width: Option<u16>, most: usize) -> String {
    let totals = &analysis.totals;
    let number = |n: u64| grouped(usize::try_from(n).unwrap_or(usize::MAX));
    let passes = if totals.passes == 1 { "1 pass".to_owned() } else { format!("{} passes", number(totals.passes)) };
    let mut out = format!(
        "\nmeasured: {} ({passes}, {} of work), {} rows and {} read, {} row groups read and {} skipped\n\n",
        time(analysis.wall),
        time(totals.stages.iter().sum()),
        number(totals.rows),
        bytes(totals.bytes),
        number(totals.row_groups_read),
        number(totals.row_groups_pruned),
    );
    let work: f64 = totals.stages.iter().map(Duration::as_secs_f64).sum();
    let share = |seconds: f64| percent(if work > 0.0 { seconds / work } else { 0.0 });
    let stages: Vec<[String; 3]> = Stage::ALL
        .iter()
        .zip(totals.stages)
        .map(|(stage, spent)| [stage.name().to_owned(), time(spent), share(spent.as_secs_f64())])
        .collect();
    out.push_str(&grid(["stage", "time", "share"], stages, &[1, 2], width));
    let mut patterns: Vec<(usize, u64)> = analysis.entries.iter().copied().enumerate().collect();
    patterns.sort_by_key(|&(p, rows)| (std::cmp::Reverse(rows), p));
    let of = patterns.len();
    let rows: Vec<[String; 2]> = patterns
        .into_iter()
        .take(most)
        .filter_map(|(p, rows)| Some([explained.patterns.get(p)?.words.clone(), number(rows)]))
        .collect();
    // Standard aggregates tell rows of tables only.
    if !rows.is_empty() {
        let more = cut(of, rows.len(), "patterns");
        out.push_str(&format!("\n{}{more}", grid(["pattern", "rows"], rows, &[1], width)));
    }
    let mut rules: Vec<usize> = explained.asked();
    let cost = |rule: usize| analysis.rules.get(rule).copied().unwrap_or_default();
    rules.sort_by(|&a, &b| cost(b).share.total_cmp(&cost(a).share).then(a.cmp(&b)));
    let of = rules.len();
    let rows: Vec<[String; 5]> = rules
        .into_iter()
        .take(most)
        .filter_map(|rule| {
            let seconds = |s: f64| time(Duration::try_from_secs_f64(s).unwrap_or_default());
            let cost = cost(rule);
            Some([
                explained.rules.get(rule)?.name.clone(),
                grouped(analysis.members.get(rule).copied().unwrap_or(0)),
                seconds(cost.share),
                share(cost.share),
                seconds(cost.only),
            ])
        })
        .collect();
    let more = cut(of, rows.len(), "rules");
    out.push_str(&format!(
        "\n{}{more}",
        grid(["rule", "size", "time", "share", "only its"], rows, &[1, 2, 3, 4], width)
    ));
    out
}

/// For programs.
pub fn json(explained: &Explanation, analysis: &Analysis) -> Value {
    let totals = &analysis.totals;
    let stages: serde_json::Map<String, Value> = Stage::ALL
        .iter()
        .zip(totals.stages)
        .map(|(stage, spent)| (stage.name().to_owned(), json!(spent.as_secs_f64())))
        .collect();
    let rules = explained.asked().into_iter().filter_map(|rule| {
        let (name, cost) = (&explained.rules.get(rule)?.name, analysis.rules.get(rule)?);
        let size = analysis.members.get(rule);
        Some(json!({ "name": name, "size": size, "seconds": cost.share, "only_seconds": cost.only }))
    });
    let patterns =
        analysis.entries.iter().enumerate().map(|(p, rows)| json!({ "id": format!("p{}", p + 1), "rows": rows }));
    json!({
        "seconds": analysis.wall.as_secs_f64(),
        "passes": totals.passes,
        "rows": totals.rows,
        "bytes": totals.bytes,
        "files": totals.files,
        "row_groups": { "read": totals.row_groups_read, "skipped": totals.row_groups_pruned },
        "customers": analysis.customers,
        "stages": stages,
        "patterns": patterns.collect::<Vec<_>>(),
        "rules": rules.collect::<Vec<_>>(),
    })
}

/// `1.25 s`, `13.4 ms`
fn time(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds >= 1.0 { format!("{seconds:.2} s") } else { format!("{:.1} ms", seconds * 1000.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        assert_eq!(time(Duration::from_millis(1_250)), "1.25 s");
        assert_eq!(time(Duration::from_micros(13_400)), "13.4 ms");
    }
}
