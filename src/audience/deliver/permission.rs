//! Looking once more whether rows may go where they go.
//!
//! Owns: which columns are personal, and which channels may have them. Promises: what was compiled into the decisions is not taken for
//! granted: without permission nothing is delivered.

use std::collections::HashSet;

use arrow::array::{Array, AsArray};
use arrow::datatypes::DataType;

use super::Request;
use super::rows::Rows;
use crate::audience::store::PII;
use crate::error::Error;
use crate::language::catalog::Catalog;

/// Looks once more whether the rows may go by their channels.
pub(super) fn permitted(request: &Request<'_>, rows: &Rows) -> Result<(), Error> {
    let Request { audience, catalog, payload, .. } = *request;
    let refused = |message: String, help: &str| Err(Error::Refused { message, help: Some(help.to_owned()) });
    let Some(channels) = rows.batch.column_by_name("channel").filter(|c| c.data_type() == &DataType::Utf8) else {
        return Ok(());
    };
    let personal: Vec<&str> = rows
        .batch
        .schema_ref()
        .fields()
        .iter()
        .filter(|field| {
            let said = payload.iter().find(|(name, _)| name == field.name()).map(|(_, pii)| *pii);
            // As it was when it was published; what the rules and the catalog's names say now counts, too.
            let marked = field.metadata().contains_key(PII);
            marked || said.unwrap_or_else(|| catalog_says(catalog, field.name()))
        })
        .map(|field| field.name().as_str())
        .collect();
    let mut seen: HashSet<&str> = HashSet::new();
    for channel in channels.as_string::<i32>() {
        let Some(channel) = channel else {
            return refused(
                format!("audience `{audience}` has customers whom no channel reaches"),
                "give the action a channel: `by email`, or `channel:` beside the action in the catalog",
            );
        };
        if !seen.insert(channel) {
            continue;
        }
        let Some(known) = catalog.channels.iter().find(|c| c.name.name == channel) else {
            return refused(
                format!("audience `{audience}` goes by `{channel}`, and the catalog has no such channel"),
                "declare it in the catalog, or publish a new version with `segue run`",
            );
        };
        if let Some(column) = personal.first().filter(|_| !known.pii) {
            return refused(
                format!("`{column}` of audience `{audience}` is personal, and channel `{channel}` may not have that"),
                "take it out of `with`, or write `pii: true` beside the channel in the catalog",
            );
        }
    }
    Ok(())
}

fn catalog_says(catalog: &Catalog, name: &str) -> bool {
    catalog.attributes().iter().any(|a| a.pii && a.name.name == name)
        || catalog.events.iter().flat_map(|e| &e.properties).any(|p| p.pii && p.name.name == name)
}
