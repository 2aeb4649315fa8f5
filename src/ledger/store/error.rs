//! Why a ledger does not open, take an entry, or say what it has.

use super::super::book::BookError;
use super::super::checkpoint::CheckpointError;
use super::super::journal::JournalError;
use crate::class::Class;
use crate::codec::CodecError;
use crate::file::{OutputError, ReadError};

/// Why a ledger does not open, take an entry, or say what it has.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// An entry in the journal is not one.
    #[error("entry {index} of the journal: {problem}")]
    Entry {
        /// The index.
        index: u64,
        /// What is wrong.
        problem: CodecError,
    },
    /// The entries do not follow from each other.
    #[error(transparent)]
    Book(#[from] BookError),
    /// The ledger has no genesis or no certificate.
    #[error("the ledger is not complete: {0}")]
    Incomplete(&'static str),
    /// The stored checkpoint.
    #[error("the stored checkpoint: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// The ledger is shorter than a checkpoint it has signed, or another one.
    #[error("the ledger has {size} entries and contradicts its own checkpoint of size {checkpoint}: it was rolled back or replaced")]
    RolledBack {
        /// Entries found.
        size: u64,
        /// Size of the checkpoint.
        checkpoint: u64,
    },
    /// A test ledger in a real place, or the reverse.
    #[error("a ledger for tests is never opened by a gate, nor a real one by a test gate")]
    Test,
    /// The store failed before; what it was writing is unknown until it is opened again.
    #[error("the ledger stopped after a failure of its store; open it again")]
    Stopped,
    /// A ticket that this store has not given.
    #[error("the ticket {ticket} is none of this ledger's")]
    Ticket {
        /// Its number.
        ticket: u128,
    },
    /// The checkpoint file cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The checkpoint file cannot be written.
    #[error(transparent)]
    Write(#[from] OutputError),
    /// A store of another kind.
    #[error("the store of the ledger: {0}")]
    Store(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl LedgerError {
    /// Whether what was being written may be durable all the same: only opening the store again tells.
    #[must_use]
    pub const fn is_in_doubt(&self) -> bool {
        match self {
            // All others are found before anything is written.
            Self::Journal(error) => matches!(error, JournalError::Io { .. }),
            Self::Store(_) => true,
            _ => false,
        }
    }

    /// What a caller should do about it.
    #[must_use]
    pub const fn class(&self) -> Class {
        match self {
            Self::Journal(error) => error.class(),
            Self::Entry { .. } | Self::Book(_) | Self::Incomplete(_) | Self::Checkpoint(_) | Self::RolledBack { .. } => Class::Doubt,
            Self::Test | Self::Ticket { .. } => Class::BadInput,
            Self::Stopped | Self::Store(_) => Class::Environment,
            Self::Read(error) => error.class(),
            Self::Write(error) => error.class(),
        }
    }
}
