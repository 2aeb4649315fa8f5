//! Thresholds from which a noisy count may name its group, from tails of discrete laws.

use crate::budget::Delta;
use crate::dp::{DpError, Scale, SigmaSquared};

/// Relative slack of a logarithm or exponential and a few roundings.
const SLACK: f64 = 1.0 / (1_u64 << 40) as f64;
/// A tail of the discrete Gaussian is summed in blocks of sigma / 512, each taken at its first point, up to this many
/// sigma beyond its start.
const BLOCKS: f64 = 512.0;
const REACH: f64 = 40.0;
/// Thresholds stay whole numbers that f64 holds.
const THRESHOLD_MAX: f64 = (1_u64 << 52) as f64;

/// The least noisy count from which on a group may be named, its counts noised by discrete Laplace noise of `scale`: one
/// unit alone, in at most `groups` groups with at most `most` rows each, gets none of them named but with a probability
/// of `delta`.
///
/// With a = exp(-1/scale), P(X >= k) = a^k / (1 + a); each of the groups has 1 - (1 - delta)^(1 / groups) of delta. The
/// result is rounded up. The noise of the counts is paid for besides.
///
/// # Errors
/// When groups is 0, delta 0 or 1, or the threshold above 2^52.
pub fn laplace_threshold(scale: Scale, most: u64, delta: Delta, groups: u32) -> Result<u64, DpError> {
    let share = share(delta, groups)?;
    let scale = scale.numerator() as f64 / scale.denominator() as f64;
    let steps = -scale * (share * (1.0 + (-1.0 / scale).exp())).ln();
    from_steps((steps * (1.0 + SLACK)).max(1.0), most)
}

/// The same for discrete Gaussian noise of `sigma_squared`.
///
/// # Errors
/// As for [`laplace_threshold`].
pub fn gaussian_threshold(sigma_squared: SigmaSquared, most: u64, delta: Delta, groups: u32) -> Result<u64, DpError> {
    let share = share(delta, groups)?;
    let sigma_squared = sigma_squared.numerator() as f64 / sigma_squared.denominator() as f64;
    let sigma = sigma_squared.sqrt();
    if sigma * REACH > THRESHOLD_MAX {
        return Err(DpError::Threshold);
    }
    let block = (sigma / BLOCKS).floor().max(1.0);
    let weight = |y: f64| (-y * y / (2.0 * sigma_squared)).exp();
    // All masses sum to sigma sqrt(2 pi) at least (Poisson summation), and to 1 + 2 exp(-1 / (2 sigma^2)) at least.
    let total = (sigma * std::f64::consts::TAU.sqrt()).max(1.0 + 2.0 * weight(1.0));
    let tail = |k: f64| {
        let terms = (0..).map(|at| weight(k + f64::from(at) * block)).take_while(|term| *term > 1e-300);
        block * terms.sum::<f64>() / total * (1.0 + SLACK) + 1e-290
    };
    // P(X >= k) <= exp(-k^2 / (2 sigma^2)).
    let (mut low, mut high) = (0.0, (sigma * (-2.0 * share.ln()).sqrt()).ceil() + 2.0);
    while high - low > 1.0 {
        let middle = ((low + high) / 2.0).floor();
        if tail(middle) <= share { high = middle } else { low = middle }
    }
    from_steps(high, most)
}

/// A lower bound of 1 - (1 - delta)^(1 / groups).
fn share(delta: Delta, groups: u32) -> Result<f64, DpError> {
    if groups == 0 {
        return Err(DpError::SensitivityZero);
    }
    if delta == Delta::ZERO || delta == Delta::MAX {
        return Err(DpError::Delta);
    }
    Ok(share_of(delta.units() as f64 / 1e18, groups))
}

fn share_of(delta: f64, groups: u32) -> f64 {
    -((-delta).ln_1p() / f64::from(groups)).exp_m1() * (1.0 - SLACK)
}

/// `most` and the steps, rounded up.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 2^52")]
fn from_steps(steps: f64, most: u64) -> Result<u64, DpError> {
    if steps > THRESHOLD_MAX {
        return Err(DpError::Threshold);
    }
    (steps.ceil() as u64).checked_add(most).ok_or(DpError::Threshold)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn delta(text: &str) -> Delta {
        Delta::parse(text).unwrap()
    }

    /// Row P28 of the reference, on a grid of a thousandth: linf = 1 is 1,000 steps. A discrete law is a little to the
    /// right of the continuous one.
    #[test]
    fn laplace_thresholds_of_the_reference() {
        let scale = Scale::new(1_000_000_000_000_000, 1_098_612_288_668).unwrap();
        for (text, truth) in [("0.00000001", 17_136.30), ("0.0001", 8_752.68), ("0.01", 4_560.88)] {
            let threshold = laplace_threshold(scale, 1_000, delta(text), 1).unwrap() as f64;
            assert!((truth..truth + 2.0).contains(&threshold), "{text}: {threshold}");
        }
        // Row P29: for more groups the scale grows with them.
        for (groups, truth) in [(1_u32, 50.0), (2, 100.262), (5, 253.325), (10, 511.959)] {
            let scale = f64::from(groups) / 3_f64.ln();
            let steps = 1.0 - scale * (2.0 * share_of(2.089_433_4e-24, groups)).ln();
            assert!((steps - truth).abs() <= 1e-3 * truth, "{groups}: {steps}");
        }
    }

    /// Row P31, on a grid of a thousandth of sigma.
    #[test]
    fn gaussian_thresholds_of_the_reference() {
        for (sigma, text, groups, truth) in [
            (1_u128, "0.0000000001", 1, 7.361_340_902_404_056),
            (10, "0.00001", 10, 48.534_233_994_218_88),
            (10, "0.000000000000001", 100, 85.937_932_241_095_98),
        ] {
            let squared = SigmaSquared::new((1_000 * sigma).pow(2), 1).unwrap();
            let threshold = gaussian_threshold(squared, 1_000, delta(text), groups).unwrap() as f64 / 1_000.0;
            assert!(truth <= threshold && threshold <= truth + 0.005 * sigma as f64, "{sigma} {text}: {threshold}");
        }
    }

    /// The exact tail at the threshold is within the share, and one step less is not.
    #[test]
    fn thresholds_are_the_least_by_the_discrete_tail() {
        for (t, s) in [(1, 1), (10, 3), (40, 1), (1, 3)] {
            for text in ["0.3", "0.001", "0.00000001"] {
                let a = (-(s as f64) / t as f64).exp();
                let tail = |k: u64| a.powi(i32::try_from(k).unwrap()) / (1.0 + a);
                let k = laplace_threshold(Scale::new(t, s).unwrap(), 4, delta(text), 1).unwrap() - 4;
                let share = text.parse::<f64>().unwrap();
                assert!(tail(k) <= share && (k == 1 || tail(k - 1) > share * (1.0 - 1e-9)), "{t}/{s} {text}: {k}");
                let sigma_squared = t as f64 / s as f64;
                let weight = |y: i32| (-f64::from(y).powi(2) / (2.0 * sigma_squared)).exp();
                let total = (-200..=200).map(weight).sum::<f64>();
                let tail = |k: u64| (i32::try_from(k).unwrap()..=200).map(weight).sum::<f64>() / total;
                let k = gaussian_threshold(SigmaSquared::new(t, s).unwrap(), 4, delta(text), 1).unwrap() - 4;
                assert!(tail(k) <= share && (k == 1 || tail(k - 1) > share * (1.0 - 0.1)), "{t}/{s} {text}: {k}");
            }
        }
    }

    #[test]
    fn wrong_parameters_are_refused_by_name() {
        let scale = Scale::new(1, 1).unwrap();
        assert_eq!(laplace_threshold(scale, 1, Delta::ZERO, 1), Err(DpError::Delta));
        assert_eq!(laplace_threshold(scale, 1, Delta::MAX, 1), Err(DpError::Delta));
        assert_eq!(laplace_threshold(scale, 1, delta("0.1"), 0), Err(DpError::SensitivityZero));
        assert_eq!(laplace_threshold(Scale::new(1 << 100, 1).unwrap(), 1, delta("0.1"), 1), Err(DpError::Threshold));
        assert_eq!(laplace_threshold(scale, u64::MAX, delta("0.1"), 1), Err(DpError::Threshold));
        assert_eq!(gaussian_threshold(SigmaSquared::new(1 << 125, 1).unwrap(), 1, delta("0.1"), 1), Err(DpError::Threshold));
    }
}
