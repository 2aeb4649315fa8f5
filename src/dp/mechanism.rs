use super::noise::gcd;
use super::{DiscreteLaplace, DpError, Scale};
use crate::random::Random;

/// Units of one epsilon: amounts are integers of 10^-12.
const EPSILON_UNITS: u128 = 1_000_000_000_000;

/// The discrete Laplace mechanism on integers.
///
/// Neighbours: data sets that differ by adding or removing one privacy unit. Norm: L1, in grid steps. Guarantee: pure
/// epsilon-differential privacy. Noise: discrete Laplace of scale sensitivity / epsilon (Ghosh, Roughgarden,
/// Sundararajan, arXiv 0811.2841, definition 2.1; sampled as said at [`DiscreteLaplace`]).
///
/// The scale is the exact fraction, so nothing is lost to rounding: a draw at y is at most exp(epsilon) times as
/// likely as at y + sensitivity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaplaceMechanism {
    scale: Scale,
}

impl LaplaceMechanism {
    /// The mechanism for a value of L1 sensitivity `sensitivity` grid steps at `epsilon_units` of 10^-12.
    ///
    /// # Errors
    /// When either is zero, or the reduced scale has a part of 2^126 or more.
    pub fn new(sensitivity: u128, epsilon_units: u64) -> Result<Self, DpError> {
        if sensitivity == 0 {
            return Err(DpError::SensitivityZero);
        }
        if epsilon_units == 0 {
            return Err(DpError::EpsilonZero);
        }
        // Reduced before it is multiplied, so that only a scale that is refused anyway can overflow.
        let epsilon = u128::from(epsilon_units);
        let common = gcd(EPSILON_UNITS, epsilon);
        let (units, epsilon) = (EPSILON_UNITS / common, epsilon / common);
        let common = gcd(sensitivity, epsilon);
        let (sensitivity, epsilon) = (sensitivity / common, epsilon / common);
        let numerator = sensitivity
            .checked_mul(units)
            .ok_or(DpError::ScaleLimit { bits: 128 - sensitivity.leading_zeros() + (128 - units.leading_zeros()) })?;
        Ok(Self { scale: Scale::new(numerator, epsilon)? })
    }

    /// The scale of the noise in grid steps.
    #[must_use]
    pub fn scale(&self) -> Scale {
        self.scale
    }

    /// `value` plus one draw of noise; saturates at the range of `i128`, which is post-processing.
    #[must_use]
    pub fn release<R: Random + ?Sized>(&self, value: i128, random: &mut R) -> i128 {
        value.saturating_add(DiscreteLaplace::sample_once(self.scale, random))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn scale(sensitivity: u128, epsilon_units: u64) -> Result<(u128, u128), DpError> {
        LaplaceMechanism::new(sensitivity, epsilon_units).map(|made| (made.scale().numerator(), made.scale().denominator()))
    }

    #[test]
    fn the_scale_is_the_reduced_fraction() {
        assert_eq!(scale(1, 200_000_000_000), Ok((5, 1)));
        assert_eq!(scale(45, 300_000_000_000), Ok((150, 1)));
        assert_eq!(scale(1, 3), Ok((1_000_000_000_000, 3)));
        assert_eq!(scale(7, 1_000_000_000_007), Ok((7_000_000_000_000, 1_000_000_000_007)));
    }

    #[test]
    fn zero_and_too_much_are_refused_by_name() {
        assert_eq!(scale(0, 1), Err(DpError::SensitivityZero));
        assert_eq!(scale(1, 0), Err(DpError::EpsilonZero));
        assert!(scale((1 << 126) - 1, 1_000_000_000_000).is_ok());
        assert_eq!(scale(1 << 126, 1_000_000_000_000), Err(DpError::ScaleLimit { bits: 127 }));
        assert_eq!(scale(u128::MAX - 1, 999_999_999_999), Err(DpError::ScaleLimit { bits: 168 }));
    }

    /// The guarantee itself: the law of the noise, shifted by the sensitivity, changes by exp(epsilon) at most.
    #[test]
    fn probabilities_of_neighbours_differ_by_exp_epsilon_at_most() {
        for (sensitivity, epsilon_units) in [(1, 200_000_000_000_u64), (7, 1_300_000_000_000), (100, 3)] {
            let (t, s) = scale(sensitivity, epsilon_units).unwrap();
            // |y| / scale - |y + sensitivity| / scale <= sensitivity s / t = epsilon, as integers.
            assert_eq!(sensitivity * s * EPSILON_UNITS, u128::from(epsilon_units) * t);
        }
    }
}
