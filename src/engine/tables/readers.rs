//! Readers of Parquet files.
//!
//! Owns: how bytes come from a file. Promises: footers are not read again; a file on the local disk is read where it is needed,
//! without another thread and without filling memory before. Must not know: what the bytes are.

use std::fs::File;
use std::io::{Error, ErrorKind, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::parquet::arrow::arrow_reader::ArrowReaderOptions;
use ::parquet::arrow::async_reader::AsyncFileReader;
use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::ParquetMetaData;
use bytes::Bytes;
use datafusion::common::Result;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::ParquetFileReaderFactory;
use datafusion::datasource::physical_plan::parquet::{DefaultParquetFileReaderFactory, ParquetFileMetrics};
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures::FutureExt;
use futures::future::{BoxFuture, ready};
use object_store::{ObjectStore, ObjectStoreExt};

/// The footer of a file, which has been read when the table was opened.
#[derive(Debug)]
pub(super) struct Known(pub Arc<ParquetMetaData>);

/// Where a file is on the local disk.
#[derive(Debug)]
pub(super) struct OnDisk(pub PathBuf);

/// Some bytes of a file.
pub(super) async fn range(
    disk: Option<&Path>,
    store: &Arc<dyn ObjectStore>,
    location: &object_store::path::Path,
    range: Range<u64>,
) -> object_store::Result<Bytes> {
    let Some(disk) = disk else { return store.get_range(location, range).await };
    let told = |e: Error| match e.kind() {
        ErrorKind::NotFound => object_store::Error::NotFound { path: disk.display().to_string(), source: e.into() },
        _ => object_store::Error::Generic { store: "disk", source: e.into() },
    };
    File::open(disk).and_then(|mut file| bytes(&mut file, range)).map_err(told)
}

/// All bytes of a range, which the file must have.
fn bytes(file: &mut File, range: Range<u64>) -> std::io::Result<Bytes> {
    let length = range.end.saturating_sub(range.start);
    // A damaged footer may tell of any number of bytes.
    if range.end > file.metadata()?.len() {
        return Err(short());
    }
    file.seek(SeekFrom::Start(range.start))?;
    let mut out = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    file.take(length).read_to_end(&mut out)?;
    if (out.len() as u64) < length {
        return Err(short());
    }
    Ok(Bytes::from(out))
}

fn short() -> Error {
    Error::new(ErrorKind::UnexpectedEof, "the file is shorter than its footer says")
}

/// Readers that do not read footers again.
#[derive(Debug)]
pub(super) struct Readers {
    inner: DefaultParquetFileReaderFactory,
}

impl Readers {
    pub fn new(store: Arc<dyn ObjectStore>) -> Readers {
        Readers { inner: DefaultParquetFileReaderFactory::new(store) }
    }
}

impl ParquetFileReaderFactory for Readers {
    fn create_reader(
        &self,
        partition: usize,
        file: PartitionedFile,
        hint: Option<usize>,
        metrics: &ExecutionPlanMetricsSet,
    ) -> Result<Box<dyn AsyncFileReader + Send>> {
        let known = file.extension::<Known>().map(|known| Arc::clone(&known.0));
        let disk = file.extension::<OnDisk>().map(|disk| disk.0.clone());
        Ok(match (known, disk) {
            (Some(metadata), Some(path)) => {
                let metrics = ParquetFileMetrics::new(partition, file.object_meta.location.as_ref(), metrics);
                Box::new(Disk { path, file: None, metadata, metrics })
            }
            (Some(metadata), None) => {
                let inner = self.inner.create_reader(partition, file, hint, metrics)?;
                Box::new(Reader { inner, metadata })
            }
            (None, _) => self.inner.create_reader(partition, file, hint, metrics)?,
        })
    }
}

/// A reader of a file in an object store.
struct Reader {
    inner: Box<dyn AsyncFileReader + Send>,
    metadata: Arc<ParquetMetaData>,
}

impl AsyncFileReader for Reader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes, ParquetError>> {
        self.inner.get_bytes(range)
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, Result<Vec<Bytes>, ParquetError>> {
        self.inner.get_byte_ranges(ranges)
    }

    fn get_metadata<'a>(
        &'a mut self,
        _: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, Result<Arc<ParquetMetaData>, ParquetError>> {
        ready(Ok(Arc::clone(&self.metadata))).boxed()
    }
}

/// A reader of a file on the local disk.
struct Disk {
    path: PathBuf,
    /// Once it is open.
    file: Option<File>,
    metadata: Arc<ParquetMetaData>,
    metrics: ParquetFileMetrics,
}

impl Disk {
    fn read(&mut self, range: Range<u64>) -> Result<Bytes, ParquetError> {
        let told = |e: Error| ParquetError::External(e.into());
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(File::open(&self.path).map_err(told)?),
        };
        let bytes = bytes(file, range).map_err(told)?;
        self.metrics.bytes_scanned.add(bytes.len());
        Ok(bytes)
    }
}

impl AsyncFileReader for Disk {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes, ParquetError>> {
        ready(self.read(range)).boxed()
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, Result<Vec<Bytes>, ParquetError>> {
        ready(ranges.into_iter().map(|range| self.read(range)).collect()).boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        _: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, Result<Arc<ParquetMetaData>, ParquetError>> {
        ready(Ok(Arc::clone(&self.metadata))).boxed()
    }
}
