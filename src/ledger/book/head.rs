//! What a ledger says of itself: size, time, quantum, owner, certificates.

use std::sync::Arc;

use super::super::certificate::GateCertificate;
use super::super::commitment::Commitment;
use super::super::entry::Genesis;
use super::super::quantum::Quantum;
use crate::envelope::Signed;
use crate::id::{LedgerId, Time};

/// What a ledger says of itself after its entries.
#[derive(Clone, Debug, Default)]
pub struct LedgerHead {
    pub(super) size: u64,
    pub(super) time: Option<Time>,
    pub(super) quantum: Quantum,
    /// Changes of the quantum so far.
    pub(super) quanta: u64,
    /// Seldom changed, and shared by all that copy the head.
    pub(super) roots: Arc<Roots>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Roots {
    pub(super) genesis: Option<(Genesis, LedgerId)>,
    pub(super) certificates: Vec<(u64, Signed<GateCertificate>)>,
    pub(super) upgrade: Option<(u64, Commitment)>,
    pub(super) resets: Vec<(u64, Time)>,
}

impl LedgerHead {
    /// Number of entries.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Time of the last entry.
    #[must_use]
    pub const fn time(&self) -> Option<Time> {
        self.time
    }

    /// The quantum of times.
    #[must_use]
    pub const fn quantum(&self) -> Quantum {
        self.quantum
    }

    /// How often the owner has changed the quantum.
    #[must_use]
    pub const fn quantum_changes(&self) -> u64 {
        self.quanta
    }

    /// The time that the next entry has, given that of the clock: a multiple of the quantum, never before the last.
    #[must_use]
    pub fn time_at(&self, now: Time) -> Time {
        let now = self.quantum.floor(now);
        self.time.map_or(now, |last| self.quantum.ceil(last).max(now))
    }

    /// The first entry.
    #[must_use]
    pub fn genesis(&self) -> Option<&Genesis> {
        self.roots.genesis.as_ref().map(|(genesis, _)| genesis)
    }

    /// The id of the ledger.
    #[must_use]
    pub fn ledger_id(&self) -> Option<LedgerId> {
        self.roots.genesis.as_ref().map(|(_, id)| *id)
    }

    /// The certificates of the gate with the indexes of their entries, in order; the last is in force.
    #[must_use]
    pub fn certificates(&self) -> &[(u64, Signed<GateCertificate>)] {
        &self.roots.certificates
    }

    /// The certificate in force.
    #[must_use]
    pub fn certificate(&self) -> Option<&Signed<GateCertificate>> {
        self.certificates().last().map(|(_, certificate)| certificate)
    }

    /// The certificate that was in force for the entry at this index.
    #[must_use]
    pub fn certificate_at(&self, index: u64) -> Option<&Signed<GateCertificate>> {
        let before = self.certificates().partition_point(|(at, _)| *at <= index);
        self.certificates().get(before.checked_sub(1)?).map(|(_, certificate)| certificate)
    }

    /// The index of the entry behind which entries have the new form, and the commitment to the secret of the tags.
    #[must_use]
    pub fn upgrade(&self) -> Option<(u64, Commitment)> {
        self.roots.upgrade
    }

    /// Where the owner has set gate time back: index, and the time before.
    #[must_use]
    pub fn clock_resets(&self) -> &[(u64, Time)] {
        &self.roots.resets
    }
}
