use std::fmt;
use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, Decimal128Array, Int64Array, PrimitiveArray, StringArray};
use arrow_schema::DataType;

use super::{OffKind, OffReason};

/// Cells that may be written: made by techniques alone (rule H1), `Utf8`, `Int64` or `Decimal128(38, scale)`.
///
/// ```compile_fail,E0423
/// # use usufruct::arrow::arrow_array::{ArrayRef, StringArray};
/// let raw: ArrayRef = std::sync::Arc::new(StringArray::from(vec!["raw"]));
/// let _ = usufruct::desensitise::Emitted(raw);
/// ```
#[derive(Clone)]
pub struct Emitted(ArrayRef);

impl Emitted {
    pub(super) fn new(array: ArrayRef) -> Self {
        Self(array)
    }

    /// The cells.
    #[must_use]
    pub fn array(&self) -> &ArrayRef {
        &self.0
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Some of the cells, one behind the other, without a copy.
    ///
    /// # Panics
    /// When `from + len` is more than there are.
    #[must_use]
    pub fn slice(&self, from: usize, len: usize) -> Self {
        Self(self.0.slice(from, len))
    }

    /// The cells of these rows, in this order: a row may come twice or not at all.
    ///
    /// # Panics
    /// When there is no such row, or the texts of the rows are longer than 2 GiB together.
    #[must_use]
    pub fn select(&self, rows: &[u32]) -> Self {
        Self::gather(std::slice::from_ref(self), rows.len(), || rows.iter().map(|&row| (0, row as usize)))
    }

    /// Cells of several columns of one type, each by its column and row.
    pub(super) fn gather<I: Iterator<Item = (usize, usize)>>(parts: &[Self], len: usize, rows: impl Fn() -> I) -> Self {
        let Some(first) = parts.first() else { return Self(Arc::new(StringArray::new_null(0))) };
        match first.0.data_type() {
            DataType::Int64 => {
                let parts: Vec<&Int64Array> = parts.iter().map(|part| part.0.as_primitive()).collect();
                Self(Arc::new(rows().map(|(part, row)| cell(parts[part], row)).collect::<Int64Array>()))
            }
            data_type @ DataType::Decimal128(..) => {
                let parts: Vec<&Decimal128Array> = parts.iter().map(|part| part.0.as_primitive()).collect();
                let cells: Decimal128Array = rows().map(|(part, row)| cell(parts[part], row)).collect();
                Self(Arc::new(cells.with_data_type(data_type.clone())))
            }
            _ => {
                let parts: Vec<&StringArray> = parts.iter().map(|part| part.0.as_string()).collect();
                let bytes = rows().map(|(part, row)| parts[part].value_length(row).unsigned_abs() as usize).sum();
                let mut cells = StringBuilder::with_capacity(len, bytes);
                rows().for_each(|(part, row)| cells.append_option(parts[part].is_valid(row).then(|| parts[part].value(row))));
                Self(Arc::new(cells.finish()))
            }
        }
    }
}

fn cell<T: ArrowPrimitiveType>(cells: &PrimitiveArray<T>, row: usize) -> Option<T::Native> {
    cells.is_valid(row).then(|| cells.value(row))
}

impl fmt::Debug for Emitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Emitted({} x {})", self.0.len(), self.0.data_type())
    }
}

/// A column of texts that grows by pieces: one buffer for all values.
pub(super) struct Texts {
    builder: StringBuilder,
    /// Bytes so far.
    bytes: usize,
    /// The value under way is longer than a column may be.
    full: bool,
}

/// The offsets of a column of texts are 32 bits.
const BYTES_MAX: usize = i32::MAX as usize;

impl Texts {
    pub(super) fn with_capacity(rows: usize, bytes: usize) -> Self {
        Self { builder: StringBuilder::with_capacity(rows, bytes), bytes: 0, full: false }
    }

    /// Adds to the value under way.
    #[inline]
    pub(super) fn piece(&mut self, text: &str) {
        if text.len() > BYTES_MAX - self.bytes {
            self.full = true;
        } else {
            self.bytes += text.len();
            // Writing to memory does not fail.
            let _ = fmt::Write::write_str(&mut self.builder, text);
        }
    }

    /// Ends the value under way; `false`, and nothing added, when it did not fit.
    #[inline]
    #[must_use]
    pub(super) fn end(&mut self) -> bool {
        let fits = !std::mem::take(&mut self.full);
        if fits {
            self.builder.append_value("");
        }
        fits
    }

    /// Adds a value; `false` when it did not fit.
    #[inline]
    #[must_use]
    pub(super) fn push(&mut self, text: &str) -> bool {
        self.piece(text);
        self.end()
    }

    #[inline]
    pub(super) fn null(&mut self) {
        self.builder.append_null();
    }

    /// Ends the value under way, or lists its row as one that did not fit.
    #[inline]
    pub(super) fn end_or(&mut self, row: usize, off: &mut OffKind) {
        if !self.end() {
            self.off(row, OffReason::OutOfRange, off);
        }
    }

    /// A null, and its row listed.
    pub(super) fn off(&mut self, row: usize, reason: OffReason, off: &mut OffKind) {
        self.null();
        off.push(row, reason);
    }

    pub(super) fn finish(mut self) -> Emitted {
        Emitted(Arc::new(self.builder.finish()))
    }
}
