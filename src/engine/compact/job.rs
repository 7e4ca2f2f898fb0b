//! What is to be done for one source.
//!
//! Owns: which files are new, changed or gone; pieces of work; the hidden folder of a call. Promises: a call that was stopped goes on
//! only if nothing has changed since; two calls never work on one store at a time.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use arrow::datatypes::Schema;
use serde::Serialize;

use super::manifest::{self, Input, Manifest, Time};
use super::schema::{self, Seen, Shape};
use super::{Compacted, Options};
use crate::engine::bucket::{BUCKETS, HASH_VERSION};
use crate::engine::plan::lower::micros;
use crate::engine::tables::layout::{Declared, Ids, VERSION};
use crate::engine::tables::{Tables, files};
use crate::error::Error;
use crate::language::catalog::{Catalog, SourceTable};

/// Rows of a piece of work, as far as row groups allow.
const UNIT_ROWS: u64 = 1 << 20;
/// And its bytes, as they lie in the files.
const UNIT_BYTES: u64 = 64 << 20;

/// Row groups of one input file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Span {
    pub input: usize,
    pub groups: [usize; 2],
}

/// A source on its way into a store.
#[derive(Debug)]
pub struct Job {
    pub source: String,
    /// As in messages.
    pub what: String,
    /// The store.
    pub folder: PathBuf,
    /// The hidden folder beside it.
    pub work: PathBuf,
    pub part: u32,
    pub buckets: u32,
    pub customer: String,
    pub time: Time,
    pub ids: Ids,
    pub from: String,
    /// All that there was of the store goes.
    pub replaces: bool,
    pub inputs: Vec<Input>,
    /// Where the inputs are, and the columns in their folders' names.
    pub at: Vec<Place>,
    pub units: Vec<Vec<Span>>,
    pub shape: Shape,
    /// Held while the work goes on.
    #[allow(dead_code)]
    lock: File,
}

#[derive(Debug, Clone)]
pub struct Place {
    pub path: PathBuf,
    pub shown: String,
    pub hive: Vec<(String, Option<String>)>,
}

/// What must not have changed for a stopped call to go on.
#[derive(Serialize)]
struct Mark<'a> {
    layout: u32,
    hash: u32,
    source: &'a str,
    part: u32,
    buckets: u32,
    customer: &'a str,
    time: &'a Time,
    ids: Ids,
    replaces: bool,
    columns: String,
    inputs: &'a [Input],
    units: &'a [Vec<Span>],
}

impl Job {
    /// Looks at the source and at what there is of its store.
    pub async fn new(
        catalog: &Catalog,
        root: &Path,
        source: usize,
        tables: &Tables,
        options: &Options,
    ) -> Result<Job, Error> {
        let table = catalog.sources.get(source).ok_or_else(|| Error::usage("no such source"))?;
        let name = table.name.name.clone();
        let what = format!("source `{name}`");
        if files::is_remote(&table.path) {
            return Err(Error::usage(format!("{what} is in an object store, and only local files can be compacted"))
                .with_help("copy the files here, compact them, and copy the store to the object store"));
        }
        let base = base(root, &table.path);
        let folder = options.to.join(&name);
        apart(&what, base.as_deref(), &options.to, &folder)?;
        let work = options.to.join(format!("_work-{name}"));
        let lock = locked(&work)?;
        let job = Job::read(root, table, base, folder, work.clone(), lock, tables, options).await;
        if job.is_err() && !work.join(MARK).exists() {
            // Nothing was begun: nothing is left behind.
            let _ = std::fs::remove_dir_all(&work);
            let _ = std::fs::remove_dir(&options.to);
        }
        job
    }

    #[allow(clippy::too_many_arguments)]
    async fn read(
        root: &Path,
        table: &SourceTable,
        base: Option<PathBuf>,
        folder: PathBuf,
        work: PathBuf,
        lock: File,
        tables: &Tables,
        options: &Options,
    ) -> Result<Job, Error> {
        let name = table.name.name.clone();
        let what = format!("source `{name}`");
        let mut stores = files::Stores::default();
        let listing = files::list(&mut stores, root, &table.path, &what).await?;
        let place = |found: files::Found| {
            let path = found.disk.ok_or_else(|| Error::data(format!("{what}: `{}` is no local file", found.shown)))?;
            Ok(Place { path, shown: found.shown, hive: found.hive })
        };
        let places = listing.files.into_iter().map(place).collect::<Result<Vec<_>, Error>>()?;
        let mut job = Job {
            what,
            folder,
            work,
            part: 1,
            buckets: options.buckets,
            customer: table.customer.clone(),
            time: Time { column: table.time.clone(), zone: table.timezone.clone(), unit: table.time_unit.map(micros) },
            ids: Ids::new(tables.number_ids),
            from: table.path.clone(),
            replaces: options.full,
            inputs: Vec::new(),
            at: Vec::new(),
            units: Vec::new(),
            shape: schema::unify("", &[])?,
            source: name,
            lock,
        };
        let parts = job.parts()?;
        for place in places {
            let below = base.as_deref().and_then(|base| place.path.strip_prefix(base).ok());
            let path = below.map_or_else(|| file_name(&place.path), slashes);
            let (bytes, modified) = manifest::stat(&place.path)?;
            job.inputs.push(Input { path, bytes, modified, rows: 0, sha256: String::new() });
            job.at.push(place);
        }
        if !parts.is_empty() {
            job.only_new(&parts)?;
        }
        job.look(&parts)?;
        Ok(job)
    }

    /// Whether there is no store yet, or none that is kept.
    pub fn first(&self) -> bool {
        self.part == 1
    }

    /// The parts that there are, if they are of this source as it is read today.
    fn parts(&self) -> Result<Vec<(PathBuf, Manifest)>, Error> {
        let found = manifest::parts(&self.folder);
        let parts = match found {
            // A damaged store is a store.
            Err(_) if self.replaces => return Ok(Vec::new()),
            found => found?,
        };
        if parts.is_empty() && self.folder.exists() {
            return Err(Error::Refused {
                message: format!("`{}` is there, and is no compacted store", self.folder.display()),
                help: Some("name another folder with `--to`, or take this one away".into()),
            });
        }
        if self.replaces {
            return Ok(Vec::new());
        }
        let unsound = |path: &Path, what: &str| Error::Refused {
            message: format!("`{}` {what}", path.display()),
            help: Some("`segue store check` tells more, `--full` rewrites the whole store".into()),
        };
        if let Some(nobodys) = manifest::without(&self.folder)? {
            return Err(unsound(&nobodys, "has no manifest that says which files are in it"));
        }
        for ((path, part), wanted) in parts.iter().zip(1..) {
            if part.part != wanted {
                return Err(unsound(path, &format!("is part {}, and part {wanted} is missing", part.part)));
            }
            let same = part.layout == VERSION
                && part.hash == HASH_VERSION
                && (part.ids, &part.customer, &part.time) == (self.ids, &self.customer, &self.time);
            if !same {
                return Err(Error::Refused {
                    message: format!("`{}` was made for another catalog or by another version", path.display()),
                    help: Some("`--full` rewrites the whole store".into()),
                });
            }
            let whole = |file: &manifest::Output| path.join(&file.path).metadata().is_ok_and(|m| m.len() == file.bytes);
            if let Some(file) = part.files.iter().find(|file| !whole(file)) {
                return Err(unsound(&path.join(&file.path), "is gone or was changed"));
            }
        }
        Ok(parts)
    }

    /// Leaves the files that no part has; says which have changed or are gone.
    fn only_new(&mut self, parts: &[(PathBuf, Manifest)]) -> Result<(), Error> {
        let mut known: std::collections::BTreeMap<&str, &Input> = std::collections::BTreeMap::new();
        for input in parts.iter().flat_map(|(_, part)| &part.inputs) {
            known.insert(&input.path, input);
        }
        let mut changed = Vec::new();
        let (mut inputs, mut at) = (Vec::new(), Vec::new());
        for (input, place) in std::mem::take(&mut self.inputs).into_iter().zip(std::mem::take(&mut self.at)) {
            match known.remove(input.path.as_str()) {
                None => {
                    inputs.push(input);
                    at.push(place);
                }
                Some(before) if (before.bytes, before.modified) == (input.bytes, input.modified) => {}
                Some(before) => {
                    if before.bytes != input.bytes || manifest::digest(&place.path)? != before.sha256 {
                        changed.push(format!("`{}` was rewritten", input.path));
                    }
                }
            }
        }
        changed.extend(known.keys().map(|path| format!("`{path}` is gone")));
        if !changed.is_empty() {
            let more = changed.len().saturating_sub(3);
            changed.truncate(3);
            let mut said = changed.join(", ");
            if more > 0 {
                said.push_str(&format!(", and {more} more"));
            }
            return Err(Error::Refused {
                message: format!("{}: the store was made of files that have changed since: {said}", self.what),
                help: Some("new files are added as they come; `--full` rewrites the whole store".into()),
            });
        }
        self.part = parts.last().map_or(1, |(_, last)| last.part + 1);
        (self.inputs, self.at) = (inputs, at);
        Ok(())
    }

    /// Reads the footers: columns, rows, pieces of work.
    fn look(&mut self, parts: &[(PathBuf, Manifest)]) -> Result<(), Error> {
        let mut schemas: Vec<(String, Schema)> = Vec::new();
        // What is added has the columns of what there is.
        if let Some((path, first)) = parts.iter().find_map(|(path, part)| Some((path, part.files.first()?))) {
            let path = path.join(&first.path);
            let (schema, ..) = footer(&path, &path.display().to_string())?;
            schemas.push((path.display().to_string(), schema));
        }
        let before = schemas.len();
        let mut unit: Vec<Span> = Vec::new();
        let (mut rows, mut bytes) = (0, 0);
        for (i, (input, place)) in self.inputs.iter_mut().zip(&self.at).enumerate() {
            let (schema, groups, declared) = footer(&place.path, &place.shown)?;
            if declared {
                return Err(Error::usage(format!("{}: `{}` is compacted already", self.what, place.shown))
                    .with_help("name the original files with `--from`"));
            }
            input.rows = groups.iter().map(|(rows, _)| rows).sum();
            schemas.push((place.shown.clone(), schema));
            let mut from = 0;
            for (g, group) in groups.iter().enumerate() {
                (rows, bytes) = (rows + group.0, bytes + group.1);
                if rows >= UNIT_ROWS || bytes >= UNIT_BYTES {
                    unit.push(Span { input: i, groups: [from, g + 1] });
                    self.units.push(std::mem::take(&mut unit));
                    (rows, bytes, from) = (0, 0, g + 1);
                }
            }
            if from < groups.len() || from == 0 {
                unit.push(Span { input: i, groups: [from, groups.len()] });
            }
        }
        if !unit.is_empty() {
            self.units.push(unit);
        }
        let none = Vec::new();
        let seen: Vec<Seen<'_>> = schemas
            .iter()
            .enumerate()
            .map(|(s, (name, schema))| {
                let hive = s.checked_sub(before).and_then(|i| self.at.get(i)).map_or(&none, |place| &place.hive);
                (name.as_str(), schema, hive.as_slice())
            })
            .collect();
        self.shape = schema::unify(&self.what, &seen)?;
        Ok(())
    }

    /// Makes the hidden folder ready: with what an earlier call has done of just this, or empty.
    pub fn begin(&self) -> Result<(), Error> {
        let mark = Mark {
            layout: VERSION,
            hash: HASH_VERSION,
            source: &self.source,
            part: self.part,
            buckets: self.buckets,
            customer: &self.customer,
            time: &self.time,
            ids: self.ids,
            replaces: self.replaces,
            columns: self.shape.text(),
            inputs: &self.inputs,
            units: &self.units,
        };
        let path = self.work.join(MARK);
        let text = serde_json::to_string(&mark).unwrap_or_default();
        if std::fs::read_to_string(&path).is_ok_and(|before| before == text) {
            return Ok(());
        }
        let cant = |path: &Path, e| Error::io("cannot clear", path, e);
        for entry in std::fs::read_dir(&self.work).map_err(|e| cant(&self.work, e))? {
            let path = entry.map_err(|e| cant(&self.work, e))?.path();
            if path.is_dir() {
                std::fs::remove_dir_all(&path).map_err(|e| cant(&path, e))?;
            } else if path.file_name().is_none_or(|name| name != LOCK) {
                std::fs::remove_file(&path).map_err(|e| cant(&path, e))?;
            }
        }
        for folder in [self.runs(), self.staged()] {
            std::fs::create_dir_all(&folder).map_err(|e| Error::io("cannot write", &folder, e))?;
        }
        manifest::save(&path, &mark)
    }

    /// Takes the hidden folder away.
    pub fn forget(&self) -> Result<(), Error> {
        std::fs::remove_dir_all(&self.work).map_err(|e| Error::io("cannot clear", &self.work, e))
    }

    /// Where sorted runs lie.
    pub fn runs(&self) -> PathBuf {
        self.work.join("runs")
    }

    /// Where the part is put together.
    pub fn staged(&self) -> PathBuf {
        self.work.join("store").join(self.name())
    }

    /// The name of the part's folder.
    pub fn name(&self) -> String {
        format!("part-{:04}", self.part)
    }

    /// The buckets of a file.
    pub fn range(&self, file: usize) -> [u32; 2] {
        let wide = BUCKETS / self.buckets;
        let lo = u32::try_from(file).unwrap_or(0) * wide;
        [lo, lo + wide]
    }

    /// The name of a file of the part.
    pub fn file(&self, file: usize) -> String {
        format!("bucket-{file:04}-of-{:04}.parquet", self.buckets)
    }

    pub fn declared(&self, file: usize) -> Declared {
        Declared {
            layout: VERSION,
            hash: HASH_VERSION,
            ids: self.ids,
            buckets: self.range(file),
            of: BUCKETS,
            order: vec![self.customer.clone(), self.time.column.clone()],
            source: self.source.clone(),
            part: self.part,
        }
    }

    /// The answer where nothing is new.
    pub fn nothing(&self) -> Compacted {
        Compacted {
            source: self.source.clone(),
            folder: self.folder.clone(),
            part: None,
            input_files: 0,
            input_bytes: 0,
            files: 0,
            bytes: 0,
            rows: 0,
            resumed: 0,
        }
    }
}

const LOCK: &str = "lock";
/// What was begun here.
const MARK: &str = "job.json";
/// Ids that are whole numbers.
pub const NUMBERS: Ids = Ids::Number;

/// The hidden folder, for this call alone.
fn locked(work: &Path) -> Result<File, Error> {
    let cant = |why: &dyn std::fmt::Display| {
        Error::io("cannot write", work, why).with_help("name another folder with `--to`, or free this one")
    };
    std::fs::create_dir_all(work).map_err(|e| cant(&e))?;
    let lock = File::create(work.join(LOCK)).map_err(|e| cant(&e))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(Error::Refused {
            message: format!("another `segue store compact` is at work in `{}`", work.display()),
            help: Some("wait for it to end".into()),
        }),
        Err(TryLockError::Error(e)) => Err(cant(&e)),
    }
}

/// Rows and bytes of each row group.
type Groups = Vec<(u64, u64)>;

/// Columns, row groups, and whether the file is of a store already.
fn footer(path: &Path, shown: &str) -> Result<(Schema, Groups, bool), Error> {
    let bad = |e: &dyn std::fmt::Display| Error::data(format!("`{shown}` cannot be read: {e}"));
    let file = File::open(path).map_err(|e| Error::io("cannot read", path, e))?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| bad(&e))?;
    let metadata = reader.metadata();
    let declared = Declared::of(metadata.file_metadata().key_value_metadata()).map_err(|e| bad(&e))?.is_some();
    let size = |n: i64| u64::try_from(n).unwrap_or(0);
    let groups = metadata.row_groups().iter().map(|g| (size(g.num_rows()), size(g.total_byte_size()))).collect();
    Ok((Schema::new(reader.schema().fields().clone()), groups, declared))
}

/// The folder that a source's files are named below; `None` for a single file.
fn base(root: &Path, path: &str) -> Option<PathBuf> {
    let at = std::path::absolute(files::local(root, path)).ok()?;
    if files::has_glob(path) { Some(files::split(&at).0) } else { at.is_dir().then_some(at) }
}

/// A store neither lies among the files that it is made of, nor holds them.
fn apart(what: &str, base: Option<&Path>, to: &Path, folder: &Path) -> Result<(), Error> {
    let Some(base) = base.and_then(|base| base.canonicalize().ok()) else { return Ok(()) };
    if files::real(to).starts_with(&base) {
        return Err(Error::usage(format!("{what}: `{}` lies in the folder of its own files", to.display()))
            .with_help("name a folder outside with `--to`; otherwise the store would be read as events once more"));
    }
    if base.starts_with(files::real(folder)) {
        return Err(Error::usage(format!("{what}: its files lie in the store, `{}`", folder.display()))
            .with_help("name the original files with `--from`"));
    }
    Ok(())
}

fn slashes(path: &Path) -> String {
    path.components().map(|c| c.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}
