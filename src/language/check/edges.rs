//! What can be said about the order of edges, whatever the as-of instant and the zone.
//!
//! An edge lies some days, or some calendar months, before today; both are ranges. What the ranges leave open is not known.

use crate::language::ir::{Edge, PeriodUnit, Unit, Window};

const DAY: i64 = 86_400;
/// Two instants at one time of day are whole days apart, but for the zone's changes: never more than 27 hours of them.
const ZONE: i64 = 27 * 3600;

/// How far before the as-of instant an edge lies, at least and at most; negative is after.
#[derive(Debug, Clone, Copy)]
struct Distance {
    low: i64,
    high: i64,
    /// At the start of its day (or month), and not at the as-of instant's own place in it.
    at_start: bool,
}

impl Distance {
    fn same(low: i64, high: i64) -> Distance {
        Distance { low, high, at_start: false }
    }

    fn turned(self) -> Distance {
        Distance { low: -self.high, high: -self.low, ..self }
    }

    /// Whether one at this distance is never after one at the other.
    fn at_or_before(self, other: Distance) -> bool {
        match (self.at_start, other.at_start) {
            (false, true) => self.low > other.high,
            _ => self.low >= other.high,
        }
    }
}

/// In seconds, for durations.
fn seconds(edge: Edge) -> Option<Distance> {
    let of = |amount: u32, unit| {
        let n = i64::from(amount);
        let whole = |(low, high): (i64, i64)| Distance::same(low * DAY - ZONE, high * DAY + ZONE);
        match unit {
            Unit::Second => Distance::same(n, n),
            Unit::Minute => Distance::same(n * 60, n * 60),
            Unit::Hour => Distance::same(n * 3600, n * 3600),
            Unit::Day => whole((n, n)),
            Unit::Week => whole((n * 7, n * 7)),
            Unit::Month => whole(month_days(n)),
            Unit::Year => whole(month_days(n * 12)),
        }
    };
    match edge {
        Edge::AsOf => Some(Distance::same(0, 0)),
        Edge::Back { amount, unit } => Some(of(amount, unit)),
        Edge::Ahead { amount, unit } => Some(of(amount, unit).turned()),
        _ => None,
    }
}

/// In days, for durations of whole days and for periods.
fn days(edge: Edge) -> Option<Distance> {
    let of = |amount: u32, unit| {
        let n = i64::from(amount);
        let (low, high) = match unit {
            Unit::Day => (n, n),
            Unit::Week => (n * 7, n * 7),
            Unit::Month => month_days(n),
            Unit::Year => month_days(n * 12),
            Unit::Second | Unit::Minute | Unit::Hour => return None,
        };
        Some(Distance::same(low, high))
    };
    match edge {
        Edge::AsOf => Some(Distance::same(0, 0)),
        Edge::Back { amount, unit } => of(amount, unit),
        Edge::Ahead { amount, unit } => of(amount, unit).map(Distance::turned),
        Edge::Period { unit, offset } => {
            let n = i64::from(offset);
            // Today is up to a period less a day behind the start of its own.
            let (low, high) = if n > 0 {
                (-period_days(unit, n).1, -1 - period_days(unit, n - 1).0)
            } else {
                (period_days(unit, -n).0, period_days(unit, 1).1 - 1 + period_days(unit, -n).1)
            };
            Some(Distance { low, high, at_start: true })
        }
        _ => None,
    }
}

/// In calendar months, for durations of months and periods that are made of months.
fn months(edge: Edge) -> Option<Distance> {
    let of = |amount: u32, unit| {
        let n = i64::from(amount);
        match unit {
            Unit::Month => Some(Distance::same(n, n)),
            Unit::Year => Some(Distance::same(n * 12, n * 12)),
            _ => None,
        }
    };
    match edge {
        Edge::AsOf => Some(Distance::same(0, 0)),
        Edge::Back { amount, unit } => of(amount, unit),
        Edge::Ahead { amount, unit } => of(amount, unit).map(Distance::turned),
        Edge::Period { unit, offset } => {
            let long = match unit {
                PeriodUnit::Month => 1,
                PeriodUnit::Quarter => 3,
                PeriodUnit::Year => 12,
                PeriodUnit::Day | PeriodUnit::Week => return None,
            };
            let low = -i64::from(offset) * long;
            Some(Distance { low, high: low + long - 1, at_start: true })
        }
        _ => None,
    }
}

/// The days that a number of months can be.
fn month_days(months: i64) -> (i64, i64) {
    (months / 12 * 365 + months % 12 * 28, months / 12 * 366 + months % 12 * 31)
}

/// The days that a number of periods can be.
fn period_days(unit: PeriodUnit, n: i64) -> (i64, i64) {
    match unit {
        PeriodUnit::Day => (n, n),
        PeriodUnit::Week => (n * 7, n * 7),
        PeriodUnit::Month => month_days(n),
        PeriodUnit::Quarter => month_days(n * 3),
        PeriodUnit::Year => month_days(n * 12),
    }
}

/// Whether `a` is never after `b`, whatever the as-of instant, both as starts of windows or both as ends. `false` where that
/// can't be said.
pub(super) fn at_or_before(a: Edge, b: Edge) -> bool {
    match (a, b) {
        _ if a == b => true,
        (Edge::StartOfDay(a), Edge::StartOfDay(b)) | (Edge::EndOfDay(a), Edge::EndOfDay(b)) => a <= b,
        (Edge::StartOfDay(a), Edge::EndOfDay(b)) => a <= b,
        (Edge::EndOfDay(a), Edge::StartOfDay(b)) => a < b,
        (Edge::Instant(a), Edge::Instant(b)) => a <= b,
        (Edge::Period { unit: u, offset: m }, Edge::Period { unit: v, offset: n }) if u == v => m <= n,
        _ => [months, days, seconds]
            .iter()
            .any(|measure| matches!((measure(a), measure(b)), (Some(a), Some(b)) if a.at_or_before(b))),
    }
}

/// The edges of which the earlier is the start of the window, and those of which the later is its end.
fn ends(window: Window) -> (Vec<Edge>, Vec<Edge>) {
    match (window.start, window.end) {
        (Some(a @ Edge::Back { .. }), Some(b @ Edge::Back { .. })) if !at_or_before(a, b) => {
            if at_or_before(b, a) {
                (vec![b], vec![a])
            } else {
                (vec![a, b], vec![a, b])
            }
        }
        (start, end) => (start.into_iter().collect(), end.into_iter().collect()),
    }
}

/// Whether all of `inner` lies in `outer`, whatever the as-of instant. For events every window ends there at the latest.
pub(super) fn inside(inner: Window, outer: Window, events: bool) -> bool {
    let ((inner_starts, inner_ends), (outer_starts, outer_ends)) = (ends(inner), ends(outer));
    // Of two edges that may change places, the outer window begins with the earlier: one that is early enough will do. Of the
    // inner's, each may be the first.
    let starts = outer_starts.is_empty()
        || !inner_starts.is_empty() && inner_starts.iter().all(|i| outer_starts.iter().any(|o| at_or_before(*o, *i)));
    let finishes = outer_ends.is_empty()
        || events && outer_ends.contains(&Edge::AsOf)
        || !inner_ends.is_empty() && inner_ends.iter().all(|i| outer_ends.iter().any(|o| at_or_before(*i, *o)));
    starts && finishes
}

/// Whether nothing can lie in both.
pub(super) fn apart(a: Window, b: Window) -> bool {
    let before = |x: Window, y: Window| {
        let ((_, x_ends), (y_starts, _)) = (ends(x), ends(y));
        !x_ends.is_empty()
            && !y_starts.is_empty()
            && x_ends.iter().all(|end| {
                // On a plain date, today is in both `in 30d` and `within 30d`.
                *end != Edge::AsOf && y_starts.iter().all(|start| at_or_before(*end, *start))
                    || *end == Edge::AsOf
                        && y_starts.iter().all(|start| *start != Edge::AsOf && at_or_before(*end, *start))
            })
    };
    before(a, b) || before(b, a)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn back(amount: u32, unit: Unit) -> Edge {
        Edge::Back { amount, unit }
    }

    #[test]
    fn edges_are_ordered_only_where_that_is_certain() {
        for (earlier, later, certain) in [
            (back(2, Unit::Month), back(30, Unit::Day), true),
            (back(1, Unit::Month), back(30, Unit::Day), false),
            (back(30, Unit::Day), back(1, Unit::Month), false),
            (back(31, Unit::Day), back(1, Unit::Month), true),
            (back(366, Unit::Day), back(12, Unit::Month), true),
            (back(12, Unit::Month), back(365, Unit::Day), true),
            (back(24 * 3600, Unit::Second), back(1, Unit::Day), false),
            (back(3, Unit::Day), back(3600, Unit::Second), true),
            (back(1, Unit::Second), Edge::AsOf, true),
            (Edge::AsOf, back(1, Unit::Second), false),
        ] {
            assert_eq!(at_or_before(earlier, later), certain, "{earlier:?} {later:?}");
        }
    }

    #[test]
    fn windows_nest() {
        let within = |n| Window { start: Some(back(n, Unit::Day)), end: Some(Edge::AsOf) };
        assert!(inside(within(90), within(365), true));
        assert!(!inside(within(365), within(90), true));
        assert!(inside(within(90), Window::EVER, true));
        assert!(apart(within(30), Window { start: None, end: Some(back(30, Unit::Day)) }));
        assert!(!apart(within(31), Window { start: None, end: Some(back(30, Unit::Day)) }));
    }

    #[test]
    fn windows_whose_ends_change_places() {
        let (month, days) = (back(1, Unit::Month), back(30, Unit::Day));
        let either = Window { start: Some(month), end: Some(days) };
        let back_to = |n| Window { start: Some(back(n, Unit::Day)), end: Some(Edge::AsOf) };
        assert!(inside(either, back_to(31), true));
        assert!(!inside(either, back_to(30), true));
        assert!(inside(either, either, true));
        assert!(apart(either, back_to(28)));
        assert!(!apart(either, back_to(30)));
        assert!(inside(Window { start: Some(days), end: Some(month) }, either, false));
        assert!(!inside(Window { start: Some(back(31, Unit::Day)), end: Some(days) }, either, true));
    }

    #[test]
    fn periods_have_their_order() {
        use PeriodUnit::{Day, Month, Quarter, Week, Year};
        let period = |unit, offset| Edge::Period { unit, offset };
        let ahead = |amount, unit| Edge::Ahead { amount, unit };
        for (earlier, later, certain) in [
            (period(Month, 0), Edge::AsOf, true),
            (Edge::AsOf, period(Month, 1), true),
            (Edge::AsOf, period(Month, 0), false),
            (back(1, Unit::Month), period(Month, 0), true),
            (period(Month, 0), back(1, Unit::Month), false),
            (period(Month, -1), back(1, Unit::Month), true),
            (back(1, Unit::Month), period(Month, -1), false),
            (back(31, Unit::Day), period(Month, 0), true),
            (back(30, Unit::Day), period(Month, 0), false),
            (period(Month, -1), back(28, Unit::Day), true),
            (period(Month, -1), back(29, Unit::Day), false),
            (period(Week, -2), period(Week, -1), true),
            (period(Week, -1), period(Week, -2), false),
            (period(Year, 0), period(Month, 0), true),
            (period(Year, 0), period(Quarter, 0), false),
            (period(Quarter, 0), period(Month, 0), true),
            (period(Month, 0), period(Week, 0), false),
            (period(Month, 0), period(Day, 0), true),
            (period(Week, -1), back(7, Unit::Day), true),
            (back(7, Unit::Day), period(Week, 0), true),
            (back(6, Unit::Day), period(Week, 0), false),
            (period(Day, 0), back(1, Unit::Second), false),
            (period(Month, 2), ahead(2, Unit::Month), true),
            (ahead(1, Unit::Month), period(Month, 2), true),
            (ahead(1, Unit::Month), period(Month, 1), false),
            (ahead(7, Unit::Day), ahead(8, Unit::Day), true),
            (ahead(8, Unit::Day), ahead(7, Unit::Day), false),
            (ahead(31, Unit::Day), ahead(1, Unit::Month), false),
            (ahead(28, Unit::Day), ahead(1, Unit::Month), true),
            (back(1, Unit::Second), ahead(1, Unit::Second), true),
            (Edge::AsOf, ahead(1, Unit::Second), true),
        ] {
            assert_eq!(at_or_before(earlier, later), certain, "{earlier:?} {later:?}");
        }
    }

    #[test]
    fn today_is_before_and_behind() {
        let back_to = Window { start: Some(back(30, Unit::Day)), end: Some(Edge::AsOf) };
        let ahead = Window { start: Some(Edge::AsOf), end: Some(Edge::Ahead { amount: 30, unit: Unit::Day }) };
        assert!(!apart(back_to, ahead));
    }

    #[test]
    fn what_is_said_of_edges_and_windows_holds_on_every_clock() {
        use crate::language::calendar::{Clock, Zone, parse_moment};
        use Unit::{Day, Hour, Month, Second, Week, Year};

        let mut starts = vec![Edge::AsOf];
        for (amount, unit) in [
            (1, Second),
            (90_000, Second),
            (1, Hour),
            (1, Day),
            (7, Day),
            (28, Day),
            (29, Day),
            (30, Day),
            (31, Day),
            (4, Week),
            (365, Day),
            (366, Day),
            (1, Month),
            (2, Month),
            (12, Month),
            (1, Year),
        ] {
            starts.push(back(amount, unit));
        }
        for unit in [PeriodUnit::Day, PeriodUnit::Week, PeriodUnit::Month, PeriodUnit::Quarter, PeriodUnit::Year] {
            starts.extend((-2..=2).map(|offset| Edge::Period { unit, offset }));
        }
        let ahead = |(amount, unit)| Edge::Ahead { amount, unit };
        let mut ends = starts.clone();
        ends.extend([(1, Second), (1, Day), (28, Day), (30, Day), (31, Day), (1, Month), (2, Month)].map(ahead));
        let none = Window::EVER;
        let mut windows = vec![none];
        // Of all pairs those that a window may be written with, and some more.
        for (i, start) in starts.iter().enumerate() {
            windows.push(Window { start: Some(*start), end: None });
            for (j, end) in ends.iter().enumerate() {
                if *end == Edge::AsOf || (i * 7 + j) % 9 == 0 {
                    windows.push(Window { start: Some(*start), end: Some(*end) });
                }
            }
        }
        let mut related = Vec::new();
        for (i, a) in windows.iter().enumerate() {
            for (j, b) in windows.iter().enumerate() {
                let found = (inside(*a, *b, true), inside(*a, *b, false), apart(*a, *b));
                if found != (false, false, false) {
                    related.push((i, j, found));
                }
            }
        }
        let ordered: Vec<(Edge, Edge)> =
            ends.iter().flat_map(|a| ends.iter().map(|b| (*a, *b))).filter(|(a, b)| at_or_before(*a, *b)).collect();
        for zone in ["Europe/Paris", "Pacific/Apia", "America/St_Johns", "Australia/Lord_Howe"] {
            let zone = Zone::new(zone).expect("a zone");
            for as_of in [
                "2024-02-29T12:00",
                "2024-03-31T03:30",
                "2025-03-30T02:30",
                "2025-10-26T02:30",
                "2012-01-30T10:00",
                "2011-12-31T00:00",
                "2026-01-01T00:00",
                "2026-03-31T23:59",
                "2026-05-31T08:00",
                "2026-11-22T01:00",
                "2026-12-31T23:59",
            ] {
                let as_of = parse_moment(as_of, &zone).expect("an instant");
                let clock = Clock { as_of, zone: zone.clone() };
                for (a, b) in &ordered {
                    assert!(clock.edge(*a) <= clock.edge(*b), "{a:?} {b:?} at {as_of}");
                }
                // Events, instants, plain dates: each from the first to the first behind.
                let laid: Vec<[(i64, i64); 3]> = windows
                    .iter()
                    .map(|w| {
                        let (events, instants, dates) = (clock.interval(w), clock.instants(w), clock.dates(w));
                        let days = (i64::from(dates.lo), i64::from(dates.hi) + 1);
                        [(events.lo, events.hi), (instants.lo, instants.hi), days]
                    })
                    .collect();
                let within = |a: (i64, i64), b: (i64, i64)| a.0 >= a.1 || a.0 >= b.0 && a.1 <= b.1;
                let clear = |a: (i64, i64), b: (i64, i64)| a.0.max(b.0) >= a.1.min(b.1);
                for (i, j, (of_events, of_dates, far)) in &related {
                    let (a, b) = (laid[*i], laid[*j]);
                    let shown = || format!("{:?} {:?} at {as_of}", windows[*i], windows[*j]);
                    assert!(!of_events || within(a[0], b[0]), "events: {}", shown());
                    assert!(!of_dates || within(a[1], b[1]), "instants: {}", shown());
                    assert!(!of_dates || within(a[2], b[2]), "dates: {}", shown());
                    assert!(!far || clear(a[1], b[1]), "apart instants: {}", shown());
                    assert!(!far || clear(a[2], b[2]), "apart dates: {}", shown());
                }
            }
        }
    }
}
