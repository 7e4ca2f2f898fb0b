//! The as-of instant of a run: the only place where the machine's clock is read.

use crate::error::Error;
use crate::language::calendar::{Clock, Zone, parse_moment};
use crate::language::catalog::ProjectFile;

/// From the command line, else from the project file, else now.
pub fn clock(written: Option<&str>, project: &ProjectFile) -> Result<Clock, Error> {
    let zone = Zone::new(&project.timezone).unwrap_or_else(Zone::utc);
    let written = written.or(project.as_of.as_ref().map(|a| a.name.as_str()));
    let as_of = match written {
        Some(text) => parse_moment(text, &zone).ok_or_else(|| {
            Error::usage(format!("`{text}` is no instant")).with_help(
                "write a date such as 2026-11-21, or an instant such as 2026-11-21T08:00 or 2026-11-21T08:00:00Z",
            )
        })?,
        None => now(),
    };
    Ok(Clock { as_of, zone })
}

/// That an instant may be published: nothing is decided any more at one that lies before it.
#[cfg(feature = "engine")]
pub fn in_time(clock: &Clock) -> Result<(), Error> {
    const YEAR: i64 = 366 * 86_400_000_000;
    if clock.as_of > now().saturating_add(YEAR) {
        let when = shown(clock);
        return Err(Error::usage(format!(
            "{when} lies more than a year ahead, and nothing could be decided before it then"
        ))
        .with_help("is the year right? `segue run --no-write` looks at any instant"));
    }
    Ok(())
}

/// What time it is: microseconds since 1970.
pub fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

/// `2026-11-21T08:00:00+01:00`, with a fraction only where there is one.
#[cfg(feature = "engine")]
pub fn shown(clock: &Clock) -> String {
    const SECOND: i64 = 1_000_000;
    const DAY: i64 = 86_400 * SECOND;
    let local = clock.zone.local(clock.as_of);
    let date = crate::language::calendar::date_of(i32::try_from(local.div_euclid(DAY)).unwrap_or(0));
    let of_day = local.rem_euclid(DAY);
    let (seconds, micros) = (of_day / SECOND, of_day % SECOND);
    let mut out = format!("{:04}-{:02}-{:02}T", date.year, date.month, date.day);
    out.push_str(&format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60));
    if micros > 0 {
        out.push_str(&format!(".{micros:06}"));
    }
    let east = (local - clock.as_of).div_euclid(60 * SECOND);
    let sign = if east < 0 { '-' } else { '+' };
    out.push_str(&format!("{sign}{:02}:{:02}", east.abs() / 60, east.abs() % 60));
    out
}

#[cfg(all(test, feature = "engine"))]
mod tests {
    use super::*;

    #[test]
    fn instants_are_shown_as_they_can_be_written() {
        let zone = Zone::new("Europe/Paris").expect("known");
        for (written, text) in [
            ("2026-11-21", "2026-11-21T00:00:00+01:00"),
            ("2026-07-01T08:30", "2026-07-01T08:30:00+02:00"),
            ("2026-07-01T08:30:00.000001Z", "2026-07-01T10:30:00.000001+02:00"),
            ("1969-12-31T23:00Z", "1970-01-01T00:00:00+01:00"),
        ] {
            let clock = Clock { as_of: parse_moment(written, &zone).expect("an instant"), zone: zone.clone() };
            assert_eq!(shown(&clock), text);
            assert_eq!(parse_moment(&shown(&clock), &zone), Some(clock.as_of), "{text}");
        }
    }
}
