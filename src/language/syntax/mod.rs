//! Text to syntax tree.
//!
//! Owns: the grammar (`grammar/segue.pest`), the tree and its builder. The only room that knows pest.
//! Promises: parsing never fails and never panics, whatever the bytes; a broken declaration becomes [`ast::Item::Error`] and its
//! neighbours still parse; every mistake of the file is in `diagnostics`.
//! Must not know: the catalog, or what any name means.

pub mod ast;
