//! Tables as files that are named after their content.
//!
//! Owns: what a data file looks like. Promises: the same rows are the same bytes and the same name; nothing is written that a kept
//! version has already; what is read has been compared with its name. Must not know: what the rows mean.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::Schema;
use object_store::path::Path as Key;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::manifest::{FileRef, Of, Table};
use super::{Chain, Store, sha256};
use crate::engine::write;
use crate::error::Error;

pub(super) const FOLDER: &str = "data";

/// The mark of a column that is made of personal data, in the metadata of its field.
pub const PII: &str = "pii";

/// What the file of a checksum is called.
pub(in crate::audience) fn key(sum: &str) -> Key {
    Key::from(format!("{FOLDER}/{sum}.parquet"))
}

/// `customer Utf8, arm Utf8?`
fn told(schema: &Schema) -> String {
    let column = |field: &Arc<arrow::datatypes::Field>| {
        format!("{} {}{}", field.name(), field.data_type(), if field.is_nullable() { "?" } else { "" })
    };
    schema.fields().iter().map(column).collect::<Vec<_>>().join(", ")
}

/// The rows of a Parquet file, one batch at least, if only to tell the columns; or what is wrong with it.
pub(in crate::audience) fn decoded(bytes: bytes::Bytes) -> Result<Vec<RecordBatch>, String> {
    let text = |e: &dyn std::fmt::Display| e.to_string();
    let builder = ParquetRecordBatchReaderBuilder::try_new(bytes).map_err(|e| text(&e))?;
    let schema = Arc::clone(builder.schema());
    let rows = builder.with_batch_size(1 << 16).build().map_err(|e| text(&e))?;
    let mut rows = rows.collect::<Result<Vec<RecordBatch>, _>>().map_err(|e| text(&e))?;
    if rows.is_empty() {
        rows.push(RecordBatch::new_empty(schema));
    }
    Ok(rows)
}

impl Store {
    /// Keeps a table as a file. `name` is the audience's; empty where a table is one file a version. There is one batch at least,
    /// if only to tell the columns. Until a manifest names the file, nobody reads it.
    pub async fn stage(&self, table: Table, name: &str, batches: &[RecordBatch]) -> Result<FileRef, Error> {
        let odd = |why: &dyn std::fmt::Display| Error::Engine { message: format!("`{name}`: {why}"), help: None };
        let Some(schema) = batches.first().map(RecordBatch::schema) else {
            return Err(odd(&"a table without columns can't be kept"));
        };
        // One batch, so that the same rows are the same bytes however they came.
        let whole = concat_batches(&schema, batches).map_err(|e| odd(&e))?;
        let bytes = tokio::task::spawn_blocking(move || {
            let mut bytes = Vec::new();
            write::parquet(&whole, &mut bytes).map(|()| bytes)
        });
        let bytes = bytes.await.map_err(|e| odd(&e))?.map_err(|e| odd(&e))?;
        let file = FileRef {
            table,
            name: name.to_owned(),
            sha256: sha256(&bytes),
            bytes: bytes.len() as u64,
            rows: batches.iter().map(|batch| batch.num_rows() as u64).sum(),
            schema: told(&schema),
            of: Of::default(),
            personal: schema
                .fields()
                .iter()
                .filter(|f| f.metadata().contains_key(PII))
                .map(|f| f.name().clone())
                .collect(),
        };
        self.keep(&file, bytes).await?;
        Ok(file)
    }

    async fn keep(&self, file: &FileRef, bytes: Vec<u8>) -> Result<(), Error> {
        // A file that no version names may be cleared away at any moment: it is written anew, and young again. One that a version
        // names stays, until a later version says that it does not; then the commit tells.
        let named = self.known().iter().any(|v| v.draft.files.iter().any(|f| f.sha256 == file.sha256));
        let key = key(&file.sha256);
        if named && self.size(&key).await? == Some(file.bytes) {
            return Ok(());
        }
        let put = PutOptions::from(PutMode::Overwrite);
        if let Err(why) = self.objects.put_opts(&key, bytes.into(), put).await {
            // It may be there for all that.
            let there = self.get(&key).await.ok().flatten();
            if there.is_none_or(|there| sha256(&there) != file.sha256) {
                return Err(self.trouble("cannot write", &key, &why));
            }
        }
        Ok(())
    }

    /// The checksums of all data files.
    pub(in crate::audience) async fn data_files(&self) -> Result<Vec<String>, Error> {
        let keys = self.objects_below(Some(FOLDER)).await?;
        let sum =
            |key: &Key| Some(key.filename()?.strip_suffix(".parquet")?.to_owned()).filter(|sum| self::key(sum) == *key);
        Ok(keys.iter().filter_map(sum).collect())
    }

    /// What stands for a file of some version now.
    pub async fn current(&self, chain: &Chain, file: FileRef) -> Result<FileRef, Error> {
        let sum = chain.resolve(&file);
        if sum == file.sha256 {
            return Ok(file);
        }
        let rows = self.read(&file).await?.iter().map(|batch| batch.num_rows() as u64).sum();
        let bytes = self.size(&key(sum)).await?.unwrap_or_default();
        Ok(FileRef { sha256: sum.to_owned(), bytes, rows, of: Of::default(), ..file })
    }

    /// The size of an object; `None` where there is none.
    pub(super) async fn size(&self, key: &Key) -> Result<Option<u64>, Error> {
        match self.objects.head(key).await {
            Ok(meta) => Ok(Some(meta.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(why) => Err(self.trouble("cannot read", key, &why)),
        }
    }

    /// The rows of a file of some version, as they stand now: where a later version replaced the file, those of the other.
    pub async fn read(&self, file: &FileRef) -> Result<Vec<RecordBatch>, Error> {
        let bytes = self.bytes_of(file).await?;
        let rows = tokio::task::spawn_blocking(move || decoded(bytes));
        let rows = rows.await.map_err(|e| e.to_string()).and_then(|rows| rows);
        rows.map_err(|why| {
            Error::data(format!("`{}` can't be read: {why}", self.shown(&key(&file.sha256))))
                .with_help("a newer Segue may have written it")
        })
    }

    /// Where a file is, for whoever reads it in place: a path on the local disk, or an address.
    pub async fn url_or_path(&self, file: &FileRef) -> Result<String, Error> {
        let chain = self.chain().await?;
        let key = key(chain.resolve(file));
        Ok(match &self.place.folder {
            Some(folder) => format!("{}/{key}", folder.to_string_lossy()),
            None => self.shown(&key),
        })
    }
}
