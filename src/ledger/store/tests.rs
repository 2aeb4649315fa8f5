//! Stores: opened again, rolled back, read beside the writer, failing; each passes the same suite.
#![allow(clippy::unwrap_used, missing_docs)]

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::super::entry::Event;
use super::super::foundation::Foundation;
use super::super::journal::disk::Disk as _;
use super::super::journal::simulated::{Failure, Simulated};
use super::super::journal::{Journal, JournalError, JournalOptions, SEGMENT_BYTES_MIN};
use super::super::proposal::{Act, Proposal};
use super::super::quantum::Quantum;
use super::super::world::{START, World, account, grant, publish, record, refill, request, reserve};
use super::journal_store::JournalStore;
use super::published::State;
use super::*;
use crate::key::{Signer, SigningKey};
use crate::random::RecordedRandom;

fn world() -> World {
    World::new(Quantum::DEFAULT)
}

fn one(store: &dyn LedgerStore, event: Event) -> Admitted {
    store.append(&[record(event)], START).unwrap().remove(0).unwrap()
}

fn note(store: &dyn LedgerStore, signer: &dyn Signer) -> String {
    let view = store.view().unwrap();
    view.checkpoint(view.head().size()).unwrap().unwrap().sign(signer).unwrap()
}

#[test]
fn a_ledger_is_what_it_was_when_it_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("ledger");
    let world = world();
    let store = JournalStore::create(&folder, &world.foundation, START, JournalOptions::default()).unwrap();
    one(&store, publish(1, 1000));
    one(&store, grant(2, 1, 500, 9));
    let whole = Proposal { acts: vec![Act::Reserve(reserve(1, &[1, 2], 100)), Act::Start { request: request(1) }] };
    let admitted = store.append(&[whole], START).unwrap().remove(0).unwrap();
    assert_eq!(store.locate(admitted.ticket).unwrap(), 5);
    assert!(matches!(store.locate(Ticket::new(7)), Err(LedgerError::Ticket { ticket: 7 })));
    assert!(matches!(JournalStore::open(&folder, JournalOptions::default()), Err(LedgerError::Journal(JournalError::Locked))));
    assert!(matches!(
        JournalStore::create(&folder, &world.foundation, START, JournalOptions::default()),
        Err(LedgerError::Journal(JournalError::Exists))
    ));
    let (root, size) = {
        let view = store.view().unwrap();
        (view.root_at(7).unwrap(), view.head().size())
    };
    assert_eq!(size, 7);
    drop(store);

    let mut kinds = Vec::new();
    let store = JournalStore::open_with(&folder, JournalOptions::default(), |_, entry| kinds.push(entry.event.name())).unwrap();
    assert_eq!(kinds, ["genesis", "certificate", "upgrade", "publish", "grant", "reserve", "start"]);
    let view = store.view().unwrap();
    assert_eq!((view.root_at(7).unwrap(), view.head().size(), view.head().quantum()), (root, 7, Quantum::DEFAULT));
    assert_eq!(view.account(&account(1)).unwrap().unwrap().uses(), 1);
    let reading = LedgerReading::open(&folder, |_, _| {}).unwrap();
    assert_eq!((Some(reading.tree.root()), reading.book.size(), reading.checkpoint), (root, 7, None));
}

#[test]
fn a_foundation_of_two_owners_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let other = SigningKey::generate(&mut RecordedRandom::from_seed("other owner"));
    let world = world();
    let mut genesis = world.foundation.genesis.clone();
    genesis.owner = crate::key::KeySet::single(other.public().clone());
    let foundation = Foundation { genesis, ..world.foundation.clone() };
    let create = |foundation| JournalStore::create(&folder.path().join("ledger"), foundation, START, JournalOptions::default());
    assert!(matches!(create(&foundation), Err(LedgerError::Book(BookError::Owner { index: 1, .. }))));
    assert!(!folder.path().join("ledger").exists(), "nothing is made");
    create(&world.foundation).unwrap();
}

#[test]
fn a_stored_checkpoint_is_signed_by_some_gate_of_the_ledger_and_shows_a_rollback() {
    let folder = tempfile::tempdir().unwrap();
    let (folder, copy) = (folder.path().join("ledger"), folder.path().join("copy"));
    let world = world();
    let other = SigningKey::generate(&mut RecordedRandom::from_seed("other gate"));
    let store = JournalStore::create(&folder, &world.foundation, START, JournalOptions::default()).unwrap();
    std::fs::create_dir(&copy).unwrap();
    std::fs::copy(folder.join("0000000000.seg"), copy.join("0000000000.seg")).unwrap();
    one(&store, publish(1, 1000));
    let signed_by_other = note(&store, &other);
    assert!(matches!(store.keep_checkpoint(&signed_by_other), Err(LedgerError::Checkpoint(_))));
    let first = note(&store, &world.gate);
    store.keep_checkpoint(&first).unwrap();
    one(&store, world.certificate(&other, 1, &world.owner));
    drop(store);

    // The gate has another key, and the note of the first is still good; so is one of the second, and the newer one stays.
    let store = JournalStore::open(&folder, JournalOptions::default()).unwrap();
    let second = note(&store, &other);
    store.keep_checkpoint(&second).unwrap();
    store.keep_checkpoint(&first).unwrap();
    assert_eq!(std::fs::read_to_string(folder.join("checkpoint")).unwrap(), second);
    drop(store);
    assert_eq!(LedgerReading::open(&folder, |_, _| {}).unwrap().checkpoint.unwrap().size(), 5);

    std::fs::copy(folder.join("checkpoint"), copy.join("checkpoint")).unwrap();
    let rolled_back = |result: Result<(), LedgerError>| {
        // The copy has no certificate of the second gate: the note is of nobody it knows.
        assert!(matches!(result, Err(LedgerError::Checkpoint(_))), "{result:?}");
    };
    rolled_back(JournalStore::open(&copy, JournalOptions::default()).map(drop));
    rolled_back(LedgerReading::open(&copy, |_, _| {}).map(drop));
    std::fs::write(copy.join("checkpoint"), &first).unwrap();
    let opened = JournalStore::open(&copy, JournalOptions::default()).map(drop);
    assert!(matches!(opened, Err(LedgerError::RolledBack { size: 3, checkpoint: 4 })));
    assert!(matches!(LedgerReading::open(&copy, |_, _| {}).map(drop), Err(LedgerError::RolledBack { size: 3, checkpoint: 4 })));
}

#[test]
fn a_reader_beside_the_writer_finds_nothing_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let world = world();
    let options = JournalOptions::default().segment_bytes(64 << 10).unwrap();
    let store = JournalStore::create(folder.path(), &world.foundation, START, options).unwrap();
    one(&store, publish(1, 1000));
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let (mut last, mut reads) = (0, 0);
            while !done.load(Ordering::Relaxed) {
                let reading = LedgerReading::open(folder.path(), |_, _| {}).unwrap();
                assert!(reading.book.size() >= last);
                (last, reads) = (reading.book.size(), reads + 1);
            }
            reads
        });
        for number in 1..300 {
            one(&store, refill(1, number, 1));
            store.keep_checkpoint(&note(&store, &world.gate)).unwrap();
        }
        done.store(true, Ordering::Relaxed);
        assert!(reader.join().unwrap() > 0);
    });
    let mut count = 0;
    store.entries(4, &mut |index, _| count += u64::from(index >= 4)).unwrap();
    assert_eq!(count, 299);
}

fn on(disk: &Simulated) -> JournalStore {
    let world = world();
    let options = JournalOptions::default().segment_bytes(8 << 10).unwrap();
    let mut state = State::default();
    let mut journal = Journal::create_on(Box::new(disk.clone()), [1; 16], options).unwrap();
    for entry in world.foundation.entries(START) {
        let bytes = entry.encode();
        state.push(&entry, &bytes).unwrap();
        journal.append(&[&bytes]).unwrap();
    }
    JournalStore::of(std::path::Path::new("nowhere"), journal, state, 0)
}

#[test]
fn after_a_failed_write_the_views_show_what_is_durable() {
    // A full disk: nothing happened, and the store goes on. How many batches a segment holds, another disk tells.
    let next = |store: &JournalStore, number| store.append(&[record(refill(1, number, 1))], START);
    let other = Simulated::new("other");
    let store = on(&other);
    one(&store, publish(1, 1000));
    let fit = (1..).find(|number| next(&store, *number).is_ok() && other.names().unwrap().len() == 2).unwrap() - 1;
    let disk = Simulated::new("full");
    let store = on(&disk);
    one(&store, publish(1, 1000));
    (1..=fit).for_each(|number| assert!(next(&store, number).unwrap()[0].is_ok()));
    let seen = |store: &JournalStore| {
        let view = store.view().unwrap();
        let size = view.head().size();
        (size, view.root_at(size).unwrap(), view.account(&account(1)).unwrap().unwrap().balance().limit())
    };
    let before = seen(&store);
    for at in 0..2 {
        disk.plan(Some((at, Failure::NoSpace)));
        assert!(matches!(next(&store, fit + 1), Err(LedgerError::Journal(JournalError::NoSpace { .. }))));
        assert_eq!(seen(&store), before);
    }
    assert!(next(&store, fit + 1).unwrap()[0].is_ok());
    assert_eq!(seen(&store).0, before.0 + 1);

    // Any other error: what the views show stays, and nothing more is taken.
    for at in 0..2 {
        let disk = Simulated::new("error");
        let store = on(&disk);
        one(&store, publish(1, 1000));
        disk.plan(Some((at, Failure::Error)));
        let failed = store.append(&[record(refill(1, 1, 1)), record(refill(1, 2, 1))], START);
        assert!(matches!(failed, Err(LedgerError::Journal(JournalError::Io { .. }))));
        for _ in 0..2 {
            assert!(matches!(store.append(&[record(refill(1, 1, 1))], START), Err(LedgerError::Stopped)));
            assert_eq!(store.view().unwrap().head().size(), 4);
        }
    }
}

#[test]
fn what_fits_no_batch_is_refused_and_the_rest_goes_in_several() {
    let folder = tempfile::tempdir().unwrap();
    let options = JournalOptions::default().segment_bytes(SEGMENT_BYTES_MIN * 2).unwrap();
    let store = JournalStore::create(folder.path(), &world().foundation, START, options).unwrap();
    one(&store, publish(1, 1000));
    let proposals: Vec<_> = (1..40).map(|number| record(refill(1, number, 1))).collect();
    let mut at = 0;
    while at < proposals.len() {
        let outcomes = store.append(&proposals[at..], START).unwrap();
        assert!(!outcomes.is_empty() && outcomes.iter().all(Result::is_ok));
        at += outcomes.len();
    }
    let large = Proposal { acts: (40..80).map(|number| Act::Record(refill(1, number, 1))).collect() };
    let outcomes = store.append(&[large], START).unwrap();
    assert!(matches!(outcomes[..], [Err(BookError::Length { .. })]));
    assert_eq!(store.view().unwrap().head().size(), 43);
}

#[test]
fn the_stores_pass_the_suite() {
    use super::super::conformance;
    conformance::check(&|foundation, now| Box::new(MemoryStore::create(foundation, now).unwrap()), &|store| store);

    let folder = tempfile::tempdir().unwrap();
    let ledgers = AtomicU64::new(0);
    let path = || folder.path().join(ledgers.load(Ordering::Relaxed).to_string());
    let options = JournalOptions::default().segment_bytes(256 << 10).unwrap();
    let make = |foundation: &Foundation, now| -> Box<dyn LedgerStore> {
        ledgers.fetch_add(1, Ordering::Relaxed);
        Box::new(FailingStore::new(JournalStore::create(&path(), foundation, now, options).unwrap()))
    };
    let reopen = |store| -> Box<dyn LedgerStore> {
        drop(store);
        Box::new(JournalStore::open(&path(), options).unwrap())
    };
    conformance::check(&make, &reopen);
}
