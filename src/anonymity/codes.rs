//! Columns of hashes in little memory: numbers for values that come again, the hashes themselves where there are too many values.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::hashes::{Hash128, HashedColumn};
use super::meter::MeterError;
use crate::spill::{Chunk, Spill, SpillTarget};

/// Values that are numbered in one column; a column with more keeps hashes from there on. In tests so few that they do.
const VALUES_MAX: usize = if cfg!(test) { 12 } else { 1 << 20 };
/// Values that are numbered in all columns that are still open together.
const OPEN_MAX: usize = if cfg!(test) { 20 } else { 1 << 21 };

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

/// The rows of a batch in one column.
pub(super) enum Codes {
    /// Numbers below 2^8.
    Bytes(Vec<u8>),
    /// Numbers below 2^16.
    Shorts(Vec<u16>),
    /// Numbers.
    Words(Vec<u32>),
    /// Hashes.
    Hashes(Vec<Hash128>),
    /// Days since 1970.
    Days(Vec<i32>),
}

/// A column: batches in the order in which they came.
struct Stored {
    numbers: Numbers,
    batches: Vec<Batch>,
}

enum Batch {
    Held(Codes),
    Spilled { chunk: Chunk, kind: Kind },
}

#[derive(Clone, Copy)]
enum Kind {
    Bytes,
    Shorts,
    Words,
    Hashes,
    Days,
}

/// All columns. What does not fit in memory is in an encrypted file without a name.
pub(super) struct Store {
    columns: Vec<Stored>,
    rows: Vec<usize>,
    held: usize,
    held_max: usize,
    spill: Option<Spill>,
    target: SpillTarget,
}

impl Store {
    /// Hashes of `columns` columns, and behind them `days` columns of days; at most `held_max` bytes are kept in memory.
    pub(super) fn new(columns: usize, days: usize, held_max: usize, target: SpillTarget) -> Self {
        let columns = (0..columns + days).map(|_| Stored { numbers: Numbers::default(), batches: Vec::new() }).collect();
        Self { columns, rows: Vec::new(), held: 0, held_max, spill: None, target }
    }

    pub(super) fn batches(&self) -> usize {
        self.rows.len()
    }

    /// How many rows a batch has.
    pub(super) fn rows_of(&self, batch: usize) -> usize {
        self.rows[batch]
    }

    pub(super) fn begin(&mut self, rows: usize) {
        self.rows.push(rows);
    }

    pub(super) fn add(&mut self, at: usize, column: &HashedColumn) -> Result<(), MeterError> {
        let numbers = &mut self.columns[at].numbers;
        let numbered: Option<Vec<u32>> = column.values.iter().map(|value| numbers.number(*value)).collect();
        let codes = match numbered {
            Some(numbers) => numbered_codes(&numbers, &column.rows),
            None => Codes::Hashes(column.rows.iter().map(|row| column.values[*row as usize]).collect()),
        };
        self.keep(at, codes)?;
        let open = |column: &Stored| if column.numbers.is_closed { 0 } else { column.numbers.values.len() };
        if self.columns.iter().map(open).sum::<usize>() > OPEN_MAX
            && let Some(largest) = self.columns.iter_mut().max_by_key(|column| open(column))
        {
            largest.numbers.close();
        }
        Ok(())
    }

    pub(super) fn add_days(&mut self, at: usize, days: Vec<i32>) -> Result<(), MeterError> {
        self.keep(at, Codes::Days(days))
    }

    fn keep(&mut self, at: usize, codes: Codes) -> Result<(), MeterError> {
        let bytes = codes.bytes();
        let batch = if self.held + bytes <= self.held_max {
            self.held += bytes;
            Batch::Held(codes)
        } else {
            let spill = match &mut self.spill {
                Some(spill) => spill,
                none => none.insert(self.target.create()?),
            };
            let (kind, mut written) = codes.written();
            Batch::Spilled { chunk: spill.write(&mut written)?, kind }
        };
        self.columns[at].batches.push(batch);
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

    /// The rows of a batch in one column.
    pub(super) fn codes(&self, column: usize, batch: usize) -> Result<Cow<'_, Codes>, MeterError> {
        match &self.columns[column].batches[batch] {
            Batch::Held(codes) => Ok(Cow::Borrowed(codes)),
            Batch::Spilled { chunk, kind } => {
                let spill = self.spill.as_ref().ok_or(MeterError::OtherColumns)?;
                Ok(Cow::Owned(Codes::read(*kind, &spill.read(chunk)?)))
            }
        }
    }
}

fn numbered_codes(numbers: &[u32], rows: &[u32]) -> Codes {
    let most = numbers.iter().copied().max().unwrap_or(0);
    let of = |row: &u32| numbers[*row as usize];
    if u8::try_from(most).is_ok() {
        Codes::Bytes(rows.iter().map(|row| of(row).to_le_bytes()[0]).collect())
    } else if u16::try_from(most).is_ok() {
        Codes::Shorts(rows.iter().map(|row| u16::try_from(of(row)).unwrap_or(u16::MAX)).collect())
    } else {
        Codes::Words(rows.iter().map(of).collect())
    }
}

impl Clone for Codes {
    fn clone(&self) -> Self {
        match self {
            Self::Bytes(codes) => Self::Bytes(codes.clone()),
            Self::Shorts(codes) => Self::Shorts(codes.clone()),
            Self::Words(codes) => Self::Words(codes.clone()),
            Self::Hashes(codes) => Self::Hashes(codes.clone()),
            Self::Days(days) => Self::Days(days.clone()),
        }
    }
}

impl Codes {
    fn bytes(&self) -> usize {
        match self {
            Self::Bytes(codes) => codes.len(),
            Self::Shorts(codes) => 2 * codes.len(),
            Self::Words(codes) => 4 * codes.len(),
            Self::Hashes(codes) => 16 * codes.len(),
            Self::Days(days) => 4 * days.len(),
        }
    }

    fn written(&self) -> (Kind, Vec<u8>) {
        match self {
            Self::Bytes(codes) => (Kind::Bytes, codes.clone()),
            Self::Shorts(codes) => (Kind::Shorts, codes.iter().flat_map(|code| code.to_le_bytes()).collect()),
            Self::Words(codes) => (Kind::Words, codes.iter().flat_map(|code| code.to_le_bytes()).collect()),
            Self::Hashes(codes) => (Kind::Hashes, codes.iter().flat_map(|code| code.to_le_bytes()).collect()),
            Self::Days(days) => (Kind::Days, days.iter().flat_map(|day| day.to_le_bytes()).collect()),
        }
    }

    fn read(kind: Kind, bytes: &[u8]) -> Self {
        match kind {
            Kind::Bytes => Self::Bytes(bytes.to_vec()),
            Kind::Shorts => Self::Shorts(bytes.as_chunks().0.iter().map(|code| u16::from_le_bytes(*code)).collect()),
            Kind::Words => Self::Words(bytes.as_chunks().0.iter().map(|code| u32::from_le_bytes(*code)).collect()),
            Kind::Hashes => Self::Hashes(bytes.as_chunks().0.iter().map(|code| u128::from_le_bytes(*code)).collect()),
            Kind::Days => Self::Days(bytes.as_chunks().0.iter().map(|day| i32::from_le_bytes(*day)).collect()),
        }
    }

    /// Hands on the number of each row; hashes and days have none.
    pub(super) fn each_number(&self, mut take: impl FnMut(usize, usize)) {
        match self {
            Self::Bytes(codes) => codes.iter().enumerate().for_each(|(row, code)| take(row, usize::from(*code))),
            Self::Shorts(codes) => codes.iter().enumerate().for_each(|(row, code)| take(row, usize::from(*code))),
            Self::Words(codes) => codes.iter().enumerate().for_each(|(row, code)| take(row, *code as usize)),
            Self::Hashes(_) | Self::Days(_) => debug_assert!(false, "no numbers"),
        }
    }

    /// Adds the hash of each row to what is there.
    pub(super) fn add_hashes(&self, numbered: &[Hash128], sums: &mut [Hash128]) {
        match self {
            Self::Hashes(hashes) => sums.iter_mut().zip(hashes).for_each(|(sum, hash)| *sum = sum.wrapping_add(*hash)),
            Self::Days(_) => debug_assert!(false, "no hashes"),
            numbers => numbers.each_number(|row, number| sums[row] = sums[row].wrapping_add(numbered[number])),
        }
    }
}
