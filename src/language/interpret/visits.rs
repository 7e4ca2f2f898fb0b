//! Visits, and stretches of time that begin with an event.
//!
//! Owns: which events lie together. Promises: nothing at or after the as-of instant. Must not know: what is asked of them.

use super::conditions::View;
use super::events::Seen;
use crate::language::calendar::Interval;
use crate::language::ir::{Length, Matching};

impl<'a> View<'a> {
    /// The visits that begin in the interval. A visit is a run of the events that the catalog marks, with no gap longer than the
    /// catalog's; one that is not over at the as-of instant counts as it stands.
    pub fn visits(&self, open: Interval) -> Vec<Vec<&'a Seen>> {
        let catalog = self.population.catalog;
        let mut visits: Vec<Vec<&Seen>> = Vec::new();
        for event in self.events.iter().copied() {
            if !catalog.event(event.event).is_some_and(|e| e.session) {
                continue;
            }
            let goes_on = |visit: &&mut Vec<&Seen>| {
                visit.last().is_some_and(|last| event.time.saturating_sub(last.time) <= catalog.visit_gap())
            };
            match visits.last_mut().filter(goes_on) {
                Some(visit) => visit.push(event),
                None => visits.push(vec![event]),
            }
        }
        visits.retain(|visit| visit.first().is_some_and(|first| open.contains(first.time)));
        visits
    }

    /// For each of the events in the interval that one of `starts` matches, what lies from its instant to so much later, that
    /// instant included.
    pub fn stretches(&self, starts: &[Matching], open: Interval, length: Length) -> Vec<Vec<&'a Seen>> {
        let begins = starts.iter().flat_map(|start| self.matching(start)).filter(|e| open.contains(e.time));
        let stretch = |begin: &Seen| {
            let end = self.clock().later(begin.time, length);
            self.events.iter().copied().filter(|e| begin.time <= e.time && e.time <= end).collect()
        };
        begins.map(stretch).collect()
    }
}
