//! Checkpoints under the owner's key: note and certificate together.

use std::fmt;

use super::ReceiptError;
use crate::envelope::{Signed, Untrusted};
use crate::id::{Digest, LedgerId};
use crate::key::PublicKey;
use crate::ledger::{Checkpoint, GateCertificate, origin_of};
use crate::right::Seen;

/// A checkpoint of a gate that the owner certified: size and root, with the two signatures that make them evidence.
///
/// ```text
/// owner key -> gate certificate -> note -> ledger, size, root
/// ```
/// A holder remembers it, and so is a witness; a stranger with the owner's public key can check it.
#[derive(Clone, Debug)]
pub struct SignedCheckpoint {
    /// Verified under the owner's key.
    certificate: Signed<GateCertificate>,
    /// Verified under the certificate's key, and for its ledger.
    note: String,
    seen: Seen,
}

impl SignedCheckpoint {
    /// Verifies a note (C2SP checkpoint) under a gate certificate, and that under the owner's key.
    ///
    /// # Errors
    /// [`ReceiptError::Certificate`] or [`ReceiptError::Checkpoint`].
    pub fn verify(certificate: &[u8], note: &str, owner: &PublicKey) -> Result<Self, ReceiptError> {
        let certificate = Untrusted::<GateCertificate>::decode(certificate).and_then(|untrusted| untrusted.verify(owner));
        Self::under(certificate.map_err(ReceiptError::Certificate)?, note)
    }

    /// Verifies a note under a certificate that was verified before.
    ///
    /// # Errors
    /// [`ReceiptError::Checkpoint`].
    pub fn under(certificate: Signed<GateCertificate>, note: &str) -> Result<Self, ReceiptError> {
        let GateCertificate { ledger, gate, .. } = certificate.value();
        let checkpoint = Checkpoint::verify(note, &origin_of(*ledger), gate).map_err(|_| ReceiptError::Checkpoint)?;
        let seen = Seen { size: checkpoint.size(), root: Digest::from_bytes(*checkpoint.root()) };
        Ok(Self { note: note.to_owned(), seen, certificate })
    }

    /// The ledger.
    #[must_use]
    pub const fn ledger(&self) -> LedgerId {
        self.certificate.value().ledger
    }

    /// Size and root.
    #[must_use]
    pub const fn seen(&self) -> Seen {
        self.seen
    }

    /// The gate's certificate.
    #[must_use]
    pub const fn certificate(&self) -> &Signed<GateCertificate> {
        &self.certificate
    }

    /// The note, byte for byte as the gate signed it.
    #[must_use]
    pub fn note(&self) -> &str {
        &self.note
    }

    /// The key under which the certificate verified.
    #[must_use]
    pub const fn owner(&self) -> &PublicKey {
        self.certificate.signer_key()
    }
}

/// Two checkpoints of one ledger that cannot both be true: same owner, same size, different roots. An append-only ledger
/// has one root at a size, so whoever signed both keeps two histories; that is proved to anyone, without the ledger.
#[derive(Clone, Debug)]
pub struct Fork {
    /// 1. Same ledger and owner as `second`. 2. Same size, another root. Set by `of` alone.
    first: SignedCheckpoint,
    second: SignedCheckpoint,
}

impl Fork {
    /// The fork that two checkpoints prove, if they prove one.
    #[must_use]
    pub fn of(first: &SignedCheckpoint, second: &SignedCheckpoint) -> Option<Self> {
        let is_one_ledger = first.ledger() == second.ledger() && first.owner() == second.owner();
        let (one, other) = (first.seen(), second.seen());
        let is_fork = is_one_ledger && one.size == other.size && one.root != other.root;
        is_fork.then(|| Self { first: first.clone(), second: second.clone() })
    }

    /// The checkpoint that was seen first.
    #[must_use]
    pub const fn first(&self) -> &SignedCheckpoint {
        &self.first
    }

    /// The one that contradicts it.
    #[must_use]
    pub const fn second(&self) -> &SignedCheckpoint {
        &self.second
    }
}

impl fmt::Display for Fork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Seen { size, root }, other) = (self.first.seen(), self.second.seen().root);
        write!(f, "the gate of ledger {} signed two roots of its first {size} entries, {root} and {other}", self.first.ledger())
    }
}
