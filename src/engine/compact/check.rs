//! Whether a store is what it says it is.
//!
//! Owns: reading a whole store and comparing it with its manifests and declarations. Promises: everything that is wrong is told,
//! file by file; nothing is changed.

use std::collections::BTreeSet;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::job::NUMBERS;
use super::keys::{Keys, Maker};
use super::manifest::{self, Manifest, Output};
use super::{Step, Watch, blocking};
use crate::engine::tables::files;
use crate::engine::tables::layout::{Declared, KEY, together};
use crate::error::Error;
use crate::language::catalog::Catalog;

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    pub file: String,
    pub what: String,
}

/// What was seen of a store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checked {
    pub folder: PathBuf,
    pub parts: usize,
    pub files: usize,
    pub rows: u64,
    pub bytes: u64,
    pub problems: Vec<Problem>,
}

/// Checks the store in a folder, or the stores in the folders of it.
pub async fn check(folder: &Path, threads: usize, watch: Option<Watch>) -> Result<Vec<Checked>, Error> {
    let mut stores = Vec::new();
    if is_store(folder) {
        stores.push(folder.to_path_buf());
    } else if folder.is_dir() {
        let entries = std::fs::read_dir(folder).map_err(|e| Error::io("cannot read the folder", folder, e))?;
        for entry in entries {
            let path = entry.map_err(|e| Error::io("cannot read the folder", folder, e))?.path();
            let hidden = path.file_name().is_some_and(|n| n.to_string_lossy().starts_with(['.', '_']));
            if !hidden && is_store(&path) {
                stores.push(path);
            }
        }
        stores.sort();
    }
    if stores.is_empty() {
        return Err(Error::data(format!("there is no compacted store in `{}`", folder.display()))
            .with_help("a store is a folder that `segue store compact` has made, with a folder for each part"));
    }
    let mut all = Vec::new();
    for store in stores {
        all.push(one(store, threads, watch.clone()).await?);
    }
    Ok(all)
}

/// The folders of a catalog's sources that are stores.
pub fn named(catalog: &Catalog, root: &Path) -> Vec<PathBuf> {
    let paths = catalog.sources.iter().filter(|s| !files::is_remote(&s.path)).map(|s| files::local(root, &s.path));
    paths.filter(|path| is_store(path)).collect()
}

/// Whether a folder has parts.
fn is_store(folder: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else { return false };
    entries.flatten().any(|entry| manifest::is_part(&entry.path()))
}

async fn one(folder: PathBuf, threads: usize, watch: Option<Watch>) -> Result<Checked, Error> {
    let mut checked = Checked { folder: folder.clone(), ..Checked::default() };
    let mut wrong = |file: String, what: String| checked.problems.push(Problem { file, what });
    let parts = manifest::parts(&folder)?;
    let listed: BTreeSet<PathBuf> =
        parts.iter().flat_map(|(path, part)| part.files.iter().map(|f| path.join(&f.path))).collect();
    let shown = |path: &Path| path.strip_prefix(&folder).unwrap_or(path).display().to_string();
    for path in below(&folder)? {
        if !listed.contains(&path) {
            wrong(shown(&path), "no manifest knows it".into());
        }
    }
    for (at, (path, part)) in parts.iter().enumerate() {
        if usize::try_from(part.part).ok() != Some(at + 1) {
            wrong(shown(path), format!("it is part {}, where part {} is wanted: a part is missing", part.part, at + 1));
        }
    }
    let work: Vec<(PathBuf, String, Output, Manifest)> = parts
        .iter()
        .flat_map(|(path, part)| {
            let of = |f: &Output| {
                let file = path.join(&f.path);
                (
                    file.clone(),
                    shown(&file),
                    f.clone(),
                    Manifest { inputs: Vec::new(), files: Vec::new(), ..part.clone() },
                )
            };
            part.files.iter().map(of).collect::<Vec<_>>()
        })
        .collect();
    checked.parts = parts.len();
    checked.files = work.len();
    checked.rows = parts.iter().map(|(_, part)| part.rows).sum();
    checked.bytes = work.iter().map(|(_, _, f, _)| f.bytes).sum();
    let (rows, source) = (checked.rows, parts.first().map_or(String::new(), |(_, part)| part.source.clone()));
    let (work, next) = (Arc::new(work), Arc::new(AtomicUsize::new(0)));
    let read = Arc::new(std::sync::atomic::AtomicU64::new(0));
    let tasks = (0..threads.max(1)).map(|_| {
        let (work, next, read, watch, source) =
            (Arc::clone(&work), Arc::clone(&next), Arc::clone(&read), watch.clone(), source.clone());
        blocking(move || {
            let (mut found, mut seen) = (Vec::new(), Vec::new());
            while let Some((path, shown, file, part)) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
                let rows = |more: usize| {
                    let so_far = read.fetch_add(more as u64, Ordering::Relaxed) + more as u64;
                    if let Some(watch) = &watch {
                        watch(&Step { source: source.clone(), rows: so_far, of_rows: rows, ..Step::default() });
                    }
                };
                match catch_unwind(AssertUnwindSafe(|| look(path, file, part, &rows))) {
                    Ok(Ok(declared)) => seen.push((shown.clone(), declared)),
                    Ok(Err(what)) => found.push(Problem { file: shown.clone(), what }),
                    Err(_) => found.push(Problem { file: shown.clone(), what: "it could not be decoded".into() }),
                }
            }
            Ok((found, seen))
        })
    });
    let mut sound = Vec::new();
    for done in futures::future::join_all(tasks).await {
        let (found, seen) = done?;
        checked.problems.extend(found);
        sound.extend(seen);
    }
    if checked.problems.is_empty() {
        sound.sort_by(|(a, _), (b, _)| a.cmp(b));
        let files: Vec<(&str, Option<&Declared>)> = sound.iter().map(|(n, d)| (n.as_str(), Some(d))).collect();
        match together("the store", &files) {
            Ok(Some(_)) => {}
            Ok(None) => checked.problems.push(Problem {
                file: folder.display().to_string(),
                what: "its files were written with different layouts".into(),
            }),
            Err(error) => {
                checked.problems.push(Problem { file: folder.display().to_string(), what: error.to_string() });
            }
        }
    }
    checked.problems.sort();
    Ok(checked)
}

/// All data files below a folder.
fn below(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder).map_err(|e| Error::io("cannot read the folder", &folder, e))?;
        for entry in entries {
            let path = entry.map_err(|e| Error::io("cannot read the folder", &folder, e))?.path();
            let hidden = path.file_name().is_some_and(|n| n.to_string_lossy().starts_with(['.', '_']));
            match hidden {
                true => {}
                false if path.is_dir() => folders.push(path),
                false => found.push(path),
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Reads a file to its end.
fn look(path: &Path, listed: &Output, part: &Manifest, rows: &dyn Fn(usize)) -> Result<Declared, String> {
    let (bytes, _) = manifest::stat(path).map_err(|_| "it is not there".to_owned())?;
    if bytes != listed.bytes {
        return Err(format!("it has {bytes} bytes, and the manifest says {}", listed.bytes));
    }
    let whole = manifest::digest(path).map_err(|e| e.to_string())? == listed.sha256;
    let changed = |why: String| if whole { why } else { format!("its bytes have changed: {why}") };
    let bad = |e: &dyn std::fmt::Display| changed(format!("it cannot be read: {e}"));
    let file = File::open(path).map_err(|e| bad(&e))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| bad(&e))?;
    let declared = Declared::of(builder.metadata().file_metadata().key_value_metadata()).map_err(changed)?;
    let declared = declared.ok_or_else(|| changed(format!("it declares no layout (`{KEY}`)")))?;
    let order = [part.customer.as_str(), part.time.column.as_str()];
    let same = declared.buckets == listed.buckets
        && declared.part == part.part
        && declared.ids == part.ids
        && declared.hash == part.hash
        && declared.order.iter().map(String::as_str).eq(order);
    if !same {
        return Err(changed("it declares another layout than the manifest".into()));
    }
    if !declared.known() {
        return Err("it was dealt out by another version; `segue store compact --full` rewrites the store".into());
    }
    let maker = Maker::new(&part.source, &part.customer, part.ids == NUMBERS, &part.time);
    let [lo, hi] = declared.buckets;
    let (mut before, mut count): (Option<(Keys, usize)>, u64) = (None, 0);
    for batch in builder.with_batch_size(8_192).build().map_err(|e| bad(&e))? {
        let batch = batch.map_err(|e| bad(&e))?;
        let keys = maker.keys(&batch).map_err(|e| changed(e.to_string()))?;
        for row in 0..batch.num_rows() {
            let (last, last_row) = match &before {
                Some((keys, row)) => (keys, *row),
                None => (&keys, 0),
            };
            let (above, above_row) = if row == 0 { (last, last_row) } else { (&keys, row - 1) };
            let first = before.is_none() && row == 0;
            if !first && above.order(above_row, &keys, row).is_gt() {
                let (what, id) = match above.same(above_row, &keys, row) {
                    true => ("the times", keys.shown(row)),
                    false => ("the customers", keys.shown(row)),
                };
                return Err(changed(format!(
                    "{what} are not in order at row {} (customer `{id}`)",
                    count + row as u64 + 1
                )));
            }
            if first || !above.same(above_row, &keys, row) {
                let bucket = keys.bucket(row);
                if bucket < lo || bucket >= hi {
                    return Err(changed(format!(
                        "customer `{}` is of bucket {bucket}, and the file says it holds {lo} to {hi}",
                        keys.shown(row)
                    )));
                }
            }
        }
        rows(batch.num_rows());
        count += batch.num_rows() as u64;
        if let Some(last) = batch.num_rows().checked_sub(1) {
            before = Some((keys, last));
        }
    }
    if count != listed.rows {
        return Err(changed(format!("it has {count} rows, and the manifest says {}", listed.rows)));
    }
    if whole { Ok(declared) } else { Err("its bytes have changed since it was written".into()) }
}
