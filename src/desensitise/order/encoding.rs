//! Emitted rows as bytes whose order is that of the rows.

use std::sync::Arc;

use arrow_array::builder::{Decimal128Builder, Int64Builder, StringBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Int64Type};
use arrow_array::{Array, ArrayRef, Decimal128Array, Int64Array, RecordBatch, RecordBatchOptions, StringArray};
use arrow_schema::{DataType, SchemaRef};
use memchr::{memchr, memchr2};

use crate::desensitise::plan::{Desensitised, OtherColumns};
use crate::spill::SpillError;

/// How the rows of a file are written as bytes.
///
/// ```text
/// row     = its cells, one behind the other
/// null    = 00
/// text    = 01 | bytes, with 00 as 01 01 and 01 as 01 02 | 00
/// integer = 01 | 8 bytes, big endian, sign bit turned         decimal = the same in 16 bytes
/// ```
/// Bytes compare as cells do, nulls first, texts by their bytes, numbers by value; no row is the beginning of another.
#[derive(Clone)]
pub(in crate::desensitise) struct RowEncoding {
    schema: SchemaRef,
    cells: Arc<[CellType]>,
}

#[derive(Clone, Copy)]
enum CellType {
    Text,
    Integer,
    Decimal,
}

const NULL: u8 = 0;
const VALUE: u8 = 1;
const END: u8 = 0;
const ESCAPE: u8 = 1;

/// Where a row stands in some bytes.
pub(super) type Span = (usize, usize);

/// Rows, one behind the other, to be put in another order by their spans.
#[derive(Default)]
pub(in crate::desensitise) struct EncodedRows {
    pub(super) bytes: Vec<u8>,
    pub(super) spans: Vec<Span>,
}

impl EncodedRows {
    /// The memory of rows of so many bytes.
    pub(super) const fn memory_of(bytes: usize, rows: usize) -> usize {
        bytes.saturating_add(rows.saturating_mul(size_of::<Span>()))
    }

    pub(super) const fn memory(&self) -> usize {
        Self::memory_of(self.bytes.len(), self.spans.len())
    }

    pub(super) fn push(&mut self, row: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(row);
        self.spans.push((start, self.bytes.len()));
    }

    pub(super) fn append(&mut self, rows: &Self) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&rows.bytes);
        self.spans.extend(rows.spans.iter().map(|(from, to)| (start + from, start + to)));
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.spans.iter().map(|&(from, to)| &self.bytes[from..to])
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.spans.clear();
    }
}

impl RowEncoding {
    pub(super) fn of(schema: &SchemaRef) -> Result<Self, OtherColumns> {
        let other = OtherColumns { expected: schema.fields().len(), found: schema.fields().len() };
        let cell_type = |data_type: &DataType| match data_type {
            DataType::Utf8 => Ok(CellType::Text),
            DataType::Int64 => Ok(CellType::Integer),
            DataType::Decimal128(..) => Ok(CellType::Decimal),
            _ => Err(other),
        };
        let cells = schema.fields().iter().map(|field| cell_type(field.data_type())).collect::<Result<_, _>>()?;
        Ok(Self { schema: Arc::clone(schema), cells })
    }

    /// The rows of a batch.
    pub(in crate::desensitise) fn encode(&self, rows: &Desensitised) -> Result<EncodedRows, OtherColumns> {
        let batch = rows.batch();
        let other = OtherColumns { expected: self.cells.len(), found: batch.num_columns() };
        if batch.num_columns() != self.cells.len() {
            return Err(other);
        }
        let columns = self.cells.iter().zip(batch.columns());
        let columns: Vec<Cells<'_>> = columns.map(|(cell, array)| Cells::of(*cell, array)).collect::<Option<_>>().ok_or(other)?;
        let mut encoded = EncodedRows { bytes: Vec::new(), spans: Vec::with_capacity(batch.num_rows()) };
        for row in 0..batch.num_rows() {
            let start = encoded.bytes.len();
            columns.iter().for_each(|cells| cells.encode(row, &mut encoded.bytes));
            encoded.spans.push((start, encoded.bytes.len()));
        }
        Ok(encoded)
    }

    /// Where the rows of some bytes stand.
    pub(super) fn find(&self, bytes: &[u8], spans: &mut Vec<Span>) -> Result<(), SpillError> {
        let mut at = 0;
        while at < bytes.len() {
            let start = at;
            for cell in &*self.cells {
                at += cell.len(&bytes[at..]).ok_or(SpillError::Damaged)?;
            }
            spans.push((start, at));
        }
        Ok(())
    }

    /// The rows as they were emitted.
    pub(super) fn decode(&self, rows: &EncodedRows) -> Result<Desensitised, SpillError> {
        let types = self.schema.fields().iter().map(|field| field.data_type());
        let mut columns: Vec<Column> = self.cells.iter().zip(types).map(|(cell, data_type)| Column::new(*cell, data_type)).collect();
        for mut row in rows.iter() {
            for (column, cell) in columns.iter_mut().zip(&*self.cells) {
                let (cell, rest) = cell.len(row).and_then(|len| row.split_at_checked(len)).ok_or(SpillError::Damaged)?;
                column.push(cell).ok_or(SpillError::Damaged)?;
                row = rest;
            }
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows.spans.len()));
        let columns = columns.into_iter().map(Column::finish).collect();
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options);
        batch.map(Desensitised::again).map_err(|_| SpillError::Damaged)
    }
}

impl CellType {
    /// The length of the cell with which these bytes begin.
    fn len(self, bytes: &[u8]) -> Option<usize> {
        let (&mark, cell) = bytes.split_first()?;
        let len = match self {
            _ if mark == NULL => 0,
            Self::Text => memchr(END, cell)? + 1,
            Self::Integer => size_of::<i64>(),
            Self::Decimal => size_of::<i128>(),
        };
        (mark <= VALUE && len <= cell.len()).then_some(1 + len)
    }
}

/// A column of a batch.
enum Cells<'a> {
    Text(&'a StringArray),
    Integer(&'a Int64Array),
    Decimal(&'a Decimal128Array),
}

impl<'a> Cells<'a> {
    fn of(cell: CellType, array: &'a ArrayRef) -> Option<Self> {
        Some(match cell {
            CellType::Text => Self::Text(array.as_string_opt()?),
            CellType::Integer => Self::Integer(array.as_primitive_opt::<Int64Type>()?),
            CellType::Decimal => Self::Decimal(array.as_primitive_opt::<Decimal128Type>()?),
        })
    }

    fn encode(&self, row: usize, out: &mut Vec<u8>) {
        let is_null = match self {
            Self::Text(cells) => cells.is_null(row),
            Self::Integer(cells) => cells.is_null(row),
            Self::Decimal(cells) => cells.is_null(row),
        };
        if is_null {
            return out.push(NULL);
        }
        out.push(VALUE);
        match self {
            Self::Text(cells) => encode_text(cells.value(row).as_bytes(), out),
            Self::Integer(cells) => out.extend_from_slice(&(cells.value(row) ^ i64::MIN).to_be_bytes()),
            Self::Decimal(cells) => out.extend_from_slice(&(cells.value(row) ^ i128::MIN).to_be_bytes()),
        }
    }
}

fn encode_text(mut text: &[u8], out: &mut Vec<u8>) {
    // Hardly any text has such a byte.
    while let Some(at) = memchr2(END, ESCAPE, text) {
        out.extend_from_slice(&text[..at]);
        out.extend_from_slice(&[ESCAPE, text[at] + 1]);
        text = &text[at + 1..];
    }
    out.extend_from_slice(text);
    out.push(END);
}

/// A column that is read back.
enum Column {
    Text(StringBuilder, Vec<u8>),
    Integer(Int64Builder),
    Decimal(Decimal128Builder),
}

impl Column {
    fn new(cell: CellType, data_type: &DataType) -> Self {
        match cell {
            CellType::Text => Self::Text(StringBuilder::new(), Vec::new()),
            CellType::Integer => Self::Integer(Int64Builder::new()),
            CellType::Decimal => Self::Decimal(Decimal128Builder::new().with_data_type(data_type.clone())),
        }
    }

    fn push(&mut self, cell: &[u8]) -> Option<()> {
        let value = cell.split_first().filter(|(mark, _)| **mark == VALUE).map(|(_, value)| value);
        match self {
            Self::Text(cells, scratch) => match value {
                Some(value) => cells.append_value(decode_text(value.split_last()?.1, scratch)?),
                None => cells.append_null(),
            },
            Self::Integer(cells) => {
                let value = value.map(|value| Some(i64::from_be_bytes(value.try_into().ok()?) ^ i64::MIN));
                cells.append_option(value.map_or(Some(None), |value| value.map(Some))?);
            }
            Self::Decimal(cells) => {
                let value = value.map(|value| Some(i128::from_be_bytes(value.try_into().ok()?) ^ i128::MIN));
                cells.append_option(value.map_or(Some(None), |value| value.map(Some))?);
            }
        }
        Some(())
    }

    fn finish(self) -> ArrayRef {
        match self {
            Self::Text(mut cells, _) => Arc::new(cells.finish()),
            Self::Integer(mut cells) => Arc::new(cells.finish()),
            Self::Decimal(mut cells) => Arc::new(cells.finish()),
        }
    }
}

fn decode_text<'a>(mut text: &'a [u8], scratch: &'a mut Vec<u8>) -> Option<&'a str> {
    if memchr(ESCAPE, text).is_none() {
        return std::str::from_utf8(text).ok();
    }
    scratch.clear();
    while let Some(at) = memchr(ESCAPE, text) {
        scratch.extend_from_slice(&text[..at]);
        scratch.push(text.get(at + 1)?.checked_sub(1)?);
        text = &text[at + 2..];
    }
    scratch.extend_from_slice(text);
    std::str::from_utf8(scratch).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Row = (Option<String>, Option<i64>, Option<i64>);

    fn emitted(rows: &[Row]) -> Desensitised {
        let texts: ArrayRef = Arc::new(rows.iter().map(|row| row.0.as_deref()).collect::<StringArray>());
        let integers: ArrayRef = Arc::new(rows.iter().map(|row| row.1).collect::<Int64Array>());
        let decimals = rows.iter().map(|row| row.2.map(i128::from)).collect::<Decimal128Array>();
        let decimals: ArrayRef = Arc::new(decimals.with_precision_and_scale(38, 2).unwrap());
        Desensitised::of_test(
            RecordBatch::try_from_iter_with_nullable([("t", texts, true), ("i", integers, true), ("d", decimals, true)]).unwrap(),
        )
    }

    /// Texts in which the bytes that are escaped are as frequent as others.
    fn text() -> impl Strategy<Value = String> {
        prop::collection::vec(prop::sample::select(vec!['\0', '\u{1}', '\u{2}', 'a', '\u{7f}', '\u{80}', '省', '\u{10ffff}']), 0..6)
            .prop_map(|chars| chars.into_iter().collect())
    }

    fn number() -> impl Strategy<Value = i64> {
        prop_oneof![any::<i64>(), -2i64..3]
    }

    proptest! {
        #[test]
        fn rows_come_back_and_their_bytes_are_in_their_order(
            rows in prop::collection::vec((prop::option::of(text()), prop::option::of(number()), prop::option::of(number())), 0..30),
        ) {
            let batch = emitted(&rows);
            let encoding = RowEncoding::of(&batch.batch().schema()).unwrap();
            let encoded = encoding.encode(&batch).unwrap();
            let decoded = encoding.decode(&encoded).unwrap();
            prop_assert_eq!(decoded.batch(), batch.batch());
            let mut spans = Vec::new();
            encoding.find(&encoded.bytes, &mut spans).unwrap();
            prop_assert_eq!(&spans, &encoded.spans);
            let bytes: Vec<&[u8]> = encoded.iter().collect();
            for (a, one) in rows.iter().zip(&bytes) {
                for (b, other) in rows.iter().zip(&bytes) {
                    prop_assert_eq!(one.cmp(other), a.cmp(b), "{:?} {:?}", a, b);
                    prop_assert!(one == other || !other.starts_with(one));
                }
            }
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let encoding = RowEncoding::of(&emitted(&[]).batch().schema()).unwrap();
            let mut spans = Vec::new();
            if encoding.find(&bytes, &mut spans).is_ok() {
                let _ = encoding.decode(&EncodedRows { bytes, spans });
            }
        }
    }

    #[test]
    fn other_columns_are_refused() {
        let flags: ArrayRef = Arc::new(arrow_array::BooleanArray::from(vec![true]));
        let other = RecordBatch::try_from_iter([("flag", flags)]).unwrap();
        assert!(RowEncoding::of(&other.schema()).is_err());
        let encoding = RowEncoding::of(&emitted(&[]).batch().schema()).unwrap();
        assert!(encoding.encode(&Desensitised::of_test(other)).is_err());
    }
}
