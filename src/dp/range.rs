//! Automatic bounds (自动取界): the range of a column from a noisy histogram of magnitudes.
//!
//! Each row is counted in the [`slot`] of its value: 0, or one of the stretches 2^k..=2^(k + 1) - 1 of either sign.
//! The [`bounds`] reach from the lowest slot to the highest whose noisy count stands out. All of it is post-processing of
//! a histogram that is paid for: a unit with at most m rows changes it by m in the L1 norm.
//!
//! # Source
//! Google's differential privacy library, `approx-bounds`: a histogram over powers of two with a threshold from a
//! probability of false positives.
//!
//! # Not promised
//! That all values are within: slots with fewer rows than the threshold are cut off.

use super::Law;
use super::interval::half_width_at;

/// How many slots there are: one for 0, 63 above it, 64 below it.
pub const SLOTS: usize = 128;
/// The slot of 0.
const ZERO: usize = 64;
/// A histogram of no rows gives bounds with a probability of at most one in this, all slots together.
const FALSE_ONE_IN: u64 = 1_000_000_000;

/// The slot of a value; grows with it.
///
/// 0 has slot 64, a value of k bits has slot 64 + k or 64 - k by its sign.
#[must_use]
pub fn slot(value: i64) -> usize {
    let bits = (u64::BITS - value.unsigned_abs().leading_zeros()) as usize;
    if value < 0 { ZERO - bits } else { ZERO + bits }
}

/// The least and the greatest value of a slot below [`SLOTS`].
fn ends(slot: usize) -> (i64, i64) {
    // The outer end of the stretch of k bits is 2^k - 1, the inner 2^(k - 1); i64 saturates at 64 bits.
    let outer = |bits: usize| (1_i128 << bits) - 1;
    let inner = |bits: usize| (1_i128 << bits) / 2;
    let (low, high) = match slot.checked_sub(ZERO) {
        Some(bits) => (inner(bits), outer(bits)),
        None => (-outer(ZERO - slot), -inner(ZERO - slot)),
    };
    let fit = |value: i128| i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX });
    (fit(low), fit(high))
}

/// The bounds that a noisy histogram of [`SLOTS`] counts shows, the noise of each drawn from `law`.
///
/// A slot counts as filled when its noisy count is above the threshold t with P(Y > t) <= 10^-9 / SLOTS, so that a
/// histogram of no rows shows no bounds but with a probability of 10^-9. None where no slot is filled, or the
/// histogram has another length.
#[must_use]
pub fn bounds(noisy: &[i128], law: Law) -> Option<(i64, i64)> {
    if noisy.len() != SLOTS {
        return None;
    }
    let threshold = threshold(law);
    let filled = |count: &i128| *count > threshold;
    let (low, high) = (noisy.iter().position(filled)?, noisy.iter().rposition(filled)?);
    Some((ends(low).0, ends(high).1))
}

/// P(Y > t) is half of P(|Y| > t).
fn threshold(law: Law) -> i128 {
    i128::try_from(half_width_at(law, FALSE_ONE_IN * SLOTS as u64 / 2)).unwrap_or(i128::MAX)
}
