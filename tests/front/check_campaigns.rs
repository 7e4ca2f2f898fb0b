//! Campaigns as meaning: what stands in the program for them, whatever the text says.

use segue::language::catalog::{Catalog, ListId};
use segue::language::check::{CheckFile, Options, check_files};
use segue::language::diagnostic::has_errors;
use segue::language::ir::{Program, Rule, RuleId, RuleKind};
use segue::language::source::Sources;
use segue::language::syntax;

use crate::check_support;

/// The program of a text under a changed catalog.
fn program(text: &str, change: impl FnOnce(&mut Catalog)) -> Program {
    let mut sources = Sources::default();
    let mut catalog = check_support::catalog(&mut sources);
    change(&mut catalog);
    let id = sources.add("rule.seg", text);
    let parsed = syntax::parse(sources.get(id).expect("just added"));
    assert!(!has_errors(&parsed.diagnostics), "{text}: {:#?}", parsed.diagnostics);
    let checked = check_files(&catalog, &Options::default(), &[CheckFile { stem: "rule", parsed: &parsed.file }]);
    assert!(!has_errors(&checked.diagnostics), "{text}: {:#?}", checked.diagnostics);
    checked.program
}

/// `name: condition` of each hidden rule.
fn hidden(program: &Program) -> Vec<String> {
    let hidden = program.rules.iter().filter(|rule| rule.is_hidden());
    hidden.map(|rule| format!("{}: {:?}", rule.name, rule.condition)).collect()
}

fn attribute(catalog: &Catalog, name: &str) -> segue::language::catalog::AttributeId {
    let at = catalog.attributes().iter().position(|a| a.name.name == name).expect("an attribute");
    segue::language::catalog::AttributeId(at as u32)
}

#[test]
fn consent_and_suppression_stand_in_every_program_that_contacts() {
    let text = "campaign a: purchased → offer\ncampaign b: open → call";
    let bare = program(text, |_| {});
    assert_eq!(hidden(&bare), ["email.consent: Const(true)", "email.suppressed: Const(false)"]);
    assert_eq!(bare.gates.len(), 1, "nobody uses push");
    let full = program(text, |catalog| {
        let consent = attribute(catalog, "is_member");
        catalog.channels[0].consent = Some(consent);
        catalog.channels[0].suppression = vec![ListId(0)];
        catalog.suppression = vec![ListId(0)];
        catalog.zone = Some(attribute(catalog, "home"));
    });
    assert_eq!(
        hidden(&full),
        ["email.consent: Test(Yes(Attribute(AttributeId(8))))", "email.suppressed: List(ListId(0))"]
    );
    let gate = &full.gates[0];
    assert_eq!((gate.channel.as_str(), gate.consent, gate.suppressed), ("email", RuleId(2), RuleId(3)));
    let zone = &full.traits[full.zone.expect("a zone")];
    assert_eq!((zone.name.as_str(), zone.hidden), ("customer.zone", true));
    let none = program("segment s: purchased", |catalog| catalog.zone = Some(attribute(catalog, "home")));
    assert_eq!((none.gates.len(), none.rules.len(), none.traits.len()), (0, 1, 0));
}

#[test]
fn a_part_of_a_program_keeps_what_its_campaigns_need() {
    let text = "segment s: visited\ncampaign a: purchased → offer\ncampaign b: open → offer by push\ncampaign c: open in 3d → call";
    let whole = program(text, |catalog| catalog.zone = Some(attribute(catalog, "home")));
    let names = |program: &Program| program.rules.iter().map(|rule| rule.name.clone()).collect::<Vec<_>>();
    let only = |name: &'static str| whole.keep(move |rule: &Rule| rule.name == name);
    let b = only("b");
    assert_eq!(names(&b), ["b", "push.consent", "push.suppressed"]);
    assert_eq!(b.rules[0].kind, RuleKind::Campaign { campaign: 0 });
    assert_eq!((b.campaigns.len(), b.campaigns[0].rule, b.zone), (1, RuleId(0), Some(0)));
    assert_eq!((b.gates[0].consent, b.gates[0].suppressed), (RuleId(1), RuleId(2)));
    assert_eq!(names(&only("c")), ["c"], "a call goes by no channel");
    let s = only("s");
    assert_eq!((names(&s), s.campaigns.len(), s.traits.len(), s.zone), (vec!["s".to_owned()], 0, 0, None));
}
