//! How a run is done: the one room that decides.
//!
//! Owns: in how many passes, each over a share of the customers. Promises: no decision shows in the outcome.
//! Must not know: how plans are built or run.

use super::bucket::{BUCKETS, Share};
use super::plan::program::Program;

/// Bytes that a row costs that becomes an entry: the entry as it grows and as a state, and its part of its customer.
const ENTRY: u64 = 24;

/// Rows that a pass over a compacted store has at least: below that, planning it costs more than it saves.
const PASS_ROWS: u64 = 500_000;

/// The passes of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passes {
    shares: Vec<Share>,
    /// So many at once over files of a compacted store, one partition each; `None`: one after the other, with all threads.
    at_once: Option<usize>,
}

/// What is known of a run over compacted stores before its passes are chosen.
#[derive(Debug, Clone, Copy)]
pub struct Clustered<'a> {
    /// For each source that is read, the buckets of its files.
    pub files: &'a [Vec<Share>],
    /// Rows of these sources.
    pub rows: u64,
    /// Rows of all other tables, which every pass reads.
    pub others: u64,
    pub threads: usize,
    /// Memory is: passes are as small as can be.
    pub limited: bool,
}

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
        Passes { shares: Share::ALL.split(n), at_once: None }
    }

    /// The passes over compacted stores: no file is read by two of them. The tables that are not compacted are read by every pass, so
    /// where they are large there are fewer passes.
    pub fn clustered(of: Clustered<'_>) -> Passes {
        let mut cuts: Vec<u32> = (0..=BUCKETS).collect();
        for share in of.files.iter().flatten() {
            // A cut is where no file is on both sides.
            cuts.retain(|cut| *cut <= share.lo || *cut >= share.hi);
        }
        let most = cuts.len().saturating_sub(1).max(1) as u64;
        let threads = of.threads.max(1) as u64;
        let worth = if of.limited { most } else { of.rows.div_ceil(PASS_ROWS).max(threads) };
        let cheap = of.rows.checked_div(of.others.saturating_mul(4)).map_or(u64::MAX, |n| n.max(threads));
        let n = worth.min(cheap).clamp(1, most);
        // Cut where the files end, as evenly as that allows.
        let cut = |i: u64| cuts.get(usize::try_from(most * i / n).unwrap_or(0)).copied().unwrap_or(BUCKETS);
        let shares = (0..n).map(|i| Share { lo: cut(i), hi: cut(i + 1) }).collect();
        Passes { shares, at_once: Some(of.threads.max(1)) }
    }

    /// How many passes over compacted stores are made at once; `None` where no store is.
    pub fn at_once(&self) -> Option<usize> {
        self.at_once
    }

    /// Twice as many, when memory was refused; `None` where they cannot be more.
    pub fn more(&self) -> Option<Passes> {
        match self.at_once {
            // Half of them at once, then as if nothing were compacted.
            Some(at_once) if at_once > 1 => {
                return Some(Passes { shares: self.shares.clone(), at_once: Some(at_once / 2) });
            }
            Some(_) => return Some(Passes::some(self.shares.len() as u32 * 2)),
            None => {}
        }
        let n = self.shares.len() as u32;
        (n < BUCKETS).then(|| Passes::some(n * 2))
    }

    /// What each is over.
    pub fn shares(&self) -> &[Share] {
        &self.shares
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

    #[test]
    fn passes_over_compacted_files() {
        let of = |files: &[Vec<Share>], rows, others, threads| {
            Passes::clustered(Clustered { files, rows, others, threads, limited: false })
        };
        let files = |n| Share::ALL.split(n);
        let shares = |p: &Passes| p.shares().to_vec();
        // A pass a file, if the files are worth it.
        assert_eq!(shares(&of(&[files(64)], 50_000_000, 0, 2)), files(64));
        assert_eq!(shares(&of(&[files(64)], 1_000_000, 0, 2)).len(), 2);
        assert_eq!(shares(&of(&[files(64)], 0, 0, 4)).len(), 4);
        // The files of two sources, or of two parts, end where the coarser ones do.
        assert_eq!(shares(&of(&[files(64), files(4)], 50_000_000, 0, 2)), files(4));
        assert_eq!(shares(&of(&[[files(2), files(64)].concat()], 50_000_000, 0, 2)), files(2));
        assert_eq!(shares(&of(&[files(1)], 50_000_000, 0, 2)), [Share::ALL]);
        // A large profile is not read 64 times.
        assert_eq!(shares(&of(&[files(64)], 50_000_000, 2_000_000, 2)).len(), 6);
        for n in [1, 2, 64, 4_096] {
            let all = shares(&of(&[files(n)], u64::MAX / 8, 3, 3));
            assert!(all.windows(2).all(|two| two[0].hi == two[1].lo) && all.iter().all(|s| s.lo < s.hi));
            assert_eq!((all.first().map(|s| s.lo), all.last().map(|s| s.hi)), (Some(0), Some(BUCKETS)));
        }
        // Refused memory: fewer at once, then other passes.
        let first = of(&[files(64)], 50_000_000, 0, 2);
        let second = first.more().unwrap();
        assert_eq!((first.at_once(), second.at_once(), shares(&second).len()), (Some(2), Some(1), 64));
        let third = second.more().unwrap();
        assert_eq!((third.at_once(), shares(&third).len()), (None, 128));
    }
}
