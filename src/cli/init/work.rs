//! From arguments to files.

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use super::super::output::{Failure, Form, Out};
use super::super::{Exit, Global};
use super::{Args, questions, show};
use crate::engine::infer::{self, Hints, ProjectDraft};
use crate::error::Error;
use crate::language::catalog::load;
use crate::language::source::Sources;

pub fn run(args: &Args, global: &Global, out: &Out) -> Result<Exit, Failure> {
    let root = match (&args.dir, &global.project) {
        (Some(dir), _) | (None, Some(dir)) => dir.clone(),
        (None, None) => PathBuf::from("."),
    };
    if root.is_file() {
        let shown = root.display();
        return Err(Error::usage(format!("`{shown}` is a file, and a project is a folder"))
            .with_help(format!("segue init NAME --data {shown}"))
            .into());
    }
    let places = if args.data.is_empty() { vec![root.clone()] } else { args.data.clone() };
    if args.data.is_empty() && !root.exists() {
        return Err(Error::usage(format!("there is no folder `{}`", root.display()))
            .with_help("name the folder that holds the Parquet files, or give them with --data PATH")
            .into());
    }
    if !args.force {
        refuse_existing(&root)?;
    }
    if let Some(zone) = args.timezone.as_ref().filter(|zone| !questions::is_zone(zone)) {
        return Err(Error::usage(format!("there is no time zone `{zone}`"))
            .with_help("use an IANA name, such as Europe/Paris or UTC")
            .into());
    }
    let survey = infer::survey(&root, &places)?;
    let mut answers = Answers {
        hints: Hints { customer: args.customer.clone(), time: args.time.clone(), event: args.event.clone() },
        timezone: args.timezone.clone(),
        currency: args.currency.clone(),
    };
    // A wrong hint is told before anything is asked.
    survey.guess(&answers.hints)?;
    let asks =
        !args.yes && args.format == Form::Text && std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    if asks {
        let mut input = std::io::stdin().lock();
        questions::ask(&survey, &mut answers, &mut input, &mut |text| out.complain(text))?;
    }
    let findings = survey.findings(&answers.hints)?;
    let project = project(args, &root, &survey, &answers, &findings.draft);
    let texts = infer::texts(&project, &findings.draft, jiff::Timestamp::now().as_microsecond());
    prove(&texts)?;
    write(&root, &texts, args.force)?;
    let written: Vec<PathBuf> = texts.iter().map(|(path, _)| root.join(path)).collect();
    match args.format {
        Form::Text => out.print(&show::table(&survey, &findings, &project, &root, &written))?,
        Form::Json => out.print(&show::json(&survey, &findings, &project, &written))?,
    }
    Ok(Exit::Ok)
}

/// What is known besides the files.
pub struct Answers {
    pub hints: Hints,
    pub timezone: Option<String>,
    pub currency: Option<String>,
}

fn project(
    args: &Args,
    root: &Path,
    survey: &infer::Survey,
    answers: &Answers,
    draft: &infer::draft::Draft,
) -> ProjectDraft {
    let whole = std::path::absolute(root).unwrap_or_else(|_| root.to_owned());
    let folder = whole.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let name = args.name.clone().unwrap_or(if folder.is_empty() { "segue".to_owned() } else { folder });
    let (timezone, timezone_why) = match (&answers.timezone, survey.timezone()) {
        (Some(zone), _) => (zone.clone(), String::new()),
        (None, Some((zone, why))) => (zone, why),
        (None, None) => {
            ("UTC".to_owned(), "no file says where days begin; make it the zone of the business".to_owned())
        }
    };
    let (currency, currency_why) = match (&answers.currency, survey.currency()) {
        (Some(code), _) => (Some(code.to_uppercase()), String::new()),
        (None, Some((code, why))) => (Some(code), why),
        (None, None) => (None, "no file says it".to_owned()),
    };
    let absolute = |path: &str| Path::new(path).is_absolute();
    let outside = draft.sources.iter().map(|s| s.path.as_str()).chain(draft.lookups.iter().map(|l| l.path.as_str()));
    let outside = outside.chain(draft.profile.iter().map(|p| p.path.as_str())).any(absolute);
    ProjectDraft { name, timezone, timezone_why, currency, currency_why, outside }
}

/// The files that init writes.
const FILES: [&str; 3] = ["segue.yaml", "catalog.yaml", "rules/first.seg"];

fn refuse_existing(root: &Path) -> Result<(), Failure> {
    for file in FILES {
        let path = root.join(file);
        if path.symlink_metadata().is_ok() {
            return Err(Failure::Error(
                Error::Refused {
                    message: format!("`{}` is there already; nothing was written", path.display()),
                    help: None,
                }
                .with_help("choose another folder, or overwrite it with --force"),
            ));
        }
    }
    Ok(())
}

/// Reads the texts back before they are written: what init writes, `check` accepts.
fn prove(texts: &[(&str, String)]) -> Result<(), Error> {
    let mut sources = Sources::default();
    for (path, text) in texts {
        let id = sources.add(*path, text.as_str());
        let found = match *path {
            "segue.yaml" => sources.get(id).map(|file| load::project(file).1).unwrap_or_default(),
            "catalog.yaml" => load::catalog_with(&mut sources, id, load::Options { allow_outside: true }).1,
            _ => Vec::new(),
        };
        if let Some(first) = found.first() {
            let help = first.help.clone().unwrap_or_else(|| first.primary.text.clone());
            // What is wrong with the project file stood on the command line.
            let message = format!("no {path} can be written from this: {}", first.message);
            let error = if *path == "segue.yaml" { Error::usage(message) } else { Error::data(message) };
            return Err(error.with_help(help));
        }
    }
    Ok(())
}

/// Writes all texts aside, then moves each into place.
fn write(root: &Path, texts: &[(&str, String)], force: bool) -> Result<(), Error> {
    let mut staged = Vec::new();
    for (path, text) in texts {
        let path = root.join(path);
        let folder = path.parent().unwrap_or(root);
        std::fs::create_dir_all(folder).map_err(|e| Error::io("can't make the folder", folder, e))?;
        let failed = |e: std::io::Error| Error::io("can't write", &path, e);
        let mut builder = tempfile::Builder::new();
        builder.prefix(".segue-init-");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        let mut file = builder.tempfile_in(folder).map_err(failed)?;
        file.write_all(text.as_bytes()).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
        staged.push((file, path));
    }
    for (file, path) in staged {
        let moved = if force { file.persist(&path) } else { file.persist_noclobber(&path) };
        moved.map_err(|e| Error::io("can't write", &path, e.error))?;
    }
    Ok(())
}
