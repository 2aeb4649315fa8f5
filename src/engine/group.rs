use std::collections::HashMap;

use super::BindError;
use crate::codec::Encoder;
use crate::dataset::{Column, Values};
use crate::id::{ColumnName, Digest, Name};

/// What one group column says of a group.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Key {
    /// A declared text.
    Text(String),
    /// A declared integer.
    Integer(i64),
    /// Undeclared values and nulls together, under the name that the description gives them.
    Other(Name),
}

/// A column of GROUP BY. Its values are numbered in declared order, `other` comes last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct GroupColumn {
    pub(super) read: usize,
    pub(super) name: ColumnName,
    values: Values,
    other: Option<Name>,
    /// How far apart two neighbouring values of this column are among the groups.
    pub(super) stride: u32,
    lookup: Lookup,
}

/// From an integer cell to the number of its value.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Lookup {
    /// A text cell is a code, declared values first: the number itself.
    Code,
    /// `table[cell - low]`; a place behind the values stands for none.
    Dense {
        low: i64,
        table: Vec<u32>,
    },
    Sparse(HashMap<i64, u32>),
}

/// An integer column is looked up in a table when its declared values span no more than this.
const DENSE_SPAN_MAX: u64 = 1 << 18;

impl GroupColumn {
    /// The column must have declared values; strides are set by [`arrange`].
    pub(super) fn new(read: usize, column: &Column) -> Result<Self, BindError> {
        let values = column.values.clone().ok_or_else(|| BindError::NoValues { column: column.name.clone() })?;
        let lookup = match &values {
            Values::Text(_) => Lookup::Code,
            Values::Integer(values) => Lookup::of(values),
        };
        Ok(Self { read, name: column.name.clone(), values, other: column.other.clone(), stride: 0, lookup })
    }

    /// Whether cells are codes.
    pub(super) const fn is_text(&self) -> bool {
        matches!(self.values, Values::Text(_))
    }

    /// How many values are declared; also the number of everything else.
    pub(super) fn declared(&self) -> u32 {
        u32::try_from(self.values.len()).unwrap_or(u32::MAX)
    }

    /// Whether everything else is a group.
    pub(super) const fn has_other(&self) -> bool {
        self.other.is_some()
    }

    /// How many groups it makes.
    pub(super) fn len(&self) -> u64 {
        u64::from(self.declared()) + u64::from(self.has_other())
    }

    /// The number of an integer's value; [`Self::declared`] or more for none.
    pub(super) fn number_of(&self, cell: i64) -> u32 {
        match &self.lookup {
            Lookup::Code => u32::MAX,
            Lookup::Dense { low, table } => {
                let place = usize::try_from(cell.wrapping_sub(*low).cast_unsigned()).unwrap_or(usize::MAX);
                table.get(place).copied().unwrap_or(u32::MAX)
            }
            Lookup::Sparse(numbers) => numbers.get(&cell).copied().unwrap_or(u32::MAX),
        }
    }

    /// The key of a group.
    pub(super) fn key(&self, group: usize) -> Key {
        let place = group / (self.stride.max(1) as usize) % (self.values.len() + usize::from(self.has_other()));
        match (&self.values, &self.other) {
            (Values::Text(values), _) if place < values.len() => Key::Text(values[place].clone()),
            (Values::Integer(values), _) if place < values.len() => Key::Integer(values[place]),
            (_, Some(other)) => Key::Other(other.clone()),
            (_, None) => unreachable!("a place among the values, as there is no other"),
        }
    }

    /// The bytes of all its keys in text.
    pub(super) fn key_bytes(&self) -> u128 {
        /// -9223372036854775808
        const INTEGER_BYTES: usize = 20;
        let declared = match &self.values {
            Values::Text(values) => values.iter().map(String::len).sum(),
            Values::Integer(values) => values.len() * INTEGER_BYTES,
        };
        (declared + self.other.as_ref().map_or(0, |other| other.as_str().len())) as u128
    }
}

impl Lookup {
    fn of(values: &[i64]) -> Self {
        let numbered = values.iter().copied().zip(0_u32..);
        let (low, high) = (values.iter().min().copied().unwrap_or(0), values.iter().max().copied().unwrap_or(0));
        let span = high.abs_diff(low);
        if span > DENSE_SPAN_MAX {
            return Self::Sparse(numbered.collect());
        }
        let mut table = vec![u32::MAX; usize::try_from(span).unwrap_or(0) + 1];
        for (value, number) in numbered {
            if let Some(place) = usize::try_from(value.abs_diff(low)).ok().and_then(|place| table.get_mut(place)) {
                *place = number;
            }
        }
        Self::Dense { low, table }
    }
}

/// Sets the strides, the last column running fastest, and gives the number of groups.
pub(super) fn arrange(columns: &mut [GroupColumn], most: usize) -> Result<usize, BindError> {
    let found = columns.iter().try_fold(1_u64, |product, column| product.checked_mul(column.len())).unwrap_or(u64::MAX);
    let cells = usize::try_from(found).ok().filter(|cells| *cells <= most).ok_or(BindError::Cells { found, most })?;
    let mut stride = 1;
    for column in columns.iter_mut().rev() {
        column.stride = u32::try_from(stride).unwrap_or(u32::MAX);
        stride *= column.len();
    }
    Ok(cells)
}

/// For each group the first 16 bytes of SHA-256 of its canonical encoding: `[value, ...]` with a text, an integer, or
/// false for `other`. Ranks are made from it, so it says nothing of columns or numbering.
pub(super) fn hashes(columns: &[GroupColumn], cells: usize) -> Vec<[u8; 16]> {
    let hash = |cell| {
        let mut out = Encoder::new();
        out.array(columns.len());
        for column in columns {
            match column.key(cell) {
                Key::Text(value) => out.text(&value),
                Key::Integer(value) => out.int(value),
                Key::Other(_) => out.boolean(false),
            };
        }
        let digest = Digest::of(&out.into_bytes());
        let mut short = [0; 16];
        short.copy_from_slice(&digest.as_bytes()[..16]);
        short
    };
    (0..cells).map(hash).collect()
}
