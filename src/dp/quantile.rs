//! Many quantiles at once (分位数), each a slot of a public grid.
//!
//! The middle rank is chosen first, by the exponential mechanism over all slots. It splits the table: the ranks below it
//! are chosen from the rows below, those above it from the rows above, and so on. The tables of one level have no row in
//! common, so that a level costs no more than one choice, and m ranks take ceil(log2(m + 1)) levels.
//!
//! ```
//! use usufruct::budget::Loss;
//! use usufruct::dp::quantile::QuantileMechanism;
//! use usufruct::random::SystemRandom;
//!
//! let quartiles = QuantileMechanism::new(&[(1, 4), (1, 2), (3, 4)], 1, Loss::approx("1", "0")?)?;
//! assert_eq!(quartiles.levels().len(), 2);
//! let rows_of_slots = [500; 100];
//! let slots = quartiles.choose(&rows_of_slots, &mut SystemRandom::bound(b"request")?);
//! assert!(slots[0] <= slots[1] && slots[1] <= slots[2]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What a quantile is
//! That of rank a/b of n rows is where a/b of them are below: with L rows below a slot and H up to and with it, any slot
//! with L <= n a/b <= H. So ranks 0 and 1 are any slot up to the lowest row and from the highest row on. In a table without
//! rows each choice is uniform between the choices around it; on a grid of one slot that slot is the answer.
//!
//! # Ties
//! Rows of one slot are spread over 2^16 points of it, the i-th row at the point whose binary digits are those of i
//! (mod 2^16) reversed, so that a slot with many rows can be split in any proportion. Removing rows of a slot removes as
//! many points and moves none; a choice is one among all points of the grid, and its slot is what is released.
//!
//! # Privacy
//! Neighbours: tables that differ by adding or removing the rows of one privacy unit, at most `rows_of_unit`. The score of
//! a point for rank a/b is minus how far n a is from L b..=H b, L rows being below the point and H up to and with it. One
//! row more adds b - a to b L - a n and b H - a n, or takes a from them, so a score changes by at most D = max(a, b - a) per
//! row. A point is drawn with probability proportional to exp(epsilon score / (2 D rows_of_unit)), exactly.
//!
//! Given all choices of earlier levels, the stretches of the next are fixed, and no row is in two: rows at a chosen point
//! are in neither of its sides. A unit with k_i rows in stretch i changes the probabilities of that choice by
//! exp(epsilon k_i / rows_of_unit) at most; as the k_i sum to rows_of_unit at most, the level is epsilon-differentially
//! private. The choice has a range of epsilon k_i / rows_of_unit, which is (epsilon k_i / rows_of_unit)^2 / 8 in zCDP, and
//! these sum to epsilon^2 / 8 at most. Levels compose adaptively. The ranks of a stretch are rescaled by the ranks of its
//! ends, never by counts.
//!
//! # Source
//! Kaplan, Schnapp, Stemmer, "Differentially Private Approximate Quantiles", ICML 2022, arXiv 2110.05429.
//! Exponential mechanism as bounded range: Dong, Durfee, Rogers 2020; Cesar and Rogers 2021.
//!
//! # Not promised
//! Constant time: how long a choice takes depends on the counts. An answer leaves at a quantum of time (rule G2).

mod choice;
mod table;

use std::ops::Range;

use super::DpError;
use super::noise::gcd;
use crate::budget::{Delta, Epsilon, Loss, Rho};
use crate::random::Random;
use choice::Choice;
use table::{Stretch, Table};

/// Denominators of ranks: six decimals, and three of them multiplied still fit 2^60.
const DENOMINATOR_MAX: u64 = 1 << 20;
/// Rows of one unit, so that the exponents of choices are fractions of 128 bits.
const ROWS_MAX: u64 = 1 << 20;

/// A fraction from 0 to 1, reduced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rank {
    numerator: u64,
    denominator: u64,
}

impl Rank {
    const ZERO: Self = Self { numerator: 0, denominator: 1 };
    const ONE: Self = Self { numerator: 1, denominator: 1 };

    fn new((numerator, denominator): (u64, u64)) -> Result<Self, DpError> {
        if denominator == 0 || denominator > DENOMINATOR_MAX || numerator > denominator {
            return Err(DpError::Rank);
        }
        Ok(Self::reduced(numerator.into(), denominator.into()))
    }

    /// The denominator is below 2^60, and not below the numerator.
    #[expect(clippy::cast_possible_truncation, reason = "at most 2^60")]
    fn reduced(numerator: u128, denominator: u128) -> Self {
        let common = gcd(numerator, denominator);
        Self { numerator: (numerator / common) as u64, denominator: (denominator / common) as u64 }
    }

    /// a d - c b for self = a/b and other = c/d, where it is not negative.
    fn above(self, other: Self) -> u128 {
        let product = |a: u64, b: u64| u128::from(a) * u128::from(b);
        product(self.numerator, other.denominator) - product(other.numerator, self.denominator)
    }

    /// Where self is between two ranks that differ: (self - low) / (high - low).
    fn within(self, low: Self, high: Self) -> Self {
        Self::reduced(self.above(low) * u128::from(high.denominator), u128::from(self.denominator) * high.above(low))
    }
}

impl Ord for Rank {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let product = |a: u64, b: u64| u128::from(a) * u128::from(b);
        product(self.numerator, other.denominator).cmp(&product(other.numerator, self.denominator))
    }
}

impl PartialOrd for Rank {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// A choice of quantiles at a price; see the [module](self) for what it guarantees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuantileMechanism {
    /// In order, each once.
    ranks: Vec<Rank>,
    /// Of each rank as given, its place in `ranks`.
    places: Vec<usize>,
    rows_of_unit: u64,
    epsilons: Vec<Epsilon>,
    levels: Vec<Loss>,
}

impl QuantileMechanism {
    /// The quantiles of `ranks`, fractions (a, b) in any order, duplicates allowed; a privacy unit has at most
    /// `rows_of_unit` rows.
    ///
    /// `price` is split evenly over the levels, rounded down to 10^-12, the remainder to the last. In zCDP the epsilon of
    /// a level is the largest whose square over 8 is within its rho. A delta is not needed and not charged.
    ///
    /// # Errors
    /// [`DpError::Candidates`] without ranks, [`DpError::Rank`] for what is no fraction from 0 to 1 or has a denominator
    /// above 2^20, [`DpError::SensitivityZero`] and [`DpError::Rows`] for 0 and for more than 2^20 rows of a unit,
    /// [`DpError::EpsilonZero`] and [`DpError::RhoZero`] when nothing is left for a level.
    pub fn new(ranks: &[(u64, u64)], rows_of_unit: u64, price: Loss) -> Result<Self, DpError> {
        if rows_of_unit == 0 {
            return Err(DpError::SensitivityZero);
        }
        if rows_of_unit > ROWS_MAX {
            return Err(DpError::Rows { found: rows_of_unit });
        }
        let given = ranks.iter().map(|rank| Rank::new(*rank)).collect::<Result<Vec<_>, _>>()?;
        let mut ranks = given.clone();
        ranks.sort_unstable();
        ranks.dedup();
        if ranks.is_empty() {
            return Err(DpError::Candidates { needed: 1, found: 0 });
        }
        let places = given.iter().map(|rank| ranks.partition_point(|other| other < rank)).collect();
        let depth = u64::from(usize::BITS - ranks.len().leading_zeros());
        let epsilons = (0..depth).map(|level| epsilon(price, depth, level)).collect::<Result<Vec<_>, _>>()?;
        let levels = epsilons.iter().map(|epsilon| charge(*epsilon, price)).collect();
        Ok(Self { ranks, places, rows_of_unit, epsilons, levels })
    }

    /// The charge of each level; they sum to at most the price.
    #[must_use]
    pub fn levels(&self) -> &[Loss] {
        &self.levels
    }

    /// One slot per rank, in the order of the ranks as given; `counts` are the rows in each slot, fewer than 2^64 in all.
    /// Without slots there is no choice and no answer.
    #[must_use]
    pub fn choose<R: Random + ?Sized>(&self, counts: &[u64], random: &mut R) -> Vec<usize> {
        if counts.is_empty() {
            return Vec::new();
        }
        let table = Table::new(counts, table::TIE_BITS);
        let points = self.points(&table, random);
        self.places.iter().map(|place| table.slot(points[*place])).collect()
    }

    /// The points of all ranks, in order.
    fn points<R: Random + ?Sized>(&self, table: &Table<'_>, random: &mut R) -> Vec<u64> {
        let mut points = vec![0; self.ranks.len()];
        let split = Split { mechanism: self, table };
        split.choose(0, 0..self.ranks.len(), Stretch::whole(table), (Rank::ZERO, Rank::ONE), &mut points, random);
        points
    }

    /// The choice of a level for a rank, given as where it is between the ranks of the ends.
    fn choice<'a>(&self, level: usize, rank: Rank, table: &'a Table<'a>, stretch: Stretch) -> Choice<'a> {
        Choice::new(table, stretch, rank, self.epsilons[level], self.rows_of_unit)
    }
}

/// The recursion, at most as deep as there are levels.
struct Split<'a> {
    mechanism: &'a QuantileMechanism,
    table: &'a Table<'a>,
}

impl Split<'_> {
    fn choose<R: Random + ?Sized>(
        &self,
        level: usize,
        ranks: Range<usize>,
        stretch: Stretch,
        ends: (Rank, Rank),
        points: &mut [u64],
        random: &mut R,
    ) {
        if ranks.is_empty() {
            return;
        }
        if self.table.slot(stretch.low) == self.table.slot(stretch.high) {
            points[ranks].fill(stretch.low); // one slot: nothing to choose
            return;
        }
        let middle = ranks.start + ranks.len() / 2;
        let rank = self.mechanism.ranks[middle];
        let choice = self.mechanism.choice(level, rank.within(ends.0, ends.1), self.table, stretch);
        let point = choice.draw(random);
        points[middle] = point;
        let (below, above) = stretch.split(point);
        self.choose(level + 1, ranks.start..middle, below, (ends.0, rank), points, random);
        self.choose(level + 1, middle + 1..ranks.end, above, (rank, ends.1), points, random);
    }
}

/// The epsilon of one of `depth` levels.
fn epsilon(price: Loss, depth: u64, level: u64) -> Result<Epsilon, DpError> {
    let share = |units: u64| units / depth + if level + 1 == depth { units % depth } else { 0 };
    let (units, none) = match price {
        Loss::Approx { epsilon, .. } => (share(epsilon.units()), DpError::EpsilonZero),
        // epsilon^2 / 8 <= rho, all in units of 10^-12.
        Loss::Zcdp { rho, .. } => {
            let root = (8_000_000_000_000 * u128::from(share(rho.units()))).isqrt();
            (u64::try_from(root).unwrap_or(u64::MAX).min(Epsilon::MAX.units()), DpError::RhoZero)
        }
    };
    Epsilon::from_units(units).filter(|epsilon| *epsilon != Epsilon::ZERO).ok_or(none)
}

/// What a level of `epsilon` costs in the model of `price`; in zCDP at most the rho it was made from, so that it exists.
fn charge(epsilon: Epsilon, price: Loss) -> Loss {
    match price {
        Loss::Approx { .. } => Loss::pure(epsilon),
        Loss::Zcdp { .. } => Loss::Zcdp { rho: Rho::of_bounded_range(epsilon).unwrap_or(Rho::MAX), delta: Delta::ZERO },
    }
}

#[cfg(test)]
mod tests;
