//! From raw records to quantised cells: here, and only here, a cell can be refused.

use arrow_array::{Array, ArrayRef, Int64Array, StringArray};

use super::PublishError;
use super::TEXT_BYTES_MAX;
use super::number::real;
use crate::codec::Encoder;
use crate::dataset::{Column, ColumnType, Schema, Uses};
use crate::table::{ColumnKind, Records, TableColumn, TableError, TableSchema};
use crate::value::NotANumber;

/// The columns that a source must have for a dataset of `schema`.
#[must_use]
#[expect(clippy::missing_panics_doc, clippy::expect_used, reason = "the schema of a dataset has distinct names, and as few columns")]
pub fn table_schema(schema: &Schema) -> TableSchema {
    let column = |column: &Column| TableColumn { name: column.name.clone(), kind: table_kind(column.kind) };
    TableSchema::new(schema.columns().iter().map(column).collect()).expect("at most as many columns as a table may have")
}

const fn table_kind(kind: ColumnType) -> ColumnKind {
    match kind {
        ColumnType::Text => ColumnKind::Text,
        ColumnType::Integer => ColumnKind::Integer,
        ColumnType::Real { .. } => ColumnKind::Real,
    }
}

/// Quantised cells of one column; nothing where there is a null.
pub(super) enum Cells<'a> {
    Texts(Vec<Option<&'a str>>),
    Numbers(Vec<Option<i64>>),
}

/// Quantised cells of some records, for each column of the schema that was asked for.
pub(super) struct Batch<'a> {
    pub(super) rows: usize,
    pub(super) columns: Vec<Option<Cells<'a>>>,
}

/// What is wrong with a cell.
enum Problem {
    Null,
    NotANumber,
    TooManyDigits,
    TextTooLong,
}

impl<'a> Batch<'a> {
    /// Reads rows `start..start + rows` of the columns that are `wanted`. The first bad cell is the one of the first
    /// record, and in it of the first column.
    pub(super) fn read(records: &'a Records, start: usize, rows: usize, schema: &Schema, wanted: &[bool]) -> Result<Self, PublishError> {
        let unit = schema.unit_column();
        let mut columns = Vec::with_capacity(schema.columns().len());
        let mut first_bad: Option<(usize, usize, Problem)> = None;
        for (place, column) in schema.columns().iter().enumerate() {
            let wrong = TableError::Batch { column: place + 1, expected: table_kind(column.kind).as_str() };
            let array = records.batch().columns().get(place).ok_or_else(|| wrong.clone())?;
            let cells = if wanted[place] { Some(cells(array, start, rows, column, unit == Some(place)).ok_or(wrong)?) } else { None };
            match cells.transpose() {
                Ok(cells) => columns.push(cells),
                Err((row, problem)) if first_bad.as_ref().is_none_or(|(first, ..)| row < *first) => {
                    first_bad = Some((row, place, problem));
                }
                Err(_) => {}
            }
        }
        match first_bad {
            None => Ok(Self { rows, columns }),
            Some((row, place, problem)) => {
                let position = records.position(start + row, Some(place));
                let column = schema.columns()[place].name.clone();
                Err(match problem {
                    Problem::Null => PublishError::Null { position, column },
                    Problem::NotANumber => PublishError::NotANumber { position, column },
                    Problem::TooManyDigits => PublishError::TooManyDigits { position, column },
                    Problem::TextTooLong => PublishError::TextTooLong { position, column, most: TEXT_BYTES_MAX },
                })
            }
        }
    }

    pub(super) fn column(&self, place: usize) -> Option<&Cells<'a>> {
        self.columns.get(place)?.as_ref()
    }

    /// The canonical encoding of all cells of a row: an array of byte strings, integers, and `false` for null.
    pub(super) fn encode_row(&self, row: usize) -> Vec<u8> {
        let mut out = Encoder::new();
        out.array(self.columns.len());
        for cells in &self.columns {
            match cells {
                Some(Cells::Texts(texts)) => match texts[row] {
                    Some(text) => out.bytes(text.as_bytes()),
                    None => out.boolean(false),
                },
                Some(Cells::Numbers(numbers)) => match numbers[row] {
                    Some(number) => out.int(number),
                    None => out.boolean(false),
                },
                None => out.boolean(false),
            };
        }
        out.into_bytes()
    }
}

type CellsResult<'a> = Result<Cells<'a>, (usize, Problem)>;

/// The cells of one column; nothing when the array is of another type or too short.
fn cells<'a>(array: &'a ArrayRef, start: usize, rows: usize, column: &Column, is_unit: bool) -> Option<CellsResult<'a>> {
    if start.checked_add(rows)? > array.len() {
        return None;
    }
    let nulls_allowed = column.nullable || is_unit;
    let checked = |row: usize, null: bool| if null && !nulls_allowed { Err((row, Problem::Null)) } else { Ok(()) };
    if column.kind == ColumnType::Integer {
        let array = array.as_any().downcast_ref::<Int64Array>()?;
        let cell = |row: usize| {
            let value = array.is_valid(start + row).then(|| array.value(start + row));
            checked(row, value.is_none()).map(|()| value)
        };
        return Some((0..rows).map(cell).collect::<Result<_, _>>().map(Cells::Numbers));
    }
    let array = array.as_any().downcast_ref::<StringArray>()?;
    // An empty text is a null, as in CSV.
    let text =
        |row: usize| Some(start + row).filter(|&row| array.is_valid(row)).map(|row| array.value(row)).filter(|text| !text.is_empty());
    Some(match column.kind {
        ColumnType::Real { step } => {
            let number = |row: usize| {
                let value = match text(row).map(|text| real(text, step)).transpose() {
                    Ok(value) => value.flatten(),
                    Err(NotANumber::Form) => return Err((row, Problem::NotANumber)),
                    Err(NotANumber::Digits) => return Err((row, Problem::TooManyDigits)),
                };
                checked(row, value.is_none()).map(|()| value)
            };
            (0..rows).map(number).collect::<Result<_, _>>().map(Cells::Numbers)
        }
        _ => {
            let most = if column.uses == Uses::NONE { usize::MAX } else { TEXT_BYTES_MAX };
            let cell = |row: usize| match text(row) {
                Some(text) if text.len() > most => Err((row, Problem::TextTooLong)),
                found => checked(row, found.is_none()).map(|()| found),
            };
            (0..rows).map(cell).collect::<Result<_, _>>().map(Cells::Texts)
        }
    })
}
