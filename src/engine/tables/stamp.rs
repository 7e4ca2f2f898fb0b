//! Stamps: whether a file is still the one that it was.
//!
//! Owns: what is asked of the file system. Promises: another file in its place has another stamp. Must not know: contents.

use std::fs::Metadata;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

/// What the file system says of a file: as long as it stays the same, so does the content, unless it was taken too early.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    size: u64,
    /// Nanoseconds since 1970.
    modified: i128,
    /// Inode and time of its last change, where there are such.
    inode: (u64, i128),
}

impl Stamp {
    /// Of a file that is there.
    pub fn of(file: &Path) -> std::io::Result<Stamp> {
        Stamp::from(&std::fs::metadata(file)?)
    }

    pub fn from(meta: &Metadata) -> std::io::Result<Stamp> {
        Ok(Stamp { size: meta.len(), modified: nanos(meta.modified()?), inode: inode(meta) })
    }

    /// Bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// When it was touched last.
    pub fn latest(&self) -> i128 {
        self.modified.max(self.inode.1)
    }
}

#[cfg(unix)]
fn inode(meta: &Metadata) -> (u64, i128) {
    use std::os::unix::fs::MetadataExt;
    (meta.ino(), i128::from(meta.ctime()) * 1_000_000_000 + i128::from(meta.ctime_nsec()))
}

#[cfg(not(unix))]
fn inode(_: &Metadata) -> (u64, i128) {
    (0, 0)
}

/// Nanoseconds since 1970.
pub fn nanos(at: SystemTime) -> i128 {
    let whole = |d: Duration| i128::try_from(d.as_nanos()).unwrap_or(i128::MAX);
    at.duration_since(SystemTime::UNIX_EPOCH).map_or_else(|e| -whole(e.duration()), whole)
}
