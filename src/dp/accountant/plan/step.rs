//! One step of a plan: the law of its noise, the shift it hides, and whether it sees a sample only.

use super::PoissonSample;
use super::losses::LossLaw;
use crate::budget::{Delta, Epsilon};
use crate::dp::accountant::AccountantError;
use crate::dp::{Scale, SigmaSquared};

/// The most points of a mass function.
const POINTS_MAX: f64 = (1 << 24) as f64;
/// The discrete Gaussian beyond this many sigma has a mass below 2 exp(-60) (its moments are below those of the
/// continuous one: Canonne, Kamath, Steinke, arXiv 2004.00010).
pub(in crate::dp::accountant) const GAUSSIAN_REACH: f64 = 11.0;
pub(in crate::dp::accountant) const GAUSSIAN_MISSED: f64 = 2e-26;
/// From this loss on exp is not taken.
const LOSS_LARGE: f64 = 500.0;

/// One step of a plan: the law of its noise, the shift it hides, and whether it sees a sample only.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CompositionStep {
    law: Law,
    /// The probability with which a unit is in the sample.
    rate: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::dp::accountant) enum Law {
    Laplace { scale: f64, shift: u64 },
    Gaussian { sigma_squared: f64, shift: u64 },
    Approximate { epsilon: f64, delta: f64 },
}

impl CompositionStep {
    /// Discrete Laplace noise on an integer of this sensitivity.
    ///
    /// # Errors
    /// When the sensitivity is 0, or sensitivity or scale is above 2^24.
    pub fn laplace(scale: Scale, sensitivity: u64) -> Result<Self, AccountantError> {
        let scale = ratio(scale.numerator(), scale.denominator());
        if sensitivity == 0 || sensitivity as f64 > POINTS_MAX || scale > POINTS_MAX {
            return Err(AccountantError::Parameter { what: "a sensitivity above 0 and a scale, both up to 2^24," });
        }
        Ok(Self { law: Law::Laplace { scale, shift: sensitivity }, rate: 1.0 })
    }

    /// Discrete Gaussian noise on one integer of this sensitivity.
    ///
    /// # Errors
    /// When the sensitivity is 0 or above 2^24, or sigma above 2^19.
    pub fn gaussian(sigma_squared: SigmaSquared, sensitivity: u64) -> Result<Self, AccountantError> {
        let sigma_squared = ratio(sigma_squared.numerator(), sigma_squared.denominator());
        let points = 2.0 * GAUSSIAN_REACH * sigma_squared.sqrt() + 2.0 * sensitivity as f64;
        if sensitivity == 0 || points > POINTS_MAX {
            return Err(AccountantError::Parameter { what: "a sensitivity above 0 and a sigma, both up to 2^19," });
        }
        Ok(Self { law: Law::Gaussian { sigma_squared, shift: sensitivity }, rate: 1.0 })
    }

    /// Any mechanism of which nothing but its pure epsilon is known, such as randomised response between two answers.
    #[must_use]
    pub fn pure(epsilon: Epsilon) -> Self {
        Self::approximate(epsilon, Delta::ZERO)
    }

    /// Any mechanism of which nothing but (epsilon, delta) is known.
    #[must_use]
    pub fn approximate(epsilon: Epsilon, delta: Delta) -> Self {
        let law = Law::Approximate { epsilon: epsilon.units() as f64 / 1e12, delta: delta.units() as f64 / 1e18 };
        Self { law, rate: 1.0 }
    }

    /// The same on a fresh Poisson sample by unit.
    ///
    /// # Errors
    /// When the step is one on a sample already: draw one sample at the product of the rates instead.
    pub fn sampled(self, sample: PoissonSample) -> Result<Self, AccountantError> {
        if self.is_sampled() {
            return Err(AccountantError::Parameter { what: "a step that is not sampled yet" });
        }
        Ok(Self { rate: sample.rate(), ..self })
    }

    pub(in crate::dp::accountant) fn law(&self) -> &Law {
        &self.law
    }

    pub(in crate::dp::accountant) fn rate(&self) -> f64 {
        self.rate
    }

    fn is_sampled(&self) -> bool {
        self.rate < 1.0
    }
}

impl LossLaw for CompositionStep {
    fn is_sided(&self) -> bool {
        self.is_sampled()
    }

    fn range(&self, removed: bool) -> (f64, f64) {
        let top = self.law.top();
        if !self.is_sampled() {
            return (-top, top);
        }
        let (low, high) = (sampled_loss(self.rate, -top), sampled_loss(self.rate, top));
        if removed { (low, high) } else { (-high, -(-self.rate).ln_1p()) }
    }

    fn losses(&self, removed: bool, _: f64, mut take: impl FnMut(f64, f64)) -> f64 {
        let rate = self.rate;
        if !self.is_sampled() {
            return self.law.losses(take).infinite;
        }
        let rest = self.law.losses(|mass, loss| {
            let without = mass * (-loss).exp();
            let loss = sampled_loss(rate, loss);
            if removed { take(rate * mass + (1.0 - rate) * without, loss) } else { take(without, -loss) }
        });
        if removed {
            return rate * rest.infinite + rest.missed;
        }
        // What only comes without the unit comes with it too, whenever it is not in the sample.
        take(rest.infinite - rest.missed, -(-rate).ln_1p());
        rest.missed
    }
}

/// Masses that come with no finite loss.
struct Rest {
    /// In all, the missed ones included.
    infinite: f64,
    /// Left out, under both data sets.
    missed: f64,
}

impl Law {
    /// The largest loss; the least is its opposite.
    fn top(self) -> f64 {
        match self {
            Self::Laplace { scale, shift } => shift as f64 / scale,
            Self::Gaussian { sigma_squared, shift } => {
                shift as f64 * (shift as f64 + 2.0 * reach(sigma_squared, shift)) / (2.0 * sigma_squared)
            }
            Self::Approximate { epsilon, .. } => epsilon,
        }
    }

    /// The masses and losses of the shifted law against the law, which are those of the law against the shifted one.
    fn losses(self, mut take: impl FnMut(f64, f64)) -> Rest {
        match self {
            Self::Laplace { scale, shift } => {
                let last = (-1.0 / scale).exp();
                let (centre, outside) = ((0.5 / scale).tanh(), 1.0 / (1.0 + last));
                take(outside, shift as f64 / scale);
                for y in 1..shift {
                    take(centre * (-(y as f64) / scale).exp(), (shift as f64 - 2.0 * y as f64) / scale);
                }
                take(outside * (-(shift as f64) / scale).exp(), -(shift as f64) / scale);
                Rest { infinite: 0.0, missed: 0.0 }
            }
            Self::Gaussian { sigma_squared, shift } => {
                let reach = reach(sigma_squared, shift);
                let weight = |y: f64| (-y * y / (2.0 * sigma_squared)).exp();
                // Summed from the small ones with what each addition loses (Neumaier), so right to 2^-50.
                let (mut total, mut lost, mut y) = (0.0_f64, 0.0, reach);
                while y > 0.0 {
                    let part = 2.0 * weight(y);
                    let sum = total + part;
                    lost += if total >= part { (total - sum) + part } else { (part - sum) + total };
                    total = sum;
                    y -= 1.0;
                }
                let total = total + 1.0 + lost;
                let shift = shift as f64;
                let mut y = -reach;
                while y <= reach {
                    take(weight(y) / total, shift * (shift - 2.0 * y) / (2.0 * sigma_squared));
                    y += 1.0;
                }
                Rest { infinite: GAUSSIAN_MISSED, missed: GAUSSIAN_MISSED }
            }
            Self::Approximate { epsilon, delta } => {
                let share = (1.0 - delta) / (1.0 + (-epsilon).exp());
                take(share, epsilon);
                take(share * (-epsilon).exp(), -epsilon);
                Rest { infinite: delta, missed: 0.0 }
            }
        }
    }
}

/// How far from zero points are taken.
fn reach(sigma_squared: f64, shift: u64) -> f64 {
    (GAUSSIAN_REACH * sigma_squared.sqrt()).ceil() + shift as f64 + 1.0
}

/// ln(rate exp(loss) + 1 - rate): the loss on a sample.
pub(in crate::dp::accountant) fn sampled_loss(rate: f64, loss: f64) -> f64 {
    let rise = rate * loss.exp_m1();
    match loss {
        loss if loss > LOSS_LARGE => loss + rate.ln(),
        // Here the rate is above 1/2, so that 1 - rate is exact.
        loss if rise < -0.5 => (rate * loss.exp() + (1.0 - rate)).ln(),
        _ => rise.ln_1p(),
    }
}

fn ratio(numerator: u128, denominator: u128) -> f64 {
    numerator as f64 / denominator as f64
}
