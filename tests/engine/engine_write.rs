//! Audience files: their bytes, and what a failing or repeated run leaves behind.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::buffer::BooleanBuffer;
use segue::engine::write::{Audience, Kind, NEVER, Output, Who, write};
use segue::engine::{Outcome, Report};

fn outcome(customers: ArrayRef, members: &[bool]) -> Outcome {
    Outcome {
        customers,
        members: vec![BooleanBuffer::from(members.to_vec())],
        traits: Vec::new(),
        report: Report::default(),
        passes: 1,
        kept: Default::default(),
    }
}

fn texts() -> Outcome {
    outcome(Arc::new(StringArray::from(vec!["ana", "b,o\"b", "eve"])), &[true, true, false])
}

pub fn audience(name: &str, arm: Option<&str>) -> Audience<'static> {
    let rows = |arm: &str| {
        let ids = Arc::new(StringArray::from(vec!["ana", "b,o\"b"])) as ArrayRef;
        let arms = Arc::new(StringArray::from(vec![Some(arm), None])) as ArrayRef;
        RecordBatch::try_from_iter_with_nullable([("customer", ids, false), ("arm", arms, true)]).unwrap()
    };
    let who = arm.map_or(Who::Rule(0), |arm| Who::Rows(rows(arm)));
    Audience { name: Box::leak(name.to_owned().into_boxed_str()), who }
}

pub const ALL: &[Kind] = &[Kind::Parquet, Kind::Csv, Kind::Jsonl];

pub fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap();
    let read = |e: std::fs::DirEntry| (e.file_name().to_string_lossy().into_owned(), std::fs::read(e.path()).unwrap());
    entries.map(|e| read(e.unwrap())).filter(|(name, _)| !name.starts_with('.')).collect()
}

#[test]
fn text_forms() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("deep/out");
    let output = Output { folder: &out, kinds: ALL, whole: true, stop: &NEVER };
    write(&texts(), &[audience("a", None), audience("b", Some("offer serum-15 by email"))], &output).unwrap();
    let found = files(&out);
    let text = |name: &str| String::from_utf8(found[name].clone()).unwrap();
    assert_eq!(text("a.csv"), "customer\nana\n\"b,o\"\"b\"\n");
    assert_eq!(text("b.csv"), "customer,arm\nana,offer serum-15 by email\n\"b,o\"\"b\",\n");
    assert_eq!(text("a.jsonl"), "{\"customer\":\"ana\"}\n{\"customer\":\"b,o\\\"b\"}\n");
    let numbers = outcome(Arc::new(Int64Array::from(vec![2, 10, 30])), &[true, false, true]);
    write(&numbers, &[audience("n", None)], &Output { kinds: &[Kind::Jsonl], ..output }).unwrap();
    assert_eq!(
        files(&out).keys().collect::<Vec<_>>(),
        ["n.jsonl"],
        "a whole run takes the files of former audiences away"
    );
    assert_eq!(files(&out)["n.jsonl"], b"{\"customer\":2}\n{\"customer\":30}\n");
}

#[test]
fn the_same_bytes_again() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for dir in [&one, &two, &two] {
        let output = Output { folder: dir.path(), kinds: ALL, whole: true, stop: &NEVER };
        write(&texts(), &[audience("a", Some("call"))], &output).unwrap();
    }
    assert_eq!(files(one.path()), files(two.path()));
}

#[test]
fn others_stay() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("notes.csv"), "mine").unwrap();
    let output = Output { folder: dir.path(), kinds: &[Kind::Csv], whole: true, stop: &NEVER };
    write(&texts(), &[audience("a", None), audience("b", None)], &output).unwrap();
    write(&texts(), &[audience("c", None)], &Output { whole: false, ..output.clone() }).unwrap();
    assert_eq!(files(dir.path()).keys().collect::<Vec<_>>(), ["a.csv", "b.csv", "c.csv", "notes.csv"]);
    write(&texts(), &[audience("c", None)], &output).unwrap();
    assert_eq!(files(dir.path()).keys().collect::<Vec<_>>(), ["c.csv", "notes.csv"]);
}

#[test]
fn failures_leave_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "x").unwrap();
    for folder in [file.clone(), file.join("below")] {
        let output = Output { folder: &folder, kinds: ALL, whole: true, stop: &NEVER };
        let error = write(&texts(), &[audience("a", None)], &output).unwrap_err();
        assert_eq!(error.exit(), segue::error::Exit::Environment, "{error}");
        assert!(error.to_string().starts_with("cannot write"), "{error}");
    }
    let output = Output { folder: dir.path(), kinds: ALL, whole: true, stop: &NEVER };
    assert!(write(&texts(), &[audience("a", None), audience("../b", None)], &output).is_err());
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "nothing but the file that was there");
}

/// One file for the stages: who is in one, once, with the stage's name.
#[test]
fn stages_are_one_file() {
    let dir = tempfile::tempdir().unwrap();
    let bits = |bits: [bool; 4]| BooleanBuffer::from(bits.to_vec());
    let all = Outcome {
        members: vec![bits([false, true, false, false]), bits([false; 4]), bits([true, false, false, true])],
        ..outcome(Arc::new(StringArray::from(vec!["ana", "bob", "eve", "joe"])), &[])
    };
    let stages = |lines| Audience { name: "journey", who: Who::Stages(lines) };
    let output = Output { folder: dir.path(), kinds: ALL, whole: true, stop: &NEVER };
    write(&all, &[stages(vec![("decision", 0), ("a, b", 1), ("awareness", 2)])], &output).unwrap();
    let found = files(dir.path());
    let text = |name: &str| String::from_utf8(found[name].clone()).unwrap();
    assert_eq!(text("journey.csv"), "customer,stage\nana,awareness\nbob,decision\njoe,awareness\n");
    assert!(text("journey.jsonl").starts_with("{\"customer\":\"ana\",\"stage\":\"awareness\"}\n"));
    assert_eq!(found.len(), 3);
    assert!(write(&all, &[stages(vec![("decision", 7)])], &output).is_err());
}
