//! Gaussian widths: tails against plain sums, digits against a reference, coverage of means.

use super::super::gaussian::Gaussian;
use super::super::gaussian_sum::GaussianPair;
use super::*;
use crate::dp::DiscreteGaussian;

fn squared(p: u128, q: u128) -> SigmaSquared {
    SigmaSquared::new(p, q).unwrap()
}

fn variance(squared: SigmaSquared) -> f64 {
    squared.numerator() as f64 / squared.denominator() as f64
}

/// P(Y = y) by a plain sum.
struct Plain {
    variance: f64,
    total: f64,
}

impl Plain {
    fn new(squared: SigmaSquared) -> Self {
        let variance = variance(squared);
        let weight = |y: i64| (-(y as f64).powi(2) / (2.0 * variance)).exp();
        Self { variance, total: (-40_000..=40_000).map(weight).sum() }
    }

    fn mass(&self, y: i64) -> f64 {
        (-(y as f64).powi(2) / (2.0 * self.variance)).exp() / self.total
    }

    fn at_least(&self, y: i64) -> f64 {
        if y <= 0 { 1.0 - self.at_least(1 - y) } else { (y..).map(|y| self.mass(y)).take_while(|mass| *mass > 1e-300).sum() }
    }
}

#[test]
fn tails_of_one_law_are_those_of_a_plain_sum() {
    for (p, q) in [(1, 100), (1, 3), (1, 1), (7, 2), (10_000, 1), (1 << 19, 1), (1 << 20, 1), (3 << 20, 1)] {
        let (law, plain) = (Gaussian::new(squared(p, q)), Plain::new(squared(p, q)));
        let sigma = law.sigma;
        for y in [-3.0, -0.5, 0.0, 0.01, 0.3, 1.0, 1.96, 2.5, 4.0, 6.5].map(|share| (share * sigma).ceil()) {
            let (found, expected) = (law.at_least(y), plain.at_least(y as i64));
            assert!((found - expected).abs() <= expected * 1e-12 + 1e-14, "{p}/{q} {y}: {found:e} {expected:e}");
        }
        assert!((law.mass(2.0) - plain.mass(2)).abs() <= 1e-13 * plain.mass(2) + 1e-300);
    }
}

#[test]
fn width_of_one_law_is_the_least() {
    // 1,024 is where integers take over.
    for (p, q) in [(1, 1 << 125), (1, 10), (1, 1), (9, 4), (100, 1), (12_345, 1), ((1 << 20) - 1, 1), (1 << 20, 1), ((1 << 22) + 7, 3)] {
        let (width, plain) = (gaussian(squared(p, q)), Plain::new(squared(p, q)));
        let missed = |steps: u128| 2.0 * plain.at_least(steps as i64 + 1);
        assert!(missed(width.steps) <= 0.05 && (width.steps == 0 || missed(width.steps - 1) > 0.05), "{p}/{q}: {width:?}");
        let covered = COVERAGE_UNITS as f64 * (1.0 - missed(width.steps));
        assert!(covered - width.coverage as f64 <= 10.0 && width.coverage as f64 <= covered + 1.0, "{covered} {width:?}");
    }
}

/// With z the 97.5 % point, widths of wide laws are ceil(z sqrt(sigma^2 - 1/12) - 1/2); from mpmath at 60 digits.
#[test]
fn widths_of_wide_laws_are_exact() {
    for (p, q, steps) in WIDE {
        let width = gaussian(squared(p, q));
        assert_eq!((width.steps, width.method), (steps, IntervalMethod::Gaussian), "{p}/{q}");
        let half = COVERAGE_UNITS / 20 * 19;
        assert!((half..=half + 100_000_000).contains(&width.coverage), "{width:?}");
    }
}

/// Both decisions agree where both can decide: with a law in floating point, and on integers.
#[test]
fn floating_point_and_integers_decide_alike() {
    for p in (0..400).map(|at| (1 << 20) + at * 7_919) {
        let law = Gaussian::new(squared(p, 1));
        let width = gaussian(squared(p, 1));
        assert!(law.missed(width.steps) <= 0.05 && law.missed(width.steps - 1) > 0.05, "{p}");
    }
}

/// False-alarm rate 10^-6 a case.
#[test]
fn one_law_is_covered_as_often_as_stated() {
    let mut random = RecordedRandom::from_seed("one_gaussian_law_is_covered_as_often_as_stated");
    for (p, q) in [(1, 3), (30, 1), (1_000_000, 7), (1_000_000_000_000_000, 1)] {
        let sampler = DiscreteGaussian::prepare(squared(p, q));
        let width = half_width(Law::Gaussian(squared(p, q)));
        let hits = (0..RUNS).filter(|_| sampler.sample(&mut random).unsigned_abs() <= width.steps).count() as u64;
        let (low, high) = binomial_range(width.coverage as f64 / COVERAGE_UNITS as f64);
        assert!((low..=high).contains(&hits), "{p}/{q}: {hits} not in {low}..={high}");
    }
}

#[test]
fn widths_at_other_levels_are_the_least() {
    for (p, q) in [(1, 1), (50, 3), (1 << 16, 1), (1 << 21, 1)] {
        let plain = Plain::new(squared(p, q));
        for one_in in [20, 40, 60, 64_000_000_000] {
            let steps = half_width_at(Law::Gaussian(squared(p, q)), one_in);
            let missed = |steps: u128| 2.0 * plain.at_least(steps as i64 + 1) * one_in as f64;
            assert!(missed(steps) <= 1.0 && missed(steps - 1) > 1.0 - 0.02, "{p}/{q} {one_in}");
        }
    }
    for one_in in [20, 60, 64_000_000_000] {
        let steps = half_width_at(Law::Laplace(scale(10, 3)), one_in);
        let missed = |steps: u128| 2.0 * Masses::new(scale(10, 3)).above(steps as i64) * one_in as f64;
        assert!(missed(steps) <= 1.0 && missed(steps - 1) > 1.0, "{one_in}");
    }
}

/// P(|X + weight N| > steps) by summing over N.
fn brute(x: SigmaSquared, n: SigmaSquared, steps: i64, weight: i64) -> f64 {
    let (x, n) = (Plain::new(x), Plain::new(n));
    2.0 * (-300..=300).map(|k| n.mass(k) * x.at_least(steps + 1 - weight * k)).sum::<f64>()
}

#[test]
fn width_of_a_sum_is_the_least() {
    for (x, n, weight) in [
        (squared(1, 3), squared(1, 5), 2),
        (squared(100, 1), squared(4, 1), 5),
        (squared(90, 1), squared(400, 1), -3),
        (squared(1, 1), squared(900, 1), 7), // rows of the comb are apart
        (squared(2_500, 1), squared(1, 2), 40),
        (squared(1_000_000, 1), squared(100, 1), 50),
        (squared(3_000_000, 1), squared(2, 3), 900),
    ] {
        let width = gaussian_sum(x, weight, n);
        let missed = |steps: u128| brute(x, n, steps as i64, weight as i64);
        assert!(missed(width.steps) <= 0.05 && missed(width.steps - 1) > 0.05, "{x} {weight} {n}: {width:?} {}", missed(width.steps));
        let covered = COVERAGE_UNITS as f64 * (1.0 - missed(width.steps));
        assert!(covered - width.coverage as f64 <= 10.0 && width.coverage as f64 <= covered + 1.0, "{covered} {width:?}");
        // The ideal normal width, but for the comb.
        let ideal = 1.959_963_984_54 * (variance(x) + (weight as f64).powi(2) * variance(n)).sqrt();
        assert!((width.steps as f64 - ideal).abs() <= weight.unsigned_abs() as f64 + 1.0, "{x} {weight} {n}: {width:?} {ideal}");
    }
    assert_eq!(gaussian_sum(squared(9, 1), 0, squared(3, 1)), gaussian(squared(9, 1)));
    let huge = squared((1 << 126) - 1, 1);
    let ends = Interval { low: -i128::MAX, high: i128::MAX, method: IntervalMethod::GaussianSum };
    assert_eq!(gaussian_sum(huge, i128::MIN, huge).around(0), ends);
    assert!(gaussian_sum(squared(1, 1), i128::MIN, squared(1, 1 << 120)).coverage >= COVERAGE_UNITS / 20 * 19);
}

/// False-alarm rate 10^-6 a case.
#[test]
fn a_sum_is_covered_as_often_as_stated() {
    let mut random = RecordedRandom::from_seed("a_gaussian_sum_is_covered_as_often_as_stated");
    for (x, n, weight) in [(squared(9, 1), squared(4, 1), 5), (squared(90_000, 7), squared(100, 1), 50), (squared(1, 3), squared(1, 2), 2)]
    {
        let width = weighted_sum(Law::Gaussian(x), weight, Law::Gaussian(n));
        let (x, n) = (DiscreteGaussian::prepare(x), DiscreteGaussian::prepare(n));
        let hit = |random: &mut RecordedRandom| (x.sample(random) + weight * n.sample(random)).unsigned_abs() <= width.steps;
        let hits = (0..RUNS).filter(|_| hit(&mut random)).count() as u64;
        let (low, high) = binomial_range(width.coverage as f64 / COVERAGE_UNITS as f64);
        assert!((low..=high).contains(&hits), "{x:?} {n:?}: {hits} not in {low}..={high}");
    }
}

#[test]
fn a_sum_of_two_families_is_a_union_bound() {
    let (x, n) = (Law::Gaussian(squared(100, 1)), Law::Laplace(scale(3, 1)));
    let width = weighted_sum(x, -4, n);
    assert_eq!(width.steps, half_width_at(x, 40) + 4 * half_width_at(n, 40));
    assert_eq!((width.coverage, width.method), (COVERAGE_UNITS / 20 * 19, IntervalMethod::Union));
    assert_eq!(weighted_sum(x, 0, n), half_width(x));
    let huge = Law::Laplace(scale((1 << 126) - 1, 1));
    assert_eq!(weighted_sum(x, i128::MIN, huge).steps, u128::MAX);
}

/// P(|X + (weight/10) N| >= edge/10) by summing over N.
fn brute_parts(x: SigmaSquared, n: SigmaSquared, edge: i64, weight: i64) -> f64 {
    let (x, n) = (Plain::new(x), Plain::new(n));
    2.0 * (-300..=300).map(|k| n.mass(k) * x.at_least((edge - weight * k + 9).div_euclid(10))).sum::<f64>()
}

#[test]
fn what_is_left_out_on_parts_of_a_step_is_improbable() {
    for (x, n) in [
        (squared(9, 1), squared(4, 1)),
        (squared(10, 3), squared(1, 4)),
        (squared(1, 4), squared(16, 1)),
        (squared(6_400, 1), squared(25, 1)),
    ] {
        let pair = GaussianPair::new(x, n);
        let mut before = 0;
        for weight in [0, 1, 3, 10, 17, 25, 90, 400] {
            let edge = (0..).find(|edge| pair.leaves_out(*edge as u128, weight as u128, 10)).unwrap();
            assert!((edge..edge + 50).all(|edge| pair.leaves_out(edge as u128, weight as u128, 10)), "holds from there on");
            assert!(brute_parts(x, n, edge, weight) <= 0.05, "{x} + {weight}/10 {n} >= {edge}/10");
            // Never more than two steps of X away.
            assert!(edge <= 20 || brute_parts(x, n, edge - 20, weight) > 0.05, "{x} + {weight}/10 {n} >= {edge}/10");
            assert!(edge >= before, "grows with the weight");
            before = edge;
        }
    }
}

/// A sum with little noise beside a count with much: N in blocks, wider by an eighth of the sigma of X at most.
#[test]
fn a_wide_count_beside_a_narrow_sum_is_taken_in_blocks() {
    for (x, n, weight) in [
        (squared(100, 1), squared(1 << 40, 1), 1),
        (squared(1, 1), squared(250_000, 1), 5_000),
        (squared(400, 1), squared(90_000, 1), 60_000),
    ] {
        let pair = GaussianPair::new(x, n);
        let leaves_out = |edge: u128| pair.leaves_out(edge, weight, 1_000_000);
        let ideal = (variance(x) + (weight as f64 / 1e6).powi(2) * variance(n)).sqrt() * 1.959_963_984_54;
        let edge = least((ideal * 2e6) as u128 + 4_000_000, leaves_out) as f64 / 1e6;
        assert!(edge >= ideal && edge <= ideal + variance(x).sqrt() / 8.0 + 2.0, "{x} {n} {weight}: {edge} {ideal}");
        assert!(leaves_out((edge * 3e6) as u128));
    }
}

/// A group of `rows` values of true mean `mean` within 0..=100, sums and counts at rho 0.005 each.
fn group(rows: i128, mean: i128, x: SigmaSquared, n: SigmaSquared) -> NoisyMean {
    let (sum_law, count_law) = (Law::Gaussian(x), Law::Gaussian(n));
    NoisyMean { sum: rows * (mean - 50), sum_law, count: rows, count_law, centre: 50, low: 0, high: 100 }
}

/// Conservative, so the lower limit only. False-alarm rate 5 * 10^-7 a case.
#[test]
fn a_mean_is_covered_at_least_as_often_as_stated() {
    let mut random = RecordedRandom::from_seed("a_gaussian_mean_is_covered_at_least_as_often_as_stated");
    let (low, _) = binomial_range(0.95);
    let fine = (squared(250_000, 1), squared(100, 1));
    let coarse = (squared(2, 1), squared(1, 2));
    for (rows, mean, (x, n)) in [(100, 38, fine), (10_000, 50, fine), (1_000, 52, coarse)] {
        let truth = group(rows, mean, x, n);
        let (sum, count) = (DiscreteGaussian::prepare(x), DiscreteGaussian::prepare(n));
        let covers = |random: &mut RecordedRandom| {
            let noisy = NoisyMean { sum: truth.sum + sum.sample(random), count: truth.count + count.sample(random), ..truth };
            let interval = noisy.estimate().unwrap().interval;
            assert_eq!(interval.method, IntervalMethod::GaussianRatio);
            (interval.low..=interval.high).contains(&(mean * i128::from(MEAN_RESOLUTION)))
        };
        let hits = (0..RUNS).filter(|_| covers(&mut random)).count() as u64;
        assert!(hits >= low, "{rows} rows of mean {mean}: {hits} below {low}");
    }
}

#[test]
fn a_mean_of_ten_thousand_is_near_fiellers_width() {
    for mean in [3, 38, 50, 51, 97] {
        for (x, n) in
            [(squared(250_000, 1), squared(100, 1)), (squared(2_500, 1), squared(1, 1)), (squared(100_000_000, 1), squared(40_000, 1))]
        {
            let group = group(10_000, mean, x, n);
            let z = 1.959_963_984_540_054_f64.powi(2);
            let (s, rows) = (group.sum as f64, group.count as f64);
            let (a, b, c) = (rows * rows - z * variance(n), -2.0 * s * rows, s * s - z * variance(x));
            let fieller = (b * b - 4.0 * a * c).sqrt() / a;
            let interval = group.estimate().unwrap().interval;
            let width = (interval.high - interval.low) as f64 / f64::from(MEAN_RESOLUTION);
            let clamped = interval.low == 0 || interval.high == 100_000_000;
            assert!(width <= 1.1 * fieller && (width >= 0.99 * fieller || clamped), "mean {mean}, {x} {n}: {width} against {fieller}");
        }
    }
}

#[test]
fn a_mean_of_two_families_is_a_union_bound() {
    let mixed = NoisyMean { count_law: Law::Laplace(scale(10, 1)), ..group(10_000, 38, squared(250_000, 1), squared(1, 1)) };
    let mean = mixed.estimate().unwrap();
    assert_eq!((mean.value, mean.interval.method), (Some(38_000_000), IntervalMethod::Union));
    let half = half_width_at(mixed.sum_law, 40) + 12 * half_width_at(mixed.count_law, 40);
    let width = (mean.interval.high - mean.interval.low) as u128;
    assert!(width.abs_diff(half * 200) <= width / 50, "{width} {}", half * 200);
}

/// (p, q, steps).
const WIDE: [(u128, u128, u128); 7] = [
    (1_060_921, 1, 2_019),
    (1_000_000_000_000, 7, 740_797),
    (100_000_000_000_000_000_000, 1, 19_599_639_845),
    (1_208_925_819_614_629_174_706_177, 3, 1_244_191_672_442),
    (1_267_650_600_228_229_401_496_703_205_375, 1, 2_206_723_267_608_545),
    (85_070_591_730_234_615_865_843_651_857_942_052_863, 1, 18_077_477_008_249_202_356),
    (85_070_591_730_234_615_865_843_651_857_942_052_863, 1_048_577, 17_653_777_722_893_168),
];
