//! A time zone: instants to local time and back.
//!
//! Owns: the table of a zone's offsets, taken from the bundled database once. Promises: exact at gaps and folds; total over
//! `i64` microseconds; a lookup costs one binary search. Must not know: windows, the as-of instant.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::civil::{DAY, SECOND, days_of, ymd_of_days};
use crate::language::syntax::ast::{Date, Instant, PeriodUnit};

/// 2100-01-01T00:00Z. Up to here the offsets are tabulated; later instants ask the zone's rule each time.
const TABLE_END: i64 = 4_102_444_800 * SECOND;
/// No offset, and no jump between two, is longer.
const WIDEST: i64 = 2 * DAY;

/// A time zone of the bundled database. Cheap to clone.
#[derive(Clone)]
pub struct Zone {
    name: Arc<str>,
    tz: TimeZone,
    /// By start; the first begins at `i64::MIN`. Never empty.
    stretches: Arc<[Stretch]>,
    /// The zone has one offset for ever.
    fixed: Option<i64>,
}

/// From `start` on (until the next one's start) local time is UTC plus `offset`, both in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stretch {
    start: i64,
    offset: i64,
}

/// What a local time stands for.
#[derive(Debug, Clone, Copy)]
struct Resolved {
    instant: i64,
    /// The local time is skipped; this is the instant at which the clock jumps over it.
    jump: Option<i64>,
}

impl Zone {
    /// The zone with this IANA name.
    pub fn new(name: &str) -> Option<Zone> {
        let tz = TimeZoneDatabase::bundled().get(name).ok()?;
        let first = Stretch { start: i64::MIN, offset: offset_by_rule(&tz, i64::MIN) };
        let mut stretches = vec![first];
        for transition in tz.following(Timestamp::MIN) {
            let start = transition.timestamp().as_microsecond();
            if start >= TABLE_END {
                break;
            }
            let offset = i64::from(transition.offset().seconds()) * SECOND;
            if stretches.last().is_none_or(|s| s.offset != offset) {
                stretches.push(Stretch { start, offset });
            }
        }
        let ends = tz.following(Timestamp::from_microsecond(TABLE_END).ok()?).next().is_none();
        let fixed = (stretches.len() == 1 && ends).then_some(first.offset);
        Some(Zone { name: tz.iana_name().unwrap_or(name).into(), tz, stretches: stretches.into(), fixed })
    }

    /// Coordinated Universal Time.
    pub fn utc() -> Zone {
        let first = Stretch { start: i64::MIN, offset: 0 };
        Zone { name: "UTC".into(), tz: TimeZone::UTC, stretches: [first].into(), fixed: Some(0) }
    }

    /// The IANA name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Microseconds that local time is ahead of UTC at an instant.
    pub fn offset(&self, instant: i64) -> i64 {
        match self.fixed {
            Some(offset) => offset,
            None if instant >= TABLE_END => offset_by_rule(&self.tz, instant),
            None => self.stretch(instant).1.offset,
        }
    }

    /// The stretches of one offset each before an instant, as start and offset; the first begins at `i64::MIN`. `None` where the
    /// instant lies beyond what is tabulated.
    pub fn offsets_before(&self, instant: i64) -> Option<Vec<(i64, i64)>> {
        let known = self.fixed.is_some() || instant < TABLE_END - WIDEST;
        let stretches = self.stretches.iter().filter(|s| s.start < instant);
        known.then(|| stretches.map(|s| (s.start, s.offset)).collect())
    }

    /// Local time as microseconds since 1970-01-01T00:00 on the wall clock.
    pub fn local(&self, instant: i64) -> i64 {
        instant.saturating_add(self.offset(instant))
    }

    /// The local plain date, in days since 1970-01-01.
    pub fn date(&self, instant: i64) -> i32 {
        // The days of a 64-bit microsecond fit 28 bits.
        self.local(instant).div_euclid(DAY) as i32
    }

    /// The local hour, 0 to 23.
    pub fn hour(&self, instant: i64) -> u8 {
        (self.local(instant).rem_euclid(DAY) / (3_600 * SECOND)) as u8
    }

    /// The local weekday; Monday is 0.
    pub fn weekday(&self, instant: i64) -> u8 {
        weekday_of(self.date(instant))
    }

    /// The running number of the local calendar day, ISO week (from Monday), month, quarter or year.
    pub fn period(&self, unit: PeriodUnit, instant: i64) -> i64 {
        let days = i64::from(self.date(instant));
        match unit {
            PeriodUnit::Day => days,
            PeriodUnit::Week => (days + 3).div_euclid(7),
            PeriodUnit::Month => {
                let (year, month, _) = ymd_of_days(days);
                year * 12 + month - 1
            }
            PeriodUnit::Quarter => {
                let (year, month, _) = ymd_of_days(days);
                year * 4 + (month - 1) / 3
            }
            PeriodUnit::Year => ymd_of_days(days).0,
        }
    }

    /// The instant of a local time. One that the clock skips moves on by the gap; one that comes twice is the first.
    pub fn instant_of_local(&self, local: i64) -> i64 {
        self.resolve(local).instant
    }

    /// The first instant of a local day (of the next one there is, if the zone skipped the whole day).
    pub fn start_of_day(&self, days: i64) -> i64 {
        let resolved = self.resolve(days.saturating_mul(DAY));
        resolved.jump.unwrap_or(resolved.instant)
    }

    /// A written instant: in this zone unless it carries an offset.
    pub fn instant(&self, written: Instant) -> i64 {
        let clock = (i64::from(written.hour) * 60 + i64::from(written.minute)) * 60 + i64::from(written.second);
        let local = i64::from(days_of(written.date)) * DAY + clock * SECOND + i64::from(written.micros);
        match written.offset {
            Some(minutes) => local - i64::from(minutes) * 60 * SECOND,
            None => self.instant_of_local(local),
        }
    }

    /// The start of a written date in this zone.
    pub fn start_of_date(&self, date: Date) -> i64 {
        self.start_of_day(i64::from(days_of(date)))
    }

    fn resolve(&self, local: i64) -> Resolved {
        match self.fixed {
            Some(offset) => Resolved { instant: local.saturating_sub(offset), jump: None },
            None if local >= TABLE_END - WIDEST => self.resolve_by_rule(local),
            None => self.resolve_by_table(local),
        }
    }

    fn resolve_by_table(&self, local: i64) -> Resolved {
        let (mut at, mut here) = self.stretch(local.saturating_sub(WIDEST));
        let mut gap = Resolved { instant: local.saturating_sub(here.offset), jump: None };
        loop {
            let instant = local.saturating_sub(here.offset);
            let next = self.stretches.get(at + 1).copied();
            if instant < here.start {
                // Past the end of the stretch before and not yet in this one: skipped. The clock before the jump decides.
                return gap;
            }
            match next {
                Some(next) if instant >= next.start => {
                    gap = Resolved { instant, jump: Some(next.start) };
                    (at, here) = (at + 1, next);
                }
                _ => return Resolved { instant, jump: None },
            }
        }
    }

    fn resolve_by_rule(&self, local: i64) -> Resolved {
        let wall = TimeZone::UTC.to_datetime(timestamp(local));
        let Ok(found) = self.tz.to_ambiguous_timestamp(wall).compatible() else {
            return Resolved { instant: local.saturating_sub(self.offset(local)), jump: None };
        };
        let found = found.as_microsecond();
        if timestamp(local).as_microsecond() != local {
            return Resolved { instant: local.saturating_sub(self.offset(found)), jump: None };
        }
        let skipped = self.local(found) != local;
        let after = Timestamp::from_microsecond(found.saturating_add(1)).unwrap_or(Timestamp::MAX);
        let jump = self.tz.preceding(after).next().map(|t| t.timestamp().as_microsecond());
        Resolved { instant: found, jump: jump.filter(|_| skipped) }
    }

    /// The stretch of an instant and its place.
    fn stretch(&self, instant: i64) -> (usize, Stretch) {
        let at = self.stretches.partition_point(|s| s.start <= instant).saturating_sub(1);
        (at, self.stretches.get(at).copied().unwrap_or(Stretch { start: i64::MIN, offset: 0 }))
    }
}

impl std::fmt::Debug for Zone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Zone({})", self.name)
    }
}

impl PartialEq for Zone {
    fn eq(&self, other: &Zone) -> bool {
        self.name == other.name
    }
}

/// Monday is 0.
pub fn weekday_of(days: i32) -> u8 {
    (i64::from(days) + 3).rem_euclid(7) as u8
}

/// The nearest timestamp that the zone database can speak about.
fn timestamp(micros: i64) -> Timestamp {
    let nearest = if micros < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_microsecond(micros).unwrap_or(nearest)
}

fn offset_by_rule(tz: &TimeZone, instant: i64) -> i64 {
    i64::from(tz.to_offset(timestamp(instant)).seconds()) * SECOND
}
