//! Rights: a request verified together with the right it carries, neither seen before, beside one signature.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "../../../examples/figures/market.rs"]
#[allow(dead_code)]
mod market;
#[path = "../../../examples/figures/measure.rs"]
#[allow(dead_code)]
mod measure;
#[path = "../../../examples/register/mod.rs"]
mod register;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use market::Market;
use usufruct::key::{KeySet, Signer as _, SigningKey};
use usufruct::random::SystemRandom;
use usufruct::right::verify_request;

fn right(criterion: &mut Criterion) {
    let (mut market, _space) = Market::new(1000).unwrap();
    let owner = KeySet::single(market.owner.public().clone());
    let request = market.request(None).unwrap();
    let key = SigningKey::generate(&mut SystemRandom::new().unwrap());
    let signature = key.sign(market.right.bytes()).unwrap();
    let mut group = criterion.benchmark_group("right");
    group.bench_function("verify", |bencher| bencher.iter(|| verify_request(black_box(request.bytes()), &owner).unwrap()));
    group.bench_function("one signature", |bencher| {
        bencher.iter(|| key.public().verifies(black_box(market.right.bytes()), &signature));
    });
    group.finish();
}

criterion_group!(benches, right);
criterion_main!(benches);
