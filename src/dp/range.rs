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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::dp::{DiscreteLaplace, Scale, SigmaSquared};
    use crate::random::RecordedRandom;

    fn laws() -> [Law; 2] {
        [Law::Laplace(Scale::new(20, 1).unwrap()), Law::Gaussian(SigmaSquared::new(900, 1).unwrap())]
    }

    #[test]
    fn slots_grow_with_the_value_and_hold_it() {
        let edges = (0..63).flat_map(|bits| [(1_i64 << bits) - 1, 1 << bits, -(1 << bits), 1 - (1 << bits)]);
        let mut values = edges.chain([i64::MIN, i64::MIN + 1, -5, 0, 3, i64::MAX - 1, i64::MAX]).collect::<Vec<_>>();
        values.sort_unstable();
        assert!(values.is_sorted_by_key(|value| slot(*value)));
        for value in values {
            let (low, high) = ends(slot(value));
            assert!(low <= value && value <= high, "{value}: {low}..={high}");
        }
        assert_eq!((slot(i64::MIN), slot(0), slot(i64::MAX)), (0, ZERO, SLOTS - 1));
        // Slots meet without a gap.
        assert!((1..SLOTS).all(|at| ends(at - 1).1.checked_add(1) == Some(ends(at).0)));
    }

    #[test]
    fn bounds_reach_over_the_filled_slots() {
        for law in laws() {
            let mut noisy = [0_i128; SLOTS];
            assert_eq!(bounds(&noisy, law), None);
            noisy[slot(-3)] = 10_000;
            noisy[slot(100)] = 20_000;
            noisy[slot(0)] = threshold(law);
            assert_eq!(bounds(&noisy, law), Some((-3, 127)));
            noisy[slot(-3)] = threshold(law);
            assert_eq!(bounds(&noisy, law), Some((64, 127)));
            noisy[slot(0)] += 1;
            assert_eq!(bounds(&noisy, law), Some((0, 127)));
            noisy[slot(i64::MIN)] = 10_000;
            noisy[slot(i64::MAX)] = 10_000;
            assert_eq!(bounds(&noisy, law), Some((i64::MIN, i64::MAX)));
            assert_eq!(bounds(&noisy[1..], law), None);
        }
        let widest = Law::Laplace(Scale::new((1 << 126) - 1, 1).unwrap());
        assert_eq!(bounds(&[i128::MAX; SLOTS], widest), None);
    }

    /// The threshold is the least: 128 P(Y > t) <= 10^-9, one step less is more.
    #[test]
    fn the_threshold_is_that_of_the_exact_tail() {
        let [laplace, gaussian] = laws();
        let a = (-1.0 / 20.0_f64).exp();
        let tail = |t: i128| 128.0 * a.powi(i32::try_from(t).unwrap() + 1) / (1.0 + a);
        let t = threshold(laplace);
        assert!(tail(t) <= 1e-9 && tail(t - 1) > 1e-9);
        let weight = |y: i32| (-f64::from(y).powi(2) / 1800.0).exp();
        let total = (-600..=600).map(weight).sum::<f64>();
        let tail = |t: i128| 128.0 * (i32::try_from(t).unwrap() + 1..=600).map(weight).sum::<f64>() / total;
        let t = threshold(gaussian);
        assert!(tail(t) <= 1e-9 && tail(t - 1) > 1e-9, "{t} {}", tail(t));
    }

    #[test]
    fn a_histogram_of_no_rows_has_no_bounds() {
        let mut random = RecordedRandom::from_seed("a_histogram_of_no_rows_has_no_bounds");
        let law = laws()[0];
        let sampler = DiscreteLaplace::prepare(Scale::new(20, 1).unwrap());
        for _ in 0..1_000 {
            let mut noisy = [0; SLOTS];
            sampler.fill(&mut noisy, &mut random);
            assert_eq!(bounds(&noisy, law), None);
        }
    }
}
