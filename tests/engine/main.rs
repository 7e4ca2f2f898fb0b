//! Tests that read Parquet and run the engine.
mod demo_example;
