//! Where a ledger is kept: the seam between the gate and a journal, a memory, or a database.
//!
//! ```text
//! proposals --append--> admitted by the rules, durable, published       one batch, one step
//!                            \--ticket--locate--> index of the entry    later, if the store gives indexes later
//! view --> head, accounts, requests, proofs                             one durable state; never waits for a sync
//! ```
//! A store admits a proposal by the rules of [`Book`](super::Book) and by nothing else. What it shows is durable: a view
//! never has an entry that a loss of power could take back. Every store passes `conformance` (feature `hazmat`).

mod error;
#[cfg(any(test, feature = "hazmat"))]
mod failing;
mod journal_store;
mod memory;
pub(super) mod published;
mod reading;
#[cfg(test)]
mod tests;

pub use error::LedgerError;
#[cfg(any(test, feature = "hazmat"))]
pub use failing::{FailingStore, StoreFailure};
pub use journal_store::JournalStore;
pub use memory::MemoryStore;
pub use reading::LedgerReading;

use super::book::{Account, BookError, LedgerHead, RequestRecord};
use super::certificate::origin_of;
use super::checkpoint::Checkpoint;
use super::proposal::{Admitted, Proposal, Ticket};
use crate::id::{AccountId, Digest, RequestId, Time};

/// A ledger that is being kept.
pub trait LedgerStore: Send + Sync {
    /// Admits proposals in their order and makes the admitted ones durable in one step. `now` is the time of the clock.
    ///
    /// Returns what became of the first of them, at least of one if there is one: a batch has a limit, and those that it did
    /// not reach were not looked at.
    ///
    /// # Errors
    /// Nothing of this call is in any view. After an error that leaves open what is durable, the store stops: it gives
    /// [`LedgerError::Stopped`] until it is opened again.
    fn append(&self, proposals: &[Proposal], now: Time) -> Result<Vec<Result<Admitted, BookError>>, LedgerError>;

    /// The index of the first entry of an admitted proposal; the others follow it. May wait until there is one.
    ///
    /// # Errors
    /// No such ticket, or the store cannot be read.
    fn locate(&self, ticket: Ticket) -> Result<u64, LedgerError>;

    /// One durable state, which stays as it is while it is held. Hold it briefly, and ask nothing else of the store meanwhile
    /// in the same thread: a writer that waits for the view would be waited for.
    ///
    /// # Errors
    /// The store cannot be read.
    fn view(&self) -> Result<Box<dyn LedgerView + '_>, LedgerError>;

    /// Gives the canonical bytes of every durable entry from index `from` on to `visit`, in order.
    ///
    /// # Errors
    /// The store cannot be read.
    fn entries(&self, from: u64, visit: &mut dyn FnMut(u64, &[u8])) -> Result<(), LedgerError>;

    /// Keeps a signed checkpoint of this ledger; whoever opens it again finds that it has at least these entries. One that is
    /// older than the kept one changes nothing.
    ///
    /// # Errors
    /// It is not of this ledger, not signed by a gate of it, or cannot be kept.
    fn keep_checkpoint(&self, note: &str) -> Result<(), LedgerError>;
}

/// One durable state of a ledger.
pub trait LedgerView {
    /// What the ledger says of itself.
    fn head(&self) -> &LedgerHead;

    /// An account.
    ///
    /// # Errors
    /// The store cannot be read, as everywhere here.
    fn account(&self, id: &AccountId) -> Result<Option<Account>, LedgerError>;

    /// All accounts in the order in which they were opened.
    ///
    /// # Errors
    /// The store cannot be read.
    fn accounts(&self, visit: &mut dyn FnMut(AccountId, &Account)) -> Result<(), LedgerError>;

    /// What became of a request.
    ///
    /// # Errors
    /// The store cannot be read.
    fn request(&self, id: &RequestId) -> Result<Option<RequestRecord>, LedgerError>;

    /// A page of the requests, in the order of their reservations: the first `most` of those whose reservation stands at index `from`
    /// or behind it. The next page begins behind the reservation of the last; whoever wants many takes a view for each.
    ///
    /// # Errors
    /// The store cannot be read.
    fn requests(&self, from: u64, most: usize, visit: &mut dyn FnMut(RequestId, &RequestRecord)) -> Result<(), LedgerError>;

    /// The request that used this holder's nonce.
    ///
    /// # Errors
    /// The store cannot be read.
    fn once(&self, once: &Digest) -> Result<Option<RequestId>, LedgerError>;

    /// The account that the tag of a name or a right has opened.
    ///
    /// # Errors
    /// The store cannot be read.
    fn tagged(&self, tag: &Digest) -> Result<Option<AccountId>, LedgerError>;

    /// Requests that are reserved, never started, and may be refunded at `time`: the first `most` of them.
    ///
    /// # Errors
    /// The store cannot be read.
    fn due(&self, time: Time, most: usize) -> Result<Vec<RequestId>, LedgerError>;

    /// The root over the first `size` entries; nothing if there are not so many.
    ///
    /// # Errors
    /// The store cannot be read.
    fn root_at(&self, size: u64) -> Result<Option<[u8; 32]>, LedgerError>;

    /// The inclusion path of entry `index` among the first `size`; nothing unless `index < size` and there are so many.
    ///
    /// # Errors
    /// The store cannot be read.
    fn inclusion(&self, index: u64, size: u64) -> Result<Option<Vec<[u8; 32]>>, LedgerError>;

    /// The consistency path from the first `old` entries to the first `new`; nothing unless `old <= new` and there are so
    /// many.
    ///
    /// # Errors
    /// The store cannot be read.
    fn consistency(&self, old: u64, new: u64) -> Result<Option<Vec<[u8; 32]>>, LedgerError>;

    /// The checkpoint over the first `size` entries, for the gate to sign; nothing if there are not so many.
    ///
    /// # Errors
    /// The store cannot be read.
    fn checkpoint(&self, size: u64) -> Result<Option<Checkpoint>, LedgerError> {
        let Some((ledger, root)) = self.head().ledger_id().zip(self.root_at(size)?) else { return Ok(None) };
        Ok(Some(Checkpoint::new(&origin_of(ledger), size, root)?))
    }
}
