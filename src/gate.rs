//! The gate: the only code that sees raw cells and a request together.
//!
//! A request goes through types, each named after what it awaits, and each step takes the one before:
//!
//! ```text
//! bytes -> VerifiedRequest -> Started -> answer in memory -> Release
//!                |              |                |              |
//!                |    charge and start durable   |   answers of a tick durable, then their seals, then they may leave
//!                |    then the first cell is read
//!        nothing touched: no cell, no randomness, no entry
//! ```
//! A retry of a sealed request gets the same bytes, free; one of a request that is running shares its outcome; one of a request
//! that was charged and died runs again under the same charge with fresh noise, since nothing had left. From `started` on
//! nothing is refunded.
//!
//! Many ask at once. [`Gate::submit`] never blocks; verification, sums and noise run on the gate's own threads; one thread writes
//! the ledger, and whoever waits beside another shares its sync. The owner goes on publishing and granting meanwhile: owner's
//! acts follow each other, and an answer uses the version that was current when its request was charged.
//!
//! # Source
//! Rules C, E3, G2, K of `docs/rules.md`.
//!
//! # Not promised
//! See [`crate::receipt::NOT_PROVED`].

mod acts;
mod answer;
mod clock;
mod course;
mod creation;
mod environment;
mod house;
mod jobs;
mod pending;
mod publish;
mod quote;
mod registry;
mod serialize;
mod service;
mod status;
#[cfg(feature = "hazmat")]
mod test;
mod turn;
mod verify;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::archive::ArchiveError;
use crate::budget::BudgetError;
use crate::class::Class;
use crate::codec::CodecError;
use crate::dataset::{DescriptionError, PublishError, SnapshotError};
use crate::engine::EngineError;
use crate::envelope::EnvelopeError;
use crate::file::{OutputError, ReadError};
use crate::id::{AccountId, Decimal, LedgerId, RequestId};
use crate::key::{KeyError, KeyId};
use crate::ledger::{BookError, ClockError, LedgerError, WriteError};
use crate::plan::ExactError;
use crate::random::RandomError;
use crate::receipt::Release;
use crate::right::{Refusal, Verdict};

pub use acts::{Applied, NextActs, Promised};
pub use course::{Started, VerifiedRequest, Watch};
pub(crate) use creation::creation;
#[cfg(feature = "hazmat")]
pub use environment::Point;
pub(crate) use environment::System;
pub use pending::Pending;
pub use publish::Published;
pub use quote::{Quote, QuotedWidth, Share};
pub use service::{Counters, PENDING_MAX, SpaceOptions};
pub(crate) use service::{Running, Service};
pub use status::{DatasetState, RequestStatus, RightState, SpaceStatus};
#[cfg(feature = "hazmat")]
pub use test::TestGate;
pub use verify::AccountState;

/// The gate of a space: answers requests, with its own randomness and clock. A handle: clones and the space's own handles share
/// one gate, from as many threads as one likes; the last one that goes closes the space.
///
/// ```
#[doc = include_str!("doc/market.txt")]
#[doc = include_str!("doc/asked.txt")]
/// let gate = space.gate();
/// let quote = gate.quote(request.bytes())?; // free: what it would cost, and how wide the intervals would be
/// assert_eq!((quote.groups, quote.price), (Some(2), Loss::approx("0.2", "0")?));
///
/// let pending = gate.submit(request.bytes()); // returns at once; a future, or `wait`
/// let release = pending.wait()?;
/// for row in release.rows() {
///     println!("{:?} {}", row.key, row.values[0]); // value [low, high]
/// }
/// // From another thread, again: the same bytes, and no second charge.
/// let again = std::thread::spawn({ let (gate, bytes) = (gate.clone(), request.bytes().to_vec()); move || gate.answer(&bytes) });
/// assert_eq!(again.join().expect("no panic")?.bytes(), release.bytes());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Gate {
    running: Arc<Running<System>>,
}

impl Gate {
    pub(crate) const fn new(running: Arc<Running<System>>) -> Self {
        Self { running }
    }

    fn service(&self) -> &Arc<Service<System>> {
        self.running.service()
    }

    /// Takes a request and returns at once: never blocks the caller, neither on a disk nor for the quantum. Over
    /// [`PENDING_MAX`] requests under way are refused as busy.
    ///
    /// The outcome is that of [`Gate::answer`].
    pub fn submit(&self, request: impl Into<Vec<u8>>) -> Pending<Result<Release, AnswerError>> {
        self.service().submit(request.into(), None)
    }

    /// As [`Gate::submit`]; `watch` is told of the progress of the computation, from any thread.
    pub fn submit_watched(&self, request: impl Into<Vec<u8>>, watch: Watch) -> Pending<Result<Release, AnswerError>> {
        self.service().submit(request.into(), Some(watch))
    }

    /// Verifies, charges, computes, seals and releases; again for the same request: the same bytes, free.
    ///
    /// Blocks until the answer leaves, at a multiple of the space's quantum.
    ///
    /// # Errors
    /// Refused, failed after the charge, or the gate itself failed.
    pub fn answer(&self, request: &[u8]) -> Result<Release, AnswerError> {
        self.submit(request).wait()
    }

    /// What a request would cost and how wide its intervals would be; touches neither cells nor budget.
    ///
    /// # Errors
    /// Whatever would refuse the request itself.
    pub fn quote(&self, request: &[u8]) -> Result<Quote, AnswerError> {
        self.service().quote(request)
    }

    /// The least price, in the model and with the delta of the request's own, at which the intervals of all its counts and sums
    /// reach at most `half` to both sides; of one value column only, where it is named.
    ///
    /// # Errors
    /// Whatever would refuse the request itself, its price apart; no price is enough, or no width is known beforehand.
    pub fn price_for(&self, request: &[u8], half: Decimal, column: Option<&str>) -> Result<crate::budget::Loss, AnswerError> {
        self.service().price_for(request, half, column)
    }

    /// Keeps the signed request in the space, so that it can be tried again by its id; says where it lies.
    ///
    /// # Errors
    /// It does not verify, or the space cannot be written.
    pub fn keep(&self, request: &[u8]) -> Result<(RequestId, PathBuf), AnswerError> {
        self.service().keep(request)
    }

    /// The ledger's id, which is the audience of requests.
    #[must_use]
    pub fn ledger_id(&self) -> LedgerId {
        self.service().ledger_id()
    }

    /// The last checkpoint, signed: for holders to remember and witnesses to keep.
    ///
    /// # Errors
    /// The key does not sign.
    pub fn checkpoint(&self) -> Result<String, GateError> {
        self.service().last_checkpoint()
    }

    /// The datasets with their balances.
    ///
    /// # Errors
    /// The gate has stopped.
    pub fn datasets(&self) -> Result<Vec<DatasetState>, GateError> {
        self.service().datasets()
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Gate({})", self.ledger_id())
    }
}

/// Why the gate could not do something for its owner.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GateError {
    /// The archive of the space.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The ledger.
    #[error(transparent)]
    Ledger(Arc<LedgerError>),
    /// An entry was not admitted.
    #[error(transparent)]
    Book(#[from] BookError),
    /// The clock cannot be trusted now.
    #[error(transparent)]
    Clock(#[from] ClockError),
    /// The gate's key.
    #[error("the gate's key: {0}")]
    Key(#[from] KeyError),
    /// The gate's key is not there.
    #[error("the gate's key {gate} is not in this space and was not given; `usufruct space certify DIR --new-key` certifies another")]
    NoGateKey {
        /// The key that the certificate in force names.
        gate: KeyId,
    },
    /// A signed act of the owner does not verify.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// A file of an act cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The snapshot beside a publication cannot be read.
    #[error("{path:?}, the snapshot beside the publication: {kind}")]
    SnapshotFile {
        /// The path.
        path: PathBuf,
        /// Why.
        kind: std::io::ErrorKind,
    },
    /// Two accounts stand for one right or one dataset.
    #[error("account {account} stands for a right, a dataset or a name that has an account already")]
    Duplicate {
        /// The later account.
        account: AccountId,
    },
    /// A sealed answer is missing or damaged.
    #[error("the sealed answer of request {request} is missing or damaged")]
    Answer {
        /// The request.
        request: RequestId,
    },
    /// No certificate whose key is here covers the times of a sealed answer.
    #[error("no certificate of the gate covers the answer of request {request}: the owner must certify the gate anew")]
    Uncertified {
        /// The request.
        request: RequestId,
    },
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
    /// The description of a dataset.
    #[error(transparent)]
    Description(#[from] DescriptionError),
    /// The data could not be published.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The right would promise more than the dataset has left.
    #[error("live grants would promise {promised}, the dataset has {left} left; say so to oversubscribe")]
    Oversubscribed {
        /// What all live grants would have left.
        promised: Promised,
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
    /// A thread could not be started.
    #[error("a thread of the gate could not be started: {0}")]
    Thread(std::io::ErrorKind),
    /// Whoever asked gave up.
    #[error("the request was given up before it was charged")]
    Cancelled,
    /// The gate is closing, or stopped after a failure.
    #[error("the gate stopped; open the space again")]
    Stopped,
}

impl GateError {
    /// What a caller can do about it.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Archive(error) => error.class(),
            Self::Ledger(error) => error.class(),
            Self::Book(error) => error.class(),
            Self::Clock(_) | Self::NoGateKey { .. } | Self::Thread(_) | Self::Stopped | Self::Uncertified { .. } => Class::Environment,
            Self::Key(error) => error.class(),
            Self::Envelope(error) => error.class(),
            Self::Read(error) => error.class(),
            Self::SnapshotFile { .. } | Self::OtherDescription { .. } | Self::Act(_) => Class::BadInput,
            Self::Duplicate { .. } | Self::Answer { .. } => Class::Doubt,
            Self::NotTheOwner | Self::Oversubscribed { .. } => Class::Refused,
            Self::Description(error) => error.class(),
            Self::Publish(error) => error.class(),
            Self::Verdict(verdict) => verdict.class(),
            Self::Budget(error) => error.class(),
            Self::Random(_) => Class::Environment,
            Self::Cancelled => Class::Interrupted,
        }
    }

    /// Whether the same act may succeed later without being changed.
    pub(super) fn is_temporary(&self) -> bool {
        matches!(self.class(), Class::Environment)
    }

    /// Whether the entry may be durable all the same. A writer that ended in the middle of a step does not say.
    pub(super) fn may_be_recorded(&self) -> bool {
        self.is_in_doubt() || matches!(self, Self::Stopped)
    }

    /// Whether what was to be recorded may be durable all the same: only opening the space again tells.
    pub(super) fn is_in_doubt(&self) -> bool {
        matches!(self, Self::Ledger(error) if error.is_in_doubt())
    }
}

impl From<LedgerError> for GateError {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(Arc::new(error))
    }
}

impl From<WriteError> for GateError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Book(error) => Self::Book(error),
            WriteError::Ledger(error) => Self::Ledger(error),
            WriteError::Clock(error) => Self::Clock(error),
            _ => Self::Stopped,
        }
    }
}

impl From<OutputError> for GateError {
    fn from(error: OutputError) -> Self {
        Self::Archive(error.into())
    }
}

/// Why a request got no answer.
///
/// Its `Display` and `Debug` are what its holder may know (rule C5), so that they may go back as they are. What its owner may
/// know as well is behind [`AnswerError::verdict`] and [`AnswerError::for_owner`].
#[derive(Clone, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// It was refused: nothing was charged, no cell was read.
    #[error("{refusal}")]
    Refused {
        /// For the owner's tools.
        verdict: Arc<Verdict>,
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
    /// It was charged, its answer is sealed, and cannot be shown now: the file of the answer is damaged, the gate's key does not
    /// sign, or its certificate ended. The charge stays, and the same request gets the same answer once that is mended.
    #[error("request {request} was charged and its answer cannot be shown now; try the same request again, it will not be charged twice")]
    Sealed {
        /// The request.
        request: RequestId,
        /// For the owner's tools.
        error: Arc<GateError>,
    },
    /// The ledger or the folder failed before anything was charged.
    #[error("the gate cannot answer now; nothing was charged")]
    Gate(Arc<GateError>),
}

impl AnswerError {
    /// Why it was refused, for the owner and nobody else.
    #[must_use]
    pub fn verdict(&self) -> Option<&Verdict> {
        match self {
            Self::Refused { verdict, .. } => Some(verdict),
            _ => None,
        }
    }

    /// What the holder may be told about a refusal.
    #[must_use]
    pub const fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused { refusal, .. } => Some(refusal),
            _ => None,
        }
    }

    /// What happened, in the words of the owner's tools: it may tell what the dataset has left, and names of files.
    #[must_use]
    pub fn for_owner(&self) -> String {
        match self {
            Self::Refused { verdict, .. } => verdict.to_string(),
            Self::Failed { .. } => self.to_string(),
            Self::Sealed { error, .. } => format!("{self}: {error}"),
            Self::Gate(error) => error.to_string(),
        }
    }

    /// What a caller can do about it.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Refused { verdict, .. } => verdict.class(),
            Self::Failed { .. } => Class::Environment,
            Self::Sealed { error, .. } | Self::Gate(error) => error.class(),
        }
    }
}

impl fmt::Debug for AnswerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AnswerError({self})")
    }
}

impl From<GateError> for AnswerError {
    fn from(error: GateError) -> Self {
        Self::Gate(Arc::new(error))
    }
}

impl From<LedgerError> for AnswerError {
    fn from(error: LedgerError) -> Self {
        GateError::from(error).into()
    }
}

impl From<EngineError> for Interrupted {
    fn from(_: EngineError) -> Self {
        Self
    }
}

impl From<ExactError> for Interrupted {
    fn from(_: ExactError) -> Self {
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
