//! What happens to customers on a day.
//!
//! Owns: mail and what follows it, reviews, returns and tickets; what happens in the shop comes from `visits`.
//! Promises: the events of a customer on a day depend on the seed, the customer and the day alone; where one day follows from
//! another (a review from last week's purchase), that other day is thrown again and not remembered.
//! Must not know: files.

use super::dice::{Dice, key};
use super::people::Person;
use super::rows::{Almanac, DAY, Kind, Row, Who, blank};
use super::shop::{Audience, CART_REMINDER, NEWSLETTER, WELCOME, WINBACK};
use super::visits::{Session, shop, visits};

/// Mail goes out at nine.
const POST: i32 = 9 * 3600;

/// Writes down what one customer does on one day.
pub(super) struct Scribe<'a> {
    almanac: &'a Almanac,
    rows: &'a mut Vec<Row>,
    /// The day's events when another day is thrown again.
    scratch: Vec<Row>,
}

impl<'a> Scribe<'a> {
    pub(super) fn new(almanac: &'a Almanac, rows: &'a mut Vec<Row>) -> Scribe<'a> {
        Scribe { almanac, rows, scratch: Vec::new() }
    }

    /// Adds the events of the customer on the day.
    pub(super) fn live(&mut self, person: &Person, number: u32, day: i32) {
        if day < person.joined {
            return;
        }
        let who = Who { person, number, day };
        if person.active(day) {
            shop(self.almanac, who, self.rows);
            self.afterwards(who);
            self.reminder(who);
        }
        self.post(who);
    }

    /// Reviews, returns and tickets follow a purchase some days ago.
    fn afterwards(&mut self, who: Who) {
        let mut dice = Dice::new(key(who.person.key, who.day as u64, 11));
        let kind = match dice.below(1000) {
            0..100 => Kind::Review,
            100..130 => Kind::Return,
            130..175 => Kind::Ticket,
            175 => {
                let row = blank(who, dice.between(8 * 3600, 20 * 3600), Kind::Ticket);
                self.rows.push(Row {
                    topic: [2, 4][dice.below(2) as usize & 1],
                    channel: 3 + dice.below(3) as u8,
                    ..row
                });
                return;
            }
            _ => return,
        };
        let lag = match kind {
            Kind::Ticket => dice.between(1, 6),
            Kind::Return => dice.between(4, 13),
            _ => dice.between(3, 12),
        };
        let then = Who { day: who.day - lag, ..who };
        if !who.person.active(then.day) || self.almanac.day(then.day).is_none() {
            return;
        }
        self.scratch.clear();
        shop(self.almanac, then, &mut self.scratch);
        let Some(bought) = self.scratch.iter().find(|row| row.kind == Kind::Purchase) else { return };
        let row = blank(who, dice.between(8 * 3600, 22 * 3600), kind);
        self.rows.push(match kind {
            Kind::Review => {
                let rating = [5, 4, 3, 2, 1][dice.weighted(&[46, 27, 12, 6, 9]) % 5];
                Row { product: bought.product, rating, ..row }
            }
            Kind::Return => Row {
                product: bought.product,
                quantity: bought.quantity,
                amount: bought.amount,
                channel: bought.channel,
                ..row
            },
            _ => Row {
                topic: dice.weighted(&[45, 25, 15, 10, 5]) as u8,
                channel: 3 + dice.weighted(&[50, 30, 20]) as u8,
                ..row
            },
        });
    }

    /// A cart that was left yesterday is recalled by mail.
    fn reminder(&mut self, who: Who) {
        let then = Who { day: who.day - 1, ..who };
        if who.person.opens == 0.0 || who.day >= who.person.unsubscribes || !visits(self.almanac, then) {
            return;
        }
        self.scratch.clear();
        shop(self.almanac, then, &mut self.scratch);
        let left = self.scratch.iter().rfind(|row| row.kind == Kind::CartAdd).map(|row| row.product);
        let bought = self.scratch.iter().any(|row| row.kind == Kind::Purchase);
        if let (Some(product), false) = (left, bought) {
            self.mail(who, who.day, 10 * 3600, CART_REMINDER, 1.4, Some(product));
        }
    }

    /// Mail of today, and what comes of mail of the last two days.
    fn post(&mut self, who: Who) {
        let person = who.person;
        if person.opens == 0.0 {
            return;
        }
        for sent in who.day - 2..=who.day {
            if sent < person.joined || sent > person.unsubscribes {
                continue;
            }
            if let Some((campaign, audience)) = self.almanac.day(sent).and_then(|day| day.mail) {
                let meant = match audience {
                    Audience::Everyone => true,
                    Audience::Fans(category) => person.favourite == category,
                };
                if meant && sent < person.unsubscribes && sent > person.joined {
                    let lift = if campaign == NEWSLETTER { 1.0 } else { 1.25 };
                    self.mail(who, sent, POST, campaign, lift, None);
                }
            }
            if sent == person.joined.saturating_add(1) && sent < person.unsubscribes {
                self.mail(who, sent, POST + 1800, WELCOME, 1.7, None);
            }
            if sent < person.unsubscribes && person.left < sent && [45, 90].contains(&(sent - person.left)) {
                self.mail(who, sent, POST + 7200, WINBACK, 0.8, None);
            }
        }
        if who.day == person.unsubscribes {
            let second = Dice::new(key(person.key, 5, 5)).between(9 * 3600, 22 * 3600);
            self.rows.push(Row { campaign: NEWSLETTER, ..blank(who, second, Kind::Open) });
            self.rows.push(Row { campaign: NEWSLETTER, ..blank(who, second + 40, Kind::Unsubscribe) });
        }
    }

    /// One mail: sent on its day, opened and clicked when the recipient gets to it.
    fn mail(&mut self, who: Who, sent: i32, at: i32, campaign: u8, lift: f64, cart: Option<u16>) {
        let person = who.person;
        let mut dice = Dice::new(key(person.key, sent as u64, 100 + u64::from(campaign)));
        let send = at + dice.between(0, 900);
        let before = (who.day - sent) * DAY;
        if before == 0 {
            self.rows.push(Row { campaign, ..blank(who, send, Kind::Sent) });
            if person.traits.proxy {
                let second = send + dice.between(5, 90);
                self.rows.push(Row { campaign, machine: true, ..blank(who, second, Kind::Open) });
            }
        }
        let mut mood = Dice::new(dice.bits());
        let left = if sent >= person.left { 0.2 } else { 1.0 };
        if sent >= person.stops_opening || !mood.chance(f64::from(person.opens) * lift * left) {
            return;
        }
        // Most open soon, some a day later.
        let u = mood.unit();
        let open = send + 60 + (u * u * u * 40.0 * 3600.0) as i32 - before;
        if !(0..DAY).contains(&open) {
            return;
        }
        self.rows.push(Row { campaign, ..blank(who, open, Kind::Open) });
        let click = open + mood.between(8, 150);
        if !mood.chance(0.22) || !person.active(who.day) || click >= DAY {
            return;
        }
        self.rows.push(Row { campaign, ..blank(who, click, Kind::Click) });
        let mut session = Session {
            start: click + 2,
            referrer: 3,
            buys: (f64::from(person.buys) * 1.2).min(0.9),
            carts: 0.35,
            order: 10 + campaign,
            cart: None,
        };
        if let Some(product) = cart {
            session.cart = Some(product);
        }
        session.hold(self.almanac, who, &mut mood, self.rows);
    }
}
