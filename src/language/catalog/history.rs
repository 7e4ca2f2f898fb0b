//! What runs leave behind, as events of a source that no catalog declares.
//!
//! Owns: the built-in events of published memberships and of contacts. Promises: they stand behind all declared ones, so that every
//! declared id stays what it is; only the words `entered`, `left`, `member of`, `contacted` and `held out` lead to them.
//! Must not know: where the history is kept.

use super::{
    Catalog, ColumnRef, Event, EventId, Named, Property, PropertyId, RawMatch, SourceTable, SourceTableId, Type,
};
use crate::language::source::{SourceId, Span};
use crate::language::syntax::ast::RecordedWhat;

/// What the source is called in messages.
pub const HISTORY: &str = "history of runs";

/// The property of every built-in event: the segment or campaign.
pub const NAME: PropertyId = PropertyId(0);

/// The built-in events, in their order.
const EVENTS: [RecordedWhat; 4] =
    [RecordedWhat::Entered, RecordedWhat::Left, RecordedWhat::Contacted, RecordedWhat::HeldOut];

impl Catalog {
    /// The built-in event of a word.
    pub fn recorded(&self, what: RecordedWhat) -> EventId {
        let place = EVENTS.iter().position(|event| *event == what).unwrap_or_default();
        EventId(u32::try_from(self.declared_events() + place).unwrap_or(u32::MAX))
    }

    /// Whether the event is a built-in one.
    pub fn is_recorded(&self, event: EventId) -> bool {
        (self.declared_events()..self.declared_events() + EVENTS.len()).contains(&event.index())
    }

    /// How many events the catalog itself declares.
    pub fn declared_events(&self) -> usize {
        self.events.len() - if self.history.is_some() { EVENTS.len().min(self.events.len()) } else { 0 }
    }

    /// The catalog with the built-in events and their source, for a program that asks for them.
    pub fn with_history(&self) -> Catalog {
        let mut catalog = self.clone();
        if catalog.history.is_some() {
            return catalog;
        }
        let source = SourceTableId(u32::try_from(catalog.sources.len()).unwrap_or(u32::MAX));
        catalog.sources.push(SourceTable {
            name: named(HISTORY),
            path: String::new(),
            path_span: nowhere(),
            customer: "customer".to_owned(),
            time: "at".to_owned(),
            time_unit: None,
            timezone: None,
            event: Some("event".to_owned()),
        });
        catalog.events.extend(EVENTS.iter().map(|what| event(*what, source)));
        catalog.history = Some(source);
        catalog
    }
}

fn event(what: RecordedWhat, source: SourceTableId) -> Event {
    let name = Property {
        name: named("name"),
        description: None,
        ty: Type::Text,
        column: ColumnRef::Own("name".to_owned()),
        known: None,
        fold: false,
        empty_is_value: false,
        pii: false,
    };
    Event {
        name: named(what.words()),
        description: None,
        source,
        raw: RawMatch::Names { exact: vec![what.words().to_owned()], prefixes: Vec::new() },
        aliases: Vec::new(),
        filter: None,
        event_id: None,
        subject: Vec::new(),
        properties: vec![name],
        session: false,
    }
}

fn named(name: &str) -> Named {
    Named { name: name.to_owned(), span: nowhere() }
}

/// Built-in things have no place in any text.
fn nowhere() -> Span {
    Span::new(SourceId(0), 0, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_events_stand_behind_the_declared_ones() {
        let mut catalog = Catalog::default();
        catalog.events.push(event(RecordedWhat::Left, SourceTableId(0)));
        let with = catalog.with_history();
        assert_eq!((with.declared_events(), with.events.len()), (1, 5));
        for what in EVENTS {
            let id = catalog.recorded(what);
            assert_eq!(id, with.recorded(what));
            assert!(catalog.is_recorded(id) && with.is_recorded(id));
            assert_eq!(with.event(id).map(|e| e.name.name.as_str()), Some(what.words()));
        }
        assert!(!with.is_recorded(EventId(0)) && !with.is_recorded(EventId(5)));
        assert_eq!(with.with_history().events.len(), 5);
    }
}
