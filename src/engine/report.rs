//! What a run saw beside its answer.
//!
//! Owns: the counters that the operators fill and the report made of them. Promises: sums only, so that the order in which rows
//! are read never shows. Must not know: how it is printed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use super::identities::LinkReport;
use super::meter::Meter;
use crate::language::catalog::{Catalog, EventId};

/// What was seen in the data.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    pub sources: Vec<SourceReport>,
    /// The profile rows, where there is a profile.
    pub profiles: Option<SourceReport>,
    pub lists: Vec<ListReport>,
    /// The identity links, where the catalog names any.
    pub identities: Option<LinkReport>,
    /// Events of the catalog without a single row, where their source was read to its end.
    pub missing_events: Vec<EventId>,
    /// Customers in the population; `None` where only the members of rules were counted.
    pub population: Option<u64>,
}

/// The rows of one source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceReport {
    pub name: String,
    /// That were read.
    pub rows: u64,
    /// That were not read, because nobody asks for them; what else is said is of those that were.
    pub skipped: u64,
    /// Left out: without a customer id.
    pub no_customer: u64,
    /// With an id that leads to a customer of another id.
    pub linked: u64,
    /// Left out: with an id that no link and no profile knows.
    pub unlinked: u64,
    /// Left out: with a customer but without a time.
    pub no_time: u64,
    /// Left out: at or after the as-of instant.
    pub not_yet: u64,
    /// Raw event names that no event of the catalog takes, with their rows; the name is `None` where it is null.
    pub unknown: Vec<(Option<String>, u64)>,
    pub files: usize,
}

/// The ids of one list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListReport {
    pub name: String,
    pub rows: u64,
    pub no_customer: u64,
    /// With an id that leads to a customer of another id.
    pub linked: u64,
    /// Customers of the list that are not in the population.
    pub orphans: u64,
}

/// Filled by the operators while they run.
#[derive(Debug, Default)]
pub struct Counters {
    branches: Vec<Branch>,
    events: Vec<AtomicU64>,
    /// What the run takes.
    pub meter: Arc<Meter>,
}

#[derive(Debug, Default)]
struct Branch {
    rows: AtomicU64,
    no_customer: AtomicU64,
    no_time: AtomicU64,
    not_yet: AtomicU64,
    linked: AtomicU64,
    unlinked: AtomicU64,
    unknown: Mutex<BTreeMap<Option<String>, u64>>,
}

/// The sums of one batch.
#[derive(Debug, Default)]
pub struct Tally {
    pub rows: u64,
    pub no_customer: u64,
    pub no_time: u64,
    pub not_yet: u64,
    pub unknown: BTreeMap<Option<String>, u64>,
    pub events: BTreeMap<u32, u64>,
}

impl Counters {
    pub fn new(branches: u32, events: usize) -> Counters {
        Counters {
            branches: (0..branches).map(|_| Branch::default()).collect(),
            events: (0..events).map(|_| AtomicU64::new(0)).collect(),
            meter: Arc::default(),
        }
    }

    /// The same with a meter.
    pub fn with(mut self, meter: Meter) -> Counters {
        self.meter = Arc::new(meter);
        self
    }

    /// Adds the sums of a batch.
    pub fn add(&self, branch: u32, tally: Tally) {
        for (event, rows) in &tally.events {
            if let Some(count) = self.events.get(*event as usize) {
                count.fetch_add(*rows, Ordering::Relaxed);
            }
        }
        let Some(branch) = self.branches.get(branch as usize) else { return };
        branch.rows.fetch_add(tally.rows, Ordering::Relaxed);
        branch.no_customer.fetch_add(tally.no_customer, Ordering::Relaxed);
        branch.no_time.fetch_add(tally.no_time, Ordering::Relaxed);
        branch.not_yet.fetch_add(tally.not_yet, Ordering::Relaxed);
        if !tally.unknown.is_empty()
            && let Ok(mut unknown) = branch.unknown.lock()
        {
            for (name, rows) in tally.unknown {
                *unknown.entry(name).or_default() += rows;
            }
        }
    }

    /// Adds what links made of the ids of a batch.
    pub fn link(&self, branch: u32, linked: u64, unlinked: u64) {
        let Some(branch) = self.branches.get(branch as usize) else { return };
        branch.linked.fetch_add(linked, Ordering::Relaxed);
        branch.unlinked.fetch_add(unlinked, Ordering::Relaxed);
    }

    /// Raw rows of each event that was seen.
    pub fn events(&self) -> Vec<(u32, u64)> {
        let all = self.events.iter().enumerate().map(|(e, rows)| (e as u32, rows.load(Ordering::Relaxed)));
        all.filter(|(_, rows)| *rows > 0).collect()
    }

    /// Whether any branch counts its rows here.
    pub fn counts(&self) -> bool {
        !self.branches.is_empty()
    }

    /// Rows read so far, over all sources.
    pub fn rows(&self) -> u64 {
        self.branches.iter().map(|b| b.rows.load(Ordering::Relaxed)).sum()
    }

    /// The rows of one source.
    pub fn source(&self, branch: u32, name: &str, files: usize) -> SourceReport {
        let Some(branch) = self.branches.get(branch as usize) else { return SourceReport::default() };
        let unlinked = branch.unlinked.load(Ordering::Relaxed);
        let unknown = branch.unknown.lock().map(|u| u.clone()).unwrap_or_default();
        SourceReport {
            name: name.into(),
            rows: branch.rows.load(Ordering::Relaxed),
            skipped: 0,
            // A row that was left out for its unknown id has no customer either.
            no_customer: branch.no_customer.load(Ordering::Relaxed).saturating_sub(unlinked),
            linked: branch.linked.load(Ordering::Relaxed),
            unlinked,
            no_time: branch.no_time.load(Ordering::Relaxed),
            not_yet: branch.not_yet.load(Ordering::Relaxed),
            unknown: unknown.into_iter().collect(),
            files,
        }
    }

    /// Events of these sources that no row was.
    pub fn missing(&self, catalog: &Catalog, read: impl Fn(usize) -> bool) -> Vec<EventId> {
        let seen = |e: usize| self.events.get(e).is_none_or(|c| c.load(Ordering::Relaxed) > 0);
        let events = catalog.events.iter().enumerate();
        events.filter(|(e, event)| read(event.source.index()) && !seen(*e)).map(|(e, _)| EventId(e as u32)).collect()
    }
}
