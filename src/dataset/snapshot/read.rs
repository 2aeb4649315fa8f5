//! Reading snapshots: blocks by many threads, each verified against the index, whose digest is that of the whole.

use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;
#[cfg(feature = "hazmat")]
use std::sync::atomic::{AtomicU64, Ordering};

use super::cache::Cache;
use super::index::{
    DictionaryIndex, Extent, HEADER, INDEX_BYTES_MAX, Index, TRAILER, TRAILER_LEN, UNIT_BYTES, block_count, declared_texts, rows_of_block,
    stored,
};
use super::{Dictionary, SnapshotError, TEXT_BYTES_MAX};
use crate::dataset::{Column, Schema};
use crate::file::{self, ReadError};
use crate::id::Digest;

/// Verified blocks kept in memory unless told otherwise: what ten columns of 13 million rows take.
pub const CACHE_BYTES_DEFAULT: usize = 1 << 30;

/// A snapshot, open for reading by many threads.
///
/// Columns are named by their place in the schema; blocks count from 0, [`super::BLOCK_ROWS`] rows each, the last one
/// less. Every block is verified when it is read from the file.
pub struct Snapshot {
    file: File,
    index: Index,
    digest: Digest,
    /// For each column of the schema: where it stands among the stored ones.
    places: Vec<Option<usize>>,
    /// For each stored column.
    layouts: Vec<Layout>,
    cache: Cache<(Source, usize), Kept>,
    /// How many blocks were asked for.
    #[cfg(feature = "hazmat")]
    reads: AtomicU64,
}

/// What decoding a block needs to know of its column.
struct Layout {
    nullable: bool,
    /// Present when the cells are codes.
    dictionary: Option<Dictionary>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Source {
    /// A stored column.
    Column(usize),
    Units,
}

#[derive(Clone)]
enum Kept {
    Column(Arc<ColumnBlock>),
    Units(Arc<UnitBlock>),
}

/// The cells of one column in one block.
pub struct ColumnBlock {
    /// The cells; under a null they are 0 and mean nothing.
    pub cells: Cells,
    /// Row r is null when bit `r % 64` of word `r / 64` is set; absent when the column cannot have nulls.
    pub nulls: Option<Vec<u64>>,
}

/// Cells of one kind.
pub enum Cells {
    /// Codes into the dictionary of the column.
    Codes(Vec<u32>),
    /// Numbers in steps, not clamped.
    Numbers(Vec<i64>),
}

/// The hidden columns of one block: all rows of a unit stand together, in increasing order of (id, tag).
pub struct UnitBlock {
    /// The keyed id of the unit of each row.
    pub ids: Vec<[u8; 16]>,
    /// The keyed tag of each row; rows with equal unit and cells have equal tags.
    pub tags: Vec<[u8; 16]>,
}

impl Snapshot {
    /// Opens a snapshot of `schema` and checks everything but the blocks of cells. Whether it is the published one is
    /// for the caller to see from its [`Snapshot::digest`].
    ///
    /// # Errors
    /// The file cannot be read, is no snapshot, is one of another schema, or is damaged.
    pub fn open(path: impl AsRef<Path>, schema: &Schema) -> Result<Self, SnapshotError> {
        let io = |error: io::Error| SnapshotError::Io(error.kind());
        let file = file::open(path).map_err(|error| match error {
            ReadError::NotAFile { .. } => SnapshotError::NotASnapshot,
            other => SnapshotError::Io(other.kind()),
        })?;
        let len = file.metadata().map_err(io)?.len();
        let index_bytes = read_index(&file, len)?;
        let index = Index::decode(&index_bytes, schema, len - TRAILER_LEN - index_bytes.len() as u64)?;
        let mut places = vec![None; schema.columns().len()];
        let mut layouts = Vec::with_capacity(index.columns.len());
        for ((place, column), found) in stored(schema).zip(&index.columns) {
            let damaged = SnapshotError::Dictionary { column: place + 1 };
            let dictionary = found.dictionary.as_ref().map(|found| read_dictionary(&file, found, column, &damaged));
            places[place] = Some(layouts.len());
            layouts.push(Layout { nullable: column.nullable, dictionary: dictionary.transpose()? });
        }
        let digest = Digest::of(&index_bytes);
        Ok(Self {
            file,
            index,
            digest,
            places,
            layouts,
            cache: Cache::new(CACHE_BYTES_DEFAULT),
            #[cfg(feature = "hazmat")]
            reads: AtomicU64::new(0),
        })
    }

    /// Keeps at most so many bytes of verified blocks in memory.
    #[must_use]
    pub fn with_cache_bytes(mut self, bytes_max: usize) -> Self {
        self.cache = Cache::new(bytes_max);
        self
    }

    /// The digest of the whole snapshot: SHA-256 of its index, which holds the hash of every block.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// How many rows there are.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.index.rows
    }

    /// How many blocks each column has.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "opening has checked that there are no more than BLOCKS_MAX")]
    pub const fn blocks(&self) -> usize {
        block_count(self.index.rows) as usize
    }

    /// How many rows a block has; none behind the last.
    #[must_use]
    pub fn block_rows(&self, block: usize) -> usize {
        rows_of_block(self.index.rows, block as u64)
    }

    /// The values of a text column; nothing when it holds numbers or is not stored.
    #[must_use]
    pub fn dictionary(&self, column: usize) -> Option<&Dictionary> {
        self.layouts[(*self.places.get(column)?)?].dictionary.as_ref()
    }

    /// The code of a value of a text column; nothing when no cell has the value and it is not declared.
    #[must_use]
    pub fn code_of(&self, column: usize, value: &str) -> Option<u32> {
        self.dictionary(column)?.code_of(value)
    }

    /// How many blocks of cells and of units were asked for, kept ones too: for tests of what a refused request touches.
    #[cfg(feature = "hazmat")]
    #[must_use]
    pub fn blocks_read(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }

    /// One block of a column.
    ///
    /// # Errors
    /// The file cannot be read, the block is not what was written, or there is none.
    pub fn block(&self, column: usize, block: usize) -> Result<Arc<ColumnBlock>, SnapshotError> {
        #[cfg(feature = "hazmat")]
        self.reads.fetch_add(1, Ordering::Relaxed);
        let stored = self.places.get(column).copied().flatten().ok_or(SnapshotError::NotStored)?;
        let key = (Source::Column(stored), block);
        if let Some(Kept::Column(kept)) = self.cache.get(key) {
            return Ok(kept);
        }
        let extent = self.index.columns[stored].blocks.get(block).ok_or(SnapshotError::NotStored)?;
        let damaged = SnapshotError::Block { column: column + 1, block };
        let bytes = read_extent(&self.file, extent, &damaged)?;
        let read = Arc::new(self.layouts[stored].decode(&bytes, self.block_rows(block)).ok_or(damaged)?);
        match self.cache.keep(key, Kept::Column(Arc::clone(&read)), bytes.len()) {
            Kept::Column(kept) => Ok(kept),
            Kept::Units(_) => Ok(read),
        }
    }

    /// One block of the units.
    ///
    /// # Errors
    /// As [`Snapshot::block`]; there is none when the unit is a row.
    pub fn unit_block(&self, block: usize) -> Result<Arc<UnitBlock>, SnapshotError> {
        #[cfg(feature = "hazmat")]
        self.reads.fetch_add(1, Ordering::Relaxed);
        let key = (Source::Units, block);
        if let Some(Kept::Units(kept)) = self.cache.get(key) {
            return Ok(kept);
        }
        let extent = self.index.units.as_ref().and_then(|units| units.get(block)).ok_or(SnapshotError::NotStored)?;
        let bytes = read_extent(&self.file, extent, &SnapshotError::UnitBlock { block })?;
        let (ids, tags) = bytes.as_chunks::<16>().0.split_at(bytes.len() / UNIT_BYTES);
        let read = Arc::new(UnitBlock { ids: ids.to_vec(), tags: tags.to_vec() });
        match self.cache.keep(key, Kept::Units(Arc::clone(&read)), bytes.len()) {
            Kept::Units(kept) => Ok(kept),
            Kept::Column(_) => Ok(read),
        }
    }
}

impl Layout {
    /// The cells of a block whose length is right; nothing if they are not of this column.
    fn decode(&self, bytes: &[u8], rows: usize) -> Option<ColumnBlock> {
        let width = if self.dictionary.is_some() { 4 } else { 8 };
        let (cells, nulls) = bytes.split_at_checked(rows * width)?;
        let nulls = self.nullable.then(|| words(nulls).map(u64::from_le_bytes).collect::<Vec<_>>());
        let cells = match &self.dictionary {
            None => Cells::Numbers(words(cells).map(i64::from_le_bytes).collect()),
            Some(dictionary) => {
                let codes: Vec<u32> = words(cells).map(u32::from_le_bytes).collect();
                let known = |code: u32| (code as usize) < dictionary.len();
                let null = |row: usize| nulls.as_ref().is_some_and(|nulls| nulls[row / 64] >> (row % 64) & 1 == 1);
                // Usually the greatest code decides; a null has code 0, also when there are no values at all.
                let all = codes.iter().max().is_none_or(|&greatest| known(greatest));
                if !all && !codes.iter().enumerate().all(|(row, &code)| known(code) || code == 0 && null(row)) {
                    return None;
                }
                Cells::Codes(codes)
            }
        };
        let last_rows = rows % 64;
        let spare = nulls.as_ref().and_then(|nulls| nulls.last()).is_some_and(|last| last_rows > 0 && last >> last_rows > 0);
        (!spare).then_some(ColumnBlock { cells, nulls })
    }
}

fn words<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; N]> {
    bytes.as_chunks::<N>().0.iter().copied()
}

/// Reads and verifies a block. Its length was checked against the file before anything is allocated.
fn read_extent(file: &File, extent: &Extent, damaged: &SnapshotError) -> Result<Vec<u8>, SnapshotError> {
    let mut bytes = vec![0; usize::try_from(extent.length).map_err(|_| damaged.clone())?];
    read_exact(file, &mut bytes, extent.offset)?;
    // ring is as fast as memory allows at this length.
    let found = ring::digest::digest(&ring::digest::SHA256, &bytes);
    if found.as_ref() == extent.digest.as_bytes() { Ok(bytes) } else { Err(damaged.clone()) }
}

fn read_exact(file: &File, bytes: &mut [u8], offset: u64) -> Result<(), SnapshotError> {
    file.read_exact_at(bytes, offset).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => SnapshotError::NotASnapshot,
        kind => SnapshotError::Io(kind),
    })
}

/// The bytes of the index, found from the trailer.
fn read_index(file: &File, len: u64) -> Result<Vec<u8>, SnapshotError> {
    let room = len.checked_sub(HEADER.len() as u64 + TRAILER_LEN).ok_or(SnapshotError::NotASnapshot)?;
    let (mut header, mut index_len, mut end) = (HEADER, [0; 8], TRAILER);
    read_exact(file, &mut header, 0)?;
    read_exact(file, &mut index_len, len - 16)?;
    read_exact(file, &mut end, len - 8)?;
    let index_len = u64::from_le_bytes(index_len);
    if header != HEADER || end != TRAILER || index_len > room {
        return Err(SnapshotError::NotASnapshot);
    }
    let size = usize::try_from(index_len).ok().filter(|size| *size <= INDEX_BYTES_MAX);
    let mut bytes = vec![0; size.ok_or(SnapshotError::Layout { what: "the index is longer than allowed" })?];
    read_exact(file, &mut bytes, len - TRAILER_LEN - index_len)?;
    Ok(bytes)
}

/// Reads the values of a column: each once, none empty, the declared ones first.
fn read_dictionary(file: &File, index: &DictionaryIndex, column: &Column, damaged: &SnapshotError) -> Result<Dictionary, SnapshotError> {
    let wrong = || damaged.clone();
    let mut dictionary = Dictionary::new();
    for extent in &index.blocks {
        let block = read_extent(file, extent, damaged)?;
        let mut rest = block.as_slice();
        while !rest.is_empty() {
            let (value, behind) = split_value(rest).ok_or_else(wrong)?;
            let expected = dictionary.len();
            let code = dictionary.intern(value).map_err(|_| wrong())?;
            if code as usize != expected || expected >= index.values {
                return Err(wrong());
            }
            rest = behind;
        }
    }
    let declared = declared_texts(column);
    let prefix = dictionary.len() >= declared.len() && dictionary.iter().zip(declared).all(|(found, declared)| found == declared);
    if prefix && dictionary.len() == index.values { Ok(dictionary) } else { Err(wrong()) }
}

/// `length (u32) | UTF-8`, and what follows.
fn split_value(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (len, rest) = bytes.split_first_chunk::<4>()?;
    let len = usize::try_from(u32::from_le_bytes(*len)).ok().filter(|len| (1..=TEXT_BYTES_MAX).contains(len))?;
    let (value, rest) = rest.split_at_checked(len)?;
    Some((std::str::from_utf8(value).ok()?, rest))
}

impl ColumnBlock {
    /// Its bytes in a file.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        out.clear();
        match &self.cells {
            Cells::Codes(codes) => codes.iter().for_each(|code| out.extend_from_slice(&code.to_le_bytes())),
            Cells::Numbers(numbers) => numbers.iter().for_each(|number| out.extend_from_slice(&number.to_le_bytes())),
        }
        self.nulls.iter().flatten().for_each(|word| out.extend_from_slice(&word.to_le_bytes()));
    }

    /// Whether a row is null.
    #[must_use]
    pub fn is_null(&self, row: usize) -> bool {
        let word = self.nulls.as_ref().and_then(|nulls| nulls.get(row / 64));
        word.is_some_and(|word| word >> (row % 64) & 1 == 1)
    }
}

impl Cells {
    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Codes(codes) => codes.len(),
            Self::Numbers(numbers) => numbers.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl UnitBlock {
    /// Its bytes in a file.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        out.clear();
        self.ids.iter().chain(&self.tags).for_each(|part| out.extend_from_slice(part));
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Snapshot({} x {})", self.index.rows, self.layouts.len())
    }
}

impl fmt::Debug for ColumnBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ColumnBlock({:?})", self.cells)
    }
}

impl fmt::Debug for Cells {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Codes(codes) => write!(f, "{} codes", codes.len()),
            Self::Numbers(numbers) => write!(f, "{} numbers", numbers.len()),
        }
    }
}

impl fmt::Debug for UnitBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UnitBlock({} rows)", self.ids.len())
    }
}
