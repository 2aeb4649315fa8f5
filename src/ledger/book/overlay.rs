//! What entries would make of a state, kept apart until they are durable.

use std::collections::hash_map::Entry as Slot;
use std::hash::Hash;

use super::account::{Account, RequestRecord, RequestState};
use super::head::LedgerHead;
use super::map::{IdMap, Keyed};
use super::rules::State;
use crate::id::{AccountId, Digest, RequestId};

/// What entries would make of a state, without changing it: the state is read where nothing here says otherwise.
pub(in crate::ledger) struct Overlay<'b, S> {
    base: &'b S,
    changes: Changes,
}

/// What an overlay has changed; [`Book::merge`](super::Book) or [`Overlay::merge`] takes it.
pub(in crate::ledger) struct Changes {
    pub(super) head: LedgerHead,
    pub(super) accounts: IdMap<AccountId, Account>,
    pub(super) opened: Vec<AccountId>,
    pub(super) requests: IdMap<RequestId, Box<RequestRecord>>,
    pub(super) reserved: Vec<RequestId>,
    pub(super) once: IdMap<Digest, RequestId>,
    pub(super) tags: IdMap<Digest, AccountId>,
}

impl<'b, S: State> Overlay<'b, S> {
    pub(in crate::ledger) fn new(base: &'b S) -> Self {
        let keyed = base.keyed();
        let changes = Changes {
            head: base.head().clone(),
            accounts: IdMap::with_hasher(keyed),
            opened: Vec::new(),
            requests: IdMap::with_hasher(keyed),
            reserved: Vec::new(),
            once: IdMap::with_hasher(keyed),
            tags: IdMap::with_hasher(keyed),
        };
        Self { base, changes }
    }

    /// An overlay that will take so many requests without growing.
    pub(in crate::ledger) fn for_requests(base: &'b S, count: usize) -> Self {
        let mut overlay = Self::new(base);
        overlay.changes.requests.reserve(count);
        overlay.changes.once.reserve(count);
        overlay
    }

    pub(in crate::ledger) fn into_changes(self) -> Changes {
        self.changes
    }

    /// Takes what an overlay over this one has changed.
    pub(in crate::ledger) fn merge(&mut self, changes: Changes) {
        let Changes { head, accounts, opened, requests, reserved, once, tags } = changes;
        self.changes.head = head;
        self.changes.accounts.extend(accounts);
        self.changes.opened.extend(opened);
        self.changes.requests.extend(requests);
        self.changes.reserved.extend(reserved);
        self.changes.once.extend(once);
        self.changes.tags.extend(tags);
    }
}

impl<S: State> State for Overlay<'_, S> {
    fn head(&self) -> &LedgerHead {
        &self.changes.head
    }

    fn head_mut(&mut self) -> &mut LedgerHead {
        &mut self.changes.head
    }

    fn keyed(&self) -> Keyed {
        self.base.keyed()
    }

    fn account(&self, id: &AccountId) -> Option<&Account> {
        self.changes.accounts.get(id).or_else(|| self.base.account(id))
    }

    fn account_mut(&mut self, id: &AccountId) -> Option<&mut Account> {
        own(&mut self.changes.accounts, id, || self.base.account(id).cloned())
    }

    fn open(&mut self, id: AccountId, account: Account) {
        self.changes.accounts.insert(id, account);
        self.changes.opened.push(id);
    }

    fn request(&self, id: &RequestId) -> Option<&RequestRecord> {
        self.changes.requests.get(id).map(|record| &**record).or_else(|| self.base.request(id))
    }

    fn reserve(&mut self, id: RequestId, once: Digest, record: RequestRecord) {
        self.changes.once.insert(once, id);
        self.changes.reserved.push(id);
        self.changes.requests.insert(id, Box::new(record));
    }

    fn set_state(&mut self, id: &RequestId, state: RequestState) {
        if let Some(record) = own(&mut self.changes.requests, id, || self.base.request(id).cloned().map(Box::new)) {
            record.state = state;
        }
    }

    fn once(&self, once: &Digest) -> Option<RequestId> {
        self.changes.once.get(once).copied().or_else(|| self.base.once(once))
    }

    fn tagged(&self, tag: &Digest) -> Option<AccountId> {
        self.changes.tags.get(tag).copied().or_else(|| self.base.tagged(tag))
    }

    fn tag(&mut self, tag: Digest, account: AccountId) {
        self.changes.tags.insert(tag, account);
    }
}

/// The value here, copied from the base at its first change.
fn own<'m, K: Copy + Eq + Hash, V>(map: &'m mut IdMap<K, V>, id: &K, base: impl FnOnce() -> Option<V>) -> Option<&'m mut V> {
    match map.entry(*id) {
        Slot::Occupied(slot) => Some(slot.into_mut()),
        Slot::Vacant(slot) => base().map(|value| slot.insert(value)),
    }
}
