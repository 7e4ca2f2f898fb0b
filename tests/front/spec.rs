//! Specs: what a timeline says, every mistake in one go, and the verdict.

use segue::language::calendar::{Zone, days_of, parse_date, parse_moment};
use segue::language::catalog::{Catalog, ProjectFile, load};
use segue::language::check::{CheckFile, check};
use segue::language::diagnostic::Diagnostic;
use segue::language::interpret::history::Datum;
use segue::language::ir::{Cond, Program, Rule, RuleId, RuleKind, StageLine, Stages};
use segue::language::source::Sources;
use segue::language::spec::{self, Spec, Wrong};
use segue::language::syntax::parse;

use crate::support::{files, root};

const CATALOG: &str = "
sources:
  shop: {path: data, customer: id, time: ts, event: kind}
events:
  purchased:
    source: shop
    aliases: [bought]
    subject: [category, product]
    event_id: line
    properties:
      category: {type: text, known: [anti-aging, {value: cream, aliases: [creme]}, both]}
      product: {type: text, known: [serum-15, both], closed: false}
      amount: {type: money}
      quantity: {type: integer}
      gift: {type: yes/no}
      due: {type: date}
      labels: {type: list}
  open:
    source: shop
    properties:
      campaign: {type: text}
profiles:
  path: p
  customer: id
  created: since
  attributes:
    country: {type: text, known: [FR, DE]}
    is_member: {type: yes/no}
    tags: {type: list}
    last_seen: {type: instant}
lists:
  staff: {path: staff.csv}
";

const RULES: &str = "
segment buyers: purchased anti-aging ≥ 2 in 90d
segment members: is_member
segment staff_members: staff and is_member
trait spend: sum(amount of purchased)
trait mean: avg(amount of purchased)
";

fn catalog() -> (Sources, Catalog) {
    let mut sources = Sources::default();
    let id = sources.add("catalog.yaml", CATALOG);
    let (catalog, found) = load::catalog(&mut sources, id);
    assert!(found.is_empty(), "{found:#?}");
    (sources, catalog.expect("a catalog"))
}

fn program(sources: &mut Sources, catalog: &Catalog, rules: &str) -> Program {
    let yaml = sources.add("segue.yaml", "name: p\nedition: 2026\ntimezone: Europe/Paris\n");
    let project: ProjectFile = load::project(sources.get(yaml).expect("added")).0.expect("a project");
    let id = sources.add("rules.seg", rules);
    let parsed = parse(sources.get(id).expect("added"));
    let files = [CheckFile { stem: "rules", parsed: &parsed.file }];
    let checked = check(sources, catalog, &project, &files);
    let errors: Vec<&Diagnostic> =
        parsed.diagnostics.iter().chain(&checked.diagnostics).filter(|d| d.is_error()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    checked.program
}

fn zone() -> Zone {
    Zone::new("Europe/Paris").expect("a zone")
}

fn read(text: &str) -> (Option<Spec>, Vec<Diagnostic>, Sources) {
    let (mut sources, catalog) = catalog();
    let id = sources.add("specs/a.yaml", text);
    let (spec, found) = spec::load(&sources, id, &catalog, &zone());
    (spec, found, sources)
}

fn good(text: &str) -> Spec {
    let (spec, found, _) = read(text);
    assert!(found.is_empty(), "{found:#?}");
    spec.expect("a spec")
}

/// Each finding as its code and the text that it underlines.
fn mistakes(text: &str) -> Vec<String> {
    let (_, found, sources) = read(text);
    let shown = |d: &Diagnostic| {
        let file = sources.get(d.primary.span.source).expect("a source");
        format!("{} {}", d.code, file.slice(d.primary.span))
    };
    found.iter().map(shown).collect()
}

#[test]
fn a_timeline_is_rows() {
    let spec = good(
        "as_of: 2026-11-21\ncustomers:\n  ana: purchased anti-aging where (amount = 12.5 and gift = true) 80d ago, 50d ago x2; open at 2026-11-01T10:00; bought creme on 2026-11-02\n  eve: nothing\n",
    );
    let zone = zone();
    assert_eq!(spec.as_of, parse_moment("2026-11-21", &zone).expect("a date"));
    let ana = &spec.customers[0].1;
    let at = |text: &str| parse_moment(text, &zone).expect("a date");
    let times: Vec<i64> = ana.events.iter().map(|e| e.time).collect();
    let expected = ["2026-09-02", "2026-10-02", "2026-10-02", "2026-11-01T10:00", "2026-11-02"];
    assert_eq!(times, expected.map(at));
    let first = &ana.events[0].properties;
    assert_eq!(first[0], Some(Datum::Text("anti-aging".into())));
    assert_eq!(first[1], None);
    assert_eq!(first[2], Some(Datum::Money(1250)));
    assert_eq!(first[4], Some(Datum::YesNo(true)));
    assert_eq!(ana.events[4].properties[0], Some(Datum::Text("cream".into())));
    // Nothing happened, but she is somebody: where the catalog has profiles, so has everybody in a spec.
    let eve = &spec.customers[1].1;
    assert!(eve.events.is_empty() && eve.profile.as_ref().is_some_and(|p| p.attributes.iter().all(Option::is_none)));
}

#[test]
fn events_and_profiles_in_full() {
    let spec = good(
        "as_of: 2026-11-21T08:00
customers:
  ana:
    events:
      - purchased anti-aging 3d ago
      - {event: purchased, ago: 3d, times: 2, id: 007, with: {product: \"x\", quantity: 3, due: 2026-12-01, labels: [a, b], category: null}}
      - {event: open, at: 2026-11-01T10:00Z, with: {campaign: NO}}
    profile: {country: fr, is_member: true, tags: [vip], last_seen: 2026-11-01}
    created: 2026-01-01
    lists: [staff]
  bob: {profile: {}}
",
    );
    let ana = &spec.customers[0].1;
    assert_eq!(ana.events.len(), 4);
    assert_eq!(ana.events[0].time, ana.events[1].time);
    let long = &ana.events[1];
    assert_eq!(long.event_id.as_deref(), Some("007"));
    assert_eq!(long.properties[0], None);
    assert_eq!(long.properties[5], Some(Datum::Date(days_of(parse_date("2026-12-01").expect("a date")))));
    assert_eq!(long.properties[6], Some(Datum::TextList(vec!["a".into(), "b".into()])));
    assert_eq!(ana.events[3].properties[0], Some(Datum::Text("NO".into())));
    let profile = ana.profile.as_ref().expect("a profile");
    assert_eq!(profile.created, parse_moment("2026-01-01", &zone()));
    assert_eq!(profile.attributes[0], Some(Datum::Text("FR".into())));
    assert_eq!(ana.lists.len(), 1);
    assert_eq!(spec.customers[1].1.profile.as_ref().expect("a profile").attributes, vec![None; 4]);
}

#[test]
fn every_mistake_is_found_at_its_place() {
    let found = mistakes(
        "as_of: 2026-02-30
customers:
  ana: purchsed 3d ago; purchased anti-agng 4d ago; open serum 5d ago
  bob: purchased both 3d ago; purchased where (amuont = 3) 4d ago; purchased where (amount = 1.234 and quantity = 1.5) 1d ago
  cleo: \"purchased cream 3d ago; bougth 2d ago\"
  dora:
    events:
      - {event: purchased, with: {category: soap}}
      - {event: purchased, ago: 3d, at: 2026-01-01}
      - {event: purchased, ago: 3m}
      - {event: open, ago: 3d, id: 3}
    profile: {contry: FR, country: UK, is_member: maybe}
    created: yesterday
    lists: [stuff]
expect:
  buyers: [ana, anna, ana]
",
    );
    let expected = [
        "E0606 2026-02-30",
        "E0602 purchsed",
        "E0603 anti-agng",
        "E0603 serum",
        "E0603 both",
        "E0604 amuont",
        "E0605 1.234",
        "E0605 1.5",
        "E0602 bougth",
        "E0606 purchased",
        "E0605 soap",
        "E0606 3d",
        "E0606 3m",
        "E0604 3",
        "E0604 contry",
        "E0605 UK",
        "E0605 maybe",
        "E0606 yesterday",
        "E0604 stuff",
        "E0607 anna",
        "E0209 ana",
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_broken_timeline_does_not_hide_its_neighbours() {
    let found = mistakes("as_of: 2026-11-21\ncustomers:\n  ana: purchased 3x\n  bob: purchsed 3d ago\n");
    assert!(found.iter().any(|f| f.starts_with("E0601") || f.starts_with("E01")), "{found:?}");
    assert!(found.contains(&"E0602 purchsed".to_owned()), "{found:?}");
}

#[test]
fn yaml_is_read_as_strictly_as_the_catalog() {
    for (text, code) in [
        ("as_of: 2026-11-21\ncustomers:\n  ana: nothing\n  ana: nothing\n", "E0209"),
        ("as_of: 2026-11-21\ncustomers: {}\nexpct: {}\n", "E0207"),
        ("customers: {}\n", "E0208"),
        ("as_of: &a 2026-11-21\ncustomers: {}\n", "E0202"),
        ("as_of: 2026-11-21\ncustomers: [ana]\n", "E0206"),
        ("", "E0205"),
        ("as_of: [", "E0201"),
    ] {
        let found = mistakes(text);
        assert!(found.first().is_some_and(|f| f.starts_with(code)), "{text}: {found:?}");
    }
}

#[test]
fn who_should_be_there_and_is_not() {
    let (mut sources, catalog) = catalog();
    let program = program(&mut sources, &catalog, RULES);
    let spec = good(
        "as_of: 2026-11-21
customers:
  ana: purchased anti-aging where (amount = 10) 80d ago, 50d ago
  bob: purchased anti-aging 91d ago, 50d ago
  cleo: {profile: {is_member: true}, lists: [staff]}
  eve: nothing
expect:
  buyers: [bob]
  members: cleo
  staff_members: []
values:
  spend: {ana: 20.00, bob: 0, cleo: 1}
  mean: {ana: 10, bob: null}
",
    );
    let verdicts = spec::evaluate(&spec, &program, &catalog, &zone());
    let wrong: Vec<(&str, &Wrong)> =
        verdicts.iter().filter_map(|v| Some((v.name.as_str(), v.wrong.as_ref()?))).collect();
    let members = |missing: &[&str], unexpected: &[&str]| Wrong::Members {
        missing: missing.iter().map(|s| (*s).to_owned()).collect(),
        unexpected: unexpected.iter().map(|s| (*s).to_owned()).collect(),
    };
    let value = Wrong::Value { customer: "cleo".into(), expected: Some("1".into()), found: Some("0.00".into()) };
    let expected =
        [("buyers", &members(&["bob"], &["ana"])), ("staff_members", &members(&[], &["cleo"])), ("spend", &value)];
    assert_eq!(wrong, expected);
    assert_eq!(verdicts.len(), 8);
}

#[test]
fn expectations_of_nothing() {
    let (mut sources, catalog) = catalog();
    let program = program(&mut sources, &catalog, RULES);
    let spec = good(
        "as_of: 2026-11-21\ncustomers: {ana: nothing}\nexpect: {buyres: [], spend: []}\nvalues: {spent: {ana: 1}, buyers: {ana: 1}}\n",
    );
    let found: Vec<String> =
        spec::unknown_names(&spec, &program).iter().map(|d| format!("{} {}", d.code, d.message)).collect();
    assert_eq!(found.len(), 4, "{found:?}");
    assert!(found.iter().all(|f| f.starts_with("E0608")), "{found:?}");
}

#[test]
fn what_is_recorded_of_nothing() {
    let (mut sources, catalog) = catalog();
    let rules = "segment vip was gold: purchased\ncampaign cc was dd: vip → offer\n";
    let program = program(&mut sources, &catalog, rules);
    let spec = good(
        "as_of: 2026-11-21\ncustomers:\n\
         \x20 ana: entered vip 9d ago; left gold 8d ago; contacted cc 3d ago; held out dd 2d ago\n\
         \x20 bob: entered vipp 9d ago; contacted c 3d ago; contacted vip 2d ago\n\
         \x20 cleo: {events: [{event: entered, ago: 3d, with: {name: vi}}, {event: entered, ago: 3d, with: {name: vip}}]}\n",
    );
    let found = spec::unknown_names(&spec, &program);
    let said: Vec<(&str, Option<&str>)> =
        found.iter().map(|d| (d.message.as_str(), d.fix.as_ref().map(|fix| fix.edits[0].1.as_str()))).collect();
    assert_eq!(
        said,
        [
            ("`vipp` is no segment of the project", Some("vip")),
            ("`c` is no campaign of the project", None),
            ("`vip` is no campaign of the project", None),
            ("`vi` is no segment of the project", None),
        ]
    );
    assert!(found.iter().all(|d| d.code.as_str() == "E0608"));
}

/// The rules and, by hand, stages of which the last line is no `otherwise`.
fn staged(sources: &mut Sources, catalog: &Catalog) -> Program {
    let mut program = program(sources, catalog, RULES);
    let span = program.rules[0].span;
    let text = |s: &str| s.to_owned();
    let of = |rule: u32| Cond::Rule(RuleId(rule));
    let lines = [("keen", of(0)), ("known", Cond::And(vec![of(1), Cond::Not(Box::new(of(0)))]))];
    let (title, description) = (None, None);
    let mut stages = Stages { name: text("journey"), title, description, lines: Vec::new(), span };
    for (stage, condition) in lines {
        stages.lines.push(StageLine { stage: text(stage), rule: RuleId(program.rules.len() as u32) });
        let kind = RuleKind::Stage { stages: 0 };
        let (name, title, description) = (format!("journey.{stage}"), None, None);
        program.rules.push(Rule { name, title, description, kind, condition, span });
    }
    program.stages.push(stages);
    program
}

#[test]
fn stages_are_audiences_and_values() {
    let (mut sources, catalog) = catalog();
    let program = staged(&mut sources, &catalog);
    let spec = good(
        "as_of: 2026-11-21
customers:
  ana: {events: 'purchased anti-aging 2d ago x2', profile: {is_member: true}}
  bob: {profile: {is_member: true}}
  eve: nothing
expect:
  journey.keen: [ana]
  journey.known: [ana]
values:
  journey: {ana: keen, bob: keen, eve: null}
  spend: {ana: 1}
",
    );
    assert!(spec::unknown_names(&spec, &program).is_empty());
    let verdicts = spec::evaluate(&spec, &program, &catalog, &zone());
    let names: Vec<&str> = verdicts.iter().map(|v| v.name.as_str()).collect();
    assert_eq!(names, ["journey.keen", "journey.known", "journey", "journey", "journey", "spend"]);
    let wrong: Vec<Option<Wrong>> = verdicts.into_iter().map(|v| v.wrong).collect();
    let text = |s: &str| Some(s.to_owned());
    let known = Wrong::Members { missing: vec!["ana".to_owned()], unexpected: vec!["bob".to_owned()] };
    let stage = Wrong::Value { customer: "bob".into(), expected: text("keen"), found: text("known") };
    let spend = Wrong::Value { customer: "ana".into(), expected: text("1"), found: text("0.00") };
    assert_eq!(wrong, [None, Some(known), None, Some(stage), None, Some(spend)]);
    // Whoever evaluates, its members decide: nobody is in a line here.
    let by_plan = spec::judge(&spec, &program, |_, _| false);
    let missing = Wrong::Value { customer: "ana".into(), expected: text("keen"), found: None };
    assert_eq!((by_plan.len(), by_plan[2].wrong.as_ref()), (5, Some(&missing)));
    assert_eq!(by_plan[4].wrong, None);
}

#[test]
fn stages_that_there_are_not() {
    let (mut sources, catalog) = catalog();
    let program = staged(&mut sources, &catalog);
    let spec = good(
        "as_of: 2026-11-21
customers: {ana: nothing}
expect: {journey: [ana], journey.kene: []}
values: {journey: {ana: kene}, jurney: {ana: keen}, journey.keen: {ana: keen}}
",
    );
    let found = spec::unknown_names(&spec, &program);
    let said: Vec<String> = found
        .iter()
        .map(|d| format!("{} {} / {} / {:?}", d.code, d.message, d.primary.text, d.fix.as_ref().map(|f| &f.title)))
        .collect();
    assert_eq!(
        said,
        [
            "E0608 `journey` is no segment and no campaign of the project / these are stages / None",
            "E0608 `journey.kene` is no segment and no campaign of the project / did you mean `journey.keen`? / Some(\"write `journey.keen`\")",
            "E0605 `kene` is no stage of `journey` / did you mean `keen`? / Some(\"write `keen`\")",
            "E0608 `jurney` is no trait and no stages of the project / did you mean `journey`? / Some(\"write `journey`\")",
            "E0608 `journey.keen` is no trait and no stages of the project / this is an audience / None",
        ]
    );
}

/// The example on the page of each code shows that code and nothing else.
#[test]
fn the_pages_show_what_they_explain() {
    let (mut sources, catalog) = catalog();
    let program = program(&mut sources, &catalog, RULES);
    for path in files(&root().join("grammar/codes"), "md") {
        let stem = path.file_stem().expect("named").to_string_lossy().into_owned();
        if !stem.starts_with("E06") {
            continue;
        }
        let page = std::fs::read_to_string(&path).expect("text");
        let (_, rest) = page.split_once("```yaml\n").expect("an example");
        let (example, _) = rest.split_once("```").expect("a closed block");
        let (spec, mut found, _) = read(example);
        if stem == "E0608" {
            found.extend(spec::unknown_names(&spec.expect("a spec"), &program));
        }
        let codes: Vec<&str> = found.iter().map(|d| d.code.as_str()).collect();
        assert_eq!(codes, [stem.as_str()], "{found:#?}");
    }
}
