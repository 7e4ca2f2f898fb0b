//! What customers do on a day.
//!
//! Owns: visits in sessions and moods, carts, purchases, habits, mail and what follows it, reviews, returns, tickets, points.
//! Promises: the events of a customer on a day depend on the seed, the customer and the day alone; where one day follows from
//! another (a review from last week's purchase), that other day is thrown again and not remembered.
//! Must not know: files.

use super::dice::{Dice, key, unit};
use super::people::{NONE, Person, joined_second};
use super::shop::{
    Audience, CART_REMINDER, Day, FRAGRANCE, GIFT_SET, HOURS, NEWSLETTER, PRODUCTS, SUNSCREEN, WELCOME, WINBACK, block,
};

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

const DAY: i32 = 86_400;
/// Mail goes out at nine.
const POST: i32 = 9 * 3600;

/// Writes down what one customer does on one day.
pub(super) struct Scribe<'a> {
    almanac: &'a Almanac,
    rows: &'a mut Vec<Row>,
    /// The day's events when another day is thrown again.
    scratch: Vec<Row>,
}

/// Whom and when we are writing about.
#[derive(Clone, Copy)]
struct Who<'a> {
    person: &'a Person,
    number: u32,
    day: i32,
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

fn blank(who: Who, second: i32, kind: Kind) -> Row {
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

/// Comes today of her own accord. Asked for every customer and day, so it costs two hashes.
fn visits(almanac: &Almanac, who: Who) -> bool {
    let Some(day) = almanac.day(who.day) else { return false };
    let person = who.person;
    if !person.active(who.day) {
        return false;
    }
    if who.day == person.joined {
        return true;
    }
    // Moods last five days: lively one time in four.
    let mood = match key(person.key, (who.day.div_euclid(5)) as u64, 21) & 3 {
        0 => 2.8,
        _ => 0.4,
    };
    unit(key(person.key, who.day as u64, 22)) < f64::from(person.rate) * mood * day.traffic
}

/// Whether today is the day on which a habit is fed.
fn habit(who: Who) -> bool {
    let person = who.person;
    if person.habit == NONE || person.period == 0 || !person.active(who.day) {
        return false;
    }
    let period = i32::from(person.period);
    let phase = (person.key >> 40) as i32 % period;
    let round = (who.day - phase).div_euclid(period);
    let mut dice = Dice::new(key(person.key, round as u64, 31));
    dice.chance(0.93) && phase + round * period + dice.between(0, 4) == who.day
}

/// What happens in the shop, mail aside.
fn shop(almanac: &Almanac, who: Who, rows: &mut Vec<Row>) {
    let fed = habit(who);
    if visits(almanac, who) {
        let mut dice = Dice::new(key(who.person.key, who.day as u64, 23));
        let sessions = if dice.chance(0.15) { 2 } else { 1 };
        for session in 1..=sessions {
            let start = match who.day == who.person.joined && session == 1 {
                true => joined_second(who.person) as i32 + 5,
                false => (dice.weighted(&HOURS) as i32) * 3600 + dice.between(0, 3599),
            };
            // Who likes the real shop finds it open in the daytime.
            if who.person.channel == 2 && dice.chance(0.5) {
                till(almanac, who, start.clamp(10 * 3600, 19 * 3600 - 1), session, &mut dice, rows);
                continue;
            }
            let referrer = [0, 1, 2, 4][dice.weighted(&[45, 30, 15, 10]) & 3];
            let buys = f64::from(who.person.buys);
            Session { start, referrer, buys, carts: 0.30, order: session, cart: None }
                .hold(almanac, who, &mut dice, rows);
        }
    }
    if fed {
        let mut dice = Dice::new(key(who.person.key, who.day as u64, 24));
        let start = (dice.weighted(&HOURS) as i32) * 3600 + dice.between(0, 3599);
        Session { start, referrer: 0, buys: 1.0, carts: 1.0, order: 9, cart: Some(who.person.habit) }
            .hold(almanac, who, &mut dice, rows);
    }
}

/// A purchase in the real shop.
fn till(almanac: &Almanac, who: Who, second: i32, order: u8, dice: &mut Dice, rows: &mut Vec<Row>) {
    if !dice.chance(0.6) {
        return;
    }
    let lines = 1 + dice.weighted(&[55, 30, 15]);
    let products: Vec<u16> = (0..lines).map(|_| choose(almanac, who, dice)).collect();
    pay(almanac, who, second, order, 2, products, dice, rows);
}

/// One visit to the site or the app.
struct Session {
    start: i32,
    referrer: u8,
    /// How often a cart is paid.
    buys: f64,
    /// How often something goes into the cart.
    carts: f64,
    order: u8,
    /// What is in the cart from the start on.
    cart: Option<u16>,
}

impl Session {
    fn hold(self, almanac: &Almanac, who: Who, dice: &mut Dice, rows: &mut Vec<Row>) {
        let channel = if who.person.channel == 1 { 1 } else { 0 };
        let here = |second: i32, kind: Kind| Row { channel, ..blank(who, second, kind) };
        let begin = rows.len();
        let mut second = self.start;
        rows.push(Row { referrer: self.referrer, ..here(second, Kind::Visit) });
        let mut cart: Vec<u16> = Vec::new();
        if let Some(product) = self.cart {
            second += dice.between(5, 40);
            rows.push(Row { product, ..here(second, Kind::View) });
            second += dice.between(4, 60);
            rows.push(Row { product, quantity: 1, ..here(second, Kind::CartAdd) });
            cart.push(product);
        }
        let views = 1 + dice.weighted(&[20, 18, 15, 12, 9, 7, 6, 4, 3, 3, 2, 1]);
        let carting = dice.chance(self.carts);
        for _ in 0..views {
            let product = choose(almanac, who, dice);
            second += dice.between(6, 150);
            rows.push(Row { product, ..here(second, Kind::View) });
            if carting && cart.len() < 4 && (cart.is_empty() || dice.chance(0.2)) {
                second += dice.between(4, 50);
                rows.push(Row { product, quantity: 1, ..here(second, Kind::CartAdd) });
                cart.push(product);
            } else if dice.chance(0.04) {
                second += dice.between(3, 20);
                rows.push(Row { product, ..here(second, Kind::Wish) });
            }
        }
        if !cart.is_empty() {
            let pays = dice.chance(self.buys);
            if pays || dice.chance(0.4) {
                second += dice.between(10, 90);
                rows.push(here(second, Kind::Checkout));
            }
            if pays {
                second += dice.between(30, 240);
                pay(almanac, who, second, self.order, channel, cart, dice, rows);
            }
        }
        // Midnight ends what is still going on; an order is never torn.
        let mut torn = false;
        let mut index = begin;
        while let Some(row) = rows.get(index) {
            torn |= row.second >= DAY;
            index += 1;
        }
        if torn {
            let kept: Vec<Row> = rows.drain(begin..).filter(|row| row.second < DAY).collect();
            rows.extend(kept);
        }
    }
}

/// Pays: one line a product, points for members.
#[allow(clippy::too_many_arguments, reason = "the parts of one receipt")]
fn pay(
    almanac: &Almanac,
    who: Who,
    second: i32,
    order: u8,
    channel: u8,
    mut products: Vec<u16>,
    dice: &mut Dice,
    rows: &mut Vec<Row>,
) {
    products.sort_unstable();
    products.dedup();
    let discount = i32::from(almanac.day(who.day).map_or(0, |day| day.discount));
    let mut total = 0;
    if who.person.traits.member && dice.chance(0.07) {
        rows.push(Row { points: 500, channel, ..blank(who, second - 2, Kind::Redeem) });
    }
    for product in products {
        let quantity = [1, 2, 3][dice.weighted(&[86, 11, 3]) % 3];
        let price = PRODUCTS.get(usize::from(product)).map_or(0, |p| p.price);
        let amount = price * i32::from(quantity) * (100 - discount) / 100;
        total += amount;
        rows.push(Row { product, quantity, amount, order, channel, ..blank(who, second, Kind::Purchase) });
    }
    if who.person.traits.member {
        rows.push(Row { points: total / 100, ..blank(who, second + 3, Kind::Earn) });
    }
}

/// A product that catches the eye: often of the favourite category, else of the season or of any.
fn choose(almanac: &Almanac, who: Who, dice: &mut Dice) -> u16 {
    let month = almanac.day(who.day).map_or(1, |day| day.date.month());
    let category = match dice.below(100) {
        0..55 => who.person.favourite,
        55..67 if (6..=8).contains(&month) => SUNSCREEN,
        55..62 if month == 12 || month == 2 => FRAGRANCE,
        62..72 if month == 11 || month == 12 => GIFT_SET,
        _ => dice.weighted(&super::shop::FAVOURITES) as u8,
    };
    let (first, length) = block(category);
    // The best sellers of a block stand first.
    let u = dice.unit();
    first + (u * u * f64::from(length)) as u16
}
