//! The shop: what it sells, when it writes to whom, and which days are busy.
//!
//! Owns: the assortment, the mail calendar, seasons and weekdays. Promises: pure tables and functions of the date.
//! Must not know: customers, files.

use jiff::civil::{Date, Weekday, date};

/// A category at the leaves of the taxonomy in the sample catalog.
pub(super) const CATEGORIES: [&str; 14] = [
    "anti-aging",
    "cleanser",
    "moisturizer",
    "sunscreen",
    "vitamin-c",
    "retinol",
    "lipstick",
    "mascara",
    "foundation",
    "fragrance",
    "shampoo",
    "conditioner",
    "bath",
    "gift-set",
];

/// How many customers like a category best, in the order of [`CATEGORIES`].
pub(super) const FAVOURITES: [u32; 14] = [17, 9, 11, 6, 6, 5, 10, 8, 8, 7, 6, 3, 3, 1];

pub(super) const ANTI_AGING: u8 = 0;
pub(super) const SUNSCREEN: u8 = 3;
pub(super) const FRAGRANCE: u8 = 9;
pub(super) const GIFT_SET: u8 = 13;

/// Something on the shelf.
#[derive(Debug)]
pub(super) struct Product {
    pub id: &'static str,
    /// Index into [`CATEGORIES`].
    pub category: u8,
    /// In cents.
    pub price: i32,
    pub brand: &'static str,
    pub vegan: bool,
}

const fn product(id: &'static str, category: u8, price: i32, brand: &'static str, vegan: bool) -> Product {
    Product { id, category, price, brand, vegan }
}

/// The assortment, in blocks of one category in the order of [`CATEGORIES`]; within a block the best sellers first.
pub(super) const PRODUCTS: [Product; 56] = [
    product("night-repair", 0, 6900, "Maison Aurore", false),
    product("firming-cream", 0, 5900, "Maison Aurore", false),
    product("peptide-serum", 0, 4900, "Lumen Lab", true),
    product("eye-contour", 0, 3900, "Maison Aurore", false),
    product("collagen-mask", 0, 2900, "Lumen Lab", false),
    product("youth-oil", 0, 7900, "Maison Aurore", true),
    product("gel-cleanser", 1, 1490, "Verdi", true),
    product("micellar-water", 1, 990, "Verdi", true),
    product("cleansing-balm", 1, 2490, "Lumen Lab", false),
    product("clay-wash", 1, 1690, "Verdi", true),
    product("day-cream", 2, 2490, "Verdi", true),
    product("hydra-gel", 2, 2990, "Lumen Lab", true),
    product("rich-cream", 2, 3490, "Maison Aurore", false),
    product("shea-balm", 2, 1890, "Verdi", true),
    product("night-cream", 2, 3290, "Verdi", false),
    product("sun-fluid-50", 3, 2190, "Solea", true),
    product("sun-spray-30", 3, 1890, "Solea", false),
    product("sun-stick", 3, 1290, "Solea", true),
    product("after-sun", 3, 1590, "Solea", true),
    product("c-glow-10", 4, 3490, "Lumen Lab", true),
    product("c-glow-20", 4, 4490, "Lumen Lab", true),
    product("c-drops", 4, 2790, "Verdi", true),
    product("retinol-03", 5, 3290, "Lumen Lab", true),
    product("retinol-10", 5, 4290, "Lumen Lab", true),
    product("bakuchiol", 5, 3690, "Verdi", true),
    product("velvet-rouge", 6, 2290, "Rosa Nera", false),
    product("matte-nude", 6, 1990, "Rosa Nera", false),
    product("lip-tint", 6, 1290, "Poppy", true),
    product("gloss-plum", 6, 1390, "Poppy", true),
    product("coral-stick", 6, 1590, "Rosa Nera", false),
    product("volume-black", 7, 1890, "Rosa Nera", false),
    product("long-lash", 7, 2190, "Rosa Nera", false),
    product("brow-mascara", 7, 1490, "Poppy", true),
    product("waterproof-ink", 7, 2390, "Rosa Nera", false),
    product("skin-tint", 8, 2790, "Poppy", true),
    product("cover-24h", 8, 3590, "Rosa Nera", false),
    product("mineral-powder", 8, 2990, "Verdi", true),
    product("concealer-pen", 8, 1790, "Poppy", true),
    product("eau-de-rose", 9, 7400, "Maison Aurore", false),
    product("nuit-ambre", 9, 8900, "Maison Aurore", false),
    product("citrus-cologne", 9, 4900, "Solea", true),
    product("fig-mist", 9, 3400, "Verdi", true),
    product("repair-shampoo", 10, 1590, "Verdi", true),
    product("volume-shampoo", 10, 1390, "Poppy", true),
    product("solid-shampoo", 10, 1190, "Verdi", true),
    product("silver-shampoo", 10, 1690, "Lumen Lab", false),
    product("silk-rinse", 11, 1490, "Verdi", true),
    product("hair-mask", 11, 2290, "Lumen Lab", false),
    product("leave-in", 11, 1790, "Poppy", true),
    product("bath-salts", 12, 1290, "Solea", true),
    product("shower-oil", 12, 1590, "Verdi", true),
    product("body-scrub", 12, 1990, "Solea", false),
    product("gift-duo", 13, 4500, "Maison Aurore", false),
    product("advent-box", 13, 5900, "Segue Beauty", false),
    product("travel-kit", 13, 2900, "Segue Beauty", true),
    product("spa-evening", 13, 3900, "Solea", false),
];

/// Mail campaigns, in the order of [`Row::campaign`](super::rows::Row); an index never changes its meaning.
pub(super) const CAMPAIGNS: [&str; 13] = [
    "newsletter",
    "welcome",
    "winback",
    "cart-reminder",
    "valentine",
    "spring-skin",
    "mothers-day",
    "summer-sun",
    "back-to-school",
    "anti-aging-week",
    "black-friday",
    "advent",
    "new-year",
];
pub(super) const NEWSLETTER: u8 = 0;
pub(super) const WELCOME: u8 = 1;
pub(super) const WINBACK: u8 = 2;
pub(super) const CART_REMINDER: u8 = 3;
const BLACK_FRIDAY: u8 = 10;

pub(super) const CHANNELS: [&str; 6] = ["web", "app", "store", "mail", "chat", "phone"];
pub(super) const REFERRERS: [&str; 5] = ["direct", "search", "social", "email", "ads"];
pub(super) const TOPICS: [&str; 5] = ["delivery", "return", "product", "payment", "account"];

/// What the calendar says about one day.
#[derive(Debug, Clone)]
pub(super) struct Day {
    pub date: Date,
    /// How much livelier than the average day.
    pub traffic: f64,
    /// Percent off everything.
    pub discount: u8,
    /// What goes out by mail this morning: the campaign and whom it is for.
    pub mail: Option<(u8, Audience)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Audience {
    /// All who consent.
    Everyone,
    /// Whose favourite category it is.
    Fans(u8),
}

/// Looks a day up in the calendar.
pub(super) fn day(date: Date) -> Day {
    let friday = black_friday(date.year());
    let weekday = match date.weekday() {
        Weekday::Monday => 0.95,
        Weekday::Tuesday => 0.90,
        Weekday::Wednesday => 0.92,
        Weekday::Thursday => 0.97,
        Weekday::Friday => 1.0,
        Weekday::Saturday => 1.10,
        Weekday::Sunday => 1.25,
    };
    let season = match (date.month(), date.day()) {
        (1, _) => 0.85,
        (2, 7..=13) => 1.30,
        (2, _) => 0.90,
        (3 | 4, _) => 0.95,
        (5, 18..=30) => 1.25,
        (7 | 8, _) => 0.80,
        (11, _) if near(date, friday) => 2.0,
        (11, _) => 1.15,
        (12, 1..=23) => 1.60,
        (12, _) => 0.70,
        _ => 1.0,
    };
    let mail = match (date.month(), date.day()) {
        (1, 5) => Some((12, Audience::Everyone)),
        (2, 7) => Some((4, Audience::Everyone)),
        (3, 20) => Some((5, Audience::Everyone)),
        (5, 19) => Some((6, Audience::Everyone)),
        (6, 12) | (7, 3) => Some((7, Audience::Everyone)),
        (9, 2) => Some((8, Audience::Everyone)),
        (4, 14) | (10, 13) | (11, 4) => Some((9, Audience::Fans(ANTI_AGING))),
        (12, 1) => Some((11, Audience::Everyone)),
        _ if date == friday => Some((BLACK_FRIDAY, Audience::Everyone)),
        _ if date.weekday() == Weekday::Tuesday => Some((NEWSLETTER, Audience::Everyone)),
        _ => None,
    };
    Day { date, traffic: weekday * season, discount: if near(date, friday) { 20 } else { 0 }, mail }
}

/// The Friday after the fourth Thursday of November.
fn black_friday(year: i16) -> Date {
    let first = date(year, 11, 1);
    let to_thursday = (4 + 7 - first.weekday().to_monday_one_offset()) % 7;
    date(year, 11, 1 + to_thursday + 22)
}

/// The long weekend from the Friday to the Monday.
fn near(day: Date, friday: Date) -> bool {
    (0..=3).contains(&(friday.until(day).map_or(-1, |span| span.get_days())))
}

/// How likely a session starts in each hour of the day.
pub(super) const HOURS: [u32; 24] =
    [2, 1, 1, 1, 1, 2, 5, 9, 12, 13, 14, 15, 18, 16, 14, 14, 15, 17, 20, 25, 30, 28, 16, 4];

/// The block of a category in [`PRODUCTS`]: its first index and its length.
pub(super) fn block(category: u8) -> (u16, u16) {
    let first = PRODUCTS.iter().position(|p| p.category == category).unwrap_or(0);
    let length = PRODUCTS.iter().filter(|p| p.category == category).count();
    (u16::try_from(first).unwrap_or(0), u16::try_from(length).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_assortment_is_in_blocks() {
        let mut ids: Vec<&str> = PRODUCTS.iter().map(|p| p.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), PRODUCTS.len(), "no product twice");
        assert!(PRODUCTS.is_sorted_by_key(|p| p.category));
        for category in 0..CATEGORIES.len() as u8 {
            let (_, length) = block(category);
            assert!(length >= 3, "{category}");
        }
        for id in ids {
            assert!(!CATEGORIES.contains(&id), "`{id}` would be known in two columns");
        }
    }

    #[test]
    fn black_friday_is_where_the_shops_put_it() {
        assert_eq!(black_friday(2024), date(2024, 11, 29));
        assert_eq!(black_friday(2025), date(2025, 11, 28));
        assert_eq!(black_friday(2026), date(2026, 11, 27));
        assert_eq!(day(date(2025, 11, 30)).discount, 20);
        assert_eq!(day(date(2025, 12, 2)).discount, 0);
        assert_eq!(day(date(2025, 11, 28)).mail, Some((BLACK_FRIDAY, Audience::Everyone)));
    }
}
