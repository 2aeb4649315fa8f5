//! Proposals: what a caller wants recorded, before time, index and balances are known.

use super::book::{BookError, RequestRecord, State, charge};
use super::change::ClockReset;
use super::charge::{Charge, Charges, Measure};
use super::entry::{Entry, Event, Reservation, Seal};
use crate::envelope::Untrusted;
use crate::id::{AccountId, Digest, RequestId, Time};

/// What a caller wants recorded: admitted whole or not at all, as consecutive entries of one batch.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// In order; at least one.
    pub acts: Vec<Act>,
}

/// One entry to be. What depends on the state (time, index, charges) is filled in when it is admitted.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Act {
    /// An entry that depends on no state: an act of the owner.
    Record(Event),
    /// Charges a request.
    Reserve(Reserve),
    /// Cells are about to be read.
    Start {
        /// The request, which is reserved or has started.
        request: RequestId,
    },
    /// The answer is durable and may leave.
    Seal {
        /// The request, which has started.
        request: RequestId,
        /// SHA-256 of the answer.
        answer: Digest,
    },
    /// Gives a reservation back that never started.
    Refund {
        /// The request.
        request: RequestId,
    },
}

/// A charge to be.
#[derive(Clone, Debug)]
pub struct Reserve {
    /// The request.
    pub request: RequestId,
    /// A hash of holder and nonce ([`Reservation::once`]).
    pub once: Digest,
    /// When the request stops being answered.
    pub expires_at: Time,
    /// What each account is charged.
    pub amount: Measure,
    /// The lineage, then the rights over it.
    pub accounts: Vec<AccountId>,
    /// The first gate time at which the charge may be made.
    pub from: Time,
    /// The last.
    pub until: Time,
}

/// Names a proposal that a store has admitted, before its entries have an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticket(u128);

/// A proposal that was admitted and is durable.
#[derive(Clone, Debug)]
pub struct Admitted {
    /// For [`LedgerStore::locate`](super::LedgerStore::locate).
    pub ticket: Ticket,
    /// The time of its first entry.
    pub time: Time,
    /// What was recorded, charges filled in.
    pub events: Vec<Event>,
}

impl Proposal {
    /// Of one act.
    #[must_use]
    pub fn one(act: Act) -> Self {
        Self { acts: vec![act] }
    }

    /// Whether it is an owner's reset of the clock and nothing else: that alone is admitted while the clock is not believed.
    #[must_use]
    pub fn is_clock_reset(&self) -> bool {
        matches!(self.acts.as_slice(), [Act::Record(Event::Clock { .. })])
    }
}

impl Ticket {
    /// A number that the store understands.
    #[must_use]
    pub const fn new(number: u128) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> u128 {
        self.0
    }
}

impl Act {
    /// The entry that this becomes in the present state; whether it may follow is for the rules to say.
    pub(super) fn entry<S: State>(&self, state: &S, now: Time) -> Result<Entry, BookError> {
        let index = state.head().size();
        let record = |request: &RequestId, found| state.request(request).ok_or(BookError::State { index, request: *request, found });
        let event = match self {
            Self::Record(event) => event.clone(),
            Self::Reserve(reserve) => {
                let Reserve { request, once, expires_at, amount, accounts, from, until } = reserve;
                let time = state.head().time_at(now);
                if !(*from..=*until).contains(&time) {
                    return Err(BookError::Window { index, time, from: *from, until: *until });
                }
                let charges = Charges::of(accounts, |account| charge(state, *account, *amount))?;
                Event::Reserve(Reservation { request: *request, once: *once, expires_at: *expires_at, charges })
            }
            Self::Start { request } => Event::Start { request: *request, reserved: record(request, "start")?.reserved },
            Self::Seal { request, answer } => {
                let RequestRecord { reserved, reserved_at, charges, .. } = record(request, "seal")?;
                let (reserved, reserved_at, charges) = (*reserved, *reserved_at, charges.clone());
                Event::Seal(Seal { request: *request, reserved, reserved_at, answer: *answer, charges })
            }
            Self::Refund { request } => {
                let RequestRecord { reserved, charges, .. } = record(request, "refund")?;
                let charges = charges.iter().map(|charged| given_back(state, charged)).collect::<Result<Vec<_>, _>>()?;
                Event::Refund { request: *request, reserved: *reserved, charges: charges.into() }
            }
        };
        // The owner sets this time, signed; that it is signed is for the rules to say.
        let time = match &event {
            Event::Clock { bytes } => {
                let claimed = Untrusted::<ClockReset>::decode(bytes).and_then(|reset| reset.claimed());
                claimed.map_err(|_| BookError::Owner { index, found: event.name() })?.time
            }
            _ => state.head().time_at(now),
        };
        Ok(Entry { time, event })
    }
}

/// The refund of a charge as its account stands now.
fn given_back<S: State>(state: &S, charged: &Charge) -> Result<Charge, BookError> {
    let Charge { account, amount, .. } = *charged;
    let Charge { previous, .. } = charge(state, account, Measure { loss: crate::budget::Loss::zero(amount.loss.model()), uses: 0 })?;
    let new = previous.checked_sub(&amount).map_err(|problem| BookError::Budget { index: state.head().size(), account, problem })?;
    Ok(Charge { account, amount, previous, new })
}
