//! The gate: the only code that sees raw cells and a request together.
//!
//! A request goes through types, each named after what it awaits, and each step takes the one before:
//!
//! ```text
//! bytes -> Verified -> Reserved -> Started -> Release
//!            |            |           |          |
//!            |      charge durable    |     answer durable, then sealed in the ledger, then it may leave
//!            |                  start durable, then the first cell is read
//!        nothing touched: no cell, no randomness, no entry
//! ```
//! A retry of a sealed request gets the same bytes, free. A retry of a reserved or started one runs again under the
//! same charge with fresh noise, since nothing had left. From `started` on nothing is refunded.
//!
//! # Source
//! Rules C, E3, G2, K of `DESIGN.md`.
//!
//! # Not promised
//! See [`crate::receipt::NOT_PROVED`].

mod acts;
mod answer;
mod clock;
mod creation;
mod desk;
mod environment;
mod folder;
mod openings;
mod opening;
mod publish;
mod quote;
mod shelf;
#[cfg(feature = "hazmat")]
mod test;

use crate::budget::BudgetError;
use crate::codec::CodecError;
use crate::dataset::{PublishError, SnapshotError};
use crate::engine::EngineError;
use crate::envelope::EnvelopeError;
use crate::id::{AccountId, RequestId};
use crate::key::KeyError;
use crate::ledger::{BookError, LedgerError};
use crate::random::RandomError;
use crate::right::{Refusal, Verdict};

pub use answer::{Reserved, Started, VerifiedRequest};
pub(crate) use creation::creation;
pub(crate) use desk::Desk;
pub use desk::{AccountState, DatasetState, Gate};
#[cfg(feature = "hazmat")]
pub use environment::Point;
pub(crate) use environment::System;
pub use folder::FolderError;
pub(crate) use openings::{Audited, audit_openings};
pub use publish::Published;
pub use quote::{Quote, Share, Width};
#[cfg(feature = "hazmat")]
pub use test::TestGate;

/// Why the gate could not do something for its owner.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GateError {
    /// The folder of the space.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// An entry was not admitted.
    #[error(transparent)]
    Book(#[from] BookError),
    /// The gate's key.
    #[error("the gate's key: {0}")]
    Key(#[from] KeyError),
    /// A signed act of the owner does not verify.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// An opening is missing, damaged, or not what its commitment says.
    #[error("the opening of account {account} is missing, damaged, or not what the ledger committed to")]
    Opening {
        /// The account.
        account: AccountId,
    },
    /// A snapshot is missing, damaged, or not what was published.
    #[error("a snapshot is missing, damaged, or not what the ledger committed to")]
    Snapshot,
    /// The key is not this space's owner's.
    #[error("the key is not the owner's of this space")]
    NotTheOwner,
    /// The name stands for a dataset with another schema, unit, bounds or budget.
    #[error("the name {name} stands for another description here; a version changes data only, so give the new dataset another name")]
    OtherDescription {
        /// The name.
        name: String,
    },
    /// The act is for a dataset that is not here, or out of turn.
    #[error("the act does not fit: {0}")]
    Act(&'static str),
    /// The data could not be published.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The right would promise more than the dataset has left.
    #[error("live grants would promise {promised}, the dataset has {left} left; say so to oversubscribe")]
    Oversubscribed {
        /// What all live grants would have left.
        promised: crate::budget::Loss,
        /// What the lineage has left.
        left: crate::budget::Loss,
    },
    /// A right that is not accepted.
    #[error(transparent)]
    Verdict(#[from] Verdict),
    /// Arithmetic of budgets.
    #[error(transparent)]
    Budget(#[from] BudgetError),
    /// The system generator.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// Another thread panicked while it held the ledger.
    #[error("the gate stopped after a failure; open the space again")]
    Stopped,
}

/// Why a request got no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// It was refused: nothing was charged, no cell was read.
    #[error("{verdict}")]
    Refused {
        /// For the owner's tools.
        verdict: Box<Verdict>,
        /// For the holder.
        refusal: Refusal,
    },
    /// It was charged and then failed: I/O, a checksum, or cancellation, not said which (rule D5). The charge stays,
    /// and the same request may be tried again under it.
    #[error("request {request} was charged and could not be answered; try the same request again, it will not be charged twice")]
    Failed {
        /// The request.
        request: RequestId,
    },
    /// The ledger or the folder failed before anything was charged.
    #[error(transparent)]
    Gate(#[from] GateError),
}

impl From<EngineError> for Interrupted {
    fn from(_: EngineError) -> Self {
        Self
    }
}

impl From<SnapshotError> for Interrupted {
    fn from(_: SnapshotError) -> Self {
        Self
    }
}

/// Whatever went wrong after the charge: one and the same, without detail.
struct Interrupted;

impl From<GateError> for Interrupted {
    fn from(_: GateError) -> Self {
        Self
    }
}

impl From<CodecError> for Interrupted {
    fn from(_: CodecError) -> Self {
        Self
    }
}
