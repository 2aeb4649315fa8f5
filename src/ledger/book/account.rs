//! Accounts and requests as the entries made them.

use std::sync::Arc;

use super::super::charge::{Charges, Measure};
use super::super::commitment::Commitment;
use super::super::entry::RefillReason;
use crate::budget::{Balance, Loss};
use crate::id::{AccountId, Digest, Time};

/// An account: the lineage of a dataset, or a right.
#[derive(Clone, Debug)]
pub struct Account {
    pub(super) balance: Balance,
    pub(super) uses: u64,
    pub(super) uses_limit: u64,
    /// Shared, so that a charge does not copy the history of a lineage.
    pub(super) kind: Arc<AccountKind>,
    /// Index of the entry that opened it.
    pub(super) opened_at: u64,
    /// Of a lineage: the sum of [`Account::promised`] over its rights. Kept by grant, charge and refund.
    pub(super) outstanding: (u128, u128),
}

/// What an account stands for; opened by the artefacts behind the commitments.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum AccountKind {
    /// A lineage: its publication, its later versions, its refills.
    Lineage {
        /// To the publication, which is version 1.
        publication: Commitment,
        /// To the later versions with the indexes of their entries, in order.
        versions: Vec<(u64, Commitment)>,
        /// The refills with the indexes of their entries, in order.
        refills: Vec<(u64, Commitment, Loss, RefillReason)>,
    },
    /// A right.
    Right {
        /// The lineage it draws on.
        dataset: AccountId,
        /// To the right.
        right: Commitment,
    },
}

/// What became of a request.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RequestRecord {
    /// Index of its reservation.
    pub reserved: u64,
    /// Time of its reservation.
    pub reserved_at: Time,
    /// What it was charged.
    pub charges: Charges,
    /// When it stops being answered.
    pub expires_at: Time,
    /// Its state.
    pub state: RequestState,
}

/// The states of rule C3.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "embedded", derive(serde::Serialize))]
#[cfg_attr(feature = "embedded", serde(rename_all = "snake_case", tag = "state"))]
pub enum RequestState {
    /// Charged.
    Reserved,
    /// About to read cells, or has read some.
    Started,
    /// The answer is durable.
    Sealed {
        /// Index of the entry that sealed it.
        index: u64,
        /// The time of that entry.
        time: Time,
        /// SHA-256 of the answer.
        answer: Digest,
    },
    /// Given back before it started.
    Refunded,
}

impl Account {
    pub(super) fn new(index: u64, kind: AccountKind, limit: Measure) -> Self {
        let kind = Arc::new(kind);
        Self { balance: Balance::new(limit.loss), uses: 0, uses_limit: limit.uses, kind, opened_at: index, outstanding: (0, 0) }
    }

    /// Limit and spent.
    #[must_use]
    pub const fn balance(&self) -> &Balance {
        &self.balance
    }

    /// Answers so far.
    #[must_use]
    pub const fn uses(&self) -> u64 {
        self.uses
    }

    /// Answers that may still be given.
    #[must_use]
    pub const fn uses_left(&self) -> u64 {
        self.uses_limit.saturating_sub(self.uses)
    }

    /// What it stands for.
    #[must_use]
    pub fn kind(&self) -> &AccountKind {
        &self.kind
    }

    /// Index of the entry that opened it.
    #[must_use]
    pub const fn opened_at(&self) -> u64 {
        self.opened_at
    }

    /// What the rights over this lineage may still spend in all: units of epsilon or rho, and of delta. It may be more than
    /// the lineage has.
    #[must_use]
    pub const fn outstanding(&self) -> (u128, u128) {
        self.outstanding
    }

    /// What this right may still spend, in the units of [`Account::outstanding`]: nothing without a use.
    #[must_use]
    pub fn promised(&self) -> (u128, u128) {
        let (loss, delta) = if self.uses_left() == 0 { (0, 0) } else { self.balance.left().units() };
        (loss.into(), delta.into())
    }

    /// The number of the version that a reservation at this index reads: 1 is the publication. Of a right, nothing that means
    /// anything.
    #[must_use]
    pub fn version_at(&self, index: u64) -> u64 {
        match self.kind() {
            AccountKind::Lineage { versions, .. } => 1 + versions.partition_point(|(at, _)| *at < index) as u64,
            AccountKind::Right { .. } => 1,
        }
    }

    pub(super) fn spent(&self) -> Measure {
        Measure { loss: self.balance.spent(), uses: self.uses }
    }
}
