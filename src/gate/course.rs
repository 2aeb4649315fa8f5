//! The course of a request: each state that it goes through, as a type.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::AnswerError;
use super::pending::Promise;
use super::registry::Lineage;
use super::turn::Turn;
use crate::archive::OpeningName;
use crate::envelope::Signed;
use crate::id::{AccountId, Digest, Time};
use crate::ledger::{Admitted, Charges, Event, Measure, Proposal, Seal, WriteError};
use crate::plan::{Allocation, BoundQuery};
use crate::receipt::Release;
use crate::right::{Request, Verified};

/// What became of a request.
pub(super) type Outcome = Result<Release, AnswerError>;

/// How a caller follows a computation: progress in blocks done and their number, from any thread.
pub type Watch = Arc<dyn Fn(u64, u64) + Send + Sync>;

/// Work that says nothing about cells: what comes in, and what leaves.
pub(super) enum Errand {
    Verify(Asked),
    /// The ledger did not take it.
    NotCharged(Box<Proposed>, WriteError),
    Leave(Leaving),
}

/// A request as it came in.
pub(super) struct Asked {
    pub(super) bytes: Vec<u8>,
    pub(super) promise: Promise<Outcome>,
    pub(super) run: RunOptions,
    pub(super) at: Duration,
}

/// How a request is run.
pub(super) struct RunOptions {
    pub(super) cancelled: Arc<AtomicBool>,
    pub(super) watch: Option<Watch>,
}

/// A request that verified, is within its right and fits the schema. Nothing is charged yet.
#[derive(Debug)]
pub struct VerifiedRequest {
    pub(super) request: Signed<Request>,
    pub(super) right: Verified,
    pub(super) bound: BoundQuery,
    pub(super) allocation: Allocation,
    pub(super) price: Measure,
}

/// A right on its way to its account: opened, and not yet in the ledger.
pub(super) struct FreshRight {
    pub(super) account: AccountId,
    pub(super) name: OpeningName,
    /// Its tag.
    pub(super) once: Digest,
}

impl FreshRight {
    /// The entry that registers it.
    pub(super) fn grant(&self, right: &Verified, lineage: AccountId) -> Event {
        let limit = Measure { loss: right.terms().budget, uses: right.terms().uses };
        let (account, artefact, once) = (self.account, *self.name.commitment(), Some(self.once));
        Event::Grant { account, dataset: lineage, artefact, limit, once }
    }
}

/// A request whose charge and start the ledger was asked for.
pub(super) struct Proposed {
    pub(super) turn: Turn<Outcome>,
    pub(super) verified: VerifiedRequest,
    pub(super) lineage: Arc<Lineage>,
    pub(super) run: RunOptions,
    /// When it came in.
    pub(super) at: Duration,
    pub(super) charge: Charging,
}

/// What is asked of the ledger for a request.
pub(super) enum Charging {
    /// A charge, under a right that has its account.
    First,
    /// A charge, and the account of its right with it.
    FirstUse(FreshRight),
    /// Another run under the charge that stands at this index.
    Again(u64, Charges),
}

/// A request that was charged and started, durably.
pub(super) struct Charged {
    pub(super) proposed: Box<Proposed>,
    pub(super) admitted: Admitted,
    /// When charge and start were durable: the quantum counts from here.
    pub(super) at: Duration,
}

/// A request whose start is durable: cells may be read, and nothing is ever refunded. Only the gate makes one:
///
/// ```compile_fail,E0451
/// fn forge(started: usufruct::gate::Started) -> usufruct::gate::Started {
///     usufruct::gate::Started { reserved: 0, ..started }
/// }
/// ```
#[derive(Debug)]
pub struct Started {
    pub(super) verified: VerifiedRequest,
    pub(super) lineage: Arc<Lineage>,
    /// Index of its reservation.
    pub(super) reserved: u64,
    pub(super) charges: Charges,
}

/// What leaves at the end of a quantum. Everything does that a request may end with: when a refusal leaves would tell how busy
/// the gate is with the cells of another.
pub(super) enum Due {
    /// An answer that is still to be made durable and sealed.
    Seal(Turn<Outcome>, Box<Computed>),
    Leave(Leaving),
}

/// An outcome on its way to whoever asked.
pub(super) enum Leaving {
    /// Refused before it had a turn.
    Refused(Promise<Outcome>, AnswerError),
    Failed(Turn<Outcome>, AnswerError),
    Sealed(Box<Delivery>),
}

/// An answer in memory.
pub(super) struct Computed {
    pub(super) request: Signed<Request>,
    pub(super) digest: Digest,
    pub(super) bytes: Vec<u8>,
}

/// A sealed answer on its way to whoever asked.
pub(super) struct Delivery {
    pub(super) turn: Turn<Outcome>,
    pub(super) request: Signed<Request>,
    pub(super) seal: Sealed,
}

/// Where the ledger says that an answer was sealed.
pub(super) struct Sealed {
    pub(super) seal: Seal,
    pub(super) index: u64,
    pub(super) time: Time,
}

/// What is known of a verified request.
pub(super) enum Standing {
    New,
    /// Charged before, and not sealed: runs again under the same charge.
    Charged(u64, Charges),
    Sealed(Sealed),
}

/// How a verified request goes on.
pub(super) enum Next {
    Ask(Proposal, Charging),
    Deliver(Sealed),
}
