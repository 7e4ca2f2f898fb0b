//! The guide of idioms: each has a name, a line of meaning, a rule, and a spec with somebody inside and somebody outside.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use segue::language::calendar::Zone;
use segue::language::ir::RuleKind;
use segue::language::spec;
use segue::language::syntax::ast::Item;
use segue::project;

use crate::support::{root, snapshot};

const HEAD: &str = "# Idioms

What marketers ask for by name, each as one rule with one line of meaning. Every idiom has a spec of its own in `specs/`, with customers
inside and outside; `segue test examples/idioms` judges them all and needs no data. Copy a rule, put your own events in place of these, and
keep the spec. This page is written by a test from `rules/`.
";

const FILES: &[(&str, &str)] = &[
    ("purchase", "Purchase"),
    ("price", "Price and channel"),
    ("carts", "On the way to a purchase"),
    ("usage", "Use of a service"),
    ("engagement", "Engagement with messages"),
    ("loyalty", "Loyalty, value and journey"),
    ("feedback", "Feedback and word of mouth"),
    ("groups", "Control groups and tests"),
    ("stories", "Stages: where a customer stands"),
];

#[test]
fn the_guide_shows_every_rule() {
    let project = project::load(&root().join("examples/idioms")).expect("readable");
    let mut page = HEAD.to_owned();
    let mut shown = 0;
    for (stem, title) in FILES {
        let file = project.rules.iter().find(|f| f.stem == *stem).unwrap_or_else(|| panic!("no {stem}.seg"));
        let source = project.sources.get(file.parsed.file.source).expect("read");
        write!(page, "\n## {title}\n").expect("text");
        for item in &file.parsed.file.items {
            let (name, description, span) = match item {
                Item::Segment(s) => (&s.name.text, &s.description, s.span),
                Item::Stages(s) => (&s.name.text, &s.description, s.span),
                Item::Trait(t) => (&t.name.text, &t.description, t.span),
                other => panic!("{stem}.seg has another declaration: {other:?}"),
            };
            let meaning = description.as_deref().unwrap_or_default();
            if matches!(item, Item::Segment(_)) && !meaning.is_empty() {
                shown += 1;
                assert!(meaning.lines().count() == 1, "`{name}` has more than one line of meaning");
            }
            write!(page, "\n{meaning}\n\n```\n{}\n```\n", source.slice(span).trim_end()).expect("text");
        }
    }
    assert!(shown >= 60, "{shown} idioms");
    assert_eq!(project.rules.len(), FILES.len(), "a file of rules is not in the guide");
    let page = page.replace("\n\n\n", "\n");
    snapshot(Path::new("examples/idioms/README.md"), &page);
}

#[test]
fn every_idiom_has_somebody_inside_and_somebody_outside() {
    let mut project = project::load(&root().join("examples/idioms")).expect("readable");
    let program = project.check(None).program;
    let zone = Zone::new(&project.file.timezone).expect("a zone");
    // The members and the others, by rule.
    let mut seen: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for path in project.specs.clone() {
        let id = project.sources.add(path.display().to_string(), std::fs::read_to_string(&path).expect("readable"));
        let (spec, _) = spec::load(&project.sources, id, &project.catalog, &zone);
        let spec = spec.unwrap_or_else(|| panic!("{}", path.display()));
        for expected in &spec.expect {
            let (inside, outside) = seen.entry(expected.rule.clone()).or_default();
            *inside += expected.members.len();
            *outside += spec.customers.len() - expected.members.len();
        }
        for value in &spec.values {
            let (inside, outside) = seen.entry(value.name.clone()).or_default();
            *inside += usize::from(value.value.is_some());
            *outside += 1;
        }
    }
    for rule in program.rules.iter().filter(|r| matches!(r.kind, RuleKind::Segment) && r.description.is_some()) {
        let found = seen.get(&rule.name);
        assert!(found.is_some_and(|(inside, outside)| *inside > 0 && *outside > 0), "`{}`: {found:?}", rule.name);
    }
    for stages in &program.stages {
        assert!(seen.contains_key(&stages.name), "no spec says who is where in `{}`", stages.name);
    }
}
