//! Which Parquet files there are, and which of them are one table.
//!
//! Owns: walking folders, reading footers, grouping files.
//! Promises: every file of a table has the same columns; files stand in the order of their paths; a file that can't be read is an
//! error that names it, and all such files are named at once.
//! Must not know: what the columns mean.

use std::collections::BTreeSet;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use arrow::datatypes::SchemaRef;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};

use super::names;
use super::table::{Column, FilePart, Kind, Table};
use crate::error::Error;

const HELP_PARQUET: &str =
    "init reads Parquet; other formats convert with one line of DuckDB: copy (from 'x.csv') to 'x.parquet'";

/// How deep folders are walked.
const DEPTH: usize = 16;
/// How many files are looked at.
const FILES: usize = 100_000;

/// The tables below `places`. Paths are written as the catalog of a project in `root` should say them.
pub fn tables(root: &Path, places: &[PathBuf]) -> Result<Vec<Table>, Error> {
    let mut tables = Vec::new();
    let mut broken = Vec::new();
    let mut skipped = Vec::new();
    let mut taken = BTreeSet::new();
    for place in places {
        let meta = std::fs::metadata(place).map_err(|e| {
            Error::io("can't read", place, e).with_help("`--data` takes a Parquet file or a folder of Parquet files")
        })?;
        let mut found = Vec::new();
        if meta.is_file() {
            found.push(Found { path: place.clone(), folder: place.clone(), partitions: Vec::new() });
        } else {
            walk(place, place, &[], 0, &mut found, &mut skipped)?;
        }
        found.sort_by(|a, b| a.path.cmp(&b.path));
        group(root, place, found, &mut taken, &mut tables, &mut broken);
    }
    if let Some((path, why)) = broken.first() {
        let more = match broken.len() {
            1 => String::new(),
            n => {
                let rest: Vec<String> =
                    broken.iter().skip(1).take(5).map(|(p, _)| format!("`{}`", p.display())).collect();
                format!("; {} more can't be read either: {}", n.saturating_sub(1), rest.join(", "))
            }
        };
        return Err(Error::io("can't read the Parquet file", path.clone(), format!("{why}{more}")).with_help(
            "take the file away or write it again; files that end in `.tmp` or begin with `_` or `.` are passed over",
        ));
    }
    if tables.is_empty() {
        let shown: Vec<String> = places.iter().map(|p| format!("`{}`", p.display())).collect();
        let seen = match skipped.first() {
            Some(other) => format!(" (there is `{}`)", Path::display(other)),
            None => String::new(),
        };
        return Err(Error::data(format!("no Parquet file in {}{seen}", shown.join(", "))).with_help(HELP_PARQUET));
    }
    Ok(tables)
}

struct Found {
    path: PathBuf,
    /// The folder whose files may be one table: that of the file, or the one above its hive partitions.
    folder: PathBuf,
    partitions: Vec<(String, String)>,
}

fn walk(
    root: &Path,
    folder: &Path,
    partitions: &[(String, String)],
    depth: usize,
    found: &mut Vec<Found>,
    skipped: &mut Vec<PathBuf>,
) -> Result<(), Error> {
    let entries = std::fs::read_dir(root).map_err(|e| Error::io("can't read the folder", root, e))?;
    for entry in entries {
        let entry = entry.map_err(|e| Error::io("can't read the folder", root, e))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with(['.', '_']) || found.len() >= FILES {
            continue;
        }
        let path = entry.path();
        // A link is followed for files only, so that a loop of links can't trap the walk.
        let kind = entry.file_type().map_err(|e| Error::io("can't read", &path, e))?;
        if kind.is_dir() {
            if depth >= DEPTH || is_ours(&path) {
                continue;
            }
            match name.split_once('=') {
                Some((key, value)) if !key.is_empty() => {
                    let mut deeper = partitions.to_vec();
                    deeper.push((key.to_owned(), unescape(value)));
                    walk(&path, folder, &deeper, depth + 1, found, skipped)?;
                }
                _ => walk(&path, &path, &[], depth + 1, found, skipped)?,
            }
        } else if is_parquet(&path) {
            found.push(Found { path, folder: folder.to_owned(), partitions: partitions.to_vec() });
        } else if skipped.len() < 3 && is_data(&path) {
            skipped.push(path);
        }
    }
    Ok(())
}

/// Folders in which no data of a customer lies: builds, and what a run of Segue wrote.
fn is_ours(path: &Path) -> bool {
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    match name.as_str() {
        "target" | "node_modules" => true,
        "out" => path.parent().is_some_and(|p| p.join("segue.yaml").exists()),
        _ => false,
    }
}

fn is_parquet(path: &Path) -> bool {
    let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
    matches!(extension.as_deref(), Some("parquet" | "parq" | "pq"))
}

fn is_data(path: &Path) -> bool {
    let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
    matches!(
        extension.as_deref(),
        Some("csv" | "tsv" | "json" | "jsonl" | "ndjson" | "xlsx" | "avro" | "orc" | "arrow" | "feather")
    )
}

/// `%20` and the like, as hive writers escape partition values.
fn unescape(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let mut ahead = rest.clone();
            let digit = |b: Option<u8>| b.and_then(|b| char::from(b).to_digit(16));
            if let (Some(high), Some(low)) = (digit(ahead.next()), digit(ahead.next())) {
                bytes.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
                rest = ahead;
                continue;
            }
        }
        bytes.push(byte);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

struct Read {
    found: Found,
    schema: SchemaRef,
    groups: Vec<u64>,
    columns: Vec<(String, Kind)>,
}

impl Read {
    fn has(&self, column: &str) -> bool {
        self.columns.iter().any(|(name, _)| name == column)
    }
}

fn group(
    root: &Path,
    place: &Path,
    found: Vec<Found>,
    taken: &mut BTreeSet<String>,
    tables: &mut Vec<Table>,
    broken: &mut Vec<(PathBuf, String)>,
) {
    let mut folders: Vec<(PathBuf, Vec<Read>)> = Vec::new();
    for one in found {
        match footer(&one.path) {
            Ok((schema, groups)) => {
                let columns = schema.fields().iter().map(|f| (f.name().clone(), Kind::of(f.data_type()))).collect();
                let folder = one.folder.clone();
                let read = Read { found: one, schema, groups, columns };
                match folders.iter_mut().find(|(f, _)| *f == folder) {
                    Some((_, reads)) => reads.push(read),
                    None => folders.push((folder, vec![read])),
                }
            }
            Err(why) => broken.push((one.path, why)),
        }
    }
    for (folder, reads) in folders {
        let partitioned = reads.iter().any(|r| !r.found.partitions.is_empty());
        // Files of one table have the same columns and names that differ in numbers only, or the folder says which event.
        let mut sets: Vec<Vec<Read>> = Vec::new();
        for read in reads {
            let together = |set: &Vec<Read>| {
                set.first().is_some_and(|first| {
                    same_columns(first, &read)
                        && (partitioned || stem(&first.found.path) == stem(&read.found.path) || has_event_column(&read))
                })
            };
            match sets.iter_mut().find(|set| together(set)) {
                Some(set) => set.push(read),
                None => sets.push(vec![read]),
            }
        }
        let sets = apart(sets, broken);
        let alone = sets.len() == 1;
        for set in sets {
            let Some(first) = set.first() else { continue };
            let one_file = set.len() == 1 && first.found.partitions.is_empty();
            let file_stem = stem(&first.found.path);
            let whole_folder = alone && !folder.is_file() && (!one_file || is_generic(&file_stem));
            let path = if whole_folder {
                folder.clone()
            } else if one_file {
                first.found.path.clone()
            } else if !first.found.partitions.is_empty() {
                folder.join("*=*/**/*.parquet")
            } else {
                folder.join(glob(&set))
            };
            let folder_name = |p: &Path| {
                let whole = p.canonicalize().unwrap_or_else(|_| p.to_owned());
                whole.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
            };
            let from_file = !(whole_folder || is_generic(&file_stem));
            let raw = match from_file {
                true => file_stem.clone(),
                false if folder.is_file() => folder.parent().map(folder_name).unwrap_or_default(),
                false => folder_name(&folder),
            };
            let raw = if is_generic(&raw) { folder.parent().map(folder_name).unwrap_or(raw) } else { raw };
            let name = names::unique(names::name_for(&names::plain(&raw), "table"), taken);
            // What a run writes into the project's folder is no event of the next run.
            let path = match spell(root, place, &path).as_str() {
                "." if partitioned => "*=*/**/*.parquet".to_owned(),
                "." => "*.parquet".to_owned(),
                path => path.to_owned(),
            };
            tables.push(table(name, path, set));
        }
    }
}

fn table(name: String, path: String, set: Vec<Read>) -> Table {
    let mut columns: Vec<Column> = Vec::new();
    let mut partitions: Vec<String> = Vec::new();
    for read in &set {
        for (name, _) in &read.found.partitions {
            if !partitions.contains(name) {
                partitions.push(name.clone());
            }
        }
    }
    if let Some(first) = set.first() {
        for (name, kind) in first.columns.iter().filter(|(name, _)| !partitions.contains(name)) {
            if set.iter().all(|read| read.has(name)) {
                columns.push(Column::new(name.clone(), kind.clone(), false));
            }
        }
    }
    let all = set.iter().flat_map(|read| &read.columns).map(|(name, _)| name);
    let lacking: BTreeSet<String> = all.filter(|name| !set.iter().all(|read| read.has(name))).cloned().collect();
    columns.extend(partitions.iter().map(|name| Column::new(name.clone(), Kind::Text, true)));
    let files: Vec<FilePart> = set
        .into_iter()
        .map(|r| FilePart { path: r.found.path, schema: r.schema, groups: r.groups, partitions: r.found.partitions })
        .collect();
    let rows = files.iter().flat_map(|f| &f.groups).fold(0u64, |sum, n| sum.saturating_add(*n));
    Table { name, path, files, rows, columns, lacking, sample: Vec::new(), sample_is_all: false }
}

/// Columns and rows of each row group, from the footer.
fn footer(path: &Path) -> Result<(SchemaRef, Vec<u64>), String> {
    let file = File::open(path).map_err(|e| e.to_string())?;
    let size = file.metadata().map_err(|e| e.to_string())?.len();
    if size == 0 {
        return Err("the file is empty".to_owned());
    }
    // The reader has panicked on damaged files; whatever it does, the file is named.
    let read = catch_unwind(AssertUnwindSafe(|| ArrowReaderMetadata::load(&file, ArrowReaderOptions::new())));
    let metadata = match read {
        Ok(Ok(metadata)) => metadata,
        Ok(Err(e)) => return Err(damaged(path, size, &e.to_string())),
        Err(_) => return Err("the file is damaged".to_owned()),
    };
    let mut end = 0u64;
    let mut groups = Vec::new();
    for group in metadata.metadata().row_groups() {
        groups.push(u64::try_from(group.num_rows()).unwrap_or(0));
        for column in group.columns() {
            let (start, length) = column.byte_range();
            end = end.max(start.saturating_add(length));
        }
    }
    if end > size {
        return Err(format!("the file is cut off: its footer speaks of {end} bytes, there are {size}"));
    }
    Ok((metadata.schema().clone(), groups))
}

fn damaged(path: &Path, size: u64, why: &str) -> String {
    use std::io::Read as _;
    let mut head = [0u8; 4];
    let is = File::open(path).and_then(|mut f| f.read_exact(&mut head)).is_ok() && &head == b"PAR1";
    match is {
        true => format!("it begins like Parquet but is cut off or damaged ({size} bytes; {why})"),
        false => "it is no Parquet file".to_owned(),
    }
}

fn same_columns(a: &Read, b: &Read) -> bool {
    let sorted = |r: &Read| {
        let mut names: Vec<(String, String)> =
            r.schema.fields().iter().map(|f| (f.name().clone(), format!("{:?}", Kind::of(f.data_type())))).collect();
        names.sort();
        names
    };
    sorted(a) == sorted(b)
}

fn has_event_column(read: &Read) -> bool {
    read.columns.iter().any(|(name, kind)| {
        matches!(kind, Kind::Text)
            && matches!(names::plain(name).as_str(), "event" | "event_name" | "event_type" | "eventname")
    })
}

/// The file's name without extension and without its numbers: `events-0001` and `events-0002` are both `events`.
fn stem(path: &Path) -> String {
    let stem = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    let is_hash = |part: &str| part.len() >= 8 && part.chars().all(|c| c.is_ascii_hexdigit());
    stem.split(['-', '_', '.', ' '])
        .filter(|part| !part.is_empty() && !is_hash(part) && !part.chars().all(|c| c.is_ascii_digit()))
        .filter(|part| !matches!(*part, "snappy" | "zstd" | "gz" | "c000" | "part" | "chunk"))
        .collect::<Vec<_>>()
        .join("_")
}

/// Names that say nothing about what the rows are.
fn is_generic(stem: &str) -> bool {
    matches!(
        stem.to_lowercase().as_str(),
        "" | "data"
            | "part"
            | "parquet"
            | "file"
            | "files"
            | "chunk"
            | "output"
            | "export"
            | "year"
            | "month"
            | "day"
            | "raw"
            | "batch"
    )
}

/// Makes sets of files of which each can be named without the others': those that a glob would mix up become one, where they have
/// most columns in common, and are named file by file where not.
fn apart(mut sets: Vec<Vec<Read>>, broken: &mut Vec<(PathBuf, String)>) -> Vec<Vec<Read>> {
    let in_partitions = |set: &[Read]| set.iter().any(|read| !read.found.partitions.is_empty());
    let beside_them = |set: &[Read]| set.iter().any(|read| read.found.partitions.is_empty());
    let mixed = |sets: &[Vec<Read>]| {
        let is_glob = |set: &[Read]| set.len() > 1 && !in_partitions(set);
        let names: Vec<_> = sets.iter().map(|set| is_glob(set).then(|| Beginning::of(set))).collect();
        let takes = |a: usize, b: usize| {
            let (Some(Some(name)), Some(others)) = (names.get(a), sets.get(b)) else { return false };
            others.iter().any(|other| other.found.partitions.is_empty() && name.takes(&file_name(other)))
        };
        let pairs = (0..sets.len()).flat_map(|a| (a + 1..sets.len()).map(move |b| (a, b)));
        let folders = |a: usize, b: usize| {
            let (Some(a), Some(b)) = (sets.get(a), sets.get(b)) else { return false };
            let both = in_partitions(a) && in_partitions(b);
            both || [a, b].iter().any(|set| in_partitions(set) && beside_them(set))
        };
        pairs.into_iter().find(|&(a, b)| folders(a, b) || takes(a, b) || takes(b, a))
    };
    while let Some((a, b)) = mixed(&sets) {
        let other = sets.remove(b);
        let Some(one) = sets.get_mut(a) else { break };
        let (Some(first), Some(second)) = (one.first(), other.first()) else { break };
        let shared = first.columns.iter().filter(|(name, _)| second.columns.iter().any(|(n, _)| n == name)).count();
        let alike = 2 * shared >= first.columns.len().max(second.columns.len());
        if !alike && (in_partitions(one) || in_partitions(&other)) {
            broken.push((second.found.path.clone(), "its columns are others than those of the files beside it".into()));
        } else if !alike {
            let all = std::mem::take(one).into_iter().chain(other);
            sets.extend(all.map(|read| vec![read]));
            sets.retain(|set| !set.is_empty());
        } else if let Some(why) = conflict(first, second) {
            broken.push((second.found.path.clone(), why));
        } else {
            one.extend(other);
        }
    }
    sets
}

/// A column of both files that holds something else in each.
fn conflict(a: &Read, b: &Read) -> Option<String> {
    let (name, ..) = a.columns.iter().find(|(name, kind)| b.columns.iter().any(|(n, k)| n == name && k != kind))?;
    let other = a.found.path.file_name().unwrap_or_default().to_string_lossy();
    Some(format!("its column `{name}` holds other values than that of `{other}` beside it"))
}

fn file_name(read: &Read) -> String {
    read.found.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// What the names of files begin with, and how all of them end.
struct Beginning {
    beginning: String,
    end: &'static str,
}

impl Beginning {
    fn of(set: &[Read]) -> Beginning {
        let names: Vec<String> = set.iter().map(file_name).collect();
        let end = if names.iter().all(|name| name.ends_with(".parquet")) { ".parquet" } else { "" };
        let stems = || names.iter().map(|name| name.strip_suffix(end).unwrap_or(name));
        let first = stems().next().unwrap_or_default();
        let same = |name: &str| first.chars().zip(name.chars()).take_while(|(a, b)| a == b).count();
        let length = stems().map(same).min().unwrap_or(0);
        let plain = first.chars().take(length).take_while(|c| !matches!(c, '*' | '?' | '['));
        Beginning { beginning: plain.collect(), end }
    }

    fn takes(&self, name: &str) -> bool {
        name.strip_prefix(self.beginning.as_str()).is_some_and(|rest| rest.ends_with(self.end))
    }
}

/// A glob for files whose names share a beginning.
fn glob(set: &[Read]) -> String {
    let Beginning { beginning, end } = Beginning::of(set);
    format!("{beginning}*{end}")
}

/// Relative to the project where the data lies inside it, absolute otherwise.
fn spell(root: &Path, place: &Path, path: &Path) -> String {
    let inside = match (canonical(root), canonical(place)) {
        (Some(root), Some(place_whole)) => {
            let rest = path.strip_prefix(place).unwrap_or(Path::new(""));
            let full = if rest.as_os_str().is_empty() { place_whole } else { place_whole.join(rest) };
            match full.strip_prefix(&root) {
                Ok(relative) if relative.as_os_str().is_empty() => PathBuf::from("."),
                Ok(relative) => relative.to_owned(),
                Err(_) => full,
            }
        }
        _ => path.to_owned(),
    };
    inside.to_string_lossy().replace('\\', "/")
}

/// The canonical path, also of a folder that is still to be made: the part that exists is resolved.
fn canonical(path: &Path) -> Option<PathBuf> {
    let whole = std::path::absolute(path).ok()?;
    whole.ancestors().find_map(|there| {
        let rest = whole.strip_prefix(there).ok()?;
        let there = there.canonicalize().ok()?;
        Some(if rest.as_os_str().is_empty() { there } else { there.join(rest) })
    })
}
