//! What the links make of the ids: merges, conflicts, orphans.
//!
//! Owns: the report on all ids. Promises: the same for any order of rows; lists are cut to what was asked for, counts are whole.
//! Must not know: how it is printed, rules, instants: links count for the whole history.

use std::path::Path;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::Int64Type;
use datafusion::error::DataFusionError;
use datafusion::prelude::SessionContext;

use super::LinkReport;
use super::ids::{Gathered, Ids};
use super::read::{add, id_at, links, odd, stream};
use super::resolve::Resolution;
use crate::engine::plan::build;
use crate::engine::run::{Limits, Spills, blame, session, translate};
use crate::engine::tables::{self, Opened, Tables};
use crate::error::Error;
use crate::language::catalog::{Catalog, Conflicts, Identities};

/// All ids, and what links make of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    pub links: LinkReport,
    pub policy: Conflicts,
    /// Customers made of several ids: most ids first, then the smaller customer.
    pub merges: Several<Merged>,
    /// How many ids lead to their customer over so many links, from 1 upwards.
    pub chains: Vec<(u32, u64)>,
    /// Ids that lead to several customers, smallest first.
    pub conflicts: Several<Conflict>,
    /// Ids of events that no link and no profile knows, with their rows.
    pub orphans: Several<(String, u64)>,
    /// Rows of events with such an id.
    pub orphan_rows: u64,
    /// Ids that links lead from and that no event, profile or list has.
    pub idle: Several<String>,
}

/// How many there are, and the first of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Several<T> {
    pub count: u64,
    pub first: Vec<T>,
}

/// A customer made of several ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    pub customer: String,
    /// His own included.
    pub ids: u64,
}

/// An id that leads to several customers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    pub id: String,
    /// Who won; `None` where the catalog calls it an error.
    pub customer: Option<String>,
    /// The customers that its links lead to, the winner first, each once.
    pub leads: Several<Lead>,
}

/// Where a link leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lead {
    /// The end of the chain.
    pub customer: String,
    /// The next id on the way.
    pub to: String,
    /// The name of the link table.
    pub table: String,
    /// Microseconds.
    pub time: Option<i64>,
}

/// Reports on all ids of a project, naming at most `first` of each kind.
pub async fn audit(catalog: &Catalog, root: &Path, limits: Limits, first: usize) -> Result<Audit, Error> {
    let opened = open(catalog, root, limits).await?;
    match look(&opened, catalog, first).await {
        Ok(audit) => Ok(audit),
        Err(error) => Err(blame(&opened.context, &opened.tables, error).await),
    }
}

/// A project whose ids are looked at.
pub(super) struct Looked<'a> {
    pub identities: &'a Identities,
    pub tables: Tables,
    pub context: SessionContext,
}

pub(super) async fn open<'a>(catalog: &'a Catalog, root: &Path, limits: Limits) -> Result<Looked<'a>, Error> {
    let Some(identities) = &catalog.identities else {
        return Err(Error::usage("the catalog names no identity links")
            .with_help("add `identities:` with its link tables to the catalog; `segue schema catalog` says how"));
    };
    let tables = tables::open(catalog, root).await?;
    let context = session(&tables, limits, Spills::Yes)?;
    Ok(Looked { identities, tables, context })
}

/// A column of ids: what it is of, where it is.
pub(super) struct Column<'a> {
    pub of: String,
    pub column: String,
    pub opened: &'a Opened,
    pub events: bool,
}

/// Every column of customers' ids, in the order of the catalog.
pub(super) fn columns<'a>(catalog: &Catalog, tables: &'a Tables) -> Vec<Column<'a>> {
    let mut out = Vec::new();
    for (source, opened) in catalog.sources.iter().zip(&tables.sources) {
        let of = format!("source `{}`", source.name.name);
        out.extend(opened.as_ref().map(|opened| Column { of, column: source.customer.clone(), opened, events: true }));
    }
    if let (Some(profile), Some(opened)) = (&catalog.profile, &tables.profile) {
        out.push(Column { of: "the profiles".into(), column: profile.customer.clone(), opened, events: false });
    }
    for (list, opened) in catalog.lists.iter().zip(&tables.lists) {
        let of = format!("list `{}`", list.name.name);
        out.extend(opened.as_ref().map(|opened| {
            let column = opened.schema.fields().first().map_or("id", |f| f.name().as_str()).to_owned();
            Column { of, column, opened, events: false }
        }));
    }
    out
}

async fn look(looked: &Looked<'_>, catalog: &Catalog, first: usize) -> Result<Audit, Error> {
    let Looked { identities, tables, context } = looked;
    let held = links(context, identities, tables, true, catalog).await?;
    let resolution = std::sync::Arc::clone(&held.resolution);
    let mut seen = Seen { occurs: vec![false; resolution.ids.len()], orphans: Gathered::default(), rows: Vec::new() };
    for column in columns(catalog, tables) {
        let plan = build::occurrences(&column.column, &column.of, column.opened, tables.number_ids);
        let (known, events) = (std::sync::Arc::clone(&resolution), column.events);
        let take = move |seen: &mut Seen, columns: &[ArrayRef]| seen.take(&known, events, columns);
        seen = stream(context, plan.map_err(|e| translate(&e))?, seen, take).await?;
    }
    let orphan_rows = seen.rows.iter().sum();
    let (orphans, places) = seen.orphans.finish();
    let mut rows = vec![0; orphans.len()];
    for (old, count) in seen.rows.iter().enumerate() {
        if let Some(place) = places.get(old).and_then(|&new| rows.get_mut(new as usize)) {
            *place = *count;
        }
    }
    let orphan = |at: u32| (orphans.shown(at), rows.get(at as usize).copied().unwrap_or(0));
    let idle = |&id: &u32| resolution.chosen(id).is_some() && !seen.occurs.get(id as usize).copied().unwrap_or(false);
    Ok(Audit {
        links: resolution.report(),
        policy: identities.conflicts,
        merges: merges(&resolution, first),
        chains: chains(&resolution),
        conflicts: Several {
            count: resolution.conflicts.len() as u64,
            first: resolution.conflicts.iter().take(first).map(|&id| conflict(&resolution, id, first)).collect(),
        },
        orphans: Several {
            count: orphans.len() as u64,
            first: (0u32..).take(orphans.len().min(first)).map(orphan).collect(),
        },
        orphan_rows,
        idle: Several {
            count: resolution.all().filter(idle).count() as u64,
            first: resolution.all().filter(idle).take(first).map(|id| resolution.ids.shown(id)).collect(),
        },
    })
}

/// What was seen in sources, profiles and lists.
struct Seen {
    /// For each id of the links whether it is anywhere else.
    occurs: Vec<bool>,
    orphans: Gathered,
    /// Rows of each orphan, in the order in which they came.
    rows: Vec<u64>,
}

impl Seen {
    fn take(&mut self, known: &Resolution, events: bool, columns: &[ArrayRef]) -> Result<(), DataFusionError> {
        let [ids, counts] = columns else { return Err(odd()) };
        let counts = counts.as_primitive_opt::<Int64Type>().ok_or_else(odd)?;
        for row in 0..ids.len() {
            let Some(id) = id_at(ids, row) else { continue };
            if let Some(at) = known.ids.find(id) {
                if let Some(occurs) = self.occurs.get_mut(at as usize) {
                    *occurs = true;
                }
            } else if events && known.profiles.as_ref().and_then(|profiles: &Ids| profiles.find(id)).is_none() {
                let at = add(&mut self.orphans, Some(id))?.ok_or_else(odd)? as usize;
                if self.rows.len() <= at {
                    self.rows.resize(at + 1, 0);
                }
                if let Some(rows) = self.rows.get_mut(at) {
                    *rows += u64::try_from(counts.value(row)).unwrap_or(0);
                }
            }
        }
        Ok(())
    }
}

fn merges(resolution: &Resolution, first: usize) -> Several<Merged> {
    let mut ids = vec![0u64; resolution.ids.len()];
    for id in resolution.all() {
        if let Some(count) = ids.get_mut(resolution.end(id) as usize) {
            *count += 1;
        }
    }
    let mut merged: Vec<(u32, u64)> = (0u32..).zip(ids).filter(|(_, count)| *count > 1).collect();
    merged.sort_unstable_by_key(|&(customer, count)| (std::cmp::Reverse(count), customer));
    let shown = |&(customer, ids): &(u32, u64)| Merged { customer: resolution.ids.shown(customer), ids };
    Several { count: merged.len() as u64, first: merged.iter().take(first).map(shown).collect() }
}

fn chains(resolution: &Resolution) -> Vec<(u32, u64)> {
    let mut lengths = std::collections::BTreeMap::new();
    for id in resolution.all() {
        let steps = resolution.steps(id);
        if steps > 0 {
            *lengths.entry(steps).or_insert(0) += 1;
        }
    }
    lengths.into_iter().collect()
}

/// The customers that an id leads to, two of them at least and so many at most.
pub(super) fn conflict(resolution: &Resolution, id: u32, most: usize) -> Conflict {
    let winner = resolution.end(id);
    let mut seen = std::collections::HashSet::new();
    let mut leads = Several { count: 0, first: Vec::new() };
    for link in resolution.chosen(id).into_iter().chain(resolution.links_of(id)) {
        if seen.insert(resolution.end(link.to)) {
            leads.count += 1;
            if leads.first.len() < most.max(2) {
                leads.first.push(lead(resolution, link));
            }
        }
    }
    Conflict {
        id: resolution.ids.shown(id),
        customer: (resolution.policy != Conflicts::Error).then(|| resolution.ids.shown(winner)),
        leads,
    }
}

pub(super) fn lead(resolution: &Resolution, link: &super::Link) -> Lead {
    Lead {
        customer: resolution.ids.shown(resolution.end(link.to)),
        to: resolution.ids.shown(link.to),
        table: resolution.table(link).to_owned(),
        time: link.time,
    }
}
