//! How a run is done: the one room that decides.
//!
//! Owns: in how many passes, each over a share of the customers. Promises: no decision shows in the outcome.
//! Must not know: how plans are built or run.

use super::bucket::{BUCKETS, Share};
use super::plan::program::Program;

/// Bytes that a row costs that becomes an entry: the entry as it grows and as a state, and its part of its customer.
const ENTRY: u64 = 24;

/// The passes of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passes(Vec<Share>);

impl Passes {
    /// As many as should stay within a memory limit when so many rows are read.
    pub fn new(rows: u64, program: &Program, limit: Option<usize>) -> Passes {
        let Some(limit) = limit else { return Passes::some(1) };
        let channels = u64::from(program.int_channels) + u64::from(program.text_channels);
        let need = rows.saturating_mul(ENTRY + 8 * channels);
        // A quarter is left to what is on its way.
        let room = (limit as u64 / 4 * 3).max(1);
        Passes::some(u32::try_from(need.div_ceil(room)).unwrap_or(BUCKETS))
    }

    fn some(n: u32) -> Passes {
        Passes(Share::ALL.split(n))
    }

    /// Twice as many, when memory was refused; `None` where they cannot be more.
    pub fn more(&self) -> Option<Passes> {
        let n = self.0.len() as u32;
        (n < BUCKETS).then(|| Passes::some(n * 2))
    }

    /// What each is over.
    pub fn shares(&self) -> &[Share] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_passes_as_memory_asks_for() {
        let program = Program::default();
        let count = |rows, limit| Passes::new(rows, &program, limit).shares().len();
        assert_eq!(count(u64::MAX, None), 1);
        assert_eq!(count(1_000, Some(1 << 30)), 1);
        assert_eq!(count(50_000_000, Some(512 << 20)), 3);
        assert_eq!(count(u64::MAX, Some(0)), BUCKETS as usize);
        assert_eq!(Passes::some(3).more(), Some(Passes::some(6)));
        assert_eq!(Passes::some(BUCKETS).more(), None);
    }
}
