//! Where the verbs about published audiences find them.
//!
//! Owns: which store is meant, and who takes its lock. The work of each verb is a file below.

/// Which store of results.
#[derive(Debug, Clone, clap::Args)]
#[cfg_attr(not(feature = "engine"), allow(dead_code))]
pub(super) struct Place {
    /// The store of results, a folder or s3://bucket/prefix; otherwise the project's `store`.
    #[arg(long, value_name = "ADDRESS")]
    pub store: Option<String>,
}

#[cfg(feature = "engine")]
pub(super) use engine::{Found, instant, lock};
#[cfg(feature = "engine")]
pub(super) mod log;
#[cfg(feature = "engine")]
pub(super) mod members;
#[cfg(feature = "engine")]
pub(super) mod restore;
#[cfg(feature = "engine")]
pub(super) mod vacuum;

#[cfg(feature = "engine")]
mod engine {
    use std::path::Path;
    use std::time::Duration;

    use super::super::output::{Failure, Out};
    use super::super::{Global, moment, workspace};
    use super::Place;
    use crate::audience::store::{Lock, Owner, Store};
    use crate::error::Error;
    use crate::language::calendar::{Clock, Zone};
    use crate::language::catalog::ProjectFile;

    /// A lock that is older than this was left behind.
    const LEFT_BEHIND: Duration = Duration::from_secs(6 * 3_600);

    /// A store, and the project that names it, where one does.
    pub struct Found {
        pub store: Store,
        pub project: Option<ProjectFile>,
    }

    impl Place {
        /// The store; `None` if the project has errors, which have been shown.
        pub fn find(&self, global: &Global, out: &Out) -> Result<Option<Found>, Failure> {
            if let Some(address) = &self.store {
                return Ok(Some(Found { store: Store::open(address, Path::new(""))?, project: None }));
            }
            let project = workspace::load(None, global)?;
            let Some(store) = &project.file.store else {
                // Where the project file can't be read, that is why nothing stands there.
                if project.file.name.name.is_empty() && workspace::complain(&project.sources, &project.diagnostics, out)
                {
                    return Ok(None);
                }
                return Err(Error::usage("the project keeps no results: its segue.yaml names no `store`")
                    .with_help("write `store: published` there, or name a store: `--store ADDRESS`")
                    .into());
            };
            let store = Store::open(&store.name, &project.root)?;
            Ok(Some(Found { store, project: Some(project.file) }))
        }
    }

    /// An instant in a zone, as in the other verbs.
    pub fn instant(as_of: i64, zone: &str) -> String {
        moment::shown(&Clock { as_of, zone: Zone::new(zone).unwrap_or_else(Zone::utc) })
    }

    /// Takes the store's lock for a verb of this process.
    pub async fn lock(store: &Store, verb: &str) -> Result<Lock, Error> {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
        let host = host.or_else(|| std::env::var("HOSTNAME").ok());
        let (pid, since) = (std::process::id(), moment::now());
        let owner = Owner {
            verb: verb.to_owned(),
            host: host.as_deref().map_or("this machine", str::trim).to_owned(),
            pid,
            nonce: format!("{pid}-{since}"),
            since,
        };
        store.lock(&owner, LEFT_BEHIND).await
    }
}
