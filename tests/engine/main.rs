//! Tests that read Parquet and run the engine.

mod cli_demo;
mod demo_example;
#[path = "../front/support.rs"]
#[allow(dead_code)]
mod support;
