//! What threads share, from one place: the standard library, or shuttle where a model of ours runs under its scheduler
//! (`RUSTFLAGS='--cfg shuttle' cargo test --lib --target-dir target/shuttle shuttle_`).
//!
//! Rooms whose state machines are modelled take these from here and nowhere else: a lock that the scheduler does not know is
//! one that the model does not see.
#![allow(unused_imports, reason = "the same list in both, whoever uses what")]

#[cfg(not(all(test, shuttle)))]
pub(crate) use std::{
    sync::{Condvar, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard},
    thread,
};

#[cfg(all(test, shuttle))]
pub(crate) use shuttle::{
    sync::{Condvar, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard},
    thread,
};

/// It has no schedule of its own, and holds trait objects only as that of the standard library.
pub(crate) use std::sync::Arc;

/// Atomics, in the same way.
pub(crate) mod atomic {
    #[cfg(not(all(test, shuttle)))]
    pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

    #[cfg(all(test, shuttle))]
    pub(crate) use shuttle::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
}
