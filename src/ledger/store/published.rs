//! The state that readers see: what is durable, changed between two batches.

use super::super::batch::{Batch, Encoded, Taken};
use super::super::book::{Account, Book, BookError, Changes, LedgerHead, RequestRecord};
use super::super::entry::Entry;
use super::super::proposal::{Admitted, Proposal, Ticket};
use super::super::tree::{Tree, leaf_hash};
use super::{LedgerError, LedgerView};
use crate::id::{AccountId, Digest, RequestId, Time};
use crate::sync::{RwLock, RwLockReadGuard};

/// Book and tree of what is durable: readers hold it for a moment, one writer changes it between two batches.
pub(in crate::ledger) struct Published(RwLock<State>);

#[derive(Default)]
pub(in crate::ledger) struct State {
    pub(super) book: Book,
    pub(super) tree: Tree,
}

impl State {
    /// Appends an entry whose canonical bytes these are.
    pub(in crate::ledger) fn push(&mut self, entry: &Entry, bytes: &[u8]) -> Result<(), BookError> {
        self.book.apply(entry)?;
        self.tree.push(leaf_hash(bytes));
        Ok(())
    }
}

/// Room is made for at most so many proposals at once; a batch that takes more of them grows.
const COUNT_MAX: usize = 1 << 12;

impl Published {
    pub(in crate::ledger) fn new(state: State) -> Self {
        Self(RwLock::new(state))
    }

    /// A panic while the state was changed, which nothing does, would leave it in doubt.
    pub(super) fn read(&self) -> Result<RwLockReadGuard<'_, State>, LedgerError> {
        self.0.read().map_err(|_| LedgerError::Stopped)
    }

    /// Admits what fits in one batch, makes it durable by `write`, and publishes it. The caller is the only writer. The buffers
    /// come back to serve again.
    pub(in crate::ledger) fn append(
        &self,
        proposals: &[Proposal],
        now: Time,
        buffers: &mut Encoded,
        limit: usize,
        write: impl FnOnce(&Encoded) -> Result<(), LedgerError>,
    ) -> Result<Vec<Result<Admitted, BookError>>, LedgerError> {
        // Readers go on while this is held: it is taken for reading.
        let state = self.read()?;
        let mut batch = Batch::new(&state.book, std::mem::take(buffers), limit, proposals.len().min(COUNT_MAX));
        let mut outcomes = Vec::with_capacity(proposals.len());
        for proposal in proposals {
            match batch.take(proposal, now) {
                Taken::Judged(outcome) => outcomes.push(outcome),
                Taken::Full => break,
            }
        }
        let (entries, changes) = batch.finish();
        if !entries.is_empty() {
            let written = write(&entries);
            drop(state);
            if written.is_ok() {
                self.publish(&entries, changes)?;
            }
            *buffers = entries;
            return written.map(|()| outcomes);
        }
        *buffers = entries;
        Ok(outcomes)
    }

    fn publish(&self, entries: &Encoded, changes: Changes) -> Result<(), LedgerError> {
        let leaves: Vec<[u8; 32]> = entries.iter().map(leaf_hash).collect();
        let mut state = self.0.write().map_err(|_| LedgerError::Stopped)?;
        state.book.merge(changes);
        for leaf in leaves {
            state.tree.push(leaf);
        }
        Ok(())
    }

    /// The index that the ticket names, which is its number.
    pub(in crate::ledger) fn locate(&self, ticket: Ticket) -> Result<u64, LedgerError> {
        let size = self.read()?.book.size();
        let index = u64::try_from(ticket.number()).ok().filter(|index| *index < size);
        index.ok_or(LedgerError::Ticket { ticket: ticket.number() })
    }

    pub(in crate::ledger) fn view(&self) -> Result<Box<dyn LedgerView + '_>, LedgerError> {
        Ok(Box::new(Held(self.read()?)))
    }
}

/// A state that is held while it is shown.
struct Held<'a>(RwLockReadGuard<'a, State>);

/// A state that nobody changes.
pub(super) struct Shown<'a> {
    pub(super) book: &'a Book,
    pub(super) tree: &'a Tree,
}

/// Whatever has a book and a tree shows them alike.
trait Shows {
    fn book(&self) -> &Book;
    fn tree(&self) -> &Tree;
}

impl Shows for Held<'_> {
    fn book(&self) -> &Book {
        &self.0.book
    }

    fn tree(&self) -> &Tree {
        &self.0.tree
    }
}

impl Shows for Shown<'_> {
    fn book(&self) -> &Book {
        self.book
    }

    fn tree(&self) -> &Tree {
        self.tree
    }
}

impl<S: Shows> LedgerView for S {
    fn head(&self) -> &LedgerHead {
        self.book().head()
    }

    fn account(&self, id: &AccountId) -> Result<Option<Account>, LedgerError> {
        Ok(self.book().account(id).cloned())
    }

    fn accounts(&self, visit: &mut dyn FnMut(AccountId, &Account)) -> Result<(), LedgerError> {
        self.book().accounts().for_each(|(id, account)| visit(id, account));
        Ok(())
    }

    fn request(&self, id: &RequestId) -> Result<Option<RequestRecord>, LedgerError> {
        Ok(self.book().request(id).cloned())
    }

    fn requests(&self, from: u64, most: usize, visit: &mut dyn FnMut(RequestId, &RequestRecord)) -> Result<(), LedgerError> {
        self.book().requests_from(from).take(most).for_each(|(id, record)| visit(*id, record));
        Ok(())
    }

    fn once(&self, once: &Digest) -> Result<Option<RequestId>, LedgerError> {
        Ok(self.book().once(once))
    }

    fn tagged(&self, tag: &Digest) -> Result<Option<AccountId>, LedgerError> {
        Ok(self.book().tagged(tag))
    }

    fn due(&self, time: Time, most: usize) -> Result<Vec<RequestId>, LedgerError> {
        Ok(self.book().due(time, most).collect())
    }

    fn root_at(&self, size: u64) -> Result<Option<[u8; 32]>, LedgerError> {
        Ok(self.tree().root_at(size))
    }

    fn inclusion(&self, index: u64, size: u64) -> Result<Option<Vec<[u8; 32]>>, LedgerError> {
        Ok(self.tree().inclusion(index, size))
    }

    fn consistency(&self, old: u64, new: u64) -> Result<Option<Vec<[u8; 32]>>, LedgerError> {
        Ok(self.tree().consistency(old, new))
    }
}
