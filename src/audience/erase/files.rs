//! What runs left in the project's folders.
//!
//! Owns: the cache and the files of audiences beside the store. Promises: a file has its rows taken out whole or goes; nothing that a run did
//! not write is touched. Must not know: stores.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::ids::{Held, Ids};
use super::versions::searched;
use crate::audience::store::decoded;
use crate::engine::{cache, write};
use crate::error::Error;
use crate::project::Project;

/// What was found and taken out.
#[derive(Debug, Clone, Default)]
pub(super) struct Cleared {
    /// There was a cache.
    pub cache: bool,
    /// Files of audiences that held somebody, how many rows of theirs, and cells of others' rows that named them.
    pub files: u64,
    pub rows: u64,
    pub cells: u64,
    /// Files that went as a whole: they could not be read, or what their columns are called names somebody.
    pub whole: u64,
}

/// What becomes of a file.
enum Then {
    Stays,
    Without(Left),
    Goes,
}

/// What is left of a file, and how many rows and cells went.
struct Left {
    rows: u64,
    cells: u64,
    bytes: Vec<u8>,
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
            Then::Without(left) => {
                cleared.rows += left.rows;
                cleared.cells += left.cells;
                if !dry_run {
                    write::replace(&path, &left.bytes).map_err(|why| cant("cannot write", &path, why))?;
                }
            }
            Then::Goes => {
                if !dry_run {
                    std::fs::remove_file(&path).map_err(|why| cant("cannot remove", &path, why))?;
                }
                cleared.whole += 1;
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
        objects += 1;
        if is(&path, "parquet") {
            rows += searched(ids, true, bytes.clone().into())?.0;
        }
        if !matches!(judged(ids, &path, bytes)?, Then::Stays) {
            holding.push(path.display().to_string());
        }
    }
    // It went before. Who writes it anew meanwhile may have asked who is erased before that was said.
    let cache = project.root.join(cache::FOLDER);
    if cache.exists() {
        holding.push(cache.display().to_string());
    }
    Ok((objects, rows, holding))
}

fn is(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|is| is == extension)
}

fn judged(ids: &Ids, path: &Path, bytes: Vec<u8>) -> Result<Then, Error> {
    let left = if is(path, "parquet") {
        table(ids, &bytes)?
    } else {
        let text = String::from_utf8(bytes).ok();
        text.and_then(|text| if is(path, "csv") { csv(ids, &text) } else { lines(ids, &text) })
    };
    Ok(match left {
        None => Then::Goes,
        Some(Left { rows: 0, cells: 0, .. }) => Then::Stays,
        Some(left) => Then::Without(left),
    })
}

/// A Parquet file without them; `None` of what is none.
fn table(ids: &Ids, bytes: &[u8]) -> Result<Option<Left>, Error> {
    let odd = |why: &dyn std::fmt::Display| Error::Engine { message: why.to_string(), help: None };
    let Ok(batches) = decoded(bytes::Bytes::copy_from_slice(bytes)) else { return Ok(None) };
    let (mut held, mut left) = (Held::default(), Vec::new());
    for batch in &batches {
        held.add(ids.held(batch)?);
        left.push(ids.without(batch)?);
    }
    let Some(schema) = batches.first().map(|batch| batch.schema()) else { return Ok(None) };
    let mut out = Vec::new();
    if held.any() {
        let whole = arrow::compute::concat_batches(&schema, &left).map_err(|e| odd(&e))?;
        write::parquet(&whole, &mut out).map_err(|e| odd(&e))?;
    }
    Ok(Some(Left { rows: held.rows, cells: held.cells, bytes: out }))
}

/// JSON Lines without them; `None` where they are named otherwise than by values of rows.
fn lines(ids: &Ids, text: &str) -> Option<Left> {
    let (mut held, mut left) = (Held::default(), String::with_capacity(text.len()));
    for line in text.split_inclusive('\n') {
        let mut row = match serde_json::from_str::<Value>(line) {
            Ok(row) if ids.in_json(&row) => Value::Array(vec![row]),
            Err(_) if ids.in_text(line) => return None,
            _ => {
                left.push_str(line);
                continue;
            }
        };
        held.add(ids.scrub(&mut row));
        if ids.in_json(&row) {
            return None;
        }
        for row in row.as_array().into_iter().flatten() {
            left.push_str(&format!("{row}\n"));
        }
    }
    Some(Left { rows: held.rows, cells: held.cells, bytes: left.into_bytes() })
}

/// CSV without them; `None` where its head names them. The customer is the first field.
fn csv(ids: &Ids, text: &str) -> Option<Left> {
    let (mut rows, mut cells, mut left) = (0, 0, String::with_capacity(text.len()));
    for (at, record) in records(text).enumerate() {
        let line = record.trim_end_matches(['\r', '\n']);
        if at == 0 {
            if ids.in_text(line) {
                return None;
            }
            left.push_str(line);
        } else {
            let mut kept: Vec<&str> = Vec::new();
            for field in fields(line) {
                let text = plain(field);
                if kept.is_empty() && (ids.is(&text) || text.strip_prefix('\'').is_some_and(|text| ids.is(text))) {
                    break;
                }
                let names = !kept.is_empty() && ids.in_text(&text);
                cells += u64::from(names);
                kept.push(if names { "" } else { field });
            }
            if kept.is_empty() {
                rows += 1;
                continue;
            }
            left.push_str(&kept.join(","));
        }
        left.push_str(record.get(line.len()..).unwrap_or_default());
    }
    Some(Left { rows, cells, bytes: left.into_bytes() })
}

/// The records of a CSV text, with their line ends.
fn records(text: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    text.split_inclusive(move |c: char| {
        quoted ^= c == '"';
        c == '\n' && !quoted
    })
}

/// The fields of a record, as written.
fn fields(record: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    record.split(move |c: char| {
        quoted ^= c == '"';
        c == ',' && !quoted
    })
}

/// What a field says.
fn plain(field: &str) -> Cow<'_, str> {
    match field.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inside) => inside.replace("\"\"", "\"").into(),
        None => field.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_without_them() {
        let ids = Ids::new(["ana".to_owned(), "a,\"b\"".to_owned(), "17".to_owned(), "+331234".to_owned()]);
        let told = |left: Option<Left>| {
            left.map(|left| (left.rows, left.cells, String::from_utf8(left.bytes).expect("a text")))
        };
        let text = "customer,note\nana,1\n\"a,\"\"b\"\"\",2\neve,\"x\nana,y\"\nanna,3\n'+331234,4\n";
        assert_eq!(told(csv(&ids, text)), Some((3, 0, "customer,note\neve,\"x\nana,y\"\nanna,3\n".to_owned())));
        let text = "{\"customer\":\"ana\"}\n{\"customer\":\"eve\",\"n\":17}\n{\"customer\":17}\n";
        assert_eq!(told(lines(&ids, text)), Some((2, 0, "{\"customer\":\"eve\",\"n\":17}\n".to_owned())));

        // Cells of others are emptied; what names them otherwise goes as a whole.
        let ids = Ids::new(["cust-01".to_owned(), "100001".to_owned()]);
        let text = "customer,a,b\r\neve,\"to cust-01, too\",100001\r\nx-cust-01,100001.5,3\r\n";
        let left = "customer,a,b\r\neve,,\r\nx-cust-01,100001.5,3\r\n";
        assert_eq!(told(csv(&ids, text)), Some((0, 2, left.to_owned())));
        let text = "{\"customer\":\"eve\",\"a\":\"cust-01\",\"b\":100001,\"c\":[\"x\",\"cust-01\"]}\n";
        let left = "{\"customer\":\"eve\",\"a\":null,\"b\":null,\"c\":[\"x\",null]}\n";
        assert_eq!(told(lines(&ids, text)), Some((0, 3, left.to_owned())));
        assert_eq!(told(csv(&ids, "customer,cust-01\neve,1\n")), None);
        assert_eq!(told(lines(&ids, "{\"customer\":\"eve\",\"cust-01\":1}\n")), None);
        assert_eq!(told(lines(&ids, "{\"customer\":\"cust-01\n")), None);
    }

    #[test]
    fn a_cache_that_is_there_again_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("written");
        write("segue.yaml", "name: shop\nedition: \"2026\"\ntimezone: UTC\ncatalog: catalog.yaml\nrules: rules\n");
        write("catalog.yaml", "sources: {}\nevents: {}\n");
        std::fs::create_dir_all(folder.path().join("rules")).expect("made");
        std::fs::create_dir_all(folder.path().join(cache::FOLDER)).expect("made");
        let project = crate::project::load(folder.path()).expect("loads");
        let ids = Ids::new(["cust-01".to_owned()]);
        assert_eq!(
            search(&project, &ids).expect("searched").2,
            [folder.path().join(cache::FOLDER).display().to_string()]
        );
        assert!(clear(&project, &ids, false).expect("cleared").cache);
        assert_eq!(search(&project, &ids).expect("searched").2, Vec::<String>::new());
    }
}
