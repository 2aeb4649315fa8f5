//! The ledger: a durable entry of one caller, beside the fdatasync of a sector.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "../examples/figures/market.rs"]
#[allow(dead_code)]
mod market;
#[path = "../examples/figures/measure.rs"]
#[allow(dead_code)]
mod measure;
#[path = "../examples/register/mod.rs"]
mod register;

use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use market::{Appends, Market};
use usufruct::budget::Loss;
use usufruct::id::AccountId;
use usufruct::key::SigningKey;
use usufruct::ledger::{AccountKind, Event, JournalOptions, Ledger, RefillReason};

fn ledger(criterion: &mut Criterion) {
    let (market, space) = Market::new(1000).unwrap();
    drop(space);
    let gate_key = Arc::new(SigningKey::open(market.space().join("gate.key")).unwrap());
    let mut ledger = Ledger::open(&market.space().join("ledger"), gate_key, JournalOptions::default()).unwrap();
    let lineage = |book: &usufruct::ledger::Book| -> Option<(AccountId, usufruct::ledger::Commitment)> {
        book.accounts().find_map(|(id, account)| match account.kind() {
            AccountKind::Lineage { publication, .. } => Some((id, *publication)),
            AccountKind::Right { .. } => None,
        })
    };
    let (account, artefact) = lineage(ledger.book()).unwrap();
    // A refill is the one event that may follow itself without end.
    let event = Event::Refill { account, artefact, amount: Loss::approx("0.000001", "0").unwrap(), reason: RefillReason::Accepted };
    let mut appends = Appends::new(market.path()).unwrap();
    let mut group = criterion.benchmark_group("ledger");
    group.bench_function("append", |bencher| bencher.iter(|| ledger.append(vec![event.clone()], market.now).unwrap()));
    group.bench_function("fdatasync", |bencher| bencher.iter(|| appends.next_s().unwrap()));
    group.finish();
}

criterion_group!(benches, ledger);
criterion_main!(benches);
