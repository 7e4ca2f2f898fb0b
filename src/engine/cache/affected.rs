//! Whose answers may be others than they were: one program at two instants.
//!
//! Owns: what of a program moves with the date, and which entries tell that somebody is affected by it. Promises: whoever has none of
//! these entries, and no others than before, has the same answers at both instants. Must not know: where entries are kept.

use crate::engine::kernels::edges::{Edges, TIMES};
use crate::engine::kernels::story;
use crate::engine::kernels::touched::{Bands, Spans};
use crate::engine::plan::program::{Agg, Node, Program, Test, Val};
use crate::engine::plan::story::{Frame, Story};
use crate::engine::types;
use crate::language::calendar::Clock;

/// What never moves: programs that are the same without their windows are comparable.
pub fn timeless(program: &Program) -> Program {
    let mut timeless = Program { as_of: 0, ..program.clone() };
    timeless.terms.iter_mut().for_each(|term| (term.lo, term.hi) = (0, 0));
    for node in &mut timeless.nodes {
        match node {
            Node::Time { lo, hi, .. } => (*lo, *hi) = (0, 0),
            Node::Trace(by) => *by = 0,
            _ => {}
        }
    }
    for story in &mut timeless.stories {
        let (Story::Fold { frame, .. }
        | Story::Same { frame, .. }
        | Story::Pick { frame, .. }
        | Story::Chain { frame, .. }
        | Story::Visit { frame, .. }
        | Story::Stretch { frame, .. }) = story;
        *frame = Frame { lo: 0, hi: 0, ..*frame };
    }
    timeless
}

/// Which entries tell that their customer is affected by the change from one program to a comparable one.
pub fn bands(was: &Program, is: &Program) -> Bands {
    let mut bands = Bands { by_pattern: vec![Spans::default(); is.patterns as usize], events: Spans::default() };
    for (was, is) in was.terms.iter().zip(&is.terms) {
        add(&mut bands, is.pattern, differ((was.lo, was.hi), (is.lo, is.hi)));
    }
    let clocks = [was, is].map(|program| Clock { as_of: program.as_of, zone: types::zone(&program.zone) });
    for (was_node, node) in was.nodes.iter().zip(&is.nodes) {
        match (was_node, node) {
            (Node::Time { lo, hi, .. }, Node::Time { term, lo: now_lo, hi: now_hi }) => {
                add_of(&mut bands, is, *term, differ((*lo, *hi), (*now_lo, *now_hi)));
            }
            // At or before the instant.
            (Node::Trace(was), Node::Trace(is)) => {
                bands.events.add((was.min(is).saturating_add(1), was.max(is).saturating_add(1)));
            }
            (_, Node::Test(test)) if was.as_of != is.as_of => dated(&mut bands, is, node, test, &clocks),
            _ => {}
        }
    }
    if was.as_of != is.as_of || was.stories != is.stories {
        for (pattern, asked) in (0u32..).zip(story::wanted(is)) {
            if asked {
                add(&mut bands, pattern, [EVER]);
            }
        }
    }
    bands
}

/// Any entry at all.
const EVER: (i64, i64) = (i64::MIN, i64::MAX);

/// The instants that are in one of two intervals `[lo, hi)` alone; some may end before they begin.
fn differ(a: (i64, i64), b: (i64, i64)) -> [(i64, i64); 2] {
    if a.0 >= a.1 || b.0 >= b.1 || a.1 <= b.0 || b.1 <= a.0 {
        return [a, b];
    }
    [(a.0.min(b.0), a.0.max(b.0)), (a.1.min(b.1), a.1.max(b.1))]
}

fn add(bands: &mut Bands, pattern: u32, spans: impl IntoIterator<Item = (i64, i64)>) {
    if let Some(of) = bands.by_pattern.get_mut(pattern as usize) {
        spans.into_iter().for_each(|span| of.add(span));
    }
}

fn add_of(bands: &mut Bands, program: &Program, term: u32, spans: impl IntoIterator<Item = (i64, i64)>) {
    if let Some(term) = program.terms.get(term as usize) {
        add(bands, term.pattern, spans);
    }
}

/// What a test asks of the clock.
fn dated(bands: &mut Bands, program: &Program, node: &Node, test: &Test<Val>, clocks: &[Clock; 2]) {
    if let [Some(was), Some(is)] = clocks.each_ref().map(|clock| Edges::of(node, clock, |_| false)?.instants())
        && let Some(term) = program.terms.get(is.0 as usize)
        && matches!(term.agg, Agg::First | Agg::Last)
    {
        // The instant is an entry's own; one that no calendar knows is compared otherwise.
        let unknown = [(i64::MIN, TIMES.0), (TIMES.1.saturating_add(1), i64::MAX)];
        add(bands, term.pattern, differ(was.1, is.1).into_iter().chain(unknown));
        return;
    }
    for value in test.values() {
        days_since(value, &mut |term| add_of(bands, program, term, [EVER]));
    }
}

/// The terms from which a value counts days.
fn days_since(value: &Val, found: &mut impl FnMut(u32)) {
    match value {
        Val::DaysSince(term) | Val::DaysSinceDate(term) => found(*term),
        Val::Combine { op: _, left, right } => {
            days_since(left, found);
            days_since(right, found);
        }
        Val::Literal(_) | Val::Term { .. } | Val::Average { .. } | Val::Story(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use arrow::buffer::Buffer;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::engine::kernels::block::Block;
    use crate::engine::kernels::ids::{Ids, Wanted, hash_of, text_key};
    use crate::engine::kernels::interned::Slots;
    use crate::engine::kernels::join::Piece;
    use crate::engine::kernels::log::{Log, Row};
    use crate::engine::kernels::replay::Replay;
    use crate::engine::kernels::segment::{self, Segment};
    use crate::engine::kernels::touched::{Look, touched};
    use crate::engine::plan::program::{Cmp, Lit, Period, Rows, Term};
    use crate::language::num::Num;

    const HOUR: i64 = 3_600_000_000;
    /// Some days around a change of the clock in Paris.
    const START: i64 = 1_792_800_000_000_000;
    const PATTERNS: u32 = 3;

    fn window(rng: &mut ChaCha8Rng, as_of: i64) -> (i64, i64) {
        let lo = as_of - rng.random_range(0..200) * HOUR;
        match rng.random_range(0..5) {
            0 => EVER,
            1 => (i64::MIN, lo),
            2 => (lo, as_of - rng.random_range(0..200) * HOUR),
            3 => (START + 20 * HOUR, START + 90 * HOUR),
            _ => (lo, as_of),
        }
    }

    /// One program as it is at two instants: what is drawn for both is the same.
    fn programs(seed: u64, as_of: [i64; 2]) -> [Program; 2] {
        as_of.map(|as_of| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let aggs =
                [Agg::Count, Agg::Periods(Period::Day), Agg::First, Agg::Last, Agg::First, Agg::Last, Agg::Count];
            let terms: Vec<Term> = aggs
                .into_iter()
                .enumerate()
                .map(|(t, agg)| {
                    let (lo, hi) = if (2..6).contains(&t) { EVER } else { window(&mut rng, as_of) };
                    Term { pattern: rng.random_range(0..PATTERNS), lo, hi, agg }
                })
                .collect();
            let op =
                |rng: &mut ChaCha8Rng| [Cmp::Eq, Cmp::Ne, Cmp::Lt, Cmp::Le, Cmp::Gt, Cmp::Ge][rng.random_range(0..6)];
            let days = |rng: &mut ChaCha8Rng| Val::Literal(Lit::num(Num::int(rng.random_range(-1..9))));
            let compare = |left, op, right| Node::Test(Test::Compare { left, op, right });
            let (lo, hi) = window(&mut rng, as_of);
            let nodes = vec![
                Node::Range { term: 0, lo: 2, hi: i64::MAX },
                Node::Range { term: 1, lo: 1, hi: 2 },
                Node::Range { term: 6, lo: 0, hi: 1 },
                Node::Time { term: 2, lo, hi },
                Node::Trace(as_of - rng.random_range(0..100) * HOUR),
                compare(Val::DaysSince(3), op(&mut rng), days(&mut rng)),
                compare(Val::DaysSince(4), op(&mut rng), days(&mut rng)),
                compare(Val::DaysSince(4), op(&mut rng), Val::DaysSince(5)),
            ];
            // Not all rules have all of them.
            let nodes: Vec<Node> = nodes.into_iter().filter(|_| rng.random_bool(0.4)).collect();
            let wanted = (0..nodes.len() as u32).collect();
            let zone = "Europe/Paris".to_owned();
            Program { as_of, zone, patterns: PATTERNS, terms, nodes, wanted, events_count: true, ..Program::default() }
        })
    }

    type Answers = Vec<(u128, Vec<u64>)>;

    fn answers(program: &Program, segments: &[Segment]) -> Answers {
        let (replay, mut slots) = (Replay::new(program.clone()), Slots::new(program));
        let bytes = replay.run(segments, None, false, &mut slots, &mut replay.desk()).unwrap();
        let mut block = Block::read(&bytes).unwrap();
        let mut all = Vec::new();
        while let Some((key, _)) = block.first() {
            all.push((key, block.row().collect()));
            block.advance();
        }
        all
    }

    /// A state of random events: customers who did little, many at the edges of windows.
    fn state(program: &Program, rng: &mut ChaCha8Rng, instants: &[i64]) -> Vec<u8> {
        let mut slots = Slots::new(program);
        let event = Rows::Event as u8;
        let lists: [&[u8]; 5] = [&[event], &[event, 0], &[event, 1], &[event, 2], &[event, 0, 2]];
        let lists = lists.map(|list| slots.number(list).unwrap());
        let mut log = Log::default();
        for customer in 0..60 {
            let key = text_key(format!("c{customer}").as_bytes());
            let hash = hash_of(key, &[], false, &mut Vec::new()) as u32;
            for _ in 0..rng.random_range(0..4) {
                let time = match rng.random_bool(0.5) {
                    true => instants[rng.random_range(0..instants.len())] + rng.random_range(-1..=1),
                    false => START + rng.random_range(-20..200) * HOUR,
                };
                log.push(Row { key, time, slot: lists[rng.random_range(0..lists.len())], hash }, &[]);
            }
        }
        log.flush(&slots).unwrap();
        let mut bytes = Vec::new();
        segment::put(log, &slots, &crate::engine::kernels::interned::Texts::default(), &mut bytes);
        bytes
    }

    /// Whoever is not told to be affected has the same answers at both instants, by an evaluation of everybody.
    #[test]
    fn who_is_not_affected_answers_as_before() {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let (mut changed, mut spared, mut all) = (0, 0, 0);
        for seed in 0..1_500 {
            let first = START + rng.random_range(90..150) * HOUR;
            let step = [0, 1, 24, 24, 25, 70, -24][rng.random_range(0..7)];
            let [was, is] = programs(seed, [first, first + step * HOUR]);
            assert_eq!(key_of(&was), key_of(&is));
            let edges = |program: &Program| -> Vec<i64> {
                let windows = program.terms.iter().flat_map(|t| [t.lo, t.hi]);
                let nodes = program.nodes.iter().flat_map(|node| match node {
                    Node::Time { lo, hi, .. } => vec![*lo, *hi],
                    Node::Trace(by) => vec![*by],
                    _ => Vec::new(),
                });
                let days = (-1..10).map(|days| program.as_of - days * 24 * HOUR);
                windows.chain(nodes).chain(days).filter(|at| (-HOUR..i64::MAX / 2).contains(at)).collect()
            };
            let instants: Vec<i64> = edges(&was).into_iter().chain(edges(&is)).collect();
            let state = Buffer::from_vec(state(&is, &mut rng, &instants));
            let mut segments = Vec::new();
            Segment::all(&state, &mut segments).unwrap();
            let bands = bands(&was, &is);
            let mut named = Ids::default();
            let times =
                segments.iter().flat_map(|s| s.when().chain(s.traces().map(|(_, first, _)| first)).collect::<Vec<_>>());
            let (lo, hi) = times.fold((i64::MAX, i64::MIN), |(lo, hi), time| (time.min(lo), time.max(hi)));
            let look = |_| if bands.meet((lo, hi)) { Look::Within(lo, hi) } else { Look::No };
            for piece in Piece::whole(&state, 0).unwrap() {
                touched(&piece, look, &bands, &mut Slots::new(&is), false, &mut named).unwrap();
            }
            let (before, after) = (answers(&was, &segments), answers(&is, &segments));
            assert_eq!(before.len(), after.len());
            for (before, after) in before.iter().zip(&after) {
                let hash = hash_of(before.0, &[], false, &mut Vec::new()) as u32;
                let affected = named.find(Wanted { key: before.0, tail: &[], hash }).is_some();
                assert!(affected || before == after, "seed {seed}: {before:?} {after:?}\n{was:?}\n{is:?}");
                (changed, all) = (changed + usize::from(before != after), all + 1);
                spared += usize::from(!affected);
            }
        }
        println!("{changed} of {all} changed, {spared} were spared");
        assert!(changed > all / 50 && spared > all / 4, "{changed} {spared} {all}");
    }

    fn key_of(program: &Program) -> String {
        crate::engine::kernels::convert::text(&timeless(program)).unwrap()
    }

    #[test]
    fn what_is_in_one_interval_alone() {
        let ends = [0, 1, 2, 3, 5, 8];
        let all: Vec<(i64, i64)> = ends.iter().flat_map(|&lo| ends.iter().map(move |&hi| (lo, hi))).collect();
        for &a in &all {
            for &b in &all {
                let mut spans = Spans::default();
                differ(a, b).into_iter().for_each(|span| spans.add(span));
                for time in -1..10 {
                    let within = |(lo, hi): (i64, i64)| lo <= time && time < hi;
                    if within(a) != within(b) {
                        assert!(spans.hold(time), "{a:?} {b:?} {time}");
                    } else if a.0 < a.1 && b.0 < b.1 {
                        assert!(!spans.hold(time), "{a:?} {b:?} {time}");
                    }
                }
            }
        }
    }

    /// What stories and days count with differs from one instant to the next for all who did it, and for nobody at the same instant.
    #[test]
    fn whatever_asks_the_clock_is_looked_for() {
        let at = |as_of: i64| Program {
            as_of,
            zone: "UTC".into(),
            patterns: 2,
            terms: vec![Term { pattern: 1, lo: EVER.0, hi: EVER.1, agg: Agg::Min(0) }],
            nodes: vec![Node::Test(Test::Compare {
                left: Val::DaysSince(0),
                op: Cmp::Gt,
                right: Val::Literal(Lit::num(Num::int(3))),
            })],
            ..Program::default()
        };
        assert!(bands(&at(5), &at(5)).by_pattern.iter().all(Spans::is_empty));
        let found = bands(&at(5), &at(6));
        // It is no entry's own time.
        assert!(found.by_pattern[1].hold(0) && found.by_pattern[0].is_empty());
    }
}
