//! At which instants campaigns are due.
//!
//! Owns: the instants of `every … at …`, which of them a run decides, and the files that make schedulers start runs. Promises: pure;
//! the same question has the same answer. Must not know: the machine's clock, the store.
//!
//! What a run at an as-of instant decides (`grammar/schedule.md` tells it to people):
//!
//! - A campaign with `every` is decided at its own instants, never between them: the instant is the time of its contacts. One that has
//!   none is decided at the as-of instant of every run.
//! - An instant is missed when no run came by between it and the next one that did. [`CatchUp`] says what becomes of it.
//! - A campaign that no run has seen before has missed nothing but what was due earlier on the as-of instant's own day.
//! - An instant that is exactly the as-of one is always due: run again, it is the same run.

use std::collections::BTreeMap;

use super::campaign::key;
use crate::language::calendar::{Zone, days_of, weekday_of};
use crate::language::ir::{Campaign, Date, Every, Program};

pub mod formats;

const MINUTE: i64 = 60_000_000;
const DAY: i64 = 1_440 * MINUTE;

/// What becomes of instants at which no run decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CatchUp {
    /// As with cron: what was due on an earlier day is gone. What is due on the as-of instant's own day is decided.
    None,
    /// As with Airflow's `catchup=False` and systemd's `Persistent=true`: of all missed instants of a campaign, the newest.
    #[default]
    Last,
    /// As with Airflow's `catchup=True`: all of them, in order.
    All,
}

/// One decision of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The instant that is decided for, and the time of its contacts.
    pub at: i64,
    /// Places of the campaigns that are due, ascending.
    pub campaigns: Vec<usize>,
}

impl Run {
    /// By campaign of the program whether it is due, as [`super::campaign::Input`] takes it.
    pub fn due(&self, program: &Program) -> Vec<bool> {
        (0..program.campaigns.len()).map(|place| self.campaigns.binary_search(&place).is_ok()).collect()
    }
}

/// The instants of a campaign's `every` in (`after`, `upto`], on its days `from … until`, ascending; none without `every`.
///
/// A local time that the clock skips moves on by the gap, one that comes twice is the first.
pub fn due(campaign: &Campaign, after: i64, upto: i64, zone: &Zone) -> Vec<i64> {
    let Some(every) = &campaign.every else { return Vec::new() };
    instants(every, (campaign.from, campaign.until), after, upto, zone)
}

fn instants(every: &Every, days: (Option<Date>, Option<Date>), after: i64, upto: i64, zone: &Zone) -> Vec<i64> {
    const FIRST: Date = Date { year: 1, month: 1, day: 1 };
    const LAST: Date = Date { year: 9999, month: 12, day: 31 };
    if after >= upto {
        return Vec::new();
    }
    // A gap moves a local time on by a day at most.
    let first = zone.date(after).saturating_sub(2).max(days_of(days.0.unwrap_or(FIRST)));
    let last = zone.date(upto).saturating_add(1).min(days_of(days.1.unwrap_or(LAST)));
    let mut found: Vec<i64> = (first..=last)
        .filter(|&day| every.weekdays.contains(&(weekday_of(day) + 1)))
        .map(|day| zone.instant_of_local(i64::from(day) * DAY + i64::from(every.at) * MINUTE))
        .filter(|&at| after < at && at <= upto)
        .collect();
    found.sort_unstable();
    // Where a whole day was skipped, its instant is that of the next one.
    found.dedup();
    found
}

/// What a run at `as_of` decides, in order. The last is at `as_of` itself and is always there, be any campaign due or not.
///
/// `seen` says of each campaign, by its key, up to which instant runs have looked after it: the as-of instant of the latest run whose
/// program had it, whether or not it was due then. Nothing is decided at or before `floor`, the latest instant that is published:
/// what was decided there did not know of it, and its history is closed.
pub fn plan_runs(
    program: &Program,
    seen: &BTreeMap<String, i64>,
    floor: Option<i64>,
    as_of: i64,
    zone: &Zone,
    catch_up: CatchUp,
) -> Vec<Run> {
    let today = zone.start_of_day(i64::from(zone.date(as_of)));
    let mut runs: BTreeMap<i64, Vec<usize>> = BTreeMap::from([(as_of, Vec::new())]);
    for (place, campaign) in program.campaigns.iter().enumerate() {
        let mut at = |instant: i64| runs.entry(instant).or_default().push(place);
        if campaign.every.is_none() {
            at(as_of);
            continue;
        }
        let name = program.rules.get(campaign.rule.0 as usize).map_or("", |rule| rule.name.as_str());
        let after = seen.get(key(campaign, name)).copied().unwrap_or(today.saturating_sub(1));
        let after = floor.map_or(after, |floor| after.max(floor));
        let missed = due(campaign, after, as_of.saturating_sub(1), zone);
        let newest = missed.last().copied();
        let mut decided = match catch_up {
            CatchUp::All => missed,
            CatchUp::Last => newest.into_iter().collect(),
            CatchUp::None => newest.filter(|&instant| today <= instant).into_iter().collect(),
        };
        let now = due(campaign, as_of.saturating_sub(1), as_of, zone);
        if catch_up != CatchUp::All && !now.is_empty() {
            decided.clear();
        }
        decided.extend(now);
        decided.into_iter().for_each(&mut at);
    }
    runs.into_iter().map(|(at, campaigns)| Run { at, campaigns }).collect()
}
