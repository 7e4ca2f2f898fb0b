//! The customers: who they are and what they are like.
//!
//! Owns: one compact [`Person`] a customer, drawn from the seed and the customer's number alone.
//! Promises: the same person for the same (seed, number, period), whoever asks.
//! Must not know: files, or what happened on a day.

use super::dice::{Dice, key};
use super::shop::{ANTI_AGING, FAVOURITES, block};

/// No day: further away than any.
pub(super) const NEVER: i32 = i32::MAX;
/// No product in [`Person::habit`].
pub(super) const NONE: u16 = u16::MAX;

/// What makes a customer behave as she does. Days count from 1970-01-01 in the shop's zone. Kept for every customer during the
/// whole run, so it is small.
#[derive(Debug, Clone)]
pub(super) struct Person {
    /// The key of all her throws.
    pub key: u64,
    /// The day on which she first came.
    pub joined: i32,
    /// The first day on which she no longer comes.
    pub left: i32,
    /// From this day on she opens no mail any more.
    pub stops_opening: i32,
    /// The day on which she unsubscribes.
    pub unsubscribes: i32,
    /// Visits a day while she is a customer, before season and mood.
    pub rate: f32,
    /// How often a filled cart is paid.
    pub buys: f32,
    /// How often a mail is opened; 0 where she never agreed to mail.
    pub opens: f32,
    /// A product that she buys again and again, or [`NONE`].
    pub habit: u16,
    /// Days from one such purchase to the next.
    pub period: u8,
    /// Index into the categories.
    pub favourite: u8,
    /// Index into the channels: web, app or store.
    pub channel: u8,
    pub traits: Traits,
}

/// Yes and no.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Traits {
    /// Has a profile; a guest has events only.
    pub profile: bool,
    pub member: bool,
    /// A mail proxy opens every mail at once.
    pub proxy: bool,
    pub staff: bool,
    pub complained: bool,
}

/// The first day and the day after the last one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Period {
    pub from: i32,
    pub to: i32,
}

impl Person {
    /// The customer with this number (from 1 on).
    pub(super) fn new(seed: u64, number: u32, period: Period) -> Person {
        let key = key(seed, u64::from(number), 0);
        let mut dice = Dice::new(key);
        let days = period.to - period.from;

        let joined = match dice.chance(0.58) {
            true => period.from - 1 - dice.between(0, 1094),
            false => period.from + dice.between(0, days - 1),
        };
        // Many leave some time, most of them early.
        let left = match dice.chance(0.42) {
            true => {
                let u = dice.unit();
                joined.max(period.from) + 1 + (u * u * f64::from(days)) as i32
            }
            false => NEVER,
        };

        // A power law: most come now and then, a few nearly every other day.
        let root = dice.unit().max(1e-6).sqrt().sqrt();
        let rate = (0.014 / (root * root * root)).min(0.55);
        let buys = 0.22 + 0.5 * dice.unit();

        let favourite = dice.weighted(&FAVOURITES) as u8;
        let habitual = dice.chance(if favourite == ANTI_AGING { 0.42 } else { 0.09 });
        let (first, length) = block(favourite);
        let (habit, period_days) = match habitual {
            true => (first + dice.below(u32::from(length.min(3))) as u16, dice.between(18, 30) as u8),
            false => (NONE, 0),
        };

        let profile = dice.chance(0.96);
        let consents = profile && dice.chance(if habitual { 0.85 } else { 0.66 });
        let opens = match dice.weighted(if habitual { &[50, 40, 10] } else { &[25, 50, 25] }) {
            0 => 0.45 + 0.35 * dice.unit(),
            1 => 0.15 + 0.20 * dice.unit(),
            _ => 0.01 + 0.06 * dice.unit(),
        };
        // Mail tires, faithful buyers not less than others.
        let stops_opening = match dice.chance(if habitual { 0.40 } else { 0.25 }) {
            true => joined.max(period.from) + (dice.unit() * f64::from(days)) as i32,
            false => NEVER,
        };
        let unsubscribes = match consents && dice.chance(0.10) {
            true => joined.max(period.from) + 2 + (dice.unit() * f64::from(days)) as i32,
            false => NEVER,
        };
        let channel = match dice.weighted(&[55, 30, 15]) {
            0 => 0,
            1 => 1,
            _ => 2,
        };
        let traits = Traits {
            profile,
            member: profile && dice.chance(if habitual || rate > 0.08 { 0.7 } else { 0.3 }),
            proxy: dice.chance(0.14),
            staff: dice.chance(0.01),
            complained: dice.chance(0.015),
        };
        Person {
            key,
            joined,
            left,
            stops_opening,
            unsubscribes,
            rate: rate as f32,
            buys: buys as f32,
            opens: if consents { opens as f32 } else { 0.0 },
            habit,
            period: period_days,
            favourite,
            channel,
            traits,
        }
    }

    /// Comes to the shop on this day at all.
    pub(super) fn active(&self, day: i32) -> bool {
        self.joined <= day && day < self.left
    }
}

/// The id that stands in the files: `c00000001`.
pub(super) fn write_id(number: u32, into: &mut String) {
    into.clear();
    into.push('c');
    let mut scale = 10_000_000;
    while scale > 0 {
        into.push(char::from(b'0' + (number / scale % 10) as u8));
        scale /= 10;
    }
}

/// What the profile file says, drawn apart so that the files of events don't depend on it.
#[derive(Debug, Clone)]
pub(super) struct Profile {
    /// Seconds after midnight of the day on which she joined.
    pub joined_second: i64,
    pub country: Option<&'static str>,
    pub language: &'static str,
    /// Days since 1970-01-01.
    pub birth: Option<i32>,
    pub skin_type: Option<&'static str>,
    pub tier: Option<&'static str>,
    pub email_consent: bool,
    pub sms_consent: Option<bool>,
    pub push_consent: bool,
    pub tags: Vec<&'static str>,
}

/// Seconds after midnight at which a customer joins; the first visit begins then.
pub(super) fn joined_second(person: &Person) -> i64 {
    7 * 3600 + i64::from(Dice::new(key(person.key, 1, 1)).below(15 * 3600))
}

impl Profile {
    pub(super) fn new(person: &Person, period: Period) -> Profile {
        let mut dice = Dice::new(key(person.key, 2, 2));
        let (country, language) = match dice.weighted(&[54, 15, 8, 7, 6, 4, 3, 3]) {
            0 => (Some("FR"), "fr"),
            1 => (Some("DE"), "de"),
            2 => (Some("IT"), "it"),
            3 => (Some("ES"), "es"),
            4 => (Some("BE"), "fr"),
            5 => (Some("CH"), "de"),
            6 => (Some("NL"), "en"),
            _ => (None, "en"),
        };
        // Who loves anti-ageing care is older.
        let age = match person.favourite == ANTI_AGING {
            true => dice.between(38, 76),
            false => 18 + (f64::from(58) * dice.unit() * (0.5 + 0.5 * dice.unit())) as i32,
        };
        let birth = period.to - age * 365 - dice.between(0, 364);
        let birth = dice.chance(0.78).then_some(birth);
        let skin_type = match dice.weighted(&[40, 16, 14, 18, 12]) {
            0 => None,
            1 => Some("dry"),
            2 => Some("oily"),
            3 => Some("combination"),
            _ => Some("sensitive"),
        };
        let tier = person.traits.member.then_some(match (person.habit != NONE, person.rate) {
            (true, rate) if rate > 0.05 => "gold",
            (true, _) => "silver",
            (false, rate) if rate > 0.20 => "gold",
            (false, rate) if rate > 0.07 => "silver",
            _ => "bronze",
        });
        let mut tags = Vec::new();
        for (tag, share) in
            [("influencer", 0.02), ("newsletter-quiz", 0.12), ("professional", 0.03), ("sample-box", 0.09)]
        {
            if dice.chance(share) {
                tags.push(tag);
            }
        }
        if person.rate > 0.2 && person.buys > 0.4 {
            tags.push("vip");
        }
        Profile {
            joined_second: joined_second(person),
            country,
            language,
            birth,
            skin_type,
            tier,
            email_consent: person.opens > 0.0 && person.unsubscribes >= period.to,
            sms_consent: match dice.below(10) {
                0..=2 => Some(true),
                3..=7 => Some(false),
                _ => None,
            },
            push_consent: person.channel == 1 && dice.chance(0.6),
            tags,
        }
    }
}
