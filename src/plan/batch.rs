//! Rows of every column that a question reads.

use std::sync::Arc;

use super::BoundQuery;
use super::bound::Read;
use crate::dataset::{Cells, ColumnBlock};

/// Some rows of every column that a question reads, checked to be of one length and of the right kind.
pub struct Batch {
    columns: Vec<Arc<ColumnBlock>>,
    rows: usize,
}

impl Batch {
    /// `columns` are those of [`BoundQuery::columns`], in that order; nothing where one has not so many rows, or cells of the other kind.
    #[must_use]
    pub fn new(bound: &BoundQuery, rows: usize, columns: Vec<Arc<ColumnBlock>>) -> Option<Self> {
        let fits = |(column, read): (&Arc<ColumnBlock>, &Read)| {
            let kind = matches!(column.cells, Cells::Codes(_)) == read.text;
            let nulls = column.nulls.as_ref().is_none_or(|nulls| nulls.len() == rows.div_ceil(64));
            kind && nulls && column.cells.len() == rows
        };
        let reads = &bound.0.reads;
        (columns.len() == reads.len() && columns.iter().zip(reads).all(fits)).then_some(Self { columns, rows })
    }

    /// How many rows it has.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// The numbers of some rows; none of a text column.
    pub(crate) fn numbers(&self, read: usize, from: usize, len: usize) -> &[i64] {
        match &self.columns[read].cells {
            Cells::Numbers(numbers) => &numbers[from..from + len],
            Cells::Codes(_) => &[],
        }
    }

    /// Numbers and codes alike, one by one.
    pub(crate) fn each(&self, read: usize, from: usize, len: usize, mut take: impl FnMut(usize, i64)) {
        match &self.columns[read].cells {
            Cells::Numbers(numbers) => numbers[from..from + len].iter().enumerate().for_each(|(row, number)| take(row, *number)),
            Cells::Codes(codes) => codes[from..from + len].iter().enumerate().for_each(|(row, code)| take(row, (*code).into())),
        }
    }

    pub(super) fn codes(&self, read: usize, from: usize, len: usize) -> &[u32] {
        match &self.columns[read].cells {
            Cells::Codes(codes) => &codes[from..from + len],
            Cells::Numbers(_) => &[],
        }
    }

    /// The words of nulls from row `from` on, a multiple of 64.
    pub(crate) fn nulls(&self, read: usize, from: usize) -> Option<&[u64]> {
        self.columns[read].nulls.as_deref().map(|nulls| &nulls[from / 64..])
    }

    /// The value of a row, or its code; none for a null.
    pub(crate) fn value(&self, read: usize, row: usize) -> Option<i64> {
        match &self.columns[read] {
            column if column.is_null(row) => None,
            column => match &column.cells {
                Cells::Numbers(numbers) => numbers.get(row).copied(),
                Cells::Codes(codes) => codes.get(row).map(|code| i64::from(*code)),
            },
        }
    }
}

/// Cells are what it holds, so their number is all that it tells.
impl std::fmt::Debug for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Batch({} rows)", self.rows)
    }
}
