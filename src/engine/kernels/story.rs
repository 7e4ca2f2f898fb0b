//! Stories: what is told customer by customer, from his entries in the order of time.
//!
//! Owns: the evaluation of stories. Promises: each customer's answers depend on his entries alone, never on their order.
//! Must not know: how entries came into the log.

use super::chain;
use super::fold::{fold, periods};
use super::hash::Map;
use super::interned::Slot;
use super::life::{Datum, Key, Life};
use super::replay::{Known, Replay};
use super::test;
use crate::engine::plan::program::{Cmp, Program, Scalar};
use crate::engine::plan::story::{Inside, Rest, Same, Side, Story};
use crate::language::num::Num;

const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Tells all stories of the customers of a chunk.
pub fn tell(replay: &Replay, here: usize, known: &mut Known<'_>) {
    let program = replay.program();
    if program.stories.is_empty() {
        return;
    }
    known.told = vec![vec![None; here]; program.stories.len()];
    let wanted = wanted(program);
    let asks = |slot: &Slot| slot.patterns.iter().any(|&p| wanted.get(p as usize).copied().unwrap_or(false));
    let asked: Vec<bool> = known.slots.all().iter().map(asks).collect();
    let (order, ends) = known.chunk.by_customer(here, |slot| asked.get(slot as usize).copied().unwrap_or(false));
    let mut life = Life::new(program, replay.clock(), known, wanted);
    // Nothing that is told of a customer without entries depends on who he is.
    let mut nobody: Option<usize> = None;
    let mut from = 0;
    for (row, end) in ends.into_iter().map(|end| end as usize).enumerate() {
        let entries = order.get(from..end).unwrap_or_default();
        from = end;
        if entries.is_empty() {
            if let Some(same) = nobody {
                known.told.iter_mut().for_each(|told| told.copy_within(same..same + 1, row));
                continue;
            }
            nobody = Some(row);
        }
        life.begin(entries);
        for (s, (story, &deeds)) in program.stories.iter().zip(&program.deeds_before).enumerate() {
            while life.deeds() < deeds as usize {
                let asked = program.deeds.get(life.deeds()).and_then(|d| d.rest.as_ref());
                let known = &*known;
                life.pick(asked.map(|rest| move |life: &Life<'_>, e| passes(rest, life, e, replay, known, row)));
            }
            let answer = evaluate(story, &life);
            if let Some(told) = known.told.get_mut(s).and_then(|t| t.get_mut(row)) {
                *told = answer;
            }
        }
    }
}

/// By pattern, whether a story asks for it: what is told of customers without entries of these is the same at any time.
pub fn wanted(program: &Program) -> Vec<bool> {
    fn of_rest(rest: &Rest, found: &mut impl FnMut(u32)) {
        match rest {
            Rest::And(all) | Rest::Or(all) => all.iter().for_each(|r| of_rest(r, found)),
            Rest::Not(inner) => of_rest(inner, found),
            Rest::Row(pattern) => found(*pattern),
            // An entry is asked for its other patterns; it is there for its own.
            Rest::Pattern(_) | Rest::Const(_) | Rest::Test(_) => {}
        }
    }
    let mut wanted = vec![false; program.patterns as usize];
    let mut found = |pattern: u32| {
        if let Some(wanted) = wanted.get_mut(pattern as usize) {
            *wanted = true;
        }
    };
    for deed in &program.deeds {
        found(deed.pattern);
        deed.rest.iter().for_each(|rest| of_rest(rest, &mut found));
    }
    program.visit_patterns.iter().for_each(|&p| found(p));
    wanted
}

/// Whether an entry passes what depends on the customer too.
fn passes(rest: &Rest, life: &Life<'_>, entry: u32, replay: &Replay, known: &Known<'_>, row: usize) -> bool {
    let go = |rest: &Rest| passes(rest, life, entry, replay, known, row);
    match rest {
        Rest::Const(yes) => *yes,
        Rest::And(all) => all.iter().all(go),
        Rest::Or(any) => any.iter().any(go),
        Rest::Not(inner) => !go(inner),
        Rest::Pattern(pattern) => life.has(entry, *pattern),
        Rest::Row(pattern) => !life.entries_of(*pattern).is_empty(),
        Rest::Test(asked) => test::test(asked, &life.clock.zone, &|s| side(s, life, entry, replay, known, row)),
    }
}

/// A value of the entry or of its customer.
fn side<'a>(
    of: &'a Side,
    life: &Life<'a>,
    entry: u32,
    replay: &'a Replay,
    known: &'a Known<'_>,
    row: usize,
) -> Option<Scalar<'a>> {
    let (zone, time) = (&life.clock.zone, life.time(entry));
    match of {
        Side::Customer(val) => replay.value(val, known, row),
        Side::Event(read) => life.datum(entry, *read)?.scalar(life.texts),
        Side::Hour => Some(Scalar::Num(Num::int(i64::from(zone.hour(time))))),
        Side::Weekday => WEEKDAYS.get(usize::from(zone.weekday(time))).map(|day| Scalar::Text(day)),
        Side::Date => Some(Scalar::Date(zone.date(time))),
    }
}

fn evaluate(story: &Story, life: &Life<'_>) -> Option<Datum> {
    let ever = (i64::MIN, life.clock.as_of);
    let yes = match story {
        Story::Fold { deed, frame, fold: what } => return fold(life, life.during(*deed, life.frame(frame)?), *what),
        Story::Same { same, frame } => self::same(life, same, life.frame(frame)?),
        Story::Pick { last, deed, frame } => {
            let all = life.deed(*deed);
            let (lo, hi) = life.frame(frame)?;
            let at = life.time(*if *last { all.last() } else { all.first() }?);
            lo <= at && at < hi
        }
        Story::Chain { chain, frame } => chain::holds(life, chain, ever, life.frame(frame)?),
        Story::Visit { inside, frame } => {
            let (lo, hi) = life.frame(frame)?;
            let in_time = |&(first, _): &(i64, i64)| lo <= first && first < hi;
            let mut visits = visits(life).into_iter().filter(in_time);
            visits.any(|(first, last)| self::inside(life, inside, (first, last.saturating_add(1))))
        }
        Story::Stretch { length, inside, starts, frame } => {
            let frame = life.frame(frame)?;
            let mut at: Vec<i64> =
                starts.iter().flat_map(|&deed| life.during(deed, frame).iter().map(|&e| life.time(e))).collect();
            at.sort_unstable();
            at.dedup();
            at.into_iter().any(|at| {
                let end = life.clock.later(at, (*length).into()).saturating_add(1).min(life.clock.as_of);
                self::inside(life, inside, (at, end))
            })
        }
    };
    Some(Datum::YesNo(yes))
}

/// The visits, each from its first to its last instant.
fn visits(life: &Life<'_>) -> Vec<(i64, i64)> {
    let entries = life.program.visit_patterns.iter().flat_map(|&p| life.entries_of(p));
    let mut instants: Vec<i64> = entries.map(|&e| life.time(e)).collect();
    instants.sort_unstable();
    let mut visits: Vec<(i64, i64)> = Vec::new();
    for at in instants {
        match visits.last_mut() {
            Some((_, last)) if at.saturating_sub(*last) <= life.program.visit_gap => *last = at,
            _ => visits.push((at, at)),
        }
    }
    visits
}

/// Whether what happened at the instants `seen` fulfils the condition.
fn inside(life: &Life<'_>, condition: &Inside, seen: (i64, i64)) -> bool {
    match condition {
        Inside::Const(yes) => *yes,
        Inside::And(all) => all.iter().all(|c| inside(life, c, seen)),
        Inside::Or(any) => any.iter().any(|c| inside(life, c, seen)),
        Inside::Not(inner) => !inside(life, inner, seen),
        Inside::Count { deed, periods: unit, op, n } => {
            let entries = life.during(*deed, seen);
            let count = unit.map_or(entries.len(), |unit| periods(life, entries, unit.into()));
            let order = test::compare(Scalar::Num(Num::int(count as i64)), n.scalar());
            order.is_some_and(|order| match op {
                Cmp::Eq => order.is_eq(),
                Cmp::Ne => order.is_ne(),
                Cmp::Lt => order.is_lt(),
                Cmp::Le => order.is_le(),
                Cmp::Gt => order.is_gt(),
                Cmp::Ge => order.is_ge(),
            })
        }
        Inside::Same(same) => self::same(life, same, seen),
        Inside::Chain(chain) => chain::holds(life, chain, seen, seen),
    }
}

/// Whether some known value has as many deeds as asked for, and none of the others.
fn same(life: &Life<'_>, same: &Same, seen: (i64, i64)) -> bool {
    let entries = life.during(same.deed, seen);
    if (entries.len() as u64) < same.n {
        return false;
    }
    let mut counts: Map<Key, u64> = Map::default();
    for key in entries.iter().filter_map(|&e| life.key(e, same.read)) {
        *counts.entry(key).or_default() += 1;
    }
    counts.retain(|_, count| *count >= same.n);
    if let (false, Some((deed, read))) = (counts.is_empty(), same.without) {
        for key in life.during(deed, seen).iter().filter_map(|&e| life.key(e, read)) {
            counts.remove(&key);
        }
    }
    !counts.is_empty()
}
