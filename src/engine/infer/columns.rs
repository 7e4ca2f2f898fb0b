//! What columns are for.
//!
//! Owns: the guess which columns hold customer, time and event, and which hold what of a person.
//! Promises: a hint of the caller always wins over a guess; a hint that fits no table is an error with the nearest column.
//! Must not know: what the tables are.

use super::names::{self, singular};
use super::table::{Column, Kind, Table};
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
            let is_none = flag == "--event" && hint == "none";
            if !is_none && !tables.iter().any(|t| hinted(t, hint).is_some()) {
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
pub const PEOPLE: &[(&str, i32)] = &[
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

/// The column that says since when there is a customer.
pub fn created(table: &Table) -> Option<usize> {
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
    let number = column.kind == Kind::Integer && any(&["phone", "mobile", "ssn", "iban"]);
    if !text && !number {
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
