//! Ranks, samples and scores of real shops, each answer reckoned a second time by DuckDB (`real_ranks.py`).
//!
//! `SEGUE_DATA` names the folder of the data sets; without it there is nothing to test.

use std::fmt::Write as _;
use std::path::Path;

use segue::engine::{self, Keep, Limits, Outcome};
use segue::language::calendar::{Clock, Zone, parse_moment};
use segue::language::ir::{Among, Cond, Program, Rank, RankEnd, RankSize, Rule, RuleId, Value};
use segue::language::num::Num;
use segue::project;
use sha2::{Digest, Sha256};

use super::late_support::{SPAN, not, share};
use super::real_data::data;

/// Checked rules, to which trees are added.
struct Rules(Program);

impl Rules {
    fn rule(&self, name: &str) -> RuleId {
        let at = self.0.rules.iter().position(|r| r.name == name);
        RuleId(at.unwrap_or_else(|| panic!("a rule `{name}`")) as u32)
    }

    fn by(&self, name: &str, among: Option<&str>) -> Rank {
        let value: Option<Value> = self.0.traits.iter().find(|t| t.name == name).map(|t| t.value.clone());
        Rank { by: Box::new(value.expect("a trait")), among: among.map(|among| Among::Rule(self.rule(among))) }
    }

    fn add(&mut self, name: &str, condition: Cond) {
        let kind = segue::language::ir::RuleKind::Segment;
        let rule = Rule { name: name.into(), title: None, description: None, kind, condition, span: SPAN };
        self.0.rules.push(rule);
    }

    fn top(&mut self, name: &str, size: RankSize, by: &str, among: Option<&str>) {
        let rank = self.by(by, among);
        self.add(name, Cond::Ranked { rank, end: RankEnd::Top, size });
    }

    fn bottom(&mut self, name: &str, size: RankSize, by: &str, among: Option<&str>) {
        let rank = self.by(by, among);
        self.add(name, Cond::Ranked { rank, end: RankEnd::Bottom, size });
    }
}

fn sample(salt: &str, percent: i128) -> Cond {
    Cond::Sample { salt: salt.into(), share: Num::Exact { units: percent, scale: 2 } }
}

/// Runs rules on the data of a fixture, with one thread and with three, and holds them to sizes and digests of ids.
fn judge(
    fixture: &str,
    data: &Path,
    text: &str,
    more: impl Fn(&mut Rules),
    expected: &[(&str, usize, &str)],
) -> Outcome {
    let given = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/engine/fixtures").join(fixture);
    let folder = tempfile::tempdir().expect("a folder");
    let read = |name: &str| std::fs::read_to_string(given.join(name)).expect("readable");
    let write = |name: &str, text: String| std::fs::write(folder.path().join(name), text).expect("written");
    write("catalog.yaml", read("catalog.yaml").replace("path: data/", &format!("path: {}/", data.display())));
    write("segue.yaml", read("segue.yaml") + "allow_outside: true\n");
    std::fs::create_dir(folder.path().join("rules")).expect("a folder");
    write("rules/ranks.seg", text.to_owned());
    let mut project = project::load(folder.path()).expect("readable");
    let checked = project.check(None);
    let errors: Vec<_> = checked.diagnostics.iter().filter(|d| d.is_error()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    let mut rules = Rules(checked.program);
    more(&mut rules);
    let zone = Zone::new(&project.file.timezone).expect("a zone");
    let as_of = project.file.as_of.as_ref().and_then(|as_of| parse_moment(&as_of.name, &zone)).expect("an as-of");
    let clock = Clock { as_of, zone };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let run = |threads, batch_rows| {
        let limits = Limits { threads: Some(threads), batch_rows: Some(batch_rows), ..Limits::default() };
        let request = engine::Request {
            catalog: &project.catalog,
            program: &rules.0,
            clock: &clock,
            root: folder.path(),
            population: true,
            history: None,
            limits,
            keep: Keep::Off,
            progress: None,
        };
        runtime.block_on(engine::run(request)).unwrap_or_else(|e| panic!("{e}"))
    };
    let (outcome, again) = (run(1, 8_192), run(3, 1_000));
    assert_eq!(outcome.customers.to_data(), again.customers.to_data());
    assert_eq!(outcome.members, again.members);
    for &(name, size, digest) in expected {
        let mut ids = outcome.member_ids(rules.rule(name).0 as usize);
        ids.sort();
        assert_eq!(ids.len(), size, "{name}");
        let hash = Sha256::digest(ids.iter().map(|id| format!("{id}\n")).collect::<String>());
        let hex = hash.iter().take(8).fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        assert_eq!(hex, digest, "{name}");
    }
    outcome
}

#[test]
fn a_record_shop() {
    let Some(folder) = data("cdnow") else { return };
    let text = "
trait recency: days since last purchased
trait frequency: count(purchased)
trait monetary: sum(amount of purchased)
segment champions: quintile(recency) = 1 and quintile(frequency) = 5 and quintile(monetary) = 5
segment points: quintile(recency) * 100 + quintile(frequency) * 10 + quintile(monetary) ≥ 545
segment high: percentile_rank(monetary) ≥ 90%
segment repeat: purchased ≥ 2
segment best_said: top 10% by monetary
segment least_said: bottom 100 by monetary among repeat
segment others_said: bottom 35% by monetary among champions
segment drawn_said: sample 10% of \"cdnow\"
stages tier:
  best_said and sample 50% of \"cdnow\" → tested
  quintile(monetary among repeat) = 5 → high
  repeat → again
  otherwise → single
segment tested: tier in (tested, again) and best_said
";
    let more = |rules: &mut Rules| {
        rules.top("best", share(10), "monetary", None);
        rules.bottom("least", RankSize::Number(100), "monetary", Some("repeat"));
        rules.top("elite", share(10), "monetary", Some("champions"));
        rules.bottom("others", share(35), "monetary", Some("champions"));
        rules.add("drawn", sample("cdnow", 10));
        let best = Cond::Rule(rules.rule("best"));
        rules.add("drawn_best", Cond::And(vec![best, sample("cdnow", 50)]));
        let high = Cond::Rule(rules.rule("high"));
        rules.add("nobody", Cond::And(vec![high.clone(), not(Cond::Or(vec![high, sample("other", 0)]))]));
    };
    let expected = [
        ("champions", 2354, "59c9fcf1a3693afe"),
        ("points", 89, "e8c44c23236431c9"),
        ("high", 2356, "366701b33c548640"),
        ("best", 2357, "324b370d4e72e7c7"),
        ("least", 100, "25cfac0d40d0a534"),
        ("elite", 235, "137fed08ccd8f72a"),
        ("others", 824, "140f494f8567c17a"),
        ("drawn", 2398, "fe062d3a4a1fdcf0"),
        ("drawn_best", 1192, "65f1e68196416b71"),
        ("nobody", 0, "e3b0c44298fc1c14"),
        ("best_said", 2357, "324b370d4e72e7c7"),
        ("least_said", 100, "25cfac0d40d0a534"),
        ("others_said", 824, "140f494f8567c17a"),
        ("drawn_said", 2398, "fe062d3a4a1fdcf0"),
        ("tier.tested", 1192, "65f1e68196416b71"),
        ("tier.high", 962, "c2207399425ecde7"),
        ("tier.again", 7521, "1d395d208d1297e1"),
        ("tier.single", 13895, "76f9fa811b085795"),
        ("tested", 1344, "a3aaadd128fde395"),
    ];
    let outcome = judge("cdnow", &folder, text, more, &expected);
    assert_eq!(outcome.population(), Some(23_570));
}

#[test]
fn a_gift_shop() {
    let Some(folder) = data("online_retail_ii") else { return };
    let text = "
trait units: sum(quantity of bought)
trait kinds: distinct(stock_code of bought)
trait a_line: sum(quantity of bought) / count(bought)
segment curious: quintile(kinds) = 5
segment bulk: quintile(a_line) ≥ 4
";
    let more = |rules: &mut Rules| {
        rules.top("largest", RankSize::Number(50), "units", None);
        rules.bottom("small", share(25), "units", None);
        rules.top("thousand", RankSize::Number(1_000), "units", None);
        rules.bottom("both", share(20), "kinds", Some("thousand"));
        rules.add("drawn", sample("online", 1));
    };
    let expected = [
        ("largest", 50, "333f3eca95b4ab96"),
        ("curious", 868, "0432086a5c05f9df"),
        ("bulk", 1736, "8c16afef6821c066"),
        ("small", 1085, "706b22fb62b34937"),
        ("both", 200, "34db824ed46426dd"),
        ("drawn", 55, "94d0d7a134a4b628"),
    ];
    let outcome = judge("online_retail", &folder, text, more, &expected);
    assert_eq!(outcome.population(), Some(4_339));
}
