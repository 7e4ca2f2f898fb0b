//! Deals the input into sorted runs.
//!
//! Owns: a piece of the input as runs on disk, and their index. Promises: holds a third of its budget in rows; a piece that is
//! done is marked by its index, written last.
//!
//! A run is a stretch of the input, dealt by file of the store and sorted; it is written as chunks, small enough that one of every run
//! can be held while they are merged. The chunks of a piece follow each other in one file.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::Ordering;

use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use arrow::array::RecordBatch;
use arrow::compute::interleave_record_batch;
use arrow::ipc::CompressionType;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::{IpcWriteOptions, StreamWriter};
use serde::{Deserialize, Serialize};

use super::Shared;
use super::job::{Job, Span};
use super::keys::{Keys, Maker};
use super::manifest;
use crate::engine::bucket::BUCKETS;
use crate::error::Error;

/// Bytes of a chunk, about.
pub const CHUNK: usize = 128 << 10;
/// What a row costs beside its values while it is sorted.
const ROW: usize = 24;

/// The runs of a piece.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Index {
    /// Digests of the input files that begin in the piece.
    pub digests: Vec<(usize, String)>,
    pub runs: Vec<Run>,
}

/// For each file of the store that the run has rows of, its chunks in order.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Run {
    pub chunks: Vec<(usize, Vec<Chunk>)>,
}

/// Where a chunk lies.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Chunk {
    pub at: u64,
    pub bytes: u64,
}

fn names(unit: usize) -> (String, String) {
    (format!("{unit:06}.rows"), format!("{unit:06}.json"))
}

/// The runs of all pieces.
pub fn index(job: &Job) -> Result<Vec<Index>, Error> {
    let read = |unit| {
        let path = job.runs().join(names(unit).1);
        let text = std::fs::read_to_string(&path).map_err(|e| Error::io("cannot read", &path, e))?;
        serde_json::from_str(&text).map_err(|e| Error::io("cannot read", &path, e))
    };
    (0..job.units.len()).map(read).collect()
}

/// The file of a piece's chunks.
pub fn rows(job: &Job, unit: usize) -> std::path::PathBuf {
    job.runs().join(names(unit).0)
}

/// Deals one piece.
pub fn deal(job: &Job, shared: &Shared, unit: usize, budget: usize) -> Result<(), Error> {
    let Some(spans) = job.units.get(unit) else { return Ok(()) };
    let begun = |span: &Span| span.groups.first() == Some(&0);
    let index = job.runs().join(names(unit).1);
    if index.is_file() {
        shared.resumed.fetch_add(1, Ordering::Relaxed);
        shared.files.fetch_add(spans.iter().filter(|s| begun(s)).count(), Ordering::Relaxed);
        let rows = |span: &Span| if begun(span) { job.inputs.get(span.input).map_or(0, |i| i.rows) } else { 0 };
        return shared.rows(usize::try_from(spans.iter().map(rows).sum::<u64>()).unwrap_or(usize::MAX));
    }
    let path = rows(job, unit);
    let cant = |e: std::io::Error| full(job, &path, &e);
    let mut dealer = Dealer {
        job,
        maker: Maker::new(&job.source, &job.customer, job.ids == super::job::NUMBERS, &job.time),
        out: BufWriter::with_capacity(1 << 20, File::create(&path).map_err(cant)?),
        path: &path,
        end: 0,
        budget: budget / 3,
        held: 0,
        batches: Vec::new(),
        keys: Vec::new(),
        index: Index::default(),
    };
    for span in spans {
        let Some(place) = job.at.get(span.input) else { continue };
        if begun(span) {
            shared.files.fetch_add(1, Ordering::Relaxed);
            dealer.index.digests.push((span.input, manifest::digest(&place.path)?));
        }
        let bad = |why: &dyn std::fmt::Display| {
            Error::data(format!("{}: `{}` is damaged: {why}", job.what, place.shown))
                .with_help("write the file again, or take it out of the folder")
        };
        let read = || -> Result<(), Error> {
            let file = File::open(&place.path).map_err(|e| Error::io("cannot read", &place.path, e))?;
            let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| bad(&e))?;
            let groups: Vec<usize> = match span.groups {
                [from, to] => (from..to).collect(),
            };
            let size = batch_rows(&builder, &groups);
            let reader = builder.with_row_groups(groups).with_batch_size(size).build().map_err(|e| bad(&e))?;
            for batch in reader {
                let batch = batch.map_err(|e| bad(&e))?;
                let batch = job.shape.adapt(&batch, &place.hive).map_err(|e| bad(&e))?;
                let rows = batch.num_rows();
                dealer.take(batch)?;
                shared.rows(rows)?;
            }
            Ok(())
        };
        match catch_unwind(AssertUnwindSafe(read)) {
            Ok(done) => done?,
            Err(_) => return Err(bad(&"it could not be decoded")),
        }
    }
    dealer.flush()?;
    let Dealer { mut out, index: done, .. } = dealer;
    out.flush().and_then(|()| out.get_ref().sync_data()).map_err(cant)?;
    manifest::save(&index, &done)
}

/// What is said when a file of the work cannot be written; the usual reason is a full disk.
pub fn full(job: &Job, path: &Path, why: &dyn std::fmt::Display) -> Error {
    Error::io("cannot write", path, why).with_help(format!(
        "compacting needs room for the store and for about as much again while it works; what is done so far is kept in `{}`, and \
         the same call goes on from there",
        job.work.display()
    ))
}

/// Fewer rows at a time where they are wide.
fn batch_rows<T>(builder: &::parquet::arrow::arrow_reader::ArrowReaderBuilder<T>, groups: &[usize]) -> usize {
    let groups = groups.iter().filter_map(|&g| builder.metadata().row_groups().get(g));
    let (rows, bytes) = groups.fold((0, 0), |(r, b), g| (r + g.num_rows(), b + g.total_byte_size()));
    let wide = usize::try_from(bytes / rows.max(1)).unwrap_or(1).max(1);
    ((1 << 20) / wide).clamp(64, 8_192)
}

struct Dealer<'a> {
    job: &'a Job,
    maker: Maker,
    out: BufWriter<File>,
    path: &'a Path,
    end: u64,
    budget: usize,
    held: usize,
    batches: Vec<RecordBatch>,
    keys: Vec<Keys>,
    index: Index,
}

impl Dealer<'_> {
    fn take(&mut self, batch: RecordBatch) -> Result<(), Error> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let keys = self.maker.keys(&batch)?;
        self.held += batch.get_array_memory_size() + keys.size() + batch.num_rows() * ROW;
        self.batches.push(batch);
        self.keys.push(keys);
        if self.held >= self.budget { self.flush() } else { Ok(()) }
    }

    /// Sorts what is held and writes it as a run.
    fn flush(&mut self) -> Result<(), Error> {
        let (batches, keys) = (std::mem::take(&mut self.batches), std::mem::take(&mut self.keys));
        let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
        if rows == 0 {
            return Ok(());
        }
        let wide = (self.held / rows).max(1);
        self.held = 0;
        let size = (CHUNK / wide).clamp(1, 65_536);
        let width = BUCKETS / self.job.buckets;
        let mut dealt: Vec<Vec<(u32, u32)>> = vec![Vec::new(); self.job.buckets as usize];
        for (b, keys_of) in keys.iter().enumerate() {
            for row in 0..batches.get(b).map_or(0, RecordBatch::num_rows) {
                if let Some(rows) = dealt.get_mut((keys_of.bucket(row) / width) as usize) {
                    rows.push((b as u32, row as u32));
                }
            }
        }
        let refs: Vec<&RecordBatch> = batches.iter().collect();
        let mut run = Run::default();
        for (file, rows) in dealt.iter_mut().enumerate().filter(|(_, rows)| !rows.is_empty()) {
            let order = |a: &(u32, u32), b: &(u32, u32)| match (keys.get(a.0 as usize), keys.get(b.0 as usize)) {
                (Some(ka), Some(kb)) => ka.order(a.1 as usize, kb, b.1 as usize),
                _ => std::cmp::Ordering::Equal,
            };
            // Rows that sort alike stay in the order of the input.
            rows.sort_by(order);
            let mut chunks = Vec::new();
            for rows in rows.chunks(size) {
                let picked: Vec<(usize, usize)> = rows.iter().map(|&(b, r)| (b as usize, r as usize)).collect();
                let chunk = interleave_record_batch(&refs, &picked).map_err(|e| odd(&e))?;
                let bytes = encode(&chunk)?;
                self.out.write_all(&bytes).map_err(|e| full(self.job, self.path, &e))?;
                chunks.push(Chunk { at: self.end, bytes: bytes.len() as u64 });
                self.end += bytes.len() as u64;
            }
            rows.clear();
            rows.shrink_to_fit();
            run.chunks.push((file, chunks));
        }
        self.index.runs.push(run);
        Ok(())
    }
}

pub fn odd(e: &dyn std::fmt::Display) -> Error {
    Error::Engine { message: e.to_string(), help: None }
}

/// A chunk as bytes that stand alone.
pub fn encode(batch: &RecordBatch) -> Result<Vec<u8>, Error> {
    let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::LZ4_FRAME));
    let options = options.map_err(|e| odd(&e))?;
    let mut writer =
        StreamWriter::try_new_with_options(Vec::new(), batch.schema_ref(), options).map_err(|e| odd(&e))?;
    writer.write(batch).map_err(|e| odd(&e))?;
    writer.into_inner().map_err(|e| odd(&e))
}

pub fn decode(bytes: &[u8]) -> Result<RecordBatch, Error> {
    let mut reader = StreamReader::try_new(bytes, None).map_err(|e| odd(&e))?;
    match reader.next() {
        Some(batch) => batch.map_err(|e| odd(&e)),
        None => Err(odd(&"a run is cut off")),
    }
}
