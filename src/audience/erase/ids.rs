//! The ids that are looked for, and where they stand.
//!
//! Owns: what counts as a place that holds an id. Promises: the same for rows, JSON and text, before and after they are taken out. Must
//! not know: stores, files.
//!
//! In a table an id stands in the column `customer`, in JSON behind that word. Elsewhere it is a word of its own: not a part of a longer
//! one, and long enough to be nothing else by chance (six letters or more, not letters alone). A shorter one is looked for in backticks,
//! as messages quote ids.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, StringArray};
use arrow::compute::{cast, filter_record_batch, nullif};
use arrow::datatypes::{DataType, Decimal128Type, Int64Type};
use serde_json::Value;

use crate::audience::campaign::CONTACTED;
use crate::audience::history::MICROS;
use crate::error::Error;

/// The column of customers.
const CUSTOMER: &str = "customer";
/// What costs are in the history.
const COST: DataType = DataType::Decimal128(38, MICROS as i8);

/// The ids of those who are erased.
#[derive(Debug, Clone)]
pub(in crate::audience) struct Ids {
    all: HashSet<String>,
    numbers: HashSet<i64>,
    /// Those that are themselves wherever they stand.
    telling: Vec<String>,
    /// The others as messages quote them.
    quoted: Vec<String>,
}

/// What a table holds of them.
#[derive(Debug, Clone, Default)]
pub(in crate::audience) struct Held {
    /// Rows of theirs.
    pub rows: u64,
    /// Cells of others' rows.
    pub cells: u64,
    /// One of the rows is of somebody who is contacted, or of an audience that contacts nobody.
    pub sent: bool,
    /// Of decisions: campaigns with the outcomes that their rows say.
    pub verdicts: Vec<(String, String)>,
    /// Of the history: what their contacts had cost, in millionths, by the first names of campaigns.
    pub spent: BTreeMap<String, i128>,
}

impl Held {
    pub fn any(&self) -> bool {
        self.rows + self.cells > 0
    }

    pub fn add(&mut self, other: Held) {
        self.rows += other.rows;
        self.cells += other.cells;
        self.sent |= other.sent;
        self.verdicts.extend(other.verdicts);
        for (campaign, cost) in other.spent {
            let spent = self.spent.entry(campaign).or_default();
            *spent = spent.saturating_add(cost);
        }
    }
}

fn odd(why: arrow::error::ArrowError) -> Error {
    Error::Engine { message: why.to_string(), help: None }
}

impl Ids {
    pub fn new(ids: impl IntoIterator<Item = String>) -> Ids {
        let all: HashSet<String> = ids.into_iter().collect();
        let numbers = all.iter().filter_map(|id| id.parse().ok().filter(|n: &i64| n.to_string() == *id)).collect();
        let tells = |id: &&String| id.chars().count() >= 6 && !id.chars().all(char::is_alphabetic);
        let telling = all.iter().filter(tells).cloned().collect();
        let quoted = all.iter().filter(|id| !tells(id)).map(|id| format!("`{id}`")).collect();
        Ids { all, numbers, telling, quoted }
    }

    pub fn is(&self, id: &str) -> bool {
        self.all.contains(id)
    }

    /// What a table holds of them.
    pub fn held(&self, batch: &RecordBatch) -> Result<Held, Error> {
        let theirs = self.theirs(batch)?;
        let mut held = Held { rows: theirs.true_count() as u64, ..Held::default() };
        for (at, _) in self.cells(batch) {
            let marks = self.marks(batch.column(at))?;
            held.cells +=
                marks.iter().zip(&theirs).filter(|(cell, row)| *cell == Some(true) && *row != Some(true)).count()
                    as u64;
        }
        if held.rows > 0 {
            let text = |name: &str| batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
            let (outcomes, campaigns) = (text("outcome"), text("campaign"));
            let (events, names) = (text("event"), text("name"));
            let costs = batch.column_by_name("cost").filter(|column| *column.data_type() == COST);
            let costs = costs.and_then(|column| column.as_primitive_opt::<Decimal128Type>());
            for row in theirs.values().set_indices() {
                held.sent |= outcomes.is_none_or(|outcomes| outcomes.is_valid(row) && outcomes.value(row) == "sent");
                if let (Some(campaigns), Some(outcomes)) = (campaigns, outcomes) {
                    held.verdicts.push((campaigns.value(row).to_owned(), outcomes.value(row).to_owned()));
                }
                if let (Some(events), Some(names), Some(costs)) = (events, names, costs) {
                    if events.value(row) == CONTACTED && costs.is_valid(row) {
                        let spent = held.spent.entry(names.value(row).to_owned()).or_default();
                        *spent = spent.saturating_add(costs.value(row));
                    }
                }
            }
        }
        Ok(held)
    }

    /// The table without them: their rows are gone, cells of others' rows are empty.
    pub fn without(&self, batch: &RecordBatch) -> Result<RecordBatch, Error> {
        let stay: BooleanArray = self.theirs(batch)?.iter().map(|theirs| Some(theirs != Some(true))).collect();
        let mut columns = batch.columns().to_vec();
        for (at, _) in self.cells(batch) {
            if let Some(column) = columns.get_mut(at) {
                let marks = self.marks(column)?;
                if marks.true_count() > 0 {
                    *column = nullif(column, &marks).map_err(odd)?;
                }
            }
        }
        let batch = RecordBatch::try_new(batch.schema(), columns).map_err(odd)?;
        filter_record_batch(&batch, &stay).map_err(odd)
    }

    /// Of each row whether it is one of theirs; of a table without customers none is.
    pub fn theirs(&self, batch: &RecordBatch) -> Result<BooleanArray, Error> {
        match batch.column_by_name(CUSTOMER) {
            Some(column) => self.whose(column),
            None => Ok(BooleanArray::from(vec![false; batch.num_rows()])),
        }
    }

    fn whose(&self, column: &ArrayRef) -> Result<BooleanArray, Error> {
        if let Some(numbers) = column.as_primitive_opt::<Int64Type>() {
            return Ok(numbers.iter().map(|n| Some(n.is_some_and(|n| self.numbers.contains(&n)))).collect());
        }
        let texts = cast(column, &DataType::Utf8).map_err(odd)?;
        let texts =
            texts.as_string_opt::<i32>().map(|texts| texts.iter().map(|id| Some(id.is_some_and(|id| self.is(id)))));
        Ok(texts.map(Iterator::collect).unwrap_or_else(|| BooleanArray::from(vec![false; column.len()])))
    }

    /// The columns besides the customer that may name somebody, and can be emptied.
    fn cells<'a>(&self, batch: &'a RecordBatch) -> impl Iterator<Item = (usize, &'a ArrayRef)> + use<'a> {
        let none = self.telling.is_empty();
        let schema = batch.schema();
        let texts = move |at: &usize| {
            let field = schema.fields().get(*at);
            field.is_some_and(|f| f.is_nullable() && f.name() != CUSTOMER && is_text(f.data_type()))
        };
        (0..batch.num_columns()).filter(move |at| !none && texts(at)).map(|at| (at, batch.column(at)))
    }

    /// Of each cell whether it is an id, or a list with one.
    fn marks(&self, column: &ArrayRef) -> Result<BooleanArray, Error> {
        let is = |text: &str| self.telling.iter().any(|id| id == text);
        if let Some(lists) = column.as_list_opt::<i32>() {
            let has = |list: ArrayRef| {
                let texts = cast(&list, &DataType::Utf8).ok();
                let texts = texts.as_ref().and_then(|texts| texts.as_string_opt::<i32>());
                texts.is_some_and(|texts: &StringArray| texts.iter().flatten().any(is))
            };
            return Ok(lists.iter().map(|list| Some(list.is_some_and(has))).collect());
        }
        let texts = cast(column, &DataType::Utf8).map_err(odd)?;
        let texts = texts.as_string_opt::<i32>().map(|texts| texts.iter().map(|text| Some(text.is_some_and(is))));
        Ok(texts.map(Iterator::collect).unwrap_or_else(|| BooleanArray::from(vec![false; column.len()])))
    }

    /// Whether a text names one of them.
    pub fn in_text(&self, text: &str) -> bool {
        let word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let alone = |id: &str| {
            text.match_indices(id).any(|(at, found)| {
                let (before, after) = (text.get(..at).unwrap_or(""), text.get(at + found.len()..).unwrap_or(""));
                !word(before.chars().next_back()) && !word(after.chars().next())
            })
        };
        self.telling.iter().any(|id| alone(id)) || self.quoted.iter().any(|quoted| text.contains(quoted))
    }

    /// Whether JSON names one of them.
    pub fn in_json(&self, value: &Value) -> bool {
        match value {
            Value::String(text) => self.in_text(text),
            Value::Array(all) => all.iter().any(|one| self.in_json(one)),
            Value::Object(all) => all.iter().any(|(key, one)| {
                let theirs = || self.is_json(one);
                self.in_text(key) || self.in_json(one) || (key == CUSTOMER && theirs())
            }),
            _ => false,
        }
    }

    fn is_json(&self, id: &Value) -> bool {
        match id {
            Value::String(id) => self.is(id),
            Value::Number(id) => self.is(&id.to_string()),
            _ => false,
        }
    }

    /// Whether the bytes of a file that is no table name one of them.
    pub fn in_bytes(&self, bytes: &[u8]) -> bool {
        match serde_json::from_slice::<Value>(bytes) {
            Ok(value) => self.in_json(&value),
            Err(_) => {
                let text = String::from_utf8_lossy(bytes);
                // Lines of JSON, or any text.
                self.in_text(&text)
                    || text.lines().filter_map(|line| serde_json::from_str(line).ok()).any(|line| self.in_json(&line))
            }
        }
    }

    /// Takes the objects of theirs out of lists, and empties what names them elsewhere; how many rows those were.
    pub fn scrub(&self, value: &mut Value) -> u64 {
        match value {
            Value::Array(all) => {
                let before = all.len();
                all.retain(|one| !one.get(CUSTOMER).is_some_and(|id| self.is_json(id)));
                (before - all.len()) as u64 + all.iter_mut().map(|one| self.scrub(one)).sum::<u64>()
            }
            Value::Object(all) => all.values_mut().map(|one| self.scrub(one)).sum(),
            Value::String(text) if self.in_text(text) => {
                *value = Value::Null;
                0
            }
            _ => 0,
        }
    }
}

fn is_text(ty: &DataType) -> bool {
    match ty {
        DataType::List(item) => is_text(item.data_type()),
        ty => matches!(ty, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View),
    }
}

/// The rows of a Parquet file.
pub(in crate::audience) fn decoded(bytes: bytes::Bytes) -> Result<Vec<RecordBatch>, String> {
    let text = |e: &dyn std::fmt::Display| e.to_string();
    let builder =
        parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(bytes).map_err(|e| text(&e))?;
    let schema = Arc::clone(builder.schema());
    let rows = builder.with_batch_size(1 << 16).build().map_err(|e| text(&e))?;
    let mut rows = rows.collect::<Result<Vec<RecordBatch>, _>>().map_err(|e| text(&e))?;
    if rows.is_empty() {
        rows.push(RecordBatch::new_empty(schema));
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_an_id_stands() {
        let ids = Ids::new(["cust-0042".to_owned(), "ana".to_owned(), "17".to_owned()]);
        for (text, holds) in [
            ("customer cust-0042 is twice in it", true),
            ("cust-00421", false),
            ("xcust-0042", false),
            ("customer `ana` stands in it", true),
            ("banana, 17 of 2017", false),
            ("`17`", true),
        ] {
            assert_eq!(ids.in_text(text), holds, "{text}");
        }
        let json = |text: &str| ids.in_json(&serde_json::from_str(text).expect("JSON"));
        assert!(
            json(r#"{"rows": [{"customer": 17}]}"#)
                && json(r#"{"customer": "ana"}"#)
                && json(r#"{"a": ["cust-0042"]}"#)
        );
        assert!(!json(r#"{"rows": 17, "name": "ana", "sha": "17ana"}"#));
        let mut letter: Value = serde_json::from_str(
            r#"{"body": {"rows": [{"customer": "ana"}, {"customer": "bob", "friend": "cust-0042", "n": 17}, {"customer": 17}]}}"#,
        )
        .expect("JSON");
        assert_eq!(ids.scrub(&mut letter), 2);
        assert_eq!(letter.to_string(), r#"{"body":{"rows":[{"customer":"bob","friend":null,"n":17}]}}"#);
        assert!(!ids.in_json(&letter));
    }

    #[test]
    fn rows_go_and_cells_of_others_are_emptied() {
        let text = |all: &[&str]| Arc::new(StringArray::from(all.to_vec())) as ArrayRef;
        let batch = RecordBatch::try_from_iter_with_nullable([
            ("customer", text(&["ana-01", "bob-02", "eve-03"]), false),
            ("friend", text(&["x", "ana-01", "ana-011"]), true),
        ])
        .expect("a table");
        let ids = Ids::new(["ana-01".to_owned()]);
        let held = ids.held(&batch).expect("looked");
        assert_eq!((held.rows, held.cells, held.sent), (1, 1, true));
        let left = ids.without(&batch).expect("made");
        assert_eq!(left.num_rows(), 2);
        assert!(left.column(1).is_null(0) && left.column(1).is_valid(1));
        assert!(!ids.held(&left).expect("looked").any());
    }
}
