//! Tests that read Parquet and run the engine.
