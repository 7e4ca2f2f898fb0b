//! Columns as properties of events and attributes of customers.
//!
//! Owns: types, known values and subjects.
//! Promises: a personal value is never copied. Must not know: which tables there are.

use std::collections::{BTreeMap, BTreeSet};

use unicode_normalization::UnicodeNormalization;

use super::columns::{Guess, pii};
use super::draft::{Found, Known, Property};
use super::measure::{KindFacts, Measured};
use super::names;
use super::roles::Role;
use super::scan::{Facts, list_values, thousands};
use super::table::{Column, Kind, Table};
use crate::language::catalog::Type;

/// Values of a set that may be closed.
pub(super) const CLOSED: usize = 24;
/// Values that a subject may have.
const SUBJECTS: usize = 400;

/// Whether the column can be a property at all, and why not.
pub(super) fn usable(column: &Column) -> Result<(), String> {
    match &column.kind {
        Kind::Other(what) => Err(format!("{what}: the language has no type for it")),
        Kind::Uuid => Err("UUIDs are read as customer ids only".to_owned()),
        _ if column.facts.rows > 0 && column.facts.missing == column.facts.rows => Err("it is empty".to_owned()),
        Kind::Text
            if column.partition
                && (matches!(
                    column.plain.as_str(),
                    "date" | "dt" | "day" | "year" | "month" | "hour" | "ds" | "event_date" | "week"
                ) || column.facts.mostly(column.facts.dates)) =>
        {
            Err("a folder's date says what the time column says".to_owned())
        }
        _ => Ok(()),
    }
}

pub(super) fn properties(
    found: &Found<'_>,
    at: usize,
    table: &Table,
    guess: &Guess,
    kind: &KindFacts,
    seen: &Measured,
    budget: &mut usize,
) -> Vec<Property> {
    let mut taken = BTreeSet::new();
    let mut properties = Vec::new();
    let used = |column: usize| {
        Some(column) == guess.customer || Some(column) == guess.event || guess.time.is_some_and(|(t, _)| t == column)
    };
    for (column, facts) in table.columns.iter().enumerate() {
        // A column that is empty for this kind says nothing about it.
        let empty = kind.sampled >= 20 && kind.filled.get(column).copied().unwrap_or(0) == 0;
        if used(column) || empty {
            continue;
        }
        let own = kind.values.get(&column);
        if let Ok(mut property) = property(table, column, facts, own, seen, budget) {
            let share = kind.filled.get(column).copied().unwrap_or(0).saturating_mul(100) / kind.sampled.max(1);
            if kind.sampled > 0 && share < 99 {
                property.why = format!("{}; {share} % have one", property.why);
            }
            property.name = names::unique(names::name_for(&facts.name, names::PROPERTY), &mut taken);
            properties.push(property);
        }
    }
    for ((dimension, role), measured) in found.tables.iter().zip(found.roles).zip(found.measured) {
        let Role::Lookup { key, from, .. } = role else { continue };
        let Some((_, on)) = from.iter().find(|(t, _)| *t == at) else { continue };
        if kind.sampled >= 20 && kind.filled.get(*on).copied().unwrap_or(0) == 0 {
            continue;
        }
        let Some(on) = table.columns.get(*on) else { continue };
        for (column, facts) in dimension.columns.iter().enumerate() {
            // A column that the rows themselves have too, with the same values, is not looked up.
            let own = table.columns.iter().find(|c| c.plain == facts.plain && c.kind == facts.kind);
            let same = own.is_some_and(|own| {
                let both = own.facts.hashes.intersection(&facts.facts.hashes).count();
                both * 2 >= own.facts.hashes.len().min(facts.facts.hashes.len())
            });
            if column == *key || same {
                continue;
            }
            let values = measured.kinds.first().and_then(|k| k.values.get(&column));
            if let Ok(mut property) = property(dimension, column, facts, values, measured, budget) {
                let wish = names::name_for(&facts.name, names::PROPERTY);
                let wish =
                    if taken.contains(&wish) { format!("{}_{wish}", names::singular(&dimension.name)) } else { wish };
                property.name = names::unique(wish, &mut taken);
                property.lookup = Some((dimension.name.clone(), on.name.clone()));
                property.pii = false;
                properties.push(property);
            }
        }
    }
    properties
}

/// A column as a property, its name still to be given.
pub(super) fn property(
    table: &Table,
    at: usize,
    column: &Column,
    values: Option<&BTreeMap<String, u64>>,
    seen: &Measured,
    budget: &mut usize,
) -> Result<Property, String> {
    let whole = table.sample_is_all || seen.whole();
    let decimals = seen.decimals.get(&at).copied().unwrap_or(0).max(column.facts.decimals);
    usable(column)?;
    let personal = pii(column);
    let (ty, mut why) = type_of(column, decimals);
    if !why.is_empty() && !table.sample_is_all {
        why.push_str(" in the sample");
    }
    let mut known = None;
    if let (Type::Text | Type::TextList, None) = (ty, personal) {
        let own;
        let values = match (ty, values) {
            (Type::TextList, _) => {
                own = list_values(table, at);
                own.as_ref()
            }
            (_, values) => values,
        };
        if let Some(values) = values {
            let (listed, total) = ranked(values);
            let rows: u64 = values.values().sum();
            let few = total <= CLOSED && (rows > total as u64 * 3 || total <= 3);
            if few || is_subject(&column.plain) && total <= SUBJECTS {
                // A set is closed on good evidence only: many rows, all of them read.
                let closed = few && whole && ty == Type::Text && rows >= 100 && rows >= 10 * total as u64;
                if listed.len() <= *budget && !listed.is_empty() {
                    *budget -= listed.len();
                    why = format!("{total} distinct");
                    if !whole {
                        why.push_str(" in a sample");
                    }
                    known = Some(Known { values: listed, closed, shared: None });
                }
            }
        }
    }
    if known.is_none() && why.is_empty() && ty == Type::Text {
        let distinct = thousands(column.facts.distinct());
        why = format!("{distinct} distinct in {} sampled rows", thousands(column.facts.rows));
    }
    if let Some(personal) = personal {
        why = personal.to_owned();
    }
    let column_name = column.name.clone();
    Ok(Property { name: String::new(), ty, column: column_name, lookup: None, known, pii: personal.is_some(), why })
}

/// Texts, NFC and without repeats, most frequent first, and how many there are.
pub(super) fn ranked(values: &BTreeMap<String, u64>) -> (Vec<String>, usize) {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for (text, n) in values {
        *counts.entry(text.nfc().collect()).or_insert(0) += n;
    }
    let mut listed: Vec<(String, u64)> = counts.into_iter().collect();
    listed.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let total = listed.len();
    (listed.into_iter().map(|(text, _)| text).collect(), total)
}

pub(super) fn type_of(column: &Column, decimals: u8) -> (Type, String) {
    let range = |facts: &Facts| match (facts.min, facts.max) {
        (Some(min), Some(max)) => format!("{min} to {max}"),
        _ => String::new(),
    };
    let facts = &column.facts;
    match &column.kind {
        Kind::Integer if facts.min >= Some(0.0) && facts.max <= Some(1.0) => {
            (Type::Integer, "0 or 1 in every row".to_owned())
        }
        Kind::Integer => (Type::Integer, range(facts)),
        Kind::Decimal(0) => (Type::Integer, range(facts)),
        Kind::Decimal(scale) if *scale <= 9 => (Type::Money { scale: *scale }, range(facts)),
        Kind::Float if is_money(&column.plain) && decimals <= 4 => {
            let scale = decimals.max(2);
            (Type::Money { scale }, format!("{}, at most {decimals} decimal places", range(facts)))
        }
        Kind::Float | Kind::Decimal(_) => (Type::Number, range(facts)),
        Kind::YesNo => (Type::YesNo, String::new()),
        Kind::Date => (Type::Date, String::new()),
        Kind::Instant => (Type::Instant, String::new()),
        Kind::TextList => (Type::TextList, String::new()),
        _ if facts.mostly(facts.dates) => (Type::Text, "dates as text; convert the column to compare them".to_owned()),
        _ => (Type::Text, String::new()),
    }
}

pub fn is_money(plain: &str) -> bool {
    let money = [
        "amount", "price", "value", "revenue", "total", "cost", "spend", "spent", "sales", "disc", "discount",
        "dollar", "dollars", "eur", "usd", "gbp", "fee", "tax", "paid", "payment", "balance", "gmv", "net", "gross",
        "refund", "budget", "history", "turnover", "margin", "profit", "money", "credit", "debit",
    ];
    plain.split('_').any(|w| money.contains(&w))
}

/// How well a property answers "what was it about": less is better.
pub(super) fn subject_rank(plain: &str) -> Option<usize> {
    let ranks: [&[&str]; 4] = [
        &["category", "product_category", "item_category", "categories", "category_name", "product_group"],
        &["product", "product_name", "item", "item_name", "product_type", "article", "title", "sku", "product_id"],
        &["department", "collection", "genre", "topic", "campaign", "campaign_name", "subject", "campaign_type"],
        &["page", "section", "template", "subcategory", "list"],
    ];
    ranks.iter().position(|names| names.contains(&plain))
}

pub(super) fn is_subject(plain: &str) -> bool {
    subject_rank(plain).is_some()
}

/// At most two properties that a bare subject may match: they have known values, and none of them in common.
pub(super) fn subject(properties: &[Property]) -> Vec<String> {
    let mut ranked: Vec<(usize, usize)> = properties
        .iter()
        .enumerate()
        .filter(|(_, p)| p.ty == Type::Text && p.known.is_some())
        .filter_map(|(at, p)| Some((subject_rank(&names::plain(&p.column))?, at)))
        .collect();
    ranked.sort_unstable();
    let mut chosen: Vec<usize> = Vec::new();
    let mut values: BTreeSet<&str> = BTreeSet::new();
    for (_, at) in ranked {
        let Some(known) = properties.get(at).and_then(|p| p.known.as_ref()) else { continue };
        let common = known.values.iter().any(|v| values.contains(v.as_str()));
        if chosen.len() < 2 && !common {
            chosen.push(at);
            values.extend(known.values.iter().map(String::as_str));
        }
    }
    chosen.iter().filter_map(|at| properties.get(*at)).map(|p| p.name.clone()).collect()
}
