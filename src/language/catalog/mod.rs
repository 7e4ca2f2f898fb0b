//! The vocabulary: what the words of a project mean, and where the data is.
//!
//! Owns: the semantic catalog that the checker, the interpreter and the engine read.
//! Promises: every id inside is valid; names are unique where LANGUAGE says one namespace; known values are NFC; a taxonomy has no loop.
//! Must not know: DataFusion. It names columns and paths, and never opens them.

use std::collections::BTreeMap;

use super::num::Num;
use super::source::Span;
use super::syntax::ast::Expr;

mod destination;
pub mod history;
pub mod load;
pub mod names;
mod project_file;
pub mod raw;
pub mod schema;
mod taxonomy;

pub use destination::{Address, Destination, Files, Mode, SecretRef, To};
pub use project_file::{Audits, Level, ProjectFile};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u32);
        impl $name {
            pub fn index(self) -> usize { self.0 as usize }
        }
    )*};
}

ids! {
    /// Index into [`Catalog::sources`].
    SourceTableId;
    /// Index into [`Catalog::lookups`].
    LookupId;
    /// Index into [`Catalog::events`].
    EventId;
    /// Index into [`Event::properties`] of the event that is spoken of.
    PropertyId;
    /// Index into [`Profile::attributes`].
    AttributeId;
    /// Index into [`Catalog::lists`].
    ListId;
}

/// The whole vocabulary of a project. Vectors are in the order of the file.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    pub sources: Vec<SourceTable>,
    pub lookups: Vec<Lookup>,
    pub events: Vec<Event>,
    pub profile: Option<Profile>,
    pub lists: Vec<List>,
    pub identities: Option<Identities>,
    pub channels: Vec<Channel>,
    pub actions: Vec<ActionDef>,
    /// Lists of whom no channel ever reaches.
    pub suppression: Vec<ListId>,
    /// The text attribute that holds a customer's time zone (an IANA name).
    pub zone: Option<AttributeId>,
    /// Known offers; an empty list closes nothing.
    pub offers: Vec<Named>,
    /// Where published audiences are taken.
    pub destinations: Vec<Destination>,
    pub population: Population,
    /// The source of what runs leave behind, where a program asks for it: see [`Catalog::with_history`].
    pub history: Option<SourceTableId>,
    /// Microseconds: see [`Catalog::visit_gap`].
    pub session_gap: Option<i64>,
    /// The project's file of ids that no run knows any more: see `erased:` in the project file. It need not be there.
    pub erased: Option<String>,
    /// Events, aliases, attributes and lists that are declared with mistakes. The mistakes have been reported, so a rule that
    /// uses such a name needs no message of its own.
    pub broken: BTreeMap<String, Span>,
}

/// A name that the catalog declares, with its place in the YAML.
#[derive(Debug, Clone)]
pub struct Named {
    pub name: String,
    pub span: Span,
}

/// Where rows come from: a Parquet file, a folder (read recursively), a glob, or an object-store address.
#[derive(Debug, Clone)]
pub struct SourceTable {
    pub name: Named,
    /// Relative to the project folder, or a URL (`s3://…`).
    pub path: String,
    pub path_span: Span,
    /// Column of the customer's id: text, any integer, or UUID.
    pub customer: String,
    /// Column of the event's time: a timestamp of any unit, a date, or an integer with `time_unit`.
    pub time: String,
    /// Unit of an integer time column.
    pub time_unit: Option<TimeUnit>,
    /// Zone of times that carry none (IANA name); UTC where unsaid.
    pub timezone: Option<String>,
    /// Column of the raw event name; `None` where every row is one kind of event.
    pub event: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimeUnit {
    Second,
    Millisecond,
    Microsecond,
    Nanosecond,
}

/// A dimension table with one row a key: products by `product_id`.
#[derive(Debug, Clone)]
pub struct Lookup {
    pub name: Named,
    pub path: String,
    pub path_span: Span,
    /// Key column in the look-up table.
    pub key: String,
}

#[derive(Debug, Clone)]
pub struct Event {
    pub name: Named,
    pub description: Option<String>,
    pub source: SourceTableId,
    /// Which rows of the source are this event.
    pub raw: RawMatch,
    pub aliases: Vec<Named>,
    /// A predicate over the event's properties, in Segue's own language.
    pub filter: Option<Expr>,
    /// Column by which repeats collapse: of the rows of this event with one id (after the filter) the earliest counts; at one
    /// instant the one with the smallest property values, in property order, missing first. Rows without id (null or empty text)
    /// never collapse; ids are compared as the file has them. Values are compared as conditions see them (NFC, folded, empty or NaN
    /// missing; lists text by text).
    pub event_id: Option<String>,
    /// Properties that a bare subject may match.
    pub subject: Vec<PropertyId>,
    pub properties: Vec<Property>,
    /// Part of a visit.
    pub session: bool,
}

/// Which raw names are an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RawMatch {
    /// The source holds nothing else.
    All,
    /// One of these raw names, or a name that begins with one of these prefixes; compared exactly.
    Names { exact: Vec<String>, prefixes: Vec<String> },
}

/// A typed property of an event.
#[derive(Debug, Clone)]
pub struct Property {
    pub name: Named,
    pub description: Option<String>,
    pub ty: Type,
    pub column: ColumnRef,
    pub known: Option<KnownValues>,
    /// `case: fold`: text is compared with case folded (not accents).
    pub fold: bool,
    /// `empty: value`: empty text is a value. Otherwise empty text is missing.
    pub empty_is_value: bool,
    pub pii: bool,
}

/// Where a property's values are.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ColumnRef {
    /// A column of the event's own source.
    Own(String),
    /// `column` of the look-up row whose key equals the source's column `on`.
    Lookup { lookup: LookupId, on: String, column: String },
}

/// The known values of a property or attribute.
#[derive(Debug, Clone, Default)]
pub struct KnownValues {
    /// Nothing else is allowed (a closed set).
    pub closed: bool,
    /// NFC, in the order of the file, without repeats. A taxonomy's parents stand here too.
    pub values: Vec<KnownValue>,
}

#[derive(Debug, Clone)]
pub struct KnownValue {
    pub text: String,
    pub aliases: Vec<String>,
    /// Index of the parent in [`KnownValues::values`], where values nest.
    pub parent: Option<usize>,
    pub span: Span,
}

impl KnownValues {
    /// The value itself and all its descendants, as texts, in the order of the file.
    pub fn with_descendants(&self, index: usize) -> Vec<&str> {
        let inside = |mut at: usize| loop {
            if at == index {
                return true;
            }
            match self.values.get(at).and_then(|v| v.parent) {
                Some(parent) => at = parent,
                None => return false,
            }
        };
        (0..self.values.len())
            .filter(|&i| inside(i))
            .filter_map(|i| self.values.get(i))
            .map(|v| v.text.as_str())
            .collect()
    }
}

/// The types of properties and attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Type {
    Text,
    /// A whole number (i64).
    Integer,
    /// Exact, `scale` decimal places (2 unless said; at most 9), held as i64 units of 10^-scale. A file's decimal or float is
    /// rounded half away from zero to that scale.
    Money {
        scale: u8,
    },
    /// A floating-point number; NaN is missing. Sums add in ascending order of value, so they never depend on the order of rows.
    Number,
    YesNo,
    /// A plain date.
    Date,
    /// Microseconds UTC.
    Instant,
    /// A list of texts.
    TextList,
}

impl Type {
    /// The type in words, for messages.
    pub fn in_words(self) -> &'static str {
        match self {
            Type::Text => "text",
            Type::Integer => "a whole number",
            Type::Money { .. } => "money",
            Type::Number => "a number",
            Type::YesNo => "yes or no",
            Type::Date => "a date",
            Type::Instant => "an instant",
            Type::TextList => "a list of texts",
        }
    }
}

#[derive(Debug, Clone)]
pub struct Profile {
    pub path: String,
    pub path_span: Span,
    pub customer: String,
    /// Column (date or timestamp) of the profile's creation; a customer whose profile was created at or after the as-of instant is
    /// left out of the population, earlier events or not. Without a creation time the profile counts.
    pub created: Option<String>,
    /// Column that decides between several rows of one customer: the latest counts. Without it they are an error.
    pub updated_at: Option<String>,
    /// Zone of times that carry none; UTC where unsaid.
    pub timezone: Option<String>,
    pub attributes: Vec<Attribute>,
}

#[derive(Debug, Clone)]
pub struct Attribute {
    pub name: Named,
    pub description: Option<String>,
    pub ty: Type,
    pub column: String,
    pub known: Option<KnownValues>,
    pub fold: bool,
    pub empty_is_value: bool,
    pub pii: bool,
}

/// A file of customer ids; its name is a condition.
#[derive(Debug, Clone)]
pub struct List {
    pub name: Named,
    /// `.csv`, `.txt` (one id a line) or `.parquet`.
    pub path: String,
    pub path_span: Span,
    /// Column of the ids, for `.csv` with a head and `.parquet`.
    pub column: Option<String>,
}

/// Which ids are one customer. Links come before everything else: the ids of sources, profiles and lists become customers, whatever
/// the as-of instant. All ids share one namespace, and are compared as the files have them.
#[derive(Debug, Clone)]
pub struct Identities {
    pub span: Span,
    /// At least one.
    pub links: Vec<LinkTable>,
    pub conflicts: Conflicts,
    pub unknown: Unknown,
}

/// A table of which each row leads from one id to another.
#[derive(Debug, Clone)]
pub struct LinkTable {
    pub name: Named,
    pub path: String,
    pub path_span: Span,
    /// Column of the raw id.
    pub from: String,
    /// Column of the id that it leads to. Where that is a raw id itself, the chain goes on.
    pub to: String,
    /// Column of the link's time; there is one in every table unless [`Conflicts::Error`].
    pub time: Option<String>,
    pub time_unit: Option<TimeUnit>,
    /// Zone of times that carry none; UTC where unsaid.
    pub timezone: Option<String>,
}

/// Which link counts where an id leads to two customers. A link with a time comes before one without; at one time the smaller customer
/// id counts, numbers as numbers, text by code point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Conflicts {
    Earliest,
    Latest,
    #[default]
    Error,
}

/// What an event is whose id no link and no profile knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Unknown {
    /// One of a customer of this id.
    #[default]
    Customer,
    /// Left out, and counted.
    Drop,
}

#[derive(Debug, Clone)]
pub struct Channel {
    pub name: Named,
    /// The yes/no attribute that says whether a customer agreed to it.
    pub consent: Option<AttributeId>,
    /// Lists of whom it never reaches, beside [`Catalog::suppression`].
    pub suppression: Vec<ListId>,
    /// What a contact costs, in the project's currency; free where unsaid.
    pub cost: Option<Num>,
    /// Minutes after midnight, from and to: nobody is contacted then.
    pub quiet: Option<(u16, u16)>,
    /// Whether payload that is marked as personal may go there.
    pub pii: bool,
}

/// A word that may follow `→`.
#[derive(Debug, Clone)]
pub struct ActionDef {
    pub name: Named,
    /// Index into [`Catalog::channels`].
    pub channel: Option<usize>,
}

/// Who there is. Both is the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Population {
    /// The customers of the profile source (created before the as-of instant).
    pub profiles: bool,
    /// All who have an event before the as-of instant.
    pub events: bool,
}

impl Default for Population {
    fn default() -> Self {
        Population { profiles: true, events: true }
    }
}

impl Catalog {
    /// Microseconds; a longer gap between two events of kinds marked `session` begins a new visit. 30 minutes where unsaid.
    pub fn visit_gap(&self) -> i64 {
        self.session_gap.unwrap_or(30 * 60 * 1_000_000)
    }

    pub fn event(&self, id: EventId) -> Option<&Event> {
        self.events.get(id.index())
    }

    /// The event with this name or alias.
    pub fn event_named(&self, name: &str) -> Option<EventId> {
        let is = |e: &Event| e.name.name == name || e.aliases.iter().any(|a| a.name == name);
        self.events.iter().position(is).map(|i| EventId(i as u32))
    }

    /// Whether an event, alias, attribute or list has this name, be its declaration right or wrong.
    pub fn declares(&self, name: &str) -> bool {
        self.event_named(name).is_some()
            || self.attributes().iter().any(|a| a.name.name == name)
            || self.lists.iter().any(|l| l.name.name == name)
            || self.broken.contains_key(name)
    }

    pub fn attributes(&self) -> &[Attribute] {
        self.profile.as_ref().map_or(&[], |p| &p.attributes)
    }
}
