//! What the tests of deliveries share: published versions in memory, and a receiver that can fail.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex};

use arrow::array::{Array, ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use async_trait::async_trait;
use object_store::ObjectStore;
use object_store::memory::InMemory;
use object_store::path::Path;
use segue::audience::deliver::retry::Patience;
use segue::audience::deliver::state::{Shelf, State};
use segue::audience::deliver::{
    Delivered, Machine, Parcel, Published, Reach, Request, Sent, Target, deliver, open, rows,
};
use segue::error::Error;
use segue::language::catalog::{Catalog, Destination, Mode, load};
use segue::language::source::Sources;

pub fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(work)
}

/// Versions of audiences.
#[derive(Default, Clone)]
pub struct Versions {
    pub rows: HashMap<(String, u64), RecordBatch>,
    /// Whom of a version's contacts nothing speaks against by now.
    pub reach: HashMap<(String, u64), Reach>,
    /// Asked so often, somebody is erased.
    pub erased: Option<Arc<Mutex<u64>>>,
}

impl Versions {
    pub fn with(mut self, audience: &str, version: u64, batch: RecordBatch) -> Versions {
        self.rows.insert((audience.to_owned(), version), batch);
        self
    }

    /// Of a version's contacts only these may still be reached.
    pub fn still(mut self, audience: &str, version: u64, batch: RecordBatch) -> Versions {
        self.reach.insert((audience.to_owned(), version), Reach::of(&[batch]));
        self
    }
}

#[async_trait]
impl Published for Versions {
    async fn rows(&self, audience: &str, version: u64) -> Result<Option<Vec<RecordBatch>>, Error> {
        // In two pieces, as a reader of files gives them.
        Ok(self.rows.get(&(audience.to_owned(), version)).map(|batch| {
            let half = batch.num_rows() / 2;
            vec![batch.slice(0, half), batch.slice(half, batch.num_rows() - half)]
        }))
    }

    async fn manifest(&self, version: u64) -> Result<String, Error> {
        Ok(manifest(version))
    }

    async fn erasure(&self) -> Result<u64, Error> {
        let Some(left) = &self.erased else { return Ok(0) };
        let mut left = left.lock().expect("sound");
        *left = left.saturating_sub(1);
        Ok(u64::from(*left == 0))
    }

    async fn reach(&self, audience: &str, version: u64) -> Result<Option<Reach>, Error> {
        Ok(self.reach.get(&(audience.to_owned(), version)).cloned())
    }
}

/// What stands for the checksum of a version's manifest.
pub fn manifest(version: u64) -> String {
    format!("{version:064x}")
}

/// An audience with a column `score`.
pub fn scored(rows: &[(&str, i64)]) -> RecordBatch {
    let ids: ArrayRef = Arc::new(StringArray::from_iter_values(rows.iter().map(|(id, _)| id)));
    let scores: ArrayRef = Arc::new(Int64Array::from_iter_values(rows.iter().map(|(_, score)| *score)));
    batch(&[("customer", ids), ("score", scores)])
}

pub fn batch(columns: &[(&str, ArrayRef)]) -> RecordBatch {
    let field = |(name, column): &(&str, ArrayRef)| {
        Field::new(*name, column.data_type().clone(), *name != "customer" || column.null_count() > 0)
    };
    let schema = Schema::new(columns.iter().map(field).collect::<Vec<Field>>());
    RecordBatch::try_new(Arc::new(schema), columns.iter().map(|(_, c)| Arc::clone(c)).collect()).expect("a batch")
}

pub fn texts(all: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(all.to_vec()))
}

/// A catalog that must be sound.
pub fn catalog(text: &str) -> Catalog {
    let mut sources = Sources::default();
    let id = sources.add("catalog.yaml", text);
    let (catalog, found) = load::catalog(&mut sources, id);
    assert!(found.is_empty(), "{found:#?}");
    catalog.expect("a catalog")
}

/// A place where deliveries go, with its state.
pub struct Place {
    pub catalog: Catalog,
    pub store: Arc<dyn ObjectStore>,
    pub root: tempfile::TempDir,
    pub patience: Patience,
}

/// How a test asks.
#[derive(Clone, Copy, Default)]
pub struct Ask {
    pub version: u64,
    pub mode: Option<Mode>,
    pub again: bool,
    pub resume: bool,
    pub dry_run: bool,
    pub contacts: bool,
    /// The first name of the audience, where it was another.
    pub known_as: Option<&'static str>,
}

/// Of contacts all versions, of members the last.
fn upto(ask: Ask) -> Vec<u64> {
    (if ask.contacts { 1 } else { ask.version }..=ask.version).collect()
}

pub fn version(version: u64) -> Ask {
    Ask { version, ..Ask::default() }
}

impl Place {
    /// `destinations:` of a catalog, and whatever else stands in it.
    pub fn new(catalog_text: &str) -> Place {
        Place {
            catalog: catalog(catalog_text),
            store: Arc::new(InMemory::new()),
            root: tempfile::tempdir().expect("a folder"),
            patience: Patience::default(),
        }
    }

    pub fn destination(&self) -> &Destination {
        self.catalog.destinations.first().expect("a destination")
    }

    pub fn shelf(&self, audience: &str) -> Shelf {
        Shelf::new(Arc::clone(&self.store), &Path::from("results"), &self.destination().name.name, audience)
    }

    pub fn state(&self, audience: &str) -> State {
        block_on(self.shelf(audience).read()).expect("a state")
    }

    fn request<'a>(&'a self, audience: &'a str, ask: Ask, versions: &'a [u64]) -> Request<'a> {
        let Ask { mode, again, resume, dry_run, contacts, known_as, .. } = ask;
        Request {
            project: "shop",
            audience,
            known_as: known_as.unwrap_or(audience),
            versions,
            contacts,
            destination: self.destination(),
            catalog: &self.catalog,
            payload: &[],
            mode,
            again,
            resume,
            dry_run,
            progress: None,
        }
    }

    /// To the catalog's first destination, as the command does.
    pub fn deliver(&self, audience: &str, versions: &Versions, ask: Ask) -> Result<Delivered, Error> {
        let machine =
            Machine { root: self.root.path().to_owned(), now: Arc::new(|| 1_800_000_000), patience: self.patience };
        let make = || open(self.destination(), &machine);
        let all = upto(ask);
        block_on(deliver(
            &self.request(audience, ask, &all),
            versions,
            &mut self.shelf(ask.known_as.unwrap_or(audience)),
            make,
        ))
    }

    /// To a receiver of the test.
    pub fn deliver_to(
        &self,
        audience: &str,
        versions: &Versions,
        ask: Ask,
        receiver: &Receiver,
    ) -> Result<Delivered, Error> {
        let make = || Ok(Box::new(receiver.clone()) as Box<dyn Target>);
        let all = upto(ask);
        block_on(deliver(
            &self.request(audience, ask, &all),
            versions,
            &mut self.shelf(ask.known_as.unwrap_or(audience)),
            make,
        ))
    }

    /// All texts in the store of results: states and dead letters.
    pub fn kept(&self) -> Vec<(String, String)> {
        use futures::TryStreamExt;
        use object_store::ObjectStoreExt;
        block_on(async {
            let all: Vec<_> = self.store.list(None).try_collect().await.expect("listed");
            let mut found = Vec::new();
            for object in all {
                let bytes = self.store.get(&object.location).await.expect("there").bytes().await.expect("bytes");
                found.push((object.location.to_string(), String::from_utf8_lossy(&bytes).into_owned()));
            }
            found.sort();
            found
        })
    }
}

/// What a receiver does with the next batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Takes,
    /// It fails before anything is there.
    FailsBefore,
    /// It takes the batch, and its answer is lost.
    FailsAfter,
    Refuses,
}

/// A receiver that heeds keys, as receivers do: a batch whose key it has seen changes nothing.
#[derive(Clone)]
pub struct Receiver {
    pub size: Option<u64>,
    pub got: Arc<Mutex<Got>>,
}

#[derive(Default)]
pub struct Got {
    pub table: BTreeMap<String, String>,
    /// The number of rows by key, counted once.
    pub keys: BTreeMap<String, u64>,
    /// How often each key was sent.
    pub tries: BTreeMap<String, u64>,
    /// The moods of the next batches; then it takes all.
    pub moods: Vec<Mood>,
    /// Full deliveries that began: their first batch clears the table.
    cleared: HashSet<String>,
}

impl Receiver {
    pub fn new(size: Option<u64>) -> Receiver {
        Receiver { size, got: Arc::default() }
    }

    pub fn moods(&self, moods: &[Mood]) {
        self.got.lock().expect("sound").moods = moods.to_vec();
    }

    pub fn table(&self) -> BTreeMap<String, String> {
        self.got.lock().expect("sound").table.clone()
    }

    fn take(&self, key: &str, delivery: &str, full: bool, lines: &[(String, String, String)]) -> Result<bool, Error> {
        let mut got = self.got.lock().expect("sound");
        let mood = if got.moods.is_empty() { Mood::Takes } else { got.moods.remove(0) };
        *got.tries.entry(key.to_owned()).or_default() += 1;
        match mood {
            Mood::FailsBefore => return Err(Error::data("the receiver is away")),
            Mood::Refuses => return Ok(false),
            Mood::Takes | Mood::FailsAfter => {}
        }
        if got.keys.insert(key.to_owned(), lines.len() as u64).is_none() {
            if full && got.cleared.insert(delivery.to_owned()) {
                got.table.clear();
            }
            for (operation, customer, rest) in lines {
                match operation.as_str() {
                    rows::UPSERT => got.table.insert(customer.clone(), rest.clone()),
                    _ => got.table.remove(customer),
                };
            }
        }
        match mood {
            Mood::FailsAfter => Err(Error::data("the answer is lost")),
            _ => Ok(true),
        }
    }
}

#[async_trait]
impl Target for Receiver {
    fn size(&self) -> Option<u64> {
        self.size
    }

    async fn send(&mut self, parcel: &Parcel<'_>) -> Result<Sent, Error> {
        let body = segue::audience::deliver::webhook::body(parcel);
        let full = parcel.which.mode == Mode::Full;
        match self.take(&parcel.key, &parcel.which.key, full, &lines(&body))? {
            true => Ok(Sent::Taken { repeated: false, neutralised: None }),
            false => Ok(Sent::Dead { reason: "400 Bad Request".to_owned(), answer: "no".to_owned(), body }),
        }
    }

    async fn resend(&mut self, key: &str, body: &serde_json::Value) -> Result<Sent, Error> {
        let delivery = body["delivery"].as_str().expect("a key");
        match self.take(key, delivery, body["mode"] == "full", &lines(body))? {
            true => Ok(Sent::Taken { repeated: false, neutralised: None }),
            false => {
                Ok(Sent::Dead { reason: "400 Bad Request".to_owned(), answer: "no".to_owned(), body: body.clone() })
            }
        }
    }
}

fn lines(body: &serde_json::Value) -> Vec<(String, String, String)> {
    let rows = body["rows"].as_array().expect("rows");
    let line = |row: &serde_json::Value| {
        let mut fields = row.as_object().expect("an object").clone();
        let operation = fields.shift_remove("operation").expect("an operation");
        let customer = fields.shift_remove("customer").expect("a customer");
        let text = |v: &serde_json::Value| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
        (text(&operation), text(&customer), serde_json::Value::Object(fields).to_string())
    };
    rows.iter().map(line).collect()
}

/// What a receiver should have of a version.
pub fn wanted(batch: &RecordBatch) -> BTreeMap<String, String> {
    let known = rows::Rows::new(std::slice::from_ref(batch), "it").expect("rows").batch;
    (0..known.num_rows())
        .map(|row| {
            let mut fields = rows::object(&known, row).as_object().expect("an object").clone();
            fields.shift_remove("customer");
            (rows::text(known.column(0), row).expect("an id"), serde_json::Value::Object(fields).to_string())
        })
        .collect()
}

/// A type by which a column can be told in a message.
pub fn types(batch: &RecordBatch) -> Vec<DataType> {
    batch.columns().iter().map(|c| c.data_type().clone()).collect()
}
