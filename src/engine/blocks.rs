//! Columns in blocks: what an engine needs of a snapshot, a table in memory, or an embedder's data.

use std::sync::Arc;

use super::EngineError;
use crate::dataset::{ColumnBlock, RecordTable, Snapshot, UnitBlock};
use crate::plan::{Batch, BoundQuery};

/// Columns in blocks of rows, as a [`Snapshot`] holds them, a [`RecordTable`] of any source of records, or an embedder.
///
/// Columns are named by their place in the schema. A block has the same rows in every column. With a column as unit,
/// rows are sorted by (unit id, row tag), so that a unit stands together, perhaps over several blocks, and rows
/// without a unit are left out; tags are equal exactly for rows of one unit with equal cells.
pub trait Blocks: Send + Sync {
    /// How many blocks there are.
    fn blocks(&self) -> usize;

    /// How many rows a block has.
    fn block_rows(&self, block: usize) -> usize;

    /// Calls `visit` with the values of a text column in the order of their codes: the declared ones first, in
    /// declared order.
    ///
    /// # Errors
    /// They cannot be read.
    fn texts(&self, column: usize, visit: &mut dyn FnMut(&str)) -> Result<(), EngineError>;

    /// The cells of one column.
    ///
    /// # Errors
    /// They cannot be read.
    fn block(&self, column: usize, block: usize) -> Result<Arc<ColumnBlock>, EngineError>;

    /// Unit ids and row tags; asked for only when the unit is a column.
    ///
    /// # Errors
    /// They cannot be read.
    fn unit_block(&self, block: usize) -> Result<Arc<UnitBlock>, EngineError>;
}

impl<B: Blocks + ?Sized> Blocks for Arc<B> {
    fn blocks(&self) -> usize {
        (**self).blocks()
    }

    fn block_rows(&self, block: usize) -> usize {
        (**self).block_rows(block)
    }

    fn texts(&self, column: usize, visit: &mut dyn FnMut(&str)) -> Result<(), EngineError> {
        (**self).texts(column, visit)
    }

    fn block(&self, column: usize, block: usize) -> Result<Arc<ColumnBlock>, EngineError> {
        (**self).block(column, block)
    }

    fn unit_block(&self, block: usize) -> Result<Arc<UnitBlock>, EngineError> {
        (**self).unit_block(block)
    }
}

impl Blocks for Snapshot {
    fn blocks(&self) -> usize {
        Self::blocks(self)
    }

    fn block_rows(&self, block: usize) -> usize {
        Self::block_rows(self, block)
    }

    fn texts(&self, column: usize, visit: &mut dyn FnMut(&str)) -> Result<(), EngineError> {
        self.dictionary(column).ok_or(EngineError::Failed)?.iter().for_each(visit);
        Ok(())
    }

    // The errors of a snapshot name a position, so they end here (rule D5).
    fn block(&self, column: usize, block: usize) -> Result<Arc<ColumnBlock>, EngineError> {
        Self::block(self, column, block).map_err(|_| EngineError::Failed)
    }

    fn unit_block(&self, block: usize) -> Result<Arc<UnitBlock>, EngineError> {
        Self::unit_block(self, block).map_err(|_| EngineError::Failed)
    }
}

impl Blocks for RecordTable {
    fn blocks(&self) -> usize {
        Self::blocks(self)
    }

    fn block_rows(&self, block: usize) -> usize {
        Self::block_rows(self, block)
    }

    fn texts(&self, column: usize, visit: &mut dyn FnMut(&str)) -> Result<(), EngineError> {
        self.dictionary(column).ok_or(EngineError::Failed)?.iter().for_each(visit);
        Ok(())
    }

    fn block(&self, column: usize, block: usize) -> Result<Arc<ColumnBlock>, EngineError> {
        Self::block(self, column, block).ok_or(EngineError::Failed)
    }

    fn unit_block(&self, block: usize) -> Result<Arc<UnitBlock>, EngineError> {
        Self::unit_block(self, block).ok_or(EngineError::Failed)
    }
}

/// One block of every column that the question reads.
pub(super) fn read(bound: &BoundQuery, source: &impl Blocks, block: usize) -> Result<Batch, EngineError> {
    let columns = bound.columns().map(|place| source.block(place, block)).collect::<Result<_, _>>()?;
    Batch::new(bound, source.block_rows(block), columns).ok_or(EngineError::Failed)
}
