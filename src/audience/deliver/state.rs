//! What a destination has: the state of the deliveries of one audience to it.
//!
//! Owns: the objects below `deliveries/DESTINATION/AUDIENCE/`. Promises: a state is replaced whole and only by who has seen the one
//! before (each has a number and is created only if absent), so that two deliveries at once never both go on; no secret and no clock
//! is in it. A letter that a receiver refused holds the customers' rows; nothing else here names anybody.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::Error;
use crate::language::catalog::Mode;

/// The version of the JSON.
const SCHEMA: u32 = 1;
/// The folder in the store of results.
const FOLDER: &str = "deliveries";

/// What has been delivered, and what is underway.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    pub schema: u32,
    /// What the destination has.
    pub confirmed: Option<Done>,
    /// What broke off, or goes on just now.
    pub underway: Option<Underway>,
}

impl State {
    /// Of contacts, the first version whose decision the destination does not have; `None` where nothing was ever begun.
    pub fn wants(&self) -> Option<u64> {
        let after = self.confirmed.as_ref().map(|done| done.which.version + 1);
        after.or(self.underway.as_ref().map(|underway| underway.which.version))
    }
}

/// Which delivery it is: what its idempotency key is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Which {
    pub version: u64,
    #[serde(with = "mode")]
    pub mode: Mode,
    /// The version that was there before, for the changes since.
    pub base: Option<u64>,
    /// The idempotency key.
    pub key: String,
}

/// A delivery that has begun.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Underway {
    #[serde(flatten)]
    pub which: Which,
    /// How many batches there are, and the most rows of one; 0 where all rows go at once.
    pub batches: u64,
    pub size: u64,
    /// The first so many are there.
    pub done: u64,
    #[serde(default)]
    pub dead: Vec<Dead>,
    #[serde(flatten)]
    pub counts: Counts,
}

/// A delivery that is complete, but for its dead letters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Done {
    #[serde(flatten)]
    pub which: Which,
    pub batches: u64,
    #[serde(default)]
    pub dead: Vec<Dead>,
    #[serde(flatten)]
    pub counts: Counts,
}

/// Rows of a delivery.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub upserts: u64,
    pub deletes: u64,
    pub unchanged: u64,
    /// Contacts left out, since they may not be reached any more. While a delivery goes on, those of batches to come are among `upserts`.
    pub refused: u64,
    /// Cells that a spreadsheet would have taken for formulas; `None` where nobody looked.
    pub neutralised: Option<u64>,
}

/// A batch that the receiver refused for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dead {
    /// Its number, from 0.
    pub batch: u64,
    pub key: String,
    pub rows: u64,
    /// What the receiver answered, in a word or two.
    pub reason: String,
}

mod mode {
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    use crate::language::catalog::Mode;

    pub fn serialize<S: Serializer>(mode: &Mode, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(mode.as_str())
    }

    pub fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<Mode, D::Error> {
        match String::deserialize(from)?.as_str() {
            "full" => Ok(Mode::Full),
            "delta" => Ok(Mode::Delta),
            other => Err(D::Error::custom(format!("`{other}` is no mode"))),
        }
    }
}

/// The states of one audience at one destination, in the store of results.
#[derive(Debug, Clone)]
pub struct Shelf {
    store: Arc<dyn ObjectStore>,
    folder: Path,
    /// The number of the state that was read or written last.
    number: u64,
    what: String,
}

impl Shelf {
    /// `below` is the folder of the store of results, empty for its root.
    pub fn new(store: Arc<dyn ObjectStore>, below: &Path, destination: &str, audience: &str) -> Shelf {
        let folder = below.clone().join(FOLDER).join(destination).join(audience);
        let what = format!("the state of `{audience}` at `{destination}`");
        Shelf { store, folder, number: 0, what }
    }

    fn trouble(&self, why: &dyn std::fmt::Display) -> Error {
        Error::data(format!("{}: {why}", self.what))
            .with_help("is the store of results there, and may Segue write to it?")
    }

    fn at(&self, number: u64) -> Path {
        self.folder.clone().join(format!("{number:08}.json"))
    }

    /// The newest state; that of nothing delivered where there is none.
    pub async fn read(&mut self) -> Result<State, Error> {
        // A writer takes the older states away: what was listed may be gone when it is asked for.
        for _ in 0..8 {
            let Some(number) = self.numbers().await?.into_iter().max() else {
                self.number = 0;
                return Ok(State { schema: SCHEMA, ..State::default() });
            };
            let bytes = match self.store.get(&self.at(number)).await {
                Ok(found) => found.bytes().await.map_err(|e| self.trouble(&e))?,
                Err(object_store::Error::NotFound { .. }) => continue,
                Err(why) => return Err(self.trouble(&why)),
            };
            self.number = number;
            let state: State = serde_json::from_slice(&bytes)
                .map_err(|why| self.trouble(&format!("`{}` can't be read: {why}", self.at(number))))?;
            if state.schema != SCHEMA {
                return Err(self.trouble(&"another version of Segue has written it"));
            }
            return Ok(state);
        }
        Err(busy(&self.what))
    }

    async fn numbers(&self) -> Result<Vec<u64>, Error> {
        let listed = self.store.list_with_delimiter(Some(&self.folder)).await.map_err(|e| self.trouble(&e))?;
        let number = |name: &str| name.strip_suffix(".json").and_then(|digits| digits.parse::<u64>().ok());
        Ok(listed.objects.iter().filter_map(|o| o.location.filename().and_then(number)).collect())
    }

    /// Replaces the state that was read. Whoever finds that another has done so ends.
    pub async fn write(&mut self, state: &State) -> Result<(), Error> {
        let text = serde_json::to_string_pretty(state).map_err(|e| self.trouble(&e))? + "\n";
        let next = self.number + 1;
        let create = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        match self.store.put_opts(&self.at(next), text.into(), create).await {
            Ok(_) => {}
            Err(object_store::Error::AlreadyExists { .. }) => return Err(busy(&self.what)),
            Err(why) => return Err(self.trouble(&why)),
        }
        // Its number was free since a later state took it away: whoever wrote that one is ahead.
        if self.numbers().await?.iter().any(|&number| number > next) {
            let _ = self.store.delete(&self.at(next)).await;
            return Err(busy(&self.what));
        }
        let before = std::mem::replace(&mut self.number, next);
        if before > 0 {
            // The newest counts; an older one that stays is in nobody's way.
            let _ = self.store.delete(&self.at(before)).await;
        }
        Ok(())
    }

    fn letter(&self, key: &str) -> Path {
        self.folder.clone().join("dead").join(format!("{key}.json"))
    }

    /// Keeps what a receiver refused.
    pub async fn keep(&self, dead: &Dead, answer: &str, body: &Value) -> Result<(), Error> {
        let letter = serde_json::json!({
            "schema": SCHEMA, "key": dead.key, "batch": dead.batch, "reason": dead.reason, "answer": answer, "body": body,
        });
        let text = format!("{letter:#}\n");
        self.store.put(&self.letter(&dead.key), text.into()).await.map_err(|e| self.trouble(&e))?;
        Ok(())
    }

    /// The body of a dead letter, as it was sent.
    pub async fn body(&self, dead: &Dead) -> Result<Value, Error> {
        let at = self.letter(&dead.key);
        let gone = |why: &dyn std::fmt::Display| {
            Error::data(format!("{}: the dead letter `{at}` can't be read: {why}", self.what))
                .with_help("deliver everything once: `--full`")
        };
        let found = self.store.get(&at).await.map_err(|e| gone(&e))?;
        let bytes = found.bytes().await.map_err(|e| gone(&e))?;
        let mut letter: Value = serde_json::from_slice(&bytes).map_err(|e| gone(&e))?;
        match letter.get_mut("body") {
            Some(body) => Ok(body.take()),
            None => Err(gone(&"it has no body")),
        }
    }

    /// Takes the letters away that are none of `kept`.
    pub async fn clear(&self, kept: &[Dead]) -> Result<(), Error> {
        let kept: Vec<Path> = kept.iter().map(|dead| self.letter(&dead.key)).collect();
        let folder = self.folder.clone().join("dead");
        let all: Vec<_> = self.store.list(Some(&folder)).try_collect().await.map_err(|e| self.trouble(&e))?;
        for letter in all.into_iter().filter(|letter| !kept.contains(&letter.location)) {
            self.store.delete(&letter.location).await.map_err(|e| self.trouble(&e))?;
        }
        Ok(())
    }
}

fn busy(what: &str) -> Error {
    Error::Refused {
        message: format!("{what} has been changed by another delivery meanwhile"),
        help: Some("one delivery at a time; call it again when the other one is done".to_owned()),
    }
}

/// The customers in the body of a letter.
pub fn customers(body: &Value) -> impl Iterator<Item = String> {
    let rows = body.get("rows").and_then(Value::as_array).map_or(&[] as &[Value], Vec::as_slice);
    rows.iter().filter_map(customer)
}

/// The customer of a row of a letter.
pub(super) fn customer(row: &Value) -> Option<String> {
    match row.get(super::rows::CUSTOMER)? {
        Value::String(id) => Some(id.clone()),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    }
}

/// The newest state of every audience at every destination of a store of results: destination, audience, state.
pub async fn all(store: &Arc<dyn ObjectStore>, below: &Path) -> Result<Vec<(String, String, State)>, Error> {
    let folder = below.clone().join(FOLDER);
    let listed: Vec<_> = store.list(Some(&folder)).try_collect().await.map_err(|why| {
        Error::data(format!("the states of deliveries: {why}")).with_help("is the store of results there?")
    })?;
    let mut places = BTreeSet::new();
    for object in listed {
        let parts: Vec<String> = object.location.parts().map(|part| part.as_ref().to_owned()).collect();
        if let [destination, audience, _] = parts.get(below.parts().count() + 1..).unwrap_or_default() {
            places.insert((destination.clone(), audience.clone()));
        }
    }
    let mut states = Vec::new();
    for (destination, audience) in places {
        let state = Shelf::new(Arc::clone(store), below, &destination, &audience).read().await?;
        states.push((destination, audience, state));
    }
    Ok(states)
}

/// The names of all dead letters of a store of results.
pub async fn letters(store: &Arc<dyn ObjectStore>, below: &Path) -> Result<Vec<Path>, Error> {
    let folder = below.clone().join(FOLDER);
    let all: Vec<_> = store.list(Some(&folder)).try_collect().await.map_err(|why| {
        Error::data(format!("the dead letters of deliveries: {why}")).with_help("is the store of results there?")
    })?;
    let is_letter = |at: &Path| at.parts().rev().nth(1).is_some_and(|folder| folder.as_ref() == "dead");
    Ok(all.into_iter().map(|object| object.location).filter(is_letter).collect())
}
