use std::collections::HashMap;

use super::commitment::Commitment;
use super::entry::{Charge, Entry, Event, Genesis, Measure, RefillReason, Reservation, Seal};
use crate::budget::{Balance, BudgetError, Loss, PrivacyFilter};
use crate::id::{AccountId, Digest, LedgerId, RequestId, Time};

/// The fold of the ledger: accounts and requests after its entries. The same rules admit a new entry, rebuild the
/// state at open, and audit the past.
#[derive(Clone, Debug, Default)]
pub struct Book {
    size: u64,
    time: Option<Time>,
    genesis: Option<Genesis>,
    accounts: HashMap<AccountId, Account>,
    /// Accounts in the order in which they were opened.
    opened: Vec<AccountId>,
    requests: HashMap<RequestId, RequestRecord>,
    once: HashMap<Digest, RequestId>,
}

/// An account: the lineage of a dataset, or a right.
#[derive(Clone, Debug)]
pub struct Account {
    balance: Balance,
    uses: u64,
    uses_limit: u64,
    kind: AccountKind,
    /// Index of the entry that opened it.
    opened_at: u64,
}

/// What an account stands for; opened by the artefacts behind the commitments.
#[derive(Clone, Debug)]
pub enum AccountKind {
    /// A lineage: its publication, its later versions, its refills.
    Lineage {
        /// To the publication.
        publication: Commitment,
        /// To the later versions, in order.
        versions: Vec<Commitment>,
        /// The refills, in order.
        refills: Vec<(Commitment, Loss, RefillReason)>,
    },
    /// A right.
    Right {
        /// The lineage it draws on.
        dataset: AccountId,
        /// To the right.
        right: Commitment,
    },
}

/// What became of a request.
#[derive(Clone, Debug)]
pub struct RequestRecord {
    /// Index of its reservation.
    pub reserved: u64,
    /// Time of its reservation.
    pub reserved_at: Time,
    /// What it was charged.
    pub charges: Vec<Charge>,
    /// When it stops being answered.
    pub expires_at: Time,
    /// Its state.
    pub state: RequestState,
}

/// The states of rule C3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestState {
    /// Charged.
    Reserved,
    /// About to read cells, or has read some.
    Started,
    /// The answer is durable.
    Sealed {
        /// Index of the entry that sealed it.
        index: u64,
        /// The time of that entry.
        time: Time,
        /// SHA-256 of the answer.
        answer: Digest,
    },
    /// Given back before it started.
    Refunded,
}

/// Why an entry cannot follow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BookError {
    /// Out of its place: genesis first, certificate second, neither later.
    #[error("entry {index}: {found} is out of its place")]
    Place {
        /// The index.
        index: u64,
        /// The kind of entry.
        found: &'static str,
    },
    /// Time went backwards.
    #[error("entry {index}: its time is before that of the entry before")]
    Time {
        /// The index.
        index: u64,
    },
    /// No such account, or one that exists already, or of the other kind.
    #[error("entry {index}: account {account} does not fit")]
    Account {
        /// The index.
        index: u64,
        /// The account.
        account: AccountId,
    },
    /// Previous or new balance are not what the accounts say.
    #[error("entry {index}: the arithmetic of account {account} is wrong")]
    Arithmetic {
        /// The index.
        index: u64,
        /// The account.
        account: AccountId,
    },
    /// The charge does not fit in an account.
    #[error("entry {index}: account {account}: {problem}")]
    Budget {
        /// The index.
        index: u64,
        /// The account.
        account: AccountId,
        /// What does not fit.
        problem: BudgetError,
    },
    /// All uses are made.
    #[error("entry {index}: account {account} has no use left")]
    Uses {
        /// The index.
        index: u64,
        /// The account.
        account: AccountId,
    },
    /// The request is not in the state that the entry needs.
    #[error("entry {index}: request {request} is not in the state for {found}")]
    State {
        /// The index.
        index: u64,
        /// The request.
        request: RequestId,
        /// The kind of entry.
        found: &'static str,
    },
    /// The nonce was used for another request.
    #[error("entry {index}: the nonce of request {request} was used before")]
    Nonce {
        /// The index.
        index: u64,
        /// The request.
        request: RequestId,
    },
}

impl Account {
    /// Limit and spent.
    #[must_use]
    pub const fn balance(&self) -> &Balance {
        &self.balance
    }

    /// Answers so far.
    #[must_use]
    pub const fn uses(&self) -> u64 {
        self.uses
    }

    /// Answers that may still be given.
    #[must_use]
    pub const fn uses_left(&self) -> u64 {
        self.uses_limit.saturating_sub(self.uses)
    }

    /// What it stands for.
    #[must_use]
    pub const fn kind(&self) -> &AccountKind {
        &self.kind
    }

    /// Index of the entry that opened it.
    #[must_use]
    pub const fn opened_at(&self) -> u64 {
        self.opened_at
    }

    fn spent(&self) -> Measure {
        Measure { loss: self.balance.spent(), uses: self.uses }
    }
}

impl Book {
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

    /// The first entry.
    #[must_use]
    pub const fn genesis(&self) -> Option<&Genesis> {
        self.genesis.as_ref()
    }

    /// The id of the ledger.
    #[must_use]
    pub fn ledger_id(&self) -> Option<LedgerId> {
        self.genesis.as_ref().map(Genesis::ledger_id)
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
        self.requests.get(id)
    }

    /// All requests.
    pub fn requests(&self) -> impl Iterator<Item = (&RequestId, &RequestRecord)> {
        self.requests.iter()
    }

    /// The request that used this holder's nonce.
    #[must_use]
    pub fn once(&self, once: &Digest) -> Option<RequestId> {
        self.once.get(once).copied()
    }

    /// The charge of `amount` on an account as it stands now.
    ///
    /// # Errors
    /// No such account, or a sum that no account can hold. Whether it fits is for [`Book::apply`] to say.
    pub fn charge(&self, account: AccountId, amount: Measure) -> Result<Charge, BookError> {
        let index = self.size;
        let previous = self.accounts.get(&account).ok_or(BookError::Account { index, account })?.spent();
        let new = previous.checked_add(&amount).map_err(|problem| BookError::Budget { index, account, problem })?;
        Ok(Charge { account, amount, previous, new })
    }

    /// Appends an entry, or leaves everything as it was.
    ///
    /// # Errors
    /// The entry cannot follow.
    pub fn apply(&mut self, entry: &Entry) -> Result<(), BookError> {
        let index = self.size;
        if self.time.is_some_and(|last| entry.time < last) {
            return Err(BookError::Time { index });
        }
        let in_place = match (&entry.event, index) {
            (Event::Genesis(_), 0) | (Event::Certificate { .. }, 1) => true,
            (Event::Genesis(_) | Event::Certificate { .. }, _) | (_, 0 | 1) => false,
            _ => true,
        };
        if !in_place {
            return Err(BookError::Place { index, found: entry.event.name() });
        }
        self.apply_event(index, entry)?;
        self.size += 1;
        self.time = Some(entry.time);
        Ok(())
    }

    fn apply_event(&mut self, index: u64, entry: &Entry) -> Result<(), BookError> {
        match &entry.event {
            Event::Genesis(genesis) => self.genesis = Some(genesis.clone()),
            Event::Certificate { .. } => {}
            Event::Publish { account, artefact, limit } => {
                let kind = AccountKind::Lineage { publication: *artefact, versions: Vec::new(), refills: Vec::new() };
                self.open(index, *account, kind, Measure { loss: *limit, uses: u64::MAX })?;
            }
            Event::Version { account, artefact } => match self.lineage(index, account)? {
                (_, AccountKind::Lineage { versions, .. }) => versions.push(*artefact),
                _ => return Err(BookError::Account { index, account: *account }),
            },
            Event::Refill { account, artefact, amount, reason } => match self.lineage(index, account)? {
                (balance, AccountKind::Lineage { refills, .. }) => {
                    balance.refill(amount).map_err(|problem| BookError::Budget { index, account: *account, problem })?;
                    refills.push((*artefact, *amount, *reason));
                }
                _ => return Err(BookError::Account { index, account: *account }),
            },
            Event::Grant { account, dataset, artefact, limit } => {
                let (balance, _) = self.lineage(index, dataset)?;
                if balance.limit().model() != limit.loss.model() {
                    return Err(BookError::Account { index, account: *dataset });
                }
                self.open(index, *account, AccountKind::Right { dataset: *dataset, right: *artefact }, *limit)?;
            }
            Event::Reserve(reservation) => self.reserve(index, entry.time, reservation)?,
            Event::Start { request, reserved } => {
                let record = self.record(index, request, *reserved, entry.event.name())?;
                // A started request may start again: its first run died before it sealed anything (rule C3).
                if !matches!(record.state, RequestState::Reserved | RequestState::Started) {
                    return Err(BookError::State { index, request: *request, found: entry.event.name() });
                }
                record.state = RequestState::Started;
            }
            Event::Seal(Seal { request, reserved, reserved_at, answer, charges }) => {
                let record = self.record(index, request, *reserved, entry.event.name())?;
                if record.state != RequestState::Started || record.charges != *charges || record.reserved_at != *reserved_at {
                    return Err(BookError::State { index, request: *request, found: entry.event.name() });
                }
                record.state = RequestState::Sealed { index, time: entry.time, answer: *answer };
            }
            Event::Refund { request, reserved, charges } => self.refund(index, request, *reserved, charges)?,
        }
        Ok(())
    }

    fn open(&mut self, index: u64, account: AccountId, kind: AccountKind, limit: Measure) -> Result<(), BookError> {
        if self.accounts.contains_key(&account) {
            return Err(BookError::Account { index, account });
        }
        self.accounts
            .insert(account, Account { balance: Balance::new(limit.loss), uses: 0, uses_limit: limit.uses, kind, opened_at: index });
        self.opened.push(account);
        Ok(())
    }

    fn lineage(&mut self, index: u64, account: &AccountId) -> Result<(&mut Balance, &mut AccountKind), BookError> {
        match self.accounts.get_mut(account) {
            Some(Account { balance, kind: kind @ AccountKind::Lineage { .. }, .. }) => Ok((balance, kind)),
            _ => Err(BookError::Account { index, account: *account }),
        }
    }

    fn record(&mut self, index: u64, request: &RequestId, reserved: u64, found: &'static str) -> Result<&mut RequestRecord, BookError> {
        let record = self.requests.get_mut(request).filter(|record| record.reserved == reserved);
        record.ok_or(BookError::State { index, request: *request, found })
    }

    fn reserve(&mut self, index: u64, time: Time, reservation: &Reservation) -> Result<(), BookError> {
        let Reservation { request, once, expires_at, charges } = reservation;
        if self.requests.contains_key(request) {
            return Err(BookError::State { index, request: *request, found: "reserve" });
        }
        if self.once.contains_key(once) {
            return Err(BookError::Nonce { index, request: *request });
        }
        // A right never spends without its lineage: the lineage's total is the only guarantee (rule B9).
        let pair = match charges.as_slice() {
            [lineage, right] if lineage.amount == right.amount && lineage.amount.uses == 1 => (lineage.account, right.account),
            _ => return Err(BookError::State { index, request: *request, found: "reserve" }),
        };
        match self.accounts.get(&pair.1).map(Account::kind) {
            Some(AccountKind::Right { dataset, .. }) if *dataset == pair.0 => {}
            _ => return Err(BookError::Account { index, account: pair.1 }),
        }
        for charge in charges {
            self.check_charge(index, charge)?;
        }
        for charge in charges {
            if let Some(account) = self.accounts.get_mut(&charge.account) {
                account.balance.charge(&charge.amount.loss).map_err(|problem| BookError::Budget {
                    index,
                    account: charge.account,
                    problem,
                })?;
                account.uses = charge.new.uses;
            }
        }
        self.once.insert(*once, *request);
        let record = RequestRecord {
            reserved: index,
            reserved_at: time,
            charges: charges.clone(),
            expires_at: *expires_at,
            state: RequestState::Reserved,
        };
        self.requests.insert(*request, record);
        Ok(())
    }

    fn check_charge(&self, index: u64, charge: &Charge) -> Result<(), BookError> {
        let Charge { account: id, amount, previous, new } = charge;
        let account = self.accounts.get(id).ok_or(BookError::Account { index, account: *id })?;
        account.balance.check(&amount.loss).map_err(|problem| BookError::Budget { index, account: *id, problem })?;
        if account.uses_left() < amount.uses {
            return Err(BookError::Uses { index, account: *id });
        }
        if *previous != account.spent() || previous.checked_add(amount).as_ref() != Ok(new) {
            return Err(BookError::Arithmetic { index, account: *id });
        }
        Ok(())
    }

    fn refund(&mut self, index: u64, request: &RequestId, reserved: u64, charges: &[Charge]) -> Result<(), BookError> {
        let wrong_state = BookError::State { index, request: *request, found: "refund" };
        let record = self.requests.get(request).filter(|record| record.reserved == reserved && record.state == RequestState::Reserved);
        let charged = record.ok_or_else(|| wrong_state.clone())?.charges.clone();
        if charges.len() != charged.len() {
            return Err(wrong_state);
        }
        // Previous and new stand for the balance before and after giving back: new + amount = previous.
        for (refund, charge) in charges.iter().zip(&charged) {
            let id = refund.account;
            let spent = self.accounts.get(&id).map(Account::spent);
            let right = id == charge.account && refund.amount == charge.amount && spent == Some(refund.previous);
            if !right || refund.new.checked_add(&refund.amount) != Ok(refund.previous) {
                return Err(BookError::Arithmetic { index, account: id });
            }
        }
        for refund in charges {
            if let Some(account) = self.accounts.get_mut(&refund.account) {
                account.balance.refund(&refund.amount.loss).map_err(|problem| BookError::Budget {
                    index,
                    account: refund.account,
                    problem,
                })?;
                account.uses = refund.new.uses;
            }
        }
        self.record(index, request, reserved, "refund")?.state = RequestState::Refunded;
        Ok(())
    }
}
