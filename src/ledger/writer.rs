//! The one writer of a ledger: it makes one batch, one step of the store, of all that wait.
//!
//! ```text
//! submit --> queue --take all--> clock --> LedgerStore::append: admit, make durable, publish --> done, done, done
//!              ^                                                                                        |
//!              +------------------ what comes meanwhile waits for the next batch <----------------------+
//! ```
//! Batches are made by a thread of the writer. A caller who waits for its own proposal anyway, and finds nobody at it, makes
//! the step itself, which saves two changes of threads; it is one at a time in any case.
//!
//! Nobody waits for a batch to fill: under load the batches are as large as what came during the step before (rule K1). A
//! submitted proposal is answered exactly once, whatever happens to store, clock or writer. When it is, views show it.
//!
//! # Not promised
//! That proposals which wait are recorded when the writer is dropped by a panic: they are answered with
//! [`WriteError::Closed`].

#[cfg(all(test, shuttle))]
mod models;
#[cfg(all(test, not(shuttle)))]
mod tests;

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::PoisonError;

use super::book::BookError;
use super::clock::{ClockError, GateClock};
use super::proposal::{Admitted, Proposal};
use super::store::{LedgerError, LedgerStore};
use crate::class::Class;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::thread::{self, JoinHandle};
use crate::sync::{Arc, Condvar, Mutex, MutexGuard};

/// Why a proposal was not recorded.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// It cannot follow.
    #[error(transparent)]
    Book(#[from] BookError),
    /// The store failed; all that were in the batch get the same error.
    #[error(transparent)]
    Ledger(Arc<LedgerError>),
    /// The clock is not believed.
    #[error(transparent)]
    Clock(#[from] ClockError),
    /// The writer has ended.
    #[error("the writer of the ledger is closed")]
    Closed,
}

impl WriteError {
    /// What a caller should do about it.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Book(error) => error.class(),
            Self::Ledger(error) => error.class(),
            Self::Clock(error) => error.class(),
            Self::Closed => Class::Environment,
        }
    }
}

/// The most entries of one batch: a longer one would make those who wait for the first wait longer, and gain nothing.
const BATCH_ENTRIES_MAX: usize = 4096;

/// A handle to the writer. Dropping it records what waits, and ends its thread.
pub struct Writer {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    store: Arc<dyn LedgerStore>,
    clock: Arc<dyn GateClock>,
    queue: Mutex<Queue>,
    /// The thread sleeps on it while there is nothing for it to do.
    filled: Condvar,
    batches: AtomicU64,
}

#[derive(Default)]
struct Queue {
    waiting: Waiting,
    /// Somebody makes a step: the thread, or a caller for itself.
    busy: bool,
    /// The thread sleeps. Waking it is a system call, so it is done once.
    asleep: bool,
    closed: bool,
}

/// Proposals and who waits for each, in order.
#[derive(Default)]
struct Waiting {
    proposals: Vec<Proposal>,
    callers: Vec<Caller>,
}

/// Whoever waits for one proposal: called exactly once, by its drop if by nothing else.
struct Caller(Option<Box<Done>>);

type Done = dyn FnOnce(Result<Admitted, WriteError>) + Send;

impl Writer {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(store: Arc<dyn LedgerStore>, clock: Arc<dyn GateClock>) -> io::Result<Self> {
        let (queue, filled, batches) = (Mutex::default(), Condvar::new(), AtomicU64::new(0));
        let shared = Arc::new(Shared { store, clock, queue, filled, batches });
        let ours = Ending(shared.clone());
        let run = move || ours.0.run();
        let thread = thread::Builder::new().name("ledger".to_owned()).spawn(run)?;
        Ok(Self { shared, thread: Mutex::new(Some(thread)) })
    }

    /// Hands a proposal over and returns at once. `done` is called once what was recorded is durable and every view shows it,
    /// or with the reason why not: on the writer's thread, so it must not block.
    pub fn submit(&self, proposal: Proposal, done: impl FnOnce(Result<Admitted, WriteError>) + Send + 'static) {
        let caller = Caller(Some(Box::new(done)));
        let queue = self.shared.queue();
        if queue.closed {
            drop(queue);
            return caller.answer(Err(WriteError::Closed));
        }
        self.shared.push(queue, proposal, caller);
    }

    /// Records a proposal and waits until it is durable.
    ///
    /// # Errors
    /// Why it was not recorded.
    pub fn append(&self, proposal: Proposal) -> Result<Admitted, WriteError> {
        let mut queue = self.shared.queue();
        if queue.closed {
            return Err(WriteError::Closed);
        }
        if !queue.busy && queue.waiting.proposals.is_empty() {
            queue.busy = true;
            drop(queue);
            let _turn = Turn(&self.shared);
            let mut outcomes = self.shared.step(&[proposal]).map_err(|(_, error)| error)?;
            return outcomes.pop().ok_or(WriteError::Closed)?.map_err(WriteError::Book);
        }
        let slot = Arc::new((Mutex::new(None), Condvar::new()));
        let theirs = slot.clone();
        let done = move |result| {
            *lock(&theirs.0) = Some(result);
            theirs.1.notify_one();
        };
        self.shared.push(queue, proposal, Caller(Some(Box::new(done))));
        let mut result = lock(&slot.0);
        loop {
            match result.take() {
                Some(result) => return result,
                None => result = slot.1.wait(result).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    /// How many steps the store has made so far for this writer.
    #[must_use]
    pub fn batches(&self) -> u64 {
        self.shared.batches.load(Ordering::Relaxed)
    }

    /// Takes no more, records what waits, and ends the thread. The second time it does nothing.
    pub fn close(&self) {
        {
            let mut queue = self.shared.queue();
            queue.closed = true;
            self.shared.wake(queue);
        }
        let Some(thread) = lock(&self.thread).take() else { return };
        // A caller's `done` may drop the last handle: the thread then ends by itself.
        if thread.thread().id() != thread::current().id() {
            // A panic of it has answered all who waited.
            let _ = thread.join();
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.close();
    }
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Writer({} batches)", self.batches())
    }
}

impl Caller {
    /// A panic of a caller is its own.
    fn answer(mut self, result: Result<Admitted, WriteError>) {
        if let Some(done) = self.0.take() {
            let _ = catch_unwind(AssertUnwindSafe(|| done(result)));
        }
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        if let Some(done) = self.0.take() {
            let _ = catch_unwind(AssertUnwindSafe(|| done(Err(WriteError::Closed))));
        }
    }
}

/// Held by the thread: however it ends, nobody waits for ever.
struct Ending(Arc<Shared>);

impl Drop for Ending {
    fn drop(&mut self) {
        let waiting = {
            let mut queue = self.0.queue();
            queue.closed = true;
            std::mem::take(&mut queue.waiting)
        };
        drop(waiting);
    }
}

/// A step that is being made: it ends however it ends.
struct Turn<'w>(&'w Shared);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut queue = self.0.queue();
        queue.busy = false;
        if queue.closed || !queue.waiting.proposals.is_empty() {
            self.0.wake(queue);
        }
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        lock(&self.queue)
    }

    fn push(&self, mut queue: MutexGuard<'_, Queue>, proposal: Proposal, caller: Caller) {
        queue.waiting.proposals.push(proposal);
        queue.waiting.callers.push(caller);
        // Whoever is busy looks at the queue afterwards.
        if !queue.busy {
            self.wake(queue);
        }
    }

    fn wake(&self, mut queue: MutexGuard<'_, Queue>) {
        if std::mem::take(&mut queue.asleep) {
            drop(queue);
            self.filled.notify_one();
        }
    }

    fn run(&self) {
        let mut batch = Waiting::default();
        while self.take(&mut batch) {
            let _turn = Turn(self);
            self.record(&mut batch);
        }
    }

    /// Waits for proposals and takes all of them; false once there will be none. The empty vectors go back, to be filled again.
    fn take(&self, batch: &mut Waiting) -> bool {
        let mut queue = self.queue();
        loop {
            match (queue.busy, queue.waiting.proposals.is_empty()) {
                (false, false) => break,
                (false, true) if queue.closed => return false,
                _ => {
                    queue.asleep = true;
                    queue = self.filled.wait(queue).unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
        (queue.busy, queue.asleep) = (true, false);
        std::mem::swap(&mut queue.waiting, batch);
        true
    }

    fn record(&self, batch: &mut Waiting) {
        let Waiting { proposals, callers } = batch;
        let mut callers = callers.drain(..);
        let mut left = proposals.as_slice();
        while !left.is_empty() {
            let count = match self.step(left) {
                Ok(outcomes) => {
                    let count = outcomes.len();
                    for (outcome, caller) in outcomes.into_iter().zip(&mut callers) {
                        caller.answer(outcome.map_err(WriteError::Book));
                    }
                    count
                }
                Err((count, error)) => {
                    callers.by_ref().take(count).for_each(|caller| caller.answer(Err(error.clone())));
                    count
                }
            };
            left = &left[count..];
        }
        drop(callers);
        proposals.clear();
    }

    /// One step of the store for the first of these: what became of each that it was for, or for how many it failed.
    fn step(&self, proposals: &[Proposal]) -> Result<Outcomes, (usize, WriteError)> {
        let Self { store, clock, .. } = self;
        let count = batch_of(proposals);
        let failed = |error| (count, WriteError::Ledger(Arc::new(error)));
        let last = store.view().map_err(failed)?.head().time();
        let now = match (clock.now(last), last) {
            (Ok(now), _) => now,
            // The owner sets right a clock that was ahead: the time of the entry is in the act.
            (Err(_), Some(last)) if proposals[0].is_clock_reset() => last,
            (Err(error), _) => return Err((count, error.into())),
        };
        let outcomes = store.append(&proposals[..count], now).map_err(failed)?;
        self.batches.fetch_add(1, Ordering::Relaxed);
        // A store that answers for none, or for more than it was given, has failed: nobody knows for whom it speaks.
        if outcomes.is_empty() || outcomes.len() > count { Err(failed(LedgerError::Stopped)) } else { Ok(outcomes) }
    }
}

type Outcomes = Vec<Result<Admitted, BookError>>;

/// How many of these make one batch. A reset of the clock is one alone: what follows it needs the time again.
fn batch_of(proposals: &[Proposal]) -> usize {
    let mut entries = 0;
    let fits = |proposal: &&Proposal| {
        entries += proposal.acts.len();
        entries <= BATCH_ENTRIES_MAX && !proposal.is_clock_reset()
    };
    proposals.iter().take_while(fits).count().max(1)
}

/// No panic happens under these locks; if one did, what they hold is whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
