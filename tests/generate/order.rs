//! Random conditions on order and nearness: sequences, visits, stretches of days, the same value again and again.

use segue::language::catalog::{Event, Property, Type};
use segue::language::ir::{Edge, Length};

use super::rules::{On, Writer};
use super::words;

impl<'a> Writer<'a> {
    /// `A then B within 7d …`
    pub fn sequence(&mut self) -> String {
        let window = if self.dice.chance(40) { self.window(On::Events) } else { String::new() };
        self.chain(&window, None)
    }

    /// A chain of the events that `among` allows.
    fn chain(&mut self, window: &str, among: Option<&[&'a Event]>) -> String {
        let mut events = vec![self.one_of(among)];
        let mut text = self.step(events[0], among.is_none());
        if !window.is_empty() {
            text += &format!(" {window}");
        }
        let steps = self.dice.weighed(&[(50, 1), (30, 2), (10, 3), (10, 0)]);
        for _ in 0..steps {
            // Often the same event again, so that equal times and distinct events matter.
            let event = if self.dice.chance(35) { events[0] } else { self.one_of(among) };
            events.push(event);
            text += &format!(" then {}", self.step(event, among.is_none()));
            text += &self.gap();
            if self.dice.chance(20) {
                let other = self.one_of(among);
                text += &format!(" without {}", self.matching_of(other));
                events.push(other);
            }
        }
        if steps == 0 || self.dice.chance(25) {
            let other = self.one_of(among);
            events.push(other);
            text += &format!(" then no {}", self.matching_of(other));
            if self.dice.chance(75) {
                text += &format!(" within {}", self.length());
            }
        }
        if steps > 1 && self.dice.chance(40) {
            text += &format!(" all within {}", self.length());
        }
        if self.dice.chance(35)
            && let Some(property) = self.shared(&events)
        {
            text += &format!(" with same {property}");
        }
        text
    }

    fn one_of(&mut self, among: Option<&[&'a Event]>) -> &'a Event {
        match among {
            Some(all) => all[self.dice.below(all.len())],
            None => self.event(),
        }
    }

    fn step(&mut self, event: &'a Event, picks: bool) -> String {
        let pick = if picks && self.dice.chance(12) { *self.dice.pick(&["first ", "last "]) } else { "" };
        format!("{pick}{}", self.matching_of(event))
    }

    fn gap(&mut self) -> String {
        match self.dice.below(6) {
            0 => String::new(),
            1 => format!(" after {}", self.length()),
            2 => {
                let ((short, a), (long, b)) = words::two_durations(self.dice, false);
                self.lengths.extend([length(a), length(b)]);
                let shorter = length_in_days(a) < length_in_days(b);
                let (short, long) = if shorter { (short, long) } else { (long, short) };
                format!(" after {short} within {long}")
            }
            _ => format!(" within {}", self.length()),
        }
    }

    /// A duration that histories then keep to.
    pub fn length(&mut self) -> String {
        let (text, edge) = words::duration(self.dice, false);
        self.lengths.push(length(edge));
        text
    }

    /// A property that all these events have, of one type.
    fn shared(&mut self, events: &[&'a Event]) -> Option<String> {
        let same = |p: &&Property| {
            let like = |e: &&Event| e.properties.iter().any(|q| q.name.name == p.name.name && q.ty == p.ty);
            p.ty != Type::TextList && events.iter().all(like)
        };
        let names: Vec<&str> = events.first()?.properties.iter().filter(same).map(|p| p.name.name.as_str()).collect();
        if names.is_empty() { None } else { Some((*self.dice.pick(&names)).to_owned()) }
    }

    /// `in one session (…)`, `in any 14d (…)`
    pub fn gathered(&mut self) -> String {
        let all = self.catalog.events.iter();
        let visit: Vec<&Event> = all.clone().filter(|e| e.session).collect();
        let session = !visit.is_empty() && self.dice.chance(50);
        let among: Vec<&Event> = if session { visit } else { all.collect() };
        let depth = self.dice.below(3);
        // One at least that must be there.
        let inside = format!("{} and ({})", self.seen(&among), self.inside(&among, depth));
        let inside = if self.dice.chance(40) { self.seen(&among) } else { inside };
        let window = if self.dice.chance(50) { self.window(On::Events) } else { String::new() };
        let head = if session { "in one session".to_owned() } else { format!("in any {}", self.length()) };
        format!("{head} ({inside}) {window}").trim_end().to_owned()
    }

    fn seen(&mut self, among: &[&'a Event]) -> String {
        let event = self.one_of(Some(among));
        let count = if self.dice.chance(50) { format!(" ≥ {}", self.dice.between(1, 3)) } else { String::new() };
        format!("{}{count}", self.matching_of(event))
    }

    fn inside(&mut self, among: &[&'a Event], depth: usize) -> String {
        match self.dice.below(7) {
            0 | 1 if depth > 0 => {
                let word = *self.dice.pick(&["and", "or", "but"]);
                format!("({}) {word} ({})", self.inside(among, depth - 1), self.inside(among, depth - 1))
            }
            2 if depth > 0 => format!("not ({})", self.inside(among, depth - 1)),
            3 => self.chain("", Some(among)),
            4 => {
                let event = self.one_of(Some(among));
                format!("no {}", self.matching_of(event))
            }
            5 => self.again(Some(among), ""),
            _ => {
                let event = self.one_of(Some(among));
                format!("{}{}", self.matching_of(event), self.count())
            }
        }
    }

    /// `viewed ≥ 3 of same product in 14d without purchased`
    pub fn same(&mut self) -> String {
        let window = self.window(On::Events);
        self.again(None, &window)
    }

    fn again(&mut self, among: Option<&[&'a Event]>, window: &str) -> String {
        let event = self.one_of(among);
        let other = self.one_of(among);
        let without = self.dice.chance(50);
        let events = if without { vec![event, other] } else { vec![event] };
        let count = self.dice.between(1, 3);
        let Some(property) = self.shared(&events) else { return format!("{} {window}", self.matching_of(event)) };
        let mut text = format!("{} ≥ {count} of same {property} {window}", self.matching_of(event));
        if without {
            text = format!("{} without {}", text.trim_end(), self.matching_of(other));
        }
        text.trim_end().to_owned()
    }
}

fn length(edge: Edge) -> Length {
    match edge {
        Edge::Back { amount, unit } => Length { amount, unit },
        other => panic!("{other:?} is no duration"),
    }
}

fn length_in_days(edge: Edge) -> f64 {
    use segue::language::ir::Unit;
    let Length { amount, unit } = length(edge);
    let one = match unit {
        Unit::Second => 1.0 / 86_400.0,
        Unit::Minute => 1.0 / 1_440.0,
        Unit::Hour => 1.0 / 24.0,
        Unit::Day => 1.0,
        Unit::Week => 7.0,
        Unit::Month => 30.0,
        Unit::Year => 365.0,
    };
    f64::from(amount) * one
}
