//! Rows that a technique could not treat, and why; no cell.

use crate::grade::Kind;

/// The rows of a batch that a technique could not treat. Holds no cell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OffKind {
    rows: Vec<OffRow>,
}

/// A row that was not treated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OffRow {
    /// The row, counted from 0 in its batch.
    pub row: u32,
    /// Why.
    pub reason: OffReason,
}

/// Why a cell was not treated: a finding and no error, so it has no class.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OffReason {
    /// Not a decimal number.
    #[error("not a decimal number")]
    NotANumber,
    /// Not a date, or one that no calendar has.
    #[error("not a date")]
    NotADate,
    /// Not of the form of its kind.
    #[error("not of the kind {0}")]
    NotOfKind(Kind),
    /// The row does not say whose it is.
    #[error("no subject")]
    NoSubject,
    /// The result cannot be written.
    #[error("the result is out of range")]
    OutOfRange,
    /// The cells of the batch are of another type than the technique was made for.
    #[error("cells of another type")]
    Type,
}

impl OffKind {
    /// The rows, in the order in which they were found.
    #[must_use]
    pub fn rows(&self) -> &[OffRow] {
        &self.rows
    }

    /// Whether every row was treated.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Forgets all rows, for the next batch.
    pub fn clear(&mut self) {
        self.rows.clear();
    }

    /// Adds a row that was not treated, counted from 0 in its batch.
    pub fn push(&mut self, row: usize, reason: OffReason) {
        // A batch has fewer than 2^31 rows: the offsets of its texts are 32 bits.
        self.rows.push(OffRow { row: u32::try_from(row).unwrap_or(u32::MAX), reason });
    }
}
