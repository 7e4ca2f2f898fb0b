//! Passes over a compacted store: each over some of its files, several at once.
//!
//! Owns: how such passes are driven. A pass that has most of its rows in one file reads that customer by customer and keeps none of
//! its rows. Promises: a pass is one partition with one stage of aggregation, so that memory is that of as many passes as there
//! are threads; a file that lies is an error that names it. Must not know: rules.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::buffer::Buffer;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_expr::PhysicalSortExpr;
use datafusion::physical_expr::expressions::col as column;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties, execute_stream};
use datafusion::prelude::SessionContext;
use futures::{StreamExt, TryStreamExt};

use super::bucket::Share;
use super::gathered::Gathered;
use super::kernels::declared::ORDER;
use super::kernels::history::states_of;
use super::kernels::stream::Beside;
use super::meter::Meter;
use super::plan::build::streamed::{Main, Pass};
use super::plan::build::{self, CUSTOMER};
use super::report::Counters;
use super::run::{Plans, Progress, caught, told, translate};
use super::tables::Tables;
use crate::error::Error;

/// Runs the passes, so many at once.
pub(super) async fn clustered(
    context: &SessionContext,
    plans: &Plans<'_>,
    shares: &[Share],
    at_once: usize,
    counters: &Arc<Counters>,
    progress: Option<&dyn Progress>,
) -> Result<Gathered, Error> {
    let one = |share: Share| async move {
        let tables = plans.tables.of_share(share);
        let pass = Pass { catalog: plans.catalog, tables: &tables, parts: plans.parts, counters, share };
        let done = match pass.main() {
            Some(main) => streamed(context, pass, main).await,
            None => Ok(None),
        };
        let done = match done {
            Ok(None) => kept(context, plans, pass).await,
            Ok(Some(gathered)) => Ok(gathered),
            Err(error) => Err(error),
        };
        counters.meter.passed();
        match done {
            Err(error) => Err(liar(context, plans, &tables, error).await),
            done => done,
        }
    };
    let work = async {
        let passes = futures::stream::iter(shares.iter().copied().map(one)).buffer_unordered(at_once.max(1));
        passes
            .try_fold(Gathered::default(), |mut all, one| async move {
                all.absorb(one);
                Ok(all)
            })
            .await
    };
    told(work, counters, progress).await
}

/// A pass that keeps the rows of all its files, and then answers.
async fn kept(context: &SessionContext, plans: &Plans<'_>, pass: Pass<'_>) -> Result<Gathered, Error> {
    let Pass { catalog, tables, parts, counters, share } = pass;
    let plan = build::plan(catalog, tables, parts, counters, plans.links, share, &[]).map_err(|e| translate(&e))?;
    let Some(plan) = plan else { return Ok(Gathered::default()) };
    drive(context, physical(context, plan).await?, counters, blocks).await
}

/// A pass that keeps what other files and tables have of its customers, and then reads a file customer by customer. `None` where
/// the rows would not come in that order.
async fn streamed(context: &SessionContext, pass: Pass<'_>, main: Main) -> Result<Option<Gathered>, Error> {
    let beside = Beside::default();
    let plan = pass.streamed(main, Arc::clone(&beside)).map_err(|e| translate(&e))?;
    let plan = physical(context, plan).await?;
    if !in_order(&plan).map_err(|e| translate(&e))? {
        return Ok(None);
    }
    let room = MemoryConsumer::new("what stands beside").register(&context.runtime_env().memory_pool);
    if let Some(plan) = pass.beside(main).map_err(|e| translate(&e))? {
        let take = |all: &mut Vec<Buffer>, states: &ArrayRef, _: &Meter| {
            all.extend(states_of(states)?);
            Ok(())
        };
        let found = drive(context, physical(context, plan).await?, pass.counters, take).await?;
        // The states, and four times as much when they are put in order: of whoever is in a list alone little is known but who he is.
        room.try_grow(5 * found.iter().map(Buffer::len).sum::<usize>()).map_err(|e| translate(&e))?;
        beside.get_or_init(|| found);
    }
    let done = drive(context, plan, pass.counters, blocks).await;
    room.free();
    done.map(Some)
}

/// Whether the rows of an aggregation come in the order of customers.
fn in_order(plan: &Arc<dyn ExecutionPlan>) -> Result<bool, DataFusionError> {
    let Some(aggregate) = plan.downcast_ref::<AggregateExec>() else {
        return plan.children().first().map_or(Ok(false), |below| in_order(below));
    };
    let rows = aggregate.input();
    let customer = column(CUSTOMER, &rows.schema())?;
    let one = rows.output_partitioning().partition_count() == 1;
    Ok(one && rows.equivalence_properties().ordering_satisfy([PhysicalSortExpr::new(customer, ORDER)])?)
}

fn blocks(gathered: &mut Gathered, answers: &ArrayRef, meter: &Meter) -> Result<(), DataFusionError> {
    meter.answered(gathered.take(answers)?);
    Ok(())
}

async fn physical(context: &SessionContext, plan: LogicalPlan) -> Result<Arc<dyn ExecutionPlan>, Error> {
    let state = context.state();
    caught(async move { single_stage(state.create_physical_plan(&plan).await?) }).await
}

/// Runs a plan and takes the last column of what it answers.
async fn drive<T: Default + Send + 'static>(
    context: &SessionContext,
    plan: Arc<dyn ExecutionPlan>,
    counters: &Counters,
    take: fn(&mut T, &ArrayRef, &Meter) -> Result<(), DataFusionError>,
) -> Result<T, Error> {
    let task = context.task_ctx();
    let meter = Arc::clone(&counters.meter);
    caught(async move {
        meter.begin(&plan);
        let mut stream = execute_stream(Arc::clone(&plan), task)?;
        let mut taken = T::default();
        while let Some(batch) = stream.next().await {
            if let Some(column) = batch?.columns().last() {
                take(&mut taken, column, &meter)?;
            }
        }
        meter.end(&plan);
        Ok(taken)
    })
    .await
}

/// An aggregation in two stages over several inputs as one stage over all of them: there is no other partition to send states to.
fn single_stage(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
    let one = |node: Arc<dyn ExecutionPlan>| {
        let Some(last) = node.downcast_ref::<AggregateExec>() else { return Ok(Transformed::no(node)) };
        if !matches!(last.mode(), AggregateMode::Final | AggregateMode::FinalPartitioned) {
            return Ok(Transformed::no(node));
        }
        let between = last.input();
        let below = match between.downcast_ref::<CoalescePartitionsExec>() {
            Some(coalesce) => coalesce.input(),
            None => between,
        };
        let Some(first) = below.downcast_ref::<AggregateExec>() else { return Ok(Transformed::no(node)) };
        if !matches!(first.mode(), AggregateMode::Partial) {
            return Ok(Transformed::no(node));
        }
        let input = Arc::clone(first.input());
        let input: Arc<dyn ExecutionPlan> = match input.output_partitioning().partition_count() {
            1 => input,
            _ => Arc::new(CoalescePartitionsExec::new(input)),
        };
        let (filters, schema) = (first.filter_expr().to_vec(), first.input_schema());
        let group_by = first.group_expr().clone();
        let whole = AggregateExec::try_new(
            AggregateMode::Single,
            group_by,
            first.aggr_expr().to_vec(),
            filters,
            input,
            schema,
        )?;
        Ok(Transformed::yes(Arc::new(whole) as Arc<dyn ExecutionPlan>))
    };
    plan.transform_up(one).map(|done| done.data)
}

/// Which file of a pass is not what it declares: the pass knows only its source.
async fn liar(context: &SessionContext, plans: &Plans<'_>, tables: &Tables, error: Error) -> Error {
    if !matches!(error, Error::Data { .. }) {
        return error;
    }
    for (source, opened) in plans.catalog.sources.iter().zip(&tables.sources) {
        let Some(opened) = opened else { continue };
        for &file in opened.only.iter().flatten() {
            let Ok(Some(plan)) = build::declared_of(source, opened, file, tables.number_ids) else { continue };
            let Ok(frame) = context.execute_logical_plan(plan).await else { continue };
            let read = caught(async move {
                let mut stream = frame.execute_stream().await?;
                while let Some(batch) = stream.next().await {
                    batch?;
                }
                Ok(())
            });
            if let Err(found @ Error::Data { .. }) = read.await {
                return found;
            }
        }
    }
    error
}
