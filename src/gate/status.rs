//! What a space holds, for its owner's tools.
//!
//! However much that is, nothing is held while it is read: each page has a view of the ledger to itself, and answers leave
//! between two of them.

use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;

use super::GateError;
use super::acts::NextActs;
use super::environment::Environment;
use super::registry::{Lineage, RegisteredRight, Registry};
use super::service::Service;
use crate::archive::{DirArchive, SpaceFolder};
use crate::budget::{Balance, Loss};
use crate::dataset::Description;
use crate::id::{AccountId, DatasetId, LedgerId, RequestId, RightId, Time};
use crate::ledger::{Account, AccountKind, LedgerError, LedgerReading, LedgerView, Quantum, RefillReason, RequestRecord, RequestState};

/// A dataset and its budget.
#[derive(Clone, Debug)]
#[non_exhaustive]
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

/// A registered right and what it has left.
#[derive(Clone, Debug, serde::Serialize)]
#[non_exhaustive]
pub struct RightState {
    /// The right.
    pub id: RightId,
    /// Its account in the ledger.
    pub account: AccountId,
    /// The dataset it is for.
    pub dataset: DatasetId,
    /// From this second on it is of no use.
    pub not_after: Time,
    /// Limit and spent.
    pub balance: Balance,
    /// Answers it may still get.
    pub uses_left: u64,
}

/// A request and what became of it.
#[derive(Clone, Debug, serde::Serialize)]
#[non_exhaustive]
pub struct RequestStatus {
    /// The request.
    pub id: RequestId,
    /// Its state.
    #[serde(flatten)]
    pub state: RequestState,
    /// When it was charged.
    pub reserved_at: Time,
    /// When it stops being answered.
    pub expires_at: Time,
    /// What it was charged.
    pub charged: Loss,
}

/// Everything that a space holds. Of a space that is at work it is put together out of several moments: each dataset, right and request
/// is as it was in one of them.
#[derive(Clone, Debug, serde::Serialize)]
#[non_exhaustive]
pub struct SpaceStatus {
    /// Entries of the ledger.
    pub size: u64,
    /// The quantum of the space.
    #[serde(rename = "quantum_ms")]
    pub quantum: Quantum,
    /// What the owner's next acts must say.
    #[serde(skip)]
    pub next_acts: NextActs,
    /// The datasets, by name.
    pub datasets: Vec<DatasetState>,
    /// The registered rights.
    pub rights: Vec<RightState>,
    /// The requests, in the order in which they were charged.
    pub requests: Vec<RequestStatus>,
}

impl SpaceStatus {
    /// Reads a space without its lock and without a key, beside a gate that has it open.
    ///
    /// # Errors
    /// It is not a space, or something in it does not agree.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, GateError> {
        let folder = SpaceFolder::open(path.as_ref())?;
        let reading = LedgerReading::open(&folder.ledger(), |_, _| {})?;
        let genesis = reading.book.head().genesis().ok_or(LedgerError::Incomplete("there is no genesis entry"))?;
        let registry = Registry::load(&DirArchive::open(&folder)?, reading.view().as_ref(), &genesis.owner)?;
        Self::of(genesis.ledger_id(), &Beside { reading: &reading, registry: &registry })
    }

    fn of(ledger: LedgerId, shown: &impl Shown) -> Result<Self, GateError> {
        let (size, quantum, next_acts) = {
            let view = shown.view()?;
            (view.head().size(), view.head().quantum(), NextActs::of(ledger, view.as_ref())?)
        };
        Ok(Self { size, quantum, next_acts, datasets: datasets(shown)?, rights: rights(shown)?, requests: requests(shown)? })
    }
}

impl<E: Environment> Service<E> {
    /// Everything.
    pub(crate) fn status(&self) -> Result<SpaceStatus, GateError> {
        SpaceStatus::of(self.ledger_id, self)
    }

    /// The datasets with their balances, by name.
    pub(crate) fn datasets(&self) -> Result<Vec<DatasetState>, GateError> {
        datasets(self)
    }

    /// The registered rights with their balances, by id.
    pub(crate) fn rights(&self) -> Result<Vec<RightState>, GateError> {
        rights(self)
    }

    /// All requests, in the order in which they were charged.
    pub(crate) fn requests(&self) -> Result<Vec<RequestStatus>, GateError> {
        requests(self)
    }
}

/// How many are read under one view: less than a millisecond of them.
const PAGE: usize = 1024;

/// A ledger and what stands behind its accounts.
trait Shown {
    fn view(&self) -> Result<Box<dyn LedgerView + '_>, GateError>;
    fn registry(&self) -> impl Deref<Target = Registry>;
}

impl<E: Environment> Shown for Service<E> {
    fn view(&self) -> Result<Box<dyn LedgerView + '_>, GateError> {
        self.view()
    }

    fn registry(&self) -> impl Deref<Target = Registry> {
        self.registry()
    }
}

/// A space that another process may have open.
struct Beside<'a> {
    reading: &'a LedgerReading,
    registry: &'a Registry,
}

impl Shown for Beside<'_> {
    fn view(&self) -> Result<Box<dyn LedgerView + '_>, GateError> {
        Ok(self.reading.view())
    }

    fn registry(&self) -> impl Deref<Target = Registry> {
        self.registry
    }
}

fn rights(shown: &impl Shown) -> Result<Vec<RightState>, GateError> {
    let mut states: Vec<RightState> = Vec::new();
    let mut after = None;
    loop {
        let page: Vec<_> = shown.registry().rights(after).take(PAGE).map(|(id, right)| (*id, *right)).collect();
        let Some((last, _)) = page.last() else { return Ok(states) };
        after = Some(*last);
        states.reserve(page.len());
        let view = shown.view()?;
        for (id, right) in page {
            states.extend(view.account(&right.account)?.map(|account| right_state(id, &right, &account)));
        }
    }
}

/// Those that were charged before the look began.
fn requests(shown: &impl Shown) -> Result<Vec<RequestStatus>, GateError> {
    let (mut states, mut page, mut from) = (Vec::new(), Vec::with_capacity(PAGE), 0);
    let end = shown.view()?.head().size();
    while from < end {
        let mut last = end;
        shown.view()?.requests(from, PAGE, &mut |id, record| {
            last = record.reserved;
            page.extend(request_state(id, record).filter(|_| record.reserved < end));
        })?;
        // All that is kept grows between the views.
        states.append(&mut page);
        from = last.saturating_add(1);
    }
    Ok(states)
}

fn datasets(shown: &impl Shown) -> Result<Vec<DatasetState>, GateError> {
    let lineages: Vec<_> = shown.registry().datasets().cloned().collect();
    let mut states = Vec::new();
    for page in lineages.chunks(PAGE) {
        let view = shown.view()?;
        for lineage in page {
            // One whose entry is not durable yet does not count.
            states.extend(view.account(&lineage.account)?.and_then(|account| dataset_state(lineage, &account)));
        }
    }
    states.sort_by(|a, b| a.description.name().cmp(b.description.name()));
    Ok(states)
}

fn right_state(id: RightId, right: &RegisteredRight, account: &Account) -> RightState {
    RightState {
        id,
        account: right.account,
        dataset: right.dataset,
        not_after: right.not_after,
        balance: *account.balance(),
        uses_left: account.uses_left(),
    }
}

fn request_state(id: RequestId, record: &RequestRecord) -> Option<RequestStatus> {
    Some(RequestStatus {
        id,
        state: record.state.clone(),
        reserved_at: record.reserved_at,
        expires_at: record.expires_at,
        charged: record.charges.first()?.amount.loss,
    })
}

fn dataset_state(lineage: &Lineage, account: &Account) -> Option<DatasetState> {
    let AccountKind::Lineage { refills, .. } = account.kind() else { return None };
    Some(DatasetState {
        id: lineage.id,
        account: lineage.account,
        description: Arc::clone(&lineage.description),
        version: account.version_at(u64::MAX),
        balance: *account.balance(),
        answers: account.uses(),
        refills: refills.iter().map(|(_, _, amount, reason)| (*amount, *reason)).collect(),
    })
}
