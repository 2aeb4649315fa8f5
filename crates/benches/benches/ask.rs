//! The whole ask: from the bytes of a request to the sealed answer over 200,000 rows, with a quantum of 0.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "../../../examples/figures/market.rs"]
#[allow(dead_code)]
mod market;
#[path = "../../../examples/figures/measure.rs"]
#[allow(dead_code)]
mod measure;
#[path = "../../../examples/register/mod.rs"]
mod register;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use market::Market;

fn ask(criterion: &mut Criterion) {
    let (mut market, space) = Market::new(200_000).unwrap();
    let gate = space.gate();
    let mut group = criterion.benchmark_group("ask");
    group.sample_size(20);
    group.bench_function("answer", |bencher| {
        bencher.iter_batched(|| market.request(None).unwrap(), |request| gate.answer(request.bytes()).unwrap(), BatchSize::PerIteration);
    });
    group.finish();
}

criterion_group!(benches, ask);
criterion_main!(benches);
