//! Reference functions of continuous laws: what the literature and other accountants say, to compare with.
//!
//! No mechanism takes its scale from them and nothing here can be charged (rule E1): what is released is discrete, and
//! accounted with its own mass function by [`plan`](super::super::plan).
//! ```compile_fail,E0599
//! use usufruct::budget::Delta;
//! use usufruct::dp::accountant::reference::continuous::ReferencePlan;
//!
//! ReferencePlan::new().seal(Delta::MAX);
//! ```
//! Each answer is an upper bound of its quantity, or a lower
//! one where more would be unsafe, by a relative 2^-40 or so.
//!
//! ```
//! use usufruct::dp::accountant::reference::continuous;
//!
//! let mu = continuous::gaussian_mu(1.0, 1e-5)?; // the most that (1, 10^-5) allows
//! assert!(continuous::gaussian_delta(mu, 1.0)? <= 1e-5);
//! assert!((1.0 / mu - 3.730_632).abs() < 1e-5); // sigma at sensitivity 1
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Source
//! Balle and Wang, "Improving the Gaussian Mechanism for Differential Privacy", ICML 2018, theorem 8; Dong, Roth, Su,
//! "Gaussian Differential Privacy", 2022; Geng and Viswanath, "The Optimal Noise-Adding Mechanism in Differential Privacy",
//! 2016 (staircase); Wilson et al., "Differentially Private SQL with Bounded User Contribution", PETS 2020 (thresholds).

mod normal;
mod sequence;

pub use sequence::{ReferencePlan, ReferenceStep};

use super::super::{AccountantError, finite, open_unit};
use normal::{SLACK, density, quantile, ratio, tail};

/// An upper bound of the delta at `epsilon` of a Gaussian mechanism with mu = sensitivity / sigma; k of them have
/// mu = sqrt(sum of mu_i^2) together.
///
/// delta = Q(a) - exp(epsilon) Q(b), a = epsilon/mu - mu/2, b = epsilon/mu + mu/2, Q the upper tail of the normal law.
///
/// # Errors
/// When a parameter is negative, not finite or not a number.
pub fn gaussian_delta(mu: f64, epsilon: f64) -> Result<f64, AccountantError> {
    Ok(gaussian_delta_at(finite(mu, "mu")?, finite(epsilon, "epsilon")?))
}

/// An upper bound of the epsilon at `delta` of a Gaussian mechanism with mu = sensitivity / sigma.
///
/// # Errors
/// When mu is negative or not finite, or delta not within (0, 1).
pub fn gaussian_epsilon(mu: f64, delta: f64) -> Result<f64, AccountantError> {
    let (mu, delta) = (finite(mu, "mu")?, open_unit(delta)?);
    least(|epsilon| gaussian_delta_at(mu, epsilon) <= delta).ok_or(AccountantError::Limit { what: "epsilon" })
}

/// The largest mu = sensitivity / sigma whose Gaussian mechanism keeps (`epsilon`, `delta`), rounded down.
///
/// # Errors
/// When epsilon is negative or not finite, or delta not within (0, 1).
pub fn gaussian_mu(epsilon: f64, delta: f64) -> Result<f64, AccountantError> {
    let (epsilon, delta) = (finite(epsilon, "epsilon")?, open_unit(delta)?);
    let first = least(|mu| gaussian_delta_at(mu, epsilon) > delta).ok_or(AccountantError::Limit { what: "mu" })?;
    Ok(first.next_down().max(0.0))
}

/// An upper bound of the power of any test between neighbours at this rate of false positives, under mu-Gaussian
/// differential privacy: Phi(Phi^-1(false positives) + mu).
///
/// # Errors
/// When mu is negative or not finite, or the rate not within (0, 1).
pub fn gaussian_power(mu: f64, false_positives: f64) -> Result<f64, AccountantError> {
    let (mu, rate) = (finite(mu, "mu")?, open_unit(false_positives)?);
    let z = quantile(rate).next_down() - mu;
    // Two roundings of z.
    Ok((tail(z - (z.abs() + mu) * f64::EPSILON) * (1.0 + SLACK)).min(1.0))
}

/// An upper bound of the mu of which every mechanism of pure `epsilon` is mu-Gaussian differentially private, least among
/// randomised responses between two answers: 2 Phi^-1(1 / (1 + exp(-epsilon))).
///
/// The power of the response is a line from (0, 0) to its one corner (q, 1 - q), q = 1 / (1 + exp(epsilon)), and a line from
/// there to (1, 1); that of the Gaussian is concave, so that it is above where it passes the corner.
///
/// # Errors
/// When epsilon is negative or not finite.
pub fn gaussian_mu_of_pure(epsilon: f64) -> Result<f64, AccountantError> {
    let corner = 1.0 / (1.0 + finite(epsilon, "epsilon")?.exp());
    if corner == 0.0 {
        return Err(AccountantError::Limit { what: "mu" });
    }
    Ok((2.0 * quantile(corner * (1.0 - SLACK))).max(0.0))
}

/// The least noisy count from which on a group may be named under continuous Laplace noise of `scale`, rounded up: one unit
/// is in at most `groups` groups with at most `most` rows each. With d = 1 - (1 - delta)^(1/groups):
/// most - scale ln(2 d), where d is at most 1/2.
///
/// # Errors
/// When a parameter is out of range.
pub fn laplace_threshold(scale: f64, most: f64, delta: f64, groups: u32) -> Result<f64, AccountantError> {
    let (scale, most, share) = (finite(scale, "scale")?, finite(most, "number of rows")?, share(delta, groups)?);
    Ok((most - scale * (2.0 * share.min(0.5)).ln()) * (1.0 + SLACK))
}

/// An upper bound of the delta of a threshold under continuous Laplace noise; as [`laplace_threshold`].
///
/// # Errors
/// When a parameter is out of range, or the threshold below the rows of one unit.
pub fn laplace_threshold_delta(scale: f64, most: f64, threshold: f64, groups: u32) -> Result<f64, AccountantError> {
    let (scale, most) = (finite(scale, "scale")?, finite(most, "number of rows")?);
    let above = finite(threshold - most, "threshold above the rows of one unit")?;
    let named = (-above / scale).exp() / 2.0 * (1.0 + SLACK);
    // The exponent is rounded twice.
    let named = named * (1.0 + above / scale * 2.0 * f64::EPSILON);
    Ok((-(f64::from(groups) * (-named).ln_1p()).exp_m1() * (1.0 + SLACK)).min(1.0))
}

/// The least noisy count from which on a group may be named under continuous Gaussian noise, rounded up; as
/// [`laplace_threshold`]: most + sigma Phi^-1(1 - d).
///
/// # Errors
/// When a parameter is out of range.
pub fn gaussian_threshold(sigma: f64, most: f64, delta: f64, groups: u32) -> Result<f64, AccountantError> {
    let (sigma, most, share) = (finite(sigma, "sigma")?, finite(most, "number of rows")?, share(delta, groups)?);
    Ok((most + sigma * quantile(share)).next_up().next_up())
}

/// The share gamma of the inner step of the staircase mechanism with the least expected absolute error:
/// 1 / (1 + exp(epsilon/2)).
///
/// # Errors
/// When epsilon is negative or not finite.
pub fn staircase_share(epsilon: f64) -> Result<f64, AccountantError> {
    Ok(1.0 / (1.0 + (finite(epsilon, "epsilon")? / 2.0).exp()))
}

/// The expected absolute error of the staircase mechanism with that share, as a multiple of the sensitivity:
/// exp(epsilon/2) / (exp(epsilon) - 1) = 1 / (2 sinh(epsilon/2)), the least that pure epsilon allows.
///
/// # Errors
/// When epsilon is 0, negative or not finite.
pub fn staircase_error(epsilon: f64) -> Result<f64, AccountantError> {
    let error = 0.5 / (finite(epsilon, "epsilon")? / 2.0).sinh();
    if error.is_finite() { Ok(error * (1.0 + SLACK)) } else { Err(AccountantError::Parameter { what: "an epsilon above 0" }) }
}

/// A lower bound of 1 - (1 - delta)^(1/groups).
fn share(delta: f64, groups: u32) -> Result<f64, AccountantError> {
    let delta = open_unit(delta)?;
    if groups == 0 {
        return Err(AccountantError::Parameter { what: "a number of groups above 0" });
    }
    Ok(-((-delta).ln_1p() / f64::from(groups)).exp_m1() * (1.0 - 16.0 * f64::EPSILON))
}

/// With R(z) = Q(z) / phi(z), exp(epsilon) Q(b) is phi(a) R(b): nothing overflows.
fn gaussian_delta_at(mu: f64, epsilon: f64) -> f64 {
    if mu == 0.0 {
        return 0.0;
    }
    let (a, b) = (epsilon / mu - mu / 2.0, epsilon / mu + mu / 2.0);
    if b == f64::INFINITY {
        return f64::MIN_POSITIVE; // Q(a) is far below
    }
    // Both are right to two roundings of b, which move ln phi by a times that, and ln R by at most 1 + z times it.
    let slack = (SLACK + (3.0 * a.abs() + b + 2.0) * b * f64::EPSILON).min(1.0);
    let with = if a < 0.0 { tail(a) } else { density(a) * ratio(a) };
    let without = density(a) * ratio(b);
    (with * (1.0 + slack) - without * (1.0 - slack)).clamp(0.0, 1.0) + f64::MIN_POSITIVE
}

/// The least positive number where `holds`, if it holds from some number on, rounded up to the next one that is seen to.
fn least(holds: impl Fn(f64) -> bool) -> Option<f64> {
    if holds(0.0) {
        return Some(0.0);
    }
    let mut high = 1.0;
    while !holds(high) {
        high *= 2.0;
        if high == f64::INFINITY {
            return None;
        }
    }
    let mut low = 0.0;
    loop {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            return Some(high);
        }
        if holds(middle) { high = middle } else { low = middle }
    }
}

#[cfg(test)]
mod tests;
