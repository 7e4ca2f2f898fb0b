//! Taking what was published elsewhere.
//!
//! Owns: what a delivery is, in which order its batches go, what is remembered of it. Promises: a delivery that breaks off goes on
//! at the batch that failed, with the same idempotency keys; one that is complete is not made again unless asked; nobody whose
//! outcome is not `sent` is in it, and no personal column goes to a channel that may not have it. Must not know: how a version was
//! decided, the machine's clock.
//!
//! `rows` brings an audience into one form, `changes` compares two versions, `state` is what a destination has, `target` is where
//! batches go: `files`, `postgres`, `webhook`. `secret` is the only place that reads secrets.

use std::collections::HashSet;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::DataType;
use async_trait::async_trait;
use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::language::catalog::{Catalog, Destination, Mode};

pub mod changes;
pub mod csv;
pub mod files;
mod open;
pub mod postgres;
mod published;
pub mod retry;
pub mod rows;
pub mod secret;
pub mod state;
pub mod webhook;

use changes::Changes;
pub use open::{Machine, open};
pub use published::shelf;
use rows::Rows;
use state::{Counts, Dead, Done, Shelf, State, Underway, Which};

/// What versions published.
#[async_trait]
pub trait Published: Send + Sync {
    /// The rows of an audience in a version: one batch at least, for its columns. `None` where that version does not have the
    /// audience, or is not kept any more.
    async fn rows(&self, audience: &str, version: u64) -> Result<Option<Vec<RecordBatch>>, Error>;
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
    pub destination: &'a str,
    pub which: &'a Which,
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
    /// The version that is to be there in the end.
    pub version: u64,
    pub destination: &'a Destination,
    pub catalog: &'a Catalog,
    /// The columns that the audience's campaign calls personal, of all that it knows.
    pub payload: &'a [(String, bool)],
    /// Otherwise the destination's.
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
    Would(Told),
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
    pub dead: Vec<Dead>,
    /// All of it was there already, as the destination itself said.
    pub repeated: bool,
}

/// Brings one audience to one destination. The target is made by `target` when it is needed: a dry run reads no secret.
pub async fn deliver<F>(
    request: &Request<'_>,
    published: &dyn Published,
    shelf: &mut Shelf,
    target: F,
) -> Result<Delivered, Error>
where
    F: FnOnce() -> Result<Box<dyn Target>, Error>,
{
    let mut state = shelf.read().await?;
    let mut work = Work { request, published, shelf, target: Err(Some(target)), told: Vec::new() };
    let full = request.mode.unwrap_or(request.destination.mode) == Mode::Full;
    // What broke off comes first: the changes since are counted from what is there. All rows need nothing of what is there.
    if let Some(underway) = state.underway.clone()
        && (request.resume || !full || underway.which.mode == Mode::Full && underway.which.version == request.version)
    {
        if request.dry_run {
            let changes = work.changes(&underway.which, &state).await?;
            return Ok(Delivered::Would(work.would(underway.which, &changes, underway.done, Some(underway.size))));
        }
        work.go_on(&mut state, underway).await?;
    }
    if request.resume {
        if !request.dry_run {
            work.letters(&mut state).await?;
        }
        return Ok(work.end(&state));
    }
    let Some(which) = which(request, &state) else { return Ok(work.end(&state)) };
    let changes = work.changes(&which, &state).await?;
    if request.dry_run {
        let size = None;
        return Ok(Delivered::Would(work.would(which, &changes, 0, size)));
    }
    let (size, batches) = work.parts(&which, &changes)?;
    let counts = changes.counts();
    let underway = Underway { which, batches, size, done: 0, dead: Vec::new(), counts };
    state.underway = Some(underway.clone());
    work.shelf.write(&state).await?;
    work.bring(&mut state, underway, changes).await?;
    Ok(work.end(&state))
}

/// Which delivery is due; `None` where the destination has it.
fn which(request: &Request<'_>, state: &State) -> Option<Which> {
    let asked = request.mode.unwrap_or(request.destination.mode);
    let done = state.confirmed.as_ref();
    if let Some(done) = done.filter(|done| done.which.version == request.version) {
        // The same version the other way round: what is there is that version already.
        if done.which.mode == asked || asked == Mode::Delta {
            return request.again.then(|| done.which.clone());
        }
    }
    // Of all rows some were refused: whether the receiver took any in place of what it had, nobody knows.
    let torn = done.is_some_and(|done| done.which.mode == Mode::Full && !done.dead.is_empty());
    let (mode, base) = match asked {
        Mode::Delta if !torn => (Mode::Delta, done.map(|done| done.which.version)),
        _ => (Mode::Full, None),
    };
    let key = key(request.project, request.version, request.audience, &request.destination.name.name, mode, base);
    Some(Which { version: request.version, mode, base, key })
}

/// The idempotency key of a delivery: SHA-256 in hex over the words `segue delivery 1`, project, version, audience, destination,
/// mode and base version (`none` where there is none), each behind its length in bytes as eight bytes, the least significant first.
pub fn key(project: &str, version: u64, audience: &str, destination: &str, mode: Mode, base: Option<u64>) -> String {
    let base = base.map_or_else(|| "none".to_owned(), |base| base.to_string());
    let mut hash = Sha256::new();
    for part in ["segue delivery 1", project, &version.to_string(), audience, destination, mode.as_str(), &base] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The key of a batch, where there may be several.
fn key_of(which: &Which, number: u64, size: u64) -> String {
    if size == 0 { which.key.clone() } else { format!("{}-{number}", which.key) }
}

/// The prepared rows of a delivery.
struct Prepared {
    changes: Changes,
    refused: u64,
}

impl Prepared {
    fn counts(&self) -> Counts {
        let Changes { upserts, deletes, unchanged, .. } = self.changes;
        Counts { upserts, deletes, unchanged, refused: self.refused, neutralised: None }
    }
}

/// A call of [`deliver`] on its way.
struct Work<'w, 'r, F> {
    request: &'w Request<'r>,
    published: &'w dyn Published,
    shelf: &'w mut Shelf,
    target: Result<Box<dyn Target>, Option<F>>,
    told: Vec<Told>,
}

impl<F: FnOnce() -> Result<Box<dyn Target>, Error>> Work<'_, '_, F> {
    fn target(&mut self) -> Result<&mut Box<dyn Target>, Error> {
        if let Err(make) = &mut self.target {
            let make = make.take().ok_or_else(|| rows::odd(&"the destination could not be opened"))?;
            self.target = Ok(make()?);
        }
        self.target.as_mut().map_err(|_| rows::odd(&"the destination could not be opened"))
    }

    /// The rows of a version that may go there.
    async fn rows(&self, version: u64) -> Result<Option<Rows>, Error> {
        let Request { audience, .. } = self.request;
        let what = format!("audience `{audience}` of version {version}");
        match self.published.rows(audience, version).await? {
            Some(batches) => Ok(Some(Rows::new(&batches, &what)?)),
            None => Ok(None),
        }
    }

    async fn changes(&self, which: &Which, state: &State) -> Result<Prepared, Error> {
        let audience = self.request.audience;
        let missing = |version: u64| {
            Error::data(format!("version {version} of audience `{audience}` is not in the store of results"))
        };
        let new = self.rows(which.version).await?.ok_or_else(|| missing(which.version))?;
        permitted(self.request, &new)?;
        let changes = match (which.mode, which.base) {
            (Mode::Full, _) => Changes::full(&new)?,
            (Mode::Delta, base) => {
                let base = match base {
                    Some(base) => {
                        let help = "that version was delivered last; deliver everything once: `--full`";
                        Some(self.rows(base).await?.ok_or_else(|| missing(base).with_help(help))?)
                    }
                    None => None,
                };
                let mut doubtful = HashSet::new();
                for dead in state.confirmed.iter().flat_map(|done| &done.dead) {
                    doubtful.extend(state::customers(&self.shelf.body(dead).await?));
                }
                Changes::delta(&new, base.as_ref(), &doubtful)?
            }
        };
        Ok(Prepared { changes, refused: new.refused })
    }

    fn would(&self, which: Which, prepared: &Prepared, resumed: u64, size: Option<u64>) -> Told {
        let rows = prepared.changes.batch.num_rows() as u64;
        let size = size.or_else(|| open::size(self.request.destination)).filter(|size| *size > 0);
        let batches = size.map_or(1, |size| rows.div_ceil(size).max(1));
        Told { which, counts: prepared.counts(), batches, resumed, dead: Vec::new(), repeated: false }
    }

    /// The rows of a batch (0: all at once) and how many batches that makes.
    fn parts(&mut self, which: &Which, prepared: &Prepared) -> Result<(u64, u64), Error> {
        let rows = prepared.changes.batch.num_rows() as u64;
        let target = self.target()?;
        let size = target.size().unwrap_or(0);
        let least = u64::from(target.wants_nothing(which.mode));
        Ok((size, if size == 0 { u64::from(rows > 0).max(least) } else { rows.div_ceil(size).max(least) }))
    }

    async fn go_on(&mut self, state: &mut State, underway: Underway) -> Result<(), Error> {
        let prepared = self.changes(&underway.which, state).await?;
        if prepared.counts() != (Counts { neutralised: None, ..underway.counts }) {
            return Err(Error::data(format!(
                "the rows of version {} are not those of which a part was delivered",
                underway.which.version
            ))
            .with_help("deliver everything once: `--full`"));
        }
        self.bring(state, underway, prepared).await
    }

    /// Brings the batches that are not there, and confirms.
    async fn bring(&mut self, state: &mut State, mut underway: Underway, prepared: Prepared) -> Result<(), Error> {
        let Request { project, audience, destination, again, progress, .. } = *self.request;
        let rows = &prepared.changes.batch;
        let total = rows.num_rows();
        let size = usize::try_from(underway.size).unwrap_or(usize::MAX);
        let resumed = underway.done;
        let mut repeated = underway.batches > 0 && resumed == 0;
        let which = underway.which.clone();
        let step = |done: u64| {
            let rows =
                if size == 0 { total as u64 * u64::from(done > 0) } else { (done * size as u64).min(total as u64) };
            if let Some(tell) = progress {
                tell(&Step { version: which.version, batches: done, of: underway.batches, rows });
            }
        };
        for number in underway.done..underway.batches {
            step(number);
            let from = usize::try_from(number).unwrap_or(usize::MAX).saturating_mul(size).min(total);
            let rows = if size == 0 { rows.clone() } else { rows.slice(from, size.min(total - from)) };
            let count = rows.num_rows() as u64;
            let key = key_of(&which, number, underway.size);
            let destination = &destination.name.name;
            let parcel = Parcel {
                key: key.clone(),
                project,
                audience,
                destination,
                which: &which,
                number,
                of: underway.batches,
                rows,
                again,
            };
            match self.target()?.send(&parcel).await? {
                Sent::Taken { repeated: before, neutralised } => {
                    repeated &= before;
                    let cells = &mut underway.counts.neutralised;
                    *cells = neutralised.map_or(*cells, |n| Some(cells.unwrap_or(0) + n));
                }
                Sent::Dead { reason, answer, body } => {
                    repeated = false;
                    let dead = Dead { batch: number, key, rows: count, reason };
                    self.shelf.keep(&dead, &answer, &body).await?;
                    underway.dead.push(dead);
                }
            }
            underway.done = number + 1;
            if underway.done < underway.batches {
                state.underway = Some(underway.clone());
                self.shelf.write(state).await?;
            }
        }
        step(underway.batches);
        let Underway { which, batches, dead, counts, .. } = underway;
        self.told.push(Told { which: which.clone(), counts, batches, resumed, dead: dead.clone(), repeated });
        state.confirmed = Some(Done { which, batches, dead: dead.clone(), counts });
        state.underway = None;
        self.shelf.write(state).await?;
        self.shelf.clear(&dead).await
    }

    /// Sends what was refused once more.
    async fn letters(&mut self, state: &mut State) -> Result<(), Error> {
        let Some(done) = &mut state.confirmed else { return Ok(()) };
        if done.dead.is_empty() || self.told.iter().any(|told| told.which == done.which) {
            return Ok(());
        }
        let mut still = Vec::new();
        for mut dead in std::mem::take(&mut done.dead) {
            let body = self.shelf.body(&dead).await?;
            if let Sent::Dead { reason, answer, body } = self.target()?.resend(&dead.key, &body).await? {
                dead.reason = reason;
                self.shelf.keep(&dead, &answer, &body).await?;
                still.push(dead);
            }
        }
        done.dead = still.clone();
        self.told.push(Told {
            which: done.which.clone(),
            counts: done.counts,
            batches: done.batches,
            resumed: done.batches,
            dead: still.clone(),
            repeated: false,
        });
        self.shelf.write(state).await?;
        self.shelf.clear(&still).await
    }

    fn end(self, state: &State) -> Delivered {
        if self.told.is_empty() {
            let done = state.confirmed.as_ref();
            let dead = done.map_or(0, |done| done.dead.len() as u64);
            return Delivered::Nothing { version: done.map_or(0, |done| done.which.version), dead };
        }
        Delivered::Done(self.told)
    }
}

/// The key by which a column of a published audience says in its metadata that it is personal: `pii` is `true`.
pub const PII: &str = "pii";

/// Looks once more whether the rows may go by their channels.
fn permitted(request: &Request<'_>, rows: &Rows) -> Result<(), Error> {
    let Request { audience, catalog, payload, .. } = *request;
    let refused = |message: String, help: &str| Err(Error::Refused { message, help: Some(help.to_owned()) });
    let Some(channels) = rows.batch.column_by_name("channel").filter(|c| c.data_type() == &DataType::Utf8) else {
        return Ok(());
    };
    let personal: Vec<&str> = rows
        .batch
        .schema_ref()
        .fields()
        .iter()
        .filter(|field| {
            let said = payload.iter().find(|(name, _)| name == field.name()).map(|(_, pii)| *pii);
            let marked = field.metadata().get(PII).is_some_and(|said| said == "true");
            // Of a column that the rules do not have any more, the catalog's names tell.
            marked || said.unwrap_or_else(|| catalog_says(catalog, field.name()))
        })
        .map(|field| field.name().as_str())
        .collect();
    let mut seen: HashSet<&str> = HashSet::new();
    for channel in channels.as_string::<i32>() {
        let Some(channel) = channel else {
            return refused(
                format!("audience `{audience}` has customers whom no channel reaches"),
                "give the action a channel: `by email`, or `channel:` beside the action in the catalog",
            );
        };
        if !seen.insert(channel) {
            continue;
        }
        let Some(known) = catalog.channels.iter().find(|c| c.name.name == channel) else {
            return refused(
                format!("audience `{audience}` goes by `{channel}`, and the catalog has no such channel"),
                "declare it in the catalog, or publish a new version with `segue run`",
            );
        };
        if let Some(column) = personal.first().filter(|_| !known.pii) {
            return refused(
                format!("`{column}` of audience `{audience}` is personal, and channel `{channel}` may not have that"),
                "take it out of `with`, or write `pii: true` beside the channel in the catalog",
            );
        }
    }
    Ok(())
}

fn catalog_says(catalog: &Catalog, name: &str) -> bool {
    catalog.attributes().iter().any(|a| a.pii && a.name.name == name)
        || catalog.events.iter().flat_map(|e| &e.properties).any(|p| p.pii && p.name.name == name)
}
