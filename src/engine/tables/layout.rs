//! What the files of a compacted store say of themselves.
//!
//! Owns: the declaration in a Parquet file's key-value metadata, and whether the files of a table make a whole store.
//! Promises: a folder that holds only some files of a part is an error, never a smaller store. Must not know: plans.

use ::parquet::file::metadata::KeyValue;
use serde::{Deserialize, Serialize};

use crate::engine::bucket::{BUCKETS, HASH_VERSION, Share};
use crate::error::Error;

/// The key of the declaration.
pub const KEY: &str = "segue.store";
/// The layout that this build writes and reads.
pub const VERSION: u32 = 1;

/// One file's declaration: it holds the rows of these buckets, in ascending order of customer, then time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declared {
    pub layout: u32,
    /// The version of the hash that deals customers to buckets.
    pub hash: u32,
    /// Ids are hashed and sorted as these.
    pub ids: Ids,
    /// From, and up to but not including.
    pub buckets: [u32; 2],
    /// Of so many.
    pub of: u32,
    /// The columns that the rows are sorted by; the first is the customer's id.
    pub order: Vec<String>,
    pub source: String,
    /// Which part of the store: the first is what was compacted first, each further one what was added.
    pub part: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ids {
    Text,
    Number,
}

impl Ids {
    pub fn new(number: bool) -> Ids {
        if number { Ids::Number } else { Ids::Text }
    }
}

impl Declared {
    /// As a file carries it.
    pub fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// What a file declares; `None` for a file like any other, an error for a declaration that cannot be read.
    pub fn of(metadata: Option<&Vec<KeyValue>>) -> Result<Option<Declared>, String> {
        let Some(pair) = metadata.into_iter().flatten().find(|pair| pair.key == KEY) else { return Ok(None) };
        let text = pair.value.as_deref().unwrap_or_default();
        // Of a layout that this build does not know nothing else may be understood.
        let version = serde_json::from_str::<serde_json::Value>(text).ok();
        let version = version.as_ref().and_then(|v| v.get("layout")).and_then(serde_json::Value::as_u64);
        if version.is_some_and(|v| v != u64::from(VERSION)) {
            return Ok(None);
        }
        let declared: Declared =
            serde_json::from_str(text).map_err(|e| format!("declares a layout that cannot be read: {e}"))?;
        let [lo, hi] = declared.buckets;
        if lo >= hi || hi > declared.of || declared.order.is_empty() {
            return Err(format!("declares a layout that cannot be: buckets {lo} to {hi} of {}", declared.of));
        }
        Ok(Some(declared))
    }

    /// The buckets of the file.
    pub fn share(&self) -> Share {
        let [lo, hi] = self.buckets;
        Share { lo, hi }
    }

    /// Whether this build deals customers out as the file was dealt out.
    pub fn known(&self) -> bool {
        self.hash == HASH_VERSION && self.of == BUCKETS
    }
}

/// The layout that all files of a table share.
#[derive(Debug, Clone)]
pub struct Clustered {
    pub ids: Ids,
    /// The column that holds the customer's id.
    pub customer: String,
    /// One a file, in the order of the table's files.
    pub shares: Vec<Share>,
    /// How many parts there are.
    pub parts: usize,
}

/// What the files of a table declare together: nothing unless all of them are of one store's layout.
pub fn together(what: &str, files: &[(&str, Option<&Declared>)]) -> Result<Option<Clustered>, Error> {
    let Some(&(_, Some(first))) = files.first() else { return Ok(None) };
    let mut parts: std::collections::BTreeMap<u32, Vec<(Share, &str)>> = std::collections::BTreeMap::new();
    let mut shares = Vec::with_capacity(files.len());
    for (name, declared) in files {
        let Some(declared) = declared.filter(|d| d.known()) else { return Ok(None) };
        if declared.ids != first.ids || declared.order != first.order || declared.source != first.source {
            return Ok(None);
        }
        shares.push(declared.share());
        parts.entry(declared.part).or_default().push((declared.share(), name));
    }
    for (part, wanted) in parts.keys().zip(1..) {
        if *part != wanted {
            return Err(
                Error::data(format!("{what}: part {wanted} of the compacted store is missing")).with_help(WHOLE)
            );
        }
    }
    for (part, files) in &mut parts {
        files.sort_by_key(|(share, _)| share.lo);
        let mut end = 0;
        for (share, name) in files.iter() {
            if share.lo != end {
                let why = if share.lo > end {
                    format!("{what}: part {part} of the compacted store has no file of buckets {end} to {}", share.lo)
                } else {
                    format!(
                        "{what}: part {part} of the compacted store has buckets {} to {end} twice, once in `{name}`",
                        share.lo
                    )
                };
                return Err(Error::data(why).with_help(WHOLE));
            }
            end = share.hi;
        }
        if end != BUCKETS {
            return Err(Error::data(format!(
                "{what}: part {part} of the compacted store has no file of buckets {end} to {BUCKETS}"
            ))
            .with_help(WHOLE));
        }
    }
    let customer = first.order.first().cloned().unwrap_or_default();
    Ok(Some(Clustered { ids: first.ids, customer, shares, parts: parts.len() }))
}

const WHOLE: &str =
    "name the whole folder of the store in the catalog; `segue store check` tells what is wrong with it";

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(lo: u32, hi: u32, part: u32) -> Declared {
        Declared {
            layout: VERSION,
            hash: HASH_VERSION,
            ids: Ids::Text,
            buckets: [lo, hi],
            of: BUCKETS,
            order: vec!["customer".into(), "time".into()],
            source: "shop".into(),
            part,
        }
    }

    fn pair(value: &str) -> Vec<KeyValue> {
        vec![KeyValue::new(KEY.to_owned(), value.to_owned())]
    }

    #[test]
    fn a_declaration_comes_back() {
        let one = declared(64, 128, 1);
        assert_eq!(Declared::of(Some(&pair(&one.text()))), Ok(Some(one)));
        assert_eq!(Declared::of(None), Ok(None));
        assert_eq!(Declared::of(Some(&pair("{\"layout\":99}"))), Ok(None));
        for bad in ["", "{}", "{\"layout\":1}", &declared(9, 9, 1).text(), &declared(0, BUCKETS + 1, 1).text()] {
            assert!(Declared::of(Some(&pair(bad))).is_err(), "{bad}");
        }
    }

    #[test]
    fn parts_are_whole() {
        let half = BUCKETS / 2;
        let (a, b, c) = (declared(0, half, 1), declared(half, BUCKETS, 1), declared(0, BUCKETS, 2));
        let all = [("a", Some(&a)), ("b", Some(&b)), ("c", Some(&c))];
        let whole = together("source `s`", &all).unwrap().unwrap();
        assert_eq!((whole.parts, whole.shares.len()), (2, 3));
        for some in [&all[1..], &all[2..], &all[..1], &[all[0], all[2]], &[all[0], all[0], all[1]]] {
            assert!(together("source `s`", some).is_err());
        }
        // A file like any other among them: the table is read like any other.
        assert!(together("source `s`", &[all[0], all[1], ("d", None)]).unwrap().is_none());
        assert!(together("source `s`", &[]).unwrap().is_none());
        let old = Declared { hash: HASH_VERSION + 1, ..c.clone() };
        assert!(together("source `s`", &[("c", Some(&old))]).unwrap().is_none());
    }
}
