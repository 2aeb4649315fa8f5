//! From grid steps to decimals.

use crate::id::Decimal;

/// Which way a number goes that has too many digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Round {
    Down,
    Nearest,
    Up,
}

/// The greatest magnitude of a decimal that is read back: 38 digits.
const MOST: i128 = 10_i128.pow(38) - 1;

/// `steps * unit`, exactly where it has at most 38 digits; else rounded to fewer digits after the point; else held at
/// the greatest number of 38 digits. `unit` is below 10^18 units of `10^-scale`, with `scale` at most 38.
pub(super) fn product(steps: i128, unit: i128, scale: u8, round: Round) -> Decimal {
    for cut in 0..=scale.min(20) {
        if let Some(mantissa) = mul_div(steps, unit, 10_i128.pow(cut.into()), round)
            && let Some(decimal) = Decimal::new(mantissa, scale - cut)
        {
            return decimal;
        }
    }
    // A cut of 20 digits always fits, so that none were left to cut.
    Decimal::new(if steps < 0 { -MOST } else { MOST }, 0).expect("a scale of 0")
}

/// `a * b / c` for `0 < b < 10^18` and `0 < c <= 10^20`, if it has at most 38 digits.
fn mul_div(a: i128, b: i128, c: i128, round: Round) -> Option<i128> {
    let whole = a.div_euclid(c).checked_mul(b)?;
    // Below 10^38.
    let part = a.rem_euclid(c) * b;
    let (floor, rest) = (part / c, part % c);
    let result = whole.checked_add(floor)?;
    let up = match round {
        Round::Down => false,
        Round::Up => rest > 0,
        Round::Nearest => rest > c - rest || rest == c - rest && result % 2 != 0,
    };
    result.checked_add(up.into()).filter(|result| result.abs() <= MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(steps: i128, unit: i128, scale: u8, round: Round) -> String {
        product(steps, unit, scale, round).to_string()
    }

    #[test]
    fn products_are_exact_while_they_fit() {
        assert_eq!(text(-1234, 25, 2, Round::Nearest), "-308.5");
        assert_eq!(text(0, 1, 24, Round::Down), "0");
        assert_eq!(text(10_i128.pow(37), 1, 24, Round::Down), "10000000000000");
        assert_eq!(text(MOST, 1, 0, Round::Up), MOST.to_string());
    }

    #[test]
    fn what_does_not_fit_is_cut_outward() {
        let (steps, unit) = (10_i128.pow(36) + 1, 123);
        // 123.000000000000000000000000000000000123 * 10^36 at 24 digits has 39 digits.
        assert_eq!(text(steps, unit, 24, Round::Down), "123000000000000.00000000000000000000012");
        assert_eq!(text(steps, unit, 24, Round::Up), "123000000000000.00000000000000000000013");
        assert_eq!(text(steps, unit, 24, Round::Nearest), "123000000000000.00000000000000000000012");
        assert_eq!(text(-steps, unit, 24, Round::Down), "-123000000000000.00000000000000000000013");
        assert_eq!(text(-steps, unit, 24, Round::Up), "-123000000000000.00000000000000000000012");
        let most = text(i128::MAX, 10_i128.pow(18) - 1, 18, Round::Up);
        assert_eq!(most, "99999999999999999999999999999999999999");
        assert_eq!(text(i128::MIN, 10_i128.pow(17), 0, Round::Down), (-MOST).to_string());
        assert_eq!(text(i128::MAX, 1, 24, Round::Up), "170141183460469.23173168730371588410573");
    }
}
