//! One customer across channels, from Parquet files to audiences, reports and errors.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, Int64Array};
use segue::engine::Limits;
use segue::engine::identities::{Audit, Trace, audit, trace};
use segue::error::{Error, Exit};
use serde_json::Value;

use super::engine_support::{Shop, ago, all, texts};
use crate::support::segue;

const CATALOG: &str = "
sources:
  web: {path: data/web.parquet, customer: cookie, time: time}
  till: {path: data/till.parquet, customer: card, time: time}
events:
  viewed: {source: web}
  bought:
    source: till
    event_id: receipt
    properties:
      amount: {type: integer}
profiles:
  path: data/profiles.parquet
  customer: id
  attributes:
    age: {type: integer}
lists:
  vip: {path: data/vip.txt}
identities:
  links:
    cookie: {path: data/cookies, from: cookie, to: email, time: seen}
    mail: {path: data/mails.parquet, from: email, to: customer, time: seen}
    card: {path: data/cards.parquet, from: card, to: customer, time: seen}
  conflicts: latest
  unknown: customer
";

fn numbers(values: &[i64]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

/// Ana has two cookies and a card, Bob a cookie that was Ana's before; `c9` and `k9` are nobody's.
fn shop(catalog: &str) -> Shop {
    let shop = Shop::new(catalog);
    let links = |from: &'static str, to: &'static str, a: &[&str], b: &[&str], days: &[i64]| {
        vec![(from, all(a)), (to, all(b)), ("seen", ago(days))]
    };
    shop.parquet(
        "data/cookies/1.parquet",
        links("cookie", "email", &["c1", "c2", "c3"], &["ana@x", "ana@x", "ana@x"], &[9, 9, 9]),
    );
    shop.parquet("data/cookies/2.parquet", links("cookie", "email", &["c3", "c7"], &["bob@x", "bob@x"], &[3, 3]));
    shop.parquet("data/mails.parquet", links("email", "customer", &["ana@x", "bob@x"], &["ana", "bob"], &[99, 99]));
    shop.parquet(
        "data/cards.parquet",
        vec![
            ("card", texts(&[Some("k1"), Some("k2"), None])),
            ("customer", texts(&[Some("ana"), Some(""), Some("eve")])),
            ("seen", ago(&[1, 1, 1])),
        ],
    );
    shop.parquet(
        "data/web.parquet",
        vec![("cookie", all(&["c1", "c2", "c2", "c3", "c9"])), ("time", ago(&[1, 2, 3, 4, 5]))],
    );
    shop.parquet(
        "data/till.parquet",
        vec![
            ("card", all(&["k1", "ana", "k9", "eve"])),
            ("time", ago(&[1, 2, 3, 4])),
            ("receipt", all(&["r1", "r1", "r1", "r1"])),
            ("amount", numbers(&[5, 7, 1, 1])),
        ],
    );
    shop.parquet("data/profiles.parquet", vec![("id", all(&["ana@x", "bob", "eve"])), ("age", numbers(&[30, 40, 50]))]);
    std::fs::write(shop.path("data/vip.txt"), "c7\nnobody\n").unwrap();
    shop
}

fn audited(shop: &Shop) -> Result<Audit, Error> {
    let project = segue::project::load(shop.dir.path()).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(audit(&project.catalog, shop.dir.path(), Limits::default(), 10))
}

fn traced(shop: &Shop, id: &str) -> Result<Trace, Error> {
    let project = segue::project::load(shop.dir.path()).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(trace(&project.catalog, shop.dir.path(), Limits::default(), id, 10))
}

fn call(shop: &Shop, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = segue().current_dir(shop.dir.path()).args(arguments).output().expect("runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn raw_ids_become_customers_everywhere() {
    let shop = shop(CATALOG);
    assert_eq!(shop.members("everyone"), ["ana", "bob", "c9", "eve", "k9"]);
    assert_eq!(shop.members("viewed ≥ 3"), ["ana"]);
    assert_eq!(shop.members("viewed = 1"), ["bob", "c9"]);
    assert_eq!(shop.members("vip"), ["bob"]);
    assert_eq!(shop.members("age = 30"), ["ana"]);
    // One receipt of one customer is one purchase, whatever the id it came by: the earliest.
    assert_eq!(shop.members("bought = 1"), ["ana", "eve", "k9"]);
    assert_eq!(shop.members("sum(amount of bought) = 7"), ["ana"]);
    let limits = Limits { threads: Some(1), batch_rows: Some(1), memory: Some(64 << 20), ..Limits::default() };
    let outcome = shop.run_with("viewed ≥ 3", limits).unwrap();
    assert_eq!(outcome.member_ids(0), ["ana"]);
    let report = &outcome.report;
    let linked: Vec<u64> = report.sources.iter().chain(&report.profiles).map(|s| s.linked).collect();
    assert_eq!(linked, [4, 1, 1]);
    assert_eq!(shop.run("vip").unwrap().report.lists[0].linked, 1);
    let links = report.identities.as_ref().expect("links");
    assert_eq!((links.linked, links.customers, links.conflicts), (7, 2, 1));
    let tables: Vec<_> = links.tables.iter().map(|t| (t.name.as_str(), t.rows, t.incomplete)).collect();
    assert_eq!(tables, [("cookie", 5, 0), ("mail", 2, 0), ("card", 3, 2)]);
}

#[test]
fn the_catalog_decides() {
    let earliest = shop(&CATALOG.replace("conflicts: latest", "conflicts: earliest"));
    assert_eq!(earliest.members("viewed ≥ 4"), ["ana"]);
    let dropped = shop(&CATALOG.replace("unknown: customer", "unknown: drop"));
    assert_eq!(dropped.members("everyone"), ["ana", "bob", "eve"]);
    assert_eq!(dropped.members("bought"), ["ana", "eve"]);
    let report = dropped.run("everyone").unwrap().report;
    let left: Vec<(u64, u64)> = report.sources.iter().map(|s| (s.unlinked, s.no_customer)).collect();
    assert_eq!(left, [(1, 0), (1, 0)]);
    let strict = shop(&CATALOG.replace("conflicts: latest", "conflicts: error"));
    assert_eq!(
        strict.error("everyone"),
        "the id `c3` leads to 2 customers: `ana` (by `cookie`), `bob` (by `cookie`)\n  = correct the links, or say in the \
         catalog which of them counts: `conflicts: earliest` or `conflicts: latest`; `segue identities` shows all"
    );
}

#[test]
fn numbers_stay_numbers_where_all_are() {
    let catalog = "
sources:
  web: {path: data/web.parquet, customer: cookie, time: time}
events: {viewed: {source: web}}
identities:
  links: {cookie: {path: data/cookies.parquet, from: cookie, to: customer}}
";
    let shop = Shop::new(catalog);
    shop.parquet("data/web.parquet", vec![("cookie", numbers(&[100, 9, 300])), ("time", ago(&[1, 2, 3]))]);
    let narrow: ArrayRef = Arc::new(Int32Array::from(vec![100, 300]));
    shop.parquet("data/cookies.parquet", vec![("cookie", narrow), ("customer", numbers(&[10, 10]))]);
    let outcome = shop.run("viewed").unwrap();
    assert_eq!(outcome.member_ids(0), ["9", "10"]);
    assert_eq!(outcome.customers.data_type(), &arrow::datatypes::DataType::Int64);
    assert_eq!(traced(&shop, "300").unwrap().customer, "10");
    assert!(traced(&shop, "c12").unwrap_err().to_string().contains("has the id `c12`"));
    assert!(traced(&shop, "0300").is_err());
    // One text among the ids, and all are texts; the customers are the same.
    shop.parquet("data/cookies.parquet", vec![("cookie", all(&["100", "c12"])), ("customer", numbers(&[10, 7]))]);
    shop.parquet("data/web.parquet", vec![("cookie", all(&["100", "c12", "7"])), ("time", ago(&[1, 2, 3]))]);
    let outcome = shop.run("viewed").unwrap();
    assert_eq!(outcome.member_ids(0), ["10", "7"]);
    assert_eq!(outcome.customers.data_type(), &arrow::datatypes::DataType::Utf8);
}

#[test]
fn profiles_that_become_one() {
    let shop = shop(CATALOG);
    shop.parquet("data/profiles.parquet", vec![("id", all(&["ana", "c1"])), ("age", numbers(&[30, 31]))]);
    assert_eq!(
        shop.error("age = 30"),
        "the profiles have several rows of customer `ana`\n  = name the column that tells the latest: `updated_at: …`; \
         `segue identities ID` tells which ids are this customer"
    );
    let dated = self::shop(&CATALOG.replace("customer: id\n", "customer: id\n  updated_at: at\n"));
    let rows = vec![("id", all(&["ana", "c1"])), ("age", numbers(&[30, 31])), ("at", ago(&[2, 1]))];
    dated.parquet("data/profiles.parquet", rows);
    assert_eq!(dated.members("age = 31"), ["ana"]);
}

#[test]
fn what_links_can_not_be() {
    let shop = shop(CATALOG);
    let cards = |from: &[&str], to: &[&str]| {
        vec![("card", all(from)), ("customer", all(to)), ("seen", ago(&vec![1; from.len()]))]
    };
    shop.parquet("data/cards.parquet", cards(&["x", "ana", "k1"], &["k1", "k1", "ana"]));
    let told = "the identity links go in a loop: `ana` → `k1` → `ana`\n  = a chain of links ends at a customer; take one of these \
                out: `ana` → `k1` is in `card`, `k1` → `ana` is in `card`";
    assert_eq!(shop.error("everyone"), told);
    assert!(audited(&shop).unwrap_err().to_string().contains("go in a loop"));
    let long: Vec<String> = (0..40).map(|n| format!("n{n:02}")).collect();
    let from: Vec<&str> = long.iter().map(String::as_str).collect();
    let mut to = from.clone();
    to.rotate_left(1);
    shop.parquet("data/cards.parquet", cards(&from, &to));
    assert!(
        shop.error("everyone").contains("`n11` → `(28 more)` → `n00`".replace("`(28 more)`", "(28 more)").as_str())
    );
    shop.parquet("data/cards.parquet", vec![("card", all(&["a"])), ("customer", all(&["b"]))]);
    assert!(shop.error("everyone").starts_with("link table `card`: `data/cards.parquet` has no column `seen`"));
    let odd: ArrayRef = Arc::new(arrow::array::Float64Array::from(vec![1.5]));
    shop.parquet("data/cards.parquet", vec![("card", odd), ("customer", all(&["b"])), ("seen", ago(&[1]))]);
    let error = shop.error("everyone");
    assert!(error.starts_with("link table `card`: column `card`") && error.contains("an id (text,"), "{error}");
    std::fs::write(shop.path("data/cards.parquet"), "hello").unwrap();
    assert!(shop.error("everyone").starts_with("link table `card`: `data/cards.parquet` is no Parquet file"));
    std::fs::remove_file(shop.path("data/cards.parquet")).unwrap();
    let gone = traced(&shop, "ana").unwrap_err();
    assert!(gone.to_string().starts_with("link table `card`: nothing at"), "{gone}");
    assert_eq!(gone.exit(), Exit::Environment);
}

#[test]
fn damaged_pages_and_little_memory_are_told() {
    let shop = shop(CATALOG);
    let path = shop.path("data/mails.parquet");
    let whole = std::fs::read(&path).unwrap();
    let mut told = 0;
    for at in (4..whole.len() - 8).step_by(61) {
        let mut bytes = whole.clone();
        bytes[at..(at + 3).min(whole.len())].iter_mut().for_each(|byte| *byte ^= 0xA5);
        std::fs::write(&path, &bytes).unwrap();
        if let Err(error) = shop.run("everyone") {
            told += 1;
            assert!(error.to_string().contains("mails.parquet") || error.exit() == Exit::Environment, "{at}: {error}");
        }
    }
    assert!(told > 0);
    std::fs::write(&path, &whole).unwrap();
    let many: Vec<String> = (0..50_000).map(|n| format!("cookie-number-{n}")).collect();
    let ids: Vec<&str> = many.iter().map(String::as_str).collect();
    shop.parquet(
        "data/cards.parquet",
        vec![("card", all(&ids)), ("customer", all(&vec!["ana"; ids.len()])), ("seen", ago(&vec![1; ids.len()]))],
    );
    let error = shop.run_with("everyone", Limits { memory: Some(1 << 20), ..Limits::default() }).unwrap_err();
    assert!(error.to_string().contains("the memory limit is too small"), "{error}");
}

#[test]
fn an_audit_of_all_ids() {
    let shop = shop(CATALOG);
    let audit = audited(&shop).unwrap();
    let merges: Vec<_> = audit.merges.first.iter().map(|m| (m.customer.as_str(), m.ids)).collect();
    assert_eq!(merges, [("ana", 5), ("bob", 4)]);
    assert_eq!(audit.chains, [(1, 3), (2, 4)]);
    assert_eq!(audit.conflicts.count, 1);
    let conflict = &audit.conflicts.first[0];
    assert_eq!((conflict.id.as_str(), conflict.customer.as_deref()), ("c3", Some("bob")));
    let leads: Vec<_> = conflict.leads.first.iter().map(|l| (l.customer.as_str(), l.to.as_str())).collect();
    assert_eq!(leads, [("bob", "bob@x"), ("ana", "ana@x")]);
    assert_eq!(audit.orphans.first, [("c9".to_owned(), 1), ("k9".to_owned(), 1)]);
    assert_eq!((audit.orphans.count, audit.orphan_rows), (2, 2));
    assert_eq!(audit.idle.first, ["bob@x"]);
}

#[test]
fn an_id_link_by_link() {
    let shop = shop(CATALOG);
    let trace = traced(&shop, "c3").unwrap();
    assert_eq!((trace.customer.as_str(), trace.in_doubt), ("bob", false));
    let steps: Vec<_> = trace
        .steps
        .iter()
        .map(|s| (s.from.as_str(), s.lead.to.as_str(), s.lead.table.as_str(), s.others.count))
        .collect();
    assert_eq!(steps, [("c3", "bob@x", "cookie", 1), ("bob@x", "bob", "mail", 0)]);
    assert_eq!(trace.same.first, ["bob", "bob@x", "c3", "c7"]);
    assert_eq!(trace.places, [("source `web`".to_owned(), 1)]);
    let nobody = traced(&shop, "c9").unwrap();
    assert_eq!((nobody.steps.len(), nobody.same.count, nobody.places.len()), (0, 1, 1));
    assert_eq!(traced(&shop, "c99").unwrap_err().exit(), Exit::Usage);
}

#[test]
fn the_verb() {
    let shop = shop(CATALOG);
    let (code, out, err) = call(&shop, &["identities"]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    let expected = "\
shop: 7 ids lead to 2 customers by 3 link tables
  cookie: 5 rows
  mail: 2 rows
  card: 3 rows, 2 of them without id left out

merges: 2 customers made of several ids
  ana: 5 ids
  bob: 4 ids

chains: links between an id and its customer
  1 link: 3 ids
  2 links: 4 ids

conflicts: 1 id leads to several customers; the latest link counts
  c3 → bob (by cookie, 2026-11-18T00:00:00+00:00), not ana (by cookie, 2026-11-12T00:00:00+00:00)

orphans: 2 ids of events that no link and no profile knows (2 rows); each is a customer of its own
  c9: 1 row
  k9: 1 row

idle: 1 raw id in links and in no event, profile or list
  bob@x
";
    assert_eq!(out, expected);
    let (_, short, _) = call(&shop, &["identities", "--limit", "1"]);
    assert!(short.contains("  ana: 5 ids\n  … and 1 more\n"), "{short}");
    let (_, out, _) = call(&shop, &["identities", "c3"]);
    let expected = "\
c3 is customer bob, over 2 links

  c3 → bob@x (by cookie, 2026-11-18T00:00:00+00:00)
    not → ana@x → ana (by cookie, 2026-11-12T00:00:00+00:00)
  bob@x → bob (by mail, 2026-08-14T00:00:00+00:00)

customer bob has 4 ids:
  bob
  bob@x
  c3
  c7

c3 is in
  source `web`: 1 row
";
    assert_eq!(out, expected);
    let json: Value = serde_json::from_str(&call(&shop, &["identities", "--format", "json"]).1).expect("JSON");
    assert_eq!((&json["schema"], &json["conflicts"]["ids"][0]["customer"]), (&Value::from(1), &Value::from("bob")));
    let json: Value = serde_json::from_str(&call(&shop, &["identities", "c1", "--format", "json"]).1).expect("JSON");
    assert_eq!((&json["customer"], &json["steps"][0]["to"]), (&Value::from("ana"), &Value::from("ana@x")));
    let (code, _, err) = call(&shop, &["identities", "c99"]);
    assert_eq!(code, Some(2), "{err}");
    let (_, _, err) = call(&shop, &["run", "--rule", "viewed", "--no-write"]);
    for said in [
        "note: 1 id leads to several customers, and the latest link counts",
        "note: `web`: 4 rows linked to a customer of another id",
        "note: link table `card`: 2 rows without id left out",
    ] {
        assert!(err.contains(said), "{said}\n{err}");
    }
}

#[test]
fn the_verb_where_something_is_wrong() {
    let strict =
        shop(&CATALOG.replace("conflicts: latest", "conflicts: error").replace("unknown: customer", "unknown: drop"));
    let (code, out, _) = call(&strict, &["identities"]);
    assert_eq!(code, Some(1));
    assert!(out.contains("c3 → ana (by cookie, 2026-11-12T00:00:00+00:00) or bob (by cookie,"), "{out}");
    assert!(out.contains("(2 rows); they are left out"), "{out}");
    let (code, out, _) = call(&strict, &["identities", "c3"]);
    assert!(
        code == Some(1) && out.contains("c3 leads to several customers") && out.contains("    or → bob@x → bob"),
        "{out}"
    );
    assert_eq!(call(&strict, &["run", "--no-write"]).0, Some(4));
    let none = Shop::plain();
    none.parquet("data/events/a.parquet", super::engine_support::some_events());
    let (code, _, err) = call(&none, &["identities"]);
    assert!(code == Some(2) && err.contains("the catalog names no identity links"), "{err}");
    let broken = Shop::new(&CATALOG.replace("from: card", "form: card"));
    assert_eq!(call(&broken, &["identities"]).0, Some(3));
}
