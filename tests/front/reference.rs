//! The language reference runs: every block of `grammar/README.md` is read, checked, formatted and judged.

use std::path::Path;

use segue::language::calendar::Zone;
use segue::language::catalog::{self, Catalog, ProjectFile};
use segue::language::check::{CheckFile, Checked, check};
use segue::language::diagnostic::{Diagnostic, has_errors};
use segue::language::format::{Style, format};
use segue::language::source::{SourceId, Sources};
use segue::language::{interpret, spec, syntax};

use crate::reference_page::{Block, Expected, PAGE, blocks, catalog_text, spec_text};
use crate::support::{root, updating};

/// What every block is checked against.
struct Vocabulary {
    project: ProjectFile,
    catalog: Catalog,
    sources: Sources,
}

fn vocabulary(page: &str) -> Vocabulary {
    let mut sources = Sources::default();
    let text = "name: reference\nedition: \"2026\"\ntimezone: Europe/Paris\ncurrency: EUR\n";
    let id = sources.add("segue.yaml", text);
    let (project, found) = catalog::load::project(sources.get(id).expect("there"));
    assert!(found.is_empty(), "{found:?}");
    let id = sources.add("catalog.yaml", catalog_text(page));
    let (catalog, found) = catalog::load::catalog(&mut sources, id);
    assert!(found.is_empty(), "{found:?}");
    Vocabulary { project: project.expect("a project"), catalog: catalog.expect("a catalog"), sources }
}

/// Parses and checks the program of a block.
fn checked(vocabulary: &Vocabulary, block: &Block) -> (Sources, SourceId, Checked) {
    let mut sources = vocabulary.sources.clone();
    let id = sources.add("example.seg", block.program.as_str());
    let parsed = syntax::parse(sources.get(id).expect("there"));
    let files = [CheckFile { stem: "example", parsed: &parsed.file }];
    let mut checked = check(&sources, &vocabulary.catalog, &vocabulary.project, &files);
    checked.diagnostics.extend(parsed.diagnostics);
    segue::language::diagnostic::sort(&mut checked.diagnostics);
    (sources, id, checked)
}

fn said(sources: &Sources, d: &Diagnostic) -> Expected {
    let text = sources.get(d.primary.span.source).map_or("", |f| f.slice(d.primary.span));
    let text = text.lines().next().unwrap_or("").trim().replace('"', "'");
    Expected { severity: if d.is_error() { "error" } else { "warning" }.into(), code: d.code.to_string(), text }
}

#[test]
fn every_block_is_answered_as_written() {
    let page = std::fs::read_to_string(root().join(PAGE)).expect("the page");
    let vocabulary = vocabulary(&page);
    let mut wrong = Vec::new();
    let mut updated = page.clone();
    for block in blocks(&page) {
        let (sources, _, checked) = checked(&vocabulary, &block);
        let found: Vec<Expected> = checked.diagnostics.iter().map(|d| said(&sources, d)).collect();
        let matches = found.len() == block.expected.len()
            && checked.diagnostics.iter().zip(&found).all(|(d, f)| {
                block.expected.iter().any(|e| {
                    e.severity == f.severity
                        && e.code == f.code
                        && (f.text.contains(&e.text) || d.message.contains(&e.text))
                })
            });
        if !matches {
            let list = |all: &[Expected]| all.iter().map(|e| format!("  {e}\n")).collect::<String>();
            let messages: Vec<&str> = checked.diagnostics.iter().map(|d| d.message.as_str()).collect();
            wrong.push(format!(
                "{PAGE}:{}: expected\n{}found\n{}{messages:#?}",
                block.line,
                list(&block.expected),
                list(&found)
            ));
            updated = updated.replace(&block.text, &block.with_expected(&found));
        }
    }
    if updating() {
        std::fs::write(root().join(PAGE), updated).expect("written");
    } else {
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

#[test]
fn every_audience_is_as_written() {
    let page = std::fs::read_to_string(root().join(PAGE)).expect("the page");
    let vocabulary = vocabulary(&page);
    let zone = Zone::new("Europe/Paris").expect("known");
    let mut judged = 0;
    for block in blocks(&page).iter().filter(|b| !b.expect.is_empty()) {
        let (mut sources, _, checked) = checked(&vocabulary, block);
        let at = format!("{PAGE}:{}", block.line);
        assert!(!has_errors(&checked.diagnostics), "{at}");
        let id = sources.add("spec.yaml", spec_text(block));
        let (spec, found) = spec::load(&sources, id, &vocabulary.catalog, &zone);
        assert!(found.is_empty(), "{at}: {found:#?}\n{}", spec_text(block));
        let spec = spec.expect("a spec");
        let clock = segue::language::calendar::Clock { as_of: spec.as_of, zone: zone.clone() };
        let all = crate::generate::customers(&spec.customers, false);
        let answers = interpret::evaluate(&checked.program, &vocabulary.catalog, &clock, &all);
        for expectation in &spec.expect {
            let rule = checked.program.rules.iter().position(|r| r.name == expectation.rule);
            let rule = rule.unwrap_or_else(|| panic!("{at}: no rule `{}`", expectation.rule));
            let mut members: Vec<String> = spec
                .customers
                .iter()
                .zip(&answers)
                .filter(|(_, answer)| answer.members[rule])
                .map(|((name, _), _)| name.clone())
                .collect();
            members.sort();
            assert_eq!(members, expectation.members, "{at}: {}", expectation.rule);
            judged += 1;
        }
    }
    assert!(judged > 30, "{judged}");
}

#[test]
fn every_block_has_one_canonical_form() {
    let page = std::fs::read_to_string(root().join(PAGE)).expect("the page");
    let mut sources = Sources::default();
    for block in blocks(&page) {
        let canonical = |sources: &mut Sources, text: &str| {
            let id = sources.add("example.seg", text);
            let file = sources.get(id).expect("there");
            let parsed = syntax::parse(file);
            (!has_errors(&parsed.diagnostics)).then(|| format(file, &parsed, Style::default()).expect("formats"))
        };
        let Some(once) = canonical(&mut sources, &block.program) else { continue };
        let twice = canonical(&mut sources, &once).expect("still reads");
        assert_eq!(once, twice, "{PAGE}:{}", block.line);
    }
}

#[test]
fn the_page_links_to_its_own_headings() {
    let page = std::fs::read_to_string(root().join(PAGE)).expect("the page");
    let anchors: Vec<String> = page
        .lines()
        .filter(|l| l.starts_with('#') && l.contains("# "))
        .map(|l| {
            let heading = l.trim_start_matches('#').trim().to_lowercase();
            heading
                .chars()
                .filter(|c| c.is_alphanumeric() || *c == ' ' || *c == '-')
                .collect::<String>()
                .replace(' ', "-")
        })
        .collect();
    for (at, _) in page.match_indices("](#") {
        let link: String = page[at + 3..].chars().take_while(|c| *c != ')').collect();
        assert!(anchors.contains(&link), "no heading #{link}");
    }
    assert!(Path::new(&root().join("grammar/segue.pest")).is_file());
}
