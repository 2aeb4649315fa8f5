//! The technique `date`: dates cut to a day, month, quarter or year.

use arrow_array::{Array, ArrayRef};

use super::cells::{Cell, Cells};
use super::emitted::Texts;
use super::{Emit, Emitted, OffKind, OffReason};
use crate::generalise::DateLevel;
use crate::value::{DateOrder, DateText};

pub(super) const NAME: &str = "date";

/// About the length of what is written.
const LABEL_BYTES: usize = 8;

pub(super) fn kernel(level: DateLevel, order: Option<DateOrder>) -> Box<dyn Emit> {
    Box::new(Dates { level, order })
}

/// Each date cut to a level; a time behind it goes.
struct Dates {
    level: DateLevel,
    order: Option<DateOrder>,
}

impl Emit for Dates {
    fn emit(&self, cells: &ArrayRef, _: Option<&ArrayRef>, off: &mut OffKind) -> Emitted {
        let mut texts = Texts::with_capacity(cells.len(), LABEL_BYTES * cells.len());
        let (mut scratch, mut label) = (String::new(), String::new());
        Cells::of(cells).each(|row, cell| match cell {
            Cell::Value(text) => {
                label.clear();
                if DateText::read(text, &mut scratch).is_some_and(|date| self.level.write(&date, self.order, &mut label)) {
                    texts.piece(&label);
                    texts.end_or(row, off);
                } else {
                    texts.off(row, OffReason::NotADate, off);
                }
            }
            Cell::Null => texts.null(),
            Cell::Other(reason) => texts.off(row, reason, off),
        });
        texts.finish()
    }
}
