//! How long ten thousand rules take from text to meaning, and how much memory.
//!
//! `cargo bench --no-default-features`; see `README.md` beside this file.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use segue::language::catalog::{Catalog, ProjectFile, load};
use segue::language::check::{self, CheckFile};
use segue::language::source::{SourceId, Sources};
use segue::language::syntax;

/// Rules in a file.
const PER_FILE: usize = 100;
/// Runs; the fastest and the middle one are told.
const RUNS: usize = 5;

fn main() {
    let rules = std::env::var("SEGUE_BENCH_RULES").ok().and_then(|n| n.parse().ok()).unwrap_or(10_000);
    let (catalog, project) = vocabulary();
    let texts = texts(rules);
    let bytes: usize = texts.iter().map(|(_, text)| text.len()).sum();
    let before = peak();
    let mut times = Vec::new();
    let mut said = (0, 0);
    for _ in 0..RUNS {
        let mut sources = Sources::default();
        let ids: Vec<SourceId> = texts.iter().map(|(name, text)| sources.add(name.clone(), text.as_str())).collect();
        let start = Moment::now();
        let parsed: Vec<_> = ids.iter().filter_map(|id| sources.get(*id)).map(syntax::parse).collect();
        let parse = start.elapsed();
        let broken: usize = parsed.iter().map(|p| p.diagnostics.len()).sum();
        assert_eq!(
            broken,
            0,
            "every generated rule is well-formed: {:#?}",
            parsed.iter().flat_map(|p| &p.diagnostics).next()
        );
        let files: Vec<CheckFile<'_>> =
            texts.iter().zip(&parsed).map(|((stem, _), p)| CheckFile { stem, parsed: &p.file }).collect();
        let start = Moment::now();
        let checked = check::check(&sources, &catalog, &project, &files);
        let check = start.elapsed();
        times.push((parse.0 + check.0, parse, check));
        let error = checked.diagnostics.iter().find(|d| d.is_error());
        assert!(error.is_none(), "every generated rule checks: {error:#?}");
        assert_eq!(checked.program.rules.len() + checked.program.traits.len(), rules);
        said = (checked.program.rules.len(), checked.diagnostics.len());
    }
    times.sort();
    println!(
        "{rules} declarations in {} files, {} KB; {} rules, {} warnings",
        texts.len(),
        bytes >> 10,
        said.0,
        said.1
    );
    for (what, run) in [("fastest", times.first()), ("median ", times.get(times.len() / 2))] {
        if let Some((whole, parse, check)) = run {
            let cpu = (parse.1 + check.1).as_millis();
            let (parse, check, whole) = (parse.0.as_millis(), check.0.as_millis(), whole.as_millis());
            println!("{what}  parse {parse} ms, check {check} ms, together {whole} ms, of it on a processor {cpu} ms");
        }
    }
    match (before, peak()) {
        (Some(before), Some(peak)) => println!("peak memory {peak} MB ({before} MB of them before the first run)"),
        _ => println!("peak memory is told on Linux only"),
    }
}

/// A point in time and how long this thread had a processor until then; on a busy machine the two differ.
struct Moment(Instant, Duration);

impl Moment {
    fn now() -> Moment {
        Moment(Instant::now(), on_processor())
    }

    fn elapsed(&self) -> (Duration, Duration) {
        (self.0.elapsed(), on_processor().saturating_sub(self.1))
    }
}

/// Linux tells it; zero elsewhere.
fn on_processor() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(text.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or(0))
}

/// The example's own vocabulary.
fn vocabulary() -> (Catalog, ProjectFile) {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/cosmetics");
    let read = |name: &str| std::fs::read_to_string(format!("{example}/{name}")).expect("the example is there");
    let mut sources = Sources::default();
    let id = sources.add("segue.yaml", read("segue.yaml"));
    let project = sources.get(id).and_then(|file| load::project(file).0).expect("the example's project");
    let id = sources.add("catalog.yaml", read("catalog.yaml"));
    let (catalog, found) = load::catalog(&mut sources, id);
    assert!(found.is_empty(), "{found:#?}");
    (catalog.expect("the example's catalog"), project)
}

/// Files of declarations in the mixture of a large project: most are segments of two to five conditions, some build on others,
/// a tenth are traits and a tenth campaigns. Deterministic.
fn texts(rules: usize) -> Vec<(String, String)> {
    let mut out = Vec::new();
    for first in (0..rules).step_by(PER_FILE) {
        let mut text = String::new();
        for n in first..rules.min(first + PER_FILE) {
            declaration(&mut text, n);
        }
        out.push((format!("rules_{first}"), text));
    }
    out
}

fn declaration(text: &mut String, n: usize) {
    let subjects = ["anti-aging", "serum", "makeup", "(lipstick or mascara)", "other than fragrance", "night-repair"];
    let subject = subjects[n % subjects.len()];
    let countries = ["FR", "DE", "IT", "ES", "BE"];
    let country = countries[n % countries.len()];
    let days = 7 + n % 358;
    let count = 2 + n % 7;
    let amount = 10 + n % 990;
    let _ = writeln!(text, "# Made for the benchmark: number {n}.");
    let _ = match n % 10 {
        0 => writeln!(text, "trait spend_{n}: sum(amount of purchased {subject} in {days}d)\n"),
        1 => writeln!(
            text,
            "campaign c_{n} \"Campaign {n}\":\n  purchased {subject} ≥ {count} in {days}d and no open in 30d\n  → offer serum-15 by email\n"
        ),
        2 => writeln!(
            text,
            "segment s_{n}:\n  purchased {subject} where (amount ≥ {amount} and channel in (web, app)) in {days}d\n  \
             and country = {country} and not is_member\n"
        ),
        3 => writeln!(text, "segment s_{n}:\n  s_{} and viewed ≥ {count} in {days}d\n", n - 1),
        4 => writeln!(
            text,
            "segment s_{n}:\n  (visited on ≥ {count} days in {}d or added_to_cart in {days}d)\n  and days since last purchased > {amount}\n",
            days + 30
        ),
        5 => writeln!(text, "segment s_{n}:\n  spend_{} ≥ {amount} and last purchased over {days}d ago\n", n - 5),
        6 => writeln!(
            text,
            "segment s_{n} \"Number {n}\":\n  first purchased between {}d and {days}d ago\n  but no purchased in {}d\n",
            days + 90,
            days.min(60)
        ),
        7 => writeln!(
            text,
            "segment s_{n}:\n  purchased since 2026-0{}-01 and country in (FR, DE, {country}) and tags has vip\n",
            1 + n % 9
        ),
        8 => writeln!(
            text,
            "segment s_{n}:\n  avg(amount of purchased in {days}d) between {amount} and {}\n",
            amount + 50
        ),
        _ => writeln!(
            text,
            "segment s_{n}:\n  known for {days}d and clicked where (campaign = winback) ≥ {count} in {days}d\n"
        ),
    };
}

/// The most memory that this process has had, in MB.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kb| kb >> 10)
}
