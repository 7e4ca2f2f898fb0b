//! Trying again: when, how often, and when not.
//!
//! Owns: the pauses between tries. Promises: they depend on the key of the request and the number of the try alone, so that two
//! senders do not knock in step and a test knows what will be.

use std::time::Duration;

use sha2::{Digest, Sha256};

/// How patient a sender is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// How often a request is sent at most.
    pub tries: u32,
    /// The pause after the first try; it doubles from try to try.
    pub first: Duration,
    /// The longest pause, but for one that the receiver asks for.
    pub longest: Duration,
    /// The longest pause that a receiver may ask for; beyond it the delivery ends, to be resumed later.
    pub asked: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Patience {
            tries: 7,
            first: Duration::from_secs(1),
            longest: Duration::from_secs(60),
            asked: Duration::from_secs(15 * 60),
        }
    }
}

impl Patience {
    /// The pause after the try of this number (from 1): between half and all of what doubling gives.
    pub fn pause(&self, key: &str, tried: u32) -> Duration {
        let doubled = self.first.saturating_mul(2_u32.saturating_pow(tried.saturating_sub(1))).min(self.longest);
        let mut hash = Sha256::new();
        hash.update(key.as_bytes());
        hash.update(tried.to_le_bytes());
        let share = hash.finalize().first().map_or(0, |byte| u32::from(*byte));
        doubled / 2 + doubled / 512 * share
    }
}

/// `Retry-After`: seconds, or the date of an instant (RFC 9110). `now` is in seconds since 1970.
pub fn after(header: &str, now: i64) -> Option<Duration> {
    let header = header.trim();
    if !header.is_empty() && header.bytes().all(|b| b.is_ascii_digit()) {
        return Some(Duration::from_secs(header.parse().unwrap_or(u64::MAX)));
    }
    let at = http_date(header)?;
    Some(Duration::from_secs(u64::try_from(at.saturating_sub(now)).unwrap_or(0)))
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`, and the two older forms, as seconds since 1970.
fn http_date(text: &str) -> Option<i64> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let words: Vec<&str> = text.split([' ', '-', ',']).filter(|w| !w.is_empty()).collect();
    let (day, month, year, time) = match words.as_slice() {
        [_, day, month, year, time, "GMT"] => (*day, *month, *year, *time),
        // The form of asctime.
        [_, month, day, time, year] => (*day, *month, *year, *time),
        _ => return None,
    };
    let month = MONTHS.iter().position(|m| *m == month)? as i64 + 1;
    let year: i64 = match year.len() {
        2 => year.parse::<i64>().ok().map(|y| if y < 70 { 2000 + y } else { 1900 + y })?,
        4 => year.parse().ok()?,
        _ => return None,
    };
    let day: i64 = day.parse().ok().filter(|d| (1..=31).contains(d))?;
    let mut parts = time.split(':').map(|part| part.parse::<i64>().ok());
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    if hour > 23 || minute > 59 || second > 60 || parts.next().is_some() {
        return None;
    }
    // Days since 1970 of the proleptic Gregorian calendar, counted from March.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let era = y.div_euclid(400);
    let of_era = y.rem_euclid(400);
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + (153 * m + 2) / 5 + day - 1 - 719_468;
    Some(days * 86_400 + hour * 3_600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_receiver_asks_for() {
        let at = 784_111_777;
        for text in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
            assert_eq!(http_date(text), Some(at), "{text}");
            assert_eq!(after(text, at - 90), Some(Duration::from_secs(90)));
            assert_eq!(after(text, at + 90), Some(Duration::ZERO), "it is over");
        }
        assert_eq!(http_date("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        assert_eq!(http_date("Tue, 29 Feb 2000 23:59:60 GMT"), Some(951_868_800));
        assert_eq!(after(" 120 ", 0), Some(Duration::from_secs(120)));
        assert_eq!(after("99999999999999999999999", 0), Some(Duration::from_secs(u64::MAX)));
        for text in ["", "soon", "-1", "1.5", "Sun, 06 Nov 1994 08:49 GMT", "Sun, 06 Nov 1994 24:00:00 GMT"] {
            assert_eq!(after(text, 0), None, "{text}");
        }
    }

    #[test]
    fn pauses_grow_and_are_told_by_the_key() {
        let patience = Patience::default();
        let pauses: Vec<Duration> = (1..10).map(|tried| patience.pause("a", tried)).collect();
        let again: Vec<Duration> = (1..10).map(|tried| patience.pause("a", tried)).collect();
        assert_eq!(pauses, again);
        assert_ne!(pauses.first(), Some(&patience.pause("b", 1)));
        for (tried, pause) in (1_u32..).zip(pauses) {
            let most = patience.longest.min(patience.first * 2_u32.pow(tried - 1));
            assert!(pause >= most / 2 && pause <= most, "{tried}: {pause:?}");
        }
    }
}
