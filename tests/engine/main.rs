//! Tests that read Parquet and run the engine.

mod cli_demo;
mod cli_interrupt;
mod cli_plan;
mod cli_run;
mod cli_store;
#[cfg(feature = "cloud")]
mod cloud;
mod compact;
mod decide_assignment;
mod decide_laws;
mod decide_random;
mod decide_reference;
mod decide_schedule;
mod decide_world;
mod deliver_cli;
mod deliver_files;
mod deliver_postgres;
mod deliver_resume;
#[allow(dead_code)]
mod deliver_support;
#[cfg(feature = "cloud")]
mod deliver_webhook;
mod demo_example;
mod dictionaries;
mod differential;
mod differential_files;
mod differential_laws;
mod differential_recorded;
mod engine_answers;
mod engine_many;
mod engine_support;
mod engine_types;
mod engine_write;
mod erase_again;
mod erase_cli;
mod erase_steps;
mod history_words;
mod hostile_files;
mod identities;
mod identities_random;
mod instants;
mod instants_backfill;
mod late_ranks;
mod late_sample;
mod late_support;
mod portable;
mod real_data;
mod real_ranks;
#[path = "../front/support.rs"]
#[allow(dead_code)]
mod support;

#[allow(dead_code)]
#[path = "../generate/mod.rs"]
mod generate;
mod incremental;
mod incremental_keys;
mod incremental_support;
mod incremental_year;
mod infer_bad;
mod infer_real;
mod infer_shop;
mod infer_support;
mod pruning;
mod quarter;
mod readme;
#[path = "../front/reference_page.rs"]
#[allow(dead_code)]
mod reference_page;
mod reference_plan;
mod results_cli;
#[cfg(feature = "cloud")]
mod results_cloud;
mod results_faults;
mod results_hostile;
mod results_kill;
mod results_many;
mod results_store;
mod results_support;
mod results_troubled;
mod same_bytes;
mod standard;
mod stories;
mod stories_random;
mod streamed;
mod turns;
