//! A space: the folder in which an owner's data, ledger and gate live (数据空间).
//!
//! One process has it open at a time; in it, one handle serves any number of threads. While its gate answers, the owner
//! publishes, grants, refills and certifies: by the methods here, or by acts that were signed elsewhere. Opening checks everything
//! and refuses on any mismatch.

mod counter;
mod offline;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use counter::{CounterFile, CounterFileError};
pub use offline::{Certified, certify_closed, write_publication};

use crate::budget::Loss;
use crate::dataset::{Description, DescriptionFile, PublicationFile, PublishError, PublishProgress};
use crate::envelope::Untrusted;
use crate::gate::{
    Applied, Counters, DatasetState, Gate, GateError, NextActs, Published, RequestStatus, RightState, Running, Service, SpaceOptions,
    SpaceStatus, System, creation,
};
use crate::id::{DatasetId, LedgerId, RequestId, Time};
use crate::key::{KeySet, PublicKey, Signer, SigningKey};
use crate::ledger::GateCertificate;
use crate::random::SystemRandom;
use crate::receipt::Bundle;
use crate::right::Verified;
use crate::table::RecordSource;

/// A space, opened by the one process that holds its lock. A handle: clones, and the gates made from it, share the space; the last
/// one that goes finishes what is under way and closes it.
///
/// ```
#[doc = include_str!("doc/market.txt")]
/// let path = folder.path().join("space");
/// let space = Space::create(&path, owner.signer(), next.public(), Time::now())?;
/// let published = space.publish_file(&toml, owner.signer())?; // reads people.csv beside it, once
/// assert_eq!((published.version, published.rows), (1, 400));
/// drop(space); // closed: the last handle
///
/// let space = Space::open(&path)?; // any later day: everything is checked again
/// assert_eq!(space.datasets()?[0].description.name().as_str(), "people");
/// assert!(Space::open(&path).is_err(), "one process, one space");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Space {
    running: Arc<Running<System>>,
}

impl Space {
    /// Makes a space at a path where nothing is yet: the gate's key, certified by `owner`, and the first entries of
    /// the ledger. `next` is the key that the owner can rotate to; only its hash is published.
    ///
    /// # Errors
    /// The path exists or cannot be written, or the owner's key does not sign.
    pub fn create(path: impl AsRef<Path>, owner: &dyn Signer, next: &PublicKey, now: Time) -> Result<Self, GateError> {
        Self::create_with(path, owner, next, now, SpaceOptions::default())
    }

    /// As [`Space::create`], with another quantum, a gate's key that is not a file, or other engines.
    ///
    /// # Errors
    /// As there.
    pub fn create_with(
        path: impl AsRef<Path>,
        owner: &dyn Signer,
        next: &PublicKey,
        now: Time,
        options: SpaceOptions,
    ) -> Result<Self, GateError> {
        let mut random = SystemRandom::new()?;
        let made = if options.signer.is_none() { Some(SigningKey::generate(&mut random)) } else { None };
        let gate = match (&options.signer, &made) {
            (Some(signer), _) => signer.public().clone(),
            (None, Some(key)) => key.public().clone(),
            (None, None) => return Err(GateError::Stopped),
        };
        let (genesis, certificate) = creation(owner, next, &gate, now, &mut random, false)?;
        let running = Running::create(path.as_ref(), System::new(), genesis, made, &certificate, options)?;
        Ok(Self { running: Arc::new(running) })
    }

    /// Opens a space and checks it: the whole ledger, the openings, the data's digests. A space of an earlier version is brought
    /// to the present one.
    ///
    /// # Errors
    /// Another process has it open, or anything in it does not agree.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, GateError> {
        Self::open_with(path, SpaceOptions::default())
    }

    /// As [`Space::open`], waiting for another process, with a gate's key that is not a file, or with other engines. The quantum
    /// is the space's own, whatever the options say.
    ///
    /// # Errors
    /// As there.
    pub fn open_with(path: impl AsRef<Path>, options: SpaceOptions) -> Result<Self, GateError> {
        Ok(Self { running: Arc::new(Running::open(path.as_ref(), System::new(), options)?) })
    }

    /// The gate of this space, which answers requests.
    #[must_use]
    pub fn gate(&self) -> Gate {
        Gate::new(Arc::clone(&self.running))
    }

    /// Reads the data once, keeps an immutable snapshot, and publishes it as a new dataset, or as a new version of
    /// the one with the same name and description. Everything that can fail because of a cell fails here. The gate answers meanwhile.
    ///
    /// # Errors
    /// The data, the description, or the space.
    pub fn publish(
        &self,
        description: &Description,
        source: &dyn RecordSource,
        owner: &dyn Signer,
        progress: &mut dyn FnMut(PublishProgress) -> ControlFlow<()>,
    ) -> Result<Published, GateError> {
        self.service().publish(description, source, owner, progress)
    }

    /// As [`Space::publish`], of what a `D.toml` describes: the data are the CSV, Parquet or Arrow IPC file that it names.
    ///
    /// # Errors
    /// As there; the description or the data cannot be read.
    pub fn publish_file(&self, description: impl AsRef<Path>, owner: &dyn Signer) -> Result<Published, GateError> {
        let file = DescriptionFile::read(description)?;
        let source = file.source().map_err(PublishError::from)?;
        self.publish(&file.description, &source, owner, &mut |_| ControlFlow::Continue(()))
    }

    /// Applies an owner's signed act: a right, a refill, a certificate of the gate, a change of the quantum, a setting back of gate
    /// time. What is not the owner's, not for this space or out of turn changes nothing. An act that was applied before counts once and
    /// is told as applied again, so that whoever does not know whether it was, after a crash, hands it in again.
    ///
    /// # Errors
    /// It is not such an act, or does not fit.
    pub fn apply(&self, act: &[u8]) -> Result<Applied, GateError> {
        self.service().apply(act)
    }

    /// As [`Space::apply`], from a file; also a publication that was made by [`write_publication`], whose snapshot lies beside it
    /// under the same name with `.snapshot` behind.
    ///
    /// # Errors
    /// As there; the file cannot be read.
    pub fn apply_file(&self, path: impl AsRef<Path>) -> Result<Applied, GateError> {
        self.service().apply_file(path.as_ref())
    }

    /// Publishes what [`write_publication`] made, with its snapshot.
    ///
    /// # Errors
    /// Not the owner's, not for this space, out of turn, or another snapshot than was signed.
    pub fn apply_publication(&self, publication: &PublicationFile, snapshot: impl AsRef<Path>) -> Result<Published, GateError> {
        self.service().publish_file(publication, snapshot.as_ref())
    }

    /// Applies an owner's signed refill and says what the dataset has left.
    ///
    /// # Errors
    /// Not the owner's, or out of turn.
    pub fn refill(&self, signed: &[u8]) -> Result<Loss, GateError> {
        let refill = Untrusted::decode(signed)?.verify(self.owner().key())?;
        self.service().refill(&refill)
    }

    /// The number that the next refill of a dataset must carry.
    ///
    /// # Errors
    /// There is no such dataset.
    pub fn next_refill(&self, dataset: &DatasetId) -> Result<u64, GateError> {
        self.service().next_refill(dataset)
    }

    /// Registers a right before its first use. Unless `oversubscribe` is set, live rights may not promise more than
    /// the dataset has left.
    ///
    /// # Errors
    /// Not a right of this owner and space, or more promised than left.
    pub fn grant(&self, right: &[u8], oversubscribe: bool) -> Result<Verified, GateError> {
        self.service().grant(right, oversubscribe)
    }

    /// Whether [`Space::grant`] would register the right now; registers nothing. Whoever keeps rights in files asks this, gives the
    /// file its name, and then registers it: then no crash leaves a budget promised to a right that nobody has.
    ///
    /// # Errors
    /// As there.
    pub fn check_grant(&self, right: &[u8], oversubscribe: bool) -> Result<(), GateError> {
        self.service().check_grant(right, oversubscribe)
    }

    /// What the owner's next acts must say: ledger, certificate in force, numbers.
    ///
    /// # Errors
    /// The gate has stopped.
    pub fn next_acts(&self) -> Result<NextActs, GateError> {
        self.service().next_acts()
    }

    /// The certificate that the owner is to sign so that the gate may sign for another five years; with another key, if one is given.
    ///
    /// # Errors
    /// The gate has stopped.
    pub fn next_certificate(&self, gate: Option<&PublicKey>, now: Time) -> Result<GateCertificate, GateError> {
        let acts = self.next_acts()?;
        let gate = gate.cloned().unwrap_or_else(|| acts.certificate.gate.clone());
        Ok(acts.next_certificate(&gate, now))
    }

    /// The datasets with their balances, by name.
    ///
    /// # Errors
    /// The gate has stopped.
    pub fn datasets(&self) -> Result<Vec<DatasetState>, GateError> {
        self.service().datasets()
    }

    /// The registered rights with their balances.
    ///
    /// # Errors
    /// The gate has stopped.
    pub fn rights(&self) -> Result<Vec<RightState>, GateError> {
        self.service().rights()
    }

    /// All requests and what became of them, in the order in which they were charged.
    ///
    /// # Errors
    /// The gate has stopped.
    pub fn requests(&self) -> Result<Vec<RequestStatus>, GateError> {
        self.service().requests()
    }

    /// Request, answer and receipt of a sealed request that was kept here ([`Gate::keep`]); nothing when it is not sealed.
    ///
    /// # Errors
    /// It was not kept, or the answer is damaged.
    pub fn receipt(&self, request: RequestId) -> Result<Option<Bundle>, GateError> {
        let Some((bytes, release)) = self.service().sealed(request)? else { return Ok(None) };
        let Some(receipt) = release.receipt().cloned() else { return Ok(None) };
        Ok(Some(Bundle { receipt, request: bytes, answer: release.bytes().to_vec() }))
    }

    /// What the gate has done since the space was opened.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.service().counters()
    }

    /// All of this at once.
    ///
    /// # Errors
    /// The gate has stopped.
    pub fn status(&self) -> Result<SpaceStatus, GateError> {
        self.service().status()
    }

    /// The ledger's id.
    #[must_use]
    pub fn ledger_id(&self) -> LedgerId {
        self.service().ledger_id()
    }

    /// The owner's public keys.
    #[must_use]
    pub fn owner(&self) -> &KeySet {
        self.service().owner()
    }

    /// The folder into which owner's acts may be renamed while the space is open. The gate renames each into `taken` there before it
    /// reads it; what became of it then stands in `done`.
    #[must_use]
    pub fn inbox(&self) -> PathBuf {
        self.service().inbox()
    }

    fn service(&self) -> &Service<System> {
        self.running.service()
    }
}

impl std::fmt::Debug for Space {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Space({})", self.ledger_id())
    }
}
