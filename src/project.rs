//! A project on disk.
//!
//! Owns: finding a project, reading its texts, and gathering all that is wrong with them.
//! Promises: findings of all files come in one go, sorted by file and place; no file outside the project is read unless the
//! project says so; what is not a plain file of sensible size is refused before it is read.
//! Must not know: Parquet, the engine.

mod apart;

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::language::calendar::{self, Zone};
use crate::language::catalog::load::{self, Options};
use crate::language::catalog::{Catalog, Named, ProjectFile, schema};
use crate::language::check::{self, CheckFile, Checked};
use crate::language::diagnostic::{self, Diagnostic, code};
use crate::language::ir::Program;
use crate::language::source::{SourceId, Sources, Span};
use crate::language::syntax::{self, Parsed, ast::Item};
use crate::language::text;

/// The name of the project file.
pub const FILE: &str = "segue.yaml";
/// What the source of a rule from the command line is called.
pub const TYPED: &str = "--rule";
/// The largest `.seg` file that is read.
const MAX_RULES_BYTES: u64 = 16 << 20;
/// The largest YAML file that is read; the YAML reader has a bound of its own below it.
const MAX_YAML_BYTES: u64 = 16 << 20;
/// The deepest folder in which rules are looked for.
const MAX_FOLDERS: usize = 64;

/// Every kind of YAML file, as in `grammar/schemas/NAME.schema.json`, and its JSON Schema.
pub const SCHEMAS: &[(&str, MakeSchema)] =
    &[("catalog", schema::catalog), ("segue", schema::project), ("spec", crate::language::spec::schema)];

/// Makes the JSON Schema of one kind of file.
pub type MakeSchema = fn() -> serde_json::Value;

/// The texts of a project and what they say.
#[derive(Debug, Clone)]
pub struct Project {
    /// The folder of `segue.yaml`.
    pub root: PathBuf,
    pub file: ProjectFile,
    pub sources: Sources,
    /// Empty if the catalog could not be read; then nothing that depends on it is checked.
    pub catalog: Catalog,
    /// Sorted by path.
    pub rules: Vec<RuleFile>,
    /// Paths of spec files, sorted.
    pub specs: Vec<PathBuf>,
    /// What is wrong with the YAML files and with the syntax of the rules, in order. [`Project::check`] adds the rest.
    pub diagnostics: Vec<Diagnostic>,
    /// The project file and the catalog could be read, so names can be looked up.
    readable: bool,
}

/// One `.seg` file.
#[derive(Debug, Clone)]
pub struct RuleFile {
    /// Where it is; for a rule from the command line there is no such place.
    pub path: Option<PathBuf>,
    /// The name of a bare rule in it.
    pub stem: String,
    pub source: SourceId,
    pub parsed: Parsed,
}

impl Project {
    /// Checks all rules, and one that was typed on the command line. Findings of all files are among the diagnostics, with the
    /// severities that the project gives them.
    pub fn check(&mut self, extra: Option<&str>) -> Checked {
        if let Some(text) = extra {
            self.add_rule(text);
        }
        let mut checked = if self.readable {
            let files: Vec<CheckFile<'_>> =
                self.rules.iter().map(|rule| CheckFile { stem: &rule.stem, parsed: &rule.parsed.file }).collect();
            check::check(&self.sources, &self.catalog, &self.file, &files)
        } else {
            Checked { program: Program::default(), diagnostics: Vec::new() }
        };
        checked.diagnostics.extend(self.diagnostics.iter().cloned());
        diagnostic::sort(&mut checked.diagnostics);
        checked
    }

    /// Adds a rule that was typed on the command line, and gives the names of the rules in it. A bare one is called `rule`, or
    /// whatever like that is free.
    pub fn add_rule(&mut self, text: &str) -> Vec<String> {
        let taken = |name: &str| {
            let declared = self.rules.iter().any(|r| r.names().any(|n| n == name));
            declared || self.catalog.declares(name)
        };
        let stem = std::iter::once("rule".to_owned())
            .chain((2..).map(|n: u32| format!("rule_{n}")))
            .find(|name| !taken(name))
            .unwrap_or_default();
        let source = self.sources.add(TYPED, text);
        let Some(parsed) = self.sources.get(source).map(syntax::parse) else { return Vec::new() };
        self.diagnostics.extend(self.file.apply(parsed.diagnostics.clone()));
        let rule = RuleFile { path: None, stem, source, parsed };
        let names = rule.names().map(str::to_owned).collect();
        self.rules.push(rule);
        names
    }
}

impl RuleFile {
    /// The names of the segments, traits and campaigns that the file declares.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.parsed.file.items.iter().filter_map(|item| match item {
            Item::Segment(s) => Some(s.name.text.as_str()),
            Item::Trait(t) => Some(t.name.text.as_str()),
            Item::Campaign(c) => Some(c.name.text.as_str()),
            Item::Stages(s) => Some(s.name.text.as_str()),
            Item::Policy(p) => Some(p.name.text.as_str()),
            Item::Bare(_) => Some(self.stem.as_str()),
            Item::Error { name, .. } => name.as_ref().map(|n| n.text.as_str()),
        })
    }
}

/// The folder of the nearest `segue.yaml`, from `start` upwards.
pub fn find(start: &Path) -> Result<PathBuf, Error> {
    let from = std::path::absolute(start).map_err(|e| Error::io("can't find the folder", start, e))?;
    let found = from.ancestors().find(|folder| folder.join(FILE).is_file());
    found.map(Path::to_path_buf).ok_or_else(|| {
        Error::usage(format!("there is no `{FILE}` in `{}` or any folder above it", start.display())).with_help(
            "go to the folder of a project, name it (`segue check FOLDER`), or make one: `segue init` or `segue demo`",
        )
    })
}

/// The folder of the project that `path` names: the folder itself, its `segue.yaml`, or any file in it.
pub fn named(path: &Path) -> Result<PathBuf, Error> {
    let meta = std::fs::metadata(path).map_err(|e| {
        if e.kind() == std::io::ErrorKind::NotFound {
            Error::usage(format!("there is no `{}`", path.display()))
                .with_help(format!("name the folder of a project or its `{FILE}`"))
        } else {
            Error::io("can't read", path, e)
        }
    })?;
    if meta.is_dir() {
        return if path.join(FILE).is_file() {
            Ok(path.to_path_buf())
        } else {
            Err(Error::usage(format!("`{}` is no project: it has no `{FILE}`", path.display()))
                .with_help("name the folder of a project, or make one: `segue init` or `segue demo`"))
        };
    }
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if path.file_name().is_some_and(|name| name == FILE) { Ok(parent.to_path_buf()) } else { find(parent) }
}

/// Reads the project in this folder. What is wrong with its texts stands in [`Project::diagnostics`]; an error is given only
/// where a file can't be read at all.
pub fn load(root: &Path) -> Result<Project, Error> {
    let canonical = std::fs::canonicalize(root).map_err(|e| Error::io("can't read the folder", root, e))?;
    let mut reading = Reading {
        root: root.to_path_buf(),
        canonical,
        sources: Sources::default(),
        diagnostics: Vec::new(),
        allow_outside: false,
        seen: BTreeSet::new(),
    };
    let id = reading.text(&root.join(FILE), MAX_YAML_BYTES)?;
    let (file, found) = reading.sources.get(id).map(load::project).unwrap_or_default();
    let fit = reading.sound(id);
    if fit {
        reading.diagnostics.extend(found);
    }
    let here = Span::new(id, 0, 0);
    let Some(file) = file.filter(|_| fit) else {
        return Ok(reading.finish(ProjectFile::unsaid(here), None, Vec::new(), Vec::new()));
    };
    reading.allow_outside = file.allow_outside;
    reading.as_of(&file);
    let catalog = reading.catalog(&file)?;
    if let Some(catalog) = &catalog {
        reading.diagnostics.extend(apart::apart(root, &file, catalog));
    }
    let mut rules = Vec::new();
    for path in reading.collect(&file.rules, "seg", "rules")? {
        rules.extend(reading.rules(path)?);
    }
    let mut specs = reading.collect(&file.specs, "yaml", "specs")?;
    specs.extend(reading.collect(&file.specs, "yml", "specs")?);
    specs.sort();
    specs.dedup();
    Ok(reading.finish(file, catalog, rules, specs))
}

/// A project while its files are read.
struct Reading {
    root: PathBuf,
    /// The root with all links resolved: what lies below it is inside.
    canonical: PathBuf,
    sources: Sources,
    diagnostics: Vec<Diagnostic>,
    allow_outside: bool,
    /// Rules and folders that have been taken, links resolved.
    seen: BTreeSet<PathBuf>,
}

impl Reading {
    /// Reads a text. One that is too large or not UTF-8 is reported and becomes an empty source.
    fn text(&mut self, path: &Path, max: u64) -> Result<SourceId, Error> {
        let unreadable = |e: std::io::Error| Error::io("can't read", path, e);
        let name = self.name(path);
        let file = std::fs::File::open(path).map_err(unreadable)?;
        let meta = file.metadata().map_err(unreadable)?;
        if !meta.is_file() {
            return Err(Error::io("can't read", path, "it is not a plain file"));
        }
        let mut bytes = Vec::new();
        file.take(max + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() as u64 > max {
            let id = self.sources.add(name, "");
            let message = format!("this file has more than {} MB, which is the most that is read", max >> 20);
            let help = "split it, or generate fewer rules";
            self.diagnostics.push(Diagnostic::new(code::yaml::LIMIT, Span::new(id, 0, 0), message).help(help));
            return Ok(id);
        }
        match String::from_utf8(bytes) {
            Ok(text) => Ok(self.sources.add(name, text)),
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                let bad = error.as_bytes().get(at).copied().unwrap_or_default();
                let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
                let end = text.get(at..).and_then(|t| t.chars().next()).map_or(at, |c| at + c.len_utf8());
                let id = self.sources.add(name, text);
                self.diagnostics.push(
                    Diagnostic::new(code::yaml::NOT_UTF8, Span::new(id, at, end), "this file is not UTF-8 text")
                        .label(format!("the byte {bad:#04x} means nothing here"))
                        .help("save it as UTF-8"),
                );
                Ok(id)
            }
        }
    }

    /// Whether the source could be read; if not, that has been said, and what it holds means nothing.
    fn sound(&self, id: SourceId) -> bool {
        let refused = [code::yaml::LIMIT, code::yaml::NOT_UTF8];
        !self.diagnostics.iter().any(|d| d.primary.span.source == id && refused.contains(&d.code))
    }

    /// The path as shown: relative to the project, `/` as separator.
    fn name(&self, path: &Path) -> String {
        let inside = path.strip_prefix(&self.root).unwrap_or(path);
        inside.components().map(|c| c.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
    }

    /// The path with links resolved, if it is there and inside; reports a link that leaves the project.
    fn inside(&mut self, path: &Path, said: Span) -> Option<PathBuf> {
        let real = std::fs::canonicalize(path).ok()?;
        if self.allow_outside || real.starts_with(&self.canonical) {
            return Some(real);
        }
        let message = format!("`{}` leaves the project", self.name(path));
        self.diagnostics.push(
            Diagnostic::new(code::yaml::OUTSIDE, said, message)
                .label(format!("a link leads to `{}`", real.display()))
                .help("copy the file into the project, or write `allow_outside: true` in `segue.yaml`"),
        );
        None
    }

    fn as_of(&mut self, file: &ProjectFile) {
        let (Some(as_of), Some(zone)) = (&file.as_of, Zone::new(&file.timezone)) else { return };
        if calendar::parse_moment(&as_of.name, &zone).is_none() {
            self.diagnostics.push(
                Diagnostic::new(code::yaml::AS_OF, as_of.span, format!("`{}` is no date and no instant", as_of.name))
                    .help("write a date such as `2026-11-21`, or an instant such as `2026-11-21T08:00`"),
            );
        }
    }

    fn catalog(&mut self, file: &ProjectFile) -> Result<Option<Catalog>, Error> {
        let Named { name, span } = &file.catalog;
        // A path that is wrong in itself has been reported with the project file.
        if self.diagnostics.iter().any(|d| d.primary.span == *span && span.start < span.end) {
            return Ok(None);
        }
        let path = self.root.join(name);
        if !path.is_file() {
            let what = if path.exists() { "is no file" } else { "is not there" };
            self.diagnostics.push(
                Diagnostic::new(code::yaml::NO_FILE, *span, format!("the catalog `{name}` {what}"))
                    .label("the catalog says what the words of the rules mean")
                    .help("correct the path, or let `segue init` write a first catalog"),
            );
            return Ok(None);
        }
        if self.inside(&path, *span).is_none() {
            return Ok(None);
        }
        let id = self.text(&path, MAX_YAML_BYTES)?;
        if !self.sound(id) {
            return Ok(None);
        }
        let options = Options { allow_outside: file.allow_outside };
        let (mut catalog, found) = load::catalog_with(&mut self.sources, id, options);
        self.diagnostics.extend(found);
        if let Some(catalog) = &mut catalog {
            catalog.erased = Some(file.erased.name.clone());
        }
        Ok(catalog)
    }

    /// One file of rules, parsed.
    fn rules(&mut self, path: PathBuf) -> Result<Option<RuleFile>, Error> {
        let source = self.text(&path, MAX_RULES_BYTES)?;
        let Some(parsed) = self.sources.get(source).filter(|_| self.sound(source)).map(syntax::parse) else {
            return Ok(None);
        };
        self.diagnostics.extend(parsed.diagnostics.iter().cloned());
        let stem = text::nfc(&path.file_stem().map(|s| s.to_string_lossy()).unwrap_or_default());
        let bare = parsed.file.items.iter().find_map(|item| match item {
            Item::Bare(bare) => Some(bare.span),
            _ => None,
        });
        if let Some(span) = bare.filter(|_| !syntax::is_name(&stem)) {
            self.diagnostics.push(
                Diagnostic::new(code::yaml::FILE_NAME, span, format!("`{stem}` can't be the name of a rule"))
                    .label("a bare rule is named after its file")
                    .help("rename the file, or declare the rule in it: `segment NAME: …`"),
            );
        }
        Ok(Some(RuleFile { path: Some(path), stem, source, parsed }))
    }

    /// All files with this extension at these places, folders read recursively, sorted by path.
    fn collect(&mut self, places: &[Named], extension: &str, what: &str) -> Result<Vec<PathBuf>, Error> {
        self.seen.clear();
        let mut out = Vec::new();
        for Named { name, span } in places {
            // The place of a default is nowhere, and a folder that nobody asked for need not be there.
            let said = span.start < span.end;
            if said && self.diagnostics.iter().any(|d| d.primary.span == *span) {
                continue;
            }
            let path = self.root.join(name);
            if path.is_dir() {
                self.folder(&path, extension, *span, 0, &mut out)?;
            } else if path.is_file() {
                let fits = path.extension().is_some_and(|e| e == extension);
                if fits && self.fresh(&path, *span) {
                    out.push(path);
                } else if !fits && what == "rules" {
                    let message = format!("`{name}` is no file of rules");
                    self.diagnostics.push(
                        Diagnostic::new(code::yaml::PATH, *span, message)
                            .help("rules stand in files that end in `.seg`"),
                    );
                }
            } else if said && what == "rules" {
                self.diagnostics.push(
                    Diagnostic::new(code::yaml::NO_FILE, *span, format!("the rules `{name}` are not there"))
                        .label("neither a folder nor a file")
                        .help("correct the path, or make the folder"),
                );
            }
        }
        out.sort();
        Ok(out)
    }

    fn folder(
        &mut self,
        folder: &Path,
        extension: &str,
        said: Span,
        depth: usize,
        out: &mut Vec<PathBuf>,
    ) -> Result<(), Error> {
        if !self.fresh(folder, said) || depth > MAX_FOLDERS {
            return Ok(());
        }
        let unreadable = |e: std::io::Error| Error::io("can't read the folder", folder, e);
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(unreadable)? {
            entries.push(entry.map_err(unreadable)?.path());
        }
        entries.sort();
        for path in entries {
            if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')) {
                continue;
            }
            if path.is_dir() {
                self.folder(&path, extension, said, depth + 1, out)?;
            } else if path.extension().is_some_and(|e| e == extension) {
                if std::fs::symlink_metadata(&path).is_ok_and(|m| m.is_symlink()) && !path.exists() {
                    return Err(Error::io("can't read", path, "the link leads nowhere"));
                }
                if self.fresh(&path, said) {
                    out.push(path);
                }
            }
        }
        Ok(())
    }

    /// Whether this file or folder is inside the project and met for the first time: links may loop, and places may overlap.
    fn fresh(&mut self, path: &Path, said: Span) -> bool {
        self.inside(path, said).is_some_and(|real| self.seen.insert(real))
    }

    fn finish(self, file: ProjectFile, catalog: Option<Catalog>, rules: Vec<RuleFile>, specs: Vec<PathBuf>) -> Project {
        let mut diagnostics = file.apply(self.diagnostics);
        diagnostic::sort(&mut diagnostics);
        Project {
            root: self.root,
            file,
            sources: self.sources,
            readable: catalog.is_some(),
            catalog: catalog.unwrap_or_default(),
            rules,
            specs,
            diagnostics,
        }
    }
}
