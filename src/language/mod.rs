//! The language wing: text in, meaning out. No DataFusion, no tokio, no clock, no files.
//!
//! Rooms, each importing only what stands above it.

pub mod catalog;
pub mod diagnostic;
pub mod ir;
pub mod interpret;
pub mod num;
pub mod source;
pub mod syntax;
