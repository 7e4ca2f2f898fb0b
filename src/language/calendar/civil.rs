//! The proleptic Gregorian calendar in whole days and microseconds: no zone, no clamp, total over its input types.
//!
//! Owns: the day arithmetic. Promises: no panic and no overflow for any input. Must not know: zones.

use crate::language::syntax::ast::{Date, PeriodUnit, Unit};

pub const SECOND: i64 = 1_000_000;
pub const DAY: i64 = 86_400 * SECOND;

/// Days since 1970-01-01 of a year, month (1 to 12) and day. Exact for every year that a 64-bit microsecond can reach.
pub fn days_of_ymd(year: i64, month: i64, day: i64) -> i64 {
    // The year begins in March, so that the leap day is its last; 400 years are an era of 146,097 days.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Year, month and day of a day since 1970-01-01.
pub fn ymd_of_days(days: i64) -> (i64, i64, i64) {
    let shifted = days.saturating_add(719_468);
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

pub fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The day that lies a calendar duration after `days` (before it, for a negative amount); a month without that day gives its
/// last. `None` for exact units.
pub fn later(days: i64, amount: i64, unit: Unit) -> Option<i64> {
    match unit {
        Unit::Day => Some(days.saturating_add(amount)),
        Unit::Week => Some(days.saturating_add(amount.saturating_mul(7))),
        Unit::Month => Some(later_months(days, amount)),
        Unit::Year => Some(later_months(days, amount.saturating_mul(12))),
        Unit::Second | Unit::Minute | Unit::Hour => None,
    }
}

/// The first day of a period by its running number: see [`super::Zone::period`].
pub fn period_start(unit: PeriodUnit, number: i64) -> i64 {
    match unit {
        PeriodUnit::Day => number,
        PeriodUnit::Week => number.saturating_mul(7).saturating_sub(3),
        PeriodUnit::Month => days_of_ymd(number.div_euclid(12), number.rem_euclid(12) + 1, 1),
        PeriodUnit::Quarter => days_of_ymd(number.div_euclid(4), number.rem_euclid(4) * 3 + 1, 1),
        PeriodUnit::Year => days_of_ymd(number, 1, 1),
    }
}

fn later_months(days: i64, months: i64) -> i64 {
    let (year, month, day) = ymd_of_days(days);
    let index = (year * 12 + (month - 1)).saturating_add(months);
    let (year, month) = (index.div_euclid(12), index.rem_euclid(12) + 1);
    days_of_ymd(year, month, day.min(days_in_month(year, month)))
}

/// Microseconds of an exact unit; `None` for calendar units.
pub fn exact(amount: u32, unit: Unit) -> Option<i64> {
    let one = match unit {
        Unit::Second => SECOND,
        Unit::Minute => 60 * SECOND,
        Unit::Hour => 3_600 * SECOND,
        Unit::Day | Unit::Week | Unit::Month | Unit::Year => return None,
    };
    Some(i64::from(amount).saturating_mul(one))
}

/// The first and last day of the supported years, 1 to 9999.
pub const FIRST_DAY: i64 = -719_162;
pub const LAST_DAY: i64 = 2_932_896;

/// Days since 1970-01-01 of a date.
pub fn days_of(date: Date) -> i32 {
    let days = days_of_ymd(i64::from(date.year), i64::from(date.month), i64::from(date.day));
    days.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32
}

/// The date of a day since 1970-01-01; days outside the years 1 to 9999 give the nearest one inside.
pub fn date_of(days: i32) -> Date {
    let (year, month, day) = ymd_of_days(i64::from(days).clamp(FIRST_DAY, LAST_DAY));
    Date { year: year as i16, month: month as u8, day: day as u8 }
}
