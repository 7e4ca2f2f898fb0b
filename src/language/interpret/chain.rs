//! Chains of events: sequences.
//!
//! Owns: the search. Promises: it finds a chain if there is one, and does not search twice from where nothing was found.
//! Must not know: what stands around a sequence.

use std::collections::HashMap;

use super::conditions::View;
use super::events::Seen;
use super::scalar::Scalar;
use crate::language::catalog::PropertyId;
use crate::language::ir::{End, Matching, Sequence, Step};

impl View<'_> {
    /// Whether some chain of distinct events, one a step, fulfils the sequence.
    pub fn has_chain(&self, sequence: &Sequence) -> bool {
        let Some(open) = self.open(&sequence.window, sequence.since.as_deref()) else { return false };
        let mut search = Search::new(self, sequence);
        let firsts = search.fits.first().cloned().unwrap_or_default();
        // From the last on: what is hopeless there, mostly is before.
        firsts.into_iter().rev().any(|first| open.contains(search.time(first)) && search.begins_with(first))
    }

    /// The places of matching events.
    fn places(&self, matching: &Matching) -> Vec<usize> {
        let passes = |(_, e): &(usize, &&Seen)| self.matches(matching, e);
        self.events.iter().enumerate().filter(passes).map(|(at, _)| at).collect()
    }
}

/// An event is told by its place among those that are seen.
struct Search<'a> {
    view: &'a View<'a>,
    sequence: &'a Sequence,
    /// For each step the events that it may take.
    fits: Vec<Vec<usize>>,
    /// For each step the events that may not lie before it.
    unwanted: Vec<Vec<usize>>,
    /// The events that may not follow the chain.
    absent: Vec<usize>,
    /// For each event the first one at its instant that it could change places with in any chain.
    alike: Vec<usize>,
    /// From where nothing leads to the end, and by which instant a chain had to be over then.
    hopeless: HashMap<State, i64>,
}

/// All that the rest of a search depends on, but for the instant by which the chain has to be over.
#[derive(PartialEq, Eq, Hash)]
struct State {
    step: usize,
    /// What was taken at the last instant, sorted, by what it is like.
    taken: Vec<usize>,
    /// The first event that has the chain's value.
    value: usize,
}

/// What a chain's first event says about the others.
#[derive(Clone, Copy)]
struct Start<'a> {
    /// By when the last one has to be.
    until: i64,
    /// Of the property that has to be the same, if one has to, and the first event that has it.
    value: Option<&'a Scalar>,
    value_of: usize,
}

impl<'a> Search<'a> {
    fn new(view: &'a View<'a>, sequence: &'a Sequence) -> Search<'a> {
        let places = |m: Option<&Matching>| m.map(|m| view.places(m)).unwrap_or_default();
        let unwanted = |step: &Step| places(step.without.as_ref().map(|(matching, _)| matching));
        let mut search = Search {
            view,
            sequence,
            fits: Vec::new(),
            unwanted: sequence.steps.iter().map(unwanted).collect(),
            absent: places(sequence.absence.as_ref().map(|a| &a.matching)),
            alike: Vec::new(),
            hopeless: HashMap::new(),
        };
        search.fits = sequence.steps.iter().map(|step| search.fitting(step)).collect();
        search.alike = search.likes();
        search
    }

    /// The events that a step may take. Of several at the first (last) instant any: their order in files means nothing.
    fn fitting(&self, step: &Step) -> Vec<usize> {
        let matching = self.view.places(&step.matching);
        let picked = match step.pick {
            None => return matching,
            Some(End::First) => matching.first(),
            Some(End::Last) => matching.last(),
        };
        let picked = picked.map(|at| self.time(*at));
        matching.into_iter().filter(|at| Some(self.time(*at)) == picked).collect()
    }

    /// For each event the first one at the same instant that answers every question of the sequence alike.
    fn likes(&self) -> Vec<usize> {
        let answers = |at: usize| {
            let taken_by: Vec<bool> = self.fits.iter().map(|fits| fits.contains(&at)).collect();
            let value = |same: Option<PropertyId>| same.and_then(|property| self.value(at, property));
            let values: Vec<Option<&Scalar>> = self.sequence.steps.iter().map(|step| value(step.same)).collect();
            let absent = self.absent.contains(&at);
            let absent_value = value(self.sequence.absence.as_ref().and_then(|a| a.same));
            (self.time(at), taken_by, values, absent, absent_value)
        };
        let answers: Vec<_> = (0..self.view.events.len()).map(answers).collect();
        answers
            .iter()
            .enumerate()
            .map(|(at, mine)| answers.iter().position(|other| other == mine).unwrap_or(at))
            .collect()
    }

    fn begins_with(&mut self, first: usize) -> bool {
        let same = self.sequence.steps.first().and_then(|step| step.same);
        let value = same.and_then(|property| self.value(first, property));
        // Missing equals nothing.
        if same.is_some() && value.is_none() {
            return false;
        }
        let alike = |other: &usize| same.is_none_or(|property| self.value(*other, property) == value);
        let value_of = self.fits.first().and_then(|firsts| firsts.iter().copied().find(alike)).unwrap_or(first);
        let until = self.sequence.all_within.map(|length| self.view.clock().later(self.time(first), length));
        self.goes_on(1, &[first], Start { until: until.unwrap_or(i64::MAX), value, value_of })
    }

    /// Whether the steps from this one on can be taken. `taken` are the chain's events at its last instant, the last one at the
    /// end; those before can't be met again.
    fn goes_on(&mut self, step: usize, taken: &[usize], start: Start<'a>) -> bool {
        let Some(&last) = taken.last() else { return false };
        if step == self.sequence.steps.len() {
            return self.ends_well(last, start);
        }
        let mut alike: Vec<usize> = taken.iter().filter_map(|at| self.alike.get(*at).copied()).collect();
        alike.sort_unstable();
        let state = State { step, taken: alike, value: start.value_of };
        // With less time left there is no more hope.
        if self.hopeless.get(&state).is_some_and(|until| start.until <= *until) {
            return false;
        }
        for next in self.following(step, taken, start) {
            let taken = if self.time(next) == self.time(last) { [taken, &[next]].concat() } else { vec![next] };
            if self.goes_on(step + 1, &taken, start) {
                return true;
            }
        }
        self.hopeless.insert(state, start.until);
        false
    }

    /// The events that a step may take behind those of the chain.
    fn following(&self, at: usize, taken: &[usize], start: Start<'a>) -> Vec<usize> {
        let (Some(step), Some(fits)) = (self.sequence.steps.get(at), self.fits.get(at)) else { return Vec::new() };
        let Some(last) = taken.last().map(|at| self.time(*at)) else { return Vec::new() };
        let clock = self.view.clock();
        let more_than = step.after.map(|length| clock.later(last, length));
        let at_most = step.within.map(|length| clock.later(last, length));
        // What is unwanted strictly between two events is not after the first but before the second.
        let same = step.without.as_ref().and_then(|(_, property)| *property);
        let unwanted = self.unwanted.get(at).into_iter().flatten();
        let unwanted = unwanted.filter(|e| self.time(**e) > last && self.has_value(**e, same, start));
        let barrier = unwanted.map(|e| self.time(*e)).min();
        let may_follow = |next: &usize| {
            let time = self.time(*next);
            time >= last
                && !taken.contains(next)
                && more_than.is_none_or(|edge| time > edge)
                && at_most.is_none_or(|edge| time <= edge)
                && time <= start.until
                && barrier.is_none_or(|barrier| barrier >= time)
                && self.has_value(*next, step.same, start)
        };
        fits.iter().copied().filter(may_follow).collect()
    }

    /// Whether nothing unwanted follows the last event, and it is too late for that.
    fn ends_well(&self, last: usize, start: Start<'a>) -> bool {
        let Some(absence) = &self.sequence.absence else { return true };
        let clock = self.view.clock();
        let until = absence.within.map(|length| clock.later(self.time(last), length));
        let over = until.is_none_or(|until| until < clock.as_of);
        let comes = |at: usize| {
            let time = self.time(at);
            at != last
                && time >= self.time(last)
                && until.is_none_or(|until| time <= until)
                && self.has_value(at, absence.same, start)
        };
        over && !self.absent.iter().any(|at| comes(*at))
    }

    /// Whether an event has the chain's value, if the property has to be the same.
    fn has_value(&self, at: usize, same: Option<PropertyId>, start: Start<'a>) -> bool {
        same.is_none_or(|property| start.value.is_some() && self.value(at, property) == start.value)
    }

    fn value(&self, at: usize, property: PropertyId) -> Option<&'a Scalar> {
        self.view.events.get(at).and_then(|e| e.value(property))
    }

    fn time(&self, at: usize) -> i64 {
        self.view.events.get(at).map_or(i64::MIN, |e| e.time)
    }
}
