//! Audiences as files.
//!
//! Owns: what an audience file looks like and how it takes the place of the one before. Promises: the same audience is the same
//! bytes; everything is written aside first, so that a reader finds whole files only and a failure or an interruption leaves the
//! files of the run before. Must not know: rules.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, StringArray};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{Field, Int64Type, Schema};
use parquet::arrow::arrow_writer::{ArrowWriter, ArrowWriterOptions};
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::run::Outcome;
use super::tables::files;
use crate::error::Error;
use crate::language::catalog::Catalog;

/// Files of results lie apart from those that are read: among them they would be rows of the next run.
pub fn apart(catalog: &Catalog, root: &Path, folder: &Path, names: &[String]) -> Result<(), Error> {
    let sources = catalog.sources.iter().map(|t| (format!("source `{}`", t.name.name), &t.path));
    let lookups = catalog.lookups.iter().map(|t| (format!("look-up `{}`", t.name.name), &t.path));
    let profiles = catalog.profile.iter().map(|t| ("profiles".to_owned(), &t.path));
    let links = catalog.identities.iter().flat_map(|i| &i.links);
    let links = links.map(|t| (format!("links `{}`", t.name.name), &t.path));
    let lists = catalog.lists.iter().map(|t| (format!("list `{}`", t.name.name), &t.path));
    for (what, path) in sources.chain(lookups).chain(profiles).chain(links).chain(lists) {
        if let Some(name) = names.iter().find(|name| files::lists(root, path, &folder.join(name))) {
            return Err(Error::usage(format!(
                "`{}` would be one of the files of the {what}",
                folder.join(name).display()
            ))
            .with_help("name another folder for the results; here the next run would read them"));
        }
    }
    Ok(())
}

/// What kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    Parquet,
    Csv,
    Jsonl,
}

impl Kind {
    /// What the file of an audience is called.
    pub fn file(self, audience: &str) -> String {
        format!("{audience}.{}", self.extension())
    }

    /// How the file's name ends.
    pub fn extension(self) -> &'static str {
        match self {
            Kind::Parquet => "parquet",
            Kind::Csv => "csv",
            Kind::Jsonl => "jsonl",
        }
    }
}

/// One audience.
#[derive(Debug, Clone)]
pub struct Audience<'a> {
    /// The file's name without its ending.
    pub name: &'a str,
    pub who: Who<'a>,
}

/// Whom an audience holds, and what stands beside the customer. Rules are indices into the outcome.
#[derive(Debug, Clone)]
pub enum Who<'a> {
    Rule(usize),
    /// These rows, the customer first: of a campaign who is contacted, how and with what.
    Rows(RecordBatch),
    /// The customers who are in a stage, each once: a second column `stage`.
    Stages(Vec<(&'a str, usize)>),
}

/// Where the files go.
#[derive(Debug, Clone)]
pub struct Output<'a> {
    pub folder: &'a Path,
    pub kinds: &'a [Kind],
    /// These are all audiences of the project: files of an earlier run that no audience has any more are taken away.
    pub whole: bool,
    /// Once this is true, nothing more is written, and the files of the run before stay. It comes too late when all is written
    /// and only to be put in its place.
    pub stop: &'a AtomicBool,
}

/// For whoever is never interrupted.
pub static NEVER: AtomicBool = AtomicBool::new(false);

/// Rows of a row group.
const ROW_GROUP: usize = 1 << 20;
/// Names the files that a run has written.
const INDEX: &str = ".segue-audiences";
/// How names of what is on its way begin; six letters and digits follow.
const STAGING: &str = ".segue-";
const CREATED_BY: &str = "segue";

/// Writes the audiences; the answer is the files in the order of audiences and kinds.
pub fn write(outcome: &Outcome, audiences: &[Audience<'_>], output: &Output<'_>) -> Result<Vec<PathBuf>, Error> {
    let folder = output.folder;
    let cant = |path: &Path, why: &dyn std::fmt::Display| {
        Error::io("cannot write", path, why).with_help("name another folder with `--output`, or free this one")
    };
    if folder.exists() && !folder.is_dir() {
        return Err(cant(folder, &"it is a file, and a folder is wanted"));
    }
    let parent = folder.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(parent).map_err(|e| cant(folder, &e))?;
    // Aside, but on the same disk, so that moving is renaming. It goes away with this value, whatever happens.
    let beside = if folder.is_dir() { folder } else { parent };
    let staging = tempfile::Builder::new().prefix(STAGING).tempdir_in(beside).map_err(|e| cant(folder, &e))?;
    let mut names = Vec::new();
    for audience in audiences {
        if audience.name.is_empty() || audience.name.contains(['/', '\\', '\0']) || audience.name.starts_with('.') {
            return Err(Error::usage(format!("an audience called `{}` can't be a file", audience.name)));
        }
        let batch = batch(outcome, audience)?;
        for &kind in output.kinds {
            halt(output)?;
            let name = kind.file(audience.name);
            let path = staging.path().join(&name);
            let file = File::create_new(&path).map_err(|e| cant(&folder.join(&name), &e))?;
            fill(file, kind, &batch).map_err(|why| cant(&folder.join(&name), &why))?;
            names.push(name);
        }
    }
    halt(output)?;
    let before = index(folder);
    let mut all = names.clone();
    if !output.whole {
        all.extend(before.iter().filter(|name| !names.contains(name)).cloned());
    }
    all.sort();
    all.dedup();
    let text = all.iter().map(|name| format!("{name}\n")).collect::<String>();
    std::fs::write(staging.path().join(INDEX), text).map_err(|e| cant(folder, &e))?;
    if !folder.exists() {
        // The whole folder appears at once.
        let staged = staging.keep();
        open_to_all(&staged);
        std::fs::rename(&staged, folder).map_err(|e| {
            let _ = std::fs::remove_dir_all(&staged);
            cant(folder, &e)
        })?;
    } else {
        for name in names.iter().map(String::as_str).chain([INDEX]) {
            let to = folder.join(name);
            std::fs::rename(staging.path().join(name), &to).map_err(|e| cant(&to, &e))?;
        }
        for name in before.iter().filter(|name| output.whole && !names.contains(name)) {
            let path = folder.join(name);
            match std::fs::remove_file(&path) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(cant(&path, &e)),
                _ => {}
            }
        }
    }
    Ok(names.into_iter().map(|name| folder.join(name)).collect())
}

/// Puts a file into its place, or into that of the one before: aside, to the disk, and by its name. A reader finds the one or the other.
pub fn replace(to: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = to.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(STAGING);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // As the file was; else what the user's mask leaves of it, as for any new file.
        let before = std::fs::metadata(to).ok().map(|before| before.permissions());
        builder.permissions(before.unwrap_or(std::fs::Permissions::from_mode(0o666)));
    }
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(to).map_err(|failed| failed.error)?;
    // The name, too, is on the disk; where folders can't be synced, the system does it in its own time.
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
    Ok(())
}

/// The files that runs wrote into a folder and that are there, and what a run that was killed left aside.
pub fn written(folder: &Path) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let files = index(folder).into_iter().map(|name| folder.join(name)).filter(|path| path.is_file()).collect();
    let above = folder.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut aside = Vec::new();
    for place in [folder, above] {
        for entry in std::fs::read_dir(place).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let random = name.to_str().and_then(|name| name.strip_prefix(STAGING));
            if random.is_some_and(|random| random.len() == 6 && random.bytes().all(|b| b.is_ascii_alphanumeric())) {
                aside.push(entry.path());
            }
        }
    }
    aside.sort();
    (files, aside)
}

/// An interruption; what has been written aside goes away.
fn halt(output: &Output<'_>) -> Result<(), Error> {
    if output.stop.load(Ordering::SeqCst) { Err(Error::Interrupted) } else { Ok(()) }
}

/// A temporary folder is its owner's alone; an output folder is like any other.
fn open_to_all(folder: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // What the user's mask leaves of 777 is not known here without asking another folder.
        let like = folder.parent().and_then(|p| std::fs::metadata(p).ok()).map(|m| m.permissions().mode() & 0o777);
        let _ = std::fs::set_permissions(folder, std::fs::Permissions::from_mode(like.unwrap_or(0o755)));
    }
    #[cfg(not(unix))]
    let _ = folder;
}

/// The files that earlier runs wrote here, as far as their names are plain.
fn index(folder: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join(INDEX)).unwrap_or_default();
    let plain = |name: &&str| {
        let ours =
            [Kind::Parquet, Kind::Csv, Kind::Jsonl].iter().any(|k| name.ends_with(&format!(".{}", k.extension())));
        ours && !name.contains(['/', '\\'])
    };
    text.lines().filter(plain).map(str::to_owned).collect()
}

fn batch(outcome: &Outcome, audience: &Audience<'_>) -> Result<RecordBatch, Error> {
    let odd = |e: &dyn std::fmt::Display| Error::Engine { message: e.to_string(), help: None };
    let members = |rule: usize| outcome.members.get(rule).ok_or_else(|| odd(&"an audience has no rule"));
    let (inside, second) = match &audience.who {
        Who::Rule(rule) => (members(*rule)?.clone(), None),
        Who::Rows(rows) => return Ok(rows.clone()),
        Who::Stages(lines) => {
            let lines = lines.iter().map(|(stage, rule)| Ok((*stage, members(*rule)?)));
            let lines = lines.collect::<Result<Vec<(&str, &BooleanBuffer)>, Error>>()?;
            let nobody = BooleanBuffer::new_unset(outcome.customers.len());
            let inside = lines.iter().fold(nobody, |all, (_, bits)| &all | *bits);
            let stage = |row| lines.iter().find(|(_, bits)| bits.value(row)).map_or("", |(stage, _)| *stage);
            let stages: StringArray = inside.set_indices().map(|row| Some(stage(row))).collect();
            (inside, Some(("stage", stages)))
        }
    };
    let filter = BooleanArray::new(inside, None);
    let customers = arrow::compute::filter(&outcome.customers, &filter).map_err(|e| odd(&e))?;
    let mut fields = vec![Field::new("customer", customers.data_type().clone(), false)];
    let mut columns = vec![customers];
    if let Some((name, texts)) = second {
        fields.push(Field::new(name, arrow::datatypes::DataType::Utf8, false));
        columns.push(Arc::new(texts) as ArrayRef);
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(|e| odd(&e))
}

fn fill(file: File, kind: Kind, batch: &RecordBatch) -> Result<(), String> {
    let text = |e: &dyn std::fmt::Display| e.to_string();
    let mut out = BufWriter::new(file);
    match kind {
        Kind::Parquet => {
            parquet(batch, &mut out)?;
        }
        Kind::Csv => {
            let heads: Vec<String> = batch.schema().fields().iter().map(|f| f.name().clone()).collect();
            writeln!(out, "{}", heads.join(",")).map_err(|e| text(&e))?;
            for row in 0..batch.num_rows() {
                let fields: Vec<String> = batch.columns().iter().map(|c| csv(&shown(c, row))).collect();
                writeln!(out, "{}", fields.join(",")).map_err(|e| text(&e))?;
            }
        }
        Kind::Jsonl => {
            for row in 0..batch.num_rows() {
                let mut object = serde_json::Map::new();
                for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
                    let value = match column.as_primitive_opt::<Int64Type>() {
                        _ if column.is_null(row) => serde_json::Value::Null,
                        Some(numbers) => serde_json::Value::from(numbers.value(row)),
                        None => serde_json::Value::from(cell(column, row)),
                    };
                    object.insert(field.name().clone(), value);
                }
                writeln!(out, "{}", serde_json::Value::Object(object)).map_err(|e| text(&e))?;
            }
        }
    }
    let file = out.into_inner().map_err(|e| text(&e))?;
    file.sync_all().map_err(|e| text(&e))
}

/// A table as Parquet: the same rows are the same bytes.
pub fn parquet(batch: &RecordBatch, out: &mut (impl Write + Send)) -> Result<(), String> {
    let text = |e: &dyn std::fmt::Display| e.to_string();
    let level = ZstdLevel::try_new(1).map_err(|e| text(&e))?;
    let properties = WriterProperties::builder()
        .set_created_by(CREATED_BY.into())
        .set_max_row_group_row_count(Some(ROW_GROUP))
        .set_compression(Compression::ZSTD(level))
        .build();
    let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
    let mut writer = ArrowWriter::try_new_with_options(out, batch.schema(), options).map_err(|e| text(&e))?;
    writer.write(batch).map_err(|e| text(&e))?;
    writer.close().map_err(|e| text(&e))?;
    Ok(())
}

fn cell(column: &ArrayRef, row: usize) -> String {
    match (column.as_primitive_opt::<Int64Type>(), column.as_string_opt::<i32>()) {
        (Some(numbers), _) if numbers.is_valid(row) => numbers.value(row).to_string(),
        (_, Some(texts)) if texts.is_valid(row) => texts.value(row).to_owned(),
        // Missing is empty.
        _ => arrow::util::display::array_value_to_string(column, row).unwrap_or_default(),
    }
}

/// Whether a spreadsheet could take it for a formula: it begins with one of `= + - @`, their wide forms, a tab or a line end, be it
/// behind quotes or spaces, which some take away.
pub fn is_formula(text: &str) -> bool {
    const SIGNS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    text.trim_start_matches(['\'', '"', ' ', '\u{a0}', '\u{feff}']).starts_with(SIGNS)
}

/// The cell; numbers may begin with a sign, and texts that do are neutralised.
fn shown(column: &ArrayRef, row: usize) -> String {
    let cell = cell(column, row);
    if column.as_string_opt::<i32>().is_some() { plain(cell) } else { cell }
}

/// A text that a spreadsheet would take for a formula, with a quote in front.
pub fn plain(text: String) -> String {
    if is_formula(&text) { format!("'{text}") } else { text }
}

/// Quoted where a reader would stumble otherwise.
pub fn csv(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) || text.starts_with(' ') || text.ends_with(' ') {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
