//! One log, told at several instants.
//!
//! Owns: the replays of programs that ask the same patterns at different instants, and the form of their answers. Promises: what is told
//! of an instant is what a log that ended there would tell, but for what [`crate::engine::plan::lower::lower_each`] must see to; one
//! program is told as ever, and nothing is copied. Must not know: customers.

use arrow::buffer::Buffer;
use datafusion::common::Result;

use super::block::{Block, Builder};
use super::ids::{Key, tail_len};
use super::interned::{Slots, broken};
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

    /// The answer for a bucket: see [`block`].
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
        join(roster, &blocks).ok_or_else(broken)
    }
}

/// What stands of an instant in an answer for several.
struct Part<'a> {
    block: Block<'a>,
    /// A bit for each id, whether the block has the customer.
    here: Vec<u8>,
    rows: Vec<u8>,
}

/// One answer of the blocks of some instants, whose ids are a roster's: the lengths of all parts; the ids that any of them has, each once
/// (their number, keys, tails); and for each instant the words of a row, who is in its block, rows, exports.
fn join(roster: &Roster, blocks: &[Vec<u8>]) -> Option<Vec<u8>> {
    let part = |block| Some(Part { block: Block::read(block)?, here: Vec::new(), rows: Vec::new() });
    let mut parts: Vec<Part<'_>> = blocks.iter().map(|block| part(block)).collect::<Option<_>>()?;
    let (mut keys, mut tails, mut ids) = (Vec::new(), Vec::new(), 0);
    for (key, tail) in roster.ids(0, roster.customers()) {
        let mut any = false;
        for Part { block, here, rows } in parts.iter_mut().filter(|part| part.block.first() == Some((key, tail))) {
            any = true;
            here.resize(ids / 8 + 1, 0);
            here.last_mut().into_iter().for_each(|byte| *byte |= 1 << (ids % 8));
            block.row().for_each(|word| rows.extend_from_slice(&word.to_le_bytes()));
            block.advance();
        }
        if any {
            keys.extend_from_slice(&key.to_le_bytes());
            tails.extend_from_slice(tail);
            ids += 1;
        }
    }
    let mut whole = vec![[(ids as u64).to_le_bytes().as_slice(), &keys, &tails].concat()];
    for Part { block, mut here, rows } in parts {
        here.resize(ids.div_ceil(8), 0);
        whole.push([(block.width() as u64).to_le_bytes().as_slice(), &here, &rows, block.exports].concat());
    }
    let lengths = whole.iter().flat_map(|part| (part.len() as u64).to_le_bytes());
    Some(lengths.chain(whole.iter().flatten().copied()).collect())
}

/// How many customers an answer for so many instants is about.
pub fn customers(answer: &Buffer, instants: usize) -> Option<usize> {
    match instants {
        1 => Block::read(answer).map(|block| block.customers()),
        _ => Some(word(parts(answer, instants)?.first()?)?.0),
    }
}

/// The block of one of so many instants in an answer.
pub fn block(answer: &Buffer, instants: usize, at: usize) -> Option<Buffer> {
    if instants == 1 {
        return Some(answer.clone());
    }
    let parts = parts(answer, instants)?;
    let (ids, rest) = word(parts.first()?)?;
    let (keys, mut tails) = rest.split_at_checked(ids.checked_mul(16)?)?;
    let (width, rest) = word(parts.get(at + 1)?)?;
    let (here, rest) = rest.split_at_checked(ids.div_ceil(8))?;
    let there: usize = here.iter().map(|byte| byte.count_ones() as usize).sum();
    let (rows, exports) = rest.split_at_checked(there.checked_mul(width)?.checked_mul(8)?)?;
    let mut words = rows.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word));
    let mut builder = Builder::new(width);
    for (id, key) in keys.as_chunks::<16>().0.iter().enumerate() {
        let key = Key::from_le_bytes(*key);
        let (tail, others) = tails.split_at_checked(tail_len(key))?;
        tails = others;
        if here.get(id / 8)? >> (id % 8) & 1 == 1 {
            let row: Vec<u64> = words.by_ref().take(width).collect();
            builder.push(key, tail, &row);
        }
    }
    builder.exports.extend_from_slice(exports);
    Some(Buffer::from_vec(builder.finish()))
}

/// The ids of an answer, and what stands of each instant.
fn parts(answer: &Buffer, instants: usize) -> Option<Vec<&[u8]>> {
    let (lengths, mut rest) = answer.as_slice().split_at_checked(8 * (instants + 1))?;
    let part = |length: &[u8; 8]| {
        let (part, others) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
        rest = others;
        Some(part)
    };
    let parts: Vec<&[u8]> = lengths.as_chunks::<8>().0.iter().map(part).collect::<Option<_>>()?;
    rest.is_empty().then_some(parts)
}

/// A number, and what follows.
fn word(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (word, rest) = bytes.split_first_chunk::<8>()?;
    Some((usize::try_from(u64::from_le_bytes(*word)).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::super::ids::{hash_of, tail_of, text_key};
    use super::super::interned::Texts;
    use super::super::log::{Log, Row};
    use super::super::segment;
    use super::*;
    use crate::engine::plan::program::{Agg, Node, Rows, Term, Ty, Val};

    const IDS: [&str; 4] = ["a", "a customer with a tail", "b", "c"];

    /// Whoever did it before an instant, and how often.
    fn program(as_of: i64) -> Program {
        Program {
            as_of,
            zone: "UTC".into(),
            patterns: 1,
            terms: vec![Term { pattern: 0, lo: i64::MIN, hi: as_of, agg: Agg::Count }],
            nodes: vec![Node::Range { term: 0, lo: 2, hi: i64::MAX }],
            wanted: vec![0],
            exports: vec![Val::Term { term: 0, ty: Ty::Integer }],
            events_count: true,
            ..Program::default()
        }
    }

    fn log(slots: &mut Slots) -> Vec<Segment> {
        let slot = slots.number(&[Rows::Event as u8, 0]).unwrap();
        let mut log = Log::default();
        for (id, time) in [(1, 5), (0, 1), (3, 9), (0, 3), (1, 2), (3, 8), (2, 7)] {
            let id = IDS[id].as_bytes();
            let (key, tail) = (text_key(id), tail_of(id));
            let hash = hash_of(key, tail, false, &mut Vec::new()) as u32;
            log.push(Row { key, time, slot, hash }, tail);
        }
        log.flush(slots).unwrap();
        let mut bytes = Vec::new();
        segment::put(log, slots, &Texts::default(), &mut bytes);
        let mut segments = Vec::new();
        Segment::all(&Buffer::from_vec(bytes), &mut segments).unwrap();
        segments
    }

    #[test]
    fn each_instant_is_told_as_if_the_log_ended_there() {
        let told = |instants: &[i64]| {
            let moments = Moments::new(instants.iter().map(|&as_of| program(as_of)).collect());
            let mut slots = moments.slots();
            let segments = log(&mut slots);
            Buffer::from_vec(moments.run(&segments, false, &mut slots, &mut moments.desk()).unwrap())
        };
        let all = |bytes: &Buffer| {
            let mut block = Block::read(bytes).unwrap();
            let mut found = Vec::new();
            while let Some((key, tail)) = block.first() {
                found.push((key, tail.to_vec(), block.row().collect::<Vec<_>>()));
                block.advance();
            }
            (found, block.exports.to_vec())
        };
        let instants = [0, 2, 3, 6, 6, 8, 10];
        let answer = told(&instants);
        let counts = [0, 1, 2, 2, 2, 3, 4];
        for (at, customers) in counts.into_iter().enumerate() {
            let block = block(&answer, 7, at).unwrap();
            assert_eq!(all(&block).0.len(), customers, "{at}");
        }
        // At the last instant the whole log is told of.
        assert_eq!(all(&block(&answer, 7, 6).unwrap()), all(&told(&[10])));
        assert_eq!((customers(&answer, 7), customers(&told(&[10]), 1)), (Some(4), Some(4)));
        // What is no answer for so many instants is none.
        assert!(block(&answer, 6, 0).is_none() && block(&answer, 7, 7).is_none());
        assert!((0..answer.len()).all(|n| block(&answer.slice_with_length(0, n), 7, 0).is_none()));
    }
}
