//! Rows of emitted columns, picked out in any order: three loops over the three types that techniques emit.

use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Int64Type};
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, PrimitiveArray, StringArray};
#[cfg(feature = "embedded")]
use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::DataType;

/// Where a row stands: batch and row in it.
pub(super) type Place = (usize, usize);

/// The rows at these places, in this order. Nothing if a column is of a type that no technique emits, or a text column would grow
/// beyond 2 GiB. All batches have the same columns, and there is one at least.
#[cfg(feature = "embedded")]
pub(super) fn pick_rows(batches: &[&RecordBatch], places: &[Place]) -> Option<RecordBatch> {
    let schema = batches.first()?.schema();
    let column = |at: usize| {
        let parts: Vec<&dyn Array> = batches.iter().map(|batch| batch.column(at).as_ref()).collect();
        pick(&parts, places.len(), || places.iter().copied())
    };
    let columns = (0..schema.fields().len()).map(column).collect::<Option<Vec<_>>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(places.len()));
    RecordBatch::try_new_with_options(schema, columns, &options).ok()
}

/// The `len` cells at these places of parts of one column.
pub(super) fn pick<I: Iterator<Item = Place>>(parts: &[&dyn Array], len: usize, places: impl Fn() -> I) -> Option<ArrayRef> {
    Some(match parts.first()?.data_type() {
        DataType::Utf8 => {
            let parts: Vec<&StringArray> = parts.iter().map(|part| part.as_string_opt()).collect::<Option<_>>()?;
            let bytes: usize = places().map(|(part, row)| parts[part].value_length(row).unsigned_abs() as usize).sum();
            // Offsets have 31 bits.
            i32::try_from(bytes).ok()?;
            let mut cells = StringBuilder::with_capacity(len, bytes);
            places().for_each(|(part, row)| cells.append_option(parts[part].is_valid(row).then(|| parts[part].value(row))));
            Arc::new(cells.finish())
        }
        DataType::Int64 => Arc::new(pick_numbers::<Int64Type>(parts, places())?),
        data_type @ DataType::Decimal128(..) => {
            Arc::new(pick_numbers::<Decimal128Type>(parts, places())?.with_data_type(data_type.clone()))
        }
        _ => return None,
    })
}

fn pick_numbers<T: ArrowPrimitiveType>(parts: &[&dyn Array], places: impl Iterator<Item = Place>) -> Option<PrimitiveArray<T>> {
    let parts: Vec<&PrimitiveArray<T>> = parts.iter().map(|part| part.as_primitive_opt()).collect::<Option<_>>()?;
    Some(places.map(|(part, row)| parts[part].is_valid(row).then(|| parts[part].value(row))).collect())
}

#[cfg(all(test, feature = "embedded"))]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow_array::{BooleanArray, Decimal128Array, Int64Array};
    use proptest::prelude::*;

    use super::*;

    type Row = (Option<String>, Option<i64>, Option<i64>);

    fn batch(rows: &[Row]) -> RecordBatch {
        let texts: ArrayRef = Arc::new(rows.iter().map(|row| row.0.as_deref()).collect::<StringArray>());
        let integers: ArrayRef = Arc::new(rows.iter().map(|row| row.1).collect::<Int64Array>());
        let decimals = rows.iter().map(|row| row.2.map(i128::from)).collect::<Decimal128Array>();
        let decimals: ArrayRef = Arc::new(decimals.with_precision_and_scale(38, 2).unwrap());
        RecordBatch::try_from_iter_with_nullable([("t", texts, true), ("i", integers, true), ("d", decimals, true)]).unwrap()
    }

    proptest! {
        #[test]
        fn each_row_stands_where_its_place_says(
            batches in prop::collection::vec(prop::collection::vec(any::<Row>(), 1..9), 1..5),
            picks in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..40),
        ) {
            let places: Vec<Place> = picks.iter().map(|(part, row)| {
                let part = part.index(batches.len());
                (part, row.index(batches[part].len()))
            }).collect();
            let made: Vec<RecordBatch> = batches.iter().map(|rows| batch(rows)).collect();
            // Slices, whose arrays begin behind the first row of their buffers.
            let sliced: Vec<RecordBatch> = made.iter().map(|batch| batch.slice(1, batch.num_rows() - 1)).collect();
            let expected: Vec<Row> = places.iter().map(|&(part, row)| batches[part][row].clone()).collect();
            prop_assert_eq!(pick_rows(&made.iter().collect::<Vec<_>>(), &places).unwrap(), batch(&expected));
            let inside: Vec<Place> = places.iter().filter(|place| place.1 > 0).map(|&(part, row)| (part, row - 1)).collect();
            let expected: Vec<Row> = inside.iter().map(|&(part, row)| batches[part][row + 1].clone()).collect();
            prop_assert_eq!(pick_rows(&sliced.iter().collect::<Vec<_>>(), &inside).unwrap(), batch(&expected));
        }
    }

    #[test]
    fn other_types_are_refused_and_rows_without_columns_counted() {
        let flags: ArrayRef = Arc::new(BooleanArray::from(vec![true]));
        let other = RecordBatch::try_from_iter([("flag", flags)]).unwrap();
        assert!(pick_rows(&[&other], &[(0, 0)]).is_none());
        assert!(pick_rows(&[], &[]).is_none());
        let bare = batch(&[(None, None, None), (None, None, None)]).project(&[]).unwrap();
        assert_eq!(pick_rows(&[&bare], &[(0, 1)]).unwrap().num_rows(), 1);
    }
}
