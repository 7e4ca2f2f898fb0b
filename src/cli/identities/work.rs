//! Identities with the engine: read, report.

use super::super::output::{Failure, Form, Out};
use super::super::run::block_on;
use super::super::{Exit, Global, workspace};
use super::{Args, show};
use crate::engine::Limits;
use crate::engine::identities::{audit, trace};
use crate::language::calendar::Zone;
use crate::language::catalog::Conflicts;

pub(super) fn run(args: &Args, global: &Global, out: &Out) -> Result<Exit, Failure> {
    let mut project = workspace::load(None, global)?;
    let found = project.check(None).diagnostics;
    if workspace::complain(&project.sources, &found, out) {
        return Ok(Exit::Project);
    }
    let limits = Limits {
        threads: args.threads.map(usize::from),
        memory: project.file.memory_limit.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX)),
        ..Limits::default()
    };
    let zone = Zone::new(&project.file.timezone).unwrap_or_else(Zone::utc);
    let name = &project.file.name.name;
    let (catalog, root) = (&project.catalog, &project.root);
    let in_doubt = match &args.id {
        Some(id) => {
            let trace = block_on(args.threads, trace(catalog, root, limits, id, args.limit))?;
            match args.format {
                Form::Text => out.print(&show::trace(&trace, &zone))?,
                Form::Json => out.print(&format!("{:#}\n", show::trace_json(&trace, name, &zone)))?,
            }
            trace.in_doubt
        }
        None => {
            let unknown = catalog.identities.as_ref().map(|i| i.unknown).unwrap_or_default();
            let audit = block_on(args.threads, audit(catalog, root, limits, args.limit))?;
            match args.format {
                Form::Text => out.print(&show::audit(&audit, name, unknown, &zone))?,
                Form::Json => out.print(&format!("{:#}\n", show::audit_json(&audit, name, &zone)))?,
            }
            audit.policy == Conflicts::Error && audit.conflicts.count > 0
        }
    };
    Ok(if in_doubt { Exit::Findings } else { Exit::Ok })
}
