//! The audiences of the language reference, by the plan.

use std::collections::HashMap;

use segue::engine::{Layout, Limits, run_histories};
use segue::language::calendar::{Clock, Zone};
use segue::language::catalog::load;
use segue::language::check::{CheckFile, check};
use segue::language::source::Sources;
use segue::language::{spec, syntax};

use crate::reference_page::{PAGE, blocks, catalog_text, spec_text};
use crate::support::root;

#[test]
fn the_plan_agrees_with_the_reference() {
    let page = std::fs::read_to_string(root().join(PAGE)).expect("the page");
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    let mut sources = Sources::default();
    let id = sources.add("segue.yaml", "name: reference\nedition: \"2026\"\ntimezone: Europe/Paris\n");
    let project = load::project(sources.get(id).expect("there")).0.expect("a project");
    let id = sources.add("catalog.yaml", catalog_text(&page));
    let catalog = load::catalog(&mut sources, id).0.expect("a catalog");
    let zone = Zone::new("Europe/Paris").expect("known");
    let mut judged = 0;
    for block in blocks(&page).iter().filter(|b| !b.expect.is_empty()) {
        let at = format!("{PAGE}:{}", block.line);
        let id = sources.add("example.seg", block.program.as_str());
        let parsed = syntax::parse(sources.get(id).expect("there"));
        let files = [CheckFile { stem: "example", parsed: &parsed.file }];
        let program = check(&sources, &catalog, &project, &files).program;
        let id = sources.add("spec.yaml", spec_text(block));
        let spec = spec::load(&sources, id, &catalog, &zone).0.expect("a spec");
        let clock = Clock { as_of: spec.as_of, zone: zone.clone() };
        let run = run_histories(&catalog, &program, &clock, &spec.customers, Layout::default(), Limits::default());
        let outcome = runtime.block_on(run).expect("runs");
        let rows: HashMap<String, usize> = (0..outcome.customers.len()).map(|r| (outcome.customer(r), r)).collect();
        let verdicts = spec::judge(&spec, &program, |customer, rule| {
            rows.get(&spec.customers[customer].0).is_some_and(|&row| outcome.members[rule].value(row))
        });
        assert_eq!(verdicts.len(), block.expect.len(), "{at}");
        for verdict in verdicts {
            assert_eq!(verdict.wrong, None, "{at}: {}", verdict.name);
            judged += 1;
        }
    }
    assert!(judged > 30, "{judged}");
}
