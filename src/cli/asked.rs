//! What a verb that evaluates is asked for: rules, an instant, and what it may use.
//!
//! Owns: the arguments that `run` and `plan` share, and everything up to the engine. Promises: one flag means the same to both.

use std::path::PathBuf;

use clap::ValueEnum;

use super::output::{Failure, Out};
use super::{Global, moment, workspace};
#[cfg(feature = "engine")]
use crate::engine;
use crate::error::Error;
use crate::language::calendar::Clock;
use crate::language::diagnostic::nearest;
use crate::language::ir::{Program, Rule, RuleKind};
use crate::project::Project;

/// Which rules of which project, judged when.
#[derive(Debug, clap::Args)]
pub(super) struct Asked {
    /// The project's folder or its segue.yaml.
    pub path: Option<PathBuf>,
    /// The instant to judge by, exclusive: a date (its first moment in the project's zone) or an instant. Otherwise the project's
    /// `as_of`, else now.
    #[arg(long, value_name = "WHEN")]
    pub as_of: Option<String>,
    /// Only this segment, campaign or these stages (may be repeated).
    #[arg(long, value_name = "NAME")]
    pub only: Vec<String>,
    /// Only this rule, named `rule`; nothing is written.
    #[arg(long, value_name = "TEXT", conflicts_with = "only")]
    pub rule: Option<String>,
}

/// What a run may use.
#[derive(Debug, Clone, Copy, clap::Args)]
#[cfg_attr(not(feature = "engine"), allow(dead_code))]
pub(super) struct Limits {
    /// Worker threads; otherwise one a processor.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// How much memory the engine may take (512MB, 4GiB); beyond, it reads the files several times.
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub memory_limit: Option<u64>,
    /// What evaluates the rules; the answers are the same.
    #[arg(long, value_name = "ENGINE", default_value = "auto")]
    pub engine: Engine,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Engine {
    /// What is best for these rules and files; `segue plan` tells which and why.
    Auto,
    /// One scan, and all rules together.
    Kernel,
    /// SQL with standard aggregates, where it can say all rules.
    Standard,
}

#[cfg(feature = "engine")]
impl Limits {
    /// The limit in bytes, where there is one.
    pub fn memory(&self, project: &Project) -> Option<u64> {
        self.memory_limit.or(project.file.memory_limit)
    }

    /// As the engine takes them.
    pub fn of(&self, project: &Project) -> engine::Limits {
        engine::Limits {
            threads: self.threads.map(usize::from),
            memory: self.memory(project).map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX)),
            batch_rows: None,
            engine: match self.engine {
                Engine::Auto => engine::Choice::Auto,
                Engine::Kernel => engine::Choice::Only(engine::Engine::Kernel),
                Engine::Standard => engine::Choice::Only(engine::Engine::Standard),
            },
        }
    }
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

impl Shown {
    /// What it is called.
    #[cfg_attr(not(feature = "engine"), allow(dead_code))]
    pub fn name(self, program: &Program) -> Option<&str> {
        match self {
            Shown::Rule(rule) => Some(program.rules.get(rule)?.name.as_str()),
            Shown::Stages(stages) => Some(program.stages.get(stages)?.name.as_str()),
        }
    }
}

/// Everything up to the engine; `None` if the project has errors, which have been shown.
pub(super) fn prepare(asked: &Asked, verb: &str, global: &Global, out: &Out) -> Result<Option<Prepared>, Failure> {
    let mut project = workspace::load(asked.path.as_deref(), global)?;
    let typed = asked.rule.as_deref().map(|text| project.add_rule(text));
    let checked = project.check(None);
    if workspace::complain(&project.sources, &checked.diagnostics, out) {
        return Ok(None);
    }
    let clock = moment::clock(asked.as_of.as_deref(), &project.file)?;
    for name in &asked.only {
        known(name, &checked.program, verb)?;
    }
    let wanted = |name: &str| match &typed {
        Some(names) => names.iter().any(|n| n == name),
        None => asked.only.is_empty() || asked.only.iter().any(|n| n == name),
    };
    // A campaign takes places that others then lack, so one is decided with all of them.
    let decides = verb == "run" && checked.program.rules.iter().any(|r| wanted(&r.name) && is_campaign(r));
    // Of stages all lines or none.
    let program =
        checked.program.keep(|rule: &Rule| wanted(checked.program.declared(rule)) || decides && is_campaign(rule));
    let audience = |rule: &Rule| matches!(rule.kind, RuleKind::Segment | RuleKind::Campaign { .. });
    let rules = program.rules.iter().enumerate().filter(|(_, rule)| audience(rule));
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

fn is_campaign(rule: &Rule) -> bool {
    matches!(rule.kind, RuleKind::Campaign { .. })
}

/// Refuses a name that nothing in the project has that can be run.
fn known(name: &str, program: &Program, verb: &str) -> Result<(), Error> {
    let names: Vec<&str> =
        program.rules.iter().filter(|rule| !rule.is_hidden()).map(|rule| program.declared(rule)).collect();
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
