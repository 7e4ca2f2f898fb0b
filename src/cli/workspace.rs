//! The project that a verb works on.
//!
//! Owns: which project is meant, and how its findings are shown to somebody who asked for something else.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::Global;
use super::output::{Failure, Out, plural};
use crate::error::Error;
use crate::language::calendar::Zone;
use crate::language::check::Checked;
use crate::language::diagnostic::{Diagnostic, has_errors, render};
use crate::language::source::{SourceId, Sources};
use crate::language::spec::{self, Spec};
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

/// A spec file and what it says, as far as it could be read.
#[derive(Debug)]
pub struct SpecFile {
    pub source: SourceId,
    pub spec: Option<Spec>,
}

/// The largest spec file that is read.
const MAX_SPEC_BYTES: u64 = 16 << 20;

/// The project's specs and all that is wrong in their texts. `checked` is what the checker said: where the rules or the catalog
/// have mistakes, a spec is not blamed for names that they should have declared.
pub fn specs(project: &mut Project, checked: &Checked) -> Result<(Vec<SpecFile>, Vec<Diagnostic>), Error> {
    let zone = Zone::new(&project.file.timezone).unwrap_or_else(Zone::utc);
    let sound = !has_errors(&checked.diagnostics);
    let (mut files, mut diagnostics) = (Vec::new(), Vec::new());
    for path in project.specs.clone() {
        let source = project.sources.add(name(&path, &project.root), text(&path)?);
        let mut spec = None;
        if sound {
            let (read, found) = spec::load(&project.sources, source, &project.catalog, &zone);
            diagnostics.extend(found);
            if let Some(read) = &read {
                diagnostics.extend(spec::unknown_names(read, &checked.program));
            }
            spec = read;
        }
        files.push(SpecFile { source, spec });
    }
    Ok((files, project.file.apply(diagnostics)))
}

fn text(path: &Path) -> Result<String, Error> {
    let cant = |why: &dyn std::fmt::Display| Error::io("can't read", path, why);
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(|why| cant(&why))?;
    file.take(MAX_SPEC_BYTES + 1).read_to_end(&mut bytes).map_err(|why| cant(&why))?;
    if bytes.len() as u64 > MAX_SPEC_BYTES {
        return Err(cant(&"it is larger than 16 MB"));
    }
    String::from_utf8(bytes).map_err(|_| cant(&"it is not UTF-8 text"))
}

/// The path relative to the project, with `/`.
pub fn name(path: &Path, root: &Path) -> String {
    let inside = path.strip_prefix(root).unwrap_or(path);
    inside.components().map(|c| c.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// What is wrong with the project file and the catalog alone, for verbs that no rule concerns.
#[cfg(feature = "engine")]
pub fn of_catalog(project: &Project) -> Vec<Diagnostic> {
    let of_rules = |d: &&Diagnostic| project.rules.iter().any(|rule| rule.source == d.primary.span.source);
    project.diagnostics.iter().filter(|d| !of_rules(d)).cloned().collect()
}

/// Shows findings on standard error; `true` if one is an error, so that the verb can't go ahead.
pub fn complain(sources: &Sources, diagnostics: &[Diagnostic], out: &Out) -> bool {
    if has_errors(diagnostics) {
        out.complain(&render::pretty(sources, diagnostics, out.paint()));
        out.complain(&format!("{}\n", summary(diagnostics)));
        return true;
    }
    // What stands in a rule of the command line is shown here or nowhere.
    let typed = |d: &&Diagnostic| sources.get(d.primary.span.source).is_some_and(|file| file.name == project::TYPED);
    let (here, elsewhere): (Vec<&Diagnostic>, Vec<&Diagnostic>) = diagnostics.iter().partition(typed);
    if !here.is_empty() {
        let here: Vec<Diagnostic> = here.into_iter().cloned().collect();
        out.note(render::pretty(sources, &here, out.paint()).trim_end());
    }
    if !elsewhere.is_empty() {
        out.note(&format!("{} (`segue check` shows them)", plural(elsewhere.len(), "warning")));
    }
    false
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
