//! What customers do in the shop on a day.
//!
//! Owns: visits in sessions and moods, carts, purchases, habits, points. Promises: the same answer for the same customer and day,
//! however often and in whatever order it is asked.
//! Must not know: mail, files.

use super::dice::{Dice, key, unit};
use super::people::{NONE, joined_second};
use super::rows::{Almanac, DAY, Kind, Row, Who, blank};
use super::shop::{FAVOURITES, FRAGRANCE, GIFT_SET, HOURS, PRODUCTS, SUNSCREEN, block};

/// Comes today of her own accord. Asked for every customer and day, so it costs two hashes.
pub(super) fn visits(almanac: &Almanac, who: Who) -> bool {
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
pub(super) fn shop(almanac: &Almanac, who: Who, rows: &mut Vec<Row>) {
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
pub(super) struct Session {
    pub start: i32,
    pub referrer: u8,
    /// How often a cart is paid.
    pub buys: f64,
    /// How often something goes into the cart.
    pub carts: f64,
    pub order: u8,
    /// What is in the cart from the start on.
    pub cart: Option<u16>,
}

impl Session {
    pub(super) fn hold(self, almanac: &Almanac, who: Who, dice: &mut Dice, rows: &mut Vec<Row>) {
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
        let torn = rows.get(begin..).is_some_and(|new| new.iter().any(|row| row.second >= DAY));
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
        _ => dice.weighted(&FAVOURITES) as u8,
    };
    let (first, length) = block(category);
    // The best sellers of a block stand first.
    let u = dice.unit();
    first + (u * u * f64::from(length)) as u16
}
