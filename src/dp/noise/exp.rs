//! exp(-x) to 64 bits with a proven error: what decides all but about one decision in 2^50.
#![expect(clippy::cast_possible_truncation, reason = "the upper half of a double-width product is taken")]

/// 1.0 in units of 2^-64.
pub(super) const ONE: u128 = 1 << 64;

/// Hand bound on the error of [`exp`], in units of 2^-64, is 9 (see there); 16 is used.
const SLACK: u64 = 16;

/// exp(-1/64) in units of 2^-128. The series 1 - exp(-r) = r - r^2/2 + r^3/6 - ... at r = 2^-6, whose terms are
/// floored: 18 terms, error below 40 units.
const STEP: u128 = {
    let mut term: u128 = 1 << 122;
    let mut one_less = 0_u128;
    let mut index = 1;
    while term > 0 {
        one_less = if index % 2 == 1 { one_less + term } else { one_less - term };
        index += 1;
        term = (term >> 6) / index;
    }
    one_less.wrapping_neg()
};

/// Floors of exp(-j/64), j = 0..64, in units of 2^-64 (exp(0) as 1 - 2^-64): powers of [`STEP`], each product
/// adding less than 43 units of 2^-128, so that a floor is off by at most one.
static FINE: [u64; 64] = powers(STEP);

/// Floors of exp(-i), i = 0..64, the same way from exp(-1) = exp(-1/64)^64.
static COARSE: [u64; 64] = powers(power_64(STEP));

/// 1/k! in units of 2^-64, k = 1..9 (1/1! as 1 - 2^-64).
const INVERSE_FACTORIAL: [u64; 8] = {
    let mut values = [u64::MAX; 8];
    let mut at = 1;
    let mut factorial = 1;
    while at < 8 {
        factorial *= at as u128 + 1;
        values[at] = (ONE / factorial) as u64;
        at += 1;
    }
    values
};

/// A bracket of exp(-x) in units of 2^-64 for every real x in [x, x + width] units of 2^-64.
///
/// The slope of exp(-x) is at most 1, so `width` enters the lower end as it is.
#[inline]
pub(super) fn bracket(x: u128, width: u128) -> (u64, u128) {
    let value = exp(x);
    let below = u64::try_from(width).unwrap_or(u64::MAX).saturating_add(SLACK);
    (value.saturating_sub(below), (u128::from(value) + u128::from(SLACK)).min(ONE))
}

/// exp(-x), x in units of 2^-64; 0 from x = 64 on, where the truth is below 2^-92.
///
/// x = i + j/64 + r with r < 1/64: two table values times the series of exp(-r) to degree 8, whose rest is below
/// 2^-72. Errors in units of 2^-64: each Horner step floors a product (1) and has a floored coefficient (1), damped
/// by r at the next step: below 3 in all with the saturated one; two products (1 each) and two tables (1 each, 2 at
/// exp(0)): below 9.
#[inline]
fn exp(x: u128) -> u64 {
    let whole = (x >> 64) as u64;
    if x >> 64 >= 64 {
        return 0;
    }
    let part = x as u64;
    let rest = part << 6 >> 6;
    let mut series = INVERSE_FACTORIAL[7];
    for at in (0..7).rev() {
        series = INVERSE_FACTORIAL[at] - high(rest, series);
    }
    let series = u64::MAX - high(rest, series);
    high(high(series, FINE[(part >> 58) as usize]), COARSE[whole as usize])
}

/// A bracket of exp(-k) in units of 2^-64, k = 1..64.
#[inline]
pub(super) fn exp_whole(k: usize) -> (u64, u64) {
    (COARSE[k].saturating_sub(2), COARSE[k] + 2)
}

/// floor(a b / 2^64).
#[inline]
const fn high(a: u64, b: u64) -> u64 {
    ((a as u128 * b as u128) >> 64) as u64
}

/// floor(a b / 2^128), or one less.
const fn high_128(a: u128, b: u128) -> u128 {
    let (a1, a0) = (a >> 64, a & (ONE - 1));
    let (b1, b0) = (b >> 64, b & (ONE - 1));
    let middle = a1 * b0;
    let other = a0 * b1;
    let carry = ((a0 * b0) >> 64) + (middle & (ONE - 1)) + (other & (ONE - 1));
    a1 * b1 + (middle >> 64) + (other >> 64) + (carry >> 64)
}

const fn power_64(base: u128) -> u128 {
    let mut value = base;
    let mut doublings = 0;
    while doublings < 6 {
        value = high_128(value, value);
        doublings += 1;
    }
    value
}

const fn powers(base: u128) -> [u64; 64] {
    let mut values = [u64::MAX; 64];
    let mut value = base;
    let mut at = 1;
    while at < 64 {
        values[at] = (value >> 64) as u64;
        value = high_128(value, base);
        at += 1;
    }
    values
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::decide::exp_bracket;
    use super::super::limbs::Nat;
    use super::*;
    use crate::random::{Random, RecordedRandom};

    /// The distance of `exp(x)` from the truth in units of 2^-64, rounded up; the truth from the slow path.
    fn error(x: u128) -> u64 {
        let (low, high) = exp_bracket(&Nat::from(x), &Nat::from(ONE), 64);
        let (low, high) = (low.to_u128().unwrap(), high.to_u128().unwrap());
        let value = u128::from(exp(x));
        u64::try_from(high.saturating_sub(value).max(value.saturating_sub(low))).unwrap()
    }

    #[test]
    fn first_powers_are_those_of_the_exponential() {
        // mpmath at 80 digits.
        assert!(STEP.abs_diff(335_006_777_809_430_963_166_468_914_297_166_288_163) < 40);
        assert_eq!(COARSE[1], 6_786_177_901_268_885_274);
    }

    #[test]
    fn error_is_below_the_hand_bound() {
        let mut random = RecordedRandom::from_seed("error_is_below_the_hand_bound");
        let edges = (0..64 * 64_u128).flat_map(|edge| [edge << 58, (edge << 58) + (1 << 58) - 1]);
        let inside = (0..4_000).map(|_| u128::from(random.next_u64()) << (random.next_u64() % 7));
        let worst = edges.chain(inside).map(error).max().unwrap();
        // The bracket of the slow path is 3 units wide.
        assert!(worst <= 9 + 3, "{worst} units");
    }

    #[test]
    fn brackets_hold_the_truth() {
        for (x, width) in [(0, 0), (0, 2), (5 << 60, 1_000), (63 << 64, 7), (64 << 64, 1), (u128::MAX, u128::MAX)] {
            let (low, high) = bracket(x, width);
            let (_, most) = exp_bracket(&Nat::from(x), &Nat::from(ONE), 64);
            let (least, _) = exp_bracket(&Nat::from(x).add(&Nat::from(width)), &Nat::from(ONE), 64);
            assert!(u128::from(low) <= least.to_u128().unwrap(), "{x} {width}");
            assert!(high + 3 >= most.to_u128().unwrap(), "{x} {width}");
        }
    }

    #[test]
    fn tables_fall() {
        assert!(FINE.is_sorted_by(|a, b| a > b) && COARSE.is_sorted_by(|a, b| a >= b));
    }
}
