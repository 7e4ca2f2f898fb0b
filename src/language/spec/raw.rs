//! The YAML of a spec as it is written.
//!
//! Owns: every key of a spec; each record is the struct, its reader and its JSON Schema in one.
//! Must not know: whether what is written makes sense.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::language::source::Span;
use crate::language::yaml::read::{At, Entries, Literal, OneOrMany, Read, Reader, Text, record};
use crate::language::yaml::{Kind, Node};

record! {
    /// An executable example: what customers did, and who has to be in which audience.
    pub struct Spec("a spec") {
        /// The instant at which rules are asked: a date (its first instant) or `2026-11-21T08:00`.
        pub as_of: Literal,
        /// What each customer did: a timeline in one line, or a record.
        pub customers: Entries<Customer>,
        /// Who has to be in each audience, and nobody else: `lapsed: [ana]`. A stage is an audience: `journey.decision: [ana]`.
        pub expect: Option<Entries<OneOrMany<Literal>>>,
        /// What each trait has to be, by customer: `spend: {ana: 12.50, eve: null}`. Null is missing. Of stages, the stage: `journey: {ana: decision}`.
        pub values: Option<Entries<Entries<Option<Literal>>>>,
    }

    /// A customer in full.
    pub struct Record("a customer") {
        /// Timelines and events.
        pub events: Option<OneOrMany<Happening>>,
        /// The attributes of the profile, by name. What is not said is missing. Everybody in a spec has a profile where the catalog names profiles.
        pub profile: Option<Entries<Option<OneOrMany<Literal>>>>,
        /// When the profile was created: a date or an instant.
        pub created: Option<Literal>,
        /// The lists that name this customer.
        pub lists: Option<OneOrMany<Text>>,
    }

    /// One event in full.
    pub struct Event("an event") {
        /// Its name or alias.
        pub event: Text,
        /// When it was: a date (its first instant) or an instant.
        pub at: Option<Literal>,
        /// How long before the as-of instant it was: `80d`.
        pub ago: Option<Literal>,
        /// How often; once where unsaid.
        pub times: Option<At<u8>>,
        /// Its `event_id`.
        pub id: Option<Literal>,
        /// Its properties, by name. Null is missing.
        pub with: Option<Entries<Option<OneOrMany<Literal>>>>,
    }
}

/// Text in the language of timelines: `purchased anti-aging 80d ago, 50d ago x3; open at 2026-11-01T10:00`, or `nothing`.
#[derive(Debug, Clone)]
pub struct Timeline {
    pub text: String,
    pub quoted: bool,
    pub span: Span,
}

impl Read for Timeline {
    const WHAT: &'static str = "a timeline";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        match &node.kind {
            Kind::Scalar { text, quoted } => Some(Timeline { text: text.clone(), quoted: *quoted, span: node.span }),
            _ => {
                reader.expected(node, Self::WHAT);
                None
            }
        }
    }
}

impl JsonSchema for Timeline {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Timeline".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "`purchased anti-aging 80d ago, 50d ago x3; open at 2026-11-01T10:00`, or `nothing`",
        })
    }
}

/// Some events: a timeline, or one event in full.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(untagged)]
pub enum Happening {
    Timeline(Timeline),
    Event(Box<Event>),
}

impl Read for Happening {
    const WHAT: &'static str = "a timeline or an event";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        match node.kind {
            Kind::Map(_) => Event::read(node, reader).map(|e| Happening::Event(Box::new(e))),
            _ => Timeline::read(node, reader).map(Happening::Timeline),
        }
    }
}

/// A customer: a timeline, or a record.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(untagged)]
pub enum Customer {
    Timeline(Timeline),
    Record(Box<Record>),
}

impl Read for Customer {
    const WHAT: &'static str = "a timeline (`nothing` if there is none) or a record";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        match node.kind {
            Kind::Map(_) => Record::read(node, reader).map(|r| Customer::Record(Box::new(r))),
            Kind::Scalar { .. } => Timeline::read(node, reader).map(Customer::Timeline),
            _ => {
                reader.expected(node, Self::WHAT);
                None
            }
        }
    }
}
