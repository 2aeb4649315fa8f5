//! Draws of both laws of noise, the account of a long plan, and the noise of a running count.

use usufruct::budget::Epsilon;
use usufruct::dp::accountant::plan::{CompositionPlan, CompositionStep};
use usufruct::dp::continual::factor;
use usufruct::dp::{DiscreteGaussian, DiscreteLaplace, Scale, SigmaSquared};
use usufruct::random::{Random as _, SystemRandom};

use crate::Outcome;
use crate::measure::{Work, median, peak_bytes, print, rates, thread_cpu_s};

/// The scales of rule E2: scale of the Laplace law, sigma of the Gaussian.
const SCALES: [(&str, u128, u128); 6] =
    [("1/3", 1, 3), ("1", 1, 1), ("10", 10, 1), ("1e3", 1000, 1), ("1e6+1/7", 7_000_001, 7), ("1e12", 1_000_000_000_000, 1)];
const DRAWS: u32 = 10_000;

/// Rounds of the account, of which the median counts.
const ROUNDS: usize = 9;

/// Draws of both laws a second on one core, fresh system-keyed bytes included, beside the words they are made of.
pub(crate) fn laplace() -> Outcome {
    let (mut least_prepared, mut least_once) = (f64::INFINITY, f64::INFINITY);
    let mut words = Vec::new();
    for (name, numerator, denominator) in SCALES {
        let scale = Scale::new(numerator, denominator)?;
        let noise = DiscreteLaplace::prepare(scale);
        let [mut for_noise, mut for_once, mut for_words] = [SystemRandom::new()?, SystemRandom::new()?, SystemRandom::new()?];
        let mut sums = (0, 0, 0);
        let [prepared, once, word] = rates([
            Work::new(DRAWS, || (0..DRAWS).for_each(|_| sums.0 ^= noise.sample(&mut for_noise))),
            Work::new(DRAWS, || (0..DRAWS).for_each(|_| sums.1 ^= DiscreteLaplace::sample_once(scale, &mut for_once))),
            Work::new(DRAWS, || (0..DRAWS).for_each(|_| sums.2 ^= for_words.next_u64())),
        ]);
        std::hint::black_box(sums);
        print(&format!("noise.laplace.{name}.per_s"), prepared, "1/s");
        print(&format!("noise.laplace.oneoff.{name}.per_s"), once, "1/s");
        (least_prepared, least_once) = (least_prepared.min(prepared), least_once.min(once));
        words.push(word);
    }
    print("noise.laplace.per_s", least_prepared, "1/s");
    print("noise.laplace.oneoff.per_s", least_once, "1/s");
    print("limit.chacha20.u64_per_s", median(words), "1/s");
    gaussian()
}

fn gaussian() -> Outcome {
    let (mut least_prepared, mut least_once) = (f64::INFINITY, f64::INFINITY);
    for (name, numerator, denominator) in SCALES {
        let sigma_squared = SigmaSquared::new(numerator * numerator, denominator * denominator)?;
        let noise = DiscreteGaussian::prepare(sigma_squared);
        let [mut for_noise, mut for_once] = [SystemRandom::new()?, SystemRandom::new()?];
        let mut sums = (0, 0);
        let [prepared, once] = rates([
            Work::new(DRAWS, || (0..DRAWS).for_each(|_| sums.0 ^= noise.sample(&mut for_noise))),
            Work::new(DRAWS, || (0..DRAWS).for_each(|_| sums.1 ^= DiscreteGaussian::sample_once(sigma_squared, &mut for_once))),
        ]);
        std::hint::black_box(sums);
        print(&format!("noise.gaussian.{name}.per_s"), prepared, "1/s");
        print(&format!("noise.gaussian.oneoff.{name}.per_s"), once, "1/s");
        (least_prepared, least_once) = (least_prepared.min(prepared), least_once.min(once));
    }
    print("noise.gaussian.per_s", least_prepared, "1/s");
    print("noise.gaussian.oneoff.per_s", least_once, "1/s");
    Ok(())
}

/// Bounds of epsilon for 1,000 steps of 50 different discrete mechanisms at a delta of 10^-6: CPU time, how far the bounds are
/// apart, and how much memory that took at most.
pub(crate) fn plan() -> Outcome {
    let mut plan = CompositionPlan::new();
    for at in 0..50_u32 {
        let step = match at % 3 {
            0 => CompositionStep::laplace(Scale::new((30 + at).into(), 1)?, 1)?,
            1 => CompositionStep::gaussian(SigmaSquared::new((2_000 + 100 * at).into(), 1)?, 1 + u64::from(at % 2))?,
            _ => CompositionStep::pure(Epsilon::parse(&format!("0.0{}", 10 + at))?),
        };
        plan.add(step, 20)?;
    }
    let before = peak_bytes();
    let mut times = Vec::new();
    let mut gap = 0.0;
    for _ in 0..ROUNDS {
        let start = thread_cpu_s();
        let bounds = plan.epsilon(1e-6)?;
        times.push(1000.0 * (thread_cpu_s() - start));
        gap = bounds.high - bounds.low;
    }
    print("plan.1000x50.cpu.ms", median(times), "ms of CPU time");
    println!("plan.1000x50.gap\t{gap:.7}\tof epsilon");
    if let (Some(before), Some(after)) = (before, peak_bytes()) {
        print("plan.1000x50.peak.mb", (after - before) / 1e6, "MB more at the peak of the process than before");
    }
    Ok(())
}

/// How much noisier a running count is than one count at the same rho, where whoever comes counts once, or in seven periods.
pub(crate) fn continual() -> Outcome {
    /// That of the square root of the counting matrix for one participation, arXiv 2202.11205.
    const REFERENCE: f64 = 3.272_554_150_273_132;
    const PERIODS: u32 = 1_024;
    for (name, participations) in [("m1", 1), ("m7", 7)] {
        let factor = factor(PERIODS, participations, 1)?;
        println!("continual.factor.{name}\t{factor:.6}\ttimes the noise of one count, {PERIODS} periods");
    }
    println!("continual.factor.m1.reference\t{REFERENCE:.6}\tof the matrix without rounding");
    Ok(())
}
