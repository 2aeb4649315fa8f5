//! Decisions with probability exp(-x) for rational x, exactly.

use super::decide::decide;
use super::exp;
use super::limbs::Nat;
use super::once::thirty_one_bits;
use crate::random::Random;

/// Exponents from here on are past the table of the exponential.
const STEEP: u128 = 64;

/// True with probability exp(-gap rate / unit), exactly, for rate and unit above 0 and unit below 2^121.
#[inline]
pub(in crate::dp) fn exp_bernoulli<const SLOW: bool, R: Random + ?Sized>(gap: u128, rate: u64, unit: u128, random: &mut R) -> bool {
    if gap == 0 {
        return true;
    }
    let word = random.next_u64();
    if !SLOW {
        // A product past 2^128 is an exponent past 128.
        let (x, width) = match gap.checked_mul(rate.into()) {
            Some(product) if product / unit < STEEP => {
                ((product / unit) << 64 | u128::from(thirty_one_bits(product % unit, unit)) << 33, 3 << 33)
            }
            _ => (STEEP << 64, 0),
        };
        let (low, high) = exp::bracket(x, width);
        if word < low {
            return true;
        }
        if u128::from(word) >= high {
            return false;
        }
    }
    let one = Nat::one();
    decide(word, &one, &one, &Nat::from(gap).mul(&Nat::from(rate)), &Nat::from(unit), random)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::decide::exp_bracket;
    use super::*;
    use crate::random::ScriptedRandom;

    /// Every word below the stated probability is true and every word above it false, but for those within 2^-28 that
    /// read on.
    #[test]
    fn words_are_split_at_the_probability() {
        for (gap, rate, unit) in [
            (1, 1, 1),
            (1, 1, 3),
            (7, 3, 2),
            (1, 1, 1 << 120),
            (u128::MAX, u64::MAX, 1 << 120),
            (1 << 64, 1 << 59, 1 << 119),
            (63, 1, 1),
            (1, 999_999_999_999, 1_000_000_000_000),
        ] {
            let (low, high) = exp_bracket(&Nat::from(gap).mul(&Nat::from(rate)), &Nat::from(unit), 64);
            let (low, high) = (low.to_u128().unwrap(), high.to_u128().unwrap());
            let room = 1 << 36;
            for lead in [0, low.saturating_sub(room), low.saturating_sub(1), low, high, high + room, u64::MAX.into()] {
                let Ok(lead) = u64::try_from(lead) else { continue };
                let outcomes = [0, u64::MAX].map(|next| {
                    let mut random = ScriptedRandom::with_tail(vec![lead, next, next], "split");
                    (exp_bernoulli::<false, _>(gap, rate, unit, &mut random), random.used())
                });
                if u128::from(lead) < low {
                    assert!(outcomes.iter().all(|(kept, _)| *kept), "{gap} {rate} {unit} at {lead}");
                }
                if u128::from(lead) >= high {
                    assert!(outcomes.iter().all(|(kept, _)| !*kept), "{gap} {rate} {unit} at {lead}");
                }
                if u128::from(lead) + room <= low || u128::from(lead) >= high + room {
                    assert!(outcomes.iter().all(|(_, used)| *used == 1), "{gap} {rate} {unit} at {lead}");
                }
            }
        }
        assert!(exp_bernoulli::<false, _>(0, 1, 1, &mut ScriptedRandom::new(vec![])));
    }

    #[test]
    fn the_slow_path_alone_says_the_same() {
        for lead in (0..64).map(|step| step << 58) {
            let draw = |slow: bool| {
                let mut random = ScriptedRandom::with_tail(vec![lead], "slow");
                if slow { exp_bernoulli::<true, _>(5, 2, 13, &mut random) } else { exp_bernoulli::<false, _>(5, 2, 13, &mut random) }
            };
            assert_eq!(draw(true), draw(false));
        }
    }
}
