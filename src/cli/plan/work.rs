//! A plan with the engine: describe, measure where asked, show.

use super::super::output::{Failure, Out};
use super::super::run::{Prepared, Shown, block_on};
use super::super::{Exit, moment};
use super::{Args, Format, json, show};
use crate::engine::explain::{Explanation, explain};
use crate::engine::{Limits, Request};

/// What is shown.
pub(super) struct Planned<'a> {
    pub project: &'a str,
    /// With the zone's offset at that instant.
    pub as_of: String,
    pub prepared: &'a Prepared,
    pub explained: &'a Explanation,
}

pub(super) fn run(args: &Args, prepared: &Prepared, out: &Out) -> Result<Exit, Failure> {
    let memory = args.memory_limit.or(prepared.project.file.memory_limit);
    let request = Request {
        catalog: &prepared.project.catalog,
        program: &prepared.program,
        clock: &prepared.clock,
        root: &prepared.project.root,
        limits: Limits {
            threads: args.threads.map(usize::from),
            memory: memory.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX)),
            batch_rows: None,
        },
        progress: None,
    };
    let asked = |rule: usize| asked(prepared, rule);
    let explained = block_on(args.threads, explain(&request, &asked))?;
    let planned = Planned {
        project: &prepared.project.file.name.name,
        as_of: moment::shown(&prepared.clock),
        prepared,
        explained: &explained,
    };
    match args.format {
        Format::Table => out.print(&show::table(&planned, out.table_width(), args.all))?,
        Format::Json => out.print(&format!("{:#}\n", json::json(&planned)))?,
    }
    Ok(Exit::Ok)
}

/// Whether a rule was asked for, or is only needed by one that was.
fn asked(prepared: &Prepared, rule: usize) -> bool {
    prepared.shown.iter().any(|shown| match *shown {
        Shown::Rule(at) => at == rule,
        Shown::Stages(at) => {
            let stages = prepared.program.stages.get(at);
            stages.is_some_and(|stages| stages.lines.iter().any(|line| line.rule.0 as usize == rule))
        }
    })
}
