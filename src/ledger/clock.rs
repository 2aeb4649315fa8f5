//! The clock that the writer of a ledger asks, and why it may not be believed.

use crate::id::Time;

/// What tells the writer of a ledger the time.
pub trait GateClock: Send + Sync {
    /// Gate time (rule C7), given the time of the last entry: never before it.
    ///
    /// # Errors
    /// The clock is clearly wrong: nothing but an owner's reset of it is recorded then.
    fn now(&self, last: Option<Time>) -> Result<Time, ClockError>;
}

/// Why a clock is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClockError {
    /// Behind the ledger.
    #[error("the clock is more than 300 s behind the last entry of the ledger")]
    Behind,
    /// The wall clock and the monotonic one have come apart.
    #[error("the clock jumped by more than an hour since the gate started; restart the gate")]
    Jumped,
}

impl ClockError {
    /// What a caller should do about it.
    #[must_use]
    pub const fn class(self) -> crate::class::Class {
        match self {
            Self::Behind | Self::Jumped => crate::class::Class::Environment,
        }
    }
}
