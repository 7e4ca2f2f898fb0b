//! Random rules as text, well-typed by construction.
//!
//! Every window that is written leaves its edges behind, so that histories can sit on them.

use segue::language::calendar::{Clock, date_of};
use segue::language::catalog::{Attribute, Catalog, Event, KnownValues, Property, Type};
use segue::language::ir::{Edge, Length, Unit};
use segue::language::syntax::ast::RecordedWhat;

use super::dice::Dice;
use super::words;

/// A property, an attribute or another value, as far as a rule needs to know it.
#[derive(Clone)]
pub struct Field<'a> {
    /// As it is written.
    pub name: String,
    pub ty: Type,
    pub known: Option<&'a KnownValues>,
    pub empty_is_value: bool,
}

impl<'a> From<&'a Property> for Field<'a> {
    fn from(p: &'a Property) -> Self {
        Field { name: p.name.name.clone(), ty: p.ty, known: p.known.as_ref(), empty_is_value: p.empty_is_value }
    }
}

impl<'a> From<&'a Attribute> for Field<'a> {
    fn from(a: &'a Attribute) -> Self {
        Field { name: a.name.name.clone(), ty: a.ty, known: a.known.as_ref(), empty_is_value: a.empty_is_value }
    }
}

/// Writes rules about one catalog.
pub struct Writer<'a> {
    pub dice: &'a mut Dice,
    pub catalog: &'a Catalog,
    pub clock: &'a Clock,
    /// Segments written so far.
    pub segments: Vec<String>,
    /// Traits (all numbers) written so far, and whether they can stand in a `where`, where no rank may.
    pub traits: Vec<(String, bool)>,
    /// Stages written so far, with the names of their lines.
    pub stages: Vec<(String, Vec<&'static str>)>,
    /// The edges of all windows written so far.
    pub edges: Vec<Edge>,
    /// The gaps that sequences and stretches speak of.
    pub lengths: Vec<Length>,
    /// Every sample names its salt: without, it is the name of the declaration, and the text means another thing elsewhere.
    pub salted: bool,
    /// Rules ask what earlier runs left behind.
    pub recording: bool,
    /// Campaigns written so far.
    pub campaigns: Vec<String>,
    /// What was asked of which segments and campaigns.
    pub recorded: Vec<(RecordedWhat, String)>,
}

/// What a window is laid on.
#[derive(Clone, Copy, PartialEq)]
pub enum On {
    Events,
    Instants,
    Dates,
}

impl<'a> Writer<'a> {
    pub fn new(dice: &'a mut Dice, catalog: &'a Catalog, clock: &'a Clock) -> Self {
        Writer {
            dice,
            catalog,
            clock,
            segments: Vec::new(),
            traits: Vec::new(),
            stages: Vec::new(),
            edges: Vec::new(),
            lengths: Vec::new(),
            salted: false,
            recording: false,
            campaigns: Vec::new(),
            recorded: Vec::new(),
        }
    }

    /// One declaration, under this name.
    pub fn declaration(&mut self, name: &str) -> String {
        if self.dice.chance(6) {
            let value = self.number();
            self.traits.push((name.to_owned(), !value.contains("ile(") && !value.contains("percentile_rank(")));
            return format!("trait {name}: {value}\n");
        }
        if self.dice.chance(4) {
            return self.stages_of(name);
        }
        let depth = self.dice.weighed(&[(45, 0), (30, 1), (20, 2), (5, 3)]);
        let condition = self.condition(depth);
        let campaign = self.dice.chance(8);
        if !campaign {
            // A campaign is no condition, so nothing may name it.
            self.segments.push(name.to_owned());
        } else {
            self.campaigns.push(name.to_owned());
        }
        if self.recording && !campaign && self.dice.chance(40) {
            return format!("segment {name} was {}: {condition}\n", former(name));
        }
        match self.dice.below(12) {
            _ if campaign => self.campaign(name, &condition),
            1 => format!("# Who does.\nsegment {name} \"S\":\n  {condition}  # so it is\n"),
            _ => format!("segment {name}: {condition}\n"),
        }
    }

    pub fn condition(&mut self, depth: usize) -> String {
        if depth == 0 {
            return self.simple();
        }
        match self.dice.below(7) {
            0 => self.simple(),
            1 => format!("not ({})", self.condition(depth - 1)),
            2 | 3 => self.joined(depth, "and"),
            4 => self.joined(depth, "but"),
            _ => self.joined(depth, "or"),
        }
    }

    /// Each part is in parentheses unless it is simple; then the binding of `and` and `or` is met as well.
    fn joined(&mut self, depth: usize, word: &str) -> String {
        let parts = 2 + self.dice.below(2);
        let part = |w: &mut Self| match w.dice.below(2) {
            0 => w.simple(),
            _ => format!("({})", w.condition(depth - 1)),
        };
        let mut text = part(self);
        for _ in 1..parts {
            let gap = if self.dice.chance(20) { "\n   " } else { " " };
            text = format!("{text}{gap}{word} {}", part(self));
        }
        text
    }

    fn simple(&mut self) -> String {
        let ways = [
            (44, 0),
            (9, 1),
            (18, 2),
            (if self.catalog.attributes().is_empty() { 0 } else { 16 }, 3),
            (4, 4),
            (3, 5),
            (6, 6),
            (1, 7),
            (9, 8),
            (7, 9),
            (6, 10),
            (4, 11),
            (2, 12),
            (4, 13),
            (2, 14),
            (if self.recording { 40 } else { 0 }, 15),
        ];
        match self.dice.weighed(&ways) {
            0 => self.behaviour(),
            1 => {
                let end = *self.dice.pick(&["first", "last"]);
                let matching = self.matching();
                format!("{end} {matching} {}", self.some_window(On::Events))
            }
            2 => self.number_test(),
            3 => {
                let attributes = self.catalog.attributes();
                let attribute = &attributes[self.dice.below(attributes.len())];
                self.field_test(attribute.into(), None)
            }
            4 => {
                let (text, edge) = words::duration(self.dice, false);
                self.edges.push(edge);
                format!("known for {text}")
            }
            5 if !self.catalog.lists.is_empty() => {
                let lists = &self.catalog.lists;
                lists[self.dice.below(lists.len())].name.name.clone()
            }
            6 if !self.segments.is_empty() => self.segments[self.dice.below(self.segments.len())].clone(),
            7 => "everyone".to_owned(),
            8 => self.sequence(),
            9 => self.gathered(),
            10 => self.same(),
            11 => self.ranked(),
            12 => self.sample(),
            13 => self.stage_test(),
            14 => self.anniversary(),
            15 => self.recorded(),
            _ => self.behaviour(),
        }
    }

    pub fn event(&mut self) -> &'a Event {
        &self.catalog.events[self.dice.below(self.catalog.events.len())]
    }

    fn behaviour(&mut self) -> String {
        let quantifier = self.dice.weighed(&[(70, ""), (20, "no "), (10, "never ")]);
        let matching = self.matching();
        let count = if quantifier.is_empty() { self.count() } else { String::new() };
        let window = match quantifier {
            "never " => String::new(),
            _ if self.dice.chance(4) => {
                let (n, unit) = (2 + self.dice.below(3), self.dice.pick(&["days", "weeks", "months", "quarters"]));
                format!("in each of previous {n} {unit}")
            }
            _ => self.window(On::Events),
        };
        format!("{quantifier}{matching}{count} {window}").trim_end().to_owned()
    }

    /// A COUNT with the blank before it, or nothing.
    pub fn count(&mut self) -> String {
        match self.dice.below(5) {
            0 | 1 => format!(" {} {}", words::count_sign(self.dice), self.dice.between(0, 4)),
            2 => {
                let low = self.dice.between(0, 2);
                match self.dice.below(3) {
                    0 => format!(" between {low} and {}", low + self.dice.between(0, 3)),
                    _ => {
                        let sign = *self.dice.pick(&["≥", "≥", "≤", "=", ">=", "<"]);
                        let unit = self.dice.pick(&["days", "weeks", "months"]);
                        format!(" on {sign} {} {unit}", 1 + low)
                    }
                }
            }
            _ => String::new(),
        }
    }

    /// `EVENT [SUBJECT] [where (…)]`
    pub fn matching(&mut self) -> String {
        let event = self.event();
        self.matching_of(event)
    }

    pub fn matching_of(&mut self, event: &'a Event) -> String {
        let mut text = match event.aliases.first() {
            Some(alias) if self.dice.chance(30) => alias.name.clone(),
            _ => event.name.name.clone(),
        };
        if self.dice.chance(35)
            && let Some(subject) = self.subject(event)
        {
            text = format!("{text} {subject}");
        }
        if self.dice.chance(40) {
            let depth = self.dice.below(3);
            text = format!("{text} where ({})", self.pred(event, depth));
        }
        text
    }

    fn subject(&mut self, event: &'a Event) -> Option<String> {
        let columns: Vec<&KnownValues> =
            event.subject.iter().filter_map(|id| event.properties.get(id.index())?.known.as_ref()).collect();
        // A word known in two columns would be asked about, however it is spelled.
        let form = |t: &str| segue::language::text::plain(t);
        let knows = |k: &KnownValues, t: &str| {
            k.values.iter().any(|v| form(&v.text) == form(t) || v.aliases.iter().any(|a| form(a) == form(t)))
        };
        let alone = |t: &str| columns.iter().filter(|k| knows(k, t)).count() == 1;
        let all: Vec<(&KnownValues, &str)> = columns
            .iter()
            .flat_map(|k| k.values.iter().map(move |v| (*k, v.text.as_str())))
            .filter(|(_, text)| alone(text))
            .collect();
        if all.is_empty() {
            return None;
        }
        let word = |dice: &mut Dice| {
            let (known, text) = all[dice.below(all.len())];
            words::known_word(dice, known, text)
        };
        Some(match self.dice.below(6) {
            0 => format!("({} or {})", word(self.dice), word(self.dice)),
            1 => format!("other than {}", word(self.dice)),
            _ => word(self.dice),
        })
    }

    /// A predicate over an event.
    fn pred(&mut self, event: &'a Event, depth: usize) -> String {
        if depth > 0 && self.dice.chance(60) {
            let (a, b) = (self.pred(event, depth - 1), self.pred(event, depth - 1));
            return match self.dice.below(4) {
                0 => format!("not ({a})"),
                1 => format!("({a}) or ({b})"),
                _ => format!("({a}) and ({b})"),
            };
        }
        if event.properties.is_empty() || self.dice.chance(20) {
            return self.moment_test();
        }
        if self.dice.chance(8)
            && let Some(test) = self.of_customer(event)
        {
            return test;
        }
        let property = &event.properties[self.dice.below(event.properties.len())];
        self.field_test(property.into(), Some(event))
    }

    fn moment_test(&mut self) -> String {
        match self.dice.below(6) {
            0 => format!("hour {} {}", words::sign(self.dice), self.dice.between(0, 23)),
            1 => format!("hour between {} and {}", self.dice.between(0, 11), self.dice.between(11, 23)),
            2 => format!("weekday {} {}", self.dice.pick(&["=", "≠"]), self.dice.pick(&["mon", "wed", "sat", "sun"])),
            3 => format!("weekday {} (sat, sun, mon)", self.dice.pick(&["in", "not in"])),
            4 => format!("date {} {}", words::sign(self.dice), self.date()),
            _ => format!("date {}", self.window(On::Dates)),
        }
    }

    pub fn date(&mut self) -> String {
        let (text, days) = words::date(self.dice, self.clock);
        self.edges.extend([Edge::StartOfDay(date_of(days)), Edge::EndOfDay(date_of(days))]);
        text
    }

    /// A test of a property (of this event) or of an attribute.
    pub fn field_test(&mut self, field: Field<'a>, event: Option<&'a Event>) -> String {
        let name = field.name.as_str();
        if self.dice.chance(12) {
            return format!("{name} is {}", self.dice.pick(&["known", "unknown"]));
        }
        match field.ty {
            Type::Text => self.text_test(&field),
            Type::Integer | Type::Money { .. } | Type::Number => {
                let value = |w: &mut Self| words::number(w.dice, field.ty);
                match self.dice.below(8) {
                    0 => between(name, &value(self), &value(self)),
                    1 => format!("{name} {} ({}, {})", self.dice.pick(&["in", "not in"]), value(self), value(self)),
                    2 => {
                        let other = self.other_number(event).filter(|other| other != name);
                        format!("{name} {} {}", words::sign(self.dice), other.unwrap_or_else(|| "1".to_owned()))
                    }
                    _ => format!("{name} {} {}", words::sign(self.dice), value(self)),
                }
            }
            Type::YesNo => match self.dice.below(2) {
                0 => format!("not {name}"),
                _ => name.to_owned(),
            },
            Type::Date => match self.dice.below(3) {
                0 => format!("{name} {} {}", words::sign(self.dice), self.date()),
                _ => format!("{name} {}", self.window(On::Dates)),
            },
            Type::Instant => match self.dice.below(5) {
                0 => format!("{name} {} {}", words::sign(self.dice), self.date()),
                1 => {
                    let (text, at) = words::instant(self.dice, self.clock);
                    self.edges.push(Edge::Instant(at));
                    format!("{name} {} {text}", words::sign(self.dice))
                }
                _ => format!("{name} {}", self.some_window(On::Instants)),
            },
            Type::TextList => format!("{name} has {}", words::text_value(self.dice, field.known, false)),
        }
    }

    /// Another number of the event, or of the customer.
    pub fn other_number(&mut self, event: Option<&'a Event>) -> Option<String> {
        let is_number = |ty: Type| matches!(ty, Type::Integer | Type::Money { .. } | Type::Number);
        let names: Vec<&str> = match event {
            Some(e) => e.properties.iter().filter(|p| is_number(p.ty)).map(|p| p.name.name.as_str()).collect(),
            None => {
                self.catalog.attributes().iter().filter(|a| is_number(a.ty)).map(|a| a.name.name.as_str()).collect()
            }
        };
        if names.is_empty() { None } else { Some((*self.dice.pick(&names)).to_owned()) }
    }

    fn text_test(&mut self, field: &Field<'a>) -> String {
        let name = field.name.as_str();
        let value = |w: &mut Self| words::text_value(w.dice, field.known, field.empty_is_value);
        match self.dice.below(9) {
            0 => format!("{name} in ({}, {})", value(self), value(self)),
            1 => format!("{name} not in ({}, {},)", value(self), value(self)),
            2 => {
                format!("{name} contains {}", words::quoted(self.dice.word(&["a", "er", "ti-a", "â", "Â", "\"", "ß"])))
            }
            3 => {
                let how = self.dice.pick(&["starts with", "ends with"]);
                format!(
                    "{name} {how} {}",
                    words::quoted(self.dice.word(&["s", "S", "anti", "g", "a\u{302}ge", "ÂGE", "k"]))
                )
            }
            4 => format!(
                "{name} matches {}",
                words::quoted(self.dice.word(&["*", "s*", "*m", "anti-?ge", "*i*", "a*b", "?", "*\\*", "ANTI*"]))
            ),
            5 if !field.known.is_some_and(|k| k.closed) => {
                format!(
                    "{name} {} {}",
                    self.dice.pick(&["<", "≥"]),
                    words::quoted(self.dice.word(&["m", "Serum", "a"]))
                )
            }
            6 => format!("{name} ≠ {}", value(self)),
            _ => format!("{name} = {}", value(self)),
        }
    }

    fn number_test(&mut self) -> String {
        if self.dice.chance(8) {
            return self.date_aggregate();
        }
        let value = if self.dice.chance(15) && !self.traits.is_empty() {
            self.traits[self.dice.below(self.traits.len())].0.clone()
        } else {
            self.number()
        };
        let since = value.starts_with("days");
        let literal = |w: &mut Self| -> String {
            let n = if since { w.dice.between(0, 40) } else { w.dice.between(0, 5) };
            if since {
                let day = |n: i64| Edge::Back { amount: n.max(1) as u32, unit: Unit::Day };
                w.edges.extend([day(n), day(n + 1)]);
            }
            match w.dice.below(3) {
                0 if !since => words::number(w.dice, Type::Money { scale: 2 }),
                _ => n.to_string(),
            }
        };
        match self.dice.below(12) {
            0 => between(&value, &literal(self), &literal(self)),
            1 => format!("{value} {} ({}, {})", self.dice.pick(&["in", "not in"]), literal(self), literal(self)),
            2 => format!("{value} is {}", self.dice.pick(&["known", "unknown"])),
            3 => {
                let other = self.number();
                format!("{value} {} {other}", words::sign(self.dice))
            }
            4 if self.other_number(None).is_some() => {
                let other = self.other_number(None).unwrap_or_default();
                format!("{value} {} {other}", words::sign(self.dice))
            }
            _ => format!("{value} {} {}", words::sign(self.dice), literal(self)),
        }
    }

    /// The earliest or latest of an event's dates, against a date.
    fn date_aggregate(&mut self) -> String {
        let event = self.event();
        let dates = event.properties.iter().filter(|p| matches!(p.ty, Type::Date | Type::Instant));
        let names: Vec<&str> = dates.map(|p| p.name.name.as_str()).collect();
        if names.is_empty() {
            return self.behaviour();
        }
        let (name, function) = (*self.dice.pick(&names), *self.dice.pick(&["min", "max"]));
        let behaviour = format!("{} {}", self.matching_of(event), self.window(On::Events));
        format!("{function}({name} of {}) {} {}", behaviour.trim_end(), words::sign(self.dice), self.date())
    }

    /// A value that is a number.
    pub fn number(&mut self) -> String {
        if self.dice.chance(25) {
            return self.further_number();
        }
        let dates = self.catalog.attributes().iter().filter(|a| matches!(a.ty, Type::Date | Type::Instant));
        let dates: Vec<&str> = dates.map(|a| a.name.name.as_str()).collect();
        match self.dice.below(10) {
            0 | 1 => format!("days since {} {}", self.dice.pick(&["last", "first"]), self.matching()),
            2 if !dates.is_empty() => format!("days since {}", self.dice.pick(&dates)),
            3 => {
                let text = format!("{} {}", self.matching(), self.window(On::Events));
                format!("count({})", text.trim_end())
            }
            _ => self.aggregate(),
        }
    }

    fn aggregate(&mut self) -> String {
        let event = self.event();
        let function = *self.dice.pick(&["sum", "sum", "avg", "min", "max", "distinct", "distinct"]);
        let fits = |p: &&Property| match p.ty {
            Type::Integer | Type::Money { .. } | Type::Number => true,
            Type::TextList => false,
            _ => function == "distinct",
        };
        let names: Vec<&str> = event.properties.iter().filter(fits).map(|p| p.name.name.as_str()).collect();
        let behaviour = format!("{} {}", self.matching_of(event), self.window(On::Events));
        if names.is_empty() {
            return format!("count({})", behaviour.trim_end());
        }
        format!("{function}({} of {})", self.dice.pick(&names), behaviour.trim_end())
    }

    /// A window where one must stand.
    pub fn some_window(&mut self, on: On) -> String {
        loop {
            let window = self.window(on);
            if !window.is_empty() && window != "ever" {
                return window;
            }
        }
    }

    /// A window, or nothing. On plain dates neither instants nor short units stand, and something must.
    pub fn window(&mut self, on: On) -> String {
        let days = on == On::Dates;
        if self.dice.chance(18) {
            return self.further_window(on);
        }
        let duration = |w: &mut Self| {
            let (text, edge) = words::duration(w.dice, days);
            w.edges.push(edge);
            text
        };
        let instant = |w: &mut Self| {
            let (text, at) = words::instant(w.dice, w.clock);
            w.edges.push(Edge::Instant(at));
            (at, text)
        };
        match self.dice.weighed(&[(44, 0), (10, 1), (10, 2), (5, 3), (5, 4), (4, 5), (5, 6), (2, 7), (3, 8), (12, 9)]) {
            0 => format!("in {}", duration(self)),
            1 => {
                let (a, b) = words::two_durations(self.dice, days);
                self.edges.extend([a.1, b.1]);
                format!("between {} and {} ago", a.0, b.0)
            }
            2 => format!("over {} ago", duration(self)),
            3 => format!("since {}", self.date()),
            4 => format!("before {}", self.date()),
            5 => format!("on {}", self.date()),
            6 => {
                let (a, b) = (self.date(), self.date());
                format!("between {} and {}", a.clone().min(b.clone()), a.max(b))
            }
            7 if !days => {
                let (a, b) = (instant(self), instant(self));
                if a.0 == b.0 {
                    return format!("since {}", a.1);
                }
                format!("between {} and {}", a.clone().min(b.clone()).1, a.max(b).1)
            }
            8 if !days => format!("{} {}", *self.dice.pick(&["since", "before"]), instant(self).1),
            9 if !days => (*self.dice.pick(&["", "", "ever"])).to_owned(),
            _ => format!("in {}", duration(self)),
        }
    }
}

/// What a segment was called before, if it was.
pub fn former(name: &str) -> String {
    format!("was_{name}")
}

/// Both ends, the smaller first.
fn between(value: &str, a: &str, b: &str) -> String {
    let number = |text: &str| {
        text.trim_end_matches('%').parse::<f64>().unwrap_or(0.0) / if text.ends_with('%') { 100.0 } else { 1.0 }
    };
    let (low, high) = if number(a) <= number(b) { (a, b) } else { (b, a) };
    format!("{value} between {low} and {high}")
}
