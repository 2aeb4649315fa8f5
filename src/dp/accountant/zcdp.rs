//! Zero-concentrated differential privacy in terms of epsilon and delta.
//!
//! For every alpha > 1, rho-zCDP is (epsilon, delta)-differential privacy with
//! delta = exp((alpha - 1) (alpha rho - epsilon)) / (alpha - 1) (1 - 1/alpha)^alpha; the least of these is taken. An
//! alpha that is not the best gives a larger delta, never a wrong one, so that only the evaluation needs a slack.
//!
//! # Source
//! Canonne, Kamath, Steinke, arXiv 2004.00010, section 3 (zCDP to approximate differential privacy).

use super::{AccountantError, DELTA_UNITS, down, finite, open_unit, up};
use crate::budget::{Delta, Epsilon, Rho};

/// Halvings of the interval of alpha - 1, in its logarithm.
const HALVINGS: u32 = 120;
/// Units of epsilon and rho in 1.
const UNITS: f64 = 1e12;

/// An upper bound of the delta of rho-zCDP at `epsilon`.
///
/// # Errors
/// When a parameter is negative, not finite or not a number.
pub fn delta(rho: f64, epsilon: f64) -> Result<f64, AccountantError> {
    Ok(delta_at(finite(rho, "rho")?, finite(epsilon, "epsilon")?))
}

/// An upper bound of the epsilon of rho-zCDP at `delta`.
///
/// # Errors
/// When rho is negative or not finite, or delta not within (0, 1).
pub fn epsilon(rho: f64, delta: f64) -> Result<f64, AccountantError> {
    let (rho, delta) = (finite(rho, "rho")?, open_unit(delta)?);
    // rho + 2 sqrt(rho ln(1/delta)) is enough (Bun and Steinke 2016, proposition 1.3); doubled until it shows.
    let mut high = rho + 2.0 * (rho * -delta.ln()).sqrt();
    while delta_at(rho, high) > delta {
        high = 2.0 * high + f64::MIN_POSITIVE;
        if !high.is_finite() {
            return Err(AccountantError::Limit { what: "epsilon" });
        }
    }
    let mut low = 0.0;
    if delta_at(rho, low) <= delta {
        return Ok(low);
    }
    loop {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            return Ok(high);
        }
        if delta_at(rho, middle) <= delta { high = middle } else { low = middle }
    }
}

/// The least epsilon that rho-zCDP is shown to keep at `delta`, rounded up.
///
/// # Errors
/// When delta is 0 or 1, or the epsilon beyond its limit.
pub fn epsilon_of(rho: Rho, delta: Delta) -> Result<Epsilon, AccountantError> {
    let delta = open_unit(down(delta.units(), DELTA_UNITS))?;
    let rho = up(rho.units(), UNITS);
    let keeps = |units| delta_at(rho, down(units, UNITS)) <= delta;
    least(Epsilon::MAX.units(), keeps).and_then(Epsilon::from_units).ok_or(AccountantError::Limit { what: "epsilon" })
}

/// The largest rho whose rho-zCDP is shown to keep (`epsilon`, `delta`), rounded down.
///
/// # Errors
/// When delta is 0 or 1, or not even a rho of 10^-12 keeps to it.
pub fn largest_rho(epsilon: Epsilon, delta: Delta) -> Result<Rho, AccountantError> {
    let delta = open_unit(down(delta.units(), DELTA_UNITS))?;
    let epsilon = down(epsilon.units(), UNITS);
    let too_much = |units| delta_at(up(units, UNITS), epsilon) > delta;
    let first = least(Rho::MAX.units(), too_much).unwrap_or(Rho::MAX.units() + 1);
    Rho::from_units(first - 1).filter(|rho| *rho > Rho::ZERO).ok_or(AccountantError::Limit { what: "rho" })
}

/// The least of `1..=most` where `holds`, if it holds from there on and at `most`.
fn least(most: u64, holds: impl Fn(u64) -> bool) -> Option<u64> {
    let (mut low, mut high) = (1, most);
    if !holds(most) {
        return None;
    }
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) { high = middle } else { low = middle + 1 }
    }
    Some(low)
}

fn delta_at(rho: f64, epsilon: f64) -> f64 {
    if rho == 0.0 {
        return 0.0;
    }
    // The best alpha is a root of (2 alpha - 1) rho - epsilon + ln(1 - 1/alpha), which rises.
    let (mut low, mut high) = (f64::EPSILON, (epsilon + 1.0) / (2.0 * rho) + 2.0);
    for _ in 0..HALVINGS {
        let middle = (low * high).sqrt();
        if (2.0 * middle + 1.0) * rho - epsilon + ln_share(middle) > 0.0 { high = middle } else { low = middle }
    }
    log_delta(rho, epsilon, low).min(log_delta(rho, epsilon, high)).exp().next_up().next_up().min(1.0)
}

/// ln(1 - 1/alpha) at alpha = 1 + beta.
fn ln_share(beta: f64) -> f64 {
    if beta < 1.0 { (beta / (1.0 + beta)).ln() } else { (-1.0 / (1.0 + beta)).ln_1p() }
}

/// An upper bound of the logarithm of delta at alpha = 1 + beta.
///
/// Each product and difference is right to 2^-53, each logarithm to 2^-51 of its size; the slack is twice their sum.
fn log_delta(rho: f64, epsilon: f64, beta: f64) -> f64 {
    const ROUNDING: f64 = f64::EPSILON;
    let alpha = 1.0 + beta;
    let exponent = alpha * rho - epsilon;
    let (root, share) = (beta.ln(), alpha * ln_share(beta));
    // 1 + beta is rounded: alpha by up to 2^-53 of itself, which moves share by as much of 1 + |share|.
    let slack = ROUNDING * (beta * (2.0 * alpha * rho + exponent.abs()) / 2.0 + 4.0 * (root.abs() + share.abs() + 1.0));
    beta * exponent - root + share + slack
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn assert_upper(got: f64, truth: f64, tolerance: f64) {
        assert!(truth <= got && got <= truth * (1.0 + tolerance), "{got:e} for {truth:e}");
    }

    /// Rows P20 to P22 of the reference.
    #[test]
    fn public_vectors_are_met_from_above() {
        assert_upper(epsilon(1.0 / 32.0, 1e-3).unwrap(), 0.688_002_455_487_808_4, 1e-12);
        assert_upper(delta(0.05, 0.25).unwrap(), 0.081_772_753_103_695_52, 1e-12);
        assert_upper(delta(0.5, 0.0).unwrap(), 0.558_835_639_347_435, 1e-12);
        assert_upper(delta(5e-30, 1e-13).unwrap(), 2.619_676_329_729_709e-234, 1e-12);
        let rho = Rho::parse("0.03125").unwrap();
        assert_eq!(epsilon_of(rho, Delta::parse("0.001").unwrap()), Ok(Epsilon::parse("0.688002455488").unwrap()));
    }

    #[test]
    fn conversions_are_inverse_from_the_safe_side() {
        for epsilon in ["0.000001", "0.1", "1", "8", "1000", "100000"] {
            for delta in ["0.000000000000000001", "0.0000000001", "0.000001", "0.01", "0.9"] {
                let (epsilon, delta) = (Epsilon::parse(epsilon).unwrap(), Delta::parse(delta).unwrap());
                let Ok(rho) = largest_rho(epsilon, delta) else { continue };
                let back = epsilon_of(rho, delta).unwrap();
                assert!(back <= epsilon, "{epsilon} {delta}: {rho} {back}");
                let more = Rho::from_units(rho.units() + rho.units() / 1_000_000_000 + 1).unwrap();
                assert!(epsilon_of(more, delta).unwrap() >= epsilon, "{epsilon} {delta}: {rho}");
            }
        }
        assert_eq!(largest_rho(Epsilon::ZERO, Delta::from_units(1).unwrap()), Err(AccountantError::Limit { what: "rho" }));
    }

    /// The exact delta of the continuous Gaussian with the same rho is never above.
    #[test]
    fn never_below_what_a_mechanism_costs() {
        // Row P1: mu = 1, rho = 1/2: delta(1) = 0.1269367375.
        assert!(delta(0.5, 1.0).unwrap() >= 0.126_936_737_5);
        // A pure epsilon of 1 has rho 1/2 and at epsilon 0 a delta of (e - 1) / (e + 1).
        assert!(delta(0.5, 0.0).unwrap() >= 0.462_117_157_26);
    }

    #[test]
    fn wrong_parameters_are_refused_by_name() {
        for wrong in [-1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(delta(wrong, 1.0), Err(AccountantError::Parameter { what: "rho" }));
            assert_eq!(delta(1.0, wrong), Err(AccountantError::Parameter { what: "epsilon" }));
            assert_eq!(epsilon(1.0, wrong), Err(AccountantError::Delta));
        }
        assert_eq!(epsilon(1.0, 1.0), Err(AccountantError::Delta));
        assert_eq!(epsilon(1.0, 0.0), Err(AccountantError::Delta));
        assert_eq!(epsilon_of(Rho::MAX, Delta::ZERO), Err(AccountantError::Delta));
        assert_eq!(epsilon_of(Rho::MAX, Delta::from_units(1).unwrap()), Err(AccountantError::Limit { what: "epsilon" }));
        assert!(delta(1e300, 1.0).unwrap() <= 1.0 && delta(1e-300, 1e300).unwrap() >= 0.0);
        assert_eq!(delta(0.0, 0.0), Ok(0.0));
        assert!(epsilon(1e300, 1e-300).is_ok() && epsilon(1e-300, 1e-300).is_ok());
    }
}
