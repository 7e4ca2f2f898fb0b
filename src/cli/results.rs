//! Where the verbs about published audiences find them.
//!
//! Owns: which store is meant. The work of each verb is a file below.

/// Which store of results.
#[derive(Debug, Clone, clap::Args)]
#[cfg_attr(not(feature = "engine"), allow(dead_code))]
pub(super) struct Place {
    /// The store of results, a folder or s3://bucket/prefix; otherwise the project's `store`.
    #[arg(long, value_name = "ADDRESS")]
    pub store: Option<String>,
}

#[cfg(feature = "engine")]
pub(super) use engine::{Found, instant};
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
    use super::super::output::{Failure, Out};
    use super::super::{Global, keeper, moment, workspace};
    use super::Place;
    use crate::audience::store::Store;
    use crate::language::calendar::{Clock, Zone};
    use crate::language::catalog::{Catalog, ProjectFile};

    /// A store, and the project that names it, where one does.
    pub struct Found {
        pub store: Store,
        pub project: Option<ProjectFile>,
        /// Of a project in which nothing is wrong.
        pub catalog: Option<Catalog>,
    }

    impl Place {
        /// The store; `None` if the project file has errors, which have been shown. What else is wrong in the project does not matter
        /// to what was published.
        pub fn find(&self, global: &Global, out: &Out) -> Result<Option<Found>, Failure> {
            if let Some(address) = &self.store {
                return Ok(Some(Found { store: keeper::at(address)?, project: None, catalog: None }));
            }
            let project = workspace::load(None, global)?;
            let unread = project.file.name.name.is_empty();
            if unread && workspace::complain(&project.sources, &project.diagnostics, out) {
                return Ok(None);
            }
            let store = keeper::needed(None, &project)?;
            let catalog = Some(project.catalog).filter(|_| project.diagnostics.is_empty());
            Ok(Some(Found { store, project: Some(project.file), catalog }))
        }
    }

    /// An instant in a zone, as in the other verbs.
    pub fn instant(as_of: i64, zone: &str) -> String {
        moment::shown(&Clock { as_of, zone: Zone::new(zone).unwrap_or_else(Zone::utc) })
    }
}
