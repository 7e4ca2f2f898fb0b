//! The canonical text of a file.
//!
//! Owns: the formatter. Promises: idempotent, keeps every comment, never changes the tree.
//! Must not know: the catalog.
