//! Random questions to what earlier runs left behind, and random memberships and contacts that answer them.

use segue::language::catalog::EventId;
use segue::language::interpret::history::{Datum, EventRow, History};
use segue::language::syntax::ast::RecordedWhat;

use super::data::Filler;
use super::rules::{On, Writer, former};
use super::words;

impl Writer<'_> {
    /// A condition on what was recorded of an earlier segment or campaign.
    pub fn recorded(&mut self) -> String {
        if self.segments.is_empty() || self.campaigns.is_empty() {
            let matching = self.matching();
            return format!("{matching} {}", self.window(On::Events)).trim_end().to_owned();
        }
        match self.dice.below(18) {
            0 => format!("member of {}", self.joined_segment()),
            1 | 2 => {
                let segment = self.joined_segment();
                format!("member of {segment} for {}", self.back())
            }
            3 => {
                let (event, deed) = (self.deed(), self.matching());
                format!("{}{deed} since {} {event}", self.maybe_no(), self.dice.pick(&["last", "first", "last 2"]))
            }
            4 => {
                let (deed, event) = (self.deed(), self.matching());
                format!("{}{deed} since {} {event}", self.maybe_no(), self.dice.pick(&["last", "first"]))
            }
            5 => {
                let (deed, event) = (self.deed(), self.matching());
                format!("{deed} then {event} within {}", self.length())
            }
            6 => {
                let (event, deed) = (self.matching(), self.deed());
                format!("{event} {} then no {deed} within {}", self.window(On::Events), self.length())
            }
            7 => {
                let deed = format!("{} {}", self.deed(), self.window(On::Events));
                format!("count({}) {} {}", deed.trim_end(), words::sign(self.dice), self.dice.between(0, 3))
            }
            8 => {
                let end = *self.dice.pick(&["last", "first"]);
                format!("days since {end} {} {} {}", self.deed(), words::sign(self.dice), self.dice.between(0, 40))
            }
            9 => {
                let end = *self.dice.pick(&["last", "first"]);
                format!("{end} {} {}", self.deed(), self.some_window(On::Events))
            }
            10 => {
                let never = *self.dice.pick(&["no", "never"]);
                let window = if never == "no" { self.window(On::Events) } else { String::new() };
                format!("{never} {} {window}", self.deed()).trim_end().to_owned()
            }
            11 | 12 => {
                let (deed, count, event) = (self.deed(), self.count(), self.matching());
                let both = format!("in any {} ({event} and {deed}{count})", self.length());
                format!("{both} {}", self.window(On::Events)).trim_end().to_owned()
            }
            13 => {
                let (deed, other, event) = (self.deed(), self.deed(), self.matching());
                format!("in any {} ({deed} and not ({other} or {event}))", self.length())
            }
            14 => {
                let (event, deed, other) = (self.matching(), self.deed(), self.deed());
                format!("{event} then {deed} within {} without {other}", self.length())
            }
            _ => {
                let (deed, count) = (self.deed(), self.count());
                format!("{deed}{count} {}", self.window(On::Events)).trim_end().to_owned()
            }
        }
    }

    fn maybe_no(&mut self) -> &'static str {
        if self.dice.chance(40) { "no " } else { "" }
    }

    fn back(&mut self) -> String {
        let (text, edge) = words::duration(self.dice, false);
        self.edges.push(edge);
        text
    }

    /// One of the first segments, so that several rules ask of one.
    fn segment(&mut self) -> String {
        self.segments[self.dice.below(self.segments.len().min(4))].clone()
    }

    fn joined_segment(&mut self) -> String {
        let segment = self.segment();
        self.recorded.extend([(RecordedWhat::Entered, segment.clone()), (RecordedWhat::Left, segment.clone())]);
        segment
    }

    /// `entered vip`
    fn deed(&mut self) -> String {
        use RecordedWhat::{Contacted, Entered, HeldOut, Left};
        let what = *self.dice.pick(&[Entered, Left, Contacted, Contacted, HeldOut]);
        let name = match what {
            Entered | Left => self.segment(),
            Contacted | HeldOut => self.campaigns[self.dice.below(self.campaigns.len().min(3))].clone(),
        };
        self.recorded.push((what, name.clone()));
        format!("{} {name}", what.words())
    }
}

impl Filler<'_> {
    /// Adds what earlier runs might have left behind of a customer.
    pub fn record(&mut self, asked: &[(RecordedWhat, String)], history: &mut History) {
        let rows = self.dice.weighed(&[(25, 0), (25, 2), (30, 6), (20, 15)]);
        for _ in 0..rows {
            let (what, name) = self.dice.pick(asked).clone();
            let name = match self.dice.below(12) {
                0..3 => former(&name),
                3 => "nobody".to_owned(),
                _ => name,
            };
            let before = history.events.last().map(|e| e.time);
            let time = self.time(before);
            let event: EventId = self.catalog.recorded(what);
            history.events.push(EventRow { event, time, properties: vec![Some(Datum::Text(name))], event_id: None });
        }
    }
}
