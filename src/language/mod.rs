//! The language wing: text in, meaning out. No DataFusion, no tokio, no clock, no files.
//!
//! Rooms, each importing only what stands above it.

pub mod source;

pub mod diagnostic;

pub mod num;

pub mod text;

pub mod sample;

pub mod yaml;

pub mod syntax;

pub mod catalog;

pub mod ir;

pub mod calendar;

pub mod check;

pub mod format;

pub mod interpret;

pub mod spec;
