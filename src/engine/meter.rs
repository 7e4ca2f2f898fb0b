//! What a run takes: time by stage, bytes, rows, memory.
//!
//! Owns: the sums over the operators of the plans of a run, while they run and behind them. Promises: nothing that is measured
//! shows in the outcome. Must not know: how it is shown, what a rule is.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::metrics::{MetricValue, MetricsSet};

/// Where time goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    /// Reading and decoding files.
    Scan,
    /// Look-ups.
    Lookup,
    /// Saying of each row which patterns it has.
    Classify,
    /// Keeping the rows that have one, by customer.
    Log,
    /// Answering for all rules from what was kept.
    Evaluate,
    /// Dealing rows out, ordering them, and all else that the engine does.
    Other,
    /// Making audiences of the answers.
    Gather,
}

impl Stage {
    pub const ALL: [Stage; 7] =
        [Stage::Scan, Stage::Lookup, Stage::Classify, Stage::Log, Stage::Evaluate, Stage::Other, Stage::Gather];

    pub fn name(self) -> &'static str {
        match self {
            Stage::Scan => "scan",
            Stage::Lookup => "look-up",
            Stage::Classify => "classify",
            Stage::Log => "log",
            Stage::Evaluate => "evaluate",
            Stage::Other => "other",
            Stage::Gather => "gather",
        }
    }
}

/// Sums over operators.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    /// In the order of [`Stage::ALL`]: time of all threads together.
    pub stages: [Duration; 7],
    /// Rows that came out of files.
    pub rows: u64,
    pub bytes: u64,
    pub files: u64,
    pub row_groups_read: u64,
    pub row_groups_pruned: u64,
    /// Passes that were made.
    pub passes: u64,
}

impl Totals {
    fn spend(&mut self, stage: Stage, time: Duration) {
        if let Some(spent) = self.stages.get_mut(stage as usize) {
            *spent += time;
        }
    }

    fn shift(&mut self, from: Stage, to: Stage, time: Duration) {
        let Some(spent) = self.stages.get_mut(from as usize) else { return };
        let time = time.min(*spent);
        *spent -= time;
        self.spend(to, time);
    }

    fn plan(&mut self, plan: &dyn ExecutionPlan) {
        if let Some(metrics) = plan.metrics() {
            self.operator(plan, &metrics);
        }
        plan.children().iter().for_each(|child| self.plan(child.as_ref()));
    }

    fn operator(&mut self, plan: &dyn ExecutionPlan, metrics: &MetricsSet) {
        let sum = |name: &str| metrics.sum_by_name(name).map_or(0, |value| value.as_usize() as u64);
        let compute = Duration::from_nanos(metrics.elapsed_compute().unwrap_or(0) as u64);
        match plan.name() {
            "DataSourceExec" => {
                // A scan that works for itself tells how long; one in memory does nothing.
                self.spend(Stage::Scan, Duration::from_nanos(sum("time_elapsed_processing")));
                // What a sieve held back was read, too.
                self.rows += metrics.output_rows().unwrap_or(0) as u64 + sum("pushdown_rows_pruned");
                self.bytes += sum("bytes_scanned");
                self.files += sum("files_processed");
                for metric in metrics.iter() {
                    if let MetricValue::PruningMetrics { name, pruning_metrics } = metric.value()
                        && name == "row_groups_pruned_statistics"
                    {
                        self.row_groups_read += pruning_metrics.matched() as u64;
                        self.row_groups_pruned += pruning_metrics.pruned() as u64;
                    }
                }
            }
            "ProjectionExec" | "FilterExec" => self.spend(Stage::Classify, compute),
            "HashJoinExec" => {
                let joining = Duration::from_nanos(sum("build_time") + sum("join_time"));
                self.spend(Stage::Lookup, compute.max(joining));
            }
            "AggregateExec" => {
                let emitting = Duration::from_nanos(sum("emitting_time")).min(compute);
                let mode = plan.downcast_ref::<AggregateExec>().map(|plan| *plan.mode());
                // What a partial stage emits is the log itself.
                let answers = !matches!(mode, Some(AggregateMode::Partial | AggregateMode::PartialReduce));
                self.spend(if answers { Stage::Evaluate } else { Stage::Log }, emitting);
                self.spend(Stage::Log, compute.saturating_sub(emitting));
            }
            _ => self.spend(Stage::Other, compute),
        }
    }
}

/// Looks at plans while they run.
#[derive(Debug, Default)]
pub struct Meter {
    under_way: Mutex<Vec<Arc<dyn ExecutionPlan>>>,
    done: Mutex<Totals>,
    gather: AtomicU64,
    /// Time that operators spent on answers while rows came in.
    answers: AtomicU64,
    customers: AtomicU64,
    /// Rows by pattern, where somebody wants to know.
    entries: Vec<AtomicU64>,
}

impl Meter {
    /// One that counts the rows of each of so many patterns, too.
    pub fn counting(patterns: u32) -> Meter {
        Meter { entries: (0..patterns).map(|_| AtomicU64::new(0)).collect(), ..Meter::default() }
    }

    /// A plan begins.
    pub fn begin(&self, plan: &Arc<dyn ExecutionPlan>) {
        if let Ok(mut under_way) = self.under_way.lock() {
            under_way.push(Arc::clone(plan));
        }
    }

    /// A plan has ended.
    pub fn end(&self, plan: &Arc<dyn ExecutionPlan>) {
        if let Ok(mut under_way) = self.under_way.lock() {
            under_way.retain(|other| !Arc::ptr_eq(other, plan));
        }
        if let Ok(mut done) = self.done.lock() {
            done.plan(plan.as_ref());
        }
    }

    /// A pass is done.
    pub fn passed(&self) {
        if let Ok(mut done) = self.done.lock() {
            done.passes += 1;
        }
    }

    /// Time that went into gathering answers.
    pub fn gathered(&self, time: Duration) {
        self.gather.fetch_add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Time that an operator spent on answers while rows came in.
    pub fn evaluated(&self, time: Duration) {
        self.answers.fetch_add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// So many customers more have been answered for.
    pub fn answered(&self, customers: u64) {
        self.customers.fetch_add(customers, Ordering::Relaxed);
    }

    pub fn customers(&self) -> u64 {
        self.customers.load(Ordering::Relaxed)
    }

    /// Whether the rows of patterns are counted.
    pub fn counts(&self) -> bool {
        !self.entries.is_empty()
    }

    /// So many rows more have a pattern.
    pub fn entries(&self, pattern: u32, rows: u64) {
        if let Some(entries) = self.entries.get(pattern as usize) {
            entries.fetch_add(rows, Ordering::Relaxed);
        }
    }

    /// Rows by pattern.
    pub fn by_pattern(&self) -> Vec<u64> {
        self.entries.iter().map(|rows| rows.load(Ordering::Relaxed)).collect()
    }

    /// All that has been done so far.
    pub fn totals(&self) -> Totals {
        let mut totals = self.done.lock().map(|done| done.clone()).unwrap_or_default();
        if let Ok(under_way) = self.under_way.lock() {
            under_way.iter().for_each(|plan| totals.plan(plan.as_ref()));
        }
        totals.shift(Stage::Log, Stage::Evaluate, Duration::from_nanos(self.answers.load(Ordering::Relaxed)));
        totals.spend(Stage::Gather, Duration::from_nanos(self.gather.load(Ordering::Relaxed)));
        totals
    }
}
