//! The cells of one stored column on their way into blocks.

use super::batch::Cells;
use super::dictionary::Full;
use super::index::declared_texts;
use super::read as block;
use super::watch::Watch;
use super::{ColumnBlock, Dictionary};
use crate::dataset::{Column, ColumnType};

/// Cells of a column, with codes in the order in which its values came.
pub(super) struct Store<'a> {
    pub(super) place: usize,
    pub(super) column: &'a Column,
    pub(super) watch: Watch<'a>,
    values: Stored,
    /// A bit for each row when the column is nullable.
    nulls: Option<Bits>,
}

enum Stored {
    Codes(Dictionary, Vec<u32>),
    Numbers(Vec<i64>),
}

/// Bits in words, the first in the lowest bit of the first word.
#[derive(Default)]
struct Bits {
    words: Vec<u64>,
    len: usize,
}

impl Bits {
    fn push(&mut self, bit: bool) {
        if self.len.is_multiple_of(64) {
            self.words.push(0);
        }
        if let Some(last) = self.words.last_mut() {
            *last |= u64::from(bit) << (self.len % 64);
        }
        self.len += 1;
    }

    fn get(&self, at: usize) -> bool {
        self.words[at / 64] >> (at % 64) & 1 == 1
    }
}

impl<'a> Store<'a> {
    pub(super) fn new(place: usize, column: &'a Column) -> Result<Self, Full> {
        let values = if column.kind == ColumnType::Text {
            let mut dictionary = Dictionary::new();
            declared_texts(column).iter().try_for_each(|value| dictionary.intern(value).map(drop))?;
            Stored::Codes(dictionary, Vec::new())
        } else {
            Stored::Numbers(Vec::new())
        };
        Ok(Self { place, column, watch: Watch::new(column), values, nulls: column.nullable.then(Bits::default) })
    }

    /// Adds the cells of some rows.
    pub(super) fn push(&mut self, cells: &Cells<'_>, rows: &[usize]) -> Result<(), Full> {
        match (&mut self.values, cells) {
            (Stored::Codes(dictionary, codes), Cells::Texts(texts)) => {
                for &row in rows {
                    let code = texts[row].map(|text| dictionary.intern(text)).transpose()?;
                    code.into_iter().for_each(|code| self.watch.code(code));
                    codes.push(code.unwrap_or(0));
                    self.nulls.iter_mut().for_each(|nulls| nulls.push(code.is_none()));
                }
            }
            (Stored::Numbers(numbers), Cells::Numbers(found)) => {
                for &row in rows {
                    found[row].into_iter().for_each(|number| self.watch.number(number));
                    numbers.push(found[row].unwrap_or(0));
                    self.nulls.iter_mut().for_each(|nulls| nulls.push(found[row].is_none()));
                }
            }
            _ => unreachable!("cells and store are made from one column"),
        }
        Ok(())
    }

    /// The bytes it occupies, about.
    pub(super) fn bytes(&self) -> usize {
        let nulls = self.nulls.as_ref().map_or(0, |nulls| nulls.words.len() * 8);
        nulls
            + match &self.values {
                Stored::Codes(dictionary, codes) => dictionary.bytes() + codes.len() * 4,
                Stored::Numbers(numbers) => numbers.len() * 8,
            }
    }

    /// All rows as one block, after which the store is empty but for its dictionary.
    pub(super) fn take_block(&mut self) -> ColumnBlock {
        let cells = match &mut self.values {
            Stored::Codes(_, codes) => block::Cells::Codes(std::mem::take(codes)),
            Stored::Numbers(numbers) => block::Cells::Numbers(std::mem::take(numbers)),
        };
        ColumnBlock { cells, nulls: self.nulls.as_mut().map(|nulls| std::mem::take(nulls).words) }
    }

    /// The block of `rows`, in that order. `recoding` gives the values codes in the order in which this function meets them.
    pub(super) fn block_of(&self, rows: impl Iterator<Item = usize> + Clone, recoding: &mut Recoding) -> ColumnBlock {
        let null = |row: usize| self.nulls.as_ref().is_some_and(|nulls| nulls.get(row));
        let cells = match &self.values {
            Stored::Codes(_, codes) => {
                let code = |row: usize| if null(row) { 0 } else { recoding.code(codes[row]) };
                block::Cells::Codes(rows.clone().map(code).collect())
            }
            Stored::Numbers(numbers) => block::Cells::Numbers(rows.clone().map(|row| numbers[row]).collect()),
        };
        let nulls = self.nulls.as_ref().map(|nulls| {
            let mut bits = Bits::default();
            rows.for_each(|row| bits.push(nulls.get(row)));
            bits.words
        });
        ColumnBlock { cells, nulls }
    }

    /// The values so far, in the order of their codes; nothing for numbers.
    pub(super) fn dictionary(&self) -> Option<&Dictionary> {
        match &self.values {
            Stored::Codes(dictionary, _) => Some(dictionary),
            Stored::Numbers(_) => None,
        }
    }
}

/// New codes for the values of a column, so that the order of the source leaves no trace.
pub(super) struct Recoding {
    new: Vec<Option<u32>>,
    old: Vec<u32>,
}

impl Recoding {
    /// Declared values keep their codes, which are the first.
    #[expect(clippy::cast_possible_truncation, reason = "a dictionary has at most 2^24 values")]
    pub(super) fn of(store: &Store<'_>) -> Self {
        let values = store.dictionary().map_or(0, Dictionary::len);
        let old: Vec<u32> = (0..declared_texts(store.column).len() as u32).collect();
        let mut new = vec![None; values];
        old.iter().for_each(|&code| new[code as usize] = Some(code));
        Self { new, old }
    }

    #[expect(clippy::cast_possible_truncation, reason = "a dictionary has at most 2^24 values")]
    fn code(&mut self, old: u32) -> u32 {
        *self.new[old as usize].get_or_insert_with(|| {
            self.old.push(old);
            self.old.len() as u32 - 1
        })
    }

    /// The old codes in the order of the new ones.
    pub(super) fn old(&self) -> &[u32] {
        &self.old
    }
}
