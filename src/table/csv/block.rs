//! The fields of a batch, one behind the other, and how they become arrays.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, StringArray};
use arrow_buffer::{Buffer, NullBufferBuilder, OffsetBuffer, ScalarBuffer};

use crate::table::ColumnKind;
use crate::table::integer::integer;

/// Fields of a batch at most: with many columns a batch has fewer records.
const FIELDS_MAX: usize = 1 << 18;

/// Bytes of a new block.
const BYTES_START: usize = 64 << 10;

/// A batch under way. The buffers are kept from batch to batch.
///
/// ```text
/// bytes  M a l e 3 9 F e m a l e 2 8 . . . .
/// ends  0       4   6           12  14           (ends[0] = 0; field k is bytes[ends[k]..ends[k + 1]])
/// ```
pub(super) struct Block {
    columns: usize,
    rows_max: usize,
    bytes: Vec<u8>,
    /// One end for each field of a full batch, and the 0 before the first.
    ends: Vec<usize>,
    /// Where each record begins in the input.
    begins: Vec<u64>,
}

impl Block {
    pub(super) fn new(columns: usize, rows_max: usize) -> Self {
        let rows_max = rows_max.min(FIELDS_MAX / columns).max(1);
        Self { columns, rows_max, bytes: vec![0; BYTES_START], ends: vec![0; rows_max * columns + 1], begins: Vec::with_capacity(rows_max) }
    }

    pub(super) fn columns(&self) -> usize {
        self.columns
    }

    pub(super) fn rows(&self) -> usize {
        self.begins.len()
    }

    pub(super) fn begins(&self) -> &[u64] {
        &self.begins
    }

    pub(super) fn clear(&mut self) {
        self.begins.clear();
    }

    pub(super) fn is_full(&self, bytes_max: usize) -> bool {
        self.rows() >= self.rows_max || self.used() >= bytes_max
    }

    /// Where the rest of an unfinished record goes, of which `used` bytes (at most `used_max`) and `fields` are there.
    pub(super) fn room(&mut self, used: usize, used_max: usize, fields: usize) -> (&mut [u8], &mut [usize]) {
        let start = self.used();
        let first = self.rows() * self.columns + 1;
        let end = self.bytes.len().min(start + used_max);
        (&mut self.bytes[start + used..end], &mut self.ends[first + fields..first + self.columns])
    }

    /// Makes room for an unfinished record of `used` bytes that may have at most `used_max`.
    pub(super) fn grow(&mut self, used: usize, used_max: usize) {
        let start = self.used();
        if start + used == self.bytes.len() {
            let doubled = self.bytes.len().max(BYTES_START) * 2;
            self.bytes.resize(doubled.min(start + used_max), 0);
        }
    }

    /// Takes the record whose fields are in the room; `begin` is where it begins in the input.
    pub(super) fn push(&mut self, begin: u64) {
        let start = self.used();
        let first = self.rows() * self.columns + 1;
        for end in &mut self.ends[first..first + self.columns] {
            *end += start;
        }
        self.begins.push(begin);
    }

    pub(super) fn field(&self, row: usize, field: usize) -> &[u8] {
        let at = row * self.columns + field;
        &self.bytes[self.ends[at]..self.ends[at + 1]]
    }

    /// The array of one field of all records, or the first row that does not fit its kind.
    pub(super) fn array(&self, kind: ColumnKind, field: usize) -> Result<ArrayRef, usize> {
        match kind {
            ColumnKind::Integer => self.integers(field),
            ColumnKind::Text | ColumnKind::Real => self.texts(field),
        }
    }

    fn texts(&self, field: usize) -> Result<ArrayRef, usize> {
        let rows = self.rows();
        let mut offsets = Vec::with_capacity(rows + 1);
        let mut values = Vec::with_capacity(self.used() / self.columns + rows);
        let mut nulls = NullBufferBuilder::new(rows);
        offsets.push(0i32);
        for row in 0..rows {
            let cell = self.field(row, field);
            values.extend_from_slice(cell);
            offsets.push(i32::try_from(values.len()).map_err(|_| row)?);
            nulls.append(!cell.is_empty());
        }
        let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
        match StringArray::try_new(offsets, Buffer::from_vec(values), nulls.finish()) {
            Ok(array) => Ok(Arc::new(array)),
            // Arrow's error may quote the cell: it is dropped, and the row found again.
            Err(_) => Err((0..rows).find(|&row| std::str::from_utf8(self.field(row, field)).is_err()).unwrap_or(0)),
        }
    }

    fn integers(&self, field: usize) -> Result<ArrayRef, usize> {
        let rows = self.rows();
        let mut values = Vec::with_capacity(rows);
        let mut nulls = NullBufferBuilder::new(rows);
        for row in 0..rows {
            let cell = self.field(row, field);
            nulls.append(!cell.is_empty());
            values.push(if cell.is_empty() { 0 } else { integer(cell).ok_or(row)? });
        }
        Ok(Arc::new(Int64Array::new(values.into(), nulls.finish())))
    }

    /// The bytes of the finished records.
    fn used(&self) -> usize {
        self.ends[self.rows() * self.columns]
    }
}
