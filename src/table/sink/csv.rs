//! CSV out: RFC 4180.

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Int64Type};
use arrow_array::{Array, Decimal128Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Schema};

use super::bytes_of;

/// A column and how its cells are written.
enum Column<'a> {
    /// No cell needs quotes.
    Plain(&'a StringArray),
    Text(&'a StringArray),
    Integer(&'a Int64Array),
    Decimal(&'a Decimal128Array, i8),
}

/// The record that names the columns.
pub(super) fn header(schema: &Schema, delimiter: u8) -> Vec<u8> {
    let mut out = Vec::new();
    for (at, field) in schema.fields().iter().enumerate() {
        if at > 0 {
            out.push(delimiter);
        }
        text(&mut out, field.name().as_bytes(), delimiter);
    }
    out.push(b'\n');
    out
}

/// The records of a batch whose columns the sink takes.
pub(super) fn rows(batch: &RecordBatch, delimiter: u8) -> Vec<u8> {
    let columns: Vec<Column<'_>> = batch.columns().iter().map(|array| Column::new(array.as_ref(), delimiter)).collect();
    let texts = batch.columns().iter().filter_map(|column| column.as_string_opt::<i32>());
    let mut out = Vec::with_capacity(texts.map(|texts| bytes_of(texts).len()).sum::<usize>() + batch.num_rows() * 8 * columns.len());
    for row in 0..batch.num_rows() {
        let start = out.len();
        for (at, column) in columns.iter().enumerate() {
            if at > 0 {
                out.push(delimiter);
            }
            column.write(&mut out, row, delimiter);
        }
        // An empty line would be no record.
        if out.len() == start {
            out.extend_from_slice(b"\"\"");
        }
        out.push(b'\n');
    }
    out
}

impl<'a> Column<'a> {
    fn new(array: &'a dyn Array, delimiter: u8) -> Self {
        match array.data_type() {
            DataType::Int64 => Self::Integer(array.as_primitive::<Int64Type>()),
            DataType::Decimal128(_, scale) => Self::Decimal(array.as_primitive::<Decimal128Type>(), *scale),
            _ => {
                let texts = array.as_string::<i32>();
                let quotes = needs_quotes(bytes_of(texts), delimiter);
                if quotes { Self::Text(texts) } else { Self::Plain(texts) }
            }
        }
    }

    fn write(&self, out: &mut Vec<u8>, row: usize, delimiter: u8) {
        match self {
            Self::Plain(texts) if texts.is_valid(row) => out.extend_from_slice(texts.value(row).as_bytes()),
            Self::Text(texts) if texts.is_valid(row) => text(out, texts.value(row).as_bytes(), delimiter),
            Self::Integer(integers) if integers.is_valid(row) => integer(out, integers.value(row)),
            Self::Decimal(decimals, scale) if decimals.is_valid(row) => decimal(out, decimals.value(row), *scale),
            _ => {}
        }
    }
}

fn needs_quotes(bytes: &[u8], delimiter: u8) -> bool {
    memchr::memchr3(delimiter, b'"', b'\n', bytes).is_some() || memchr::memchr(b'\r', bytes).is_some()
}

fn text(out: &mut Vec<u8>, text: &[u8], delimiter: u8) {
    if !needs_quotes(text, delimiter) {
        return out.extend_from_slice(text);
    }
    out.push(b'"');
    for (at, part) in text.split(|byte| *byte == b'"').enumerate() {
        if at > 0 {
            out.extend_from_slice(b"\"\"");
        }
        out.extend_from_slice(part);
    }
    out.push(b'"');
}

fn integer(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// All digits of the scale are written, so that the step can be seen.
fn decimal(out: &mut Vec<u8>, value: i128, scale: i8) {
    if value < 0 {
        out.push(b'-');
    }
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(value.unsigned_abs()).as_bytes();
    let Ok(scale) = usize::try_from(scale) else {
        out.extend_from_slice(digits);
        if value != 0 {
            out.resize(out.len() + usize::from(scale.unsigned_abs()), b'0');
        }
        return;
    };
    let (whole, fraction) = digits.split_at(digits.len().saturating_sub(scale));
    out.extend_from_slice(if whole.is_empty() { b"0" } else { whole });
    if scale > 0 {
        out.push(b'.');
        out.resize(out.len() + scale - fraction.len(), b'0');
        out.extend_from_slice(fraction);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact() {
        for (value, scale, expected) in [
            (0, 0, "0"),
            (0, 2, "0.00"),
            (5, 2, "0.05"),
            (-5, 1, "-0.5"),
            (-12_345, 2, "-123.45"),
            (12, -3, "12000"),
            (0, -3, "0"),
            (i128::MIN, 38, "-1.70141183460469231731687303715884105728"),
            (i128::MAX, 0, "170141183460469231731687303715884105727"),
        ] {
            let mut out = Vec::new();
            decimal(&mut out, value, scale);
            assert_eq!(String::from_utf8_lossy(&out), expected);
        }
    }
}
