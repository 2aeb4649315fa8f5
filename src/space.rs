//! A space: the folder in which an owner's data, ledger and gate live (数据空间).
//!
//! One process has it open at a time. Opening checks everything and refuses on any mismatch.

mod counter;

use std::ops::ControlFlow;
use std::path::Path;

pub use counter::{CounterFile, CounterFileError};

use crate::budget::Loss;
use crate::dataset::{Description, Progress};
use crate::gate::{DatasetState, Desk, Gate, GateError, Published, System, creation};
use crate::id::{DatasetId, LedgerId, Time};
use crate::key::{KeySet, PublicKey, Signer, SigningKey};
use crate::random::SystemRandom;
use crate::right::Verified;
use crate::table::RecordSource;

/// A space, opened by the one process that holds its lock.
pub struct Space {
    desk: Desk<System>,
}

impl Space {
    /// Makes a space at a path where nothing is yet: the gate's key, certified by `owner`, and the first entries of
    /// the ledger. `next` is the key that the owner can rotate to; only its hash is published.
    ///
    /// # Errors
    /// The path exists or cannot be written, or the owner's key does not sign.
    pub fn create(path: impl AsRef<Path>, owner: &dyn Signer, next: &PublicKey, now: Time) -> Result<Self, GateError> {
        let mut random = SystemRandom::new()?;
        let gate_key = SigningKey::generate(&mut random);
        let (genesis, certificate) = creation(owner, next, gate_key.public(), now, &mut random, false)?;
        Ok(Self { desk: Desk::create(path.as_ref(), System::new(), genesis, gate_key, &certificate)? })
    }

    /// Opens a space and checks it: the whole ledger, the openings, the data's digests.
    ///
    /// # Errors
    /// Another process has it open, or anything in it does not agree.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, GateError> {
        Ok(Self { desk: Desk::open(path.as_ref(), System::new())? })
    }

    /// Reads the data once, keeps an immutable snapshot, and publishes it as a new dataset, or as a new version of
    /// the one with the same name and description. Everything that can fail because of a cell fails here.
    ///
    /// # Errors
    /// The data, the description, or the space.
    pub fn publish(
        &self,
        description: &Description,
        source: &dyn RecordSource,
        owner: &dyn Signer,
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Published, GateError> {
        self.desk.publish(description, source, owner, progress)
    }

    /// Applies an owner's signed refill and says what the dataset has left.
    ///
    /// # Errors
    /// Not the owner's, or out of turn.
    pub fn refill(&self, signed: &[u8]) -> Result<Loss, GateError> {
        self.desk.refill(signed)
    }

    /// The number that the next refill of a dataset must carry.
    ///
    /// # Errors
    /// There is no such dataset.
    pub fn next_refill(&self, dataset: &DatasetId) -> Result<u64, GateError> {
        self.desk.next_refill(dataset)
    }

    /// Registers a right before its first use. Unless `oversubscribe` is set, live rights may not promise more than
    /// the dataset has left.
    ///
    /// # Errors
    /// Not a right of this owner and space, or more promised than left.
    pub fn grant(&self, right: &[u8], oversubscribe: bool) -> Result<Verified, GateError> {
        self.desk.grant(right, oversubscribe)
    }

    /// The datasets with their balances.
    ///
    /// # Errors
    /// The gate has stopped.
    pub fn datasets(&self) -> Result<Vec<DatasetState>, GateError> {
        self.desk.datasets()
    }

    /// The ledger's id.
    #[must_use]
    pub fn ledger_id(&self) -> LedgerId {
        self.desk.ledger_id()
    }

    /// The owner's public keys.
    #[must_use]
    pub const fn owner(&self) -> &KeySet {
        self.desk.owner()
    }

    /// The gate of this space, which answers requests.
    #[must_use]
    pub fn gate(self) -> Gate {
        Gate::new(self.desk)
    }
}

impl std::fmt::Debug for Space {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Space({})", self.ledger_id())
    }
}
