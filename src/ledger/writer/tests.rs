//! The writer: batches of all that wait, clocks that are refused, stores that fail, an end in order.
#![allow(clippy::unwrap_used, missing_docs)]

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use super::*;
use crate::id::Time;
use crate::ledger::quantum::Quantum;
use crate::ledger::world::{START, World, account, grant, publish, record, refill, request, reserve};
use crate::ledger::{Act, FailingStore, JournalError, LedgerView, MemoryStore, StoreFailure, Ticket};

/// A clock that tests set, and that is believed or not.
struct Hands {
    now_s: AtomicU64,
    refuses: AtomicBool,
}

impl Hands {
    fn at(seconds: u64) -> Arc<Self> {
        Arc::new(Self { now_s: AtomicU64::new(seconds), refuses: AtomicBool::new(false) })
    }
}

impl GateClock for Hands {
    fn now(&self, last: Option<Time>) -> Result<Time, ClockError> {
        let now = START.plus_s(self.now_s.load(Ordering::Relaxed));
        match last {
            _ if self.refuses.load(Ordering::Relaxed) => Err(ClockError::Jumped),
            Some(last) if last.since_s(now) > 300 => Err(ClockError::Behind),
            last => Ok(last.map_or(now, |last| last.max(now))),
        }
    }
}

/// A store whose steps wait until a test lets them go, and tell how many proposals each had.
struct Slow {
    inner: MemoryStore,
    go: std::sync::Mutex<mpsc::Receiver<()>>,
    steps: std::sync::Mutex<Vec<usize>>,
    panics: AtomicBool,
}

impl LedgerStore for Slow {
    fn append(&self, proposals: &[Proposal], now: Time) -> Result<Vec<Result<Admitted, BookError>>, LedgerError> {
        let _ = self.go.lock().unwrap().recv();
        assert!(!self.panics.load(Ordering::Relaxed), "told to panic");
        self.steps.lock().unwrap().push(proposals.len());
        self.inner.append(proposals, now)
    }

    fn locate(&self, ticket: Ticket) -> Result<u64, LedgerError> {
        self.inner.locate(ticket)
    }

    fn view(&self) -> Result<Box<dyn LedgerView + '_>, LedgerError> {
        self.inner.view()
    }

    fn entries(&self, from: u64, visit: &mut dyn FnMut(u64, &[u8])) -> Result<(), LedgerError> {
        self.inner.entries(from, visit)
    }

    fn keep_checkpoint(&self, note: &str) -> Result<(), LedgerError> {
        self.inner.keep_checkpoint(note)
    }
}

fn world() -> World {
    World::new(Quantum::DEFAULT)
}

/// A lineage 1 and a right 2 over it.
fn memory() -> MemoryStore {
    let store = MemoryStore::create(&world().foundation, START).unwrap();
    for event in [publish(1, 1_000_000), grant(2, 1, 1_000_000, u64::MAX)] {
        store.append(&[record(event)], START).unwrap().remove(0).unwrap();
    }
    store
}

fn slow() -> (Arc<Slow>, mpsc::Sender<()>) {
    let (sender, go) = mpsc::channel();
    let slow = Slow { inner: memory(), go: go.into(), steps: std::sync::Mutex::default(), panics: AtomicBool::new(false) };
    (Arc::new(slow), sender)
}

fn spend(number: u32) -> Proposal {
    Proposal::one(Act::Reserve(reserve(number, &[1, 2], 1)))
}

fn uses(store: &dyn LedgerStore) -> u64 {
    store.view().unwrap().account(&account(1)).unwrap().unwrap().uses()
}

/// Submits and gives where the answer will come.
fn submit(writer: &Writer, proposal: Proposal) -> mpsc::Receiver<Result<Admitted, WriteError>> {
    let (sender, answer) = mpsc::channel();
    writer.submit(proposal, move |result| {
        let _ = sender.send(result);
    });
    answer
}

const SOON: Duration = Duration::from_secs(20);

#[test]
fn whoever_is_answered_sees_it() {
    let store = Arc::new(memory());
    let writer = Writer::start(store.clone(), Hands::at(0)).unwrap();
    let admitted = writer.append(spend(1)).unwrap();
    assert_eq!((store.locate(admitted.ticket).unwrap(), admitted.time), (5, START));
    assert_eq!((uses(&*store), writer.batches()), (1, 1));
    assert!(matches!(writer.append(spend(1)), Err(WriteError::Book(BookError::State { .. }))));
    let (sender, answer) = mpsc::channel();
    let theirs = store.clone();
    writer.submit(spend(2), move |result| {
        let _ = sender.send((result.is_ok(), uses(&*theirs)));
    });
    assert_eq!(answer.recv_timeout(SOON).unwrap(), (true, 2));
}

#[test]
fn all_that_wait_share_one_step() {
    let (store, go) = slow();
    let writer = Writer::start(store.clone(), Hands::at(0)).unwrap();
    let first = submit(&writer, spend(0));
    // The thread is in the first step, or will take it with the others: the second step has whatever the first has not.
    let others: Vec<_> = (1..100).map(|number| submit(&writer, spend(number))).collect();
    assert_eq!(uses(&*store), 0);
    (0..3).for_each(|_| go.send(()).unwrap());
    assert!(first.recv_timeout(SOON).unwrap().is_ok());
    for answer in others {
        assert!(answer.recv_timeout(SOON).unwrap().is_ok());
    }
    let steps = store.steps.lock().unwrap();
    assert!(steps.len() <= 3 && steps.iter().sum::<usize>() == 100, "{steps:?}");
}

#[test]
fn many_threads_are_each_answered_once() {
    let store = Arc::new(memory());
    let writer = Writer::start(store.clone(), Hands::at(0)).unwrap();
    let answers = Arc::new(AtomicU64::new(0));
    std::thread::scope(|scope| {
        for thread in 0..8u32 {
            let (writer, answers) = (&writer, answers.clone());
            scope.spawn(move || {
                for number in 0..200 {
                    if number % 3 == 0 {
                        writer.append(spend(1_000 * thread + number)).unwrap();
                        answers.fetch_add(1, Ordering::Relaxed);
                        continue;
                    }
                    let answers = answers.clone();
                    writer.submit(spend(1_000 * thread + number), move |result| {
                        assert!(result.is_ok());
                        answers.fetch_add(1, Ordering::Relaxed);
                    });
                }
            });
        }
    });
    writer.close();
    assert_eq!((answers.load(Ordering::Relaxed), uses(&*store)), (1600, 1600));
}

#[test]
fn a_long_queue_is_cut_into_batches() {
    let (store, go) = slow();
    let writer = Writer::start(store.clone(), Hands::at(0)).unwrap();
    let first = submit(&writer, spend(0));
    let pair = |number| Proposal { acts: vec![spend(number).acts.remove(0), Act::Start { request: request(number) }] };
    let others: Vec<_> = (1..3_000).map(|number| submit(&writer, pair(number))).collect();
    (0..4).for_each(|_| go.send(()).unwrap());
    assert!(first.recv_timeout(SOON).unwrap().is_ok());
    for answer in others {
        assert!(answer.recv_timeout(SOON).unwrap().is_ok());
    }
    assert!(store.steps.lock().unwrap().iter().all(|proposals| *proposals <= BATCH_ENTRIES_MAX / 2 + 1));
}

#[test]
fn while_the_clock_is_refused_only_the_owner_sets_it() {
    let (world, clock) = (world(), Hands::at(10_000));
    let store = Arc::new(memory());
    let writer = Writer::start(store.clone(), clock.clone()).unwrap();
    writer.append(spend(1)).unwrap();
    // The clock was ahead, and is right again.
    clock.now_s.store(50, Ordering::Relaxed);
    assert!(matches!(writer.append(spend(2)), Err(WriteError::Clock(ClockError::Behind))));
    let waiting = [
        submit(&writer, spend(3)),
        submit(&writer, record(world.clock(1, START.plus_s(40)))),
        submit(&writer, spend(4)),
        submit(&writer, record(world.clock(1, START.plus_s(30)))),
        submit(&writer, record(refill(1, 1, 1))),
    ];
    let answers = waiting.map(|answer| answer.recv_timeout(SOON).unwrap());
    let times = answers.map(|answer| answer.map(|admitted| admitted.time.since_s(START)));
    assert!(matches!(times[0], Err(WriteError::Clock(ClockError::Behind))));
    assert!(matches!(times[3], Err(WriteError::Book(BookError::Number { expected: 2, found: 1, .. }))));
    let ok = [1, 2, 4].map(|at| times[at].clone().unwrap());
    assert_eq!(ok, [40, 50, 50]);
    clock.refuses.store(true, Ordering::Relaxed);
    assert!(matches!(writer.append(spend(5)), Err(WriteError::Clock(ClockError::Jumped))));
    assert_eq!(writer.append(record(world.clock(2, START.plus_s(45)))).unwrap().time, START.plus_s(45));
}

/// A clock that is ahead by less than what is refused: what follows the reset in the queue goes on from there.
#[test]
fn what_follows_a_reset_has_the_new_time() {
    let (world, clock) = (world(), Hands::at(200));
    let (store, go) = slow();
    let writer = Writer::start(store.clone(), clock.clone()).unwrap();
    (0..5).for_each(|_| go.send(()).unwrap());
    assert_eq!(submit(&writer, spend(1)).recv_timeout(SOON).unwrap().unwrap().time, START.plus_s(200));
    clock.now_s.store(20, Ordering::Relaxed);
    let proposals = [spend(2), record(world.clock(1, START.plus_s(10))), spend(3)];
    let answers = proposals.map(|proposal| submit(&writer, proposal));
    let times = answers.map(|answer| answer.recv_timeout(SOON).unwrap().unwrap().time.since_s(START));
    assert_eq!(times, [200, 10, 20]);
}

#[test]
fn a_failing_store_fails_all_of_its_batch_and_what_is_durable_is_found_again() {
    for failure in [StoreFailure::Before, StoreFailure::After, StoreFailure::NoSpace] {
        let store = Arc::new(FailingStore::new(memory()));
        let writer = Writer::start(store.clone(), Hands::at(0)).unwrap();
        writer.append(spend(1)).unwrap();
        store.fail_after(0, failure);
        let Err(WriteError::Ledger(error)) = writer.append(spend(2)) else { panic!("{failure:?}") };
        let full = matches!(*error, LedgerError::Journal(JournalError::NoSpace { .. }));
        assert_eq!((full, error.is_in_doubt()), (failure == StoreFailure::NoSpace, failure != StoreFailure::NoSpace));
        let next = writer.append(spend(3));
        if full {
            assert!(next.is_ok());
        } else {
            assert!(matches!(next, Err(WriteError::Ledger(error)) if matches!(*error, LedgerError::Stopped)));
        }
        drop(writer);
        let store = Arc::into_inner(store).unwrap().reopen();
        let found = [1, 2, 3].map(|number| store.view().unwrap().request(&request(number)).unwrap().is_some());
        assert_eq!(found, [true, failure == StoreFailure::After, failure == StoreFailure::NoSpace], "{failure:?}");
    }
}

#[test]
fn closing_records_what_waits_and_refuses_what_comes() {
    let (store, go) = slow();
    let writer = Writer::start(store.clone(), Hands::at(0)).unwrap();
    let waiting: Vec<_> = (0..50).map(|number| submit(&writer, spend(number))).collect();
    (0..50).for_each(|_| go.send(()).unwrap());
    writer.close();
    writer.close();
    assert!(waiting.iter().all(|answer| answer.try_recv().unwrap().is_ok()));
    assert!(matches!(submit(&writer, spend(99)).try_recv().unwrap(), Err(WriteError::Closed)));
    assert!(matches!(writer.append(spend(99)), Err(WriteError::Closed)));
    assert_eq!(uses(&*store), 50);

    // The last handle may go in an answer.
    let writer = Arc::new(Writer::start(Arc::new(memory()), Hands::at(0)).unwrap());
    let (sender, answer) = mpsc::channel();
    let last = writer.clone();
    writer.submit(spend(1), move |result| {
        let _ = result;
        // Whoever has the other handle drops it first.
        while Arc::strong_count(&last) > 1 {
            std::thread::yield_now();
        }
        drop(last);
        let _ = sender.send(());
    });
    drop(writer);
    answer.recv_timeout(SOON).unwrap();
}

#[test]
fn panics_leave_nobody_waiting() {
    let (store, go) = slow();
    let writer = Writer::start(store.clone(), Hands::at(0)).unwrap();
    (0..2).for_each(|_| go.send(()).unwrap());
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    writer.submit(spend(1), |_| panic!("a caller's own"));
    let second = submit(&writer, spend(2)).recv_timeout(SOON);
    // The store panics: the thread ends, and everybody is told.
    store.panics.store(true, Ordering::Relaxed);
    let third = submit(&writer, spend(3));
    let fourth = submit(&writer, spend(4));
    (0..3).for_each(|_| go.send(()).unwrap());
    let (third, fourth) = (third.recv_timeout(SOON), fourth.recv_timeout(SOON));
    std::panic::set_hook(hook);
    assert!(second.unwrap().is_ok());
    assert!(matches!((third.unwrap(), fourth.unwrap()), (Err(WriteError::Closed), Err(WriteError::Closed))));
    assert!(matches!(writer.append(spend(5)), Err(WriteError::Closed)));
}
