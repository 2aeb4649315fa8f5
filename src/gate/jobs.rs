//! What the gate's own threads wait at: queues of work, and a queue that opens at given times; and how they outlive a panic.

use std::collections::VecDeque;
use std::sync::PoisonError;
use std::time::Duration;

use crate::sync::{Condvar, Mutex};

/// A panic ends one piece of work alone, or is the affair of the caller whose code it is: the gate's thread goes on. A turn that the
/// work held tells everybody that the request failed.
pub(super) fn guarded(work: impl FnOnce()) {
    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
}

/// First in, first out.
pub(super) struct Jobs<J> {
    state: Mutex<(VecDeque<J>, bool)>,
    more: Condvar,
}

impl<J> Jobs<J> {
    pub(super) fn new() -> Self {
        Self { state: Mutex::new((VecDeque::new(), false)), more: Condvar::new() }
    }

    /// Never blocks. After [`Jobs::close`] the job is dropped.
    pub(super) fn push(&self, job: J) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if !state.1 {
            state.0.push_back(job);
            drop(state);
            self.more.notify_one();
        }
    }

    /// Waits for the next job; nothing once the queue is closed and empty.
    pub(super) fn take(&self) -> Option<J> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(job) = state.0.pop_front() {
                return Some(job);
            }
            if state.1 {
                return None;
            }
            state = self.more.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub(super) fn close(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).1 = true;
        self.more.notify_all();
    }
}

/// Things that are due at a time, given out together with all others that are due then.
pub(super) struct Timed<J> {
    state: Mutex<(Vec<(Duration, J)>, bool)>,
    changed: Condvar,
}

impl<J> Timed<J> {
    pub(super) fn new() -> Self {
        Self { state: Mutex::new((Vec::new(), false)), changed: Condvar::new() }
    }

    pub(super) fn push(&self, at: Duration, job: J) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.0.push((at, job));
        drop(state);
        self.changed.notify_one();
    }

    /// Waits until something is due by `now` and takes all that is, at most `most`; nothing once the queue is closed and empty.
    pub(super) fn take(&self, now: &dyn Fn() -> Duration, most: usize) -> Option<Vec<J>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let time = now();
            let next = state.0.iter().map(|(at, _)| *at).min();
            state = match next {
                Some(next) if next <= time => {
                    let (mut taken, mut left) = (Vec::new(), Vec::new());
                    for (at, job) in state.0.drain(..) {
                        if at <= time && taken.len() < most { taken.push(job) } else { left.push((at, job)) }
                    }
                    state.0 = left;
                    return Some(taken);
                }
                Some(next) => self.changed.wait_timeout(state, next - time).unwrap_or_else(PoisonError::into_inner).0,
                None if state.1 => return None,
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    pub(super) fn close(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).1 = true;
        self.changed.notify_all();
    }
}
