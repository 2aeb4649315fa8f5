//! Poisson samples by unit: the same exact rate draws them and accounts for them.

use crate::dp::accountant::AccountantError;
use crate::dp::noise::below;
use crate::random::Random;

/// A Poisson sample by unit: each privacy unit is in it with the same probability, freshly and independently.
///
/// The rate is an exact fraction. [`keeps`](Self::keeps) draws with it, and [`CompositionStep::sampled`](super::CompositionStep::sampled) accounts
/// for it, so that what is accounted is what is drawn (rule E4).
///
/// # Source
/// Balle, Barthe, Gaboardi, "Privacy amplification by subsampling", NeurIPS 2018, theorem 8 (Poisson sampling, adding or
/// removing one unit).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoissonSample {
    numerator: u32,
    denominator: u32,
}

impl PoissonSample {
    /// Each unit with probability `numerator / denominator`.
    ///
    /// # Errors
    /// When the rate is not above 0 and at most 1.
    pub fn new(numerator: u32, denominator: u32) -> Result<Self, AccountantError> {
        if numerator == 0 || numerator > denominator {
            return Err(AccountantError::Parameter { what: "a sampling rate above 0 and up to 1" });
        }
        Ok(Self { numerator, denominator })
    }

    /// Whether one more unit is in the sample: to be asked once for each unit and step, before its rows are looked at.
    #[must_use]
    pub fn keeps<R: Random + ?Sized>(&self, random: &mut R) -> bool {
        below(self.denominator.into(), random) < self.numerator.into()
    }

    /// The rate, rounded up: the cost rises with it, for a sample of a sample is a smaller one.
    pub(in crate::dp::accountant) fn rate(self) -> f64 {
        let rate = f64::from(self.numerator) / f64::from(self.denominator);
        if self.numerator == self.denominator { 1.0 } else { rate.next_up() }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::random::{RecordedRandom, ScriptedRandom};

    /// A word w gives floor(w d / 2^64): kept from 0 to the last w with w d < n 2^64, exactly.
    #[test]
    fn the_edge_between_kept_and_not_is_where_the_rate_is() {
        for (numerator, denominator) in [(1, 2), (1, 3), (2, 3), (7, 1_000), (u32::MAX - 1, u32::MAX)] {
            let sample = PoissonSample::new(numerator, denominator).unwrap();
            let wide = u128::from(numerator) << 64;
            let edge = u64::try_from(wide.div_ceil(denominator.into())).unwrap();
            let draw = |word| {
                let mut random = ScriptedRandom::with_tail(vec![word], "edge");
                (sample.keeps(&mut random), random.used())
            };
            assert_eq!((draw(edge - 1), draw(edge + 1)), ((true, 1), (false, 1)), "{numerator}/{denominator}");
        }
        assert!(PoissonSample::new(5, 5).unwrap().keeps(&mut RecordedRandom::from_seed("all")));
    }

    /// 4.9 standard deviations leave 10^-6.
    #[test]
    fn units_are_kept_at_the_rate_that_is_accounted() {
        let mut random = RecordedRandom::from_seed("units_are_kept_at_the_rate_that_is_accounted");
        for (numerator, denominator) in [(1, 100), (1, 3), (9, 10)] {
            let sample = PoissonSample::new(numerator, denominator).unwrap();
            let (draws, p) = (100_000.0, sample.rate());
            let kept = (0..100_000).filter(|_| sample.keeps(&mut random)).count() as f64;
            assert!((kept - draws * p).abs() <= 4.9 * (draws * p * (1.0 - p)).sqrt(), "{numerator}/{denominator}: {kept}");
            assert!(p * f64::from(denominator) >= f64::from(numerator));
        }
    }

    #[test]
    fn rates_beyond_their_range_are_refused() {
        for (numerator, denominator) in [(0, 1), (0, 0), (1, 0), (3, 2)] {
            assert!(matches!(PoissonSample::new(numerator, denominator), Err(AccountantError::Parameter { .. })));
        }
    }
}
