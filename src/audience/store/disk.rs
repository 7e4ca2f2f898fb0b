//! A folder on the local disk as an object store that keeps its word when the power fails.
//!
//! Owns: how files are written. Promises: a name appears with its whole content behind it, both on the disk before the call returns;
//! of two that create a name one wins; what was begun and not ended lies in a folder aside. Must not know: what the files hold.

use std::fs::File;
use std::io::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::prefix::PrefixStore;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMode,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

use crate::error::Error;

/// Files on their way, below the root.
pub(in crate::audience) const ASIDE: &str = ".aside";

/// A folder; it is made by the first file that is put there.
#[derive(Debug)]
pub struct Disk {
    root: Arc<Path>,
    inner: PrefixStore<LocalFileSystem>,
}

impl Disk {
    /// `root` is absolute.
    pub fn new(root: &Path) -> std::result::Result<Disk, Error> {
        let cant = |why: &dyn std::fmt::Display| {
            Error::io("no store can be at", root, why).with_help("a store is a folder, or `s3://bucket/prefix`")
        };
        if root.exists() && !root.is_dir() {
            return Err(cant(&"it is a file"));
        }
        let prefix = Key::from_absolute_path(root).map_err(|e| cant(&e))?;
        Ok(Disk { root: Arc::from(root), inner: PrefixStore::new(LocalFileSystem::new(), prefix) })
    }

    fn path(&self, key: &Key) -> PathBuf {
        key.parts().fold(self.root.to_path_buf(), |path, part| path.join(part.as_ref()))
    }
}

/// Writes aside, then gives it its name.
fn write(root: &Path, to: &Path, payload: &PutPayload, anew: bool) -> std::io::Result<()> {
    let above = to.parent().unwrap_or(root);
    let aside = root.join(ASIDE);
    make(&aside)?;
    make(above)?;
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        // A temporary file is its owner's alone; this one becomes like any other.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(&aside)?;
    payload.iter().try_for_each(|bytes| file.write_all(bytes))?;
    file.as_file().sync_all()?;
    if anew { file.persist_noclobber(to) } else { file.persist(to) }.map_err(|failed| failed.error)?;
    sync(above)
}

/// A folder that lasts, with those above it.
fn make(folder: &Path) -> std::io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    std::fs::create_dir_all(folder)?;
    folder.ancestors().skip(1).take(2).try_for_each(sync)
}

/// Names in a folder last as the files do.
fn sync(folder: &Path) -> std::io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

impl std::fmt::Display for Disk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Disk({})", self.root.display())
    }
}

#[async_trait]
impl ObjectStore for Disk {
    async fn put_opts(&self, key: &Key, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let anew = match options.mode {
            PutMode::Create => true,
            PutMode::Overwrite => false,
            PutMode::Update(_) => {
                let operation = "put with `PutMode::Update`".to_owned();
                return Err(object_store::Error::NotImplemented { operation, implementer: self.to_string() });
            }
        };
        let (root, to) = (Arc::clone(&self.root), self.path(key));
        let done = tokio::task::spawn_blocking(move || write(&root, &to, &payload, anew)).await?;
        done.map(|()| PutResult { e_tag: None, version: None }).map_err(|why| match why.kind() {
            std::io::ErrorKind::AlreadyExists if anew => {
                object_store::Error::AlreadyExists { path: key.to_string(), source: why.into() }
            }
            _ => object_store::Error::Generic { store: "Disk", source: why.into() },
        })
    }

    async fn put_multipart_opts(&self, _: &Key, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        let operation = "put in parts".to_owned();
        Err(object_store::Error::NotImplemented { operation, implementer: self.to_string() })
    }

    async fn get_opts(&self, key: &Key, options: GetOptions) -> Result<GetResult> {
        self.inner.get_opts(key, options).await
    }

    async fn get_ranges(&self, key: &Key, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.inner.get_ranges(key, ranges).await
    }

    fn delete_stream(&self, keys: BoxStream<'static, Result<Key>>) -> BoxStream<'static, Result<Key>> {
        self.inner.delete_stream(keys)
    }

    fn list(&self, prefix: Option<&Key>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Key>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Key, to: &Key, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}
