//! Tables in memory, by the rules of a snapshot.

use std::sync::Arc;

use crate::codec::Encoder;
use crate::dataset::{
    Bounds, Cells, Column, ColumnBlock, ColumnType, Contribution, GridStep, RowKey, Schema, Unit, UnitBlock, Use, Uses, Values,
};
use crate::engine::{Blocks, EngineError};
use crate::grade::Grade;
use crate::id::{ColumnName, Name};
use crate::label::Label;

#[derive(Clone, Debug, PartialEq)]
pub(in crate::engine) enum Cell {
    Null,
    Text(String),
    Number(i64),
}

/// A row; its unit, and a cell for each column but the unit's.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::engine) struct Record {
    pub(in crate::engine) unit: u64,
    pub(in crate::engine) cells: Vec<Cell>,
}

/// The K of all tests.
pub(in crate::engine) fn key() -> RowKey {
    RowKey::from_bytes(&[7; 32])
}

pub(in crate::engine) fn row_schema() -> Schema {
    Schema::new(Unit::Row, Contribution::ROW, columns()).unwrap()
}

/// The same columns, and a unit behind them.
#[cfg(test)]
pub(in crate::engine) fn unit_schema((groups_per_unit, rows_per_group): (u32, u32)) -> Schema {
    unit_schema_within(Contribution { groups_per_unit, rows_per_group, rows_per_unit: None })
}

pub(in crate::engine) fn unit_schema_within(contribution: Contribution) -> Schema {
    let mut columns = columns();
    columns.push(Column { uses: Uses::NONE, ..plain("who", ColumnType::Integer) });
    let unit = Unit::Column(ColumnName::new("who").unwrap());
    Schema::new(unit, contribution, columns).unwrap()
}

fn plain(name: &str, kind: ColumnType) -> Column {
    let uses = [Use::Aggregate, Use::Filter].into_iter().collect();
    let name = ColumnName::new(name).unwrap();
    Column { name, kind, bounds: None, values: None, other: None, nullable: true, grade: Grade::L1, uses }
}

fn grouped(name: &str, kind: ColumnType, values: Values, other: Option<&str>, nullable: bool) -> Column {
    let uses = [Use::Aggregate, Use::Filter, Use::Group].into_iter().collect();
    let other = other.map(|other| Name::new(other).unwrap());
    Column { values: Some(values), other, nullable, uses, ..plain(name, kind) }
}

pub(in crate::engine) fn revealed(name: &str, kind: ColumnType) -> Column {
    Column { uses: [Use::Aggregate, Use::Filter, Use::Group, Use::Reveal].into_iter().collect(), ..plain(name, kind) }
}

fn columns() -> Vec<Column> {
    let texts = |texts: &[&str]| Values::Text(texts.iter().map(|text| (*text).to_owned()).collect());
    let real = ColumnType::Real { step: GridStep::parse("0.25").unwrap() };
    vec![
        grouped("color", ColumnType::Text, texts(&["red", "green"]), Some("rest"), true),
        grouped("size", ColumnType::Integer, Values::Integer(vec![1, 5, -3, i64::MAX]), None, true),
        grouped("shape", ColumnType::Text, texts(&["c", "a", "b"]), None, false),
        Column { bounds: Some(Bounds { low: -5, high: 9 }), ..plain("x", ColumnType::Integer) },
        Column { bounds: Some(Bounds { low: 2, high: 9 }), nullable: false, ..plain("y", real) },
        plain("note", ColumnType::Text),
        Column { bounds: Some(Bounds { low: i64::MIN, high: i64::MAX }), ..plain("wide", ColumnType::Integer) },
        Column { bounds: Some(Bounds { low: 0, high: 1 << 47 }), ..plain("long", ColumnType::Integer) },
        revealed("town", ColumnType::Text),
        revealed("code", ColumnType::Integer),
    ]
}

/// Columns in blocks of few rows.
pub(in crate::engine) struct Memory {
    columns: Vec<Vec<Arc<ColumnBlock>>>,
    dictionaries: Vec<Vec<String>>,
    units: Vec<Arc<UnitBlock>>,
    rows: Vec<usize>,
    pub(in crate::engine) fail: bool,
}

impl Memory {
    pub(in crate::engine) fn new(schema: &Schema, records: &[Record], block_rows: usize) -> Self {
        Self::tagged(schema, records, block_rows, |_, record| tag(record))
    }

    /// With another tag than a snapshot would give.
    pub(in crate::engine) fn tagged(
        schema: &Schema,
        records: &[Record],
        block_rows: usize,
        tag: impl Fn(usize, &Record) -> [u8; 16],
    ) -> Self {
        let tagged = records.iter().enumerate().map(|(place, record)| (unit_id(record.unit), tag(place, record), record));
        let mut tagged: Vec<_> = tagged.collect();
        if schema.unit_column().is_some() {
            tagged.sort_by_key(|(id, tag, _)| (*id, *tag));
        }
        let mut dictionaries: Vec<Vec<String>> = schema
            .columns()
            .iter()
            .map(|column| match &column.values {
                Some(Values::Text(values)) => values.clone(),
                _ => Vec::new(),
            })
            .collect();
        let chunks: Vec<_> = tagged.chunks(block_rows).collect();
        let columns = schema.columns().iter().zip(&mut dictionaries).enumerate().map(|(place, (column, dictionary))| {
            let block = |chunk: &&[([u8; 16], [u8; 16], &Record)]| {
                let cells = chunk.iter().map(|(_, _, record)| record.cells.get(place).unwrap_or(&Cell::Null));
                Arc::new(block(column, dictionary, cells))
            };
            chunks.iter().map(block).collect()
        });
        Self {
            columns: columns.collect(),
            dictionaries,
            units: chunks
                .iter()
                .map(|chunk| {
                    Arc::new(UnitBlock {
                        ids: chunk.iter().map(|(id, ..)| *id).collect(),
                        tags: chunk.iter().map(|(_, tag, _)| *tag).collect(),
                    })
                })
                .collect(),
            rows: chunks.iter().map(|chunk| chunk.len()).collect(),
            fail: false,
        }
    }

    /// The same full block many times, one column of one value.
    #[cfg(test)]
    pub(in crate::engine) fn constant(schema: &Schema, name: &str, value: i64, block_rows: usize, blocks: usize) -> Self {
        let (place, _) = schema.column(&ColumnName::new(name).unwrap()).unwrap();
        let block = Arc::new(ColumnBlock { cells: Cells::Numbers(vec![value; block_rows]), nulls: Some(vec![0; block_rows.div_ceil(64)]) });
        let mut columns = vec![Vec::new(); schema.columns().len()];
        columns[place] = vec![block; blocks];
        Self { columns, dictionaries: Vec::new(), units: Vec::new(), rows: vec![block_rows; blocks], fail: false }
    }
}

fn block<'a>(column: &Column, dictionary: &mut Vec<String>, cells: impl Iterator<Item = &'a Cell>) -> ColumnBlock {
    let (mut codes, mut numbers, mut nulls) = (Vec::new(), Vec::new(), Vec::new());
    for (row, cell) in cells.enumerate() {
        if row % 64 == 0 {
            nulls.push(0_u64);
        }
        match cell {
            Cell::Null => {
                nulls[row / 64] |= 1 << (row % 64);
                codes.push(0);
                numbers.push(0);
            }
            Cell::Text(text) => codes.push(dictionary.iter().position(|value| value == text).unwrap_or_else(|| {
                dictionary.push(text.clone());
                dictionary.len() - 1
            }) as u32),
            Cell::Number(number) => numbers.push(*number),
        }
    }
    let cells = if column.kind == ColumnType::Text { Cells::Codes(codes) } else { Cells::Numbers(numbers) };
    ColumnBlock { cells, nulls: column.nullable.then_some(nulls) }
}

pub(in crate::engine) fn unit_id(unit: u64) -> [u8; 16] {
    key().prf(Label::UNIT, &[&unit.to_be_bytes()])[..16].try_into().unwrap()
}

pub(in crate::engine) fn tag(record: &Record) -> [u8; 16] {
    let mut out = Encoder::new();
    out.array(1 + record.cells.len()).uint(record.unit);
    for cell in &record.cells {
        match cell {
            Cell::Null => out.boolean(false),
            Cell::Text(text) => out.text(text),
            Cell::Number(number) => out.int(*number),
        };
    }
    key().prf(Label::ROW, &[&out.into_bytes()])[..16].try_into().unwrap()
}

impl Blocks for Memory {
    fn blocks(&self) -> usize {
        self.rows.len()
    }

    fn block_rows(&self, block: usize) -> usize {
        self.rows[block]
    }

    fn texts(&self, column: usize, visit: &mut dyn FnMut(&str)) -> Result<(), EngineError> {
        self.dictionaries[column].iter().for_each(|text| visit(text));
        Ok(())
    }

    fn block(&self, column: usize, block: usize) -> Result<Arc<ColumnBlock>, EngineError> {
        if self.fail { Err(EngineError::Failed) } else { Ok(Arc::clone(&self.columns[column][block])) }
    }

    fn unit_block(&self, block: usize) -> Result<Arc<UnitBlock>, EngineError> {
        Ok(Arc::clone(&self.units[block]))
    }
}
