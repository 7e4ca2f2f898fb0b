//! Segue, a compiler for audiences. See `ARCHITECTURE.md` beside this file.

pub mod error;
pub mod language;
