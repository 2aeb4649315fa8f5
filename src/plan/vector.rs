//! Base vectors: what is counted or summed for each group, with its sensitivity in both norms.

use std::fmt;

use crate::dataset::{Bounds, Contribution};
use crate::dp::range;
use crate::id::ColumnName;

/// A base vector: one number, or a row of slots, for each group (rule D4).
///
/// Neighbours: data that differ by one privacy unit. Norms: over all groups and slots, in grid steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vector {
    kind: VectorKind,
    /// The most one row (or unit, in a group) can change it.
    reach: u128,
    /// The public range of what one row can add, 0 included.
    range: u128,
    /// How often one unit reaches that far.
    times: Times,
}

/// What a base vector counts or sums.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VectorKind {
    /// N: rows.
    Rows,
    /// N of a column that may have nulls: rows in which it has a value.
    Present {
        /// The column.
        column: ColumnName,
    },
    /// S: the sum of clamp(x) - centre.
    Sum {
        /// The column.
        column: ColumnName,
        /// The grid point taken off every value.
        centre: i64,
    },
    /// Q: the sum of the squares of clamp(x) - centre.
    Squares {
        /// The column.
        column: ColumnName,
        /// The grid point taken off every value.
        centre: i64,
    },
    /// U: units with a row in the group.
    Units,
    /// Rows whose value lies outside its bounds.
    Clamped {
        /// The column.
        column: ColumnName,
    },
    /// Units of which rows were left out by contribution bounding: one number for all groups together.
    Dropped,
    /// Rows in each bin of a histogram.
    Bins {
        /// The column.
        column: ColumnName,
        /// How many bins there are.
        bins: usize,
    },
    /// Rows by the power of two that a value lies under, for automatic bounds.
    Magnitudes {
        /// The column.
        column: ColumnName,
    },
    /// Rows in each slot of the public grid, from which quantiles are chosen. Never released.
    Grid {
        /// The column.
        column: ColumnName,
        /// How many slots there are.
        slots: usize,
    },
}

impl fmt::Display for Vector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            VectorKind::Rows => f.write_str("the number of rows"),
            VectorKind::Units => f.write_str("the number of units"),
            VectorKind::Dropped => f.write_str("the number of units that lost rows"),
            VectorKind::Present { column } => write!(f, "the number of values of {column}"),
            VectorKind::Sum { column, centre } => write!(f, "the sum of {column} less {centre} steps"),
            VectorKind::Squares { column, centre } => write!(f, "the sum of squares of {column} less {centre} steps"),
            VectorKind::Clamped { column } => write!(f, "the number of values of {column} out of bounds"),
            VectorKind::Bins { column, bins } => write!(f, "{bins} bins of {column}"),
            VectorKind::Magnitudes { column } => write!(f, "the magnitudes of {column}"),
            VectorKind::Grid { column, slots } => write!(f, "a grid of {slots} slots of {column}"),
        }
    }
}

/// How many rows one unit has in an answer, in both norms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Times {
    /// In all.
    sum: u128,
    /// The most that the squares of its rows in each group add up to.
    squares: u128,
}

impl Times {
    /// Rows of a unit: as many full groups as its total allows have the largest sum of squares.
    pub(crate) fn rows(contribution: Contribution) -> Self {
        let (sum, most) = (u128::from(contribution.rows()), u128::from(contribution.rows_per_group));
        Self { sum, squares: sum / most * most * most + (sum % most) * (sum % most) }
    }

    /// Groups of a unit, once each.
    pub(crate) fn groups(contribution: Contribution) -> Self {
        let groups = u128::from(contribution.groups_per_unit).min(contribution.rows().into());
        Self { sum: groups, squares: groups }
    }

    pub(crate) const ONCE: Self = Self { sum: 1, squares: 1 };
}

impl Vector {
    /// A vector of counts.
    pub(crate) const fn count(kind: VectorKind, times: Times) -> Self {
        Self { kind, reach: 1, range: 1, times }
    }

    /// The sum of x - centre within bounds.
    pub(crate) fn sum(column: ColumnName, bounds: Bounds, centre: i64, times: Times) -> Self {
        let (low, high) = (i128::from(bounds.low) - i128::from(centre), i128::from(bounds.high) - i128::from(centre));
        Self {
            kind: VectorKind::Sum { column, centre },
            reach: low.unsigned_abs().max(high.unsigned_abs()),
            range: (high.max(0) - low.min(0)).unsigned_abs(),
            times,
        }
    }

    /// The sum of (x - centre)^2 within bounds that reach at most 2^40 steps from it.
    pub(crate) fn squares(column: ColumnName, bounds: Bounds, centre: i64, times: Times) -> Self {
        let reach = Self::sum(column.clone(), bounds, centre, times).reach;
        Self { kind: VectorKind::Squares { column, centre }, reach: reach * reach, range: reach * reach, times }
    }

    /// What it counts or sums.
    #[must_use]
    pub const fn kind(&self) -> &VectorKind {
        &self.kind
    }

    /// How many numbers it has for each group.
    #[must_use]
    pub const fn slots(&self) -> usize {
        match self.kind {
            VectorKind::Bins { bins, .. } => bins,
            VectorKind::Magnitudes { .. } => range::SLOTS,
            VectorKind::Grid { slots, .. } => slots,
            _ => 1,
        }
    }

    /// Whether it is one number for all groups together.
    #[must_use]
    pub const fn is_of_all(&self) -> bool {
        matches!(self.kind, VectorKind::Dropped)
    }

    /// How many numbers it has in all, with so many groups.
    #[must_use]
    pub const fn len(&self, cells: usize) -> usize {
        if self.is_of_all() { 1 } else { cells * self.slots() }
    }

    /// D: the L1 sensitivity in grid steps. At most 2^40 rows of 2^80 steps, so it fits.
    #[must_use]
    pub const fn sensitivity(&self) -> u128 {
        self.times.sum * self.reach
    }

    /// The square of the L2 sensitivity; nothing when it is beyond 128 bits.
    #[must_use]
    pub fn squared_sensitivity(&self) -> Option<u128> {
        self.reach.checked_mul(self.reach)?.checked_mul(self.times.squares)
    }

    /// R: the public range of what one unit can add.
    #[must_use]
    pub const fn range(&self) -> u128 {
        self.times.sum * self.range
    }

    /// The most numbers that one unit can change.
    pub(crate) const fn touched(&self) -> u128 {
        self.times.sum
    }

    /// (D/R)^(2/3) in units of 10^-12, rounded down: its weight in a split of epsilon. D/R is 1/2 to 1.
    pub(crate) const fn laplace_weight(&self) -> u128 {
        let ratio = self.ratio();
        cube_root(ratio * ratio)
    }

    /// D/R in units of 10^-12, rounded down: its weight in a split of rho.
    pub(crate) const fn gaussian_weight(&self) -> u128 {
        self.ratio() / 1_000_000
    }

    /// D/R in units of 10^-18.
    const fn ratio(&self) -> u128 {
        const UNITS: u128 = 1_000_000_000_000_000_000;
        // Squares reach up to 2^80, and are their own range; sums up to 2^64, times 10^18 < 2^60.
        if self.reach == self.range { UNITS } else { self.reach * UNITS / self.range }
    }
}

/// The greatest integer whose cube is at most `value`.
const fn cube_root(value: u128) -> u128 {
    // The cube of 2^42 + 2^41 is still within 128 bits.
    let (mut low, mut high) = (0_u128, 1_u128 << 42);
    while low < high {
        let middle = (low + high).div_ceil(2);
        if middle * middle * middle <= value {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    low
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn times(groups_per_unit: u32, rows_per_group: u32, rows_per_unit: Option<u32>) -> Times {
        Times::rows(Contribution { groups_per_unit, rows_per_group, rows_per_unit })
    }

    fn sum(low: i64, high: i64, centre: i64, rows: u32) -> Vector {
        Vector::sum(ColumnName::new("x").unwrap(), Bounds { low, high }, centre, times(rows, 1, None))
    }

    #[test]
    fn cube_roots_are_floors() {
        for (value, root) in [(0, 0), (1, 1), (7, 1), (8, 2), (26, 2), (27, 3), (10_u128.pow(36), 10_u128.pow(12))] {
            assert_eq!(cube_root(value), root, "{value}");
        }
        assert_eq!(cube_root(10_u128.pow(36) - 1), 10_u128.pow(12) - 1);
    }

    #[test]
    fn sensitivity_and_range_are_those_of_one_unit() {
        let vector = sum(0, 120, 60, 6);
        assert_eq!((vector.sensitivity(), vector.range()), (360, 720));
        let vector = sum(18, 90, 0, 1);
        assert_eq!((vector.sensitivity(), vector.range()), (90, 90));
        let vector = sum(i64::MIN, i64::MAX, -1, 1 << 20);
        assert_eq!((vector.sensitivity(), vector.range()), (1 << 83, ((1 << 64) - 1) << 20));
        let vector = sum(i64::MIN, i64::MAX, 0, 1);
        assert_eq!((vector.sensitivity(), vector.range()), (1 << 63, (1 << 64) - 1));
    }

    #[test]
    fn a_centred_sum_weighs_less_than_a_count() {
        assert_eq!(Vector::count(VectorKind::Rows, Times::ONCE).laplace_weight(), 1_000_000_000_000);
        // (1/2)^(2/3) = 0.629960524947...
        assert_eq!(sum(0, 120, 60, 1).laplace_weight(), 629_960_524_947);
        assert_eq!(sum(0, 120, 60, 1 << 20).laplace_weight(), 629_960_524_947);
        assert_eq!(sum(0, 120, 0, 1).laplace_weight(), 1_000_000_000_000);
    }

    #[test]
    fn shares_of_rho_are_the_ratios() {
        assert_eq!(sum(0, 120, 60, 1).gaussian_weight(), 500_000_000_000);
        assert_eq!(Vector::count(VectorKind::Rows, Times::ONCE).gaussian_weight(), 1_000_000_000_000);
    }

    /// Both norms against the worst of all ways to spread a unit's rows over its groups.
    #[test]
    fn times_are_those_of_the_worst_spread() {
        fn worst(groups: u32, rows: u128, total: u128) -> (u128, u128) {
            if groups == 0 {
                return (0, 0);
            }
            (0..=rows.min(total))
                .map(|here| worst(groups - 1, rows, total - here))
                .zip(0..)
                .fold((0, 0), |most, (rest, here)| (most.0.max(rest.0 + here), most.1.max(rest.1 + here * here)))
        }
        for (groups, rows) in [(1, 1), (1, 4), (3, 2), (4, 3)] {
            for total in [None, Some(1), Some(2), Some(5), Some(7)] {
                let times = times(groups, rows, total.filter(|total| *total < groups * rows));
                let total = total.unwrap_or(u32::MAX).into();
                assert_eq!((times.sum, times.squares), worst(groups, rows.into(), total), "{groups} {rows} {total}");
            }
        }
    }

    #[test]
    fn squares_have_the_square_of_the_reach() {
        let vector = Vector::squares(ColumnName::new("x").unwrap(), Bounds { low: 0, high: 120 }, 60, times(3, 2, Some(4)));
        assert_eq!((vector.sensitivity(), vector.squared_sensitivity()), (4 * 3600, Some(8 * 3600 * 3600)));
        assert_eq!((vector.laplace_weight(), vector.gaussian_weight()), (1_000_000_000_000, 1_000_000_000_000));
    }
}
