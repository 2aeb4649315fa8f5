//! The discrete Laplace and Gaussian mechanisms: from sensitivity and price to the exact scale of the noise.

use super::noise::gcd;
use super::{DiscreteGaussian, DiscreteLaplace, DpError, Scale, SigmaSquared};
use crate::budget::{Epsilon, Rho};
use crate::random::Random;

/// Units of one epsilon or rho: amounts are integers of 10^-12.
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
    /// The mechanism for a value of L1 sensitivity `sensitivity` grid steps at `epsilon`.
    ///
    /// # Errors
    /// When either is zero, or the reduced scale has a part of 2^126 or more.
    pub fn new(sensitivity: u128, epsilon: Epsilon) -> Result<Self, DpError> {
        if sensitivity == 0 {
            return Err(DpError::SensitivityZero);
        }
        if epsilon.units() == 0 {
            return Err(DpError::EpsilonZero);
        }
        let (numerator, epsilon) = quotient(sensitivity, EPSILON_UNITS, epsilon.units().into())?;
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

/// The discrete Gaussian mechanism on vectors of integers.
///
/// Neighbours: data sets that differ by adding or removing one privacy unit. Norm: L2, in grid steps, given as its
/// square. Guarantee: rho-zero-concentrated differential privacy, rho = squared sensitivity / (2 sigma^2) (Canonne,
/// Kamath, Steinke, arXiv 2004.00010, theorem 4; with independent noise on each coordinate the losses add up to the same
/// expression; sampled as said at [`DiscreteGaussian`]).
///
/// sigma^2 is the exact fraction, so nothing is lost to rounding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GaussianMechanism {
    sigma_squared: SigmaSquared,
}

impl GaussianMechanism {
    /// The mechanism for a vector whose L2 sensitivity has the square `squared_sensitivity`, at `rho`.
    ///
    /// # Errors
    /// When either is zero, or the reduced sigma^2 has a part of 2^126 or more.
    pub fn new(squared_sensitivity: u128, rho: Rho) -> Result<Self, DpError> {
        if squared_sensitivity == 0 {
            return Err(DpError::SensitivityZero);
        }
        if rho.units() == 0 {
            return Err(DpError::RhoZero);
        }
        let (numerator, denominator) = quotient(squared_sensitivity, EPSILON_UNITS / 2, rho.units().into())?;
        Ok(Self { sigma_squared: SigmaSquared::new(numerator, denominator)? })
    }

    /// The parameter of the noise in squared grid steps.
    #[must_use]
    pub fn sigma_squared(&self) -> SigmaSquared {
        self.sigma_squared
    }

    /// `value` plus one draw of noise; saturates at the range of `i128`, which is post-processing.
    #[must_use]
    pub fn release<R: Random + ?Sized>(&self, value: i128, random: &mut R) -> i128 {
        value.saturating_add(DiscreteGaussian::sample_once(self.sigma_squared, random))
    }
}

/// `sensitivity units / amount` as a reduced fraction. It is reduced before it is multiplied, so that only a scale
/// that is refused anyway can overflow.
fn quotient(sensitivity: u128, units: u128, amount: u128) -> Result<(u128, u128), DpError> {
    let common = gcd(units, amount);
    let (units, amount) = (units / common, amount / common);
    let common = gcd(sensitivity, amount);
    let (sensitivity, amount) = (sensitivity / common, amount / common);
    let bits = |value: u128| 128 - value.leading_zeros();
    let numerator = sensitivity.checked_mul(units).ok_or(DpError::ScaleLimit { bits: bits(sensitivity) + bits(units) })?;
    Ok((numerator, amount))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::cast_possible_truncation)]
mod tests {
    use super::*;

    fn scale(sensitivity: u128, epsilon_units: u64) -> Result<(u128, u128), DpError> {
        LaplaceMechanism::new(sensitivity, Epsilon::from_units(epsilon_units).unwrap())
            .map(|made| (made.scale().numerator(), made.scale().denominator()))
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
    fn sigma_squared(squared: u128, rho_units: u64) -> Result<(u128, u128), DpError> {
        GaussianMechanism::new(squared, Rho::from_units(rho_units).unwrap())
            .map(|made| (made.sigma_squared().numerator(), made.sigma_squared().denominator()))
    }

    /// rho = D2^2 / (2 sigma^2), as integers.
    #[test]
    fn rho_is_what_is_charged_exactly() {
        assert_eq!(sigma_squared(1, 500_000_000_000), Ok((1, 1)));
        assert_eq!(sigma_squared(4, 125_000_000_000), Ok((16, 1)));
        assert_eq!(sigma_squared(1, Rho::MAX.units()), Ok((1, 2_000_000)));
        for (squared, rho_units) in [(1, 1), (3, 7_000_000_000_001), (1 << 80, 999_999_999_999)] {
            let (p, q) = sigma_squared(squared, rho_units).unwrap();
            assert_eq!(squared * EPSILON_UNITS % (2 * p), 0);
            assert_eq!(squared * EPSILON_UNITS / (2 * p) * q, u128::from(rho_units));
        }
        assert_eq!(sigma_squared(0, 1), Err(DpError::SensitivityZero));
        assert_eq!(sigma_squared(1, 0), Err(DpError::RhoZero));
        assert_eq!(sigma_squared(1 << 100, 1), Err(DpError::ScaleLimit { bits: 140 }));
    }
    /// The law of the sum of `shift[i] Y_i`, Y_i independent discrete Gaussians, from `-(len / 2)` on.
    fn shifted_sum(sigma_squared: f64, shift: &[i32]) -> Vec<f64> {
        let reach = (9.0 * sigma_squared.sqrt()).ceil() as i32 + 2;
        let weight = |y: i32| (-f64::from(y).powi(2) / (2.0 * sigma_squared)).exp();
        let total = (-reach..=reach).map(weight).sum::<f64>();
        let mut law = vec![1.0];
        for step in shift {
            let mut next = vec![0.0; law.len() + 2 * usize::try_from(reach * step).unwrap()];
            for y in -reach..=reach {
                let place = usize::try_from((y + reach) * step).unwrap();
                let share = weight(y) / total;
                next[place..].iter_mut().zip(&law).for_each(|(mass, other)| *mass += share * other);
            }
            law = next;
        }
        law
    }

    /// Rule E1: over 200 pairs of epsilon and delta, the exact discrete delta of the scale that is chosen never exceeds
    /// the one that is charged, at integer shifts in up to four dimensions.
    #[test]
    fn the_exact_discrete_delta_stays_within_the_charge() {
        use crate::budget::{Delta, Epsilon};
        use crate::dp::accountant::zcdp;
        let shifts: [&[i32]; 5] = [&[1], &[3], &[1, 2], &[1, 1, 1], &[1, 2, 1, 3]];
        let epsilons =
            ["0.5", "0.6", "0.75", "0.9", "1", "1.2", "1.5", "1.8", "2", "2.3", "2.7", "3", "3.5", "4", "5", "6", "7", "8", "10", "12"];
        let deltas = ["0.1", "0.03", "0.01", "0.001", "0.0001", "0.00001", "0.000001", "0.00000001", "0.0000000001", "0.000000000001"];
        let mut pairs = 0;
        for (row, epsilon) in epsilons.iter().enumerate() {
            for (column, delta) in deltas.iter().enumerate() {
                let rho = zcdp::largest_rho(Epsilon::parse(epsilon).unwrap(), Delta::parse(delta).unwrap()).unwrap();
                let (epsilon, delta) = (epsilon.parse::<f64>().unwrap(), delta.parse::<f64>().unwrap());
                let shift = shifts[(row + column) % shifts.len()];
                let squared = shift.iter().map(|step| step * step).sum::<i32>();
                let (p, q) = sigma_squared(squared.unsigned_abs().into(), rho.units()).unwrap();
                let sigma_squared = p as f64 / q as f64;
                let law = shifted_sum(sigma_squared, shift);
                let centre = (law.len() / 2) as f64;
                // The loss of the sum N is (2 N + |shift|^2) / (2 sigma^2).
                let part = |(at, mass): (usize, &f64)| {
                    let loss = (2.0 * (at as f64 - centre) + f64::from(squared)) / (2.0 * sigma_squared);
                    mass * -(epsilon - loss).min(0.0).exp_m1()
                };
                let exact = law.iter().enumerate().map(part).sum::<f64>();
                // What the window leaves out is below exp(-40).
                assert!(exact + 4e-17 <= delta * (1.0 + 1e-9), "{epsilon} {delta} {shift:?}: {exact}");
                pairs += 1;
            }
        }
        assert_eq!(pairs, 200);
    }
}
