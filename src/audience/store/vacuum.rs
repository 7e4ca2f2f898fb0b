//! Clearing away.
//!
//! Owns: which versions and files are not kept any longer. Promises: the newest version and the history always stay; first a version
//! says what is not kept, then its files go, so that a reader gets a whole table or is told why there is none; what somebody waits for
//! stays, and so does what is younger than the grace, for somebody may be about to publish it. Must not know: the machine's clock.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::TryStreamExt;
use object_store::path::Path as Key;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};

use super::manifest::{Draft, Kind, Tool};
use super::{Chain, Store, data, disk};
use crate::error::Error;

/// What is kept.
#[derive(Debug, Clone, Default)]
pub struct Keep {
    /// Versions as of this instant or later: microseconds since 1970. `None` keeps all versions.
    pub from: Option<i64>,
    /// Versions that somebody waits for stay, however old.
    pub waiting: BTreeSet<u64>,
    /// The caller's clock: microseconds since 1970.
    pub now: i64,
    /// Files that no version needs stay for that long.
    pub grace: Duration,
}

/// What goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sweep {
    /// Versions whose audiences are not kept any longer.
    pub versions: Vec<u64>,
    /// Those that would go, too, if nobody waited for them.
    pub waiting: Vec<u64>,
    /// Names of files below the store's address.
    pub files: Vec<String>,
    pub bytes: u64,
}

impl Store {
    /// What [`Store::vacuum`] would take away; nothing is changed.
    pub async fn sweep(&self, keep: &Keep) -> Result<Sweep, Error> {
        let chain = self.chain().await?;
        let (waiting, versions) = old(&chain, keep);
        let found = self.unneeded(&chain, &versions, keep).await?;
        Ok(told(versions, waiting, &found))
    }

    /// Takes away what is not kept. A version that says so is published first, where versions go.
    pub async fn vacuum(&self, keep: &Keep, tool: Tool) -> Result<Sweep, Error> {
        let chain = self.chain().await?;
        let (waiting, versions) = old(&chain, keep);
        if let Some(latest) = chain.latest().filter(|_| !versions.is_empty()) {
            let draft = Draft {
                kind: Kind::Vacuum,
                tool,
                files: latest.draft.standing(),
                vacuumed: versions.clone(),
                decided: Vec::new(),
                restored: None,
                replaced: BTreeMap::new(),
                spent: BTreeMap::new(),
                counts: latest.draft.counts.iter().map(|(name, count)| (name.clone(), count.unmoved())).collect(),
                ..latest.draft.clone()
            };
            self.commit(draft, Some(latest.version)).await?.published()?;
        }
        // As the versions are now.
        let chain = self.chain().await?;
        let mut gone = Vec::new();
        for meta in self.unneeded(&chain, &[], keep).await? {
            // Whoever writes it once more just now makes it young again.
            let still = self.objects.head(&meta.location).await.is_ok_and(|now| is_old(&now, keep));
            if still {
                self.delete(&meta.location).await?;
                gone.push(meta);
            }
        }
        Ok(told(versions, waiting, &gone))
    }

    /// Files that no version needs, besides the versions that go, and what was begun and not ended.
    async fn unneeded(&self, chain: &Chain, going: &[u64], keep: &Keep) -> Result<Vec<ObjectMeta>, Error> {
        let needed = chain.needed(going);
        let mut found = Vec::new();
        for folder in [data::FOLDER, disk::ASIDE] {
            let folder = Key::from(folder);
            let listed = self.objects.list(Some(&folder)).try_collect::<Vec<_>>().await;
            found.extend(listed.map_err(|why| self.trouble("cannot list", &folder, &why))?);
        }
        found.retain(|meta| {
            let sum = meta.location.filename().and_then(|name| name.strip_suffix(".parquet"));
            is_old(meta, keep) && sum.is_none_or(|sum| !needed.contains(sum))
        });
        found.sort_by(|a, b| a.location.cmp(&b.location));
        Ok(found)
    }
}

fn is_old(meta: &ObjectMeta, keep: &Keep) -> bool {
    let grace = i64::try_from(keep.grace.as_micros()).unwrap_or(i64::MAX);
    meta.last_modified.timestamp_micros() <= keep.now.saturating_sub(grace)
}

/// The versions that are old: those that are waited for, and those that go.
fn old(chain: &Chain, keep: &Keep) -> (Vec<u64>, Vec<u64>) {
    let (Some(from), Some(latest)) = (keep.from, chain.latest()) else { return Default::default() };
    let old = chain.versions().iter().filter(|v| v.draft.as_of < from && v.version != latest.version);
    old.map(|v| v.version).filter(|&n| chain.is_kept(n)).partition(|n| keep.waiting.contains(n))
}

fn told(versions: Vec<u64>, waiting: Vec<u64>, found: &[ObjectMeta]) -> Sweep {
    let files = found.iter().map(|meta| meta.location.to_string()).collect();
    Sweep { versions, waiting, files, bytes: found.iter().map(|meta| meta.size).sum() }
}
