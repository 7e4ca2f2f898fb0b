//! Stores with the engine: compact, check, tell.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use indicatif::{HumanBytes, HumanCount, ProgressBar};
use serde_json::{Value, json};

use super::super::output::{Failure, Form, Out, plural};
use super::super::run::block_on;
use super::super::{Exit, Global, progress, workspace};
use super::{CheckArgs, CompactArgs};
use crate::engine::compact::{self, Checked, Compacted, Options, Step, Watch};
use crate::error::Error;
use crate::language::diagnostic::render::visible;
use crate::project::{self, Project};

/// The version of the JSON.
const SCHEMA: u32 = 1;

pub(super) fn compact(args: &CompactArgs, global: &Global, out: &Out) -> Result<Exit, Failure> {
    let Some(project) = sound(args.path.as_deref(), global, out)? else { return Ok(Exit::Project) };
    let options = Options {
        source: args.source.clone(),
        from: args.from.as_ref().map(|from| here(from)),
        to: args.to.clone(),
        buckets: args.buckets,
        full: args.full,
        threads: args.threads.map(usize::from),
        memory: args.memory_limit.or(project.file.memory_limit),
    };
    let bar = progress::bar(out, 0, "{msg}, {eta} left");
    let work = compact::compact(&project.catalog, &project.root, &options, watch(&bar));
    let done = block_on(args.threads, work);
    bar.finish_and_clear();
    if let Err(Failure::Error(Error::Interrupted)) = &done {
        out.note("what is done so far is kept beside the store; the same call goes on from there");
    }
    let done = done?;
    match args.format {
        Form::Json => {
            let stores: Vec<Value> = done.iter().map(compacted).collect();
            out.print(&format!(
                "{:#}\n",
                json!({"schema": SCHEMA, "project": project.file.name.name, "stores": stores})
            ))?;
        }
        Form::Text => {
            for one in &done {
                out.print(&told(one))?;
            }
        }
    }
    Ok(Exit::Ok)
}

/// A path of the command line is relative to where the user is, one of the catalog to the project.
fn here(path: &str) -> String {
    match std::path::absolute(path) {
        Ok(whole) if !path.contains("://") => whole.to_string_lossy().into_owned(),
        _ => path.to_owned(),
    }
}

fn told(one: &Compacted) -> String {
    let folder = visible(&one.folder.display().to_string());
    let Some(part) = one.part else {
        return format!("source `{}`: nothing new, `{folder}` is as it was\n", one.source);
    };
    let went_on = match one.resumed {
        0 => String::new(),
        n => format!("{} of the work had been done before\n  ", plural(n, "piece")),
    };
    format!(
        "source `{}`: {} rows of {} ({})\n  {went_on}now part {part} of `{folder}`: {} in {}\n",
        one.source,
        HumanCount(one.rows),
        plural(one.input_files, "file"),
        HumanBytes(one.input_bytes),
        HumanBytes(one.bytes),
        plural(one.files, "file"),
    )
}

fn compacted(one: &Compacted) -> Value {
    json!({
        "source": one.source,
        "folder": one.folder.display().to_string(),
        "part": one.part,
        "input": {"files": one.input_files, "bytes": one.input_bytes},
        "rows": one.rows,
        "files": one.files,
        "bytes": one.bytes,
        "resumed": one.resumed,
    })
}

fn sound(path: Option<&Path>, global: &Global, out: &Out) -> Result<Option<Project>, Failure> {
    let mut project = workspace::load(path, global)?;
    let found = project.check(None).diagnostics;
    Ok((!workspace::complain(&project.sources, &found, out)).then_some(project))
}

fn watch(bar: &ProgressBar) -> Option<Watch> {
    if bar.is_hidden() {
        return None;
    }
    let bar = bar.clone();
    Some(Arc::new(move |step: &Step| {
        bar.set_length(step.of_rows);
        bar.set_position(step.rows);
        let files = match step.of_files {
            0 => String::new(),
            of => format!("{} of {of} files read, {} written, ", step.files, HumanBytes(step.bytes)),
        };
        bar.set_message(format!(
            "{}: {files}{} of {} rows",
            step.source,
            HumanCount(step.rows),
            HumanCount(step.of_rows)
        ));
    }))
}

pub(super) fn check(args: &CheckArgs, global: &Global, out: &Out) -> Result<Exit, Failure> {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    let threads = args.threads.map_or_else(cores, usize::from);
    let folders = match &args.path {
        Some(path) if path.is_dir() && !path.join(project::FILE).is_file() => vec![path.clone()],
        Some(path) if !path.exists() => {
            return Err(Error::data(format!("nothing at `{}`", path.display()))
                .with_help("name a store, a folder of stores, or a project")
                .into());
        }
        path => {
            let Some(project) = sound(path.as_deref(), global, out)? else { return Ok(Exit::Project) };
            of_project(&project)?
        }
    };
    let bar = progress::bar(out, 0, "{msg}, {eta} left");
    let mut checked = Vec::new();
    for folder in folders {
        let done = block_on(args.threads, compact::check(&folder, threads, watch(&bar)));
        if done.is_err() {
            bar.finish_and_clear();
        }
        checked.extend(done?);
    }
    bar.finish_and_clear();
    match args.format {
        Form::Json => {
            let stores: Vec<Value> = checked.iter().map(found).collect();
            out.print(&format!("{:#}\n", json!({"schema": SCHEMA, "stores": stores})))?;
        }
        Form::Text => {
            for one in &checked {
                out.print(&said(one))?;
            }
        }
    }
    Ok(if checked.iter().all(|one| one.problems.is_empty()) { Exit::Ok } else { Exit::Findings })
}

/// The stores that a project's catalog names.
fn of_project(project: &Project) -> Result<Vec<PathBuf>, Error> {
    let stores = compact::named(&project.catalog, &project.root);
    if stores.is_empty() {
        return Err(Error::data("no source of the catalog is a compacted store in a local folder")
            .with_help("name the folder of a store: `segue store check DIR`"));
    }
    Ok(stores)
}

fn said(one: &Checked) -> String {
    let folder = visible(&one.folder.display().to_string());
    let mut text = format!(
        "{folder}: {} rows in {} and {} ({}): {}\n",
        HumanCount(one.rows),
        plural(one.parts, "part"),
        plural(one.files, "file"),
        HumanBytes(one.bytes),
        if one.problems.is_empty() { "sound".to_owned() } else { plural(one.problems.len(), "problem") }
    );
    for problem in &one.problems {
        text.push_str(&format!("  {}: {}\n", visible(&problem.file), visible(&problem.what)));
    }
    text
}

fn found(one: &Checked) -> Value {
    let problems: Vec<Value> = one.problems.iter().map(|p| json!({"file": p.file, "what": p.what})).collect();
    json!({
        "folder": one.folder.display().to_string(),
        "parts": one.parts,
        "files": one.files,
        "rows": one.rows,
        "bytes": one.bytes,
        "problems": problems,
    })
}
