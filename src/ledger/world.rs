//! A small world for tests of ledgers: an owner, two gates, and acts with fixed keys.

use super::certificate::GateCertificate;
use super::change::{ClockReset, QuantumChange};
use super::charge::Measure;
use super::commitment::Commitment;
use super::entry::{Event, Genesis, RefillReason};
use super::foundation::Foundation;
use super::proposal::{Act, Proposal, Reserve};
use super::quantum::Quantum;
use crate::budget::{Epsilon, Loss};
use crate::envelope::{Artefact, Signed};
use crate::id::{AccountId, Digest, LedgerId, RequestId, Time};
use crate::key::{KeySet, Signer as _, SigningKey};
use crate::random::RecordedRandom;

/// 2026-01-01T00:00:00Z, a multiple of every quantum.
pub(super) const START: Time = Time::from_unix_s(1_767_225_600);

pub(super) struct World {
    pub(super) owner: SigningKey,
    pub(super) gate: SigningKey,
    pub(super) ledger: LedgerId,
    pub(super) foundation: Foundation,
}

/// Signed, or nothing where the key does not sign, which keys in memory always do.
fn signed<T: Artefact>(value: T, key: &SigningKey) -> Option<Signed<T>> {
    Signed::sign(value, key).ok()
}

impl World {
    pub(super) fn new(quantum: Quantum) -> Self {
        let key = |seed: &str| SigningKey::generate(&mut RecordedRandom::from_seed(seed));
        let (owner, gate) = (key("owner"), key("gate"));
        let next = Digest::of(b"next");
        let genesis = Genesis { owner: KeySet::single(owner.public().clone()), next, random: [7; 16], test: true };
        let ledger = genesis.ledger_id();
        let certificate = certificate(ledger, &gate, 0);
        let certificate = signed(certificate, &owner).expect("a key in memory signs");
        let foundation = Foundation { genesis, certificate, quantum, secret: Commitment::from_bytes([9; 32]) };
        Self { owner, gate, ledger, foundation }
    }

    /// A certificate with this number for this gate, signed by `signer`.
    pub(super) fn certificate(&self, gate: &SigningKey, number: u64, signer: &SigningKey) -> Event {
        self.bytes(certificate(self.ledger, gate, number), signer, |bytes| Event::Certificate { bytes })
    }

    pub(super) fn quantum(&self, number: u64, quantum: Quantum) -> Event {
        let change = QuantumChange { ledger: self.ledger, number, quantum };
        self.bytes(change, &self.owner, |bytes| Event::Quantum { bytes })
    }

    pub(super) fn clock(&self, number: u64, time: Time) -> Event {
        let reset = ClockReset { ledger: self.ledger, number, time };
        self.bytes(reset, &self.owner, |bytes| Event::Clock { bytes })
    }

    fn bytes<T: Artefact>(&self, value: T, key: &SigningKey, event: fn(Vec<u8>) -> Event) -> Event {
        event(signed(value, key).map(|signed| signed.bytes().to_vec()).unwrap_or_default())
    }
}

fn certificate(ledger: LedgerId, gate: &SigningKey, number: u64) -> GateCertificate {
    GateCertificate { ledger, gate: gate.public().clone(), not_before: START, not_after: START.plus_s(1 << 30), number }
}

pub(super) fn account(number: u8) -> AccountId {
    AccountId::from_bytes([number; 16])
}

pub(super) fn request(number: u32) -> RequestId {
    RequestId::from_bytes(*Digest::of(&number.to_be_bytes()).as_bytes())
}

/// So many thousandths of epsilon.
pub(super) fn loss(thousandths: u64) -> Loss {
    Loss::pure(Epsilon::from_units(thousandths * 1_000_000_000).unwrap_or(Epsilon::MAX))
}

fn artefact(of: &str, number: u64) -> Commitment {
    Commitment::from_bytes(*Digest::of(format!("{of} {number}").as_bytes()).as_bytes())
}

pub(super) fn tag(name: &str) -> Option<Digest> {
    Some(Digest::of(name.as_bytes()))
}

/// The lineage `number`, named after it.
pub(super) fn publish(number: u8, limit: u64) -> Event {
    let once = tag(&format!("dataset {number}"));
    Event::Publish { account: account(number), artefact: artefact("publication", number.into()), limit: loss(limit), once }
}

/// The right `number` over a lineage.
pub(super) fn grant(number: u8, dataset: u8, limit: u64, uses: u64) -> Event {
    let once = tag(&format!("right {number}"));
    let limit = Measure { loss: loss(limit), uses };
    Event::Grant { account: account(number), artefact: artefact("right", number.into()), limit, dataset: account(dataset), once }
}

pub(super) fn version(dataset: u8, number: u64) -> Event {
    Event::Version { account: account(dataset), artefact: artefact("version", number), number: Some(number) }
}

pub(super) fn refill(dataset: u8, number: u64, amount: u64) -> Event {
    let (artefact, amount) = (artefact("refill", number), loss(amount));
    Event::Refill { account: account(dataset), artefact, amount, reason: RefillReason::Accepted, number: Some(number) }
}

/// Request `number`, which expires a minute after the start and may be charged at any time.
pub(super) fn reserve(number: u32, accounts: &[u8], amount: u64) -> Reserve {
    Reserve {
        request: request(number),
        once: Digest::of(format!("nonce {number}").as_bytes()),
        expires_at: START.plus_s(60),
        amount: Measure { loss: loss(amount), uses: 1 },
        accounts: accounts.iter().copied().map(account).collect(),
        from: Time::from_unix_s(0),
        until: Time::MAX,
    }
}

pub(super) fn record(event: Event) -> Proposal {
    Proposal::one(Act::Record(event))
}
