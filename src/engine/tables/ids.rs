//! Lists of customer ids: text files, CSV, Parquet.
//!
//! Owns: reading them. Promises: ids stay as written but for white space around them; a list is whole numbers if every id is, or if the
//! project's ids are: a line that is none is nobody's then.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{Field, Schema};
use datafusion::datasource::MemTable;
use object_store::ObjectStoreExt;

use super::files::{self, Stores};
use super::{Opened, Want, parquet, remote};
use crate::error::Error;
use crate::language::catalog::List;

/// Opens a list; its ids are the first column. `numbers`: the project's ids are whole numbers.
pub async fn open(stores: &mut Stores, root: &Path, list: &List, numbers: bool) -> Result<Opened, Error> {
    let what = format!("list `{}`", list.name.name);
    let lower = list.path.to_ascii_lowercase();
    if !lower.ends_with(".csv") && !lower.ends_with(".txt") {
        let Some(column) = &list.column else {
            return Err(Error::data(format!("{what}: which column of `{}` holds the ids is not said", list.path))
                .with_help("add `column: …` to the list in the catalog"));
        };
        let wanted = BTreeMap::from([(column.clone(), vec![Want::Id])]);
        return parquet::open(stores, root, &list.path, &what, &wanted).await;
    }
    let text = read(stores, root, list, &what).await?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let ids = if lower.ends_with(".csv") {
        csv(text, list.column.as_deref(), &list.path, &what)?
    } else {
        text.lines().map(|line| line.trim().to_owned()).collect()
    };
    table(ids, numbers)
}

async fn read(stores: &mut Stores, root: &Path, list: &List, what: &str) -> Result<String, Error> {
    let bad = |why: &dyn std::fmt::Display| Error::data(format!("{what}: cannot read `{}`: {why}", list.path));
    let bytes = if files::is_remote(&list.path) {
        let listing = files::list(stores, root, &list.path, what).await?;
        let Some(file) = listing.files.first() else { return Err(bad(&"nothing there")) };
        let store = |e| remote::trouble(&format!("{what}: cannot read `{}`", list.path), &e);
        let got = listing.store.get(&file.meta.location).await.map_err(store)?;
        got.bytes().await.map_err(store)?.to_vec()
    } else {
        std::fs::read(files::local(root, &list.path)).map_err(|e| bad(&e))?
    };
    String::from_utf8(bytes).map_err(|_| bad(&"it is not UTF-8 text"))
}

/// One column of a CSV file; without a name the first of a file without a head.
fn csv(text: &str, column: Option<&str>, path: &str, what: &str) -> Result<Vec<String>, Error> {
    let mut records = Records { rest: text };
    let at = match column {
        None => 0,
        Some(column) => {
            let head = records.next().unwrap_or_default();
            head.iter().position(|name| name.trim() == column).ok_or_else(|| {
                Error::data(format!("{what}: `{path}` has no column `{column}`"))
                    .with_help(format!("it has: {}", head.join(", ")))
            })?
        }
    };
    Ok(records.map(|record| record.get(at).map_or(String::new(), |id| id.trim().to_owned())).collect())
}

/// The records of a CSV text (RFC 4180).
struct Records<'a> {
    rest: &'a str,
}

impl Iterator for Records<'_> {
    type Item = Vec<String>;

    fn next(&mut self) -> Option<Vec<String>> {
        if self.rest.is_empty() {
            return None;
        }
        let (mut record, mut field, mut quoted) = (Vec::new(), String::new(), false);
        let mut chars = self.rest.char_indices().peekable();
        let mut end = self.rest.len();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' if quoted => {
                    if chars.next_if(|(_, c)| *c == '"').is_some() {
                        field.push('"');
                    } else {
                        quoted = false;
                    }
                }
                '"' if field.is_empty() => quoted = true,
                ',' if !quoted => record.push(std::mem::take(&mut field)),
                '\n' if !quoted => {
                    end = at + 1;
                    break;
                }
                '\r' if !quoted => {}
                c => field.push(c),
            }
        }
        self.rest = self.rest.get(end..).unwrap_or("");
        record.push(field);
        Some(record)
    }
}

/// Ids as a table. Blank lines are no rows; among `numbers` any other text is a missing id.
pub fn table(ids: Vec<String>, numbers: bool) -> Result<Opened, Error> {
    let ids: Vec<String> = ids.into_iter().filter(|id| !id.is_empty()).collect();
    let whole: Vec<Option<i64>> =
        ids.iter().map(|id| id.parse::<i64>().ok().filter(|n| n.to_string() == *id)).collect();
    let rows = ids.len() as u64;
    let bytes = ids.iter().map(|id| id.len() as u64).sum();
    let column: ArrayRef = match numbers || whole.iter().all(Option::is_some) {
        true => Arc::new(Int64Array::from(whole)),
        false => Arc::new(StringArray::from(ids)),
    };
    let schema = Arc::new(Schema::new(vec![Field::new("id", column.data_type().clone(), true)]));
    let odd = |e: &dyn std::fmt::Display| Error::Engine { message: e.to_string(), help: None };
    let batch = RecordBatch::try_new(Arc::clone(&schema), vec![column]).map_err(|e| odd(&e))?;
    let provider = MemTable::try_new(Arc::clone(&schema), vec![vec![batch]]).map_err(|e| odd(&e))?;
    Ok(Opened {
        provider: Arc::new(provider),
        schema,
        each: Vec::new(),
        inputs: None,
        clustered: None,
        only: None,
        files: 1,
        rows,
        bytes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_records() {
        let text = "id,name\r\n1,\"a, \"\"b\"\"\"\n2,\"x\ny\"\n\n3";
        let all: Vec<Vec<String>> = Records { rest: text }.collect();
        assert_eq!(all.len(), 5);
        assert_eq!(
            csv(text, Some("id"), "x.csv", "list").ok(),
            Some(vec!["1".into(), "2".into(), String::new(), "3".into()])
        );
        assert!(csv(text, Some("customer"), "x.csv", "list").is_err());
    }
}
