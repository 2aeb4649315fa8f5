//! One run of a request at a time: two would draw two answers, of which only one may ever be sealed.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::PoisonError;

use super::pending::Promise;
use crate::id::RequestId;
use crate::sync::{Arc, Mutex, MutexGuard};

/// The requests that are running, and who waits for each.
pub(super) struct Turns<T: Send + 'static> {
    running: Mutex<HashMap<RequestId, Vec<Promise<T>>>>,
}

/// The right to run a request, held by its first asker. Whoever asks the same meanwhile shares the outcome.
pub(super) struct Turn<T: Clone + Send + 'static> {
    turns: Arc<Turns<T>>,
    id: RequestId,
    /// What all get when this is dropped without an outcome.
    abandoned: fn(RequestId) -> T,
    finished: bool,
}

impl<T: Clone + Send + 'static> Turns<T> {
    pub(super) fn new() -> Self {
        Self { running: Mutex::new(HashMap::new()) }
    }

    /// Takes the turn, or waits for the outcome of whoever has it.
    pub(super) fn enter(self: &Arc<Self>, id: RequestId, promise: Promise<T>, abandoned: fn(RequestId) -> T) -> Option<Turn<T>> {
        match self.running().entry(id) {
            Entry::Occupied(mut waiting) => {
                waiting.get_mut().push(promise);
                None
            }
            Entry::Vacant(place) => {
                place.insert(vec![promise]);
                Some(Turn { turns: Arc::clone(self), id, abandoned, finished: false })
            }
        }
    }

    fn running(&self) -> MutexGuard<'_, HashMap<RequestId, Vec<Promise<T>>>> {
        // Only whole operations of the map run under the lock.
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Clone + Send + 'static> Turn<T> {
    pub(super) const fn id(&self) -> RequestId {
        self.id
    }

    /// Ends the turn and gives everybody the outcome. Whatever of it the ledger has is published before, so that whoever comes
    /// now finds it there.
    pub(super) fn finish(mut self, outcome: T) {
        self.finished = true;
        self.give(outcome);
    }

    fn give(&self, outcome: T) {
        let mut waiting = self.turns.running().remove(&self.id).unwrap_or_default();
        let last = waiting.pop();
        for promise in waiting {
            promise.complete(outcome.clone());
        }
        if let Some(last) = last {
            last.complete(outcome);
        }
    }
}

impl<T: Clone + Send + 'static> Drop for Turn<T> {
    fn drop(&mut self) {
        if !self.finished {
            self.give((self.abandoned)(self.id));
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const ID: RequestId = RequestId::from_bytes([7; 32]);

    fn promise() -> (Promise<u32>, super::super::Pending<u32>) {
        Promise::new(|| 0, None)
    }

    #[test]
    fn whoever_asks_meanwhile_shares_the_outcome_and_later_ones_take_a_turn_of_their_own() {
        let turns = Arc::new(Turns::new());
        let (first, a) = promise();
        let (second, b) = promise();
        let turn = turns.enter(ID, first, |_| 1).unwrap();
        assert!(turns.enter(ID, second, |_| 1).is_none());
        assert!(!a.is_ready() && !b.is_ready());
        turn.finish(9);
        assert_eq!((a.wait(), b.wait()), (9, 9));
        let (third, c) = promise();
        // A turn that ends without an outcome is told as that.
        drop(turns.enter(ID, third, |_| 1).unwrap());
        assert_eq!(c.wait(), 1);
    }

    #[test]
    fn a_caller_waits_as_long_as_it_says_and_no_time_is_too_long() {
        let (promise, mut pending) = promise();
        assert_eq!(pending.wait_for(std::time::Duration::from_millis(1)), None);
        let other = std::thread::spawn(move || pending.wait_for(std::time::Duration::MAX));
        promise.complete(3);
        assert_eq!(other.join().unwrap(), Some(3));
    }
}

/// Under every schedule that shuttle tries.
#[cfg(all(test, shuttle))]
#[allow(clippy::unwrap_used)]
mod shuttle_models {
    use super::super::pending::Counter;
    use super::*;
    use crate::sync::atomic::{AtomicU64, Ordering};
    use crate::sync::thread;

    const ID: RequestId = RequestId::from_bytes([7; 32]);

    /// Three ask the same at once; what was published before a turn ends is found by whoever takes the next.
    #[test]
    fn shuttle_one_run_at_a_time_and_nobody_is_forgotten() {
        shuttle::check_random(
            || {
                let turns = Arc::new(Turns::new());
                let (runs, published) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
                let counter = Arc::new(Counter::default());
                let askers: Vec<_> = (0..3)
                    .map(|_| {
                        let (turns, runs, published) = (Arc::clone(&turns), Arc::clone(&runs), Arc::clone(&published));
                        let counted = counter.enter(8).unwrap();
                        thread::spawn(move || {
                            let (promise, pending) = Promise::new(|| 0, Some(counted));
                            if let Some(turn) = turns.enter(ID, promise, |_| 0) {
                                // As the gate does: what is published is looked at under the turn.
                                let answer = match published.load(Ordering::SeqCst) {
                                    0 => {
                                        assert_eq!(runs.fetch_add(1, Ordering::SeqCst), 0, "two runs of one request");
                                        thread::yield_now();
                                        published.store(42, Ordering::SeqCst);
                                        42
                                    }
                                    sealed => sealed,
                                };
                                turn.finish(answer);
                            }
                            assert_eq!(pending.wait(), 42);
                        })
                    })
                    .collect();
                counter.wait_for_none();
                askers.into_iter().for_each(|asker| asker.join().unwrap());
            },
            2_000,
        );
    }

    /// Closing waits for what is under way, and a queue that is closed ends its workers.
    #[test]
    fn shuttle_closing_waits_for_what_is_under_way() {
        shuttle::check_random(
            || {
                let jobs = Arc::new(super::super::jobs::Jobs::new());
                let counter = Arc::new(Counter::default());
                let workers: Vec<_> = (0..2)
                    .map(|_| {
                        let jobs: Arc<super::super::jobs::Jobs<Promise<u32>>> = Arc::clone(&jobs);
                        thread::spawn(move || {
                            while let Some(promise) = jobs.take() {
                                promise.complete(1);
                            }
                        })
                    })
                    .collect();
                let pending: Vec<_> = (0..3)
                    .map(|_| {
                        let (promise, pending) = Promise::new(|| 0, counter.enter(8));
                        jobs.push(promise);
                        pending
                    })
                    .collect();
                counter.wait_for_none();
                assert!(pending.iter().all(super::super::Pending::is_ready));
                jobs.close();
                workers.into_iter().for_each(|worker| worker.join().unwrap());
            },
            2_000,
        );
    }
}
