//! Variances and standard deviations with intervals, from three noisy sums.

use super::{Interval, IntervalMethod, half_width_at, least};
use crate::dp::noise::Nat;
use crate::dp::{DpError, Law};

/// A variance and the ends of its interval are multiples of the squared grid step divided by this.
pub const VARIANCE_RESOLUTION: u32 = 1_000_000;

/// Bounds are closer than this, so that their squared distance in parts fits 128 bits.
const SPREAD_LIMIT: u128 = 1 << 53;
/// Each of the three noises may be beyond its width once in this: 0.05 by union bound.
const ONE_IN: u64 = 60;

/// What a variance is computed from: N~ = rows + noise, S~ = sum(x - centre) + noise and Q~ = sum((x - centre)^2) +
/// noise. In grid steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoisyVariance {
    /// S~.
    pub sum: i128,
    /// N~.
    pub count: i128,
    /// Q~, in squared grid steps.
    pub squares: i128,
    /// Law of the noise in S~.
    pub sum_law: Law,
    /// Law of the noise in N~.
    pub count_law: Law,
    /// Law of the noise in Q~.
    pub squares_law: Law,
    /// The grid point that was subtracted from every value.
    pub centre: i128,
    /// Lower bound of the values.
    pub low: i128,
    /// Upper bound of the values.
    pub high: i128,
}

/// How far the noises of N~, S~ and Q~ reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Widths {
    count: u128,
    sum: u128,
    squares: u128,
}

/// A population variance with its interval, in units of the squared grid step divided by [`VARIANCE_RESOLUTION`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Variance {
    /// Q~/N~ - (S~/N~)^2 rounded down and clamped to 0..=((high - low)/2)^2; none where N~ is not above zero.
    pub value: Option<i128>,
    /// The interval; all that the bounds allow where the noise leaves nothing to say.
    pub interval: Interval,
}

/// A population standard deviation with its interval, in units of the grid step divided by
/// [`MEAN_RESOLUTION`](super::MEAN_RESOLUTION).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deviation {
    /// The root of the variance, rounded down; none where N~ is not above zero.
    pub value: Option<i128>,
    /// The interval; all that the bounds allow where the noise leaves nothing to say.
    pub interval: Interval,
}

impl NoisyVariance {
    /// The population variance and its interval.
    ///
    /// N, S and Q are each within an exact interval of their noise at 1 - 0.05/3, all three with probability 0.95 or more
    /// (union bound). The interval is the range of Q/N - (S/N)^2 over all of that box with N >= 1, cut to what values
    /// between the bounds can have; so it covers with probability 0.95 or more, and much more where the three vary
    /// together. No value of N~, S~ and Q~ is an error. All of it is integer arithmetic, rounded outward.
    ///
    /// # Errors
    /// [`DpError::Spread`] unless low <= centre <= high and high - low < 2^53.
    pub fn variance(&self) -> Result<Variance, DpError> {
        self.variance_within(self.widths())
    }

    /// The same with the [`widths`](Self::widths) of these laws, found once for many groups.
    ///
    /// # Errors
    /// As for [`variance`](Self::variance).
    pub fn variance_within(&self, widths: Widths) -> Result<Variance, DpError> {
        let most = self.spread()?.pow(2).saturating_mul(u128::from(VARIANCE_RESOLUTION / 4));
        let (value, interval) = self.estimate(Scaled::Variance, most, widths);
        Ok(Variance { value, interval })
    }

    /// The population standard deviation and its interval: the roots of the variance's.
    ///
    /// # Errors
    /// As for [`variance`](Self::variance).
    pub fn deviation(&self) -> Result<Deviation, DpError> {
        self.deviation_within(self.widths())
    }

    /// The same with the [`widths`](Self::widths) of these laws, found once for many groups.
    ///
    /// # Errors
    /// As for [`variance`](Self::variance).
    pub fn deviation_within(&self, widths: Widths) -> Result<Deviation, DpError> {
        let most = self.spread()?.saturating_mul(u128::from(VARIANCE_RESOLUTION / 2));
        let (value, interval) = self.estimate(Scaled::Root, most, widths);
        Ok(Deviation { value, interval })
    }

    /// How far each of the three noises reaches, all three together with a probability of 0.95 or more.
    #[must_use]
    pub fn widths(&self) -> Widths {
        let width = |law| half_width_at(law, ONE_IN);
        Widths { count: width(self.count_law), sum: width(self.sum_law), squares: width(self.squares_law) }
    }

    /// high - low.
    fn spread(&self) -> Result<u128, DpError> {
        let in_order = self.low <= self.centre && self.centre <= self.high;
        let spread = self.high.abs_diff(self.low);
        if in_order && spread < SPREAD_LIMIT { Ok(spread) } else { Err(DpError::Spread) }
    }

    fn estimate(&self, scaled: Scaled, most: u128, widths: Widths) -> (Option<i128>, Interval) {
        let all = Interval { low: 0, high: most.cast_signed(), method: self.method() };
        let Ok(count @ 1..) = u128::try_from(self.count) else {
            return (None, all);
        };
        let (rows, sums, squares) = (rows(count, widths.count), self.sums(widths.sum), self.squares(widths.squares));
        let at = |rows: u128, sum: u128, squares: u128| Fraction::variance(&Nat::from(rows), &Nat::from(sum), &Nat::from(squares));
        let value = at(count, self.sum.unsigned_abs(), positive(self.squares)).floor(scaled, most);
        // With x = 1/N the variance is Q x - S^2 x^2: concave, so least at an end, and greatest at x = Q / (2 S^2), where it
        // is Q^2 / (4 S^2), or at the end next to that.
        let ends = |sum: u128, squares: u128| [rows.0, rows.1].map(|rows| at(rows, sum, squares));
        let low = ends(sums.1, squares.0).iter().map(|end| end.floor(scaled, most)).min().unwrap_or(0);
        let peak = Nat::from(sums.0).mul(&Nat::from(sums.0)).shl(1);
        let reached = |rows: u128| Nat::from(squares.1).mul(&Nat::from(rows));
        let high = if reached(rows.0) < peak && peak < reached(rows.1) {
            Fraction { numerator: Nat::from(squares.1).mul(&Nat::from(squares.1)), denominator: peak.shl(1) }.ceil(scaled, most)
        } else {
            ends(sums.0, squares.1).iter().map(|end| end.ceil(scaled, most)).max().unwrap_or(most)
        };
        (Some(value.cast_signed()), Interval { low: low.cast_signed(), high: high.cast_signed(), ..all })
    }

    /// Least and greatest |S|.
    fn sums(&self, width: u128) -> (u128, u128) {
        let sum = self.sum.unsigned_abs();
        (sum.saturating_sub(width), sum.saturating_add(width))
    }

    /// Least and greatest Q.
    fn squares(&self, width: u128) -> (u128, u128) {
        let high = self.squares.saturating_add(i128::try_from(width).unwrap_or(i128::MAX));
        (positive(self.squares).saturating_sub(width), positive(high))
    }

    /// How the interval is made.
    #[must_use]
    pub fn method(&self) -> IntervalMethod {
        match (self.sum_law, self.count_law, self.squares_law) {
            (Law::Laplace(_), Law::Laplace(_), Law::Laplace(_)) => IntervalMethod::LaplaceBox,
            (Law::Gaussian(_), Law::Gaussian(_), Law::Gaussian(_)) => IntervalMethod::GaussianBox,
            _ => IntervalMethod::Union,
        }
    }
}

/// Least and greatest N.
fn rows(count: u128, width: u128) -> (u128, u128) {
    (count.saturating_sub(width).max(1), count.saturating_add(width))
}

fn positive(value: i128) -> u128 {
    value.max(0).unsigned_abs()
}

/// What a fraction is rounded to.
#[derive(Clone, Copy)]
enum Scaled {
    /// Parts of itself.
    Variance,
    /// Parts of its root.
    Root,
}

/// A variance as a fraction.
struct Fraction {
    numerator: Nat,
    denominator: Nat,
}

impl Fraction {
    /// Q/N - (S/N)^2, or 0 where that is negative; N > 0.
    fn variance(rows: &Nat, sum: &Nat, squares: &Nat) -> Self {
        Self { numerator: squares.mul(rows).sub(&sum.mul(sum)), denominator: rows.mul(rows) }
    }

    /// The value against `parts`.
    fn compare(&self, scaled: Scaled, parts: u128) -> std::cmp::Ordering {
        let resolution = Nat::from(u64::from(VARIANCE_RESOLUTION));
        let (value, parts) = match scaled {
            Scaled::Variance => (self.numerator.mul(&resolution), Nat::from(parts)),
            Scaled::Root => (self.numerator.mul(&resolution).mul(&resolution), Nat::from(parts).mul(&Nat::from(parts))),
        };
        value.cmp(&parts.mul(&self.denominator))
    }

    /// Rounded up to parts, at most `most`.
    fn ceil(&self, scaled: Scaled, most: u128) -> u128 {
        least(most, |parts| self.compare(scaled, parts).is_le())
    }

    /// Rounded down to parts, at most `most`.
    fn floor(&self, scaled: Scaled, most: u128) -> u128 {
        let up = self.ceil(scaled, most);
        if up > 0 && self.compare(scaled, up).is_lt() { up - 1 } else { up }
    }
}
