//! The technique `keep`: cells as they are, without what hides in their buffers.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, Int64Array, StringArray};

use super::cells::{Cell, Cells};
use super::numbers::Numbers;
use super::{Emit, Emitted, OffKind, Output, Setting};

pub(super) const NAME: &str = "keep";

pub(super) fn kernel(setting: &Setting) -> Box<dyn Emit> {
    Box::new(Keep { output: setting.output() })
}

/// Cells as they are; numbers of real columns in the type of decimal numbers, if asked for.
struct Keep {
    output: Output,
}

impl Emit for Keep {
    fn emit(&self, cells: &ArrayRef, _: Option<&ArrayRef>, off: &mut OffKind) -> Emitted {
        match (Cells::of(cells), self.output) {
            (Cells::Text(_), Output::Text) | (Cells::Integer(_), Output::Integer) => Emitted::new(without_hidden(cells)),
            (cells, output) => {
                let mut numbers = Numbers::new(output, &cells);
                cells.each_number(|row, cell| match cell {
                    Cell::Value(number) => numbers.push_or(row, Some(number), off),
                    Cell::Null => numbers.null(),
                    Cell::Other(reason) => numbers.off(row, reason, off),
                });
                numbers.finish()
            }
        }
    }
}

/// The same array, unless its buffers hold more than its cells: values under nulls, or text of rows that are not in it.
fn without_hidden(cells: &ArrayRef) -> ArrayRef {
    if cells.data_type() == Int64Array::from(Vec::<i64>::new()).data_type() {
        let integers = cells.as_primitive::<Int64Type>();
        let hidden = (0..integers.len()).any(|row| integers.is_null(row) && integers.value(row) != 0);
        return if integers.null_count() > 0 && hidden { Arc::new(integers.iter().collect::<Int64Array>()) } else { Arc::clone(cells) };
    }
    let texts = cells.as_string::<i32>();
    let offsets = texts.value_offsets();
    let whole = offsets[0] == 0 && offsets[texts.len()].unsigned_abs() as usize == texts.value_data().len();
    let hidden = || (0..texts.len()).any(|row| texts.is_null(row) && texts.value_length(row) != 0);
    if whole && (texts.null_count() == 0 || !hidden()) { Arc::clone(cells) } else { Arc::new(texts.iter().collect::<StringArray>()) }
}
