//! Exact samplers of integer noise.
//!
//! Every comparison with an exponential is made on proven brackets of 64 bits; the one in about 2^50 that they leave
//! open is decided with the same leading bits of U, extended as far as needed. Nothing is rounded, so what comes
//! out follows the stated law exactly, given ideal bits.

mod bernoulli;
mod bounded;
mod decide;
mod exp;
mod gaussian;
mod laplace;
mod limbs;
mod once;
mod scale;
mod sigma;
mod strips;

use std::fmt;

pub(in crate::dp) use bernoulli::exp_bernoulli;
pub use bounded::BoundedLaplace;
pub(in crate::dp) use decide::exp_bracket;
pub(in crate::dp) use limbs::Nat;
pub(in crate::dp) use once::below;
pub use scale::Scale;
pub(in crate::dp) use scale::gcd;
pub use sigma::SigmaSquared;

use crate::random::Random;
use gaussian::Normal;
use laplace::Exponential;
use strips::Strips;

/// A prepared sampler of the discrete Laplace law P(y) = (1 - a) / (1 + a) a^|y|, a = exp(-1/scale), on the integers.
///
/// Scales with both parts below 2^63 are served from tables of 16 KiB (some 20 microseconds to make, two words a
/// draw); wider ones without. A draw beyond the range of `i128` saturates, which is post-processing of the exact
/// draw; at scales below 2^120 that has a probability below exp(-127).
///
/// # Source
/// Tables: rejection under a piecewise constant hat with integer weights and an alias table (the argument stands in
/// `noise/strips.rs`); rule E2 of `docs/rules.md`. Single draws: Canonne,
/// Kamath, Steinke, "The Discrete Gaussian for Differential Privacy", arXiv 2004.00010, algorithm 2.
///
/// # Not promised
/// Constant time: how long a draw takes depends on its value. An answer leaves at a quantum of time (rule G2).
pub struct DiscreteLaplace {
    scale: Scale,
    strips: Option<Strips<Exponential>>,
}

impl DiscreteLaplace {
    /// A sampler for many draws at one scale; worth its tables from a few hundred draws on.
    #[must_use]
    pub fn prepare(scale: Scale) -> Self {
        let strips = scale.narrow().map(|(t, s)| Strips::prepare(Exponential::new(t, s)));
        Self { scale, strips }
    }

    /// The scale.
    #[must_use]
    pub fn scale(&self) -> Scale {
        self.scale
    }

    /// One draw.
    #[inline]
    #[must_use]
    pub fn sample<R: Random + ?Sized>(&self, random: &mut R) -> i128 {
        match &self.strips {
            Some(strips) => strips.sample::<false, R>(random),
            None => Self::sample_once(self.scale, random),
        }
    }

    /// One draw without tables, by another method than [`sample`](Self::sample): the same law.
    #[must_use]
    pub fn sample_once<R: Random + ?Sized>(scale: Scale, random: &mut R) -> i128 {
        once::laplace::<false, R>(scale.numerator(), scale.denominator(), random)
    }

    /// Fills `noise` with independent draws.
    pub fn fill<R: Random + ?Sized>(&self, noise: &mut [i128], random: &mut R) {
        noise.iter_mut().for_each(|place| *place = self.sample(random));
    }

    /// Adds an independent draw to each of `values`; saturates at the range of `i128`, which is post-processing.
    pub fn add_noise<R: Random + ?Sized>(&self, values: &mut [i128], random: &mut R) {
        values.iter_mut().for_each(|value| *value = value.saturating_add(self.sample(random)));
    }
}

impl fmt::Debug for DiscreteLaplace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DiscreteLaplace").field("scale", &self.scale).finish_non_exhaustive()
    }
}

/// A prepared sampler of the discrete Gaussian law on the integers: P(y) is proportional to exp(-y^2 / (2 sigma^2)).
///
/// sigma^2 below 2^112 is served from tables of 16 KiB, as for [`DiscreteLaplace`]; wider ones without. Every draw
/// fits: one beyond 2^126 has a probability below exp(-2^124).
///
/// # Source
/// Canonne, Kamath, Steinke, "The Discrete Gaussian for Differential Privacy", arXiv 2004.00010: definition 1. Tables as for
/// [`DiscreteLaplace`]; single draws by rejection under blocks of sigma with integer weights (the argument stands in
/// `noise/once.rs`).
///
/// # Not promised
/// Constant time: how long a draw takes depends on its value. An answer leaves at a quantum of time (rule G2).
pub struct DiscreteGaussian {
    sigma_squared: SigmaSquared,
    strips: Option<Strips<Normal>>,
}

impl DiscreteGaussian {
    /// A sampler for many draws at one sigma^2; worth its tables from a few hundred draws on.
    #[must_use]
    pub fn prepare(sigma_squared: SigmaSquared) -> Self {
        let strips = Normal::new(sigma_squared.numerator(), sigma_squared.denominator()).map(Strips::prepare);
        Self { sigma_squared, strips }
    }

    /// The parameter sigma^2.
    #[must_use]
    pub fn sigma_squared(&self) -> SigmaSquared {
        self.sigma_squared
    }

    /// One draw.
    #[inline]
    #[must_use]
    pub fn sample<R: Random + ?Sized>(&self, random: &mut R) -> i128 {
        match &self.strips {
            Some(strips) => strips.sample::<false, R>(random),
            None => Self::sample_once(self.sigma_squared, random),
        }
    }

    /// One draw without tables, by another method than [`sample`](Self::sample): the same law.
    #[must_use]
    pub fn sample_once<R: Random + ?Sized>(sigma_squared: SigmaSquared, random: &mut R) -> i128 {
        once::gaussian::<false, R>(sigma_squared.numerator(), sigma_squared.denominator(), random)
    }

    /// Fills `noise` with independent draws.
    pub fn fill<R: Random + ?Sized>(&self, noise: &mut [i128], random: &mut R) {
        noise.iter_mut().for_each(|place| *place = self.sample(random));
    }

    /// Adds an independent draw to each of `values`; saturates at the range of `i128`, which is post-processing.
    pub fn add_noise<R: Random + ?Sized>(&self, values: &mut [i128], random: &mut R) {
        values.iter_mut().for_each(|value| *value = value.saturating_add(self.sample(random)));
    }
}

impl fmt::Debug for DiscreteGaussian {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DiscreteGaussian").field("sigma_squared", &self.sigma_squared).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
