//! The fold of the ledger: what its entries make of accounts and requests, and the rules by which one may follow.
//!
//! ```text
//! entry --rules--> Overlay --merge--> Book        admission: the overlay is what a batch would make of the book, and is
//! entry --rules-----------------------> Book      merged once the batch is durable; the fold at open, and an audit
//! ```
//! The same rules admit a new entry, rebuild the state at open, and audit the past.

mod account;
mod error;
mod head;
mod map;
#[cfg(feature = "embedded")]
mod overlay;
mod rules;
#[cfg(all(test, feature = "embedded"))]
mod tests;

pub use account::{Account, AccountKind, RequestRecord, RequestState};
pub use error::BookError;
pub use head::LedgerHead;
#[cfg(feature = "embedded")]
pub(in crate::ledger) use overlay::{Changes, Overlay};
pub(in crate::ledger) use rules::{State, apply, charge};

use std::collections::BTreeMap;

use super::charge::{Charge, Measure};
use super::entry::Entry;
use crate::id::{AccountId, Digest, RequestId, Time};
use map::IdMap;
#[cfg(feature = "embedded")]
use map::Keyed;

/// A reservation that never started is given back this long after its request has expired: longer than clocks may differ.
pub const REFUND_AFTER_S: u64 = 300;

/// The fold of the ledger: accounts and requests after its entries.
#[derive(Clone, Debug, Default)]
pub struct Book {
    head: LedgerHead,
    accounts: IdMap<AccountId, Account>,
    /// Accounts in the order in which they were opened.
    opened: Vec<AccountId>,
    requests: IdMap<RequestId, Box<RequestRecord>>,
    /// Requests in the order of their reservations.
    reserved: Vec<RequestId>,
    once: IdMap<Digest, RequestId>,
    /// Tags of names and rights.
    tags: IdMap<Digest, AccountId>,
    /// Reserved and not started, by expiry and reservation.
    waiting: BTreeMap<(Time, u64), RequestId>,
}

impl Book {
    /// What the ledger says of itself.
    #[must_use]
    pub const fn head(&self) -> &LedgerHead {
        &self.head
    }

    /// Number of entries.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.head.size()
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

    /// All requests in the order of their reservations.
    pub fn requests(&self) -> impl Iterator<Item = (&RequestId, &RequestRecord)> {
        self.requests_from(0)
    }

    /// As [`Book::requests`], those whose reservation stands at this index or behind it.
    pub fn requests_from(&self, index: u64) -> impl Iterator<Item = (&RequestId, &RequestRecord)> {
        let before = self.reserved.partition_point(|id| self.request(id).is_some_and(|record| record.reserved < index));
        self.reserved[before..].iter().filter_map(|id| Some((id, self.request(id)?)))
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
    #[cfg(feature = "embedded")]
    pub(in crate::ledger) fn merge(&mut self, changes: Changes) {
        let Changes { head, accounts, opened, requests, reserved, once, tags } = changes;
        self.head = head;
        self.accounts.extend(accounts);
        self.opened.extend(opened);
        for (id, record) in requests {
            self.wait(id, &record);
            self.requests.insert(id, record);
        }
        self.reserved.extend(reserved);
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
    fn head(&self) -> &LedgerHead {
        &self.head
    }

    fn head_mut(&mut self) -> &mut LedgerHead {
        &mut self.head
    }

    #[cfg(feature = "embedded")]
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
        self.reserved.push(id);
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
