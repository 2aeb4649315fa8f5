//! Noise whose work does not depend on the draw: the two-sided geometric law, digit by digit.

use std::fmt;

use super::Scale;
use super::decide::exp_bracket;
use super::limbs::Nat;
use crate::random::Random;

/// Fraction bits of a decision.
const WORD_BITS: usize = 128;
/// Fraction bits of what decisions are rounded from.
const FINE_BITS: usize = 192;

/// A sampler of the two-sided geometric law a^|y| cut to -2^bits <= y < 2^bits, a = exp(-1/scale), whose work does not
/// depend on what it draws.
///
/// A geometric variable below 2^bits has independent binary digits: digit i is 1 with probability
/// a^(2^i) / (1 + a^(2^i)). With G such a variable, G with probability 1 / (1 + a) and else -1 - G has the stated law.
/// Each of these `bits + 1` decisions compares 128 fresh random bits with a stored threshold: [`words`](Self::words)
/// words a draw, the same reads, comparisons and shifts whatever comes out. There is no branch or index in the source
/// that depends on a drawn bit.
///
/// # Source
/// Ghosh, Roughgarden, Sundararajan, arXiv 0811.2841 (truncated geometric mechanism).
///
/// # Not promised
/// An exact law: thresholds are rounded down to multiples of 2^-128, so that the law is within a total variation of
/// (bits + 1) 2^-127 of the stated one, and that is part of the delta that is charged. What the compiler makes of the
/// source is not checked, nor is the addition to the value, which saturates.
#[derive(Clone)]
pub struct BoundedLaplace {
    scale: Scale,
    /// Of digit i; the first is that of the sign too.
    thresholds: Box<[u128]>,
}

impl BoundedLaplace {
    /// The most bits of a magnitude.
    pub const BITS_MAX: u32 = 120;

    /// `bits` from 1 to [`BITS_MAX`](Self::BITS_MAX), cut to that range.
    #[must_use]
    pub fn prepare(scale: Scale, bits: u32) -> Self {
        let digits = 0..bits.clamp(1, Self::BITS_MAX) as usize;
        Self { scale, thresholds: digits.map(|digit| threshold(scale, digit)).collect() }
    }

    /// The scale.
    #[must_use]
    pub fn scale(&self) -> Scale {
        self.scale
    }

    /// Every draw is at least minus this and below this: 2^bits.
    #[must_use]
    pub fn bound(&self) -> i128 {
        1 << self.thresholds.len()
    }

    /// Random words of each draw.
    #[must_use]
    pub fn words(&self) -> usize {
        2 * (self.thresholds.len() + 1)
    }

    /// One draw.
    #[must_use]
    pub fn sample<R: Random + ?Sized>(&self, random: &mut R) -> i128 {
        let digits = self.thresholds.iter().enumerate();
        let magnitude = digits.fold(0, |magnitude, (digit, threshold)| magnitude | i128::from(below(*threshold, random)) << digit);
        // -1 - G is G with all bits turned.
        magnitude ^ -i128::from(below(self.thresholds[0], random))
    }

    /// Adds an independent draw to each of `values`; saturates at the range of `i128`, which is post-processing.
    pub fn add_noise<R: Random + ?Sized>(&self, values: &mut [i128], random: &mut R) {
        values.iter_mut().for_each(|value| *value = value.saturating_add(self.sample(random)));
    }

    #[cfg(test)]
    pub(in crate::dp) fn thresholds(&self) -> &[u128] {
        &self.thresholds
    }
}

impl fmt::Debug for BoundedLaplace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoundedLaplace").field("scale", &self.scale).field("bound", &self.bound()).finish_non_exhaustive()
    }
}

/// 1 with probability threshold / 2^128, by the borrow of a subtraction.
#[inline]
fn below<R: Random + ?Sized>(threshold: u128, random: &mut R) -> u8 {
    let uniform = u128::from(random.next_u64()) << 64 | u128::from(random.next_u64());
    u8::from(uniform.overflowing_sub(threshold).1)
}

/// 2^128 e / (1 + e), e = exp(-2^digit / scale), less than 2 too small.
fn threshold(scale: Scale, digit: usize) -> u128 {
    let exponent = Nat::from(scale.denominator()).shl(digit);
    let (low, _) = exp_bracket(&exponent, &Nat::from(scale.numerator()), FINE_BITS);
    low.shl(WORD_BITS).div(&Nat::one().shl(FINE_BITS).add(&low)).to_u128().unwrap_or(u128::MAX / 2)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
mod tests {
    use super::*;
    use crate::random::{RecordedRandom, ScriptedRandom};

    #[test]
    fn every_draw_takes_the_same_words() {
        for (scale, bits) in [((1, 3), 1), ((7, 2), 9), ((1 << 100, 3), 120)] {
            let sampler = BoundedLaplace::prepare(Scale::new(scale.0, scale.1).unwrap(), bits);
            for draw in 1..=200 {
                let mut random = ScriptedRandom::with_tail(vec![], &format!("words {draw}"));
                let point = sampler.sample(&mut random);
                assert_eq!(random.used(), sampler.words());
                assert!((-sampler.bound()..sampler.bound()).contains(&point));
            }
        }
    }

    /// A script of extreme words reaches both ends, and every word decides its own digit alone.
    #[test]
    fn scripts_reach_every_point() {
        let sampler = BoundedLaplace::prepare(Scale::new(5, 1).unwrap(), 3);
        for wanted in 0..16_u64 {
            let words = (0..4).flat_map(|digit| [if wanted >> digit & 1 == 1 { 0 } else { u64::MAX }; 2]).collect();
            let magnitude = i128::from(wanted & 7);
            let expected = if wanted & 8 == 0 { magnitude } else { -1 - magnitude };
            assert_eq!(sampler.sample(&mut ScriptedRandom::new(words)), expected);
        }
    }

    /// The product of the thresholds' probabilities is the law itself, to 60 bits, at every point.
    #[test]
    fn thresholds_multiply_to_the_law() {
        for (t, s, bits) in [(1, 1, 4), (10, 1, 6), (3, 7, 3), (1_000_003, 1_000, 9)] {
            let sampler = BoundedLaplace::prepare(Scale::new(t, s).unwrap(), bits);
            let a = (-(s as f64) / t as f64).exp();
            let norm = (1.0 - a) / (1.0 + a) / (1.0 - a.powi(1 << bits));
            let digit_law = |digit: usize| sampler.thresholds()[digit] as f64 / 2_f64.powi(128);
            for point in -sampler.bound()..sampler.bound() {
                let magnitude = if point < 0 { -1 - point } else { point };
                let sign = if point < 0 { digit_law(0) } else { 1.0 - digit_law(0) };
                let digits =
                    (0..bits as usize).map(|digit| if magnitude >> digit & 1 == 1 { digit_law(digit) } else { 1.0 - digit_law(digit) });
                let found = sign * digits.product::<f64>();
                let truth = norm * a.powi(point.unsigned_abs() as i32);
                assert!((found - truth).abs() <= 1e-12 * truth, "{t}/{s} at {point}: {found} {truth}");
            }
        }
    }

    /// Chi-square over all points, false alarm below 10^-6.
    #[test]
    fn draws_follow_the_law() {
        let mut random = RecordedRandom::from_seed("bounded draws_follow_the_law");
        let sampler = BoundedLaplace::prepare(Scale::new(4, 1).unwrap(), 4);
        const DRAWS: u32 = 400_000;
        let mut counts = [0.0; 32];
        (0..DRAWS).for_each(|_| counts[(sampler.sample(&mut random) + 16) as usize] += 1.0);
        let a = (-0.25_f64).exp();
        let norm = (1.0 - a) / (1.0 + a) / (1.0 - a.powi(16)) * f64::from(DRAWS);
        let statistic = (0..32)
            .map(|at| (counts[at as usize], norm * a.powi((at - 16_i32).abs())))
            .map(|(found, expected)| (found - expected).powi(2) / expected);
        let statistic = statistic.sum::<f64>();
        assert!(statistic < 31.0 + 2.0 * (31.0 * 13.82_f64).sqrt() + 2.0 * 13.82, "{statistic}");
    }
}
