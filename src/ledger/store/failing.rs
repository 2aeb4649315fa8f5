//! A store that fails on command, for tests of what stands above it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::super::book::BookError;
use super::super::journal::JournalError;
use super::super::proposal::{Admitted, Proposal, Ticket};
use super::{LedgerError, LedgerStore, LedgerView};
use crate::id::Time;

/// A store that fails on command, over one that does not: for tests of what stands above a store.
pub struct FailingStore<S> {
    inner: S,
    state: Mutex<State>,
}

/// How a step fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreFailure {
    /// Nothing becomes durable; the store stops.
    Before,
    /// All becomes durable, and the store stops without knowing it: until it is opened again, nothing is shown.
    After,
    /// Nothing becomes durable, and the store goes on: a full disk.
    NoSpace,
}

#[derive(Default)]
struct State {
    /// How many steps succeed before this failure.
    plan: Option<(u64, StoreFailure)>,
    stopped: Option<StoreFailure>,
}

impl<S: LedgerStore> FailingStore<S> {
    /// Does as `inner` does until it is told otherwise.
    pub fn new(inner: S) -> Self {
        Self { inner, state: Mutex::default() }
    }

    /// Lets `steps` more steps succeed and the one after them fail.
    pub fn fail_after(&self, steps: u64, failure: StoreFailure) {
        self.state().plan = Some((steps, failure));
    }

    /// What the next process finds.
    #[must_use]
    pub fn reopen(self) -> S {
        self.inner
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_failure(&self) -> Option<StoreFailure> {
        let state = &mut *self.state();
        let (left, failure) = state.plan.as_mut()?;
        if *left > 0 {
            *left -= 1;
            return None;
        }
        let failure = *failure;
        state.plan = None;
        state.stopped = Some(failure).filter(|failure| *failure != StoreFailure::NoSpace);
        Some(failure)
    }
}

impl<S: LedgerStore> LedgerStore for FailingStore<S> {
    fn append(&self, proposals: &[Proposal], now: Time) -> Result<Vec<Result<Admitted, BookError>>, LedgerError> {
        if self.state().stopped.is_some() {
            return Err(LedgerError::Stopped);
        }
        match self.next_failure() {
            None => self.inner.append(proposals, now),
            Some(StoreFailure::NoSpace) => Err(JournalError::NoSpace { segment: 0, needed: 0 }.into()),
            Some(StoreFailure::Before) => Err(LedgerError::Store("it was told to fail before the step".into())),
            Some(StoreFailure::After) => {
                self.inner.append(proposals, now)?;
                Err(LedgerError::Store("it was told to fail after the step".into()))
            }
        }
    }

    fn locate(&self, ticket: Ticket) -> Result<u64, LedgerError> {
        self.inner.locate(ticket)
    }

    fn view(&self) -> Result<Box<dyn LedgerView + '_>, LedgerError> {
        if self.state().stopped == Some(StoreFailure::After) { Err(LedgerError::Stopped) } else { self.inner.view() }
    }

    fn entries(&self, from: u64, visit: &mut dyn FnMut(u64, &[u8])) -> Result<(), LedgerError> {
        self.inner.entries(from, visit)
    }

    fn keep_checkpoint(&self, note: &str) -> Result<(), LedgerError> {
        self.inner.keep_checkpoint(note)
    }
}

impl<S> std::fmt::Debug for FailingStore<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FailingStore")
    }
}
