//! What kernels read: texts or integers.

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, Int64Array, StringArray};
use arrow_schema::DataType;

use super::OffReason;
use crate::value::Number;

/// The cells of a column, by their Arrow type.
pub(super) enum Cells<'a> {
    Text(&'a StringArray),
    Integer(&'a Int64Array),
    /// Cells that no kernel reads, and how many.
    Other(usize),
}

impl<'a> Cells<'a> {
    pub(super) fn of(array: &'a ArrayRef) -> Self {
        match array.data_type() {
            DataType::Utf8 => Self::Text(array.as_string()),
            DataType::Int64 => Self::Integer(array.as_primitive::<Int64Type>()),
            _ => Self::Other(array.len()),
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Text(cells) => cells.len(),
            Self::Integer(cells) => cells.len(),
            Self::Other(len) => *len,
        }
    }

    /// Bytes of all texts together; of integers an estimate.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Text(cells) => {
                cells.value_offsets().last().zip(cells.value_offsets().first()).map_or(0, |(last, first)| last.abs_diff(*first) as usize)
            }
            _ => 8 * self.len(),
        }
    }

    /// The texts of all cells, one behind the other; nothing for integers.
    pub(super) fn all_text(&self) -> Option<&str> {
        let Self::Text(cells) = self else { return None };
        let (first, last) = cells.value_offsets().first().zip(cells.value_offsets().last())?;
        let bytes = cells.value_data().get(first.unsigned_abs() as usize..last.unsigned_abs() as usize)?;
        std::str::from_utf8(bytes).ok()
    }

    /// Every cell as text, integers by their digits.
    #[inline]
    pub(super) fn each(&self, mut each: impl FnMut(usize, Cell<&str>)) {
        match self {
            Self::Text(cells) => cells.iter().enumerate().for_each(|(row, cell)| each(row, cell.map_or(Cell::Null, Cell::Value))),
            Self::Integer(cells) => {
                let mut digits = [0; DIGITS];
                for (row, cell) in cells.iter().enumerate() {
                    each(row, cell.map_or(Cell::Null, |cell| Cell::Value(decimal(cell, &mut digits))));
                }
            }
            Self::Other(len) => (0..*len).for_each(|row| each(row, Cell::Other(OffReason::Type))),
        }
    }

    /// Every cell as a number.
    #[inline]
    pub(super) fn each_number(&self, mut each: impl FnMut(usize, Cell<Number>)) {
        match self {
            Self::Integer(cells) => {
                cells.iter().enumerate().for_each(|(row, cell)| each(row, cell.map_or(Cell::Null, |cell| Cell::Value(cell.into()))));
            }
            _ => self.each(|row, cell| {
                each(
                    row,
                    match cell {
                        Cell::Value(text) => Number::read(text).map_or(Cell::Other(OffReason::NotANumber), Cell::Value),
                        Cell::Null => Cell::Null,
                        Cell::Other(reason) => Cell::Other(reason),
                    },
                );
            }),
        }
    }
}

/// One cell.
pub(super) enum Cell<T> {
    Value(T),
    Null,
    /// One that is not treated.
    Other(OffReason),
}

/// A sign and the digits of 2^63.
pub(super) const DIGITS: usize = 20;

/// The decimal digits of a number, written at the end of `digits`.
#[inline]
pub(super) fn decimal(number: i64, digits: &mut [u8; DIGITS]) -> &str {
    let mut rest = number.unsigned_abs();
    let mut at = DIGITS;
    loop {
        at -= 1;
        // A digit is below 10.
        digits[at] = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        at -= 1;
        digits[at] = b'-';
    }
    std::str::from_utf8(&digits[at..]).unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn integers_read_as_their_digits() {
        for number in [0, 1, -1, 10, 110_105_194_912_310_021, i64::MAX, i64::MIN] {
            assert_eq!(decimal(number, &mut [0; DIGITS]), number.to_string());
        }
    }
}
