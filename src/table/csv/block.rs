//! The fields of a batch, one behind the other, and how they become arrays.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, StringArray};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};

use crate::table::ColumnKind;
use crate::value::integer;

/// Fields of a batch at most: with many columns a batch has fewer records.
const FIELDS_MAX: usize = 1 << 18;

/// Bytes of a new block.
const BYTES_START: usize = 64 << 10;

/// Cells of up to this many bytes are copied without a look at their length, and cut off behind it.
const SHORT: usize = 16;

/// A batch under way. The buffers are kept from batch to batch.
///
/// ```text
/// bytes   Male,39\nFemale28 . . . .      plain records as they stand in the input, others without quotes and delimiters
/// spans   0..4 5..7 8..14 14..16         field k of row r is bytes[spans[r * columns + k]]
/// ```
pub(super) struct Block {
    columns: usize,
    rows_max: usize,
    bytes: Vec<u8>,
    used: usize,
    /// The bytes of the fields alone.
    field_bytes: usize,
    /// Where the fields of the full records begin and end.
    spans: Vec<[u32; 2]>,
    /// Where each record begins in the input.
    begins: Vec<u64>,
    /// The ends of the fields of an unfinished record.
    ends: Vec<usize>,
}

impl Block {
    pub(super) fn new(columns: usize, rows_max: usize) -> Self {
        let rows_max = rows_max.min(FIELDS_MAX / columns).max(1);
        Self {
            columns,
            rows_max,
            bytes: vec![0; BYTES_START],
            used: 0,
            field_bytes: 0,
            spans: Vec::with_capacity(rows_max * columns),
            begins: Vec::with_capacity(rows_max),
            ends: vec![0; columns],
        }
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
        self.used = 0;
        self.field_bytes = 0;
        self.spans.clear();
        self.begins.clear();
    }

    pub(super) fn is_full(&self, bytes_max: usize) -> bool {
        self.rows() >= self.rows_max || self.field_bytes >= bytes_max
    }

    /// Where the rest of an unfinished record goes, of which `used` bytes (at most `used_max`) and `fields` are there.
    pub(super) fn room(&mut self, used: usize, used_max: usize, fields: usize) -> (&mut [u8], &mut [usize]) {
        let start = self.used;
        let end = self.bytes.len().min(start + used_max);
        (&mut self.bytes[start + used..end], &mut self.ends[fields..])
    }

    /// Makes room for an unfinished record of `used` bytes that may have at most `used_max`.
    pub(super) fn grow(&mut self, used: usize, used_max: usize) {
        let start = self.used;
        if start + used == self.bytes.len() {
            let doubled = self.bytes.len().max(BYTES_START) * 2;
            self.bytes.resize(doubled.min(start + used_max), 0);
        }
    }

    /// Takes the record whose fields are in the room; `begin` is where it begins in the input.
    pub(super) fn push(&mut self, begin: u64) {
        let mut from = self.used;
        for &end in &self.ends {
            let to = self.used + end;
            self.spans.push([place(from), place(to)]);
            from = to;
        }
        self.field_bytes += from - self.used;
        self.used = from;
        self.begins.push(begin);
    }

    /// Begins to take plain records as they stand in an input from `at` on.
    pub(super) fn plain(&mut self, at: usize) -> Plain<'_> {
        Plain { fields: self.spans.len(), field_bytes: 0, block: self, at }
    }

    pub(super) fn field(&self, row: usize, field: usize) -> &[u8] {
        let [from, to] = self.spans[row * self.columns + field];
        &self.bytes[from as usize..to as usize]
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
        let (mut len, mut nulls) = (0, false);
        offsets.push(0i32);
        for (row, [from, to]) in self.column(field).enumerate() {
            len += to - from;
            nulls |= from == to;
            offsets.push(i32::try_from(len).map_err(|_| row)?);
        }
        let mut values = vec![0; len + SHORT];
        let mut at = 0;
        for [from, to] in self.column(field) {
            let cell = to - from;
            if cell <= SHORT && from + SHORT <= self.bytes.len() {
                values[at..at + SHORT].copy_from_slice(&self.bytes[from..from + SHORT]);
            } else {
                values[at..at + cell].copy_from_slice(&self.bytes[from..to]);
            }
            at += cell;
        }
        values.truncate(len);
        let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
        match StringArray::try_new(offsets, Buffer::from_vec(values), nulls.then(|| self.nulls(field))) {
            Ok(array) => Ok(Arc::new(array)),
            // Arrow's error may quote the cell: it is dropped, and the row found again.
            Err(_) => Err((0..rows).find(|&row| std::str::from_utf8(self.field(row, field)).is_err()).unwrap_or(0)),
        }
    }

    fn integers(&self, field: usize) -> Result<ArrayRef, usize> {
        let (mut values, mut nulls) = (Vec::with_capacity(self.rows()), false);
        for (row, [from, to]) in self.column(field).enumerate() {
            let cell = &self.bytes[from..to];
            nulls |= cell.is_empty();
            values.push(if cell.is_empty() { 0 } else { integer(cell).ok_or(row)? });
        }
        Ok(Arc::new(Int64Array::new(values.into(), nulls.then(|| self.nulls(field)))))
    }

    /// Empty fields are null.
    fn nulls(&self, field: usize) -> NullBuffer {
        let is_valid = |row: usize| {
            let [from, to] = self.spans[row * self.columns + field];
            from < to
        };
        NullBuffer::new(BooleanBuffer::collect_bool(self.rows(), is_valid))
    }

    /// Where the cells of a column begin and end.
    fn column(&self, field: usize) -> impl Iterator<Item = [usize; 2]> {
        self.spans[field.min(self.spans.len())..].iter().step_by(self.columns).map(|span| span.map(|at| at as usize))
    }
}

/// Plain records under way: their fields are noted one by one, their bytes copied at the end, all at once.
pub(super) struct Plain<'a> {
    block: &'a mut Block,
    /// The spans of the full records.
    fields: usize,
    /// The bytes of the fields of the record under way.
    field_bytes: usize,
    /// Where the input was when they began.
    at: usize,
}

impl Plain<'_> {
    /// Whether a record may begin.
    pub(super) fn is_open(&self, bytes_max: usize) -> bool {
        !self.block.is_full(bytes_max)
    }

    /// Notes a field of the record under way; false when the record has all its fields already.
    pub(super) fn field(&mut self, from: usize, to: usize) -> bool {
        let more = self.block.spans.len() < self.fields + self.block.columns;
        if more {
            let shift = self.block.used;
            self.block.spans.push([place(from - self.at + shift), place(to - self.at + shift)]);
            self.field_bytes += to - from;
        }
        more
    }

    /// Takes the record under way, which begins there in the input; false when fields are missing.
    pub(super) fn push(&mut self, begin: u64) -> bool {
        let whole = self.block.spans.len() == self.fields + self.block.columns;
        if whole {
            self.fields = self.block.spans.len();
            self.block.field_bytes += std::mem::take(&mut self.field_bytes);
            self.block.begins.push(begin);
        }
        whole
    }

    /// Copies the bytes of the records taken, which the input holds up to `end`; a record under way is forgotten.
    pub(super) fn finish(self, input: &[u8], end: usize) {
        let Self { block, fields, at, .. } = self;
        block.spans.truncate(fields);
        let bytes = &input[at..end];
        let needed = block.used + bytes.len() + SHORT;
        if block.bytes.len() < needed {
            block.bytes.resize(needed.max(2 * block.bytes.len()), 0);
        }
        block.bytes[block.used..block.used + bytes.len()].copy_from_slice(bytes);
        block.used += bytes.len();
    }
}

/// A block is two records of 512 MiB at most.
#[expect(clippy::cast_possible_truncation, reason = "limits hold before: CsvOptions::RECORD_BYTES_CAP")]
const fn place(at: usize) -> u32 {
    debug_assert!(at <= u32::MAX as usize);
    at as u32
}
