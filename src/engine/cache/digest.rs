//! Which content a file has, without reading it again when nothing touched it.
//!
//! Owns: digests of input files and the notes by which an untouched file is known. Promises: a file that was written in the moments
//! around its reading is read again next time; a file that changes while it is read is told. Must not know: what files hold.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use sha2::{Digest as _, Sha256};

use super::sealed::{self, Sealed};
use crate::engine::tables::Inputs;
use crate::engine::tables::stamp::{Stamp, nanos};

/// SHA-256 as text.
pub type Digest = String;

/// A file that was touched so shortly before may be touched again without a new time.
const RACY: i128 = 3_000_000_000;

/// The notes: path → stamp and digest.
#[derive(Debug, Default)]
pub struct Digests {
    at: PathBuf,
    known: BTreeMap<PathBuf, (Stamp, Digest)>,
    /// Digests that were taken ahead.
    ahead: BTreeMap<PathBuf, (Stamp, Digest)>,
    /// What time it is where the notes are kept.
    now: i128,
    changed: bool,
    /// Files that are not known stay so.
    no_reading: bool,
    /// Bytes that were read.
    pub read: u64,
}

impl Digests {
    /// The notes of a folder; broken ones are none.
    pub fn open(folder: &Path) -> std::io::Result<Digests> {
        // The time of a file written now: the clock of the disk, which is what stamps are compared with.
        let now = tempfile::Builder::new().prefix(sealed::ASIDE).tempfile_in(folder)?;
        let now = nanos(now.as_file().metadata()?.modified()?);
        Ok(Digests { now, ..Digests::as_they_are(folder) })
    }

    /// The notes of a folder that can't be written to: nothing new is known to be still.
    pub fn as_they_are(folder: &Path) -> Digests {
        let at = folder.join("files.json");
        let list: Vec<(PathBuf, Stamp, Digest)> = match sealed::read(&at) {
            Sealed::Whole(list) => list,
            Sealed::Absent | Sealed::Broken => Vec::new(),
        };
        let known = list.into_iter().map(|(path, stamp, digest)| (path, (stamp, digest))).collect();
        Digests { at, known, ..Digests::default() }
    }

    /// The same, without a look into any file: one that is not known is an error.
    pub fn reading_none(self) -> Digests {
        Digests { no_reading: true, ..self }
    }

    /// Whether it looks into no file.
    pub fn is_blind(&self) -> bool {
        self.no_reading
    }

    /// The digest of a file, and whether the file was still enough that stamps tell.
    pub fn of(&mut self, file: &Path) -> std::io::Result<Known> {
        let before = Stamp::of(file)?;
        if let Some((stamp, digest)) = self.known.get(file)
            && *stamp == before
        {
            return Ok(Known { digest: digest.clone(), stamp: before, still: true });
        }
        if self.no_reading {
            return Err(std::io::ErrorKind::NotFound.into());
        }
        let digest = match self.ahead.remove(file) {
            Some((stamp, digest)) if stamp == before => digest,
            _ => hash(file)?,
        };
        self.read += before.size();
        let still = before.latest() + RACY <= self.now && Stamp::of(file)? == before;
        if still {
            self.known.insert(file.to_owned(), (before.clone(), digest.clone()));
        } else {
            self.known.remove(file);
        }
        self.changed = true;
        Ok(Known { digest, stamp: before, still })
    }

    /// Takes the digests that are not known side by side.
    pub fn take_ahead<'a>(&mut self, files: impl Iterator<Item = &'a Path>, threads: usize) {
        let known = |file: &Path| self.known.get(file).zip(Stamp::of(file).ok()).is_some_and(|((a, _), b)| *a == b);
        let files: Vec<&Path> = files.filter(|file| !self.no_reading && !known(file)).collect();
        let next = AtomicUsize::new(0);
        let work = || {
            let mut taken = Vec::new();
            while let Some(&file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                if let (Ok(stamp), Ok(digest)) = (Stamp::of(file), hash(file)) {
                    taken.push((file.to_owned(), (stamp, digest)));
                }
            }
            taken
        };
        let taken: Vec<_> = std::thread::scope(|scope| {
            let threads = threads.min(files.len());
            let all: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            all.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect()
        });
        self.ahead.extend(taken);
    }

    /// Writes the notes, those of files that are still there.
    pub fn save(&mut self) -> std::io::Result<()> {
        let before = self.known.len();
        self.known.retain(|path, _| path.exists());
        if !self.changed && self.known.len() == before {
            return Ok(());
        }
        let list: Vec<_> = self.known.iter().map(|(path, (stamp, digest))| (path, stamp, digest)).collect();
        self.changed = false;
        sealed::write(&self.at, &list)
    }
}

/// A file of a table, by its content and by what its folders say of its rows.
#[derive(Debug, Clone)]
pub struct Input {
    pub id: Digest,
    file: Option<(PathBuf, Known)>,
}

impl Input {
    /// Whether the file is still the same.
    pub fn holds(&self) -> bool {
        self.file.as_ref().is_none_or(|(path, known)| known.holds(path))
    }
}

impl Digests {
    /// A file of a table, if its content is known without looking.
    pub fn known_input(&mut self, inputs: &Inputs, file: usize) -> Option<Input> {
        let before = std::mem::replace(&mut self.no_reading, true);
        let found = self.input(inputs, file);
        self.no_reading = before;
        found
    }

    /// A file of a table; `None` where nothing tells its content.
    pub fn input(&mut self, inputs: &Inputs, file: usize) -> Option<Input> {
        let found = inputs.files.get(file)?;
        let (content, file_on_disk) = match &found.disk {
            Some(path) => {
                let known = self.of(path).ok()?;
                // Its footer was read after it was listed: what it is now may be another file.
                if found.stamp.as_ref() != Some(&known.stamp) {
                    return None;
                }
                (known.digest.clone(), Some((path.clone(), known)))
            }
            None => {
                // Nothing but the store's own word is to be had without reading everything.
                let tag = found.meta.e_tag.as_ref()?;
                (format!("{} {} {tag} {:?}", found.shown, found.meta.size, found.meta.version), None)
            }
        };
        let folders: Vec<String> = inputs.folders(file).map(|(name, value)| format!("{name:?}={value:?}")).collect();
        let id = of_texts(std::iter::once(content.as_str()).chain(folders.iter().map(String::as_str)));
        Some(Input { id, file: file_on_disk })
    }
}

/// What is known of a file's content.
#[derive(Debug, Clone)]
pub struct Known {
    pub digest: Digest,
    stamp: Stamp,
    still: bool,
}

impl Known {
    /// Whether the file is now what it was when the digest was taken: asked after its rows were read.
    pub fn holds(&self, file: &Path) -> bool {
        Stamp::of(file).is_ok_and(|now| now == self.stamp)
            && (self.still || hash(file).is_ok_and(|again| again == self.digest))
    }
}

fn hash(file: &Path) -> std::io::Result<Digest> {
    let mut file = File::open(file)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        let n = file.read(&mut buffer)?;
        if n == 0 {
            return Ok(hex(&hasher.finalize()));
        }
        hasher.update(buffer.get(..n).unwrap_or_default());
    }
}

/// The digest of some texts, one after the other.
pub fn of_texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> Digest {
    let mut hasher = Sha256::new();
    for text in texts {
        hasher.update((text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    }
    hex(&hasher.finalize())
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use arrow::array::{ArrayRef, RecordBatch, StringArray};
    use parquet::arrow::ArrowWriter;

    use super::*;
    use crate::engine::tables;
    use crate::language::catalog::{Catalog, List, Named};
    use crate::language::source::{SourceId, Span};

    fn age(file: &Path, seconds: u64) {
        let file = File::options().write(true).open(file).unwrap();
        file.set_modified(file.metadata().unwrap().modified().unwrap() - Duration::from_secs(seconds)).unwrap();
    }

    #[test]
    fn a_file_just_touched_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x");
        std::fs::write(&file, "one").unwrap();
        let mut digests = Digests::open(folder.path()).unwrap();
        let one = digests.of(&file).unwrap();
        assert!(digests.known.is_empty() && !one.still && one.holds(&file));
        // Same size, and the time is put back: the digest is taken again all the same.
        let time = file.metadata().unwrap().modified().unwrap();
        std::fs::write(&file, "two").unwrap();
        File::options().write(true).open(&file).unwrap().set_modified(time).unwrap();
        assert_ne!(digests.of(&file).unwrap().digest, one.digest);
        assert!(!one.holds(&file));
    }

    #[test]
    fn a_file_at_rest_is_read_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x");
        std::fs::write(&file, "one").unwrap();
        age(&file, 100);
        let mut digests = Digests::open(folder.path()).unwrap();
        // As if some time had passed.
        digests.now += 2 * RACY;
        let one = digests.of(&file).unwrap();
        assert!(one.still);
        digests.save().unwrap();
        let mut digests = Digests::open(folder.path()).unwrap();
        assert_eq!(digests.of(&file).unwrap().digest, one.digest);
        assert_eq!(digests.read, 0);
        // A new time is enough for a new look; what is gone is forgotten.
        age(&file, 50);
        digests.of(&file).unwrap();
        assert_eq!(digests.read, 3);
        std::fs::remove_file(&file).unwrap();
        digests.save().unwrap();
        assert!(Digests::open(folder.path()).unwrap().known.is_empty());
    }

    fn ids(file: &Path, id: &str) {
        let ids = Arc::new(StringArray::from(vec![id])) as ArrayRef;
        let batch = RecordBatch::try_from_iter([("id", ids)]).unwrap();
        let mut writer = ArrowWriter::try_new(File::create(file).unwrap(), batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
    }

    /// The rows that are read are those of the footer that was read: another file in its place has no digest.
    #[test]
    fn a_file_that_was_listed_as_another_has_no_digest() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.parquet");
        let at = Span::new(SourceId(0), 0, 0);
        let name = Named { name: "x".into(), span: at };
        let list = List { name, path: "x.parquet".into(), path_span: at, column: Some("id".into()) };
        let catalog = Catalog { lists: vec![list], ..Catalog::default() };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let open = || {
            let tables = runtime.block_on(tables::open(&catalog, folder.path())).unwrap();
            tables.lists[0].as_ref().unwrap().inputs.clone().unwrap()
        };
        ids(&file, "one");
        let inputs = open();
        let mut digests = Digests::open(folder.path()).unwrap();
        let one = digests.input(&inputs, 0).unwrap();
        assert!(one.holds());
        // A file of the same size is moved into its place.
        let aside = folder.path().join("aside");
        ids(&aside, "two");
        assert_eq!(aside.metadata().unwrap().len(), file.metadata().unwrap().len());
        std::fs::rename(&aside, &file).unwrap();
        assert!(digests.input(&inputs, 0).is_none() && !one.holds());
        let two = digests.input(&open(), 0).unwrap();
        assert_ne!(two.id, one.id);
    }
}
