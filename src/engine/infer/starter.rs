//! A first file of rules.
//!
//! Owns: choosing rules that check against the drafted catalog and that somebody fulfils in the data that was read.
//! Must not know: files.

use std::fmt::Write as _;

use super::draft::{Draft, Event, Property, day};
use super::measure::STEPS;
use super::names;
use super::scan::thousands;
use crate::language::catalog::Type;

/// Days of a window that a first rule looks back.
const DAYS: i64 = 90;
const DAY: i64 = 86_400_000_000;

/// The text of `rules/first.seg`. `now` is in microseconds UTC.
pub fn rules(draft: &Draft, now: i64) -> String {
    let mut out = String::from("# First rules, written by `segue init`. Run them: segue run\n");
    let past: Vec<&Event> = draft.events.iter().filter(|e| e.first < now).collect();
    let buys = |e: &Event| names::is_purchase(&e.name) || e.aliases.iter().any(|a| a == "purchased");
    let main = past.iter().copied().max_by_key(|e| (buys(e), e.customers, e.rows));
    match main {
        Some(event) => events(&mut out, event, now),
        None => profile(&mut out, draft),
    }
    out
}

fn events(out: &mut String, event: &Event, now: i64) {
    let name = spoken(event);
    let last = event.last.min(now);
    let fresh = now.saturating_sub(last) < 30 * DAY;
    if fresh && event.last < now {
        let _ = writeln!(out, "\n# The last row is of {}.", day(event.last));
        let _ = writeln!(out, "segment recent:\n  {name} in {DAYS}d");
    } else if event.last < now {
        let _ = writeln!(
            out,
            "\n# The data ends on {}, so this one counts back from there. `{name} in {DAYS}d` looks back from today,\n\
             # or from the day that `segue run --as-of {}` names.",
            day(event.last),
            day(event.last.saturating_add(DAY)),
        );
        let _ = writeln!(out, "segment recent:\n  {name} since {}", day(event.last.saturating_sub(DAYS * DAY)));
    }
    // The highest step that at least a tenth of the customers reach, and somebody in any case.
    let enough = |(_, reached): &(u32, u64)| *reached > 0 && reached.saturating_mul(10) >= event.customers;
    let step = STEPS.into_iter().zip(event.at_least).collect::<Vec<_>>().into_iter().rev().find(enough);
    match step {
        Some((step, reached)) if event.last < now => {
            let sampled = if event.whole { "" } else { " of the rows that `init` read" };
            let _ = writeln!(out, "\n# {} of {} customers{sampled}.", thousands(reached), thousands(event.customers));
            let _ = writeln!(out, "segment frequent:\n  {name} ≥ {step}");
        }
        _ => {
            let _ = writeln!(out, "\n# {} customers.", thousands(event.customers));
            let _ = writeln!(out, "segment active:\n  {name}");
        }
    }
    let subject = event.subject.iter().find_map(|s| event.properties.iter().find(|p| p.name == *s));
    let value = subject.and_then(|p| p.known.as_ref()).and_then(|k| k.values.first());
    let money = event.properties.iter().find(|p| matches!(p.ty, Type::Money { .. }) && p.lookup.is_none());
    if value.is_some() || money.is_some() {
        out.push_str("\n# More to try:\n");
    }
    if let Some(value) = value {
        let _ = writeln!(out, "#   {name} {} ≥ 2 in {DAYS}d and no {name} in 30d", word(value));
    }
    if let Some(money) = money {
        let _ = writeln!(out, "#   sum({} of {name} in 12mo) ≥ 100", money.name);
    }
}

/// The form that reads best after a customer's name: `purchased` rather than `purchase`.
fn spoken(event: &Event) -> &str {
    let all = || std::iter::once(event.name.as_str()).chain(event.aliases.iter().map(String::as_str));
    if event.raw.is_some() {
        return all()
            .find(|a| a.ends_with("ed") && names::other_forms(&event.name).iter().any(|f| f == a))
            .unwrap_or(&event.name);
    }
    &event.name
}

fn profile(out: &mut String, draft: &Draft) {
    let attributes = || draft.profile.iter().flat_map(|p| &p.attributes).filter(|a| !a.pii);
    let closed = |a: &&Property| a.ty == Type::Text && a.known.as_ref().is_some_and(|k| !k.values.is_empty());
    if let Some(attribute) = attributes().find(closed)
        && let Some(value) = attribute.known.as_ref().and_then(|k| k.values.first())
    {
        let _ = writeln!(out, "\n# The most frequent {}.", attribute.name);
        let _ = writeln!(out, "segment first_look:\n  {} = {}", attribute.name, word(value));
    } else if let Some(attribute) = attributes().next() {
        let _ = writeln!(out, "\nsegment first_look:\n  {} is known", attribute.name);
    } else {
        out.push_str("\nsegment first_look:\n  everyone\n");
    }
}

/// A value in a rule, in quotes unless it is a plain word.
fn word(text: &str) -> String {
    if names::is_valid(text) && !names::is_taken_word(&text.to_lowercase()) {
        return text.to_owned();
    }
    let escaped: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("\"{}\"", escaped.replace('\\', "\\\\").replace('"', "\\\""))
}
