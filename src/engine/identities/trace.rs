//! How one id was resolved.
//!
//! Owns: the report on one id. Promises: as `audit`. Must not know: how it is printed.

use std::path::Path;

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;

use super::audit::{self, Lead, Looked, Several};
use super::ids::Id;
use super::read::{links, odd, stream};
use super::resolve::Resolution;
use crate::engine::plan::build;
use crate::engine::run::{Limits, blame, translate};
use crate::error::Error;
use crate::language::catalog::{Catalog, Conflicts};

/// One id, and what links make of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    pub id: String,
    /// Who it is.
    pub customer: String,
    /// The links that were followed.
    pub steps: Vec<Step>,
    /// The step's links lead to two customers, and the catalog calls that an error.
    pub in_doubt: bool,
    /// All ids of that customer, himself included, smallest first.
    pub same: Several<String>,
    /// Where the id itself is, with its rows: sources, profiles, lists.
    pub places: Vec<(String, u64)>,
}

/// A link that was followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub from: String,
    pub lead: Lead,
    /// The other links of the same id, which were not followed.
    pub others: Several<Lead>,
}

/// Tells how an id was resolved, naming at most `first` ids of the same customer. An id that is nowhere is an error.
pub async fn trace(catalog: &Catalog, root: &Path, limits: Limits, id: &str, first: usize) -> Result<Trace, Error> {
    let looked = audit::open(catalog, root, limits).await?;
    match look(&looked, catalog, id, first).await {
        Ok(trace) => Ok(trace),
        Err(error) => Err(blame(&looked.context, &looked.tables, error).await),
    }
}

async fn look(looked: &Looked<'_>, catalog: &Catalog, id: &str, first: usize) -> Result<Trace, Error> {
    let Looked { identities, tables, context } = looked;
    let nowhere = || {
        Error::usage(format!("no link, no event, no profile and no list has the id `{id}`"))
            .with_help("ids are compared as the files have them, letter by letter")
    };
    let number = id.parse::<i64>().ok().filter(|n| n.to_string() == id);
    let wanted = match (tables.number_ids, number) {
        (true, Some(n)) => Id::Number(n),
        (true, None) => return Err(nowhere()),
        (false, _) => Id::Text(id),
    };
    let held = links(context, identities, tables, false, catalog).await?;
    let resolution = held.resolution.as_ref();
    let mut places = Vec::new();
    for column in audit::columns(catalog, tables) {
        let plan = build::rows_of(&column.column, &column.of, column.opened, wanted).map_err(|e| translate(&e))?;
        let rows = stream(context, plan, 0i64, |rows, columns| {
            let counts = columns.first().and_then(|c| c.as_primitive_opt::<Int64Type>()).ok_or_else(odd)?;
            *rows += counts.values().iter().sum::<i64>();
            Ok(())
        });
        let rows = u64::try_from(rows.await?).unwrap_or(0);
        if rows > 0 {
            places.push((column.of, rows));
        }
    }
    let Some(at) = resolution.ids.find(wanted) else {
        if places.is_empty() {
            return Err(nowhere());
        }
        let same = Several { count: 1, first: vec![id.to_owned()] };
        return Ok(Trace { id: id.into(), customer: id.into(), steps: Vec::new(), in_doubt: false, same, places });
    };
    let (steps, in_doubt) = steps(resolution, at, first);
    let end = resolution.end(at);
    let same = |other: &u32| resolution.end(*other) == end;
    Ok(Trace {
        id: id.into(),
        customer: resolution.ids.shown(end),
        steps,
        in_doubt,
        same: Several {
            count: resolution.all().filter(same).count() as u64,
            first: resolution.all().filter(same).take(first).map(|id| resolution.ids.shown(id)).collect(),
        },
        places,
    })
}

fn steps(resolution: &Resolution, mut at: u32, most: usize) -> (Vec<Step>, bool) {
    let (mut steps, mut in_doubt) = (Vec::new(), false);
    while let Some(link) = resolution.chosen(at) {
        in_doubt |= resolution.policy == Conflicts::Error && resolution.conflicts.binary_search(&at).is_ok();
        let others = || resolution.links_of(at).iter().filter(|other| *other != link);
        steps.push(Step {
            from: resolution.ids.shown(at),
            lead: audit::lead(resolution, link),
            others: Several {
                count: others().count() as u64,
                first: others().take(most).map(|link| audit::lead(resolution, link)).collect(),
            },
        });
        at = link.to;
    }
    (steps, in_doubt)
}
