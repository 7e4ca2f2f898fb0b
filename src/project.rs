//! A project on disk.
//!
//! Owns: finding and reading the files of a project. Must not know: Parquet, the engine.
