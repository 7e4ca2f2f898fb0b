//! What tables are for.
//!
//! Owns: the guess which tables hold events, profiles and look-ups, the reason for each, and what to look at closely for that.
//! Must not know: how the guess is written down.

use std::collections::BTreeMap;

use super::columns::{Guess, PEOPLE, created, pii};
use super::measure::{Ask, KeyFacts, Measured};
use super::names::{self, singular};
use super::table::{Cells, Column, Kind, Table};

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
        all.filter(|(_, c)| c.kind == Kind::Float && super::property::is_money(&c.plain)).map(|(at, _)| at).collect();
    Ask { customer: guess.customer, time: guess.time, event: guess.event, keys, values, numbers }
}

fn is_bare_key(plain: &str) -> bool {
    matches!(plain, "id" | "key" | "code" | "sku" | "uuid" | "guid")
}

/// Whether column `column` of some table can point at the key `key` of table `table`.
fn keys_match(column: &str, table: &str, key: &str) -> bool {
    let one: Vec<String> = names::words(table).iter().map(|w| singular(w)).collect();
    // `product` may point at `product_id`; whether it does is seen in the values.
    let short = ["_id", "_key", "_code", "_sku"].iter().find_map(|end| key.strip_suffix(end));
    if is_bare_key(key) {
        column == format!("{}_{key}", one.join("_")) || column == one.join("_")
    } else {
        column == key || short == Some(column)
    }
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
fn share(column: &Column, key: &KeyFacts) -> f64 {
    let there = column.facts.hashes.iter().filter(|h| key.hashes.contains(h)).count();
    there as f64 / column.facts.hashes.len().max(1) as f64
}

/// The rows of a sampled column as cells, batch by batch.
pub fn cells(table: &Table, at: usize) -> Vec<Cells> {
    let Some(column) = table.columns.get(at) else { return Vec::new() };
    table.sample.iter().filter_map(|batch| Some(Cells::of(batch.get(at)?, &column.kind))).collect()
}
