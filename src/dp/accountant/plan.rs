//! The account of a fixed plan by its privacy loss distribution, from the mass functions of what is sampled.
//!
//! ```text
//! Step (law, sensitivity, sampling) -> losses on a grid -> product of spectra -> bounds of delta and epsilon
//! ```
//! Each loss l between two grid points is split between them, so that its mass stays the same under both data sets:
//! that is a mechanism of which the true one is a post-processing, so what it costs is an upper bound (connecting the
//! dots). For the lower bound the loss is rounded at random, in the same shares: that is a post-processing of the true
//! mechanism, so the difference of the two laws of the rounded sum is a lower bound. Both err by the variance of the
//! rounding only, about a sixth of the square of the grid step for each step of the plan.
//!
//! ```
//! use usufruct::budget::Delta;
//! use usufruct::dp::Scale;
//! use usufruct::dp::accountant::plan::{CompositionPlan, CompositionStep};
//!
//! let mut plan = CompositionPlan::new();
//! plan.add(CompositionStep::laplace(Scale::new(20, 1)?, 1)?, 100)?; // a hundred counts, 0.05 each
//! let charge = plan.seal(Delta::parse("0.000001")?)?;
//! assert_eq!(charge.model(), usufruct::budget::Model::Approx);
//! let bounds = plan.epsilon(1e-6)?;
//! assert!(bounds.high < 2.7 && bounds.high - bounds.low < 1e-3); // the sum is 5
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Source
//! Doroshenko, Ghazi, Kamath, Kumar, Manurangsi, "Connect the Dots", PETS 2022; Koskela, Jälkö, Honkela 2020 (FFT). A
//! step of sensitivity D is accounted at a shift by D, which for laws with log-concave mass functions costs no less than
//! any smaller one.
//!
//! # Not promised
//! Tight bounds at a delta below 10^-10 in long plans. The error of the transform, of the order of 10^-11, is added to every
//! delta; below that, bounds are those of a few moments, a few percent wider in epsilon. And `low` belongs to the rates of
//! samples as they are accounted, 2^-52 above those that are drawn.

pub(super) mod compose;
mod fft;
pub(in crate::dp::accountant) mod losses;
mod sample;
mod spectrum;
mod step;

pub use sample::PoissonSample;
pub use step::CompositionStep;
pub(super) use step::{GAUSSIAN_MISSED, GAUSSIAN_REACH, Law, sampled_loss};

use super::{AccountantError, DELTA_UNITS, down, finite, open_unit};
use crate::budget::{Delta, Epsilon, Loss};
use compose::Account;

/// A lower and an upper bound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Enclosure {
    /// The truth is not below.
    pub low: f64,
    /// The truth is not above.
    pub high: f64,
}

/// Bytes that an account may use, where nothing else is said.
const MEMORY: usize = 256 << 20;
/// The most steps.
const STEPS_MAX: u64 = 1 << 24;
/// Units of one epsilon.
const EPSILON_UNITS: f64 = 1e12;

/// A fixed sequence of steps, each with the number of times it is done.
///
/// Neighbours: data sets that differ by adding or removing one privacy unit; the larger of both directions counts.
#[derive(Clone, Debug)]
pub struct CompositionPlan {
    steps: Vec<(CompositionStep, u32)>,
    memory: usize,
}

impl Default for CompositionPlan {
    fn default() -> Self {
        Self::new()
    }
}

impl CompositionPlan {
    /// Nothing, to be accounted within 256 MiB.
    #[must_use]
    pub const fn new() -> Self {
        Self::within(MEMORY)
    }

    /// Nothing, to be accounted within so many bytes; less memory makes wider bounds.
    #[must_use]
    pub const fn within(memory: usize) -> Self {
        Self { steps: Vec::new(), memory }
    }

    /// Adds a step that is done `times` times.
    ///
    /// # Errors
    /// When the plan has more than 2^24 steps.
    pub fn add(&mut self, step: CompositionStep, times: u32) -> Result<(), AccountantError> {
        if self.count() + u64::from(times) > STEPS_MAX {
            return Err(AccountantError::Limit { what: "number of steps" });
        }
        if times > 0 {
            self.steps.push((step, times));
        }
        Ok(())
    }

    fn count(&self) -> u64 {
        self.steps.iter().map(|(_, times)| u64::from(*times)).sum()
    }

    /// Enclosure of the delta of the whole plan at `epsilon`.
    ///
    /// # Errors
    /// When epsilon is negative or not finite, or the memory is not enough.
    pub fn delta(&self, epsilon: f64) -> Result<Enclosure, AccountantError> {
        let epsilon = finite(epsilon, "epsilon")?;
        Ok(self.account()?.delta(epsilon))
    }

    /// Enclosure of the epsilon of the whole plan at `delta`.
    ///
    /// # Errors
    /// When delta is not within (0, 1), no finite epsilon keeps to it, or the memory is not enough.
    pub fn epsilon(&self, delta: f64) -> Result<Enclosure, AccountantError> {
        let delta = open_unit(delta)?;
        self.account()?.epsilon(delta)
    }

    /// The one charge of the whole plan at `delta`: epsilon rounded up to 10^-12 (rule E4).
    ///
    /// # Errors
    /// As [`epsilon`](Self::epsilon), or when epsilon is beyond its limit.
    pub fn seal(&self, delta: Delta) -> Result<Loss, AccountantError> {
        seal(self.epsilon(down(delta.units(), DELTA_UNITS))?.high, delta)
    }

    fn account(&self) -> Result<Account, AccountantError> {
        Account::new(&self.steps, self.memory)
    }
}

/// The charge of an epsilon, rounded up to 10^-12.
pub(super) fn seal(epsilon: f64, delta: Delta) -> Result<Loss, AccountantError> {
    // One rounding of the product, undone.
    let units = if epsilon == 0.0 { 0.0 } else { (epsilon * EPSILON_UNITS).next_up().ceil() };
    let within = units <= Epsilon::MAX.units() as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an integer from 0 to 10^18")]
    let epsilon = Epsilon::from_units(units as u64).filter(|_| within).ok_or(AccountantError::Limit { what: "epsilon" })?;
    Ok(Loss::Approx { epsilon, delta })
}

#[cfg(test)]
mod tests;
