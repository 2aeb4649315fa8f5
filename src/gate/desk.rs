use std::collections::HashSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, RwLock};

use super::clock::Clock;
use super::environment::{Environment, System};
use super::folder::Folder;
use super::shelf::{Lineage, Shelf};
use super::{AnswerError, GateError, Quote};
use crate::budget::{Balance, Loss};
use crate::dataset::Description;
use crate::engine::Control;
use crate::envelope::Signed;
use crate::id::{AccountId, DatasetId, Decimal, LedgerId, RequestId, RightId, Time};
use crate::key::{KeySet, SigningKey};
use crate::ledger::{AccountKind, Book, GateCertificate, Genesis, JournalOptions, Ledger, LedgerError, RefillReason};
use crate::receipt::Release;
use crate::right::Verdict;

/// Everything behind the gate: the folder and its lock, the ledger, the datasets, a clock and randomness.
pub(crate) struct Desk<E: Environment> {
    pub(super) environment: E,
    pub(super) folder: Folder,
    pub(super) ledger: Mutex<Ledger>,
    pub(super) shelf: RwLock<Shelf>,
    pub(super) owner: KeySet,
    pub(super) ledger_id: LedgerId,
    /// First and last second of the gate's certificate.
    certified: (Time, Time),
    pub(super) busy: Mutex<HashSet<RequestId>>,
    clock: Clock,
    /// Held as long as the desk lives; the last field, so that it is let go last.
    _lock: File,
}

/// The gate of a space: answers requests, with its own randomness and clock. `Send + Sync`; share it behind an `Arc`.
pub struct Gate {
    desk: Desk<System>,
}

/// A dataset and its budget, for the owner's tools.
#[derive(Clone, Debug)]
pub struct DatasetState {
    /// The dataset.
    pub id: DatasetId,
    /// Its account in the ledger.
    pub account: AccountId,
    /// Its description.
    pub description: Arc<Description>,
    /// The number of its latest version.
    pub version: u64,
    /// Limit with refills, and spent over its whole life.
    pub balance: Balance,
    /// Answers so far.
    pub answers: u64,
    /// Refills so far.
    pub refills: Vec<(Loss, RefillReason)>,
}

/// A right's account, for the owner's tools.
#[derive(Clone, Debug)]
pub struct AccountState {
    /// Its account in the ledger.
    pub account: AccountId,
    /// Limit and spent.
    pub balance: Balance,
    /// Answers it may still get.
    pub uses_left: u64,
}

impl<E: Environment> Desk<E> {
    /// Makes the folder, the gate's key and a ledger with its first two entries.
    pub(crate) fn create(
        path: &Path,
        environment: E,
        genesis: Genesis,
        gate_key: SigningKey,
        certificate: &Signed<GateCertificate>,
    ) -> Result<Self, GateError> {
        let folder = Folder::create(path)?;
        let lock = folder.lock()?;
        gate_key.create(folder.gate_key())?;
        let now = Time::from_unix_s(environment.wall_s());
        let ledger = Ledger::create(&folder.ledger(), genesis, certificate, now, Arc::new(gate_key), JournalOptions::default())?;
        Self::with(environment, folder, ledger, lock)
    }

    /// Takes the lock and opens a space, checking everything in it.
    pub(crate) fn open(path: &Path, environment: E) -> Result<Self, GateError> {
        let folder = Folder::open(path)?;
        let lock = folder.lock()?;
        let gate_key = SigningKey::open(folder.gate_key())?;
        let ledger = Ledger::open(&folder.ledger(), Arc::new(gate_key), JournalOptions::default())?;
        Self::with(environment, folder, ledger, lock)
    }

    fn with(environment: E, folder: Folder, ledger: Ledger, lock: File) -> Result<Self, GateError> {
        let genesis = ledger.book().genesis().ok_or(LedgerError::Incomplete("there is no genesis entry"))?;
        if genesis.test == E::REAL {
            return Err(LedgerError::Test.into());
        }
        let owner = genesis.owner.clone();
        let shelf = Shelf::load(&folder, ledger.book(), &owner)?;
        let clock = Clock::start(environment.wall_s(), environment.monotonic());
        let certificate = ledger.certificate().value();
        let certified = (certificate.not_before, certificate.not_after);
        let (ledger_id, ledger, shelf) = (ledger.id(), Mutex::new(ledger), RwLock::new(shelf));
        Ok(Self { environment, folder, ledger, shelf, owner, ledger_id, certified, busy: Mutex::default(), clock, _lock: lock })
    }

    /// The ledger, for one writer at a time. A panic of another thread while it wrote ends the gate's work.
    pub(super) fn ledger(&self) -> Result<MutexGuard<'_, Ledger>, GateError> {
        self.ledger.lock().map_err(|_| GateError::Stopped)
    }

    /// Gate time now.
    pub(super) fn now(&self, last: Option<Time>) -> Result<Time, Verdict> {
        let now = self.clock.gate_time(self.environment.wall_s(), self.environment.monotonic(), last)?;
        if (self.certified.0..=self.certified.1).contains(&now) { Ok(now) } else { Err(Verdict::Certificate { now }) }
    }

    /// Appends one event, which must be admitted.
    pub(super) fn append_one(&self, ledger: &mut Ledger, event: crate::ledger::Event) -> Result<u64, GateError> {
        let now = self.now(ledger.book().time())?;
        match ledger.append(vec![event], now)?.pop() {
            Some(outcome) => Ok(outcome?),
            None => Err(GateError::Stopped),
        }
    }

    pub(crate) fn ledger_id(&self) -> LedgerId {
        self.ledger_id
    }

    pub(crate) const fn owner(&self) -> &KeySet {
        &self.owner
    }

    pub(crate) fn datasets(&self) -> Result<Vec<DatasetState>, GateError> {
        let ledger = self.ledger()?;
        let shelf = self.shelf.read().map_err(|_| GateError::Stopped)?;
        Ok(dataset_states(ledger.book(), &shelf))
    }

    pub(crate) fn right_state(&self, id: RightId) -> Result<Option<AccountState>, GateError> {
        let ledger = self.ledger()?;
        let account = self.shelf.read().map_err(|_| GateError::Stopped)?.right(&id);
        Ok(account.and_then(|account| {
            let state = ledger.book().account(&account)?;
            Some(AccountState { account, balance: *state.balance(), uses_left: state.uses_left() })
        }))
    }
}

impl<E: Environment> Drop for Desk<E> {
    fn drop(&mut self) {
        if let Ok(ledger) = self.ledger.get_mut() {
            // The checkpoint only saves the next open from believing less than it could; the journal is the truth.
            let _ = ledger.store_checkpoint();
        }
    }
}

impl Gate {
    pub(crate) const fn new(desk: Desk<System>) -> Self {
        Self { desk }
    }

    /// Verifies, charges, computes, seals and releases; again for the same request: the same bytes, free.
    ///
    /// Blocks until the next multiple of the dataset's quantum after the charge.
    ///
    /// # Errors
    /// Refused, failed after the charge, or the gate itself failed.
    pub fn answer(&self, request: &[u8]) -> Result<Release, AnswerError> {
        self.desk.answer(request, &Control::default())
    }

    /// As [`Gate::answer`], with progress and cancellation. A cancelled request stays charged.
    ///
    /// # Errors
    /// As [`Gate::answer`].
    pub fn answer_with(&self, request: &[u8], control: &Control<'_>) -> Result<Release, AnswerError> {
        self.desk.answer(request, control)
    }

    /// What a request would cost and how wide its intervals would be; touches neither cells nor budget.
    ///
    /// # Errors
    /// Whatever would refuse the request itself.
    pub fn quote(&self, request: &[u8]) -> Result<Quote, AnswerError> {
        self.desk.quote(request)
    }

    /// The least price, in the model and with the delta of the request's own, at which the intervals of all its counts and sums
    /// reach at most `half` to both sides; of one value column only, where it is named.
    ///
    /// # Errors
    /// Whatever would refuse the request itself, its price apart; no price is enough, or no width is known beforehand.
    pub fn price_for(&self, request: &[u8], half: Decimal, column: Option<&str>) -> Result<Loss, AnswerError> {
        self.desk.price_for(request, half, column)
    }

    /// Keeps the signed request in the space, so that it can be tried again by its id.
    ///
    /// # Errors
    /// It does not verify, or the space cannot be written.
    pub fn keep(&self, request: &[u8]) -> Result<RequestId, AnswerError> {
        self.desk.keep(request)
    }

    /// Where a kept request lies.
    #[must_use]
    pub fn request_path(&self, request: RequestId) -> PathBuf {
        self.desk.folder.request(request)
    }

    /// The ledger's id, which is the audience of requests.
    #[must_use]
    pub fn ledger_id(&self) -> LedgerId {
        self.desk.ledger_id()
    }

    /// The last checkpoint, signed: for holders to remember and witnesses to keep.
    ///
    /// # Errors
    /// The key does not sign.
    pub fn checkpoint(&self) -> Result<String, GateError> {
        let ledger = self.desk.ledger()?;
        Ok(ledger.checkpoint(ledger.tree().size())?)
    }

    /// The datasets with their balances.
    ///
    /// # Errors
    /// The gate has stopped.
    pub fn datasets(&self) -> Result<Vec<DatasetState>, GateError> {
        self.desk.datasets()
    }
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Gate({})", self.desk.ledger_id)
    }
}

/// The datasets of a shelf with their accounts, by name.
pub(super) fn dataset_states(book: &Book, shelf: &Shelf) -> Vec<DatasetState> {
    let state = |(id, lineage): (&DatasetId, &Lineage)| {
        let account = book.account(&lineage.account)?;
        let AccountKind::Lineage { refills, .. } = account.kind() else { return None };
        Some(DatasetState {
            id: *id,
            account: lineage.account,
            description: Arc::clone(&lineage.description),
            version: lineage.version_number,
            balance: *account.balance(),
            answers: account.uses(),
            refills: refills.iter().map(|(_, amount, reason)| (*amount, *reason)).collect(),
        })
    };
    let mut states: Vec<_> = shelf.datasets().filter_map(state).collect();
    states.sort_by(|a, b| a.description.name().cmp(b.description.name()));
    states
}
