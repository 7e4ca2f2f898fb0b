//! YAML to vocabulary.
//!
//! Owns: what makes a catalog sensible: references, names, types, known values, paths.
//! Promises: every mistake of a file is reported in one go, and none twice. What is broken is left out of the catalog and named
//! in [`Catalog::broken`], so that rules that use it need no message of their own.
//! Must not know: what Parquet files hold.

mod amounts;
mod channels;
mod destinations;
mod events;
mod gap;
mod identities;
mod project_file;
mod words;

use std::collections::HashMap;

use super::raw;
use super::*;
use crate::language::diagnostic::{Diagnostic, code, nearest};
use crate::language::source::{SourceId, Sources};
use crate::language::yaml::read::{At, Entries, Entry, Needed, Read, Reader};

pub use project_file::project;

/// What the project file has to say about how its catalog is read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Paths may leave the project.
    pub allow_outside: bool,
}

/// The catalog in this source. `None` where the text gives no catalog at all.
pub fn catalog(sources: &mut Sources, id: SourceId) -> (Option<Catalog>, Vec<Diagnostic>) {
    catalog_with(sources, id, Options::default())
}

/// The same, with what the project file says.
pub fn catalog_with(sources: &mut Sources, id: SourceId, options: Options) -> (Option<Catalog>, Vec<Diagnostic>) {
    let Some(file) = sources.get(id).cloned() else { return (None, Vec::new()) };
    let mut reader = Reader::default();
    let raw = crate::language::yaml::parse(&file, &mut reader.diagnostics)
        .and_then(|node| raw::Catalog::read(&node, &mut reader));
    let Some(raw) = raw else {
        return (None, finish(reader.diagnostics));
    };
    let mut loader = Loader {
        id,
        sources,
        options,
        diagnostics: reader.diagnostics,
        catalog: Catalog::default(),
        taken: HashMap::new(),
        taxonomies: HashMap::new(),
        guesses: 200,
    };
    loader.load(&raw);
    // Without knowing what is declared, no rule can be told that it uses something that is not.
    (Some(loader.catalog).filter(|_| raw.tells_names()), finish(loader.diagnostics))
}

fn finish(mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    crate::language::diagnostic::sort(&mut diagnostics);
    diagnostics
}

/// A catalog on its way from YAML to meaning.
struct Loader<'a> {
    id: SourceId,
    sources: &'a mut Sources,
    options: Options,
    diagnostics: Vec<Diagnostic>,
    catalog: Catalog,
    /// The one namespace: what each name is, and where it is declared.
    taken: HashMap<String, (&'static str, Span)>,
    /// `None` for a taxonomy with mistakes.
    taxonomies: HashMap<String, Option<Vec<KnownValue>>>,
    /// How many more "did you mean" are worth their time.
    guesses: u32,
}

/// What a reference leads to.
enum Found<T> {
    Good(T),
    /// Declared with mistakes, which have been reported.
    Broken,
    /// Not declared; reported now.
    Unknown,
}

impl Loader<'_> {
    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    fn load(&mut self, raw: &raw::Catalog) {
        for entry in entries(&raw.sources) {
            self.source(entry);
        }
        for entry in entries(&raw.lookups) {
            self.lookup(entry);
        }
        for entry in entries(&raw.taxonomies) {
            let before = self.diagnostics.len();
            let values = entry.value.as_ref().map(|branches| taxonomy::flatten(branches, &mut self.diagnostics));
            let good = !entry.broken && self.diagnostics.len() == before;
            self.taxonomies.insert(entry.name.value.clone(), values.filter(|_| good));
        }
        for entry in needed(&raw.events) {
            self.event(entry, raw);
        }
        if let Some(Needed(Some(profiles))) = &raw.profiles {
            self.profiles(profiles);
        }
        for entry in needed(&raw.lists) {
            self.list(entry);
        }
        if let Some(identities) = &raw.identities {
            self.identities(identities);
        }
        self.catalog.suppression = self.suppression(raw.suppression.as_ref());
        for entry in entries(&raw.channels) {
            self.channel(entry);
        }
        for entry in entries(&raw.actions) {
            self.action(entry, raw);
        }
        self.offers(raw);
        for entry in entries(&raw.destinations) {
            self.destination(entry);
        }
        self.population(raw);
        self.session_gap(raw.session_gap.as_ref());
    }

    fn source(&mut self, entry: &Entry<raw::Source>) {
        let Some(source) = &entry.value else { return };
        self.path(source.path.0.as_ref());
        self.zone(source.timezone.as_ref());
        for column in [source.customer.0.as_ref(), source.time.0.as_ref(), source.event.as_ref()] {
            self.column(column);
        }
        let raw::Source {
            path: Needed(Some(path)), customer: Needed(Some(customer)), time: Needed(Some(time)), ..
        } = source
        else {
            return;
        };
        self.catalog.sources.push(SourceTable {
            name: named(&entry.name),
            path: path.value.clone(),
            path_span: path.span,
            customer: customer.value.clone(),
            time: time.value.clone(),
            time_unit: source.time_unit.as_ref().map(unit),
            timezone: value(source.timezone.as_ref()),
            event: value(source.event.as_ref()),
        });
    }

    fn lookup(&mut self, entry: &Entry<raw::Lookup>) {
        let Some(lookup) = &entry.value else { return };
        self.path(lookup.path.0.as_ref());
        self.column(lookup.key.0.as_ref());
        if let raw::Lookup { path: Needed(Some(path)), key: Needed(Some(key)) } = lookup {
            self.catalog.lookups.push(Lookup {
                name: named(&entry.name),
                path: path.value.clone(),
                path_span: path.span,
                key: key.value.clone(),
            });
        }
    }

    fn profiles(&mut self, profiles: &raw::Profiles) {
        self.path(profiles.path.0.as_ref());
        self.zone(profiles.timezone.as_ref());
        for column in [profiles.customer.0.as_ref(), profiles.created.as_ref(), profiles.updated_at.as_ref()] {
            self.column(column);
        }
        let mut attributes = Vec::new();
        for entry in needed(&profiles.attributes) {
            let free = self.declare(&entry.name, "an attribute", &[]);
            match entry.value.as_ref().and_then(|a| self.attribute(&entry.name, a, entry.broken)) {
                Some(attribute) if free && !entry.broken => attributes.push(attribute),
                _ => self.broken(&entry.name),
            }
        }
        let path = profiles.path.0.as_ref();
        self.catalog.profile = Some(Profile {
            path: value(path).unwrap_or_default(),
            path_span: path.map_or(Span::new(self.id, 0, 0), |p| p.span),
            customer: value(profiles.customer.0.as_ref()).unwrap_or_default(),
            created: value(profiles.created.as_ref()),
            updated_at: value(profiles.updated_at.as_ref()),
            timezone: value(profiles.timezone.as_ref()),
            attributes,
        });
        let zone = profiles.zone.as_ref();
        self.catalog.zone = zone.and_then(|name| self.attribute_of(name, Type::Text, "a time zone is a name"));
    }

    fn attribute(&mut self, name: &At<String>, a: &raw::Attribute, broken: bool) -> Option<Attribute> {
        let before = self.diagnostics.len();
        self.column(a.column.as_ref());
        let spec = words::ValueSpec {
            name,
            broken,
            r#type: a.r#type.0.as_ref(),
            scale: a.scale.as_ref(),
            known: a.known.as_deref(),
            taxonomy: a.taxonomy.as_ref(),
            closed: a.closed.as_ref(),
            case: a.case.as_ref(),
            empty: a.empty.as_ref(),
        };
        let values = self.values(&spec)?;
        (self.diagnostics.len() == before).then(|| Attribute {
            name: named(name),
            description: value(a.description.as_ref()),
            ty: values.ty,
            column: a.column.as_ref().unwrap_or(name).value.clone(),
            known: values.known,
            fold: values.fold,
            empty_is_value: values.empty_is_value,
            pii: a.pii.as_ref().is_some_and(|p| p.value),
        })
    }

    fn list(&mut self, entry: &Entry<raw::List>) {
        let before = self.diagnostics.len();
        let free = self.declare(&entry.name, "a list", &[]);
        let list = entry.value.as_ref();
        let path = list.and_then(|l| l.path.0.as_ref());
        self.path(path);
        self.column(list.and_then(|l| l.column.as_ref()));
        if let (Some(list), Some(path)) = (list, path) {
            self.list_file(&entry.name, path, list.column.as_ref());
        }
        match path {
            Some(path) if free && !entry.broken && self.diagnostics.len() == before => self.catalog.lists.push(List {
                name: named(&entry.name),
                path: path.value.clone(),
                path_span: path.span,
                column: value(list.and_then(|l| l.column.as_ref())),
            }),
            _ => self.broken(&entry.name),
        }
    }

    fn list_file(&mut self, name: &At<String>, path: &At<String>, column: Option<&At<String>>) {
        let lower = path.value.to_ascii_lowercase();
        let kind = [".csv", ".txt", ".parquet"].into_iter().find(|e| lower.ends_with(e));
        match (kind, column) {
            (None, _) => self.report(
                Diagnostic::new(code::yaml::PATH, path.span, "a list is a `.csv`, `.txt` or `.parquet` file")
                    .label("the end of the name says how it is read"),
            ),
            (Some(".parquet"), None) => self.report(
                Diagnostic::new(code::yaml::MISSING_KEY, name.span, "a list in a `.parquet` file lacks `column`")
                    .help("add `column:` with the column of the ids"),
            ),
            (Some(".txt"), Some(column)) => self.report(
                Diagnostic::new(code::yaml::MISPLACED, column.span, "a `.txt` list has no columns")
                    .label("it holds one id a line")
                    .help("remove `column:`, or use a `.csv` file"),
            ),
            _ => {}
        }
    }

    fn action(&mut self, entry: &Entry<Option<raw::Action>>, raw: &raw::Catalog) {
        self.shape(&entry.name, "an action", &[]);
        let channel = entry.value.as_ref().and_then(Option::as_ref).and_then(|a| a.channel.as_ref());
        let channel = channel.and_then(|name| match self.find(entries(&raw.channels), name, "channel") {
            Found::Good(_) | Found::Broken => self.catalog.channels.iter().position(|c| c.name.name == name.value),
            Found::Unknown => None,
        });
        self.catalog.actions.push(ActionDef { name: named(&entry.name), channel });
    }

    fn offers(&mut self, raw: &raw::Catalog) {
        for offer in raw.offers.iter().flatten() {
            if let Some(first) = self.catalog.offers.iter().find(|o| o.name == offer.value) {
                let first = first.span;
                self.report(
                    Diagnostic::new(
                        code::yaml::DUPLICATE_KEY,
                        offer.span,
                        format!("offer `{}` stands here twice", offer.value),
                    )
                    .label("again")
                    .also(first, "first here")
                    .help("remove one of the two"),
                );
            } else {
                self.catalog.offers.push(named(offer));
            }
        }
    }

    fn population(&mut self, raw: &raw::Catalog) {
        let Some(population) = &raw.population else { return };
        self.catalog.population = match population.value {
            raw::Population::All => Population { profiles: true, events: true },
            raw::Population::Profiles => Population { profiles: true, events: false },
            raw::Population::Events => Population { profiles: false, events: true },
        };
        if population.value == raw::Population::Profiles && raw.profiles.is_none() {
            self.report(
                Diagnostic::new(
                    code::yaml::MISPLACED,
                    population.span,
                    "the population is `profiles`, and there are no `profiles:`",
                )
                .label("nobody would be in it")
                .help("declare `profiles:`, or write `population: events`"),
            );
        }
    }

    /// Finds what a name in the YAML refers to.
    fn find<'e, T>(&mut self, among: &'e [Entry<T>], name: &At<String>, what: &str) -> Found<&'e T> {
        match among.iter().find(|e| e.name.value == name.value) {
            Some(Entry { value: Some(value), broken: false, .. }) => Found::Good(value),
            Some(_) => Found::Broken,
            None => {
                let names: Vec<&str> = among.iter().map(|e| e.name.value.as_str()).collect();
                let d = unknown(what, name, &names, &mut self.guesses);
                self.report(d);
                Found::Unknown
            }
        }
    }

    fn broken(&mut self, name: &At<String>) {
        self.catalog.broken.entry(crate::language::text::nfc(&name.value)).or_insert(name.span);
    }
}

/// `name` refers to nothing.
fn unknown(what: &str, name: &At<String>, names: &[&str], guesses: &mut u32) -> Diagnostic {
    *guesses = guesses.saturating_sub(1);
    let d = Diagnostic::new(code::yaml::REFERENCE, name.span, format!("there is no {what} `{}`", name.value));
    match Some(names).filter(|_| *guesses > 0).and_then(|names| nearest(&name.value, names.iter().copied())) {
        Some(meant) => d
            .label(format!("did you mean `{meant}`?"))
            .fix(format!("write `{meant}`"), vec![(name.span, meant.to_owned())]),
        None if names.is_empty() => d.help(format!("declare the {what} first; this catalog has none")),
        None => d.help(format!("declare it, or use one of {}", list(names))),
    }
}

fn list(names: &[&str]) -> String {
    const SHOWN: usize = 12;
    let mut out = names.iter().take(SHOWN).map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        out.push_str(&format!(" and {} more", names.len() - SHOWN));
    }
    out
}

fn entries<T>(entries: &Option<Entries<T>>) -> &[Entry<T>] {
    entries.as_ref().map_or(&[], |e| &e.0)
}

fn needed<T>(all: &Option<Needed<Entries<T>>>) -> &[Entry<T>] {
    all.as_ref().and_then(|n| n.0.as_ref()).map_or(&[], |e| &e.0)
}

fn named(name: &At<String>) -> Named {
    Named { name: crate::language::text::nfc(&name.value), span: name.span }
}

fn unit(unit: &At<raw::TimeUnit>) -> TimeUnit {
    match unit.value {
        raw::TimeUnit::Second => TimeUnit::Second,
        raw::TimeUnit::Millisecond => TimeUnit::Millisecond,
        raw::TimeUnit::Microsecond => TimeUnit::Microsecond,
        raw::TimeUnit::Nanosecond => TimeUnit::Nanosecond,
    }
}

fn value(text: Option<&At<String>>) -> Option<String> {
    text.map(|t| t.value.clone())
}
