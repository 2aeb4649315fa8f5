//! What somebody would try who wants a gate to hang, to lie, to forget or to tell: holders, whoever can put files into the folder,
//! a thief of the gate's key, and bad luck.
#![cfg(all(unix, feature = "csv", feature = "sql", feature = "embedded", feature = "hazmat"))]
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "faults/mod.rs"]
mod inject;
mod kept;

use std::fs;
use std::ops::ControlFlow;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::time::{Duration, Instant};

use inject::{Faults, What};
use kept::Kept;
use usufruct::archive::{Archive as _, ArchiveError, DirArchive, Opening, OpeningName, OpeningPart, SpaceFolder, Tags};
use usufruct::auditor::Auditor;
use usufruct::budget::{Epsilon, Loss};
use usufruct::dataset::{DescriptionFile, PublicationFile, RowKey, table_schema};
use usufruct::engine::{Blocks, Control, Engine, EngineError, Engines, LocalEngines};
use usufruct::envelope::Signed;
use usufruct::gate::{AnswerError, Gate, GateError, Published, SpaceOptions};
use usufruct::holder::{Holder, SeenFile};
use usufruct::id::{AccountId, Digest, RequestId, Salt, Time};
use usufruct::key::{KeyError, PublicKey, Signer, SigningKey};
use usufruct::ledger::{
    AccountKind, Act, Checkpoint, ClockReset, Event, GateCertificate, JournalOptions, JournalStore, LedgerReading, LedgerStore as _,
    Measure, Proposal, Quantum, QuantumChange, RefillReason, RequestState, Reserve, origin_of,
};
use usufruct::owner::Owner;
use usufruct::plan::{BoundQuery, ExactPart};
use usufruct::query::Query;
use usufruct::random::SystemRandom;
use usufruct::receipt::SignedCheckpoint;
use usufruct::right::{Ask, Refusal, Right, Terms, Verified};
use usufruct::space::{Certified, Space, certify_closed, write_publication};
use usufruct::table::{CsvOptions, CsvSource};

const PRICE: &str = "0.001";
const EVER: &str = "2090-01-01T00:00:00Z";

fn now() -> Time {
    Time::from_unix_s(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs())
}

fn key() -> SigningKey {
    SigningKey::generate(&mut SystemRandom::new().unwrap())
}

fn spent(times: u64) -> Loss {
    Loss::pure(Epsilon::from_units(times * Epsilon::parse(PRICE).unwrap().units()).unwrap())
}

/// As many requests as this keep every thread of a gate busy that computes.
fn workers() -> usize {
    std::thread::available_parallelism().map_or(2, |cores| cores.get().max(2))
}

/// Runs a body that must end in time: what hangs fails its test.
fn within<T: Send + 'static>(seconds: u64, body: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, ended) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        let outcome = body();
        let _ = done.send(());
        outcome
    });
    match ended.recv_timeout(Duration::from_secs(seconds)) {
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("it hangs: not done after {seconds} s"),
        _ => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
    }
}

fn until(seconds: u64, holds: impl Fn() -> bool) -> bool {
    let deadline = Instant::now() + Duration::from_secs(seconds);
    while !holds() {
        if Instant::now() > deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    true
}

/// An owner, a holder and a space.
struct World {
    folder: tempfile::TempDir,
    owner: Owner,
    holder: Holder,
    space: Space,
}

impl World {
    fn new(quantum_ms: u32) -> Self {
        Self::with(quantum_ms, SpaceOptions::default())
    }

    fn with(quantum_ms: u32, options: SpaceOptions) -> Self {
        let folder = tempfile::tempdir().unwrap();
        key().create(folder.path().join("owner.key")).unwrap();
        let (owner, holder) = (Owner::new(SigningKey::open(folder.path().join("owner.key")).unwrap()), Holder::new(key()));
        let space = create(&folder.path().join("space"), &owner, options.quantum(Quantum::new(quantum_ms).unwrap()));
        Self { folder, owner, holder, space }
    }

    /// A space whose engine waits at a gate of its own.
    fn held(quantum_ms: u32) -> (Self, Arc<Latch>) {
        let latch = Arc::new(Latch::default());
        let engines = HeldEngines { latch: Arc::clone(&latch) };
        (Self::with(quantum_ms, SpaceOptions::default().engines(Arc::new(engines))), latch)
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("space")
    }

    fn description(&self, name: &str, epsilon: &str) -> DescriptionFile {
        describe(self.folder.path(), name, epsilon)
    }

    fn source(&self, name: &str) -> CsvSource {
        source(self.folder.path(), &self.description(name, "1"))
    }

    fn publish(&self, name: &str, epsilon: &str) -> Published {
        publish(&self.space, &self.description(name, epsilon), self.folder.path(), &self.owner)
    }

    fn right(&self, published: &Published, epsilon: &str, uses: u64) -> Verified {
        let terms = Terms::parse(&format!(
            "kind = \"process\"\noperations = [\"count\", \"mean\"]\ncolumns = [\"sex\", \"age\"]\npurposes = [\"research\"]\n\
             budget = {{ epsilon = \"{epsilon}\" }}\nuses = {uses}\nnot_after = \"{EVER}\"\n"
        ));
        let mut random = SystemRandom::new().unwrap();
        self.owner.grant(&published.card, self.holder.public(), terms.unwrap(), now(), &mut random).unwrap()
    }

    fn request(&self, right: &Verified) -> Vec<u8> {
        request(&self.holder, right, now(), 24 * 3600)
    }

    fn refill(&self, published: &Published, number: u64) -> Vec<u8> {
        self.owner.refill(published.id, number, Loss::approx("1", "0").unwrap(), RefillReason::Accepted).unwrap().bytes().to_vec()
    }

    fn slow_key(&self, latch: &Arc<Latch>) -> SlowKey {
        SlowKey { key: SigningKey::open(self.folder.path().join("owner.key")).unwrap(), latch: Arc::clone(latch) }
    }

    fn sign_publication(&self, name: &str, later: Option<(&PublicationFile, u64)>, out: &Path) {
        let certificate = fs::read(self.path().join("gate.certificate")).unwrap();
        let (file, source) = (self.description(name, "1"), self.source(name));
        let mut progress = |_| ControlFlow::Continue(());
        write_publication(&file.description, &source, self.owner.signer(), &certificate, later, out, &mut progress).unwrap();
    }

    /// Renames a file into the inbox.
    fn put(&self, name: &str, bytes: &[u8]) {
        let part = self.folder.path().join("act");
        fs::write(&part, bytes).unwrap();
        fs::rename(part, self.space.inbox().join(name)).unwrap();
    }

    /// What is told of an act, once it is taken from the inbox: the name of the file, and its text.
    fn told(&self, name: &str) -> (String, String) {
        let done = self.space.inbox().join("done");
        let file = |suffix: &str| done.join(format!("{name}.{suffix}"));
        assert!(until(20, || !self.space.inbox().join(name).exists()), "{name} stays in the inbox");
        let told = || ["applied", "refused"].into_iter().find(|suffix| file(suffix).exists());
        assert!(until(20, || told().is_some()), "nothing is told of {name}");
        let suffix = told().unwrap();
        (suffix.to_owned(), fs::read_to_string(file(suffix)).unwrap())
    }

    fn problems(&self) -> Vec<String> {
        problems(&self.owner, &self.path())
    }

    fn assert_audited(&self) {
        assert!(self.problems().is_empty(), "{:?}", self.problems());
    }

    /// Lets the space go and keeps the rest.
    fn closed(self) -> (tempfile::TempDir, Owner, Holder) {
        let Self { folder, owner, holder, space } = self;
        drop(space);
        (folder, owner, holder)
    }
}

fn create(path: &Path, owner: &Owner, options: SpaceOptions) -> Space {
    Space::create_with(path, owner.signer(), owner.public(), now(), options).unwrap()
}

fn describe(folder: &Path, name: &str, epsilon: &str) -> DescriptionFile {
    let data = folder.join(format!("{name}.csv"));
    if !data.exists() {
        let rows: String = (0..500).map(|row| format!("{},{}\n", row % 90, if row % 3 == 0 { "f" } else { "m" })).collect();
        fs::write(&data, format!("age,sex\n{rows}")).unwrap();
    }
    let text = format!(
        "name = \"{name}\"\ndata = \"{name}.csv\"\nunit = \"row\"\nrows_are_independent = true\n\
         budget = {{ model = \"approx\", epsilon = \"{epsilon}\" }}\n\
         columns.age = {{ type = \"integer\", bounds = [0, 120], grade = 2 }}\n\
         columns.sex = {{ type = \"text\", values = [\"f\", \"m\"], grade = 1 }}\n"
    );
    DescriptionFile::parse(&text, folder).unwrap()
}

fn source(folder: &Path, file: &DescriptionFile) -> CsvSource {
    let data = folder.join(format!("{}.csv", file.description.name()));
    CsvSource::open(&data, CsvOptions::default(), table_schema(file.description.schema())).unwrap()
}

fn publish(space: &Space, file: &DescriptionFile, folder: &Path, owner: &Owner) -> Published {
    space.publish(&file.description, &source(folder, file), owner.signer(), &mut |_| ControlFlow::Continue(())).unwrap()
}

fn ask(from: &str, expiry_s: u64) -> Ask {
    let query = Query::sql(&format!("SELECT sex, COUNT(*), AVG(age) FROM {from} GROUP BY sex")).unwrap();
    Ask::new(query, Loss::approx(PRICE, "0").unwrap()).expiry_s(expiry_s)
}

fn request(holder: &Holder, right: &Verified, at: Time, expiry_s: u64) -> Vec<u8> {
    let ask = ask(right.root().name.as_str(), expiry_s);
    holder.request(right, ask, at, &mut SystemRandom::new().unwrap()).unwrap().bytes().to_vec()
}

fn problems(owner: &Owner, path: &Path) -> Vec<String> {
    Auditor::new(owner.public().clone())
        .audit(path, None, &|_, _| {})
        .map_or_else(|error| vec![error.to_string()], |report| report.problems)
}

fn pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// What whoever waits at a latch does once it is opened.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Then {
    #[default]
    Wait,
    Go,
    Fail,
    Panic,
}

/// Holds threads until a test lets them go, and knows how many have come.
#[derive(Default)]
struct Latch {
    state: Mutex<(usize, Then)>,
    changed: Condvar,
}

impl Latch {
    fn pass(&self) -> Then {
        let mut state = self.state.lock().unwrap();
        state.0 += 1;
        self.changed.notify_all();
        while state.1 == Then::Wait {
            state = self.changed.wait(state).unwrap();
        }
        state.1
    }

    fn set(&self, then: Then) {
        self.state.lock().unwrap().1 = then;
        self.changed.notify_all();
    }

    fn wait_for(&self, many: usize) {
        let state = self.state.lock().unwrap();
        let waited = self.changed.wait_timeout_while(state, Duration::from_secs(20), |(come, _)| *come < many).unwrap();
        assert!(!waited.1.timed_out(), "nobody comes to the latch");
    }
}

/// Engines that compute when a latch lets them.
struct HeldEngines {
    latch: Arc<Latch>,
}

struct HeldEngine {
    latch: Arc<Latch>,
    engine: Box<dyn Engine>,
}

impl Engines for HeldEngines {
    fn over(&self, blocks: Arc<dyn Blocks>, key: RowKey) -> Box<dyn Engine> {
        Box::new(HeldEngine { latch: Arc::clone(&self.latch), engine: LocalEngines::default().over(blocks, key) })
    }
}

impl Engine for HeldEngine {
    fn part(&self, bound: &BoundQuery, control: &Control<'_>) -> Result<ExactPart, EngineError> {
        match self.latch.pass() {
            Then::Fail => Err(EngineError::Failed),
            Then::Panic => panic!("an engine that panics, as the test wants"),
            Then::Go | Then::Wait => self.engine.part(bound, control),
        }
    }
}

/// A key in a device that asks a person first.
struct SlowKey {
    key: SigningKey,
    latch: Arc<Latch>,
}

impl Signer for SlowKey {
    fn public(&self) -> &PublicKey {
        self.key.public()
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], KeyError> {
        self.latch.pass();
        self.key.sign(message)
    }
}

// Hangs.

/// The first of two that asked the same has the last handle in its callback: closing waits for the second, whom the same thread
/// has still to tell.
#[test]
fn a_callback_that_lets_the_last_handle_go_does_not_wait_for_its_own_twin() {
    within(30, || {
        let (world, latch) = World::held(0);
        let right = world.right(&world.publish("people", "10"), "10", 100);
        let (request, gate) = (world.request(&right), world.space.gate());
        let (first, second) = (gate.submit(request.as_slice()), gate.submit(request.as_slice()));
        latch.wait_for(1);
        let closed = world.closed();
        first.on_ready(move |outcome| {
            outcome.unwrap();
            drop(gate);
        });
        latch.set(Then::Go);
        second.wait().unwrap();
        drop(closed);
    });
}

/// As a runtime does that is shut down: the task goes when it is woken, and with it the last handle.
#[test]
fn a_waker_that_lets_the_last_handle_go_does_not_wait_for_itself() {
    struct Task(Mutex<Option<Gate>>);
    impl std::task::Wake for Task {
        fn wake(self: Arc<Self>) {
            drop(self.0.lock().unwrap().take());
        }
    }
    let (world, latch) = World::held(0);
    let right = world.right(&world.publish("people", "10"), "10", 100);
    let gate = world.space.gate();
    let mut pending = gate.submit(world.request(&right));
    let task = Arc::new(Task(Mutex::new(Some(gate)))).into();
    assert!(std::pin::Pin::new(&mut pending).poll(&mut std::task::Context::from_waker(&task)).is_pending());
    let (folder, ..) = world.closed();
    latch.wait_for(1);
    latch.set(Then::Go);
    assert!(until(10, || Space::open(folder.path().join("space")).is_ok()), "the space is never closed");
    pending.wait().unwrap();
}

#[test]
fn a_watch_may_hold_the_last_handle() {
    within(30, || {
        let (world, latch) = World::held(0);
        let right = world.right(&world.publish("people", "10"), "10", 100);
        let (request, gate, watching) = (world.request(&right), world.space.gate(), world.space.gate());
        let ledger = gate.ledger_id();
        let pending = gate.submit_watched(request, Arc::new(move |_, _| assert_eq!(watching.ledger_id(), ledger)));
        drop(gate);
        let closed = world.closed();
        latch.set(Then::Go);
        pending.wait().unwrap();
        drop(closed);
    });
}

#[test]
fn closing_answers_all_that_is_under_way() {
    within(60, || {
        let world = World::new(200);
        let right = world.right(&world.publish("people", "10"), "10", 1000);
        let (requests, gate): (Vec<_>, _) = ((0..200).map(|_| world.request(&right)).collect(), world.space.gate());
        let pending: Vec<_> = requests.into_iter().map(|request| gate.submit(request)).collect();
        drop(gate);
        let (folder, owner, _) = world.closed();
        pending.into_iter().for_each(|pending| drop(pending.wait().unwrap()));
        assert_eq!(Space::open(folder.path().join("space")).unwrap().datasets().unwrap()[0].balance.spent(), spent(200));
        assert!(problems(&owner, &folder.path().join("space")).is_empty());
    });
}

/// An owner's key in a device that asks a person first; meanwhile the gate answers, first uses of rights too.
#[test]
fn an_owner_whose_key_is_slow_stops_no_answer() {
    let answered = within(60, || {
        let world = World::new(0);
        let published = world.publish("people", "10");
        let (used, sealed) = (world.right(&published, "1", 100), Arc::new(Latch::default()));
        world.space.grant(used.bytes(), true).unwrap();
        let slow = world.slow_key(&sealed);
        std::thread::scope(|scope| {
            let (file, source) = (world.description("others", "1"), world.source("others"));
            let (space, gate) = (&world.space, world.space.gate());
            scope.spawn(move || space.publish(&file.description, &source, &slow, &mut |_| ControlFlow::Continue(())).unwrap());
            sealed.wait_for(1);
            let rights: Vec<_> = (0..workers()).map(|_| world.right(&published, "1", 100)).collect();
            let first_uses: Vec<_> = rights.iter().map(|right| gate.submit(world.request(right))).collect();
            std::thread::sleep(Duration::from_millis(300));
            let answered = gate.submit(world.request(&used)).wait_for(Duration::from_secs(5)).is_some();
            sealed.set(Then::Go);
            first_uses.into_iter().for_each(|pending| drop(pending.wait().unwrap()));
            answered
        })
    });
    assert!(answered, "nobody is answered while the owner's device waits for a person");
}

/// Every act of the owner's and every look at the space, beside askers, for some seconds: nobody waits for ever, and no act counts
/// twice.
#[test]
fn everything_at_once_ends_and_adds_up() {
    within(120, || {
        let world = World::new(10);
        let published = world.publish("people", "1000");
        let right = world.right(&published, "100", 1_000_000);
        let (space, owner) = (&world.space, world.owner.signer());
        let ask = || drop(space.gate().answer(&world.request(&right)).unwrap_or_else(|error| panic!("{}", error.for_owner())));
        let certify = || {
            let certificate = space.next_certificate(None, now()).unwrap();
            drop(space.apply(Signed::sign(certificate, owner).unwrap().bytes()).unwrap());
        };
        let quantum = || {
            let acts = space.next_acts().unwrap();
            let quantum = Quantum::new([0, 20, 50, 1000].into_iter().cycle().nth(usize::try_from(acts.quantum).unwrap()).unwrap()).unwrap();
            let change = QuantumChange { ledger: acts.ledger, number: acts.quantum, quantum };
            space.apply(Signed::sign(change, owner).unwrap().bytes()).unwrap();
            std::thread::sleep(Duration::from_millis(50));
        };
        let refill = || {
            let number = space.next_refill(&published.id).unwrap();
            world.put(&format!("refill-{number}"), &world.refill(&published, number));
            assert_eq!(world.told(&format!("refill-{number}")).0, "applied");
        };
        let publish = || drop(world.publish("people", "1000"));
        let grant = || {
            let new = world.right(&published, "0.1", 1);
            space.check_grant(new.bytes(), false).unwrap();
            space.grant(new.bytes(), false).unwrap();
        };
        let look = || drop((space.status().unwrap(), space.rights().unwrap(), space.requests().unwrap(), space.datasets().unwrap()));
        let stop = AtomicBool::new(false);
        let repeat = |act: &dyn Fn()| {
            let mut many = 0;
            while !stop.load(Ordering::Relaxed) {
                act();
                many += 1;
            }
            many
        };
        let asker: &(dyn Fn() + Sync) = &ask;
        let acts: [&(dyn Fn() + Sync); 12] =
            [asker, asker, asker, asker, asker, asker, &certify, &quantum, &refill, &publish, &grant, &look];
        let done: Vec<u64> = std::thread::scope(|scope| {
            let threads = acts.map(|act| scope.spawn(|| repeat(act)));
            std::thread::sleep(Duration::from_secs(5));
            stop.store(true, Ordering::Relaxed);
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        println!("{done:?} of 6 askers, certificates, quanta, refills, versions, rights, looks");
        let (answers, [certificates, quanta, refills, versions, rights, _]) = (done[..6].iter().sum(), done[6..].try_into().unwrap());
        let (state, acts) = (space.datasets().unwrap().remove(0), space.next_acts().unwrap());
        assert_eq!((state.balance.spent(), state.answers), (spent(answers), answers));
        assert_eq!((state.version, state.refills.len() as u64), (1 + versions, refills));
        assert_eq!((acts.certificate.number, acts.quantum), (certificates, quanta + 1));
        assert_eq!(space.rights().unwrap().len() as u64, 1 + rights);
        world.assert_audited();
    });
}

/// A snapshot that is a pipe: the owner's folder of acts may be written by others than the gate's user.
#[test]
fn a_pipe_beside_a_publication_is_refused_at_once() {
    within(20, || {
        let world = World::new(0);
        let act = world.folder.path().join("others.publication");
        world.sign_publication("others", None, &act);
        let snapshot = world.folder.path().join("others.publication.snapshot");
        fs::remove_file(&snapshot).unwrap();
        pipe(&snapshot);
        assert!(matches!(world.space.apply_file(&act), Err(GateError::SnapshotFile { .. } | GateError::Read(_))));
    });
}

/// An auditor reads what the gate's operator has put there.
#[test]
fn an_audit_of_a_folder_with_pipes_ends() {
    let world = World::new(0);
    let right = world.right(&world.publish("people", "10"), "10", 100);
    world.space.gate().answer(&world.request(&right)).unwrap();
    let (folder, owner, _) = world.closed();
    let owner = owner.public().clone();
    let names = |folder: &Path| -> Vec<_> { fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect() };
    for name in ["openings", "snapshots", "answers", "ledger"] {
        for file in names(&folder.path().join("space").join(name)) {
            let path = folder.path().join(name).join(&file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            copy(&folder.path().join("space"), &path);
            let place = path.join(name).join(&file);
            fs::remove_file(&place).unwrap();
            pipe(&place);
            let auditor = Auditor::new(owner.clone());
            let at = path.clone();
            let found = within(10, move || auditor.audit(&at, None, &|_, _| {}).map_or(true, |report| !report.ok()));
            assert!(found, "{name}/{file:?}");
            let opened = within(10, move || Space::open(path).err());
            assert!(opened.is_some(), "{name}/{file:?}");
        }
    }
}

/// Whoever shares a run that panics is told, and so is whoever asks after it.
#[test]
fn everybody_who_waits_for_a_run_that_panics_is_told() {
    within(30, || {
        let (world, latch) = World::held(0);
        let right = world.right(&world.publish("people", "10"), "10", 100);
        let (gate, request) = (world.space.gate(), world.request(&right));
        let pending: Vec<_> = (0..3).map(|_| gate.submit(request.as_slice())).collect();
        latch.wait_for(1);
        latch.set(Then::Panic);
        assert!(pending.into_iter().all(|pending| matches!(pending.wait(), Err(AnswerError::Failed { .. }))));
        latch.set(Then::Go);
        gate.answer(&request).unwrap();
        assert_eq!(gate.datasets().unwrap()[0].balance.spent(), spent(1));
        world.assert_audited();
    });
}

// What time tells.

/// While others compute, whoever sends nonsense, or asks again for what was sealed, gets it within two quanta, as always: else the time of that answer
/// would measure to the microsecond what the quantum hides.
#[test]
fn what_needs_no_computation_does_not_wait_for_one() {
    let (refused, again) = within(60, || {
        let (world, latch) = World::held(1000);
        let right = world.right(&world.publish("people", "10"), "10", 1000);
        let (gate, sealed) = (world.space.gate(), world.request(&right));
        latch.set(Then::Go);
        gate.answer(&sealed).unwrap();
        latch.set(Then::Wait);
        let computing: Vec<_> = (0..workers()).map(|_| gate.submit(world.request(&right))).collect();
        latch.wait_for(1 + workers());
        let refused = gate.submit(&b"nonsense"[..]).wait_for(Duration::from_secs(4)).is_some();
        let again = gate.submit(sealed).wait_for(Duration::from_secs(4)).is_some();
        latch.set(Then::Go);
        computing.into_iter().for_each(|pending| drop(pending.wait().unwrap()));
        (refused, again)
    });
    assert_eq!((refused, again), (true, true), "a refusal, and an answer that was sealed before");
}

/// A failure after the charge leaves at a tick, whatever failed and however.
#[test]
fn a_computation_that_panics_is_told_at_a_tick() {
    within(60, || {
        for then in [Then::Fail, Then::Panic] {
            let (world, latch) = World::held(1000);
            let right = world.right(&world.publish("people", "10"), "10", 100);
            latch.set(then);
            let begun = Instant::now();
            let failed = world.space.gate().answer(&world.request(&right)).unwrap_err();
            let elapsed = begun.elapsed();
            assert!(matches!(failed, AnswerError::Failed { .. }), "{}", failed.for_owner());
            assert!(elapsed >= Duration::from_secs(1), "told after {elapsed:?}, at a quantum of 1 s");
        }
    });
}

/// A space that has lived for a while, and whose owner looks at all its requests again and again.
#[test]
fn a_look_at_everything_stops_no_answer() {
    let world = World::new(0);
    let right = world.right(&world.publish("people", "10"), "10", 1_000_000_000);
    world.space.grant(right.bytes(), false).unwrap();
    let accounts = vec![world.space.datasets().unwrap()[0].account, world.space.rights().unwrap()[0].account];
    let (folder, owner, holder) = world.closed();
    let path = folder.path().join("space");
    let amount = Measure { loss: Loss::pure(Epsilon::from_units(1).unwrap()), uses: 1 };
    let reserve = |number: u64| {
        let (request, once) = (Digest::of(&number.to_be_bytes()), Digest::of(&number.to_le_bytes()));
        let (from, until, expires_at) = (Time::from_unix_s(0), Time::MAX, Time::MAX);
        let request = RequestId::from_bytes(*request.as_bytes());
        Proposal::one(Act::Reserve(Reserve { request, once, expires_at, amount, accounts: accounts.clone(), from, until }))
    };
    let store = JournalStore::open(&path.join("ledger"), JournalOptions::default()).unwrap();
    for thousand in 0..300 {
        let proposals: Vec<_> = (0..1000).map(|number| reserve(thousand * 1000 + number)).collect();
        assert!(store.append(&proposals, now()).unwrap().iter().all(Result::is_ok));
    }
    drop(store);
    let world = World { space: Space::open(&path).unwrap(), folder, owner, holder };
    let slowest = || {
        let one = |_| {
            let (request, begun) = (world.request(&right), Instant::now());
            world.space.gate().answer(&request).unwrap();
            begun.elapsed()
        };
        (0..20).map(one).max().unwrap()
    };
    let (alone, stop) = (slowest(), AtomicBool::new(false));
    let beside = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                drop(world.space.requests().unwrap());
            }
        });
        let beside = slowest();
        stop.store(true, Ordering::Relaxed);
        beside
    });
    assert!(beside < Duration::from_millis(50) + 5 * alone, "an answer took {beside:?}, and {alone:?} when nobody looked");
}

// What is told, and is not so.

/// The journal is replaced under the gate: it writes nothing, so nothing was charged, and nobody is told that it was.
#[test]
fn nobody_is_told_of_a_charge_that_was_never_made() {
    let world = World::new(0);
    let right = world.right(&world.publish("people", "10"), "10", 100);
    world.space.gate().answer(&world.request(&right)).unwrap();
    let segment = world.path().join("ledger").join("0000000000.seg");
    let place = segment.with_extension("new");
    fs::copy(&segment, &place).unwrap();
    fs::rename(&place, &segment).unwrap();
    for time in ["the first", "a later"] {
        let error = world.space.gate().answer(&world.request(&right)).unwrap_err();
        assert!(matches!(error, AnswerError::Gate(_)), "{time} is told: {error}");
    }
}

/// The answer is sealed and cannot be shown: whoever is told that nothing was charged signs another request, and pays twice.
#[test]
fn nobody_is_told_that_nothing_was_charged_who_was() {
    let world = World::new(0);
    let right = world.right(&world.publish("people", "10"), "10", 100);
    let (gate, request) = (world.space.gate(), world.request(&right));
    gate.answer(&request).unwrap();
    let answers = world.path().join("answers").join("0000000000.log");
    fs::rename(&answers, world.folder.path().join("away")).unwrap();
    let error = gate.answer(&request).unwrap_err();
    assert!(!error.to_string().contains("nothing was charged"), "{error}");
}

/// The certificate ends between charge and seal: one charge, and a receipt once the owner has certified anew.
#[test]
fn a_certificate_that_ends_before_the_seal_costs_nobody_an_answer() {
    within(60, || {
        let (world, latch) = World::held(0);
        let right = world.right(&world.publish("people", "10"), "10", 100);
        let certify = |not_after: Time| {
            let certificate = GateCertificate { not_after, ..world.space.next_certificate(None, now()).unwrap() };
            world.space.apply(Signed::sign(certificate, world.owner.signer()).unwrap().bytes()).unwrap();
        };
        certify(now().plus_s(3));
        let (gate, request) = (world.space.gate(), world.request(&right));
        let pending = gate.submit(request.as_slice());
        latch.wait_for(1);
        std::thread::sleep(Duration::from_secs(5));
        latch.set(Then::Go);
        assert!(matches!(pending.wait(), Err(AnswerError::Sealed { .. })));
        certify(now().plus_s(3600));
        let release = gate.answer(&request).unwrap();
        Auditor::new(world.owner.public().clone()).verify(release.receipt().unwrap(), &request, release.bytes()).unwrap();
        assert_eq!(gate.datasets().unwrap()[0].balance.spent(), spent(1));
        world.assert_audited();
    });
}

/// The child of the test below: is charged, and fails.
#[test]
#[ignore = "a child process of the test below"]
fn is_charged_and_fails() {
    let Some(folder) = std::env::var_os("ATTACK_FOLDER").map(PathBuf::from) else { return };
    let latch = Arc::new(Latch::default());
    latch.set(Then::Fail);
    let options = SpaceOptions::default().inbox(false).engines(Arc::new(HeldEngines { latch }));
    let space = Space::open_with(folder.join("space"), options).unwrap();
    let error = space.gate().answer(&fs::read(folder.join("request")).unwrap()).unwrap_err();
    println!("failed {}", matches!(error, AnswerError::Failed { .. }));
}

/// Charged while the clock was half a day ahead, sealed after the owner had set it back.
#[test]
fn what_was_charged_under_a_false_clock_gets_a_receipt_that_verifies() {
    let Some(faults) = Faults::build() else { return };
    let world = World::new(0);
    let right = world.right(&world.publish("people", "10"), "10", 100);
    let request = world.request(&right);
    let (folder, owner, _) = world.closed();
    fs::write(folder.path().join("request"), &request).unwrap();
    let path = folder.path().join("space");
    let ran = faults.test("is_charged_and_fails", &path).env("ATTACK_FOLDER", folder.path()).clock(12 * 3600).run();
    assert!(ran.out.contains("failed true"), "{}", ran.told());
    let space = Space::open(&path).unwrap();
    let acts = space.next_acts().unwrap();
    let reset = ClockReset { ledger: acts.ledger, number: acts.clock, time: now() };
    space.apply(Signed::sign(reset, owner.signer()).unwrap().bytes()).unwrap();
    let release = space.gate().answer(&request).unwrap();
    let verified = Auditor::new(owner.public().clone()).verify(release.receipt().unwrap(), &request, release.bytes());
    assert!(verified.is_ok(), "{}", verified.unwrap_err());
}

/// Bytes that nobody signed: refused without a word, and without a trace.
#[test]
fn changed_requests_are_refused_and_leave_nothing() {
    let world = World::new(0);
    let right = world.right(&world.publish("people", "10"), "10", 100);
    world.space.grant(right.bytes(), false).unwrap();
    let (gate, request, size) = (world.space.gate(), world.request(&right), world.space.status().unwrap().size);
    for at in 0..request.len() {
        let mut changed = request.clone();
        changed[at] ^= 1 << (at % 8);
        for bytes in [changed, request[..at].to_vec()] {
            let error = gate.answer(&bytes).unwrap_err();
            assert!(matches!(error.refusal(), Some(Refusal::Refused)), "byte {at}: {error}");
        }
    }
    assert_eq!(world.space.status().unwrap().size, size);
    assert_eq!(fs::read_dir(world.path().join("requests")).unwrap().count(), 0);
}

// What an owner hands in.

#[test]
fn an_act_that_was_applied_before_a_crash_is_told_as_applied() {
    let world = World::new(0);
    let published = world.publish("people", "1");
    let refill = world.refill(&published, 1);
    // The gate died between the entry and the file that tells of it; the act is still in the inbox.
    world.space.apply(&refill).unwrap();
    world.put("refill", &refill);
    let (suffix, text) = world.told("refill");
    assert_eq!(suffix, "applied", "an owner who is told that it was refused signs number 2: {text}");
}

/// A disk that is full for a moment: what follows from an act that waits, waits too.
#[test]
fn an_act_that_follows_one_that_waits_is_not_refused() {
    let world = World::new(0);
    let published = world.publish("people", "1");
    let (openings, away) = (world.path().join("openings"), world.folder.path().join("away"));
    fs::rename(&openings, &away).unwrap();
    world.put("a", &world.refill(&published, 1));
    world.put("b", &world.refill(&published, 2));
    std::thread::sleep(Duration::from_secs(2));
    fs::rename(&away, &openings).unwrap();
    assert_eq!((world.told("a").0.as_str(), world.told("b").0.as_str()), ("applied", "applied"));
    assert_eq!(world.space.next_refill(&published.id).unwrap(), 3);
}

/// What waits may wait for the very act behind it: those about clock and certificate go on.
#[test]
fn an_act_that_waits_stops_no_certificate() {
    let world = World::new(0);
    let published = world.publish("people", "1");
    let (openings, away) = (world.path().join("openings"), world.folder.path().join("away"));
    fs::rename(&openings, &away).unwrap();
    world.put("a", &world.refill(&published, 1));
    let certificate = world.space.next_certificate(None, now()).unwrap();
    world.put("b", Signed::sign(certificate, world.owner.signer()).unwrap().bytes());
    assert_eq!(world.told("b").0, "applied");
    fs::rename(&away, &openings).unwrap();
    assert_eq!(world.told("a").0, "applied");
}

/// A certificate of a key that is not here can only be mended by another act: it is told, and what lies behind it is applied.
#[test]
fn an_act_that_cannot_succeed_stops_none() {
    let world = World::new(0);
    let right = world.right(&world.publish("people", "1"), "0.5", 10);
    let certificate = world.space.next_certificate(Some(key().public()), now()).unwrap();
    world.put("a", Signed::sign(certificate, world.owner.signer()).unwrap().bytes());
    world.put("b", right.bytes());
    assert_eq!((world.told("a").0.as_str(), world.told("b").0.as_str()), ("refused", "applied"));
}

#[test]
fn one_thing_is_told_of_a_name() {
    let world = World::new(0);
    let right = world.right(&world.publish("people", "1"), "0.5", 10);
    for (act, expected) in [(&b"nonsense"[..], "refused"), (right.bytes(), "applied"), (b"nonsense", "refused")] {
        world.put("x", act);
        assert_eq!(world.told("x").0, expected);
        assert_eq!(fs::read_dir(world.space.inbox().join("done")).unwrap().count(), 1);
    }
}

/// The gate died after it had taken an act: with a snapshot for a publication, and before or after its entry.
#[test]
fn what_was_taken_before_a_crash_is_applied_when_the_space_is_opened() {
    let world = World::new(0);
    let published = world.publish("people", "1");
    let refill = world.refill(&published, 1);
    world.space.apply(&refill).unwrap();
    world.put("before", b"nonsense");
    world.told("before");
    let act = world.folder.path().join("others");
    world.sign_publication("others", None, &act);
    let (folder, owner, holder) = world.closed();
    let path = folder.path().join("space");
    let taken = path.join("inbox").join("taken");
    fs::write(taken.join("a"), refill).unwrap();
    fs::rename(&act, taken.join("b")).unwrap();
    fs::rename(folder.path().join("others.snapshot"), taken.join("b.snapshot")).unwrap();
    let world = World { space: Space::open(&path).unwrap(), folder, owner, holder };
    assert_eq!((world.told("a").0.as_str(), world.told("b").0.as_str()), ("applied", "applied"));
    assert!(until(5, || fs::read_dir(&taken).unwrap().count() == 0));
    assert_eq!((world.space.datasets().unwrap().len(), world.space.next_refill(&published.id).unwrap()), (2, 2));
    world.assert_audited();
}

/// Two acts under one name, the second renamed in while the first is under way.
#[test]
fn an_act_that_comes_under_the_name_of_another_is_not_lost() {
    within(60, || {
        let world = World::new(0);
        let published = world.publish("people", "1");
        let act = world.folder.path().join("x");
        world.sign_publication("others", None, &act);
        let (held, release) = (Arc::new(Latch::default()), Arc::new(AtomicBool::new(false)));
        let right = world.right(&published, "0.5", 10);
        std::thread::scope(|scope| {
            // Who publishes a name has its turn until the data are read.
            let (file, source, turn, free) = (world.description("others", "1"), world.source("others"), &held, &release);
            let (space, owner) = (&world.space, &world.owner);
            scope.spawn(move || {
                space.publish(&file.description, &source, owner.signer(), &mut |_| {
                    if !free.swap(true, Ordering::Relaxed) {
                        turn.pass();
                    }
                    ControlFlow::Continue(())
                })
            });
            held.wait_for(1);
            fs::rename(world.folder.path().join("x.snapshot"), world.space.inbox().join("x.snapshot")).unwrap();
            fs::rename(&act, world.space.inbox().join("x")).unwrap();
            std::thread::sleep(Duration::from_secs(2));
            world.put("x", right.bytes());
            held.set(Then::Go);
        });
        assert!(until(10, || world.space.rights().unwrap().len() == 1), "the right is gone and was never registered");
    });
}

#[test]
fn an_act_with_a_long_name_is_told() {
    let world = World::new(0);
    let published = world.publish("people", "1");
    let name = "r".repeat(240);
    world.put(&name, world.right(&published, "0.5", 10).bytes());
    assert!(until(5, || world.space.rights().unwrap().len() == 1));
    assert!(until(5, || !world.space.inbox().join(&name).exists()), "it stays in the inbox, and nothing is told");
}

/// The snapshot of a publication comes before the publication; what is refused under its name meanwhile is no publication.
#[test]
fn a_refused_act_takes_no_snapshot_with_it() {
    let world = World::new(0);
    let act = world.folder.path().join("x");
    world.sign_publication("people", None, &act);
    fs::rename(world.folder.path().join("x.snapshot"), world.space.inbox().join("x.snapshot")).unwrap();
    world.put("x", b"nonsense");
    assert_eq!(world.told("x").0, "refused");
    fs::rename(act, world.space.inbox().join("x")).unwrap();
    assert!(until(5, || world.space.datasets().unwrap().len() == 1), "its data are gone");
}

/// What is no act of the owner's, whatever it is called and whatever kind of file it is, stops none.
#[test]
fn nothing_in_the_inbox_stops_an_act() {
    within(60, || {
        let world = World::new(0);
        let published = world.publish("people", "1");
        let inbox = world.space.inbox();
        pipe(&inbox.join("a-pipe"));
        symlink("/dev/zero", inbox.join("b-device")).unwrap();
        fs::create_dir(inbox.join("c-folder")).unwrap();
        fs::File::create(inbox.join("d-huge")).unwrap().set_len(1 << 40).unwrap();
        let name: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(b"e-\xff");
        fs::write(inbox.join(name), b"nonsense").unwrap();
        fs::write(inbox.join("f-\n"), b"nonsense").unwrap();
        fs::write(inbox.join("g-..%2f"), b"nonsense").unwrap();
        symlink(world.path().join("gate.key"), inbox.join("h-key")).unwrap();
        world.put("z-right", world.right(&published, "0.5", 10).bytes());
        assert_eq!(world.told("z-right").0, "applied");
        assert_eq!(world.told("d-huge").0, "refused");
        assert_eq!(world.told("f-\n").0, "refused");
        assert!(world.path().join("gate.key").exists() && inbox.join("a-pipe").exists());
    });
}

/// The card is signed too, and by the same owner: of a dataset of the same name in another space.
#[test]
fn a_publication_with_the_card_of_another_dataset_is_refused() {
    let world = World::new(0);
    let (first, later, act) = (world.folder.path().join("first"), world.folder.path().join("later"), world.folder.path().join("act"));
    world.sign_publication("people", None, &first);
    world.space.apply_file(&first).unwrap();
    let second = create(&world.folder.path().join("second"), &world.owner, SpaceOptions::default());
    let other = publish(&second, &world.description("people", "1"), world.folder.path(), &world.owner);
    let made = PublicationFile::decode(&fs::read(&first).unwrap()).unwrap();
    world.sign_publication("people", Some((&made, 2)), &later);
    let signed = PublicationFile::decode(&fs::read(&later).unwrap()).unwrap();
    fs::write(&act, PublicationFile { card: other.card.bytes().to_vec(), ..signed }.encode()).unwrap();
    fs::rename(world.folder.path().join("later.snapshot"), world.folder.path().join("act.snapshot")).unwrap();
    let card = world.path().join("cards").join("people.dataset");
    let before = fs::read(&card).unwrap();
    assert!(world.space.apply_file(&act).is_err());
    assert_eq!(fs::read(&card).unwrap(), before, "the card in the space is now that of another ledger");
}

/// Each act counts once, for the ledger and at the place it was signed for.
#[test]
fn old_acts_are_not_taken_again() {
    let world = World::new(0);
    let published = world.publish("people", "10");
    let acts = world.space.next_acts().unwrap();
    let owner = world.owner.signer();
    let certificate = Signed::sign(world.space.next_certificate(None, now()).unwrap(), owner).unwrap().bytes().to_vec();
    let quantum = |number| {
        let change = QuantumChange { ledger: acts.ledger, number, quantum: Quantum::NONE };
        Signed::sign(change, owner).unwrap().bytes().to_vec()
    };
    let back = |number| {
        let reset = ClockReset { ledger: acts.ledger, number, time: Time::from_unix_s(now().unix_s() - 10) };
        Signed::sign(reset, owner).unwrap().bytes().to_vec()
    };
    let right = world.right(&published, "0.5", 10).bytes().to_vec();
    let all = [certificate, quantum(1), back(1), world.refill(&published, 1), right];
    all.iter().for_each(|act| drop(world.space.apply(act).unwrap()));
    let size = world.space.status().unwrap().size;
    let again: Vec<_> = all.iter().map(|act| world.space.apply(act).is_ok()).collect();
    assert_eq!(again, [true; 5], "an act that is there is told as applied, for a crash may have come before it was told");
    let other = world.owner.refill(published.id, 1, Loss::approx("0.5", "0").unwrap(), RefillReason::Accepted).unwrap();
    let number = Signed::sign(QuantumChange { ledger: acts.ledger, number: 1, quantum: Quantum::DEFAULT }, owner).unwrap();
    assert!([other.bytes(), number.bytes()].iter().all(|act| world.space.apply(act).is_err()), "another under its number");
    let second = create(&world.folder.path().join("second"), &world.owner, SpaceOptions::default());
    assert!(all.iter().all(|act| second.apply(act).is_err()), "at another ledger");
    assert_eq!(world.space.status().unwrap().size, size);
    let refills = world.space.datasets().unwrap()[0].refills.len();
    assert_eq!((refills, world.space.rights().unwrap().len()), (1, 1));
}

// Which data, which budget.

/// A version is published while the answer is computed, or after it failed: the data are those of the charge.
#[test]
fn an_answer_is_over_the_version_of_its_charge() {
    within(60, || {
        let (world, latch) = World::held(0);
        let published = world.publish("people", "10");
        let right = world.right(&published, "10", 100);
        let (gate, before, during, failed) = (world.space.gate(), world.request(&right), world.request(&right), world.request(&right));
        latch.set(Then::Go);
        let first = gate.answer(&before).unwrap().answer().version;
        latch.set(Then::Fail);
        assert!(matches!(gate.answer(&failed), Err(AnswerError::Failed { .. })));
        latch.set(Then::Wait);
        let pending = gate.submit(during);
        latch.wait_for(3);
        assert_eq!(world.publish("people", "10").version, 2);
        latch.set(Then::Go);
        assert_eq!(pending.wait().unwrap().answer().version, first);
        assert_ne!(gate.answer(&world.request(&right)).unwrap().answer().version, first);
        drop(gate);
        let (folder, owner, _) = world.closed();
        let space = Space::open(folder.path().join("space")).unwrap();
        assert_eq!(space.gate().answer(&failed).unwrap().answer().version, first);
        assert_eq!(space.datasets().unwrap()[0].balance.spent(), spent(4));
        drop(space);
        assert!(problems(&owner, &folder.path().join("space")).is_empty());
    });
}

/// Of two first uses that both fit the dataset when they come, one is refused: it leaves no entry (rule C5).
#[test]
fn a_refused_first_use_registers_no_right() {
    within(60, || {
        let world = World::new(0);
        let published = world.publish("people", PRICE);
        let gate = world.space.gate();
        // All are checked before the first of them is charged, or some are.
        let pending: Vec<_> = (0..16).map(|_| gate.submit(world.request(&world.right(&published, PRICE, 1)))).collect();
        let outcomes: Vec<_> = pending.into_iter().map(|pending| pending.wait()).collect();
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
        let refused = outcomes.iter().filter_map(|outcome| outcome.as_ref().err());
        assert!(refused.into_iter().all(|error| matches!(error.refusal(), Some(Refusal::Budget { .. }))));
        assert_eq!(world.space.rights().unwrap().len(), 1);
        let openings = fs::read_dir(world.path().join("openings")).unwrap().count();
        assert_eq!(openings, 3, "of the tags, the publication and the one right");
    });
}

// What lies in the folder.

/// A bit flips in the head of an answer, and a gate is opened before anybody looks: the answers behind it are still there.
#[test]
fn damage_to_one_answer_takes_no_other_with_it() {
    let world = World::new(0);
    let right = world.right(&world.publish("people", "10"), "10", 100);
    let requests: Vec<_> = (0..3).map(|_| world.request(&right)).collect();
    let answers: Vec<_> = requests.iter().map(|request| world.space.gate().answer(request).unwrap()).collect();
    let (folder, ..) = world.closed();
    let path = folder.path().join("space");
    let segment = path.join("answers").join("0000000000.log");
    let flip = || {
        let mut bytes = fs::read(&segment).unwrap();
        bytes[20] ^= 1;
        fs::write(&segment, bytes).unwrap();
    };
    flip();
    drop(Space::open(&path));
    flip();
    let space = Space::open(&path).unwrap();
    for (request, answer) in requests.iter().zip(&answers) {
        let again = space.gate().answer(request);
        assert!(again.as_ref().is_ok_and(|again| again.bytes() == answer.bytes()), "{}", again.unwrap_err().for_owner());
    }
}

/// An older copy of the ledger is put in place, a gate opens it, and the true one comes back: what the true one needs is there.
#[test]
fn opening_an_older_ledger_destroys_nothing() {
    let world = World::new(0);
    let published = world.publish("people", "10");
    let (folder, owner, holder) = world.closed();
    let (path, older, newer) = (folder.path().join("space"), folder.path().join("older"), folder.path().join("newer"));
    copy(&path.join("ledger"), &older);
    let world = World { space: Space::open(&path).unwrap(), folder, owner, holder };
    world.space.grant(world.right(&published, "1", 10).bytes(), false).unwrap();
    world.publish("people", "10");
    let (_folder, ..) = world.closed();
    fs::rename(path.join("ledger"), &newer).unwrap();
    fs::rename(&older, path.join("ledger")).unwrap();
    drop(Space::open(&path));
    fs::rename(path.join("ledger"), &older).unwrap();
    fs::rename(&newer, path.join("ledger")).unwrap();
    let space = Space::open(&path);
    assert!(space.is_ok(), "{}", space.unwrap_err());
    assert_eq!(space.unwrap().status().unwrap().rights.len(), 1);
}

fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-a").arg("--sparse=always").arg(from).arg(to).status().unwrap().success());
}

#[test]
fn the_last_number_of_a_segment_of_answers_is_no_panic() {
    let world = World::new(0);
    fs::write(world.path().join("answers").join("18446744073709551615.log"), b"").unwrap();
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| world.problems())).is_ok());
}

/// A space lives for years, and each version is one file.
#[test]
#[cfg(target_os = "linux")]
fn versions_that_nobody_reads_keep_no_file_open() {
    let world = World::new(0);
    (0..20).for_each(|_| drop(world.publish("people", "1")));
    let inside = world.path().join("snapshots").canonicalize().unwrap();
    let links = fs::read_dir("/proc/self/fd").unwrap().flatten().filter_map(|entry| fs::read_link(entry.path()).ok());
    let open = links.filter(|target| target.starts_with(&inside)).count();
    assert!(open <= 2, "{open} snapshots of one dataset are open");
}

/// The gate has stopped, and is asked again and again, by holders and by what lies in the inbox: nothing piles up.
#[test]
fn a_gate_that_has_stopped_fills_no_disk() {
    let world = World::new(0);
    let published = world.publish("people", "10");
    let used = world.right(&published, "1", 100);
    world.space.gate().answer(&world.request(&used)).unwrap();
    let segment = world.path().join("ledger").join("0000000000.seg");
    let place = segment.with_extension("new");
    fs::copy(&segment, &place).unwrap();
    fs::rename(&place, &segment).unwrap();
    world.space.gate().answer(&world.request(&used)).unwrap_err();
    let openings = || fs::read_dir(world.path().join("openings")).unwrap().count();
    let before = openings();
    world.put("refill", &world.refill(&published, 1));
    std::thread::sleep(Duration::from_secs(3));
    let by_inbox = openings() - before;
    for _ in 0..5 {
        world.space.gate().answer(&world.request(&world.right(&published, "1", 100))).unwrap_err();
    }
    let by_holders = openings() - before - by_inbox;
    assert_eq!((by_inbox, by_holders), (0, 0), "openings of acts that never came to be");
}

// A holder between two owners.

/// An owner certifies a gate for a ledger that is another owner's, and the holder has rights from both.
#[test]
fn a_checkpoint_under_another_owner_displaces_nothing_that_was_seen() {
    let world = World::new(0);
    let ledger = world.space.ledger_id();
    let note = world.space.gate().checkpoint().unwrap();
    let certificate = fs::read(world.path().join("gate.certificate")).unwrap();
    let honest = SignedCheckpoint::verify(&certificate, &note, world.owner.public()).unwrap();
    let (stranger, gate) = (Owner::new(key()), key());
    let certificate =
        GateCertificate { ledger, gate: gate.public().clone(), not_before: Time::from_unix_s(0), not_after: Time::MAX, number: 0 };
    let certificate = Signed::sign(certificate, stranger.signer()).unwrap();
    let note = Checkpoint::new(&origin_of(ledger), 1_000_000, [7; 32]).unwrap().sign(&gate).unwrap();
    let forged = SignedCheckpoint::verify(certificate.bytes(), &note, stranger.public()).unwrap();

    let mut seen = SeenFile::beside(&world.folder.path().join("holder.key")).unwrap();
    seen.remember(&honest).unwrap();
    let _ = seen.remember(&forged);
    assert_eq!(seen.under(ledger, world.owner.public().id()), Some(honest.seen()));
    assert_eq!(seen.of(ledger), Some(honest.seen()), "every later request to the honest gate is refused as in doubt");
}

// A thief of the gate's key, who writes the ledger as he likes.

/// What the thief appends to a closed space, by the rules of the ledger alone.
fn append(path: &Path, event: Event) -> Result<(), String> {
    let store = JournalStore::open(&path.join("ledger"), JournalOptions::default()).map_err(|error| error.to_string())?;
    let outcome = store.append(&[Proposal::one(Act::Record(event))], now()).map_err(|error| error.to_string())?.remove(0);
    outcome.map(drop).map_err(|error| error.to_string())
}

/// A second account for a right that has one: with the opening of the first, with one of its own, with a tag of another, without.
#[test]
fn a_second_account_for_a_right_is_found() {
    let world = World::new(0);
    let published = world.publish("people", "10");
    let right = world.right(&published, "1", 5);
    world.space.grant(right.bytes(), false).unwrap();
    let lineage = world.space.datasets().unwrap()[0].account;
    let first = world.space.rights().unwrap()[0].account;
    let (folder, owner, _) = world.closed();
    let base = folder.path().join("space");

    let archive = DirArchive::open(&SpaceFolder::open(&base).unwrap()).unwrap();
    let book = LedgerReading::open(&base.join("ledger"), |_, _| {}).unwrap().book;
    let (_, secret) = book.head().upgrade().unwrap();
    let tags = Tags::read(&archive, &secret, book.head().ledger_id().unwrap()).unwrap();
    let AccountKind::Right { right: commitment, .. } = book.account(&first).unwrap().kind().clone() else { panic!() };
    let account = AccountId::from_bytes([9; 16]);
    let digest = Digest::from_bytes(*right.id().as_bytes());
    let own = Opening { salt: Salt::from_bytes([8; 32]), artefact: right.bytes().to_vec(), digest, snapshot: None };
    let limit = Measure { loss: right.terms().budget, uses: right.terms().uses };
    let grant = |artefact, once| Event::Grant { account, dataset: lineage, artefact, limit, once };

    for (what, event) in [
        ("the tag of the right again", grant(own.commitment(account), Some(tags.of_right(right.id())))),
        ("an entry of the old form", grant(own.commitment(account), None)),
    ] {
        assert!(append(&base, event).is_err(), "{what}");
    }
    let copied = archive.opening(&OpeningName::new(first, OpeningPart::Right, commitment)).unwrap();
    for (what, artefact, bytes, once) in [
        ("an opening of its own and a forged tag", own.commitment(account), own.encode(), Digest::of(b"forged")),
        ("a copied opening and a forged tag", commitment, copied, Digest::of(b"forged")),
    ] {
        let path = folder.path().join("forged");
        copy(&base, &path);
        append(&path, grant(artefact, Some(once))).unwrap();
        let archive = DirArchive::open(&SpaceFolder::open(&path).unwrap()).unwrap();
        let name = OpeningName::new(account, OpeningPart::Right, artefact);
        assert!(matches!(archive.put_opening(&name, &bytes), Ok(()) | Err(ArchiveError::OpeningExists { .. })));
        assert!(!problems(&owner, &path).is_empty(), "{what}");
        assert!(Space::open(&path).is_err(), "{what}");
        fs::remove_dir_all(path).unwrap();
    }
}

/// More uses or budget than the owner signed, a dataset for another lineage's right, a seal over another answer.
#[test]
fn an_account_that_is_not_what_the_owner_signed_is_found() {
    let world = World::new(0);
    let right = world.right(&world.publish("people", "10"), "1", 5);
    let lineage = world.space.datasets().unwrap()[0].account;
    world.publish("others", "10");
    let other = world.space.datasets().unwrap().into_iter().map(|state| state.account).find(|account| *account != lineage).unwrap();
    let (folder, owner, _) = world.closed();
    let base = folder.path().join("space");
    let archive = DirArchive::open(&SpaceFolder::open(&base).unwrap()).unwrap();
    let book = LedgerReading::open(&base.join("ledger"), |_, _| {}).unwrap().book;
    let (_, secret) = book.head().upgrade().unwrap();
    let tags = Tags::read(&archive, &secret, book.head().ledger_id().unwrap()).unwrap();
    let account = AccountId::from_bytes([9; 16]);
    let digest = Digest::from_bytes(*right.id().as_bytes());
    let opening = Opening { salt: Salt::from_bytes([8; 32]), artefact: right.bytes().to_vec(), digest, snapshot: None };
    let once = Some(tags.of_right(right.id()));
    let artefact = opening.commitment(account);
    let (loss, uses) = (right.terms().budget, right.terms().uses);
    let grant = |dataset, loss, uses| Event::Grant { account, dataset, artefact, limit: Measure { loss, uses }, once };
    for (what, event, is_forged) in [
        ("as the owner signed it", grant(lineage, loss, uses), false),
        ("a use more", grant(lineage, loss, uses + 1), true),
        ("twice the budget", grant(lineage, Loss::approx("2", "0").unwrap(), uses), true),
        ("another dataset", grant(other, loss, uses), true),
    ] {
        let path = folder.path().join("forged");
        copy(&base, &path);
        append(&path, event).unwrap();
        DirArchive::open(&SpaceFolder::open(&path).unwrap())
            .unwrap()
            .put_opening(&OpeningName::new(account, OpeningPart::Right, artefact), &opening.encode())
            .unwrap();
        assert_eq!(!problems(&owner, &path).is_empty(), is_forged, "{what}");
        fs::remove_dir_all(path).unwrap();
    }
}

/// Rights of an earlier version have no tag, so that the rules of the ledger let a second account pass; the audit does not.
#[test]
fn a_second_account_for_a_right_of_an_earlier_version_is_found() {
    let kept = Kept::rebuild();
    let space = Space::open(kept.space()).unwrap();
    let right = Right::decode(&kept.read("people.right")).and_then(|right| right.verify(space.owner())).unwrap();
    let lineage = space.datasets().unwrap().into_iter().find(|state| state.id == right.root().dataset).unwrap().account;
    drop(space);
    let archive = DirArchive::open(&SpaceFolder::open(&kept.space()).unwrap()).unwrap();
    let book = LedgerReading::open(&kept.space().join("ledger"), |_, _| {}).unwrap().book;
    let tags = Tags::read(&archive, &book.head().upgrade().unwrap().1, book.head().ledger_id().unwrap()).unwrap();
    let (account, digest) = (AccountId::from_bytes([9; 16]), Digest::from_bytes(*right.id().as_bytes()));
    let opening = Opening { salt: Salt::from_bytes([8; 32]), artefact: right.bytes().to_vec(), digest, snapshot: None };
    let (artefact, limit) = (opening.commitment(account), Measure { loss: right.terms().budget, uses: right.terms().uses });
    archive.put_opening(&OpeningName::new(account, OpeningPart::Right, artefact), &opening.encode()).unwrap();
    append(&kept.space(), Event::Grant { account, dataset: lineage, artefact, limit, once: Some(tags.of_right(right.id())) }).unwrap();
    assert!(!problems(&Owner::new(kept.key("owner")), &kept.space()).is_empty());
    assert!(Space::open(kept.space()).is_err());
}

// Spaces of earlier versions.

/// The child of the test below.
#[test]
#[ignore = "a child process of the test below"]
fn opens_a_space() {
    let Some(path) = std::env::var_os("ATTACK_SPACE").map(PathBuf::from) else { return };
    println!("opened {}", Space::open_with(path, SpaceOptions::default().inbox(false)).is_ok());
}

/// Each call of a migration fails in turn, or is its last: then the space opens, and has everything that it had.
#[test]
fn every_call_of_a_migration_fails_in_turn() {
    let Some(faults) = Faults::build() else { return };
    let child = |kept: &Kept| faults.test("opens_a_space", &kept.space()).env("ATTACK_SPACE", kept.space());
    let calls = child(&Kept::rebuild()).count();
    let mut struck = 0;
    for n in 1..=calls {
        for what in [What::Kill, What::Eio, What::Enospc, What::Torn(n)] {
            let kept = Kept::rebuild();
            let ran = child(&kept).at(n, what).run();
            struck += u64::from(ran.struck.is_some());
            let space = Space::open(kept.space()).unwrap_or_else(|error| panic!("{error}: {}", ran.told()));
            let status = space.status().unwrap();
            assert_eq!((status.datasets.len(), status.rights.len(), status.requests.len()), (2, 3, 6), "{}", ran.told());
            assert_eq!(status.quantum.ms(), 250, "{}", ran.told());
            assert!(kept.space().join("gate.certificate").exists(), "{}", ran.told());
            drop(space);
            let problems = problems(&Owner::new(kept.key("owner")), &kept.space());
            assert!(problems.is_empty(), "{problems:?}: {}", ran.told());
        }
    }
    println!("{calls} calls, {struck} failures");
    assert!(struck >= calls);
}

#[test]
fn one_of_many_that_open_an_older_space_brings_it_to_the_present() {
    let kept = Kept::rebuild();
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let openers: Vec<_> = (0..4).map(|_| scope.spawn(|| Space::open(kept.space()))).collect();
        openers.into_iter().map(|opener| opener.join().unwrap()).collect()
    });
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    let refused = outcomes.iter().filter_map(|outcome| outcome.as_ref().err());
    refused.for_each(|error| assert!(matches!(error, GateError::Archive(ArchiveError::Locked)), "{error}"));
    drop(outcomes);
    let mut upgrades = 0;
    LedgerReading::open(&kept.space().join("ledger"), |_, entry| upgrades += u64::from(matches!(entry.event, Event::Upgrade { .. })))
        .unwrap();
    assert_eq!(upgrades, 1);
}

/// The owner certifies a gate whose key is lost before its space is brought to the present.
#[test]
fn an_older_space_whose_key_is_lost_is_certified_and_opens() {
    let kept = Kept::rebuild();
    fs::remove_file(kept.space().join("gate.key")).unwrap();
    assert!(matches!(Space::open(kept.space()), Err(GateError::NoGateKey { .. })));
    certify_closed(kept.space(), &kept.key("owner"), Certified::New, now(), Duration::ZERO).unwrap();
    drop(Space::open(kept.space()).unwrap());
    let problems = problems(&Owner::new(kept.key("owner")), &kept.space());
    assert!(problems.is_empty(), "{problems:?}");
}

/// A reservation of an earlier version that never started and can no longer be tried is given back, whether or not anybody wants
/// acts from the inbox applied.
#[test]
fn what_expired_is_given_back_with_and_without_an_inbox() {
    for inbox in [true, false] {
        let kept = Kept::rebuild();
        let space = Space::open_with(kept.space(), SpaceOptions::default().inbox(inbox)).unwrap();
        let refunded = || space.requests().unwrap().iter().filter(|request| request.state == RequestState::Refunded).count();
        assert!(until(5, || refunded() == 1), "inbox {inbox}");
        std::thread::sleep(Duration::from_secs(1));
        assert_eq!(refunded(), 1, "what had started is not");
        let visits = space.datasets().unwrap().into_iter().find(|state| state.description.name().as_str() == "visits").unwrap();
        assert_eq!(visits.balance.spent(), Loss::zcdp("0.05", "0").unwrap());
    }
}
