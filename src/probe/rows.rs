//! Tables in memory for probes of requests.

use std::sync::Arc;

use super::ProbeError;
use crate::codec::Encoder;
use crate::dataset::{Cells, Column, ColumnBlock, ColumnType, RowKey, Schema, UnitBlock, Values};
use crate::engine::{Blocks, EngineError};
use crate::label::Label;

/// A cell of a table in memory.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Cell {
    /// Nothing, in a column that may have nulls.
    Null,
    /// A text.
    Text(String),
    /// An integer, or a real number as its steps; not clamped.
    Number(i64),
}

/// A table in memory for a probe: made up, or a small piece of data that may be looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Rows {
    schema: Schema,
    rows: Vec<Vec<Cell>>,
}

impl Rows {
    /// A table of `rows`, each with a cell for each column of `schema`, the unit's among them.
    ///
    /// # Errors
    /// A row does not fit the schema.
    pub fn new(schema: Schema, rows: Vec<Vec<Cell>>) -> Result<Self, ProbeError> {
        let unit = schema.unit_column();
        let fits = |(place, (cell, column)): (usize, (&Cell, &Column))| match cell {
            Cell::Null => column.nullable && unit != Some(place),
            Cell::Text(_) => column.kind == ColumnType::Text,
            Cell::Number(_) => column.kind != ColumnType::Text,
        };
        let columns = schema.columns();
        let wrong = |row: &Vec<Cell>| row.len() != columns.len() || !row.iter().zip(columns).enumerate().all(fits);
        match rows.iter().position(wrong) {
            Some(row) => Err(ProbeError::Row { row: row + 1 }),
            None => Ok(Self { schema, rows }),
        }
    }

    /// The schema.
    #[must_use]
    pub const fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The rows.
    #[must_use]
    pub fn rows(&self) -> &[Vec<Cell>] {
        &self.rows
    }

    /// The same columns with other rows that came from this table, or fit it.
    pub(super) fn with_rows(&self, rows: Vec<Vec<Cell>>) -> Self {
        Self { schema: self.schema.clone(), rows }
    }

    /// Which unit each row belongs to: the place of its first row.
    pub(super) fn units(&self) -> Vec<usize> {
        let Some(column) = self.schema.unit_column() else { return (0..self.rows.len()).collect() };
        let first = |row: &Vec<Cell>| self.rows.iter().position(|other| other[column] == row[column]).unwrap_or(0);
        self.rows.iter().map(first).collect()
    }

    /// These rows in blocks, by the rules of a snapshot, and the key of their lineage.
    pub(super) fn blocks(&self, block_rows: usize) -> (Arc<dyn Blocks>, RowKey) {
        let key = RowKey::from_bytes(&[7; 32]);
        (Arc::new(MemoryBlocks::new(self, &key, block_rows)), key)
    }
}

/// Rows in blocks, sorted by unit and tag where the unit is a column.
struct MemoryBlocks {
    columns: Vec<Vec<Arc<ColumnBlock>>>,
    dictionaries: Vec<Vec<String>>,
    units: Vec<Arc<UnitBlock>>,
    rows: Vec<usize>,
}

impl MemoryBlocks {
    fn new(table: &Rows, key: &RowKey, block_rows: usize) -> Self {
        let unit = table.schema.unit_column();
        let short = |label, part: &[u8]| -> [u8; 16] { std::array::from_fn(|at| key.prf(label, &[part])[at]) };
        let tagged = table.rows.iter().map(|row| {
            let id = unit.map_or([0; 16], |unit| short(Label::UNIT, &encode(&row[unit..=unit])));
            (id, short(Label::ROW, &encode(row)), row)
        });
        let mut tagged: Vec<_> = tagged.collect();
        if unit.is_some() {
            tagged.sort_by_key(|(id, tag, _)| (*id, *tag));
        }
        let declared = |column: &Column| match &column.values {
            Some(Values::Text(values)) => values.clone(),
            _ => Vec::new(),
        };
        let mut dictionaries: Vec<Vec<String>> = table.schema.columns().iter().map(declared).collect();
        let chunks: Vec<_> = tagged.chunks(block_rows.max(1)).collect();
        let columns = table.schema.columns().iter().zip(&mut dictionaries).enumerate().map(|(place, (column, dictionary))| {
            chunks.iter().map(|chunk| Arc::new(block(column, dictionary, chunk.iter().map(|(.., row)| &row[place])))).collect()
        });
        let columns = columns.collect();
        let unit_block = |chunk: &&[([u8; 16], [u8; 16], &Vec<Cell>)]| {
            let (ids, tags) = chunk.iter().map(|(id, tag, _)| (*id, *tag)).unzip();
            Arc::new(UnitBlock { ids, tags })
        };
        Self {
            columns,
            dictionaries,
            units: chunks.iter().map(unit_block).collect(),
            rows: chunks.iter().map(|chunk| chunk.len()).collect(),
        }
    }
}

fn encode(cells: &[Cell]) -> Vec<u8> {
    let mut out = Encoder::new();
    out.array(cells.len());
    for cell in cells {
        match cell {
            Cell::Null => out.boolean(false),
            Cell::Text(text) => out.text(text),
            Cell::Number(number) => out.int(*number),
        };
    }
    out.into_bytes()
}

fn block<'a>(column: &Column, dictionary: &mut Vec<String>, cells: impl Iterator<Item = &'a Cell>) -> ColumnBlock {
    let (mut codes, mut numbers, mut nulls) = (Vec::new(), Vec::new(), Vec::new());
    for (row, cell) in cells.enumerate() {
        if row % 64 == 0 {
            nulls.push(0_u64);
        }
        let (code, number) = match cell {
            Cell::Null => {
                nulls[row / 64] |= 1 << (row % 64);
                (0, 0)
            }
            Cell::Text(text) => {
                let code = dictionary.iter().position(|value| value == text).unwrap_or_else(|| {
                    dictionary.push(text.clone());
                    dictionary.len() - 1
                });
                (u32::try_from(code).unwrap_or(u32::MAX), 0)
            }
            Cell::Number(number) => (0, *number),
        };
        codes.push(code);
        numbers.push(number);
    }
    let cells = if column.kind == ColumnType::Text { Cells::Codes(codes) } else { Cells::Numbers(numbers) };
    ColumnBlock { cells, nulls: column.nullable.then_some(nulls) }
}

impl Blocks for MemoryBlocks {
    fn blocks(&self) -> usize {
        self.rows.len()
    }

    fn block_rows(&self, block: usize) -> usize {
        self.rows.get(block).copied().unwrap_or(0)
    }

    fn texts(&self, column: usize, visit: &mut dyn FnMut(&str)) -> Result<(), EngineError> {
        self.dictionaries.get(column).ok_or(EngineError::Failed)?.iter().for_each(|text| visit(text));
        Ok(())
    }

    fn block(&self, column: usize, block: usize) -> Result<Arc<ColumnBlock>, EngineError> {
        self.columns.get(column).and_then(|blocks| blocks.get(block)).map(Arc::clone).ok_or(EngineError::Failed)
    }

    fn unit_block(&self, block: usize) -> Result<Arc<UnitBlock>, EngineError> {
        self.units.get(block).map(Arc::clone).ok_or(EngineError::Failed)
    }
}
