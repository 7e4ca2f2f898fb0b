//! One shelf at work: what it holds of the files of a source, what is added, what is merged.
//!
//! Owns: which files are read from states. Promises: a file's rows are taken from a state only if the state is of just this content
//! and all of them happened before the as-of instant; a shelf that does not read is left, and told.
//! Must not know: plans, how rows become states.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Mutex;

use arrow::buffer::Buffer;

use super::digest::Digest;
use super::folder::Folder;
use super::logs::{self, Gathering};
use super::manifest::{Manifest, Run, Seen, Segment};
use super::sealed::Sealed;
use super::segment::{Reader, Writer};
use super::table::{BUCKETS_OF_GROUP, States};
use crate::engine::bucket::Share;
use crate::engine::kernels::join::{Joiner, Piece};
use crate::engine::kernels::touched::{Bands, Look};

/// A shelf that was opened.
#[derive(Debug)]
pub struct Shelf {
    path: PathBuf,
    pub manifest: Manifest,
    /// Whether the manifest on disk is another.
    changed: bool,
    /// Whether something on the shelf did not read.
    pub broken: bool,
}

impl Shelf {
    /// Opens the shelf of a key; what does not read is left out.
    pub fn open(folder: &Folder, key: &str) -> Shelf {
        let path = folder.shelf(key);
        let (manifest, broken) = match folder.manifest(key) {
            Sealed::Whole(manifest) => (manifest, false),
            Sealed::Absent => (Manifest::new(key), false),
            Sealed::Broken => (Manifest::new(key), true),
        };
        let mut shelf = Shelf { path, manifest, changed: broken, broken };
        let before = shelf.manifest.segments.len();
        shelf.manifest.segments.retain(|segment| Reader::open(&shelf.path, segment).is_ok());
        if shelf.manifest.segments.len() < before {
            (shelf.changed, shelf.broken) = (true, true);
        }
        shelf
    }

    /// Adds what was gathered.
    pub fn add(&mut self, gathering: &mut Gathering) -> std::io::Result<()> {
        if gathering.is_empty() {
            return Ok(());
        }
        let mut writer = Writer::new(&self.path)?;
        let runs = gathering.write(&mut writer)?;
        let segment = writer.finish(&self.path, runs)?;
        self.manifest.segments.push(segment);
        self.changed = true;
        Ok(())
    }

    /// Merges segments where too many small ones lie, or too much of files that are gone.
    pub fn merge(&mut self, joiner: &mut Joiner, wanted: impl Fn(&str) -> bool) -> std::io::Result<()> {
        self.manifest.segments.sort_by_key(|s| std::cmp::Reverse(s.bytes));
        let Some(from) = self.manifest.crowded(&wanted) else { return Ok(()) };
        let old = self.manifest.segments.split_off(from);
        self.changed = true;
        let keeps: Vec<Vec<bool>> =
            old.iter().map(|segment| segment.runs.iter().map(|run| wanted(&run.file)).collect()).collect();
        let kept = |(segment, keep): (&Segment, &Vec<bool>)| -> Vec<Run> {
            segment.runs.iter().zip(keep).filter(|(_, keep)| **keep).map(|(run, _)| run.clone()).collect()
        };
        let runs: Vec<Run> = old.iter().zip(&keeps).flat_map(kept).collect();
        if runs.is_empty() {
            return Ok(());
        }
        let mut readers = old.iter().map(|s| Reader::open(&self.path, s)).collect::<std::io::Result<Vec<Reader>>>()?;
        let mut writer = Writer::new(&self.path)?;
        let groups = old.iter().map(|s| s.groups.len()).max().unwrap_or(0);
        for group in 0..groups {
            let mut pieces = Vec::with_capacity(old.len());
            for ((segment, reader), keep) in old.iter().zip(&mut readers).zip(&keeps) {
                let at = segment.groups.get(group).ok_or(std::io::ErrorKind::InvalidData)?;
                pieces.push((reader.read(&at.state)?, reader.read(&at.runs)?, keep.as_slice()));
            }
            let (state, runs) = logs::merged(joiner, pieces)?;
            writer.group(&state, &runs)?;
        }
        let segment = writer.finish(&self.path, runs)?;
        self.manifest.segments.push(segment);
        Ok(())
    }

    /// Writes the manifest, if it is another than on disk.
    pub fn save(&mut self, folder: &Folder) -> std::io::Result<()> {
        if self.changed {
            std::fs::create_dir_all(&self.path)?;
            folder.store(&self.manifest)?;
            self.changed = false;
        }
        Ok(())
    }

    /// The states to read, for files that are wanted.
    pub fn usable(&self, wants: &[Want], as_of: i64, joiner: Joiner, readers: usize) -> std::io::Result<Usable> {
        let held = self.manifest.files();
        let mut parts: Vec<Part> = self.manifest.segments.iter().map(Part::new).collect();
        let (mut rest, mut seen) = (Vec::new(), Vec::new());
        for (f, want) in wants.iter().enumerate() {
            let place = want.file.as_ref().and_then(|file| held.get(file.as_str()).copied());
            let found = place.and_then(|(s, r)| {
                let part = parts.get_mut(s)?;
                Some((part.segment.runs.get(r)?.seen.clone(), part.runs.get_mut(r)?))
            });
            match (found, want.rows) {
                (Some((of, kept)), Rows::All) if of.before(as_of) => {
                    *kept = Counts::Asked;
                    seen.push(of);
                }
                // Nobody asks for its rows: they may stay where they are.
                (Some((of, kept)), Rows::None) if of.before(as_of) => *kept = Counts::Unasked,
                (_, Rows::None) => {}
                _ => rest.push(f),
            }
        }
        let open = || -> std::io::Result<Vec<Reader>> {
            parts.iter().map(|part| Reader::open(&self.path, &part.segment)).collect()
        };
        let readers = (0..readers.max(1)).map(|_| open()).collect::<std::io::Result<Vec<_>>>()?;
        let (readers, joiner) = (Mutex::new(readers), Mutex::new(joiner));
        let kept = Kept { shelf: self.path.clone(), parts, readers, joiner };
        Ok(Usable { states: kept, rest, seen })
    }
}

/// What a run would read of a file, if it read files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Want {
    /// The file's content; none where nothing tells it.
    pub file: Option<String>,
    pub rows: Rows,
}

impl Want {
    /// The file, if all of its rows are read.
    pub fn read(&self) -> Option<&str> {
        self.file.as_deref().filter(|_| self.rows == Rows::All)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// Whatever any run reads of it.
    All,
    /// Parts of that are left out, so that it takes the file to know what they hold.
    Some,
    None,
}

/// What a run reads of a source.
#[derive(Debug)]
pub struct Usable {
    pub states: Kept,
    /// Files that are read themselves.
    pub rest: Vec<usize>,
    /// What was seen in the files that are not.
    pub seen: Vec<Seen>,
}

/// The states of the files that count.
#[derive(Debug)]
pub struct Kept {
    shelf: PathBuf,
    parts: Vec<Part>,
    /// Opened at the start: what another run removes in the meantime stays readable.
    readers: Mutex<Vec<Vec<Reader>>>,
    joiner: Mutex<Joiner>,
}

/// A segment, and which of its runs count.
#[derive(Debug)]
struct Part {
    segment: Segment,
    runs: Vec<Counts>,
}

/// What a run of a segment is to the run of the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counts {
    No,
    /// Nobody asks for its rows, and it doesn't matter whether they are there.
    Unasked,
    Asked,
}

impl Part {
    fn new(segment: &Segment) -> Part {
        Part { segment: segment.clone(), runs: vec![Counts::No; segment.runs.len()] }
    }

    fn is_asked(&self) -> bool {
        self.runs.contains(&Counts::Asked)
    }
}

/// How the runs of all segments are looked at.
pub type Looks = Vec<Vec<Look>>;

/// Is shown a state with how its runs are looked at.
pub type See<'a> = dyn FnMut(&Piece, &[Look]) -> std::io::Result<()> + 'a;

impl Kept {
    /// The files whose rows are asked for.
    pub fn files(&self) -> Vec<Digest> {
        let runs = self.parts.iter().flat_map(|part| part.segment.runs.iter().zip(&part.runs));
        runs.filter(|(_, counts)| **counts == Counts::Asked).map(|(run, _)| run.file.clone()).collect()
    }

    /// How runs are looked at by whoever has answers to some files: those that came and went wholly, those that stay in bands. `None`
    /// where one that went is no longer held.
    pub fn looks(&self, files: &[Digest], bands: &Bands) -> Option<Looks> {
        let before: BTreeSet<&Digest> = files.iter().collect();
        let mut missing = before.clone();
        let mut look = |(run, counts): (&Run, &Counts)| match (before.contains(&run.file), counts) {
            (false, Counts::Asked) => Look::All,
            (false, _) => Look::No,
            (true, counts) => {
                missing.remove(&run.file);
                match (counts, run.seen.span) {
                    (Counts::No, _) => Look::All,
                    (_, Some(times)) if bands.meet(times) => Look::Within(times.0, times.1),
                    _ => Look::No,
                }
            }
        };
        let looks = self.parts.iter().map(|part| part.segment.runs.iter().zip(&part.runs).map(&mut look).collect());
        let looks = looks.collect();
        missing.is_empty().then_some(looks)
    }

    /// The states of a group; on the way whatever is looked at is shown.
    pub fn look(&self, group: u32, looks: &[Vec<Look>], see: &mut See<'_>) -> std::io::Result<Vec<Buffer>> {
        self.with_readers(|readers| self.read(group, Share::ALL, readers, looks, see))
    }

    fn read(
        &self,
        group: u32,
        share: Share,
        readers: &mut [Reader],
        looks: &[Vec<Look>],
        see: &mut See<'_>,
    ) -> std::io::Result<Vec<Buffer>> {
        let whole = share.lo <= group * BUCKETS_OF_GROUP && (group + 1) * BUCKETS_OF_GROUP <= share.hi;
        let mut states = Vec::with_capacity(self.parts.len());
        for (p, (part, reader)) in self.parts.iter().zip(readers).enumerate() {
            let looks = looks.get(p).filter(|looks| looks.iter().any(|look| *look != Look::No));
            if !part.is_asked() && looks.is_none() {
                continue;
            }
            let at = part.segment.groups.get(group as usize).ok_or(std::io::ErrorKind::InvalidData)?;
            let state = Buffer::from_vec(reader.read(&at.state)?);
            let is_cut = !whole || part.runs.contains(&Counts::No);
            if looks.is_none() && !is_cut {
                states.push(state);
                continue;
            }
            let runs = reader.read(&at.runs)?;
            if let Some(looks) = looks
                && let Some(piece) = logs::piece(state.clone(), &runs)?
            {
                see(&piece, looks)?;
            }
            if !part.is_asked() {
                continue;
            }
            if !is_cut {
                states.push(state);
                continue;
            }
            let keep: Vec<bool> = part.runs.iter().map(|counts| *counts != Counts::No).collect();
            let mut joiner = self.joiner.lock().map_err(|_| std::io::ErrorKind::Other)?;
            states.push(logs::cut(&mut joiner, state, &runs, &keep, |hash| share.holds(hash))?);
        }
        Ok(states)
    }

    fn with_readers<T>(&self, work: impl FnOnce(&mut [Reader]) -> std::io::Result<T>) -> std::io::Result<T> {
        let idle = self.readers.lock().ok().and_then(|mut idle| idle.pop());
        let open = |part: &Part| Reader::open(&self.shelf, &part.segment);
        let mut readers = match idle {
            Some(readers) => readers,
            None => self.parts.iter().map(open).collect::<std::io::Result<_>>()?,
        };
        let done = work(&mut readers);
        if let Ok(mut idle) = self.readers.lock() {
            idle.push(readers);
        }
        done
    }
}

impl States for Kept {
    fn group(&self, group: u32, share: Share) -> std::io::Result<Vec<Buffer>> {
        self.with_readers(|readers| self.read(group, share, readers, &[], &mut |_, _| Ok(())))
    }
}

/// Files by content; of several with one content each has a name of its own.
pub fn told_apart(files: Vec<Option<String>>) -> Vec<Option<String>> {
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    let apart = |file: Option<String>| {
        let file = file?;
        let n = times.entry(file.clone()).or_default();
        *n += 1;
        Some(if *n == 1 { file } else { format!("{file}#{n}") })
    };
    files.into_iter().map(apart).collect()
}
