//! A plan with the engine: describe, measure where asked, show.

use super::super::asked::{Prepared, Shown};
use super::super::output::{Failure, Form, Out};
use super::super::run::block_on;
use super::super::{Exit, moment, progress};
use super::{Args, json, show};
use crate::engine::explain::{Analysis, Explanation, analyze, explain};
use crate::engine::sql::script;
use crate::engine::{Keep, Request};

/// What is shown.
pub(super) struct Planned<'a> {
    pub project: &'a str,
    /// With the zone's offset at that instant.
    pub as_of: String,
    pub prepared: &'a Prepared,
    pub explained: &'a Explanation,
    /// The limit in bytes, where there is one.
    pub memory: Option<u64>,
    /// What was measured, where it was asked for.
    pub analysis: Option<&'a Analysis>,
}

pub(super) fn run(args: &Args, prepared: &Prepared, out: &Out) -> Result<Exit, Failure> {
    let request = Request {
        catalog: &prepared.project.catalog,
        program: &prepared.program,
        clock: &prepared.clock,
        root: &prepared.project.root,
        population: false,
        keep: Keep::Off,
        history: None,
        limits: args.limits.of(&prepared.project),
        progress: args.analyze.then(|| progress::of_run(out)).flatten(),
    };
    if args.sql {
        return sql(args, &request, out);
    }
    let asked = |rule: usize| asked(prepared, rule);
    let work = async {
        let explained = explain(&request, &asked).await?;
        let analysis = match args.analyze {
            true => Some(analyze(&request, &explained).await?),
            false => None,
        };
        Ok((explained, analysis))
    };
    let (explained, analysis) = block_on(args.limits.threads, work)?;
    let planned = Planned {
        project: &prepared.project.file.name.name,
        as_of: moment::shown(&prepared.clock),
        prepared,
        explained: &explained,
        memory: args.limits.memory(&prepared.project),
        analysis: analysis.as_ref(),
    };
    match args.format {
        Form::Text => out.print(&show::table(&planned, out.table_width(), args.all))?,
        Form::Json => out.print(&format!("{:#}\n", json::json(&planned)))?,
    }
    Ok(Exit::Ok)
}

/// The rules as a script.
fn sql(args: &Args, request: &Request<'_>, out: &Out) -> Result<Exit, Failure> {
    let Request { catalog, program, clock, root, .. } = *request;
    let script = block_on(args.limits.threads, script(catalog, program, clock, root))?;
    for reason in &script.portable.reasons {
        let rule = program.rules.get(reason.rule).map_or("", |rule| rule.name.as_str());
        out.note(&format!("note: `{rule}` can't be said in SQL: {}", reason.why));
    }
    out.print(&script.text)?;
    Ok(if script.portable.reasons.is_empty() { Exit::Ok } else { Exit::Findings })
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
