//! The engine wing: Parquet in, one row a customer out.
//!
//! Owns: the second implementation of the meaning, as one DataFusion plan. Must not know: syntax, the command line.

pub mod demo;

pub mod infer;
