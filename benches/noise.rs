//! Noise: draws per second on one core, prepared and one-off, beside the ChaCha20 words they are made of, at the scales of
//! rule E2: scale of the Laplace law, sigma of the Gaussian.
#![allow(missing_docs, clippy::unwrap_used)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;

use usufruct::dp::{DiscreteGaussian, DiscreteLaplace, Scale, SigmaSquared};
use usufruct::random::{Random, SystemRandom};

/// Numerators and denominators; the quoted rate is the least over these.
const SCALES: [(u128, u128); 6] = [(1, 3), (1, 1), (10, 1), (1_000, 1), (7_000_001, 7), (1_000_000_000_000, 1)];
const DRAWS: u64 = 10_000;

fn noise(criterion: &mut Criterion) {
    let mut random = SystemRandom::new().unwrap();
    let mut group = criterion.benchmark_group("noise");
    group.throughput(Throughput::Elements(DRAWS));
    group.bench_function("chacha20 words", |bencher| {
        bencher.iter(|| (0..DRAWS).fold(0, |sum: u64, _| sum ^ random.next_u64()));
    });
    for (numerator, denominator) in SCALES {
        let scale = Scale::new(numerator, denominator).unwrap();
        let prepared = DiscreteLaplace::prepare(scale);
        group.bench_function(format!("laplace prepared {scale}"), |bencher| {
            bencher.iter(|| (0..DRAWS).fold(0, |sum, _| sum ^ prepared.sample(&mut random)));
        });
        group.bench_function(format!("laplace one-off {scale}"), |bencher| {
            bencher.iter(|| (0..DRAWS).fold(0, |sum, _| sum ^ DiscreteLaplace::sample_once(black_box(scale), &mut random)));
        });
        let sigma_squared = SigmaSquared::new(numerator * numerator, denominator * denominator).unwrap();
        let prepared = DiscreteGaussian::prepare(sigma_squared);
        group.bench_function(format!("gaussian prepared {scale}"), |bencher| {
            bencher.iter(|| (0..DRAWS).fold(0, |sum, _| sum ^ prepared.sample(&mut random)));
        });
        group.bench_function(format!("gaussian one-off {scale}"), |bencher| {
            bencher.iter(|| (0..DRAWS).fold(0, |sum, _| sum ^ DiscreteGaussian::sample_once(black_box(sigma_squared), &mut random)));
        });
    }
    group.finish();
}

criterion_group!(benches, noise);
criterion_main!(benches);
