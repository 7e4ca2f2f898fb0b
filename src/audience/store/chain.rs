//! All versions of a store, from the first to the newest.
//!
//! Owns: listing and reading manifests, what follows from all of them together. Promises: each is whole and names the one before by
//! its checksum; a gap, a torn or a foreign file is an error that names it. Must not know: what stands in data files.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::{StreamExt, TryStreamExt};
use object_store::ObjectStore;
use object_store::path::Path as Key;

use super::manifest::{self, FileRef, Manifest, Table};
use super::{Store, sha256};
use crate::error::Error;

const FOLDER: &str = "manifests";
/// Objects that are asked for at once.
pub(super) const AT_ONCE: usize = 16;
const TORN: &str =
    "bring it back from a backup; where it is the newest, moving it aside makes the version before the current one";
const RESTORE: &str = "bring the file back from a backup; the store can't be trusted without it";

/// The versions of a store at one moment.
#[derive(Debug, Clone, Default)]
pub struct Chain {
    versions: Vec<Arc<Manifest>>,
}

impl Chain {
    /// From the first to the newest.
    pub fn versions(&self) -> &[Arc<Manifest>] {
        &self.versions
    }

    /// The current version.
    pub fn latest(&self) -> Option<&Arc<Manifest>> {
        self.versions.last()
    }

    /// A version by its number.
    pub fn version(&self, n: u64) -> Result<&Arc<Manifest>, Error> {
        let at = n.checked_sub(1).and_then(|at| usize::try_from(at).ok());
        at.and_then(|at| self.versions.get(at)).ok_or_else(|| {
            let error = Error::usage(format!("there is no version {n}"));
            match self.versions.len() {
                0 => error.with_help("nothing was published yet: `segue run` does it"),
                newest => error.with_help(format!("the newest is {newest}; `segue log` shows all")),
            }
        })
    }

    /// The last version whose as-of instant is at or before this one; of several of the same instant the newest.
    pub fn at(&self, as_of: i64) -> Option<&Arc<Manifest>> {
        let before = self.versions.iter().filter(|version| version.draft.as_of <= as_of);
        before.max_by_key(|version| (version.draft.as_of, version.version))
    }

    /// The version that recorded that the audiences of this one are not kept any longer.
    pub fn vacuumed(&self, n: u64) -> Option<u64> {
        self.versions.iter().find(|version| version.draft.vacuumed.contains(&n)).map(|version| version.version)
    }

    /// The checksum of what stands for a file now.
    pub fn resolve<'a>(&'a self, file: &'a FileRef) -> &'a str {
        // What replaces a file is newer than the version that names it. A later one may publish the same content again.
        let newer = file.of.0.map_or(self.versions.len(), |of| usize::try_from(of).unwrap_or(usize::MAX));
        let newer = self.versions.iter().skip(newer);
        newer.fold(file.sha256.as_str(), |file, version| version.draft.replaced.get(file).map_or(file, |to| to))
    }

    /// Whether the audiences of a version are still there.
    pub fn is_kept(&self, n: u64) -> bool {
        self.vacuumed(n).is_none()
    }

    /// The checksums of all files that must stay where these versions go too.
    pub(in crate::audience) fn needed(&self, going: &[u64]) -> BTreeSet<&str> {
        let vacuumed = self.versions.iter().flat_map(|version| &version.draft.vacuumed);
        let gone: BTreeSet<u64> = vacuumed.chain(going).copied().collect();
        let stays = |n: u64, file: &FileRef| file.table == Table::History || !gone.contains(&n);
        let files = self.versions.iter().flat_map(|v| v.draft.files.iter().map(|file| (v.version, file)));
        files.filter(|(n, file)| stays(*n, file)).map(|(_, file)| self.resolve(file)).collect()
    }

    /// The files of the history, each once, in the order in which they were published.
    pub fn history(&self) -> Vec<FileRef> {
        let mut seen = BTreeSet::new();
        let files = self.versions.iter().flat_map(|version| version.draft.of(Table::History));
        files.filter(|file| seen.insert(self.resolve(file))).cloned().collect()
    }

    /// What contacts had cost that were taken out of the history, in millionths: by the first names of campaigns, once an erasure.
    pub fn spent(&self) -> impl Iterator<Item = (&str, i128)> {
        let spent = self.versions.iter().flat_map(|version| &version.draft.spent);
        spent.map(|(campaign, cost)| (campaign.as_str(), cost.0))
    }

    /// The names that a segment or campaign had before, as far as versions tell: the earliest first.
    pub fn former(&self, name: &str) -> &[String] {
        self.latest().and_then(|latest| latest.draft.names.get(name)).map_or(&[], Vec::as_slice)
    }
}

/// What the manifest of a version is called.
pub(super) fn key(version: u64) -> Key {
    Key::from(format!("{FOLDER}/{version:08}.json"))
}

fn number(key: &Key) -> Option<u64> {
    let name = key.filename()?.strip_suffix(".json")?;
    let number: u64 = name.parse().ok().filter(|&n| n > 0)?;
    (self::key(number) == *key).then_some(number)
}

impl Store {
    /// All versions.
    pub async fn chain(&self) -> Result<Chain, Error> {
        let mut versions = self.known();
        if versions.is_empty() {
            let newest = self.newest().await?;
            let fetch = |n: u64| async move {
                let bytes = self.get(&key(n)).await?.ok_or_else(|| self.missing(n, newest))?;
                Ok::<_, Error>(manifest::read(&bytes))
            };
            let read = futures::stream::iter(1..=newest).map(fetch).buffered(AT_ONCE);
            for read in read.try_collect::<Vec<_>>().await? {
                let next = self.follows(&versions, read)?;
                versions.push(next);
            }
        } else {
            // Each number is created behind the one before, so whoever knows some need ask for the next only.
            let known = versions.len() as u64;
            if self.size(&key(known)).await?.is_none() {
                return Err(self.missing(known, known));
            }
            while let Some(bytes) = self.get(&key(versions.len() as u64 + 1)).await? {
                let next = self.follows(&versions, manifest::read(&bytes))?;
                versions.push(next);
            }
        }
        self.learn(&versions);
        Ok(Chain { versions })
    }

    /// The manifest that was read behind these, if it is the next one.
    fn follows(&self, before: &[Arc<Manifest>], read: Result<Manifest, String>) -> Result<Arc<Manifest>, Error> {
        let n = before.len() as u64 + 1;
        let wrong = |why: &str| Error::data(format!("`{}` {why}", self.shown(&key(n)))).with_help(TORN);
        let read = read.map_err(|why| wrong(&why))?;
        if read.version != n {
            return Err(wrong(&format!("says that it is version {}", read.version)));
        }
        if read.previous.as_deref() != before.last().map(|before| before.sha256.as_str()) {
            return Err(wrong(&format!("does not follow version {}: the checksums differ", n - 1)));
        }
        Ok(Arc::new(read))
    }

    /// The current version, if anything was published.
    pub async fn latest(&self) -> Result<Option<Arc<Manifest>>, Error> {
        Ok(self.chain().await?.latest().cloned())
    }

    /// A version by its number.
    pub async fn manifest(&self, n: u64) -> Result<Arc<Manifest>, Error> {
        Ok(Arc::clone(self.chain().await?.version(n)?))
    }

    pub(super) fn known(&self) -> Vec<Arc<Manifest>> {
        self.known.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    pub(super) fn learn(&self, versions: &[Arc<Manifest>]) {
        let mut known = self.known.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if known.len() < versions.len() {
            *known = versions.to_vec();
        }
    }

    /// The highest number there is; 0 where there is none.
    async fn newest(&self) -> Result<u64, Error> {
        let folder = Key::from(FOLDER);
        let listed = self.objects.list(Some(&folder)).try_collect::<Vec<_>>().await;
        let listed = listed.map_err(|why| self.trouble("cannot list", &folder, &why))?;
        let mut newest = 0;
        for meta in listed {
            let Some(n) = number(&meta.location) else {
                return Err(Error::data(format!("`{}` is no manifest", self.shown(&meta.location)))
                    .with_help("move it away; the folder holds nothing but what Segue writes"));
            };
            newest = newest.max(n);
        }
        Ok(newest)
    }

    fn missing(&self, n: u64, newest: u64) -> Error {
        let shown = self.shown(&key(n));
        Error::data(format!("version {n} is missing: there is no `{shown}`, but there was a version {newest}"))
            .with_help(RESTORE)
    }

    /// The bytes that stand for a file of some version, compared with their checksum.
    pub(super) async fn bytes_of(&self, file: &FileRef) -> Result<bytes::Bytes, Error> {
        let chain = self.chain().await?;
        let sum = chain.resolve(file);
        let key = super::data::key(sum);
        let Some(bytes) = self.get(&key).await? else {
            // What a reader holds may have been cleared away since.
            let chain = self.chain().await?;
            let shown = self.shown(&key);
            return Err(match file.of.0.and_then(|version| Some((version, chain.vacuumed(version)?))) {
                Some((version, by)) => {
                    Error::data(format!("the audiences of version {version} are not kept any longer (version {by})"))
                        .with_help("`segue log` shows which versions are kept")
                }
                None if chain.resolve(file) != sum => {
                    Error::data(format!("`{shown}` was replaced while it was read")).with_help("call it again")
                }
                None => Error::data(format!("`{shown}` is missing")).with_help(RESTORE),
            });
        };
        let size = bytes.len() as u64;
        if sha256(&bytes) != sum {
            let why = match sum == file.sha256 && size != file.bytes {
                true => format!("it has {size} bytes, and was written with {}", file.bytes),
                false => "its checksum differs".to_owned(),
            };
            return Err(Error::data(format!("`{}` is damaged: {why}", self.shown(&key))).with_help(RESTORE));
        }
        Ok(bytes)
    }
}
