//! What earlier runs left behind, as a source of a run.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array};
use segue::engine::explain::{Explanation, explain};
use segue::engine::{Choice, Engine, HistoryFiles, Keep, Limits, Outcome, Request, run};
use segue::error::Error;
use segue::language::calendar::{Clock, Zone};
use segue::language::ir::Program;
use segue::project::Project;

use super::engine_answers::checked;
use super::engine_support::{NOW, Shop, ago, all};

/// A row of a history: customer, days ago, event and name.
type Row<'a> = (&'a str, i64, &'a str, &'a str);

/// Two customers who bought, four days and sixty days ago.
fn shop() -> Shop {
    let shop = Shop::plain();
    bought(&shop, "data/events/a.parquet", &[("ana", 4), ("bob", 60)]);
    shop
}

fn bought(shop: &Shop, path: &str, rows: &[(&str, i64)]) {
    let customers: Vec<&str> = rows.iter().map(|row| row.0).collect();
    let days: Vec<i64> = rows.iter().map(|row| row.1).collect();
    let buy = vec!["buy"; rows.len()];
    shop.parquet(
        path,
        vec![("customer", all(&customers)), ("time", ago(&days)), ("event", all(&buy)), ("item", all(&buy))],
    );
}

fn history(shop: &Shop, path: &str, rows: &[Row<'_>]) -> String {
    let customers: Vec<&str> = rows.iter().map(|row| row.0).collect();
    history_of(shop, path, all(&customers), rows)
}

fn history_of(shop: &Shop, path: &str, customers: ArrayRef, rows: &[Row<'_>]) -> String {
    let texts = |of: fn(&Row<'_>) -> String| {
        let texts: Vec<String> = rows.iter().map(of).collect();
        all(&texts.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let columns = vec![
        ("customer", customers),
        ("at", ago(&rows.iter().map(|row| row.1).collect::<Vec<_>>())),
        ("event", texts(|row| row.2.to_owned())),
        ("name", texts(|row| row.3.to_owned())),
    ];
    shop.parquet(path, columns).to_str().unwrap().to_owned()
}

/// A run that is to be asked for.
struct Asked {
    project: Project,
    program: Program,
    clock: Clock,
    history: Option<HistoryFiles>,
    limits: Limits,
    keep: Keep,
    population: bool,
}

const DECLARED: &str = "segment vip was gold: buy ≥ 9\ncampaign winback: buy → offer\n";

fn asked(shop: &Shop, rules: &str, files: &[&str]) -> Asked {
    let (project, program) = checked(shop.dir.path(), Some(&format!("{DECLARED}{rules}")));
    let program = program.keep(|rule| !["vip", "winback"].contains(&rule.name.as_str()));
    let files = files.iter().map(|file| (*file).to_owned()).collect();
    Asked {
        project,
        program,
        clock: Clock { as_of: NOW, zone: Zone::utc() },
        history: Some(HistoryFiles { files, former: BTreeMap::new() }),
        limits: Limits { threads: Some(2), ..Limits::default() },
        keep: Keep::Off,
        population: true,
    }
}

impl Asked {
    fn request(&self) -> Request<'_> {
        Request {
            catalog: &self.project.catalog,
            program: &self.program,
            clock: &self.clock,
            root: &self.project.root,
            population: self.population,
            keep: self.keep,
            history: self.history.clone(),
            limits: self.limits,
            progress: None,
        }
    }

    fn run(&self) -> Result<Outcome, Error> {
        tokio::runtime::Runtime::new().unwrap().block_on(run(self.request()))
    }

    fn explained(&self) -> Result<Explanation, Error> {
        tokio::runtime::Runtime::new().unwrap().block_on(explain(&self.request(), &|_| true))
    }

    /// The members of each rule.
    fn members(&self) -> Vec<Vec<String>> {
        let outcome = self.run().unwrap();
        (0..self.program.rules.len()).map(|rule| outcome.member_ids(rule)).collect()
    }

    fn error(&self) -> String {
        self.run().expect_err("an error").to_string()
    }
}

#[test]
fn nothing_is_opened_that_no_rule_asks_for() {
    let shop = shop();
    let nowhere = shop.path("nowhere.parquet");
    let nowhere = nowhere.to_str().unwrap();
    let plain = asked(&shop, "segment z: buy in 30d", &[nowhere]);
    assert_eq!(plain.members(), [["ana"]]);
    let tables = |asked: &Asked| asked.explained().unwrap().tables.into_iter().map(|t| t.name).collect::<Vec<_>>();
    assert_eq!(tables(&plain), ["shop"]);
    let found = asked(&shop, "segment z: entered vip", &[nowhere]).error();
    assert!(found.contains("history of runs") && found.contains("nowhere.parquet"), "{found}");
    let odd = shop.parquet("odd.parquet", vec![("customer", all(&["ana"])), ("at", ago(&[1]))]);
    let found = asked(&shop, "segment z: entered vip", &[odd.to_str().unwrap()]).error();
    assert!(found.contains("history of runs") && found.contains("no column `event`"), "{found}");
}

#[test]
fn without_a_history_nothing_happened() {
    let shop = shop();
    let rules = "segment a: entered vip\nsegment b: no contacted winback in 30d\nsegment c: member of vip\nsegment d: buy since last contacted winback\nsegment e: not member of vip for 3d";
    let nobody: Vec<&str> = Vec::new();
    let both = vec!["ana", "bob"];
    let expected = [nobody.clone(), both.clone(), nobody.clone(), nobody, both];
    let mut asked = asked(&shop, rules, &[]);
    assert_eq!(asked.members(), expected);
    let outcome = asked.run().unwrap();
    assert!(outcome.report.sources.iter().all(|source| source.name == "shop"), "{:?}", outcome.report);
    assert!(outcome.report.missing_events.is_empty());
    asked.history = None;
    assert_eq!(asked.members(), expected);
}

#[test]
fn runs_before_this_one() {
    let shop = shop();
    let rows: [Row; 7] = [
        ("ana", 30, "entered", "vip"),
        ("bob", 40, "entered", "gold"),
        ("bob", 7, "contacted", "winback"),
        ("bob", 0, "left", "vip"),
        ("ana", 2, "held out", "winback"),
        ("ana", 1, "entered", "another"),
        ("nobody", 3, "entered", "vip"),
    ];
    let (early, late) = rows.split_at(3);
    let (late, early) = (history(&shop, "h/a.parquet", late), history(&shop, "h/b.parquet", early));
    let rules = "segment a: entered vip in 30d\nsegment b: entered vip\nsegment c: member of vip for 30d\nsegment d: held out winback in 3d\nsegment e: left vip\nsegment f: no contacted winback in 7d\nsegment g: contacted winback then no buy within 3d\nsegment h: known for 5d";
    let both = vec!["ana", "bob"];
    let expected = [vec!["ana"], both.clone(), both, vec!["ana"], vec![], vec!["ana"], vec!["bob"], vec!["bob"]];
    let mut asked = asked(&shop, rules, &[&late, &early]);
    assert_eq!(asked.members(), expected);
    // Nobody is there of whom only a run tells.
    let outcome = asked.run().unwrap();
    assert_eq!(outcome.population(), Some(2));
    let of_history = outcome.report.sources.iter().find(|source| source.name == "history of runs").unwrap();
    assert_eq!((of_history.files, of_history.not_yet), (2, 1));
    // A row at a time, and without counting the population for its own sake.
    asked.population = false;
    asked.limits = Limits { threads: Some(1), batch_rows: Some(1), ..Limits::default() };
    assert_eq!(asked.members(), expected);
}

#[test]
fn names_that_the_caller_knows() {
    let shop = shop();
    let file = history(&shop, "h.parquet", &[("ana", 3, "contacted", "older"), ("bob", 3, "contacted", "winback")]);
    let mut asked = asked(&shop, "segment z: contacted winback", &[&file]);
    assert_eq!(asked.members(), [["bob"]]);
    let former = BTreeMap::from([("winback".to_owned(), vec!["oldest".to_owned(), "older".to_owned()])]);
    asked.history.as_mut().unwrap().former = former;
    assert_eq!(asked.members(), [["ana", "bob"]]);
}

#[test]
fn ids_are_those_of_the_project() {
    // Whole numbers stay whole numbers, with a history or without one yet.
    let shop = Shop::plain();
    let numbers = |ids: &[i64]| -> ArrayRef { Arc::new(Int64Array::from(ids.to_vec())) };
    let buy = all(&["buy", "buy"]);
    let columns = vec![("customer", numbers(&[9, 10])), ("time", ago(&[4, 60])), ("event", buy.clone()), ("item", buy)];
    shop.parquet("data/events/a.parquet", columns);
    let rules = "segment z: buy and no contacted winback";
    assert_eq!(asked(&shop, rules, &[]).members(), [["9", "10"]]);
    let file = history_of(&shop, "h.parquet", numbers(&[10]), &[("", 3, "contacted", "winback")]);
    assert_eq!(asked(&shop, rules, &[&file]).members(), [["9"]]);
    // What was recorded under an id before it was linked is the customer's.
    let catalog = std::fs::read_to_string(shop.path("catalog.yaml")).unwrap();
    let links = "identities: {links: {cookie: {path: links.parquet, from: from, to: to}}, unknown: drop}\nprofiles: {path: people.parquet, customer: id}\n";
    std::fs::write(shop.path("catalog.yaml"), catalog + links).unwrap();
    shop.parquet("links.parquet", vec![("from", numbers(&[10])), ("to", numbers(&[11]))]);
    shop.parquet("people.parquet", vec![("id", numbers(&[9, 11]))]);
    let linked = asked(&shop, "segment z: contacted winback", &[&file]);
    assert_eq!(linked.members(), [["11"]]);
}

#[test]
fn what_is_kept_of_earlier_runs_does_not_go_stale() {
    let shop = shop();
    let first = history(&shop, "h/1.parquet", &[("bob", 9, "entered", "vip")]);
    let second = history(&shop, "h/2.parquet", &[("bob", 2, "left", "vip"), ("ana", 2, "entered", "vip")]);
    let rules = "segment z: member of vip\nsegment y: buy in 30d";
    for (files, members) in [(vec![first.as_str()], "bob"), (vec![&first, &second], "ana"), (vec![&first], "bob")] {
        let mut asked = asked(&shop, rules, &files);
        asked.keep = Keep::On;
        let outcome = asked.run().unwrap();
        let place = |name: &str| asked.program.rules.iter().position(|rule| rule.name == name).unwrap();
        assert_eq!(outcome.member_ids(place("z")), [members]);
        assert_eq!(outcome.member_ids(place("y")), ["ana"]);
        let why = |name: &str| outcome.kept.sources.iter().find(|source| source.name == name).map(|source| source.why);
        assert_eq!(why("shop"), Some(None), "{:?}", outcome.kept);
        assert!(why("history of runs").flatten().is_some(), "{:?}", outcome.kept);
    }
}

#[test]
fn a_plan_tells_of_it() {
    let shop = shop();
    let file = history(&shop, "h.parquet", &[("bob", 9, "contacted", "winback"), ("bob", 9, "entered", "vip")]);
    let mut asked = asked(&shop, "segment z: buy and contacted winback in 30d", &[&file]);
    let plan = asked.explained().unwrap();
    let read = plan.tables.iter().find(|table| table.name == "history of runs").unwrap();
    assert_eq!(read.events.iter().map(|event| event.name.as_str()).collect::<Vec<_>>(), ["contacted"]);
    assert_eq!(read.columns, ["at", "customer", "event", "name"]);
    assert!(!read.everyone);
    // SQL over the tables of the catalog can't say it.
    asked.limits.engine = Choice::Only(Engine::Standard);
    let found = asked.error();
    assert!(found.contains("what earlier runs decided"), "{found}");
}
