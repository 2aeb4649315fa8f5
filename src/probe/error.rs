//! Why a request cannot be probed.

use crate::class::Class;
use crate::engine::EngineError;
use crate::plan::{AllocationError, BindError};

/// Why a request cannot be probed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProbeError {
    /// A row that the schema does not allow.
    #[error("row {row} needs one cell for each column, of its type, and null only where that is allowed")]
    Row {
        /// Counted from 1.
        row: usize,
    },
    /// The query does not fit the schema.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The price cannot be divided.
    #[error(transparent)]
    Allocation(#[from] AllocationError),
    /// The engine failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl ProbeError {
    /// What a caller should do about it.
    #[must_use]
    pub const fn class(&self) -> Class {
        match self {
            Self::Engine(error) => error.class(),
            _ => Class::BadInput,
        }
    }
}
