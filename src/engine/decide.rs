//! How a run is done: the one room that decides.
//!
//! Owns: in how many passes, each over a share of the customers. Promises: no decision shows in the outcome.
//! Must not know: how plans are built or run.

use super::bucket::Share;

/// The passes of a run.
pub fn passes(n: u32) -> Vec<Share> {
    Share::ALL.split(n)
}
