//! The log of one input file.
//!
//! Owns: reading the file's rows and what is counted on the way. Promises: nothing in a log depends on the as-of instant or on other
//! files. Must not know: where logs are kept.

use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::buffer::Buffer;
use arrow::datatypes::{Int64Type, UInt32Type};
use datafusion::common::Result;
use datafusion::error::DataFusionError;
use datafusion::prelude::SessionContext;

use super::key::timeless;
use super::manifest::Seen;
use super::prepare::Job;
use crate::engine::plan::build;
use crate::engine::plan::lower::Lowered;
use crate::engine::report::Counters;
use crate::engine::run::{Limits, Spills, caught, session, translate};
use crate::error::Error;

/// Makes logs for one branch of a program.
pub struct Logger<'a> {
    job: &'a Job<'a>,
    lowered: Lowered,
    context: SessionContext,
}

/// States by group.
type States = Vec<(u32, Buffer)>;

/// What was seen in a file, and its states.
pub type Logged = (Seen, States);

impl<'a> Logger<'a> {
    pub fn new(job: &'a Job<'a>, branch: usize) -> std::result::Result<Logger<'a>, Error> {
        let lowered = job.parts.branches.get(branch).ok_or_else(|| translate(&odd()))?;
        let lowered = Lowered { branch: timeless(&lowered.branch), ..lowered.clone() };
        // Each file is read by one reader. One that is refused memory is a run without cache.
        let context = session(job.tables, Limits { threads: Some(1), ..job.limits }, Spills::Yes)?;
        Ok(Logger { job, lowered, context })
    }

    /// The log of a file.
    pub async fn log(&self, file: usize) -> std::result::Result<Logged, Error> {
        let Job { catalog, tables, parts, links, .. } = *self.job;
        let counters = Arc::new(Counters::new(parts.counters, catalog.events.len()));
        let plan = build::log(catalog, tables, &parts.program, &self.lowered, vec![file], &counters, links);
        let plan = plan.map_err(|e| translate(&e))?;
        let frame = self.context.execute_logical_plan(plan).await.map_err(|e| translate(&e))?;
        let read = caught(async move { taken(&frame.collect().await?) });
        let (groups, span) = read.await?;
        let source = counters.source(self.lowered.branch.counter, "", 1);
        let seen = Seen {
            rows: source.rows,
            // As it is counted, before those with unknown ids are told apart.
            no_customer: source.no_customer + source.unlinked,
            no_time: source.no_time,
            linked: source.linked,
            unlinked: source.unlinked,
            unknown: source.unknown,
            events: counters.events(),
            span,
        };
        Ok((seen, groups))
    }
}

fn odd() -> DataFusionError {
    DataFusionError::Internal("a log has other columns than planned".into())
}

/// The states of the groups, and the first and the last time.
fn taken(batches: &[RecordBatch]) -> Result<(States, Option<(i64, i64)>)> {
    let mut states = Vec::new();
    let mut span: Option<(i64, i64)> = None;
    for batch in batches {
        let [groups, logs, first, last] = batch.columns() else { return Err(odd()) };
        let groups = groups.as_primitive_opt::<UInt32Type>().ok_or_else(odd)?;
        let logs = logs.as_binary_view_opt().ok_or_else(odd)?;
        let first = first.as_primitive_opt::<Int64Type>().ok_or_else(odd)?;
        let last = last.as_primitive_opt::<Int64Type>().ok_or_else(odd)?;
        for row in 0..batch.num_rows() {
            if first.is_valid(row) && last.is_valid(row) {
                let (lo, hi) = (first.value(row), last.value(row));
                span = Some(span.map_or((lo, hi), |(a, b)| (a.min(lo), b.max(hi))));
            }
            if groups.is_valid(row) && logs.is_valid(row) && !logs.value(row).is_empty() {
                states.push((groups.value(row), Buffer::from(logs.value(row))));
            }
        }
    }
    Ok((states, span))
}
