//! A small project for the tests of the checker.

use std::collections::BTreeMap;

use segue::language::catalog::{Catalog, load};
use segue::language::check::{CheckFile, Checked, Options, check_files};
use segue::language::diagnostic::{Diagnostic, has_errors};
use segue::language::source::Sources;
use segue::language::syntax;

const CATALOG: &str = "
sources:
  activity: {path: data, customer: id, time: ts, event: event}
taxonomies:
  categories:
    skincare: [anti-aging, cleanser, {serum: [vitamin-c, retinol]}]
    makeup: [lipstick, mascara]
    fragrance:
events:
  purchased:
    source: activity
    aliases: [bought]
    subject: [category, product]
    properties:
      category: {type: text, taxonomy: categories}
      product: {type: text, known: [night-cream, lipstick, {value: vitamin-c-serum, aliases: [vcs]}], closed: false}
      amount: {type: money}
      quantity: {type: integer}
      share: {type: number}
      gift: {type: yes/no}
      channel: {type: text, known: [web, app, store]}
      shade: {type: text, known: [Rosé, rose, rosE], closed: false}
      note: {type: text, case: fold}
      origin: {type: text, empty: value}
      labels: {type: list}
      shipped: {type: date}
      paid_at: {type: instant}
      country: {type: text}
  open:
    source: activity
    subject: [campaign]
    filter: not machine
    properties:
      campaign: {type: text, known: [spring, winback], closed: false}
      machine: {type: yes/no}
  visited:
    source: activity
    subject: [page]
    properties:
      page: {type: text}
  sent: {source: activity}
  viewed:
    source: activity
    session: true
    properties:
      product: {type: text, known: [night-cream, lipstick, {value: vitamin-c-serum, aliases: [vcs]}], closed: false}
      amount: {type: money, scale: 3}
      note: {type: text}
      quantity: {type: text}
      seconds: {type: number}
  added_to_cart:
    source: activity
    session: true
    properties:
      product: {type: text, known: [night-cream, lipstick, {value: vitamin-c-serum, aliases: [vcs]}], closed: false}
      labels: {type: list}
profiles:
  path: profiles.parquet
  customer: id
  attributes:
    country: {type: text, known: [FR, DE, NO, {value: IT, aliases: [italy]}]}
    city: {type: text}
    language: {type: text, known: [fr, de, city], closed: false}
    age: {type: integer}
    score: {type: number}
    balance: {type: money}
    birth_date: {type: date, pii: true}
    joined: {type: instant}
    is_member: {type: yes/no}
    opted_out: {type: yes/no}
    tags: {type: list}
    renewal_date: {type: date}
    home: {type: text}
lists:
  staff: {path: staff.csv}
channels: {email: , push: }
actions: {offer: {channel: email}, send: {channel: email}, call: }
offers: [serum-15, serum-20]
";

/// The vocabulary of the tests.
pub fn catalog(sources: &mut Sources) -> Catalog {
    let id = sources.add("catalog.yaml", CATALOG);
    let (catalog, diagnostics) = load::catalog(sources, id);
    assert!(diagnostics.is_empty(), "{diagnostics:#?}");
    catalog.expect("a catalog")
}

/// What the checker and the parser say about some files.
pub struct Said {
    pub sources: Sources,
    pub checked: Checked,
    pub diagnostics: Vec<Diagnostic>,
}

impl Said {
    /// `E0301 purchsed`: the code and the underlined text of each finding, in order.
    pub fn findings(&self) -> Vec<String> {
        let underlined = |d: &Diagnostic| {
            let file = self.sources.get(d.primary.span.source).expect("a source");
            format!("{} {}", d.code, file.slice(d.primary.span))
        };
        self.diagnostics.iter().map(underlined).collect()
    }
}

/// Checks files of this text, named as said.
pub fn check_all(files: &[(&str, &str)]) -> Said {
    let mut sources = Sources::default();
    let catalog = catalog(&mut sources);
    let mut parsed = Vec::new();
    for (name, text) in files {
        let id = sources.add(format!("{name}.seg"), *text);
        parsed.push((*name, syntax::parse(sources.get(id).expect("just added"))));
    }
    let files: Vec<CheckFile> = parsed.iter().map(|(stem, p)| CheckFile { stem, parsed: &p.file }).collect();
    let options = Options { severities: BTreeMap::new(), ..Options::default() };
    let checked = check_files(&catalog, &options, &files);
    let mut diagnostics: Vec<Diagnostic> = parsed.iter().flat_map(|(_, p)| p.diagnostics.clone()).collect();
    diagnostics.extend(checked.diagnostics.clone());
    segue::language::diagnostic::sort(&mut diagnostics);
    Said { sources, checked, diagnostics }
}

/// Checks one file, named `rule`.
pub fn check(text: &str) -> Said {
    check_all(&[("rule", text)])
}

/// Source, then code and underlined text of everything that is said of it.
#[track_caller]
pub fn says(cases: &[(&str, &[&str])]) {
    let mut wrong = String::new();
    for (source, expected) in cases {
        let said = check(source);
        let found = said.findings();
        if found != *expected {
            wrong.push_str(&format!("{source}\n  expected {expected:?}\n  found    {found:?}\n"));
            for d in &said.diagnostics {
                wrong.push_str(&format!("    {}: {} [{}] help: {:?}\n", d.code, d.message, d.primary.text, d.help));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// The condition of the last rule, in the debug form without line breaks.
#[track_caller]
pub fn meaning(source: &str) -> String {
    let said = check(source);
    assert!(!has_errors(&said.diagnostics), "{source}: {:#?}", said.diagnostics);
    let rule = said.checked.program.rules.iter().rfind(|rule| !rule.is_hidden()).expect("a rule");
    format!("{:?}", rule.condition)
}

/// Two spellings of one meaning.
#[track_caller]
pub fn same(pairs: &[(&str, &str)]) {
    for (one, other) in pairs {
        assert_eq!(meaning(one), meaning(other), "{one} and {other}");
    }
}

/// Source, then the condition of the last rule.
#[track_caller]
pub fn means(cases: &[(&str, &str)]) {
    let mut wrong = String::new();
    for (source, expected) in cases {
        let found = meaning(source);
        if found != *expected {
            wrong.push_str(&format!("{source}\n  expected {expected}\n  found    {found}\n"));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
