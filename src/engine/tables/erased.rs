//! Who is left out of everything, whatever the files still hold of them.
//!
//! Owns: the file of erased ids. Promises: whoever stands in it is no customer of a run, in no audience, rank and count. Must not
//! know: who wrote it.
//!
//! One entry a line: an id as the files have it, or `sha256:` and the hexadecimal digits of SHA-256 over the UTF-8 bytes of the id, so
//! that the file itself names nobody. Empty lines are no entries, nor is what
//! follows a `#` at the beginning of a line or behind white space.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::files;
use crate::engine::write;
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
            Ok(text) => match cut_short(&text) {
                None => Ok(Erased::of(&text)),
                Some(line) => {
                    let what = format!(
                        "line {line} of the erased ids in `{path}` is no hash: 64 hexadecimal digits follow `{HASHED}`"
                    );
                    Err(Error::data(what)
                        .with_help("bring the file back as `segue erase` wrote it: nobody may come back by a slip"))
                }
            },
            Err(why) if why.kind() == std::io::ErrorKind::NotFound => Ok(Erased::default()),
            // Whoever must not be contacted is not contacted because a file can't be read.
            Err(why) => Err(Error::io("cannot read the erased ids", at, why).with_help(
                "nothing is evaluated without them; make the file readable, or correct `erased:` in `segue.yaml`",
            )),
        }
    }

    /// Of the file's text.
    pub fn of(text: &str) -> Erased {
        // Hexadecimal digits are the same in either case.
        let entry = |said: &str| match said.get(..HASHED.len()).filter(|head| head.eq_ignore_ascii_case(HASHED)) {
            Some(_) => said.to_ascii_lowercase(),
            None => said.to_owned(),
        };
        let entries: HashSet<String> = text.lines().map(said).map(entry).collect();
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

/// The first line, from 1, that begins like a hash and is none.
fn cut_short(text: &str) -> Option<usize> {
    let cut = |line: &str| {
        let head = line.get(..HASHED.len()).filter(|head| head.eq_ignore_ascii_case(HASHED));
        head.and_then(|_| line.get(HASHED.len()..))
            .is_some_and(|digits| digits.len() != 64 || !digits.chars().all(|c| c.is_ascii_hexdigit()))
    };
    text.lines().position(|line| cut(said(line))).map(|at| at + 1)
}

/// Adds what names nobody of the ids that a project's file does not have, and how many that are. Where the file has an id as it is,
/// the entry takes its place. The file is replaced whole, and left alone where it says all already.
pub fn add(root: &Path, path: &str, ids: &BTreeSet<String>) -> Result<u64, Error> {
    let at = files::local(root, path);
    let cant = |what: &'static str, why: std::io::Error| {
        Error::io(what, &at, why).with_help("without it the next run has them again; correct `erased:` in `segue.yaml`")
    };
    let before = match std::fs::read_to_string(&at) {
        Ok(text) => text,
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(why) => return Err(cant("cannot read the erased ids", why)),
    };
    let mut text = String::with_capacity(before.len());
    for line in before.lines() {
        let said = said(line);
        if ids.contains(said) {
            text.push_str(&line.replacen(said, &entry(said), 1));
        } else {
            text.push_str(line);
        }
        text.push('\n');
    }
    let known = Erased::of(&before);
    let mut added = 0;
    for id in ids.iter().filter(|id| !known.has(id)) {
        text.push_str(&entry(id));
        text.push('\n');
        added += 1;
    }
    if added > 0 || (text != before && ids.iter().any(|id| known.entries.contains(id))) {
        write::replace(&at, text.as_bytes()).map_err(|why| cant("cannot write the erased ids", why))?;
    }
    Ok(added)
}

/// The entry of a line, as written; empty where it has none.
fn said(line: &str) -> &str {
    let line = line.trim_start_matches('\u{feff}');
    // An id may have a `#`; a comment begins the line or stands behind white space.
    let begins = |at: usize| line.get(..at).is_some_and(|before| before.is_empty() || before.trim_end() != before);
    let comment = line.match_indices('#').map(|(at, _)| at).find(|&at| begins(at));
    comment.and_then(|at| line.get(..at)).unwrap_or(line).trim()
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
    fn who_is_added_is_named_by_nobody() {
        let folder = tempfile::tempdir().expect("a folder");
        let ids = |all: &[&str]| all.iter().map(|id| (*id).to_owned()).collect::<BTreeSet<String>>();
        let read = || std::fs::read_to_string(folder.path().join("gone.txt")).expect("a text");
        assert_eq!(add(folder.path(), "gone.txt", &ids(&["bob", "ana"])).expect("written"), 2);
        let both = format!("{}\n{}\n", entry("ana"), entry("bob"));
        assert_eq!(read(), both);
        assert_eq!(add(folder.path(), "gone.txt", &ids(&["bob"])).expect("there"), 0);
        assert_eq!(read(), both);
        std::fs::write(folder.path().join("gone.txt"), "# by hand\neve # asked\nmax").expect("written");
        assert_eq!(add(folder.path(), "gone.txt", &ids(&["eve", "ana"])).expect("written"), 1);
        assert_eq!(read(), format!("# by hand\n{} # asked\nmax\n{}\n", entry("eve"), entry("ana")));
        // An id is no part of another.
        std::fs::write(folder.path().join("gone.txt"), "cust#9 # of cust\n\u{a0}cust\t# asked\n").expect("written");
        assert_eq!(add(folder.path(), "gone.txt", &ids(&["cust"])).expect("written"), 0);
        assert_eq!(read(), format!("cust#9 # of cust\n\u{a0}{}\t# asked\n", entry("cust")));
        let known = Erased::read(folder.path(), "gone.txt").expect("reads");
        assert!(known.has("cust#9") && known.has("cust") && !known.has("9"));
    }

    #[test]
    fn a_hash_that_was_cut_is_told() {
        let whole = entry("ana");
        assert_eq!(cut_short(&format!("# by hand\n{whole} # asked\n{}\nsha256\n", whole.to_uppercase())), None);
        for bad in [&whole[..40], &whole.replace("256:", "256:x"), "SHA256:", &format!("{whole}0")] {
            assert_eq!(cut_short(&format!("eve\n{bad}\n")), Some(2), "{bad}");
        }
    }

    #[test]
    fn entries_are_ids_or_their_hashes() {
        let text = format!("# asked on 2026-03-01\nana\n\n  17  # a number\ncust#9\n{}\n", entry("bob").to_uppercase());
        let erased = Erased::of(&text);
        let ids = ["ana", "17", "bob", "cust#9", "cust", "eve", ""];
        assert_eq!(ids.map(|id| erased.has(id)), [true, true, true, true, false, false, false]);
        assert!(Erased::of("# nobody\n").is_empty());
        // Published: `printf ana | sha256sum`.
        assert_eq!(entry("ana"), "sha256:24d4b96f58da6d4a8512313bbd02a28ebf0ca95dec6e4c86ef78ce7f01e788ac");
    }
}
