//! `init` on a shop's files: hive partitions, an event column with raw names of every sort, products and users.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float64Array, Int64Array, ListBuilder,
    StringArray, StringBuilder, StructArray,
};
use arrow::datatypes::{DataType, Field, Int32Type};
use segue::language::catalog::{ColumnRef, Event, RawMatch, Type};

use crate::infer_support::{audiences, folder, hours, init, segue, succeeds, texts, write};

const RAW: [&str; 6] = ["Order Completed", "page_view", "email_sent", "rate", "add to cart", "購入"];
/// Values that YAML takes for something else unless they are quoted.
const CHANNELS: [&str; 10] = ["web", "NO", "yes", "007", "a: b", "x #y", "null", "1e3", "it's \"it\"", "- dash"];

fn shop(root: &Path) {
    for day in 0..3 {
        let n = 1_200;
        let kind = |i: usize| RAW[i % RAW.len()];
        let raw: DictionaryArray<Int32Type> = (0..n).map(|i| Some(kind(i))).collect();
        let users: Vec<String> = (0..n).map(|i| format!("u{}", (i * 7 + day) % 90)).collect();
        let mut tags = ListBuilder::new(StringBuilder::new());
        for i in 0..n {
            tags.append_value([Some(["vip", "new"][i % 2])]);
        }
        let nested = StructArray::from(vec![(
            Arc::new(Field::new("a", DataType::Int64, true)),
            Arc::new(Int64Array::from_iter_values(0..n as i64)) as ArrayRef,
        )]);
        let amount: Float64Array =
            (0..n).map(|i| (kind(i) == "Order Completed").then_some((i % 90) as f64 + 0.25)).collect();
        let product: Int64Array = (0..n).map(|i| (kind(i) != "email_sent").then_some((i % 40) as i64)).collect();
        write(
            &root.join(format!("data/events/date=2026-03-0{}/part-0.parquet", day + 1)),
            vec![
                ("user_id", texts(users.iter().map(String::as_str))),
                ("event", Arc::new(raw)),
                ("ts", hours(n)),
                ("loaded_at", hours(n)),
                ("product_id", Arc::new(product)),
                ("amount", Arc::new(amount)),
                ("channel", texts((0..n).map(|i| CHANNELS[i % CHANNELS.len()]))),
                ("Page URL", texts((0..n).map(|i| ["/", "/cart"][i % 2]))),
                ("tags", Arc::new(tags.finish())),
                ("context", Arc::new(nested)),
            ],
        );
    }
    let n = 40;
    write(
        &root.join("data/products.parquet"),
        vec![
            ("id", Arc::new(Int64Array::from_iter_values(0..n)) as ArrayRef),
            ("category", texts((0..n).map(|i| ["serum", "cream", "no"][i as usize % 3]))),
            ("name", texts((0..n).map(|i| ["Alpha", "Beta", "Gamma", "Delta"][i as usize % 4]))),
            (
                "price",
                Arc::new(
                    Decimal128Array::from_iter_values((0..n).map(i128::from)).with_precision_and_scale(10, 3).unwrap(),
                ),
            ),
        ],
    );
    let n = 90;
    let text = |f: &dyn Fn(usize) -> String| -> ArrayRef { Arc::new(StringArray::from_iter_values((0..n).map(f))) };
    write(
        &root.join("data/users.parquet"),
        vec![
            ("id", text(&|i| format!("u{i}"))),
            ("email", text(&|i| format!("user{i}@example.org"))),
            ("contact", text(&|i| format!("+33 1 42 68 {:02} {:02}", i % 100, i % 77))),
            ("full_name", text(&|i| format!("Person {i}"))),
            ("birth_date", Arc::new(Date32Array::from_iter_values((0..n as i32).map(|i| 4_000 + i)))),
            ("country", text(&|i| ["FR", "NO", "DE"][i % 3].to_owned())),
            ("email_consent", Arc::new(BooleanArray::from_iter((0..n).map(|i| Some(i % 2 == 0))))),
            ("signup_date", Arc::new(Date32Array::from_iter_values((0..n as i32).map(|i| 20_000 + i)))),
            ("rate", text(&|i| format!("r{i}"))),
        ],
    );
    std::fs::write(root.join("data/_SUCCESS"), "").unwrap();
    std::fs::write(root.join("data/notes.csv"), "a,b\n").unwrap();
}

fn event<'a>(events: &'a [Event], name: &str) -> &'a Event {
    let names: Vec<&str> = events.iter().map(|e| e.name.name.as_str()).collect();
    events.iter().find(|e| e.name.name == name).unwrap_or_else(|| panic!("no {name} in {names:?}"))
}

fn property<'a>(event: &'a Event, name: &str) -> &'a segue::language::catalog::Property {
    let names: Vec<&str> = event.properties.iter().map(|p| p.name.name.as_str()).collect();
    event.properties.iter().find(|p| p.name.name == name).unwrap_or_else(|| panic!("no {name} in {names:?}"))
}

#[test]
fn a_shop_is_understood() {
    let (_keep, root) = folder();
    shop(&root);
    let (catalog, text) = init(&root, &[]);

    assert_eq!(catalog.sources.len(), 1);
    let source = &catalog.sources[0];
    assert_eq!((source.name.name.as_str(), source.path.as_str()), ("events", "data/events"));
    assert_eq!(
        (source.customer.as_str(), source.time.as_str(), source.event.as_deref()),
        ("user_id", "ts", Some("event"))
    );
    assert!(text.contains("customer: user_id            # 90 distinct of 3,600 rows"), "{text}");

    let bought = event(&catalog.events, "order_completed");
    assert_eq!(bought.raw, RawMatch::Names { exact: vec!["Order Completed".to_owned()], prefixes: vec![] });
    assert!(bought.aliases.iter().any(|a| a.name == "purchased"));
    assert_eq!(property(bought, "amount").ty, Type::Money { scale: 2 });
    assert_eq!(property(bought, "tags").ty, Type::TextList);
    assert_eq!(property(bought, "page_url").column, ColumnRef::Own("Page URL".to_owned()));
    assert_eq!(property(bought, "price").ty, Type::Money { scale: 3 });
    match &property(bought, "category").column {
        ColumnRef::Lookup { on, column, .. } => assert_eq!((on.as_str(), column.as_str()), ("product_id", "category")),
        other => panic!("{other:?}"),
    }
    let subject: Vec<&str> = bought.subject.iter().map(|p| bought.properties[p.index()].name.name.as_str()).collect();
    assert_eq!(subject, ["category"]);

    let sent = event(&catalog.events, "email_sent");
    assert!(sent.aliases.iter().any(|a| a.name == "email_send"));
    // Columns that are empty for a kind of event are no properties of it.
    assert!(sent.properties.iter().all(|p| p.name.name != "amount"));
    // A word that the language takes is given in its past form, the raw name kept.
    let rated = event(&catalog.events, "rated");
    assert_eq!(rated.raw, RawMatch::Names { exact: vec!["rate".to_owned()], prefixes: vec![] });
    assert!(event(&catalog.events, "add_to_cart").session);
    event(&catalog.events, "購入");

    let channels = property(bought, "channel").known.as_ref().unwrap();
    assert!(channels.closed);
    let all: Vec<&str> = catalog
        .events
        .iter()
        .flat_map(|e| &property(e, "channel").known.as_ref().unwrap().values)
        .map(|v| v.text.as_str())
        .collect();
    for channel in CHANNELS {
        assert!(all.contains(&channel), "{channel} in {all:?}");
    }

    let profile = catalog.profile.as_ref().unwrap();
    assert_eq!((profile.customer.as_str(), profile.created.as_deref()), ("id", Some("signup_date")));
    let personal: Vec<&str> = profile.attributes.iter().filter(|a| a.pii).map(|a| a.name.name.as_str()).collect();
    assert_eq!(personal, ["email", "contact", "full_name", "birth_date"]);
    assert!(!text.contains("example.org") && !text.contains("Person 1"), "personal values stay in the files");
    let country = profile.attributes.iter().find(|a| a.name.name == "country").unwrap().known.as_ref().unwrap();
    assert_eq!(country.values.iter().filter(|v| v.text == "NO").count(), 1);
    assert!(catalog.channels.iter().any(|c| c.name.name == "email" && c.consent.is_some()));

    assert!(text.contains("column context is left out: a structure"), "{text}");
    assert!(audiences(&root).iter().all(|(_, size)| *size > 0));
    assert!(text.contains("column date is left out: a folder's date"), "{text}");
}

#[test]
fn the_same_files_give_the_same_texts() {
    let (_keep, root) = folder();
    shop(&root);
    let (_, first) = init(&root, &[]);
    let (_, second) = init(&root, &["--force"]);
    assert_eq!(first, second);
}

#[test]
fn a_project_that_is_there_is_left_alone() {
    let (_keep, root) = folder();
    shop(&root);
    std::fs::write(root.join("catalog.yaml"), "mine").unwrap();
    let place = root.to_str().unwrap();
    let output = segue(&["init", place, "--yes"]);
    assert_eq!(output.status.code(), Some(5));
    assert!(String::from_utf8_lossy(&output.stderr).contains("catalog.yaml` is there already"));
    assert_eq!(std::fs::read_to_string(root.join("catalog.yaml")).unwrap(), "mine");
    assert!(!root.join("segue.yaml").exists());
    init(&root, &["--force"]);
}

#[test]
fn flags_overrule_guesses() {
    let (_keep, root) = folder();
    shop(&root);
    let flags = ["--time", "events.loaded_at", "--timezone", "Europe/Paris", "--currency", "chf", "--name", "my: shop"];
    let (catalog, _) = init(&root, &flags);
    assert_eq!(catalog.sources[0].time, "loaded_at");
    let text = std::fs::read_to_string(root.join("segue.yaml")).unwrap();
    assert!(text.contains("name: \"my: shop\"\n") && text.contains("timezone: Europe/Paris\n"), "{text}");
    assert!(text.contains("currency: CHF\n"), "{text}");

    let (catalog, _) = init(&root, &["--force", "--event", "none"]);
    let names: Vec<&str> = catalog.events.iter().map(|e| e.name.name.as_str()).collect();
    assert_eq!(names, ["events"]);
}

#[test]
fn data_beside_a_project_that_is_still_to_be_made() {
    let (_keep, root) = folder();
    shop(&root.join("data"));
    let output = Command::new(env!("CARGO_BIN_EXE_segue"))
        .args(["init", "new/shop", "--data", "data", "--yes"])
        .current_dir(&root)
        .env_remove("SEGUE_PROJECT")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!audiences(&root.join("new/shop")).is_empty(), "the data is found again");
}

#[test]
fn what_was_guessed_is_shown() {
    let (_keep, root) = folder();
    shop(&root);
    let place = root.to_str().unwrap();
    let shown = succeeds(&["init", place, "--yes"]);
    for part in ["order_completed", "look-up", "profiles", "90 distinct of 3,600 rows", "segue check"] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    let json = succeeds(&["init", place, "--force", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["events"].as_array().unwrap().len(), RAW.len());
    assert_eq!(json["profiles"]["customer"], "id");
    assert_eq!(json["tables"][0]["rows"], 3600);
}

#[test]
fn one_kind_of_event_a_table_and_a_uuid() {
    use arrow::array::{FixedSizeBinaryArray, TimestampSecondArray};
    let (_keep, root) = folder();
    let n = 300usize;
    let ids = || -> ArrayRef {
        let rows = (0..n).map(|i| [(i % 50) as u8; 16]);
        Arc::new(FixedSizeBinaryArray::try_from_iter(rows).unwrap())
    };
    let seconds = Int64Array::from_iter_values((0..n as i64).map(|i| 1_772_323_200 + i));
    write(&root.join("opens.parquet"), vec![("customer", ids()), ("epoch_ts", Arc::new(seconds))]);
    let times = TimestampSecondArray::from_iter_values((0..n as i64).map(|i| 1_772_323_200 + i));
    write(&root.join("clicks.parquet"), vec![("customer", ids()), ("clicked_at", Arc::new(times))]);
    let (catalog, text) = init(&root, &[]);
    let names: Vec<&str> = catalog.events.iter().map(|e| e.name.name.as_str()).collect();
    assert_eq!(names, ["clicks", "opens"]);
    assert!(catalog.events.iter().all(|e| e.raw == RawMatch::All));
    assert!(event(&catalog.events, "opens").aliases.iter().any(|a| a.name == "opened"));
    assert!(text.contains("time_unit: s"), "{text}");
    assert!(catalog.sources[1].time_unit.is_some(), "{text}");
    assert!(audiences(&root).iter().all(|(_, size)| *size > 0));
}

/// Beside the files themselves: what the first run writes is nothing to the second.
#[test]
fn a_project_in_the_folder_of_its_files() {
    for place in ["date=2026-03-0DAY/part-0.parquet", "events-0DAY.parquet"] {
        let (_keep, root) = folder();
        let n = 300;
        for day in 1..4 {
            let users: Vec<String> = (0..n).map(|i| format!("u{}", i % 40)).collect();
            let columns = vec![
                ("user_id", texts(users.iter().map(String::as_str))),
                ("event", texts((0..n).map(|i| ["order", "page_view"][i % 2]))),
                ("ts", hours(n)),
            ];
            write(&root.join(place.replace("DAY", &day.to_string())), columns);
        }
        let (_, text) = init(&root, &[]);
        let run = || succeeds(&["run", root.to_str().unwrap(), "--as-of", "2026-11-21"]);
        let first = run();
        assert!(root.join("out").is_dir(), "{text}");
        assert_eq!(first, run(), "{text}");
        assert!(audiences(&root).iter().any(|(_, size)| *size > 0), "{text}");
    }
}

/// Files of a table that differ in columns are one table, named once; what some lack is told.
#[test]
fn files_that_have_a_column_more() {
    let days = |place: &str, more: &dyn Fn(usize) -> bool, root: &Path| {
        let n = 300;
        for day in 1..5 {
            let users: Vec<String> = (0..n).map(|i| format!("u{}", i % 40)).collect();
            let mut columns = vec![
                ("user_id", texts(users.iter().map(String::as_str))),
                ("event", texts((0..n).map(|i| ["order", "page_view"][i % 2]))),
                ("ts", hours(n)),
                ("channel", texts((0..n).map(|i| ["web", "app"][i % 2]))),
            ];
            if more(day) {
                columns.push(("coupon", texts((0..n).map(|i| ["A", "B"][i % 2]))));
            }
            write(&root.join(place.replace("DAY", &day.to_string())), columns);
        }
    };
    for place in
        ["data/events/date=2026-03-0DAY/part-0.parquet", "data/events/events-0DAY.parquet", "data/events/eDAY.parquet"]
    {
        for more in [|day| day > 2, |day| day < 2, |day| day % 2 == 0] {
            let (_keep, root) = folder();
            days(place, &more, &root);
            let (catalog, text) = init(&root, &[]);
            let paths: Vec<&str> = catalog.sources.iter().map(|s| s.path.as_str()).collect();
            assert_eq!(paths, ["data/events"], "{text}");
            let order = event(&catalog.events, "order");
            assert!(order.properties.iter().any(|p| p.name.name == "channel"), "{text}");
            assert!(order.properties.iter().all(|p| p.name.name != "coupon"), "{text}");
            assert!(text.contains("column coupon is left out: some files lack it"), "{text}");
            assert!(audiences(&root).iter().any(|(_, size)| *size > 0));
        }
    }
    // Beside partitions, a table of its own.
    let people = |root: &Path, name: &str| {
        let users: Vec<String> = (0..40).map(|i| format!("u{i}")).collect();
        let city = texts((0..40).map(|i| ["Lyon", "Nice"][i % 2]));
        write(&root.join(name), vec![("id", texts(users.iter().map(String::as_str))), ("city", city)]);
    };
    let (_keep, root) = folder();
    days("data/date=2026-03-0DAY/part-0.parquet", &|day| day > 2, &root);
    people(&root, "data/customers.parquet");
    let (catalog, text) = init(&root, &[]);
    assert_eq!(
        catalog.sources.iter().map(|s| s.path.as_str()).collect::<Vec<_>>(),
        ["data/*=*/**/*.parquet"],
        "{text}"
    );
    assert_eq!(catalog.profile.map(|p| p.path).as_deref(), Some("data/customers.parquet"), "{text}");
    assert!(audiences(&root).iter().any(|(_, size)| *size > 0), "{text}");
    // Another table, whose name begins alike: each file by its own name.
    let (_keep, root) = folder();
    days("data/eDAY.parquet", &|_| false, &root);
    people(&root, "data/everybody.parquet");
    let (catalog, text) = init(&root, &[]);
    let mut paths: Vec<&str> = catalog.sources.iter().map(|s| s.path.as_str()).collect();
    paths.sort_unstable();
    assert_eq!(paths, ["data/e1.parquet", "data/e2.parquet", "data/e3.parquet", "data/e4.parquet"], "{text}");
    assert!(audiences(&root).iter().any(|(_, size)| *size > 0), "{text}");
}
