//! What runs left in the project's folders.
//!
//! Owns: the cache and the files of audiences beside the store. Promises: a file has its rows taken out whole or goes; nothing that a run did
//! not write is touched. Must not know: stores.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::ids::{Ids, decoded};
use super::versions::searched;
use crate::engine::{cache, write};
use crate::error::Error;
use crate::project::Project;

/// What was found and taken out.
#[derive(Debug, Clone, Default)]
pub(super) struct Cleared {
    /// There was a cache.
    pub cache: bool,
    /// Files of audiences that held somebody, and how many rows of theirs.
    pub files: u64,
    pub rows: u64,
    /// Files that went as a whole: they could not be read, or name somebody where no row is theirs.
    pub removed: Vec<PathBuf>,
}

/// What becomes of a file.
enum Then {
    Stays,
    Without { rows: u64, bytes: Vec<u8> },
    Goes,
}

/// Takes them out of what lies in the project's folders, or with `dry_run` says only what that would be.
pub(super) fn clear(project: &Project, ids: &Ids, dry_run: bool) -> Result<Cleared, Error> {
    let cant = |what: &'static str, path: &Path, why: std::io::Error| {
        Error::io(what, path, why).with_help("call it again when that can be done; what was done stays done")
    };
    let mut cleared = Cleared::default();
    let kept = project.root.join(cache::FOLDER);
    if kept.exists() {
        cleared.cache = true;
        if !dry_run {
            std::fs::remove_dir_all(&kept).map_err(|why| cant("cannot remove the cache", &kept, why))?;
        }
    }
    let (files, aside) = write::written(&output(project));
    for path in files {
        let bytes = std::fs::read(&path).map_err(|why| cant("cannot read", &path, why))?;
        match judged(ids, &path, bytes)? {
            Then::Stays => continue,
            Then::Without { rows, bytes } => {
                cleared.rows += rows;
                if !dry_run {
                    write::replace(&path, &bytes).map_err(|why| cant("cannot write", &path, why))?;
                }
            }
            Then::Goes => {
                if !dry_run {
                    std::fs::remove_file(&path).map_err(|why| cant("cannot remove", &path, why))?;
                }
                cleared.removed.push(path);
            }
        }
        cleared.files += 1;
    }
    // What a run left that was killed while it wrote: nobody will ever read it.
    for path in aside.iter().filter(|_| !dry_run) {
        let gone = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
        gone.map_err(|why| cant("cannot remove", path, why))?;
    }
    Ok(cleared)
}

fn output(project: &Project) -> PathBuf {
    project.root.join(&project.file.output.name)
}

/// Files of audiences that hold somebody, and how many were looked into.
pub(super) fn search(project: &Project, ids: &Ids) -> Result<(u64, u64, Vec<String>), Error> {
    let (mut objects, mut rows, mut holding) = (0, 0, Vec::new());
    for path in write::written(&output(project)).0 {
        let bytes = std::fs::read(&path).map_err(|why| Error::io("cannot read", &path, why))?;
        let table = is(&path, "parquet");
        let (has, holds) = searched(ids, table, bytes.into())?;
        objects += 1;
        rows += has;
        if holds {
            holding.push(path.display().to_string());
        }
    }
    Ok((objects, rows, holding))
}

fn is(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|is| is == extension)
}

fn judged(ids: &Ids, path: &Path, bytes: Vec<u8>) -> Result<Then, Error> {
    let (rows, left) = if is(path, "parquet") {
        match table(ids, &bytes)? {
            Some(found) => found,
            None => return Ok(Then::Goes),
        }
    } else {
        let Ok(text) = String::from_utf8(bytes) else { return Ok(Then::Goes) };
        let (rows, left) = if is(path, "csv") { csv(ids, &text) } else { lines(ids, &text) };
        (rows, left.into_bytes())
    };
    let (_, holds) = searched(ids, is(path, "parquet"), left.clone().into())?;
    Ok(match rows {
        _ if holds => Then::Goes,
        0 => Then::Stays,
        rows => Then::Without { rows, bytes: left },
    })
}

fn table(ids: &Ids, bytes: &[u8]) -> Result<Option<(u64, Vec<u8>)>, Error> {
    let odd = |why: &dyn std::fmt::Display| Error::Engine { message: why.to_string(), help: None };
    let Ok(batches) = decoded(bytes::Bytes::copy_from_slice(bytes)) else { return Ok(None) };
    let (mut held, mut left) = (0, Vec::new());
    for batch in &batches {
        let here = ids.held(batch)?;
        held += here.rows + here.cells;
        left.push(ids.without(batch)?);
    }
    let Some(schema) = batches.first().map(|batch| batch.schema()) else { return Ok(None) };
    if held == 0 {
        return Ok(Some((0, bytes.to_vec())));
    }
    let whole = arrow::compute::concat_batches(&schema, &left).map_err(|e| odd(&e))?;
    let mut out = Vec::new();
    write::parquet(&whole, &mut out).map_err(|e| odd(&e))?;
    Ok(Some((held, out)))
}

/// JSON Lines without their lines.
fn lines(ids: &Ids, text: &str) -> (u64, String) {
    let mut rows = 0;
    let stays = |line: &&str| {
        let mut row = Value::Array(serde_json::from_str(line).into_iter().collect());
        let theirs = ids.scrub(&mut row) > 0;
        rows += u64::from(theirs);
        !theirs
    };
    let left: Vec<&str> = text.split_inclusive('\n').filter(stays).collect();
    (rows, left.concat())
}

/// CSV without their records; the customer is the first field.
fn csv(ids: &Ids, text: &str) -> (u64, String) {
    let (mut rows, mut left) = (0, String::with_capacity(text.len()));
    for (at, record) in records(text).enumerate() {
        if at > 0 && ids.is(&first(record)) {
            rows += 1;
        } else {
            left.push_str(record);
        }
    }
    (rows, left)
}

/// The records of a CSV text, with their line ends.
fn records(text: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    text.split_inclusive(move |c: char| {
        quoted ^= c == '"';
        c == '\n' && !quoted
    })
}

fn first(record: &str) -> String {
    let record = record.trim_end_matches(['\r', '\n']);
    let mut quoted = false;
    let field = record.split(|c: char| {
        quoted ^= c == '"';
        c == ',' && !quoted
    });
    let field = field.into_iter().next().unwrap_or_default();
    match field.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inside) => inside.replace("\"\"", "\""),
        None => field.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_text_files() {
        let ids = Ids::new(["ana".to_owned(), "a,\"b\"".to_owned(), "17".to_owned()]);
        let text = "customer,note\nana,1\n\"a,\"\"b\"\"\",2\neve,\"x\nana,y\"\nanna,3\n";
        assert_eq!(csv(&ids, text), (2, "customer,note\neve,\"x\nana,y\"\nanna,3\n".to_owned()));
        let text = "{\"customer\":\"ana\"}\n{\"customer\":\"eve\",\"n\":17}\n{\"customer\":17}\n";
        assert_eq!(lines(&ids, text), (2, "{\"customer\":\"eve\",\"n\":17}\n".to_owned()));
    }
}
