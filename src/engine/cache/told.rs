//! What a run tells of the cache.
//!
//! Owns: the numbers. Must not know: how they come about.

use super::key::Why;

/// What a run had of earlier ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// For each source that is read; for one of which repeats collapse, several.
    pub sources: Vec<OfSource>,
    /// Whose answers were worked out, where earlier ones could be used.
    pub again: Option<Again>,
    /// What there is to say beside the answer.
    pub notes: Vec<String>,
}

/// How many customers were evaluated, and how many have the answers that they had.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Again {
    pub evaluated: u64,
    pub as_before: u64,
}

/// What a run had of the files of a source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OfSource {
    pub name: String,
    /// Kept by earlier runs, and not read.
    pub held: Amount,
    /// Read, and kept for later runs.
    pub added: Amount,
    /// Read.
    pub read: Amount,
    /// Why all files are read in every run, if that is so.
    pub why: Option<Why>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Amount {
    pub files: u64,
    pub rows: u64,
}

impl Amount {
    pub(super) fn add(&mut self, rows: u64) {
        self.files += 1;
        self.rows += rows;
    }
}

impl OfSource {
    pub(super) fn of(name: &str) -> OfSource {
        OfSource { name: name.to_owned(), ..OfSource::default() }
    }

    pub(super) fn all_read(&mut self) {
        for part in [std::mem::take(&mut self.held), std::mem::take(&mut self.added)] {
            self.read.files += part.files;
            self.read.rows += part.rows;
        }
    }
}
