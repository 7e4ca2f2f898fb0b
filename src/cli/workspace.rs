//! The project that a verb works on.
//!
//! Owns: which project is meant, and how its findings are shown to somebody who asked for something else.

use std::path::{Path, PathBuf};

use super::Global;
use super::output::{Failure, Out, plural};
use crate::error::Error;
use crate::language::diagnostic::{Diagnostic, has_errors, render};
use crate::language::source::Sources;
use crate::project::{self, Project};

/// The folder of the project: the one on the line, that of `--project`, or the nearest one upwards from here.
pub fn root(path: Option<&Path>, global: &Global) -> Result<PathBuf, Error> {
    match path.or(global.project.as_deref()) {
        Some(path) => project::named(path),
        None => {
            let here = std::env::current_dir().map_err(|why| Error::io("can't find", "the working folder", why))?;
            let found = project::find(&here)?;
            // As short as can be: paths in messages are relative to where the user is.
            Ok(if found == here { PathBuf::from(".") } else { found })
        }
    }
}

/// The project's texts, with all that is wrong in them.
pub fn load(path: Option<&Path>, global: &Global) -> Result<Project, Failure> {
    let root = root(path, global)?;
    tracing::info!(root = %root.display(), "reading the project");
    Ok(project::load(&root)?)
}

/// Shows findings on standard error; `true` if one is an error, so that the verb can't go ahead.
pub fn complain(sources: &Sources, diagnostics: &[Diagnostic], out: &Out) -> bool {
    let errors = has_errors(diagnostics);
    if errors {
        out.complain(&render::pretty(sources, diagnostics, out.paint()));
        out.complain(&format!("{}\n", summary(diagnostics)));
    } else if !diagnostics.is_empty() {
        out.note(&format!("{} (`segue check` shows them)", summary(diagnostics)));
    }
    errors
}

/// `2 errors, 1 warning`
pub fn summary(diagnostics: &[Diagnostic]) -> String {
    let errors = diagnostics.iter().filter(|d| d.is_error()).count();
    let warnings = diagnostics.len() - errors;
    match (errors, warnings) {
        (0, 0) => "no findings".to_owned(),
        (_, 0) => plural(errors, "error"),
        (0, _) => plural(warnings, "warning"),
        _ => format!("{}, {}", plural(errors, "error"), plural(warnings, "warning")),
    }
}
