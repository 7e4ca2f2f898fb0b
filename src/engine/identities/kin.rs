//! All ids of some customers.
//!
//! Owns: which ids are one customer, asked by any of them. Promises: only links are read; where the catalog names none, an id is alone.
//! Must not know: rules, why it is asked.

use std::path::Path;

use super::audit;
use super::ids::Id;
use super::read::links;
use crate::engine::run::Limits;
use crate::error::Error;
use crate::language::catalog::{Catalog, Conflicts};

/// A customer, by one of his ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kin {
    /// The id that was asked for.
    pub asked: String,
    /// Who it is.
    pub customer: String,
    /// All his ids, himself and the one that was asked for included; each once, in order.
    pub ids: Vec<String>,
}

impl Kin {
    fn of(asked: &str, customer: String, mut ids: Vec<String>) -> Kin {
        ids.extend([asked.to_owned(), customer.clone()]);
        ids.sort();
        ids.dedup();
        Kin { asked: asked.to_owned(), customer, ids }
    }
}

/// The customers of these ids, in the same order. An id that is nowhere is a customer of its own; one that leads to several, where the
/// catalog calls that an error, is an error.
pub async fn kin(catalog: &Catalog, root: &Path, limits: Limits, ids: &[String]) -> Result<Vec<Kin>, Error> {
    if catalog.identities.is_none() {
        return Ok(ids.iter().map(|id| Kin::of(id, id.clone(), Vec::new())).collect());
    }
    let looked = audit::open(catalog, root, limits).await?;
    let held = links(&looked.context, looked.identities, &looked.tables, false, catalog).await?;
    let resolution = held.resolution.as_ref();
    let numbers = looked.tables.number_ids;
    let mut all = Vec::new();
    for asked in ids {
        let number = asked.parse::<i64>().ok().filter(|n| n.to_string() == *asked);
        let id = match (numbers, number) {
            (true, Some(number)) => Some(Id::Number(number)),
            (true, None) => None,
            (false, _) => Some(Id::Text(asked)),
        };
        let Some(at) = id.and_then(|id| resolution.ids.find(id)) else {
            all.push(Kin::of(asked, asked.clone(), Vec::new()));
            continue;
        };
        if resolution.policy == Conflicts::Error && resolution.conflicts.binary_search(&at).is_ok() {
            return Err(Error::data(format!("the id `{asked}` leads to several customers")).with_help(
                "correct the links, or name the customer's own id; `segue identities ID` shows where it leads",
            ));
        }
        let end = resolution.end(at);
        let same = resolution.all().filter(|&id| resolution.end(id) == end).map(|id| resolution.ids.shown(id));
        all.push(Kin::of(asked, resolution.ids.shown(end), same.collect()));
    }
    Ok(all)
}
