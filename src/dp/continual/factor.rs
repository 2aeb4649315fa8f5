//! The factor of the running sum: coefficients of (1 - x)^(-1/2), rounded to a public grid.

use super::ContinualError;
use super::participation::check;

/// Fraction bits of the public grid of R: its entries are multiples of 2^-24. At the longest horizon rounding costs less
/// than 2^-8 of the factor, and sigma^2 has parts below 2^126 at every rho.
pub(super) const GRID_BITS: u32 = 24;
/// Fraction bits of the coefficients before they are rounded.
const FINE_BITS: u32 = 100;
/// One step of the grid.
pub(super) const GRID_STEP: f64 = 1.0 / (1_u64 << GRID_BITS) as f64;

/// The coefficients f_k of (1 - x)^(-1/2), in units of 2^-100, rounded down: f_0 = 1, f_k = f_(k-1) (2k - 1) / (2k).
///
/// Rounding adds less than one unit a step, so f_k is right to k 2^-100. None is larger than the one before.
pub(super) fn coefficients() -> impl Iterator<Item = u128> {
    let next = |(k, f): &(u128, u128)| Some((k + 1, f * (2 * k + 1) / (2 * k + 2)));
    std::iter::successors(Some((0, 1 << FINE_BITS)), next).map(|(_, f)| f)
}

/// r_k = f_k rounded to the grid, in its steps: 2^24, 2^23, ..., not increasing because rounding is monotone.
#[expect(clippy::cast_possible_truncation, reason = "at most 2^24")]
pub(super) fn weights(horizon: u32) -> Vec<u32> {
    const CUT: u32 = FINE_BITS - GRID_BITS;
    coefficients().take(horizon as usize).map(|f| ((f + (1 << (CUT - 1))) >> CUT) as u32).collect()
}

/// The largest squared L2 norm of a sum of columns of R, `participations` of them at most, `separation` apart at least,
/// in squared steps of the grid: exact.
///
/// It is that of columns 0, b, 2b, ...: as many as allowed. The squared norm is a sum of inner products of two columns p <= q,
/// sum over k < n - q of r_k r_(k+q-p), which no larger q and no larger q - p increases, r being positive and not
/// increasing; and of any admissible columns the i-th is at least i b, the i-th and j-th at least (j - i) b apart. The argument
/// allows every choice of columns, and counts in [0, 1] instead of 1.
pub(super) fn squared_norm(weights: &[u32], participations: u32, separation: u32) -> u128 {
    let separation = separation as usize;
    let width = separation.saturating_mul(participations as usize);
    // sum_t = r_t + r_(t-b) + ... of `participations` terms at most.
    let mut sums = Vec::<u128>::with_capacity(weights.len());
    for (t, weight) in weights.iter().enumerate() {
        let before = t.checked_sub(separation).map_or(0, |at| sums[at]);
        let left = t.checked_sub(width).map_or(0, |at| weights[at].into());
        sums.push(u128::from(*weight) + before - left);
    }
    // Sums are below 2^16 2^24, their squares together below 2^96.
    sums.iter().map(|sum| sum * sum).sum()
}

/// Upper bounds of the squared norms of the rows of L = M R^-1, for R in whole counts: element t is that of period t.
///
/// With a(x) = (1 - x)^(-1/2), R is the series a + e, |e_k| <= 2^-25 and e_0 = 0, and L = a / (1 + e/a). The coefficients
/// of 1/a have magnitudes that sum to 2, so those of e/a sum to t 2^-24 over t terms, those of 1 / (1 + e/a) to at most
/// 1 / (1 - t 2^-24), and by Young's inequality the norm of a row exceeds that of (f_0, ..., f_(t-1)) by no more than this.
pub(super) fn row_squares(horizon: u32) -> Vec<f64> {
    /// Above all roundings of a sum of 2^16 terms, and of f.
    const SLACK: f64 = 1.0 / (1_u64 << 35) as f64;
    let fine = (1_u128 << FINE_BITS) as f64;
    let mut sum = 0.0;
    let rows = coefficients().zip(1..=horizon).map(|(f, terms)| {
        sum += (f as f64 / fine).powi(2);
        sum * (1.0 + SLACK) / (1.0 - f64::from(terms) * GRID_STEP).powi(2)
    });
    rows.collect()
}

/// How much larger the standard deviation of the noisiest value is than that of one count at the same rho: the largest
/// norm of a row of L times the sensitivity of R, rounded up.
///
/// The standard deviation itself is this divided by sqrt(2 rho). At 1,024 periods and one participation it is 3.273;
/// without rounding it would be f_0^2 + ... + f_1023^2 = 3.27255. At seven participations it is 20.07, and 15.71 if they
/// are 32 periods apart. Noise of its own on each count has sqrt(n m), which is less when a unit may count in nearly every
/// period: 1,024 against 1,478 in all of them.
///
/// # Errors
/// When the horizon is not from 1 to 2^16, participations or separation not from 1 to the horizon.
pub fn factor(horizon: u32, participations: u32, separation: u32) -> Result<f64, ContinualError> {
    check(horizon, participations, separation)?;
    let squared = squared_norm(&weights(horizon), participations, separation) as f64 * GRID_STEP * GRID_STEP;
    let rows = row_squares(horizon).last().copied().unwrap_or_default();
    Ok((squared * rows).sqrt() * (1.0 + 4.0 * f64::EPSILON))
}
