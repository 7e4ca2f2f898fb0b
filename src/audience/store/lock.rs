//! Who publishes just now.
//!
//! Owns: the lock. Promises: who holds it is told by name; one that its holder left behind is taken over, by one of those who try.
//! It is advice: it saves double work, while what is published is safe without it. Must not know: what is published.

use std::path::Path;
use std::time::Duration;

use futures::TryStreamExt;
use object_store::path::Path as Key;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions};
use serde::{Deserialize, Serialize};

use super::Store;
use crate::error::Error;

const FOLDER: &str = "locks";

/// Who holds a lock, or wants it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// What it does: `run`, `vacuum`.
    pub verb: String,
    /// The machine's name.
    pub host: String,
    /// The process.
    pub pid: u32,
    /// Tells it from every other, also of the same process.
    pub nonce: String,
    /// When it took the lock, by its own clock: microseconds since 1970.
    pub since: i64,
}

/// A lock that is held until it is released.
#[derive(Debug)]
#[must_use]
pub struct Lock {
    key: Key,
}

impl Owner {
    /// Whether it is gone: its process, where that is of this machine; else whatever is older than `bound`.
    fn left(&self, by: &Owner, bound: Duration) -> bool {
        let bound = i64::try_from(bound.as_micros()).unwrap_or(i64::MAX);
        let old = by.since.saturating_sub(self.since) > bound;
        let dead = self.host == by.host && self.pid != by.pid && is_gone(self.pid);
        old || dead
    }
}

/// Whether no process of this machine has that id, as far as the system tells.
fn is_gone(pid: u32) -> bool {
    let processes = Path::new("/proc");
    processes.join("self").exists() && !processes.join(pid.to_string()).exists()
}

fn key(n: u64) -> Key {
    Key::from(format!("{FOLDER}/{n:08}.json"))
}

impl Store {
    /// Takes the lock for `owner`; refused where another holds it. One that is older than `bound`, or whose process is gone, is
    /// taken over.
    pub async fn lock(&self, owner: &Owner, bound: Duration) -> Result<Lock, Error> {
        // Each lock has a number one higher than the one that it takes over, and is created only if absent: one of many gets it.
        let mut next = 1;
        let mut orphan = None;
        if let Some(&highest) = self.locks().await?.last() {
            orphan = self.get(&key(highest)).await?;
            match orphan.as_ref().map(|bytes| serde_json::from_slice::<Owner>(bytes)) {
                Some(Ok(holder)) if !holder.left(owner, bound) => return Err(self.held(&holder)),
                // Left behind, or unreadable: whoever wrote that is not of this kind.
                Some(_) => next = highest + 1,
                None => {}
            }
        }
        let text =
            serde_json::to_vec_pretty(owner).map_err(|e| Error::Engine { message: e.to_string(), help: None })?;
        let put = PutOptions::from(PutMode::Create);
        let mine = key(next);
        if let Err(why) = self.objects.put_opts(&mine, text.clone().into(), put).await {
            match self.get(&mine).await? {
                Some(there) if *there == *text => {}
                Some(there) => return Err(self.taken(&there)),
                None => return Err(self.trouble("cannot take the lock", &mine, &why)),
            }
        }
        // Who looked at the orphan long ago may have come too late: another took it over and gave it back since, and a third holds
        // a lock. Of two who see each other none has it.
        for other in self.locks().await?.into_iter().filter(|&n| n != next) {
            match self.get(&key(other)).await? {
                Some(bytes) if orphan.as_ref() != Some(&bytes) => {
                    self.delete(&mine).await?;
                    return Err(self.taken(&bytes));
                }
                Some(_) => self.delete(&key(other)).await?,
                None => {}
            }
        }
        Ok(Lock { key: mine })
    }

    /// Gives the lock back.
    pub async fn release(&self, lock: Lock) -> Result<(), Error> {
        self.delete(&lock.key).await
    }

    /// Takes an object away, if it is there.
    pub(in crate::audience) async fn delete(&self, key: &Key) -> Result<(), Error> {
        match self.objects.delete(key).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(why) => Err(self.trouble("cannot delete", key, &why)),
        }
    }

    async fn locks(&self) -> Result<Vec<u64>, Error> {
        let folder = Key::from(FOLDER);
        let listed = self.objects.list(Some(&folder)).try_collect::<Vec<_>>().await;
        let listed = listed.map_err(|why| self.trouble("cannot list", &folder, &why))?;
        let number = |at: &Key| at.filename()?.strip_suffix(".json")?.parse::<u64>().ok();
        let mut numbers: Vec<u64> = listed.iter().filter_map(|meta| number(&meta.location)).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Held by whoever wrote these bytes.
    fn taken(&self, bytes: &[u8]) -> Error {
        match serde_json::from_slice::<Owner>(bytes) {
            Ok(holder) => self.held(&holder),
            Err(_) => Error::Refused {
                message: format!("somebody is at work on `{}`", self.address()),
                help: Some("call it again in a moment".to_owned()),
            },
        }
    }

    fn held(&self, holder: &Owner) -> Error {
        let Owner { verb, host, pid, .. } = holder;
        Error::Refused {
            message: format!("`segue {verb}` is at work on `{}` (process {pid} on `{host}`)", self.address()),
            help: Some("wait until it has ended; a lock that was left behind is taken over by itself".to_owned()),
        }
    }
}
