//! The index at the end of a snapshot: where every block is and what its hash must be.

use super::{BLOCK_ROWS, BLOCKS_MAX, DICTIONARY_BYTES_MAX, DICTIONARY_VALUES_MAX, ROWS_MAX, SnapshotError, TEXT_BYTES_MAX};
use crate::codec::{CodecError, Limits, List, Record, record, stored};
use crate::dataset::{Column, ColumnType, Schema, Uses, Values};
use crate::id::Digest;

/// The first bytes of a snapshot; the digit is the version of the format.
pub(super) const HEADER: [u8; 16] = *b"usufruct-snap/1\n";
/// The last bytes of a snapshot, behind the length of the index.
pub(super) const TRAILER: [u8; 8] = *b"snap-end";
pub(super) const TRAILER_LEN: u64 = 16;
/// [`BLOCKS_MAX`] blocks of at most 49 bytes and 4,096 columns take 52 MiB.
pub(super) const INDEX_BYTES_MAX: usize = 64 << 20;
const _: () = assert!(BLOCKS_MAX * 49 + 4096 * 64 + 128 <= INDEX_BYTES_MAX);
/// A block of a dictionary ends with the value that reaches this size.
pub(super) const DICTIONARY_BLOCK_BYTES: usize = 1 << 20;
/// So no block of a dictionary is longer.
const DICTIONARY_BLOCK_BYTES_MAX: u64 = (DICTIONARY_BLOCK_BYTES + 4 + TEXT_BYTES_MAX) as u64;
/// Bytes of a unit id and a row tag.
pub(super) const UNIT_BYTES: usize = 32;

record! {
    /// A stretch of the file and its SHA-256.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(super) struct Extent [
        pub(super) offset: u64,
        pub(super) length: u64,
        pub(super) digest: Digest,
    ]
}

type Extents = List<Extent, BLOCKS_MAX>;

record! {
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub(super) struct Index, format 1 {
        2 => pub(super) schema: Digest,
        3 => pub(super) rows: u64,
        /// The stored columns, in the order of the schema.
        4 => pub(super) columns: Vec<ColumnIndex> as List<ColumnIndex, COLUMNS_MAX>,
        /// Present when the unit is a column.
        5 => pub(super) units: Option<Vec<Extent>> as Option<Extents>,
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ColumnIndex {
    /// The place in the schema.
    pub(super) place: usize,
    pub(super) blocks: Vec<Extent>,
    /// Present when the cells are codes.
    pub(super) dictionary: Option<DictionaryIndex>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DictionaryIndex {
    pub(super) values: usize,
    pub(super) blocks: Vec<Extent>,
}

record! {
    /// A column as it is written.
    struct StoredColumn {
        1 => place: usize,
        2 => kind: u64,
        3 => blocks: Vec<Extent> as Extents,
        4 => values: Option<usize>,
        5 => dictionary: Option<Vec<Extent>> as Option<Extents>,
    }
}

/// The kind of a column of codes.
const CODES: u64 = 0;
/// The kind of a column of numbers.
const NUMBERS: u64 = 1;
/// Its key, which errors name.
const KIND: i64 = 2;
/// As many as a schema has.
const COLUMNS_MAX: usize = 4096;

/// The columns that questions can touch; only these are stored.
pub(super) fn stored(schema: &Schema) -> impl Iterator<Item = (usize, &Column)> {
    schema.columns().iter().enumerate().filter(|(_, column)| column.uses != Uses::NONE)
}

/// The declared values of a text column: the first of its dictionary.
pub(super) fn declared_texts(column: &Column) -> &[String] {
    match &column.values {
        Some(Values::Text(values)) => values,
        _ => &[],
    }
}

/// How many blocks so many rows fill.
pub(super) const fn block_count(rows: u64) -> u64 {
    rows.div_ceil(BLOCK_ROWS as u64)
}

/// How many rows a block has.
#[expect(clippy::cast_possible_truncation, reason = "at most BLOCK_ROWS")]
pub(super) fn rows_of_block(rows: u64, block: u64) -> usize {
    rows.saturating_sub(block.saturating_mul(BLOCK_ROWS as u64)).min(BLOCK_ROWS as u64) as usize
}

/// How many bytes a block of a column has.
pub(super) fn block_bytes(column: &Column, rows: usize) -> usize {
    let width = if column.kind == ColumnType::Text { 4 } else { 8 };
    rows * width + if column.nullable { 8 * rows.div_ceil(64) } else { 0 }
}

impl Index {
    pub(super) fn encode(&self) -> Vec<u8> {
        self.to_bytes()
    }

    /// Reads an index and checks that it is one of `schema` and that its blocks fill the file from the header to
    /// `end`, each byte once.
    pub(super) fn decode(bytes: &[u8], schema: &Schema, end: u64) -> Result<Self, SnapshotError> {
        let index = Self::from_bytes(bytes, Limits::of_bytes(INDEX_BYTES_MAX))?;
        if index.schema != schema.hash() {
            return Err(SnapshotError::OtherSchema);
        }
        index.check_shape(schema)?;
        index.check_place(end)?;
        Ok(index)
    }

    fn check_shape(&self, schema: &Schema) -> Result<(), SnapshotError> {
        let wrong = |what| Err(SnapshotError::Layout { what });
        if self.rows > ROWS_MAX {
            return wrong("more rows than a snapshot may have");
        }
        if !self.columns.iter().map(|column| column.place).eq(stored(schema).map(|(place, _)| place)) {
            return wrong("the columns are not those with a use");
        }
        if self.units.is_some() != schema.unit_column().is_some() {
            return wrong("units are there exactly if the unit is a column");
        }
        let fits = |blocks: &[Extent], bytes: &dyn Fn(usize) -> usize| {
            let expected = (0..block_count(self.rows)).map(|block| bytes(rows_of_block(self.rows, block)) as u64);
            blocks.len() as u64 == block_count(self.rows) && blocks.iter().map(|block| block.length).eq(expected)
        };
        for (found, (_, column)) in self.columns.iter().zip(stored(schema)) {
            if found.dictionary.is_some() != (column.kind == ColumnType::Text) {
                return wrong("a column has another kind than in the schema");
            }
            if !fits(&found.blocks, &|rows| block_bytes(column, rows)) {
                return wrong("the blocks of a column do not hold the rows");
            }
            let Some(dictionary) = &found.dictionary else { continue };
            let bytes = dictionary.blocks.iter().try_fold(0u64, |sum, block| sum.checked_add(block.length));
            let most = (DICTIONARY_BYTES_MAX + 4 * dictionary.values.min(DICTIONARY_VALUES_MAX)) as u64;
            let short = dictionary.blocks.iter().all(|block| (1..=DICTIONARY_BLOCK_BYTES_MAX).contains(&block.length));
            if dictionary.values > DICTIONARY_VALUES_MAX || !short || bytes.is_none_or(|bytes| bytes > most) {
                return wrong("a dictionary is larger than allowed");
            }
        }
        match &self.units {
            Some(units) if !fits(units, &|rows| rows * UNIT_BYTES) => wrong("the blocks of the units do not hold the rows"),
            _ => Ok(()),
        }
    }

    /// In the order of their offsets, every block begins where the one before ends.
    fn check_place(&self, end: u64) -> Result<(), SnapshotError> {
        let mut extents: Vec<(u64, u64)> = self.extents().map(|extent| (extent.offset, extent.length)).collect();
        if extents.len() > BLOCKS_MAX {
            return Err(SnapshotError::Layout { what: "more blocks than a snapshot may have" });
        }
        extents.sort_unstable();
        let next = |at: u64, &(offset, length): &(u64, u64)| if offset == at { at.checked_add(length) } else { None };
        match extents.iter().try_fold(HEADER.len() as u64, next) {
            Some(at) if at == end => Ok(()),
            _ => Err(SnapshotError::Layout { what: "the blocks do not fill the file, each byte once" }),
        }
    }

    fn extents(&self) -> impl Iterator<Item = &Extent> {
        let columns = self.columns.iter().flat_map(|column| {
            let dictionary = column.dictionary.iter().flat_map(|dictionary| &dictionary.blocks);
            column.blocks.iter().chain(dictionary)
        });
        columns.chain(self.units.iter().flatten())
    }
}

stored!(ColumnIndex as StoredColumn);

impl From<&ColumnIndex> for StoredColumn {
    fn from(column: &ColumnIndex) -> Self {
        let ColumnIndex { place, blocks, dictionary } = column.clone();
        let kind = if dictionary.is_some() { CODES } else { NUMBERS };
        let (values, dictionary) = dictionary.map(|dictionary| (dictionary.values, dictionary.blocks)).unzip();
        Self { place, kind, blocks, values, dictionary }
    }
}

impl TryFrom<StoredColumn> for ColumnIndex {
    type Error = CodecError;

    fn try_from(stored: StoredColumn) -> Result<Self, CodecError> {
        let StoredColumn { place, kind, blocks, values, dictionary } = stored;
        let dictionary = match (kind, values, dictionary) {
            (CODES, Some(values), Some(blocks)) => Some(DictionaryIndex { values, blocks }),
            (NUMBERS, None, None) => None,
            _ => return Err(CodecError::Value { key: KIND, expected: "0 with a dictionary or 1 without" }),
        };
        Ok(Self { place, blocks, dictionary })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{Field as _, assert_documented};

    #[test]
    fn the_page_lists_its_fields() {
        let page = include_str!("../../../docs/snapshot.md");
        assert_documented(page, "## Index", Index::TABLE);
        assert_documented(page, "### Column of the index", StoredColumn::TABLE);
        assert!(page.contains(&format!("An extent is the array {}", Extent::SHAPE)), "{}", Extent::SHAPE);
    }
}
