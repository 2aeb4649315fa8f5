//! What computes exact bounded aggregates (计算引擎).
//!
//! An [`Engine`] over some [`Blocks`] is given a question as a [`BoundQuery`] and gives back exact sums, which add up with those of
//! engines that have other units. It knows neither price nor noise; whoever embeds the crate may bring another one ([`Engines`]).
//!
//! ```text
//! Blocks: a snapshot, a table in memory, an embedder's columns
//!    |  Engines::over
//!    v
//! Engine <--- BoundQuery (what to read, WHERE, groups, vectors, contribution)
//!    |
//!    v
//! ExactPart: every base vector over all groups, in integers; the order of rows and the number of threads leave no trace
//!    |  merge with parts of other units, complete
//!    v
//! Exact
//! ```
//!
//! After the charge only the machine can fail, or the caller gives up, and both look the same ([`EngineError::Failed`]).
//!
//! # Source
//! Rules D1 to D6 of `docs/rules.md`.
//!
//! # Not promised
//! Constant time. With a row as unit, every row is visited and no branch depends on a cell; with a column as unit the
//! work also depends on how many rows each unit has, and over unknown values time and memory depend on how many there
//! are.

mod blocks;
#[cfg(any(test, feature = "hazmat"))]
pub mod conformance;
mod local;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub use blocks::Blocks;
pub use local::{LocalEngines, SnapshotEngine};

use crate::class::Class;
use crate::dataset::RowKey;
use crate::plan::{BoundQuery, Exact, ExactPart};
use crate::spill::SpillError;

/// Computes exact sums; the seam for engines that are not this one. Every engine passes `conformance` (feature `hazmat`).
///
/// An engine gets the question as a [`BoundQuery`] (its caller has the query and the schema: WHERE, GROUP BY, contribution) and
/// gives back an [`ExactPart`], by [`ExactPart::new`] where [`BoundQuery::cells`] says how many groups there are and by
/// [`ExactPart::with_keys`] where the data say it. All noise and every choice of what is released come after it and trust its promises.
pub trait Engine: Send + Sync {
    /// The base vectors of `bound` over all rows that the engine has: in the order of [`BoundQuery::vectors`], each with all groups,
    /// each group with [`Vector::slots`] numbers; a vector that [`Vector::is_of_all`] has one number in all.
    ///
    /// Implementors promise:
    /// - Rows: those for which WHERE is true, not false or unknown, and whose group exists: an undeclared value or a null is in
    ///   the group `other` where the column has one, else in none; a null of unknown values is in none.
    /// - Slots: a row adds what [`BoundQuery::additions`] says, exactly, in integers. Nothing overflows 128 bits by the limits on rows
    ///   and bounds, and no order of additions shows.
    /// - Units: of each unit at most the groups and rows of the schema's contribution are kept, and which ones is a function
    ///   of that unit's rows alone and of a secret, never of other units, of places or of the order of the data. Then a unit
    ///   adds at most the sensitivity of a vector to it. [`VectorKind::Units`] counts each unit once in each group in which
    ///   rows of it are kept; [`VectorKind::Dropped`] the units of which a row was left out. With a row as unit all are kept.
    /// - Groups that the data say: all that have a unit, however few units and however many groups; none without a unit, and no limit
    ///   that data can reach.
    /// - Parts: where units are spread over engines of one K, the parts [merge](ExactPart::merge) to that of one engine over all.
    /// - No error, log or time-out tells of the data: it fails only by [`EngineError::Failed`].
    ///
    /// [`Vector::slots`]: crate::plan::Vector::slots
    /// [`Vector::is_of_all`]: crate::plan::Vector::is_of_all
    /// [`VectorKind::Units`]: crate::plan::VectorKind::Units
    /// [`VectorKind::Dropped`]: crate::plan::VectorKind::Dropped
    ///
    /// # Errors
    /// [`EngineError::Failed`] when the data cannot be read or `control` is cancelled; nothing more is told.
    fn part(&self, bound: &BoundQuery, control: &Control<'_>) -> Result<ExactPart, EngineError>;

    /// The same where the engine has all units: what a gate asks for.
    ///
    /// An engine of its own kind may leave out earlier what [`ExactPart::complete`] leaves out; nothing else may differ.
    ///
    /// # Errors
    /// As of [`Self::part`].
    fn aggregate(&self, bound: &BoundQuery, control: &Control<'_>) -> Result<Exact, EngineError> {
        self.part(bound, control).map(ExactPart::complete)
    }
}

/// Makes the engine for some data: the value by which a gate, or a probe of requests, is told what computes.
pub trait Engines: Send + Sync {
    /// An engine over these columns. `key` is the K of the lineage, by which groups and rows of a unit are chosen; where the unit is
    /// a row it is never asked.
    fn over(&self, blocks: Arc<dyn Blocks>, key: RowKey) -> Box<dyn Engine>;
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

/// Nothing is told of what did not fit.
impl From<SpillError> for EngineError {
    fn from(_: SpillError) -> Self {
        Self::Failed
    }
}

impl EngineError {
    /// What a caller should do about it.
    #[must_use]
    pub const fn class(&self) -> Class {
        Class::Environment
    }
}
