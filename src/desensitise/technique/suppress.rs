//! The technique `suppress`: the column does not leave, or one text stands in place of every cell.

use arrow_array::ArrayRef;

use super::cells::Cells;
use super::emitted::Texts;
use super::{Emit, Emitted, OffKind, Output};

pub(super) const NAME: &str = "suppress";

/// Nothing of a column leaves: the column is dropped, or every cell that is not null becomes the same text. Which cells
/// were null stays visible with a text in their place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Suppress {
    replace: Option<String>,
}

impl Suppress {
    /// No column.
    pub const DROP: Self = Self { replace: None };

    /// The same text in every cell.
    #[must_use]
    pub fn replace(text: &str) -> Self {
        Self { replace: Some(text.to_owned()) }
    }

    /// The text in every cell, if the column stays.
    #[must_use]
    pub fn replacement(&self) -> Option<&str> {
        self.replace.as_deref()
    }

    pub(super) fn output(&self) -> Output {
        if self.replace.is_some() { Output::Text } else { Output::Dropped }
    }

    pub(super) fn kernel(&self) -> Box<dyn Emit> {
        Box::new(self.clone())
    }
}

impl Emit for Suppress {
    fn emit(&self, cells: &ArrayRef, _: Option<&ArrayRef>, off: &mut OffKind) -> Emitted {
        let len = cells.len();
        let replace = self.replace.as_deref();
        let mut texts = Texts::with_capacity(len, len.saturating_mul(replace.map_or(0, str::len)));
        for row in 0..Cells::of(cells).len() {
            match replace {
                Some(replace) if cells.is_valid(row) => {
                    texts.piece(replace);
                    texts.end_or(row, off);
                }
                _ => texts.null(),
            }
        }
        texts.finish()
    }
}
