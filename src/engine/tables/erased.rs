//! Who is left out of everything, whatever the files still hold of them.
//!
//! Owns: the file of erased ids. Promises: whoever stands in it is no customer of a run, in no audience, rank and count. Must not
//! know: who wrote it.
//!
//! One entry a line: an id as the files have it, or `sha256:` and the hexadecimal digits of SHA-256 over the UTF-8 bytes of the id, so
//! that the file itself names nobody. Empty lines and what follows `#` are no entries.

use std::collections::HashSet;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::files;
use crate::error::Error;

/// How an entry begins that names nobody.
pub const HASHED: &str = "sha256:";

/// The erased customers.
#[derive(Debug, Clone, Default)]
pub struct Erased {
    entries: HashSet<String>,
    hashed: bool,
}

impl Erased {
    /// Of a project's file, if it is there.
    pub fn read(root: &Path, path: &str) -> Result<Erased, Error> {
        let at = files::local(root, path);
        match std::fs::read_to_string(&at) {
            Ok(text) => Ok(Erased::of(&text)),
            Err(why) if why.kind() == std::io::ErrorKind::NotFound => Ok(Erased::default()),
            // Whoever must not be contacted is not contacted because a file can't be read.
            Err(why) => Err(Error::io("cannot read the erased ids", at, why).with_help(
                "nothing is evaluated without them; make the file readable, or correct `erased:` in `segue.yaml`",
            )),
        }
    }

    /// Of the file's text.
    pub fn of(text: &str) -> Erased {
        let entry = |line: &str| line.split_once('#').map_or(line, |(entry, _)| entry).trim().to_owned();
        let entries: HashSet<String> = text.trim_start_matches('\u{feff}').lines().map(entry).collect();
        let entries: HashSet<String> = entries.into_iter().filter(|entry| !entry.is_empty()).collect();
        let hashed = entries.iter().any(|entry| entry.starts_with(HASHED));
        Erased { entries, hashed }
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether a customer was erased.
    pub fn has(&self, id: &str) -> bool {
        self.entries.contains(id) || self.hashed && self.entries.contains(&entry(id))
    }
}

/// The entry of an id that names nobody.
pub fn entry(id: &str) -> String {
    let digits: String = Sha256::digest(id.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{HASHED}{digits}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_ids_or_their_hashes() {
        let text = format!("# asked on 2026-03-01\nana\n\n  17  # a number\n{}\n", entry("bob"));
        let erased = Erased::of(&text);
        assert_eq!(["ana", "17", "bob", "eve", ""].map(|id| erased.has(id)), [true, true, true, false, false]);
        assert!(Erased::of("# nobody\n").is_empty());
        // Published: `printf ana | sha256sum`.
        assert_eq!(entry("ana"), "sha256:24d4b96f58da6d4a8512313bbd02a28ebf0ca95dec6e4c86ef78ce7f01e788ac");
    }
}
