//! Timelines and events in full, to rows of a history.
//!
//! Owns: what a written event says. Promises: each mistake is reported at its place; the others are still found.
//! Must not know: rules.

use super::raw;
use super::values::{Field, find};
use super::{Place, Reading, RecordedName};
use crate::language::calendar::parse_moment;
use crate::language::catalog::{Event, EventId, KnownValues, PropertyId};
use crate::language::diagnostic::{Diagnostic, Fix, Label, code, nearest};
use crate::language::interpret::history::{Datum, EventRow};
use crate::language::ir::Unit;
use crate::language::source::{SourceFile, Span};
use crate::language::syntax::ast::{MomentKind, RecordedWhat, TimelineEntry, When};
use crate::language::syntax::parse_timeline;
use crate::language::yaml::read::{At, Literal, OneOrMany};

/// The most events that one occurrence stands for.
const MAX_TIMES: u32 = 10_000;

impl<'a> Reading<'a> {
    /// The rows of a timeline. `place` tells where its text stands.
    pub(super) fn timeline(&mut self, source: &SourceFile, place: Place) -> Vec<EventRow> {
        let (entries, said) = parse_timeline(source);
        self.diagnostics.extend(said.into_iter().map(|d| moved(d, place)));
        entries.iter().flat_map(|entry| self.entry(entry, place)).collect()
    }

    fn entry(&mut self, entry: &TimelineEntry, place: Place) -> Vec<EventRow> {
        if let Some(what) = RecordedWhat::parse(&entry.event.text) {
            return self.recorded(what, entry, place);
        }
        let Some((id, event)) = self.event(&entry.event.text, place.of(entry.event.span)) else {
            return Vec::new();
        };
        let mut properties: Vec<Option<Datum>> = vec![None; event.properties.len()];
        if let Some(subject) = &entry.subject
            && let Some((property, value)) = self.subject(event, &subject.text, place.of(subject.span))
            && let Some(slot) = properties.get_mut(property.index())
        {
            *slot = Some(Datum::Text(value));
        }
        for (name, value) in &entry.properties {
            let Some(at) = self.property(event, &name.text, place.of(name.span)) else {
                continue;
            };
            let Some(property) = event.properties.get(at) else { continue };
            let field = Field { name: &property.name.name, ty: property.ty, known: property.known.as_ref() };
            let datum = field.expression(value, place.of(value.span), &self.clock.zone);
            self.fill(datum, &mut properties, at);
        }
        self.occurrences(entry, place, EventRow { event: id, time: 0, properties, event_id: None })
    }

    /// `entered vip 5d ago`, `contacted winback 3d ago`
    fn recorded(&mut self, what: RecordedWhat, entry: &TimelineEntry, place: Place) -> Vec<EventRow> {
        let Some(name) = entry.subject.as_ref().filter(|_| entry.properties.is_empty()) else {
            let words = what.words();
            let message = format!("`{words}` is about one segment or campaign, and nothing else is known of it");
            let d = Diagnostic::new(code::spec::SUBJECT, place.of(entry.event.span), message);
            self.say(d.label("of which?").help(format!("write it like `{words} NAME 5d ago`")));
            return Vec::new();
        };
        self.recorded.push(RecordedName { what, name: name.text.clone(), span: place.of(name.span) });
        let properties = vec![Some(Datum::Text(name.text.clone()))];
        let event = self.catalog.recorded(what);
        self.occurrences(entry, place, EventRow { event, time: 0, properties, event_id: None })
    }

    /// The row, as often as it is said, at the times that are said.
    fn occurrences(&mut self, entry: &TimelineEntry, place: Place, row: EventRow) -> Vec<EventRow> {
        let mut rows = Vec::new();
        for occurrence in &entry.occurrences {
            let time = match &occurrence.when {
                When::Ago(duration) => self.clock.back(duration.amount, duration.unit),
                When::At(moment) => match moment.kind {
                    MomentKind::Date(date) => self.clock.zone.start_of_date(date),
                    MomentKind::Instant(instant) => self.clock.zone.instant(instant),
                },
            };
            if occurrence.times > MAX_TIMES {
                let message = format!("`x{}` is more than {MAX_TIMES}", occurrence.times);
                self.say(Diagnostic::new(code::spec::MOMENT, place.of(occurrence.span), message));
            }
            let row = EventRow { time, ..row.clone() };
            rows.extend(std::iter::repeat_n(row, occurrence.times.min(MAX_TIMES) as usize));
        }
        rows
    }

    /// The rows of an event that is written in full.
    pub(super) fn long_event(&mut self, raw: &raw::Event) -> Vec<EventRow> {
        let time = self.time_of(raw);
        if let Some(what) = RecordedWhat::parse(&raw.event.value) {
            return self.long_recorded(what, raw, time);
        }
        let Some((id, event)) = self.event(&raw.event.value, raw.event.span) else {
            return Vec::new();
        };
        let mut properties: Vec<Option<Datum>> = vec![None; event.properties.len()];
        for entry in raw.with.iter().flat_map(|w| &w.0) {
            let Some(at) = self.property(event, &entry.name.value, entry.name.span) else {
                continue;
            };
            let Some(property) = event.properties.get(at) else { continue };
            let field = Field { name: &property.name.name, ty: property.ty, known: property.known.as_ref() };
            if let Some(Some(written)) = &entry.value {
                let datum = self.written(&field, &written.0, entry.name.span);
                self.fill(datum, &mut properties, at);
            }
        }
        let event_id = raw.id.as_ref().map(|id| id.0.value.clone());
        if let (Some(id), None) = (&raw.id, &event.event_id) {
            let message = format!("`{}` has no `event_id` in the catalog", event.name.name);
            self.say(Diagnostic::new(code::spec::PROPERTY, id.0.span, message).help("remove `id:`"));
        }
        let times = raw.times.as_ref().map_or(1, |t| usize::from(t.value));
        match time {
            Some(time) => vec![EventRow { event: id, time, properties, event_id }; times],
            None => Vec::new(),
        }
    }

    /// `{event: contacted, ago: 3d, with: {name: winback}}`
    fn long_recorded(&mut self, what: RecordedWhat, raw: &raw::Event, time: Option<i64>) -> Vec<EventRow> {
        let mut with = raw.with.iter().flat_map(|w| &w.0);
        let name = match (with.next(), with.next()) {
            (Some(entry), None) if entry.name.value == "name" && raw.id.is_none() => match &entry.value {
                Some(Some(OneOrMany(written))) => match written.as_slice() {
                    [Literal(one)] => Some(one.clone()),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        };
        let Some(name) = name else {
            let words = what.words();
            let message = format!("`{words}` is about one segment or campaign, and nothing else is known of it");
            let d = Diagnostic::new(code::spec::SUBJECT, raw.event.span, message);
            self.say(d.label("of which?").help("name it, and nothing else: `with: {name: NAME}`"));
            return Vec::new();
        };
        self.recorded.push(RecordedName { what, name: name.value.clone(), span: name.span });
        let row = |time| EventRow {
            event: self.catalog.recorded(what),
            time,
            properties: vec![Some(Datum::Text(name.value.clone()))],
            event_id: None,
        };
        let times = raw.times.as_ref().map_or(1, |t| usize::from(t.value));
        time.map_or_else(Vec::new, |time| vec![row(time); times])
    }

    fn time_of(&mut self, raw: &raw::Event) -> Option<i64> {
        match (&raw.at, &raw.ago) {
            (Some(at), None) => self.moment(at),
            (None, Some(ago)) => {
                let found = duration(&ago.0.value).map(|(amount, unit)| self.clock.back(amount, unit));
                if found.is_none() {
                    let message = format!("`{}` is no duration", ago.0.value);
                    self.say(
                        Diagnostic::new(code::spec::MOMENT, ago.0.span, message)
                            .help("write it like `80d`, `12h` or `3mo`"),
                    );
                }
                found
            }
            (Some(_), Some(ago)) => {
                let message = "an event has `at` and `ago`";
                self.say(Diagnostic::new(code::spec::MOMENT, ago.0.span, message).help("keep one of the two"));
                None
            }
            (None, None) => {
                let message = format!("nothing says when `{}` was", raw.event.value);
                self.say(
                    Diagnostic::new(code::spec::MOMENT, raw.event.span, message)
                        .help("add `ago: 80d` or `at: 2026-11-01`"),
                );
                None
            }
        }
    }

    /// A written date or instant.
    pub(super) fn moment(&mut self, written: &Literal) -> Option<i64> {
        let At { value, span } = &written.0;
        let found = parse_moment(value, &self.clock.zone);
        if found.is_none() {
            self.say(not_a_moment(value, *span));
        }
        found
    }

    /// Keeps a value or says what is wrong with it.
    fn fill(&mut self, datum: Result<Datum, Box<Diagnostic>>, properties: &mut [Option<Datum>], at: usize) {
        match datum {
            Ok(datum) => {
                if let Some(slot) = properties.get_mut(at) {
                    *slot = Some(datum);
                }
            }
            Err(wrong) => self.say(*wrong),
        }
    }

    /// A value out of YAML: one, or a list.
    pub(super) fn written(&self, field: &Field, written: &[Literal], span: Span) -> Result<Datum, Box<Diagnostic>> {
        match written {
            [one] => field.one(&one.0.value, one.0.span, &self.clock.zone),
            many => {
                let texts: Vec<(String, Span)> = many.iter().map(|l| (l.0.value.clone(), l.0.span)).collect();
                field.many(&texts, span)
            }
        }
    }

    fn event(&mut self, name: &str, span: Span) -> Option<(EventId, &'a Event)> {
        let catalog = self.catalog;
        if let Some(id) = catalog.event_named(name)
            && let Some(event) = catalog.event(id)
        {
            return Some((id, event));
        }
        let names = || catalog.events.iter().flat_map(|e| e.aliases.iter().chain([&e.name])).map(|n| n.name.as_str());
        let d = Diagnostic::new(code::spec::EVENT, span, format!("`{name}` is no event of the catalog"));
        self.say(meant(d, span, nearest(name, names()), names()));
        None
    }

    /// The subject column that knows the word, and the value that it stands for.
    fn subject(&mut self, event: &Event, word: &str, span: Span) -> Option<(PropertyId, String)> {
        let columns: Vec<(PropertyId, &str, &KnownValues)> = event
            .subject
            .iter()
            .filter_map(|id| {
                let property = event.properties.get(id.index())?;
                Some((*id, property.name.name.as_str(), property.known.as_ref()?))
            })
            .collect();
        let found: Vec<(PropertyId, &str, &str)> =
            columns.iter().filter_map(|(id, name, known)| Some((*id, *name, find(known, word)?))).collect();
        let name = &event.name.name;
        match found.as_slice() {
            [(id, _, value)] => return Some((*id, (*value).to_owned())),
            [] if event.subject.is_empty() => {
                let d = Diagnostic::new(code::spec::SUBJECT, span, format!("`{name}` takes no subject"));
                self.say(
                    d.label("no property of it may be left unnamed")
                        .help(format!("name the property: `{name} where (PROPERTY = {word})`")),
                );
            }
            [] => {
                let values = || columns.iter().flat_map(|(_, _, k)| &k.values).map(|v| v.text.as_str());
                let d = Diagnostic::new(code::spec::SUBJECT, span, format!("`{word}` is no known subject of `{name}`"));
                self.say(meant(d, span, nearest(word, values()), values()));
            }
            several => {
                let d = Diagnostic::new(
                    code::spec::SUBJECT,
                    span,
                    format!("`{word}` may be several properties of `{name}`"),
                );
                let offers: Vec<String> = several.iter().map(|(_, p, _)| format!("`where ({p} = {word})`")).collect();
                self.say(d.label("which one is meant?").help(format!("write {}", offers.join(" or "))));
            }
        }
        None
    }

    fn property(&mut self, event: &Event, name: &str, span: Span) -> Option<usize> {
        let found = event.properties.iter().position(|p| p.name.name == name);
        if found.is_none() {
            let names = || event.properties.iter().map(|p| p.name.name.as_str());
            let message = format!("`{name}` is no property of `{}`", event.name.name);
            let d = Diagnostic::new(code::spec::PROPERTY, span, message);
            self.say(meant(d, span, nearest(name, names()), names()));
        }
        found
    }
}

/// Adds what was probably meant, or what there is.
pub(super) fn meant<'n>(
    d: Diagnostic,
    span: Span,
    meant: Option<&str>,
    all: impl Iterator<Item = &'n str>,
) -> Diagnostic {
    match meant {
        Some(meant) => {
            d.label(format!("did you mean `{meant}`?")).fix(format!("write `{meant}`"), vec![(span, meant.to_owned())])
        }
        None => {
            let list: Vec<String> = all.take(8).map(|n| format!("`{n}`")).collect();
            if list.is_empty() { d } else { d.help(format!("there is {}", list.join(", "))) }
        }
    }
}

pub(super) fn not_a_moment(text: &str, span: Span) -> Diagnostic {
    Diagnostic::new(code::spec::MOMENT, span, format!("`{text}` is no date and no instant"))
        .label("a day that exists is expected here")
        .help("write it like `2026-11-21` or `2026-11-21T08:00`")
}

/// A finding about a timeline, moved to where the timeline stands.
fn moved(d: Diagnostic, place: Place) -> Diagnostic {
    let label = |l: Label| Label { span: place.of(l.span), text: l.text };
    // Without exact places, an edit would replace too much.
    let fix = d.fix.filter(|_| place.is_exact()).map(|fix| Fix {
        title: fix.title,
        edits: fix.edits.into_iter().map(|(span, text)| (place.of(span), text)).collect(),
    });
    Diagnostic { primary: label(d.primary), secondary: d.secondary.into_iter().map(label).collect(), fix, ..d }
}

/// `80d`, `80 days`.
fn duration(text: &str) -> Option<(u32, Unit)> {
    let text = text.strip_suffix(" ago").unwrap_or(text);
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (amount, unit) = (text.get(..digits)?.parse().ok()?, text.get(digits..)?.trim_start());
    let unit = match unit {
        "s" | "second" | "seconds" => Unit::Second,
        "min" | "minute" | "minutes" => Unit::Minute,
        "h" | "hour" | "hours" => Unit::Hour,
        "d" | "day" | "days" => Unit::Day,
        "w" | "week" | "weeks" => Unit::Week,
        "mo" | "month" | "months" => Unit::Month,
        "y" | "year" | "years" => Unit::Year,
        _ => return None,
    };
    Some((amount, unit))
}
