//! Columns that carry the value of another, or a part of it.
//!
//! Of some records of each batch the cells are compared two by two, written without blanks, signs and points: is one the other, or a
//! part of it that begins at a fixed place? `13800138000` beside `8000`, an ID beside the date of birth in it. Only counts are kept.

use std::collections::HashMap;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, RecordBatch};

use super::super::Overlap;
use crate::table::TableSchema;

/// Records that are compared in a table of few columns, but for some tens from behind [`SPREAD_TO`].
const RECORDS_MAX: u64 = 1024;
/// Comparisons that are made: fewer records of tables of many columns, none of those of more than 700.
const COMPARED_MAX: u64 = 4 << 20;
/// Half of the records are from the very first on, half from all over the first so many.
const SPREAD_TO: u64 = 1 << 17;
/// Fewer records do not show that values agree.
const RECORDS_MIN: u32 = 8;
/// Longer cells are texts, of which parts say nothing.
const BYTES_MAX: usize = 64;
/// Places of a part in a value that are looked at.
const PLACES_MAX: usize = 8;

/// What was compared so far.
#[derive(Clone)]
pub(super) struct Overlaps {
    /// Of each two columns the records in which both have a value.
    both: HashMap<(u32, u32), u32>,
    /// The records in which the second column is a part of the first that begins here and has this length.
    parts: HashMap<(u32, u32, u8, u8), u32>,
    /// The first value of each column, by its hash, until another is met.
    only: Vec<Only>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Only {
    Nothing,
    Value(u64),
    Several,
}

impl Overlaps {
    pub(super) fn new(columns: usize) -> Self {
        Self { both: HashMap::new(), parts: HashMap::new(), only: vec![Only::Nothing; columns] }
    }

    /// Compares some records of a batch, whose first has this number. Which ones is a matter of their numbers alone, so that batches
    /// and threads change nothing.
    pub(super) fn update(&mut self, batch: &RecordBatch, first: u64, hash: impl Fn(&[u8]) -> u64) {
        let columns = batch.num_columns().min(self.only.len());
        let most = (COMPARED_MAX / (columns as u64).pow(2).max(1)).min(RECORDS_MAX);
        if most < u64::from(RECORDS_MIN) {
            return;
        }
        let mut cells = vec![String::new(); columns];
        for (number, row) in (first..).zip(0..batch.num_rows()).filter(|(number, _)| is_compared(*number, most)) {
            debug_assert!(number > 0, "records are counted from 1");
            for (cell, array) in cells.iter_mut().zip(batch.columns()) {
                plain(array, row, cell);
            }
            self.compare(&cells, &hash);
        }
    }

    fn compare(&mut self, cells: &[String], hash: impl Fn(&[u8]) -> u64) {
        let present: Vec<(u32, &str)> =
            (0..).zip(cells).filter(|(_, cell)| !cell.is_empty()).map(|(at, cell)| (at, cell.as_str())).collect();
        for (at, cell) in &present {
            let value = Only::Value(hash(cell.as_bytes()));
            let only = &mut self.only[*at as usize];
            *only = if *only == Only::Nothing || *only == value { value } else { Only::Several };
        }
        for (whole, value) in &present {
            for (part, piece) in present.iter().filter(|(part, _)| part != whole) {
                *self.both.entry((*whole, *part)).or_default() += 1;
                if piece.len() > value.len() {
                    continue;
                }
                for (place, _) in value.match_indices(piece).take(PLACES_MAX) {
                    // Both are at most 64 bytes long.
                    let characters = |text: &str| u8::try_from(text.chars().count()).unwrap_or(u8::MAX);
                    *self.parts.entry((*whole, *part, characters(&value[..place]), characters(piece))).or_default() += 1;
                }
            }
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        other.both.into_iter().for_each(|(key, count)| *self.both.entry(key).or_default() += count);
        other.parts.into_iter().for_each(|(key, count)| *self.parts.entry(key).or_default() += count);
        for (only, more) in self.only.iter_mut().zip(other.only) {
            *only = match (*only, more) {
                (one, Only::Nothing) => one,
                (Only::Nothing, other) => other,
                (one, other) if one == other => one,
                _ => Only::Several,
            };
        }
    }

    /// What the column `part` tells of others: where it stands in at least half of the records that have both. A column of one value
    /// tells nothing.
    pub(super) fn of(&self, part: usize, schema: &TableSchema) -> Vec<Overlap> {
        let Ok(number) = u32::try_from(part) else { return Vec::new() };
        if self.only.get(part) != Some(&Only::Several) {
            return Vec::new();
        }
        let mut found: Vec<(u32, u8, u8)> = Vec::new();
        for (&(whole, of, from, len), count) in &self.parts {
            let both = self.both.get(&(whole, of)).copied().unwrap_or(0);
            if of == number && both >= RECORDS_MIN && count.saturating_mul(2) >= both {
                found.push((whole, from, len));
            }
        }
        found.sort_unstable();
        let overlap = |(whole, from, len): (u32, u8, u8)| {
            let column = schema.columns().get(whole as usize)?.name.clone();
            Some(Overlap { column, from: from.into(), len: len.into() })
        };
        found.into_iter().filter_map(overlap).collect()
    }
}

/// Whether the record with this number is one of those that are compared.
const fn is_compared(number: u64, most: u64) -> bool {
    number <= most / 2 || number <= SPREAD_TO && number.is_multiple_of(2 * SPREAD_TO / most) || number.is_power_of_two()
}

/// The letters and digits of a cell, narrow; nothing of what is longer than values are.
fn plain(array: &ArrayRef, row: usize, out: &mut String) {
    out.clear();
    if array.is_null(row) {
        return;
    }
    if let Some(texts) = array.as_string_opt::<i32>() {
        let text = texts.value(row);
        if text.len() <= BYTES_MAX {
            out.extend(
                text.chars().map(narrow).filter(|character| character.is_alphanumeric()).map(|character| character.to_ascii_uppercase()),
            );
        }
    } else if let Some(numbers) = array.as_primitive_opt::<Int64Type>() {
        out.push_str(&numbers.value(row).to_string());
    }
}

/// Full-width forms of ASCII become ASCII.
fn narrow(character: char) -> char {
    match u32::from(character) {
        wide @ 0xff01..=0xff5e => char::from_u32(wide - 0xfee0).unwrap_or(character),
        _ => character,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{Int64Array, StringArray};

    use super::*;
    use crate::id::ColumnName;
    use crate::table::{ColumnKind, TableColumn};

    fn found(columns: Vec<(&str, Vec<String>)>) -> Vec<(String, String, usize, usize)> {
        let column = |name: &str| TableColumn { name: ColumnName::new(name).unwrap(), kind: ColumnKind::Text };
        let schema = TableSchema::new(columns.iter().map(|(name, _)| column(name)).collect()).unwrap();
        let names: Vec<String> = columns.iter().map(|(name, _)| (*name).to_owned()).collect();
        let names = &names;
        let arrays = columns.into_iter().map(|(name, cells)| (name.to_owned(), Arc::new(StringArray::from(cells)) as ArrayRef));
        let batch = RecordBatch::try_from_iter(arrays).unwrap();
        let mut overlaps = Overlaps::new(names.len());
        let hash = |bytes: &[u8]| bytes.iter().fold(7u64, |hash, byte| hash.wrapping_mul(31) + u64::from(*byte));
        let mut other = overlaps.clone();
        let half = batch.num_rows() / 2;
        overlaps.update(&batch.slice(0, half), 1, hash);
        other.update(&batch.slice(half, batch.num_rows() - half), half as u64 + 1, hash);
        overlaps.merge(other);
        let of = |at: usize| {
            overlaps
                .of(at, &schema)
                .into_iter()
                .map(move |overlap| (names[at].clone(), overlap.column.to_string(), overlap.from, overlap.len))
        };
        (0..schema.columns().len()).flat_map(of).collect()
    }

    fn number(at: u64) -> u64 {
        13_000_000_000 + at.wrapping_mul(7_919_317_811) % 1_000_000_000
    }

    #[test]
    fn parts_at_a_fixed_place_are_told_and_others_are_not() {
        let rows = 0..60u64;
        let cells = |make: &dyn Fn(u64) -> String| rows.clone().map(make).collect::<Vec<_>>();
        let columns = vec![
            (
                "mobile",
                cells(&|row| {
                    let text = number(row).to_string();
                    format!("{} {}-{}", &text[..3], &text[3..7], &text[7..])
                }),
            ),
            ("last4", cells(&|row| format!("{:04}", number(row) % 10_000))),
            ("contact", cells(&|row| number(if row % 3 == 0 { row } else { row + 1_000 }).to_string())),
            ("constant", cells(&|_| "13".to_owned())),
            ("random", cells(&|row| (row * row % 97).to_string())),
        ];
        assert_eq!(found(columns), [("last4".to_owned(), "mobile".to_owned(), 7, 4)]);
    }

    #[test]
    fn equal_columns_tell_each_other() {
        let amounts = |step: i64| (0..40).map(|row| (row * 37 % 1_000 * step).to_string()).collect::<Vec<_>>();
        let columns = vec![("a", amounts(1)), ("b", amounts(1)), ("c", amounts(13))];
        let pairs: Vec<(String, String)> = found(columns).into_iter().map(|(part, whole, ..)| (part, whole)).collect();
        assert!(pairs.contains(&("a".into(), "b".into())) && pairs.contains(&("b".into(), "a".into())), "{pairs:?}");
        // A few records show nothing.
        let few = vec![("a", vec!["12".to_owned(); 7]), ("b", vec!["12".to_owned(); 7])];
        assert_eq!(found(few), []);
    }

    #[test]
    fn integers_are_compared_as_they_are_written() {
        let mut cell = String::new();
        plain(&(Arc::new(Int64Array::from(vec![19_491_231])) as ArrayRef), 0, &mut cell);
        assert_eq!(cell, "19491231");
        plain(&(Arc::new(StringArray::from(vec!["１９４９-12.31"])) as ArrayRef), 0, &mut cell);
        assert_eq!(cell, "19491231");
    }
}
