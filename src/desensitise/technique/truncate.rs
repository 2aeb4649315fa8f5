//! The technique `truncate`: the first characters of a value, or an address down to a level.

use arrow_array::{Array, ArrayRef};

use super::cells::{Cell, Cells};
use super::characters::Characters;
use super::emitted::Texts;
use super::{Emit, Emitted, OffKind, OffReason, Setting, TechniqueError};
use crate::desensitise::canonical;
use crate::desensitise::residual::{self, Known, Residual};
use crate::generalise::AddressLevel;
use crate::grade::Kind;

pub(super) const NAME: &str = "truncate";

/// The end of each value is cut off: all behind the first so many characters, or the parts of an address below a level. A
/// value that is not longer stays whole, so only kinds of a known length are sure to lose something. A value that has not
/// the form of its kind, or an address without a known part, is off-kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Truncate(Cut);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    First(u32),
    Level(AddressLevel),
}

impl Truncate {
    /// Keeps the first so many characters (grapheme clusters) of the canonical form.
    ///
    /// # Errors
    /// None, which is [`Suppress`](super::Suppress).
    pub const fn first(keep_first: u32) -> Result<Self, TechniqueError> {
        match keep_first {
            0 => Err(TechniqueError::Parameter { technique: NAME, parameter: "keep_first", expected: "at least 1" }),
            _ => Ok(Self(Cut::First(keep_first))),
        }
    }

    /// Keeps an address down to this level.
    #[must_use]
    pub const fn address(level: AddressLevel) -> Self {
        Self(Cut::Level(level))
    }

    pub(super) fn residual(self, kind: &Kind, known: &[Known]) -> Residual {
        match self.0 {
            Cut::First(keep) => Residual::AtLeast(residual::of_form(kind, &|_, at| at < keep as usize, known)),
            Cut::Level(_) => Residual::CLEAR,
        }
    }

    pub(super) fn kernel(self, setting: &Setting) -> Box<dyn Emit> {
        Box::new(Truncater { cut: self.0, kind: setting.domain.kind.clone() })
    }
}

struct Truncater {
    cut: Cut,
    kind: Kind,
}

impl Truncater {
    fn cut<'a>(&self, value: &'a str, scratch: &'a mut String) -> Result<&'a str, OffReason> {
        match self.cut {
            Cut::Level(level) => level.cut(value).ok_or(OffReason::NotOfKind(Kind::Address)),
            Cut::First(keep) => {
                let value = canonical::form(&self.kind, value, scratch).ok_or_else(|| OffReason::NotOfKind(self.kind.clone()))?;
                Ok(&value[..Characters::of(value).start(keep as usize)])
            }
        }
    }
}

impl Emit for Truncater {
    fn emit(&self, cells: &ArrayRef, _: Option<&ArrayRef>, off: &mut OffKind) -> Emitted {
        let read = Cells::of(cells);
        let mut texts = Texts::with_capacity(cells.len(), read.bytes());
        let mut scratch = String::new();
        read.each(|row, cell| match cell {
            Cell::Value(value) => match self.cut(value, &mut scratch) {
                Ok(cut) => {
                    texts.piece(cut);
                    texts.end_or(row, off);
                }
                Err(reason) => texts.off(row, reason, off),
            },
            Cell::Null => texts.null(),
            Cell::Other(reason) => texts.off(row, reason, off),
        });
        texts.finish()
    }
}
