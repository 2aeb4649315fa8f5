//! Means with intervals, from a noisy sum and a noisy count.

use super::gaussian_sum::GaussianPair;
use super::sum::{Lattice, MISS, Pair};
use super::{Interval, IntervalMethod, half_width_at};
use crate::dp::{DpError, Law};

/// A mean and the ends of its interval are multiples of the grid step divided by this.
pub const MEAN_RESOLUTION: u32 = 1_000_000;
const PARTS: i128 = MEAN_RESOLUTION as i128;

/// Bounds are below this in magnitude, so that parts of a step fit 128 bits.
const BOUND_LIMIT: u128 = 1 << 100;
/// Rounds of narrowing: each is valid by itself, four or five reach the end unless the count is lost in its noise.
const ROUNDS: usize = 64;

/// What a mean is computed from: S~ = sum(x - centre) + X and N~ = rows + N, noised once each. In grid steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoisyMean {
    /// S~.
    pub sum: i128,
    /// Law of the noise in S~.
    pub sum_law: Law,
    /// N~.
    pub count: i128,
    /// Law of the noise in N~.
    pub count_law: Law,
    /// The grid point that was subtracted from every value.
    pub centre: i128,
    /// Lower bound of the values.
    pub low: i128,
    /// Upper bound of the values.
    pub high: i128,
}

/// A mean with its interval, in units of the grid step divided by [`MEAN_RESOLUTION`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mean {
    /// centre + S~/N~ rounded half to even and clamped to the bounds; none where N~ is not above zero.
    pub value: Option<i128>,
    /// The interval; all of the bounds where the noise leaves nothing to say.
    pub interval: Interval,
}

impl NoisyMean {
    /// The mean and its interval.
    ///
    /// At a true mean m, with t = m - centre, S~ - t N~ is the noise X - t N: m is left out when noise that large has
    /// a probability of 0.05 or less, by an upper bound of it: the closed form of two Laplace laws, the bound of two
    /// Gaussian ones (at most two steps of X too wide), or 0.025 of each noise where the laws differ. The interval is the hull of what is not left
    /// out, so it covers m with probability 0.95 or more. No value of S~ and N~ is an error; beyond 2^106 the answer
    /// is null with all of the bounds.
    ///
    /// # Errors
    /// [`DpError::Bounds`] unless low <= centre <= high, all below 2^100 in magnitude.
    pub fn estimate(&self) -> Result<Mean, DpError> {
        let Self { sum, count, centre, low, high, .. } = *self;
        let in_order = low <= centre && centre <= high;
        if !in_order || low.unsigned_abs().max(high.unsigned_abs()) >= BOUND_LIMIT {
            return Err(DpError::Bounds);
        }
        let (least, most) = (low * PARTS, high * PARTS);
        let noise = Noise::new(self.sum_law, self.count_law);
        let all = Interval { low: least, high: most, method: noise.method() };
        let (Some(sum), true) = (sum.checked_mul(PARTS), count > 0) else {
            return Ok(Mean { value: None, interval: all });
        };
        let above = Side { sum, count, noise: &noise };
        let below = Side { sum: -sum, ..above };
        let high = centre * PARTS + above.end(most - centre * PARTS);
        let low = centre * PARTS - below.end(centre * PARTS - least);
        let value = (centre * PARTS).saturating_add(round_half_even(sum, count));
        Ok(Mean {
            value: Some(value.clamp(least, most)),
            interval: Interval { low: low.clamp(least, most), high: high.clamp(least, most), ..all },
        })
    }
}

/// The two noises.
enum Noise {
    Laplace(Pair),
    Gaussian(Box<GaussianPair>),
    /// Half-widths of X and N that miss 0.025 each.
    Mixed {
        x: u128,
        n: u128,
    },
}

impl Noise {
    fn new(sum: Law, count: Law) -> Self {
        match (sum, count) {
            (Law::Laplace(sum), Law::Laplace(count)) => Self::Laplace(Pair::new(sum, count)),
            (Law::Gaussian(sum), Law::Gaussian(count)) => Self::Gaussian(Box::new(GaussianPair::new(sum, count))),
            _ => Self::Mixed { x: half_width_at(sum, 40), n: half_width_at(count, 40) },
        }
    }

    const fn method(&self) -> IntervalMethod {
        match self {
            Self::Laplace(_) => IntervalMethod::LaplaceRatio,
            Self::Gaussian(_) => IntervalMethod::GaussianRatio,
            Self::Mixed { .. } => IntervalMethod::Union,
        }
    }

    /// Whether P(|X + v N| >= r) is 0.05 or less, r and v in parts of a step, by an upper bound that grows with v and falls
    /// as r grows; false below half a step.
    ///
    /// From there on, that of two Laplace laws grows with v: of its two sides, a^(r - s) + a^(r + s) grows with s, and past
    /// r its slope has the sign of a^(1 + s - r) - a^(s + r), not negative for r >= 1/2.
    fn leaves_out(&self, edge: u128, spread: u128) -> bool {
        match self {
            Self::Laplace(pair) => edge >= PARTS.unsigned_abs() / 2 && pair.tail(edge, spread, Lattice::Parts(MEAN_RESOLUTION)) <= MISS,
            Self::Gaussian(pair) => pair.leaves_out(edge, spread, MEAN_RESOLUTION),
            Self::Mixed { x, n } => {
                let reach = x.checked_mul(PARTS.unsigned_abs()).and_then(|x| n.checked_mul(spread)?.checked_add(x));
                reach.is_some_and(|reach| edge > reach)
            }
        }
    }
}

/// The test of t = m - centre from above; the other side is its mirror image. `sum` and t in parts of a step.
#[derive(Clone, Copy)]
struct Side<'a> {
    sum: i128,
    count: i128,
    noise: &'a Noise,
}

impl Side<'_> {
    /// A t from which on everything up to `limit` is left out, or `limit` where that is not so; `limit` >= 0.
    fn end(&self, limit: i128) -> i128 {
        if !self.leaves_out(limit, limit) {
            return limit;
        }
        // t N~ - S~ grows with t. All of [t, end] is left out if t is, judged with the spread at `end`: the spread
        // grows with |t|. From a smaller end the spread is smaller and more is left out.
        let floor = (self.sum / self.count).saturating_sub(1);
        let mut end = limit;
        for _ in 0..ROUNDS {
            let next = least_of(floor.max(0), end, |t| self.leaves_out(t, end));
            if next == end {
                break;
            }
            end = next;
        }
        if end > 0 || floor >= 0 {
            return end;
        }
        // Below zero the spread falls as t grows: what is left out at t is left out from there on.
        least_of(floor, end, |t| self.leaves_out(t, t))
    }

    /// Whether noise as large as t N~ - S~ has probability 0.05 or less, with N weighted by `spread`.
    fn leaves_out(&self, t: i128, spread: i128) -> bool {
        let edge = t.checked_mul(self.count).and_then(|part| part.checked_sub(self.sum));
        edge.is_some_and(|edge| edge >= 0 && self.noise.leaves_out(edge.unsigned_abs(), spread.unsigned_abs()))
    }
}

/// The least of `low..=high` where `holds`, if it holds from there on and at `high`.
fn least_of(low: i128, high: i128, mut holds: impl FnMut(i128) -> bool) -> i128 {
    let width = high.saturating_sub(low).max(0).unsigned_abs();
    low + super::least(width, |offset| holds(low + offset.cast_signed())).cast_signed()
}

/// a / b, b > 0, to the nearest integer, halves to even.
fn round_half_even(a: i128, b: i128) -> i128 {
    let (floor, rest) = (a.div_euclid(b), a.rem_euclid(b));
    let up = match rest.cmp(&(b - rest)) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Equal => floor % 2 != 0,
    };
    floor + i128::from(up)
}

#[cfg(test)]
mod tests {
    use super::round_half_even;

    #[test]
    fn halves_go_to_even() {
        for (a, b, rounded) in [(5, 2, 2), (7, 2, 4), (-5, 2, -2), (-7, 2, -4), (8, 3, 3), (-8, 3, -3), (7, 3, 2), (0, 9, 0)] {
            assert_eq!(round_half_even(a, b), rounded, "{a}/{b}");
        }
    }
}
