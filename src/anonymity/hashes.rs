//! Cells as keyed hashes: what is equal in a file has equal ones.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, DecimalType as _, Int64Type};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::DataType;

use super::meter::MeterError;
use crate::value::{DateOrder, DateText};

/// The hash of a value: two SipHash-1-3 under keys that are drawn for the run.
pub(super) type Hash128 = u128;

/// No day.
pub(super) const NO_DAY: i32 = i32::MIN;

/// The keys of a run.
#[derive(Clone)]
pub(super) struct Keys([RandomState; 2]);

impl Keys {
    pub(super) fn new() -> Self {
        Self([RandomState::new(), RandomState::new()])
    }

    /// Of a value in a column: equal values of other columns have other hashes.
    fn of(&self, column: u32, value: &[u8]) -> Hash128 {
        let [high, low] = self.0.each_ref().map(|state| {
            let mut hasher = state.build_hasher();
            hasher.write_u32(column);
            hasher.write(value);
            hasher.finish()
        });
        u128::from(high) << 64 | u128::from(low)
    }

    /// Of a sequence of numbers.
    pub(super) fn of_numbers(&self, numbers: impl Iterator<Item = i32> + Clone) -> Hash128 {
        let [high, low] = self.0.each_ref().map(|state| {
            let mut hasher = state.build_hasher();
            numbers.clone().for_each(|number| hasher.write_i32(number));
            hasher.finish()
        });
        u128::from(high) << 64 | u128::from(low)
    }
}

/// Hashes the values of one column under keys of its own; sums of hashes stand for the values of several columns together.
#[derive(Clone)]
pub struct ValueHasher(Keys);

impl ValueHasher {
    /// Under keys that are drawn now.
    #[must_use]
    pub fn new() -> Self {
        Self(Keys::new())
    }

    /// Hands on the hash of each cell as it would be written.
    ///
    /// # Errors
    /// [`MeterError::OtherColumns`] for other types than files have.
    pub fn each(&self, cells: &ArrayRef, take: &mut dyn FnMut(u128)) -> Result<(), MeterError> {
        let column = hashed(&self.0, 0, cells)?;
        column.rows.iter().for_each(|row| take(column.values[*row as usize]));
        Ok(())
    }
}

impl Default for ValueHasher {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for ValueHasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ValueHasher")
    }
}

/// The cells of one column of a batch.
pub(super) struct HashedColumn {
    /// Hashes of the values that it has; one may stand there twice.
    pub(super) values: Vec<Hash128>,
    /// Which of them each row has.
    pub(super) rows: Vec<u32>,
}

/// A batch of rows, ready to be counted. Made on any thread; holds no cell.
pub struct HashedRows {
    pub(super) rows: usize,
    pub(super) columns: Vec<HashedColumn>,
    /// The days of each column of shifted dates.
    pub(super) days: Vec<Vec<i32>>,
}

impl std::fmt::Debug for HashedRows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HashedRows({} x {})", self.rows, self.columns.len())
    }
}

/// Hashes the cells of these columns of a batch.
pub(super) fn hash(
    keys: &Keys,
    batch: &RecordBatch,
    columns: &[usize],
    days: &[(usize, Option<DateOrder>)],
) -> Result<HashedRows, MeterError> {
    let column = |at: usize| batch.columns().get(at).ok_or(MeterError::OtherColumns);
    let hashed = columns.iter().zip(0..).map(|(at, number)| hashed(keys, number, column(*at)?)).collect::<Result<_, _>>()?;
    let days = days.iter().map(|(at, order)| days_of(column(*at)?, *order)).collect::<Result<_, _>>()?;
    Ok(HashedRows { rows: batch.num_rows(), columns: hashed, days })
}

/// Places of values seen before in the same batch.
const SEEN: usize = 1 << 12;

fn hashed(keys: &Keys, number: u32, cells: &ArrayRef) -> Result<HashedColumn, MeterError> {
    let mut column = HashedColumn { values: Vec::new(), rows: Vec::with_capacity(cells.len()) };
    // For each place the row that took it last, and its value; 0 for none.
    let mut seen = vec![(0u32, 0u32); SEEN];
    each(cells, &mut |row, value: &[u8], earlier: &dyn Fn(u32, &[u8]) -> bool| {
        let place = &mut seen[quick(value)];
        if place.0 == 0 || !earlier(place.0 - 1, value) {
            *place = (row + 1, u32::try_from(column.values.len()).unwrap_or(u32::MAX));
            column.values.push(keys.of(number, value));
        }
        column.rows.push(place.1);
    })?;
    Ok(column)
}

/// Where a value may have been seen; only speed depends on it.
fn quick(value: &[u8]) -> usize {
    let mut mixed = value.len() as u64;
    let (words, rest) = value.as_chunks::<8>();
    for word in words {
        mixed = (mixed ^ u64::from_le_bytes(*word)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    }
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    mixed = (mixed ^ u64::from_le_bytes(last)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    usize::try_from(mixed >> 52).unwrap_or(0)
}

/// Hands on each cell as it would be written: null and the empty text are one. With it comes whether an earlier row has the same.
fn each(cells: &ArrayRef, take: &mut dyn FnMut(u32, &[u8], &dyn Fn(u32, &[u8]) -> bool)) -> Result<(), MeterError> {
    let rows = 0..u32::try_from(cells.len()).map_err(|_| MeterError::OtherColumns)?;
    match cells.data_type() {
        DataType::Utf8 => {
            let texts = cells.as_string::<i32>();
            let value = |row: u32| if texts.is_valid(row as usize) { texts.value(row as usize).as_bytes() } else { &[] };
            rows.for_each(|row| take(row, value(row), &|earlier, now| value(earlier) == now));
        }
        DataType::Int64 => {
            let numbers = cells.as_primitive::<Int64Type>();
            let value = |row: u32| numbers.is_valid(row as usize).then(|| numbers.value(row as usize));
            let mut buffer = itoa::Buffer::new();
            for row in rows {
                let now = value(row);
                let text = now.map_or("", |number| buffer.format(number));
                take(row, text.as_bytes(), &|earlier, _| value(earlier) == now);
            }
        }
        DataType::Decimal128(precision, scale) => {
            let numbers = cells.as_primitive::<Decimal128Type>();
            let value = |row: u32| numbers.is_valid(row as usize).then(|| numbers.value(row as usize));
            for row in rows {
                let now = value(row);
                let text = now.map_or_else(String::new, |number| Decimal128Type::format_decimal(number, *precision, *scale));
                take(row, text.as_bytes(), &|earlier, _| value(earlier) == now);
            }
        }
        _ => return Err(MeterError::OtherColumns),
    }
    Ok(())
}

fn days_of(cells: &ArrayRef, order: Option<DateOrder>) -> Result<Vec<i32>, MeterError> {
    let mut days = Vec::with_capacity(cells.len());
    let mut scratch = String::new();
    each(cells, &mut |_, value, _| {
        let text = str::from_utf8(value).unwrap_or_default();
        let day = DateText::read(text, &mut scratch).and_then(|date| date.day(order)).map(|day| day.unix_d());
        days.push(day.and_then(|day| i32::try_from(day).ok()).unwrap_or(NO_DAY));
    })?;
    Ok(days)
}
