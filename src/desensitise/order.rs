//! Rows held in memory until they can leave in an order that is not that of the source.

use std::cmp::Ordering;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Int64Type};
use arrow_array::{Array, ArrayRef, Decimal128Array, Int64Array, StringArray};
use arrow_schema::DataType;

use super::plan::Desensitised;
use super::rows::Place;
use crate::random::Random;

/// The most bytes of emitted rows that are held for `shuffled` and `by_output`: 1 GiB, some ten million rows of a register.
/// Files with more rows need a sort in external memory, which has not come yet.
pub const HELD_BYTES_MAX: usize = 1 << 30;

/// Rows of a batch that leaves.
const BATCH_ROWS: usize = 8192;

/// Emitted rows, held back.
#[derive(Default)]
pub(super) struct Held {
    batches: Vec<Desensitised>,
    bytes: usize,
}

/// There are more rows than may be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooMany;

impl Held {
    pub(super) fn push(&mut self, rows: Desensitised) -> Result<(), TooMany> {
        self.bytes = self.bytes.saturating_add(rows.batch().columns().iter().map(used_bytes).sum());
        if self.bytes > HELD_BYTES_MAX {
            return Err(TooMany);
        }
        self.batches.push(rows);
        Ok(())
    }

    /// The rows in an order drawn uniformly (Fisher and Yates, Durstenfeld's form).
    pub(super) fn shuffled(&self, random: &mut dyn Random) -> Vec<Place> {
        let mut places = self.places();
        for last in (1..places.len()).rev() {
            places.swap(last, below(last as u64 + 1, random));
        }
        places
    }

    /// The rows sorted by their cells, column by column; equal rows look the same in any order.
    pub(super) fn by_output(&self) -> Vec<Place> {
        let columns = self.batches.first().map_or(0, |rows| rows.batch().num_columns());
        let keys: Vec<Vec<Cells<'_>>> =
            (0..columns).map(|column| self.batches.iter().map(|rows| Cells::of(rows.batch().column(column))).collect()).collect();
        let mut places = self.places();
        places.sort_unstable_by(|&(a, i), &(b, j)| {
            keys.iter().map(|batches| batches[a].compare(i, &batches[b], j)).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
        });
        places
    }

    /// Batches of the rows at these places, in this order.
    pub(super) fn batches<'a>(&'a self, places: &'a [Place]) -> impl Iterator<Item = Option<Desensitised>> + 'a {
        let batches: Vec<&Desensitised> = self.batches.iter().collect();
        places.chunks(BATCH_ROWS).map(move |places| Desensitised::pick(&batches, places))
    }

    fn places(&self) -> Vec<Place> {
        let rows = |(at, rows): (usize, &Desensitised)| (0..rows.batch().num_rows()).map(move |row| (at, row));
        self.batches.iter().enumerate().flat_map(rows).collect()
    }
}

/// The bytes of the cells of an array; the buffers behind a slice may be larger.
pub(super) fn used_bytes(array: &ArrayRef) -> usize {
    array.to_data().get_slice_memory_size().unwrap_or_else(|_| array.get_array_memory_size())
}

/// A uniform number below `bound`, which is not 0: Lemire's multiplication with rejection.
#[expect(clippy::cast_possible_truncation, reason = "the low half on purpose; the high half is below a length in memory")]
fn below(bound: u64, random: &mut dyn Random) -> usize {
    let least = bound.wrapping_neg() % bound;
    loop {
        let product = u128::from(random.next_u64()) * u128::from(bound);
        if product as u64 >= least {
            return (product >> 64) as usize;
        }
    }
}

/// A column of an output, whose types are these three.
enum Cells<'a> {
    Text(&'a StringArray),
    Integer(&'a Int64Array),
    Decimal(&'a Decimal128Array),
    Other,
}

impl<'a> Cells<'a> {
    fn of(array: &'a ArrayRef) -> Self {
        match array.data_type() {
            DataType::Utf8 => Self::Text(array.as_string()),
            DataType::Int64 => Self::Integer(array.as_primitive::<Int64Type>()),
            DataType::Decimal128(..) => Self::Decimal(array.as_primitive::<Decimal128Type>()),
            _ => Self::Other,
        }
    }

    /// Nulls first.
    fn compare(&self, row: usize, other: &Self, other_row: usize) -> Ordering {
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => a.is_valid(row).then(|| a.value(row)).cmp(&b.is_valid(other_row).then(|| b.value(other_row))),
            (Self::Integer(a), Self::Integer(b)) => {
                a.is_valid(row).then(|| a.value(row)).cmp(&b.is_valid(other_row).then(|| b.value(other_row)))
            }
            (Self::Decimal(a), Self::Decimal(b)) => {
                a.is_valid(row).then(|| a.value(row)).cmp(&b.is_valid(other_row).then(|| b.value(other_row)))
            }
            _ => Ordering::Equal,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use arrow_array::RecordBatch;

    use super::*;
    use crate::random::RecordedRandom;

    fn held(rows: &[(Option<&'static str>, i64)]) -> Held {
        let mut held = Held::default();
        for rows in rows.chunks(2) {
            let texts: ArrayRef = Arc::new(rows.iter().map(|row| row.0).collect::<StringArray>());
            let numbers: ArrayRef = Arc::new(rows.iter().map(|row| row.1).collect::<Int64Array>());
            let batch = RecordBatch::try_from_iter_with_nullable([("text", texts, true), ("number", numbers, true)]).unwrap();
            held.push(Desensitised::of_test(batch)).unwrap();
        }
        held
    }

    fn numbers(held: &Held, places: &[Place]) -> Vec<i64> {
        held.batches(places).flat_map(|batch| batch.unwrap().batch().column(1).as_primitive::<Int64Type>().values().to_vec()).collect()
    }

    #[test]
    fn by_output_is_a_function_of_the_multiset_of_rows() {
        let rows = [(Some("b"), 4), (None, 1), (Some("a"), 3), (Some("b"), 4), (Some("a"), 2)];
        let mut turned = rows;
        turned.reverse();
        for rows in [rows, turned] {
            let held = held(&rows);
            assert_eq!(numbers(&held, &held.by_output()), [1, 2, 3, 4, 4]);
        }
    }

    #[test]
    fn shuffling_draws_every_order_about_equally_often() {
        let held = held(&[(None, 0), (None, 1), (None, 2)]);
        let mut random = RecordedRandom::from_seed("orders");
        let mut counts = std::collections::BTreeMap::new();
        for _ in 0..6_000 {
            *counts.entry(numbers(&held, &held.shuffled(&mut random))).or_insert(0u32) += 1;
        }
        // Chi-square with 5 degrees of freedom exceeds 37.3 with probability 5e-7.
        let chi2: f64 = counts.values().map(|&n| (f64::from(n) - 1_000.0).powi(2) / 1_000.0).sum();
        assert!(counts.len() == 6 && chi2 < 37.3, "{counts:?}");
    }
}
