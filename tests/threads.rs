//! The real gate used by many at once: askers, the owner and auditors on one space.
#![cfg(all(feature = "csv", feature = "sql", feature = "embedded", feature = "hazmat"))]
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::HashMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::time::{Duration, Instant};

use usufruct::archive::ArchiveError;
use usufruct::auditor::Auditor;
use usufruct::budget::{Epsilon, Loss};
use usufruct::dataset::{DescriptionFile, table_schema};
use usufruct::gate::{AnswerError, GateError, PENDING_MAX, Published, SpaceOptions};
use usufruct::holder::Holder;
use usufruct::id::{Digest, Time};
use usufruct::key::SigningKey;
use usufruct::ledger::{LedgerReading, Quantum, RefillReason, RequestState};
use usufruct::owner::Owner;
use usufruct::query::Query;
use usufruct::random::{Random, SystemRandom};
use usufruct::right::{Ask, Refusal, Terms, Verified};
use usufruct::space::Space;
use usufruct::table::{CsvOptions, CsvSource};

const PRICE: &str = "0.001";

struct World {
    folder: tempfile::TempDir,
    owner: Owner,
    holder: Holder,
    space: Space,
}

/// Several threads publish the same file, which must not change under any of them.
static MAKING: Mutex<()> = Mutex::new(());

impl World {
    /// A space with nothing published.
    fn new(quantum_ms: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut random = SystemRandom::new().unwrap();
        let owner = Owner::new(SigningKey::generate(&mut random));
        let holder = Holder::new(SigningKey::generate(&mut random));
        let options = SpaceOptions::default().quantum(Quantum::new(quantum_ms).unwrap());
        let space = Space::create_with(folder.path().join("space"), owner.signer(), owner.public(), now(), options).unwrap();
        Self { folder, owner, holder, space }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("space")
    }

    fn description(&self, name: &str, epsilon: &str) -> DescriptionFile {
        let text = format!(
            "name = \"{name}\"\ndata = \"{name}.csv\"\nunit = \"row\"\nrows_are_independent = true\n\
             budget = {{ model = \"approx\", epsilon = \"{epsilon}\" }}\n\
             columns.age = {{ type = \"integer\", bounds = [0, 120], grade = 2 }}\n\
             columns.sex = {{ type = \"text\", values = [\"f\", \"m\"], grade = 1 }}\n"
        );
        DescriptionFile::parse(&text, self.folder.path()).unwrap()
    }

    fn publish(&self, name: &str, epsilon: &str, rows: usize) -> Result<Published, GateError> {
        let file = self.description(name, epsilon);
        let data = self.folder.path().join(format!("{name}-{rows}.csv"));
        let making = MAKING.lock().unwrap();
        if !data.exists() {
            let rows: String = (0..rows).map(|row| format!("{},{}\n", row % 90, if row % 3 == 0 { "f" } else { "m" })).collect();
            fs::write(&data, format!("age,sex\n{rows}")).unwrap();
        }
        drop(making);
        let source = CsvSource::open(&data, CsvOptions::default(), table_schema(file.description.schema())).unwrap();
        self.space.publish(&file.description, &source, self.owner.signer(), &mut |_| ControlFlow::Continue(()))
    }

    fn right(&self, published: &Published, epsilon: &str, uses: u64, not_after: &str) -> Verified {
        let terms = Terms::parse(&format!(
            "kind = \"process\"\noperations = [\"count\", \"mean\"]\ncolumns = [\"sex\", \"age\"]\npurposes = [\"research\"]\n\
             budget = {{ epsilon = \"{epsilon}\" }}\nuses = {uses}\nnot_after = \"{not_after}\"\n"
        ));
        let mut random = SystemRandom::new().unwrap();
        self.owner.grant(&published.card, self.holder.public(), terms.unwrap(), now(), &mut random).unwrap()
    }

    fn request(&self, right: &Verified) -> Vec<u8> {
        let query = Query::sql(&format!("SELECT sex, COUNT(*), AVG(age) FROM {} GROUP BY sex", right.root().name)).unwrap();
        let ask = Ask::new(query, Loss::approx(PRICE, "0").unwrap()).expiry_s(24 * 3600);
        self.holder.request(right, ask, now(), &mut SystemRandom::new().unwrap()).unwrap().bytes().to_vec()
    }

    fn audit(&self) -> usufruct::audit::AuditReport {
        Auditor::new(self.owner.public().clone()).audit(&self.path(), None, &|_, _| {}).unwrap()
    }

    fn assert_audited(&self) {
        let report = self.audit();
        assert!(report.ok(), "{:?}", report.problems);
    }

    /// Closes the space and opens it again, which checks everything.
    fn reopened(self) -> Self {
        let Self { folder, owner, holder, space } = self;
        drop(space);
        let space = Space::open(folder.path().join("space")).unwrap();
        Self { folder, owner, holder, space }
    }
}

const EVER: &str = "2090-01-01T00:00:00Z";

fn now() -> Time {
    Time::from_unix_s(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs())
}

fn spent(times: u64) -> Loss {
    Loss::pure(Epsilon::from_units(times * Epsilon::parse(PRICE).unwrap().units()).unwrap())
}

/// Runs a body that must end in time: a gate that hangs fails its test instead of hanging it.
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

/// Runs `body` on so many threads that start together; what each returned.
fn together<T: Send>(threads: usize, body: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let barrier = Barrier::new(threads);
    std::thread::scope(|scope| {
        let start = |number| {
            let (barrier, body) = (&barrier, &body);
            scope.spawn(move || {
                barrier.wait();
                body(number)
            })
        };
        let handles: Vec<_> = (0..threads).map(start).collect();
        handles.into_iter().map(|handle| handle.join().unwrap()).collect()
    })
}

/// A retry of a request that is running gets what the first run gets; one charge, and nobody hangs.
#[test]
fn the_same_request_at_once_is_one_run() {
    within(120, || {
        let world = World::new(50);
        let right = world.right(&world.publish("people", "100", 50_000).unwrap(), "10", 1000, EVER);
        for round in 1..=5 {
            let request = world.request(&right);
            let gate = world.space.gate();
            let answers = together(16, |_| gate.answer(&request).unwrap());
            assert!(answers.windows(2).all(|pair| pair[0].bytes() == pair[1].bytes() && pair[0].receipt() == pair[1].receipt()));
            assert_eq!(gate.datasets().unwrap()[0].balance.spent(), spent(round));
        }
        world.assert_audited();
    });
}

/// Different requests under one right that was never used: one account, charged for each.
#[test]
fn the_first_uses_of_a_right_at_once_open_one_account() {
    within(120, || {
        let world = World::new(0);
        let published = world.publish("people", "100", 1000).unwrap();
        for round in 1..=5u64 {
            let right = world.right(&published, "1", 8, EVER);
            let gate = world.space.gate();
            let requests: Vec<_> = (0..16).map(|_| world.request(&right)).collect();
            let outcomes = together(16, |number| gate.answer(&requests[number]));
            let answered = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
            assert_eq!(answered, 8, "8 uses are answered, the others refused");
            for refused in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
                assert!(matches!(refused.refusal(), Some(Refusal::Budget { uses: 0, .. })), "{}", refused.for_owner());
            }
            assert_eq!(world.space.rights().unwrap().len() as u64, round);
            assert_eq!(gate.datasets().unwrap()[0].balance.spent(), spent(8 * round));
        }
        let world = world.reopened();
        world.assert_audited();
    });
}

/// Versions and refills at once: each number once, and the space opens again.
#[test]
fn versions_and_refills_at_once_follow_each_other() {
    within(300, || {
        let mut world = World::new(0);
        let id = world.publish("people", "1", 20_000).unwrap().id;
        for round in 0..5u64 {
            let next = world.space.next_refill(&id).unwrap();
            let refill = world.owner.refill(id, next, Loss::approx("1", "0").unwrap(), RefillReason::Accepted).unwrap();
            let outcomes = together(6, |number| match number {
                0 | 1 => world.publish("people", "1", 20_000).map(|published| Some(published.version)),
                _ => world.space.refill(refill.bytes()).map(|_| None),
            });
            let mut versions: Vec<u64> = outcomes.iter().filter_map(|outcome| outcome.as_ref().ok().copied().flatten()).collect();
            versions.sort_unstable();
            assert_eq!(versions, [2 + 2 * round, 3 + 2 * round]);
            let refills = outcomes.iter().filter(|outcome| matches!(outcome, Ok(None))).count();
            assert_eq!(refills, 4, "all who hand it in are told that it was applied");
            let state = world.space.datasets().unwrap().remove(0);
            assert_eq!((state.version, state.refills.len() as u64), (3 + 2 * round, round + 1), "one signature refills once");
            world = world.reopened();
        }
        assert_eq!(world.space.datasets().unwrap()[0].balance.limit(), Loss::approx("6", "0").unwrap());
        world.assert_audited();
    });
}

#[test]
fn first_publications_of_a_name_at_once_are_one_dataset() {
    within(300, || {
        let world = World::new(0);
        let mut published = together(4, |_| world.publish("people", "1", 20_000).unwrap());
        published.sort_by_key(|published| published.version);
        assert_eq!(published.iter().map(|published| published.version).collect::<Vec<_>>(), [1, 2, 3, 4]);
        assert!(published.iter().all(|one| one.id == published[0].id));
        let other = together(4, |number| world.publish(&format!("people{number}"), "1", 1000).unwrap().version);
        assert_eq!(other, [1; 4], "other names are other datasets");
        let world = world.reopened();
        assert_eq!(world.space.datasets().unwrap().len(), 5);
        assert_eq!(fs::read_dir(world.path().join("snapshots")).unwrap().count(), 8);
        world.assert_audited();
    });
}

/// The card comes last: when it cannot be written the dataset stands, and the next publication is its next version.
#[test]
fn a_card_that_cannot_be_written_makes_no_second_dataset() {
    let world = World::new(0);
    let cards = world.path().join("cards");
    fs::remove_dir(&cards).unwrap();
    assert!(matches!(world.publish("people", "1", 1000), Err(GateError::Archive(ArchiveError::Output(_)))));
    fs::create_dir(&cards).unwrap();
    let published = world.publish("people", "1", 1000).unwrap();
    assert_eq!(published.version, 2);
    let world = world.reopened();
    let datasets = world.space.datasets().unwrap();
    assert_eq!((datasets.len(), datasets[0].version), (1, 2));
    world.assert_audited();
}

#[test]
fn with_the_lock_removed_by_hand_the_journal_is_still_locked() {
    let world = World::new(0);
    world.publish("people", "1", 1000).unwrap();
    fs::remove_file(world.path().join("lock")).unwrap();
    let refused = Space::open(world.path()).err().map(|error| error.to_string());
    assert!(refused.as_ref().is_some_and(|error| error.contains("open")), "{refused:?}");
    // And the first goes on as if nothing had been.
    let right = world.right(&world.publish("people", "1", 1000).unwrap(), "1", 10, EVER);
    world.space.gate().answer(&world.request(&right)).unwrap();
    world.assert_audited();
}

/// A copy of the folder from before, put in place of the ledger while a gate runs: the next append finds it, and nothing is answered.
#[test]
fn a_ledger_that_is_replaced_under_the_gate_is_found() {
    let world = World::new(0);
    let right = world.right(&world.publish("people", "1", 1000).unwrap(), "1", 10, EVER);
    let gate = world.space.gate();
    let segment = world.path().join("ledger").join("0000000000.seg");
    let before = fs::read(&segment).unwrap();
    gate.answer(&world.request(&right)).unwrap();
    let place = segment.with_extension("new");
    fs::write(&place, before).unwrap();
    fs::rename(&place, &segment).unwrap();
    let refused = gate.answer(&world.request(&right)).unwrap_err();
    assert!(matches!(refused, AnswerError::Gate(_) | AnswerError::Failed { .. }), "{}", refused.for_owner());
    let again = gate.answer(&world.request(&right)).unwrap_err();
    assert!(!matches!(again, AnswerError::Refused { .. }), "{}", again.for_owner());
}

/// Rights that have ended promise nothing any more, and one right is registered once whoever does it.
#[test]
fn grants_at_once_promise_no_more_than_there_is() {
    within(120, || {
        let world = World::new(0);
        let published = world.publish("people", "10", 1000).unwrap();
        let soon = Time::from_unix_s(now().unix_s() + 2).to_string();
        for _ in 0..10 {
            world.space.grant(world.right(&published, "1", 1, &soon).bytes(), false).unwrap();
        }
        let right = world.right(&published, "10", 1, EVER);
        assert!(matches!(world.space.grant(right.bytes(), false), Err(GateError::Oversubscribed { .. })));
        std::thread::sleep(Duration::from_secs(3));
        let same = together(8, |_| world.space.grant(right.bytes(), false).unwrap().id());
        assert!(same.iter().all(|id| *id == right.id()));
        let rights: Vec<_> = (0..8).map(|_| world.right(&published, "1", 1, EVER)).collect();
        let refused = together(8, |number| world.space.grant(rights[number].bytes(), false).is_err());
        assert_eq!(refused, [true; 8]);
        assert_eq!(world.space.rights().unwrap().len(), 11);
        let world = world.reopened();
        assert!(world.space.grant(rights[0].bytes(), false).is_err());
        world.assert_audited();
    });
}

/// Audits beside askers never accuse anybody.
#[test]
fn audits_beside_askers_find_nothing() {
    within(300, || {
        let world = World::new(10);
        let right = world.right(&world.publish("people", "1000", 1000).unwrap(), "1000", 1_000_000, EVER);
        let stop = AtomicBool::new(false);
        let problems: Vec<_> = std::thread::scope(|scope| {
            let askers: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        while !stop.load(Ordering::Relaxed) {
                            world.space.gate().answer(&world.request(&right)).unwrap();
                        }
                    })
                })
                .collect();
            let problems = (0..60).flat_map(|_| world.audit().problems).collect();
            stop.store(true, Ordering::Relaxed);
            askers.into_iter().for_each(|asker| asker.join().unwrap());
            problems
        });
        assert!(problems.is_empty(), "{problems:?}");
        world.assert_audited();
    });
}

/// More than can wait are refused as busy, at once; those that wait are answered; whoever drops one undoes nothing.
#[test]
fn submitting_never_blocks_and_dropping_undoes_nothing() {
    within(300, || {
        let world = World::new(1000);
        let right = world.right(&world.publish("people", "1000", 200).unwrap(), "1000", 1_000_000, EVER);
        let gate = world.space.gate();
        let requests: Vec<_> = (0..200).map(|_| world.request(&right)).collect();
        let begun = Instant::now();
        let pending: Vec<_> = requests.iter().map(|request| gate.submit(request.as_slice())).collect();
        assert!(begun.elapsed() < Duration::from_millis(500), "{:?}", begun.elapsed());
        let flood: Vec<_> = (0..2 * PENDING_MAX).map(|_| gate.submit(&b"nonsense"[..])).collect();
        let flood: Vec<_> = flood.into_iter().map(|pending| pending.wait().unwrap_err()).collect();
        let busy = flood.iter().filter(|error| matches!(error.refusal(), Some(Refusal::Busy))).count();
        println!("{busy} of {} refused as busy", flood.len());
        assert!(flood.iter().all(|error| matches!(error.refusal(), Some(Refusal::Busy | Refusal::Refused))));
        let (kept, dropped) = pending.into_iter().enumerate().partition::<Vec<_>, _>(|(number, _)| number % 2 == 0);
        drop(dropped);
        let kept: Vec<_> = kept.into_iter().map(|(number, pending)| (number, pending.wait().unwrap())).collect();
        // The others were answered too.
        let again: Vec<_> = requests.iter().map(|request| gate.submit(request.as_slice())).collect();
        let again: Vec<_> = again.into_iter().map(|pending| pending.wait().unwrap()).collect();
        assert!(kept.iter().all(|(number, release)| release.bytes() == again[*number].bytes()));
        assert_eq!(gate.datasets().unwrap()[0].balance.spent(), spent(200));
        world.assert_audited();
    });
}

/// Callbacks, futures and waiting are the same outcome; and a handle may go in a callback of the gate.
#[test]
fn every_way_to_an_outcome_leads_there() {
    within(60, || {
        let world = World::new(10);
        let right = world.right(&world.publish("people", "10", 200).unwrap(), "10", 100, EVER);
        let gate = world.space.gate();
        let request = world.request(&right);
        let (sender, receiver) = mpsc::channel();
        let late = sender.clone();
        gate.submit(request.as_slice()).on_ready(move |outcome| sender.send(outcome.unwrap()).unwrap());
        let waited = gate.submit(request.as_slice()).wait().unwrap();
        assert_eq!(receiver.recv().unwrap().bytes(), waited.bytes());
        let future = gate.submit(request.as_slice());
        assert_eq!(block_on(future).unwrap().bytes(), waited.bytes());
        let path = world.path();
        let World { folder, space, .. } = world;
        drop(space);
        let mut last = Some(gate);
        let pending = last.as_ref().unwrap().submit(request);
        let last = last.take();
        pending.on_ready(move |outcome| {
            drop(last);
            late.send(outcome.unwrap()).unwrap();
        });
        assert_eq!(receiver.recv().unwrap().bytes(), waited.bytes());
        let deadline = Instant::now() + Duration::from_secs(10);
        while Space::open(&path).is_err() {
            assert!(Instant::now() < deadline, "the space is not closed");
            std::thread::sleep(Duration::from_millis(10));
        }
        drop(folder);
    });
}

/// The smallest runtime there is.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Arc::new(Unpark(std::thread::current())).into();
    let mut context = std::task::Context::from_waker(&waker);
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            std::task::Poll::Ready(output) => return output,
            std::task::Poll::Pending => std::thread::park(),
        }
    }
}

/// What came of the great run, printed and compared.
#[derive(Default)]
struct Tally {
    answers: AtomicU64,
    retries: AtomicU64,
    refused: AtomicU64,
    versions: AtomicU64,
    refills: AtomicU64,
    grants: AtomicU64,
    audits: AtomicU64,
}

/// 64 askers under 8 rights, and beside them an owner who publishes, refills and grants, and an auditor.
fn many_at_once(time: Duration) {
    let world = World::new(20);
    let published = world.publish("people", "1", 2_000).unwrap();
    let id = published.id;
    let rights: Vec<_> = (0..8).map(|_| world.right(&published, "100000", 10_000_000, EVER)).collect();
    let (stop, tally) = (AtomicBool::new(false), Tally::default());
    let add = |count: &AtomicU64| count.fetch_add(1, Ordering::Relaxed);
    let seen: Mutex<HashMap<Digest, (Vec<u8>, Digest)>> = Mutex::default();
    let running = || !stop.load(Ordering::Relaxed);
    std::thread::scope(|scope| {
        let (world, rights, tally, seen, running) = (&world, &rights, &tally, &seen, &running);
        for number in 0..64usize {
            scope.spawn(move || {
                let (gate, mut random) = (world.space.gate(), SystemRandom::new().unwrap());
                while running() {
                    let request = world.request(&rights[number % 8]);
                    // Some ask twice at once, some again later.
                    let twin = random.next_u64().is_multiple_of(4).then(|| gate.submit(request.as_slice()));
                    match gate.answer(&request) {
                        Ok(release) => {
                            add(&tally.answers);
                            let digest = Digest::of(release.bytes());
                            if let Some(twin) = twin {
                                add(&tally.retries);
                                assert_eq!(Digest::of(twin.wait().unwrap().bytes()), digest);
                            }
                            assert!(seen.lock().unwrap().insert(Digest::of(&request), (request, digest)).is_none());
                        }
                        Err(error) => {
                            add(&tally.refused);
                            assert!(matches!(error.refusal(), Some(Refusal::Budget { .. })), "{}", error.for_owner());
                            std::thread::sleep(Duration::from_millis(20));
                        }
                    }
                    let again = seen.lock().unwrap().values().nth((random.next_u64() % 64) as usize).cloned();
                    if let Some((request, digest)) = again {
                        add(&tally.retries);
                        assert_eq!(Digest::of(gate.answer(&request).unwrap().bytes()), digest);
                    }
                }
            });
        }
        scope.spawn(move || {
            while running() {
                world.publish("people", "1", 2_000).unwrap();
                add(&tally.versions);
                std::thread::sleep(Duration::from_millis(200));
            }
        });
        scope.spawn(move || {
            while running() {
                let number = world.space.next_refill(&id).unwrap();
                let refill = world.owner.refill(id, number, Loss::approx("1", "0").unwrap(), RefillReason::Accepted).unwrap();
                world.space.refill(refill.bytes()).unwrap();
                add(&tally.refills);
                std::thread::sleep(Duration::from_millis(100));
            }
        });
        scope.spawn(move || {
            while running() {
                let card = world.space.datasets().unwrap()[0].clone();
                assert_eq!(card.id, id);
                world.space.grant(world.right(&published, "0.001", 1, EVER).bytes(), true).unwrap();
                add(&tally.grants);
                std::thread::sleep(Duration::from_millis(50));
            }
        });
        scope.spawn(move || {
            while running() {
                let problems = world.audit().problems;
                assert!(problems.is_empty(), "{problems:?}");
                add(&tally.audits);
                std::thread::sleep(Duration::from_millis(300));
            }
        });
        std::thread::sleep(time);
        stop.store(true, Ordering::Relaxed);
    });
    let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
    println!(
        "{} answers, {} retries, {} refused, {} versions, {} refills, {} grants, {} audits in {} s",
        count(&tally.answers),
        count(&tally.retries),
        count(&tally.refused),
        count(&tally.versions),
        count(&tally.refills),
        count(&tally.grants),
        count(&tally.audits),
        time.as_secs()
    );
    let answers = count(&tally.answers);
    assert!(answers > 100, "the gate hardly answers");
    let state = world.space.datasets().unwrap().remove(0);
    assert_eq!((state.balance.spent(), state.answers), (spent(answers), answers));
    assert_eq!(state.version, 1 + count(&tally.versions));
    assert_eq!(state.refills.len() as u64, count(&tally.refills));
    // The balances are the fold of what is on disk.
    let book = LedgerReading::open(&world.path().join("ledger"), |_, _| {}).unwrap().book;
    assert_eq!(book.account(&state.account).unwrap().balance(), &state.balance);
    for right in world.space.rights().unwrap() {
        assert_eq!(book.account(&right.account).unwrap().balance(), &right.balance);
    }
    let sealed = book.requests().filter(|(_, record)| matches!(record.state, RequestState::Sealed { .. })).count();
    assert_eq!(sealed as u64, answers);
    let world = world.reopened();
    for (request, digest) in seen.into_inner().unwrap().into_values().take(200) {
        assert_eq!(Digest::of(world.space.gate().answer(&request).unwrap().bytes()), digest);
    }
    assert_eq!(world.space.datasets().unwrap()[0].balance.spent(), spent(answers));
    world.assert_audited();
}

#[test]
fn many_at_once_for_thirty_seconds() {
    within(240, || many_at_once(Duration::from_secs(30)));
}

#[test]
#[ignore = "ten minutes; run by hand before a release"]
fn many_at_once_for_ten_minutes() {
    within(1200, || many_at_once(Duration::from_secs(600)));
}

/// Owner's acts that lie in the inbox are applied while the gate answers, and what became of them is told.
#[test]
fn acts_in_the_inbox_are_applied_by_the_running_gate() {
    within(60, || {
        let world = World::new(10);
        let published = world.publish("people", "1", 1000).unwrap();
        let put = |name: &str, bytes: &[u8]| {
            let part = world.folder.path().join(name);
            fs::write(&part, bytes).unwrap();
            fs::rename(part, world.space.inbox().join(name)).unwrap();
        };
        let outcome = |name: &str| {
            let done = world.space.inbox().join("done").join(name);
            let deadline = Instant::now() + Duration::from_secs(20);
            while !done.exists() || world.space.inbox().join(name.rsplit_once('.').unwrap().0).exists() {
                assert!(Instant::now() < deadline, "{name}");
                std::thread::sleep(Duration::from_millis(20));
            }
            fs::read_to_string(done).unwrap()
        };
        let right = world.right(&published, "0.5", 10, EVER);
        put("a.right", right.bytes());
        assert!(outcome("a.right.applied").contains(&right.id().to_string()));
        let refill = world.owner.refill(published.id, 1, Loss::approx("1", "0").unwrap(), RefillReason::Accepted).unwrap();
        put("b.refill", refill.bytes());
        assert!(outcome("b.refill.applied").contains("epsilon 2 left"));
        put("c.refill", refill.bytes());
        assert!(outcome("c.refill.applied").contains("epsilon 2 left"), "once, and told as often as it is handed in");
        let other = world.owner.refill(published.id, 1, Loss::approx("0.5", "0").unwrap(), RefillReason::Accepted).unwrap();
        put("e.refill", other.bytes());
        assert!(outcome("e.refill.refused").contains("out of turn"));
        put("d", b"nonsense");
        assert!(outcome("d.refused").contains("expected a right"));
        assert_eq!(world.space.rights().unwrap().len(), 1);
        world.space.gate().answer(&world.request(&right)).unwrap();
        world.assert_audited();
    });
}
