//! A plan as tables.
//!
//! Owns: the form for people. Promises: what is long is cut, and says so.

use comfy_table::CellAlignment;

use super::super::show::{grouped, lined};
use super::work::Planned;
use crate::engine::OfSource;
use crate::engine::explain::{Engine, Explanation, Part, RuleUse, TableRead, Way, What, instant};

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
    out.push('\n');
    out.push_str(&reads(planned, width));
    out.push_str(&kept(explained));
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
    let decision = &planned.explained.decision;
    let passes = decision.passes.shares().len();
    let (n, why) = (grouped(passes), &decision.why_passes);
    let passes = match (decision.passes.at_once(), passes) {
        _ if decision.engine == Engine::Standard => "each table for every statement that names it".to_owned(),
        (Some(at_once), _) => format!("{n} passes over the compacted store, {at_once} at once"),
        (None, 1) => "one pass over the files".to_owned(),
        (None, _) => format!("{n} passes over the files"),
    };
    let limit = planned.memory.map_or_else(String::new, |limit| format!(" of {}", bytes(limit)));
    let why = why.replace("memory limit", &format!("memory limit{limit}"));
    format!("engine: {}: {}\nreads: {passes} ({why})\n", decision.engine.name(), decision.why_engine)
}

fn reads(planned: &Planned, width: Option<u16>) -> String {
    let tables = &planned.explained.tables;
    let mut rows = Vec::new();
    for table in tables {
        let read = &table.read;
        let twice = if table.scans > 1 { format!(" (read {} times)", table.scans) } else { String::new() };
        let columns = match table.width.saturating_sub(table.columns.len()) {
            0 => String::new(),
            _ => format!("{} of {}: ", table.columns.len(), table.width),
        };
        rows.push([
            format!("{}{twice}", table.name),
            what(table.what).to_owned(),
            of(read.files, &number),
            if read.row_groups.all == 0 { String::new() } else { of(read.row_groups, &number) },
            of(read.rows, &number),
            of(read.bytes, &bytes),
            format!("{columns}{}", table.columns.join(", ")),
        ]);
    }
    let head = ["table", "", "files", "row groups", "rows", "bytes", "columns"];
    let mut out = grid(head, rows, &[2, 3, 4, 5], width);
    for table in tables {
        out.push_str(&source(planned, table));
    }
    out
}

/// What a run would have of earlier ones.
fn kept(explained: &Explanation) -> String {
    let mut out = String::new();
    for source in &explained.kept.sources {
        out.push_str(&format!("{}\n", of_source(source)));
    }
    if out.is_empty() { out } else { format!("\nwith --cache\n{out}") }
}

/// `activity: 398 files need not be read again, 2 files to read`
fn of_source(source: &OfSource) -> String {
    let OfSource { name, held, added, read, why } = source;
    let files = |n: u64| if n == 1 { "1 file".to_owned() } else { format!("{} files", number(n)) };
    let anew = added.files + read.files;
    match (why, held.files, anew) {
        (Some(why), ..) => format!("{name}: read in every run, for {why}"),
        (None, 0, _) => format!("{name}: nothing is kept of earlier runs of these rules, {} to read", files(anew)),
        (None, held, 0) => format!("{name}: {} need not be read again", files(held)),
        (None, held, n) => format!("{name}: {} need not be read again, {} to read", files(held), files(n)),
    }
}

fn number(n: u64) -> String {
    grouped(usize::try_from(n).unwrap_or(usize::MAX))
}

/// `14`, where not all is read `3 of 14`.
fn of(part: Part, form: &dyn Fn(u64) -> String) -> String {
    if part.skipped() == 0 { form(part.all) } else { format!("{} of {}", form(part.read), form(part.all)) }
}

/// What is asked of the rows of a source, and how they come.
fn source(planned: &Planned, table: &TableRead) -> String {
    let Some(way) = &table.way else { return String::new() };
    let way = match way {
        Way::ByBucket => "read by bucket: its files hold customers of their own".to_owned(),
        Way::AsItLies(why) => format!("read as it lies: {why}"),
    };
    let mut out = format!("\n{}, {way}\n", table.name);
    // Events of which the same time is asked for stand together, the widest time first.
    let mut times: Vec<((i64, i64), Vec<String>)> = Vec::new();
    for event in &table.events {
        let words = match &event.filter {
            Some(filter) => format!("{} where ({filter})", event.name),
            None => event.name.clone(),
        };
        match times.iter_mut().find(|(time, _)| *time == (event.from, event.to)) {
            Some((_, events)) => events.push(words),
            None => times.push(((event.from, event.to), vec![words])),
        }
    }
    times.sort_by_key(|((from, to), _)| (*from, std::cmp::Reverse(*to)));
    for ((from, to), events) in times {
        out.push_str(&format!("  {}: {}\n", when(planned, from, to), events.join(", ")));
    }
    if table.everyone {
        out.push_str("  and all other rows, which say who the customers are\n");
    }
    out
}

/// `2026-08-23 to 2026-11-21`, or as little as is known of it.
fn when(planned: &Planned, from: i64, to: i64) -> String {
    let clock = &planned.prepared.clock;
    match (from, to.min(clock.as_of)) {
        (i64::MIN, to) if to == clock.as_of => "at any time".to_owned(),
        (i64::MIN, to) => format!("to {}", instant(to, &clock.zone)),
        (from, to) => format!("{} to {}", instant(from, &clock.zone), instant(to, &clock.zone)),
    }
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
