//! YAML to vocabulary: the example, and one row a mistake.

use segue::language::catalog::load;
use segue::language::diagnostic::Diagnostic;
use segue::language::source::Sources;

fn text_of(sources: &Sources, d: &Diagnostic) -> String {
    sources.get(d.primary.span.source).map(|f| f.slice(d.primary.span).to_owned()).unwrap_or_default()
}

#[test]
fn the_example_loads_without_findings() {
    let mut sources = Sources::default();
    let project = sources.add("segue.yaml", include_str!("../../examples/cosmetics/segue.yaml"));
    let catalog = sources.add("catalog.yaml", include_str!("../../examples/cosmetics/catalog.yaml"));
    let file = sources.get(project).cloned().expect("added");
    let (project, found) = load::project(&file);
    assert!(found.is_empty(), "{found:#?}");
    assert_eq!(project.expect("a project").timezone, "Europe/Paris");
    let (catalog, found) = load::catalog(&mut sources, catalog);
    let shown: Vec<_> = found.iter().map(|d| format!("{} {:?} {}", d.code, text_of(&sources, d), d.message)).collect();
    assert!(found.is_empty(), "{shown:#?}");
    let catalog = catalog.expect("a catalog");
    assert_eq!(catalog.events.len(), 15);
    assert!(catalog.broken.is_empty());
}
