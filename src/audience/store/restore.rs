//! Back to an earlier version.
//!
//! Owns: what a restore publishes. Promises: nothing is taken away: a restore is a new version with the audiences of an earlier one,
//! and its history says who came back and who went. Must not know: the machine's clock.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use arrow::compute::concat;
use arrow::datatypes::DataType;

use super::changes::{Changes, changes, membership};
use super::manifest::{Count, Draft, EntryKind, FileRef, Kind, Manifest, Table, Tool};
use super::{Chain, Store};
use crate::error::Error;

impl Store {
    /// The customers of an audience of a version, in the order of ids.
    pub async fn customers(&self, file: &FileRef) -> Result<ArrayRef, Error> {
        let rows = self.read(file).await?;
        let columns: Vec<&dyn Array> = rows.iter().filter_map(|r| r.columns().first()).map(AsRef::as_ref).collect();
        concat(&columns).map_err(|e| Error::Engine { message: e.to_string(), help: None })
    }

    /// A draft with the audiences of version `n`, as of an instant (microseconds since 1970); its history is staged. It is to be
    /// published behind the newest version of `chain`.
    pub async fn restored(&self, chain: &Chain, n: u64, as_of: i64, tool: Tool) -> Result<Draft, Error> {
        let then = chain.version(n)?;
        if let Some(by) = chain.vacuumed(n) {
            return Err(Error::usage(format!("the audiences of version {n} are not kept any longer (version {by})"))
                .with_help("`segue log` shows which versions are kept"));
        }
        let now = chain.latest().unwrap_or(then);
        let mut counts = BTreeMap::new();
        let mut segments: Vec<(&str, Changes)> = Vec::new();
        let mut ids: Option<DataType> = None;
        for (name, before, after) in pairs(now, then) {
            let of = async |file: Option<&FileRef>| match file {
                Some(file) => self.customers(file).await.map(Some),
                None => Ok(None),
            };
            let (was, is) = (of(before).await?, of(after).await?);
            let Some(either) = is.as_ref().or(was.as_ref()) else { continue };
            let nobody = either.slice(0, 0);
            ids.get_or_insert_with(|| either.data_type().clone());
            let found = changes(was.as_ref().unwrap_or(&nobody), is.as_ref().unwrap_or(&nobody))?;
            if let Some(is) = &is {
                let outcomes = then.draft.counts.get(name).map(|count| count.outcomes.clone()).unwrap_or_default();
                let (entered, left) = (found.entered.len() as u64, found.left.len() as u64);
                counts.insert(name.to_owned(), Count { members: is.len() as u64, entered, left, outcomes });
            }
            let entry = then.draft.entry(name).or_else(|| now.draft.entry(name));
            if entry.is_some_and(|entry| entry.kind == EntryKind::Segment) {
                segments.push((name, found));
            }
        }
        let mut files = Vec::new();
        for file in then.draft.standing() {
            files.push(self.current(chain, file).await?);
        }
        if let Some(ids) = ids {
            let rows = membership(&ids, as_of, &segments)?;
            if rows.num_rows() > 0 {
                files.push(self.stage(Table::History, "", &[rows]).await?);
            }
        }
        Ok(Draft {
            kind: Kind::Restore,
            as_of,
            tool,
            counts,
            files,
            names: now.draft.names.clone(),
            restored: Some(n),
            decided: Vec::new(),
            vacuumed: Vec::new(),
            replaced: BTreeMap::new(),
            spent: BTreeMap::new(),
            ..then.draft.clone()
        })
    }
}

/// The audiences of two versions side by side, by their names then, or where they have none, by those of now.
fn pairs<'a>(
    now: &'a Arc<Manifest>,
    then: &'a Arc<Manifest>,
) -> Vec<(&'a str, Option<&'a FileRef>, Option<&'a FileRef>)> {
    let renamed =
        |old: &str| now.draft.of(Table::Audience).find(|file| now.draft.names_of(&file.name).any(|name| name == old));
    let mut pairs: Vec<_> = then
        .draft
        .of(Table::Audience)
        .map(|after| {
            (after.name.as_str(), now.draft.audience(&after.name).or_else(|| renamed(&after.name)), Some(after))
        })
        .collect();
    for before in now.draft.of(Table::Audience) {
        if !pairs.iter().any(|(_, taken, _)| taken.is_some_and(|taken| taken.name == before.name)) {
            pairs.push((before.name.as_str(), Some(before), None));
        }
    }
    pairs
}
