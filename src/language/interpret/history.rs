//! What is known about one customer, as the interpreter and the spec reader see it.
//!
//! Owns: plain data. Promises: nothing about order; files and readers may hold events in any order.
//! Must not know: files, Arrow, DataFusion.

use std::collections::BTreeSet;

use crate::language::catalog::{EventId, ListId};

/// Who a customer is. Ids are whole numbers where all of a project's are, and are ordered as numbers; otherwise all are text, and
/// are ordered by code point.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CustomerId {
    Number(i64),
    Text(String),
}

impl std::fmt::Display for CustomerId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            CustomerId::Number(n) => write!(f, "{n}"),
            CustomerId::Text(t) => f.write_str(t),
        }
    }
}

/// One value of a property or attribute, in the representation of its catalog type.
#[derive(Debug, Clone, PartialEq)]
pub enum Datum {
    Text(String),
    Integer(i64),
    /// Units of 10^-scale, scale as in the catalog's `Type::Money`.
    Money(i64),
    /// May be NaN (which is missing).
    Number(f64),
    YesNo(bool),
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds since 1970-01-01T00:00Z.
    Instant(i64),
    TextList(Vec<String>),
}

/// One row that the catalog names as an event (its filter not yet applied).
#[derive(Debug, Clone, PartialEq)]
pub struct EventRow {
    pub event: EventId,
    /// Microseconds since 1970-01-01T00:00Z.
    pub time: i64,
    /// One entry a property of the event, in the catalog's order; `None` is null.
    pub properties: Vec<Option<Datum>>,
    /// The value of the catalog's `event_id` column, where the event has one.
    pub event_id: Option<String>,
}

/// The profile row of a customer.
#[derive(Debug, Clone, PartialEq)]
pub struct ProfileRow {
    /// Microseconds since 1970-01-01T00:00Z; `None` where the catalog names no creation column or it is null.
    pub created: Option<i64>,
    /// One entry an attribute, in the catalog's order.
    pub attributes: Vec<Option<Datum>>,
}

/// Everything about one customer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    pub events: Vec<EventRow>,
    pub profile: Option<ProfileRow>,
    pub lists: BTreeSet<ListId>,
}
