//! Links against plain loops: random graphs of chains, conflicts, ties and loops, in memory and through files.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray, TimestampMicrosecondArray};
use segue::engine::Limits;
use segue::engine::identities::{Gathered, Id, Link, Resolution, resolve};
use segue::engine::write::{NEVER, Output, write};
use segue::language::catalog::Conflicts;

use super::engine_support::{NOW, Shop, ago};
use super::engine_write::{ALL, audience, files};
use crate::generate::dice::Dice;

/// From, to, time, table.
type Raw = (String, String, Option<i64>, usize);

/// The slow and obvious way.
struct Plain {
    links: Vec<Raw>,
    policy: Conflicts,
}

impl Plain {
    /// The links of an id that count: the earliest or latest, all where nothing decides.
    fn counting(&self, id: &str) -> Vec<&Raw> {
        let mine: Vec<&Raw> = self.links.iter().filter(|l| l.0 == id).collect();
        let times = mine.iter().filter_map(|l| l.2);
        let best = match self.policy {
            Conflicts::Earliest => times.min(),
            Conflicts::Latest => times.max(),
            Conflicts::Error => return mine,
        };
        mine.into_iter().filter(|l| l.2 == best).collect()
    }

    /// The customer, or nothing where the way comes by an id twice.
    fn end(&self, id: &str, way: &mut Vec<String>) -> Option<String> {
        if way.iter().any(|before| before == id) {
            return None;
        }
        let counting = self.counting(id);
        if counting.is_empty() {
            return Some(id.to_owned());
        }
        way.push(id.to_owned());
        let mut least: Option<String> = None;
        for link in counting {
            let end = self.end(&link.1, way)?;
            least = Some(least.map_or(end.clone(), |least| least.min(end)));
        }
        way.pop();
        least
    }

    fn ids(&self) -> BTreeSet<String> {
        self.links.iter().flat_map(|l| [l.0.clone(), l.1.clone()]).collect()
    }

    /// Every id's customer; nothing if there is a loop.
    fn ends(&self) -> Option<BTreeMap<String, String>> {
        self.ids().into_iter().map(|id| Some((id.clone(), self.end(&id, &mut Vec::new())?))).collect()
    }

    /// Ids whose links, those that do not count too, lead to several customers.
    fn conflicts(&self, ends: &BTreeMap<String, String>) -> Vec<String> {
        let several = |id: &&String| {
            let leads: BTreeSet<&String> = self.links.iter().filter(|l| l.0 == **id).map(|l| &ends[&l.1]).collect();
            leads.len() > 1
        };
        ends.keys().filter(several).cloned().collect()
    }
}

/// Links mostly lead downwards, so that most graphs have no loop.
fn graph(dice: &mut Dice, tables: usize) -> Plain {
    let policy = [Conflicts::Earliest, Conflicts::Latest, Conflicts::Error][dice.below(3)];
    let ids = 2 + dice.below(9);
    let wild = dice.chance(25);
    let mut links = Vec::new();
    for _ in 0..dice.below(2 * ids) {
        let (a, b) = (dice.below(ids), dice.below(ids));
        if a == b && !dice.chance(3) {
            continue;
        }
        let (from, to) = if wild { (a, b) } else { (a.max(b), a.min(b)) };
        let time = dice.chance(85).then(|| NOW - 1_000_000 * dice.between(0, 3));
        links.push((format!("i{from}"), format!("i{to}"), time, dice.below(tables)));
    }
    Plain { links, policy }
}

fn resolved(plain: &Plain, dice: &mut Dice) -> Result<Resolution, Vec<(String, String)>> {
    let mut links: Vec<&Raw> = plain.links.iter().collect();
    // The order of rows must not show.
    for i in (1..links.len()).rev() {
        links.swap(i, dice.below(i + 1));
    }
    let mut gathered = Gathered::default();
    let mut made: Vec<Link> = links
        .iter()
        .map(|(from, to, time, table)| {
            let mut add = |id: &str| gathered.add(Id::Text(id)).expect("few");
            Link { from: add(from), to: add(to), table: *table as u32, time: *time }
        })
        .collect();
    let (ids, places) = gathered.finish();
    for link in &mut made {
        (link.from, link.to) = (places[link.from as usize], places[link.to as usize]);
    }
    resolve(ids, made, plain.policy)
        .map_err(|told| told.1.links.iter().map(|l| (told.0.shown(l.from), told.0.shown(l.to))).collect())
}

#[test]
fn every_id_ends_where_plain_loops_end() {
    let (mut loops, mut conflicts, mut long) = (0, 0, 0);
    for seed in 0..20_000 {
        let mut dice = Dice::new(seed);
        let plain = graph(&mut dice, 3);
        let shown = || format!("seed {seed}: {:?} {:?}", plain.policy, plain.links);
        match (plain.ends(), resolved(&plain, &mut dice)) {
            (None, Err(round)) => {
                loops += 1;
                // What is shown is a loop of links that count, from its smallest id.
                for (at, (from, to)) in round.iter().enumerate() {
                    assert_eq!(*to, round[(at + 1) % round.len()].0, "{}", shown());
                    assert!(plain.counting(from).iter().any(|l| l.1 == *to), "{}", shown());
                }
                assert!(round.iter().all(|(from, _)| *from >= round[0].0), "{}", shown());
            }
            (Some(ends), Ok(resolution)) => {
                for (id, end) in &ends {
                    let at = resolution.ids.find(Id::Text(id)).expect("known");
                    assert_eq!(&resolution.ids.shown(resolution.end(at)), end, "{id} {}", shown());
                    // The links that are followed lead there, one by one.
                    let (mut here, mut steps) = (at, 0);
                    while let Some(link) = resolution.chosen(here) {
                        (here, steps) = (link.to, steps + 1);
                    }
                    assert_eq!((here, steps), (resolution.end(at), resolution.steps(at)), "{id} {}", shown());
                    long = long.max(steps);
                }
                let expected = plain.conflicts(&ends);
                let found: Vec<String> = resolution.conflicts.iter().map(|&c| resolution.ids.shown(c)).collect();
                assert_eq!(found, expected, "{}", shown());
                conflicts += expected.len();
            }
            (plain_says, engine) => panic!("{}: {plain_says:?} against {:?}", shown(), engine.map(|r| r.conflicts)),
        }
    }
    assert!(loops > 500 && conflicts > 5_000 && long >= 5, "{loops} loops, {conflicts} conflicts, chains up to {long}");
}

const CATALOG: &str = "
sources:
  shop: {path: data/events, customer: id, time: time, event: event}
events:
  buy: {source: shop, event_id: receipt}
  view: {source: shop}
profiles:
  path: data/profiles.parquet
  customer: id
  updated_at: at
  attributes: {city: {type: text}}
lists:
  vip: {path: data/vip.csv}
";

const RULES: [&str; 6] = ["everyone", "buy ≥ 2", "no view in 3d", "vip", "city is known", "known for 2d and buy"];

struct Data {
    events: Vec<(String, i64, &'static str, &'static str)>,
    profiles: Vec<(String, i64)>,
    vip: Vec<String>,
}

fn column(values: impl Iterator<Item = String>) -> ArrayRef {
    Arc::new(values.map(Some).collect::<StringArray>())
}

/// A project with this data; the audiences' files, each with its bytes, or the error.
fn audiences(catalog: &str, links: Option<&Plain>, data: &Data) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let shop = Shop::new(catalog);
    let half = data.events.len() / 2;
    for (name, part) in [("a", &data.events[..half]), ("b", &data.events[half..])] {
        let days: Vec<i64> = part.iter().map(|e| e.1).collect();
        shop.parquet(
            &format!("data/events/{name}.parquet"),
            vec![
                ("id", column(part.iter().map(|e| e.0.clone()))),
                ("time", ago(&days)),
                ("event", column(part.iter().map(|e| e.2.to_owned()))),
                ("receipt", column(part.iter().map(|e| e.3.to_owned()))),
            ],
        );
    }
    let days: Vec<i64> = data.profiles.iter().map(|p| p.1).collect();
    shop.parquet(
        "data/profiles.parquet",
        vec![
            ("id", column(data.profiles.iter().map(|p| p.0.clone()))),
            ("at", ago(&days)),
            ("city", column(days.iter().map(|d| if d % 2 == 0 { "Rome".into() } else { String::new() }))),
        ],
    );
    std::fs::write(shop.path("data/vip.csv"), data.vip.join("\n")).unwrap();
    for (table, name) in ["one", "two"].into_iter().enumerate().filter(|_| links.is_some()) {
        let rows: Vec<&Raw> = links.iter().flat_map(|p| &p.links).filter(|l| l.3 == table).collect();
        let times: TimestampMicrosecondArray = rows.iter().map(|l| l.2).collect();
        shop.parquet(
            &format!("data/{name}.parquet"),
            vec![
                ("a", column(rows.iter().map(|l| l.0.clone()))),
                ("b", column(rows.iter().map(|l| l.1.clone()))),
                ("at", Arc::new(times.with_timezone("UTC"))),
            ],
        );
    }
    let rules: Vec<String> = RULES.iter().enumerate().map(|(r, rule)| format!("segment s{r}: {rule}\n")).collect();
    std::fs::write(shop.path("rules/all.seg"), rules.concat()).unwrap();
    let limits = Limits { threads: Some(2), batch_rows: Some(3), ..Limits::default() };
    let ran = super::engine_answers::run_project(shop.dir.path(), None, None, limits);
    let (names, outcome) = ran.map_err(|e| e.to_string())?;
    let out = shop.path("out");
    let named: Vec<_> = names
        .iter()
        .enumerate()
        .map(|(rule, name)| segue::engine::write::Audience {
            who: segue::engine::write::Who::Rule(rule),
            ..audience(name, None)
        })
        .collect();
    write(&outcome, &named, &Output { folder: &out, kinds: ALL, whole: true, stop: &NEVER }).unwrap();
    Ok(files(&out))
}

/// Ids that are rewritten by hand beforehand give the same audiences as links do, byte for byte.
#[test]
fn links_are_as_if_ids_had_been_rewritten() {
    let (mut same, mut refused) = (0, 0);
    for seed in 0..24 {
        let mut dice = Dice::new(seed + 7_000);
        let plain = graph(&mut dice, 2);
        let drop = dice.chance(40);
        let mut data = Data { events: Vec::new(), profiles: Vec::new(), vip: Vec::new() };
        let id = |dice: &mut Dice| format!("i{}", dice.below(14));
        for _ in 0..dice.below(40) {
            let event = *dice.pick(&["buy", "view"]);
            let receipt = *dice.pick(&["r1", "r2", "r3", ""]);
            data.events.push((id(&mut dice), dice.between(1, 9), event, receipt));
        }
        // No two profile rows of one age: which is the latest is never in doubt.
        for at in 0..dice.between(0, 9) {
            data.profiles.push((id(&mut dice), at));
        }
        for _ in 0..dice.below(5) {
            data.vip.push(id(&mut dice));
        }
        let word = match plain.policy {
            Conflicts::Earliest => "earliest",
            Conflicts::Latest => "latest",
            Conflicts::Error => "error",
        };
        let identities = format!(
            "identities:\n  links:\n    one: {{path: data/one.parquet, from: a, to: b, time: at}}\n    two: {{path: data/two.parquet, from: a, to: b, time: at}}\n  conflicts: {word}\n  unknown: {}\n",
            if drop { "drop" } else { "customer" }
        );
        let by_links = audiences(&format!("{CATALOG}{identities}"), Some(&plain), &data);
        let ends = plain.ends();
        let in_doubt =
            plain.policy == Conflicts::Error && ends.as_ref().is_some_and(|e| !plain.conflicts(e).is_empty());
        let Some(ends) = ends.filter(|_| !in_doubt) else {
            let error = by_links.expect_err("a loop or a conflict");
            assert!(error.contains(if in_doubt { " leads to " } else { "go in a loop" }), "seed {seed}: {error}");
            refused += 1;
            continue;
        };
        let customer = |id: &String| ends.get(id).unwrap_or(id).clone();
        if drop {
            let profiles: BTreeSet<String> = data.profiles.iter().map(|p| p.0.clone()).collect();
            data.events.retain(|e| ends.contains_key(&e.0) || profiles.contains(&e.0));
        }
        data.events.iter_mut().for_each(|e| e.0 = customer(&e.0));
        data.profiles.iter_mut().for_each(|p| p.0 = customer(&p.0));
        data.vip.iter_mut().for_each(|id| *id = customer(id));
        let by_hand = audiences(CATALOG, None, &data).expect("no links, no errors");
        assert_eq!(by_links.expect("no loop"), by_hand, "seed {seed}: {:?} {:?}", plain.policy, plain.links);
        same += 1;
    }
    assert!(same > 12 && refused > 1, "{same} the same, {refused} refused");
}
