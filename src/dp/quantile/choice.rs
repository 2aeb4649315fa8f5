//! One draw of the exponential mechanism among the points of a stretch, on integers.

use std::sync::LazyLock;

use super::Rank;
use super::table::{Stretch, Table};
use crate::budget::Epsilon;
use crate::dp::noise::{Nat, below, exp_bracket};
use crate::random::Random;

/// Units of one epsilon.
const UNITS: u128 = 1_000_000_000_000;
/// Fraction bits of the weights of bands.
const WEIGHT_BITS: usize = 64;
/// The last band holds all exponents from here on; its weight is a few units of 2^-64.
const LAST: u128 = 45;

/// Upper bounds of 2^64 exp(-j) for the bands j = 0..=[`LAST`].
static WEIGHTS: LazyLock<Vec<u128>> = LazyLock::new(|| {
    let upper = |band: u128| exp_bracket(&Nat::from(band), &Nat::one(), WEIGHT_BITS).1.to_u128();
    (0..=LAST).map(|band| upper(band).unwrap_or(1 << WEIGHT_BITS)).collect()
});

/// One draw of the exponential mechanism among the points of a stretch.
///
/// The cost of a point x is max(0, b L - a n, a n - b H) for rank a/b, n rows, L of them below x and H up to and with x.
/// As b L - a n grows with x and a n - b H falls, costs fall towards the points of cost 0, of which there is one, and grow
/// beyond them. The law is exp(-cost rate / unit), rate = epsilon and unit = 2 D rows_of_unit, both in 10^-12.
pub(super) struct Choice<'a> {
    table: &'a Table<'a>,
    stretch: Stretch,
    rank: Rank,
    rows: u64,
    rate: u64,
    unit: u128,
}

impl<'a> Choice<'a> {
    pub(super) fn new(table: &'a Table<'a>, stretch: Stretch, rank: Rank, epsilon: Epsilon, rows_of_unit: u64) -> Self {
        let sensitivity = rank.numerator.max(rank.denominator - rank.numerator);
        // Below 2^(1 + 60 + 20 + 40).
        let unit = 2 * u128::from(sensitivity) * u128::from(rows_of_unit) * UNITS;
        let rows = table.below(stretch.to) - table.below(stretch.from);
        Self { table, stretch, rank, rows, rate: epsilon.units(), unit }
    }

    /// b L - a n, L the rows below `point`.
    fn excess(&self, point: u64) -> i128 {
        let at = point.clamp(self.stretch.from, self.stretch.to);
        let below = self.table.below(at) - self.table.below(self.stretch.from);
        let product = |a: u64, b: u64| i128::from(a) * i128::from(b); // below 2^124
        product(self.rank.denominator, below) - product(self.rank.numerator, self.rows)
    }

    pub(super) fn cost(&self, point: u64) -> u128 {
        self.excess(point).max(-self.excess(point + 1)).max(0).unsigned_abs()
    }

    /// The least exponent's cost of a band: cost rate / unit >= band.
    fn first_cost(&self, band: u128) -> u128 {
        (band * self.unit).div_ceil(self.rate.into())
    }

    /// The points with a cost below `limit`, which is above 0: one stretch `low..=high`.
    fn cheaper(&self, limit: u128) -> (u64, u64) {
        let limit = i128::try_from(limit).unwrap_or(i128::MAX);
        let Stretch { low, high, .. } = self.stretch;
        let first = partition(low, high, |point| -self.excess(point + 1) < limit);
        let beyond = partition(first, high, |point| self.excess(point + 1) >= limit);
        (first, beyond)
    }

    /// A point with probability proportional to exp(-cost rate / unit), exactly.
    ///
    /// Points are banded by j = floor(cost rate / unit), and one is proposed with probability proportional to the integer
    /// w_j >= 2^64 exp(-j): a uniform number below the sum of all weights names band and point. It is kept with
    /// probability 2^64 exp(-cost rate / unit) / w_j <= 1, so what is kept follows the law. More than exp(-1) of the
    /// proposals are kept, up to the rounding of the weights and the last band, unless the stretch has 2^50 points.
    pub(super) fn draw<R: Random + ?Sized>(&self, random: &mut R) -> u64 {
        let bands = self.bands();
        let total = bands.iter().map(|band| u128::from(band.points()) * band.weight).sum();
        loop {
            let mut place = below(total, random);
            let proposed = bands.iter().find_map(|band| {
                let share = u128::from(band.points()) * band.weight;
                let found = (place < share).then(|| (band.point(place / band.weight), band.weight));
                place = place.wrapping_sub(share);
                found
            });
            // One is always found: place is below the sum of all shares.
            let (point, weight) = proposed.unwrap_or((self.stretch.low, 1 << WEIGHT_BITS));
            if self.keeps(point, weight, random) {
                return point;
            }
        }
    }

    /// All bands that have points, inner ones first.
    fn bands(&self) -> Vec<Band> {
        let Stretch { low, high, .. } = self.stretch;
        let mut bands = Vec::with_capacity(WEIGHTS.len());
        let mut inner = None;
        for (band, weight) in (0..).zip(WEIGHTS.iter()) {
            let outer = if band < LAST { self.cheaper(self.first_cost(band + 1)) } else { (low, high) };
            bands.push(Band { outer, inner, weight: *weight });
            inner = Some(outer);
            if outer == (low, high) {
                break;
            }
        }
        bands
    }

    /// Decides U weight < 2^64 exp(-cost rate / unit) for a uniform infinite string of bits U; more of them are drawn only
    /// while the known ones leave the answer open.
    fn keeps<R: Random + ?Sized>(&self, point: u64, weight: u128, random: &mut R) -> bool {
        let (exponent, unit) = (Nat::from(self.cost(point)).mul(&Nat::from(self.rate)), Nat::from(self.unit));
        let weight = Nat::from(weight);
        let (mut uniform, mut bits) = (Nat::default(), 0);
        loop {
            uniform = uniform.shl(64).add(&Nat::from(random.next_u64()));
            bits += 64;
            let (low, high) = exp_bracket(&exponent, &unit, bits);
            if uniform.add(&Nat::one()).mul(&weight) <= low.shl(WEIGHT_BITS) {
                return true;
            }
            if uniform.mul(&weight) >= high.shl(WEIGHT_BITS) {
                return false;
            }
        }
    }

    #[cfg(test)]
    pub(super) fn with_unit(self, unit: u128) -> Self {
        Self { unit, ..self }
    }

    #[cfg(test)]
    pub(super) fn exponent(&self, point: u64) -> f64 {
        self.cost(point) as f64 * self.rate as f64 / self.unit as f64
    }
}

/// The points of `outer` that are not in `inner`, which is a part of it.
struct Band {
    outer: (u64, u64),
    inner: Option<(u64, u64)>,
    weight: u128,
}

impl Band {
    /// How many there are below and above `inner`.
    fn sides(&self) -> (u64, u64) {
        let (low, high) = self.outer;
        self.inner.map_or((0, high - low + 1), |(first, last)| (first - low, high - last))
    }

    fn points(&self) -> u64 {
        let (below, above) = self.sides();
        below + above
    }

    /// The point of a number below [`points`](Self::points).
    #[expect(clippy::cast_possible_truncation, reason = "below the number of points")]
    fn point(&self, number: u128) -> u64 {
        let (below, number) = (self.sides().0, number as u64);
        if number < below { self.outer.0 + number } else { self.inner.map_or(self.outer.0, |(_, last)| last + 1) + (number - below) }
    }
}

/// The least of `low..=high` where `holds`, if it holds from there on; `high` where it never does.
fn partition(low: u64, high: u64, holds: impl Fn(u64) -> bool) -> u64 {
    let (mut low, mut high) = (low, high);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) { high = middle } else { low = middle + 1 }
    }
    low
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// What exactness of a draw rests on: bands hold every point once, in order of their cost, under a weight that is an
    /// upper bound of its law, and a good one.
    #[test]
    fn bands_hold_every_point_once_under_its_weight() {
        let counts = [9, 0, 0, 31, 2, 0, 700, 1, 1, 0];
        let table = Table::new(&counts, 3);
        let whole = Stretch::whole(&table);
        for (rank, rows, epsilon) in [((1, 2), 1, "0.7"), ((1, 7), 2, "0.01"), ((0, 1), 1, "3"), ((1, 1), 1, "0.000001"), ((3, 4), 1, "90")]
        {
            for stretch in [whole, whole.split(50).0, whole.split(25).1.split(54).0, whole.split(79).1, whole.split(9).1.split(10).0] {
                let choice = Choice::new(&table, stretch, Rank::new(rank).unwrap(), Epsilon::parse(epsilon).unwrap(), rows);
                let bands = choice.bands();
                assert!((bands[0].outer.0..=bands[0].outer.1).any(|point| choice.cost(point) == 0));
                let mut seen = Vec::new();
                for (band, index) in bands.iter().zip(0..) {
                    for number in 0..band.points() {
                        let point = band.point(number.into());
                        let product = choice.cost(point) * u128::from(choice.rate);
                        assert_eq!((product / choice.unit).min(LAST), index, "{rank:?} {epsilon} {point}");
                        let (_, high) = exp_bracket(&Nat::from(product), &Nat::from(choice.unit), WEIGHT_BITS);
                        assert!(Nat::from(band.weight + 3) >= high);
                        let slope = (-choice.exponent(point)).exp() * 2_f64.powi(64) * 2.719 + 4.0;
                        assert!(band.weight as f64 <= slope || index == LAST);
                        seen.push(point);
                    }
                }
                seen.sort_unstable();
                assert_eq!(seen, (stretch.low..=stretch.high).collect::<Vec<_>>());
            }
        }
    }
}
