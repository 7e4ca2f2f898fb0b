//! Everything that the files of a project hold of one person.
//!
//! Owns: which files those are. Promises: whole rows, also columns that the catalog does not name; the rows of every id. Must not know: how
//! they are shown.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{Int64Type, Schema};
use datafusion::catalog::TableProvider;

use super::plan::build::person::{TIME, rows_of_person};
use super::run::{Limits, Spills, blame, caught, session, translate};
use super::tables::{self, parquet};
use crate::error::Error;
use crate::language::catalog::{Catalog, SourceTable};

/// What a table of the catalog holds.
#[derive(Debug, Clone)]
pub struct Found {
    pub kind: Kind,
    /// As the catalog calls it.
    pub name: String,
    /// Rows of the person, file by file.
    pub rows: Vec<RecordBatch>,
    /// Of events their times, microseconds since 1970, one a row of all of them; else empty.
    pub times: Vec<Option<i64>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Profile,
    Source,
    List,
    Link,
}

/// A table that may hold rows of somebody.
struct Asked<'a> {
    kind: Kind,
    name: String,
    of: String,
    columns: Vec<&'a str>,
    source: Option<&'a SourceTable>,
    files: Vec<Arc<dyn TableProvider>>,
}

/// The rows of these ids in every table of the catalog, in its order; tables without any are left out.
pub async fn rows(catalog: &Catalog, root: &Path, limits: Limits, ids: &[String]) -> Result<Vec<Found>, Error> {
    let mut tables = tables::open(catalog, root).await?;
    let mut asked = Vec::new();
    let mut of_files = |kind, name: &str, of: String, columns, source, files: Vec<(String, Arc<dyn TableProvider>)>| {
        let files = files.into_iter().map(|(_, file)| file).collect();
        asked.push(Asked { kind, name: name.to_owned(), of, columns, source, files });
    };
    if let Some(profile) = &catalog.profile {
        let of = "the profiles".to_owned();
        let files = parquet::whole(&mut tables.stores, root, &profile.path, &of).await?;
        of_files(Kind::Profile, "profiles", of, vec![profile.customer.as_str()], None, files);
    }
    for (source, opened) in catalog.sources.iter().zip(tables.sources.clone()) {
        // What no event is read from is none of the project's data.
        if opened.is_some() {
            let of = format!("source `{}`", source.name.name);
            let files = parquet::whole(&mut tables.stores, root, &source.path, &of).await?;
            of_files(Kind::Source, &source.name.name, of, vec![source.customer.as_str()], Some(source), files);
        }
    }
    for table in catalog.identities.iter().flat_map(|identities| &identities.links) {
        let of = format!("link table `{}`", table.name.name);
        let files = parquet::whole(&mut tables.stores, root, &table.path, &of).await?;
        of_files(Kind::Link, &table.name.name, of, vec![table.from.as_str(), table.to.as_str()], None, files);
    }
    let lists: Vec<_> = catalog.lists.iter().zip(&tables.lists).filter_map(|(l, t)| Some((l, t.clone()?))).collect();
    for (list, opened) in &lists {
        let column = opened.schema.fields().first().map_or("id", |field| field.name().as_str());
        let file = (String::new(), Arc::clone(&opened.provider));
        of_files(Kind::List, &list.name.name, format!("list `{}`", list.name.name), vec![column], None, vec![file]);
    }
    let context = session(&tables, limits, Spills::Yes)?;
    let mut found = Vec::new();
    for Asked { kind, name, of, columns, source, files } in asked {
        let mut one = Found { kind, name, rows: Vec::new(), times: Vec::new() };
        for file in files {
            let plan = rows_of_person(&file, &columns, &of, tables.number_ids, ids, source);
            let Some(plan) = plan.map_err(|e| translate(&e))? else { continue };
            let frame = context.execute_logical_plan(plan).await.map_err(|e| translate(&e))?;
            let batches = match caught(frame.collect()).await {
                Ok(batches) => batches,
                Err(error) => return Err(blame(&context, &tables, error).await),
            };
            for batch in batches.iter().filter(|batch| batch.num_rows() > 0) {
                let (batch, times) = apart(batch, source.is_some())?;
                one.rows.push(batch);
                one.times.extend(times);
            }
        }
        if !one.rows.is_empty() {
            found.push(one);
        }
    }
    Ok(found)
}

/// The file's own columns, and the times behind them.
fn apart(batch: &RecordBatch, timed: bool) -> Result<(RecordBatch, Vec<Option<i64>>), Error> {
    let odd = |why: &dyn std::fmt::Display| Error::Engine { message: why.to_string(), help: None };
    if !timed {
        return Ok((batch.clone(), Vec::new()));
    }
    let time = batch.schema().index_of(TIME).map_err(|e| odd(&e))?;
    let times = batch.column(time).as_primitive_opt::<Int64Type>().ok_or_else(|| odd(&"a time is no number"))?;
    let times = (0..times.len()).map(|row| times.is_valid(row).then(|| times.value(row))).collect();
    let columns: Vec<ArrayRef> = batch.columns().iter().take(time).cloned().collect();
    let fields: Vec<_> = batch.schema().fields().iter().take(time).cloned().collect();
    let own = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(|e| odd(&e))?;
    Ok((own, times))
}
