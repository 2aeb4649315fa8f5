//! The auditor: anyone with the owner's public key. Checks receipts offline and spaces without their lock.

use crate::desensitise::Manifest;
use crate::envelope::{EnvelopeError, Signed, Untrusted};
use crate::key::PublicKey;
use crate::receipt::{Bundle, Proof, Receipt, ReceiptError};

/// Verifies with a public key and nothing else.
///
#[cfg_attr(all(feature = "embedded", feature = "sql"), doc = "```")]
#[cfg_attr(not(all(feature = "embedded", feature = "sql")), doc = "```ignore")]
#[doc = include_str!("doc/market.txt")]
#[doc = include_str!("doc/asked.txt")]
/// let release = space.gate().answer(request.bytes())?;
/// let receipt = release.receipt().ok_or("a gate gives receipts")?;
///
/// let auditor = Auditor::new(owner.public().clone());
/// let proof = auditor.verify(receipt, request.bytes(), release.bytes())?;
/// assert!(proof.bound); // to this question and this answer
/// proof.proved.iter().for_each(|proved| println!("{proved}"));
///
/// // Another answer under the same receipt is found.
/// let mut other = release.bytes().to_vec();
/// *other.last_mut().ok_or("an answer has bytes")? ^= 1;
/// assert!(auditor.verify(receipt, request.bytes(), &other).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Auditor {
    owner: PublicKey,
}

impl Auditor {
    /// An auditor who trusts this owner's key.
    #[must_use]
    pub const fn new(owner: PublicKey) -> Self {
        Self { owner }
    }

    /// Checks a receipt together with request and answer.
    ///
    /// # Errors
    /// The first check that fails.
    pub fn verify(&self, receipt: &Receipt, request: &[u8], answer: &[u8]) -> Result<Proof, ReceiptError> {
        receipt.verify_with(&self.owner, request, answer)
    }

    /// Checks a receipt alone: it proves that something was sealed and charged, not what.
    ///
    /// # Errors
    /// The first check that fails.
    pub fn verify_unbound(&self, receipt: &Receipt) -> Result<Proof, ReceiptError> {
        receipt.verify(&self.owner)
    }

    /// Checks request, answer and receipt of one file.
    ///
    /// # Errors
    /// The first check that fails.
    pub fn verify_bundle(&self, bundle: &Bundle) -> Result<Proof, ReceiptError> {
        bundle.verify(&self.owner)
    }

    /// Checks the signature of a manifest; [`Manifest::is_about`] then says whether a file is the one.
    ///
    /// # Errors
    /// Not a manifest, or not signed by the owner.
    pub fn manifest(&self, bytes: &[u8]) -> Result<Signed<Manifest>, EnvelopeError> {
        Untrusted::decode(bytes)?.verify(&self.owner)
    }

    /// Audits a whole space, against a checkpoint kept outside if there is one.
    ///
    /// # Errors
    /// The ledger cannot be read at all.
    #[cfg(feature = "embedded")]
    pub fn audit(
        &self,
        space: &std::path::Path,
        kept: Option<crate::right::Seen>,
        progress: &dyn Fn(u64, u64),
    ) -> Result<crate::audit::AuditReport, crate::ledger::LedgerError> {
        crate::audit::audit(space, &self.owner, kept, progress)
    }
}
