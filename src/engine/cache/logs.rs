//! What is kept of the rows of files, group by group.
//!
//! Owns: states with their runs in bytes, on their way from files into segments and from segments into a run. Promises: what is left
//! out leaves no trace. Must not know: disks.

use std::io::{Error, ErrorKind, Result};

use arrow::buffer::Buffer;

use super::manifest::{Run, Seen};
use super::segment::Writer;
use crate::engine::bucket::GROUPS;
use crate::engine::kernels::join::{self, Joined, Joiner, Piece};
use crate::engine::plan::program::Program;

/// Logs of files on their way into a segment.
#[derive(Debug)]
pub struct Gathering {
    joiner: Joiner,
    runs: Vec<Run>,
    /// By group the states, with their run.
    groups: Vec<Vec<(u32, Buffer)>>,
    bytes: usize,
}

impl Gathering {
    pub fn new(program: &Program, numbers: bool) -> Gathering {
        let groups = std::iter::repeat_with(Vec::new).take(GROUPS as usize).collect();
        Gathering { joiner: Joiner::new(program, numbers), runs: Vec::new(), groups, bytes: 0 }
    }

    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds the log of a file.
    pub fn add(&mut self, file: &str, seen: Seen, groups: Vec<(u32, Buffer)>) {
        let run = self.runs.len() as u32;
        for (group, state) in groups {
            self.bytes += state.len();
            if let Some(all) = self.groups.get_mut(group as usize) {
                all.push((run, state));
            }
        }
        self.runs.push(Run { file: file.to_owned(), entries: 0, seen });
    }

    /// Writes all groups and is empty then; the runs that they consist of.
    pub fn write(&mut self, writer: &mut Writer) -> Result<Vec<Run>> {
        let mut runs = std::mem::take(&mut self.runs);
        self.bytes = 0;
        for states in &mut self.groups {
            let mut pieces = Vec::with_capacity(states.len());
            for (run, state) in states.drain(..) {
                pieces.extend(Piece::whole(&state, run).map_err(odd)?);
            }
            let joined = self.joiner.join(&pieces, |_, run| Some(run), |_| true).map_err(odd)?;
            for run in &joined.runs {
                if let Some(of) = runs.get_mut(run.number as usize) {
                    of.entries += run.entries as u64;
                }
            }
            writer.group(&joined.state, &put(&joined.runs))?;
        }
        Ok(runs)
    }
}

fn odd(why: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::InvalidData, why.to_string())
}

/// A state with its runs; none where there is nothing.
pub fn piece(state: Buffer, runs: &[u8]) -> Result<Option<Piece>> {
    Piece::new(state, take(runs).ok_or_else(|| odd("runs do not read"))?).map_err(odd)
}

/// A group without the runs that are not kept, or the customers.
pub fn cut(
    joiner: &mut Joiner,
    state: Buffer,
    runs: &[u8],
    keep: &[bool],
    who: impl Fn(u64) -> bool,
) -> Result<Buffer> {
    let Some(piece) = piece(state, runs)? else { return Ok(Buffer::default()) };
    let kept = |_, run: u32| keep.get(run as usize).copied().unwrap_or(false).then_some(run);
    Ok(Buffer::from_vec(joiner.join(&[piece], kept, who).map_err(odd)?.state))
}

/// Groups of several segments as one; runs that are not kept are gone, and the others are numbered anew.
pub fn merged(joiner: &mut Joiner, pieces: Vec<(Vec<u8>, Vec<u8>, &[bool])>) -> Result<(Vec<u8>, Vec<u8>)> {
    let (mut all, mut numbers) = (Vec::new(), Vec::new());
    let mut next = 0;
    for (state, runs, keep) in pieces {
        let number = |keep: &bool| {
            next += u32::from(*keep);
            keep.then_some(next.wrapping_sub(1))
        };
        let new: Vec<Option<u32>> = keep.iter().map(number).collect();
        if let Some(piece) = piece(Buffer::from_vec(state), &runs)? {
            all.push(piece);
            numbers.push(new);
        }
    }
    let kept = |p: usize, run: u32| numbers.get(p)?.get(run as usize).copied().flatten();
    let Joined { state, runs } = joiner.join(&all, kept, |_| true).map_err(odd)?;
    Ok((state, put(&runs)))
}

/// Runs as bytes: numbers of seven bits a byte, traces by how far each lies behind the one before.
fn put(runs: &[join::Run]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut number = |n: u64| {
        let mut n = n;
        while n >= 128 {
            out.push(n as u8 | 128);
            n >>= 7;
        }
        out.push(n as u8);
    };
    for run in runs {
        number(u64::from(run.number));
        number(run.entries as u64);
        number(run.traces.len() as u64);
        let (mut who, mut first) = (0u32, 0i64);
        for &(next, time) in &run.traces {
            number(u64::from(next.wrapping_sub(who)));
            let step = time.wrapping_sub(first);
            number(((step << 1) ^ (step >> 63)) as u64);
            (who, first) = (next, time);
        }
    }
    out
}

/// Reads what [`put`] wrote.
fn take(bytes: &[u8]) -> Option<Vec<join::Run>> {
    let mut bytes = bytes.iter();
    let mut runs = Vec::new();
    while let Some(run) = number(&mut bytes) {
        let entries = usize::try_from(number(&mut bytes)?).ok()?;
        let length = number(&mut bytes)?;
        let mut traces = Vec::new();
        let (mut who, mut first) = (0u32, 0i64);
        for _ in 0..length {
            who = who.wrapping_add(number(&mut bytes)? as u32);
            let step = number(&mut bytes)?;
            first = first.wrapping_add((step >> 1) as i64 ^ -((step & 1) as i64));
            traces.push((who, first));
        }
        runs.push(join::Run { number: u32::try_from(run).ok()?, entries, traces });
    }
    Some(runs)
}

fn number(bytes: &mut std::slice::Iter<'_, u8>) -> Option<u64> {
    let mut n = 0;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.next()?;
        n |= u64::from(byte & 127) << shift;
        if byte < 128 {
            return Some(n);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_come_back() {
        let traces = vec![(7, i64::MIN), (3, i64::MAX), (3, 0), (u32::MAX, -1)];
        let runs = vec![
            join::Run { number: 0, entries: 0, traces: Vec::new() },
            join::Run { number: 300, entries: 1 << 40, traces },
            join::Run { number: 2, entries: 5, traces: vec![(0, 5)] },
        ];
        assert_eq!(take(&put(&runs)), Some(runs));
        assert_eq!(take(&[]), Some(Vec::new()));
        assert_eq!(take(&[1, 1, 128]), None);
    }
}
