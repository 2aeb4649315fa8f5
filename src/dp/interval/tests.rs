//! Widths against plain sums of their laws, and coverage against binomial ranges.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, clippy::cast_sign_loss)]

use proptest::prelude::*;

use super::laplace::{BITS, Brackets, covers};
use super::sum::{Lattice, Pair};
use super::*;
use crate::dp::{DiscreteLaplace, DpError, Scale, SigmaSquared};
use crate::random::{Random, RecordedRandom};

mod gaussian;
mod histogram;
mod variance;

const RUNS: u64 = 10_000;

fn scale(numerator: u128, denominator: u128) -> Scale {
    Scale::new(numerator, denominator).unwrap()
}

/// The narrowest range of hits of `RUNS` trials of probability `p` that leaves at most 5 * 10^-7 on each side.
fn binomial_range(p: f64) -> (u64, u64) {
    let logs = (1..=RUNS).map(|k| (k as f64).ln()).fold(vec![0.0], |mut sums: Vec<f64>, log| {
        sums.push(sums.last().unwrap() + log);
        sums
    });
    let mass = |k: u64| {
        let choices = logs[RUNS as usize] - logs[k as usize] - logs[(RUNS - k) as usize];
        (choices + k as f64 * p.ln() + (RUNS - k) as f64 * (-p).ln_1p()).exp()
    };
    let (mut low, mut below) = (0, mass(0));
    while below <= 5e-7 {
        low += 1;
        below += mass(low);
    }
    let (mut high, mut above) = (RUNS, mass(RUNS));
    while above <= 5e-7 {
        high -= 1;
        above += mass(high);
    }
    (low, high)
}

/// P(X = k) and P(X > k): with a plain sum over N a second way to every tail.
struct Masses(f64);

impl Masses {
    fn new(scale: Scale) -> Self {
        Self((-(scale.denominator() as f64) / scale.numerator() as f64).exp())
    }

    fn mass(&self, k: i64) -> f64 {
        (1.0 - self.0) / (1.0 + self.0) * self.0.powi(k.unsigned_abs() as i32)
    }

    fn above(&self, k: i64) -> f64 {
        if k < 0 { 1.0 - self.above(-k - 1) } else { self.0.powi(k as i32 + 1) / (1.0 + self.0) }
    }
}

/// P(|X + (weight/parts) N| > edge/parts), or >= with `closed`, by summing over both laws.
fn brute_tail(x: Scale, n: Scale, edge: i64, weight: i64, parts: i64, closed: bool) -> f64 {
    let (x, n) = (Masses::new(x), Masses::new(n));
    let one_side = (-400..=400)
        .map(|k| {
            let rest = edge - weight * k; // X parts > rest
            let first = if closed { (rest + parts - 1).div_euclid(parts) } else { rest.div_euclid(parts) + 1 };
            n.mass(k) * x.above(first - 1)
        })
        .sum::<f64>();
    2.0 * one_side
}

#[test]
fn width_of_one_law_is_the_least_at_every_scale() {
    let limit = (1 << 126) - 1;
    for (t, s) in [(1, 3), (1, 1), (10, 1), (1_000, 1), (7_000_001, 7), (1_000_000_000_000, 1), (limit, 1), (1, limit), (limit, limit - 1)]
    {
        let scale = scale(t, s);
        let width = laplace(scale);
        let decided = |steps| covers(scale, steps, 20);
        assert!(decided(width.steps) && (width.steps == 0 || !decided(width.steps - 1)), "{scale}");
        assert!(width.coverage >= COVERAGE_UNITS / 20 * 19, "{scale}");
        let before = |steps| Brackets::new(scale, steps, BITS).coverage();
        assert!(width.steps == 0 || before(width.steps - 1) < COVERAGE_UNITS / 20 * 19, "{scale}");
    }
}

/// What is walked to holds what is computed anew, and says the same of it wherever it is narrow enough to say anything.
#[test]
fn brackets_that_are_walked_hold_those_made_anew() {
    for (t, s) in [(1, 3), (1, 1), (10, 1), (1_000, 1), (7_000_001, 7), (1_000_000_000_000, 1), (1, 1 << 100)] {
        let scale = scale(t, s);
        for from in [0, 5, 1_000, 1 << 50] {
            let mut walked = Brackets::new(scale, from, BITS);
            for steps in from..from + 10 {
                for one_in in [20, 40, 1_000_000] {
                    assert!(walked.covers(one_in).is_none_or(|covers| covers == super::laplace::covers(scale, steps, one_in)));
                }
                assert!(walked.coverage() <= Brackets::new(scale, steps, BITS).coverage(), "{scale} {steps}");
                walked.step();
            }
        }
    }
}

#[test]
fn widths_of_known_scales() {
    // P(|X| <= q) at scale 1 is 0.92720 at 2 and 0.97322 at 3: sums of tanh(1/2) exp(-|k|).
    let one = laplace(scale(1, 1));
    assert_eq!((one.steps, one.coverage / 1_000_000), (3, 973_220));
    assert_eq!(laplace(scale(1, 3)).steps, 1);
    assert_eq!(one.around(-5), Interval { low: -8, high: -2, method: IntervalMethod::Laplace });
    assert_eq!(one.around(i128::MAX).high, i128::MAX);
}

/// False-alarm rate 10^-6 a scale.
#[test]
fn one_law_is_covered_as_often_as_stated() {
    let mut random = RecordedRandom::from_seed("one_law_is_covered_as_often_as_stated");
    for (t, s) in [(1, 3), (5, 1), (1_000, 3), (1_000_000_000_000, 7)] {
        let sampler = DiscreteLaplace::prepare(scale(t, s));
        let width = laplace(sampler.scale());
        let hits = (0..RUNS).filter(|_| sampler.sample(&mut random).unsigned_abs() <= width.steps).count() as u64;
        let (low, high) = binomial_range(width.coverage as f64 / COVERAGE_UNITS as f64);
        assert!((low..=high).contains(&hits), "{t}/{s}: {hits} not in {low}..={high}");
    }
}

#[test]
fn tail_of_a_sum_is_exact_on_integers() {
    for (x, n, weight) in [
        (scale(1, 3), scale(2, 1), 1),
        (scale(3, 1), scale(2, 1), 5),
        (scale(10, 3), scale(7, 2), 4),
        (scale(20, 1), scale(5, 1), 4), // equal spread: the middle series has ratio 1
        (scale(50, 1), scale(1, 2), 3),
        (scale(1, 100), scale(3, 1), 2),
    ] {
        for edge in [0, 1, 2, 7, 30, 100] {
            let tail = Pair::new(x, n).tail(edge as u128, weight as u128, Lattice::Integers);
            let truth = brute_tail(x, n, edge, weight, 1, false);
            assert!(tail >= truth * (1.0 - 1e-12) && tail <= truth * (1.0 + 1e-10) + 1e-14, "{x} + {weight} {n} > {edge}: {tail} {truth}");
        }
    }
}

#[test]
fn tail_on_parts_of_a_step_is_an_upper_bound() {
    for (x, n) in [(scale(3, 1), scale(2, 1)), (scale(10, 3), scale(1, 2)), (scale(1, 2), scale(4, 1)), (scale(40, 1), scale(3, 1))] {
        for weight in [0, 1, 3, 10, 17, 25] {
            for edge in [1, 4, 9, 10, 33, 200, 555] {
                let tail = Pair::new(x, n).tail(edge as u128, weight as u128, Lattice::Parts(10));
                let truth = brute_tail(x, n, edge, weight, 10, true);
                assert!(tail >= truth * (1.0 - 1e-12), "{x} + {weight}/10 {n} >= {edge}/10: {tail} {truth}");
                // Never more than one step of X away.
                let far = brute_tail(x, n, edge - 10, weight, 10, true);
                assert!(tail <= far * (1.0 + 1e-10) + 1e-14 || edge < 10, "{x} + {weight}/10 {n} >= {edge}/10: {tail} {far}");
            }
        }
    }
}

#[test]
fn width_of_a_sum_is_the_least() {
    for (x, n, weight) in
        [(scale(3, 1), scale(2, 1), 5), (scale(10, 3), scale(7, 2), -4), (scale(1, 3), scale(1, 3), 1), (scale(25, 1), scale(5, 1), 40)]
    {
        let width = laplace_sum(x, weight, n);
        let tail = |steps: u128| brute_tail(x, n, steps as i64, weight.unsigned_abs() as i64, 1, false);
        assert!(tail(width.steps) <= 0.05 && (width.steps == 0 || tail(width.steps - 1) > 0.05), "{x} {weight} {n}");
        let covered = COVERAGE_UNITS as f64 * (1.0 - tail(width.steps));
        assert!(covered - width.coverage as f64 <= 10.0 && width.coverage as f64 <= covered + 1.0, "{covered} {width:?}");
    }
    assert_eq!(laplace_sum(scale(10, 1), 0, scale(3, 1)), laplace(scale(10, 1)));
    let huge = scale((1 << 126) - 1, 1);
    assert_eq!(
        laplace_sum(huge, i128::MIN, huge).around(0),
        Interval { low: -i128::MAX, high: i128::MAX, method: IntervalMethod::LaplaceSum }
    );
}

/// False-alarm rate 10^-6 a case.
#[test]
fn a_sum_is_covered_as_often_as_stated() {
    let mut random = RecordedRandom::from_seed("a_sum_is_covered_as_often_as_stated");
    for (x, n, weight) in [(scale(3, 1), scale(2, 1), 5), (scale(900, 7), scale(10, 1), 50), (scale(1, 3), scale(1, 2), 2)] {
        let width = laplace_sum(x, weight, n);
        let (x, n) = (DiscreteLaplace::prepare(x), DiscreteLaplace::prepare(n));
        let hit = |random: &mut RecordedRandom| (x.sample(random) + weight * n.sample(random)).unsigned_abs() <= width.steps;
        let hits = (0..RUNS).filter(|_| hit(&mut random)).count() as u64;
        let (low, high) = binomial_range(width.coverage as f64 / COVERAGE_UNITS as f64);
        assert!((low..=high).contains(&hits), "{x:?} {n:?}: {hits} not in {low}..={high}");
    }
}

/// A group of `rows` values of true mean `mean` within 0..=100, each of its two sums at epsilon 0.1.
fn group(rows: i128, mean: i128) -> NoisyMean {
    let (sum_law, count_law) = (Law::Laplace(scale(500, 1)), Law::Laplace(scale(10, 1)));
    NoisyMean { sum: rows * (mean - 50), sum_law, count: rows, count_law, centre: 50, low: 0, high: 100 }
}

/// Conservative, so the lower limit only. False-alarm rate 5 * 10^-7 a case.
#[test]
fn a_mean_is_covered_at_least_as_often_as_stated() {
    let mut random = RecordedRandom::from_seed("a_mean_is_covered_at_least_as_often_as_stated");
    let (low, _) = binomial_range(0.95);
    for (rows, mean) in [(10, 90), (100, 38), (10_000, 50)] {
        let truth = group(rows, mean);
        let (sum, count) = (DiscreteLaplace::prepare(scale(500, 1)), DiscreteLaplace::prepare(scale(10, 1)));
        let covers = |random: &mut RecordedRandom| {
            let noisy = NoisyMean { sum: truth.sum + sum.sample(random), count: truth.count + count.sample(random), ..truth };
            let interval = noisy.estimate().unwrap().interval;
            (interval.low..=interval.high).contains(&(mean * i128::from(MEAN_RESOLUTION)))
        };
        let hits = (0..RUNS).filter(|_| covers(&mut random)).count() as u64;
        assert!(hits >= low, "{rows} rows of mean {mean}: {hits} below {low}");
    }
}

#[test]
fn a_mean_of_ten_thousand_is_near_fiellers_width() {
    for mean in [3, 38, 50, 51, 97] {
        for scales in [(500, 10), (50, 1), (100, 40)] {
            let (x, n) = (scale(scales.0, 1), scale(scales.1, 1));
            let group = NoisyMean { sum_law: Law::Laplace(x), count_law: Law::Laplace(n), ..group(10_000, mean) };
            let variance = |scale: Scale| {
                let a = Masses::new(scale).0;
                2.0 * a / (1.0 - a).powi(2)
            };
            let (x, n) = (variance(x), variance(n));
            // (S - t N)^2 = z^2 (x + t^2 n), z the normal 97.5 % point.
            let z = 1.959_963_984_540_054_f64.powi(2);
            let (s, rows) = (group.sum as f64, group.count as f64);
            let (a, b, c) = (rows * rows - z * n, -2.0 * s * rows, s * s - z * x);
            let fieller = (b * b - 4.0 * a * c).sqrt() / a;
            let interval = group.estimate().unwrap().interval;
            let width = (interval.high - interval.low) as f64 / f64::from(MEAN_RESOLUTION);
            assert!(width <= 1.1 * fieller && width >= 0.9 * fieller, "mean {mean}, {scales:?}: {width} against {fieller}");
        }
    }
}

#[test]
fn a_mean_of_few_or_none_says_so() {
    let all = Interval { low: 0, high: 100_000_000, method: IntervalMethod::LaplaceRatio };
    let few = group(20, 90).estimate().unwrap();
    assert_eq!((few.value, few.interval), (Some(90_000_000), all));
    for count in [0, -1, i128::MIN] {
        assert_eq!(NoisyMean { count, ..group(1_000, 30) }.estimate(), Ok(Mean { value: None, interval: all }));
    }
    let beyond = NoisyMean { sum: 1 << 110, ..group(1_000, 30) };
    assert_eq!(beyond.estimate(), Ok(Mean { value: None, interval: all }));
}

#[test]
fn a_mean_outside_its_bounds_is_clamped_with_its_interval() {
    let top = NoisyMean { sum: 10_000 * 55, ..group(10_000, 0) }.estimate().unwrap();
    assert_eq!((top.value, top.interval.low, top.interval.high), (Some(100_000_000), 100_000_000, 100_000_000));
    let bottom = NoisyMean { sum: -10_000 * 55, ..group(10_000, 0) }.estimate().unwrap();
    assert_eq!((bottom.value, bottom.interval.low, bottom.interval.high), (Some(0), 0, 0));
}

#[test]
fn bounds_out_of_order_or_too_large_are_refused_by_name() {
    let good = group(10, 50);
    for (low, centre, high) in [(51, 50, 100), (0, 101, 100), (0, 50, 1 << 100), (-(1 << 100), 0, 1)] {
        assert_eq!(NoisyMean { low, centre, high, ..good }.estimate(), Err(DpError::Bounds));
    }
    assert!(NoisyMean { low: 50, high: 50, ..good }.estimate().is_ok());
}

/// The interval against the definition: every t, each judged with its own spread.
#[test]
fn an_interval_holds_every_mean_that_the_test_accepts() {
    let mut random = RecordedRandom::from_seed("an_interval_holds_every_mean_that_the_test_accepts");
    for _ in 0..40 {
        let (sum_scale, count_scale) = (scale(1 + u128::from(random.next_u64() % 40), 1), scale(1 + u128::from(random.next_u64() % 9), 2));
        let sum = i128::from(random.next_u64() % 401) - 200;
        let (sum_law, count_law) = (Law::Laplace(sum_scale), Law::Laplace(count_scale));
        let noisy = NoisyMean { sum, sum_law, count: i128::from(random.next_u64() % 60), count_law, centre: 1, low: -4, high: 5 };
        let interval = noisy.estimate().unwrap().interval;
        let pair = Pair::new(sum_scale, count_scale);
        let parts = i128::from(MEAN_RESOLUTION);
        for m in (-4 * parts..=5 * parts).step_by(9_973) {
            let t = m - parts;
            let edge = (noisy.sum * parts - t * noisy.count).unsigned_abs();
            let accepted = pair.tail(edge, t.unsigned_abs(), Lattice::Parts(MEAN_RESOLUTION)) > 0.05 * (1.0 + 1e-9);
            let inside = (interval.low..=interval.high).contains(&m);
            assert!(inside || !accepted, "{noisy:?} {m} {interval:?}");
        }
    }
}

proptest! {
    #[test]
    fn a_mean_never_panics_and_is_in_its_interval(
        sum: i128, cut in 0_u32..127, count: i128, low in -1_000_000_i128..0, centre in 0..1_000_000_i128,
        high in 1_000_000_i128..1 << 60, x in 1..=u128::MAX, n in 1..=u128::MAX, family in 0..4_u8,
    ) {
        let law = |gaussian, spread: u128, parts| match gaussian {
            false => Law::Laplace(scale(1 + (spread >> 3 >> cut), parts)),
            true => Law::Gaussian(SigmaSquared::new(1 + (spread >> 3 >> cut), parts).unwrap()),
        };
        let (sum_law, count_law) = (law(family & 1 == 1, x, 3), law(family & 2 == 2, n, 7));
        let noisy = NoisyMean { sum: sum >> cut, count: count >> cut, low, centre, high, sum_law, count_law };
        let mean = noisy.estimate().unwrap();
        let parts = i128::from(MEAN_RESOLUTION);
        prop_assert!(low * parts <= mean.interval.low && mean.interval.low <= mean.interval.high && mean.interval.high <= high * parts);
        if let Some(value) = mean.value {
            prop_assert!((mean.interval.low..=mean.interval.high).contains(&value));
        }
    }
}
