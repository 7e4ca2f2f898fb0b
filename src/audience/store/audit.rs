//! Whether a draft may be published.
//!
//! Owns: the audits and their report. Promises: all findings in one go; a draft with a finding is not published, and its report
//! stays. Must not know: how audiences came about.

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::datatypes::Int64Type;
use object_store::path::Path as Key;
use object_store::{ObjectStore, PutMode, PutOptions};
use serde::Serialize;

use super::manifest::{Draft, EntryKind};
use super::{Store, sha256};
use crate::error::Error;
use crate::language::catalog::Audits;
use crate::language::num::{Arithmetic, Num};

/// An audience that is to be published.
#[derive(Debug, Clone, Copy)]
pub struct Audience<'a> {
    pub name: &'a str,
    /// The rows of its file; the first column is the customer.
    pub rows: &'a [RecordBatch],
    /// Of a campaign, one value a row: whether the customer may be contacted as the row says. Rows of a holdout are no contacts.
    pub consented: Option<&'a BooleanArray>,
}

/// What is wrong with an audience.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub audience: String,
    /// `change`, `duplicate`, `schema` or `consent`.
    pub audit: &'static str,
    pub message: String,
}

/// Everything that speaks against a draft. `previous` is the version that it is compared with.
pub fn audit(
    previous: Option<&Draft>,
    draft: &Draft,
    audiences: &[Audience<'_>],
    audits: &Audits,
) -> Result<Vec<Finding>, Error> {
    let mut findings = Vec::new();
    for audience in audiences {
        let mut tell = |audit: &'static str, message: String| {
            findings.push(Finding { audience: audience.name.to_owned(), audit, message });
        };
        if let Some(before) = previous {
            // Under its name of then.
            let found = draft.names_of(audience.name).find_map(|name| Some((name, before.audience(name)?)));
            if let Some((name, file)) = found {
                let now = audience.rows.iter().map(|rows| rows.num_rows() as u64).sum();
                // Whom a campaign contacts is another crowd each time: caps see to that.
                let standing = draft.entry(audience.name).is_none_or(|entry| entry.kind != EntryKind::Campaign);
                if let Some(message) = change(file.rows, now, audits).filter(|_| standing) {
                    tell("change", message);
                }
                let shape = draft.audience(audience.name).map(|file| &file.schema);
                // Who edits a rule asks for other columns; else the data or the catalog changed below it.
                let edited = before.entry(name).map(|e| &e.sha256) != draft.entry(audience.name).map(|e| &e.sha256);
                if let Some(shape) = shape.filter(|shape| **shape != file.schema && !edited) {
                    let was = &file.schema;
                    tell("schema", format!("its columns were `{was}` and are `{shape}`, and its rule is the same"));
                }
            }
        }
        if let Some((id, more)) = duplicates(audience)? {
            let more = if more == 0 { String::new() } else { format!(", and {more} more") };
            tell("duplicate", format!("customer `{id}` stands in it more than once{more}"));
        }
        if let Some(consented) = audience.consented {
            let rows: usize = audience.rows.iter().map(RecordBatch::num_rows).sum();
            if rows != consented.len() {
                tell("consent", format!("{rows} rows, and {} of them were asked for consent", consented.len()));
            } else if consented.true_count() < rows {
                let without = rows - consented.true_count();
                tell("consent", format!("{without} of {rows} rows would be contacted without consent"));
            }
        }
    }
    Ok(findings)
}

/// Whether an audience grew or shrank by more than may be.
fn change(before: u64, now: u64, audits: &Audits) -> Option<String> {
    let most = audits.change?;
    if before < audits.small && now < audits.small {
        return None;
    }
    let count = |n: u64| Num::Exact { units: i128::from(n), scale: 0 };
    let admitted = most.combine(Arithmetic::Multiply, count(before))?;
    if count(before.abs_diff(now)).compare(admitted).is_le() {
        return None;
    }
    let (how, most) = (if now > before { "grew" } else { "shrank" }, most.to_f64() * 100.0);
    Some(format!("it {how} from {before} to {now} customers; `audits` admits a change of {most} %"))
}

/// A customer who stands there twice, and how many more there are.
fn duplicates(audience: &Audience<'_>) -> Result<Option<(String, usize)>, Error> {
    let columns: Vec<&ArrayRef> = audience.rows.iter().filter_map(|rows| rows.columns().first()).collect();
    let mut texts: Vec<&str> = Vec::new();
    let mut numbers: Vec<i64> = Vec::new();
    for column in columns {
        if let Some(ids) = column.as_string_opt::<i32>() {
            texts.extend(ids.iter().flatten());
        } else if let Some(ids) = column.as_primitive_opt::<Int64Type>() {
            numbers.extend(ids.iter().flatten());
        } else {
            return Err(super::changes::no_ids(column.data_type()));
        }
    }
    let (first, of_texts) = twice(&mut texts);
    let (second, of_numbers) = twice(&mut numbers);
    let id = first.map(str::to_owned).or_else(|| second.map(|id| id.to_string()));
    Ok(id.map(|id| (id, of_texts + of_numbers - 1)))
}

fn twice<T: Ord + Copy>(ids: &mut [T]) -> (Option<T>, usize) {
    if ids.is_sorted_by(|a, b| a < b) {
        return (None, 0);
    }
    ids.sort_unstable();
    let mut same: Vec<T> = ids.iter().zip(ids.iter().skip(1)).filter(|(a, b)| a == b).map(|(a, _)| *a).collect();
    same.dedup();
    (same.first().copied(), same.len())
}

impl Store {
    /// Refuses a draft with findings, and leaves a report of them.
    pub async fn accept(&self, draft: &Draft, findings: &[Finding]) -> Result<(), Error> {
        if findings.is_empty() {
            return Ok(());
        }
        let odd = |why: &dyn std::fmt::Display| Error::Engine { message: why.to_string(), help: None };
        let report = serde_json::json!({
            "format": 1, "project": draft.project, "as_of": draft.as_of, "zone": draft.zone, "findings": findings,
        });
        let mut text = serde_json::to_vec_pretty(&report).map_err(|e| odd(&e))?;
        text.push(b'\n');
        let sum = sha256(&text);
        let key = Key::from(format!("reports/{}-{}.json", draft.as_of, sum.get(..8).unwrap_or_default()));
        let put = self.objects.put_opts(&key, text.into(), PutOptions::from(PutMode::Overwrite)).await;
        let told: String = findings.iter().map(|f| format!("\n  `{}`: {}", f.audience, f.message)).collect();
        let help = match put {
            Ok(_) => format!("correct the rules or the data, or `audits` in segue.yaml; report: {}", self.shown(&key)),
            Err(_) => {
                "correct the rules or the data, or `audits` in segue.yaml; the report could not be written".into()
            }
        };
        Err(Error::Refused { message: format!("the audit failed, nothing was published:{told}"), help: Some(help) })
    }
}
