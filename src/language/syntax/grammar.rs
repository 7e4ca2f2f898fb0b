//! The pest parser.
//!
//! Owns: the one place where `grammar/segue.pest` becomes code. Must not know: the tree.

use pest::Parser;
use pest::iterators::Pairs;

/// The generated parser.
#[derive(pest_derive::Parser)]
#[grammar = "../grammar/segue.pest"]
pub(super) struct Grammar;

/// Runs one rule. On failure: the byte offset of the place that the parser could not get beyond.
pub(super) fn run(rule: Rule, text: &str) -> Result<Pairs<'_, Rule>, usize> {
    Grammar::parse(rule, text).map_err(|error| match error.location {
        pest::error::InputLocation::Pos(at) => at,
        pest::error::InputLocation::Span((start, _)) => start,
    })
}
