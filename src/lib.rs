//! Segue, a compiler for audiences. See `ARCHITECTURE.md` beside this file.
//!
//! The whole way on one screen:
//!
//! ```text
//! project::load      segue.yaml, catalog.yaml, *.seg      → Project
//! Project::check     names, types, proofs                 → Program, or what is wrong
//! engine::run        one plan over Parquet                → Outcome: one bit a customer and rule
//! engine::write      audiences as files
//! audience::turn     what is due, decided, staged and published; audience::deliver takes it elsewhere
//! engine::identities which ids are one customer, and why
//! interpret::evaluate, spec::load                         the same answer, the slow and obvious way
//! format::format     the canonical text
//! ```

/// Tests that the crate shares with its test binaries call it by name.
#[cfg(all(test, feature = "engine"))]
extern crate self as segue;

pub mod error;

pub mod language;

pub mod project;

#[cfg(feature = "engine")]
pub mod engine;

#[cfg(feature = "engine")]
pub mod audience;

pub mod cli;

/// Logs grow in many threads' small pages and leave as large blocks; the system's own allocator keeps the holes.
#[cfg(feature = "engine")]
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;
