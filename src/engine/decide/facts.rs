//! What is known of a run before it begins.
//!
//! Owns: what catalog, tables and the lowered program say of the rows that a run reads. Promises: footers only, nothing is read.
//! Must not know: what is decided of it.

use crate::engine::bucket::Share;
use crate::engine::plan::lower::{Parts, Table};
use crate::engine::plan::reading;
use crate::engine::tables::layout::Ids;
use crate::engine::tables::{Opened, Tables};
use crate::language::catalog::{Catalog, SourceTable};

/// What a run reads.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The sources, each once.
    pub sources: Vec<Source>,
    /// Rows of all tables that are asked for.
    pub asked: u64,
    /// Rows of the sources, asked for or not.
    pub rows: u64,
    /// Rows of all other tables, which every pass reads.
    pub others: u64,
}

/// A source that is read.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its place in the catalog.
    pub place: u32,
    pub name: String,
    /// The buckets of its files, or why nothing is known of them.
    pub buckets: Result<Vec<Share>, Scattered>,
}

/// Why a customer's rows may be in any file of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scattered {
    /// No file says anything.
    Plain,
    /// Some files say something, but not that all together are one store that this version knows.
    Mixed,
    /// It is compacted by another column than the customer's.
    Column(String),
    /// It is compacted by ids of another form.
    Ids,
    /// Links lead from one bucket to another.
    Linked,
}

impl Facts {
    /// `linked` says that ids lead to customers of other ids.
    pub fn new(catalog: &Catalog, tables: &Tables, parts: &Parts, linked: bool) -> Facts {
        let mut facts = Facts { asked: reading::to_read(catalog, tables, parts).0, ..Facts::default() };
        let rows = |table: Option<&Opened>| table.map_or(0, |t| t.rows);
        for branch in &parts.branches {
            match branch.table {
                Table::Profile => facts.others += rows(tables.profile.as_ref()),
                Table::List(l) => facts.others += rows(tables.lists.get(l as usize).and_then(Option::as_ref)),
                Table::Source(s) => {
                    let opened = tables.sources.get(s as usize).and_then(Option::as_ref);
                    let (Some(source), Some(opened)) = (catalog.sources.get(s as usize), opened) else { continue };
                    if catalog.history.is_some_and(|history| history.0 == s) {
                        // Small beside what customers do, and read by every pass.
                        facts.others += opened.rows;
                        continue;
                    }
                    if facts.sources.iter().any(|known| known.place == s) {
                        continue;
                    }
                    facts.rows += opened.rows;
                    let buckets = buckets(source, opened, Ids::new(tables.number_ids), linked);
                    facts.sources.push(Source { place: s, name: source.name.name.clone(), buckets });
                }
            }
        }
        for lookup in parts.lookups() {
            facts.others += rows(tables.lookups.get(lookup.index()).and_then(Option::as_ref));
        }
        facts
    }
}

fn buckets(source: &SourceTable, opened: &Opened, ids: Ids, linked: bool) -> Result<Vec<Share>, Scattered> {
    let Some(clustered) = &opened.clustered else {
        let declared = opened.inputs.as_ref().is_some_and(|inputs| inputs.any_declared());
        return Err(if declared { Scattered::Mixed } else { Scattered::Plain });
    };
    if linked {
        Err(Scattered::Linked)
    } else if clustered.customer != source.customer {
        Err(Scattered::Column(clustered.customer.clone()))
    } else if clustered.ids != ids {
        Err(Scattered::Ids)
    } else {
        Ok(clustered.shares.clone())
    }
}
