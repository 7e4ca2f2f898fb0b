//! The calendar against Python's, and its behaviour at the ends of the world.

use segue::language::calendar::{Clock, DateRange, Interval, Zone, date_of, days_of, parse_date, parse_moment};
use segue::language::ir::{Date, Edge, PeriodUnit, Unit, Window};

fn zone(name: &str) -> Zone {
    Zone::new(name).unwrap_or_else(|| panic!("no zone {name}"))
}

fn unit(word: &str) -> Unit {
    match word {
        "s" => Unit::Second,
        "min" => Unit::Minute,
        "h" => Unit::Hour,
        "d" => Unit::Day,
        "w" => Unit::Week,
        "mo" => Unit::Month,
        "y" => Unit::Year,
        other => panic!("{other}"),
    }
}

#[test]
fn agrees_with_python() {
    let rows = include_str!("calendar_golden.csv");
    let mut wrong = Vec::new();
    let mut seen = 0;
    let mut here = Zone::utc();
    for row in rows.lines() {
        let mut parts = row.split(',');
        let (kind, name) = (parts.next().unwrap(), parts.next().unwrap());
        let rest: Vec<&str> = parts.collect();
        let n = |i: usize| rest[i].parse::<i64>().unwrap();
        if here.name() != name {
            here = zone(name);
        }
        let clock = |as_of| Clock { as_of, zone: here.clone() };
        let (found, expected) = match kind {
            "U" => {
                let at = n(0);
                let found = [
                    i64::from(here.date(at)),
                    i64::from(here.hour(at)),
                    i64::from(here.weekday(at)),
                    here.period(PeriodUnit::Week, at),
                    here.period(PeriodUnit::Month, at),
                ];
                (found.to_vec(), (1..6).map(n).collect())
            }
            "L" => (vec![here.instant_of_local(n(0))], vec![n(1)]),
            "S" => (vec![here.start_of_day(n(0))], vec![n(1)]),
            "B" => (vec![clock(n(0)).back(n(1) as u32, unit(rest[2]))], vec![n(3)]),
            "D" => (vec![clock(n(0)).days_since(n(1))], vec![n(2)]),
            other => panic!("{other}"),
        };
        seen += 1;
        if found != expected {
            wrong.push(format!("{row}: {found:?}"));
        }
    }
    assert!(seen > 3_000, "{seen} rows");
    assert!(wrong.is_empty(), "{} of {seen} wrong, first {:#?}", wrong.len(), &wrong[..wrong.len().min(20)]);
}

const EXTREMES: [i64; 9] =
    [i64::MIN, i64::MIN + 1, -62_135_596_800_000_001, -1, 0, 1, 4_102_444_800_000_000, i64::MAX - 1, i64::MAX];

#[test]
fn is_total() {
    for name in ["UTC", "Europe/Paris", "Pacific/Apia", "Africa/Casablanca", "Asia/Kolkata"] {
        let zone = zone(name);
        for at in EXTREMES {
            let (_, _, _) = (zone.hour(at), zone.weekday(at), zone.instant_of_local(at));
            for unit in [PeriodUnit::Day, PeriodUnit::Week, PeriodUnit::Month] {
                zone.period(unit, at);
            }
            zone.start_of_day(i64::from(zone.date(at)));
            let clock = Clock { as_of: at, zone: zone.clone() };
            for other in EXTREMES {
                clock.days_since(other);
            }
            clock.days_since_date(i32::MIN);
            for unit in [Unit::Second, Unit::Minute, Unit::Hour, Unit::Day, Unit::Week, Unit::Month, Unit::Year] {
                for amount in [1, 7, 4_000_000_000, u32::MAX] {
                    let edge = Edge::Back { amount, unit };
                    let instant = clock.edge(edge);
                    assert!(instant <= at || at == i64::MIN, "{name} {at} {edge:?}");
                    clock.dates(&Window { start: Some(edge), end: Some(edge) });
                }
            }
        }
    }
}

#[test]
fn an_edge_before_the_year_one_is_the_beginning() {
    let clock = Clock { as_of: 0, zone: Zone::utc() };
    for (amount, unit) in [(1970, Unit::Year), (u32::MAX, Unit::Day), (u32::MAX, Unit::Hour)] {
        let edge = Edge::Back { amount, unit };
        let wide = Window { start: Some(edge), end: Some(Edge::AsOf) };
        assert_eq!(clock.interval(&wide), Interval { lo: i64::MIN, hi: 0 }, "{amount} {unit:?}");
        assert!(clock.interval(&Window { start: None, end: Some(edge) }).is_empty());
        assert_eq!(clock.dates(&wide), DateRange { lo: i32::MIN, hi: 0 });
        assert!(clock.dates(&Window { start: None, end: Some(edge) }).is_empty());
    }
    assert_eq!(clock.edge(Edge::Back { amount: 1969, unit: Unit::Year }), -62_135_596_800_000_000);
}

#[test]
fn windows_tile() {
    let zone = zone("America/New_York");
    let as_of = parse_moment("2026-03-08T12:00", &zone).unwrap();
    let clock = Clock { as_of, zone };
    let back = |amount| Some(Edge::Back { amount, unit: Unit::Day });
    let late = clock.interval(&Window { start: back(1), end: Some(Edge::AsOf) });
    let early = clock.interval(&Window { start: back(2), end: back(1) });
    assert_eq!(early.hi, late.lo);
    assert_eq!(late.hi, as_of);
    // The day on which the clock went forward is 23 hours long.
    assert_eq!(late.hi - late.lo, 23 * 3_600_000_000);
}

#[test]
fn an_open_window_of_events_ends_at_the_as_of_instant() {
    let clock = Clock { as_of: 5, zone: Zone::utc() };
    assert_eq!(clock.interval(&Window::EVER), Interval { lo: i64::MIN, hi: 5 });
    assert_eq!(clock.instants(&Window::EVER), Interval { lo: i64::MIN, hi: i64::MAX });
    let later = Window { start: Some(Edge::Instant(3)), end: Some(Edge::Instant(9)) };
    assert_eq!(clock.interval(&later), Interval { lo: 3, hi: 5 });
    assert_eq!(clock.instants(&later), Interval { lo: 3, hi: 9 });
}

#[test]
fn plain_dates_take_today_in() {
    let zone = zone("Asia/Kolkata");
    let as_of = parse_moment("2026-11-21T15:00", &zone).unwrap();
    let clock = Clock { as_of, zone };
    let today = days_of(parse_date("2026-11-21").unwrap());
    let back = |amount| Some(Edge::Back { amount, unit: Unit::Day });
    let date = Date { year: 2026, month: 11, day: 1 };
    for (start, end, lo, hi) in [
        (back(3), Some(Edge::AsOf), today - 3, today),
        (back(6), back(3), today - 6, today - 4),
        (None, back(3), i32::MIN, today - 4),
        (Some(Edge::StartOfDay(date)), None, days_of(date), i32::MAX),
        (None, Some(Edge::StartOfDay(date)), i32::MIN, days_of(date) - 1),
        (Some(Edge::StartOfDay(date)), Some(Edge::EndOfDay(date)), days_of(date), days_of(date)),
        (Some(Edge::EndOfDay(date)), None, days_of(date) + 1, i32::MAX),
    ] {
        assert_eq!(clock.dates(&Window { start, end }), DateRange { lo, hi }, "{start:?} {end:?}");
    }
}

#[test]
fn days_and_dates_are_inverse() {
    for days in (-719_162..=2_932_896).step_by(97).chain([-719_162, 2_932_896]) {
        assert_eq!(days_of(date_of(days)), days);
    }
    assert_eq!(date_of(i32::MAX), Date { year: 9999, month: 12, day: 31 });
    assert_eq!(date_of(i32::MIN), Date { year: 1, month: 1, day: 1 });
}

#[test]
fn reads_moments() {
    let zone = zone("Europe/Paris");
    for (text, expected) in [
        ("2026-11-21", Some(1_795_215_600_000_000)),
        ("2026-11-21T08:00", Some(1_795_244_400_000_000)),
        ("2026-11-21T08:00:01.5", Some(1_795_244_401_500_000)),
        ("2026-11-21T08:00Z", Some(1_795_248_000_000_000)),
        ("2026-11-21T08:00+02:00", Some(1_795_240_800_000_000)),
        ("2026-11-21T08:00:00.000001-00:30", Some(1_795_249_800_000_001)),
        ("2026-02-29", None),
        ("2026-13-01", None),
        ("2026-1-1", None),
        ("0000-01-01", None),
        ("2026-11-21T24:00", None),
        ("2026-11-21T08", None),
        ("2026-11-21T08:00.", None),
        ("2026-11-21T08:00:00.1234567", None),
        ("+026-11-21", None),
        ("", None),
    ] {
        assert_eq!(parse_moment(text, &zone), expected, "{text}");
    }
    assert_eq!(parse_date("2026-11-21T08:00"), None);
}

#[test]
fn names_are_those_of_the_database() {
    assert!(Zone::new("Mars/Olympus").is_none());
    assert!(Zone::new("").is_none());
    assert_eq!(zone("europe/paris").name(), "Europe/Paris");
    assert!(segue::language::calendar::tzdb_version().starts_with("20"));
}

#[test]
fn a_window_between_two_durations_has_either_order() {
    let between = |a: (u32, Unit), b: (u32, Unit)| {
        let edge = |(amount, unit)| Some(Edge::Back { amount, unit });
        (Window { start: edge(a), end: edge(b) }, Window { start: edge(b), end: edge(a) })
    };
    let at = |text: &str| {
        let zone = zone("Europe/Paris");
        Clock { as_of: parse_moment(text, &zone).unwrap(), zone }
    };
    // A month before 15 March is 28 days, a month before 15 January 31.
    for (as_of, lo, hi) in [
        ("2026-03-15T12:00", "2026-02-13T12:00", "2026-02-15T12:00"),
        ("2026-01-15T12:00", "2025-12-15T12:00", "2025-12-16T12:00"),
    ] {
        let clock = at(as_of);
        let (one, other) = between((1, Unit::Month), (30, Unit::Day));
        let instant = |text: &str| parse_moment(text, &clock.zone).unwrap();
        let expected = Interval { lo: instant(lo), hi: instant(hi) };
        assert_eq!(clock.interval(&one), expected, "{as_of}");
        assert_eq!(clock.interval(&other), expected, "{as_of}");
        assert_eq!(clock.instants(&other), expected, "{as_of}");
        let days = |text: &str| days_of(parse_date(text.get(..10).unwrap()).unwrap());
        let expected = DateRange { lo: days(lo), hi: days(hi) - 1 };
        assert_eq!(clock.dates(&one), expected, "{as_of}");
        assert_eq!(clock.dates(&other), expected, "{as_of}");
    }
    // The same instant: nothing lies between.
    let (one, other) = between((1, Unit::Month), (30, Unit::Day));
    let clock = at("2026-05-01T00:00");
    assert!(clock.interval(&one).is_empty() && clock.interval(&other).is_empty());
    assert!(clock.dates(&one).is_empty() && clock.dates(&other).is_empty());
}
