//! Syntax to meaning: names, types, proofs, lints.
//!
//! Owns: everything that can be said about a program before any data is read.
//! Promises: what it lets through can be evaluated; every mistake is reported once, in one go; one mistake never causes a second message.
//! Must not know: files, DataFusion.
