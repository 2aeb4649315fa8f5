//! The owner's acts: each signed by the owner, applied one at a time, appended once.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::course::FreshRight;
use super::environment::Environment;
use super::publish::Published;
use super::registry::Lineage;
use super::service::{Service, certificate_of};
use super::{AccountState, GateError};
use crate::archive::{Behind, Opening, OpeningName, OpeningPart, behind, fresh_salt};
use crate::budget::{Loss, Model};
use crate::dataset::{PublicationFile, Refill};
use crate::envelope::{Artefact, EnvelopeError, Signed, Untrusted};
use crate::id::{AccountId, DatasetId, Decimal, Digest, LedgerId, RightId, Salt, Time};
use crate::key::PublicKey;
use crate::label::Label;
use crate::ledger::{Account, AccountKind, BookError, ClockReset, Entry, Event, GateCertificate, LedgerView, Quantum, QuantumChange};
use crate::random::Random as _;
use crate::right::{Right, Verdict, Verified};

/// An owner's act that was applied.
#[derive(Debug)]
#[non_exhaustive]
pub enum Applied {
    /// A dataset or a version was published.
    Published(Box<Published>),
    /// A right was registered.
    Granted {
        /// The right.
        right: RightId,
        /// Its account.
        account: AccountState,
    },
    /// A dataset got more budget.
    Refilled {
        /// The dataset.
        dataset: DatasetId,
        /// What it has left now.
        left: Loss,
    },
    /// The gate was certified anew.
    Certified {
        /// The certificate in force now.
        certificate: GateCertificate,
    },
    /// The space has another quantum.
    Quantum {
        /// The quantum.
        quantum: Quantum,
    },
    /// Gate time was set back.
    Clock {
        /// Gate time from here on.
        time: Time,
    },
}

impl std::fmt::Display for Applied {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Published(published) => write!(f, "published dataset {}, version {}", published.id, published.version),
            Self::Granted { right, account } => write!(f, "registered right {right} with {}", account.balance.limit()),
            Self::Refilled { dataset, left } => write!(f, "refilled dataset {dataset}, which has {left} left"),
            Self::Certified { certificate } => write!(f, "certified gate {} until {}", certificate.gate.id(), certificate.not_after),
            Self::Quantum { quantum } => write!(f, "the quantum is {} ms", quantum.ms()),
            Self::Clock { time } => write!(f, "gate time is {time}"),
        }
    }
}

/// What the owner's next acts must say: their numbers, so that each is applied once and in turn.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NextActs {
    /// The ledger.
    pub ledger: LedgerId,
    /// The certificate in force.
    pub certificate: GateCertificate,
    /// Of the next change of the quantum.
    pub quantum: u64,
    /// Of the next setting back of gate time.
    pub clock: u64,
    /// Gate time of the last entry.
    pub time: Option<Time>,
}

impl<E: Environment> Service<E> {
    /// Applies an owner's signed act, whichever it is. What is not the owner's, not for this ledger or out of turn changes nothing. One
    /// that was applied before is told as applied, changes nothing in the ledger, and what was to follow its entry is made up for.
    pub(crate) fn apply(&self, bytes: &[u8]) -> Result<Applied, GateError> {
        if let Ok(right) = Right::decode(bytes) {
            let right = self.grant(right.bytes(), false)?;
            let account = self.right_state(right.id())?.ok_or(GateError::Stopped)?;
            return Ok(Applied::Granted { right: right.id(), account });
        }
        if let Some(refill) = self.signed::<Refill>(bytes)? {
            let (dataset, left) = (refill.value().dataset, self.refill(&refill)?);
            return Ok(Applied::Refilled { dataset, left });
        }
        if let Some(certificate) = self.signed::<GateCertificate>(bytes)? {
            return Ok(Applied::Certified { certificate: self.certify(&certificate)? });
        }
        if let Some(change) = self.signed::<QuantumChange>(bytes)? {
            self.record_once(&Event::Quantum { bytes: change.bytes().to_vec() })?;
            return Ok(Applied::Quantum { quantum: self.view()?.head().quantum() });
        }
        if let Some(reset) = self.signed::<ClockReset>(bytes)? {
            self.record_once(&Event::Clock { bytes: reset.bytes().to_vec() })?;
            self.registry_mut().forget_ends();
            return Ok(Applied::Clock { time: reset.value().time });
        }
        Err(GateError::Act("expected a right, refill, certificate, quantum or clock act signed by the owner of this space"))
    }

    /// Applies an act from a file; the snapshot of a publication lies beside it, under the same name with `.snapshot` behind.
    pub(crate) fn apply_file(&self, path: &Path) -> Result<Applied, GateError> {
        let bytes = crate::file::read(path, ACT_BYTES_MAX)?;
        match PublicationFile::decode(&bytes) {
            Ok(file) => Ok(Applied::Published(Box::new(self.publish_file(&file, &snapshot_beside(path))?))),
            Err(_) => self.apply(&bytes),
        }
    }

    /// Records an act that stands in its entry as it is, unless it stands there.
    fn record_once(&self, event: &Event) -> Result<(), GateError> {
        let recorded = {
            let _acting = self.acting();
            self.record(event.clone())
        };
        match recorded {
            Err(GateError::Book(_)) if self.has_act(event)? => Ok(()),
            recorded => recorded.map(drop),
        }
    }

    fn has_act(&self, event: &Event) -> Result<bool, GateError> {
        let (wanted, mut found) = (act_in(event), false);
        let mut look = |_: u64, bytes: &[u8]| found = found || Entry::decode(bytes).is_ok_and(|entry| act_in(&entry.event) == wanted);
        self.store.entries(0, &mut look)?;
        Ok(found && wanted.is_some())
    }

    /// Opening, then entry. The opening goes again when there is certainly no entry.
    pub(super) fn record_opened(
        &self,
        name: &OpeningName,
        opening: &Opening,
        snapshot: Option<&Salt>,
        event: Event,
    ) -> Result<(), GateError> {
        self.takes_entries()?;
        self.archive.put_opening(name, &opening.encode())?;
        if let Err(error) = self.record(event) {
            if !error.may_be_recorded() {
                self.archive.remove_opening(name);
            }
            return Err(error);
        }
        self.archive.keep(name, snapshot);
        Ok(())
    }

    /// The act under the owner's signature; nothing when it is of another kind, an error when it is of this and another's.
    pub(super) fn signed<T: Artefact>(&self, bytes: &[u8]) -> Result<Option<Signed<T>>, GateError> {
        let Ok(untrusted) = Untrusted::<T>::decode(bytes) else { return Ok(None) };
        match untrusted.verify(self.owner.key()) {
            Ok(signed) => Ok(Some(signed)),
            // Of another kind or of another owner: the last kind decides what is said.
            Err(EnvelopeError::Refused) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// What the next acts must say.
    pub(crate) fn next_acts(&self) -> Result<NextActs, GateError> {
        NextActs::of(self.ledger_id, self.view()?.as_ref())
    }

    /// Appends an owner's signed refill; each number of a dataset counts once.
    pub(crate) fn refill(&self, signed: &Signed<Refill>) -> Result<Loss, GateError> {
        let refill = signed.value();
        let lineage = self.known(&refill.dataset)?;
        let _acting = self.acting();
        let account = self.view()?.account(&lineage.account)?.ok_or(GateError::Stopped)?;
        if self.has_refill(&lineage, &account, signed)? {
            return Ok(account.balance().left());
        }
        // Before anything is written: a number that is not the next, an amount in another unit, or more than an account can hold.
        if refill.number != refills_of(&account) + 1 {
            return Err(GateError::Act("the refill is out of turn: another one has its number, or an earlier one was not applied"));
        }
        let mut balance = *account.balance();
        balance.refill(&refill.amount)?;
        let mut random = self.environment.random(Label::REFILL.as_bytes())?;
        let opening = Opening { salt: fresh_salt(&mut random), artefact: signed.bytes().to_vec(), digest: signed.digest(), snapshot: None };
        let artefact = opening.commitment(lineage.account);
        let name = OpeningName::new(lineage.account, OpeningPart::Refill(refill.number), artefact);
        let (account, amount, reason, number) = (lineage.account, refill.amount, refill.reason, Some(refill.number));
        self.record_opened(&name, &opening, None, Event::Refill { account, artefact, amount, reason, number })?;
        let account = self.view()?.account(&lineage.account)?.ok_or(GateError::Stopped)?;
        Ok(account.balance().left())
    }

    /// Whether the refill of this number is this one.
    fn has_refill(&self, lineage: &Lineage, account: &Account, signed: &Signed<Refill>) -> Result<bool, GateError> {
        let number = signed.value().number;
        if number == 0 || number > refills_of(account) {
            return Ok(false);
        }
        let upgraded = self.view()?.head().upgrade().map(|(index, _)| index);
        let Behind::Lineage(artefacts) = behind(self.archive.as_ref(), lineage.account, account, upgraded, &self.owner)? else {
            return Ok(false);
        };
        Ok(artefacts.refills.iter().any(|known| known.value().number == number && known.digest() == signed.digest()))
    }

    /// Registers a right before its first use. Unless told so, live rights may not promise more than the dataset has
    /// left (rule B9).
    pub(crate) fn grant(&self, bytes: &[u8], oversubscribe: bool) -> Result<Verified, GateError> {
        let right = Right::decode(bytes).and_then(|right| right.verify(&self.owner)).map_err(Verdict::from)?;
        let lineage = self.grantable(&right)?;
        let _acting = self.acting();
        if self.account_of(right.id())?.is_some() {
            return Ok(right);
        }
        if !oversubscribe {
            self.check_promises(&right, &lineage)?;
        }
        self.register(&right, &lineage)?;
        Ok(right)
    }

    /// Whether [`Service::grant`] would register the right now: asked before its file is given its name.
    pub(crate) fn check_grant(&self, bytes: &[u8], oversubscribe: bool) -> Result<(), GateError> {
        let right = Right::decode(bytes).and_then(|right| right.verify(&self.owner)).map_err(Verdict::from)?;
        let lineage = self.grantable(&right)?;
        let _acting = self.acting();
        if oversubscribe { Ok(()) } else { self.check_promises(&right, &lineage) }
    }

    fn grantable(&self, right: &Verified) -> Result<Arc<Lineage>, GateError> {
        if right.root().ledger != self.ledger_id {
            return Err(Verdict::Audience.into());
        }
        let lineage = self.registry().dataset(&right.root().dataset).cloned().ok_or(Verdict::UnknownDataset)?;
        if lineage.schema != right.root().schema {
            return Err(Verdict::Dataset.into());
        }
        if lineage.description.budget().model() != right.terms().budget.model() {
            return Err(Verdict::Price.into());
        }
        Ok(lineage)
    }

    fn check_promises(&self, right: &Verified, lineage: &Lineage) -> Result<(), GateError> {
        let now = self.now()?;
        let (left, (one, two)) = {
            let mut registry = self.registry_mut();
            let view = self.view()?;
            let left = view.account(&lineage.account)?.ok_or(GateError::Stopped)?.balance().left();
            (left, registry.promised(lineage.account, view.as_ref(), now)?)
        };
        let (more, limit) = (right.terms().budget.units(), left.units());
        let (one, two) = (one + u128::from(more.0), two + u128::from(more.1));
        if one > limit.0.into() || two > limit.1.into() {
            return Err(GateError::Oversubscribed { promised: Promised::new(left.model(), one, two), left });
        }
        Ok(())
    }

    /// The account of a right that is registered, also by a request that is still on its way.
    pub(super) fn account_of(&self, right: RightId) -> Result<Option<AccountId>, GateError> {
        if let Some(known) = self.registry().right(&right) {
            return Ok(Some(known.account));
        }
        Ok(self.view()?.tagged(&self.tags.of_right(right))?)
    }

    /// Account and opening of a right that is not registered yet. The opening is durable, and counts once its entry is.
    pub(super) fn fresh_right(&self, right: &Verified) -> Result<FreshRight, GateError> {
        self.takes_entries()?;
        let mut random = self.environment.random(Label::ACCOUNT.as_bytes())?;
        let mut account = [0; 16];
        random.fill(&mut account);
        let account = AccountId::from_bytes(account);
        let digest = Digest::from_bytes(*right.id().as_bytes());
        let opening = Opening { salt: fresh_salt(&mut random), artefact: right.bytes().to_vec(), digest, snapshot: None };
        let name = OpeningName::new(account, OpeningPart::Right, opening.commitment(account));
        self.archive.put_opening(&name, &opening.encode())?;
        Ok(FreshRight { account, name, once: self.tags.of_right(right.id()) })
    }

    /// A right whose entry is durable.
    pub(super) fn keep_right(&self, fresh: &FreshRight, right: &Verified, lineage: AccountId) -> Result<(), GateError> {
        self.archive.keep(&fresh.name, None);
        self.registry_mut().insert_right(right, fresh.account, lineage)
    }

    /// Registers a right, unless it is; under the lock of owner's acts.
    fn register(&self, right: &Verified, lineage: &Lineage) -> Result<AccountId, GateError> {
        if let Some(account) = self.account_of(right.id())? {
            return Ok(account);
        }
        let fresh = self.fresh_right(right)?;
        match self.record(fresh.grant(right, lineage.account)) {
            Ok(_) => {
                self.keep_right(&fresh, right, lineage.account)?;
                Ok(fresh.account)
            }
            Err(error) => {
                if !error.may_be_recorded() {
                    self.archive.remove_opening(&fresh.name);
                }
                match error {
                    // A request used it meanwhile.
                    GateError::Book(BookError::Once { account, .. }) => Ok(account),
                    error => Err(error),
                }
            }
        }
    }

    /// Appends a new certificate, unless it was appended before, and says which is in force. The gate must be able to sign with the key
    /// that a new one names.
    fn certify(&self, certificate: &Signed<GateCertificate>) -> Result<GateCertificate, GateError> {
        let _acting = self.acting();
        let known = self.view()?.head().certificates().iter().any(|(_, known)| known.digest() == certificate.digest());
        if !known {
            let gate = certificate.value().gate.id();
            if !self.can_sign(gate) {
                return Err(GateError::NoGateKey { gate });
            }
            self.record(Event::Certificate { bytes: certificate.bytes().to_vec() })?;
        }
        let in_force = certificate_of(self.view()?.as_ref())?;
        self.folder.put_gate_certificate(in_force.bytes())?;
        self.store_checkpoint()?;
        Ok(in_force.into_value())
    }

    /// The number the next refill of a dataset must carry.
    pub(crate) fn next_refill(&self, dataset: &DatasetId) -> Result<u64, GateError> {
        let lineage = self.known(dataset)?;
        let account = self.view()?.account(&lineage.account)?.ok_or(GateError::Stopped)?;
        Ok(refills_of(&account) + 1)
    }

    fn known(&self, dataset: &DatasetId) -> Result<Arc<Lineage>, GateError> {
        self.registry().dataset(dataset).cloned().ok_or(GateError::Act("there is no such dataset in this space"))
    }
}

/// Which quantum or clock act stands in an entry.
fn act_in(event: &Event) -> Option<(&'static str, Digest)> {
    match event {
        Event::Quantum { bytes } => Some((QuantumChange::TYPE, Untrusted::<QuantumChange>::decode(bytes).ok()?.digest())),
        Event::Clock { bytes } => Some((ClockReset::TYPE, Untrusted::<ClockReset>::decode(bytes).ok()?.digest())),
        _ => None,
    }
}

fn refills_of(account: &Account) -> u64 {
    match account.kind() {
        AccountKind::Lineage { refills, .. } => refills.len() as u64,
        _ => 0,
    }
}

/// Other acts are a few kilobytes.
pub(super) const ACT_BYTES_MAX: usize = PublicationFile::BYTES_MAX;

/// Where the snapshot of a publication lies.
pub(super) fn snapshot_beside(path: &Path) -> PathBuf {
    crate::file::with_suffix(path, ".snapshot")
}

/// What live rights would promise in all; it may be more than any one budget can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promised {
    model: Model,
    one: u128,
    two: u128,
}

impl Promised {
    const fn new(model: Model, one: u128, two: u128) -> Self {
        Self { model, one, two }
    }
}

impl std::fmt::Display for Promised {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let decimal = |units: u128, scale| i128::try_from(units).ok().and_then(|units| Decimal::new(units, scale));
        match (decimal(self.one, 12), decimal(self.two, 18)) {
            (Some(one), Some(Decimal::ZERO)) => write!(f, "{} {one}", self.model.unit()),
            (Some(one), Some(two)) => write!(f, "{} {one}, delta {two}", self.model.unit()),
            _ => f.write_str("more than can be told"),
        }
    }
}

impl NextActs {
    pub(crate) fn of(ledger: LedgerId, view: &dyn LedgerView) -> Result<Self, GateError> {
        let head = view.head();
        let certificate = certificate_of(view)?.into_value();
        let clock = head.clock_resets().len() as u64 + 1;
        Ok(Self { ledger, certificate, quantum: head.quantum_changes() + 1, clock, time: head.time() })
    }

    /// The certificate that the owner is to sign for a gate's key, five years from `now`.
    #[must_use]
    pub fn next_certificate(&self, gate: &PublicKey, now: Time) -> GateCertificate {
        GateCertificate {
            ledger: self.ledger,
            gate: gate.clone(),
            // The gate answers for the ledger as it finds it, also for what was sealed under the certificate before.
            not_before: self.certificate.not_before,
            not_after: now.plus_s(super::creation::CERTIFICATE_S),
            number: self.certificate.number + 1,
        }
    }
}
