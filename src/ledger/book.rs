//! The fold of the ledger: what its entries make of accounts and requests, and the rules by which one may follow.
//!
//! ```text
//! entry --rules--> Overlay --merge--> Book        admission: the overlay is what a batch would make of the book, and is
//! entry --rules-----------------------> Book      merged once the batch is durable; the fold at open, and an audit
//! ```
//! The same rules admit a new entry, rebuild the state at open, and audit the past.

mod account;
mod error;
mod map;
mod overlay;
mod rules;
#[cfg(test)]
mod tests;

pub use account::{Account, AccountKind, RequestRecord, RequestState};
pub use error::BookError;
pub(in crate::ledger) use overlay::{Changes, Overlay};
pub(in crate::ledger) use rules::{State, apply, charge};

use std::collections::BTreeMap;
use std::sync::Arc;

use super::certificate::GateCertificate;
use super::charge::{Charge, Measure};
use super::commitment::Commitment;
use super::entry::{Entry, Genesis};
use super::quantum::Quantum;
use crate::envelope::Signed;
use crate::id::{AccountId, Digest, LedgerId, RequestId, Time};
use map::{IdMap, Keyed};

/// A reservation that never started is given back this long after its request has expired: longer than clocks may differ.
pub const REFUND_AFTER_S: u64 = 300;

/// The fold of the ledger: accounts and requests after its entries.
#[derive(Clone, Debug, Default)]
pub struct Book {
    head: Head,
    accounts: IdMap<AccountId, Account>,
    /// Accounts in the order in which they were opened.
    opened: Vec<AccountId>,
    requests: IdMap<RequestId, Box<RequestRecord>>,
    once: IdMap<Digest, RequestId>,
    /// Tags of names and rights.
    tags: IdMap<Digest, AccountId>,
    /// Reserved and not started, by expiry and reservation.
    waiting: BTreeMap<(Time, u64), RequestId>,
}

/// What every entry looks at.
#[derive(Clone, Debug, Default)]
pub(in crate::ledger) struct Head {
    size: u64,
    time: Option<Time>,
    quantum: Quantum,
    /// Changes of the quantum so far.
    quanta: u64,
    /// Seldom changed, and shared by all that copy the head.
    roots: Arc<Roots>,
}

/// What the ledger says of itself.
#[derive(Clone, Debug, Default)]
struct Roots {
    genesis: Option<(Genesis, LedgerId)>,
    certificates: Vec<(u64, Signed<GateCertificate>)>,
    upgrade: Option<(u64, Commitment)>,
    resets: Vec<(u64, Time)>,
}

impl Book {
    /// Number of entries.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.head.size
    }

    /// Time of the last entry.
    #[must_use]
    pub const fn time(&self) -> Option<Time> {
        self.head.time
    }

    /// The quantum of times.
    #[must_use]
    pub const fn quantum(&self) -> Quantum {
        self.head.quantum
    }

    /// How often the owner has changed the quantum.
    #[must_use]
    pub const fn quantum_changes(&self) -> u64 {
        self.head.quanta
    }

    /// The first entry.
    #[must_use]
    pub fn genesis(&self) -> Option<&Genesis> {
        self.head.roots.genesis.as_ref().map(|(genesis, _)| genesis)
    }

    /// The id of the ledger.
    #[must_use]
    pub fn ledger_id(&self) -> Option<LedgerId> {
        self.head.roots.genesis.as_ref().map(|(_, id)| *id)
    }

    /// The certificates of the gate with the indexes of their entries, in order; the last is in force.
    #[must_use]
    pub fn certificates(&self) -> &[(u64, Signed<GateCertificate>)] {
        &self.head.roots.certificates
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

    /// The index from which on entries have the new form, and the commitment to the secret of the tags.
    #[must_use]
    pub fn upgrade(&self) -> Option<(u64, Commitment)> {
        self.head.roots.upgrade
    }

    /// Where the owner has set gate time back: index, and the time before.
    #[must_use]
    pub fn clock_resets(&self) -> &[(u64, Time)] {
        &self.head.roots.resets
    }

    /// An account.
    #[must_use]
    pub fn account(&self, id: &AccountId) -> Option<&Account> {
        self.accounts.get(id)
    }

    /// All accounts in the order in which they were opened.
    pub fn accounts(&self) -> impl Iterator<Item = (AccountId, &Account)> {
        self.opened.iter().filter_map(|id| Some((*id, self.accounts.get(id)?)))
    }

    /// What became of a request.
    #[must_use]
    pub fn request(&self, id: &RequestId) -> Option<&RequestRecord> {
        self.requests.get(id).map(|record| &**record)
    }

    /// All requests.
    pub fn requests(&self) -> impl Iterator<Item = (&RequestId, &RequestRecord)> {
        self.requests.iter().map(|(id, record)| (id, &**record))
    }

    /// The request that used this holder's nonce.
    #[must_use]
    pub fn once(&self, once: &Digest) -> Option<RequestId> {
        self.once.get(once).copied()
    }

    /// The account that the tag of a name or a right has opened.
    #[must_use]
    pub fn tagged(&self, tag: &Digest) -> Option<AccountId> {
        self.tags.get(tag).copied()
    }

    /// Requests that are reserved, never started, and may be refunded at `time`; the first `most` of them.
    pub fn due(&self, time: Time, most: usize) -> impl Iterator<Item = RequestId> {
        let last = time.unix_s().checked_sub(REFUND_AFTER_S + 1).map(Time::from_unix_s);
        let due = last.map(|last| self.waiting.range(..=(last, u64::MAX)));
        due.into_iter().flatten().map(|(_, request)| *request).take(most)
    }

    /// The charge of `amount` on an account as it stands now.
    ///
    /// # Errors
    /// No such account, or a sum that no account can hold. Whether it fits is for [`Book::apply`] to say.
    pub fn charge(&self, account: AccountId, amount: Measure) -> Result<Charge, BookError> {
        charge(self, account, amount)
    }

    /// Appends an entry, or leaves everything as it was.
    ///
    /// # Errors
    /// The entry cannot follow.
    pub fn apply(&mut self, entry: &Entry) -> Result<(), BookError> {
        apply(self, entry)
    }

    /// Takes what an overlay has changed.
    pub(in crate::ledger) fn merge(&mut self, changes: Changes) {
        let Changes { head, accounts, opened, requests, once, tags } = changes;
        self.head = head;
        self.accounts.extend(accounts);
        self.opened.extend(opened);
        for (id, record) in requests {
            self.wait(id, &record);
            self.requests.insert(id, record);
        }
        self.once.extend(once);
        self.tags.extend(tags);
    }

    /// Only what is reserved and has not started waits.
    fn wait(&mut self, id: RequestId, record: &RequestRecord) {
        let place = (record.expires_at, record.reserved);
        if record.state == RequestState::Reserved {
            self.waiting.insert(place, id);
        } else {
            self.waiting.remove(&place);
        }
    }
}

impl State for Book {
    fn head(&self) -> &Head {
        &self.head
    }

    fn head_mut(&mut self) -> &mut Head {
        &mut self.head
    }

    fn keyed(&self) -> Keyed {
        *self.accounts.hasher()
    }

    fn account(&self, id: &AccountId) -> Option<&Account> {
        self.accounts.get(id)
    }

    fn account_mut(&mut self, id: &AccountId) -> Option<&mut Account> {
        self.accounts.get_mut(id)
    }

    fn open(&mut self, id: AccountId, account: Account) {
        self.accounts.insert(id, account);
        self.opened.push(id);
    }

    fn request(&self, id: &RequestId) -> Option<&RequestRecord> {
        Self::request(self, id)
    }

    fn reserve(&mut self, id: RequestId, once: Digest, record: RequestRecord) {
        self.wait(id, &record);
        self.once.insert(once, id);
        self.requests.insert(id, Box::new(record));
    }

    fn set_state(&mut self, id: &RequestId, state: RequestState) {
        if let Some(record) = self.requests.get_mut(id) {
            self.waiting.remove(&(record.expires_at, record.reserved));
            record.state = state;
        }
    }

    fn once(&self, once: &Digest) -> Option<RequestId> {
        Self::once(self, once)
    }

    fn tagged(&self, tag: &Digest) -> Option<AccountId> {
        Self::tagged(self, tag)
    }

    fn tag(&mut self, tag: Digest, account: AccountId) {
        self.tags.insert(tag, account);
    }
}
