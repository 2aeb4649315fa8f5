//! Rényi differential privacy: the account of a fixed plan by its divergences at a list of orders.
//!
//! ```text
//! Step, or a bound -> divergence at each order -> sum -> the best order for (epsilon, delta)
//! ```
//! A step of divergence at most r(alpha) in both directions adds r(alpha); the whole is, for every order alpha > 1,
//! (r + ln(1 - 1/alpha) - ln(alpha delta) / (alpha - 1), delta)-differentially private. [`CompositionPlan`](super::super::plan::CompositionPlan) is
//! tighter; this account takes longer plans than fit its memory, and mechanisms of which nothing but such a bound is known.
//!
//! ```
//! use usufruct::budget::Delta;
//! use usufruct::dp::Scale;
//! use usufruct::dp::accountant::plan::CompositionStep;
//! use usufruct::dp::accountant::reference::rdp::RdpPlan;
//!
//! let mut plan = RdpPlan::new();
//! plan.add(CompositionStep::laplace(Scale::new(20, 1)?, 1)?, 100)?; // a hundred counts, 0.05 each
//! assert!(plan.epsilon(1e-6)? < 2.8); // the sum is 5
//! let charge = plan.seal(Delta::parse("0.000001")?)?;
//! assert_eq!(charge.model(), usufruct::budget::Model::Approx);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Source
//! Mironov, "Rényi Differential Privacy", 2017, arXiv 1702.07476: proposition 1 (sums), proposition 6 (Laplace). Mironov,
//! Talwar, Zhang, "Rényi Differential Privacy of the Sampled Gaussian Mechanism", 2019, arXiv 1908.10530 (sampling, which is
//! evaluated here on the discrete mass functions). Canonne, Kamath, Steinke, arXiv 2004.00010: discrete Gaussians have
//! r = alpha rho, and the conversion, which is that of Balle, Barthe, Gaboardi, Hsu, Sato, "Hypothesis Testing
//! Interpretations and Rényi Differential Privacy", 2020, theorem 21, and Asoodeh et al. 2020.
//!
//! # Not promised
//! As for every plan: that it may be used as a stop rule of adaptive questions.

mod divergence;

pub use divergence::divergence;

use super::super::plan::{CompositionStep, seal};
use super::super::{AccountantError, DELTA_UNITS, down, finite, open_unit};
use crate::budget::{Delta, Loss};

/// The most orders, and the largest: at a larger one, alpha loses digits that count.
const ORDERS_MAX: usize = 1 << 17;
const ORDER_MAX: f64 = 1e6;
/// The most steps.
const STEPS_MAX: u64 = 1 << 32;

/// A fixed sequence of steps, of which the Rényi divergences are added up.
///
/// Neighbours: data sets that differ by adding or removing one privacy unit; the larger of both directions counts.
#[derive(Clone, Debug)]
pub struct RdpPlan {
    /// Orders above 1, and upper bounds of the divergence of all steps, in both directions.
    curve: Vec<(f64, f64)>,
    steps: u64,
}

impl Default for RdpPlan {
    fn default() -> Self {
        Self::new()
    }
}

impl RdpPlan {
    /// Nothing, at the default orders: 1.01, 1.02, 1.05; 1.1 to 10.9 by tenths; 11 to 64 by ones; 72 to 2048 by eighths of
    /// powers of two. Large orders serve small losses and deltas, small ones large losses.
    #[must_use]
    pub fn new() -> Self {
        let tenths = (11..110_u32).map(|tenths| f64::from(tenths) / 10.0);
        let whole = (11..=64_u32).map(f64::from);
        let eighths = (3..8).flat_map(|bits| (9..=16_u32).map(move |part| f64::from(part << bits)));
        let orders = [1.01, 1.02, 1.05].into_iter().chain(tenths).chain(whole).chain(eighths);
        Self { curve: orders.map(|order| (order, 0.0)).collect(), steps: 0 }
    }

    /// Nothing, at orders of one's own.
    ///
    /// # Errors
    /// When an order is not above 1 and up to 10^6, or there is none, or more than 2^17.
    pub fn over(orders: &[f64]) -> Result<Self, AccountantError> {
        let valid = orders.iter().all(|order| *order > 1.0 && *order <= ORDER_MAX);
        if !valid || orders.is_empty() || orders.len() > ORDERS_MAX {
            return Err(AccountantError::Parameter { what: "a list of up to 2^17 orders above 1 and up to 10^6" });
        }
        Ok(Self { curve: orders.iter().map(|order| (*order, 0.0)).collect(), steps: 0 })
    }

    /// Adds a step that is done `times` times, by its mass function.
    ///
    /// # Errors
    /// When the step has a delta of its own, so that its divergence is without bound; when its mass function has more than
    /// 2^26 points over all orders; or when the plan has more than 2^32 steps.
    pub fn add(&mut self, step: CompositionStep, times: u32) -> Result<(), AccountantError> {
        let orders = self.curve.iter().map(|(order, _)| *order).collect::<Vec<_>>();
        let bounds = step.divergences(&orders)?;
        let mut bounds = bounds.into_iter();
        self.add_bound(|_| bounds.next().unwrap_or(f64::INFINITY), times)
    }

    /// Adds any mechanism whose divergence of order alpha is at most `bound(alpha)` in both directions, done `times` times.
    ///
    /// # Errors
    /// When a bound is negative or not a number, or the plan has more than 2^32 steps.
    pub fn add_bound(&mut self, mut bound: impl FnMut(f64) -> f64, times: u32) -> Result<(), AccountantError> {
        if self.steps + u64::from(times) > STEPS_MAX {
            return Err(AccountantError::Limit { what: "number of steps" });
        }
        let bounds = self.curve.iter().map(|(order, _)| bound(*order)).collect::<Vec<_>>();
        if times == 0 {
            return Ok(());
        }
        if !bounds.iter().all(|bound| *bound >= 0.0) {
            return Err(AccountantError::Parameter { what: "a divergence" });
        }
        self.steps += u64::from(times);
        for ((_, sum), bound) in self.curve.iter_mut().zip(bounds) {
            // A product and a sum of numbers from 0 on.
            *sum = (*sum + (bound * f64::from(times)).next_up()).next_up();
        }
        Ok(())
    }

    /// The orders and the upper bounds of the divergence of the whole plan at them.
    #[must_use]
    pub fn curve(&self) -> &[(f64, f64)] {
        &self.curve
    }

    /// An upper bound of the epsilon of the whole plan at `delta`.
    ///
    /// # Errors
    /// When delta is not within (0, 1), or no order gives a finite epsilon.
    pub fn epsilon(&self, delta: f64) -> Result<f64, AccountantError> {
        let delta = open_unit(delta)?;
        let at = |(order, sum): &(f64, f64)| {
            let (order, share) = (*order, (-1.0 / order).ln_1p());
            let rest = (delta.ln() + order.ln()) / (order - 1.0);
            // Logarithms are right to 2^-51, and the share by what the quotient moves it, 2^-53 / (order - 1).
            let sizes = share.abs() + 1.0 / (order - 1.0) + (delta.ln().abs() + order.ln()) / (order - 1.0);
            sum + share - rest + (sum + 4.0 * sizes) * 2.0 * f64::EPSILON
        };
        let least = self.curve.iter().map(at).fold(f64::INFINITY, f64::min);
        if self.steps == 0 || least.is_finite() {
            Ok(if self.steps == 0 { 0.0 } else { least.max(0.0) })
        } else {
            Err(AccountantError::Limit { what: "epsilon" })
        }
    }

    /// An upper bound of the delta of the whole plan at `epsilon`.
    ///
    /// # Errors
    /// When epsilon is negative or not finite.
    pub fn delta(&self, epsilon: f64) -> Result<f64, AccountantError> {
        let epsilon = finite(epsilon, "epsilon")?;
        if self.steps == 0 {
            return Ok(0.0);
        }
        let at = |(order, sum): &(f64, f64)| {
            let (order, share) = (*order, (-1.0 / order).ln_1p());
            let exponent = (order - 1.0) * (sum - epsilon + share) - order.ln();
            let sizes = (order - 1.0) * (sum + epsilon + share.abs()) + 1.0 + order.ln();
            (exponent + 4.0 * sizes * f64::EPSILON).exp().next_up()
        };
        Ok(self.curve.iter().filter(|(_, sum)| sum.is_finite()).map(at).fold(1.0, f64::min))
    }

    /// The one charge of the whole plan at `delta`: epsilon rounded up to 10^-12 (rule E4).
    ///
    /// # Errors
    /// As [`epsilon`](Self::epsilon), or when epsilon is beyond its limit.
    pub fn seal(&self, delta: Delta) -> Result<Loss, AccountantError> {
        seal(self.epsilon(down(delta.units(), DELTA_UNITS))?, delta)
    }
}

#[cfg(test)]
mod tests;
