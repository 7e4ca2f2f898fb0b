//! A plan as tables.
//!
//! Owns: the form for people. Promises: what is long is cut, and says so.

use comfy_table::CellAlignment;

use super::super::show::{grouped, lined};
use super::work::Planned;
use crate::engine::explain::{Explanation, RuleUse, TableRead, What, instant};

/// So many terms, stories and rules are shown.
const MOST: usize = 20;
/// So many parts of one rule are named.
const MOST_PARTS: usize = 8;

/// For people. `width` is the terminal's, if there is one.
pub fn table(planned: &Planned, width: Option<u16>, all: bool) -> String {
    let explained = planned.explained;
    let most = if all { usize::MAX } else { MOST };
    let zone = &planned.prepared.project.file.timezone;
    let mut out = format!("{} as of {} ({zone})\n", planned.project, planned.as_of);
    out.push_str(&how(planned));
    out.push_str("\nreads\n");
    out.push_str(&reads(explained, width));
    out.push_str(&sharing(explained));
    out.push_str(&terms(planned, width, most));
    out.push_str(&stories(explained, width, most));
    out.push_str(&rules(explained, width, most, all));
    if let Some(analysis) = planned.analysis {
        out.push_str(&super::analysis::table(explained, analysis, width, most));
    }
    out
}

/// How it is run, and why.
fn how(planned: &Planned) -> String {
    let why = match planned.memory {
        Some(limit) => format!("what is kept should fit into the memory limit of {}", bytes(limit)),
        None => "no memory limit is set".to_owned(),
    };
    if let (n, Some(at_once)) = (planned.explained.passes, planned.explained.at_once) {
        let n = grouped(n);
        return format!(
            "engine: history of each customer, {n} passes over the compacted store, {at_once} at once (each reads files of its own)\n"
        );
    }
    match planned.explained.passes {
        1 => format!("engine: history of each customer, one pass over the files ({why})\n"),
        n => format!("engine: history of each customer, {} passes over the files ({why})\n", grouped(n)),
    }
}

fn reads(explained: &Explanation, width: Option<u16>) -> String {
    let mut rows = Vec::new();
    for table in &explained.tables {
        rows.push([
            table.name.clone(),
            what(table.what).to_owned(),
            grouped(table.files),
            grouped(usize::try_from(table.rows).unwrap_or(usize::MAX)),
            bytes(table.bytes),
            table.columns.join(", "),
        ]);
    }
    let mut out = grid(["table", "", "files", "rows", "bytes", "columns"], rows, &[2, 3, 4], width);
    for table in &explained.tables {
        out.push_str(&events(table));
    }
    out
}

/// What is asked of the rows of a source.
fn events(table: &TableRead) -> String {
    let mut out = String::new();
    if !table.events.is_empty() {
        let names: Vec<String> = table
            .events
            .iter()
            .map(|event| match &event.filter {
                Some(filter) => format!("{} where ({filter})", event.name),
                None => event.name.clone(),
            })
            .collect();
        out.push_str(&format!("\n{}: {}\n", table.name, names.join(", ")));
        if table.everyone {
            out.push_str("  and all other rows, which say who the customers are\n");
        }
    }
    out
}

fn sharing(explained: &Explanation) -> String {
    let sharing = explained.sharing;
    let rules = explained.rules.iter().filter(|rule| !rule.helper).count();
    let plural = |n: usize, one: &str, many: &str| format!("{} {}", grouped(n), if n == 1 { one } else { many });
    let stories = match sharing.stories {
        0 => String::new(),
        n => format!(" and {}", plural(n, "story", "stories")),
    };
    format!(
        "\n{}, {}: {}{stories} over {}\n",
        plural(rules, "rule", "rules"),
        plural(sharing.references, "reference", "references"),
        plural(sharing.terms, "term", "terms"),
        plural(sharing.patterns, "pattern", "patterns"),
    )
}

fn terms(planned: &Planned, width: Option<u16>, most: usize) -> String {
    let zone = &planned.prepared.clock.zone;
    let terms = &planned.explained.terms;
    let mut order: Vec<usize> =
        (0..terms.len()).filter(|&t| terms.get(t).is_some_and(|t| !t.rules.is_empty())).collect();
    let of = order.len();
    // The most shared ones, in the order of their numbers.
    order.sort_by_key(|&t| (std::cmp::Reverse(terms.get(t).map_or(0, |t| t.rules.len())), t));
    order.truncate(most);
    order.sort_unstable();
    let rows: Vec<[String; 4]> = order
        .into_iter()
        .filter_map(|t| Some((t, terms.get(t)?)))
        .map(|(t, term)| {
            let ever = term.from == i64::MIN && term.to >= planned.prepared.clock.as_of;
            let from = if term.from == i64::MIN { String::new() } else { format!("{} ", instant(term.from, zone)) };
            let window = if ever { String::new() } else { format!("{from}to {}", instant(term.to, zone)) };
            [format!("t{}", t + 1), term.words.clone(), window, grouped(term.rules.len())]
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    let cut = cut(of, rows.len(), "terms");
    format!("\n{}{cut}", grid(["term", "", "window", "rules"], rows, &[3], width))
}

fn stories(explained: &Explanation, width: Option<u16>, most: usize) -> String {
    let used = explained.stories.iter().enumerate().filter(|(_, story)| !story.rules.is_empty());
    let rows: Vec<[String; 4]> = used
        .map(|(s, story)| {
            [format!("s{}", s + 1), story.words.clone(), story.kind.to_owned(), grouped(story.rules.len())]
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    let of = rows.len();
    let rows: Vec<_> = rows.into_iter().take(most).collect();
    let cut = cut(of, rows.len(), "stories");
    format!("\n{}{cut}", grid(["story", "", "kind", "rules"], rows, &[3], width))
}

fn rules(explained: &Explanation, width: Option<u16>, most: usize, all: bool) -> String {
    let mut asked: Vec<&RuleUse> = explained.rules.iter().filter(|rule| !rule.helper).collect();
    asked.sort_by_key(|rule| &rule.name);
    let of = asked.len();
    // Of all rows, each rule's part; what several need is split evenly.
    let whole: f64 = explained.pieces.iter().map(|piece| piece.weight).sum();
    let rows: Vec<[String; 6]> = asked
        .into_iter()
        .take(most)
        .map(|rule| {
            let cost = rule.cost;
            let share = if whole > 0.0 { cost.share / whole } else { 0.0 };
            [
                rule.name.clone(),
                grouped(cost.alone as usize),
                grouped(cost.only as usize),
                percent(share),
                parts(rule, all),
                also(rule),
            ]
        })
        .collect();
    let cut = cut(of, rows.len(), "rules");
    format!("\n{}{cut}", grid(["rule", "rows", "only its", "share", "uses", ""], rows, &[1, 2, 3], width))
}

/// `12.5%`
pub(super) fn percent(share: f64) -> String {
    format!("{:.1}%", share * 100.0)
}

/// `t1 t2 s1`
fn parts(rule: &RuleUse, all: bool) -> String {
    let names = ids(rule);
    let most = if all { usize::MAX } else { MOST_PARTS };
    let more = names.len().saturating_sub(most);
    let mut text = names.into_iter().take(most).collect::<Vec<_>>().join(" ");
    if more > 0 {
        text.push_str(&format!(" … {more} more"));
    }
    text
}

/// The names of the terms and stories that a rule uses.
pub(super) fn ids(rule: &RuleUse) -> Vec<String> {
    let terms = rule.uses.terms.iter().map(|t| format!("t{}", t + 1));
    terms.chain(rule.uses.stories.iter().map(|s| format!("s{}", s + 1))).collect()
}

fn also(rule: &RuleUse) -> String {
    let also = [(rule.uses.ranks, "ranks customers"), (rule.uses.samples, "sample"), (rule.uses.trace, "first trace")];
    also.into_iter().filter(|(yes, _)| *yes).map(|(_, word)| word).collect::<Vec<_>>().join(", ")
}

pub(super) fn cut(of: usize, shown: usize, what: &str) -> String {
    match of.saturating_sub(shown) {
        0 => String::new(),
        more => format!("  … {} more {what} (`--all` shows them)\n", grouped(more)),
    }
}

pub(super) fn what(what: What) -> &'static str {
    match what {
        What::Source => "source",
        What::Profile => "profile",
        What::List => "list",
        What::Lookup => "look-up",
        What::Links => "links",
    }
}

/// `1.2 MB`
pub(super) fn bytes(n: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if n < 1000 {
        return format!("{n} B");
    }
    let mut size = n as f64 / 1000.0;
    let mut unit = "kB";
    for next in UNITS {
        unit = next;
        if size < 999.95 {
            break;
        }
        size /= 1000.0;
    }
    format!("{size:.1} {unit}")
}

/// A table; the numbered columns stand to the right.
pub(super) fn grid<const N: usize>(
    head: [&str; N],
    rows: Vec<[String; N]>,
    right: &[usize],
    width: Option<u16>,
) -> String {
    let mut table = lined(width);
    table.set_header(head);
    for row in rows {
        table.add_row(row);
    }
    for &at in right {
        if let Some(column) = table.column_mut(at) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut out = String::new();
    for line in table.to_string().lines() {
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn sizes_are_short() {
        for (n, text) in [(0, "0 B"), (999, "999 B"), (1_000, "1.0 kB"), (999_999, "1.0 MB"), (2_500_000_000, "2.5 GB")]
        {
            assert_eq!(bytes(n), text);
        }
    }
}
