//! Exact decisions against exp(-n/d), by as many bits as they need. About 10 microseconds each; rare.

use super::limbs::Nat;
use crate::random::Random;

/// Decides U a < b exp(-n/d), where U is a uniform infinite string of bits that opens with the 64 bits `lead`.
///
/// More bits of U are drawn only while the known ones leave the answer open, and the bracket of the exponential
/// narrows with them, so the answer is that of infinite precision and the loop ends with probability one.
#[cold]
pub(super) fn decide<R: Random + ?Sized>(lead: u64, a: &Nat, b: &Nat, n: &Nat, d: &Nat, random: &mut R) -> bool {
    let one = Nat::one();
    let mut uniform = Nat::from(lead);
    let mut bits = 64;
    loop {
        let (low, high) = exp_bracket(n, d, bits);
        if uniform.add(&one).mul(a) <= b.mul(&low) {
            return true;
        }
        if uniform.mul(a) >= b.mul(&high) {
            return false;
        }
        uniform = uniform.shl(64).add(&Nat::from(random.next_u64()));
        bits += 64;
    }
}

/// Integers `low <= 2^bits exp(-n/d) <= high`, at most 3 apart.
///
/// With x = n/d, y = x/2^k < 1/2: the Taylor series of exp(-y), then k squarings, every rounding directed.
/// The squarings double the relative error k times, which the extra k bits of the fixed point absorb;
/// 64 guard bits leave room for the rest.
pub(in crate::dp) fn exp_bracket(n: &Nat, d: &Nat, bits: usize) -> (Nat, Nat) {
    let guarded = bits + 64;
    let x = n.shl(guarded).div(d);
    let whole = x.shr(guarded);
    if whole >= Nat::from(bits as u64) {
        return (Nat::default(), Nat::one()); // exp(-bits) < 2^-bits
    }
    let halvings = whole.bits() + 1;
    let point = guarded + halvings; // with this point, the digits of x are those of y = x / 2^halvings
    let (mut low, mut high) = exp_small(&x, point);
    for _ in 0..halvings {
        low = low.mul(&low).shr(point);
        high = high.mul(&high).shr_up(point);
    }
    (low.shr(point - bits), high.shr_up(point - bits))
}

/// A bracket of 2^point exp(-y) for y within 1 of `digits` in units of 2^-point, y < 1/2.
///
/// A term is floor(previous * y) floor-divided by its index: its error e_i <= e_(i-1)/2 + 2 stays below 4 units.
/// The sum stops when a term is 0, so what is left out is below 4 + 1 units (alternating, decreasing). One more
/// unit is for the digits of y that were cut off.
fn exp_small(digits: &Nat, point: usize) -> (Nat, Nat) {
    let mut term = Nat::one().shl(point);
    let (mut plus, mut minus) = (Nat::default(), Nat::default());
    let mut index = 0_u64;
    while !term.is_zero() {
        let side = if index.is_multiple_of(2) { &mut plus } else { &mut minus };
        *side = side.add(&term);
        index += 1;
        term = term.mul(digits).shr(point).div(&Nat::from(index));
    }
    let sum = plus.sub(&minus);
    let slack = Nat::from(4 * index + 6);
    (sum.sub(&slack), sum.add(&slack))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::cast_possible_truncation)]
mod tests {
    use super::*;
    use crate::random::ScriptedRandom;

    fn bracket(n: u128, d: u128, bits: usize) -> (Nat, Nat) {
        exp_bracket(&Nat::from(n), &Nat::from(d), bits)
    }

    #[test]
    fn brackets_known_values() {
        // floor(2^128 exp(-x)), from mpmath at 60 digits.
        for (n, d, digits) in [
            (1_u128, 1_u128, "125182886983370532117250726298150828301"),
            (1, 3, "243822970335011067903414604203639432393"),
            (10, 1, "15448795557622704876497742989562085"),
            (1 << 100, (1 << 100) + 1, "125182886983370532117250726298249580187"),
        ] {
            let value = Nat::from(digits.parse::<u128>().unwrap());
            let (low, high) = bracket(n, d, 128);
            assert!(low <= value.add(&Nat::one()) && value <= high, "exp(-{n}/{d})");
            assert!(high.sub(&low) <= Nat::from(3_u64), "exp(-{n}/{d})");
        }
    }

    #[test]
    fn is_narrow_and_nested_everywhere() {
        for (n, d) in [(0, 1), (1, u128::MAX >> 2), (u128::MAX >> 2, 1), (63, 1), (355, 8), (1 << 61, (1 << 62) - 1)] {
            let (low, high) = bracket(n, d, 64);
            let (fine_low, fine_high) = bracket(n, d, 192);
            assert!(high.sub(&low) <= Nat::from(3_u64), "exp(-{n}/{d})");
            assert!(low.shl(128) <= fine_high && fine_low <= high.shl(128), "exp(-{n}/{d})");
        }
    }

    #[test]
    fn a_tie_is_decided_by_as_many_words_as_it_needs() {
        // The first 128 bits of U are those of exp(-1/3): only the third word decides.
        let digits = "243822970335011067903414604203639432393".parse::<u128>().unwrap();
        let next = bracket(1, 3, 192).0.sub(&Nat::from(digits).shl(64)).to_u128().unwrap() as u64;
        let lead = (digits >> 64) as u64;
        let one = Nat::one();
        for (third, expected) in [(next - 8, true), (next + 8, false)] {
            let mut random = ScriptedRandom::new(vec![digits as u64, third]);
            let kept = decide(lead, &one, &one, &one, &Nat::from(3_u64), &mut random);
            assert_eq!((kept, random.used()), (expected, 2));
        }
    }
}
