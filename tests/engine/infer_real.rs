//! `init` on real data, where `SEGUE_DATA` says it is.

use std::path::PathBuf;

use segue::language::catalog::ColumnRef;

use crate::infer_support::{audiences, folder, init, succeeds};

fn data(name: &str) -> Option<PathBuf> {
    let place = PathBuf::from(std::env::var_os("SEGUE_DATA")?).join(name);
    place.exists().then_some(place)
}

#[test]
fn a_grocer_with_products_and_demographics() {
    let Some(data) = data("complete_journey") else { return };
    let (_keep, root) = folder();
    let (catalog, text) = init(&root, &["--data", data.to_str().unwrap()]);
    let names: Vec<&str> = catalog.events.iter().map(|e| e.name.name.as_str()).collect();
    assert_eq!(names, ["coupon_redemptions", "transactions"]);
    assert!(text.contains("2,469 distinct of 1,469,307 rows"), "{text}");
    let bought = &catalog.events[1];
    assert!(bought.aliases.iter().any(|a| a.name == "purchased"));
    let category = bought.properties.iter().find(|p| p.name.name == "product_category").unwrap();
    assert!(matches!(&category.column, ColumnRef::Lookup { on, .. } if on == "product_id"));
    assert!(category.known.as_ref().unwrap().values.iter().any(|v| v.text == "FROZEN PIZZA"));
    assert_eq!(catalog.profile.as_ref().unwrap().attributes.len(), 7);
    assert!(text.contains("# - campaigns: nothing says when"), "{text}");
    succeeds(&["check", root.to_str().unwrap(), "--deny", "warnings"]);
    for (rule, size) in audiences(&root) {
        assert!(size > 0, "{rule}");
    }
}

#[test]
fn one_table_a_folder_or_none_with_times() {
    for (name, events) in [("cdnow", 2), ("online_retail_ii", 1), ("hillstrom", 0)] {
        let Some(data) = data(name) else { return };
        let (_keep, root) = folder();
        let (catalog, _) = init(&root, &["--data", data.to_str().unwrap()]);
        assert_eq!(catalog.events.len(), events, "{name}");
        assert_eq!(catalog.profile.is_some(), name == "hillstrom");
        succeeds(&["check", root.to_str().unwrap(), "--deny", "warnings"]);
        for (rule, size) in audiences(&root) {
            assert!(size > 0, "{rule} of {name}");
        }
    }
}

/// The shop's example holds the data that a new project would begin with.
#[test]
fn the_first_rule_of_the_tour_stands_on_a_guessed_catalog() {
    let data = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples/cosmetics/data");
    let (_keep, root) = folder();
    let (catalog, text) = init(&root, &["--data", data.to_str().unwrap()]);
    let sent = catalog.events.iter().find(|e| e.name.name == "email_sent").unwrap();
    let names: Vec<&str> = sent.properties.iter().map(|p| p.name.name.as_str()).collect();
    assert_eq!(names, ["campaign"], "no look-up by a column that mails do not have");
    assert!(text.contains("campaign: {type: text, taxonomy: campaign}"), "{text}");
    assert!(text.contains("# filter: not machine"), "{text}");
    let rule = "purchased anti-aging ≥3 in 90d and no open in 30d → offer\n";
    std::fs::write(root.join("rules/winback.seg"), rule).unwrap();
    succeeds(&["check", root.to_str().unwrap(), "--deny", "warnings"]);
    for (rule, size) in audiences(&root) {
        assert!(size > 0, "{rule}");
    }
}
