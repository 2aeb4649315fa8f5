//! Noise: draws per second on one core, prepared and one-off, beside the ChaCha20 words they are made of, at the scales of
//! rule E2: scale of the Laplace law, sigma of the Gaussian. And accounts of 1,000 steps of 50 discrete mechanisms.
#![allow(missing_docs, clippy::unwrap_used)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;

use usufruct::dp::accountant::AccountantError;
use usufruct::dp::accountant::plan::{CompositionPlan, CompositionStep, PoissonSample};
use usufruct::dp::accountant::reference::rdp::RdpPlan;
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

/// 25 discrete Laplace and 25 discrete Gaussian laws, each 20 times.
fn steps(sampled: Option<PoissonSample>) -> Vec<CompositionStep> {
    let step = |at: u32| -> Result<CompositionStep, AccountantError> {
        let step = match at % 2 {
            0 => CompositionStep::laplace(Scale::new((30 + at).into(), 1).unwrap(), 1)?,
            _ => CompositionStep::gaussian(SigmaSquared::new((2_000 + 100 * at).into(), 1).unwrap(), 1)?,
        };
        sampled.map_or(Ok(step), |sample| step.sampled(sample))
    };
    (0..50).map(|at| step(at).unwrap()).collect()
}

fn account(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("account of 1000 steps");
    for (name, sampled) in [("whole", None), ("on a sample of a tenth", Some(PoissonSample::new(1, 10).unwrap()))] {
        let steps = steps(sampled);
        let mut plan = CompositionPlan::new();
        steps.iter().for_each(|step| plan.add(*step, 20).unwrap());
        group.bench_function(format!("distribution, {name}"), |bencher| bencher.iter(|| plan.epsilon(1e-6).unwrap()));
        group.bench_function(format!("divergences, {name}"), |bencher| {
            bencher.iter(|| {
                let mut plan = RdpPlan::new();
                steps.iter().for_each(|step| plan.add(*step, 20).unwrap());
                plan.epsilon(1e-6).unwrap()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, noise, account);
criterion_main!(benches);
