//! Projects on disk: what is found, what is refused.

use std::fs;
use std::path::Path;

use segue::error::Exit;
use segue::project::{self, Project};

const FILE: &str = "name: p\nedition: \"2026\"\ntimezone: UTC\n";
const CATALOG: &str = "sources: {s: {path: data, customer: c, time: t, event: e}}\nevents: {bought: {source: s}}\n";

fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    for (name, bytes) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().expect("in a folder")).expect("folder");
        fs::write(path, bytes).expect("written");
    }
    dir
}

fn shown(project: &Project) -> Vec<String> {
    let show = |d: &segue::language::diagnostic::Diagnostic| {
        let file = project.sources.get(d.primary.span.source).expect("a source");
        format!("{} {}: {}", d.code, file.name, file.slice(d.primary.span))
    };
    project.diagnostics.iter().map(show).collect()
}

fn load(dir: &Path) -> Project {
    project::load(dir).expect("readable")
}

#[test]
fn found_upwards_and_by_name() {
    let dir =
        folder(&[("segue.yaml", FILE.as_bytes()), ("catalog.yaml", CATALOG.as_bytes()), ("rules/a/b.seg", b"bought")]);
    let root = dir.path();
    assert_eq!(project::find(&root.join("rules/a")).expect("found"), root);
    assert_eq!(project::named(root).expect("found"), root);
    assert_eq!(project::named(&root.join("segue.yaml")).expect("found"), root);
    assert_eq!(project::named(&root.join("rules/a/b.seg")).expect("found"), root);
    for wrong in
        [project::named(&root.join("rules")), project::named(&root.join("nothing")), project::find(Path::new("/"))]
    {
        let error = wrong.expect_err("no project");
        assert_eq!(error.exit(), Exit::Usage, "{error}");
        assert!(error.help().is_some());
    }
}

#[test]
fn rules_are_read_recursively_in_order() {
    let dir = folder(&[
        ("segue.yaml", format!("{FILE}rules: [rules, more/one.seg, rules/b]\nspecs: specs\n").as_bytes()),
        ("catalog.yaml", CATALOG.as_bytes()),
        ("rules/z.seg", b"bought"),
        ("rules/b/a.seg", b"bought"),
        ("rules/notes.txt", b"no rule"),
        ("rules/.hidden/x.seg", b"bought"),
        ("more/one.seg", b"bought"),
        ("more/two.seg", b"bought"),
        ("specs/x.yaml", b"{}"),
        ("specs/y.yml", b"{}"),
    ]);
    let project = load(dir.path());
    assert_eq!(shown(&project), Vec::<String>::new());
    let names: Vec<&str> =
        project.rules.iter().filter_map(|r| project.sources.get(r.source)).map(|s| s.name.as_str()).collect();
    assert_eq!(names, ["more/one.seg", "rules/b/a.seg", "rules/z.seg"]);
    assert_eq!(project.specs.len(), 2);
}

#[test]
fn what_is_not_there() {
    let dir = folder(&[("segue.yaml", format!("{FILE}catalog: words.yaml\nrules: [a, b.seg]\n").as_bytes())]);
    let expected = ["E0223 segue.yaml: words.yaml", "E0223 segue.yaml: a", "E0223 segue.yaml: b.seg"];
    assert_eq!(shown(&load(dir.path())), expected);
    // Folders that nobody asked for need not be there.
    let dir = folder(&[("segue.yaml", FILE.as_bytes()), ("catalog.yaml", CATALOG.as_bytes())]);
    assert_eq!(shown(&load(dir.path())), Vec::<String>::new());
    let dir = folder(&[("segue.yaml", FILE.as_bytes())]);
    assert_eq!(shown(&load(dir.path())), ["E0223 segue.yaml: "]);
    let error = project::load(&dir.path().join("nowhere")).expect_err("no folder");
    assert_eq!(error.exit(), Exit::Environment);
}

#[test]
fn texts_that_are_no_texts() {
    let dir = folder(&[
        ("segue.yaml", FILE.as_bytes()),
        ("catalog.yaml", b"offers: [\xff]"),
        ("rules/a.seg", b"bought \xc3"),
    ]);
    assert_eq!(shown(&load(dir.path())), ["E0224 catalog.yaml: \u{fffd}", "E0224 rules/a.seg: \u{fffd}"]);
    let dir = folder(&[("segue.yaml", b"\xff\xfe")]);
    assert_eq!(shown(&load(dir.path())), ["E0224 segue.yaml: \u{fffd}"]);
    let huge = vec![b' '; (16 << 20) + 1];
    let dir = folder(&[("segue.yaml", FILE.as_bytes()), ("catalog.yaml", CATALOG.as_bytes()), ("rules/a.seg", &huge)]);
    assert_eq!(shown(&load(dir.path())), ["E0203 rules/a.seg: "]);
}

#[test]
fn mistakes_of_all_files_in_one_go() {
    let dir = folder(&[
        ("segue.yaml", format!("{FILE}currency: Euro\nas_of: soon\n").as_bytes()),
        ("catalog.yaml", b"offers: [1]\nx: 2\n"),
    ]);
    let expected =
        ["E0219 segue.yaml: Euro", "E0227 segue.yaml: soon", "E0206 catalog.yaml: 1", "E0207 catalog.yaml: x"];
    assert_eq!(shown(&load(dir.path())), expected);
}

#[cfg(unix)]
#[test]
fn links_stay_inside() {
    use std::os::unix::fs::symlink;
    let outside = folder(&[("x.seg", b"bought"), ("catalog.yaml", CATALOG.as_bytes())]);
    let dir =
        folder(&[("segue.yaml", FILE.as_bytes()), ("catalog.yaml", CATALOG.as_bytes()), ("rules/a.seg", b"bought")]);
    let rules = dir.path().join("rules");
    symlink(outside.path().join("x.seg"), rules.join("x.seg")).expect("link");
    symlink(outside.path(), rules.join("out")).expect("link");
    symlink(&rules, rules.join("loop")).expect("link");
    symlink("a.seg", rules.join("again.seg")).expect("link");
    let project = load(dir.path());
    assert_eq!(shown(&project), ["E0221 segue.yaml: ", "E0221 segue.yaml: "]);
    assert_eq!(project.rules.len(), 1);
    fs::write(dir.path().join("segue.yaml"), format!("{FILE}allow_outside: true\n")).expect("written");
    let project = load(dir.path());
    assert_eq!(shown(&project), Vec::<String>::new());
    // The same file behind two links is one file.
    assert_eq!(project.rules.len(), 2);

    fs::write(dir.path().join("segue.yaml"), FILE).expect("written");
    fs::remove_dir_all(&rules).expect("removed");
    fs::remove_file(dir.path().join("catalog.yaml")).expect("removed");
    symlink(outside.path().join("catalog.yaml"), dir.path().join("catalog.yaml")).expect("link");
    assert_eq!(shown(&load(dir.path())), ["E0221 segue.yaml: "]);
}

#[test]
fn every_zone_that_is_accepted_has_a_calendar() {
    for name in jiff::tz::db().available() {
        assert!(segue::language::calendar::Zone::new(name.as_str()).is_some(), "{name}");
    }
}

#[test]
fn rules_are_checked_with_the_catalog() {
    let dir = folder(&[
        ("segue.yaml", FILE.as_bytes()),
        ("catalog.yaml", CATALOG.as_bytes()),
        ("rules/a.seg", b"segment buyers: bought in 30d"),
        ("rules/2026 x.seg", b"bought"),
        ("rules/b.seg", b"segment b: nothing_of_the_kind"),
    ]);
    let mut project = load(dir.path());
    assert_eq!(shown(&project), ["E0225 rules/2026 x.seg: bought"]);
    let checked = project.check(Some("bought in 7d"));
    let codes: Vec<&str> = checked.diagnostics.iter().filter(|d| d.is_error()).map(|d| d.code.as_str()).collect();
    assert_eq!(codes, ["E0225", "E0301"]);
    assert!(checked.program.rules.iter().any(|r| r.name == "rule"));
    assert!(checked.program.rules.iter().any(|r| r.name == "buyers"));
    assert_eq!(project.add_rule("segment buyers_too: bought"), ["buyers_too"]);
    assert_eq!(project.add_rule("bought"), ["rule_2"]);
}

#[test]
fn what_a_broken_catalog_declares_is_not_missed_in_rules() {
    let catalog = CATALOG.replace("{source: s}", "{source: t, aliases: [buys]}")
        + "profiles: {path: p, customer: c, attributes: {age: {type: int}}}\nlists: {staff: {path: x.doc}}\n";
    let rules = "segment a: bought ≥ 3 in 30d and buys serum and age > 3 and staff and nothing";
    let dir = folder(&[
        ("segue.yaml", FILE.as_bytes()),
        ("catalog.yaml", catalog.as_bytes()),
        ("rules/a.seg", rules.as_bytes()),
    ]);
    let checked = load(dir.path()).check(None);
    let codes: Vec<&str> = checked.diagnostics.iter().map(|d| d.code.as_str()).collect();
    assert_eq!(codes, ["E0214", "E0210", "E0222", "E0301"], "{:#?}", checked.diagnostics);
    for gross in ["events: [a]", "profiles: [a]", "profiles: {path: p, customer: c, attributes: [a]}", "lists: x"] {
        let dir = folder(&[
            ("segue.yaml", FILE.as_bytes()),
            ("catalog.yaml", gross.as_bytes()),
            ("rules/a.seg", rules.as_bytes()),
        ]);
        let checked = load(dir.path()).check(None);
        assert_eq!(checked.diagnostics.len(), 1, "{gross}: {:#?}", checked.diagnostics);
    }
}

#[test]
fn a_filter_has_its_places_in_the_yaml() {
    let with = |filter: &str| {
        CATALOG
            .replace("{source: s}", &format!("{{source: s, filter: {filter}, properties: {{n: {{type: integer}}}}}}"))
    };
    for (filter, underlined) in [
        ("n > nonsense", "nonsense"),
        ("'n > nonsense'", "nonsense"),
        ("\"n > nonsense\"", "nonsense"),
        ("\"n > \\u006eonsense\"", "nonsense"),
    ] {
        let dir = folder(&[("segue.yaml", FILE.as_bytes()), ("catalog.yaml", with(filter).as_bytes())]);
        let mut project = load(dir.path());
        let checked = project.check(None);
        let places: Vec<&str> = checked
            .diagnostics
            .iter()
            .filter_map(|d| project.sources.get(d.primary.span.source).map(|f| f.slice(d.primary.span)))
            .collect();
        assert_eq!(places, [underlined], "{filter}: {:#?}", checked.diagnostics);
    }
    for broken in ["n >", "(n", "n > 1 → offer", "n => 1"] {
        let catalog = with(&format!("'{broken}'"));
        let dir = folder(&[
            ("segue.yaml", FILE.as_bytes()),
            ("catalog.yaml", catalog.as_bytes()),
            ("rules/a.seg", b"bought"),
        ]);
        let checked = load(dir.path()).check(None);
        assert_eq!(checked.diagnostics.len(), 1, "{broken}: {:#?}", checked.diagnostics);
        assert!(checked.diagnostics.iter().all(|d| d.code.as_str().starts_with("E01")));
    }
}

/// What people copy first has no mistakes.
#[test]
fn the_examples_are_clean() {
    let mut seen = 0;
    for entry in fs::read_dir(crate::support::root().join("examples")).expect("examples") {
        let path = entry.expect("an entry").path();
        if path.join("segue.yaml").is_file() {
            let checked = load(&path).check(None);
            let errors: Vec<_> = checked.diagnostics.iter().filter(|d| d.is_error()).collect();
            assert!(errors.is_empty(), "{}: {errors:#?}", path.display());
            assert!(!checked.program.rules.is_empty(), "{}", path.display());
            seen += 1;
        }
    }
    assert!(seen >= 2);
}

/// What runs keep is no row of the next run, and nobody else writes there.
#[test]
fn a_store_lies_apart() {
    let found = |path: &str, store: &str, destination: &str| {
        let catalog = CATALOG.replace("path: data", &format!("path: '{path}'"));
        let catalog = format!("{catalog}destinations: {{drop: {{kind: csv, path: {destination}}}}}\n");
        let file = format!("{FILE}store: {store}\n");
        let dir = folder(&[("segue.yaml", file.as_bytes()), ("catalog.yaml", catalog.as_bytes())]);
        shown(&load(dir.path()))
    };
    let none: Vec<String> = Vec::new();
    for (path, store) in [
        ("data", "data"),
        ("data", "./data/events/"),
        ("published/data", "published"),
        ("data/**/*.parquet", "data/kept"),
        ("**", "published"),
        ("*/*/*.parquet", "published"),
        ("s3://b/events", "s3://b/events/kept"),
    ] {
        assert_eq!(found(path, store, "out"), [format!("E0222 segue.yaml: {store}")], "{path} {store}");
    }
    for (path, store) in [
        ("data", "published"),
        ("data", "data2"),
        ("data/*.parquet", "data"),
        ("data/2026-*/*.parquet", "data/kept"),
        ("data", "data/.kept"),
        ("s3://b/events", "s3://c/events"),
        ("published/events.parquet", "published"),
    ] {
        assert_eq!(found(path, store, "out"), none, "{path} {store}");
    }
    for (destination, clash) in [("published/data", true), ("./published", true), ("publish", false), (".", false)] {
        let expected: Vec<&str> = if clash { vec!["E0222 catalog.yaml: drop"] } else { Vec::new() };
        assert_eq!(found("data", "published", destination), expected, "{destination}");
    }
}

/// A destination takes audiences that there are.
#[test]
fn audiences_of_destinations() {
    let found = |audiences: &str, rules: &str| {
        let catalog = format!("{CATALOG}destinations: {{drop: {{kind: csv, path: out, audiences: {audiences}}}}}\n");
        let mut project = load(
            folder(&[
                ("segue.yaml", FILE.as_bytes()),
                ("catalog.yaml", catalog.as_bytes()),
                ("rules/bare.seg", b"bought in 3d"),
                ("rules/a.seg", rules.as_bytes()),
            ])
            .path(),
        );
        let said = project.check(None);
        let show = |d: &segue::language::diagnostic::Diagnostic| {
            let file = project.sources.get(d.primary.span.source).expect("a source");
            format!(
                "{} {}: {} {:?}",
                d.code,
                file.name,
                file.slice(d.primary.span),
                d.fix.as_ref().map(|f| &f.edits[0].1)
            )
        };
        said.diagnostics.iter().map(show).collect::<Vec<String>>()
    };
    let rules = "segment vip was gold: bought ≥ 3\nstages way: bought → buyer\ncampaign c: bought → call\n";
    let broken = "segment vip: bought ≥\n";
    let none: Vec<String> = Vec::new();
    let unknown = |name: &str| {
        let found = found(&format!("[{name}]"), rules);
        found.into_iter().find(|f| f.contains("catalog.yaml")).unwrap_or_default()
    };
    assert_eq!(unknown("vipp"), "E0301 catalog.yaml: vipp Some(\"vip\")");
    assert_eq!(unknown("gold"), "E0301 catalog.yaml: gold Some(\"vip\")");
    assert_eq!(unknown("bought"), "E0301 catalog.yaml: bought None");
    assert_eq!(unknown("buyer"), "E0301 catalog.yaml: buyer None");
    for (audiences, rules) in [("[vip, way, c, bare]", rules), ("[vip]", broken), ("[vip]", "vip ≥ ≥")] {
        let mut found = found(audiences, rules);
        found.retain(|f| f.contains("catalog.yaml"));
        assert_eq!(found, none, "{audiences}: {rules}");
    }
}
