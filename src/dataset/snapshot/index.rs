//! The index at the end of a snapshot: where every block is and what its hash must be.

use super::{BLOCK_ROWS, BLOCKS_MAX, DICTIONARY_BYTES_MAX, DICTIONARY_VALUES_MAX, ROWS_MAX, SnapshotError, TEXT_BYTES_MAX};
use crate::codec::{CodecError, Decoder, Encoder, Limits, required};
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

const FORMAT: u64 = 1;

/// A stretch of the file and its SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) offset: u64,
    pub(super) length: u64,
    pub(super) digest: Digest,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Index {
    pub(super) schema: Digest,
    pub(super) rows: u64,
    /// The stored columns, in the order of the schema.
    pub(super) columns: Vec<ColumnIndex>,
    /// Present when the unit is a column.
    pub(super) units: Option<Vec<Extent>>,
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

mod key {
    pub(super) const FORMAT: i64 = 1;
    pub(super) const SCHEMA: i64 = 2;
    pub(super) const ROWS: i64 = 3;
    pub(super) const COLUMNS: i64 = 4;
    pub(super) const UNITS: i64 = 5;
}

mod column_key {
    pub(super) const PLACE: i64 = 1;
    pub(super) const KIND: i64 = 2;
    pub(super) const BLOCKS: i64 = 3;
    pub(super) const VALUES: i64 = 4;
    pub(super) const DICTIONARY: i64 = 5;
}

/// `KIND` of a column of codes.
const CODES: u64 = 0;
/// `KIND` of a column of numbers.
const NUMBERS: u64 = 1;

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
        let mut out = Encoder::new();
        out.map(|map| {
            map.key(key::FORMAT).uint(FORMAT);
            map.key(key::SCHEMA).bytes(self.schema.as_bytes());
            map.key(key::ROWS).uint(self.rows);
            let columns = map.key(key::COLUMNS).array(self.columns.len());
            self.columns.iter().for_each(|column| column.encode(columns));
            if let Some(units) = &self.units {
                encode_extents(units, map.key(key::UNITS));
            }
        });
        out.into_bytes()
    }

    /// Reads an index and checks that it is one of `schema` and that its blocks fill the file from the header to
    /// `end`, each byte once.
    pub(super) fn decode(bytes: &[u8], schema: &Schema, end: u64) -> Result<Self, SnapshotError> {
        let mut decoder = Decoder::new(bytes, Limits::of_bytes(INDEX_BYTES_MAX))?;
        let (mut hash, mut rows, mut columns, mut units) = (None, None, None, None);
        let mut keys = decoder.map(5)?;
        if keys.next(&mut decoder)? != Some(key::FORMAT) || decoder.uint()? != FORMAT {
            return Err(CodecError::Value { key: key::FORMAT, expected: "format 1" }.into());
        }
        while let Some(key) = keys.next(&mut decoder)? {
            match key {
                key::SCHEMA => hash = Some(Digest::from_bytes(decoder.byte_array()?)),
                key::ROWS => rows = Some(decoder.uint()?),
                key::COLUMNS => {
                    let len = decoder.array(schema.columns().len())?;
                    columns = Some((0..len).map(|_| ColumnIndex::decode(&mut decoder)).collect::<Result<Vec<_>, _>>()?);
                }
                key::UNITS => units = Some(decode_extents(&mut decoder)?),
                key => return Err(CodecError::UnknownKey { key }.into()),
            }
        }
        decoder.finish()?;
        let index = Self {
            schema: required(hash, key::SCHEMA)?,
            rows: required(rows, key::ROWS)?,
            columns: required(columns, key::COLUMNS)?,
            units,
        };
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

impl ColumnIndex {
    fn encode(&self, out: &mut Encoder) {
        out.map(|map| {
            map.key(column_key::PLACE).uint(self.place as u64);
            map.key(column_key::KIND).uint(if self.dictionary.is_some() { CODES } else { NUMBERS });
            encode_extents(&self.blocks, map.key(column_key::BLOCKS));
            if let Some(dictionary) = &self.dictionary {
                map.key(column_key::VALUES).uint(dictionary.values as u64);
                encode_extents(&dictionary.blocks, map.key(column_key::DICTIONARY));
            }
        });
    }

    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let (mut place, mut kind, mut blocks, mut values, mut dictionary) = (None, None, None, None, None);
        let mut keys = decoder.map(5)?;
        while let Some(key) = keys.next(decoder)? {
            let number = |value: u64| usize::try_from(value).map_err(|_| CodecError::Value { key, expected: "a number in range" });
            match key {
                column_key::PLACE => place = Some(number(decoder.uint()?)?),
                column_key::KIND => kind = Some(decoder.uint()?),
                column_key::BLOCKS => blocks = Some(decode_extents(decoder)?),
                column_key::VALUES => values = Some(number(decoder.uint()?)?),
                column_key::DICTIONARY => dictionary = Some(decode_extents(decoder)?),
                key => return Err(CodecError::UnknownKey { key }),
            }
        }
        let dictionary = match (required(kind, column_key::KIND)?, values, dictionary) {
            (CODES, values, blocks) => {
                Some(DictionaryIndex { values: required(values, column_key::VALUES)?, blocks: required(blocks, column_key::DICTIONARY)? })
            }
            (NUMBERS, None, None) => None,
            _ => return Err(CodecError::Value { key: column_key::KIND, expected: "0 with a dictionary or 1 without" }),
        };
        Ok(Self { place: required(place, column_key::PLACE)?, blocks: required(blocks, column_key::BLOCKS)?, dictionary })
    }
}

fn encode_extents(extents: &[Extent], out: &mut Encoder) {
    out.array(extents.len());
    for extent in extents {
        out.array(3).uint(extent.offset).uint(extent.length).bytes(extent.digest.as_bytes());
    }
}

fn decode_extents(decoder: &mut Decoder<'_>) -> Result<Vec<Extent>, CodecError> {
    let extent = |decoder: &mut Decoder<'_>| {
        let offset = decoder.offset();
        if decoder.array(3)? != 3 {
            return Err(CodecError::Unexpected { offset, expected: "offset, length and hash" });
        }
        Ok(Extent { offset: decoder.uint()?, length: decoder.uint()?, digest: Digest::from_bytes(decoder.byte_array()?) })
    };
    (0..decoder.array(BLOCKS_MAX)?).map(|_| extent(decoder)).collect()
}
