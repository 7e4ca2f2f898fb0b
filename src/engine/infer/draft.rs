//! The first catalog, as data.
//!
//! Owns: names, types, known values, subjects and aliases of what was found.
//! Promises: names are valid and stand once where the language has one namespace; a personal value is never copied.
//! Must not know: YAML.

use std::collections::{BTreeMap, BTreeSet};

use super::columns::Guess;
use super::measure::{KindFacts, Measured};
use super::names;
use super::property::{properties, property, subject, usable};
use super::roles::{Role, cells};
use super::scan::thousands;
use super::table::{Cells, Kind, Table};
use crate::language::catalog::{TimeUnit, Type};

/// A catalog to be written.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    pub sources: Vec<Source>,
    pub lookups: Vec<Lookup>,
    /// Sets of values that several events share.
    pub shared: Vec<Shared>,
    pub events: Vec<Event>,
    pub profile: Option<Profile>,
    /// Tables that are not used, and why.
    pub left_out: Vec<(String, String)>,
}

#[derive(Debug, Clone)]
pub struct Source {
    pub name: String,
    pub path: String,
    pub rows: u64,
    pub customer: String,
    pub customer_why: String,
    pub time: String,
    pub time_why: String,
    pub time_unit: Option<TimeUnit>,
    pub event: Option<String>,
    pub event_why: String,
    /// Columns that became no property, and why.
    pub left_out: Vec<(String, String)>,
}

#[derive(Debug, Clone)]
pub struct Lookup {
    pub name: String,
    pub path: String,
    pub key: String,
    pub why: String,
}

#[derive(Debug, Clone)]
pub struct Event {
    pub name: String,
    pub source: String,
    /// The raw name; `None` where the source holds nothing else.
    pub raw: Option<String>,
    pub aliases: Vec<String>,
    pub rows: u64,
    pub usable: u64,
    pub customers: u64,
    pub first: i64,
    pub last: i64,
    pub at_least: [u64; 4],
    /// Whether the figures are of all rows.
    pub whole: bool,
    pub subject: Vec<String>,
    pub properties: Vec<Property>,
    pub session: bool,
}

/// A property of an event or an attribute of the profile.
#[derive(Debug, Clone)]
pub struct Property {
    pub name: String,
    pub ty: Type,
    pub column: String,
    /// Look-up and the column that points at it.
    pub lookup: Option<(String, String)>,
    pub known: Option<Known>,
    pub pii: bool,
    pub why: String,
}

#[derive(Debug, Clone)]
pub struct Known {
    /// Most frequent first.
    pub values: Vec<String>,
    pub closed: bool,
    /// The name in [`Draft::shared`], where the values stand there.
    pub shared: Option<String>,
}

/// A set of values with a name.
#[derive(Debug, Clone)]
pub struct Shared {
    pub name: String,
    pub values: Vec<String>,
    pub why: String,
}

#[derive(Debug, Clone)]
pub struct Profile {
    pub name: String,
    pub path: String,
    pub rows: u64,
    pub customer: String,
    pub created: Option<String>,
    pub updated: Option<String>,
    pub why: String,
    pub attributes: Vec<Property>,
    pub left_out: Vec<(String, String)>,
}

/// Values listed in the whole catalog.
const BUDGET: usize = 6_000;
/// Aliases of one event.
const ALIASES: usize = 8;

/// Everything that was found out about the tables.
pub struct Found<'a> {
    pub tables: &'a [Table],
    pub guesses: &'a [Guess],
    pub measured: &'a [Measured],
    pub roles: &'a [Role],
}

/// Makes the draft.
pub fn draft(found: &Found<'_>) -> Draft {
    let mut draft = Draft::default();
    let mut budget = BUDGET;
    // One namespace for what can stand as a condition or value; tables have their own.
    let mut taken: BTreeSet<String> = BTreeSet::new();
    let all = || found.tables.iter().zip(found.guesses).zip(found.measured).zip(found.roles).enumerate();
    for (_, (((table, _), _), role)) in all() {
        match role {
            Role::Lookup { key, why, .. } => {
                let Some(key) = table.columns.get(*key) else { continue };
                let (name, path) = (table.name.clone(), table.path.clone());
                draft.lookups.push(Lookup { name, path, key: key.name.clone(), why: why.clone() });
            }
            Role::LeftOut { why } => draft.left_out.push((table.name.clone(), why.clone())),
            _ => {}
        }
    }
    let mut busiest: Vec<(usize, &KindFacts)> = Vec::new();
    for (at, (((table, guess), seen), role)) in all() {
        if *role == Role::Events {
            draft.sources.extend(source(table, guess, seen));
            busiest.extend(seen.kinds.iter().filter(|k| k.usable > 0).map(|k| (at, k)));
        }
    }
    // Every event has its own name before any alias is given away.
    let mut events: Vec<Event> = Vec::new();
    for (at, kind) in busiest {
        let (Some(table), Some(guess), Some(seen)) =
            (found.tables.get(at), found.guesses.get(at), found.measured.get(at))
        else {
            continue;
        };
        let raw = kind.raw.clone().unwrap_or_else(|| table.name.clone());
        let name = names::unique(event_name(&raw), &mut taken);
        let properties = properties(found, at, table, guess, kind, seen, &mut budget);
        let subject = subject(&properties);
        events.push(Event {
            session: is_visit(&name),
            name,
            source: table.name.clone(),
            raw: kind.raw.clone(),
            aliases: Vec::new(),
            rows: kind.rows,
            usable: kind.usable,
            customers: kind.customers,
            first: kind.first,
            last: kind.last,
            at_least: kind.at_least,
            whole: seen.whole(),
            subject,
            properties,
        });
    }
    for (_, (((table, _), seen), role)) in all() {
        if let Role::Profile { customer, created, updated, why } = role {
            let name_of = |at: usize| table.columns.get(at).map(|c| c.name.clone());
            let mut profile = Profile {
                name: table.name.clone(),
                path: table.path.clone(),
                rows: table.rows,
                customer: name_of(*customer).unwrap_or_default(),
                created: created.and_then(name_of),
                updated: updated.and_then(name_of),
                why: why.clone(),
                attributes: Vec::new(),
                left_out: lacking(table),
            };
            for (column, facts) in table.columns.iter().enumerate() {
                if column == *customer {
                    continue;
                }
                let values = seen.kinds.first().and_then(|k| k.values.get(&column));
                match property(table, column, facts, values, seen, &mut budget) {
                    Ok(mut attribute) => {
                        let wish = names::name_for(&facts.name, "attribute");
                        let wish = if taken.contains(&wish) { format!("profile_{wish}") } else { wish };
                        attribute.name = names::unique(wish, &mut taken);
                        profile.attributes.push(attribute);
                    }
                    Err(why) => profile.left_out.push((facts.name.clone(), why)),
                }
            }
            draft.profile = Some(profile);
        }
    }
    let acts: Vec<Option<String>> = events.iter().map(|e| names::verb_of(&e.name)).collect();
    let mut order: Vec<usize> = (0..events.len()).collect();
    order.sort_by_key(|at| std::cmp::Reverse(events.get(*at).map_or(0, |e| e.rows)));
    for at in order {
        let Some(event) = events.get_mut(at) else { continue };
        // A table's name is mostly a noun, and the plural of a noun helps nobody.
        let mut wishes = match event.raw {
            None if !names::has_verb(&event.name) => names::singular_form(&event.name).into_iter().collect(),
            _ => names::other_forms(&event.name),
        };
        let buys = names::is_purchase(&event.name) || event.raw.is_none() && sells(&event.properties);
        if buys {
            wishes.extend(["purchased", "purchase", "purchases", "bought", "buys", "buy"].map(str::to_owned));
        }
        // `open` alone will do where only one event is about opening.
        if let Some(verb) = names::verb_of(&event.name)
            && acts.iter().filter(|act| act.as_ref() == Some(&verb)).count() == 1
        {
            wishes.extend(names::forms_of(&verb));
        }
        wishes.retain(|alias| taken.insert(alias.clone()));
        wishes.truncate(ALIASES);
        event.aliases = wishes;
    }
    events.sort_by(|a, b| a.source.cmp(&b.source).then(b.rows.cmp(&a.rows)).then_with(|| a.name.cmp(&b.name)));
    let order: BTreeMap<&str, usize> = draft.sources.iter().enumerate().map(|(i, s)| (s.name.as_str(), i)).collect();
    events.sort_by_key(|e| order.get(e.source.as_str()).copied());
    draft.events = events;
    share(&mut draft);
    draft
}

/// Sets that several events of a source have in one column stand once, under a name.
fn share(draft: &mut Draft) {
    let mut sets: BTreeMap<(String, String), Vec<(usize, usize)>> = BTreeMap::new();
    for (e, event) in draft.events.iter().enumerate() {
        for (p, property) in event.properties.iter().enumerate() {
            if property.known.is_some() && property.ty == Type::Text {
                let place = property.lookup.as_ref().map_or(&event.source, |(lookup, _)| lookup);
                sets.entry((place.clone(), property.column.clone())).or_default().push((e, p));
            }
        }
    }
    let mut taken = BTreeSet::new();
    for ((place, column), places) in sets {
        let known = |(e, p): &(usize, usize)| draft.events.get(*e)?.properties.get(*p)?.known.as_ref();
        let mut all: Vec<String> = Vec::new();
        for one in places.iter().filter_map(known) {
            for value in &one.values {
                if !all.contains(value) {
                    all.push(value.clone());
                }
            }
        }
        // A long set that most of them have most of; rare events have little of anything.
        let most = places.iter().filter_map(known).filter(|k| k.values.len() * 2 >= all.len()).count();
        let alike = most * 2 >= places.len();
        if places.len() < 2 || all.len() <= 6 || !alike {
            continue;
        }
        let closed = places.iter().filter_map(known).any(|k| k.closed) && all.len() <= super::property::CLOSED;
        let name = names::unique(names::name_for(&column, names::PROPERTY), &mut taken);
        for (e, p) in &places {
            let property = draft.events.get_mut(*e).and_then(|e| e.properties.get_mut(*p));
            if let Some(known) = property.and_then(|p| p.known.as_mut()) {
                *known = Known { values: all.clone(), closed, shared: Some(name.clone()) };
            }
        }
        let why = format!("`{column}` of `{place}`, most frequent first");
        draft.shared.push(Shared { name, values: all, why });
    }
}

/// A name that the language takes is given in its past form: `rate` is `rated`.
fn event_name(raw: &str) -> String {
    let plain = names::plain(raw);
    if names::is_taken_word(&plain)
        && let Some(form) = names::other_forms(&plain).into_iter().next()
    {
        return form;
    }
    names::name_for(raw, "event")
}

/// Whether rows with these properties look like sales.
fn sells(properties: &[Property]) -> bool {
    let has =
        |words: &[&str]| properties.iter().any(|p| names::words(&p.name).iter().any(|w| words.contains(&w.as_str())));
    let money = properties.iter().any(|p| matches!(p.ty, Type::Money { .. }));
    money
        && has(&["quantity", "qty", "invoice", "order", "basket", "product", "sku", "items", "cds", "receipt", "units"])
}

/// Acts of a visit.
fn is_visit(name: &str) -> bool {
    names::words(name).iter().any(|w| {
        ["visit", "view", "browse", "search", "cart", "page", "screen", "checkout"].iter().any(|v| w.starts_with(v))
    })
}

fn source(table: &Table, guess: &Guess, seen: &Measured) -> Option<Source> {
    let customer = table.columns.get(guess.customer?)?;
    let (time, unit) = guess.time?;
    let time_column = table.columns.get(time)?;
    let event = guess.event.and_then(|at| table.columns.get(at));
    let missing = |n: u64, what: &str| match n {
        0 => String::new(),
        n => format!("; {} without {what} are left out", thousands(n)),
    };
    let first = seen.kinds.iter().filter(|k| k.usable > 0).map(|k| k.first).min();
    let last = seen.kinds.iter().filter(|k| k.usable > 0).map(|k| k.last).max();
    let range = match (first, last) {
        (Some(first), Some(last)) => format!("{} to {}", day(first), day(last)),
        _ => String::new(),
    };
    let zone = match time_column.kind {
        Kind::Date => ", plain dates",
        _ => "",
    };
    let mut left_out = lacking(table);
    for (at, column) in table.columns.iter().enumerate() {
        if Some(at) == guess.customer || at == time || Some(at) == guess.event {
            continue;
        }
        if let Err(why) = usable(column) {
            left_out.push((column.name.clone(), why));
        }
    }
    Some(Source {
        name: table.name.clone(),
        path: table.path.clone(),
        rows: table.rows,
        customer: customer.name.clone(),
        customer_why: format!(
            "{} distinct {}{}",
            thousands(seen.customers),
            seen.of_rows(),
            missing(seen.no_customer, "one")
        ),
        time: time_column.name.clone(),
        time_why: format!("{range}{zone}{}", missing(seen.no_time, "one")),
        time_unit: unit,
        event: event.map(|c| c.name.clone()),
        event_why: event.map(|_| format!("{} kinds", seen.kinds.len())).unwrap_or_default(),
        left_out,
    })
}

/// The columns that can't be used because some files have none, and why.
fn lacking(table: &Table) -> Vec<(String, String)> {
    table.lacking.iter().map(|name| (name.clone(), "some files lack it".to_owned())).collect()
}

/// `2017-12-31` of microseconds UTC.
pub fn day(micros: i64) -> String {
    jiff::Timestamp::from_microsecond(micros)
        .map(|t| t.to_zoned(jiff::tz::TimeZone::UTC).date().to_string())
        .unwrap_or_else(|_| "out of range".to_owned())
}

/// The one value that nearly every row of a column has, if there is one: a currency column.
pub fn only_value(table: &Table, at: usize) -> Option<String> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for cells in cells(table, at) {
        let Cells::Text(texts) = cells else { return None };
        for text in texts.iter().flatten() {
            *counts.entry(text.to_owned()).or_insert(0) += 1;
        }
    }
    counts.into_iter().max_by_key(|(_, n)| *n).map(|(text, _)| text)
}
