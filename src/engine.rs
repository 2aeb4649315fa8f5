//! Exact bounded aggregates and what is released of them (计算).
//!
//! A [`Bound`] query knows its types, groups and base vectors; an [`Engine`] computes each vector exactly; [`Exact`]
//! sums leave only through noise, each vector noised once and shared by the items that need it (rule D4).
//!
//! ```text
//! Query + Schema --> Bound --price--> Split: one share of the price and one mechanism for each step
//!                      |                |
//! Blocks ---Engine---> Exact ---noise---+--> Noisy --> Group { key, estimates: value, low, high, method }
//!
//! row --> WHERE is true --> group of values, or `other`, or dropped --> (unit: choose groups, then rows, then all rows)
//!     --> a null drops out of its own column --> clamp --> x - c, (x - c)^2, slot of a table --> sum
//!
//! steps: which groups of unknown values are named --> which are the largest --> noise on vectors, quantiles from grids
//! ```
//!
//! Whatever can be wrong about a question is found by [`Bound::new`] and [`Split::new`], before anything is charged.
//! Afterwards only the machine can fail, or the caller gives up, and both look the same ([`EngineError::Failed`]).
//!
//! # Source
//! Rules B7, C8, D1 to D6, E6, F1 to F3 of `docs/rules.md`.
//!
//! # Not promised
//! Constant time. With a row as unit, every row is visited and no branch depends on a cell; with a column as unit the
//! work also depends on how many rows each unit has, and over unknown values time and memory depend on how many there
//! are. How long a choice takes depends on its scores. Answers leave at a quantum of time (rule G2).

mod bound;
mod decimal;
mod estimate;
mod filter;
mod found;
mod group;
mod grouping;
mod local;
mod noisy;
mod price;
mod rank;
mod scan;
mod select;
mod source;
mod sparse;
mod split;
mod sums;
mod table;
mod unit;
mod vector;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

pub use bound::{ANSWER_BYTES_MAX, BindError, Bound, CELLS_MAX, Output, Step};
pub use estimate::{Estimate, Group, NO_BINS, NO_INTERVAL, Width};
pub use group::Key;
pub use local::{Engines, LocalEngines};
pub use noisy::{Exact, Noisy};
pub use price::PriceError;
pub use scan::SnapshotEngine;
pub use source::Blocks;
pub use split::{SHARE_UNITS, Split, SplitError};
pub use vector::{Vector, VectorKind};

use crate::class::Class;

/// Computes exact sums; the seam for engines that are not this one.
///
/// An engine gets the question as a [`Bound`] (its caller has the query and the schema: WHERE, GROUP BY, contribution) and
/// gives back [`Exact`], by [`Exact::new`] where [`Bound::cells`] says how many groups there are and by [`Exact::found`]
/// where the data say it. All noise and every choice of what is released come after it and trust its promises.
pub trait Engine: Send + Sync {
    /// The base vectors of `bound` over all rows: in the order of [`Bound::vectors`], each with all groups, each group with
    /// [`Vector::slots`] numbers; a vector that [`Vector::is_of_all`] has one number in all.
    ///
    /// Implementors promise:
    /// - Rows: those for which WHERE is true, not false or unknown, and whose group exists: an undeclared value or a null is in
    ///   the group `other` where the column has one, else in none; a null of unknown values is in none.
    /// - Slots: a row adds what [`Bound::adds`] says, exactly, in integers. Nothing overflows 128 bits by the limits on rows
    ///   and bounds, and no order of additions shows.
    /// - Units: of each unit at most the groups and rows of the schema's contribution are kept, and which ones is a function
    ///   of that unit's rows alone and of a secret, never of other units, of places or of the order of the data. Then a unit
    ///   adds at most the sensitivity of a vector to it. [`VectorKind::Units`] counts each unit once in each group in which
    ///   rows of it are kept; [`VectorKind::Dropped`] the units of which a row was left out. With a row as unit all are kept.
    /// - Groups that the data say: all that have [`Bound::least_units`], however many, none without a unit, and no limit that
    ///   data can reach.
    /// - No error, log or time-out tells of the data: it fails only by [`EngineError::Failed`].
    ///
    /// # Errors
    /// [`EngineError::Failed`] when the data cannot be read or `control` is cancelled; nothing more is told.
    fn aggregate(&self, bound: &Bound, control: &Control<'_>) -> Result<Exact, EngineError>;
}

/// How a caller watches and stops a long computation.
#[derive(Clone, Copy)]
pub struct Control<'a> {
    cancelled: &'a AtomicBool,
    progress: &'a (dyn Fn(u64, u64) + Sync),
}

impl<'a> Control<'a> {
    /// Stops soon after `cancelled` is set; calls `progress` with the blocks done and their number, from any thread.
    #[must_use]
    pub const fn new(cancelled: &'a AtomicBool, progress: &'a (dyn Fn(u64, u64) + Sync)) -> Self {
        Self { cancelled, progress }
    }

    /// Fails once the caller has given up.
    ///
    /// # Errors
    /// [`EngineError::Failed`].
    pub fn check(&self) -> Result<(), EngineError> {
        if self.cancelled.load(Ordering::Relaxed) { Err(EngineError::Failed) } else { Ok(()) }
    }

    /// Tells the caller how far it is.
    pub fn report(&self, done: u64, total: u64) {
        (self.progress)(done, total);
    }
}

impl Default for Control<'_> {
    /// Never cancelled, nobody watches.
    fn default() -> Self {
        static NEVER: AtomicBool = AtomicBool::new(false);
        Self { cancelled: &NEVER, progress: &|_, _| {} }
    }
}

impl fmt::Debug for Control<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control").field("cancelled", self.cancelled).finish_non_exhaustive()
    }
}

/// Why there is no answer after the charge: reading, a checksum or cancellation, not told apart (rule D5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// It did not come to an end.
    #[error("the answer could not be computed")]
    Failed,
}

impl EngineError {
    /// What a caller should do about it.
    #[must_use]
    pub const fn class(&self) -> Class {
        Class::Environment
    }
}
