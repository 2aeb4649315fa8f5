use std::sync::PoisonError;

use super::book::BookError;
use super::proposal::{Admitted, Proposal};
use super::store::{LedgerError, LedgerStore};
use crate::id::Time;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::{Arc, Condvar, Mutex, thread};

/// Gate time for a writer.
pub trait GateClock: Send + Sync {
    /// Gate time, given that of the last entry.
    ///
    /// # Errors
    /// The clock cannot be trusted now.
    fn now(&self, last: Option<Time>) -> Result<Time, ClockError>;
}

/// Why the clock is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClockError {
    /// Behind.
    #[error("the clock is more than 300 s behind the last entry of the ledger")]
    Behind,
    /// Jumped.
    #[error("the clock jumped by more than an hour since the gate started; restart the gate")]
    Jumped,
}

/// Why a proposal was not recorded.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// Rules.
    #[error(transparent)]
    Book(#[from] BookError),
    /// Store.
    #[error(transparent)]
    Ledger(Arc<LedgerError>),
    /// Clock.
    #[error(transparent)]
    Clock(#[from] ClockError),
    /// Closed.
    #[error("the writer of the ledger is closed")]
    Closed,
}

type Done = Box<dyn FnOnce(Result<Admitted, WriteError>) + Send>;

struct Shared {
    queue: Mutex<(Vec<(Proposal, Done)>, bool)>,
    more: Condvar,
    batches: AtomicU64,
}

/// One writer.
pub struct Writer {
    shared: Arc<Shared>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Writer {
    /// Starts.
    ///
    /// # Errors
    /// No thread.
    pub fn start(store: Arc<dyn LedgerStore>, clock: Arc<dyn GateClock>) -> std::io::Result<Self> {
        let shared = Arc::new(Shared { queue: Mutex::new((Vec::new(), false)), more: Condvar::new(), batches: AtomicU64::new(0) });
        let own = Arc::clone(&shared);
        let thread = thread::spawn(move || own.run(store.as_ref(), clock.as_ref()));
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Submits.
    pub fn submit(&self, proposal: Proposal, done: impl FnOnce(Result<Admitted, WriteError>) + Send + 'static) {
        self.shared.queue.lock().unwrap_or_else(PoisonError::into_inner).0.push((proposal, Box::new(done)));
        self.shared.more.notify_one();
    }

    /// Appends.
    ///
    /// # Errors
    /// Not recorded.
    pub fn append(&self, proposal: Proposal) -> Result<Admitted, WriteError> {
        let (sender, receiver) = std::sync::mpsc::channel();
        self.submit(proposal, move |outcome| drop(sender.send(outcome)));
        receiver.recv().unwrap_or(Err(WriteError::Closed))
    }

    /// Stub.
    pub fn close(&self) {}

    /// Batches.
    #[must_use]
    pub fn batches(&self) -> u64 {
        self.shared.batches.load(Ordering::Relaxed)
    }
}

impl Shared {
    fn run(&self, store: &dyn LedgerStore, clock: &dyn GateClock) {
        loop {
            let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
            while queue.0.is_empty() {
                if queue.1 {
                    return;
                }
                queue = self.more.wait(queue).unwrap_or_else(PoisonError::into_inner);
            }
            let taken = std::mem::take(&mut queue.0);
            drop(queue);
            let (proposals, mut done): (Vec<_>, Vec<_>) = taken.into_iter().map(|(proposal, done)| (proposal, Some(done))).unzip();
            let last = store.view().ok().and_then(|view| view.head().time());
            let now = clock.now(last);
            let is_reset = proposals.iter().all(Proposal::is_clock_reset);
            let now = match now {
                Ok(now) => now,
                Err(_) if is_reset => last.unwrap_or(Time::from_unix_s(0)),
                Err(error) => {
                    done.iter_mut().for_each(|done| done.take().into_iter().for_each(|done| done(Err(error.into()))));
                    continue;
                }
            };
            let mut at = 0;
            while at < proposals.len() {
                match store.append(&proposals[at..], now) {
                    Ok(outcomes) => {
                        self.batches.fetch_add(1, Ordering::Relaxed);
                        for outcome in outcomes {
                            if let Some(done) = done[at].take() {
                                done(outcome.map_err(WriteError::from));
                            }
                            at += 1;
                        }
                    }
                    Err(error) => {
                        let error = Arc::new(error);
                        for done in &mut done[at..] {
                            if let Some(done) = done.take() {
                                done(Err(WriteError::Ledger(Arc::clone(&error))));
                            }
                        }
                        at = proposals.len();
                    }
                }
            }
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.shared.queue.lock().unwrap_or_else(PoisonError::into_inner).1 = true;
        self.shared.more.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
