//! Models of the writer and of what it publishes, under every schedule that shuttle draws:
//! `RUSTFLAGS='--cfg shuttle' cargo test --lib --target-dir target/shuttle shuttle_`.
#![allow(clippy::unwrap_used, missing_docs)]

use super::*;
use crate::id::Time;
use crate::ledger::batch::Encoded;
use crate::ledger::quantum::Quantum;
use crate::ledger::store::published::{Published, State};
use crate::ledger::world::{START, World, account, grant, publish, reserve};
use crate::ledger::{Act, Entry, Foundation, LedgerView, Ticket};
use crate::sync::atomic::AtomicUsize;

/// Schedules of each model.
const SCHEDULES: usize = 3_000;

/// A store that says what is durable, and gives way between that and what it publishes.
struct Watched {
    published: Published,
    writing: AtomicUsize,
    durable: AtomicU64,
}

impl Watched {
    fn new(foundation: &Foundation) -> Arc<Self> {
        let mut state = State::default();
        let more = [publish(1, 1_000_000), grant(2, 1, 1_000_000, u64::MAX)].map(|event| Entry { time: START, event });
        for entry in foundation.entries(START).iter().chain(&more) {
            state.push(entry, &entry.encode()).unwrap();
        }
        Arc::new(Self { published: Published::new(state), writing: AtomicUsize::new(0), durable: AtomicU64::new(5) })
    }

    fn uses(&self) -> u64 {
        self.view().unwrap().account(&account(1)).unwrap().unwrap().uses()
    }
}

impl LedgerStore for Watched {
    fn append(&self, proposals: &[Proposal], now: Time) -> Result<Vec<Result<Admitted, BookError>>, LedgerError> {
        assert_eq!(self.writing.fetch_add(1, Ordering::SeqCst), 0, "one writer at a time");
        let outcomes = self.published.append(proposals, now, &mut Encoded::default(), 1 << 20, |entries| {
            thread::yield_now();
            self.durable.fetch_add(entries.iter().count() as u64, Ordering::SeqCst);
            thread::yield_now();
            Ok(())
        });
        self.writing.fetch_sub(1, Ordering::SeqCst);
        outcomes
    }

    fn locate(&self, ticket: Ticket) -> Result<u64, LedgerError> {
        self.published.locate(ticket)
    }

    fn view(&self) -> Result<Box<dyn LedgerView + '_>, LedgerError> {
        self.published.view()
    }

    fn entries(&self, _: u64, _: &mut dyn FnMut(u64, &[u8])) -> Result<(), LedgerError> {
        Ok(())
    }

    fn keep_checkpoint(&self, _: &str) -> Result<(), LedgerError> {
        Ok(())
    }
}

struct Still;

impl GateClock for Still {
    fn now(&self, _: Option<Time>) -> Result<Time, ClockError> {
        Ok(START)
    }
}

fn spend(number: u32) -> Proposal {
    Proposal::one(Act::Reserve(reserve(number, &[1, 2], 1)))
}

/// What came back, by the number of the request.
#[derive(Default)]
struct Answers {
    recorded: AtomicUsize,
    closed: AtomicUsize,
}

impl Answers {
    fn count(&self, result: &Result<Admitted, WriteError>) {
        match result {
            Ok(_) => self.recorded.fetch_add(1, Ordering::SeqCst),
            Err(WriteError::Closed) => self.closed.fetch_add(1, Ordering::SeqCst),
            Err(error) => panic!("{error}"),
        };
    }

    fn read(&self) -> (usize, usize) {
        (self.recorded.load(Ordering::SeqCst), self.closed.load(Ordering::SeqCst))
    }
}

fn model(run: impl Fn(&Arc<Watched>, Writer) + Send + Sync + 'static) {
    let foundation = World::new(Quantum::DEFAULT).foundation;
    let run = move || {
        let store = Watched::new(&foundation);
        let writer = Writer::start(store.clone(), Arc::new(Still)).unwrap();
        run(&store, writer);
    };
    let run = Arc::new(run);
    let again = run.clone();
    shuttle::check_random(move || run(), SCHEDULES);
    shuttle::check_pct(move || again(), SCHEDULES, 3);
}

#[test]
fn shuttle_no_answer_is_lost_and_none_comes_twice() {
    model(|store, writer| {
        let (writer, answers) = (Arc::new(writer), Arc::new(Answers::default()));
        let threads: Vec<_> = (0..3)
            .map(|number| {
                let (writer, answers) = (writer.clone(), answers.clone());
                thread::spawn(move || {
                    let theirs = answers.clone();
                    writer.submit(spend(2 * number), move |result| theirs.count(&result));
                    answers.count(&writer.append(spend(2 * number + 1)));
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        writer.close();
        assert_eq!(answers.read(), (6, 0));
        assert_eq!(store.uses(), 6);
    });
}

#[test]
fn shuttle_what_is_published_is_durable_and_what_is_answered_is_published() {
    model(|store, writer| {
        let reader = {
            let store = store.clone();
            thread::spawn(move || {
                let mut last = 0;
                for _ in 0..4 {
                    let (size, uses) = {
                        let view = store.view().unwrap();
                        (view.head().size(), view.account(&account(1)).unwrap().unwrap().uses())
                    };
                    assert!(size <= store.durable.load(Ordering::SeqCst), "shown before it was durable");
                    assert!(size >= last && uses == size - 5, "a state that never was");
                    last = size;
                    thread::yield_now();
                }
            })
        };
        let answers = Arc::new(Answers::default());
        for number in 0..2 {
            let (theirs, store) = (answers.clone(), store.clone());
            writer.submit(spend(number), move |result| {
                let index = store.locate(result.as_ref().unwrap().ticket).unwrap();
                assert!(store.view().unwrap().head().size() > index, "answered before it was shown");
                theirs.count(&result);
            });
        }
        let admitted = writer.append(spend(9)).unwrap();
        let index = store.locate(admitted.ticket).unwrap();
        assert!(store.view().unwrap().head().size() > index);
        drop(writer);
        reader.join().unwrap();
        assert_eq!(answers.read(), (2, 0));
    });
}

#[test]
fn shuttle_closing_while_others_submit_answers_all_of_them() {
    model(|store, writer| {
        let (writer, answers) = (Arc::new(writer), Arc::new(Answers::default()));
        let submitters: Vec<_> = (0..2)
            .map(|number| {
                let (writer, answers) = (writer.clone(), answers.clone());
                thread::spawn(move || {
                    let theirs = answers.clone();
                    writer.submit(spend(2 * number), move |result| theirs.count(&result));
                    answers.count(&writer.append(spend(2 * number + 1)));
                })
            })
            .collect();
        let closer = {
            let writer = writer.clone();
            thread::spawn(move || writer.close())
        };
        closer.join().unwrap();
        submitters.into_iter().for_each(|submitter| submitter.join().unwrap());
        let (recorded, closed) = answers.read();
        assert_eq!((recorded + closed, store.uses()), (4, recorded as u64));
    });
}
