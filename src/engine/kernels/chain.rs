//! Chains: whether some events follow each other as the steps of a sequence say.
//!
//! Owns: the search for a chain. Promises: no order of events at one instant matters; the work grows with the number of events as
//! sorting does, whatever the limits. Must not know: patterns, measures' types.
//!
//! A chain is a row of runs: steps that fall on one instant, which only need events of their own, and later the next run. For
//! each step and instant the search keeps the one thing about the way there that matters later: the latest end that `all within`
//! allows to the best of the chains that end there.

use super::hash::Map;
use super::life::{Key, Life};
use crate::engine::plan::story::{Chain, End, Length, Step};

/// No chain ends here.
const NONE: i64 = i64::MIN;

/// Whether there is a chain among the events at the instants `seen`, of which the first is at one of `starts`.
pub fn holds(life: &Life<'_>, chain: &Chain, seen: (i64, i64), starts: (i64, i64)) -> bool {
    let steps: Vec<&[u32]> = chain.steps.iter().map(|step| candidates(life, step, seen)).collect();
    let in_time = |&e: &u32| starts.0 <= life.time(e) && life.time(e) < starts.1;
    let Some(first) = steps.first() else { return false };
    if steps.iter().any(|list| list.is_empty()) || !first.iter().any(in_time) {
        return false;
    }
    let between: Vec<&[u32]> =
        chain.steps.iter().map(|s| s.without.map_or(&[] as &[u32], |(deed, _)| life.during(deed, seen))).collect();
    let absent = chain.absence.as_ref().map_or(&[] as &[u32], |a| life.during(a.deed, seen));
    let Some(first_read) = chain.steps.first().and_then(|s| s.same) else {
        return Search { life, chain, steps, between, absent, starts }.holds();
    };
    // One search a value, among the events with that value.
    let size = steps.len();
    let mut groups: Map<Key, Vec<Vec<u32>>> = Map::default();
    for &e in first.iter().filter(|e| in_time(e)) {
        if let Some(key) = life.key(e, first_read) {
            groups.entry(key).or_insert_with(|| vec![Vec::new(); 2 * size + 1]);
        }
    }
    let mut deal = |place: usize, list: &[u32], read: Option<u32>| {
        for &e in list {
            let group = read.and_then(|read| groups.get_mut(&life.key(e, read)?));
            if let Some(list) = group.and_then(|g| g.get_mut(place)) {
                list.push(e);
            }
        }
    };
    for (s, step) in chain.steps.iter().enumerate() {
        deal(s, steps.get(s).copied().unwrap_or_default(), step.same);
        deal(size + s, between.get(s).copied().unwrap_or_default(), step.without.and_then(|(_, read)| read));
    }
    deal(2 * size, absent, chain.absence.as_ref().and_then(|a| a.same));
    groups.values().any(|lists| {
        let list = |at: usize| lists.get(at).map_or(&[] as &[u32], Vec::as_slice);
        let steps: Vec<&[u32]> = (0..size).map(list).collect();
        let between = (size..2 * size).map(list).collect();
        steps.iter().all(|list| !list.is_empty())
            && Search { life, chain, steps, between, absent: list(2 * size), starts }.holds()
    })
}

/// The events that may be the step's.
fn candidates<'a>(life: &'a Life<'_>, step: &Step, seen: (i64, i64)) -> &'a [u32] {
    let all = life.during(step.deed, seen);
    let (Some(&first), Some(&last)) = (all.first(), all.last()) else { return &[] };
    let range = match step.pick {
        None => 0..all.len(),
        Some(End::First) => 0..all.partition_point(|&e| life.time(e) <= life.time(first)),
        Some(End::Last) => all.partition_point(|&e| life.time(e) < life.time(last))..all.len(),
    };
    all.get(range).unwrap_or_default()
}

/// Entries by step, and those that must not lie before a step or behind the last; all in the order of time.
struct Search<'a, 'b> {
    life: &'a Life<'b>,
    chain: &'a Chain,
    steps: Vec<&'a [u32]>,
    between: Vec<&'a [u32]>,
    absent: &'a [u32],
    starts: (i64, i64),
}

impl Search<'_, '_> {
    fn holds(&self) -> bool {
        let mut instants: Vec<i64> =
            self.steps.iter().flat_map(|list| list.iter().map(|&e| self.life.time(e))).collect();
        instants.sort_unstable();
        instants.dedup();
        let spans: Vec<Vec<(usize, usize)>> = self.steps.iter().map(|list| self.spans(list, &instants)).collect();
        let last = self.steps.len().saturating_sub(1);
        // For each step and instant the best way to be there from an earlier instant, and then the best way to be there at all.
        let mut coming: Vec<Vec<i64>> = Vec::with_capacity(self.steps.len());
        let mut ending: Vec<i64> = Vec::new();
        for s in 0..self.steps.len() {
            coming.push(if s == 0 { self.first(&instants) } else { self.come(s, &instants, &ending) });
            ending = (0..instants.len()).map(|x| self.end(s, x, s == last, &instants, &spans, &coming)).collect();
            if ending.iter().all(|&limit| limit == NONE) {
                return false;
            }
        }
        ending.iter().zip(&instants).any(|(&limit, &at)| limit != NONE && at <= limit)
    }

    /// Which of a step's entries lie at each instant.
    fn spans(&self, list: &[u32], instants: &[i64]) -> Vec<(usize, usize)> {
        let mut to = 0;
        let mut span = |&at: &i64| {
            let from = to;
            while list.get(to).is_some_and(|&e| self.life.time(e) <= at) {
                to += 1;
            }
            (from, to)
        };
        instants.iter().map(&mut span).collect()
    }

    /// Where a chain may begin, and when it must be over.
    fn first(&self, instants: &[i64]) -> Vec<i64> {
        let limit = |at: i64| self.chain.all_within.map_or(i64::MAX, |length| self.later(at, length));
        let fits = |at: i64| self.starts.0 <= at && at < self.starts.1;
        instants.iter().map(|&at| if fits(at) { limit(at) } else { NONE }).collect()
    }

    fn later(&self, at: i64, length: Length) -> i64 {
        self.life.clock.later(at, length.into())
    }

    /// The best way to each instant from an earlier one at which the step before was done.
    ///
    /// The limits need not grow with the instants (the clock that is set back sees to that), so instants enter and leave the
    /// competition each at its own time.
    fn come(&self, step: usize, instants: &[i64], before: &[i64]) -> Vec<i64> {
        let Some(rules) = self.chain.steps.get(step) else { return Vec::new() };
        let opens: Vec<i64> =
            instants.iter().map(|&at| rules.after.map_or(at, |l| self.later(at, l).max(at))).collect();
        let closes: Vec<i64> =
            instants.iter().map(|&at| rules.within.map_or(i64::MAX, |l| self.later(at, l))).collect();
        let by = |keys: &[i64]| {
            let reached = |&x: &usize| before.get(x).is_some_and(|&limit| limit != NONE);
            let mut order: Vec<usize> = (0..instants.len()).filter(reached).collect();
            order.sort_by_key(|&x| keys.get(x).copied());
            order
        };
        let (entering, leaving) = (by(&opens), if rules.within.is_some() { by(&closes) } else { Vec::new() });
        let (mut entering, mut leaving) = (entering.into_iter().peekable(), leaving.into_iter().peekable());
        let key = |keys: &[i64], x: usize| keys.get(x).copied().unwrap_or(i64::MAX);
        let mut best = Maxima::new(instants.len());
        let between = self.between.get(step).copied().unwrap_or_default();
        let (mut passed, mut from) = (0, 0);
        let mut coming = Vec::with_capacity(instants.len());
        for (x, &at) in instants.iter().enumerate() {
            while let Some(y) = entering.next_if(|&y| key(&opens, y) < at) {
                if key(&closes, y) >= at {
                    best.set(y, before.get(y).copied().unwrap_or(NONE));
                }
            }
            while let Some(y) = leaving.next_if(|&y| key(&closes, y) < at) {
                best.set(y, NONE);
            }
            // Nothing forbidden lies strictly between: the last of those before this instant is no later than where we come from.
            while between.get(passed).is_some_and(|&e| self.life.time(e) < at) {
                passed += 1;
            }
            if let Some(&e) = passed.checked_sub(1).and_then(|i| between.get(i)) {
                while instants.get(from).is_some_and(|&y| y < self.life.time(e)) {
                    from += 1;
                }
            }
            coming.push(best.max(from, x));
        }
        coming
    }

    /// The best way to have done a step at an instant: come to it, or to one of the steps before it, at this instant.
    fn end(
        &self,
        step: usize,
        x: usize,
        last: bool,
        instants: &[i64],
        spans: &[Vec<(usize, usize)>],
        coming: &[Vec<i64>],
    ) -> i64 {
        let Some(&at) = instants.get(x) else { return NONE };
        let mut best = NONE;
        let mut run = Run::default();
        for s in (0..=step).rev() {
            let (Some(list), Some(&(from, to)), Some(rules)) =
                (self.steps.get(s), spans.get(s).and_then(|s| s.get(x)), self.chain.steps.get(s))
            else {
                break;
            };
            if from == to {
                break;
            }
            let here = list.get(from..to).unwrap_or_default();
            let here = if last && s == step { self.clean(at, here, rules.deed) } else { here };
            let event = self.life.event(rules.deed);
            // As many as there are steps always leave one for this step.
            let some = here.iter().take(self.steps.len()).map(|&e| (e, event)).collect();
            if !run.add(some) {
                break;
            }
            best = best.max(coming.get(s).and_then(|c| c.get(x)).copied().unwrap_or(NONE));
            let waits = rules.after.is_some_and(|l| self.later(at, l) >= at);
            let passes = rules.within.is_none_or(|l| self.later(at, l) >= at);
            if waits || !passes {
                break;
            }
        }
        best
    }

    /// Of the entries at an instant those behind which nothing comes that must not.
    fn clean<'c>(&self, at: i64, here: &'c [u32], deed: u32) -> &'c [u32] {
        let Some(absence) = &self.chain.absence else { return here };
        let from = self.absent.partition_point(|&e| self.life.time(e) < at);
        let to = match absence.within {
            None => self.absent.len(),
            Some(length) => {
                let limit = self.later(at, length);
                if limit >= self.life.clock.as_of {
                    return &[];
                }
                self.absent.partition_point(|&e| self.life.time(e) <= limit)
            }
        };
        match self.absent.get(from..to).unwrap_or_default() {
            [] => here,
            // The last event itself does not count.
            [one] if self.life.event(absence.deed) == self.life.event(deed) => {
                let place = here.iter().position(|e| e == one);
                place.and_then(|i| here.get(i..=i)).unwrap_or_default()
            }
            _ => &[],
        }
    }
}

/// The steps that fall on one instant, each with an event of its own.
#[derive(Default)]
struct Run {
    /// Entry and event.
    candidates: Vec<Vec<(u32, u32)>>,
    taken: Vec<((u32, u32), usize)>,
}

impl Run {
    /// Finds an event for one more step; others may have to take another.
    fn add(&mut self, candidates: Vec<(u32, u32)>) -> bool {
        self.candidates.push(candidates);
        self.find(self.candidates.len() - 1, &mut Vec::new())
    }

    fn find(&mut self, step: usize, tried: &mut Vec<(u32, u32)>) -> bool {
        for i in 0..self.candidates.get(step).map_or(0, Vec::len) {
            let Some(&event) = self.candidates.get(step).and_then(|c| c.get(i)) else { break };
            if tried.contains(&event) {
                continue;
            }
            tried.push(event);
            let Some(at) = self.taken.iter().position(|(e, _)| *e == event) else {
                self.taken.push((event, step));
                return true;
            };
            let owner = self.taken.get(at).map_or(step, |(_, owner)| *owner);
            if self.find(owner, tried) {
                if let Some(taken) = self.taken.get_mut(at) {
                    taken.1 = step;
                }
                return true;
            }
        }
        false
    }
}

/// Numbers of which any range's greatest is found at once.
struct Maxima {
    size: usize,
    /// A binary tree: the children of `i` are `2i` and `2i + 1`.
    tree: Vec<i64>,
}

impl Maxima {
    fn new(size: usize) -> Maxima {
        Maxima { size, tree: vec![NONE; 2 * size] }
    }

    fn at(&self, i: usize) -> i64 {
        self.tree.get(i).copied().unwrap_or(NONE)
    }

    fn set(&mut self, i: usize, value: i64) {
        let mut i = i + self.size;
        if let Some(leaf) = self.tree.get_mut(i) {
            *leaf = value;
        }
        while i > 1 {
            i /= 2;
            let greatest = self.at(2 * i).max(self.at(2 * i + 1));
            if let Some(node) = self.tree.get_mut(i) {
                *node = greatest;
            }
        }
    }

    /// The greatest of `[from, to)`.
    fn max(&self, from: usize, to: usize) -> i64 {
        let (mut from, mut to) = (from + self.size, to + self.size);
        let mut greatest = NONE;
        while from < to {
            if from % 2 == 1 {
                greatest = greatest.max(self.at(from));
                from += 1;
            }
            if to % 2 == 1 {
                to -= 1;
                greatest = greatest.max(self.at(to));
            }
            (from, to) = (from / 2, to / 2);
        }
        greatest
    }
}
