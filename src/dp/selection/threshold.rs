//! The sparse vector technique: which of a stream of values are above a threshold.

use std::fmt;
use std::num::NonZeroU32;

use super::{Change, SCORE_MAX};
use crate::budget::Epsilon;
use crate::dp::{DiscreteLaplace, DpError, LaplaceMechanism};
use crate::random::Random;

/// The sparse vector technique: which of a stream of values are above a threshold, paid for by the number of those that
/// are and not by that of those that are asked.
///
/// Each question takes the value of itself, so that none can be asked once the last answer "above" is given.
///
/// Neighbours: data sets that differ by adding or removing one privacy unit. Norm: each value changes by at most
/// `sensitivity` D; with [`Change::Monotone`] all asked values move in one direction. Guarantee: pure
/// epsilon-differential privacy for the whole run, however the questions are chosen. Noise: at epsilon / count a round,
/// discrete Laplace of scale 2 D / epsilon on the threshold, fresh in each round, and of scale 2 c D / epsilon on each
/// value, c = 2, or 1 for monotone values (Dwork and Roth 2014, algorithm 1 and theorem 3.23; Lyu, Su, Li 2017 for
/// monotone values).
///
/// ```
/// use std::num::NonZeroU32;
/// use usufruct::budget::Epsilon;
/// use usufruct::dp::selection::{AboveThreshold, Change, ThresholdAnswer};
/// use usufruct::random::SystemRandom;
///
/// let mut random = SystemRandom::bound(b"request")?;
/// let mut asked = AboveThreshold::new(1, Epsilon::parse("1")?, Change::Monotone, 1_000, NonZeroU32::MIN, &mut random)?;
/// for count in [10, 20, 5_000, 30] {
///     match asked.ask(count, &mut random) {
///         ThresholdAnswer::Below(next) | ThresholdAnswer::Above(Some(next)) => asked = next,
///         ThresholdAnswer::Above(None) => break,
///     }
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
/// ```compile_fail,E0382
/// # use usufruct::{dp::selection::AboveThreshold, random::SystemRandom};
/// fn twice(asked: AboveThreshold, random: &mut SystemRandom) {
///     asked.ask(1, random);
///     asked.ask(2, random);
/// }
/// ```
pub struct AboveThreshold {
    threshold: i128,
    noisy: i128,
    left: NonZeroU32,
    for_threshold: LaplaceMechanism,
    for_values: DiscreteLaplace,
}

/// What is said of one value.
#[derive(Debug)]
#[must_use]
pub enum ThresholdAnswer {
    /// Below; the next may be asked.
    Below(AboveThreshold),
    /// Above; the next may be asked unless it was the last.
    Above(Option<AboveThreshold>),
}

impl AboveThreshold {
    /// A run that ends with the `count`-th value above `threshold`.
    ///
    /// # Errors
    /// When sensitivity or epsilon / count is zero, or a scale too wide.
    pub fn new<R: Random + ?Sized>(
        sensitivity: u64,
        epsilon: Epsilon,
        change: Change,
        threshold: i128,
        count: NonZeroU32,
        random: &mut R,
    ) -> Result<Self, DpError> {
        let round = Epsilon::from_units(epsilon.units() / u64::from(count.get())).unwrap_or(Epsilon::ZERO);
        let twice = 2 * u128::from(sensitivity);
        let for_threshold = LaplaceMechanism::new(twice, round)?;
        let for_values = LaplaceMechanism::new(twice * u128::from(change.apart()), round)?;
        let mut run = Self {
            threshold: threshold.clamp(-SCORE_MAX, SCORE_MAX),
            noisy: 0,
            left: count,
            for_threshold,
            for_values: DiscreteLaplace::prepare(for_values.scale()),
        };
        run.noisy = run.for_threshold.release(run.threshold, random);
        Ok(run)
    }

    /// Whether `value` with its noise is at least the threshold with its noise.
    pub fn ask<R: Random + ?Sized>(mut self, value: i128, random: &mut R) -> ThresholdAnswer {
        let noisy = value.clamp(-SCORE_MAX, SCORE_MAX).saturating_add(self.for_values.sample(random));
        if noisy < self.noisy {
            return ThresholdAnswer::Below(self);
        }
        ThresholdAnswer::Above(NonZeroU32::new(self.left.get() - 1).map(|left| {
            self.left = left;
            self.noisy = self.for_threshold.release(self.threshold, random);
            self
        }))
    }

    /// How many values may still be found above.
    #[must_use]
    pub fn left(&self) -> u32 {
        self.left.get()
    }
}

/// Without the noisy threshold.
impl fmt::Debug for AboveThreshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AboveThreshold").field("threshold", &self.threshold).field("left", &self.left).finish_non_exhaustive()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::random::RecordedRandom;

    fn run(epsilon: &str, threshold: i128, count: u32, random: &mut RecordedRandom) -> Result<AboveThreshold, DpError> {
        AboveThreshold::new(1, Epsilon::parse(epsilon).unwrap(), Change::Any, threshold, NonZeroU32::new(count).unwrap(), random)
    }

    #[test]
    fn it_ends_with_its_count() {
        let mut random = RecordedRandom::from_seed("it_ends_with_its_count");
        let mut asked = run("1000", 50, 3, &mut random).unwrap();
        let mut above = 0;
        loop {
            match asked.ask(1_000, &mut random) {
                ThresholdAnswer::Below(_) => panic!("epsilon is large"),
                ThresholdAnswer::Above(Some(next)) => {
                    above += 1;
                    assert_eq!(next.left(), 3 - above);
                    let ThresholdAnswer::Below(next) = next.ask(-1_000, &mut random) else { panic!("epsilon is large") };
                    asked = next;
                }
                ThresholdAnswer::Above(None) => break,
            }
        }
        assert_eq!(above, 2);
    }

    /// Two questions: all four transcripts against their exact probabilities, by summing over the two noises.
    /// False alarm below 10^-6.
    #[test]
    fn transcripts_have_their_exact_probabilities() {
        let mut random = RecordedRandom::from_seed("transcripts_have_their_exact_probabilities");
        let (values, threshold) = ([1_i128, 3], 2_i128);
        // Epsilon 4: scale 1/2 on the threshold, 1 on values.
        let law = |scale: f64, y: i128| (0.5 / scale).tanh() * (-(y.abs() as f64) / scale).exp();
        let mut expected = [0.0; 3]; // above at once, below then above, twice below
        for rho in -60..=60_i128 {
            let above = |value: i128| (threshold + rho - value..=80).map(|y| law(1.0, y)).sum::<f64>();
            let (first, second) = (above(values[0]), above(values[1]));
            let weight = law(0.5, rho);
            expected[0] += weight * first;
            expected[1] += weight * (1.0 - first) * second;
            expected[2] += weight * (1.0 - first) * (1.0 - second);
        }
        const RUNS: u32 = 100_000;
        let mut found = [0.0; 3];
        for _ in 0..RUNS {
            let outcome = match run("4", threshold, 1, &mut random).unwrap().ask(values[0], &mut random) {
                ThresholdAnswer::Above(_) => 0,
                ThresholdAnswer::Below(next) => match next.ask(values[1], &mut random) {
                    ThresholdAnswer::Above(_) => 1,
                    ThresholdAnswer::Below(_) => 2,
                },
            };
            found[outcome] += 1.0;
        }
        let parts = found
            .iter()
            .zip(expected)
            .map(|(found, expected): (&f64, f64)| (found - expected * f64::from(RUNS)).powi(2) / (expected * f64::from(RUNS)));
        let statistic = parts.sum::<f64>();
        assert!(statistic < 2.0 + 2.0 * (2.0 * 13.82_f64).sqrt() + 2.0 * 13.82, "{statistic} {found:?} {expected:?}");
    }

    #[test]
    fn extremes_neither_panic_nor_show() {
        let mut random = RecordedRandom::from_seed("extremes_neither_panic_nor_show");
        let asked = run("1", i128::MAX, 1, &mut random).unwrap();
        assert!(!format!("{asked:?}").contains("noisy"));
        assert!(matches!(asked.ask(i128::MIN, &mut random), ThresholdAnswer::Below(_)));
        assert_eq!(run("0.000000000001", 0, 2, &mut random).unwrap_err(), DpError::EpsilonZero);
        assert_eq!(run("0", 0, 1, &mut random).unwrap_err(), DpError::EpsilonZero);
        let zero = AboveThreshold::new(0, Epsilon::MAX, Change::Any, 0, NonZeroU32::MIN, &mut random);
        assert_eq!(zero.unwrap_err(), DpError::SensitivityZero);
    }
}
