//! The shared state behind all handles of a space: how it opens, who holds what, how it closes.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::thread::{JoinHandle, ThreadId};
use std::time::Duration;

use super::GateError;
use super::clock::Clock;
use super::course::{Charged, Due, Errand, Outcome};
use super::environment::Environment;
use super::jobs::{Jobs, Timed, guarded};
use super::pending::Counter;
use super::registry::Registry;
use super::turn::Turns;
use crate::archive::{Archive, DirArchive, SpaceFolder, Tags, fresh_salt, openings_of};
use crate::engine::{Engines, LocalEngines};
use crate::envelope::Signed;
use crate::file::ReadError;
use crate::id::{LedgerId, Time};
use crate::key::{KeyError, KeyId, KeySet, Signer, SigningKey};
use crate::label::Label;
use crate::ledger::{
    Act, Admitted, ClockError, Event, Foundation, GateCertificate, GateClock, Genesis, JournalOptions, JournalStore, LedgerError,
    LedgerStore, LedgerView, Proposal, Quantum, WriteError, Writer,
};
use crate::right::Verdict;

/// More requests than this under way at once are refused as busy.
pub const PENDING_MAX: usize = 4096;

/// How a space is opened.
#[derive(Clone)]
pub struct SpaceOptions {
    pub(crate) quantum: Quantum,
    pub(crate) signer: Option<Arc<dyn Signer>>,
    pub(crate) engines: Option<Arc<dyn Engines>>,
    pub(crate) wait: Duration,
    pub(crate) inbox: bool,
}

impl Default for SpaceOptions {
    fn default() -> Self {
        Self { quantum: Quantum::DEFAULT, signer: None, engines: None, wait: Duration::ZERO, inbox: true }
    }
}

impl SpaceOptions {
    /// The quantum of a new space: answers, and every time that leaves, are multiples of it (rule G2). 100 ms unless told.
    #[must_use]
    pub const fn quantum(mut self, quantum: Quantum) -> Self {
        self.quantum = quantum;
        self
    }

    /// The gate's key, where it is not a file of the space: an HSM, a KMS.
    #[must_use]
    pub fn signer(mut self, signer: Arc<dyn Signer>) -> Self {
        self.signer = Some(signer);
        self
    }

    /// The engines that compute answers, in place of the crate's own.
    #[must_use]
    pub fn engines(mut self, engines: Arc<dyn Engines>) -> Self {
        self.engines = Some(engines);
        self
    }

    /// How long to wait for another process that has the space open; not at all unless told.
    #[must_use]
    pub const fn wait(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    /// Whether owner's acts that are put into the inbox are applied while the space is open; they are unless told. What expired is
    /// given back in any case.
    #[must_use]
    pub const fn inbox(mut self, inbox: bool) -> Self {
        self.inbox = inbox;
        self
    }
}

impl std::fmt::Debug for SpaceOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SpaceOptions").field("quantum", &self.quantum).field("wait", &self.wait).finish_non_exhaustive()
    }
}

/// What a gate has done since its space was opened, for whoever watches it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Counters {
    /// Batches of the ledger: each is one sync, shared by all entries in it.
    pub ledger_batches: u64,
    /// Batches of answers: each is one sync, shared by all answers in it.
    pub answer_batches: u64,
    /// Requests that were refused; nothing of them is written (rule C5).
    pub refused: u64,
    /// Requests under way now.
    pub pending: usize,
}

/// Everything behind the gate, shared by all its threads: archive, ledger, datasets, a clock and randomness.
///
/// ```text
/// callers --submit--> errands --verify--> writer of the ledger (one thread, one fsync for all that wait): charge and start
///                      ^   ^                 |
///                      |   |                 +--> runs: sums and noise, on threads of their own
///                 leave|   |at once                 |
///                      |   +--- not charged         v
///                      +--sealer <------------ due: at each tick, answers by one fsync, their seals by one
/// owner's acts: one at a time, under `acts`; readers look at the published state of the ledger and wait for nothing
/// ```
/// Locks, in the order in which they are taken: publishing, acts, registry, a view of the ledger. The last two are held over no
/// I/O that another waits for.
pub(crate) struct Service<E: Environment> {
    pub(super) environment: Arc<E>,
    pub(super) folder: SpaceFolder,
    pub(super) archive: Arc<dyn Archive>,
    pub(super) store: Arc<dyn LedgerStore>,
    pub(super) writer: Writer,
    registry: RwLock<Registry>,
    pub(super) owner: KeySet,
    pub(super) ledger_id: LedgerId,
    pub(super) engines: Arc<dyn Engines>,
    signers: Signers,
    pub(super) tags: Tags,
    pub(super) clock: Clock,
    acts: Mutex<()>,
    pub(super) applies_inbox: bool,
    pub(super) sealed_batches: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) publishing: Publishing,
    pub(super) turns: Arc<Turns<Outcome>>,
    pub(super) counter: Arc<Counter>,
    pub(super) errands: Jobs<Errand>,
    pub(super) runs: Jobs<Charged>,
    pub(super) due: Timed<Due>,
    pub(super) housekeeping: Housekeeping,
    /// Held as long as the service lives; the last field, so that it is let go last.
    _lock: File,
}

/// The service and its threads; dropped with the last handle, it finishes what is under way and closes the space.
pub(crate) struct Running<E: Environment> {
    service: Arc<Service<E>>,
    /// Takes the threads; closes the space once it is gone.
    threads: Option<Sender<JoinHandle<()>>>,
    closer: Option<JoinHandle<()>>,
    own: Vec<ThreadId>,
}

/// The gate's keys: the one in force, and earlier ones whose files are still there.
pub(super) struct Signers {
    given: Option<Arc<dyn Signer>>,
    known: RwLock<HashMap<KeyId, Arc<dyn Signer>>>,
}

/// One publication of a name at a time; publications of other names go on beside it.
#[derive(Default)]
pub(super) struct Publishing {
    names: Mutex<HashSet<String>>,
    free: Condvar,
}

/// The turn of a name, while it lives.
pub(super) struct PublishingName<'a> {
    publishing: &'a Publishing,
    name: String,
}

/// Wakes the thread that looks after the inbox and refunds, and ends it.
#[derive(Default)]
pub(super) struct Housekeeping {
    closed: Mutex<bool>,
    changed: Condvar,
}

/// Gate time, for the writer of the ledger.
struct ServiceClock<E> {
    environment: Arc<E>,
    clock: Clock,
}

impl<E: Environment> GateClock for ServiceClock<E> {
    fn now(&self, last: Option<Time>) -> Result<Time, ClockError> {
        self.clock.gate_time(self.environment.wall(), self.environment.monotonic(), last)
    }
}

impl<E: Environment> Running<E> {
    /// Makes the folder, the gate's key and a ledger with its first entries.
    pub(crate) fn create(
        path: &Path,
        environment: E,
        genesis: Genesis,
        gate_key: Option<SigningKey>,
        certificate: &Signed<GateCertificate>,
        options: SpaceOptions,
    ) -> Result<Self, GateError> {
        let folder = SpaceFolder::create(path)?;
        let lock = folder.lock(Duration::ZERO)?;
        let archive = DirArchive::open(&folder)?;
        if let Some(key) = &gate_key {
            key.create(&folder.gate_keys(key.public().id())[0])?;
        }
        let now = Time::from_unix_s(environment.wall().as_secs());
        let tags = Tags::new(fresh_salt(&mut environment.random(Label::TAGS.as_bytes())?));
        tags.keep(&archive, genesis.ledger_id())?;
        let secret = tags.commitment(genesis.ledger_id());
        let foundation = Foundation { genesis, certificate: certificate.clone(), quantum: options.quantum, secret };
        let store = JournalStore::create(&folder.ledger(), &foundation, now, JournalOptions::default())?;
        let signer = gate_key.map(|key| Arc::new(key) as Arc<dyn Signer>).or_else(|| options.signer.clone());
        Self::start(environment, folder, Arc::new(archive), Arc::new(store), SpaceOptions { signer, ..options }, lock)
    }

    /// Takes the lock and opens a space, checking everything in it.
    pub(crate) fn open(path: &Path, environment: E, options: SpaceOptions) -> Result<Self, GateError> {
        let folder = SpaceFolder::open(path)?;
        let lock = folder.lock(options.wait)?;
        folder.complete()?;
        let archive = DirArchive::open(&folder)?;
        let store = JournalStore::open(&folder.ledger(), JournalOptions::default())?;
        Self::start(environment, folder, Arc::new(archive), Arc::new(store), options, lock)
    }

    fn start(
        environment: E,
        folder: SpaceFolder,
        archive: Arc<dyn Archive>,
        store: Arc<dyn LedgerStore>,
        options: SpaceOptions,
        lock: File,
    ) -> Result<Self, GateError> {
        let environment = Arc::new(environment);
        let view = store.view()?;
        let genesis = view.head().genesis().ok_or(LedgerError::Incomplete("there is no genesis entry"))?.clone();
        if genesis.test == E::REAL {
            return Err(LedgerError::Test.into());
        }
        let (owner, ledger_id) = (genesis.owner.clone(), genesis.ledger_id());
        let certificate = certificate_of(view.as_ref())?;
        let signers = Signers { given: options.signer, known: RwLock::default() };
        // Nothing can be signed without it, so it is better missed now than with the first answer.
        signers.of(&folder, certificate.value().gate.id())?;
        let registry = Registry::load(archive.as_ref(), view.as_ref(), &owner)?;
        let (last, secret) = (view.head().time(), view.head().upgrade().map(|(_, secret)| secret));
        drop(view);

        let clock = Clock::start(environment.wall(), environment.monotonic());
        let tags = match secret {
            Some(commitment) => Tags::read(archive.as_ref(), &commitment, ledger_id)?,
            // At the time of the last entry: a clock that nobody has checked yet decides nothing.
            None => upgrade(&environment, archive.as_ref(), store.as_ref(), &registry, ledger_id, last.unwrap_or(Time::from_unix_s(0)))?,
        };
        // Written after its entry, so that a crash may have come between.
        folder.put_gate_certificate(certificate.bytes())?;
        settle(archive.as_ref(), store.as_ref(), &registry, &tags, ledger_id)?;
        let gate_clock = Arc::new(ServiceClock { environment: Arc::clone(&environment), clock });
        let writer = Writer::start(Arc::clone(&store), gate_clock).map_err(|error| GateError::Thread(error.kind()))?;
        let engines = options.engines.unwrap_or_else(|| Arc::new(LocalEngines::default().with_spill_folder(folder.root())));
        let service = Arc::new(Service {
            environment,
            folder,
            archive,
            store,
            writer,
            registry: RwLock::new(registry),
            owner,
            ledger_id,
            engines,
            signers,
            tags,
            clock,
            acts: Mutex::new(()),
            applies_inbox: options.inbox,
            sealed_batches: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            publishing: Publishing::default(),
            turns: Arc::new(Turns::new()),
            counter: Arc::default(),
            errands: Jobs::new(),
            runs: Jobs::new(),
            due: Timed::new(),
            housekeeping: Housekeeping::default(),
            _lock: lock,
        });
        service.store_checkpoint()?;
        let (threads, taken) = channel::<JoinHandle<()>>();
        let closed = Arc::clone(&service);
        let closer = std::thread::Builder::new().name("gate-closer".to_owned()).spawn(move || closed.close(taken.iter().collect()));
        let closer = closer.map_err(|error| GateError::Thread(error.kind()))?;
        let mut running = Self { service, threads: Some(threads), own: vec![closer.thread().id()], closer: Some(closer) };
        running.spawn()?;
        Ok(running)
    }

    fn spawn(&mut self) -> Result<(), GateError> {
        let cores = std::thread::available_parallelism().map_or(2, |cores| cores.get().max(2));
        let mut spawn = |name: String, service: Arc<Service<E>>, body: fn(&Arc<Service<E>>)| -> Result<(), GateError> {
            let thread = std::thread::Builder::new().name(name).spawn(move || body(&service));
            let thread = thread.map_err(|error| GateError::Thread(error.kind()))?;
            self.own.push(thread.thread().id());
            // The closer listens as long as this has the other end.
            if let Some(threads) = &self.threads {
                let _ = threads.send(thread);
            }
            Ok(())
        };
        for number in 0..cores {
            spawn(format!("gate-desk-{number}"), Arc::clone(&self.service), Service::stand_at_desk)?;
            spawn(format!("gate-run-{number}"), Arc::clone(&self.service), Service::compute_for_ever)?;
        }
        spawn("gate-sealer".to_owned(), Arc::clone(&self.service), Service::seal_for_ever)?;
        spawn("gate-house".to_owned(), Arc::clone(&self.service), Service::keep_house)
    }

    pub(crate) const fn service(&self) -> &Arc<Service<E>> {
        &self.service
    }
}

impl<E: Environment> Drop for Running<E> {
    fn drop(&mut self) {
        self.threads = None;
        // The last handle may go in a callback, on a thread of the gate that must not wait for itself.
        if let Some(closer) = self.closer.take().filter(|_| !self.own.contains(&std::thread::current().id())) {
            let _ = closer.join();
        }
    }
}

impl<E: Environment> Service<E> {
    /// Waits until nothing is under way, then ends one after the other what could start something.
    fn close(&self, threads: Vec<JoinHandle<()>>) {
        self.counter.wait_for_none();
        self.housekeeping.close();
        self.errands.close();
        self.runs.close();
        self.due.close();
        for thread in threads {
            let _ = thread.join();
        }
        self.writer.close();
        // The checkpoint only saves the next open from believing less than it could; the journal is the truth.
        let _ = self.store_checkpoint();
    }

    /// A thread at the desk, until there is nothing more to do.
    fn stand_at_desk(self: &Arc<Self>) {
        while let Some(errand) = self.errands.take() {
            guarded(|| self.do_errand(errand));
        }
    }

    /// A thread that computes, until there is nothing more to compute.
    fn compute_for_ever(self: &Arc<Self>) {
        while let Some(charged) = self.runs.take() {
            guarded(|| self.run(charged));
        }
    }

    pub(super) fn registry(&self) -> RwLockReadGuard<'_, Registry> {
        // Each change of the registry is one whole operation.
        self.registry.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn registry_mut(&self) -> RwLockWriteGuard<'_, Registry> {
        self.registry.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// One owner's act at a time: numbers, openings and entries are chosen under this.
    pub(super) fn acting(&self) -> MutexGuard<'_, ()> {
        self.acts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The published state of the ledger.
    pub(super) fn view(&self) -> Result<Box<dyn LedgerView + '_>, GateError> {
        Ok(self.store.view()?)
    }

    /// Gate time now, for deciding; entries have it rounded down to the quantum.
    pub(super) fn now(&self) -> Result<Time, Verdict> {
        let Ok(view) = self.store.view() else { return Err(Verdict::Busy) };
        let (last, certificate) = (view.head().time(), certificate_of(view.as_ref()).map_err(|_| Verdict::Busy)?);
        drop(view);
        let now = self.clock.gate_time(self.environment.wall(), self.environment.monotonic(), last).map_err(verdict_of_clock)?;
        let GateCertificate { not_before, not_after, .. } = certificate.value();
        if *not_before <= now && now < *not_after { Ok(now) } else { Err(Verdict::Certificate { now }) }
    }

    /// Fails when the ledger has stopped: asked before anything is written for an entry that would not come.
    pub(super) fn takes_entries(&self) -> Result<(), GateError> {
        self.store.append(&[], Time::from_unix_s(0))?;
        Ok(())
    }

    /// Records one thing and waits until it is durable.
    pub(super) fn record(&self, event: Event) -> Result<Admitted, GateError> {
        Ok(self.writer.append(Proposal { acts: vec![Act::Record(event)] })?)
    }

    /// The signer of a gate's key.
    pub(super) fn signer(&self, gate: KeyId) -> Result<Arc<dyn Signer>, GateError> {
        self.signers.of(&self.folder, gate)
    }

    /// Whether the gate can sign with a key: it was given, or its file is there.
    pub(super) fn can_sign(&self, gate: KeyId) -> bool {
        self.signer(gate).is_ok()
    }

    /// The checkpoint over the first `size` entries, signed by the key of a certificate.
    pub(super) fn checkpoint(&self, size: u64, certificate: &GateCertificate) -> Result<String, GateError> {
        let checkpoint = self.view()?.checkpoint(size)?.ok_or(GateError::Stopped)?;
        Ok(checkpoint.sign(self.signer(certificate.gate.id())?.as_ref()).map_err(LedgerError::from)?)
    }

    /// Keeps the last checkpoint beside the ledger, so that a later open must agree with it.
    pub(super) fn store_checkpoint(&self) -> Result<(), GateError> {
        Ok(self.store.keep_checkpoint(&self.last_checkpoint()?)?)
    }

    /// The checkpoint over all entries.
    pub(crate) fn last_checkpoint(&self) -> Result<String, GateError> {
        let view = self.view()?;
        let (size, certificate) = (view.head().size(), certificate_of(view.as_ref())?);
        drop(view);
        self.checkpoint(size, certificate.value())
    }

    pub(crate) const fn ledger_id(&self) -> LedgerId {
        self.ledger_id
    }

    /// What was done since the space was opened.
    pub(crate) fn counters(&self) -> Counters {
        Counters {
            ledger_batches: self.writer.batches(),
            answer_batches: self.sealed_batches.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
            pending: self.counter.count(),
        }
    }

    /// The folder into which owner's acts are put.
    pub(crate) fn inbox(&self) -> std::path::PathBuf {
        self.folder.inbox()
    }

    pub(crate) const fn owner(&self) -> &KeySet {
        &self.owner
    }
}

impl Signers {
    fn of(&self, folder: &SpaceFolder, gate: KeyId) -> Result<Arc<dyn Signer>, GateError> {
        if let Some(given) = self.given.as_ref().filter(|given| given.public().id() == gate) {
            return Ok(Arc::clone(given));
        }
        if let Some(known) = self.known.read().unwrap_or_else(PoisonError::into_inner).get(&gate) {
            return Ok(Arc::clone(known));
        }
        for path in folder.gate_keys(gate) {
            match SigningKey::open(&path) {
                Ok(key) if key.public().id() == gate => {
                    let key: Arc<dyn Signer> = Arc::new(key);
                    self.known.write().unwrap_or_else(PoisonError::into_inner).insert(gate, Arc::clone(&key));
                    return Ok(key);
                }
                Ok(_) | Err(KeyError::File(ReadError::Open { kind: ErrorKind::NotFound, .. })) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(GateError::NoGateKey { gate })
    }
}

impl Publishing {
    /// Waits until nobody else publishes this name.
    pub(super) fn enter(&self, name: &str) -> PublishingName<'_> {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        while !names.insert(name.to_owned()) {
            names = self.free.wait(names).unwrap_or_else(PoisonError::into_inner);
        }
        PublishingName { publishing: self, name: name.to_owned() }
    }
}

impl Drop for PublishingName<'_> {
    fn drop(&mut self) {
        self.publishing.names.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.name);
        self.publishing.free.notify_all();
    }
}

impl Housekeeping {
    /// Waits that long; whether to go on.
    pub(super) fn wait(&self, time: Duration) -> bool {
        let closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        if *closed {
            return false;
        }
        !*self.changed.wait_timeout(closed, time).unwrap_or_else(PoisonError::into_inner).0
    }

    fn close(&self) {
        *self.closed.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }
}

/// The certificate in force.
pub(crate) fn certificate_of(view: &dyn LedgerView) -> Result<Signed<GateCertificate>, GateError> {
    Ok(view.head().certificate().cloned().ok_or(LedgerError::Incomplete("there is no gate certificate"))?)
}

pub(super) fn verdict_of_clock(error: ClockError) -> Verdict {
    Verdict::Clock(error)
}

/// Brings a ledger of an earlier version to the present form, by one entry. The largest quantum of its datasets becomes the
/// space's: no answer is told more precisely than before.
fn upgrade<E: Environment>(
    environment: &Arc<E>,
    archive: &dyn Archive,
    store: &dyn LedgerStore,
    registry: &Registry,
    ledger: LedgerId,
    now: Time,
) -> Result<Tags, GateError> {
    let tags = Tags::new(fresh_salt(&mut environment.random(Label::TAGS.as_bytes())?));
    tags.keep(archive, ledger)?;
    let largest = registry.datasets().filter_map(|lineage| lineage.description.legacy_quantum_ms()).max();
    let quantum = largest.map_or(Quantum::DEFAULT, Quantum::at_least);
    let event = Event::Upgrade { quantum, secret: tags.commitment(ledger) };
    let outcomes = store.append(&[Proposal { acts: vec![Act::Record(event)] }], now)?;
    for outcome in outcomes {
        outcome.map_err(WriteError::Book)?;
    }
    Ok(tags)
}

/// Removes what killed publications left.
fn settle(archive: &dyn Archive, store: &dyn LedgerStore, registry: &Registry, tags: &Tags, ledger: LedgerId) -> Result<(), GateError> {
    let mut openings = vec![tags.opening(ledger)];
    store.view()?.accounts(&mut |id, account| openings.extend(openings_of(id, account)))?;
    let snapshots: Vec<_> = registry.datasets().flat_map(|lineage| lineage.snapshots()).collect();
    Ok(archive.settle(&openings, &snapshots)?)
}
