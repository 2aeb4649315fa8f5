//! What a space holds, for its owner's tools.

use std::path::Path;
use std::sync::Arc;

use super::GateError;
use super::acts::NextActs;
use super::environment::Environment;
use super::registry::Registry;
use super::service::Service;
use crate::archive::{DirArchive, SpaceFolder};
use crate::budget::{Balance, Loss};
use crate::dataset::Description;
use crate::id::{AccountId, DatasetId, LedgerId, RequestId, RightId, Time};
use crate::ledger::{AccountKind, LedgerError, LedgerReading, LedgerView, Quantum, RefillReason, RequestState};

/// A dataset and its budget.
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

/// A registered right and what it has left.
#[derive(Clone, Debug)]
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
#[derive(Clone, Debug)]
pub struct RequestStatus {
    /// The request.
    pub id: RequestId,
    /// Its state.
    pub state: RequestState,
    /// When it was charged.
    pub reserved_at: Time,
    /// When it stops being answered.
    pub expires_at: Time,
    /// What it was charged.
    pub charged: Loss,
}

/// Everything that a space holds.
#[derive(Clone, Debug)]
pub struct SpaceStatus {
    /// Entries of the ledger.
    pub size: u64,
    /// The quantum of the space.
    pub quantum: Quantum,
    /// What the owner's next acts must say.
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
        let view = reading.view();
        let genesis = view.head().genesis().ok_or(LedgerError::Incomplete("there is no genesis entry"))?;
        let registry = Registry::load(&DirArchive::open(&folder)?, view.as_ref(), &genesis.owner)?;
        Self::of(genesis.ledger_id(), &registry, view.as_ref())
    }

    fn of(ledger: LedgerId, registry: &Registry, view: &dyn LedgerView) -> Result<Self, GateError> {
        Ok(Self {
            size: view.head().size(),
            quantum: view.head().quantum(),
            next_acts: NextActs::of(ledger, view)?,
            datasets: dataset_states(registry, view)?,
            rights: right_states(registry, view)?,
            requests: request_states(view)?,
        })
    }
}

impl<E: Environment> Service<E> {
    /// Everything at once.
    pub(crate) fn status(&self) -> Result<SpaceStatus, GateError> {
        let registry = self.registry();
        SpaceStatus::of(self.ledger_id, &registry, self.view()?.as_ref())
    }

    /// The datasets with their balances, by name.
    pub(crate) fn datasets(&self) -> Result<Vec<DatasetState>, GateError> {
        let registry = self.registry();
        dataset_states(&registry, self.view()?.as_ref())
    }

    /// The registered rights with their balances, by id.
    pub(crate) fn rights(&self) -> Result<Vec<RightState>, GateError> {
        let registry = self.registry();
        right_states(&registry, self.view()?.as_ref())
    }

    /// All requests, in the order in which they were charged.
    pub(crate) fn requests(&self) -> Result<Vec<RequestStatus>, GateError> {
        request_states(self.view()?.as_ref())
    }
}

fn right_states(registry: &Registry, view: &dyn LedgerView) -> Result<Vec<RightState>, GateError> {
    let mut states = Vec::new();
    for (id, right) in registry.rights() {
        let Some(account) = view.account(&right.account)? else { continue };
        states.push(RightState {
            id: *id,
            account: right.account,
            dataset: right.dataset,
            not_after: right.not_after,
            balance: *account.balance(),
            uses_left: account.uses_left(),
        });
    }
    states.sort_by_key(|state| state.id);
    Ok(states)
}

fn request_states(view: &dyn LedgerView) -> Result<Vec<RequestStatus>, GateError> {
    let mut found = Vec::new();
    view.requests(&mut |id, record| {
        let Some(charge) = record.charges.first() else { return };
        let status = RequestStatus {
            id,
            state: record.state.clone(),
            reserved_at: record.reserved_at,
            expires_at: record.expires_at,
            charged: charge.amount.loss,
        };
        found.push((record.reserved, status));
    })?;
    found.sort_by_key(|(index, _)| *index);
    Ok(found.into_iter().map(|(_, status)| status).collect())
}

fn dataset_states(registry: &Registry, view: &dyn LedgerView) -> Result<Vec<DatasetState>, GateError> {
    let mut states = Vec::new();
    for lineage in registry.datasets() {
        // One whose entry is not durable yet does not count.
        let Some(account) = view.account(&lineage.account)? else { continue };
        let AccountKind::Lineage { refills, .. } = account.kind() else { continue };
        states.push(DatasetState {
            id: lineage.id,
            account: lineage.account,
            description: Arc::clone(&lineage.description),
            version: account.version_at(u64::MAX),
            balance: *account.balance(),
            answers: account.uses(),
            refills: refills.iter().map(|(_, _, amount, reason)| (*amount, *reason)).collect(),
        });
    }
    states.sort_by(|a, b| a.description.name().cmp(b.description.name()));
    Ok(states)
}
