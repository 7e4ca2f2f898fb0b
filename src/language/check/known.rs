//! Known values: which of them a written word stands for.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::language::catalog::{AttributeId, Catalog, EventId, KnownValue, KnownValues, PropertyId};
use crate::language::source::{SourceId, Span};
use crate::language::text::plain;

/// What a word stands for among known values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    One(usize),
    /// It differs from each of these in case or accents only.
    Several(Vec<usize>),
    Nothing,
}

/// The known values of one property or attribute, indexed.
#[derive(Debug)]
pub(super) struct KnownIndex<'a> {
    values: Cow<'a, KnownValues>,
    exact: HashMap<String, usize>,
    plain: HashMap<String, Vec<usize>>,
    parents: Vec<bool>,
}

impl<'a> KnownIndex<'a> {
    fn new(values: Cow<'a, KnownValues>) -> Self {
        let mut exact = HashMap::new();
        let mut loose: HashMap<String, Vec<usize>> = HashMap::new();
        let mut parents = vec![false; values.values.len()];
        for (i, value) in values.values.iter().enumerate() {
            exact.insert(value.text.clone(), i);
            if let Some(has_children) = value.parent.and_then(|p| parents.get_mut(p)) {
                *has_children = true;
            }
        }
        for (i, value) in values.values.iter().enumerate() {
            for alias in &value.aliases {
                exact.entry(alias.clone()).or_insert(i);
            }
            for word in std::iter::once(&value.text).chain(&value.aliases) {
                let same = loose.entry(plain(word)).or_default();
                if !same.contains(&i) {
                    same.push(i);
                }
            }
        }
        KnownIndex { values, exact, plain: loose, parents }
    }

    pub fn closed(&self) -> bool {
        self.values.closed
    }

    /// The value that a word stands for: exactly, or by an alias, or (for a bare word) up to case and accents.
    pub fn find(&self, word: &str, quoted: bool) -> Found {
        if let Some(&i) = self.exact.get(word) {
            return Found::One(i);
        }
        if quoted {
            return Found::Nothing;
        }
        match self.plain.get(&plain(word)).map(Vec::as_slice) {
            None | Some([]) => Found::Nothing,
            Some([one]) => Found::One(*one),
            Some(several) => Found::Several(several.to_vec()),
        }
    }

    pub fn text(&self, index: usize) -> &str {
        self.values.values.get(index).map_or("", |v| v.text.as_str())
    }

    /// The value and what nests inside it.
    pub fn expand(&self, index: usize) -> Vec<&str> {
        if self.parents.get(index) == Some(&true) {
            self.values.with_descendants(index)
        } else {
            vec![self.text(index)]
        }
    }

    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.values.values.iter().map(|v| v.text.as_str())
    }

    /// All values and aliases, for suggestions.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.values.values.iter().flat_map(|v| std::iter::once(&v.text).chain(&v.aliases)).map(String::as_str)
    }
}

/// The known values of the whole catalog.
#[derive(Debug)]
pub(super) struct KnownTable<'a> {
    events: Vec<Vec<Option<KnownIndex<'a>>>>,
    attributes: Vec<Option<KnownIndex<'a>>>,
    weekdays: KnownIndex<'a>,
}

impl<'a> KnownTable<'a> {
    pub fn new(catalog: &'a Catalog) -> Self {
        let index = |k: &'a Option<KnownValues>| k.as_ref().map(|k| KnownIndex::new(Cow::Borrowed(k)));
        KnownTable {
            events: catalog.events.iter().map(|e| e.properties.iter().map(|p| index(&p.known)).collect()).collect(),
            attributes: catalog.attributes().iter().map(|a| index(&a.known)).collect(),
            weekdays: KnownIndex::new(Cow::Owned(weekdays())),
        }
    }

    pub fn property(&self, event: EventId, property: PropertyId) -> Option<&KnownIndex<'a>> {
        self.events.get(event.index())?.get(property.index())?.as_ref()
    }

    pub fn attribute(&self, attribute: AttributeId) -> Option<&KnownIndex<'a>> {
        self.attributes.get(attribute.index())?.as_ref()
    }

    pub fn weekdays(&self) -> &KnownIndex<'a> {
        &self.weekdays
    }
}

fn weekdays() -> KnownValues {
    let nowhere = Span::new(SourceId(0), 0, 0);
    let day = |(text, alias): (&str, &str)| KnownValue {
        text: text.to_owned(),
        aliases: vec![alias.to_owned()],
        parent: None,
        span: nowhere,
    };
    let days = [
        ("mon", "monday"),
        ("tue", "tuesday"),
        ("wed", "wednesday"),
        ("thu", "thursday"),
        ("fri", "friday"),
        ("sat", "saturday"),
        ("sun", "sunday"),
    ];
    KnownValues { closed: true, values: days.into_iter().map(day).collect() }
}
