//! `init` on what is no good: every answer names the file and what to do, and nothing is written.

use std::fs;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array};

use crate::infer_support::{fails, folder, hours, texts, write};

#[test]
fn nothing_to_read() {
    let (_keep, root) = folder();
    let place = root.to_str().unwrap();
    let (code, error) = fails(&["init", place]);
    assert_eq!(code, 4);
    assert!(error.contains("no Parquet file in"), "{error}");
    fs::write(root.join("orders.csv"), "a\n1\n").unwrap();
    let (_, error) = fails(&["init", place]);
    assert!(error.contains("orders.csv") && error.contains("DuckDB"), "{error}");
    let (code, error) = fails(&["init", root.join("nowhere").to_str().unwrap()]);
    assert_eq!(code, 2);
    assert!(error.contains("nowhere"), "{error}");
    let (code, error) = fails(&["init", place, "--data", root.join("gone.parquet").to_str().unwrap()]);
    assert_eq!(code, 4);
    assert!(error.contains("gone.parquet"), "{error}");
}

#[test]
fn broken_files_are_named_all_at_once() {
    let (_keep, root) = folder();
    let good = root.join("good.parquet");
    let users: Vec<String> = (0..2_000).map(|i| format!("u{}", i % 99)).collect();
    write(&good, vec![("user_id", texts(users.iter().map(String::as_str))), ("ts", hours(2_000))]);
    let bytes = fs::read(&good).unwrap();
    fs::write(root.join("cut.parquet"), &bytes[..bytes.len() / 2]).unwrap();
    fs::write(root.join("empty.parquet"), "").unwrap();
    fs::write(root.join("text.parquet"), "this is no Parquet file at all, is it").unwrap();
    let (code, error) = fails(&["init", root.to_str().unwrap(), "--yes"]);
    assert_eq!(code, 4);
    for name in ["cut.parquet", "empty.parquet", "text.parquet", "cut off or damaged"] {
        assert!(error.contains(name), "{name} in {error}");
    }
    assert!(!root.join("segue.yaml").exists());
}

#[test]
fn damaged_pages_are_an_error_and_no_panic() {
    let (_keep, root) = folder();
    let path = root.join("events.parquet");
    let users: Vec<String> = (0..2_000).map(|i| format!("u{}", i % 99)).collect();
    write(&path, vec![("user_id", texts(users.iter().map(String::as_str))), ("ts", hours(2_000))]);
    let mut bytes = fs::read(&path).unwrap();
    for byte in bytes.iter_mut().take(200).skip(4) {
        *byte = 0xff;
    }
    fs::write(&path, bytes).unwrap();
    let (code, error) = fails(&["init", root.to_str().unwrap(), "--yes"]);
    assert_eq!(code, 4);
    assert!(error.contains("events.parquet"), "{error}");
}

#[test]
fn no_customer_and_no_time() {
    let (_keep, root) = folder();
    let n = 50;
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..n));
    write(&root.join("weather.parquet"), vec![("station", numbers.clone()), ("rain", numbers)]);
    let (code, error) = fails(&["init", root.to_str().unwrap(), "--yes"]);
    assert_eq!(code, 4);
    assert!(error.contains("weather") && error.contains("--customer"), "{error}");
}

#[test]
fn wrong_flags() {
    let (_keep, root) = folder();
    write(&root.join("visits.parquet"), vec![("user_id", texts(["a", "b", "a"])), ("seen_at", hours(3))]);
    let place = root.to_str().unwrap();
    let (code, error) = fails(&["init", place, "--customer", "usr_id"]);
    assert_eq!(code, 2);
    assert!(error.contains("did you mean `user_id`"), "{error}");
    let (code, error) = fails(&["init", place, "--timezone", "Paris"]);
    assert_eq!(code, 2);
    assert!(error.contains("no time zone `Paris`"), "{error}");
    let (code, error) = fails(&["init", place, "--time", "user_id"]);
    assert_eq!(code, 2);
    assert!(error.contains("holds no times"), "{error}");
    let (code, error) = fails(&["init", place, "--currency", "EURO"]);
    assert_eq!(code, 2, "{error}");
    assert!(error.contains("EURO"), "{error}");
    assert!(!root.join("segue.yaml").exists());
}

#[test]
fn strange_names_and_no_rows() {
    let (_keep, root) = folder();
    let none: [&str; 0] = [];
    write(&root.join("nobody.parquet"), vec![("user_id", texts(none)), ("ts", hours(0))]);
    let (code, error) = fails(&["init", root.to_str().unwrap(), "--yes"]);
    assert_eq!(code, 4);
    assert!(error.contains("nobody"), "{error}");

    let odd = "line\nbreak: # \u{202e}x";
    let values = ["v\u{202e}1", "v\n2", "v\t3", "v\u{feff}4"];
    let n = 60;
    write(
        &root.join("odd.parquet"),
        vec![
            ("user_id", texts((0..n).map(|i| ["a", "b", "c"][i % 3]))),
            ("ts", hours(n)),
            (odd, texts((0..n).map(|i| values[i % 4]))),
            ("where", texts((0..n).map(|i| values[i % 4]))),
        ],
    );
    let (catalog, _) = crate::infer_support::init(&root, &[]);
    let names: Vec<&str> = catalog.events[0].properties.iter().map(|p| p.name.name.as_str()).collect();
    assert_eq!(names, ["line_break_x", "where_property"]);
}

/// Files that one glob or folder takes, and no table could be made of.
#[test]
fn one_column_of_two_types() {
    for place in ["data/date=2026-03-0DAY/part-0.parquet", "data/eDAY.parquet"] {
        let (_keep, root) = folder();
        for day in 1..4 {
            let users: Vec<String> = (0..200).map(|i| format!("u{}", i % 40)).collect();
            let amount = || Int64Array::from_iter_values(0..200);
            let words = || texts((0..200).map(|_| "much"));
            let amount: ArrayRef = if day < 3 { Arc::new(amount()) } else { words() };
            let columns = vec![
                ("user_id", texts(users.iter().map(String::as_str))),
                ("event", texts((0..200).map(|_| "order"))),
                ("ts", hours(200)),
                ("amount", amount),
            ];
            write(&root.join(place.replace("DAY", &day.to_string())), columns);
        }
        let (code, error) = fails(&["init", root.to_str().unwrap(), "--yes"]);
        assert_eq!(code, 4, "{error}");
        let named = place.replace("DAY", "3");
        assert!(error.contains(&named) && error.contains("column `amount` holds other values"), "{error}");
        assert!(!root.join("segue.yaml").exists());
    }
}
