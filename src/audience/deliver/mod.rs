//! Taking what was published elsewhere.
//!
//! Owns: what a delivery is, in which order its batches go, what is remembered of it. Promises: a delivery that breaks off goes on
//! at the batch that failed, with the same idempotency keys; one that is complete is not made again unless asked; nobody is contacted
//! whom a later version took out of the decision's audience, and no personal column goes to a channel that may not have it. Must not
//! know: how a version was decided, the machine's clock.
//!
//! `rows` brings an audience into one form, `changes` compares two versions, `reach` is who may still be contacted, `state` is what a destination has, `target` is where
//! batches go: `files`, `postgres`, `webhook`. `work` brings them there, after `permission` has looked. `secret` is the only place that reads secrets.

use arrow::array::RecordBatch;
use async_trait::async_trait;
use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::language::catalog::{Catalog, Destination, Mode};

pub mod changes;
pub mod csv;
pub mod files;
mod open;
mod permission;
pub mod postgres;
mod published;
mod reach;
pub mod retry;
pub mod rows;
pub mod secret;
pub mod state;
pub mod webhook;
mod work;

pub use open::{Machine, open};
pub use published::{is_contacts, known_as, left_behind, shelf, versions, waiting};
pub use reach::Reach;
use state::{Counts, Dead, Which};
pub use work::deliver;

/// What versions published.
#[async_trait]
pub trait Published: Send + Sync {
    /// The rows of an audience in a version: one batch at least, for its columns. `None` where that version does not have the
    /// audience, or is not kept any more.
    async fn rows(&self, audience: &str, version: u64) -> Result<Option<Vec<RecordBatch>>, Error>;

    /// The SHA-256 of a version's manifest, which tells it from all versions of other stores.
    async fn manifest(&self, version: u64) -> Result<String, Error>;

    /// The newest version that took somebody out of all versions; 0 where there is none.
    async fn erasure(&self) -> Result<u64, Error>;

    /// Of the contacts that a version decided, those against whom no later version speaks. `None` where none says anything.
    async fn reach(&self, audience: &str, version: u64) -> Result<Option<Reach>, Error>;
}

/// Where batches go.
#[async_trait]
pub trait Target: Send {
    /// The most rows of a batch; `None` where all rows go at once.
    fn size(&self) -> Option<u64>;

    /// Whether a delivery without any row has something to bring.
    fn wants_nothing(&self, mode: Mode) -> bool {
        mode == Mode::Full
    }

    /// Brings a batch. An error stops the delivery; called again with the same key, it changes nothing that is there.
    async fn send(&mut self, parcel: &Parcel<'_>) -> Result<Sent, Error>;

    /// Brings a dead letter once more.
    async fn resend(&mut self, key: &str, _body: &serde_json::Value) -> Result<Sent, Error> {
        Err(rows::odd(&format!("no letter {key} can have come back from here")))
    }
}

/// A batch on its way.
#[derive(Debug)]
pub struct Parcel<'a> {
    /// The idempotency key of this batch.
    pub key: String,
    pub project: &'a str,
    pub audience: &'a str,
    /// The first name that the audience had.
    pub known_as: &'a str,
    pub destination: &'a str,
    pub which: &'a Which,
    /// The rows are one decision's contacts, which stand beside those of the others.
    pub contacts: bool,
    /// From 0.
    pub number: u64,
    pub of: u64,
    /// `operation`, `customer`, and the other columns.
    pub rows: RecordBatch,
    /// Apply it although the destination says that it has it.
    pub again: bool,
}

/// What became of a batch.
#[derive(Debug, Clone, PartialEq)]
pub enum Sent {
    Taken {
        /// The destination had it already.
        repeated: bool,
        /// How many cells were neutralised, where somebody looked.
        neutralised: Option<u64>,
    },
    /// The receiver does not want it, and would not want it later.
    Dead {
        /// Its answer in a word or two: `400 Bad Request`.
        reason: String,
        /// The beginning of what it said, without secrets.
        answer: String,
        body: serde_json::Value,
    },
}

/// What to deliver, and how.
pub struct Request<'a> {
    /// The project's name.
    pub project: &'a str,
    pub audience: &'a str,
    /// The first name that it had: keys are made of this one, so that a new name delivers nothing twice.
    pub known_as: &'a str,
    /// The versions to deliver, ascending, one at least. A destination that has one gets all that are newer, one after the other; any
    /// other gets the last.
    pub versions: &'a [u64],
    /// The rows are contacts, not members: who is in two versions is contacted twice, so that changes between them tell too little.
    pub contacts: bool,
    pub destination: &'a Destination,
    pub catalog: &'a Catalog,
    /// The columns that the audience's campaign calls personal, of all that it knows.
    pub payload: &'a [(String, bool)],
    /// Of members; otherwise what the destination says. Of contacts all rows are brought. `Full` brings what is there already, too, as far
    /// as nothing newer is due.
    pub mode: Option<Mode>,
    /// Make a complete delivery once more.
    pub again: bool,
    /// Only finish what broke off, and send dead letters again.
    pub resume: bool,
    /// Only say what would be done.
    pub dry_run: bool,
    /// Told before each batch, and at the end.
    pub progress: Option<&'a (dyn Fn(&Step) + Send + Sync)>,
}

/// How far a delivery is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub version: u64,
    pub batches: u64,
    pub of: u64,
    /// Rows of the batches that are there.
    pub rows: u64,
}

/// What was done.
#[derive(Debug, Clone, PartialEq)]
pub enum Delivered {
    /// The destination has that version.
    Nothing { version: u64, dead: u64 },
    /// What a dry run found: what would be delivered.
    Would(Vec<Told>),
    /// It is there. A delivery that had broken off before is told first.
    Done(Vec<Told>),
}

/// One delivery.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    pub which: Which,
    pub counts: Counts,
    pub batches: u64,
    /// Batches that an earlier call had brought.
    pub resumed: u64,
    /// The letters that are left; of contacts those of earlier decisions are among them.
    pub dead: Vec<Dead>,
    /// All of it was there already, as the destination itself said.
    pub repeated: bool,
}

/// The idempotency key of a delivery: SHA-256 in hex over the words `segue delivery 2`, project, the SHA-256 of the version's manifest,
/// audience (by the first name that it had), destination, mode and base version (`none` where there is none), each behind its length in
/// bytes as eight bytes, the least significant first. A manifest names the one before, so that it tells the versions before it, too.
pub fn key(project: &str, manifest: &str, audience: &str, destination: &str, mode: Mode, base: Option<u64>) -> String {
    let base = base.map_or_else(|| "none".to_owned(), |base| base.to_string());
    let mut hash = Sha256::new();
    for part in ["segue delivery 2", project, manifest, audience, destination, mode.as_str(), &base] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The key of a batch, where there may be several.
fn key_of(which: &Which, number: u64, size: u64) -> String {
    if size == 0 { which.key.clone() } else { format!("{}-{number}", which.key) }
}
