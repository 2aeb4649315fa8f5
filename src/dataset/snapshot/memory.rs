//! Records in memory in the form of a snapshot, for questions without a file.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::index::{block_count, rows_of_block, stored};
use super::write::{Sink, too_many_values, write_to};
use super::{ColumnBlock, Dictionary, PublishError, PublishProgress, RowKey, UnitBlock};
use crate::dataset::{Column, Schema};
use crate::table::RecordSource;

/// Records in memory as the engine reads them: quantised, coded and ordered as in a snapshot, without a file.
///
/// For embedders who ask questions of data that is never published as a file. What is in it was checked cell by cell,
/// by the same code as a snapshot; its `Debug` shows the shape only.
///
/// # Memory
/// 8 bytes a number, 4 a text, a bit where the column is nullable, 32 a row when the unit is a column, and the dictionaries.
/// While it is made, what [`super::write_snapshot`] needs as well.
pub struct RecordTable {
    rows: u64,
    /// By the place in the schema; none for columns without any use.
    columns: Vec<Option<StoredColumn>>,
    units: Vec<Arc<UnitBlock>>,
}

#[derive(Default)]
struct StoredColumn {
    blocks: Vec<Arc<ColumnBlock>>,
    dictionary: Option<Dictionary>,
}

impl RecordTable {
    /// Reads a source whose columns are those of [`super::table_schema`]. `key` is the one by which the engine chooses rows; without
    /// effect when the unit is a row. `progress` is told after every batch of records and may end the work.
    ///
    /// # Errors
    /// For the owner alone, before anything is asked: what is wrong with a cell, with its place and never with the cell
    /// itself; a source that changes meanwhile; limits.
    pub fn read(
        source: &dyn RecordSource,
        schema: &Schema,
        key: &RowKey,
        progress: &mut dyn FnMut(PublishProgress) -> ControlFlow<()>,
    ) -> Result<Self, PublishError> {
        let mut columns: Vec<_> = schema.columns().iter().map(|_| None).collect();
        stored(schema).for_each(|(place, _)| columns[place] = Some(StoredColumn::default()));
        let (rows, table) = write_to(source, schema, key, Self { rows: 0, columns, units: Vec::new() }, progress)?;
        Ok(Self { rows, ..table })
    }

    /// How many rows there are; with a unit column, of those that have a unit.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    pub(crate) fn blocks(&self) -> usize {
        usize::try_from(block_count(self.rows)).unwrap_or(usize::MAX)
    }

    pub(crate) fn block_rows(&self, block: usize) -> usize {
        rows_of_block(self.rows, block as u64)
    }

    pub(crate) fn dictionary(&self, column: usize) -> Option<&Dictionary> {
        self.columns.get(column)?.as_ref()?.dictionary.as_ref()
    }

    pub(crate) fn block(&self, column: usize, block: usize) -> Option<Arc<ColumnBlock>> {
        self.columns.get(column)?.as_ref()?.blocks.get(block).map(Arc::clone)
    }

    pub(crate) fn unit_block(&self, block: usize) -> Option<Arc<UnitBlock>> {
        self.units.get(block).map(Arc::clone)
    }
}

impl Sink for RecordTable {
    fn cells(&mut self, place: usize, block: ColumnBlock) -> Result<(), PublishError> {
        if let Some(column) = &mut self.columns[place] {
            column.blocks.push(Arc::new(block));
        }
        Ok(())
    }

    fn values<'v>(
        &mut self,
        (place, column): (usize, &Column),
        _: usize,
        texts: impl Iterator<Item = &'v str>,
    ) -> Result<(), PublishError> {
        let mut dictionary = Dictionary::new();
        for text in texts {
            dictionary.intern(text).map_err(|full| too_many_values(&column.name, full))?;
        }
        if let Some(column) = &mut self.columns[place] {
            column.dictionary = Some(dictionary);
        }
        Ok(())
    }

    fn units(&mut self, block: UnitBlock) -> Result<(), PublishError> {
        self.units.push(Arc::new(block));
        Ok(())
    }
}

impl fmt::Debug for RecordTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecordTable({} x {})", self.rows, self.columns.iter().flatten().count())
    }
}
