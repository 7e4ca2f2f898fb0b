//! A random catalog, as YAML text.

use super::dice::Dice;

/// Words that text columns hold. Some differ in case, accents or normal form only; some need quotes.
pub const WORDS: &[&str] = &[
    "serum",
    "cream",
    "Serum",
    "anti-aging",
    "anti-âge",
    "anti-a\u{302}ge",
    "ANTI-ÂGE",
    "New York",
    "7up",
    "NO",
    "no",
    "Straße",
    "x",
    "a*b",
    "say \"hi\"",
    "back\\slash",
    "日本",
    "-5",
    "in",
];

/// A column that properties may have.
struct Column {
    name: &'static str,
    /// What follows `type:` in YAML, without braces.
    spec: String,
    /// Text, so that it may be a subject.
    text: bool,
}

fn known(dice: &mut Dice, words: &[&str]) -> String {
    let quoted = |w: &str| format!("'{}'", w.replace('\'', "''"));
    let entries: Vec<String> = words
        .iter()
        .enumerate()
        .map(|(i, w)| match i {
            0 if dice.chance(50) => format!("{{value: {}, aliases: [first_{}]}}", quoted(w), dice.below(9)),
            _ => quoted(w),
        })
        .collect();
    let closed = if dice.chance(50) { "" } else { ", closed: false" };
    format!(", known: [{}]{closed}", entries.join(", "))
}

/// The flags of a text column: known values, folding, empty text.
fn text(dice: &mut Dice, words: &[&str], may_know: bool) -> String {
    let mut spec = "text".to_owned();
    if may_know && dice.chance(60) {
        spec += &known(dice, words);
    }
    if dice.chance(30) {
        spec += ", case: fold";
    }
    if dice.chance(25) {
        spec += ", empty: value";
    }
    spec
}

fn columns(dice: &mut Dice, tag: &str) -> Vec<Column> {
    let money = format!("money, scale: {}", dice.pick(&[0, 2, 2, 3, 9]));
    let category = match dice.below(3) {
        0 => "text, taxonomy: categories".to_owned(),
        1 => "text, taxonomy: categories, closed: false".to_owned(),
        _ => text(dice, &["hair", "nails", "skin"], true),
    };
    let all = vec![
        Column { name: "category", spec: category, text: true },
        Column { name: "product", spec: text(dice, &["serum", "cream", "7up", "New York"], true), text: true },
        Column { name: "note", spec: text(dice, &["gift", "Straße"], false), text: true },
        Column { name: "quantity", spec: "integer".into(), text: false },
        Column { name: "points", spec: "integer".into(), text: false },
        Column { name: "amount", spec: money, text: false },
        Column { name: "ratio", spec: "number".into(), text: false },
        Column { name: "machine", spec: "yes/no".into(), text: false },
        Column { name: "due", spec: "date".into(), text: false },
        Column { name: "expiry", spec: "instant".into(), text: false },
        Column {
            name: "labels",
            spec: if dice.chance(50) { "list".into() } else { "list, known: [vip, new, serum], closed: false".into() },
            text: false,
        },
    ];
    let _ = tag;
    all.into_iter().filter(|_| dice.chance(65)).collect()
}

/// Two categories that look-ups give, so that a taxonomy is met through a join as well.
fn looked_up(dice: &mut Dice) -> Vec<(&'static str, String)> {
    let mut all = vec![("family", "text, taxonomy: categories".to_owned()), ("weight", "integer".to_owned())];
    all.retain(|_| dice.chance(70));
    all
}

const EVENTS: &[(&str, &str)] = &[
    ("purchased", "bought"),
    ("open", "opened"),
    ("viewed", "saw"),
    ("clicked", "tapped"),
    ("returned", "sent_back"),
    ("visited", "came"),
];

/// The catalog's YAML.
pub fn catalog(dice: &mut Dice) -> String {
    let mut yaml = String::from("sources:\n");
    let shared = dice.chance(80);
    let sources: Vec<&str> = if dice.chance(50) { vec!["activity", "shop"] } else { vec!["activity"] };
    let alone = dice.chance(40);
    for source in &sources {
        yaml += &format!("  {source}: {{path: data/{source}, customer: customer_id, time: ts, event: event}}\n");
    }
    if alone {
        yaml += "  calls: {path: data/calls, customer: who, time: at}\n";
    }
    yaml += "lookups:\n  products: {path: data/products.parquet, key: product_id}\n";
    yaml += "taxonomies:\n  categories:\n    skincare:\n      - anti-aging\n      - cleanser\n      - face: [vitamin-c, retinol]\n    makeup: [lipstick]\n";
    yaml += "events:\n";
    let count = 2 + dice.below(EVENTS.len() - 1);
    let pools: Vec<Vec<Column>> = sources.iter().map(|s| columns(dice, s)).collect();
    for (i, (name, alias)) in EVENTS.iter().enumerate().take(count) {
        let at = dice.below(sources.len());
        let own: Vec<&Column> = pools[at].iter().filter(|_| dice.chance(if shared { 80 } else { 50 })).collect();
        event(dice, &mut yaml, name, alias, sources[at], i, &own);
    }
    if alone {
        let own = columns(dice, "calls");
        let own: Vec<&Column> = own.iter().collect();
        event(dice, &mut yaml, "called", "phoned", "calls", usize::MAX, &own);
    }
    if sources.len() == 2 || dice.chance(50) {
        twins(&mut yaml);
    }
    let profiles = dice.chance(85);
    if profiles {
        attributes(dice, &mut yaml);
    }
    if dice.chance(60) {
        yaml += "lists:\n  staff: {path: lists/staff.csv, column: id}\n  blocked: {path: lists/blocked.txt}\n";
    }
    let population = if profiles { *dice.pick(&["all", "all", "profiles", "events"]) } else { "all" };
    yaml += &format!(
        "population: {population}\nchannels:\n  email:\n  push:\nactions:\n  offer: {{channel: email}}\n  call:\n"
    );
    yaml
}

fn event(dice: &mut Dice, yaml: &mut String, name: &str, alias: &str, source: &str, at: usize, own: &[&Column]) {
    *yaml += &format!("  {name}:\n    source: {source}\n");
    if at != usize::MAX {
        match dice.below(4) {
            0 => *yaml += &format!("    raw: [raw_{at}_a, raw_{at}_b]\n"),
            1 => *yaml += &format!("    raw: {{prefix: \"p{at}.\"}}\n"),
            2 => *yaml += &format!("    raw: [raw_{at}, {{prefix: \"p{at}.\"}}]\n"),
            _ => {}
        }
    }
    if dice.chance(60) {
        *yaml += &format!("    aliases: [{alias}]\n");
    }
    if dice.chance(50) {
        *yaml += "    session: true\n";
    }
    if dice.chance(30) {
        *yaml += "    event_id: line_id\n";
    }
    let mut lines = String::new();
    let mut subjects = Vec::new();
    let mut product = false;
    for column in own {
        let renamed = dice.chance(15);
        let property = if renamed { format!("the_{}", column.name) } else { column.name.to_owned() };
        let place = if renamed { format!(", column: {}", column.name) } else { String::new() };
        product |= column.name == "product";
        let knows = column.spec.contains("known") || column.spec.contains("taxonomy");
        if column.text && knows && dice.chance(70) {
            subjects.push(property.clone());
        }
        lines += &format!("      {property}: {{type: {}{place}}}\n", column.spec);
    }
    if product {
        for (name, spec) in looked_up(dice) {
            if name == "family" && !own.iter().any(|c| c.spec.contains("taxonomy")) && dice.chance(70) {
                subjects.push(name.to_owned());
            }
            lines += &format!("      {name}: {{type: {spec}, lookup: products, on: product}}\n");
        }
    }
    if !subjects.is_empty() {
        *yaml += &format!("    subject: [{}]\n", subjects.join(", "));
    }
    if own.iter().any(|c| c.name == "machine") && lines.contains("      machine:") && dice.chance(60) {
        *yaml += if dice.chance(50) { "    filter: not machine\n" } else { "    filter: machine is known\n" };
    } else if lines.contains("      quantity:") && dice.chance(40) {
        *yaml += if dice.chance(50) {
            "    filter: quantity > 0\n"
        } else {
            "    filter: quantity ≠ 2 or quantity is unknown\n"
        };
    }
    if !lines.is_empty() {
        *yaml += "    properties:\n";
        *yaml += &lines;
    }
}

/// Two events that share their raw name; a filter tells them apart.
fn twins(yaml: &mut String) {
    for (name, filter) in [("liked", "'tone = good'"), ("disliked", "'tone ≠ good'")] {
        *yaml += &format!("  {name}:\n    source: activity\n    raw: judged\n    filter: {filter}\n    properties:\n");
        *yaml += "      tone: {type: text, known: [good, bad], closed: false}\n      stars: {type: integer}\n";
    }
}

fn attributes(dice: &mut Dice, yaml: &mut String) {
    *yaml += "profiles:\n  path: data/profiles.parquet\n  customer: customer_id\n";
    if dice.chance(70) {
        *yaml += "  created: created_at\n";
    }
    let country = match dice.below(3) {
        0 => "text, known: [FR, DE, {value: IT, aliases: [italy]}]",
        1 => "text, known: [FR, DE, NO], closed: false, case: fold",
        _ => "text, empty: value",
    };
    let all = [
        ("country", country),
        ("city", "text"),
        ("age", "integer"),
        ("balance", "money"),
        ("score", "number"),
        ("is_member", "yes/no"),
        ("birth_date", "date"),
        ("last_seen", "instant"),
        ("tags", "list"),
    ];
    let kept = dice.some(&all, 75);
    if kept.is_empty() {
        return;
    }
    *yaml += "  attributes:\n";
    for (name, spec) in kept {
        *yaml += &format!("    {name}: {{type: {spec}}}\n");
    }
}
