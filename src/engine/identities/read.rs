//! Link tables to a resolution.
//!
//! Owns: reading them, and what is said of loops and conflicts. Promises: what is held is counted against the memory limit.
//! Must not know: rules.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::Int64Type;
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::SessionContext;
use futures::StreamExt;

use super::ids::{Gathered, Id, Ids};
use super::resolve::{Link, Resolution, Stuck, resolve};
use super::{TableReport, audit};
use crate::engine::plan::build;
use crate::engine::run::{caught, translate};
use crate::engine::tables::Tables;
use crate::error::Error;
use crate::language::catalog::{Catalog, Conflicts, Identities, Unknown};

/// A resolution, with the memory that it is counted for.
#[derive(Debug)]
pub struct Held {
    pub resolution: Arc<Resolution>,
    memory: MemoryReservation,
}

impl Held {
    /// How many bytes are counted.
    pub fn bytes(&self) -> usize {
        self.memory.size()
    }
}

/// The resolution of a run; `None` where the catalog names no links. An id in conflict is an error if the catalog says so.
pub async fn read(context: &SessionContext, catalog: &Catalog, tables: &Tables) -> Result<Option<Held>, Error> {
    let Some(identities) = &catalog.identities else { return Ok(None) };
    let held = links(context, identities, tables, identities.unknown == Unknown::Drop, catalog).await?;
    if identities.conflicts == Conflicts::Error
        && let Some(&id) = held.resolution.conflicts.first()
    {
        return Err(conflict(&held.resolution, id));
    }
    Ok(Some(held))
}

/// Reads the links, and the ids of profiles if they are wanted. Conflicts are no error here.
pub(super) async fn links(
    context: &SessionContext,
    identities: &Identities,
    tables: &Tables,
    profiles: bool,
    catalog: &Catalog,
) -> Result<Held, Error> {
    let memory = MemoryConsumer::new("identities").register(&context.runtime_env().memory_pool);
    let mut gathering = Gathering { ids: Gathered::default(), links: Vec::new(), tables: Vec::new(), memory };
    for (at, (table, opened)) in identities.links.iter().zip(&tables.links).enumerate() {
        let plan = build::links(table, opened, tables.number_ids).map_err(|e| translate(&e))?;
        let report = TableReport { name: table.name.name.clone(), files: opened.files, ..TableReport::default() };
        gathering.tables.push(report);
        let table = u32::try_from(at).unwrap_or(u32::MAX);
        gathering = stream(context, plan, gathering, move |gathering, batch| gathering.take(table, batch)).await?;
    }
    let Gathering { ids, mut links, tables: reports, mut memory } = gathering;
    let (ids, places) = ids.finish();
    let place = |id: u32| places.get(id as usize).copied().unwrap_or(id);
    for link in &mut links {
        (link.from, link.to) = (place(link.from), place(link.to));
    }
    let mut resolution = resolve(ids, links, identities.conflicts).map_err(|told| round(&told.0, &told.1, &reports))?;
    resolution.tables = reports;
    if profiles {
        (resolution.profiles, memory) = profile_ids(context, catalog, tables, memory).await?;
    }
    memory.try_resize(resolution.bytes()).map_err(|e| translate(&e))?;
    Ok(Held { resolution: Arc::new(resolution), memory })
}

/// The ids of the profiles.
async fn profile_ids(
    context: &SessionContext,
    catalog: &Catalog,
    tables: &Tables,
    memory: MemoryReservation,
) -> Result<(Option<Ids>, MemoryReservation), Error> {
    let (Some(profile), Some(opened)) = (&catalog.profile, &tables.profile) else { return Ok((None, memory)) };
    let plan = build::occurrences(&profile.customer, "the profiles", opened, tables.number_ids);
    let plan = plan.map_err(|e| translate(&e))?;
    let gathering = (Gathered::default(), memory);
    let (ids, memory) = stream(context, plan, gathering, |(ids, memory), columns| {
        let [column, _] = columns else { return Err(odd()) };
        for row in 0..column.len() {
            add(ids, id_at(column, row))?;
        }
        // Beside what is held already, which the next resize counts again.
        memory.try_grow(column.get_array_memory_size())
    })
    .await?;
    Ok((Some(ids.finish().0), memory))
}

/// Runs a plan and shows its batches to somebody who gathers.
pub(super) async fn stream<T: Send + 'static>(
    context: &SessionContext,
    plan: LogicalPlan,
    mut gathering: T,
    mut take: impl FnMut(&mut T, &[ArrayRef]) -> Result<(), DataFusionError> + Send + 'static,
) -> Result<T, Error> {
    let frame = context.execute_logical_plan(plan).await.map_err(|e| translate(&e))?;
    caught(async move {
        let mut batches = frame.execute_stream().await?;
        while let Some(batch) = batches.next().await {
            take(&mut gathering, batch?.columns())?;
        }
        Ok(gathering)
    })
    .await
}

struct Gathering {
    ids: Gathered,
    links: Vec<Link>,
    tables: Vec<TableReport>,
    memory: MemoryReservation,
}

impl Gathering {
    fn take(&mut self, table: u32, columns: &[ArrayRef]) -> Result<(), DataFusionError> {
        let [from, to, time] = columns else { return Err(odd()) };
        let times = time.as_primitive_opt::<Int64Type>().ok_or_else(odd)?;
        let report = self.tables.get_mut(table as usize).ok_or_else(odd)?;
        report.rows += from.len() as u64;
        for row in 0..from.len() {
            let (Some(a), Some(b)) = (id_at(from, row), id_at(to, row)) else {
                report.incomplete += 1;
                continue;
            };
            let from = add(&mut self.ids, Some(a))?.ok_or_else(odd)?;
            let to = add(&mut self.ids, Some(b))?.ok_or_else(odd)?;
            self.links.push(Link { from, to, table, time: times.is_valid(row).then(|| times.value(row)) });
        }
        self.memory.try_resize(self.ids.bytes() + self.links.len() * std::mem::size_of::<Link>())
    }
}

/// The id in a row of a column of ids.
pub(super) fn id_at(column: &ArrayRef, row: usize) -> Option<Id<'_>> {
    if !column.is_valid(row) {
        return None;
    }
    match column.as_primitive_opt::<Int64Type>() {
        Some(ids) => Some(Id::Number(ids.value(row))),
        None => column.as_string_view_opt().map(|ids| Id::Text(ids.value(row))),
    }
}

pub(super) fn add(ids: &mut Gathered, id: Option<Id<'_>>) -> Result<Option<u32>, DataFusionError> {
    let Some(id) = id else { return Ok(None) };
    let many = || DataFusionError::External(Box::new(Error::data("there are more than 4 billion ids")));
    ids.add(id).ok_or_else(many).map(Some)
}

pub(super) fn odd() -> DataFusionError {
    DataFusionError::Internal("the links have other columns than planned".into())
}

/// So many links of a loop are shown.
const SHOWN: usize = 12;

fn round(ids: &Ids, stuck: &Stuck, tables: &[TableReport]) -> Error {
    let shown = |id: u32| format!("`{}`", ids.shown(id));
    let mut way: Vec<String> = stuck.links.iter().take(SHOWN).map(|link| shown(link.from)).collect();
    if stuck.links.len() > SHOWN {
        way.push(format!("({} more)", stuck.links.len() - SHOWN));
    }
    way.extend(stuck.links.first().map(|link| shown(link.from)));
    let table = |link: &Link| tables.get(link.table as usize).map_or("", |table| table.name.as_str());
    let places: Vec<String> = stuck
        .links
        .iter()
        .take(SHOWN)
        .map(|link| format!("{} → {} is in `{}`", shown(link.from), shown(link.to), table(link)))
        .collect();
    Error::data(format!("the identity links go in a loop: {}", way.join(" → ")))
        .with_help(format!("a chain of links ends at a customer; take one of these out: {}", places.join(", ")))
}

fn conflict(resolution: &Resolution, id: u32) -> Error {
    let conflict = audit::conflict(resolution, id, SHOWN);
    let leads: Vec<String> =
        conflict.leads.first.iter().map(|lead| format!("`{}` (by `{}`)", lead.customer, lead.table)).collect();
    let count = resolution.conflicts.len();
    let others = if count > 1 { format!(", as {count} ids do") } else { String::new() };
    let all = conflict.leads.count;
    let more = if all > leads.len() as u64 { ", …" } else { "" };
    Error::data(format!("the id `{}` leads to {all} customers{others}: {}{more}", conflict.id, leads.join(", ")))
        .with_help(
            "correct the links, or say in the catalog which of them counts: `conflicts: earliest` or `conflicts: latest`; `segue identities` shows all",
        )
}
