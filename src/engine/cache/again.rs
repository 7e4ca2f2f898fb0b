//! Answers from what is kept alone: group by group, and only of those customers whose answers may be others than before.
//!
//! Owns: this evaluation. Promises: the blocks are those of a run over all rows, byte by byte; earlier answers that do not read are
//! worked out again; as many groups are held as there are threads. Must not know: where answers go.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::buffer::Buffer;
use datafusion::common::Result;
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool, MemoryReservation};

use super::affected;
use super::answers::{Answers, Making};
use super::digest::Digest;
use super::folder::Folder;
use super::sealed::Sealed;
use super::segment::Reader;
use super::shelf::{Kept, Looks};
use super::told::Again;
use crate::engine::bucket::GROUPS;
use crate::engine::kernels::block::{Block, renewed};
use crate::engine::kernels::ids::Ids;
use crate::engine::kernels::interned::Slots;
use crate::engine::kernels::replay::{Desk, Replay};
use crate::engine::kernels::segment::Segment;
use crate::engine::kernels::touched::{Bands, Look, touched};
use crate::engine::meter::Meter;
use crate::engine::plan::program::Program;

/// All rows of a run, which are kept, and the answers of an earlier one.
#[derive(Debug)]
pub struct Whole {
    program: Program,
    /// Ids are whole numbers.
    numbers: bool,
    branches: Vec<Arc<Kept>>,
    key: Option<Digest>,
    earlier: Option<Earlier>,
    /// The answers that later runs can use; none where the earlier ones are as good.
    making: Mutex<Option<Making>>,
    evaluated: AtomicU64,
    as_before: AtomicU64,
    /// Earlier answers did not read.
    broken: AtomicBool,
}

/// Answers of an earlier run, and what has changed since.
#[derive(Debug)]
struct Earlier {
    answers: Answers,
    reader: Mutex<Reader>,
    bands: Bands,
    /// By branch.
    looks: Vec<Looks>,
}

impl Earlier {
    /// What of earlier answers is true of a program at its instant; `None` where that can't be told, an error where they do not read.
    fn of(
        answers: Answers,
        shelf: &Path,
        program: &Program,
        branches: &[Arc<Kept>],
    ) -> std::io::Result<Option<Earlier>> {
        let reader = Mutex::new(answers.reader(shelf)?);
        let bands = affected::bands(&answers.program, program);
        if answers.files.len() != branches.len() {
            return Ok(None);
        }
        let looks = branches.iter().zip(&answers.files).map(|(kept, files)| kept.looks(files, &bands)).collect();
        let Some(looks) = looks else { return Ok(None) };
        Ok(Some(Earlier { answers, reader, bands, looks }))
    }

    /// Whether nobody can have another answer.
    fn is_all(&self) -> bool {
        self.looks.iter().flatten().flatten().all(|look| *look == Look::No)
    }

    fn block(&self, group: u32) -> Option<Vec<u8>> {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        self.answers.block(&mut reader, group as usize).ok()
    }
}

impl Whole {
    /// All rows of a program's branches; answers are kept and used under the key, if there is one.
    pub fn new(
        program: &Program,
        numbers: bool,
        branches: Vec<Arc<Kept>>,
        key: Option<Digest>,
        folder: &Folder,
    ) -> Whole {
        let shelf = key.as_ref().map_or_else(PathBuf::new, |key| folder.shelf(key));
        let found = key.as_ref().map_or(Sealed::Absent, |key| Answers::open(folder, key));
        let (earlier, broken) = match found {
            Sealed::Whole(answers) => match Earlier::of(answers, &shelf, program, &branches) {
                Ok(earlier) => (earlier, false),
                Err(_) => (None, true),
            },
            Sealed::Absent => (None, false),
            Sealed::Broken => (None, true),
        };
        let keeps = key.is_some() && folder.writes() && !earlier.as_ref().is_some_and(Earlier::is_all);
        // Without a place for answers the run goes on as well.
        let making = if keeps { Making::new(&shelf, GROUPS).ok() } else { None };
        Whole {
            program: program.clone(),
            numbers,
            branches,
            key,
            earlier,
            making: Mutex::new(making),
            evaluated: AtomicU64::new(0),
            as_before: AtomicU64::new(0),
            broken: AtomicBool::new(broken),
        }
    }

    /// The blocks of all groups, by so many threads.
    pub async fn blocks(
        self: &Arc<Whole>,
        threads: usize,
        pool: &Arc<dyn MemoryPool>,
        meter: &Arc<Meter>,
    ) -> Result<Vec<Buffer>> {
        let next = Arc::new(Next::default());
        // Whoever no longer waits wants no more groups.
        let _stop = Stop(Arc::clone(&next));
        let work = |_| {
            let (whole, next, meter) = (Arc::clone(self), Arc::clone(&next), Arc::clone(meter));
            let room = MemoryConsumer::new("history of what is kept").register(pool);
            tokio::task::spawn_blocking(move || {
                let done = whole.work(&next, room, &meter);
                if done.is_err() {
                    next.stop();
                }
                done
            })
        };
        let workers: Vec<_> = (0..threads.clamp(1, GROUPS as usize)).map(work).collect();
        let mut blocks = Vec::with_capacity(GROUPS as usize);
        for worker in workers {
            blocks.extend(worker.await.map_err(|e| DataFusionError::Internal(e.to_string()))??);
        }
        Ok(blocks)
    }

    /// Groups, one after the other.
    fn work(&self, next: &Next, room: MemoryReservation, meter: &Meter) -> Result<Vec<Buffer>> {
        let replay = Replay::new(self.program.clone());
        let mut at = Table { slots: Slots::new(&self.program), desk: replay.desk(), replay, room };
        let mut blocks = Vec::new();
        while let Some(group) = next.group() {
            let block = self.group(group, &mut at)?;
            let mut making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
            if making.as_mut().is_some_and(|making| making.add(group, &block).is_err()) {
                *making = None;
            }
            drop(making);
            meter.answered(customers(&block) as u64);
            at.room.try_grow(block.len())?;
            blocks.push(Buffer::from_vec(block));
        }
        Ok(blocks)
    }

    fn group(&self, group: u32, at: &mut Table) -> Result<Vec<u8>> {
        let Some(earlier) = &self.earlier else { return self.evaluate(group, None, at) };
        match earlier.block(group) {
            Some(block) if earlier.is_all() => {
                self.count(0, customers(&block));
                Ok(block)
            }
            Some(block) => self.evaluate(group, Some((earlier, block)), at),
            None => {
                self.broken.store(true, Ordering::Relaxed);
                self.evaluate(group, None, at)
            }
        }
    }

    /// The block of a group, of which an earlier one may be there.
    fn evaluate(&self, group: u32, earlier: Option<(&Earlier, Vec<u8>)>, at: &mut Table) -> Result<Vec<u8>> {
        // The answers that are there, and as many that take their place.
        let before = 2 * earlier.as_ref().map_or(0, |(_, block)| block.len());
        at.room.try_grow(before)?;
        let mut named = Ids::default();
        let mut states = Vec::new();
        for (b, branch) in self.branches.iter().enumerate() {
            let looks = earlier.as_ref().and_then(|(earlier, _)| Some((earlier, earlier.looks.get(b)?)));
            let found = match looks {
                None => branch.look(group, &[], &mut |_, _| Ok(())),
                Some((earlier, looks)) => branch.look(group, looks, &mut |piece, looks| {
                    let look = |run: u32| looks.get(run as usize).copied().unwrap_or(Look::All);
                    touched(piece, look, &earlier.bands, &mut at.slots, self.numbers, &mut named)
                        .map_err(|e| std::io::Error::new(std::io::ErrorKind::InvalidData, e.to_string()))
                }),
            };
            states.extend(found.map_err(|e| DataFusionError::Execution(format!("the cache does not read: {e}")))?);
        }
        // What is read, and about as much again for each time that it is put in order.
        let taken = 3 * states.iter().map(Buffer::len).sum::<usize>();
        at.room.try_grow(taken)?;
        let mut segments = Vec::new();
        states.iter().try_for_each(|state| Segment::all(state, &mut segments))?;
        let only = earlier.is_some().then_some(&named);
        let block = at.replay.run(&segments, only, self.numbers, &mut at.slots, &mut at.desk)?;
        at.room.shrink(taken + before);
        let Some((_, before)) = earlier else {
            self.count(customers(&block), 0);
            return Ok(block);
        };
        let all = renewed(&before, &block, &named, self.numbers)
            .ok_or_else(|| DataFusionError::Execution("the cache does not read: other answers".into()))?;
        self.count(named.len(), customers(&all).saturating_sub(customers(&block)));
        Ok(all)
    }

    fn count(&self, evaluated: usize, as_before: usize) {
        self.evaluated.fetch_add(evaluated as u64, Ordering::Relaxed);
        self.as_before.fetch_add(as_before as u64, Ordering::Relaxed);
    }

    /// Keeps the answers for later runs, when the run did well.
    pub fn keep(&self, folder: &Folder) -> std::io::Result<()> {
        let making = self.making.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(key) = self.key.as_ref().filter(|_| folder.writes()) else { return Ok(()) };
        match making {
            Some(making) => making.finish(key, &self.program, self.branches.iter().map(|kept| kept.files()).collect()),
            None => {
                if self.is_broken() {
                    folder.forget(key);
                }
                Ok(())
            }
        }
    }

    /// Whether earlier answers did not read.
    pub fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Relaxed)
    }

    /// How many customers were evaluated, if there were earlier answers.
    pub fn again(&self) -> Option<Again> {
        let [evaluated, as_before] = [&self.evaluated, &self.as_before].map(|n| n.load(Ordering::Relaxed));
        self.earlier.as_ref().map(|_| Again { evaluated, as_before })
    }
}

/// How many customers a block answers for.
fn customers(block: &[u8]) -> usize {
    Block::read(block).map_or(0, |block| block.customers())
}

/// What one thread works with.
struct Table {
    replay: Replay,
    slots: Slots,
    desk: Desk,
    room: MemoryReservation,
}

/// Which group comes next.
#[derive(Debug, Default)]
struct Next(AtomicU32);

impl Next {
    fn group(&self) -> Option<u32> {
        Some(self.0.fetch_add(1, Ordering::Relaxed)).filter(|group| *group < GROUPS)
    }

    fn stop(&self) {
        self.0.store(GROUPS, Ordering::Relaxed);
    }
}

/// Ends the work with whoever waits for it.
struct Stop(Arc<Next>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.stop();
    }
}
