//! The answers of a run, kept for the next one.
//!
//! Owns: what answers depend on, and how they lie on disk. Promises: answers are found again only by whoever asks the same of rows that
//! mean the same; they are swapped in whole, and what does not read is none. Must not know: what is in a block.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::affected;
use super::digest::{Digest, of_texts};
use super::folder::Folder;
use super::manifest::{Group, Segment};
use super::sealed::{self, Sealed};
use super::segment::{Reader, Writer};
use crate::engine::kernels::convert::text;
use crate::engine::plan::program::Program;

/// Changes whenever answers of an earlier version would be misread, or others.
const FORMAT: u32 = 1;

const NAME: &str = "answers.json";

/// The answers of one run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Answers {
    format: u32,
    key: Digest,
    /// With its windows as they were.
    pub program: Program,
    /// By branch the input files that were asked for.
    pub files: Vec<Vec<Digest>>,
    /// By group the block; it has no runs.
    blocks: Segment,
}

/// What answers of other runs must have in common with those of a program over branches with these keys.
pub fn key(branches: &[Digest], program: &Program) -> Option<Digest> {
    let program = text(&affected::timeless(program)).ok()?;
    let head = format!("answers {FORMAT} {}", env!("CARGO_PKG_VERSION"));
    Some(of_texts([head.as_str(), &program].into_iter().chain(branches.iter().map(String::as_str))))
}

impl Answers {
    /// The answers under a key.
    pub fn open(folder: &Folder, key: &str) -> Sealed<Answers> {
        match sealed::read::<Answers>(&folder.shelf(key).join(NAME)) {
            Sealed::Whole(answers) if answers.format != FORMAT || answers.key != key => Sealed::Broken,
            other => other,
        }
    }

    /// Opens the blocks.
    pub fn reader(&self, shelf: &Path) -> std::io::Result<Reader> {
        Reader::open(shelf, &self.blocks)
    }

    /// The block of a group; empty where the group has no customers.
    pub fn block(&self, reader: &mut Reader, group: usize) -> std::io::Result<Vec<u8>> {
        let at = self.blocks.groups.get(group).ok_or(std::io::ErrorKind::InvalidData)?;
        reader.read(&at.state)
    }
}

/// Answers in the making: the blocks come in any order.
#[derive(Debug)]
pub struct Making {
    shelf: PathBuf,
    writer: Writer,
    groups: Vec<Option<Group>>,
}

impl Making {
    pub fn new(shelf: &Path, groups: u32) -> std::io::Result<Making> {
        let groups = vec![None; groups as usize];
        Ok(Making { shelf: shelf.to_owned(), writer: Writer::new(shelf)?, groups })
    }

    pub fn add(&mut self, group: u32, block: &[u8]) -> std::io::Result<()> {
        let written = self.writer.group(block, &[])?;
        if let Some(place) = self.groups.get_mut(group as usize) {
            *place = Some(written);
        }
        Ok(())
    }

    /// Swaps the answers in, if those of all groups are there.
    pub fn finish(self, key: &str, program: &Program, files: Vec<Vec<Digest>>) -> std::io::Result<()> {
        let Some(groups) = self.groups.into_iter().collect::<Option<Vec<Group>>>() else { return Ok(()) };
        let blocks = Segment { groups, ..self.writer.finish(&self.shelf, Vec::new())? };
        let name = blocks.name.clone();
        let answers = Answers { format: FORMAT, key: key.to_owned(), program: program.clone(), files, blocks };
        sealed::write(&self.shelf.join(NAME), &answers)?;
        std::fs::write(self.shelf.join("used"), key)?;
        super::folder::sweep(&self.shelf, |other| other == NAME || other == name);
        Ok(())
    }
}
