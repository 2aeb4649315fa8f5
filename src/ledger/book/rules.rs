//! The rules by which an entry may follow. Each checks first and changes after, so that a refusal leaves the state as it was.

use std::sync::Arc;

use super::REFUND_AFTER_S;
use super::account::{Account, AccountKind, RequestRecord, RequestState};
use super::error::BookError;
use super::head::LedgerHead;
#[cfg(feature = "embedded")]
use super::map::Keyed;
use crate::budget::{BudgetError, PrivacyFilter as _};
use crate::envelope::{Artefact, Signed, Untrusted};
use crate::id::{AccountId, Digest, LedgerId, RequestId, Time};
use crate::ledger::certificate::GateCertificate;
use crate::ledger::change::{ClockReset, QuantumChange};
use crate::ledger::charge::{CHARGES_MAX, Charge, Measure};
use crate::ledger::entry::{Entry, Event, Genesis, Reservation, Seal};

/// What the rules read and change: a book, or an overlay over one.
pub(in crate::ledger) trait State {
    fn head(&self) -> &LedgerHead;
    fn head_mut(&mut self) -> &mut LedgerHead;
    /// The hash of its maps, which an overlay shares.
    #[cfg(feature = "embedded")]
    fn keyed(&self) -> Keyed;
    fn account(&self, id: &AccountId) -> Option<&Account>;
    fn account_mut(&mut self, id: &AccountId) -> Option<&mut Account>;
    fn open(&mut self, id: AccountId, account: Account);
    fn request(&self, id: &RequestId) -> Option<&RequestRecord>;
    fn reserve(&mut self, id: RequestId, once: Digest, record: RequestRecord);
    fn set_state(&mut self, id: &RequestId, state: RequestState);
    fn once(&self, once: &Digest) -> Option<RequestId>;
    fn tagged(&self, tag: &Digest) -> Option<AccountId>;
    fn tag(&mut self, tag: Digest, account: AccountId);
}

/// The entry whose turn it is.
#[derive(Clone, Copy)]
struct Turn {
    index: u64,
    time: Time,
    /// Behind the upgrade.
    new_form: bool,
    found: &'static str,
}

/// Appends an entry, or leaves everything as it was.
pub(in crate::ledger) fn apply<S: State>(state: &mut S, entry: &Entry) -> Result<(), BookError> {
    let LedgerHead { size: index, time: last, quantum, .. } = *state.head();
    let found = entry.event.name();
    let new_form = state.head().roots.upgrade.is_some();
    let turn = Turn { index, time: entry.time, new_form, found };
    if !in_place(&entry.event, index) {
        return Err(BookError::Place { index, found });
    }
    if !of_form(&entry.event, new_form) {
        return Err(BookError::Form { index, found });
    }
    let on_time = |last: Time| {
        let whole = !new_form || entry.time == quantum.floor(entry.time);
        entry.time >= last && whole
    };
    if !matches!(entry.event, Event::Clock { .. }) && !last.is_none_or(on_time) {
        return Err(BookError::Time { index });
    }
    turn.event(state, &entry.event)?;
    let head = state.head_mut();
    head.size += 1;
    head.time = Some(entry.time);
    Ok(())
}

fn in_place(event: &Event, index: u64) -> bool {
    match (event, index) {
        (Event::Genesis(_), 0) | (Event::Certificate { .. }, 1..) => true,
        (Event::Genesis(_), _) | (_, 0 | 1) => false,
        _ => true,
    }
}

/// Tags and numbers stand in every entry of the new form and in none of the old one.
fn of_form(event: &Event, new_form: bool) -> bool {
    match event {
        Event::Publish { once, .. } | Event::Grant { once, .. } => once.is_some() == new_form,
        Event::Version { number, .. } | Event::Refill { number, .. } => number.is_some() == new_form,
        Event::Upgrade { .. } => !new_form,
        Event::Quantum { .. } | Event::Clock { .. } => new_form,
        _ => true,
    }
}

/// The charge of `amount` on an account as it stands now.
pub(in crate::ledger) fn charge<S: State>(state: &S, account: AccountId, amount: Measure) -> Result<Charge, BookError> {
    let index = state.head().size;
    let previous = state.account(&account).ok_or(BookError::Account { index, account })?.spent();
    let new = previous.checked_add(&amount).map_err(|problem| BookError::Budget { index, account, problem })?;
    Ok(Charge { account, amount, previous, new })
}

impl Turn {
    fn event<S: State>(self, state: &mut S, event: &Event) -> Result<(), BookError> {
        let Self { index, time, .. } = self;
        match event {
            Event::Genesis(genesis) => {
                Arc::make_mut(&mut state.head_mut().roots).genesis = Some((genesis.clone(), genesis.ledger_id()));
            }
            Event::Certificate { bytes } => self.certificate(state, bytes)?,
            Event::Publish { account, artefact, limit, once } => {
                let kind = AccountKind::Lineage { publication: *artefact, versions: Vec::new(), refills: Vec::new() };
                self.open(state, *account, kind, Measure { loss: *limit, uses: u64::MAX }, once.as_ref())?;
            }
            Event::Version { account, artefact, number } => {
                let AccountKind::Lineage { versions, .. } = self.lineage(state, account)?.kind() else { return Ok(()) };
                self.number(*number, versions.len() as u64 + 2)?;
                self.with_history(state, account, |versions, _| versions.push((index, *artefact)));
            }
            Event::Refill { account, artefact, amount, reason, number } => {
                let lineage = self.lineage(state, account)?;
                let AccountKind::Lineage { refills, .. } = lineage.kind() else { return Ok(()) };
                self.number(*number, refills.len() as u64 + 1)?;
                let mut balance = lineage.balance;
                balance.refill(amount).map_err(|problem| BookError::Budget { index, account: *account, problem })?;
                self.with_history(state, account, |_, refills| refills.push((index, *artefact, *amount, *reason)));
                if let Some(lineage) = state.account_mut(account) {
                    lineage.balance = balance;
                }
            }
            Event::Grant { account, dataset, artefact, limit, once } => {
                if self.lineage(state, dataset)?.balance.limit().model() != limit.loss.model() {
                    return Err(BookError::Account { index, account: *dataset });
                }
                let kind = AccountKind::Right { dataset: *dataset, right: *artefact };
                self.open(state, *account, kind, *limit, once.as_ref())?;
                let promised = promised(state, std::slice::from_ref(account));
                outstanding(state, dataset, (0, 0), promised);
            }
            Event::Reserve(reservation) => self.reserve(state, reservation)?,
            Event::Start { request, reserved } => {
                let record = self.record(state, request, *reserved)?;
                // A started request may start again: its first run died before it sealed anything (rule C3).
                if !matches!(record.state, RequestState::Reserved | RequestState::Started) {
                    return Err(self.state(request));
                }
                state.set_state(request, RequestState::Started);
            }
            Event::Seal(Seal { request, reserved, reserved_at, answer, charges }) => {
                let record = self.record(state, request, *reserved)?;
                if record.state != RequestState::Started || record.charges != *charges || record.reserved_at != *reserved_at {
                    return Err(self.state(request));
                }
                state.set_state(request, RequestState::Sealed { index, time, answer: *answer });
            }
            Event::Refund { request, reserved, charges } => self.refund(state, request, *reserved, charges)?,
            Event::Upgrade { quantum, secret } => {
                let head = state.head_mut();
                head.quantum = *quantum;
                Arc::make_mut(&mut head.roots).upgrade = Some((index, *secret));
            }
            Event::Quantum { bytes } => self.quantum(state, bytes)?,
            Event::Clock { bytes } => self.clock(state, bytes)?,
        }
        Ok(())
    }

    /// An artefact of the owner about this ledger.
    fn owned<T: Artefact>(self, head: &LedgerHead, bytes: &[u8], ledger: fn(&T) -> LedgerId) -> Result<Signed<T>, BookError> {
        let wrong = BookError::Owner { index: self.index, found: self.found };
        let Some((Genesis { owner, .. }, id)) = &head.roots.genesis else { return Err(wrong) };
        let signed = Untrusted::<T>::decode(bytes).and_then(|untrusted| untrusted.verify(owner.key()));
        signed.ok().filter(|signed| ledger(signed.value()) == *id).ok_or(wrong)
    }

    /// The turn of a number; entries of the old form have none.
    fn number(self, found: Option<u64>, expected: u64) -> Result<(), BookError> {
        match found {
            Some(found) if found != expected => Err(BookError::Number { index: self.index, kind: self.found, expected, found }),
            _ => Ok(()),
        }
    }

    fn certificate<S: State>(self, state: &mut S, bytes: &[u8]) -> Result<(), BookError> {
        let certificate = self.owned(state.head(), bytes, |certificate: &GateCertificate| certificate.ledger)?;
        let roots = &mut state.head_mut().roots;
        // The first has number 0, so that their count is the next.
        self.number(Some(certificate.value().number), roots.certificates.len() as u64)?;
        Arc::make_mut(roots).certificates.push((self.index, certificate));
        Ok(())
    }

    fn quantum<S: State>(self, state: &mut S, bytes: &[u8]) -> Result<(), BookError> {
        let change = self.owned(state.head(), bytes, |change: &QuantumChange| change.ledger)?;
        let head = state.head_mut();
        self.number(Some(change.value().number), head.quanta + 1)?;
        head.quanta += 1;
        head.quantum = change.value().quantum;
        Ok(())
    }

    fn clock<S: State>(self, state: &mut S, bytes: &[u8]) -> Result<(), BookError> {
        let reset = self.owned(state.head(), bytes, |reset: &ClockReset| reset.ledger)?;
        let head = state.head_mut();
        self.number(Some(reset.value().number), head.roots.resets.len() as u64 + 1)?;
        let last = head.time.filter(|last| self.time < *last && self.time == reset.value().time);
        let last = last.ok_or(BookError::Time { index: self.index })?;
        Arc::make_mut(&mut head.roots).resets.push((self.index, last));
        Ok(())
    }

    fn open<S: State>(
        self,
        state: &mut S,
        account: AccountId,
        kind: AccountKind,
        limit: Measure,
        once: Option<&Digest>,
    ) -> Result<(), BookError> {
        let Self { index, found, .. } = self;
        if state.account(&account).is_some() {
            return Err(BookError::Account { index, account });
        }
        if let Some(account) = once.and_then(|tag| state.tagged(tag)) {
            return Err(BookError::Once { index, found, account });
        }
        state.open(account, Account::new(index, kind, limit));
        if let Some(tag) = once {
            state.tag(*tag, account);
        }
        Ok(())
    }

    fn lineage<'s, S: State>(self, state: &'s S, account: &AccountId) -> Result<&'s Account, BookError> {
        let lineage = state.account(account).filter(|account| matches!(account.kind(), AccountKind::Lineage { .. }));
        lineage.ok_or(BookError::Account { index: self.index, account: *account })
    }

    fn with_history<S: State>(self, state: &mut S, account: &AccountId, change: impl FnOnce(&mut Versions, &mut Refills)) {
        let kind = state.account_mut(account).map(|account| Arc::make_mut(&mut account.kind));
        if let Some(AccountKind::Lineage { versions, refills, .. }) = kind {
            change(versions, refills);
        }
    }

    fn record<'s, S: State>(self, state: &'s S, request: &RequestId, reserved: u64) -> Result<&'s RequestRecord, BookError> {
        state.request(request).filter(|record| record.reserved == reserved).ok_or(self.state(request))
    }

    fn state(self, request: &RequestId) -> BookError {
        BookError::State { index: self.index, request: *request, found: self.found }
    }

    fn reserve<S: State>(self, state: &mut S, reservation: &Reservation) -> Result<(), BookError> {
        let Self { index, time, .. } = self;
        let Reservation { request, once, expires_at, charges } = reservation;
        if state.request(request).is_some() {
            return Err(self.state(request));
        }
        if state.once(once).is_some() {
            return Err(BookError::Nonce { index, request: *request });
        }
        // A right never spends without its lineage: the lineage's total is the only guarantee (rule B9).
        let Some((lineage, rights)) = charges.split_first() else { return Err(self.state(request)) };
        let most = if self.new_form { CHARGES_MAX - 1 } else { 1 };
        let alike = rights.iter().all(|right| right.amount == lineage.amount) && lineage.amount.uses == 1;
        if !(1..=most).contains(&rights.len()) || !alike {
            return Err(self.state(request));
        }
        for (at, Charge { account, .. }) in rights.iter().enumerate() {
            let fits = match state.account(account).map(Account::kind) {
                Some(AccountKind::Right { dataset, .. }) => *dataset == lineage.account,
                _ => false,
            };
            // A right that stood here twice would be checked twice against the same balance.
            if !fits || rights[..at].iter().any(|right| right.account == *account) {
                return Err(BookError::Account { index, account: *account });
            }
        }
        for charge in charges.iter() {
            self.check_charge(state, charge)?;
        }
        let ids = || rights.iter().map(|right| &right.account);
        let before = promised(state, ids());
        for charge in charges.iter() {
            self.change(state, charge, |account| account.balance.charge(&charge.amount.loss))?;
        }
        let after = promised(state, ids());
        outstanding(state, &lineage.account, before, after);
        let record = RequestRecord {
            reserved: index,
            reserved_at: time,
            charges: charges.clone(),
            expires_at: *expires_at,
            state: RequestState::Reserved,
        };
        state.reserve(*request, *once, record);
        Ok(())
    }

    fn check_charge<S: State>(self, state: &S, charge: &Charge) -> Result<(), BookError> {
        let Charge { account: id, amount, previous, new } = charge;
        let index = self.index;
        let account = state.account(id).ok_or(BookError::Account { index, account: *id })?;
        account.balance.check(&amount.loss).map_err(|problem| BookError::Budget { index, account: *id, problem })?;
        if account.uses_left() < amount.uses {
            return Err(BookError::Uses { index, account: *id });
        }
        if *previous != account.spent() || previous.checked_add(amount).as_ref() != Ok(new) {
            return Err(BookError::Arithmetic { index, account: *id });
        }
        Ok(())
    }

    /// Changes an account after its charge was checked.
    fn change<S: State>(
        self,
        state: &mut S,
        charge: &Charge,
        balance: impl FnOnce(&mut Account) -> Result<(), BudgetError>,
    ) -> Result<(), BookError> {
        let Some(account) = state.account_mut(&charge.account) else { return Ok(()) };
        balance(account).map_err(|problem| BookError::Budget { index: self.index, account: charge.account, problem })?;
        account.uses = charge.new.uses;
        Ok(())
    }

    fn refund<S: State>(self, state: &mut S, request: &RequestId, reserved: u64, charges: &[Charge]) -> Result<(), BookError> {
        let index = self.index;
        let record = self.record(state, request, reserved)?;
        if record.state != RequestState::Reserved || charges.len() != record.charges.len() {
            return Err(self.state(request));
        }
        // Until then the holder may come again with the request, and finds it charged and not refused.
        let until = record.expires_at.plus_s(REFUND_AFTER_S);
        if self.new_form && self.time <= until {
            return Err(BookError::Due { index, request: *request, until });
        }
        // Previous and new stand for the balance before and after giving back: new + amount = previous.
        for (refund, charge) in charges.iter().zip(&*record.charges) {
            let id = refund.account;
            let spent = state.account(&id).map(Account::spent);
            let right = id == charge.account && refund.amount == charge.amount && spent == Some(refund.previous);
            if !right || refund.previous.checked_sub(&refund.amount).as_ref() != Ok(&refund.new) {
                return Err(BookError::Arithmetic { index, account: id });
            }
        }
        let Some((lineage, rights)) = charges.split_first() else { return Err(self.state(request)) };
        let ids = || rights.iter().map(|right| &right.account);
        let before = promised(state, ids());
        for refund in charges {
            self.change(state, refund, |account| account.balance.refund(&refund.amount.loss))?;
        }
        let after = promised(state, ids());
        outstanding(state, &lineage.account, before, after);
        state.set_state(request, RequestState::Refunded);
        Ok(())
    }
}

type Versions = Vec<(u64, crate::ledger::Commitment)>;
type Refills = Vec<(u64, crate::ledger::Commitment, crate::budget::Loss, crate::ledger::RefillReason)>;

/// What these rights may still spend.
fn promised<'a, S: State>(state: &S, rights: impl IntoIterator<Item = &'a AccountId>) -> (u128, u128) {
    let promised = rights.into_iter().filter_map(|id| state.account(id)).map(Account::promised);
    promised.fold((0, 0), |sum, promised| (sum.0 + promised.0, sum.1 + promised.1))
}

/// Keeps the sum over the rights of a lineage, of which some have changed. It holds: it is at most 2^64 accounts of 2^64 units.
fn outstanding<S: State>(state: &mut S, lineage: &AccountId, before: (u128, u128), after: (u128, u128)) {
    if let Some(Account { outstanding: (loss, delta), .. }) = state.account_mut(lineage) {
        *loss = (*loss + after.0).saturating_sub(before.0);
        *delta = (*delta + after.1).saturating_sub(before.1);
    }
}
