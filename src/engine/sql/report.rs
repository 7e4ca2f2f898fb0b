//! What a run by standard aggregates says of the data.
//!
//! Owns: the statements that count rows. Promises: the report that the kernel makes; of a source the rows are counted that it would
//! read. Must not know: rules.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use datafusion::common::TableReference;

use super::outcome::{Id, Work, ids_of, odd, refused};
use super::read::{self, Said, Why, not};
use super::{Which, text};
use crate::engine::gathered;
use crate::engine::plan::lower::{Lowered, Table};
use crate::engine::plan::program::Kind;
use crate::engine::report::{ListReport, Report, SourceReport};
use crate::engine::tables::Opened;
use crate::engine::tables::prune::Asked;
use crate::error::Error;
use crate::language::catalog::EventId;

/// The table of the rows of a source that are read.
const READ: &str = "rows that are read";

impl Work<'_> {
    /// The report; `population` where it is known.
    pub async fn report(&self, population: Option<&BTreeSet<Id>>) -> Result<Report, Error> {
        let told = population.filter(|_| self.parts.population);
        let mut report = Report { population: told.map(|all| all.len() as u64), ..Report::default() };
        let mut seen: BTreeMap<u32, u64> = BTreeMap::new();
        let mut whole = vec![false; self.catalog.sources.len()];
        for lowered in self.parts.branches.iter().filter(|lowered| lowered.branch.counts) {
            match lowered.table {
                Table::Source(s) => {
                    let source = self.source(s as usize, lowered, &mut seen).await?;
                    if let Some(whole) = whole.get_mut(s as usize) {
                        *whole = source.skipped == 0;
                    }
                    report.sources.push(source);
                }
                Table::Profile => report.profiles = Some(self.profiles(lowered).await?),
                Table::List(l) => report.lists.push(self.list(l as usize, lowered, population).await?),
            }
        }
        let missing =
            self.catalog.events.iter().enumerate().filter(|(e, event)| {
                whole.get(event.source.index()) == Some(&true) && !seen.contains_key(&(*e as u32))
            });
        report.missing_events = missing.map(|(e, _)| EventId(e as u32)).collect();
        Ok(report)
    }

    async fn source(&self, s: usize, lowered: &Lowered, seen: &mut BTreeMap<u32, u64>) -> Result<SourceReport, Error> {
        let (source, opened) =
            self.catalog.sources.get(s).zip(self.tables.sources.get(s).and_then(Option::as_ref)).ok_or_else(odd)?;
        let (provider, skipped) = match &opened.inputs {
            Some(inputs) => {
                let (provider, reading) = inputs.asked(&Asked { source, lowered }, None, None);
                (provider, reading.rows.skipped())
            }
            None => (Arc::clone(&opened.provider), 0),
        };
        let table = || TableReference::bare(READ);
        self.reader.name(table(), provider)?;
        let said = || -> Said<(String, String, String)> {
            let id = self.id(&source.customer, opened)?;
            let column = own(&source.time);
            let time = read::time(&column, found(opened, &source.time)?, source.time_unit, source.timezone.as_deref())?;
            let named = lowered.branch.kinds.iter().any(|kind| kind.exact.is_some());
            let raw = match source.event.as_ref().filter(|_| named) {
                Some(event) => read::raw(&own(event), found(opened, event)?)?,
                None => "CAST(NULL AS VARCHAR)".to_owned(),
            };
            Ok((id, time, raw))
        };
        let (id, time, raw) = said().map_err(|why| self.unsaid(&source.name.name, why))?;
        // Of rows whose names nobody asks for nothing else is looked at, where names are looked at first.
        let sifted = opened.inputs.as_ref().is_some_and(|inputs| inputs.sifts(&Asked { source, lowered }));
        let mut asked: Vec<String> = vec!["FALSE".to_owned()];
        let mut unknown: BTreeMap<Option<String>, u64> = BTreeMap::new();
        for batch in self.reader.rows(&names(&raw)).await? {
            let [named, counted] = batch.columns() else { return Err(odd()) };
            let counted = counted.as_primitive_opt::<Int64Type>().ok_or_else(odd)?;
            for (name, &n) in ids_of(named)?.into_iter().zip(counted.values()) {
                let name = name.and_then(|id| if let Id::Text(name) = id { Some(name) } else { None });
                let n = u64::try_from(n).unwrap_or(0);
                let kinds = lowered.branch.kinds.iter().filter(|kind| kind.takes(name.as_deref()));
                let events: Vec<Option<u32>> = kinds.clone().map(|kind| kind.event).collect();
                if let Some(name) = name.as_ref().filter(|_| kinds.into_iter().any(Kind::is_asked)) {
                    asked.push(format!("{raw} = {}", text::text(name)));
                }
                events.iter().flatten().for_each(|event| *seen.entry(*event).or_default() += n);
                if events.is_empty() {
                    *unknown.entry(name).or_default() += n;
                }
            }
        }
        let looked_at = if sifted { asked.join(" OR ") } else { "TRUE".to_owned() };
        let table = format!("{} s", text::name(READ));
        let counts = counts_of(&table, &id, Some(&time), lowered.branch.as_of, &looked_at);
        let [rows_read, no_customer, no_time, not_yet] = self.numbers(&counts).await?;
        Ok(SourceReport {
            name: lowered.branch.label.clone(),
            rows: rows_read,
            skipped,
            no_customer,
            no_time,
            not_yet,
            unknown: unknown.into_iter().collect(),
            files: opened.files,
            ..SourceReport::default()
        })
    }

    async fn profiles(&self, lowered: &Lowered) -> Result<SourceReport, Error> {
        let (Some(profile), Some(opened)) = (&self.catalog.profile, &self.tables.profile) else { return Err(odd()) };
        let said = self.latest().map(|from| {
            let created = profile.created.as_ref().map(|_| "s.\"created\"");
            counts_of(&from, "s.\"customer\"", created, lowered.branch.as_of, "TRUE")
        });
        let text = said.map_err(|why| self.unsaid(&lowered.branch.label, why))?;
        let [rows, no_customer, _, not_yet] = self.numbers(&text).await?;
        let files = opened.files;
        let name = lowered.branch.label.clone();
        Ok(SourceReport { name, rows, no_customer, not_yet, files, ..SourceReport::default() })
    }

    /// Refuses profiles of which several rows of a customer count.
    pub async fn profiles_once(&self) -> Result<(), Error> {
        if !self.parts.branches.iter().any(|lowered| matches!(lowered.table, Table::Profile)) {
            return Ok(());
        }
        let from = self.latest().map_err(|why| self.unsaid("profiles", why))?;
        let text = format!(
            "SELECT s.\"customer\" FROM {from}\nWHERE s.\"customer\" IS NOT NULL\nGROUP BY s.\"customer\"\nHAVING COUNT(*) > 1"
        );
        let mut twice: BTreeSet<Id> = BTreeSet::new();
        for batch in self.reader.rows(&text).await? {
            twice.extend(ids_of(batch.columns().first().ok_or_else(odd)?)?.into_iter().flatten());
        }
        match twice.first() {
            None => Ok(()),
            Some(Id::Number(id)) => Err(gathered::twice(self.catalog, &id.to_string())),
            Some(Id::Text(id)) => Err(gathered::twice(self.catalog, id)),
        }
    }

    /// The rows of profiles that count, by `s`: `customer` and `created`.
    fn latest(&self) -> Said<String> {
        let (Some(profile), Some(opened)) = (&self.catalog.profile, &self.tables.profile) else {
            return not("profiles without table");
        };
        let time =
            |column: &String| read::time(&own(column), found(opened, column)?, None, profile.timezone.as_deref());
        let id = self.id(&profile.customer, opened)?;
        let created = profile.created.as_ref().map(time).transpose()?;
        let created = created.map_or_else(String::new, |created| format!(", {created} AS \"created\""));
        let place = match &profile.updated_at {
            None => "1".to_owned(),
            Some(column) => {
                format!("RANK() OVER (PARTITION BY {id} ORDER BY {} DESC NULLS LAST)", time(column)?)
            }
        };
        let table = text::name(self.names.of(Which::Profiles));
        Ok(format!(
            "(SELECT * FROM (SELECT {id} AS \"customer\"{created}, {place} AS \"place\" FROM {table} s) p\n\
             WHERE p.\"place\" = 1 OR p.\"customer\" IS NULL) s"
        ))
    }

    async fn list(&self, l: usize, lowered: &Lowered, population: Option<&BTreeSet<Id>>) -> Result<ListReport, Error> {
        let opened = self.tables.lists.get(l).and_then(Option::as_ref).ok_or_else(odd)?;
        let column = opened.schema.fields().first().map_or("", |field| field.name());
        let name = lowered.branch.label.clone();
        let table = self.names.of(Which::List(l));
        let id = self.id(column, opened).map_err(|why| self.unsaid(&name, why))?;
        let [of_list, no_customer] = self.numbers(&counts(table, &id, None, lowered.branch.as_of)).await?;
        let mut ids: BTreeSet<Id> = BTreeSet::new();
        for batch in self.reader.rows(&format!("SELECT DISTINCT {id} FROM {} s", text::name(table))).await? {
            ids.extend(ids_of(batch.columns().first().ok_or_else(odd)?)?.into_iter().flatten());
        }
        let orphans = ids.iter().filter(|id| population.is_none_or(|all| !all.contains(id))).count() as u64;
        Ok(ListReport { name, rows: of_list, no_customer, linked: 0, orphans })
    }

    fn id(&self, column: &str, opened: &Opened) -> Said<String> {
        read::id(&own(column), found(opened, column)?, self.tables.number_ids)
    }

    fn unsaid(&self, table: &str, Why(why): Why) -> Error {
        refused(&[format!("what is to be told of `{table}`: {why}")])
    }

    /// The one row of a statement.
    async fn numbers<const N: usize>(&self, text: &str) -> Result<[u64; N], Error> {
        let batches = self.reader.rows(text).await?;
        let batch = batches.iter().find(|batch| batch.num_rows() == 1).ok_or_else(odd)?;
        let mut numbers = [0; N];
        for (number, column) in numbers.iter_mut().zip(batch.columns()) {
            let column = column.as_primitive_opt::<Int64Type>().ok_or_else(odd)?;
            *number = column.values().first().and_then(|&n| u64::try_from(n).ok()).unwrap_or(0);
        }
        Ok(numbers)
    }
}

/// Rows; of those that are looked at the ones without customer; of the others those without time, and those that have not happened yet.
fn counts(table: &str, id: &str, time: Option<&str>, as_of: i64) -> String {
    counts_of(&format!("{} s", text::name(table)), id, time, as_of, "TRUE")
}

fn counts_of(from: &str, id: &str, time: Option<&str>, as_of: i64, looked_at: &str) -> String {
    let time = time.unwrap_or("CAST(NULL AS BIGINT)");
    let some = |what: &str| format!("COUNT(*) FILTER (WHERE ({looked_at}) AND {what})");
    let all = [
        "COUNT(*)".to_owned(),
        some(&format!("{id} IS NULL")),
        some(&format!("{id} IS NOT NULL AND {time} IS NULL")),
        some(&format!("{id} IS NOT NULL AND {time} >= {}", text::instant(as_of))),
    ];
    format!("SELECT {}\nFROM {from}", all.join(",\n  "))
}

/// How many rows there are of each raw name.
fn names(raw: &str) -> String {
    format!(
        "SELECT e.\"raw\", COUNT(*)\nFROM (SELECT {raw} AS \"raw\" FROM {} s) e\nGROUP BY e.\"raw\"",
        text::name(READ)
    )
}

fn own(column: &str) -> String {
    format!("s.{}", text::name(column))
}

fn found<'a>(opened: &'a Opened, column: &str) -> Said<&'a arrow::datatypes::DataType> {
    opened.column(column).ok_or_else(|| Why("a column that is not there".into()))
}
