//! Events: what customers do, and which rows say so.

use super::words::ValueSpec;
use super::{Found, Loader, entries, named, value};
use crate::language::catalog::raw;
use crate::language::catalog::{
    ColumnRef, Event, LookupId, Property, PropertyId, RawMatch, SourceTableId, Type, names,
};
use crate::language::diagnostic::{Diagnostic, code, has_errors, nearest};
use crate::language::source::SourceFile;
use crate::language::syntax;
use crate::language::syntax::ast::Expr;
use crate::language::yaml::read::{At, Entry};

impl Loader<'_> {
    pub(super) fn event(&mut self, entry: &Entry<raw::Event>, raw: &raw::Catalog) {
        let before = self.diagnostics.len();
        let own = self.declare(&entry.name, "an event", &[names::EVENT_OPENERS]);
        let Some(event) = &entry.value else {
            self.broken(&entry.name);
            return;
        };
        let mut aliases = Vec::new();
        for alias in event.aliases.iter().flat_map(|a| &a.0) {
            if self.declare(alias, "an alias", &[names::EVENT_OPENERS]) {
                aliases.push(named(alias));
            }
        }
        let built = self.event_of(entry, event, aliases, raw);
        match built {
            Some(built) if own && !entry.broken && self.diagnostics.len() == before => self.catalog.events.push(built),
            _ => {
                self.broken(&entry.name);
                for alias in event.aliases.iter().flat_map(|a| &a.0) {
                    self.broken(alias);
                }
            }
        }
    }

    fn event_of(
        &mut self,
        entry: &Entry<raw::Event>,
        event: &raw::Event,
        aliases: Vec<crate::language::catalog::Named>,
        raw: &raw::Catalog,
    ) -> Option<Event> {
        self.column(event.event_id.as_ref());
        let name = event.source.0.as_ref();
        let source = name.map(|name| self.find(entries(&raw.sources), name, "source"));
        let has_kinds = match source {
            Some(Found::Good(source)) => Some(source.event.is_some()),
            _ => None,
        };
        let matches = self.raw_match(entry, event, has_kinds);
        let mut broken = !matches!(source, Some(Found::Good(_)));
        let mut properties = Vec::new();
        let written = entries(&event.properties);
        for property in written {
            self.shape(&property.name, "a property", &[]);
            match property.value.as_ref().map(|p| self.property(property, p, raw)) {
                Some(Some(property)) => properties.push(property),
                _ => broken = true,
            }
        }
        let subject = self.subject(event, written, &properties);
        let filter = event.filter.as_ref().and_then(|f| self.filter(entry, f));
        if broken {
            return None;
        }
        let name = named(name?).name;
        let source = self.catalog.sources.iter().position(|s| s.name.name == name)?;
        Some(Event {
            name: named(&entry.name),
            description: value(event.description.as_ref()),
            source: SourceTableId(u32::try_from(source).ok()?),
            raw: matches,
            aliases,
            filter,
            event_id: value(event.event_id.as_ref()),
            subject,
            properties,
            session: event.session.as_ref().is_some_and(|s| s.value),
        })
    }

    /// Which rows of the source are this event. `has_kinds` says whether the source has a column of raw names, if that is known.
    fn raw_match(&mut self, entry: &Entry<raw::Event>, event: &raw::Event, has_kinds: Option<bool>) -> RawMatch {
        let Some(raw) = &event.raw else {
            return match has_kinds {
                Some(false) => RawMatch::All,
                _ => RawMatch::Names { exact: vec![entry.name.value.clone()], prefixes: Vec::new() },
            };
        };
        let (mut exact, mut prefixes) = (Vec::new(), Vec::new());
        for one in &raw.0 {
            let (text, into) = match one {
                raw::Raw::Name(name) => (&name.0, &mut exact),
                raw::Raw::Prefix(prefix) => (&prefix.prefix, &mut prefixes),
            };
            if text.value.is_empty() {
                self.diagnostics
                    .push(Diagnostic::new(code::yaml::KNOWN_VALUE, text.span, "an empty raw name").help(
                        "for a source whose rows are all one event, leave out `event:` of the source and `raw:`",
                    ));
            } else if into.contains(&text.value) {
                self.diagnostics.push(
                    Diagnostic::new(
                        code::yaml::DUPLICATE_KEY,
                        text.span,
                        format!("`{}` stands here twice", text.value),
                    )
                    .label("again")
                    .help("remove one of the two"),
                );
            } else {
                into.push(text.value.clone());
            }
            if has_kinds == Some(false) {
                self.diagnostics.push(
                    Diagnostic::new(
                        code::yaml::MISPLACED,
                        text.span,
                        "the source of this event has no column of raw names",
                    )
                    .label("all its rows are this event")
                    .help("remove `raw:`, or give the source `event:` with the column of the raw names"),
                );
            }
        }
        if raw.0.is_empty() {
            self.diagnostics.push(
                Diagnostic::new(
                    code::yaml::MISSING_KEY,
                    entry.name.span,
                    format!("`raw` of `{}` names nothing", entry.name.value),
                )
                .help("write the raw names, or remove `raw:` if the data says it with the event's own name"),
            );
        }
        RawMatch::Names { exact, prefixes }
    }

    fn property(&mut self, entry: &Entry<raw::Property>, p: &raw::Property, raw: &raw::Catalog) -> Option<Property> {
        let name = &entry.name;
        for column in [&p.column, &p.on].into_iter().flatten() {
            self.column(Some(column));
        }
        let spec = ValueSpec {
            name,
            broken: entry.broken,
            r#type: p.r#type.0.as_ref(),
            scale: p.scale.as_ref(),
            known: p.known.as_deref(),
            taxonomy: p.taxonomy.as_ref(),
            closed: p.closed.as_ref(),
            case: p.case.as_ref(),
            empty: p.empty.as_ref(),
        };
        let values = self.values(&spec);
        let column = p.column.as_ref().unwrap_or(name).value.clone();
        let column = match &p.lookup {
            Some(lookup) => match self.find(entries(&raw.lookups), lookup, "look-up") {
                Found::Good(table) => {
                    let name = named(lookup).name;
                    let at = self.catalog.lookups.iter().position(|l| l.name.name == name)?;
                    let on = p.on.as_ref().or(table.key.0.as_ref())?.value.clone();
                    Some(ColumnRef::Lookup { lookup: LookupId(u32::try_from(at).ok()?), on, column })
                }
                _ => None,
            },
            None => {
                if let Some(on) = &p.on {
                    self.report(
                        Diagnostic::new(code::yaml::MISPLACED, on.span, "`on` without `lookup`")
                            .label("nothing is looked up by this column")
                            .help("add `lookup:` with the table that has the property, or remove `on:`"),
                    );
                }
                Some(ColumnRef::Own(column))
            }
        };
        let (values, column) = (values?, column?);
        Some(Property {
            name: named(name),
            description: value(p.description.as_ref()),
            ty: values.ty,
            column,
            known: values.known,
            fold: values.fold,
            empty_is_value: values.empty_is_value,
            pii: p.pii.as_ref().is_some_and(|p| p.value),
        })
    }

    fn subject(
        &mut self,
        event: &raw::Event,
        written: &[Entry<raw::Property>],
        properties: &[Property],
    ) -> Vec<PropertyId> {
        let mut out = Vec::new();
        for name in event.subject.iter().flat_map(|s| &s.0) {
            let text = named(name).name;
            let Some(at) = properties.iter().position(|p| p.name.name == text) else {
                if !written.iter().any(|p| p.name.value == name.value) {
                    let names: Vec<&str> = written.iter().map(|p| p.name.value.as_str()).collect();
                    let d = super::unknown("property", name, &names, &mut self.guesses);
                    self.report(d);
                }
                continue;
            };
            let id = PropertyId(u32::try_from(at).unwrap_or(u32::MAX));
            if let Some(property) = properties.get(at)
                && property.ty != Type::Text
            {
                let (ty, span) = (property.ty.in_words(), property.name.span);
                let texts = properties.iter().filter(|p| p.ty == Type::Text).map(|p| p.name.name.as_str());
                let mut d =
                    Diagnostic::new(code::yaml::KIND, name.span, format!("the subject `{}` is not text", name.value))
                        .label("a subject is matched as text")
                        .also(span, format!("it is {ty} here"))
                        .help("remove it from `subject:`; rules can ask for it in `where (…)`");
                if let Some(meant) = nearest(&name.value, texts) {
                    d = d.fix(format!("write `{meant}`"), vec![(name.span, meant.to_owned())]);
                }
                self.report(d);
            } else if out.contains(&id) {
                self.report(
                    Diagnostic::new(
                        code::yaml::DUPLICATE_KEY,
                        name.span,
                        format!("`{}` stands here twice", name.value),
                    )
                    .label("again")
                    .help("remove one of the two"),
                );
            } else {
                out.push(id);
            }
        }
        out
    }

    /// Parses a filter. Where the YAML has its text as it is, its places are places in the YAML; otherwise (escapes, several
    /// lines) it becomes a source of its own.
    fn filter(&mut self, entry: &Entry<raw::Event>, text: &At<String>) -> Option<Expr> {
        let file = self.sources.get(self.id)?;
        let start = text.span.start as usize;
        let quote = usize::from(file.slice(text.span).starts_with(['"', '\'']));
        let from = start + quote;
        let as_it_is = from < MAX_PADDING && file.text.get(from..).is_some_and(|t| t.starts_with(text.value.as_str()));
        let (condition, found) = if as_it_is {
            let padded = " ".repeat(from) + &text.value;
            syntax::parse_condition(&SourceFile::new(file.id, file.name.clone(), padded))
        } else {
            let name = format!("{}: filter of {}", file.name, entry.name.value);
            let id = self.sources.add(name, text.value.as_str());
            syntax::parse_condition(self.sources.get(id)?)
        };
        let good = !has_errors(&found);
        self.diagnostics.extend(found);
        good.then_some(condition)
    }
}

/// How far into the file a filter may stand to be padded up to its place. It bounds the work on files with many filters.
const MAX_PADDING: usize = 64 << 10;
