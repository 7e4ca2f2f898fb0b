//! `init` on real data, where `SEGUE_DATA` says it is.

use std::path::PathBuf;

use segue::language::catalog::ColumnRef;

use crate::infer_support::{folder, init, succeeds};

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
    }
}
