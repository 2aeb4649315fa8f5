//! Quantiles from histograms: coverage, width, and what is no question.

use super::super::histogram::{Edges, statistics, within};
use super::*;
use crate::dp::DiscreteGaussian;

const GAUSSIAN: u128 = 400;

fn laws() -> [Law; 3] {
    [Law::Laplace(scale(10, 1)), Law::Gaussian(SigmaSquared::new(GAUSSIAN, 1).unwrap()), Law::Gaussian(SigmaSquared::new(2, 1).unwrap())]
}

/// A source of draws.
fn draws(law: Law) -> Box<dyn Fn(&mut RecordedRandom) -> i128> {
    match law {
        Law::Laplace(scale) => {
            let sampler = DiscreteLaplace::prepare(scale);
            Box::new(move |random| sampler.sample(random))
        }
        Law::Gaussian(sigma_squared) => {
            let sampler = DiscreteGaussian::prepare(sigma_squared);
            Box::new(move |random| sampler.sample(random))
        }
    }
}

/// The bin of the least value with at least n a/b values up to it.
fn truth(counts: &[i128], (a, b): (u64, u64)) -> usize {
    let n = counts.iter().sum::<i128>();
    let up_to = |bin: usize| counts[..=bin].iter().sum::<i128>();
    (0..counts.len()).find(|bin| up_to(*bin) > 0 && up_to(*bin) * i128::from(b) >= n * i128::from(a)).unwrap()
}

/// Conservative, so the lower limit only. False-alarm rate 5 * 10^-7 a case.
#[test]
fn a_quantile_is_covered_at_least_as_often_as_stated() {
    let mut random = RecordedRandom::from_seed("a_quantile_is_covered_at_least_as_often_as_stated");
    let (low, _) = binomial_range(0.95);
    let flat = [40; 30];
    let few = [3, 0, 0, 9, 1];
    let heavy = [0, 900, 0, 2_000, 5, 0, 0, 1];
    for (counts, rank) in [(&flat[..], (1, 2)), (&flat, (1, 10)), (&few, (3, 4)), (&heavy, (99, 100)), (&heavy, (0, 1)), (&heavy, (1, 1))] {
        let bin = truth(counts, rank);
        for law in laws() {
            let (draw, weights) = (draws(law), (u128::from(rank.1 - rank.0), rank.0.into()));
            let edges = Edges::new(law, weights, counts.len());
            let hit = |random: &mut RecordedRandom| {
                let noisy = counts.iter().map(|count| count + draw(random)).collect::<Vec<_>>();
                let found = within(&statistics(&noisy, weights).unwrap(), &edges);
                found.is_some_and(|(low, high)| (low..=high).contains(&bin))
            };
            let hits = (0..RUNS).filter(|_| hit(&mut random)).count() as u64;
            assert!(hits >= low, "{counts:?} {rank:?} {law}: {hits} below {low}");
        }
    }
}

/// An interval that says something: against the normal width, at the median of 256 bins.
#[test]
fn widths_are_near_the_normal_ones() {
    let counts = [1_000; 256];
    for (law, most) in laws().into_iter().zip([1.45, 1.05, 1.45]) {
        let deviation = match law {
            Law::Laplace(_) => 200_f64.sqrt(),
            Law::Gaussian(squared) => (squared.numerator() as f64).sqrt(),
        };
        // b L - a n = L_below - L_above = 2 * 1000 a bin, its noise that of 256 draws.
        let ideal = 2.0 * 1.96 * deviation * 16.0 / 2_000.0;
        let (low, high) = quantile_from_histogram(&counts, law, (2, 4)).unwrap();
        assert!((high - low) as f64 <= ideal * most + 2.0, "{law}: {low}..{high} {ideal}");
        assert!(low <= 127 && 127 <= high);
    }
    // No noise to speak of: the bin itself.
    let law = Law::Laplace(scale(1, 1 << 120));
    assert_eq!(quantile_from_histogram(&[5, 0, 5, 5], law, (1, 2)), Some((2, 2)));
    assert_eq!(quantile_from_histogram(&[5, 0, 5, 5], law, (0, 1)), Some((0, 0)));
    assert_eq!(quantile_from_histogram(&[5, 0, 5, 5], law, (1, 1)), Some((3, 3)));
}

#[test]
fn what_is_no_question_has_no_answer() {
    let law = laws()[0];
    assert_eq!(quantile_from_histogram(&[], law, (1, 2)), None);
    assert_eq!(quantile_from_histogram(&[1, 2], law, (1, 0)), None);
    assert_eq!(quantile_from_histogram(&[1, 2], law, (3, 2)), None);
    assert_eq!(quantile_from_histogram(&[-4_000, -9_000], law, (1, 2)), None);
    assert_eq!(quantile_from_histogram(&[0, 0, 0], law, (1, 2)), Some((0, 2)));
    assert_eq!(quantile_from_histogram(&[i128::MAX, i128::MAX, 0], law, (1, 2)), Some((0, 2)));
    assert_eq!(quantile_from_histogram(&[i128::MAX, -1, 0], law, (1, u64::MAX)), Some((0, 2)));
    let wide = Law::Gaussian(SigmaSquared::new((1 << 126) - 1, 1).unwrap());
    assert_eq!(quantile_from_histogram(&[7; 9], wide, (1, 2)), Some((0, 8)));
    let wide = Law::Laplace(scale((1 << 126) - 1, 1));
    assert_eq!(quantile_from_histogram(&[7; 9], wide, (u64::MAX - 1, u64::MAX)), Some((0, 8)));
}

proptest! {
    #[test]
    fn a_range_never_panics(bins in prop::collection::vec(any::<i128>(), 0..20), cut in 0_u32..127, a: u64, b: u64, x in 1..=u128::MAX, gaussian: bool) {
        let law = match gaussian {
            false => Law::Laplace(scale(1 + (x >> 3 >> cut), 3)),
            true => Law::Gaussian(SigmaSquared::new(1 + (x >> 3 >> cut), 3).unwrap()),
        };
        let bins = bins.iter().map(|bin| bin >> cut).collect::<Vec<_>>();
        if let Some((low, high)) = quantile_from_histogram(&bins, law, (a.min(b), a.max(b))) {
            prop_assert!(low <= high && high < bins.len());
        }
    }
}
