//! The specs of the examples and the conformance suite, judged by the interpreter.

use std::path::Path;

use segue::language::calendar::Zone;
use segue::language::spec;
use segue::project;

#[test]
fn the_examples_keep_their_specs() {
    for (example, least) in
        [("examples/cosmetics", 5), ("examples/complete-journey", 1), ("examples/idioms", 60), ("specs", 20)]
    {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(example);
        let mut project = project::load(&root).expect("readable");
        let checked = project.check(None);
        assert!(project.diagnostics.is_empty(), "{:#?}", project.diagnostics);
        assert!(checked.diagnostics.is_empty(), "{:#?}", checked.diagnostics);
        let zone = Zone::new(&project.file.timezone).expect("a zone");
        assert!(project.specs.len() >= least, "{example}: {:?}", project.specs);
        for path in project.specs.clone() {
            let text = std::fs::read_to_string(&path).expect("readable");
            let id = project.sources.add(path.display().to_string(), text);
            let (spec, mut found) = spec::load(&project.sources, id, &project.catalog, &zone);
            let spec = spec.unwrap_or_else(|| panic!("{found:#?}"));
            found.extend(spec::unknown_names(&spec, &checked.program));
            assert!(found.is_empty(), "{}: {found:#?}", path.display());
            for verdict in spec::evaluate(&spec, &checked.program, &project.catalog, &zone) {
                assert_eq!(verdict.wrong, None, "{}: `{}`", path.display(), verdict.name);
            }
        }
    }
}
