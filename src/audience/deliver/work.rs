//! A delivery on its way: what is due, the batches one after the other, what is remembered of them.

use std::collections::HashSet;

use arrow::array::RecordBatch;
use serde_json::Value;

use super::changes::Changes;
use super::open;
use super::permission::permitted;
use super::rows::{self, Rows};
use super::state::{self, Counts, Dead, Done, Shelf, State, Underway, Which};
use super::{Delivered, Parcel, Published, Reach, Request, Sent, Step, Target, Told, key, key_of};
use crate::error::Error;
use crate::language::catalog::Mode;

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
    // Rows are read after this: who is erased later may be among them, and goes nowhere and into no letter.
    let erasure = published.erasure().await?;
    let mut work = Work { request, published, shelf, target: Err(Some(target)), told: Vec::new(), erasure };
    // What broke off comes first: the changes since are counted from what is there. All rows need nothing of what is there.
    if let Some(underway) = state.underway.clone().filter(|underway| !leaves(request, underway)) {
        if request.dry_run {
            let changes = work.changes(&underway.which, &state).await?;
            let told = work.would(underway.which, &changes, underway.done, Some(underway.size))?;
            return Ok(Delivered::Would(vec![told]));
        }
        work.go_on(&mut state, underway).await?;
    }
    if request.resume {
        if !request.dry_run {
            work.letters(&mut state).await?;
        }
        return Ok(work.end(&state));
    }
    for version in due(request, &state) {
        let Some(which) = which(request, version, &published.manifest(version).await?, &state) else { continue };
        // It broke off before, and is there now.
        if work.told.iter().any(|told| told.which == which) {
            continue;
        }
        let changes = work.changes(&which, &state).await?;
        if request.dry_run {
            let told = work.would(which.clone(), &changes, 0, None)?;
            work.told.push(told);
            // As if it were there, for the next.
            let Told { which, counts, batches, .. } = work.told.last().cloned().ok_or_else(|| rows::odd(&"untold"))?;
            state.confirmed = Some(Done { which, batches, dead: Vec::new(), counts });
            continue;
        }
        let (size, batches) = work.parts(&which, &changes)?;
        let counts = changes.counts();
        let underway = Underway { which, batches, size, done: 0, dead: Vec::new(), counts };
        state.underway = Some(underway.clone());
        work.shelf.write(&state).await?;
        work.bring(&mut state, underway, changes).await?;
    }
    match request.dry_run && !work.told.is_empty() {
        true => Ok(Delivered::Would(work.told)),
        false => Ok(work.end(&state)),
    }
}

/// Whether what broke off is left as it is, since all rows were asked for: of contacts also its own, from the first batch on.
fn leaves(request: &Request<'_>, underway: &Underway) -> bool {
    let Underway { which, .. } = underway;
    let same = which.mode == Mode::Full && request.versions.last() == Some(&which.version);
    request.mode == Some(Mode::Full) && !request.resume && !same
}

/// The versions that are to be delivered now, if they are not there: of contacts all decisions that are not.
fn due(request: &Request<'_>, state: &State) -> Vec<u64> {
    let from = state.wants().filter(|_| request.contacts);
    let newer: Vec<u64> = request.versions.iter().copied().filter(|v| from.is_some_and(|from| *v >= from)).collect();
    match newer.is_empty() {
        true => request.versions.last().copied().into_iter().collect(),
        false => newer,
    }
}

/// Which delivery is due; `None` where the destination has it.
fn which(request: &Request<'_>, version: u64, manifest: &str, state: &State) -> Option<Which> {
    let unsaid = if request.contacts { Mode::Full } else { request.destination.mode };
    let done = state.confirmed.as_ref();
    if let Some(done) = done.filter(|done| done.which.version == version) {
        match (request.mode, done.which.mode) {
            (Some(Mode::Full), Mode::Full) => return Some(done.which.clone()),
            (Some(Mode::Full), Mode::Delta) => {}
            // What is there is that version already, whichever way it came.
            _ => return request.again.then(|| done.which.clone()),
        }
    }
    // Of all rows some were refused: whether the receiver took any in place of what it had, nobody knows.
    let torn = done.is_some_and(|done| done.which.mode == Mode::Full && !done.dead.is_empty());
    let (mode, base) = match request.mode.unwrap_or(unsaid) {
        Mode::Delta if !torn && !request.contacts => (Mode::Delta, done.map(|done| done.which.version)),
        _ => (Mode::Full, None),
    };
    let key = key(request.project, manifest, request.known_as, &request.destination.name.name, mode, base);
    Some(Which { version, mode, base, key })
}

/// The prepared rows of a delivery.
struct Prepared {
    /// All of them, so that its batches are the same whoever may not be reached any more.
    changes: Changes,
    /// Of contacts, who may still be reached, where something was said of that.
    reach: Option<Reach>,
}

impl Prepared {
    /// Before any of it is there: nobody is left out yet.
    fn counts(&self) -> Counts {
        let Changes { upserts, deletes, unchanged, .. } = self.changes;
        Counts { upserts, deletes, unchanged, refused: 0, neutralised: None }
    }

    /// Some of the rows, without those who may not be reached any more; and how many those are.
    fn part(&self, from: usize, rows: usize) -> Result<(RecordBatch, u64), Error> {
        let part = self.changes.batch.slice(from, rows);
        let kept = self.reach.as_ref().map_or_else(|| Ok(part.clone()), |reach| reach.only(&part))?;
        let refused = part.num_rows().saturating_sub(kept.num_rows());
        Ok((kept, refused as u64))
    }
}

impl Counts {
    fn leave_out(&mut self, refused: u64) {
        self.upserts = self.upserts.saturating_sub(refused);
        self.refused += refused;
    }
}

/// The letters that are kept so far.
fn letters(state: &State, underway: &Underway) -> Vec<Dead> {
    let before = state.confirmed.iter().flat_map(|done| &done.dead);
    before.chain(&underway.dead).cloned().collect()
}

/// Takes those out of a letter who may not be reached any more; how many they are. Whose letter it is, the version in it says.
async fn still_reached(request: &Request<'_>, published: &dyn Published, body: &mut Value) -> Result<u64, Error> {
    let Some(version) = body.get("version").and_then(Value::as_u64).filter(|_| request.contacts) else { return Ok(0) };
    let reach = published.reach(request.audience, version).await?;
    Ok(reach.map_or(0, |reach| reach.keep(body)))
}

/// A call of [`deliver`] on its way.
struct Work<'w, 'r, F> {
    request: &'w Request<'r>,
    published: &'w dyn Published,
    shelf: &'w mut Shelf,
    target: Result<Box<dyn Target>, Option<F>>,
    told: Vec<Told>,
    /// The newest erasure when it began.
    erasure: u64,
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
        let reach = match self.request.contacts {
            true => self.published.reach(audience, which.version).await?,
            false => None,
        };
        Ok(Prepared { changes, reach })
    }

    fn would(&self, which: Which, prepared: &Prepared, resumed: u64, size: Option<u64>) -> Result<Told, Error> {
        let rows = prepared.changes.batch.num_rows() as u64;
        let size = size.or_else(|| open::size(self.request.destination)).filter(|size| *size > 0);
        let batches = size.map_or(1, |size| rows.div_ceil(size).max(1));
        let mut counts = prepared.counts();
        counts.leave_out(prepared.part(0, prepared.changes.batch.num_rows())?.1);
        Ok(Told { which, counts, batches, resumed, dead: Vec::new(), repeated: false })
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
        let Counts { upserts, refused, .. } = underway.counts;
        let begun = Counts { upserts: upserts + refused, refused: 0, neutralised: None, ..underway.counts };
        if prepared.counts() != begun {
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
        let Request { project, audience, known_as, destination, contacts, progress, .. } = *self.request;
        // What somebody asks for in whole is brought whatever the destination remembers: it may have lost it.
        let again = self.request.again || self.request.mode == Some(Mode::Full);
        let total = prepared.changes.batch.num_rows();
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
            let (rows, refused) = prepared.part(from, if size == 0 { total } else { size.min(total - from) })?;
            underway.counts.leave_out(refused);
            let count = rows.num_rows() as u64;
            let key = key_of(&which, number, underway.size);
            let destination = &destination.name.name;
            let parcel = Parcel {
                key: key.clone(),
                project,
                audience,
                known_as,
                destination,
                which: &which,
                contacts,
                number,
                of: underway.batches,
                rows,
                again,
            };
            self.nobody_erased(&letters(state, &underway)).await?;
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
                    self.nobody_erased(&letters(state, &underway)).await?;
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
        // Contacts that were refused are in no later decision: they wait for `--resume`, however many decisions follow.
        let before = state.confirmed.iter().filter(|_| contacts).flat_map(|done| done.dead.clone());
        let dead: Vec<Dead> = before.filter(|letter| !letter.key.starts_with(&which.key)).chain(dead).collect();
        self.told.push(Told { which: which.clone(), counts, batches, resumed, dead: dead.clone(), repeated });
        state.confirmed = Some(Done { which, batches, dead: dead.clone(), counts });
        state.underway = None;
        self.shelf.write(state).await?;
        self.shelf.clear(&dead).await
    }

    /// Ends a delivery in which somebody was erased meanwhile: what it has read may name them. Of letters only these stay: an erasure
    /// has looked through them, or will find them.
    async fn nobody_erased(&self, letters: &[Dead]) -> Result<(), Error> {
        if self.published.erasure().await? == self.erasure {
            return Ok(());
        }
        self.shelf.clear(letters).await?;
        Err(Error::Refused {
            message: format!("somebody was erased while `{}` was delivered", self.request.audience),
            help: Some("call it again: it goes on without them".to_owned()),
        })
    }

    /// Sends what was refused once more.
    async fn letters(&mut self, state: &mut State) -> Result<(), Error> {
        let Some(done) = &mut state.confirmed else { return Ok(()) };
        if done.dead.is_empty() || self.told.iter().any(|told| told.which == done.which) {
            return Ok(());
        }
        let mut still = Vec::new();
        let all = done.dead.clone();
        for mut dead in std::mem::take(&mut done.dead) {
            self.nobody_erased(&all).await?;
            let mut body = self.shelf.body(&dead).await?;
            let refused = still_reached(self.request, self.published, &mut body).await?;
            dead.rows = dead.rows.saturating_sub(refused);
            done.counts.refused += refused;
            if dead.key.starts_with(&done.which.key) {
                done.counts.upserts = done.counts.upserts.saturating_sub(refused);
            }
            if refused > 0 && dead.rows == 0 {
                continue;
            }
            if let Sent::Dead { reason, answer, body } = self.target()?.resend(&dead.key, &body).await? {
                dead.reason = reason;
                self.shelf.keep(&dead, &answer, &body).await?;
                let others: Vec<Dead> = all.iter().filter(|other| other.key != dead.key).cloned().collect();
                self.nobody_erased(&others).await?;
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
