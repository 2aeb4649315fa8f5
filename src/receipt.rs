//! Answers and their receipts: what leaves the gate, and what a stranger can check about it offline.
//!
//! An [`Answer`] is canonical bytes: noisy values with intervals, what was spent and what the holder's right has
//! left. A [`Receipt`] binds it to the request and to the ledger: the sealed entry with its charge, its place in the
//! tree, and a checkpoint that the gate signed under the owner's certificate. With the owner's public key alone
//! anyone can check a [`Bundle`] of request, answer and receipt. What stays of it with the holder is the
//! [`SignedCheckpoint`]; two that cannot both be true are a [`Fork`], the proof that the gate keeps two histories.
//!
//! ```text
//! owner key -> gate certificate -> checkpoint -> root -> inclusion -> sealed entry -> request id, answer digest, charge
//!                                                  \-> consistency with the checkpoint the holder had seen
//! ```
//!
//! # Source
//! RFC 9162 section 2.1.3 (inclusion) and 2.1.4 (consistency), C2SP signed note; rules A1, C4, K3, L1 of `docs/rules.md`.
//!
//! # Not promised
//! [`NOT_PROVED`] is printed with every verification.

mod answer;
mod bundle;
mod checkpoint;
mod error;
mod proof;

pub use answer::{ANSWER_BYTES_MAX, Answer, AnswerKey, AnswerRow, AnswerValue, COLUMNS_MAX, CONFIDENCE_PERCENT};
pub use bundle::{Bundle, Receipt};
pub use checkpoint::{Fork, SignedCheckpoint};
pub use error::ReceiptError;
pub use proof::{NOT_PROVED, Proof, Statement};

/// What an answered request gives back: the only way out for a function of raw cells.
///
/// Serialized it is the answer, in which values are strings of digits, and the index; the receipt goes by its own bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "embedded", derive(serde::Serialize))]
pub struct Release {
    answer: Answer,
    #[cfg_attr(feature = "embedded", serde(skip))]
    bytes: Vec<u8>,
    #[cfg_attr(feature = "embedded", serde(skip))]
    receipt: Option<Receipt>,
    index: u64,
}

impl Release {
    /// A sealed answer; without a receipt when it comes from a test gate.
    #[cfg(feature = "embedded")]
    pub(crate) fn new(bytes: Vec<u8>, receipt: Option<Receipt>, index: u64) -> Result<Self, crate::codec::CodecError> {
        Ok(Self { answer: Answer::decode(&bytes)?, bytes, receipt, index })
    }

    /// The answer.
    #[must_use]
    pub const fn answer(&self) -> &Answer {
        &self.answer
    }

    /// The rows of the answer.
    #[must_use]
    pub fn rows(&self) -> &[AnswerRow] {
        &self.answer.rows
    }

    /// The sealed bytes of the answer.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The receipt; a test gate gives none.
    #[must_use]
    pub const fn receipt(&self) -> Option<&Receipt> {
        self.receipt.as_ref()
    }

    /// The index of the entry that sealed the answer.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }
}
