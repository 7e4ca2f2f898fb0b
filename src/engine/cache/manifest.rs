//! Which segments there are and what they hold.
//!
//! Owns: the manifest of one shelf and its place on disk. Promises: swapped in whole; what does not read as ours is none.
//! Must not know: plans, what states mean.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::engine::report::Tally;

/// Changes whenever files of an earlier version would be misread.
pub const FORMAT: u32 = 1;

/// All that is kept of one source under one key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    pub format: u32,
    pub key: String,
    /// The largest first.
    pub segments: Vec<Segment>,
}

/// A file of states that never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    pub name: String,
    pub bytes: u64,
    /// The input files whose rows it holds, in the order of their entries.
    pub runs: Vec<Run>,
    /// One a group of customers.
    pub groups: Vec<Group>,
}

/// The rows of one input file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    pub file: String,
    /// Entries over all groups.
    pub entries: u64,
    pub seen: Seen,
}

/// What was seen in an input file beside its entries.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    pub rows: u64,
    pub no_customer: u64,
    pub no_time: u64,
    pub linked: u64,
    pub unlinked: u64,
    pub unknown: Vec<(Option<String>, u64)>,
    pub events: Vec<(u32, u64)>,
    /// The earliest and the latest time; none in a file without times.
    pub span: Option<(i64, i64)>,
}

impl Seen {
    /// The same as the sums of a batch.
    pub fn tally(&self) -> Tally {
        Tally {
            rows: self.rows,
            no_customer: self.no_customer,
            no_time: self.no_time,
            not_yet: 0,
            unknown: self.unknown.iter().cloned().collect(),
            events: self.events.iter().copied().collect(),
        }
    }

    /// Whether all rows happened before the instant.
    pub fn before(&self, instant: i64) -> bool {
        self.span.is_none_or(|(_, last)| last < instant)
    }
}

/// Where a group's state lies in the segment, and where its runs are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    pub state: Piece,
    pub runs: Piece,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    pub at: u64,
    pub bytes: u64,
    pub sum: u64,
}

impl Manifest {
    pub fn new(key: &str) -> Manifest {
        Manifest { format: FORMAT, key: key.to_owned(), segments: Vec::new() }
    }

    /// Whether it is of this format and key.
    pub fn is_ours(&self, key: &str) -> bool {
        self.format == FORMAT && self.key == key
    }

    /// Segment and run of each file that is held.
    pub fn files(&self) -> BTreeMap<&str, (usize, usize)> {
        let segments = self.segments.iter().enumerate();
        segments
            .flat_map(|(s, segment)| segment.runs.iter().enumerate().map(move |(r, run)| (run.file.as_str(), (s, r))))
            .collect()
    }

    /// Which segments should become one: from this index on. Few segments stay, and each entry is written again only
    /// when the segment it lies in has grown by a third or when half of it is of files that are gone.
    pub fn crowded(&self, wanted: impl Fn(&str) -> bool) -> Option<usize> {
        let live = |s: &Segment| s.runs.iter().filter(|r| wanted(&r.file)).map(|r| r.entries).sum::<u64>();
        let all = |s: &Segment| s.runs.iter().map(|r| r.entries).sum::<u64>();
        let mut behind = 0;
        let mut from = None;
        for (s, segment) in self.segments.iter().enumerate().rev() {
            let last = s + 1 == self.segments.len();
            let sparse = 2 * live(segment) < all(segment);
            if sparse || (!last && 3 * behind >= live(segment)) {
                from = Some(s);
            }
            behind += live(segment);
        }
        from
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(files: std::ops::Range<u32>, entries: u64) -> Segment {
        let run = |file: u32| Run { file: file.to_string(), entries, seen: Seen::default() };
        Segment { name: String::new(), bytes: 0, runs: files.map(run).collect(), groups: Vec::new() }
    }

    #[test]
    fn few_segments_stay_and_little_is_written_again() {
        let mut manifest = Manifest::new("k");
        let (mut most, mut written) = (0, 0);
        for day in 0..1_000 {
            manifest.segments.push(segment(day..day + 1, 10));
            if let Some(from) = manifest.crowded(|_| true) {
                let runs: Vec<Run> = manifest.segments.drain(from..).flat_map(|s| s.runs).collect();
                written += runs.len();
                manifest.segments.push(Segment { runs, ..segment(0..0, 0) });
            }
            most = most.max(manifest.segments.len());
        }
        assert!(most <= 7, "{most} segments");
        assert!(written < 20_000, "{written} runs written again");
        assert_eq!(manifest.files().len(), 1_000);
    }

    #[test]
    fn what_is_half_gone_is_written_again() {
        let mut manifest = Manifest::new("k");
        manifest.segments = vec![segment(0..100, 10), segment(100..101, 10)];
        assert_eq!(manifest.crowded(|_| true), None);
        assert_eq!(manifest.crowded(|file| file.parse::<u32>().is_ok_and(|n| n >= 40)), None);
        assert_eq!(manifest.crowded(|file| file.parse::<u32>().is_ok_and(|n| n >= 60)), Some(0));
        assert_eq!(manifest.crowded(|file| file != "100"), Some(1));
    }
}
