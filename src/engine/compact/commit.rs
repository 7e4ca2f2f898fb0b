//! Puts a part in its place.
//!
//! Owns: the last step. Promises: a part appears whole, by one rename; where a store is replaced, there is none for a moment, and
//! never a mixture.

use std::fs::File;
use std::path::Path;

use super::Compacted;
use super::deal;
use super::job::Job;
use super::manifest::{self, Manifest};
use super::merge;
use crate::engine::bucket::HASH_VERSION;
use crate::engine::tables::layout::VERSION;
use crate::error::Error;

pub fn commit(job: &Job, resumed: usize) -> Result<Compacted, Error> {
    let mut inputs = job.inputs.clone();
    for (input, place) in inputs.iter().zip(&job.at) {
        if manifest::stat(&place.path)? != (input.bytes, input.modified) {
            return Err(Error::data(format!("{}: `{}` changed while it was read", job.what, place.shown))
                .with_help("call it again when the files are at rest"));
        }
    }
    for (input, digest) in deal::index(job)?.into_iter().flat_map(|index| index.digests) {
        if let Some(input) = inputs.get_mut(input) {
            input.sha256 = digest;
        }
    }
    let files = merge::outputs(job)?;
    let made = Manifest {
        layout: VERSION,
        hash: HASH_VERSION,
        source: job.source.clone(),
        part: job.part,
        ids: job.ids,
        customer: job.customer.clone(),
        time: job.time.clone(),
        from: job.from.clone(),
        rows: files.iter().map(|f| f.rows).sum(),
        inputs,
        files,
    };
    let read: u64 = made.inputs.iter().map(|i| i.rows).sum();
    if read != made.rows {
        return Err(deal::odd(&format!("{read} rows were read and {} written", made.rows)));
    }
    let staged = job.staged();
    manifest::save(&staged.join(manifest::FILE), &made)?;
    sync(&staged);
    let rename = |from: &Path, to: &Path| std::fs::rename(from, to).map_err(|e| Error::io("cannot write", to, e));
    if job.first() {
        let old = job.work.join("old");
        if job.folder.exists() {
            if old.exists() {
                std::fs::remove_dir_all(&old).map_err(|e| Error::io("cannot clear", &old, e))?;
            }
            rename(&job.folder, &old)?;
        }
        rename(&job.work.join("store"), &job.folder)?;
    } else {
        rename(&staged, &job.folder.join(job.name()))?;
    }
    sync(&job.folder);
    if let Some(above) = job.folder.parent() {
        sync(above);
    }
    job.forget()?;
    Ok(Compacted {
        source: job.source.clone(),
        folder: job.folder.clone(),
        part: Some(job.part),
        input_files: made.inputs.len(),
        input_bytes: made.inputs.iter().map(|i| i.bytes).sum(),
        files: made.files.len(),
        bytes: made.files.iter().map(|f| f.bytes).sum(),
        rows: made.rows,
        resumed,
    })
}

/// Names in a folder last as the files do.
fn sync(folder: &Path) {
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}
