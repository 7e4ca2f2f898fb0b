//! The cache's folder: one shelf a key, a lock for whoever writes.
//!
//! Owns: names, locks, what is thrown away. Promises: nothing outside of the folder is touched; whoever only reads needs no lock;
//! what a crash leaves is swept away by a later run. Must not know: what is on a shelf.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::manifest::Manifest;
use super::sealed::{self, Sealed};

/// Where a project keeps it.
pub const FOLDER: &str = ".segue/cache";

/// So many shelves stay, the last used ones; the answers to some rules have one of their own.
const SHELVES: usize = 16;

/// So many keys are known that nothing is kept for yet.
const NOTED: usize = 64;

/// A folder that is there.
#[derive(Debug)]
pub struct Folder {
    pub path: PathBuf,
    /// Held as long as this run may write; another run is writing if there is none.
    lock: Option<File>,
}

impl Folder {
    /// The folder of a project, made if need be.
    pub fn open(root: &Path) -> std::io::Result<Folder> {
        let path = root.join(FOLDER);
        std::fs::create_dir_all(&path)?;
        let ignore = path.join(".gitignore");
        if !ignore.exists() {
            std::fs::write(&ignore, "*\n")?;
        }
        let lock = File::options().create(true).truncate(false).write(true).open(path.join("lock"))?;
        let lock = match lock.try_lock() {
            Ok(()) => Some(lock),
            Err(std::fs::TryLockError::WouldBlock) => None,
            // A file system without locks: segments never change and manifests are swapped whole, so two writers lose work at worst.
            Err(std::fs::TryLockError::Error(_)) => Some(lock),
        };
        Ok(Folder { path, lock })
    }

    /// The folder of a project, perhaps without being there, and only to be read.
    pub fn as_it_is(root: &Path) -> Folder {
        Folder { path: root.join(FOLDER), lock: None }
    }

    /// Whether a project has one.
    pub fn is_there(root: &Path) -> bool {
        root.join(FOLDER).is_dir()
    }

    /// Whether this run may write.
    pub fn writes(&self) -> bool {
        self.lock.is_some()
    }

    pub fn shelf(&self, key: &str) -> PathBuf {
        self.path.join(key.get(..32).unwrap_or(key))
    }

    /// What is on a shelf.
    pub fn manifest(&self, key: &str) -> Sealed<Manifest> {
        match sealed::read::<Manifest>(&self.shelf(key).join("manifest.json")) {
            Sealed::Whole(manifest) if !manifest.is_ours(key) => Sealed::Broken,
            other => other,
        }
    }

    /// Swaps in a manifest and removes the segments that it does not name.
    pub fn store(&self, manifest: &Manifest) -> std::io::Result<()> {
        let shelf = self.shelf(&manifest.key);
        sealed::write(&shelf.join("manifest.json"), manifest)?;
        sweep(&shelf, |name| name == "manifest.json" || manifest.segments.iter().any(|s| s.name == name));
        Ok(())
    }

    /// Throws a shelf away.
    pub fn forget(&self, key: &str) {
        let _ = std::fs::remove_dir_all(self.shelf(key));
    }

    /// Marks the shelves as used just now and throws away those that were not for longest, beyond a number and a size.
    pub fn tidy(&self, used: &[String], bytes: u64) {
        for key in used {
            let _ = std::fs::write(self.shelf(key).join("used"), key);
        }
        sweep(&self.path, |name| ["lock", ".gitignore", "files.json"].contains(&name));
        let Ok(entries) = std::fs::read_dir(&self.path) else { return };
        let mut shelves: Vec<_> = entries
            .filter_map(|e| Some(e.ok()?.path()).filter(|path| path.is_dir()))
            .map(|path| (std::fs::metadata(path.join("used")).and_then(|m| m.modified()).ok(), path))
            .collect();
        shelves.sort_by(|a, b| b.cmp(a));
        let mine: Vec<PathBuf> = used.iter().map(|key| self.shelf(key)).collect();
        let (mut number, mut noted, mut sum) = (0, 0, 0);
        for (_, shelf) in shelves {
            // What was asked once must not drive out what is asked every day.
            let full = has_segments(&shelf);
            *(if full { &mut number } else { &mut noted }) += 1;
            sum += size(&shelf);
            let many = if full { number > SHELVES || sum > bytes } else { noted > NOTED };
            if many && !mine.contains(&shelf) {
                let _ = std::fs::remove_dir_all(shelf);
            }
        }
    }
}

fn has_segments(shelf: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(shelf) else { return false };
    entries.flatten().any(|e| e.path().extension().is_some_and(|e| e == "log"))
}

/// Bytes of the files of a folder and the folders below it.
pub fn size(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let of = |e: std::fs::DirEntry| match e.metadata() {
        Ok(meta) if meta.is_dir() => size(&e.path()),
        Ok(meta) => meta.len(),
        Err(_) => 0,
    };
    entries.flatten().map(of).sum()
}

/// Removes the files of a folder but those that are named.
pub fn sweep(folder: &Path, keep: impl Fn(&str) -> bool) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name != "used" && !keep(&name) && entry.file_type().is_ok_and(|t| t.is_file()) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_run_writes_at_a_time() {
        let root = tempfile::tempdir().unwrap();
        let one = Folder::open(root.path()).unwrap();
        let other = Folder::open(root.path()).unwrap();
        assert!(one.writes() && !other.writes());
        drop(one);
        assert!(Folder::open(root.path()).unwrap().writes());
    }

    #[test]
    fn shelves_are_bounded() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::open(root.path()).unwrap();
        // Known, but with nothing on it: in nobody's way.
        std::fs::create_dir_all(folder.shelf("noted")).unwrap();
        let keys: Vec<String> = (0..20).map(|i| format!("{i:032}-key")).collect();
        for key in &keys {
            std::fs::create_dir_all(folder.shelf(key)).unwrap();
            std::fs::write(folder.shelf(key).join("left by a crash"), "x").unwrap();
            folder.store(&Manifest::new(key)).unwrap();
            std::fs::write(folder.shelf(key).join("1.log"), "x").unwrap();
            folder.tidy(std::slice::from_ref(key), u64::MAX);
            assert!(!folder.shelf(key).join("left by a crash").exists());
        }
        let there = || keys.iter().filter(|key| folder.shelf(key).exists()).count();
        assert_eq!(there(), SHELVES);
        assert!(matches!(folder.manifest(&keys[19]), Sealed::Whole(m) if m == Manifest::new(&keys[19])));
        // What this run uses stays, however large.
        folder.tidy(&keys[18..], 1);
        assert_eq!(there(), 2);
        assert!(folder.shelf("noted").exists());
        // A key whose shelf has the manifest of another.
        let stranger = format!("{}-other", &keys[19][..32]);
        assert!(matches!(folder.manifest(&stranger), Sealed::Broken));
    }
}
