//! `segue check`: every mistake of the project, in one go.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde_json::json;

use super::output::{Failure, Out, plural};
use super::{Exit, Global, workspace};
use crate::language::diagnostic::{Diagnostic, has_errors, render, sort};
use crate::project::{FILE, Project};

/// Check the project and show every mistake at once; reads no data
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  segue check
  segue check examples/cosmetics --deny warnings
  segue check --format github        annotations beside the changed lines
  segue check --format sarif > segue.sarif

Exit code: 0 nothing found · 1 errors (or warnings with --deny warnings) · 2 no project there")]
pub struct Args {
    /// The project's folder, its segue.yaml, or one file of it (then only that file's findings are shown).
    path: Option<PathBuf>,
    #[arg(long, value_name = "FORM", default_value = "pretty")]
    format: Format,
    /// Make warnings count as errors.
    #[arg(long, value_name = "WHAT")]
    deny: Option<Deny>,
}

/// The forms in which findings are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Pretty,
    /// One line a finding.
    Short,
    /// For programs.
    Json,
    /// GitHub workflow annotations.
    Github,
    /// SARIF 2.1.0, for code scanners.
    Sarif,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Deny {
    Warnings,
}

pub fn run(args: &Args, global: &Global, out: &Out) -> Result<Exit, Failure> {
    let mut project = workspace::load(args.path.as_deref(), global)?;
    let checked = project.check(None);
    let (_, of_specs) = workspace::specs(&mut project, &checked)?;
    let mut diagnostics = checked.diagnostics;
    diagnostics.extend(of_specs);
    sort(&mut diagnostics);
    if let Some(only) = args.path.as_deref().and_then(|path| only(path, &project.root)) {
        diagnostics.retain(|d| project.sources.get(d.primary.span.source).is_some_and(|f| f.name == only));
    }
    out.print(&shown(args.format, &project, &diagnostics, out))?;
    let denied = args.deny == Some(Deny::Warnings) && !diagnostics.is_empty();
    Ok(if has_errors(&diagnostics) || denied { Exit::Findings } else { Exit::Ok })
}

/// The name of the one file that was asked for, unless it is the project file, which stands for all.
fn only(path: &Path, root: &Path) -> Option<String> {
    let path = std::fs::canonicalize(path).ok().filter(|p| p.is_file())?;
    let root = std::fs::canonicalize(root).ok()?;
    let inside = path.strip_prefix(&root).ok().filter(|p| *p != Path::new(FILE))?;
    Some(workspace::name(inside, Path::new("")))
}

fn shown(format: Format, project: &Project, diagnostics: &[Diagnostic], out: &Out) -> String {
    let sources = &project.sources;
    let pretty_json = |value: &serde_json::Value| format!("{value:#}\n");
    match format {
        Format::Pretty => {
            // A text inside a file, such as an event's filter, is no file of its own.
            let files = sources.iter().filter(|f| !f.name.contains(": ")).count();
            let name = &project.file.name.name;
            let of = if name.is_empty() { String::new() } else { format!(" of `{name}`") };
            let findings = render::pretty(sources, diagnostics, out.paint());
            format!("{findings}{} in {}{of}\n", workspace::summary(diagnostics), plural(files, "file"))
        }
        Format::Short => render::short(sources, diagnostics),
        Format::Github => render::github(sources, diagnostics),
        Format::Sarif => pretty_json(&render::sarif(sources, diagnostics)),
        Format::Json => pretty_json(&json!({
            "schema": 1,
            "segue": env!("CARGO_PKG_VERSION"),
            "project": project.file.name.name,
            "errors": diagnostics.iter().filter(|d| d.is_error()).count(),
            "warnings": diagnostics.iter().filter(|d| !d.is_error()).count(),
            "findings": render::json(sources, diagnostics),
        })),
    }
}
