//! Variances: the formula, the whole box by rationals, coverage.

use super::*;
use crate::dp::DiscreteGaussian;
use crate::dp::noise::Nat;

fn laws(gaussian: bool) -> [Law; 3] {
    // Noise of N, S and Q of values at most 50 from the centre, at epsilon (or sigma^-1) 0.1 each.
    [10, 500, 25_000].map(|spread: u128| match gaussian {
        false => Law::Laplace(scale(spread, 1)),
        true => Law::Gaussian(SigmaSquared::new(spread * spread, 1).unwrap()),
    })
}

/// `rows` values, half of them at `a` and half at `b`, in 0..=100.
fn group(rows: i128, a: i128, b: i128, gaussian: bool) -> NoisyVariance {
    let [count_law, sum_law, squares_law] = laws(gaussian);
    let (x, y) = (a - 50, b - 50);
    NoisyVariance {
        sum: rows / 2 * (x + y),
        count: rows,
        squares: rows / 2 * (x * x + y * y),
        sum_law,
        count_law,
        squares_law,
        centre: 50,
        low: 0,
        high: 100,
    }
}

fn sample(law: Law, random: &mut RecordedRandom) -> i128 {
    match law {
        Law::Laplace(scale) => DiscreteLaplace::sample_once(scale, random),
        Law::Gaussian(sigma_squared) => DiscreteGaussian::sample_once(sigma_squared, random),
    }
}

#[test]
fn values_are_those_of_the_formula() {
    let truth = group(10_000, 40, 70, true); // mean 55, deviation 15
    let (variance, deviation) = (truth.variance().unwrap(), truth.deviation().unwrap());
    assert_eq!((variance.value, variance.interval.method), (Some(225_000_000), IntervalMethod::GaussianBox));
    assert_eq!((deviation.value, deviation.interval.method), (Some(15_000_000), IntervalMethod::GaussianBox));
    assert_eq!(group(10_000, 40, 70, false).variance().unwrap().interval.method, IntervalMethod::LaplaceBox);
    let mixed = NoisyVariance { sum_law: laws(false)[1], ..truth };
    assert_eq!(mixed.variance().unwrap().interval.method, IntervalMethod::Union);
    // A third: floor of 2/9 and of its root.
    let third = NoisyVariance { count: 3, sum: 1, squares: 1, ..truth };
    assert_eq!((third.variance().unwrap().value, third.deviation().unwrap().value), (Some(222_222), Some(471_404)));
}

/// Against all of the box, on rationals.
#[test]
fn an_interval_holds_all_of_its_box() {
    let mut random = RecordedRandom::from_seed("an_interval_holds_all_of_its_box");
    let laws = [1, 3, 5].map(|spread| Law::Laplace(scale(spread, 4)));
    let widths = laws.map(|law| half_width_at(law, 60) as i128);
    for _ in 0..60 {
        let mut next = |below: u64, shift: i128| i128::from(random.next_u64() % below) - shift;
        let noisy = NoisyVariance {
            count: next(9, -1),
            sum: next(41, 20),
            squares: next(90, 5),
            count_law: laws[0],
            sum_law: laws[1],
            squares_law: laws[2],
            centre: 0,
            low: -6,
            high: 6,
        };
        let variance = noisy.variance().unwrap().interval;
        let deviation = noisy.deviation().unwrap().interval;
        let (mut least, mut most) = (f64::MAX, 0.0_f64);
        for n in (noisy.count - widths[0]).max(1)..=noisy.count + widths[0] {
            for s in noisy.sum - widths[1]..=noisy.sum + widths[1] {
                for q in (noisy.squares - widths[2]).max(0)..=noisy.squares + widths[2] {
                    let value = ((q * n - s * s) as f64 / (n * n) as f64).clamp(0.0, 36.0);
                    (least, most) = (least.min(value), most.max(value));
                }
            }
        }
        if most == 0.0 && least == f64::MAX {
            (least, most) = (0.0, 0.0);
        }
        let parts = |end: i128| end as f64 / 1e6;
        assert!(parts(variance.low) <= least + 1e-9 && parts(variance.high) >= most - 1e-9, "{noisy:?} {variance:?} {least} {most}");
        assert!(parts(deviation.low) <= least.sqrt() + 1e-9 && parts(deviation.high) >= most.sqrt() - 1e-9);
        // Not wider than the box with real N.
        assert!(parts(variance.low) >= least - 1e-5 && parts(deviation.low) >= least.sqrt() - 1e-5, "{noisy:?} {variance:?} {least}");
    }
}

/// Conservative, so the lower limit only. False-alarm rate 5 * 10^-7 a case.
#[test]
fn a_variance_is_covered_at_least_as_often_as_stated() {
    let mut random = RecordedRandom::from_seed("a_variance_is_covered_at_least_as_often_as_stated");
    let runs = 1_000; // 0.95 of a thousand less 5.5 deviations
    for gaussian in [false, true] {
        for (rows, a, b) in [(40, 0, 100), (10_000, 40, 70)] {
            let truth = group(rows, a, b, gaussian);
            let variance = (a - b) * (a - b) * 250_000;
            let hits = (0..runs).filter(|_| {
                let noisy = NoisyVariance {
                    sum: truth.sum + sample(truth.sum_law, &mut random),
                    count: truth.count + sample(truth.count_law, &mut random),
                    squares: truth.squares + sample(truth.squares_law, &mut random),
                    ..truth
                };
                let interval = noisy.variance().unwrap().interval;
                (interval.low..=interval.high).contains(&variance)
            });
            assert!(hits.count() >= 912, "{rows} {a} {b}");
        }
    }
}

#[test]
fn a_variance_of_none_or_beyond_its_bounds_says_so() {
    let all = |high| Interval { low: 0, high, method: IntervalMethod::GaussianBox };
    let truth = group(1_000, 40, 70, true);
    for count in [0, -1, i128::MIN] {
        let none = NoisyVariance { count, ..truth };
        assert_eq!(none.variance(), Ok(Variance { value: None, interval: all(2_500_000_000) }));
        assert_eq!(none.deviation(), Ok(Deviation { value: None, interval: all(50_000_000) }));
    }
    let negative = NoisyVariance { squares: -1 << 60, ..truth };
    assert_eq!(negative.variance().unwrap().value, Some(0));
    let beyond = NoisyVariance { squares: i128::MAX, ..truth };
    assert_eq!(beyond.variance().unwrap().value, Some(2_500_000_000));
    for (low, centre, high) in [(51, 50, 100), (0, 101, 100), (0, 0, 1 << 53), (i128::MIN, 0, i128::MAX)] {
        assert_eq!(NoisyVariance { low, centre, high, ..truth }.variance(), Err(DpError::Spread));
        assert_eq!(NoisyVariance { low, centre, high, ..truth }.deviation(), Err(DpError::Spread));
    }
}

proptest! {
    #[test]
    fn a_variance_never_panics_and_is_in_its_interval(
        sum: i128, count: i128, squares: i128, cut in 0_u32..127, low in -1_000_000_i128..0, high in 0_i128..1 << 52,
        x in 1..=u128::MAX, gaussian: bool,
    ) {
        let law = match gaussian {
            false => Law::Laplace(scale(1 + (x >> 3 >> cut), 3)),
            true => Law::Gaussian(SigmaSquared::new(1 + (x >> 3 >> cut), 3).unwrap()),
        };
        let noisy = NoisyVariance {
            sum: sum >> cut, count: count >> (cut / 2), squares: squares >> cut, sum_law: law, count_law: law, squares_law: law, centre: 0, low, high,
        };
        let (variance, deviation) = (noisy.variance().unwrap(), noisy.deviation().unwrap());
        for (value, interval) in [(variance.value, variance.interval), (deviation.value, deviation.interval)] {
            prop_assert!(0 <= interval.low && interval.low <= interval.high);
            prop_assert!(value.is_none_or(|value| (interval.low..=interval.high).contains(&value)));
        }
        prop_assert!(deviation.interval.high <= (high - low) * 500_000);
        // floor(sqrt(V)) of the parts.
        if let (Some(v), Some(d)) = (variance.value, deviation.value) {
            prop_assert!(Nat::from(d as u128).mul(&Nat::from(d as u128)) <= Nat::from(v as u128 + 1).mul(&Nat::from(1_000_000_u64)));
        }
    }
}
