//! One log, told at several instants.
//!
//! Owns: the replays of programs that ask the same patterns at different instants, and the form of their answers. Promises: what is told
//! of an instant is what a log that ended there would tell, but for what [`crate::engine::plan::lower::lower_each`] must see to; one
//! program is told as ever, and nothing is copied. Must not know: customers.

use arrow::buffer::Buffer;
use datafusion::common::Result;

use super::interned::Slots;
use super::replay::{Bench, Replay};
use super::roster::Roster;
use super::segment::Segment;
use crate::engine::plan::program::Program;

/// Replays, by ascending instants.
#[derive(Debug)]
pub struct Moments {
    replays: Vec<Replay>,
    instants: Vec<i64>,
}

/// What they work with, kept from bucket to bucket.
#[derive(Debug)]
pub struct Desk {
    roster: Roster,
    benches: Vec<Bench>,
}

impl Moments {
    pub fn new(programs: Vec<Program>) -> Moments {
        let instants: Vec<i64> = programs.iter().map(|program| program.as_of).collect();
        let mut replays: Vec<Replay> = programs.into_iter().map(Replay::new).collect();
        if replays.len() > 1 {
            // The same customers are a chunk for all of them.
            let bits = replays.iter().map(Replay::bits).min().unwrap_or_default();
            replays = replays.into_iter().map(|replay| replay.within(bits)).collect();
        }
        Moments { replays, instants }
    }

    pub fn programs(&self) -> impl Iterator<Item = &Program> {
        self.replays.iter().map(Replay::program)
    }

    /// What all their entries carry.
    pub fn slots(&self) -> Slots {
        Slots::of(self.programs())
    }

    pub fn desk(&self) -> Desk {
        Desk { roster: Roster::default(), benches: self.replays.iter().map(Replay::bench).collect() }
    }

    /// The blocks of a bucket: see [`split`].
    pub fn run(&self, segments: &[Segment], numbers: bool, slots: &mut Slots, desk: &mut Desk) -> Result<Vec<u8>> {
        let Desk { roster, benches } = desk;
        let all = self.replays.len();
        roster.fill(segments, None, slots, numbers, self.replays.first().map_or(0, Replay::bits))?;
        if let ([replay], [bench]) = (self.replays.as_slice(), benches.as_mut_slice()) {
            return Ok(replay.block_of(roster, |c| roster.chunk(c), slots, bench));
        }
        roster.order(&self.instants);
        let of = |(at, (replay, bench)): (usize, (&Replay, &mut Bench))| {
            replay.block_of(roster, |c| roster.chunk_before(c, at, all), slots, bench)
        };
        let blocks: Vec<Vec<u8>> = self.replays.iter().zip(benches).enumerate().map(of).collect();
        let mut out = Vec::with_capacity(blocks.iter().map(|block| 8 + block.len()).sum());
        blocks.iter().for_each(|block| out.extend_from_slice(&(block.len() as u64).to_le_bytes()));
        blocks.iter().for_each(|block| out.extend_from_slice(block));
        Ok(out)
    }
}

/// The blocks of an answer for so many instants, where they are: that of one alone, or the lengths of all and then one behind the other.
pub fn split(answer: &Buffer, instants: usize) -> Option<Vec<Buffer>> {
    if instants == 1 {
        return Some(vec![answer.clone()]);
    }
    let (lengths, _) = answer.as_slice().split_at_checked(8 * instants)?;
    let mut at = lengths.len();
    let block = |length: &[u8; 8]| {
        let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
        answer.as_slice().get(at..at.checked_add(length)?)?;
        at += length;
        Some(answer.slice_with_length(at - length, length))
    };
    let blocks: Vec<Buffer> = lengths.as_chunks::<8>().0.iter().map(block).collect::<Option<_>>()?;
    (at == answer.len()).then_some(blocks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_answer_for_so_many_instants_is_none() {
        let word = |n: u64| n.to_le_bytes();
        let answer = Buffer::from_vec([word(2).as_slice(), &word(0), &word(1), b"abc"].concat());
        let blocks = split(&answer, 3).unwrap();
        assert_eq!(blocks.iter().map(Buffer::as_slice).collect::<Vec<_>>(), [b"ab".as_slice(), b"", b"c"]);
        assert_eq!(split(&answer, 1).unwrap(), std::slice::from_ref(&answer));
        assert!(split(&answer, 2).is_none() && split(&answer, 4).is_none());
        assert!((0..answer.len()).all(|n| split(&answer.slice_with_length(0, n), 3).is_none()));
        assert!(split(&Buffer::from_vec([word(u64::MAX), word(1)].concat()), 2).is_none());
    }
}
