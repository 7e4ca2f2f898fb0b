//! The engine wing: Parquet in, one row a customer out.
//!
//! Owns: the second implementation of the meaning, as one DataFusion plan. Must not know: syntax, the command line.
//!
//! `bucket` divides customers into shares, `decide` says how a run is done. `tables` finds and opens files, `identities` says which
//! ids are one customer, `plan` turns the checked program into one plan, `kernels` are the functions in it, `run` drives it (`each` at
//! several instants) and `gathered` puts its answer together under the limit of `memory`, `late` evaluates what needs all customers, `report` is what it saw
//! on the way, `meter` what that took. `explain` tells all of it beforehand, `write` puts audiences into files. `compact` rewrites a
//! source clustered by bucket, `passes` runs over such. `cache` keeps what later runs need not read again, `person` finds all rows of one person, `inputs` tells what a run read by
//! its content, `history` is what earlier runs left behind.
//! `sql` says the same program as SQL text.

pub mod bucket;

pub mod cache;

pub mod compact;

mod decide;

pub mod demo;

mod each;

pub mod explain;

mod gathered;

mod history;

pub mod identities;

pub mod infer;

pub mod inputs;

pub mod kernels;

pub mod late;

mod memory;

pub mod meter;

mod passes;

pub mod person;

pub mod plan;

pub mod report;

pub mod run;

pub mod sql;

pub mod tables;

pub mod types;

pub mod write;

pub use cache::{Again, Keep, OfSource, Told};
pub use decide::{Choice, Engine};
pub use each::{Instants, TOGETHER, run_each, run_histories_each};
pub use history::HistoryFiles;
pub use report::{ListReport, Report, SourceReport};
pub use run::{Limits, Outcome, Progress, Request, SoFar, measured, run, run_campaigns, run_histories};
pub use tables::Layout;
