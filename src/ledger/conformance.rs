//! What every store of a ledger must do, as tests that whoever writes a store can run on it.
//!
//! ```
//! use usufruct::ledger::{MemoryStore, conformance};
//!
//! conformance::check(&|foundation, now| Box::new(MemoryStore::create(foundation, now).unwrap()), &|store| store);
//! ```
//! # Panics
//! Everything here panics where the store does not do as it must, and says what it did.

#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "tests, in a file that other crates can run")]

use std::mem::discriminant;

use super::batch::{Batch, Encoded, Taken};
use super::book::{Account, AccountKind, Book, BookError, RequestRecord};
use super::entry::{Entry, Event};
use super::foundation::Foundation;
use super::proof::{verify_consistency, verify_inclusion};
use super::proposal::{Act, Admitted, Proposal, Ticket};
use super::quantum::Quantum;
use super::store::{LedgerError, LedgerStore};
use super::tree::{Tree, leaf_hash};
use super::world::{START, World, account, grant, loss, publish, record, refill, request, reserve, tag, version};
use crate::id::{AccountId, RequestId, Time};
use crate::key::SigningKey;
use crate::random::{Random as _, RecordedRandom};

/// Makes a new store with these first entries.
pub type Make<'m> = &'m dyn Fn(&Foundation, Time) -> Box<dyn LedgerStore>;
/// What the next process finds when this one has ended. A store that lives in memory alone gives itself.
pub type Reopen<'m> = &'m dyn Fn(Box<dyn LedgerStore>) -> Box<dyn LedgerStore>;

/// All checks, each on a store of its own.
pub fn check(make: Make<'_>, reopen: Reopen<'_>) {
    it_decides_as_the_rules_do(make, reopen);
    a_proposal_is_whole(make);
    every_proposal_is_answered(make);
    times_are_of_the_store(make);
    many_at_once_charge_once(make);
    requests_come_in_pages(make, reopen);
    views_are_of_one_moment(make);
    checkpoints_are_of_its_gates(make, reopen);
}

fn world() -> World {
    World::new(Quantum::DEFAULT)
}

/// A new store with a lineage 1 and a right 2 over it.
fn store(make: Make<'_>, limit: u64, uses: u64) -> Box<dyn LedgerStore> {
    let store = make(&world().foundation, START);
    for event in [publish(1, limit), grant(2, 1, limit, uses)] {
        one(&*store, record(event), START).unwrap();
    }
    store
}

fn one(store: &dyn LedgerStore, proposal: Proposal, now: Time) -> Result<Admitted, BookError> {
    let mut outcomes = store.append(&[proposal], now).unwrap();
    assert_eq!(outcomes.len(), 1, "one answer for one proposal");
    outcomes.remove(0)
}

/// Everything that a view says of accounts and requests, and its proofs checked against the entries.
fn seen(store: &dyn LedgerStore) -> (String, Vec<Vec<u8>>) {
    let mut entries = Vec::new();
    store
        .entries(0, &mut |index, bytes| {
            assert_eq!(index, entries.len() as u64, "entries come in order");
            entries.push(bytes.to_vec());
        })
        .unwrap();
    let view = store.view().unwrap();
    let size = view.head().size();
    assert_eq!(size, entries.len() as u64, "the head counts the entries");
    let mut tree = Tree::new();
    for bytes in &entries {
        tree.push(leaf_hash(bytes));
    }
    for at in 0..=size {
        assert_eq!(view.root_at(at).unwrap(), tree.root_at(at), "the root at {at}");
        let path = view.consistency(at, size).unwrap().unwrap();
        verify_consistency(at, size, &tree.root_at(at).unwrap(), &tree.root(), &path).unwrap();
    }
    for (index, bytes) in (0..).zip(&entries) {
        let path = view.inclusion(index, size).unwrap().unwrap();
        verify_inclusion(index, size, &leaf_hash(bytes), &path, &tree.root()).unwrap();
    }
    assert!(view.root_at(size + 1).unwrap().is_none() && view.inclusion(size, size).unwrap().is_none());
    assert!(view.consistency(0, size + 1).unwrap().is_none() && view.checkpoint(size + 1).unwrap().is_none());

    let mut lines = Vec::new();
    let mut accounts: Vec<(AccountId, Account)> = Vec::new();
    view.accounts(&mut |id, account| accounts.push((id, account.clone()))).unwrap();
    for (id, account) in &accounts {
        let alone = view.account(id).unwrap().unwrap();
        assert_eq!(format!("{alone:?}"), format!("{account:?}"), "an account alone and among all");
        lines.push(format!("{id} {account:?}"));
    }
    let mut requests: Vec<(RequestId, RequestRecord)> = Vec::new();
    view.requests(0, usize::MAX, &mut |id, record| requests.push((id, record.clone()))).unwrap();
    assert!(requests.is_sorted_by(|(_, a), (_, b)| a.reserved < b.reserved), "requests come in the order of their reservations");
    for (id, record) in &requests {
        assert_eq!(format!("{:?}", view.request(id).unwrap().unwrap()), format!("{record:?}"), "a request alone and among all");
        lines.push(format!("{id} {record:?}"));
    }
    lines.push(format!("{:?}", view.due(Time::MAX, usize::MAX).unwrap()));
    lines.push(format!("{:?} {:?}", view.head().time(), view.head().quantum()));
    (lines.join("\n"), entries)
}

/// A proposal out of many that fit and many that do not.
fn some_proposal(random: &mut RecordedRandom, world: &World) -> Proposal {
    let mut below = |limit: u8| u8::try_from(random.next_u64() % u64::from(limit)).unwrap();
    let acts = 1 + below(3);
    let mut act = || match below(14) {
        0 => Act::Record(publish(1 + below(2), 500)),
        1 => Act::Record(grant(3 + below(4), 1 + below(2), 300, below(5).into())),
        2 => Act::Record(refill(1 + below(2), 1 + u64::from(below(3)), 100)),
        3 => Act::Record(version(1 + below(2), 2 + u64::from(below(2)))),
        4 => Act::Record(world.quantum(1 + u64::from(below(2)), Quantum::at_least(u32::from(below(2)) * 20_000))),
        5 => Act::Record(world.clock(1 + u64::from(below(2)), START.plus_s(below(200).into()))),
        6 => Act::Record(world.certificate(&world.gate, below(3).into(), &world.owner)),
        7 | 8 => Act::Start { request: request(below(12).into()) },
        9 => Act::Seal { request: request(below(12).into()), answer: tag("answer").unwrap() },
        10 => Act::Refund { request: request(below(12).into()) },
        _ => Act::Reserve(reserve(below(12).into(), &[1 + below(2), 3 + below(4)], below(150).into())),
    };
    Proposal { acts: (0..acts).map(|_| act()).collect() }
}

/// Random proposals: each is decided as a book decides it, the entries follow from each other, and the views are their fold,
/// also when the store is opened again.
fn it_decides_as_the_rules_do(make: Make<'_>, reopen: Reopen<'_>) {
    let world = world();
    let mut random = RecordedRandom::from_seed("conformance");
    let mut store = make(&world.foundation, START);
    let mut book = Book::default();
    world.foundation.entries(START).iter().for_each(|entry| book.apply(entry).unwrap());
    let (mut admitted, mut refused) = (0, 0);
    for round in 0..120 {
        let now = START.plus_s(random.next_u64() % 900);
        let proposals: Vec<Proposal> = (0..1 + random.next_u64() % 6).map(|_| some_proposal(&mut random, &world)).collect();
        let outcomes = store.append(&proposals, now).unwrap();
        assert!(!outcomes.is_empty() && outcomes.len() <= proposals.len());
        for (proposal, outcome) in proposals.iter().zip(outcomes) {
            let mut batch = Batch::new(&book, Encoded::default(), usize::MAX, 1);
            let Taken::Judged(expected) = batch.take(proposal, now) else { panic!("there is no limit") };
            match (expected, outcome) {
                (Ok(expected), Ok(found)) => {
                    let index = store.locate(found.ticket).unwrap();
                    assert_eq!(u128::from(index), expected.ticket.number(), "the index of {proposal:?}");
                    assert_eq!((found.time, found.events), (expected.time, expected.events), "what is recorded of {proposal:?}");
                    book.merge(batch.finish().1);
                    admitted += 1;
                }
                (Err(expected), Err(found)) => {
                    assert_eq!(discriminant(&expected), discriminant(&found), "{proposal:?}: {expected} and {found}");
                    refused += 1;
                }
                (expected, found) => panic!("{proposal:?}: {expected:?} expected, {found:?} found"),
            }
        }
        if round % 40 == 39 {
            let before = seen(&*store);
            store = reopen(store);
            assert_eq!(seen(&*store), before, "opened again");
        }
    }
    assert!(admitted > 20 && refused > 20, "{admitted} admitted, {refused} refused");
    let (_, entries) = seen(&*store);
    let mut fold = Book::default();
    entries.iter().for_each(|bytes| fold.apply(&Entry::decode(bytes).unwrap()).unwrap());
    let view = store.view().unwrap();
    for (id, account) in book.accounts() {
        let found = view.account(&id).unwrap().unwrap();
        assert_eq!((format!("{found:?}"), fold.account(&id).unwrap().balance()), (format!("{account:?}"), account.balance()));
    }
    for name in ["dataset 1", "dataset 2", "right 3", "right 4", "nothing"] {
        let tag = tag(name).unwrap();
        assert_eq!(view.tagged(&tag).unwrap(), book.tagged(&tag), "the tag of {name}");
    }
    for (id, record) in book.requests() {
        assert_eq!(view.request(id).unwrap().unwrap().state, record.state);
    }
}

/// Acts of one proposal stand behind each other, or none of them stands.
fn a_proposal_is_whole(make: Make<'_>) {
    let store = store(make, 1000, 9);
    let before = seen(&*store);
    let start = |number| Act::Start { request: request(number) };
    let half = Proposal { acts: vec![Act::Reserve(reserve(1, &[1, 2], 10)), start(1), start(2)] };
    assert!(matches!(one(&*store, half, START), Err(BookError::State { .. })));
    assert!(matches!(one(&*store, Proposal { acts: Vec::new() }, START), Err(BookError::Length { .. })));
    assert_eq!(seen(&*store), before, "nothing of a refused proposal is left");
    let whole = Proposal { acts: vec![Act::Reserve(reserve(1, &[1, 2], 10)), start(1)] };
    let found = one(&*store, whole, START).unwrap();
    let index = store.locate(found.ticket).unwrap();
    let entries = seen(&*store).1;
    let recorded = entries[usize::try_from(index).unwrap()..].iter().map(|bytes| Entry::decode(bytes).unwrap().event);
    assert_eq!(recorded.collect::<Vec<_>>(), found.events);
    assert!(matches!(found.events[..], [Event::Reserve(_), Event::Start { .. }]));
    assert!(matches!(store.locate(Ticket::new(u128::MAX)), Err(LedgerError::Ticket { .. })));
}

/// However much is proposed at once: each call answers for some from the front, and those alone are recorded.
fn every_proposal_is_answered(make: Make<'_>) {
    let store = store(make, 1_000_000, u64::MAX);
    let proposals: Vec<_> = (0..6000).map(|number| Proposal::one(Act::Reserve(reserve(number, &[1, 2], 1)))).collect();
    let mut answered = 0;
    while answered < proposals.len() {
        let outcomes = store.append(&proposals[answered..], START).unwrap();
        assert!(!outcomes.is_empty() && outcomes.iter().all(Result::is_ok));
        answered += outcomes.len();
        assert_eq!(store.view().unwrap().account(&account(1)).unwrap().unwrap().uses(), answered as u64);
    }
    assert!(store.append(&[], START).unwrap().is_empty());
}

/// The time of an entry is the store's: never before the last, and a multiple of the quantum.
fn times_are_of_the_store(make: Make<'_>) {
    let world = World::new(Quantum::at_least(20_000));
    let store = make(&world.foundation, START.plus_s(30));
    assert_eq!(store.view().unwrap().head().time(), Some(START.plus_s(20)));
    let at = |event, seconds| one(&*store, record(event), START.plus_s(seconds)).unwrap().time.since_s(START);
    assert_eq!(at(publish(1, 1000), 45), 40);
    assert_eq!(at(grant(2, 1, 1000, 9), 3), 40, "a clock that is behind");
    let window = |from, until| {
        let (from, until) = (START.plus_s(from), START.plus_s(until));
        Proposal::one(Act::Reserve(super::Reserve { from, until, ..reserve(1, &[1, 2], 1) }))
    };
    for (from, until) in [(0, 39), (41, 99)] {
        let refused = one(&*store, window(from, until), START.plus_s(41));
        assert!(matches!(refused, Err(BookError::Window { .. })), "{from} to {until}: {refused:?}");
    }
    one(&*store, window(40, 40), START.plus_s(41)).unwrap();
    assert!(store.view().unwrap().due(START.plus_s(360), 9).unwrap().is_empty());
    assert_eq!(store.view().unwrap().due(START.plus_s(361), 9).unwrap(), [request(1)]);
    let refund = || Proposal::one(Act::Refund { request: request(1) });
    assert!(matches!(one(&*store, refund(), START.plus_s(360)), Err(BookError::Due { .. })));
    assert_eq!(one(&*store, refund(), START.plus_s(380)).unwrap().time, START.plus_s(380));
    assert_eq!(at(world.clock(1, START.plus_s(51)), 380), 51, "the owner's time");
    assert_eq!(at(refill(1, 1, 1), 55), 60, "the next multiple");
    assert_eq!(at(refill(1, 2, 1), 61), 60);
}

/// Many threads with the same requests, under a budget that is too small for all: no request is charged twice, and no account
/// beyond its limit.
fn many_at_once_charge_once(make: Make<'_>) {
    const THREADS: u32 = 8;
    let store = store(make, 100, 1000);
    let charged: u32 = std::thread::scope(|scope| {
        let spend = |thread: u32| {
            let store = &*store;
            move || -> u32 {
                let of = |number: u32| Proposal::one(Act::Reserve(reserve((number + thread * 7) % 200, &[1, 2], 1)));
                (0..200).map(|number| u32::from(one(store, of(number), START).is_ok())).sum()
            }
        };
        let threads: Vec<_> = (0..THREADS).map(|thread| scope.spawn(spend(thread))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(charged, 100, "the budget is for 100");
    let view = store.view().unwrap();
    let spent = |number| view.account(&account(number)).unwrap().map(|account| (account.balance().spent(), account.uses()));
    assert_eq!([spent(1), spent(2)], [Some((loss(100), 100)); 2]);
    drop(view);
    seen(&*store);
}

/// Pages of any length show each request once, in the order of the reservations, also those that come between two pages.
fn requests_come_in_pages(make: Make<'_>, reopen: Reopen<'_>) {
    let mut store = store(make, 1000, 1000);
    let page = |store: &dyn LedgerStore, from: u64, most: usize| {
        let mut found = Vec::new();
        store.view().unwrap().requests(from, most, &mut |id, record| found.push((id, record.reserved))).unwrap();
        found
    };
    assert!(page(&*store, 0, 9).is_empty());
    let mut expected = Vec::new();
    let mut charge = |store: &dyn LedgerStore, numbers: std::ops::Range<u32>| {
        for number in numbers {
            let found = one(
                store,
                Proposal { acts: vec![Act::Reserve(reserve(number, &[1, 2], 1)), Act::Start { request: request(number) }] },
                START,
            );
            expected.push((request(number), store.locate(found.unwrap().ticket).unwrap()));
        }
        expected.clone()
    };
    let all = charge(&*store, 0..10);
    for most in 1..12 {
        let (mut from, mut found) = (0, Vec::new());
        loop {
            let part = page(&*store, from, most);
            let Some((_, last)) = part.last() else { break };
            assert_eq!(part.len(), most.min(all.len() - found.len()), "a page is full while there are more");
            from = last + 1;
            found.extend(part);
        }
        assert_eq!(found, all, "pages of {most}");
    }
    assert_eq!(page(&*store, all[4].1, 3), all[4..7], "at the index itself");
    assert_eq!(page(&*store, all[4].1 + 1, usize::MAX), all[5..], "and behind it");
    assert!(page(&*store, 0, 0).is_empty() && page(&*store, u64::MAX, 9).is_empty());
    let more = charge(&*store, 10..13);
    assert_eq!(page(&*store, all[9].1 + 1, 9), more[10..], "what came meanwhile");
    store = reopen(store);
    assert_eq!(page(&*store, 0, usize::MAX), more, "opened again");
}

/// A view that is held beside writers: lineage and rights, head and root agree.
fn views_are_of_one_moment(make: Make<'_>) {
    let store = store(make, 1_000_000, u64::MAX);
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let (mut last, mut looks) = (0, 0);
                    while !done.load(std::sync::atomic::Ordering::Relaxed) || looks == 0 {
                        let view = store.view().unwrap();
                        let [lineage, right] = [1, 2].map(|number| view.account(&account(number)).unwrap().unwrap());
                        let size = view.head().size();
                        assert_eq!((lineage.uses(), lineage.balance().spent()), (right.uses(), right.balance().spent()));
                        assert_eq!(lineage.uses(), size - 5, "what is charged is what is recorded");
                        assert!(size >= last && view.root_at(size).unwrap().is_some() && view.root_at(size + 1).unwrap().is_none());
                        assert!(matches!(lineage.kind(), AccountKind::Lineage { .. }));
                        (last, looks) = (size, looks + 1);
                    }
                })
            })
            .collect();
        for round in 0..60 {
            let batch: Vec<_> = (0..5).map(|k| Proposal::one(Act::Reserve(reserve(5 * round + k, &[1, 2], 1)))).collect();
            assert!(store.append(&batch, START).unwrap().iter().all(Result::is_ok));
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        readers.into_iter().for_each(|reader| reader.join().unwrap());
    });
}

/// A note is kept if a gate of this ledger has signed what the ledger has.
fn checkpoints_are_of_its_gates(make: Make<'_>, reopen: Reopen<'_>) {
    let world = world();
    let other = SigningKey::generate(&mut RecordedRandom::from_seed("another gate"));
    let mut store = store(make, 1000, 9);
    let note = |store: &dyn LedgerStore, size, signer: &SigningKey| {
        let view = store.view().unwrap();
        view.checkpoint(size).unwrap().unwrap().sign(signer).unwrap()
    };
    assert!(store.keep_checkpoint(&note(&*store, 5, &other)).is_err(), "not a gate of this ledger");
    assert!(store.keep_checkpoint(&note(&*store, 5, &world.gate).replace("\n5\n", "\n4\n")).is_err(), "not what was signed");
    store.keep_checkpoint(&note(&*store, 5, &world.gate)).unwrap();
    one(&*store, record(world.certificate(&other, 1, &world.owner)), START).unwrap();
    store = reopen(store);
    store.keep_checkpoint(&note(&*store, 4, &world.gate)).unwrap();
    store.keep_checkpoint(&note(&*store, 6, &other)).unwrap();
    store = reopen(store);
    seen(&*store);
}
