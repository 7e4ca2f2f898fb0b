//! Merges the sorted runs of a range of buckets into one file of the store.
//!
//! Owns: the merge. Promises: holds one chunk a run, and of so many runs at a time as its budget allows; the order of rows depends on
//! the input alone, so that a file is the same bytes however the input was cut into runs.

use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering as Atomic;

use arrow::array::RecordBatch;
use arrow::compute::interleave_record_batch;

use super::Shared;
use super::deal::{CHUNK, Chunk, Index, decode, encode, full, odd, rows};
use super::job::Job;
use super::keys::{Keys, Maker};
use super::manifest::{self, Output};
use super::output::Writer;
use crate::error::Error;

/// Rows that are written at a time.
const BATCH: usize = 1_024;
/// A chunk in memory, with its keys and what reading it takes.
const HELD: usize = 4 * CHUNK;

/// Chunks of a file, in order.
struct Source {
    path: PathBuf,
    chunks: std::vec::IntoIter<Chunk>,
}

impl Source {
    fn next(&mut self) -> Result<Option<RecordBatch>, Error> {
        let Some(chunk) = self.chunks.next() else { return Ok(None) };
        let cant = |e| Error::io("cannot read", &self.path, e);
        let mut file = File::open(&self.path).map_err(cant)?;
        file.seek(SeekFrom::Start(chunk.at)).map_err(cant)?;
        let mut bytes = vec![0; usize::try_from(chunk.bytes).unwrap_or(0)];
        file.read_exact(&mut bytes).map_err(cant)?;
        decode(&bytes).map(Some)
    }
}

/// Merges one file of the store, unless that is done.
pub fn merge(job: &Job, shared: &Shared, index: &[Index], file: usize, budget: usize) -> Result<(), Error> {
    let done = job.runs().join(format!("done-{file:06}.json"));
    let path = job.staged().join(job.file(file));
    if done.is_file() && path.is_file() {
        let output: Output = read(&done)?;
        shared.resumed.fetch_add(1, Atomic::Relaxed);
        shared.bytes.fetch_add(output.bytes, Atomic::Relaxed);
        return shared.rows(usize::try_from(output.rows).unwrap_or(usize::MAX));
    }
    let mut sources = Vec::new();
    for (unit, index) in index.iter().enumerate() {
        for run in &index.runs {
            if let Some((_, chunks)) = run.chunks.iter().find(|(of, _)| *of == file) {
                sources.push(Source { path: rows(job, unit), chunks: chunks.clone().into_iter() });
            }
        }
    }
    let maker = Maker::new(&job.source, &job.customer, job.ids == super::job::NUMBERS, &job.time);
    let most = (budget / 2 / HELD).max(4);
    let mut aside = Vec::new();
    while sources.len() > most {
        // Neighbours are merged first, so that rows that sort alike stay in the order of the input.
        let mut fewer = Vec::new();
        let mut rest = sources.into_iter().peekable();
        while rest.peek().is_some() {
            let some: Vec<Source> = rest.by_ref().take(most).collect();
            let path = job.runs().join(format!("merge-{file:06}-{:06}.rows", aside.len()));
            fewer.push(pack(job, shared, &maker, some, &path)?);
            aside.push(path);
        }
        sources = fewer;
    }
    let part = job.runs().join(format!("file-{file:06}.parquet"));
    let cant = |why: String| full(job, &path, &why);
    let mut writer = Writer::new(job, file, &part).map_err(cant)?;
    let mut take = |batch: RecordBatch| {
        shared.rows(batch.num_rows())?;
        writer.write(&batch).map_err(cant)
    };
    merged(&maker, sources, &mut take)?;
    let output = writer.finish(job.file(file), job.range(file)).map_err(cant)?;
    std::fs::rename(&part, &path).map_err(|e| full(job, &path, &e))?;
    shared.bytes.fetch_add(output.bytes, Atomic::Relaxed);
    manifest::save(&done, &output)?;
    for path in aside {
        let _ = std::fs::remove_file(path);
    }
    Ok(())
}

/// The files of the part, as they were written.
pub fn outputs(job: &Job) -> Result<Vec<Output>, Error> {
    (0..job.buckets as usize).map(|file| read(&job.runs().join(format!("done-{file:06}.json")))).collect()
}

fn read(path: &Path) -> Result<Output, Error> {
    let text = std::fs::read_to_string(path).map_err(|e| Error::io("cannot read", path, e))?;
    serde_json::from_str(&text).map_err(|e| Error::io("cannot read", path, e))
}

/// Merges some runs into one.
fn pack(job: &Job, shared: &Shared, maker: &Maker, sources: Vec<Source>, path: &Path) -> Result<Source, Error> {
    let cant = |e: std::io::Error| full(job, path, &e);
    let mut out = BufWriter::new(File::create(path).map_err(cant)?);
    let (mut chunks, mut at) = (Vec::new(), 0);
    let mut take = |batch: RecordBatch| {
        shared.rows(0)?;
        let wide = (batch.get_array_memory_size() / batch.num_rows().max(1)).max(1);
        let size = (CHUNK / wide).clamp(1, BATCH);
        for from in (0..batch.num_rows()).step_by(size) {
            let bytes = encode(&batch.slice(from, size.min(batch.num_rows() - from)))?;
            out.write_all(&bytes).map_err(cant)?;
            chunks.push(Chunk { at, bytes: bytes.len() as u64 });
            at += bytes.len() as u64;
        }
        Ok(())
    };
    merged(maker, sources, &mut take)?;
    out.flush().map_err(cant)?;
    Ok(Source { path: path.to_path_buf(), chunks: chunks.into_iter() })
}

/// A run with the row that it stands at.
struct Head {
    source: Source,
    /// Which of the held chunks.
    slot: usize,
    row: usize,
    rows: usize,
}

/// Hands out the rows of sorted runs in order, always so many at a time.
fn merged(
    maker: &Maker,
    sources: Vec<Source>,
    take: &mut dyn FnMut(RecordBatch) -> Result<(), Error>,
) -> Result<(), Error> {
    let (mut batches, mut keys): (Vec<RecordBatch>, Vec<Keys>) = (Vec::new(), Vec::new());
    let mut heads = Vec::new();
    for mut source in sources {
        if let Some(batch) = source.next()? {
            let rows = batch.num_rows();
            keys.push(maker.keys(&batch)?);
            batches.push(batch);
            heads.push(Head { source, slot: batches.len() - 1, row: 0, rows });
        }
    }
    // A heap of heads: the smallest row first, of equal ones that of the earlier run.
    let mut heap: Vec<usize> = (0..heads.len()).collect();
    for at in (0..heap.len() / 2).rev() {
        sift(&mut heap, at, &heads, &keys);
    }
    let mut picked: Vec<(usize, usize)> = Vec::with_capacity(BATCH);
    while let Some(&first) = heap.first() {
        let Some(head) = heads.get_mut(first) else { break };
        picked.push((head.slot, head.row));
        head.row += 1;
        if head.row == head.rows {
            match head.source.next()? {
                Some(batch) => {
                    keys.push(maker.keys(&batch)?);
                    (head.slot, head.row, head.rows) = (batches.len(), 0, batch.num_rows());
                    batches.push(batch);
                }
                None => {
                    heap.swap_remove(0);
                }
            }
        }
        sift(&mut heap, 0, &heads, &keys);
        if picked.len() == BATCH {
            hand(&mut batches, &mut keys, &mut heads, &heap, &mut picked, take)?;
        }
    }
    hand(&mut batches, &mut keys, &mut heads, &heap, &mut picked, take)
}

/// Hands out what was picked, and lets go of chunks that nobody stands at.
fn hand(
    batches: &mut Vec<RecordBatch>,
    keys: &mut Vec<Keys>,
    heads: &mut [Head],
    heap: &[usize],
    picked: &mut Vec<(usize, usize)>,
    take: &mut dyn FnMut(RecordBatch) -> Result<(), Error>,
) -> Result<(), Error> {
    if picked.is_empty() {
        return Ok(());
    }
    let refs: Vec<&RecordBatch> = batches.iter().collect();
    let batch = interleave_record_batch(&refs, picked).map_err(|e| odd(&e))?;
    picked.clear();
    if batches.len() > heap.len() {
        let (mut kept, mut kept_keys) = (Vec::with_capacity(heap.len()), Vec::with_capacity(heap.len()));
        for &head in heap {
            let Some(head) = heads.get_mut(head) else { continue };
            if let (Some(batch), Some(key)) = (batches.get(head.slot), keys.get(head.slot)) {
                kept.push(batch.clone());
                kept_keys.push(key.clone());
                head.slot = kept.len() - 1;
            }
        }
        (*batches, *keys) = (kept, kept_keys);
    }
    take(batch)
}

/// Lets the head at a place of the heap sink to where it belongs.
fn sift(heap: &mut [usize], mut at: usize, heads: &[Head], keys: &[Keys]) {
    let before = |a: usize, b: usize| {
        let (Some(ha), Some(hb)) = (heads.get(a), heads.get(b)) else { return false };
        let (Some(ka), Some(kb)) = (keys.get(ha.slot), keys.get(hb.slot)) else { return false };
        ka.order(ha.row, kb, hb.row).then(a.cmp(&b)).is_lt()
    };
    loop {
        let child = 2 * at + 1;
        let (Some(&mine), Some(&left)) = (heap.get(at), heap.get(child)) else { return };
        let (mut place, mut least) = (child, left);
        if let Some(&right) = heap.get(child + 1)
            && before(right, left)
        {
            (place, least) = (child + 1, right);
        }
        if !before(least, mine) {
            return;
        }
        heap.swap(at, place);
        at = place;
    }
}
