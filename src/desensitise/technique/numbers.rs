//! Columns of numbers that grow: as text, integers or decimals.

use std::sync::Arc;

use arrow_array::builder::{Decimal128Builder, Int64Builder};
use arrow_schema::{DECIMAL128_MAX_PRECISION, DataType};

use super::cells::Cells;
use super::emitted::Texts;
use super::{Emitted, OffKind, OffReason, OutputType};
use crate::value::Number;

/// A column of numbers under way.
pub(super) enum Numbers {
    Text { texts: Texts, scratch: String },
    Integer(Int64Builder),
    Decimal { builder: Decimal128Builder, scale: u8 },
}

/// What a decimal of 38 digits stays below.
const DECIMAL_END: i128 = 10i128.pow(38);

impl Numbers {
    pub(super) fn new(output: OutputType, cells: &Cells<'_>) -> Self {
        let rows = cells.len();
        match output {
            OutputType::Integer => Self::Integer(Int64Builder::with_capacity(rows)),
            OutputType::Decimal { scale } => {
                let data_type = DataType::Decimal128(DECIMAL128_MAX_PRECISION, scale.cast_signed());
                Self::Decimal { builder: Decimal128Builder::with_capacity(rows).with_data_type(data_type), scale }
            }
            OutputType::Text | OutputType::Dropped => {
                Self::Text { texts: Texts::with_capacity(rows, cells.bytes()), scratch: String::new() }
            }
        }
    }

    /// Adds a number, unless the column cannot hold it exactly.
    #[must_use]
    pub(super) fn push(&mut self, number: Number) -> bool {
        match self {
            Self::Text { texts, scratch } => {
                scratch.clear();
                number.write(scratch);
                return texts.push(scratch);
            }
            Self::Integer(builder) => {
                let Some(integer) = number.floor(0).filter(|(_, exact)| *exact).and_then(|(units, _)| i64::try_from(units).ok()) else {
                    return false;
                };
                builder.append_value(integer);
            }
            Self::Decimal { builder, scale } => {
                let Some((units, _)) = number.floor(*scale).filter(|(units, exact)| *exact && units.abs() < DECIMAL_END) else {
                    return false;
                };
                builder.append_value(units);
            }
        }
        true
    }

    /// Adds a number, or lists its row as one that is out of range.
    #[inline]
    pub(super) fn push_or(&mut self, row: usize, number: Option<Number>, off: &mut OffKind) {
        if !number.is_some_and(|number| self.push(number)) {
            self.off(row, OffReason::OutOfRange, off);
        }
    }

    pub(super) fn null(&mut self) {
        match self {
            Self::Text { texts, .. } => texts.null(),
            Self::Integer(builder) => builder.append_null(),
            Self::Decimal { builder, .. } => builder.append_null(),
        }
    }

    pub(super) fn off(&mut self, row: usize, reason: OffReason, off: &mut OffKind) {
        self.null();
        off.push(row, reason);
    }

    pub(super) fn finish(self) -> Emitted {
        match self {
            Self::Text { texts, .. } => texts.finish(),
            Self::Integer(mut builder) => Emitted::new(Arc::new(builder.finish())),
            Self::Decimal { mut builder, .. } => Emitted::new(Arc::new(builder.finish())),
        }
    }
}
