//! One shelf at work: what it holds of the files of a source, what is added, what is merged.
//!
//! Owns: which files are read from states. Promises: a file's rows are taken from a state only if the state is of just this content
//! and all of them happened before the as-of instant; a shelf that does not read is left, and told.
//! Must not know: plans, how rows become states.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;

use super::folder::Folder;
use super::logs::{self, Gathering};
use super::manifest::{Manifest, Run, Seen, Segment};
use super::sealed::Sealed;
use super::segment::{Reader, Writer};
use super::table::{BUCKETS_OF_GROUP, States};
use crate::engine::bucket::Share;
use crate::engine::kernels::join::Joiner;

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
        let mut keeps: Vec<Vec<bool>> = self.manifest.segments.iter().map(|s| vec![false; s.runs.len()]).collect();
        let (mut rest, mut seen, mut used) = (Vec::new(), Vec::new(), vec![false; keeps.len()]);
        for (f, want) in wants.iter().enumerate() {
            let place = want.file.as_ref().and_then(|file| held.get(file.as_str()).copied());
            let found = place.and_then(|(s, r)| {
                let run = self.manifest.segments.get(s)?.runs.get(r)?;
                Some((run, keeps.get_mut(s)?.get_mut(r)?, used.get_mut(s)?))
            });
            match (found, want.rows) {
                (Some((run, keep, used)), Rows::All) if run.seen.before(as_of) => {
                    (*keep, *used) = (true, true);
                    seen.push(run.seen.clone());
                }
                // Nobody asks for its rows: they may stay where they are.
                (Some((run, keep, _)), Rows::None) => *keep = run.seen.before(as_of),
                (None, Rows::None) => {}
                _ => rest.push(f),
            }
        }
        let all = self.manifest.segments.iter().zip(keeps).zip(used).filter(|(_, used)| *used);
        let segments: Vec<(Segment, Vec<bool>)> = all.map(|((segment, keep), _)| (segment.clone(), keep)).collect();
        let open = || -> std::io::Result<Vec<Reader>> {
            segments.iter().map(|(segment, _)| Reader::open(&self.path, segment)).collect()
        };
        let readers = (0..readers.max(1)).map(|_| open()).collect::<std::io::Result<Vec<_>>>()?;
        let (readers, joiner) = (Mutex::new(readers), Mutex::new(joiner));
        let kept = Kept { shelf: self.path.clone(), segments, readers, joiner };
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
    /// Segments, each with the runs that count.
    segments: Vec<(Segment, Vec<bool>)>,
    /// Opened at the start: what another run removes in the meantime stays readable.
    readers: Mutex<Vec<Vec<Reader>>>,
    joiner: Mutex<Joiner>,
}

impl Kept {
    fn read(&self, group: u32, share: Share, readers: &mut [Reader]) -> std::io::Result<Vec<Vec<u8>>> {
        let whole = share.lo <= group * BUCKETS_OF_GROUP && (group + 1) * BUCKETS_OF_GROUP <= share.hi;
        let mut states = Vec::with_capacity(self.segments.len());
        for ((segment, keep), reader) in self.segments.iter().zip(readers) {
            let at = segment.groups.get(group as usize).ok_or(std::io::ErrorKind::InvalidData)?;
            let state = reader.read(&at.state)?;
            if whole && !keep.contains(&false) {
                states.push(state);
                continue;
            }
            let runs = reader.read(&at.runs)?;
            let mut joiner = self.joiner.lock().map_err(|_| std::io::ErrorKind::Other)?;
            states.push(logs::cut(&mut joiner, state, &runs, keep, |hash| share.holds(hash))?);
        }
        Ok(states)
    }
}

impl States for Kept {
    fn group(&self, group: u32, share: Share) -> std::io::Result<Vec<Vec<u8>>> {
        let idle = self.readers.lock().ok().and_then(|mut idle| idle.pop());
        let mut readers = match idle {
            Some(readers) => readers,
            None => self.segments.iter().map(|(s, _)| Reader::open(&self.shelf, s)).collect::<std::io::Result<_>>()?,
        };
        let states = self.read(group, share, &mut readers);
        if let Ok(mut idle) = self.readers.lock() {
            idle.push(readers);
        }
        states
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
