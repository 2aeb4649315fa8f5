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
///
/// It is looked for around its value in floating point, which only saves time: where that is off, everywhere. Above
/// u128 it saturates.
pub(super) fn least_steps(scale: Scale, one_in: u64) -> u128 {
    let (low, width) = guess(scale, one_in);
    let found = low.checked_add(width).is_some_and(|high| covers(scale, high, one_in));
    if found && (low == 0 || !covers(scale, low - 1, one_in)) {
        return low + least(width, |steps| covers(scale, low + steps, one_in));
    }
    // a^(q + 1) <= 1 / (2 one_in) is enough, and ln(2 one_in) is below its bits.
    let most = (scale.numerator() / scale.denominator()).saturating_add(1).saturating_mul(u128::from(65 - one_in.leading_zeros()));
    least(most, |steps| covers(scale, steps, one_in))
}

/// A number of steps and one beyond which few more are worth a look: q + 1 = scale ln(2 one_in / (1 + a)).
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative, below 2^126 times a logarithm")]
fn guess(scale: Scale, one_in: u64) -> (u128, u128) {
    let scale = scale.numerator() as f64 / scale.denominator() as f64;
    let steps = scale * (2.0 * one_in as f64 / (1.0 + (-1.0 / scale).exp())).ln();
    let open = steps / (1_u64 << 46) as f64;
    (((steps - open).floor() - 1.0).max(0.0) as u128, (2.0 * open).ceil() as u128 + 1)
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
