//! Random values beyond plain sums, windows of the calendar, ranks, stages, samples.

use segue::language::catalog::{Event, Property, Type};
use segue::language::ir::{Edge, PeriodUnit, Unit};

use super::rules::{Field, On, Writer};
use super::words;

const PERIODS: &[(&str, PeriodUnit)] = &[
    ("day", PeriodUnit::Day),
    ("week", PeriodUnit::Week),
    ("month", PeriodUnit::Month),
    ("quarter", PeriodUnit::Quarter),
    ("year", PeriodUnit::Year),
];

const STAGES: &[&str] = &["early", "middle", "late", "beyond"];

impl<'a> Writer<'a> {
    /// A number that takes more than one aggregate, or another kind of one.
    pub fn further_number(&mut self) -> String {
        match self.dice.below(8) {
            0 | 1 => {
                let (a, b) = (self.number(), self.operand());
                let (a, b) = if self.dice.chance(50) { (a, b) } else { (b, a) };
                format!("({a} {} {b})", self.dice.pick(&["+", "-", "*", "/"]))
            }
            2 => {
                let (of, per) = (self.matching(), self.matching());
                format!("rate({of} per {per} {})", self.window(On::Events)).replace(" )", ")")
            }
            3 if self.dice.chance(40) => {
                let scale = *self.dice.pick(&["quintile", "decile"]);
                let by = self.number();
                let among = self.among();
                format!("{scale}({by}{among})")
            }
            _ => self.numeric(),
        }
    }

    fn operand(&mut self) -> String {
        match self.dice.below(4) {
            0 => self.dice.between(1, 4).to_string(),
            1 => words::number(self.dice, Type::Money { scale: 2 }).trim_start_matches('-').to_owned(),
            _ => self.number(),
        }
    }

    /// `median`, `percentile`, `first`, `last`, `most frequent` of a number.
    fn numeric(&mut self) -> String {
        let event = self.event();
        let number = |p: &&Property| matches!(p.ty, Type::Integer | Type::Money { .. } | Type::Number);
        let names: Vec<&str> = event.properties.iter().filter(number).map(|p| p.name.name.as_str()).collect();
        let behaviour = format!("{} {}", self.matching_of(event), self.window(On::Events));
        if names.is_empty() {
            return format!("count({})", behaviour.trim_end());
        }
        let function = match self.dice.below(5) {
            0 => "median(".to_owned(),
            1 => format!("percentile({}, ", self.dice.pick(&["0", "10", "33.3333", "50", "90", "100", "99.9"])),
            2 => "most frequent(".to_owned(),
            3 => "first(".to_owned(),
            _ => "last(".to_owned(),
        };
        format!("{function}{} of {})", self.dice.pick(&names), behaviour.trim_end())
    }

    /// A test of the first, last or most frequent value of some property that is no number.
    pub fn picked_value(&mut self) -> String {
        let event = self.event();
        let fits = |p: &&Property| matches!(p.ty, Type::Text | Type::YesNo);
        let properties: Vec<&Property> = event.properties.iter().filter(fits).collect();
        if properties.is_empty() {
            return self.sequence();
        }
        let property = *self.dice.pick(&properties);
        let behaviour = format!("{} {}", self.matching_of(event), self.window(On::Events));
        let function = *self.dice.pick(&["first", "last", "most frequent"]);
        let name = format!("{function}({} of {})", property.name.name, behaviour.trim_end());
        self.field_test(Field { name, ..property.into() }, None)
    }

    /// Windows of the calendar, forward ones on dates, and those since an event.
    pub fn further_window(&mut self, on: On) -> String {
        let (word, unit) = *self.dice.pick(PERIODS);
        let n = self.dice.between(1, 3) as i32;
        let period = |offset| Edge::Period { unit, offset };
        match self.dice.below(6) {
            0 => {
                self.edges.extend([period(0), period(1)]);
                format!("in this {word}")
            }
            1 => {
                self.edges.extend([period(-1), period(0)]);
                format!("in previous {word}")
            }
            2 => {
                self.edges.extend([period(-n), period(0)]);
                format!("in previous {n} {word}s")
            }
            3 | 4 if on == On::Events => {
                let matching = self.matching();
                match self.dice.below(4) {
                    0 => format!("since first {matching}"),
                    1 => format!("since last {} {matching}", 1 + n),
                    _ => format!("since last {matching}"),
                }
            }
            3 => {
                self.edges.extend([period(1), period(1 + n)]);
                if n == 1 { format!("in next {word}") } else { format!("in next {n} {word}s") }
            }
            4 => {
                let (text, edge) = words::duration(self.dice, on == On::Dates);
                if let Edge::Back { amount, unit } = edge {
                    self.edges.push(Edge::Ahead { amount, unit });
                }
                format!("within {text}")
            }
            // Either may come first, whatever the day.
            _ => {
                let (a, b) = (words::duration(self.dice, true), words::duration(self.dice, true));
                if a.1 == b.1 || days(a.1).is_some_and(|n| Some(n) == days(b.1)) {
                    return format!("in {}", a.0);
                }
                self.edges.extend([a.1, b.1]);
                format!("between {} and {} ago", a.0, b.0)
            }
        }
    }

    /// An event's property against a value of the customer.
    pub fn of_customer(&mut self, event: &'a Event) -> Option<String> {
        let taken = |name: &str| event.properties.iter().any(|p| p.name.name == name);
        let attributes = self.catalog.attributes().iter().filter(|a| !taken(&a.name.name));
        let all: Vec<Field<'a>> = attributes.map(Field::from).collect();
        let traits: Vec<String> = self.traits.iter().filter(|t| t.1).map(|t| t.0.clone()).collect();
        let number = |ty: Type| matches!(ty, Type::Integer | Type::Money { .. } | Type::Number);
        let own: Vec<&str> = event.properties.iter().filter(|p| number(p.ty)).map(|p| p.name.name.as_str()).collect();
        let numbers: Vec<String> = all.iter().filter(|f| number(f.ty)).map(|f| f.name.clone()).chain(traits).collect();
        match self.dice.below(3) {
            0 if !all.is_empty() => {
                let field = self.dice.pick(&all).clone();
                Some(self.field_test(field, Some(event)))
            }
            _ if !own.is_empty() && !numbers.is_empty() => {
                Some(format!("{} {} {}", self.dice.pick(&own), words::sign(self.dice), self.dice.pick(&numbers)))
            }
            _ => None,
        }
    }

    fn among(&mut self) -> String {
        match self.dice.below(4) {
            0 if !self.segments.is_empty() => {
                format!(" among {}", self.segments[self.dice.below(self.segments.len())])
            }
            1 if !self.catalog.lists.is_empty() => format!(" among {}", self.catalog.lists[0].name.name),
            _ => String::new(),
        }
    }

    pub fn ranked(&mut self) -> String {
        let end = *self.dice.pick(&["top", "bottom"]);
        let size = *self.dice.pick(&["10%", "20%", "50%", "33.3%", "100%", "1", "3", "1_000"]);
        let by = match self.dice.below(4) {
            0 if !self.traits.is_empty() => self.traits[self.dice.below(self.traits.len())].0.clone(),
            _ => self.number(),
        };
        let among = self.among();
        if self.dice.chance(20) {
            let share = *self.dice.pick(&["0%", "20%", "50%", "66.7%"]);
            return format!("percentile_rank({by}{among}) {} {share}", words::sign(self.dice));
        }
        format!("{end} {size} by {by}{among}")
    }

    pub fn sample(&mut self) -> String {
        let share = *self.dice.pick(&["10%", "50%", "33.3%", "0.1%"]);
        let salt = if self.salted || self.dice.chance(60) { " of \"salz\"" } else { "" };
        format!("sample {share}{salt}")
    }

    pub fn anniversary(&mut self) -> String {
        let dates = self.catalog.attributes().iter().filter(|a| matches!(a.ty, Type::Date | Type::Instant));
        let names: Vec<&str> = dates.map(|a| a.name.name.as_str()).collect();
        if names.is_empty() {
            return self.picked_value();
        }
        let name = *self.dice.pick(&names);
        let (text, _) = words::duration(self.dice, true);
        let unit = self.dice.pick(PERIODS).0;
        let window = match self.dice.below(6) {
            0 => format!("in {text}"),
            1 => format!("in this {unit}"),
            2 => format!("in next {unit}"),
            3 => format!("on {}", self.date()),
            _ => format!("within {text}"),
        };
        format!("anniversary of {name} {window}")
    }

    /// A declaration of stages.
    pub fn stages_of(&mut self, name: &str) -> String {
        let lines = 1 + self.dice.below(3);
        let mut names: Vec<&'static str> = STAGES[..lines].to_vec();
        let mut text = format!("stages {name}:\n");
        for stage in &names {
            let depth = self.dice.below(2);
            text += &format!("  {} → {stage}\n", self.condition(depth));
        }
        if self.dice.chance(50) {
            names.push(STAGES[lines]);
            text += &format!("  otherwise → {}\n", STAGES[lines]);
        }
        self.stages.push((name.to_owned(), names));
        text
    }

    pub fn stage_test(&mut self) -> String {
        if self.stages.is_empty() {
            return self.picked_value();
        }
        let (name, lines) = self.stages[self.dice.below(self.stages.len())].clone();
        let line = |w: &mut Self| lines[w.dice.below(lines.len())];
        match self.dice.below(4) {
            0 => format!("{name} ≠ {}", line(self)),
            1 => format!("{name} {} ({}, {})", *self.dice.pick(&["in", "not in"]), line(self), line(self)),
            _ => format!("{name} = {}", line(self)),
        }
    }
}

/// Days and weeks in days.
fn days(edge: Edge) -> Option<u32> {
    match edge {
        Edge::Back { amount, unit: Unit::Day } => Some(amount),
        Edge::Back { amount, unit: Unit::Week } => Some(amount * 7),
        _ => None,
    }
}
