//! Which files a path means: a file, a folder, a glob, on disk or in an object store.
//!
//! Owns: listing. Promises: sorted by name; hidden files (`.x`, `_x`) are no data; nothing found is an error that says where.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use datafusion::execution::object_store::ObjectStoreUrl;
use object_store::{ObjectMeta, ObjectStore};

use super::remote;
use super::stamp::Stamp;
use crate::error::Error;

/// Object stores by the start of their addresses.
#[derive(Debug, Clone, Default)]
pub struct Stores {
    pub(super) stores: BTreeMap<String, Arc<dyn ObjectStore>>,
}

impl Stores {
    /// All remote stores with their addresses.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &Arc<dyn ObjectStore>)> {
        self.stores.iter()
    }
}

/// A file with the `key=value` folders above it, as far as they stand below the path that was asked for.
#[derive(Debug, Clone)]
pub struct Found {
    pub meta: ObjectMeta,
    /// As in messages.
    pub shown: String,
    /// Where it is, if it is on the local disk.
    pub disk: Option<PathBuf>,
    /// Of the moment when it was listed, on the local disk.
    pub stamp: Option<Stamp>,
    pub hive: Vec<(String, Option<String>)>,
}

/// Files and where to read them.
#[derive(Debug, Clone)]
pub struct Listing {
    pub store: Arc<dyn ObjectStore>,
    pub url: ObjectStoreUrl,
    pub files: Vec<Found>,
}

/// What may be wrong with the path of a file that is not there.
fn misplaced(path: &str) -> &'static str {
    if Path::new(path.strip_prefix("file://").unwrap_or(path)).is_absolute() {
        "put the file there, or correct the path in the catalog"
    } else {
        "the path in the catalog is relative to the project's folder"
    }
}

/// A local path: relative to the project, or as it stands if absolute.
pub fn local(root: &Path, path: &str) -> PathBuf {
    root.join(path.strip_prefix("file://").unwrap_or(path))
}

/// A path without links, as far as it exists.
pub fn real(path: &Path) -> PathBuf {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let there = whole.ancestors().find_map(|a| Some((a, a.canonicalize().ok()?)));
    match there {
        // Nothing joined would end in a slash, and no file does.
        Some((above, real)) if above == whole => real,
        Some((above, real)) => whole.strip_prefix(above).map_or_else(|_| whole.clone(), |rest| real.join(rest)),
        None => whole,
    }
}

/// Whether a local file of this name would be one of the files of a path, if it were there.
pub fn lists(root: &Path, path: &str, file: &Path) -> bool {
    let Ok(at) = std::path::absolute(local(root, path)) else { return false };
    if is_remote(path) {
        return false;
    }
    if !has_glob(path) && !at.is_dir() {
        return real(&at) == real(file);
    }
    let (base, pattern) = if has_glob(path) { split(&at) } else { (at, Vec::new()) };
    let file = real(file);
    let Ok(below) = file.strip_prefix(real(&base)) else { return false };
    let parts: Vec<String> = below.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if parts.iter().any(|part| is_hidden(part)) {
        return false;
    }
    if has_glob(path) { matches(&parts, &pattern) } else { parts.last().is_some_and(|name| is_parquet(name)) }
}

/// Whether the path is the address of an object store.
pub fn is_remote(path: &str) -> bool {
    path.contains("://") && !path.starts_with("file://")
}

/// Lists the files of a path.
pub async fn list(stores: &mut Stores, root: &Path, path: &str, what: &str) -> Result<Listing, Error> {
    if is_remote(path) {
        return remote::list(stores, path, what).await;
    }
    let at = local(root, path);
    let nothing = |why: &str, help: &str| {
        Err(Error::data(format!("{what}: {why} `{}`", at.display())).with_help(help.to_owned()))
    };
    let mut found: Vec<(PathBuf, Vec<String>)> = Vec::new();
    if has_glob(path) {
        let (base, pattern) = split(&at);
        if !base.is_dir() {
            return nothing("no folder to match", misplaced(path));
        }
        walk(&base, &mut Vec::new(), &mut found, 0)?;
        found.retain(|(_, below)| matches(below, &pattern));
        if found.is_empty() {
            return nothing("no file matches", "`*` stays within a folder's name, `**` crosses folders");
        }
    } else if at.is_dir() {
        walk(&at, &mut Vec::new(), &mut found, 0)?;
        found.retain(|(file, _)| is_parquet(&file.to_string_lossy()));
        if found.is_empty() {
            return nothing("no `.parquet` file in", "the folder is searched with all folders below it");
        }
    } else if at.is_file() {
        found.push((at.clone(), Vec::new()));
    } else {
        return nothing("nothing at", misplaced(path));
    }
    found.sort();
    let mut files = Vec::with_capacity(found.len());
    for (file, below) in found {
        let meta = std::fs::metadata(&file).map_err(|e| Error::io("cannot read", &file, e))?;
        let whole = std::path::absolute(&file).map_err(|e| Error::io("cannot find", &file, e))?;
        let location =
            object_store::path::Path::from_absolute_path(&whole).map_err(|e| Error::io("cannot name", &file, e))?;
        let stamp = Stamp::from(&meta).ok();
        let modified = meta.modified().unwrap_or(std::time::SystemTime::UNIX_EPOCH);
        let meta =
            ObjectMeta { location, last_modified: modified.into(), size: meta.len(), e_tag: None, version: None };
        let hive = hive(below.iter().map(String::as_str));
        files.push(Found { meta, shown: shown(root, &file), disk: Some(whole), stamp, hive });
    }
    let store = Arc::new(object_store::local::LocalFileSystem::new());
    Ok(Listing { store, url: ObjectStoreUrl::local_filesystem(), files })
}

/// The files of several paths, which are all in one place.
pub async fn these(stores: &mut Stores, root: &Path, paths: &[String], what: &str) -> Result<Listing, Error> {
    let mut all: Option<Listing> = None;
    for path in paths {
        let listing = list(stores, root, path, what).await?;
        match &mut all {
            None => all = Some(listing),
            Some(first) if first.url == listing.url => first.files.extend(listing.files),
            Some(_) => {
                return Err(Error::data(format!("{what}: `{path}` is in another place than the other files"))
                    .with_help("keep all files on the local disk, or all in one bucket"));
            }
        }
    }
    let mut listing = all.ok_or_else(|| Error::data(format!("{what}: no file")))?;
    listing.files.sort_by(|a, b| a.shown.cmp(&b.shown));
    Ok(listing)
}

fn shown(root: &Path, file: &Path) -> String {
    file.strip_prefix(root).unwrap_or(file).to_string_lossy().replace('\\', "/")
}

pub(super) fn is_parquet(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [".parquet", ".parq", ".pq"].iter().any(|end| name.ends_with(end))
}

pub(crate) fn has_glob(path: &str) -> bool {
    path.contains(['*', '?', '['])
}

/// The folder before the first part with a star, and the parts behind it.
pub(crate) fn split(path: &Path) -> (PathBuf, Vec<String>) {
    let mut base = PathBuf::new();
    let mut pattern = Vec::new();
    for part in path.components() {
        match part {
            Component::Normal(name) if !pattern.is_empty() || has_glob(&name.to_string_lossy()) => {
                pattern.push(name.to_string_lossy().into_owned());
            }
            other => base.push(other),
        }
    }
    (base, pattern)
}

/// Whether the parts of a path match those of a pattern; `**` is any number of folders.
pub(super) fn matches(parts: &[String], pattern: &[String]) -> bool {
    match (pattern.split_first(), parts.split_first()) {
        (None, None) => true,
        (Some((star, rest)), _) if star == "**" => {
            matches(parts, rest) || parts.split_first().is_some_and(|(_, parts)| matches(parts, pattern))
        }
        (Some((one, rest)), Some((part, parts))) => part_matches(part, one) && matches(parts, rest),
        _ => false,
    }
}

fn part_matches(part: &str, pattern: &str) -> bool {
    crate::engine::kernels::test::text_test(crate::engine::plan::program::How::Matches, part, pattern)
}

/// Whether files and folders of this name are no data.
fn is_hidden(name: &str) -> bool {
    name.starts_with(['.', '_']) && !name.contains('=')
}

/// All files below a folder, with the names on the way.
fn walk(
    folder: &Path,
    way: &mut Vec<String>,
    found: &mut Vec<(PathBuf, Vec<String>)>,
    depth: usize,
) -> Result<(), Error> {
    if depth > 64 {
        return Err(Error::io(
            "too many folders within folders at",
            folder,
            "more than 64; is there a link in a circle?",
        ));
    }
    let entries = std::fs::read_dir(folder).map_err(|e| Error::io("cannot read the folder", folder, e))?;
    for entry in entries {
        let entry = entry.map_err(|e| Error::io("cannot read the folder", folder, e))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if is_hidden(&name) {
            continue;
        }
        let path = entry.path();
        way.push(name);
        if path.is_dir() {
            walk(&path, way, found, depth + 1)?;
        } else {
            found.push((path, way.clone()));
        }
        way.pop();
    }
    Ok(())
}

/// The `key=value` folders of a path, without its last part.
pub(super) fn hive<'a>(parts: impl Iterator<Item = &'a str>) -> Vec<(String, Option<String>)> {
    let parts: Vec<&str> = parts.collect();
    let folders = parts.split_last().map_or(&[][..], |(_, folders)| folders);
    let pair = |part: &&str| {
        let (key, value) = part.split_once('=')?;
        let value = unescape(value);
        Some((unescape(key), (value != "__HIVE_DEFAULT_PARTITION__").then_some(value)))
    };
    folders.iter().filter_map(pair).collect()
}

/// `%3A` as `:`.
fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        let code = match behind {
            [a, b, ..] if byte == b'%' => {
                std::str::from_utf8(&[*a, *b]).ok().and_then(|h| u8::from_str_radix(h, 16).ok())
            }
            _ => None,
        };
        match code {
            Some(code) => {
                bytes.push(code);
                rest = behind.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(byte);
                rest = behind;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(path: &str) -> Vec<String> {
        path.split('/').map(str::to_owned).collect()
    }

    #[test]
    fn stars() {
        for (path, pattern, expected) in [
            ("a.parquet", "*.parquet", true),
            ("x/a.parquet", "*.parquet", false),
            ("x/a.parquet", "**/*.parquet", true),
            ("a.parquet", "**/*.parquet", true),
            ("day=1/x/a.parquet", "day=*/**", true),
        ] {
            assert_eq!(matches(&parts(path), &parts(pattern)), expected, "{path} {pattern}");
        }
    }

    #[test]
    fn files_that_are_to_come() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("data/events")).unwrap();
        for (path, file, expected) in [
            ("data/events", "data/events/a.parquet", true),
            ("data/events", "data/events/out/a.parquet", true),
            ("data/events", "data/events/../events/a.PQ", true),
            ("data/events", "data/events/_out/a.parquet", false),
            ("data/events", "data/events/a.csv", false),
            ("data/events", "data/other/a.parquet", false),
            ("data/nowhere", "data/nowhere/a.parquet", false),
            ("data/one.parquet", "data/events/../one.parquet", true),
            ("data/one.parquet", "data/other.parquet", false),
            ("data/events/*.parquet", "data/events/a.parquet", true),
            ("data/events/*.parquet", "data/events/out/a.parquet", false),
            ("data/**/x-*", "data/out/x-1.csv", true),
            (".", "out/a.parquet", true),
            ("*.parquet", "out/a.parquet", false),
            ("s3://bucket/events", "events/a.parquet", false),
        ] {
            assert_eq!(lists(root.path(), path, &root.path().join(file)), expected, "{path} {file}");
        }
    }

    #[test]
    fn partitions() {
        assert_eq!(
            hive(["day=2026-01-01", "x", "at=a%3Ab", "n=__HIVE_DEFAULT_PARTITION__", "k=v.parquet"].into_iter()),
            [("day".into(), Some("2026-01-01".into())), ("at".into(), Some("a:b".into())), ("n".into(), None)]
        );
    }
}
