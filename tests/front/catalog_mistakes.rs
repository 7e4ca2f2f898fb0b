//! One row a mistake in YAML: the code and the text it underlines. Nothing else may be found.

use segue::language::catalog::load;
use segue::language::diagnostic::{Code, Diagnostic};
use segue::language::source::Sources;

use crate::catalog_schema::agrees;
use crate::support::{files, root};

pub fn load(kind: &str, text: &str) -> (Sources, Vec<Diagnostic>) {
    let mut sources = Sources::default();
    let id = sources.add(format!("{kind}.yaml"), text);
    let found = match kind {
        "segue" => load::project(sources.get(id).expect("added")).1,
        _ => load::catalog(&mut sources, id).1,
    };
    (sources, found)
}

/// Codes with the texts they underline, and the messages.
pub fn findings(kind: &str, text: &str) -> (Vec<(Code, String)>, Vec<String>) {
    let (sources, found) = load(kind, text);
    let underlined = |d: &Diagnostic| {
        let file = sources.get(d.primary.span.source).expect("a source");
        (d.code, file.slice(d.primary.span).to_owned())
    };
    (found.iter().map(underlined).collect(), found.iter().map(|d| d.message.clone()).collect())
}

/// `expected` has one `CODE text` a finding, in order.
#[track_caller]
pub fn check(kind: &str, text: &str, expected: &[&str]) {
    let (found, messages) = findings(kind, text);
    let shown: Vec<String> = found.iter().map(|(code, text)| format!("{code} {text}")).collect();
    assert_eq!(shown, expected, "{messages:#?}\n{text}");
    let codes: Vec<Code> = found.into_iter().map(|(code, _)| code).collect();
    agrees(kind, text, &codes);
    cures(kind, text);
    for message in messages {
        let first = message.chars().next().expect("a message");
        assert!(!first.is_uppercase() && !message.ends_with('.') && !message.contains('\n'), "{message}");
    }
}

/// What the cure of the first finding writes.
pub fn first_fix(kind: &str, text: &str) -> Option<String> {
    let (_, found) = load(kind, text);
    found.first()?.fix.as_ref()?.edits.first().map(|(_, text)| text.clone())
}

/// Each mechanical cure, made alone, leaves fewer findings.
#[track_caller]
fn cures(kind: &str, text: &str) {
    let (_, found) = load(kind, text);
    for d in &found {
        let Some(fix) = &d.fix else { continue };
        let mut cured = text.to_owned();
        for (span, with) in fix.edits.iter().rev() {
            cured.replace_range(span.range(), with);
        }
        let (_, left) = load(kind, &cured);
        let again = left.iter().any(|l| l.code == d.code && l.message == d.message && l.primary == d.primary);
        assert!(!again, "`{}` does not cure `{}`\n{cured}", fix.title, d.message);
    }
}

/// A catalog with one event whose properties are given.
fn with_properties(properties: &str) -> String {
    format!(
        "sources:\n  s: {{path: d, customer: c, time: t, event: e}}\nlookups:\n  items: {{path: i.parquet, key: item_id}}\ntaxonomies:\n  kinds: {{a: [b]}}\nevents:\n  bought:\n    source: s\n    properties: {properties}\n"
    )
}

/// A catalog with one source and these events.
fn with_events(events: &str) -> String {
    format!(
        "sources:\n  s: {{path: d, customer: c, time: t, event: e}}\n  bare: {{path: d, customer: c, time: t}}\nevents: {events}\n"
    )
}

const PROJECT: &str = "name: p\nedition: \"2026\"\ntimezone: UTC\n";

#[test]
fn shapes() {
    check("catalog", "sources: {s: {path: d, custmer: c, time: t}}", &["E0207 custmer"]);
    check("catalog", "sources: [a]", &["E0206 [a]"]);
    check("catalog", "- a\n- b\n", &["E0206 - a\n- b"]);
    check("catalog", "sources: {s: }", &["E0208 s"]);
    check("catalog", "sources:\n  s:\n    path:\n    customer: c\n    time: t\n", &["E0208 path"]);
    check("catalog", "sorces: {}\nwhatever: 1", &["E0207 sorces", "E0207 whatever"]);
    check("catalog", "offers: [a, a]", &["E0209 a"]);
    check("catalog", "offers: a", &["E0206 a"]);
    check("catalog", "offers: [1, true, null, [x]]", &["E0206 1", "E0206 true", "E0206 null", "E0206 [x]"]);
    check("catalog", "population: everybody", &["E0210 everybody"]);
    check("catalog", "population: profiles", &["E0216 profiles"]);
    check("catalog", &with_properties("{x: {type: txt}}"), &["E0210 txt"]);
    check("catalog", &with_properties("{x: {}}"), &["E0208 {}"]);
    check("catalog", &with_properties("{x: {type: text, pii: yes}}"), &["E0206 yes"]);
    check("catalog", &with_properties("{x: {type: money, scale: 10}}"), &["E0210 10"]);
    check("catalog", &with_properties("{x: {type: money, scale: two}}"), &["E0206 two"]);
    check("catalog", &with_properties("{x: {type: text, known: FR}}"), &["E0206 FR"]);
    check("catalog", &with_properties("{x: {type: text, known: [[FR]]}}"), &["E0206 [FR]"]);
    check("catalog", &with_properties("{x: {type: text, known: [{aliases: [a]}]}}"), &["E0208 aliases"]);
}

#[test]
fn repeats() {
    check("catalog", "population: all\npopulation: all\n", &["E0209 population"]);
    check("catalog", "lists:\n  a: {path: a.txt}\n  a: {path: b.txt}\n", &["E0209 a"]);
    check("catalog", &with_events("{a: {source: s, source: s}}"), &["E0209 source"]);
    check("catalog", &with_events("{a: {source: s, raw: [x, x]}}"), &["E0209 x"]);
    check("catalog", &with_properties("{x: {type: text}, x: {type: text}}"), &["E0209 x"]);
}

#[test]
fn one_namespace() {
    check(
        "catalog",
        &with_events("{a: {source: s}, b: {source: s, aliases: [a, c]}, c: {source: s}}"),
        &["E0213 a", "E0213 c"],
    );
    check("catalog", &with_events("{a: {source: s, aliases: a}}"), &["E0213 a"]);
    let text = with_events("{a: {source: s}}")
        + "profiles: {path: p, customer: c, attributes: {a: {type: text}}}\nlists: {a: {path: a.txt}}\n";
    check("catalog", &text, &["E0213 a", "E0213 a"]);
    // Composed and decomposed letters are one name.
    check("catalog", &with_events("{é: {source: s}, e\u{301}: {source: s}}"), &["E0213 e\u{301}"]);
}

#[test]
fn names() {
    check("catalog", &with_events("{7up: {source: s}}"), &["E0211 7up"]);
    check("catalog", &with_events("{\"order placed\": {source: s}}"), &["E0211 \"order placed\""]);
    check("catalog", &with_events("{a-: {source: s}, a--b: {source: s}}"), &["E0211 a-", "E0211 a--b"]);
    for word in [
        "first", "last", "no", "never", "count", "sum", "everyone", "known", "entered", "top", "within", "rate",
        "campaign",
    ] {
        check("catalog", &with_events(&format!("{{{word}: {{source: s}}}}")), &[&format!("E0212 {word}")]);
    }
    check("catalog", &with_properties("{no: {type: text}, \"true\": {type: text}}"), &["E0212 no"]);
    // These shadow the event's own hour, weekday and date.
    check("catalog", &with_properties("{hour: {type: integer}, weekday: {type: text}, date: {type: date}}"), &[]);
    check("catalog", "channels: {by: }\nactions: {a b: }\n", &["E0212 by", "E0211 a b"]);
    check(
        "catalog",
        "profiles: {path: p, customer: c, attributes: {first: {type: text}, rate: {type: number}}}",
        &["E0212 first"],
    );
}

#[test]
fn references() {
    check("catalog", &with_events("{a: {source: t}, b: {source: sss}}"), &["E0214 t", "E0214 sss"]);
    check("catalog", &with_properties("{x: {type: text, lookup: item}}"), &["E0214 item"]);
    check("catalog", &with_properties("{x: {type: text, taxonomy: kind}}"), &["E0214 kind"]);
    check("catalog", "actions: {offer: {channel: mail}}\nchannels: {email: }", &["E0214 mail"]);
    check("catalog", "channels: {email: {consent: agreed}}", &["E0214 agreed"]);
    let text =
        "profiles: {path: p, customer: c, attributes: {agreed: {type: text}}}\nchannels: {email: {consent: agreed}}";
    check("catalog", text, &["E0215 agreed"]);
    check("catalog", &with_events("{a: {source: s, subject: [x], properties: {y: {type: text}}}}"), &["E0214 x"]);
    check("catalog", &with_events("{a: {source: s, subject: y, properties: {y: {type: money}}}}"), &["E0215 y"]);
    check("catalog", &with_events("{a: {source: s, subject: [y, y], properties: {y: {type: text}}}}"), &["E0209 y"]);
}

#[test]
fn keys_that_mean_nothing_together() {
    check("catalog", &with_properties("{x: {type: integer, known: [1]}}"), &["E0216 1"]);
    check(
        "catalog",
        &with_properties("{x: {type: date, case: fold, empty: value, taxonomy: kinds}}"),
        &["E0216 fold", "E0216 value", "E0216 kinds"],
    );
    check("catalog", &with_properties("{x: {type: text, scale: 2}}"), &["E0216 2"]);
    check("catalog", &with_properties("{x: {type: text, on: y}}"), &["E0216 y"]);
    check("catalog", &with_properties("{x: {type: text, closed: true}}"), &["E0216 true"]);
    check("catalog", &with_properties("{x: {type: text, known: [a], taxonomy: kinds}}"), &["E0216 kinds"]);
    check("catalog", &with_events("{a: {source: bare, raw: x}}"), &["E0216 x"]);
    check("catalog", &with_events("{a: {source: s, raw: []}}"), &["E0208 a"]);
    check(
        "catalog",
        "lists: {a: {path: a.txt, column: c}, b: {path: b.parquet}, d: {path: d.xlsx}}",
        &["E0216 c", "E0208 b", "E0222 d.xlsx"],
    );
}

#[test]
fn known_values() {
    check("catalog", &with_properties("{x: {type: text, known: [NO, no, on, yes, 007, 1.50, true, ~]}}"), &["E0206 ~"]);
    check("catalog", &with_properties("{x: {type: text, known: [a, b, a]}}"), &["E0217 a"]);
    check(
        "catalog",
        &with_properties("{x: {type: text, known: [a, {value: b, aliases: [a, c]}, {value: d, aliases: c}]}}"),
        &["E0217 a", "E0217 c"],
    );
    check("catalog", &with_properties("{x: {type: text, known: [\"\"]}}"), &["E0217 \"\""]);
    check("catalog", &with_properties("{x: {type: text, empty: value, known: [\"\"]}}"), &[]);
    check("catalog", &with_properties("{x: {type: text, known: []}}"), &["E0217 x"]);
    check("catalog", &with_properties("{x: {type: text, known: [FR, fr]}}"), &[]);
    check("catalog", &with_properties("{x: {type: text, case: fold, known: [FR, fr]}}"), &["E0217 fr"]);
    let text = with_properties("{x: {type: text, case: fold, taxonomy: kinds}}").replace("a: [b]", "a: [A]");
    check("catalog", &text, &["E0217 fold"]);
}

#[test]
fn words_from_elsewhere() {
    for (theirs, ours) in [
        ("string", "text"),
        ("int", "integer"),
        ("boolean", "yes/no"),
        ("timestamp", "instant"),
        ("float", "number"),
        ("decimal", "money"),
    ] {
        let text = with_properties(&format!("{{x: {{type: {theirs}}}}}"));
        check("catalog", &text, &[&format!("E0210 {theirs}")]);
        let (_, found) = load("catalog", &text);
        let fix =
            found.first().and_then(|d| d.fix.as_ref()).and_then(|f| f.edits.first()).map(|(_, text)| text.as_str());
        assert_eq!(fix, Some(ours));
    }
}

#[test]
fn columns() {
    check("catalog", "sources: {s: {path: d, customer: '', time: \"\"}}", &["E0211 ''", "E0211 \"\""]);
    check("catalog", &with_properties("{x: {type: text, column: ''}}"), &["E0211 ''"]);
}

/// Thousands of names, each misspelt: no guess is worth minutes.
#[test]
fn many_mistakes_are_all_told() {
    let mut text = String::from("sources:\n");
    (0..3000).for_each(|i| text.push_str(&format!("  source_{i}: {{path: d, customer: c, time: t}}\n")));
    text.push_str("events:\n");
    (0..3000).for_each(|i| text.push_str(&format!("  e{i}: {{source: sourc_{i}}}\n")));
    let (_, found) = load("catalog", &text);
    assert_eq!(found.len(), 3000);
}

#[test]
fn taxonomies() {
    check("catalog", "taxonomies: {t: {a: [b, a]}}", &["E0217 a"]);
    check("catalog", "taxonomies: {t: {a: {b: {c: [a]}}}}", &["E0217 a"]);
    check("catalog", "taxonomies: {t: {a: [x], b: [x]}}", &["E0217 x"]);
    check("catalog", "taxonomies: {t: {a: [x], a: [y]}}", &["E0217 a"]);
    check("catalog", "taxonomies: {t: [a, {b: c}]}", &["E0206 c"]);
    check("catalog", "taxonomies: {t: a}", &["E0206 a"]);
    // Whatever uses a broken taxonomy says nothing of its own.
    check("catalog", &with_properties("{x: {type: text, taxonomy: kinds}}").replace("a: [b]", "a: [a]"), &["E0217 a"]);
}

#[test]
fn zones_and_paths() {
    check("catalog", "sources: {s: {path: d, customer: c, time: t, timezone: Paris}}", &["E0218 Paris"]);
    check("catalog", "profiles: {path: p, customer: c, timezone: CEST}", &["E0218 CEST"]);
    for path in ["../d", "/etc/passwd", "a/../../b", "\\\\server\\x", "C:/data", "~/data"] {
        check(
            "catalog",
            &format!("sources: {{s: {{path: '{path}', customer: c, time: t}}}}"),
            &[&format!("E0221 '{path}'")],
        );
    }
    for path in ["http://x/y", "file:///etc/passwd", "s3://", "", " "] {
        check(
            "catalog",
            &format!("sources: {{s: {{path: '{path}', customer: c, time: t}}}}"),
            &[&format!("E0222 '{path}'")],
        );
    }
    for path in ["d", "./d", "a/b..c/*.parquet", "s3://bucket/a/../b", "events/year=2026"] {
        check("catalog", &format!("sources: {{s: {{path: '{path}', customer: c, time: t}}}}"), &[]);
    }
}

#[test]
fn the_project_file() {
    check("segue", PROJECT, &[]);
    check(
        "segue",
        "name: p\nedition: 2026\ntimezone: Europe/Paris\ncurrency: EUR\nmemory_limit: 4GB\nformat: {style: ascii}\nrules: [a, b.seg]\n",
        &[],
    );
    check("segue", "name: p\n", &["E0208 name", "E0208 name"]);
    check(
        "segue",
        "name: p\nedition: 2025\ntimezone: europe/paris\ncurrency: EURO\n",
        &["E0210 2025", "E0218 europe/paris", "E0219 EURO"],
    );
    check("segue", &format!("{PROJECT}currency: $\nmemory_limit: lots\n"), &["E0219 $", "E0220 lots"]);
    check("segue", &format!("{PROJECT}memory_limit: 0\n"), &["E0220 0"]);
    check(
        "segue",
        &format!("{PROJECT}lints: {{E9999: warn, E0201: allow, E0206: eror}}\n"),
        &["E0226 E9999", "E0216 allow", "E0210 eror"],
    );
    check(
        "segue",
        &format!("{PROJECT}lints: {{E0440: warn, E0501: warn, E0523: allow, E0303: warn}}\n"),
        &["E0216 warn"],
    );
    check(
        "segue",
        &format!("{PROJECT}catalog: ../c.yaml\nrules: [/rules, rules]\noutput: s3://b/o\n"),
        &["E0221 ../c.yaml", "E0221 /rules", "E0222 s3://b/o"],
    );
    check("segue", &format!("{PROJECT}catalog: ../c.yaml\nallow_outside: true\n"), &[]);
    check("segue", &format!("{PROJECT}format: {{style: pretty, width: 80}}\n"), &["E0210 pretty", "E0207 width"]);
    check("segue", "name: ''\nedition: \"2026\"\ntimezone: UTC\n", &["E0211 ''"]);
}

#[test]
fn ten_mistakes_in_ten_entries() {
    let mut text = String::from("sources: {s: {path: d, customer: c, time: t, event: e}}\nevents:\n");
    let mut expected = Vec::new();
    for i in 0..10 {
        text.push_str(&format!("  e{i}: {{source: s, properties: {{p: {{typ{i}: text}}}}}}\n"));
        expected.push(format!("E0207 typ{i}"));
    }
    // A misspelt key is one mistake: the key that it stands for is not missed as well.
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    check("catalog", &text, &expected);
}

#[test]
fn a_broken_entry_is_known_by_its_name() {
    let mut sources = Sources::default();
    let text = "sources: {s: {path: d, customer: c}}\nevents: {a: {source: s, aliases: [b]}}\nprofiles: {path: p, customer: c, attributes: {x: {type: tex}}}\nlists: {l: {}}\n";
    let id = sources.add("catalog.yaml", text);
    let (catalog, found) = load::catalog(&mut sources, id);
    assert_eq!(found.len(), 3, "{found:#?}");
    let broken: Vec<String> = catalog.expect("a catalog").broken.into_keys().collect();
    assert_eq!(broken, ["a", "b", "l", "x"]);
}

/// The example on the page of each code shows that code and nothing else.
#[test]
fn the_pages_show_what_they_explain() {
    let mut shown = 0;
    for path in files(&root().join("grammar/codes"), "md") {
        let stem = path.file_stem().expect("named").to_string_lossy().into_owned();
        let page = std::fs::read_to_string(&path).expect("text");
        let Some((_, rest)) = page.split_once("```yaml\n").filter(|_| stem.starts_with("E02")) else { continue };
        let (example, _) = rest.split_once("```").expect("a closed block");
        let dir = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).expect("written");
        let whole = example.contains("edition:");
        write("segue.yaml", if whole { example } else { "name: p\nedition: 2026\ntimezone: UTC\n" });
        write("catalog.yaml", if whole { "offers: [a]\n" } else { example });
        let found = segue::project::load(dir.path()).expect("readable").diagnostics;
        let codes: Vec<&str> = found.iter().map(|d| d.code.as_str()).collect();
        assert_eq!(codes, [stem.as_str()], "{found:#?}");
        shown += 1;
    }
    assert!(shown >= 24, "{shown} pages with examples");
}

/// A catalog with these identities.
fn with_identities(identities: &str) -> String {
    format!("identities: {identities}\n")
}

#[test]
fn identities() {
    let table = |more: &str| with_identities(&format!("{{links: {{cookie: {{path: d, from: a, to: b{more}}}}}}}"));
    check("catalog", &table(""), &[]);
    check("catalog", &table(", time: t, time_unit: ms, timezone: Europe/Paris"), &[]);
    check("catalog", &table(", time: t, timezone: Paris"), &["E0218 Paris"]);
    check("catalog", &table(", time_unit: ms, timezone: UTC"), &["E0216 ms", "E0216 UTC"]);
    check("catalog", &table(", time: \"\""), &["E0211 \"\""]);
    check("catalog", &table(", tome: t"), &["E0207 tome"]);
    check("catalog", &with_identities("{links: {cookie: {path: ../d, from: a, to: a}}}"), &["E0221 ../d", "E0229 a"]);
    check("catalog", &with_identities("{links: {cookie: {path: d}}}"), &["E0208 path", "E0208 path"]);
    check("catalog", &with_identities("{links: {cookie: }}"), &["E0208 cookie"]);
    check("catalog", &with_identities("{links: {}}"), &["E0208 {links: {}}"]);
    check("catalog", &with_identities("{conflicts: error}"), &["E0208 conflicts"]);
    check("catalog", &with_identities("{links: [a]}"), &["E0206 [a]"]);
    let by_time = |what: &str, more: &str| {
        with_identities(&format!(
            "{{links: {{cookie: {{path: d, from: a, to: b{more}}}, card: {{path: d, from: c, to: b}}}}, conflicts: {what}}}"
        ))
    };
    check("catalog", &by_time("latest", ", time: t"), &["E0230 card"]);
    check("catalog", &by_time("earliest", ""), &["E0230 cookie", "E0230 card"]);
    check("catalog", &by_time("latest", ", tim: t"), &["E0207 tim", "E0230 card"]);
    check("catalog", &by_time("error", ""), &[]);
    check("catalog", &by_time("newest", ", time: t"), &["E0210 newest"]);
    check("catalog", &with_identities("{links: {c: {path: d, from: a, to: b}}, unknown: guess}"), &["E0210 guess"]);
}

#[test]
fn session_gaps() {
    for good in ["30min", "1h", "90s", "\"45 minutes\"", "1_000s"] {
        check("catalog", &format!("session_gap: {good}\n"), &[]);
    }
    for bad in ["30m", "30", "0min", "1d", "2 weeks", "soon", "-5min", "1.5h", "99999999999h", "30sec", "é"] {
        check("catalog", &format!("session_gap: {bad}\n"), &[&format!("E0228 {bad}")]);
    }
    check("catalog", "session_gap: [30min]\n", &["E0206 [30min]"]);
    let mut sources = Sources::default();
    let id = sources.add("catalog.yaml", "session_gap: 45min\n");
    let catalog = load::catalog(&mut sources, id).0.expect("a catalog");
    assert_eq!(catalog.visit_gap(), 45 * 60 * 1_000_000);
}
