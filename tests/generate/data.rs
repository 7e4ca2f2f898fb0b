//! Random histories that sit on the edges of the windows that the rules name.

use std::collections::BTreeSet;

use segue::language::calendar::{Clock, Zone};
use segue::language::catalog::{Catalog, ColumnRef, Event, EventId, ListId, Property, Type};
use segue::language::interpret::history::{Datum, EventRow, History, ProfileRow};
use segue::language::ir::{Edge, Length};

use super::dice::Dice;
use super::vocabulary::WORDS;
use super::words::{AMOUNTS, FRACTIONS};

const DAY: i64 = 86_400_000_000;
/// The gap within a visit.
const VISIT: i64 = 30 * 60 * 1_000_000;
const NEAR: i64 = 430 * DAY;

/// The instants that matter: window edges, jumps of the clock, month ends and midnights.
pub fn moments(dice: &mut Dice, clock: &Clock, edges: &[Edge]) -> Vec<i64> {
    let mut all: Vec<i64> =
        edges.iter().map(|e| clock.edge(*e)).filter(|t| (clock.as_of - t).abs() < 20 * NEAR).collect();
    all.push(clock.as_of);
    all.extend(jumps(&clock.zone, clock.as_of - NEAR, clock.as_of));
    let today = i64::from(clock.zone.date(clock.as_of));
    for back in 0..400 {
        let midnight = clock.zone.start_of_day(today - back);
        let first_of_month = clock.zone.period(segue::language::ir::PeriodUnit::Month, midnight)
            != clock.zone.period(segue::language::ir::PeriodUnit::Month, midnight - 1);
        if first_of_month || dice.chance(3) {
            all.push(midnight);
        }
    }
    all
}

/// The instants in a stretch at which the zone's clock jumps.
fn jumps(zone: &Zone, from: i64, to: i64) -> Vec<i64> {
    let mut found = Vec::new();
    let mut at = from;
    while at < to {
        let (mut low, mut high) = (at, at + DAY);
        if zone.offset(low) != zone.offset(high) {
            while high - low > 1 {
                let middle = low + (high - low) / 2;
                if zone.offset(middle) == zone.offset(low) { low = middle } else { high = middle }
            }
            found.push(high);
        }
        at += DAY;
    }
    found
}

/// Makes histories for one catalog.
pub struct Filler<'a> {
    pub dice: &'a mut Dice,
    pub catalog: &'a Catalog,
    pub clock: &'a Clock,
    pub moments: Vec<i64>,
    /// The gaps that rules speak of.
    pub lengths: Vec<Length>,
}

impl Filler<'_> {
    pub fn history(&mut self) -> History {
        let mut history = History::default();
        let size = self.dice.weighed(&[(8, 0), (25, 3), (45, 12), (20, 30), (2, 150)]);
        // Some do one thing only, so that `no …` has something to hold for.
        let focus = self.dice.chance(30).then(|| self.dice.below(self.catalog.events.len()));
        for _ in 0..size {
            let row = self.row(focus, history.events.last().map(|e: &EventRow| e.time));
            history.events.push(row);
            if self.dice.chance(8) {
                let again = history.events[self.dice.below(history.events.len())].clone();
                history.events.push(again);
            }
        }
        if self.catalog.profile.is_some() && self.dice.chance(75) {
            history.profile = Some(self.profile());
        }
        let lists = 0..self.catalog.lists.len() as u32;
        history.lists = lists.filter(|_| self.dice.chance(25)).map(ListId).collect::<BTreeSet<_>>();
        history
    }

    /// An instant, most often on an edge or right beside it.
    fn moment(&mut self) -> i64 {
        if self.dice.chance(60) {
            let at = *self.dice.pick(&self.moments);
            return at + *self.dice.pick(&[-1, 0, 0, 1, 1, 3_600_000_000]);
        }
        self.clock.as_of - self.dice.between(-3 * DAY, NEAR)
    }

    fn row(&mut self, focus: Option<usize>, before: Option<i64>) -> EventRow {
        let at = match focus {
            Some(at) if self.dice.chance(80) => at,
            _ => self.dice.below(self.catalog.events.len()),
        };
        let event = &self.catalog.events[at];
        let time = self.time(before);
        let mut properties: Vec<Option<Datum>> = event.properties.iter().map(|p| self.property(p)).collect();
        looked_up(event, &mut properties);
        twin(event, &mut properties);
        let event_id = match (&event.event_id, self.dice.below(10)) {
            (None, _) | (_, 0 | 1) => None,
            (_, 2) => Some(String::new()),
            _ => Some(format!("id{}", self.dice.below(6))),
        };
        EventRow { event: EventId(at as u32), time, properties, event_id }
    }

    /// When something happened, often not long after what was before.
    pub fn time(&mut self, before: Option<i64>) -> i64 {
        match before {
            Some(time) if self.dice.chance(15) => time,
            // Just as far behind the last one as some rule asks, or a microsecond less or more; or soon, as in a visit.
            Some(time) if self.dice.chance(25) && !self.lengths.is_empty() => {
                let length = *self.dice.pick(&self.lengths);
                self.clock.later(time, length).min(self.clock.as_of + DAY) + *self.dice.pick(&[-1, 0, 0, 1])
            }
            Some(time) if self.dice.chance(15) => time + *self.dice.pick(&[1, 60_000_000, VISIT - 1, VISIT, VISIT + 1]),
            _ => self.moment(),
        }
    }

    fn property(&mut self, property: &Property) -> Option<Datum> {
        let known = property.known.as_ref().map_or(Vec::new(), |k| k.values.iter().map(|v| v.text.clone()).collect());
        self.datum(property.ty, &known)
    }

    fn profile(&mut self) -> ProfileRow {
        let profile = self.catalog.profile.as_ref();
        let created = match profile.and_then(|p| p.created.as_ref()) {
            Some(_) if self.dice.chance(85) => Some(self.moment()),
            _ => None,
        };
        let mut attributes = Vec::new();
        for attribute in self.catalog.attributes() {
            let known =
                attribute.known.as_ref().map_or(Vec::new(), |k| k.values.iter().map(|v| v.text.clone()).collect());
            attributes.push(self.datum(attribute.ty, &known));
        }
        ProfileRow { created, attributes }
    }

    fn datum(&mut self, ty: Type, known: &[String]) -> Option<Datum> {
        if self.dice.chance(12) {
            return None;
        }
        Some(match ty {
            Type::Text => Datum::Text(self.text(known)),
            Type::Integer => Datum::Integer(match self.dice.below(12) {
                0 => *self.dice.pick(&[i64::MAX, i64::MIN, 1 << 53, (1 << 53) + 1]),
                _ => self.dice.pick(AMOUNTS).parse().unwrap_or(0),
            }),
            Type::Money { scale } => Datum::Money(units(self.amount(), scale)),
            Type::Number => Datum::Number(match self.dice.below(12) {
                0 => f64::NAN,
                1 => *self.dice.pick(&[-0.0, 1e300, -1e300, f64::INFINITY, 1e-300]),
                2 => 0.1 + 0.2,
                _ => self.amount().parse().unwrap_or(0.0),
            }),
            Type::YesNo => Datum::YesNo(self.dice.chance(50)),
            Type::Date => {
                let at = self.moment();
                Datum::Date(self.clock.zone.date(at) + *self.dice.pick(&[-1, 0, 0, 1]))
            }
            Type::Instant => Datum::Instant(self.moment() + if self.dice.chance(10) { 10 * DAY } else { 0 }),
            Type::TextList => {
                let length = self.dice.below(4);
                Datum::TextList((0..length).map(|_| self.text(known)).collect())
            }
        })
    }

    fn text(&mut self, known: &[String]) -> String {
        match self.dice.below(20) {
            0 => String::new(),
            1 | 2 if !known.is_empty() => known[self.dice.below(known.len())].to_uppercase(),
            n if n < 15 && !known.is_empty() => known[self.dice.below(known.len())].clone(),
            _ => self.dice.word(WORDS).to_owned(),
        }
    }

    fn amount(&mut self) -> &'static str {
        let from = if self.dice.chance(50) { AMOUNTS } else { FRACTIONS };
        self.dice.word(from)
    }
}

/// `12.50` in units of 10^-scale; what does not fit is cut off.
fn units(text: &str, scale: u8) -> i64 {
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |t| (-1, t));
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let part: String = part.chars().chain(std::iter::repeat('0')).take(usize::from(scale)).collect();
    sign * format!("{whole}{part}").parse::<i64>().unwrap_or(0)
}

/// What a look-up gives depends on its key alone.
fn looked_up(event: &Event, properties: &mut [Option<Datum>]) {
    let place =
        |column: &str| event.properties.iter().position(|p| matches!(&p.column, ColumnRef::Own(own) if own == column));
    for (i, property) in event.properties.iter().enumerate() {
        let ColumnRef::Lookup { on, column, .. } = &property.column else {
            continue;
        };
        let key = place(on).and_then(|at| properties[at].clone());
        let sum = match key {
            Some(Datum::Text(key)) if !key.is_empty() => key.bytes().map(usize::from).sum::<usize>() + column.len(),
            _ => 0,
        };
        let texts = ["anti-aging", "lipstick", "vitamin-c", "makeup", "skincare", "Face", "other"];
        properties[i] = match (sum % 5, property.ty) {
            (0, _) => None,
            (_, Type::Integer) => Some(Datum::Integer((sum % 4) as i64)),
            _ => Some(Datum::Text(texts[sum % texts.len()].to_owned())),
        };
    }
}

/// A row of two events that share their raw name passes the filter of the one that it is told as; so it is no row of the other.
fn twin(event: &Event, properties: &mut [Option<Datum>]) {
    let good = || Some(Datum::Text("good".to_owned()));
    match (event.name.name.as_str(), properties.first_mut()) {
        ("liked", Some(tone)) => *tone = good(),
        ("disliked", Some(tone)) if *tone == good() => *tone = Some(Datum::Text("bad".to_owned())),
        _ => {}
    }
}
