//! Deliveries as files: every type to every format, hostile cells, changes, and what may not be delivered.

use std::sync::Arc;

use arrow::array::*;
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Int32Type, TimeUnit};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use segue::audience::deliver::{Delivered, csv, files};
use segue::error::Exit;
use segue::language::catalog::{Files, Mode};
use serde_json::{Value, json};

use crate::deliver_support::{Ask, Place, Versions, batch, catalog, scored, texts, version};

fn drop_of(kind: &str) -> String {
    format!("destinations: {{drop: {{kind: {kind}, path: out/drop}}}}")
}

fn read(place: &Place, name: &str) -> Vec<u8> {
    let path = place.root.path().join("out/drop").join(name);
    std::fs::read(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

/// A reader of CSV of its own: RFC 4180, and whether a cell was quoted.
fn parse(text: &str) -> Vec<Vec<(String, bool)>> {
    let (mut lines, mut line, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut chars = text.chars().peekable();
    let mut inside = false;
    while let Some(c) = chars.next() {
        match (c, inside) {
            ('"', false) => (inside, quoted) = (true, true),
            ('"', true) if chars.peek() == Some(&'"') => cell.push(chars.next().expect("peeked")),
            ('"', true) => inside = false,
            (',', false) => line.push((std::mem::take(&mut cell), std::mem::take(&mut quoted))),
            ('\r', false) => {
                assert_eq!(chars.next(), Some('\n'), "lines end with CR LF");
                line.push((std::mem::take(&mut cell), std::mem::take(&mut quoted)));
                lines.push(std::mem::take(&mut line));
            }
            (c, _) => cell.push(c),
        }
    }
    assert!(cell.is_empty() && line.is_empty(), "the last line ends");
    lines
}

/// One column of every type, three rows: a value, another, nothing.
fn everything() -> RecordBatch {
    let list: ArrayRef = Arc::new(ListArray::new(
        Arc::new(Field::new("item", DataType::Utf8, true)),
        OffsetBuffer::from_lengths([2, 0, 0]),
        texts(&[Some("a,\"b\""), Some("=c")]),
        Some(vec![true, true, false].into()),
    ));
    let dictionary: DictionaryArray<Int32Type> = vec![Some("gold"), Some("silver"), None].into_iter().collect();
    let money = Decimal128Array::from(vec![Some(1_050), Some(-5), None]).with_precision_and_scale(38, 2);
    let small = Decimal128Array::from(vec![Some(123_456_789), Some(0), None]).with_precision_and_scale(18, 9);
    let utc = |unit: Vec<Option<i64>>| TimestampMicrosecondArray::from(unit).with_timezone("UTC");
    batch(&[
        ("customer", texts(&[Some("c1"), Some("c2"), Some("c3")])),
        ("yes", Arc::new(BooleanArray::from(vec![Some(true), Some(false), None]))),
        ("int8", Arc::new(Int8Array::from(vec![Some(-128), Some(127), None]))),
        ("int16", Arc::new(Int16Array::from(vec![Some(-1), Some(1), None]))),
        ("int32", Arc::new(Int32Array::from(vec![Some(i32::MIN), Some(0), None]))),
        ("int64", Arc::new(Int64Array::from(vec![Some(i64::MIN), Some(i64::MAX), None]))),
        ("uint8", Arc::new(UInt8Array::from(vec![Some(0), Some(255), None]))),
        ("uint32", Arc::new(UInt32Array::from(vec![Some(0), Some(u32::MAX), None]))),
        ("uint64", Arc::new(UInt64Array::from(vec![Some(0), Some(u64::MAX), None]))),
        ("float32", Arc::new(Float32Array::from(vec![Some(0.5), Some(-1.5), None]))),
        ("float64", Arc::new(Float64Array::from(vec![Some(0.1), Some(f64::NAN), None]))),
        ("money", Arc::new(money.expect("fits"))),
        ("exact", Arc::new(small.expect("fits"))),
        ("date", Arc::new(Date32Array::from(vec![Some(20_778), Some(-1), None]))),
        ("instant", Arc::new(utc(vec![Some(1_795_336_200_000_000), Some(-1), None]))),
        ("seconds", Arc::new(TimestampSecondArray::from(vec![Some(0), Some(1_795_336_200), None]))),
        ("nanos", Arc::new(TimestampNanosecondArray::from(vec![Some(1_500), Some(0), None]))),
        ("text", texts(&[Some("a"), Some(""), None])),
        ("large", Arc::new(LargeStringArray::from(vec![Some("é"), Some("\u{1f600}"), None]))),
        ("view", Arc::new(StringViewArray::from(vec![Some("v"), Some("w"), None]))),
        ("tier", Arc::new(dictionary)),
        ("list", list),
    ])
}

#[test]
fn every_type_to_csv() {
    let place = Place::new(&drop_of("csv"));
    place.deliver("all", &Versions::default().with("all", 1, everything()), version(1)).expect("written");
    let text = String::from_utf8(read(&place, "all.csv")).expect("UTF-8");
    let lines = parse(&text);
    assert_eq!(lines.len(), 4);
    let column = |name: &str| {
        let at = lines[0].iter().position(|(head, _)| head == name).expect("a column");
        let [one, two, three] = [&lines[1][at], &lines[2][at], &lines[3][at]];
        if name != "customer" {
            assert_eq!(three, &(String::new(), false), "nothing is an empty cell: {name}");
        }
        (one.0.clone(), two.0.clone())
    };
    for (name, one, two) in [
        ("customer", "c1", "c2"),
        ("yes", "true", "false"),
        ("int8", "-128", "127"),
        ("int64", "-9223372036854775808", "9223372036854775807"),
        ("uint64", "0", "18446744073709551615"),
        ("float32", "0.5", "-1.5"),
        ("float64", "0.1", ""),
        ("money", "10.50", "-0.05"),
        ("exact", "0.123456789", "0.000000000"),
        ("date", "2026-11-21", "1969-12-31"),
        ("instant", "2026-11-22T08:30:00Z", "1969-12-31T23:59:59.999999Z"),
        ("seconds", "1970-01-01T00:00:00Z", "2026-11-22T08:30:00Z"),
        ("nanos", "1970-01-01T00:00:00.000001Z", "1970-01-01T00:00:00Z"),
        ("text", "a", ""),
        ("large", "é", "\u{1f600}"),
        ("view", "v", "w"),
        ("tier", "gold", "silver"),
        ("list", "[\"a,\\\"b\\\"\",\"=c\"]", "[]"),
    ] {
        assert_eq!(column(name), (one.to_owned(), two.to_owned()), "{name}");
    }
    // Empty text is not nothing.
    let at = lines[0].iter().position(|(head, _)| head == "text").expect("a column");
    assert_eq!((&lines[2][at], &lines[3][at]), (&(String::new(), true), &(String::new(), false)));
}

#[test]
fn every_type_to_json_lines() {
    let place = Place::new(&drop_of("jsonl"));
    place.deliver("all", &Versions::default().with("all", 1, everything()), version(1)).expect("written");
    let text = String::from_utf8(read(&place, "all.jsonl")).expect("UTF-8");
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[0]["money"], json!("10.50"), "no reader rounds it");
    assert_eq!(rows[0]["int64"], json!(i64::MIN));
    assert_eq!(rows[1]["uint64"], json!("18446744073709551615"));
    assert_eq!(rows[0]["list"], json!(["a,\"b\"", "=c"]));
    assert_eq!(rows[0]["yes"], json!(true));
    assert_eq!(rows[0]["float64"], json!(0.1));
    assert_eq!(rows[1]["float64"], Value::Null);
    assert_eq!(rows[0]["instant"], json!("2026-11-22T08:30:00Z"));
    let keys: Vec<&String> = rows[2].as_object().expect("an object").keys().collect();
    assert_eq!(keys.len(), everything().num_columns(), "each row has all keys");
    assert!(rows[2].as_object().expect("an object").iter().all(|(key, v)| key == "customer" || v.is_null()));
}

#[test]
fn every_type_to_parquet() {
    let place = Place::new(&drop_of("parquet"));
    let versions = Versions::default().with("all", 1, everything());
    place.deliver("all", &versions, version(1)).expect("written");
    let bytes = read(&place, "all.parquet");
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(bytes.clone())).expect("Parquet");
    let read_back: Vec<RecordBatch> = reader.build().expect("read").map(|b| b.expect("a batch")).collect();
    let known = segue::audience::deliver::rows::Rows::new(&[everything()], "it").expect("rows").batch;
    assert_eq!(read_back.len(), 1);
    for (at, field) in known.schema().fields().iter().enumerate() {
        assert_eq!(read_back[0].column(at), known.column(at), "{}", field.name());
        assert_eq!(read_back[0].schema().field(at).data_type(), field.data_type(), "{}", field.name());
    }
    let utc = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    assert_eq!(known.column_by_name("seconds").expect("a column").data_type(), &utc);
    // The same delivery is the same bytes.
    let again = Ask { again: true, ..version(1) };
    place.deliver("all", &versions, again).expect("written");
    assert!(read_again(&place) == bytes);
}

fn read_again(place: &Place) -> Vec<u8> {
    read(place, "all.parquet")
}

#[test]
fn what_has_no_form_is_told() {
    let place = Place::new(&drop_of("csv"));
    let odd = batch(&[("customer", texts(&[Some("a")])), ("bytes", Arc::new(BinaryArray::from_vec(vec![b"x"])))]);
    let error = place.deliver("odd", &Versions::default().with("odd", 1, odd), version(1)).expect_err("odd");
    assert_eq!(error.to_string(), "audience `odd` of version 1: column `bytes` of type Binary can't be delivered");
    let twice = scored(&[("a", 1), ("b", 1), ("a", 2)]);
    let error = place.deliver("t", &Versions::default().with("t", 1, twice), version(1)).expect_err("twice");
    assert_eq!(error.to_string(), "audience `t` of version 1 has customer `a` twice");
    let nobody = batch(&[("customer", texts(&[Some("a"), None]))]);
    place.deliver("n", &Versions::default().with("n", 1, nobody), version(1)).expect_err("without an id");
    let taken = batch(&[("customer", texts(&[Some("a")])), ("operation", texts(&[Some("delete")]))]);
    let error = place.deliver("o", &Versions::default().with("o", 1, taken), version(1)).expect_err("taken");
    assert!(error.to_string().contains("`operation`"), "{error}");
}

const HOSTILE: &[&str] = &[
    "=1+1",
    "+33612345678",
    "-2",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "\"=1+1",
    "'=1",
    "''=1",
    " =1",
    "\"'\" =cmd|' /C calc'!A0",
    "＝1",
    "=HYPERLINK(\"http://x\",\"y\")",
    "plain",
    "a,b",
    "say \"hi\"",
    "two\nlines",
    "CR\rLF\r\n",
    "",
    " ",
    "'quoted",
    "a=b",
    "1-2",
    "é\u{1f600}",
    "\u{feff}=1",
    "\u{a0}=1",
    "\\N",
    "null",
    "-",
    "\"",
    "'",
];

#[test]
fn hostile_cells() {
    let ids: Vec<String> = (0..HOSTILE.len()).map(|n| format!("c{n:02}")).collect();
    let rows = batch(&[
        ("customer", Arc::new(StringArray::from_iter_values(&ids))),
        ("text", Arc::new(StringArray::from_iter_values(HOSTILE))),
        ("number", Arc::new(Int64Array::from_iter_values(HOSTILE.iter().map(|_| -5)))),
    ]);
    let versions = Versions::default().with("v", 1, rows);
    for (formulas, neutral) in [("neutralise", true), ("keep", false)] {
        let place = Place::new(&format!("destinations: {{drop: {{kind: csv, path: out/drop, formulas: {formulas}}}}}"));
        place.deliver("v", &versions, version(1)).expect("written");
        let lines = parse(&String::from_utf8(read(&place, "v.csv")).expect("UTF-8"));
        assert_eq!(lines.len(), HOSTILE.len() + 1);
        let mut neutralised = 0;
        for (text, line) in HOSTILE.iter().zip(&lines[1..]) {
            let (cell, _) = &line[1];
            assert_eq!(line[2].0, "-5", "a number is a number");
            if neutral && csv::is_formula(text) {
                neutralised += 1;
                assert_eq!(cell.strip_prefix('\''), Some(*text));
            } else {
                assert_eq!(cell, text);
            }
            if neutral {
                // What a spreadsheet makes of it, be it that it takes quotes and spaces away.
                let first = cell.chars().next();
                assert!(first.is_none_or(|c| !"=+-@\t\r\n＝".contains(c)), "{text:?}");
                // And back.
                let rest = cell.strip_prefix('\'').filter(|rest| csv::is_formula(rest));
                assert_eq!(rest.unwrap_or(cell), *text);
            }
        }
        let counted = place.state("v").confirmed.expect("confirmed").counts.neutralised;
        assert_eq!(counted, neutral.then_some(neutralised));
        assert!(!neutral || neutralised == 17, "{neutralised}");
    }
}

#[test]
fn decisions_have_files_of_their_own() {
    let place = Place::new("destinations: {drop: {kind: csv, path: out/drop, mode: delta}}");
    let versions = Versions::default().with("c", 1, scored(&[("a", 1), ("b", 1)])).with("c", 2, scored(&[])).with(
        "c",
        3,
        scored(&[("b", 2)]),
    );
    let contacts = |version| Ask { version, contacts: true, ..Ask::default() };
    place.deliver("c", &versions, contacts(1)).expect("written");
    // Asking for changes asks for those of members.
    place.deliver("c", &versions, Ask { mode: Some(Mode::Delta), ..contacts(3) }).expect("written");
    let text = |name| String::from_utf8(read(&place, name)).expect("UTF-8");
    assert_eq!(text("c.00000001.csv"), "customer,score\r\na,1\r\nb,1\r\n");
    assert_eq!(text("c.00000002.csv"), "customer,score\r\n");
    assert_eq!(text("c.00000003.csv"), "customer,score\r\nb,2\r\n");
    assert_eq!(std::fs::read_dir(place.root.path().join("out/drop")).expect("a folder").count(), 3);
}

#[test]
fn changes_have_files_of_their_own() {
    let place = Place::new("destinations: {drop: {kind: csv, path: out/drop, mode: delta}}");
    let versions = Versions::default()
        .with("v", 3, scored(&[("a", 1), ("b", 1), ("c", 1)]))
        .with("v", 5, scored(&[("a", 1), ("c", 2), ("d", 1)]))
        .with("v", 6, scored(&[("a", 1), ("c", 2), ("d", 1)]));
    place.deliver("v", &versions, version(3)).expect("written");
    place.deliver("v", &versions, version(5)).expect("written");
    place.deliver("v", &versions, version(6)).expect("nothing changed");
    let text = |name| String::from_utf8(read(&place, name)).expect("UTF-8");
    assert_eq!(
        text("v.delta-00000000-00000003.csv"),
        "operation,customer,score\r\nupsert,a,1\r\nupsert,b,1\r\nupsert,c,1\r\n"
    );
    assert_eq!(
        text("v.delta-00000003-00000005.csv"),
        "operation,customer,score\r\ndelete,b,\r\nupsert,c,2\r\nupsert,d,1\r\n"
    );
    let listed = std::fs::read_dir(place.root.path().join("out/drop")).expect("a folder").count();
    assert_eq!(listed, 2, "where nothing changed there is nothing to read, and nothing is left aside");
    assert_eq!(place.state("v").confirmed.expect("confirmed").which.version, 6);
    // All rows, in the file of that name.
    place.deliver("v", &versions, Ask { mode: Some(Mode::Full), ..version(6) }).expect("written");
    assert_eq!(text("v.csv"), "customer,score\r\na,1\r\nc,2\r\nd,1\r\n");
    let names = ["v.jsonl", "v.delta-00000000-00000000.jsonl", "v.00000000.jsonl"];
    assert_eq!(files::names("v", Files::Jsonl), names);
}

#[test]
fn a_segment_has_customers_only() {
    let place = Place::new("destinations: {drop: {kind: jsonl, path: out/drop, mode: delta}}");
    let ids = |ids: &[i64]| batch(&[("customer", Arc::new(Int64Array::from(ids.to_vec())) as ArrayRef)]);
    let versions = Versions::default().with("s", 1, ids(&[10, 9, 2])).with("s", 2, ids(&[9, 100]));
    place.deliver("s", &versions, version(1)).expect("written");
    place.deliver("s", &versions, version(2)).expect("written");
    let text = String::from_utf8(read(&place, "s.delta-00000001-00000002.jsonl")).expect("UTF-8");
    assert_eq!(
        text,
        "{\"operation\":\"delete\",\"customer\":2}\n{\"operation\":\"delete\",\"customer\":10}\n\
         {\"operation\":\"upsert\",\"customer\":100}\n"
    );
    // Ids of another type: nobody can tell who is who.
    let versions = versions.with("s", 3, batch(&[("customer", texts(&[Some("9")]))]));
    let error = place.deliver("s", &versions, version(3)).expect_err("another type");
    assert!(error.help().is_some_and(|help| help.contains("--full")), "{error}");
    place.deliver("s", &versions, Ask { mode: Some(Mode::Full), ..version(3) }).expect("written");
}

/// Who withdrew consent since the decision is left out, and told of.
#[test]
fn nobody_who_may_not_be_reached_any_more() {
    let place = Place::new(&drop_of("csv"));
    let by = |channels: &[(&str, &str)]| {
        let (ids, by): (Vec<Option<&str>>, Vec<Option<&str>>) =
            channels.iter().map(|(id, channel)| (Some(*id), Some(*channel))).unzip();
        batch(&[("customer", texts(&ids)), ("channel", texts(&by))])
    };
    let place = Place {
        catalog: crate::deliver_support::catalog(&format!("channels: {{email: {{}}, sms: {{}}}}\n{}", drop_of("csv"))),
        ..place
    };
    let versions = Versions::default()
        .with("v", 1, by(&[("a", "email"), ("b", "sms"), ("c", "email"), ("d", "sms")]))
        .still("v", 1, by(&[("a", "email"), ("b", "email"), ("d", "sms")]));
    let contacts = Ask { contacts: true, ..version(1) };
    let Delivered::Would(told) = place.deliver("v", &versions, Ask { dry_run: true, ..contacts }).expect("told") else {
        panic!("would")
    };
    assert_eq!((told[0].counts.upserts, told[0].counts.refused), (2, 2));
    let Delivered::Done(told) = place.deliver("v", &versions, contacts).expect("written") else { panic!("done") };
    assert_eq!((told[0].counts.upserts, told[0].counts.refused), (2, 2));
    let written = String::from_utf8(read(&place, "v.00000001.csv")).expect("UTF-8");
    assert_eq!(written, "customer,channel\r\na,email\r\nd,sms\r\n");
}

#[test]
fn personal_columns_go_by_permission_only() {
    let channels = "profiles: {path: p.parquet, customer: c, attributes: {mail: {type: text, pii: true}, \
                    agreed: {type: yes/no}}}\nchannels:\n  email: {consent: agreed, pii: true}\n  push: {consent: agreed}\n";
    let place = Place::new(&format!("{channels}{}", drop_of("csv")));
    let by = |channel: Option<&str>| {
        batch(&[
            ("customer", texts(&[Some("a"), Some("b")])),
            ("channel", texts(&[Some("email"), channel])),
            ("mail", texts(&[Some("a@x"), Some("b@x")])),
        ])
    };
    let deliver = |channel| place.deliver("v", &Versions::default().with("v", 1, by(channel)), version(1));
    for (channel, words) in [
        (Some("push"), "`mail` of audience `v` is personal, and channel `push` may not have that"),
        (Some("fax"), "audience `v` goes by `fax`, and the catalog has no such channel"),
        (None, "audience `v` has customers whom no channel reaches"),
    ] {
        let error = deliver(channel).expect_err("refused");
        assert_eq!((error.to_string().as_str(), error.exit()), (words, Exit::Refused));
    }
    assert!(place.kept().is_empty() && !place.root.path().join("out").exists(), "nothing was begun");
    deliver(Some("email")).expect("written");
    // A mark in the file's own schema counts as well, whatever the column is called.
    let rows = by(Some("push"));
    let mut fields: Vec<Field> = rows.schema().fields().iter().map(|f| f.as_ref().clone()).collect();
    fields[2] = Field::new("m", DataType::Utf8, true).with_metadata([("pii".to_owned(), "true".to_owned())].into());
    let marked = RecordBatch::try_new(Arc::new(arrow::datatypes::Schema::new(fields)), rows.columns().to_vec());
    let marked = Versions::default().with("v", 2, marked.expect("a batch"));
    let error = place.deliver("v", &marked, version(2)).expect_err("refused");
    assert!(error.to_string().starts_with("`m` of audience `v` is personal"), "{error}");
}

#[cfg(unix)]
#[test]
fn files_are_whole_and_for_all() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new(&drop_of("csv"));
    let versions = Versions::default().with("v", 1, scored(&[("a", 1)]));
    place.deliver("v", &versions, version(1)).expect("written");
    let like = place.root.path().join("like");
    std::fs::write(&like, "x").expect("written");
    let mode = |path: &std::path::Path| std::fs::metadata(path).expect("there").permissions().mode();
    assert_eq!(mode(&place.root.path().join("out/drop/v.csv")), mode(&like));
    // A folder that can't be: an error, nothing confirmed, and the same call goes on once it is cured.
    let place = Place::new(&drop_of("csv"));
    std::fs::write(place.root.path().join("out"), "a file").expect("written");
    let error = place.deliver("v", &versions, version(1)).expect_err("no folder");
    assert_eq!(error.exit(), Exit::Environment);
    assert!(place.state("v").confirmed.is_none());
    std::fs::remove_file(place.root.path().join("out")).expect("gone");
    place.deliver("v", &versions, version(1)).expect("written");
}

#[test]
fn stores_without_the_feature_are_told() {
    let place = Place::new("destinations: {lake: {kind: parquet, path: 's3://bucket/segue'}}");
    let versions = Versions::default().with("v", 1, scored(&[("a", 1)]));
    if cfg!(not(feature = "cloud")) {
        let error = place.deliver("v", &versions, version(1)).expect_err("no cloud");
        assert!(error.to_string().contains("this build of Segue"), "{error}");
    }
    assert!(matches!(catalog("destinations: {d: {kind: csv, path: o}}").destinations[0].mode, Mode::Full));
}
