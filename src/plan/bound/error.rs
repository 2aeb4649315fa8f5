//! Why a query does not fit a dataset.

use crate::class::Class;
use crate::id::ColumnName;

/// Why a query does not fit a dataset. Names columns, never a constant or a cell.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// There is no such column.
    #[error("the dataset has no column {column}")]
    NoColumn {
        /// The column.
        column: ColumnName,
    },
    /// The column is not for that.
    #[error("the column {column} cannot stand in {clause}: its uses do not include {using}")]
    NotAllowed {
        /// The column.
        column: ColumnName,
        /// Where it stands.
        clause: &'static str,
        /// The use that it lacks.
        using: &'static str,
    },
    /// Groups are declared, and none are.
    #[error("the column {column} cannot stand in GROUP BY: it has neither declared values nor the use reveal")]
    NoValues {
        /// The column.
        column: ColumnName,
    },
    /// Text cannot be summed.
    #[error("{clause} needs a number, the column {column} is text")]
    NotNumber {
        /// The column.
        column: ColumnName,
        /// SUM or AVG.
        clause: &'static str,
    },
    /// Without bounds one row could change a sum by any amount.
    #[error("{clause} needs bounds, the column {column} declares none")]
    NoBounds {
        /// The column.
        column: ColumnName,
        /// SUM or AVG.
        clause: &'static str,
    },
    /// Squares would not fit.
    #[error("{clause} needs bounds within 2^40 steps of their middle, those of the column {column} are wider: a coarser step helps")]
    Wide {
        /// The column.
        column: ColumnName,
        /// VAR_POP or STDDEV_POP.
        clause: &'static str,
    },
    /// The square of the step would not print.
    #[error("{clause} needs a step of at most {digits} digits, that of the column {column} has more")]
    Fine {
        /// The column.
        column: ColumnName,
        /// VAR_POP or STDDEV_POP.
        clause: &'static str,
        /// The most digits.
        digits: u8,
    },
    /// A rank that is not a fraction of few digits.
    #[error("a quantile of the column {column} has a rank from 0 to 1 with at most {digits} digits after the point")]
    Rank {
        /// The column.
        column: ColumnName,
        /// The most digits.
        digits: u8,
    },
    /// A histogram without edges over a column without values.
    #[error("HISTOGRAM needs edges or declared values, the column {column} has neither: write HISTOGRAM({column}, 0, 10, 20)")]
    NoBins {
        /// The column.
        column: ColumnName,
    },
    /// Only units are counted distinct.
    #[error("COUNT(DISTINCT) counts privacy units, and {column} is not the unit column")]
    NotUnit {
        /// The column.
        column: ColumnName,
    },
    /// There are no units but rows.
    #[error("{clause} is about units of several rows, and the unit of this dataset is a row: write COUNT(*)")]
    NoUnits {
        /// The operation.
        clause: &'static str,
    },
    /// A grid for each of unknown groups has no stated size.
    #[error("quantiles of the column {column} need groups of declared values")]
    QuantileOfUnknown {
        /// The column.
        column: ColumnName,
    },
    /// Too many bins or grid points.
    #[error("all groups together would have {found} bins, at most {most} are counted: ask for fewer groups or bins")]
    Slots {
        /// How many there are.
        found: usize,
        /// The limit.
        most: usize,
    },
    /// A text beside a number, or the other way round.
    #[error("the column {column} is {kind}: compare it with {expected}")]
    Constant {
        /// The column.
        column: ColumnName,
        /// Its type.
        kind: &'static str,
        /// What it can be compared with.
        expected: &'static str,
    },
    /// Too many groups.
    #[error("the query has {found} groups, at most {most} are answered: group by fewer columns")]
    Cells {
        /// How many there are.
        found: u64,
        /// The limit.
        most: usize,
    },
    /// Too long an answer.
    #[error("the answer could have {found} bytes, at most {most} are given: ask for fewer groups or items")]
    AnswerSize {
        /// Its most bytes.
        found: u64,
        /// The limit.
        most: u64,
    },
}

impl BindError {
    /// What a caller should do about it.
    #[must_use]
    pub const fn class(&self) -> Class {
        Class::BadInput
    }
}
