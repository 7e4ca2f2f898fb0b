//! One customer across channels: raw ids become customers before anything else is evaluated.
//!
//! Owns: the links of the catalog's link tables, followed to their ends, and what there is to say about them.
//! Promises: the same for any order of rows and files; a loop is an error that shows it. Must not know: rules.
//!
//! `ids` holds them, `resolve` follows links, `read` gets them out of files, `audit` reports on all of them, `trace` on one,
//! `kin` tells whose they are.

mod audit;

mod ids;

mod kin;

mod read;

mod resolve;

mod trace;

pub use audit::{Audit, Conflict, Lead, Merged, Several, audit};
pub use ids::{Gathered, Id, Ids};
pub use kin::{Kin, kin};
pub use read::{Held, read};
pub use resolve::{Link, Resolution, Stuck, resolve};
pub use trace::{Step, Trace, trace};

/// What the links of a run are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LinkReport {
    /// The link tables, in the order of the catalog.
    pub tables: Vec<TableReport>,
    /// Ids that lead to a customer of another id.
    pub linked: u64,
    /// Customers that they lead to.
    pub customers: u64,
    /// Ids that lead to two customers or more.
    pub conflicts: u64,
}

/// The rows of one link table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableReport {
    pub name: String,
    pub rows: u64,
    /// Left out: without the one id or the other.
    pub incomplete: u64,
    pub files: usize,
}
