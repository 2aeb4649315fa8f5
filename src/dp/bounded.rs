//! The mechanism of bounded work: truncated geometric noise, at a delta.

use super::noise::{Nat, exp_bracket};
use super::{BoundedLaplace, DpError, LaplaceMechanism};
use crate::budget::{Delta, Epsilon};
use crate::random::Random;

/// Fraction bits of the account.
const BITS: usize = 192;

/// The truncated geometric mechanism on integers: bounded work, at a delta.
///
/// Neighbours: data sets that differ by adding or removing one privacy unit. Norm: L1, in grid steps. Guarantee:
/// (epsilon, delta)-differential privacy with the delta of [`delta`](Self::delta). Noise: [`BoundedLaplace`] of scale
/// sensitivity / epsilon and the least range that keeps to the wanted delta.
///
/// Where both of two neighbours can give an answer, its probabilities differ by exp(epsilon) at most; delta is the mass
/// of the answers that only one can give, the D outermost points on one side for sensitivity D, and
/// (1 + exp(epsilon)) (bits + 1) 2^-127 for the rounding of the sampler.
#[derive(Clone, Debug)]
pub struct BoundedLaplaceMechanism {
    noise: BoundedLaplace,
    delta: Delta,
}

impl BoundedLaplaceMechanism {
    /// The mechanism for a value of L1 sensitivity `sensitivity` grid steps at (`epsilon`, `delta`).
    ///
    /// # Errors
    /// When sensitivity, epsilon or delta is zero, delta is 1, the scale has a part of 2^126 or more, or no range below
    /// 2^120 keeps to delta.
    pub fn new(sensitivity: u128, epsilon: Epsilon, delta: Delta) -> Result<Self, DpError> {
        if delta == Delta::ZERO || delta == Delta::MAX {
            return Err(DpError::Delta);
        }
        let scale = LaplaceMechanism::new(sensitivity, epsilon)?.scale();
        let least = 128 - (sensitivity - 1).leading_zeros();
        let (t, s) = (Nat::from(scale.numerator()), Nat::from(scale.denominator()));
        for bits in least.max(1)..=BoundedLaplace::BITS_MAX {
            let charged = Account { sensitivity, epsilon, t: &t, s: &s, bits }.delta();
            if let Some(charged) = charged.filter(|charged| *charged <= delta) {
                return Ok(Self { noise: BoundedLaplace::prepare(scale, bits), delta: charged });
            }
        }
        Err(DpError::Range)
    }

    /// The noise.
    #[must_use]
    pub fn noise(&self) -> &BoundedLaplace {
        &self.noise
    }

    /// The delta that is charged: at most what was asked for, at least what the sampler costs.
    #[must_use]
    pub fn delta(&self) -> Delta {
        self.delta
    }

    /// `value` plus one draw of noise; saturates at the range of `i128`, which is post-processing.
    #[must_use]
    pub fn release<R: Random + ?Sized>(&self, value: i128, random: &mut R) -> i128 {
        value.saturating_add(self.noise.sample(random))
    }
}

/// What delta is made of; sensitivity <= 2^bits.
struct Account<'a> {
    sensitivity: u128,
    epsilon: Epsilon,
    t: &'a Nat,
    s: &'a Nat,
    bits: u32,
}

impl Account<'_> {
    /// The delta rounded up to units of 10^-18, if it is at most 1.
    ///
    /// With a = exp(-s/t) and B = 2^bits, the mass of the D uppermost points is
    /// (a^(B - D) - a^B) / ((1 + a) (1 - a^B)).
    fn delta(&self) -> Option<Delta> {
        let one = Nat::one().shl(BITS);
        let bound = 1_u128 << self.bits;
        let power = |steps: u128| exp_bracket(&Nat::from(steps).mul(self.s), self.t, BITS);
        let (inner, outer, base) = (power(bound - self.sensitivity), power(bound), power(1));
        let missed = inner.1.sub(&outer.0).shl(2 * BITS);
        let norm = one.add(&base.0).mul(&one.sub(&outer.1));
        if norm.is_zero() {
            return None;
        }
        let missed = missed.div(&norm).add(&Nat::one());
        // exp(epsilon) is at most 2^BITS / the lower end of exp(-epsilon).
        let (small, _) = exp_bracket(&Nat::from(self.epsilon.units()), &Nat::from(1_000_000_000_000_u64), BITS);
        if small.is_zero() {
            return None;
        }
        let growth = one.shl(BITS).div(&small).add(&one).add(&Nat::one());
        let rounding = growth.mul(&Nat::from(u64::from(self.bits) + 1)).shr_up(127);
        let units = missed.add(&rounding).mul(&Nat::from(1_000_000_000_000_000_000_u64)).shr_up(BITS);
        units.to_u128().and_then(|units| u64::try_from(units).ok()).and_then(Delta::from_units)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn made(sensitivity: u128, epsilon: &str, delta: &str) -> Result<BoundedLaplaceMechanism, DpError> {
        BoundedLaplaceMechanism::new(sensitivity, Epsilon::parse(epsilon).unwrap(), Delta::parse(delta).unwrap())
    }

    /// The law that is sampled, as integers over 2^(128 (bits + 1)).
    fn law(noise: &BoundedLaplace) -> Vec<Nat> {
        let one = Nat::one().shl(128);
        let digit = |at: usize, set: bool| {
            let threshold = Nat::from(noise.thresholds()[at]);
            if set { threshold } else { one.sub(&threshold) }
        };
        let points = -noise.bound()..noise.bound();
        let of = |point: i128| {
            let magnitude = if point < 0 { -1 - point } else { point };
            let digits = (0..noise.thresholds().len()).map(|at| digit(at, magnitude >> at & 1 == 1));
            digits.fold(digit(0, point < 0), |product, digit| product.mul(&digit))
        };
        points.map(of).collect()
    }

    /// The exact delta of the sampled law, for every shift up to the sensitivity and both directions, is at most what is
    /// charged; and the charge is at most a unit and the rounding more.
    #[test]
    fn the_charge_covers_the_sampled_law_at_every_shift() {
        let cases = [
            (1, "0.5", "0.001"),
            (1, "1", "0.000001"),
            (3, "0.7", "0.0001"),
            (7, "2.5", "0.01"),
            (2, "0.1", "0.05"),
            (1, "8", "0.000000000001"),
        ];
        for (sensitivity, epsilon, delta) in cases {
            let mechanism = made(sensitivity, epsilon, delta).unwrap();
            let law = law(&mechanism.noise);
            let bits = 128 * (mechanism.noise.thresholds().len() + 1);
            let units = Epsilon::parse(epsilon).unwrap().units();
            let small = exp_bracket(&Nat::from(units), &Nat::from(1_000_000_000_000_u64), 256);
            let mut worst = Nat::default();
            for shift in 1..=usize::try_from(sensitivity).unwrap() {
                for up in [true, false] {
                    let other = |at: usize| if up { at.checked_sub(shift) } else { Some(at + shift) };
                    // p - e^eps q = (p e^-eps - q) e^eps, as 2^256 (..).
                    let excess = (0..law.len()).map(|at| {
                        let q = other(at).and_then(|at| law.get(at)).cloned().unwrap_or_default();
                        law[at].mul(&small.1).sub(&q.shl(256))
                    });
                    worst = worst.max(excess.fold(Nat::default(), |sum, part| sum.add(&part)));
                }
            }
            // delta 2^(256 + bits) e^-eps >= worst
            let charged = |units: u64| Nat::from(units).mul(&small.0).shl(bits);
            let worst = worst.mul(&Nat::from(1_000_000_000_000_000_000_u64));
            assert!(charged(mechanism.delta().units()) >= worst, "{epsilon}");
            let less = mechanism.delta().units().saturating_sub(3);
            assert!(charged(less) <= worst, "{epsilon}: {} is too much", mechanism.delta());
            assert!(mechanism.delta() <= Delta::parse(delta).unwrap());
        }
    }

    #[test]
    fn the_range_is_the_least() {
        let mechanism = made(1, "0.1", "0.000000001").unwrap();
        assert_eq!(mechanism.noise().bound(), 256);
        assert_eq!(mechanism.noise().words(), 18);
        // 500,000 grid steps at epsilon 0.01: no table could hold it.
        assert_eq!(made(500_000, "0.01", "0.000000000001").unwrap().noise().words(), 2 * 32);
    }

    #[test]
    fn wrong_parameters_are_refused_by_name() {
        assert_eq!(made(0, "1", "0.1").unwrap_err(), DpError::SensitivityZero);
        assert_eq!(made(1, "0", "0.1").unwrap_err(), DpError::EpsilonZero);
        assert_eq!(made(1, "1", "0").unwrap_err(), DpError::Delta);
        assert_eq!(made(1, "1", "1").unwrap_err(), DpError::Delta);
        assert_eq!(made(1 << 119, "0.000001", "0.1").unwrap_err(), DpError::ScaleLimit { bits: 140 });
        assert_eq!(made(1 << 100, "0.000001", "0.000000000000000001").unwrap_err(), DpError::Range);
        // The rounding of the sampler, amplified by exp(epsilon), is more than delta.
        assert_eq!(made(1, "90", "0.000000000001").unwrap_err(), DpError::Range);
    }

    #[test]
    fn a_release_stays_within_the_bound() {
        let mechanism = made(4, "1", "0.000001").unwrap();
        let mut random = crate::random::RecordedRandom::from_seed("a_release_stays_within_the_bound");
        for value in [i128::MIN, -5, 0, 1 << 90, i128::MAX] {
            let answer = mechanism.release(value, &mut random);
            assert!(answer.abs_diff(value) <= mechanism.noise().bound().unsigned_abs());
        }
    }
}
