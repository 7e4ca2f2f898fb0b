//! Quiet hours on the customer's own wall clock.
//!
//! Owns: whether an instant is quiet and when that is over. Promises: what the clock on the wall shows decides, also where it is put
//! forward or back; the answer for a zone is reckoned once. Must not know: campaigns.

use std::collections::HashMap;

use crate::language::calendar::Zone;
use crate::language::ir::Quiet;

const MINUTE: i64 = 60_000_000;
const DAY: i64 = 24 * 60 * MINUTE;
/// Hours that never end within this are always quiet.
const LONGEST: i64 = 8 * DAY;

/// Whether the wall clock stands within the hours. `from` is in, `to` is not; from a time to itself is never.
fn is_quiet(hours: Quiet, zone: &Zone, at: i64) -> bool {
    let wall = zone.local(at).rem_euclid(DAY);
    let (from, to) = (i64::from(hours.from) * MINUTE, i64::from(hours.to) * MINUTE);
    if from <= to { from <= wall && wall < to } else { from <= wall || wall < to }
}

/// The next instant at which the hours might be over: the wall clock comes to `to`, or is put forward or back before.
fn next(hours: Quiet, zone: &Zone, at: i64) -> i64 {
    let wall = zone.local(at).rem_euclid(DAY);
    let end = at.saturating_add((i64::from(hours.to) * MINUTE - wall).rem_euclid(DAY));
    let offset = zone.offset(at);
    if zone.offset(end) == offset {
        return end;
    }
    // Halved down to the microsecond at which the clock is put forward or back.
    let (mut before, mut after) = (at, end);
    while after - before > 1 {
        let middle = before + (after - before) / 2;
        if zone.offset(middle) == offset { before = middle } else { after = middle }
    }
    after
}

/// The first instant after `at` outside of all the hours, if `at` is in some of them: `Some(None)` where that never ends.
pub(super) fn until(hours: &[Quiet], zone: &Zone, at: i64) -> Option<Option<i64>> {
    let mut now = at;
    while let Some(&quiet) = hours.iter().find(|&&hours| is_quiet(hours, zone, now)) {
        now = next(quiet, zone, now);
        if now.saturating_sub(at) > LONGEST {
            return Some(None);
        }
    }
    (now > at).then_some(Some(now))
}

/// The zones of customers, each opened once.
#[derive(Debug)]
pub(super) struct Zones<'a> {
    /// Where a customer's own is not known.
    project: &'a Zone,
    known: HashMap<&'a str, Option<Zone>>,
}

impl<'a> Zones<'a> {
    pub fn new(project: &'a Zone) -> Zones<'a> {
        Zones { project, known: HashMap::new() }
    }

    /// The zone of this name, else the project's.
    pub fn get(&mut self, name: Option<&'a str>) -> &Zone {
        let Some(name) = name else { return self.project };
        self.known.entry(name).or_insert_with(|| Zone::new(name)).as_ref().unwrap_or(self.project)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::calendar::parse_moment;

    fn hours(from: u16, to: u16) -> Quiet {
        Quiet { from: from * 60, to: to * 60 }
    }

    /// At local or written times in Paris, until when it is quiet.
    fn asked(hours: &[Quiet], at: &str) -> Option<Option<i64>> {
        let zone = Zone::new("Europe/Paris").expect("known");
        until(hours, &zone, parse_moment(at, &zone).expect("an instant"))
    }

    fn paris(at: &str) -> Option<Option<i64>> {
        Some(parse_moment(at, &Zone::new("Europe/Paris").expect("known")))
    }

    #[test]
    fn hours_take_their_start_and_not_their_end() {
        let day = [hours(9, 17)];
        assert_eq!(asked(&day, "2026-11-21T08:59:59"), None);
        assert_eq!(asked(&day, "2026-11-21T09:00"), paris("2026-11-21T17:00"));
        assert_eq!(asked(&day, "2026-11-21T16:59:59.999999"), paris("2026-11-21T17:00"));
        assert_eq!(asked(&day, "2026-11-21T17:00"), None);
        assert_eq!(asked(&[hours(9, 9)], "2026-11-21T09:00"), None);
    }

    #[test]
    fn hours_pass_midnight() {
        let night = [hours(21, 8)];
        assert_eq!(asked(&night, "2026-11-21T20:59"), None);
        assert_eq!(asked(&night, "2026-11-21T21:00"), paris("2026-11-22T08:00"));
        assert_eq!(asked(&night, "2026-11-22T00:00"), paris("2026-11-22T08:00"));
        assert_eq!(asked(&night, "2026-11-22T08:00"), None);
        assert_eq!(asked(&[hours(21, 24)], "2026-11-21T21:00"), paris("2026-11-22"));
    }

    #[test]
    fn several_hours_follow_each_other() {
        assert_eq!(asked(&[hours(21, 8), hours(7, 10)], "2026-11-21T22:00"), paris("2026-11-22T10:00"));
        assert_eq!(asked(&[hours(12, 13), hours(21, 8)], "2026-11-21T22:00"), paris("2026-11-22T08:00"));
        assert_eq!(asked(&[hours(8, 20), hours(20, 8)], "2026-11-21T22:00"), Some(None));
        assert_eq!(asked(&[], "2026-11-21T22:00"), None);
    }

    #[test]
    fn the_wall_clock_decides_where_it_is_put_forward() {
        // 02:00 becomes 03:00 on 29 March: the night is an hour shorter, and 02:30 is never shown.
        assert_eq!(asked(&[hours(21, 8)], "2026-03-28T22:00"), paris("2026-03-29T08:00"));
        let half = Quiet { from: 22 * 60, to: 150 };
        assert_eq!(asked(&[half], "2026-03-29T01:30"), paris("2026-03-29T03:00"));
        assert_eq!(asked(&[half], "2026-03-29T03:00"), None);
    }

    #[test]
    fn the_wall_clock_decides_where_it_is_put_back() {
        // 03:00 becomes 02:00 on 25 October: 02:15 comes twice, and is quiet twice.
        let half = Quiet { from: 22 * 60, to: 150 };
        assert_eq!(asked(&[half], "2026-10-25T02:15+02:00"), paris("2026-10-25T02:30+02:00"));
        assert_eq!(asked(&[half], "2026-10-25T02:45+02:00"), None);
        assert_eq!(asked(&[half], "2026-10-25T02:15+01:00"), paris("2026-10-25T02:30+01:00"));
        assert_eq!(asked(&[hours(21, 8)], "2026-10-25T01:00"), paris("2026-10-25T08:00"));
        // What begins at 02:30 is over when the clock goes back to 02:00.
        let late = Quiet { from: 150, to: 240 };
        assert_eq!(asked(&[late], "2026-10-25T02:40+02:00"), paris("2026-10-25T02:00+01:00"));
        assert_eq!(asked(&[late], "2026-10-25T02:40+01:00"), paris("2026-10-25T04:00"));
    }
}
