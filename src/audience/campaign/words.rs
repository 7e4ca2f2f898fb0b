//! The texts beside reasons.
//!
//! Owns: how clauses and instants are spelt there. Must not know: who is decided about.

use crate::language::calendar::{Zone, date_of};
use crate::language::ir::{Action, Date, Every, Frequency, Length, WEEKDAYS};

/// `at most 1 in 30d`
pub(super) fn frequency(at_most: Frequency) -> String {
    format!("at most {} in {}", at_most.n, length(at_most.within))
}

/// `30d`
fn length(length: Length) -> String {
    format!("{}{}", length.amount, length.unit.short())
}

/// `every monday, thursday at 09:00`
pub(super) fn every(every: &Every) -> String {
    let days = match every.weekdays.len() {
        7.. => "day".to_owned(),
        _ => {
            let days = every.weekdays.iter().filter_map(|&day| WEEKDAYS.get(usize::from(day).wrapping_sub(1)).copied());
            days.collect::<Vec<_>>().join(", ")
        }
    };
    format!("every {days} at {:02}:{:02}", every.at / 60, every.at % 60)
}

/// `2026-11-21`
pub(super) fn date(date: Date) -> String {
    format!("{:04}-{:02}-{:02}", date.year, date.month, date.day)
}

/// `2026-11-22T08:00+01:00`, to the minute (quiet hours end on one).
pub(super) fn minute(at: i64, zone: &Zone) -> String {
    const MINUTE: i64 = 60_000_000;
    let local = zone.local(at).div_euclid(MINUTE);
    let day = date_of(i32::try_from(local.div_euclid(1440)).unwrap_or(0));
    let (of_day, east) = (local.rem_euclid(1440), zone.offset(at).div_euclid(MINUTE));
    let sign = if east < 0 { '-' } else { '+' };
    let (clock, offset) = ((of_day / 60, of_day % 60), (east.abs() / 60, east.abs() % 60));
    format!("{}T{:02}:{:02}{sign}{:02}:{:02}", date(day), clock.0, clock.1, offset.0, offset.1)
}

/// `offer serum-15`: what is done, without the channel.
pub(super) fn action(action: &Action) -> String {
    std::iter::once(action.verb.as_str())
        .chain(action.arguments.iter().map(String::as_str))
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::ir::Unit;

    #[test]
    fn clauses_are_spelt_as_they_are_written() {
        let at_most = Frequency { n: 3, within: Length { amount: 2, unit: Unit::Week } };
        assert_eq!(frequency(at_most), "at most 3 in 2w");
        let mut at = Every { weekdays: vec![1, 4, 7], at: 545 };
        assert_eq!(every(&at), "every monday, thursday, sunday at 09:05");
        at.weekdays = (1..=7).collect();
        assert_eq!(every(&at), "every day at 09:05");
        let paris = Zone::new("Europe/Paris").expect("known");
        assert_eq!(minute(0, &paris), "1970-01-01T01:00+01:00");
        assert_eq!(minute(-90 * 60_000_000, &Zone::new("America/St_Johns").expect("known")), "1969-12-31T19:00-03:30");
    }
}
