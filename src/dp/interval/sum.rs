//! Half-widths of a weighted sum of two discrete Laplace laws.

use super::{COVERAGE_DECIDED, COVERAGE_UNITS, HalfWidth, IntervalMethod, laplace, least};
use crate::dp::Scale;

/// Bound on the error of [`Pair::tail`] relative to the truth where that is near 0.05: exponents up to 40 carry
/// 40 * 4 * 2^-53, a dozen further roundings and library calls 2^-51 each: below 2^-45. 2^-40 is added.
pub(super) const SLACK: f64 = 1.0 / (1_u64 << 40) as f64;
/// What may be missed.
pub(super) const MISS: f64 = 0.05;
pub(super) const WIDEST: u128 = i128::MAX.unsigned_abs();

/// The half-width of X + weight N for independent discrete Laplace X and N: the least q with
/// P(|X + weight N| <= q) >= 0.95, up to a relative 2^-40 of the missed probability, which counts outward.
///
/// It is the law of SUM = S~ + cN~ around the sum that it estimates, with X the noise of S~ and N that of N~.
#[must_use]
pub fn laplace_sum(scale: Scale, weight: i128, weighted: Scale) -> HalfWidth {
    if weight == 0 {
        return laplace(scale);
    }
    let pair = Pair::new(scale, weighted);
    let weight = weight.unsigned_abs();
    // 1/40 missed by each: 2 a^(q + 1) / (1 + a) <= 1/40 once a^(q + 1) <= 1/80, and ln 80 < 5.
    let part = |scale: Scale| (scale.numerator() / scale.denominator()).saturating_add(1).saturating_mul(5);
    let most = part(weighted).saturating_mul(weight).saturating_add(part(scale)).min(WIDEST);
    let tail = |steps| pair.tail(steps, weight, Lattice::Integers);
    let steps = least(most, |steps| tail(steps) <= MISS);
    let missed = tail(steps);
    let decided = if missed <= MISS { COVERAGE_DECIDED } else { 0 };
    HalfWidth { steps, coverage: coverage_units(missed).max(decided), method: IntervalMethod::LaplaceSum }
}

/// 1 - missed in units of 10^-12, rounded down.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 10^12")]
pub(super) fn coverage_units(missed: f64) -> u64 {
    let missed = (missed.clamp(0.0, 1.0) * COVERAGE_UNITS as f64).ceil() as u64;
    COVERAGE_UNITS.saturating_sub(missed + 1)
}

/// What [`Pair::tail`] counts in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Lattice {
    /// Edge and weight are integers, the tail is P(|Z| > edge), exactly.
    Integers,
    /// Edge and weight are multiples of one part of this number of parts of a step, the tail is P(|Z| >= edge), its
    /// rounding to steps of X taken at its worst.
    Parts(u32),
}

/// Independent discrete Laplace X and N, by 1/scale.
#[derive(Clone, Copy)]
pub(super) struct Pair {
    x: f64,
    n: f64,
}

impl Pair {
    pub(super) fn new(x: Scale, n: Scale) -> Self {
        let inverse = |scale: Scale| scale.denominator() as f64 / scale.numerator() as f64;
        Self { x: inverse(x), n: inverse(n) }
    }

    /// An upper bound of the probability that Z = X + weight N is outside the edge, closed form, O(1).
    ///
    /// With a = exp(-x), b = exp(-n), r = edge - weight k:
    /// P(Z > edge) = (1 - b)/(1 + b) sum over k of b^|k| P(X > r), where
    /// P(X > r) = a^(floor(r) + 1) / (1 + a) for floor(r) >= -1 and 1 - a^(-floor(r)) / (1 + a) below 0.
    /// The sum over k splits at `turn` = floor(edge / weight) into geometric series. On integers floor(r) + 1 = r + d
    /// with d = 1; otherwise d = 0 makes both cases an upper bound, also of P(X >= r).
    pub(super) fn tail(&self, edge: u128, weight: u128, lattice: Lattice) -> f64 {
        let (unit, d) = match lattice {
            Lattice::Integers => (1.0, 1.0),
            Lattice::Parts(parts) => (1.0 / f64::from(parts), 0.0),
        };
        let Self { x, n } = *self;
        let sides = 2.0 / (1.0 + (-x).exp());
        let outward = |probability: f64| (probability * (1.0 + SLACK)).min(1.0);
        let direct = (-x * (edge as f64 * unit + d)).exp();
        if weight == 0 {
            return outward(sides * direct);
        }
        let turn = edge / weight;
        let rest = (edge - turn * weight) as f64 * unit;
        let gap = (weight - (edge - turn * weight)) as f64 * unit;
        let (turn, weight) = (turn as f64, weight as f64 * unit);
        let joint = n + weight * x;
        // k < 0: sum of (b a^weight)^|k|.
        let below = direct / joint.exp_m1();
        // k = 0..=turn: sum of (b a^-weight)^k, started from its larger end.
        let growth = weight * x - n;
        let middle = if growth > 0.0 {
            (-x * (rest + d) - n * turn).exp() * geometric(turn + 1.0, growth)
        } else {
            direct * geometric(turn + 1.0, -growth)
        };
        // k > turn: sum of b^k (1 - a^(-r + 1 - d) / (1 + a)), at k = turn + 1 with -r = gap.
        let first = (-n * (turn + 1.0)).exp();
        let above = first * (2.0 / -(-n).exp_m1() - sides * (-x * (gap + 1.0 - d)).exp() / -(-joint).exp_m1());
        outward((n / 2.0).tanh() * (sides * (below + middle) + above))
    }
}

/// 1 + exp(-y) + ... of `terms` terms, y >= 0.
fn geometric(terms: f64, y: f64) -> f64 {
    if y == 0.0 { terms } else { (-terms * y).exp_m1() / (-y).exp_m1() }
}
