//! Whatever gives rows their meaning is part of what is kept is known by.

use std::path::Path;

use segue::engine::{Keep, Limits};

use super::engine_answers::checked;
use super::engine_support::{NOW, Shop, ago, all};
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
