//! Cells that may be written: the type that only techniques make.

use std::fmt;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, StringArray};
use arrow_buffer::{Buffer, NullBufferBuilder, OffsetBuffer};

use super::super::rows::pick;
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

    /// Cells that a technique has made which is not of this crate, or is on trial.
    #[cfg(feature = "hazmat")]
    #[must_use]
    pub fn foreign(array: ArrayRef) -> Self {
        Self::new(array)
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
        if parts.is_empty() {
            return Self(Arc::new(StringArray::new_null(0)));
        }
        let parts: Vec<&dyn Array> = parts.iter().map(|part| part.0.as_ref()).collect();
        Self(pick(&parts, len, rows).expect("types that techniques emit, and less than 2 GiB of text"))
    }
}

impl fmt::Debug for Emitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Emitted({} x {})", self.0.len(), self.0.data_type())
    }
}

/// A column of texts that grows by pieces: one buffer for all values.
pub(super) struct Texts {
    bytes: Vec<u8>,
    /// Where each value ends, behind a 0.
    ends: Vec<i32>,
    nulls: NullBufferBuilder,
}

impl Texts {
    pub(super) fn with_capacity(rows: usize, bytes: usize) -> Self {
        let mut ends = Vec::with_capacity(rows + 1);
        ends.push(0);
        Self { bytes: Vec::with_capacity(bytes), ends, nulls: NullBufferBuilder::new(rows) }
    }

    /// Adds to the value under way.
    #[inline]
    pub(super) fn piece(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
    }

    /// Adds ASCII characters to the value under way.
    #[inline]
    pub(super) fn ascii<const N: usize>(&mut self, characters: &[u8; N]) {
        debug_assert!(characters.is_ascii());
        self.bytes.extend_from_slice(characters);
    }

    /// Adds characters to the value under way, all the same.
    #[inline]
    pub(super) fn repeat(&mut self, char: char, count: usize) {
        if char.is_ascii() {
            let byte = char.encode_utf8(&mut [0; 1]).as_bytes()[0];
            self.bytes.resize(self.bytes.len() + count, byte);
        } else {
            (0..count).for_each(|_| self.piece(char.encode_utf8(&mut [0; 4])));
        }
    }

    /// Hides some of the last bytes: of the last `len`, those in `from..to`. All of them are ASCII.
    #[inline]
    pub(super) fn cover(&mut self, len: usize, from: usize, to: usize, with: char) {
        let begin = self.bytes.len() - len;
        let byte = u8::try_from(with).unwrap_or(b'*');
        self.bytes[begin + from..begin + to].iter_mut().for_each(|hidden| *hidden = byte);
    }

    /// Ends the value under way; `false`, and nothing added, when the column is longer than its offsets reach.
    #[inline]
    #[must_use]
    pub(super) fn end(&mut self) -> bool {
        if let Ok(end) = i32::try_from(self.bytes.len()) {
            self.ends.push(end);
            self.nulls.append_non_null();
            return true;
        }
        self.bytes.truncate(self.len());
        false
    }

    /// How many values and nulls there are.
    pub(super) fn rows(&self) -> usize {
        self.ends.len() - 1
    }

    /// The length of all whole values.
    fn len(&self) -> usize {
        self.ends.last().map_or(0, |end| end.unsigned_abs() as usize)
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
        self.ends.extend_from_within(self.ends.len() - 1..);
        self.nulls.append_null();
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
        let ends = OffsetBuffer::new(self.ends.into());
        let texts = StringArray::try_new(ends, Buffer::from_vec(self.bytes), self.nulls.finish());
        Emitted(Arc::new(texts.expect("pieces of text that end where they ended")))
    }
}
