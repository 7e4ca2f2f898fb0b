//! The draft as YAML that people read.
//!
//! Owns: the text of `segue.yaml` and `catalog.yaml` as `init` writes them, and the quoting of scalars.
//! Promises: whatever the files' names and values are, the text reads back as exactly them.
//! Must not know: how the guesses came about.

use std::fmt::Write as _;

use super::draft::{Draft, Event, Known, Property};
use super::scan::thousands;
use crate::language::catalog::{TimeUnit, Type};

/// Columns after which a line is broken.
const WIDTH: usize = 120;

/// What the project file says.
#[derive(Debug, Clone)]
pub struct ProjectDraft {
    pub name: String,
    pub timezone: String,
    pub timezone_why: String,
    pub currency: Option<String>,
    pub currency_why: String,
    /// Some data lies outside the project's folder.
    pub outside: bool,
}

/// The text of `segue.yaml`.
pub fn project(project: &ProjectDraft) -> String {
    let mut out = String::from("# The project: where things are and how to read them.\n");
    let mut line = |key: &str, value: &str, why: &str| {
        let _ = writeln!(out, "{}", commented(&format!("{key}: {value}"), why));
    };
    line("name", &scalar(&project.name), "");
    line("edition", "\"2026\"", "the edition of the language that the rules are written in");
    line("timezone", &scalar(&project.timezone), &project.timezone_why);
    match &project.currency {
        Some(currency) => line("currency", &scalar(currency), &project.currency_why),
        None => line("# currency", "EUR", &project.currency_why),
    }
    line("catalog", "catalog.yaml", "");
    line("rules", "rules", "");
    line("specs", "specs", "");
    line("output", "out", "");
    if project.outside {
        line("allow_outside", "true", "the data lies outside this folder");
    }
    out
}

/// The text of `catalog.yaml`.
pub fn catalog(draft: &Draft) -> String {
    let mut out = String::from(
        "# What the words of this project mean, and where the data is.\n\
         # Written by `segue init` from the files themselves; a comment says why. Everything here is yours to change.\n",
    );
    sources(&mut out, draft);
    if !draft.lookups.is_empty() {
        out.push_str("\nlookups:\n");
        for lookup in &draft.lookups {
            let _ = writeln!(out, "  {}:", scalar(&lookup.name));
            let _ = writeln!(out, "    path: {}", scalar(&lookup.path));
            let _ = writeln!(out, "{}", commented(&format!("    key: {}", scalar(&lookup.key)), &lookup.why));
        }
    }
    if !draft.shared.is_empty() {
        out.push_str("\n# Values that several events share. They may nest: `skincare: [serum, cream]`, and skincare includes both.\n");
        out.push_str("taxonomies:\n");
        for shared in &draft.shared {
            let _ = writeln!(out, "  # {}", printable(&shared.why));
            list(&mut out, &format!("  {}: ", scalar(&shared.name)), &shared.values, "");
        }
    }
    if !draft.events.is_empty() {
        out.push_str("\nevents:\n");
        for (at, event) in draft.events.iter().enumerate() {
            if at > 0 {
                out.push('\n');
            }
            event_text(&mut out, event);
        }
    }
    if let Some(profile) = &draft.profile {
        out.push_str("\nprofiles:\n");
        let _ = writeln!(out, "  path: {}", scalar(&profile.path));
        let _ = writeln!(out, "{}", commented(&format!("  customer: {}", scalar(&profile.customer)), &profile.why));
        if let Some(created) = &profile.created {
            let line = format!("  created: {}", scalar(created));
            let _ =
                writeln!(out, "{}", commented(&line, "who is created at or after the as-of instant is not there yet"));
        }
        if let Some(updated) = &profile.updated {
            let line = format!("  updated_at: {}", scalar(updated));
            let _ = writeln!(out, "{}", commented(&line, "customers have several rows; the latest counts"));
        }
        if !profile.attributes.is_empty() {
            out.push_str("  attributes:\n");
            for attribute in &profile.attributes {
                property(&mut out, attribute);
            }
        }
        left_out(&mut out, "  ", &profile.left_out);
    }
    out.push_str("\n# Words that may follow the arrow of a campaign: `purchased in 30d → offer`.\n");
    let consent = draft.profile.iter().flat_map(|p| &p.attributes).find(|a| {
        let name = super::names::plain(&a.name);
        a.ty == Type::YesNo
            && name.contains("mail")
            && (name.contains("consent") || name.contains("opt_in") || name.contains("optin"))
    });
    if let Some(consent) = consent {
        let _ = writeln!(out, "channels:\n  email: {{consent: {}}}\n", scalar(&consent.name));
        out.push_str("actions:\n  offer: {channel: email}\n");
    } else {
        out.push_str("actions:\n  offer:\n");
    }
    if !draft.left_out.is_empty() {
        out.push_str("\n# Not used:\n");
        for (table, why) in &draft.left_out {
            let _ = writeln!(out, "# - {}: {}", printable(table), printable(why));
        }
    }
    out
}

fn sources(out: &mut String, draft: &Draft) {
    if draft.sources.is_empty() {
        return;
    }
    out.push_str("\nsources:\n");
    for source in &draft.sources {
        let _ = writeln!(out, "  {}:", scalar(&source.name));
        let rows = format!("{} rows", thousands(source.rows));
        let _ = writeln!(out, "{}", commented(&format!("    path: {}", scalar(&source.path)), &rows));
        let line = format!("    customer: {}", scalar(&source.customer));
        let _ = writeln!(out, "{}", commented(&line, &source.customer_why));
        let _ = writeln!(out, "{}", commented(&format!("    time: {}", scalar(&source.time)), &source.time_why));
        if let Some(unit) = source.time_unit {
            let unit = match unit {
                TimeUnit::Second => "s",
                TimeUnit::Millisecond => "ms",
                TimeUnit::Microsecond => "us",
                TimeUnit::Nanosecond => "ns",
            };
            let _ = writeln!(
                out,
                "{}",
                commented(&format!("    time_unit: {unit}"), "the only unit that gives years from 1990 to 2100")
            );
        }
        match &source.event {
            Some(event) => {
                let line = format!("    event: {}", scalar(event));
                let _ = writeln!(out, "{}", commented(&line, &source.event_why));
            }
            None => out.push_str("    # no column of event names: every row is one kind of event\n"),
        }
        left_out(out, "    ", &source.left_out);
    }
    out.push_str("  # times without a zone are UTC unless a source says `timezone: Europe/Paris`\n");
}

fn left_out(out: &mut String, indent: &str, columns: &[(String, String)]) {
    for (column, why) in columns {
        let _ = writeln!(out, "{indent}# column {} is left out: {}", printable(column), printable(why));
    }
}

fn event_text(out: &mut String, event: &Event) {
    let rows = format!(
        "{} rows of {} customers{}",
        thousands(event.rows),
        thousands(event.customers),
        if event.whole { "" } else { " in the sample" }
    );
    let _ = writeln!(out, "{}", commented(&format!("  {}:", scalar(&event.name)), &rows));
    let _ = writeln!(out, "    source: {}", scalar(&event.source));
    if let Some(raw) = &event.raw
        && *raw != event.name
    {
        let _ = writeln!(out, "    raw: {}", scalar(raw));
    }
    if !event.aliases.is_empty() {
        list(out, "    aliases: ", &event.aliases, "");
    }
    if !event.subject.is_empty() {
        let why = format!("`{} VALUE` matches a known value of these", event.name);
        list(out, "    subject: ", &event.subject, &why);
    }
    let machine = ["machine", "is_machine", "bot", "is_bot", "prefetched", "automated"];
    if let Some(property) = event.properties.iter().find(|p| p.ty == Type::YesNo && machine.contains(&p.name.as_str()))
    {
        let line = format!("    # filter: not {}", property.name);
        let _ = writeln!(out, "{}", commented(&line, "take the first sign away to leave out what no person did"));
    }
    if event.session {
        out.push_str("    session: true\n");
    }
    if !event.properties.is_empty() {
        out.push_str("    properties:\n");
        for each in &event.properties {
            property_at(out, each, "      ");
        }
    }
}

fn property(out: &mut String, property: &Property) {
    property_at(out, property, "    ");
}

fn property_at(out: &mut String, property: &Property, indent: &str) {
    let mut fields = vec![format!("type: {}", type_name(property.ty))];
    if let Type::Money { scale } = property.ty
        && scale != 2
    {
        fields.push(format!("scale: {scale}"));
    }
    if property.column != property.name {
        fields.push(format!("column: {}", scalar(&property.column)));
    }
    if let Some((lookup, on)) = &property.lookup {
        fields.push(format!("lookup: {}", scalar(lookup)));
        fields.push(format!("on: {}", scalar(on)));
    }
    if property.pii {
        fields.push("pii: true".to_owned());
    }
    let name = scalar(&property.name);
    if let Some(Known { shared: Some(shared), closed, .. }) = &property.known {
        fields.push(format!("taxonomy: {}", scalar(shared)));
        if !closed {
            fields.push("closed: false".to_owned());
        }
    }
    let Some(Known { values, closed, shared: None }) = &property.known else {
        let _ = writeln!(out, "{}", commented(&format!("{indent}{name}: {{{}}}", fields.join(", ")), &property.why));
        return;
    };
    if !closed {
        fields.push("closed: false".to_owned());
    }
    let quoted: Vec<String> = values.iter().map(|v| scalar(v)).collect();
    let line = format!("{indent}{name}: {{{}, known: [{}]}}", fields.join(", "), quoted.join(", "));
    if line.chars().count() <= WIDTH {
        let _ = writeln!(out, "{}", commented(&line, &property.why));
        return;
    }
    let _ = writeln!(out, "{}", commented(&format!("{indent}{name}:"), &property.why));
    for field in fields {
        let _ = writeln!(out, "{indent}  {field}");
    }
    list(out, &format!("{indent}  known: "), values, "");
}

/// A list in brackets, broken over lines where it is long.
fn list(out: &mut String, head: &str, values: &[String], why: &str) {
    let indent = " ".repeat(head.len() - head.trim_start().len() + 2);
    let mut line = format!("{head}[");
    let mut first = true;
    for value in values {
        let text = scalar(value);
        if !first {
            line.push(',');
            if line.chars().count() + text.chars().count() + 2 > WIDTH {
                out.push_str(&line);
                out.push('\n');
                line = indent.clone();
            } else {
                line.push(' ');
            }
        }
        line.push_str(&text);
        first = false;
    }
    line.push(']');
    let _ = writeln!(out, "{}", commented(&line, why));
}

/// The line with a comment behind it, or above it where both do not fit.
fn commented(line: &str, why: &str) -> String {
    let why = printable(why);
    let width = line.chars().count();
    if why.is_empty() {
        line.to_owned()
    } else if width.max(32) + why.chars().count() + 3 <= WIDTH {
        format!("{line:<32} # {why}")
    } else {
        let indent = " ".repeat(line.len() - line.trim_start().len());
        format!("{indent}# {why}\n{line}")
    }
}

/// A comment ends with its line, whatever a column is called.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || is_hidden(c) { '\u{fffd}' } else { c }).collect()
}

/// The language's name of a type.
pub fn type_name(ty: Type) -> &'static str {
    match ty {
        Type::Text => "text",
        Type::Integer => "integer",
        Type::Money { .. } => "money",
        Type::Number => "number",
        Type::YesNo => "yes/no",
        Type::Date => "date",
        Type::Instant => "instant",
        Type::TextList => "list",
    }
}

/// A YAML scalar that reads back as exactly this text: bare where nobody can take it for something else, quoted otherwise.
pub fn scalar(text: &str) -> String {
    let first = text.chars().next();
    let bare = first.is_some_and(|c| c.is_alphabetic() || matches!(c, '_' | '/' | '.'))
        && !text.ends_with([' ', '.'])
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | ' '))
        && text.chars().any(char::is_alphabetic)
        && !text.contains(" -")
        && !text.contains("  ")
        && !is_word_of_yaml(text);
    if bare {
        return text.to_owned();
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() || is_hidden(c) => match u32::from(c) {
                n @ 0..=0xff => {
                    let _ = write!(out, "\\x{n:02x}");
                }
                n @ 0x100..=0xffff => {
                    let _ = write!(out, "\\u{n:04x}");
                }
                n => {
                    let _ = write!(out, "\\U{n:08x}");
                }
            },
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Characters that are no letters and change how lines break or run.
fn is_hidden(c: char) -> bool {
    matches!(c, '\u{a0}' | '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
        || matches!(c, '\u{fff0}'..='\u{ffff}' | '\u{e000}'..='\u{f8ff}')
}

/// Words that some reader of YAML takes for a truth, nothing or a number.
fn is_word_of_yaml(text: &str) -> bool {
    let lower = text.to_lowercase();
    let odd = ["yes", "no", "on", "off", "true", "false", "y", "n", "null", "nan", ".nan", ".inf", "inf", "infinity"];
    // `1e5`, `0x1f`, `.5` begin with a digit or a dot and are quoted anyway unless a letter comes first.
    odd.contains(&lower.as_str()) || text.starts_with('.') && text.chars().nth(1).is_some_and(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars() {
        let cases = [
            ("data/events", "data/events"),
            ("New York", "New York"),
            ("NO", "\"NO\""),
            ("yes", "\"yes\""),
            ("Off", "\"Off\""),
            ("007", "\"007\""),
            ("1e5", "\"1e5\""),
            ("", "\"\""),
            ("a: b", "\"a: b\""),
            ("a #b", "\"a #b\""),
            ("- x", "\"- x\""),
            ("x -y", "\"x -y\""),
            ("it's", "\"it's\""),
            ("a\"b\\c", "\"a\\\"b\\\\c\""),
            ("two  blanks", "\"two  blanks\""),
            ("tab\tnew\nline", "\"tab\\tnew\\nline\""),
            ("nul\u{0}", "\"nul\\x00\""),
            ("rtl\u{202e}", "\"rtl\\u202e\""),
            (" x", "\" x\""),
            ("x ", "\"x \""),
            ("café", "café"),
            ("日本", "日本"),
            ("null", "\"null\""),
            ("~", "\"~\""),
            ("anti-aging", "anti-aging"),
            (".5", "\".5\""),
        ];
        for (text, expected) in cases {
            assert_eq!(scalar(text), expected, "{text:?}");
        }
    }
}
