//! What a counter is fixed to before its first period, and the noise that follows from it.

use std::fmt;

use super::ContinualError;
use super::factor::{GRID_STEP, row_squares, squared_norm, weights};
use super::participation::check;
use crate::budget::Rho;
use crate::dp::{GaussianMechanism, SigmaSquared};

/// What a counter is fixed to before its first period.
///
/// Neighbours: streams that differ by adding or removing one privacy unit, which counts 1 in each of at most m periods,
/// any two of them at least b apart. Norm: L2 of R x, in steps of 2^-24, exact. Guarantee: everything ever released is
/// rho-zero-concentrated differentially private together, also when later counts depend on earlier values. The
/// argument stands at [the module](super).
#[derive(Clone)]
pub struct CounterPlan {
    horizon: u32,
    participations: u32,
    separation: u32,
    rho: Rho,
    /// r_0, r_1, ...: one for each period.
    weights: Vec<u32>,
    squared_sensitivity: u128,
    sigma_squared: SigmaSquared,
    /// Bounds of the standard deviation of each value, in counts.
    deviations: Vec<f64>,
}

impl CounterPlan {
    /// A counter of `horizon` periods (n), in `participations` (m) of which a unit may count, every two of them at least
    /// `separation` (b) periods apart, at `rho` for all of it. A separation of 1 is none.
    ///
    /// # Errors
    /// When the horizon is not from 1 to 2^16, participations or separation not from 1 to the horizon, or rho is zero.
    pub fn new(horizon: u32, participations: u32, separation: u32, rho: Rho) -> Result<Self, ContinualError> {
        check(horizon, participations, separation)?;
        let weights = weights(horizon);
        let squared_sensitivity = squared_norm(&weights, participations, separation);
        let sigma_squared = GaussianMechanism::new(squared_sensitivity, rho)?.sigma_squared();
        let variance = sigma_squared.numerator() as f64 / sigma_squared.denominator() as f64 * GRID_STEP * GRID_STEP;
        let deviations = row_squares(horizon).into_iter().map(|square| (variance * square).sqrt() * (1.0 + 8.0 * f64::EPSILON));
        let deviations = deviations.collect();
        Ok(Self { horizon, participations, separation, rho, weights, squared_sensitivity, sigma_squared, deviations })
    }

    /// The periods.
    #[must_use]
    pub fn horizon(&self) -> u32 {
        self.horizon
    }

    /// In how many periods a unit may count.
    #[must_use]
    pub fn participations(&self) -> u32 {
        self.participations
    }

    /// How many periods they are apart at least.
    #[must_use]
    pub fn separation(&self) -> u32 {
        self.separation
    }

    /// What all periods cost together.
    #[must_use]
    pub fn rho(&self) -> Rho {
        self.rho
    }

    /// The square of the L2 sensitivity of R x, in squared steps of 2^-24.
    #[must_use]
    pub fn squared_sensitivity(&self) -> u128 {
        self.squared_sensitivity
    }

    /// The parameter of the noise of w, in squared steps of 2^-24: squared sensitivity / (2 rho).
    #[must_use]
    pub fn sigma_squared(&self) -> SigmaSquared {
        self.sigma_squared
    }

    /// The standard deviation of the value of a period before it is rounded to a whole count, in counts, rounded up.
    #[must_use]
    pub fn deviation(&self, period: u32) -> Option<f64> {
        self.deviations.get(period as usize).copied()
    }

    /// The half-width of the 95 % interval of the value of a period, in counts; known before anything is spent.
    ///
    /// Conservative, by 1.96 bounds of the standard deviation. Let G be the sum L g of the same row for continuous Gaussian
    /// g of parameter sigma. A discrete Gaussian has at most exp(1 / (8 sigma^2)) times the probabilities of g rounded to
    /// integers, since the mass of g around y is at least exp(-1 / (8 sigma^2)) of its density at y, so any event of t draws
    /// at most exp(t / (8 sigma^2)) times: 1.00006 at worst (rho 10^6, 2^16 periods). |G| exceeds 1.96 standard
    /// deviations with probability 0.04999580, which leaves 1.00008. Rounding g to integers and u to 2^-24 moves the sum by
    /// at most 2^-24 (1 + 1.13 sqrt(t)), below 2^-15, and a whole value is off by more than q only if the sum is by
    /// q + 1/2.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative, and a saturated width is still one")]
    pub fn half_width(&self, period: u32) -> Option<u128> {
        const QUANTILE: f64 = 1.96;
        const ROUNDING: f64 = 1.0 / (1_u64 << 15) as f64;
        let deviation = self.deviation(period)?;
        let width = (QUANTILE * deviation * (1.0 + 4.0 * f64::EPSILON) + ROUNDING - 0.5).next_up();
        Some(width.ceil().max(0.0) as u128)
    }

    pub(super) fn weights(&self) -> &[u32] {
        &self.weights
    }
}

impl fmt::Debug for CounterPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { horizon, participations, separation, rho, .. } = self;
        write!(f, "CounterPlan(horizon {horizon}, participations {participations}, separation {separation}, rho {rho})")
    }
}
