//! Specs: executable examples.
//!
//! Owns: `specs/*.yaml`, from text to histories and expectations, and the verdict on them.
//! Promises: every mistake is reported in one go; a spec is judged alike whoever evaluates it (interpreter or plan).
//! Must not know: the engine.

mod events;
mod judge;
mod raw;
mod values;

use std::collections::BTreeSet;

use super::calendar::{Clock, Zone};
use super::catalog::{Catalog, ListId};
use super::diagnostic::{self, Diagnostic, code, nearest};
use super::interpret::history::{Datum, EventRow, History, ProfileRow};
use super::source::{SourceFile, SourceId, Sources, Span};
use super::syntax::ast::RecordedWhat;
use super::yaml::read::{Entries, Literal, OneOrMany, Read, Reader};
pub use judge::{Verdict, Wrong, evaluate, judge, judge_values, unknown_names};

/// What customers did, and what has to hold for them.
#[derive(Debug, Clone)]
pub struct Spec {
    /// Microseconds since 1970-01-01T00:00Z.
    pub as_of: i64,
    /// In the order of the file.
    pub customers: Vec<(String, History)>,
    /// Audiences, in the order of the file.
    pub expect: Vec<Expectation>,
    /// Values of traits and stages, in the order of the file.
    pub values: Vec<ExpectedValue>,
    /// Segments and campaigns of which timelines tell, in the order of the file.
    pub recorded: Vec<RecordedName>,
}

/// A segment or campaign of which a timeline tells what was recorded: `entered vip 3d ago`.
#[derive(Debug, Clone)]
pub struct RecordedName {
    pub what: RecordedWhat,
    pub name: String,
    pub span: Span,
}

/// Who has to be in an audience: these and nobody else.
#[derive(Debug, Clone)]
pub struct Expectation {
    pub rule: String,
    /// Sorted, without repeats.
    pub members: Vec<String>,
    /// The rule's name in the spec.
    pub span: Span,
}

/// What a trait has to be for a customer, or at which stage the customer has to be.
#[derive(Debug, Clone)]
pub struct ExpectedValue {
    pub name: String,
    pub customer: String,
    /// As written; `None` is missing.
    pub value: Option<String>,
    pub name_span: Span,
    /// The customer's name in the spec.
    pub span: Span,
    /// The value's place; that of the customer's name where it is missing.
    pub value_span: Span,
}

/// Reads a spec. `None` where too little of it can be read.
pub fn load(sources: &Sources, id: SourceId, catalog: &Catalog, zone: &Zone) -> (Option<Spec>, Vec<Diagnostic>) {
    let Some(file) = sources.get(id) else {
        return (None, Vec::new());
    };
    let mut diagnostics = Vec::new();
    let spec = super::yaml::parse(file, &mut diagnostics).and_then(|node| {
        let mut reader = Reader::default();
        let raw = raw::Spec::read(&node, &mut reader);
        diagnostics.append(&mut reader.diagnostics);
        raw.map(|raw| spec(raw, file, catalog, zone, &mut diagnostics))
    });
    diagnostic::sort(&mut diagnostics);
    (spec, diagnostics)
}

/// Reads one timeline that stands by itself, as of the clock's instant.
pub fn timeline(source: &SourceFile, catalog: &Catalog, clock: &Clock) -> (Vec<EventRow>, Vec<Diagnostic>) {
    let mut reading = Reading { catalog, clock: clock.clone(), recorded: Vec::new(), diagnostics: Vec::new() };
    let rows = reading.timeline(source, Place { offset: Some(0), whole: Span::new(source.id, 0, source.text.len()) });
    diagnostic::sort(&mut reading.diagnostics);
    (rows, reading.diagnostics)
}

/// The JSON Schema of a spec.
pub fn schema() -> serde_json::Value {
    super::catalog::schema::of::<raw::Spec>()
}

/// What is known while a spec is read.
struct Reading<'a> {
    catalog: &'a Catalog,
    clock: Clock,
    recorded: Vec<RecordedName>,
    diagnostics: Vec<Diagnostic>,
}

/// Where a timeline stands in the YAML.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// Of its first byte; `None` where quotes and escapes keep its bytes from being told one by one.
    offset: Option<usize>,
    whole: Span,
}

impl Place {
    fn is_exact(self) -> bool {
        self.offset.is_some()
    }

    /// A span of the timeline as one of the YAML.
    fn of(self, span: Span) -> Span {
        match self.offset {
            Some(offset) => Span::new(self.whole.source, offset + span.start as usize, offset + span.end as usize),
            None => self.whole,
        }
    }
}

fn spec(raw: raw::Spec, file: &SourceFile, catalog: &Catalog, zone: &Zone, diagnostics: &mut Vec<Diagnostic>) -> Spec {
    let clock = Clock { as_of: 0, zone: zone.clone() };
    let mut reading = Reading { catalog, clock, recorded: Vec::new(), diagnostics: Vec::new() };
    if let Some(as_of) = reading.moment(&raw.as_of) {
        reading.clock.as_of = as_of;
    }
    let mut customers = Vec::new();
    for entry in &raw.customers.0 {
        let mut history = match &entry.value {
            Some(raw::Customer::Timeline(timeline)) => {
                History { events: reading.timeline_in(timeline, file), ..History::default() }
            }
            Some(raw::Customer::Record(record)) => reading.record(record, file),
            // Reported already; the name is known all the same.
            None => History::default(),
        };
        // Whoever a spec names is a customer, with nothing to show too: where there are profiles, everybody has one. Otherwise
        // `nothing` would be nobody, and no spec could say who `never purchased` means.
        if history.profile.is_none() && catalog.profile.is_some() {
            history.profile = Some(ProfileRow { created: None, attributes: vec![None; catalog.attributes().len()] });
        }
        customers.push((entry.name.value.clone(), history));
    }
    let names: BTreeSet<&str> = customers.iter().map(|(name, _)| name.as_str()).collect();
    let expect = raw.expect.iter().flat_map(|e| &e.0).map(|entry| {
        let written: &[Literal] = entry.value.as_ref().map_or(&[], |OneOrMany(ids)| ids);
        let members = reading.members(written, &names);
        Expectation { rule: entry.name.value.clone(), members, span: entry.name.span }
    });
    let expect: Vec<Expectation> = expect.collect();
    let mut values = Vec::new();
    for of in raw.values.iter().flat_map(|v| &v.0) {
        for entry in of.value.iter().flat_map(|Entries(entries)| entries) {
            reading.known(&entry.name.value, entry.name.span, &names);
            let Some(value) = &entry.value else { continue };
            values.push(ExpectedValue {
                name: of.name.value.clone(),
                customer: entry.name.value.clone(),
                value: value.as_ref().map(|l| l.0.value.clone()),
                name_span: of.name.span,
                span: entry.name.span,
                value_span: value.as_ref().map_or(entry.name.span, |l| l.0.span),
            });
        }
    }
    diagnostics.append(&mut reading.diagnostics);
    Spec { as_of: reading.clock.as_of, customers, expect, values, recorded: reading.recorded }
}

impl Reading<'_> {
    fn say(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    fn timeline_in(&mut self, written: &raw::Timeline, file: &SourceFile) -> Vec<EventRow> {
        let (text, offset) = placed(written, file);
        let source = SourceFile::new(file.id, file.name.clone(), text);
        self.timeline(&source, Place { offset, whole: written.span })
    }

    fn record(&mut self, raw: &raw::Record, file: &SourceFile) -> History {
        let mut history = History::default();
        for happening in raw.events.iter().flat_map(|e| &e.0) {
            let rows = match happening {
                raw::Happening::Timeline(timeline) => self.timeline_in(timeline, file),
                raw::Happening::Event(event) => self.long_event(event),
            };
            history.events.extend(rows);
        }
        let created = raw.created.as_ref().and_then(|c| self.moment(c));
        if raw.profile.is_some() || raw.created.is_some() {
            let mut attributes: Vec<Option<Datum>> = vec![None; self.catalog.attributes().len()];
            for entry in raw.profile.iter().flat_map(|p| &p.0) {
                self.attribute(entry, &mut attributes);
            }
            history.profile = Some(ProfileRow { created, attributes });
        }
        for name in raw.lists.iter().flat_map(|l| &l.0) {
            let lists = &self.catalog.lists;
            match lists.iter().position(|l| l.name.name == name.value) {
                Some(at) => {
                    history.lists.insert(ListId(u32::try_from(at).unwrap_or(u32::MAX)));
                }
                None => {
                    let names = || lists.iter().map(|l| l.name.name.as_str());
                    let message = format!("`{}` is no list of the catalog", name.value);
                    let d = Diagnostic::new(code::spec::PROPERTY, name.span, message);
                    let d = events::meant(d, name.span, nearest(&name.value, names()), names());
                    self.say(d);
                }
            }
        }
        history
    }

    fn attribute(
        &mut self,
        entry: &super::yaml::read::Entry<Option<OneOrMany<Literal>>>,
        attributes: &mut [Option<Datum>],
    ) {
        let all = self.catalog.attributes();
        let (name, span) = (&entry.name.value, entry.name.span);
        let Some(at) = all.iter().position(|a| a.name.name == *name) else {
            let names = || all.iter().map(|a| a.name.name.as_str());
            let d = Diagnostic::new(code::spec::PROPERTY, span, format!("`{name}` is no attribute of the catalog"));
            let d = events::meant(d, span, nearest(name, names()), names());
            self.say(d);
            return;
        };
        let (Some(attribute), Some(Some(written))) = (all.get(at), &entry.value) else {
            return;
        };
        let field = values::Field { name, ty: attribute.ty, known: attribute.known.as_ref() };
        match (self.written(&field, &written.0, span), attributes.get_mut(at)) {
            (Ok(datum), Some(slot)) => *slot = Some(datum),
            (Err(wrong), _) => self.say(*wrong),
            _ => {}
        }
    }

    /// The customers of an expectation, sorted.
    fn members(&mut self, written: &[Literal], names: &BTreeSet<&str>) -> Vec<String> {
        let mut members = BTreeSet::new();
        for Literal(id) in written {
            self.known(&id.value, id.span, names);
            if !members.insert(id.value.clone()) {
                let message = format!("`{}` stands here twice", id.value);
                self.say(
                    Diagnostic::new(code::yaml::DUPLICATE_KEY, id.span, message)
                        .label("again")
                        .help("remove one of the two"),
                );
            }
        }
        members.into_iter().collect()
    }

    fn known(&mut self, customer: &str, span: Span, names: &BTreeSet<&str>) {
        if !names.contains(customer) {
            let d = Diagnostic::new(code::spec::CUSTOMER, span, format!("`{customer}` is no customer of this spec"));
            let d = events::meant(d, span, nearest(customer, names.iter().copied()), names.iter().copied());
            self.say(d.help("every customer stands under `customers:`, with `nothing` if there is nothing to tell"));
        }
    }
}

/// The text of a timeline and where it begins in the file.
fn placed(written: &raw::Timeline, file: &SourceFile) -> (String, Option<usize>) {
    let start = written.span.start as usize;
    let slice = file.slice(written.span);
    if !written.quoted {
        // Several lines of plain text are one timeline: white space means nothing there.
        return (slice.to_owned(), Some(start));
    }
    match slice.get(1..slice.len().saturating_sub(1)) {
        Some(inner) if inner == written.text => (inner.to_owned(), Some(start + 1)),
        _ => (written.text.clone(), None),
    }
}
