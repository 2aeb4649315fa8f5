//! Columns of GROUP BY: from cells to the numbers of groups, and back to their keys.

use std::borrow::Cow;
use std::collections::HashMap;

use super::BindError;
use crate::codec::Encoder;
use crate::dataset::{Column, ColumnType, Use, Values};
use crate::id::{ColumnName, Digest, Name};

/// What one group column says of a group.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum GroupKey {
    /// A text, declared or revealed.
    Text(String),
    /// An integer, declared or revealed.
    Integer(i64),
    /// Undeclared values and nulls together, under the name that the description gives them.
    Other(Name),
}

/// A column of GROUP BY. Its values are numbered in declared order, `other` comes last; values that the data say, in their
/// own order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GroupColumn {
    pub(crate) read: usize,
    pub(crate) name: ColumnName,
    text: bool,
    /// None while the data say which there are.
    values: Option<Values>,
    other: Option<Name>,
    /// How far apart two neighbouring values of this column are among the groups.
    pub(crate) stride: u32,
    lookup: Lookup,
}

/// From a cell to the number of its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Lookup {
    /// A text cell is a code, declared values first: the number itself.
    Code,
    /// By code.
    Codes(Vec<u32>),
    /// `table[cell - low]`; a place behind the values stands for none.
    Dense {
        low: i64,
        table: Vec<u32>,
    },
    Sparse(Sparse),
}

/// From values that are far apart to their numbers.
///
/// A cell is looked for at one place of a small table first, and nearly always found there; only else in the map, whose keyed hash
/// keeps whoever chooses the values from choosing the time as well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sparse {
    /// One value and its number for each place; a place that no value has holds 0 and its number.
    front: Vec<(i64, u32)>,
    numbers: HashMap<i64, u32>,
}

/// Places of the small table: 1 MiB, which stays in the second cache.
const FRONT_BITS_MAX: u32 = 16;

impl Sparse {
    fn new(numbered: impl Iterator<Item = (i64, u32)> + Clone) -> Self {
        let numbers: HashMap<i64, u32> = numbered.clone().collect();
        // Four times as many places as values leave few that share one.
        let places = (4 * numbers.len()).next_power_of_two().clamp(2, 1 << FRONT_BITS_MAX);
        let zero = numbers.get(&0).copied().unwrap_or(u32::MAX);
        let mut sparse = Self { front: vec![(0, zero); places], numbers };
        for (value, number) in numbered {
            let place = sparse.place(value);
            sparse.front[place] = (value, number);
        }
        sparse
    }

    /// By high bits of a product with 2^64 over the golden ratio.
    fn place(&self, cell: i64) -> usize {
        const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
        let bits = cell.cast_unsigned().wrapping_mul(FACTOR) >> (64 - FRONT_BITS_MAX);
        usize::try_from(bits).unwrap_or(0) & (self.front.len() - 1)
    }

    fn number_of(&self, cell: i64) -> u32 {
        match self.front[self.place(cell)] {
            (value, number) if value == cell => number,
            _ => self.numbers.get(&cell).copied().unwrap_or(u32::MAX),
        }
    }
}

/// An integer column is looked up in a table when its declared values span no more than this.
const DENSE_SPAN_MAX: u64 = 1 << 18;
/// A longer text is the key of no group: it would not fit an answer.
const KEY_BYTES_MAX: usize = 1_024;
/// What stands around a key in an answer.
pub(crate) const KEY_BYTES: u128 = 8;

impl GroupColumn {
    /// The column must have declared values, or say that its values may leave; strides are set by [`arrange`].
    pub(crate) fn new(read: usize, column: &Column) -> Result<Self, BindError> {
        let lookup = match &column.values {
            Some(Values::Integer(values)) => Lookup::of(values),
            Some(Values::Text(_)) => Lookup::Code,
            None if column.uses.allow(Use::Reveal) => Lookup::Code,
            None => return Err(BindError::NoValues { column: column.name.clone() }),
        };
        Ok(Self {
            read,
            name: column.name.clone(),
            text: column.kind == ColumnType::Text,
            values: column.values.clone(),
            other: column.other.clone(),
            stride: 0,
            lookup,
        })
    }

    /// Whether the description says which values there are.
    pub(crate) const fn is_declared(&self) -> bool {
        self.values.is_some()
    }

    /// The same column with the texts of its dictionary, in the order of their codes, as values.
    pub(crate) fn with_texts(&self, texts: Vec<String>) -> Self {
        let mut ordered: Vec<_> = texts.into_iter().zip(0_usize..).filter(|(text, _)| is_key(text)).collect();
        ordered.sort_unstable();
        let codes = ordered.iter().map(|(_, code)| code + 1).max().unwrap_or(0);
        let mut table = vec![u32::MAX; codes];
        for ((_, code), number) in ordered.iter().zip(0_u32..) {
            table[*code] = number;
        }
        let values = Values::Text(ordered.into_iter().map(|(text, _)| text).collect());
        Self { values: Some(values), lookup: Lookup::Codes(table), ..self.clone() }
    }

    /// The same column with the distinct integers of its cells as values.
    pub(crate) fn with_integers(&self, mut integers: Vec<i64>) -> Self {
        integers.sort_unstable();
        let lookup = Lookup::of(&integers);
        Self { values: Some(Values::Integer(integers)), lookup, ..self.clone() }
    }

    /// Whether cells are codes.
    pub(crate) const fn is_text(&self) -> bool {
        self.text
    }

    /// How many values there are; also the number of everything else.
    pub(crate) fn declared(&self) -> u32 {
        u32::try_from(self.values.as_ref().map_or(0, Values::len)).unwrap_or(u32::MAX)
    }

    /// Whether everything else is a group.
    pub(crate) const fn has_other(&self) -> bool {
        self.other.is_some()
    }

    /// How many groups it makes.
    pub(crate) fn len(&self) -> u64 {
        u64::from(self.declared()) + u64::from(self.has_other())
    }

    /// From cells to numbers.
    pub(crate) const fn lookup(&self) -> &Lookup {
        &self.lookup
    }

    /// The number of a cell's value, or of everything else where that is a group; none for a row that is in no group.
    pub(crate) fn number(&self, cell: Option<i64>) -> Option<u32> {
        let declared = self.declared();
        let number = cell.map_or(declared, |cell| self.lookup.number_of(cell));
        (number < declared || self.has_other()).then_some(number.min(declared))
    }

    /// The key of a cell's value, also where the data say which values there are; none for a row that is in no group.
    pub(crate) fn key_at(&self, cell: Option<i64>) -> Option<GroupKey> {
        if self.is_declared() { self.number(cell).map(|number| self.key_of(number as usize)) } else { cell.map(GroupKey::Integer) }
    }

    /// The key of a group.
    pub(crate) fn key(&self, group: usize) -> GroupKey {
        let declared = self.declared() as usize;
        self.key_of(group / (self.stride.max(1) as usize) % (declared + usize::from(self.has_other())).max(1))
    }

    /// The key of the value with a number.
    pub(crate) fn key_of(&self, place: usize) -> GroupKey {
        let declared = self.declared() as usize;
        match (&self.values, &self.other) {
            (Some(Values::Text(values)), _) if place < declared => GroupKey::Text(values[place].clone()),
            (Some(Values::Integer(values)), _) if place < declared => GroupKey::Integer(values[place]),
            (_, Some(other)) => GroupKey::Other(other.clone()),
            (_, None) => unreachable!("a place among the values, as there is no other"),
        }
    }

    /// The bytes of all its keys in text.
    pub(crate) fn key_bytes(&self) -> u128 {
        let declared = match &self.values {
            Some(Values::Text(values)) => values.iter().map(String::len).sum(),
            Some(Values::Integer(values)) => values.len() * INTEGER_BYTES,
            None => 0,
        };
        (declared + self.other.as_ref().map_or(0, |other| other.as_str().len())) as u128
    }
}

/// -9223372036854775808
const INTEGER_BYTES: usize = 20;

/// Whether a text of the data can be the key of a group; one that cannot is in none, like a null.
fn is_key(text: &str) -> bool {
    !text.is_empty() && text.len() <= KEY_BYTES_MAX && unicode_normalization::is_nfc(text)
}

impl GroupKey {
    /// The bytes it takes in an answer.
    pub(crate) fn bytes(&self) -> u128 {
        let bytes = match self {
            Self::Text(text) => text.len(),
            Self::Integer(_) => INTEGER_BYTES,
            Self::Other(name) => name.as_str().len(),
        };
        bytes as u128 + KEY_BYTES
    }
}

impl Lookup {
    pub(crate) fn of(values: &[i64]) -> Self {
        let numbered = values.iter().copied().zip(0_u32..);
        let (low, high) = (values.iter().min().copied().unwrap_or(0), values.iter().max().copied().unwrap_or(0));
        let span = high.abs_diff(low);
        if span > DENSE_SPAN_MAX {
            return Self::Sparse(Sparse::new(numbered));
        }
        let mut table = vec![u32::MAX; usize::try_from(span).unwrap_or(0) + 1];
        for (value, number) in numbered {
            if let Some(place) = usize::try_from(value.abs_diff(low)).ok().and_then(|place| table.get_mut(place)) {
                *place = number;
            }
        }
        Self::Dense { low, table }
    }

    /// The number of a cell's value; as large as it gets for none.
    pub(crate) fn number_of(&self, cell: i64) -> u32 {
        match self {
            Self::Code => u32::try_from(cell).unwrap_or(u32::MAX),
            Self::Codes(table) => u32::try_from(cell).map_or(u32::MAX, |code| number_of_code(table, code)),
            Self::Dense { low, table } => {
                let place = usize::try_from(cell.wrapping_sub(*low).cast_unsigned()).unwrap_or(usize::MAX);
                table.get(place).copied().unwrap_or(u32::MAX)
            }
            Self::Sparse(sparse) => sparse.number_of(cell),
        }
    }
}

/// The number of a code's value; as large as it gets for none. For a column at a time, with the table at hand.
#[inline]
pub(super) fn number_of_code(table: &[u32], code: u32) -> u32 {
    table.get(code as usize).copied().unwrap_or(u32::MAX)
}

/// The groups of one scan: those of the plan, or those that the data have.
#[derive(Debug)]
pub(crate) struct Layout<'a> {
    pub(crate) groups: Cow<'a, [GroupColumn]>,
    pub(crate) cells: usize,
}

impl Layout<'_> {
    /// The key of a group.
    pub(crate) fn key(&self, cell: usize) -> Vec<GroupKey> {
        self.groups.iter().map(|column| column.key(cell)).collect()
    }

    /// [`group_hash`] its key.
    pub(crate) fn hash(&self, cell: usize) -> [u8; 16] {
        group_hash(&self.key(cell))
    }
}

/// The first 16 bytes of SHA-256 of a group's canonical encoding: `[value, ...]` with a text, an integer, or false for
/// `other`. Ranks are made from it, so it says nothing of columns or numbering.
pub fn group_hash(group: &[GroupKey]) -> [u8; 16] {
    let mut out = Encoder::new();
    out.array(group.len());
    for key in group {
        match key {
            GroupKey::Text(value) => out.text(value),
            GroupKey::Integer(value) => out.int(*value),
            GroupKey::Other(_) => out.boolean(false),
        };
    }
    let digest = Digest::of(&out.into_bytes());
    let mut short = [0; 16];
    short.copy_from_slice(&digest.as_bytes()[..16]);
    short
}

/// Sets the strides, the last column running fastest, and gives the number of groups.
pub(crate) fn arrange(columns: &mut [GroupColumn], most: usize) -> Result<usize, BindError> {
    let found = columns.iter().try_fold(1_u64, |product, column| product.checked_mul(column.len())).unwrap_or(u64::MAX);
    let cells = usize::try_from(found).ok().filter(|cells| *cells <= most).ok_or(BindError::Cells { found, most })?;
    let mut stride = 1;
    for column in columns.iter_mut().rev() {
        column.stride = u32::try_from(stride).unwrap_or(u32::MAX);
        stride *= column.len();
    }
    Ok(cells)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With more values than places, with and without 0 among them, and for cells that are no value.
    #[test]
    fn values_far_apart_have_their_numbers() {
        for (count, first) in [(1, 0), (5, i64::MIN), (100, -7), (200_000, 0), (200_000, i64::MAX - 200_000 * 1_000_003)] {
            let values: Vec<i64> = (0..count).map(|place| first + place * 1_000_003).collect();
            let sparse = Sparse::new(values.iter().copied().zip(0_u32..));
            assert!(values.iter().zip(0_u32..).all(|(value, number)| sparse.number_of(*value) == number));
            let near = |value: &i64| sparse.number_of(value.wrapping_add(1)) == u32::MAX;
            assert!(values.iter().all(near));
            assert_eq!(
                sparse.number_of(0),
                values.iter().zip(0_u32..).find(|(value, _)| **value == 0).map_or(u32::MAX, |(_, number)| number)
            );
        }
    }
}
