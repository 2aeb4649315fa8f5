//! What an owner should hear about the data, without a word of it.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher, Hash};

use super::batch::Cells;
use crate::dataset::{Bounds, Column, ColumnType, Use, Values};
use crate::id::ColumnName;

/// Something the owner should look at before publishing; for nobody else, since it tells of the data.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// The bounds are the least and the greatest value found (rule B6).
    BoundsAreExtremes {
        /// The column.
        column: ColumnName,
    },
    /// The declared values are those found, all of them and no other (rule B6).
    ValuesAreObserved {
        /// The column.
        column: ColumnName,
    },
    /// The unit is a row, and a column that looks like an identifier has a value twice (rule B5).
    IdentifierRepeats {
        /// The column.
        column: ColumnName,
    },
    /// Some values lie outside the bounds.
    OutsideBounds {
        /// The column.
        column: ColumnName,
    },
    /// Some values are not declared, and there is no `other`.
    Undeclared {
        /// The column.
        column: ColumnName,
    },
    /// The column may reveal: its values leave the gate (rule B7).
    Reveals {
        /// The column.
        column: ColumnName,
    },
    /// Some rows have no unit.
    RowsWithoutUnit {
        /// The unit column.
        column: ColumnName,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (column, text) = match self {
            Self::BoundsAreExtremes { column } => (
                column,
                "the bounds are exactly the least and greatest value found; take them from knowledge of the field and name it in public_source",
            ),
            Self::ValuesAreObserved { column } => {
                (column, "the declared values are exactly those found; take them from knowledge of the field and name it in public_source")
            }
            Self::IdentifierRepeats { column } => {
                (column, "most values are unique, but not all: if it identifies people, rows are not independent; make it the unit")
            }
            Self::OutsideBounds { column } => (column, "some values lie outside the bounds and are clamped in sums"),
            Self::Undeclared { column } => (column, "some values are not declared and stand in no group; `other` would collect them"),
            Self::Reveals { column } => {
                (column, "`reveal` lets values leave the gate as keys of groups: make sure that none of them tells of a person by itself")
            }
            Self::RowsWithoutUnit { column } => (column, "some rows have no unit and are left out"),
        };
        write!(f, "column {column}: {text}")
    }
}

/// Watches a stored column against its declarations.
pub(super) struct Watch<'a> {
    column: &'a Column,
    extremes: Option<(i64, i64)>,
    /// For declared integers: which were found.
    integers: Option<(HashSet<i64>, HashSet<i64>)>,
    /// For declared texts, which have the first codes: which were found.
    texts: Option<Vec<bool>>,
    undeclared: bool,
}

impl<'a> Watch<'a> {
    pub(super) fn new(column: &'a Column) -> Self {
        let (texts, integers) = match &column.values {
            Some(Values::Text(values)) => (Some(vec![false; values.len()]), None),
            Some(Values::Integer(values)) => (None, Some((values.iter().copied().collect(), HashSet::new()))),
            None => (None, None),
        };
        Self { column, extremes: None, integers, texts, undeclared: false }
    }

    pub(super) fn code(&mut self, code: u32) {
        if let Some(texts) = &mut self.texts {
            match texts.get_mut(code as usize) {
                Some(found) => *found = true,
                None => self.undeclared = true,
            }
        }
    }

    pub(super) fn number(&mut self, number: i64) {
        let (least, greatest) = self.extremes.unwrap_or((number, number));
        self.extremes = Some((least.min(number), greatest.max(number)));
        if let Some((declared, found)) = &mut self.integers {
            if declared.contains(&number) {
                found.insert(number);
            } else {
                self.undeclared = true;
            }
        }
    }

    /// `sourced`: the owner has said where bounds and values are known from.
    pub(super) fn warnings(&self, sourced: bool) -> Vec<Warning> {
        let column = || self.column.name.clone();
        let mut out = Vec::new();
        if self.column.uses.allow(Use::Reveal) {
            out.push(Warning::Reveals { column: column() });
        }
        if let (Some(Bounds { low, high }), Some((least, greatest))) = (self.column.bounds, self.extremes) {
            if (low, high) == (least, greatest) && !sourced {
                out.push(Warning::BoundsAreExtremes { column: column() });
            }
            if least < low || greatest > high {
                out.push(Warning::OutsideBounds { column: column() });
            }
        }
        let texts = self.texts.as_ref().is_some_and(|found| found.iter().all(|found| *found));
        let integers = self.integers.as_ref().is_some_and(|(declared, found)| declared.len() == found.len());
        if (texts || integers) && !self.undeclared && !sourced {
            out.push(Warning::ValuesAreObserved { column: column() });
        }
        if self.undeclared && self.column.other.is_none() {
            out.push(Warning::Undeclared { column: column() });
        }
        out
    }
}

/// Values counted at most; with more, a sample of the values is.
const COUNTED_MAX: usize = 1 << 18;

/// Counts how often each value of a column occurs, in constant memory: of too many values those whose hash ends in
/// enough zeros, with all their occurrences.
pub(super) struct Repeats<'a> {
    column: &'a Column,
    hasher: BuildHasherDefault<DefaultHasher>,
    counts: HashMap<u64, u32>,
    zeros: u32,
}

impl<'a> Repeats<'a> {
    /// Only text and integers for which nothing is declared can be identifiers.
    pub(super) fn of(column: &'a Column) -> Option<Self> {
        let number = matches!(column.kind, ColumnType::Real { .. });
        let open = !number && column.bounds.is_none() && column.values.is_none();
        open.then(|| Self { column, hasher: BuildHasherDefault::default(), counts: HashMap::new(), zeros: 0 })
    }

    pub(super) fn take(&mut self, cells: &Cells<'_>) {
        match cells {
            Cells::Texts(texts) => texts.iter().flatten().for_each(|text| self.count(text)),
            Cells::Numbers(numbers) => numbers.iter().flatten().for_each(|number| self.count(number)),
        }
    }

    fn count(&mut self, value: &(impl Hash + ?Sized)) {
        let hash = self.hasher.hash_one(value);
        if hash.trailing_zeros() < self.zeros {
            return;
        }
        let count = self.counts.entry(hash).or_insert(0);
        *count = count.saturating_add(1);
        while self.counts.len() > COUNTED_MAX {
            self.zeros += 1;
            let zeros = self.zeros;
            self.counts.retain(|hash, _| hash.trailing_zeros() >= zeros);
        }
    }

    /// More than half of the values are different, but not all.
    pub(super) fn warning(&self) -> Option<Warning> {
        let different = self.counts.len() as u64;
        let rows: u64 = self.counts.values().map(|count| u64::from(*count)).sum();
        (different < rows && different > rows / 2).then(|| Warning::IdentifierRepeats { column: self.column.name.clone() })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::dataset::Uses;
    use crate::grade::Grade;

    #[test]
    fn repeats_are_found_among_more_values_than_are_counted() {
        let column = Column {
            name: ColumnName::new("id").unwrap(),
            kind: ColumnType::Integer,
            bounds: None,
            values: None,
            other: None,
            nullable: false,
            grade: Grade::L4,
            uses: Uses::NONE,
        };
        let count = |every_second: bool| {
            let mut repeats = Repeats::of(&column).unwrap();
            for number in 0..600_000i64 {
                repeats.count(&number);
                if every_second && number % 2 == 0 {
                    repeats.count(&number);
                }
            }
            assert!(repeats.counts.len() <= COUNTED_MAX && repeats.zeros > 0);
            repeats.warning().is_some()
        };
        assert!(count(true) && !count(false));
        assert!(Repeats::of(&Column { bounds: Some(Bounds { low: 0, high: 1 }), ..column.clone() }).is_none());
    }
}
