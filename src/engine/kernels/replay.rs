//! The replay: from the entries of a bucket to one bit a wanted node, and the values that are asked for.
//!
//! Owns: the nodes over the bank of terms, and the block that is the answer. Promises: a chunk of customers at a time, so that the
//! bank stays near the processor; no result depends on the order of entries.

use datafusion::common::Result;

use super::bank::{Asked, Bank, Steps};
use super::bits::{pack, pack_range, transpose, words};
use super::block::Builder;
use super::convert::ordered;
use super::edges::Edges;
use super::ids::{Ids, Key};
use super::interned::{Slots, Texts};
use super::life::Datum;
use super::log::{EVENT, LATE, NEVER, PROFILE, TWICE, Traces};
use super::roster::{Chunk, Roster};
use super::segment::Segment;
use super::{export, story, test};
use crate::engine::plan::program::{Agg, Node, Program, Scalar, Ty, Val};
use crate::engine::types;
use crate::language::calendar::Clock;
use crate::language::num::Num;

/// Bytes of the bank.
const NEAR: usize = 1 << 18;

/// Bits behind those of the wanted nodes and lists: in the population, has two profiles.
pub const MARKS: usize = 2;

/// What is known of the customers of a chunk.
#[derive(Debug)]
pub struct Known<'a> {
    pub slots: &'a Slots,
    pub texts: &'a Texts,
    pub chunk: Chunk<'a>,
    pub bank: &'a Bank,
    /// By story and customer.
    pub told: Vec<Vec<Option<Datum>>>,
}

/// A program ready to run.
#[derive(Debug)]
pub struct Replay {
    program: Program,
    clock: Clock,
    by_pattern: Vec<Vec<u32>>,
    /// By node, where a comparison is an interval.
    edges: Vec<Option<Edges>>,
    bits: u32,
    /// Traces of this instant and later ones are not told of: somebody may be known for what comes later.
    until: i64,
}

/// What a replay works with, kept from bucket to bucket.
#[derive(Debug)]
pub struct Desk {
    roster: Roster,
    bench: Bench,
}

/// The same for one chunk after the other.
#[derive(Debug)]
pub struct Bench {
    bank: Bank,
    steps: Steps,
    /// The bits of all nodes, node by node.
    nodes: Vec<u64>,
    rows: Vec<u64>,
}

/// The customers of a chunk, in the order of their ids.
#[derive(Debug, Clone, Copy)]
pub struct Crowd<'a> {
    pub chunk: Chunk<'a>,
    /// Their traces, see [`super::log::Traces`].
    pub first: &'a [i64],
    pub flags: &'a [u8],
    pub texts: &'a Texts,
}

impl Replay {
    pub fn new(program: Program) -> Replay {
        let mut by_pattern = vec![Vec::new(); program.patterns as usize];
        for (t, term) in program.terms.iter().enumerate() {
            if let Some(terms) = by_pattern.get_mut(term.pattern as usize) {
                terms.push(t as u32);
            }
        }
        // As many customers as let the bank stay near the processor, between 64 and 8,192.
        let terms: usize = program.terms.iter().map(|term| Bank::bytes(&term.agg)).sum();
        let bits = (NEAR / (terms + 48 * program.stories.len()).max(1)).clamp(64, 8_192).ilog2();
        let clock = Clock { as_of: program.as_of, zone: types::zone(&program.zone) };
        let sums = |term: u32| program.terms.get(term as usize).is_some_and(|t| matches!(t.agg, Agg::Sum(_)));
        let edges = program.nodes.iter().map(|node| Edges::of(node, &clock, sums)).collect();
        Replay { program, clock, by_pattern, edges, bits, until: NEVER }
    }

    /// The same over a log that goes on behind the program's instant, in chunks that are no larger than another's.
    pub(super) fn within(self, bits: u32) -> Replay {
        Replay { until: self.program.as_of, bits: self.bits.min(bits), ..self }
    }

    /// A chunk has two to the power of this many customers at most.
    pub(super) fn bits(&self) -> u32 {
        self.bits
    }

    pub fn program(&self) -> &Program {
        &self.program
    }

    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// At most so many customers are in a chunk.
    pub fn size(&self) -> usize {
        1 << self.bits
    }

    /// What to work with.
    pub fn desk(&self) -> Desk {
        Desk { roster: Roster::default(), bench: self.bench() }
    }

    /// The same without a roster.
    pub fn bench(&self) -> Bench {
        Bench {
            bank: Bank::new(&self.program, self.size()),
            steps: Steps::default(),
            nodes: vec![0; self.program.nodes.len() * words(self.size())],
            rows: Vec::new(),
        }
    }

    /// What answers are put into.
    pub fn block(&self) -> Builder {
        Builder::new(width(&self.program))
    }

    /// The block of a bucket, or of those of its customers who are named.
    pub fn run(
        &self,
        segments: &[Segment],
        only: Option<&Ids>,
        numbers: bool,
        slots: &mut Slots,
        desk: &mut Desk,
    ) -> Result<Vec<u8>> {
        let Desk { roster, bench } = desk;
        roster.fill(segments, only, slots, numbers, self.bits)?;
        Ok(self.block_of(roster, |c| roster.chunk(c), slots, bench))
    }

    /// The block of a roster's customers, of whose chunks these are the entries.
    pub(super) fn block_of<'a>(
        &self,
        roster: &'a Roster,
        chunk: impl Fn(usize) -> Chunk<'a>,
        slots: &Slots,
        bench: &mut Bench,
    ) -> Vec<u8> {
        let mut out = self.block();
        let Traces { first, flags } = &roster.traces;
        for (c, from) in (0..roster.customers()).step_by(self.size()).enumerate() {
            let to = (from + self.size()).min(roster.customers());
            let crowd = Crowd {
                chunk: chunk(c),
                first: first.get(from..to).unwrap_or_default(),
                flags: flags.get(from..to).unwrap_or_default(),
                texts: &roster.texts,
            };
            self.answer(crowd, roster.ids(from, to), slots, bench, &mut out);
        }
        out.finish()
    }

    /// Appends the answers for a chunk of customers to a block.
    pub fn answer<'a>(
        &self,
        crowd: Crowd<'_>,
        ids: impl Iterator<Item = (Key, &'a [u8])>,
        slots: &Slots,
        bench: &mut Bench,
        out: &mut Builder,
    ) {
        let Bench { bank, steps, nodes, rows } = bench;
        let Crowd { chunk, first, flags, texts } = crowd;
        let here = flags.len();
        let asked =
            Asked { program: &self.program, by_pattern: &self.by_pattern, slots: slots.all(), zone: &self.clock.zone };
        bank.fill(chunk, here, asked, steps);
        let mut known = Known { slots, texts, chunk, bank, told: Vec::new() };
        story::tell(self, here, &mut known);
        self.nodes(&known, first, here, nodes);
        self.rows(crowd, &known, here, nodes, rows);
        for (row, ((key, tail), bits)) in ids.zip(rows.chunks_exact(width(&self.program))).enumerate() {
            let nothing = self.until < NEVER && bits.iter().all(|word| *word == 0);
            if nothing || (self.program.members_only && !self.holds_any(bits)) {
                continue;
            }
            out.push(key, tail, bits);
            for value in &self.program.exports {
                export::put(&mut out.exports, self.value(value, &known, row));
            }
        }
    }

    /// Whether anything is said of a customer but that he is in the population.
    fn holds_any(&self, bits: &[u64]) -> bool {
        let mark = self.program.wanted.len() + self.program.lists.len();
        bits.iter().enumerate().any(|(w, word)| if w == mark / 64 { word & !(1 << (mark % 64)) } else { *word } != 0)
    }

    /// The answers, customer by customer.
    fn rows(&self, crowd: Crowd<'_>, known: &Known<'_>, here: usize, nodes: &[u64], rows: &mut Vec<u64>) {
        let (stride, width) = (words(1 << self.bits), width(&self.program));
        let program = &self.program;
        let (mut counted, mut twice) = (vec![0; stride], vec![0; stride]);
        let entries = |first: &i64| if *first == NEVER { 0 } else { EVENT };
        // Where somebody's first trace is his profile's, its time is no event's; but then he counts for the profile, or events are entries.
        let traced = |(flags, first): (&u8, &i64)| if *first < self.until { *flags } else { flags & !EVENT };
        let traces = || crowd.flags.iter().zip(crowd.first).map(traced);
        let all = || traces().zip(known.bank.first()).map(|(flags, first)| flags | entries(first));
        let is = |flags: u8| {
            let counted =
                (program.events_count && flags & EVENT != 0) || (program.profiles_count && flags & PROFILE != 0);
            counted && flags & LATE == 0
        };
        pack(all().map(is), &mut counted);
        if let Some(node) = program.left_out {
            let left_out = nodes.get(node as usize * stride..).unwrap_or_default();
            counted.iter_mut().zip(left_out).for_each(|(counted, left_out)| *counted &= !left_out);
        }
        pack(all().map(|flags| flags & TWICE != 0), &mut twice);
        rows.clear();
        rows.resize(here * width, 0);
        let columns: Vec<&[u64]> = program
            .wanted
            .iter()
            .chain(&program.lists)
            .map(|&node| nodes.get(node as usize * stride..(node as usize + 1) * stride).unwrap_or_default())
            .chain([counted.as_slice(), twice.as_slice()])
            .collect();
        for (group, columns) in columns.chunks(64).enumerate() {
            for (w, some) in rows.chunks_mut(64 * width).enumerate() {
                let mut square = [0u64; 64];
                for (to, column) in square.iter_mut().zip(columns) {
                    *to = column.get(w).copied().unwrap_or(0);
                }
                transpose(&mut square);
                for (row, bits) in some.chunks_exact_mut(width).zip(square) {
                    if let Some(word) = row.get_mut(group) {
                        *word = bits;
                    }
                }
            }
        }
    }

    /// The bits of all nodes.
    fn nodes(&self, known: &Known<'_>, first: &[i64], here: usize, nodes: &mut [u64]) {
        let stride = words(1 << self.bits);
        let used = words(here);
        for (n, node) in self.program.nodes.iter().enumerate() {
            let (before, rest) = nodes.split_at_mut_checked(n * stride).unwrap_or_default();
            let Some(out) = rest.get_mut(..used) else { return };
            if self.edges.get(n).copied().flatten().is_some_and(|edges| edges.answer(known.bank, out)) {
                continue;
            }
            self.node(node, before, stride, known, first, here, out);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one node's share of the desk")]
    fn node(
        &self,
        node: &Node,
        before: &[u64],
        stride: usize,
        known: &Known<'_>,
        first: &[i64],
        here: usize,
        out: &mut [u64],
    ) {
        let fold = |all: &[u32], start: u64, out: &mut [u64], join: fn(u64, u64) -> u64| {
            out.fill(start);
            for other in all.iter().filter_map(|&n| before.get(n as usize * stride..)) {
                for (bit, other) in out.iter_mut().zip(other) {
                    *bit = join(*bit, *other);
                }
            }
        };
        match node {
            Node::Const(yes) => out.fill(if *yes { u64::MAX } else { 0 }),
            Node::And(all) => fold(all, u64::MAX, out, |a, b| a & b),
            Node::Or(any) => fold(any, 0, out, |a, b| a | b),
            Node::Not(inner) => fold(std::slice::from_ref(inner), u64::MAX, out, |a, b| a & !b),
            Node::Range { term, lo, hi } => {
                let lo = (*lo).max(0);
                match known.bank.counts(*term) {
                    Some(counts) if lo <= *hi && lo <= i64::from(u32::MAX) => {
                        pack_range(counts, lo as u32, (*hi).min(i64::from(u32::MAX)) as u32, out);
                    }
                    _ => out.fill(0),
                }
            }
            Node::Time { term, lo, hi } => {
                let Some(best) = known.bank.best(*term) else { return out.fill(0) };
                match hi.checked_sub(1) {
                    Some(hi) => best.pack_between(*lo, hi, out),
                    None => out.fill(0),
                }
            }
            Node::Trace(by) => {
                let all = first.iter().zip(known.bank.first()).map(|(a, b)| a.min(b));
                pack(all.map(|&t| t < self.until && t <= *by), out);
            }
            Node::Story(story) => {
                let told = known.told.get(*story as usize).map_or(&[] as &[Option<Datum>], Vec::as_slice);
                pack(told.iter().map(|t| matches!(t, Some(Datum::YesNo(true)))), out);
            }
            Node::Test(test) => {
                pack((0..here).map(|row| test::test(test, &self.clock.zone, &|val| self.value(val, known, row))), out);
            }
        }
    }

    /// A value of one customer of the chunk.
    pub fn value<'a>(&'a self, val: &'a Val, known: &'a Known<'_>, row: usize) -> Option<Scalar<'a>> {
        let bank = known.bank;
        let best = |term: u32| bank.best(term)?.get(row);
        match val {
            Val::Literal(literal) => Some(literal.scalar()),
            Val::Term { term, ty } => {
                if let Some(count) = bank.count(*term, row) {
                    Some(Scalar::Num(Num::int(i64::from(count))))
                } else if let Some(units) = bank.sum(*term, row) {
                    Some(Scalar::Num(Num::Exact { units, scale: scale(*ty) }))
                } else if let Some(sum) = bank.float(*term, row) {
                    Num::float(sum).map(Scalar::Num)
                } else {
                    typed(best(*term)?, *ty, known.texts)
                }
            }
            Val::Average { sum, known, ty } => {
                let count = f64::from(bank.count(*known, row)?);
                if count == 0.0 {
                    return None;
                }
                let total = match bank.sum(*sum, row) {
                    Some(units) => units as f64 / 10f64.powi(i32::from(scale(*ty))),
                    None => bank.float(*sum, row)?,
                };
                Num::float(total / count).map(Scalar::Num)
            }
            Val::DaysSince(term) => Some(Scalar::Num(Num::int(self.clock.days_since(best(*term)?)))),
            Val::DaysSinceDate(term) => {
                let days = i32::try_from(best(*term)?).ok()?;
                Some(Scalar::Num(Num::int(self.clock.days_since_date(days))))
            }
            Val::Story(story) => known.told.get(*story as usize)?.get(row).copied()??.scalar(known.texts),
            Val::Combine { op, left, right } => {
                let (left, right) = (self.value(left, known, row)?, self.value(right, known, row)?);
                match (left, right) {
                    (Scalar::Num(left), Scalar::Num(right)) => left.combine((*op).into(), right).map(Scalar::Num),
                    _ => None,
                }
            }
        }
    }
}

/// Words of one answer's bits.
pub fn width(program: &Program) -> usize {
    words(program.wanted.len() + program.lists.len() + MARKS)
}

/// Decimals of what is held of a type.
pub(super) fn scale(ty: Ty) -> u8 {
    match ty {
        Ty::Money(scale) => scale,
        _ => 0,
    }
}

fn typed(word: i64, ty: Ty, texts: &Texts) -> Option<Scalar<'_>> {
    Some(match ty {
        Ty::Integer | Ty::Money(_) => Scalar::Num(Num::Exact { units: i128::from(word), scale: scale(ty) }),
        Ty::Number => Scalar::Num(Num::float(f64::from_bits(ordered(word) as u64))?),
        Ty::YesNo => Scalar::YesNo(word == 1),
        Ty::Date => Scalar::Date(i32::try_from(word).ok()?),
        Ty::Instant => Scalar::Instant(word),
        Ty::Text => Scalar::Text(texts.get(word)?),
        Ty::List => return None,
    })
}
