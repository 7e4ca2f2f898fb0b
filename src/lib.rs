//! Segue, a compiler for audiences. See `ARCHITECTURE.md` beside this file.

pub mod error;

pub mod language;

pub mod project;

#[cfg(feature = "engine")]
pub mod engine;

pub mod cli;
