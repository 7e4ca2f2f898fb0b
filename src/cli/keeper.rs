//! The store of results of a project.
//!
//! Owns: which store is meant, and who we are when we write to it.

use std::path::Path;
use std::time::Duration;

use super::moment;
use super::output::Failure;
use super::run::{drive, or_interrupted};
use crate::audience::store::{Lock, Owner, Store};
use crate::error::Error;
use crate::project::Project;

/// Whoever holds the lock longer has left it behind.
const BOUND: Duration = Duration::from_secs(6 * 3600);

/// The store at an address of the command line, which is relative to where the user is.
pub fn at(address: &str) -> Result<Store, Error> {
    Store::open(address, Path::new(""))
}

/// The store at an address, else the project's, if it has one.
pub fn store(address: Option<&str>, project: &Project) -> Result<Option<Store>, Error> {
    match (address, &project.file.store) {
        (Some(address), _) => at(address).map(Some),
        (None, Some(store)) => Store::open(&store.name, &project.root).map(Some),
        (None, None) => Ok(None),
    }
}

/// The store, where nothing can be done without one.
pub fn needed(address: Option<&str>, project: &Project) -> Result<Store, Error> {
    store(address, project)?.ok_or_else(none)
}

/// There is no store.
pub fn none() -> Error {
    Error::usage("the project has no store of results")
        .with_help("name one in `segue.yaml` (`store: published`), or with `--store ADDRESS`")
}

/// Does a verb's work under the lock, and gives the lock back, also where the user interrupts the work.
pub fn locked<T>(
    threads: Option<u16>,
    store: &Store,
    verb: &str,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Failure> {
    drive(threads, async {
        let lock = lock(store, verb).await?;
        let done = or_interrupted(work).await;
        let released = store.release(lock).await;
        let done = done?;
        released.map(|()| done)
    })
}

async fn lock(store: &Store, verb: &str) -> Result<Lock, Error> {
    let now = moment::now();
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned();
    let pid = std::process::id();
    let owner = Owner { verb: verb.to_owned(), host, pid, nonce: format!("{pid}-{now}"), since: now };
    store.lock(&owner, BOUND).await
}
