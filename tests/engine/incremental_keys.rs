//! Whatever gives rows their meaning is part of what is kept is known by.

use std::path::Path;
use std::sync::Arc;

use segue::engine::{Keep, Limits, Request, run};
use segue::language::calendar::{Clock, Zone};

use super::engine_answers::checked;
use super::engine_support::{Heard, NOW, Shop, ago, all, some_events};
use super::incremental_support::{outcome, runtime, same};

const CATALOG: &str = "
sources:
  shop: {path: data/events, customer: customer, time: time, event: event}
lookups:
  goods: {path: data/goods.parquet, key: sku}
events:
  buy:
    source: shop
    properties:
      sku: {type: text}
      kind: {type: text, lookup: goods, on: sku}
profiles: {path: data/profiles.parquet, customer: email}
identities:
  links:
    cookie: {path: data/cookies.parquet, from: cookie, to: customer}
  unknown: drop
";

/// What two runs with what was kept and one without say.
fn told(shop: &Shop, root: &Path) -> (Vec<String>, u64) {
    let runtime = runtime(2);
    let limits = Limits { threads: Some(2), ..Limits::default() };
    std::fs::write(shop.path("rules/all.seg"), "segment some:\n  buy where (kind = cream) in 30d\n").unwrap();
    let rules = checked(root, None);
    let full = outcome(&runtime, &rules, NOW, limits, Keep::Off);
    same(&full, &outcome(&runtime, &rules, NOW, limits, Keep::On), "the first");
    let kept = outcome(&runtime, &rules, NOW, limits, Keep::On);
    same(&full, &kept, "the second");
    (full.member_ids(0), kept.kept.sources[0].held.rows)
}

#[test]
fn catalogs_look_ups_links_and_profiles() {
    let shop = Shop::new(CATALOG);
    let root = shop.dir.path();
    let mut events = vec![("customer", all(&["a", "b", "c", "d"])), ("time", ago(&[1, 2, 3, 4]))];
    events.extend([("event", all(&["buy"; 4])), ("sku", all(&["1", "1", "1", "2"]))]);
    shop.parquet("data/events/1.parquet", events);
    let goods =
        |kinds: &[&str]| shop.parquet("data/goods.parquet", vec![("sku", all(&["1", "2"])), ("kind", all(kinds))]);
    let links = |from: &str, to: &str| {
        shop.parquet("data/cookies.parquet", vec![("cookie", all(&[from])), ("customer", all(&[to]))])
    };
    let profiles =
        |email: &[&str]| shop.parquet("data/profiles.parquet", vec![("email", all(email)), ("uid", all(&["c", "d"]))]);
    goods(&["cream", "serum"]);
    links("x", "y");
    profiles(&["a", "b"]);
    assert_eq!(told(&shop, root), (vec!["a".to_owned(), "b".to_owned()], 4));
    let said = std::fs::read_to_string(shop.path("catalog.yaml")).unwrap();
    std::fs::write(shop.path("catalog.yaml"), said.replace("customer: email", "customer: uid")).unwrap();
    assert_eq!(told(&shop, root), (vec!["c".to_owned()], 4));
    goods(&["serum", "cream"]);
    assert_eq!(told(&shop, root), (vec!["d".to_owned()], 4));
    links("a", "d");
    goods(&["cream", "serum"]);
    assert_eq!(told(&shop, root), (vec!["c".to_owned(), "d".to_owned()], 4));
    std::fs::write(shop.path("catalog.yaml"), &said).unwrap();
    profiles(&["b", "d"]);
    assert_eq!(told(&shop, root), (vec!["b".to_owned(), "d".to_owned()], 4));
}

/// Who waits for the first run sees each file that is added; later ones add none.
#[test]
fn what_is_added_is_told() {
    let shop = Shop::plain();
    for name in ["1", "2", "3"] {
        shop.parquet(&format!("data/events/{name}.parquet"), some_events());
    }
    let (project, program) = checked(shop.dir.path(), Some("buy in 30d"));
    let heard = || {
        let heard = Arc::new(Heard::default());
        let request = Request {
            catalog: &project.catalog,
            program: &program,
            clock: &Clock { as_of: NOW, zone: Zone::utc() },
            root: shop.dir.path(),
            population: false,
            history: None,
            limits: Limits { threads: Some(2), ..Limits::default() },
            keep: Keep::On,
            progress: Some(heard.clone()),
        };
        runtime(2).block_on(run(request)).unwrap();
        std::mem::take(&mut *heard.0.lock().unwrap())
    };
    let first = heard();
    let added = ["9 rows, bytes, 3 files", "3 rows of 1 files", "6 rows of 2 files", "9 rows of 3 files"];
    assert_eq!(first.get(..4), Some(added.map(String::from).as_slice()), "{first:?}");
    assert_eq!(first.last().map(String::as_str), Some("finished"));
    // Nothing is left to read.
    assert_eq!(heard().first().map(String::as_str), Some("9 rows, bytes, 3 files"));
    assert_eq!(heard().iter().filter(|told| told.contains(" rows of ")).count(), 0, "{:?}", heard());
}
