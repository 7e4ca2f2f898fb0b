//! `segue run`: the audiences of a project.

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::output::{Failure, Out};
use super::{Exit, Global, moment, workspace};
use crate::error::Error;
use crate::language::calendar::Clock;
use crate::language::diagnostic::nearest;
use crate::language::ir::{Program, Rule, RuleKind};
use crate::project::Project;

#[cfg(feature = "engine")]
mod work;
#[cfg(feature = "engine")]
pub(super) use work::block_on;

/// Evaluate the rules, show the audiences and write them
#[derive(Debug, clap::Args)]
#[cfg_attr(not(feature = "engine"), allow(dead_code))]
#[command(after_help = "\
Examples:
  segue run examples/cosmetics
  segue run --as-of 2026-11-21 --only winback
  segue run --rule 'purchased anti-aging ≥ 3 in 90d' --limit 20
  segue run --write parquet,csv --output out/monday
  segue run --format json | jq '.audiences[].size'

Built with the feature `cloud`, the catalog's paths may be s3://bucket/…; access comes from
AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL, AWS_ALLOW_HTTP.

Exit code: 0 done · 2 wrong call · 3 the project has errors · 4 files, data or engine · 130 interrupted")]
pub struct Args {
    /// The project's folder or its segue.yaml.
    path: Option<PathBuf>,
    /// The instant to judge by, exclusive: a date (its first moment in the project's zone) or an instant. Otherwise the project's
    /// `as_of`, else now.
    #[arg(long, value_name = "WHEN")]
    as_of: Option<String>,
    /// Only this segment, campaign or these stages (may be repeated).
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Evaluate only this rule, named `rule`; nothing is written.
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["only", "write", "output"])]
    rule: Option<String>,
    /// Show the first N customer ids of each audience.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    #[arg(long, value_name = "FORM", default_value = "table")]
    format: Format,
    /// The kinds of files to write, separated by commas.
    #[arg(long, value_name = "KINDS", value_delimiter = ',', default_value = "parquet", conflicts_with = "no_write")]
    write: Vec<FileKind>,
    /// Write no files.
    #[arg(long)]
    no_write: bool,
    /// Where the files go; otherwise the project's `output`.
    #[arg(long, short = 'o', value_name = "DIR", conflicts_with = "no_write")]
    output: Option<PathBuf>,
    /// Count the population also where no rule depends on it; every row is read for that.
    #[arg(long)]
    population: bool,
    /// Worker threads; otherwise one a processor.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// How much memory the engine may take (512MB, 4GiB); beyond, it reads the files several times.
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    memory_limit: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FileKind {
    Parquet,
    Csv,
    Jsonl,
}

/// `512MB`, `4GiB`, `1000000`
pub(super) fn parse_size(text: &str) -> Result<u64, String> {
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(split);
    let number: u64 = digits.parse().map_err(|_| "write a size such as 512MB or 4GiB".to_owned())?;
    let factor: u64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        _ => return Err("write a size such as 512MB or 4GiB".to_owned()),
    };
    number.checked_mul(factor).filter(|&n| n > 0).ok_or_else(|| "the size is out of range".to_owned())
}

#[cfg(feature = "engine")]
pub fn run(args: &Args, global: &Global, out: &Out) -> Result<Exit, Failure> {
    super::interrupt::watch();
    match prepare(&args.asked(), global, out)? {
        Some(prepared) => work::run(args, &prepared, out),
        None => Ok(Exit::Project),
    }
}

#[cfg(not(feature = "engine"))]
pub fn run(args: &Args, global: &Global, out: &Out) -> Result<Exit, Failure> {
    // What can be said without the engine is said first: a broken project is the same answer in every build.
    let Some(prepared) = prepare(&args.asked(), global, out)? else { return Ok(Exit::Project) };
    let _ = (prepared.project.root, prepared.program.rules, prepared.clock);
    for Shown::Rule(at) | Shown::Stages(at) in prepared.shown {
        let _ = at;
    }
    Err(super::output::no_engine("run"))
}

impl Args {
    fn asked(&self) -> Asked<'_> {
        Asked {
            path: self.path.as_deref(),
            as_of: self.as_of.as_deref(),
            only: &self.only,
            rule: self.rule.as_deref(),
            verb: "run",
        }
    }
}

/// What a verb that evaluates is asked for.
pub(super) struct Asked<'a> {
    pub path: Option<&'a Path>,
    pub as_of: Option<&'a str>,
    pub only: &'a [String],
    pub rule: Option<&'a str>,
    pub verb: &'a str,
}

/// What is to be evaluated.
pub(super) struct Prepared {
    pub project: Project,
    /// The rules that were asked for, and what they need.
    pub program: Program,
    /// What was asked for, by name.
    pub shown: Vec<Shown>,
    pub clock: Clock,
}

/// A place in the program.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shown {
    /// A segment or a campaign.
    Rule(usize),
    Stages(usize),
}

/// Everything up to the engine; `None` if the project has errors, which have been shown.
pub(super) fn prepare(asked: &Asked<'_>, global: &Global, out: &Out) -> Result<Option<Prepared>, Failure> {
    let mut project = workspace::load(asked.path, global)?;
    let typed = asked.rule.map(|text| project.add_rule(text));
    let checked = project.check(None);
    if workspace::complain(&project.sources, &checked.diagnostics, out) {
        return Ok(None);
    }
    let clock = moment::clock(asked.as_of, &project.file)?;
    for name in asked.only {
        known(name, &checked.program, asked.verb)?;
    }
    let wanted = |name: &str| match &typed {
        Some(names) => names.iter().any(|n| n == name),
        None => asked.only.is_empty() || asked.only.iter().any(|n| n == name),
    };
    // Of stages all lines or none.
    let program = checked.program.keep(|rule: &Rule| wanted(checked.program.declared(rule)));
    let rules = program.rules.iter().enumerate().filter(|(_, rule)| !matches!(rule.kind, RuleKind::Stage { .. }));
    let rules = rules.map(|(i, rule)| (rule.name.as_str(), Shown::Rule(i)));
    let stages = program.stages.iter().enumerate().map(|(i, stages)| (stages.name.as_str(), Shown::Stages(i)));
    let mut shown: Vec<(&str, Shown)> = rules.chain(stages).filter(|(name, _)| wanted(name)).collect();
    shown.sort_unstable_by_key(|(name, _)| *name);
    let shown: Vec<Shown> = shown.into_iter().map(|(_, shown)| shown).collect();
    if asked.rule.is_some() && shown.is_empty() {
        return Err(Error::usage("`--rule` holds no segment and no campaign")
            .with_help("write a condition, such as `purchased ≥ 3 in 90d`")
            .into());
    }
    Ok(Some(Prepared { project, program, shown, clock }))
}

/// Refuses a name that nothing in the project has that can be run.
fn known(name: &str, program: &Program, verb: &str) -> Result<(), Error> {
    let names: Vec<&str> = program.rules.iter().map(|rule| program.declared(rule)).collect();
    if names.contains(&name) {
        return Ok(());
    }
    let help = match nearest(name, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("`segue {verb}` without `--only` shows all names"),
    };
    Err(Error::usage(format!("no segment, campaign or stages are called `{name}`")).with_help(help))
}

#[cfg(test)]
mod tests {
    use super::parse_size;

    #[test]
    fn sizes() {
        assert_eq!(parse_size("512MB"), Ok(512 << 20));
        assert_eq!(parse_size("4GiB"), Ok(4 << 30));
        assert_eq!(parse_size("7"), Ok(7));
        for bad in ["", "MB", "-1", "1.5GB", "1 parsec", "0", "99999999999GB"] {
            assert!(parse_size(bad).is_err(), "{bad}");
        }
    }
}
