//! What tables and columns are for.
//!
//! Owns: the guesses (customer, time and event column; events, profile or look-up) and the reason for each.
//! Promises: a hint of the caller always wins over a guess; a hint that fits no table is an error with the nearest column.
//! Must not know: how the guess is written down.

use std::collections::BTreeMap;

use super::names::{self, singular};
use super::scan::{Ask, Measured};
use super::table::{Cells, Column, Kind, Table};
use crate::error::Error;
use crate::language::catalog::TimeUnit;

/// What the caller knows better. Columns are `COLUMN`, or `TABLE.COLUMN` where tables differ.
#[derive(Debug, Clone, Default)]
pub struct Hints {
    pub customer: Vec<String>,
    pub time: Vec<String>,
    /// `none`: the tables have no event column.
    pub event: Vec<String>,
}

/// The columns of one table that make its rows events; indices into [`Table::columns`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Guess {
    pub customer: Option<usize>,
    pub time: Option<(usize, Option<TimeUnit>)>,
    pub event: Option<usize>,
}

/// Guesses the three columns of every table.
pub fn guess(tables: &[Table], hints: &Hints) -> Result<Vec<Guess>, Error> {
    for (flag, list) in [("--customer", &hints.customer), ("--time", &hints.time), ("--event", &hints.event)] {
        for hint in list {
            if !(flag == "--event" && hint == "none") && !tables.iter().any(|t| hinted(t, hint).is_some()) {
                return Err(unknown(tables, flag, hint));
            }
        }
    }
    tables.iter().map(|table| one(tables, table, hints)).collect()
}

fn one(tables: &[Table], table: &Table, hints: &Hints) -> Result<Guess, Error> {
    let told = |list: &[String]| list.iter().find_map(|hint| hinted(table, hint));
    let best = |score: &dyn Fn(&Column) -> i32, least: i32| {
        let mut best: Option<(i32, usize)> = None;
        for (at, column) in table.columns.iter().enumerate() {
            let points = score(column);
            if points >= least && best.is_none_or(|(most, _)| points > most) {
                best = Some((points, at));
            }
        }
        best.map(|(_, at)| at)
    };
    let customer = told(&hints.customer).or_else(|| {
        best(
            &|c| {
                let shared = tables.iter().filter(|t| t.columns.iter().any(|o| o.plain == c.plain)).count() > 1;
                customer_score(c) + if shared { 5 } else { 0 }
            },
            30,
        )
    });
    let told_time = told(&hints.time);
    let time = told_time.or_else(|| best(&|c| time_score(table, c), 30).filter(|at| Some(*at) != customer));
    let time = match time.and_then(|at| Some((at, table.columns.get(at)?))) {
        None => None,
        Some((at, column)) => match column.kind {
            Kind::Instant | Kind::Date => Some((at, None)),
            Kind::Integer => Some((at, Some(epoch_unit(column).unwrap_or(TimeUnit::Second)))),
            _ => {
                return Err(Error::usage(format!("column `{}` of `{}` holds no times", column.name, table.name))
                    .with_help(
                        "a time is a timestamp, a date, or a whole number since 1970; text must be converted first",
                    ));
            }
        },
    };
    let event = match hints.event.iter().any(|h| h == "none") {
        true => None,
        false => told(&hints.event).or_else(|| best(&|c| event_score(table, c), 80)),
    };
    Ok(Guess { customer, time, event: event.filter(|at| Some(*at) != customer) })
}

fn hinted(table: &Table, hint: &str) -> Option<usize> {
    match hint.split_once('.') {
        Some((name, column)) if name == table.name => table.column(column),
        _ => table.columns.iter().position(|c| c.name == hint),
    }
}

fn unknown(tables: &[Table], flag: &str, hint: &str) -> Error {
    let mut all: Vec<&str> = tables.iter().flat_map(|t| &t.columns).map(|c| c.name.as_str()).collect();
    all.sort_unstable();
    all.dedup();
    let near = all.iter().map(|n| (strsim::jaro_winkler(n, hint), *n)).max_by(|a, b| a.0.total_cmp(&b.0));
    let help = match near {
        Some((close, name)) if close > 0.75 => format!("did you mean `{name}`?"),
        _ => format!("there are {}", all.iter().take(20).map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ")),
    };
    Error::usage(format!("{flag}: no table has a column `{hint}`")).with_help(help)
}

/// Words for those whom a business knows, most telling first.
const PEOPLE: &[(&str, i32)] = &[
    ("customer", 100),
    ("cust", 95),
    ("client", 88),
    ("user", 86),
    ("member", 84),
    ("household", 82),
    ("subscriber", 82),
    ("shopper", 80),
    ("buyer", 80),
    ("consumer", 80),
    ("contact", 78),
    ("person", 78),
    ("people", 76),
    ("account", 76),
    ("profile", 72),
    ("visitor", 70),
    ("guest", 70),
    ("patient", 70),
    ("donor", 70),
    ("player", 70),
    ("party", 60),
    ("lead", 60),
    ("kunde", 90),
    ("kunden", 90),
    ("cliente", 88),
    ("uid", 60),
    ("device", 35),
    ("anonymous", 33),
];

fn customer_score(column: &Column) -> i32 {
    if !matches!(column.kind, Kind::Text | Kind::Integer | Kind::Uuid) || column.facts.distinct() < 2 {
        return 0;
    }
    // `contact` may well hold a telephone number.
    if column.facts.mostly(column.facts.emails) || column.facts.mostly(column.facts.phones) {
        return 0;
    }
    let words: Vec<&str> = column.plain.split('_').collect();
    let is_key =
        |w: &&str| matches!(*w, "id" | "key" | "no" | "nr" | "number" | "num" | "code" | "uuid" | "guid" | "ref");
    // `customerid` is one word in many files.
    let squeezed = |w: &str| w.strip_suffix("id").map(str::to_owned).unwrap_or_else(|| w.to_owned());
    let person =
        |w: &str| PEOPLE.iter().find(|(p, _)| *p == singular(w) || *p == squeezed(w)).map(|(_, points)| *points);
    match words.as_slice() {
        [word] => person(word).map_or(0, |p| if word.ends_with("id") { p } else { p - 10 }),
        [word, key] if is_key(key) => person(word).unwrap_or(0),
        _ => match words.last() {
            Some(last) if is_key(last) => words.iter().find_map(|w| person(w)).map_or(0, |p| p - 25),
            _ => 0,
        },
    }
}

fn time_score(table: &Table, column: &Column) -> i32 {
    let plain = column.plain.as_str();
    let words: Vec<&str> = plain.split('_').collect();
    let ends = |ends: &[&str]| words.last().is_some_and(|w| ends.contains(w));
    let base = match column.kind {
        _ if column.partition => return 0,
        Kind::Instant => 50,
        Kind::Date => 40,
        Kind::Integer
            if epoch_unit(column).is_some()
                && ends(&["ts", "time", "timestamp", "at", "epoch", "ms", "millis", "date"]) =>
        {
            35
        }
        _ => return 0,
    };
    let named = match plain {
        "event_time" | "event_timestamp" | "event_ts" | "timestamp" | "ts" | "time" | "occurred_at" | "event_at"
        | "datetime" | "event_date" | "date_time" | "happened_at" => 40,
        "date" | "day" => 30,
        "created_at" | "created" | "creation_date" => 20,
        _ if ends(&["timestamp", "ts", "time", "datetime", "at"]) => 25,
        _ if ends(&["date", "day", "on"]) => 20,
        _ => 0,
    };
    let own: Vec<String> = names::words(&table.name).iter().map(|w| singular(w)).collect();
    let about = if words.iter().any(|w| own.contains(&singular(w))) { 10 } else { 0 };
    let other = [
        "birth",
        "birthday",
        "dob",
        "expir",
        "expires",
        "expiry",
        "end",
        "valid",
        "due",
        "updated",
        "modified",
        "deleted",
        "loaded",
        "ingested",
        "processed",
        "renewal",
        "last",
        "next",
        "trial",
        "until",
    ];
    let against = if words.iter().any(|w| other.contains(w)) { -60 } else { 0 };
    let empty = if column.facts.missing * 2 > column.facts.rows { -30 } else { 0 };
    base + named + about + against + empty
}

/// The unit in which a whole number would be a time between 1990 and 2100.
pub fn epoch_unit(column: &Column) -> Option<TimeUnit> {
    let (min, max) = (column.facts.min?, column.facts.max?);
    let (from, to) = (631_152_000.0, 4_102_444_800.0);
    [(TimeUnit::Second, 1.0), (TimeUnit::Millisecond, 1e3), (TimeUnit::Microsecond, 1e6), (TimeUnit::Nanosecond, 1e9)]
        .into_iter()
        .find(|(_, scale)| min >= from * scale && max <= to * scale)
        .map(|(unit, _)| unit)
}

fn event_score(table: &Table, column: &Column) -> i32 {
    let facts = &column.facts;
    if column.kind != Kind::Text || facts.distinct() == 0 || facts.distinct() > 500 {
        return 0;
    }
    // Hardly a kind of event if nearly every row has another.
    if facts.distinct() * 3 > facts.present() && facts.distinct() > 3 {
        return 0;
    }
    let named = match column.plain.as_str() {
        "event" | "event_name" | "eventname" => 100,
        "event_type" | "eventtype" | "event_kind" => 98,
        "activity" | "activity_type" | "activity_name" => 70,
        "action" | "action_type" | "interaction" | "interaction_type" | "verb" => 70,
        "kind" | "type" | "name" | "operation" | "status" => 45,
        plain if plain.ends_with("event") || plain.starts_with("event") => 60,
        _ => 0,
    };
    if named == 0 || table.columns.len() < 2 {
        return 0;
    }
    let verbs = facts.values.as_ref().map_or(0, |values| {
        let with = values.keys().filter(|v| names::has_verb(v)).count();
        40 * with / values.len().max(1)
    });
    named + i32::try_from(verbs).unwrap_or(0)
}

/// What to look at closely in a table, given the guesses.
pub fn ask(tables: &[Table], guesses: &[Guess], table: &Table, guess: &Guess) -> Ask {
    let is_events = guess.customer.is_some() && guess.time.is_some();
    let elsewhere = |plain: &str| {
        tables.iter().zip(guesses).any(|(t, g)| {
            t.name != table.name
                && g.customer.is_some()
                && t.columns.iter().any(|c| keys_match(&c.plain, &table.name, plain))
        })
    };
    let mut keys: Vec<usize> = guess.customer.into_iter().collect();
    let key_like = |c: &Column| !c.partition && matches!(c.kind, Kind::Integer | Kind::Text | Kind::Uuid);
    if !is_events {
        let all = table.columns.iter().enumerate();
        keys.extend(
            all.filter(|(_, c)| key_like(c) && (is_bare_key(&c.plain) || elsewhere(&c.plain))).map(|(at, _)| at),
        );
    }
    keys.dedup();
    let few = |c: &Column| {
        c.facts.values.as_ref().is_some_and(|v| v.len() <= 400 && (v.len() as u64) * 3 < c.facts.present())
    };
    let values = table.columns.iter().enumerate();
    let values: Vec<usize> = values
        .filter(|(at, c)| few(c) && Some(*at) != guess.customer && Some(*at) != guess.event)
        .map(|(at, _)| at)
        .collect();
    let all = table.columns.iter().enumerate();
    let numbers =
        all.filter(|(_, c)| c.kind == Kind::Float && super::draft::is_money(&c.plain)).map(|(at, _)| at).collect();
    Ask { customer: guess.customer, time: guess.time, event: guess.event, keys, values, numbers }
}

fn is_bare_key(plain: &str) -> bool {
    matches!(plain, "id" | "key" | "code" | "sku" | "uuid" | "guid")
}

/// Whether column `column` of some table can point at the key `key` of table `table`.
fn keys_match(column: &str, table: &str, key: &str) -> bool {
    let one: Vec<String> = names::words(table).iter().map(|w| singular(w)).collect();
    column == key && !is_bare_key(key) || is_bare_key(key) && column == format!("{}_{key}", one.join("_"))
}

/// What a table is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    Events,
    /// One row a customer.
    Profile {
        customer: usize,
        created: Option<usize>,
        updated: Option<usize>,
        why: String,
    },
    /// One row a key; event tables point at it by a column each (table, column).
    Lookup {
        key: usize,
        from: Vec<(usize, usize)>,
        why: String,
    },
    LeftOut {
        why: String,
    },
}

/// Decides what each table is.
pub fn roles(tables: &[Table], guesses: &[Guess], measured: &[Measured]) -> Vec<Role> {
    let mut roles: Vec<Option<Role>> = vec![None; tables.len()];
    let mut profiles: Vec<(i32, usize, Role)> = Vec::new();
    for (at, ((table, guess), seen)) in tables.iter().zip(guesses).zip(measured).enumerate() {
        let Some(customer) = guess.customer else { continue };
        let (Some(column), Some(key)) = (table.columns.get(customer), seen.keys.get(&customer)) else { continue };
        let of_people = names::words(&table.name).iter().any(|w| {
            matches!(w.as_str(), "demographics" | "crm" | "demographic")
                || PEOPLE.iter().any(|(p, _)| *p == singular(w))
        });
        let personal = table.columns.iter().any(|c| pii(c).is_some());
        let unique = key.is_unique();
        let updated = table.columns.iter().position(|c| {
            matches!(c.kind, Kind::Instant | Kind::Date)
                && c.plain.split('_').any(|w| matches!(w, "updated" | "modified"))
        });
        let evidence = format!(
            "`{}`: {} distinct {}",
            column.name,
            super::scan::thousands(key.hashes.len() as u64),
            seen.of_rows()
        );
        let profile = |updated| Role::Profile {
            customer,
            created: created(table),
            updated,
            why: format!("one row a customer ({evidence})"),
        };
        let points =
            i32::from(of_people) * 100 + i32::from(personal) * 50 + i32::try_from(table.columns.len()).unwrap_or(0);
        let single = seen.kinds.iter().filter(|k| k.rows > 0).count() <= 1;
        match guess.time {
            _ if unique && guess.event.is_none() && (of_people || personal || guess.time.is_none()) => {
                profiles.push((points, at, profile(None)));
            }
            _ if !unique && of_people && single && guess.event.is_none() && updated.is_some() => {
                profiles.push((points, at, profile(updated)));
            }
            Some(_) if seen.kinds.iter().any(|k| k.usable > 0) => {
                if let Some(role) = roles.get_mut(at) {
                    *role = Some(Role::Events);
                }
            }
            Some(_) => set(&mut roles, at, "no row has both a customer and a time".to_owned()),
            None if guess.event.is_some() || !unique => {
                let text = table.columns.iter().any(|c| c.facts.mostly(c.facts.dates));
                let why = match text {
                    true => format!("times stand there as text, which is no time yet; convert them ({evidence})"),
                    false => {
                        format!("nothing says when: no column with times, and no single row a customer ({evidence})")
                    }
                };
                set(&mut roles, at, why);
            }
            None => {}
        }
    }
    // A table of people whose key has another name: users by `id`, where events speak of `user_id`.
    for (at, (table, seen)) in tables.iter().zip(measured).enumerate() {
        let known = roles.get(at).is_some_and(Option::is_some) || profiles.iter().any(|(_, p, _)| *p == at);
        if known {
            continue;
        }
        for (key, facts) in &seen.keys {
            let Some(column) = table.columns.get(*key) else { continue };
            let points_here = tables.iter().zip(guesses).zip(&roles).any(|((t, g), role)| {
                let customer = g.customer.and_then(|c| t.columns.get(c));
                *role == Some(Role::Events)
                    && customer.is_some_and(|c| {
                        c.kind == column.kind
                            && (is_bare_key(&column.plain) || c.plain == column.plain)
                            && share(c, facts) >= 0.5
                    })
            });
            let of_people = names::words(&table.name).iter().any(|w| PEOPLE.iter().any(|(p, _)| *p == singular(w)));
            if facts.is_unique() && points_here && of_people {
                let distinct = super::scan::thousands(facts.hashes.len() as u64);
                let why = format!("one row a customer (`{}`: {distinct} distinct {})", column.name, seen.of_rows());
                profiles.push((90, at, Role::Profile { customer: *key, created: created(table), updated: None, why }));
                break;
            }
        }
    }
    profiles.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut first: Option<String> = None;
    for (_, at, role) in profiles {
        match &first {
            None => {
                first = tables.get(at).map(|t| t.name.clone());
                if let Some(slot) = roles.get_mut(at) {
                    *slot = Some(role);
                }
            }
            Some(name) => {
                set(&mut roles, at, format!("one row a customer too, but the profile is `{name}`; join the two files"))
            }
        }
    }
    lookups(tables, measured, &mut roles);
    let unused = |role: Option<Role>| {
        role.unwrap_or_else(|| Role::LeftOut {
            why: "no customer in it, and no event points at a key of it".to_owned(),
        })
    };
    roles.into_iter().map(unused).collect()
}

fn set(roles: &mut [Option<Role>], at: usize, why: String) {
    if let Some(role) = roles.get_mut(at) {
        *role = Some(Role::LeftOut { why });
    }
}

fn lookups(tables: &[Table], measured: &[Measured], roles: &mut [Option<Role>]) {
    for (at, (table, seen)) in tables.iter().zip(measured).enumerate() {
        if roles.get(at).is_some_and(Option::is_some) {
            continue;
        }
        let mut best: Option<(u64, Role)> = None;
        for (key, facts) in &seen.keys {
            let Some(column) = table.columns.get(*key) else { continue };
            if !facts.is_unique() || facts.missing > 0 {
                continue;
            }
            let mut from = Vec::new();
            let mut shares: BTreeMap<usize, u32> = BTreeMap::new();
            for (other, (t, role)) in tables.iter().zip(roles.iter()).enumerate() {
                if *role != Some(Role::Events) {
                    continue;
                }
                let points = t
                    .columns
                    .iter()
                    .position(|c| c.kind == column.kind && keys_match(&c.plain, &table.name, &column.plain));
                if let Some(on) = points
                    && let Some(c) = t.columns.get(on)
                    && share(c, facts) >= 0.5
                {
                    from.push((other, on));
                    shares.insert(other, (share(c, facts) * 100.0) as u32);
                }
            }
            let others = table.columns.len() > 1;
            if !from.is_empty() && others {
                let named: Vec<String> = from
                    .iter()
                    .filter_map(|(t, c)| Some((t, tables.get(*t)?, c)))
                    .filter_map(|(t, table, c)| {
                        let percent = shares.get(t).copied().unwrap_or(0);
                        Some(format!(
                            "{percent} % of the sampled `{}` of `{}` stand here",
                            table.columns.get(*c)?.name,
                            table.name
                        ))
                    })
                    .collect();
                let distinct = super::scan::thousands(facts.hashes.len() as u64);
                let why = format!("`{}` is unique ({distinct} {}); {}", column.name, seen.of_rows(), named.join(", "));
                let points = facts.hashes.len() as u64;
                if best.as_ref().is_none_or(|(most, _)| points > *most) {
                    best = Some((points, Role::Lookup { key: *key, from, why }));
                }
            }
        }
        if let (Some((_, role)), Some(slot)) = (best, roles.get_mut(at)) {
            *slot = Some(role);
        }
    }
}

/// The share of a column's sampled distinct values that are among the keys.
fn share(column: &Column, key: &super::scan::KeyFacts) -> f64 {
    let there = column.facts.hashes.iter().filter(|h| key.hashes.contains(h)).count();
    there as f64 / column.facts.hashes.len().max(1) as f64
}

fn created(table: &Table) -> Option<usize> {
    let is = |c: &Column| {
        let words: Vec<&str> = c.plain.split('_').collect();
        let telling = [
            "created",
            "creation",
            "signup",
            "registered",
            "registration",
            "joined",
            "join",
            "since",
            "enrolled",
            "enrolment",
        ];
        matches!(c.kind, Kind::Instant | Kind::Date)
            && (words.iter().any(|w| telling.contains(w))
                || c.plain.starts_with("sign_up")
                || c.plain.starts_with("first_seen"))
    };
    table.columns.iter().position(is)
}

/// What of a person a column seems to hold, in words.
pub fn pii(column: &Column) -> Option<&'static str> {
    let words: Vec<&str> = column.plain.split('_').collect();
    let any = |list: &[&str]| words.iter().any(|w| list.contains(w));
    let plain = column.plain.as_str();
    let text = column.kind == Kind::Text;
    if text && column.facts.mostly(column.facts.emails) {
        return Some("its values are e-mail addresses");
    }
    if text && column.facts.mostly(column.facts.phones) {
        return Some("its values are telephone numbers");
    }
    let yes_no = column.kind == Kind::YesNo;
    if yes_no {
        return None;
    }
    if any(&["birth", "birthday", "birthdate", "dob", "birthdat"]) {
        return Some("a date of birth");
    }
    if !text && !(any(&["phone", "mobile", "ssn", "iban"]) && column.kind == Kind::Integer) {
        return None;
    }
    if plain == "email" || plain == "e_mail" || plain.ends_with("email_address") || plain.ends_with("_email") {
        return Some("an e-mail address");
    }
    if any(&["phone", "mobile", "telephone", "msisdn", "tel"]) {
        return Some("a telephone number");
    }
    if matches!(
        plain,
        "first_name" | "last_name" | "full_name" | "surname" | "firstname" | "lastname" | "family_name" | "given_name"
    ) || (any(&["name"]) && any(&["customer", "user", "contact", "member", "person"]))
        || (plain == "name" && names::words(plain).len() == 1 && column.facts.values.is_none())
    {
        return Some("a person's name");
    }
    let many = column.facts.distinct() > 50;
    if any(&["address", "street", "postcode"]) || plain == "zip" || (any(&["zip"]) && many) {
        return Some("an address");
    }
    if any(&["ip", "ssn", "iban", "passport", "license"]) {
        return Some("it may tell who somebody is");
    }
    None
}

/// The rows of a sampled column as cells, batch by batch.
pub fn cells(table: &Table, at: usize) -> Vec<Cells> {
    let Some(column) = table.columns.get(at) else { return Vec::new() };
    table.sample.iter().filter_map(|batch| Some(Cells::of(batch.get(at)?, &column.kind))).collect()
}
