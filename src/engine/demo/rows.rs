//! What is written down about a day.
//!
//! Owns: the events as the generator holds them until they become columns, and who they are about.
//! Must not know: how customers behave, files.

use super::people::{NONE, Person};
use super::shop::Day;

/// Raw names of the events, as the files have them.
pub(super) const KINDS: [&str; 15] = [
    "visit",
    "product_view",
    "cart_add",
    "checkout_start",
    "purchase",
    "product_return",
    "email_sent",
    "email_open",
    "email_click",
    "email_unsubscribe",
    "support_ticket",
    "review",
    "loyalty_earn",
    "loyalty_redeem",
    "wishlist_add",
];

/// Index into [`KINDS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    Visit,
    View,
    CartAdd,
    Checkout,
    Purchase,
    Return,
    Sent,
    Open,
    Click,
    Unsubscribe,
    Ticket,
    Review,
    Earn,
    Redeem,
    Wish,
}

/// No value in a `u8` column.
pub(super) const BLANK: u8 = u8::MAX;

/// One event, compact. What its kind has no use for is blank.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// Seconds after the day's midnight.
    pub second: i32,
    /// The customer's number.
    pub customer: u32,
    pub kind: Kind,
    /// Index into the products, or [`NONE`].
    pub product: u16,
    pub quantity: u8,
    /// Paid for the line, in cents.
    pub amount: i32,
    /// The number of the order within the customer's day, from 1 on; 0 for none.
    pub order: u8,
    /// Index into the channels.
    pub channel: u8,
    /// Index into the referrers.
    pub referrer: u8,
    /// Index into the campaigns.
    pub campaign: u8,
    /// Index into the topics.
    pub topic: u8,
    pub rating: u8,
    pub points: i32,
    /// A machine opened the mail.
    pub machine: bool,
}

/// The calendar of the whole period and the two days before it.
#[derive(Debug)]
pub(super) struct Almanac {
    /// The first day of `days`.
    pub from: i32,
    pub days: Vec<Day>,
}

impl Almanac {
    pub(super) fn day(&self, day: i32) -> Option<&Day> {
        self.days.get(usize::try_from(day - self.from).ok()?)
    }
}

/// Seconds of a day.
pub(super) const DAY: i32 = 86_400;

/// Whom and when we are writing about.
#[derive(Clone, Copy)]
pub(super) struct Who<'a> {
    pub person: &'a Person,
    pub number: u32,
    pub day: i32,
}

/// An event of which nothing is known but who, when and what.
pub(super) fn blank(who: Who, second: i32, kind: Kind) -> Row {
    Row {
        second,
        customer: who.number,
        kind,
        product: NONE,
        quantity: 0,
        amount: 0,
        order: 0,
        channel: BLANK,
        referrer: BLANK,
        campaign: BLANK,
        topic: BLANK,
        rating: 0,
        points: 0,
        machine: false,
    }
}
