//! `segue fmt`: the canonical text of `.seg` files.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::output::{Failure, Out, plural};
use super::{Exit, Global, workspace};
use crate::error::Error;
use crate::language::catalog::ProjectFile;
use crate::language::format::{Style, format};
use crate::language::source::Sources;
use crate::language::syntax;

/// The largest file that is formatted.
const MAX_BYTES: u64 = 16 << 20;

/// Write `.seg` files in their canonical form
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  segue fmt                      all rules of the project
  segue fmt --check              exit 1 if a file would change
  segue fmt --diff rules/a.seg   show what would change
  segue fmt - < draft.seg        standard input to standard output")]
pub struct Args {
    /// Files, or `-` for standard input; without any, all rules of the project.
    files: Vec<PathBuf>,
    /// Change nothing; list the files that would change and exit 1 if there are any.
    #[arg(long)]
    check: bool,
    /// Change nothing; show the differences and exit 1 if there are any.
    #[arg(long)]
    diff: bool,
}

pub fn run(args: &Args, global: &Global, out: &Out) -> Result<Exit, Failure> {
    if args.files.iter().any(|f| f.as_os_str() == "-") {
        if args.files.len() > 1 {
            return Err(Error::usage("`-` stands for standard input and takes no files beside it").into());
        }
        return standard_input(args, global, out);
    }
    let mut job = Job { args, out, changed: 0, broken: false };
    if args.files.is_empty() {
        let root = workspace::root(None, global)?;
        let project = crate::project::load(&root)?;
        let style = style(&project.file);
        let paths: Vec<PathBuf> = project.rules.iter().filter_map(|rule| rule.path.clone()).collect();
        for path in &paths {
            job.file(path, style)?;
        }
        return job.finish(paths.len());
    }
    for path in &args.files {
        job.file(path, near(path))?;
    }
    job.finish(args.files.len())
}

/// The style of the project that a file belongs to, if to any.
fn near(path: &Path) -> Style {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let project = crate::project::find(folder).and_then(|root| crate::project::load(&root));
    project.map(|p| style(&p.file)).unwrap_or_default()
}

fn style(project: &ProjectFile) -> Style {
    Style { ascii: project.ascii }
}

fn standard_input(args: &Args, global: &Global, out: &Out) -> Result<Exit, Failure> {
    let mut bytes = Vec::new();
    std::io::stdin()
        .take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|why| Error::io("could not read", "standard input", why))?;
    let text = text(bytes, Path::new("standard input"))?;
    let style =
        workspace::root(None, global).map_or_else(|_| Style::default(), |root| near(&root.join(crate::project::FILE)));
    let Some(canonical) = canonical("standard input", &text, style, out)? else { return Ok(Exit::Project) };
    let changes = canonical != text;
    if args.diff {
        out.print(&difference("standard input", &text, &canonical))?;
    } else if !args.check {
        out.print(&canonical)?;
    }
    Ok(if changes && (args.check || args.diff) { Exit::Findings } else { Exit::Ok })
}

/// The canonical text, or nothing if the text can't be read, which has been shown.
fn canonical(name: &str, text: &str, style: Style, out: &Out) -> Result<Option<String>, Error> {
    let mut sources = Sources::default();
    let id = sources.add(name, text);
    let Some(file) = sources.get(id) else { return Ok(None) };
    let parsed = syntax::parse(file);
    let errors: Vec<_> = parsed.diagnostics.iter().filter(|d| d.is_error()).cloned().collect();
    if workspace::complain(&sources, &errors, out) {
        return Ok(None);
    }
    format(file, &parsed, style).map(Some).map_err(|why| {
        Error::data(format!("`{name}` was left as it is: {why}")).with_help("please report this, with the file")
    })
}

/// What has been done so far.
struct Job<'a> {
    args: &'a Args,
    out: &'a Out,
    changed: usize,
    broken: bool,
}

impl Job<'_> {
    fn file(&mut self, path: &Path, style: Style) -> Result<(), Failure> {
        let unreadable = |why: std::io::Error| Error::io("could not read", path, why);
        let file = std::fs::File::open(path).map_err(unreadable)?;
        let mut bytes = Vec::new();
        file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        let text = text(bytes, path)?;
        let name = path.display().to_string();
        let Some(canonical) = canonical(&name, &text, style, self.out)? else {
            self.broken = true;
            return Ok(());
        };
        if canonical == text {
            return Ok(());
        }
        self.changed += 1;
        if self.args.diff {
            self.out.print(&difference(&name, &text, &canonical))?;
        } else if self.args.check {
            self.out.print(&format!("{name}\n"))?;
        } else {
            replace(path, &canonical)?;
        }
        Ok(())
    }

    fn finish(self, files: usize) -> Result<Exit, Failure> {
        let only_looked = self.args.check || self.args.diff;
        let verb = if only_looked { "would change" } else { "changed" };
        self.out.note(&format!("{} of {} {verb}", self.changed, plural(files, "file")));
        Ok(match (self.broken, only_looked && self.changed > 0) {
            (true, _) => Exit::Project,
            (false, true) => Exit::Findings,
            (false, false) => Exit::Ok,
        })
    }
}

fn text(bytes: Vec<u8>, path: &Path) -> Result<String, Error> {
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Error::io("could not format", path, "it is larger than 16 MB"));
    }
    String::from_utf8(bytes).map_err(|_| Error::io("could not format", path, "it is not UTF-8 text"))
}

/// Writes beside the file and moves into its place, so that no half-written file is ever seen.
fn replace(path: &Path, text: &str) -> Result<(), Error> {
    let failed = |why: std::io::Error| Error::io("could not write", path, why);
    // What a link points to is written, not the link.
    let target = std::fs::canonicalize(path).map_err(failed)?;
    let name = target.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let aside = target.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
    let written = std::fs::write(&aside, text)
        .and_then(|()| std::fs::metadata(&target))
        .and_then(|meta| std::fs::set_permissions(&aside, meta.permissions()))
        .and_then(|()| std::fs::rename(&aside, &target));
    written.map_err(|why| {
        let _ = std::fs::remove_file(&aside);
        failed(why)
    })
}

/// What would change, as `diff -u` shows it.
fn difference(name: &str, before: &str, after: &str) -> String {
    use owo_colors::OwoColorize as _;
    let diff = similar::TextDiff::from_lines(before, after);
    let plain = diff.unified_diff().context_radius(3).header(name, name).to_string();
    let mut out = String::new();
    for line in plain.lines() {
        let painted = match line.as_bytes().first() {
            Some(b'+') => line.green().to_string(),
            Some(b'-') => line.red().to_string(),
            Some(b'@') => line.cyan().to_string(),
            _ => line.to_owned(),
        };
        out.push_str(&painted);
        out.push('\n');
    }
    out
}
