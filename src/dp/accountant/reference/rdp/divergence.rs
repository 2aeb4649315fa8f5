//! Rényi divergences of mass functions: upper bounds.
//!
//! D(P, Q) of order alpha is ln(sum of q (p/q)^alpha) / (alpha - 1) = ln(sum of p exp((alpha - 1) loss)) / (alpha - 1).

use crate::dp::accountant::AccountantError;
use crate::dp::accountant::plan::losses::LossLaw as _;
use crate::dp::accountant::plan::{CompositionStep, GAUSSIAN_MISSED, GAUSSIAN_REACH, Law, sampled_loss};

/// The most points of a mass function times orders: some seconds.
const WORK_MAX: f64 = (1 << 26) as f64;
/// Relative error of a mass, and absolute and relative one of a loss (see the plan's steps), with room for two exponentials.
const MASS_SLACK: f64 = 1.0 / (1_u64 << 39) as f64;
const LOSS_SLACK: f64 = 1.0 / (1_u64 << 43) as f64;
const LOSS_ROUNDING: f64 = 1.0 / (1_u64 << 49) as f64;

/// An upper bound of the divergence of order alpha of one finite law from another, from the masses of both; alpha may be
/// infinite: then it is the largest loss. Laws are taken as they are, right to 2^-53 of each mass.
///
/// # Errors
/// When alpha is not above 1, or a mass is not within [0, 1].
pub fn divergence(masses: &[(f64, f64)], alpha: f64) -> Result<f64, AccountantError> {
    if alpha.is_nan() || alpha <= 1.0 {
        return Err(AccountantError::Parameter { what: "an order above 1" });
    }
    if !masses.iter().all(|(p, q)| (0.0..=1.0).contains(p) && (0.0..=1.0).contains(q)) {
        return Err(AccountantError::Parameter { what: "a mass" });
    }
    let loss = |(p, q): &(f64, f64)| (p / q).ln();
    let seen = masses.iter().filter(|(p, _)| *p > 0.0);
    let top = seen.clone().map(loss).fold(0.0, f64::max);
    if alpha.is_infinite() || top.is_infinite() {
        return Ok(top + (top + 1.0) * 2.0 * f64::EPSILON);
    }
    let mut sum = LogSum::new();
    seen.for_each(|masses| sum.add(masses.0.ln() + (alpha - 1.0) * loss(masses)));
    let size = (alpha - 1.0) * (top + 1.0) + 800.0;
    Ok(((sum.ln() + size * LOSS_ROUNDING + sum.rounding()) / (alpha - 1.0)).next_up().max(0.0))
}

impl CompositionStep {
    /// Upper bounds of the divergences of these orders, the larger of both directions.
    pub(super) fn divergences(&self, orders: &[f64]) -> Result<Vec<f64>, AccountantError> {
        let sampled = self.rate() < 1.0;
        match *self.law() {
            Law::Gaussian { sigma_squared, shift } => return gaussian(sigma_squared, shift as f64, self.rate(), orders),
            Law::Laplace { scale, shift } if !sampled => {
                return Ok(orders.iter().map(|order| laplace(scale, shift as f64, *order)).collect());
            }
            Law::Laplace { shift, .. } => limit((shift + 1) as f64, orders)?,
            Law::Approximate { delta, .. } if delta > 0.0 => {
                return Err(AccountantError::Limit { what: "divergence of a step with a delta" });
            }
            Law::Approximate { .. } => {}
        }
        Ok(orders.iter().map(|order| self.by_masses(*order, sampled)).collect())
    }

    /// Of a step with a largest loss, from its masses.
    pub(super) fn by_masses(&self, order: f64, sided: bool) -> f64 {
        let side = |removed: bool| {
            let (low, high) = self.range(removed);
            let mut sum = LogSum::new();
            self.losses(removed, 0.0, |mass, loss| sum.add(mass.ln() + (order - 1.0) * loss));
            let wrong = MASS_SLACK + (order - 1.0) * (LOSS_SLACK + high.max(-low) * LOSS_ROUNDING) + 800.0 * LOSS_ROUNDING;
            // No divergence is above the largest loss.
            ((sum.ln() + wrong + sum.rounding()) / (order - 1.0)).min(high * (1.0 + LOSS_ROUNDING) + LOSS_SLACK)
        };
        if sided { side(true).max(side(false)) } else { side(true) }.max(0.0)
    }
}

/// Of discrete Laplace noise: the masses of the plan's step, of which those between both ends are a geometric sequence.
fn laplace(scale: f64, shift: f64, order: f64) -> f64 {
    let (top, fall) = (shift / scale, (2.0 * order - 1.0) / scale);
    let outside = -(-1.0 / scale).exp().ln_1p();
    let mut sum = LogSum::new();
    sum.add(outside + (order - 1.0) * top);
    sum.add(outside - order * top);
    if shift > 1.0 {
        let between = (-(-fall * (shift - 1.0)).exp_m1()).ln() - (-(-fall).exp_m1()).ln();
        sum.add((0.5 / scale).tanh().ln() + (order - 1.0) * top - fall + between);
    }
    let wrong = MASS_SLACK + (order * top + fall + 800.0) * LOSS_ROUNDING + sum.rounding();
    ((sum.ln() + wrong) / (order - 1.0)).min(top).next_up().next_up().max(0.0)
}

fn limit(points: f64, orders: &[f64]) -> Result<(), AccountantError> {
    if points * orders.len() as f64 > WORK_MAX {
        return Err(AccountantError::Limit { what: "mass function over this many orders" });
    }
    Ok(())
}

/// Of discrete Gaussian noise on an integer that one unit shifts by `shift`: alpha shift^2 / (2 sigma^2), and on a Poisson
/// sample the sums themselves.
///
/// Q has the weights w(y) = exp(-y^2 / (2 sigma^2)), P those of w(y - shift), r = p/q = exp(shift (2 y - shift) / (2 sigma^2)).
/// Removing a unit costs the sum of q (1 - rate + rate r)^alpha, adding one that of q (1 - rate + rate r)^(1 - alpha).
/// With c = alpha (alpha - 1) shift^2 / (2 sigma^2), q r^alpha is exp(c) times the weights around alpha shift. So past a
/// reach R above alpha shift + 11 sigma the first sum misses at most (rate + 1/r(R))^alpha exp(c) 2e-26, for
/// 1 - rate + rate r <= r (rate + 1/r(R)); below -11 sigma its terms are below q. Terms of the second are below
/// q (1 - rate)^(1 - alpha) everywhere.
fn gaussian(sigma_squared: f64, shift: f64, rate: f64, orders: &[f64]) -> Result<Vec<f64>, AccountantError> {
    let rho = shift * shift / (2.0 * sigma_squared);
    if rate >= 1.0 {
        return Ok(orders.iter().map(|order| order * rho * (1.0 + 4.0 * f64::EPSILON)).collect());
    }
    let reach = (GAUSSIAN_REACH * sigma_squared.sqrt()).ceil() + 2.0;
    let most = orders.iter().copied().fold(1.0, f64::max);
    limit(2.0 * reach + (most + 1.0) * shift, &orders[..1])?;
    limit(orders.iter().map(|order| 2.0 * reach + (order + 1.0) * shift).sum::<f64>(), &orders[..1])?;
    // All weights sum to sigma sqrt(2 pi) at least (Poisson summation), and to what is summed here at least.
    let weight = |y: f64| -y * y / (2.0 * sigma_squared);
    let mut total = LogSum::new();
    let mut y = reach;
    while y > 0.0 {
        total.add(weight(y) + std::f64::consts::LN_2);
        y -= 1.0;
    }
    total.add(0.0);
    let total = total.ln() - total.rounding();
    let bound = |order: f64| {
        let end = reach + order * shift;
        let (mut removed, mut added) = (LogSum::new(), LogSum::new());
        let mut y = -reach;
        while y <= end {
            let loss = sampled_loss(rate, shift * (2.0 * y - shift) / (2.0 * sigma_squared));
            removed.add(weight(y) + order * loss);
            added.add(weight(y) + (1.0 - order) * loss);
            y += 1.0;
        }
        let missed = GAUSSIAN_MISSED.ln() + total;
        let last = shift * (2.0 * end - shift) / (2.0 * sigma_squared);
        removed.add(missed + order * (rate + (-last).exp()).ln() + order * (order - 1.0) * rho);
        removed.add(missed);
        added.add(missed + (1.0 - order) * (-rate).ln_1p());
        // The exponents of terms that count are below this size, each right to a few roundings; masses far below 1 do not.
        let size = 800.0 + 2.0 * order * (order * shift + reach) * shift / sigma_squared + order * (24.0 - (-rate).ln_1p());
        let sum = removed.ln().max(added.ln()) - total + removed.rounding() + size * LOSS_ROUNDING;
        (sum / (order - 1.0)).next_up().max(0.0)
    };
    Ok(orders.iter().map(|order| bound(*order)).collect())
}

/// The logarithm of a sum of exponentials, as a multiple of the largest so far.
struct LogSum {
    largest: f64,
    sum: f64,
    count: f64,
}

impl LogSum {
    const fn new() -> Self {
        Self { largest: f64::NEG_INFINITY, sum: 0.0, count: 0.0 }
    }

    #[inline]
    fn add(&mut self, exponent: f64) {
        self.count += 1.0;
        if exponent > self.largest {
            self.sum = self.sum * (self.largest - exponent).exp() + 1.0;
            self.largest = exponent;
        } else if exponent > f64::NEG_INFINITY {
            self.sum += (exponent - self.largest).exp();
        }
    }

    fn ln(&self) -> f64 {
        self.largest + self.sum.ln()
    }

    /// What the additions may have lost, and as many rescalings: two exponentials and two roundings each.
    fn rounding(&self) -> f64 {
        (self.count + 8.0) * 4.0 * f64::EPSILON
    }
}
