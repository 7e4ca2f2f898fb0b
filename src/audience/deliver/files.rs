//! Files: one an audience, in a local folder or an object store.
//!
//! Owns: what a delivered file is called and holds. Promises: the same delivery is the same bytes under the same name; a reader finds
//! whole files only. All members are `AUDIENCE.csv`; changes are `AUDIENCE.delta-BASE-VERSION.csv` with a column `operation`, and contacts
//! are `AUDIENCE.VERSION.csv`, so that none takes the place of what nobody has read yet.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use object_store::{ObjectStore, ObjectStoreExt, WriteMultipart};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::rows::{self, odd};
use super::state::Which;
use super::{Parcel, Sent, Target, csv};
use crate::engine::tables::remote;
use crate::engine::write;
use crate::error::Error;
use crate::language::catalog::{Files as Kind, Mode};

/// Rows of a row group.
const ROW_GROUP: usize = 1 << 20;
/// Larger objects are sent in parts.
const AT_ONCE: usize = 32 << 20;

/// A folder of files.
pub struct Files {
    pub kind: Kind,
    pub place: Place,
}

/// Where the folder is.
pub enum Place {
    Local(PathBuf),
    Store { store: Arc<dyn ObjectStore>, below: object_store::path::Path, address: String },
}

impl Kind {
    /// How a file's name ends.
    pub fn extension(self) -> &'static str {
        match self {
            Kind::Csv { .. } => "csv",
            Kind::Jsonl => "jsonl",
            Kind::Parquet => "parquet",
        }
    }
}

/// What the file of a delivery of members is called, or of a decision's contacts.
pub fn name(audience: &str, which: &Which, contacts: bool, kind: Kind) -> String {
    let (version, extension) = (which.version, kind.extension());
    match which.mode {
        _ if contacts => format!("{audience}.{version:08}.{extension}"),
        Mode::Full => format!("{audience}.{extension}"),
        Mode::Delta => format!("{audience}.delta-{:08}-{version:08}.{extension}", which.base.unwrap_or(0)),
    }
}

/// A name of each kind that deliveries of an audience may write.
pub fn names(audience: &str, kind: Kind) -> [String; 3] {
    let which = |mode| Which { version: 0, mode, base: None, key: String::new() };
    let members = |mode| name(audience, &which(mode), false, kind);
    [members(Mode::Full), members(Mode::Delta), name(audience, &which(Mode::Full), true, kind)]
}

#[async_trait]
impl Target for Files {
    fn size(&self) -> Option<u64> {
        None
    }

    async fn send(&mut self, parcel: &Parcel<'_>) -> Result<Sent, Error> {
        let which = parcel.which;
        let name = name(parcel.audience, which, parcel.contacts, self.kind);
        let whole = match which.mode {
            Mode::Delta => parcel.rows.clone(),
            // All rows are there: nothing is to be done with any of them.
            Mode::Full => {
                let columns: Vec<usize> = (1..parcel.rows.num_columns()).collect();
                parcel.rows.project(&columns).map_err(|e| odd(&e))?
            }
        };
        let mut bytes = Vec::new();
        let neutralised = encode(&mut bytes, self.kind, &whole).map_err(|why| {
            Error::data(format!("destination `{}`: cannot write `{name}`: {why}", parcel.destination))
        })?;
        match &self.place {
            Place::Local(folder) => local(folder, &name, &bytes)?,
            Place::Store { store, below, address } => {
                let failed = format!("destination `{}`: cannot write `{address}/{name}`", parcel.destination);
                put(store, below.clone().join(name.as_str()), bytes).await.map_err(|e| remote::trouble(&failed, &e))?;
            }
        }
        Ok(Sent::Taken { repeated: false, neutralised })
    }
}

/// Rows as the bytes of a file; how many cells were neutralised, where that is asked.
pub fn encode(out: &mut Vec<u8>, kind: Kind, batch: &RecordBatch) -> Result<Option<u64>, String> {
    let text = |e: &dyn std::fmt::Display| e.to_string();
    match kind {
        Kind::Csv { formulas } => {
            let neutralised = csv::write(out, batch, formulas).map_err(|e| text(&e))?;
            Ok(Some(neutralised).filter(|_| !formulas))
        }
        Kind::Jsonl => {
            for row in 0..batch.num_rows() {
                writeln!(out, "{}", rows::object(batch, row)).map_err(|e| text(&e))?;
            }
            Ok(None)
        }
        Kind::Parquet => {
            let level = ZstdLevel::try_new(1).map_err(|e| text(&e))?;
            let properties = WriterProperties::builder()
                .set_created_by("segue".to_owned())
                .set_max_row_group_row_count(Some(ROW_GROUP))
                .set_compression(Compression::ZSTD(level))
                .build();
            let options = ArrowWriterOptions::new().with_properties(properties);
            let writer = ArrowWriter::try_new_with_options(out, batch.schema(), options);
            let mut writer = writer.map_err(|e| text(&e))?;
            writer.write(batch).map_err(|e| text(&e))?;
            writer.close().map_err(|e| text(&e))?;
            Ok(None)
        }
    }
}

/// Aside, to the disk, and into its place.
fn local(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), Error> {
    let to = folder.join(name);
    let cant = |why: &dyn std::fmt::Display| {
        Error::io("cannot write", &to, why)
            .with_help("name another folder in the catalog's `destinations`, or free this one")
    };
    write::replace(&to, bytes).map_err(|e| cant(&e))
}

async fn put(
    store: &Arc<dyn ObjectStore>,
    at: object_store::path::Path,
    bytes: Vec<u8>,
) -> Result<(), object_store::Error> {
    if bytes.len() <= AT_ONCE {
        return store.put(&at, bytes.into()).await.map(|_| ());
    }
    // An upload in parts appears as a whole, too, when it is finished.
    let mut upload = WriteMultipart::new(store.put_multipart(&at).await?);
    upload.put(bytes.into());
    upload.finish().await.map(|_| ())
}
