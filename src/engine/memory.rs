//! The memory limit of a run.
//!
//! Owns: who is refused memory. Promises: a refusal never leaves a run waiting for ever.
//! Must not know: plans, rules.
//!
//! An exchange between partitions that is refused memory writes batches to a spill pool of its own. With two writers at once that pool
//! can wait for itself for ever (apache/datafusion#24883), and an exchange holds only the few batches that are on their way, because its
//! gate closes when every reader has one waiting. So exchanges are never refused, and what they hold is counted aside; the aggregation
//! and the sort, which hold nearly everything, share the limit; where they are refused, the run takes more passes.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};

use datafusion::error::Result;
use datafusion::execution::memory_pool::{FairSpillPool, MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation};

/// A fair pool of so many bytes for everything but exchanges.
#[derive(Debug)]
pub struct Limited {
    shared: FairSpillPool,
    exchanged: AtomicUsize,
}

impl Limited {
    pub fn new(bytes: usize) -> Limited {
        Limited { shared: FairSpillPool::new(bytes), exchanged: AtomicUsize::new(0) }
    }
}

fn is_exchange(consumer: &MemoryConsumer) -> bool {
    consumer.name().starts_with("RepartitionExec")
}

impl fmt::Display for Limited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "limited({})", self.shared)
    }
}

impl MemoryPool for Limited {
    fn name(&self) -> &str {
        "limited"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        if !is_exchange(consumer) {
            self.shared.register(consumer);
        }
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        if !is_exchange(consumer) {
            self.shared.unregister(consumer);
        }
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        if is_exchange(reservation.consumer()) {
            self.exchanged.fetch_add(additional, Ordering::Relaxed);
        } else {
            self.shared.grow(reservation, additional);
        }
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        if is_exchange(reservation.consumer()) {
            self.exchanged.fetch_sub(shrink, Ordering::Relaxed);
        } else {
            self.shared.shrink(reservation, shrink);
        }
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        if is_exchange(reservation.consumer()) {
            self.grow(reservation, additional);
            return Ok(());
        }
        self.shared.try_grow(reservation, additional)
    }

    fn reserved(&self) -> usize {
        self.shared.reserved().saturating_add(self.exchanged.load(Ordering::Relaxed))
    }

    fn memory_limit(&self) -> MemoryLimit {
        self.shared.memory_limit()
    }
}
