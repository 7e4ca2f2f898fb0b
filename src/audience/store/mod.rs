//! What runs published: immutable files and one numbered manifest a version.
//!
//! Owns: the layout of a store, staging, audits, the commit, reading it all back. Promises: a version is there whole or not at all,
//! and the one before stays as it is; the same inputs are the same bytes; whatever is read has been compared with its checksum.
//! Must not know: rules, the machine's clock, the command line.
//!
//! ```text
//! manifests/00000001.json    created only if absent; the newest number is the current version
//! data/<sha256>.parquet      the files of all versions, named after their content
//! locks/00000001.json        advisory: who publishes just now
//! reports/….json             audits that failed
//! deliveries/…               what destinations have
//! erasures/….json            receipts of erasures
//! ```
//!
//! `disk` writes to a local folder so that it lasts, `data` keeps tables, `manifest` is one version, `chain` all of them, `commit`
//! adds one, `audit` says whether it may, `lock` saves double work, `changes` compares members, `restore` and `vacuum` go back and
//! clear away.

mod audit;
mod chain;
mod changes;
mod commit;
mod data;
mod disk;
mod lock;
mod manifest;
mod restore;
mod rows;
mod vacuum;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::path::Path as Key;
use object_store::prefix::PrefixStore;
use object_store::{ObjectStore, ObjectStoreExt};
use sha2::{Digest, Sha256};

use crate::engine::tables::{files, remote};
use crate::error::Error;

pub use audit::{Audience, Finding, audit};
pub use chain::Chain;
pub use changes::{Changes, changes, membership};
pub use commit::Committed;
pub use data::PII;
pub(in crate::audience) use data::{decoded, key as data_key};
pub(in crate::audience) use disk::ASIDE;
pub use disk::Disk;
pub use lock::{Lock, Owner};
pub use manifest::{Count, Decided, Draft, Entry, EntryKind, FileRef, Input, Kind, Manifest, Micros, Table, Tool};
pub use rows::Rows;
pub use vacuum::{Keep, Sweep};

/// A store of results. Clones share what they have read.
#[derive(Debug, Clone)]
pub struct Store {
    objects: Arc<dyn ObjectStore>,
    place: Arc<Place>,
    /// The manifests that were read and found whole, from the first on; they never change.
    known: Arc<Mutex<Vec<Arc<Manifest>>>>,
}

/// Where a store is.
#[derive(Debug)]
struct Place {
    /// As in messages, and in front of the names of its objects.
    address: String,
    /// Its folder, on the local disk.
    folder: Option<PathBuf>,
}

impl Store {
    /// The store at an address: a folder, relative to the project's `root` or absolute, or `s3://bucket/prefix`. Nothing is read or
    /// made yet; a folder that is not there is an empty store.
    pub fn open(address: &str, root: &Path) -> Result<Store, Error> {
        if files::is_remote(address) {
            if files::has_glob(address) {
                return Err(Error::usage(format!("`{address}` is a pattern, and a store is one place"))
                    .with_help("an address is `s3://bucket/prefix`"));
            }
            let (bucket, start, prefix) = remote::open(address, "the store of results")?;
            let address = format!("{start}/{prefix}").trim_end_matches('/').to_owned();
            return Ok(Store::at(Arc::new(PrefixStore::new(bucket, prefix)), address, None));
        }
        let folder = files::local(root, address);
        // A `..` is followed as the disk does.
        let whole = files::real(&folder);
        let disk = Disk::new(&whole)?;
        Ok(Store::at(Arc::new(disk), folder.to_string_lossy().replace('\\', "/"), Some(whole)))
    }

    /// A store over anything that keeps objects, called `address` in messages.
    pub fn over(objects: Arc<dyn ObjectStore>, address: &str) -> Store {
        Store::at(objects, address.to_owned(), None)
    }

    fn at(objects: Arc<dyn ObjectStore>, address: String, folder: Option<PathBuf>) -> Store {
        Store { objects, place: Arc::new(Place { address, folder }), known: Arc::default() }
    }

    /// As in messages.
    pub fn address(&self) -> &str {
        &self.place.address
    }

    /// What keeps the objects; deliveries keep their states there.
    pub(in crate::audience) fn objects(&self) -> Arc<dyn ObjectStore> {
        Arc::clone(&self.objects)
    }

    /// An object as in messages.
    pub(in crate::audience) fn shown(&self, key: &Key) -> String {
        format!("{}/{key}", self.place.address)
    }

    /// The names of all objects, or of those below a folder, in order.
    pub(in crate::audience) async fn objects_below(&self, folder: Option<&str>) -> Result<Vec<Key>, Error> {
        let folder = folder.map(Key::from);
        let listed = self.objects.list(folder.as_ref()).try_collect::<Vec<_>>().await;
        let listed = listed.map_err(|why| self.trouble("cannot list", &folder.unwrap_or_default(), &why))?;
        let mut keys: Vec<Key> = listed.into_iter().map(|meta| meta.location).collect();
        keys.sort();
        Ok(keys)
    }

    /// Puts an object in place of what is there under its name.
    pub(in crate::audience) async fn put(&self, key: &Key, bytes: Vec<u8>) -> Result<(), Error> {
        let put = self.objects.put(key, bytes.into()).await;
        put.map(|_| ()).map_err(|why| self.trouble("cannot write", key, &why))
    }

    /// The bytes of an object; `None` where there is none.
    pub(in crate::audience) async fn get(&self, key: &Key) -> Result<Option<Bytes>, Error> {
        let got = match self.objects.get(key).await {
            Ok(got) => got.bytes().await,
            Err(why) => Err(why),
        };
        match got {
            Ok(bytes) => Ok(Some(bytes)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(why) => Err(self.trouble("cannot read", key, &why)),
        }
    }

    /// What a store said, with what to do about it.
    fn trouble(&self, what: &'static str, key: &Key, why: &object_store::Error) -> Error {
        let shown = self.shown(key);
        let Some(io) = of_a_disk(why) else {
            return remote::trouble(&format!("{what} `{shown}`"), why);
        };
        use std::io::ErrorKind as Io;
        let help = match io.kind() {
            Io::StorageFull | Io::QuotaExceeded | Io::FileTooLarge => {
                "make room, and call it again: what was published is whole, and nothing was added"
            }
            Io::PermissionDenied | Io::ReadOnlyFilesystem => "the store's folder must be readable and writable",
            _ => "call it again; what was published is whole",
        };
        Error::io(what, shown, io).with_help(help)
    }
}

/// What the system said, where the store is a disk.
fn of_a_disk(why: &object_store::Error) -> Option<&std::io::Error> {
    let mut at: Option<&(dyn std::error::Error + 'static)> = Some(why);
    while let Some(error) = at {
        if error.is::<object_store::Error>() || !error.is::<std::io::Error>() {
            at = error.source();
        } else {
            return error.downcast_ref();
        }
    }
    None
}

/// The SHA-256 of bytes, in hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
