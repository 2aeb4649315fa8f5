//! Verification of a receipt: what was proved, and what no verification of ours proves.

use std::fmt;

use super::{Answer, Bundle, Receipt, ReceiptError, SignedCheckpoint};
use crate::budget::Loss;
use crate::envelope::{Signed, Untrusted};
use crate::id::{Digest, LedgerId, RequestId, Time};
use crate::key::{KeySet, PublicKey};
use crate::ledger::{Entry, Event, GateCertificate, Seal, leaf_hash, verify_consistency, verify_inclusion};
use crate::right::{Request, Seen, Verified, verify_request};

/// What no verification of ours proves (rule G4).
pub const NOT_PROVED: [&str; 6] = [
    "that the gate added the noise it should have, or read the data it should have",
    "that no answer was given off the ledger",
    "that the gate's machine was safe from its own operator",
    "what holders learn by pooling answers with other knowledge",
    "that the ledger was not rolled back, unless somebody outside holds a later checkpoint",
    "anything about times below the quantum",
];

/// One thing that a verification proved.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[cfg_attr(feature = "embedded", derive(serde::Serialize))]
#[cfg_attr(feature = "embedded", serde(rename_all = "snake_case", tag = "statement"))]
pub enum Statement {
    /// The owner certified the gate.
    Certified {
        /// For which ledger.
        ledger: LedgerId,
    },
    /// The entry is in the ledger that the gate signed.
    Included {
        /// Index of the entry.
        index: u64,
        /// Size of the checkpoint.
        size: u64,
    },
    /// The ledger contains what the holder had seen before.
    Consistent {
        /// Size the holder had seen.
        seen: u64,
        /// Size of the checkpoint.
        size: u64,
    },
    /// The request is the holder's, under a right that the owner signed.
    Requested {
        /// The request.
        request: RequestId,
    },
    /// The request was within the terms of its right when it was charged.
    Allowed {
        /// Gate time of the charge.
        at: Time,
    },
    /// The answer is the one that was sealed for the request.
    Sealed {
        /// SHA-256 of the answer.
        answer: Digest,
    },
    /// The price of the request was charged to the lineage and to the right.
    Charged {
        /// How much.
        loss: Loss,
        /// What the lineage has spent over its whole life, with this.
        lifetime: Loss,
    },
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Certified { ledger } => write!(f, "the owner certified the gate of ledger {ledger}"),
            Self::Included { index, size } => write!(f, "entry {index} is in the ledger of {size} entries that the gate signed"),
            Self::Consistent { seen: 0, .. } => f.write_str("the holder had seen no earlier checkpoint, so none was compared"),
            Self::Consistent { seen, size } => {
                write!(f, "the ledger of {size} entries contains the {seen} entries that the holder had seen")
            }
            Self::Requested { request } => write!(f, "request {request} was signed by the holder of a right that the owner signed"),
            Self::Allowed { at } => write!(f, "the right allowed the request at {at}"),
            Self::Sealed { answer } => write!(f, "the answer {answer} was sealed for this request"),
            Self::Charged { loss, lifetime } => {
                write!(f, "{loss} was charged to the dataset and to the right; the dataset has spent {lifetime} in its life")
            }
        }
    }
}

/// What a verification proved.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "embedded", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Proof {
    /// What is proved.
    pub proved: Vec<Statement>,
    /// Whether request and answer were there too; a receipt alone proves that something was sealed, not what.
    pub bound: bool,
    /// The answer, when it was there.
    pub answer: Option<Answer>,
    /// The checkpoint of the receipt with its certificate, which the holder remembers for the next request.
    #[cfg_attr(feature = "embedded", serde(skip))]
    pub checkpoint: SignedCheckpoint,
}

impl Receipt {
    /// Checks the receipt alone: that something was sealed and charged. It is unbound without request and answer.
    ///
    /// # Errors
    /// The first check that fails.
    pub fn verify(&self, owner: &PublicKey) -> Result<Proof, ReceiptError> {
        Ok(self.check(owner)?.unbound())
    }

    /// Checks receipt, request and answer together.
    ///
    /// # Errors
    /// The first check that fails.
    pub fn verify_with(&self, owner: &PublicKey, request: &[u8], answer: &[u8]) -> Result<Proof, ReceiptError> {
        self.check(owner)?.bind(owner, request, answer)
    }

    fn check(&self, owner: &PublicKey) -> Result<Checked<'_>, ReceiptError> {
        let certificate = Untrusted::<GateCertificate>::decode(&self.certificate).and_then(|untrusted| untrusted.verify(owner));
        self.check_under(certificate.map_err(ReceiptError::Certificate)?)
    }

    /// As [`Receipt::verify_with`], for a certificate that was verified before: one signature less a receipt.
    ///
    /// # Errors
    /// The first check that fails, or another certificate than the receipt's.
    pub fn verify_known(&self, certificate: &Signed<GateCertificate>) -> Result<Proof, ReceiptError> {
        if certificate.bytes() != self.certificate {
            return Err(ReceiptError::Other("gate"));
        }
        Ok(self.check_under(certificate.clone())?.unbound())
    }

    fn check_under(&self, certificate: Signed<GateCertificate>) -> Result<Checked<'_>, ReceiptError> {
        let validity = certificate.value().clone();
        let checkpoint = SignedCheckpoint::under(certificate, &self.checkpoint)?;
        let Seen { size, root } = checkpoint.seen();
        verify_inclusion(self.index, size, &leaf_hash(&self.entry), &self.inclusion, root.as_bytes())
            .map_err(|_| ReceiptError::Inclusion)?;
        let entry = Entry::decode(&self.entry)?;
        let sealed_at = entry.time;
        let seal = match entry.event {
            Event::Seal(seal) => seal,
            other => return Err(ReceiptError::Kind { found: other.name() }),
        };
        // Expiry and windows are decided when the charge is made (rule C7). The seal may be earlier than the charge: the owner may
        // have set gate time back in between.
        let at = seal.reserved_at;
        if let Some(at) = [at, sealed_at].into_iter().find(|time| !validity.covers(*time)) {
            return Err(ReceiptError::Time { at });
        }
        let proved = vec![Statement::Certified { ledger: validity.ledger }, Statement::Included { index: self.index, size }];
        Ok(Checked { receipt: self, checkpoint, at, seal, proved })
    }
}

impl Bundle {
    /// Checks everything in the bundle.
    ///
    /// # Errors
    /// The first check that fails.
    pub fn verify(&self, owner: &PublicKey) -> Result<Proof, ReceiptError> {
        self.receipt.verify_with(owner, &self.request, &self.answer)
    }
}

/// A receipt whose own parts agree.
struct Checked<'a> {
    receipt: &'a Receipt,
    checkpoint: SignedCheckpoint,
    at: Time,
    seal: Seal,
    proved: Vec<Statement>,
}

impl Checked<'_> {
    fn unbound(self) -> Proof {
        Proof { checkpoint: self.checkpoint, proved: self.proved, bound: false, answer: None }
    }

    fn bind(mut self, owner: &PublicKey, request: &[u8], answer_bytes: &[u8]) -> Result<Proof, ReceiptError> {
        let refuse = |verdict| ReceiptError::Request(Box::new(verdict));
        let (request, right): (Signed<Request>, Verified) = verify_request(request, &KeySet::single(owner.clone())).map_err(refuse)?;
        if self.seal.request != request.id() {
            return Err(ReceiptError::Other("request"));
        }
        if self.seal.answer != Digest::of(answer_bytes) {
            return Err(ReceiptError::Other("answer"));
        }
        let answer = Answer::decode(answer_bytes)?;
        let asked = request.value();
        if answer.request != request.id() || answer.dataset != asked.dataset {
            return Err(ReceiptError::Other("answer"));
        }
        asked.check_charged(&right, self.checkpoint.ledger(), self.at).map_err(refuse)?;
        let charged = self.seal.charges.iter().all(|charge| charge.amount.loss == asked.price && charge.amount.uses == 1);
        let lifetime = self.seal.charges.first().map(|charge| charge.new.loss).filter(|_| charged && answer.spent == asked.price);
        let lifetime = lifetime.ok_or(ReceiptError::Charge)?;
        let seen = self.consistent(asked)?;
        self.proved.extend([
            Statement::Consistent { seen, size: self.checkpoint.seen().size },
            Statement::Requested { request: request.id() },
            Statement::Allowed { at: self.at },
            Statement::Sealed { answer: self.seal.answer },
            Statement::Charged { loss: asked.price, lifetime },
        ]);
        Ok(Proof { checkpoint: self.checkpoint, proved: self.proved, bound: true, answer: Some(answer) })
    }

    /// The size the holder had seen, which the checkpoint's ledger must contain.
    fn consistent(&self, request: &Request) -> Result<u64, ReceiptError> {
        let Some(seen) = request.seen else {
            return if self.receipt.consistency.is_empty() { Ok(0) } else { Err(ReceiptError::Consistency) };
        };
        let Seen { size, root } = self.checkpoint.seen();
        verify_consistency(seen.size, size, seen.root.as_bytes(), root.as_bytes(), &self.receipt.consistency)
            .map_err(|_| ReceiptError::Consistency)?;
        Ok(seen.size)
    }
}
