//! Why a receipt proves nothing.

use crate::class::Class;
use crate::codec::CodecError;
use crate::envelope::EnvelopeError;
use crate::id::Time;
use crate::right::Verdict;

/// Why a receipt proves nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiptError {
    /// The bytes are not a receipt, an answer, or an entry.
    #[error("not well-formed: {0}")]
    Malformed(#[from] CodecError),
    /// The gate's certificate is not this owner's.
    #[error("the gate's certificate: {0}")]
    Certificate(EnvelopeError),
    /// The checkpoint is not the certified gate's.
    #[error("the checkpoint is not signed by the certified gate")]
    Checkpoint,
    /// The entry is not in the tree of the checkpoint.
    #[error("the entry is not in the ledger of the checkpoint")]
    Inclusion,
    /// The ledger does not contain what the holder had seen.
    #[error("the ledger of the checkpoint does not contain the checkpoint that the holder had seen")]
    Consistency,
    /// The entry seals nothing.
    #[error("the entry is of kind {found}, expected seal")]
    Kind {
        /// What it is.
        found: &'static str,
    },
    /// Request or right do not verify, or did not allow this.
    #[error("the request: {0}")]
    Request(Box<Verdict>),
    /// The receipt is for another request or answer.
    #[error("the receipt is for another {0}")]
    Other(&'static str),
    /// What was charged is not what was asked for.
    #[error("the charge is not the price of the request")]
    Charge,
    /// The gate charged or sealed outside the time of its certificate.
    #[error("charged or sealed at {at}, outside the certificate's time")]
    Time {
        /// Gate time of what is outside.
        at: Time,
    },
}

impl ReceiptError {
    /// What a caller should do about it.
    #[must_use]
    pub const fn class(&self) -> Class {
        match self {
            Self::Malformed(_) => Class::BadInput,
            _ => Class::Doubt,
        }
    }
}
