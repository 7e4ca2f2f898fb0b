//! An object store that counts what is asked of it, and fails or ends the process at a given step.

use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path as Key;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions,
    PutOptions, PutPayload, PutResult, Result,
};
use segue::audience::store::{Disk, Store};

/// What happens at a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    Never,
    /// It is not done, and the next ones are.
    Once(usize),
    /// It is not done, and none after it.
    Forever(usize),
    /// It is done, and said to have failed.
    Unheard(usize),
    /// The process ends before it.
    EndsBefore(usize),
    /// The process ends behind it.
    EndsBehind(usize),
}

#[derive(Debug)]
pub struct Troubled {
    inner: Disk,
    trouble: Trouble,
    step: AtomicUsize,
    /// What was asked, in order.
    pub asked: Mutex<Vec<&'static str>>,
}

impl Troubled {
    /// A store over a folder, with this trouble; and what tells what was asked of it.
    pub fn store(folder: &Path, trouble: Trouble) -> (Store, Arc<Troubled>) {
        let inner = Disk::new(folder).expect("a folder");
        let troubled = Arc::new(Troubled { inner, trouble, step: AtomicUsize::new(0), asked: Mutex::default() });
        (Store::over(Arc::clone(&troubled) as Arc<dyn ObjectStore>, &folder.to_string_lossy()), troubled)
    }

    fn error() -> object_store::Error {
        object_store::Error::Generic { store: "Disk", source: std::io::Error::other("the cable is out").into() }
    }

    fn before(&self, what: &'static str) -> Result<usize> {
        let step = self.step.fetch_add(1, Ordering::SeqCst);
        self.asked.lock().expect("no panic").push(what);
        match self.trouble {
            Trouble::Once(at) if at == step => Err(Troubled::error()),
            Trouble::Forever(at) if at <= step => Err(Troubled::error()),
            Trouble::EndsBefore(at) if at == step => std::process::abort(),
            _ => Ok(step),
        }
    }

    fn behind<T>(&self, step: usize, done: Result<T>) -> Result<T> {
        match self.trouble {
            Trouble::Unheard(at) if at == step => Err(Troubled::error()),
            Trouble::EndsBehind(at) if at == step => std::process::abort(),
            _ => done,
        }
    }
}

impl std::fmt::Display for Troubled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Troubled({})", self.inner)
    }
}

#[async_trait]
impl ObjectStore for Troubled {
    async fn put_opts(&self, key: &Key, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let step = self.before("put")?;
        let done = self.inner.put_opts(key, payload, options).await;
        self.behind(step, done)
    }

    async fn put_multipart_opts(&self, key: &Key, options: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(key, options).await
    }

    async fn get_opts(&self, key: &Key, options: GetOptions) -> Result<GetResult> {
        let step = self.before("get")?;
        let done = self.inner.get_opts(key, options).await;
        self.behind(step, done)
    }

    async fn get_ranges(&self, key: &Key, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.inner.get_ranges(key, ranges).await
    }

    fn delete_stream(&self, keys: BoxStream<'static, Result<Key>>) -> BoxStream<'static, Result<Key>> {
        match self.before("delete") {
            Err(why) => futures::stream::once(async { Err(why) }).boxed(),
            Ok(step) if self.trouble == Trouble::Unheard(step) => {
                let deleted = self.inner.delete_stream(keys);
                deleted.and_then(|_| async { Err(Troubled::error()) }).boxed()
            }
            Ok(_) => self.inner.delete_stream(keys),
        }
    }

    fn list(&self, prefix: Option<&Key>) -> BoxStream<'static, Result<ObjectMeta>> {
        match self.before("list") {
            Err(why) => futures::stream::once(async { Err(why) }).boxed(),
            Ok(step) if self.trouble == Trouble::Unheard(step) => {
                futures::stream::once(async { Err(Troubled::error()) }).boxed()
            }
            Ok(_) => self.inner.list(prefix),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Key>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Key, to: &Key, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}
