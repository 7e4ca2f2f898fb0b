//! The YAML of a project as it is written.
//!
//! Owns: every key of `segue.yaml` and `catalog.yaml`. Each record here is the struct, its reader and its JSON Schema in one;
//! the comments on keys are what editors show.
//! Must not know: whether what is written makes sense. That is `load`.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::language::yaml::read::{
    At, Entries, Literal, Needed, OneOrMany, Read, Reader, Text, choice, key_text, record, word,
};
use crate::language::yaml::{Kind, Node};

pub mod destinations;

record! {
    /// A Segue project: where things are and how to read them.
    pub struct Project("the project") {
        /// The project's name.
        pub name: Needed<Text>,
        /// The edition of the language that the rules are written in.
        pub edition: Needed<Edition>,
        /// The IANA time zone in which days begin: `Europe/Paris`.
        pub timezone: Needed<Text>,
        /// The ISO 4217 currency of amounts: `EUR`.
        pub currency: Option<Text>,
        /// The catalog; `catalog.yaml` where unsaid.
        pub catalog: Option<Text>,
        /// Folders or files of rules (`.seg`); `rules` where unsaid.
        pub rules: Option<OneOrMany<Text>>,
        /// Folders or files of specs (`.yaml`); `specs` where unsaid.
        pub specs: Option<OneOrMany<Text>>,
        /// The folder of results; `out` where unsaid.
        pub output: Option<Text>,
        /// How rules are formatted.
        pub format: Option<Format>,
        /// The severity of diagnostics, by code: `W0506: error`, `E0501: warn`.
        pub lints: Option<Entries<At<Level>>>,
        /// The most memory that a run takes: `4GB`.
        pub memory_limit: Option<Literal>,
        /// The instant to judge by where the command line says none: a date or an instant. Now, where unsaid.
        pub as_of: Option<Literal>,
        /// Let paths leave the project's folder.
        pub allow_outside: Option<At<bool>>,
        /// Where what runs decide is kept: a folder, or `s3://…`. Nothing is remembered where unsaid.
        pub store: Option<Text>,
        /// The share of customers that no campaign ever contacts: `5%`.
        pub holdout: Option<Literal>,
        /// What must hold of an audience before it is published.
        pub audits: Option<Audits>,
        /// How many days published versions are kept at least; for ever where unsaid.
        pub retention: Option<At<u32>>,
        /// The file of ids that are left out of every run, one a line; `erased.txt` where unsaid.
        pub erased: Option<Text>,
    }

    /// What must hold of an audience before it is published.
    pub struct Audits("`audits`") {
        /// The most by which it may grow or shrink from one run to the next: `50%`.
        pub change: Option<Literal>,
        /// Audiences that are smaller than this before and after are not held to `change`.
        pub small: Option<At<u64>>,
    }

    /// How rules are formatted.
    pub struct Format("`format`") {
        /// `unicode` writes ≥ and →, `ascii` writes >= and ->.
        pub style: Option<At<Style>>,
    }

    /// What the words of a project mean, and where the data is.
    pub struct Catalog("the catalog") {
        /// Where events come from, by name.
        pub sources: Option<Entries<Source>>,
        /// Tables with one row a key, such as products, by name.
        pub lookups: Option<Entries<Lookup>>,
        /// Values that nest, by name: a parent includes its children.
        pub taxonomies: Option<Entries<Branches>>,
        /// What customers do, by name.
        pub events: Option<Needed<Entries<Event>>>,
        /// The table of customers.
        pub profiles: Option<Needed<Profiles>>,
        /// Files of customer ids, by name; the name is a condition.
        pub lists: Option<Needed<Entries<List>>>,
        /// Which ids are one customer.
        pub identities: Option<At<Identities>>,
        /// Who is a customer: `all`, `profiles` or `events`.
        pub population: Option<At<Population>>,
        /// A longer time without an event marked `session` begins a new visit: `45min`; 30 minutes where unsaid.
        pub session_gap: Option<Literal>,
        /// Lists of customers whom no channel ever reaches.
        pub suppression: Option<OneOrMany<Text>>,
        /// Ways to reach a customer, by name.
        pub channels: Option<Entries<Option<Channel>>>,
        /// Words that may follow the arrow of a campaign, by name.
        pub actions: Option<Entries<Option<Action>>>,
        /// Known offers.
        pub offers: Option<Vec<Text>>,
        /// Where published audiences are taken, by name.
        pub destinations: Option<Entries<destinations::Destination>>,
    }

    /// Where events come from.
    pub struct Source("a source") {
        /// A Parquet file, a folder, a glob or `s3://…`.
        pub path: Needed<Text>,
        /// The column of the customer's id.
        pub customer: Needed<Text>,
        /// The column of the event's time.
        pub time: Needed<Text>,
        /// The unit of an integer time column.
        pub time_unit: Option<At<TimeUnit>>,
        /// The zone of times that carry none; UTC where unsaid.
        pub timezone: Option<Text>,
        /// The column of the raw event name; unsaid where every row is one kind of event.
        pub event: Option<Text>,
    }

    /// A table with one row a key.
    pub struct Lookup("a look-up") {
        /// A Parquet file, a folder, a glob or `s3://…`.
        pub path: Needed<Text>,
        /// The column of the key.
        pub key: Needed<Text>,
    }

    /// Something that customers do.
    pub struct Event("an event") {
        /// What it means, for people.
        pub description: Option<Text>,
        /// The source that holds it.
        pub source: Needed<Text>,
        /// Which raw names are this event; its own name where unsaid.
        pub raw: Option<OneOrMany<Raw>>,
        /// Other words for it.
        pub aliases: Option<OneOrMany<Text>>,
        /// A predicate over its properties: rows that do not fulfil it are left out.
        pub filter: Option<Text>,
        /// The column by which repeats collapse.
        pub event_id: Option<Text>,
        /// The properties that a bare subject may match.
        pub subject: Option<OneOrMany<Text>>,
        /// Whether it is part of a visit.
        pub session: Option<At<bool>>,
        /// What is known about each one, by name.
        pub properties: Option<Entries<Property>>,
    }

    /// A typed property of an event.
    pub struct Property("a property") {
        /// What it means, for people.
        pub description: Option<Text>,
        /// The type of its values.
        pub r#type: Needed<At<TypeName>>,
        /// Decimal places of `money`; 2 where unsaid, 9 at most.
        pub scale: Option<At<u8>>,
        /// Its column; the property's name where unsaid.
        pub column: Option<Text>,
        /// The look-up that holds the column.
        pub lookup: Option<Text>,
        /// The source's column that holds the look-up's key; the key's own name where unsaid.
        pub on: Option<Text>,
        /// Values that are known; nothing else is allowed unless `closed: false`.
        pub known: Option<Vec<Known>>,
        /// The taxonomy whose values are known.
        pub taxonomy: Option<Text>,
        /// Whether only known values are allowed; `true` where unsaid.
        pub closed: Option<At<bool>>,
        /// Whether upper and lower case differ: `exact` (where unsaid) or `fold`.
        pub case: Option<At<Case>>,
        /// Whether empty text is a value: `missing` (where unsaid) or `value`.
        pub empty: Option<At<Empty>>,
        /// Personal data.
        pub pii: Option<At<bool>>,
    }

    /// The table of customers.
    pub struct Profiles("`profiles`") {
        /// A Parquet file, a folder, a glob or `s3://…`.
        pub path: Needed<Text>,
        /// The column of the customer's id.
        pub customer: Needed<Text>,
        /// The column of the time since which there is this customer.
        pub created: Option<Text>,
        /// The column that decides between several rows of one customer: the latest counts.
        pub updated_at: Option<Text>,
        /// The text attribute that holds a customer's own time zone, an IANA name: quiet hours are his.
        pub zone: Option<Text>,
        /// The zone of times that carry none; UTC where unsaid.
        pub timezone: Option<Text>,
        /// What is known about each customer, by name.
        pub attributes: Option<Needed<Entries<Attribute>>>,
    }

    /// A typed attribute of a customer.
    pub struct Attribute("an attribute") {
        /// What it means, for people.
        pub description: Option<Text>,
        /// The type of its values.
        pub r#type: Needed<At<TypeName>>,
        /// Decimal places of `money`; 2 where unsaid, 9 at most.
        pub scale: Option<At<u8>>,
        /// Its column; the attribute's name where unsaid.
        pub column: Option<Text>,
        /// Values that are known; nothing else is allowed unless `closed: false`.
        pub known: Option<Vec<Known>>,
        /// The taxonomy whose values are known.
        pub taxonomy: Option<Text>,
        /// Whether only known values are allowed; `true` where unsaid.
        pub closed: Option<At<bool>>,
        /// Whether upper and lower case differ: `exact` (where unsaid) or `fold`.
        pub case: Option<At<Case>>,
        /// Whether empty text is a value: `missing` (where unsaid) or `value`.
        pub empty: Option<At<Empty>>,
        /// Personal data.
        pub pii: Option<At<bool>>,
    }

    /// A file of customer ids.
    pub struct List("a list") {
        /// A `.csv`, `.txt` (one id a line) or `.parquet` file.
        pub path: Needed<Text>,
        /// The column of the ids, for `.csv` with a head and `.parquet`.
        pub column: Option<Text>,
    }

    /// Which ids are one customer.
    pub struct Identities("`identities`") {
        /// Tables that lead from one id to another, by name: `cookie`, `email`, `card`.
        pub links: Needed<Entries<LinkTable>>,
        /// What an id that leads to two customers means: the `earliest` or `latest` link counts, or it is an `error` (where unsaid).
        pub conflicts: Option<At<Conflicts>>,
        /// What an event means whose id no link and no profile knows: a `customer` of its own (where unsaid), or `drop` it.
        pub unknown: Option<At<Unknown>>,
    }

    /// A table of links: each row leads from a raw id to another, or to the customer.
    pub struct LinkTable("a link table") {
        /// A Parquet file, a folder, a glob or `s3://…`.
        pub path: Needed<Text>,
        /// The column of the raw id.
        pub from: Needed<Text>,
        /// The column of the id that it leads to: the customer's, or one that other links lead on from.
        pub to: Needed<Text>,
        /// The column of the link's time, which decides between links of one id.
        pub time: Option<Text>,
        /// The unit of an integer time column.
        pub time_unit: Option<At<TimeUnit>>,
        /// The zone of times that carry none; UTC where unsaid.
        pub timezone: Option<Text>,
    }

    /// A way to reach a customer.
    pub struct Channel("a channel") {
        /// The yes/no attribute that says whether a customer agreed to it.
        pub consent: Option<Text>,
        /// Lists of customers whom it never reaches, beside those of the whole catalog.
        pub suppression: Option<OneOrMany<Text>>,
        /// What a contact costs, in the project's currency: `0.05`; free where unsaid.
        pub cost: Option<Literal>,
        /// When nobody is contacted: `21:00 to 08:00`.
        pub quiet: Option<Literal>,
        /// Whether personal data may go there; `false` where unsaid.
        pub pii: Option<At<bool>>,
    }

    /// A word that may follow the arrow of a campaign.
    pub struct Action("an action") {
        /// The channel by which it goes unless a rule says otherwise.
        pub channel: Option<Text>,
    }

    /// A known value with other spellings.
    pub struct KnownRecord("a known value") {
        /// The value as the data has it.
        pub value: Literal,
        /// Other spellings in rules.
        pub aliases: Option<OneOrMany<Literal>>,
    }

    /// Raw names that begin alike.
    pub struct Prefix("`raw`") {
        /// The beginning that they share.
        pub prefix: Text,
    }
}

choice! {
    /// How bad a finding is.
    pub enum Level("a severity") {
        /// Say nothing.
        Allow = "allow",
        /// Say it, and go on.
        Warn = "warn",
        /// Say it, and stop.
        Error = "error",
    }

    /// The signs that the formatter writes.
    pub enum Style("a style") {
        /// ≥ and →
        Unicode = "unicode",
        /// >= and ->
        Ascii = "ascii",
    }

    /// Who is a customer.
    pub enum Population("a population") {
        /// Who has a profile or an event.
        All = "all",
        /// Who has a profile.
        Profiles = "profiles",
        /// Who has an event.
        Events = "events",
    }

    /// Which link counts where an id leads to two customers.
    pub enum Conflicts("a way to decide") {
        /// The link with the earliest time; at one time the one to the smaller customer id.
        Earliest = "earliest",
        /// The link with the latest time; at one time the one to the smaller customer id.
        Latest = "latest",
        /// None: nothing is evaluated.
        Error = "error",
    }

    /// What an event means whose id no link and no profile knows.
    pub enum Unknown("a meaning of unknown ids") {
        /// Its id is a customer.
        Customer = "customer",
        /// It is left out, and counted.
        Drop = "drop",
    }

    /// Units of integer times.
    pub enum TimeUnit("a unit of time") {
        Second = "s",
        Millisecond = "ms",
        Microsecond = "us",
        Nanosecond = "ns",
    }

    /// The types of values.
    pub enum TypeName("a type") {
        Text = "text",
        /// A whole number.
        Integer = "integer",
        /// An exact amount.
        Money = "money",
        /// A floating-point number.
        Number = "number",
        YesNo = "yes/no",
        /// A day.
        Date = "date",
        /// A point in time.
        Instant = "instant",
        /// A list of texts.
        List = "list",
    }

    /// Whether upper and lower case differ.
    pub enum Case("a way to compare") {
        Exact = "exact",
        Fold = "fold",
    }

    /// What empty text is.
    pub enum Empty("a meaning of empty text") {
        Missing = "missing",
        Value = "value",
    }
}

impl Catalog {
    /// Whether every name that is declared can be told, be its declaration right or wrong.
    pub fn tells_names(&self) -> bool {
        fn told<T>(part: &Option<Needed<T>>) -> bool {
            !matches!(part, Some(Needed(None)))
        }
        let attributes = match &self.profiles {
            Some(Needed(Some(profiles))) => told(&profiles.attributes),
            _ => true,
        };
        told(&self.events) && told(&self.profiles) && told(&self.lists) && attributes
    }
}

impl Read for At<Identities> {
    const WHAT: &'static str = Identities::WHAT;

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        Identities::read(node, reader).map(|value| At { value, span: node.span })
    }
}

/// An edition of the language, in quotes or not.
#[derive(Debug, Clone)]
pub struct Edition(pub At<String>);

/// Every edition that there is.
pub const EDITIONS: &[&str] = &["2026"];

impl Read for Edition {
    const WHAT: &'static str = "an edition of the language";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        let edition = word(node, Self::WHAT, EDITIONS, reader)?;
        Some(Edition(At { value: edition.to_owned(), span: node.span }))
    }
}

impl JsonSchema for Edition {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Edition".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let texts = EDITIONS.iter().map(|e| serde_json::Value::from(*e));
        let numbers = EDITIONS.iter().filter_map(|e| e.parse::<u32>().ok()).map(serde_json::Value::from);
        json_schema!({"enum": texts.chain(numbers).collect::<Vec<_>>()})
    }
}

/// A raw name, or the beginning of several.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(untagged)]
pub enum Raw {
    Name(Literal),
    Prefix(Prefix),
}

impl Read for Raw {
    const WHAT: &'static str = "a raw name";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        match node.kind {
            Kind::Map(_) => Prefix::read(node, reader).map(Raw::Prefix),
            _ => Literal::read(node, reader).map(Raw::Name),
        }
    }
}

/// A known value: its text, or a record with aliases.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(untagged)]
pub enum Known {
    Value(Literal),
    Record(KnownRecord),
}

impl Read for Known {
    const WHAT: &'static str = "a known value";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        match node.kind {
            Kind::Map(_) => KnownRecord::read(node, reader).map(Known::Record),
            _ => Literal::read(node, reader).map(Known::Value),
        }
    }
}

/// The branches of a taxonomy: a map from parent to children, or a list of values and such maps.
#[derive(Debug, Clone, Default)]
pub struct Branches(pub Vec<Branch>);

#[derive(Debug, Clone)]
pub struct Branch {
    pub value: At<String>,
    pub children: Branches,
}

impl Read for Branches {
    const WHAT: &'static str = "a list of values, or a map from parents to children";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        let mut out = Vec::new();
        match &node.kind {
            Kind::Map(entries) => branches(entries, &mut out, reader),
            Kind::List(items) => {
                for item in items {
                    match &item.kind {
                        Kind::Map(entries) => branches(entries, &mut out, reader),
                        _ => out.extend(
                            Literal::read(item, reader)
                                .map(|Literal(value)| Branch { value, children: Branches::default() }),
                        ),
                    }
                }
            }
            _ => {
                reader.expected(node, Self::WHAT);
                return None;
            }
        }
        Some(Branches(out))
    }
}

// The tree's depth is bounded by the YAML reader.
fn branches(entries: &[(Node, Node)], out: &mut Vec<Branch>, reader: &mut Reader) {
    for (key, value) in entries {
        let Some(name) = key_text(key, reader) else { continue };
        let children = match value.kind {
            Kind::Null => Branches::default(),
            _ => Branches::read(value, reader).unwrap_or_default(),
        };
        out.push(Branch { value: name, children });
    }
}

impl JsonSchema for Branches {
    fn schema_name() -> Cow<'static, str> {
        "Branches".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let value = generator.subschema_for::<Literal>();
        let children = generator.subschema_for::<Option<Branches>>();
        let map = json_schema!({"type": "object", "additionalProperties": children});
        json_schema!({
            "description": Self::WHAT,
            "anyOf": [map, {"type": "array", "items": {"anyOf": [value, map]}}],
        })
    }
}
