//! Columns of hashes in little memory: numbers for values that come again, the hashes themselves where there are too many values.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::hashes::{Hash128, HashedColumn, Moment};
use super::meter::MeterError;
use crate::spill::{Chunk, Spill, SpillTarget};

/// Values that are numbered in one column; a column with more keeps hashes from there on. In tests so few that they do.
const VALUES_MAX: usize = if cfg!(test) { 12 } else { 1 << 20 };
/// Values that are numbered in all columns that are still open together.
const OPEN_MAX: usize = if cfg!(test) { 20 } else { 1 << 21 };

/// A block ends with the batch that brings it to so many cells: of each block and column there are some tens of bytes in memory when the
/// cells are on disk, 30 MB for fourteen billion rows of twelve columns.
const BLOCK_CELLS: usize = if cfg!(test) { 64 } else { 4 << 20 };

/// Hashes are as good as random already.
#[derive(Default)]
pub(super) struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for word in bytes.as_chunks::<8>().0 {
            self.0 ^= u64::from_ne_bytes(*word);
        }
    }

    fn write_u128(&mut self, hash: u128) {
        #[expect(clippy::cast_possible_truncation, reason = "half of the bits are enough here")]
        let half = hash as u64;
        self.0 = half;
    }
}

/// The numbers of the values of a column.
#[derive(Default)]
struct Numbers {
    of: HashMap<Hash128, u32, BuildHasherDefault<AsItIs>>,
    values: Vec<Hash128>,
    is_closed: bool,
}

impl Numbers {
    /// The number of a value, unless there are too many values.
    fn number(&mut self, value: Hash128) -> Option<u32> {
        if self.is_closed {
            return None;
        }
        if let Some(number) = self.of.get(&value) {
            return Some(*number);
        }
        if self.values.len() >= VALUES_MAX {
            self.close();
            return None;
        }
        let number = u32::try_from(self.values.len()).ok()?;
        self.values.push(value);
        self.of.insert(value, number);
        Some(number)
    }

    fn close(&mut self) {
        self.is_closed = true;
        self.of = HashMap::default();
    }
}

/// The rows of a block in one column.
#[derive(Clone)]
pub(super) enum Codes {
    /// Numbers below 2^8.
    Bytes(Vec<u8>),
    /// Numbers below 2^16.
    Shorts(Vec<u16>),
    /// Numbers.
    Words(Vec<u32>),
    /// Hashes.
    Hashes(Vec<Hash128>),
    /// Days, and times behind them.
    Moments(Vec<Moment>),
}

/// A column: blocks in the order in which they came.
struct Stored {
    numbers: Numbers,
    /// The block that is being filled: numbers, or hashes once a value has none.
    open: Codes,
    blocks: Vec<Block>,
}

enum Block {
    Held(Codes),
    Spilled { chunk: Chunk, kind: Kind },
}

#[derive(Clone, Copy)]
enum Kind {
    Bytes,
    Shorts,
    Words,
    Hashes,
    Moments,
}

/// All columns. What does not fit in memory is in an encrypted file without a name.
pub(super) struct Store {
    columns: Vec<Stored>,
    /// Rows of the block that is being filled, and of all others.
    open_rows: usize,
    rows: Vec<usize>,
    held: usize,
    held_max: usize,
    spill: Option<Spill>,
    target: SpillTarget,
}

impl Store {
    /// Hashes of `columns` columns, and behind them `moments` columns of dates; at most `held_max` bytes are kept in memory.
    pub(super) fn new(columns: usize, moments: usize, held_max: usize, target: SpillTarget) -> Self {
        let open = |at| if at < columns { Codes::Words(Vec::new()) } else { Codes::Moments(Vec::new()) };
        let columns = (0..columns + moments).map(|at| Stored { numbers: Numbers::default(), open: open(at), blocks: Vec::new() }).collect();
        Self { columns, open_rows: 0, rows: Vec::new(), held: 0, held_max, spill: None, target }
    }

    /// How many blocks are full or sealed.
    pub(super) fn blocks(&self) -> usize {
        self.rows.len()
    }

    /// How many rows a block has.
    pub(super) fn rows_of(&self, block: usize) -> usize {
        self.rows[block]
    }

    /// Adds the cells of a batch in one column; [`Store::end_batch`] is to be called behind all of them.
    pub(super) fn add(&mut self, at: usize, column: &HashedColumn) {
        let Stored { numbers, open, .. } = &mut self.columns[at];
        let numbered: Option<Vec<u32>> = column.values.iter().map(|value| numbers.number(*value)).collect();
        match (numbered, &mut *open) {
            (Some(numbered), Codes::Words(words)) => words.extend(column.rows.iter().map(|row| numbered[*row as usize])),
            (_, open) => open.hashes(&numbers.values).extend(column.rows.iter().map(|row| column.values[*row as usize])),
        }
        let open = |column: &Stored| if column.numbers.is_closed { 0 } else { column.numbers.values.len() };
        if self.columns.iter().map(open).sum::<usize>() > OPEN_MAX
            && let Some(largest) = self.columns.iter_mut().max_by_key(|column| open(column))
        {
            largest.numbers.close();
        }
    }

    /// Adds the dates of a batch in one column of dates.
    pub(super) fn add_moments(&mut self, at: usize, moments: &[Moment]) {
        if let Codes::Moments(open) = &mut self.columns[at].open {
            open.extend_from_slice(moments);
        }
    }

    /// Ends a batch of so many rows.
    pub(super) fn end_batch(&mut self, rows: usize) -> Result<(), MeterError> {
        self.open_rows += rows;
        if self.open_rows.saturating_mul(self.columns.len().max(1)) < BLOCK_CELLS { Ok(()) } else { self.seal() }
    }

    /// Ends the block that is being filled.
    pub(super) fn seal(&mut self) -> Result<(), MeterError> {
        if self.open_rows > 0 {
            self.rows.push(std::mem::take(&mut self.open_rows));
            for at in 0..self.columns.len() {
                let codes = self.columns[at].open.take();
                self.keep(at, codes)?;
            }
        }
        Ok(())
    }

    fn keep(&mut self, at: usize, codes: Codes) -> Result<(), MeterError> {
        let bytes = codes.bytes();
        let block = if self.held + bytes <= self.held_max {
            self.held += bytes;
            Block::Held(codes)
        } else {
            let spill = match &mut self.spill {
                Some(spill) => spill,
                none => none.insert(self.target.create()?),
            };
            let (kind, mut written) = codes.written();
            Block::Spilled { chunk: spill.write(&mut written)?, kind }
        };
        self.columns[at].blocks.push(block);
        Ok(())
    }

    /// How many different values a column has, if all are numbered.
    pub(super) fn values(&self, column: usize) -> Option<usize> {
        let numbers = &self.columns[column].numbers;
        (!numbers.is_closed).then_some(numbers.values.len())
    }

    /// The hashes behind the numbers of a column.
    pub(super) fn numbered(&self, column: usize) -> &[Hash128] {
        &self.columns[column].numbers.values
    }

    /// The rows of a block in one column.
    pub(super) fn codes(&self, column: usize, block: usize) -> Result<Cow<'_, Codes>, MeterError> {
        match &self.columns[column].blocks[block] {
            Block::Held(codes) => Ok(Cow::Borrowed(codes)),
            Block::Spilled { chunk, kind } => {
                let spill = self.spill.as_ref().ok_or(MeterError::OtherColumns)?;
                Ok(Cow::Owned(Codes::read(*kind, &spill.read(chunk)?)))
            }
        }
    }
}

impl Codes {
    /// Numbers that become hashes, as a value has come that has no number.
    fn hashes(&mut self, numbered: &[Hash128]) -> &mut Vec<Hash128> {
        if !matches!(self, Self::Hashes(_)) {
            let mut hashes = Vec::new();
            self.each_number(|_, number| hashes.push(numbered[number]));
            *self = Self::Hashes(hashes);
        }
        match self {
            Self::Hashes(hashes) => hashes,
            _ => unreachable!("they are hashes now"),
        }
    }

    /// What is in an open block, in the least memory; the block is empty then, of numbers or of dates.
    fn take(&mut self) -> Self {
        let empty = if matches!(self, Self::Moments(_)) { Self::Moments(Vec::new()) } else { Self::Words(Vec::new()) };
        match std::mem::replace(self, empty) {
            Self::Words(words) => match words.iter().copied().max().unwrap_or(0) {
                0..=0xff => Self::Bytes(words.iter().map(|word| word.to_le_bytes()[0]).collect()),
                0x100..=0xffff => {
                    Self::Shorts(words.iter().map(|word| u16::from_le_bytes([word.to_le_bytes()[0], word.to_le_bytes()[1]])).collect())
                }
                _ => Self::Words(words),
            },
            other => other,
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Bytes(codes) => codes.len(),
            Self::Shorts(codes) => 2 * codes.len(),
            Self::Words(codes) => 4 * codes.len(),
            Self::Hashes(codes) => 16 * codes.len(),
            Self::Moments(moments) => 16 * moments.len(),
        }
    }

    fn written(&self) -> (Kind, Vec<u8>) {
        match self {
            Self::Bytes(codes) => (Kind::Bytes, codes.clone()),
            Self::Shorts(codes) => (Kind::Shorts, codes.iter().flat_map(|code| code.to_le_bytes()).collect()),
            Self::Words(codes) => (Kind::Words, codes.iter().flat_map(|code| code.to_le_bytes()).collect()),
            Self::Hashes(codes) => (Kind::Hashes, codes.iter().flat_map(|code| code.to_le_bytes()).collect()),
            Self::Moments(moments) => (Kind::Moments, moments.iter().flat_map(|moment| moment.0.to_le_bytes()).collect()),
        }
    }

    fn read(kind: Kind, bytes: &[u8]) -> Self {
        match kind {
            Kind::Bytes => Self::Bytes(bytes.to_vec()),
            Kind::Shorts => Self::Shorts(bytes.as_chunks().0.iter().map(|code| u16::from_le_bytes(*code)).collect()),
            Kind::Words => Self::Words(bytes.as_chunks().0.iter().map(|code| u32::from_le_bytes(*code)).collect()),
            Kind::Hashes => Self::Hashes(bytes.as_chunks().0.iter().map(|code| u128::from_le_bytes(*code)).collect()),
            Kind::Moments => Self::Moments(bytes.as_chunks().0.iter().map(|moment| Moment(u128::from_le_bytes(*moment))).collect()),
        }
    }

    /// Hands on the number of each row; hashes and dates have none.
    pub(super) fn each_number(&self, mut take: impl FnMut(usize, usize)) {
        match self {
            Self::Bytes(codes) => codes.iter().enumerate().for_each(|(row, code)| take(row, usize::from(*code))),
            Self::Shorts(codes) => codes.iter().enumerate().for_each(|(row, code)| take(row, usize::from(*code))),
            Self::Words(codes) => codes.iter().enumerate().for_each(|(row, code)| take(row, *code as usize)),
            Self::Hashes(_) | Self::Moments(_) => debug_assert!(false, "no numbers"),
        }
    }

    /// Adds the hash of each row to what is there.
    pub(super) fn add_hashes(&self, numbered: &[Hash128], sums: &mut [Hash128]) {
        match self {
            Self::Hashes(hashes) => sums.iter_mut().zip(hashes).for_each(|(sum, hash)| *sum = sum.wrapping_add(*hash)),
            Self::Moments(_) => debug_assert!(false, "no hashes"),
            numbers => numbers.each_number(|row, number| sums[row] = sums[row].wrapping_add(numbered[number])),
        }
    }
}
