use super::{COVERAGE_DECIDED, COVERAGE_UNITS, HalfWidth, Method, ONE_IN, least};
use crate::dp::Scale;
use crate::dp::noise::{Nat, exp_bracket};

/// Bits of the first bracket; 64 more wherever they leave a decision open.
const BITS: usize = 128;

/// The half-width of one discrete Laplace law: the least q with P(|X| <= q) >= 0.95.
///
/// With a = exp(-1/scale), P(|X| <= q) = 1 - 2 a^(q + 1) / (1 + a). Each comparison with 0.95 is decided on integer
/// brackets, as narrow as it takes, so the width is exact at every scale.
#[must_use]
pub fn laplace(scale: Scale) -> HalfWidth {
    let steps = least_steps(scale, ONE_IN);
    HalfWidth { steps, coverage: coverage(scale, steps).max(COVERAGE_DECIDED), method: Method::Laplace }
}

/// The least q with P(|X| > q) <= 1 / one_in.
pub(super) fn least_steps(scale: Scale, one_in: u64) -> u128 {
    // a^(q + 1) <= 1 / (2 one_in) is enough, and ln(2 one_in) is below its bits.
    let most = (scale.numerator() / scale.denominator()).saturating_add(1).saturating_mul(u128::from(65 - one_in.leading_zeros()));
    least(most, |steps| covers(scale, steps, one_in))
}

/// Decides 2 a^(steps + 1) / (1 + a) <= 1 / one_in. Equality cannot be: a is transcendental.
pub(super) fn covers(scale: Scale, steps: u128, one_in: u64) -> bool {
    let parts = Nat::from(2 * u128::from(one_in));
    let mut bits = BITS;
    loop {
        let (power, base) = brackets(scale, steps, bits);
        let one = Nat::one().shl(bits);
        if power.1.mul(&parts) <= one.add(&base.0) {
            return true;
        }
        if power.0.mul(&parts) >= one.add(&base.1) {
            return false;
        }
        bits += 64;
    }
}

/// P(|X| <= steps) in units of 10^-12, rounded down.
pub(super) fn coverage(scale: Scale, steps: u128) -> u64 {
    let (power, base) = brackets(scale, steps, BITS);
    let missed = power.1.mul(&Nat::from(2 * COVERAGE_UNITS)).div(&Nat::one().shl(BITS).add(&base.0));
    let missed = missed.to_u128().and_then(|missed| u64::try_from(missed).ok()).unwrap_or(COVERAGE_UNITS);
    COVERAGE_UNITS.saturating_sub(missed.saturating_add(1))
}

/// Brackets of a^(steps + 1) and of a, in units of 2^-bits.
fn brackets(scale: Scale, steps: u128, bits: usize) -> ((Nat, Nat), (Nat, Nat)) {
    let (t, s) = (Nat::from(scale.numerator()), Nat::from(scale.denominator()));
    let power = Nat::from(steps).add(&Nat::one()).mul(&s);
    (exp_bracket(&power, &t, bits), exp_bracket(&s, &t, bits))
}
