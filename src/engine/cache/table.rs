//! States as rows of the plan.
//!
//! Owns: the table that reads them, group by group. Promises: as much is held as one group's states in each reader, and no state is
//! copied; a piece that does not read ends the run. Must not know: what states hold.

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryViewArray, RecordBatch, UInt32Array, make_view};
use arrow::buffer::Buffer;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::common::Result;
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;

use crate::engine::bucket::{BUCKETS, GROUPS, Share};

/// Reads the states of the customers of a group who belong to a share.
pub trait States: fmt::Debug + Send + Sync {
    fn group(&self, group: u32, share: Share) -> std::io::Result<Vec<Buffer>>;
}

/// The rows `(group, state)` of a share, dealt to so many readers.
pub fn table(states: &Arc<dyn States>, share: Share, readers: usize) -> Result<Arc<dyn TableProvider>> {
    let readers = readers.max(1);
    let schema: SchemaRef = Arc::new(Schema::new(vec![
        Field::new("group", DataType::UInt32, false),
        Field::new("state", DataType::BinaryView, false),
    ]));
    let part = |p: usize| -> Arc<dyn PartitionStream> {
        let groups = groups(share).filter(|g| *g as usize % readers == p).collect();
        let (schema, states) = (Arc::clone(&schema), Arc::clone(states));
        Arc::new(Part { schema, states, share, groups })
    };
    let parts = (0..readers).map(part).collect();
    Ok(Arc::new(StreamingTable::try_new(Arc::clone(&schema), parts)?))
}

/// Buckets of a group, which is one of those that a pass over all customers has.
pub const BUCKETS_OF_GROUP: u32 = BUCKETS / GROUPS;

/// The groups that hold customers of a share.
fn groups(share: Share) -> impl Iterator<Item = u32> {
    share.lo / BUCKETS_OF_GROUP..share.hi.div_ceil(BUCKETS_OF_GROUP)
}

#[derive(Debug)]
struct Part {
    schema: SchemaRef,
    states: Arc<dyn States>,
    share: Share,
    groups: Vec<u32>,
}

impl PartitionStream for Part {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let (states, schema) = (Arc::clone(&self.states), Arc::clone(&self.schema));
        let share = self.share;
        let of_group = move |group: u32| -> Vec<Result<RecordBatch>> {
            match states.group(group, share) {
                Ok(found) => {
                    found.into_iter().filter(|s| !s.is_empty()).map(|state| row(&schema, group, state)).collect()
                }
                Err(why) => vec![Err(DataFusionError::Execution(format!("the cache does not read: {why}")))],
            }
        };
        let rows = futures::stream::iter(self.groups.clone().into_iter().flat_map(of_group));
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), rows))
    }
}

/// One state, without copying it.
fn row(schema: &SchemaRef, group: u32, state: Buffer) -> Result<RecordBatch> {
    if i32::try_from(state.len()).is_err() {
        return Err(DataFusionError::ResourcesExhausted("a bucket of more than two gigabytes".into()));
    }
    let view = make_view(&state, 0, 0);
    let states = BinaryViewArray::try_new(vec![view].into(), vec![state], None)?;
    let columns: Vec<ArrayRef> = vec![Arc::new(UInt32Array::from(vec![group])), Arc::new(states)];
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_of_shares() {
        // As a plan numbers them.
        let of = |bucket: u32| (u64::from(bucket) << 52 >> Share::ALL.shift(GROUPS)) as u32;
        for n in [1, 2, 3, 7, 64, 500, 4_096] {
            for share in Share::ALL.split(n) {
                let mut all: Vec<u32> = (share.lo..share.hi).map(of).collect();
                all.dedup();
                assert_eq!(groups(share).collect::<Vec<u32>>(), all, "{share:?}");
            }
        }
    }
}
