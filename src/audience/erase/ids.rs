//! The ids that are looked for, and where they stand.
//!
//! Owns: what counts as a place that holds an id. Promises: the same for rows, JSON and text, before and after they are taken out. Must
//! not know: stores, files.
//!
//! In a table an id stands in the column `customer`, in JSON behind that word. Elsewhere it is a word of its own: not a part of a longer
//! one, and long enough to be nothing else by chance (six letters or more, not letters alone). A shorter one is looked for in backticks,
//! as messages quote ids. One that is a number is looked for among the whole numbers of rows too; in rules, where it is rather an amount,
//! in quotes alone.

use std::collections::{BTreeMap, HashSet};

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, StringArray};
use arrow::compute::{cast, filter_record_batch, nullif};
use arrow::datatypes::{DataType, Decimal128Type, Int64Type};
use serde_json::Value;

use crate::audience::campaign::CONTACTED;
use crate::error::Error;
use crate::language::num::PLACES;

/// The column of customers.
const CUSTOMER: &str = "customer";
/// What costs are in the history.
const COST: DataType = DataType::Decimal128(38, PLACES as i8);

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
        let (telling, others): (Vec<String>, Vec<String>) = all.iter().cloned().partition(|id| tells(id));
        let quoted = others.iter().map(|id| format!("`{id}`")).collect();
        Ids { all, numbers, telling, quoted }
    }

    /// The same ids as rules name them.
    pub fn in_rules(&self) -> Ids {
        let (numbers, telling): (Vec<String>, Vec<String>) = self.telling.iter().cloned().partition(|id| digits(id));
        let quoted = numbers.iter().flat_map(|id| [format!("`{id}`"), format!("\"{id}\"")]);
        Ids { telling, quoted: self.quoted.iter().cloned().chain(quoted).collect(), ..self.clone() }
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
                if let (Some(events), Some(names), Some(costs)) = (events, names, costs)
                    && events.value(row) == CONTACTED
                    && costs.is_valid(row)
                {
                    let spent = held.spent.entry(names.value(row).to_owned()).or_default();
                    *spent = spent.saturating_add(costs.value(row));
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
            field.is_some_and(|f| f.is_nullable() && f.name() != CUSTOMER && may_name(f.data_type()))
        };
        (0..batch.num_columns()).filter(move |at| !none && texts(at)).map(|at| (at, batch.column(at)))
    }

    /// Of each cell whether it is an id, or a list with one.
    fn marks(&self, column: &ArrayRef) -> Result<BooleanArray, Error> {
        let is = |text: &str| self.is(text) && tells(text);
        if let Some(numbers) = column.as_primitive_opt::<Int64Type>() {
            return Ok(numbers.iter().map(|n| Some(n.is_some_and(|n| self.is_number(n)))).collect());
        }
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

    /// Whether a whole number is one of them.
    fn is_number(&self, n: i64) -> bool {
        self.numbers.contains(&n) && tells(&n.to_string())
    }

    /// Whether a text names one of them.
    pub fn in_text(&self, text: &str) -> bool {
        let word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
        let alone = |id: &str| {
            text.match_indices(id).any(|(at, found)| {
                let before = text.get(..at).unwrap_or("").chars().rev();
                let after = text.get(at + found.len()..).unwrap_or("").chars();
                // Digits beside a decimal point are no whole number.
                let decimal = |mut beside: Box<dyn Iterator<Item = char> + '_>| {
                    beside.next() == Some('.') && digit(beside.next())
                };
                !word(before.clone().next())
                    && !word(after.clone().next())
                    && !(digits(id) && (decimal(Box::new(before)) || decimal(Box::new(after))))
            })
        };
        self.telling.iter().any(|id| alone(id)) || self.quoted.iter().any(|quoted| text.contains(quoted))
    }

    /// Whether JSON names one of them.
    pub fn in_json(&self, value: &Value) -> bool {
        match value {
            Value::String(text) => self.in_text(text),
            Value::Array(all) => all.iter().any(|one| self.in_json(one)),
            Value::Object(all) => {
                let row = all.contains_key(CUSTOMER);
                all.iter().any(|(key, one)| {
                    let names = match key.as_str() {
                        CUSTOMER => self.is_json(one),
                        _ => self.in_json(one) || (row && self.is_cell(one)),
                    };
                    names || self.in_text(key)
                })
            }
            _ => false,
        }
    }

    /// Whether a number in a row is one of them.
    fn is_cell(&self, value: &Value) -> bool {
        value.as_i64().is_some_and(|n| self.is_number(n))
    }

    /// Whether what stands behind `customer` is one of them.
    pub fn is_json(&self, id: &Value) -> bool {
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

    /// Takes the objects of theirs out of lists, and empties what names them elsewhere; how many rows and cells those were.
    pub fn scrub(&self, value: &mut Value) -> Held {
        let mut held = Held::default();
        match value {
            Value::Array(all) => {
                let before = all.len();
                all.retain(|one| !one.get(CUSTOMER).is_some_and(|id| self.is_json(id)));
                held.rows = (before - all.len()) as u64;
                all.iter_mut().for_each(|one| held.add(self.scrub(one)));
            }
            Value::Object(all) => {
                let row = all.contains_key(CUSTOMER);
                for (_, one) in all.iter_mut().filter(|(key, _)| *key != CUSTOMER) {
                    if row && self.is_cell(one) {
                        *one = Value::Null;
                        held.cells += 1;
                    } else {
                        held.add(self.scrub(one));
                    }
                }
            }
            Value::String(text) if self.in_text(text) => {
                *value = Value::Null;
                held.cells = 1;
            }
            _ => {}
        }
        held
    }
}

/// Whether an id is nothing else by chance.
fn tells(id: &str) -> bool {
    id.chars().count() >= 6 && !id.chars().all(char::is_alphabetic)
}

fn digits(id: &str) -> bool {
    id.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether values of a type may be ids. Money is Decimal128, other numbers that are not counted are Float64.
fn may_name(ty: &DataType) -> bool {
    match ty {
        DataType::List(item) => may_name(item.data_type()),
        ty => matches!(ty, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Int64),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

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
        let held = ids.scrub(&mut letter);
        assert_eq!((held.rows, held.cells), (2, 1));
        assert_eq!(letter.to_string(), r#"{"body":{"rows":[{"customer":"bob","friend":null,"n":17}]}}"#);
        assert!(!ids.in_json(&letter));
    }

    #[test]
    fn ids_that_are_numbers() {
        let ids = Ids::new(["100002".to_owned(), "17".to_owned()]);
        for (text, everywhere, rules) in [
            ("customer `100002` is twice in it", true, true),
            ("limit 100002", true, false),
            ("sku = \"100002\"", true, true),
            ("1000021, 3.100002, 100002.5", false, false),
            ("it ends in 100002.", true, false),
        ] {
            assert_eq!((ids.in_text(text), ids.in_rules().in_text(text)), (everywhere, rules), "{text}");
        }
        let json = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
        // A number is an id where it stands in a row.
        assert!(!ids.in_json(&json(r#"{"bytes": 100002, "customers": [17]}"#)));
        let mut rows = json(r#"[{"customer": 3, "friend": 100002, "n": 17, "x": 100002.5}, {"customer": 100002}]"#);
        assert!(ids.in_json(&rows));
        let held = ids.scrub(&mut rows);
        assert_eq!((held.rows, held.cells), (1, 1));
        assert_eq!(rows.to_string(), r#"[{"customer":3,"friend":null,"n":17,"x":100002.5}]"#);
        let number = |all: Vec<i64>| Arc::new(arrow::array::Int64Array::from(all)) as ArrayRef;
        let batch = RecordBatch::try_from_iter_with_nullable([
            ("customer", number(vec![1, 2, 100_002]), false),
            ("friend", number(vec![17, 100_002, 100_002]), true),
            ("needed", number(vec![17, 100_002, 100_002]), false),
        ])
        .expect("a table");
        let held = ids.held(&batch).expect("looked");
        assert_eq!((held.rows, held.cells), (1, 1));
        let left = ids.without(&batch).expect("made");
        assert!(left.num_rows() == 2 && left.column(1).is_valid(0) && left.column(1).is_null(1));
    }

    #[test]
    fn the_id_of_another_is_no_word_of_a_text() {
        let ids = Ids::new(["ann@example.org".to_owned()]);
        let mut rows: Value = serde_json::from_str(r#"[{"customer": "jo-ann@example.org"}]"#).expect("JSON");
        assert!(!ids.in_json(&rows));
        ids.scrub(&mut rows);
        assert_eq!(rows.to_string(), r#"[{"customer":"jo-ann@example.org"}]"#);
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
