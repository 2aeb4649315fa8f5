//! Optimal composition of equal mechanisms of which only (epsilon, delta) is known.
//!
//! k mechanisms of (epsilon, delta) are together (E, 1 - (1 - delta)^k (1 - d(E))) with
//! d(E) = sum over l of C(k, l) max(0, exp((k - l) epsilon) - exp(E + l epsilon)) / (1 + exp(epsilon))^k, for every E; no
//! smaller delta holds for all such mechanisms.
//!
//! # Source
//! Kairouz, Oh, Viswanath, arXiv 1311.0776, theorem 3.3, which states it at E = (k - 2 i) epsilon; the same formula is
//! tight in between.

use super::{AccountantError, finite, open_unit};

/// The most mechanisms.
const COUNT_MAX: u32 = 1 << 20;
/// The slack of each term, relatively: ten logarithms, exponentials and products of 2^-51 each, and exponents up to 2^10
/// right to 2^-52, which is 2^-42; sums of positive terms add 2^-53 each.
const SLACK: f64 = 1.0 / (1_u64 << 32) as f64;

/// An upper bound of the delta of `count` mechanisms of (`epsilon`, `delta`) at `total`, above the optimal one by a
/// relative 2^-31 at most.
///
/// # Errors
/// When an epsilon is negative or not finite, delta not within [0, 1), or count above 2^20.
pub fn delta(epsilon: f64, delta: f64, count: u32, total: f64) -> Result<f64, AccountantError> {
    let (epsilon, total) = (finite(epsilon, "epsilon")?, finite(total, "the epsilon of all")?);
    if !(0.0..1.0).contains(&delta) {
        return Err(AccountantError::Delta);
    }
    if count > COUNT_MAX {
        return Err(AccountantError::Limit { what: "number of mechanisms" });
    }
    Ok(delta_at(epsilon, delta, count, total))
}

/// An upper bound of the epsilon of `count` mechanisms of (`epsilon`, `delta`) at `total_delta`.
///
/// # Errors
/// As [`delta`], or when no epsilon keeps to `total_delta`.
pub fn epsilon(epsilon: f64, delta: f64, count: u32, total_delta: f64) -> Result<f64, AccountantError> {
    let total_delta = open_unit(total_delta)?;
    self::delta(epsilon, delta, count, 0.0)?;
    // The largest loss, and the hair that is added to it.
    let mut high = epsilon * f64::from(count) * (1.0 + 4.0 * f64::EPSILON);
    if delta_at(epsilon, delta, count, high) > total_delta {
        return Err(AccountantError::Limit { what: "epsilon" });
    }
    let mut low = 0.0;
    if delta_at(epsilon, delta, count, low) <= total_delta {
        return Ok(low);
    }
    loop {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            return Ok(high);
        }
        if delta_at(epsilon, delta, count, middle) <= total_delta { high = middle } else { low = middle }
    }
}

/// The largest epsilon of which `count` pure mechanisms keep to (`total`, `total_delta`), rounded down.
///
/// # Errors
/// As [`delta`], for `total_delta` within (0, 1) and a count above 0.
pub fn largest_epsilon(count: u32, total: f64, total_delta: f64) -> Result<f64, AccountantError> {
    let total_delta = open_unit(total_delta)?;
    delta(0.0, 0.0, count, total)?;
    if count == 0 {
        return Err(AccountantError::Limit { what: "epsilon" });
    }
    // From total + ln 4 / (1 - total_delta) on, one mechanism alone is too much.
    let (mut low, mut high) = (0.0, total + 2.0 / (1.0 - total_delta));
    loop {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            return Ok(low);
        }
        if delta_at(middle, 0.0, count, total) <= total_delta { low = middle } else { high = middle }
    }
}

fn delta_at(epsilon: f64, delta: f64, count: u32, total: f64) -> f64 {
    let k = f64::from(count);
    // (1 + exp(-epsilon))^-k, the mass of l = 0, by its logarithm; then C(k, l) exp(-l epsilon) by the ratio of terms.
    let mut log_mass = -k * (-epsilon).exp().ln_1p();
    let mut pure = 0.0;
    for l in 0..=count {
        let l = f64::from(l);
        let loss = (k - 2.0 * l) * epsilon;
        // Losses at the end are right to 2^-52 of k epsilon: a hair more is taken.
        let loss = loss + k * epsilon * f64::EPSILON;
        if loss <= total {
            break;
        }
        pure += log_mass.exp() * -(total - loss).exp_m1();
        log_mass += ((k - l) / (l + 1.0)).ln() - epsilon;
    }
    // The logarithm of a mass is a sum of up to k terms below 2^5 + epsilon: its error is k times a rounding of it.
    let slack = SLACK + k * (k.ln().max(1.0) + epsilon) * 4.0 * f64::EPSILON;
    let pure = (pure * (1.0 + slack)).min(1.0);
    let kept = (k * (-delta).ln_1p() + (-pure).ln_1p()) * (1.0 + 8.0 * f64::EPSILON);
    if kept == 0.0 { 0.0 } else { (-kept.exp_m1()).next_up().next_up().min(1.0) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn assert_upper(name: &str, got: f64, truth: f64, tolerance: f64) {
        assert!(truth <= got && got <= truth * (1.0 + tolerance), "{name}: {got:.13} for {truth:.13}");
    }

    /// Rows P14, P15 and P38 of the reference, tight between the points of the source's grid.
    #[test]
    fn public_vectors_are_met_from_above() {
        assert_upper("P14", epsilon(1.0, 0.001, 30, 0.06).unwrap(), 21.709_612_624_5, 1e-7);
        assert_upper("P14", epsilon(1.0, 0.001, 30, 0.1).unwrap(), 19.817_379_170_1, 1e-7);
        assert_upper("P38", epsilon(0.1, 0.0, 50, 1e-6).unwrap(), 3.172_902_734_019_19, 1e-8);
        let p15 = largest_epsilon(50, 5.0, 0.01).unwrap();
        assert!((0.25..=0.252_371_790_318_4).contains(&p15) && p15 > 0.252_371_790_318 * (1.0 - 1e-6), "{p15:.13}");
    }

    #[test]
    fn small_cases_are_those_of_two_answers() {
        // One mechanism: itself. Two of ln 3: at 0, masses 9/16 against 1/16.
        assert_upper("one", delta(1.0, 0.25, 1, 1.0).unwrap(), 0.25, 1e-9);
        assert_upper("two", delta(3_f64.ln(), 0.0, 2, 0.0).unwrap(), 0.5, 1e-9);
        assert_upper("sum", epsilon(0.5, 0.0, 4, 1e-200).unwrap(), 2.0, 1e-9);
        assert_eq!(delta(0.3, 0.0, 0, 0.0), Ok(0.0));
        assert_upper("many", delta(0.001, 0.0, 1 << 20, 0.0).unwrap(), 0.391_3, 1e-3);
    }

    #[test]
    fn wrong_parameters_are_refused_by_name() {
        assert_eq!(delta(f64::NAN, 0.0, 1, 1.0), Err(AccountantError::Parameter { what: "epsilon" }));
        assert_eq!(delta(1.0, 1.0, 1, 1.0), Err(AccountantError::Delta));
        assert_eq!(delta(1.0, 0.0, u32::MAX, 1.0), Err(AccountantError::Limit { what: "number of mechanisms" }));
        assert_eq!(epsilon(1.0, 0.5, 1, 0.1), Err(AccountantError::Limit { what: "epsilon" }));
        assert_eq!(largest_epsilon(0, 1.0, 0.1), Err(AccountantError::Limit { what: "epsilon" }));
        assert!(delta(1e300, 0.0, 3, 1.0).unwrap() <= 1.0);
    }
}
