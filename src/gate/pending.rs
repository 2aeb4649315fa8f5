//! What a caller holds while a request is under way, and what completes it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use super::jobs::guarded;
use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::sync::{Arc, Condvar, Mutex, MutexGuard};

/// A request under way at the gate.
///
/// Three ways to its outcome, none of which needs a runtime: [`Pending::wait`] blocks the caller's thread, a callback by
/// [`Pending::on_ready`] runs on a thread of the gate, and the value itself is a [`Future`]. Dropping it undoes nothing: what
/// was charged stays charged, and the same request later gets the same answer.
#[must_use = "the answer comes through it; dropping it undoes nothing"]
pub struct Pending<T> {
    slot: Arc<Slot<T>>,
    cancelled: Arc<AtomicBool>,
}

/// The other end of a [`Pending`]: completes it once, also when it is dropped.
pub(super) struct Promise<T: Send + 'static> {
    slot: Option<Arc<Slot<T>>>,
    /// What the caller gets when this is dropped without an outcome.
    abandoned: fn() -> T,
    counted: Option<Counted>,
}

struct Slot<T> {
    state: Mutex<State<T>>,
    ready: Condvar,
}

enum State<T> {
    Waiting(Option<Waker>),
    Callback(Box<dyn FnOnce(T) + Send>),
    Ready(T),
    /// The outcome was given out.
    Taken,
}

impl<T> Slot<T> {
    /// No code of a caller runs under the lock, so a poisoned one is as good as any.
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Send + 'static> Promise<T> {
    /// A promise and what waits for it.
    pub(super) fn new(abandoned: fn() -> T, counted: Option<Counted>) -> (Self, Pending<T>) {
        let slot = Arc::new(Slot { state: Mutex::new(State::Waiting(None)), ready: Condvar::new() });
        (Self { slot: Some(Arc::clone(&slot)), abandoned, counted }, Pending { slot, cancelled: Arc::new(AtomicBool::new(false)) })
    }

    /// Gives the outcome.
    pub(super) fn complete(mut self, outcome: T) {
        self.give(outcome);
    }

    fn give(&mut self, outcome: T) {
        let Some(slot) = self.slot.take() else { return };
        let mut state = slot.state();
        match std::mem::replace(&mut *state, State::Taken) {
            State::Waiting(waker) => {
                *state = State::Ready(outcome);
                drop(state);
                slot.ready.notify_all();
                if let Some(waker) = waker {
                    guarded(|| waker.wake());
                }
            }
            State::Callback(callback) => {
                drop(state);
                // What the callback does is not this request any more: a space may be closed meanwhile.
                self.counted = None;
                guarded(|| callback(outcome));
            }
            State::Ready(_) | State::Taken => {}
        }
    }
}

impl<T: Send + 'static> Drop for Promise<T> {
    fn drop(&mut self) {
        let outcome = self.abandoned;
        if self.slot.is_some() {
            self.give(outcome());
        }
    }
}

impl<T: Send + 'static> Pending<T> {
    /// One that has its outcome.
    pub(super) fn ready(outcome: T) -> Self {
        let slot = Slot { state: Mutex::new(State::Ready(outcome)), ready: Condvar::new() };
        Self { slot: Arc::new(slot), cancelled: Arc::default() }
    }

    /// Blocks until the outcome is there.
    ///
    /// Not to be called in a callback of the gate: it would wait on the thread that has to do the work.
    #[must_use]
    pub fn wait(self) -> T {
        let mut state = self.slot.state();
        loop {
            match std::mem::replace(&mut *state, State::Taken) {
                State::Ready(outcome) => return outcome,
                other => *state = other,
            }
            state = self.slot.ready.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Blocks until the outcome is there, at most that long; nothing when it is not there then. The outcome is given out once.
    #[must_use]
    pub fn wait_for(&mut self, time: Duration) -> Option<T> {
        let asked = Instant::now();
        let mut state = self.slot.state();
        loop {
            match std::mem::replace(&mut *state, State::Taken) {
                State::Ready(outcome) => return Some(outcome),
                other => *state = other,
            }
            let left = time.saturating_sub(asked.elapsed());
            if left.is_zero() {
                return None;
            }
            state = self.slot.ready.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Calls `callback` with the outcome: at once when it is there, else later on a thread of the gate, which it must not block.
    pub fn on_ready(self, callback: impl FnOnce(T) + Send + 'static) {
        let mut state = self.slot.state();
        match std::mem::replace(&mut *state, State::Taken) {
            State::Ready(outcome) => {
                drop(state);
                callback(outcome);
            }
            _ => *state = State::Callback(Box::new(callback)),
        }
    }

    /// Whether the outcome is there.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        matches!(*self.slot.state(), State::Ready(_))
    }

    /// Gives the computation up, if it is this caller's and still under way. The charge stays; the same request may be tried
    /// again under it.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    pub(super) fn cancelled(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.cancelled)
    }
}

impl<T: Send + 'static> Future for Pending<T> {
    type Output = T;

    /// # Panics
    /// When it is polled again after it was ready, as futures may.
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let mut state = self.slot.state();
        match std::mem::replace(&mut *state, State::Taken) {
            State::Ready(outcome) => Poll::Ready(outcome),
            State::Waiting(_) => {
                *state = State::Waiting(Some(context.waker().clone()));
                Poll::Pending
            }
            State::Callback(_) | State::Taken => panic!("a pending answer is polled after it was ready"),
        }
    }
}

impl<T> fmt::Debug for Pending<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pending { .. }")
    }
}

/// How many requests are under way, and whoever waits until there are none.
#[derive(Debug, Default)]
pub(super) struct Counter {
    count: AtomicUsize,
    lock: Mutex<()>,
    none: Condvar,
}

/// One request under way, while it lives.
pub(super) struct Counted(Arc<Counter>);

impl Counter {
    /// One more, unless there are `most`.
    pub(super) fn enter(self: &Arc<Self>, most: usize) -> Option<Counted> {
        let room = |count: usize| if count < most { Some(count + 1) } else { None };
        let entered = self.count.fetch_update(Ordering::AcqRel, Ordering::Acquire, room);
        entered.ok().map(|_| Counted(Arc::clone(self)))
    }

    /// How many there are now.
    pub(super) fn count(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    /// Blocks until nothing is under way.
    pub(super) fn wait_for_none(&self) {
        let mut guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        while self.count.load(Ordering::Acquire) > 0 {
            guard = self.none.wait(guard).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if self.0.count.fetch_sub(1, Ordering::AcqRel) == 1 {
            // Under the lock, so that whoever just looked is already waiting.
            let _guard = self.0.lock.lock().unwrap_or_else(PoisonError::into_inner);
            self.0.none.notify_all();
        }
    }
}
