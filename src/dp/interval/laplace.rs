//! Half-widths of one discrete Laplace law, exact at every scale.

use super::{COVERAGE_DECIDED, COVERAGE_UNITS, HalfWidth, IntervalMethod, ONE_IN, least};
use crate::dp::Scale;
use crate::dp::noise::{Nat, exp_bracket};

/// Bits of the first bracket; 64 more wherever they leave a decision open.
pub(super) const BITS: usize = 128;
/// So many steps from floating point are walked one by one.
const STEPS_MAX: u128 = 8;

/// The half-width of one discrete Laplace law: the least q with P(|X| <= q) >= 0.95.
///
/// With a = exp(-1/scale), P(|X| <= q) = 1 - 2 a^(q + 1) / (1 + a). Each comparison with 0.95 is decided on integer
/// brackets, as narrow as it takes, so the width is exact at every scale.
#[must_use]
pub fn laplace(scale: Scale) -> HalfWidth {
    let found = near(scale, ONE_IN).unwrap_or_else(|| {
        let steps = anywhere(scale, ONE_IN);
        (steps, Brackets::new(scale, steps, BITS))
    });
    let (steps, brackets) = found;
    HalfWidth { steps, coverage: brackets.coverage().max(COVERAGE_DECIDED), method: IntervalMethod::Laplace }
}

/// The least q with P(|X| > q) <= 1 / one_in. Above u128 it saturates.
pub(super) fn least_steps(scale: Scale, one_in: u64) -> u128 {
    near(scale, one_in).map_or_else(|| anywhere(scale, one_in), |(steps, _)| steps)
}

/// It, if it is a few steps from its value in floating point, which only saves time: two exponentials are enough then.
fn near(scale: Scale, one_in: u64) -> Option<(u128, Brackets)> {
    let (low, width) = guess(scale, one_in);
    let mut brackets = Brackets::new(scale, low.saturating_sub(1), BITS);
    if low > 0 {
        if brackets.covers(one_in)? {
            return None;
        }
        brackets.step();
    }
    for steps in low..=low.checked_add(width.min(STEPS_MAX))? {
        if brackets.covers(one_in)? {
            return Some((steps, brackets));
        }
        brackets.step();
    }
    None
}

/// It, wherever it is.
fn anywhere(scale: Scale, one_in: u64) -> u128 {
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
    let mut bits = BITS;
    loop {
        if let Some(covers) = Brackets::new(scale, steps, bits).covers(one_in) {
            return covers;
        }
        bits += 64;
    }
}

/// Brackets of a^(steps + 1) and of a, in units of 2^-bits.
pub(super) struct Brackets {
    bits: usize,
    power: (Nat, Nat),
    base: (Nat, Nat),
}

impl Brackets {
    pub(super) fn new(scale: Scale, steps: u128, bits: usize) -> Self {
        let (t, s) = (Nat::from(scale.numerator()), Nat::from(scale.denominator()));
        let power = Nat::from(steps).add(&Nat::one()).mul(&s);
        Self { bits, power: exp_bracket(&power, &t, bits), base: exp_bracket(&s, &t, bits) }
    }

    /// To those of one step more: a little wider than new ones.
    pub(super) fn step(&mut self) {
        let Self { bits, power, base } = self;
        *power = (power.0.mul(&base.0).shr(*bits), power.1.mul(&base.1).shr_up(*bits));
    }

    /// Whether 2 a^(steps + 1) / (1 + a) <= 1 / one_in, if they are narrow enough to tell.
    pub(super) fn covers(&self, one_in: u64) -> Option<bool> {
        let parts = Nat::from(2 * u128::from(one_in));
        let one = Nat::one().shl(self.bits);
        if self.power.1.mul(&parts) <= one.add(&self.base.0) {
            return Some(true);
        }
        (self.power.0.mul(&parts) >= one.add(&self.base.1)).then_some(false)
    }

    /// P(|X| <= steps) in units of 10^-12, rounded down.
    pub(super) fn coverage(&self) -> u64 {
        let missed = self.power.1.mul(&Nat::from(2 * COVERAGE_UNITS)).div(&Nat::one().shl(self.bits).add(&self.base.0));
        let missed = missed.to_u128().and_then(|missed| u64::try_from(missed).ok()).unwrap_or(COVERAGE_UNITS);
        COVERAGE_UNITS.saturating_sub(missed.saturating_add(1))
    }
}
