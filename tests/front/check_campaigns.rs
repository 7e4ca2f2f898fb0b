//! Campaigns as meaning: what stands in the program for them, whatever the text says.

use segue::language::catalog::{Catalog, ListId};
use segue::language::check::{CheckFile, Options, check_files};
use segue::language::diagnostic::{Diagnostic, has_errors};
use segue::language::ir::{
    Campaign, Every, Frequency, Length, Limit, PayloadOf, Program, Quiet, Rule, RuleId, RuleKind, Take, Unit,
};
use segue::language::source::Sources;
use segue::language::syntax;

use crate::check_support::{self, says};

/// The program of a text under a changed catalog.
#[track_caller]
fn program(text: &str, change: impl FnOnce(&mut Catalog)) -> Program {
    let (program, found) = checked(text, change);
    assert!(!found.iter().any(|f| f.starts_with('E')), "{text}: {found:#?}");
    program
}

/// The program, and the code and the underlined text of each finding.
fn checked(text: &str, change: impl FnOnce(&mut Catalog)) -> (Program, Vec<String>) {
    let mut sources = Sources::default();
    let mut catalog = check_support::catalog(&mut sources);
    change(&mut catalog);
    let id = sources.add("rule.seg", text);
    let parsed = syntax::parse(sources.get(id).expect("just added"));
    assert!(!has_errors(&parsed.diagnostics), "{text}: {:#?}", parsed.diagnostics);
    let checked = check_files(&catalog, &Options::default(), &[CheckFile { stem: "rule", parsed: &parsed.file }]);
    let underlined = |d: &Diagnostic| {
        let file = sources.get(d.primary.span.source).expect("a source");
        format!("{} {}", d.code, file.slice(d.primary.span))
    };
    let found = checked.diagnostics.iter().map(underlined).collect();
    (checked.program, found)
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

/// All that a campaign can say.
const WHOLE: &str = "\
segment vip: purchased ≥ 9
trait spend: sum(amount of purchased in 12mo)
campaign winback was win_back \"Win back\":
  purchased ≥ 3 in 90d and no open in 30d
  → when vip: call
  → when spend > 100: offer serum-20
  → otherwise: offer serum-15 by push
  → hold out 10%
  priority 80
  at most 1 in 30d
  limit 50_000 by spend
  with last(product of purchased) as favourite, spend, (open in 7d) as opened, country
  goal purchased anti-aging within 14d, value sum(amount), max(quantity)
  every friday, monday at 09:30
  from 2026-10-01 until 2026-12-31
  cost 0.05
  budget 5_000
  except staff, vip
  quiet 21:00 to 08:00
policy pressure: at most 3 contacts in 7d by email, push; at most 1 contact in 1d
policy always: at most 9 contacts in 30d
";

#[test]
fn a_whole_campaign() {
    let program = program(WHOLE, |_| {});
    let names: Vec<&str> = program.rules.iter().map(|rule| rule.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "vip",
            "winback",
            "winback.arm.1",
            "winback.arm.2",
            "winback.with.opened",
            "winback.except.staff",
            "winback.except.vip",
            "email.consent",
            "email.suppressed",
            "push.consent",
            "push.suppressed"
        ]
    );
    let traits: Vec<(&str, bool)> = program.traits.iter().map(|t| (t.name.as_str(), t.hidden)).collect();
    assert_eq!(traits, [("spend", false), ("winback.with.favourite", true), ("winback.with.country", true)]);
    let Campaign { rule, was, except, arms, hold_out, priority, at_most, limit, with, goal, .. } =
        &program.campaigns[0];
    assert_eq!((*rule, was.as_deref(), *priority), (RuleId(1), Some("win_back"), 80));
    assert_eq!(*except, [("staff".to_owned(), RuleId(5)), ("vip".to_owned(), RuleId(6))]);
    let taken: Vec<(&str, Take, Option<&str>)> =
        arms.iter().map(|arm| (arm.name.as_str(), arm.take, arm.action.channel.as_deref())).collect();
    let (second, third) = (("2", Take::When(RuleId(3)), Some("email")), ("3", Take::Otherwise, Some("push")));
    assert_eq!(taken, [("1", Take::When(RuleId(2)), None), second, third]);
    assert_eq!(format!("{hold_out:?}"), "Some(Exact { units: 1, scale: 1 })");
    let month = Length { amount: 30, unit: Unit::Day };
    assert_eq!(*at_most, Some(Frequency { n: 1, within: month }));
    assert_eq!(*limit, Some(Limit { n: 50_000, by: Some(0) }));
    let columns: Vec<(&str, PayloadOf)> = with.iter().map(|p| (p.name.as_str(), p.of)).collect();
    let (opened, country) = (("opened", PayloadOf::Rule(RuleId(4))), ("country", PayloadOf::Trait(2)));
    assert_eq!(columns, [("favourite", PayloadOf::Trait(1)), ("spend", PayloadOf::Trait(0)), opened, country]);
    let goal = goal.as_ref().expect("a goal");
    assert_eq!(format!("{:?}", goal.values), "[Sum(PropertyId(2)), Max(PropertyId(3))]");
    assert!(goal.matching.pred.is_some());
    let campaign = &program.campaigns[0];
    assert_eq!(campaign.every, Some(Every { weekdays: vec![1, 5], at: 570 }));
    assert_eq!(campaign.quiet, Some(Quiet { from: 1260, to: 480 }));
    assert_eq!(campaign.from.map(|d| (d.month, d.day)), Some((10, 1)));
    assert_eq!(campaign.until.map(|d| (d.month, d.day)), Some((12, 31)));
    assert_eq!(
        format!("{:?} {:?}", campaign.cost, campaign.budget),
        "Some(Exact { units: 5, scale: 2 }) Some(Exact { units: 5000, scale: 0 })"
    );
    let policies: Vec<(&str, usize)> = program.policies.iter().map(|p| (p.name.as_str(), p.rules.len())).collect();
    assert_eq!(policies, [("always", 1), ("pressure", 2)]);
    assert_eq!(program.policies[1].rules[0].channels, ["email", "push"]);
}

#[test]
fn a_campaign_is_kept_with_all_that_it_asks() {
    let text = format!("{WHOLE}campaign a: visited in 3d → call\n  with age, (visited in 1d) as here\n");
    let whole = program(&text, |_| {});
    let kept = whole.keep(|rule: &Rule| rule.name == "winback");
    let names: Vec<&str> = kept.rules.iter().map(|rule| rule.name.as_str()).collect();
    assert_eq!(names[..3], ["vip", "winback", "winback.arm.1"]);
    assert!(!names.iter().any(|name| name.starts_with("a.")), "{names:?}");
    let campaign = &kept.campaigns[0];
    let named = |id: RuleId| kept.rules[id.0 as usize].name.clone();
    let asked: Vec<String> = campaign.except.iter().map(|(_, rule)| named(*rule)).collect();
    assert_eq!(asked, ["winback.except.staff", "winback.except.vip"]);
    let Take::When(guard) = campaign.arms[1].take else { panic!("{:?}", campaign.arms) };
    assert_eq!(named(guard), "winback.arm.2");
    let columns = campaign.with.iter().map(|p| match p.of {
        PayloadOf::Trait(at) => kept.traits[at].name.clone(),
        PayloadOf::Rule(id) => named(id),
    });
    let columns: Vec<String> = columns.collect();
    assert_eq!(columns, ["winback.with.favourite", "spend", "winback.with.opened", "winback.with.country"]);
    assert_eq!(kept.traits[campaign.limit.and_then(|l| l.by).expect("an order")].name, "spend");
    assert_eq!(named(kept.gates[1].suppressed), "push.suppressed");
    assert_eq!(kept.policies.len(), 2);
    let a = whole.keep(|rule: &Rule| rule.name == "a");
    let names: Vec<&str> = a.rules.iter().map(|rule| rule.name.as_str()).collect();
    assert_eq!(names, ["a", "a.with.here"]);
    assert_eq!(a.traits.iter().filter(|t| t.hidden).count(), 1);
}

#[test]
fn arms_that_can_not_stand_together() {
    says(&[
        ("purchased → a 45%: offer → b 45%: call → hold out 9%", &["E0437 9%"]),
        ("purchased → a 50%: offer → b 60%: call", &["E0437 60%"]),
        ("purchased → a 33.5%: offer → b 66.5%: call", &[]),
        ("purchased → a 100%: offer", &[]),
        ("purchased → a 0%: offer → b 100%: call", &["E0437 0%"]),
        ("purchased → a 101%: offer", &["E0437 101%"]),
        ("purchased → a 50%: offer → a 50%: call", &["E0437 a"]),
        ("purchased → hold out 10%", &["E0437 → hold out 10%"]),
        ("purchased → offer → hold out 100%", &["E0437 100%"]),
        ("purchased → offer → hold out 10% → hold out 5%", &["E0437 → hold out 5%"]),
        ("purchased → offer → call", &["E0437 → call"]),
        ("purchased → when open: offer → call", &["E0437 → call"]),
        ("purchased → when open: offer → a 50%: call", &["E0437 → a 50%: call"]),
        ("purchased → otherwise: call → when open: offer", &["E0437 → when open: offer"]),
        ("purchased → when open: offer → otherwise: call → otherwise: offer", &["E0437 → otherwise: offer"]),
        ("purchased → otherwise: call", &["E0437 → otherwise: call"]),
        ("purchased → hold out 10% → offer", &[]),
        ("purchased → when opn: offer → otherwise: cal", &["E0301 opn", "E0311 cal"]),
    ]);
    let said = check_support::check("purchased → a 45%: offer → b 45%: call → hold out 9%");
    let d = &said.diagnostics[0];
    assert_eq!(
        (d.message.as_str(), d.primary.text.as_str()),
        ("the shares add to 99%, not to 100%", "45% + 45% + 9% = 99%")
    );
    assert_eq!(d.fix.as_ref().map(|f| f.edits[0].1.as_str()), Some("10%"));
}

#[test]
fn arms_that_nobody_can_get() {
    says(&[
        ("purchased ≥ 3 in 90d → when purchased in 90d: offer → otherwise: call", &["W0520 → otherwise: call"]),
        ("purchased → when open in 3d: offer → when open in 1d: call", &["W0520 open in 1d"]),
        ("purchased → when open: offer → when no open: call → otherwise: send x", &["W0520 → otherwise: send x"]),
        ("age > 30 → when age < 20: offer → otherwise: call", &["W0520 age < 20"]),
        ("purchased → when open: offer → when visited: call → otherwise: send x", &[]),
        // Each of them, and none because of another that nobody can get.
        (
            "age > 30 → when age < 20: offer → when open in 3d: offer → when open in 1d: call → when open in 2d: send x",
            &["W0520 age < 20", "W0520 open in 1d", "W0520 open in 2d"],
        ),
        (
            "age > 30 → when age < 20: offer → when age < 10: call → when open: call → otherwise: send x",
            &["W0520 age < 20", "W0520 age < 10"],
        ),
        (
            "age > 30 → when age < 40: offer → when age < 35: call → when age ≥ 40: call → otherwise: send x",
            &["W0520 age < 35", "W0520 → otherwise: send x"],
        ),
    ]);
}

/// Each guard is held against those before it, and only so many: all against all would take minutes here.
#[test]
fn many_arms() {
    let arms = |n: usize| (0..n).map(|i| format!(" → when age = {i}: offer")).collect::<String>();
    for (before, told) in [(63, true), (64, false), (5_000, false)] {
        let text = format!("purchased{} → when age = 7 and open: call → when no purchased: call", arms(before));
        let mut expected = vec!["W0520 no purchased"];
        if told {
            expected.insert(0, "W0520 age = 7 and open");
        }
        assert_eq!(check_support::check(&text).findings(), expected, "{before}");
    }
}

#[test]
fn clauses_with_values_that_can_not_be() {
    says(&[
        ("purchased → offer priority 1.5", &["E0438 1.5"]),
        ("purchased → offer priority -5", &[]),
        ("purchased → offer limit 0", &["E0438 0"]),
        ("purchased → offer limit 2.5", &["E0438 2.5"]),
        ("purchased → offer limit 5 by country", &["E0435 country"]),
        ("purchased → offer limit 5 by 3", &["E0417 3"]),
        ("purchased → offer limit 5 by birth_date", &[]),
        ("purchased → offer limit 5 by purchsed", &["E0301 purchsed"]),
        ("purchased → offer cost -1", &["E0438 -1"]),
        ("purchased → offer cost 0.0000001", &["E0438 0.0000001"]),
        ("purchased → offer budget 100", &["W0514 budget 100", "W0521 budget 100"]),
        ("purchased → offer budget 100 cost 0.1", &["W0514 budget 100"]),
        ("purchased → offer budget 100 cost 0", &["W0514 budget 100", "W0521 budget 100"]),
        ("purchased → offer from 2026-12-31 until 2026-10-01", &["E0438 2026-10-01"]),
        ("purchased → offer from 2026-10-01 until 2026-10-01", &[]),
        ("purchased → offer every monday, monday at 09:00", &["E0438 monday"]),
        ("purchased → offer every monday, day at 09:00", &["E0438 day"]),
        ("purchased → offer quiet 21:00 to 21:00", &["E0438 quiet 21:00 to 21:00"]),
        ("purchased → offer goal age within 3d", &["E0413 age"]),
        ("purchased → offer goal purchased nonsense within 3d", &["E0304 nonsense"]),
        ("purchased → offer goal purchased within 3d, value sum(category)", &["E0412 category"]),
        ("purchased → offer goal purchased within 3d, value sum(nothing)", &["E0309 nothing"]),
        ("purchased → offer goal open where (campaign = spring) within 3d", &[]),
    ]);
    let (_, found) = checked("purchased → offer by push budget 100", |catalog| {
        catalog.channels[1].cost = Some(segue::language::num::Num::int(1));
    });
    assert_eq!(found, ["W0514 budget 100"], "a cost of the channel");
}

#[test]
fn exceptions_are_people() {
    says(&[
        ("segment vip: purchased ≥ 9\ncampaign c: open → offer except vip", &[]),
        ("campaign c: open → offer except purchased", &["E0441 purchased"]),
        ("campaign c: open → offer except c", &["E0441 c"]),
        ("campaign c: open → offer except age", &["E0441 age"]),
        ("campaign c: open → offer except stff", &["E0301 stff"]),
        ("campaign c: open → offer except staff, staff", &["E0441 staff"]),
        ("segment vip: purchased\ncampaign c: vip and open → offer except vip", &["E0523 vip"]),
        ("segment vip: purchased\ncampaign c: not vip and open → offer except vip", &["W0505 vip"]),
        ("segment s: purchased in 90d\ncampaign c: purchased in 30d → offer except s", &["E0523 s"]),
        ("segment s: never purchased\ncampaign c: purchased → offer except s", &["W0506 never purchased", "W0505 s"]),
        ("segment s: purchased in 30d\ncampaign c: purchased in 90d → offer except s", &[]),
        ("segment a: purchased in 30d\nsegment b: a or open\ncampaign c: a → offer except b", &["E0523 b"]),
        (
            "segment a: purchased or open\nsegment b: not a\ncampaign c: open in 3d → offer except b",
            &["W0506 not a", "W0505 b"],
        ),
        ("segment a: purchased and open\ncampaign c: not a → offer except a", &["W0506 not a", "W0505 a"]),
    ]);
}

#[test]
fn columns_of_a_delivery() {
    says(&[
        ("purchased → offer with last(product of purchased)", &["E0439 last(product of purchased)"]),
        ("purchased → offer with age, age", &["E0439 age"]),
        ("purchased → offer with age as customer", &["E0439 customer"]),
        ("purchased → offer with age as operation, age * 2 as version", &["E0439 operation", "E0439 version"]),
        ("purchased → offer with open as o", &["E0439 open"]),
        ("purchased → offer with staff", &["E0439 staff"]),
        ("purchased → offer with tags", &["E0439 tags"]),
        ("purchased → offer with 3 as three", &["E0417 3"]),
        ("purchased → offer with (open in 3d) as o, (staff) as s, is_member, age * 2 as doubled", &[]),
        ("purchased → offer with (opn) as o", &["E0301 opn"]),
    ]);
}

#[test]
fn personal_data_goes_where_it_may() {
    let marked = |catalog: &mut Catalog| {
        let country = catalog.profile.as_mut().and_then(|p| p.attributes.iter_mut().find(|a| a.name.name == "country"));
        country.expect("an attribute").pii = true;
        let note = catalog.events[0].properties.iter_mut().find(|p| p.name.name == "note");
        note.expect("a property").pii = true;
        catalog.channels[1].pii = true;
    };
    for (text, expected) in [
        ("purchased → offer with country", vec!["E0440 country"]),
        ("purchased → offer by push with country", vec![]),
        ("purchased → call with country", vec![]),
        ("purchased → a 50%: offer by push → b 50%: offer by email with country", vec!["E0440 country"]),
        ("purchased → offer with last(note of purchased) as note", vec!["E0440 last(note of purchased)"]),
        ("purchased → offer with (country = FR) as fr", vec!["E0440 (country = FR)"]),
        (
            "purchased → offer with count(purchased where (note = x)) as n, age",
            vec!["E0440 count(purchased where (note = x))"],
        ),
        (
            "segment fr: country = FR or visited\ncampaign c: purchased → offer with (fr or open) as x",
            vec!["E0440 (fr or open)"],
        ),
    ] {
        let (_, found) = checked(text, marked);
        assert_eq!(found, expected, "{text}");
    }
    // Wherever it stands, and behind as many names as it likes.
    let fr = "segment fr: country = FR\nsegment frs: fr and visited\ntrait best: percentile_rank(age among frs)\n";
    for column in [
        "(top 10 by age among frs)",
        "percentile_rank(age among frs)",
        "best + 1",
        "(open since last sent where (country = FR))",
        "(last open since last sent where (country = FR))",
        "count(purchased since last sent where (country = FR))",
        "days since last purchased where (note = x)",
        "rate(open per sent since last visited where (country = FR))",
        "(viewed since last sent where (country = FR) then purchased)",
        "(viewed then purchased without open where (country = FR))",
        "(viewed then no open where (country = FR))",
        "(viewed ≥ 3 of same product without purchased where (customer.country = FR))",
        "(purchased ≥ 3 of same note)",
        "(in one session (viewed) since last sent where (country = FR))",
        "(in any 3d (viewed and open) since last sent where (country = FR))",
        "(in any 3d (viewed and purchased where (note = x)))",
    ] {
        let text = format!("{fr}segment used: best > 30%\ncampaign c: purchased → offer with {column} as x");
        let (_, found) = checked(&text, marked);
        let errors: Vec<&String> = found.iter().filter(|f| f.starts_with('E')).collect();
        assert_eq!(errors, [&format!("E0440 {column}")], "{text}");
    }
    let personal = program("purchased → offer by push with country, age", marked);
    let with: Vec<bool> = personal.campaigns[0].with.iter().map(|p| p.pii).collect();
    assert_eq!(with, [true, false]);
}

#[test]
fn campaigns_beside_each_other() {
    says(&[
        ("campaign a: purchased → offer\ncampaign b: purchased ≥ 3 → call", &["W0522 b"]),
        ("campaign a: purchased → offer\ncampaign b: purchased ≥ 3 → call priority 1", &[]),
        ("campaign a: purchased → offer priority 2\ncampaign b: purchased → call priority 2", &["W0522 b"]),
        ("campaign a: purchased → offer\ncampaign b: open → call", &[]),
        ("segment s: purchased ≥ 3\ncampaign c: purchased → offer except s\ncampaign d: s → call", &[]),
        (
            "segment s: purchased ≥ 3\ncampaign c: purchased → offer except s\ncampaign d: purchased and not s → call",
            &["W0522 d"],
        ),
        ("campaign a: purchased → offer until 2026-10-31\ncampaign b: purchased → call from 2026-11-01", &[]),
        ("campaign a: purchased → offer until 2026-11-01\ncampaign b: purchased → call from 2026-11-01", &["W0522 b"]),
        ("policy p: at most 3 contacts in 7d by emial", &["E0312 emial"]),
        ("policy p: at most 3 contacts in 7d\npolicy p: at most 1 contact in 1d", &["W0514 p", "E0302 p"]),
        ("policy p: at most 3 contacts in 7d\nsegment p: purchased", &["W0514 p"]),
        ("campaign a: purchased → offer at most 1 in 30d", &["W0514 at most 1 in 30d"]),
    ]);
}

#[test]
fn a_campaign_is_called_like_no_segment() {
    let said = check_support::check("segment p: purchased\ncampaign p: open → offer");
    let d = &said.diagnostics[0];
    assert_eq!(d.code.as_str(), "E0302");
    assert!(d.help.as_deref().is_some_and(|help| help.starts_with("segments and campaigns")), "{d:?}");
    says(&[(
        "campaign country: purchased → offer\ncampaign open: visited → offer\ncampaign staff: viewed → call",
        &[],
    )]);
}

#[test]
fn a_campaign_that_uses_a_mistake_is_left_out_as_a_whole() {
    let text = "segment a: purchsed\ntrait t: sum(amunt of purchased)\n";
    for clause in ["→ offer except a", "→ when a: offer", "→ offer limit 5 by t", "→ offer with (a and open) as x"]
    {
        let (program, mut found) = checked(&format!("{text}campaign c: open {clause}"), |_| {});
        found.retain(|f| f != "W0511 t");
        assert_eq!(found, ["E0301 purchsed", "E0309 amunt"], "{clause}");
        assert!(program.rules.is_empty() && program.campaigns.is_empty() && program.gates.is_empty(), "{clause}");
    }
}
