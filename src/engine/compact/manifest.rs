//! What a part of a store was made of, and what it is made up of.
//!
//! Owns: the manifest in each part's folder, digests. Promises: written whole, with the part; hidden from listings.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::engine::tables::layout::Ids;
use crate::error::Error;

pub const FILE: &str = "_manifest.json";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    pub layout: u32,
    pub hash: u32,
    pub source: String,
    pub part: u32,
    pub ids: Ids,
    pub customer: String,
    pub time: Time,
    /// Where the original is, as it was named.
    pub from: String,
    pub rows: u64,
    pub inputs: Vec<Input>,
    pub files: Vec<Output>,
}

/// How a time column was read to sort by it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Time {
    pub column: String,
    pub zone: Option<String>,
    /// A number's unit: multiplied by the first, divided by the second it is microseconds.
    pub unit: Option<(i64, i64)>,
}

/// A file of the original.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// Below the source's folder, with `/`.
    pub path: String,
    pub bytes: u64,
    /// Nanoseconds since 1970.
    pub modified: i64,
    pub rows: u64,
    #[serde(default)]
    pub sha256: String,
}

/// A file of the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    pub path: String,
    pub buckets: [u32; 2],
    pub rows: u64,
    pub bytes: u64,
    pub sha256: String,
}

/// The parts of a store, in order; an empty list where there is no store.
pub fn parts(folder: &Path) -> Result<Vec<(PathBuf, Manifest)>, Error> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let entries = std::fs::read_dir(folder).map_err(|e| Error::io("cannot read the folder", folder, e))?;
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(|e| Error::io("cannot read the folder", folder, e))?.path();
        if path.join(FILE).is_file() {
            let manifest = read(&path.join(FILE))?;
            found.push((path, manifest));
        }
    }
    found.sort_by_key(|(_, manifest)| manifest.part);
    Ok(found)
}

/// A folder of a part whose manifest is gone.
pub fn without(folder: &Path) -> Result<Option<PathBuf>, Error> {
    if !folder.exists() {
        return Ok(None);
    }
    let entries = std::fs::read_dir(folder).map_err(|e| Error::io("cannot read the folder", folder, e))?;
    let mut found: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(|path| is_part(path)).collect();
    found.sort();
    Ok(found.into_iter().find(|path| !path.join(FILE).is_file()))
}

/// Whether a folder is named as a part is.
pub fn is_part(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("part-")) && path.is_dir()
}

fn read(path: &Path) -> Result<Manifest, Error> {
    let text = std::fs::read_to_string(path).map_err(|e| Error::io("cannot read", path, e))?;
    serde_json::from_str(&text).map_err(|e| {
        Error::data(format!("the manifest `{}` is damaged: {e}", path.display()))
            .with_help("`segue store compact --full` makes the store anew")
    })
}

/// Size and time of a file.
pub fn stat(path: &Path) -> Result<(u64, i64), Error> {
    let meta = std::fs::metadata(path).map_err(|e| Error::io("cannot read", path, e))?;
    let since = meta.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    let modified = since.and_then(|d| i64::try_from(d.as_nanos()).ok()).unwrap_or(0);
    Ok((meta.len(), modified))
}

/// The SHA-256 of a file.
pub fn digest(path: &Path) -> Result<String, Error> {
    let cant = |e| Error::io("cannot read", path, e);
    let mut file = File::open(path).map_err(cant)?;
    let (mut hasher, mut buffer) = (Sha256::new(), vec![0; 1 << 18]);
    loop {
        let read = file.read(&mut buffer).map_err(cant)?;
        if read == 0 {
            return Ok(hex(&hasher.finalize()));
        }
        hasher.update(buffer.get(..read).unwrap_or_default());
    }
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// Anything as a file that is there whole or not at all.
pub fn save(path: &Path, what: &impl Serialize) -> Result<(), Error> {
    use std::io::Write;
    let cant = |why: &dyn std::fmt::Display| Error::io("cannot write", path, why);
    let text = serde_json::to_string(what).map_err(|e| cant(&e))?;
    let aside = path.with_extension("tmp");
    let mut file = File::create(&aside).map_err(|e| cant(&e))?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(|e| cant(&e))?;
    std::fs::rename(&aside, path).map_err(|e| cant(&e))
}
