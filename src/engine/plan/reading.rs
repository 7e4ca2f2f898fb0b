//! What a plan is going to read.
//!
//! Owns: adding up what the branches ask of the tables. Promises: footers and folders tell, nothing is opened. Must not know: how
//! the plan is made.

use super::lower::{Lowered, Parts, Table};
use crate::engine::tables::Tables;
use crate::engine::tables::prune::{Asked, Reading};
use crate::language::catalog::Catalog;

/// What each branch of a source reads, and what it leaves; footers tell.
pub fn readings(catalog: &Catalog, tables: &Tables, parts: &Parts) -> Vec<Reading> {
    let of = |lowered: &Lowered| {
        let Table::Source(s) = lowered.table else { return None };
        let source = catalog.sources.get(s as usize)?;
        let inputs = tables.sources.get(s as usize)?.as_ref()?.inputs.as_ref()?;
        Some(inputs.asked(&Asked { source, lowered }, None, None).1)
    };
    parts.branches.iter().filter_map(of).collect()
}

/// Rows, bytes and files that all branches read, as far as footers tell.
pub fn to_read(catalog: &Catalog, tables: &Tables, parts: &Parts) -> (u64, u64, usize) {
    let (mut rows, mut bytes, mut files) = (0u64, 0u64, 0usize);
    for reading in readings(catalog, tables, parts) {
        rows = rows.saturating_add(reading.rows.read);
        bytes = bytes.saturating_add(reading.bytes.read);
        files = files.saturating_add(usize::try_from(reading.files.read).unwrap_or(usize::MAX));
    }
    // What has no footers to ask is read whole.
    for lowered in &parts.branches {
        let opened = match lowered.table {
            Table::Source(s) => tables.sources.get(s as usize).and_then(Option::as_ref).filter(|t| t.inputs.is_none()),
            Table::Profile => tables.profile.as_ref(),
            Table::List(l) => tables.lists.get(l as usize).and_then(Option::as_ref),
        };
        if let Some(opened) = opened {
            rows = rows.saturating_add(opened.rows);
            bytes = bytes.saturating_add(opened.bytes);
            files = files.saturating_add(opened.files);
        }
    }
    (rows, bytes, files)
}
