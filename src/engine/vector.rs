use crate::dataset::Bounds;
use crate::id::ColumnName;

/// A base vector: one number for each group, noised once (rule D4).
///
/// Neighbours: data that differ by one privacy unit. Norm: L1 over the groups, in grid steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vector {
    kind: VectorKind,
    /// The most one row can change it.
    reach: u128,
    /// The public range of what one row can add, 0 included.
    range: u128,
    /// The most rows of one unit.
    rows: u128,
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
}

impl Vector {
    /// A vector of counts, of at most `rows` rows of one unit.
    pub(super) const fn count(kind: VectorKind, rows: u64) -> Self {
        Self { kind, reach: 1, range: 1, rows: rows as u128 }
    }

    /// The sum of x - centre within bounds.
    pub(super) fn sum(column: ColumnName, bounds: Bounds, centre: i64, rows: u64) -> Self {
        let (low, high) = (i128::from(bounds.low) - i128::from(centre), i128::from(bounds.high) - i128::from(centre));
        Self {
            kind: VectorKind::Sum { column, centre },
            reach: low.unsigned_abs().max(high.unsigned_abs()),
            range: (high.max(0) - low.min(0)).unsigned_abs(),
            rows: rows.into(),
        }
    }

    /// What it counts or sums.
    #[must_use]
    pub const fn kind(&self) -> &VectorKind {
        &self.kind
    }

    /// D: the L1 sensitivity in grid steps. At most 2^40 rows of 2^64 steps, so it fits.
    #[must_use]
    pub const fn sensitivity(&self) -> u128 {
        self.rows * self.reach
    }

    /// R: the public range of what one unit can add.
    #[must_use]
    pub const fn range(&self) -> u128 {
        self.rows * self.range
    }

    /// (D/R)^(2/3) in units of 10^-12, rounded down: its weight in the split. D/R is 1/2 to 1.
    pub(super) const fn weight(&self) -> u128 {
        // reach and range are at most 2^64 and 10^18 < 2^60.
        let ratio = self.reach * 1_000_000_000_000_000_000 / self.range;
        cube_root(ratio * ratio)
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

    fn sum(low: i64, high: i64, centre: i64, rows: u64) -> Vector {
        Vector::sum(ColumnName::new("x").unwrap(), Bounds { low, high }, centre, rows)
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
        let vector = sum(i64::MIN, i64::MAX, -1, 1 << 40);
        assert_eq!((vector.sensitivity(), vector.range()), (1 << 103, ((1 << 64) - 1) << 40));
        let vector = sum(i64::MIN, i64::MAX, 0, 1);
        assert_eq!((vector.sensitivity(), vector.range()), (1 << 63, (1 << 64) - 1));
    }

    #[test]
    fn a_centred_sum_weighs_less_than_a_count() {
        assert_eq!(Vector::count(VectorKind::Rows, 1).weight(), 1_000_000_000_000);
        // (1/2)^(2/3) = 0.629960524947...
        assert_eq!(sum(0, 120, 60, 1).weight(), 629_960_524_947);
        assert_eq!(sum(0, 120, 60, 1 << 40).weight(), 629_960_524_947);
        assert_eq!(sum(0, 120, 0, 1).weight(), 1_000_000_000_000);
    }
}
