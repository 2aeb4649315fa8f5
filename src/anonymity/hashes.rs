//! Cells as keyed hashes: what is equal in a file has equal ones.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, DecimalType as _, Int64Type};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::DataType;

use super::meter::MeterError;
use crate::value::{DateOrder, DateText};

/// The hash of a value: two SipHash-1-3 under keys that are drawn for the run.
pub(super) type Hash128 = u128;

/// A day and the time behind it: the day in the high 32 bits, of the time a hash of 96, 0 for none.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment(pub(super) u128);

impl Moment {
    /// No date.
    pub(super) const NONE: Self = Self(u128::MAX);
    const TIME_BITS: u32 = 96;

    fn new(day: i32, time: u128) -> Self {
        Self(u128::from(day.cast_unsigned() ^ 1 << 31) << Self::TIME_BITS | time)
    }

    fn day(self) -> i64 {
        i64::try_from(self.0 >> Self::TIME_BITS).unwrap_or(0)
    }

    /// 0 for none.
    pub(super) const fn time(self) -> u128 {
        self.0 << 32 >> 32
    }
}

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

    /// Of what a shift leaves of these moments: the days from the first to each, and the times.
    pub(super) fn of_gaps(&self, moments: &[Moment]) -> Hash128 {
        let first = moments.iter().find(|moment| **moment != Moment::NONE).map_or(0, |moment| moment.day());
        let [high, low] = self.0.each_ref().map(|state| {
            let mut hasher = state.build_hasher();
            for moment in moments {
                hasher.write_i64(if *moment == Moment::NONE { i64::MIN } else { moment.day() - first });
                hasher.write_u128(moment.time());
            }
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
    /// The moments of each column of shifted dates.
    pub(super) moments: Vec<Vec<Moment>>,
}

impl std::fmt::Debug for HashedRows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HashedRows({} x {})", self.rows, self.columns.len())
    }
}

/// Which columns of a batch are hashed, and how.
#[derive(Clone, Default)]
pub(super) struct Places {
    /// Those that are counted.
    pub(super) columns: Vec<usize>,
    /// Those that tell whose each record is.
    pub(super) subjects: Vec<usize>,
    /// Those of shifted dates.
    pub(super) moments: Vec<(usize, Option<DateOrder>)>,
    /// Those of them that move together.
    pub(super) groups: Vec<Vec<usize>>,
}

/// Hashes the cells of these columns of a batch: those that are counted, one for each group of dates, which holds what is left of them,
/// and the subjects. `nobody` counts the records without one.
pub(super) fn hash(keys: &Keys, batch: &RecordBatch, places: &Places, nobody: &AtomicU64) -> Result<HashedRows, MeterError> {
    let column = |at: usize| batch.columns().get(at).ok_or(MeterError::OtherColumns);
    let moments = places.moments.iter().map(|(at, order)| moments_of(keys, column(*at)?, *order)).collect::<Result<Vec<_>, _>>()?;
    let mut columns = Vec::new();
    for (at, number) in places.columns.iter().zip(0..) {
        columns.push(hashed(keys, number, column(*at)?)?);
    }
    columns.extend(places.groups.iter().map(|group| gap_column(keys, batch.num_rows(), group, &moments)));
    for (at, number) in places.subjects.iter().zip(SUBJECTS..) {
        let mut subjects = hashed(keys, number, column(*at)?)?;
        each_its_own(keys, number, &mut subjects, nobody);
        columns.push(subjects);
    }
    Ok(HashedRows { rows: batch.num_rows(), columns, moments })
}

/// Numbers that no column that is counted has.
const SUBJECTS: u32 = 1 << 30;
const NOBODY: u32 = 1 << 31;

/// A record without a subject is one of its own.
fn each_its_own(keys: &Keys, number: u32, subjects: &mut HashedColumn, nobody: &AtomicU64) {
    let none = keys.of(number, &[]);
    for row in &mut subjects.rows {
        if subjects.values[*row as usize] == none {
            let number = nobody.fetch_add(1, Ordering::Relaxed);
            *row = u32::try_from(subjects.values.len()).unwrap_or(u32::MAX);
            subjects.values.push(keys.of(NOBODY, &number.to_le_bytes()));
        }
    }
}

/// What is left of the dates of each record of one group.
fn gap_column(keys: &Keys, rows: usize, group: &[usize], moments: &[Vec<Moment>]) -> HashedColumn {
    let mut column = HashedColumn { values: vec![0], rows: Vec::with_capacity(rows) };
    (0..rows).for_each(|row| {
        let of_row: Vec<Moment> = group.iter().map(|at| moments[*at][row]).collect();
        let dates = of_row.iter().filter(|moment| **moment != Moment::NONE);
        if dates.clone().count() > 1 || dates.clone().any(|moment| moment.time() != 0) {
            column.rows.push(u32::try_from(column.values.len()).unwrap_or(u32::MAX));
            column.values.push(keys.of_gaps(&of_row));
        } else {
            column.rows.push(0);
        }
    });
    column
}

/// Places of values seen before in the same batch.
const SEEN: usize = 1 << 12;

fn hashed(keys: &Keys, number: u32, cells: &ArrayRef) -> Result<HashedColumn, MeterError> {
    let mut column = HashedColumn { values: Vec::new(), rows: Vec::with_capacity(cells.len()) };
    // For each place the row that took it last, and its value; 0 for none.
    let mut seen = vec![(0u32, 0u32); SEEN];
    each(cells, &mut |row, value: &[u8], earlier: &IsAsIn<'_>| {
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

/// Whether an earlier row has this value.
type IsAsIn<'a> = dyn Fn(u32, &[u8]) -> bool + 'a;

/// Takes a row, its value, and what tells whether an earlier row has the same.
type TakeCell<'a> = dyn FnMut(u32, &[u8], &IsAsIn<'_>) + 'a;

/// Hands on each cell as it would be written: null and the empty text are one. With it comes whether an earlier row has the same.
fn each(cells: &ArrayRef, take: &mut TakeCell<'_>) -> Result<(), MeterError> {
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

fn moments_of(keys: &Keys, cells: &ArrayRef, order: Option<DateOrder>) -> Result<Vec<Moment>, MeterError> {
    let mut moments = Vec::with_capacity(cells.len());
    let mut scratch = String::new();
    each(cells, &mut |_, value, _| {
        let read = DateText::read(str::from_utf8(value).unwrap_or_default(), &mut scratch);
        let moment = read.and_then(|date| {
            let day = i32::try_from(date.day(order)?.unix_d()).ok()?;
            let time = if date.time().is_empty() { 0 } else { (keys.of(NOBODY + 1, date.time().as_bytes()) >> 32).max(1) };
            Some(Moment::new(day, time))
        });
        moments.push(moment.unwrap_or(Moment::NONE));
    })?;
    Ok(moments)
}
